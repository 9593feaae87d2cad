//! The store: what is kept, and in which order it is handed out.
//!
//!     admit ──▶ (in order of arrival, one cursor a channel) ──▶ lease ──▶ settle ──▶ ended
//!                                                                │  ▲        │
//!                                     conversation is busy:      ▼  │        ▼
//!                                     wait behind it           behind      lane: begun, due at …
//!
//! An event that has only been admitted costs one row: nothing else knows it, so a long queue does not make the next
//! acknowledgement dearer. Whatever has begun has a row in `lane`, one for each conversation; so a lease needs no
//! mark of its own, and is void when its process is gone. An event whose conversation is already busy waits `behind`.
//! One that may not be said now is `held` beside all this, until somebody writes in its conversation. An alarm becomes
//! an event when it rings, and is leased with that.
//!
//! Verbs write into an open transaction; [`Store::commit`] makes all of it durable at once, [`Store::roll_back`]
//! forgets all of it. Two engines, one suite of tests for both (`suite.rs`).
//!
//! Never here: threads, the clock (every verb is handed the time), platforms, bots.

mod cut_off;
pub mod memory;
mod reasons;
pub mod sqlite;
#[cfg(test)]
mod suite;

use crate::model::{
    Alarm, AlarmWrite, Arrival, Attempt, ChannelNumber, EventId, EventKey, Lease, MemoryWrite, Moment, Reply, Ring,
    Settlement,
};
use std::collections::HashSet;
use std::fmt;

/// The kind of an event that did not come from outside: something we were asked to say.
pub const PUSH: &str = "push";

/// The kind of an event that an alarm became; its raw bytes are a `model::Ring` as JSON.
pub const ALARM: &str = "alarm";

/// The kind of a message of our own that is kept as a witness, and why it is ignored otherwise.
pub const OWN: &str = "own";
/// Why an event is ignored that its bot heard, and answered with silence.
pub const UNSAID: &str = "the bot had nothing to say";
const OWN_WHY: &str = "a message of ours";

/// Under which name the rests of channels are remembered, one key for each channel, until they end: whoever reads the
/// store beside the daemon sees why nothing is sent. No bot can be called so.
pub const RESTS: &str = "channel rests";

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is new.
    Kept { event: EventKey, to_hear: bool },
    /// The same event was admitted before.
    Duplicate,
}

/// How much housekeeping is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Only what has grown long.
    WhenLong,
    /// Everything: the process is about to end.
    Closing,
}

/// Which jobs a worker may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Any,
    /// Only replies to send: the channel's bot is busy enough.
    Sends,
}

/// An engine that keeps events, replies, attempts and bots' memory.
pub trait Store {
    /// What tells this store from every other: part of each reply's tag.
    fn identity(&self) -> &str;

    /// The number of the channel with this name, given once and for all.
    fn channel(&mut self, name: &str) -> Result<ChannelNumber, StoreError>;

    /// The names of channels of which events wait to be answered.
    fn channels_that_wait(&mut self) -> Result<Vec<String>, StoreError>;

    /// Takes an event in, unless it was taken in before. `received` is when its request had been read.
    fn admit(
        &mut self,
        channel: ChannelNumber,
        arrival: &Arrival,
        received: Moment,
        now: Moment,
    ) -> Result<Admitted, StoreError> {
        self.admit_with(channel, arrival, None, received, now)
    }

    /// The same, with the head of its request, in which every secret is masked already, in shorthand
    /// (`notation::shorthand`); plain text is shorthand, too. `life` gives it written out.
    fn admit_with(
        &mut self,
        channel: ChannelNumber,
        arrival: &Arrival,
        head: Option<&str>,
        received: Moment,
        now: Moment,
    ) -> Result<Admitted, StoreError>;

    /// Takes in something to say of our own accord; it waits its turn in its conversation. `id` makes a
    /// repetition harmless: it changes nothing, and gives the same event again.
    fn push(
        &mut self,
        channel: ChannelNumber,
        id: &str,
        replies: &[Reply],
        now: Moment,
    ) -> Result<EventKey, StoreError>;

    /// The next job of this channel whose conversation is not in `busy`, if one is due.
    fn lease(
        &mut self,
        channel: ChannelNumber,
        wanted: Wanted,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError>;

    /// Ends a job. With `go_on`, the same event's next reply comes back as a new lease, already marked as begun.
    fn settle(&mut self, settlement: &Settlement, go_on: bool, now: Moment) -> Result<Option<Lease>, StoreError>;

    /// When to look again, after `lease` found nothing `wanted` at `looked`: when the next job that waits for its time
    /// is due; at once when the search ended at its bound.
    fn next_due(
        &mut self,
        channel: ChannelNumber,
        wanted: Wanted,
        looked: Moment,
    ) -> Result<Option<Moment>, StoreError>;

    /// Puts an event that ended dead or unknown back: what was not said is to be said, and what was not heard heard.
    fn replay(&mut self, event: EventKey, part: Option<u32>, now: Moment) -> Result<Replayed, StoreError>;

    /// The operator has dealt with an event that ended dead or unknown: the dead one is ignored, of the unknown one
    /// they saw that it was said. That is no second end: nobody counts it.
    fn resolve(&mut self, event: EventKey, now: Moment) -> Result<Replayed, StoreError>;

    /// Writes what is to be remembered, or forgets it. Of a bot that remembers too much already, new keys are left out.
    fn remember(&mut self, write: &MemoryWrite) -> Result<(), StoreError>;

    /// What a bot remembers under this key, unless it has expired.
    fn recall(&mut self, bot: &str, key: &str, now: Moment) -> Result<Option<Vec<u8>>, StoreError>;

    /// Sets an alarm, or takes it away. Of a conversation that has too many already, a new one is left out.
    fn put_alarm(&mut self, write: &AlarmWrite) -> Result<(), StoreError>;

    /// The alarms of a conversation, in order of their names.
    fn alarms(&mut self, channel: ChannelNumber, conversation: &str) -> Result<Vec<Alarm>, StoreError>;

    /// Every alarm of this owner, in order of channel, conversation and name; for the alarms of the configuration.
    fn alarms_of(&mut self, owner: &str) -> Result<Vec<Alarm>, StoreError>;

    /// The alarms of this channel that are due after `moment`, the last one first; `ALARMS_MOVED` of them at most.
    fn alarms_after(&mut self, channel: ChannelNumber, moment: Moment) -> Result<Vec<Alarm>, StoreError>;

    /// Of the alarms of this channel whose conversation is free, the one that has been due longest. A conversation is
    /// not free while it is in `busy`, or at something that waits, or has an event that waits to be heard. The search is
    /// bounded: `None` may only mean that it did not come far enough, and `alarm_next` says so.
    fn alarm_due(
        &mut self,
        channel: ChannelNumber,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Alarm>, StoreError>;

    /// When to look again, after `alarm_due` found nothing: when the next alarm is due; at once when the search ended at
    /// its bound. One that is due while its conversation is busy is not waited for: the end of that job comes first.
    fn alarm_next(&mut self, channel: ChannelNumber) -> Result<Option<Moment>, StoreError>;

    /// An alarm rings for the time `rings_for`: it becomes an event, which is leased at once. It is due again at `next`,
    /// or is taken away. With `rings_for` of `None`, or of a time for which it has rung before, it is only moved. An alarm
    /// that was changed meanwhile, or whose conversation is not free any more, is left alone.
    fn ring(
        &mut self,
        alarm: &Alarm,
        rings_for: Option<Moment>,
        next: Option<Moment>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError>;

    /// Removes some finished events that arrived before `before`, memory that has expired, and who has not written for
    /// `CONTACT_LIFE`; ends what was held for `HELD_LIFE`. True when there may be more.
    fn prune(&mut self, before: Moment, now: Moment) -> Result<bool, StoreError>;

    /// What the last transaction that was committed did to events, for whoever counts: added to what is in `told`.
    fn tell_facts(&mut self, told: &mut Vec<(ChannelNumber, Fact)>);

    /// Whether something was written since the last commit.
    fn is_writing(&self) -> bool;

    /// What waits on each channel. Of very much only a part is counted, so that the question costs little.
    fn backlogs(&mut self) -> Result<Vec<(ChannelNumber, Backlog)>, StoreError>;

    /// The whole life of one event.
    fn life(&mut self, event: EventKey) -> Result<Option<Life>, StoreError>;

    /// Whether there is room again after a failure: writes as much as a busy turn does, makes it durable, and takes it
    /// away. Only between two transactions.
    fn try_writing(&mut self) -> Result<(), StoreError>;

    /// Makes everything since the last commit durable. An error means that none of it is.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Forgets everything since the last commit.
    fn roll_back(&mut self);

    /// Housekeeping between two transactions.
    fn tidy(&mut self, urgency: Urgency) -> Result<(), StoreError>;
}

/// What happened to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    Kept,
    /// It was there already.
    Duplicate,
    Ended(State),
}

/// What waits on a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events that are open, but for those that are held.
    pub waiting: u64,
    /// When the oldest of them was received, as far as was looked.
    pub oldest: Option<Moment>,
}

impl Backlog {
    /// So many more, of which the oldest was received then.
    fn add(&mut self, waiting: u64, oldest: Option<Moment>) {
        self.waiting += waiting;
        self.oldest = [self.oldest, oldest].into_iter().flatten().min();
    }
}

/// What became of an event that the operator named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    PutBack,
    Resolved,
    /// Nothing, and why.
    Left(String),
}

/// How an event or a reply stands. The numbers are in the file, where an open event that is held has 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open = 0,
    /// An event: every reply was said. A reply: it was said.
    Answered = 2,
    Ignored = 3,
    Dead = 4,
    /// Sent, but the platform's answer was lost.
    Unknown = 5,
    /// A courtesy that failed; nothing waits for it.
    Skipped = 6,
}

impl State {
    /// The state of this number; a number that is not ours reads as open.
    pub fn of(number: i64) -> State {
        match number {
            2 => State::Answered,
            3 => State::Ignored,
            4 => State::Dead,
            5 => State::Unknown,
            6 => State::Skipped,
            _ => State::Open,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            State::Open => "open",
            State::Answered => "answered",
            State::Ignored => "ignored",
            State::Dead => "dead",
            State::Unknown => "unknown",
            State::Skipped => "skipped",
        })
    }
}

/// One event from its arrival to its end, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    pub event: EventKey,
    pub id: EventId,
    /// The platform's id.
    pub platform_id: String,
    pub conversation: String,
    pub kind: String,
    pub received: Moment,
    pub kept: Moment,
    pub state: State,
    pub ended: Option<Moment>,
    pub why: Option<String>,
    /// It waits for this moment, at this attempt to hear.
    pub due: Option<Moment>,
    /// Since when it is held: it is said when somebody writes in its conversation.
    pub held: Option<Moment>,
    /// The head of the request that brought it, masked and written out: method and path, then a line for each header.
    pub head: Option<String>,
    pub raw: Vec<u8>,
    pub replies: Vec<ReplyLife>,
    /// Each time it was put back or resolved, the first one first.
    pub replays: Vec<PutBack>,
}

impl Life {
    /// What rang, if this came of an alarm.
    pub fn ring(&self) -> Option<Ring> {
        if self.kind == ALARM { serde_json::from_slice(&self.raw).ok() } else { None }
    }
}

/// That an event was put back or resolved, and how it stood before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBack {
    pub at: Moment,
    /// It was not put back: the operator had dealt with it.
    pub resolved: bool,
    pub state: State,
    pub ended: Option<Moment>,
    pub why: Option<String>,
    /// When its replies had been made, if there were any.
    pub made: Option<Moment>,
}

/// One reply from its making to its end, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyLife {
    pub part: u32,
    pub state: State,
    pub reply: Reply,
    /// When it was made, or last put back: since then we try to say it.
    pub made: Moment,
    /// An earlier attempt may have been seen, so this one may be a double.
    pub maybe_twice: bool,
    /// The platform's id of the message.
    pub message_id: Option<String>,
    pub attempts: Vec<Attempt>,
}

/// Why the store could not do it, in words for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

/// A conversation as a number: FNV-1a over channel and name. It is in the file, so it must not depend on the
/// build; two conversations that share a number only wait for each other.
pub fn lane(channel: ChannelNumber, conversation: &str) -> i64 {
    let bytes = channel.0.to_le_bytes().into_iter().chain(conversation.bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash.cast_signed()
}

/// The tag of a reply: it goes out with it, and comes back in an echo. `ackd:<store>:<channel>.<place>.<part>`.
pub fn tag(identity: &str, event: EventKey, part: u32) -> String {
    format!("ackd:{identity}:{}.{}.{part}", event.channel().0, event.place())
}

/// The event and part that a tag names, if it is a tag of this store.
pub fn read_tag(identity: &str, tag: &str) -> Option<(EventKey, u32)> {
    let rest = tag.strip_prefix("ackd:")?.strip_prefix(identity)?.strip_prefix(':')?;
    let mut numbers = rest.splitn(3, '.');
    let channel = numbers.next()?.parse().ok()?;
    let place = numbers.next()?.parse().ok().filter(|place| EventKey::PLACES.contains(place))?;
    let part = numbers.next()?.parse().ok()?;
    Some((EventKey::new(ChannelNumber(channel), place), part))
}
