//! The inspector over the wire: who may look, what the operator decides, and a store that is long.

use crate::client::{Client, one, request};
use crate::daemon::{Daemon, Folder, PAGE_TOKEN, Page, Setup};
use crate::graph::{Act, Answer, Graph, PATIENCE};
use crate::scene::Scene;
use ackd::limits;
use ackd::model::{Arrival, Fate, Moment};
use ackd::store::sqlite::SqliteFile;
use ackd::store::{State, Store};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

const DOORS: &str = "[\"unix:FOLDER/admin.sock\", \"127.0.0.1:0\"]";
const GZIP: &str = "Accept-Encoding: gzip\r\n";

fn inspected() -> Setup {
    Setup { admin: Some(DOORS), ..Setup::default() }
}

/// What the operator's unix socket answers: status, head and body.
fn ask(daemon: &Daemon, method: &str, target: &str, headers: &str, body: &str) -> (u16, String, Vec<u8>) {
    let mut stream = UnixStream::connect(daemon.folder.path().join("admin.sock")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let framing = if method == "POST" { format!("Content-Length: {length}\r\n") } else { String::new() };
    let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{framing}{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(said[..end].to_vec()).unwrap();
    (head[9..12].parse().unwrap(), head, said[end + 4..].to_vec())
}

fn get(daemon: &Daemon, target: &str) -> Value {
    let (status, head, body) = ask(daemon, "GET", target, "", "");
    let body = String::from_utf8(body).unwrap();
    assert!(status == 200 && head.contains("Content-Type: application/json"), "{target}: {head}\n{body}");
    serde_json::from_str(&body).unwrap()
}

/// Sends a form; its status and what was said.
fn decide(daemon: &Daemon, what: &str, form: &str, headers: &str) -> (u16, Value) {
    let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
    let (status, _, body) = ask(daemon, "POST", &format!("/events/{what}"), &headers, form);
    (status, serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body))))
}

fn names(list: &Value) -> Vec<&str> {
    list["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect()
}

/// One event that was answered, and two that ended dead.
fn story() -> Scene {
    let scene = Scene::with(inspected());
    let no = r#"{"error":{"message":"no","type":"OAuthException","code":100}}"#;
    scene.graph.plan("2", 1, Act::Refuse(Answer::new(400, no)));
    scene.graph.plan("3", 1, Act::Refuse(Answer::new(400, no)));
    for (mid, sender) in [("m_1", "1"), ("m_2", "2"), ("m_3", "3")] {
        assert_eq!(scene.deliver(&one(mid, sender, "hello")), 200);
    }
    scene.wait_for_state("m_1", State::Answered);
    scene.wait_for_state("m_2", State::Dead);
    scene.wait_for_state("m_3", State::Dead);
    scene
}

#[test]
fn the_operator_sees_what_ended_dead_puts_it_back_or_sets_it_aside() {
    let mut scene = story();
    let daemon = &scene.daemon;
    let list = get(daemon, "/events/list?state=dead,unknown");
    let [name_2, name_3] = ["m_2", "m_3"].map(|mid| scene.life(mid).unwrap().id.to_string());
    let mut dead = names(&list);
    dead.sort_unstable();
    let mut expected = [&*name_2, &*name_3];
    expected.sort_unstable();
    assert_eq!((dead, &list["channels"]), (expected.to_vec(), &json!(["page"])));
    let life = get(daemon, "/events/life?id=m_2");
    assert_eq!((&life["id"], &life["state"]), (&json!(name_2), &json!("dead")));
    assert_eq!(life["replies"][0]["attempts"][0]["status"], json!(400));
    let seen = list["version"].as_str().unwrap();
    assert_eq!(get(daemon, &format!("/events/list?seen={seen}")), json!({"same": true}));

    // Whoever does not bring the guard, or comes from elsewhere, changes nothing.
    let guard = list["guard"].as_str().unwrap();
    let form = format!("guard={guard}&ids={name_2}");
    let wrong = format!("guard={}&ids={name_2}", "0".repeat(64));
    let unguarded = format!("ids={name_2}");
    for (form, headers) in [
        (&*unguarded, ""),
        (&*wrong, ""),
        (&*form, "Sec-Fetch-Site: cross-site\r\n"),
        (&*form, "Sec-Fetch-Site: same-site\r\n"),
        (&*form, "Origin: http://evil.example\r\n"),
    ] {
        for what in ["replay", "resolve"] {
            let (status, said) = decide(daemon, what, form, headers);
            assert!(status == 403 && said["error"].is_string(), "{what} {form} {headers}: {status} {said}");
        }
    }
    assert_eq!(get(daemon, &format!("/events/list?seen={seen}")), json!({"same": true}), "nothing was written");

    let done = decide(daemon, "replay", &format!("{form}+page-99"), "Sec-Fetch-Site: same-origin\r\n");
    let lines = json!({"lines": [format!("{name_2} put back"), "page-99 left alone: there is no such event"]});
    assert_eq!(done, (200, lines));
    scene.wait_for_state("m_2", State::Answered);
    let form = format!("guard={guard}&ids={name_3}");
    let done = decide(daemon, "resolve", &form, "Origin: http://localhost\r\n");
    assert_eq!(done, (200, json!({"lines": [format!("{name_3} resolved")]})));
    assert_eq!(scene.life("m_3").unwrap().state, State::Ignored);
    let life = get(daemon, "/events/life?id=m_3");
    assert_eq!((&life["changes"][0]["resolved"], &life["changes"][0]["state"]), (&json!(true), &json!("dead")));
    assert_eq!(decide(daemon, "replay", &format!("guard={guard}&ids=x"), "").0, 400);
    assert_eq!(decide(daemon, "replay", &format!("guard={guard}&ids=other-1"), "").0, 404);
    scene.stop();
}

#[test]
fn the_page_and_its_parts_come_from_here_and_are_read_by_get() {
    let scene = Scene::with(inspected());
    let daemon = &scene.daemon;
    for (target, kind) in
        [("/events", "text/html"), ("/events/page.js", "text/javascript"), ("/events/page.css", "text/css")]
    {
        let (status, _, told) = ask(daemon, "GET", target, "", "");
        assert!(status == 406 && told.ends_with(b"curl --compressed\n"), "as curl asks");
        let (status, head, body) = ask(daemon, "GET", target, GZIP, "");
        assert!(status == 200 && head.contains(&format!("Content-Type: {kind}")), "{head}");
        assert!(head.contains("Content-Encoding: gzip") && body.starts_with(&[0x1f, 0x8b]), "{head}");
        assert!(head.contains("Content-Security-Policy: default-src 'none'"), "{head}");
        assert_eq!(ask(daemon, "HEAD", target, GZIP, "").2, b"");
    }
    for (method, target, status) in [
        ("POST", "/events", 405),
        ("PUT", "/events/list", 405),
        ("DELETE", "/events/life", 405),
        ("OPTIONS", "/events/list", 405),
        ("POST", "/events/hour", 405),
        ("GET", "/events/replay", 405),
        ("HEAD", "/events/resolve", 405),
        ("GET", "/events/", 404),
        ("GET", "/events/page.html", 404),
        ("GET", "/eventsx", 404),
    ] {
        assert_eq!(ask(daemon, method, target, "", "").0, status, "{method} {target}");
    }
    let long = "x".repeat(usize::try_from(limits::DECISION_BYTES_MAX).unwrap() + 1);
    assert_eq!(decide(daemon, "replay", &long, "").0, 413);
    let front = String::from_utf8(ask(daemon, "GET", "/", "", "").2).unwrap();
    let first = front.split("<a href=").nth(1).unwrap();
    assert!(first.starts_with("\"/events\">"), "{front}");
}

#[test]
fn nobody_outside_sees_that_there_is_an_inspector_and_a_channel_may_be_called_so() {
    let page = Page { name: "page", path: "/events", token: PAGE_TOKEN };
    let mut scene = Scene::with(Setup { pages: vec![page], ..inspected() });
    let nothing = scene.client().get("/nothing-at-all");
    for target in ["/events/list", "/events/page.js", "/events/life?id=page-1", "/events/hour", "/events/"] {
        let said = scene.client().get(target);
        assert_eq!((said.status, said.text()), (404, nothing.text()), "{target}");
        let mut client = scene.client();
        client.write(request("POST", target, &[], "guard=00&ids=page-1"));
        assert_eq!(client.read().status, 404, "{target}");
    }
    // The channel's own place is the channel's, and nobody else's at the other door.
    assert_eq!(scene.client().deliver_to("/events", &one("m_1", "1", "hello")).unwrap().status, 200);
    scene.wait_for_state("m_1", State::Answered);
    assert_eq!(scene.client().get("/events").status, 403, "a verification that asks for nothing");
    assert_eq!(names(&get(&scene.daemon, "/events/list")), ["page-1"]);

    // By another name than this machine's nobody comes in, as somebody else's page would.
    let public = format!("listening on {}", scene.daemon.address);
    let log = scene.daemon.log();
    let from = log.find(&public).unwrap() + public.len();
    let line = scene.daemon.wait_for_line(from, "listening on 127.0.0.1:");
    let browser = line.split("listening on ").nth(1).unwrap().parse().unwrap();
    for target in ["/events", "/events/list", "/events/hour"] {
        let mut client = Client::connect(browser);
        client.write(format!("GET {target} HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
        assert_eq!(client.read().status, 421, "{target}");
    }
    scene.stop();
}

#[test]
fn behind_a_locked_door_nothing_is_seen_or_done_without_its_token() {
    const LOCKED: &str = "\"127.0.0.1:0\"\ntoken = \"canary-inspector-token\"";
    let scene = Scene::with(Setup { admin: Some(LOCKED), ..Setup::default() });
    let line = scene.daemon.wait_for_line(0, "listening on 127.0.0.1:");
    let door = line.split("listening on ").nth(1).unwrap().parse().unwrap();
    let ask = |line: &str, headers: &str| {
        let mut client = Client::connect(door);
        client.write(format!("{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n{GZIP}{headers}\r\n"));
        client.read().status
    };
    let token = "Authorization: Bearer canary-inspector-token\r\n";
    for (line, inside) in [
        ("GET /events", 200),
        ("GET /events/page.js", 200),
        ("GET /events/list", 200),
        ("GET /events/life?id=page-1", 404),
        ("GET /events/hour", 200),
        ("POST /events/replay", 403),
        ("POST /events/resolve", 403),
    ] {
        assert_eq!((ask(line, ""), ask(line, token)), (401, inside), "{line}");
    }
}

#[test]
fn the_last_hour_is_told_by_its_minutes() {
    let scene = story();
    assert_eq!(scene.client().get("/nothing").status, 404);
    let hour = get(&scene.daemon, "/events/hour");
    let minutes: Vec<Vec<u64>> = serde_json::from_value(hour["minutes"].clone()).unwrap();
    let now = hour["now"].as_u64().unwrap();
    assert!(minutes.iter().all(|row| row.len() == 11 && row[0] % 60_000 == 0 && row[0] <= now), "{hour}");
    let sum = |column: usize| minutes.iter().map(|row| row[column]).sum::<u64>();
    let kept_answered_ignored_dead_unknown_refused_acks = [1, 2, 3, 4, 5, 6, 7].map(sum);
    assert_eq!(kept_answered_ignored_dead_unknown_refused_acks, [3, 1, 0, 2, 0, 1, 3], "{hour}");
    assert!(sum(8) >= sum(9) && sum(9) > 0 && sum(10) > 0, "{hour}");
    let began = hour["began"].as_u64().unwrap();
    assert!(began <= now && now - began < 600_000 && hour["waiting"] == 0 && hour.get("oldest").is_none(), "{hour}");
    assert!(hour["connections"].as_u64().unwrap() >= 1 && hour["bytes"].is_u64(), "{hour}");
}

#[test]
fn every_answer_gives_its_place_back() {
    let mut scene = story();
    let daemon = &scene.daemon;
    let guard = get(daemon, "/events/list")["guard"].as_str().unwrap().to_owned();
    for round in 0..limits::VISITS_MAX {
        let form = format!("guard={guard}&ids=page-1");
        assert_eq!(decide(daemon, "replay", &form, "").0, 200, "{round}");
        assert_eq!(decide(daemon, "resolve", "ids=page-1", "").0, 403, "{round}");
        assert_eq!(ask(daemon, "GET", "/events/life?id=page-1", "", "").0, 200, "{round}");
    }
    scene.stop();
}

#[test]
fn a_hundred_thousand_events_are_looked_through_step_by_step() {
    const EVENTS: i64 = 100_000;
    let folder = Folder::new();
    let file = SqliteFile::open(&folder.path().join("ackd.db")).unwrap();
    let mut store = file.engine().unwrap();
    let channel = store.channel("page").unwrap();
    let began = ackd::daemon::clock().0 - EVENTS * 1000;
    for number in 0..EVENTS {
        let text = if number == 0 { "the needle" } else { "some words that somebody wrote" };
        let raw = format!("{{\"sender\":{{\"id\":\"{number}\"}},\"message\":{{\"text\":\"{text}\"}}}}");
        let (id, conversation, raw) = (format!("m_{number}"), number.to_string(), raw.into_bytes().into());
        let arrival =
            Arrival { id, conversation, kind: "message", fate: Fate::Ignore("for a test"), raw, proves: None };
        let moment = Moment(began + number * 1000);
        store.admit(channel, &arrival, moment, moment).unwrap();
    }
    store.commit().unwrap();
    drop(store);
    drop(file);
    let graph = Graph::start(&[PAGE_TOKEN]);
    let daemon = Daemon::start_in(folder, inspected(), graph.api());

    let list = get(&daemon, "/events/list?limit=50");
    assert!(names(&list).len() == 50 && names(&list)[0] == "page-100000" && list.get("looked").is_none(), "{list}");
    let (mut cursor, mut before, mut steps) = (String::new(), began + EVENTS * 1000, 0);
    let found = loop {
        let list = get(&daemon, &format!("/events/list?find=THE+NEEDLE&before={cursor}"));
        steps += 1;
        let Some(looked) = list["looked"].as_i64() else { break list };
        let rows = (before - looked) / 1000;
        let most = i64::try_from(limits::INSPECTOR_ROWS_MAX).unwrap();
        assert!((1..=most + 64).contains(&rows), "{rows} rows in one step");
        assert!(names(&list).is_empty());
        (before, cursor) = (looked, list["older"].as_str().unwrap().to_owned());
    };
    assert_eq!(names(&found), ["page-1"]);
    let least = usize::try_from(EVENTS).unwrap() / (limits::INSPECTOR_ROWS_MAX + 64);
    assert!((least..=2 * least).contains(&steps), "{steps} steps");
    assert_eq!(get(&daemon, "/events/life?id=m_0")["raw_bytes"], json!(53));
    let nobody = ask(&daemon, "GET", "/events/life?id=nobody", "", "");
    assert_eq!(nobody.0, 404);
}
