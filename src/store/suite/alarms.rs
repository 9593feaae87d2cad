//! What every store must do with alarms.

use super::*;
use crate::limits::ALARMS_MOVED;
use crate::model::{OWNER_CONFIGURATION, Ring};
use crate::store::ALARM;

every_store! {
    keep_alarms_by_their_names
    ring_an_alarm_as_an_event_that_is_heard
    ring_once_for_one_time
    ring_again_after_a_roll_back_and_not_after_a_restart
    leave_an_alarm_alone_that_was_changed_or_whose_conversation_is_busy
    move_an_alarm_that_does_not_ring
    find_the_alarms_that_are_far_away
    ring_the_alarm_that_has_been_due_longest_of_those_that_are_free
    find_an_alarm_behind_a_thousand_that_wait_and_look_no_more_than_needed
    let_alarms_that_come_due_without_end_not_hide_one_that_became_free
    let_no_alarm_overtake_a_message
    keep_everything_but_one_alarm_too_many
    commit_alarms_with_the_replies_or_not_at_all
    take_the_alarms_of_somebody_away_who_is_gone
}

fn names(alarms: &[Alarm]) -> Vec<String> {
    alarms.iter().map(|alarm| format!("{}/{}", alarm.conversation, alarm.name)).collect()
}

fn keep_alarms_by_their_names(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        for (conversation, name) in [("anna", "noon"), ("anna", "evening"), ("bert", "noon")] {
            desk.set(conversation, name, at(9));
        }
        desk.set("anna", "noon", at(5));
        let mut write = alarm_write(desk.channel, "carla", "report", at(7));
        write.set.as_mut().unwrap().0.owner = OWNER_CONFIGURATION.to_owned();
        desk.store.put_alarm(&write).unwrap();
        desk.store.put_alarm(&AlarmWrite { set: None, ..alarm_write(desk.channel, "bert", "noon", NOW) }).unwrap();
        store.commit().unwrap();
    });
    fixture.with(&mut |store| {
        let desk = Desk::at(store);
        let other = desk.store.channel("other").unwrap();
        let annas = desk.store.alarms(desk.channel, "anna").unwrap();
        assert_eq!(names(&annas), ["anna/evening", "anna/noon"]);
        assert_eq!((annas[1].due, annas[1].channel, &*annas[1].set.note), (at(5), desk.channel, "a note"));
        assert_eq!(desk.store.alarms(desk.channel, "bert").unwrap(), []);
        assert_eq!(desk.store.alarms(other, "anna").unwrap(), []);
        assert_eq!(names(&desk.store.alarms_of(OWNER_CONFIGURATION).unwrap()), ["carla/report"]);
        assert_eq!(names(&desk.store.alarms_of("sun").unwrap()), ["anna/evening", "anna/noon"]);
    });
}

fn ring_an_alarm_as_an_event_that_is_heard(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.set("anna", "noon", at(5));
        assert_eq!(desk.due(&free(), at(4)), None);
        assert_eq!(desk.store.alarm_next(desk.channel).unwrap(), Some(at(5)));
        let alarm = desk.due(&free(), at(6)).unwrap();
        let lease = desk.store.ring(&alarm, Some(at(5)), Some(at(50)), at(6)).unwrap().unwrap();
        let Work::Hear { conversation, kind, received, raw, attempt: 1, .. } = &lease.work else { panic!("{lease:?}") };
        assert_eq!((&**conversation, &**kind, *received), ("anna", ALARM, at(6)));
        let ring: Ring = serde_json::from_slice(raw).unwrap();
        assert_eq!((&*ring.name, &ring.set, ring.due), ("noon", &alarm.set, at(5)));
        assert_eq!((desk.due(&free(), at(49)), desk.store.alarm_next(desk.channel).unwrap()), (None, Some(at(50))));
        // It has its conversation to itself, is tried again, and ends as every event does.
        desk.admit("a1", "anna");
        assert_eq!(desk.lease(&HashSet::from([lease.lane]), at(6)), None);
        desk.hear_later(&lease, at(20), at(6));
        let again = desk.lease(&free(), at(20)).unwrap();
        assert!(matches!(&again.work, Work::Hear { attempt: 2, kind, .. } if kind == ALARM));
        let one = desk.hear(&again, &["The sun is up"], true, at(20)).unwrap();
        desk.sent(&one, delivered(), at(20));
        assert_eq!((desk.state(lease.event), desk.work_off(at(20))), (State::Answered, vec!["a1".to_owned()]));
    });
}

fn ring_once_for_one_time(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.set("anna", "noon", at(5));
        let lease = desk.ring(at(5)).unwrap();
        desk.hear(&lease, &[], true, at(5));
        desk.set("anna", "noon", at(5));
        store.commit().unwrap();
    });
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let alarm = desk.due(&free(), at(6)).unwrap();
        assert_eq!(desk.store.ring(&alarm, Some(at(5)), Some(at(7)), at(6)).unwrap(), None);
        assert_eq!((desk.lease(&free(), at(6)), desk.due(&free(), at(6))), (None, None));
        assert_eq!(desk.store.alarms(desk.channel, "anna").unwrap()[0].due, at(7), "it was moved all the same");
        let alarm = desk.due(&free(), at(7)).unwrap();
        assert!(desk.store.ring(&alarm, Some(at(7)), None, at(7)).unwrap().is_some());
        assert_eq!(desk.store.alarms(desk.channel, "anna").unwrap(), []);
    });
}

fn ring_again_after_a_roll_back_and_not_after_a_restart(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.set("anna", "noon", at(5));
        desk.store.commit().unwrap();
        let lost = desk.ring(at(5)).unwrap();
        desk.store.roll_back();
        assert_eq!(desk.lease(&free(), at(5)), None, "nothing of it is left");
        assert_eq!(desk.ring(at(5)), Some(lost), "and it rings as it did");
        desk.store.commit().unwrap();
    });
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        assert_eq!((desk.due(&free(), at(9)), desk.store.alarm_next(desk.channel).unwrap()), (None, None));
        let lease = desk.lease(&free(), at(9)).expect("its hearing was cut off");
        assert!(matches!(&lease.work, Work::Hear { kind, .. } if kind == ALARM));
        assert_eq!(desk.lease(&HashSet::from([lease.lane]), at(9)), None, "there is only one");
    });
}

fn leave_an_alarm_alone_that_was_changed_or_whose_conversation_is_busy(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.set("anna", "noon", at(5));
        let alarm = desk.due(&free(), at(5)).unwrap();
        desk.set("anna", "noon", at(6));
        assert_eq!(desk.store.ring(&alarm, Some(at(5)), None, at(5)).unwrap(), None);
        let changed = desk.store.alarms(desk.channel, "anna").unwrap();
        assert_eq!((changed.len(), changed[0].due, desk.lease(&free(), at(5))), (1, at(6), None));
        desk.admit("a1", "anna");
        let lease = desk.lease(&free(), at(6)).unwrap();
        assert_eq!(desk.store.ring(&changed[0], Some(at(6)), None, at(6)).unwrap(), None);
        assert_eq!(desk.store.alarms(desk.channel, "anna").unwrap(), changed);
        desk.hear(&lease, &[], true, at(6));
        let gone = AlarmWrite { set: None, ..alarm_write(desk.channel, "anna", "noon", NOW) };
        desk.store.put_alarm(&gone).unwrap();
        assert_eq!(desk.store.ring(&changed[0], Some(at(6)), Some(at(9)), at(6)).unwrap(), None);
        assert_eq!(desk.store.alarms(desk.channel, "anna").unwrap(), [], "it is not set again");
    });
}

fn move_an_alarm_that_does_not_ring(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.set("anna", "noon", at(5));
        let alarm = desk.due(&free(), at(60)).unwrap();
        assert_eq!(desk.store.ring(&alarm, None, Some(at(100)), at(60)).unwrap(), None);
        assert_eq!((desk.lease(&free(), at(60)), desk.due(&free(), at(60))), (None, None));
        assert_eq!(desk.store.alarm_next(desk.channel).unwrap(), Some(at(100)));
    });
}

fn find_the_alarms_that_are_far_away(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        for (conversation, due) in [("anna", 9), ("bert", 5), ("carla", 7)] {
            desk.set(conversation, "noon", at(due));
        }
        assert_eq!(names(&desk.store.alarms_after(desk.channel, at(5)).unwrap()), ["anna/noon", "carla/noon"]);
        let other = desk.store.channel("other").unwrap();
        assert_eq!(desk.store.alarms_after(other, at(0)).unwrap(), []);
        // One that is moved to an earlier time is found there, also when the search had nothing to do before the later.
        assert_eq!((desk.due(&free(), at(4)), desk.store.alarm_next(desk.channel).unwrap()), (None, Some(at(5))));
        let far = desk.store.alarms_after(desk.channel, at(8)).unwrap();
        assert_eq!(desk.store.ring(&far[0], None, Some(at(3)), at(4)).unwrap(), None);
        assert_eq!(desk.due(&free(), at(4)).map(|alarm| alarm.conversation).as_deref(), Some("anna"));
        for number in 0..=ALARMS_MOVED {
            desk.set(&format!("person {number}"), "noon", at(20));
        }
        assert_eq!(desk.store.alarms_after(desk.channel, at(10)).unwrap().len(), ALARMS_MOVED);
    });
}

fn ring_the_alarm_that_has_been_due_longest_of_those_that_are_free(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        for (conversation, due) in [("carla", 3), ("anna", 1), ("dora", 4), ("bert", 2), ("emil", 90)] {
            desk.set(conversation, "noon", at(due));
        }
        for (id, conversation) in [("a1", "anna"), ("b1", "bert")] {
            desk.admit(id, conversation);
        }
        let anna = desk.lease(&free(), NOW).unwrap();
        let bert = desk.lease(&HashSet::from([anna.lane]), NOW).unwrap();
        desk.hear_later(&bert, at(60), at(9));
        let busy = HashSet::from([anna.lane]);
        let who = |desk: &mut Desk<'_>, busy: &HashSet<i64>| desk.due(busy, at(9)).map(|alarm| alarm.conversation);
        assert_eq!(who(&mut desk, &busy).as_deref(), Some("carla"), "anna is answered, bert's bot tries again");
        let carla = desk.ring(at(9)).unwrap();
        let busy = HashSet::from([anna.lane, carla.lane]);
        assert_eq!(who(&mut desk, &busy).as_deref(), Some("dora"));
        let dora = desk.ring(at(9)).unwrap();
        let busy = HashSet::from([anna.lane, carla.lane, dora.lane]);
        assert_eq!(who(&mut desk, &busy), None);
        assert_eq!(desk.store.alarm_next(desk.channel).unwrap(), Some(at(90)), "nobody spins for those that wait");
        desk.hear(&carla, &[], true, at(9));
        assert_eq!(who(&mut desk, &busy), None);
        desk.hear(&anna, &[], true, at(9));
        assert!(desk.store.alarm_next(desk.channel).unwrap() <= Some(at(9)), "anna is free");
        assert_eq!(who(&mut desk, &busy), None, "but the caller has her");
        let busy = HashSet::from([dora.lane]);
        desk.admit("a2", "anna");
        let again = desk.lease(&busy, at(9)).unwrap();
        desk.hear(&again, &[], true, at(9));
        assert_eq!(who(&mut desk, &busy).as_deref(), Some("anna"));
        // One that is set for a time that has passed rings, too.
        desk.set("fritz", "noon", NOW);
        assert_eq!(who(&mut desk, &busy).as_deref(), Some("fritz"));
    });
}

/// Conversations whose bot tries again in an hour, each with an alarm that is due.
fn thousand_that_wait(desk: &mut Desk<'_>) -> Vec<Lease> {
    let mut leases = Vec::new();
    for number in 0..1000 {
        desk.admit(&format!("m{number}"), &format!("p{number}"));
        let lease = desk.lease(&free(), NOW).unwrap();
        desk.hear_later(&lease, at(3600), NOW);
        desk.set(&format!("p{number}"), "noon", at(number));
        leases.push(lease);
    }
    leases
}

/// Looks as the keeper does, until it is told to wait: what was found, in how many looks.
fn look(desk: &mut Desk<'_>, now: Moment) -> (Option<String>, usize) {
    for looks in 1..200 {
        if let Some(alarm) = desk.due(&free(), now) {
            return (Some(alarm.conversation), looks);
        }
        if desk.store.alarm_next(desk.channel).unwrap().is_none_or(|next| next > now) {
            return (None, looks);
        }
    }
    panic!("it looks without end");
}

fn find_an_alarm_behind_a_thousand_that_wait_and_look_no_more_than_needed(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let waits = thousand_that_wait(&mut desk);
        desk.set("zoe", "noon", at(2000));
        desk.set("late", "noon", at(9000));
        let (found, looks) = look(&mut desk, at(3000));
        assert!(found.as_deref() == Some("zoe") && looks <= 1000 / limits::SEARCH_ROWS + 1, "{found:?} in {looks}");
        let zoe = desk.ring(at(3000)).unwrap();
        assert_eq!(look(&mut desk, at(3000)).0, None);
        assert_eq!(desk.store.alarm_next(desk.channel).unwrap(), Some(at(9000)));
        assert_eq!(look(&mut desk, at(3001)), (None, 1), "none of them is looked at again");
        // Somebody without an alarm becomes free: that changes nothing.
        desk.hear(&zoe, &[], true, at(3000));
        assert_eq!(look(&mut desk, at(3001)), (None, 1));
        desk.hear(&waits[700], &[], true, at(3001));
        assert_eq!(look(&mut desk, at(3001)).0.as_deref(), Some("p700"));
        desk.ring(at(3001)).unwrap();
        assert_eq!(look(&mut desk, at(3002)).0, None);
        assert_eq!(desk.store.alarm_next(desk.channel).unwrap(), Some(at(9000)));
    });
}

fn let_alarms_that_come_due_without_end_not_hide_one_that_became_free(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let waits = thousand_that_wait(&mut desk);
        assert_eq!(look(&mut desk, at(2000)).0, None);
        desk.hear(&waits[3], &[], true, at(2000));
        let mut rung = Vec::new();
        for second in 2000..2030 {
            // Each second two more, and one rings.
            desk.set(&format!("a{second}"), "noon", at(second));
            desk.set(&format!("b{second}"), "noon", at(second));
            rung.extend(look(&mut desk, at(second)).0);
            let lease = desk.ring(at(second)).unwrap();
            desk.hear(&lease, &[], true, at(second));
        }
        assert!(rung.contains(&"p3".to_owned()), "{rung:?}");
    });
}

fn let_no_alarm_overtake_a_message(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.set("anna", "noon", at(1));
        desk.set("carla", "noon", at(2));
        desk.admit("b1", "bert");
        desk.admit("a1", "anna");
        // Nobody has begun with either; a keeper that is busy lets an alarm ring now and then all the same.
        let carla = desk.ring(at(2)).unwrap();
        assert_eq!(desk.ring(at(2)), None, "anna's message came before");
        desk.hear(&carla, &[], true, at(2));
        assert_eq!(desk.work_off(at(2)), ["b1", "a1"]);
        let anna = desk.ring(at(2)).unwrap();
        desk.hear(&anna, &[], true, at(2));
        assert_eq!(desk.lease(&free(), at(2)), None, "each was heard once");
    });
}

fn keep_everything_but_one_alarm_too_many(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        let most = limits::ALARMS_PER_CONVERSATION_MAX;
        let alarms: Vec<_> =
            (0..=most).map(|number| alarm_write(desk.channel, "anna", &format!("{number:02}"), at(9))).collect();
        desk.admit("a1", "anna");
        let lease = desk.lease(&free(), NOW).unwrap();
        let notes = Notes { alarms, ..Notes::default() };
        let one = desk.heard(&lease, vec![Reply::text("anna", "done")], notes, NOW).unwrap();
        assert_eq!(part_of(&one), 1, "the answer is said");
        let kept = |desk: &mut Desk<'_>| names(&desk.store.alarms(desk.channel, "anna").unwrap());
        assert!(kept(&mut desk).len() == most as usize && !kept(&mut desk).contains(&format!("anna/{most}")));
        // One that is there may change, and one that goes makes room.
        desk.set("anna", "00", at(3));
        assert_eq!(desk.store.alarms(desk.channel, "anna").unwrap()[0].due, at(3));
        let gone = AlarmWrite { set: None, ..alarm_write(desk.channel, "anna", "00", NOW) };
        desk.store.put_alarm(&gone).unwrap();
        desk.set("anna", "new", at(3));
        desk.set("bert", "new", at(3));
        assert!(kept(&mut desk).contains(&"anna/new".to_owned()));
        assert_eq!(desk.store.alarms(desk.channel, "bert").unwrap().len(), 1);
    });
}

fn commit_alarms_with_the_replies_or_not_at_all(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        desk.admit("a1", "anna");
        desk.store.commit().unwrap();
        for keep in [false, true] {
            let lease = desk.lease(&free(), NOW).unwrap();
            let alarms = vec![alarm_write(desk.channel, "anna", "noon", at(5))];
            desk.heard(&lease, Vec::new(), Notes { alarms, ..Notes::default() }, NOW);
            if keep {
                desk.store.commit().unwrap()
            } else {
                desk.store.roll_back()
            }
            assert_eq!(desk.store.alarms(desk.channel, "anna").unwrap().len(), usize::from(keep));
            assert_eq!(desk.due(&free(), at(5)).is_some(), keep);
            assert_eq!(desk.store.alarm_next(desk.channel).unwrap().is_some(), keep);
        }
    });
}

fn take_the_alarms_of_somebody_away_who_is_gone(fixture: &mut impl Fixture) {
    fixture.with(&mut |store| {
        let mut desk = Desk::at(store);
        for (gone, many) in [("anna", "2 alarms were taken away"), ("bert", "1 alarm was taken away"), ("carla", "")] {
            let count = many.get(..1).map_or(0, |count| count.parse().unwrap());
            (0..count).for_each(|number| desk.set(gone, &number.to_string(), at(9)));
            desk.set("dora", "noon", at(9));
            let event = desk.admit(gone, gone);
            let lease = desk.lease(&free(), NOW).unwrap();
            let lease = desk.hear(&lease, &["one", "two"], true, NOW).unwrap();
            let (part, number, words) = (1, 1, "HTTP 400: blocked".to_owned());
            let attempt = Attempt { part, number, began: NOW, ended: NOW, status: Some(400), words };
            let sent = Settlement::Sent { event, lane: lease.lane, attempt, end: SendEnd::Gone };
            assert_eq!(desk.store.settle(&sent, true, NOW).unwrap(), None, "nor is the rest said");
            let life = desk.life(event);
            let mut why = "a reply could not be said: HTTP 400: blocked".to_owned();
            if count > 0 {
                why = format!("{why}; {many}");
            }
            assert_eq!((life.state, life.why), (State::Dead, Some(why)));
            assert_eq!(desk.store.alarms(desk.channel, gone).unwrap(), []);
            assert_eq!(desk.store.alarms(desk.channel, "dora").unwrap().len(), 1);
        }
    });
}
