//! What becomes of an event that was under way when ackd ended. It may have been the cause: so it comes back later each
//! time, while everything else goes on, and after many times in a row it is given up. Most often it was a power cut, and no
//! fault of the event: after the first time it comes back at once.

use crate::limits::{CUT_OFFS_MAX, RETRY_DELAY, RETRY_DELAY_MAX};
use crate::model::{EventKey, Moment};
use std::time::Duration;

/// Whether an event that was handed out so often in a row, and never came back, is given up; and why.
pub(super) fn given_up(handed: u32) -> Option<String> {
    (handed >= CUT_OFFS_MAX)
        .then(|| format!("ackd ended {handed} times in a row while it was under way; the log says why"))
}

/// What is told of an event that is handed out again, after so many times in a row that it never came back. Once is
/// chance, and nothing to tell.
pub(super) fn told(handed: u32) -> Option<String> {
    (handed > 1).then(|| format!("was under way when ackd ended, {handed} times in a row"))
}

/// An event is handed out, after so many times in a row that it was and never came back: when it may be handed out again,
/// should that happen once more.
pub(super) fn due_again(event: EventKey, handed: u32, now: Moment) -> Moment {
    now.after(wait(event, handed))
}

/// Doubled each time up to the longest wait of a retry.
fn wait(event: EventKey, handed: u32) -> Duration {
    let Some(doublings) = handed.checked_sub(1) else { return Duration::ZERO };
    let longest = RETRY_DELAY.saturating_mul(1 << doublings.min(31)).min(RETRY_DELAY_MAX);
    // Between half and all of it: neighbours that were cut off together do not come back together.
    longest / 14 * (7 + u32::try_from(event.place() % 8).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest_and_neighbours_part() {
        let waits = |place| (0..12).map(|handed| wait(EventKey(place), handed).as_secs_f64()).collect::<Vec<_>>();
        let half = [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0];
        for (place, times) in [(0, 1.0), (7, 2.0), (8, 1.0), (15, 2.0)] {
            for (wait, half) in waits(place).into_iter().zip(half) {
                assert!((wait - half * times).abs() < 1e-6, "{place}: {wait} for {}", half * times);
            }
        }
        assert!(waits(3) > waits(2));
        assert_eq!(wait(EventKey(7), u32::MAX), RETRY_DELAY_MAX / 14 * 14);
    }
}
