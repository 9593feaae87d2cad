//! Events as Meta puts them on the wire (messenger.md §3, §4): its order of members, its escapes, its signature.

use crate::notation::hex;
use ring::hmac;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};
use std::io;

/// What one POST carries.
#[derive(Debug, Serialize)]
pub(super) struct Delivery<'a> {
    pub object: &'static str,
    pub entry: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    /// Milliseconds, of the sending.
    pub time: i64,
    pub id: &'a str,
    pub messaging: Vec<Event>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Party {
    pub id: String,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Event {
    pub sender: Party,
    pub recipient: Party,
    /// Milliseconds, of the happening.
    pub timestamp: i64,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    Message(Message),
    Postback { mid: String, title: String, payload: String },
    Delivery { mids: Vec<String>, watermark: i64 },
    Read { watermark: i64 },
}

impl What {
    /// The field that a page's app must be subscribed to.
    pub(super) fn field(&self) -> &'static str {
        match self {
            What::Message(Message { is_echo: Some(_), .. }) => "message_echoes",
            What::Message(_) => "messages",
            What::Postback { .. } => "messaging_postbacks",
            What::Delivery { .. } => "message_deliveries",
            What::Read { .. } => "message_reads",
        }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Message {
    pub mid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_echo: Option<bool>,
    /// A number; a text only where it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quick_reply: Option<QuickReply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct QuickReply {
    pub payload: String,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct ReplyTo {
    pub mid: String,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Attachment {
    /// In echoes of templates; `url` is null beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Value>,
    #[serde(rename = "type")]
    pub kind: String,
    pub payload: Value,
}

/// The delivery's bytes.
pub(super) fn bytes(delivery: &Delivery<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Text and numbers into memory: there is nothing that could fail.
    let written = delivery.serialize(&mut Serializer::with_formatter(&mut bytes, Escaping));
    debug_assert!(written.is_ok());
    bytes
}

/// `X-Hub-Signature-256` over the bytes as sent.
pub(super) fn signature(key: &hmac::Key, body: &[u8]) -> String {
    format!("sha256={}", hex(hmac::sign(key, body).as_ref()))
}

/// Writes strings as Meta does: non-ASCII as `\u` with lower-case digits, surrogates in pairs, `/` as `\/`.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        for letter in fragment.chars() {
            match letter {
                '/' => out.write_all(b"\\/")?,
                ' '..='~' => out.write_all(&[letter as u8])?,
                _ => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        write!(out, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        CompactFormatter.write_char_escape(out, escape)
    }
}
