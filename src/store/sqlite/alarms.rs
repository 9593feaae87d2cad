//! Alarms: set and taken away, found when they are due, rung.
//!
//! A channel's alarms are looked through in order of their time. Most often the first one is free; where thousands are
//! due in conversations that wait for a retry, each search goes on where the last one ended, so that these delay no
//! other, and once all were looked at, none is again before its conversation is free. See `Watch`.

use super::engine::Engine;
use super::file::words;
use super::statements::{all, first, run};
use crate::limits;
use crate::model::{Alarm, AlarmSet, AlarmWrite, ChannelNumber, EventKey, Lease, Moment};
use crate::store::reasons::ringing;
use crate::store::{StoreError, lane};
use rusqlite::{Row, params};
use std::collections::HashSet;

/// How far the search for alarms of one channel that are due has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    /// No alarm that the search has not passed over is due before this.
    soonest: Option<Moment>,
    /// The last alarm that was passed over since its conversation was not free: due, lane and number, as in the index.
    passed: (i64, i64, i64),
    /// How many were, since the search began with the first one.
    skipped: usize,
    /// One of them may be free now.
    again: bool,
    /// Where the search ends before it begins again: by then others may be due, without end.
    until: Option<Moment>,
    /// All that were due have been looked at.
    ended: bool,
}

impl Watch {
    /// Nothing was looked at; nothing is due before `soonest`.
    pub(super) fn new(soonest: Option<Moment>) -> Watch {
        Watch { soonest, passed: (i64::MIN, 0, 0), skipped: 0, again: false, until: None, ended: false }
    }

    fn calls_for_a_look(&self, now: Moment) -> bool {
        self.again || self.soonest.is_some_and(|soonest| soonest <= now)
    }

    /// The next search begins with the first one if one may be free that was passed over. Where many were, it first
    /// comes to its end: those behind them would never have their turn. Says how far to search.
    fn begin(&mut self, now: Moment) -> Moment {
        if self.again && !self.ended && self.skipped >= limits::SEARCH_ROWS {
            return *self.until.get_or_insert(now);
        }
        if self.again {
            *self = Watch::new(self.soonest);
        }
        self.ended = false;
        now
    }

    /// An alarm is due then, which was not before.
    fn note(&mut self, due: Moment) {
        if due.0 <= self.passed.0 {
            self.again = true;
        } else {
            self.soonest = Some(self.soonest.map_or(due, |soonest| soonest.min(due)));
        }
    }
}

fn alarm((channel, conversation, name, content, due): Row5) -> Result<Alarm, StoreError> {
    let set = serde_json::from_slice::<AlarmSet>(content.as_bytes())
        .map_err(|error| StoreError(format!("a kept alarm is unreadable: {error}")))?;
    Ok(Alarm { channel: ChannelNumber(channel), conversation, name, set, due: Moment(due) })
}

/// An alarm's row, not yet read as one.
type Row5 = (u16, String, String, String, i64);

fn row5(row: &Row<'_>) -> rusqlite::Result<Row5> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

impl Engine<'_> {
    /// Those that can be read; the others are named in the log, and hold up nobody.
    fn readable(&self, rows: Vec<Row5>) -> Vec<Alarm> {
        let read = |row: Row5| {
            let (number, conversation, name) = (ChannelNumber(row.0), row.1.clone(), row.2.clone());
            let say = |error: StoreError| {
                let channel = self.called(number);
                log::error!(channel; "channel {channel}: alarm {name:?} of conversation {conversation}: {error}");
            };
            alarm(row).map_err(say).ok()
        };
        rows.into_iter().filter_map(read).collect()
    }

    pub(super) fn write_alarm(&mut self, write: &AlarmWrite) -> Result<(), StoreError> {
        let AlarmWrite { channel, conversation, name, set } = write;
        let lane = lane(*channel, conversation);
        let Some((set, due)) = set else {
            return run(&mut self.say.alarm_drop, params![lane, channel.0, conversation, name]).map(drop);
        };
        let here = first(&mut self.say.alarm_count, params![lane, channel.0, conversation, name], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, bool>(1)?))
        })?;
        // What else the bot wanted is kept all the same.
        if let Some((alarms, false)) = here
            && alarms >= limits::ALARMS_PER_CONVERSATION_MAX
        {
            let channel = self.called(*channel);
            log::warn!(
                channel;
                "channel {channel}: conversation {conversation} has {alarms} alarms, which is the most it may; {name:?} \
                 is not kept"
            );
            return Ok(());
        }
        let content = serde_json::to_string(set);
        let content = content.map_err(|error| StoreError(format!("writing an alarm as JSON: {error}")))?;
        let row = params![channel.0, conversation, name, lane, set.owner, content, due.0];
        run(&mut self.say.alarm_put, row)?;
        self.note_alarm(*channel, *due);
        Ok(())
    }

    fn note_alarm(&mut self, channel: ChannelNumber, due: Moment) {
        if let Some(place) = self.channels.get_mut(&channel) {
            place.alarms.note(due);
        }
    }

    pub(super) fn alarms_here(&mut self, channel: ChannelNumber, name: &str) -> Result<Vec<Alarm>, StoreError> {
        let rows = all(&mut self.say.alarms_here, params![lane(channel, name), channel.0, name], row5)?;
        Ok(self.readable(rows))
    }

    pub(super) fn alarms_of_owner(&mut self, owner: &str) -> Result<Vec<Alarm>, StoreError> {
        let rows = all(&mut self.say.alarms_of, params![owner], row5)?;
        Ok(self.readable(rows))
    }

    pub(super) fn last_alarms(&mut self, channel: ChannelNumber, after: Moment) -> Result<Vec<Alarm>, StoreError> {
        let most = i64::try_from(limits::ALARMS_MOVED).unwrap_or(i64::MAX);
        let rows = all(&mut self.say.alarms_last, params![channel.0, after.0, most], row5)?;
        self.say.alarms_last.put_away();
        Ok(self.readable(rows))
    }

    /// Takes the alarms of an event's conversation away; how many there were.
    pub(super) fn drop_alarms(&mut self, event: EventKey, lane: i64) -> Result<usize, StoreError> {
        run(&mut self.say.alarms_drop, params![lane, event.channel().0, event.0])
    }

    pub(super) fn search_alarms(
        &mut self,
        channel: ChannelNumber,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Alarm>, StoreError> {
        if !self.place(channel)?.alarms.calls_for_a_look(now) {
            return Ok(None);
        }
        let ahead = self.lanes_ahead(channel)?;
        let mut watch = self.place(channel)?.alarms;
        let until = watch.begin(now);
        let found = loop {
            let taken = |lane| busy.contains(&lane) || ahead.contains(&lane);
            let Some(number) = self.free_alarm(channel, taken, &mut watch, until)? else { break None };
            let Some(row) = first(&mut self.say.alarm_of_number, params![number], row5)? else { break None };
            let named = (row.1.clone(), row.2.clone());
            match alarm(row) {
                Ok(alarm) => break Some(alarm),
                Err(error) => {
                    let (whose, (conversation, name)) = (self.called(channel), &named);
                    log::error!(
                        channel = whose;
                        "channel {whose}: alarm {name:?} of conversation {conversation} is taken away: {error}"
                    );
                    self.begin()?;
                    let gone = params![lane(channel, &named.0), channel.0, named.0, named.1];
                    run(&mut self.say.alarm_drop, gone)?;
                }
            }
        };
        self.place(channel)?.alarms = watch;
        Ok(found)
    }

    /// The number of the next alarm that is due, and whose conversation is free. With `None`, `watch` says when it is
    /// worth looking again.
    fn free_alarm(
        &mut self,
        channel: ChannelNumber,
        taken: impl Fn(i64) -> bool,
        watch: &mut Watch,
        until: Moment,
    ) -> Result<Option<i64>, StoreError> {
        let (due, lane, number) = watch.passed;
        let most = i64::try_from(limits::SEARCH_ROWS).unwrap_or(i64::MAX);
        let mut looked = 0;
        let mut rows = self
            .say
            .alarms_due
            .ready()
            .and_then(|statement| statement.query(params![channel.0, until.0, due, lane, number, most]))
            .map_err(|error| words("reading", &error))?;
        // Row after row, since the first one is most often free.
        while let Some(row) = rows.next().map_err(|error| words("reading", &error))? {
            let read = || -> rusqlite::Result<(i64, i64, i64, bool)> {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            };
            let (due, lane, number, begun) = read().map_err(|error| words("reading", &error))?;
            if !begun && !taken(lane) {
                return Ok(Some(number));
            }
            watch.passed = (due, lane, number);
            (watch.skipped, looked) = (watch.skipped + 1, looked + 1);
        }
        drop(rows);
        if looked == limits::SEARCH_ROWS {
            watch.soonest = Some(Moment(watch.passed.0));
            return Ok(None);
        }
        watch.ended = true;
        watch.soonest = self.alarm_after(channel, until)?;
        Ok(None)
    }

    /// When the first alarm of this channel after `moment` is due.
    pub(super) fn alarm_after(&mut self, channel: ChannelNumber, moment: Moment) -> Result<Option<Moment>, StoreError> {
        first(&mut self.say.alarm_after, params![channel.0, moment.0], |row| row.get(0).map(Moment))
    }

    /// Conversations of events that nobody has begun with, the next ones; so an alarm does not overtake a message.
    fn lanes_ahead(&mut self, channel: ChannelNumber) -> Result<HashSet<i64>, StoreError> {
        let place = *self.place(channel)?;
        if place.cursor.place() >= place.last {
            return Ok(HashSet::new());
        }
        let rows = i64::try_from(limits::SEARCH_ROWS).unwrap_or(i64::MAX);
        let end = EventKey::after_last(channel);
        let ahead = all(&mut self.say.ahead, params![place.cursor.0, end.0, rows], |row| row.get(1))?;
        Ok(ahead.into_iter().collect())
    }

    pub(super) fn look_at_alarms_from(&mut self, channel: ChannelNumber) -> Result<Option<Moment>, StoreError> {
        let watch = self.place(channel)?.alarms;
        Ok(if watch.again { Some(Moment(watch.passed.0)) } else { watch.soonest })
    }

    /// A conversation has become free. If one of its alarms was passed over, it may ring now.
    pub(super) fn free_for_alarms(&mut self, channel: ChannelNumber, lane: i64) -> Result<(), StoreError> {
        let Some(place) = self.channels.get_mut(&channel) else { return Ok(()) };
        if place.alarms.skipped == 0 || place.alarms.again {
            return Ok(());
        }
        let due = first(&mut self.say.alarm_first, params![lane], |row| row.get::<_, Option<i64>>(0))?.flatten();
        place.alarms.again = due.is_some_and(|due| due <= place.alarms.passed.0);
        Ok(())
    }

    pub(super) fn ring_alarm(
        &mut self,
        alarm: &Alarm,
        rings_for: Option<Moment>,
        next: Option<Moment>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        let Alarm { channel, conversation, name, .. } = alarm;
        let lane = lane(*channel, conversation);
        let key = params![lane, channel.0, conversation, name];
        let kept = all(&mut self.say.alarm_at, key, row5)?;
        let kept = self.readable(kept);
        let free = first(&mut self.say.lane_at, params![lane], |_| Ok(()))?.is_none();
        if kept.first() != Some(alarm) || (rings_for.is_some() && !free) {
            return Ok(None);
        }
        self.begin()?;
        match next {
            Some(next) => {
                run(&mut self.say.alarm_move, params![lane, channel.0, conversation, name, next.0])?;
                self.note_alarm(*channel, next);
            }
            None => run(&mut self.say.alarm_drop, key).map(drop)?,
        }
        let Some(due) = rings_for else { return Ok(None) };
        let Some(event) = self.keep(*channel, &ringing(alarm, due)?, None, now, now)? else { return Ok(None) };
        // Where others came before it and nobody has begun with them, the search for new ones passes over it later.
        let place = self.place(*channel)?;
        if place.cursor.place() + 1 == event.place() {
            place.cursor = event;
        }
        self.begin_hearing(event, lane, (1, 0), now)
    }
}
