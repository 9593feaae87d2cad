//! The couriers: a few threads that bring dispatches to the bot's webhook when they are due.
//!
//!     Outbox::push ──▶ due, by moment ──▶ Outbox::take ──▶ one call ──▶ House::ended ──▶ Outbox::done
//!                        ▲                     │ lane is busy
//!                        └──── lane free ◀── waiting, by lane
//!
//! Each courier has a connection of its own, which it keeps. Dispatches of one lane go one after another, in the order
//! in which they were due; nobody polls: a courier sleeps until the soonest is due or something comes in.
//! A twin calls nobody but this machine: whatever a webhook's address says, others are not called.

use super::house::{House, Lodger};
use super::{Dispatch, End};
use crate::limits;
use crate::model::{Moment, OutboundRequest, Outcome};
use crate::notation::shelf::Shelf;
use crate::work::fetch::Fetch;
use std::collections::{HashSet, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// A dispatch on its way.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub lodger: Arc<Lodger>,
    pub lane: u64,
    pub dispatch: Dispatch,
    /// The second of two that were sent on purpose; its end is noted and nothing follows from it.
    pub copy: bool,
}

impl Parcel {
    fn bytes(&self) -> usize {
        let headers: usize = self.dispatch.headers.iter().map(|(_, value)| value.len()).sum();
        size_of::<Parcel>() + self.dispatch.url.len() + headers + self.dispatch.body.len()
    }
}

/// When a parcel is due, and its turn among those due then.
type Turn = (Moment, u64);

/// A lane, by its twin's number.
type Lane = (usize, u64);

/// What waits for a courier.
#[derive(Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    due: Shelf<Turn, Box<Parcel>>,
    /// Due, but another one of their lane is on its way.
    waiting: Shelf<Lane, VecDeque<(Turn, Box<Parcel>)>>,
    waiting_count: usize,
    /// Of all that waits here or there.
    bytes: usize,
    busy: HashSet<Lane>,
    /// Held back behind the next one of its twin.
    held: Shelf<usize, Turn>,
    turns: u64,
    stopped: bool,
}

impl Outbox {
    /// Takes a parcel; with `hold` it goes behind the next one of its twin, or after a while.
    pub(super) fn push(&self, mut parcel: Parcel, hold: bool) {
        let mut queue = self.lock();
        let twin = parcel.lodger.number;
        let release = if hold { None } else { queue.held.remove(&twin) };
        let due = parcel.dispatch.due;
        if hold {
            parcel.dispatch.due = due.after(limits::REORDER_TIME);
        }
        queue.bytes += parcel.bytes();
        let turn = queue.put(parcel);
        if hold {
            queue.held.insert(twin, turn);
        }
        if let Some(mut held) = release.and_then(|turn| queue.due.remove(&turn)) {
            held.dispatch.due = due;
            queue.put(*held);
            self.changed.notify_one();
        }
        drop(queue);
        self.changed.notify_one();
    }

    /// Waits for a parcel that is due; `None` when there will be none any more.
    fn take(&self, clock: fn() -> Moment) -> Option<Parcel> {
        let mut queue = self.lock();
        loop {
            if queue.stopped {
                return None;
            }
            let now = clock();
            if let Some(parcel) = queue.pop(now) {
                return Some(parcel);
            }
            let soonest = queue.due.first_key_value().map(|((due, _), _)| due.since(now));
            queue = match soonest {
                Some(wait) => self.changed.wait_timeout(queue, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// The clock was moved: whoever waits for a time looks at it again.
    pub(super) fn look_again(&self) {
        // With the lock, so that nobody is between his look at the clock and his wait.
        let queue = self.lock();
        self.changed.notify_all();
        drop(queue);
    }

    /// A parcel was brought; the next one of its lane may go.
    fn done(&self, lane: Lane) {
        let mut queue = self.lock();
        queue.busy.remove(&lane);
        let Some(waiting) = queue.waiting.get_mut(&lane) else { return };
        let next = waiting.pop_front();
        if waiting.is_empty() {
            queue.waiting.remove(&lane);
        }
        if let Some((turn, parcel)) = next {
            queue.waiting_count -= 1;
            queue.due.insert(turn, parcel);
            drop(queue);
            self.changed.notify_one();
        }
    }

    /// Whether more may come in.
    pub(super) fn has_room(&self) -> bool {
        let queue = self.lock();
        queue.due.len() + queue.waiting_count < limits::OUTBOX_MAX && queue.bytes < limits::OUTBOX_BYTES_MAX
    }

    /// Whether nothing waits and nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        let queue = self.lock();
        queue.due.is_empty() && queue.waiting_count == 0 && queue.busy.is_empty()
    }

    /// Sends the couriers home: what waits stays.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn put(&mut self, parcel: Parcel) -> Turn {
        self.turns += 1;
        let turn = (parcel.dispatch.due, self.turns);
        self.due.insert(turn, Box::new(parcel));
        turn
    }

    fn pop(&mut self, now: Moment) -> Option<Parcel> {
        while self.due.first_key_value().is_some_and(|((due, _), _)| *due <= now) {
            let (turn, parcel) = self.due.pop_first()?;
            let lane = (parcel.lodger.number, parcel.lane);
            if self.busy.insert(lane) {
                self.bytes -= parcel.bytes();
                return Some(*parcel);
            }
            let waiting = self.waiting.at(lane);
            // A parcel that came back from here first is sooner than those that still wait.
            let at = waiting.partition_point(|(other, _)| *other < turn);
            waiting.insert(at, (turn, parcel));
            self.waiting_count += 1;
        }
        None
    }
}

/// Starts the couriers of a house. They go when it closes, each after the call that it makes just then.
pub(super) fn start(house: &Arc<House>) -> io::Result<()> {
    for number in 0..limits::COURIERS {
        let house = Arc::clone(house);
        thread::Builder::new().name(format!("courier-{number}")).spawn(move || carry(&house))?;
    }
    Ok(())
}

fn carry(house: &House) {
    let fetch = Fetch::default();
    while let Some(parcel) = house.outbox.take(house.clock) {
        let lane = (parcel.lodger.number, parcel.lane);
        let end = bring(&fetch, &parcel.dispatch);
        house.ended(&parcel, &end);
        house.outbox.done(lane);
        house.bell.ring();
    }
}

fn bring(fetch: &Fetch, dispatch: &Dispatch) -> End {
    if !is_here(&dispatch.url) {
        return End::Failed {
            why: "the webhook's address is not on loopback, and a twin calls nobody else".to_owned(),
        };
    }
    let request = OutboundRequest {
        headers: dispatch.headers.clone(),
        patience: Some(dispatch.patience),
        ..OutboundRequest::json(dispatch.method, dispatch.url.clone(), dispatch.body.clone())
    };
    let began = Instant::now();
    match fetch.call(&request) {
        Outcome::Answered(answer) => End::Answered { status: answer.status, body: answer.body, took: began.elapsed() },
        Outcome::Failed(fault) => End::Failed { why: fault.why },
    }
}

/// Whether a URL leads to this machine by its loopback. A name could lead anywhere, but for the one that must not.
pub fn is_here(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    is_loopback(authority)
}

/// Whether `host` or `host:port` names the loopback.
pub(super) fn is_loopback(authority: &str) -> bool {
    let port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, rest)) if port(rest) && (!host.contains(':') || host.ends_with(']')) => host,
        _ => authority,
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Method;
    use std::time::Duration;

    fn parcel(number: u64, lane: u64, due: i64) -> Parcel {
        let dispatch = Dispatch {
            number,
            attempt: 1,
            due: Moment(due),
            method: Method::Post,
            url: "http://127.0.0.1/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            patience: Duration::from_secs(1),
        };
        Parcel { lodger: Lodger::empty(0), lane, dispatch, copy: false }
    }

    fn taken(outbox: &Outbox, now: i64) -> Vec<u64> {
        std::iter::from_fn(|| outbox.lock().pop(Moment(now))).map(|parcel| parcel.dispatch.number).collect()
    }

    #[test]
    fn one_lane_goes_one_after_another_and_others_go_beside_it() {
        let outbox = Outbox::default();
        for (number, lane) in [(1, 1), (2, 1), (3, 2), (4, 1)] {
            outbox.push(parcel(number, lane, 0), false);
        }
        assert_eq!(taken(&outbox, 0), [1, 3]);
        outbox.done((0, 1));
        assert_eq!(taken(&outbox, 0), [2]);
        assert!(!outbox.is_empty());
        outbox.done((0, 1));
        assert_eq!(taken(&outbox, 0), [4]);
        outbox.done((0, 1));
        outbox.done((0, 2));
        assert!(outbox.is_empty() && outbox.lock().bytes == 0);
    }

    #[test]
    fn there_is_room_for_so_many_and_for_so_many_bytes() {
        let outbox = Outbox::default();
        for number in 0..limits::OUTBOX_MAX as u64 {
            assert!(outbox.has_room());
            outbox.push(parcel(number, number, 0), number % 7 == 0);
        }
        assert!(!outbox.has_room());
        taken(&outbox, 0);
        assert!(outbox.has_room());
        let mut large = parcel(1, 1_000_000, 5);
        large.dispatch.body = vec![0; limits::OUTBOX_BYTES_MAX];
        outbox.push(large, false);
        assert!(!outbox.has_room());
    }

    #[test]
    fn what_is_due_first_goes_first_and_nothing_before_its_time() {
        let outbox = Outbox::default();
        for (number, due) in [(1, 30), (2, 10), (3, 10), (4, 50)] {
            outbox.push(parcel(number, number, due), false);
        }
        assert_eq!(taken(&outbox, 9), [0; 0]);
        assert_eq!(taken(&outbox, 30), [2, 3, 1]);
    }

    #[test]
    fn what_is_held_back_goes_behind_the_next_one_or_after_a_while() {
        let outbox = Outbox::default();
        outbox.push(parcel(1, 1, 0), true);
        assert_eq!(taken(&outbox, 0), [0; 0]);
        outbox.push(parcel(2, 2, 0), false);
        assert_eq!(taken(&outbox, 0), [2, 1]);
        outbox.push(parcel(3, 3, 0), true);
        assert_eq!(taken(&outbox, limits::REORDER_TIME.as_millis() as i64), [3]);
        outbox.push(parcel(4, 4, 0), false);
        assert_eq!(taken(&outbox, 0), [4]);
    }

    #[test]
    fn what_waits_for_a_clock_that_is_moved_goes_at_once() {
        use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
        static NOW: AtomicI64 = AtomicI64::new(0);
        static LOOKS: AtomicUsize = AtomicUsize::new(0);
        let clock = || {
            LOOKS.fetch_add(1, Ordering::SeqCst);
            Moment(NOW.load(Ordering::SeqCst))
        };
        let outbox = Outbox::default();
        outbox.push(parcel(1, 1, 3_600_000), false);
        let began = Instant::now();
        thread::scope(|scope| {
            let courier = scope.spawn(|| outbox.take(clock).map(|parcel| parcel.dispatch.number));
            while LOOKS.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            NOW.store(3_600_000, Ordering::SeqCst);
            outbox.look_again();
            while !courier.is_finished() && began.elapsed() < Duration::from_secs(5) {
                thread::yield_now();
            }
            outbox.stop();
            assert_eq!(courier.join().unwrap(), Some(1), "it waited by the clock that was");
        });
    }

    #[test]
    fn only_the_loopback_is_called() {
        for here in ["http://127.0.0.1:3000/x", "http://[::1]:3000", "https://localhost/x?y", "http://127.9.8.7"] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in [
            "http://10.0.0.1/127.0.0.1",
            "http://127.0.0.1.example.org/",
            "http://user@127.0.0.1@example.org/",
            "http://localhost.example.org:80",
            "http://[::2]:1/",
            "",
        ] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
