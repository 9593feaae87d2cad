//! What every store must do with answers that are said in several stages.

use super::*;
use crate::store::PUSH;

every_store! {
    say_an_answer_stage_by_stage
    go_on_at_once_where_a_stage_says_nothing_and_not_before_its_moment
    hold_a_conversation_until_the_last_stage_is_said
    forget_a_stage_that_was_not_committed
    go_on_from_the_stage_that_failed_when_it_is_put_back
    say_no_stage_after_a_missing_part_until_that_is_put_back
    end_as_its_replies_add_up_when_the_last_stage_says_nothing
    not_end_an_event_that_goes_on_when_an_echo_comes
    hold_a_stage_that_is_a_push_and_go_on_afterwards
    keep_no_stage_of_an_event_that_is_pruned
}

fn goes_on(number: u32, note: &str, due: Option<Moment>) -> Notes {
    let rest = Some(Rest { stage: Stage { number, note: note.as_bytes().to_vec() }, due });
    Notes { stage: number - 1, rest, ..Notes::default() }
}

fn last(stage: u32) -> Notes {
    Notes { stage, ..Notes::default() }
}

fn text(text: &str) -> Vec<Reply> {
    vec![Reply::text("anna", text)]
}

/// Number and note of the stage that is to be heard.
fn stage(lease: &Lease) -> (u32, String) {
    let Work::Hear { stage: Some(stage), attempt: 1, .. } = &lease.work else { panic!("no later stage: {lease:?}") };
    (stage.number, String::from_utf8(stage.note.clone()).unwrap())
}

impl Desk<'_> {
    /// Anna asks, and the bot says "one" and goes on.
    fn begin(&mut self, now: Moment) -> (EventKey, Lease) {
        let event = self.admit("a1", "anna");
        let lease = self.lease(&free(), now).unwrap();
        assert!(matches!(lease.work, Work::Hear { stage: None, .. }));
        (event, self.heard(&lease, text("one"), goes_on(1, "two", None), now).unwrap())
    }
}

fn say_an_answer_stage_by_stage(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let (_, send) = desk.begin(at(1));
        assert_eq!(part_of(&send), 1);
        desk.store.commit().unwrap();
    });
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let send = desk.lease(&free(), at(2)).unwrap();
        assert!(matches!(send.work, Work::Send { part: 1, attempt: 2, .. }), "what was said stands before what is not");
        assert_eq!(desk.sent(&send, delivered(), at(2)), None);
        assert_eq!(desk.state(send.event), State::Open);
        desk.store.commit().unwrap();
    });
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let lease = desk.lease(&free(), at(3)).unwrap();
        assert_eq!(stage(&lease), (1, "two".to_owned()));
        let both = [text("two"), text("three")].concat();
        let send = desk.heard(&lease, both, goes_on(2, "four", None), at(3)).unwrap();
        assert_eq!(part_of(&send), 2);
        let send = desk.sent(&send, delivered(), at(3)).unwrap();
        assert_eq!(part_of(&send), 3);
        desk.sent(&send, delivered(), at(3));
        desk.store.commit().unwrap();
    });
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let lease = desk.lease(&free(), at(4)).unwrap();
        assert_eq!(stage(&lease), (2, "four".to_owned()));
        let send = desk.heard(&lease, text("four"), last(2), at(4)).unwrap();
        assert_eq!(part_of(&send), 4);
        assert_eq!(desk.sent(&send, delivered(), at(4)), None);
        let life = desk.life(send.event);
        let said: Vec<_> = life.replies.iter().map(|reply| (reply.part, reply.reply.content.in_words())).collect();
        assert_eq!(said, [(1, "one"), (2, "two"), (3, "three"), (4, "four")].map(|(part, it)| (part, it.to_owned())));
        assert_eq!((life.state, life.ended), (State::Answered, Some(at(4))));
        assert_eq!(desk.lease(&free(), at(99)), None);
    });
}

fn go_on_at_once_where_a_stage_says_nothing_and_not_before_its_moment(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let event = desk.admit("a1", "anna");
        let lease = desk.lease(&free(), at(1)).unwrap();
        assert_eq!(desk.heard(&lease, Vec::new(), goes_on(1, "b", None), at(1)), None);
        let lease = desk.lease(&free(), at(1)).unwrap();
        assert_eq!(desk.heard(&lease, Vec::new(), goes_on(2, "c", Some(at(9))), at(1)), None);
        assert_eq!((desk.state(event), desk.life(event).due), (State::Open, Some(at(9))));
        assert_eq!(desk.lease(&free(), at(8)), None);
        let lease = desk.lease(&free(), at(9)).unwrap();
        assert_eq!(stage(&lease), (2, "c".to_owned()));
        // And with something said before: first that, then the wait.
        let send = desk.heard(&lease, text("wait"), goes_on(3, "d", Some(at(20))), at(9)).unwrap();
        desk.sent(&send, delivered(), at(10));
        assert_eq!(desk.lease(&free(), at(19)), None);
        assert_eq!(desk.store.next_due(desk.channel, Wanted::Any, at(19)).unwrap(), Some(at(20)));
        assert_eq!(stage(&desk.lease(&free(), at(20)).unwrap()), (3, "d".to_owned()));
    });
}

fn hold_a_conversation_until_the_last_stage_is_said(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let (_, send) = desk.begin(at(1));
        desk.admit("a2", "anna");
        desk.admit("b1", "bert");
        desk.sent(&send, delivered(), at(1));
        let lease = desk.lease(&free(), at(1)).unwrap();
        assert_eq!(stage(&lease).0, 1);
        let busy = HashSet::from([lease.lane]);
        let other = desk.lease(&busy, at(1)).unwrap();
        assert!(matches!(&other.work, Work::Hear { conversation, .. } if conversation == "bert"));
        assert_eq!(desk.lease(&HashSet::from([lease.lane, other.lane]), at(1)), None);
        let send = desk.heard(&lease, text("two"), last(1), at(1)).unwrap();
        desk.sent(&send, delivered(), at(1));
        desk.hear(&other, &[], true, at(1));
        assert_eq!(desk.work_off(at(1)), ["a2"]);
    });
}

fn forget_a_stage_that_was_not_committed(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let event = desk.admit("a1", "anna");
        desk.store.commit().unwrap();
        let lease = desk.lease(&free(), at(1)).unwrap();
        desk.heard(&lease, text("one"), goes_on(1, "two", None), at(1)).unwrap();
        desk.store.roll_back();
        assert!(desk.life(event).replies.is_empty());
        let lease = desk.lease(&free(), at(2)).unwrap();
        assert!(matches!(lease.work, Work::Hear { stage: None, .. }));
        let send = desk.heard(&lease, text("one"), goes_on(1, "two", None), at(2)).unwrap();
        desk.sent(&send, delivered(), at(2));
        desk.store.commit().unwrap();
        let lease = desk.lease(&free(), at(2)).unwrap();
        desk.heard(&lease, text("two"), last(1), at(2)).unwrap();
        desk.store.roll_back();
        let lease = desk.lease(&free(), at(3)).unwrap();
        assert_eq!(stage(&lease), (1, "two".to_owned()));
        assert_eq!(desk.life(event).replies.len(), 1);
    });
}

fn go_on_from_the_stage_that_failed_when_it_is_put_back(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let (event, send) = desk.begin(at(1));
        desk.sent(&send, delivered(), at(1));
        let lease = desk.lease(&free(), at(1)).unwrap();
        let (lane, why) = (lease.lane, "the bot failed".to_owned());
        desk.store.settle(&Settlement::HearDead { event, lane, why }, true, at(2)).unwrap();
        assert_eq!(desk.state(event), State::Dead);
        assert_eq!(desk.store.replay(event, Some(1), at(3)).unwrap(), left());
        assert_eq!(desk.store.replay(event, None, at(3)).unwrap(), Replayed::PutBack);
        let lease = desk.lease(&free(), at(3)).unwrap();
        assert_eq!(stage(&lease), (1, "two".to_owned()));
        let send = desk.heard(&lease, text("two"), last(1), at(3)).unwrap();
        desk.sent(&send, delivered(), at(3));
        assert_eq!((desk.state(event), desk.life(event).replies.len()), (State::Answered, 2));
    });
}

fn left() -> Replayed {
    Replayed::Left("that reply is neither dead nor unknown".to_owned())
}

fn say_no_stage_after_a_missing_part_until_that_is_put_back(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let (event, send) = desk.begin(at(1));
        assert_eq!(desk.sent(&send, SendEnd::Dead, at(1)), None);
        assert_eq!(desk.state(event), State::Dead);
        assert_eq!(desk.lease(&free(), at(9)), None);
        assert_eq!(desk.store.replay(event, None, at(10)).unwrap(), Replayed::PutBack);
        let send = desk.lease(&free(), at(10)).unwrap();
        assert_eq!(part_of(&send), 1);
        assert_eq!(desk.sent(&send, delivered(), at(10)), None);
        assert_eq!(stage(&desk.lease(&free(), at(10)).unwrap()), (1, "two".to_owned()));
    });
}

fn end_as_its_replies_add_up_when_the_last_stage_says_nothing(fixture: &mut impl Fixture) {
    for (end, state) in [(delivered(), State::Answered), (SendEnd::Unknown, State::Unknown)] {
        for ignored in [false, true] {
            fixture.with(&mut |store| {
                let mut desk = Desk::at(store);
                let event = desk.admit(&format!("{state} {ignored}"), "anna");
                let lease = desk.lease(&free(), at(1)).unwrap();
                let send = desk.heard(&lease, text("one"), goes_on(1, "two", None), at(1)).unwrap();
                desk.sent(&send, end.clone(), at(1));
                let lease = desk.lease(&free(), at(2)).unwrap();
                let lane = lease.lane;
                match ignored {
                    false => drop(desk.heard(&lease, Vec::new(), last(1), at(2))),
                    true => {
                        let gone = Settlement::HearIgnored { event, lane, why: "the message is gone".to_owned() };
                        assert_eq!(desk.store.settle(&gone, true, at(2)).unwrap(), None);
                    }
                }
                assert_eq!((desk.state(event), desk.life(event).ended), (state, Some(at(2))));
                assert_eq!(desk.lease(&free(), at(2)), None);
            });
        }
    }
    // Nothing at all was said, in two stages.
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let event = desk.admit("silent", "anna");
        let lease = desk.lease(&free(), at(3)).unwrap();
        desk.heard(&lease, Vec::new(), goes_on(1, "two", None), at(3));
        let lease = desk.lease(&free(), at(3)).unwrap();
        desk.heard(&lease, Vec::new(), last(1), at(3));
        assert_eq!(desk.state(event), State::Ignored);
    });
}

fn not_end_an_event_that_goes_on_when_an_echo_comes(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let event = desk.admit("a1", "anna");
        let lease = desk.lease(&free(), at(1)).unwrap();
        let send = desk.heard(&lease, text("one"), goes_on(1, "two", Some(at(9))), at(1)).unwrap();
        desk.sent(&send, SendEnd::Unknown, at(1));
        let proves = Some(tag(desk.store.identity(), event, 1));
        let echo = Arrival { fate: Fate::Ignore("an echo"), proves, ..arrival("echo", "anna") };
        desk.store.admit(desk.channel, &echo, at(2), at(2)).unwrap();
        let life = desk.life(event);
        assert_eq!((life.state, life.ended, life.replies[0].state), (State::Open, None, State::Answered));
        let lease = desk.lease(&free(), at(9)).unwrap();
        let send = desk.heard(&lease, text("two"), last(1), at(9)).unwrap();
        desk.sent(&send, delivered(), at(9));
        assert_eq!(desk.state(event), State::Answered);
    });
}

fn hold_a_stage_that_is_a_push_and_go_on_afterwards(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.set("anna", "noon", at(1));
        let lease = desk.ring(at(1)).unwrap();
        let push = |text: &str| Reply { purpose: Purpose::Push, ..Reply::text("anna", text) };
        let send = desk.heard(&lease, vec![push("noon")], goes_on(1, "more", None), at(1)).unwrap();
        let hold = Instead::Hold { why: "the window is closed".to_owned() };
        assert_eq!(desk.unsent(&send, hold, at(1)), None);
        assert_eq!(desk.lease(&free(), at(5)), None);
        desk.admit("a1", "anna");
        let wrote = desk.lease(&free(), at(6)).unwrap();
        desk.heard(&wrote, Vec::new(), Notes { wrote: Some(at(6)), ..Notes::default() }, at(6));
        let send = desk.lease(&free(), at(6)).unwrap();
        assert_eq!((send.event, part_of(&send)), (lease.event, 1));
        assert_eq!(desk.sent(&send, delivered(), at(6)), None);
        let more = desk.lease(&free(), at(6)).unwrap();
        assert_eq!((more.event, stage(&more)), (lease.event, (1, "more".to_owned())));
        assert!(matches!(&more.work, Work::Hear { kind, .. } if kind == ALARM && kind != PUSH));
    });
}

fn keep_no_stage_of_an_event_that_is_pruned(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let (event, send) = desk.begin(at(1));
        desk.sent(&send, SendEnd::Dead, at(1));
        // The newest event of a channel always stays.
        desk.admit("b1", "bert");
        desk.work_off(at(1));
        while desk.store.prune(at(50), at(50)).unwrap() {}
        assert_eq!(desk.store.life(event).unwrap(), None);
        desk.store.commit().unwrap();
    });
}
