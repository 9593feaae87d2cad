//! What a bot wants said, how it goes out, and what became of it.

use super::picture::Picture;
use super::secret::Secret;
use super::time::Moment;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One thing to say in one conversation. Kept as JSON in the store, so members may be added but not renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The conversation, in the platform's own id.
    pub to: String,
    #[serde(default)]
    pub purpose: Purpose,
    /// The thread to say it in, in the platform's own id; the worker writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    pub content: Content,
    /// Of a push that its platform may make wait: when it was made, and how that is told to whoever reads it late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<(Moment, String)>,
}

impl Reply {
    /// Plain text as an answer in this conversation.
    pub fn text(to: impl Into<String>, text: impl Into<String>) -> Reply {
        let content = Content::Text { text: text.into(), quick_replies: Vec::new() };
        Reply { to: to.into(), purpose: Purpose::Response, thread: None, content, dated: None }
    }
}

/// Why it is said: platforms have different rules for the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An answer to what somebody wrote.
    #[default]
    Response,
    /// Said of our own accord.
    Push,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text {
        text: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        quick_replies: Vec<QuickReply>,
    },
    /// Cards side by side.
    Gallery { cards: Vec<Card> },
    /// Text with buttons below.
    Buttons { text: String, buttons: Vec<Button> },
    /// Text with markup: `markdown` where a platform shows it, `plain` where none does.
    Rich { markdown: String, plain: String },
    /// An approved template of the platform, by its name, with the texts for its places.
    Template { name: String, language: String, texts: Vec<String> },
    /// A picture that the bot made: where a platform takes uploads it is uploaded, elsewhere shown at a URL of ours.
    /// `text` says the same in words, for whoever cannot see it.
    Picture { picture: Picture, text: String },
    /// A picture at a public URL.
    Image { url: String },
    /// Any other file at a public URL.
    File { url: String },
    /// Not a message: tried once, and nothing waits for it.
    Courtesy(CourtesyAct),
}

impl Content {
    /// What it says, as plain text: for a place that takes nothing else.
    pub fn in_words(&self) -> String {
        match self {
            Content::Text { text, .. } | Content::Buttons { text, .. } | Content::Picture { text, .. } => text.clone(),
            Content::Rich { plain, .. } if !plain.is_empty() => plain.clone(),
            Content::Rich { markdown, .. } => markdown.clone(),
            Content::Gallery { cards } => cards.iter().map(|card| &*card.title).collect::<Vec<_>>().join(", "),
            Content::Template { texts, .. } => texts.join(" "),
            Content::Image { url } | Content::File { url } => url.clone(),
            Content::Courtesy(_) => String::new(),
        }
    }

    /// Whether a message whose text came back as one of `texts` says this. White space around it may have gone.
    pub fn reads_as(&self, texts: &[String]) -> bool {
        let said: &[&String] = match self {
            Content::Text { text, .. } | Content::Buttons { text, .. } => &[text],
            Content::Rich { markdown, plain } => &[markdown, plain],
            Content::Picture { text, .. } => &[text],
            Content::Gallery { .. }
            | Content::Template { .. }
            | Content::Image { .. }
            | Content::File { .. }
            | Content::Courtesy(_) => &[],
        };
        said.iter().any(|said| !said.trim().is_empty() && texts.iter().any(|text| text.trim() == said.trim()))
    }
}

/// A sign of attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CourtesyAct {
    MarkSeen,
    TypingOn,
}

/// A suggested answer; tapping it sends `title` as a message, with `payload` as the choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuickReply {
    pub title: String,
    pub payload: String,
}

/// One card of a gallery. It needs a title and at least one more member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Where a tap on the card leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

/// A button: it opens a page, or comes back as a postback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    Url { title: String, url: String },
    Postback { title: String, payload: String },
}

/// A request of ours to an upstream, complete but not yet sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundRequest {
    pub method: super::Method,
    pub url: String,
    /// Sent as `Authorization: Bearer …`.
    pub bearer: Option<Secret>,
    /// Name and password with a colon between, sent as `Authorization: Basic …`.
    pub basic: Option<Secret>,
    /// Further query parameters that must not be logged, already percent-encoded: `appsecret_proof=…`.
    pub secret_query: Option<Secret>,
    pub content_type: &'static str,
    /// Further headers: a signature.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// A shorter time for the whole call than `FETCH_TIME`.
    pub patience: Option<Duration>,
}

impl OutboundRequest {
    /// A request without a body, an account or anything special.
    pub fn get(url: String) -> OutboundRequest {
        OutboundRequest::json(super::Method::Get, url, Vec::new())
    }

    /// A request with a body of JSON.
    pub fn json(method: super::Method, url: String, body: Vec<u8>) -> OutboundRequest {
        OutboundRequest {
            method,
            url,
            bearer: None,
            basic: None,
            secret_query: None,
            content_type: "application/json",
            headers: Vec::new(),
            body,
            patience: None,
        }
    }
}

/// How an attempt to send a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The upstream answered.
    Answered(Answer),
    /// It did not.
    Failed(FetchFault),
}

/// An upstream's answer: status, the headers that judges look at (lower-case names), the body within bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchFault {
    /// True when the request, or part of it, may have reached the upstream.
    pub went_out: bool,
    pub why: String,
}

/// What a platform makes of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Said; with the platform's id of the message if it gave one.
    Delivered { message_id: Option<String> },
    /// Not said yet; worth another try.
    Retry {
        why: String,
        /// Not before this, where the platform named a time.
        after: Option<Duration>,
        extent: Extent,
        /// True when this attempt may have been seen after all, so the next one may be a double.
        maybe_said: bool,
    },
    /// Our credentials are refused: nothing on this channel can be said until the operator mends them.
    Locked { why: String },
    /// It went out, and whether it was said is not known.
    Unknown { why: String },
    /// Never to be said.
    Dead { why: String },
    /// Nobody is there who could be told, now or later: the person blocked us, or is gone.
    Gone { why: String },
    /// The platform lets us speak only for a while after somebody wrote, and that while is over.
    Outside { why: String },
}

impl Delivery {
    /// Why it was not said, or is not known to be; nothing when it was.
    pub fn why(&self) -> Option<&str> {
        match self {
            Delivery::Delivered { .. } => None,
            Delivery::Retry { why, .. }
            | Delivery::Locked { why }
            | Delivery::Unknown { why }
            | Delivery::Dead { why }
            | Delivery::Gone { why }
            | Delivery::Outside { why } => Some(why),
        }
    }
}

/// Whom a retry holds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// This conversation only.
    Conversation,
    /// Everything on the channel: a limit was reached, and asking sooner would make it worse.
    Channel,
}
