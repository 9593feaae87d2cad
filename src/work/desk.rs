//! The desk of a bot on a worker, whether it hears an event or makes a page: reads ask the keeper, writes wait for the end.

use super::pool::Tools;
use crate::bot::{BotFault, CallFault, Desk, NewAlarm, SetAlarm, next_stage, rememberable};
use crate::keeper::Letter;
use crate::model::{
    Alarm, AlarmSet, AlarmWrite, Answer, ChannelNumber, Event, EventKey, Left, Lesson, MemoryWrite, Moment, Notes,
    Plan, Rest, Stage, When,
};
use crate::notation::shelf::Shelf;
use crate::platform::Outside;
use crate::queue::schedule;
use std::sync::mpsc::{SyncSender, sync_channel};

/// What a bot may use, and what it did with it.
pub(super) struct WorkDesk<'a> {
    pub(super) tools: &'a Tools,
    bot: &'a str,
    /// The event that is heard, with its key; nothing where a page is made.
    pub(super) heard: Option<(EventKey, &'a Event)>,
    pub(super) notes: Notes,
    pub(super) stage: Option<&'a Stage>,
    /// How many calls of each upstream are paid already.
    paid: Shelf<String, u32>,
    /// What was asked before: a bot sees the same as long as it hears one event.
    recalled: Shelf<String, Option<Vec<u8>>>,
    /// The last call was refused for want of budget, until then.
    pub(super) not_before: Option<Moment>,
}

impl<'a> WorkDesk<'a> {
    /// A desk with nothing on it.
    pub(super) fn new(bot: &'a str, tools: &'a Tools) -> WorkDesk<'a> {
        WorkDesk {
            tools,
            bot,
            heard: None,
            notes: Notes::default(),
            stage: None,
            paid: Shelf::new(),
            recalled: Shelf::new(),
            not_before: None,
        }
    }

    /// Channel and event that are spoken of; a page has none.
    fn here(&self) -> Result<(ChannelNumber, &'a Event), BotFault> {
        let (key, event) =
            self.heard.ok_or_else(|| BotFault::Never { why: "a page belongs to no conversation".to_owned() })?;
        Ok((key.channel(), event))
    }

    /// Who pays for calls.
    fn payer(&self) -> Option<EventKey> {
        self.heard.map(|(key, _)| key)
    }

    /// Asks the keeper.
    fn ask<T>(&self, letter: impl FnOnce(SyncSender<T>) -> Letter) -> Result<T, BotFault> {
        let (answer, found) = sync_channel(1);
        let gone = || BotFault::Later { why: "ackd is stopping".to_owned(), after: None };
        self.tools.keeper.send(letter(answer)).map_err(|_| gone())?;
        found.recv().map_err(|_| gone())
    }

    fn see<T>(&mut self, answer: &Result<T, CallFault>) {
        self.not_before = match answer {
            Err(CallFault::NotBefore { moment, .. }) => Some(*moment),
            _ => None,
        };
    }

    fn write(&mut self, key: &str, value: Option<Vec<u8>>, expires: Option<Moment>) {
        let (bot, key) = (self.bot.to_owned(), key.to_owned());
        self.notes.memory.push(MemoryWrite { bot, key, value, expires });
    }
}

/// When an alarm of this plan rings first; or what is wrong with the plan.
pub fn first_ring(plan: &Plan, seed: u64, now: Moment) -> Result<Moment, String> {
    schedule::check(plan)?;
    match plan.when {
        // A moment that has passed just now is not missed yet.
        When::Once { at } => Ok(at),
        When::Every { .. } | When::Cron { .. } => {
            schedule::next(plan, seed, now).ok_or_else(|| "there is no such time any more".to_owned())
        }
    }
}

fn seen(name: String, set: AlarmSet, due: Moment) -> SetAlarm {
    SetAlarm { name, note: set.note, plan: set.plan, due }
}

impl Desk for WorkDesk<'_> {
    fn now(&self) -> Moment {
        (self.tools.clock)()
    }

    fn recall(&mut self, key: &str) -> Result<Option<Vec<u8>>, BotFault> {
        if let Some(write) = self.notes.memory.iter().rev().find(|write| write.key == key) {
            return Ok(write.value.clone());
        }
        if let Some(found) = self.recalled.get(key) {
            return Ok(found.clone());
        }
        let found = self.ask(|answer| Letter::Recall { bot: self.bot.to_owned(), key: key.to_owned(), answer })?;
        self.recalled.insert(key.to_owned(), found.clone());
        Ok(found)
    }

    fn expect(&mut self, mut keys: Vec<String>) -> Result<(), BotFault> {
        keys.retain(|key| !self.recalled.contains_key(key));
        let found = self.ask(|answer| Letter::RecallAll { bot: self.bot.to_owned(), keys, answer })?;
        self.recalled.extend(found);
        Ok(())
    }

    fn remember(&mut self, key: &str, value: Vec<u8>, expires: Option<Moment>) -> Result<(), BotFault> {
        rememberable(&value)?;
        self.write(key, Some(value), expires);
        Ok(())
    }

    fn forget(&mut self, key: &str) -> Result<(), BotFault> {
        self.write(key, None, None);
        Ok(())
    }

    fn use_up(&mut self, key: &str) -> Result<(), BotFault> {
        self.notes.used_up.push((self.bot.to_owned(), key.to_owned()));
        self.forget(key)
    }

    fn stage(&self) -> Option<&[u8]> {
        self.stage.map(|stage| &*stage.note)
    }

    fn go_on(&mut self, note: Vec<u8>, due: Option<Moment>) -> Result<(), BotFault> {
        self.here()?;
        self.notes.rest = Some(Rest { stage: next_stage(self.notes.stage, note)?, due });
        Ok(())
    }

    fn reserve(&mut self, upstream: &str, calls: u32) -> Result<(), CallFault> {
        if calls == 0 {
            return Ok(());
        }
        let paid = self.tools.upstreams.pay(upstream, self.payer(), calls);
        self.see(&paid);
        paid?;
        let left = self.paid.at(upstream.to_owned());
        *left = left.saturating_add(calls);
        Ok(())
    }

    fn get(&mut self, upstream: &str, path: &str) -> Result<Answer, CallFault> {
        let paid = self.paid.get_mut(upstream).filter(|paid| **paid > 0);
        let is_paid = paid.map(|paid| *paid -= 1).is_some();
        let answer = self.tools.upstreams.get(upstream, path, self.payer(), is_paid);
        self.see(&answer);
        answer
    }

    fn left(&mut self, upstream: &str) -> Result<Vec<Left>, BotFault> {
        self.tools.upstreams.left(upstream).map_err(|why| BotFault::Later { why, after: None })
    }

    fn given(&mut self, upstream: &str) -> Result<Option<Moment>, BotFault> {
        self.tools.upstreams.given(upstream).map_err(|fault| fault.later(self.now()))
    }

    fn learn(&mut self, upstream: &str, lesson: Lesson) -> Result<(), BotFault> {
        self.tools.upstreams.learn(upstream, lesson).map_err(|why| BotFault::Later { why, after: None })
    }

    fn set_alarm(&mut self, alarm: NewAlarm) -> Result<Result<Moment, String>, BotFault> {
        let NewAlarm { name, conversation, note, plan } = alarm;
        let (channel, heard) = self.here()?;
        let here = conversation.is_none();
        let conversation = conversation.unwrap_or_else(|| heard.conversation.clone());
        let first = match first_ring(&plan, schedule::seed(channel.0, &conversation, &name), self.now()) {
            Ok(first) => first,
            Err(wrong) => return Ok(Err(wrong)),
        };
        let (person, thread) = match here {
            true => (heard.person.clone(), heard.thread.clone()),
            false => (conversation.clone(), None),
        };
        let set = AlarmSet { owner: self.bot.to_owned(), person, thread, note, plan };
        self.notes.alarms.push(AlarmWrite { channel, conversation, name, set: Some((set, first)) });
        Ok(Ok(first))
    }

    fn cancel_alarm(&mut self, name: &str) -> Result<(), BotFault> {
        let (channel, heard) = self.here()?;
        let (conversation, name) = (heard.conversation.clone(), name.to_owned());
        self.notes.alarms.push(AlarmWrite { channel, conversation, name, set: None });
        Ok(())
    }

    fn holds_pushes(&self) -> bool {
        let here = self.heard.and_then(|(key, _)| self.tools.channels.get(&key.channel()));
        here.is_some_and(|channel| channel.platform.window().is_some() && channel.outside == Outside::Hold)
    }

    fn alarms(&mut self) -> Result<Vec<SetAlarm>, BotFault> {
        let (channel, heard) = self.here()?;
        let conversation = &heard.conversation;
        let kept = self.ask(|answer| Letter::Alarms { channel, conversation: conversation.clone(), answer })?;
        let known = |alarm: Alarm| (alarm.name.clone(), seen(alarm.name, alarm.set, alarm.due));
        let mut alarms: Shelf<_, _> = kept.into_iter().map(known).collect();
        for write in self.notes.alarms.iter().filter(|write| write.conversation == *conversation) {
            match write.set.clone() {
                Some((set, due)) => alarms.insert(write.name.clone(), seen(write.name.clone(), set, due)),
                None => alarms.remove(&write.name),
            };
        }
        Ok(alarms.into_values().collect())
    }
}
