//! How much waits. It is asked now and then by whoever watches, and must not hold up who wants to be kept: so of each part
//! only so many rows are counted.

use super::engine::Engine;
use super::statements::{all, first};
use crate::limits;
use crate::model::{ChannelNumber, EventKey, Moment};
use crate::store::{Backlog, StoreError};
use rusqlite::{Row, params};

impl Engine<'_> {
    pub(super) fn count_backlogs(&mut self) -> Result<Vec<(ChannelNumber, Backlog)>, StoreError> {
        let rows = i64::try_from(limits::BACKLOG_ROWS_MAX).unwrap_or(i64::MAX);
        let read = |row: &Row<'_>| Ok((u64::from(row.get::<_, u32>(0)?), row.get::<_, Option<i64>>(1)?.map(Moment)));
        let mut backlogs = Vec::with_capacity(self.channels.len());
        for (channel, place) in &self.channels {
            let mut backlog = Backlog::default();
            // What nobody has looked at yet.
            let ahead = params![place.cursor.0, EventKey::after_last(*channel).0, rows];
            if let Some((mut waiting, oldest)) = first(&mut self.say.waiting_ahead, ahead, read)? {
                if waiting == limits::BACKLOG_ROWS_MAX as u64 {
                    // So many that the few among them that were ignored make no difference.
                    let places = u64::try_from(place.last - place.cursor.place()).unwrap_or(0);
                    waiting = waiting.max(places);
                }
                backlog.add(waiting, oldest);
            }
            if let Some((waiting, oldest)) = first(&mut self.say.waiting_in_lanes, params![channel.0, rows], read)? {
                backlog.add(waiting, oldest);
            }
            backlogs.push((*channel, backlog));
        }
        // Each of these is younger than what its conversation is at.
        let behind = all(&mut self.say.waiting_behind, [rows], |row| {
            Ok((row.get::<_, u16>(0)?, u64::from(row.get::<_, u32>(1)?)))
        })?;
        for (channel, waiting) in behind {
            let known = backlogs.iter_mut().find(|(number, _)| number.0 == channel);
            if let Some((_, backlog)) = known {
                backlog.add(waiting, None);
            }
        }
        Ok(backlogs)
    }
}
