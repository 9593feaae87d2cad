//! The twins against the samples, against their own rules, and over real sockets.
//!
//! The Messenger twin shares no code with `platform/messenger`; here they meet: what the one signs the other reads.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

#[path = "shared/head.rs"]
mod head;

use ackd::model::{Method, Moment, Request, Response, Secret};
use ackd::platform::messenger::{Messenger as OurSide, Settings as OurSettings};
use ackd::platform::{Platform, Reading};
use ackd::twin::messenger::{Failure, Messenger, Settings};
use ackd::twin::{Act, Bubble, Dispatch, End, House, Plan, Server, Side, Twin};
use head::head;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const APP_SECRET: &str = "5f2d0c1b9a8e7f6d5c4b3a2918070605";
const TOKEN: &str = "EAAG0pageTOKEN";
const ADA: &str = "7012345678901234";
const NOON: Moment = Moment(1_763_712_000_000);
const PATIENCE: Duration = Duration::from_secs(30);

fn sample(name: &str) -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let read = |folder: &str| std::fs::read(fixtures.join(folder).join(name));
    read("messenger").or_else(|_| read("twins")).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn json_sample(name: &str) -> Value {
    serde_json::from_slice(&sample(name)).unwrap()
}

fn settings() -> Settings {
    let webhook = "http://127.0.0.1:9/messenger".to_owned();
    Settings::new(webhook, Secret::new(APP_SECRET), Secret::new("sün & sun+1"), Secret::new(TOKEN))
}

/// A page to which Ada has just written.
fn page() -> Messenger {
    page_of(settings())
}

fn page_of(settings: Settings) -> Messenger {
    let mut page = Messenger::new(settings);
    page.act(&say("hello"), NOON).unwrap();
    page
}

fn say(text: &str) -> Act {
    Act::Say { conversation: ADA.to_owned(), text: text.to_owned(), mentions: true }
}

fn tap(bubble: &str, choice: usize) -> Act {
    Act::Tap { conversation: ADA.to_owned(), bubble: bubble.to_owned(), choice }
}

fn request(method: Method, target: &str, fields: &[(&str, &str)], body: &[u8]) -> Request {
    Request { head: head(method, target, fields), body: body.to_vec() }
}

/// What a page says to a call by the owner of its token.
fn called(page: &mut Messenger, method: Method, target: &str, body: &Value, now: Moment) -> (Response, Vec<Dispatch>) {
    let bearer = format!("Bearer {TOKEN}");
    let fields = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let reaction = page.answer(&request(method, target, &fields, &body), now);
    (reaction.response, reaction.dispatches)
}

fn sends(page: &mut Messenger, body: &Value) -> (u16, Value, Vec<Dispatch>) {
    let (response, dispatches) = called(page, Method::Post, "/me/messages", body, NOON);
    (response.status, serde_json::from_slice(&response.body).unwrap(), dispatches)
}

/// The message that a send made.
fn message_id(page: &mut Messenger, body: &Value) -> String {
    let (status, answer, _) = sends(page, body);
    assert_eq!(status, 200, "{answer}");
    answer["message_id"].as_str().unwrap().to_owned()
}

fn text_to(to: &str, text: &str) -> Value {
    json!({ "recipient": { "id": to }, "messaging_type": "RESPONSE", "message": { "text": text } })
}

/// A text to Ada, where the members of `instead` stand for those of the call: a null takes one away.
fn with(instead: Value) -> Value {
    let mut body = text_to(ADA, "hi");
    for (name, value) in instead.as_object().unwrap() {
        let members = body.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name)
        } else {
            members.insert(name.clone(), value.clone())
        };
    }
    body
}

/// Code and subcode of a refusal.
fn code(answer: &Value) -> (u64, u64) {
    let error = &answer["error"];
    (error["code"].as_u64().unwrap_or_default(), error["error_subcode"].as_u64().unwrap_or_default())
}

/// Bytes of a delivery with its ids and times made equal: `m_…` becomes MID, a number of 13 digits TIME.
fn likened(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = rest.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(rest.len());
        let taken = if digits == 13 {
            out.push_str("TIME");
            13
        } else if digits > 0 {
            out.push_str(&rest[..digits]);
            digits
        } else if rest.starts_with("\"m_") {
            out.push_str("\"MID\"");
            2 + rest[1..].find('"').unwrap()
        } else {
            out.push(first);
            first.len_utf8()
        };
        rest = &rest[taken..];
    }
    out
}

// ---- what the page tells ----

#[test]
fn what_people_do_is_told_byte_for_byte_as_meta_tells_it() {
    let mut page = page();
    let quick = message_id(&mut page, &json_sample("send_quick_replies_request.json"));
    let buttons = message_id(&mut page, &json_sample("send_buttons_request.json"));
    let show = |url: &str| Act::Show { conversation: ADA.to_owned(), url: url.to_owned() };
    let url = |name: &str| {
        let url = json_sample(name)["entry"][0]["messaging"][0]["message"]["attachments"][0]["payload"]["url"].clone();
        show(url.as_str().unwrap())
    };
    let thread = Act::SayInThread { conversation: ADA.to_owned(), thread: quick.clone(), text: "that one".to_owned() };
    for (name, act) in [
        ("text.json", say("hello")),
        ("text_umlauts.json", say("äöå")),
        ("text_slashes.json", say("see https://example.com/a?b=1&c=2")),
        ("emoji.json", say("sun ☀️ and 👍🏽 and 👨‍👩‍👧")),
        ("quick_reply.json", tap(&quick, 1)),
        ("postback.json", tap(&buttons, 0)),
        ("reply_to.json", thread),
        ("attachment_image.json", url("attachment_image.json")),
        ("attachment_audio.json", url("attachment_audio.json")),
        ("attachment_video.json", url("attachment_video.json")),
        ("attachment_file.json", url("attachment_file.json")),
    ] {
        let dispatches = page.act(&act, NOON).unwrap();
        let [dispatch] = dispatches.as_slice() else { panic!("{name}: {dispatches:?}") };
        assert_eq!(likened(&dispatch.body), likened(&sample(name)), "{name}");
        assert_eq!((dispatch.method, dispatch.attempt, dispatch.due), (Method::Post, 1, NOON));
    }
    let batch = page.batch(&[say("one"), say("two")], NOON).unwrap();
    assert_eq!(likened(&batch[0].body), likened(&sample("batch_two_messaging.json")));
    assert_eq!(batch.len(), 1);
}

#[test]
fn what_the_page_says_comes_back_as_echo_delivery_and_read() {
    let mut page = page();
    let mut text = json_sample("send_text_request.json");
    text["message"]["text"] = json!("hello");
    let (_, answer, dispatches) = sends(&mut page, &text);
    let [echo, delivery, read] = dispatches.as_slice() else { panic!("{dispatches:?}") };
    for (dispatch, name) in [(echo, "echo.json"), (delivery, "delivery.json"), (read, "read.json")] {
        assert_eq!(likened(&dispatch.body), likened(&sample(name)), "{name}");
    }
    assert!(echo.due < delivery.due && delivery.due < read.due);
    let mid = answer["message_id"].as_str().unwrap();
    assert!([echo, delivery].iter().all(|told| String::from_utf8_lossy(&told.body).contains(mid)));

    let (.., dispatches) = sends(&mut page, &json_sample("send_gallery_request.json"));
    let told: Value = serde_json::from_slice(&dispatches[0].body).unwrap();
    assert_eq!(shape(&told), shape(&json_sample("echo_template.json")));
}

/// Names and kinds of a value, with lists told by their first item.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => Value::Array(items.iter().take(1).map(shape).collect()),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!(0),
        other => other.clone(),
    }
}

#[test]
fn our_own_platform_reads_what_the_twin_signs_and_nothing_else() {
    let ours =
        OurSide::new(OurSettings::new(Secret::new("sün & sun+1"), vec![Secret::new(APP_SECRET)], Secret::new(TOKEN)));
    let mut page = page();
    let dispatch = page.batch(&[say("grüße/👍"), say("two")], NOON).unwrap().remove(0);
    let signed = |body: &[u8]| {
        let fields: Vec<_> = dispatch.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        ours.read(&request(Method::Post, "/messenger", &fields, body))
    };
    let Ok(Reading::Events { arrivals, .. }) = signed(&dispatch.body) else { panic!() };
    assert_eq!(arrivals.iter().map(|event| &*event.conversation).collect::<Vec<_>>(), [ADA, ADA]);
    assert_ne!(arrivals[0].id, arrivals[1].id);
    let mut forged = dispatch.body.clone();
    *forged.last_mut().unwrap() = b' ';
    assert_eq!(signed(&forged).unwrap_err().status, 401);

    let asked = page.verify(NOON).unwrap();
    let target = asked.url.strip_prefix("http://127.0.0.1:9").unwrap();
    let Ok(Reading::Answer(answer)) = ours.read(&request(Method::Get, target, &[], b"")) else { panic!() };
    let end = |body: &[u8]| End::Answered { status: 200, body: body.to_vec(), took: Duration::ZERO };
    assert!(page.is_satisfied(&asked, &end(&answer.body)));
    assert!(!page.is_satisfied(&asked, &end(b"1")), "the challenge is the whole body");
}

#[test]
fn only_what_the_app_is_subscribed_to_is_told() {
    let mut page = page_of(Settings { fields: vec!["messaging_postbacks".to_owned()], ..settings() });
    assert_eq!(page.act(&say("hello"), NOON), Ok(Vec::new()));
    let buttons = message_id(&mut page, &json_sample("send_buttons_request.json"));
    assert_eq!(page.act(&tap(&buttons, 0), NOON).unwrap().len(), 1);
    assert_eq!(page.act(&tap(&buttons, 1), NOON), Ok(Vec::new()), "a link tells nobody");
}

#[test]
fn what_nobody_can_do_is_refused_in_words() {
    let mut page = page();
    let strange = Act::Say { conversation: "1".to_owned(), text: "x".to_owned(), mentions: true };
    let thread = Act::SayInThread { conversation: ADA.to_owned(), thread: "m_1".to_owned(), text: "x".to_owned() };
    for (act, words) in [
        (strange, "\"1\" is nobody here; write one of 7012345678901234, 6998877665544332"),
        (say(""), "write something"),
        (say(&"x".repeat(20_001)), "more than 20000 characters"),
        (thread, "no message of this conversation"),
        (tap("m_1", 0), "offers no choice 0"),
    ] {
        let why = page.act(&act, NOON).unwrap_err();
        assert!(why.contains(words), "{why}");
    }
    let many = vec![say("x"); 1001];
    assert!(page.batch(&many, NOON).unwrap_err().contains("at most 1000"));
}

// ---- what it takes ----

#[test]
fn every_call_of_the_samples_is_taken_and_answered_like_the_samples() {
    let mut page = page();
    let mut count = 0;
    for (name, target, answer) in [
        ("send_text_request.json", "/me/messages", "send_message_response.json"),
        ("send_quick_replies_request.json", "/104455667788990/messages", "send_message_response.json"),
        ("send_gallery_request.json", "/v25.0/me/messages", "send_message_response.json"),
        ("send_buttons_request.json", "/me/messages", "send_message_response.json"),
        ("send_image_request.json", "/me/messages", "send_image_response.json"),
        ("send_utility_template_request.json", "/me/messages", "send_message_response.json"),
        ("send_typing_on_request.json", "/me/messages", "send_sender_action_response.json"),
        ("send_mark_seen_request.json", "/me/messages", "send_sender_action_response.json"),
        ("profile_set_request.json", "/me/messenger_profile", "profile_set_response.json"),
    ] {
        let (response, _) = called(&mut page, Method::Post, target, &json_sample(name), NOON);
        let said: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(response.status, 200, "{name}: {said}");
        assert_eq!(shape(&said), shape(&json_sample(answer)), "{name}");
        count += 1;
    }
    let folder = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap())
    };
    let names = folder("messenger").chain(folder("twins"));
    assert_eq!(names.filter(|name| name.ends_with("_request.json")).count(), count, "a sample is not tried");
}

#[test]
fn a_refusal_is_the_samples_own() {
    let mut page = page();
    let expired = page.mishap(ackd::twin::Mishap::TokenExpired, NOON);
    let busy = page.mishap(ackd::twin::Mishap::Busy { left: Duration::from_secs(3) }, NOON);
    let broken = page.mishap(ackd::twin::Mishap::Broken, NOON);
    let bearer = [("Authorization", "Bearer guess"), ("Content-Type", "application/json")];
    let body = text_to(ADA, "x").to_string();
    let guessed = page.answer(&request(Method::Post, "/me/messages", &bearer, body.as_bytes()), NOON).response;
    let mut send = |body: &Value| called(&mut page, Method::Post, "/me/messages", body, NOON).0;
    let tagged = with(json!({ "messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE" }));
    let mut refusals = vec![
        ("error_190_463_expired.json", expired),
        ("error_613_rate.json", busy),
        ("error_2_service.json", broken),
        ("error_190_bad_token.json", guessed),
        ("error_100_2018001_no_user.json", send(&text_to("1", "x"))),
        ("error_100_param.json", send(&text_to("someone", "x"))),
        ("error_100_text_too_long.json", send(&text_to(ADA, &"x".repeat(2001)))),
        ("error_100_dead_tag.json", send(&tagged)),
        ("error_10_2018278_window.json", send(&text_to("6998877665544332", "x"))),
    ];
    for (failure, name) in [
        (Failure::Temporary, "error_1200_temporary.json"),
        (Failure::Unavailable, "error_551_unavailable.json"),
        (Failure::Rate, "error_613_rate.json"),
        (Failure::Service, "error_2_service.json"),
    ] {
        page.fail_next(failure);
        refusals.push((name, called(&mut page, Method::Post, "/me/messages", &text_to(ADA, "x"), NOON).0));
    }
    for (name, response) in refusals {
        let (mut said, mut expected): (Value, Value) =
            (serde_json::from_slice(&response.body).unwrap(), json_sample(name));
        let trace = said["error"]["fbtrace_id"].take();
        expected["error"]["fbtrace_id"].take();
        assert_eq!(said, expected, "{name}");
        assert!(trace.as_str().is_some_and(|trace| trace.starts_with('A') && trace.len() == 23), "{trace}");
        assert_eq!(response.status, if name == "error_2_service.json" { 500 } else { 400 }, "{name}");
    }
}

#[test]
fn each_rule_of_the_send_api_refuses_with_its_code() {
    let mut page = page();
    let message = |message: Value| with(json!({ "message": message }));
    let quick = |quick: Value| message(json!({ "text": "x", "quick_replies": quick }));
    let reply = |title: &str, payload: &str| json!({ "content_type": "text", "title": title, "payload": payload });
    let template = |payload: Value| message(json!({ "attachment": { "type": "template", "payload": payload } }));
    let generic = |elements: Value| template(json!({ "template_type": "generic", "elements": elements }));
    let card = |title: &str| json!({ "title": title, "subtitle": "s" });
    let buttons = |buttons: Value| template(json!({ "template_type": "button", "text": "x", "buttons": buttons }));
    let postback = |title: &str| json!({ "type": "postback", "title": title, "payload": "p" });
    let long = |count: usize| "x".repeat(count);
    let param = (100, 0);
    for (body, expected) in [
        (with(json!({ "recipient": null })), param),
        (with(json!({ "recipient": { "name": "Ada" } })), param),
        (with(json!({ "messaging_type": null })), param),
        (with(json!({ "messaging_type": "REPLY" })), param),
        (with(json!({ "messaging_type": "MESSAGE_TAG" })), param),
        (with(json!({ "messaging_type": "MESSAGE_TAG", "tag": "CUSTOMER_FEEDBACK" })), param),
        (with(json!({ "messaging_type": "UTILITY" })), param),
        (with(json!({ "notification_type": "LOUD" })), param),
        (with(json!({ "reply_to": {} })), param),
        (with(json!({ "message": null })), param),
        (with(json!({ "sender_action": "typing_on" })), param),
        (with(json!({ "message": null, "sender_action": "dance" })), param),
        (message(json!({})), (100, 2_018_034)),
        (message(json!({ "text": "" })), (100, 2_018_034)),
        (message(json!({ "text": 7 })), param),
        (message(json!({ "text": "👍".repeat(1001) })), param),
        (message(json!({ "text": "x", "metadata": long(1000) })), param),
        (message(json!({ "template": { "name": "a", "language": { "code": "en" } } })), param),
        (message(json!({ "attachment": { "type": "picture", "payload": {} } })), param),
        (message(json!({ "attachment": { "type": "image", "payload": {} } })), param),
        (message(json!({ "attachment": { "type": "image", "payload": { "url": "chart.png" } } })), param),
        (quick(json!(vec![reply("a", "b"); 14])), param),
        (quick(json!([reply(&long(21), "b")])), param),
        (quick(json!([reply("a", &long(1001))])), param),
        (quick(json!([{ "content_type": "text", "title": "a" }])), param),
        (quick(json!([{ "content_type": "location" }])), param),
        (generic(json!([])), param),
        (generic(json!(vec![card("a"); 11])), param),
        (generic(json!([card(&long(81))])), param),
        (generic(json!([card("")])), param),
        (generic(json!([{ "title": "alone" }])), param),
        (generic(json!([{ "title": "a", "subtitle": null }])), param),
        (generic(json!([{ "title": "a", "buttons": vec![postback("b"); 4] }])), param),
        (
            generic(
                json!([{ "title": "a", "default_action": { "type": "web_url", "url": "https://a", "title": "b" } }]),
            ),
            param,
        ),
        (buttons(json!([])), param),
        (buttons(json!([postback(&long(21))])), param),
        (buttons(json!([{ "type": "postback", "title": "a" }])), param),
        (buttons(json!([{ "type": "web_url", "title": "a" }])), param),
        (buttons(json!([{ "type": "element_share" }])), param),
        (buttons(json!([{ "type": "phone_number", "title": "a", "payload": "0800" }])), param),
        (template(json!({ "template_type": "button", "text": long(641), "buttons": [postback("a")] })), param),
        (template(json!({ "template_type": "list", "elements": [card("a"), card("b")] })), param),
    ] {
        let (status, answer, dispatches) = sends(&mut page, &body);
        assert_eq!((status, code(&answer)), (400, expected), "{body}: {answer}");
        assert_eq!(dispatches, [], "{body}");
    }
    let edges = [
        message(json!({ "text": long(2000), "metadata": long(999) })),
        message(json!({ "text": "👍".repeat(1000) })),
        quick(json!(vec![reply(&long(20), &long(1000)); 13])),
        generic(json!(vec![card(&long(80)); 10])),
        buttons(json!(vec![postback(&long(20)); 3])),
        with(json!({ "messaging_type": "UPDATE", "notification_type": "NO_PUSH" })),
        with(json!({ "recipient": { "id": 7_012_345_678_901_234_u64 } })),
    ];
    for body in edges {
        let (status, answer, _) = sends(&mut page, &body);
        assert_eq!(status, 200, "{body}: {answer}");
    }
}

#[test]
fn the_window_closes_a_day_after_the_persons_last_act_and_any_tap_opens_it() {
    let mut page = page();
    let buttons = message_id(&mut page, &json_sample("send_buttons_request.json"));
    let hours = |hours: u64| NOON.after(Duration::from_secs(hours * 3600));
    let sent_at = |page: &mut Messenger, body: &Value, now: Moment| {
        let (response, _) = called(page, Method::Post, "/me/messages", body, now);
        code(&serde_json::from_slice(&response.body).unwrap())
    };
    let window = (10, 2_018_278);
    let human = with(json!({ "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT" }));
    let utility = json_sample("send_utility_template_request.json");
    assert_eq!(sent_at(&mut page, &text_to(ADA, "x"), hours(24)), (0, 0));
    assert_eq!(sent_at(&mut page, &text_to(ADA, "x"), hours(25)), window);
    assert_eq!(sent_at(&mut page, &human, hours(25)), (0, 0));
    assert_eq!(sent_at(&mut page, &human, hours(8 * 24)), window);
    assert_eq!(sent_at(&mut page, &utility, hours(8 * 24)), (0, 0));
    page.act(&tap(&buttons, 0), hours(30)).unwrap();
    assert_eq!(sent_at(&mut page, &text_to(ADA, "x"), hours(54)), (0, 0));
}

#[test]
fn a_token_counts_in_header_query_form_and_json_and_a_wrong_proof_never() {
    let mut page = page();
    let json = [("Content-Type", "application/json")];
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = text_to(ADA, "x").to_string();
    let query = format!("/me/messages?access_token={TOKEN}");
    let in_json = with(json!({ "access_token": TOKEN })).to_string();
    let in_form = format!(
        "access_token={TOKEN}&messaging_type=RESPONSE&recipient=%7B%22id%22:%22{ADA}%22%7D&message=%7B%22text%22%3A%22a+b%22%7D"
    );
    let mut status = |target: &str, fields: &[(&str, &str)], body: &str| {
        page.answer(&request(Method::Post, target, fields, body.as_bytes()), NOON).response.status
    };
    assert_eq!(status(&query, &json, &body), 200);
    assert_eq!(status("/me/messages", &json, &in_json), 200);
    assert_eq!(status("/me/messages", &form, &in_form), 200);
    assert_eq!(status("/me/messages", &json, &body), 400);
    assert_eq!(status("/me/messages?access_token=", &json, &body), 400);
    // signatures.json: the plain form of the proof, here over this token.
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, APP_SECRET.as_bytes());
    let proof = |message: &str| -> String {
        ring::hmac::sign(&key, message.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let plain = proof(TOKEN);
    let timed = proof(&format!("{TOKEN}|{}", NOON.seconds() - 200));
    assert_eq!(status(&format!("{query}&appsecret_proof={plain}"), &json, &body), 200);
    assert_eq!(status(&format!("{query}&appsecret_proof={}", proof("other")), &json, &body), 400);
    let time = |ago: i64| format!("{query}&appsecret_proof={timed}&appsecret_time={}", NOON.seconds() - ago);
    assert_eq!((status(&time(200), &json, &body), status(&time(201), &json, &body)), (200, 400));
    let mut strict = page_of(Settings { requires_proof: true, ..settings() });
    let mut strict =
        |target: &str| strict.answer(&request(Method::Post, target, &json, body.as_bytes()), NOON).response.status;
    assert_eq!((strict(&query), strict(&format!("{query}&appsecret_proof={plain}"))), (400, 200));
}

#[test]
fn a_page_has_so_many_sends_in_a_second_and_its_headers_say_so() {
    let mut page = page_of(Settings { sends_per_second: Some(4), ..settings() });
    let mut send = |now: Moment| called(&mut page, Method::Post, "/me/messages", &text_to(ADA, "x"), now).0;
    let usage = |response: &Response| {
        let usage = response.headers.iter().find(|(name, _)| *name == "X-App-Usage").unwrap();
        serde_json::from_str::<Value>(&usage.1).unwrap()["call_count"].clone()
    };
    let statuses: Vec<_> = (0..5).map(|_| send(NOON)).map(|answer| (answer.status, usage(&answer))).collect();
    assert_eq!(statuses[0], (200, json!(25)));
    assert_eq!(statuses[3..], [(200, json!(100)), (400, json!(100))]);
    assert_eq!(send(NOON.after(Duration::from_secs(1))).status, 200);
    let page_usage = send(NOON).headers.iter().find(|(name, _)| name.starts_with("X-Business")).unwrap().1.clone();
    let page_usage: Value = serde_json::from_str(&page_usage).unwrap();
    assert_eq!(shape(&page_usage), shape(&json_sample("header_x_business_use_case_usage.json")));
}

// ---- deliveries that fail ----

fn failed() -> End {
    End::Answered { status: 503, body: Vec::new(), took: Duration::from_millis(1) }
}

fn good() -> End {
    End::Answered { status: 200, body: b"EVENT_RECEIVED".to_vec(), took: Duration::from_millis(1) }
}

#[test]
fn a_delivery_that_fails_comes_again_at_once_then_less_often_and_byte_for_byte() {
    let mut page = page();
    let first = page.act(&say("again"), NOON).unwrap().remove(0);
    let (mut dispatch, mut now, mut waits) = (first.clone(), NOON, Vec::new());
    while let Some(next) = page.ended(&dispatch, &failed(), now).pop() {
        assert_eq!((&next.body, &next.headers, next.number), (&first.body, &first.headers, first.number));
        assert_eq!(next.attempt, dispatch.attempt + 1);
        waits.push(next.due.since(now).as_secs());
        (now, dispatch) = (next.due, next);
    }
    assert_eq!(waits[..2], [0, 15]);
    assert!(waits.is_sorted() && waits.iter().sum::<u64>() >= 3600, "{waits:?}");
    assert!(!page.is_subscribed(), "after an hour of failures the app is off the page");
    let (answer, _) = called(&mut page, Method::Get, "/me/subscribed_apps", &Value::Null, now);
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer, json_sample("subscribed_apps_get_empty.json"));
    assert_eq!(page.act(&say("nobody hears"), now), Ok(Vec::new()));
    called(&mut page, Method::Post, "/me/subscribed_apps?subscribed_fields=messages", &Value::Null, now);
    assert_eq!(page.act(&say("back"), now).unwrap().len(), 1);
}

#[test]
fn only_a_timely_200_is_enough_and_one_good_end_forgets_the_failures() {
    let mut page = page();
    let wrong = [
        End::Failed { why: "refused".to_owned() },
        End::Answered { status: 204, body: Vec::new(), took: Duration::ZERO },
        End::Answered { status: 200, body: Vec::new(), took: Duration::from_secs(6) },
    ];
    for end in wrong {
        let dispatch = page.act(&say("x"), NOON).unwrap().remove(0);
        assert_eq!(page.ended(&dispatch, &end, NOON).len(), 1, "{end:?}");
    }
    let hour = NOON.after(Duration::from_secs(3599));
    let dispatch = page.act(&say("x"), hour).unwrap().remove(0);
    assert_eq!(page.ended(&dispatch, &good(), hour), []);
    assert_eq!(page.ended(&dispatch, &failed(), hour), [], "an end that nobody waits for leads to nothing");
    let later = NOON.after(Duration::from_secs(3700));
    let dispatch = page.act(&say("x"), later).unwrap().remove(0);
    assert_eq!(page.ended(&dispatch, &failed(), later).len(), 1);
    assert!(page.is_subscribed());
}

// ---- registration ----

#[test]
fn a_pages_apps_are_listed_changed_and_taken_away() {
    let mut page = page();
    let mut call = |method, target: &str| {
        let (response, _) = called(&mut page, method, target, &Value::Null, NOON);
        (response.status, serde_json::from_slice::<Value>(&response.body).unwrap())
    };
    let target = "/104455667788990/subscribed_apps";
    let answer = call(Method::Post, &format!("{target}?subscribed_fields=messages,messaging_postbacks"));
    assert_eq!(answer, (200, json_sample("subscribed_apps_post_response.json")));
    assert_eq!(call(Method::Get, target), (200, json_sample("subscribed_apps_get_response.json")));
    let (status, answer) = call(Method::Post, &format!("{target}?subscribed_fields=messages,mesages"));
    assert!(status == 400 && answer["error"]["message"].as_str().unwrap().contains("subscribed_fields[1]"), "{answer}");
    assert_eq!(call(Method::Post, target).0, 400);
    assert_eq!(call(Method::Delete, target), (200, json!({ "success": true })));
    assert_eq!(call(Method::Get, target).1, json_sample("subscribed_apps_get_empty.json"));
    assert_eq!(call(Method::Get, "/me?fields=id,name").1, json!({ "id": "104455667788990", "name": "A page" }));
    assert_eq!(code(&call(Method::Get, "/me?fields=birthday").1), (100, 0));
    assert_eq!(code(&call(Method::Get, "/12345").1), (100, 33));
    assert_eq!(code(&call(Method::Get, "/me/nonsense").1), (2500, 0));
    assert_eq!(code(&call(Method::Get, "/me/messages").1), (100, 33));
    assert_eq!(code(&call(Method::Get, "/").1), (100, 33));
}

#[test]
fn a_new_callback_counts_once_it_has_said_the_challenge() {
    let mut page = page();
    let app = format!("access_token=482915736608214%7C{APP_SECRET}");
    let wanted = "object=page&callback_url=http%3A%2F%2F127.0.0.1%3A8%2Fnew&verify_token=t%26&fields=messages";
    let mut call = |page: &mut Messenger, method, query: &str| {
        let target = format!("/482915736608214/subscriptions?{query}");
        page.answer(&request(method, &target, &[], b""), NOON)
    };
    assert_eq!(call(&mut page, Method::Post, &format!("{wanted}&access_token={TOKEN}")).response.status, 400);
    let listed = |page: &mut Messenger, call: &mut dyn FnMut(&mut Messenger, Method, &str) -> ackd::twin::Reaction| {
        let answer = call(page, Method::Get, &app).response;
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        answer["data"][0]["callback_url"].as_str().unwrap_or_default().to_owned()
    };
    let end = |body: &str| End::Answered { status: 200, body: body.as_bytes().to_vec(), took: Duration::ZERO };
    for (says_it, expected) in [(false, "http://127.0.0.1:9/messenger"), (true, "http://127.0.0.1:8/new")] {
        let mut reaction = call(&mut page, Method::Post, &format!("{wanted}&{app}"));
        assert_eq!(reaction.response.status, 200);
        let asked = reaction.dispatches.remove(0);
        assert_eq!(asked.method, Method::Get);
        let query = asked.url.strip_prefix("http://127.0.0.1:8/new?hub.mode=subscribe&hub.challenge=").unwrap();
        let challenge = query.strip_suffix("&hub.verify_token=t%26").unwrap();
        page.ended(&asked, &end(if says_it { challenge } else { "something else" }), NOON);
        assert_eq!(listed(&mut page, &mut call), expected);
    }
    assert_eq!(page.act(&say("x"), NOON).unwrap()[0].url, "http://127.0.0.1:8/new");
    call(&mut page, Method::Delete, &format!("object=page&{app}"));
    assert_eq!(listed(&mut page, &mut call), "");
    assert_eq!(page.act(&say("x"), NOON), Ok(Vec::new()));
}

#[test]
fn whoever_registers_a_callback_is_answered_once_it_was_asked() {
    let scene = Scene::new("");
    let body = |url: &str| {
        json!({ "object": "page", "callback_url": url, "verify_token": "t", "fields": "messages",
            "access_token": format!("482915736608214|{APP_SECRET}") })
        .to_string()
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let mut stream = scene.connect();
    let mut register =
        |url: &str| ask(&mut stream, "POST /page/482915736608214/subscriptions", "", &body(url)).unwrap();
    let (status, answer) = register(&nobody);
    assert_eq!((status, code(&serde_json::from_str(&answer).unwrap())), (400, (2200, 0)), "{answer}");
    let other = Webhook::start();
    assert_eq!(register(&other.url()), (200, "{\"success\":true}".to_owned()));
    scene.say("to the new one");
    assert_eq!(other.texts(1), ["to the new one"]);
    assert_eq!(scene.house.ledger(None).calls.iter().map(|call| call.status).collect::<Vec<_>>(), [400, 200]);
}

#[test]
fn a_call_cut_at_any_byte_is_refused_and_never_more() {
    let mut page = page_of(Settings { sends_per_second: None, ..settings() });
    for name in ["send_gallery_request.json", "send_quick_replies_request.json", "send_utility_template_request.json"] {
        let whole = json_sample(name).to_string().into_bytes();
        let bearer = format!("Bearer {TOKEN}");
        for kind in ["application/json", "application/x-www-form-urlencoded", ""] {
            let fields = [("Authorization", bearer.as_str()), ("Content-Type", kind)];
            for cut in 0..whole.len() {
                let call = request(Method::Post, "/me/messages", &fields, &whole[..cut]);
                let reaction = page.answer(&call, NOON);
                assert_eq!((reaction.response.status, reaction.dispatches), (400, Vec::new()), "{name} {cut} {kind}");
            }
        }
    }
}

// ---- what a chat shows ----

#[test]
fn a_chat_shows_bubbles_with_what_can_be_tapped_and_changes_get_new_numbers() {
    let mut page = page();
    let mut gallery = json_sample("send_gallery_request.json");
    gallery["message"]["quick_replies"] = json!([{ "content_type": "text", "title": "More", "payload": "MORE" }]);
    let mid = message_id(&mut page, &gallery);
    let find = |page: &Messenger, id: &str| page.bubbles(0).into_iter().find(|bubble| bubble.id == id).unwrap();
    let titles = |bubble: &Bubble| bubble.choices.iter().map(|choice| choice.title.clone()).collect::<Vec<_>>();
    let bubble = find(&page, &mid);
    assert_eq!(
        (titles(&bubble), bubble.cards[0].choices.clone()),
        (vec!["More".into(), "Read".into(), "Next".into()], 1..3)
    );
    page.act(&tap(&mid, 0), NOON).unwrap();
    let after = find(&page, &mid);
    assert_eq!((titles(&after), after.cards[0].choices.clone()), (vec!["Read".into(), "Next".into()], 0..2));
    assert!(after.number > bubble.number);
    let next = page.act(&tap(&mid, 1), NOON).unwrap().remove(0);
    assert!(String::from_utf8_lossy(&next.body).contains("DIGEST_NEXT"));
    let last = page.bubbles(0).last().unwrap().clone();
    assert_eq!((last.text.as_str(), last.dispatch), ("Next", Some(next.number)));
    page.ended(&next, &good(), NOON);
    assert_eq!(page.bubbles(last.number).len(), 1, "that it was delivered is news");
}

#[test]
fn a_chat_forgets_its_oldest_bubbles_by_count_and_by_bytes() {
    let mut page = page_of(Settings { sends_per_second: None, fields: Vec::new(), ..settings() });
    for number in 0..5000 {
        page.act(&say(&number.to_string()), NOON).unwrap();
    }
    let bubbles = page.bubbles(0);
    assert_eq!((bubbles.len(), &*bubbles.last().unwrap().text), (ackd::limits::BUBBLES_MAX, "4999"));
    let picture = format!("https://example.org/{}", "x".repeat(100_000));
    let attachment = json!({ "type": "image", "payload": { "url": picture } });
    let image = with(json!({ "message": { "attachment": attachment } }));
    for _ in 0..100 {
        message_id(&mut page, &image);
    }
    let held: usize = page.bubbles(0).iter().flat_map(|bubble| &bubble.pictures).map(String::len).sum();
    assert!((3_000_000..ackd::limits::BUBBLES_BYTES_MAX).contains(&held), "{held}");
}

#[test]
fn typing_ends_with_the_next_message() {
    let mut page = page();
    let signs = |page: &Messenger| page.bubbles(0).iter().filter_map(|bubble| bubble.sign).collect::<Vec<_>>();
    sends(&mut page, &json_sample("send_mark_seen_request.json"));
    sends(&mut page, &json_sample("send_typing_on_request.json"));
    assert_eq!(signs(&page), ["seen", "typing"]);
    sends(&mut page, &with(json!({ "message": null, "sender_action": "typing_off" })));
    assert_eq!(signs(&page), ["seen", "over"]);
    sends(&mut page, &text_to(ADA, "here"));
    assert_eq!(signs(&page), [""; 0]);
}

#[test]
fn ids_differ_from_run_to_run_and_are_the_same_at_the_same_time() {
    let told = |now| String::from_utf8(page().act(&say("x"), now).unwrap().remove(0).body).unwrap();
    assert_eq!(told(NOON), told(NOON));
    let mid =
        |body: String| serde_json::from_str::<Value>(&body).unwrap()["entry"][0]["messaging"][0]["message"].clone();
    assert_ne!(mid(told(NOON)), mid(told(Moment(NOON.0 + 1))));
}

// ---- over sockets ----

fn clock() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Moment(since.as_millis() as i64)
}

/// A bot's webhook: notes what comes in, and answers with the next planned status, or 200.
struct Webhook {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    bodies: Mutex<Vec<String>>,
    plan: Mutex<Vec<u16>>,
    came: Condvar,
}

impl Webhook {
    fn start() -> Webhook {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Seen::default()));
        let sees = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sees = Arc::clone(&sees);
                thread::spawn(move || sees.serve(stream));
            }
        });
        Webhook { address, seen }
    }

    fn url(&self) -> String {
        format!("http://{}/messenger", self.address)
    }

    /// Waits for so many bodies, and gives the texts of their first events, or the whole body.
    fn texts(&self, count: usize) -> Vec<String> {
        let bodies = self.seen.bodies.lock().unwrap();
        let few = |bodies: &mut Vec<String>| bodies.len() < count;
        let (bodies, timeout) = self.seen.came.wait_timeout_while(bodies, PATIENCE, few).unwrap();
        assert!(!timeout.timed_out(), "{} of {count} came: {bodies:?}", bodies.len());
        let text = |body: &String| {
            let body: Value = serde_json::from_str(body).unwrap();
            body["entry"][0]["messaging"][0]["message"]["text"].as_str().unwrap_or_default().to_owned()
        };
        bodies.iter().map(text).collect()
    }
}

impl Seen {
    fn serve(&self, stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let mut reader = BufReader::new(stream);
        while let Some((line, headers, body)) = read_message(&mut reader) {
            let planned = self.plan.lock().unwrap().pop();
            let challenge = line.split("hub.challenge=").nth(1).and_then(|rest| rest.split('&').next());
            let answer = challenge.unwrap_or("EVENT_RECEIVED");
            if challenge.is_none() {
                assert!(headers["x-hub-signature-256"].starts_with("sha256="));
                self.bodies.lock().unwrap().push(body);
                self.came.notify_all();
            }
            let status = planned.unwrap_or(200);
            let text = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            if reader.get_mut().write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// First line, headers and body of a request or an answer; nothing when there is none any more.
fn read_message(reader: &mut BufReader<TcpStream>) -> Option<(String, HashMap<String, String>, String)> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0).map(|_| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = HashMap::new();
    while let Some((name, value)) = line()?.split_once(':') {
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, headers, String::from_utf8(body).unwrap()))
}

/// A page in a house that listens, and its bot's webhook.
struct Scene {
    webhook: Webhook,
    house: Arc<House>,
    server: Server,
}

impl Scene {
    fn new(plan: &str) -> Scene {
        Scene::of(plan, |settings| settings)
    }

    fn of(plan: &str, change: impl FnOnce(Settings) -> Settings) -> Scene {
        let webhook = Webhook::start();
        let house = Arc::new(House::with_ledger(clock, 256 * 1024 * 1024));
        let usual = Settings {
            webhook_url: webhook.url(),
            fields: vec!["messages".to_owned()],
            retries: vec![Duration::ZERO, Duration::from_millis(20)],
            sends_per_second: None,
            ..settings()
        };
        house.lodge("page", Box::new(Messenger::new(change(usual))), Plan::parse(plan, 5).unwrap()).unwrap();
        let extra = |request: &Request| (request.head.path() == "/").then(|| Response::text(200, "a page"));
        let server = Server::open(([127, 0, 0, 1], 0).into(), Arc::clone(&house), Box::new(extra)).unwrap();
        Scene { webhook, house, server }
    }

    fn say(&self, text: &str) -> u64 {
        self.house.act("page", &say(text)).unwrap()[0]
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        BufReader::new(stream)
    }

    /// What the bot said, by text and id.
    fn said(&self) -> Vec<(String, String)> {
        let bubbles = self.house.bubbles("page", 0).unwrap().into_iter();
        bubbles.filter(|bubble| bubble.side == Side::Bot).map(|bubble| (bubble.text, bubble.id)).collect()
    }

    /// Waits until the house says so.
    fn wait(&self, what: &str, until: impl Fn(&House) -> bool) {
        let began = Instant::now();
        loop {
            let news = self.house.news();
            if until(&self.house) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            self.house.wait(news, PATIENCE);
        }
    }
}

/// One call on a connection; nothing when it was closed without an answer.
fn ask(stream: &mut BufReader<TcpStream>, line: &str, headers: &str, body: &str) -> Option<(u16, String)> {
    let length = body.len();
    let host = if headers.contains("Host:") { "" } else { "Host: 127.0.0.1\r\n" };
    let text = format!("{line} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}");
    stream.get_mut().write_all(text.as_bytes()).unwrap();
    let (first, _, body) = read_message(stream)?;
    Some((first.split(' ').nth(1).unwrap().parse().unwrap(), body))
}

fn send_text(stream: &mut BufReader<TcpStream>, text: &str) -> Option<(u16, String)> {
    let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n");
    ask(stream, "POST /page/me/messages", &headers, &text_to(ADA, text).to_string())
}

#[test]
fn what_a_person_writes_reaches_the_webhook_and_stands_in_the_ledger() {
    let scene = Scene::new("");
    let number = scene.say("hello");
    assert_eq!(scene.webhook.texts(1), ["hello"]);
    scene.wait("it is satisfied", |house| house.sent("page", number).is_some_and(|entry| entry.satisfied));
    let entry = scene.house.sent("page", number).unwrap();
    assert_eq!((entry.attempts.len(), entry.attempts[0].status), (1, Some(200)));
    assert!(entry.body.contains("hello") && entry.headers.iter().any(|(name, _)| *name == "X-Hub-Signature-256"));
    let asked = scene.house.verify("page").unwrap();
    scene.wait("the challenge was said", |house| house.sent("page", asked).is_some_and(|entry| entry.satisfied));
    let asked = scene.house.sent("page", asked).unwrap();
    assert!(asked.method == "GET" && asked.url.ends_with("&hub.verify_token=***"), "{}", asked.url);
}

#[test]
fn calls_come_on_kept_connections_and_tokens_stay_out_of_the_ledger() {
    let scene = Scene::new("");
    scene.say("hello");
    let mut stream = scene.connect();
    for text in ["one", "two"] {
        let (status, body) = send_text(&mut stream, text).unwrap();
        assert!(status == 200 && body.contains("message_id"), "{body}");
    }
    let target = format!("POST /page/v25.0/me/messages?access_token={TOKEN}");
    let body = with(json!({ "access_token": TOKEN, "message": { "text": "three" } })).to_string();
    let (_, answer) = ask(&mut stream, &target, "", &body).unwrap();
    let mid = serde_json::from_str::<Value>(&answer).unwrap()["message_id"].as_str().unwrap().to_owned();
    assert_eq!(ask(&mut stream, "GET /", "", ""), Some((200, "a page".to_owned())));
    assert_eq!(ask(&mut stream, "GET /nobody/me", "", "").unwrap().0, 404);
    let (status, ledger) = ask(&mut stream, "GET /ledger?twin=page", "", "").unwrap();
    assert!(status == 200 && !ledger.contains(TOKEN), "{ledger}");
    let ledger: Value = serde_json::from_str(&ledger).unwrap();
    let calls = ledger["calls"].as_array().unwrap();
    assert_eq!(calls.iter().map(|call| call["status"].as_u64().unwrap()).collect::<Vec<_>>(), [200; 3]);
    assert_eq!(calls[2]["path"], "/v25.0/me/messages?access_token=***");
    assert_eq!(calls[2]["bubble"], json!(mid));
    let (_, nothing) = ask(&mut stream, "GET /ledger?twin=other", "", "").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&nothing).unwrap()["calls"], json!([]));
}

#[test]
fn people_act_through_the_port_and_wrong_acts_are_told_what_is_wrong() {
    let scene = Scene::new("");
    let mut stream = scene.connect();
    let say = |text: &str| json!({ "say": { "conversation": ADA, "text": text } });
    let mut act = |body: Value| ask(&mut stream, "POST /act", "", &body.to_string()).unwrap();
    assert_eq!(act(json!({ "twin": "page", "act": say("one") })), (200, "{\"dispatches\":[1]}".to_owned()));
    assert_eq!(act(json!({ "twin": "page", "acts": [say("two"), say("three")] })).0, 200);
    assert_eq!(scene.webhook.texts(2), ["one", "two"]);
    for (body, words) in [
        (json!({ "twin": "side", "act": say("x") }), "there is no twin \"side\"; write one of page"),
        (json!({ "twin": "page", "act": say("") }), "write something"),
        (json!({ "twin": "page" }), "one of \"act\", \"acts\" and \"deed\""),
        (json!({ "twin": "page", "act": { "shout": {} } }), "unknown variant `shout`"),
        (json!({ "twin": "page", "act": say("x"), "mode": 1 }), "unknown field `mode`"),
    ] {
        let (status, why) = act(body);
        assert!(status == 400 && why.contains(words), "{why}");
    }
    assert_eq!(ask(&mut stream, "GET /act", "", "").unwrap().0, 405);
}

#[test]
fn other_peoples_pages_and_other_machines_reach_nothing() {
    let scene = Scene::new("");
    for (headers, status) in [
        ("Host: rebound.example.org\r\n", 421),
        ("Host: 127.0.0.1.example.org\r\n", 421),
        ("Host: 127.0.0.1\r\nOrigin: https://example.org\r\n", 403),
        ("Host: 127.0.0.1\r\nOrigin: http://127.0.0.1:81\r\n", 403),
        ("Host: 127.0.0.1\r\nOrigin: null\r\n", 403),
        ("Host: 127.0.0.1\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ("Host: localhost:3000\r\nOrigin: http://localhost:3000\r\nSec-Fetch-Site: same-origin\r\n", 200),
        ("Host: [::1]:3000\r\n", 200),
    ] {
        for line in ["GET /ledger", "GET /"] {
            assert_eq!(ask(&mut scene.connect(), line, headers, "").unwrap().0, status, "{line} {headers}");
        }
    }
    let house = Arc::new(House::new(clock));
    let outside = Server::open(([0, 0, 0, 0], 0).into(), house, Box::new(|_| None)).err().unwrap();
    assert!(outside.to_string().contains("write 127.0.0.1:0"), "{outside}");
}

#[test]
fn a_call_that_is_cut_was_carried_out_and_the_ledger_says_both() {
    let scene = Scene::new("cut 100%");
    scene.say("hello");
    assert_eq!(send_text(&mut scene.connect(), "said all the same"), None);
    let said = scene.said();
    assert_eq!((said.len(), &*said[0].0), (1, "said all the same"));
    let call = scene.house.ledger(None).calls.remove(0);
    assert_eq!((call.status, call.fault, call.bubble.as_ref()), (200, Some("cut"), Some(&said[0].1)));
}

#[test]
fn a_late_answer_is_carried_out_at_once_and_answered_after_its_time() {
    let scene = Scene::new("late 100% 300ms");
    scene.say("hello");
    let mut stream = scene.connect();
    let began = Instant::now();
    assert_eq!(send_text(&mut stream, "in time").unwrap().0, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(scene.said()[0].0, "in time");
}

#[test]
fn refusals_on_purpose_do_nothing_and_speak_like_graph() {
    for (plan, status, expected) in [("429 100% 1s", 400, 613), ("500 100%", 500, 2), ("token 100% 1s", 400, 190)] {
        let scene = Scene::new(plan);
        scene.say("hello");
        let (answered, body) = send_text(&mut scene.connect(), "never said").unwrap();
        assert_eq!((answered, code(&serde_json::from_str(&body).unwrap()).0), (status, expected), "{plan}");
        assert_eq!(scene.said(), [], "{plan}");
        assert_eq!(scene.house.ledger(None).calls[0].fault, plan.split(' ').next(), "{plan}");
    }
}

#[test]
fn a_delivery_that_was_refused_is_tried_again_until_it_is_taken() {
    let scene = Scene::new("");
    scene.webhook.seen.plan.lock().unwrap().extend([503, 500]);
    let number = scene.say("hello");
    assert_eq!(scene.webhook.texts(3), ["hello"; 3]);
    scene.wait("it is satisfied", |house| house.sent("page", number).is_some_and(|entry| entry.satisfied));
    let attempts = scene.house.sent("page", number).unwrap().attempts;
    let told: Vec<_> = attempts.iter().map(|attempt| (attempt.attempt, attempt.status)).collect();
    assert_eq!(told, [(1, Some(500)), (2, Some(503)), (3, Some(200))]);
    scene.wait("nothing is left", House::is_quiet);
}

#[test]
fn a_webhook_that_is_elsewhere_is_not_called() {
    let elsewhere = "http://192.0.2.1:80/messenger".to_owned();
    let scene = Scene::of("", |settings| Settings { webhook_url: elsewhere, retries: Vec::new(), ..settings });
    let number = scene.say("hello");
    scene.wait("it ended", |house| house.sent("page", number).is_some_and(|entry| !entry.attempts.is_empty()));
    let why = scene.house.sent("page", number).unwrap().attempts[0].failure.clone().unwrap();
    assert!(why.contains("not on loopback"), "{why}");
}

#[test]
fn duplicates_and_disorder_come_on_demand_and_without_them_order_holds() {
    let twice = Scene::new("duplicate 100%");
    let number = twice.say("a");
    assert_eq!(twice.webhook.texts(2), ["a", "a"]);
    twice.wait("both ended", |house| house.sent("page", number).is_some_and(|entry| entry.attempts.len() == 2));
    let copies: Vec<_> = twice.house.sent("page", number).unwrap().attempts.iter().map(|one| one.copy).collect();
    assert_eq!(copies, [false, true]);

    let texts: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    for (plan, orderly) in [("", true), ("reorder 20%", false)] {
        let scene = Scene::new(plan);
        texts.iter().for_each(|text| _ = scene.say(text));
        let mut came = scene.webhook.texts(texts.len());
        assert_eq!(came == texts, orderly, "{plan:?}: {came:?}");
        came.sort_by_key(|text| text.parse::<u32>().unwrap());
        assert_eq!(came, texts, "each once");
    }
}

#[test]
fn a_house_that_closes_ends_its_connections_and_frees_its_port() {
    let scene = Scene::new("late 100% 60s");
    let address = scene.server.address();
    let (mut idle, mut late) = (scene.connect(), scene.connect());
    scene.say("hello");
    let waits = thread::spawn(move || send_text(&mut late, "x"));
    scene.wait("the call is there", |house| !house.ledger(None).calls.is_empty());
    let Scene { server, .. } = scene;
    drop(server);
    assert_eq!(waits.join().unwrap(), None);
    assert!(matches!(idle.read(&mut [0; 1]), Ok(0)));
    TcpListener::bind(address).unwrap();
}

#[test]
fn too_many_connections_are_refused_and_a_bad_request_is_told_so() {
    let scene = Scene::new("");
    let mut bad = scene.connect();
    bad.get_mut().write_all(b"GET /\x01 HTTP/1.1\r\n\r\n").unwrap();
    assert!(read_message(&mut bad).unwrap().0.contains(" 400 "));

    let scene = Scene::new("");
    let mut held: Vec<_> = (0..ackd::limits::TWIN_CONNECTIONS_MAX).map(|_| scene.connect()).collect();
    let last = held.last_mut().unwrap();
    assert_eq!(ask(last, "GET /", "", "").map(|(status, _)| status).unwrap_or(503), 200);
    assert!(read_message(&mut scene.connect()).unwrap().0.contains(" 503 "));
}

/// A figure, not a promise of this test: the machine may be busy.
#[test]
fn how_many_events_a_second_the_twin_can_tell() {
    const EVENTS: usize = 4000;
    let people =
        (0..100).map(|number| ackd::twin::messenger::Person::new(format!("70000{number}"), "somebody")).collect();
    let scene = Scene::of("", |settings| Settings { people, ..settings });
    let began = Instant::now();
    for number in 0..EVENTS {
        let conversation = format!("70000{}", number % 100);
        let act = Act::Say { conversation, text: format!("event {number}"), mentions: true };
        scene.house.act("page", &act).unwrap();
    }
    scene.webhook.texts(EVENTS);
    scene.wait("all are satisfied", House::is_quiet);
    let seconds = began.elapsed().as_secs_f64();
    println!("the Messenger twin told {EVENTS} events in {seconds:.2} s: {:.0} a second", EVENTS as f64 / seconds);
    assert!(scene.house.ledger(None).dispatches.iter().all(|entry| entry.satisfied));
}
