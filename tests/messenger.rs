//! Messenger against its samples: the files in `fixtures/messenger`, byte for byte as Meta sends and takes them.
//!
//!     NAME.json                  a delivery's body; beside it NAME.events.json, what must be read out of it
//!     send_*_request.json        what must be written          send_*_response.json   answers of the Send API
//!     error_*.json, header_*     what must be judged           verification_requests.json   GET requests
//!
//! A file of no kind fails the test, and so does a delivery without its expectation. `ACKD_WRITE_EXPECTED=1` writes
//! the expectations anew, to be read through before they are committed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "here a panic is how a failure is told"
)]

#[path = "shared/head.rs"]
mod head;

use ackd::bot::Bot;
use ackd::bot::echo::{Echo, OTHERWISE};
use ackd::bot::paper::Paper;
use ackd::model::{
    Answer, Arrival, Button, Card, Content, CourtesyAct, Delivery, Event, EventId, EventKind, Extent, Fate, Method,
    Moment, Outcome, QuickReply, Reply, Request, Secret,
};
use ackd::platform::messenger::{Messenger, Settings};
use ackd::platform::{Kept, Platform, Reading, Recalled};
use head::head;
use ring::hmac;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SECRET: &str = "5f2d0c1b9a8e7f6d5c4b3a2918070605";
const TOKEN: &str = "EAAG0pageTOKEN";
const RECEIVED: Moment = Moment(1_763_712_009_000);

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn json_of(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

fn settings() -> Settings {
    Settings::new(Secret::new("my_voice_is_my_password"), vec![Secret::new(SECRET)], Secret::new(TOKEN))
}

fn page() -> Messenger {
    Messenger::new(settings())
}

fn get(target: &str) -> Request {
    Request { head: head(Method::Get, target, &[]), body: Vec::new() }
}

fn post(body: &[u8], fields: &[(&str, &str)]) -> Request {
    Request { head: head(Method::Post, "/messenger", fields), body: body.to_vec() }
}

fn signature(secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    format!("sha256={}", tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Reads `body` as a delivery with a good signature.
fn read(page: &Messenger, body: &[u8]) -> (Vec<Arrival>, usize) {
    let request = post(body, &[("X-Hub-Signature-256", &signature(SECRET, body))]);
    let Reading::Events { arrivals, response, notes } = page.read(&request).unwrap() else { panic!("no delivery") };
    assert_eq!((response.status, &response.body[..]), (200, &b"EVENT_RECEIVED"[..]));
    (arrivals, notes.len())
}

fn recall(page: &Messenger, arrival: &Arrival) -> Result<Event, String> {
    let id = EventId { channel: "page".to_owned(), place: 1, part: None };
    let kept = Kept { id, conversation: &arrival.conversation, received: RECEIVED, raw: &arrival.raw };
    match page.recall(&kept, None, 1, RECEIVED) {
        Recalled::Event(event) => Ok(event),
        other => Err(format!("{other:?}")),
    }
}

/// The names of the deliveries among the fixtures, without `.json`.
fn deliveries() -> Vec<String> {
    let listed = fs::read_dir(fixtures().join("messenger")).unwrap();
    let mut names: Vec<_> = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let names = names.iter().map(|name| name.strip_suffix(".json").unwrap_or_else(|| panic!("{name} is no JSON")));
    let other = ["send_", "error_", "header_", "verification_requests"];
    let delivery = |name: &&str| !name.ends_with(".events") && !other.iter().any(|prefix| name.starts_with(prefix));
    names.filter(delivery).map(str::to_owned).collect()
}

/// What was read, as an expectation file has it: routing first, then what the bot would hear.
fn described(page: &Messenger, arrival: &Arrival) -> Value {
    let (fate, reason) = match arrival.fate {
        Fate::Hear => ("hear", Value::Null),
        Fate::Ignore(why) => ("ignore", json!(why)),
        Fate::Witness => panic!("Messenger's echoes bring their text"),
    };
    let mut value = json!({
        "id": arrival.id, "conversation": arrival.conversation, "kind": arrival.kind, "fate": fate,
        "reason": reason, "proves": arrival.proves,
    });
    let event = recall(page, arrival).unwrap();
    let heard = match event.kind {
        EventKind::Message { text, attachments, choice } => {
            let attachment = |sent: &ackd::model::Attachment| json!([sent.kind, sent.url, sent.title]);
            let attachments: Vec<Value> = attachments.iter().map(attachment).collect();
            json!({ "message": { "text": text, "attachments": attachments, "choice": choice } })
        }
        EventKind::Postback { title, payload, referral } => {
            json!({ "postback": { "title": title, "payload": payload, "referral": referral } })
        }
        EventKind::Referral { referral } => json!({ "referral": { "referral": referral } }),
        EventKind::OptIn { topic, stopped } => json!({ "optin": { "topic": topic, "stopped": stopped } }),
        EventKind::Other { kind } => json!({ "other": kind }),
        other @ (EventKind::Submitted { .. } | EventKind::Joined | EventKind::Alarm { .. }) => {
            panic!("not on Messenger: {other:?}")
        }
    };
    value["heard"] = without_nulls(heard);
    value["happened"] = json!(event.happened.0);
    without_nulls(value)
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null() && member != &json!([]))
            .map(|(name, member)| (name, without_nulls(member)))
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}

#[test]
fn every_delivery_is_read_as_expected() {
    let page = page();
    let write = std::env::var_os("ACKD_WRITE_EXPECTED").is_some();
    assert_eq!(deliveries().len(), 58);
    for name in deliveries() {
        let (arrivals, notes) = read(&page, &bytes(&format!("messenger/{name}.json")));
        let read: Vec<Value> = arrivals.iter().map(|arrival| described(&page, arrival)).collect();
        assert_eq!(notes, usize::from(name == "wrong_object"), "{name}");
        let expected = format!("messenger/{name}.events.json");
        if write {
            let text = serde_json::to_string_pretty(&read).unwrap();
            fs::write(fixtures().join(&expected), text + "\n").unwrap();
        }
        assert_eq!(json!(read), json_of(&expected), "{name}");
    }
}

#[test]
fn every_arrival_is_kept_byte_for_byte() {
    let page = page();
    for name in deliveries() {
        let body = bytes(&format!("messenger/{name}.json"));
        for arrival in read(&page, &body).0 {
            assert!(body.windows(arrival.raw.len()).any(|window| window == &arrival.raw[..]), "{name}");
        }
    }
}

#[test]
fn raw_and_escaped_emoji_are_the_same_event() {
    let page = page();
    let [escaped, raw] = ["emoji", "emoji_raw_utf8"].map(|name| {
        let (arrivals, _) = read(&page, &bytes(&format!("messenger/{name}.json")));
        (arrivals[0].id.clone(), recall(&page, &arrivals[0]).unwrap())
    });
    assert_eq!(escaped, raw);
    assert_eq!(raw.1.text(), Some("sun ☀️ and 👍🏽 and 👨‍👩‍👧"));
}

/// What the echo bot says to a delivery, once per event's id.
fn answers(page: &Messenger, name: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut said = Vec::new();
    for arrival in read(page, &bytes(&format!("messenger/{name}.json"))).0 {
        if arrival.fate != Fate::Hear || seen.contains(&arrival.id) {
            continue;
        }
        let event = recall(page, &arrival).unwrap();
        for reply in Echo::new(OTHERWISE).hear(&event, &mut Paper::default()).unwrap() {
            let Content::Text { text, .. } = reply.content else { panic!("an echo is text") };
            said.push(text);
        }
        seen.push(arrival.id);
    }
    said
}

#[test]
fn the_echo_bot_answers_these_deliveries_and_no_other() {
    let page = page();
    let long = "é".repeat(2000);
    let expected: [(&str, &[&str]); 28] = [
        ("attachment_audio", &[OTHERWISE]),
        ("attachment_fallback_link", &["https://example.com/solar"]),
        ("attachment_fallback_no_payload", &[OTHERWISE]),
        ("attachment_file", &[OTHERWISE]),
        ("attachment_image", &[OTHERWISE]),
        ("attachment_location_old", &[OTHERWISE]),
        ("attachment_reel", &[OTHERWISE]),
        ("attachment_sticker_like", &[OTHERWISE]),
        ("attachment_sticker_old", &[OTHERWISE]),
        ("attachment_sticker_transition", &[OTHERWISE]),
        ("attachment_two_images", &[OTHERWISE]),
        ("attachment_video", &[OTHERWISE]),
        ("batch_mixed", &["mixed in"]),
        ("batch_two_entries", &["first", "second"]),
        ("batch_two_messaging", &["one", "two"]),
        ("emoji", &["sun ☀️ and 👍🏽 and 👨‍👩‍👧"]),
        ("emoji_raw_utf8", &["sun ☀️ and 👍🏽 and 👨‍👩‍👧"]),
        ("message_from_ad", &["Is this for my roof?"]),
        ("messages_with_commands", &["/week"]),
        ("postback", &[OTHERWISE]),
        ("postback_get_started_ref", &[OTHERWISE]),
        ("postback_old_no_mid", &[OTHERWISE]),
        ("quick_reply", &["This week"]),
        ("reply_to", &["that one"]),
        ("same_mid_twice_in_batch", &["again"]),
        ("text", &["hello"]),
        ("text_2000_chars", &[&long]),
        ("text_empty", &[OTHERWISE]),
    ];
    let more: [(&str, &[&str]); 3] = [
        ("text_old_escapes", &["mail me@example.com <now> 50%"]),
        ("text_slashes", &["see https://example.com/a?b=1&c=2"]),
        ("text_umlauts", &["äöå"]),
    ];
    let expected: Vec<_> = expected.iter().chain(&more).collect();
    for name in deliveries() {
        let said: &[&str] = expected.iter().find(|(answered, _)| *answered == name).map_or(&[], |(_, said)| *said);
        assert_eq!(answers(&page, &name), said, "{name}");
    }
}

#[test]
fn text_of_2000_characters_comes_back_whole() {
    let page = page();
    let said = answers(&page, "text_2000_chars").remove(0);
    let parts = page.fit(Reply::text("7", said.clone())).unwrap();
    let texts: Vec<String> = parts
        .into_iter()
        .map(|part| {
            let body: Value = serde_json::from_slice(&page.write(&part, "ackd:t").unwrap().body).unwrap();
            body["message"]["text"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(texts.len(), 2);
    assert_eq!(texts.concat(), said);
}

// ---- signatures ----

/// Reads a vector's request; `None` when it is refused for its signature.
fn accepted(page: &Messenger, vector: &Value) -> Option<Reading> {
    let body = match vector["body_file"].as_str() {
        Some(file) => bytes(file),
        None => vector["body"].as_str().unwrap().as_bytes().to_vec(),
    };
    let headers: Vec<(&str, &str)> = vector["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (&name[..], value.as_str().unwrap()))
        .collect();
    let request = post(&body, &headers);
    match page.read(&request) {
        Ok(reading) => Some(reading),
        Err(refusal) if refusal.status == 401 => None,
        Err(refusal) => {
            assert!(body.is_empty() && refusal.status == 400, "{refusal:?}");
            Some(Reading::Events { arrivals: Vec::new(), response: refusal.response(), notes: Vec::new() })
        }
    }
}

#[test]
fn every_signature_vector_is_judged_as_it_says() {
    let mut counted = 0;
    for vector in json_of("signatures.json")["vectors"].as_array().unwrap() {
        let secret = Secret::new(vector["secret"].as_str().unwrap());
        let page = Messenger::new(Settings { app_secrets: vec![secret], ..settings() });
        // An upper-case signature is our choice: it has one meaning, so it is taken. The old header is no choice.
        let valid = match vector["scheme"].as_str().unwrap() {
            "meta_sha256" => vector["valid"].as_bool().unwrap_or(true),
            "meta_sha1" => false,
            _ => continue,
        };
        assert_eq!(accepted(&page, vector).is_some(), valid, "{}", vector["name"]);
        counted += 1;
    }
    assert_eq!(counted, 21);
}

#[test]
fn while_a_secret_is_rotated_both_are_good() {
    let page = Messenger::new(Settings { app_secrets: vec![Secret::new("new"), Secret::new("old")], ..settings() });
    let body = bytes("messenger/text.json");
    for (secret, good) in [("new", true), ("old", true), ("other", false), ("", false)] {
        let request = post(&body, &[("x-hub-signature-256", &signature(secret, &body))]);
        assert_eq!(page.read(&request).is_ok(), good, "{secret}");
    }
    let nobody = Messenger::new(Settings { app_secrets: vec![], ..settings() });
    assert!(nobody.read(&post(&body, &[("x-hub-signature-256", &signature("", &body))])).is_err());
}

#[test]
fn the_gate_refuses_before_a_byte_of_the_body() {
    let page = page();
    let hex = "0".repeat(64);
    for (header, value, passes) in [
        ("X-Hub-Signature-256", format!("sha256={hex}"), true),
        ("X-HUB-SIGNATURE-256", format!("sha256={}", "A".repeat(64)), true),
        ("X-Hub-Signature-256", format!("SHA256={hex}"), false),
        ("X-Hub-Signature-256", format!("sha256={hex}0"), false),
        ("X-Hub-Signature-256", format!("sha256={}", &hex[1..]), false),
        ("X-Hub-Signature-256", String::new(), false),
        ("X-Hub-Signature", format!("sha1={}", "0".repeat(40)), false),
        ("Accept", "*/*".to_owned(), false),
    ] {
        let result = page.gate(&head(Method::Post, "/messenger", &[(header, &value)]));
        assert_eq!(result.map_err(|refusal| refusal.status), if passes { Ok(()) } else { Err(401) }, "{value}");
    }
    assert_eq!(page.gate(&head(Method::Get, "/messenger", &[])), Ok(()));
    for method in [Method::Head, Method::Put, Method::Delete, Method::Options] {
        let refusal = page.gate(&head(method, "/messenger", &[])).unwrap_err();
        assert_eq!((refusal.status, refusal.allow), (405, Some("GET, POST")));
    }
}

#[test]
fn of_a_kind_that_comes_twice_the_last_words_count_and_a_message_before_all_others() {
    for (members, id) in [
        (r#""postback":{"mid":"one"},"postback":{"mid":"two"}"#, "two"),
        (r#""postback":{"mid":"one"},"postback":null"#, "one"),
        (r#""postback":{"mid":"one"},"message":{"mid":"two"},"postback":{"mid":"three"}"#, "two"),
        (r#""message":{"mid":"one"},"message":{"mid":"two"}"#, "two"),
    ] {
        let item = format!(r#"{{"sender":{{"id":"7"}},"recipient":{{"id":"1"}},"timestamp":5,{members}}}"#);
        let body = format!(r#"{{"object":"page","entry":[{{"id":"1","messaging":[{item}]}}]}}"#);
        let request = post(body.as_bytes(), &[("X-Hub-Signature-256", &signature(SECRET, body.as_bytes()))]);
        let Ok(Reading::Events { arrivals, .. }) = page().read(&request) else { panic!("{body}") };
        assert_eq!(arrivals[0].id, id, "{members}");
    }
}

#[test]
fn digits_that_are_none_are_refused_as_such() {
    let hex = "0".repeat(63);
    for digits in [format!("{hex}g"), format!(" {hex}")] {
        let request = post(b"{}", &[("X-Hub-Signature-256", &format!("sha256={digits}"))]);
        let refusal = page().read(&request).unwrap_err();
        assert!(refusal.status == 401 && refusal.why.ends_with("64 hex digits"), "{digits}: {refusal:?}");
    }
}

#[test]
fn verification_requests_are_answered_as_they_say() {
    for case in json_of("messenger/verification_requests.json")["cases"].as_array().unwrap() {
        let token = Secret::new(case["verify_token"].as_str().unwrap());
        let page = Messenger::new(Settings { verify_token: token, ..settings() });
        let reading = page.read(&get(case["request_target"].as_str().unwrap()));
        // Where the case leaves the status to us, it is 403.
        let (status, body) = match reading {
            Ok(Reading::Answer(response)) => {
                assert!(response.content_type.starts_with("text/plain"));
                (response.status, Some(String::from_utf8(response.body.into_owned()).unwrap()))
            }
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => (refusal.status, None),
        };
        assert_eq!(json!(status), *case.get("expect_status").filter(|s| !s.is_null()).unwrap_or(&json!(403)));
        assert_eq!(json!(body), case["expect_body"], "{}", case["name"]);
    }
}

// ---- bodies that Meta would not send ----

#[test]
fn signed_nonsense_is_refused_and_signed_oddities_are_kept() {
    let page = page();
    let sign = |body: &[u8]| page.read(&post(body, &[("x-hub-signature-256", &signature(SECRET, body))]));
    for wrong in [&b""[..], b"{", b"hello", b"{\"object\":\"page\"} x", b"\xff\xfe", b"{\"object\":\"p\xffge\"}"] {
        assert_eq!(sign(wrong).unwrap_err().status, 400, "{wrong:?}");
    }
    for (odd, arrivals, notes) in [
        ("null", 0, 1),
        ("[]", 0, 1),
        (r#"{"object":7}"#, 0, 1),
        (r#"{"object":"page"}"#, 0, 0),
        (r#"{"object":"page","entry":{}}"#, 0, 0),
        (r#"{"object":"page","entry":[7,{"messaging":7,"changes":null}]}"#, 0, 1),
        (r#"{"entry":[{"messaging":[1,"x",null,[],{}],"id":7}],"object":"page"}"#, 5, 0),
        (r#"{"object":"page","entry":[{"changes":[{}, 1]}]}"#, 2, 0),
    ] {
        let (read, noted) = read(&page, odd.as_bytes());
        assert_eq!((read.len(), noted), (arrivals, notes), "{odd}");
        assert!(read.iter().all(|arrival| matches!(arrival.fate, Fate::Ignore(_))), "{odd}");
    }
    let crowd = format!(r#"{{"object":"page","entry":[{{"messaging":[{}]}}]}}"#, vec!["0"; 4097].join(","));
    assert_eq!(sign(crowd.as_bytes()).unwrap_err().status, 413);
}

/// The arrival of one `messaging` item on page 1.
fn arrival(item: &str) -> Arrival {
    let body = format!(r#"{{"object":"page","entry":[{{"id":"1","messaging":[{item}]}}]}}"#);
    read(&page(), body.as_bytes()).0.remove(0)
}

#[test]
fn ids_and_times_may_be_numbers() {
    let item = arrival(r#"{"sender":{"id":7},"timestamp":"5","message":{"mid":8,"text":9}}"#);
    assert_eq!((&item.id[..], &item.conversation[..], item.fate.clone()), ("8", "7", Fate::Hear));
    assert_eq!(recall(&page(), &item).unwrap().text(), Some("9"));
}

#[test]
fn only_the_page_that_is_named_is_heard() {
    let body = bytes("messenger/batch_two_entries.json");
    let sheet: Value = serde_json::from_slice(&body).unwrap();
    let pages: Vec<_> = sheet["entry"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    let fates = |ours: Option<&str>, body: &[u8]| {
        let page = Messenger::new(Settings { page_id: ours.map(str::to_owned), ..settings() });
        read(&page, body).0.into_iter().map(|arrival| arrival.fate).collect::<Vec<_>>()
    };
    let other = || Fate::Ignore("of another page than this channel's page_id");
    assert_eq!(fates(None, &body), [Fate::Hear, Fate::Hear]);
    assert_eq!(fates(Some("17"), &body), [other(), other()]);
    let first = pages.iter().map(|page| if *page == pages[0] { Fate::Hear } else { other() }).collect::<Vec<_>>();
    assert_eq!(fates(Some(pages[0]), &body), first);
    let two = br#"{"object":"page","entry":[
        {"id":"1","messaging":[{"sender":{"id":"7"},"recipient":{"id":"1"},"message":{"mid":"a","text":"a"}}]},
        {"id":2,"messaging":[{"sender":{"id":"8"},"recipient":{"id":"2"},"message":{"mid":"b","text":"b"}},
                             {"sender":{"id":"8"},"recipient":{"id":"2"},"read":{"watermark":1}}]},
        {"messaging":[{"sender":{"id":"9"},"recipient":{"id":"1"},"message":{"mid":"c","text":"c"}}]}]}"#;
    let receipt = Fate::Ignore("a receipt: our message was read");
    assert_eq!(
        fates(Some("1"), two),
        [Fate::Hear, other(), receipt.clone(), other()],
        "an entry of no page is not ours"
    );
    assert_eq!(fates(Some("2"), two), [other(), Fate::Hear, receipt, other()], "an id may be a number");
}

#[test]
fn the_page_itself_is_never_answered() {
    let item = arrival(r#"{"sender":{"id":"1"},"recipient":{"id":"7"},"message":{"mid":"m","text":"x"}}"#);
    assert_eq!((item.fate, &item.conversation[..]), (Fate::Ignore("an echo of a message of the page"), "7"));
}

#[test]
fn a_message_from_nobody_is_not_heard() {
    for item in [
        r#"{"message":{"mid":"m"}}"#.to_owned(),
        r#"{"sender":{"id":""},"message":{"mid":"m"}}"#.to_owned(),
        format!(r#"{{"sender":{{"id":"{}"}},"message":{{"mid":"m"}}}}"#, "7".repeat(513)),
    ] {
        assert_eq!(arrival(&item).fate, Fate::Ignore("it names no person to answer"), "{item}");
    }
}

#[test]
fn an_endless_id_is_replaced_by_its_hash() {
    let item = arrival(&format!(r#"{{"sender":{{"id":"7"}},"message":{{"mid":"{}"}}}}"#, "m".repeat(513)));
    assert_eq!(item.id.len(), "long:".len() + 16);
    assert_eq!(item.fate, Fate::Hear);
}

#[test]
fn different_things_about_one_mid_do_not_collide() {
    let mut ids: Vec<String> = [
        r#"{"sender":{"id":"7"},"message":{"mid":"m"}}"#,
        r#"{"sender":{"id":"1"},"recipient":{"id":"7"},"message":{"mid":"m","is_echo":true}}"#,
        r#"{"sender":{"id":"7"},"message_edit":{"mid":"m","num_edit":1}}"#,
        r#"{"sender":{"id":"7"},"message_edit":{"mid":"m","num_edit":2}}"#,
        r#"{"sender":{"id":"7"},"reaction":{"mid":"m","action":"react"}}"#,
        r#"{"sender":{"id":"7"},"reaction":{"mid":"m","action":"unreact"}}"#,
        r#"{"sender":{"id":"7"},"response_feedback":{"mid":"m"}}"#,
        r#"{"sender":{"id":"7"},"hologram":{"mid":"m"}}"#,
    ]
    .iter()
    .map(|item| arrival(item).id)
    .collect();
    let standby = r#"{"object":"page","entry":[{"id":"1","standby":[{"sender":{"id":"7"},"message":{"mid":"m"}}]}]}"#;
    ids.push(read(&page(), standby.as_bytes()).0.remove(0).id);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 9, "{ids:?}");
}

#[test]
fn only_our_own_tag_in_an_echo_proves_a_delivery() {
    let proves = |echo: &str, metadata: &str| {
        arrival(&format!(r#"{{"sender":{{"id":"7"}},"message":{{"mid":"m","is_echo":{echo},"metadata":{metadata}}}}}"#))
            .proves
    };
    assert_eq!(proves("true", r#""ackd:page-1.1""#), Some("ackd:page-1.1".to_owned()));
    assert_eq!(proves("true", r#""other""#), None);
    assert_eq!(proves("true", "7"), None);
    assert_eq!(proves("false", r#""ackd:page-1.1""#), None, "a person may write what they like");
}

// ---- what is written ----

/// The reply that a `send_*_request.json` says.
fn reply_of(name: &str) -> Reply {
    let quick = |title: &str, payload: &str| QuickReply { title: title.to_owned(), payload: payload.to_owned() };
    let link = |title: &str, url: &str| Button::Url { title: title.to_owned(), url: url.to_owned() };
    let postback =
        |title: &str, payload: &str| Button::Postback { title: title.to_owned(), payload: payload.to_owned() };
    let post = "https://www.facebook.com/104455667788990/posts/5566778899";
    let content = match name {
        "send_text" => Content::Text { text: "14.2 kWh today, 3.1 kW now.".to_owned(), quick_replies: Vec::new() },
        "send_quick_replies" => Content::Text {
            text: "Which figures?".to_owned(),
            quick_replies: vec![
                quick("Today", "SOLAR_TODAY"),
                quick("This week", "SOLAR_WEEK"),
                quick("This month", "SOLAR_MONTH"),
            ],
        },
        "send_gallery" => Content::Gallery {
            cards: vec![Card {
                title: "Most discussed post of the week".to_owned(),
                subtitle: Some("17 comments, 4 shares".to_owned()),
                image_url: Some("https://example.com/post1.jpg".to_owned()),
                url: Some(post.to_owned()),
                buttons: vec![link("Read", post), postback("Next", "DIGEST_NEXT")],
            }],
        },
        "send_buttons" => Content::Buttons {
            text: "What next?".to_owned(),
            buttons: vec![postback("Today", "SOLAR_TODAY"), link("Open", "https://example.com/")],
        },
        "send_image" => Content::Image { url: "https://example.com/chart.png".to_owned() },
        "send_typing_on" => Content::Courtesy(CourtesyAct::TypingOn),
        "send_mark_seen" => Content::Courtesy(CourtesyAct::MarkSeen),
        other => panic!("{other}: say what reply this is"),
    };
    Reply { content, ..Reply::text("7012345678901234", "") }
}

#[test]
fn every_request_is_written_as_its_sample() {
    let page = page();
    let listed = fs::read_dir(fixtures().join("messenger")).unwrap();
    let names = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.filter_map(|name| name.strip_suffix("_request.json").map(str::to_owned)).collect();
    assert_eq!(names.len(), 7);
    for name in names {
        let mut sample = json_of(&format!("messenger/{name}_request.json"));
        if let Some(message) = sample.get_mut("message") {
            message["metadata"] = json!("ackd:job:17");
        }
        let [reply] = page.fit(reply_of(&name)).unwrap().try_into().unwrap();
        let request = page.write(&reply, "ackd:job:17").unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), sample, "{name}");
        assert_eq!((request.method, request.content_type), (Method::Post, "application/json"));
    }
}

#[test]
fn the_token_travels_in_a_header_or_if_wanted_in_the_query() {
    let vectors = json_of("signatures.json");
    let vector = vectors["vectors"].as_array().unwrap().iter().find(|v| v["scheme"] == "appsecret_proof").unwrap();
    let proof = vector["expected"]["appsecret_proof"].as_str().unwrap();
    let access_token = Secret::new(vector["body"].as_str().unwrap());
    let (token, url) = (access_token.expose().to_owned(), "https://graph.facebook.com/v25.0/me/messages");
    for (appsecret_proof, token_in_query, query) in [
        (false, false, None),
        (true, false, Some(format!("appsecret_proof={proof}"))),
        (false, true, Some(format!("access_token={token}"))),
        (true, true, Some(format!("access_token={token}&appsecret_proof={proof}"))),
    ] {
        let api = "https://graph.facebook.com/v25.0/".to_owned();
        let access_token = access_token.clone();
        let page = Messenger::new(Settings { appsecret_proof, token_in_query, access_token, api, ..settings() });
        let request = page.write(&Reply::text("7", "hi"), "t").unwrap();
        assert_eq!(request.url, url);
        assert_eq!(request.bearer.map(|secret| secret.expose().to_owned()), (!token_in_query).then(|| token.clone()));
        assert_eq!(request.secret_query.map(|secret| secret.expose().to_owned()), query);
    }
}

// ---- what is judged ----

#[test]
fn every_error_is_judged_as_the_table_says() {
    let page = page();
    let expected: [(&str, u16, &str); 20] = [
        ("error_100_2018001_no_user", 400, "gone"),
        ("error_100_dead_tag", 400, "dead"),
        ("error_100_param", 400, "dead"),
        ("error_100_text_too_long", 400, "dead"),
        ("error_10_2018278_window", 400, "outside"),
        ("error_10_2018300_thread", 400, "dead"),
        ("error_1200_temporary", 400, "conversation"),
        ("error_17_user_limit", 400, "channel"),
        ("error_190_460_password", 400, "locked"),
        ("error_190_463_expired", 400, "locked"),
        ("error_190_bad_token", 400, "locked"),
        ("error_1_unknown", 500, "conversation"),
        ("error_200_permission", 403, "dead"),
        ("error_2_service", 500, "conversation"),
        ("error_32_page_limit", 400, "channel"),
        ("error_368_blocked", 400, "dead"),
        ("error_4_app_limit", 400, "channel"),
        ("error_551_unavailable", 400, "gone"),
        ("error_613_rate", 400, "channel"),
        ("error_80006_messenger_limit", 400, "channel"),
    ];
    let listed = fs::read_dir(fixtures().join("messenger")).unwrap();
    let errors = listed.filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with("error_"));
    assert_eq!(errors.count(), expected.len());
    for (name, status, expected) in expected {
        let body = bytes(&format!("messenger/{name}.json"));
        let words = serde_json::from_slice::<Value>(&body).unwrap()["error"]["message"].as_str().unwrap().to_owned();
        let answer = Answer { status, headers: Vec::new(), body };
        let (judged, why) = match page.judge(&Outcome::Answered(answer), 1, RECEIVED) {
            Delivery::Retry { extent: Extent::Conversation, why, maybe_said: false, after: None } => {
                ("conversation", why)
            }
            Delivery::Retry { extent: Extent::Channel, why, maybe_said: false, after: None } => ("channel", why),
            Delivery::Locked { why } => ("locked", why),
            Delivery::Dead { why } => ("dead", why),
            Delivery::Gone { why } => ("gone", why),
            Delivery::Outside { why } => ("outside", why),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(judged, expected, "{name}");
        assert!(why.contains(&words), "{name}: {why}");
    }
}

#[test]
fn every_success_is_delivered() {
    let page = page();
    let id = "m_9co490ih1ur3JrikL7V1w8cfGGSoFDMBeC3hPaLZICs_20";
    for (name, message_id) in [
        ("send_message_response", Some(id)),
        ("send_message_response_no_recipient", Some(id)),
        ("send_image_response", Some("m_PZFPk0jJzA_4p5cWcAufzU0vPnEWCABOuPE4vLp_FNk_41")),
        ("send_sender_action_response", None),
    ] {
        let body = bytes(&format!("messenger/{name}.json"));
        let outcome = Outcome::Answered(Answer { status: 200, headers: Vec::new(), body });
        let message_id = message_id.map(str::to_owned);
        assert_eq!(page.judge(&outcome, 1, RECEIVED), Delivery::Delivered { message_id }, "{name}");
    }
}

#[test]
fn the_usage_headers_say_how_long_to_wait() {
    let page = page();
    for (header, minutes) in [("x_business_use_case_usage", Some(19)), ("x_app_usage", None)] {
        let value = String::from_utf8(bytes(&format!("messenger/header_{header}.json"))).unwrap();
        let headers = vec![(header.replace('_', "-"), value)];
        let body = bytes("messenger/error_80006_messenger_limit.json");
        let outcome = Outcome::Answered(Answer { status: 400, headers, body });
        let Delivery::Retry { after, .. } = page.judge(&outcome, 1, RECEIVED) else { panic!("{header}") };
        assert_eq!(after, minutes.map(|minutes| Duration::from_secs(minutes * 60)), "{header}");
    }
}
