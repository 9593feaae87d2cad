//! What is typed at a shell: arguments → `Command`, and the commands that are more than a call.
//!
//!     args.rs      words → Command, or a UsageError that says what to type; args/commands.rs reads what only one takes
//!     help.rs      the texts of --help
//!     check.rs     ackd check
//!     reload.rs    ackd reload
//!     top.rs       ackd top
//!     events.rs    ackd events: a table; follow.rs goes on with what comes in
//!     linger.rs    waiting while somebody reads
//!     why.rs       ackd why: one event's life
//!     send.rs      ackd send
//!     replay.rs    ackd replay and ackd resolve
//!     rehearse.rs  ackd replay --dry: what another configuration would have said (rehearsal.rs hears, dry.rs is the bot's
//!                  desk)
//!     login.rs     ackd login: the consent that an upstream wants
//!     solar.rs     ackd solar: whom the solar bot tells of which system
//!     keepsake.rs  what these two have the store remember
//!     reach.rs     how these four reach the store: through the daemon (control.rs), or on their own
//!     webhook.rs   ackd webhook: the registration on the platform's side
//!     doctor/      ackd doctor: what an answering bot needs, live
//!     trial.rs     ackd try, with a clock that can be moved (ahead.rs), and twin.rs ackd twin; both play the platforms
//!                  (playing.rs)
//!     show.rs      words from outside, and times, as a terminal may see them
//!     log.rs       what the daemon says while it runs
//!
//! Never here: ending the process, reading the environment; `main.rs` does both. What a command needs of the world
//! is in its `World`.

mod ahead;
pub mod args;
pub mod check;
pub mod control;
pub mod doctor;
mod dry;
pub mod events;
mod follow;
pub mod help;
mod keepsake;
pub mod linger;
pub mod log;
pub mod login;
pub mod playing;
mod reach;
mod rehearsal;
pub mod rehearse;
pub mod reload;
pub mod replay;
pub mod send;
pub mod show;
pub mod solar;
#[cfg(test)]
mod testing;
pub mod top;
pub mod trial;
pub mod twin;
pub mod webhook;
pub mod why;

use crate::config::ConfigError;
use crate::model::Moment;
use crate::store::StoreError;
use jiff::tz::TimeZone;
use std::fmt;
use std::io;
use std::time::Duration;

/// What a command may use of the world, so that a test can hand in another one.
pub struct World<'a> {
    /// Where the reader of the output is.
    pub zone: TimeZone,
    pub clock: fn() -> Moment,
    /// Whoever typed the command, by number.
    pub user: u32,
    /// Waits.
    pub pause: &'a dyn Fn(Duration),
    /// Waits too, but no longer than somebody reads what is said.
    pub linger: &'a dyn Fn(Duration) -> io::Result<()>,
}

/// Why a command ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CliError {
    /// It was told something that cannot be; what to type instead.
    Usage(String),
    /// The configuration has faults.
    Config(ConfigError),
    /// It could not be done; why, and what to do.
    Failed(String),
    /// What was wrong has been told; the exit code is left.
    Told(u8),
    /// Whoever read the output went away, as `head` does: nothing is left to say, and nothing is wrong.
    NobodyReads,
}

impl CliError {
    /// The exit code that tells it.
    pub fn code(&self) -> u8 {
        match self {
            CliError::NobodyReads => 0,
            CliError::Failed(_) => 1,
            CliError::Usage(_) | CliError::Config(_) => 2,
            CliError::Told(code) => *code,
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CliError::Usage(what) | CliError::Failed(what) => out.write_str(what),
            CliError::Config(faults) => write!(out, "{faults}"),
            CliError::Told(_) | CliError::NobodyReads => Ok(()),
        }
    }
}

impl std::error::Error for CliError {}

/// Errors of input and output are those of writing what a command says; any other is given its own words.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> CliError {
        match error.kind() {
            io::ErrorKind::BrokenPipe => CliError::NobodyReads,
            _ => CliError::Failed(format!("writing the output: {error}")),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> CliError {
        CliError::Failed(error.0)
    }
}
