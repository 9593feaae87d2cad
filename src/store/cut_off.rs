//! What becomes of an event that was under way when ackd ended. It may have been the cause: so it comes back later each
//! time, while everything else goes on, and after many times in a row it is given up. Most often it was a power cut, and no
//! fault of the event: after the first time it comes back at once. After the second one it is a suspect, of which one at a
//! time is under way: else what was only beside the cause would share its end again and again.

use crate::limits::{CUT_OFFS_MAX, RETRY_DELAY, RETRY_DELAY_MAX};
use crate::model::{Attempt, Moment};
use std::collections::HashSet;
use std::time::Duration;

/// From so many times in a row on it is a suspect.
const SUSPECT_FROM: u32 = 2;

/// How often in a row an event may have been handed out that is taken up now: no second suspect while one's conversation is
/// among those that are out.
pub(super) fn handed_max(suspect: Option<i64>, out: &HashSet<i64>) -> u32 {
    if suspect.is_some_and(|lane| out.contains(&lane)) { SUSPECT_FROM - 1 } else { u32::MAX }
}

/// An attempt that began, and whose process went away before it ended.
pub(super) fn attempt(part: u32, number: u32, began: Moment, ended: Moment) -> Attempt {
    let words = "cut off: ackd stopped before the platform's answer came".to_owned();
    Attempt { part, number, began, ended, status: None, words }
}

/// Whether an event that was handed out so often in a row, and never came back, is given up; and why.
pub(super) fn given_up(handed: u32) -> Option<String> {
    (handed >= CUT_OFFS_MAX)
        .then(|| format!("ackd ended {handed} times in a row while it was under way; the log may say why"))
}

/// What is told of a suspect that is handed out again.
pub(super) fn told(handed: u32) -> Option<String> {
    (handed >= SUSPECT_FROM)
        .then(|| format!("taken up again after ackd ended {handed} times in a row while it was under way"))
}

/// An event is handed out, after so many times in a row that it was and never came back: when it may be handed out again,
/// should that happen once more.
pub(super) fn due_again(handed: u32, now: Moment) -> Moment {
    now.after(wait(handed))
}

/// Doubled each time up to the longest wait of a retry.
fn wait(handed: u32) -> Duration {
    let Some(doublings) = handed.checked_sub(1) else { return Duration::ZERO };
    RETRY_DELAY.saturating_mul(1 << doublings.min(31)).min(RETRY_DELAY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest() {
        let waits: Vec<_> = (0..13).map(|handed| wait(handed).as_secs()).collect();
        assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        assert_eq!(wait(u32::MAX), RETRY_DELAY_MAX);
    }
}
