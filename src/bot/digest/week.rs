//! Weeks on somebody's calendar: from when until when. Pure.
//!
//! A week begins at the first moment of its first day, which is not always midnight, and has 168 hours but where the
//! clocks change.

use crate::model::{Moment, Weekday};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// How weeks are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    pub(super) zone: TimeZone,
    /// The first day.
    pub(super) starts: Weekday,
}

/// Which week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Last,
    This,
}

/// A week, as much of it as is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Week {
    pub(super) which: Which,
    pub(super) first: Date,
    /// The day before the next week begins.
    pub(super) last: Date,
    pub(super) from: Moment,
    /// When the next one begins.
    pub(super) end: Moment,
}

impl Calendar {
    /// A week as seen at this moment.
    pub(super) fn week(&self, which: Which, now: Moment) -> Week {
        let today = self.day(now);
        let starts = Weekday::ALL.iter().position(|day| *day == self.starts).unwrap_or(0);
        let since = i64::from(today.weekday().to_monday_zero_offset()) - i64::try_from(starts).unwrap_or(0);
        let back = since.rem_euclid(7) + if which == Which::Last { 7 } else { 0 };
        let first = moved(today, -back);
        Week { which, first, last: moved(first, 6), from: self.start(first), end: self.start(moved(first, 7)) }
    }

    /// The day that it is at this moment.
    pub(super) fn day(&self, at: Moment) -> Date {
        self.zone.to_datetime(Timestamp::from_millisecond(at.0).unwrap_or_default()).date()
    }

    /// When a day begins.
    fn start(&self, day: Date) -> Moment {
        Moment(day.to_zoned(self.zone.clone()).map_or(0, |day| day.timestamp().as_millisecond()))
    }
}

impl Week {
    /// Whether something happened in it; what happened at no known time was asked for as of this week.
    pub(super) fn has(&self, at: Option<Moment>) -> bool {
        at.is_none_or(|at| self.from <= at && at < self.end)
    }
}

fn moved(day: Date, days: i64) -> Date {
    day.checked_add(Span::new().days(days)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luck::Luck;

    fn at(text: &str) -> Moment {
        Moment(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn calendar(zone: &str, starts: Weekday) -> Calendar {
        Calendar { zone: TimeZone::get(zone).unwrap(), starts }
    }

    #[test]
    fn a_week_begins_on_its_day_in_its_zone() {
        for (zone, starts, now, from, end) in [
            ("Europe/Berlin", Weekday::Mon, "2025-11-21T12:00:00Z", "2025-11-09T23:00:00Z", "2025-11-16T23:00:00Z"),
            // In Berlin it is Monday already.
            ("Europe/Berlin", Weekday::Mon, "2025-11-16T23:00:00Z", "2025-11-09T23:00:00Z", "2025-11-16T23:00:00Z"),
            ("Europe/Berlin", Weekday::Mon, "2025-11-16T22:59:59Z", "2025-11-02T23:00:00Z", "2025-11-09T23:00:00Z"),
            ("UTC", Weekday::Sun, "2025-11-21T12:00:00Z", "2025-11-09T00:00:00Z", "2025-11-16T00:00:00Z"),
            ("UTC", Weekday::Sat, "2025-11-21T12:00:00Z", "2025-11-08T00:00:00Z", "2025-11-15T00:00:00Z"),
            // 169 hours, and 167.
            ("Europe/Berlin", Weekday::Mon, "2025-10-29T12:00:00Z", "2025-10-19T22:00:00Z", "2025-10-26T23:00:00Z"),
            ("Europe/Berlin", Weekday::Mon, "2026-03-31T12:00:00Z", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"),
            // On 7 September 2025 there was no midnight in Santiago, and the day began at one.
            ("America/Santiago", Weekday::Sun, "2025-09-16T12:00:00Z", "2025-09-07T04:00:00Z", "2025-09-14T03:00:00Z"),
        ] {
            let week = calendar(zone, starts).week(Which::Last, at(now));
            assert_eq!((week.from, week.end), (at(from), at(end)), "{zone} {now}");
        }
    }

    #[test]
    fn weeks_lie_side_by_side_through_every_change_of_the_clocks() {
        let mut luck = Luck::of_the_day();
        let zones =
            ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana", "UTC"];
        for _ in 0..5000 {
            let zone = zones[luck.below(6) as usize];
            let calendar = calendar(zone, Weekday::ALL[luck.below(7) as usize]);
            // From 2008 to 2037, to the millisecond.
            let now = Moment(1_200_000_000_000 + (luck.below(930_000_000) * 1000 + luck.below(1000)) as i64);
            let (last, this) = (calendar.week(Which::Last, now), calendar.week(Which::This, now));
            assert!(this.from <= now && now < this.end, "{zone} {now:?} {this:?}");
            assert_eq!(last.end, this.from, "{zone} {now:?}");
            let hours = (this.end.0 - this.from.0) / 3_600_000;
            // Apia had no 30 December 2011.
            assert!((166..=170).contains(&hours) || hours == 144 || hours == 145, "{zone} {now:?} {hours}");
            let is_there = |day: Date| day != Date::constant(2011, 12, 30) || zone != "Pacific/Apia";
            assert!(!is_there(this.first) || calendar.day(this.from) == this.first, "{zone} {now:?}");
            assert_eq!(Weekday::ALL[this.first.weekday().to_monday_zero_offset() as usize], calendar.starts);
            assert!(!is_there(this.last) || calendar.day(Moment(this.end.0 - 1)) == this.last, "{zone} {now:?}");
            assert!(!this.has(Some(this.end)) && this.has(Some(this.from)) && this.has(None));
        }
    }
}
