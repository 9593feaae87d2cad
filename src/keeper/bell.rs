//! Alarms ring when a worker has nothing else to do: what somebody wrote goes before what nobody waits for. So a
//! thousand pushes that are due together delay a question by one job, and no more.

use super::{Keeper, Plan};
use crate::limits;
use crate::model::{Alarm, ChannelNumber, Lease, Moment, RunMissed};
use crate::queue::schedule;
use crate::store::{StoreError, Wanted};

/// What the keeper knows of alarms besides the store.
#[derive(Debug, Default)]
pub struct Bell {
    /// When this process began: what was due before was missed.
    began: Moment,
    /// When an alarm last rang.
    rang: Moment,
}

impl Bell {
    /// Of a process that begins now.
    pub(super) fn from(now: Moment) -> Bell {
        Bell { began: now, rang: Moment::default() }
    }

    /// Whether alarms have had to wait for so long that one goes first.
    pub(super) fn has_no_patience(&self, now: Moment) -> bool {
        now.since(self.rang) >= limits::ALARM_PATIENCE
    }
}

impl Keeper<'_> {
    /// Lets the alarm ring that has been due longest, on the first channel in turn that may work; its event is leased.
    pub(super) fn ring(&mut self, plan: &Plan, now: Moment) -> Result<Option<(usize, Lease)>, StoreError> {
        for place in plan.roster.in_turn() {
            let Some(line) = self.lines.get(place) else { continue };
            let may = line.pace.may_lease(now, plan.roster.out_of(place));
            if !may || plan.roster.wanted(place) != Some(Wanted::Any) || !plan.roster.may_ring(place) {
                continue;
            }
            if let Some(lease) = self.ring_on(line.number, plan, now)? {
                self.bell.rang = now;
                return Ok(Some((place, lease)));
            }
        }
        Ok(None)
    }

    /// Brings alarms back that a clock which was ahead has put off, by a year perhaps: they are due when their plans say.
    /// True when there may be more.
    pub(super) fn put_right(&mut self, now: Moment) -> Result<bool, StoreError> {
        let (mut moved, mut more) = (0, false);
        for line in &self.lines {
            let before = moved;
            for alarm in self.store.alarms_after(line.number, now.after(limits::ALARM_FAR))? {
                let next = schedule::next(&alarm.set.plan, seed(&alarm), now);
                if let Some(next) = next.filter(|next| *next < alarm.due) {
                    self.store.ring(&alarm, None, Some(next), now)?;
                    moved += 1;
                }
            }
            more |= moved - before == limits::ALARMS_MOVED;
        }
        if moved > 0 {
            log::warn!("{moved} alarms were put off while the clock was ahead; they ring when their plans say");
        }
        Ok(more)
    }

    fn ring_on(&mut self, channel: ChannelNumber, plan: &Plan, now: Moment) -> Result<Option<Lease>, StoreError> {
        for _ in 0..limits::ALARMS_MOVED {
            let Some(alarm) = self.store.alarm_due(channel, plan.roster.busy(), now)? else { return Ok(None) };
            let (rings_for, next) = times(&alarm, self.bell.began, now);
            let lease = self.store.ring(&alarm, rings_for, next, now)?;
            if lease.is_some() {
                return Ok(lease);
            }
        }
        Ok(None)
    }
}

/// For which time an alarm that is due rings, if for any, and when it is due again. `began` is when this process began:
/// what was due before that was missed.
fn times(alarm: &Alarm, began: Moment, now: Moment) -> (Option<Moment>, Option<Moment>) {
    let plan = &alarm.set.plan;
    let seed = seed(alarm);
    let latest = schedule::latest(plan, seed, alarm.due, now);
    let rings = latest >= began || plan.run_missed == RunMissed::Latest;
    (rings.then_some(latest), schedule::next(plan, seed, latest))
}

fn seed(alarm: &Alarm) -> u64 {
    schedule::seed(alarm.channel.0, &alarm.conversation, &alarm.name)
}
