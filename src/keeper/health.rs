//! How the keeper is, for those who do not wait for it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize};

/// What others may see of the keeper while it works.
#[derive(Debug)]
pub struct Health {
    /// The store can be written.
    pub writable: AtomicBool,
    pub kept: AtomicU64,
    pub duplicates: AtomicU64,
    pub settled: AtomicU64,
    /// The last question of the loop to which the answer was that all moves.
    pub pulse: AtomicU64,
    /// While nobody works: until when the keeper will do nothing of its own accord. `WORKING` otherwise.
    pub rests_until: AtomicI64,
    /// What the loop has handed over and the keeper not yet kept, in bytes.
    pub waiting_bytes: AtomicUsize,
}

/// The keeper or a worker works.
pub const WORKING: i64 = i64::MIN;

impl Default for Health {
    fn default() -> Health {
        Health {
            writable: AtomicBool::default(),
            kept: AtomicU64::default(),
            duplicates: AtomicU64::default(),
            settled: AtomicU64::default(),
            pulse: AtomicU64::default(),
            rests_until: AtomicI64::new(WORKING),
            waiting_bytes: AtomicUsize::default(),
        }
    }
}
