//! The newest events without what platforms only tell about our own messages, and without the looks of bots that said
//! nothing: one message said on Messenger brings an echo and two receipts, a bot looks every ten minutes, and whoever looks
//! for messages would not find them between those.

use super::file::words;
use super::reader::{EventLine, Reader, in_order_of_arrival};
use crate::model::{ChannelNumber, EventKey};
use crate::store::{ALARM, OWN, State, StoreError};
use rusqlite::params;

/// Kinds of events about messages of our own, by their platform's word (messenger.md §3) or by ours; and alarms, of which
/// a bot that looks somewhere has hundreds a day. One that somebody was told of is not ignored, so it is listed.
const RECEIPTS: [&str; 6] = ["delivery", "read", "messaging_seen", "echo", OWN, ALARM];

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// The oldest first.
    pub lines: Vec<EventLine>,
    /// Receipts, own messages and looks of bots among them.
    pub left_out: usize,
    /// Not all of a channel was looked at, though there was room for more.
    pub cut: bool,
}

/// One channel's part of it: what passes, the newest first, and when the rest was received.
#[derive(Default)]
struct Rows {
    passing: Vec<(i64, EventKey)>,
    receipts: Vec<i64>,
    cut: bool,
}

impl EventLine {
    /// Whether it only tells about a message of our own, or of a look of a bot, and was ignored.
    pub fn is_receipt(&self) -> bool {
        is_receipt(self.state, &self.kind)
    }
}

/// Whether such an event only tells about a message of our own, or of a look of a bot, and was ignored.
pub fn is_receipt(state: State, kind: &str) -> bool {
    state == State::Ignored && RECEIPTS.contains(&kind)
}

/// The same in SQL.
fn receipts() -> String {
    let kinds = RECEIPTS.map(|kind| format!("'{kind}'")).join(", ");
    format!("(state = {} AND kind IN ({kinds}))", State::Ignored as i64)
}

impl Reader {
    /// The newest `limit` events but receipts, of all channels or of one. Of each channel at most `rows_max` are
    /// looked at, however few of them pass.
    pub fn glance(&self, channel: Option<ChannelNumber>, limit: usize, rows_max: usize) -> Result<Glance, StoreError> {
        // A commit between two of its statements would bring other rows into reach.
        let moment = self.connection.unchecked_transaction().map_err(|error| words("reading", &error))?;
        let mut channels = self.channels()?;
        channels.retain(|(number, _)| channel.is_none_or(|only| only == *number));
        let mut all = Rows::default();
        for (number, _) in &channels {
            let rows = self.rows(*number, limit, rows_max).map_err(|error| words("reading", &error))?;
            all.passing.extend(rows.passing);
            all.receipts.extend(rows.receipts);
            all.cut |= rows.cut;
        }
        all.passing.sort_unstable_by(|one, other| other.cmp(one));
        all.passing.truncate(limit);
        let full = all.passing.len() == limit;
        let since = all.passing.last().filter(|_| full).map_or(i64::MIN, |(received, _)| *received);
        let mut glance = Glance {
            lines: Vec::with_capacity(all.passing.len()),
            left_out: all.receipts.iter().filter(|received| **received >= since).count(),
            cut: all.cut && !full,
        };
        let only = format!("AND NOT {}", receipts());
        for (number, name) in &channels {
            let keys = all.passing.iter().map(|(_, key)| *key).filter(|key| key.channel() == *number);
            let Some(oldest) = keys.min() else { continue };
            let range = (EventKey(oldest.0 - 1), EventKey::after_last(*number));
            glance.lines.extend(self.lines(range, name, &only, "ASC", limit)?);
        }
        in_order_of_arrival(&mut glance.lines);
        drop(moment);
        Ok(glance)
    }

    fn rows(&self, channel: ChannelNumber, limit: usize, rows_max: usize) -> rusqlite::Result<Rows> {
        let receipt = receipts();
        let query = format!(
            "SELECT key, received, {receipt} FROM event WHERE key > ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3"
        );
        let most = i64::try_from(rows_max).unwrap_or(i64::MAX);
        let mut newest = self.connection.prepare(&query)?;
        let (after, before) = (EventKey::before_first(channel), EventKey::after_last(channel));
        let mut found = newest.query(params![after.0, before.0, most])?;
        let mut rows = Rows::default();
        while rows.passing.len() < limit {
            let Some(row) = found.next()? else {
                rows.cut = rows.passing.len() + rows.receipts.len() == rows_max;
                break;
            };
            match row.get(2)? {
                true => rows.receipts.push(row.get(1)?),
                false => rows.passing.push((row.get(1)?, EventKey(row.get(0)?))),
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use crate::model::{Arrival, Fate, Moment};
    use crate::store::Store;
    use crate::store::sqlite::SqliteFile;

    #[test]
    fn so_many_rows_are_looked_at_and_no_more() {
        let folder = Folder::new("glance");
        let file = SqliteFile::open(&folder.join("ackd.db")).unwrap();
        let mut store = file.engine().unwrap();
        // In two channels by turns: a message, then five receipts; the last of all are receipts.
        let channels = ["one", "two"].map(|name| store.channel(name).unwrap());
        for number in 0..600_i64 {
            let channel = channels[usize::from(number % 2 == 1)];
            let (fate, kind) = match number / 2 % 6 {
                0 => (Fate::Hear, "message"),
                1 => (Fate::Witness, "message"),
                2 => (Fate::Ignore("a receipt"), "read"),
                3 => (Fate::Ignore("a receipt"), "delivery"),
                4 => (Fate::Ignore("a look"), ALARM),
                _ => (Fate::Ignore("ours"), "echo"),
            };
            let (id, conversation, raw) = (number.to_string(), "anna".to_owned(), Box::default());
            let arrival = Arrival { id, conversation, kind, fate, raw, proves: None };
            store.admit(channel, &arrival, Moment(number), Moment(number)).unwrap();
        }
        store.commit().unwrap();
        let reader = Reader::open(&folder.join("ackd.db")).unwrap();
        let glance = |channel, limit, rows_max| reader.glance(channel, limit, rows_max).unwrap();
        let received = |glance: &Glance| glance.lines.iter().map(|line| line.received.0).collect::<Vec<_>>();

        let two = glance(None, 2, 1000);
        assert_eq!((received(&two), two.left_out, two.cut), (vec![588, 589], 10, false));
        let three = glance(None, 3, 1000);
        assert_eq!((received(&three), three.left_out, three.cut), (vec![577, 588, 589], 20, false));
        let whole = glance(None, 1000, 1000);
        assert_eq!((whole.lines.len(), whole.left_out, whole.cut), (100, 500, false));
        assert!(received(&whole).is_sorted() && whole.lines.iter().all(|line| !line.is_receipt()));
        let one = glance(Some(channels[0]), 2, 1000);
        assert_eq!((received(&one), one.left_out), (vec![576, 588], 10));
        let few = glance(None, 10, 5);
        assert_eq!((received(&few), few.left_out, few.cut), (vec![], 10, true));
        assert!(!glance(None, 2, 6).cut, "there was no room for more");
    }
}
