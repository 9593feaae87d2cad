//! The desk of a bot that rehearses: its clock stands, what it remembers is read and not written, and nobody is asked
//! anything.

use crate::bot::{BotFault, CallFault, Desk, NewAlarm, SetAlarm, next_stage, rememberable};
use crate::model::{Answer, Event, EventKey, Left, Lesson, Moment, Stage};
use crate::notation::shelf::Shelf;
use crate::platform::Outside;
use crate::queue::schedule;
use crate::store::sqlite::Reader;
use crate::work::{Channel, first_ring};

/// What a bot may use while it hears one event, and what became of that.
pub(super) struct DryDesk<'a> {
    pub(super) reader: &'a Reader,
    pub(super) channel: &'a Channel,
    pub(super) event: (EventKey, &'a Event),
    pub(super) now: Moment,
    /// What the bot left to itself, when it hears the event again.
    pub(super) stage: Option<Stage>,
    /// Its next stage, and not before when.
    pub(super) rest: Option<(Stage, Option<Moment>)>,
    /// What it would remember, or have forgotten.
    pub(super) memory: Shelf<String, Option<Vec<u8>>>,
    /// What it wanted that a rehearsal does not have; what it says without that is not what it would say.
    pub(super) missed: Option<String>,
}

impl DryDesk<'_> {
    fn miss(&mut self, what: String) -> String {
        self.missed.get_or_insert(what).clone()
    }

    fn unasked(&mut self, upstream: &str) -> CallFault {
        CallFault::Failed { why: self.miss(format!("asks upstream {upstream}")) }
    }

    fn unknown(&mut self, upstream: &str) -> BotFault {
        BotFault::Later { why: self.miss(format!("asks upstream {upstream}")), after: None }
    }
}

impl Desk for DryDesk<'_> {
    fn now(&self) -> Moment {
        self.now
    }

    fn recall(&mut self, key: &str) -> Result<Option<Vec<u8>>, BotFault> {
        if let Some(value) = self.memory.get(key) {
            return Ok(value.clone());
        }
        let found = self.reader.recall(&self.channel.bot_name, key, self.now);
        found.map_err(|error| BotFault::Later { why: self.miss(error.0), after: None })
    }

    fn remember(&mut self, key: &str, value: Vec<u8>, _expires: Option<Moment>) -> Result<(), BotFault> {
        rememberable(&value)?;
        self.memory.insert(key.to_owned(), Some(value));
        Ok(())
    }

    fn forget(&mut self, key: &str) -> Result<(), BotFault> {
        self.memory.insert(key.to_owned(), None);
        Ok(())
    }

    fn stage(&self) -> Option<&[u8]> {
        self.stage.as_ref().map(|stage| &*stage.note)
    }

    fn go_on(&mut self, note: Vec<u8>, due: Option<Moment>) -> Result<(), BotFault> {
        let before = self.stage.as_ref().map_or(0, |stage| stage.number);
        self.rest = Some((next_stage(before, note)?, due));
        Ok(())
    }

    fn reserve(&mut self, upstream: &str, calls: u32) -> Result<(), CallFault> {
        if calls == 0 { Ok(()) } else { Err(self.unasked(upstream)) }
    }

    fn use_up(&mut self, key: &str) -> Result<(), BotFault> {
        self.forget(key)
    }

    fn get(&mut self, upstream: &str, _path: &str) -> Result<Answer, CallFault> {
        Err(self.unasked(upstream))
    }

    fn left(&mut self, upstream: &str) -> Result<Vec<Left>, BotFault> {
        Err(self.unknown(upstream))
    }

    fn given(&mut self, upstream: &str) -> Result<Option<Moment>, BotFault> {
        Err(self.unknown(upstream))
    }

    fn learn(&mut self, _upstream: &str, _lesson: Lesson) -> Result<(), BotFault> {
        Ok(())
    }

    /// Only says when it would ring.
    fn set_alarm(&mut self, alarm: NewAlarm) -> Result<Result<Moment, String>, BotFault> {
        let (key, event) = self.event;
        let conversation = alarm.conversation.as_ref().unwrap_or(&event.conversation);
        Ok(first_ring(&alarm.plan, schedule::seed(key.channel().0, conversation, &alarm.name), self.now))
    }

    fn cancel_alarm(&mut self, _name: &str) -> Result<(), BotFault> {
        Ok(())
    }

    fn holds_pushes(&self) -> bool {
        self.channel.platform.window().is_some() && self.channel.outside == Outside::Hold
    }

    /// Those of then are gone, and those of now were not set yet.
    fn alarms(&mut self) -> Result<Vec<SetAlarm>, BotFault> {
        Err(BotFault::Later { why: self.miss("looks at its alarms, which are others now".to_owned()), after: None })
    }
}
