//! The loop: one thread that reads and writes sockets and waits nowhere but in poll.
//!
//!     event_loop.rs   one turn: poll, accept, pump, hand over to the keeper, answer what was kept;
//!                     in eviction.rs, who has to go when there is no room
//!     peer.rs         one connection: socket + http + what it waits for
//!     peers.rs        all connections: slots, who is idle for longest, deadlines, bytes held together
//!     refusals.rs     what is said when something cannot be done now
//!     gallery.rs      pictures that somebody wants to see, a few at once
//!     lobby.rs        pages that somebody wants to see and a worker makes
//!     tls.rs          TLS between a socket and what `http` sees of it
//!     news.rs         what other threads tell it
//!     listener.rs     addresses and the control socket
//!     signals.rs      SIGTERM, SIGINT, SIGHUP as bytes in a pipe
//!     complaints.rs   refusals in the log, without letting anybody flood it
//!
//! It knows mio, rustls, http and intake; never a platform, a bot, JSON or the store.

mod complaints;
pub mod event_loop;
mod gallery;
pub mod listener;
mod lobby;
mod news;
mod peer;
mod peers;
mod refusals;
pub mod signals;
mod tls;

pub use crate::meter::Served;
pub use event_loop::EventLoop;
pub use lobby::Lobby;
pub use mio::Waker;
pub use news::{Announcer, News, Setting};
