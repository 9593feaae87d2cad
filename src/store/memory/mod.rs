//! The engine for tests: the same verbs over maps. What was committed lies on a `Shelf`, so that a test can drop
//! the engine and open another one, as a restart does.
//!
//! It follows the SQLite engine table by table; the suite holds the two together.

mod admit;
mod alarms;
mod aside;
mod jobs;

use super::reasons::because;
use super::{
    Admitted, Backlog, Fact, Life, PUSH, PutBack, Replayed, ReplyLife, State, Store, StoreError, Urgency, Wanted,
};
use crate::limits;
use crate::model::{
    Alarm, AlarmSet, AlarmWrite, Arrival, ChannelNumber, EventId, EventKey, Fate, Lease, MemoryWrite, Moment, Reply,
    Settlement, Stage,
};
use crate::notation::shorthand::written_out;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where committed things lie; it outlives the engines that use it.
pub type Shelf = Arc<Mutex<Tables>>;

/// Everything that a store holds.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    channels: BTreeMap<ChannelNumber, Channel>,
    events: BTreeMap<EventKey, Row>,
    ids: BTreeMap<(ChannelNumber, String), EventKey>,
    lanes: BTreeMap<i64, Lane>,
    behind: BTreeSet<(i64, EventKey)>,
    memory: BTreeMap<(String, String), (Vec<u8>, Option<Moment>)>,
    /// By channel, conversation and name.
    alarms: BTreeMap<(ChannelNumber, String, String), (AlarmSet, Moment)>,
    /// When somebody last wrote there.
    contacts: BTreeMap<i64, Moment>,
    held: BTreeMap<EventKey, Held>,
    /// Where bots go on with their answers, and from when.
    stages: BTreeMap<EventKey, (Stage, Moment)>,
}

/// An open event that is said when somebody writes.
#[derive(Clone, Debug)]
struct Held {
    lane: i64,
    alarm: Option<String>,
    since: Moment,
}

#[derive(Clone, Debug)]
struct Channel {
    name: String,
    last: i64,
    cursor: EventKey,
}

#[derive(Clone, Debug)]
struct Row {
    arrival: Arrival,
    push: bool,
    lane: i64,
    received: Moment,
    kept: Moment,
    state: State,
    ended: Option<Moment>,
    why: Option<String>,
    replies: Vec<ReplyRow>,
    replays: Vec<PutBack>,
    /// In shorthand.
    head: Option<String>,
}

#[derive(Clone, Debug)]
struct ReplyRow {
    life: ReplyLife,
    tried: u32,
    begun: Option<Moment>,
    proved: bool,
    /// That it was said elsewhere, and why.
    elsewhere: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Lane {
    event: EventKey,
    sending: bool,
    due: Moment,
    attempt: u32,
    /// How often in a row it was handed out, and nobody settled it.
    handed: u32,
}

impl Lane {
    /// Nobody has a lease of it.
    fn waiting(event: EventKey, sending: bool, due: Moment) -> Lane {
        Lane { event, sending, due, attempt: 0, handed: 0 }
    }
}

/// What an event's replies add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sum {
    Open,
    GoesOn(Moment),
    Ended,
}

/// The engine over a shelf.
#[derive(Debug)]
pub struct Memory {
    shelf: Shelf,
    now: Tables,
    /// What this transaction, or the last one, did to events.
    facts: Vec<(ChannelNumber, Fact)>,
    committed: bool,
    /// The conversation of the suspect that was last handed out (`store/cut_off.rs`).
    suspect: Option<i64>,
    /// Until when each channel has no alarm that could ring, as of the last look.
    looked: BTreeMap<ChannelNumber, Moment>,
    /// When set, the next commit fails, and takes it back.
    pub fault: Arc<AtomicBool>,
}

impl Memory {
    /// An engine that goes on from what was committed to `shelf`.
    pub fn open(shelf: &Shelf) -> Memory {
        let now = shelf.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Memory {
            shelf: Arc::clone(shelf),
            now,
            facts: Vec::new(),
            committed: true,
            suspect: None,
            looked: BTreeMap::new(),
            fault: Arc::default(),
        }
    }

    fn row(&mut self, event: EventKey) -> Result<&mut Row, StoreError> {
        self.now.events.get_mut(&event).ok_or_else(|| StoreError("no such event".to_owned()))
    }

    fn sum_up(&mut self, event: EventKey, words: &str, now: Moment) -> Sum {
        let stage = self.now.stages.get(&event).map(|(_, due)| *due);
        let Ok(row) = self.row(event) else { return Sum::Ended };
        let has = |state| row.replies.iter().any(|reply| reply.life.state == state);
        if has(State::Open) {
            return Sum::Open;
        }
        if let Some(due) = stage.filter(|_| !has(State::Dead)) {
            return Sum::GoesOn(due);
        }
        (row.state, row.why) = if has(State::Dead) {
            (State::Dead, Some(because("a reply could not be said", words)))
        } else if has(State::Unknown) {
            (State::Unknown, Some("a reply was sent, but the platform's answer was lost".to_owned()))
        } else {
            (State::Answered, row.replies.iter().find_map(|reply| reply.elsewhere.clone()))
        };
        row.ended = Some(now);
        let state = row.state;
        self.note(event.channel(), Fact::Ended(state));
        Sum::Ended
    }

    fn note(&mut self, channel: ChannelNumber, fact: Fact) {
        if std::mem::take(&mut self.committed) {
            self.facts.clear();
        }
        self.facts.push((channel, fact));
    }

    fn free(&mut self, lane: i64, now: Moment) {
        let range = (lane, EventKey(i64::MIN))..=(lane, EventKey(i64::MAX));
        let Some((_, next)) = self.now.behind.range(range).next().copied() else {
            self.now.lanes.remove(&lane);
            self.looked.clear();
            return;
        };
        self.now.behind.remove(&(lane, next));
        let sending = self.has_to_send(next);
        self.now.lanes.insert(lane, Lane::waiting(next, sending, now));
    }

    fn has_to_send(&self, event: EventKey) -> bool {
        let open = |reply: &ReplyRow| reply.life.state == State::Open;
        self.now.events.get(&event).is_some_and(|row| row.replies.iter().any(open))
    }

    fn end(&mut self, event: EventKey, lane: i64, state: State, why: &str, now: Moment) -> Result<(), StoreError> {
        let row = self.row(event)?;
        (row.state, row.ended, row.why) = (state, Some(now), Some(why.to_owned()));
        self.note(event.channel(), Fact::Ended(state));
        self.free(lane, now);
        Ok(())
    }
}

impl Store for Memory {
    fn identity(&self) -> &str {
        "memory"
    }

    fn channel(&mut self, name: &str) -> Result<ChannelNumber, StoreError> {
        if let Some((number, _)) = self.now.channels.iter().find(|(_, channel)| channel.name == name) {
            return Ok(*number);
        }
        let number = ChannelNumber(self.now.channels.keys().next_back().map_or(1, |last| last.0 + 1));
        let cursor = EventKey::before_first(number);
        self.now.channels.insert(number, Channel { name: name.to_owned(), last: 0, cursor });
        Ok(number)
    }

    fn channels_that_wait(&mut self) -> Result<Vec<String>, StoreError> {
        let waits = |channel: ChannelNumber| {
            let mut all = self.now.events.range(EventKey::before_first(channel)..EventKey::after_last(channel));
            all.any(|(_, row)| row.ended.is_none())
        };
        let names = self.now.channels.iter().filter(|(number, _)| waits(**number));
        Ok(names.map(|(_, channel)| channel.name.clone()).collect())
    }

    fn admit_with(
        &mut self,
        channel: ChannelNumber,
        arrival: &Arrival,
        head: Option<&str>,
        received: Moment,
        now: Moment,
    ) -> Result<Admitted, StoreError> {
        let kept = self.keep(channel, arrival, false, (received, now));
        if let Some(event) = kept {
            self.row(event)?.head = head.map(str::to_owned);
        }
        if let Some(tag) = &arrival.proves {
            self.prove(tag, now);
        }
        let to_hear = arrival.fate == Fate::Hear;
        Ok(kept.map_or(Admitted::Duplicate, |event| Admitted::Kept { event, to_hear }))
    }

    fn push(
        &mut self,
        channel: ChannelNumber,
        id: &str,
        replies: &[Reply],
        now: Moment,
    ) -> Result<EventKey, StoreError> {
        let conversation = replies.first().map(|reply| reply.to.clone()).unwrap_or_default();
        let (id, raw) = (id.to_owned(), Box::default());
        let arrival = Arrival { id, conversation, kind: PUSH, fate: Fate::Hear, raw, proves: None };
        let Some(event) = self.keep(channel, &arrival, true, (now, now)) else {
            let kept = self.now.ids.get(&(channel, arrival.id)).copied();
            return kept.ok_or_else(|| StoreError("no such channel".to_owned()));
        };
        self.put_replies(event, replies, now)?;
        Ok(event)
    }

    fn lease(
        &mut self,
        channel: ChannelNumber,
        wanted: Wanted,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        self.next_job(channel, wanted, busy, now)
    }

    fn settle(&mut self, settlement: &Settlement, go_on: bool, now: Moment) -> Result<Option<Lease>, StoreError> {
        self.come_back(settlement.lane(), now);
        match settlement {
            Settlement::Heard { event, lane, replies, notes } => {
                self.heard((*event, *lane), replies, notes, go_on, now)
            }
            Settlement::HearIgnored { event, lane, why } => self.end_unsaid(*event, *lane, why, now).map(|()| None),
            Settlement::Witnessed { event, lane, message, texts } => {
                self.witness(*event, *lane, (message, texts), now).map(|()| None)
            }
            Settlement::HearDead { event, lane, why } => self.end(*event, *lane, State::Dead, why, now).map(|()| None),
            Settlement::HearLater { event, lane, due, attempt, why } => {
                self.row(*event)?.why = Some(why.clone());
                self.now.lanes.insert(*lane, Lane { attempt: *attempt, ..Lane::waiting(*event, false, *due) });
                Ok(None)
            }
            Settlement::Unsent { event, lane, part, attempt, instead } => {
                self.unsent((*event, *lane, *part), (attempt.as_ref(), instead), go_on, now)
            }
            Settlement::Sent { event, lane, attempt, end } => self.sent(*event, *lane, attempt, end, go_on, now),
        }
    }

    fn next_due(&mut self, channel: ChannelNumber, _: Wanted, now: Moment) -> Result<Option<Moment>, StoreError> {
        let lanes = self.now.lanes.values();
        Ok(lanes.filter(|at| at.event.channel() == channel && at.due > now).map(|at| at.due).min())
    }

    fn replay(&mut self, event: EventKey, part: Option<u32>, now: Moment) -> Result<Replayed, StoreError> {
        self.put_back(event, part, now)
    }

    fn resolve(&mut self, event: EventKey, now: Moment) -> Result<Replayed, StoreError> {
        Ok(self.set_aside(event, now).map_or_else(Replayed::Left, |()| Replayed::Resolved))
    }

    fn remember(&mut self, write: &MemoryWrite) -> Result<(), StoreError> {
        let key = (write.bot.clone(), write.key.clone());
        match &write.value {
            Some(value) => self.now.memory.insert(key, (value.clone(), write.expires)),
            None => self.now.memory.remove(&key),
        };
        Ok(())
    }

    fn recall(&mut self, bot: &str, key: &str, now: Moment) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.now.memory.get(&(bot.to_owned(), key.to_owned()));
        Ok(found.filter(|(_, expires)| expires.is_none_or(|at| at > now)).map(|(value, _)| value.clone()))
    }

    fn put_alarm(&mut self, write: &AlarmWrite) -> Result<(), StoreError> {
        self.write_alarm(write);
        Ok(())
    }

    fn alarms(&mut self, channel: ChannelNumber, conversation: &str) -> Result<Vec<Alarm>, StoreError> {
        Ok(self.alarms_where(|alarm| alarm.channel == channel && alarm.conversation == conversation))
    }

    fn alarms_of(&mut self, owner: &str) -> Result<Vec<Alarm>, StoreError> {
        Ok(self.alarms_where(|alarm| alarm.set.owner == owner))
    }

    fn alarms_after(&mut self, channel: ChannelNumber, moment: Moment) -> Result<Vec<Alarm>, StoreError> {
        Ok(self.last_alarms(channel, moment))
    }

    fn alarm_due(
        &mut self,
        channel: ChannelNumber,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Alarm>, StoreError> {
        Ok(self.free_alarm(channel, busy, now))
    }

    fn alarm_next(&mut self, channel: ChannelNumber) -> Result<Option<Moment>, StoreError> {
        Ok(self.next_alarm(channel))
    }

    fn ring(
        &mut self,
        alarm: &Alarm,
        rings_for: Option<Moment>,
        next: Option<Moment>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        self.ring_alarm(alarm, rings_for, next, now)
    }

    fn prune(&mut self, before: Moment, now: Moment) -> Result<bool, StoreError> {
        self.now.memory.retain(|_, (_, expires)| expires.is_none_or(|at| at > now));
        self.prune_held(now);
        let old = |row: &Row| row.state != State::Open && row.received < before;
        let gone: Vec<_> = self.now.events.iter().filter(|(_, row)| old(row)).map(|(key, _)| *key).collect();
        let more = gone.len() > limits::PRUNE_ROWS;
        for key in gone.into_iter().take(limits::PRUNE_ROWS) {
            if let Some(row) = self.now.events.remove(&key) {
                self.now.ids.remove(&(key.channel(), row.arrival.id));
                self.now.stages.remove(&key);
            }
        }
        Ok(more)
    }

    fn tell_facts(&mut self, told: &mut Vec<(ChannelNumber, Fact)>) {
        if self.committed {
            told.append(&mut self.facts);
        }
    }

    fn is_writing(&self) -> bool {
        true
    }

    fn backlogs(&mut self) -> Result<Vec<(ChannelNumber, Backlog)>, StoreError> {
        let open = |row: &&Row| row.state == State::Open;
        let backlog = |channel: &ChannelNumber| {
            let mut backlog = Backlog::default();
            let rows = self.now.events.range(EventKey::before_first(*channel)..EventKey::after_last(*channel));
            let rows = rows.filter(|(key, _)| !self.now.held.contains_key(key)).map(|(_, row)| row);
            rows.filter(open).for_each(|row| backlog.add(1, Some(row.received)));
            (*channel, backlog)
        };
        Ok(self.now.channels.keys().map(backlog).collect())
    }

    fn life(&mut self, event: EventKey) -> Result<Option<Life>, StoreError> {
        let Some(row) = self.now.events.get(&event) else { return Ok(None) };
        let channel = self.now.channels.get(&event.channel()).map(|channel| channel.name.clone());
        Ok(Some(Life {
            event,
            id: EventId { channel: channel.unwrap_or_default(), place: event.place(), part: None },
            platform_id: row.arrival.id.clone(),
            conversation: row.arrival.conversation.clone(),
            kind: row.arrival.kind.to_owned(),
            received: row.received,
            kept: row.kept,
            state: row.state,
            ended: row.ended,
            why: row.why.clone(),
            due: self.now.lanes.get(&row.lane).filter(|at| at.event == event).map(|at| at.due),
            held: self.now.held.get(&event).map(|held| held.since),
            head: row.head.as_deref().map(written_out),
            raw: row.arrival.raw.to_vec(),
            replies: row.replies.iter().map(|reply| reply.life.clone()).collect(),
            replays: row.replays.clone(),
        }))
    }

    fn try_writing(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.fault.swap(false, Ordering::Relaxed) {
            return Err(StoreError("the disk is full".to_owned()));
        }
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.now);
        self.committed = true;
        Ok(())
    }

    fn roll_back(&mut self) {
        self.now = self.shelf.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.looked.clear();
        self.facts.clear();
    }

    fn tidy(&mut self, _urgency: Urgency) -> Result<(), StoreError> {
        Ok(())
    }
}
