//! How often a system is looked at of our own accord, so that the upstream's calls last: pure arithmetic.
//!
//! Of a period's calls 70 % are for looking and 30 % are kept for questions. Looks are spread evenly over the daylight
//! of the period: one at dawn, one at dusk, the others between them, `gap` apart. What is not asked for is let go bit
//! by bit, so that the last days look oftener and nothing is left over; what was used up elsewhere makes the gaps grow.

use super::sun::{DAY_MS, Daylight, MINUTE_MS};
use crate::model::{Left, Moment, Period};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use std::time::Duration;

/// The share of a period's calls that is for looking.
const LOOKS_PERCENT: u32 = 70;
/// The part of the looks with which a gap is promised: days are no whole number of gaps, and their length is learned.
const PROMISED_PERCENT: u32 = 85;
/// What is kept for questions even in the last hour, as a part of all.
const LAST_CALLS: u32 = 50;
/// What of a period at its end has nothing more kept for it, but the last calls: of a month three days.
const FREE_PART: i64 = 10;
/// By how much a day may be longer than the one before: 50° north in March. A month of them makes two hours.
const GROWTH_MS: i64 = 4 * MINUTE_MS;
/// No day is taken to be longer.
const LONGEST_MS: i64 = 22 * 60 * MINUTE_MS;
/// Days of the longest period.
const DAYS_MAX: i64 = 31;

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// How long from one look to the next in daylight. `None` when nothing is left before `fresh`.
    pub(super) gap: Option<Gap>,
    /// The gap that can be promised: also if all questions come that calls are kept for.
    pub(super) bound: Option<Gap>,
    /// Whether calls are left for questions without one taken from the looks.
    pub(super) spare: bool,
    /// When calls are there again.
    pub(super) fresh: Moment,
}

/// A gap between looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// So many minutes, and a look at dusk.
    Minutes(u32),
    /// At dusk of every so many days.
    Days(u32),
}

/// The pace of one of `systems` that share what is left, not oftener than every `age`.
pub(super) fn pace(left: &[Left], systems: u32, sun: &Daylight, age: Duration, now: Moment) -> Pace {
    let least = u32::try_from(age.as_secs().div_ceil(60)).unwrap_or(u32::MAX).max(1);
    let free = Pace { gap: Some(Gap::Minutes(least)), bound: Some(Gap::Minutes(least)), spare: true, fresh: now };
    // A second's or a minute's limit only delays a look.
    let long = left.iter().filter(|left| matches!(left.per, Period::Day | Period::Month) && left.ends > now);
    long.map(|left| within(left, systems.max(1), sun, least, now)).fold(free, |one, other| Pace {
        gap: both(one.gap, other.gap),
        bound: both(one.bound, other.bound),
        spare: one.spare && other.spare,
        fresh: if other.gap.is_none() { one.fresh.max(other.fresh) } else { one.fresh },
    })
}

/// The longer of two gaps, if there are two.
fn both(one: Option<Gap>, other: Option<Gap>) -> Option<Gap> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// The pace that one limit allows.
fn within(left: &Left, systems: u32, sun: &Daylight, least: u32, now: Moment) -> Pace {
    let began = began(left);
    let share = |calls: u32| calls / systems;
    // What a steady pace takes, and how much of it is still to come.
    let steady = gap(share(part(left.of, LOOKS_PERCENT)), sun, least, (began, left.ends), now);
    let needed = steady.map_or(0, |steady| looks(steady, sun, (now, left.ends), now).saturating_mul(systems));
    let surplus = left.calls.saturating_sub(needed);
    let kept = kept(left, began, now).max(left.of / LAST_CALLS);
    let for_looks = needed.saturating_add(surplus.saturating_sub(kept));
    let last = (left.of / LAST_CALLS).min(left.calls / 4);
    let for_looks = for_looks.min(left.calls.saturating_sub(last));
    let gap = gap(share(for_looks), sun, least, (now, left.ends), now);
    let sure =
        self::gap(share(part(part(left.of, LOOKS_PERCENT), PROMISED_PERCENT)), sun, least, (began, left.ends), now);
    Pace { gap, bound: both(gap, sure), spare: left.calls > needed && surplus > last, fresh: left.ends }
}

/// What is kept for questions: its share of the whole, less and less towards the end.
fn kept(left: &Left, began: Moment, now: Moment) -> u32 {
    let whole = (left.ends.0 - began.0).max(1);
    let free = whole / FREE_PART;
    let share = i64::from(part(left.of, 100 - LOOKS_PERCENT));
    let to_come = (left.ends.0 - now.0 - free).clamp(0, whole - free);
    u32::try_from(i128::from(share) * i128::from(to_come) / i128::from((whole - free).max(1))).unwrap_or(0)
}

fn part(of: u32, percent: u32) -> u32 {
    u32::try_from(u64::from(of) * u64::from(percent) / 100).unwrap_or(u32::MAX)
}

/// When the period began that ends then. Upstreams count by the calendar in UTC.
fn began(left: &Left) -> Moment {
    let ends = super::sun::timestamp(left.ends);
    let began = match left.per {
        Period::Month => ends.to_zoned(TimeZone::UTC).checked_sub(1.month()).map(|began| began.timestamp()).ok(),
        _ => None,
    };
    began.map_or(Moment(left.ends.0.saturating_sub(DAY_MS)), |began| Moment(began.as_millisecond()))
}

/// The shortest gap with no more looks than these.
fn gap(most: u32, sun: &Daylight, least: u32, span: (Moment, Moment), now: Moment) -> Option<Gap> {
    let fits = |gap: &Gap| looks(*gap, sun, span, now) <= most;
    let day = u32::try_from(LONGEST_MS / MINUTE_MS).unwrap_or(u32::MAX);
    let (mut short, mut long) = (least, day.max(least));
    if fits(&Gap::Minutes(long)) {
        while short < long {
            let middle = short + (long - short) / 2;
            if fits(&Gap::Minutes(middle)) {
                long = middle;
            } else {
                short = middle.saturating_add(1);
            }
        }
        return Some(Gap::Minutes(long));
    }
    (1..=u32::try_from(DAYS_MAX).unwrap_or(1)).map(Gap::Days).find(fits)
}

/// How many looks at most there are in a span of time with this gap.
fn looks(gap: Gap, sun: &Daylight, (from, to): (Moment, Moment), now: Moment) -> u32 {
    let (mut dawn, _) = sun.at_or_after(from);
    let mut looks = 0_i64;
    let mut days = 0;
    while dawn < to && days <= DAYS_MAX {
        let growth = GROWTH_MS * (dawn.0 - now.0).div_euclid(DAY_MS);
        let length = sun.length_ms.saturating_add(growth).clamp(LONGEST_MS / 6, LONGEST_MS.max(sun.length_ms));
        let begins = dawn.max(from);
        let rest = (dawn.0 + length - begins.0).max(0);
        looks += match gap {
            Gap::Minutes(minutes) => {
                let gap = i64::from(minutes.max(1)) * MINUTE_MS;
                // A day under way had its look at dawn.
                rest.saturating_add(gap - 1) / gap + i64::from(begins == dawn)
            }
            Gap::Days(every) => i64::from(days % i64::from(every.max(1)) == 0),
        };
        dawn = Moment(dawn.0 + DAY_MS);
        days += 1;
    }
    u32::try_from(looks).unwrap_or(u32::MAX)
}

/// When to look next, after the last look.
pub(super) fn next(pace: &Pace, sun: &Daylight, last: Option<Moment>, now: Moment) -> Moment {
    let (dawn, dusk) = sun.at_or_after(now);
    let last = last.unwrap_or(Moment(i64::MIN / 2));
    match pace.gap {
        None => sun.at_or_after(pace.fresh.max(now)).0.max(pace.fresh).max(now),
        Some(Gap::Minutes(_)) if last < dawn => dawn.max(now),
        Some(Gap::Minutes(minutes)) => {
            let due = Moment(last.0.saturating_add(i64::from(minutes) * MINUTE_MS)).max(now);
            let after_dusk = if last < dusk { dusk } else { Moment(dawn.0 + DAY_MS) };
            if due < dusk { due } else { after_dusk }
        }
        Some(Gap::Days(days)) => {
            // The dusk of the day that it falls on.
            let due = last.0.saturating_add(i64::from(days) * DAY_MS - DAY_MS / 2).max(now.0);
            sun.at_or_after(Moment(due)).1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sun::{Sun, date};
    use super::*;
    use jiff::Timestamp;

    const AGE: Duration = Duration::from_secs(15 * 60);
    const LIMIT: u32 = 1000;

    fn at(text: &str) -> Moment {
        Moment(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    /// Daylight of 14 hours from 6:00 in UTC.
    fn plain() -> Daylight {
        Daylight { dawn: at("2026-11-01T06:00:00Z"), length_ms: 14 * 60 * MINUTE_MS }
    }

    fn month(calls: u32, ends: &str) -> Left {
        Left { per: Period::Month, calls, of: LIMIT, ends: at(ends) }
    }

    fn paced(calls: u32, systems: u32, now: &str) -> Pace {
        pace(&[month(calls, "2026-12-01T00:00:00Z")], systems, &plain(), AGE, at(now))
    }

    #[test]
    fn seventy_percent_are_spread_over_the_daylight_of_the_month() {
        // 700 looks in 30 days are 23 a day: 22 gaps in 14 hours, and days may grow by an hour on average.
        let begin = paced(1000, 1, "2026-11-01T00:00:00Z");
        assert_eq!((begin.gap, begin.bound, begin.spare), (Some(Gap::Minutes(42)), Some(Gap::Minutes(50)), true));
        assert_eq!(paced(1000, 5, "2026-11-01T00:00:00Z").gap, Some(Gap::Minutes(292)));
        assert_eq!(paced(1000, 40, "2026-11-01T00:00:00Z").gap, Some(Gap::Days(2)));
        let none = pace(&[], 1, &plain(), AGE, at("2026-11-01T00:00:00Z"));
        assert_eq!((none.gap, none.spare), (Some(Gap::Minutes(15)), true), "without a limit only the age counts");
    }

    #[test]
    fn gaps_grow_when_little_is_left_and_shrink_when_nobody_asked() {
        let minutes = |calls| match paced(calls, 1, "2026-11-15T00:00:00Z").gap {
            Some(Gap::Minutes(minutes)) => minutes,
            other => unreachable!("{calls}: {other:?}"),
        };
        let gaps: Vec<_> = [900, 700, 560, 400, 300, 200, 100, 50].map(minutes).to_vec();
        assert!(gaps.windows(2).all(|pair| pair[0] <= pair[1]), "{gaps:?}");
        assert!(gaps[0] < 30 && gaps[7] > 300, "{gaps:?}");
        assert_eq!(paced(20, 1, "2026-11-15T00:00:00Z").gap, Some(Gap::Days(2)));
        let end = paced(1000, 1, "2026-11-29T00:00:00Z");
        assert_eq!(end.gap, Some(Gap::Minutes(15)), "never closer than the age");
    }

    #[test]
    fn when_nothing_is_left_the_first_daylight_of_the_next_period_is_next() {
        let now = at("2026-11-20T10:00:00Z");
        let pace = paced(0, 1, "2026-11-20T10:00:00Z");
        assert_eq!((pace.gap, pace.bound, pace.spare), (None, None, false));
        assert_eq!(next(&pace, &plain(), Some(now), now), at("2026-12-01T06:00:00Z"));
    }

    #[test]
    fn a_day_begins_and_ends_with_a_look_and_the_night_has_none() {
        let sun = plain();
        let pace = Pace { gap: Some(Gap::Minutes(60)), bound: None, spare: true, fresh: Moment(0) };
        for (last, now, expected) in [
            (None, "2026-11-20T03:00:00Z", "2026-11-20T06:00:00Z"),
            (None, "2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
            (Some("2026-11-19T20:00:00Z"), "2026-11-19T20:00:00Z", "2026-11-20T06:00:00Z"),
            (Some("2026-11-19T20:00:00Z"), "2026-11-19T23:00:00Z", "2026-11-20T06:00:00Z"),
            (Some("2026-11-20T06:00:00Z"), "2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z"),
            (Some("2026-11-20T06:00:00Z"), "2026-11-20T09:00:00Z", "2026-11-20T09:00:00Z"),
            (Some("2026-11-20T19:30:00Z"), "2026-11-20T19:30:00Z", "2026-11-20T20:00:00Z"),
            (Some("2026-11-20T20:00:03Z"), "2026-11-20T20:00:03Z", "2026-11-21T06:00:00Z"),
        ] {
            assert_eq!(next(&pace, &sun, last.map(at), at(now)), at(expected), "{last:?} at {now}");
        }
        let pace = Pace { gap: Some(Gap::Days(2)), ..pace };
        let last = at("2026-11-20T20:00:00Z");
        assert_eq!(next(&pace, &sun, Some(last), last), at("2026-11-22T20:00:00Z"));
        assert_eq!(next(&pace, &sun, None, last), last);
    }

    /// Chance that is always the same for a seed.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: i64) -> i64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            i64::try_from(self.0 >> 2).unwrap() % bound
        }
    }

    /// The true sun at 50° north, around a noon in UTC: from when until when it shines on the day that begins then.
    fn sunshine(day: Moment, noon_min: i64) -> (Moment, Moment) {
        let year_day = f64::from(date(day, &TimeZone::UTC).day_of_year());
        let half = (6.0 + 2.1 * ((year_day - 80.0) * std::f64::consts::TAU / 365.0).sin()) * 60.0;
        let noon = day.0 + noon_min * MINUTE_MS;
        (Moment(noon - half as i64 * MINUTE_MS), Moment(noon + half as i64 * MINUTE_MS))
    }

    /// A month of looks and questions with the calls of the free plan, and what must hold of it.
    fn live_through(begins: &str, ends: &str, systems: usize, questions: i64, seed: u64) {
        let story = format!("from {begins} with {systems} systems, {questions} questions, seed {seed}");
        let (begins, ends) = (at(begins), at(ends));
        let mut dice = Dice(seed);
        // Berlin and Los Angeles, both with clock changes.
        let places = [("Europe/Berlin", 11 * 60 + 10), ("US/Pacific", 19 * 60 + 55)];
        let zones = places.map(|(zone, noon)| (TimeZone::get(zone).unwrap(), noon));
        let mut suns = vec![Sun::default(); systems];
        for (number, sun) in suns.iter_mut().enumerate() {
            let (zone, noon) = &zones[number % 2];
            for look in 0..7 * 96 {
                let now = Moment(begins.0 - 7 * DAY_MS + look * 15 * MINUTE_MS);
                let (dawn, dusk) = sunshine_at(now, *noon);
                if dawn.0 - 30 * MINUTE_MS < now.0 && now.0 < dusk.0 + 30 * MINUTE_MS {
                    sun.see(now, (dawn..=dusk).contains(&now), zone);
                }
            }
        }
        let mut calls = LIMIT;
        let mut asked: Vec<_> = (0..questions).map(|_| begins.0 + dice.below(ends.0 - begins.0)).collect();
        asked.sort_unstable();
        let mut looks = vec![Vec::<Moment>::new(); systems];
        let mut told = vec![0_i64; systems];
        let mut due: Vec<_> = suns.iter().map(|_| begins).collect();
        let (mut first, mut questions) = (vec![true; systems], asked.into_iter().peekable());
        loop {
            let number = (0..systems).min_by_key(|number| due[*number]).unwrap();
            let now = due[number];
            while questions.next_if(|asked| *asked <= now.0.min(ends.0)).is_some() {
                assert!(calls > 0, "{story}: a question found no call");
                calls -= 1;
            }
            if now >= ends {
                break;
            }
            let (zone, noon) = &zones[number % 2];
            if !first[number] {
                let (dawn, dusk) = sunshine_at(now, *noon);
                let margin = 75 * MINUTE_MS;
                assert!(dawn.0 - margin <= now.0 && now.0 <= dusk.0 + margin, "{story}: looked at night, {now:?}");
                assert!(calls > 0, "{story}: a look found no call");
                calls -= 1;
                suns[number].see(now, (dawn..=dusk).contains(&now), zone);
                looks[number].push(now);
            }
            let sun = suns[number].daylight(now, zone);
            let left = Left { per: Period::Month, calls, of: LIMIT, ends };
            let pace = pace(&[left], u32::try_from(systems).unwrap(), &sun, AGE, now);
            if first[number] {
                let Some(Gap::Minutes(minutes)) = pace.bound else { unreachable!("{story}: {pace:?}") };
                told[number] = i64::from(minutes);
            }
            due[number] = next(&pace, &sun, looks[number].last().copied(), now).max(Moment(now.0 + 1000));
            first[number] = false;
        }
        for (number, looks) in looks.iter().enumerate() {
            let gap = largest_gap(looks, begins, ends, zones[number % 2].1);
            assert!(gap <= told[number] * MINUTE_MS, "{story}: {} min, told were {}", gap / MINUTE_MS, told[number]);
        }
        assert!(calls < LIMIT / 10, "{story}: {calls} calls were left over");
    }

    fn sunshine_at(now: Moment, noon_min: i64) -> (Moment, Moment) {
        // The day whose noon is nearest.
        let noon = now.0 - noon_min * MINUTE_MS + DAY_MS / 2;
        sunshine(Moment(noon.div_euclid(DAY_MS) * DAY_MS), noon_min)
    }

    /// The longest time in daylight without a look.
    fn largest_gap(looks: &[Moment], begins: Moment, ends: Moment, noon_min: i64) -> i64 {
        let mut largest = 0;
        let mut day = begins;
        while day < ends {
            let (dawn, dusk) = sunshine(day, noon_min);
            day = Moment(day.0 + DAY_MS);
            if dusk >= ends || dawn <= begins {
                continue;
            }
            let mut last = dawn;
            for look in looks.iter().filter(|look| (dawn..=dusk).contains(look)).chain([&dusk]) {
                largest = largest.max(look.0 - last.0);
                last = *look;
            }
        }
        largest
    }

    #[test]
    fn a_month_never_takes_more_than_its_calls_and_keeps_what_was_told() {
        // Among them February, and the months whose clocks change in Berlin and in Los Angeles.
        for (begins, ends) in [
            ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            ("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z"),
            ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
            ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"),
        ] {
            for systems in [1, 2, 5] {
                for questions in [0, 30, 100] {
                    for seed in [1, 2] {
                        live_through(begins, ends, systems, questions, seed * 7919);
                    }
                }
            }
        }
    }
}
