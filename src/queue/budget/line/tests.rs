use super::*;
use crate::luck::Luck;
use crate::model::{Lesson, Period};
use std::time::Duration;

/// 2026-11-10 12:00:00 UTC.
const NOON: Moment = Moment(1_794_312_000_000);
const MINUTE_MS: i64 = 60_000;

fn at(seconds: u64) -> Moment {
    NOON.after(Duration::from_secs(seconds))
}

fn limit(calls: u32, per: Period) -> Limit {
    Limit { calls, per }
}

/// A line and its ledger.
struct Counter {
    limits: Vec<Limit>,
    ledger: Ledger,
    line: Line,
}

impl Counter {
    fn of(limits: &[Limit]) -> Counter {
        Counter { limits: limits.to_vec(), ledger: Ledger::default(), line: Line::new(limits) }
    }

    /// So many calls a minute.
    fn minutely(calls: u32) -> Counter {
        Counter::of(&[limit(calls, Period::Minute)])
    }

    fn pay(&mut self, event: i64, calls: u32, now: Moment) -> Result<(), Moment> {
        let paid = self.line.pay(&mut self.ledger, Some(EventKey(event)), calls, now);
        paid.map_err(|refused| {
            assert!(refused.moment > now, "{event} is told to come at {refused:?}, and that is not later");
            refused.moment
        })
    }

    /// The event pays, and its hearing is over.
    fn is_served(&mut self, event: i64, calls: u32, now: Moment) -> bool {
        let paid = self.pay(event, calls, now);
        self.line.heard(EventKey(event), paid.is_ok());
        paid.is_ok()
    }

    fn learn(&mut self, left: u32, now: Moment) {
        let lesson = Lesson { per: Some(Period::Minute), left: Some(left), ..Lesson::default() };
        self.ledger.learn(&lesson, &self.limits, now);
    }

    fn left(&mut self, now: Moment) -> Vec<u32> {
        self.line.left(&self.ledger, &self.limits, now).iter().map(|left| left.calls).collect()
    }
}

#[test]
fn a_newcomer_takes_no_call_that_somebody_was_promised() {
    let mut counter = Counter::minutely(5);
    assert!(counter.is_served(1, 5, at(0)));
    assert_eq!((counter.pay(2, 4, at(1)), counter.pay(3, 4, at(1))), (Err(at(60)), Err(at(120))));
    assert_eq!(counter.pay(4, 4, at(60)), Err(at(180)), "the newcomer is behind the others");
    assert!(counter.is_served(5, 1, at(60)), "one call is promised to nobody");
    assert_eq!(counter.pay(6, 1, at(61)), Err(at(120)), "there is one more to promise");
    assert!(counter.is_served(2, 4, at(115)));
    assert!(counter.is_served(3, 4, at(120)) && counter.is_served(4, 4, at(180)));
}

#[test]
fn what_is_left_of_a_day_is_had_in_its_next_minute_by_whoever_needs_no_more() {
    let mut counter = Counter::of(&[limit(8, Period::Minute), limit(10, Period::Day)]);
    assert!(counter.is_served(1, 8, at(0)));
    let midnight = at(12 * 3600);
    assert_eq!(counter.pay(2, 3, at(1)), Err(midnight));
    assert_eq!(counter.pay(3, 1, at(1)), Err(at(60)), "not the last minute of the day");
    assert_eq!((counter.pay(4, 3, at(1)), counter.pay(5, 1, at(1))), (Err(midnight), Err(at(60))));
    assert!(counter.is_served(3, 1, at(60)) && counter.is_served(5, 1, at(60)));
    assert_eq!(counter.pay(6, 1, at(61)), Err(midnight));
    assert!(counter.is_served(2, 3, midnight) && counter.is_served(4, 3, midnight));
}

#[test]
fn whoever_finds_less_than_was_promised_is_first_in_the_next_period() {
    let mut counter = Counter::minutely(4);
    assert!(counter.is_served(1, 4, at(0)));
    let told: Vec<_> = (2..8).map(|event| counter.pay(event, 2, at(1)).unwrap_err()).collect();
    assert_eq!(told, [60, 60, 120, 120, 180, 180].map(at));
    counter.learn(1, at(60));
    assert_eq!((counter.pay(2, 2, at(60)), counter.pay(3, 2, at(60))), (Err(at(120)), Err(at(120))));
    assert_eq!(counter.pay(9, 2, at(61)), Err(at(300)), "the end of the line has moved, too");
    assert_eq!((counter.pay(4, 2, at(120)), counter.pay(5, 2, at(120))), (Err(at(180)), Err(at(180))));
    assert!(counter.is_served(2, 2, at(121)) && counter.is_served(3, 2, at(122)));
    assert!(counter.is_served(4, 2, at(180)) && counter.is_served(5, 2, at(181)));
}

#[test]
fn a_rest_delays_all_and_changes_no_order() {
    let mut counter = Counter::minutely(2);
    assert!(counter.is_served(1, 2, at(0)));
    let told: Vec<_> = (2..6).map(|event| counter.pay(event, 1, at(1)).unwrap_err()).collect();
    assert_eq!(told, [60, 60, 120, 120].map(at));
    counter.ledger.learn(&Lesson::default(), &counter.limits, at(59));
    // It wants nothing until 119.
    assert_eq!((counter.pay(2, 1, at(60)), counter.pay(3, 1, at(60))), (Err(at(119)), Err(at(119))));
    assert!(counter.is_served(2, 1, at(119)) && counter.is_served(4, 1, at(120)) && counter.is_served(3, 1, at(120)));
}

#[test]
fn a_reservation_that_never_fits_is_told_so_and_gets_no_place() {
    let limits = [limit(60, Period::Minute), limit(3000, Period::Day)];
    let why = "100 calls at once never fit into the 60 that it allows in a minute; reserve fewer";
    assert_eq!((misfit(100, &limits).as_deref(), misfit(60, &limits)), (Some(why), None));
    let mut counter = Counter::of(&limits);
    assert!(counter.pay(1, 100, at(0)).is_err());
    assert!(counter.is_served(2, 60, at(0)));
    assert!(counter.line.waiters.is_empty());
}

#[test]
fn a_place_fits_into_every_limit() {
    let mut counter = Counter::of(&[limit(10, Period::Day), limit(4, Period::Minute)]);
    let told: Vec<_> = (1..7).map(|event| counter.pay(event, 4, at(0)).err()).collect();
    let midnight = 12 * 3600;
    assert_eq!(told[..3], [None, Some(at(60)), Some(at(midnight))], "two calls of the day are no answer");
    assert_eq!(told[3..], [Some(at(midnight + 60)), Some(at(36 * 3600)), Some(at(36 * 3600 + 60))]);
    assert_eq!(counter.left(at(0)), [0, 2], "what is promised is as good as spent");
    assert!(counter.is_served(9, 2, at(120)), "what is promised to nobody is for newcomers");
}

#[test]
fn the_turn_of_whoever_comes_late_is_kept_and_no_calls_with_it() {
    let mut counter = Counter::minutely(2);
    assert!(counter.is_served(1, 2, at(0)));
    let told: Vec<_> = (2..5).map(|event| counter.pay(event, 2, at(1)).unwrap_err()).collect();
    assert_eq!(told, [60, 120, 180].map(at));
    assert_eq!(counter.left(at(119)), [0], "its calls are held in its minute");
    // Two minutes late it comes before the one whose place this is.
    assert!(counter.is_served(2, 2, at(181)));
    assert_eq!(counter.pay(4, 2, at(182)), Err(at(240)));
    assert!(counter.is_served(3, 2, at(240)));
}

#[test]
fn who_never_comes_back_is_forgotten_and_holds_nothing() {
    let mut counter = Counter::minutely(2);
    assert!(counter.is_served(1, 2, at(0)));
    assert!(counter.pay(2, 2, at(1)).is_err() && counter.pay(3, 2, at(1)).is_err());
    let grace = limits::BUDGET_GRACE.as_secs();
    assert_eq!(counter.left(at(180)), [2]);
    assert!(counter.is_served(4, 1, at(120 + grace + 61)));
    assert!(counter.line.waiters.is_empty() && counter.line.tickets.is_empty());
    assert!(counter.line.books.iter().all(|book| book.sums.is_empty()));
}

#[test]
fn who_wants_nothing_any_more_gives_its_calls_to_others() {
    let mut counter = Counter::minutely(4);
    assert!(counter.is_served(1, 4, at(0)));
    assert!(counter.pay(2, 4, at(1)).is_err());
    counter.line.heard(EventKey(2), false);
    assert_eq!(counter.left(at(60)), [0], "an answer that goes on later keeps its place");
    counter.line.heard(EventKey(2), true);
    assert_eq!((counter.left(at(60)), counter.pay(3, 4, at(60))), (vec![4], Ok(())));
}

#[test]
fn what_a_hearing_asks_beyond_its_reservation_goes_before_everybody() {
    let mut counter = Counter::minutely(4);
    assert!(counter.is_served(1, 4, at(0)));
    assert_eq!((counter.pay(2, 2, at(1)), counter.pay(3, 2, at(1))), (Err(at(60)), Err(at(60))));
    counter.pay(2, 2, at(60)).unwrap();
    counter.pay(2, 1, at(61)).unwrap();
    assert_eq!(counter.pay(3, 2, at(62)), Err(at(120)), "it has its turn a minute later");
    counter.pay(2, 1, at(63)).unwrap();
    assert_eq!(counter.pay(2, 1, at(64)), Err(at(120)), "then it is the first of all");
    counter.line.heard(EventKey(2), false);
    assert!(counter.is_served(2, 1, at(120)) && counter.is_served(3, 2, at(120)));
    assert!(counter.is_served(4, 1, at(120)));
    assert_eq!(counter.pay(5, 4, at(121)), Err(at(180)));
    assert_eq!(counter.pay(2, 1, at(121)), Err(at(240)), "in its next hearing it is a newcomer");
}

#[test]
fn who_asks_for_more_than_before_keeps_its_turn() {
    let mut counter = Counter::minutely(4);
    assert!(counter.is_served(1, 4, at(0)));
    let told: Vec<_> = (2..6).map(|event| counter.pay(event, 2, at(1)).unwrap_err()).collect();
    assert_eq!(told, [60, 60, 120, 120].map(at));
    assert!(counter.is_served(2, 4, at(60)));
    assert_eq!(counter.pay(3, 2, at(60)), Err(at(120)));
    assert_eq!(counter.pay(5, 2, at(120)), Err(at(180)), "the last of the two gives way");
    assert!(counter.is_served(3, 2, at(121)) && counter.is_served(4, 2, at(122)));
}

#[test]
fn who_asks_for_more_before_its_place_is_told_at_once_when_it_is_later() {
    let mut counter = Counter::minutely(4);
    assert!(counter.is_served(1, 4, at(0)));
    let told: Vec<_> = (2..4).map(|event| counter.pay(event, 2, at(1)).unwrap_err()).collect();
    assert_eq!((told, counter.pay(3, 4, at(2))), (vec![at(60), at(60)], Err(at(120))));
}

#[test]
fn nobody_is_planned_for_a_minute_before_it_was_told_to_come() {
    let mut counter = Counter::minutely(4);
    assert!(counter.is_served(1, 4, at(0)));
    let told: Vec<_> = (2..6).map(|event| counter.pay(event, 4, at(1)).unwrap_err()).collect();
    assert_eq!(told, [60, 120, 180, 240].map(at));
    counter.line.heard(EventKey(3), true);
    counter.line.heard(EventKey(4), true);
    counter.learn(0, at(60));
    assert_eq!(counter.pay(2, 4, at(60)), Err(at(120)));
    assert!(counter.is_served(2, 4, at(120)));
    assert_eq!(counter.left(at(240)), [0], "there its calls are held, and not sooner");
    assert_eq!(counter.left(at(180)), [4]);
}

#[test]
fn a_payment_that_the_disk_did_not_take_costs_nobody_its_turn() {
    let mut counter = Counter::minutely(2);
    assert!(counter.is_served(1, 2, at(0)));
    counter.line.keep();
    assert_eq!((counter.pay(2, 2, at(1)), counter.pay(3, 2, at(1))), (Err(at(60)), Err(at(120))));
    let before = counter.ledger.clone();
    counter.pay(2, 2, at(60)).unwrap();
    counter.ledger = before;
    counter.line.take_back();
    assert_eq!(counter.pay(4, 1, at(61)), Err(at(180)), "its calls are still held");
    assert!(counter.is_served(2, 2, at(65)));
    counter.line.keep();
    counter.line.take_back();
    assert_eq!(counter.line.waiters.len(), 2, "what was kept is not taken back");
}

#[test]
fn a_few_calls_that_were_too_few_for_others_are_promised_to_who_fits() {
    let mut counter = Counter::minutely(5);
    assert!(counter.is_served(1, 5, at(0)));
    let told: Vec<_> =
        [4, 4, 1, 1, 1].into_iter().zip(2..).map(|(calls, event)| counter.pay(event, calls, at(1))).collect();
    assert_eq!(told, [60, 120, 60, 120, 180].map(|seconds| Err(at(seconds))));
}

#[test]
fn a_clock_that_was_set_back_leaves_no_promise_that_is_far_away() {
    let mut counter = Counter::minutely(1);
    let next_year = at(365 * 24 * 3600);
    assert!(counter.is_served(1, 1, next_year));
    assert!((2..20).all(|event| !counter.is_served(event, 1, next_year)));
    counter.pay(30, 1, at(0)).unwrap_err();
    assert_eq!(counter.pay(31, 1, at(60)), Err(at(120)), "one was told before it");
    assert!(counter.line.waiters.len() == 2);
}

#[test]
fn the_line_has_an_end_and_a_payment_looks_at_few_of_it() {
    let mut counter = Counter::of(&[limit(60, Period::Minute), limit(3000, Period::Day), limit(90_000, Period::Month)]);
    assert!(counter.is_served(0, 60, at(0)));
    let many = i64::try_from(limits::BUDGET_LINE_MAX).unwrap();
    let first = counter.pay(1, 1, at(1)).unwrap_err();
    (2..=many).for_each(|event| assert!(counter.pay(event, 1, at(1)).unwrap_err() >= first));
    let last = counter.line.waiters.back().unwrap().place;
    let (one, other) = (counter.pay(many + 1, 1, at(1)), counter.pay(many + 2, 1, at(1)));
    assert_eq!((one, other), (Err(last), Err(last)), "it is told a far place, and promised none");
    assert_eq!(counter.line.waiters.len(), limits::BUDGET_LINE_MAX);
    assert!(size_of::<Waiter>() <= 40, "{}", size_of::<Waiter>());
}

/// Somebody who asks.
#[derive(Clone, Default)]
struct Asker {
    calls: u32,
    /// When it comes next; `None` when it does not.
    due: Option<Moment>,
    asked: Option<Moment>,
    /// What it was told when it asked first.
    told: Option<Moment>,
    /// When it paid first.
    turn: Option<Moment>,
    served: Option<Moment>,
    /// Its worker was a whole period late once.
    was_late: bool,
    is_gone: bool,
    /// It came before its place and found calls that were promised to nobody.
    was_lucky: bool,
}

/// A thousand of them.
struct Crowd {
    luck: Luck,
    counter: Counter,
    askers: Vec<Asker>,
    /// Paid in each minute from noon on.
    paid: Vec<u32>,
    /// Promised in each minute to whoever did not come then.
    missed: Vec<u32>,
    /// Minutes in which not all calls could be used.
    disturbed: Vec<bool>,
    restarted: bool,
}

fn minute(moment: Moment) -> usize {
    usize::try_from((moment.0 - NOON.0) / MINUTE_MS).unwrap()
}

impl Crowd {
    fn new(luck: Luck) -> Crowd {
        let counter = Counter::of(&[limit(60, Period::Minute), limit(3000, Period::Day)]);
        let many = 240;
        let (paid, missed, disturbed) = (vec![0; many], vec![0; many], vec![false; many]);
        let mut crowd = Crowd { luck, counter, askers: Vec::new(), paid, missed, disturbed, restarted: false };
        // Half of them at once, the others in a quarter of an hour.
        for number in 0..1000 {
            let spread = if number < 500 { 5_000 } else { 15 * 60_000 };
            let due = Some(NOON.after(Duration::from_millis(crowd.luck.below(spread))));
            let calls = 1 + crowd.luck.below(4) as u32;
            crowd.askers.push(Asker { calls, due, ..Asker::default() });
        }
        crowd
    }

    /// Until nobody waits any more; the moments in between are handed to `meanwhile`.
    fn play(&mut self, is_rough: bool, meanwhile: impl Fn(&mut Crowd, Moment)) {
        let mut last = NOON;
        while let Some((now, number)) = self.next() {
            assert!(minute(now) < self.paid.len(), "somebody starves");
            if minute(now) > minute(last) {
                self.count_missed(last);
                meanwhile(self, now);
            }
            last = now;
            self.comes(number, is_rough, now);
            self.counter.line.keep();
        }
    }

    /// What was held in this minute for those who did not come.
    fn count_missed(&mut self, last: Moment) {
        for waiter in self.counter.line.waiters.iter().filter(|waiter| waiter.place >= NOON) {
            let asker = &self.askers[usize::try_from(waiter.event.0).unwrap()];
            if minute(waiter.place) == minute(last) && (asker.is_gone || asker.was_late) {
                self.missed[minute(last)] += waiter.calls;
            }
        }
    }

    fn next(&self) -> Option<(Moment, usize)> {
        let due = self.askers.iter().enumerate().filter_map(|(number, asker)| Some((asker.due?, number)));
        due.min()
    }

    fn comes(&mut self, number: usize, is_rough: bool, now: Moment) {
        let event = i64::try_from(number).unwrap();
        let calls = self.askers[number].calls;
        self.askers[number].due = None;
        self.askers[number].asked.get_or_insert(now);
        let is_back = self.askers[number].told.is_some();
        if is_rough && is_back && self.luck.one_in(150) {
            // It finds its answer elsewhere.
            self.askers[number].is_gone = true;
            self.missed[minute(now)] += calls;
            self.counter.line.heard(EventKey(event), true);
            return;
        }
        let line = &self.counter.line;
        let place = line.tickets.get(&EventKey(event)).map(|ticket| line.waiters[line.find(*ticket)].place);
        let mut paid = self.counter.pay(event, calls, now);
        self.askers[number].was_lucky |= paid.is_ok() && place.is_some_and(|place| place > now);
        if paid.is_ok() {
            self.paid[minute(now)] += calls;
            // Who comes late takes the place of others, who may be larger, and of whom none is smaller.
            self.missed[minute(now)] += if self.askers[number].was_late { 3 } else { 0 };
            self.askers[number].turn.get_or_insert(now);
            if is_rough && self.luck.one_in(40) {
                // One more than it thought.
                paid = self.counter.pay(event, 1, now);
                self.paid[minute(now)] += u32::from(paid.is_ok());
                self.missed[minute(now)] += 3;
            }
        }
        self.counter.line.heard(EventKey(event), paid.is_ok());
        match paid {
            Ok(()) => self.askers[number].served = Some(now),
            Err(told) => self.waits(number, told, is_rough),
        }
    }

    /// It comes when it was told to, or its worker is late, or it never comes.
    fn waits(&mut self, number: usize, told: Moment, is_rough: bool) {
        let asker = &mut self.askers[number];
        if asker.turn.is_none() {
            asker.told.get_or_insert(told);
        }
        let mut late = self.luck.below(2000);
        if is_rough && self.luck.one_in(30) {
            late = self.luck.below(8000);
        }
        if is_rough && self.luck.one_in(300) {
            (late, asker.was_late) = (60_000 + self.luck.below(60_000), true);
        }
        if is_rough && self.luck.one_in(150) {
            asker.is_gone = true;
            return;
        }
        asker.due = Some(told.after(Duration::from_millis(late)));
    }

    /// Nothing is above a limit, and all of it is used while many wait.
    fn check_calls(&self, is_rough: bool) {
        assert!(self.paid.iter().all(|paid| *paid <= 60), "{:?}", self.paid);
        assert!(self.paid.iter().sum::<u32>() <= 3000);
        let end = self.paid.iter().rposition(|paid| *paid > 0).unwrap();
        let (mut full, mut sum, mut all_missed) = (0, 0, 0);
        for (minute, paid) in self.paid.iter().enumerate().take(end.saturating_sub(3)) {
            if self.disturbed[minute] {
                continue;
            }
            (full, sum, all_missed) = (full + 1, sum + paid, all_missed + self.missed[minute]);
            assert!(is_rough || *paid >= 57, "minute {minute}: {paid}; {:?}", self.paid);
        }
        assert!(full > 20 && (sum + all_missed) * 100 >= full * 60 * 97, "{sum}, {all_missed}: {:?}", self.paid);
        assert!(sum * 100 >= full * 60 * 95, "{sum} in {full} minutes: {:?}", self.paid);
    }

    /// Whoever waited was served in the order of first asking, but for so many minutes.
    fn check_order(&self, slack: usize) {
        let in_turn = |asker: &&Asker| asker.told.is_some() && !asker.was_late && !asker.was_lucky;
        let mut waited: Vec<_> = self.askers.iter().filter(in_turn).collect();
        assert!(waited.len() > 200);
        waited.sort_by_key(|asker| asker.asked);
        let mut latest = 0;
        for asker in waited {
            let Some(turn) = asker.turn else { continue };
            assert!(minute(turn) + slack >= latest, "served in minute {}, after {latest}", minute(turn));
            latest = latest.max(minute(turn));
        }
    }
}

#[test]
fn a_thousand_askers_are_served_in_order_when_they_were_told_and_no_call_is_left_over() {
    let mut luck = Luck::of_the_day();
    for _ in 0..5 {
        let mut crowd = Crowd::new(Luck::of(luck.below(u64::MAX)));
        crowd.play(false, |_, _| {});
        crowd.check_calls(false);
        crowd.check_order(1);
        for asker in &crowd.askers {
            let served = asker.served.unwrap();
            let told = asker.told.unwrap_or(served);
            assert!(told <= served && served.since(told) <= Duration::from_secs(62), "told {told:?}, at {served:?}");
        }
        assert!(crowd.counter.line.waiters.is_empty() && crowd.counter.line.tickets.is_empty());
    }
}

#[test]
fn a_thousand_askers_are_served_whatever_goes_wrong_and_never_above_a_limit() {
    let mut luck = Luck::of_the_day();
    for round in 0..10 {
        let mut crowd = Crowd::new(Luck::of(luck.below(u64::MAX)));
        let (is_rough, restarts) = (round % 2 == 1, round % 4 > 1);
        crowd.play(is_rough, |crowd, now| {
            if crowd.luck.one_in(12) {
                // Somebody else asked with our address, or the upstream wants rest.
                let here = minute(now);
                let left = crowd.luck.below(50) as u32;
                crowd.disturbed[here] = true;
                if crowd.luck.one_in(3) {
                    crowd.ledger_learns(&Lesson::default(), now);
                    crowd.disturbed[here + 1] = true;
                } else {
                    let lesson = Lesson { per: Some(Period::Minute), left: Some(left), ..Lesson::default() };
                    crowd.ledger_learns(&lesson, now);
                }
            }
            if restarts && crowd.luck.one_in(10) {
                let (ledger, fault) = Ledger::read(&crowd.counter.ledger.json(), &crowd.counter.limits, now);
                assert_eq!(fault, None);
                (crowd.counter.ledger, crowd.counter.line) = (ledger, Line::new(&crowd.counter.limits));
                crowd.restarted = true;
            }
        });
        crowd.check_calls(is_rough);
        if !crowd.restarted {
            // A small one may have found a place before a large one, for which the upstream then rests again and again.
            crowd.check_order(6);
        }
        let starved = crowd.askers.iter().filter(|asker| asker.served.is_none() && !asker.is_gone).count();
        assert_eq!(starved, 0);
    }
}

impl Crowd {
    fn ledger_learns(&mut self, lesson: &Lesson, now: Moment) {
        self.counter.ledger.learn(lesson, &self.counter.limits, now);
    }
}
