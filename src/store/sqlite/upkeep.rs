//! What is beside the jobs: bots' memory, old events, cursors.

use super::engine::{Engine, Place};
use super::statements::{all, first, run};
use crate::limits;
use crate::model::{ChannelNumber, EventKey, MemoryWrite, Moment};
use crate::store::{State, StoreError};
use rusqlite::params;

impl Engine<'_> {
    pub(super) fn put_memory(&mut self, write: &MemoryWrite) -> Result<(), StoreError> {
        let MemoryWrite { bot, key, value, expires } = write;
        let there = first(&mut self.say.memory_has, params![bot, key], |_| Ok(()))?.is_some();
        // Memory is a cache: a bot must live with a key that is not there.
        if value.is_some() && !there {
            let keys = first(&mut self.say.memory_count, params![bot], |row| row.get::<_, u32>(0))?.unwrap_or(0);
            if keys >= limits::MEMORY_KEYS_MAX {
                log::warn!("bot {bot} remembers {keys} keys, which is the most it may; {key:?} is not kept");
                return Ok(());
            }
        }
        match value {
            Some(value) => run(&mut self.say.memory_put, params![bot, key, value, expires.map(|at| at.0)])?,
            None => run(&mut self.say.memory_drop, params![bot, key])?,
        };
        Ok(())
    }

    pub(super) fn prune_channel(&mut self, channel: ChannelNumber, before: Moment) -> Result<bool, StoreError> {
        let Place { pruned_to: from, last, .. } = *self.place(channel)?;
        let rows = i64::try_from(limits::PRUNE_ROWS).unwrap_or(i64::MAX);
        let old = all(&mut self.say.old, params![from.0, EventKey::after_last(channel).0, rows], |row| {
            Ok((row.get::<_, i64>(0)?, State::of(row.get(1)?), row.get::<_, i64>(2)?))
        })?;
        for (key, state, received) in old {
            if received >= before.0 {
                return Ok(false);
            }
            self.place(channel)?.pruned_to = EventKey(key);
            // The newest stays: after a restart it says which place is the next one's.
            if state != State::Open && EventKey(key).place() < last {
                run(&mut self.say.drop_attempts, params![key])?;
                run(&mut self.say.drop_replays, params![key])?;
                run(&mut self.say.drop_replies, params![key])?;
                run(&mut self.say.stage_drop, params![key])?;
                run(&mut self.say.drop_event, params![key])?;
            }
        }
        Ok(self.place(channel)?.pruned_to != from)
    }

    /// Now and then: what lies between the saved cursor and the real one is looked at again after a restart, and is
    /// found ended, or in `lane`, or in `behind`.
    pub(super) fn save_cursors(&mut self) -> Result<(), StoreError> {
        for (channel, place) in self.channels.iter_mut() {
            if place.cursor.0 - place.cursor_saved.0 >= limits::CURSOR_LAG {
                run(&mut self.say.save_cursor, params![channel.0, place.cursor.0])?;
                place.cursor_saved = place.cursor;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use crate::store::Store;
    use crate::store::sqlite::SqliteFile;

    #[test]
    fn keys_that_expired_are_counted_no_more() {
        let folder = Folder::new("upkeep");
        let file = SqliteFile::open(&folder.join("ackd.db")).unwrap();
        let mut engine = file.engine().unwrap();
        engine.begin().unwrap();
        let remember = |engine: &mut Engine<'_>, key: &str, expires| {
            let (bot, key) = ("sun".to_owned(), key.to_owned());
            engine.remember(&MemoryWrite { bot, key, value: Some(vec![1]), expires }).unwrap();
        };
        for key in ["a", "b", "c"] {
            remember(&mut engine, key, Some(Moment(10)));
        }
        engine.prune(Moment(0), Moment(11)).unwrap();
        remember(&mut engine, "d", None);
        remember(&mut engine, "d", Some(Moment(99)));
        let keys = first(&mut engine.say.memory_count, ["sun"], |row| row.get::<_, u32>(0)).unwrap();
        assert_eq!(keys, Some(1), "three have expired, and the same key is one");
        drop(engine);
    }
}
