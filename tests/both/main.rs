//! Both platforms at once: the real daemon with a page and a Webex bot, and their twins on the other side of each wire.
//!
//!     scene.rs    a daemon and a house of twins, and short ways to use both
//!     deeds.rs    what people do beside talking: edit, delete, take the bot out of a room and in again
//!     ledger.rs   what the twins were told: each message of the bot, and each call
//!     facebook.rs Facebook at one moment, behind a gate, and what its posts come to
//!
//!     storm       thousands of messages, a plan of faults, SIGKILL       rooms    mentions, threads, own and other bots
//!     lost        answers that were lost, and what settles them          start    from a token to an answered message
//!     pace        how fast the twins are                            pictures what a bot draws, on each platform
//!     dota        the Dota bot and its players, and power cuts in the middle of an answer
//!     digest      the digest bot and Facebook, from the login to the push, and power cuts
//!     canaries    that no secret is said, shown or kept, whichever way it was given
//!     weekly      the digest bot's pages while Facebook hangs, and somebody with a socket at its door
//!
//! Nothing here is decided by how long something takes: a test waits for what must happen, and only gives up late.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

mod canaries;
mod deeds;
mod digest;
mod dota;
mod facebook;
mod ledger;
mod lost;
mod pace;
#[cfg(feature = "charts")]
mod pictures;
mod rooms;
mod scene;
#[path = "../shared/mod.rs"]
mod shared;
mod start;
mod storm;
mod weekly;
