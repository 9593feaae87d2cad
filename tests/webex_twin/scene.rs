//! The stand-in with a clock, short ways to use both, and what the shape of a sample is.

use crate::head::head;
use ackd::model::{Method, Moment, Request, Response, Secret};
use ackd::twin::webex::{Settings, Webex};
use ackd::twin::{Act, Bubble, Dispatch, End, Twin};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

pub const TOKEN: &str = "bot-token";
pub const SECRET: &str = "86dacc007724d8ea666f88fc77d918dad9537a15";
pub const API: &str = "http://127.0.0.1:4000/space";
pub const START: Moment = Moment(1_763_712_000_111);
pub const JSON: &str = "application/json; charset=utf-8";

/// The stand-in, a clock, and short ways to use both.
pub struct Scene {
    pub twin: Webex,
    pub now: Moment,
}

/// What a call came to.
pub struct Answered {
    pub response: Response,
    pub dispatches: Vec<Dispatch>,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.response.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.response, name)
    }

    /// The body of a success.
    pub fn good(self) -> Value {
        assert_eq!(self.response.status, 200, "{}", String::from_utf8_lossy(&self.response.body));
        self.json()
    }

    /// The status of a refusal that is told as Webex tells it.
    pub fn refused(&self) -> u16 {
        let body = self.json();
        assert_eq!(body["trackingId"].as_str(), self.header("trackingId"));
        assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
        assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{body}");
        assert!(self.dispatches.is_empty());
        self.response.status
    }
}

pub fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(is, _)| *is == name).map(|(_, value)| &**value)
}

pub fn settings() -> Settings {
    Settings::new("space", Secret::new(TOKEN), API)
}

impl Scene {
    pub fn new() -> Scene {
        Scene::with(settings())
    }

    pub fn with(settings: Settings) -> Scene {
        Scene { twin: Webex::new(settings, START), now: START }
    }

    /// A scene whose bot has heard of messages, cards and rooms.
    pub fn subscribed() -> Scene {
        let mut scene = Scene::new();
        for resource in ["messages", "attachmentActions", "memberships"] {
            scene.subscribe(json!({ "resource": resource }));
        }
        scene
    }

    /// Makes a webhook; `change` is put over the usual members. Gives its id.
    pub fn subscribe(&mut self, change: Value) -> String {
        let mut members = sample("webhooks_create_request");
        members["name"] = json!(change.to_string());
        members.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        self.post("/webhooks", &members).good()["id"].as_str().unwrap().to_owned()
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    pub fn request(&mut self, method: Method, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        let request = Request { head: head(method, target, headers), body: body.to_vec() };
        let reaction = self.twin.answer(&request, self.now);
        assert!(header(&reaction.response, "trackingId").unwrap().starts_with("ROUTER_"));
        Answered { response: reaction.response, dispatches: reaction.dispatches }
    }

    pub fn call(&mut self, method: Method, target: &str, body: &Value) -> Answered {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("Authorization", &*bearer), ("Content-Type", JSON)];
        self.request(method, target, &headers, body.to_string().as_bytes())
    }

    pub fn get(&mut self, target: &str) -> Answered {
        let bearer = format!("Bearer {TOKEN}");
        self.request(Method::Get, target, &[("authorization", &*bearer)], b"")
    }

    pub fn post(&mut self, target: &str, body: &Value) -> Answered {
        self.call(Method::Post, target, body)
    }

    /// `POST /messages` into the direct room, with `members` beside the room's id.
    pub fn said(&mut self, members: Value) -> Answered {
        let mut body = json!({ "roomId": self.direct() });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.post("/messages", &body)
    }

    pub fn room(&self, group: bool) -> String {
        self.twin.conversations().into_iter().find(|room| room.group == group).unwrap().id
    }

    pub fn direct(&self) -> String {
        self.room(false)
    }

    pub fn group(&self) -> String {
        self.room(true)
    }

    pub fn act(&mut self, act: Act) -> Vec<Dispatch> {
        self.twin.act(&act, self.now).unwrap()
    }

    pub fn say(&mut self, conversation: String, text: &str) -> Vec<Dispatch> {
        self.act(Act::Say { conversation, text: text.to_owned(), mentions: true })
    }

    /// What was said last.
    pub fn last(&self) -> Bubble {
        self.twin.bubbles(0).pop().unwrap()
    }

    /// The message that was said last, as the API has it.
    pub fn fetched(&mut self) -> Value {
        let id = self.last().id;
        self.get(&format!("/messages/{id}")).good()
    }

    pub fn fail(&mut self, dispatch: &Dispatch) {
        let retries = self.twin.ended(dispatch, &End::Failed { why: "connection refused".to_owned() }, self.now);
        assert_eq!(retries, [], "Webex repeats nothing");
    }

    pub fn status(&mut self, webhook: &str) -> String {
        self.get(&format!("/webhooks/{webhook}")).good()["status"].as_str().unwrap().to_owned()
    }

    pub fn bot(&mut self) -> String {
        self.get("/people/me").good()["id"].as_str().unwrap().to_owned()
    }
}

pub fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webex").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(&path).unwrap_or_else(|fault| panic!("{name}: {fault}"))).unwrap()
}

/// Each member's path and kind. Members below one that `open` names may be any.
pub fn shape(value: &Value, open: &str) -> BTreeSet<String> {
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
pub fn kind(text: &str) -> String {
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
pub fn named(id: &str) -> Option<String> {
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

pub fn told(dispatches: &[Dispatch]) -> Value {
    assert_eq!(dispatches.len(), 1, "{dispatches:?}");
    serde_json::from_slice(&dispatches[0].body).unwrap()
}

pub fn has_shape_of(is: &Value, name: &str) {
    let open = if name.starts_with("attachment_action_get") { ".inputs" } else { "" };
    assert_eq!(shape(is, open), shape(&sample(name), open), "{name}: {is:#}");
}
