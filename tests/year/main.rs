//! The solar bot between the twins of two platforms and of Enphase, and the Dota bot with that of OpenDota, in one process,
//! under clocks that are moved by hand.
//!
//!     clock.rs    clocks that stand still until they are moved
//!     post.rs     twins whose events are put into a box instead of being sent
//!     world.rs    the twins, a daemon without a loop that can be stopped and started, and short ways to use both
//!     people.rs   who has a system and a subscription, what they ask, and what they must be told
//!
//!     year        a whole year with stops, faults and changes of the clocks          eleven   a thousand at eleven
//!     windows     what becomes of a push when Messenger's window is closed           locked_out  kills while tokens are renewed
//!     crowd       a thousand who ask the Dota bot, within the limits of OpenDota
//!
//! Nothing here is decided by how long something takes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

mod clock;
mod crowd;
mod eleven;
mod locked_out;
mod people;
mod post;
#[path = "../shared/mod.rs"]
mod shared;
mod windows;
mod world;
mod year;
