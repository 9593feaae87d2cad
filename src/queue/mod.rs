//! Decides when, never what: how long to wait before the next try.
//!
//!     backoff       our own patience, when the upstream says nothing
//!     retry_after   what the upstream asked for, in its `Retry-After` header
//!     budget        when an upstream may be asked
//!     schedule      when an alarm rings
//!     pace          when a channel as a whole may be worked on
//!
//! Pure: time and chance are handed in. Never here: jobs, the store, a platform.

pub mod backoff;
pub mod budget;
pub mod pace;
pub mod retry_after;
pub mod schedule;

pub use backoff::delay;
pub use retry_after::{http_date, retry_after};
