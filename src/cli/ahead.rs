//! A clock that goes as the wall's does, and can be moved forward: that of a trial.
//!
//! Only what is told the wall's time sees it: what is due, how old something is. Whoever measures how long something takes,
//! as connections and calls do, has another clock, so that none of them ends because of it.

use crate::daemon;
use crate::limits::TRIAL_AHEAD_MAX;
use crate::model::Moment;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How far it is ahead, in milliseconds. A clock is a plain function for all who are handed it, so this is no field.
static AHEAD_MS: AtomicI64 = AtomicI64::new(0);

/// What it shows.
pub(super) fn clock() -> Moment {
    Moment(daemon::clock().0.saturating_add(AHEAD_MS.load(Ordering::Relaxed)))
}

/// Moves it forward.
pub(super) fn go(by: Duration) -> Result<(), String> {
    let most = i64::try_from(TRIAL_AHEAD_MAX.as_millis()).unwrap_or(i64::MAX);
    let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    let further = |ahead: i64| ahead.checked_add(by).filter(|ahead| *ahead <= most);
    let moved = AHEAD_MS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, further);
    moved.map(drop).map_err(|_| "the clock of a trial goes at most a year ahead; begin another one".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_forward_and_not_without_end() {
        let (wall, hour) = (daemon::clock(), Duration::from_secs(3600));
        go(hour).unwrap();
        assert!((3600..3700).contains(&clock().since(wall).as_secs()));
        assert!(go(TRIAL_AHEAD_MAX).unwrap_err().contains("at most a year"));
        assert!((3600..3700).contains(&clock().since(wall).as_secs()), "it did not move");
    }
}
