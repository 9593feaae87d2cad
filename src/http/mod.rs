//! HTTP/1.1 as a server sees it: bytes in, requests out, answers in, bytes out. Strict, bounded, pure.
//!
//!     connection.rs   the states of one connection, and which of them may hold bytes
//!     head.rs         where a head ends, what is wrong with it, and how its body is framed
//!     body.rs         Content-Length and chunks
//!     masked.rs       a head as it may be kept and shown, in shorthand
//!     response.rs     an answer's bytes, and the date in them
//!
//! A peer that is wrong gets an answer that says why in one line, and then the connection ends: after a framing
//! fault nobody can say where the next request begins. Nothing here panics on what a peer sends.
//!
//! Never here: sockets, clocks, JSON, routes, platforms, logs. Bounds: `limits`. Read next: `connection.rs`.

mod body;
mod connection;
mod head;
mod masked;
mod response;

pub use body::{Dechunker, Fed};
pub use connection::{CloseReason, Connection, Step, Wait};
pub use head::{Asked, Found, Search, parse_head};
pub use masked::masked_head;
pub use response::HttpDate;
