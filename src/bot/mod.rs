//! A bot hears an event and says what it wants said. It is a plain function that may block, since it runs on a
//! worker; what it may touch is its desk, so a test hands it a desk with recorded answers.
//!
//! Never here: a platform, the store, a thread, the clock (the desk tells the time).

pub mod echo;
pub mod tour;

use crate::model::{Event, Moment, Reply};
use std::time::Duration;

/// All that a bot may use while it works. What it remembers is committed with its replies, or not at all.
pub trait Desk {
    /// The time.
    fn now(&self) -> Moment;

    /// What the bot remembers under `key`, unless it has expired.
    fn recall(&mut self, key: &str) -> Result<Option<Vec<u8>>, BotFault>;

    /// Remembers `value` under `key`, until `expires` if given.
    fn remember(&mut self, key: &str, value: Vec<u8>, expires: Option<Moment>) -> Result<(), BotFault>;

    /// Forgets `key`.
    fn forget(&mut self, key: &str) -> Result<(), BotFault>;
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
