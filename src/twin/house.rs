//! Where twins live: hands them acts and calls one at a time, gives their dispatches to the couriers, keeps the ledger.
//!
//!     act, batch, verify ──▶ Twin ──▶ dispatches ──▶ faults ──▶ outbox        ended ──▶ Twin ──▶ retries
//!     call ──▶ faults ──▶ Twin ──▶ answer, or a connection that is to be cut
//!
//! Everything that is noted rings the bell, so that a page or a test waits for news instead of asking for them.
//! Locks are taken in one order: a twin's, the ledger's, the outbox's.

use super::courier::{self, Outbox, Parcel};
use super::faults::{CallFault, Faults};
use super::ledger::{Called, Ending, Extract, Ledger, MeterEntry, SentEntry};
use super::{Act, Bubble, Conversation, Deed, Dispatch, End, Mishap, Plan, Side, Twin};
use crate::limits;
use crate::model::{Moment, Request, Response};
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The twins of one port, by name.
pub struct House {
    pub(super) clock: fn() -> Moment,
    pub(super) outbox: Outbox,
    pub(super) bell: Bell,
    lodgers: RwLock<Vec<Arc<Lodger>>>,
    ledger: Mutex<Ledger>,
}

/// A twin at home.
pub(super) struct Lodger {
    pub number: usize,
    pub name: String,
    rooms: Mutex<Option<Rooms>>,
}

struct Rooms {
    twin: Box<dyn Twin>,
    faults: Faults,
    /// The newest bubble that was looked at.
    seen: u64,
}

impl fmt::Debug for Lodger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Lodger").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How a call ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// With this answer.
    With(Response),
    /// The connection closes without a word.
    Cut,
}

impl House {
    /// An empty house. Whoever moves the clock forward tells it by `look_again`.
    pub fn new(clock: fn() -> Moment) -> House {
        House::with_ledger(clock, limits::LEDGER_BYTES_MAX)
    }

    /// An empty house whose ledger keeps so many bytes: a load test wants all of it.
    pub fn with_ledger(clock: fn() -> Moment, ledger_bytes_max: usize) -> House {
        House {
            clock,
            outbox: Outbox::default(),
            bell: Bell::default(),
            lodgers: RwLock::default(),
            ledger: Mutex::new(Ledger::new(ledger_bytes_max)),
        }
    }

    /// Takes a twin in. Its API is then below `/NAME`, and `plan` says what goes wrong with it.
    pub fn lodge(&self, name: &str, twin: Box<dyn Twin>, plan: Plan) -> Result<(), String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || name.len() > limits::NAME_BYTES_MAX || !name.bytes().all(plain) {
            let most = limits::NAME_BYTES_MAX;
            return Err(format!("{name:?} is no name for a twin; write letters, digits, - and _, at most {most}"));
        }
        let mut lodgers = self.lodgers.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(name, "act" | "ledger") || lodgers.iter().any(|lodger| lodger.name == name) {
            return Err(format!("the name {name:?} is taken; give the twin another one"));
        }
        let rooms = Rooms { twin, faults: Faults::new(plan), seen: 0 };
        let number = lodgers.len();
        lodgers.push(Arc::new(Lodger { number, name: name.to_owned(), rooms: Mutex::new(Some(rooms)) }));
        Ok(())
    }

    /// Whether a twin of this name lives here.
    pub fn has(&self, twin: &str) -> bool {
        self.lodger(twin).is_some()
    }

    /// From now on this goes wrong with a twin.
    pub fn plan(&self, twin: &str, plan: Plan) -> Result<(), String> {
        self.with(twin, |_, rooms| rooms.faults = Faults::new(plan))
    }

    /// The twins with what people can speak in there.
    pub fn conversations(&self) -> Vec<(String, Vec<Conversation>)> {
        let lodgers = self.lodgers.read().unwrap_or_else(PoisonError::into_inner).clone();
        let of = |lodger: &Arc<Lodger>| Some(lodger.rooms().as_ref()?.twin.conversations());
        lodgers.iter().filter_map(|lodger| Some((lodger.name.clone(), of(lodger)?))).collect()
    }

    /// Those who speak on a twin.
    pub fn people(&self, twin: &str) -> Result<Vec<String>, String> {
        self.with(twin, |_, rooms| rooms.twin.people())
    }

    /// The clock was moved: what is due now is looked at again.
    pub fn look_again(&self) {
        self.outbox.look_again();
        self.bell.ring();
    }

    /// A person does something. Gives the numbers of the dispatches that tell the bot.
    pub fn act(&self, twin: &str, act: &Act) -> Result<Vec<u64>, String> {
        self.sends(twin, |twin, now| twin.act(act, now))
    }

    /// Something happens at an upstream.
    pub fn deed(&self, twin: &str, deed: &Deed) -> Result<(), String> {
        self.with(twin, |_, rooms| rooms.twin.deed(deed, (self.clock)()))??;
        self.bell.ring();
        Ok(())
    }

    /// Several acts, told in one dispatch.
    pub fn batch(&self, twin: &str, acts: &[Act]) -> Result<Vec<u64>, String> {
        self.sends(twin, |twin, now| twin.batch(acts, now))
    }

    /// Asks the webhook whether it is the bot's.
    pub fn verify(&self, twin: &str) -> Result<u64, String> {
        let asked = self.sends(twin, |twin, now| {
            let asked = twin.verify(now).map(|dispatch| vec![dispatch]);
            asked.ok_or_else(|| format!("{} verifies no address", twin.platform()))
        })?;
        asked.first().copied().ok_or_else(|| "nothing was asked".to_owned())
    }

    /// What was said on a twin after bubble `after`.
    pub fn bubbles(&self, twin: &str, after: u64) -> Result<Vec<Bubble>, String> {
        self.with(twin, |_, rooms| rooms.twin.bubbles(after))
    }

    /// The ledger, or one twin's part of it.
    pub fn ledger(&self, twin: Option<&str>) -> Extract {
        let meters = self.meters(twin);
        Extract { meters, ..self.lock_ledger().extract(twin) }
    }

    /// What was used of each twin's limits.
    fn meters(&self, twin: Option<&str>) -> Vec<MeterEntry> {
        let lodgers = self.lodgers.read().unwrap_or_else(PoisonError::into_inner).clone();
        let now = (self.clock)();
        let of = |lodger: &Arc<Lodger>| {
            let meters = lodger.rooms().as_ref().map(|rooms| rooms.twin.meters(now)).unwrap_or_default();
            let name = lodger.name.clone();
            meters.into_iter().map(move |meter| MeterEntry { twin: name.clone(), meter })
        };
        lodgers.iter().filter(|lodger| twin.is_none_or(|twin| twin == lodger.name)).flat_map(of).collect()
    }

    /// One dispatch in the ledger.
    pub fn sent(&self, twin: &str, number: u64) -> Option<SentEntry> {
        self.lock_ledger().sent(twin, number).cloned()
    }

    /// Whether nothing waits to be sent and nothing is on its way.
    pub fn is_quiet(&self) -> bool {
        self.outbox.is_empty()
    }

    /// How often the bell rang: whatever happened after this number was read rings it again.
    pub fn news(&self) -> u64 {
        self.bell.lock().rung
    }

    /// Waits until something happened after `news`, at most `patience`. Gives the new number.
    pub fn wait(&self, news: u64, patience: Duration) -> u64 {
        let bell = self.bell.lock();
        let quiet = |bell: &mut Rung| bell.rung == news && !bell.silent;
        self.bell.changed.wait_timeout_while(bell, patience, quiet).unwrap_or_else(PoisonError::into_inner).0.rung
    }

    /// A call to the API of a twin; the request's path is the one below the twin's name. `None` when nobody has it.
    pub fn call(&self, twin: &str, request: &Request) -> Option<Answered> {
        let lodger = self.lodger(twin)?;
        let now = (self.clock)();
        let mut rooms = lodger.rooms();
        let inside = rooms.as_mut()?;
        let fault = if self.outbox.has_room() {
            inside.faults.call(now)
        } else {
            Some(CallFault::Refused(Mishap::Busy { left: limits::MISHAP_TIME }))
        };
        let (mut response, bubble) = match fault {
            Some(CallFault::Refused(mishap)) => (inside.twin.meets(mishap, request, now), None),
            _ => self.answered(&lodger, inside, request, now),
        };
        if let Some(number) = inside.twin.waits_for() {
            drop(rooms);
            let satisfied = self.is_verified(twin, number);
            rooms = lodger.rooms();
            let inside = rooms.as_mut()?;
            if !satisfied {
                response = inside.twin.meets(Mishap::Unverified, request, now);
            }
        }
        self.lock_ledger().called(&lodger.name, request, now, Called { status: response.status, fault, bubble });
        drop(rooms);
        self.bell.ring();
        match fault {
            Some(CallFault::Cut) => Some(Answered::Cut),
            Some(CallFault::Late(time)) if !self.bell.stays_quiet(time) => Some(Answered::Cut),
            _ => Some(Answered::With(response)),
        }
    }

    /// Starts the couriers.
    pub(super) fn open(self: &Arc<House>) -> io::Result<()> {
        courier::start(self)
    }

    /// Sends the couriers home and lets nobody wait any more.
    pub(super) fn close(&self) {
        self.outbox.stop();
        self.bell.silence();
    }

    /// An attempt ended: the twin decides what follows.
    pub(super) fn ended(&self, parcel: &Parcel, end: &End) {
        let now = (self.clock)();
        let mut rooms = parcel.lodger.rooms();
        let Some(rooms) = rooms.as_mut() else { return };
        let satisfied = rooms.twin.is_satisfied(&parcel.dispatch, end);
        let ending = Ending { at: now, satisfied, copy: parcel.copy };
        self.lock_ledger().ended(&parcel.lodger.name, &parcel.dispatch, end, ending);
        if parcel.copy {
            return;
        }
        for dispatch in rooms.twin.ended(&parcel.dispatch, end, now) {
            let lane = if dispatch.number == parcel.dispatch.number { parcel.lane } else { rooms.twin.lane(&dispatch) };
            self.lock_ledger().made(&parcel.lodger.name, &dispatch, now);
            let parcel = Parcel { lodger: Arc::clone(&parcel.lodger), lane, dispatch, copy: false };
            self.outbox.push(parcel, false);
        }
    }

    /// Waits for the end of a dispatch, and says whether it was the wanted one.
    fn is_verified(&self, twin: &str, number: u64) -> bool {
        let began = Instant::now();
        loop {
            let news = self.news();
            let ended = self.sent(twin, number).filter(|entry| !entry.attempts.is_empty());
            let patience = limits::VERIFIED_TIME.saturating_sub(began.elapsed());
            match ended {
                Some(entry) => return entry.satisfied,
                None if patience.is_zero() || self.bell.lock().silent => return false,
                None => self.wait(news, patience),
            };
        }
    }

    /// Lets the twin answer, and finds the message that the call made.
    fn answered(
        &self,
        lodger: &Arc<Lodger>,
        rooms: &mut Rooms,
        request: &Request,
        now: Moment,
    ) -> (Response, Option<String>) {
        rooms.newest();
        let reaction = rooms.twin.answer(request, now);
        let bubble = rooms.newest();
        self.send(lodger, rooms, reaction.dispatches, now);
        (reaction.response, bubble)
    }

    fn sends(
        &self,
        twin: &str,
        does: impl FnOnce(&mut dyn Twin, Moment) -> Result<Vec<Dispatch>, String>,
    ) -> Result<Vec<u64>, String> {
        if !self.outbox.has_room() {
            let most = limits::OUTBOX_MAX;
            return Err(format!("{most} dispatches wait for the bot; let it take some of them first"));
        }
        let numbers = self.with(twin, |lodger, rooms| {
            let now = (self.clock)();
            let dispatches = does(&mut *rooms.twin, now)?;
            let numbers = dispatches.iter().map(|dispatch| dispatch.number).collect();
            self.send(lodger, rooms, dispatches, now);
            Ok::<_, String>(numbers)
        })??;
        self.bell.ring();
        Ok(numbers)
    }

    /// Hands dispatches to the couriers, as the plan of faults wants them.
    fn send(&self, lodger: &Arc<Lodger>, rooms: &mut Rooms, dispatches: Vec<Dispatch>, now: Moment) {
        for dispatch in dispatches {
            self.lock_ledger().made(&lodger.name, &dispatch, now);
            let fault = rooms.faults.dispatch();
            let lane = rooms.twin.lane(&dispatch);
            let parcel = Parcel { lodger: Arc::clone(lodger), lane, dispatch, copy: false };
            let copy = fault.duplicate.then(|| Parcel { copy: true, ..parcel.clone() });
            self.outbox.push(parcel, fault.reorder);
            if let Some(copy) = copy {
                self.outbox.push(copy, false);
            }
        }
    }

    fn lodger(&self, name: &str) -> Option<Arc<Lodger>> {
        let lodgers = self.lodgers.read().unwrap_or_else(PoisonError::into_inner);
        lodgers.iter().find(|lodger| lodger.name == name).map(Arc::clone)
    }

    fn with<T>(&self, name: &str, does: impl FnOnce(&Arc<Lodger>, &mut Rooms) -> T) -> Result<T, String> {
        let nobody = || {
            let lodgers = self.lodgers.read().unwrap_or_else(PoisonError::into_inner);
            let names: Vec<_> = lodgers.iter().map(|lodger| lodger.name.as_str()).collect();
            format!("there is no twin {name:?}; write one of {}", names.join(", "))
        };
        let lodger = self.lodger(name).ok_or_else(nobody)?;
        let mut rooms = lodger.rooms();
        rooms.as_mut().map(|rooms| does(&lodger, rooms)).ok_or_else(nobody)
    }

    fn lock_ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lodger {
    fn rooms(&self) -> MutexGuard<'_, Option<Rooms>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lodger that is nobody, for tests of the outbox.
    #[cfg(test)]
    pub(super) fn empty(number: usize) -> Arc<Lodger> {
        Arc::new(Lodger { number, name: String::new(), rooms: Mutex::new(None) })
    }
}

impl Rooms {
    /// The newest message of the bot since the last look, by its id.
    fn newest(&mut self) -> Option<String> {
        let bubbles = self.twin.bubbles(self.seen);
        self.seen = bubbles.iter().map(|bubble| bubble.number).max().unwrap_or(self.seen);
        let message = |bubble: &&Bubble| bubble.side == Side::Bot && bubble.sign.is_none();
        bubbles.iter().filter(message).max_by_key(|bubble| bubble.number).map(|bubble| bubble.id.clone())
    }
}

/// Rings for whoever waits for news.
#[derive(Default)]
pub(super) struct Bell {
    state: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Default)]
struct Rung {
    rung: u64,
    /// The house is closed.
    silent: bool,
}

impl Bell {
    pub(super) fn ring(&self) {
        self.lock().rung += 1;
        self.changed.notify_all();
    }

    /// Waits for so long; false when the house closed meanwhile.
    fn stays_quiet(&self, time: Duration) -> bool {
        let bell = self.lock();
        let open = |bell: &mut Rung| !bell.silent;
        !self.changed.wait_timeout_while(bell, time, open).unwrap_or_else(PoisonError::into_inner).0.silent
    }

    fn silence(&self) {
        self.lock().silent = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Rung> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
