//! What comes in, and what it proves of what was said. As `store/sqlite/admit.rs`, verb by verb.

use super::{Memory, Row};
use crate::model::{Arrival, ChannelNumber, EventKey, Fate, Moment};
use crate::store::reasons::witnessed;
use crate::store::{Fact, OWN, OWN_WHY, State, StoreError, lane, read_tag};

impl Memory {
    pub(super) fn keep(
        &mut self,
        channel: ChannelNumber,
        arrival: &Arrival,
        push: bool,
        times: (Moment, Moment),
    ) -> Option<EventKey> {
        let id = (channel, arrival.id.clone());
        if self.now.ids.contains_key(&id) {
            self.note(channel, Fact::Duplicate);
            return None;
        }
        let place = self.now.channels.get_mut(&channel)?;
        place.last += 1;
        let key = EventKey::new(channel, place.last);
        let lane = lane(channel, &arrival.conversation);
        let (state, ended, why) = match arrival.fate {
            Fate::Hear => (State::Open, None, None),
            Fate::Ignore(why) => (State::Ignored, Some(times.1), Some(why.to_owned())),
            Fate::Witness if self.now.lanes.contains_key(&lane) || self.has_doubts(lane) => (State::Open, None, None),
            Fate::Witness => (State::Ignored, Some(times.1), Some(OWN_WHY.to_owned())),
        };
        let kind = if arrival.fate == Fate::Witness { OWN } else { arrival.kind };
        let arrival = Arrival { kind, ..arrival.clone() };
        let (received, kept) = times;
        let (replies, replays, head) = (Vec::new(), Vec::new(), None);
        let row = Row { arrival, push, lane, received, kept, state, ended, why, replies, replays, head };
        self.note(channel, Fact::Kept);
        if state != State::Open {
            self.note(channel, Fact::Ended(state));
        }
        self.now.ids.insert(id, key);
        self.now.events.insert(key, row);
        Some(key)
    }

    pub(super) fn has_doubts(&self, lane: i64) -> bool {
        self.now.events.values().any(|row| row.lane == lane && row.state == State::Unknown)
    }

    pub(super) fn witness(
        &mut self,
        event: EventKey,
        lane: i64,
        (message, texts): (&str, &[String]),
        now: Moment,
    ) -> Result<(), StoreError> {
        let mut said = self.now.events.values().flat_map(|row| &row.replies);
        if said.any(|reply| reply.life.message_id.as_deref() == Some(message)) {
            return self.end(event, lane, State::Ignored, OWN_WHY, now);
        }
        let doubtful = self.now.events.iter_mut().filter(|(_, row)| row.lane == lane && row.state == State::Unknown);
        let mut replies = doubtful.flat_map(|(key, row)| row.replies.iter_mut().map(|reply| (*key, &mut reply.life)));
        let found = replies.find(|(_, life)| life.state == State::Unknown && life.reply.content.reads_as(texts));
        let Some((proved, life)) = found else { return self.end(event, lane, State::Ignored, OWN_WHY, now) };
        life.state = State::Answered;
        let part = life.part;
        self.sum_up(proved, "", now);
        self.end(event, lane, State::Ignored, &witnessed(proved, part), now)
    }

    pub(super) fn prove(&mut self, tag: &str, now: Moment) {
        let Some((event, part)) = read_tag("memory", tag) else { return };
        let Ok(row) = self.row(event) else { return };
        let Some(reply) = row.replies.iter_mut().find(|reply| reply.life.part == part) else { return };
        match reply.life.state {
            State::Open => {
                reply.proved = true;
                self.release(event, now);
            }
            State::Unknown => {
                reply.life.state = State::Answered;
                self.sum_up(event, "", now);
            }
            _ => {}
        }
    }
}
