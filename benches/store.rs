//! What keeping costs, with the disk in it: `cargo bench --bench store`.
//!
//! One event in a commit of its own, sixty-four in one as under load, and the rest of an event's life. The file lies
//! under target/, since a temporary folder is often no disk at all.
#![allow(clippy::unwrap_used)]

use ackd::model::{
    Arrival, Attempt, ChannelNumber, EventKey, Fate, Lease, Moment, Notes, Reply, SendEnd, Settlement, Work,
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
        self.admitted += 1;
        let arrival = Arrival {
            id: format!("m_AG5Hz2U7tcwEhY7dyDLp0s_{:08}", self.admitted),
            conversation: format!("24000000{:08}", self.admitted),
            kind: "message",
            fate: Fate::Hear,
            raw: RAW.into(),
            proves: None,
        };
        match self.store.admit(self.channel, &arrival, NOW, NOW).unwrap() {
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

#[divan::bench(args = [1, 64])]
fn admit_and_commit(bencher: Bencher, events: usize) {
    let folder = Folder::new("admit");
    let file = folder.file();
    let mut shop = Shop::open(&file);
    bencher.counter(ItemsCount::new(events)).bench_local(|| {
        for _ in 0..events {
            shop.admit();
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
