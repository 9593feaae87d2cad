//! What is put aside, and what is put back. As `store/sqlite/aside.rs`, verb by verb.

use super::{Held, Lane, Memory, Row};
use crate::limits;
use crate::model::{Attempt, EventId, EventKey, Instead, Lease, Moment, Purpose, Reply};
use crate::store::reasons::{elsewhere, held_too_long, instead_of, replaced, resolved, rung_by};
use crate::store::{Fact, PutBack, Replayed, State, Store, StoreError};
use std::collections::btree_map::Entry;

impl Row {
    /// How it stands, before it is put back or resolved.
    fn stands(&self, at: Moment, resolved: bool) -> PutBack {
        let made = self.replies.iter().map(|reply| reply.life.made).min();
        PutBack { at, resolved, state: self.state, ended: self.ended, why: self.why.clone(), made }
    }
}

impl Memory {
    pub(super) fn unsent(
        &mut self,
        (event, lane, part): (EventKey, i64, u32),
        (attempt, instead): (Option<&Attempt>, &Instead),
        go_on: bool,
        now: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        let row = self.row(event)?;
        let reply = row.replies.iter_mut().find(|reply| reply.life.part == part);
        let reply = reply.ok_or_else(|| StoreError("no such reply".to_owned()))?;
        reply.begun = None;
        match attempt {
            None => reply.tried = reply.tried.saturating_sub(1),
            Some(attempt) => reply.life.attempts.push(attempt.clone()),
        }
        if reply.proved {
            reply.life.state = State::Answered;
            return self.go_on(event, lane, "", go_on, now);
        }
        match instead {
            Instead::Hold { why } => {
                self.hold(event, lane, why, now)?;
                Ok(None)
            }
            Instead::Elsewhere { channel, why, .. } if !self.now.channels.contains_key(channel) => {
                self.close(event, State::Dead)?;
                let words = format!("{why}; and the other channel, number {}, is not in the store", channel.0);
                self.go_on(event, lane, &words, go_on, now)
            }
            Instead::Elsewhere { channel, replies, why } => {
                let there = self.push(*channel, &instead_of(event, part), replies, now)?;
                let name = self.now.channels.get(channel).map(|channel| channel.name.clone()).unwrap_or_default();
                let words = elsewhere(why, &EventId { channel: name, place: there.place(), part: None });
                let replies = &mut self.row(event)?.replies;
                for reply in replies.iter_mut().filter(|reply| reply.life.part == part) {
                    (reply.life.state, reply.elsewhere) = (State::Skipped, Some(words.clone()));
                }
                self.go_on(event, lane, "", go_on, now)
            }
        }
    }

    fn hold(&mut self, event: EventKey, lane: i64, why: &str, now: Moment) -> Result<(), StoreError> {
        let row = self.row(event)?;
        let alarm = rung_by(row.arrival.kind, &row.arrival.raw);
        let alike = |held: &Held| held.lane == lane && alarm.is_some() && held.alarm == alarm;
        let alike: Vec<_> = self.now.held.iter().filter(|(_, held)| alike(held)).map(|(key, _)| *key).collect();
        for other in alike.iter().filter(|other| **other < event) {
            self.now.held.remove(other);
            self.replace(*other, event, now)?;
        }
        if let Some(newer) = alike.iter().find(|other| **other > event) {
            self.replace(event, *newer, now)?;
        } else {
            self.row(event)?.why = Some(why.to_owned());
            self.now.held.insert(event, Held { lane, alarm, since: now });
        }
        self.free(lane, now);
        Ok(())
    }

    fn replace(&mut self, event: EventKey, newer: EventKey, now: Moment) -> Result<(), StoreError> {
        self.close(event, State::Ignored)?;
        let row = self.row(event)?;
        (row.state, row.ended, row.why) = (State::Ignored, Some(now), Some(replaced(newer)));
        self.note(event.channel(), Fact::Ended(State::Ignored));
        Ok(())
    }

    /// Its replies that are open end so.
    pub(super) fn close(&mut self, event: EventKey, state: State) -> Result<(), StoreError> {
        let replies = &mut self.row(event)?.replies;
        for reply in replies.iter_mut().filter(|reply| reply.life.state == State::Open) {
            reply.life.state = state;
        }
        Ok(())
    }

    pub(super) fn wrote(&mut self, lane: i64, wrote: Moment, now: Moment) {
        let last = self.now.contacts.entry(lane).or_insert(wrote.min(now));
        *last = wrote.min(now).max(*last);
        let held = self.now.held.iter().filter(|(_, held)| held.lane == lane);
        for event in held.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.release(event, now);
        }
    }

    pub(super) fn release(&mut self, event: EventKey, now: Moment) {
        let Some(Held { lane, .. }) = self.now.held.remove(&event) else { return };
        if let Ok(row) = self.row(event) {
            row.why = None;
            for reply in row.replies.iter_mut().filter(|reply| reply.life.state == State::Open) {
                reply.life.made = now;
            }
        }
        self.put_in_turn(event, lane, true, now);
    }

    pub(super) fn last_wrote(&self, reply: &Reply, lane: i64) -> Option<Moment> {
        self.now.contacts.get(&lane).copied().filter(|_| reply.purpose == Purpose::Push)
    }

    pub(super) fn prune_held(&mut self, now: Moment) {
        self.now.contacts.retain(|_, wrote| now.since(*wrote) <= limits::CONTACT_LIFE);
        let long = self.now.held.iter().filter(|(_, held)| now.since(held.since) > limits::HELD_LIFE);
        for event in long.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.now.held.remove(&event);
            if self.close(event, State::Dead).is_ok()
                && let Ok(row) = self.row(event)
            {
                (row.state, row.ended, row.why) = (State::Dead, Some(now), Some(held_too_long()));
                self.note(event.channel(), Fact::Ended(State::Dead));
            }
        }
    }

    pub(super) fn put_back(&mut self, event: EventKey, part: Option<u32>, now: Moment) -> Result<Replayed, StoreError> {
        let left = |why: &str| Ok(Replayed::Left(why.to_owned()));
        let goes_on = self.now.stages.contains_key(&event);
        let Ok(row) = self.row(event) else { return left("there is no such event") };
        if !matches!(row.state, State::Dead | State::Unknown) {
            return Ok(Replayed::Left(format!("it is {}; only dead and unknown ones are put back", row.state)));
        }
        let lane = row.lane;
        let before = row.stands(now, false);
        let mut again = 0;
        for reply in &mut row.replies {
            let life = &mut reply.life;
            if matches!(life.state, State::Dead | State::Unknown) && part.is_none_or(|part| part == life.part) {
                life.maybe_twice |= life.state == State::Unknown;
                (life.state, life.made, reply.proved) = (State::Open, now, false);
                again += 1;
            }
        }
        if again == 0 && (part.is_some() || (!goes_on && !row.replies.is_empty())) {
            return left("that reply is neither dead nor unknown");
        }
        (row.state, row.ended, row.why) = (State::Open, None, None);
        row.replays.push(before);
        self.put_in_turn(event, lane, again > 0, now);
        Ok(Replayed::PutBack)
    }

    pub(super) fn set_aside(&mut self, event: EventKey, now: Moment) -> Result<(), String> {
        let row = self.row(event).map_err(|_| "there is no such event".to_owned())?;
        let (state, why) = resolved(row.state, row.why.as_deref())?;
        row.replays.push(row.stands(now, true));
        for reply in row.replies.iter_mut().filter(|reply| reply.life.state == State::Unknown) {
            reply.life.state = state;
        }
        (row.state, row.ended, row.why) = (state, Some(now), Some(why));
        self.now.stages.remove(&event);
        Ok(())
    }

    fn put_in_turn(&mut self, event: EventKey, lane: i64, sending: bool, now: Moment) {
        match self.now.lanes.entry(lane) {
            Entry::Occupied(_) => drop(self.now.behind.insert((lane, event))),
            Entry::Vacant(free) => drop(free.insert(Lane::waiting(event, sending, now))),
        }
    }
}
