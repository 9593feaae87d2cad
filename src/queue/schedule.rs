//! When an alarm rings: the times of a plan, in its time zone.
//!
//!     pattern ──croner──▶ time on the wall ──jiff──▶ moment     and behind it the alarm's share of the spread
//!
//! A time of day that a change of the clocks leaves out rings when the clocks have changed; one that comes twice rings
//! the first time. A pattern that rings all day long (`*/10`, `9-17`) goes by the hours as they pass.
//!
//! Pure: the time is handed in, and the rules of the zones are the system's. Never here: what rings, the store.

use crate::limits::{
    DAY_TIMES_MAX, EVERY_SECONDS_MAX, EVERY_SECONDS_MIN, GAPS_LOOKED_AT, PATTERN_BYTES_MAX, QUOTED_CHARS_MAX,
};
use crate::model::{Moment, Plan, When};
use crate::notation::counted::counted;
use crate::notation::nearest::nearest;
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, JobType};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// What a cron pattern is.
const FIELDS: &str = "its five fields are minute, hour, day, month and day of the week, as in \"0 11 * * 1-5\"";
/// Where a plan is tried out: 2024 began on a Monday, and has a 29th of February. Its times do not depend on today.
const TRIED_FROM: Moment = Moment(1_704_067_200_000);
/// Times on the wall that may be in vain before one is found: in a doubled hour one was already, and the next day's
/// comes after. A zone that moved over the date line had a day twice.
const IN_VAIN: usize = 4;

/// What is wrong with a plan, in words for whoever wrote it.
pub fn check(plan: &Plan) -> Result<(), String> {
    let zone = zone(&plan.zone)?;
    match &plan.when {
        When::Once { .. } => return Ok(()),
        When::Every { seconds } if *seconds < EVERY_SECONDS_MIN => {
            return Err(format!(
                "every {} is too often; the least is {EVERY_SECONDS_MIN} seconds",
                counted((*seconds).into(), "second")
            ));
        }
        When::Every { seconds } if *seconds > EVERY_SECONDS_MAX => {
            return Err("is more than a year; the longest is 366 days".to_owned());
        }
        When::Every { .. } => {}
        When::Cron { pattern } => {
            for rule in rules(pattern)? {
                if rule.after(&zone, timestamp(TRIED_FROM)).is_none() {
                    return Err(format!("never happens: no date fits {:?}", rule.pattern));
                }
            }
        }
    }
    let spread = i64::from(plan.spread_s) * 1000;
    match shortest_gap(plan, &zone, spread) {
        Some(gap) if gap < spread => Err(format!(
            "the spread of {} s is longer than the {} s between two of its times; write a shorter one",
            plan.spread_s,
            gap / 1000
        )),
        _ => Ok(()),
    }
}

/// The first time of `plan` after `after`, with its share of the spread: `seed` tells the alarms of one plan apart, and
/// is always the same for one alarm. `None` when there is none any more.
pub fn next(plan: &Plan, seed: u64, after: Moment) -> Option<Moment> {
    let share = share(plan, seed);
    let after = Moment(after.0.saturating_sub(share));
    let time = match &plan.when {
        When::Once { at } => (*at > after).then_some(*at),
        When::Every { seconds } => {
            let period = i64::from(*seconds).max(1) * 1000;
            let before = after.0.div_euclid(period) * period;
            before.checked_add(period).map(Moment)
        }
        When::Cron { pattern } => {
            let (rules, zone) = (kept_rules(pattern), kept_zone(plan));
            let times = rules.iter().filter_map(|rule| rule.after(&zone, timestamp(after)));
            times.min().map(moment)
        }
    };
    time.map(|time| Moment(time.0.saturating_add(share)))
}

/// The last time of `plan` up to `until` and not before `due`, which is one of its times.
pub fn latest(plan: &Plan, seed: u64, due: Moment, until: Moment) -> Moment {
    let share = share(plan, seed);
    let until = Moment(until.0.saturating_sub(share));
    let time = match &plan.when {
        When::Once { .. } => None,
        When::Every { seconds } => {
            let period = i64::from(*seconds).max(1) * 1000;
            Some(Moment(until.0.div_euclid(period) * period))
        }
        When::Cron { pattern } => {
            let (rules, zone) = (kept_rules(pattern), kept_zone(plan));
            let times = rules.iter().filter_map(|rule| rule.until(&zone, timestamp(until)));
            times.max().map(moment)
        }
    };
    time.map_or(due, |time| due.max(Moment(time.0.saturating_add(share))))
}

/// What tells one alarm from all others: FNV-1a over what names it. Due times hang on it, so it must not depend on the
/// build.
pub fn seed(channel: u16, conversation: &str, name: &str) -> u64 {
    // No text holds 0xff, so nothing moves from one name into the other.
    let bytes = channel.to_le_bytes().into_iter().chain(conversation.bytes()).chain([0xff]).chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The time zone of this name, or what to write instead.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    // What jiff says to this name is a zone without a name, and no rules.
    if let Ok(zone) = TimeZone::get(name)
        && !zone.is_unknown()
    {
        return Ok(zone);
    }
    let known: Vec<String> = jiff::tz::db().available().map(|known| known.as_str().to_owned()).collect();
    Err(no_such_zone(name, &known))
}

/// What to write instead of a zone that is not among those that are known.
fn no_such_zone(name: &str, known: &[String]) -> String {
    // UTC needs no database.
    if known.iter().all(|known| known == "UTC") {
        return "this system has no time zones; install tzdata, or build with --features bundled-tz, or write \"UTC\""
            .to_owned();
    }
    let cut: String = name.chars().take(QUOTED_CHARS_MAX).collect();
    let asked = name.trim().replace(' ', "_");
    let city = |known: &&str| known.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&asked));
    let mut names = known.iter().map(String::as_str);
    match names.clone().find(city).or_else(|| nearest(name, &mut names)) {
        Some(near) => format!("there is no time zone {cut:?}; did you mean {near:?}?"),
        None => format!("there is no time zone {cut:?}; write for example \"Europe/Berlin\""),
    }
}

/// One pattern of a plan.
struct Rule {
    pattern: String,
    cron: Cron,
    /// It rings at one time of day, and not all day long.
    one_time: bool,
}

impl Rule {
    fn parse(pattern: &str) -> Result<Rule, String> {
        if pattern.split_whitespace().count() != 5 && !pattern.trim_start().starts_with('@') {
            return Err(format!("{pattern:?} is no cron pattern; {FIELDS}"));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(pattern).map_err(|error| {
            let why = error.to_string();
            let why = why.rsplit_once("error: ").map_or(&*why, |(_, why)| why).trim_end_matches('.');
            format!("{pattern:?} is no cron pattern: {why}; {FIELDS}")
        })?;
        let one_time = cron.determine_job_type() == JobType::FixedTime;
        Ok(Rule { pattern: pattern.to_owned(), cron, one_time })
    }

    /// The first time after `after`.
    fn after(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        if !self.one_time {
            let next = self.cron.find_next_occurrence(&after.to_zoned(zone.clone()), false).ok()?;
            return Some(next.timestamp()).filter(|next| *next > after);
        }
        let mut wall = zone.to_datetime(after);
        (0..IN_VAIN).find_map(|_| {
            wall = self.cron.find_next_occurrence(&wall, false).ok()?;
            on_clock(wall, zone).filter(|time| *time > after)
        })
    }

    /// The last time up to `until`.
    fn until(&self, zone: &TimeZone, until: Timestamp) -> Option<Timestamp> {
        if !self.one_time {
            let last = self.cron.find_previous_occurrence(&until.to_zoned(zone.clone()), true).ok()?;
            return Some(last.timestamp()).filter(|last| *last <= until);
        }
        // In the second half of a doubled hour, what the wall shows later may have been before.
        let mut wall = zone.to_datetime(until).checked_add(1.day()).ok()?;
        (0..IN_VAIN).find_map(|_| {
            wall = self.cron.find_previous_occurrence(&wall, false).ok()?;
            on_clock(wall, zone).filter(|time| *time <= until)
        })
    }
}

/// When a clock on the wall shows this: the first time when it does twice, and the end of the gap when never.
fn on_clock(wall: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let shown = zone.to_ambiguous_timestamp(wall);
    let AmbiguousOffset::Gap { after, .. } = shown.offset() else { return shown.earlier().ok() };
    // With the rules of afterwards it would have been before the change.
    let before = shown.earlier().ok()?;
    zone.following(before).take(IN_VAIN).find(|change| change.offset() == after).map(|change| change.timestamp())
}

/// The rules of a pattern. Lists of minutes and hours are taken apart, so that each time of day is one.
fn rules(pattern: &str) -> Result<Vec<Rule>, String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(format!("is longer than {PATTERN_BYTES_MAX} bytes"));
    }
    let mut rules = Vec::new();
    for pattern in pattern.split(';').flat_map(|pattern| times_of_day(pattern.trim())) {
        if rules.len() == DAY_TIMES_MAX {
            return Err(format!(
                "has more than {DAY_TIMES_MAX} times of day; write a range or a step, as in 0 8-20 * * *"
            ));
        }
        rules.push(Rule::parse(&pattern)?);
    }
    Ok(rules)
}

/// `0,30 8 * * *` as two patterns; what is no short list stays as it is.
fn times_of_day(pattern: &str) -> Vec<String> {
    let list = |field: &str| field.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    let fields: Vec<_> = pattern.split_whitespace().collect();
    let [minutes, hours, days @ ..] = fields.as_slice() else { return vec![pattern.to_owned()] };
    let times = minutes.split(',').count() * hours.split(',').count();
    if !list(minutes) || !list(hours) || times > DAY_TIMES_MAX {
        return vec![pattern.to_owned()];
    }
    let days = days.join(" ");
    let at = |hour: &str| minutes.split(',').map(|minute| format!("{minute} {hour} {days}")).collect::<Vec<_>>();
    hours.split(',').flat_map(at).collect()
}

/// The rules of a plan that was checked before it was kept.
fn kept_rules(pattern: &str) -> Vec<Rule> {
    rules(pattern).unwrap_or_else(|why| {
        log::error!("a plan that was kept, {pattern:?}, is not understood, so it does not ring: {why}");
        Vec::new()
    })
}

/// The zone of a plan that was checked before it was kept. Should the system have lost it, ringing at another hour is
/// better than never again.
fn kept_zone(plan: &Plan) -> TimeZone {
    zone(&plan.zone).unwrap_or_else(|why| {
        log::error!("a plan's time zone {:?} is gone, so it goes by UTC: {why}", plan.zone);
        TimeZone::UTC
    })
}

/// The shortest time between two times of a plan, in milliseconds, as far as it matters for a spread.
fn shortest_gap(plan: &Plan, zone: &TimeZone, spread: i64) -> Option<i64> {
    let pattern = match &plan.when {
        When::Once { .. } => return None,
        When::Every { seconds } => return Some(i64::from(*seconds) * 1000),
        When::Cron { pattern } if spread > 0 => pattern,
        When::Cron { .. } => return None,
    };
    let rules = rules(pattern).ok()?;
    let mut time = timestamp(TRIED_FROM);
    let mut shortest: Option<i64> = None;
    for looked_at in 0..GAPS_LOOKED_AT {
        let Some(next) = rules.iter().filter_map(|rule| rule.after(zone, time)).min() else { break };
        let gap = next.as_millisecond() - time.as_millisecond();
        shortest = if looked_at == 0 { None } else { Some(shortest.map_or(gap, |shortest| shortest.min(gap))) };
        time = next;
    }
    shortest
}

/// By how much an alarm is later than its plan, in milliseconds: always the same.
fn share(plan: &Plan, seed: u64) -> i64 {
    let spread = u64::from(plan.spread_s) * 1000;
    seed.checked_rem(spread).and_then(|share| i64::try_from(share).ok()).unwrap_or(0)
}

/// The same moment for jiff; what lies beyond the year 9999 is at its end.
fn timestamp(moment: Moment) -> Timestamp {
    let end = if moment.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(moment.0).unwrap_or(end)
}

fn moment(timestamp: Timestamp) -> Moment {
    Moment(timestamp.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunMissed;
    use std::time::{Duration, Instant};

    fn plan(when: When, zone: &str) -> Plan {
        Plan { when, zone: zone.to_owned(), run_missed: RunMissed::Latest, spread_s: 0 }
    }

    fn cron(pattern: &str) -> Plan {
        plan(When::Cron { pattern: pattern.to_owned() }, "Europe/Berlin")
    }

    fn every(seconds: u32) -> Plan {
        plan(When::Every { seconds }, "UTC")
    }

    fn spread(spread_s: u32, plan: Plan) -> Plan {
        Plan { spread_s, ..plan }
    }

    fn at(text: &str) -> Moment {
        moment(text.parse().unwrap())
    }

    /// The next times after a moment.
    fn times(plan: &Plan, after: &str, count: usize) -> Vec<String> {
        let next = |after: &Moment| next(plan, 0, *after);
        let times = std::iter::successors(next(&at(after)), next);
        times.take(count).map(|time| timestamp(time).to_string()).collect()
    }

    #[test]
    fn a_missing_hour_rings_at_its_end_and_a_doubled_one_once() {
        for (pattern, after, expected) in [
            ("0 11 * * *", "2026-11-21T12:00Z", ["2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z"]),
            ("30 2 * * *", "2026-03-28T12:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]),
            ("30 2 * * *", "2026-10-24T12:00Z", ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
            // Two times of day in one pattern are two times of day.
            ("30 2,14 * * *", "2026-03-28T14:00Z", ["2026-03-29T01:00:00Z", "2026-03-29T12:30:00Z"]),
            ("30 2,14 * * *", "2026-10-25T00:00Z", ["2026-10-25T00:30:00Z", "2026-10-25T13:30:00Z"]),
            // Both are in the gap, and it has one end.
            ("0 2 * * *; 30 2 * * *", "2026-03-28T12:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]),
            // All day long goes by the hours that pass.
            ("30 * * * *", "2026-10-25T00:00Z", ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]),
            ("30 * * * *", "2026-03-29T00:00Z", ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"]),
            ("0 9 * * mon,fri", "2026-11-21T12:00Z", ["2026-11-23T08:00:00Z", "2026-11-27T08:00:00Z"]),
            ("@monthly", "2026-11-21T12:00Z", ["2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z"]),
        ] {
            assert_eq!(times(&cron(pattern), after, 2), expected, "{pattern} after {after}");
        }
    }

    #[test]
    fn a_gap_of_three_hours_is_no_end() {
        let casey = plan(When::Cron { pattern: "30 0 * * *".to_owned() }, "Antarctica/Casey");
        let expected = ["2020-10-03T16:01:00Z", "2020-10-04T13:30:00Z"];
        assert_eq!(times(&casey, "2020-10-03T12:00Z", 2), expected);
    }

    #[test]
    fn every_so_often_counts_from_the_epoch() {
        assert_eq!(times(&every(600), "2026-11-21T12:03:07.5Z", 2), ["2026-11-21T12:10:00Z", "2026-11-21T12:20:00Z"]);
        assert_eq!(next(&every(600), 0, Moment(-1)), Some(Moment(0)));
        assert_eq!(next(&every(600), 0, Moment(i64::MAX)), None);
    }

    #[test]
    fn once_is_once() {
        let plan = Plan::once(Moment(1000));
        assert_eq!(next(&plan, 7, Moment(999)), Some(Moment(1000)));
        assert_eq!(next(&plan, 7, Moment(1000)), None);
        assert_eq!(latest(&plan, 7, Moment(1000), Moment(i64::MAX)), Moment(1000));
    }

    #[test]
    fn each_alarm_has_its_own_share_of_the_spread_and_keeps_it() {
        let plan = spread(600, cron("0 11 * * *"));
        let noon = at("2026-11-21T12:00Z");
        let mut shares: Vec<i64> = Vec::new();
        for person in 0..1000 {
            let seed = seed(3, &person.to_string(), "subscription");
            let first = next(&plan, seed, noon).unwrap();
            let share = first.0 - at("2026-11-22T10:00Z").0;
            assert_eq!(next(&plan, seed, first), Some(Moment(at("2026-11-23T10:00Z").0 + share)));
            assert_eq!(latest(&plan, seed, first, at("2026-11-25T09:59Z")), Moment(at("2026-11-24T10:00Z").0 + share));
            // Before its share has passed, the day's time is still to come.
            assert_eq!(next(&plan, seed, Moment(first.0 - 1)), Some(first));
            shares.push(share);
        }
        assert!(shares.iter().all(|share| (0..600_000).contains(share)), "{shares:?}");
        for tenth in 0..10 {
            let count = shares.iter().filter(|share| **share / 60_000 == tenth).count();
            assert!((60..=140).contains(&count), "{count} of 1000 in minute {tenth} of ten");
        }
    }

    #[test]
    fn the_latest_of_a_long_gap_is_found_at_once() {
        let began = Instant::now();
        let due = at("1996-11-21T12:00Z");
        let until = at("2026-11-21T12:00:59.999Z");
        for (plan, expected) in [
            (every(60), "2026-11-21T12:00Z"),
            (cron("* * * * *"), "2026-11-21T12:00Z"),
            (cron("0 11 * * *"), "2026-11-21T10:00Z"),
            (cron("0 8 * * *; 30 20 * * *"), "2026-11-21T07:00Z"),
            (cron("0 0 29 2 *"), "2024-02-28T23:00Z"),
        ] {
            assert_eq!(latest(&plan, 0, due, until), at(expected), "{plan:?}");
        }
        // Stepping from minute to minute for thirty years takes minutes.
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }

    #[test]
    fn the_latest_is_never_before_what_is_due() {
        let due = at("2026-11-21T10:00Z");
        for plan in [cron("0 11 * * *"), every(3600), spread(600, cron("0 11 * * *"))] {
            assert_eq!(latest(&plan, 0, due, due), due);
            assert_eq!(latest(&plan, 0, due, Moment(due.0 - 1)), due, "the clock went back");
        }
    }

    #[test]
    fn what_the_latest_is_the_steps_come_to_as_well() {
        // Through a gap and a doubled hour, by odd steps.
        for (pattern, from, hours) in [
            ("30 2 * * *", "2026-10-24T12:00Z", 48),
            ("30 2 * * *", "2026-03-28T12:00Z", 48),
            ("*/7 * * * *", "2026-10-24T22:00Z", 6),
            ("*/7 2-4 * * *", "2026-03-28T22:00Z", 6),
        ] {
            let plan = cron(pattern);
            let due = next(&plan, 0, at(from)).unwrap();
            let mut stepped = due;
            for minutes in (0..hours * 60).step_by(11) {
                let until = Moment(due.0 + minutes * 60_000);
                while let Some(following) = next(&plan, 0, stepped).filter(|following| *following <= until) {
                    stepped = following;
                    assert_eq!(latest(&plan, 0, due, following), following, "{pattern}");
                }
                assert_eq!(latest(&plan, 0, due, until), stepped, "{pattern} until {}", timestamp(until));
            }
        }
    }

    #[test]
    fn a_wrong_plan_is_told_what_to_write() {
        let in_zone = |zone: &str| Plan { zone: zone.to_owned(), ..cron("0 11 * * *") };
        let many = (0..25).map(|hour| format!("{hour} 1 * * *")).collect::<Vec<_>>().join(";");
        for (plan, expected) in [
            (in_zone("Europe/Berln"), "there is no time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?"),
            (in_zone("new york"), "there is no time zone \"new york\"; did you mean \"America/New_York\"?"),
            (in_zone("Mars"), "there is no time zone \"Mars\"; write for example \"Europe/Berlin\""),
            (in_zone("Etc/Unknown"), "there is no time zone \"Etc/Unknown\"; write for example \"Europe/Berlin\""),
            (every(59), "every 59 seconds is too often; the least is 60 seconds"),
            (every(366 * 86_400 + 1), "is more than a year; the longest is 366 days"),
            (cron("0 0 31 2 *"), "never happens: no date fits \"0 0 31 2 *\""),
            (cron("0 11 * * *; 0 0 31 2 *"), "never happens: no date fits \"0 0 31 2 *\""),
            (
                cron("0 11 * *"),
                "\"0 11 * *\" is no cron pattern; its five fields are minute, hour, day, month and day of the week, as in \
                 \"0 11 * * 1-5\"",
            ),
            (
                cron("61 11 * * *"),
                "\"61 11 * * *\" is no cron pattern: Number out of bounds; its five fields are minute, hour, day, month and \
                 day of the week, as in \"0 11 * * 1-5\"",
            ),
            (cron(&many), "has more than 24 times of day; write a range or a step, as in 0 8-20 * * *"),
            (cron(&"0 ".repeat(1000)), "is longer than 1024 bytes"),
            (
                spread(601, every(600)),
                "the spread of 601 s is longer than the 600 s between two of its times; write a shorter one",
            ),
            (
                spread(3600, cron("0,30 8 * * 1")),
                "the spread of 3600 s is longer than the 1800 s between two of its times; write a shorter one",
            ),
        ] {
            assert_eq!(check(&plan), Err(expected.to_owned()));
        }
        for plan in [
            every(60),
            every(366 * 86_400),
            spread(600, every(600)),
            cron("0 0 29 2 *"),
            in_zone("UTC"),
            cron("0 11 L * *"),
            spread(1800, cron("0,30 8 * * 1")),
            Plan::once(Moment(0)),
        ] {
            assert_eq!(check(&plan), Ok(()), "{plan:?}");
        }
    }

    #[test]
    fn a_system_without_zones_says_what_is_missing() {
        let what = no_such_zone("Europe/Berlin", &["UTC".to_owned()]);
        assert!(what.contains("install tzdata, or build with --features bundled-tz"), "{what}");
        assert_eq!(no_such_zone("Europe/Berlin", &[]), what);
    }

    #[test]
    fn no_pattern_of_anybody_panics() {
        let signs: Vec<char> = "0159*,-/#LW?+@;ü monSUN".chars().collect();
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..20_000 {
            let mut luck = |below: usize| {
                state = (state ^ state << 13) ^ (state ^ state << 13) >> 7;
                state ^= state << 17;
                (state >> 20) as usize % below
            };
            let mut field = || (0..1 + luck(4)).map(|_| signs.get(luck(signs.len())).unwrap()).collect::<String>();
            let pattern = format!("{} {} {} {} {}", field(), field(), field(), field(), field());
            // Whether it ever happens is not asked: that takes long for what never does.
            let rules = rules(&pattern);
            assert!(rules.is_err() || rules.is_ok_and(|rules| !rules.is_empty()), "{pattern}");
        }
    }

    #[test]
    fn a_plan_whose_zone_was_lost_rings_all_the_same() {
        let lost = Plan { zone: "Europe/Atlantis".to_owned(), ..cron("0 11 * * *") };
        assert_eq!(times(&lost, "2026-11-21T12:00Z", 1), ["2026-11-22T11:00:00Z"]);
    }
}
