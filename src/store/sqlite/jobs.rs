//! What follows when a job comes back: its conversation goes on, waits, or is free. Handing out is in `leases.rs`.
//!
//!     lease_new ──▶ begin_hearing ──▶ heard ──▶ begin_send ──▶ sent ──▶ sum_up, free
//!     lease_begun ─────┴───────────────────────────┘              └──▶ wait_in_lane

use super::engine::{Engine, TO_HEAR, TO_SEND};
use super::statements::{first, run};
use crate::model::{Attempt, EventKey, Lease, Moment, Notes, Reply, Rest, SendEnd, Work};
use crate::store::reasons::{because, gone};
use crate::store::{Fact, State, StoreError, UNSAID};
use rusqlite::params;

impl Engine<'_> {
    /// Gives an event the state that its replies add up to, once it has said all. `words` say what became of the last of
    /// them.
    pub(super) fn sum_up(&mut self, event: EventKey, words: &str, now: Moment) -> Result<Sum, StoreError> {
        let sum = first(&mut self.say.reply_sum, params![event.0], |row| {
            let (dead, unknown, open) = (row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?);
            Ok((dead, unknown, open, row.get::<_, Option<String>>(4)?, row.get::<_, Option<i64>>(5)?))
        })?;
        let (dead, unknown, open, elsewhere, stage) = sum.unwrap_or_default();
        if open > 0 {
            return Ok(Sum::Open);
        }
        // A stage after a missing part would only confuse: it waits for a replay of that.
        if let Some(due) = stage.filter(|_| dead == 0) {
            return Ok(Sum::GoesOn(Moment(due)));
        }
        let (state, why) = match (dead, unknown) {
            (0, 0) => (State::Answered, elsewhere),
            (0, _) => (State::Unknown, Some("a reply was sent, but the platform's answer was lost".to_owned())),
            _ => (State::Dead, Some(because("a reply could not be said", words))),
        };
        self.note_end(event, state, why.as_deref(), now)?;
        Ok(Sum::Ended)
    }

    /// An event has ended so.
    pub(super) fn note_end(
        &mut self,
        event: EventKey,
        state: State,
        why: Option<&str>,
        now: Moment,
    ) -> Result<(), StoreError> {
        run(&mut self.say.end_event, params![event.0, state as i64, now.0, why])?;
        self.facts.push((event.channel(), Fact::Ended(state)));
        Ok(())
    }

    /// Frees the conversation of an event that has ended, or is held: the next one behind it is due, or nothing is.
    pub(super) fn free(&mut self, event: EventKey, lane: i64, now: Moment) -> Result<(), StoreError> {
        let next = first(&mut self.say.behind_first, params![lane], |row| row.get::<_, i64>(0))?;
        let Some(next) = next else {
            run(&mut self.say.lane_drop, params![lane])?;
            return self.free_for_alarms(event.channel(), lane);
        };
        run(&mut self.say.behind_drop, params![lane, next])?;
        let phase = if self.has_to_send(EventKey(next))? { TO_SEND } else { TO_HEAR };
        self.wait_in_lane(lane, EventKey(next), phase, now, 0)
    }

    /// How many replies an event has, however they stand.
    pub(super) fn replies(&mut self, event: EventKey) -> Result<u32, StoreError> {
        let count = first(&mut self.say.reply_sum, params![event.0], |row| row.get::<_, u32>(0))?;
        Ok(count.unwrap_or(0))
    }

    pub(super) fn has_to_send(&mut self, event: EventKey) -> Result<bool, StoreError> {
        let open = first(&mut self.say.reply_sum, params![event.0], |row| row.get::<_, i64>(3))?;
        Ok(open.unwrap_or(0) > 0)
    }

    pub(super) fn end(
        &mut self,
        event: EventKey,
        lane: i64,
        end: (State, &str),
        now: Moment,
    ) -> Result<(), StoreError> {
        let why = (!end.1.is_empty()).then_some(end.1);
        self.note_end(event, end.0, why, now)?;
        self.free(event, lane, now)
    }

    pub(super) fn record(&mut self, event: EventKey, attempt: &Attempt) -> Result<(), StoreError> {
        let Attempt { part, number, began, ended, status, words } = attempt;
        run(&mut self.say.attempt_put, params![event.0, part, number, began.0, ended.0, status, words]).map(drop)
    }

    pub(super) fn heard(
        &mut self,
        (event, lane): (EventKey, i64),
        replies: &[Reply],
        notes: &Notes,
        go_on: bool,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        for write in &notes.memory {
            self.put_memory(write)?;
        }
        for write in &notes.alarms {
            self.write_alarm(write)?;
        }
        if let Some(wrote) = notes.wrote {
            self.wrote(lane, wrote, now)?;
        }
        let said = if notes.stage > 0 { self.replies(event)? } else { 0 };
        let goes_on = self.put_rest(event, notes, now)?;
        if replies.is_empty() {
            match goes_on {
                Some(due) => self.wait_in_lane(lane, event, TO_HEAR, due, 0)?,
                None => self.end_unsaid(event, lane, UNSAID, now)?,
            }
            return Ok(None);
        }
        self.put_replies(event, replies, (said, go_on), now)?;
        let Some(reply) = replies.first().filter(|_| go_on) else {
            self.wait_in_lane(lane, event, TO_SEND, now, 0)?;
            return Ok(None);
        };
        let heard = self.last_wrote(reply, lane)?;
        let work = Work::Send { part: said + 1, reply: reply.clone(), attempt: 1, made: now, heard };
        Ok(Some(Lease { event, lane, work }))
    }

    /// Writes what the bot has still to say, or that it has said all; gives the moment from which it goes on.
    fn put_rest(&mut self, event: EventKey, notes: &Notes, now: Moment) -> Result<Option<Moment>, StoreError> {
        let Some(Rest { stage, due }) = &notes.rest else {
            if notes.stage > 0 {
                run(&mut self.say.stage_drop, params![event.0])?;
            }
            return Ok(None);
        };
        let due = due.unwrap_or(now);
        run(&mut self.say.stage_put, params![event.0, stage.number, stage.note, due.0])?;
        Ok(Some(due))
    }

    /// Nothing more will be said: an event of which nothing was said is ignored for this reason, any other is what its
    /// replies add up to.
    pub(super) fn end_unsaid(&mut self, event: EventKey, lane: i64, why: &str, now: Moment) -> Result<(), StoreError> {
        if self.replies(event)? == 0 {
            return self.end(event, lane, (State::Ignored, why), now);
        }
        run(&mut self.say.stage_drop, params![event.0])?;
        self.go_on(event, lane, "", false, now).map(drop)
    }

    pub(super) fn sent(
        &mut self,
        event: EventKey,
        lane: i64,
        attempt: &Attempt,
        end: &SendEnd,
        go_on: bool,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        let part = attempt.part;
        let (state, message_id) = match end {
            SendEnd::Delivered { message_id } => (State::Answered, message_id.as_deref()),
            // An echo that overtook the answer has the last word: the reply was seen.
            _ if self.is_proved(event, part)? => (State::Answered, None),
            SendEnd::Unknown => (State::Unknown, None),
            SendEnd::Skipped => (State::Skipped, None),
            SendEnd::Dead | SendEnd::Gone => (State::Dead, None),
            SendEnd::Again { due, maybe_said } => {
                self.record(event, attempt)?;
                let waits = params![event.0, State::Open as i64, None::<i64>, attempt.words];
                run(&mut self.say.end_event, waits)?;
                run(&mut self.say.reply_again, params![event.0, part, maybe_said])?;
                self.wait_in_lane(lane, event, TO_SEND, *due, 0)?;
                return Ok(None);
            }
        };
        // The last attempt lies in the reply's own row, since most replies have only that one.
        let Attempt { began, ended, status, words, .. } = attempt;
        let row = params![event.0, part, state as i64, message_id, began.0, ended.0, status, words];
        run(&mut self.say.reply_end, row)?;
        if state == State::Dead {
            // Half an answer after a missing part would only confuse: the rest ends with it.
            run(&mut self.say.reply_rest, params![event.0, State::Dead as i64])?;
        }
        let alarms = if *end == SendEnd::Gone && state == State::Dead { self.drop_alarms(event, lane)? } else { 0 };
        self.go_on(event, lane, &gone(words, alarms), go_on, now)
    }

    /// A reply has ended, `words` say how: its event has, too, or goes on with the next one.
    pub(super) fn go_on(
        &mut self,
        event: EventKey,
        lane: i64,
        words: &str,
        go_on: bool,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        match self.sum_up(event, words, now)? {
            Sum::Open if go_on => return self.begin_send(event, lane, now),
            Sum::Open => self.wait_in_lane(lane, event, TO_SEND, now, 0)?,
            Sum::GoesOn(due) => self.wait_in_lane(lane, event, TO_HEAR, due, 0)?,
            Sum::Ended => self.free(event, lane, now)?,
        }
        Ok(None)
    }

    pub(super) fn is_proved(&mut self, event: EventKey, part: u32) -> Result<bool, StoreError> {
        let proved = first(&mut self.say.reply_proved, params![event.0, part], |row| row.get(0))?;
        Ok(proved.unwrap_or(false))
    }

    /// A conversation waits for this moment; nobody has a lease of it.
    pub(super) fn wait_in_lane(
        &mut self,
        lane: i64,
        event: EventKey,
        phase: i64,
        due: Moment,
        attempt: u32,
    ) -> Result<(), StoreError> {
        let channel = event.channel();
        run(&mut self.say.lane_put, params![lane, channel.0, event.0, phase, due.0, attempt, 0])?;
        let place = self.place(channel)?;
        place.soonest = Some(place.soonest.map_or(due, |soonest| soonest.min(due)));
        Ok(())
    }
}

/// What an event's replies add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// Some are still to be sent.
    Open,
    /// All were, and the bot goes on with its answer from this moment.
    GoesOn(Moment),
    Ended,
}
