//! What the tests of commands share: a store with a story in it, a configuration, a world that stands still.

use super::{CliError, World};
use crate::config::Outline;
use crate::model::{
    Arrival, Attempt, ChannelNumber, EventKey, Fate, Lease, Moment, Notes, Reply, SendEnd, Settlement, Work,
};
use crate::store::sqlite::{Engine, SqliteFile};
use crate::store::{Admitted, Store, Wanted, lane};
use jiff::tz::TimeZone;
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// 2027-01-15 08:00:00 UTC.
pub(super) const NOW: Moment = Moment(1_800_000_000_000);

pub(super) fn at(seconds: u64) -> Moment {
    NOW.after(Duration::from_secs(seconds))
}

/// UTC, at `NOW`; nobody waits.
pub(super) fn world() -> World<'static> {
    let linger = &|_| {
        std::thread::yield_now();
        Ok(())
    };
    let user = rustix::process::geteuid().as_raw();
    World { zone: TimeZone::UTC, clock: || NOW, user, pause: &|_| (), linger }
}

/// What a command said.
pub(super) fn told(command: impl FnOnce(&mut dyn Write) -> Result<(), CliError>) -> Result<String, CliError> {
    let mut out = Vec::new();
    command(&mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// A folder with a store, removed at the end.
pub(super) struct Folder(pub(super) PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    pub(super) fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("ackd-cli-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    /// Two channels, `page` and `other`, whose secrets are out of reach.
    pub(super) fn config(&self) -> Outline {
        let channel = |name: &str| {
            format!(
                "[channel.{name}]\nplatform = \"messenger\"\npath = \"/{name}\"\nbot = \"echo\"\n\
                 verify_token = {{ env = \"UNSET\" }}\napp_secret = {{ env = \"UNSET\" }}\n\
                 access_token = {{ env = \"UNSET\" }}\n"
            )
        };
        let (page, other) = (channel("page"), channel("other"));
        let text = format!("listen = \"127.0.0.1:3000\"\n{page}{other}[bot.echo]\nkind = \"echo\"\n");
        Outline::parse(&text, &self.0.join("ackd.toml"), &|_| None).unwrap()
    }

    /// Makes the store, as `ackd run` does.
    pub(super) fn make(&self) {
        drop(SqliteFile::open(&self.store()).unwrap());
    }

    pub(super) fn store(&self) -> PathBuf {
        self.0.join("ackd.db")
    }

    /// Writes into the store and commits.
    pub(super) fn with<T>(&self, write: impl FnOnce(&mut Engine<'_>, ChannelNumber) -> T) -> T {
        with(&self.store(), write)
    }

    pub(super) fn admit(&self, store: &mut dyn Store, channel: ChannelNumber, from: &str, second: u64) -> EventKey {
        let raw = format!("{{\"text\":\"hello from {from}\"}}").into_bytes().into();
        let id = format!("mid.{}.{second}.{from}", channel.0);
        let arrival = Arrival { id, conversation: from.into(), kind: "message", fate: Fate::Hear, raw, proves: None };
        let kept = at(second).after(Duration::from_millis(2));
        match store.admit(channel, &arrival, at(second), kept).unwrap() {
            Admitted::Kept { event, .. } => event,
            Admitted::Duplicate => panic!("{from} at {second} was not new"),
        }
    }

    pub(super) fn next(&self, store: &mut dyn Store, channel: ChannelNumber, now: Moment) -> Lease {
        store.lease(channel, Wanted::Any, &HashSet::new(), now).unwrap().expect("a job")
    }

    pub(super) fn dead(&self, store: &mut dyn Store, event: EventKey, from: &str, why: &str, second: u64) {
        let lane = lane(event.channel(), from);
        store.settle(&Settlement::HearDead { event, lane, why: why.into() }, true, at(second)).unwrap();
    }

    pub(super) fn heard(&self, store: &mut dyn Store, lease: &Lease, said: &[&str], now: Moment) -> Option<Lease> {
        let replies = said.iter().map(|text| Reply::text("anna", *text)).collect();
        let heard = Settlement::Heard { event: lease.event, lane: lease.lane, replies, notes: Notes::default() };
        store.settle(&heard, true, now).unwrap()
    }

    pub(super) fn sent(
        &self,
        store: &mut dyn Store,
        lease: &Lease,
        (status, words): (Option<u16>, &str),
        end: SendEnd,
        now: Moment,
    ) -> Option<Lease> {
        let Work::Send { part, attempt, .. } = &lease.work else { panic!("no send: {lease:?}") };
        let ended = now.after(Duration::from_millis(131));
        let attempt = Attempt { part: *part, number: *attempt, began: now, ended, status, words: words.into() };
        let sent = Settlement::Sent { event: lease.event, lane: lease.lane, attempt, end };
        store.settle(&sent, true, ended).unwrap()
    }

    /// The next job of the channel, heard and answered.
    pub(super) fn answer_next(&self, store: &mut dyn Store, channel: ChannelNumber) {
        let lease = self.next(store, channel, NOW);
        let lease = self.heard(store, &lease, &["ok"], NOW).unwrap();
        let end = SendEnd::Delivered { message_id: Some("mid.ours".to_owned()) };
        assert_eq!(self.sent(store, &lease, (Some(200), "delivered"), end, NOW), None);
    }

    /// The next job of the channel, heard in vain.
    pub(super) fn kill_next(&self, store: &mut dyn Store, channel: ChannelNumber, why: &str) {
        let lease = self.next(store, channel, NOW);
        let dead = Settlement::HearDead { event: lease.event, lane: lease.lane, why: why.to_owned() };
        store.settle(&dead, true, NOW).unwrap();
    }

    /// page-1 answered, -2 ignored, -3 dead, -4 unknown, -5 to be heard again, -6 waiting, -7 a push.
    pub(super) fn one_in_every_state(&self) {
        self.with(|store, page| {
            self.admit(store, page, "anna", 0);
            self.answer_next(store, page);
            let fate = Fate::Ignore("an echo of our own message");
            let raw = Box::default();
            let echo =
                Arrival { id: "e".into(), conversation: "anna".into(), kind: "delivery", fate, raw, proves: None };
            store.admit(page, &echo, at(1), at(1)).unwrap();
            self.admit(store, page, "bert", 2);
            self.kill_next(store, page, "the bot broke");
            self.admit(store, page, "carla-cecilia", 3);
            let lease = self.next(store, page, at(3));
            let lease = self.heard(store, &lease, &["The coffee\nis ready."], at(3)).unwrap();
            let again = SendEnd::Again { due: at(4), maybe_said: true };
            self.sent(store, &lease, (None, "no answer within 20 s"), again, at(3));
            let lease = self.next(store, page, at(4));
            self.sent(store, &lease, (Some(500), "the platform is down"), SendEnd::Unknown, at(4));
            self.admit(store, page, "dora", 4);
            let Lease { event, lane, .. } = self.next(store, page, at(4));
            let later = Settlement::HearLater { event, lane, due: at(60), attempt: 1, why: "the bot is tired".into() };
            store.settle(&later, true, at(4)).unwrap();
            self.admit(store, page, "emil", 5);
            store.push(page, "push:1", &[Reply::text("fritz", "Good morning")], at(6)).unwrap();
        });
    }
}

/// Writes into the store at `path` and commits.
pub(super) fn with<T>(path: &Path, write: impl FnOnce(&mut Engine<'_>, ChannelNumber) -> T) -> T {
    let file = SqliteFile::open(path).unwrap();
    let mut store = file.engine().unwrap();
    let page = store.channel("page").unwrap();
    let result = write(&mut store, page);
    store.commit().unwrap();
    result
}
