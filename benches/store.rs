//! What keeping costs, with the disk in it: `cargo bench --bench store`.
//!
//! One event in a commit of its own, sixty-four in one as under load, and the rest of an event's life; then what is
//! looked up in a store that has grown large. The file lies under target/, since a temporary folder is often no disk at
//! all.
#![allow(clippy::unwrap_used, reason = "here a panic is how a failure is told")]

use ackd::model::{
    Alarm, AlarmSet, AlarmWrite, Arrival, Attempt, ChannelNumber, EventKey, Fate, Lease, MemoryWrite, Moment, Notes,
    Plan, Reply, SendEnd, Settlement, Work,
};
use ackd::store::sqlite::{Engine, SqliteFile};
use ackd::store::{Admitted, Store, Urgency, Wanted};
use divan::Bencher;
use divan::counter::ItemsCount;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

const NOW: Moment = Moment(1_800_000_000_000);
/// One message as Messenger sends it, about 400 bytes.
const RAW: &[u8] = include_bytes!("../tests/fixtures/payload.json");

fn main() {
    divan::main();
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self) -> SqliteFile {
        SqliteFile::open(&self.0.join("ackd.db")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A store in use, with one channel.
struct Shop<'file> {
    store: Engine<'file>,
    channel: ChannelNumber,
    admitted: u64,
}

impl Shop<'_> {
    fn open(file: &SqliteFile) -> Shop<'_> {
        let mut store = file.engine().unwrap();
        let channel = store.channel("page").unwrap();
        store.commit().unwrap();
        Shop { store, channel, admitted: 0 }
    }

    /// An event of a conversation of its own, so that none waits for another.
    fn admit(&mut self) -> EventKey {
        self.admit_with(None)
    }

    /// The same, with the head of its request.
    fn admit_with(&mut self, head: Option<&str>) -> EventKey {
        self.admitted += 1;
        let arrival = Arrival {
            id: format!("m_AG5Hz2U7tcwEhY7dyDLp0s_{:08}", self.admitted),
            conversation: format!("24000000{:08}", self.admitted),
            kind: "message",
            fate: Fate::Hear,
            raw: RAW.into(),
            proves: None,
        };
        match self.store.admit_with(self.channel, &arrival, head, NOW, NOW).unwrap() {
            Admitted::Kept { event, .. } => event,
            Admitted::Duplicate => unreachable!(),
        }
    }

    /// With the housekeeping that the keeper does between two transactions.
    fn commit(&mut self) {
        self.store.commit().unwrap();
        self.store.tidy(Urgency::WhenLong).unwrap();
    }

    fn lease(&mut self) -> Lease {
        self.store.lease(self.channel, Wanted::Any, &HashSet::new(), NOW).unwrap().unwrap()
    }
}

/// As it comes from Messenger, masked and in shorthand.
const HEAD: &str = "\u{1}/messenger\n\u{2}bots.example.org\n\u{b}\u{5}\u{7}\u{4}\u{c}\u{e}\u{3}356\n";

#[divan::bench(args = [1, 64])]
fn admit_and_commit(bencher: Bencher, events: usize) {
    admit_all(bencher, events, None);
}

#[divan::bench(args = [1, 64])]
fn admit_with_heads_and_commit(bencher: Bencher, events: usize) {
    admit_all(bencher, events, Some(HEAD));
}

fn admit_all(bencher: Bencher, events: usize, head: Option<&str>) {
    let folder = Folder::new("admit");
    let file = folder.file();
    let mut shop = Shop::open(&file);
    bencher.counter(ItemsCount::new(events)).bench_local(|| {
        for _ in 0..events {
            shop.admit_with(head);
        }
        shop.commit();
    });
}

#[divan::bench]
fn lease_and_settle_an_event_that_needs_no_reply(bencher: Bencher) {
    let folder = Folder::new("settle");
    let file = folder.file();
    let shop = RefCell::new(Shop::open(&file));
    let kept = || {
        let mut shop = shop.borrow_mut();
        shop.admit();
        shop.commit();
    };
    bencher.with_inputs(kept).bench_local_values(|()| {
        let mut shop = shop.borrow_mut();
        let Lease { event, lane, .. } = shop.lease();
        let heard = Settlement::Heard { event, lane, replies: Vec::new(), notes: Notes::default() };
        assert_eq!(shop.store.settle(&heard, false, NOW), Ok(None));
        shop.commit();
    });
}

/// Two commits: the reply is durable before it is sent, and its end after.
#[divan::bench]
fn lease_and_settle_an_event_and_its_reply(bencher: Bencher) {
    let folder = Folder::new("reply");
    let file = folder.file();
    let shop = RefCell::new(Shop::open(&file));
    let kept = || {
        let mut shop = shop.borrow_mut();
        shop.admit();
        shop.commit();
    };
    bencher.with_inputs(kept).bench_local_values(|()| {
        let mut shop = shop.borrow_mut();
        let Lease { event, lane, .. } = shop.lease();
        let replies = vec![Reply::text("2400000012345678", "I heard you")];
        let heard = Settlement::Heard { event, lane, replies, notes: Notes::default() };
        let send = shop.store.settle(&heard, true, NOW).unwrap();
        shop.commit();
        let Some(Lease { work: Work::Send { part, attempt: number, .. }, .. }) = send else { unreachable!() };
        let words = "200: delivered".to_owned();
        let attempt = Attempt { part, number, began: NOW, ended: NOW, status: Some(200), words };
        let end = SendEnd::Delivered { message_id: Some("m_AG5Hz2U7tcwEhY7dyDLp0s".to_owned()) };
        assert_eq!(shop.store.settle(&Settlement::Sent { event, lane, attempt, end }, false, NOW), Ok(None));
        shop.commit();
    });
}

/// A hundred thousand people are each told something once a day.
const ALARMS: i64 = 100_000;

impl Shop<'_> {
    fn set(&mut self, conversation: String, due: Moment) {
        let (owner, person) = ("solar".to_owned(), conversation.clone());
        let set = AlarmSet { owner, person, thread: None, note: "daily".to_owned(), plan: Plan::once(due) };
        let (channel, name) = (self.channel, "daily".to_owned());
        self.store.put_alarm(&AlarmWrite { channel, conversation, name, set: Some((set, due)) }).unwrap();
    }

    fn set_all(&mut self) {
        for number in 0..ALARMS {
            // In no order, as people are.
            let due = NOW.0 + 1 + (number * 7919) % ALARMS;
            self.set(format!("24000000{number:08}"), Moment(due));
        }
        self.commit();
    }

    fn due(&mut self, now: Moment) -> Option<Alarm> {
        self.store.alarm_due(self.channel, &HashSet::new(), now).unwrap()
    }
}

/// Each time the next one is due; it is put off by a day.
#[divan::bench]
fn find_and_move_the_alarm_that_is_due_among_100_000(bencher: Bencher) {
    let folder = Folder::new("alarms");
    let file = folder.file();
    let mut shop = Shop::open(&file);
    shop.set_all();
    let mut now = NOW;
    bencher.bench_local(|| {
        now = Moment(now.0 + 1);
        let alarm = shop.due(now).unwrap();
        let next = Some(Moment(alarm.due.0 + 86_400_000));
        assert_eq!(shop.store.ring(&alarm, None, next, now), Ok(None));
    });
}

#[divan::bench]
fn list_the_alarms_of_a_conversation_among_100_000(bencher: Bencher) {
    let folder = Folder::new("listed");
    let file = folder.file();
    let mut shop = Shop::open(&file);
    shop.set_all();
    let mut number = 0;
    bencher.bench_local(|| {
        number = (number + 7919) % ALARMS;
        let alarms = shop.store.alarms(shop.channel, &format!("24000000{number:08}")).unwrap();
        assert_eq!(alarms.len(), 1);
    });
}

/// One search at its bound: every alarm that is due waits for its conversation.
#[divan::bench]
fn pass_over_the_alarms_of_busy_conversations(bencher: Bencher) {
    let folder = Folder::new("waiting");
    let file = folder.file();
    let mut shop = Shop::open(&file);
    for number in 0..10_000 {
        shop.admit();
        let Lease { event, lane, .. } = shop.lease();
        let due = Moment(NOW.0 + 3_600_000);
        let later = Settlement::HearLater { event, lane, due, attempt: 1, why: String::new() };
        assert_eq!(shop.store.settle(&later, false, NOW), Ok(None));
        shop.set(format!("24000000{:08}", number + 1), NOW);
    }
    shop.commit();
    // Nobody is found, so this is the whole of a keeper's search.
    bencher.bench_local(|| {
        if shop.store.alarm_next(shop.channel).unwrap().is_none() {
            // It has come to its end; what is not durable is forgotten, and with it how far it came.
            shop.store.roll_back();
        }
        assert_eq!(shop.due(NOW), None);
    });
}

/// A million keys of one bot, with values of a hundred bytes.
fn remembering(folder: &Folder) -> SqliteFile {
    drop(folder.file());
    let fill = "WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 999999)
        INSERT INTO memory (bot, name, value, expires)
        SELECT 'solar', printf('day:%08d', n), zeroblob(100), NULL FROM number";
    rusqlite::Connection::open(folder.0.join("ackd.db")).unwrap().execute(fill, []).unwrap();
    folder.file()
}

#[divan::bench]
fn recall_one_of_a_million_keys(bencher: Bencher) {
    let folder = Folder::new("recall");
    let file = remembering(&folder);
    let mut shop = Shop::open(&file);
    let mut number = 0;
    bencher.bench_local(|| {
        number = (number + 7919) % 1_000_000;
        assert!(shop.store.recall("solar", &format!("day:{number:08}"), NOW).unwrap().is_some());
    });
}

/// In place of one that goes, since the bot has as many as it may.
#[divan::bench]
fn remember_a_new_key_beside_a_million(bencher: Bencher) {
    let folder = Folder::new("remember");
    let file = remembering(&folder);
    let mut shop = Shop::open(&file);
    let mut number = 0;
    bencher.bench_local(|| {
        number = (number + 7919) % 1_000_000;
        let write = |key: String, value| MemoryWrite { bot: "solar".to_owned(), key, value, expires: None };
        shop.store.remember(&write(format!("day:{number:08}"), None)).unwrap();
        shop.store.remember(&write(format!("new:{number:08}"), Some(vec![0; 100]))).unwrap();
    });
}
