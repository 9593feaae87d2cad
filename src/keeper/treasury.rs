//! What may still be asked of each upstream, and what was paid.
//!
//!     Pay ──▶ the turn's transaction ──commit──▶ the worker may call
//!
//! A payment is on the disk before its call is made: after a crash a call may be paid for that was never made, but none
//! is made that was not paid for. Ledgers lie in the store under a name that no bot can have, are read when they are
//! first wanted, and are changed by nobody else.
//!
//! A worker waits for the answer to its letter, so no more payments wait here than there are workers. Whoever is refused
//! has a place in the line of its upstream, and gives it up when its event is settled for good.

use crate::limits;
use crate::model::{EventKey, Left, Lesson, Limit, MemoryWrite, Moment, Settlement, Upstream};
use crate::notation::shelf::Shelf;
use crate::queue::budget::{Ledger, Line, NotBefore};
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use std::sync::mpsc::SyncSender;

/// Under which name ledgers are remembered, one key for each upstream. No bot can be called so.
pub const LEDGERS: &str = "upstream ledgers";
/// The same for tokens.
pub const TOKENS: &str = "upstream tokens";

/// The ledgers of all upstreams.
#[derive(Debug, Default)]
pub struct Treasury {
    budgets: Shelf<String, Budget>,
}

/// One upstream's limits, and what was spent of them.
#[derive(Debug, Default)]
struct Budget {
    limits: Vec<Limit>,
    /// `None` until it is wanted for the first time.
    ledger: Option<Ledger>,
    /// Those who wait for calls.
    line: Line,
    /// Something was learnt that is not on the disk yet. It is written with the next payment.
    learnt: bool,
}

/// What waits for the next commit.
#[derive(Debug, Default)]
pub(super) struct Till {
    pub(super) payments: Vec<Payment>,
    pub(super) keeps: Vec<(MemoryWrite, SyncSender<bool>)>,
}

/// So many calls of an upstream, all or none.
#[derive(Debug)]
pub(super) struct Payment {
    pub(super) upstream: String,
    /// The event that is heard.
    pub(super) payer: Option<EventKey>,
    pub(super) calls: u32,
    pub(super) answer: SyncSender<Result<(), NotBefore>>,
}

/// What a turn's payments came to, once they are durable.
#[derive(Debug, Default)]
pub(super) struct Paid {
    /// Each with whether it is to be written: a refusal changes nothing that is kept.
    ledgers: Shelf<String, (Ledger, bool)>,
    /// In the order of the till's payments.
    answers: Vec<Result<(), NotBefore>>,
}

impl Treasury {
    /// The treasury of these upstreams.
    pub fn new(upstreams: &[Upstream]) -> Treasury {
        let budget = |upstream: &Upstream| {
            let (limits, line) = (upstream.limits.clone(), Line::new(&upstream.limits));
            (upstream.name.clone(), Budget { limits, line, ..Budget::default() })
        };
        Treasury { budgets: upstreams.iter().map(budget).collect() }
    }

    /// Of which upstreams.
    pub(super) fn names(&self) -> Vec<String> {
        self.budgets.keys().cloned().collect()
    }

    /// What a reload makes of it. What was spent is spent; who waits for calls of one whose limits are others now asks anew.
    pub(super) fn change(&mut self, upstreams: &[Upstream], now: Moment) {
        let mut before = std::mem::replace(self, Treasury::new(upstreams));
        for (name, budget) in self.budgets.iter_mut() {
            let Some(known) = before.budgets.remove(name) else { continue };
            if known.limits == budget.limits {
                *budget = known;
                continue;
            }
            let ledger = known.ledger.map(|ledger| read(name, &ledger.json(), &budget.limits, now));
            (budget.ledger, budget.learnt) = (ledger, known.learnt);
        }
    }

    /// Takes a lesson in at once, so that whoever pays next is told.
    pub(super) fn learn(&mut self, store: &mut dyn Store, upstream: &str, lesson: &Lesson, now: Moment) {
        let Some(budget) = self.budget(store, upstream, now) else { return };
        let Some(ledger) = &mut budget.ledger else { return };
        let before = ledger.clone();
        if let Some(news) = ledger.learn(lesson, &budget.limits, now) {
            log::warn!("upstream {upstream}: {news}");
        }
        budget.learnt |= *ledger != before;
    }

    /// What is left of an upstream's limits and promised to nobody: whoever plans with it must not count on calls that
    /// others wait for. Nothing is known of an upstream that the configuration does not name.
    pub(super) fn left(&mut self, store: &mut dyn Store, upstream: &str, now: Moment) -> Vec<Left> {
        let budget = self.budget(store, upstream, now);
        let left =
            budget.and_then(|Budget { limits, ledger, line, .. }| Some(line.left(ledger.as_ref()?, limits, now)));
        left.unwrap_or_default()
    }

    /// A hearing has ended. Whoever was told to come later keeps its place, and so does an answer that goes on; others
    /// want nothing any more. It may be told again when the settlement could not be written.
    pub(super) fn heard(&mut self, settlement: &Settlement) {
        let (event, is_over) = match settlement {
            Settlement::Heard { event, notes, .. } => (*event, notes.rest.is_none()),
            Settlement::HearLater { event, .. } => (*event, false),
            Settlement::HearDead { event, .. }
            | Settlement::HearIgnored { event, .. }
            | Settlement::Witnessed { event, .. } => (*event, true),
            Settlement::Unsent { .. } | Settlement::Sent { .. } => return,
        };
        for budget in self.budgets.values_mut() {
            budget.line.heard(event, is_over);
        }
    }

    /// Writes what is in the till into the open transaction.
    pub(super) fn write(&mut self, store: &mut dyn Store, till: &Till, now: Moment) -> Result<Paid, StoreError> {
        for (write, _) in &till.keeps {
            store.remember(write)?;
        }
        let mut paid = Paid::default();
        for Payment { upstream, payer, calls, .. } in &till.payments {
            let Some(budget) = self.budget(store, upstream, now) else {
                let why = "its ledger cannot be read".to_owned();
                paid.answers.push(Err(NotBefore { moment: now.after(limits::PAYMENT_RETRY), why }));
                continue;
            };
            let before = || (budget.ledger.clone().unwrap_or_default(), budget.learnt);
            let (ledger, changed) = paid.ledgers.at_or(upstream.clone(), before);
            let answer = budget.line.pay(ledger, *payer, *calls, now);
            *changed |= answer.is_ok();
            paid.answers.push(answer);
        }
        for (upstream, (ledger, changed)) in paid.ledgers.iter_mut() {
            let Some(budget) = self.budgets.get(upstream) else { continue };
            if *changed {
                warn(upstream, ledger, &budget.limits, now);
                let (bot, key, value) = (LEDGERS.to_owned(), upstream.clone(), Some(ledger.json()));
                store.remember(&MemoryWrite { bot, key, value, expires: None })?;
            }
        }
        Ok(paid)
    }

    /// The turn is durable: its calls may be made.
    pub(super) fn tell(&mut self, till: &mut Till, paid: Paid) {
        for (upstream, (ledger, _)) in paid.ledgers {
            if let Some(budget) = self.budgets.get_mut(&upstream) {
                (budget.ledger, budget.learnt) = (Some(ledger), false);
                budget.line.keep();
            }
        }
        for (payment, paid) in till.payments.drain(..).zip(paid.answers) {
            // A worker that went away makes no call; that its call is paid is on the safe side.
            let _ = payment.answer.try_send(paid);
        }
        for (_, answer) in till.keeps.drain(..) {
            let _ = answer.try_send(true);
        }
    }

    /// Nothing was written, so nothing may be called, and whoever had its turn has it still.
    pub(super) fn fail(&mut self, till: &mut Till, now: Moment) {
        for budget in self.budgets.values_mut() {
            budget.line.take_back();
        }
        for payment in till.payments.drain(..) {
            let why = "the store cannot be written, so that a call could not be counted".to_owned();
            let _ = payment.answer.try_send(Err(NotBefore { moment: now.after(limits::PAYMENT_RETRY), why }));
        }
        for (_, answer) in till.keeps.drain(..) {
            let _ = answer.try_send(false);
        }
    }

    /// An upstream's budget with its ledger; `None` when there is none, or the store cannot be read just now.
    fn budget(&mut self, store: &mut dyn Store, upstream: &str, now: Moment) -> Option<&mut Budget> {
        let budget = self.budgets.get_mut(upstream)?;
        if budget.ledger.is_none() {
            let kept = store.recall(LEDGERS, upstream, now);
            let kept = kept.map_err(|error| log::error!("upstream {upstream}: reading its ledger: {error}")).ok()?;
            budget.ledger = Some(match kept {
                Some(json) => read(upstream, &json, &budget.limits, now),
                None => Ledger::default(),
            });
        }
        Some(budget)
    }
}

fn read(upstream: &str, json: &[u8], limits: &[Limit], now: Moment) -> Ledger {
    let (ledger, fault) = Ledger::read(json, limits, now);
    if let Some(fault) = fault {
        log::error!("upstream {upstream}: its ledger is unreadable ({fault}); going on as if calls were spent evenly");
    }
    ledger
}

/// Says, once a day, that the calls of a day or month will not do.
fn warn(upstream: &str, ledger: &mut Ledger, limits: &[Limit], now: Moment) {
    let news = ledger.warned.is_none_or(|warned| warned > now || now.since(warned) >= limits::UPSTREAM_WARNING);
    let Some(end) = ledger.forecast(limits, now).filter(|_| news) else { return };
    ledger.warned = Some(now);
    let end = Timestamp::from_millisecond(end.0).map_or_else(|_| "soon".to_owned(), |end| format!("{end:.0}"));
    log::warn!(
        "upstream {upstream}: at this pace its calls are used up at {end}, before there are new ones; ask it less \
         often, or take a larger plan"
    );
}
