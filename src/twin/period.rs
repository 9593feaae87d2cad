//! The periods by which upstreams count calls: by the calendar, in UTC.

use crate::model::{Moment, Period};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Beginning and end of the period that a moment lies in, in seconds.
pub(super) fn around(period: Period, now: Moment) -> (i64, i64) {
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
