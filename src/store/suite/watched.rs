//! What every store must tell whoever watches: what happened to events, and how much waits.

use super::*;
use crate::store::{Backlog, Fact};

every_store! {
    tell_what_a_commit_did_once_and_nothing_of_what_was_taken_back
    tell_an_end_of_every_kind
    tell_of_an_event_that_is_proved_that_it_ends_again
    count_what_waits_wherever_it_stands
    count_nothing_that_is_held_or_ignored
}

use Fact::{Duplicate, Ended, Kept};

impl Desk<'_> {
    fn facts(&mut self) -> Vec<Fact> {
        let mut told = Vec::new();
        self.store.tell_facts(&mut told);
        told.into_iter().inspect(|(channel, _)| assert_eq!(*channel, self.channel)).map(|(_, fact)| fact).collect()
    }

    fn committed(&mut self) -> Vec<Fact> {
        self.store.commit().unwrap();
        self.facts()
    }

    fn backlog(&mut self) -> (u64, Option<Moment>) {
        let all = self.store.backlogs().unwrap();
        let (_, Backlog { waiting, oldest }) = all.into_iter().find(|(channel, _)| *channel == self.channel).unwrap();
        (waiting, oldest)
    }

    fn admit_at(&mut self, id: &str, from: &str, fate: Fate, received: Moment) {
        let arrival = Arrival { fate, ..arrival(id, from) };
        self.store.admit(self.channel, &arrival, received, received).unwrap();
    }
}

fn tell_what_a_commit_did_once_and_nothing_of_what_was_taken_back(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.admit("a1", "anna");
        desk.admit_at("a1", "anna", Fate::Hear, NOW);
        desk.admit_at("r1", "anna", Fate::Ignore("a receipt"), NOW);
        assert_eq!(desk.facts(), [], "none of it is certain");
        assert_eq!(desk.committed(), [Kept, Duplicate, Kept, Ended(State::Ignored)]);
        assert_eq!(desk.facts(), [], "it was told");
        desk.admit("b1", "ben");
        desk.store.roll_back();
        assert_eq!(desk.committed(), []);
        desk.admit("b1", "ben");
        desk.store.commit().unwrap();
        // Nobody has asked, and so it is not told with what comes later.
        desk.admit("c1", "carl");
        assert_eq!(desk.committed(), [Kept]);
    });
}

fn tell_an_end_of_every_kind(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let mut end = |id: &str, end: &dyn Fn(&mut Desk<'_>, &Lease)| {
            desk.admit(id, id);
            let lease = desk.lease(&free(), NOW).unwrap();
            desk.store.commit().unwrap();
            desk.facts();
            end(&mut desk, &lease);
            desk.committed()
        };
        let say = |desk: &mut Desk<'_>, lease: &Lease, end: SendEnd| {
            let send = desk.hear(lease, &["hello"], true, NOW).unwrap();
            assert_eq!(desk.sent(&send, end, NOW), None);
        };
        let delivered = || SendEnd::Delivered { message_id: None };
        assert_eq!(end("a", &|desk, lease| say(desk, lease, delivered())), [Ended(State::Answered)]);
        assert_eq!(end("b", &|desk, lease| say(desk, lease, SendEnd::Unknown)), [Ended(State::Unknown)]);
        assert_eq!(end("c", &|desk, lease| say(desk, lease, SendEnd::Dead)), [Ended(State::Dead)]);
        assert_eq!(end("d", &|desk, lease| drop(desk.hear(lease, &[], true, NOW))), [Ended(State::Ignored)]);
        let again = SendEnd::Again { due: at(9), maybe_said: false };
        assert_eq!(end("e", &|desk, lease| say(desk, lease, again.clone())), []);
    });
}

fn tell_of_an_event_that_is_proved_that_it_ends_again(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let event = desk.admit("a1", "anna");
        let lease = desk.lease(&free(), NOW).unwrap();
        let send = desk.hear(&lease, &["hello"], true, NOW).unwrap();
        desk.sent(&send, SendEnd::Unknown, NOW);
        assert_eq!(desk.committed(), [Kept, Ended(State::Unknown)]);
        let proves = Some(tag(desk.store.identity(), event, 1));
        let echo = Arrival { fate: Fate::Ignore("an echo"), proves, ..arrival("e1", "anna") };
        desk.store.admit(desk.channel, &echo, NOW, NOW).unwrap();
        assert_eq!(desk.committed(), [Kept, Ended(State::Ignored), Ended(State::Answered)]);
    });
}

fn count_what_waits_wherever_it_stands(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        assert_eq!(desk.backlog(), (0, None));
        desk.admit_at("a1", "anna", Fate::Hear, at(1));
        desk.admit_at("a2", "anna", Fate::Hear, at(2));
        desk.admit_at("b1", "ben", Fate::Hear, at(3));
        desk.store.commit().unwrap();
        assert_eq!(desk.backlog(), (3, Some(at(1))), "nobody has looked at any");
        let first = desk.lease(&free(), at(4)).unwrap();
        let busy = HashSet::from([first.lane]);
        let second = desk.lease(&busy, at(4)).unwrap();
        assert_eq!(desk.backlog(), (3, Some(at(1))), "one is under way, one behind it, one under way");
        desk.hear(&first, &[], true, at(5));
        assert_eq!(desk.backlog(), (2, Some(at(2))));
        desk.hear(&second, &[], true, at(5));
        assert_eq!(desk.backlog(), (1, Some(at(2))));
        desk.store.commit().unwrap();
    });
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        assert_eq!(desk.backlog().1, Some(at(2)), "also after a restart");
        let last = desk.lease(&free(), at(6)).unwrap();
        desk.hear(&last, &[], true, at(6));
        while desk.lease(&free(), at(6)).is_some() {}
        assert_eq!(desk.backlog(), (0, None));
    });
}

fn count_nothing_that_is_held_or_ignored(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.admit_at("r1", "anna", Fate::Ignore("a receipt"), at(1));
        let push = Reply { purpose: Purpose::Push, ..Reply::text("anna", "good morning") };
        desk.store.push(desk.channel, "p1", &[push], at(2)).unwrap();
        let send = desk.lease(&free(), at(3)).unwrap();
        assert_eq!(desk.backlog(), (1, Some(at(2))));
        let instead = Instead::Hold { why: "she did not write for long".to_owned() };
        let held = Settlement::Unsent { event: send.event, lane: send.lane, part: 1, attempt: None, instead };
        desk.store.settle(&held, false, at(4)).unwrap();
        assert_eq!(desk.backlog(), (0, None));
    });
}
