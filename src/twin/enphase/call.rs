//! One call taken apart: path, bearer, query, and the days and moments in it.

use super::refusal::Refused;
use crate::model::Request;
use crate::notation::unpercent_text;
use jiff::civil::Date;

pub(super) use crate::twin::query::Query;

/// A moment later than this, in the year 6325, is a slip of the pen, as milliseconds are.
pub(super) const LAST_SECOND: i64 = 1 << 37;

/// The parts of the path between its slashes.
pub(super) fn path(request: &Request) -> Vec<String> {
    let parts = request.head.path().split('/').filter(|part| !part.is_empty());
    parts.map(|part| unpercent_text(part, false)).collect()
}

/// What stands in `Authorization` behind this scheme.
fn authorization<'a>(request: &'a Request, scheme: &str) -> Option<&'a str> {
    let value = std::str::from_utf8(request.head.header("authorization")?).ok()?;
    let (is, value) = value.split_once(' ')?;
    is.eq_ignore_ascii_case(scheme).then(|| value.trim())
}

/// The access token of a call, if it has one.
pub(super) fn bearer(request: &Request) -> Option<&str> {
    authorization(request, "bearer")
}

/// The application's papers, still as letters.
pub(super) fn basic(request: &Request) -> Option<&str> {
    authorization(request, "basic")
}

impl Query {
    /// A day, as `2025-11-21` and in no other way.
    pub(super) fn date(&self, name: &str) -> Result<Option<Date>, Refused> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        date.map(Some).ok_or_else(|| Refused::Parameter(format!("{name} is not a date like 2025-11-21")))
    }

    /// Seconds since the Unix epoch.
    pub(super) fn seconds(&self, name: &str) -> Result<Option<i64>, Refused> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let seconds = text.parse::<i64>().ok().filter(|seconds| (0..=LAST_SECOND).contains(seconds));
        seconds.map(Some).ok_or_else(|| Refused::Parameter(format!("{name} is not in seconds since 1970")))
    }

    /// A number from 1 to `most`.
    pub(super) fn count(&self, name: &str, usual: usize, most: usize) -> Result<usize, Refused> {
        let Some(text) = self.get(name) else { return Ok(usual) };
        let count = text.parse::<usize>().ok().filter(|count| (1..=most).contains(count));
        count.ok_or_else(|| Refused::Parameter(format!("{name} is not a number from 1 to {most}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_in_one_way() {
        let date = |text: &str| Query::new(&format!("d={text}")).date("d").is_ok_and(|date| date.is_some());
        assert!(date("2025-11-21") && date("2024-02-29"));
        for wrong in ["20251121", "2025-11-31", "2025-11-21T00:00:00", "21.11.2025", "", "2025-1-1"] {
            assert!(!date(wrong), "{wrong}");
        }
        assert!(Query::new("").date("d").is_ok_and(|date| date.is_none()));
    }

    #[test]
    fn a_moment_is_seconds_and_not_milliseconds() {
        let seconds = |text: &str| Query::new(&format!("at={text}")).seconds("at").ok().flatten();
        assert_eq!(seconds("1763712000"), Some(1_763_712_000));
        for wrong in ["1763712000000", "-1", "now", "99999999999999999999"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
