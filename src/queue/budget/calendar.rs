//! Seconds, minutes, days and months in UTC.

use crate::model::{Moment, Period};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::time::Duration;

/// The longest that such a period is.
pub(super) fn length(per: Period) -> Duration {
    Duration::from_secs(match per {
        Period::Second => 1,
        Period::Minute => 60,
        Period::Day => 24 * 3600,
        Period::Month => 31 * 24 * 3600,
    })
}

/// The period that `at` lies in: its beginning, and the beginning of the next one.
pub(super) fn period(per: Period, at: Moment) -> (Moment, Moment) {
    let step = i64::try_from(length(per).as_millis()).unwrap_or(i64::MAX);
    let even = Moment(at.0.div_euclid(step).saturating_mul(step));
    match per {
        Period::Second | Period::Minute | Period::Day => (even, even.after(length(per))),
        // Beyond the calendar, where only a broken clock is, a month is as good as another.
        Period::Month => month(at).unwrap_or((even, even.after(length(per)))),
    }
}

fn month(at: Moment) -> Option<(Moment, Moment)> {
    let begin = |date: Date| Some(Moment(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()));
    let first = Timestamp::from_millisecond(at.0).ok()?.to_zoned(TimeZone::UTC).date().first_of_month();
    Some((begin(first)?, begin(first.checked_add(1.month()).ok()?)?))
}
