//! Times of day and days of the week, as people say them, and plans in words.
//!
//! The configuration and the chat make patterns of them, and a bot, a list and a report say them again. A bot knows no
//! queue and a queue no bot, so both forms stand here, beside each other. What a pattern means is for `queue::schedule`.

use super::alarm::{Plan, When};
use super::time::Moment;
use crate::notation::days::{clock, short_day};
use crate::notation::order::in_order;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt;

/// A time of day: 00:00 to 23:59.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayTime {
    hour: u8,
    minute: u8,
}

impl DayTime {
    /// `None` when no clock shows it.
    pub fn new(hour: u8, minute: u8) -> Option<DayTime> {
        (hour < 24 && minute < 60).then_some(DayTime { hour, minute })
    }

    /// `11:00` or `9:30`.
    pub fn parse(text: &str) -> Option<DayTime> {
        let (hour, minute) = text.split_once(':')?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = (1..=2).contains(&hour.len()) && minute.len() == 2 && digits(hour) && digits(minute);
        if fits { DayTime::new(hour.parse().ok()?, minute.parse().ok()?) } else { None }
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    /// From Monday on.
    pub const ALL: [Weekday; 7] =
        [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

    /// Its short name: `mon`.
    pub fn name(self) -> &'static str {
        match self {
            Weekday::Mon => "mon",
            Weekday::Tue => "tue",
            Weekday::Wed => "wed",
            Weekday::Thu => "thu",
            Weekday::Fri => "fri",
            Weekday::Sat => "sat",
            Weekday::Sun => "sun",
        }
    }

    /// The day with this short name, in lower case.
    pub fn parse(name: &str) -> Option<Weekday> {
        Weekday::ALL.into_iter().find(|day| day.name() == name)
    }
}

impl When {
    /// At these times of day, on these days of the week; on all when there is none. It is the one form of a plan, however
    /// its words were ordered.
    pub fn daily(times: &[DayTime], days: &[Weekday]) -> When {
        let mut times = in_order(times.to_vec(), |one, other| one > other);
        let mut days = in_order(days.to_vec(), |one, other| one > other);
        times.dedup();
        days.dedup();
        let on = match days.len() {
            0 | 7 => "*".to_owned(),
            _ => days.into_iter().map(Weekday::name).collect::<Vec<_>>().join(","),
        };
        let pattern = |time: &DayTime| format!("{} {} * * {on}", time.minute, time.hour);
        When::Cron { pattern: times.iter().map(pattern).collect::<Vec<_>>().join("; ") }
    }
}

impl Plan {
    /// For people: `every day at 11:00 (Europe/Berlin)`. A cron pattern that says more stays as it is.
    pub fn words(&self) -> String {
        let zone = &self.zone;
        match &self.when {
            When::Once { at } => format!("once on {}", self.local(*at)),
            When::Every { seconds } => format!("every {}", span(*seconds)),
            When::Cron { pattern } => match daily(pattern) {
                Some(words) => format!("{words} ({zone})"),
                None => format!("at {pattern} ({zone})"),
            },
        }
    }

    /// A moment in the plan's zone, as people say it: `Sun 22 Nov, 11:00`.
    pub fn day_and_time(&self, moment: Moment) -> String {
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        let wall = Timestamp::from_millisecond(moment.0).map(|moment| zone.to_datetime(moment));
        wall.map_or_else(|_| self.local(moment), |wall| format!("{}, {}", short_day(wall.date()), clock(wall.time())))
    }

    /// A moment on the wall clock of the plan's zone: `2026-11-22 11:00 (Europe/Berlin)`.
    pub fn local(&self, moment: Moment) -> String {
        // A zone that this system does not know is not worth a missing time.
        let (zone, name) = match TimeZone::get(&self.zone) {
            Ok(zone) => (zone, self.zone.as_str()),
            Err(_) => (TimeZone::UTC, "UTC"),
        };
        match Timestamp::from_millisecond(moment.0) {
            Ok(moment) => {
                let wall = zone.to_datetime(moment);
                format!("{} {} ({name})", wall.date(), clock(wall.time()))
            }
            Err(_) => format!("{} s after 1970 (UTC)", moment.seconds()),
        }
    }
}

/// A pattern that `When::daily` made, or could have made, in words.
fn daily(pattern: &str) -> Option<String> {
    let (mut times, mut on) = (Vec::new(), None);
    for pattern in pattern.split(';') {
        let fields: Vec<_> = pattern.split_whitespace().collect();
        let [minute, hour, "*", "*", days] = *fields.as_slice() else { return None };
        times.push(DayTime::new(hour.parse().ok()?, minute.parse().ok()?)?.to_string());
        if *on.get_or_insert(days) != days {
            return None;
        }
    }
    let days = match on? {
        "*" => "every day".to_owned(),
        days => format!("on {}", and(&days.split(',').map(capital).collect::<Option<Vec<_>>>()?)),
    };
    Some(format!("{days} at {}", and(&times)))
}

/// A day of the week as people write it: `Mon`.
fn capital(day: &str) -> Option<String> {
    let mut name = Weekday::parse(day)?.name().to_owned();
    name.get_mut(..1)?.make_ascii_uppercase();
    Some(name)
}

/// `a, b and c`.
fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// A number of seconds in the largest unit that fits: `10 minutes`, `hour`.
fn span(seconds: u32) -> String {
    let units = [("day", 24 * 3600), ("hour", 3600), ("minute", 60), ("second", 1)];
    let unit = units.into_iter().find(|(_, length)| seconds >= *length && seconds.is_multiple_of(*length));
    let (name, length) = unit.unwrap_or(("second", 1));
    match seconds / length {
        1 => name.to_owned(),
        number => format!("{number} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunMissed;

    fn plan(when: When) -> Plan {
        Plan { when, zone: "Europe/Berlin".to_owned(), run_missed: RunMissed::Latest, spread_s: 0 }
    }

    #[test]
    fn a_plan_says_in_words_when_it_is() {
        let cron = |pattern: &str| When::Cron { pattern: pattern.to_owned() };
        for (when, words) in [
            (cron("0 11 * * *"), "every day at 11:00 (Europe/Berlin)"),
            (cron("0 9 * * mon,fri"), "on Mon and Fri at 09:00 (Europe/Berlin)"),
            (cron("0 8 * * *; 30 20 * * *"), "every day at 08:00 and 20:30 (Europe/Berlin)"),
            (cron("0 8 * * *; 30 20 * * mon"), "at 0 8 * * *; 30 20 * * mon (Europe/Berlin)"),
            (cron("*/10 * * * *"), "at */10 * * * * (Europe/Berlin)"),
            (cron("0 11 1 * *"), "at 0 11 1 * * (Europe/Berlin)"),
            (When::Every { seconds: 600 }, "every 10 minutes"),
            (When::Every { seconds: 3600 }, "every hour"),
            (When::Every { seconds: 2 * 86_400 }, "every 2 days"),
            (When::Every { seconds: 90 }, "every 90 seconds"),
            (When::Once { at: Moment(1_795_341_600_000) }, "once on 2026-11-22 11:00 (Europe/Berlin)"),
        ] {
            assert_eq!(plan(when).words(), words);
        }
    }

    #[test]
    fn the_order_of_the_words_does_not_matter() {
        let time = |text| DayTime::parse(text).unwrap();
        let one = When::daily(&[time("20:30"), time("8:00"), time("08:00")], &[Weekday::Fri, Weekday::Mon]);
        assert_eq!(one, When::Cron { pattern: "0 8 * * mon,fri; 30 20 * * mon,fri".to_owned() });
        assert_eq!(plan(one).words(), "on Mon and Fri at 08:00 and 20:30 (Europe/Berlin)");
        assert_eq!(When::daily(&[time("8:00")], &Weekday::ALL), When::daily(&[time("8:00")], &[]));
    }

    #[test]
    fn what_no_clock_shows_is_no_time() {
        assert_eq!(DayTime::parse("9:30"), DayTime::new(9, 30));
        for wrong in ["24:00", "11:60", "11", "11:0", "011:00", "+1:00", ":00", "11:000", "１１:00", ""] {
            assert_eq!(DayTime::parse(wrong), None, "{wrong}");
        }
    }
}
