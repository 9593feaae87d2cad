//! The plan: so many calls in a minute and in a month, by the calendar in UTC, and not one more (enphase.md §6).

use super::refusal::{Over, Refused};
use crate::model::{Limit, Moment, Period};
use crate::twin::Meter;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// What was used of each limit.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    pub plan: String,
    meters: Vec<Meter>,
}

impl Quota {
    /// Nothing was used yet.
    pub(super) fn new(plan: String, limits: &[Limit]) -> Quota {
        let meter = |limit: &Limit| Meter {
            period: limit.per,
            limit: limit.calls,
            used: 0,
            refused: 0,
            period_start: 0,
            period_end: 0,
        };
        Quota { plan, meters: limits.iter().map(meter).collect() }
    }

    /// Counts a call, or refuses it; then it counts nowhere (whether Enphase counts it is unconfirmed). Of several
    /// limits the longest is told.
    pub(super) fn take(&mut self, now: Moment) -> Result<(), Refused> {
        self.meters = self.meters(now);
        let full = self.meters.iter_mut().filter(|meter| meter.used >= meter.limit);
        if let Some(meter) = full.max_by_key(|meter| meter.period) {
            meter.refused += 1;
            let period = Some((meter.period, meter.period_start, meter.period_end, meter.limit));
            return Err(Refused::Limit(Over { plan: self.plan.clone(), period }));
        }
        for meter in &mut self.meters {
            meter.used += 1;
        }
        Ok(())
    }

    /// As they stand now: a period that is over took its calls with it.
    pub(super) fn meters(&self, now: Moment) -> Vec<Meter> {
        let turned = |meter: &Meter| {
            let (period_start, period_end) = around(meter.period, now);
            let used = if period_start == meter.period_start { meter.used } else { 0 };
            Meter { used, period_start, period_end, ..*meter }
        };
        self.meters.iter().map(turned).collect()
    }
}

/// Beginning and end of the period that a moment lies in, in seconds.
fn around(period: Period, now: Moment) -> (i64, i64) {
    let seconds = now.seconds();
    let length = match period {
        Period::Second => 1,
        Period::Minute => 60,
        Period::Day => 86_400,
        Period::Month => return month(seconds).unwrap_or((0, i64::MAX)),
    };
    let start = seconds - seconds.rem_euclid(length);
    (start, start + length)
}

/// Fails only for a clock outside the years -9999 to 9999.
fn month(seconds: i64) -> Option<(i64, i64)> {
    let first = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC).date().first_of_month();
    let midnight = |date: jiff::civil::Date| Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second());
    Some((midnight(first)?, midnight(first.checked_add(1.month()).ok()?)?))
}
