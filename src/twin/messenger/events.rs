//! What people do and what the page said, as events for the webhook (messenger.md §3), and as bubbles.

use super::chat::Tap;
use super::check::Spoken;
use super::wire::{self, Attachment, Delivery, Entry, Event, Message, Party, QuickReply, ReplyTo, What};
use super::{Messenger, Open};
use crate::limits::PERSON_TEXT_CHARS_MAX;
use crate::model::{Method, Moment};
use crate::twin::{Act, Bubble, Dispatch, Side};
use serde_json::{Value, json};

/// What a person did, checked.
struct Deed {
    person: String,
    what: What,
    text: String,
    pictures: Vec<String>,
    thread: Option<String>,
    /// The bubble whose quick replies are used up.
    uses_up: Option<String>,
}

impl Messenger {
    /// People do this, one after another, and the bot is told in one delivery.
    pub(super) fn tell(&mut self, acts: &[Act], now: Moment) -> Result<Vec<Dispatch>, String> {
        let deeds = acts.iter().map(|act| self.deed(act, now)).collect::<Result<Vec<_>, _>>()?;
        let deeds: Vec<Deed> = deeds.into_iter().flatten().collect();
        let Some(lane) = deeds.first().map(|deed| lane(&deed.person)) else { return Ok(Vec::new()) };
        let (mut events, mut bubbles) = (Vec::new(), Vec::new());
        for deed in deeds {
            let (bubble, told) = self.done(deed, now);
            bubbles.push(bubble);
            events.extend(told);
        }
        let dispatch = self.dispatch(events, lane, bubbles.clone(), now, now);
        let number = dispatch.as_ref().map(|dispatch| dispatch.number);
        bubbles.iter().for_each(|bubble| self.chat.change(bubble, |bubble| bubble.dispatch = number));
        Ok(dispatch.into_iter().collect())
    }

    /// What an act says, or why it cannot be. Nothing when it is something that no bot hears of.
    fn deed(&mut self, act: &Act, now: Moment) -> Result<Option<Deed>, String> {
        let (Act::Say { conversation, .. }
        | Act::SayInThread { conversation, .. }
        | Act::Show { conversation, .. }
        | Act::Tap { conversation, .. }) = act;
        if self.person(conversation).is_none() {
            let people: Vec<_> = self.settings.people.iter().map(|person| &*person.id).collect();
            return Err(format!("{conversation:?} is nobody here; write one of {}", people.join(", ")));
        }
        let mid = self.mid(now);
        let message = Message { mid: mid.clone(), ..Message::default() };
        let person = conversation.clone();
        let deed = |what, text: &str| Deed {
            person,
            what,
            text: text.to_owned(),
            pictures: Vec::new(),
            thread: None,
            uses_up: None,
        };
        Ok(Some(match act {
            Act::Say { text, .. } => {
                let said = says(text)?;
                deed(What::Message(Message { text: Some(said), ..message }), text)
            }
            Act::SayInThread { text, thread, .. } => {
                if !self.chat.has(conversation, thread) {
                    return Err(format!("{thread:?} is no message of this conversation; nobody can answer it"));
                }
                let reply_to = Some(ReplyTo { mid: thread.clone() });
                let what = What::Message(Message { text: Some(says(text)?), reply_to, ..message });
                Deed { thread: Some(thread.clone()), ..deed(what, text) }
            }
            Act::Show { url, .. } => {
                let attachment = Attachment { title: None, url: None, kind: kind(url), payload: json!({ "url": url }) };
                let what = What::Message(Message { attachments: vec![attachment], ..message });
                Deed { pictures: vec![url.clone()], ..deed(what, "") }
            }
            Act::Tap { bubble, choice, .. } => match self.chat.tap(conversation, bubble, *choice) {
                None => return Err(format!("message {bubble:?} offers no choice {choice}")),
                Some(Tap::Nothing) => return Ok(None),
                Some(Tap::Postback { title, payload }) => {
                    deed(What::Postback { mid, title: title.clone(), payload }, &title)
                }
                Some(Tap::QuickReply { text, payload }) => {
                    let quick_reply = Some(QuickReply { payload });
                    let what = What::Message(Message { text: Some(text.clone()), quick_reply, ..message });
                    Deed { uses_up: Some(bubble.clone()), ..deed(what, &text) }
                }
            },
        }))
    }

    /// It is done: the window is open, the chat shows it. Gives the bubble's id, and the event where it is told.
    fn done(&mut self, deed: Deed, now: Moment) -> (String, Option<Event>) {
        if let Some(person) = self.settings.people.iter_mut().find(|person| person.id == deed.person) {
            person.last_act = Some(now);
        }
        if let Some(bubble) = &deed.uses_up {
            self.chat.use_up(bubble);
        }
        let (What::Message(Message { mid, .. }) | What::Postback { mid, .. }) = &deed.what else {
            return (String::new(), None);
        };
        let bubble = Bubble {
            id: mid.clone(),
            text: deed.text,
            pictures: deed.pictures,
            thread: deed.thread,
            ..bare(Side::Person, deed.person.clone(), now)
        };
        let id = mid.clone();
        self.chat.show(bubble, Vec::new());
        let page = self.settings.page_id.clone();
        (id, Some(event(deed.person, page, deed.what, now)))
    }

    /// The page said something to a person: shows it, and tells the app what it is subscribed to.
    pub(super) fn said(&mut self, to: &str, is_person: bool, mid: &str, spoken: Spoken, now: Moment) -> Vec<Dispatch> {
        for sign in ["typing", "seen"] {
            self.chat.forget(&sign_id(sign, to));
        }
        let is_template = spoken.attachments.iter().any(|attachment| attachment.kind == "template");
        let echo = Message {
            mid: mid.to_owned(),
            is_echo: Some(true),
            app_id: Some(app_id(&self.settings.app_id)),
            metadata: spoken.metadata.clone(),
            text: spoken.text.clone().filter(|_| !is_template),
            attachments: spoken.attachments,
            ..Message::default()
        };
        let bubble = Bubble {
            id: mid.to_owned(),
            text: spoken.text.unwrap_or_default(),
            pictures: spoken.pictures,
            cards: spoken.cards,
            choices: spoken.choices,
            metadata: spoken.metadata,
            thread: spoken.thread,
            ..bare(Side::Bot, to.to_owned(), now)
        };
        self.chat.show(bubble, spoken.taps);
        if !is_person {
            return Vec::new();
        }
        let page = self.settings.page_id.clone();
        let delivered = now.after(self.settings.receipts_after);
        let read = delivered.after(self.settings.receipts_after);
        let receipts = [
            (event(page.clone(), to.to_owned(), What::Message(echo), now), now),
            (
                event(
                    to.to_owned(),
                    page.clone(),
                    What::Delivery { mids: vec![mid.to_owned()], watermark: now.0 },
                    delivered,
                ),
                delivered,
            ),
            (event(to.to_owned(), page, What::Read { watermark: now.0 }, read), read),
        ];
        let lane = lane(to);
        receipts.into_iter().filter_map(|(event, due)| self.dispatch(vec![event], lane, Vec::new(), due, due)).collect()
    }

    /// The bot shows that it has seen, or that it types.
    pub(super) fn signs(&mut self, to: &str, sign: &'static str, now: Moment) {
        let (id, shown) = match sign {
            "over" => (sign_id("typing", to), sign),
            other => (sign_id(other, to), other),
        };
        let bubble = Bubble { id, sign: Some(shown), ..bare(Side::Bot, to.to_owned(), now) };
        self.chat.show(bubble, Vec::new());
    }

    /// One delivery of these events, without those that the app does not want; nothing when there are none.
    fn dispatch(
        &mut self,
        mut events: Vec<Event>,
        lane: u64,
        bubbles: Vec<String>,
        due: Moment,
        sent: Moment,
    ) -> Option<Dispatch> {
        let callback = self.callback.as_ref().filter(|callback| callback.active)?;
        events.retain(|event| self.fields.iter().any(|field| field == event.what.field()));
        if events.is_empty() {
            return None;
        }
        let entry = Entry { time: sent.0, id: &self.settings.page_id, messaging: events };
        let body = wire::bytes(&Delivery { object: "page", entry: vec![entry] });
        let headers = vec![
            ("User-Agent", "facebookexternalua".to_owned()),
            ("X-Hub-Signature-256", wire::signature(&self.key, &body)),
        ];
        let (url, patience) = (callback.url.clone(), self.settings.patience);
        let number = self.number(Open::Told { lane, bubbles });
        Some(Dispatch { number, attempt: 1, due, method: Method::Post, url, headers, body, patience })
    }
}

/// A person's lane: their id is a number.
fn lane(person: &str) -> u64 {
    person.bytes().fold(0, |lane: u64, byte| lane.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

fn sign_id(sign: &str, person: &str) -> String {
    format!("{sign}:{person}")
}

fn says(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("a message without a text says nothing; write something".to_owned());
    }
    if text.chars().count() > PERSON_TEXT_CHARS_MAX {
        return Err(format!("nobody can write more than {PERSON_TEXT_CHARS_MAX} characters at once"));
    }
    Ok(text.to_owned())
}

fn event(sender: String, recipient: String, what: What, now: Moment) -> Event {
    Event { sender: Party { id: sender }, recipient: Party { id: recipient }, timestamp: now.0, what }
}

fn app_id(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| Value::from(id), Value::from)
}

/// What kind of attachment a URL is, by its ending.
fn kind(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    // Meta's voice messages are mp4, too, and named so.
    let is_voice = path.rsplit('/').next().is_some_and(|name| name.starts_with("audioclip"));
    let kind = match &*ending {
        "mp4" if is_voice => "audio",
        "png" | "jpg" | "jpeg" | "gif" | "webp" => "image",
        "mp4" | "mov" | "webm" => "video",
        "mp3" | "m4a" | "ogg" | "wav" => "audio",
        _ => "file",
    };
    kind.to_owned()
}

fn bare(side: Side, conversation: String, at: Moment) -> Bubble {
    Bubble {
        number: 0,
        born: 0,
        id: String::new(),
        conversation,
        side,
        at,
        text: String::new(),
        pictures: Vec::new(),
        cards: Vec::new(),
        choices: Vec::new(),
        thread: None,
        dispatch: None,
        sign: None,
        metadata: None,
    }
}
