//! The loop: one thread that reads and writes sockets and waits nowhere but in poll.
//!
//!     event_loop.rs   one turn: poll, accept, pump, hand over to the keeper, answer what was kept
//!     peer.rs         one connection: socket + http + what it waits for
//!     peers.rs        all connections: slots, who is idle for longest, deadlines, bytes held together
//!     listener.rs     addresses and the control socket
//!     signals.rs      SIGTERM, SIGINT, SIGHUP as bytes in a pipe
//!     complaints.rs   refusals in the log, without letting anybody flood it
//!
//! It knows mio, http and intake; never a platform, a bot, JSON or the store.

mod complaints;
pub mod event_loop;
pub mod listener;
mod peer;
mod peers;
pub mod signals;

pub use event_loop::EventLoop;
