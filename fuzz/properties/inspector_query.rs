//! Whatever is asked of the inspector, the answer is JSON; it lists no event twice, and a cursor that it gave leads on.

// A property fails by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "here a panic is how a failure is told")]

use ackd::inspector::Inspector;
use ackd::limits::INSPECTOR_EVENTS_MAX;
use ackd::model::{Arrival, Claim, Fate, Framing, Head, Host, Lease, Method, Moment, Request, Settlement, Span, Visit};
use ackd::store::sqlite::SqliteFile;
use ackd::store::{Store, Wanted};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

static INSPECTOR: Mutex<Option<Inspector>> = Mutex::new(None);

/// The first byte says what is asked for: a list or a life; the rest is the query, without bytes that no target has.
pub fn check(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let path = if first % 2 == 0 { "/list" } else { "/life" };
    let query: String =
        rest.iter().filter(|byte| byte.is_ascii_graphic()).take(4000).map(|byte| *byte as char).collect();
    let mut inspector = INSPECTOR.lock().unwrap_or_else(PoisonError::into_inner);
    let inspector = inspector.get_or_insert_with(|| Inspector::new(store()));
    let (status, told) = ask(inspector, path, &query);
    assert!([200, 400, 404].contains(&status), "{path}?{query}: {status} {told}");
    let Some(names) = names(&told) else { return };
    assert!(names.len() <= INSPECTOR_EVENTS_MAX);
    let mut once = names.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), names.len(), "{query}: {names:?}");
    if let Some(older) = told["older"].as_str() {
        let (status, next) = ask(inspector, path, &format!("before={older}&{query}"));
        assert_eq!(status, 200, "{query}: {older}");
        assert_ne!(next["older"].as_str(), Some(older), "{query}: it goes on");
    }
}

fn names(told: &serde_json::Value) -> Option<Vec<String>> {
    let events = told.get("events")?.as_array().unwrap();
    Some(events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect())
}

fn ask(inspector: &mut Inspector, path: &str, query: &str) -> (u16, serde_json::Value) {
    let text = format!("{path}?{query}");
    let target = Span { start: 0, end: text.len() as u16 };
    let (text, headers) = (text.into_bytes().into(), Box::default());
    let head = Head { method: Method::Get, text, target, headers, framing: Framing::Empty };
    let (guard, path, request) = (String::new(), path.to_owned(), Request { head, body: Vec::new() });
    let visit =
        Visit { to: Host::Inspector, claim: Claim::Inside, operator: true, guard, path, request, renews: false };
    let answer = inspector.show(&visit, Moment(1_800_000_000_000), || 7);
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

/// Two channels with some events: half of them have ended dead, and the others wait.
fn store() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ackd-inspector-query-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("ackd.db");
    let file = SqliteFile::open(&path).unwrap();
    let mut engine = file.engine().unwrap();
    for number in 0..40 {
        let channel = engine.channel(if number % 3 == 0 { "space" } else { "page" }).unwrap();
        let (id, conversation) = (format!("m_{number}"), "\u{2028}<b>".to_owned());
        let raw = format!("{{\"text\":\"hi {number}\"}}").into_bytes().into();
        let arrival = Arrival { id, conversation, kind: "message", fate: Fate::Hear, raw, proves: None };
        let now = Moment(1_700_000_000_000 + number);
        engine.admit_with(channel, &arrival, None, now, now).unwrap();
        if number < 20
            && let Some(Lease { event, lane, .. }) = engine.lease(channel, Wanted::Any, &HashSet::new(), now).unwrap()
        {
            engine.settle(&Settlement::HearDead { event, lane, why: "broke".to_owned() }, false, now).unwrap();
        }
    }
    engine.commit().unwrap();
    path
}
