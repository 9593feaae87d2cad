use super::*;
use crate::model::{
    Arrival, Attempt, ChannelNumber, Claim, EventKey, Fate, Framing, Head, Host, Lease, MemoryWrite, Notes, Order,
    Reply, Request, SendEnd, Settlement, Span, Work,
};
use crate::store::sqlite::{Engine, SqliteFile};
use crate::store::{Admitted, RESTS, State, Store, Wanted as Kind, lane};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

const NOW: Moment = Moment(1_800_000_000_000);

fn at(seconds: u64) -> Moment {
    NOW.after(Duration::from_secs(seconds))
}

/// A folder with a store that a keeper holds, and an inspector beside it.
struct Scene {
    folder: PathBuf,
    file: SqliteFile,
    inspector: Inspector,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Numbers that are never the same.
fn chance() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0xab);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

fn asked(target: &str) -> Visit {
    let (path, _) = target.split_once('?').unwrap_or((target, ""));
    let target_span = Span { start: 0, end: u16::try_from(target.len()).unwrap() };
    let (text, headers) = (target.as_bytes().into(), Box::default());
    let head = Head { method: Method::Get, text, target: target_span, headers, framing: Framing::Empty };
    let (guard, path, request) = ("6f6f".to_owned(), path.to_owned(), Request { head, body: Vec::new() });
    Visit { to: Host::Inspector, claim: Claim::Inside, operator: true, guard, path, request, renews: false }
}

impl Scene {
    fn new(name: &str) -> Scene {
        let folder = std::env::temp_dir().join(format!("ackd-inspector-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let store = folder.join("ackd.db");
        let file = SqliteFile::open(&store).unwrap();
        Scene { inspector: Inspector::new(store), file, folder }
    }

    /// Writes and commits.
    fn with<T>(&self, write: impl FnOnce(&mut Engine<'_>) -> T) -> T {
        let mut engine = self.file.engine().unwrap();
        let done = write(&mut engine);
        engine.commit().unwrap();
        done
    }

    fn ask(&mut self, target: &str) -> (u16, Value) {
        let response = self.inspector.show(&asked(target), at(100), chance);
        assert!(response.headers.contains(&("X-Content-Type-Options", "nosniff".into())), "{response:?}");
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }

    fn get(&mut self, target: &str) -> Value {
        let (status, value) = self.ask(target);
        assert_eq!(status, 200, "{value}");
        value
    }

    /// The names of the events that are listed.
    fn names(&mut self, query: &str) -> Vec<String> {
        let list = self.get(&format!("/list?{query}"));
        names(&list)
    }
}

fn names(list: &Value) -> Vec<String> {
    list["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

fn admit(store: &mut Engine<'_>, channel: ChannelNumber, kind: &'static str, from: &str, second: u64) -> EventKey {
    let raw = format!("{{\"text\":\"hello from {from}\"}}").into_bytes().into();
    let fate = if kind == "message" { Fate::Hear } else { Fate::Ignore("only a receipt") };
    let id = format!("mid.{}.{second}.{from}", channel.0);
    let arrival = Arrival { id, conversation: from.to_owned(), kind, fate, raw, proves: None };
    let head = Some("POST /page HTTP/1.1\nHost: bots.example\nX-Hub-Signature-256: *** (71 bytes)");
    let kept = at(second).after(Duration::from_millis(2));
    match store.admit_with(channel, &arrival, head, at(second), kept).unwrap() {
        Admitted::Kept { event, .. } => event,
        Admitted::Duplicate => panic!("{from} at {second} was not new"),
    }
}

fn next(store: &mut Engine<'_>, channel: ChannelNumber, now: Moment) -> Lease {
    store.lease(channel, Kind::Any, &HashSet::new(), now).unwrap().expect("a job")
}

fn heard(store: &mut Engine<'_>, lease: &Lease, said: &[&str], now: Moment) -> Lease {
    let replies = said.iter().map(|text| Reply::text("anna", *text)).collect();
    let heard = Settlement::Heard { event: lease.event, lane: lease.lane, replies, notes: Notes::default() };
    store.settle(&heard, true, now).unwrap().unwrap()
}

fn sent(store: &mut Engine<'_>, lease: &Lease, status: Option<u16>, words: &str, end: SendEnd, now: Moment) {
    let Work::Send { part, attempt, .. } = &lease.work else { panic!("no send: {lease:?}") };
    let ended = now.after(Duration::from_millis(131));
    let attempt = Attempt { part: *part, number: *attempt, began: now, ended, status, words: words.to_owned() };
    store.settle(&Settlement::Sent { event: lease.event, lane: lease.lane, attempt, end }, true, ended).unwrap();
}

fn dead(store: &mut Engine<'_>, event: EventKey, from: &str, why: &str, second: u64) {
    let lane = lane(event.channel(), from);
    store.settle(&Settlement::HearDead { event, lane, why: why.to_owned() }, true, at(second)).unwrap();
}

/// page-1 answered, -2 a receipt, -3 dead, -4 unknown and maybe twice, -5 to be heard again, -6 waits; space-1 between them.
fn one_in_every_state(scene: &Scene) {
    scene.with(|store| {
        let [page, space] = ["page", "space"].map(|name| store.channel(name).unwrap());
        admit(store, page, "message", "anna", 0);
        let lease = next(store, page, at(0));
        let lease = heard(store, &lease, &["Good <b>morning</b>"], at(0));
        let end = SendEnd::Delivered { message_id: Some("mid.ours".to_owned()) };
        sent(store, &lease, Some(200), "delivered", end, at(0));
        admit(store, page, "read", "anna", 1);
        let three = admit(store, page, "message", "bert", 2);
        next(store, page, at(2));
        dead(store, three, "bert", "the bot broke", 2);
        admit(store, page, "message", "carla", 3);
        let lease = next(store, page, at(3));
        let lease = heard(store, &lease, &["The coffee\nis ready."], at(3));
        let again = SendEnd::Again { due: at(4), maybe_said: true };
        sent(store, &lease, None, "no answer within 20 s", again, at(3));
        let lease = next(store, page, at(4));
        sent(store, &lease, Some(500), "the platform is down", SendEnd::Unknown, at(4));
        admit(store, space, "message", "zoe", 4);
        admit(store, page, "message", "dora", 5);
        let Lease { event, lane, .. } = next(store, page, at(5));
        let later = Settlement::HearLater { event, lane, due: at(160), attempt: 1, why: "the bot is tired".into() };
        store.settle(&later, true, at(5)).unwrap();
        admit(store, page, "message", "emil", 6);
    });
}

#[test]
fn events_of_all_channels_are_listed_with_the_newest_first() {
    let mut scene = Scene::new("list");
    one_in_every_state(&scene);
    let list = scene.get("/list");
    assert_eq!((&list["now"], &list["guard"]), (&json!(at(100).0), &json!("6f6f")));
    assert_eq!(list["channels"], json!(["page", "space"]));
    assert_eq!(names(&list), ["page-6", "page-5", "space-1", "page-4", "page-3", "page-1"], "no receipt");
    assert!(list.get("older").is_none() && list.get("looked").is_none(), "{list}");
    let events = list["events"].as_array().unwrap();
    let why = "a reply was sent, but the platform's answer was lost";
    let unknown = json!({"id": "page-4", "at": at(3).0, "state": "unknown", "kind": "message", "from": "carla",
        "why": why, "twice": 1});
    assert_eq!(events[3], unknown);
    let waits = json!({"id": "page-6", "at": at(6).0, "state": "open", "kind": "message", "from": "emil"});
    assert_eq!(events[0], waits);
    for (query, expected) in [
        ("all=1", vec!["page-6", "page-5", "space-1", "page-4", "page-3", "page-2", "page-1"]),
        ("state=dead", vec!["page-3"]),
        ("state=dead,unknown", vec!["page-4", "page-3"]),
        ("state=dead,dead,unknown,dead", vec!["page-4", "page-3"]),
        ("state=open", vec!["page-6", "page-5", "space-1"]),
        ("state=answered,dead", vec!["page-3", "page-1"]),
        ("state=ignored", vec![]),
        ("state=ignored&all=1", vec!["page-2"]),
        ("channel=space", vec!["space-1"]),
        ("channel=space&state=dead", vec![]),
        ("limit=2", vec!["page-6", "page-5"]),
    ] {
        assert_eq!(scene.names(query), expected, "{query}");
    }
}

#[test]
fn a_search_finds_what_came_in_and_what_was_said() {
    let mut scene = Scene::new("search");
    one_in_every_state(&scene);
    for (find, expected) in [
        ("PAGE-3", vec!["page-3"]),
        ("mid.1.3", vec!["page-4"]),
        ("Hello+from+ANNA", vec!["page-1"]),
        ("hello", vec!["page-6", "page-5", "space-1", "page-4", "page-3", "page-1"]),
        ("tired", vec!["page-5"]),
        ("coffee", vec!["page-4"]),
        ("%3Cb%3E", vec!["page-1"]),
        ("mid.OURS", vec!["page-1"]),
        ("quick_replies", vec![]),
        ("nothing+like+it", vec![]),
    ] {
        assert_eq!(scene.names(&format!("find={find}")), expected, "{find}");
    }
    assert_eq!(scene.names("find=hello&state=dead"), ["page-3"]);
    assert_eq!(scene.names("find=receipt&all=1"), ["page-2"]);
}

#[test]
fn cursors_lead_through_all_events_once_while_new_ones_come_in() {
    let mut scene = Scene::new("cursor");
    scene.with(|store| {
        let channels = ["a", "b", "c"].map(|name| store.channel(name).unwrap());
        for second in 0..300 {
            // One channel is busier than the others, and all are mixed.
            let channel = channels[[0, 0, 1, 0, 2, 0][second as usize % 6]];
            let event = admit(store, channel, "message", &format!("p{second}"), second);
            next(store, channel, at(second));
            dead(store, event, &format!("p{second}"), "broke", second);
        }
    });
    for filter in ["", "&state=dead,unknown", "&state=dead&find=hello"] {
        let (mut seen, mut cursor, mut round) = (Vec::new(), String::new(), 0);
        loop {
            let list = scene.get(&format!("/list?limit=37&before={cursor}{filter}"));
            seen.extend(list["events"].as_array().unwrap().iter().map(|event| event["at"].as_i64().unwrap()));
            let Some(older) = list.get("older") else { break };
            cursor = older.as_str().unwrap().to_owned();
            scene.with(|store| {
                for name in ["a", "b", "new"] {
                    let channel = store.channel(name).unwrap();
                    admit(store, channel, "message", &format!("late{filter}{round}"), 1000 + round);
                }
            });
            round += 1;
        }
        seen.retain(|moment| *moment < at(1000).0);
        let all: Vec<_> = (0..300).rev().map(|second| at(second).0).collect();
        assert_eq!(seen, all, "{filter}");
    }
}

#[test]
fn a_request_looks_at_so_many_rows_and_no_more_and_says_how_far_it_came() {
    let mut scene = Scene::new("bound");
    let rows = u64::try_from(crate::limits::INSPECTOR_ROWS_MAX).unwrap();
    scene.with(|store| {
        let [page, space] = ["page", "space"].map(|name| store.channel(name).unwrap());
        admit(store, page, "message", "needle", 0);
        for second in 1..=3 * rows {
            admit(store, if second % 3 == 0 { space } else { page }, "read", "anna", second);
        }
    });
    for filter in ["", "find=needle&all=1", "state=answered&all=1"] {
        let (mut found, mut cursor, mut steps, mut before) = (Vec::new(), String::new(), 0, i64::MAX);
        loop {
            let list = scene.get(&format!("/list?{filter}&before={cursor}"));
            found.extend(names(&list));
            steps += 1;
            let Some(older) = list.get("older") else { break };
            let looked = list["looked"].as_i64().unwrap();
            let came = (before.min(at(3 * rows).0) - looked) / 1000;
            assert!(looked < before, "{filter}: it goes on");
            assert!(came <= i64::try_from(rows).unwrap() + 1, "{filter}: {came} events in a step");
            (before, cursor) = (looked, older.as_str().unwrap().to_owned());
        }
        assert!((3..=6).contains(&steps), "{filter}: {steps}");
        assert_eq!(found.len(), usize::from(!filter.starts_with("state")), "{filter}: {found:?}");
    }
    assert_eq!(scene.names("all=1&limit=100000").len(), crate::limits::INSPECTOR_EVENTS_MAX, "whatever is asked for");
    // The failed have an index: nothing else is looked at, so nothing is said of how far it came.
    let list = scene.get("/list?state=dead");
    assert!(names(&list).is_empty() && list.get("looked").is_none() && list.get("older").is_none(), "{list}");
}

#[test]
fn a_search_ends_at_its_bytes_too() {
    let mut scene = Scene::new("bytes");
    let text = "x".repeat(100_000);
    scene.with(|store| {
        let page = store.channel("page").unwrap();
        for second in 0..40 {
            let (id, conversation, raw) = (second.to_string(), "anna".to_owned(), text.clone().into_bytes().into());
            let arrival = Arrival { id, conversation, kind: "message", fate: Fate::Hear, raw, proves: None };
            store.admit(page, &arrival, at(second), at(second)).unwrap();
        }
    });
    let list = scene.get("/list?find=needle");
    assert_eq!(list["looked"], json!(at(29).0), "eleven of them are more than a mebibyte");
    assert_eq!(scene.names("").len(), 40, "without a search they are not read");
}

#[test]
fn what_has_not_changed_is_not_shown_again() {
    let mut scene = Scene::new("same");
    one_in_every_state(&scene);
    let seen = |list: &Value| list["version"].as_str().unwrap().to_owned();
    let first = seen(&scene.get("/list"));
    assert_eq!(scene.get(&format!("/list?seen={first}")), json!({"same": true}));
    assert_eq!(scene.get(&format!("/list?find=x&seen={first}&limit=2")), json!({"same": true}));
    scene.with(|store| {
        let page = store.channel("page").unwrap();
        admit(store, page, "message", "late", 50);
    });
    let list = scene.get(&format!("/list?seen={first}"));
    assert_eq!(names(&list)[0], "page-7");
    assert_eq!(scene.get(&format!("/life?id=page-7&seen={}", seen(&list))), json!({"same": true}));
    // Another reader counts from the beginning, so what was seen before is never taken for what is.
    for _ in 0..3 {
        let fresh = {
            scene.inspector.close();
            assert!(!scene.inspector.is_open());
            seen(&scene.get("/list"))
        };
        scene.inspector.close();
        let again = scene.get(&format!("/list?seen={fresh}"));
        assert!(scene.inspector.is_open() && names(&again)[0] == "page-7", "{again}");
    }
}

#[test]
fn a_life_is_told_from_its_arrival_to_its_end() {
    let mut scene = Scene::new("life");
    one_in_every_state(&scene);
    let mut told = scene.get("/life?id=page-4");
    let object = told.as_object_mut().unwrap();
    assert!(object.remove("version").is_some_and(|version| version.is_string()));
    let why = "a reply was sent, but the platform's answer was lost";
    let attempts = json!([
        {"number": 1, "began": at(3).0, "ended": at(3).0 + 131, "words": "no answer within 20 s"},
        {"number": 2, "began": at(4).0, "ended": at(4).0 + 131, "status": 500, "words": "the platform is down"},
    ]);
    let raw = "{\"text\":\"hello from carla\"}";
    let life = json!({
        "now": at(100).0, "guard": "6f6f",
        "id": "page-4", "state": "unknown", "kind": "message", "conversation": "carla", "platform_id": "mid.1.3.carla",
        "received": at(3).0, "kept": at(3).0 + 2, "ended": at(4).0 + 131, "why": why,
        "head": "POST /page HTTP/1.1\nHost: bots.example\nX-Hub-Signature-256: *** (71 bytes)",
        "raw": raw, "raw_bytes": raw.len(),
        "replies": [{"part": 1, "state": "unknown", "content": "The coffee\nis ready.", "made": at(3).0, "twice": true,
            "attempts": attempts}],
        "changes": [],
    });
    assert_eq!(told, life);
    for name in ["page-1", "mid.1.0.anna", "mid.ours"] {
        let life = scene.get(&format!("/life?id={name}"));
        assert_eq!((&life["id"], &life["replies"][0]["message_id"]), (&json!("page-1"), &json!("mid.ours")));
        assert_eq!(life["replies"][0]["content"], json!("Good <b>morning</b>"));
    }
    for name in ["page-99", "nobody-1", "mid.nothing", "", "%00"] {
        let (status, value) = scene.ask(&format!("/life?id={name}"));
        assert!(status == 404 && value["error"].is_string(), "{name}: {value}");
    }
}

#[test]
fn what_waits_says_until_when_and_what_was_changed_how_it_stood() {
    let mut scene = Scene::new("waits");
    one_in_every_state(&scene);
    assert_eq!(scene.get("/life?id=page-5")["due"], json!(at(160).0));
    scene.with(|store| {
        let value = Some(b"the platform is down".to_vec());
        let (bot, key) = (RESTS.to_owned(), "page".to_owned());
        store.remember(&MemoryWrite { bot, key, value, expires: Some(at(200)) }).unwrap();
        let key = |place| EventKey::new(ChannelNumber(1), place);
        store.replay(key(3), None, at(90)).unwrap();
        store.resolve(key(4), at(91)).unwrap();
    });
    let waits = scene.get("/life?id=page-3");
    assert_eq!(waits["rest"], json!({"until": at(200).0, "why": "the platform is down"}));
    let before = json!([{"at": at(90).0, "state": "dead", "ended": at(2).0, "why": "the bot broke"}]);
    assert_eq!((&waits["state"], &waits["changes"]), (&json!("open"), &before));
    let resolved = scene.get("/life?id=page-4");
    assert_eq!(resolved["changes"][0]["resolved"], json!(true));
    assert_eq!(resolved["changes"][0]["state"], json!("unknown"));
    assert!(resolved.get("rest").is_none(), "nothing waits");
    assert_eq!(scene.get("/life?id=page-5")["rest"]["until"], json!(at(200).0));
    scene.with(|store| {
        let (bot, key, value) = (RESTS.to_owned(), "page".to_owned(), Some(b"a limit".to_vec()));
        store.remember(&MemoryWrite { bot, key, value, expires: Some(at(159)) }).unwrap();
    });
    assert!(scene.get("/life?id=page-5").get("rest").is_none(), "it waits for longer than the channel rests");
}

#[test]
fn a_reply_is_looked_for_among_the_newest_only() {
    let mut scene = Scene::new("replies");
    one_in_every_state(&scene);
    assert_eq!(scene.get("/life?id=mid.ours")["id"], json!("page-1"));
    scene.with(|store| {
        let page = store.channel("page").unwrap();
        let many = vec![Reply::text("anna", "x"); crate::limits::INSPECTOR_REPLIES_MAX];
        store.push(page, "push:many", &many, at(7)).unwrap();
    });
    assert_eq!(scene.ask("/life?id=mid.ours").0, 404, "no index serves this");
}

#[test]
fn what_came_from_outside_stays_text_however_it_is_written() {
    let mut scene = Scene::new("outside");
    let evil = "</script><b>\"\\\u{2028}\u{0}\u{1b}[2J\u{202e}";
    scene.with(|store| {
        let page = store.channel("page").unwrap();
        let (id, conversation, raw) = (evil.to_owned(), evil.to_owned(), vec![0xff; 100_000].into());
        let arrival = Arrival { id, conversation, kind: "message", fate: Fate::Hear, raw, proves: None };
        store.admit(page, &arrival, at(0), at(0)).unwrap();
        next(store, page, at(0));
        dead(store, EventKey::new(page, 1), evil, evil, 0);
    });
    let list = scene.get("/list");
    assert_eq!((&list["events"][0]["from"], &list["events"][0]["why"]), (&json!(evil), &json!(evil)));
    let life = scene.get("/life?id=page-1");
    assert_eq!((&life["platform_id"], &life["raw_bytes"]), (&json!(evil), &json!(100_000)));
    let shown = life["raw"].as_str().unwrap().chars().count();
    assert_eq!(shown, crate::limits::INSPECTOR_RAW_BYTES_MAX, "so much of it, and no more");
}

#[test]
fn what_cannot_be_asked_is_refused_and_said_why() {
    let mut scene = Scene::new("wrong");
    one_in_every_state(&scene);
    for (target, status) in [
        ("/list?state=gone", 400),
        ("/list?limit=x", 400),
        ("/list?before=x", 400),
        ("/list?before=1.2.3", 400),
        ("/list?before=-5.0", 400),
        ("/list?before=-9223372036854775808.0", 400),
        ("/list?channel=none", 404),
        (&*format!("/list?find={}", "x".repeat(200)), 400),
        ("/nothing", 404),
    ] {
        let (answered, value) = scene.ask(target);
        assert!(answered == status && value["error"].is_string(), "{target}: {answered} {value}");
    }
    // A cursor of another filter, or of nowhere, does no harm.
    for before in ["1.0", "9223372036854775807.4", "17592186044416.0_17592186044416.0"] {
        scene.get(&format!("/list?before={before}"));
    }
    assert_eq!(scene.names("limit=0").len(), 1, "one at least");
}

#[test]
fn a_store_that_is_not_there_is_said_to_be_so() {
    let mut inspector = Inspector::new(Path::new("/nonexistent/ackd.db").to_owned());
    let response = inspector.show(&asked("/list"), NOW, chance);
    assert_eq!((response.status, inspector.is_open()), (503, false));
}

#[test]
fn a_store_that_cannot_be_read_any_more_is_opened_anew_at_the_next_visit() {
    let mut scene = Scene::new("broken");
    scene.with(|store| {
        let page = store.channel("page").unwrap();
        let raw = "x".repeat(400_000).into_bytes().into();
        let (id, conversation) = ("one".to_owned(), "anna".to_owned());
        let arrival = Arrival { id, conversation, kind: "message", fate: Fate::Hear, raw, proves: None };
        store.admit(page, &arrival, at(0), at(0)).unwrap();
    });
    scene.get("/list");
    let log = std::fs::OpenOptions::new().write(true).open(scene.folder.join("ackd.db-wal")).unwrap();
    log.set_len(0).unwrap();
    assert_eq!((scene.ask("/list?find=needle").0, scene.inspector.is_open()), (503, false));
}

/// The locks that this process holds on a file, by its inode, as the kernel lists them.
fn locks(path: &Path) -> usize {
    use std::os::unix::fs::MetadataExt;
    let (pid, inode) = (std::process::id().to_string(), format!(":{}", std::fs::metadata(path).unwrap().ino()));
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let held = |line: &&str| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.contains(&"POSIX") && words.contains(&&*pid) && words.iter().any(|word| word.ends_with(&inode))
    };
    locks.lines().filter(held).count()
}

#[test]
fn whoever_looks_takes_no_lock_away_from_the_keeper() {
    let mut scene = Scene::new("locks");
    one_in_every_state(&scene);
    let store = scene.folder.join("ackd.db");
    let before = locks(&store);
    if before == 0 {
        return println!("SKIPPED: locks: /proc/locks shows none of this process");
    }
    scene.get("/list");
    scene.inspector.close();
    assert_eq!(locks(&store), before);
}

#[test]
fn what_is_decided_names_events_of_channels_that_are_there_and_not_too_many() {
    let channel = |name: &str| (name == "page").then_some(ChannelNumber(7));
    let order = |wish, form: &str| order(wish, form.as_bytes(), &channel);
    let key = |place| EventKey::new(ChannelNumber(7), place);
    let replay = Order::Replay { events: vec![(key(17), None), (key(18), Some(2))] };
    assert_eq!(order(Wish::Replay, "guard=00&ids=page-17+page-18.2"), Ok(replay));
    let resolve = Order::Resolve { events: vec![key(17)] };
    assert_eq!(order(Wish::Resolve, "ids=page-17&guard=00"), Ok(resolve));
    assert_eq!(order(Wish::Resolve, "ids=page-17.2").unwrap_err().status, 400, "a reply is none");
    let many = vec!["page-17"; crate::limits::REPLAY_EVENTS_MAX].join("+");
    assert!(order(Wish::Replay, &format!("ids={many}")).is_ok());
    let more = format!("ids={many}+page-1");
    for (form, status) in [("", 400), ("ids=", 400), ("ids=x", 400), ("ids=space-1", 404), (&*more, 413)] {
        assert_eq!(order(Wish::Replay, form).unwrap_err().status, status, "{form}");
    }
    assert!(u64::try_from(more.len()).unwrap() < crate::limits::DECISION_BYTES_MAX);
}

#[test]
fn a_part_of_the_page_may_fetch_nothing_from_elsewhere_and_is_what_lies_in_its_file() {
    use flate2::read::GzDecoder;
    use std::io::Read;
    for (path, source) in [
        ("", include_str!("page.html")),
        ("/page.js", include_str!("page.js")),
        ("/page.css", include_str!("page.css")),
    ] {
        let Some(Wish::Part(bytes, content_type)) = Wish::of(path) else { panic!("{path}") };
        let sent = part(Some(b"gzip"), bytes, content_type);
        let mut text = String::new();
        GzDecoder::new(&*sent.body).read_to_string(&mut text).unwrap();
        // Without the blanks before a line and lines that are a comment.
        let lines = source.lines().map(str::trim_start).filter(|line| !line.starts_with("//") && !line.is_empty());
        assert!(text.lines().eq(lines), "{path}: {text}");
        assert!(source.lines().all(|line| line.matches('`').count() % 2 == 0), "{path}: a text over several lines");
        let header = |name: &str| sent.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value);
        assert_eq!((header("Content-Encoding"), header("Cache-Control")), (Some("gzip"), Some("no-store")));
        let policy = header("Content-Security-Policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        for elsewhere in ["src=\"http", "href=\"http", "url(http", "@import", "import("] {
            assert!(!source.contains(elsewhere), "{path}: {elsewhere}");
        }
    }
}

#[test]
fn states_of_the_store_have_the_words_that_are_asked_for() {
    let states = [State::Open, State::Answered, State::Ignored, State::Dead, State::Unknown];
    let words = ["open", "answered", "ignored", "dead", "unknown"];
    assert_eq!(states.map(|state| state.to_string()), words);
    let mut scene = Scene::new("words");
    words.iter().for_each(|word| _ = scene.get(&format!("/list?state={word}")));
}
