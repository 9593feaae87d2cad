//! What the twins were told.

use ackd::twin::ledger::{CallEntry, SentEntry};
use serde_json::Value;

/// A message that a twin took from the bot, whether or not the bot learnt so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub to: String,
    pub text: String,
    /// The thread that it was said in.
    pub thread: Option<String>,
}

/// The message that a call made, if it made one.
pub fn said(call: &CallEntry) -> Option<Said> {
    call.bubble.as_ref().filter(|_| call.method == "POST")?;
    let body: Value = serde_json::from_str(&call.body).unwrap_or_else(|error| panic!("{error}: {call:?}"));
    let words = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Some(Said {
        to: words("/recipient/id").or_else(|| words("/roomId")).unwrap_or_default(),
        text: words("/message/text").or_else(|| words("/text")).unwrap_or_default(),
        thread: words("/parentId"),
    })
}

/// The platform's ids of what a delivery tells, as the store knows them.
pub fn ids(entry: &SentEntry) -> Vec<String> {
    let body: Value = serde_json::from_str(&entry.body).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match body["entry"].as_array() {
        Some(entries) => {
            let events = entries.iter().filter_map(|entry| entry["messaging"].as_array()).flatten();
            events.map(|event| text(&event["message"]["mid"])).collect()
        }
        None => {
            vec![format!("{}:{}:{}", text(&body["resource"]), text(&body["event"]), text(&body["data"]["id"]))]
        }
    }
}

/// Webex's id of the message, action or membership that a notification is about.
pub fn resource(entry: &SentEntry) -> String {
    let body: Value = serde_json::from_str(&entry.body).unwrap();
    body["data"]["id"].as_str().unwrap().to_owned()
}
