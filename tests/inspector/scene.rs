//! A daemon at whose operator's door somebody looks: what stands in its store, and what comes in meanwhile. It has no
//! workers, so that all stays as it was made.

use crate::shared::PATIENCE;
use crate::shared::address::own_loopback;
use crate::shared::chromium::Browser;
use crate::shared::daemon::{Daemon, Folder, Setup};
use ackd::daemon::clock;
use ackd::model::{Arrival, Attempt, ChannelNumber, Fate, Lease, Moment, Notes, Reply, SendEnd, Settlement, Work};
use ackd::store::sqlite::{Engine, Reader, SqliteFile};
use ackd::store::{Life, Store, Wanted};
use ring::hmac;
use rusqlite::Connection;
use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

const SECRET: &str = "only-a-test";

/// What somebody writes who means harm. The turn of direction and the escape are spelt out where they are shown.
pub const EVIL: &str =
    "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>\u{202e}\u{1b}[2J";

/// What opens the operator's door, where it is locked.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Two channels, and the operator's door, with what stands below it in the configuration.
pub struct Door(SocketAddr, &'static str);

impl Setup for Door {
    fn toml(&self, _: &Path, address: SocketAddr, api: &str) -> String {
        let channel = |name: &str| {
            format!(
                "[channel.{name}]\nplatform = \"messenger\"\npath = \"/{name}\"\nbot = \"it\"\napi = \"{api}\"\n\
                 verify_token = {{ env = \"SECRET\" }}\napp_secret = {{ env = \"SECRET\" }}\n\
                 access_token = {{ env = \"SECRET\" }}\n"
            )
        };
        let (page, other) = (channel("page"), channel("other"));
        let Door(admin, more) = self;
        format!(
            "listen = \"{address}\"\nworkers = 0\n[admin]\nlisten = \"{admin}\"\n{more}{page}{other}[bot.it]\nkind = \"echo\"\n"
        )
    }

    fn variables(&self) -> Vec<(String, String)> {
        vec![("SECRET".to_owned(), SECRET.to_owned()), ("TOKEN".to_owned(), TOKEN.to_owned())]
    }
}

pub struct Scene {
    pub daemon: Daemon<Door>,
}

impl Scene {
    /// A daemon that finds this in its store.
    pub fn with(fill: impl FnOnce(&Path)) -> Scene {
        Scene::behind("", fill)
    }

    /// The same, with this below `[admin]`.
    pub fn behind(more: &'static str, fill: impl FnOnce(&Path)) -> Scene {
        let folder = Folder::new();
        fill(&folder.path().join("ackd.db"));
        // Its own address, and a port that was free a moment ago.
        let admin = TcpListener::bind((own_loopback(), 0)).unwrap().local_addr().unwrap();
        Scene { daemon: Daemon::start_in(folder, Door(admin, more), "http://127.0.0.1:9".to_owned()) }
    }

    /// One event in every state; see `every_state`.
    pub fn new() -> Scene {
        Scene::with(every_state)
    }

    /// Where the page is, with this behind the `#`.
    pub fn url(&self, view: &str) -> String {
        format!("http://{}/events#{view}", self.daemon.setup.0)
    }

    /// The page, with all its events shown.
    pub fn open(&self, browser: &Browser) {
        browser.open(&self.url(""));
        browser.wait_for("document.querySelectorAll('#list li').length && document.querySelector('#ends li')");
    }

    /// Somebody writes to the page.
    pub fn deliver(&self, mid: &str) {
        let body = format!(
            r#"{{"object":"page","entry":[{{"id":"1","time":1,"messaging":[{{"sender":{{"id":"77"}},"recipient":{{"id":"1"}},"timestamp":1,"message":{{"mid":"{mid}","text":"I am new"}}}}]}}]}}"#
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let hex: String = hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut stream = TcpStream::connect(self.daemon.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /page HTTP/1.1\r\nHost: bots.example.org\r\nX-Hub-Signature-256: sha256={hex}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// Changes the store while no daemon holds it.
    pub fn change(&self, sql: &str) {
        assert_eq!(Connection::open(self.daemon.store()).unwrap().execute(sql, []).unwrap(), 1);
    }

    /// What the store says of an event.
    pub fn life(&self, id: &str) -> Life {
        let reader = Reader::open(&self.daemon.store()).unwrap();
        let event = reader.find(id).unwrap().unwrap();
        reader.life(event).unwrap().unwrap()
    }
}

/// page-1 answered, -2 ignored (a receipt), -3 dead, -4 unknown, -5 to be heard again in an hour, -6 waiting, -7 dead and
/// full of harm, -8 a push; other-1 answered. One each second, other-1 first.
pub fn every_state(path: &Path) {
    let file = SqliteFile::open(path).unwrap();
    let mut store = file.engine().unwrap();
    let [page, other] = ["page", "other"].map(|name| store.channel(name).unwrap());
    let mut pen = Pen { store: &mut store, began: Moment(clock().0 - 60_000) };
    pen.admit(other, "olga", "hello", 0);
    pen.answer(other, 0, "the other one says hello");
    pen.admit(page, "anna", "hello", 1);
    pen.answer(page, 1, "You said: hello");
    pen.receipt(page, 2);
    pen.admit(page, "bert", "hello", 3);
    pen.die(page, 3, "the bot broke");
    pen.admit(page, "carla", "coffee", 4);
    pen.doubt(page, 4, "The coffee is ready");
    pen.admit(page, "dora", "hello", 5);
    let Lease { event, lane, .. } = pen.next(page, 5);
    let (due, why) = (pen.at(3600), "the bot is tired".to_owned());
    pen.settle(&Settlement::HearLater { event, lane, due, attempt: 1, why }, 5);
    pen.admit(page, EVIL, EVIL, 6);
    pen.evil(page, 6);
    pen.admit(page, "emil", "hello", 7);
    let at = pen.at(8);
    pen.store.push(page, "push:1", &[Reply::text("fritz", "Good morning")], at).unwrap();
    store.commit().unwrap();
    drop(store);
    drop(file);
    let heads = "UPDATE event SET head = 'POST /page HTTP/1.1' || char(10) || 'Host: bots.example.org' || char(10) || \
                 'X-Hub-Signature-256: *** (71 bytes)' WHERE kind = 'message'";
    Connection::open(path).unwrap().execute(heads, []).unwrap();
}

/// So many events that were answered, one each second until now, and as many receipts. The fifth one tells of a needle.
pub fn very_many(path: &Path, count: u32) {
    let file = SqliteFile::open(path).unwrap();
    let mut store = file.engine().unwrap();
    let page = store.channel("page").unwrap();
    store.commit().unwrap();
    drop(store);
    drop(file);
    let database = Connection::open(path).unwrap();
    let made = "
        WITH RECURSIVE place (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < ?1)
        INSERT INTO event (key, channel, id, conversation, lane, kind, received, kept, state, ended, why, raw)
        SELECT (?2 << 44) + n, ?2, 'mid.' || n, 'c' || n % 997, n % 997,
               iif(n % 2, 'message', 'read'), ?3 - (?1 - n) * 500, ?3 - (?1 - n) * 500 + 2, iif(n % 2, 2, 3),
               ?3 - (?1 - n) * 500 + 200, iif(n % 2, NULL, 'a receipt'),
               CAST('{\"text\":\"' || iif(n = 5, 'a needle', 'hay') || '\"}' AS BLOB) FROM place";
    database.execute(made, (2 * count, page.0, clock().0)).unwrap();
    database.execute("UPDATE channel SET cursor = (SELECT max(key) FROM event)", []).unwrap();
}

/// Writes lives into a store.
struct Pen<'a, 'f> {
    store: &'a mut Engine<'f>,
    began: Moment,
}

impl Pen<'_, '_> {
    fn at(&self, second: u64) -> Moment {
        self.began.after(Duration::from_secs(second))
    }

    fn admit(&mut self, channel: ChannelNumber, from: &str, text: &str, second: u64) {
        let raw = serde_json::json!({ "message": { "text": text } }).to_string().into_bytes().into();
        let id = format!("mid.{}.{second}", channel.0);
        let arrival = Arrival { id, conversation: from.into(), kind: "message", fate: Fate::Hear, raw, proves: None };
        let at = self.at(second);
        self.store.admit(channel, &arrival, at, at.after(Duration::from_millis(3))).unwrap();
    }

    fn receipt(&mut self, channel: ChannelNumber, second: u64) {
        let fate = Fate::Ignore("a receipt");
        let (id, conversation, raw) = ("read.1".into(), "anna".into(), Box::default());
        let arrival = Arrival { id, conversation, kind: "delivery", fate, raw, proves: None };
        let at = self.at(second);
        self.store.admit(channel, &arrival, at, at).unwrap();
    }

    fn next(&mut self, channel: ChannelNumber, second: u64) -> Lease {
        let at = self.at(second);
        self.store.lease(channel, Wanted::Any, &HashSet::new(), at).unwrap().unwrap()
    }

    fn settle(&mut self, settlement: &Settlement, second: u64) -> Option<Lease> {
        let at = self.at(second);
        self.store.settle(settlement, true, at).unwrap()
    }

    fn hear(&mut self, channel: ChannelNumber, second: u64, said: &str) -> Lease {
        let Lease { event, lane, .. } = self.next(channel, second);
        let heard = Settlement::Heard { event, lane, replies: vec![Reply::text("you", said)], notes: Notes::default() };
        self.settle(&heard, second).unwrap()
    }

    fn send(&mut self, lease: &Lease, told: (Option<u16>, &str), end: SendEnd, second: u64) {
        let Work::Send { part, attempt, .. } = &lease.work else { panic!("no send: {lease:?}") };
        let began = self.at(second);
        let ended = began.after(Duration::from_millis(131));
        let (status, words) = (told.0, told.1.to_owned());
        let attempt = Attempt { part: *part, number: *attempt, began, ended, status, words };
        self.settle(&Settlement::Sent { event: lease.event, lane: lease.lane, attempt, end }, second);
    }

    fn answer(&mut self, channel: ChannelNumber, second: u64, said: &str) {
        let lease = self.hear(channel, second, said);
        let end = SendEnd::Delivered { message_id: Some("m_ours".to_owned()) };
        self.send(&lease, (Some(200), "delivered"), end, second);
    }

    fn die(&mut self, channel: ChannelNumber, second: u64, why: &str) {
        let Lease { event, lane, .. } = self.next(channel, second);
        self.settle(&Settlement::HearDead { event, lane, why: why.to_owned() }, second);
    }

    fn doubt(&mut self, channel: ChannelNumber, second: u64, said: &str) {
        let lease = self.hear(channel, second, said);
        let again = SendEnd::Again { due: self.at(second), maybe_said: true };
        self.send(&lease, (None, "no answer within 20 s"), again, second);
        let lease = self.next(channel, second);
        self.send(&lease, (Some(500), "the platform is down"), SendEnd::Unknown, second);
    }

    fn evil(&mut self, channel: ChannelNumber, second: u64) {
        let lease = self.hear(channel, second, EVIL);
        self.send(&lease, (Some(400), EVIL), SendEnd::Dead, second);
    }
}
