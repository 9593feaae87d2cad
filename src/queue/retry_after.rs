//! The `Retry-After` header (RFC 9110 §10.2.3): seconds, or a date in one of the three forms of RFC 9110 §5.6.7.

use crate::limits::UPSTREAM_WAIT_MAX;
use crate::model::Moment;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};
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

/// `Sun, 06 Nov 1994 08:49:37 GMT`, or one of the two obsolete forms, which have no other zone than GMT either.
fn timestamp(value: &str) -> Option<Timestamp> {
    if let Ok(date) = rfc2822::DateTimeParser::new().parse_timestamp(value) {
        return Some(date);
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"].into_iter().find_map(|form| {
        let date: DateTime = strtime::parse(form, value).ok()?.to_datetime().ok()?;
        date.to_zoned(TimeZone::UTC).ok().map(|date| date.timestamp())
    })
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
