//! What the bot remembers of systems, and for how long: every answer with its time, so that the newest can be told
//! when a new one is not to be had.
//!
//!     directory                        names and zones of all systems
//!     watched                          the systems that are looked at of our own accord
//!     system 67 summary                the newest summary
//!     system 67 sun                    when it was seen to produce
//!     system 67 days 2026-11           Wh of each day of a month
//!     system 67 course 2026-11-21      what it had produced by when, on one day
//!     system 67 began                  the day before which it has none
//!     system 67 poll                   when it is looked at next, and on which channel
//!     system 67 people                 who is told of it
//!
//! Keys of people and invitations are in `people.rs`.

use super::enphase::{Days, Listed, Summary};
use super::sun::date;
pub(super) use crate::bot::memory::{keep, load};
use crate::bot::{BotFault, Desk};
use crate::limits::{SOLAR_BEGAN_LIFE, SOLAR_COURSE_LIFE, SOLAR_COURSE_SAMPLES, SOLAR_DAYS_LIFE, SOLAR_SYSTEM_LIFE};
use crate::model::Moment;
use crate::notation::shelf::Shelf;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Names and zones of all systems that we may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Directory {
    pub(super) at: Moment,
    pub(super) systems: Vec<Listed>,
}

pub(super) const DIRECTORY: &str = "directory";
pub(super) const WATCHED: &str = "watched";

/// The key of something about one system.
pub(super) fn about(system: u64, what: &str) -> String {
    format!("system {system} {what}")
}

/// Nearly every answer about these systems needs these keys.
pub(super) fn expect(desk: &mut dyn Desk, systems: &[u64]) -> Result<(), BotFault> {
    let mut keys = vec![DIRECTORY.to_owned(), WATCHED.to_owned()];
    for what in ["people", "poll", "summary", "sun"] {
        keys.extend(systems.iter().map(|system| about(*system, what)));
    }
    desk.expect(keys)
}

/// Takes note of a new summary: the newest of all, a look at the sun, and a point of its day's course.
pub(super) fn keep_summary(
    desk: &mut dyn Desk,
    system: u64,
    summary: &Summary,
    zone: &TimeZone,
) -> Result<(), BotFault> {
    keep(desk, &about(system, "summary"), summary, Some(SOLAR_SYSTEM_LIFE))?;
    if let Some(power) = summary.power_w {
        let key = about(system, "sun");
        let mut sun: super::sun::Sun = load(desk, &key)?.unwrap_or_default();
        // That it is dark at night teaches nothing.
        if power > 0 || sun.daylight(summary.at, zone).is_at(summary.at) {
            sun.see(summary.at, power > 0, zone);
            keep(desk, &key, &sun, Some(SOLAR_SYSTEM_LIFE))?;
        }
    }
    let (Some(day), Some(wh)) = (&summary.date, summary.today_wh) else { return Ok(()) };
    let key = about(system, &format!("course {day}"));
    let mut course: Course = load(desk, &key)?.unwrap_or_default();
    course.add(summary.as_of(), wh);
    keep(desk, &key, &course, Some(SOLAR_COURSE_LIFE))
}

impl Summary {
    /// The time for which it holds: the system's last report, before we were told of it.
    pub(super) fn as_of(&self) -> Moment {
        self.reported.unwrap_or(self.at).min(self.at)
    }
}

/// What had been produced by when, on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Course {
    points: Vec<(Moment, u64)>,
}

/// How far from a moment its neighbours may lie, so that a value between them means something.
const NEIGHBOUR: Duration = Duration::from_secs(2 * 3600);

impl Course {
    fn add(&mut self, at: Moment, wh: u64) {
        let newer = self.points.last().is_none_or(|(last, _)| *last < at);
        if newer && self.points.len() < SOLAR_COURSE_SAMPLES {
            self.points.push((at, wh));
        }
    }

    /// What had been produced by then: between the points before and after it, when both are near.
    pub(super) fn by(&self, at: Moment) -> Option<u64> {
        let (before, low) = *self.points.iter().rev().find(|(point, _)| *point <= at)?;
        if before == at {
            return Some(low);
        }
        let (after, high) = *self.points.iter().find(|(point, _)| *point > at)?;
        if at.since(before) > NEIGHBOUR || after.since(at) > NEIGHBOUR {
            return None;
        }
        let (gone, whole) = (at.since(before).as_millis(), after.since(before).as_millis().max(1));
        let more = u128::from(high.saturating_sub(low)) * gone / whole;
        Some(low.saturating_add(u64::try_from(more).unwrap_or(0)))
    }
}

/// The days of one month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Month {
    wh: Shelf<i8, u64>,
    /// When Enphase was last asked for a day, also in vain.
    asked: Shelf<i8, Moment>,
}

/// How long after its end a day's figure may still change, since gateways report late.
const SETTLES: Duration = Duration::from_secs(6 * 3600);

/// The kept days of one system, by month.
#[derive(Default)]
pub(super) struct Calendar {
    months: Shelf<(i16, i8), Month>,
    /// The day before which the system has none.
    pub(super) began: Option<Date>,
}

impl Calendar {
    /// Loads what is kept of these days.
    pub(super) fn load(desk: &mut dyn Desk, system: u64, from: Date, to: Date) -> Result<Calendar, BotFault> {
        let began = load::<String>(desk, &about(system, "began"))?.and_then(|began| began.parse().ok());
        let mut calendar = Calendar { months: Shelf::new(), began };
        let mut day = Some(from);
        while let Some(first) = day.filter(|day| *day <= to) {
            let month = load(desk, &key(system, first))?.unwrap_or_default();
            calendar.months.insert((first.year(), first.month()), month);
            day = first.last_of_month().tomorrow().ok();
        }
        Ok(calendar)
    }

    /// What was produced on a day.
    pub(super) fn wh(&self, day: Date) -> Option<u64> {
        self.months.get(&(day.year(), day.month()))?.wh.get(&day.day()).copied()
    }

    /// Whether asking for a day, which is over, may tell something new.
    pub(super) fn wants(&self, day: Date, zone: &TimeZone, now: Moment) -> bool {
        if self.began.is_some_and(|began| day < began) {
            return false;
        }
        let month = self.months.get(&(day.year(), day.month()));
        // What was asked after now was asked by a wrong clock.
        let asked = month.and_then(|month| month.asked.get(&day.day())).filter(|asked| **asked <= now);
        let Some(asked) = asked else { return true };
        let over = super::sums::midnight(day.tomorrow().unwrap_or(day), zone);
        let settled = asked.since(over) >= SETTLES;
        let age_days = now.since(over).as_secs() / (24 * 3600);
        let patience = match (self.wh(day), age_days) {
            (Some(_), _) if settled => return false,
            (_, 0..=7) => SETTLES,
            // What was not reported in a week hardly ever is.
            (_, 8..=60) => 12 * SETTLES,
            _ => 120 * SETTLES,
        };
        now.since(*asked) >= patience
    }

    /// Takes in what was answered for these days, and keeps it.
    pub(super) fn take(
        &mut self,
        desk: &mut dyn Desk,
        system: u64,
        (from, to): (Date, Date),
        days: &Days,
    ) -> Result<(), BotFault> {
        let now = desk.now();
        let start = days.start.unwrap_or(from);
        if start > from && start <= to {
            self.began = Some(start);
            keep(desk, &about(system, "began"), &start.to_string(), Some(SOLAR_BEGAN_LIFE))?;
        }
        for day in from.series(jiff::Span::new().days(1)).take_while(|day| *day <= to) {
            let month = self.months.at((day.year(), day.month()));
            month.asked.insert(day.day(), now);
        }
        for (day, wh) in start.series(jiff::Span::new().days(1)).zip(&days.wh).take_while(|(day, _)| *day <= to) {
            let month = self.months.get_mut(&(day.year(), day.month()));
            if let Some((month, wh)) = month.zip(*wh) {
                month.wh.insert(day.day(), wh);
            }
        }
        for ((year, month), kept) in &self.months {
            if let Ok(first) = Date::new(*year, *month, 1) {
                keep(desk, &key(system, first), kept, Some(SOLAR_DAYS_LIFE))?;
            }
        }
        Ok(())
    }
}

fn key(system: u64, day: Date) -> String {
    about(system, &format!("days {:04}-{:02}", day.year(), day.month()))
}

/// The kept summary of a system.
pub(super) fn summary(desk: &mut dyn Desk, system: u64) -> Result<Option<Summary>, BotFault> {
    load(desk, &about(system, "summary"))
}

/// What a system had produced on the day of a moment, by that moment.
pub(super) fn by(desk: &mut dyn Desk, system: u64, at: Moment, zone: &TimeZone) -> Result<Option<u64>, BotFault> {
    let key = about(system, &format!("course {}", date(at, zone)));
    Ok(load::<Course>(desk, &key)?.and_then(|course| course.by(at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::paper::Paper;

    fn at(minutes: i64) -> Moment {
        Moment(minutes * 60_000)
    }

    #[test]
    fn a_course_tells_what_lies_between_two_near_points_and_nothing_else() {
        let mut course = Course::default();
        for (minute, wh) in [(60, 100), (120, 700), (120, 9), (600, 5000)] {
            course.add(at(minute), wh);
        }
        let told = [59, 60, 90, 120, 121, 599, 600, 601].map(|minute| course.by(at(minute)));
        assert_eq!(told, [None, Some(100), Some(400), Some(700), None, None, Some(5000), None]);
        for minute in 0..10_000 {
            course.add(at(1000 + minute), 6000);
        }
        assert_eq!(course.points.len(), SOLAR_COURSE_SAMPLES);
    }

    #[test]
    fn a_day_that_is_known_is_never_asked_for_twice_and_a_missing_one_seldom() {
        let (from, to) = ("2026-10-30".parse().unwrap(), "2026-11-02".parse().unwrap());
        let zone = TimeZone::UTC;
        let hours = |hours: i64| Moment(super::super::sums::midnight(to, &zone).0 + hours * 3_600_000);
        let wants = |desk: &mut Paper, hour| {
            let calendar = Calendar::load(desk, 67, from, to).unwrap();
            let days = from.series(jiff::Span::new().days(1)).take_while(|day| *day <= to);
            days.filter(|day| calendar.wants(*day, &zone, hours(hour))).map(|day| day.day()).collect::<Vec<_>>()
        };
        let mut desk = Paper { now: hours(25), ..Paper::default() };
        assert_eq!(wants(&mut desk, 25), [30, 31, 1, 2]);
        let mut calendar = Calendar::load(&mut desk, 67, from, to).unwrap();
        let days = Days { start: Some(from), wh: vec![Some(10), None, Some(30), Some(40)] };
        calendar.take(&mut desk, 67, (from, to), &days).unwrap();
        assert_eq!((calendar.wh(from), calendar.wh(to)), (Some(10), Some(40)));
        assert_eq!(wants(&mut desk, 26), [0; 0]);
        // The 31st is missing, and the figure of the 2nd was taken in the hour after its end.
        assert_eq!(wants(&mut desk, 25 + 6), [31, 2]);
        desk.now = hours(31);
        calendar.take(&mut desk, 67, (to, to), &Days { start: Some(to), wh: vec![Some(41)] }).unwrap();
        assert_eq!(wants(&mut desk, 24 * 5), [31]);
        desk.now = hours(24 * 10);
        calendar.take(&mut desk, 67, (from, to), &Days { start: Some(from), wh: vec![Some(10)] }).unwrap();
        assert_eq!(wants(&mut desk, 24 * 12), [0; 0], "after a week it is asked for seldom");
        assert_eq!(wants(&mut desk, 24 * 14), [31]);
    }

    #[test]
    fn days_before_the_first_one_do_not_exist() {
        let (from, to) = ("2026-06-01".parse().unwrap(), "2026-06-30".parse().unwrap());
        let mut desk = Paper { now: at(30_000_000), ..Paper::default() };
        let mut calendar = Calendar::load(&mut desk, 67, from, to).unwrap();
        let start: Date = "2026-06-20".parse().unwrap();
        calendar.take(&mut desk, 67, (from, to), &Days { start: Some(start), wh: vec![Some(7)] }).unwrap();
        let calendar = Calendar::load(&mut desk, 67, from, to).unwrap();
        assert_eq!((calendar.began, calendar.wh(start), calendar.wh(from)), (Some(start), Some(7), None));
        assert!(!calendar.wants("2026-05-01".parse().unwrap(), &TimeZone::UTC, at(40_000_000)));
    }
}
