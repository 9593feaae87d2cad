//! How long to wait before another try, when nobody said.

use crate::limits::{RETRY_DELAY, RETRY_DELAY_MAX};
use std::time::Duration;

/// The wait after attempt `attempt` (from 1) failed: doubled each time up to a longest, and of that between half
/// and all as `chance` (any number, evenly spread) wills, so that those who failed together do not return together.
pub fn delay(attempt: u32, chance: u64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let longest = RETRY_DELAY.saturating_mul(1 << doublings).min(RETRY_DELAY_MAX);
    let half = longest / 2;
    half + half.mul_f64(chance as f64 / u64::MAX as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest() {
        let longest: Vec<u64> = (1..=12).map(|attempt| delay(attempt, u64::MAX).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
    }

    #[test]
    fn chance_takes_up_to_half_of_it() {
        assert_eq!(delay(5, 0), Duration::from_secs(8));
        assert_eq!(delay(5, u64::MAX / 2).as_secs(), 12);
        assert_eq!(delay(5, u64::MAX), Duration::from_secs(16));
    }

    #[test]
    fn no_attempt_is_too_early_or_too_late_to_have_a_wait() {
        for attempt in [0, 1, 31, 32, 33, u32::MAX] {
            for chance in [0, 1, u64::MAX] {
                let wait = delay(attempt, chance);
                assert!(wait >= RETRY_DELAY / 2 && wait <= RETRY_DELAY_MAX, "{attempt} {chance} {wait:?}");
            }
        }
    }
}
