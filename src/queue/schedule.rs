//! When an alarm rings: the times of a plan, in its time zone.
//!
//! Pure: the time is handed in. Never here: what rings, the store.

use crate::model::{Moment, Plan, When};

/// What is wrong with a plan, in words for whoever wrote it.
pub fn check(plan: &Plan) -> Result<(), String> {
    match plan.when {
        When::Once { .. } => Ok(()),
        When::Every { .. } | When::Cron { .. } => Err("not yet".to_owned()),
    }
}

/// The first time of `plan` after `after`, with its share of the spread: `seed` tells the alarms of one plan apart, and
/// is always the same for one alarm. `None` when there is none any more.
pub fn next(plan: &Plan, _seed: u64, after: Moment) -> Option<Moment> {
    match plan.when {
        When::Once { at } => (at > after).then_some(at),
        When::Every { .. } | When::Cron { .. } => None,
    }
}

/// Tells an alarm from all others.
pub fn seed(channel: u16, conversation: &str, name: &str) -> u64 {
    u64::from(channel) ^ (conversation.len() as u64) ^ (name.len() as u64)
}

/// The last time of `plan` up to `until` and not before `due`, which is one of its times.
pub fn latest(_plan: &Plan, _seed: u64, due: Moment, _until: Moment) -> Moment {
    due
}
