//! The file's shape, and how an older file becomes one of today.

use super::file::words;
use crate::store::StoreError;
use rusqlite::Connection;

/// "ackd" in the file's header: a file with another number is somebody else's.
pub const APPLICATION: i32 = 0x6163_6b64;

/// Each step makes a file of the version before it (0: empty) into its own. Steps are only ever added.
const STEPS: [&str; 7] = [
    r"
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    INSERT INTO about VALUES ('identity', lower(hex(randomblob(6))));

    -- cursor: every event up to here is ended, or in lane, or in behind; some after it may be, too.
    CREATE TABLE channel (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cursor INTEGER NOT NULL);

    -- state: 0 open, 2 answered, 3 ignored, 4 dead, 5 unknown. Times are milliseconds since 1970.
    CREATE TABLE event (
        key INTEGER PRIMARY KEY,            -- channel * 2^44 + place in the order of arrival
        channel INTEGER NOT NULL, id TEXT NOT NULL, conversation TEXT NOT NULL, lane INTEGER NOT NULL,
        kind TEXT NOT NULL, received INTEGER NOT NULL, kept INTEGER NOT NULL,
        state INTEGER NOT NULL, ended INTEGER, why TEXT, raw BLOB NOT NULL);
    CREATE UNIQUE INDEX event_once ON event (channel, id);
    CREATE INDEX event_failed ON event (state, key) WHERE state IN (4, 5);

    -- What each conversation is at. phase: 0 to be heard, 1 replies to be sent.
    CREATE TABLE lane (
        lane INTEGER PRIMARY KEY, channel INTEGER NOT NULL, key INTEGER NOT NULL,
        phase INTEGER NOT NULL, due INTEGER NOT NULL, attempt INTEGER NOT NULL);
    CREATE INDEX lane_due ON lane (channel, phase, due);
    -- Events whose conversation was busy when their turn came.
    CREATE TABLE behind (lane INTEGER NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (lane, key)) WITHOUT ROWID;

    -- state as above, and 6 skipped. begun: an attempt is under way since. proved: an echo showed it delivered.
    CREATE TABLE reply (
        key INTEGER NOT NULL, part INTEGER NOT NULL, state INTEGER NOT NULL, made INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, begun INTEGER, maybe_twice INTEGER NOT NULL DEFAULT 0,
        proved INTEGER NOT NULL DEFAULT 0, message_id TEXT, content TEXT NOT NULL,
        began INTEGER, ended INTEGER, status INTEGER, words TEXT,       -- the last attempt, once it has ended
        PRIMARY KEY (key, part)) WITHOUT ROWID;
    -- The attempts before the last one.
    CREATE TABLE attempt (
        key INTEGER NOT NULL, part INTEGER NOT NULL, number INTEGER NOT NULL,
        began INTEGER NOT NULL, ended INTEGER NOT NULL, status INTEGER, words TEXT NOT NULL,
        PRIMARY KEY (key, part, number)) WITHOUT ROWID;

    CREATE TABLE memory (
        bot TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, expires INTEGER,
        PRIMARY KEY (bot, name)) WITHOUT ROWID;
    CREATE INDEX memory_expires ON memory (expires) WHERE expires IS NOT NULL;
",
    r"
    -- Events that were put back: when, how they stood before, and when their replies were made, if there were any.
    CREATE TABLE replay (
        key INTEGER NOT NULL, at INTEGER NOT NULL, state INTEGER NOT NULL, ended INTEGER, why TEXT, made INTEGER,
        PRIMARY KEY (key, at)) WITHOUT ROWID;
",
    r"
    -- Whether a conversation has an unknown reply is asked for each message of ours that comes back.
    CREATE INDEX event_doubt ON event (lane) WHERE state = 5;
",
    r"
    -- What is to ring. content: what it was set to, as JSON. The first index finds those of a conversation, whose lane
    -- says the channel, too; the second one those that are due, without a look at their rows.
    CREATE TABLE alarm (
        number INTEGER PRIMARY KEY, channel INTEGER NOT NULL, conversation TEXT NOT NULL, name TEXT NOT NULL,
        lane INTEGER NOT NULL, owner TEXT NOT NULL, content TEXT NOT NULL, due INTEGER NOT NULL,
        UNIQUE (lane, channel, conversation, name));
    CREATE INDEX alarm_due ON alarm (channel, due, lane);
    CREATE INDEX alarm_owner ON alarm (owner);

    -- When somebody last wrote in a conversation.
    CREATE TABLE contact (lane INTEGER PRIMARY KEY, wrote INTEGER NOT NULL);
    CREATE INDEX contact_wrote ON contact (wrote);

    -- Open events that are said when somebody writes. In event, their state is 1, so that nobody hands them out.
    CREATE TABLE held (key INTEGER PRIMARY KEY, lane INTEGER NOT NULL, alarm TEXT, since INTEGER NOT NULL);
    CREATE INDEX held_lane ON held (lane);
    CREATE INDEX held_since ON held (since);

    -- How many keys each bot remembers: to count a million takes a second.
    CREATE TABLE remembered (bot TEXT PRIMARY KEY, keys INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO remembered SELECT bot, count(*) FROM memory GROUP BY bot;
    CREATE TRIGGER memory_more AFTER INSERT ON memory BEGIN
        INSERT INTO remembered VALUES (new.bot, 1) ON CONFLICT (bot) DO UPDATE SET keys = keys + 1; END;
    CREATE TRIGGER memory_less AFTER DELETE ON memory BEGIN
        UPDATE remembered SET keys = keys - 1 WHERE bot = old.bot; END;
",
    r"
    -- Events whose bot goes on with its answer, from the moment `due`, when what it has said so far is sent.
    CREATE TABLE stage (key INTEGER PRIMARY KEY, number INTEGER NOT NULL, note BLOB NOT NULL, due INTEGER NOT NULL);
",
    r"
    -- The head of the request that brought it, in which every secret was masked before; in shorthand (src/notation/shorthand.rs).
    ALTER TABLE event ADD COLUMN head TEXT;
    -- 1: it was not put back; the operator had dealt with it.
    ALTER TABLE replay ADD COLUMN resolved INTEGER NOT NULL DEFAULT 0;
",
    r"
    -- How often in a row it was handed out, and nobody settled it.
    ALTER TABLE lane ADD COLUMN handed INTEGER NOT NULL DEFAULT 0;
",
];

/// The version that this program writes.
pub const VERSION: i64 = STEPS.len() as i64;

/// Since this version a file has heads of requests, and events that were resolved.
pub const HEADS: i64 = 6;

/// Brings a file of version `from` up to date, all steps in one transaction.
pub fn migrate(connection: &Connection, from: i64) -> Result<(), StoreError> {
    let steps = usize::try_from(from).ok().and_then(|from| STEPS.get(from..)).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    let script = format!(
        "BEGIN IMMEDIATE; {} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;",
        steps.concat()
    );
    connection.execute_batch(&script).map_err(|error| words("setting up the store", &error))
}
