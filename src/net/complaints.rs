//! Refusals in the log: the first of a kind at once, the rest as a count, so that nobody can flood it.

use crate::limits;
use crate::model::{Refusal, Tick};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What a handshake that failed is counted under, beside the statuses of refusals.
const HANDSHAKE: u16 = 0;

/// Counts refusals, and says some of them.
#[derive(Debug, Default)]
pub struct Complaints {
    since: Tick,
    unsaid: BTreeMap<u16, u64>,
}

impl Complaints {
    /// Takes note of a refusal.
    pub fn note(&mut self, refusal: &Refusal, from: Option<IpAddr>, now: Tick) {
        if self.is_first(refusal.status, now) {
            // The words are ours; what they quote of others was escaped where it was quoted.
            log::warn!("refused a request from {} with {}: {}", name(from), refusal.status, refusal.why);
        }
    }

    /// Takes note of a connection that came to nothing, in words of ours.
    pub fn note_handshake(&mut self, why: &str, from: Option<IpAddr>, now: Tick) {
        if self.is_first(HANDSHAKE, now) {
            log::warn!("TLS with {} came to nothing: {why}", name(from));
        }
    }

    /// Whether this is the first of its kind for a while; the others are counted, and told when that is over.
    fn is_first(&mut self, kind: u16, now: Tick) -> bool {
        if now.since(self.since) >= limits::COMPLAINT_INTERVAL {
            self.since = now;
            for (kind, count) in std::mem::take(&mut self.unsaid).into_iter().filter(|(_, count)| *count > 0) {
                match kind {
                    HANDSHAKE => log::warn!("TLS came to nothing {count} more times"),
                    status => log::warn!("refused {count} more requests with {status}"),
                }
            }
        }
        if let Some(count) = self.unsaid.get_mut(&kind) {
            *count += 1;
            return false;
        }
        self.unsaid.insert(kind, 0);
        true
    }
}

fn name(from: Option<IpAddr>) -> String {
    from.map_or_else(|| "the control socket".to_owned(), |address| address.to_string())
}
