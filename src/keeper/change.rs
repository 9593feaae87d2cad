//! What a reload changes for the keeper: which channels there are, whose alarms the configuration sets, what may be asked
//! of upstreams. One transaction, between two turns.
//!
//! What is out with workers stays out: its settlement comes back as it would have. Events of a channel that is gone wait in
//! the store until it is there again under its name.

use super::{Keeper, Line, Tray};
use crate::model::{Alarm, AlarmWrite, ChannelNumber, MemoryWrite, OWNER_CONFIGURATION, Upstream};
use crate::store::{RESTS, StoreError};

/// Alarms of the configuration that are kept, the channels' numbers → what is to be written.
pub type Reconcile = Box<dyn Fn(&[Alarm], &[ChannelNumber]) -> Vec<AlarmWrite> + Send>;

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
    /// Channels that are not among them, and have events that nobody will be given.
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
        let written = self.write_change(change).and_then(|changed| self.store.commit().map(|()| changed));
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
        let names: Vec<&String> = match change {
            Change::Numbers { names } => names.iter().collect(),
            Change::Lines { channels, .. } => channels.iter().map(|(name, _)| name).collect(),
        };
        let numbers = names.iter().map(|name| self.store.channel(name)).collect::<Result<Vec<_>, _>>()?;
        if let Change::Lines { reconcile, .. } = change {
            for write in reconcile(&self.store.alarms_of(OWNER_CONFIGURATION)?, &numbers) {
                self.store.put_alarm(&write)?;
            }
        }
        self.probe_at_once(&names, &numbers)?;
        let mut left_behind = self.store.channels_that_wait()?;
        left_behind.retain(|waits| !names.contains(&waits));
        Ok(Changed { numbers, left_behind })
    }

    /// A rest that is remembered of a channel is that of a process before.
    fn probe_at_once(&mut self, names: &[&String], numbers: &[ChannelNumber]) -> Result<(), StoreError> {
        let is_new = |number| !self.lines.iter().any(|line| line.number == number);
        let new: Vec<_> =
            names.iter().zip(numbers).filter(|(_, number)| is_new(**number)).map(|(name, _)| name).collect();
        for name in new {
            if let Some(over) = self.rested(name)? {
                self.store.remember(&over)?;
            }
        }
        Ok(())
    }

    /// What forgets the rest of a channel that is remembered of the keeper before: a start probes at once.
    fn rested(&mut self, name: &str) -> Result<Option<MemoryWrite>, StoreError> {
        let known = self.store.recall(RESTS, name, (self.clock)())?;
        let (bot, key) = (RESTS.to_owned(), name.to_owned());
        Ok(known.map(|_| MemoryWrite { bot, key, value: None, expires: None }))
    }

    fn take_lines(&mut self, channels: &[(String, usize)], numbers: &[ChannelNumber]) {
        let mut before: Vec<Option<Line>> = std::mem::take(&mut self.lines).into_iter().map(Some).collect();
        let mut now_at = vec![None; before.len()];
        for ((name, _), number) in channels.iter().zip(numbers) {
            let place = before.iter().position(|line| line.as_ref().is_some_and(|line| line.number == *number));
            let same = place.and_then(|place| before.get_mut(place)?.take());
            if let Some(now_at) = place.and_then(|place| now_at.get_mut(place)) {
                *now_at = Some(self.lines.len());
            }
            // How a platform takes our calls does not change with our configuration.
            self.lines.push(same.unwrap_or_else(|| Line::new(*number, &**name)));
        }
        let bots: Vec<usize> = channels.iter().map(|(_, bot)| *bot).collect();
        self.roster = self.roster.anew(&bots, &now_at);
    }
}
