//! Events looked through one by one, the newest first: whoever looks sees each where it lies, and only what they want is
//! taken out. How many are looked at is theirs to say, so the length of a past costs nothing.

use super::file::words;
use super::reader::Reader;
use crate::model::{EventKey, Moment};
use crate::store::{State, StoreError};
use rusqlite::{Row, params};

/// An event as it lies there.
#[derive(Debug)]
pub struct Seen<'a> {
    pub key: EventKey,
    pub received: Moment,
    pub state: State,
    pub kind: &'a str,
    pub conversation: &'a str,
    pub why: Option<&'a str>,
    /// The platform's id, its bytes, and what is said in reply: the platform's id of each reply and its content as JSON, a
    /// line each. Empty unless texts are wanted.
    pub platform_id: &'a str,
    pub raw: &'a [u8],
    pub said: &'a str,
}

/// What costs more to read than all the rest.
const TEXTS: &str = "id, raw, (SELECT group_concat(coalesce(message_id, '') || char(10) || content, char(10))
    FROM reply WHERE reply.key = event.key)";

/// Where somebody looks.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Behind this, and before that, which both are of one channel.
    pub after: EventKey,
    pub before: EventKey,
    /// Only dead ones, or only unknown ones: they have an index.
    pub failed: Option<State>,
    pub texts: bool,
    /// No more rows than this.
    pub rows_max: usize,
}

impl Way {
    fn query(self) -> String {
        let failed = match self.failed {
            // Said twice: the first is the condition of the index, word by word.
            Some(state) => format!("AND state IN (4, 5) AND state = {}", state as i64),
            None => String::new(),
        };
        let texts = if self.texts { TEXTS } else { "NULL, NULL, NULL" };
        format!(
            "SELECT key, received, state, kind, conversation, why, {texts} FROM event
             WHERE key > ?1 AND key < ?2 {failed} ORDER BY key DESC LIMIT ?3"
        )
    }
}

impl Reader {
    /// Shows events until there are no more, or `see` has seen enough and says so by `false`. True when it came to the end.
    pub fn walk(&self, way: Way, see: &mut dyn FnMut(&Seen<'_>) -> bool) -> Result<bool, StoreError> {
        self.go(way, see).map_err(|error| words("reading", &error))
    }

    fn go(&self, way: Way, see: &mut dyn FnMut(&Seen<'_>) -> bool) -> rusqlite::Result<bool> {
        let most = i64::try_from(way.rows_max).unwrap_or(i64::MAX);
        let mut all = self.connection.prepare(&way.query())?;
        let mut rows = all.query(params![way.after.0, way.before.0, most])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            count += 1;
            let seen = Seen {
                key: EventKey(row.get(0)?),
                received: Moment(row.get(1)?),
                state: State::of(row.get(2)?),
                kind: text(row, 3)?.unwrap_or_default(),
                conversation: text(row, 4)?.unwrap_or_default(),
                why: text(row, 5)?,
                platform_id: text(row, 6)?.unwrap_or_default(),
                raw: row.get_ref(7)?.as_bytes_or_null()?.unwrap_or_default(),
                said: text(row, 8)?.unwrap_or_default(),
            };
            if !see(&seen) {
                return Ok(false);
            }
        }
        Ok(count < way.rows_max)
    }

    /// How many replies of each of these events may have been seen twice.
    pub fn doubles(&self, events: &mut dyn Iterator<Item = EventKey>) -> Result<Vec<u32>, StoreError> {
        let mut count = || -> rusqlite::Result<Vec<u32>> {
            let mut count = self.connection.prepare("SELECT count(*) FROM reply WHERE key = ?1 AND maybe_twice > 0")?;
            events.map(|event| count.query_row([event.0], |row| row.get(0))).collect()
        };
        count().map_err(|error| words("reading", &error))
    }
}

/// A column that is a text, or nothing.
fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Option<&'r str>> {
    Ok(row.get_ref(column)?.as_str_or_null()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use crate::model::ChannelNumber;
    use crate::store::sqlite::SqliteFile;

    #[test]
    fn the_failed_are_found_by_their_index_and_all_others_by_their_places() {
        let folder = Folder::new("walk");
        let store = folder.join("ackd.db");
        drop(SqliteFile::open(&store).unwrap());
        let reader = Reader::open(&store).unwrap();
        let channel = ChannelNumber(1);
        let (after, before) = (EventKey::before_first(channel), EventKey::after_last(channel));
        for texts in [false, true] {
            for (failed, wanted) in [
                (Some(State::Dead), "SEARCH event USING INDEX event_failed (state=? AND key>? AND key<?)"),
                (Some(State::Unknown), "SEARCH event USING INDEX event_failed (state=? AND key>? AND key<?)"),
                (None, "SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
            ] {
                let way = Way { after, before, failed, texts, rows_max: 10 };
                let mut plan = reader.connection.prepare(&format!("EXPLAIN QUERY PLAN {}", way.query())).unwrap();
                let steps = plan.query_map(params![after.0, before.0, 10], |row| row.get("detail")).unwrap();
                let steps: Vec<String> = steps.collect::<rusqlite::Result<_>>().unwrap();
                assert_eq!(steps[0], wanted, "{steps:?}");
                assert!(!steps.iter().any(|step| step.starts_with("USE TEMP")), "they lie in that order: {steps:?}");
            }
        }
    }
}
