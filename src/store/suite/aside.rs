//! What every store must do with replies that may not be said now.

use super::*;
use crate::store::PUSH;

every_store! {
    hold_a_push_until_somebody_writes
    keep_the_attempt_by_which_a_platform_said_not_now
    hold_nobody_else_up_meanwhile
    let_a_newer_alarm_stand_for_an_older_one_that_is_held
    let_a_held_one_stand_for_an_older_one_that_was_put_back
    say_a_reply_on_another_channel_once
    end_a_reply_whose_other_channel_is_not_there
    believe_an_echo_rather_than_hold_a_reply
    say_no_more_of_a_held_reply_than_an_echo_leaves
    tell_a_push_when_somebody_wrote_and_nobody_else
    end_what_was_held_for_too_long_and_forget_strangers
}

fn push(to: &str, text: &str) -> Reply {
    Reply { purpose: Purpose::Push, ..Reply::text(to, text) }
}

fn hold() -> Instead {
    Instead::Hold { why: "the window is closed".to_owned() }
}

fn wrote(wrote: Moment) -> Notes {
    Notes { wrote: Some(wrote), ..Notes::default() }
}

impl Desk<'_> {
    /// An alarm rings, and its push is to be said.
    fn ring_and_say(&mut self, conversation: &str, name: &str, now: Moment) -> Lease {
        self.set(conversation, name, now);
        let lease = self.ring(now).unwrap();
        self.heard(&lease, vec![push(conversation, "It is noon")], Notes::default(), now).unwrap()
    }

    /// An alarm rings, and its push has to wait.
    fn ring_and_hold(&mut self, conversation: &str, name: &str, now: Moment) -> EventKey {
        let send = self.ring_and_say(conversation, name, now);
        assert_eq!(self.unsent(&send, hold(), now), None);
        send.event
    }

    /// Somebody writes, and the bot has nothing to say.
    fn write(&mut self, id: &str, from: &str, now: Moment) {
        self.admit(id, from);
        let lease = self.lease(&free(), now).unwrap();
        self.heard(&lease, Vec::new(), wrote(now), now);
    }
}

fn hold_a_push_until_somebody_writes(fixture: &mut impl Fixture) {
    let mut event = None;
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let held = desk.ring_and_hold("anna", "noon", at(1));
        event = Some(held);
        let life = desk.life(held);
        assert_eq!((life.state, life.ended, life.due, life.held), (State::Open, None, None, Some(at(1))));
        assert_eq!(life.why.as_deref(), Some("the window is closed"));
        assert_eq!((life.replies[0].state, life.replies[0].attempts.len()), (State::Open, 0));
        store.commit().unwrap();
    });
    let event = event.unwrap();
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        assert_eq!(desk.lease(&free(), at(9)), None, "nor after a restart");
        desk.write("b1", "bert", at(9));
        assert_eq!(desk.lease(&free(), at(9)), None, "it was somebody else");
        desk.admit("a1", "anna");
        desk.admit("a2", "anna");
        desk.store.commit().unwrap();
        let lease = desk.lease(&free(), at(20)).unwrap();
        desk.heard(&lease, vec![Reply::text("anna", "Hi")], wrote(at(18)), at(20)).unwrap();
        desk.store.roll_back();
        assert!(desk.life(event).held.is_some(), "it was not durable");
        let lease = desk.lease(&free(), at(20)).unwrap();
        let answer = desk.heard(&lease, vec![Reply::text("anna", "Hi")], wrote(at(18)), at(20)).unwrap();
        let life = desk.life(event);
        assert_eq!((life.state, life.why, life.held), (State::Open, None, None));
        desk.store.commit().unwrap();
        assert_eq!(desk.lease(&HashSet::from([answer.lane]), at(20)), None, "the answer first");
        desk.sent(&answer, delivered(), at(21));
        desk.store.commit().unwrap();
    });
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let send = desk.lease(&free(), at(21)).unwrap();
        let Work::Send { part: 1, attempt: 1, made, heard, .. } = send.work else { panic!("{send:?}") };
        assert_eq!((send.event, made, heard), (event, at(20), Some(at(18))), "its time begins anew");
        desk.sent(&send, delivered(), at(22));
        let life = desk.life(event);
        assert_eq!(
            (life.state, life.replies[0].maybe_twice, life.replies[0].attempts.len()),
            (State::Answered, false, 1)
        );
        assert_eq!(desk.work_off(at(22)), ["a2"]);
    });
}

fn keep_the_attempt_by_which_a_platform_said_not_now(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let send = desk.ring_and_say("anna", "noon", at(1));
        let words = "error 10/2018278".to_owned();
        let refused = Attempt { part: 1, number: 1, began: at(1), ended: at(2), status: Some(400), words };
        let (event, lane, attempt) = (send.event, send.lane, Some(refused.clone()));
        let settlement = Settlement::Unsent { event, lane, part: 1, attempt, instead: hold() };
        assert_eq!(desk.store.settle(&settlement, true, at(2)).unwrap(), None);
        let life = desk.life(event);
        assert_eq!((life.state, life.held, life.replies[0].state), (State::Open, Some(at(2)), State::Open));
        assert_eq!(life.replies[0].attempts, std::slice::from_ref(&refused));
        desk.write("a1", "anna", at(9));
        let send = desk.lease(&free(), at(9)).unwrap();
        let Work::Send { part: 1, attempt: 2, .. } = send.work else { panic!("{send:?}") };
        desk.sent(&send, delivered(), at(10));
        let reply = desk.life(event).replies.remove(0);
        assert_eq!((reply.state, reply.maybe_twice, reply.attempts.len()), (State::Answered, false, 2));
        assert_eq!(reply.attempts[0], refused, "and it stays");
    });
}

fn hold_nobody_else_up_meanwhile(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.set("anna", "noon", at(1));
        let lease = desk.ring(at(1)).unwrap();
        desk.admit("a1", "anna");
        assert_eq!(desk.lease(&HashSet::from([lease.lane]), at(1)), None);
        let send =
            desk.heard(&lease, vec![push("anna", "noon"), push("anna", "more")], Notes::default(), at(1)).unwrap();
        let second = desk.sent(&send, delivered(), at(1)).unwrap();
        assert_eq!(desk.unsent(&second, hold(), at(1)), None);
        assert_eq!(desk.work_off(at(1)), ["a1"], "what came behind it goes on");
        assert!(desk.life(lease.event).held.is_some());
        desk.write("a2", "anna", at(2));
        let send = desk.lease(&free(), at(2)).unwrap();
        assert_eq!((send.event, part_of(&send)), (lease.event, 2), "the part that was said is not said again");
        desk.sent(&send, delivered(), at(2));
        assert_eq!(desk.state(lease.event), State::Answered);
    });
}

fn let_a_newer_alarm_stand_for_an_older_one_that_is_held(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let old = desk.ring_and_hold("anna", "noon", at(1));
        let evening = desk.ring_and_hold("anna", "evening", at(2));
        let bert = desk.ring_and_hold("bert", "noon", at(3));
        let mut orders = ["push-1", "push-2"].map(|id| {
            let event = desk.store.push(desk.channel, id, &[push("anna", "by hand")], at(4)).unwrap();
            let lease = desk.lease(&free(), at(4)).unwrap();
            desk.unsent(&lease, hold(), at(4));
            event
        });
        let new = desk.ring_and_hold("anna", "noon", at(5));
        let life = desk.life(old);
        assert_eq!((life.state, life.ended, life.held), (State::Ignored, Some(at(5)), None));
        assert_eq!(life.why, Some(format!("replaced by a newer one: {}", new.place())));
        assert_eq!(life.replies[0].state, State::Ignored);
        for event in [evening, bert, new].into_iter().chain(orders) {
            assert!(desk.life(event).held.is_some(), "{event:?}");
        }
        orders.sort();
        desk.write("a1", "anna", at(6));
        let said: Vec<_> = std::iter::from_fn(|| {
            let lease = desk.lease(&free(), at(6))?;
            desk.sent(&lease, delivered(), at(6));
            Some(lease.event)
        })
        .collect();
        assert_eq!(said, [evening, orders[0], orders[1], new], "in their order");
    });
}

fn let_a_held_one_stand_for_an_older_one_that_was_put_back(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let lease = desk.ring_and_say("anna", "noon", at(1));
        desk.sent(&lease, SendEnd::Dead, at(1));
        let new = desk.ring_and_hold("anna", "noon", at(2));
        desk.store.replay(lease.event, None, at(3)).unwrap();
        let send = desk.lease(&free(), at(3)).unwrap();
        assert_eq!((send.event, desk.unsent(&send, hold(), at(3))), (lease.event, None));
        let life = desk.life(lease.event);
        assert_eq!((life.state, life.why), (State::Ignored, Some(format!("replaced by a newer one: {}", new.place()))));
        assert!(desk.life(new).held.is_some());
        desk.write("a1", "anna", at(4));
        assert_eq!(desk.lease(&free(), at(4)).unwrap().event, new);
    });
}

fn say_a_reply_on_another_channel_once(fixture: &mut impl Fixture) {
    let mut known = None;
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let other = desk.store.channel("space").unwrap();
        desk.set("anna", "noon", at(1));
        let lease = desk.ring(at(1)).unwrap();
        let parts = ["one", "two"].map(|text| push("anna", text));
        let send = desk.heard(&lease, parts.to_vec(), Notes::default(), at(1)).unwrap();
        desk.store.commit().unwrap();
        let (replies, why) = (vec![push("room", "one")], "the window is closed".to_owned());
        let instead = Instead::Elsewhere { channel: other, replies, why };
        desk.unsent(&send, instead.clone(), at(2));
        desk.store.roll_back();
        // Cut off, it is decided anew; and said before, it is not said again.
        let send = desk.lease(&free(), at(3)).unwrap();
        let two = desk.unsent(&send, instead, at(3)).unwrap();
        assert_eq!((two.event, part_of(&two)), (lease.event, 2), "the next one goes on as usual");
        desk.sent(&two, delivered(), at(3));
        let life = desk.life(lease.event);
        assert_eq!((life.state, life.replies[0].state), (State::Answered, State::Skipped));
        assert_eq!(life.why.as_deref(), Some("the window is closed; said as space-1 instead"));
        known = Some((other, lease.event));
        store.commit().unwrap();
    });
    let (other, event) = known.unwrap();
    fixture.with(&mut |store| {
        let said = store.lease(other, Wanted::Any, &free(), at(4)).unwrap().unwrap();
        let Work::Send { reply, .. } = &said.work else { panic!("{said:?}") };
        assert_eq!(*reply, push("room", "one"));
        assert_eq!(store.life(said.event).unwrap().unwrap().kind, PUSH);
        assert_eq!(store.lease(other, Wanted::Any, &HashSet::from([said.lane]), at(4)).unwrap(), None);
        let id = crate::store::reasons::instead_of(event, 1);
        assert_eq!(store.push(other, &id, &[push("room", "one")], at(5)).unwrap(), said.event, "the same again");
    });
}

fn end_a_reply_whose_other_channel_is_not_there(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let event = desk.store.push(desk.channel, "push-1", &[push("anna", "noon")], NOW).unwrap();
        let send = desk.lease(&free(), NOW).unwrap();
        let (channel, replies) = (ChannelNumber(77), vec![push("room", "noon")]);
        let why = "the window is closed".to_owned();
        assert_eq!(desk.unsent(&send, Instead::Elsewhere { channel, replies, why }, NOW), None);
        let life = desk.life(event);
        let why =
            "a reply could not be said: the window is closed; and the other channel, number 77, is not in the store";
        assert_eq!((life.state, life.why.as_deref()), (State::Dead, Some(why)));
    });
}

fn echo_of(desk: &mut Desk<'_>, event: EventKey, id: &str) {
    let (fate, proves) = (Fate::Ignore("an echo"), Some(tag(desk.store.identity(), event, 1)));
    let echo = Arrival { fate, proves, ..arrival(id, "anna") };
    desk.store.admit(desk.channel, &echo, NOW, NOW).unwrap();
}

fn believe_an_echo_rather_than_hold_a_reply(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let other = desk.store.channel("space").unwrap();
        let elsewhere = Instead::Elsewhere { channel: other, replies: vec![push("room", "noon")], why: String::new() };
        for (id, instead) in [("push-1", hold()), ("push-2", elsewhere)] {
            let event = desk.store.push(desk.channel, id, &[push("anna", "one"), push("anna", "two")], NOW).unwrap();
            let send = desk.lease(&free(), NOW).unwrap();
            desk.sent(&send, SendEnd::Again { due: at(5), maybe_said: true }, NOW);
            let send = desk.lease(&free(), at(5)).unwrap();
            echo_of(&mut desk, event, &format!("echo-{id}"));
            let two = desk.unsent(&send, instead, at(5)).expect("the next one goes on");
            assert_eq!((part_of(&two), desk.life(event).replies[0].state), (2, State::Answered));
            desk.sent(&two, delivered(), at(5));
            let life = desk.life(event);
            assert_eq!((life.state, life.why, life.replies[0].attempts.len()), (State::Answered, None, 1));
        }
        assert_eq!(store.lease(other, Wanted::Any, &free(), at(5)).unwrap(), None, "nothing was said elsewhere");
    });
}

fn say_no_more_of_a_held_reply_than_an_echo_leaves(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let event = desk.store.push(desk.channel, "push-1", &[push("anna", "one")], NOW).unwrap();
        let send = desk.lease(&free(), NOW).unwrap();
        desk.sent(&send, SendEnd::Again { due: at(5), maybe_said: true }, NOW);
        let send = desk.lease(&free(), at(5)).unwrap();
        desk.unsent(&send, hold(), at(5));
        echo_of(&mut desk, event, "echo");
        assert_eq!(desk.lease(&free(), at(6)), None, "it was said");
        assert_eq!((desk.state(event), desk.life(event).held), (State::Answered, None));
    });
}

fn tell_a_push_when_somebody_wrote_and_nobody_else(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let heard = |lease: Option<Lease>| match lease.unwrap().work {
            Work::Send { heard, .. } => heard,
            work @ Work::Hear { .. } => panic!("{work:?}"),
        };
        // A late delivery of an older message changes nothing; and no clock makes it later than now.
        for (id, when, last) in [("a1", at(50), at(50)), ("a2", at(40), at(50)), ("a3", at(999), at(60))] {
            desk.admit(id, "anna");
            let lease = desk.lease(&free(), at(60)).unwrap();
            let lane = lease.lane;
            let replies = vec![push("anna", "first"), Reply::text("anna", "then"), push("anna", "last")];
            let first = desk.heard(&lease, replies, wrote(when), at(60));
            assert_eq!(heard(first.clone()), Some(last));
            let then = desk.sent(&first.unwrap(), delivered(), at(60));
            assert_eq!(heard(then.clone()), None, "an answer needs no look");
            let third = desk.sent(&then.unwrap(), delivered(), at(60));
            assert_eq!((heard(third.clone()), third.as_ref().unwrap().lane), (Some(last), lane));
            desk.sent(&third.unwrap(), delivered(), at(60));
        }
        desk.store.push(desk.channel, "push-1", &[push("bert", "noon")], at(61)).unwrap();
        assert_eq!(heard(desk.lease(&free(), at(61))), None, "he never wrote");
    });
}

fn end_what_was_held_for_too_long_and_forget_strangers(fixture: &mut impl Fixture) {
    let prune = |store: &mut dyn Store, before: Moment, now: Moment| {
        let mut steps = 1;
        while store.prune(before, now).unwrap() {
            steps += 1;
            assert!(steps < 20, "pruning must come to an end");
        }
    };
    let (held_for, known_for) = (limits::HELD_LIFE, limits::CONTACT_LIFE);
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.write("a1", "anna", at(1));
        let event = desk.ring_and_hold("anna", "noon", at(2));
        for number in 0..100 {
            desk.ring_and_hold(&format!("p{number}"), "noon", at(2));
        }
        desk.store.commit().unwrap();
        prune(desk.store, at(2).after(held_for), at(2).after(held_for));
        assert!(desk.life(event).held.is_some(), "it is not over yet, and not pruned with the ended ones");
        let late = at(3).after(held_for);
        prune(desk.store, NOW, late);
        let life = desk.life(event);
        assert_eq!((life.state, life.ended, life.held), (State::Dead, Some(late), None));
        assert_eq!(
            (life.why.as_deref(), life.replies[0].state),
            (Some("held for 7 days, and nobody wrote"), State::Dead)
        );
        // It can be put back like any other; nobody has written, so it is held again.
        assert_eq!(desk.store.replay(event, None, late).unwrap(), Replayed::PutBack);
        let send = desk.lease(&free(), late).unwrap();
        assert!(matches!(&send.work, Work::Send { made, heard, .. } if (*made, *heard) == (late, Some(at(1)))));
        desk.unsent(&send, hold(), late);
        assert_eq!(desk.life(event).held, Some(late));
        let heard = |desk: &mut Desk<'_>, id: &str, now: Moment| {
            desk.store.push(desk.channel, id, &[push("anna", "noon")], now).unwrap();
            let lease = desk.lease(&free(), now).unwrap();
            desk.sent(&lease, delivered(), now);
            let Work::Send { heard, .. } = lease.work else { panic!("a push") };
            heard
        };
        prune(desk.store, NOW, at(1).after(known_for));
        assert_eq!(heard(&mut desk, "push-1", late), Some(at(1)));
        prune(desk.store, NOW, at(2).after(known_for));
        assert_eq!(heard(&mut desk, "push-2", late), None);
    });
}
