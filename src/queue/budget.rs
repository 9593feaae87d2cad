//! When an upstream may be asked: so many calls in each second, minute, day and month, as upstreams count (by the
//! calendar in UTC), each with a counter that outlives restarts.
//!
//!     Line::pay ──▶ paid, or NotBefore      calls are counted before they are made; a refusal counts nowhere
//!     Ledger::learn ──▶                     what the upstream says of its limits; it never gives calls back
//!
//! The ledger is what was spent, and is kept on the disk; the line is who waits for what will be there, and is not
//! (`line.rs`).
//!
//! A clock that is set back gives no calls back: until a period begins for the second time, what was spent in it and in
//! the one before counts together. Only a period that is further away than it is long was a wrong clock's; its calls
//! are then counted in the period that it really is.
//!
//! Pure: the time is handed in. Never here: upstreams, the store.

mod calendar;
mod line;
#[cfg(test)]
mod tests;

pub use line::{Line, misfit};

use crate::limits;
use crate::model::{Left, Lesson, Limit, Moment, Period};
use crate::notation::counted::counted;
use crate::notation::order::in_order;
use calendar::{length, period};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// That nothing is left, and when it is worth asking again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotBefore {
    pub moment: Moment,
    pub why: String,
}

/// What was spent at one upstream. Kept as JSON, so members may be added but not renamed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    second: Counter,
    minute: Counter,
    day: Counter,
    month: Counter,
    /// It wants no call at all for a while.
    rest: Option<Rest>,
    /// When it was last said that the calls will be used up.
    pub warned: Option<Moment>,
}

/// The calls of one period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Counter {
    begins: Moment,
    ends: Moment,
    used: u32,
    /// Used in the period before: the clock may be set back into it.
    before: u32,
    /// The upstream named a smaller limit than ours; it is believed until the period ends.
    of: Option<u32>,
    /// Used at two moments of late, the older one first: what lies behind it is recent.
    marks: [(Moment, u32); 2],
}

/// A rest that the upstream asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rest {
    /// When it was learnt.
    since: Moment,
    until: Moment,
}

impl Ledger {
    /// A ledger as it was kept. For one that cannot be read another is made up, and the error is beside it.
    pub fn read(json: &[u8], limits: &[Limit], now: Moment) -> (Ledger, Option<String>) {
        match serde_json::from_slice(json) {
            Ok(ledger) => (ledger, None),
            Err(error) => (Ledger::lost(limits, now), Some(error.to_string())),
        }
    }

    /// A ledger for one that was lost. All used up would silence a bot for a month over one bad byte, and nothing used
    /// could spend a month twice. So of days and months as much counts as used as an even pace would have spent, and
    /// of shorter periods all, which costs a minute at most. What is wrong in that, the upstream's refusals correct.
    fn lost(limits: &[Limit], now: Moment) -> Ledger {
        let mut ledger = Ledger::default();
        for limit in limits {
            let counter = ledger.counter(limit.per, now);
            let (gone, whole) = (now.since(counter.begins).as_millis(), counter.ends.since(counter.begins).as_millis());
            let even = (u128::from(limit.calls) * gone).div_ceil(whole.max(1));
            counter.used = match limit.per {
                Period::Second | Period::Minute => limit.calls,
                Period::Day | Period::Month => u32::try_from(even).unwrap_or(limit.calls),
            };
            counter.marks = [(now, counter.used); 2];
        }
        ledger
    }

    /// As it is to be kept.
    pub fn json(&self) -> Vec<u8> {
        // Numbers in structs: there is nothing in it that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Counts calls that are to be made.
    fn count(&mut self, calls: u32, per: Period, now: Moment) {
        self.counter(per, now).count(calls, per, now);
    }

    /// Until when the upstream wants no call.
    fn rests_until(&mut self, now: Moment) -> Option<Moment> {
        // Of a clock that was set back by a day, nobody knows how long it is still.
        let is_over = |rest: &Rest| rest.until <= now || rest.since.since(now) > limits::UPSTREAM_WAIT_MAX;
        self.rest = self.rest.take().filter(|rest| !is_over(rest));
        self.rest.as_ref().map(|rest| rest.until)
    }

    /// What is left, the shortest period first.
    pub fn left(&self, limits: &[Limit], now: Moment) -> Vec<Left> {
        let mut then = self.clone();
        let left = limits.iter().map(|limit| {
            let counter = then.counter(limit.per, now);
            let of = counter.of(*limit);
            Left { per: limit.per, calls: of.saturating_sub(counter.spent(now)), of, ends: counter.ends }
        });
        let mut left = in_order(left.collect(), |one, other| one.per > other.per);
        let rest = self.rest.as_ref().filter(|rest| rest.until > now);
        if let (Some(shortest), Some(rest)) = (left.first_mut(), rest) {
            (shortest.calls, shortest.ends) = (0, shortest.ends.max(rest.until));
        }
        left
    }

    /// Takes in what the upstream said; a lesson without anything is a refusal that names no reason. It never gives calls
    /// back, and no wait is longer than the period that it is about. Says what the operator should know.
    pub fn learn(&mut self, lesson: &Lesson, limits: &[Limit], now: Moment) -> Option<String> {
        let limit = limits.iter().find(|limit| Some(limit.per) == lesson.per).copied();
        let allows = lesson.left.is_some_and(|left| left > 0);
        // By our clock the period is over already, so the refusal is about one that ours is ahead of.
        let over = lesson.until.is_some_and(|until| until <= now);
        let Some(limit) = limit.filter(|_| allows || !over) else {
            if !allows {
                self.rest_as(lesson, now);
            }
            return None;
        };
        let counter = self.counter(limit.per, now);
        let mut news = None;
        if let Some(of) = lesson.of.filter(|of| *of < counter.of(limit)) {
            let (per, ours) = (limit.per.word(), limit.calls);
            news =
                Some(format!("it allows {} in this {per}; the configuration says {ours}", counted(of.into(), "call")));
            counter.of = Some(of);
        }
        let of = counter.of(limit);
        counter.used = counter.used.max(of.saturating_sub(lesson.left.unwrap_or(0)));
        if let Some(until) = lesson.until.filter(|_| !allows) {
            counter.ends = counter.ends.max(until.min(now.after(length(limit.per))));
        }
        news
    }

    /// No calls for as long as the lesson says.
    fn rest_as(&mut self, lesson: &Lesson, now: Moment) {
        let most = now.after(lesson.per.map_or(limits::UPSTREAM_WAIT_MAX, length));
        let end = lesson.until.or_else(|| lesson.per.map(|per| period(per, now).1)).filter(|end| *end > now);
        let until = end.map_or_else(|| now.after(limits::BUDGET_REST), |end| end.min(most));
        match &mut self.rest {
            Some(rest) if rest.until >= until => {}
            rest => *rest = Some(Rest { since: now, until }),
        }
    }

    /// When the calls of the longest period, a day or a month, will be used up before it ends, if it goes on as of late.
    pub fn forecast(&self, limits: &[Limit], now: Moment) -> Option<Moment> {
        let limit = limits.iter().filter(|limit| limit.per >= Period::Day).max_by_key(|limit| limit.per)?;
        let mut then = self.clone();
        let counter = then.counter(limit.per, now);
        let [(since, before), _] = counter.marks;
        let (passed, spent) = (now.since(since), counter.used.saturating_sub(before));
        // At first it is too soon to tell: a bot that starts asks more than one that runs.
        if passed < recent(limit.per) / 2 || spent == 0 {
            return None;
        }
        let left = counter.of(*limit).saturating_sub(counter.used);
        let millis = passed.as_millis() * u128::from(left) / u128::from(spent);
        let at = now.after(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)));
        (at < counter.ends).then_some(at)
    }

    /// The counter of this length, in the period that it is now.
    fn counter(&mut self, per: Period, now: Moment) -> &mut Counter {
        let counter = match per {
            Period::Second => &mut self.second,
            Period::Minute => &mut self.minute,
            Period::Day => &mut self.day,
            Period::Month => &mut self.month,
        };
        counter.turn(per, now);
        counter
    }

    /// The same as it was left.
    fn page(&self, per: Period) -> &Counter {
        match per {
            Period::Second => &self.second,
            Period::Minute => &self.minute,
            Period::Day => &self.day,
            Period::Month => &self.month,
        }
    }
}

impl Counter {
    /// Begins anew when its period is over.
    fn turn(&mut self, per: Period, now: Moment) {
        let (begins, ends) = period(per, now);
        let (to_begin, to_end) = (self.begins.since(now), self.ends.since(now));
        if to_end.is_zero() {
            *self = Counter { begins, ends, before: self.used, marks: [(now, 0); 2], ..Counter::default() };
        } else if to_begin > length(per) || to_end > 2 * length(per) {
            // The clock was wrong by far; what was spent by it was spent now.
            let (used, of) = (self.used, self.of);
            *self = Counter { begins, ends, used, before: 0, of, marks: [(now, used); 2] };
        }
    }

    /// The limit that holds.
    fn of(&self, limit: Limit) -> u32 {
        self.of.map_or(limit.calls, |of| of.min(limit.calls))
    }

    /// What counts at this moment.
    fn spent(&self, now: Moment) -> u32 {
        if now < self.begins { self.used.saturating_add(self.before) } else { self.used }
    }

    fn count(&mut self, calls: u32, per: Period, now: Moment) {
        self.used = self.used.saturating_add(calls);
        let [_, late] = self.marks;
        if now.since(late.0) >= recent(per) / 2 {
            self.marks = [late, (now, self.used)];
        }
    }
}

/// The part of a period that is recent.
fn recent(per: Period) -> Duration {
    length(per) / limits::BUDGET_RECENT
}
