//! Registrations: what a platform knows of a channel's address, and how to make it know what it should.
//!
//!     public_url ──▶ target ──▶ Registration::sync ──calls──▶ the platform
//!        (fixed, or the ngrok agent's)        └──▶ Report: what was done, what was left alone, what is wrong
//!
//!     webex/         webhooks: list, create, repair, remove
//!     messenger.rs   the page's subscribed app, and the app's callback URL
//!     public.rs      what the world calls this daemon; ngrok.rs asks an agent for it
//!     watch.rs       the thread "registrar": looks at start and every few minutes, repairs, and shouts
//!     standing.rs    how each channel stood at the last look, for whoever wants to know
//!
//! Each call goes through an `Upstream`, so that a test hands in one with recorded answers. What is decided (`plan`,
//! `choose`) is apart from the calling. A platform's list may hold secrets in clear: none is ever printed.
//! Never here: the store, what comes in, what a bot says.

pub mod messenger;
pub mod ngrok;
pub mod public;
pub mod standing;
#[cfg(test)]
mod testing;
pub mod watch;
pub mod webex;
mod words;

pub use public::PublicUrl;
pub use standing::{Look, Standing};

use crate::model::{OutboundRequest, Outcome};
use crate::work::fetch::Fetch;
use std::fmt;

/// Where calls go.
pub trait Upstream {
    /// Makes one call and waits for its end.
    fn call(&self, request: &OutboundRequest) -> Outcome;
}

impl Upstream for Fetch {
    fn call(&self, request: &OutboundRequest) -> Outcome {
        Fetch::call(self, request)
    }
}

/// What one channel needs its platform to know. `target` is the whole address of the channel's webhook.
pub trait Registration: Send + Sync {
    /// What the platform knows now, compared with `target` where that is known.
    fn list(&self, target: Option<&str>, upstream: &dyn Upstream) -> Result<Listing, RegistryFault>;

    /// Makes the platform's side equal to ours, as far as the wish goes.
    fn sync(&self, target: &str, wish: Wish, upstream: &dyn Upstream) -> Report;

    /// The same look with nothing changed: `wrong` is what `sync` would mend, `left` what cannot be seen.
    fn examine(&self, target: &str, upstream: &dyn Upstream) -> Result<Report, RegistryFault>;

    /// Takes back all that is ours.
    fn delete(&self, upstream: &dyn Upstream) -> Report;
}

/// How much may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Only what is missing is made.
    Create,
    /// What is wrong is repaired, and what is ours and of no use is removed.
    Sync,
}

/// What a platform knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub rows: Vec<Row>,
    /// What cannot be seen, and what to do about it; complete lines.
    pub notes: Vec<String>,
    /// What is missing or not as it should be, as far as that is known; complete lines.
    pub wrong: Vec<String>,
}

/// One registration. All of it comes from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is told: `messages/created`, or fields.
    pub what: String,
    /// Where it is told.
    pub target: String,
    pub state: String,
    /// Whose it is, and what is wrong with it.
    pub remark: String,
}

/// What came of a look: complete lines, each one a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was changed.
    pub done: Vec<String>,
    /// What was not touched or cannot be seen, and why.
    pub left: Vec<String>,
    /// What is not as it should be even now, and what to do.
    pub wrong: Vec<String>,
}

impl Report {
    /// Nothing was done, for this reason.
    pub fn failed(fault: &RegistryFault) -> Report {
        Report { wrong: vec![fault.0.clone()], ..Report::default() }
    }

    /// Keeps why something could not be done.
    fn note<T>(&mut self, result: Result<T, RegistryFault>) {
        self.wrong.extend(result.err().map(|fault| fault.0));
    }
}

/// Why a platform or an agent could not be asked, or said no: one line, without any secret, with what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryFault(pub String);

impl fmt::Display for RegistryFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for RegistryFault {}
