//! ackd: *ack first, answer later*. A webhook daemon for chat bots that loses no message.
//!
//! The way of one message, as two straight lines that meet at the store:
//!
//!     in    socket → net → http → intake → keeper → store     the sender is answered once the store has it
//!     out   store → keeper → work → bot, platform → keeper     a lease, a settlement, and what follows from it
//!
//! The rooms, from the top down; each may use those below it and none above:
//!
//!     cli        what is typed at a shell, one file a command
//!     daemon     joins the threads: start, drain, stop
//!     page       the chat page of `ackd try`
//!     twin       the other side of each wire, for `try` and the tests  pure, but for its server and courier
//!     config     ackd.toml → Config, every field already valid
//!     net        the loop: poll, accept, deadlines                  mio
//!     registry   what platforms know of our address: list, sync, watch
//!     work       the workers: hear, send, fetch                     ureq
//!     keeper     the one thread that owns the store
//!     systemd    READY, RELOADING, WATCHDOG, sockets that it opened
//!     intake     request → verdict
//!     inspector  what is kept as JSON, for the operator's page      pure
//!     http       one HTTP/1.1 connection, without socket or clock   httparse
//!     tls        certificates and keys, and which is wrong          rustls
//!     platform   messenger, webex: read, recall, fit, write, judge  pure
//!     queue      when, never what                                   pure
//!     meter      figures, and the page on which they stand          pure
//!     bot        hears events, says replies, knows its desk
//!     chart      numbers as a picture                               gif
//!     store      what is kept, and in which order it is handed out  rusqlite
//!     model      nouns that cross a wall
//!     notation   bytes as text: hex digits, percent signs
//!     limits     every bound, with its reason
//!
//! ARCHITECTURE.md says why; `tests/tidy.rs` holds the order.

#![forbid(unsafe_code)]

pub mod bot;
pub mod chart;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod http;
pub mod inspector;
pub mod intake;
pub mod keeper;
pub mod limits;
pub mod meter;
pub mod model;
pub mod net;
pub mod notation;
pub mod page;
pub mod platform;
pub mod queue;
pub mod registry;
pub mod store;
pub mod systemd;
pub mod tls;
pub mod twin;
pub mod work;

/// Chance that can be repeated, the same for the tests in here and those beside.
#[cfg(test)]
#[path = "../tests/shared/luck.rs"]
mod luck;

/// A folder for each test that needs one.
#[cfg(test)]
#[path = "../tests/shared/folder.rs"]
mod folder;
