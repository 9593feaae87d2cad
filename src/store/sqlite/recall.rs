//! What is remembered, for whoever reads the store beside the daemon that holds it.

use super::file::words;
use super::reader::Reader;
use crate::model::Moment;
use crate::store::StoreError;
use rusqlite::{OptionalExtension, params};

impl Reader {
    /// What a bot, or another of the store's names, remembers under a key, unless it has expired.
    pub fn recall(&self, bot: &str, key: &str, now: Moment) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT value FROM memory WHERE bot = ?1 AND name = ?2 AND (expires IS NULL OR expires > ?3)";
        let found = self.connection.query_row(sql, params![bot, key, now.0], |row| row.get(0));
        found.optional().map_err(|error| words("reading", &error))
    }

    /// At most `limit` of the keys of a bot that begin so, in their order, with what is remembered under them.
    pub fn recall_all(
        &self,
        bot: &str,
        prefix: &str,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let read = || {
            let sql = "SELECT name, value FROM memory WHERE bot = ?1 AND name >= ?2
                AND (expires IS NULL OR expires > ?3) ORDER BY name";
            let mut all = self.connection.prepare(sql)?;
            let mut rows = all.query(params![bot, prefix, now.0])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()?.filter(|_| found.len() < limit) {
                let name: String = row.get(0)?;
                if !name.starts_with(prefix) {
                    break;
                }
                found.push((name, row.get(1)?));
            }
            Ok(found)
        };
        read().map_err(|error: rusqlite::Error| words("reading", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use crate::model::MemoryWrite;
    use crate::store::Store;
    use crate::store::sqlite::SqliteFile;

    #[test]
    fn a_reader_sees_what_is_remembered_and_has_not_expired() {
        let folder = Folder::new("recall");
        let file = SqliteFile::open(&folder.join("ackd.db")).unwrap();
        let mut store = file.engine().unwrap();
        let mut remember = |bot: &str, key: &str, expires: Option<i64>| {
            let (bot, value, expires) = (bot.to_owned(), Some(key.as_bytes().to_vec()), expires.map(Moment));
            store.remember(&MemoryWrite { bot, key: key.to_owned(), value, expires }).unwrap();
        };
        for (key, expires) in [("a", None), ("p 1", None), ("p 2", Some(10)), ("p 3", Some(11)), ("q", None)] {
            remember("sun", key, expires);
        }
        remember("moon", "p 4", None);
        store.commit().unwrap();
        let reader = Reader::open(&folder.join("ackd.db")).unwrap();
        let now = Moment(10);
        assert_eq!(reader.recall("sun", "a", now).unwrap(), Some(b"a".to_vec()));
        assert_eq!(reader.recall("moon", "a", now).unwrap(), None);
        assert_eq!(reader.recall("sun", "p 2", now).unwrap(), None);
        let keys = |limit| {
            let found = reader.recall_all("sun", "p ", now, limit).unwrap();
            found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(keys(9), ["p 1", "p 3"]);
        assert_eq!(keys(1), ["p 1"]);
    }
}
