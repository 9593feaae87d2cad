//! A bot hears an event and says what it wants said. It is a plain function that may block, since it runs on a
//! worker; what it may touch is its desk, so a test hands it a desk with recorded answers.
//!
//! Never here: a platform, the store, a thread, the clock (the desk tells the time).

pub mod digest;
pub mod dota;
pub mod echo;
mod figures;
mod memory;
pub mod paper;
pub mod solar;
pub mod subscription;
pub mod tour;

use crate::limits::{MEMORY_VALUE_BYTES_MAX, STAGE_BYTES_MAX, STAGES_MAX};
use crate::model::{Answer, Event, Head, Left, Lesson, Moment, Page, Plan, Reply, Stage, Visit};
use std::time::Duration;

/// All that a bot may use while it works. What it remembers is committed with its replies, or not at all.
pub trait Desk {
    /// The time.
    fn now(&self) -> Moment;

    /// What the bot remembers under `key`, unless it has expired.
    fn recall(&mut self, key: &str) -> Result<Option<Vec<u8>>, BotFault>;

    /// These keys will be recalled: whoever has a way to the store goes it once for all of them.
    fn expect(&mut self, _keys: Vec<String>) -> Result<(), BotFault> {
        Ok(())
    }

    /// Remembers `value` under `key`, until `expires` if given.
    fn remember(&mut self, key: &str, value: Vec<u8>, expires: Option<Moment>) -> Result<(), BotFault>;

    /// Forgets `key`.
    fn forget(&mut self, key: &str) -> Result<(), BotFault>;

    /// What the bot left to itself with `go_on`, when it hears the same event again. `None` at first.
    fn stage(&self) -> Option<&[u8]>;

    /// The bot has more to say than it says now: when that is sent, and not before `due`, it hears this event again and
    /// finds `note` as its stage. Each stage is one commit, so a stop between two loses nothing and says nothing twice.
    fn go_on(&mut self, note: Vec<u8>, due: Option<Moment>) -> Result<(), BotFault>;

    /// Pays for several calls of an upstream at once, so that whoever waits in its line waits once. The next so many
    /// `get`s are paid then; what is not used when the hearing ends was paid in vain. More than a limit ever allows is
    /// refused for good; when it is not before some moment, that is the place in the line, and calls are held there.
    fn reserve(&mut self, upstream: &str, calls: u32) -> Result<(), CallFault>;

    /// Forgets `key`, which may be used once, and was just recalled. If another conversation has used it up meanwhile,
    /// nothing of this hearing is kept, and the event is heard again.
    fn use_up(&mut self, key: &str) -> Result<(), BotFault>;

    /// Asks an upstream: one GET of `path` (with its query) below its base URL, within its budget and with its papers.
    /// Any answer is an answer, whatever its status; a 429 should be handed to `learn`.
    fn get(&mut self, upstream: &str, path: &str) -> Result<Answer, CallFault>;

    /// What is left of the upstream's limits, the shortest period first.
    fn left(&mut self, upstream: &str) -> Result<Vec<Left>, BotFault>;

    /// When somebody last logged in at an upstream, where that is done on a page of ours; `None` before the first time.
    fn given(&mut self, upstream: &str) -> Result<Option<Moment>, BotFault>;

    /// Takes what an upstream said about its limits into account, for everybody who asks it.
    fn learn(&mut self, upstream: &str, lesson: Lesson) -> Result<(), BotFault>;

    /// Sets an alarm in the event's conversation, or in another one of the same channel; one that has this name there
    /// already is replaced. It is committed with the replies. Says when it rings first, or what is wrong with the plan.
    fn set_alarm(&mut self, alarm: NewAlarm) -> Result<Result<Moment, String>, BotFault>;

    /// Takes an alarm of the event's conversation away.
    fn cancel_alarm(&mut self, name: &str) -> Result<(), BotFault>;

    /// Whether what is said here of our own accord is held when nobody has written for a while.
    fn holds_pushes(&self) -> bool {
        false
    }

    /// The alarms of the event's conversation, in order of their names.
    fn alarms(&mut self) -> Result<Vec<SetAlarm>, BotFault>;
}

/// An alarm to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAlarm {
    pub name: String,
    /// `None` for the conversation of the event that is heard.
    pub conversation: Option<String>,
    /// What the bot shall know when it rings.
    pub note: String,
    pub plan: Plan,
}

/// An alarm that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAlarm {
    pub name: String,
    pub note: String,
    pub plan: Plan,
    /// When it rings next.
    pub due: Moment,
}

/// Why an upstream could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// Its budget has nothing left before this; nothing went out.
    NotBefore { moment: Moment, why: String },
    /// It did not answer.
    Failed { why: String },
    /// We have no papers that it accepts; the operator is told how to get new ones.
    LoggedOut { why: String },
    /// More calls at once than it ever allows.
    Never { why: String },
}

impl CallFault {
    /// For a bot that has nothing to say without an answer: tried again when the budget allows, or by and by.
    pub fn later(self, now: Moment) -> BotFault {
        match self {
            CallFault::NotBefore { moment, why } => BotFault::Later { why, after: Some(moment.since(now)) },
            CallFault::Failed { why } | CallFault::LoggedOut { why } => BotFault::Later { why, after: None },
            CallFault::Never { why } => BotFault::Never { why },
        }
    }
}

/// Why a bot could not hear an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BotFault {
    /// Worth another try, not before `after` if given.
    Later { why: String, after: Option<Duration> },
    /// It never will; the operator is told.
    Never { why: String },
}

/// Refuses what is too long to be remembered under one key, at every desk.
pub fn rememberable(value: &[u8]) -> Result<(), BotFault> {
    if value.len() > MEMORY_VALUE_BYTES_MAX {
        return Err(BotFault::Never { why: format!("it wants to remember {} bytes under one key", value.len()) });
    }
    Ok(())
}

/// The stage after this many, with this note; refused at every desk where the note is too long, or the answer.
pub fn next_stage(before: u32, note: Vec<u8>) -> Result<Stage, BotFault> {
    let number = before.saturating_add(1);
    if note.len() > STAGE_BYTES_MAX || number > STAGES_MAX {
        let why = format!("it wants to go on with {} bytes, as stage {number} of its answer", note.len());
        return Err(BotFault::Never { why });
    }
    Ok(Stage { number, note })
}

/// What answers.
pub trait Bot: Send + Sync {
    /// Hears one event. No reply is an answer too: then the event is ignored, with that reason.
    fn hear(&self, event: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault>;

    /// The path below which its pages lie, as `/weekly`; `None` for a bot that has none.
    fn place(&self) -> Option<&str> {
        None
    }

    /// Whether whoever sends this has the secret of what lies at a path below its place. The loop asks, before anything is
    /// looked up.
    fn opens(&self, _head: &Head, _below: &str) -> bool {
        false
    }

    /// Makes a page. `None` when there is nothing at this path.
    fn page(&self, _visit: &Visit, _desk: &mut dyn Desk) -> Result<Option<Page>, BotFault> {
        Ok(None)
    }
}
