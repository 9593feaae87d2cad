//! The workers: threads that may wait. A worker takes one lease, does it, and says how it ended.
//!
//!     pool.rs    the threads
//!     hear.rs    one event, heard by its channel's bot          looks it up first where need be; reads through a desk
//!     desk.rs    what a bot may use meanwhile
//!     clerk.rs   pages of bots, made by threads of their own
//!     send.rs    one reply, said to its platform                one call
//!     window.rs  whether a push may be said now, and what happens to it otherwise
//!     upstream.rs what bots ask: papers, payment, one call; vault.rs has the tokens
//!     facebook/  a login at Facebook and what it grants; login.rs is its page, session.rs who is the operator
//!     picture.rs     where a picture is shown that a bot made; address.rs is what the world calls us
//!     introduce.rs   who we are on a platform
//!     consequence.rs what follows from an upstream's answer
//!     fetch.rs   calls to upstreams; with resolve.rs the only place with ureq
//!
//! Never here: the store (the keeper owns it), a client's socket.

pub mod address;
pub mod clerk;
mod consequence;
mod desk;
pub mod facebook;
pub mod fetch;
mod hear;
pub mod introduce;
pub mod login;
mod memo;
mod picture;
pub mod pool;
mod resolve;
mod send;
pub mod session;
#[cfg(test)]
mod testing;
pub mod upstream;
pub mod vault;
mod window;

pub use desk::first_ring;
pub use hear::{answer, rung};

use crate::bot::Bot;
use crate::model::ChannelNumber;
use crate::notation::shelf::Shelf;
use crate::platform::{Outside, Platform};
use std::sync::Arc;

/// What a worker knows of a channel.
#[derive(Clone)]
pub struct Channel {
    pub name: String,
    pub platform: Arc<dyn Platform>,
    pub bot: Arc<dyn Bot>,
    pub bot_name: String,
    /// What becomes of a push that the platform would not take now.
    pub outside: Outside,
}

/// The channels by their number in the store.
pub type Channels = Shelf<ChannelNumber, Channel>;
