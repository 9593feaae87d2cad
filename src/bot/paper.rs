//! A desk of paper, for the tests of bots: what it is asked is answered from what the test wrote on it.

use super::{BotFault, CallFault, Desk, NewAlarm, SetAlarm};
use crate::model::{Answer, Left, Lesson, Moment};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What is on the desk, and what the bot did with it.
#[derive(Default)]
pub struct Paper {
    pub now: Moment,
    pub memory: BTreeMap<String, Vec<u8>>,
    /// Until when, where it is not for ever.
    pub expires: BTreeMap<String, Moment>,
    pub alarms: BTreeMap<String, SetAlarm>,
    /// Whether pushes are held here.
    pub holds: bool,
    /// Alarms set in other conversations.
    pub far_alarms: Vec<NewAlarm>,
    /// What upstreams answer, by the beginning of the path; the first that fits is used up.
    pub answers: VecDeque<(String, Result<Answer, CallFault>)>,
    /// The paths that were asked for.
    pub asked: Vec<String>,
    /// How long an upstream takes to answer.
    pub answer_time: Duration,
    pub left: Vec<Left>,
    /// When somebody logged in.
    pub given: Option<Moment>,
    pub lessons: Vec<Lesson>,
    /// The stage that is heard.
    pub stage: Option<Vec<u8>>,
    /// What the bot wants to go on with, and not before when.
    pub rest: Option<(Vec<u8>, Option<Moment>)>,
    /// What `reserve` says; calls are there when nothing is written.
    pub lines: VecDeque<Result<(), CallFault>>,
    /// How many calls were reserved at once, each time.
    pub reserved: Vec<u32>,
}

impl Paper {
    /// Goes on to the stage that the bot left to itself; `false` when it left none.
    pub fn turn(&mut self) -> bool {
        let Some((note, due)) = self.rest.take() else { return false };
        self.now = due.map_or(self.now, |due| due.max(self.now));
        self.stage = Some(note);
        true
    }
}

impl Desk for Paper {
    fn now(&self) -> Moment {
        self.now
    }

    fn recall(&mut self, key: &str) -> Result<Option<Vec<u8>>, BotFault> {
        let over = self.expires.get(key).is_some_and(|expires| *expires <= self.now);
        Ok(self.memory.get(key).filter(|_| !over).cloned())
    }

    fn remember(&mut self, key: &str, value: Vec<u8>, expires: Option<Moment>) -> Result<(), BotFault> {
        self.memory.insert(key.to_owned(), value);
        self.expires.remove(key);
        self.expires.extend(expires.map(|expires| (key.to_owned(), expires)));
        Ok(())
    }

    fn forget(&mut self, key: &str) -> Result<(), BotFault> {
        self.memory.remove(key);
        Ok(())
    }

    fn stage(&self) -> Option<&[u8]> {
        self.stage.as_deref()
    }

    fn go_on(&mut self, note: Vec<u8>, due: Option<Moment>) -> Result<(), BotFault> {
        self.rest = Some((note, due));
        Ok(())
    }

    fn reserve(&mut self, _upstream: &str, calls: u32) -> Result<(), CallFault> {
        self.reserved.push(calls);
        self.lines.pop_front().unwrap_or(Ok(()))
    }

    fn use_up(&mut self, key: &str) -> Result<(), BotFault> {
        self.forget(key)
    }

    fn get(&mut self, _upstream: &str, path: &str) -> Result<Answer, CallFault> {
        self.asked.push(path.to_owned());
        self.now = self.now.after(self.answer_time);
        let place = self.answers.iter().position(|(start, _)| path.starts_with(start.as_str()));
        let answer = place.and_then(|place| self.answers.remove(place));
        answer.map_or_else(|| Err(CallFault::Failed { why: format!("nothing is written for {path}") }), |(_, it)| it)
    }

    fn left(&mut self, _upstream: &str) -> Result<Vec<Left>, BotFault> {
        Ok(self.left.clone())
    }

    fn given(&mut self, _upstream: &str) -> Result<Option<Moment>, BotFault> {
        Ok(self.given)
    }

    fn learn(&mut self, _upstream: &str, lesson: Lesson) -> Result<(), BotFault> {
        self.lessons.push(lesson);
        Ok(())
    }

    fn set_alarm(&mut self, alarm: NewAlarm) -> Result<Result<Moment, String>, BotFault> {
        if alarm.conversation.is_some() {
            self.far_alarms.push(alarm);
            return Ok(Ok(self.now));
        }
        let NewAlarm { name, note, plan, .. } = alarm;
        let due = self.now;
        self.alarms.insert(name.clone(), SetAlarm { name, note, plan, due });
        Ok(Ok(due))
    }

    fn cancel_alarm(&mut self, name: &str) -> Result<(), BotFault> {
        self.alarms.remove(name);
        Ok(())
    }

    fn holds_pushes(&self) -> bool {
        self.holds
    }

    fn alarms(&mut self) -> Result<Vec<SetAlarm>, BotFault> {
        Ok(self.alarms.values().cloned().collect())
    }
}
