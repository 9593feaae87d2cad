//! Taking in: an event, the replies to it, an echo that proves one of them.

use super::engine::{Engine, to_json};
use super::statements::{first, run};
use crate::model::{Arrival, ChannelNumber, EventKey, Fate, Moment, Reply};
use crate::store::{State, StoreError, lane, read_tag};
use rusqlite::params;

impl Engine<'_> {
    /// Writes a new event; `None` when it is there already.
    pub(super) fn keep(
        &mut self,
        channel: ChannelNumber,
        arrival: &Arrival,
        received: Moment,
        now: Moment,
    ) -> Result<Option<EventKey>, StoreError> {
        self.begin()?;
        let place = self.place(channel)?;
        let key = EventKey::new(channel, place.last + 1);
        let lane = lane(channel, &arrival.conversation);
        let (state, ended, why) = match arrival.fate {
            Fate::Hear => (State::Open, None, None),
            Fate::Ignore(why) => (State::Ignored, Some(now.0), Some(why)),
        };
        let new = run(
            &mut self.say.admit,
            params![
                key.0,
                channel.0,
                arrival.id,
                arrival.conversation,
                lane,
                arrival.kind,
                received.0,
                now.0,
                state as i64,
                ended,
                why,
                &*arrival.raw
            ],
        )? == 1;
        if new {
            self.place(channel)?.last += 1;
        }
        Ok(new.then_some(key))
    }

    /// An echo came back: the reply that it names was delivered, whatever we thought.
    pub(super) fn prove(&mut self, tag: &str, now: Moment) -> Result<(), StoreError> {
        let Some((event, part)) = read_tag(self.identity, tag) else { return Ok(()) };
        let state = first(&mut self.say.reply_look, params![event.0, part], |row| row.get(0))?;
        match state.map(State::of) {
            // Its attempt is under way, or a retry was planned: remembered until its turn comes.
            Some(State::Open) => run(&mut self.say.reply_prove, params![event.0, part]).map(drop),
            Some(State::Unknown) => {
                run(&mut self.say.reply_close, params![event.0, part, State::Answered as i64])?;
                self.sum_up(event, "", now).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Writes an event's replies; with `begin`, the first of them as already begun.
    pub(super) fn put_replies(
        &mut self,
        event: EventKey,
        replies: &[Reply],
        begin: bool,
        now: Moment,
    ) -> Result<(), StoreError> {
        for (part, reply) in (1_u32..).zip(replies) {
            let begins = begin && part == 1;
            let begun = begins.then_some(now.0);
            run(&mut self.say.reply_put, params![event.0, part, now.0, to_json(reply)?, begins, begun])?;
        }
        Ok(())
    }
}
