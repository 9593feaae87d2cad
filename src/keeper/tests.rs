//! The keeper on its own thread, with a store in memory and workers played by the test.

use super::roster::tests::lease;
use super::*;
use crate::folder::Folder;
use crate::model::{
    Alarm, AlarmSet, AlarmWrite, Arrival, Attempt, EventKey, Fate, Left, Lesson, Limit, Notes, PICTURES, Period,
    PictureName, Plan, Reply, Ring, RunMissed, SendEnd, Upstream, When, Work,
};
use crate::queue::budget::NotBefore;
use crate::queue::pace::Effect;
use crate::store::memory::{Memory, Shelf};
use crate::store::sqlite::SqliteFile;
use crate::store::{ALARM, State};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

struct House {
    letters: Letterbox,
    receipts: Receiver<Vec<(Ticket, Receipt)>>,
    workers: Vec<Receiver<Lease>>,
    fault: Arc<AtomicBool>,
    /// How long the keeper takes to give out receipts, as when a commit is slow.
    pause_ms: Arc<AtomicU64>,
    health: Arc<Health>,
    shelf: Shelf,
    keeper: JoinHandle<Result<(), StoreError>>,
    channels: Vec<ChannelNumber>,
}

fn clock() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Moment(since.as_millis() as i64)
}

impl House {
    fn start(workers: usize, channels: &[&str]) -> House {
        House::on(Shelf::default(), workers, channels)
    }

    /// With what an earlier keeper has kept.
    fn on(shelf: Shelf, workers: usize, channels: &[&str]) -> House {
        let mut store = Memory::open(&shelf);
        let fault = Arc::clone(&store.fault);
        let pause_ms = Arc::new(AtomicU64::new(0));
        let pause = Arc::clone(&pause_ms);
        let wake = Box::new(move || thread::sleep(Duration::from_millis(pause.load(Ordering::Relaxed))));
        let (letters, letters_in) = channel();
        let (receipts_out, receipts): (Sender<_>, _) = channel();
        let (senders, leases): (Vec<_>, _) = (0..workers).map(|_| sync_channel(1)).unzip();
        let health = Arc::new(Health::default());
        let seen = Arc::clone(&health);
        let keeper = thread::spawn(move || {
            let post = Post { receipts: receipts_out, wake };
            let store = &mut store;
            let (letters, workers, health) = (letters_in, senders, seen);
            let (treasury, counts, bell) = (Treasury::new(&[]), Counts::default(), Bell::default());
            let (lines, roster) = (Vec::new(), Roster::new(workers.len(), &[]));
            let chance = || 0;
            Keeper { store, letters, post, workers, lines, roster, treasury, counts, bell, health, clock, chance }.run()
        });
        let letters = Letterbox { letters, health: Arc::clone(&health) };
        let channels = channels.iter().enumerate().map(|(bot, name)| ((*name).to_owned(), bot)).collect();
        let numbers = Vec::new();
        let mut house =
            House { letters, receipts, workers: leases, fault, pause_ms, health, shelf, keeper, channels: numbers };
        house.channels = house.change(channels, &[sun()]).unwrap().numbers;
        // What a change brings with it has been written, too: a fault that is set now meets what comes now.
        let nothing = Change::Numbers { names: Vec::new() };
        house.ask(|answer| Letter::Change { change: nothing, answer }).unwrap();
        house
    }

    /// A configuration with these channels, each with its bot, and upstreams.
    fn change(&self, channels: Vec<(String, usize)>, upstreams: &[Upstream]) -> Result<Changed, String> {
        let (upstreams, reconcile) = (upstreams.to_vec(), Box::new(|_: &[Alarm]| Vec::new()));
        let change = Change::Lines { channels, upstreams, reconcile };
        self.ask(|answer| Letter::Change { change, answer })
    }

    fn admit(&self, line: usize, id: &str, from: &str) {
        self.admit_all(line, &[(id, from)]);
    }

    /// One delivery of several events: each its id, and whose it is.
    fn admit_all(&self, line: usize, events: &[(&str, &str)]) {
        self.letters.admit(vec![self.admission(line, events)]).unwrap();
    }

    fn admission(&self, line: usize, events: &[(&str, &str)]) -> Admission {
        let arrival = |(id, from): &(&str, &str)| Arrival {
            id: (*id).to_owned(),
            conversation: (*from).to_owned(),
            kind: "message",
            fate: Fate::Hear,
            raw: id.as_bytes().into(),
            proves: None,
        };
        let ticket = Ticket { slot: 1, generation: 1 };
        let channel = self.channels[line];
        let arrivals = events.iter().map(arrival).collect();
        Admission { ticket, channel, received: clock(), head: "POST /page\n".to_owned(), arrivals }
    }

    fn receipt(&self) -> Receipt {
        self.receipts.recv_timeout(PATIENCE).unwrap().remove(0).1
    }

    fn lease(&self, worker: usize) -> Lease {
        self.workers[worker].recv_timeout(PATIENCE).unwrap()
    }

    /// The next lease, whichever worker has it.
    fn any_lease(&self) -> (usize, Lease) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            for (worker, leases) in self.workers.iter().enumerate() {
                if let Ok(lease) = leases.recv_timeout(Duration::from_millis(1)) {
                    return (worker, lease);
                }
            }
        }
        panic!("nobody was given a job")
    }

    fn settle(&self, worker: usize, settlement: Settlement, effect: Effect) {
        self.letters.letters.send(Letter::Settled { worker, settlement, effect }).unwrap();
    }

    fn hear(&self, worker: usize, lease: &Lease, said: &[&str]) {
        let replies = said.iter().map(|text| Reply::text("anna", *text)).collect();
        let (event, lane) = (lease.event, lease.lane);
        self.settle(worker, Settlement::Heard { event, lane, replies, notes: Notes::default() }, Effect::None);
    }

    fn sent(&self, worker: usize, lease: &Lease, end: SendEnd, effect: Effect) {
        let Work::Send { part, attempt, .. } = lease.work else { panic!("{lease:?}") };
        let now = clock();
        let words = String::new();
        let attempt = Attempt { part, number: attempt, began: now, ended: now, status: None, words };
        let (event, lane) = (lease.event, lease.lane);
        self.settle(worker, Settlement::Sent { event, lane, attempt, end }, effect);
    }

    /// Ends the keeper and opens what it left.
    fn end(self) -> Memory {
        self.letters.letters.send(Letter::End { until: clock() }).unwrap();
        self.keeper.join().unwrap().unwrap();
        Memory::open(&self.shelf)
    }
}

/// Three calls a month.
fn sun() -> Upstream {
    let limits = vec![Limit { calls: 3, per: Period::Month }];
    Upstream { name: "sun".to_owned(), kind: None, api: String::new(), key: None, limits, papers: None }
}

impl House {
    fn ask<T>(&self, letter: impl FnOnce(SyncSender<T>) -> Letter) -> T {
        let (answer, answered) = sync_channel(1);
        self.letters.letters.send(letter(answer)).unwrap();
        answered.recv_timeout(PATIENCE).unwrap()
    }

    fn pay(&self) -> Result<(), NotBefore> {
        self.pay_as(None)
    }

    fn pay_as(&self, payer: Option<EventKey>) -> Result<(), NotBefore> {
        self.ask(|answer| Letter::Pay { upstream: "sun".to_owned(), payer, calls: 1, answer })
    }

    fn left(&self) -> Vec<Left> {
        self.ask(|answer| Letter::Left { upstream: "sun".to_owned(), answer })
    }

    fn keep(&self, key: &str) -> bool {
        let (bot, key, value) = (TOKENS.to_owned(), key.to_owned(), Some(b"it".to_vec()));
        self.ask(|answer| Letter::Keep { write: MemoryWrite { bot, key, value, expires: None }, answer })
    }
}

/// The ledger as a next daemon would find it.
fn left_of(store: &mut dyn Store) -> u32 {
    Treasury::new(&[sun()]).left(store, "sun", clock())[0].calls
}

#[test]
fn a_call_is_paid_on_the_disk_before_it_is_made() {
    let house = House::start(0, &["page"]);
    assert_eq!(house.left()[0].calls, 3);
    house.pay().unwrap();
    assert_eq!(left_of(&mut Memory::open(&house.shelf)), 2);
    house.pay().unwrap();
    house.pay().unwrap();
    let refused = house.pay().unwrap_err();
    assert_eq!((refused.moment, refused.why.as_str()), (house.left()[0].ends, "its 3 calls of this month are used up"));
    assert_eq!(left_of(&mut house.end()), 0);
}

#[test]
fn on_a_failing_disk_nothing_is_paid_and_nobody_calls() {
    let house = House::start(0, &["page"]);
    house.pay().unwrap();
    house.fault.store(true, Ordering::Relaxed);
    let refused = house.pay().unwrap_err();
    assert!(refused.moment > clock() && refused.moment <= clock().after(limits::PAYMENT_RETRY), "{refused:?}");
    house.pay().unwrap();
    assert_eq!(house.left()[0].calls, 1, "the payment that failed counts nowhere");
    assert_eq!(left_of(&mut house.end()), 1);
}

/// The month's calls are spent, and the event of this lease waits for those of the next one.
fn waits(house: &House) -> (Lease, Moment) {
    (0..3).for_each(|_| house.pay().unwrap());
    house.admit(0, "m1", "anna");
    house.receipt();
    let lease = house.lease(0);
    let refused = house.pay_as(Some(lease.event)).unwrap_err();
    (lease, refused.moment)
}

#[test]
fn whoever_was_told_to_wait_keeps_its_place_until_it_is_settled_for_good() {
    let house = House::start(1, &["page"]);
    let (lease, told) = waits(&house);
    // Two more of the same month: the next one is full then.
    let next = |event| house.pay_as(Some(EventKey(event))).unwrap_err().moment;
    assert_eq!((next(7), next(8)), (told, told));
    let full = next(9);
    assert!(full > told);
    house.settle(0, later(&lease, clock()), Effect::None);
    let Lease { event, lane, .. } = house.lease(0);
    assert_eq!(next(10), full, "its place is kept");
    house.settle(0, Settlement::HearDead { event, lane, why: String::new() }, Effect::None);
    assert_eq!(next(11), told, "it wants nothing any more");
    house.end();
}

#[test]
fn what_must_be_kept_is_confirmed_after_the_commit_or_refused() {
    let house = House::start(0, &["page"]);
    assert!(house.keep("one"));
    let kept = |key| Memory::open(&house.shelf).recall(TOKENS, key, clock()).unwrap();
    assert_eq!(kept("one"), Some(b"it".to_vec()));
    house.fault.store(true, Ordering::Relaxed);
    assert!(!house.keep("two"));
    assert_eq!(kept("two"), None);
    house.end();
}

#[test]
fn what_is_learnt_holds_at_once_and_is_kept_with_the_next_payment() {
    let house = House::start(0, &["page"]);
    let lesson = Lesson { per: Some(Period::Month), left: Some(1), ..Lesson::default() };
    let learn = || Letter::Learn { upstream: "sun".to_owned(), lesson: lesson.clone() };
    house.letters.letters.send(learn()).unwrap();
    assert_eq!(house.left()[0].calls, 1);
    house.pay().unwrap();
    assert!(house.pay().is_err());
    house.letters.letters.send(Letter::Learn { upstream: "moon".to_owned(), lesson: lesson.clone() }).unwrap();
    assert_eq!(left_of(&mut house.end()), 0, "and nothing is known of the moon");
}

#[test]
fn a_ledger_that_was_damaged_is_no_reason_to_stop() {
    let house = House::start(0, &["page"]);
    let (bot, key) = (LEDGERS.to_owned(), "sun".to_owned());
    let damaged = MemoryWrite { bot, key, value: Some(b"{".to_vec()), expires: None };
    assert!(house.ask(|answer| Letter::Keep { write: damaged, answer }));
    assert!(house.left()[0].calls < 3, "some of the month is over");
    house.end();
}

fn delivered() -> SendEnd {
    SendEnd::Delivered { message_id: None }
}

#[test]
fn a_rest_is_remembered_until_it_ends_or_another_keeper_begins() {
    let house = House::start(1, &["page", "space"]);
    house.admit(0, "m1", "anna");
    house.receipt();
    let lease = house.lease(0);
    let (event, lane, why) = (lease.event, lease.lane, "HTTP 401".to_owned());
    let later = Settlement::HearLater { event, lane, due: clock(), attempt: 1, why: why.clone() };
    let before = clock();
    house.settle(0, later, Effect::Locked { why });
    let shelf = house.shelf.clone();
    let mut store = house.end();
    let rest = |store: &mut Memory, now| store.recall(RESTS, "page", now).unwrap();
    assert_eq!(rest(&mut store, clock()), Some(b"its token is refused: HTTP 401".to_vec()));
    assert_eq!(store.recall(RESTS, "space", clock()), Ok(None));
    let past = |time| before.after(limits::LOCKED_REST).after(Duration::from_secs(time));
    assert!(rest(&mut store, Moment(past(0).0 - 1)).is_some() && rest(&mut store, past(60)).is_none());
    drop(store);
    let mut store = House::on(shelf, 1, &["page", "space"]).end();
    assert_eq!(rest(&mut store, clock()), None, "the new one probes at once");
}

fn named(channels: &[(&str, usize)]) -> Vec<(String, usize)> {
    channels.iter().map(|(name, bot)| ((*name).to_owned(), *bot)).collect()
}

#[test]
fn channels_come_and_go_while_jobs_of_them_are_out() {
    let house = House::start(2, &["page", "space"]);
    house.admit_all(0, &[("m1", "anna"), ("m2", "anna")]);
    house.receipt();
    let (worker, heard) = house.any_lease();
    // The order is another, the bot is shared, and one is new; a job is out meanwhile.
    let changed = house.change(named(&[("new", 0), ("space", 0), ("page", 0)]), &[sun()]).unwrap();
    assert_eq!((changed.numbers.len(), &changed.numbers[2], changed.left_behind.len()), (3, &house.channels[0], 0));
    house.hear(worker, &heard, &["one"]);
    let reply = house.lease(worker);
    assert!(matches!(reply.work, Work::Send { .. }), "{reply:?}");
    // Its channel goes: it comes back and is settled, and what waits behind it waits on.
    let changed = house.change(named(&[("space", 0)]), &[sun()]).unwrap();
    assert_eq!(changed.left_behind, ["page"]);
    house.sent(worker, &reply, delivered(), Effect::Well);
    house.admit(1, "s1", "bert");
    house.receipt();
    let (free, other) = house.any_lease();
    assert_eq!(other.event.channel(), house.channels[1], "the other channel goes on");
    house.hear(free, &other, &[]);
    assert!(house.workers.iter().all(|worker| worker.recv_timeout(Duration::from_millis(50)).is_err()));
    house.change(named(&[("page", 0), ("space", 1)]), &[sun()]).unwrap();
    let (worker, behind) = house.any_lease();
    assert_eq!((behind.event.channel(), behind.event.place()), (house.channels[0], 2));
    house.hear(worker, &behind, &[]);
    house.end();
}

/// What whoever watches is told, as soon as so many workers have a job.
fn figures(house: &House, busy: usize) -> crate::meter::Kept {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        house.letters.letters.send(Letter::Figures(Ticket { slot: 9, generation: 9 })).unwrap();
        let Receipt::Figures(kept) = house.receipt() else { panic!("no figures") };
        if kept.busy == busy {
            return *kept;
        }
    }
    panic!("not {busy} of them have a job");
}

#[test]
fn figures_tell_who_is_at_work_and_who_rests_and_each_channel_once_however_often_it_comes() {
    let house = House::start(2, &["page", "space"]);
    house.admit(0, "m1", "anna");
    house.receipt();
    let (worker, heard) = house.any_lease();
    let kept = figures(&house, 1);
    assert_eq!((kept.workers, kept.channels[0].waiting, kept.channels[0].rests), (2, 1, false));
    house.hear(worker, &heard, &["one"]);
    let reply = house.lease(worker);
    let again = SendEnd::Again { due: clock(), maybe_said: false };
    house.sent(worker, &reply, again, Effect::Locked { why: "HTTP 401".to_owned() });
    let kept = figures(&house, 0);
    assert_eq!(kept.channels.iter().map(|channel| channel.rests).collect::<Vec<_>>(), [true, false]);
    house.change(named(&[("space", 0)]), &[sun()]).unwrap();
    house.change(named(&[("page", 0), ("space", 0), ("new", 0)]), &[sun()]).unwrap();
    house.any_lease();
    let kept = figures(&house, 1);
    let told = kept.channels.iter().map(|channel| (&*channel.name, channel.kept, channel.attempts[0]));
    assert_eq!(told.collect::<Vec<_>>(), [("page", 1, 1), ("space", 0, 0), ("new", 0, 0)]);
}

#[test]
fn a_channel_whose_token_was_refused_is_tried_at_once_with_another() {
    let house = House::start(1, &["page"]);
    house.admit(0, "m1", "anna");
    house.receipt();
    let lease = house.lease(0);
    let (event, lane, why) = (lease.event, lease.lane, "HTTP 401".to_owned());
    house.settle(
        0,
        Settlement::HearLater { event, lane, due: clock(), attempt: 1, why: why.clone() },
        Effect::Locked { why },
    );
    assert!(house.workers[0].recv_timeout(Duration::from_millis(50)).is_err());
    house.change(named(&[("page", 0)]), &[sun()]).unwrap();
    let again = house.lease(0);
    assert_eq!(again.event, event);
    house.hear(0, &again, &[]);
    assert_eq!(house.end().recall(RESTS, "page", clock()), Ok(None), "nobody is told of a rest that is over");
}

#[test]
fn a_change_that_cannot_be_written_changes_nothing() {
    let house = House::start(1, &["page"]);
    house.fault.store(true, Ordering::Relaxed);
    house.change(named(&[("other", 0)]), &[]).unwrap_err();
    house.fault.store(false, Ordering::Relaxed);
    house.admit(0, "m1", "anna");
    house.receipt();
    let heard = house.lease(0);
    assert_eq!(heard.event.channel(), house.channels[0]);
    assert_eq!(house.left().len(), 1, "its upstream is there, too");
    house.hear(0, &heard, &[]);
    house.end();
}

/// A keeper on the test's own thread, with one channel and one worker; and what the loop hears of it.
fn keeper(store: &mut dyn Store) -> (Keeper<'_>, Receiver<Vec<(Ticket, Receipt)>>) {
    let (receipts, heard) = channel();
    let number = store.channel("page").unwrap();
    store.commit().unwrap();
    let keeper = Keeper {
        store,
        letters: channel().1,
        post: Post { receipts, wake: Box::new(|| {}) },
        workers: vec![sync_channel(1).0],
        lines: vec![Line::new(number, "page")],
        roster: Roster::new(1, &[0]),
        treasury: Treasury::new(&[]),
        counts: Counts::default(),
        health: Arc::default(),
        clock,
        chance: || 0,
        bell: Bell::default(),
    };
    (keeper, heard)
}

#[test]
fn whoever_asks_whether_all_moves_is_told_of_a_worker_that_does_not_come_back() {
    let mut store = Memory::open(&Shelf::default());
    let (mut keeper, heard) = keeper(&mut store);
    let mut ready = || {
        keeper.take(Letter::Ready(Ticket { slot: 1, generation: 1 }), &mut Tray::default());
        let told = heard.try_recv().unwrap().remove(0).1;
        let idle = keeper.roster.idle().is_some();
        if idle {
            keeper.roster.give(0, 0, &lease(1));
        } else {
            keeper.roster.grow_old(limits::WORK_STUCK_TIME);
        }
        told
    };
    assert_eq!(ready(), Receipt::Ready(Ok(())), "nothing is out");
    assert_eq!(ready(), Receipt::Ready(Ok(())), "it was given just now");
    let stuck = Receipt::Ready(Err("a worker does not come back from a job of channel page".to_owned()));
    assert_eq!(ready(), stuck);
}

#[test]
fn what_a_change_wrote_that_failed_is_not_written_with_what_comes_next() {
    let mut store = Memory::open(&Shelf::default());
    let fault = Arc::clone(&store.fault);
    let (mut keeper, _heard) = keeper(&mut store);
    fault.store(true, Ordering::Relaxed);
    let (answer, changed) = sync_channel(1);
    let changes = vec![(Change::Numbers { names: vec!["other".to_owned()] }, answer)];
    keeper.make_changes(&mut Tray { changes, ..Tray::default() });
    assert_eq!(changed.try_recv().unwrap().unwrap_err(), "the disk is full");
    keeper.commit().unwrap();
    assert_eq!(keeper.store.backlogs().unwrap().len(), 1, "there is no other channel");
}

#[test]
fn only_commits_that_wrote_something_are_counted() {
    let folder = Folder::new("keeper-commits");
    let file = SqliteFile::open(&folder.join("ackd.db")).unwrap();
    let mut store = file.engine().unwrap();
    let (mut keeper, _heard) = keeper(&mut store);
    let mut commits = |writes: bool| {
        if writes {
            keeper.store.channel(&format!("{:?}", Instant::now())).unwrap();
        }
        keeper.commit().unwrap();
        keeper.figures(clock()).commits
    };
    let [nothing, one, still_one, two] = [false, true, false, true].map(&mut commits);
    assert_eq!((nothing, still_one), (crate::meter::Histogram::default(), one));
    assert!(one != nothing && two != one);
}

#[test]
fn what_was_spent_of_an_upstream_is_spent_after_a_change() {
    let house = House::start(1, &["page"]);
    house.pay().unwrap();
    let larger = Upstream { limits: vec![Limit { calls: 10, per: Period::Month }], ..sun() };
    house.change(named(&[("page", 0)]), &[larger]).unwrap();
    assert_eq!(house.left()[0].calls, 9);
    house.change(named(&[("page", 0)]), &[]).unwrap();
    assert!(house.left().is_empty());
    house.change(named(&[("page", 0)]), &[sun()]).unwrap();
    assert_eq!(house.left()[0].calls, 2, "it lies in the store");
    house.end();
}

#[test]
fn an_event_goes_from_admission_to_its_replies_by_one_worker() {
    let house = House::start(1, &["page"]);
    house.admit(0, "m1", "anna");
    assert_eq!(house.receipt(), Receipt::Kept);
    let heard = house.lease(0);
    house.hear(0, &heard, &["one", "two"]);
    let one = house.lease(0);
    house.sent(0, &one, delivered(), Effect::Well);
    let two = house.lease(0);
    assert!(matches!(two.work, Work::Send { part: 2, .. }));
    house.sent(0, &two, delivered(), Effect::Well);
    let event = two.event;
    assert_eq!(house.end().life(event).unwrap().unwrap().state, State::Answered);
}

#[test]
fn after_a_crowd_whoever_comes_alone_does_not_wait_for_another() {
    let house = House::start(0, &["page"]);
    let crowd = (0..limits::GATHER_FROM).map(|number| house.admission(0, &[(&number.to_string(), "anna")]));
    house.letters.admit(crowd.collect()).unwrap();
    assert_eq!(house.receipts.recv_timeout(PATIENCE).unwrap().len(), limits::GATHER_FROM);
    house.admit(0, "alone", "ben");
    assert_eq!(house.receipt(), Receipt::Kept);
    house.end();
}

#[test]
fn a_failing_disk_keeps_nothing_says_so_and_is_tried_again() {
    let house = House::start(0, &["page"]);
    house.admit(0, "m0", "anna");
    assert_eq!(house.receipt(), Receipt::Kept);
    house.fault.store(true, Ordering::Relaxed);
    house.admit(0, "m1", "anna");
    assert_eq!(house.receipt(), Receipt::NotKept);
    assert!(!house.health.writable.load(Ordering::Relaxed));
    house.admit(0, "m1", "anna");
    assert_eq!(house.receipt(), Receipt::Kept);
    assert!(house.health.writable.load(Ordering::Relaxed));
    assert_eq!(house.health.kept.load(Ordering::Relaxed), 2);
    assert_eq!(house.health.waiting_bytes.load(Ordering::Relaxed), 0, "what was kept or refused waits no longer");
}

#[test]
fn what_was_decided_is_told_when_it_is_on_the_disk_and_otherwise_nobody_answers() {
    let house = House::start(1, &["page"]);
    house.admit(0, "m1", "anna");
    house.receipt();
    let Lease { event, lane, .. } = house.lease(0);
    house.settle(0, Settlement::HearDead { event, lane, why: "broken".to_owned() }, Effect::None);
    let decide = || {
        let (answer, decided) = sync_channel(1);
        let order = Order::Resolve { events: vec![event] };
        house.letters.letters.send(Letter::Decide { order, answer }).unwrap();
        decided.recv_timeout(PATIENCE)
    };
    // What a worker says is written before.
    house.admit(0, "m2", "bert");
    house.receipt();
    house.fault.store(true, Ordering::Relaxed);
    assert_eq!(decide(), Err(RecvTimeoutError::Disconnected));
    assert_eq!(decide(), Ok(vec!["page-1 resolved".to_owned()]));
    assert_eq!(decide().unwrap().len(), 1, "said again it changes nothing, and is answered");
    assert_eq!(house.end().life(event).unwrap().unwrap().replays.len(), 1);
}

#[test]
fn a_settlement_outlives_a_failing_disk() {
    let house = House::start(1, &["page"]);
    house.admit(0, "m1", "anna");
    house.receipt();
    let heard = house.lease(0);
    house.fault.store(true, Ordering::Relaxed);
    house.hear(0, &heard, &["one"]);
    // The disk was full for one turn; the settlement is tried again without being asked for.
    let one = house.lease(0);
    assert!(matches!(one.work, Work::Send { part: 1, attempt: 1, .. }));
    house.sent(0, &one, delivered(), Effect::Well);
    let event = one.event;
    let life = house.end().life(event).unwrap().unwrap();
    assert_eq!((life.state, life.replies.len()), (State::Answered, 1));
}

#[test]
fn one_slow_channel_leaves_a_worker_to_the_other() {
    let house = House::start(4, &["slow", "quick"]);
    for person in 0..20 {
        house.admit(0, &format!("s{person}"), &format!("person {person}"));
        house.receipt();
    }
    let slow: Vec<_> = (0..3).map(|_| house.any_lease()).collect();
    house.admit(1, "q1", "anna");
    house.receipt();
    let (_, quick) = house.any_lease();
    assert!(slow.iter().all(|(_, lease)| lease.event.channel() == house.channels[0]));
    assert_eq!(quick.event.channel(), house.channels[1]);
}

#[test]
fn a_channel_at_its_limit_rests_and_the_other_does_not() {
    let house = House::start(2, &["limited", "well"]);
    house.admit(0, "m1", "anna");
    house.receipt();
    let (worker, heard) = house.any_lease();
    house.hear(worker, &heard, &["one"]);
    let (worker, one) = house.any_lease();
    let wait = Duration::from_secs(3600);
    let end = SendEnd::Again { due: clock().after(wait), maybe_said: false };
    house.sent(worker, &one, end, Effect::Limited { wait, why: "too many calls".to_owned() });
    house.admit(0, "m2", "bert");
    house.receipt();
    house.admit(1, "w1", "carl");
    house.receipt();
    let (_, lease) = house.any_lease();
    assert_eq!(lease.event.channel(), house.channels[1]);
    assert!(house.workers.iter().all(|leases| leases.try_recv().is_err()), "the limited channel must rest");
}

#[test]
fn a_resting_keeper_keeps_and_hands_out_nothing() {
    let house = House::start(1, &["page"]);
    house.letters.letters.send(Letter::Rest).unwrap();
    house.admit(0, "m1", "anna");
    assert_eq!(house.receipt(), Receipt::Kept);
    let channel = house.channels[0];
    assert!(house.workers[0].try_recv().is_err());
    let mut store = house.end();
    let life = store.life(EventKey::new(channel, 1)).unwrap().unwrap();
    assert_eq!(life.state, State::Open);
}

#[test]
fn the_end_waits_for_what_is_out() {
    let house = House::start(1, &["page"]);
    house.admit(0, "m1", "anna");
    house.receipt();
    let heard = house.lease(0);
    house.letters.letters.send(Letter::End { until: clock().after(PATIENCE) }).unwrap();
    house.hear(0, &heard, &["one"]);
    house.keeper.join().unwrap().unwrap();
    let mut store = Memory::open(&house.shelf);
    let life = store.life(heard.event).unwrap().unwrap();
    assert_eq!((life.state, life.replies.len()), (State::Open, 1), "its reply is sent after the restart");
}

#[test]
fn whoever_waits_for_rest_is_told_when_nothing_is_under_way() {
    let house = House::start(1, &["page"]);
    let ask = || {
        let (under_way, still) = sync_channel(1);
        house.letters.letters.send(Letter::Still { under_way }).unwrap();
        still
    };
    assert_eq!(ask().recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    house.admit(0, "m1", "anna");
    let heard = house.lease(0);
    let still = ask();
    // Two turns later it would have been told.
    assert!(house.keep("one") && house.keep("two"));
    assert_eq!(still.try_recv(), Err(TryRecvError::Empty));
    house.hear(0, &heard, &[]);
    assert_eq!(still.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    house.end();
}

#[test]
fn an_order_is_carried_out_and_told() {
    let house = House::start(0, &["page"]);
    let ticket = Ticket { slot: 1, generation: 1 };
    let replies = vec![Reply::text("anna", "good morning")];
    let order = Order::Send { channel: house.channels[0], id: "push:1".to_owned(), replies };
    house.letters.letters.send(Letter::Order(ticket, order.clone())).unwrap();
    assert_eq!(house.receipt(), Receipt::Done(vec!["page-1 kept".to_owned()]));
    house.letters.letters.send(Letter::Order(ticket, order)).unwrap();
    assert_eq!(house.receipt(), Receipt::Done(vec!["page-1 kept".to_owned()]), "its answer was lost");
    let order = Order::Replay { events: vec![(EventKey::new(house.channels[0], 1), None)] };
    house.letters.letters.send(Letter::Order(ticket, order)).unwrap();
    let Receipt::Done(lines) = house.receipt() else { panic!("not done") };
    assert!(lines[0].starts_with("page-1 left alone: it is open"), "{lines:?}");
}

/// What a test that expects a job soon waits for: longer than any commit, far shorter than an hour.
const SOON: Duration = Duration::from_secs(3);

fn later(lease: &Lease, due: Moment) -> Settlement {
    Settlement::HearLater { event: lease.event, lane: lease.lane, due, attempt: 1, why: String::new() }
}

#[test]
fn what_falls_due_during_a_turn_is_not_overlooked() {
    let house = House::start(1, &["page"]);
    house.admit(0, "m1", "anna");
    house.receipt();
    let lease = house.lease(0);
    house.pause_ms.store(600, Ordering::Relaxed);
    house.settle(0, later(&lease, clock().after(Duration::from_millis(300))), Effect::None);
    house.admit(0, "m2", "anna");
    let again = house.workers[0].recv_timeout(SOON).expect("it is due, and nobody wakes the keeper");
    assert!(matches!(again.work, Work::Hear { attempt: 2, .. }));
}

#[test]
fn a_rest_that_ends_during_a_turn_is_not_overlooked() {
    let house = House::start(1, &["page"]);
    house.admit(0, "m1", "anna");
    house.receipt();
    let heard = house.lease(0);
    house.hear(0, &heard, &["one"]);
    let one = house.lease(0);
    house.pause_ms.store(600, Ordering::Relaxed);
    let wait = Duration::from_millis(300);
    let end = SendEnd::Again { due: clock(), maybe_said: false };
    house.sent(0, &one, end, Effect::Limited { wait, why: String::new() });
    house.admit(0, "m2", "anna");
    let again = house.workers[0].recv_timeout(SOON).expect("the rest is over, and nobody wakes the keeper");
    assert!(matches!(again.work, Work::Send { attempt: 2, .. }));
}

#[test]
fn every_channel_has_its_turn_when_there_are_fewer_workers() {
    let house = House::start(2, &["one", "two", "three"]);
    for line in [0, 1, 2] {
        let ids: Vec<_> = (0..20).map(|number| format!("{line}-{number}")).collect();
        house.admit_all(line, &ids.iter().map(|id| (id.as_str(), id.as_str())).collect::<Vec<_>>());
        house.receipt();
    }
    let mut jobs = [0; 3];
    for worker in [0, 1].repeat(6) {
        let lease = house.lease(worker);
        jobs[house.channels.iter().position(|channel| *channel == lease.event.channel()).unwrap()] += 1;
        house.hear(worker, &lease, &[]);
    }
    assert!(jobs.iter().all(|jobs| *jobs >= 3), "{jobs:?}");
}

#[test]
fn what_was_heard_while_its_channel_rests_is_not_said_before_the_rest_is_over() {
    let house = House::start(2, &["page"]);
    house.admit_all(0, &[("m1", "anna"), ("m2", "bert")]);
    house.receipt();
    let (first, second) = (house.any_lease(), house.any_lease());
    house.hear(first.0, &first.1, &["one"]);
    let one = house.lease(first.0);
    let wait = Duration::from_secs(3600);
    let end = SendEnd::Again { due: clock().after(wait), maybe_said: false };
    house.sent(first.0, &one, end, Effect::Limited { wait, why: "too many calls".to_owned() });
    house.hear(second.0, &second.1, &["two"]);
    // What is answered now was written after all of that.
    house.admit(0, "m3", "carl");
    house.receipt();
    thread::sleep(Duration::from_millis(50));
    assert!(house.workers.iter().all(|leases| leases.try_recv().is_err()), "the limited channel must rest");
}

#[test]
fn the_last_letter_counts_when_everybody_is_gone() {
    let house = House::start(1, &["page"]);
    house.admit(0, "m1", "anna");
    house.receipt();
    let heard = house.lease(0);
    house.pause_ms.store(200, Ordering::Relaxed);
    house.admit(0, "m2", "bert");
    thread::sleep(Duration::from_millis(50));
    house.hear(0, &heard, &[]);
    let House { letters, keeper, shelf, .. } = house;
    drop(letters);
    keeper.join().unwrap().unwrap();
    let life = Memory::open(&shelf).life(heard.event).unwrap().unwrap();
    assert_eq!(life.state, State::Ignored, "its end was in the keeper's hands");
}

/// An alarm on the first channel, due so long ago.
fn alarm(house_channel: ChannelNumber, conversation: &str, overdue: Duration, plan: Plan) -> AlarmWrite {
    let due = Moment(clock().0 - overdue.as_millis() as i64);
    let (owner, person, note) = ("solar".to_owned(), conversation.to_owned(), "today".to_owned());
    let set = AlarmSet { owner, person, thread: None, note, plan };
    let (conversation, name) = (conversation.to_owned(), "subscription".to_owned());
    AlarmWrite { channel: house_channel, conversation, name, set: Some((set, due)) }
}

/// Every ten minutes, by the clock.
fn often(run_missed: RunMissed) -> Plan {
    Plan { when: When::Every { seconds: 600 }, zone: "UTC".to_owned(), run_missed, spread_s: 0 }
}

/// A house whose store has these alarms from before it began.
fn with_alarms(workers: usize, alarms: impl Fn(ChannelNumber) -> Vec<AlarmWrite>) -> House {
    let shelf = Shelf::default();
    let mut store = Memory::open(&shelf);
    let channel = store.channel("page").unwrap();
    alarms(channel).iter().for_each(|write| store.put_alarm(write).unwrap());
    store.commit().unwrap();
    drop(store);
    House::on(shelf, workers, &["page"])
}

fn rung(lease: &Lease) -> String {
    let Work::Hear { conversation, kind, .. } = &lease.work else { panic!("{lease:?}") };
    assert_eq!(kind, ALARM);
    conversation.clone()
}

#[test]
fn what_was_missed_rings_once_or_not_at_all_as_its_plan_says() {
    let hour = Duration::from_secs(3600);
    let house = with_alarms(2, |channel| {
        vec![
            alarm(channel, "latest", 3 * hour, often(RunMissed::Latest)),
            alarm(channel, "none", 4 * hour, often(RunMissed::None)),
            alarm(channel, "once", hour, Plan::once(Moment(clock().0 - 3_600_000))),
        ]
    });
    let mut heard = Vec::new();
    for _ in 0..2 {
        let (worker, lease) = house.any_lease();
        heard.push(rung(&lease));
        house.hear(worker, &lease, &[]);
    }
    heard.sort();
    assert_eq!(heard, ["latest", "once"]);
    let channel = house.channels[0];
    let mut store = house.end();
    let due =
        |store: &mut Memory, conversation: &str| store.alarms(channel, conversation).unwrap().pop().map(|it| it.due);
    for conversation in ["latest", "none"] {
        let next = due(&mut store, conversation).unwrap();
        assert!(next > clock() && next <= clock().after(Duration::from_secs(600)), "{conversation}: {next:?}");
        assert_eq!(next.0 % 600_000, 0, "{conversation}");
    }
    assert_eq!(due(&mut store, "once"), None);
}

#[test]
fn an_alarm_that_a_clock_which_was_ahead_has_put_off_is_due_again_when_its_plan_says() {
    let year = Duration::from_secs(365 * 24 * 3600);
    let late = |channel, conversation: &str, plan| {
        let mut write = alarm(channel, conversation, Duration::ZERO, plan);
        write.set.as_mut().unwrap().1 = clock().after(year);
        write
    };
    let house = with_alarms(0, |channel| {
        let many =
            (0..=limits::ALARMS_MOVED).map(|number| late(channel, &number.to_string(), often(RunMissed::Latest)));
        many.chain([late(channel, "once", Plan::once(clock().after(year)))]).collect()
    });
    let channel = house.channels[0];
    let mut store = house.end();
    let far = store.alarms_after(channel, clock().after(Duration::from_secs(600))).unwrap();
    assert_eq!(far.iter().map(|alarm| &*alarm.conversation).collect::<Vec<_>>(), ["once"], "that one was meant so");
}

#[test]
fn a_question_goes_before_alarms_and_the_one_due_longest_first() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let house = with_alarms(1, |channel| {
        let due = [("c", 20), ("a", 40), ("b", 30)];
        due.map(|(name, ago)| alarm(channel, name, minutes(ago), often(RunMissed::Latest))).to_vec()
    });
    // Nothing else was there to do; then somebody asks while it is out.
    let first = house.lease(0);
    assert_eq!(rung(&first), "a");
    house.admit(0, "m1", "anna");
    house.receipt();
    house.hear(0, &first, &[]);
    let question = house.lease(0);
    assert!(matches!(&question.work, Work::Hear { kind, .. } if kind == "message"), "{question:?}");
    house.hear(0, &question, &[]);
    assert_eq!(rung(&house.lease(0)), "b");
}

#[test]
fn an_alarm_that_falls_due_rings_without_being_asked_for() {
    let house = with_alarms(1, |channel| {
        let soon = Moment(clock().0 + 200);
        let mut write = alarm(channel, "anna", Duration::ZERO, Plan::once(soon));
        write.set.as_mut().unwrap().1 = soon;
        vec![write]
    });
    let lease = house.lease(0);
    assert_eq!(rung(&lease), "anna");
    let Work::Hear { raw, .. } = &lease.work else { unreachable!() };
    let ring: Ring = serde_json::from_slice(raw).unwrap();
    assert!(ring.due <= clock() && ring.set.note == "today");
}

#[test]
fn what_a_bot_asks_about_its_alarms_is_answered() {
    let house = with_alarms(0, |channel| vec![alarm(channel, "anna", Duration::ZERO, often(RunMissed::Latest))]);
    let (answer, found) = sync_channel(1);
    let (channel, conversation) = (house.channels[0], "anna".to_owned());
    house.letters.letters.send(Letter::Alarms { channel, conversation, answer }).unwrap();
    assert_eq!(found.recv_timeout(PATIENCE).unwrap().len(), 1);
}

#[test]
fn a_picture_is_looked_up_at_once_and_also_while_nothing_can_be_kept() {
    let house = House::start(1, &["page"]);
    let (there, gone) = (PictureName::new([1; 16]), PictureName::new([2; 16]));
    let write = MemoryWrite {
        bot: PICTURES.to_owned(),
        key: there.key(),
        value: Some(b"gif".to_vec()),
        expires: Some(clock().after(Duration::from_secs(60))),
    };
    house.letters.letters.send(Letter::Remember(write)).unwrap();
    house.admit(0, "m1", "anna");
    assert_eq!(house.receipt(), Receipt::Kept);
    let ask = |name| house.letters.letters.send(Letter::Show(Ticket { slot: 3, generation: 1 }, name)).unwrap();
    ask(there);
    assert_eq!(house.receipt(), Receipt::Shown(Sought::Found(b"gif".to_vec())));
    ask(gone);
    assert_eq!(house.receipt(), Receipt::Shown(Sought::Gone));
    house.fault.store(true, Ordering::Relaxed);
    house.admit(0, "m2", "anna");
    assert_eq!(house.receipt(), Receipt::NotKept);
    ask(there);
    assert_eq!(house.receipt(), Receipt::Shown(Sought::Found(b"gif".to_vec())));
    house.fault.store(false, Ordering::Relaxed);
    house.end();
}

#[test]
fn what_may_be_used_once_is_used_by_the_first_and_the_other_is_heard_again() {
    let house = House::start(2, &["page"]);
    let remember = |key: &str, value: Option<&[u8]>| {
        let (bot, value) = ("sun".to_owned(), value.map(<[u8]>::to_vec));
        MemoryWrite { bot, key: key.to_owned(), value, expires: None }
    };
    house.letters.letters.send(Letter::Remember(remember("code", Some(b"67")))).unwrap();
    house.admit_all(0, &[("a1", "anna"), ("b1", "bert")]);
    let out = [house.any_lease(), house.any_lease()];
    for (worker, lease) in &out {
        let Work::Hear { conversation, .. } = &lease.work else { panic!("{lease:?}") };
        let memory = vec![remember(conversation, Some(b"[67]")), remember("code", None)];
        let notes = Notes { memory, used_up: vec![("sun".to_owned(), "code".to_owned())], ..Notes::default() };
        let (event, lane) = (lease.event, lease.lane);
        house.settle(*worker, Settlement::Heard { event, lane, replies: Vec::new(), notes }, Effect::None);
    }
    let (worker, again) = house.any_lease();
    assert_eq!(again, out[1].1, "as if it had not been heard");
    house.hear(worker, &again, &[]);
    let mut store = house.end();
    let of = |store: &mut Memory, key: &str| store.recall("sun", key, clock()).unwrap();
    // Whose worker was there first is chance.
    let first = |conversation: &str| {
        matches!(&out[0].1.work, Work::Hear { conversation: of, .. } if of == conversation).then(|| b"[67]".to_vec())
    };
    let expected = [first("anna"), first("bert"), None];
    assert_eq!(["anna", "bert", "code"].map(|key| of(&mut store, key)), expected);
    assert_eq!(expected.iter().flatten().count(), 1);
}
