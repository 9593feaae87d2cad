//! One event, heard by its channel's bot.

use super::Channel;
use super::pool::Tools;
use crate::bot::{BotFault, Desk};
use crate::keeper::Letter;
use crate::limits;
use crate::model::{Event, EventId, Lease, MemoryWrite, Moment, Reply, Settlement, Work};
use crate::platform::{Kept, Unsayable};
use crate::queue::backoff;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Lets the bot hear, and cuts what it says to the platform's size.
pub(super) fn hear(lease: &Lease, channel: &Channel, tools: &Tools) -> Settlement {
    let (event, lane) = (lease.event, lease.lane);
    let Work::Hear { conversation, received, raw, attempt, .. } = &lease.work else {
        return Settlement::HearDead { event, lane, why: "this is nothing to hear".to_owned() };
    };
    let id = EventId { channel: channel.name.clone(), place: event.place(), part: None };
    let kept = Kept { id: id.clone(), conversation, received: *received, raw };
    let heard = match channel.platform.recall(&kept) {
        Ok(heard) => heard,
        Err(why) => {
            log::error!("{id}: dead: it cannot be read again: {why}");
            return Settlement::HearDead { event, lane, why: format!("it cannot be read again: {why}") };
        }
    };
    let mut desk = WorkDesk { tools, bot: &channel.bot_name, writes: Vec::new() };
    match answer(&heard, channel, &mut desk) {
        Ok(replies) => Settlement::Heard { event, lane, replies, memory: desk.writes },
        Err(BotFault::Never { why }) => {
            log::error!("{id}: dead: bot {}: {why}", channel.bot_name);
            Settlement::HearDead { event, lane, why: format!("bot {}: {why}", channel.bot_name) }
        }
        Err(BotFault::Later { why, after }) => {
            let now = (tools.clock)();
            if now.since(*received) >= limits::RETRY_LIFE {
                log::error!("{id}: dead: given up after {attempt} attempts: bot {}: {why}", channel.bot_name);
                let why = format!("given up after {attempt} attempts: bot {}: {why}", channel.bot_name);
                return Settlement::HearDead { event, lane, why };
            }
            let wait = backoff::delay(*attempt, (tools.chance)());
            let due = now.after(after.map_or(wait, |after| wait.max(after.min(limits::UPSTREAM_WAIT_MAX))));
            log::warn!("{id}: bot {}: {why}; another try in {} s", channel.bot_name, due.since(now).as_secs());
            Settlement::HearLater { event, lane, due, attempt: *attempt, why }
        }
    }
}

fn answer(event: &Event, channel: &Channel, desk: &mut WorkDesk<'_>) -> Result<Vec<Reply>, BotFault> {
    let never = |Unsayable(why): Unsayable| BotFault::Never { why: format!("its reply cannot be said: {why}") };
    let mut fitted = Vec::new();
    for reply in channel.bot.hear(event, desk)? {
        fitted.extend(channel.platform.fit(reply).map_err(never)?);
    }
    if fitted.len() > limits::REPLIES_MAX {
        return Err(BotFault::Never { why: format!("it wants {} replies sent at once", fitted.len()) });
    }
    Ok(fitted)
}

/// A desk on a worker: reads ask the keeper, writes wait for the settlement.
struct WorkDesk<'a> {
    tools: &'a Tools,
    bot: &'a str,
    writes: Vec<MemoryWrite>,
}

impl WorkDesk<'_> {
    fn write(&mut self, key: &str, value: Option<Vec<u8>>, expires: Option<Moment>) {
        let (bot, key) = (self.bot.to_owned(), key.to_owned());
        self.writes.push(MemoryWrite { bot, key, value, expires });
    }
}

impl Desk for WorkDesk<'_> {
    fn now(&self) -> Moment {
        (self.tools.clock)()
    }

    fn recall(&mut self, key: &str) -> Result<Option<Vec<u8>>, BotFault> {
        if let Some(write) = self.writes.iter().rev().find(|write| write.key == key) {
            return Ok(write.value.clone());
        }
        let (answer, found): (SyncSender<_>, _) = sync_channel(1);
        let letter = Letter::Recall { bot: self.bot.to_owned(), key: key.to_owned(), answer };
        let gone = |()| BotFault::Later { why: "ackd is stopping".to_owned(), after: None };
        self.tools.keeper.send(letter).map_err(|_| gone(()))?;
        found.recv().map_err(|_| gone(()))
    }

    fn remember(&mut self, key: &str, value: Vec<u8>, expires: Option<Moment>) -> Result<(), BotFault> {
        if value.len() > limits::MEMORY_VALUE_BYTES_MAX {
            let why = format!("it wants to remember {} bytes under one key", value.len());
            return Err(BotFault::Never { why });
        }
        self.write(key, Some(value), expires);
        Ok(())
    }

    fn forget(&mut self, key: &str) -> Result<(), BotFault> {
        self.write(key, None, None);
        Ok(())
    }
}
