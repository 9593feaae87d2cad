//! The plan: so many calls in a minute and in a month, by the calendar in UTC, and not one more (enphase.md §6).

use super::refusal::{Over, Refused};
use crate::model::{Limit, Moment};
use crate::twin::Meter;

/// What was used of each limit.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    pub plan: String,
    meters: Vec<Meter>,
}

impl Quota {
    /// Nothing was used yet.
    pub(super) fn new(plan: String, limits: &[Limit]) -> Quota {
        Quota { plan, meters: limits.iter().map(|limit| Meter::new(*limit)).collect() }
    }

    /// Counts a call, or refuses it; then it counts nowhere (whether Enphase counts it is unconfirmed). Of several
    /// limits the longest is told.
    pub(super) fn take(&mut self, now: Moment) -> Result<(), Refused> {
        self.meters = self.meters(now);
        let full = self.meters.iter_mut().filter(|meter| meter.used >= meter.limit);
        if let Some(meter) = full.max_by_key(|meter| meter.period) {
            meter.refused += 1;
            let period = Some((meter.period, meter.period_start, meter.period_end, meter.limit));
            return Err(Refused::Limit(Over { plan: self.plan.clone(), period }));
        }
        for meter in &mut self.meters {
            meter.used += 1;
        }
        Ok(())
    }

    /// As they stand now.
    pub(super) fn meters(&self, now: Moment) -> Vec<Meter> {
        self.meters.iter().map(|meter| meter.at(now)).collect()
    }
}
