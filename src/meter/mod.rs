//! Figures that say how a daemon does, and the page on which they stand.
//!
//!     text.rs    Prometheus' text format: written, and read again
//!     page.rs    which figure has which name
//!     hour.rs    the last hour by its minutes, for the inspector
//!
//! Each number belongs to the thread that counts it, and is a plain one there: the loop has `Served`, the keeper `Kept`. When
//! somebody wants to see them the loop asks the keeper for its own by letter, so a request's way knows no lock and no
//! shared counter. Only the calls of upstreams are counted by several threads at once.
//!
//! Labels are names of the configuration and words of this program, never words from outside, so they are bounded.

pub mod hour;
pub mod page;
pub mod text;

use crate::model::{Left, Moment};
use hour::{Column, Hour};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long something takes: an upper end in microseconds, and in seconds as it is written. From a fast disk to the time in
/// which Messenger gives up (5 s).
const BUCKETS: [(u64, &str); 15] = [
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
];

/// How often something took how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS.len() + 1],
    sum_us: u64,
}

impl Histogram {
    /// It took so long once more.
    pub fn note(&mut self, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BUCKETS.iter().take_while(|(end, _)| *end < took_us).count();
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.sum_us = self.sum_us.saturating_add(took_us);
    }
}

/// The statuses with which requests are refused; all others count as one.
const REFUSALS: [u16; 16] = [400, 401, 403, 404, 405, 408, 413, 414, 415, 417, 421, 422, 431, 501, 503, 505];

/// Refused requests by their status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    counts: [u64; REFUSALS.len() + 1],
}

impl Refusals {
    /// One more.
    pub fn note(&mut self, status: u16) {
        let place = REFUSALS.iter().position(|known| *known == status).unwrap_or(REFUSALS.len());
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
    }

    /// All together.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// What answers of others were: none, or the first digit of their status.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// Calls by what was answered.
pub type Classes = [u64; CLASSES.len()];

/// The class of an answer, if there was one.
pub fn class(status: Option<u16>) -> usize {
    usize::from(status.unwrap_or(0) / 100).min(CLASSES.len() - 1)
}

/// How an event ends.
const ENDS: [&str; 4] = ["answered", "ignored", "dead", "unknown"];

/// Events by how they ended, in the order of `ENDS`.
pub type Ends = [u64; ENDS.len()];

/// What the loop counts.
#[derive(Clone, Debug, Default)]
pub struct Served {
    pub connections: u64,
    pub requests: u64,
    pub refused: Refusals,
    /// Connections that came to nothing, since TLS did.
    pub handshakes_failed: u64,
    /// From a request that was read to its answer in the socket's buffer, for each that was kept.
    pub acknowledged: Histogram,
    pub hour: Hour,
}

impl Served {
    /// One more request was refused.
    pub fn refuse(&mut self, status: u16, now: Moment) {
        self.refused.note(status);
        self.hour.add(now, Column::Refused, 1);
    }

    /// One more was acknowledged, after so long.
    pub fn acknowledge(&mut self, took: Duration, now: Moment) {
        self.acknowledged.note(took);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.hour.add(now, Column::Acknowledged, 1);
        self.hour.add(now, Column::AcknowledgedUs, took_us);
        self.hour.most(now, Column::SlowestAcknowledgementUs, took_us);
    }
}

/// How things stand with the loop just now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open {
    pub connections: usize,
    /// How many it takes at once.
    pub connections_max: usize,
    pub buffered_bytes: usize,
    /// What was handed to the keeper and is not yet kept.
    pub waiting_bytes: usize,
    pub now: Moment,
}

/// What the keeper counts, and how things stand with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub writable: bool,
    pub workers: usize,
    pub busy: usize,
    pub commits: Histogram,
    pub channels: Vec<Channel>,
    /// What is left of each upstream's limits.
    pub budgets: Vec<(String, Vec<Left>)>,
    pub hour: Hour,
}

/// One channel's events since the start, and those that wait now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    pub name: String,
    pub kept: u64,
    pub duplicates: u64,
    pub ended: Ends,
    pub attempts: Classes,
    pub waiting: u64,
    /// When the event was received that has waited longest.
    pub oldest: Option<Moment>,
    /// Nothing is sent for a while, since the platform takes nothing.
    pub rests: bool,
}

/// How a registration stood when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub channel: String,
    pub well: bool,
    pub looked: Moment,
}

/// Calls of one upstream by what it answered, counted by whoever makes them.
#[derive(Debug, Default)]
pub struct Calls([AtomicU64; CLASSES.len()]);

impl Calls {
    /// One more.
    pub fn note(&self, status: Option<u16>) {
        if let Some(count) = self.0.get(class(status)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counted(&self) -> Classes {
        self.0.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}

/// The calls of all upstreams. One that a reload takes away, and gives back, goes on counting.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Vec<(String, Arc<Calls>)>>);

impl Meter {
    /// Where the calls of this upstream are counted.
    pub fn calls(&self, upstream: &str) -> Arc<Calls> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, calls)) = all.iter().find(|(name, _)| name == upstream) {
            return Arc::clone(calls);
        }
        let calls: Arc<Calls> = Arc::default();
        all.push((upstream.to_owned(), Arc::clone(&calls)));
        calls
    }

    fn counted(&self) -> Vec<(String, Classes)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(name, calls)| (name.clone(), calls.counted())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_of_time_is_counted_up_to_its_end_and_with_it() {
        let mut histogram = Histogram::default();
        for us in [0, 100, 101, 5_000_000, 5_000_001, u64::MAX] {
            histogram.note(Duration::from_micros(us));
        }
        let counted: Vec<_> = histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0).collect();
        assert_eq!(counted, [(0, &2), (1, &1), (14, &1), (15, &2)]);
        assert_eq!(histogram.sum_us, u64::MAX, "it does not begin anew");
    }

    #[test]
    fn every_status_has_a_place_and_only_so_many_do() {
        let mut refusals = Refusals::default();
        (0..=u16::MAX).for_each(|status| refusals.note(status));
        assert_eq!(refusals.counts[REFUSALS.len()], 65_536 - REFUSALS.len() as u64);
        assert_eq!(refusals.total(), 65_536);
        assert_eq!([None, Some(99), Some(204), Some(599), Some(999)].map(class), [0, 0, 2, 5, 5]);
    }

    #[test]
    fn calls_of_an_upstream_are_counted_in_one_place() {
        let meter = Meter::default();
        meter.calls("b").note(Some(200));
        meter.calls("a").note(None);
        meter.calls("b").note(Some(200));
        assert_eq!(meter.counted(), [("b".to_owned(), [0, 0, 2, 0, 0, 0]), ("a".to_owned(), [1, 0, 0, 0, 0, 0])]);
    }
}
