//! The life of one message as steps that the page shows: what its twin sent, and what the store says of it since.

use crate::model::{Attempt, Moment};
use crate::store::{Life, ReplyLife, State};
use serde::Serialize;

/// One step of a life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Step {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    pub what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// Bytes that went over the wire, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mood: Option<Mood>,
}

/// How a step is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    Good,
    Warn,
    Bad,
}

impl Step {
    /// A step at a moment.
    pub fn at(at: Moment, what: impl Into<String>) -> Step {
        Step { at: Some(at), what: what.into(), ..Step::default() }
    }

    /// The same with further words.
    #[must_use]
    pub fn more(self, more: impl Into<String>) -> Step {
        Step { more: Some(more.into()), ..self }
    }

    /// The same with a mark.
    #[must_use]
    pub fn mood(self, mood: Mood) -> Step {
        Step { mood: Some(mood), ..self }
    }
}

/// What the store says of an event: of all its replies, or of one.
pub fn steps(life: &Life, part: Option<u32>, bot: &str) -> Vec<Step> {
    let mut steps = beginning(life);
    let replies = life.replies.iter().filter(|reply| part.is_none_or(|part| part == reply.part));
    let made = life.replies.iter().map(|reply| reply.made).min();
    if let Some(made) = made {
        let count = life.replies.len();
        let many = if count == 1 { "one reply".to_owned() } else { format!("{count} replies") };
        steps.push(Step::at(made, format!("heard by bot {bot}")).more(format!("it made {many}")));
    }
    for reply in replies {
        steps.extend(reply.attempts.iter().map(|attempt| tried(reply, attempt)));
    }
    steps.extend(end(life));
    steps
}

/// How it came to be.
fn beginning(life: &Life) -> Vec<Step> {
    if let Some(ring) = life.ring() {
        let rang = Step::at(life.received, "an alarm rang").more(ring.words());
        return vec![rang, Step::at(life.kept, format!("kept as {}", life.id)).mood(Mood::Good)];
    }
    let waited = life.kept.since(life.received).as_millis();
    vec![
        Step::at(life.received, "received").more("the signature was checked over the bytes as they came"),
        Step::at(life.kept, format!("kept as {}", life.id))
            .more(format!("on disk {waited} ms later, and only then acknowledged"))
            .mood(Mood::Good),
    ]
}

fn tried(reply: &ReplyLife, attempt: &Attempt) -> Step {
    let took = attempt.ended.since(attempt.began).as_millis();
    let status = attempt.status.map_or_else(|| "no answer".to_owned(), |status| format!("HTTP {status}"));
    let mood = match attempt.status {
        Some(200..=299) => Mood::Good,
        _ => Mood::Warn,
    };
    let twice = if reply.maybe_twice { "; it may have been seen twice" } else { "" };
    Step::at(attempt.began, format!("reply {}, attempt {}: {status}", reply.part, attempt.number))
        .more(format!("{}, after {took} ms{twice}", attempt.words))
        .mood(mood)
}

fn end(life: &Life) -> Option<Step> {
    let mood = match life.state {
        // Without a reason it is only being heard.
        State::Open => {
            return life
                .due
                .filter(|_| life.why.is_some())
                .map(|due| Step::at(due, "to be tried again").more(why(life)).mood(Mood::Warn));
        }
        State::Answered => Mood::Good,
        State::Ignored | State::Skipped => Mood::Warn,
        State::Dead | State::Unknown => Mood::Bad,
    };
    let step = Step { at: life.ended, what: life.state.to_string(), mood: Some(mood), ..Step::default() };
    Some(if life.why.is_some() { step.more(why(life)) } else { step })
}

fn why(life: &Life) -> String {
    life.why.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AlarmSet, ChannelNumber, EventId, EventKey, Plan, Reply, Ring};
    use crate::store::ALARM;

    fn life() -> Life {
        Life {
            event: EventKey::new(ChannelNumber(1), 17),
            id: EventId { channel: "page".to_owned(), place: 17, part: None },
            platform_id: "m_1".to_owned(),
            conversation: "anna".to_owned(),
            kind: "message".to_owned(),
            received: Moment(1000),
            kept: Moment(1003),
            state: State::Answered,
            ended: Some(Moment(1040)),
            why: None,
            due: None,
            held: None,
            head: None,
            raw: Vec::new(),
            replies: Vec::new(),
            replays: Vec::new(),
        }
    }

    #[test]
    fn what_nobody_sent_rang() {
        let plan = Plan::once(Moment(1_800_000_000_000));
        let (owner, person, note) = ("sun".to_owned(), "anna".to_owned(), "today".to_owned());
        let set = AlarmSet { owner, person, thread: None, note, plan };
        let ring = Ring { name: "subscription".to_owned(), set, due: Moment(1_800_000_000_000) };
        let life = Life { kind: ALARM.to_owned(), raw: serde_json::to_vec(&ring).unwrap_or_default(), ..life() };
        let first = steps(&life, None, "sun").into_iter().next();
        let more = "for 2027-01-15 08:00 (UTC), set by bot sun: once on 2027-01-15 08:00 (UTC), note today";
        assert_eq!(first, Some(Step::at(Moment(1000), "an alarm rang").more(more)));
    }

    fn reply(part: u32, status: Option<u16>) -> ReplyLife {
        let (began, ended) = (Moment(1010), Moment(1039));
        let attempt = Attempt { part, number: 1, began, ended, status, words: "delivered".to_owned() };
        ReplyLife {
            part,
            state: State::Answered,
            reply: Reply::text("anna", "Hi"),
            made: Moment(1005),
            maybe_twice: false,
            message_id: None,
            attempts: vec![attempt],
        }
    }

    #[test]
    fn an_answered_message_is_told_from_its_arrival_to_its_end() {
        let life = Life { replies: vec![reply(1, Some(200)), reply(2, None)], ..life() };
        let told = |part| steps(&life, part, "echo").into_iter().map(|step| step.what).collect::<Vec<_>>();
        let (before, end) = (["received", "kept as page-17", "heard by bot echo"], "answered");
        let (one, two) = ("reply 1, attempt 1: HTTP 200", "reply 2, attempt 1: no answer");
        assert_eq!(told(None), [&before[..], &[one, two, end]].concat());
        assert_eq!(told(Some(2)), [&before[..], &[two, end]].concat());
        let bad = steps(&life, Some(2), "echo").into_iter().find(|step| step.what == two);
        assert_eq!(bad.and_then(|step| step.mood), Some(Mood::Warn));
    }

    #[test]
    fn what_waits_says_until_when_and_what_was_ignored_says_why() {
        let waits =
            Life { state: State::Open, ended: None, due: Some(Moment(9000)), why: Some("HTTP 500".into()), ..life() };
        let last = steps(&waits, None, "echo").pop();
        assert_eq!(last, Some(Step::at(Moment(9000), "to be tried again").more("HTTP 500").mood(Mood::Warn)));
        let ignored = Life { state: State::Ignored, why: Some("a receipt".into()), ..life() };
        let last = steps(&ignored, None, "echo").pop();
        assert_eq!(last, Some(Step::at(Moment(1040), "ignored").more("a receipt").mood(Mood::Warn)));
    }
}
