//! Every statement that the engine says, prepared once, when it is first said; and how one is run.

use super::file::words;
use crate::store::StoreError;
use rusqlite::{Connection, OptionalExtension, Params, PrepFlags, Row, Statement};

/// A statement that is prepared when it is first said. Each takes some KiB, and a daemon that nobody asks anything says
/// few of them.
pub(super) struct Saying<'file> {
    connection: &'file Connection,
    sql: &'static str,
    prepared: Option<Statement<'file>>,
}

impl<'file> Saying<'file> {
    pub(super) fn on(connection: &'file Connection, sql: &'static str) -> Saying<'file> {
        Saying { connection, sql, prepared: None }
    }

    /// Until it is said again, which is not soon, it takes no room.
    pub(super) fn put_away(&mut self) {
        self.prepared = None;
    }

    /// The statement itself, for whoever reads its rows one by one.
    pub(super) fn ready(&mut self) -> rusqlite::Result<&mut Statement<'file>> {
        match &mut self.prepared {
            Some(prepared) => Ok(prepared),
            // It lives long, so it leaves the connection's quick memory to what lives for one commit: values, rows.
            empty => {
                Ok(empty.insert(self.connection.prepare_with_flags(self.sql, PrepFlags::SQLITE_PREPARE_PERSISTENT)?))
            }
        }
    }
}

macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        pub(super) struct Statements<'file> { $(pub(super) $name: Saying<'file>,)* }
        impl<'file> Statements<'file> {
            pub(super) fn on(connection: &'file Connection) -> Statements<'file> {
                Statements { $($name: Saying::on(connection, $sql),)* }
            }
            #[cfg(test)]
            fn all(&mut self) -> Vec<&mut Saying<'file>> {
                vec![$(&mut self.$name,)*]
            }
        }
    };
}

statements! {
    begin = "BEGIN IMMEDIATE";
    commit = "COMMIT";
    admit = "INSERT INTO event (key, channel, id, conversation, lane, kind, received, kept, state, ended, why, raw, head)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (channel, id) DO NOTHING";
    waiting_ahead = "SELECT count(*), min(received) FROM
                     (SELECT received FROM event WHERE key > ?1 AND key < ?2 AND state = 0 ORDER BY key LIMIT ?3)";
    waiting_in_lanes = "WITH part AS (SELECT key FROM lane WHERE channel = ?1 LIMIT ?2) SELECT
                        (SELECT count(*) FROM part),
                        (SELECT received FROM event WHERE key = (SELECT min(key) FROM part))";
    waiting_behind = "SELECT key >> 44, count(*) FROM (SELECT key FROM behind LIMIT ?1) GROUP BY 1";
    kept = "SELECT key FROM event WHERE channel = ?1 AND id = ?2";
    end_event = "UPDATE event SET state = ?2, ended = ?3, why = ?4 WHERE key = ?1";
    ahead = "SELECT key, lane, kind = 'push' FROM event WHERE key > ?1 AND key < ?2 AND state = 0 ORDER BY key LIMIT ?3";
    to_hear = "SELECT conversation, kind, received, raw,
               ifnull((SELECT max(at) FROM replay WHERE replay.key = event.key), received), number, note
               FROM event LEFT JOIN stage USING (key) WHERE key = ?1";
    stage_put = "INSERT INTO stage (key, number, note, due) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (key) DO UPDATE SET number = ?2, note = ?3, due = ?4";
    stage_drop = "DELETE FROM stage WHERE key = ?1";
    stands = "SELECT state, lane, why FROM event WHERE key = ?1";
    replay_put = "INSERT OR IGNORE INTO replay (key, at, state, ended, why, made, resolved)
                  SELECT key, ?2, state, ended, why, (SELECT min(made) FROM reply WHERE reply.key = event.key), ?3
                  FROM event WHERE key = ?1";
    reopen = "UPDATE event SET state = 0, ended = NULL, why = NULL WHERE key = ?1";
    save_cursor = "UPDATE channel SET cursor = ?2 WHERE number = ?1";

    lane_at = "SELECT key FROM lane WHERE lane = ?1";
    lane_due = "SELECT lane, key, attempt, handed FROM lane WHERE channel = ?1 AND phase = ?2 AND due <= ?3
                AND handed <= ?5 ORDER BY due LIMIT ?4";
    lane_next = "SELECT due FROM lane WHERE channel = ?1 AND phase = ?2 AND due > ?3 ORDER BY due LIMIT 1";
    lane_put = "INSERT INTO lane (lane, channel, key, phase, due, attempt, handed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                ON CONFLICT (lane) DO UPDATE SET key = ?3, phase = ?4, due = ?5, attempt = ?6, handed = ?7";
    lane_back = "UPDATE lane SET handed = 1, due = ?2 WHERE lane = ?1";
    lane_drop = "DELETE FROM lane WHERE lane = ?1";
    behind_put = "INSERT OR IGNORE INTO behind (lane, key) VALUES (?1, ?2)";
    behind_first = "SELECT key FROM behind WHERE lane = ?1 ORDER BY key LIMIT 1";
    behind_drop = "DELETE FROM behind WHERE lane = ?1 AND key = ?2";

    reply_put = "INSERT INTO reply (key, part, state, made, content, attempts, begun)
                 VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6) ON CONFLICT (key, part) DO NOTHING";
    reply_next = "SELECT part, attempts, begun, maybe_twice, proved, content, made FROM reply
                  WHERE key = ?1 AND state = 0 ORDER BY part LIMIT 1";
    reply_begin = "UPDATE reply SET begun = ?3, attempts = ?4, maybe_twice = ?5 WHERE key = ?1 AND part = ?2";
    reply_end = "UPDATE reply SET state = ?3, begun = NULL, message_id = ?4, began = ?5, ended = ?6, status = ?7,
                 words = ?8 WHERE key = ?1 AND part = ?2";
    reply_close = "UPDATE reply SET state = ?3, begun = NULL WHERE key = ?1 AND part = ?2";
    reply_again = "UPDATE reply SET begun = NULL, maybe_twice = max(maybe_twice, ?3) WHERE key = ?1 AND part = ?2";
    reply_rest = "UPDATE reply SET state = ?2, begun = NULL WHERE key = ?1 AND state = 0";
    reply_unbegin = "UPDATE reply SET begun = NULL, attempts = max(attempts - 1, 0) WHERE key = ?1 AND part = ?2";
    reply_elsewhere = "UPDATE reply SET state = 6, words = ?3 WHERE key = ?1 AND part = ?2";
    reply_resolve = "UPDATE reply SET state = ?2 WHERE key = ?1 AND state = 5";
    reply_renew = "UPDATE reply SET made = ?2 WHERE key = ?1 AND state = 0";
    reply_proved = "SELECT proved FROM reply WHERE key = ?1 AND part = ?2";
    reply_look = "SELECT state FROM reply WHERE key = ?1 AND part = ?2";
    doubt = "SELECT 1 FROM event INDEXED BY event_doubt
             WHERE state = 5 AND lane = ?3 AND key > ?1 AND key < ?2 LIMIT 1";
    doubtful = "SELECT reply.key, reply.part, reply.content FROM event INDEXED BY event_doubt
                JOIN reply ON reply.key = event.key WHERE event.state = 5 AND event.lane = ?3
                AND event.key > ?1 AND event.key < ?2 AND reply.state = 5 ORDER BY reply.key, reply.part LIMIT ?4";
    known_as = "SELECT 1 FROM (SELECT message_id FROM reply WHERE key > ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3)
                WHERE message_id = ?4 LIMIT 1";
    reply_prove = "UPDATE reply SET proved = 1 WHERE key = ?1 AND part = ?2";
    reply_sum = "SELECT count(*), ifnull(sum(state = 4), 0), ifnull(sum(state = 5), 0), ifnull(sum(state = 0), 0),
                 min(CASE WHEN state = 6 AND ended IS NULL THEN words END),
                 (SELECT due FROM stage WHERE key = ?1) FROM reply WHERE key = ?1";
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
    memory_count = "SELECT keys FROM remembered WHERE bot = ?1";
    memory_expire = "DELETE FROM memory WHERE (bot, name) IN (SELECT bot, name FROM memory WHERE expires <= ?1 LIMIT ?2)";

    alarm_put = "INSERT INTO alarm (channel, conversation, name, lane, owner, content, due)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (lane, channel, conversation, name) DO UPDATE SET owner = ?5, content = ?6, due = ?7";
    alarm_drop = "DELETE FROM alarm WHERE lane = ?1 AND channel = ?2 AND conversation = ?3 AND name = ?4";
    alarm_move = "UPDATE alarm SET due = ?5 WHERE lane = ?1 AND channel = ?2 AND conversation = ?3 AND name = ?4";
    alarm_count = "SELECT count(*), ifnull(sum(name = ?4), 0) FROM alarm
                   WHERE lane = ?1 AND channel = ?2 AND conversation = ?3";
    alarm_at = "SELECT channel, conversation, name, content, due FROM alarm
                WHERE lane = ?1 AND channel = ?2 AND conversation = ?3 AND name = ?4";
    alarm_of_number = "SELECT channel, conversation, name, content, due FROM alarm WHERE number = ?1";
    alarms_here = "SELECT channel, conversation, name, content, due FROM alarm
                   WHERE lane = ?1 AND channel = ?2 AND conversation = ?3 ORDER BY name";
    alarms_of = "SELECT channel, conversation, name, content, due FROM alarm WHERE owner = ?1
                 ORDER BY channel, conversation, name";
    alarms_last = "SELECT channel, conversation, name, content, due FROM alarm WHERE channel = ?1 AND due > ?2
                   ORDER BY due DESC LIMIT ?3";
    alarms_due = "SELECT due, lane, number, EXISTS (SELECT 1 FROM lane WHERE lane.lane = alarm.lane) FROM alarm
                  WHERE channel = ?1 AND due <= ?2 AND (due, lane, number) > (?3, ?4, ?5)
                  ORDER BY due, lane, number LIMIT ?6";
    alarm_after = "SELECT due FROM alarm WHERE channel = ?1 AND due > ?2 ORDER BY due LIMIT 1";
    alarm_first = "SELECT min(due) FROM alarm WHERE lane = ?1";
    alarms_drop = "DELETE FROM alarm WHERE lane = ?1 AND channel = ?2
                   AND conversation = (SELECT conversation FROM event WHERE key = ?3)";

    contact_put = "INSERT INTO contact (lane, wrote) VALUES (?1, ?2)
                   ON CONFLICT (lane) DO UPDATE SET wrote = max(wrote, ?2)";
    contact_get = "SELECT wrote FROM contact WHERE lane = ?1";
    contact_expire = "DELETE FROM contact WHERE lane IN (SELECT lane FROM contact WHERE wrote < ?1 LIMIT ?2)";

    held_put = "INSERT INTO held (key, lane, alarm, since) VALUES (?1, ?2, ?3, ?4)";
    held_drop = "DELETE FROM held WHERE key = ?1 RETURNING lane";
    held_here = "SELECT key FROM held WHERE lane = ?1 ORDER BY key";
    held_for = "SELECT key FROM held WHERE lane = ?1 AND alarm = ?2";
    held_long = "SELECT key FROM held WHERE since < ?1 LIMIT ?2";

    old = "SELECT key, state, received FROM event WHERE key > ?1 AND key < ?2 ORDER BY key LIMIT ?3";
    drop_event = "DELETE FROM event WHERE key = ?1";
    drop_replies = "DELETE FROM reply WHERE key = ?1";
    drop_replays = "DELETE FROM replay WHERE key = ?1";
    drop_attempts = "DELETE FROM attempt WHERE key = ?1";
}

/// Runs a statement that gives no rows; says how many it changed.
pub(super) fn run(saying: &mut Saying<'_>, values: impl Params) -> Result<usize, StoreError> {
    saying.ready().and_then(|statement| statement.execute(values)).map_err(|error| words("writing", &error))
}

/// The first row that a statement gives, if any.
pub(super) fn first<T>(
    saying: &mut Saying<'_>,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    let row = saying.ready().and_then(|statement| statement.query_row(values, read).optional());
    row.map_err(|error| words("reading", &error))
}

/// All rows that a statement gives; its LIMIT bounds them.
pub(super) fn all<T>(
    saying: &mut Saying<'_>,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let rows = saying.ready().and_then(|statement| statement.query_map(values, read)?.collect());
    rows.map_err(|error| words("reading", &error))
}

#[cfg(test)]
mod tests {
    use crate::folder::Folder;
    use crate::model::Moment;
    use crate::store::Store;
    use crate::store::sqlite::SqliteFile;
    use rusqlite::StatementStatus;

    #[test]
    fn every_statement_can_be_said_though_most_wait_for_that() {
        let folder = Folder::new("statements-all");
        let file = SqliteFile::open(&folder.join("ackd.db")).unwrap();
        let mut engine = file.engine().unwrap();
        let waiting = engine.say.all().iter().filter(|saying| saying.prepared.is_none()).count();
        assert!(waiting > engine.say.all().len() / 2, "{waiting}");
        for saying in engine.say.all() {
            assert!(saying.ready().is_ok(), "{}", saying.sql);
        }
    }

    #[test]
    fn what_is_said_once_an_hour_takes_no_room_in_between() {
        let folder = Folder::new("statements-hourly");
        let file = SqliteFile::open(&folder.join("ackd.db")).unwrap();
        let mut engine = file.engine().unwrap();
        let channel = engine.channel("page").unwrap();
        engine.prune(Moment(0), Moment(0)).unwrap();
        engine.alarms_after(channel, Moment(0)).unwrap();
        engine.commit().unwrap();
        let ready = engine.say.all().into_iter().filter(|saying| saying.prepared.is_some()).map(|saying| saying.sql);
        assert_eq!(ready.collect::<Vec<_>>(), ["BEGIN IMMEDIATE", "COMMIT"]);
    }

    #[test]
    fn a_statement_is_not_prepared_again_for_other_values() {
        let folder = Folder::new("statements-again");
        let file = SqliteFile::open(&folder.join("ackd.db")).unwrap();
        let mut engine = file.engine().unwrap();
        for saying in engine.say.all().into_iter().filter(|saying| saying.sql.starts_with("SELECT")) {
            let sql = saying.sql;
            let statement = saying.ready().unwrap();
            for value in 1..4 {
                for place in 1..=statement.parameter_count() {
                    statement.raw_bind_parameter(place, value).unwrap();
                }
                statement.raw_query().next().unwrap();
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
        }
    }

    #[test]
    fn the_doubts_of_a_conversation_are_found_without_looking_at_others() {
        let folder = Folder::new("statements");
        let file = SqliteFile::open(&folder.join("ackd.db")).unwrap();
        let mut engine = file.engine().unwrap();
        for saying in [&mut engine.say.doubt, &mut engine.say.doubtful] {
            let explain = format!("EXPLAIN QUERY PLAN {}", saying.ready().unwrap().expanded_sql().unwrap());
            let plan: String = engine.connection.query_row(&explain, [], |row| row.get("detail")).unwrap();
            assert!(plan.starts_with("SEARCH event USING") && plan.contains("INDEX event_doubt (lane=?"), "{plan}");
        }
    }

    #[test]
    fn what_may_grow_large_is_searched_and_never_read_from_end_to_end() {
        let folder = Folder::new("statements-large");
        let file = SqliteFile::open(&folder.join("ackd.db")).unwrap();
        let mut engine = file.engine().unwrap();
        let say = &mut engine.say;
        let by_due = "SEARCH alarm USING COVERING INDEX alarm_due (channel=?";
        for (saying, wanted) in [
            (&mut say.alarms_due, by_due),
            (&mut say.alarm_after, by_due),
            (&mut say.alarms_last, "SEARCH alarm USING INDEX alarm_due (channel=? AND due>?"),
            (&mut say.alarm_first, "SEARCH alarm USING INDEX sqlite_autoindex_alarm_1 (lane=?"),
            (&mut say.alarms_here, "SEARCH alarm USING INDEX sqlite_autoindex_alarm_1 (lane=?"),
            (&mut say.alarms_drop, "SEARCH alarm USING COVERING INDEX sqlite_autoindex_alarm_1 (lane=?"),
            (&mut say.alarms_of, "SEARCH alarm USING INDEX alarm_owner (owner=?"),
            (&mut say.memory_count, "SEARCH remembered USING PRIMARY KEY"),
            (&mut say.memory_expire, "SEARCH memory USING PRIMARY KEY (bot=? AND name=?"),
            (&mut say.contact_expire, "SEARCH contact USING INTEGER PRIMARY KEY"),
            (&mut say.held_here, "SEARCH held USING COVERING INDEX held_lane (lane=?"),
            (&mut say.held_long, "SEARCH held USING COVERING INDEX held_since (since<?"),
        ] {
            let explain = format!("EXPLAIN QUERY PLAN {}", saying.ready().unwrap().expanded_sql().unwrap());
            let mut plan = engine.connection.prepare(&explain).unwrap();
            let steps = plan.query_map([], |row| row.get("detail")).unwrap();
            let steps: Vec<String> = steps.collect::<rusqlite::Result<_>>().unwrap();
            assert!(steps.iter().any(|step| step.starts_with(wanted)), "{steps:?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN") && !step.contains("CONSTANT")), "{steps:?}");
        }
    }
}
