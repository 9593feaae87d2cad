//! `POST /me/messages` (messenger.md §6, §9): whom, in which window, and what.

use super::call::Call;
use super::check::{self, Spoken};
use super::error::GraphError;
use super::{Failure, Messenger};
use crate::model::{Moment, Response};
use crate::twin::Reaction;
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(24 * 3600);
/// What a tag that is left opens (messenger.md §9).
const TAG_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

/// Members of `recipient` besides `id`: whoever they name has no id for the page yet.
const STRANGERS: [&str; 4] = ["user_ref", "comment_id", "post_id", "notification_messages_token"];

#[derive(Serialize)]
struct Sent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment_id: Option<String>,
}

/// Who shall hear it.
enum Recipient {
    Person(String),
    /// A reference of a plug-in or the like, with its kind.
    Stranger(String),
}

impl Messenger {
    pub(super) fn send(&mut self, call: &Call, now: Moment) -> Result<Reaction, GraphError> {
        self.count_send(now)?;
        let recipient = recipient(call)?;
        if let Recipient::Person(id) = &recipient {
            let person = self.person(id).ok_or_else(GraphError::no_user)?;
            if person.gone {
                return Err(GraphError::unavailable());
            }
        }
        if call.params.contains_key("sender_action") {
            return self.sender_action(call, &recipient, now);
        }
        let kind = messaging_type(call)?;
        let message = call.object("message")?.ok_or_else(|| GraphError::missing("message"))?;
        let mut spoken = check::message(&message)?;
        spoken.thread = reply_to(call)?;
        notification_type(call)?;
        self.allowed(kind, call, &recipient, &spoken, now)?;
        self.fails()?;
        let mid = self.mid(now);
        let attachment_id =
            spoken.reusable.then(|| (1_000_000_000_000_000 + self.draw(now) % 1_000_000_000_000_000).to_string());
        let (to, is_person) = match &recipient {
            Recipient::Person(id) => (id, true),
            Recipient::Stranger(reference) => (reference, false),
        };
        let recipient_id = is_person.then_some(&**to);
        let response = sent(&Sent { recipient_id, message_id: Some(&mid), attachment_id });
        let dispatches = self.said(to, is_person, &mid, spoken, now);
        Ok(Reaction { response, dispatches })
    }

    fn sender_action(&mut self, call: &Call, recipient: &Recipient, now: Moment) -> Result<Reaction, GraphError> {
        if call.params.contains_key("message") {
            return Err(GraphError::parameter("Cannot send a message and a sender_action in one request"));
        }
        let Recipient::Person(id) = recipient else { return Err(GraphError::missing("recipient[id]")) };
        let action = call.text("sender_action").unwrap_or_default();
        self.fails()?;
        match &*action.to_ascii_lowercase() {
            "typing_on" => self.signs(id, "typing", now),
            "typing_off" => self.signs(id, "over", now),
            "mark_seen" => self.signs(id, "seen", now),
            "react" | "unreact" => {
                let payload = call.object("payload")?.ok_or_else(|| GraphError::missing("payload"))?;
                let mid = payload.get("message_id").and_then(Value::as_str).unwrap_or_default();
                if !self.chat.has(id, mid) {
                    return Err(GraphError::parameter("Param payload[message_id] must be a message of this thread"));
                }
            }
            _ => {
                let actions = "TYPING_ON, TYPING_OFF, MARK_SEEN, REACT, UNREACT";
                return Err(GraphError::parameter(format!("Param sender_action must be one of {{{actions}}}")));
            }
        }
        let response = sent(&Sent { recipient_id: Some(id), message_id: None, attachment_id: None });
        Ok(Reaction { response, dispatches: Vec::new() })
    }

    /// Whether the platform lets this be said now: the 24-hour window, tags, templates.
    fn allowed(
        &self,
        kind: Kind,
        call: &Call,
        recipient: &Recipient,
        spoken: &Spoken,
        now: Moment,
    ) -> Result<(), GraphError> {
        let Recipient::Person(id) = recipient else { return Ok(()) };
        let silent_for = self.person(id).and_then(|person| person.last_act).map(|last| now.since(last));
        let within = |window: Duration| match silent_for {
            Some(silent_for) if silent_for <= window => Ok(()),
            _ => Err(GraphError::window()),
        };
        match (kind, spoken.utility.is_some()) {
            (Kind::Utility, true) => Ok(()),
            (Kind::Utility, false) => Err(GraphError::missing("message[template]")),
            (_, true) => Err(GraphError::parameter("Param messaging_type must be UTILITY for a utility template")),
            (Kind::Usual, _) => within(WINDOW),
            (Kind::Tagged, _) => match call.text("tag").ok_or_else(|| GraphError::missing("tag"))? {
                "HUMAN_AGENT" => within(TAG_WINDOW),
                "CUSTOMER_FEEDBACK" if spoken.feedback => within(TAG_WINDOW),
                _ => Err(GraphError::dead_tag()),
            },
        }
    }

    /// Counts a send against the page's limit (messenger.md §8).
    fn count_send(&mut self, now: Moment) -> Result<(), GraphError> {
        let second = now.seconds();
        let (counted, sends) = self.sends;
        self.sends = (second, if counted == second { sends.saturating_add(1) } else { 1 });
        match self.settings.sends_per_second {
            Some(most) if self.sends.1 > most => Err(GraphError::rate()),
            _ => Ok(()),
        }
    }

    fn fails(&mut self) -> Result<(), GraphError> {
        if self.failures.is_empty() {
            return Ok(());
        }
        Err(match self.failures.remove(0) {
            Failure::Temporary => GraphError::temporary(),
            Failure::Service => GraphError::service(),
            Failure::Rate => GraphError::rate(),
            Failure::Unavailable => GraphError::unavailable(),
        })
    }
}

/// What kind of message it says it is.
#[derive(Clone, Copy)]
enum Kind {
    Usual,
    Tagged,
    Utility,
}

fn messaging_type(call: &Call) -> Result<Kind, GraphError> {
    match call.text("messaging_type") {
        Some("RESPONSE" | "UPDATE") => Ok(Kind::Usual),
        Some("MESSAGE_TAG") => Ok(Kind::Tagged),
        Some("UTILITY") => Ok(Kind::Utility),
        None if !call.params.contains_key("messaging_type") => Err(GraphError::missing("messaging_type")),
        _ => Err(GraphError::parameter("Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG, UTILITY}")),
    }
}

fn notification_type(call: &Call) -> Result<(), GraphError> {
    match call.params.get("notification_type").map(|kind| kind.as_str().unwrap_or_default()) {
        None | Some("REGULAR" | "SILENT_PUSH" | "NO_PUSH") => Ok(()),
        Some(_) => Err(GraphError::parameter("Param notification_type must be one of {REGULAR, SILENT_PUSH, NO_PUSH}")),
    }
}

/// The message that this one answers.
fn reply_to(call: &Call) -> Result<Option<String>, GraphError> {
    let Some(members) = call.object("reply_to")? else { return Ok(None) };
    let mid = members.get("mid").and_then(Value::as_str).filter(|mid| !mid.is_empty());
    mid.map(|mid| Some(mid.to_owned())).ok_or_else(|| GraphError::missing("reply_to[mid]"))
}

fn recipient(call: &Call) -> Result<Recipient, GraphError> {
    let members: Map<String, Value> = call.object("recipient")?.ok_or_else(|| GraphError::missing("recipient"))?;
    match members.get("id") {
        Some(Value::Number(id)) if id.is_u64() => return Ok(Recipient::Person(id.to_string())),
        Some(Value::String(id)) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Ok(Recipient::Person(id.clone()));
        }
        Some(_) => {
            return Err(GraphError::parameter("Param recipient[id] must be a valid ID string (e.g., \"123\")"));
        }
        None => {}
    }
    let named = STRANGERS.iter().find_map(|name| Some((name, members.get(*name)?.as_str()?)));
    match named.filter(|(_, reference)| !reference.is_empty()) {
        Some((name, reference)) => Ok(Recipient::Stranger(format!("{name}:{reference}"))),
        None => Err(GraphError::missing("recipient[id]")),
    }
}

fn sent(sent: &Sent<'_>) -> Response {
    Response::json(200, serde_json::to_vec(sent).unwrap_or_default())
}
