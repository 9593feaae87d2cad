//! Refusals in the log: the first of a kind at once, the rest as a count, so that nobody can flood it.

use crate::limits;
use crate::model::{Refusal, Tick};
use crate::notation::counted::counted;
use std::net::IpAddr;

/// What a handshake that failed is counted under, beside the statuses of refusals.
const HANDSHAKE: u16 = 0;

/// Counts refusals, and says some of them.
#[derive(Debug, Default)]
pub struct Complaints {
    since: Tick,
    kinds: Vec<Kind>,
}

/// Refusals of one kind since the log last spoke of it. There are as many kinds as channels have statuses to refuse with.
#[derive(Debug)]
struct Kind {
    status: u16,
    /// Nothing where no channel was meant.
    channel: Option<String>,
    unsaid: u64,
}

impl Complaints {
    /// Takes note of a refusal, and of whose channel was meant.
    pub fn note(&mut self, refusal: &Refusal, channel: Option<&str>, from: Option<IpAddr>, now: Tick) {
        if self.is_first(refusal.status, channel, now) {
            // The words are ours; what they quote of others was escaped where it was quoted.
            let (status, why) = (refusal.status, &refusal.why);
            match channel {
                Some(channel) => log::warn!(
                    channel;
                    "channel {channel}: refused a request from {} with {status}: {why}", name(from)
                ),
                None => log::warn!("refused a request from {} with {status}: {why}", name(from)),
            }
        }
    }

    /// Takes note of a connection that came to nothing, in words of ours.
    pub fn note_handshake(&mut self, why: &str, from: Option<IpAddr>, now: Tick) {
        if self.is_first(HANDSHAKE, None, now) {
            log::warn!("TLS with {} came to nothing: {why}", name(from));
        }
    }

    /// When there is something to tell that was only counted.
    pub fn due(&self) -> Option<Tick> {
        self.kinds.iter().any(|kind| kind.unsaid > 0).then(|| self.since.after(limits::COMPLAINT_INTERVAL))
    }

    /// Tells what is due.
    pub fn tell_due(&mut self, now: Tick) {
        if self.due().is_some_and(|due| due <= now) {
            self.tell();
            self.since = now;
        }
    }

    /// Tells what was only counted, and begins anew.
    pub fn tell(&mut self) {
        for Kind { status, channel, unsaid: count } in std::mem::take(&mut self.kinds) {
            match (status, channel.as_deref()) {
                _ if count == 0 => {}
                (HANDSHAKE, _) => log::warn!("TLS came to nothing {}", counted(count, "more time")),
                (_, Some(channel)) => {
                    log::warn!(channel; "channel {channel}: refused {} with {status}", counted(count, "more request"));
                }
                (_, None) => log::warn!("refused {} with {status}", counted(count, "more request")),
            }
        }
    }

    /// Whether this is the first of its kind for a while; the others are counted, and told when that is over.
    fn is_first(&mut self, status: u16, channel: Option<&str>, now: Tick) -> bool {
        if now.since(self.since) >= limits::COMPLAINT_INTERVAL {
            self.tell();
            self.since = now;
        }
        let same = |kind: &&mut Kind| kind.status == status && kind.channel.as_deref() == channel;
        if let Some(kind) = self.kinds.iter_mut().find(same) {
            kind.unsaid += 1;
            return false;
        }
        self.kinds.push(Kind { status, channel: channel.map(str::to_owned), unsaid: 0 });
        true
    }
}

fn name(from: Option<IpAddr>) -> String {
    from.map_or_else(|| "a socket of this machine".to_owned(), |address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ten_thousand_refusals_of_each_kind_one_is_said_and_the_others_are_due_as_a_count() {
        let mut complaints = Complaints::default();
        let now = Tick(20_000);
        let mut said = 0;
        for _ in 0..10_000 {
            for (status, channel) in [(401, Some("page")), (401, Some("other")), (404, None), (HANDSHAKE, None)] {
                said += usize::from(complaints.is_first(status, channel, now));
            }
        }
        assert_eq!((said, complaints.kinds.len()), (4, 4));
        assert!(complaints.kinds.iter().all(|kind| kind.unsaid == 9999));
        let due = complaints.due().unwrap();
        assert_eq!(due, now.after(limits::COMPLAINT_INTERVAL));
        complaints.tell_due(Tick(due.0 - 1));
        assert_eq!(complaints.due(), Some(due));
        complaints.tell_due(due);
        assert_eq!(complaints.due(), None, "and nobody wakes for it any more");
        assert!(complaints.is_first(404, None, due), "the next one is said again");
        assert_eq!(complaints.due(), None, "one alone leaves nothing to tell");
    }
}
