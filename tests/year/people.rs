//! Somebody with a system and a subscription: what they must be told, by a model that knows neither cron nor store.

use crate::world::SPACE;
use ackd::model::Moment;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::time::Duration;

/// How long Messenger lets us speak after somebody wrote (messenger.md §9), with the minute that we leave.
const WINDOW: Duration = Duration::from_secs(24 * 3600 - 60);

/// Somebody.
pub struct Person {
    pub channel: &'static str,
    pub conversation: String,
    pub zone: TimeZone,
    /// Of a hundred daily messages, so many are answered with "Tomorrow again".
    pub faithful: u64,
    /// The next eleven o'clock, since they subscribed.
    pub eleven: Option<Moment>,
    wrote: Moment,
    /// The time for which a daily message is held.
    held: Option<Moment>,
    /// The times for which it had to ring, so far.
    pub rung: Vec<Moment>,
    /// When daily messages had to be said.
    pub wanted: Vec<Moment>,
    /// When they were said.
    pub told: Vec<Moment>,
    /// Daily messages that were held and never said, since a newer one stood for them.
    pub replaced: usize,
}

impl Person {
    pub fn new(channel: &'static str, conversation: String, zone: &str, faithful: u64) -> Person {
        let zone = TimeZone::get(zone).unwrap();
        let (eleven, wrote, held, rung, wanted, told) = (None, Moment(0), None, Vec::new(), Vec::new(), Vec::new());
        Person { channel, conversation, zone, faithful, eleven, wrote, held, rung, wanted, told, replaced: 0 }
    }

    /// They wrote, and the daemon heard it: what was held is said.
    pub fn writes(&mut self, now: Moment) {
        self.wrote = now;
        if self.held.take().is_some() {
            self.wanted.push(now);
        }
    }

    /// They subscribed to eleven o'clock.
    pub fn subscribes(&mut self, now: Moment) {
        self.eleven = Some(eleven_after(now, &self.zone));
    }

    pub fn unsubscribes(&mut self) {
        self.eleven = None;
    }

    /// The daemon runs at this moment: of what is due, the latest rings, once. Gives the time that it rings for.
    pub fn passes(&mut self, now: Moment) -> Option<Moment> {
        let mut latest = None;
        while let Some(eleven) = self.eleven.filter(|eleven| *eleven <= now) {
            latest = Some(eleven);
            self.eleven = Some(eleven_after(eleven, &self.zone));
        }
        let due = latest?;
        self.rung.push(due);
        if self.channel == SPACE || now.since(self.wrote) <= WINDOW {
            self.wanted.push(now);
        } else if self.held.replace(due).is_some() {
            self.replaced += 1;
        }
        Some(due)
    }

    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// The local time.
    pub fn local(&self, now: Moment) -> Zoned {
        zoned(now, &self.zone)
    }
}

pub fn zoned(now: Moment, zone: &TimeZone) -> Zoned {
    Timestamp::from_millisecond(now.0).unwrap().to_zoned(zone.clone())
}

/// Eleven o'clock of the first day on which it is still to come. No zone changes its clocks at that time.
fn eleven_after(now: Moment, zone: &TimeZone) -> Moment {
    let eleven = |day: Date| {
        let eleven = day.at(11, 0, 0, 0).to_zoned(zone.clone()).unwrap();
        Moment(eleven.timestamp().as_millisecond())
    };
    let today = zoned(now, zone).date();
    if eleven(today) > now { eleven(today) } else { eleven(today.tomorrow().unwrap()) }
}
