//! Handing out: the next job of a channel, of what has begun or of what is new.

use super::engine::{Engine, TO_HEAR, TO_SEND, from_json};
use super::statements::{all, first, run};
use crate::limits;
use crate::model::{ChannelNumber, EventKey, Lease, Moment, Stage, Work};
use crate::store::cut_off::{attempt, due_again, given_up, handed_max, told};
use crate::store::{OWN, OWN_WHY, State, StoreError};
use rusqlite::params;
use std::collections::HashSet;

impl Engine<'_> {
    /// Marks the event's next reply as begun and makes it a lease. `None` when nothing is left to send; then the
    /// event has ended and its conversation is free.
    pub(super) fn begin_send(&mut self, event: EventKey, lane: i64, now: Moment) -> Result<Option<Lease>, StoreError> {
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
        self.record(event, &attempt(next.part, next.attempts, begun, now))
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
            let most = handed_max(self.suspect, busy);
            let due = all(&mut self.say.lane_due, params![channel.0, phase, now.0, enough, most], |row| {
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
        // Of one that an echo has proved since, nothing is unknown; it is answered when its turn comes.
        if let Some(begun) = next.begun.filter(|_| !next.proved) {
            self.note_cut_off(event, &next, Moment(begun), now)?;
            run(&mut self.say.reply_close, params![event.0, next.part, State::Unknown as i64])?;
        }
        // What is left begins a count of its own.
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

    /// Somebody gets a conversation's job. `handed` times in a row it was handed out before, and never came back.
    fn hand_out(
        &mut self,
        lane: i64,
        event: EventKey,
        phase: i64,
        (attempt, handed): (u32, u32),
        now: Moment,
    ) -> Result<(), StoreError> {
        if let Some(words) = told(handed) {
            let id = self.named(event);
            log::warn!(channel = id.channel, event:% = id; "{id}: {words}; tried again");
            run(&mut self.say.end_event, params![event.0, State::Open as i64, None::<i64>, words])?;
            self.suspect = Some(lane);
        }
        let due = due_again(handed, now);
        let row = params![lane, event.channel().0, event.0, phase, due.0, attempt, handed + 1];
        run(&mut self.say.lane_put, row).map(drop)
    }
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
