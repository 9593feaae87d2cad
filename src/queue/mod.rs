//! When, never what: waits between attempts, and the pace of a channel. Pure; time and chance are handed in.

pub mod backoff;
pub mod pace;
