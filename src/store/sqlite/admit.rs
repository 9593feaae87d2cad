//! Taking in: an event, the replies to it, an echo that proves one of them.

use super::engine::{Engine, from_json, to_json};
use super::statements::{all, first, run};
use crate::limits;
use crate::model::{Arrival, ChannelNumber, EventKey, Fate, Moment, Reply};
use crate::store::reasons::witnessed;
use crate::store::{Fact, OWN, OWN_WHY, State, StoreError, lane, read_tag};
use rusqlite::params;

impl Engine<'_> {
    /// Writes a new event; `None` when it is there already.
    pub(super) fn keep(
        &mut self,
        channel: ChannelNumber,
        arrival: &Arrival,
        head: Option<&str>,
        received: Moment,
        now: Moment,
    ) -> Result<Option<EventKey>, StoreError> {
        self.begin()?;
        let key = EventKey::new(channel, self.place(channel)?.last + 1);
        let lane = lane(channel, &arrival.conversation);
        let (state, ended, why) = match arrival.fate {
            Fate::Hear => (State::Open, None, None),
            Fate::Witness if self.may_be_witnessed(channel, lane)? => (State::Open, None, None),
            Fate::Witness => (State::Ignored, Some(now.0), Some(OWN_WHY)),
            Fate::Ignore(why) => (State::Ignored, Some(now.0), Some(why)),
        };
        let kind = if arrival.fate == Fate::Witness { OWN } else { arrival.kind };
        let new = run(
            &mut self.say.admit,
            (
                key.0,
                channel.0,
                &*arrival.id,
                &*arrival.conversation,
                lane,
                kind,
                received.0,
                now.0,
                state as i64,
                ended,
                why,
                &*arrival.raw,
                head,
            ),
        )? == 1;
        if new {
            self.place(channel)?.last += 1;
        }
        self.facts.push((channel, if new { Fact::Kept } else { Fact::Duplicate }));
        if new && state != State::Open {
            self.facts.push((channel, Fact::Ended(state)));
        }
        Ok(new.then_some(key))
    }

    /// Whether a message of ours may have something to prove: a reply is unknown, or still under way.
    fn may_be_witnessed(&mut self, channel: ChannelNumber, lane: i64) -> Result<bool, StoreError> {
        let busy = first(&mut self.say.lane_at, params![lane], |_| Ok(()))?.is_some();
        Ok(busy || self.has_doubts(channel, lane)?)
    }

    /// Whether a reply of this conversation is unknown.
    pub(super) fn has_doubts(&mut self, channel: ChannelNumber, lane: i64) -> Result<bool, StoreError> {
        let (from, to) = (EventKey::before_first(channel), EventKey::after_last(channel));
        Ok(first(&mut self.say.doubt, params![from.0, to.0, lane], |_| Ok(()))?.is_some())
    }

    /// A message of ours reads as one of these texts: the oldest unknown reply of its conversation that does was
    /// delivered. But a message that is known as another reply's shows nothing: a bot may say the same again.
    pub(super) fn witness(
        &mut self,
        event: EventKey,
        lane: i64,
        (message, texts): (&str, &[String]),
        now: Moment,
    ) -> Result<(), StoreError> {
        let channel = event.channel();
        let (from, to) = (EventKey::before_first(channel), EventKey::after_last(channel));
        let rows = i64::try_from(limits::SEARCH_ROWS).unwrap_or(i64::MAX);
        let doubtful = all(&mut self.say.doubtful, params![from.0, to.0, lane, rows], |row| {
            Ok((EventKey(row.get(0)?), row.get::<_, u32>(1)?, row.get::<_, String>(2)?))
        })?;
        let same = |content: &str| from_json(content).is_ok_and(|reply| reply.content.reads_as(texts));
        let Some((proved, part, _)) = doubtful.iter().find(|(.., content)| same(content)) else {
            return self.end(event, lane, (State::Ignored, OWN_WHY), now);
        };
        let rows = i64::try_from(limits::WITNESS_ROWS).unwrap_or(i64::MAX);
        let known = first(&mut self.say.known_as, params![from.0, to.0, rows, message], |_| Ok(()))?;
        if known.is_some() {
            return self.end(event, lane, (State::Ignored, OWN_WHY), now);
        }
        run(&mut self.say.reply_close, params![proved.0, part, State::Answered as i64])?;
        self.sum_up(*proved, "", now)?;
        self.end(event, lane, (State::Ignored, &witnessed(*proved, *part)), now)
    }

    /// An echo came back: the reply that it names was delivered, whatever we thought.
    pub(super) fn prove(&mut self, tag: &str, now: Moment) -> Result<(), StoreError> {
        let Some((event, part)) = read_tag(self.identity, tag) else { return Ok(()) };
        let state = first(&mut self.say.reply_look, params![event.0, part], |row| row.get(0))?;
        match state.map(State::of) {
            // Its attempt is under way, or a retry was planned: remembered until its turn comes.
            Some(State::Open) => {
                run(&mut self.say.reply_prove, params![event.0, part])?;
                self.release(event, now)
            }
            Some(State::Unknown) => {
                run(&mut self.say.reply_close, params![event.0, part, State::Answered as i64])?;
                self.sum_up(event, "", now).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Writes an event's replies after those that were `said` before; with `begin`, the first of them as already begun.
    pub(super) fn put_replies(
        &mut self,
        event: EventKey,
        replies: &[Reply],
        (said, begin): (u32, bool),
        now: Moment,
    ) -> Result<(), StoreError> {
        for (part, reply) in (said + 1..).zip(replies) {
            let begins = begin && part == said + 1;
            let begun = begins.then_some(now.0);
            run(&mut self.say.reply_put, params![event.0, part, now.0, to_json(reply)?, begins, begun])?;
        }
        Ok(())
    }
}
