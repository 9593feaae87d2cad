//! What is put aside, and what is put back: a reply that may not be said now, and an event that had ended.

use super::engine::{Engine, TO_HEAR, TO_SEND};
use super::reader::channel_name;
use super::statements::{all, first, run};
use crate::limits;
use crate::model::{Attempt, EventId, EventKey, Instead, Lease, Moment, Reply};
use crate::store::reasons::{elsewhere, held_too_long, instead_of, replaced, resolved, rung_by};
use crate::store::{Replayed, State, Store, StoreError};
use rusqlite::params;

/// What stands in `event.state` of an open event that is held: those with 0 are handed out.
pub(super) const HELD: i64 = 1;

impl Engine<'_> {
    /// Reply `part` may not be said now. Where no attempt has shown that, the mark that one began is taken back.
    pub(super) fn unsent(
        &mut self,
        (event, lane, part): (EventKey, i64, u32),
        (attempt, instead): (Option<&Attempt>, &Instead),
        go_on: bool,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        match attempt {
            None => run(&mut self.say.reply_unbegin, params![event.0, part])?,
            Some(attempt) => {
                self.record(event, attempt)?;
                run(&mut self.say.reply_again, params![event.0, part, false])?
            }
        };
        if self.is_proved(event, part)? {
            // An echo has shown meanwhile that an earlier attempt was seen.
            run(&mut self.say.reply_close, params![event.0, part, State::Answered as i64])?;
            return self.go_on(event, lane, "", go_on, now);
        }
        match instead {
            Instead::Hold { why } => self.hold(event, lane, why, now).map(|()| None),
            // It would fail again and again, and everything else of this commit with it.
            Instead::Elsewhere { channel, why, .. } if !self.channels.contains_key(channel) => {
                let words = format!("{why}; and the other channel, number {}, is not in the store", channel.0);
                run(&mut self.say.reply_rest, params![event.0, State::Dead as i64])?;
                self.go_on(event, lane, &words, go_on, now)
            }
            Instead::Elsewhere { channel, replies, why } => {
                let there = self.push(*channel, &instead_of(event, part), replies, now)?;
                let channel = channel_name(self.connection, *channel)?;
                let words = elsewhere(why, &EventId { channel, place: there.place(), part: None });
                run(&mut self.say.reply_elsewhere, params![event.0, part, words])?;
                self.go_on(event, lane, "", go_on, now)
            }
        }
    }

    /// An event leaves its conversation, which goes on, until somebody writes in it.
    fn hold(&mut self, event: EventKey, lane: i64, why: &str, now: Moment) -> Result<(), StoreError> {
        let alarm = first(&mut self.say.to_hear, params![event.0], |row| {
            Ok(rung_by(&row.get::<_, String>(1)?, &row.get::<_, Vec<u8>>(3)?))
        })?;
        let alarm = alarm.flatten();
        let alike = all(&mut self.say.held_for, params![lane, alarm], |row| row.get(0).map(EventKey))?;
        for other in alike.iter().filter(|other| **other < event) {
            first(&mut self.say.held_drop, params![other.0], |_| Ok(()))?;
            self.replace(*other, event, now)?;
        }
        // An old one that was put back, and cannot be said after all.
        if let Some(newer) = alike.iter().find(|other| **other > event) {
            self.replace(event, *newer, now)?;
            return self.free(event, lane, now);
        }
        run(&mut self.say.end_event, params![event.0, HELD, None::<i64>, why])?;
        run(&mut self.say.held_put, params![event.0, lane, alarm, now.0])?;
        self.free(event, lane, now)
    }

    /// An event ends unsaid, since a newer one stands for it.
    fn replace(&mut self, event: EventKey, newer: EventKey, now: Moment) -> Result<(), StoreError> {
        run(&mut self.say.reply_rest, params![event.0, State::Ignored as i64])?;
        self.note_end(event, State::Ignored, Some(&replaced(newer)), now)
    }

    /// Somebody wrote: what was held for this is said next, and tried from now on.
    pub(super) fn wrote(&mut self, lane: i64, wrote: Moment, now: Moment) -> Result<(), StoreError> {
        // By a platform's clock that is ahead, we would speak for longer than we may.
        run(&mut self.say.contact_put, params![lane, wrote.min(now).0])?;
        for event in all(&mut self.say.held_here, params![lane], |row| row.get(0).map(EventKey))? {
            self.release(event, now)?;
        }
        Ok(())
    }

    /// An event that is held, if it is, goes back to its conversation.
    pub(super) fn release(&mut self, event: EventKey, now: Moment) -> Result<(), StoreError> {
        let Some(lane) = first(&mut self.say.held_drop, params![event.0], |row| row.get(0))? else { return Ok(()) };
        run(&mut self.say.reopen, params![event.0])?;
        run(&mut self.say.reply_renew, params![event.0, now.0])?;
        self.put_in_turn(event, lane, TO_SEND, now)
    }

    /// When somebody last wrote in this conversation; asked for a push only.
    pub(super) fn last_wrote(&mut self, reply: &Reply, lane: i64) -> Result<Option<Moment>, StoreError> {
        if reply.purpose == crate::model::Purpose::Response {
            return Ok(None);
        }
        first(&mut self.say.contact_get, params![lane], |row| row.get(0).map(Moment))
    }

    /// Ends what was held for too long, and forgets who has not written for long. True when there may be more.
    pub(super) fn prune_held(&mut self, now: Moment) -> Result<bool, StoreError> {
        let rows = i64::try_from(limits::PRUNE_ROWS).unwrap_or(i64::MAX);
        let before =
            |life: std::time::Duration| now.0.saturating_sub(i64::try_from(life.as_millis()).unwrap_or(i64::MAX));
        let long = params![before(limits::HELD_LIFE), rows];
        let long = all(&mut self.say.held_long, long, |row| row.get(0).map(EventKey))?;
        for event in &long {
            first(&mut self.say.held_drop, params![event.0], |_| Ok(()))?;
            run(&mut self.say.reply_rest, params![event.0, State::Dead as i64])?;
            self.note_end(*event, State::Dead, Some(&held_too_long()), now)?;
        }
        let strangers = run(&mut self.say.contact_expire, params![before(limits::CONTACT_LIFE), rows])?;
        Ok(long.len() == limits::PRUNE_ROWS || strangers == limits::PRUNE_ROWS)
    }

    /// Puts an event that ended dead or unknown back.
    pub(super) fn put_back(&mut self, event: EventKey, part: Option<u32>, now: Moment) -> Result<Replayed, StoreError> {
        let stands =
            first(&mut self.say.stands, params![event.0], |row| Ok((State::of(row.get(0)?), row.get::<_, i64>(1)?)))?;
        let lane = match stands {
            None => return Ok(Replayed::Left("there is no such event".to_owned())),
            Some((State::Dead | State::Unknown, lane)) => lane,
            Some((state, _)) => {
                return Ok(Replayed::Left(format!("it is {state}; only dead and unknown ones are put back")));
            }
        };
        let some = first(&mut self.say.reply_failed, params![event.0, part.is_some(), part.unwrap_or(0)], |_| Ok(()))?
            .is_some();
        // What a bot could not go on with is to be heard again from there.
        let stage = first(&mut self.say.to_hear, params![event.0], |row| row.get::<_, Option<u32>>(5))?.flatten();
        if !some && (part.is_some() || (stage.is_none() && self.replies(event)? > 0)) {
            return Ok(Replayed::Left("that reply is neither dead nor unknown".to_owned()));
        }
        run(&mut self.say.replay_put, params![event.0, now.0, false])?;
        run(&mut self.say.reply_move, params![event.0, part.is_some(), part.unwrap_or(0)])?;
        run(&mut self.say.reply_reopen, params![event.0, part.is_some(), part.unwrap_or(0), now.0])?;
        run(&mut self.say.reopen, params![event.0])?;
        self.put_in_turn(event, lane, if some { TO_SEND } else { TO_HEAR }, now)?;
        Ok(Replayed::PutBack)
    }

    /// An event that ended dead or unknown is dealt with. Its conversation went on when it ended.
    pub(super) fn set_aside(&mut self, event: EventKey, now: Moment) -> Result<Replayed, StoreError> {
        let stands = first(&mut self.say.stands, params![event.0], |row| {
            Ok((State::of(row.get(0)?), row.get::<_, Option<String>>(2)?))
        })?;
        let Some((stood, words)) = stands else { return Ok(Replayed::Left("there is no such event".to_owned())) };
        let (state, why) = match resolved(stood, words.as_deref()) {
            Ok(end) => end,
            Err(why) => return Ok(Replayed::Left(why)),
        };
        run(&mut self.say.replay_put, params![event.0, now.0, true])?;
        run(&mut self.say.reply_resolve, params![event.0, state as i64])?;
        run(&mut self.say.stage_drop, params![event.0])?;
        run(&mut self.say.end_event, params![event.0, state as i64, now.0, why])?;
        Ok(Replayed::Resolved)
    }

    /// An event is next in its conversation, or behind what that is at.
    fn put_in_turn(&mut self, event: EventKey, lane: i64, phase: i64, now: Moment) -> Result<(), StoreError> {
        if first(&mut self.say.lane_at, params![lane], |_| Ok(()))?.is_some() {
            return run(&mut self.say.behind_put, params![lane, event.0]).map(drop);
        }
        self.wait_in_lane(lane, event, phase, now, 0)
    }
}
