//! The `Retry-After` header (RFC 9110 §10.2.3): seconds, or a date in one of the three forms of RFC 9110 §5.6.7.

use crate::limits::UPSTREAM_WAIT_MAX;
use crate::model::Moment;
use crate::notation::days::{month_called, short, weekday};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use std::time::Duration;

/// How long `value` asks to wait from `now` on: zero for a date gone by, never more than `UPSTREAM_WAIT_MAX`, and
/// `None` for a value that is neither seconds nor a date.
pub fn retry_after(value: &str, now: Moment) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are a wait that is too long, not nonsense.
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(UPSTREAM_WAIT_MAX));
    }
    Some(http_date(value)?.since(now).min(UPSTREAM_WAIT_MAX))
}

/// The moment that a date in a header names.
pub fn http_date(value: &str) -> Option<Moment> {
    timestamp(value).map(|date| Moment(date.as_millisecond()))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, or one of the two obsolete forms, `Sunday, 06-Nov-94 08:49:37 GMT` and
/// `Sun Nov  6 08:49:37 1994`, which have no other zone than GMT either.
fn timestamp(value: &str) -> Option<Timestamp> {
    let words: Vec<&str> = value.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let (name, day, month, year, time) = match *words {
        [name, day, month, year, time, "GMT"] => (name.strip_suffix(',')?, day, month, year, time),
        [name, month, day, time, year] => (name, day, month, year, time),
        _ => return None,
    };
    let year = match (year.len(), i16::from(number(year.get(..2)?)?), number(year.get(2..)?)) {
        (4, century, Some(rest)) => century * 100 + i16::from(rest),
        // Of the last fifty years or so, as C takes it.
        (2, rest @ ..69, _) => 2000 + rest,
        (2, rest, _) => 1900 + rest,
        _ => return None,
    };
    let mut clock = time.split(':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    // A leap second has no place of its own.
    let second = if second == 60 { 59 } else { second };
    let date = Date::new(year, month_called(month)?, number(day)?).ok()?;
    let time = Time::new(hour, minute, second, 0).ok()?;
    let fits = clock.next().is_none() && [weekday(date), short(weekday(date))].contains(&name);
    TimeZone::UTC.to_timestamp(date.to_datetime(time)).ok().filter(|_| fits)
}

/// One or two digits, and no sign before them.
fn number(digits: &str) -> Option<i8> {
    (digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_header_is_understood() {
        let now = Moment(784_111_770_500); // Sun, 06 Nov 1994 08:49:30.5 GMT
        let seconds = Duration::from_secs;
        for (value, expected) in [
            ("0", Some(seconds(0))),
            ("120", Some(seconds(120))),
            (" 7\t", Some(seconds(7))),
            ("86400", Some(UPSTREAM_WAIT_MAX)),
            ("86401", Some(UPSTREAM_WAIT_MAX)),
            ("99999999999999999999999999", Some(UPSTREAM_WAIT_MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(Duration::from_millis(6500))),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(Duration::from_millis(6500))),
            ("Sun Nov  6 08:49:37 1994", Some(Duration::from_millis(6500))),
            ("Sun, 06 Nov 1994 08:49:29 GMT", Some(seconds(0))),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(seconds(0))),
            ("Thu, 31 Dec 2099 23:59:59 GMT", Some(UPSTREAM_WAIT_MAX)),
            ("Sun, 06 Nov 1994 08:49:60 GMT", Some(Duration::from_millis(28_500))),
            ("Sunday, 06-Nov-68 08:49:37 GMT", None),
            ("Tuesday, 06-Nov-68 08:49:37 GMT", Some(UPSTREAM_WAIT_MAX)),
            ("Thursday, 06-Nov-69 08:49:37 GMT", Some(seconds(0))),
            ("Mon, 06 Nov 1994 08:49:37 GMT", None),
            ("Thu, 31 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:60:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:61 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37:00 GMT", None),
            ("Sun, 06 Nov 1994 08:49 GMT", None),
            ("Sun, 06 Nov 1994 +8:49:37 GMT", None),
            ("Sun, 06 Nov 94199 08:49:37 GMT", None),
            ("Sun, 06 Nov 199ü 08:49:37 GMT", None),
            ("Sun, 06 Nov +994 08:49:37 GMT", None),
            ("Sun, 06 Mov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 PST", None),
            ("Sun, 06 Nov 1994 08:49:37", None),
            ("Sun 06 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994", None),
            ("", None),
            (" ", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("10s", None),
            ("soon", None),
            ("1, 2", None),
            ("٣", None),
        ] {
            assert_eq!(retry_after(value, now), expected, "{value:?}");
        }
    }
}
