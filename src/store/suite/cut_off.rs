//! What every store must do with an event that was under way when ackd ended: hand it out again, later each time, and give
//! it up in the end, since it may be the cause.

use super::*;

every_store! {
    bring_back_what_was_cut_off_later_each_time_and_give_it_up_in_the_end
    let_others_go_on_while_what_was_cut_off_waits
    count_anew_what_came_back_in_between
    call_a_reply_unknown_that_was_cut_off_too_often_and_go_on_with_the_next
    give_up_what_is_said_of_our_own_accord_as_well
    say_what_waits_behind_an_event_that_is_given_up
    call_a_reply_answered_that_was_proved_while_it_waited
    give_up_the_cause_and_not_what_was_beside_it
    count_the_cut_offs_of_a_reply_from_when_it_was_made
    give_up_nothing_that_goes_on_a_little_in_each_life
    count_nothing_that_was_taken_back
    take_up_suspects_one_at_a_time_however_long_ackd_was_down
    hear_what_waits_behind_a_push_that_is_given_up
}

/// ackd starts, does this, and ends.
fn live<T>(fixture: &mut impl Fixture, mut steps: impl FnMut(&mut Desk<'_>) -> T) -> T {
    let mut came = None;
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        came = Some(steps(&mut desk));
        desk.store.commit().unwrap();
    });
    came.unwrap()
}

/// ackd starts, hands out what is due, and ends; how long after its start it had something to hand out.
fn cut_off(fixture: &mut impl Fixture, now: &mut Moment) -> Duration {
    let began = *now;
    live(fixture, |desk| {
        if desk.lease(&free(), *now).is_none() {
            *now = desk.next_due(*now).expect("nothing is due any more");
            assert!(desk.lease(&free(), *now).is_some(), "not even when it is due");
        }
    });
    now.since(began)
}

/// The same so many times; when the last one was.
fn cut_off_often(fixture: &mut impl Fixture, times: u32) -> Moment {
    let mut now = NOW;
    for _ in 0..times {
        cut_off(fixture, &mut now);
    }
    now
}

impl Desk<'_> {
    fn next_due(&mut self, now: Moment) -> Option<Moment> {
        self.store.next_due(self.channel, Wanted::Any, now).unwrap()
    }

    fn push(&mut self, to: &str) -> EventKey {
        self.store.push(self.channel, "p1", &[Reply::text(to, "hello")], NOW).unwrap()
    }

    /// Events of sixteen people.
    fn admit_many(&mut self) -> Vec<EventKey> {
        (1..=16).map(|place| self.admit(&format!("m{place}"), &format!("c{place}"))).collect()
    }

    /// So many workers hear what is due, all in a blink, until there is nothing, or until one of them has the event that ends
    /// ackd; whether it has.
    fn hear_until_the_end(&mut self, cause: EventKey, workers: usize, now: Moment) -> bool {
        loop {
            let (mut busy, mut out) = (free(), Vec::new());
            while let Some(lease) = if out.len() < workers { self.lease(&busy, now) } else { None } {
                busy.insert(lease.lane);
                out.push(lease);
            }
            self.store.commit().unwrap();
            let ends = out.iter().any(|lease| lease.event == cause);
            if ends || out.is_empty() {
                return ends;
            }
            for lease in out {
                assert_eq!(self.hear(&lease, &[], false, now), None);
            }
            self.store.commit().unwrap();
        }
    }

    fn places_of_dead(&mut self, events: &[EventKey]) -> Vec<i64> {
        let dead = events.iter().filter(|event| self.state(**event) == State::Dead);
        dead.map(|event| event.place()).collect()
    }
}

fn bring_back_what_was_cut_off_later_each_time_and_give_it_up_in_the_end(fixture: &mut impl Fixture) {
    let event = live(fixture, |desk| [desk.admit("a1", "anna"), desk.admit("a2", "anna")][0]);
    let mut now = NOW;
    let waits: Vec<_> = (0..limits::CUT_OFFS_MAX).map(|_| cut_off(fixture, &mut now)).collect();
    assert_eq!(waits[..2], [Duration::ZERO; 2], "most often it was a power cut");
    assert_eq!(waits[2], limits::RETRY_DELAY);
    assert!(waits[2..].windows(2).all(|pair| pair[1] == pair[0] * 2), "{waits:?}");
    live(fixture, |desk| {
        let far = now.after(limits::RETRY_DELAY_MAX);
        assert_eq!(desk.work_off(far), ["a2"], "the next one of the conversation goes on");
        let life = desk.life(event);
        assert_eq!(life.state, State::Dead);
        assert_eq!(life.why.unwrap(), "ackd ended 10 times in a row while it was under way; the log may say why");
    });
}

fn let_others_go_on_while_what_was_cut_off_waits(fixture: &mut impl Fixture) {
    let event = live(fixture, |desk| desk.admit("a1", "anna"));
    let now = cut_off_often(fixture, 4);
    live(fixture, |desk| {
        desk.admit("b1", "ben");
        assert_eq!(desk.work_off(now), ["b1"]);
        let why = desk.life(event).why;
        assert_eq!(why.as_deref(), Some("taken up again after ackd ended 3 times in a row while it was under way"));
        let due = desk.next_due(now).unwrap();
        assert_eq!(due.since(now), Duration::from_secs(4));
        assert_eq!(desk.work_off(due), ["a1"]);
        let life = desk.life(event);
        assert_eq!((life.state, life.why), (State::Answered, None));
    });
}

fn count_anew_what_came_back_in_between(fixture: &mut impl Fixture) {
    live(fixture, |desk| desk.admit("a1", "anna"));
    let mut now = cut_off_often(fixture, limits::CUT_OFFS_MAX - 1);
    live(fixture, |desk| {
        now = desk.next_due(now).unwrap();
        let lease = desk.lease(&free(), now).unwrap();
        desk.hear_later(&lease, now, now);
    });
    assert_eq!([cut_off(fixture, &mut now), cut_off(fixture, &mut now)], [Duration::ZERO; 2]);
    assert!(cut_off(fixture, &mut now) <= limits::RETRY_DELAY);
}

fn call_a_reply_unknown_that_was_cut_off_too_often_and_go_on_with_the_next(fixture: &mut impl Fixture) {
    let event = live(fixture, |desk| {
        let event = desk.admit("a1", "anna");
        let heard = desk.lease(&free(), NOW).unwrap();
        assert!(desk.hear(&heard, &["one", "two"], true, NOW).is_some(), "the same worker says it");
        event
    });
    // The worker had it once before.
    let now = cut_off_often(fixture, limits::CUT_OFFS_MAX - 1);
    live(fixture, |desk| {
        let now = desk.next_due(now).unwrap();
        let two = desk.lease(&free(), now).unwrap();
        assert_eq!((part_of(&two), desk.sent(&two, delivered(), now)), (2, None));
        let life = desk.life(event);
        assert_eq!(life.state, State::Unknown);
        let states: Vec<_> = life.replies.iter().map(|reply| reply.state).collect();
        assert_eq!(states, [State::Unknown, State::Answered]);
        assert_eq!(life.replies[0].attempts.len(), limits::CUT_OFFS_MAX as usize);
        assert!(life.replies[0].attempts.iter().all(|attempt| attempt.words.contains("cut off")));
    });
}

fn give_up_what_is_said_of_our_own_accord_as_well(fixture: &mut impl Fixture) {
    let event = live(fixture, |desk| desk.push("anna"));
    let now = cut_off_often(fixture, limits::CUT_OFFS_MAX);
    live(fixture, |desk| {
        assert_eq!(desk.lease(&free(), now.after(limits::RETRY_DELAY_MAX)), None);
        assert_eq!(desk.state(event), State::Unknown);
    });
}

fn say_what_waits_behind_an_event_that_is_given_up(fixture: &mut impl Fixture) {
    let push = live(fixture, |desk| {
        desk.admit("a1", "anna");
        assert!(desk.lease(&free(), NOW).is_some());
        let push = desk.push("anna");
        let busy = HashSet::from([lane(desk.channel, "anna")]);
        assert_eq!(desk.lease(&busy, NOW), None);
        push
    });
    let now = cut_off_often(fixture, limits::CUT_OFFS_MAX - 1).after(limits::RETRY_DELAY_MAX);
    let lease = live(fixture, |desk| desk.lease(&free(), now));
    assert_eq!(lease.map(|lease| lease.event), Some(push), "it is due, and nobody would be woken");
}

fn call_a_reply_answered_that_was_proved_while_it_waited(fixture: &mut impl Fixture) {
    let event = live(fixture, |desk| desk.push("anna"));
    let now = cut_off_often(fixture, limits::CUT_OFFS_MAX);
    live(fixture, |desk| {
        let proves = Some(tag(desk.store.identity(), event, 1));
        let echo = Arrival { fate: Fate::Ignore("an echo"), proves, ..arrival("e1", "anna") };
        desk.store.admit(desk.channel, &echo, now, now).unwrap();
        assert_eq!(desk.lease(&free(), now.after(limits::RETRY_DELAY_MAX)), None);
        assert_eq!(desk.state(event), State::Answered);
    });
}

fn give_up_the_cause_and_not_what_was_beside_it(fixture: &mut impl Fixture) {
    let events = live(fixture, |desk| desk.admit_many());
    let mut now = NOW;
    for _ in 0..40 {
        live(fixture, |desk| {
            while !desk.hear_until_the_end(events[0], usize::MAX, now) {
                let Some(due) = desk.next_due(now) else { break };
                now = due;
            }
        });
        now = now.after(Duration::from_millis(300));
    }
    assert_eq!(live(fixture, |desk| desk.places_of_dead(&events)), [1]);
}

fn count_the_cut_offs_of_a_reply_from_when_it_was_made(fixture: &mut impl Fixture) {
    let event = live(fixture, |desk| desk.admit("a1", "anna"));
    let now = cut_off_often(fixture, limits::CUT_OFFS_MAX - 1);
    let now = live(fixture, |desk| {
        let now = desk.next_due(now).unwrap();
        let heard = desk.lease(&free(), now).unwrap();
        assert!(desk.hear(&heard, &["one"], true, now).is_some());
        now
    });
    live(fixture, |desk| {
        let lease = desk.lease(&free(), now.after(limits::RETRY_DELAY_MAX));
        assert!(lease.is_some(), "given up at its first cut-off: {:?}", desk.life(event));
    });
}

fn give_up_nothing_that_goes_on_a_little_in_each_life(fixture: &mut impl Fixture) {
    let event = live(fixture, |desk| {
        let event = desk.admit("a1", "anna");
        let heard = desk.lease(&free(), NOW).unwrap();
        let one = desk.hear(&heard, &["words"; 15], true, NOW).unwrap();
        assert!(desk.sent(&one, delivered(), NOW).is_some());
        event
    });
    let mut now = NOW;
    for _ in 0..12 {
        now = now.after(limits::RETRY_DELAY_MAX);
        live(fixture, |desk| {
            let Some(lease) = desk.lease(&free(), now) else { return };
            desk.sent(&lease, delivered(), now);
        });
    }
    let life = live(fixture, |desk| desk.life(event));
    let states: Vec<_> = life.replies.iter().map(|reply| reply.state).collect();
    assert!(!states.contains(&State::Unknown), "{states:?}");
}

fn count_nothing_that_was_taken_back(fixture: &mut impl Fixture) {
    live(fixture, |desk| desk.admit("a1", "anna"));
    let now = cut_off_often(fixture, 6);
    live(fixture, |desk| {
        assert_eq!(desk.lease(&free(), now), None);
        let due = desk.next_due(now).unwrap();
        for _ in 0..30 {
            assert!(desk.lease(&free(), due).is_some());
            desk.store.roll_back();
        }
        assert_eq!(desk.lease(&free(), now), None);
        assert_eq!(desk.next_due(now), Some(due));
        assert_eq!(desk.work_off(due), ["a1"]);
        desk.store.roll_back();
        assert_eq!(desk.work_off(due), ["a1"]);
    });
}

fn hear_what_waits_behind_a_push_that_is_given_up(fixture: &mut impl Fixture) {
    live(fixture, |desk| {
        desk.push("anna");
        desk.admit("a1", "anna");
    });
    let far = cut_off_often(fixture, limits::CUT_OFFS_MAX).after(limits::RETRY_DELAY_MAX);
    live(fixture, |desk| {
        assert_eq!(desk.store.lease(desk.channel, Wanted::Sends, &free(), far).unwrap(), None);
        desk.store.commit().unwrap();
        assert_eq!(desk.work_off(far), ["a1"]);
    });
}

fn take_up_suspects_one_at_a_time_however_long_ackd_was_down(fixture: &mut impl Fixture) {
    let events = live(fixture, |desk| desk.admit_many());
    let mut now = NOW;
    for _ in 0..14 {
        live(fixture, |desk| desk.hear_until_the_end(events[3], 4, now));
        now = now.after(Duration::from_secs(3600));
    }
    live(fixture, |desk| {
        assert_eq!(desk.places_of_dead(&events), [4]);
        assert!(events.iter().all(|event| desk.state(*event) != State::Open));
    });
}
