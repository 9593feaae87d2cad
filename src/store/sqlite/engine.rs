//! The engine at work: what it holds in hand, and the verbs of `Store` as calls into the files beside it.

use super::alarms::Watch;
use super::checkpoint::{Checkpointer, Share, checkpoint};
use super::file::{SqliteFile, words};
use super::reader;
use super::statements::{Saying, Statements, all, first, run};
use crate::limits;
use crate::model::{
    Alarm, AlarmWrite, Arrival, ChannelNumber, EventId, EventKey, Fate, Lease, MemoryWrite, Moment, Reply, Settlement,
};
use crate::notation::shelf::Shelf;
use crate::store::{Admitted, Backlog, Fact, Life, PUSH, Replayed, State, Store, StoreError, Urgency, Wanted};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};

/// The engine at work. It holds what SQLite would be slow to ask for: each channel's next place and cursor.
pub struct Engine<'file> {
    pub(super) connection: &'file Connection,
    pub(super) identity: &'file str,
    pub(super) log_pages: &'file AtomicU32,
    pub(super) checkpointer: Checkpointer,
    /// Whether a transaction is open.
    pub(super) open: bool,
    /// What this transaction, or the last one, did to events.
    pub(super) facts: Vec<(ChannelNumber, Fact)>,
    pub(super) channels: Shelf<ChannelNumber, Place>,
    /// The conversation of the suspect that was last handed out (`store/cut_off.rs`).
    pub(super) suspect: Option<i64>,
    pub(super) say: Statements<'file>,
}

/// Where a channel is: what the next event will be, and what was already looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) last: i64,
    pub(super) cursor: EventKey,
    pub(super) cursor_saved: EventKey,
    pub(super) pruned_to: EventKey,
    /// No conversation that nobody has a lease of is due before this. So most searches need not look.
    pub(super) soonest: Option<Moment>,
    /// The last search for something new ended at its bound, and not for want of events.
    pub(super) looks_on: bool,
    pub(super) alarms: Watch,
}

impl Place {
    /// A channel whose newest event is at place `last`.
    fn new(last: i64, cursor: EventKey, soonest: Option<Moment>, alarms: Watch) -> Place {
        let pruned_to = EventKey::before_first(cursor.channel());
        Place { last, cursor, cursor_saved: cursor, pruned_to, soonest, looks_on: false, alarms }
    }
}

/// What a conversation is at, in `lane.phase`.
pub(super) const TO_HEAR: i64 = 0;
pub(super) const TO_SEND: i64 = 1;

impl SqliteFile {
    /// The number of the channel with this name, given once and for all; durable when it returns.
    pub fn channel(&self, name: &str) -> Result<ChannelNumber, StoreError> {
        channel_number(&self.connection, name)
    }

    /// What is remembered under a name, unless it has expired.
    pub fn recall(&self, owner: &str, key: &str, now: Moment) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT value FROM memory WHERE bot = ?1 AND name = ?2 AND (expires IS NULL OR expires > ?3)";
        let found = self.connection.query_row(sql, params![owner, key, now.0], |row| row.get(0)).optional();
        found.map_err(|error| words("reading", &error))
    }

    /// The verbs on this file.
    pub fn engine(&self) -> Result<Engine<'_>, StoreError> {
        let say = Statements::on(&self.connection);
        let mut engine = Engine {
            connection: &self.connection,
            identity: &self.identity,
            log_pages: &self.log_pages,
            checkpointer: Checkpointer::new(&self.path),
            open: false,
            facts: Vec::new(),
            channels: Shelf::new(),
            suspect: None,
            say,
        };
        engine.look_up_channels()?;
        Ok(engine)
    }
}

/// The number of the channel with this name; a new name gets the next one.
fn channel_number(connection: &Connection, name: &str) -> Result<ChannelNumber, StoreError> {
    let known = connection
        .query_row("SELECT number FROM channel WHERE name = ?1", [name], |row| row.get(0))
        .optional()
        .map_err(|error| words("reading", &error))?;
    if let Some(number) = known {
        return Ok(ChannelNumber(number));
    }
    let highest: u16 = connection
        .query_row("SELECT coalesce(max(number), 0) FROM channel", [], |row| row.get(0))
        .map_err(|error| words("reading", &error))?;
    let channel = ChannelNumber(highest.checked_add(1).ok_or_else(|| StoreError("too many channels".to_owned()))?);
    let row = params![channel.0, name, EventKey::before_first(channel).0];
    connection
        .execute("INSERT INTO channel (number, name, cursor) VALUES (?1, ?2, ?3)", row)
        .map_err(|error| words("writing", &error))?;
    Ok(channel)
}

pub(super) fn to_json(reply: &Reply) -> Result<String, StoreError> {
    serde_json::to_string(reply).map_err(|error| StoreError(format!("writing a reply as JSON: {error}")))
}

pub(super) fn from_json(text: &str) -> Result<Reply, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError(format!("a kept reply is unreadable: {error}")))
}

impl Engine<'_> {
    /// What a channel is called, for the log.
    pub(super) fn called(&self, channel: ChannelNumber) -> String {
        reader::channel_name(self.connection, channel).unwrap_or_else(|_| channel.0.to_string())
    }

    /// What an event is called there.
    pub(super) fn named(&self, event: EventKey) -> EventId {
        EventId { channel: self.called(event.channel()), place: event.place(), part: None }
    }

    pub(super) fn look_up_channels(&mut self) -> Result<(), StoreError> {
        let mut channels = Saying::on(self.connection, "SELECT number, cursor FROM channel");
        let rows = all(&mut channels, [], |row| Ok((row.get::<_, u16>(0)?, row.get::<_, i64>(1)?)))?;
        let newest = "SELECT key FROM event WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT 1";
        let mut last = Saying::on(self.connection, newest);
        for (number, cursor) in rows {
            let channel = ChannelNumber(number);
            let (from, to) = (EventKey::before_first(channel), EventKey::after_last(channel));
            let newest = first(&mut last, params![from.0, to.0], |row| row.get(0))?.unwrap_or(cursor);
            let alarms = Watch::new(self.alarm_after(channel, Moment(i64::MIN))?);
            let place = Place::new(EventKey(newest).place(), EventKey(cursor), Some(Moment::default()), alarms);
            self.channels.insert(channel, place);
        }
        Ok(())
    }

    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        if !self.open {
            run(&mut self.say.begin, [])?;
            self.open = true;
            self.facts.clear();
        }
        Ok(())
    }

    pub(super) fn place(&mut self, channel: ChannelNumber) -> Result<&mut Place, StoreError> {
        let unknown = || StoreError(format!("channel {} is not in the store", channel.0));
        self.channels.get_mut(&channel).ok_or_else(unknown)
    }
}

impl Store for Engine<'_> {
    fn identity(&self) -> &str {
        self.identity
    }

    fn channel(&mut self, name: &str) -> Result<ChannelNumber, StoreError> {
        self.begin()?;
        let channel = channel_number(self.connection, name)?;
        let start = EventKey::before_first(channel);
        self.channels.at_or(channel, || Place::new(0, start, None, Watch::new(None)));
        Ok(channel)
    }

    fn channels_that_wait(&mut self) -> Result<Vec<String>, StoreError> {
        reader::channels_that_wait(self.connection)
    }

    fn admit_with(
        &mut self,
        channel: ChannelNumber,
        arrival: &Arrival,
        head: Option<&str>,
        received: Moment,
        now: Moment,
    ) -> Result<Admitted, StoreError> {
        let kept = self.keep(channel, arrival, head, received, now)?;
        if let Some(tag) = &arrival.proves {
            self.prove(tag, now)?;
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
        let arrival = Arrival {
            id: id.to_owned(),
            conversation,
            kind: PUSH,
            fate: Fate::Hear,
            raw: Box::default(),
            proves: None,
        };
        let Some(event) = self.keep(channel, &arrival, None, now, now)? else {
            let kept = first(&mut self.say.kept, params![channel.0, id], |row| row.get(0).map(EventKey))?;
            return kept.ok_or_else(|| StoreError("an order that was kept before is gone".to_owned()));
        };
        self.put_replies(event, replies, (0, false), now)?;
        Ok(event)
    }

    fn lease(
        &mut self,
        channel: ChannelNumber,
        wanted: Wanted,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        while self.place(channel)?.soonest.is_some_and(|soonest| soonest <= now) {
            if let Some(lease) = self.lease_begun(channel, TO_SEND, busy, now)? {
                return Ok(Some(lease));
            }
            if wanted == Wanted::Sends {
                return Ok(None);
            }
            // What ends in this search makes way for the next one of its conversation. Where that is to be sent, the search
            // before has not seen it: then it sets this again, and all is looked through once more.
            let before = self.place(channel)?.soonest.take();
            let lease = self.lease_begun(channel, TO_HEAR, busy, now)?;
            if lease.is_some() {
                self.place(channel)?.soonest = before;
                return Ok(lease);
            }
            let due = self.due_after(channel, now)?;
            let place = self.place(channel)?;
            place.soonest = [place.soonest, due].into_iter().flatten().min();
        }
        if wanted == Wanted::Any { self.lease_new(channel, busy, now) } else { Ok(None) }
    }

    fn settle(&mut self, settlement: &Settlement, go_on: bool, now: Moment) -> Result<Option<Lease>, StoreError> {
        self.begin()?;
        if self.suspect.take_if(|lane| *lane == settlement.lane()).is_some() {
            // ackd did not end with it, and its worker may go on with it. The next suspect may be due.
            run(&mut self.say.lane_back, params![settlement.lane(), now.0])?;
            self.channels.iter_mut().for_each(|(_, place)| place.soonest = Some(Moment::default()));
        }
        match settlement {
            Settlement::Heard { event, lane, replies, notes } => {
                self.heard((*event, *lane), replies, notes, go_on, now)
            }
            Settlement::HearIgnored { event, lane, why } => self.end_unsaid(*event, *lane, why, now).map(|()| None),
            Settlement::Witnessed { event, lane, message, texts } => {
                self.witness(*event, *lane, (message, texts), now).map(|()| None)
            }
            Settlement::HearDead { event, lane, why } => {
                self.end(*event, *lane, (State::Dead, why), now).map(|()| None)
            }
            Settlement::HearLater { event, lane, due, attempt, why } => {
                run(&mut self.say.end_event, params![event.0, State::Open as i64, None::<i64>, why])?;
                self.wait_in_lane(*lane, *event, TO_HEAR, *due, *attempt).map(|()| None)
            }
            Settlement::Unsent { event, lane, part, attempt, instead } => {
                self.unsent((*event, *lane, *part), (attempt.as_ref(), instead), go_on, now)
            }
            Settlement::Sent { event, lane, attempt, end } => self.sent(*event, *lane, attempt, end, go_on, now),
        }
    }

    fn next_due(
        &mut self,
        channel: ChannelNumber,
        wanted: Wanted,
        looked: Moment,
    ) -> Result<Option<Moment>, StoreError> {
        match *self.place(channel)? {
            Place { looks_on: true, .. } if wanted == Wanted::Any => Ok(Some(looked)),
            Place { soonest: Some(soonest), .. } if soonest <= looked => self.due_after(channel, looked),
            Place { soonest, .. } => Ok(soonest),
        }
    }

    fn replay(&mut self, event: EventKey, part: Option<u32>, now: Moment) -> Result<Replayed, StoreError> {
        self.begin()?;
        self.put_back(event, part, now)
    }

    fn resolve(&mut self, event: EventKey, now: Moment) -> Result<Replayed, StoreError> {
        self.begin()?;
        self.set_aside(event, now)
    }

    fn remember(&mut self, write: &MemoryWrite) -> Result<(), StoreError> {
        self.begin()?;
        self.put_memory(write)
    }

    fn recall(&mut self, bot: &str, key: &str, now: Moment) -> Result<Option<Vec<u8>>, StoreError> {
        first(&mut self.say.memory_get, params![bot, key, now.0], |row| row.get(0))
    }

    fn put_alarm(&mut self, write: &AlarmWrite) -> Result<(), StoreError> {
        self.begin()?;
        self.write_alarm(write)
    }

    fn alarms(&mut self, channel: ChannelNumber, conversation: &str) -> Result<Vec<Alarm>, StoreError> {
        self.alarms_here(channel, conversation)
    }

    fn alarms_of(&mut self, owner: &str) -> Result<Vec<Alarm>, StoreError> {
        self.alarms_of_owner(owner)
    }

    fn alarms_after(&mut self, channel: ChannelNumber, moment: Moment) -> Result<Vec<Alarm>, StoreError> {
        self.last_alarms(channel, moment)
    }

    fn alarm_due(
        &mut self,
        channel: ChannelNumber,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Alarm>, StoreError> {
        self.search_alarms(channel, busy, now)
    }

    fn alarm_next(&mut self, channel: ChannelNumber) -> Result<Option<Moment>, StoreError> {
        self.look_at_alarms_from(channel)
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
        self.begin()?;
        let rows = i64::try_from(limits::PRUNE_ROWS).unwrap_or(i64::MAX);
        let expired = run(&mut self.say.memory_expire, params![now.0, rows])?;
        let mut more = expired == limits::PRUNE_ROWS;
        more |= self.prune_held(now)?;
        for channel in self.channels.keys().copied().collect::<Vec<_>>() {
            more |= self.prune_channel(channel, before)?;
        }
        if !more {
            let say = &mut self.say;
            for hourly in [&mut say.memory_expire, &mut say.held_long, &mut say.contact_expire, &mut say.old] {
                hourly.put_away();
            }
            for (channel, place) in self.channels.iter_mut() {
                place.pruned_to = EventKey::before_first(*channel);
            }
        }
        Ok(more)
    }

    fn tell_facts(&mut self, told: &mut Vec<(ChannelNumber, Fact)>) {
        if !self.open {
            told.append(&mut self.facts);
        }
    }

    fn is_writing(&self) -> bool {
        self.open
    }

    fn backlogs(&mut self) -> Result<Vec<(ChannelNumber, Backlog)>, StoreError> {
        self.count_backlogs()
    }

    fn life(&mut self, event: EventKey) -> Result<Option<Life>, StoreError> {
        reader::life(self.connection, event)
    }

    fn try_writing(&mut self) -> Result<(), StoreError> {
        // Two commits: in one, SQLite would see that nothing is left to write.
        let room =
            "INSERT OR REPLACE INTO about VALUES ('room', zeroblob(65536)); DELETE FROM about WHERE name = 'room';";
        self.connection.execute_batch(room).map_err(|error| words("trying to write", &error))
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if !self.open {
            return Ok(());
        }
        self.save_cursors()?;
        run(&mut self.say.commit, [])?;
        self.open = false;
        Ok(())
    }

    fn roll_back(&mut self) {
        // Where SQLite has rolled back by itself, which it does when the disk is full, this finds nothing to do.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            log::error!("store: rolling back: {error}");
        }
        self.open = false;
        self.facts.clear();
        // What fills a small disk may be our own log: moved into the database, it begins anew. Where even that finds
        // no room, somebody else has to make some.
        if let Err(error) = checkpoint(self.connection) {
            log::debug!("store: {error}");
        }
        self.channels.clear();
        if let Err(error) = self.look_up_channels() {
            log::error!("store: looking up the channels again: {error}");
        }
    }

    fn tidy(&mut self, urgency: Urgency) -> Result<(), StoreError> {
        if self.open {
            return Ok(());
        }
        let share = match urgency {
            Urgency::WhenLong => self.checkpointer.look(self.log_pages.load(Ordering::Relaxed))?,
            Urgency::Closing => {
                self.checkpointer.wait();
                Share::Rest
            }
        };
        if share == Share::Rest {
            self.log_pages.store(0, Ordering::Relaxed);
            checkpoint(self.connection)?;
        }
        Ok(())
    }
}
