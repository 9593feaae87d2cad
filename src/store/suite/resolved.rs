//! What every store must do when the operator has dealt with an event that ended dead or unknown.

use super::*;
use crate::store::Fact;

every_store! {
    set_a_dead_event_aside_for_good
    take_an_unknown_event_as_said_and_end_its_doubts
    leave_a_dead_event_set_aside_though_a_part_of_it_is_proved_late
    go_on_in_order_when_an_event_of_the_conversation_is_resolved
    resolve_nothing_that_is_neither_dead_nor_unknown
    forget_that_an_event_was_resolved_when_that_was_not_committed
    prune_a_resolved_event_as_any_other
    keep_the_head_of_a_request_with_each_of_its_events
}

impl Desk<'_> {
    fn resolve(&mut self, event: EventKey, now: Moment) -> Replayed {
        self.store.resolve(event, now).unwrap()
    }

    /// A new event that ends dead before anything is said.
    fn dead(&mut self, id: &str, from: &str) -> EventKey {
        let event = self.admit(id, from);
        let Lease { lane, .. } = self.lease(&free(), NOW).unwrap();
        let dead = Settlement::HearDead { event, lane, why: "the bot gave up".to_owned() };
        self.store.settle(&dead, true, NOW).unwrap();
        event
    }

    /// A new event whose first reply may have been said.
    fn unknown(&mut self, id: &str, from: &str, said: &[&str]) -> (EventKey, Option<Lease>) {
        let event = self.admit(id, from);
        let heard = self.lease(&free(), NOW).unwrap();
        let first = self.hear(&heard, said, true, NOW).unwrap();
        (event, self.sent(&first, SendEnd::Unknown, NOW))
    }

    fn told(&mut self) -> Vec<Fact> {
        self.store.commit().unwrap();
        let mut told = Vec::new();
        self.store.tell_facts(&mut told);
        told.into_iter().map(|(_, fact)| fact).collect()
    }
}

fn left(why: &str) -> Replayed {
    Replayed::Left(why.to_owned())
}

fn set_a_dead_event_aside_for_good(fixture: &mut impl Fixture) {
    let mut event = None;
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let dead = *event.insert(desk.dead("a1", "anna"));
        desk.told();
        assert_eq!(desk.resolve(dead, at(5)), Replayed::Resolved);
        assert_eq!(desk.told(), [], "it has ended before, and was counted");
    });
    fixture.with(&mut |store| {
        let (mut desk, event) = (Desk::at(store), event.unwrap());
        let life = desk.life(event);
        assert_eq!((life.state, life.ended), (State::Ignored, Some(at(5))));
        assert_eq!(life.why.as_deref(), Some("set aside by the operator; it was dead: the bot gave up"));
        let why = Some("the bot gave up".to_owned());
        let before = PutBack { at: at(5), resolved: true, state: State::Dead, ended: Some(NOW), why, made: None };
        assert_eq!(life.replays, [before]);
        assert_eq!(desk.lease(&free(), at(9)), None);
        assert_eq!(desk.resolve(event, at(9)), left("it is ignored; only dead and unknown ones are resolved"));
        assert_eq!(
            desk.store.replay(event, None, at(9)).unwrap(),
            left("it is ignored; only dead and unknown ones are put back")
        );
    });
}

fn take_an_unknown_event_as_said_and_end_its_doubts(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let (event, _) = desk.unknown("a1", "anna", &["hello"]);
        let own = |id: &str| Arrival { fate: Fate::Witness, ..arrival(id, "anna") };
        let doubted = desk.store.admit(desk.channel, &own("o1"), NOW, NOW).unwrap();
        let Admitted::Kept { event: doubted, .. } = doubted else { panic!("{doubted:?}") };
        assert_eq!(desk.state(doubted), State::Open, "it may show that the reply was said");
        desk.told();
        assert_eq!(desk.resolve(event, at(5)), Replayed::Resolved);
        let life = desk.life(event);
        assert_eq!((life.state, life.replies[0].state), (State::Answered, State::Answered));
        assert_eq!(life.why.as_deref(), Some("the operator saw that it was said"));
        assert_eq!((life.replays[0].resolved, life.replays[0].state), (true, State::Unknown));
        let proves = Some(tag(desk.store.identity(), event, 1));
        let echo = Arrival { fate: Fate::Ignore("an echo"), proves, ..arrival("e1", "anna") };
        desk.store.admit(desk.channel, &echo, at(6), at(6)).unwrap();
        desk.store.admit(desk.channel, &own("o2"), at(6), at(6)).unwrap();
        assert_eq!(desk.lease(&free(), at(6)), None, "nobody need look at what would show it");
        assert_eq!(desk.state(doubted), State::Ignored);
        assert!(!desk.told().contains(&Fact::Ended(State::Answered)), "it does not end again");
        assert_eq!(desk.life(event).why, life.why);
    });
}

fn leave_a_dead_event_set_aside_though_a_part_of_it_is_proved_late(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let (event, second) = desk.unknown("a1", "anna", &["one", "two"]);
        desk.sent(&second.unwrap(), SendEnd::Dead, NOW);
        assert_eq!(desk.state(event), State::Dead);
        assert_eq!(desk.resolve(event, at(1)), Replayed::Resolved);
        desk.told();
        let proves = Some(tag(desk.store.identity(), event, 1));
        let echo = Arrival { fate: Fate::Ignore("an echo"), proves, ..arrival("e1", "anna") };
        desk.store.admit(desk.channel, &echo, at(2), at(2)).unwrap();
        assert_eq!(desk.told(), [Fact::Kept, Fact::Ended(State::Ignored)], "the echo's own end");
        assert_eq!(desk.state(event), State::Ignored);
    });
}

fn go_on_in_order_when_an_event_of_the_conversation_is_resolved(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let dead = desk.dead("a1", "anna");
        let (unknown, _) = desk.unknown("a2", "anna", &["hello"]);
        for id in ["a3", "a4", "a5"] {
            desk.admit(id, "anna");
        }
        let third = desk.lease(&free(), NOW).unwrap();
        let busy = HashSet::from([third.lane]);
        assert_eq!(desk.lease(&busy, NOW), None, "the others wait behind it");
        for event in [dead, unknown] {
            assert_eq!(desk.resolve(event, NOW), Replayed::Resolved);
            assert_eq!(desk.lease(&busy, NOW), None);
        }
        let third = desk.hear(&third, &["three"], true, NOW).unwrap();
        assert_eq!(desk.sent(&third, SendEnd::Delivered { message_id: None }, NOW), None);
        assert_eq!(desk.work_off(NOW), ["a4", "a5"]);
    });
}

fn resolve_nothing_that_is_neither_dead_nor_unknown(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let event = desk.admit("a1", "anna");
        assert_eq!(desk.resolve(event, NOW), left("it is open; only dead and unknown ones are resolved"));
        assert_eq!(desk.work_off(NOW), ["a1"]);
        assert_eq!(desk.resolve(event, NOW), left("it is answered; only dead and unknown ones are resolved"));
        assert_eq!(desk.resolve(EventKey(event.0 + 1), NOW), left("there is no such event"));
        assert_eq!(desk.life(event).replays, []);
    });
}

fn forget_that_an_event_was_resolved_when_that_was_not_committed(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let (event, _) = desk.unknown("a1", "anna", &["hello"]);
        desk.store.commit().unwrap();
        let before = desk.life(event);
        assert_eq!(desk.resolve(event, at(1)), Replayed::Resolved);
        desk.store.roll_back();
        assert_eq!(desk.life(event), before);
        assert_eq!(desk.resolve(event, at(2)), Replayed::Resolved);
    });
}

fn prune_a_resolved_event_as_any_other(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let dead = desk.dead("a1", "anna");
        let (unknown, _) = desk.unknown("b1", "bert", &["hello"]);
        for event in [dead, unknown] {
            assert_eq!(desk.resolve(event, at(1)), Replayed::Resolved);
        }
        // The newest event of a channel stays, so that its place is not given again.
        let newest = Arrival { fate: Fate::Ignore("a receipt"), ..arrival("c1", "carl") };
        desk.store.admit(desk.channel, &newest, at(9), at(9)).unwrap();
        while desk.store.prune(at(9), at(9)).unwrap() {}
        desk.store.commit().unwrap();
        assert_eq!((desk.store.life(dead).unwrap(), desk.store.life(unknown).unwrap()), (None, None));
    });
}

fn keep_the_head_of_a_request_with_each_of_its_events(fixture: &mut impl Fixture) {
    let mut events = Vec::new();
    fixture.with(&mut |store| {
        let desk = Desk::at(store);
        // In shorthand, as an earlier version kept it, with a byte that only a newer one knows, and none.
        let heads = [Some("\u{1}/a\n\u{5}"), Some("POST /a\nAccept: */*\n"), Some("\u{1}/a\n\u{1f}\n"), None];
        for (id, head) in ["a1", "a2", "a3", "a4"].into_iter().zip(heads) {
            let kept = desk.store.admit_with(desk.channel, &arrival(id, "anna"), head, NOW, NOW).unwrap();
            let Admitted::Kept { event, .. } = kept else { panic!("{kept:?}") };
            events.push(event);
        }
        let again = desk.store.admit_with(desk.channel, &arrival("a1", "anna"), Some("POST /b\n"), NOW, NOW).unwrap();
        assert_eq!(again, Admitted::Duplicate);
        desk.store.commit().unwrap();
    });
    fixture.with(&mut |store| {
        let heads: Vec<_> = events.iter().map(|event| store.life(*event).unwrap().unwrap().head).collect();
        let plain = "POST /a\nAccept: */*\n";
        let expected = [Some(plain), Some(plain), Some("POST /a\n\u{1f}\n"), None];
        assert_eq!(heads, expected.map(|head| head.map(str::to_owned)));
    });
}
