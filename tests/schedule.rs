//! Every change of the clocks that the world has planned, 2020 to 2037, and plans that must live through it: daily
//! times around it, a daemon that is stopped and started at any time, and an oracle that knows no cron.
//!
//! Many changes are alike: the same offsets before and after, at the same time of day. One of each kind is looked at, in
//! a zone that chance picks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

#[path = "shared/luck.rs"]
#[allow(dead_code)]
mod luck;

use ackd::bot::subscription::{self, Words};
use ackd::model::{DayTime, Moment, Plan, RunMissed, When};
use ackd::queue::schedule;
use jiff::civil::{Date, DateTime, date, time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Span, Timestamp, ToSpan};
use luck::Luck;
use std::collections::BTreeMap;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A change of the clocks.
#[derive(Clone, Debug)]
struct Change {
    zone: String,
    at: Timestamp,
    before: Offset,
    after: Offset,
}

impl Change {
    fn tz(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap()
    }

    /// What the clocks show when they are changed.
    fn wall(&self) -> DateTime {
        self.before.to_datetime(self.at)
    }

    fn hours(&self, hours: i64) -> Moment {
        Moment(self.at.as_millisecond() + hours * HOUR)
    }

    /// Times of day around it, a quarter of an hour apart: two hours before to two after, and the gap itself.
    fn times(&self) -> Vec<DayTime> {
        let shift = (self.after.seconds() - self.before.seconds()).abs() / 900;
        let wall = self.wall();
        let first = wall.with().minute(wall.minute() / 15 * 15).second(0).build().unwrap();
        let quarter = |quarter: i32| first.checked_add(Span::new().minutes(15 * quarter)).unwrap();
        let time = |wall: DateTime| DayTime::new(wall.hour() as u8, wall.minute() as u8).unwrap();
        (-8..=8 + shift).map(|number| time(quarter(number))).collect()
    }
}

/// All changes of all zones, in their order.
fn all_changes() -> Vec<Change> {
    let (first, last) = (date(2020, 1, 1), date(2038, 1, 1));
    let ends = [first, last].map(|day| day.to_zoned(TimeZone::UTC).unwrap().timestamp());
    let mut changes = Vec::new();
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).unwrap();
        let mut before = zone.to_offset(ends[0]);
        for change in zone.following(ends[0]).take_while(|change| change.timestamp() < ends[1]) {
            let (at, after) = (change.timestamp(), change.offset());
            if after != before {
                changes.push(Change { zone: name.as_str().to_owned(), at, before, after });
            }
            before = after;
        }
    }
    assert!(changes.len() > 1000, "the zone database is there: {}", changes.len());
    changes
}

/// One change of each kind, picked by chance.
fn kinds_of_change(luck: &mut Luck) -> Vec<Change> {
    let all = all_changes();
    let count = all.len();
    let mut kinds: BTreeMap<_, Vec<Change>> = BTreeMap::new();
    for change in all {
        kinds.entry((change.before, change.after, change.wall().time())).or_default().push(change);
    }
    println!("{count} changes of the clocks, {} kinds", kinds.len());
    kinds.into_values().map(|mut alike| alike.swap_remove(luck.below(alike.len() as u64) as usize)).collect()
}

/// When a daily time is, by date: asked minute by minute, and not of cron. A missing time is at the end of its gap.
fn on_date(zone: &TimeZone, day: Date, at: &str) -> Moment {
    let mut wall = day.to_datetime(at.parse().unwrap());
    while let AmbiguousOffset::Gap { .. } = zone.to_ambiguous_timestamp(wall).offset() {
        wall = wall.checked_add(1.minute()).unwrap();
    }
    // Of a doubled time, the first.
    Moment(zone.to_ambiguous_timestamp(wall).earlier().unwrap().as_millisecond())
}

/// A daemon that a test starts, stops and looks at whenever it likes.
#[derive(Default)]
struct Life {
    /// The times for which it rang.
    rung: Vec<Moment>,
    /// When it looked at its alarm, and when the process that did so began.
    looks: Vec<(Moment, Moment)>,
}

impl Life {
    fn live(plan: &Plan, seed: u64, from: Moment, to: Moment, stops: bool, luck: &mut Luck) -> Life {
        let mut life = Life::default();
        let (mut now, mut began) = (from, from);
        let mut due = schedule::next(plan, seed, now).unwrap();
        while now < to {
            if due <= now {
                let label = schedule::latest(plan, seed, due, now);
                if due >= began || plan.run_missed == RunMissed::Latest {
                    life.rung.push(label);
                }
                due = schedule::next(plan, seed, now).unwrap();
                assert!(due > now && schedule::next(plan, seed, label) == Some(due), "{plan:?} at {now:?}");
            }
            life.looks.push((now, began));
            if stops && luck.below(4) == 0 {
                now = Moment(now.0 + luck.below(60 * HOUR as u64) as i64);
                began = now;
            } else {
                now = Moment(now.0 + 1 + luck.below(5 * HOUR as u64) as i64);
            }
        }
        life
    }

    /// Whether it had to ring for a time, which the next one follows: when it looked between them, and did not find it
    /// missed where that does not count.
    fn must_ring(&self, time: Moment, following: Moment, run_missed: RunMissed) -> bool {
        let look = self.looks.iter().find(|(look, _)| *look >= time);
        look.is_some_and(|(look, began)| *look < following && (time >= *began || run_missed == RunMissed::Latest))
    }
}

#[test]
fn a_daily_time_rings_once_on_each_date_through_every_change_of_the_clocks() {
    let mut luck = Luck::of_the_day();
    let (mut lives, mut rings) = (0, 0);
    for change in kinds_of_change(&mut luck) {
        let zone = change.tz();
        let (from, to) = (change.hours(-50), change.hours(50));
        for time in change.times() {
            let days = |days: i32| change.wall().date().checked_add(Span::new().days(days)).unwrap();
            let mut expected: Vec<_> = (-4..=4).map(|day| on_date(&zone, days(day), &time.to_string())).collect();
            assert!(expected.is_sorted_by(|before, after| before < after), "{change:?} {time}");
            let spread_s = [0, 0, 1800][luck.below(3) as usize];
            let seed = luck.below(u64::MAX);
            if spread_s > 0 {
                expected.iter_mut().for_each(|time| time.0 += (seed % (u64::from(spread_s) * 1000)) as i64);
            }
            for (stops, run_missed) in [(false, RunMissed::None), (true, RunMissed::Latest), (true, RunMissed::None)] {
                let when = When::daily(&[time], &[]);
                let plan = Plan { when, zone: change.zone.clone(), run_missed, spread_s };
                let life = Life::live(&plan, seed, from, to, stops, &mut luck);
                let pairs = expected.windows(2).map(|pair| (pair[0], pair[1])).filter(|(time, _)| *time > from);
                let must = pairs.filter(|(time, following)| life.must_ring(*time, *following, run_missed));
                let must: Vec<_> = must.map(|(time, _)| time).collect();
                assert_eq!(life.rung, must, "{plan:?}\nseed {seed}, {change:?}, looks {:?}", life.looks);
                assert!(stops || must.len() >= 3, "{plan:?} {change:?} {must:?}");
                lives += 1;
                rings += must.len();
            }
        }
    }
    println!("{lives} daemons rang {rings} times");
    assert!(lives > 1000);
}

#[test]
fn what_rings_all_day_long_goes_by_the_clock_on_the_wall_through_every_change() {
    let mut luck = Luck::of_the_day();
    let mut rings = 0;
    for change in kinds_of_change(&mut luck) {
        let zone = change.tz();
        let pattern = "*/20 * * * *".to_owned();
        let plan = Plan {
            when: When::Cron { pattern },
            zone: change.zone.clone(),
            run_missed: RunMissed::Latest,
            spread_s: 0,
        };
        let (from, to) = (change.hours(-4), change.hours(5));
        let whole = from.0.div_euclid(MINUTE) + 1..=to.0.div_euclid(MINUTE);
        let shows = |moment: &Moment| {
            let wall = zone.to_datetime(Timestamp::from_millisecond(moment.0).unwrap());
            wall.minute() % 20 == 0 && wall.second() == 0
        };
        let expected: Vec<_> = whole.map(|minute| Moment(minute * MINUTE)).filter(shows).collect();
        let next = |after: &Moment| schedule::next(&plan, 0, *after);
        let rung: Vec<_> = std::iter::successors(next(&from), next).take_while(|time| *time <= to).collect();
        assert_eq!(rung, expected, "{change:?}");
        for _ in 0..20 {
            let until = Moment(expected[0].0 + luck.below((to.0 - expected[0].0) as u64) as i64);
            let last = *expected.iter().rfind(|time| **time <= until).unwrap();
            assert_eq!(schedule::latest(&plan, 0, expected[0], until), last, "{change:?} {until:?}");
        }
        rings += rung.len();
    }
    println!("{rings} rings");
}

#[test]
fn every_plan_that_the_chat_understands_is_sound() {
    let zone = "Australia/Lord_Howe";
    let now = Moment(1_795_341_600_000);
    let times = ["8:00", "7am 12 pm 23:59", "noon and midnight", "0"];
    let days = ["", "daily", "mon", "weekdays", "weekends", "sat-tue", "every friday", "mon tue wed thu fri sat sun"];
    let at = times.iter().flat_map(|time| days.map(|day| format!("{day} {time}")));
    let every = ["hourly", "every 10m", "every 90 minutes", "every 24h"].map(str::to_owned);
    for said in at.chain(every) {
        let Some(Words::Subscribe(plan)) = subscription::parse(&format!("subscribe {said}"), zone) else {
            panic!("{said} is not understood")
        };
        assert_eq!(schedule::check(&plan), Ok(()), "{said}: {plan:?}");
        let next = schedule::next(&plan, 1, now).unwrap();
        assert!(next > now && next.0 < now.0 + 8 * 24 * HOUR, "{said}: {plan:?}");
        assert!(!plan.words().contains('*'), "{said}: {}", plan.words());
    }
}

#[test]
fn the_oracle_knows_berlin() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let on = |day: Date, at: &str| Timestamp::from_millisecond(on_date(&zone, day, at).0).unwrap().to_string();
    assert_eq!(on(date(2026, 3, 29), "02:30"), "2026-03-29T01:00:00Z");
    assert_eq!(on(date(2026, 10, 25), "02:30"), "2026-10-25T00:30:00Z");
    let changes: Vec<_> = all_changes().into_iter().filter(|change| change.zone == "Europe/Berlin").collect();
    assert_eq!(changes.len(), 36, "two a year");
    assert_eq!(changes[0].wall(), date(2020, 3, 29).to_datetime(time(2, 0, 0, 0)));
}
