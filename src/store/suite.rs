//! One suite for every engine: `every_store_must!(a maker of fixtures)`.

use super::memory::{Memory, Shelf};
use super::sqlite::SqliteFile;
use super::{ALARM, Admitted, Life, OWN, PutBack, Replayed, State, Store, Wanted, lane, tag};
use crate::limits;
use crate::luck::Luck;
use crate::model::{
    Alarm, AlarmSet, AlarmWrite, Arrival, Attempt, ChannelNumber, EventKey, Fate, Instead, Lease, MemoryWrite, Moment,
    Notes, Plan, Purpose, Reply, Rest, SendEnd, Settlement, Stage, Work,
};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

/// Something that can be opened again, as after a restart.
pub trait Fixture {
    /// Interleavings to try; an engine with a disk takes its time for each.
    const SEEDS: u64;
    fn new(name: &str) -> Self;
    fn with(&mut self, life: &mut dyn FnMut(&mut dyn Store));
}

struct InMemory(Shelf);

impl Fixture for InMemory {
    const SEEDS: u64 = 200;

    fn new(_name: &str) -> Self {
        InMemory(Shelf::default())
    }

    fn with(&mut self, life: &mut dyn FnMut(&mut dyn Store)) {
        life(&mut Memory::open(&self.0));
    }
}

struct InSqlite(PathBuf);

impl Fixture for InSqlite {
    const SEEDS: u64 = 10;

    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ackd-suite-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        InSqlite(folder)
    }

    fn with(&mut self, life: &mut dyn FnMut(&mut dyn Store)) {
        let file = SqliteFile::open(&self.0.join("ackd.db")).unwrap();
        life(&mut file.engine().unwrap());
    }
}

impl Drop for InSqlite {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs each of these tests with every engine.
macro_rules! every_store {
    ($($test:ident)*) => {
        mod memory_engine {
            $(#[test] fn $test() { super::$test(&mut super::Fixture::new(stringify!($test)) as &mut super::InMemory); })*
        }
        mod sqlite_engine {
            $(#[test] fn $test() { super::$test(&mut super::Fixture::new(stringify!($test)) as &mut super::InSqlite); })*
        }
    };
}

mod alarms;
mod alike;
mod aside;
mod cut_off;
mod resolved;
mod stages;
mod watched;

const NOW: Moment = Moment(1_800_000_000_000);

fn at(seconds: u64) -> Moment {
    NOW.after(Duration::from_secs(seconds))
}

fn arrival(id: &str, from: &str) -> Arrival {
    Arrival {
        id: id.to_owned(),
        conversation: from.to_owned(),
        kind: "message",
        fate: Fate::Hear,
        raw: format!("{{\"id\":\"{id}\"}}").into_bytes().into(),
        proves: None,
    }
}

fn free() -> HashSet<i64> {
    HashSet::new()
}

/// A store in use, with the steps of a test as words.
struct Desk<'a> {
    store: &'a mut dyn Store,
    channel: ChannelNumber,
}

impl<'a> Desk<'a> {
    fn at(store: &'a mut dyn Store) -> Desk<'a> {
        let channel = store.channel("page").unwrap();
        Desk { store, channel }
    }

    fn admit(&mut self, id: &str, from: &str) -> EventKey {
        match self.store.admit(self.channel, &arrival(id, from), NOW, NOW).unwrap() {
            Admitted::Kept { event, .. } => event,
            Admitted::Duplicate => panic!("{id} was not new"),
        }
    }

    fn lease(&mut self, busy: &HashSet<i64>, now: Moment) -> Option<Lease> {
        self.store.lease(self.channel, Wanted::Any, busy, now).unwrap()
    }

    fn hear(&mut self, lease: &Lease, said: &[&str], go_on: bool, now: Moment) -> Option<Lease> {
        let replies = said.iter().map(|text| Reply::text("anna", *text)).collect();
        let settlement = Settlement::Heard { event: lease.event, lane: lease.lane, replies, notes: Notes::default() };
        self.store.settle(&settlement, go_on, now).unwrap()
    }

    fn sent(&mut self, lease: &Lease, end: SendEnd, now: Moment) -> Option<Lease> {
        let Work::Send { part, attempt, .. } = &lease.work else { panic!("not a send: {lease:?}") };
        let (part, number, words) = (*part, *attempt, String::new());
        let attempt = Attempt { part, number, began: now, ended: now, status: Some(200), words };
        let settlement = Settlement::Sent { event: lease.event, lane: lease.lane, attempt, end };
        self.store.settle(&settlement, true, now).unwrap()
    }

    /// Everything that can be done at `now`, done well; the ids in the order in which they were heard or said.
    fn work_off(&mut self, now: Moment) -> Vec<String> {
        let mut order = Vec::new();
        while let Some(lease) = self.lease(&free(), now) {
            let mut next = Some(lease);
            while let Some(lease) = next {
                next = match &lease.work {
                    Work::Hear { raw, .. } => {
                        order.push(String::from_utf8_lossy(raw).replace(['{', '}', '"'], "").replace("id:", ""));
                        self.hear(&lease, &["ok"], true, now)
                    }
                    Work::Send { .. } => self.sent(&lease, delivered(), now),
                };
            }
        }
        order
    }

    fn state(&mut self, event: EventKey) -> State {
        self.life(event).state
    }

    fn life(&mut self, event: EventKey) -> Life {
        self.store.life(event).unwrap().unwrap()
    }

    /// The bot tries again later.
    fn hear_later(&mut self, lease: &Lease, due: Moment, now: Moment) {
        let (event, lane) = (lease.event, lease.lane);
        let later = Settlement::HearLater { event, lane, due, attempt: 1, why: String::new() };
        self.store.settle(&later, false, now).unwrap();
    }

    /// What the bot wants said, and what else is kept.
    fn heard(&mut self, lease: &Lease, replies: Vec<Reply>, notes: Notes, now: Moment) -> Option<Lease> {
        let settlement = Settlement::Heard { event: lease.event, lane: lease.lane, replies, notes };
        self.store.settle(&settlement, true, now).unwrap()
    }

    fn unsent(&mut self, lease: &Lease, instead: Instead, now: Moment) -> Option<Lease> {
        let (event, lane, part) = (lease.event, lease.lane, part_of(lease));
        self.store.settle(&Settlement::Unsent { event, lane, part, attempt: None, instead }, true, now).unwrap()
    }

    /// An alarm of `conversation` that rings once.
    fn set(&mut self, conversation: &str, name: &str, due: Moment) {
        self.store.put_alarm(&alarm_write(self.channel, conversation, name, due)).unwrap();
    }

    fn due(&mut self, busy: &HashSet<i64>, now: Moment) -> Option<Alarm> {
        self.store.alarm_due(self.channel, busy, now).unwrap()
    }

    /// The next alarm that is due rings, for the last time.
    fn ring(&mut self, now: Moment) -> Option<Lease> {
        let alarm = self.due(&free(), now)?;
        self.store.ring(&alarm, Some(alarm.due), None, now).unwrap()
    }
}

fn alarm_write(channel: ChannelNumber, conversation: &str, name: &str, due: Moment) -> AlarmWrite {
    let (person, note, plan) = (conversation.to_owned(), "a note".to_owned(), Plan::once(due));
    let set = AlarmSet { owner: "sun".to_owned(), person, thread: None, note, plan };
    AlarmWrite { channel, conversation: conversation.to_owned(), name: name.to_owned(), set: Some((set, due)) }
}

fn delivered() -> SendEnd {
    SendEnd::Delivered { message_id: Some("mid.1".to_owned()) }
}

fn part_of(lease: &Lease) -> u32 {
    match lease.work {
        Work::Send { part, .. } => part,
        Work::Hear { .. } => 0,
    }
}

macro_rules! every_store_must {
    ($fixture:ty) => {
        use super::*;

        fn fixture(name: &str) -> $fixture {
            <$fixture>::new(name)
        }

        #[test]
        fn tell_of_which_channels_events_wait() {
            fixture("waiting").with(&mut |store| {
                for (name, fate) in
                    [("page", Fate::Hear), ("ended", Fate::Ignore("a receipt")), ("begun", Fate::Hear), ("empty", Fate::Hear)]
                {
                    let channel = store.channel(name).unwrap();
                    if name != "empty" {
                        store.admit(channel, &Arrival { fate, ..arrival("m1", "anna") }, NOW, NOW).unwrap();
                    }
                    if name == "begun" {
                        store.lease(channel, Wanted::Any, &free(), NOW).unwrap();
                    }
                }
                assert_eq!(store.channels_that_wait().unwrap(), ["page", "begun"]);
                Desk::at(store).work_off(NOW);
                assert_eq!(store.channels_that_wait().unwrap(), ["begun"]);
            });
        }

        #[test]
        fn keep_an_admitted_event_across_a_restart() {
            let mut fixture = fixture("restart");
            fixture.with(&mut |store| {
                Desk::at(store).admit("m1", "anna");
                store.commit().unwrap();
            });
            fixture.with(&mut |store| {
                let mut desk = Desk::at(store);
                let lease = desk.lease(&free(), NOW).expect("the event is still there");
                assert!(matches!(&lease.work, Work::Hear { conversation, attempt: 1, .. } if conversation == "anna"));
            });
        }

        #[test]
        fn forget_what_was_not_committed() {
            let mut fixture = fixture("rollback");
            fixture.with(&mut |store| {
                Desk::at(store).admit("m1", "anna");
                store.commit().unwrap();
                Desk::at(store).admit("m2", "anna");
                store.roll_back();
                let mut desk = Desk::at(store);
                assert_eq!(desk.work_off(NOW), ["m1"]);
                // What was forgotten is new when it comes again.
                desk.admit("m2", "anna");
                assert_eq!(desk.work_off(NOW), ["m2"]);
            });
        }

        #[test]
        fn admit_the_same_event_once_also_after_a_restart() {
            let mut fixture = fixture("once");
            fixture.with(&mut |store| {
                let mut desk = Desk::at(store);
                desk.admit("m1", "anna");
                let again = desk.store.admit(desk.channel, &arrival("m1", "anna"), NOW, NOW).unwrap();
                assert_eq!(again, Admitted::Duplicate);
                // The same id on another channel is another event.
                let other = desk.store.channel("other").unwrap();
                let there = desk.store.admit(other, &arrival("m1", "anna"), NOW, NOW).unwrap();
                assert!(matches!(there, Admitted::Kept { .. }));
                store.commit().unwrap();
            });
            fixture.with(&mut |store| {
                let channel = store.channel("page").unwrap();
                let again = store.admit(channel, &arrival("m1", "anna"), NOW, NOW).unwrap();
                assert_eq!(again, Admitted::Duplicate);
            });
        }

        #[test]
        fn hand_out_one_conversation_in_order_and_one_at_a_time() {
            fixture("order").with(&mut |store| {
                let mut desk = Desk::at(store);
                for id in ["a1", "a2", "a3"] {
                    desk.admit(id, "anna");
                }
                desk.admit("b1", "bert");
                let first = desk.lease(&free(), NOW).unwrap();
                let busy = HashSet::from([first.lane]);
                let second = desk.lease(&busy, NOW).unwrap();
                assert!(matches!(&second.work, Work::Hear { conversation, .. } if conversation == "bert"));
                let busy = HashSet::from([first.lane, second.lane]);
                assert_eq!(desk.lease(&busy, NOW), None, "a2 must wait for a1");
                desk.hear(&second, &[], true, NOW);
                desk.hear(&first, &[], true, NOW);
                assert_eq!(desk.work_off(NOW), ["a2", "a3"]);
            });
        }

        #[test]
        fn let_a_waiting_conversation_delay_no_other() {
            fixture("waiting").with(&mut |store| {
                let mut desk = Desk::at(store);
                let a1 = desk.admit("a1", "anna");
                let lease = desk.lease(&free(), NOW).unwrap();
                let (event, lane) = (lease.event, lease.lane);
                let why = "the look-up failed".to_owned();
                let later = Settlement::HearLater { event, lane, due: at(60), attempt: 1, why };
                desk.store.settle(&later, true, NOW).unwrap();
                desk.admit("a2", "anna");
                desk.admit("b1", "bert");
                assert_eq!(desk.work_off(NOW), ["b1"]);
                assert_eq!(desk.store.next_due(desk.channel, Wanted::Any, NOW).unwrap(), Some(at(60)));
                assert_eq!(desk.state(a1), State::Open);
                let again = desk.lease(&free(), at(60)).unwrap();
                assert!(matches!(again.work, Work::Hear { attempt: 2, .. }));
                desk.hear(&again, &[], true, at(60));
                assert_eq!(desk.work_off(at(60)), ["a2"]);
                assert_eq!(desk.store.next_due(desk.channel, Wanted::Any, at(60)).unwrap(), None);
            });
        }

        #[test]
        fn let_a_long_queue_behind_one_conversation_delay_no_other() {
            fixture("queue").with(&mut |store| {
                let mut desk = Desk::at(store);
                desk.admit("a0", "anna");
                let Lease { event, lane, .. } = desk.lease(&free(), NOW).unwrap();
                let later = Settlement::HearLater { event, lane, due: at(60), attempt: 1, why: String::new() };
                desk.store.settle(&later, true, NOW).unwrap();
                for number in 1..=3 * limits::SEARCH_ROWS {
                    desk.admit(&format!("a{number}"), "anna");
                }
                desk.admit("b1", "bert");
                // As the keeper does: it looks again when the store says so.
                let mut order = desk.work_off(NOW);
                while desk.store.next_due(desk.channel, Wanted::Any, NOW).unwrap() == Some(NOW) {
                    order.extend(desk.work_off(NOW));
                }
                assert_eq!(order, ["b1"]);
                let next = desk.store.next_due(desk.channel, Wanted::Sends, NOW).unwrap();
                assert_eq!(next, Some(at(60)), "when only replies are wanted, nothing new is looked for");
            });
        }

        #[test]
        fn send_the_replies_of_an_event_in_order_before_the_next_event() {
            fixture("replies").with(&mut |store| {
                let mut desk = Desk::at(store);
                let a1 = desk.admit("a1", "anna");
                desk.admit("a2", "anna");
                let heard = desk.lease(&free(), NOW).unwrap();
                let one = desk.hear(&heard, &["one", "two"], true, NOW).unwrap();
                assert_eq!(part_of(&one), 1);
                let busy = HashSet::from([one.lane]);
                assert_eq!(desk.lease(&busy, NOW), None, "a2 waits for the replies of a1");
                let two = desk.sent(&one, delivered(), NOW).unwrap();
                assert_eq!(part_of(&two), 2);
                assert_eq!(desk.state(a1), State::Open);
                assert_eq!(desk.sent(&two, delivered(), NOW), None);
                assert_eq!(desk.state(a1), State::Answered);
                assert_eq!(desk.work_off(NOW), ["a2"]);
                let life = desk.store.life(a1).unwrap().unwrap();
                assert_eq!(life.replies.len(), 2);
                assert_eq!(life.replies[1].attempts.len(), 1);
                assert_eq!(life.replies[0].message_id.as_deref(), Some("mid.1"));
            });
        }

        #[test]
        fn label_a_reply_whose_attempt_was_cut_off() {
            let mut fixture = fixture("cut");
            let mut event = None;
            fixture.with(&mut |store| {
                let mut desk = Desk::at(store);
                event = Some(desk.admit("a1", "anna"));
                let heard = desk.lease(&free(), NOW).unwrap();
                desk.hear(&heard, &["one"], true, NOW).unwrap();
                store.commit().unwrap();
            });
            fixture.with(&mut |store| {
                let mut desk = Desk::at(store);
                let again = desk.lease(&free(), at(5)).expect("the lease is void, the reply is not");
                assert!(matches!(again.work, Work::Send { attempt: 2, .. }));
                desk.sent(&again, delivered(), at(6));
                let life = desk.store.life(event.unwrap()).unwrap().unwrap();
                assert_eq!(life.state, State::Answered);
                assert!(life.replies[0].maybe_twice);
                assert_eq!(life.replies[0].attempts.len(), 2);
                assert!(life.replies[0].attempts[0].words.contains("cut off"));
            });
        }

        #[test]
        fn hear_an_event_again_whose_hearing_was_cut_off() {
            let mut fixture = fixture("cut-hearing");
            fixture.with(&mut |store| {
                let mut desk = Desk::at(store);
                desk.admit("a1", "anna");
                desk.admit("a2", "anna");
                let lease = desk.lease(&free(), NOW).unwrap();
                assert_eq!(desk.lease(&HashSet::from([lease.lane]), NOW), None);
                store.commit().unwrap();
            });
            fixture.with(&mut |store| assert_eq!(Desk::at(store).work_off(NOW), ["a1", "a2"]));
        }

        #[test]
        fn settle_an_unknown_reply_by_its_echo() {
            fixture("echo").with(&mut |store| {
                let mut desk = Desk::at(store);
                let a1 = desk.admit("a1", "anna");
                let heard = desk.lease(&free(), NOW).unwrap();
                let one = desk.hear(&heard, &["one"], true, NOW).unwrap();
                desk.sent(&one, SendEnd::Unknown, NOW);
                assert_eq!(desk.state(a1), State::Unknown);
                let echo = |tag: String, id: &str| Arrival {
                    fate: Fate::Ignore("an echo"),
                    proves: Some(tag),
                    ..arrival(id, "anna")
                };
                let foreign = echo(tag("another", a1, 1), "e0");
                desk.store.admit(desk.channel, &foreign, NOW, NOW).unwrap();
                assert_eq!(desk.state(a1), State::Unknown, "an echo of another store's reply proves nothing");
                let ours = echo(tag(desk.store.identity(), a1, 1), "e1");
                desk.store.admit(desk.channel, &ours, NOW, NOW).unwrap();
                assert_eq!(desk.state(a1), State::Answered);
            });
        }

        #[test]
        fn settle_an_unknown_reply_by_our_own_message_with_the_same_text() {
            fixture("witness").with(&mut |store| {
                let mut desk = Desk::at(store);
                let own = |id: &str| Arrival { fate: Fate::Witness, ..arrival(id, "room") };
                let witness = |desk: &mut Desk<'_>, id: &str| {
                    let Admitted::Kept { event, .. } = desk.store.admit(desk.channel, &own(id), NOW, NOW).unwrap() else {
                        panic!("{id} is new")
                    };
                    event
                };
                let early = witness(&mut desk, "w0");
                assert_eq!(desk.state(early), State::Ignored, "there is nothing to prove yet");
                let a1 = desk.admit("a1", "room");
                let heard = desk.lease(&free(), NOW).unwrap();
                let one = desk.hear(&heard, &["one", "two"], true, NOW).unwrap();
                // It comes back while we still wait for the platform's answer, so it waits its turn.
                let (overtaking, second) = (witness(&mut desk, "w1"), witness(&mut desk, "w2"));
                assert_eq!(desk.state(overtaking), State::Open);
                let two = desk.sent(&one, SendEnd::Unknown, NOW).unwrap();
                desk.sent(&two, SendEnd::Unknown, NOW);
                assert_eq!(desk.state(a1), State::Unknown);
                let look = |desk: &mut Desk<'_>, texts: &[&str]| {
                    let lease = desk.lease(&free(), NOW).unwrap();
                    assert!(matches!(&lease.work, Work::Hear { kind, .. } if kind == OWN));
                    let (event, lane) = (lease.event, lease.lane);
                    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
                    let message = "mid.9".to_owned();
                    desk.store.settle(&Settlement::Witnessed { event, lane, message, texts }, false, NOW).unwrap();
                    desk.store.life(event).unwrap().unwrap().why.unwrap()
                };
                assert_eq!(look(&mut desk, &[" two\n"]), "a message of ours; it shows that reply 2.2 was delivered");
                assert_eq!(desk.state(a1), State::Unknown, "one of two is still unknown");
                assert_eq!(look(&mut desk, &["another", "one"]), "a message of ours; it shows that reply 2.1 was delivered");
                assert_eq!((desk.state(a1), desk.state(second)), (State::Answered, State::Ignored));
                let late = witness(&mut desk, "w3");
                assert_eq!(desk.state(late), State::Ignored, "nothing is left to prove");
            });
        }

        #[test]
        fn leave_a_reply_unknown_when_the_message_with_its_text_is_another_reply() {
            fixture("witness-again").with(&mut |store| {
                let mut desk = Desk::at(store);
                let mut unknown = None;
                for (id, end) in [("a1", delivered()), ("a2", SendEnd::Unknown)] {
                    unknown = Some(desk.admit(id, "room"));
                    let heard = desk.lease(&free(), NOW).unwrap();
                    let one = desk.hear(&heard, &["Hi"], true, NOW).unwrap();
                    desk.sent(&one, end, NOW);
                }
                // The first one's message comes back late.
                for (id, message, state) in [("w1", "mid.1", State::Unknown), ("w2", "mid.2", State::Answered)] {
                    let own = Arrival { fate: Fate::Witness, ..arrival(id, "room") };
                    desk.store.admit(desk.channel, &own, NOW, NOW).unwrap();
                    let Lease { event, lane, .. } = desk.lease(&free(), NOW).unwrap();
                    let (message, texts) = (message.to_owned(), vec!["Hi".to_owned()]);
                    desk.store.settle(&Settlement::Witnessed { event, lane, message, texts }, false, NOW).unwrap();
                    assert_eq!(desk.state(event), State::Ignored);
                    assert_eq!(desk.state(unknown.unwrap()), state, "after {id}");
                }
            });
        }

        #[test]
        fn ask_nothing_about_our_own_message_when_the_answer_came_after_all() {
            fixture("witness-idle").with(&mut |store| {
                let mut desk = Desk::at(store);
                desk.admit("a1", "room");
                let heard = desk.lease(&free(), NOW).unwrap();
                let one = desk.hear(&heard, &["one"], true, NOW).unwrap();
                let own = Arrival { fate: Fate::Witness, ..arrival("w1", "room") };
                let Admitted::Kept { event, .. } = desk.store.admit(desk.channel, &own, NOW, NOW).unwrap() else {
                    panic!("it is new")
                };
                let next = desk.admit("a2", "room");
                desk.sent(&one, delivered(), NOW);
                assert_eq!(desk.lease(&free(), NOW).unwrap().event, next, "nobody looks it up");
                assert_eq!(desk.state(event), State::Ignored);
            });
        }

        #[test]
        fn believe_an_echo_that_overtakes_the_answer() {
            fixture("overtaken").with(&mut |store| {
                let mut desk = Desk::at(store);
                for (id, end) in [
                    ("a1", SendEnd::Unknown),
                    ("a2", SendEnd::Again { due: at(9), maybe_said: true }),
                ] {
                    let event = desk.admit(id, id);
                    let heard = desk.lease(&free(), NOW).unwrap();
                    let one = desk.hear(&heard, &["one"], true, NOW).unwrap();
                    let proves = Some(tag(desk.store.identity(), event, 1));
                    let fate = Fate::Ignore("an echo");
                    let echo = Arrival { fate, proves, ..arrival(&format!("echo-{id}"), id) };
                    desk.store.admit(desk.channel, &echo, NOW, NOW).unwrap();
                    desk.sent(&one, end, NOW);
                    assert_eq!(desk.state(event), State::Answered);
                    assert_eq!(desk.lease(&free(), at(10)), None, "it is not said again");
                }
            });
        }

        #[test]
        fn wait_with_a_retry_until_it_is_due_and_label_what_may_be_double() {
            fixture("retry").with(&mut |store| {
                let mut desk = Desk::at(store);
                let a1 = desk.admit("a1", "anna");
                let heard = desk.lease(&free(), NOW).unwrap();
                let one = desk.hear(&heard, &["one"], true, NOW).unwrap();
                desk.sent(&one, SendEnd::Again { due: at(30), maybe_said: true }, NOW);
                assert_eq!(desk.lease(&free(), at(29)), None);
                let again = desk.lease(&free(), at(30)).unwrap();
                assert!(matches!(again.work, Work::Send { attempt: 2, .. }));
                desk.sent(&again, delivered(), at(30));
                let life = desk.store.life(a1).unwrap().unwrap();
                assert!(life.replies[0].maybe_twice);
                assert_eq!(life.state, State::Answered);
            });
        }

        #[test]
        fn end_the_rest_of_an_answer_with_its_dead_part_and_put_both_back() {
            fixture("dead").with(&mut |store| {
                let mut desk = Desk::at(store);
                let a1 = desk.admit("a1", "anna");
                let heard = desk.lease(&free(), NOW).unwrap();
                let one = desk.hear(&heard, &["one", "two"], true, NOW).unwrap();
                assert_eq!(desk.sent(&one, SendEnd::Dead, NOW), None);
                assert_eq!(desk.state(a1), State::Dead);
                let dead = desk.store.life(a1).unwrap().unwrap();
                let put_back =
                    PutBack { at: at(5), resolved: false, state: State::Dead, ended: Some(NOW), why: dead.why, made: Some(NOW) };
                assert_eq!(desk.store.replay(a1, None, at(5)).unwrap(), Replayed::PutBack);
                assert!(matches!(desk.store.replay(a1, None, at(6)).unwrap(), Replayed::Left(_)));
                let one = desk.lease(&free(), at(5)).unwrap();
                assert!(matches!(one.work, Work::Send { made, .. } if made == at(5)), "its time begins anew");
                let two = desk.sent(&one, delivered(), at(5)).unwrap();
                desk.sent(&two, delivered(), at(5));
                assert_eq!(desk.state(a1), State::Answered);
                assert_eq!(desk.store.life(a1).unwrap().unwrap().replays, [put_back]);
            });
        }

        #[test]
        fn hear_a_dead_event_again_when_it_is_put_back() {
            fixture("dead-hearing").with(&mut |store| {
                let mut desk = Desk::at(store);
                let a1 = desk.admit("a1", "anna");
                let Lease { event, lane, .. } = desk.lease(&free(), NOW).unwrap();
                let dead = Settlement::HearDead { event, lane, why: "the bot gave up".to_owned() };
                desk.store.settle(&dead, true, NOW).unwrap();
                assert_eq!(desk.state(a1), State::Dead);
                assert_eq!(desk.lease(&free(), NOW), None);
                assert_eq!(desk.store.replay(a1, None, NOW).unwrap(), Replayed::PutBack);
                assert_eq!(desk.work_off(NOW), ["a1"]);
                assert_eq!(desk.state(a1), State::Answered);
            });
        }

        #[test]
        fn try_an_event_anew_since_it_was_put_back() {
            fixture("dead-since").with(&mut |store| {
                let mut desk = Desk::at(store);
                desk.admit("a1", "anna");
                for put_back in [at(100_000), at(200_000)] {
                    let Lease { event, lane, .. } = desk.lease(&free(), put_back).unwrap();
                    let dead = Settlement::HearDead { event, lane, why: "given up".to_owned() };
                    desk.store.settle(&dead, true, NOW).unwrap();
                    desk.store.replay(event, None, put_back).unwrap();
                }
                let again = desk.lease(&free(), at(200_000)).unwrap();
                let Work::Hear { received, since, .. } = again.work else { panic!("{again:?}") };
                assert_eq!((received, since), (NOW, at(200_000)));
            });
        }

        #[test]
        fn push_in_turn_and_only_once() {
            fixture("push").with(&mut |store| {
                let mut desk = Desk::at(store);
                desk.admit("a1", "anna");
                let push = [Reply::text("anna", "good morning")];
                let event = desk.store.push(desk.channel, "push-1", &push, NOW).unwrap();
                assert_eq!(desk.store.push(desk.channel, "push-1", &push, NOW).unwrap(), event, "the same again");
                let first = desk.lease(&free(), NOW).unwrap();
                assert_eq!(desk.lease(&HashSet::from([first.lane]), NOW), None);
                desk.hear(&first, &[], true, NOW);
                let second = desk.lease(&free(), NOW).unwrap();
                assert_eq!((second.event, part_of(&second)), (event, 1));
                desk.sent(&second, delivered(), NOW);
                let lonely = [Reply::text("bert", "good morning")];
                desk.store.push(desk.channel, "push-2", &lonely, NOW).unwrap();
                assert_eq!(part_of(&desk.lease(&free(), NOW).unwrap()), 1);
            });
        }

        #[test]
        fn keep_ignored_events_and_hand_none_of_them_out() {
            fixture("ignored").with(&mut |store| {
                let mut desk = Desk::at(store);
                let ignored = Arrival { fate: Fate::Ignore("a receipt"), ..arrival("r1", "anna") };
                let kept = desk.store.admit(desk.channel, &ignored, NOW, NOW).unwrap();
                let Admitted::Kept { event, to_hear: false } = kept else { panic!("{kept:?}") };
                assert_eq!(desk.lease(&free(), NOW), None);
                assert_eq!(desk.state(event), State::Ignored);
                let life = desk.store.life(event).unwrap().unwrap();
                assert_eq!(life.why.as_deref(), Some("a receipt"));
            });
        }

        #[test]
        fn commit_memory_with_the_replies_or_not_at_all() {
            let mut fixture = fixture("memory");
            let write = |key: &str, value: Option<&[u8]>, expires| MemoryWrite {
                bot: "solar".to_owned(),
                key: key.to_owned(),
                value: value.map(<[u8]>::to_vec),
                expires,
            };
            fixture.with(&mut |store| {
                let mut desk = Desk::at(store);
                desk.admit("a1", "anna");
                store.commit().unwrap();
                let mut desk = Desk::at(store);
                let Lease { event, lane, .. } = desk.lease(&free(), NOW).unwrap();
                let memory = vec![write("sun", Some(b"up"), Some(at(10))), write("moon", Some(b"down"), None)];
                let heard = Settlement::Heard { event, lane, replies: Vec::new(), notes: Notes { memory, ..Notes::default() } };
                store.settle(&heard, true, NOW).unwrap();
                store.roll_back();
                assert_eq!(store.recall("solar", "sun", NOW).unwrap(), None);
                let mut desk = Desk::at(store);
                desk.lease(&free(), NOW).unwrap();
                desk.store.settle(&heard, true, NOW).unwrap();
                store.commit().unwrap();
            });
            fixture.with(&mut |store| {
                assert_eq!(store.recall("solar", "sun", at(9)).unwrap().as_deref(), Some(&b"up"[..]));
                assert_eq!(store.recall("solar", "sun", at(10)).unwrap(), None, "it has expired");
                assert_eq!(store.recall("dota", "moon", NOW).unwrap(), None, "memory is each bot's own");
                assert_eq!(store.recall("solar", "moon", at(999)).unwrap().as_deref(), Some(&b"down"[..]));
            });
        }

        #[test]
        fn prune_old_ended_events_in_small_steps_and_open_ones_never() {
            fixture("prune").with(&mut |store| {
                let mut desk = Desk::at(store);
                let open = desk.admit("open", "olga");
                let lease = desk.lease(&free(), NOW).unwrap();
                let busy = HashSet::from([lease.lane]);
                for number in 0..200 {
                    desk.admit(&format!("m{number}"), &format!("p{number}"));
                    let lease = desk.lease(&busy, NOW).unwrap();
                    let one = desk.hear(&lease, &["ok"], true, NOW).unwrap();
                    desk.sent(&one, delivered(), NOW);
                }
                desk.store.commit().unwrap();
                assert!(!desk.store.prune(NOW, NOW).unwrap(), "nothing is that old");
                let mut steps = 1;
                while desk.store.prune(at(1), at(1)).unwrap() {
                    steps += 1;
                    assert!(steps < 20, "pruning must come to an end");
                }
                assert!(steps >= 200 / limits::PRUNE_ROWS, "in small steps, not in {steps}");
                assert_eq!(desk.state(open), State::Open);
                assert_eq!(desk.store.life(EventKey(open.0 + 1)).unwrap(), None);
                // A pruned id is forgotten, so the event would be new again.
                desk.admit("m7", "p7");
            });
        }

        #[test]
        fn name_no_two_events_alike_after_all_were_pruned() {
            let mut fixture = fixture("names");
            let mut last = None;
            fixture.with(&mut |store| {
                let mut desk = Desk::at(store);
                for number in 0..5 {
                    last = Some(desk.admit(&format!("m{number}"), "anna"));
                }
                desk.work_off(NOW);
                desk.store.commit().unwrap();
                while desk.store.prune(at(1), at(1)).unwrap() {}
                desk.store.commit().unwrap();
            });
            fixture.with(&mut |store| {
                let event = Desk::at(store).admit("n1", "nora");
                assert!(Some(event) > last, "{event:?} comes after {last:?}");
            });
        }

        #[test]
        fn hand_out_what_comes_after_a_prune_that_left_an_old_open_event() {
            let mut fixture = fixture("prune-open");
            fixture.with(&mut |store| {
                let mut desk = Desk::at(store);
                desk.admit("open", "olga");
                let Lease { event, lane, .. } = desk.lease(&free(), NOW).unwrap();
                let later = Settlement::HearLater { event, lane, due: at(9999), attempt: 1, why: String::new() };
                desk.store.settle(&later, false, NOW).unwrap();
                for number in 0..limits::CURSOR_LAG + 10 {
                    desk.admit(&format!("m{number}"), &format!("p{number}"));
                }
                desk.work_off(NOW);
                desk.store.commit().unwrap();
                while desk.store.prune(at(1), at(1)).unwrap() {}
                desk.store.commit().unwrap();
            });
            fixture.with(&mut |store| {
                let mut desk = Desk::at(store);
                desk.admit("n1", "nora");
                assert_eq!(desk.work_off(at(2)), ["n1"]);
            });
        }

        #[test]
        fn lose_nothing_and_keep_the_order_under_any_interleaving() {
            for seed in 0..<$fixture>::SEEDS {
                let mut fixture = fixture(&format!("chaos-{seed}"));
                chaos(&mut fixture, seed);
            }
        }
    };
}

/// What chaos has done so far.
struct Chaos {
    seed: u64,
    dice: Luck,
    /// With who wrote it.
    admitted: Vec<(EventKey, u64)>,
    finished: Vec<EventKey>,
    /// How many alarms were set; each has a name of its own, and those that rang.
    set: usize,
    rung: Vec<EventKey>,
}

impl Chaos {
    /// One life of the process: admits, leases, settles and fails at random.
    fn live(&mut self, store: &mut dyn Store, restart: u64) {
        let mut desk = Desk::at(store);
        let mut out: Vec<Lease> = Vec::new();
        for turn in 0..60 {
            let now = at(restart * 1000 + turn);
            match self.dice.below(6) {
                4 => {
                    let due = now.after(Duration::from_secs(self.dice.below(20)));
                    desk.set(&format!("person {}", self.dice.below(5)), &format!("alarm {}", self.set), due);
                    self.set += 1;
                }
                5 if out.len() < 4 => {
                    let busy = out.iter().map(|lease| lease.lane).collect();
                    out.extend(self.ring(&mut desk, &busy, now));
                }
                0 => {
                    let person = self.dice.below(5);
                    let event = desk.admit(&format!("{restart}-{turn}"), &format!("person {person}"));
                    self.admitted.push((event, person));
                }
                1 | 2 if out.len() < 4 => {
                    let busy = out.iter().map(|lease| lease.lane).collect();
                    if let Some(lease) = desk.lease(&busy, now) {
                        assert!(!busy.contains(&lease.lane), "seed {}: two jobs of one conversation", self.seed);
                        out.push(lease);
                    }
                }
                _ if !out.is_empty() => {
                    let lease = out.swap_remove(self.dice.below(out.len() as u64) as usize);
                    out.extend(self.end(&mut desk, &lease, now));
                }
                _ => {}
            }
            desk.store.commit().unwrap();
        }
    }

    /// An alarm rings, if one may; now and then the disk fails in between, and it rings again.
    fn ring(&mut self, desk: &mut Desk<'_>, busy: &HashSet<i64>, now: Moment) -> Option<Lease> {
        let alarm = desk.due(busy, now)?;
        assert!(alarm.due <= now && !busy.contains(&lane(desk.channel, &alarm.conversation)), "seed {}", self.seed);
        desk.store.commit().unwrap();
        let mut lease = desk.store.ring(&alarm, Some(alarm.due), None, now).unwrap().unwrap();
        if self.dice.below(3) == 0 {
            desk.store.roll_back();
            lease = desk.store.ring(&alarm, Some(alarm.due), None, now).unwrap().unwrap();
        }
        self.rung.push(lease.event);
        Some(lease)
    }

    /// Ends a job well, or in a third of the cases with another try.
    fn end(&mut self, desk: &mut Desk<'_>, lease: &Lease, now: Moment) -> Option<Lease> {
        let again = self.dice.below(3) == 0;
        let due = now.after(Duration::from_secs(self.dice.below(20)));
        let next = match (&lease.work, again) {
            (Work::Hear { attempt, .. }, true) => {
                let (event, lane, attempt) = (lease.event, lease.lane, *attempt);
                let later = Settlement::HearLater { event, lane, due, attempt, why: String::new() };
                desk.store.settle(&later, true, now).unwrap()
            }
            (Work::Send { reply: Reply { purpose: Purpose::Push, .. }, heard, .. }, true) => {
                assert!(heard.is_none_or(|heard| heard <= now));
                desk.unsent(lease, Instead::Hold { why: String::new() }, now)
            }
            (Work::Send { .. }, true) => desk.sent(lease, SendEnd::Again { due, maybe_said: false }, now),
            (_, false) => return self.end_well(desk, lease, now),
        };
        self.note(desk, lease);
        next
    }

    fn end_well(&mut self, desk: &mut Desk<'_>, lease: &Lease, now: Moment) -> Option<Lease> {
        let next = match &lease.work {
            Work::Hear { kind, stage, .. } => {
                let rung = kind == ALARM;
                let number = stage.as_ref().map_or(0, |stage| stage.number);
                let note = |number: u32| format!("{} {number}", lease.event.0).into_bytes();
                assert!(stage.as_ref().is_none_or(|stage| stage.note == note(number)), "seed {}", self.seed);
                assert_eq!(desk.life(lease.event).replies.len(), 2 * number as usize, "seed {}", self.seed);
                // Every other answer has a second stage, every fourth a third one.
                let next = Rest { stage: Stage { number: number + 1, note: note(number + 1) }, due: None };
                let rest = (number < 2 && self.dice.below(2) == 0).then_some(next);
                let reply = |text| Reply {
                    purpose: if rung { Purpose::Push } else { Purpose::Response },
                    ..Reply::text("anna", text)
                };
                let notes = Notes { wrote: (!rung).then_some(now), stage: number, rest, ..Notes::default() };
                desk.heard(lease, ["one", "two"].map(reply).to_vec(), notes, now)
            }
            Work::Send { .. } => desk.sent(lease, delivered(), now),
        };
        self.note(desk, lease);
        next
    }

    fn note(&mut self, desk: &mut Desk<'_>, lease: &Lease) {
        if desk.state(lease.event) == State::Answered {
            self.finished.push(lease.event);
        }
    }

    /// Everything that is left, done well: everybody writes once more, so nothing stays held. Then each event must have
    /// ended, and each alarm must have rung once.
    fn work_off(&mut self, store: &mut dyn Store) {
        let mut desk = Desk::at(store);
        let now = at(100_000);
        for person in 0..5 {
            let event = desk.admit(&format!("last {person}"), &format!("person {person}"));
            self.admitted.push((event, person));
        }
        let mut next = None;
        loop {
            next = next.or_else(|| desk.lease(&free(), now)).or_else(|| self.ring(&mut desk, &free(), now));
            let Some(lease) = next else { break };
            next = self.end_well(&mut desk, &lease, now);
        }
        let admitted = self.admitted.iter().map(|(event, _)| event);
        for event in admitted.chain(&self.rung) {
            assert_eq!(desk.state(*event), State::Answered, "seed {}: {event:?}", self.seed);
        }
        let once: HashSet<_> = self.rung.iter().collect();
        assert_eq!((self.rung.len(), once.len()), (self.set, self.set), "seed {}", self.seed);
        assert_eq!(desk.store.alarms_of("sun").unwrap(), []);
    }
}

/// Four lives at random, then all is worked off. Each event must end, and the events of one conversation must be
/// heard for the last time in their order of arrival.
fn chaos(fixture: &mut impl Fixture, seed: u64) {
    let mut chaos =
        Chaos { seed, dice: Luck::of(seed), admitted: Vec::new(), finished: Vec::new(), set: 0, rung: Vec::new() };
    for restart in 0..4_u64 {
        fixture.with(&mut |store| chaos.live(store, restart));
    }
    fixture.with(&mut |store| chaos.work_off(store));
    for person in 0..5 {
        let mine = |event: &EventKey| chaos.admitted.contains(&(*event, person));
        let ended: Vec<_> = chaos.finished.iter().copied().filter(mine).collect();
        assert!(ended.is_sorted(), "seed {seed}: person {person} was answered out of order: {ended:?}");
    }
}

mod memory_engine {
    every_store_must!(InMemory);
}

mod sqlite_engine {
    every_store_must!(InSqlite);

    fn folder(name: &str) -> InSqlite {
        InSqlite::new(name)
    }

    #[test]
    fn an_unreadable_reply_is_dead_with_the_rest_of_its_answer_and_holds_up_nobody() {
        let mut folder = folder("unreadable");
        let path = folder.0.join("ackd.db");
        folder.with(&mut |store| {
            let mut desk = Desk::at(store);
            let push = [Reply::text("anna", "one"), Reply::text("anna", "two")];
            desk.store.push(desk.channel, "push-1", &push, NOW).unwrap();
            desk.admit("b1", "bert");
            store.commit().unwrap();
            let damage = "UPDATE reply SET content = 'nonsense' WHERE part = 1";
            rusqlite::Connection::open(&path).unwrap().execute(damage, []).unwrap();
            let mut desk = Desk::at(store);
            let lease = desk.lease(&free(), NOW).expect("b1 is there");
            assert!(matches!(&lease.work, Work::Hear { conversation, .. } if conversation == "bert"), "{lease:?}");
            store.commit().unwrap();
        });
        let states = "SELECT group_concat(state) FROM (SELECT state FROM reply UNION ALL SELECT state FROM event)";
        let states: String =
            rusqlite::Connection::open(&path).unwrap().query_row(states, [], |row| row.get(0)).unwrap();
        assert_eq!(states, "4,4,4,0", "both parts and their event are dead, b1 is open");
    }

    #[test]
    fn a_life_is_read_as_it_was_at_one_moment() {
        use crate::store::sqlite::Reader;
        use std::sync::atomic::{AtomicBool, Ordering};
        let folder = folder("moment");
        let path = folder.0.join("ackd.db");
        let file = SqliteFile::open(&path).unwrap();
        let mut store = file.engine().unwrap();
        let mut desk = Desk::at(&mut store);
        desk.store.commit().unwrap();
        let (channel, done) = (desk.channel, AtomicBool::new(false));
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let reader = Reader::open(&path).unwrap();
                while !done.load(Ordering::Relaxed) {
                    let newest = reader.newest(channel).unwrap();
                    let Some(life) = reader.life(newest).unwrap() else { continue };
                    let said = life.replies.iter().any(|reply| reply.state == State::Answered);
                    assert!(!said || life.state == State::Answered, "{life:?}");
                }
            });
            for number in 0..1000 {
                desk.store.push(channel, &number.to_string(), &[Reply::text("anna", "one")], NOW).unwrap();
                let lease = desk.lease(&free(), NOW).unwrap();
                desk.store.commit().unwrap();
                desk.sent(&lease, delivered(), NOW);
                desk.store.commit().unwrap();
                if reader.is_finished() {
                    break;
                }
            }
            done.store(true, Ordering::Relaxed);
        });
    }

    /// What takes away what a step of the schema brought, the last one first.
    const UNDO: [(i64, &str); 6] = [
        (7, "ALTER TABLE lane DROP COLUMN handed;"),
        (6, "ALTER TABLE event DROP COLUMN head; ALTER TABLE replay DROP COLUMN resolved;"),
        (5, "DROP TABLE stage;"),
        (
            4,
            "DROP TABLE alarm; DROP TABLE contact; DROP TABLE held; DROP TRIGGER memory_more; DROP TRIGGER memory_less;
             DROP TABLE remembered;",
        ),
        (3, "DROP INDEX event_doubt;"),
        (2, "DROP TABLE replay;"),
    ];

    /// Makes a file what it was before this step.
    fn before(step: i64) -> String {
        let undone = UNDO.iter().filter(|(number, _)| *number >= step).map(|(_, undo)| *undo);
        format!("{} PRAGMA user_version = {};", undone.collect::<String>(), step - 1)
    }

    #[test]
    fn a_file_without_alarms_is_read_and_gets_them() {
        let mut folder = folder("without-alarms");
        let path = folder.0.join("ackd.db");
        let push = [Reply { purpose: Purpose::Push, ..Reply::text("anna", "Good morning") }];
        let remember = |store: &mut dyn Store, key: &str| {
            let (bot, key) = ("sun".to_owned(), key.to_owned());
            store.remember(&MemoryWrite { bot, key, value: Some(vec![1]), expires: None }).unwrap();
        };
        let mut event = None;
        folder.with(&mut |store| {
            let desk = Desk::at(store);
            event = Some(desk.store.push(desk.channel, "push-1", &push, NOW).unwrap());
            ["a", "b"].into_iter().for_each(|key| remember(store, key));
            store.commit().unwrap();
        });
        let event = event.unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(&before(4)).unwrap();
        let reader = crate::store::sqlite::Reader::open(&path).unwrap();
        assert!(reader.unsettled(9).unwrap().contains_key(&event) && reader.life(event).unwrap().is_some());
        folder.with(&mut |store| {
            remember(store, "c");
            let mut desk = Desk::at(store);
            let lease = desk.lease(&free(), NOW).unwrap();
            assert_eq!(desk.unsent(&lease, Instead::Hold { why: "nobody wrote".to_owned() }, NOW), None);
            desk.set("bert", "morning", at(1));
            store.commit().unwrap();
        });
        assert!(reader.life(event).unwrap().unwrap().held.is_some());
        let file = rusqlite::Connection::open(&path).unwrap();
        let keys: i64 = file.query_row("SELECT keys FROM remembered WHERE bot = 'sun'", [], |row| row.get(0)).unwrap();
        assert_eq!(keys, 3, "those of before are counted");
        folder.with(&mut |store| assert!(Desk::at(store).ring(at(1)).is_some()));
    }

    #[test]
    fn what_is_held_is_listed_among_the_open_and_its_channel_waits() {
        use crate::store::sqlite::{Filter, Reader};
        let mut folder = folder("held-listed");
        let mut event = None;
        folder.with(&mut |store| {
            let mut desk = Desk::at(store);
            desk.store.channel("other").unwrap();
            desk.admit("a1", "anna");
            desk.work_off(NOW);
            let push = [Reply { purpose: Purpose::Push, ..Reply::text("anna", "Good morning") }];
            event = Some(desk.store.push(desk.channel, "push-1", &push, NOW).unwrap());
            let lease = desk.lease(&free(), NOW).unwrap();
            desk.unsent(&lease, Instead::Hold { why: "nobody wrote".to_owned() }, NOW);
            store.commit().unwrap();
        });
        let path = folder.0.join("ackd.db");
        assert_eq!(SqliteFile::open(&path).unwrap().engine().unwrap().channels_that_wait().unwrap(), ["page"]);
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.unsettled(9).unwrap().into_iter().collect::<Vec<_>>(), [(event.unwrap(), State::Open)]);
        let open = Filter { states: vec![State::Open], channel: None, limit: 9 };
        assert_eq!(reader.events(&open).unwrap().iter().map(|line| line.key).collect::<Vec<_>>(), [event.unwrap()]);
    }

    #[test]
    fn an_unreadable_alarm_is_taken_away_and_holds_up_nobody() {
        let mut folder = folder("unreadable-alarm");
        let path = folder.0.join("ackd.db");
        folder.with(&mut |store| {
            let mut desk = Desk::at(store);
            desk.set("anna", "morning", at(1));
            desk.set("bert", "morning", at(2));
            store.commit().unwrap();
            let damage = "UPDATE alarm SET content = 'nonsense' WHERE conversation = 'anna'";
            rusqlite::Connection::open(&path).unwrap().execute(damage, []).unwrap();
            let mut desk = Desk::at(store);
            assert_eq!(desk.store.alarms(desk.channel, "anna").unwrap(), []);
            assert_eq!(desk.due(&free(), at(9)).unwrap().conversation, "bert");
            store.commit().unwrap();
        });
        let file = rusqlite::Connection::open(&path).unwrap();
        let left = file.query_row("SELECT count(*) FROM alarm", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(left, 1);
    }

    fn opening_fails(path: &std::path::Path) -> String {
        let before = std::fs::read(path).unwrap();
        let error = SqliteFile::open(path).expect_err("it must not open").0;
        assert_eq!(std::fs::read(path).unwrap(), before, "nothing is overwritten");
        error
    }

    /// A file with one event that waits to be heard, from which these statements take what later versions brought.
    fn older(name: &str, takes: &str) -> (InSqlite, PathBuf, EventKey) {
        let mut folder = folder(name);
        let path = folder.0.join("ackd.db");
        let mut event = None;
        folder.with(&mut |store| {
            event = Some(Desk::at(store).admit("a1", "anna"));
            store.commit().unwrap();
        });
        rusqlite::Connection::open(&path).unwrap().execute_batch(takes).unwrap();
        (folder, path, event.unwrap())
    }

    #[test]
    fn a_file_without_heads_is_read_and_gets_them_and_what_was_resolved() {
        let put_back = "INSERT INTO replay VALUES ((SELECT key FROM event), 5, 4, 3, 'dead', NULL);";
        let (mut folder, path, event) = older("before-heads", &format!("{} {put_back}", before(6)));
        let reader = crate::store::sqlite::Reader::open(&path).unwrap();
        let life = || reader.life(event).unwrap().unwrap();
        let told = || life().replays.iter().map(|put_back| put_back.resolved).collect::<Vec<_>>();
        assert_eq!((life().head, told()), (None, vec![false]));
        folder.with(&mut |store| {
            let mut desk = Desk::at(store);
            assert_eq!((desk.store.life(event).unwrap().unwrap().head, told()), (None, vec![false]));
            let Lease { lane, .. } = desk.lease(&free(), NOW).unwrap();
            let dead = Settlement::HearDead { event, lane, why: "the bot gave up".to_owned() };
            desk.store.settle(&dead, true, NOW).unwrap();
            assert_eq!(desk.store.resolve(event, at(1)).unwrap(), Replayed::Resolved);
            let head = Some("\u{1}/messenger\n\u{5}");
            desk.store.admit_with(desk.channel, &arrival("a2", "anna"), head, NOW, NOW).unwrap();
            store.commit().unwrap();
        });
        assert_eq!(told(), [false, true]);
        let next = reader.life(EventKey(event.0 + 1)).unwrap().unwrap();
        assert_eq!(next.head.as_deref(), Some("POST /messenger\nAccept: */*\n"));
    }

    #[test]
    fn what_was_under_way_in_a_file_of_the_version_before_comes_back_at_once() {
        let mut folder = folder("before-handed");
        let begin = |folder: &mut InSqlite, wait| {
            folder.with(&mut |store| {
                assert!(Desk::at(store).lease(&free(), at(wait)).is_some(), "{wait}");
                store.commit().unwrap();
            });
        };
        folder.with(&mut |store| {
            let mut desk = Desk::at(store);
            desk.admit("a1", "anna");
            desk.store.commit().unwrap();
        });
        begin(&mut folder, 0);
        rusqlite::Connection::open(folder.0.join("ackd.db")).unwrap().execute_batch(&before(7)).unwrap();
        [0, 0, 1].into_iter().for_each(|wait| begin(&mut folder, wait));
        folder.with(&mut |store| assert_eq!(Desk::at(store).lease(&free(), at(1)), None));
    }

    #[test]
    fn a_file_of_an_earlier_version_is_read_and_goes_on_with_stages() {
        let (mut folder, path, event) = older("before", &before(5));
        let reader = crate::store::sqlite::Reader::open(&path).unwrap();
        assert_eq!(reader.life(event).unwrap().unwrap().state, State::Open);
        folder.with(&mut |store| {
            let mut desk = Desk::at(store);
            let lease = desk.lease(&free(), NOW).unwrap();
            let stage = Stage { number: 1, note: b"more".to_vec() };
            let notes = Notes { rest: Some(Rest { stage: stage.clone(), due: None }), ..Notes::default() };
            desk.heard(&lease, Vec::new(), notes, NOW);
            let again = desk.lease(&free(), NOW).unwrap();
            assert!(matches!(again.work, Work::Hear { stage: Some(found), .. } if found == stage));
        });
    }

    #[test]
    fn a_file_of_the_first_version_is_read_and_brought_up_to_date() {
        let (mut folder, path, event) = older("older", &before(2));
        let reader = crate::store::sqlite::Reader::open(&path).unwrap();
        assert_eq!(reader.life(event).unwrap().unwrap().replays, []);
        folder.with(&mut |store| {
            let mut desk = Desk::at(store);
            let Lease { event, lane, .. } = desk.lease(&free(), NOW).unwrap();
            let dead = Settlement::HearDead { event, lane, why: "the bot gave up".to_owned() };
            desk.store.settle(&dead, true, NOW).unwrap();
            assert_eq!(desk.store.replay(event, None, at(1)).unwrap(), Replayed::PutBack);
            assert_eq!(desk.work_off(at(1)), ["a1"]);
            store.commit().unwrap();
        });
        assert_eq!(reader.life(event).unwrap().unwrap().replays.len(), 1);
        let rows = || {
            let file = rusqlite::Connection::open(&path).unwrap();
            file.query_row("SELECT count(*) FROM replay", [], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!(rows(), 1);
        folder.with(&mut |store| {
            // The newest event of a channel stays, so that its place is not given again.
            Desk::at(store).admit("a2", "anna");
            while store.prune(at(9), at(9)).unwrap() {}
            store.commit().unwrap();
        });
        assert_eq!(rows(), 0, "it goes with its event");
    }

    #[test]
    fn a_foreign_file_is_refused_and_left_alone() {
        let folder = folder("foreign");
        let path = folder.0.join("ackd.db");
        std::fs::write(
            &path,
            "dear diary, this is a text of some length, longer than the header of a database, \
                               which takes a hundred bytes",
        )
        .unwrap();
        let read = || crate::store::sqlite::Reader::open(&path).unwrap_err().0;
        let beside = || std::fs::read_dir(&folder.0).unwrap().count();
        assert!(opening_fails(&path).contains("not a store of ackd"));
        assert_eq!((read(), beside()), (opening_fails(&path), 1), "whoever reads is told the same; no lock stays");
        std::fs::remove_file(&path).unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE diary (day TEXT);").unwrap();
        assert!(opening_fails(&path).contains("not a store of ackd"), "also while its pages are still in the log");
        assert!(read().contains("not a store of ackd"));
        drop(other);
        assert!(opening_fails(&path).contains("not a store of ackd"));
        assert_eq!((read(), beside()), (opening_fails(&path), 1));
        std::fs::write(folder.0.join("ackd.db.lock"), "theirs").unwrap();
        assert!(opening_fails(&path).contains("not a store of ackd"));
        assert_eq!(std::fs::read(folder.0.join("ackd.db.lock")).unwrap(), b"theirs", "a file that was there stays");
        std::fs::write(&path, "").unwrap();
        assert!(read().ends_with(": there is none yet; `ackd run` makes it"), "{}", read());
    }

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let folder = folder("newer");
        let path = folder.0.join("ackd.db");
        drop(SqliteFile::open(&path).unwrap());
        rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99;").unwrap();
        assert!(opening_fails(&path).contains("newer ackd (store version 99"));
    }

    #[test]
    fn a_damaged_file_is_refused_and_left_alone() {
        let mut folder = folder("damaged");
        folder.with(&mut |store| {
            let mut desk = Desk::at(store);
            for number in 0..500 {
                desk.admit(&format!("a message with a long id, number {number}"), "anna");
            }
            store.commit().unwrap();
        });
        let path = folder.0.join("ackd.db");
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(opening_fails(&path).contains("damaged"), "cut in half");
        let mut scribbled = whole;
        for byte in &mut scribbled[12_288..20_480] {
            *byte ^= 0x5a;
        }
        std::fs::write(&path, &scribbled).unwrap();
        assert!(opening_fails(&path).contains("damaged"), "scribbled over");
    }

    #[test]
    fn a_store_has_one_owner() {
        let folder = folder("owner");
        let path = folder.0.join("ackd.db");
        let first = SqliteFile::open(&path).unwrap();
        assert_eq!(SqliteFile::is_held(&path), Ok(true));
        let second = SqliteFile::open(&path).expect_err("two owners");
        assert!(second.0.contains("another ackd works on it"), "{second}");
        drop(first);
        assert_eq!(SqliteFile::is_held(&path), Ok(false));
        SqliteFile::open(&path).unwrap();
    }

    #[test]
    fn a_lock_that_cannot_be_read_is_not_taken_for_a_free_one() {
        let folder = folder("unreadable");
        let lock = folder.0.join("ackd.db.lock");
        // It cannot be opened even by root, who may read everything else.
        std::os::unix::fs::symlink(&lock, &lock).unwrap();
        let error = SqliteFile::is_held(&folder.0.join("ackd.db")).unwrap_err().0;
        assert!(error.starts_with("whether an ackd runs cannot be seen: "), "{error}");
        assert!(error.ends_with("; run this as ackd's user, or with sudo"), "{error}");
    }

    #[test]
    fn a_command_makes_no_store_and_opens_none_of_another_user() {
        let folder = folder("command");
        let path = folder.0.join("ackd.db");
        let me = rustix::process::geteuid().as_raw();
        let error = SqliteFile::open_as(&path, me).unwrap_err().0;
        assert!(error.ends_with(": there is none yet; `ackd run` makes it"), "{error}");
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
        drop(SqliteFile::open(&path).unwrap());
        std::fs::remove_file(folder.0.join("ackd.db.lock")).unwrap();
        let error = SqliteFile::open_as(&path, me + 1).unwrap_err().0;
        assert!(error.ends_with(&format!("; run this as its owner: sudo -u '#{me}' ackd …")), "{error}");
        assert!(!folder.0.join("ackd.db.lock").exists(), "nothing was made that locks the owner out");
        let held = SqliteFile::open_as(&path, me).unwrap();
        assert!(held.is_some() && SqliteFile::open_as(&path, me).unwrap().is_none());
    }

    #[test]
    fn a_store_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let mut folder = folder("private");
        folder.with(&mut |store| {
            store.channel("page").unwrap();
            store.commit().unwrap();
        });
        let mode = std::fs::metadata(folder.0.join("ackd.db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
