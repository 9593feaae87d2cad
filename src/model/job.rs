//! A job handed to a worker, and how it came back.

use super::event::{ChannelNumber, EventKey};
use super::reply::Reply;
use super::time::Moment;

/// A piece of one event's life, handed to one worker. While it is out, its conversation has no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub event: EventKey,
    /// Which conversation, as a number: see `store::lane`.
    pub lane: i64,
    pub work: Work,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Let the bot hear the event. `attempt` counts from 1. It is tried `since` it was received, or last put back.
    Hear { conversation: String, kind: String, received: Moment, since: Moment, raw: Vec<u8>, attempt: u32 },
    /// Send reply `part` (from 1), made at `made`. `attempt` counts from 1; that it begins is durable.
    Send { part: u32, reply: Reply, attempt: u32, made: Moment },
}

/// A job's end and what follows from it; the store takes it in one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The bot heard it: what it wants said (already cut to the platform's size), and what it remembers.
    Heard { event: EventKey, lane: i64, replies: Vec<Reply>, memory: Vec<MemoryWrite> },
    /// The bot could not; another try at this moment.
    HearLater { event: EventKey, lane: i64, due: Moment, attempt: u32, why: String },
    /// The bot never will.
    HearDead { event: EventKey, lane: i64, why: String },
    /// There is nothing to hear after all, and why.
    HearIgnored { event: EventKey, lane: i64, why: String },
    /// A message of ours came back with these texts. If no reply is known to be this message, an unknown one that says
    /// the same was delivered.
    Witnessed { event: EventKey, lane: i64, message: String, texts: Vec<String> },
    /// A reply's attempt ended.
    Sent { event: EventKey, lane: i64, attempt: Attempt, end: SendEnd },
}

/// One try to send one reply, for the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub part: u32,
    pub number: u32,
    pub began: Moment,
    pub ended: Moment,
    /// The upstream's HTTP status, if it answered.
    pub status: Option<u16>,
    /// What happened, in words.
    pub words: String,
}

/// What follows from an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendEnd {
    Delivered {
        message_id: Option<String>,
    },
    Again {
        due: Moment,
        maybe_said: bool,
    },
    Unknown,
    Dead,
    /// It failed, and nothing waits for it (a courtesy).
    Skipped,
}

/// One write to a bot's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryWrite {
    pub bot: String,
    pub key: String,
    /// `None` forgets the key.
    pub value: Option<Vec<u8>>,
    pub expires: Option<Moment>,
}

/// What the operator asks of a running daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Say this, already cut to the platform's size; `id` makes a repetition harmless.
    Send { channel: ChannelNumber, id: String, replies: Vec<Reply> },
    /// Put these events back, or only one part of one.
    Replay { events: Vec<(EventKey, Option<u32>)> },
}
