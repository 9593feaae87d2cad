//! A platform is an adapter: it reads requests, writes replies and judges answers, and touches nothing.
//!
//!     read    Request  → Reading            what came in, signature checked over the bytes as received
//!     recall  kept     → Event              the same bytes again, now for the bot
//!     fit     Reply    → Replies            cut to the platform's size, before they are kept
//!     write   Reply    → OutboundRequest    what to send
//!     judge   Outcome  → Delivery           what became of it
//!
//! All five are pure: no socket, no clock, no chance; so their tests are files in `tests/fixtures/`.
//! Never here: bots, the store, waiting. A new platform is a folder here, its
//! fixtures, and its keys in `config/channel.rs`.

pub mod cut;
pub mod messenger;

use crate::model::{
    Arrival, Delivery, Event, EventId, Head, Moment, OutboundRequest, Outcome, Refusal, Reply, Request, Response,
};
use std::borrow::Cow;

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

    /// Reads a kept event again. An error is a reason, in words; then nobody hears it.
    fn recall(&self, kept: &Kept<'_>) -> Result<Event, String>;

    /// Cuts a reply into as many as the platform's limits ask for, in order; each is then sent on its own.
    fn fit(&self, reply: Reply) -> Result<Vec<Reply>, Unsayable>;

    /// The request that says `reply`. `tag` names it; where the platform carries such a thing, it comes back in
    /// the echo (`Arrival::proves`).
    fn write(&self, reply: &Reply, tag: &str) -> Result<OutboundRequest, Unsayable>;

    /// What became of an attempt that ended at `now`. `attempt` counts from 1.
    fn judge(&self, outcome: &Outcome, attempt: u32, now: Moment) -> Delivery;
}
