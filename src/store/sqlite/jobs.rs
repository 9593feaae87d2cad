//! Jobs: what a conversation is at, handing it out, and what follows from its end.
//!
//!     lease_new ──▶ begin_hearing ──▶ heard ──▶ begin_send ──▶ sent ──▶ sum_up, free
//!     lease_begun ─────┴───────────────────────────┘              └──▶ wait_in_lane

use super::engine::{Engine, TO_HEAR, TO_SEND, from_json};
use super::statements::{all, first, run};
use crate::limits;
use crate::model::{Attempt, ChannelNumber, EventKey, Lease, Moment, Notes, Reply, Rest, SendEnd, Stage, Work};
use crate::store::cut_off::{due_again, given_up};
use crate::store::reasons::{because, gone};
use crate::store::{Fact, OWN, OWN_WHY, State, StoreError, UNSAID};
use rusqlite::params;
use std::collections::HashSet;

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

    fn has_to_send(&mut self, event: EventKey) -> Result<bool, StoreError> {
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

    /// Marks the event's next reply as begun and makes it a lease. `None` when nothing is left to send; then the
    /// event has ended and its conversation is free.
    fn begin_send(&mut self, event: EventKey, lane: i64, now: Moment) -> Result<Option<Lease>, StoreError> {
        loop {
            let Some(next) = self.next_reply(event)? else { return self.go_on(event, lane, "", false, now) };
            if let Some(begun) = next.begun {
                self.note_cut_off(event, &next, Moment(begun), now)?;
            }
            if next.proved {
                run(&mut self.say.reply_close, params![event.0, next.part, State::Answered as i64])?;
                continue;
            }
            let (attempt, twice) = (next.attempts + 1, next.maybe_twice || next.begun.is_some());
            run(&mut self.say.reply_begin, params![event.0, next.part, now.0, attempt, twice])?;
            let reply = match from_json(&next.content) {
                Ok(reply) => reply,
                // One unreadable row must not hold up everything else.
                Err(error) => {
                    let id = self.named(event);
                    log::error!(
                        channel = id.channel, event:% = id;
                        "{id}: {error}; it is dead from part {} on", next.part
                    );
                    run(&mut self.say.reply_rest, params![event.0, State::Dead as i64])?;
                    continue;
                }
            };
            let heard = self.last_wrote(&reply, lane)?;
            let work = Work::Send { part: next.part, reply, attempt, made: next.made, heard };
            return Ok(Some(Lease { event, lane, work }));
        }
    }

    fn next_reply(&mut self, event: EventKey) -> Result<Option<NextReply>, StoreError> {
        first(&mut self.say.reply_next, params![event.0], |row| {
            Ok(NextReply {
                part: row.get(0)?,
                attempts: row.get(1)?,
                begun: row.get(2)?,
                maybe_twice: row.get(3)?,
                proved: row.get(4)?,
                content: row.get(5)?,
                made: Moment(row.get(6)?),
            })
        })
    }

    /// An attempt began, and its process went away before it ended.
    fn note_cut_off(
        &mut self,
        event: EventKey,
        next: &NextReply,
        begun: Moment,
        now: Moment,
    ) -> Result<(), StoreError> {
        let words = "cut off: ackd stopped before the platform's answer came";
        let attempt = Attempt {
            part: next.part,
            number: next.attempts,
            began: begun,
            ended: now,
            status: None,
            words: words.to_owned(),
        };
        self.record(event, &attempt)
    }

    pub(super) fn record(&mut self, event: EventKey, attempt: &Attempt) -> Result<(), StoreError> {
        let Attempt { part, number, began, ended, status, words } = attempt;
        run(&mut self.say.attempt_put, params![event.0, part, number, began.0, ended.0, status, words]).map(drop)
    }

    /// Something of this channel that has begun before and is due.
    pub(super) fn lease_begun(
        &mut self,
        channel: ChannelNumber,
        phase: i64,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        loop {
            let enough = i64::try_from(busy.len()).unwrap_or(i64::MAX).saturating_add(1);
            let due = all(&mut self.say.lane_due, params![channel.0, phase, now.0, enough], |row| {
                Ok((row.get::<_, i64>(0)?, EventKey(row.get(1)?), row.get::<_, u32>(2)?, row.get::<_, u32>(3)?))
            })?;
            let Some((lane, event, attempt, handed)) = due.into_iter().find(|(lane, ..)| !busy.contains(lane)) else {
                return Ok(None);
            };
            self.begin()?;
            // One that was heard and sent by the same worker, until that was cut off, still stands as to be heard.
            let lease = if let Some(why) = given_up(handed) {
                self.give_up((event, lane), phase, &why, now)?
            } else if phase == TO_SEND || self.has_to_send(event)? {
                self.hand_out(lane, event, phase, (attempt, handed), now)?;
                self.begin_send(event, lane, now)?
            } else {
                self.begin_hearing(event, lane, (attempt + 1, handed), now)?
            };
            if lease.is_some() {
                return Ok(lease);
            }
        }
    }

    /// ackd ended too often while this event was under way: what was is not tried again. Gives what follows on it.
    fn give_up(
        &mut self,
        (event, lane): (EventKey, i64),
        phase: i64,
        why: &str,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        let id = self.named(event);
        log::error!(channel = id.channel, event:% = id; "{id}: given up: {why}");
        let Some(next) = self.next_reply(event)? else {
            return self.end(event, lane, (State::Dead, why), now).map(|()| None);
        };
        if let Some(begun) = next.begun {
            self.note_cut_off(event, &next, Moment(begun), now)?;
            run(&mut self.say.reply_close, params![event.0, next.part, State::Unknown as i64])?;
        }
        self.hand_out(lane, event, phase, (0, 0), now)?;
        self.go_on(event, lane, "", true, now)
    }

    pub(super) fn due_after(&mut self, channel: ChannelNumber, now: Moment) -> Result<Option<Moment>, StoreError> {
        let mut soonest = None;
        for phase in [TO_HEAR, TO_SEND] {
            let due = first(&mut self.say.lane_next, params![channel.0, phase, now.0], |row| row.get(0))?;
            soonest = [soonest, due.map(Moment)].into_iter().flatten().min();
        }
        Ok(soonest)
    }

    pub(super) fn begin_hearing(
        &mut self,
        event: EventKey,
        lane: i64,
        (attempt, handed): (u32, u32),
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        self.hand_out(lane, event, TO_HEAR, (attempt, handed), now)?;
        let work = first(&mut self.say.to_hear, params![event.0], |row| {
            Ok(Work::Hear {
                conversation: row.get(0)?,
                kind: row.get(1)?,
                received: Moment(row.get(2)?),
                raw: row.get(3)?,
                since: Moment(row.get(4)?),
                attempt,
                stage: match row.get(5)? {
                    Some(number) => Some(Stage { number, note: row.get(6)? }),
                    None => None,
                },
            })
        })?;
        let Some(work) = work else {
            let id = self.named(event);
            log::error!(
                channel = id.channel, event:% = id;
                "{id}: is gone from the store; its conversation goes on without it"
            );
            self.free(event, lane, now)?;
            return Ok(None);
        };
        if matches!(&work, Work::Hear { kind, .. } if kind == OWN) && !self.has_doubts(event.channel(), lane)? {
            self.end(event, lane, (State::Ignored, OWN_WHY), now)?;
            return Ok(None);
        }
        Ok(Some(Lease { event, lane, work }))
    }

    /// The next event in order of arrival whose conversation is free; those whose is not go behind it.
    pub(super) fn lease_new(
        &mut self,
        channel: ChannelNumber,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        let end = EventKey::after_last(channel);
        let mut looked = 0;
        while looked < limits::SEARCH_ROWS {
            // Most often the first one is free, so do not read far ahead at once.
            let rows = if looked == 0 { 1 } else { limits::SEARCH_ROWS - looked };
            let from = self.place(channel)?.cursor;
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            let ahead = all(&mut self.say.ahead, params![from.0, end.0, rows], |row| {
                Ok((EventKey(row.get(0)?), row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
            })?;
            if ahead.is_empty() {
                self.place(channel)?.looks_on = false;
                return Ok(None);
            }
            self.begin()?;
            for (event, lane, push) in ahead {
                looked += 1;
                self.place(channel)?.cursor = event;
                let at = first(&mut self.say.lane_at, params![lane], |row| row.get::<_, i64>(0))?;
                if at == Some(event.0) {
                    continue; // Begun before a restart, after the cursor was last saved.
                }
                let lease = if at.is_some() || busy.contains(&lane) {
                    run(&mut self.say.behind_put, params![lane, event.0])?;
                    None
                } else if push {
                    self.hand_out(lane, event, TO_SEND, (0, 0), now)?;
                    self.begin_send(event, lane, now)?
                } else {
                    self.begin_hearing(event, lane, (1, 0), now)?
                };
                if lease.is_some() {
                    return Ok(lease);
                }
            }
        }
        self.place(channel)?.looks_on = true;
        Ok(None)
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

    /// Somebody gets a lease of a conversation, the next one after `handed` of which none came back. Twice in a row is no
    /// chance any more.
    fn hand_out(
        &mut self,
        lane: i64,
        event: EventKey,
        phase: i64,
        (attempt, handed): (u32, u32),
        now: Moment,
    ) -> Result<(), StoreError> {
        if handed > 1 {
            let id = self.named(event);
            log::warn!(
                channel = id.channel, event:% = id;
                "{id}: was under way when ackd ended, {handed} times in a row; tried again"
            );
        }
        let due = due_again(event, handed, now);
        let row = params![lane, event.channel().0, event.0, phase, due.0, attempt, handed + 1];
        run(&mut self.say.lane_put, row).map(drop)
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

/// A reply that is to be sent next.
struct NextReply {
    part: u32,
    attempts: u32,
    begun: Option<i64>,
    maybe_twice: bool,
    proved: bool,
    content: String,
    made: Moment,
}
