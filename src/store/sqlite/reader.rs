//! A look at the store for whoever does not write it: `ackd events`, `ackd why`, a rehearsal, the inspector. They read what
//! a daemon may be writing, and never wait for it.

use super::aside::HELD;
use super::engine::from_json;
use super::file::{AS_OWNER, FOREIGN, has_log, header, is_empty, unseen, words};
use super::schema::{APPLICATION, HEADS};
use crate::model::{Attempt, ChannelNumber, EventId, EventKey, Moment};
use crate::notation::shelf::Shelf;
use crate::notation::shorthand::written_out;
use crate::store::{Life, PutBack, RESTS, ReplyLife, State, StoreError};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, ToSql, params};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

/// A second, read-only look at a store.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    /// What `PRAGMA data_version` said last.
    version: i64,
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only in one of these states; empty for all.
    pub states: Vec<State>,
    pub channel: Option<ChannelNumber>,
    /// The newest so many.
    pub limit: usize,
}

/// One event in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine {
    pub key: EventKey,
    pub id: EventId,
    pub conversation: String,
    pub kind: String,
    pub received: Moment,
    pub state: State,
    pub why: Option<String>,
    /// Replies of it that may have been seen twice.
    pub maybe_twice: u32,
}

const LINE: &str = "SELECT key, conversation, kind, received, state, why,
    (SELECT count(*) FROM reply WHERE reply.key = event.key AND maybe_twice > 0) FROM event";

/// Events that have begun, and those in the index of the failed.
const BEGUN_OR_FAILED: &str = "SELECT key, state FROM event WHERE key IN (
        SELECT * FROM (SELECT key FROM lane ORDER BY key DESC LIMIT ?1)
        UNION ALL SELECT * FROM (SELECT key FROM behind ORDER BY key DESC LIMIT ?1)
        UNION ALL SELECT * FROM (SELECT key FROM event WHERE state IN (4, 5) ORDER BY key DESC LIMIT ?1))
    ORDER BY key DESC LIMIT ?1";

/// Events of one channel that nobody has begun with: they are past its cursor.
const AHEAD: &str = "SELECT event.key, event.state FROM event JOIN channel ON channel.number = ?2
    WHERE event.key > channel.cursor AND event.key < ?3 AND event.state = 0 ORDER BY event.key DESC LIMIT ?1";

/// Events that are held.
const HELD_ONES: &str = "SELECT event.key, event.state FROM event JOIN held ON held.key = event.key
    ORDER BY held.key DESC LIMIT ?1";

/// Whether a channel has begun something, or has something ahead of its cursor, or something held.
const OPEN: &str = "SELECT EXISTS (SELECT 1 FROM lane WHERE channel = ?1) OR EXISTS (
    SELECT 1 FROM event JOIN channel ON channel.number = ?1
    WHERE event.key > channel.cursor AND event.key < ?2 AND event.state = 0)
    OR EXISTS (SELECT 1 FROM held WHERE key > ?3 AND key < ?2)";

/// A number that is another one after each commit of somebody else.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}

/// Lets through what is in one of these states; with none, everything.
fn in_states(states: &[State]) -> String {
    let number = |state: &State| match state {
        State::Open => format!("{},{HELD}", State::Open as i64),
        _ => (*state as i64).to_string(),
    };
    let states = states.iter().map(number).collect::<Vec<_>>().join(",");
    if states.is_empty() { String::new() } else { format!("AND state IN ({states})") }
}

/// Why a reader cannot begin: other than for the writer, it is mostly the wrong user.
fn unread(doing: &str, error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            format!("{doing}: {error}; {AS_OWNER}")
        }
        _ => words(doing, error).0,
    }
}

impl Reader {
    /// Opens the store at `path` for reading.
    pub fn open(path: &Path) -> Result<Reader, StoreError> {
        let said = |what: String| StoreError(format!("store {}: {what}", path.display()));
        let mut file = File::open(path).map_err(|error| said(unseen(&error)))?;
        if is_empty(path) {
            return Err(said(unseen(&ErrorKind::NotFound.into())));
        }
        // All of a store may still be in the log beside it; then SQLite is asked.
        if file.metadata().is_ok_and(|file| file.len() > 0) {
            header(&mut file, has_log(path)).map_err(said)?;
        }
        Reader::connect(path)
    }

    /// The same in the process that writes the store, with little memory. The file is opened by SQLite alone: were it closed
    /// by anybody else, the kernel would take the locks of the whole process away (fcntl(2), POSIX record locks), and another
    /// program could take the log for left over, and delete it.
    pub fn beside(path: &Path) -> Result<Reader, StoreError> {
        let reader = Reader::connect(path)?;
        let thrifty = reader.connection.execute_batch("PRAGMA cache_size = -64;");
        thrifty.map_err(|error| words("setting up", &error))?;
        Ok(reader)
    }

    fn connect(path: &Path) -> Result<Reader, StoreError> {
        let said = |what: String| StoreError(format!("store {}: {what}", path.display()));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| said(unread("opening", &error)))?;
        let ours = connection.query_row("PRAGMA application_id", [], |row| row.get::<_, i32>(0));
        if ours.is_ok_and(|number| number != APPLICATION) {
            return Err(said(FOREIGN.to_owned()));
        }
        let ready = connection.execute_batch("PRAGMA busy_timeout = 2000; SELECT 1 FROM event LIMIT 1;");
        let version = ready.and_then(|()| data_version(&connection));
        let version = version.map_err(|error| said(unread("reading", &error)))?;
        Ok(Reader { connection, version })
    }

    /// The channels that the store has seen.
    pub fn channels(&self) -> Result<Vec<(ChannelNumber, String)>, StoreError> {
        channels(&self.connection)
    }

    /// The newest events that pass the filter, oldest first.
    pub fn events(&self, filter: &Filter) -> Result<Vec<EventLine>, StoreError> {
        let mut lines = Vec::new();
        for (channel, name) in self.channels()? {
            if filter.channel.is_some_and(|only| only != channel) {
                continue;
            }
            let range = (EventKey::before_first(channel), EventKey::after_last(channel));
            lines.extend(self.lines(range, &name, &in_states(&filter.states), "DESC", filter.limit)?);
        }
        in_order_of_arrival(&mut lines);
        let surplus = lines.len().saturating_sub(filter.limit);
        lines.drain(..surplus);
        Ok(lines)
    }

    /// The next `limit` events behind `after` in its channel's order of arrival, in one of these states (none: in
    /// any).
    pub fn next(&self, after: EventKey, states: &[State], limit: usize) -> Result<Vec<EventLine>, StoreError> {
        let name = channel_name(&self.connection, after.channel())?;
        self.lines((after, EventKey::after_last(after.channel())), &name, &in_states(states), "ASC", limit)
    }

    /// Events between two keys that `only`, a condition in SQL, lets through.
    pub(super) fn lines(
        &self,
        (after, before): (EventKey, EventKey),
        channel: &str,
        only: &str,
        order: &str,
        limit: usize,
    ) -> Result<Vec<EventLine>, StoreError> {
        let query = format!("{LINE} WHERE key > ?1 AND key < ?2 {only} ORDER BY key {order} LIMIT ?3");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = || -> rusqlite::Result<Vec<EventLine>> {
            let mut lines = self.connection.prepare(&query)?;
            lines.query_map(params![after.0, before.0, limit], |row| line(row, channel))?.collect()
        };
        read().map_err(|error| words("reading", &error))
    }

    /// The newest event of a channel; where there is none, the key before the first.
    pub fn newest(&self, channel: ChannelNumber) -> Result<EventKey, StoreError> {
        let from = EventKey::before_first(channel);
        let newest = self
            .connection
            .query_row(
                "SELECT max(key) FROM event WHERE key > ?1 AND key < ?2",
                [from.0, EventKey::after_last(channel).0],
                |row| row.get::<_, Option<i64>>(0),
            )
            .map_err(|error| words("reading", &error))?;
        Ok(newest.map_or(from, EventKey))
    }

    /// The newest `limit` events whose state may still change: open ones, and those that can be replayed. It looks
    /// only where such events are, so a long past costs nothing.
    pub fn unsettled(&self, limit: usize) -> Result<Shelf<EventKey, State>, StoreError> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = |query: &str, values: &[&dyn ToSql]| -> rusqlite::Result<Vec<(EventKey, State)>> {
            let mut rows = self.connection.prepare(query)?;
            rows.query_map(values, |row| Ok((EventKey(row.get(0)?), State::of(row.get(1)?))))?.collect()
        };
        let mut newest = Shelf::new();
        let begun = read(BEGUN_OR_FAILED, &[&most]).map_err(|error| words("reading", &error))?;
        newest.extend(begun);
        if has_table(&self.connection, "held").map_err(|error| words("reading", &error))? {
            newest.extend(read(HELD_ONES, &[&most]).map_err(|error| words("reading", &error))?);
        }
        for (channel, _) in self.channels()? {
            let ahead = read(AHEAD, &[&most, &channel.0, &EventKey::after_last(channel).0]);
            newest.extend(ahead.map_err(|error| words("reading", &error))?);
            while newest.len() > limit {
                newest.pop_first();
            }
        }
        Ok(newest)
    }

    /// A number that is another one after each commit of somebody else, as long as this reader lives.
    pub fn version(&self) -> Result<i64, StoreError> {
        data_version(&self.connection).map_err(|error| words("reading", &error))
    }

    /// Whether somebody committed something since this was last asked, or since the store was opened.
    pub fn changed(&mut self) -> Result<bool, StoreError> {
        let version = self.version()?;
        Ok(std::mem::replace(&mut self.version, version) != version)
    }

    /// One event as a line.
    pub fn event(&self, event: EventKey) -> Result<Option<EventLine>, StoreError> {
        let name = channel_name(&self.connection, event.channel())?;
        self.connection
            .query_row(&format!("{LINE} WHERE key = ?1"), [event.0], |row| line(row, &name))
            .optional()
            .map_err(|error| words("reading", &error))
    }

    /// The key of an event by the name that `events` shows (`page-17`), by the platform's own id, or by the id that the
    /// platform gave a reply to it.
    pub fn find(&self, name: &str) -> Result<Option<EventKey>, StoreError> {
        self.find_among(name, usize::MAX)
    }

    /// The same; no more than so many replies are asked for the id, those of the newest events of each channel.
    pub fn find_among(&self, name: &str, replies_max: usize) -> Result<Option<EventKey>, StoreError> {
        if let Ok(id) = name.parse::<EventId>() {
            let known = self.channels()?.into_iter().find(|(_, channel)| *channel == id.channel);
            if let Some((channel, _)) = known {
                return Ok(Some(EventKey::new(channel, id.place)));
            }
        }
        for (channel, _) in self.channels()? {
            let key = self
                .connection
                .query_row("SELECT key FROM event WHERE channel = ?1 AND id = ?2", params![channel.0, name], |row| {
                    row.get(0)
                })
                .optional()
                .map_err(|error| words("reading", &error))?;
            if let Some(key) = key {
                return Ok(Some(EventKey(key)));
            }
        }
        Ok(self.said_among(name, replies_max)?.map(|(event, _)| event))
    }

    /// The reply that the platform calls so: its event, and its part. Nothing but a person asks this, so no index
    /// serves it.
    pub fn said_as(&self, message_id: &str) -> Result<Option<(EventKey, u32)>, StoreError> {
        self.said_among(message_id, usize::MAX)
    }

    fn said_among(&self, message_id: &str, replies_max: usize) -> Result<Option<(EventKey, u32)>, StoreError> {
        let sql = "SELECT key, part FROM (SELECT key, part, message_id FROM reply WHERE key > ?2 AND key < ?3
                   ORDER BY key DESC LIMIT ?4) WHERE message_id = ?1 LIMIT 1";
        let most = i64::try_from(replies_max).unwrap_or(i64::MAX);
        for (channel, _) in self.channels()? {
            let (after, before) = (EventKey::before_first(channel), EventKey::after_last(channel));
            let said = |row: &Row<'_>| Ok((EventKey(row.get(0)?), row.get(1)?));
            let found = self.connection.query_row(sql, params![message_id, after.0, before.0, most], said);
            if let Some(found) = found.optional().map_err(|error| words("reading", &error))? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Until when a channel rests, and why, as its daemon noted it.
    pub fn rest(&self, channel: &str, now: Moment) -> Result<Option<(Moment, String)>, StoreError> {
        let sql = "SELECT expires, CAST(value AS TEXT) FROM memory WHERE bot = ?1 AND name = ?2 AND expires > ?3";
        let found = self
            .connection
            .query_row(sql, params![RESTS, channel, now.0], |row| Ok((Moment(row.get(0)?), row.get(1)?)));
        found.optional().map_err(|error| words("reading", &error))
    }

    /// The whole life of one event, as it was at one moment.
    pub fn life(&self, event: EventKey) -> Result<Option<Life>, StoreError> {
        // A commit between two of its statements would show a reply that was said of an event that waits to say it.
        let moment = self.connection.unchecked_transaction().map_err(|error| words("reading", &error))?;
        life(&moment, event)
    }
}

pub(super) fn channels_that_wait(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for (channel, name) in channels(connection)? {
        let (start, end) = (EventKey::before_first(channel), EventKey::after_last(channel));
        let open = connection
            .query_row(OPEN, params![channel.0, end.0, start.0], |row| row.get(0))
            .map_err(|error| words("reading", &error))?;
        if open {
            names.push(name);
        }
    }
    Ok(names)
}

/// Puts the lines of several channels in one order.
pub(super) fn in_order_of_arrival(lines: &mut [EventLine]) {
    lines.sort_by_key(|line| (line.received, line.key));
}

fn channels(connection: &Connection) -> Result<Vec<(ChannelNumber, String)>, StoreError> {
    let read = || -> rusqlite::Result<_> {
        let mut all = connection.prepare("SELECT number, name FROM channel ORDER BY number")?;
        let rows = all.query_map([], |row| Ok((ChannelNumber(row.get(0)?), row.get(1)?)))?;
        rows.collect()
    };
    read().map_err(|error| words("reading", &error))
}

fn line(row: &Row<'_>, channel: &str) -> rusqlite::Result<EventLine> {
    let key = EventKey(row.get(0)?);
    Ok(EventLine {
        key,
        id: EventId { channel: channel.to_owned(), place: key.place(), part: None },
        conversation: row.get(1)?,
        kind: row.get(2)?,
        received: Moment(row.get(3)?),
        state: State::of(row.get(4)?),
        why: row.get(5)?,
        maybe_twice: row.get(6)?,
    })
}

pub(super) fn channel_name(connection: &Connection, channel: ChannelNumber) -> Result<String, StoreError> {
    let name = connection
        .query_row("SELECT name FROM channel WHERE number = ?1", [channel.0], |row| row.get(0))
        .optional()
        .map_err(|error| words("reading", &error))?;
    Ok(name.unwrap_or_else(|| channel.0.to_string()))
}

/// The whole life of one event, for `Store::life` and `Reader::life`.
pub(super) fn life(connection: &Connection, event: EventKey) -> Result<Option<Life>, StoreError> {
    let channel = channel_name(connection, event.channel())?;
    let read = |row: &Row<'_>| {
        Ok(Life {
            event,
            id: EventId { channel: channel.clone(), place: event.place(), part: None },
            platform_id: row.get(0)?,
            conversation: row.get(1)?,
            kind: row.get(2)?,
            received: Moment(row.get(3)?),
            kept: Moment(row.get(4)?),
            state: State::of(row.get(5)?),
            ended: row.get::<_, Option<i64>>(6)?.map(Moment),
            why: row.get(7)?,
            head: row.get::<_, Option<String>>(10)?.map(|short| written_out(&short)),
            raw: row.get(8)?,
            due: row.get::<_, Option<i64>>(9)?.map(Moment),
            held: (row.get::<_, i64>(5)? == HELD).then(Moment::default),
            replies: Vec::new(),
            replays: Vec::new(),
        })
    };
    let old = is_before_heads(connection).map_err(|error| words("reading", &error))?;
    let query = format!(
        "SELECT id, conversation, kind, received, kept, state, ended, why, raw,
                (SELECT due FROM lane WHERE lane.lane = event.lane AND lane.key = event.key), {}
         FROM event WHERE key = ?1",
        if old { "NULL" } else { "head" }
    );
    let found = connection.query_row(&query, [event.0], read).optional().map_err(|error| words("reading", &error))?;
    let Some(mut life) = found else { return Ok(None) };
    if life.held.is_some() {
        let since = connection.query_row("SELECT since FROM held WHERE key = ?1", [event.0], |row| row.get(0));
        life.held = since.optional().map_err(|error| words("reading", &error))?.map(Moment);
    }
    life.replies = replies(connection, event)?;
    life.replays = replays(connection, event, old).map_err(|error| words("reading", &error))?;
    Ok(Some(life))
}

fn replies(connection: &Connection, event: EventKey) -> Result<Vec<ReplyLife>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(ReplyLife, String)>> {
        let mut all = connection.prepare(
            "SELECT part, state, made, maybe_twice, message_id, content FROM reply WHERE key = ?1 ORDER BY part",
        )?;
        let rows = all.query_map([event.0], |row| {
            let reply = ReplyLife {
                part: row.get(0)?,
                state: State::of(row.get(1)?),
                reply: crate::model::Reply::text("", ""),
                made: Moment(row.get(2)?),
                maybe_twice: row.get(3)?,
                message_id: row.get(4)?,
                attempts: Vec::new(),
            };
            Ok((reply, row.get(5)?))
        })?;
        rows.collect()
    };
    let mut lives = Vec::new();
    for (mut life, content) in read().map_err(|error| words("reading", &error))? {
        life.reply = from_json(&content)?;
        life.attempts = attempts(connection, event, life.part).map_err(|error| words("reading", &error))?;
        lives.push(life);
    }
    Ok(lives)
}

/// A reader may meet a file that an earlier version wrote; it makes no tables.
fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let known = "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    connection.query_row(known, [name], |row| row.get(0))
}

/// Whether an earlier version wrote the file: no head is in it, and no event was resolved.
fn is_before_heads(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? < HEADS)
}

fn replays(connection: &Connection, event: EventKey, old: bool) -> rusqlite::Result<Vec<PutBack>> {
    if !has_table(connection, "replay")? {
        return Ok(Vec::new());
    }
    let resolved = if old { "0" } else { "resolved" };
    let query = format!("SELECT at, state, ended, why, made, {resolved} FROM replay WHERE key = ?1 ORDER BY at");
    let mut all = connection.prepare(&query)?;
    let rows = all.query_map([event.0], |row| {
        Ok(PutBack {
            at: Moment(row.get(0)?),
            state: State::of(row.get(1)?),
            ended: row.get::<_, Option<i64>>(2)?.map(Moment),
            why: row.get(3)?,
            made: row.get::<_, Option<i64>>(4)?.map(Moment),
            resolved: row.get(5)?,
        })
    })?;
    rows.collect()
}

fn attempts(connection: &Connection, event: EventKey, part: u32) -> rusqlite::Result<Vec<Attempt>> {
    let mut all = connection.prepare(
        "SELECT number, began, ended, status, words FROM attempt WHERE key = ?1 AND part = ?2
         UNION ALL SELECT attempts, began, ended, status, words FROM reply
                   WHERE key = ?1 AND part = ?2 AND ended IS NOT NULL ORDER BY 1",
    )?;
    let rows = all.query_map(params![event.0, part], |row| {
        Ok(Attempt {
            part,
            number: row.get(0)?,
            began: Moment(row.get(1)?),
            ended: Moment(row.get(2)?),
            status: row.get(3)?,
            words: row.get(4)?,
        })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use crate::model::Reply;
    use crate::store::Store;
    use crate::store::sqlite::SqliteFile;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_life_is_of_one_moment_wherever_in_it_somebody_commits() {
        let folder = Folder::new("reader-moment");
        let path = folder.join("ackd.db");
        let file = SqliteFile::open(&path).unwrap();
        let mut store = file.engine().unwrap();
        let channel = store.channel("page").unwrap();
        store.push(channel, "a1", &[Reply::text("anna", "one")], Moment(1)).unwrap();
        store.commit().unwrap();
        let mut reader = Reader::open(&path).unwrap();
        let event = reader.newest(channel).unwrap();
        let both = |state: State| {
            let state = state as i64;
            format!(
                "PRAGMA synchronous = OFF; BEGIN; UPDATE event SET state = {state}; UPDATE reply SET state = {state};
                 COMMIT;"
            )
        };
        let put = |state: State| {
            let writer = Connection::open(&path).unwrap();
            writer.execute_batch(&both(state)).unwrap();
        };
        let (mut steps, mut seen) = (0, [0, 0]);
        loop {
            put(State::Open);
            // After so many steps of the reader's statements the other one commits, once.
            let (mut left, committed) = (steps, Arc::new(AtomicBool::new(false)));
            let (told, writer) = (Arc::clone(&committed), Connection::open(&path).unwrap());
            let answered = both(State::Answered);
            let commit = move || {
                if left == 0 {
                    writer.execute_batch(&answered).unwrap();
                    told.store(true, Ordering::Relaxed);
                }
                left -= 1;
                false
            };
            reader.connection.progress_handler(1, Some(commit)).unwrap();
            let life = reader.life(event).unwrap().unwrap();
            reader.connection.progress_handler(0, None::<fn() -> bool>).unwrap();
            let states: Vec<_> = life.replies.iter().map(|reply| reply.state).collect();
            assert_eq!(states, [life.state], "after {steps} steps");
            if !committed.load(Ordering::Relaxed) {
                break;
            }
            seen[usize::from(life.state == State::Answered)] += 1;
            steps += 1;
        }
        assert!(seen[0] > 0 && steps > 20, "{seen:?}");
    }
}
