//! The other side of each wire: a stand-in for a platform, as strict as the real one, on loopback only.
//!
//!     a person's act ──▶ Twin ──Dispatch──▶ courier ──signed webhook──▶ the bot's program
//!     the bot's call ──▶ server ──Request──▶ Twin ──Reaction──▶ the bot's program
//!
//!     messenger/     Meta's side: signed events, batches, retries; the Send API with its checks and errors
//!     webex/         Webex's side: people, rooms, messages, webhooks that go inactive; notifications without text
//!     enphase/       an upstream: solar systems under a believable sun, OAuth with tokens that turn, a plan's limits
//!     opendota/      an upstream: players with all their odd cases, matches up to this minute, limits in its headers
//!     graph/         an upstream: Facebook's login page and tokens, pages and what they post, groups as they once were
//!     house.rs       where twins live: hands them acts and calls one at a time, and takes what follows from them
//!     ledger.rs      what was said and what was told, readable as JSON
//!     asked.rs       what people do, from the JSON in which it is asked
//!     faults.rs      what goes wrong on purpose, by a seed
//!     period.rs      minutes, days and months by which upstreams count
//!     query.rs       what stands behind the ? of a call
//!     server.rs      sockets for calls, for acts and for the ledger
//!     courier.rs     sends what is due to the webhook, and tells the twin how that ended
//!     base64.rs      bytes as the letters that ids, tokens and papers are written in
//!
//! A twin is pure: it is handed requests, acts and the time, and touches nothing. It shares no code with `platform/`,
//! which it is there to test; both follow the facts, each on its own.
//! Never here: the store, bots, our own platforms.

mod asked;
mod base64;
pub mod courier;
pub mod enphase;
pub mod faults;
pub mod graph;
pub mod house;
pub mod ledger;
pub mod messenger;
pub mod opendota;
mod period;
mod query;
pub mod server;
pub mod webex;

use crate::model::{Limit, Method, Moment, Period, Request, Response};
use serde::Serialize;
use std::time::Duration;

pub use faults::{Chance, Plan, seed_of};
pub use house::House;
pub use server::Server;

/// A stand-in for one platform's side of one channel, or for one upstream. An upstream only answers calls, so whatever
/// belongs to a chat has a default that says so.
pub trait Twin: Send {
    /// `messenger`, `webex`, `enphase`, `opendota` or `graph`.
    fn platform(&self) -> &'static str;

    /// Answers a call to the platform's API. The path is the one below the base URL: `/me/messages`.
    fn answer(&mut self, request: &Request, now: Moment) -> Reaction;

    /// The conversations that a person can speak in.
    fn conversations(&self) -> Vec<Conversation> {
        Vec::new()
    }

    /// Those who speak there, in the platform's own ids.
    fn people(&self) -> Vec<String> {
        Vec::new()
    }

    /// A person does something in a conversation. An error says why that cannot be.
    fn act(&mut self, _act: &Act, _now: Moment) -> Result<Vec<Dispatch>, String> {
        Err(format!("nobody speaks on {}", self.platform()))
    }

    /// A dispatch ended so; what follows from it, as a retry with a later `due`.
    fn ended(&mut self, _dispatch: &Dispatch, _end: &End, _now: Moment) -> Vec<Dispatch> {
        Vec::new()
    }

    /// What was said in all conversations, in order; only what is newer than `after`. Numbers go up, and a bubble that
    /// changes (it was delivered, a choice was made) gets a new one.
    fn bubbles(&self, _after: u64) -> Vec<Bubble> {
        Vec::new()
    }

    /// Something happens there without a call. An error says why that cannot be.
    fn deed(&mut self, _deed: &Deed, _now: Moment) -> Result<(), String> {
        Err(format!("{} knows no deeds, only acts", self.platform()))
    }

    /// What was used of each limit, where calls are counted.
    fn meters(&self, _now: Moment) -> Vec<Meter> {
        Vec::new()
    }

    /// Several acts in one dispatch, where the platform puts several events into one.
    fn batch(&mut self, _acts: &[Act], _now: Moment) -> Result<Vec<Dispatch>, String> {
        Err(format!("{} sends each event on its own", self.platform()))
    }

    /// The question whether the webhook's address is the bot's, where the platform asks it.
    fn verify(&mut self, _now: Moment) -> Option<Dispatch> {
        None
    }

    /// The platform's words for a call that fails on purpose; nothing was done.
    fn mishap(&mut self, mishap: Mishap, _now: Moment) -> Response {
        let (status, words) = match mishap {
            Mishap::Busy { .. } => (429, "Too many requests"),
            Mishap::TokenExpired => (401, "The access token has expired"),
            Mishap::Broken => (500, "Something went wrong"),
            Mishap::Unverified => (400, "The address could not be verified"),
        };
        let response = Response::json(status, serde_json::json!({ "message": words }).to_string().into_bytes());
        match mishap {
            Mishap::Busy { left } => response.with("Retry-After", left.as_secs().max(1).to_string()),
            _ => response,
        }
    }

    /// The same where the words depend on the call: an upstream has several shapes of errors.
    fn meets(&mut self, mishap: Mishap, _request: &Request, now: Moment) -> Response {
        self.mishap(mishap, now)
    }

    /// The dispatch on whose end the answer to the last call depends: the caller is answered only then, and with
    /// `Mishap::Unverified` when the platform did not get what it wanted. It is asked once after each call.
    fn waits_for(&mut self) -> Option<u64> {
        None
    }

    /// Dispatches of one lane go out one after another, those of different lanes side by side: a number for the
    /// conversation. It is asked once, before the first attempt.
    fn lane(&self, _dispatch: &Dispatch) -> u64 {
        0
    }

    /// Whether this end is what the platform wanted of the dispatch. It is asked before `ended`.
    fn is_satisfied(&self, _dispatch: &Dispatch, end: &End) -> bool {
        matches!(end, End::Answered { status: 200..=299, .. })
    }
}

/// What goes wrong with a call; nothing is done then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// A limit was reached; calls are taken again after `left`.
    Busy { left: Duration },
    /// The token is not valid any more.
    TokenExpired,
    /// The platform has a fault of its own.
    Broken,
    /// The webhook's address did not prove to be the bot's.
    Unverified,
}

/// What a call leads to.
#[derive(Clone, Debug)]
pub struct Reaction {
    pub response: Response,
    pub dispatches: Vec<Dispatch>,
}

/// Something to be sent to the bot's webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// Names it in the ledger; a retry keeps it.
    pub number: u64,
    /// From 1.
    pub attempt: u32,
    /// Not before this.
    pub due: Moment,
    pub method: Method,
    pub url: String,
    /// Signature and the like, besides what every HTTP request has.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// An answer later than this is a failure.
    pub patience: Duration,
}

/// How an attempt to deliver a dispatch ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Answered {
        status: u16,
        body: Vec<u8>,
        took: Duration,
    },
    /// No answer, in words.
    Failed {
        why: String,
    },
}

/// Where a person can speak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conversation {
    /// In the platform's own id: a PSID, a room.
    pub id: String,
    pub title: String,
    pub platform: &'static str,
    /// True when the bot hears only what mentions it.
    pub group: bool,
}

/// What a person does. As JSON: `{"say": {"conversation": "…", "text": "…"}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Writes a text; in a group the twin puts the mention of the bot before it, unless `mentions` is false.
    Say { conversation: String, text: String, mentions: bool },
    /// Writes in the thread of a message, by that message's id.
    SayInThread { conversation: String, thread: String, text: String },
    /// Sends a picture or file at a URL, without a text.
    Show { conversation: String, url: String },
    /// Taps what a bubble offers: quick reply, button, card action. `bubble` is its id, `choice` a number from 0 in
    /// the order of `Bubble::choices`.
    Tap { conversation: String, bubble: String, choice: usize },
}

/// What happens at an upstream of its own accord. As JSON: `"revoke"`, `{"silence": {"source": "…"}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The person takes consent back: no token is good any more.
    Revoke,
    /// The person has a new password, which ends every token.
    Password,
    /// The person loses the role on something, as on a page by its id.
    Dismiss { source: String },
    /// Something that reports, as a solar system by its id, stops doing so.
    Silence { source: String },
    /// It reports again, also what it had to say meanwhile; or the person has the role again.
    Recover { source: String },
}

/// What was used of a limit in the period that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Meter {
    pub period: Period,
    pub limit: u32,
    pub used: u32,
    /// Calls that it refused, ever.
    pub refused: u64,
    /// Seconds since the Unix epoch, the second one not included.
    pub period_start: i64,
    pub period_end: i64,
}

impl Meter {
    /// Nothing was used yet.
    fn new(limit: Limit) -> Meter {
        Meter { period: limit.per, limit: limit.calls, used: 0, refused: 0, period_start: 0, period_end: 0 }
    }

    /// As it stands now: a period that is over took its calls with it.
    fn at(&self, now: Moment) -> Meter {
        let (period_start, period_end) = period::around(self.period, now);
        let used = if period_start == self.period_start { self.used } else { 0 };
        Meter { used, period_start, period_end, ..*self }
    }
}

/// A decimal number as JSON writes it. The library's own reader of such is 14 KB that nothing else here needs.
fn decimal(text: &str) -> Option<f64> {
    serde_json::from_slice::<serde_json::Value>(text.as_bytes()).ok()?.as_f64()
}

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Person,
    Bot,
}

/// One message as a chat shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bubble {
    /// Changes with the bubble; later is higher.
    pub number: u64,
    /// Stays the same: in a conversation, what was said later has a higher one.
    pub born: u64,
    /// The platform's id of the message; stays the same.
    pub id: String,
    pub conversation: String,
    pub side: Side,
    pub at: Moment,
    pub text: String,
    /// Pictures and files, by URL.
    pub pictures: Vec<String>,
    pub cards: Vec<ShownCard>,
    /// What can be tapped; those of `cards` come after the bubble's own, card by card.
    pub choices: Vec<Choice>,
    /// The thread that it stands in, by its first message's id.
    pub thread: Option<String>,
    /// The dispatch that told the bot of it, and how that went: the attempts so far, the last status, and whether the
    /// platform is satisfied.
    pub dispatch: Option<u64>,
    /// A sign that the bot is typing or has seen; then there is no text. It ends with the bot's next message, or when
    /// the bubble comes again as `over`.
    pub sign: Option<&'static str>,
    /// The tag that came with it, where the platform carries one.
    pub metadata: Option<String>,
}

/// A card of a gallery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownCard {
    pub title: String,
    pub subtitle: Option<String>,
    pub picture: Option<String>,
    pub url: Option<String>,
    /// Which of the bubble's choices are this card's.
    pub choices: std::ops::Range<usize>,
}

/// Something that can be tapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    pub title: String,
    /// A link opens a page and tells the bot nothing.
    pub url: Option<String>,
    /// It goes once one of its kind is tapped, as quick replies do.
    pub once: bool,
}
