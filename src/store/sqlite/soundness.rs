//! Whether all is well in the file: what ended badly is counted, and SQLite looks at its pages, beside a daemon that may be writing, and no longer than told.

use super::file::words;
use super::reader::Reader;
use crate::model::Moment;
use crate::store::StoreError;
use rusqlite::ErrorCode;
use std::time::{Duration, Instant};

/// What a look at the whole file came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Soundness {
    Sound,
    /// What SQLite says, the first of it.
    Damaged(String),
    /// Nothing was found, but the time was over before all was looked at.
    Cut,
}

/// Steps of SQLite's between two looks at the clock; some milliseconds.
const STEPS: std::ffi::c_int = 10_000;

/// Events that need somebody's decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failed {
    pub dead: u32,
    pub unknown: u32,
    /// Of the dead.
    pub died_since: u32,
}

impl Reader {
    /// How many events ended dead or unknown, and how many died after `since`.
    pub fn failed(&self, since: Moment) -> Result<Failed, StoreError> {
        // Found by the index of the failed, so a long past costs nothing.
        let sql = "SELECT count(*) FILTER (WHERE state = 4), count(*) FILTER (WHERE state = 5),
                          count(*) FILTER (WHERE state = 4 AND ended > ?1) FROM event WHERE state IN (4, 5)";
        let counted = self.connection.query_row(sql, [since.0], |row| {
            Ok(Failed { dead: row.get(0)?, unknown: row.get(1)?, died_since: row.get(2)? })
        });
        counted.map_err(|error| words("reading", &error))
    }

    /// Looks at the whole file, for at most `patience`.
    pub fn soundness(&mut self, patience: Duration) -> Result<Soundness, StoreError> {
        let until = Instant::now() + patience;
        let over = move || Instant::now() >= until;
        self.connection.progress_handler(STEPS, Some(over)).map_err(|error| words("checking", &error))?;
        let verdict = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        match verdict {
            Ok(verdict) if verdict == "ok" => Ok(Soundness::Sound),
            Ok(verdict) => Ok(Soundness::Damaged(verdict)),
            Err(error) => match error.sqlite_error_code() {
                Some(ErrorCode::OperationInterrupted) => Ok(Soundness::Cut),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Ok(Soundness::Damaged(error.to_string())),
                _ => Err(words("checking", &error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use crate::model::{Arrival, Fate};
    use crate::store::Store;
    use crate::store::sqlite::SqliteFile;
    use std::fs::OpenOptions;
    use std::os::unix::fs::FileExt;
    use std::path::{Path, PathBuf};

    /// A store with some thousand events.
    fn store(name: &str) -> (Folder, PathBuf) {
        let folder = Folder::new(&format!("soundness-{name}"));
        let path = folder.join("ackd.db");
        let file = SqliteFile::open(&path).unwrap();
        let mut store = file.engine().unwrap();
        let page = store.channel("page").unwrap();
        for number in 0..5000 {
            let raw = format!("{{\"text\":\"{number} {}\"}}", "x".repeat(200)).into_bytes().into();
            let (id, conversation) = (format!("m{number}"), "anna".to_owned());
            let arrival = Arrival { id, conversation, kind: "message", fate: Fate::Hear, raw, proves: None };
            store.admit(page, &arrival, Moment(0), Moment(0)).unwrap();
        }
        store.commit().unwrap();
        (folder, path)
    }

    fn look(path: &Path, patience: Duration) -> Result<Soundness, StoreError> {
        Reader::open(path)?.soundness(patience)
    }

    #[test]
    fn a_whole_store_is_sound_also_while_a_daemon_holds_it() {
        let (_folder, path) = store("whole");
        let patience = Duration::from_secs(60);
        assert_eq!(look(&path, patience).unwrap(), Soundness::Sound);
        let _daemon = SqliteFile::open(&path).unwrap();
        assert_eq!(look(&path, patience).unwrap(), Soundness::Sound);
    }

    #[test]
    fn a_page_that_was_overwritten_is_found() {
        let (_folder, path) = store("damaged");
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        // Of the first ones it would be seen when the file is opened.
        let pages = file.metadata().unwrap().len() / 4096;
        for page in pages / 2..pages / 2 + 20 {
            file.write_all_at(&[0x5a; 4096], page * 4096).unwrap();
        }
        let found = look(&path, Duration::from_secs(60)).unwrap();
        assert!(matches!(&found, Soundness::Damaged(what) if !what.is_empty()), "{found:?}");
    }

    #[test]
    fn when_the_time_is_over_it_says_so() {
        let (_folder, path) = store("late");
        assert_eq!(look(&path, Duration::ZERO).unwrap(), Soundness::Cut);
    }
}
