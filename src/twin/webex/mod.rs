//! A stand-in for Webex, as strict as the real one: people, rooms, messages, webhooks (webex.md, section by section).
//!
//!     acts.rs     a person writes, shows, taps ──▶ a message is kept ──▶ notify.rs: the webhooks are told, without text
//!     mod.rs      a call of the API ──▶ call.rs takes it apart ──▶ people, rooms, messages, webhooks; posts.rs writes
//!     upload.rs   a message with a file in it
//!     refusal.rs  what is said instead of yes
//!     markup.rs   mentions and markdown         card.rs   adaptive cards         id.rs   ids by a seed
//!
//! Pure: it is handed requests, acts and the time, and draws its ids from a seed. Where Webex is not documented it
//! takes what it gets. Nothing is delivered twice of its own accord: a delivery that failed is lost and counted (§5).

mod acts;
mod call;
mod card;
mod id;
mod markup;
mod messages;
mod notify;
mod people;
mod posts;
mod refusal;
mod rooms;
mod upload;
mod webhooks;

pub use notify::PATIENCE;

use super::{Act, Bubble, Conversation, Dispatch, End, Mishap, Reaction, Twin};
use crate::model::{Method, Moment, Request, Response, Secret};
use call::{Page, Query, found};
use id::{Ids, written};
use messages::{Message, Messages};
use notify::Outbox;
use people::People;
use refusal::Refused;
use rooms::Rooms;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::time::Duration;
use webhooks::Webhooks;

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The display name.
    pub name: String,
    pub email: String,
}

impl Member {
    /// Somebody of this name and address.
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Member {
        Member { name: name.into(), email: email.into() }
    }
}

/// What a refusal for too many calls says of the wait, in its `Retry-After` (webex.md §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// The seconds that are left, as Webex documents it.
    Right,
    /// Nothing at all.
    Missing,
    /// Something that is neither seconds nor a date.
    Nonsense,
    /// Less than is left: whoever believes it is refused again.
    TooSoon,
}

impl RetryAfter {
    /// The header's value, when `left` is left.
    fn value(self, left: Duration) -> Option<String> {
        match self {
            RetryAfter::Right => Some(left.as_millis().div_ceil(1000).to_string()),
            RetryAfter::Missing => None,
            RetryAfter::Nonsense => Some("a while".to_owned()),
            RetryAfter::TooSoon => Some("0".to_owned()),
        }
    }
}

/// What a stand-in is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it is called among the twins.
    pub name: String,
    /// The bot's token.
    pub access_token: Secret,
    /// Where the bot finds the API; links in answers begin with it.
    pub api: String,
    pub bot: Member,
    /// Each has a direct room with the bot, and all are in the group room.
    pub people: Vec<Member>,
    /// The group room's title.
    pub group: String,
    /// Of what ids are drawn.
    pub seed: u64,
    /// Whether a webhook that exists already is refused with 409 (webex.md §4, seen in public reports only).
    pub refuses_duplicates: bool,
    /// Whether the HTML of a mention has the bare uuid instead of the whole id; Webex writes both (webex.md §7).
    pub bare_mentions: bool,
    /// Whether files may lie where Webex itself could not fetch them: at an address of this house or this machine.
    pub private_files: bool,
    /// What refusals for too many calls say of the wait, in turn.
    pub retry_after: Vec<RetryAfter>,
}

impl Settings {
    /// A bot named Solar, a person named Ada, a direct room and a group room.
    pub fn new(name: impl Into<String>, access_token: Secret, api: impl Into<String>) -> Settings {
        Settings {
            name: name.into(),
            access_token,
            api: api.into().trim_end_matches('/').to_owned(),
            bot: Member::new("Solar", "solar-ackd@webex.bot"),
            people: vec![Member::new("Ada Example", "ada@example.com")],
            group: "Roof".to_owned(),
            seed: 1,
            refuses_duplicates: true,
            bare_mentions: false,
            private_files: false,
            retry_after: vec![RetryAfter::Right],
        }
    }
}

/// The stand-in.
#[derive(Debug)]
pub struct Webex {
    settings: Settings,
    ids: Ids,
    people: People,
    rooms: Rooms,
    messages: Messages,
    /// Submitted cards by id, the oldest first.
    actions: VecDeque<(String, Submitted)>,
    webhooks: Webhooks,
    outbox: Outbox,
    /// Refusals for too many calls so far.
    limited: usize,
}

/// A card that somebody sent off.
#[derive(Clone, Debug)]
struct Submitted {
    message: String,
    person: String,
    room: String,
    inputs: Map<String, Value>,
    created: Moment,
}

impl Webex {
    /// A Webex with nothing said yet.
    pub fn new(settings: Settings, now: Moment) -> Webex {
        let ids = Ids::new(settings.seed);
        let people = People::new(&settings.bot, &settings.people, &ids, now);
        let mut rooms = Rooms::default();
        for person in &people.others {
            rooms.open(&person.name, false, &[person, &people.bot], &ids, now);
        }
        let everybody: Vec<_> = people.others.iter().chain([&people.bot]).collect();
        rooms.open(&settings.group, true, &everybody, &ids, now);
        Webex {
            settings,
            ids,
            people,
            rooms,
            messages: Messages::default(),
            actions: VecDeque::new(),
            webhooks: Webhooks::default(),
            outbox: Outbox::default(),
            limited: 0,
        }
    }

    /// What it is called among the twins.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// A refusal for too many calls (429), with `Retry-After` as given: seconds, nonsense, or none.
    pub fn limited(&self, retry_after: Option<&str>) -> Response {
        let response = self.broken(429);
        match retry_after {
            Some(value) => response.with("Retry-After", value.to_owned()),
            None => response,
        }
    }

    /// A refusal as if the token had been regenerated.
    pub fn token_expired(&self) -> Response {
        self.broken(401)
    }

    /// A failure of Webex's own with this status. 423 says how long to wait; 502 is a gateway's page and no JSON.
    pub fn broken(&self, status: u16) -> Response {
        let tracking = self.ids.tracking();
        refusal::fault(status, &tracking).with("trackingId", tracking)
    }

    fn call(&mut self, request: &Request, now: Moment, told: &mut Vec<Dispatch>) -> Result<Response, Refused> {
        if call::token(request) != Some(self.settings.access_token.expose()) {
            return Err(Refused::token());
        }
        let path = call::path(request);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match request.head.method {
            Method::Get | Method::Head => self.read(&path, request),
            Method::Post => match *path {
                ["webhooks"] => {
                    let strict = self.settings.refuses_duplicates;
                    self.webhooks.create(&call::members(request)?, strict, &self.people, &self.ids, now)
                }
                ["messages"] => {
                    let (members, upload) = upload::members(request)?;
                    self.post(&members, upload, now, told)
                }
                ["attachment", "actions"] => Err(Refused::forbidden("A bot cannot submit a card.")),
                _ => Err(no_such(&path)),
            },
            Method::Put => match *path {
                ["webhooks", id] => self.webhooks.update(id, &call::members(request)?, &self.people, now),
                ["messages", id] => self.edit_own(id, &call::members(request)?, now, told),
                _ => Err(no_such(&path)),
            },
            Method::Delete => match *path {
                ["webhooks", id] => self.webhooks.delete(id),
                ["messages", id] => self.delete_own(id, now, told),
                _ => Err(no_such(&path)),
            },
            _ => Err(no_such(&path)),
        }
    }

    /// Calls that change nothing.
    fn read(&self, path: &[&str], request: &Request) -> Result<Response, Refused> {
        let query = &Query::new(request.head.query());
        let page = |turn| {
            let url = format!("{}/{}", self.settings.api, path.join("/"));
            Page { url, query, turn }
        };
        match *path {
            ["people"] => self.people.list(query),
            ["people", id] => self.people.one(id),
            ["rooms"] => self.rooms.list(&page(rooms::CURSOR), query, &self.people),
            ["rooms", id] => self.rooms.one(id, &self.people),
            ["memberships"] => self.rooms.memberships(&page(rooms::CURSOR), query, &self.people),
            ["webhooks"] => self.webhooks.list(&page(rooms::CURSOR), query, &self.people),
            ["webhooks", id] => self.webhooks.one(id, &self.people),
            ["messages"] => {
                let room = query.get("roomId").ok_or_else(|| Refused::bad("roomId is missing."))?;
                let room = self.rooms.visible(room, &self.people)?;
                self.messages.list(&page(messages::BEFORE), query, room, &self.people)
            }
            ["messages", id] => self.readable(id).map(|message| found(&message.shown())),
            ["contents", id] => self.content(id),
            ["attachment", "actions", id] => self.action(id),
            _ => Err(no_such(path)),
        }
    }

    /// A message that the bot may see; any other is not there (webex.md §7).
    fn readable(&self, id: &str) -> Result<&Message, Refused> {
        if !id::is_id(id) {
            return Err(Refused::no_id());
        }
        let message = self.messages.get(id).ok_or_else(Refused::not_found)?;
        self.rooms.visible(&message.room, &self.people)?;
        if message.concerns(&self.people.bot.id) { Ok(message) } else { Err(Refused::not_found()) }
    }

    /// A file: one that was uploaded, or the way to where it really is.
    fn content(&self, id: &str) -> Result<Response, Refused> {
        let (message, source) = self.messages.file(id).ok_or_else(Refused::not_found)?;
        self.readable(&message.id)?;
        if let Some(uploaded) = upload::response(source) {
            return Ok(uploaded);
        }
        Ok(Response { content_type: "", ..Response::text(302, "") }.with("Location", source.to_owned()))
    }

    /// `GET /attachment/actions/{id}`: what somebody filled in.
    fn action(&self, id: &str) -> Result<Response, Refused> {
        let (_, submitted) = self.actions.iter().find(|(action, _)| action == id).ok_or_else(Refused::not_found)?;
        self.rooms.visible(&submitted.room, &self.people)?;
        Ok(found(&json!({
            "id": id,
            "type": "submit",
            "messageId": submitted.message,
            "inputs": submitted.inputs,
            "personId": submitted.person,
            "roomId": submitted.room,
            "created": written(submitted.created),
        })))
    }
}

/// A path that is not there, or not for this method.
fn no_such(path: &[&str]) -> Refused {
    match path {
        ["people" | "rooms" | "contents", _] | ["people" | "rooms" | "memberships"] | ["attachment", "actions", _] => {
            Refused::method("GET")
        }
        ["webhooks" | "messages"] => Refused::method("GET, POST"),
        ["webhooks" | "messages", _] => Refused::method("GET, PUT, DELETE"),
        ["attachment", "actions"] => Refused::method("POST"),
        _ => Refused::not_found(),
    }
}

impl Twin for Webex {
    fn platform(&self) -> &'static str {
        "webex"
    }

    fn conversations(&self) -> Vec<Conversation> {
        let conversation = |room: &rooms::Room| Conversation {
            id: room.id.clone(),
            title: room.title.clone(),
            platform: "webex",
            group: room.group,
        };
        self.rooms.iter().map(conversation).collect()
    }

    fn people(&self) -> Vec<String> {
        self.people.others.iter().map(|person| person.id.clone()).collect()
    }

    fn act(&mut self, act: &Act, now: Moment) -> Result<Vec<Dispatch>, String> {
        match act {
            Act::Say { conversation, text, mentions } => self.write(conversation, text, *mentions, None, now),
            Act::SayInThread { conversation, thread, text } => self.write(conversation, text, true, Some(thread), now),
            Act::Show { conversation, url } => self.show(conversation, url, now),
            Act::Tap { conversation, bubble, choice } => {
                let here = self.messages.get(bubble).is_some_and(|message| message.room == *conversation);
                if !here {
                    return Err("there is no such message in this room".to_owned());
                }
                self.submit(bubble, *choice, &Map::new(), now)
            }
        }
    }

    fn answer(&mut self, request: &Request, now: Moment) -> Reaction {
        let tracking = self.ids.tracking();
        let mut dispatches = Vec::new();
        let answer = self.call(request, now, &mut dispatches);
        let response = answer.unwrap_or_else(|refused| refused.response(&tracking));
        Reaction { response: response.with("trackingId", tracking), dispatches }
    }

    fn mishap(&mut self, mishap: Mishap, _now: Moment) -> Response {
        match mishap {
            Mishap::Busy { left } => {
                let turn = self.limited.checked_rem(self.settings.retry_after.len());
                let says = turn.and_then(|turn| self.settings.retry_after.get(turn));
                self.limited = self.limited.wrapping_add(1);
                self.limited(says.and_then(|says| says.value(left)).as_deref())
            }
            Mishap::TokenExpired => self.token_expired(),
            Mishap::Broken => self.broken(500),
            // Webex verifies no address; it is asked of nobody here.
            Mishap::Unverified => self.broken(400),
        }
    }

    /// A room's notifications go one after another, those of different rooms side by side.
    fn lane(&self, dispatch: &Dispatch) -> u64 {
        self.outbox.told(dispatch.number).map_or(0, |told| told.lane)
    }

    fn is_satisfied(&self, _dispatch: &Dispatch, end: &End) -> bool {
        notify::went_well(end)
    }

    /// Nothing is sent again: a failure counts against the webhook, and that is all.
    fn ended(&mut self, dispatch: &Dispatch, end: &End, now: Moment) -> Vec<Dispatch> {
        let Some(told) = self.outbox.told(dispatch.number) else { return Vec::new() };
        if let Some(webhook) = self.webhooks.get_mut(&told.webhook)
            && !notify::went_well(end)
        {
            webhook.failed(now);
        }
        if let Some(message) = &told.message {
            self.messages.change(message, |_| ());
        }
        Vec::new()
    }

    fn bubbles(&self, after: u64) -> Vec<Bubble> {
        self.messages.bubbles(after, &self.people.bot.id)
    }
}
