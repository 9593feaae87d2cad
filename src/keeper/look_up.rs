//! What others ask of the store, answered at once: it needs no turn, and is answered while the disk cannot be written.

use super::{Keeper, Letter, Receipt, Sought};
use crate::model::{Moment, PICTURES};
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

impl Keeper<'_> {
    /// Waits for a letter that changes something, or for what is due. Questions are answered meanwhile: after one there is
    /// nothing to write and nothing new to hand out, and a bot asks a dozen for each event.
    pub(super) fn next_letter(&mut self, due: Moment) -> Result<Letter, RecvTimeoutError> {
        loop {
            let letter = self.letters.recv_timeout(due.since((self.clock)()))?;
            if !letter.only_asks() {
                return Ok(letter);
            }
            self.look_up(letter);
            if (self.clock)() >= due {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }

    /// Says that the keeper moves, unless a worker has had its job for too long.
    pub(super) fn pulse(&mut self, number: u64, every: Duration) {
        match self.roster.pass(every) {
            Some(line) => {
                let name = self.lines.get(line).map_or("", |line| &*line.name);
                log::error!(channel = name; "channel {name}: a worker does not come back from a job of it");
            }
            None => self.health.pulse.store(number, Ordering::Release),
        }
    }

    /// Answers a letter that only asks. Whoever asked and went away needs no answer.
    pub(super) fn look_up(&mut self, question: Letter) {
        let now = (self.clock)();
        match question {
            Letter::Show(ticket, name) => {
                // What is asked for was durable before anybody was told its name.
                let found = self.store.recall(PICTURES, &name.key(), now);
                let sought = found.map(|found| found.map_or(Sought::Gone, Sought::Found)).unwrap_or_else(|error| {
                    log::error!("looking for a picture: {error}");
                    Sought::Failed
                });
                self.answer(vec![(ticket, Receipt::Shown(sought))]);
            }
            Letter::Figures(ticket) => {
                let figures = Box::new(self.figures(now));
                self.answer(vec![(ticket, Receipt::Figures(figures))]);
            }
            Letter::Ready(ticket) => {
                let moves = self.standstill().map_or(Ok(()), Err);
                self.answer(vec![(ticket, Receipt::Ready(moves))]);
            }
            Letter::Recall { bot, key, answer } => {
                let _ = answer.try_send(self.recalled(&bot, &key, now));
            }
            Letter::RecallAll { bot, keys, answer } => {
                let found = keys.into_iter().map(|key| (key.clone(), self.recalled(&bot, &key, now)));
                let _ = answer.try_send(found.collect());
            }
            Letter::Alarms { channel, conversation, answer } => {
                let found = self.store.alarms(channel, &conversation).unwrap_or_else(|error| {
                    let line = self.lines.iter().find(|line| line.number == channel);
                    let name = line.map_or("", |line| &*line.name);
                    log::error!(channel = name; "channel {name}: looking up the alarms of {conversation:?}: {error}");
                    Vec::new()
                });
                let _ = answer.try_send(found);
            }
            Letter::Learn { upstream, lesson } => self.treasury.learn(self.store, &upstream, &lesson, now),
            Letter::Left { upstream, answer } => {
                let _ = answer.try_send(self.treasury.left(self.store, &upstream, now));
            }
            // What is to be written goes into the tray, and does not come here.
            _ => {}
        }
    }

    fn recalled(&mut self, bot: &str, key: &str, now: Moment) -> Option<Vec<u8>> {
        self.store.recall(bot, key, now).unwrap_or_else(|error| {
            log::error!("bot {bot}: recalling {key:?}: {error}");
            None
        })
    }
}
