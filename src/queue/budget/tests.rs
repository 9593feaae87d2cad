use super::*;
use crate::luck::Luck;
use crate::model::EventKey;
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};

/// 2026-11-10 12:00:00 UTC.
const NOON: Moment = Moment(1_794_312_000_000);
const NOVEMBER_ENDS: Moment = Moment(1_796_083_200_000);
const DAY: u64 = 24 * 3600;

fn at(seconds: u64) -> Moment {
    NOON.after(Duration::from_secs(seconds))
}

fn limit(calls: u32, per: Period) -> Limit {
    Limit { calls, per }
}

/// 10 a minute and 1000 a month (enphase.md §6).
fn watt() -> [Limit; 2] {
    [limit(10, Period::Minute), limit(1000, Period::Month)]
}

/// A ledger, and the line before it.
#[derive(Debug, Default, PartialEq)]
struct Purse {
    ledger: Ledger,
    line: Option<Line>,
    last: i64,
}

impl Purse {
    fn read(json: &[u8], limits: &[Limit], now: Moment) -> (Purse, Option<String>) {
        let (ledger, fault) = Ledger::read(json, limits, now);
        (Purse { ledger, ..Purse::default() }, fault)
    }

    /// For somebody who is promised nothing.
    fn take(&mut self, calls: u32, limits: &[Limit], now: Moment) -> Result<(), NotBefore> {
        self.line.get_or_insert_with(|| Line::new(limits)).pay(&mut self.ledger, None, calls, now)
    }

    /// Where somebody is told to come who never asked before, for one call.
    fn place(&mut self, limits: &[Limit], now: Moment) -> Moment {
        self.last += 1;
        let line = self.line.get_or_insert_with(|| Line::new(limits));
        line.pay(&mut self.ledger, Some(EventKey(self.last)), 1, now).unwrap_err().moment
    }
}

impl Deref for Purse {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.ledger
    }
}

impl DerefMut for Purse {
    fn deref_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}

impl PartialEq for Line {
    fn eq(&self, _: &Line) -> bool {
        true
    }
}

/// As many calls as it gives at this moment.
fn drain(ledger: &mut Purse, limits: &[Limit], now: Moment) -> usize {
    std::iter::from_fn(|| ledger.take(1, limits, now).ok()).count()
}

fn until(ledger: &mut Purse, limits: &[Limit], now: Moment) -> Moment {
    ledger.take(1, limits, now).unwrap_err().moment
}

#[test]
fn each_limit_holds_until_its_period_ends() {
    let (mut ledger, limits) = (Purse::default(), watt());
    assert_eq!(drain(&mut ledger, &limits, at(59)), 10);
    let refused = ledger.take(1, &limits, at(59)).unwrap_err();
    assert_eq!(refused, NotBefore { moment: at(60), why: "its 10 calls of this minute are used up".to_owned() });
    assert_eq!(drain(&mut ledger, &limits, at(60)), 10, "a fixed minute, not sixty seconds");
    for minute in 2..100 {
        drain(&mut ledger, &limits, at(60 * minute));
    }
    let refused = ledger.take(1, &limits, at(6000)).unwrap_err();
    assert_eq!(refused.moment, NOVEMBER_ENDS);
    assert_eq!(refused.why, "its 1000 calls of this month are used up");
    assert_eq!(drain(&mut ledger, &limits, NOVEMBER_ENDS), 10, "all is there again");
}

#[test]
fn a_second_and_a_day_are_periods_too() {
    let limits = [limit(1, Period::Second), limit(3, Period::Day)];
    let mut ledger = Purse::default();
    assert_eq!((drain(&mut ledger, &limits, at(0)), until(&mut ledger, &limits, at(0))), (1, at(1)));
    assert_eq!(drain(&mut ledger, &limits, at(1)) + drain(&mut ledger, &limits, at(2)), 2);
    assert_eq!(until(&mut ledger, &limits, at(3)), at(DAY / 2), "midnight in UTC");
}

#[test]
fn those_who_wait_come_in_turn() {
    let limits = [limit(5, Period::Minute)];
    let mut ledger = Purse::default();
    drain(&mut ledger, &limits, at(0));
    let places: Vec<_> = (0..13).map(|_| ledger.place(&limits, at(5))).collect();
    let expected: Vec<_> = (0..13).map(|waiter| at(60 * (1 + waiter / 5))).collect();
    assert_eq!(places, expected);
    // Who comes a minute later comes behind those who have a place already.
    assert_eq!(drain(&mut ledger, &limits, at(60)), 0);
    assert_eq!(ledger.place(&limits, at(60)), at(180));
}

#[test]
fn those_who_wait_for_a_month_come_as_the_minutes_allow() {
    let limits = [limit(5, Period::Minute), limit(1000, Period::Month)];
    let mut ledger = Purse::default();
    let month = Lesson { per: Some(Period::Month), ..Lesson::default() };
    ledger.learn(&month, &limits, at(0));
    let places: Vec<_> = (0..1001).map(|_| ledger.place(&limits, at(0))).collect();
    let minute = |number: u64| NOVEMBER_ENDS.after(Duration::from_secs(60 * number));
    assert_eq!((places[0], places[4], places[5], places[999]), (minute(0), minute(0), minute(1), minute(199)));
    let december_ends = NOVEMBER_ENDS.after(Duration::from_secs(31 * DAY));
    assert_eq!(places[1000], december_ends);
}

#[test]
fn in_no_period_more_is_given_than_the_limit_whatever_the_clock_does() {
    for (per, calls) in [(Period::Second, 3), (Period::Minute, 7), (Period::Day, 8), (Period::Month, 9)] {
        // A month has 28 days at least.
        let (limits, millis) = ([limit(calls, per)], length(per).as_millis() as u64 * 28 / 31);
        let (mut periods, mut full) = (0, 0);
        for seed in 0..40 {
            let mut dice = Luck::of(seed);
            let (mut ledger, mut given) = (Purse::default(), HashMap::<Moment, u32>::new());
            let (mut now, mut latest) = (NOON, NOON);
            for _ in 0..400 {
                match dice.below(10) {
                    // On, seldom by much; or back, as far as a clock goes that was right at some time.
                    0..=6 => now = now.after(Duration::from_millis(dice.below(millis / 8))),
                    7 | 8 => now = now.after(Duration::from_millis(dice.below(3 * millis))),
                    _ => now = Moment((now.0 - dice.below(millis) as i64).max(latest.0 - millis as i64)),
                }
                latest = latest.max(now);
                match dice.below(12) {
                    0 => {
                        // A restart.
                        let (read, fault) = Purse::read(&ledger.json(), &limits, now);
                        assert_eq!(fault, None);
                        ledger = read;
                    }
                    1 => {
                        let until = Moment(now.0 + dice.below(3 * millis) as i64 - millis as i64);
                        let pick = |dice: &mut Luck, value: u32| (dice.below(2) == 0).then_some(value);
                        let lesson = Lesson {
                            per: (dice.below(3) > 0).then_some(per),
                            of: pick(&mut dice, 2 * calls),
                            left: pick(&mut dice, calls + 2),
                            until: (dice.below(2) == 0).then_some(until),
                        };
                        ledger.learn(&lesson, &limits, now);
                    }
                    _ => {
                        let before = ledger.left(&limits, now);
                        match ledger.take(1, &limits, now) {
                            Ok(()) => *given.entry(period(per, now).0).or_default() += 1,
                            Err(refused) => {
                                assert!(refused.moment > now, "{seed} {per:?}");
                                assert_eq!(before[0].calls, 0, "{seed} {per:?}: what is left is what it gives");
                            }
                        }
                    }
                }
            }
            assert!(given.values().all(|given| *given <= calls), "seed {seed}, {per:?}: {given:?}");
            (periods, full) = (periods + given.len(), full + given.values().filter(|given| **given == calls).count());
        }
        assert!(periods > 400 && full > 20, "{per:?}: it gave so little that nothing is shown: {periods}, {full}");
    }
}

#[test]
fn a_clock_that_was_wrong_by_far_silences_nobody_for_long() {
    let limits = [limit(5, Period::Day)];
    let mut ledger = Purse::default();
    let next_year = at(365 * DAY);
    assert_eq!(drain(&mut ledger, &limits, next_year), 5);
    assert_eq!(until(&mut ledger, &limits, at(0)), at(DAY / 2), "what was spent was spent today");
    assert_eq!(drain(&mut ledger, &limits, at(DAY / 2)), 5);
}

#[test]
fn a_refusal_shuts_its_period_until_the_moment_that_it_names() {
    let (mut ledger, limits) = (Purse::default(), watt());
    ledger.take(1, &limits, at(5)).unwrap();
    // Our clock is five seconds ahead of theirs.
    let lesson = Lesson { per: Some(Period::Minute), of: Some(10), left: None, until: Some(at(65)) };
    assert_eq!(ledger.learn(&lesson, &limits, at(5)), None);
    assert_eq!(until(&mut ledger, &limits, at(64)), at(65));
    assert_eq!(ledger.left(&limits, at(64)).iter().map(|left| left.calls).collect::<Vec<_>>(), [0, 999]);
    assert!(ledger.take(1, &limits, at(65)).is_ok());
}

#[test]
fn a_refusal_about_a_month_that_is_over_by_our_clock_costs_a_minute_and_not_a_month() {
    let (mut ledger, limits) = (Purse::default(), watt());
    let now = NOVEMBER_ENDS.after(Duration::from_secs(2));
    let lesson = Lesson { per: Some(Period::Month), of: Some(1000), left: None, until: Some(NOVEMBER_ENDS) };
    ledger.learn(&lesson, &limits, now);
    assert_eq!(until(&mut ledger, &limits, now), now.after(limits::BUDGET_REST));
}

#[test]
fn no_refusal_shuts_for_longer_than_its_period() {
    let (mut ledger, limits) = (Purse::default(), watt());
    let lesson = Lesson { per: Some(Period::Minute), until: Some(at(365 * DAY)), ..Lesson::default() };
    ledger.learn(&lesson, &limits, at(5));
    assert_eq!(until(&mut ledger, &limits, at(5)), at(65));
    let no_period = Lesson { until: Some(at(365 * DAY)), ..Lesson::default() };
    ledger.learn(&no_period, &limits, at(5));
    assert_eq!(until(&mut ledger, &limits, at(5)), at(5).after(limits::UPSTREAM_WAIT_MAX));
}

#[test]
fn a_refusal_without_a_reason_is_a_rest_of_a_minute_and_of_one_job_after_the_other() {
    let limits = [limit(2, Period::Second)];
    let mut ledger = Purse::default();
    ledger.learn(&Lesson::default(), &limits, at(0));
    let places: Vec<_> = (0..5).map(|_| ledger.place(&limits, at(1))).collect();
    assert_eq!(places, [at(60), at(60), at(61), at(61), at(62)]);
    assert_eq!(ledger.left(&limits, at(1)), [Left { per: Period::Second, calls: 0, of: 2, ends: at(60) }]);
    let (mut again, _) = Purse::read(&ledger.json(), &limits, at(2));
    assert_eq!(until(&mut again, &limits, at(2)), at(60), "a restart does not end the rest");
    assert_eq!(drain(&mut again, &limits, at(60)), 2);
}

#[test]
fn a_live_figure_takes_calls_away_and_gives_none_back() {
    let (mut ledger, limits) = (Purse::default(), watt());
    let says = |left| Lesson { per: Some(Period::Month), left: Some(left), ..Lesson::default() };
    let left = |ledger: &Purse| ledger.left(&limits, at(0))[1].calls;
    ledger.learn(&says(700), &limits, at(0));
    assert_eq!(left(&ledger), 700, "others ask with the same key");
    ledger.learn(&says(900), &limits, at(0));
    assert_eq!(left(&ledger), 700);
    let unknown = Lesson { per: Some(Period::Day), left: Some(3), ..Lesson::default() };
    ledger.learn(&unknown, &limits, at(0));
    assert!(ledger.take(1, &limits, at(0)).is_ok(), "what is left of a limit that we do not count is no refusal");
}

#[test]
fn a_smaller_limit_is_believed_for_the_rest_of_its_period() {
    let (mut ledger, limits) = (Purse::default(), watt());
    let lesson = Lesson { per: Some(Period::Minute), of: Some(5), left: Some(4), until: None };
    let news = ledger.learn(&lesson, &limits, at(0));
    assert_eq!(news.unwrap(), "it allows 5 calls in this minute; the configuration says 10");
    assert_eq!(ledger.learn(&lesson, &limits, at(0)), None, "it is news once");
    assert_eq!(drain(&mut ledger, &limits, at(1)), 4);
    assert_eq!(drain(&mut ledger, &limits, at(60)), 10);
    let larger = Lesson { of: Some(300), ..lesson };
    ledger.learn(&larger, &limits, at(120));
    assert_eq!(drain(&mut ledger, &limits, at(120)), 4, "a larger one is for the configuration to say");
}

#[test]
fn a_ledger_that_was_lost_neither_silences_nor_spends_twice() {
    let limits = [limit(10, Period::Minute), limit(300, Period::Month)];
    let (ledger, fault) = Purse::read(b"{\"month\":7", &limits, at(30));
    assert!(fault.is_some());
    let calls: Vec<_> = ledger.left(&limits, at(30)).iter().map(|left| left.calls).collect();
    assert_eq!(calls, [0, 204], "of thirty days, nine and a half are over");
    let (newer, fault) = Purse::read(b"{\"hour\":{\"used\":3}}", &limits, at(30));
    assert_eq!((newer, fault), (Purse::default(), None), "what a newer version adds is no damage");
}

#[test]
fn that_a_month_will_not_do_is_foretold_three_days_before() {
    let limits = [limit(1000, Period::Month)];
    // On the tenth of the month: 1000 calls last for five days.
    let (mut ledger, mut told) = (Purse::default(), None);
    for call in 0..1000 {
        let now = at(call * 5 * DAY / 1000);
        ledger.take(1, &limits, now).unwrap();
        told = told.or_else(|| ledger.forecast(&limits, now).map(|end| (now, end)));
    }
    let (when, end) = told.unwrap();
    let gone = at(5 * DAY);
    assert!(when < at(2 * DAY), "{when:?}");
    assert!(end.since(gone) < Duration::from_secs(3600) && gone.since(end) < Duration::from_secs(3600), "{end:?}");
}

#[test]
fn a_pace_that_lasts_is_not_warned_of_and_a_burst_at_first_neither() {
    let limits = [limit(1000, Period::Month)];
    let mut ledger = Purse::default();
    for call in 0..10 {
        ledger.take(1, &limits, at(call)).unwrap();
        assert_eq!(ledger.forecast(&limits, at(call)), None);
    }
    for hour in 1..400 {
        ledger.take(1, &limits, at(hour * 3600)).unwrap();
        assert_eq!(ledger.forecast(&limits, at(hour * 3600)), None, "{hour}");
    }
}

#[test]
fn no_clock_is_too_strange() {
    let limits = [1, 2, 3, 4].map(|_| watt()).concat();
    for now in [i64::MIN, -1, 0, 253_402_300_799_000, 253_402_300_800_000, i64::MAX - 1, i64::MAX] {
        let mut ledger = Purse::default();
        for _ in 0..50 {
            let _ = ledger.take(1, &limits, Moment(now));
        }
        let lesson = Lesson { per: Some(Period::Month), of: Some(0), left: None, until: Some(Moment(i64::MAX)) };
        ledger.learn(&lesson, &limits, Moment(now));
        let _ = (ledger.left(&limits, NOON), ledger.forecast(&limits, Moment(now)), ledger.take(1, &limits, NOON));
    }
}
