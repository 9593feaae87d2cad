//! Spans of days on a system's calendar, and what was produced in them: pure arithmetic in whole Wh.
//!
//! A week begins on Monday. What is not known is missing, and never zero.

use super::archive::Calendar;
use super::words::Time;
use crate::model::Moment;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// When a day begins.
pub(super) fn midnight(day: Date, zone: &TimeZone) -> Moment {
    Moment(day.to_zoned(zone.clone()).map_or(0, |begins| begins.timestamp().as_millisecond()))
}

/// The first and the last day of a time, seen from today; `None` for those that are no span of days.
pub(super) fn span(time: Time, today: Date) -> Option<(Date, Date)> {
    let monday = today.checked_sub(i64::from(today.weekday().since(Weekday::Monday)).days()).ok()?;
    let day_before = |day: Date| day.yesterday().ok();
    Some(match time {
        Time::Now | Time::Today | Time::Lifetime => return None,
        Time::Yesterday => (day_before(today)?, day_before(today)?),
        Time::Day(day) => (day, day),
        Time::ThisWeek => (monday, today),
        Time::LastWeek => (monday.checked_sub(7.days()).ok()?, day_before(monday)?),
        Time::ThisMonth => (today.first_of_month(), today),
        Time::LastMonth => {
            let last = day_before(today.first_of_month())?;
            (last.first_of_month(), last)
        }
        Time::ThisYear => (today.first_of_year(), today),
        Time::LastYear => {
            let last = day_before(today.first_of_year())?;
            (last.first_of_year(), last)
        }
    })
}

/// One day of a span, as a chart draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    pub date: Date,
    /// `None` when nothing was reported: a gap, not a bar of no height.
    pub wh: Option<u64>,
    /// The day is not over.
    pub under_way: bool,
}

/// What was produced in a span of days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) wh: u64,
    /// Days that are over and known, and their energy.
    pub(super) known: u64,
    pub(super) known_wh: u64,
    pub(super) missing: Vec<Date>,
    /// Days on which nothing was produced.
    pub(super) zero: u64,
    pub(super) best: Option<(Date, u64)>,
}

/// The bars of a span. What stands before the system's first day is left out; today comes from the summary.
pub(super) fn bars((from, to): (Date, Date), today: (Date, Option<u64>), calendar: &Calendar) -> Vec<Bar> {
    let from = calendar.began.map_or(from, |began| from.max(began));
    let days = from.series(1.day()).take_while(|day| *day <= to.min(today.0));
    let bar = |date| {
        let under_way = date == today.0;
        let wh = if under_way { today.1 } else { calendar.wh(date) };
        Bar { date, wh, under_way }
    };
    days.map(bar).collect()
}

/// All of it together.
pub(super) fn sum(bars: &[Bar]) -> Sum {
    let mut sum = Sum::default();
    for bar in bars {
        let Some(wh) = bar.wh else {
            if !bar.under_way {
                sum.missing.push(bar.date);
            }
            continue;
        };
        sum.wh = sum.wh.saturating_add(wh);
        if bar.under_way {
            continue;
        }
        sum.known = sum.known.saturating_add(1);
        sum.known_wh = sum.known_wh.saturating_add(wh);
        sum.zero = sum.zero.saturating_add(u64::from(wh == 0));
        if sum.best.is_none_or(|(_, best)| wh > best) {
            sum.best = Some((bar.date, wh));
        }
    }
    sum
}

/// How much more, or less, this is than that, in percent; `None` when nothing can be said.
pub(super) fn percent(this: u64, that: u64) -> Option<i64> {
    let (this, that) = (i128::from(this), i128::from(that));
    if that == 0 {
        return None;
    }
    let twice = (this - that) * 200;
    i64::try_from((twice + that * twice.signum()) / (that * 2)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn weeks_begin_on_monday_and_months_and_years_have_their_lengths() {
        for (time, today, from, to) in [
            (Time::Yesterday, "2026-03-01", "2026-02-28", "2026-02-28"),
            (Time::Yesterday, "2026-01-01", "2025-12-31", "2025-12-31"),
            (Time::ThisWeek, "2026-11-21", "2026-11-16", "2026-11-21"),
            (Time::ThisWeek, "2026-11-16", "2026-11-16", "2026-11-16"),
            (Time::ThisWeek, "2026-11-22", "2026-11-16", "2026-11-22"),
            (Time::LastWeek, "2026-11-21", "2026-11-09", "2026-11-15"),
            (Time::LastWeek, "2027-01-01", "2026-12-21", "2026-12-27"),
            (Time::ThisMonth, "2026-11-21", "2026-11-01", "2026-11-21"),
            (Time::LastMonth, "2028-03-31", "2028-02-01", "2028-02-29"),
            (Time::LastMonth, "2026-01-01", "2025-12-01", "2025-12-31"),
            (Time::ThisYear, "2026-11-21", "2026-01-01", "2026-11-21"),
            (Time::LastYear, "2026-01-01", "2025-01-01", "2025-12-31"),
            (Time::Day(date("2026-06-21")), "2026-11-21", "2026-06-21", "2026-06-21"),
        ] {
            assert_eq!(span(time, date(today)), Some((date(from), date(to))), "{time:?} on {today}");
        }
        for time in [Time::Now, Time::Today, Time::Lifetime] {
            assert_eq!(span(time, date("2026-11-21")), None);
        }
    }

    #[test]
    fn what_is_missing_is_counted_and_not_taken_for_zero() {
        let bar = |day: i8, wh| Bar { date: Date::constant(2026, 11, day), wh, under_way: day == 21 };
        let bars = [bar(18, Some(100)), bar(19, None), bar(20, Some(0)), bar(21, Some(900))];
        let expected = Sum {
            wh: 1000,
            known: 2,
            known_wh: 100,
            missing: vec![date("2026-11-19")],
            zero: 1,
            best: Some((date("2026-11-18"), 100)),
        };
        assert_eq!(sum(&bars), expected);
        assert_eq!(sum(&[bar(21, None)]), Sum::default(), "today is not missing before it is over");
        assert_eq!(sum(&[bar(1, Some(u64::MAX)), bar(2, Some(1))]).wh, u64::MAX);
    }

    #[test]
    fn percents_are_rounded_and_nothing_is_compared_with_zero() {
        for (this, that, expected) in [
            (112, 100, Some(12)),
            (88, 100, Some(-12)),
            (100, 100, Some(0)),
            (1004, 1000, Some(0)),
            (1005, 1000, Some(1)),
            (995, 1000, Some(-1)),
            (0, 100, Some(-100)),
            (5, 0, None),
            (0, 0, None),
            (u64::MAX, 1, None),
        ] {
            assert_eq!(percent(this, that), expected, "{this} and {that}");
        }
    }
}
