//! Webex against its samples: the files in `fixtures/webex`, byte for byte as Webex sends and takes them.
//!
//!     NAME.json                    a notification's body, or what a look-up answers; beside it NAME.events.json, what
//!                                  must come of it
//!     messages_post_*_request.json what must be written     messages_post_response.json, people_me*.json   answers
//!     error_*.json                 what must be judged, in both directions
//!
//! A file of no kind fails the test, and so does one without its expectation. `ACKD_WRITE_EXPECTED=1` writes the
//! expectations anew, to be read through before they are committed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "here a panic is how a failure is told"
)]

#[path = "shared/head.rs"]
mod head;

use ackd::limits::UPSTREAM_WAIT_MAX;
use ackd::model::{
    Answer, Arrival, Button, Card, Content, CourtesyAct, Delivery, Event, EventId, EventKind, Extent, Fate, FetchFault,
    Head, Method, Moment, OutboundRequest, Outcome, QuickReply, Reply, Request, Secret,
};
use ackd::platform::webex::{Replies, Settings, Webex};
use ackd::platform::{Account, Kept, Platform, Reading, Recalled};
use ring::hmac;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SECRET: &str = "86dacc007724d8ea666f88fc77d918dad9537a15";
const TOKEN: &str = "NmI0aBotTOKENthatNobodyMaySee";
const BOT: &str = "Y2lzY29zcGFyazovL3VzL1BFT1BMRS84YTFiMmMzZC00ZTVmLTRhNmItOWM3ZC0wZTFmMmEzYjRjNWQ";
const ADA: &str = "Y2lzY29zcGFyazovL3VzL1BFT1BMRS9mNWIzNjE4Ny1jOGRkLTQ3MjctOGIyZi1mOWM0NDdmMjkwNDY";
const DIRECT: &str = "Y2lzY29zcGFyazovL3VzL1JPT00vM2IxZDVhNDAtM2EyNS0xMWVhLTlmN2EtNWQxYzJiM2E0ZjVl";
const GROUP: &str = "Y2lzY29zcGFyazovL3VzL1JPT00vYmJjZWIxYWQtNDNmMS0zYjU4LTkxNDctZjE0YmIwYzRkMTU0";
const THREAD: &str = "Y2lzY29zcGFyazovL3VzL01FU1NBR0UvOTJkYjNiZTAtNDNiZC0xMWU2LThhZTktZGQ1YjNkZmMwMDAy";
const RECEIVED: Moment = Moment(1_763_712_009_000);

/// Which notification leads to a look-up that this answers.
const LOOK_UPS: [(&str, &str); 9] = [
    ("messages_get_direct", "message_created_direct"),
    ("messages_get_emoji", "message_created_minimal"),
    ("messages_get_file_only", "message_created_file"),
    ("messages_get_group_mention", "message_created_group_mention"),
    ("messages_get_group_mention_bare_uuid", "message_created_group_mention"),
    ("messages_get_group_mention_in_the_middle", "message_created_group_mention"),
    ("messages_get_own", "own_message"),
    ("messages_get_thread", "message_created_thread_reply"),
    ("attachment_action_get", "attachment_action"),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn sample(name: &str) -> Vec<u8> {
    bytes(&format!("webex/{name}.json"))
}

fn json_of(name: &str) -> Value {
    serde_json::from_slice(&sample(name)).unwrap()
}

fn settings() -> Settings {
    Settings::new(Secret::new(TOKEN), vec![Secret::new(SECRET)])
}

/// A bot that does not know yet who it is.
fn stranger(settings: Settings) -> Webex {
    let bot = Webex::new(settings);
    assert!(!bot.is_introduced());
    bot
}

/// The bot of the samples.
fn bot_with(settings: Settings) -> Webex {
    let bot = stranger(settings);
    bot.meet(bot.introduced(&answered(200, &sample("people_me")), RECEIVED).unwrap());
    assert!(bot.is_introduced());
    bot
}

fn bot() -> Webex {
    bot_with(settings())
}

fn head(method: Method, fields: &[(&str, &str)]) -> Head {
    head::head(method, "/webex", fields)
}

fn post(body: &[u8], fields: &[(&str, &str)]) -> Request {
    Request { head: head(Method::Post, fields), body: body.to_vec() }
}

fn signature(secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes()), body);
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads `body` as a notification with a good signature.
fn read(bot: &Webex, body: &[u8]) -> Arrival {
    let request = post(body, &[("X-Spark-Signature", &signature(SECRET, body))]);
    let Reading::Events { arrivals, response, notes } = bot.read(&request).unwrap() else { panic!("no delivery") };
    assert_eq!((response.status, notes.len()), (200, 0));
    let [arrival] = arrivals.try_into().unwrap();
    arrival
}

fn answered(status: u16, body: &[u8]) -> Outcome {
    Outcome::Answered(Answer { status, headers: Vec::new(), body: body.to_vec() })
}

fn kept(arrival: &Arrival) -> Kept<'_> {
    let id = EventId { channel: "space".to_owned(), place: 1, part: None };
    Kept { id, conversation: &arrival.conversation, received: RECEIVED, raw: &arrival.raw }
}

fn look_up(bot: &Webex, arrival: &Arrival) -> Result<Option<OutboundRequest>, Box<Recalled>> {
    bot.look_up(&kept(arrival))
}

/// Why a look-up is not made, when the event turned out to be ignored.
fn ignored(recalled: &Recalled) -> &str {
    let Recalled::Ignored(why) = recalled else { panic!("{recalled:?}") };
    why
}

fn recall(bot: &Webex, notification: &[u8], found: &[u8]) -> Recalled {
    recalled(bot, notification, &answered(200, found))
}

fn recalled(bot: &Webex, notification: &[u8], found: &Outcome) -> Recalled {
    let arrival = read(bot, notification);
    bot.recall(&kept(&arrival), Some(found), 1, RECEIVED)
}

fn heard(recalled: Recalled) -> Event {
    let Recalled::Event(event) = recalled else { panic!("{recalled:?}") };
    event
}

/// `notification` with its `data` or the whole changed.
fn changed(notification: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = json_of(notification);
    change(&mut value);
    value.to_string().into_bytes()
}

/// The names of all fixtures, without `.json` and without expectations.
fn names() -> Vec<String> {
    let listed = fs::read_dir(fixtures().join("webex")).unwrap();
    let mut names: Vec<_> = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let names = names.iter().map(|name| name.strip_suffix(".json").unwrap_or_else(|| panic!("{name} is no JSON")));
    // Registration and lists are not the adapter's: tests/webex_twin/ has them, and src/registry/.
    let other = |name: &&str| name.starts_with("webhooks_") || *name == "memberships_list";
    names.filter(|name| !name.ends_with(".events") && !other(name)).map(str::to_owned).collect()
}

fn notifications() -> Vec<String> {
    let other = [
        "error_",
        "messages_post_",
        "people_me",
        "messages_get_",
        "attachment_action_get",
        "webhooks_",
        "memberships_list",
    ];
    names().into_iter().filter(|name| !other.iter().any(|prefix| name.starts_with(prefix))).collect()
}

/// Compares with NAME.events.json, or writes it.
fn expect(name: &str, read: &Value) {
    let expected = format!("webex/{name}.events.json");
    if std::env::var_os("ACKD_WRITE_EXPECTED").is_some() {
        fs::write(fixtures().join(&expected), serde_json::to_string_pretty(read).unwrap() + "\n").unwrap();
    }
    assert_eq!(*read, serde_json::from_slice::<Value>(&bytes(&expected)).unwrap(), "{name}");
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

fn described(recalled: Recalled) -> Value {
    let event = match recalled {
        Recalled::Event(event) => event,
        Recalled::Own { texts, .. } => return json!({ "own": texts }),
        other => panic!("{other:?}"),
    };
    let kind = match event.kind {
        EventKind::Message { text, attachments, choice } => {
            let attachments: Vec<Value> = attachments.iter().map(|sent| json!([sent.kind, sent.url])).collect();
            json!({ "message": { "text": text, "attachments": attachments, "choice": choice } })
        }
        EventKind::Submitted { inputs } => json!({ "submitted": inputs }),
        EventKind::Joined => json!("joined"),
        other => panic!("{other:?}"),
    };
    let (person, thread, happened) = (event.person, event.thread, event.happened.0);
    json!({ "conversation": event.conversation, "person": person, "thread": thread, "happened": happened, "heard": kind })
}

// ---- what comes in ----

#[test]
fn every_notification_is_read_as_expected() {
    let bot = bot();
    assert_eq!(notifications().len(), 14);
    for name in notifications() {
        let body = sample(&name);
        let arrival = read(&bot, &body);
        assert_eq!(&arrival.raw[..], body, "{name}: kept byte for byte");
        let (fate, reason) = match arrival.fate {
            Fate::Hear => ("hear", Value::Null),
            Fate::Witness => ("witness", Value::Null),
            Fate::Ignore(why) => ("ignore", json!(why)),
        };
        let (asked, event) = match look_up(&bot, &arrival) {
            Ok(Some(question)) => {
                assert_eq!((question.method, question.body.len()), (Method::Get, 0), "{name}");
                assert_eq!(question.bearer, Some(Secret::new(TOKEN)), "{name}");
                (json!(question.url), Value::Null)
            }
            Ok(None) => (Value::Null, described(bot.recall(&kept(&arrival), None, 1, RECEIVED))),
            Err(recalled) => {
                assert_eq!(json!(ignored(&recalled)), reason, "{name}: the guard says the same each time");
                (Value::Null, Value::Null)
            }
        };
        let read = json!({
            "id": arrival.id, "conversation": arrival.conversation, "kind": arrival.kind, "fate": fate,
            "reason": reason, "asked": asked, "event": event,
        });
        expect(&name, &without_nulls(read));
    }
}

#[test]
fn every_answer_to_a_look_up_is_heard_as_expected() {
    let bot = bot();
    let answers = names().into_iter().filter(|name| name.starts_with("messages_get_") || name.ends_with("_get"));
    assert_eq!(answers.count(), LOOK_UPS.len());
    for (answer, notification) in LOOK_UPS {
        expect(answer, &without_nulls(described(recall(&bot, &sample(notification), &sample(answer)))));
    }
}

#[test]
fn a_file_of_every_kind_has_its_test() {
    // The last two are the registry's and the stand-in's, and have their tests there.
    let kinds = ["messages_post_", "people_me", "error_", "webhooks_", "memberships_list"];
    let rest = names().len() - notifications().len() - LOOK_UPS.len();
    assert_eq!(names().iter().filter(|name| kinds.iter().any(|kind| name.starts_with(kind))).count(), rest);
}

#[test]
fn the_same_notification_in_other_white_space_is_the_same_event() {
    let bot = bot();
    let [plain, pretty] = ["", "_pretty"].map(|form| read(&bot, &sample(&format!("message_created_direct{form}"))));
    assert_eq!((plain.id, plain.conversation, plain.fate), (pretty.id, pretty.conversation, pretty.fate));
}

#[test]
fn every_signature_vector_is_judged_as_it_says() {
    let vectors: Value = serde_json::from_slice(&bytes("signatures.json")).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap().iter().filter(|vector| vector["scheme"] == "webex_sha1");
    let mut counted = 0;
    for vector in vectors {
        let secret = Secret::new(vector["secret"].as_str().unwrap());
        let bot = stranger(Settings::new(Secret::new(TOKEN), vec![secret]));
        let headers = vector["headers"].as_object().unwrap().iter();
        let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let result = bot.read(&post(&bytes(vector["body_file"].as_str().unwrap()), &headers));
        let result = result.map(|_| ()).map_err(|refusal| refusal.status);
        let expected = if vector["valid"].as_bool().unwrap() { Ok(()) } else { Err(401) };
        assert_eq!(result, expected, "{}", vector["name"]);
        counted += 1;
    }
    assert_eq!(counted, 10);
}

#[test]
fn while_a_secret_is_rotated_both_are_good() {
    let bot = stranger(Settings { secrets: vec![Secret::new("new"), Secret::new("old")], ..settings() });
    let body = sample("message_created_direct");
    for (secret, good) in [("new", true), ("old", true), ("other", false), ("", false)] {
        let request = post(&body, &[("x-spark-signature", &signature(secret, &body))]);
        assert_eq!(bot.read(&request).is_ok(), good, "{secret}");
    }
    let nobody = stranger(Settings { secrets: vec![], ..settings() });
    assert!(nobody.read(&post(&body, &[("x-spark-signature", &signature("", &body))])).is_err());
}

#[test]
fn the_gate_refuses_before_a_byte_of_the_body() {
    let bot = bot();
    let hex = "0".repeat(40);
    for (header, value, passes) in [
        ("X-Spark-Signature", hex.clone(), true),
        ("X-SPARK-SIGNATURE", "A".repeat(40), true),
        ("X-Spark-Signature", format!("sha1={hex}"), false),
        ("X-Spark-Signature", format!("{hex}0"), false),
        ("X-Spark-Signature", hex[1..].to_owned(), false),
        ("X-Spark-Signature", String::new(), false),
        ("X-Webex-Signature", hex.clone(), false),
        ("Accept", "*/*".to_owned(), false),
    ] {
        let result = bot.gate(&head(Method::Post, &[(header, &value)])).map_err(|refusal| refusal.status);
        assert_eq!(result, if passes { Ok(()) } else { Err(401) }, "{header}: {value}");
    }
    for method in [Method::Get, Method::Head, Method::Put, Method::Delete, Method::Options] {
        let refusal = bot.gate(&head(method, &[("X-Spark-Signature", &hex)])).unwrap_err();
        assert_eq!((refusal.status, refusal.allow), (405, Some("POST")));
    }
    let signed = signature(SECRET, b"{}");
    let request = Request { head: head(Method::Put, &[("X-Spark-Signature", &signed)]), body: b"{}".to_vec() };
    assert_eq!(bot.read(&request).unwrap_err().status, 405, "the door is no wider than the gate");
}

#[test]
fn digits_that_are_none_are_refused_as_such() {
    let hex = "0".repeat(39);
    for digits in [format!("{hex}g"), format!(" {hex}")] {
        let refusal = bot().read(&post(b"{}", &[("X-Spark-Signature", &digits)])).unwrap_err();
        assert!(refusal.status == 401 && refusal.why.ends_with("40 hex digits"), "{digits}: {refusal:?}");
    }
}

#[test]
fn signed_nonsense_is_refused_and_signed_oddities_are_kept() {
    let bot = bot();
    for wrong in [&b""[..], b"{", b"hello", b"{\"resource\":\"messages\"} x", b"\xff\xfe", b"{\"event\":\"\xff\"}"] {
        let request = post(wrong, &[("x-spark-signature", &signature(SECRET, wrong))]);
        assert_eq!(bot.read(&request).unwrap_err().status, 400, "{wrong:?}");
    }
    for odd in [
        "null",
        "[]",
        "{}",
        "7",
        r#"{"resource":1e999}"#,
        r#"{"resource":"\ud83d"}"#,
        r#"{"resource":"messages","event":"created"}"#,
        r#"{"resource":"messages","event":"created","data":7}"#,
        r#"{"resource":"messages","event":"created","data":{"id":"m"}}"#,
        r#"{"resource":"messages","event":"created","data":{"roomId":"r"}}"#,
        r#"{"resource":{"a":1},"event":["created"],"data":{"id":"m","roomId":"r"}}"#,
        r#"{"data":{"id":"m","roomId":"r"}}"#,
    ] {
        let arrival = read(&bot, odd.as_bytes());
        assert!(matches!(arrival.fate, Fate::Ignore(_)), "{odd}: {arrival:?}");
        assert!(!arrival.id.is_empty() && !arrival.conversation.is_empty(), "{odd}");
    }
    let twice =
        read(&bot, br#"{"resource":"x","resource":"messages","event":"created","data":{"id":"m","roomId":"r"}}"#);
    assert_eq!((twice.id.as_str(), twice.fate), ("messages:created:m", Fate::Hear), "the last of a key counts");
}

#[test]
fn an_endless_id_is_bounded_and_not_heard() {
    let bot = bot();
    for member in ["id", "roomId"] {
        let arrival =
            read(&bot, &changed("message_created_direct", |value| value["data"][member] = json!("x".repeat(600))));
        assert!(arrival.id.len() <= 512 && arrival.conversation.len() <= 512, "{member}");
        assert_eq!(arrival.fate, Fate::Ignore("it does not name what happened where"), "{member}");
    }
}

#[test]
fn an_id_stays_inside_its_place_in_the_url() {
    let bot = bot();
    let arrival =
        read(&bot, &changed("message_created_direct", |value| value["data"]["id"] = json!("../people?a=b c/ü")));
    let question = look_up(&bot, &arrival).unwrap().unwrap();
    assert_eq!(question.url, "https://webexapis.com/v1/messages/..%2Fpeople%3Fa%3Db%20c%2F%C3%BC");
}

// ---- the loop guard (webex.md §9) ----

#[test]
fn the_guard_decides_by_what_a_notification_says() {
    let bot_talk = bot_with(Settings { bots_may_talk: true, ..settings() });
    let ours = json!(BOT);
    let other_bot = "a message of another bot; with bots = true they are heard";
    let others = "a message in a group room that mentions others";
    type Change = Box<dyn Fn(&mut Value)>;
    let set = |pointer: &'static str, value: Value| -> Change {
        Box::new(move |whole: &mut Value| {
            let (parent, member) = pointer.rsplit_once('/').unwrap();
            whole.pointer_mut(parent).unwrap()[member] = value.clone();
        })
    };
    let direct = "message_created_direct";
    let group = "message_created_group_mention";
    for (name, change, fate) in [
        (direct, set("/actorId", ours.clone()), Fate::Witness),
        (direct, set("/data/personId", ours.clone()), Fate::Witness),
        (direct, set("/data/personEmail", json!("clock@webex.bot")), Fate::Ignore(other_bot)),
        (direct, set("/data/personEmail", json!("clock@WEBEX.BOT")), Fate::Ignore(other_bot)),
        (direct, set("/data/personEmail", json!("clock@sparkbot.io")), Fate::Ignore(other_bot)),
        (direct, set("/data/personEmail", json!("webex.bot@example.com")), Fate::Hear),
        (direct, set("/data/personEmail", json!("ada@notwebex.bot")), Fate::Hear),
        (direct, set("/data/mentionedPeople", json!([ADA])), Fate::Hear),
        (group, set("/data/mentionedPeople", json!([ADA])), Fate::Ignore(others)),
        (group, set("/data/mentionedPeople", json!([])), Fate::Ignore(others)),
        (group, set("/data/mentionedPeople", json!([ADA, BOT])), Fate::Hear),
        (group, set("/data/mentionedPeople", Value::Null), Fate::Hear),
        (group, set("/data/mentionedPeople", json!("nonsense")), Fate::Hear),
        ("attachment_action", set("/actorId", ours.clone()), Fate::Ignore("something that the bot did itself")),
        (
            "attachment_action",
            set("/event", json!("deleted")),
            Fate::Ignore("a kind of event that bots have no use for"),
        ),
        ("membership_created", set("/actorId", ours.clone()), Fate::Ignore("the bot opened this conversation itself")),
        ("membership_created", set("/data/personId", json!(ADA)), Fate::Ignore("somebody else came into the room")),
        ("membership_created", set("/event", json!("created")), Fate::Hear),
    ] {
        let body = changed(name, change);
        let shown = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(read(&bot(), &body).fate, fate, "{shown}");
        // Who does not know yet who it is lets pass what may be for it, and decides the same when the turn has come.
        let late = stranger(settings());
        let arrival = read(&late, &body);
        let now = if shown.contains("\"deleted\"") { fate.clone() } else { Fate::Hear };
        assert_eq!(arrival.fate, now, "{shown}");
        late.meet(me());
        match (look_up(&late, &arrival), &fate) {
            (Err(recalled), Fate::Ignore(expected)) => assert_eq!(ignored(&recalled), *expected, "{shown}"),
            (Ok(_), Fate::Hear | Fate::Witness) => {}
            (other, _) => panic!("{shown}: {other:?}"),
        }
        // Bots that may talk are heard; nothing else changes.
        let talked = if fate == Fate::Ignore(other_bot) { Fate::Hear } else { fate };
        assert_eq!(read(&bot_talk, &body).fate, talked, "{shown}");
    }
}

#[test]
fn whoever_is_taken_into_a_room_again_is_told_again_and_the_same_delivery_is_not() {
    let taken_in = |created: &str| {
        read(&bot(), &changed("membership_created", |whole| whole["data"]["created"] = json!(created))).id
    };
    assert_eq!(taken_in("2025-11-21T07:59:00.000Z"), read(&bot(), &sample("membership_created")).id);
    assert_ne!(taken_in("2025-11-22T07:59:00.000Z"), taken_in("2025-11-21T07:59:00.000Z"));
    // What an edit changes is not when a message was made, so a message's mark does not hang on it.
    let message = |created: &str| {
        read(&bot(), &changed("message_created_direct", |whole| whole["data"]["created"] = json!(created))).id
    };
    assert_eq!(message("2025-11-22T07:59:00.000Z"), message("2025-11-21T07:59:00.000Z"));
}

#[test]
fn nothing_is_asked_or_heard_before_we_know_who_we_are() {
    let bot = stranger(settings());
    let arrival = read(&bot, &sample("own_message"));
    let failed = |recalled| matches!(recalled, Recalled::Failed(Delivery::Retry { .. }));
    assert!(failed(*look_up(&bot, &arrival).unwrap_err()));
    assert!(failed(recall(&bot, &sample("message_created_direct"), &sample("messages_get_direct"))));
    assert!(failed(bot.recall(&kept(&read(&bot, &sample("membership_created"))), None, 1, RECEIVED)));
}

#[test]
fn what_the_notification_leaves_out_the_message_says() {
    let bot = bot();
    let bare = br#"{"resource":"messages","event":"created","data":{"id":"m","roomId":"r"}}"#;
    assert_eq!(read(&bot, bare).fate, Fate::Hear);
    assert!(matches!(recall(&bot, bare, &sample("messages_get_own")), Recalled::Own { .. }));
    let by_bot = changed("messages_get_direct", |message| message["personEmail"] = json!("clock@webex.bot"));
    assert!(matches!(recall(&bot, bare, &by_bot), Recalled::Ignored(why) if why.contains("another bot")));
    let to_others = changed("messages_get_group_mention", |message| message["mentionedPeople"] = json!([ADA]));
    assert!(matches!(recall(&bot, bare, &to_others), Recalled::Ignored(why) if why.contains("mentions others")));
    let event = heard(recall(&bot, bare, &sample("messages_get_thread")));
    assert_eq!((event.text(), event.person.as_str()), (Some("and this week?"), ADA));
}

// ---- what was looked up ----

#[test]
fn a_message_of_our_own_brings_its_texts() {
    let found = changed("messages_get_own", |message| message["markdown"] = json!("**14.2** kWh today"));
    let texts = vec!["14.2 kWh today".to_owned(), "**14.2** kWh today".to_owned()];
    let message = json_of("messages_get_own")["id"].as_str().unwrap().to_owned();
    assert_eq!(recall(&bot(), &sample("own_message"), &found), Recalled::Own { message, texts });
}

#[test]
fn an_answer_goes_into_the_thread_if_there_is_one_or_threads_are_wanted() {
    let own_id = |name: &str| json_of(name)["data"]["id"].as_str().unwrap().to_owned();
    for (replies, notification, found, thread) in [
        (Replies::Room, "message_created_direct", "messages_get_direct", None),
        (Replies::Thread, "message_created_direct", "messages_get_direct", Some(own_id("message_created_direct"))),
        (Replies::Room, "message_created_thread_reply", "messages_get_thread", Some(THREAD.to_owned())),
        (Replies::Thread, "message_created_thread_reply", "messages_get_thread", Some(THREAD.to_owned())),
    ] {
        let bot = bot_with(Settings { replies, ..settings() });
        let event = heard(recall(&bot, &sample(notification), &sample(found)));
        assert_eq!(event.thread, thread, "{replies:?} {found}");
    }
}

#[test]
fn a_time_that_cannot_be_read_is_when_it_arrived() {
    let bot = bot();
    for (created, expected) in [
        (json!("2025-11-21T09:00:00.111+01:00"), 1_763_712_000_111),
        (json!("yesterday"), RECEIVED.0),
        (json!(7), RECEIVED.0),
        (json!("1960-01-01T00:00:00Z"), RECEIVED.0),
    ] {
        let found = changed("messages_get_direct", |message| message["created"] = created.clone());
        let event = heard(recall(&bot, &sample("message_created_direct"), &found));
        assert_eq!(event.happened, Moment(expected), "{created}");
    }
}

#[test]
fn odd_members_of_a_message_lose_nothing_else() {
    let event = |found: &str| heard(recall(&bot(), &sample("message_created_direct"), found.as_bytes()));
    assert_eq!(event(r#"{"id":"m","text":"ok \ud83d!"}"#).text(), Some("ok \u{FFFD}!"));
    for odd in ["1e999", "[1e999]", "{}", "null", "7", r#""\ud83d""#] {
        let found = format!(
            r#"{{"id":"m","files":{odd},"mentionedPeople":{odd},"inputs":{odd},"created":{odd},"roomType":{odd},"text":"b"}}"#
        );
        assert_eq!(event(&found).text(), Some("b"), "{odd}");
    }
    assert_eq!(event(r#"{"id":"m","text":null}"#).kind, event(r#"{"id":"m"}"#).kind);
}

#[test]
fn what_a_look_up_can_end_in() {
    let bot = bot();
    let look = |outcome: &Outcome| recalled(&bot, &sample("message_created_direct"), outcome);
    for (name, status, expected) in [
        ("error_400", 400, "dead"),
        ("error_401", 401, "locked"),
        ("error_403", 403, "dead"),
        ("error_404", 404, "ignored"),
        ("error_409_webhook_exists", 409, "dead"),
        ("error_423", 423, "conversation"),
        ("error_429", 429, "channel"),
        ("error_500", 500, "conversation"),
        ("error_502_not_json", 502, "conversation"),
    ] {
        let (word, why) = match look(&answered(status, &sample(name))) {
            Recalled::Ignored(why) => ("ignored", why),
            Recalled::Failed(delivery) => word(delivery),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(word, expected, "{name}: {why}");
        assert_words(&why, name);
    }
    for went_out in [true, false] {
        let fault = FetchFault { went_out, why: "connection reset".to_owned() };
        let Recalled::Failed(delivery) = look(&Outcome::Failed(fault)) else { panic!("{went_out}") };
        assert_eq!(word(delivery).0, "conversation", "a question may always be asked again");
    }
    for cut_off in [&b""[..], b"{\"id\":\"m\",\"te", b"<html>", b"[]", b"{}", b"{\"status\":\"maintenance\"}", b"\xff"]
    {
        let Recalled::Failed(delivery) = look(&answered(200, cut_off)) else { panic!("{cut_off:?}") };
        assert_eq!(word(delivery).0, "conversation", "{cut_off:?}");
    }
    let endless = vec![b' '; ackd::limits::ANSWER_BYTES_MAX];
    let Recalled::Failed(delivery) = look(&answered(200, &endless)) else { panic!("it was heard") };
    assert_eq!(word(delivery).0, "dead");
}

// ---- cards: what is tapped comes back ----

/// What comes back when action `number` of the card that `content` becomes is tapped.
fn tapped(content: Content, thread: Option<&str>, action: &str) -> Event {
    let bot = bot();
    let reply = Reply { content, thread: thread.map(str::to_owned), ..Reply::text(DIRECT, "") };
    let [reply] = bot.fit(reply).unwrap().try_into().unwrap();
    let body: Value = serde_json::from_slice(&bot.write(&reply, "tag").unwrap().body).unwrap();
    let data = body.pointer(&format!("/attachments/0/content{action}/data")).unwrap_or_else(|| panic!("{body}"));
    let found = changed("attachment_action_get", |found| found["inputs"] = data.clone());
    heard(recall(&bot, &sample("attachment_action"), &found))
}

#[test]
fn a_tapped_quick_reply_is_a_message_with_its_choice() {
    let quick_replies = vec![quick("Today", "SOLAR_TODAY"), quick("This week", "SOLAR_WEEK")];
    let event = tapped(Content::Text { text: "Which?".to_owned(), quick_replies }, None, "/actions/1");
    let choice = Some("SOLAR_WEEK".to_owned());
    let kind = EventKind::Message { text: Some("This week".to_owned()), attachments: Vec::new(), choice };
    assert_eq!((event.kind, event.thread, event.person.as_str()), (kind, None, ADA));
}

#[test]
fn a_tapped_button_is_a_postback_that_knows_its_thread() {
    let postback = Button::Postback { title: "Next".to_owned(), payload: "NEXT {\"a\":1}".to_owned() };
    let link = Button::Url { title: "Open".to_owned(), url: "https://example.com/".to_owned() };
    let buttons = vec![link, postback];
    let kind = EventKind::Postback {
        title: Some("Next".to_owned()),
        payload: Some("NEXT {\"a\":1}".to_owned()),
        referral: None,
    };
    let content = Content::Buttons { text: "What next?".to_owned(), buttons: buttons.clone() };
    let event = tapped(content, Some(THREAD), "/actions/1");
    assert_eq!((event.kind, event.thread.as_deref()), (kind.clone(), Some(THREAD)));
    let card = Card { title: "Roof".to_owned(), buttons, ..Card::default() };
    let event = tapped(Content::Gallery { cards: vec![card] }, None, "/body/0/items/1/actions/1");
    assert_eq!((event.kind, event.thread), (kind, None));
}

#[test]
fn a_thread_that_somebody_made_up_is_not_followed() {
    for (thread, followed) in [("t", Some("t")), ("", None), (&"t".repeat(513), None)] {
        let inputs = json!({ "ackd_choice": "button", "ackd_payload": "P", "ackd_thread": thread });
        let found = changed("attachment_action_get", |found| found["inputs"] = inputs);
        let event = heard(recall(&bot(), &sample("attachment_action"), &found));
        assert_eq!(event.thread.as_deref(), followed);
        let kind = EventKind::Postback { title: None, payload: Some("P".to_owned()), referral: None };
        assert_eq!(event.kind, kind);
    }
}

#[test]
fn what_is_filled_into_another_card_is_submitted() {
    let inputs = json!({ "ask": "week", "days": 7, "all": true, "more": { "a": [1] }, "ackd_choice": "other" });
    let found = changed("attachment_action_get", |found| found["inputs"] = inputs);
    let event = heard(recall(&bot(), &sample("attachment_action"), &found));
    let expected = [("ackd_choice", "other"), ("all", "true"), ("ask", "week"), ("days", "7"), ("more", "{\"a\":[1]}")];
    let inputs = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    assert_eq!(event.kind, EventKind::Submitted { inputs });
}

// ---- what goes out ----

fn quick(title: &str, payload: &str) -> QuickReply {
    QuickReply { title: title.to_owned(), payload: payload.to_owned() }
}

/// The reply that a `messages_post_*_request.json` says.
fn reply_of(name: &str) -> Reply {
    let today = "14.2 kWh today";
    match name {
        "messages_post" => Reply::text(DIRECT, today),
        "messages_post_to_email" => Reply::text("ada@example.com", today),
        "messages_post_markdown" => {
            let content = Content::Rich { markdown: "**14.2 kWh** today".to_owned(), plain: String::new() };
            Reply { thread: Some(THREAD.to_owned()), content, ..Reply::text(GROUP, "") }
        }
        "messages_post_card" => {
            let buttons = vec![Button::Postback { title: "This week".to_owned(), payload: "week".to_owned() }];
            Reply {
                content: Content::Buttons { text: "Which figures?".to_owned(), buttons },
                ..Reply::text(DIRECT, "")
            }
        }
        other => panic!("{other}: say what reply this is"),
    }
}

#[test]
fn every_request_is_written_as_its_sample() {
    let bot = bot();
    let names: Vec<_> =
        names().into_iter().filter(|name| name.starts_with("messages_post") && name.ends_with("_request")).collect();
    assert_eq!(names.len(), 4);
    for name in names {
        let mut sample = json_of(&name);
        if let Some(card) = sample.pointer_mut("/attachments/0/content") {
            // Ours shows its whole text, in every client, and its data names our choice.
            card["body"][0]["wrap"] = json!(true);
            card["actions"][0]["data"] =
                json!({ "ackd_choice": "button", "ackd_title": "This week", "ackd_payload": "week" });
            sample["text"] = json!("Which figures?");
        }
        let [reply] = bot.fit(reply_of(name.trim_end_matches("_request"))).unwrap().try_into().unwrap();
        let request = bot.write(&reply, "ackd:1").unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), sample, "{name}");
        assert_eq!((request.method, request.content_type), (Method::Post, "application/json"));
        assert_eq!((request.url.as_str(), request.secret_query), ("https://webexapis.com/v1/messages", None));
        assert_eq!(request.bearer, Some(Secret::new(TOKEN)));
    }
}

#[test]
fn a_reply_goes_to_a_room_a_person_or_an_address() {
    let bot = stranger(Settings { api: "http://127.0.0.1:1/v1/".to_owned(), ..settings() });
    for (to, member) in [(DIRECT, "roomId"), (ADA, "toPersonId"), ("ada@example.com", "toPersonEmail")] {
        let request = bot.write(&Reply::text(to, "hi"), "").unwrap();
        assert_eq!(request.url, "http://127.0.0.1:1/v1/messages");
        assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), json!({ member: to, "text": "hi" }));
    }
    assert!(bot.write(&Reply::text("", "hi"), "").is_err());
}

fn said(content: Content) -> Vec<Value> {
    let bot = bot();
    let reply = Reply { content, ..Reply::text(DIRECT, "") };
    let parts = bot.fit(reply).unwrap();
    parts.iter().map(|part| serde_json::from_slice(&bot.write(part, "").unwrap().body).unwrap()).collect()
}

#[test]
fn long_text_arrives_whole_in_messages_of_7439_bytes() {
    let long = "sun ☀️ and 👍🏽 and 👨‍👩‍👧. ".repeat(500);
    let parts: Vec<String> = said(Content::Text { text: long.clone(), quick_replies: Vec::new() })
        .iter()
        .map(|body| body["text"].as_str().unwrap().to_owned())
        .collect();
    assert!(parts.len() > 2 && parts.iter().all(|part| part.len() <= 7439), "{}", parts.len());
    assert_eq!(parts.concat(), long);
}

#[test]
fn files_go_by_url_and_a_courtesy_goes_nowhere() {
    let url = "https://example.com/chart.png".to_owned();
    for content in [Content::Image { url: url.clone() }, Content::File { url: url.clone() }] {
        assert_eq!(said(content), [json!({ "roomId": DIRECT, "files": [url] })]);
    }
    assert_eq!(said(Content::Courtesy(CourtesyAct::TypingOn)), [Value::Null; 0]);
    let content = Content::Rich { markdown: "**a**".to_owned(), plain: "a".to_owned() };
    assert_eq!(said(content), [json!({ "roomId": DIRECT, "markdown": "**a**", "text": "a" })]);
}

#[test]
fn a_gallery_is_one_card_with_a_text_beside_it() {
    let roof = Card {
        title: "Roof".to_owned(),
        subtitle: Some("14.2 kWh".to_owned()),
        image_url: Some("https://example.com/roof.png".to_owned()),
        url: Some("https://example.com/roof".to_owned()),
        buttons: vec![Button::Url { title: "Open".to_owned(), url: "https://example.com/".to_owned() }],
    };
    let barn = Card { title: "Barn".to_owned(), ..Card::default() };
    let [body] = said(Content::Gallery { cards: vec![roof, barn] }).try_into().unwrap();
    assert_eq!(body["text"], "Roof\n14.2 kWh\nhttps://example.com/roof\n\nBarn");
    let card = &body["attachments"][0]["content"];
    assert_eq!((&card["type"], &card["version"], card.get("actions")), (&json!("AdaptiveCard"), &json!("1.2"), None));
    let open = |title: &str, url: &str| json!({ "type": "Action.OpenUrl", "title": title, "url": url });
    let items = json!([
        { "type": "Image", "url": "https://example.com/roof.png", "altText": "Roof" },
        { "type": "TextBlock", "text": "Roof", "weight": "bolder", "wrap": true },
        { "type": "TextBlock", "text": "14.2 kWh", "isSubtle": true, "wrap": true },
        { "type": "ActionSet", "actions": [open("Open", "https://example.com/")] },
    ]);
    let select = open("Roof", "https://example.com/roof");
    let roof = json!({ "type": "Container", "separator": true, "items": items, "selectAction": select });
    assert_eq!(card["body"][0], roof);
    assert_eq!(card["body"].as_array().unwrap().len(), 2);
    let long = Card { title: "Roof".to_owned(), subtitle: Some("ä".repeat(5000)), ..Card::default() };
    let [body] = said(Content::Gallery { cards: vec![long] }).try_into().unwrap();
    let text = body["text"].as_str().unwrap();
    assert!(text.len() <= 7439 && text.ends_with("ää…"), "{}", text.len());
}

// ---- what is judged ----

/// A delivery in one word, with its reason.
fn word(delivery: Delivery) -> (&'static str, String) {
    match delivery {
        Delivery::Delivered { .. } => ("delivered", String::new()),
        Delivery::Retry { extent: Extent::Channel, why, maybe_said: false, .. } => ("channel", why),
        Delivery::Retry { maybe_said: true, extent: Extent::Conversation, why, .. } => ("maybe", why),
        Delivery::Retry { extent: Extent::Conversation, why, .. } => ("conversation", why),
        Delivery::Locked { why } => ("locked", why),
        Delivery::Unknown { why } => ("unknown", why),
        Delivery::Dead { why } => ("dead", why),
        Delivery::Gone { why } => ("gone", why),
        Delivery::Outside { why } => ("outside", why),
        other @ Delivery::Retry { .. } => panic!("{other:?}"),
    }
}

/// Whether `why` repeats the words and the trackingId of the error sample `name`.
fn assert_words(why: &str, name: &str) {
    let sample = json_of(name);
    if name != "error_502_not_json" {
        for words in [sample["message"].as_str().unwrap(), sample["trackingId"].as_str().unwrap()] {
            assert!(why.contains(words), "{name}: {why}");
        }
    }
}

#[test]
fn every_error_is_judged_as_the_table_says() {
    let bot = bot();
    let expected = [
        ("error_400", 400, "dead"),
        ("error_401", 401, "locked"),
        ("error_403", 403, "dead"),
        ("error_404", 404, "dead"),
        ("error_409_webhook_exists", 409, "dead"),
        ("error_423", 423, "conversation"),
        ("error_429", 429, "channel"),
        ("error_500", 500, "maybe"),
        ("error_502_not_json", 502, "maybe"),
    ];
    assert_eq!(names().iter().filter(|name| name.starts_with("error_")).count(), expected.len());
    for (name, status, expected) in expected {
        let body = match json_of(name)["body"].as_str() {
            Some(html) => html.as_bytes().to_vec(),
            None => sample(name),
        };
        let (word, why) = word(bot.judge(&answered(status, &body), 1, RECEIVED));
        assert_eq!(word, expected, "{name}: {why}");
        assert!(why.starts_with(&format!("HTTP {status}")), "{why}");
        assert_eq!(why.contains("a value that we sent; is the room's id right?"), status == 400, "{why}");
        assert_words(&why, name);
    }
}

#[test]
fn any_status_has_a_meaning() {
    let bot = bot();
    for (status, body, expected) in [
        (200, "{\"id\":\"m\"}", "delivered"),
        (200, "{\"id\":\"\"}", "unknown"),
        (200, "{}", "unknown"),
        (200, "{\"id\":\"m", "unknown"),
        (204, "", "unknown"),
        (302, "", "dead"),
        (405, "", "dead"),
        (410, "", "dead"),
        (415, "", "dead"),
        (428, "", "dead"),
        (500, "", "maybe"),
        (503, "<html>", "maybe"),
        (504, "{\"message\":7}", "maybe"),
        (599, "null", "maybe"),
    ] {
        assert_eq!(word(bot.judge(&answered(status, body.as_bytes()), 1, RECEIVED)).0, expected, "{status} {body}");
    }
    for (went_out, expected) in [(true, "unknown"), (false, "conversation")] {
        let fault = FetchFault { went_out, why: format!("reset of {TOKEN}") };
        let (word, why) = word(bot.judge(&Outcome::Failed(fault), 1, RECEIVED));
        assert_eq!((word, why.as_str()), (expected, "reset of ***"));
    }
}

#[test]
fn a_success_names_the_message() {
    let delivery = bot().judge(&answered(200, &sample("messages_post_response")), 1, RECEIVED);
    let message_id = json_of("messages_post_response")["id"].as_str().map(str::to_owned);
    assert_eq!(delivery, Delivery::Delivered { message_id });
}

#[test]
fn a_limit_waits_as_long_as_it_says_or_fifteen_seconds() {
    let bot = bot();
    let seconds = Duration::from_secs;
    for (retry_after, limited, locked) in [
        (None, seconds(15), None),
        (Some("3"), seconds(3), Some(seconds(3))),
        (Some("0"), seconds(1), Some(seconds(0))),
        (Some("soon"), seconds(15), None),
        (Some("-5"), seconds(15), None),
        (Some("99999999999999999999"), UPSTREAM_WAIT_MAX, Some(UPSTREAM_WAIT_MAX)),
        (Some("Fri, 21 Nov 2025 08:01:09 GMT"), seconds(60), Some(seconds(60))),
    ] {
        let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned())).into_iter().collect();
        let answer = |status, name| Answer { status, headers: Vec::clone(&headers), body: sample(name) };
        let after = |answer: Answer| {
            let outcome = Outcome::Answered(answer);
            let Delivery::Retry { after, .. } = bot.judge(&outcome, 1, RECEIVED) else { panic!("{retry_after:?}") };
            let found = recalled(&bot, &sample("message_created_direct"), &outcome);
            let Recalled::Failed(Delivery::Retry { after: asked, .. }) = found else { panic!("{found:?}") };
            assert_eq!(after, asked, "a question waits as long as a message");
            after
        };
        assert_eq!(after(answer(429, "error_429")), Some(limited), "{retry_after:?}");
        assert_eq!(after(answer(423, "error_423")), locked, "{retry_after:?}");
        assert_eq!(after(answer(503, "error_500")), locked, "{retry_after:?}");
    }
}

#[test]
fn an_error_says_what_it_is_and_repeats_no_word() {
    let why = |status, name| word(bot().judge(&answered(status, &sample(name)), 1, RECEIVED)).1;
    let advice = "the room or its organization does not allow it; is the bot still in the room?";
    assert_eq!(
        why(403, "error_403"),
        format!(
            "HTTP 403: {advice} (trackingId ROUTER_BF1EE182-0E90-54CF-9B2D-A5182C3FF2EB; Webex says: The user has no \
             permission to perform this action in the room.)"
        )
    );
    assert_eq!(
        why(423, "error_423"),
        "HTTP 423 (trackingId ROUTER_0185EAC7-0A92-5BF3-8507-EC4402C4157A; Webex says: The requested resource is \
         temporarily unavailable. locked: attachment is being scanned)"
    );
}

#[test]
fn the_tracking_id_is_in_the_body_or_in_a_header() {
    let headers = vec![("trackingid".to_owned(), "ROUTER_1".to_owned())];
    let answer = Answer { status: 502, headers, body: b"<html>".to_vec() };
    let (_, why) = word(bot().judge(&Outcome::Answered(answer), 1, RECEIVED));
    assert_eq!(why, "HTTP 502 (trackingId ROUTER_1)");
}

#[test]
fn no_words_repeat_a_secret_or_run_on() {
    let message = format!("token {TOKEN} and {SECRET}\n{}", "é".repeat(2000));
    let body = json!({ "message": message, "trackingId": TOKEN }).to_string();
    let (_, why) = word(bot().judge(&answered(401, body.as_bytes()), 1, RECEIVED));
    assert!(!why.contains(TOKEN) && !why.contains(SECRET) && !why.contains('\n'), "{why}");
    assert!(why.contains("make a new one and restart") && why.len() <= ackd::limits::WORDS_BYTES_MAX, "{why}");
}

// ---- who we are ----

fn me() -> Account {
    bot().introduced(&answered(200, &sample("people_me")), RECEIVED).unwrap()
}

#[test]
fn a_bot_asks_who_it_is_and_remembers_it() {
    let bot = stranger(settings());
    let question = bot.introduction().unwrap();
    assert_eq!((question.method, question.url.as_str()), (Method::Get, "https://webexapis.com/v1/people/me"));
    assert_eq!(question.bearer, Some(Secret::new(TOKEN)));
    let account = me();
    assert_eq!((account.id.as_str(), account.name.as_str()), (BOT, "Solar"));
    // The first 16 digits of the token's SHA-256; they stay in the store, so they must not change.
    let digest = ring::digest::digest(&ring::digest::SHA256, TOKEN.as_bytes());
    let hex: String = digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(account.token_mark, hex);
    bot.meet(Account { token_mark: "0".repeat(16), ..account.clone() });
    assert!(!bot.is_introduced(), "what was learnt with another token counts for nothing");
    bot.meet(Account { id: String::new(), ..account.clone() });
    assert!(!bot.is_introduced());
    bot.meet(account);
    assert!(bot.is_introduced());
    let person = bot.introduced(&answered(200, &sample("people_me_person")), RECEIVED).unwrap();
    assert_eq!(person.name, "Ada Example", "a person's token will do for trying out");
}

#[test]
fn who_cannot_be_introduced_now_is_asked_again() {
    let bot = stranger(settings());
    let introduced = |outcome: &Outcome| word(*bot.introduced(outcome, RECEIVED).unwrap_err()).0;
    for (status, body, expected) in [
        (401, &sample("error_401")[..], "locked"),
        (403, &sample("error_403"), "locked"),
        (404, b"", "locked"),
        (302, b"", "locked"),
        (429, b"", "channel"),
        (500, b"", "conversation"),
        (200, b"<html>", "conversation"),
        (200, b"{\"displayName\":\"Solar\"}", "conversation"),
    ] {
        assert_eq!(introduced(&answered(status, body)), expected, "{status}");
    }
    for went_out in [true, false] {
        let fault = FetchFault { went_out, why: "connection reset".to_owned() };
        assert_eq!(introduced(&Outcome::Failed(fault)), "conversation");
    }
}

#[test]
fn a_greeting_is_what_the_settings_say() {
    assert_eq!(bot().greeting(), None);
    assert_eq!(bot_with(Settings { greeting: Some("Hello!".to_owned()), ..settings() }).greeting(), Some("Hello!"));
}
