//! What follows from an upstream's answer: for the channel, and for the next try.

use crate::limits;
use crate::model::{Delivery, Extent};
use crate::platform::cut::truncate;
use crate::queue::backoff;
use crate::queue::pace::Effect;
use std::time::Duration;

/// How long the next try waits after attempt `attempt`; `after` is what the platform asked for.
pub(super) fn wait(after: Option<Duration>, effect: &Effect, attempt: u32, chance: u64) -> Duration {
    let wait = backoff::delay(attempt, chance);
    match effect {
        Effect::Limited { wait, .. } => *wait,
        _ => after.map_or(wait, |after| after.max(wait)),
    }
}

/// In how many seconds `what` happens; nothing when no time was set, since then the channel rests and says so itself.
pub(super) fn again(what: &str, wait: Duration) -> String {
    let seconds = wait.as_millis().div_ceil(1000);
    if wait.is_zero() { String::new() } else { format!("{what} in {seconds} s") }
}

/// What became of it, in words.
pub(super) fn words(delivery: &Delivery) -> String {
    let mut words = delivery.why().unwrap_or("delivered").to_owned();
    truncate(&mut words, limits::WORDS_BYTES_MAX);
    words
}

/// What a call says about its channel. A refusal of this one message says that the platform is well.
pub(super) fn effect(delivery: &Delivery, status: Option<u16>) -> Effect {
    match delivery {
        Delivery::Delivered { .. } => Effect::Well,
        Delivery::Dead { .. } | Delivery::Gone { .. } | Delivery::Outside { .. } if status.is_some() => Effect::Well,
        Delivery::Dead { .. } | Delivery::Gone { .. } | Delivery::Outside { .. } => Effect::None,
        Delivery::Locked { why } => Effect::Locked { why: why.clone() },
        Delivery::Unknown { why } => Effect::Failed { why: why.clone() },
        Delivery::Retry { why, after, extent: Extent::Channel, .. } => {
            let wait = after.unwrap_or(LIMIT_REST).min(limits::UPSTREAM_WAIT_MAX);
            Effect::Limited { wait, why: why.clone() }
        }
        Delivery::Retry { why, .. } => Effect::Failed { why: why.clone() },
    }
}

/// How long a channel rests after a limit for which the platform named no end; asking sooner lengthens it.
const LIMIT_REST: Duration = Duration::from_secs(60);
