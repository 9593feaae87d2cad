//! The clock of a trial, which goes on as usual and can be moved forward, so that what happens once a day is seen at once.

use super::json;
use crate::limits;
use crate::model::{Method, Moment, Request, Response};
use jiff::Timestamp;
use jiff::civil::time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A clock that may be moved.
pub struct Clock {
    pub now: fn() -> Moment,
    /// The zone in which it is shown, by its name in the IANA database …
    pub zone: String,
    /// … and its rule: nothing of this machine decides when it is morning.
    pub rule: TimeZone,
    /// Moves it forward; an error says why not.
    pub go: Box<dyn Fn(Duration) -> Result<(), String> + Send + Sync>,
}

/// What the page knows of it.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    now: Moment,
    zone: &'a str,
}

/// What `POST /chat.clock` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    to: To,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum To {
    /// An hour later.
    Hour,
    /// The next eleven o'clock, and a little more.
    Morning,
}

impl Clock {
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown { now: (self.now)(), zone: &self.zone }
    }

    /// How far it is to there.
    fn way(&self, to: To, now: Moment) -> Duration {
        match to {
            To::Hour => Duration::from_secs(3600),
            To::Morning => morning_after(now, &self.rule).since(now),
        }
    }
}

/// The first eleven o'clock after a moment, with what makes it late enough for whatever is due then.
fn morning_after(now: Moment, rule: &TimeZone) -> Moment {
    let morning = || {
        let now = Timestamp::from_millisecond(now.0).ok()?.to_zoned(rule.clone());
        let at = |date: jiff::civil::Date| date.to_datetime(time(11, 0, 0, 0)).to_zoned(rule.clone()).ok();
        let today = at(now.date()).filter(|today| *today > now);
        let morning = today.or_else(|| at(now.date().tomorrow().ok()?))?;
        Some(Moment(morning.timestamp().as_millisecond()))
    };
    // Fails only for a clock outside the years -9999 to 9999.
    morning().unwrap_or(now).after(limits::MORNING_SLACK)
}

/// Moves it as asked, and says what it shows.
pub(super) fn answer(clock: &Clock, request: &Request) -> Response {
    if request.head.method != Method::Post {
        return Response::text(405, "this is moved by POST\n").with("Allow", "POST");
    }
    let asked: Asked = match serde_json::from_slice(&request.body) {
        Ok(asked) => asked,
        Err(error) => return Response::text(400, format!("this moves no clock: {error}\n")),
    };
    match (clock.go)(clock.way(asked.to, (clock.now)())) {
        Ok(()) => json(&clock.shown()).with("Cache-Control", "no-store"),
        Err(why) => Response::text(400, format!("{why}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_morning_is_always_ahead_and_at_eleven_whatever_the_clocks_do() {
        let rule = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let moment = |text: &str| Moment(text.parse::<Timestamp>().unwrap().as_millisecond());
        for (now, morning) in [
            ("2026-11-21T09:59:59Z", "2026-11-21T10:00:01Z"),
            ("2026-11-21T10:00:00Z", "2026-11-22T10:00:01Z"),
            ("2026-11-21T23:30:00Z", "2026-11-22T10:00:01Z"),
            // The clocks change in between.
            ("2026-03-28T12:00:00Z", "2026-03-29T09:00:01Z"),
            ("2026-10-24T12:00:00Z", "2026-10-25T10:00:01Z"),
        ] {
            assert_eq!(morning_after(moment(now), &rule), moment(morning), "{now}");
        }
    }
}
