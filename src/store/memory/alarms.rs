//! Alarms over the map. As `store/sqlite/alarms.rs`, but a look is at all of them: what a test keeps is short.

use super::Memory;
use crate::limits;
use crate::model::{Alarm, AlarmSet, AlarmWrite, ChannelNumber, EventKey, Lease, Moment};
use crate::store::reasons::ringing;
use crate::store::{State, StoreError, lane};
use std::cmp::Reverse;
use std::collections::HashSet;

type Named<'a> = (&'a (ChannelNumber, String, String), &'a (AlarmSet, Moment));

fn alarm(((channel, conversation, name), (set, due)): Named<'_>) -> Alarm {
    Alarm { channel: *channel, conversation: conversation.clone(), name: name.clone(), set: set.clone(), due: *due }
}

impl Memory {
    pub(super) fn alarms_where(&self, wanted: impl Fn(&Alarm) -> bool) -> Vec<Alarm> {
        self.now.alarms.iter().map(alarm).filter(wanted).collect()
    }

    pub(super) fn last_alarms(&self, channel: ChannelNumber, after: Moment) -> Vec<Alarm> {
        let mut alarms = self.alarms_where(|alarm| alarm.channel == channel && alarm.due > after);
        alarms.sort_by_key(|alarm| Reverse(alarm.due));
        alarms.truncate(limits::ALARMS_MOVED);
        alarms
    }

    pub(super) fn write_alarm(&mut self, write: &AlarmWrite) {
        let key = (write.channel, write.conversation.clone(), write.name.clone());
        let here = self.now.alarms.keys().filter(|other| (other.0, &other.1) == (key.0, &key.1)).count();
        match &write.set {
            None => drop(self.now.alarms.remove(&key)),
            Some(_) if here >= limits::ALARMS_PER_CONVERSATION_MAX as usize && !self.now.alarms.contains_key(&key) => {
                log::warn!("conversation {} has {here} alarms; {:?} is not kept", key.1, key.2);
            }
            Some(set) => drop(self.now.alarms.insert(key, set.clone())),
        }
        self.looked.remove(&write.channel);
    }

    pub(super) fn free_alarm(&mut self, channel: ChannelNumber, busy: &HashSet<i64>, now: Moment) -> Option<Alarm> {
        let ahead = self.now.channels.get(&channel)?.cursor;
        let waits = |at: i64| {
            let mut rows = self.now.events.range(EventKey(ahead.0 + 1)..EventKey::after_last(channel));
            rows.any(|(_, row)| row.lane == at && row.state == State::Open)
        };
        let free = |alarm: &Alarm| {
            let lane = lane(channel, &alarm.conversation);
            !busy.contains(&lane) && !self.now.lanes.contains_key(&lane) && !waits(lane)
        };
        let due = self.alarms_where(|alarm| alarm.channel == channel && alarm.due <= now && free(alarm));
        let found = due.into_iter().min_by_key(|alarm| alarm.due);
        if found.is_none() {
            self.looked.insert(channel, now);
        }
        found
    }

    pub(super) fn next_alarm(&self, channel: ChannelNumber) -> Option<Moment> {
        let looked = self.looked.get(&channel);
        let dues = self.now.alarms.iter().filter(|((there, ..), _)| *there == channel).map(|(_, (_, due))| *due);
        dues.filter(|due| looked.is_none_or(|looked| due > looked)).min()
    }

    pub(super) fn drop_alarms(&mut self, event: EventKey) -> Result<usize, StoreError> {
        let conversation = self.row(event)?.arrival.conversation.clone();
        let before = self.now.alarms.len();
        self.now.alarms.retain(|(channel, there, _), _| (*channel, there) != (event.channel(), &conversation));
        Ok(before - self.now.alarms.len())
    }

    pub(super) fn ring_alarm(
        &mut self,
        alarm: &Alarm,
        rings_for: Option<Moment>,
        next: Option<Moment>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        let key = (alarm.channel, alarm.conversation.clone(), alarm.name.clone());
        let lane = lane(alarm.channel, &alarm.conversation);
        let same = self.now.alarms.get(&key) == Some(&(alarm.set.clone(), alarm.due));
        if !same || (rings_for.is_some() && self.now.lanes.contains_key(&lane)) {
            return Ok(None);
        }
        match next {
            Some(next) => drop(self.now.alarms.insert(key, (alarm.set.clone(), next))),
            None => drop(self.now.alarms.remove(&key)),
        }
        self.looked.remove(&alarm.channel);
        let Some(due) = rings_for else { return Ok(None) };
        let Some(event) = self.keep(alarm.channel, &ringing(alarm, due)?, false, (now, now)) else { return Ok(None) };
        if let Some(place) = self.now.channels.get_mut(&alarm.channel)
            && place.cursor.place() + 1 == event.place()
        {
            place.cursor = event;
        }
        self.begin_hearing(event, lane, (1, 0), now)
    }
}
