//! A bot hears an event and says what it wants said. It is a plain function that may block, since it runs on a
//! worker; what it may touch is its desk, so a test hands it a desk with recorded answers.
//!
//! Never here: a platform, the store, a thread, the clock (the desk tells the time).

pub mod echo;
pub mod paper;
pub mod solar;
pub mod subscription;
pub mod tour;

use crate::model::{Answer, Event, Left, Lesson, Moment, Plan, Reply};
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

    /// Forgets `key`, which may be used once, and was just recalled. If another conversation has used it up meanwhile,
    /// nothing of this hearing is kept, and the event is heard again.
    fn use_up(&mut self, key: &str) -> Result<(), BotFault>;

    /// Asks an upstream: one GET of `path` (with its query) below its base URL, within its budget and with its papers.
    /// Any answer is an answer, whatever its status; a 429 should be handed to `learn`.
    fn get(&mut self, upstream: &str, path: &str) -> Result<Answer, CallFault>;

    /// What is left of the upstream's limits, the shortest period first.
    fn left(&mut self, upstream: &str) -> Result<Vec<Left>, BotFault>;

    /// Takes what an upstream said about its limits into account, for everybody who asks it.
    fn learn(&mut self, upstream: &str, lesson: Lesson) -> Result<(), BotFault>;

    /// Sets an alarm in the event's conversation, or in another one of the same channel; one that has this name there
    /// already is replaced. It is committed with the replies. Says when it rings first, or what is wrong with the plan.
    fn set_alarm(&mut self, alarm: NewAlarm) -> Result<Result<Moment, String>, BotFault>;

    /// Takes an alarm of the event's conversation away.
    fn cancel_alarm(&mut self, name: &str) -> Result<(), BotFault>;

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
}

impl CallFault {
    /// For a bot that has nothing to say without an answer: tried again when the budget allows, or by and by.
    pub fn later(self, now: Moment) -> BotFault {
        match self {
            CallFault::NotBefore { moment, why } => BotFault::Later { why, after: Some(moment.since(now)) },
            CallFault::Failed { why } | CallFault::LoggedOut { why } => BotFault::Later { why, after: None },
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

/// What answers.
pub trait Bot: Send + Sync {
    /// Hears one event. No reply is an answer too: then the event is ignored, with that reason.
    fn hear(&self, event: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault>;
}
