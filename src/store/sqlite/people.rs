//! Lists for people: `ackd events` and `ackd why`. They read a store that a daemon may be writing, and never wait
//! for it.

use super::engine::from_json;
use super::file::words;
use crate::model::{Attempt, ChannelNumber, EventId, EventKey, Moment};
use crate::store::{Life, ReplyLife, State, StoreError};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use std::path::Path;

/// A second, read-only look at a store.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only in one of these states; empty for all.
    pub states: Vec<State>,
    pub channel: Option<ChannelNumber>,
    /// Only events after this one of their channel, for following.
    pub after: Option<EventKey>,
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

impl Reader {
    /// Opens the store at `path` for reading.
    pub fn open(path: &Path) -> Result<Reader, StoreError> {
        let said = |what: String| StoreError(format!("store {}: {what}", path.display()));
        if !path.exists() {
            return Err(said("there is none yet; `ackd run` makes it".to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| said(words("opening", &error).0))?;
        let ready = connection.execute_batch("PRAGMA busy_timeout = 2000; SELECT 1 FROM event LIMIT 1;");
        ready.map_err(|error| said(words("reading", &error).0))?;
        Ok(Reader { connection })
    }

    /// The channels that the store has seen.
    pub fn channels(&self) -> Result<Vec<(ChannelNumber, String)>, StoreError> {
        let read = || -> rusqlite::Result<_> {
            let mut all = self.connection.prepare("SELECT number, name FROM channel ORDER BY number")?;
            let rows = all.query_map([], |row| Ok((ChannelNumber(row.get(0)?), row.get(1)?)))?;
            rows.collect()
        };
        read().map_err(|error| words("reading", &error))
    }

    /// The newest events that pass the filter, oldest first.
    pub fn events(&self, filter: &Filter) -> Result<Vec<EventLine>, StoreError> {
        let mut lines = Vec::new();
        for (channel, name) in self.channels()? {
            if filter.channel.is_some_and(|only| only != channel) {
                continue;
            }
            let from = filter.after.filter(|after| after.channel() == channel);
            let from = from.unwrap_or(EventKey::before_first(channel));
            let states = filter.states.iter().map(|state| (*state as i64).to_string()).collect::<Vec<_>>().join(",");
            let only = if states.is_empty() { String::new() } else { format!("AND state IN ({states})") };
            let query = format!("{LINE} WHERE key > ?1 AND key < ?2 {only} ORDER BY key DESC LIMIT ?3");
            let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
            let read = || -> rusqlite::Result<Vec<EventLine>> {
                let mut newest = self.connection.prepare(&query)?;
                let end = EventKey::after_last(channel).0;
                newest.query_map(params![from.0, end, limit], |row| line(row, &name))?.collect()
            };
            lines.extend(read().map_err(|error| words("reading", &error))?);
        }
        lines.sort_by_key(|line| (line.received, line.key));
        let surplus = lines.len().saturating_sub(filter.limit);
        lines.drain(..surplus);
        Ok(lines)
    }

    /// One event as a line.
    pub fn event(&self, event: EventKey) -> Result<Option<EventLine>, StoreError> {
        let name = channel_name(&self.connection, event.channel())?;
        self.connection
            .query_row(&format!("{LINE} WHERE key = ?1"), [event.0], |row| line(row, &name))
            .optional()
            .map_err(|error| words("reading", &error))
    }

    /// The key of an event by the name that `events` shows (`page-17`), or by the platform's own id.
    pub fn find(&self, name: &str) -> Result<Option<EventKey>, StoreError> {
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
        Ok(None)
    }

    /// The whole life of one event.
    pub fn life(&self, event: EventKey) -> Result<Option<Life>, StoreError> {
        life(&self.connection, event)
    }
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

fn channel_name(connection: &Connection, channel: ChannelNumber) -> Result<String, StoreError> {
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
            raw: row.get(8)?,
            due: row.get::<_, Option<i64>>(9)?.map(Moment),
            replies: Vec::new(),
        })
    };
    let found = connection
        .query_row(
            "SELECT id, conversation, kind, received, kept, state, ended, why, raw,
                    (SELECT due FROM lane WHERE lane.lane = event.lane AND lane.key = event.key)
             FROM event WHERE key = ?1",
            [event.0],
            read,
        )
        .optional()
        .map_err(|error| words("reading", &error))?;
    let Some(mut life) = found else { return Ok(None) };
    life.replies = replies(connection, event)?;
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
