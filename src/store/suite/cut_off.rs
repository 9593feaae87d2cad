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
    assert_eq!(waits[2], limits::RETRY_DELAY);
    assert!(waits[2..].windows(2).all(|pair| pair[1] == pair[0] * 2), "{waits:?}");
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let far = now.after(limits::RETRY_DELAY_MAX);
        assert_eq!(desk.work_off(far), ["a2"], "the next one of the conversation goes on");
        let life = desk.life(EventKey::new(desk.channel, 1));
        assert_eq!(life.state, State::Dead);
        assert_eq!(life.why.unwrap(), "ackd ended 10 times in a row while it was under way; the log may say why");
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
        assert_eq!(
            life.why.as_deref(),
            Some("taken up again after ackd ended 3 times in a row while it was under way")
        );
        let due = desk.store.next_due(desk.channel, Wanted::Any, now).unwrap().unwrap();
        assert_eq!(due.since(now), Duration::from_secs(4));
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

fn say_what_waits_behind_an_event_that_is_given_up(fixture: &mut impl Fixture) {
    let mut push = None;
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.admit("a1", "anna");
        assert!(desk.lease(&free(), NOW).is_some());
        push = Some(desk.store.push(desk.channel, "p1", &[Reply::text("anna", "hello")], NOW).unwrap());
        let busy = HashSet::from([lane(desk.channel, "anna")]);
        assert_eq!(desk.lease(&busy, NOW), None);
        desk.store.commit().unwrap();
    });
    let mut now = NOW;
    for _ in 1..limits::CUT_OFFS_MAX {
        cut_off(fixture, &mut now);
    }
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        now = now.after(limits::RETRY_DELAY_MAX);
        assert_eq!(desk.lease(&free(), now).map(|lease| lease.event), push, "it is due, and nobody would be woken");
    });
}

fn call_a_reply_answered_that_was_proved_while_it_waited(fixture: &mut impl Fixture) {
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
        let proves = Some(tag(desk.store.identity(), event.unwrap(), 1));
        let echo = Arrival { fate: Fate::Ignore("an echo"), proves, ..arrival("e1", "anna") };
        desk.store.admit(desk.channel, &echo, now, now).unwrap();
        assert_eq!(desk.lease(&free(), now.after(limits::RETRY_DELAY_MAX)), None);
        assert_eq!(desk.state(event.unwrap()), State::Answered);
    });
}

fn give_up_the_cause_and_not_what_was_beside_it(fixture: &mut impl Fixture) {
    let mut events = Vec::new();
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        for place in 1..=16 {
            events.push(desk.admit(&format!("m{place}"), &format!("c{place}")));
        }
        desk.store.commit().unwrap();
    });
    // Event 1 ends ackd as soon as somebody has it; all others are heard in a blink, unless it does.
    let mut now = NOW;
    let poison = events[0];
    for _ in 0..40 {
        fixture.with(&mut |store| {
            let mut desk = Desk::at(store);
            loop {
                let mut busy = free();
                let mut out = Vec::new();
                while let Some(lease) = desk.lease(&busy, now) {
                    busy.insert(lease.lane);
                    out.push(lease);
                }
                desk.store.commit().unwrap();
                if out.iter().any(|lease| lease.event == poison) {
                    break;
                }
                for lease in out {
                    assert_eq!(desk.hear(&lease, &[], false, now), None);
                }
                desk.store.commit().unwrap();
                let Some(due) = desk.store.next_due(desk.channel, Wanted::Any, now).unwrap() else { break };
                now = due;
            }
        });
        now = now.after(Duration::from_millis(300));
    }
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let dead: Vec<_> =
            events.iter().filter(|event| desk.state(**event) == State::Dead).map(|event| event.place()).collect();
        assert_eq!(dead, [1]);
    });
}

fn count_the_cut_offs_of_a_reply_from_when_it_was_made(fixture: &mut impl Fixture) {
    let mut event = None;
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        event = Some(desk.admit("a1", "anna"));
        desk.store.commit().unwrap();
    });
    let mut now = NOW;
    for _ in 1..limits::CUT_OFFS_MAX {
        cut_off(fixture, &mut now);
    }
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        now = desk.store.next_due(desk.channel, Wanted::Any, now).unwrap().unwrap();
        let heard = desk.lease(&free(), now).unwrap();
        assert!(desk.hear(&heard, &["one"], true, now).is_some());
        desk.store.commit().unwrap();
    });
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let lease = desk.lease(&free(), now.after(limits::RETRY_DELAY_MAX));
        let life = desk.life(event.unwrap());
        assert!(
            lease.is_some(),
            "given up at its first cut-off: {} {:?} {:?}",
            life.state,
            life.why,
            life.replies[0].attempts
        );
    });
}

fn give_up_nothing_that_goes_on_a_little_in_each_life(fixture: &mut impl Fixture) {
    let mut event = None;
    let said = (0..15).map(|n| n.to_string()).collect::<Vec<_>>();
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        event = Some(desk.admit("a1", "anna"));
        let heard = desk.lease(&free(), NOW).unwrap();
        let said: Vec<_> = said.iter().map(String::as_str).collect();
        let one = desk.hear(&heard, &said, true, NOW).unwrap();
        assert!(desk.sent(&one, delivered(), NOW).is_some());
        desk.store.commit().unwrap();
    });
    let mut now = NOW;
    for _ in 0..12 {
        now = now.after(limits::RETRY_DELAY_MAX);
        fixture.with(&mut |store| {
            let mut desk = Desk::at(store);
            let Some(lease) = desk.lease(&free(), now) else { return };
            desk.sent(&lease, delivered(), now);
            desk.store.commit().unwrap();
        });
    }
    fixture.with(&mut |store| {
        let life = Desk::at(store).life(event.unwrap());
        let states: Vec<_> = life.replies.iter().map(|reply| reply.state).collect();
        assert!(!states.contains(&State::Unknown), "{states:?}");
    });
}

fn count_nothing_that_was_taken_back(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.admit("a1", "anna");
        desk.store.commit().unwrap();
    });
    let mut now = NOW;
    for _ in 0..6 {
        cut_off(fixture, &mut now);
    }
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        assert_eq!(desk.lease(&free(), now), None);
        let due = desk.store.next_due(desk.channel, Wanted::Any, now).unwrap().unwrap();
        for _ in 0..30 {
            assert!(desk.lease(&free(), due).is_some());
            desk.store.roll_back();
        }
        assert_eq!(desk.lease(&free(), now), None);
        assert_eq!(desk.store.next_due(desk.channel, Wanted::Any, now).unwrap(), Some(due));
        assert_eq!(desk.work_off(due), ["a1"]);
        desk.store.roll_back();
        assert_eq!(desk.work_off(due), ["a1"]);
        desk.store.commit().unwrap();
    });
}

fn hear_what_waits_behind_a_push_that_is_given_up(fixture: &mut impl Fixture) {
    // A push given up, a message behind it.
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.store.push(desk.channel, "p1", &[Reply::text("anna", "hello")], NOW).unwrap();
        desk.admit("a1", "anna");
        desk.store.commit().unwrap();
    });
    let mut now = NOW;
    for _ in 0..limits::CUT_OFFS_MAX {
        cut_off(fixture, &mut now);
    }
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let far = now.after(limits::RETRY_DELAY_MAX);
        assert_eq!(desk.store.lease(desk.channel, Wanted::Sends, &free(), far).unwrap(), None);
        desk.store.commit().unwrap();
        assert_eq!(desk.work_off(far), ["a1"]);
    });
}

fn take_up_suspects_one_at_a_time_however_long_ackd_was_down(fixture: &mut impl Fixture) {
    let mut events = Vec::new();
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        for place in 1..=16 {
            events.push(desk.admit(&format!("m{place}"), &format!("c{place}")));
        }
        desk.store.commit().unwrap();
    });
    let (mut now, poison) = (NOW, events[3]);
    for _ in 0..14 {
        fixture.with(&mut |store| {
            let mut desk = Desk::at(store);
            loop {
                let (mut busy, mut out) = (free(), Vec::new());
                // Four workers.
                while let Some(lease) = if out.len() < 4 { desk.lease(&busy, now) } else { None } {
                    busy.insert(lease.lane);
                    out.push(lease);
                }
                desk.store.commit().unwrap();
                if out.is_empty() || out.iter().any(|lease| lease.event == poison) {
                    break;
                }
                for lease in out {
                    assert_eq!(desk.hear(&lease, &[], false, now), None);
                }
                desk.store.commit().unwrap();
            }
        });
        now = now.after(Duration::from_secs(3600));
    }
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let dead: Vec<_> =
            events.iter().filter(|event| desk.state(**event) == State::Dead).map(|event| event.place()).collect();
        assert_eq!(dead, [4]);
        assert!(events.iter().all(|event| desk.state(*event) != State::Open));
    });
}
