//! Clocks that stand still until somebody moves them. A clock is a function without a state of its own, so each test that
//! needs one takes a number of its own.

use ackd::model::Moment;
use std::sync::atomic::{AtomicI64, Ordering};

static CLOCKS: [AtomicI64; 16] = [const { AtomicI64::new(0) }; 16];

/// The clock that nobody moves.
pub const REAL: usize = 15;

/// What clock `N` shows.
pub fn clock<const N: usize>() -> Moment {
    if N == REAL {
        return ackd::daemon::clock();
    }
    Moment(CLOCKS[N].load(Ordering::SeqCst))
}

/// Sets clock `N`.
pub fn set<const N: usize>(now: Moment) {
    CLOCKS[N].store(now.0, Ordering::SeqCst);
}
