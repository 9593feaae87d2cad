//! One reply, said to its platform: write, call, judge.

use super::Channel;
use super::pool::Tools;
use crate::limits;
use crate::model::{
    Attempt, Content, Delivery, EventId, EventKey, Extent, Moment, Outcome, Reply, SendEnd, Settlement,
};
use crate::platform::Unsayable;
use crate::queue::backoff;
use crate::queue::pace::Effect;
use crate::store::tag;
use std::time::Duration;

/// One attempt at one reply.
pub(super) struct Send<'a> {
    pub event: EventKey,
    pub lane: i64,
    pub part: u32,
    pub reply: &'a Reply,
    pub attempt: u32,
    pub made: Moment,
}

impl Send<'_> {
    /// Makes the attempt, and says how it ended and what that says about the channel.
    pub(super) fn run(&self, channel: &Channel, tools: &Tools) -> (Settlement, Effect) {
        let began = (tools.clock)();
        let tag = tag(&tools.identity, self.event, self.part);
        let (status, delivery) = match channel.platform.write(self.reply, &tag) {
            Err(Unsayable(why)) => (None, Delivery::Dead { why }),
            Ok(request) => {
                let outcome = tools.fetch.call(&request);
                let status = match &outcome {
                    Outcome::Answered(answer) => Some(answer.status),
                    Outcome::Failed(_) => None,
                };
                (status, channel.platform.judge(&outcome, self.attempt, (tools.clock)()))
            }
        };
        let ended = (tools.clock)();
        let effect = effect(&delivery, status);
        let words = words(&delivery);
        let end = self.end(delivery, &effect, ended, (tools.chance)());
        self.log(channel, &end, &words);
        let attempt = Attempt { part: self.part, number: self.attempt, began, ended, status, words };
        (Settlement::Sent { event: self.event, lane: self.lane, attempt, end }, effect)
    }

    fn end(&self, delivery: Delivery, effect: &Effect, now: Moment, chance: u64) -> SendEnd {
        let courtesy = matches!(self.reply.content, Content::Courtesy(_));
        match delivery {
            Delivery::Delivered { message_id } => SendEnd::Delivered { message_id },
            _ if courtesy => SendEnd::Skipped,
            Delivery::Unknown { .. } => SendEnd::Unknown,
            Delivery::Dead { .. } => SendEnd::Dead,
            Delivery::Retry { .. } | Delivery::Locked { .. } if now.since(self.made) >= limits::RETRY_LIFE => {
                SendEnd::Dead
            }
            // The channel rests, and this reply with it; but a start with better credentials need not wait.
            Delivery::Locked { .. } => SendEnd::Again { due: now, maybe_said: false },
            Delivery::Retry { after, maybe_said, .. } => {
                let wait = backoff::delay(self.attempt, chance);
                let wait = match effect {
                    Effect::Limited { wait, .. } => *wait,
                    _ => after.map_or(wait, |after| after.max(wait)),
                };
                SendEnd::Again { due: now.after(wait), maybe_said }
            }
        }
    }

    fn log(&self, channel: &Channel, end: &SendEnd, words: &str) {
        let id = EventId { channel: channel.name.clone(), place: self.event.place(), part: Some(self.part) };
        match end {
            SendEnd::Delivered { .. } => log::debug!("{id}: delivered"),
            SendEnd::Skipped => log::debug!("{id}: skipped: {words}"),
            SendEnd::Again { due, .. } => log::info!("{id}: attempt {}: {words}; again at {}", self.attempt, due.0),
            SendEnd::Unknown => log::error!("{id}: unknown: {words}"),
            SendEnd::Dead => log::error!("{id}: dead after {} attempts: {words}", self.attempt),
        }
    }
}

fn words(delivery: &Delivery) -> String {
    let mut words = match delivery {
        Delivery::Delivered { .. } => "delivered".to_owned(),
        Delivery::Retry { why, .. } | Delivery::Locked { why } | Delivery::Unknown { why } | Delivery::Dead { why } => {
            why.clone()
        }
    };
    // `floor_char_boundary` would do, from Rust 1.91 on.
    let end = (0..=words.len().min(limits::WORDS_BYTES_MAX)).rev().find(|end| words.is_char_boundary(*end));
    words.truncate(end.unwrap_or(0));
    words
}

/// What the attempt says about its channel. A refusal of this one message says that the platform is well.
fn effect(delivery: &Delivery, status: Option<u16>) -> Effect {
    match delivery {
        Delivery::Delivered { .. } => Effect::Well,
        Delivery::Dead { .. } if status.is_some() => Effect::Well,
        Delivery::Dead { .. } => Effect::None,
        Delivery::Locked { why } => Effect::Locked { why: why.clone() },
        Delivery::Unknown { why } => Effect::Failed { why: why.clone() },
        Delivery::Retry { why, after, extent: Extent::Channel, .. } => {
            let wait = after.unwrap_or(LIMIT_REST).min(limits::UPSTREAM_WAIT_MAX);
            Effect::Limited { wait, why: why.clone() }
        }
        Delivery::Retry { why, .. } => Effect::Failed { why: why.clone() },
    }
}

/// How long a channel rests after a limit for which the platform named no end; asking sooner lengthens it.
const LIMIT_REST: Duration = Duration::from_secs(60);
