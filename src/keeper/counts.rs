//! What the keeper counts for whoever watches: of each channel since the start, and the commits.
//!
//! Events are counted by what the store says that a commit did, and once it has: so a figure never tells of something that
//! was not kept. A channel that a reload takes away keeps its count.

use super::{Keeper, Unsettled};
use crate::meter::hour::{Column, Hour};
use crate::meter::{Channel, Histogram, Kept, class};
use crate::model::{ChannelNumber, Moment, Settlement};
use crate::store::{Fact, State, StoreError};
use std::time::Instant;

/// All counts.
#[derive(Debug, Default)]
pub struct Counts {
    channels: Vec<(ChannelNumber, Channel)>,
    commits: Histogram,
    hour: Hour,
    /// What the store said last; kept for its room.
    facts: Vec<(ChannelNumber, Fact)>,
}

impl Counts {
    /// There is a channel of this name.
    pub(super) fn name(&mut self, number: ChannelNumber, name: &str) {
        if self.of(number).is_none() {
            self.channels.push((number, Channel { name: name.to_owned(), ..Channel::default() }));
        }
    }

    /// Settlements are durable.
    pub(super) fn settled(&mut self, unsettled: &[Unsettled]) {
        for Unsettled { settlement, .. } in unsettled {
            let (Settlement::Sent { event, attempt, .. } | Settlement::Unsent { event, attempt: Some(attempt), .. }) =
                settlement
            else {
                continue;
            };
            let counted = self.of(event.channel()).and_then(|channel| channel.attempts.get_mut(class(attempt.status)));
            counted.into_iter().for_each(|count| *count += 1);
        }
    }

    fn of(&mut self, number: ChannelNumber) -> Option<&mut Channel> {
        self.channels.iter_mut().find(|(known, _)| *known == number).map(|(_, channel)| channel)
    }

    fn note(&mut self, number: ChannelNumber, fact: Fact, now: Moment) {
        let Some(channel) = self.of(number) else { return };
        let (count, column) = match fact {
            Fact::Kept => (&mut channel.kept, Some(Column::Kept)),
            Fact::Duplicate => (&mut channel.duplicates, None),
            Fact::Ended(state) => {
                let [answered, ignored, dead, unknown] = &mut channel.ended;
                let (count, column) = match state {
                    State::Answered => (answered, Column::Answered),
                    State::Ignored => (ignored, Column::Ignored),
                    State::Dead => (dead, Column::Dead),
                    State::Unknown => (unknown, Column::Unknown),
                    // Not an end of an event.
                    State::Open | State::Skipped => return,
                };
                (count, Some(column))
            }
        };
        *count += 1;
        column.into_iter().for_each(|column| self.hour.add(now, column, 1));
    }
}

impl Keeper<'_> {
    /// Makes everything durable, and takes in what that did and how long it took.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        if !self.store.is_writing() {
            return self.store.commit();
        }
        let began = Instant::now();
        self.store.commit()?;
        let (took, now) = (began.elapsed(), (self.clock)());
        self.counts.commits.note(took);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.counts.hour.most(now, Column::SlowestCommitUs, took_us);
        let mut facts = std::mem::take(&mut self.counts.facts);
        self.store.tell_facts(&mut facts);
        facts.iter().for_each(|(channel, fact)| self.counts.note(*channel, *fact, now));
        facts.clear();
        self.counts.facts = facts;
        Ok(())
    }

    /// Everything that only the keeper knows, for the loop.
    pub(super) fn figures(&mut self, now: Moment) -> Kept {
        let backlogs = self.store.backlogs().unwrap_or_else(|error| {
            log::error!("looking how much waits: {error}");
            Vec::new()
        });
        let Counts { channels, commits, hour, .. } = &self.counts;
        let channels = channels.iter().map(|(number, channel)| {
            let backlog =
                backlogs.iter().find(|(known, _)| known == number).map_or_else(Default::default, |(_, is)| *is);
            let line = self.lines.iter().find(|line| line.number == *number);
            Channel {
                waiting: backlog.waiting,
                oldest: backlog.oldest,
                rests: line.is_some_and(|line| line.pace.rests_until(now).is_some()),
                ..channel.clone()
            }
        });
        let (channels, commits, hour) = (channels.collect(), *commits, hour.clone());
        let budgets = self.treasury.names().into_iter().map(|name| {
            let left = self.treasury.left(self.store, &name, now);
            (name, left)
        });
        Kept {
            writable: self.health.writable.load(std::sync::atomic::Ordering::Relaxed),
            workers: self.workers.len(),
            busy: self.roster.out(),
            commits,
            channels,
            budgets: budgets.collect(),
            hour,
        }
    }

    /// Why nothing moves, if that is so.
    pub(super) fn standstill(&self) -> Option<String> {
        let stuck = self.roster.stuck(Instant::now())?;
        let name = self.lines.get(stuck).map_or("that is gone", |line| &*line.name);
        Some(format!("a worker does not come back from a job of channel {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Attempt, EventKey, Instead};

    #[test]
    fn a_call_that_was_refused_is_counted_also_when_the_reply_waits_instead() {
        let (channel, event) = (ChannelNumber(1), EventKey::new(ChannelNumber(1), 7));
        let mut counts = Counts::default();
        counts.name(channel, "page");
        for status in [Some(400), None] {
            let attempt = status.map(|status| Attempt {
                part: 1,
                number: 1,
                began: Moment(1),
                ended: Moment(2),
                status: Some(status),
                words: String::new(),
            });
            let instead = Instead::Hold { why: String::new() };
            let settlement = Settlement::Unsent { event, lane: 1, part: 1, attempt, instead };
            counts.settled(&[Unsettled { worker: 0, settlement, go_on: true }]);
        }
        let attempts = counts.channels[0].1.attempts;
        assert_eq!((attempts[class(Some(400))], attempts.iter().sum::<u64>()), (1, 1));
    }
}
