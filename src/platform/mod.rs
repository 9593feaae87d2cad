//! A platform is an adapter: it reads requests, writes replies and judges answers, and touches nothing.
//!
//!     read     Request  → Reading            what came in, signature checked over the bytes as received
//!     look_up  kept     → OutboundRequest    what the notification did not say, where there is such a thing
//!     recall   kept     → Recalled           the same bytes again, and what was found, now for the bot
//!     fit      Reply    → Replies            cut to the platform's size, before they are kept
//!     write    Reply    → OutboundRequest    what to send
//!     judge    Outcome  → Delivery           what became of it
//!
//! All of it is pure: no socket, no clock, no chance; so its tests are files in `tests/fixtures/`. A platform whose
//! rules depend on who we are there is introduced once: `introduction`, `introduced`, `meet`.
//! Never here: bots, the store, waiting. A new platform is a folder here, its
//! fixtures, and its keys in `config/channel/`.

pub mod mask;
pub mod messenger;
mod spelling;
pub mod webex;

pub use crate::notation::cut;

use crate::model::{
    Arrival, Delivery, Event, EventId, Head, Moment, OutboundRequest, Outcome, Refusal, Reply, Request, Response,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// What a request turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Answer at once, keep nothing (a challenge).
    Answer(Response),
    /// Keep these, then answer `response`. There may be none, and then the answer may go at once.
    /// `notes` are for the operator: what was strange about a delivery that is accepted all the same.
    Events { arrivals: Vec<Arrival>, response: Response, notes: Vec<Cow<'static, str>> },
}

/// An event as the store gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    pub id: EventId,
    pub conversation: &'a str,
    pub received: Moment,
    pub raw: &'a [u8],
}

/// What a kept event turned out to be, now that its turn has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// The bot shall hear this.
    Event(Event),
    /// A message of our own, which came back under this id, with these texts.
    Own { message: String, texts: Vec<String> },
    /// Nothing to hear after all, and why.
    Ignored(String),
    /// It could not be read: `Retry`, `Locked` or `Dead`, since looking up says nothing to anybody.
    Failed(Delivery),
}

/// Who we are on a platform, as it told us itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: String,
    /// The name that people see, and that mentions show.
    pub name: String,
    /// Tells the token with which this was learnt from another one; it says nothing about the token itself.
    pub token_mark: String,
}

/// What becomes of something that is to be said of our own accord when the platform does not let us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// It waits until somebody writes.
    #[default]
    Hold,
    /// It is said by a template that the platform approved, which has one place for a text.
    Template { name: String, language: String },
    /// It is said on another channel, in this conversation there.
    Elsewhere { channel: String, to: String },
}

/// Why a reply cannot be said on this platform, in words for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsayable(pub String);

/// One account of ours on a chat platform: it knows the account's secrets and the platform's rules.
pub trait Platform: Send + Sync {
    /// The platform's name as the configuration writes it.
    fn name(&self) -> &'static str;

    /// Looks at a head before any byte of the body is kept: method, and that a signature is there at all.
    fn gate(&self, head: &Head) -> Result<(), Refusal>;

    /// Verifies and reads a whole request.
    fn read(&self, request: &Request) -> Result<Reading, Refusal>;

    /// What must be asked before a kept event can be recalled, if anything. An error says that the event needs no
    /// look, or cannot have one now.
    fn look_up(&self, _kept: &Kept<'_>) -> Result<Option<OutboundRequest>, Box<Recalled>> {
        Ok(None)
    }

    /// Reads a kept event again, with what `look_up` brought, if it asked for something. `attempt` counts from 1.
    fn recall(&self, kept: &Kept<'_>, found: Option<&Outcome>, attempt: u32, now: Moment) -> Recalled;

    /// Cuts a reply into as many as the platform's limits ask for, in order; each is then sent on its own.
    fn fit(&self, reply: Reply) -> Result<Vec<Reply>, Unsayable>;

    /// Whether a picture that a bot made goes out with the call (`Picture::Png`). Elsewhere it is shown at a URL of ours.
    fn takes_uploads(&self) -> bool {
        false
    }

    /// The request that says `reply`. `tag` names it; where the platform carries such a thing, it comes back in
    /// the echo (`Arrival::proves`).
    fn write(&self, reply: &Reply, tag: &str) -> Result<OutboundRequest, Unsayable>;

    /// What became of an attempt that ended at `now`. `attempt` counts from 1.
    fn judge(&self, outcome: &Outcome, attempt: u32, now: Moment) -> Delivery;

    /// How long we may speak of our own accord after somebody wrote; `None` for ever.
    fn window(&self) -> Option<Duration> {
        None
    }

    /// The question who we are, where the platform's rules depend on it.
    fn introduction(&self) -> Option<OutboundRequest> {
        None
    }

    /// What the answer to it says; or a `Retry`, `Locked` or `Dead`.
    fn introduced(&self, _outcome: &Outcome, _now: Moment) -> Result<Account, Box<Delivery>> {
        Err(Box::new(Delivery::Dead { why: "this platform introduces nobody".to_owned() }))
    }

    /// From now on this is who we are. What is known of another token counts for nothing.
    fn meet(&self, _account: Account) {}

    /// Whether we know who we are, or need not.
    fn is_introduced(&self) -> bool {
        true
    }

    /// What is said in a conversation that the bot was taken into, before anything else; nothing without.
    fn greeting(&self) -> Option<&str> {
        None
    }
}
