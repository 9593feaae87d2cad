//! What every store must do with an event that was under way when ackd ended: hand it out again, later each time, and give
//! it up in the end, since it may be the cause.

use super::*;

every_store! {
    bring_back_what_was_cut_off_later_each_time_and_give_it_up_in_the_end
    let_others_go_on_while_what_was_cut_off_waits
    count_anew_what_came_back_in_between
    call_a_reply_unknown_that_was_cut_off_too_often_and_go_on_with_the_next
    give_up_what_is_said_of_our_own_accord_as_well
}

/// ackd starts, hands out what is due, and ends; how long after its start it had something to hand out.
fn cut_off(fixture: &mut impl Fixture, now: &mut Moment) -> Duration {
    let began = *now;
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        if desk.lease(&free(), *now).is_none() {
            *now = desk.store.next_due(desk.channel, Wanted::Any, *now).unwrap().expect("nothing is due any more");
            assert!(desk.lease(&free(), *now).is_some(), "not even when it is due");
        }
        desk.store.commit().unwrap();
    });
    now.since(began)
}

fn bring_back_what_was_cut_off_later_each_time_and_give_it_up_in_the_end(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.admit("a1", "anna");
        desk.admit("a2", "anna");
        desk.store.commit().unwrap();
    });
    let mut now = NOW;
    let waits: Vec<_> = (0..limits::CUT_OFFS_MAX).map(|_| cut_off(fixture, &mut now)).collect();
    assert_eq!(waits[..2], [Duration::ZERO; 2], "most often it was a power cut");
    assert!(waits[2] >= limits::RETRY_DELAY / 2 && waits[2] <= limits::RETRY_DELAY);
    assert!(waits[2..].windows(2).all(|pair| pair[1] >= pair[0] * 3 / 2), "{waits:?}");
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let far = now.after(limits::RETRY_DELAY_MAX);
        assert_eq!(desk.work_off(far), ["a2"], "the next one of the conversation goes on");
        let life = desk.life(EventKey::new(desk.channel, 1));
        assert_eq!(life.state, State::Dead);
        assert_eq!(life.why.unwrap(), "ackd ended 10 times in a row while it was under way; the log says why");
    });
}

fn let_others_go_on_while_what_was_cut_off_waits(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.admit("a1", "anna");
        desk.store.commit().unwrap();
    });
    let mut now = NOW;
    for _ in 0..4 {
        cut_off(fixture, &mut now);
    }
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.admit("b1", "ben");
        assert_eq!(desk.work_off(now), ["b1"]);
        let life = desk.life(EventKey::new(desk.channel, 1));
        assert_eq!(life.why.as_deref(), Some("was under way when ackd ended, 3 times in a row"));
        let due = desk.store.next_due(desk.channel, Wanted::Any, now).unwrap().unwrap();
        assert!(due.since(now) > Duration::from_secs(1), "{due:?}");
        assert_eq!(desk.work_off(due), ["a1"]);
        let life = desk.life(EventKey::new(desk.channel, 1));
        assert_eq!((life.state, life.why), (State::Answered, None));
    });
}

fn count_anew_what_came_back_in_between(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.admit("a1", "anna");
        desk.store.commit().unwrap();
    });
    let mut now = NOW;
    for _ in 0..limits::CUT_OFFS_MAX - 1 {
        cut_off(fixture, &mut now);
    }
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        now = desk.store.next_due(desk.channel, Wanted::Any, now).unwrap().unwrap();
        let lease = desk.lease(&free(), now).unwrap();
        desk.hear_later(&lease, now, now);
        desk.store.commit().unwrap();
    });
    assert_eq!([cut_off(fixture, &mut now), cut_off(fixture, &mut now)], [Duration::ZERO; 2]);
    assert!(cut_off(fixture, &mut now) <= limits::RETRY_DELAY);
}

fn call_a_reply_unknown_that_was_cut_off_too_often_and_go_on_with_the_next(fixture: &mut impl Fixture) {
    let mut event = None;
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        event = Some(desk.admit("a1", "anna"));
        let heard = desk.lease(&free(), NOW).unwrap();
        assert!(desk.hear(&heard, &["one", "two"], true, NOW).is_some(), "the same worker says it");
        desk.store.commit().unwrap();
    });
    let mut now = NOW;
    // The worker had it once before.
    for _ in 1..limits::CUT_OFFS_MAX {
        cut_off(fixture, &mut now);
    }
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        now = desk.store.next_due(desk.channel, Wanted::Any, now).unwrap().unwrap();
        let two = desk.lease(&free(), now).unwrap();
        assert_eq!((part_of(&two), desk.sent(&two, delivered(), now)), (2, None));
        let life = desk.life(event.unwrap());
        assert_eq!(life.state, State::Unknown);
        let states: Vec<_> = life.replies.iter().map(|reply| reply.state).collect();
        assert_eq!(states, [State::Unknown, State::Answered]);
        assert_eq!(life.replies[0].attempts.len(), limits::CUT_OFFS_MAX as usize);
        assert!(life.replies[0].attempts.iter().all(|attempt| attempt.words.contains("cut off")));
    });
}

fn give_up_what_is_said_of_our_own_accord_as_well(fixture: &mut impl Fixture) {
    let mut event = None;
    fixture.with(&mut |store| {
        let desk = Desk::at(store);
        event = Some(desk.store.push(desk.channel, "p1", &[Reply::text("anna", "hello")], NOW).unwrap());
        desk.store.commit().unwrap();
    });
    let mut now = NOW;
    for _ in 0..limits::CUT_OFFS_MAX {
        cut_off(fixture, &mut now);
    }
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        assert_eq!(desk.lease(&free(), now.after(limits::RETRY_DELAY_MAX)), None);
        assert_eq!(desk.state(event.unwrap()), State::Unknown);
    });
}
