//! Jobs over the maps: handing out, and what follows from an end. As `store/sqlite/leases.rs` and `jobs.rs`, verb by verb.

use super::{Lane, Memory, ReplyRow, Sum};
use crate::model::{Attempt, ChannelNumber, EventKey, Lease, Moment, Notes, Reply, SendEnd, Work};
use crate::store::cut_off::{attempt, due_again, given_up, handed_max, told};
use crate::store::reasons::gone;
use crate::store::{OWN, OWN_WHY, ReplyLife, State, Store, StoreError, UNSAID, Wanted};
use std::collections::HashSet;

impl ReplyRow {
    /// An attempt began, and its process went away before it ended; whether that is so.
    fn note_cut_off(&mut self, now: Moment) -> bool {
        let Some(began) = self.begun.take() else { return false };
        self.life.attempts.push(attempt(self.life.part, self.tried, began, now));
        true
    }
}

impl Memory {
    pub(super) fn begin_send(&mut self, event: EventKey, lane: i64, now: Moment) -> Result<Option<Lease>, StoreError> {
        loop {
            let row = self.row(event)?;
            let Some(reply) = row.replies.iter_mut().find(|reply| reply.life.state == State::Open) else {
                return self.go_on(event, lane, "", false, now);
            };
            reply.life.maybe_twice |= reply.note_cut_off(now);
            if reply.proved {
                reply.life.state = State::Answered;
                continue;
            }
            reply.tried += 1;
            reply.begun = Some(now);
            let (attempt, life) = (reply.tried, reply.life.clone());
            let heard = self.last_wrote(&life.reply, lane);
            let work = Work::Send { part: life.part, reply: life.reply, attempt, made: life.made, heard };
            return Ok(Some(Lease { event, lane, work }));
        }
    }

    pub(super) fn begin_hearing(
        &mut self,
        event: EventKey,
        lane: i64,
        (attempt, handed): (u32, u32),
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        self.hand_out(lane, Lane { attempt, handed, ..Lane::waiting(event, false, now) }, now);
        let doubts = self.has_doubts(lane);
        let stage = self.now.stages.get(&event).map(|(stage, _)| stage.clone());
        let row = self.row(event)?;
        if row.arrival.kind == OWN && !doubts {
            self.end(event, lane, State::Ignored, OWN_WHY, now)?;
            return Ok(None);
        }
        let work = Work::Hear {
            conversation: row.arrival.conversation.clone(),
            kind: row.arrival.kind.to_owned(),
            received: row.received,
            since: row.replays.last().map_or(row.received, |replay| replay.at),
            raw: row.arrival.raw.to_vec(),
            attempt,
            stage,
        };
        Ok(Some(Lease { event, lane, work }))
    }

    pub(super) fn next_job(
        &mut self,
        channel: ChannelNumber,
        wanted: Wanted,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        loop {
            if let Some(lease) = self.lease_begun(channel, true, busy, now)? {
                return Ok(Some(lease));
            }
            if wanted == Wanted::Sends {
                return Ok(None);
            }
            if let Some(lease) = self.lease_begun(channel, false, busy, now)? {
                return Ok(Some(lease));
            }
            // What ended in that search may have made way for something to send.
            let due = |(lane, at): (&i64, &Lane)| {
                at.event.channel() == channel && at.due <= now && at.sending && at.handed == 0 && !busy.contains(lane)
            };
            if !self.now.lanes.iter().any(due) {
                break;
            }
        }
        self.lease_new(channel, busy, now)
    }

    /// A job came back: if it was the suspect's, ackd did not end with it.
    pub(super) fn come_back(&mut self, lane: i64, now: Moment) {
        let was_suspect = self.suspect.take_if(|suspect| *suspect == lane).is_some();
        if let Some(at) = self.now.lanes.get_mut(&lane).filter(|_| was_suspect) {
            (at.handed, at.due) = (1, now);
        }
    }

    fn lease_begun(
        &mut self,
        channel: ChannelNumber,
        sending: bool,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        loop {
            let most = handed_max(self.suspect, busy);
            let due = self
                .now
                .lanes
                .iter()
                .filter(|(lane, at)| {
                    at.event.channel() == channel
                        && at.sending == sending
                        && at.due <= now
                        && !busy.contains(lane)
                        && at.handed <= most
                })
                .min_by_key(|(_, at)| at.due)
                .map(|(lane, at)| (*lane, *at));
            let Some((lane, at)) = due else { return Ok(None) };
            let lease = if let Some(why) = given_up(at.handed) {
                self.give_up(lane, at, &why, now)?
            // One that was heard and sent by the same worker, until that was cut off, still stands as to be heard.
            } else if sending || self.has_to_send(at.event) {
                self.hand_out(lane, at, now);
                self.begin_send(at.event, lane, now)?
            } else {
                self.begin_hearing(at.event, lane, (at.attempt + 1, at.handed), now)?
            };
            if lease.is_some() {
                return Ok(lease);
            }
        }
    }

    /// Somebody gets a conversation's job now.
    fn hand_out(&mut self, lane: i64, at: Lane, now: Moment) {
        if let (Some(words), Ok(row)) = (told(at.handed), self.row(at.event)) {
            row.why = Some(words);
            self.suspect = Some(lane);
        }
        let due = due_again(at.handed, now);
        self.now.lanes.insert(lane, Lane { due, handed: at.handed + 1, ..at });
    }

    /// ackd ended too often while this event was under way: what was is not tried again. Gives what follows on it.
    fn give_up(&mut self, lane: i64, at: Lane, why: &str, now: Moment) -> Result<Option<Lease>, StoreError> {
        let row = self.row(at.event)?;
        let Some(reply) = row.replies.iter_mut().find(|reply| reply.life.state == State::Open) else {
            return self.end(at.event, lane, State::Dead, why, now).map(|()| None);
        };
        if !reply.proved && reply.note_cut_off(now) {
            reply.life.state = State::Unknown;
        }
        self.hand_out(lane, Lane::waiting(at.event, at.sending, now), now);
        self.go_on(at.event, lane, "", true, now)
    }

    fn lease_new(
        &mut self,
        channel: ChannelNumber,
        busy: &HashSet<i64>,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        // Unlike SQLite's search this one has no bound: what a test keeps is short.
        loop {
            let Some(place) = self.now.channels.get_mut(&channel) else { return Ok(None) };
            let range = EventKey(place.cursor.0 + 1)..EventKey::after_last(channel);
            let mut open = self.now.events.range(range).filter(|(_, row)| row.state == State::Open);
            let next = open.find(|(event, _)| !self.now.held.contains_key(event));
            let Some((event, lane, push)) = next.map(|(event, row)| (*event, row.lane, row.push)) else {
                return Ok(None);
            };
            place.cursor = event;
            if self.now.lanes.get(&lane).is_some_and(|at| at.event == event) {
                continue; // It was begun when it rang.
            }
            if busy.contains(&lane) || self.now.lanes.contains_key(&lane) {
                self.now.behind.insert((lane, event));
            } else if push {
                self.hand_out(lane, Lane::waiting(event, true, now), now);
                return self.begin_send(event, lane, now);
            } else if let Some(lease) = self.begin_hearing(event, lane, (1, 0), now)? {
                return Ok(Some(lease));
            }
        }
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
            self.remember(write)?;
        }
        for write in &notes.alarms {
            self.write_alarm(write);
        }
        if let Some(wrote) = notes.wrote {
            self.wrote(lane, wrote, now);
        }
        self.now.stages.remove(&event);
        let goes_on = notes.rest.as_ref().map(|rest| rest.due.unwrap_or(now));
        if let (Some(rest), Some(due)) = (&notes.rest, goes_on) {
            self.now.stages.insert(event, (rest.stage.clone(), due));
        }
        if !replies.is_empty() {
            self.put_replies(event, replies, now)?;
            if go_on {
                return self.begin_send(event, lane, now);
            }
            self.now.lanes.insert(lane, Lane::waiting(event, true, now));
            return Ok(None);
        }
        match goes_on {
            Some(due) => drop(self.now.lanes.insert(lane, Lane::waiting(event, false, due))),
            None => self.end_unsaid(event, lane, UNSAID, now)?,
        }
        Ok(None)
    }

    pub(super) fn end_unsaid(&mut self, event: EventKey, lane: i64, why: &str, now: Moment) -> Result<(), StoreError> {
        if self.row(event)?.replies.is_empty() {
            return self.end(event, lane, State::Ignored, why, now);
        }
        self.now.stages.remove(&event);
        self.go_on(event, lane, "", false, now).map(drop)
    }

    pub(super) fn put_replies(&mut self, event: EventKey, replies: &[Reply], now: Moment) -> Result<(), StoreError> {
        let row = self.row(event)?;
        let said = u32::try_from(row.replies.len()).unwrap_or(u32::MAX);
        for (part, reply) in (said + 1..).zip(replies) {
            let life = ReplyLife {
                part,
                state: State::Open,
                reply: reply.clone(),
                made: now,
                maybe_twice: false,
                message_id: None,
                attempts: Vec::new(),
            };
            row.replies.push(ReplyRow { life, tried: 0, begun: None, proved: false, elsewhere: None });
        }
        Ok(())
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
        let row = self.row(event)?;
        let reply = row.replies.iter_mut().find(|reply| reply.life.part == attempt.part);
        let reply = reply.ok_or_else(|| StoreError("no such reply".to_owned()))?;
        reply.life.attempts.push(attempt.clone());
        reply.begun = None;
        let state = match end {
            SendEnd::Delivered { message_id } => {
                reply.life.message_id.clone_from(message_id);
                State::Answered
            }
            _ if reply.proved => State::Answered,
            SendEnd::Unknown => State::Unknown,
            SendEnd::Skipped => State::Skipped,
            SendEnd::Dead | SendEnd::Gone => State::Dead,
            SendEnd::Again { due, maybe_said } => {
                reply.life.maybe_twice |= maybe_said;
                row.why = Some(attempt.words.clone());
                self.now.lanes.insert(lane, Lane::waiting(event, true, *due));
                return Ok(None);
            }
        };
        reply.life.state = state;
        let mut alarms = 0;
        if state == State::Dead {
            self.close(event, State::Dead)?;
            if *end == SendEnd::Gone {
                alarms = self.drop_alarms(event)?;
            }
        }
        self.go_on(event, lane, &gone(&attempt.words, alarms), go_on, now)
    }

    pub(super) fn go_on(
        &mut self,
        event: EventKey,
        lane: i64,
        words: &str,
        go_on: bool,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        match self.sum_up(event, words, now) {
            Sum::Open if go_on => return self.begin_send(event, lane, now),
            Sum::Open => drop(self.now.lanes.insert(lane, Lane::waiting(event, true, now))),
            Sum::GoesOn(due) => drop(self.now.lanes.insert(lane, Lane::waiting(event, false, due))),
            Sum::Ended => self.free(lane, now),
        }
        Ok(None)
    }
}
