//! One reply, said to its platform: write, call, judge.

use super::Channel;
use super::consequence::{again, effect, wait, words};
use super::pool::Tools;
use super::window::{Way, outside, way};
use crate::limits;
use crate::model::{
    Attempt, Content, Delivery, EventId, EventKey, Instead, Moment, Outcome, Purpose, Reply, SendEnd, Settlement,
};
use crate::notation::counted::counted;
use crate::platform::Unsayable;
use crate::queue::pace::Effect;
use crate::store::tag;
use log::Level;

/// One attempt at one reply.
pub(super) struct Send<'a> {
    pub event: EventKey,
    pub lane: i64,
    pub part: u32,
    pub reply: &'a Reply,
    pub attempt: u32,
    pub made: Moment,
    /// When somebody last wrote in this conversation; for a push only.
    pub heard: Option<Moment>,
}

impl Send<'_> {
    /// Makes the attempt, and says how it ended and what that says about the channel.
    pub(super) fn run(&self, channel: &Channel, tools: &Tools) -> (Settlement, Effect) {
        let began = (tools.clock)();
        let reply = match way(&self.dated(channel, began), channel, self.heard, began, tools) {
            Way::Say(reply) => reply,
            Way::Not(instead) => return (self.unsent(channel, None, instead), Effect::None),
        };
        let tag = tag(&tools.identity, self.event, self.part);
        let (status, delivery) = match channel.platform.write(&reply, &tag) {
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
        let attempt = Attempt { part: self.part, number: self.attempt, began, ended, status, words };
        // The platform knew better than we did when somebody last wrote.
        if let (Delivery::Outside { why }, Purpose::Push) = (&delivery, self.reply.purpose)
            && let Way::Not(instead) = outside(self.reply, channel, why, tools)
        {
            return (self.unsent(channel, Some(attempt), instead), effect);
        }
        let end = self.end(delivery, &effect, ended, (tools.chance)());
        let (level, line) = self.line(&end, &attempt.words, ended);
        let id = self.id(channel);
        log::log!(level, channel = channel.name, event:% = id; "{id}: {line}");
        (Settlement::Sent { event: self.event, lane: self.lane, attempt, end }, effect)
    }

    /// The reply; one that waited begins with when it was made, so that "today" is not taken for another day.
    fn dated(&self, channel: &Channel, now: Moment) -> Reply {
        let mut reply = self.reply.clone();
        let late = self.reply.dated.as_ref().filter(|(made, _)| now.since(*made) >= limits::PUSH_LATE);
        let (Some((_, when)), Content::Text { text, .. }) = (late, &mut reply.content) else { return reply };
        *text = format!("{when}: {text}");
        // What was cut to the platform's size may have no room for it.
        let fits = channel.platform.fit(reply.clone()).is_ok_and(|fitted| fitted.len() == 1);
        if fits { reply } else { self.reply.clone() }
    }

    fn id(&self, channel: &Channel) -> EventId {
        EventId { channel: channel.name.clone(), place: self.event.place(), part: Some(self.part) }
    }

    fn unsent(&self, channel: &Channel, attempt: Option<Attempt>, instead: Instead) -> Settlement {
        let (Instead::Hold { why } | Instead::Elsewhere { why, .. }) = &instead;
        let id = self.id(channel);
        log::info!(channel = channel.name, event:% = id; "{id}: {why}");
        Settlement::Unsent { event: self.event, lane: self.lane, part: self.part, attempt, instead }
    }

    fn end(&self, delivery: Delivery, effect: &Effect, now: Moment, chance: u64) -> SendEnd {
        let courtesy = matches!(self.reply.content, Content::Courtesy(_));
        match delivery {
            Delivery::Delivered { message_id } => SendEnd::Delivered { message_id },
            _ if courtesy => SendEnd::Skipped,
            Delivery::Unknown { .. } => SendEnd::Unknown,
            Delivery::Dead { .. } | Delivery::Outside { .. } => SendEnd::Dead,
            Delivery::Gone { .. } => SendEnd::Gone,
            Delivery::Retry { .. } | Delivery::Locked { .. } if now.since(self.made) >= limits::RETRY_LIFE => {
                SendEnd::Dead
            }
            // The channel rests, and this reply with it; but a start with better credentials need not wait.
            Delivery::Locked { .. } => SendEnd::Again { due: now, maybe_said: false },
            Delivery::Retry { after, maybe_said, .. } => {
                SendEnd::Again { due: now.after(wait(after, effect, self.attempt, chance)), maybe_said }
            }
        }
    }

    /// What the log says of an attempt that ended at `now`.
    fn line(&self, end: &SendEnd, words: &str, now: Moment) -> (Level, String) {
        let attempt = self.attempt;
        match end {
            SendEnd::Delivered { .. } => (Level::Debug, "delivered".to_owned()),
            SendEnd::Skipped => (Level::Debug, format!("skipped: {words}")),
            SendEnd::Again { due, .. } => {
                (Level::Info, format!("attempt {attempt}: {words}{}", again("; again", due.since(now))))
            }
            SendEnd::Unknown => (Level::Error, format!("unknown: {words}")),
            SendEnd::Gone => {
                (Level::Error, format!("dead, nobody is there any more: {words}; the conversation's alarms end too"))
            }
            SendEnd::Dead => (Level::Error, format!("dead after {}: {words}", counted(attempt.into(), "attempt"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::page;
    use super::*;
    use crate::model::ChannelNumber;

    #[test]
    fn a_push_that_waited_says_of_when_it_is_where_there_is_room() {
        let said = |text: &str, minutes: i64| {
            let reply = Reply { dated: Some((Moment(0), "Tue 24 Nov, 11:00".to_owned())), ..Reply::text("anna", text) };
            let event = EventKey::new(ChannelNumber(1), 17);
            let made = Moment(minutes * 60_000);
            let send = Send { event, lane: 1, part: 1, reply: &reply, attempt: 1, made, heard: None };
            send.dated(&page(), made).content.in_words()
        };
        assert_eq!(said("9 kWh today", 14), "9 kWh today");
        assert_eq!(said("9 kWh today", 15), "Tue 24 Nov, 11:00: 9 kWh today");
        let long = "x".repeat(1990);
        assert_eq!(said(&long, 15), long);
    }

    #[test]
    fn the_log_says_how_long_a_retry_waits() {
        let reply = Reply::text("anna", "Hi");
        let event = EventKey::new(ChannelNumber(1), 17);
        let send = Send { event, lane: 1, part: 2, reply: &reply, attempt: 1, made: Moment(0), heard: None };
        assert_eq!(send.id(&page()).to_string(), "page-17.2");
        let now = Moment(1_795_250_945_265);
        let again = SendEnd::Again { due: Moment(now.0 + 3_001), maybe_said: false };
        let line = send.line(&again, "HTTP 500", now);
        assert_eq!(line, (Level::Info, "attempt 1: HTTP 500; again in 4 s".to_owned()));
        let rests = SendEnd::Again { due: now, maybe_said: false };
        let line = send.line(&rests, "HTTP 401", now);
        assert_eq!(line, (Level::Info, "attempt 1: HTTP 401".to_owned()), "the channel's rest says more");
        let line = send.line(&SendEnd::Dead, "HTTP 400", now);
        assert_eq!(line, (Level::Error, "dead after 1 attempt: HTTP 400".to_owned()));
    }
}
