//! The stand-in for Webex against Webex's samples: what it says has their shape, what they say it takes, and what the
//! real one would refuse it refuses.
//!
//! A shape is every member's path with its kind: text, number, moment, or which kind of thing an id names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use ackd::model::{Framing, Head, Method, Moment, Request, Response, Secret, Span};
use ackd::twin::webex::{Member, PATIENCE, Settings, Webex};
use ackd::twin::{Act, Bubble, Dispatch, End, Side, Twin};
use ring::hmac;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

const TOKEN: &str = "bot-token";
const SECRET: &str = "86dacc007724d8ea666f88fc77d918dad9537a15";
const API: &str = "http://127.0.0.1:4000/space";
const START: Moment = Moment(1_763_712_000_111);
const JSON: &str = "application/json; charset=utf-8";

/// The stand-in, a clock, and short ways to use both.
struct Scene {
    twin: Webex,
    now: Moment,
}

/// What a call came to.
struct Answered {
    response: Response,
    dispatches: Vec<Dispatch>,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.response.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        header(&self.response, name)
    }

    /// The body of a success.
    fn good(self) -> Value {
        assert_eq!(self.response.status, 200, "{}", String::from_utf8_lossy(&self.response.body));
        self.json()
    }

    /// The status of a refusal that is told as Webex tells it.
    fn refused(&self) -> u16 {
        let body = self.json();
        assert_eq!(body["trackingId"].as_str(), self.header("trackingId"));
        assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
        assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{body}");
        assert!(self.dispatches.is_empty());
        self.response.status
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(is, _)| *is == name).map(|(_, value)| &**value)
}

fn settings() -> Settings {
    Settings::new("space", Secret::new(TOKEN), API)
}

impl Scene {
    fn new() -> Scene {
        Scene::with(settings())
    }

    fn with(settings: Settings) -> Scene {
        Scene { twin: Webex::new(settings, START), now: START }
    }

    /// A scene whose bot has heard of messages, cards and rooms.
    fn subscribed() -> Scene {
        let mut scene = Scene::new();
        for resource in ["messages", "attachmentActions", "memberships"] {
            scene.subscribe(json!({ "resource": resource }));
        }
        scene
    }

    /// Makes a webhook; `change` is put over the usual members. Gives its id.
    fn subscribe(&mut self, change: Value) -> String {
        let mut members = sample("webhooks_create_request");
        members["name"] = json!(change.to_string());
        members.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        self.post("/webhooks", &members).good()["id"].as_str().unwrap().to_owned()
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    fn request(&mut self, method: Method, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        let request = Request { head: head(method, target, headers), body: body.to_vec() };
        let reaction = self.twin.answer(&request, self.now);
        assert!(header(&reaction.response, "trackingId").unwrap().starts_with("ROUTER_"));
        Answered { response: reaction.response, dispatches: reaction.dispatches }
    }

    fn call(&mut self, method: Method, target: &str, body: &Value) -> Answered {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("Authorization", &*bearer), ("Content-Type", JSON)];
        self.request(method, target, &headers, body.to_string().as_bytes())
    }

    fn get(&mut self, target: &str) -> Answered {
        let bearer = format!("Bearer {TOKEN}");
        self.request(Method::Get, target, &[("authorization", &*bearer)], b"")
    }

    fn post(&mut self, target: &str, body: &Value) -> Answered {
        self.call(Method::Post, target, body)
    }

    /// `POST /messages` into the direct room, with `members` beside the room's id.
    fn said(&mut self, members: Value) -> Answered {
        let mut body = json!({ "roomId": self.direct() });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.post("/messages", &body)
    }

    fn room(&self, group: bool) -> String {
        self.twin.conversations().into_iter().find(|room| room.group == group).unwrap().id
    }

    fn direct(&self) -> String {
        self.room(false)
    }

    fn group(&self) -> String {
        self.room(true)
    }

    fn act(&mut self, act: Act) -> Vec<Dispatch> {
        self.twin.act(&act, self.now).unwrap()
    }

    fn say(&mut self, conversation: String, text: &str) -> Vec<Dispatch> {
        self.act(Act::Say { conversation, text: text.to_owned(), mentions: true })
    }

    /// What was said last.
    fn last(&self) -> Bubble {
        self.twin.bubbles(0).pop().unwrap()
    }

    /// The message that was said last, as the API has it.
    fn fetched(&mut self) -> Value {
        let id = self.last().id;
        self.get(&format!("/messages/{id}")).good()
    }

    fn fail(&mut self, dispatch: &Dispatch) {
        let retries = self.twin.ended(dispatch, &End::Failed { why: "connection refused".to_owned() }, self.now);
        assert_eq!(retries, [], "Webex repeats nothing");
    }

    fn status(&mut self, webhook: &str) -> String {
        self.get(&format!("/webhooks/{webhook}")).good()["status"].as_str().unwrap().to_owned()
    }

    fn bot(&mut self) -> String {
        self.get("/people/me").good()["id"].as_str().unwrap().to_owned()
    }
}

fn head(method: Method, target: &str, fields: &[(&str, &str)]) -> Head {
    let mut text = format!("METHOD {target} HTTP/1.1\r\n").into_bytes();
    let target = Span { start: 7, end: 7 + target.len() as u16 };
    let mut headers = Vec::new();
    for (name, value) in fields {
        let start = text.len() as u16;
        text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        let middle = start + name.len() as u16;
        headers.push((Span { start, end: middle }, Span { start: middle + 2, end: text.len() as u16 - 2 }));
    }
    Head { method, text: text.into(), target, headers: headers.into(), framing: Framing::Empty }
}

fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webex").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(&path).unwrap_or_else(|fault| panic!("{name}: {fault}"))).unwrap()
}

/// Each member's path and kind. Members below one that `open` names may be any.
fn shape(value: &Value, open: &str) -> BTreeSet<String> {
    fn look(value: &Value, path: String, open: &str, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                into.insert(format!("{path}: object"));
                for (name, member) in members.iter().filter(|_| open.is_empty() || !path.ends_with(open)) {
                    look(member, format!("{path}.{name}"), open, into);
                }
            }
            Value::Array(items) => {
                into.insert(format!("{path}: list"));
                items.iter().for_each(|item| look(item, format!("{path}[]"), open, into));
            }
            Value::String(text) => drop(into.insert(format!("{path}: {}", kind(text)))),
            Value::Number(_) => drop(into.insert(format!("{path}: number"))),
            Value::Bool(_) => drop(into.insert(format!("{path}: bool"))),
            Value::Null => drop(into.insert(format!("{path}: null"))),
        }
    }
    let mut found = BTreeSet::new();
    look(value, String::new(), open, &mut found);
    found
}

/// What a text is: the id of a kind of thing, a moment, a URL, or words.
fn kind(text: &str) -> String {
    if let Some(name) = named(text) {
        return format!("id of a {}", name.split('/').next().unwrap());
    }
    let moment = text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.';
    let url = text.starts_with("http://") || text.starts_with("https://");
    if moment {
        "moment"
    } else if url {
        "url"
    } else {
        "text"
    }
    .to_owned()
}

/// What stands in an id: `KIND/uuid`.
fn named(id: &str) -> Option<String> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    for letter in id.bytes() {
        bits = bits << 6 | LETTERS.iter().position(|is| *is == letter)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    String::from_utf8(bytes).ok()?.strip_prefix("ciscospark://us/").map(str::to_owned)
}

fn told(dispatches: &[Dispatch]) -> Value {
    assert_eq!(dispatches.len(), 1, "{dispatches:?}");
    serde_json::from_slice(&dispatches[0].body).unwrap()
}

fn has_shape_of(is: &Value, name: &str) {
    let open = if name.starts_with("attachment_action_get") { ".inputs" } else { "" };
    assert_eq!(shape(is, open), shape(&sample(name), open), "{name}: {is:#}");
}

// ---- what it tells ----

#[test]
fn what_people_write_is_told_in_the_shape_of_the_samples() {
    let mut scene = Scene::subscribed();
    let (direct, group) = (scene.direct(), scene.group());
    let dispatches = scene.say(direct.clone(), "how much today?");
    has_shape_of(&told(&dispatches), "message_created_direct");
    has_shape_of(&told(&dispatches), "message_created_direct_pretty");
    let first = scene.last().id;

    has_shape_of(&told(&scene.say(group.clone(), "how much today?")), "message_created_group_mention");
    let thread = scene.last().id;
    let in_thread = Act::SayInThread { conversation: group, thread, text: "and this week?".to_owned() };
    has_shape_of(&told(&scene.act(in_thread)), "message_created_thread_reply");
    let url = "https://x.example/a.png".to_owned();
    has_shape_of(&told(&scene.act(Act::Show { conversation: direct, url })), "message_created_file");

    for event in ["updated", "deleted"] {
        scene.subscribe(json!({ "event": event }));
    }
    let now = scene.now;
    has_shape_of(&told(&scene.twin.edit(&first, "how much?", now).unwrap()), "message_updated");
    // What was edited before it was deleted says so still.
    assert_eq!(
        told(&scene.twin.delete(&first, now).unwrap())["data"]["updated"].as_str().map(kind).as_deref(),
        Some("moment")
    );
}

#[test]
fn a_deleted_message_is_told_without_when_it_was_updated() {
    let mut scene = Scene::new();
    scene.subscribe(json!({ "event": "deleted" }));
    scene.say(scene.direct(), "oops");
    let (id, now) = (scene.last().id, scene.now);
    has_shape_of(&told(&scene.twin.delete(&id, now).unwrap()), "message_deleted");
}

#[test]
fn a_notification_has_no_text_and_says_what_happened_to_whom() {
    let mut scene = Scene::new();
    let webhook = scene.subscribe(json!({ "name": "ackd messages" }));
    let dispatches = scene.say(scene.group(), "how much today?");
    let body = String::from_utf8(dispatches[0].body.clone()).unwrap();
    assert!(!body.contains("how much") && !body.contains(SECRET), "{body}");
    let (is, message, bot) = (told(&dispatches), scene.fetched(), scene.bot());
    assert_eq!((&is["id"], &is["createdBy"]), (&json!(webhook), &json!(bot)));
    assert_eq!((&is["actorId"], &is["data"]["personId"]), (&message["personId"], &message["personId"]));
    assert_eq!((&is["data"]["id"], &is["data"]["roomId"]), (&message["id"], &message["roomId"]));
    assert_eq!(is["data"]["mentionedPeople"], json!([bot]));
    assert_eq!((&dispatches[0].url, dispatches[0].method), (&"https://bot.example.com/webex".to_owned(), Method::Post));
    assert_eq!((dispatches[0].attempt, dispatches[0].due, dispatches[0].patience), (1, START, PATIENCE));
}

#[test]
fn a_webhook_with_a_secret_is_signed_and_one_without_is_not() {
    let mut scene = Scene::new();
    scene.subscribe(json!({ "name": "signed" }));
    scene.subscribe(json!({ "name": "unsigned", "secret": null }));
    let dispatches = scene.say(scene.direct(), "hi");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
    let tag: String = hmac::sign(&key, &dispatches[0].body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(dispatches[0].headers, [("X-Spark-Signature", tag)]);
    assert_eq!((dispatches.len(), &dispatches[1].headers[..]), (2, &[][..]));
    assert_eq!(scene.last().dispatch, Some(dispatches[0].number));
    assert!(dispatches[0].number < dispatches[1].number);
}

#[test]
fn the_bot_hears_itself() {
    let mut scene = Scene::subscribed();
    let answered = scene.said(json!({ "text": "14.2 kWh today" }));
    let bot = scene.bot();
    has_shape_of(&told(&answered.dispatches), "own_message");
    assert_eq!(told(&answered.dispatches)["actorId"], json!(bot));
    let in_group = scene.post("/messages", &json!({ "roomId": scene.group(), "text": "hi" }));
    assert_eq!(told(&in_group.dispatches)["data"]["personId"], json!(bot));
}

#[test]
fn in_a_group_the_bot_is_told_only_of_what_mentions_it() {
    let mut scene = Scene::subscribed();
    let group = scene.group();
    let unheard = Act::Say { conversation: group.clone(), text: "lunch?".to_owned(), mentions: false };
    assert_eq!(scene.act(unheard), []);
    let (bubble, url) = (scene.last(), "https://x.example/a.png".to_owned());
    assert_eq!((&*bubble.text, bubble.dispatch), ("lunch?", None));
    assert_eq!(scene.get(&format!("/messages/{}", bubble.id)).refused(), 404);
    assert_eq!(scene.act(Act::Show { conversation: group, url }), []);
}

#[test]
fn coming_into_a_room_and_leaving_it_are_told_in_the_shape_of_the_samples() {
    let mut scene = Scene::subscribed();
    scene.subscribe(json!({ "resource": "memberships", "event": "deleted" }));
    let (room, dispatches) = scene.twin.new_room("Cellar", START).unwrap();
    has_shape_of(&told(&dispatches), "membership_created");
    assert_eq!(told(&dispatches)["data"]["personId"], json!(scene.bot()));
    assert_eq!(scene.get(&format!("/rooms/{room}")).good()["title"], json!("Cellar"));
    assert_eq!(scene.twin.take_in(&room, START), Err("the bot is in this room already".to_owned()));

    scene.say(room.clone(), "hi");
    let id = scene.last().id;
    has_shape_of(&told(&scene.twin.remove(&room, START).unwrap()), "membership_deleted");
    assert_eq!(scene.say(room.clone(), "gone?"), []);
    for path in [format!("/rooms/{room}"), format!("/messages/{id}"), format!("/memberships?roomId={room}")] {
        assert_eq!(scene.get(&path).refused(), 404, "{path}");
    }
    let answered = scene.post("/messages", &json!({ "roomId": room, "text": "hi" }));
    assert_eq!(answered.refused(), 403);
    assert_eq!(scene.twin.take_in(&room, START).unwrap().len(), 1);
    scene.get(&format!("/messages/{id}")).good();
    let direct = scene.direct();
    assert_eq!(scene.twin.remove(&direct, START), Err("nobody leaves a direct room".to_owned()));
}

#[test]
fn a_tap_on_a_card_becomes_an_attachment_action() {
    let mut scene = Scene::subscribed();
    let (conversation, mut card) = (scene.direct(), sample("messages_post_card_request"));
    card["roomId"] = json!(conversation);
    let answer = scene.post("/messages", &card).good();
    assert_eq!(answer["attachments"], card["attachments"]);
    let bubble = scene.last();
    assert_eq!((&*bubble.text, &*bubble.cards[0].title), ("", "Which figures?"));
    assert_eq!((&*bubble.choices[0].title, bubble.cards[0].choices.clone()), ("This week", 0..1));

    let tap = |choice| Act::Tap { conversation: conversation.clone(), bubble: bubble.id.clone(), choice };
    let notification = told(&scene.act(tap(0)));
    has_shape_of(&notification, "attachment_action");
    let action = scene.get(&format!("/attachment/actions/{}", notification["data"]["id"].as_str().unwrap())).good();
    has_shape_of(&action, "attachment_action_get");
    assert_eq!(action["inputs"], json!({ "ask": "week" }));
    assert_eq!(action["messageId"], json!(bubble.id));

    assert_eq!(scene.twin.act(&tap(1), START), Err("this card has no choice 1".to_owned()));
    let elsewhere = Act::Tap { conversation: scene.group(), bubble: bubble.id.clone(), choice: 0 };
    assert_eq!(scene.twin.act(&elsewhere, START), Err("there is no such message in this room".to_owned()));
    assert_eq!(scene.get("/attachment/actions/x").refused(), 404);
}

#[test]
fn a_bot_that_left_a_room_learns_nothing_of_what_it_left_there() {
    let mut scene = Scene::subscribed();
    let group = scene.group();
    let mut card = sample("messages_post_card_request");
    card["roomId"] = json!(group);
    scene.post("/messages", &card).good();
    let bubble = scene.last().id;
    let tap = Act::Tap { conversation: group.clone(), bubble, choice: 0 };
    let notification = told(&scene.act(tap.clone()));
    let action = format!("/attachment/actions/{}", notification["data"]["id"].as_str().unwrap());
    let file = json!({ "roomId": group, "files": ["https://x.example/a"] });
    let url = scene.post("/messages", &file).good()["files"][0].as_str().unwrap().to_owned();
    let content = url.strip_prefix(API).unwrap().to_owned();

    scene.twin.remove(&group, START).unwrap();
    assert_eq!(scene.act(tap), []);
    for path in [&action, &content] {
        assert_eq!(scene.get(path).refused(), 404, "{path}");
    }
    scene.twin.take_in(&group, START).unwrap();
    assert_eq!((scene.get(&action).response.status, scene.get(&content).response.status), (200, 302));
}

#[test]
fn what_a_bot_asks_changes_no_id_of_what_is_said() {
    let said = |asks| {
        let mut scene = Scene::new();
        (0..asks).for_each(|_| drop(scene.get("/people/me")));
        scene.say(scene.direct(), "hi");
        scene.last().id
    };
    assert_eq!(said(0), said(3));
}

#[test]
fn what_is_filled_into_a_card_comes_with_it_and_a_link_tells_nothing() {
    let mut scene = Scene::subscribed();
    let content = json!({ "type": "AdaptiveCard", "version": "1.3", "body": [
        { "type": "TextBlock", "text": "Who?" }, { "type": "Input.Text", "id": "name" },
    ], "actions": [
        { "type": "Action.OpenUrl", "title": "page", "url": "https://x.example" },
        { "type": "Action.Submit", "title": "send" },
    ] });
    let content_type = "application/vnd.microsoft.card.adaptive";
    let attachment = json!({ "contentType": content_type, "content": content });
    scene.said(json!({ "text": "Who?", "attachments": [attachment] })).good();
    let id = scene.last().id;
    assert_eq!(scene.twin.submit(&id, 0, &Map::new(), START), Ok(Vec::new()));
    let filled = json!({ "name": "Ada" });
    let notification = told(&scene.twin.submit(&id, 1, filled.as_object().unwrap(), START).unwrap());
    let action = scene.get(&format!("/attachment/actions/{}", notification["data"]["id"].as_str().unwrap())).good();
    assert_eq!(action["inputs"], filled);
    let long = json!({ "name": "x".repeat(20_000) });
    assert!(scene.twin.submit(&id, 1, long.as_object().unwrap(), START).is_err());
}

// ---- what it answers ----

#[test]
fn messages_are_fetched_as_the_samples_show_them() {
    let mut scene = Scene::new();
    let (direct, group, bot) = (scene.direct(), scene.group(), scene.bot());
    let with_text = |is: &Value, name: &str, bot: &str| {
        let sample = sample(name);
        assert_eq!(is["text"], sample["text"], "{name}");
        let sample_bot = sample["mentionedPeople"][0].as_str().unwrap_or("nobody");
        let html = sample["html"].as_str().map(|html| html.replace(sample_bot, bot));
        assert!(html.is_none() || html.as_deref() == is["html"].as_str(), "{name}: {is:#}");
    };
    for (name, room, text) in [
        ("messages_get_direct", &direct, "how much today?"),
        ("messages_get_emoji", &direct, "sun ☀️ 👍🏽"),
        ("messages_get_group_mention", &group, "how much today?"),
        ("messages_get_group_mention_in_the_middle", &group, "could you, @bot, say this week?"),
    ] {
        scene.say(room.clone(), text);
        let fetched = scene.fetched();
        has_shape_of(&fetched, name);
        with_text(&fetched, name, &bot);
    }
    let thread = scene.last().id;
    scene.act(Act::SayInThread { conversation: group, thread: thread.clone(), text: "and this week?".to_owned() });
    let mut fetched = scene.fetched();
    // The sample lacks the HTML that every mention has.
    assert!(fetched.as_object_mut().unwrap().remove("html").is_some());
    has_shape_of(&fetched, "messages_get_thread");
    with_text(&fetched, "messages_get_thread", &bot);
    assert_eq!(fetched["parentId"], json!(thread));

    scene.act(Act::Show { conversation: direct, url: "https://x.example/a.png".to_owned() });
    has_shape_of(&scene.fetched(), "messages_get_file_only");
    scene.said(json!({ "text": "14.2 kWh today" })).good();
    has_shape_of(&scene.fetched(), "messages_get_own");
}

#[test]
fn a_mention_may_have_the_bare_uuid() {
    let mut scene = Scene::with(Settings { bare_mentions: true, ..settings() });
    scene.say(scene.group(), "how much today?");
    let (fetched, bot) = (scene.fetched(), scene.bot());
    has_shape_of(&fetched, "messages_get_group_mention_bare_uuid");
    let uuid = named(&bot).unwrap().strip_prefix("PEOPLE/").unwrap().to_owned();
    assert!(fetched["html"].as_str().unwrap().contains(&format!("data-object-id=\"{uuid}\"")), "{fetched}");
}

#[test]
fn people_rooms_and_memberships_are_shown_as_the_samples_show_them() {
    let mut scene = Scene::new();
    has_shape_of(&scene.get("/people/me").good(), "people_me");
    let (direct, group) = (scene.direct(), scene.group());
    scene.say(direct.clone(), "hi");
    let ada = scene.fetched()["personId"].as_str().unwrap().to_owned();
    has_shape_of(&scene.get(&format!("/people/{ada}")).good(), "people_me_person");
    assert_eq!(scene.get("/people?email=ADA@example.com").good()["items"][0]["id"], json!(ada));
    assert_eq!(scene.get("/people").refused(), 400);
    assert_eq!(scene.get("/people/x").refused(), 404);

    let room = scene.get(&format!("/rooms/{group}")).good();
    assert_eq!(shape(&room, ""), shape(&sample("unknown_resource")["data"], ""));
    let rooms = scene.get("/rooms").good();
    assert_eq!(rooms["items"].as_array().unwrap().len(), 2);
    assert_eq!(scene.get("/rooms?type=direct").good()["items"][0]["title"], json!("Ada Example"));
    assert_eq!(scene.get("/rooms?type=x").refused(), 400);

    let own = scene.get(&format!("/memberships?roomId={group}&personEmail=solar-ackd@webex.bot")).good();
    has_shape_of(&own, "memberships_list");
    assert_eq!(scene.get(&format!("/memberships?roomId={group}")).good()["items"].as_array().unwrap().len(), 2);
    assert_eq!(scene.get("/memberships").good()["items"].as_array().unwrap().len(), 2);
}

#[test]
fn webhooks_are_made_and_listed_as_the_samples_show_them() {
    let mut scene = Scene::new();
    has_shape_of(&scene.get("/webhooks").good(), "webhooks_list_empty");
    let made = scene.post("/webhooks", &sample("webhooks_create_request")).good();
    has_shape_of(&made, "webhooks_create_response");
    assert_eq!(made["secret"], json!(SECRET));
    for (name, resource) in [("ackd cards", "attachmentActions"), ("ackd memberships", "memberships")] {
        scene.subscribe(json!({ "name": name, "resource": resource }));
    }
    let listed = scene.get("/webhooks").good();
    has_shape_of(&listed, "webhooks_list");
    for (is, sample) in
        listed["items"].as_array().unwrap().iter().zip(sample("webhooks_list")["items"].as_array().unwrap())
    {
        for member in ["name", "targetUrl", "resource", "event", "secret", "ownedBy", "status"] {
            assert_eq!(is[member], sample[member]);
        }
    }
    assert_eq!(listed["items"][0], made);

    let mut scene = Scene::new();
    scene.subscribe(json!({ "targetUrl": "https://0d52ccd9.ngrok.io", "event": "all", "secret": "" }));
    has_shape_of(&scene.get("/webhooks").good(), "webhooks_list_stale_target");
}

#[test]
fn every_error_has_the_shape_of_its_sample() {
    let mut scene = Scene::new();
    let unknown = "Y2lzY29zcGFyazovL3VzL01FU1NBR0UvOTJkYjNiZTAtNDNiZC0xMWU2LThhZTktZGQ1YjNkZmMwMDAx";
    let (room, now) = scene.twin.new_room("Cellar", START).map(|(room, _)| (room, START)).unwrap();
    scene.twin.remove(&room, now).unwrap();
    let mut answers = vec![
        ("error_400", scene.get("/messages/x")),
        ("error_401", scene.request(Method::Get, "/people/me", &[("Authorization", "Bearer other")], b"")),
        ("error_403", scene.post("/messages", &json!({ "roomId": room, "text": "x" }))),
        ("error_404", scene.get(&format!("/messages/{unknown}"))),
    ];
    scene.post("/webhooks", &sample("webhooks_create_request")).good();
    answers.push(("error_409_webhook_exists", scene.post("/webhooks", &sample("webhooks_create_request"))));
    for (name, status) in [("error_423", 423), ("error_429", 429), ("error_500", 500)] {
        answers.push((name, Answered { response: scene.twin.broken(status), dispatches: Vec::new() }));
    }
    for (name, answer) in &answers {
        let status: u16 = name.split('_').nth(1).unwrap().parse().unwrap();
        assert_eq!(answer.refused(), status, "{name}");
        has_shape_of(&answer.json(), name);
        if *name != "error_409_webhook_exists" {
            assert_eq!(answer.json()["message"], sample(name)["message"]);
            assert_eq!(answer.json()["errors"], sample(name)["errors"]);
        }
    }
    assert_eq!(answers[5].1.header("Retry-After"), Some("5"));

    let gateway = scene.twin.broken(502);
    let expected = sample("error_502_not_json");
    assert_eq!(std::str::from_utf8(&gateway.body).unwrap(), expected["body"]);
    assert_eq!((gateway.status, gateway.content_type), (502, "text/html"));
}

#[test]
fn faults_on_purpose_say_what_they_are_told_to() {
    let twin = Scene::new().twin;
    for retry_after in [Some("3"), Some("soon"), None] {
        let limited = twin.limited(retry_after);
        assert_eq!((limited.status, header(&limited, "Retry-After")), (429, retry_after));
    }
    let expired = twin.token_expired();
    let body: Value = serde_json::from_slice(&expired.body).unwrap();
    assert_eq!((expired.status, &body["message"]), (401, &sample("error_401")["message"]));
    assert_eq!(body["trackingId"].as_str(), header(&expired, "trackingId"));
    assert_ne!(header(&twin.broken(503), "trackingId"), header(&twin.broken(503), "trackingId"));
}

#[test]
fn a_call_without_the_token_learns_nothing() {
    let mut scene = Scene::new();
    for value in ["", "Bearer", "Bearer ", "Basic bot-token", "bot-token", "Bearer bot-token2"] {
        for path in ["/people/me", "/nowhere", "/webhooks"] {
            let answered = scene.request(Method::Get, path, &[("Authorization", value)], b"");
            assert_eq!(answered.refused(), 401, "{value} {path}");
            assert!(!String::from_utf8_lossy(&answered.response.body).contains(TOKEN));
        }
    }
    let answered = scene.request(Method::Get, "/people/me", &[("authorization", "bearer bot-token")], b"");
    assert_eq!(answered.response.status, 200);
    assert!(!format!("{:?}", scene.twin).contains(TOKEN));
}

#[test]
fn a_wrong_path_method_or_media_type_is_named() {
    let mut scene = Scene::new();
    assert_eq!(scene.get("/nowhere").refused(), 404);
    for (method, path, allow) in [
        (Method::Post, "/people/me", "GET"),
        (Method::Patch, "/messages", "GET, POST"),
        (Method::Post, "/messages/x", "GET, PUT, DELETE"),
        (Method::Delete, "/webhooks", "GET, POST"),
        (Method::Get, "/attachment/actions", "POST"),
        (Method::Put, "/attachment/actions/x", "GET"),
    ] {
        let answered = scene.call(method, path, &json!({}));
        assert_eq!((answered.refused(), answered.header("Allow")), (405, Some(allow)), "{path}");
    }
    assert_eq!(scene.post("/attachment/actions", &json!({})).refused(), 403);
    let bearer = format!("Bearer {TOKEN}");
    for (content_type, body, status) in [
        ("text/plain", "{}", 415),
        ("multipart/form-data; boundary=x", "--x--", 415),
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
    ] {
        let headers = [("Authorization", &*bearer), ("Content-Type", content_type)];
        for path in ["/messages", "/webhooks"] {
            assert_eq!(
                scene.request(Method::Post, path, &headers, body.as_bytes()).refused(),
                status,
                "{content_type}"
            );
        }
    }
    let form = "name=x+y&targetUrl=http%3A%2F%2Fbot.example.com%2F&resource=messages&event=all";
    let headers = [("Authorization", &*bearer), ("Content-Type", "application/x-www-form-urlencoded")];
    let made = scene.request(Method::Post, "/webhooks", &headers, form.as_bytes()).good();
    assert_eq!((&made["name"], &made["targetUrl"]), (&json!("x y"), &json!("http://bot.example.com/")));
}

// ---- what it takes ----

#[test]
fn what_the_samples_post_is_taken() {
    let mut scene = Scene::new();
    let (direct, group) = (scene.direct(), scene.group());
    let mut plain = sample("messages_post_request");
    plain["roomId"] = json!(direct);
    let answer = scene.post("/messages", &plain).good();
    has_shape_of(&answer, "messages_post_response");
    assert_eq!((&answer["text"], &answer["personEmail"]), (&plain["text"], &json!("solar-ackd@webex.bot")));
    assert_eq!((scene.last().side, &*scene.last().text), (Side::Bot, "14.2 kWh today"));

    scene.say(group.clone(), "how much today?");
    let mut markdown = sample("messages_post_markdown_request");
    (markdown["roomId"], markdown["parentId"]) = (json!(group), json!(scene.last().id));
    let answer = scene.post("/messages", &markdown).good();
    assert_eq!((&answer["markdown"], &answer["parentId"]), (&markdown["markdown"], &markdown["parentId"]));
    assert_eq!(
        (&answer["text"], &answer["html"]),
        (&json!("14.2 kWh today"), &json!("<p><strong>14.2 kWh</strong> today</p>"))
    );
    assert_eq!(
        (scene.last().thread, scene.last().text),
        (markdown["parentId"].as_str().map(str::to_owned), "14.2 kWh today".to_owned())
    );

    let answer = scene.post("/messages", &sample("messages_post_to_email_request")).good();
    assert_eq!(answer["roomId"], json!(direct));
    let mut card = sample("messages_post_card_request");
    card["roomId"] = json!(direct);
    scene.post("/messages", &card).good();
}

#[test]
fn a_message_to_a_person_opens_their_room_once() {
    let mut scene = Scene::subscribed();
    let members = json!({ "toPersonEmail": "New@Example.com", "text": "hi" });
    let answered = scene.post("/messages", &members);
    assert_eq!(answered.dispatches.len(), 2, "the membership and the message");
    let (room, again) = (answered.good()["roomId"].clone(), scene.post("/messages", &members));
    assert_eq!((again.dispatches.len(), &again.json()["roomId"]), (1, &room));
    assert_eq!(scene.twin.conversations().len(), 3);
    let id = scene.get("/people?email=new@example.com").good()["items"][0]["id"].clone();
    assert_eq!(scene.post("/messages", &json!({ "toPersonId": id, "text": "hi" })).good()["roomId"], room);
    scene.say(room.as_str().unwrap().to_owned(), "hello");
    assert_eq!(scene.fetched()["personEmail"], json!("new@example.com"));

    let bot = scene.bot();
    for (members, status) in [
        (json!({ "toPersonEmail": "nobody", "text": "hi" }), 400),
        (json!({ "toPersonEmail": "a b@example.com", "text": "hi" }), 400),
        (json!({ "toPersonEmail": format!("{}@example.com", "a".repeat(300)), "text": "hi" }), 400),
        (json!({ "toPersonId": "x", "text": "hi" }), 404),
        (json!({ "toPersonId": bot, "text": "hi" }), 400),
        (json!({ "toPersonEmail": "solar-ackd@webex.bot", "text": "hi" }), 400),
        (json!({ "toPersonEmail": "other@example.com", "text": "" }), 400),
        (json!({ "toPersonEmail": "other@example.com", "text": "hi", "parentId": "x" }), 400),
    ] {
        assert_eq!(scene.post("/messages", &members).refused(), status, "{members}");
    }
    assert_eq!(scene.twin.conversations().len(), 3, "a refused message opens no room");
}

#[test]
fn a_text_has_7439_bytes_at_most() {
    let mut scene = Scene::new();
    // Two bytes each, and one to be odd.
    let longest = format!("x{}", "ü".repeat(3719));
    assert_eq!(longest.len(), 7439);
    for member in ["text", "markdown"] {
        let answer = scene.said(json!({ member: longest })).good();
        assert_eq!(answer[member], json!(longest));
        assert_eq!(scene.said(json!({ member: format!("{longest}x") })).refused(), 400);
        assert_eq!(scene.said(json!({ member: "ü".repeat(3720) })).refused(), 400);
    }
    scene.said(json!({ "text": longest, "markdown": longest })).good();
    let act = |text| Act::Say { conversation: scene.direct(), text, mentions: true };
    let (fits, too_long) = (act(longest.clone()), act(format!("{longest}x")));
    assert!(scene.twin.act(&fits, START).is_ok() && scene.twin.act(&too_long, START).is_err());
}

#[test]
fn a_message_that_webex_would_refuse_is_refused() {
    let mut scene = Scene::new();
    let (direct, unknown) = (scene.direct(), sample("messages_post_request")["roomId"].clone());
    let card = sample("messages_post_card_request")["attachments"][0].clone();
    let other = |member: &str, value: Value| {
        let mut card = card.clone();
        card[member] = value;
        json!({ "text": "x", "attachments": [card] })
    };
    for members in [
        json!({}),
        json!({ "text": "" }),
        json!({ "text": null }),
        json!({ "text": 1 }),
        json!({ "files": [] }),
        json!({ "files": ["https://x.example/a", "https://x.example/b"] }),
        json!({ "files": "https://x.example/a" }),
        json!({ "files": ["/etc/passwd"] }),
        json!({ "files": ["http://127.0.0.1/a"] }),
        json!({ "files": [format!("{API}/contents/x")] }),
        json!({ "attachments": [card] }),
        json!({ "files": ["https://x.example/a"], "attachments": [card] }),
        json!({ "text": "x", "attachments": [card, card] }),
        other("contentType", json!("application/json")),
        other("content", json!({})),
        json!({ "text": "x", "toPersonEmail": "ada@example.com" }),
        json!({ "text": "x", "parentId": "x" }),
    ] {
        assert_eq!(scene.said(members.clone()).refused(), 400, "{members}");
    }
    for (members, status) in [
        (json!({ "text": "x" }), 400),
        (json!({ "text": "x", "roomId": unknown }), 404),
        (json!({ "text": "x", "roomId": "x" }), 400),
        (json!({ "text": "x", "roomId": direct, "toPersonId": "x" }), 400),
    ] {
        assert_eq!(scene.post("/messages", &members).refused(), status, "{members}");
    }
    assert_eq!(scene.twin.bubbles(0), []);
}

#[test]
fn a_thread_hangs_from_a_top_message_of_its_room() {
    let mut scene = Scene::new();
    scene.say(scene.direct(), "one");
    let top = scene.last().id;
    let reply = scene.said(json!({ "text": "two", "parentId": top })).good();
    assert_eq!(reply["parentId"], json!(top));
    assert_eq!(scene.said(json!({ "text": "x", "parentId": reply["id"] })).refused(), 400);
    let in_group = json!({ "roomId": scene.group(), "text": "x", "parentId": top });
    assert_eq!(scene.post("/messages", &in_group).refused(), 400);
    // A person who answers a reply stays in its thread.
    let thread = reply["id"].as_str().unwrap().to_owned();
    scene.act(Act::SayInThread { conversation: scene.direct(), thread, text: "three".to_owned() });
    assert_eq!(scene.last().thread.as_ref(), Some(&top));
    let now = scene.now;
    scene.twin.delete(&top, now).unwrap();
    assert_eq!(scene.said(json!({ "text": "x", "parentId": top })).refused(), 400);
}

#[test]
fn a_file_is_handed_out_under_a_url_that_wants_the_token() {
    let mut scene = Scene::new();
    let source = "https://x.example/a.png";
    let answer = scene.said(json!({ "files": [source] })).good();
    let url = answer["files"][0].as_str().unwrap().to_owned();
    let path = url.strip_prefix(API).unwrap();
    let content = scene.get(path);
    assert_eq!((content.response.status, content.header("Location")), (302, Some(source)));
    assert_eq!(scene.request(Method::Get, path, &[], b"").refused(), 401);
    assert_eq!(scene.last().pictures, [source]);
    assert_eq!(scene.get("/contents/x").refused(), 404);
    let id = scene.last().id;
    assert_eq!(scene.call(Method::Delete, &format!("/messages/{id}"), &Value::Null).response.status, 204);
    assert_eq!(scene.get(path).refused(), 404);

    // One in a group that does not mention the bot is none of its business.
    scene.act(Act::Show { conversation: scene.group(), url: source.to_owned() });
    let id = scene.last().id;
    assert_eq!(scene.get(&format!("/messages/{id}")).refused(), 404);
}

#[test]
fn the_bot_edits_and_deletes_what_it_said_and_nothing_else() {
    let mut scene = Scene::new();
    scene.subscribe(json!({ "event": "all" }));
    let direct = scene.direct();
    let first = scene.said(json!({ "text": "14 kWh" })).good();
    let path = format!("/messages/{}", first["id"].as_str().unwrap());
    scene.wait(60);
    let answered = scene.call(Method::Put, &path, &json!({ "roomId": direct, "markdown": "**15** kWh" }));
    assert_eq!(told(&answered.dispatches)["event"], json!("updated"));
    let edited = answered.good();
    assert_eq!((&edited["text"], &edited["updated"]), (&json!("15 kWh"), &json!("2025-11-21T08:01:00.111Z")));
    assert_eq!(scene.get(&path).good(), edited);
    assert_eq!(scene.last().text, "15 kWh");
    for (members, status) in [
        (json!({ "text": "x" }), 400),
        (json!({ "roomId": direct }), 400),
        (json!({ "roomId": scene.group(), "text": "x" }), 400),
        (json!({ "roomId": direct, "text": "x".repeat(7440) }), 400),
    ] {
        assert_eq!(scene.call(Method::Put, &path, &members).refused(), status, "{members}");
    }
    let deleted = scene.call(Method::Delete, &path, &Value::Null);
    assert_eq!((deleted.response.status, &deleted.response.body[..]), (204, &b""[..]));
    assert_eq!(told(&deleted.dispatches)["event"], json!("deleted"));
    assert_eq!(scene.get(&path).refused(), 404);
    assert_eq!(scene.call(Method::Delete, &path, &Value::Null).refused(), 404);
    assert_eq!(scene.last().text, "(deleted)");

    scene.say(direct.clone(), "hi");
    let theirs = format!("/messages/{}", scene.last().id);
    assert_eq!(scene.call(Method::Delete, &theirs, &Value::Null).refused(), 403);
    assert_eq!(scene.call(Method::Put, &theirs, &json!({ "roomId": direct, "text": "x" })).refused(), 403);
    let picture = scene.said(json!({ "files": ["https://x.example/a"] })).good();
    let picture = format!("/messages/{}", picture["id"].as_str().unwrap());
    assert_eq!(scene.call(Method::Put, &picture, &json!({ "roomId": direct, "text": "x" })).refused(), 400);
}

#[test]
fn edits_and_deletions_are_told_only_to_those_who_asked() {
    let mut scene = Scene::subscribed();
    scene.say(scene.group(), "hi");
    let (id, now) = (scene.last().id, scene.now);
    assert_eq!(scene.twin.edit(&id, "ho", now), Ok(Vec::new()));
    assert_eq!(scene.fetched()["text"], json!("Solar ho"));
    assert_eq!(scene.twin.delete(&id, now), Ok(Vec::new()));
    assert_eq!(scene.twin.edit(&id, "x", now), Err("there is no such message".to_owned()));
    scene.said(json!({ "text": "mine" })).good();
    let own = scene.last().id;
    assert!(scene.twin.edit(&own, "x", now).is_err() && scene.twin.delete(&own, now).is_err());
}

#[test]
fn messages_are_listed_page_by_page_the_newest_first() {
    let mut scene = Scene::new();
    let (direct, group) = (scene.direct(), scene.group());
    for number in 0..5 {
        scene.say(direct.clone(), &number.to_string());
        scene.say(group.clone(), &number.to_string());
    }
    scene.act(Act::Say { conversation: group.clone(), text: "unheard".to_owned(), mentions: false });
    let mut texts = Vec::new();
    let mut next = Some(format!("/messages?roomId={direct}&max=2"));
    let mut pages = 0;
    while let Some(target) = next {
        let answered = scene.get(&target);
        next = answered.header("Link").map(|link| {
            let url = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
            url.strip_prefix(API).unwrap().to_owned()
        });
        let page = answered.good();
        let page = page["items"].as_array().unwrap();
        texts.extend(page.iter().map(|item| item["text"].as_str().unwrap().to_owned()));
        pages += 1;
    }
    assert_eq!((pages, texts), (3, ["4", "3", "2", "1", "0"].map(str::to_owned).to_vec()));

    assert_eq!(scene.get(&format!("/messages?roomId={group}")).refused(), 403);
    let mentioned = scene.get(&format!("/messages?roomId={group}&mentionedPeople=me")).good();
    assert_eq!(mentioned["items"].as_array().unwrap().len(), 5);
    assert_eq!(scene.get("/messages").refused(), 400);
    assert_eq!(scene.get(&format!("/messages?roomId={direct}&max=null")).refused(), 400);
}

// ---- webhooks ----

#[test]
fn webhooks_are_listed_page_by_page() {
    let mut scene = Scene::new();
    let made: Vec<String> = (0..5).map(|name| scene.subscribe(json!({ "name": name.to_string() }))).collect();
    let first = scene.get("/webhooks?max=3");
    let link = first.header("Link").unwrap();
    let next = link.strip_prefix(&format!("<{API}")).unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    let second = scene.get(&next);
    assert_eq!(second.header("Link"), None);
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!([ids(&first.json()), ids(&second.json())].concat(), made);
    assert_eq!(scene.get("/webhooks?max=5").header("Link"), None);
    assert_eq!(scene.get(&format!("{next}&max=null")).response.status, 200, "the first max counts");
    assert_eq!(scene.get("/webhooks?max=null").refused(), 400);
    assert_eq!(scene.get("/webhooks?ownedBy=org").refused(), 403);
}

#[test]
fn a_webhook_that_lacks_something_or_asks_for_what_is_not_there_is_refused() {
    let mut scene = Scene::new();
    for (member, value, status) in [
        ("name", json!(null), 400),
        ("name", json!(""), 400),
        ("targetUrl", json!(null), 400),
        ("targetUrl", json!("bot.example.com"), 400),
        ("targetUrl", json!("https://"), 400),
        ("targetUrl", json!("https://bot.example.com/a b"), 400),
        ("targetUrl", json!(format!("https://bot.example.com/{}", "x".repeat(10_000))), 400),
        ("resource", json!(null), 400),
        ("resource", json!("letters"), 400),
        ("resource", json!("all"), 400),
        ("event", json!(null), 400),
        ("event", json!("create"), 400),
        ("filter", json!("roomTyp=direct"), 400),
        ("filter", json!("roomType"), 400),
        ("secret", json!(7), 400),
        ("ownedBy", json!("org"), 403),
        ("ownedBy", json!("me"), 400),
    ] {
        let mut members = sample("webhooks_create_request");
        members[member] = value.clone();
        assert_eq!(scene.post("/webhooks", &members).refused(), status, "{member} {value}");
    }
    has_shape_of(&scene.get("/webhooks").good(), "webhooks_list_empty");
}

#[test]
fn a_webhook_that_exists_is_refused_unless_the_setting_says_otherwise() {
    let request = sample("webhooks_create_request");
    let mut scene = Scene::new();
    scene.post("/webhooks", &request).good();
    assert_eq!(scene.post("/webhooks", &request).refused(), 409);
    let mut filtered = request.clone();
    filtered["filter"] = json!("roomType=direct");
    scene.post("/webhooks", &filtered).good();

    let mut scene = Scene::with(Settings { refuses_duplicates: false, ..settings() });
    scene.post("/webhooks", &request).good();
    scene.post("/webhooks", &request).good();
    assert_eq!(scene.say(scene.direct(), "hi").len(), 2, "both are told");
}

#[test]
fn an_update_changes_name_target_and_secret_and_ignores_the_rest() {
    let mut scene = Scene::new();
    let id = scene.subscribe(json!({ "secret": "old" }));
    let path = format!("/webhooks/{id}");
    let mut members = sample("webhooks_update_request");
    has_shape_of(&scene.call(Method::Put, &path, &members).good(), "webhooks_create_response");
    members["resource"] = json!("rooms");
    members["targetUrl"] = json!("https://new.example.com/");
    let updated = scene.call(Method::Put, &path, &members).good();
    assert_eq!((&updated["resource"], &updated["secret"]), (&json!("messages"), &json!(SECRET)));
    assert_eq!(scene.say(scene.direct(), "hi")[0].url, "https://new.example.com/");
    for (member, value) in [("name", json!(null)), ("targetUrl", json!("")), ("status", json!("inactive"))] {
        let mut members = sample("webhooks_update_request");
        members[member] = value;
        assert_eq!(scene.call(Method::Put, &path, &members).refused(), 400, "{member}");
    }
    // Without a secret it keeps the one it has.
    members.as_object_mut().unwrap().remove("secret");
    assert_eq!(scene.call(Method::Put, &path, &members).good()["secret"], json!(SECRET));
    assert_eq!(scene.call(Method::Put, "/webhooks/x", &members).refused(), 404);
}

#[test]
fn a_deleted_webhook_is_told_nothing_more() {
    let mut scene = Scene::new();
    let id = scene.subscribe(json!({}));
    let path = format!("/webhooks/{id}");
    let dispatches = scene.say(scene.direct(), "hi");
    let deleted = scene.call(Method::Delete, &path, &Value::Null);
    assert_eq!((deleted.response.status, &deleted.response.body[..]), (204, &b""[..]));
    scene.fail(&dispatches[0]);
    assert_eq!(scene.say(scene.direct(), "hi"), []);
    assert_eq!(scene.get(&path).refused(), 404);
    assert_eq!(scene.call(Method::Delete, &path, &Value::Null).refused(), 404);
}

#[test]
fn a_hundred_failures_switch_a_webhook_off_and_it_comes_back_on_trial() {
    let mut scene = Scene::new();
    let id = scene.subscribe(json!({}));
    for number in 1..=100 {
        assert_eq!(scene.status(&id), "active", "after {} failures", number - 1);
        let dispatches = scene.say(scene.direct(), "hi");
        scene.fail(&dispatches[0]);
        scene.wait(2);
    }
    assert_eq!(scene.status(&id), "inactive");
    has_shape_of(&scene.get("/webhooks").good(), "webhooks_list_inactive");
    assert_eq!(scene.say(scene.direct(), "lost"), []);
    scene.wait(3600);
    assert_eq!(scene.status(&id), "inactive", "nobody switches it on again");

    let members = sample("webhooks_update_request");
    let path = format!("/webhooks/{id}");
    for (wait, expected) in [(299, "inactive"), (301, "active")] {
        assert_eq!(scene.call(Method::Put, &path, &members).good()["status"], json!("active"));
        scene.wait(wait);
        let dispatches = scene.say(scene.direct(), "hi");
        scene.fail(&dispatches[0]);
        assert_eq!(scene.status(&id), expected, "a failure after {wait} s");
    }
}

#[test]
fn an_update_without_the_status_leaves_a_webhook_off() {
    let mut scene = Scene::new();
    let id = scene.subscribe(json!({}));
    let dispatches = scene.say(scene.direct(), "hi");
    for _ in 0..100 {
        scene.fail(&dispatches[0]);
    }
    let mut members = sample("webhooks_update_request");
    members.as_object_mut().unwrap().remove("status");
    let updated = scene.call(Method::Put, &format!("/webhooks/{id}"), &members).good();
    assert_eq!(updated["status"], json!("inactive"));
}

#[test]
fn a_late_or_refused_delivery_counts_as_failed_and_a_good_one_does_not() {
    for (status, took, expected) in [
        (200, Duration::ZERO, "active"),
        (204, PATIENCE, "active"),
        (200, PATIENCE + Duration::from_millis(1), "inactive"),
        (401, Duration::ZERO, "inactive"),
    ] {
        let mut scene = Scene::new();
        let id = scene.subscribe(json!({}));
        for _ in 0..100 {
            let dispatches = scene.say(scene.direct(), "hi");
            let number = scene.last().number;
            let end = End::Answered { status, body: b"ok".to_vec(), took };
            assert_eq!(scene.twin.ended(&dispatches[0], &end, scene.now), []);
            assert!(scene.last().number > number, "its bubble is shown again");
        }
        assert_eq!(scene.status(&id), expected, "{status} after {took:?}");
    }
}

#[test]
fn a_filter_lets_through_what_it_names() {
    let mut scene = Scene::with(Settings {
        people: vec![Member::new("Ada Example", "ada@example.com"), Member::new("Bob", "bob@example.com")],
        ..settings()
    });
    let (direct, group) = (scene.direct(), scene.group());
    scene.say(direct.clone(), "hi");
    let ada = scene.fetched()["personId"].as_str().unwrap().to_owned();
    let bobs = scene.twin.conversations()[1].id.clone();
    let url = "https://x.example/a.png".to_owned();
    let acts = [
        Act::Say { conversation: direct.clone(), text: "hi".to_owned(), mentions: true },
        Act::Say { conversation: bobs, text: "hi".to_owned(), mentions: true },
        Act::Say { conversation: group.clone(), text: "hi".to_owned(), mentions: true },
        Act::Show { conversation: direct.clone(), url },
    ];
    for (filter, expected) in [
        ("roomType=direct".to_owned(), "yyny"),
        ("roomType=group".to_owned(), "nnyn"),
        (format!("roomId={group}"), "nnyn"),
        (format!("personId={ada}"), "ynyy"),
        ("personEmail=bob@example.com".to_owned(), "nynn"),
        ("mentionedPeople=me".to_owned(), "nnyn"),
        ("hasFiles=true".to_owned(), "nnny"),
        ("hasFiles=false&roomType=direct".to_owned(), "yynn"),
        ("hasAttachments=true".to_owned(), "nnnn"),
    ] {
        let id = scene.subscribe(json!({ "filter": filter }));
        let mut heard = String::new();
        for act in &acts {
            let dispatches = scene.act(act.clone());
            heard.push(if dispatches.is_empty() { 'n' } else { 'y' });
            for dispatch in &dispatches {
                assert_eq!(told(std::slice::from_ref(dispatch))["filter"], json!(filter));
            }
        }
        assert_eq!(heard, expected, "{filter}");
        scene.call(Method::Delete, &format!("/webhooks/{id}"), &Value::Null);
    }
    scene.subscribe(json!({ "filter": "roomType=direct" }));
    has_shape_of(&told(&scene.say(direct, "hi")), "message_created_filtered");
}

#[test]
fn a_webhook_for_all_is_told_what_really_happened() {
    let mut scene = Scene::new();
    scene.subscribe(json!({ "resource": "all", "event": "all" }));
    let notification = told(&scene.say(scene.direct(), "hi"));
    assert_eq!((&notification["resource"], &notification["event"]), (&json!("messages"), &json!("created")));
    let (_, dispatches) = scene.twin.new_room("Cellar", START).unwrap();
    assert_eq!(told(&dispatches)["resource"], json!("memberships"));
}

// ---- the whole ----

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let life = |seed| {
        let mut scene = Scene::with(Settings { seed, ..settings() });
        scene.subscribe(json!({}));
        scene.say(scene.group(), "hi").remove(0).body
    };
    assert_eq!(life(1), life(1));
    assert_ne!(life(1), life(2));
}

#[test]
fn an_act_that_cannot_be_says_why() {
    let mut scene = Scene::new();
    let direct = scene.direct();
    for act in [
        Act::Say { conversation: "x".to_owned(), text: "hi".to_owned(), mentions: true },
        Act::Say { conversation: direct.clone(), text: " \n".to_owned(), mentions: true },
        Act::SayInThread { conversation: direct.clone(), thread: "x".to_owned(), text: "hi".to_owned() },
        Act::Show { conversation: direct.clone(), url: "a.png".to_owned() },
        Act::Tap { conversation: direct, bubble: "x".to_owned(), choice: 0 },
    ] {
        assert!(scene.twin.act(&act, START).is_err_and(|why| !why.is_empty()), "{act:?}");
    }
    assert_eq!(scene.twin.bubbles(0), []);
}

#[test]
fn it_keeps_up_with_a_load_test() {
    let mut scene = Scene::subscribed();
    let direct = scene.direct();
    let began = std::time::Instant::now();
    const EVENTS: u32 = 2000;
    for _ in 0..EVENTS {
        let dispatches = scene.say(direct.clone(), "how much today?");
        let id = told(&dispatches)["data"]["id"].as_str().unwrap().to_owned();
        scene.get(&format!("/messages/{id}")).good();
        scene.said(json!({ "text": "14.2 kWh today" })).good();
        let end = End::Answered { status: 200, body: Vec::new(), took: Duration::ZERO };
        scene.twin.ended(&dispatches[0], &end, scene.now);
    }
    println!(
        "{} µs for a message, its lookup, its answer and both notifications",
        began.elapsed().as_micros() / u128::from(EVENTS)
    );
    assert_eq!(scene.twin.bubbles(0).len(), 2 * EVENTS as usize);
}
