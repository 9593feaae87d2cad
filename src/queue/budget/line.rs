//! Who waits for an upstream's calls, and which calls are promised to whom.
//!
//!     newcomer ──▶ served, if calls are left beyond those promised; or a place at the end of the line
//!     place ──▶ served before newcomers; its turn is kept until calls are there
//!
//! A place is a period of the shortest limit in which so many calls fit into every limit, beside those promised before.
//! Whoever comes at it and finds less than was promised, since the upstream or the clock said otherwise, has the whole
//! line planned anew, in its order: some come a period later, and nobody goes to its end. So plans are made when something
//! went wrong, and a payment costs no look at all who wait.
//!
//! Calls are held until the period of their place ends, a turn for a while longer: workers may be late. Whoever wants
//! nothing any more gives up both.
//!
//! The line is not kept over a restart: then everybody is a newcomer, in the order in which they come back. Calls that an event
//! makes beyond what it reserved go before everybody's, since what it has paid for would be in vain without them.

#[cfg(test)]
mod tests;

use super::calendar::{length, period};
use super::{Ledger, NotBefore};
use crate::limits;
use crate::model::{EventKey, Left, Limit, Moment};
use crate::notation::shelf::Shelf;
use std::collections::VecDeque;

/// The line before one upstream.
#[derive(Debug, Default)]
pub struct Line {
    /// One for each limit, the shortest first.
    books: Vec<Book>,
    /// In the order of their tickets. Their places are in the same order, but for one period.
    waiters: VecDeque<Waiter>,
    tickets: Shelf<EventKey, i64>,
    /// The last ticket that was given.
    last: i64,
    /// Who has paid, and is being heard.
    hearing: Vec<EventKey>,
    /// Who was served by payments that are not durable yet.
    served: Vec<Waiter>,
    /// When somebody last paid or wanted to.
    seen: Moment,
}

/// What is promised of one limit.
#[derive(Debug)]
struct Book {
    limit: Limit,
    /// The periods of which calls are promised, by their beginning.
    sums: VecDeque<(Moment, u32)>,
    /// The period that was last looked for: a month takes a while to compute.
    page: (Moment, Moment),
}

#[derive(Debug)]
struct Waiter {
    ticket: i64,
    event: EventKey,
    calls: u32,
    place: Moment,
    /// When it was told to come.
    told: Moment,
}

/// What is wrong with so many calls at once; they would never fit.
pub fn misfit(calls: u32, limits: &[Limit]) -> Option<String> {
    let limit = limits.iter().find(|limit| limit.calls < calls)?;
    let (most, per) = (limit.calls, limit.per.word());
    Some(format!("{calls} calls at once never fit into the {most} that it allows in a {per}; reserve fewer"))
}

impl Line {
    /// The empty line before an upstream with these limits.
    pub fn new(limits: &[Limit]) -> Line {
        let book = |limit: &Limit| Book { limit: *limit, sums: VecDeque::new(), page: Default::default() };
        let mut books: Vec<_> = limits.iter().map(book).collect();
        if let Some(shortest) = (0..limits.len()).min_by_key(|place| limits.get(*place).map(|limit| limit.per)) {
            books.swap(0, shortest);
        }
        Line { books, ..Line::default() }
    }

    /// Pays for so many calls, all or none, or says when it is worth asking again. `payer` is the event that is heard;
    /// whoever has none is never promised anything.
    pub fn pay(
        &mut self,
        ledger: &mut Ledger,
        payer: Option<EventKey>,
        calls: u32,
        now: Moment,
    ) -> Result<(), NotBefore> {
        self.forget_the_lost(now);
        for book in &self.books {
            ledger.counter(book.limit.per, now);
        }
        let rest = ledger.rests_until(now);
        let from = rest.unwrap_or(now);
        let mine = payer.and_then(|event| self.leave(event));
        if rest.is_none() && self.has(ledger, calls, now) {
            self.serve(ledger, payer, mine, calls, now);
            return Ok(());
        }
        let why = self.why(ledger, calls, rest.is_some(), now);
        let place = self.room(ledger, calls, from);
        let Some((event, waiter, is_to_plan)) = self.place_for(payer, mine, calls, place, now) else {
            return Err(NotBefore { moment: place, why });
        };
        self.insert(waiter);
        if is_to_plan {
            self.plan(ledger, event, from, now);
            let mine = self.leave(event);
            if let Some(mine) = mine {
                if rest.is_none() && mine.place <= now {
                    self.serve(ledger, payer, Some(mine), calls, now);
                    return Ok(());
                }
                self.insert(mine);
            }
        }
        let index = self.tickets.get(&event).map(|ticket| self.find(*ticket));
        let Some(waiter) = index.and_then(|index| self.waiters.get_mut(index)) else {
            return Err(NotBefore { moment: place, why });
        };
        waiter.told = waiter.place;
        Err(NotBefore { moment: waiter.told, why })
    }

    /// Where somebody goes for whom nothing is left, and whether the line is to be planned anew for it. `None` for
    /// those who are promised nothing.
    fn place_for(
        &mut self,
        payer: Option<EventKey>,
        mine: Option<Waiter>,
        calls: u32,
        end: Moment,
        now: Moment,
    ) -> Option<(EventKey, Waiter, bool)> {
        let event = payer?;
        if let Some(mine) = mine {
            let is_to_plan = mine.place <= now || mine.calls < calls;
            return Some((event, Waiter { calls, ..mine }, is_to_plan));
        }
        if self.hearing.contains(&event) {
            let ticket = self.waiters.front().map_or(self.last, |first| first.ticket - 1);
            return Some((event, Waiter { ticket, event, calls, place: now, told: now }, true));
        }
        let never_fits = self.books.iter().any(|book| book.limit.calls < calls);
        if never_fits || self.waiters.len() >= limits::BUDGET_LINE_MAX {
            return None;
        }
        self.last += 1;
        Some((event, Waiter { ticket: self.last, event, calls, place: end, told: end }, false))
    }

    /// What is left for a newcomer, the shortest period first: what is promised is as good as spent.
    pub fn left(&mut self, ledger: &Ledger, limits: &[Limit], now: Moment) -> Vec<Left> {
        let mut left = ledger.left(limits, now);
        for left in &mut left {
            for book in self.books.iter_mut().filter(|book| book.limit.per == left.per) {
                left.calls = left.calls.min(left.of).saturating_sub(book.promised(now));
            }
        }
        left
    }

    /// A hearing of this event has ended; it gives up its place when it `is_over` and does not come back.
    pub fn heard(&mut self, event: EventKey, is_over: bool) {
        self.hearing.retain(|hearing| *hearing != event);
        if is_over {
            self.leave(event);
        }
    }

    /// What was paid is durable.
    pub fn keep(&mut self) {
        self.served.clear();
    }

    /// What was paid since the last `keep` was not: whoever had a turn has it still.
    pub fn take_back(&mut self) {
        self.hearing.clear();
        for waiter in std::mem::take(&mut self.served) {
            if !self.tickets.contains_key(&waiter.event) {
                self.insert(waiter);
            }
        }
    }

    fn serve(&mut self, ledger: &mut Ledger, payer: Option<EventKey>, mine: Option<Waiter>, calls: u32, now: Moment) {
        for book in &self.books {
            ledger.count(calls, book.limit.per, now);
        }
        self.served.extend(mine);
        if let Some(event) = payer.filter(|event| !self.hearing.contains(event)) {
            self.hearing.push(event);
        }
    }

    /// Whether so many calls are left beyond those that are promised.
    fn has(&mut self, ledger: &Ledger, calls: u32, now: Moment) -> bool {
        self.books.iter_mut().all(|book| {
            let counter = ledger.page(book.limit.per);
            let taken = counter.spent(now).saturating_add(book.promised(now)).saturating_add(calls);
            taken <= counter.of(book.limit)
        })
    }

    /// Why nothing is left: of several limits that are used up, the one that is so for longest.
    fn why(&mut self, ledger: &Ledger, calls: u32, rests: bool, now: Moment) -> String {
        let full = self.books.iter_mut().filter_map(|book| Some((book.full_until(ledger, calls, now)?, book.limit)));
        let Some((_, limit)) = full.max_by_key(|(end, _)| *end).filter(|_| !rests) else {
            return "it wants no calls for a while".to_owned();
        };
        let counter = ledger.page(limit.per);
        let of = counter.of(limit);
        let promised = if counter.spent(now) < of { " or promised" } else { "" };
        format!("its {of} calls of this {} are used up{promised}", limit.per.word())
    }

    /// The first moment from `from` on, at the end of the line, at which so many calls fit beside those that are
    /// promised. The end is the last period in which calls are promised, and the one before it in which some are: there a
    /// few may be left that were too few for those who came first. Between the two there may be the rest of a day.
    fn room(&mut self, ledger: &Ledger, calls: u32, from: Moment) -> Moment {
        let Some(shortest) = self.books.first() else { return from };
        let mut at = shortest.sums.iter().nth_back(1).map_or(from, |(begins, _)| (*begins).max(from));
        // A step goes on by a period at least, and when the longest one is fresh they all are. More calls than a limit
        // has would never fit.
        for _ in 0..2 * self.books.len() + 4 {
            let full = self.books.iter_mut().filter_map(|book| book.full_until(ledger, calls, at)).max();
            match full {
                Some(end) => at = end,
                None => break,
            }
        }
        at
    }

    /// Gives everybody a place anew, in the order of the line, and never a sooner one: nobody can be told to come sooner.
    /// For whoever has let its place pass nothing is held, unless it is `event`, which came now.
    fn plan(&mut self, ledger: &Ledger, event: EventKey, from: Moment, now: Moment) {
        let Line { books, waiters, .. } = self;
        let begins = books.first_mut().map_or(now, |shortest| shortest.period(now).0);
        books.iter_mut().for_each(|book| book.sums.clear());
        let mut waiters = std::mem::take(waiters);
        for waiter in waiters.iter_mut().filter(|waiter| waiter.place >= begins || waiter.event == event) {
            waiter.place = self.room(ledger, waiter.calls, waiter.place.max(from));
            self.promise(waiter.place, waiter.calls);
        }
        self.waiters = waiters;
    }

    /// Forgets whoever did not come at its place and for a while after it; everybody, when the clock was set back.
    fn forget_the_lost(&mut self, now: Moment) {
        if self.seen.since(now) > limits::BUDGET_CLOCK_BACK {
            self.waiters.clear();
            self.tickets.clear();
            self.books.iter_mut().for_each(|book| book.sums.clear());
        }
        self.seen = now;
        let shortest = self.books.first().map_or_else(Default::default, |shortest| length(shortest.limit.per));
        let patience = shortest + limits::BUDGET_GRACE;
        while let Some(lost) = self.waiters.front().filter(|first| now.since(first.told) > patience) {
            let lost = lost.event;
            self.leave(lost);
        }
    }

    fn insert(&mut self, waiter: Waiter) {
        self.promise(waiter.place, waiter.calls);
        self.tickets.insert(waiter.event, waiter.ticket);
        let index = self.find(waiter.ticket);
        self.waiters.insert(index, waiter);
    }

    fn leave(&mut self, event: EventKey) -> Option<Waiter> {
        let ticket = self.tickets.remove(&event)?;
        let index = self.find(ticket);
        // The first leave most often, and there it costs least.
        let waiter = self.waiters.remove(index)?;
        for book in &mut self.books {
            book.release(waiter.place, waiter.calls);
        }
        Some(waiter)
    }

    /// Where a ticket is, or would be.
    fn find(&self, ticket: i64) -> usize {
        self.waiters.partition_point(|waiter| waiter.ticket < ticket)
    }

    fn promise(&mut self, place: Moment, calls: u32) {
        for book in &mut self.books {
            book.promise(place, calls);
        }
    }
}

impl Book {
    /// The period of `at`.
    fn period(&mut self, at: Moment) -> (Moment, Moment) {
        if at < self.page.0 || self.page.1 <= at {
            self.page = period(self.limit.per, at);
        }
        self.page
    }

    /// Where the sum of a period is, or would be.
    fn find(&self, begins: Moment) -> usize {
        self.sums.partition_point(|(other, _)| *other < begins)
    }

    /// The calls that are promised in the period of `at`.
    fn promised(&mut self, at: Moment) -> u32 {
        let begins = self.period(at).0;
        self.sums.get(self.find(begins)).filter(|(other, _)| *other == begins).map_or(0, |(_, calls)| *calls)
    }

    fn promise(&mut self, at: Moment, calls: u32) {
        let begins = self.period(at).0;
        let place = self.find(begins);
        match self.sums.get_mut(place).filter(|(other, _)| *other == begins) {
            Some((_, sum)) => *sum = sum.saturating_add(calls),
            None => self.sums.insert(place, (begins, calls)),
        }
    }

    fn release(&mut self, at: Moment, calls: u32) {
        let begins = self.period(at).0;
        let place = self.find(begins);
        let Some((_, sum)) = self.sums.get_mut(place).filter(|(other, _)| *other == begins) else { return };
        *sum = sum.saturating_sub(calls);
        if *sum == 0 {
            self.sums.remove(place);
        }
    }

    /// When it is worth looking again, if so many calls do not fit at `at`.
    fn full_until(&mut self, ledger: &Ledger, calls: u32, at: Moment) -> Option<Moment> {
        let counter = ledger.page(self.limit.per);
        let taken = self.promised(at).saturating_add(calls);
        if at >= counter.ends {
            return (taken > self.limit.calls).then_some(self.period(at).1);
        }
        let end = if at < counter.begins { counter.begins } else { counter.ends };
        (taken.saturating_add(counter.spent(at)) > counter.of(self.limit)).then_some(end)
    }
}
