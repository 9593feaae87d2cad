//! placeholder
use std::time::Duration;
pub fn delay(attempt: u32, _chance: u64) -> Duration {
    Duration::from_secs(1 << attempt.min(9))
}
