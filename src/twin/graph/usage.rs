//! The app's limit: so many calls in any hour, however they lie in it (graph.md §6). What is refused counts too: who goes
//! on calling waits the longer (messenger.md §8).

use super::call::Object;
use super::refusal::Refused;
use crate::model::Moment;

/// Calls of the last hour, minute by minute.
pub(super) struct Usage {
    limit: u32,
    minutes: [u32; 60],
    /// The minute that was counted last.
    newest: i64,
}

impl Usage {
    pub(super) fn new(limit: u32) -> Usage {
        Usage { limit, minutes: [0; 60], newest: 0 }
    }

    /// Counts a call, or refuses it.
    pub(super) fn take(&mut self, now: Moment) -> Result<(), Refused> {
        self.turn(now);
        let full = self.used() >= self.limit;
        if let Some(minute) = self.minutes.get_mut(self.newest.rem_euclid(60) as usize) {
            *minute = minute.saturating_add(1);
        }
        if full { Err(Refused::app_limit()) } else { Ok(()) }
    }

    /// What `X-App-Usage` says: parts of a hundred.
    pub(super) fn header(&self) -> String {
        told(u64::from(self.used()) * 100 / u64::from(self.limit.max(1)))
    }

    /// What it says when there are too many calls on purpose.
    pub(super) fn full() -> String {
        told(100)
    }

    fn used(&self) -> u32 {
        self.minutes.iter().fold(0, |used, minute| used.saturating_add(*minute))
    }

    /// Minutes that are an hour old are forgotten. A clock that goes back forgets nothing.
    fn turn(&mut self, now: Moment) {
        let minute = now.seconds().div_euclid(60);
        if minute.saturating_sub(self.newest) >= 60 {
            self.minutes = [0; 60];
        } else {
            for gone in self.newest + 1..=minute {
                if let Some(slot) = self.minutes.get_mut(gone.rem_euclid(60) as usize) {
                    *slot = 0;
                }
            }
        }
        self.newest = self.newest.max(minute);
    }
}

fn told(share: u64) -> String {
    Object::new().raw("call_count", share).raw("total_time", share / 2).raw("total_cputime", share / 4).end()
}
