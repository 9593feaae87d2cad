//! The one thread that owns the store.
//!
//!     the loop ──Admit, Order──▶ ┌────────┐ ──Receipt──▶ the loop       after the commit, never before
//!     workers  ──Settled──────▶ │ keeper │ ──Lease────▶ an idle worker  after the commit, never before
//!                                └────────┘
//!
//! A turn takes everything that is waiting, writes it in one transaction, and tells everybody. If the disk fails,
//! nothing of the turn has happened: the loop is told to answer 503, leases are taken back, and settlements are kept
//! here and tried again until the disk is back. There are never more of those than workers.
//!
//! Never here: a client's socket, an upstream, JSON. Who may have which job is in `roster.rs`, what is said to it
//! and by it in `letters.rs`, what upstreams were asked in `treasury.rs`, what is counted in `counts.rs`, how it is in
//! `health.rs`, what a reload changes in `change.rs`.

mod bell;
mod change;
mod counts;
mod health;
mod letters;
mod look_up;
mod orders;
mod roster;
#[cfg(test)]
mod tests;
mod treasury;

pub use bell::Bell;
pub use change::{Change, Changed, Reconcile};
pub use counts::Counts;
pub use health::{Health, WORKING};
pub use letters::{Admission, Letter, Letterbox, Receipt, Refused, Sought, Ticket};
pub use orders::{KEPT, carry_out};
pub use roster::Roster;
pub use treasury::{LEDGERS, TOKENS, Treasury};

use crate::limits;
use crate::model::{ChannelNumber, Lease, MemoryWrite, Moment, Order, Settlement};
use crate::queue::pace::{Pace, Rest};
use crate::store::{Admitted, RESTS, Store, StoreError, Urgency, Wanted};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError};
use std::thread;
use treasury::{Paid, Payment, Till};

/// The way to the loop: receipts, and something that wakes it.
pub struct Post {
    pub receipts: Sender<Vec<(Ticket, Receipt)>>,
    pub wake: Box<dyn Fn() + Send + Sync>,
}

/// A channel as the keeper sees it.
#[derive(Debug)]
pub struct Line {
    pub number: ChannelNumber,
    pub name: String,
    pace: Pace,
    /// False when this turn's last look found nothing to do.
    promising: bool,
}

impl Line {
    /// A channel of which nothing is known yet.
    pub fn new(number: ChannelNumber, name: impl Into<String>) -> Line {
        Line { number, name: name.into(), pace: Pace::default(), promising: true }
    }
}

/// The keeper and its tools.
pub struct Keeper<'a> {
    pub store: &'a mut dyn Store,
    pub letters: Receiver<Letter>,
    pub post: Post,
    pub workers: Vec<SyncSender<Lease>>,
    pub lines: Vec<Line>,
    pub roster: Roster,
    pub treasury: Treasury,
    pub counts: Counts,
    pub health: Arc<Health>,
    pub clock: fn() -> Moment,
    /// 64 random bits.
    pub chance: fn() -> u64,
    pub bell: Bell,
}

/// What came back from a worker and is not yet durable.
#[derive(Debug)]
struct Unsettled {
    worker: usize,
    settlement: Settlement,
    /// The worker may go on with the same event at once.
    go_on: bool,
}

/// What has come in and is not yet durable.
#[derive(Debug, Default)]
struct Tray {
    admissions: Vec<Admission>,
    /// What they take together.
    bytes: usize,
    orders: Vec<(Ticket, Order)>,
    /// The same, with somebody who waits for each.
    decisions: Vec<(Order, SyncSender<Vec<String>>)>,
    memory: Vec<MemoryWrite>,
    till: Till,
    unsettled: Vec<Unsettled>,
    /// The last turn kept so many requests that it is worth waiting for as many bytes of them again; else 0.
    crowd: usize,
    resting: bool,
    end_at: Option<Moment>,
    failing: bool,
    prune_at: Moment,
    /// What is to be otherwise, each with who wants to know whether it is.
    changes: Vec<(Change, SyncSender<Result<Changed, String>>)>,
    /// Those who wait until nothing is under way; they see theirs go.
    patient: Vec<SyncSender<()>>,
    /// When the last turn looked for jobs. What fell due since then, during the commit, nobody has seen.
    looked: Moment,
}

/// What a turn will do once it is durable.
#[derive(Debug)]
struct Plan {
    receipts: Vec<(Ticket, Receipt)>,
    /// What came of each decision.
    decided: Vec<Vec<String>>,
    leases: Vec<(usize, Lease)>,
    roster: Roster,
    paid: Paid,
    kept: u64,
    duplicates: u64,
}

impl Keeper<'_> {
    /// Works until an `End` is done, or until everybody who could write a letter is gone.
    pub fn run(mut self) -> Result<(), StoreError> {
        let mut tray = Tray { prune_at: (self.clock)(), ..Tray::default() };
        self.bell = Bell::from((self.clock)());
        self.lines.iter().for_each(|line| self.counts.name(line.number, &line.name));
        self.health.writable.store(true, Ordering::Relaxed);
        let mut open = true;
        loop {
            self.turn(&mut tray);
            self.make_changes(&mut tray);
            let drained = self.roster.at_rest() && tray.unsettled.is_empty();
            tray.patient.retain(|_| !drained);
            if !open || tray.end_at.is_some_and(|until| drained || (self.clock)() >= until) {
                break;
            }
            open = self.collect(&mut tray);
            tray.resting |= !open;
        }
        self.store.commit()?;
        self.store.tidy(Urgency::Closing)
    }

    /// Waits for a letter or for what is due, then takes everything that is there.
    fn collect(&mut self, tray: &mut Tray) -> bool {
        if tray.crowd > 0 {
            self.gather(tray.crowd);
        }
        let due = self.due(tray);
        let rests_until = if self.roster.at_rest() && tray.unsettled.is_empty() { due.0 } else { WORKING };
        self.health.rests_until.store(rests_until, Ordering::Release);
        let next = self.next_letter(due);
        self.health.rests_until.store(WORKING, Ordering::Release);
        if matches!(next, Ok(Letter::Settled { .. })) && self.roster.out() > limits::GATHER_JOBS {
            // Others are out, too: those that come back in this moment share the commit.
            thread::sleep(limits::GATHER_JOBS_TIME);
        }
        match next {
            Ok(letter) => self.take(letter, tray),
            Err(error) => return error == RecvTimeoutError::Timeout,
        }
        for _ in 0..limits::BATCH_LETTERS_MAX {
            match self.letters.try_recv() {
                Ok(letter) => self.take(letter, tray),
                Err(error) => return error == TryRecvError::Empty,
            }
        }
        true
    }

    /// Many came at once, so many will again: a moment's patience puts them into one commit, which costs less of the disk
    /// and of the processor. Another one as long as more come and not as much waits as the last time, but not when a
    /// worker may come back meanwhile. Somebody who comes alone never waits for this.
    fn gather(&self, crowd: usize) {
        let mut waiting = 0;
        for _ in 0..limits::GATHER_MOMENTS {
            thread::sleep(limits::GATHER_TIME);
            let before = std::mem::replace(&mut waiting, self.health.waiting_bytes.load(Ordering::Relaxed));
            if waiting == before || waiting >= crowd || !self.roster.at_rest() {
                return;
            }
        }
    }

    fn take(&mut self, letter: Letter, tray: &mut Tray) {
        match letter {
            Letter::Admit { mut admissions, bytes } => {
                tray.bytes += bytes;
                if tray.admissions.is_empty() {
                    std::mem::swap(&mut tray.admissions, &mut admissions);
                } else {
                    tray.admissions.append(&mut admissions);
                }
            }
            Letter::Order(ticket, order) => tray.orders.push((ticket, order)),
            Letter::Decide { order, answer } => tray.decisions.push((order, answer)),
            Letter::Settled { worker, settlement, effect } => {
                let mut go_on = effect.lets_go_on();
                if let Some(line) = self.roster.line_of(worker).and_then(|line| self.lines.get_mut(line)) {
                    let now = (self.clock)();
                    let rest = line.pace.note(&effect, &line.name, now, (self.chance)());
                    tray.memory.extend(rest.and_then(|rest| told(&line.name, rest, now)));
                    go_on &= line.pace.rests_until(now).is_none();
                }
                tray.unsettled.push(Unsettled { worker, settlement, go_on });
            }
            Letter::Remember(write) => tray.memory.push(write),
            Letter::Look { seen } => drop(seen.try_send(())),
            Letter::Still { under_way } => tray.patient.push(under_way),
            Letter::Keep { write, answer } => tray.till.keeps.push((write, answer)),
            Letter::Pay { upstream, payer, calls, answer } => {
                tray.till.payments.push(Payment { upstream, payer, calls, answer });
            }
            Letter::Change { change, answer } => tray.changes.push((change, answer)),
            Letter::Pulse { number, every } => self.pulse(number, every),
            Letter::Rest => tray.resting = true,
            Letter::End { until } => (tray.resting, tray.end_at) = (true, Some(until)),
            question => self.look_up(question),
        }
    }

    /// Until when nothing will be due.
    fn due(&mut self, tray: &Tray) -> Moment {
        if tray.failing {
            return (self.clock)().after(limits::DISK_RETRY);
        }
        let mut due = tray.end_at.unwrap_or(tray.prune_at);
        let hands_out = !tray.resting && self.roster.idle().is_some();
        for (place, line) in self.lines.iter().enumerate().filter(|_| hands_out) {
            let Some(wanted) = self.roster.wanted(place) else { continue };
            if let Some(until) = line.pace.rests_until(tray.looked) {
                due = due.min(until);
                continue;
            }
            if !line.pace.may_lease(tray.looked, self.roster.out_of(place)) {
                continue; // Its probe is out, and wakes us when it is back.
            }
            let rings = wanted == Wanted::Any && self.roster.may_ring(place);
            let alarm = if rings { self.store.alarm_next(line.number) } else { Ok(None) };
            match self.store.next_due(line.number, wanted, tray.looked).and_then(|next| Ok((next, alarm?))) {
                Ok((next, alarm)) => due = next.into_iter().chain(alarm).fold(due, Moment::min),
                Err(error) => log::error!(channel = line.name; "channel {}: what is due: {error}", line.name),
            }
        }
        due
    }

    /// Everything that is in the tray, in one transaction; then everybody is told.
    fn turn(&mut self, tray: &mut Tray) {
        let now = (self.clock)();
        tray.looked = now;
        let plan = self.write(tray, now).and_then(|plan| self.commit().map(|()| plan));
        match plan {
            Ok(plan) => self.tell(tray, plan),
            Err(error) => self.fail(tray, &error),
        }
        if !tray.failing
            && let Err(error) = self.keep_house(tray, now)
        {
            self.fail(tray, &error);
        }
    }

    fn write(&mut self, tray: &Tray, now: Moment) -> Result<Plan, StoreError> {
        if tray.failing {
            // A turn with little or nothing to write would succeed on a disk that is still full.
            self.store.try_writing()?;
        }
        let mut plan = Plan {
            receipts: Vec::with_capacity(tray.admissions.len()),
            decided: Vec::new(),
            leases: Vec::new(),
            roster: self.roster.clone(),
            paid: Paid::default(),
            kept: 0,
            duplicates: 0,
        };
        for Unsettled { worker, settlement, go_on } in &tray.unsettled {
            let line = plan.roster.line_of(*worker);
            let next = match self.came_too_late(settlement, now)? {
                Some(again) => self.store.settle(&again, false, now)?,
                None => self.store.settle(settlement, *go_on && !tray.resting, now)?,
            };
            plan.roster.take_back(*worker);
            self.treasury.heard(settlement);
            if let (Some(lease), Some(line)) = (next, line) {
                plan.roster.give(*worker, line, &lease);
                plan.leases.push((*worker, lease));
            }
        }
        for admission in &tray.admissions {
            for arrival in &admission.arrivals {
                let Admission { channel, received, head, .. } = admission;
                match self.store.admit_with(*channel, arrival, Some(head), *received, now)? {
                    Admitted::Kept { .. } => plan.kept += 1,
                    Admitted::Duplicate => plan.duplicates += 1,
                }
            }
            plan.receipts.push((admission.ticket, Receipt::Kept));
        }
        for write in &tray.memory {
            self.store.remember(write)?;
        }
        plan.paid = self.treasury.write(self.store, &tray.till, now)?;
        self.obey(tray, &mut plan, now)?;
        if !tray.resting {
            self.lease(&mut plan, now)?;
        }
        Ok(plan)
    }

    /// What a hearing comes to that used up what somebody else used up before it: it is heard again, and did not fail.
    fn came_too_late(&mut self, settlement: &Settlement, now: Moment) -> Result<Option<Settlement>, StoreError> {
        let Settlement::Heard { event, lane, notes, .. } = settlement else { return Ok(None) };
        for (bot, key) in &notes.used_up {
            if self.store.recall(bot, key, now)?.is_none() {
                let why = format!("bot {bot}: somebody else was faster; it is heard again");
                return Ok(Some(Settlement::HearLater { event: *event, lane: *lane, due: now, attempt: 0, why }));
            }
        }
        Ok(None)
    }

    /// Gives every idle worker a job, one channel after the other: with fewer workers than channels that have something
    /// to do, none has to wait until another has nothing left.
    fn lease(&mut self, plan: &mut Plan, now: Moment) -> Result<(), StoreError> {
        self.lines.iter_mut().for_each(|line| line.promising = true);
        while let Some(worker) = plan.roster.idle() {
            let mut found = if self.bell.has_no_patience(now) { self.ring(plan, now)? } else { None };
            if found.is_none() {
                found = self.job(plan, now)?;
            }
            if found.is_none() {
                found = self.ring(plan, now)?;
            }
            let Some((place, lease)) = found else { return Ok(()) };
            plan.roster.give(worker, place, &lease);
            plan.roster.turn_taken(place);
            plan.leases.push((worker, lease));
        }
        Ok(())
    }

    /// The next job, of the first channel in turn that has one.
    fn job(&mut self, plan: &Plan, now: Moment) -> Result<Option<(usize, Lease)>, StoreError> {
        for place in plan.roster.in_turn() {
            let Some(line) = self.lines.get_mut(place).filter(|line| line.promising) else { continue };
            let Some(wanted) = plan.roster.wanted(place) else { continue };
            if !line.pace.may_lease(now, plan.roster.out_of(place)) {
                continue;
            }
            if let Some(lease) = self.store.lease(line.number, wanted, plan.roster.busy(), now)? {
                return Ok(Some((place, lease)));
            }
            line.promising = false;
        }
        Ok(None)
    }

    /// The turn is durable: receipts to the loop, jobs to the workers.
    fn tell(&mut self, tray: &mut Tray, plan: Plan) {
        if tray.failing {
            self.health.writable.store(true, Ordering::Relaxed);
            log::warn!("the store can be written again; going on");
            tray.failing = false;
        }
        tray.crowd = if plan.receipts.len() >= limits::GATHER_FROM { tray.bytes } else { 0 };
        self.health.kept.fetch_add(plan.kept, Ordering::Relaxed);
        self.health.duplicates.fetch_add(plan.duplicates, Ordering::Relaxed);
        self.health.settled.fetch_add(tray.unsettled.len() as u64, Ordering::Relaxed);
        self.counts.settled(&tray.unsettled);
        tray.admissions.clear();
        self.let_in(tray);
        self.answer(plan.receipts);
        self.treasury.tell(&mut tray.till, plan.paid);
        tray.tell_decided(plan.decided);
        tray.orders.clear();
        tray.memory.clear();
        tray.unsettled.clear();
        self.roster = plan.roster;
        for (worker, lease) in plan.leases {
            // Each worker has room for one lease, and is given one only when it has none.
            if self.workers.get(worker).is_none_or(|worker| worker.try_send(lease).is_err()) {
                log::error!("worker {worker} does not take its job; it is handed out again after a restart");
            }
        }
    }

    fn answer(&self, receipts: Vec<(Ticket, Receipt)>) {
        if !receipts.is_empty() {
            // When the loop is gone, so are the connections that wait.
            let _ = self.post.receipts.send(receipts);
            (self.post.wake)();
        }
    }

    /// Nothing of the turn has happened. Settlements stay in the tray.
    fn fail(&mut self, tray: &mut Tray, error: &StoreError) {
        self.store.roll_back();
        if tray.failing {
            log::debug!("the store still cannot be written: {error}");
        } else {
            log::error!("the store cannot be written, so deliveries are answered 503 until it can: {error}");
        }
        (tray.failing, tray.crowd) = (true, 0);
        self.treasury.fail(&mut tray.till, (self.clock)());
        self.health.writable.store(false, Ordering::Relaxed);
        let admissions = tray.admissions.drain(..).map(|admission| admission.ticket);
        let orders = tray.orders.drain(..).map(|(ticket, _)| ticket);
        tray.decisions.clear();
        let receipts = admissions.chain(orders).map(|ticket| (ticket, Receipt::NotKept)).collect();
        self.let_in(tray);
        self.answer(receipts);
    }

    /// The tray's admissions are gone; others may come in their place.
    fn let_in(&self, tray: &mut Tray) {
        self.health.waiting_bytes.fetch_sub(std::mem::take(&mut tray.bytes), Ordering::Relaxed);
    }

    /// What can wait: old events, alarms that are far away, the write-ahead log.
    fn keep_house(&mut self, tray: &mut Tray, now: Moment) -> Result<(), StoreError> {
        self.store.tidy(Urgency::WhenLong)?;
        // Later than an interval from now it was set by a clock that was ahead.
        let wait = tray.prune_at.since(now);
        if !wait.is_zero() && wait <= limits::PRUNE_INTERVAL {
            return Ok(());
        }
        let before = Moment(now.0.saturating_sub(i64::try_from(limits::MARK_LIFE.as_millis()).unwrap_or(0)));
        let more = self.store.prune(before, now)? | self.put_right(now)?;
        self.commit()?;
        tray.prune_at = if more { now } else { now.after(limits::PRUNE_INTERVAL) };
        Ok(())
    }
}

/// A rest as it is remembered until it ends. It goes into the commit that tells of the failure, so `ackd why` shows both
/// or neither; the control socket would be a question to the loop, which knows no pace, and only its owner may ask.
fn told(channel: &str, rest: Rest, now: Moment) -> Option<MemoryWrite> {
    if rest.until.since(now) < limits::REST_TOLD_MIN {
        return None;
    }
    let (bot, key, value) = (RESTS.to_owned(), channel.to_owned(), Some(rest.why.into_bytes()));
    Some(MemoryWrite { bot, key, value, expires: Some(rest.until) })
}
