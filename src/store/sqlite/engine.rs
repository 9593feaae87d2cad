//! The verbs of `Store`, one prepared statement for each thing they do.

use super::checkpoint::{Checkpointer, Share, checkpoint};
use super::file::{SqliteFile, words};
use super::people;
use crate::limits;
use crate::model::{
    Arrival, Attempt, ChannelNumber, EventKey, Fate, Lease, MemoryWrite, Moment, Reply, SendEnd, Settlement, Work,
};
use crate::store::{Admitted, Life, PUSH, Replayed, State, Store, StoreError, Urgency, Wanted, lane, read_tag};
use rusqlite::{Connection, OptionalExtension, Params, Row, Statement, params};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};

/// The engine at work. It holds what SQLite would be slow to ask for: each channel's next place and cursor.
pub struct Engine<'file> {
    connection: &'file Connection,
    identity: &'file str,
    log_pages: &'file AtomicU32,
    checkpointer: Checkpointer,
    /// Whether a transaction is open.
    open: bool,
    channels: BTreeMap<ChannelNumber, Place>,
    memory_keys: HashMap<String, usize>,
    say: Statements<'file>,
}

/// Where a channel is: what the next event will be, and what was already looked at.
#[derive(Clone, Copy, Debug)]
struct Place {
    last: i64,
    cursor: EventKey,
    cursor_saved: EventKey,
    pruned_to: EventKey,
    /// No conversation that nobody has a lease of is due before this. So most searches need not look.
    soonest: Option<Moment>,
}

macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        struct Statements<'file> { $($name: Statement<'file>,)* }
        impl<'file> Statements<'file> {
            fn prepare(connection: &'file Connection) -> rusqlite::Result<Statements<'file>> {
                Ok(Statements { $($name: connection.prepare($sql)?,)* })
            }
        }
    };
}

statements! {
    begin = "BEGIN IMMEDIATE";
    commit = "COMMIT";
    admit = "INSERT INTO event (key, channel, id, conversation, lane, kind, received, kept, state, ended, why, raw)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (channel, id) DO NOTHING";
    kept = "SELECT key FROM event WHERE channel = ?1 AND id = ?2";
    end_event = "UPDATE event SET state = ?2, ended = ?3, why = ?4 WHERE key = ?1";
    ahead = "SELECT key, lane, kind = 'push' FROM event WHERE key > ?1 AND key < ?2 AND state = 0 ORDER BY key LIMIT ?3";
    to_hear = "SELECT conversation, kind, received, raw FROM event WHERE key = ?1";
    stands = "SELECT state, lane FROM event WHERE key = ?1";
    replay_put = "INSERT OR IGNORE INTO replay (key, at, state, ended, why, made)
                  SELECT key, ?2, state, ended, why, (SELECT min(made) FROM reply WHERE reply.key = event.key)
                  FROM event WHERE key = ?1";
    reopen = "UPDATE event SET state = 0, ended = NULL, why = NULL WHERE key = ?1";
    save_cursor = "UPDATE channel SET cursor = ?2 WHERE number = ?1";

    lane_at = "SELECT key FROM lane WHERE lane = ?1";
    lane_due = "SELECT lane, key, attempt FROM lane WHERE channel = ?1 AND phase = ?2 AND due <= ?3
                ORDER BY due LIMIT ?4";
    lane_next = "SELECT due FROM lane WHERE channel = ?1 AND phase = ?2 AND due > ?3 ORDER BY due LIMIT 1";
    lane_put = "INSERT INTO lane (lane, channel, key, phase, due, attempt) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                ON CONFLICT (lane) DO UPDATE SET key = ?3, phase = ?4, due = ?5, attempt = ?6";
    lane_drop = "DELETE FROM lane WHERE lane = ?1";
    behind_put = "INSERT OR IGNORE INTO behind (lane, key) VALUES (?1, ?2)";
    behind_first = "SELECT key FROM behind WHERE lane = ?1 ORDER BY key LIMIT 1";
    behind_drop = "DELETE FROM behind WHERE lane = ?1 AND key = ?2";

    reply_put = "INSERT INTO reply (key, part, state, made, content, attempts, begun)
                 VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6)";
    reply_next = "SELECT part, attempts, begun, maybe_twice, proved, content, made FROM reply
                  WHERE key = ?1 AND state = 0 ORDER BY part LIMIT 1";
    reply_begin = "UPDATE reply SET begun = ?3, attempts = ?4, maybe_twice = ?5 WHERE key = ?1 AND part = ?2";
    reply_end = "UPDATE reply SET state = ?3, begun = NULL, message_id = ?4, began = ?5, ended = ?6, status = ?7,
                 words = ?8 WHERE key = ?1 AND part = ?2";
    reply_close = "UPDATE reply SET state = ?3, begun = NULL WHERE key = ?1 AND part = ?2";
    reply_again = "UPDATE reply SET begun = NULL, maybe_twice = max(maybe_twice, ?3) WHERE key = ?1 AND part = ?2";
    reply_rest = "UPDATE reply SET state = 4 WHERE key = ?1 AND state = 0";
    reply_proved = "SELECT proved FROM reply WHERE key = ?1 AND part = ?2";
    reply_look = "SELECT state FROM reply WHERE key = ?1 AND part = ?2";
    reply_prove = "UPDATE reply SET proved = 1 WHERE key = ?1 AND part = ?2";
    reply_sum = "SELECT count(*), ifnull(sum(state = 4), 0), ifnull(sum(state = 5), 0), ifnull(sum(state = 0), 0)
                 FROM reply WHERE key = ?1";
    reply_move = "INSERT OR REPLACE INTO attempt SELECT key, part, attempts, began, ended, status, words FROM reply
                  WHERE key = ?1 AND state IN (4, 5) AND ended IS NOT NULL AND (?2 = 0 OR part = ?3)";
    reply_failed = "SELECT 1 FROM reply WHERE key = ?1 AND state IN (4, 5) AND (?2 = 0 OR part = ?3)";
    reply_reopen = "UPDATE reply SET state = 0, ended = NULL, proved = 0, made = ?4, maybe_twice = max(maybe_twice, state = 5)
                    WHERE key = ?1 AND state IN (4, 5) AND (?2 = 0 OR part = ?3)";
    attempt_put = "INSERT OR REPLACE INTO attempt (key, part, number, began, ended, status, words)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    memory_get = "SELECT value FROM memory WHERE bot = ?1 AND name = ?2 AND (expires IS NULL OR expires > ?3)";
    memory_has = "SELECT 1 FROM memory WHERE bot = ?1 AND name = ?2";
    memory_put = "INSERT INTO memory (bot, name, value, expires) VALUES (?1, ?2, ?3, ?4)
                  ON CONFLICT (bot, name) DO UPDATE SET value = ?3, expires = ?4";
    memory_drop = "DELETE FROM memory WHERE bot = ?1 AND name = ?2";
    memory_count = "SELECT count(*) FROM memory WHERE bot = ?1";
    memory_expire = "DELETE FROM memory WHERE (bot, name) IN (SELECT bot, name FROM memory WHERE expires <= ?1 LIMIT ?2)";

    old = "SELECT key, state, received FROM event WHERE key > ?1 AND key < ?2 ORDER BY key LIMIT ?3";
    drop_event = "DELETE FROM event WHERE key = ?1";
    drop_replies = "DELETE FROM reply WHERE key = ?1";
    drop_replays = "DELETE FROM replay WHERE key = ?1";
    drop_attempts = "DELETE FROM attempt WHERE key = ?1";
}

/// What a conversation is at, in `lane.phase`.
const TO_HEAR: i64 = 0;
const TO_SEND: i64 = 1;

impl SqliteFile {
    /// The verbs on this file.
    pub fn engine(&self) -> Result<Engine<'_>, StoreError> {
        let say = Statements::prepare(&self.connection).map_err(|error| words("preparing", &error))?;
        let mut engine = Engine {
            connection: &self.connection,
            identity: &self.identity,
            log_pages: &self.log_pages,
            checkpointer: Checkpointer::new(&self.path),
            open: false,
            channels: BTreeMap::new(),
            memory_keys: HashMap::new(),
            say,
        };
        engine.look_up_channels()?;
        Ok(engine)
    }
}

/// Runs a statement that gives no rows; says how many it changed.
fn run(statement: &mut Statement<'_>, values: impl Params) -> Result<usize, StoreError> {
    statement.execute(values).map_err(|error| words("writing", &error))
}

/// The first row that a statement gives, if any.
fn first<T>(
    statement: &mut Statement<'_>,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    statement.query_row(values, read).optional().map_err(|error| words("reading", &error))
}

/// All rows that a statement gives; its LIMIT bounds them.
fn all<T>(
    statement: &mut Statement<'_>,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let rows = statement.query_map(values, read).map_err(|error| words("reading", &error))?;
    rows.collect::<rusqlite::Result<_>>().map_err(|error| words("reading", &error))
}

fn to_json(reply: &Reply) -> Result<String, StoreError> {
    serde_json::to_string(reply).map_err(|error| StoreError(format!("writing a reply as JSON: {error}")))
}

pub(super) fn from_json(text: &str) -> Result<Reply, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError(format!("a kept reply is unreadable: {error}")))
}

impl Engine<'_> {
    fn look_up_channels(&mut self) -> Result<(), StoreError> {
        let mut channels = self
            .connection
            .prepare("SELECT number, cursor FROM channel")
            .map_err(|error| words("preparing", &error))?;
        let rows = all(&mut channels, [], |row| Ok((row.get::<_, u16>(0)?, row.get::<_, i64>(1)?)))?;
        let mut last = self
            .connection
            .prepare("SELECT key FROM event WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT 1")
            .map_err(|error| words("preparing", &error))?;
        for (number, cursor) in rows {
            let channel = ChannelNumber(number);
            let (from, to) = (EventKey::before_first(channel), EventKey::after_last(channel));
            let newest = first(&mut last, params![from.0, to.0], |row| row.get(0))?.unwrap_or(cursor);
            let cursor = EventKey(cursor);
            let soonest = Some(Moment::default());
            let last = EventKey(newest).place();
            let place = Place { last, cursor, cursor_saved: cursor, pruned_to: from, soonest };
            self.channels.insert(channel, place);
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        if !self.open {
            run(&mut self.say.begin, [])?;
            self.open = true;
        }
        Ok(())
    }

    fn place(&mut self, channel: ChannelNumber) -> Result<&mut Place, StoreError> {
        let unknown = || StoreError(format!("channel {} is not in the store", channel.0));
        self.channels.get_mut(&channel).ok_or_else(unknown)
    }

    /// Writes a new event; `None` when it is there already.
    fn keep(
        &mut self,
        channel: ChannelNumber,
        arrival: &Arrival,
        received: Moment,
        now: Moment,
    ) -> Result<Option<EventKey>, StoreError> {
        self.begin()?;
        let place = self.place(channel)?;
        let key = EventKey::new(channel, place.last + 1);
        let lane = lane(channel, &arrival.conversation);
        let (state, ended, why) = match arrival.fate {
            Fate::Hear => (State::Open, None, None),
            Fate::Ignore(why) => (State::Ignored, Some(now.0), Some(why)),
        };
        let new = run(
            &mut self.say.admit,
            params![
                key.0,
                channel.0,
                arrival.id,
                arrival.conversation,
                lane,
                arrival.kind,
                received.0,
                now.0,
                state as i64,
                ended,
                why,
                &*arrival.raw
            ],
        )? == 1;
        if new {
            self.place(channel)?.last += 1;
        }
        Ok(new.then_some(key))
    }

    /// An echo came back: the reply that it names was delivered, whatever we thought.
    fn prove(&mut self, tag: &str, now: Moment) -> Result<(), StoreError> {
        let Some((event, part)) = read_tag(self.identity, tag) else { return Ok(()) };
        let state = first(&mut self.say.reply_look, params![event.0, part], |row| row.get(0))?;
        match state.map(State::of) {
            // Its attempt is under way, or a retry was planned: remembered until its turn comes.
            Some(State::Open) => run(&mut self.say.reply_prove, params![event.0, part]).map(drop),
            Some(State::Unknown) => {
                run(&mut self.say.reply_close, params![event.0, part, State::Answered as i64])?;
                self.sum_up(event, now).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Gives an event the state that its replies add up to. `false` while some are still to be sent.
    fn sum_up(&mut self, event: EventKey, now: Moment) -> Result<bool, StoreError> {
        let sum = first(&mut self.say.reply_sum, params![event.0], |row| {
            Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
        })?;
        let (dead, unknown, open) = sum.unwrap_or_default();
        if open > 0 {
            return Ok(false);
        }
        let (state, why) = match (dead, unknown) {
            (0, 0) => (State::Answered, None),
            (0, _) => (State::Unknown, Some("a reply was sent, but the platform's answer was lost")),
            _ => (State::Dead, Some("a reply could not be said")),
        };
        run(&mut self.say.end_event, params![event.0, state as i64, now.0, why])?;
        Ok(true)
    }

    /// Frees a conversation whose event has ended: the next one behind it is due, or nothing is.
    fn free(&mut self, lane: i64, now: Moment) -> Result<(), StoreError> {
        let next = first(&mut self.say.behind_first, params![lane], |row| row.get::<_, i64>(0))?;
        let Some(next) = next else { return run(&mut self.say.lane_drop, params![lane]).map(drop) };
        run(&mut self.say.behind_drop, params![lane, next])?;
        let phase = if self.has_replies(EventKey(next))? { TO_SEND } else { TO_HEAR };
        self.wait_in_lane(lane, EventKey(next), phase, now, 0)
    }

    fn has_replies(&mut self, event: EventKey) -> Result<bool, StoreError> {
        let count = first(&mut self.say.reply_sum, params![event.0], |row| row.get::<_, i64>(0))?;
        Ok(count.unwrap_or(0) > 0)
    }

    fn end(&mut self, event: EventKey, lane: i64, end: (State, &str), now: Moment) -> Result<(), StoreError> {
        let why = (!end.1.is_empty()).then_some(end.1);
        run(&mut self.say.end_event, params![event.0, end.0 as i64, now.0, why])?;
        self.free(lane, now)
    }

    /// Marks the event's next reply as begun and makes it a lease. `None` when nothing is left to send; then the
    /// event has ended and its conversation is free.
    fn begin_send(&mut self, event: EventKey, lane: i64, now: Moment) -> Result<Option<Lease>, StoreError> {
        loop {
            let next = first(&mut self.say.reply_next, params![event.0], |row| {
                Ok(NextReply {
                    part: row.get(0)?,
                    attempts: row.get(1)?,
                    begun: row.get(2)?,
                    maybe_twice: row.get(3)?,
                    proved: row.get(4)?,
                    content: row.get(5)?,
                    made: Moment(row.get(6)?),
                })
            })?;
            let Some(next) = next else {
                self.sum_up(event, now)?;
                self.free(lane, now)?;
                return Ok(None);
            };
            if let Some(begun) = next.begun {
                self.note_cut_off(event, &next, Moment(begun), now)?;
            }
            if next.proved {
                run(&mut self.say.reply_close, params![event.0, next.part, State::Answered as i64])?;
                continue;
            }
            let (attempt, twice) = (next.attempts + 1, next.maybe_twice || next.begun.is_some());
            run(&mut self.say.reply_begin, params![event.0, next.part, now.0, attempt, twice])?;
            let reply = match from_json(&next.content) {
                Ok(reply) => reply,
                // One unreadable row must not hold up everything else.
                Err(error) => {
                    log::error!("{error}; event {} part {} is dead", event.0, next.part);
                    run(&mut self.say.reply_close, params![event.0, next.part, State::Dead as i64])?;
                    continue;
                }
            };
            let work = Work::Send { part: next.part, reply, attempt, made: next.made };
            return Ok(Some(Lease { event, lane, work }));
        }
    }

    /// An attempt began, and its process went away before it ended.
    fn note_cut_off(
        &mut self,
        event: EventKey,
        next: &NextReply,
        begun: Moment,
        now: Moment,
    ) -> Result<(), StoreError> {
        let words = "cut off: ackd stopped before the platform's answer came";
        let attempt = Attempt {
            part: next.part,
            number: next.attempts,
            began: begun,
            ended: now,
            status: None,
            words: words.to_owned(),
        };
        self.record(event, &attempt)
    }

    fn record(&mut self, event: EventKey, attempt: &Attempt) -> Result<(), StoreError> {
        let Attempt { part, number, began, ended, status, words } = attempt;
        run(&mut self.say.attempt_put, params![event.0, part, number, began.0, ended.0, status, words]).map(drop)
    }

    /// Something of this channel that has begun before and is due.
    fn lease_begun(
        &mut self,
        channel: ChannelNumber,
        phase: i64,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        loop {
            let enough = i64::try_from(busy.len()).unwrap_or(i64::MAX).saturating_add(1);
            let due = all(&mut self.say.lane_due, params![channel.0, phase, now.0, enough], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, u32>(2)?))
            })?;
            let Some((lane, key, attempt)) = due.into_iter().find(|(lane, ..)| !busy.contains(lane)) else {
                return Ok(None);
            };
            self.begin()?;
            let event = EventKey(key);
            let lease = if phase == TO_SEND {
                self.begin_send(event, lane, now)?
            } else {
                self.begin_hearing(event, lane, attempt + 1, now)?
            };
            if lease.is_some() {
                return Ok(lease);
            }
        }
    }

    fn due_after(&mut self, channel: ChannelNumber, now: Moment) -> Result<Option<Moment>, StoreError> {
        let mut soonest = None;
        for phase in [TO_HEAR, TO_SEND] {
            let due = first(&mut self.say.lane_next, params![channel.0, phase, now.0], |row| row.get(0))?;
            soonest = [soonest, due.map(Moment)].into_iter().flatten().min();
        }
        Ok(soonest)
    }

    fn begin_hearing(
        &mut self,
        event: EventKey,
        lane: i64,
        attempt: u32,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        run(&mut self.say.lane_put, params![lane, event.channel().0, event.0, TO_HEAR, now.0, attempt])?;
        let work = first(&mut self.say.to_hear, params![event.0], |row| {
            Ok(Work::Hear {
                conversation: row.get(0)?,
                kind: row.get(1)?,
                received: Moment(row.get(2)?),
                raw: row.get(3)?,
                attempt,
            })
        })?;
        let Some(work) = work else {
            log::error!("event {} is gone from the store; its conversation goes on without it", event.0);
            self.free(lane, now)?;
            return Ok(None);
        };
        Ok(Some(Lease { event, lane, work }))
    }

    /// The next event in order of arrival whose conversation is free; those whose is not go behind it.
    fn lease_new(
        &mut self,
        channel: ChannelNumber,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        let end = EventKey::after_last(channel);
        let mut looked = 0;
        while looked < limits::SEARCH_ROWS {
            // Most often the first one is free, so do not read far ahead at once.
            let rows = if looked == 0 { 1 } else { limits::SEARCH_ROWS - looked };
            let from = self.place(channel)?.cursor;
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            let ahead = all(&mut self.say.ahead, params![from.0, end.0, rows], |row| {
                Ok((EventKey(row.get(0)?), row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
            })?;
            if ahead.is_empty() {
                return Ok(None);
            }
            self.begin()?;
            for (event, lane, push) in ahead {
                looked += 1;
                self.place(channel)?.cursor = event;
                let at = first(&mut self.say.lane_at, params![lane], |row| row.get::<_, i64>(0))?;
                if at == Some(event.0) {
                    continue; // Begun before a restart, after the cursor was last saved.
                }
                if at.is_some() || busy.contains(&lane) {
                    run(&mut self.say.behind_put, params![lane, event.0])?;
                } else if push {
                    run(&mut self.say.lane_put, params![lane, channel.0, event.0, TO_SEND, now.0, 0])?;
                    return self.begin_send(event, lane, now);
                } else {
                    return self.begin_hearing(event, lane, 1, now);
                }
            }
        }
        Ok(None)
    }

    fn heard(
        &mut self,
        event: EventKey,
        lane: i64,
        replies: &[Reply],
        memory: &[MemoryWrite],
        go_on: bool,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        for write in memory {
            self.remember(write)?;
        }
        if replies.is_empty() {
            self.end(event, lane, (State::Ignored, "the bot had nothing to say"), now)?;
            return Ok(None);
        }
        self.put_replies(event, replies, go_on, now)?;
        let first = replies.first().filter(|_| go_on);
        if first.is_some() {
            run(&mut self.say.lane_put, params![lane, event.channel().0, event.0, TO_SEND, now.0, 0])?;
        } else {
            self.wait_in_lane(lane, event, TO_SEND, now, 0)?;
        }
        Ok(first.map(|reply| {
            let work = Work::Send { part: 1, reply: reply.clone(), attempt: 1, made: now };
            Lease { event, lane, work }
        }))
    }

    /// Writes an event's replies; with `begin`, the first of them as already begun.
    fn put_replies(&mut self, event: EventKey, replies: &[Reply], begin: bool, now: Moment) -> Result<(), StoreError> {
        for (part, reply) in (1_u32..).zip(replies) {
            let begins = begin && part == 1;
            let begun = begins.then_some(now.0);
            run(&mut self.say.reply_put, params![event.0, part, now.0, to_json(reply)?, begins, begun])?;
        }
        Ok(())
    }

    fn sent(
        &mut self,
        event: EventKey,
        lane: i64,
        attempt: &Attempt,
        end: &SendEnd,
        go_on: bool,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        let part = attempt.part;
        let (state, message_id) = match end {
            SendEnd::Delivered { message_id } => (State::Answered, message_id.as_deref()),
            // An echo that overtook the answer has the last word: the reply was seen.
            _ if self.is_proved(event, part)? => (State::Answered, None),
            SendEnd::Unknown => (State::Unknown, None),
            SendEnd::Skipped => (State::Skipped, None),
            SendEnd::Dead => (State::Dead, None),
            SendEnd::Again { due, maybe_said } => {
                self.record(event, attempt)?;
                run(&mut self.say.reply_again, params![event.0, part, maybe_said])?;
                self.wait_in_lane(lane, event, TO_SEND, *due, 0)?;
                return Ok(None);
            }
        };
        // The last attempt lies in the reply's own row, since most replies have only that one.
        let Attempt { began, ended, status, words, .. } = attempt;
        let end = params![event.0, part, state as i64, message_id, began.0, ended.0, status, words];
        run(&mut self.say.reply_end, end)?;
        if state == State::Dead {
            // Half an answer after a missing part would only confuse: the rest ends with it.
            run(&mut self.say.reply_rest, params![event.0])?;
        }
        if self.sum_up(event, now)? {
            self.free(lane, now)?;
            return Ok(None);
        }
        if go_on {
            return self.begin_send(event, lane, now);
        }
        self.wait_in_lane(lane, event, TO_SEND, now, 0)?;
        Ok(None)
    }

    fn is_proved(&mut self, event: EventKey, part: u32) -> Result<bool, StoreError> {
        let proved = first(&mut self.say.reply_proved, params![event.0, part], |row| row.get(0))?;
        Ok(proved.unwrap_or(false))
    }

    /// A conversation waits for this moment; nobody has a lease of it.
    fn wait_in_lane(
        &mut self,
        lane: i64,
        event: EventKey,
        phase: i64,
        due: Moment,
        attempt: u32,
    ) -> Result<(), StoreError> {
        let channel = event.channel();
        run(&mut self.say.lane_put, params![lane, channel.0, event.0, phase, due.0, attempt])?;
        let place = self.place(channel)?;
        place.soonest = Some(place.soonest.map_or(due, |soonest| soonest.min(due)));
        Ok(())
    }

    fn remember(&mut self, write: &MemoryWrite) -> Result<(), StoreError> {
        let MemoryWrite { bot, key, value, expires } = write;
        let there = first(&mut self.say.memory_has, params![bot, key], |_| Ok(()))?.is_some();
        let keys = match self.memory_keys.get(bot) {
            Some(keys) => *keys,
            None => {
                let count = first(&mut self.say.memory_count, params![bot], |row| row.get::<_, u32>(0))?;
                usize::try_from(count.unwrap_or(0)).unwrap_or(usize::MAX)
            }
        };
        let keys = match (value, there) {
            // Memory is a cache: a bot must live with a key that is not there.
            (Some(_), false) if keys >= limits::MEMORY_KEYS_MAX => {
                log::warn!("bot {bot} remembers {keys} keys, which is the most it may; {key:?} is not kept");
                return Ok(());
            }
            (Some(_), false) => keys + 1,
            (None, true) => keys.saturating_sub(1),
            _ => keys,
        };
        match value {
            Some(value) => run(&mut self.say.memory_put, params![bot, key, value, expires.map(|at| at.0)])?,
            None => run(&mut self.say.memory_drop, params![bot, key])?,
        };
        self.memory_keys.insert(bot.clone(), keys);
        Ok(())
    }

    fn prune_channel(&mut self, channel: ChannelNumber, before: Moment) -> Result<bool, StoreError> {
        let from = self.place(channel)?.pruned_to;
        let rows = i64::try_from(limits::PRUNE_ROWS).unwrap_or(i64::MAX);
        let old = all(&mut self.say.old, params![from.0, EventKey::after_last(channel).0, rows], |row| {
            Ok((row.get::<_, i64>(0)?, State::of(row.get(1)?), row.get::<_, i64>(2)?))
        })?;
        for (key, state, received) in old {
            if received >= before.0 {
                return Ok(false);
            }
            self.place(channel)?.pruned_to = EventKey(key);
            if state != State::Open {
                run(&mut self.say.drop_attempts, params![key])?;
                run(&mut self.say.drop_replays, params![key])?;
                run(&mut self.say.drop_replies, params![key])?;
                run(&mut self.say.drop_event, params![key])?;
            }
        }
        Ok(self.place(channel)?.pruned_to != from)
    }

    /// Now and then: what lies between the saved cursor and the real one is looked at again after a restart, and is
    /// found ended, or in `lane`, or in `behind`.
    fn save_cursors(&mut self) -> Result<(), StoreError> {
        for (channel, place) in &mut self.channels {
            if place.cursor.0 - place.cursor_saved.0 >= limits::CURSOR_LAG {
                run(&mut self.say.save_cursor, params![channel.0, place.cursor.0])?;
                place.cursor_saved = place.cursor;
            }
        }
        Ok(())
    }
}

struct NextReply {
    part: u32,
    attempts: u32,
    begun: Option<i64>,
    maybe_twice: bool,
    proved: bool,
    content: String,
    made: Moment,
}

impl Store for Engine<'_> {
    fn identity(&self) -> &str {
        self.identity
    }

    fn channel(&mut self, name: &str) -> Result<ChannelNumber, StoreError> {
        let known = self
            .connection
            .query_row("SELECT number FROM channel WHERE name = ?1", [name], |row| row.get::<_, u16>(0))
            .optional()
            .map_err(|error| words("reading", &error))?;
        if let Some(number) = known {
            return Ok(ChannelNumber(number));
        }
        self.begin()?;
        let highest = self.channels.keys().next_back().map_or(0, |channel| channel.0);
        let channel = ChannelNumber(highest.checked_add(1).ok_or_else(|| StoreError("too many channels".to_owned()))?);
        let start = EventKey::before_first(channel);
        self.connection
            .execute(
                "INSERT INTO channel (number, name, cursor) VALUES (?1, ?2, ?3)",
                params![channel.0, name, start.0],
            )
            .map_err(|error| words("writing", &error))?;
        let place = Place { last: 0, cursor: start, cursor_saved: start, pruned_to: start, soonest: None };
        self.channels.insert(channel, place);
        Ok(channel)
    }

    fn admit(
        &mut self,
        channel: ChannelNumber,
        arrival: &Arrival,
        received: Moment,
        now: Moment,
    ) -> Result<Admitted, StoreError> {
        let kept = self.keep(channel, arrival, received, now)?;
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
        let Some(event) = self.keep(channel, &arrival, now, now)? else {
            let kept = first(&mut self.say.kept, params![channel.0, id], |row| row.get(0).map(EventKey))?;
            return kept.ok_or_else(|| StoreError("an order that was kept before is gone".to_owned()));
        };
        self.put_replies(event, replies, false, now)?;
        Ok(event)
    }

    fn lease(
        &mut self,
        channel: ChannelNumber,
        wanted: Wanted,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        if self.place(channel)?.soonest.is_some_and(|soonest| soonest <= now) {
            if let Some(lease) = self.lease_begun(channel, TO_SEND, busy, now)? {
                return Ok(Some(lease));
            }
            if wanted == Wanted::Any {
                if let Some(lease) = self.lease_begun(channel, TO_HEAR, busy, now)? {
                    return Ok(Some(lease));
                }
                self.place(channel)?.soonest = self.due_after(channel, now)?;
            }
        }
        if wanted == Wanted::Any { self.lease_new(channel, busy, now) } else { Ok(None) }
    }

    fn settle(&mut self, settlement: &Settlement, go_on: bool, now: Moment) -> Result<Option<Lease>, StoreError> {
        self.begin()?;
        match settlement {
            Settlement::Heard { event, lane, replies, memory } => {
                self.heard(*event, *lane, replies, memory, go_on, now)
            }
            Settlement::Ignored { event, lane, why } => {
                self.end(*event, *lane, (State::Ignored, why), now).map(|()| None)
            }
            Settlement::HearDead { event, lane, why } => {
                self.end(*event, *lane, (State::Dead, why), now).map(|()| None)
            }
            Settlement::HearLater { event, lane, due, attempt, why } => {
                run(&mut self.say.end_event, params![event.0, State::Open as i64, None::<i64>, why])?;
                self.wait_in_lane(*lane, *event, TO_HEAR, *due, *attempt).map(|()| None)
            }
            Settlement::Sent { event, lane, attempt, end } => self.sent(*event, *lane, attempt, end, go_on, now),
        }
    }

    fn next_due(&mut self, channel: ChannelNumber, now: Moment) -> Result<Option<Moment>, StoreError> {
        match self.place(channel)?.soonest {
            Some(soonest) if soonest <= now => self.due_after(channel, now),
            soonest => Ok(soonest),
        }
    }

    fn replay(&mut self, event: EventKey, part: Option<u32>, now: Moment) -> Result<Replayed, StoreError> {
        self.begin()?;
        let stands =
            first(&mut self.say.stands, params![event.0], |row| Ok((State::of(row.get(0)?), row.get::<_, i64>(1)?)))?;
        let lane = match stands {
            None => return Ok(Replayed::Left("there is no such event".to_owned())),
            Some((State::Dead | State::Unknown, lane)) => lane,
            Some((state, _)) => {
                return Ok(Replayed::Left(format!("it is {state}; only dead and unknown ones are put back")));
            }
        };
        let some = first(&mut self.say.reply_failed, params![event.0, part.is_some(), part.unwrap_or(0)], |_| Ok(()))?
            .is_some();
        if !some && (part.is_some() || self.has_replies(event)?) {
            return Ok(Replayed::Left("that reply is neither dead nor unknown".to_owned()));
        }
        run(&mut self.say.replay_put, params![event.0, now.0])?;
        run(&mut self.say.reply_move, params![event.0, part.is_some(), part.unwrap_or(0)])?;
        run(&mut self.say.reply_reopen, params![event.0, part.is_some(), part.unwrap_or(0), now.0])?;
        run(&mut self.say.reopen, params![event.0])?;
        if first(&mut self.say.lane_at, params![lane], |_| Ok(()))?.is_some() {
            run(&mut self.say.behind_put, params![lane, event.0])?;
        } else {
            let phase = if some { TO_SEND } else { TO_HEAR };
            self.wait_in_lane(lane, event, phase, now, 0)?;
        }
        Ok(Replayed::PutBack)
    }

    fn recall(&mut self, bot: &str, key: &str, now: Moment) -> Result<Option<Vec<u8>>, StoreError> {
        first(&mut self.say.memory_get, params![bot, key, now.0], |row| row.get(0))
    }

    fn prune(&mut self, before: Moment, now: Moment) -> Result<bool, StoreError> {
        self.begin()?;
        let rows = i64::try_from(limits::PRUNE_ROWS).unwrap_or(i64::MAX);
        let mut more = run(&mut self.say.memory_expire, params![now.0, rows])? == limits::PRUNE_ROWS;
        if more {
            self.memory_keys.clear();
        }
        for channel in self.channels.keys().copied().collect::<Vec<_>>() {
            more |= self.prune_channel(channel, before)?;
        }
        if !more {
            for (channel, place) in &mut self.channels {
                place.pruned_to = EventKey::before_first(*channel);
            }
        }
        Ok(more)
    }

    fn life(&mut self, event: EventKey) -> Result<Option<Life>, StoreError> {
        people::life(self.connection, event)
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
        self.memory_keys.clear();
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
