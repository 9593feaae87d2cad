//! A job handed to a worker, and how it came back.

use super::alarm::AlarmWrite;
use super::event::{ChannelNumber, EventId, EventKey};
use super::reply::Reply;
use super::request::Refusal;
use super::secret::Secret;
use super::time::Moment;
use crate::limits::REPLAY_EVENTS_MAX;
use std::fmt;

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
    /// `stage` is there when the bot has said the first part of its answer already.
    Hear {
        conversation: String,
        kind: String,
        received: Moment,
        since: Moment,
        raw: Vec<u8>,
        attempt: u32,
        stage: Option<Stage>,
    },
    /// Send reply `part` (from 1), made at `made`. `attempt` counts from 1; that it begins is durable. `heard` is when
    /// somebody last wrote in this conversation, looked up for a push only.
    Send { part: u32, reply: Reply, attempt: u32, made: Moment, heard: Option<Moment> },
}

/// A job's end and what follows from it; the store takes it in one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The bot heard it: what it wants said (already cut to the platform's size), and what else is to be kept.
    Heard { event: EventKey, lane: i64, replies: Vec<Reply>, notes: Notes },
    /// The bot could not; another try at this moment.
    HearLater { event: EventKey, lane: i64, due: Moment, attempt: u32, why: String },
    /// The bot never will.
    HearDead { event: EventKey, lane: i64, why: String },
    /// There is nothing to hear after all, and why.
    HearIgnored { event: EventKey, lane: i64, why: String },
    /// A message of ours came back with these texts. If no reply is known to be this message, an unknown one that says
    /// the same was delivered.
    Witnessed { event: EventKey, lane: i64, message: String, texts: Vec<String> },
    /// A reply may not be said now; what happens instead, and the attempt by which the platform said so, if that took one.
    Unsent { event: EventKey, lane: i64, part: u32, attempt: Option<Attempt>, instead: Instead },
    /// A reply's attempt ended.
    Sent { event: EventKey, lane: i64, attempt: Attempt, end: SendEnd },
}

impl Settlement {
    /// The conversation of which a worker had the job.
    pub fn lane(&self) -> i64 {
        match self {
            Settlement::Heard { lane, .. }
            | Settlement::HearIgnored { lane, .. }
            | Settlement::Witnessed { lane, .. }
            | Settlement::HearDead { lane, .. }
            | Settlement::HearLater { lane, .. }
            | Settlement::Unsent { lane, .. }
            | Settlement::Sent { lane, .. } => *lane,
        }
    }
}

/// How far an answer is that is said in several stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// From 1: the event is heard for the second time.
    pub number: u32,
    /// What the bot left to itself.
    pub note: Vec<u8>,
}

/// What a bot has still to say: it hears the event again when what it has said so far is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Its next stage.
    pub stage: Stage,
    /// Not before this.
    pub due: Option<Moment>,
}

/// What is kept of a hearing besides the replies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// What the bot remembers.
    pub memory: Vec<MemoryWrite>,
    /// Which alarms it set or took away.
    pub alarms: Vec<AlarmWrite>,
    /// What it forgot that only one may use up: whose, and the key. All of it must still be there when this is kept.
    pub used_up: Vec<(String, String)>,
    /// When somebody wrote it, where the platform lets us speak for a while after that.
    pub wrote: Option<Moment>,
    /// Which stage of the answer this was; 0 for the first.
    pub stage: u32,
    pub rest: Option<Rest>,
}

/// What happens to a reply that may not be said now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// The event waits, in nobody's way, until somebody writes in its conversation. An older event that waits there for
    /// the same alarm is ended, since this one stands for it.
    Hold { why: String },
    /// It is said on another channel instead.
    Elsewhere { channel: ChannelNumber, replies: Vec<Reply>, why: String },
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
    /// Nobody is there any more who could be told: dead, and the conversation's alarms are taken away.
    Gone,
    /// It failed, and nothing waits for it (a courtesy).
    Skipped,
}

/// One write to a bot's memory.
#[derive(Clone, PartialEq, Eq)]
pub struct MemoryWrite {
    pub bot: String,
    pub key: String,
    /// `None` forgets the key.
    pub value: Option<Vec<u8>>,
    pub expires: Option<Moment>,
}

impl fmt::Debug for MemoryWrite {
    /// Without the value: tokens are remembered so, too.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MemoryWrite { bot, key, value, expires } = self;
        let bytes = value.as_ref().map(Vec::len);
        write!(out, "MemoryWrite {{ bot: {bot:?}, key: {key:?}, bytes: {bytes:?}, expires: {expires:?} }}")
    }
}

/// What the operator asks of a running daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Say this, already cut to the platform's size; `id` makes a repetition harmless.
    Send { channel: ChannelNumber, id: String, replies: Vec<Reply> },
    /// Remember this for a bot, or under another of the store's names; it may be a secret.
    Remember { bot: String, key: String, value: Secret, expires: Option<Moment> },
    /// Put these events back, or only one part of one.
    Replay { events: Vec<(EventKey, Option<u32>)> },
    /// These events, which ended dead or unknown, are dealt with.
    Resolve { events: Vec<EventKey> },
}

impl Order {
    /// Resolves events that were named. A reply is none.
    pub fn resolve(named: Vec<(EventKey, Option<u32>)>) -> Result<Order, Refusal> {
        if named.iter().any(|(_, part)| part.is_some()) {
            return Err(Refusal::new(400, "a reply is not resolved by itself, but its event is"));
        }
        Ok(Order::Resolve { events: named.into_iter().map(|(event, _)| event).collect() })
    }
}

/// Events as the operator names them, `page-17` or with a part; `number` gives that of a channel.
pub fn named_events(
    names: &[&str],
    number: &dyn Fn(&str) -> Result<ChannelNumber, Refusal>,
) -> Result<Vec<(EventKey, Option<u32>)>, Refusal> {
    if names.len() > REPLAY_EVENTS_MAX {
        return Err(Refusal::new(413, format!("more than {REPLAY_EVENTS_MAX} events at once")));
    }
    let mut events = Vec::with_capacity(names.len());
    for name in names {
        let id: EventId = name.parse().map_err(|why: String| Refusal::new(400, why))?;
        events.push((EventKey::new(number(&id.channel)?, id.place), id.part));
    }
    Ok(events)
}
