//! The limits: calls in a minute and in a day, by the clock in UTC. A refused call counts like any other, so that what
//! is left goes below nothing (opendota.md §1).

use super::refusal::Refused;
use super::settings::Settings;
use crate::model::{Limit, Moment, Period, Response};
use crate::twin::Meter;

/// What was used: by our address, and by the key.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    minute: Meter,
    day: Meter,
    keyed: Meter,
    /// What the key is charged for. There is no limit.
    charged: Meter,
}

/// What is left after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub minute: i64,
    /// A key has no limit of the day.
    pub day: Option<i64>,
}

impl Quota {
    /// Nothing was used yet.
    pub(super) fn new(settings: &Settings) -> Quota {
        let meter = |calls, per| Meter::new(Limit { calls, per });
        Quota {
            minute: meter(settings.per_minute, Period::Minute),
            day: meter(settings.per_day, Period::Day),
            keyed: meter(settings.per_minute_with_key, Period::Minute),
            charged: meter(u32::MAX, Period::Month),
        }
    }

    /// Counts a call, whatever becomes of it.
    pub(super) fn take(&mut self, keyed: bool, now: Moment) -> Left {
        if keyed {
            return Left { minute: count(&mut self.keyed, now), day: None };
        }
        let day = count(&mut self.day, now);
        Left { minute: count(&mut self.minute, now), day: Some(day) }
    }

    /// A call with a key was answered: those that went wrong cost nothing.
    pub(super) fn charge(&mut self, status: u16, now: Moment) {
        if ![404, 429, 500].contains(&status) {
            count(&mut self.charged, now);
        }
    }

    /// As they stand now. The month is what a key is charged for; those of the address are there when it was used.
    pub(super) fn meters(&self, has_key: bool, now: Moment) -> Vec<Meter> {
        let mut meters = vec![self.minute.at(now), self.day.at(now)];
        if has_key {
            meters.retain(|meter| meter.used > 0);
            meters.extend([self.keyed.at(now), self.charged.at(now)]);
        }
        meters
    }
}

impl Left {
    /// The limit that is exceeded.
    pub(super) fn over(self) -> Option<Refused> {
        let day = self.day.is_some_and(|day| day < 0);
        if self.minute < 0 { Some(Refused::Minute) } else { day.then_some(Refused::Day) }
    }

    /// The answer with the headers that tell it.
    pub(super) fn on(self, response: Response, address: &str) -> Response {
        let response = response.with("X-Rate-Limit-Remaining-Minute", self.minute.to_string());
        let response = response.with("X-IP-Address", address.to_owned());
        match self.day {
            Some(day) => response.with("X-Rate-Limit-Remaining-Day", day.to_string()),
            None => response,
        }
    }
}

/// One more; gives what is left.
fn count(meter: &mut Meter, now: Moment) -> i64 {
    *meter = meter.at(now);
    meter.used = meter.used.saturating_add(1);
    meter.refused += u64::from(meter.used > meter.limit);
    i64::from(meter.limit) - i64::from(meter.used)
}
