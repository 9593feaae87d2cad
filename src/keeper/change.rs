//! What a reload changes for the keeper: which channels there are, whose alarms the configuration sets, what may be asked
//! of upstreams. One transaction, between two turns.
//!
//! What is out with workers stays out: its settlement comes back as it would have. Events of a channel that is gone wait in
//! the store until it is there again under its name.

use super::{Keeper, Line, Tray};
use crate::model::{Alarm, AlarmWrite, ChannelNumber, MemoryWrite, OWNER_CONFIGURATION, Upstream};
use crate::store::{RESTS, StoreError};

/// Alarms of the configuration that are kept → what is to be written.
pub type Reconcile = Box<dyn Fn(&[Alarm]) -> Vec<AlarmWrite> + Send>;

/// What is to be from now on.
pub enum Change {
    /// These channels have numbers; nothing else changes yet, so that workers can be told of them before they have to do
    /// with them.
    Numbers { names: Vec<String> },
    /// Jobs are handed out for these channels alone, each with its bot as a number from 0.
    Lines { channels: Vec<(String, usize)>, upstreams: Vec<Upstream>, reconcile: Reconcile },
}

impl std::fmt::Debug for Change {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Change")
    }
}

/// What it has come to.
#[derive(Debug)]
pub struct Changed {
    /// Of the channels that were named, in their order.
    pub numbers: Vec<ChannelNumber>,
    /// Of lines: channels that are not among them, and have events that nobody will be given.
    pub left_behind: Vec<String>,
}

impl Keeper<'_> {
    pub(super) fn make_changes(&mut self, tray: &mut Tray) {
        for (change, answer) in std::mem::take(&mut tray.changes) {
            let changed = match tray.failing {
                true => Err("the store cannot be written just now".to_owned()),
                false => self.change(&change),
            };
            if matches!(change, Change::Lines { .. }) {
                // What waits on a channel that has come, and its alarms, are looked at as at a start.
                tray.prune_at = tray.looked;
            }
            // Whoever went away knows it from the log.
            let _ = answer.try_send(changed);
        }
    }

    fn change(&mut self, change: &Change) -> Result<Changed, String> {
        let written = self.write_change(change).and_then(|changed| self.commit().map(|()| changed));
        let changed = written.map_err(|error| {
            self.store.roll_back();
            error.0
        })?;
        if let Change::Lines { channels, upstreams, .. } = change {
            self.treasury.change(upstreams, (self.clock)());
            self.take_lines(channels, &changed.numbers);
        }
        Ok(changed)
    }

    fn write_change(&mut self, change: &Change) -> Result<Changed, StoreError> {
        let (channels, reconcile) = match change {
            Change::Numbers { names } => {
                let numbers = names.iter().map(|name| self.store.channel(name)).collect::<Result<_, _>>()?;
                return Ok(Changed { numbers, left_behind: Vec::new() });
            }
            Change::Lines { channels, reconcile, .. } => (channels, reconcile),
        };
        let numbers = channels.iter().map(|(name, _)| self.store.channel(name)).collect::<Result<_, _>>()?;
        for write in reconcile(&self.store.alarms_of(OWNER_CONFIGURATION)?) {
            self.store.put_alarm(&write)?;
        }
        for (name, _) in channels {
            self.probe_at_once(name)?;
        }
        let mut left_behind = self.store.channels_that_wait()?;
        left_behind.retain(|waits| !channels.iter().any(|(name, _)| name == waits));
        Ok(Changed { numbers, left_behind })
    }

    /// Forgets the rest of a channel: whoever put another token in place wants to know now whether it is taken, and a start
    /// tries at once, too.
    fn probe_at_once(&mut self, name: &str) -> Result<(), StoreError> {
        if self.store.recall(RESTS, name, (self.clock)())?.is_some() {
            let (bot, key) = (RESTS.to_owned(), name.to_owned());
            self.store.remember(&MemoryWrite { bot, key, value: None, expires: None })?;
        }
        Ok(())
    }

    fn take_lines(&mut self, channels: &[(String, usize)], numbers: &[ChannelNumber]) {
        let lines = channels.iter().zip(numbers).map(|((name, _), number)| Line::new(*number, &**name));
        let before = std::mem::replace(&mut self.lines, lines.collect());
        let now_at = before.iter().map(|line| numbers.iter().position(|number| *number == line.number));
        let (bots, now_at): (Vec<_>, Vec<_>) = (channels.iter().map(|(_, bot)| *bot).collect(), now_at.collect());
        for line in &self.lines {
            self.counts.name(line.number, &line.name);
        }
        self.roster = self.roster.anew(&bots, &now_at);
    }
}
