//! Refusals in the log: the first of a kind at once, the rest as a count, so that nobody can flood it.

use crate::limits;
use crate::model::{Refusal, Tick};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Counts refusals, and says some of them.
#[derive(Debug, Default)]
pub struct Complaints {
    since: Tick,
    unsaid: BTreeMap<u16, u64>,
}

impl Complaints {
    /// Takes note of a refusal.
    pub fn note(&mut self, refusal: &Refusal, from: Option<IpAddr>, now: Tick) {
        if now.since(self.since) >= limits::COMPLAINT_INTERVAL {
            self.since = now;
            for (status, count) in std::mem::take(&mut self.unsaid) {
                if count > 0 {
                    log::warn!("refused {count} more requests with {status}");
                }
            }
        }
        match self.unsaid.get_mut(&refusal.status) {
            Some(count) => *count += 1,
            None => {
                say(refusal, from);
                self.unsaid.insert(refusal.status, 0);
            }
        }
    }
}

fn say(refusal: &Refusal, from: Option<IpAddr>) {
    let from = from.map_or_else(|| "the control socket".to_owned(), |address| address.to_string());
    // The words are ours; what they quote of others was escaped where it was quoted.
    log::warn!("refused a request from {from} with {}: {}", refusal.status, refusal.why);
}
