//! The daemon as its users have it: the real binary as a process, a strict stand-in for the Send API, a raw client in
//! place of Meta. Each test has a daemon, a store and ports of its own, so they run side by side.
//!
//!     graph.rs    the stand-in: what it accepted, and how it fails        daemon.rs   start, kill, restart, stop
//!     client.rs   bytes on the wire, signed deliveries                     scene.rs    all three together
//!
//!     answers     every sample, batches, the same delivery again, lost answers      crash     SIGKILL under load
//!     upstream    slow, gone, back again, a long queue       errors    each of the Send API's errors
//!     disk        a full one                                 store     one ackd for each, never a foreign one
//!     stopping    SIGTERM, SIGINT                            reload   SIGHUP, ackd reload
//!     logs      what it says of all that, in which form, and how often
//!     crowd     connections that want to be in the way     metrics     what whoever watches is told, and where
//!     wire        HTTP at its edges                          secrets   who may come in, and what nobody may see
//!     inspector   what the operator sees of all that is kept, and decides
//!     door        the operator's, with its token
//!     resolved    what the operator has dealt with
//!
//! Nothing here is decided by how long something takes: a test waits for what must happen, and only gives up late.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod answers;
mod client;
mod crash;
mod crowd;
mod daemon;
mod disk;
mod door;
mod errors;
mod graph;
mod inspector;
mod logs;
mod metrics;
mod reload;
mod resolved;
mod scene;
mod secrets;
#[path = "../shared/mod.rs"]
mod shared;
mod stopping;
mod store;
mod upstream;
mod wire;

use std::path::{Path, PathBuf};

/// The folder of Messenger's samples.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/messenger")
}

/// The bytes of one of them.
fn fixture(name: &str) -> Vec<u8> {
    let path = fixtures().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
