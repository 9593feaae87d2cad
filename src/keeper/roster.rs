//! Who has which job, and who may have another: the bounds between channels, bots and workers.
//!
//! A turn works on a copy and puts it in place once the turn is durable; so a failing disk leaves no trace here.

use crate::limits;
use crate::model::{Lease, Purpose, Work};
use crate::store::{ALARM, Wanted};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How many workers one channel, or one bot, may hold when there are `others` beside it: so many that the others
/// find one free, up to half of them.
pub fn leases_max(workers: usize, others: usize) -> usize {
    workers.saturating_sub(others.min(workers / 2)).max(1)
}

/// The place of a channel that is not in the configuration any more.
const NOWHERE: usize = usize::MAX;

/// What one worker has.
#[derive(Clone, Copy, Debug)]
struct Out {
    lane: i64,
    line: usize,
    hears: bool,
    unasked: bool,
    /// Since it was given, by the pulses that have passed.
    age: Duration,
    given: Instant,
}

/// Whether it is work that nobody waits for.
fn is_unasked(lease: &Lease) -> bool {
    match &lease.work {
        Work::Hear { kind, .. } => kind == ALARM,
        Work::Send { reply, .. } => reply.purpose == Purpose::Push,
    }
}

/// The bounds of one channel, and what it has of them. Channels with the same bot share the bot's bound.
#[derive(Clone, Copy, Debug)]
struct Share {
    bot: usize,
    leases: usize,
    leases_max: usize,
}

/// The bound of one bot, and what it has of it.
#[derive(Clone, Copy, Debug)]
struct Hearing {
    leases: usize,
    leases_max: usize,
}

/// Workers, channels (by their place in the list of lines) and bots.
#[derive(Clone, Debug)]
pub struct Roster {
    idle: Vec<usize>,
    out: Vec<Option<Out>>,
    /// Conversations of which a job is out.
    busy: HashSet<i64>,
    lines: Vec<Share>,
    bots: Vec<Hearing>,
    /// The channel after the one that was asked for a job last and had one.
    next_line: usize,
}

impl Roster {
    /// Nobody has anything. `bots_of_lines` names each channel's bot by a number from 0.
    pub fn new(workers: usize, bots_of_lines: &[usize]) -> Roster {
        let lines_max = leases_max(workers, bots_of_lines.len().saturating_sub(1));
        let bots = bots_of_lines.iter().max().map_or(0, |highest| highest + 1);
        let bots_max = leases_max(workers, bots.saturating_sub(1));
        Roster {
            idle: (0..workers).rev().collect(),
            out: vec![None; workers],
            busy: HashSet::new(),
            lines: bots_of_lines.iter().map(|bot| Share { bot: *bot, leases: 0, leases_max: lines_max }).collect(),
            bots: vec![Hearing { leases: 0, leases_max: bots_max }; bots],
            next_line: 0,
        }
    }

    /// What a reload makes of it: other channels and bots, the same workers and what they have. `now_at` says where each
    /// channel of before stands now, if anywhere; what is out of one that is gone counts for none.
    pub fn anew(&self, bots_of_lines: &[usize], now_at: &[Option<usize>]) -> Roster {
        let mut roster = Roster::new(self.out.len(), bots_of_lines);
        (roster.idle, roster.busy, roster.out) = (self.idle.clone(), self.busy.clone(), self.out.clone());
        for out in roster.out.iter_mut().flatten() {
            out.line = now_at.get(out.line).copied().flatten().unwrap_or(NOWHERE);
            let Some(share) = roster.lines.get_mut(out.line) else { continue };
            share.leases += 1;
            if let Some(bot) = roster.bots.get_mut(share.bot).filter(|_| out.hears) {
                bot.leases += 1;
            }
        }
        roster
    }

    /// Conversations that must not be given to anybody now.
    pub fn busy(&self) -> &HashSet<i64> {
        &self.busy
    }

    /// A worker without a job.
    pub fn idle(&self) -> Option<usize> {
        self.idle.last().copied()
    }

    /// All channels, beginning with the one whose turn it is.
    pub fn in_turn(&self) -> impl Iterator<Item = usize> + use<> {
        (self.next_line..self.lines.len()).chain(0..self.next_line.min(self.lines.len()))
    }

    /// A channel has had its turn.
    pub fn turn_taken(&mut self, line: usize) {
        self.next_line = if line + 1 < self.lines.len() { line + 1 } else { 0 };
    }

    /// Jobs of this channel that are out.
    pub fn out_of(&self, line: usize) -> usize {
        self.lines.get(line).map_or(0, |share| share.leases)
    }

    /// The channel of which this worker has a job.
    pub fn line_of(&self, worker: usize) -> Option<usize> {
        self.out.get(worker).copied().flatten().map(|out| out.line)
    }

    /// Which jobs of this channel may be handed out now, if any.
    pub fn wanted(&self, line: usize) -> Option<Wanted> {
        let share = self.lines.get(line)?;
        if share.leases >= share.leases_max {
            return None;
        }
        let may_hear = self.bots.get(share.bot).is_some_and(|bot| bot.leases < bot.leases_max);
        Some(if may_hear { Wanted::Any } else { Wanted::Sends })
    }

    /// So long has passed for all that is out. The channel of a worker that has had its job for too long to be believed
    /// to come back, if there is one.
    pub fn pass(&mut self, time: Duration) -> Option<usize> {
        self.out.iter_mut().flatten().for_each(|out| out.age = out.age.saturating_add(time));
        self.out.iter().flatten().find(|out| out.age > limits::WORK_STUCK_TIME).map(|out| out.line)
    }

    /// The same for whoever asks now, and not at an even pace.
    pub fn stuck(&self, now: Instant) -> Option<usize> {
        let too_long = |out: &&Out| now.saturating_duration_since(out.given) > limits::WORK_STUCK_TIME;
        self.out.iter().flatten().find(too_long).map(|out| out.line)
    }

    /// An idle worker gets a job of a channel.
    pub fn give(&mut self, worker: usize, line: usize, lease: &Lease) {
        self.idle.retain(|idle| *idle != worker);
        let hears = matches!(lease.work, Work::Hear { .. });
        if let Some(out) = self.out.get_mut(worker) {
            let unasked = is_unasked(lease);
            *out = Some(Out { lane: lease.lane, line, hears, unasked, age: Duration::ZERO, given: Instant::now() });
        }
        self.busy.insert(lease.lane);
        if let Some(share) = self.lines.get_mut(line) {
            share.leases += 1;
            if let Some(bot) = self.bots.get_mut(share.bot).filter(|_| hears) {
                bot.leases += 1;
            }
        }
    }

    /// A worker's job has come back.
    pub fn take_back(&mut self, worker: usize) {
        let Some(out) = self.out.get_mut(worker).and_then(Option::take) else { return };
        self.busy.remove(&out.lane);
        self.idle.push(worker);
        if let Some(share) = self.lines.get_mut(out.line) {
            share.leases = share.leases.saturating_sub(1);
            if let Some(bot) = self.bots.get_mut(share.bot).filter(|_| out.hears) {
                bot.leases = bot.leases.saturating_sub(1);
            }
        }
    }

    /// Whether an alarm of this channel may ring: where there are several workers, one of all and one of the channel's
    /// share stays free of what nobody waits for, so that a question need not wait for an upstream of theirs.
    pub fn may_ring(&self, line: usize) -> bool {
        let of_line = self.lines.get(line).map_or(0, |share| share.leases_max);
        let unasked = || self.out.iter().flatten().filter(|out| out.unasked);
        let spared = |count: usize| count.saturating_sub(1).max(1);
        unasked().count() < spared(self.out.len()) && unasked().filter(|out| out.line == line).count() < spared(of_line)
    }

    /// Jobs that are out.
    pub fn out(&self) -> usize {
        self.busy.len()
    }

    /// True when no job is out.
    pub fn at_rest(&self) -> bool {
        self.busy.is_empty()
    }
}

#[cfg(test)]
impl Roster {
    /// All that is out was given so much earlier.
    pub fn grow_old(&mut self, time: Duration) {
        let given = |out: &Out| out.given.checked_sub(time).expect("the machine has run for as long");
        self.out.iter_mut().flatten().for_each(|out| out.given = given(out));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{EventKey, Moment, Reply};

    pub(in super::super) fn lease(lane: i64) -> Lease {
        lease_of("message", lane)
    }

    fn lease_of(kind: &str, lane: i64) -> Lease {
        let work = Work::Hear {
            stage: None,
            conversation: String::new(),
            kind: kind.to_owned(),
            received: Moment(0),
            since: Moment(0),
            raw: Vec::new(),
            attempt: 1,
        };
        Lease { event: EventKey(lane), lane, work }
    }

    #[test]
    fn one_slow_channel_leaves_workers_to_the_others() {
        let mut roster = Roster::new(4, &[0, 1, 2]);
        let mut lane = 0;
        while roster.wanted(0).is_some() {
            lane += 1;
            let worker = roster.idle().unwrap_or_default();
            roster.give(worker, 0, &lease(lane));
        }
        assert_eq!(roster.out_of(0), 2);
        assert!(roster.idle().is_some() && roster.wanted(1).is_some());
    }

    #[test]
    fn a_worker_that_has_one_job_for_too_long_is_named_by_its_channel() {
        let mut roster = Roster::new(2, &[0, 1]);
        let half = limits::WORK_STUCK_TIME / 2 + Duration::from_secs(1);
        roster.give(0, 0, &lease(1));
        assert_eq!(roster.pass(half), None);
        roster.give(1, 1, &lease(2));
        roster.take_back(0);
        assert_eq!(roster.pass(half), None, "what came back is not old, and what went out since neither");
        assert_eq!(roster.pass(half), Some(1));
        roster.take_back(1);
        assert_eq!(roster.pass(half), None);
    }

    #[test]
    fn one_channel_alone_may_have_every_worker() {
        assert_eq!((leases_max(4, 0), leases_max(4, 1), leases_max(4, 9), leases_max(1, 3)), (4, 3, 2, 1));
    }

    #[test]
    fn a_busy_bot_still_lets_replies_go() {
        let mut roster = Roster::new(4, &[0, 0, 1]);
        roster.give(0, 0, &lease(1));
        roster.give(1, 1, &lease(2));
        roster.give(2, 1, &lease(3));
        assert_eq!(roster.wanted(0), Some(Wanted::Sends), "bot 0 has its three of four workers");
        assert_eq!(roster.wanted(2), Some(Wanted::Any));
        roster.take_back(0);
        assert_eq!(roster.wanted(0), Some(Wanted::Any));
        roster.take_back(1);
        roster.take_back(2);
        assert!(roster.at_rest());
    }

    #[test]
    fn one_of_several_workers_stays_free_of_what_nobody_waits_for() {
        let push = Reply { purpose: Purpose::Push, ..Reply::text("anna", "9 kWh") };
        let work = Work::Send { part: 1, reply: push, attempt: 1, made: Moment(0), heard: None };
        // Beside another channel, a channel has three workers of four.
        for (workers, bots_of_lines, most) in [(1, &[0][..], 1), (2, &[0], 1), (4, &[0], 3), (4, &[0, 0], 2)] {
            let mut roster = Roster::new(workers, bots_of_lines);
            for worker in 0..most {
                assert!(roster.may_ring(0), "{worker} of {workers}");
                let lane = worker as i64;
                let said = Lease { event: EventKey(lane), lane, work: work.clone() };
                roster.give(worker, 0, &if worker == 0 { said } else { lease_of(ALARM, lane) });
            }
            assert!(!roster.may_ring(0), "{workers}");
            roster.take_back(0);
            roster.give(0, 0, &lease(7));
            assert!(workers == 1 || roster.may_ring(0), "a question is no alarm");
        }
    }

    #[test]
    fn a_worker_that_has_had_its_job_for_too_long_is_told_to_whoever_asks() {
        let mut roster = Roster::new(2, &[0, 0]);
        assert_eq!(roster.stuck(Instant::now() + limits::WORK_STUCK_TIME * 2), None, "nobody has a job");
        roster.give(0, 1, &lease(7));
        let given = Instant::now();
        assert_eq!(roster.stuck(given + limits::WORK_STUCK_TIME / 2), None);
        assert_eq!(roster.stuck(given + limits::WORK_STUCK_TIME + Duration::from_secs(1)), Some(1));
        roster.take_back(0);
        assert_eq!(roster.stuck(given + limits::WORK_STUCK_TIME * 2), None);
    }
}
