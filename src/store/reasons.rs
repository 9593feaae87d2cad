//! What the store says about an event of its own accord, in the same words in every engine; and the event that an alarm
//! becomes.

use super::{ALARM, OWN_WHY, State, StoreError};
use crate::limits;
use crate::model::{Alarm, Arrival, EventId, EventKey, Fate, Moment, Ring};

/// A state's reason with what was last said about it, if anything was.
pub(super) fn because(reason: &str, words: &str) -> String {
    if words.is_empty() { reason.to_owned() } else { format!("{reason}: {words}") }
}

/// How an event ends that stood so when the operator said that it is dealt with; or why it is left alone.
pub(super) fn resolved(state: State, why: Option<&str>) -> Result<(State, String), String> {
    match state {
        State::Dead => Ok((State::Ignored, because("set aside by the operator; it was dead", why.unwrap_or_default()))),
        State::Unknown => Ok((State::Answered, "the operator saw that it was said".to_owned())),
        _ => Err(format!("it is {state}; only dead and unknown ones are resolved")),
    }
}

/// Why a message of ours is ignored that showed a reply to be delivered.
pub(super) fn witnessed(event: EventKey, part: u32) -> String {
    format!("{OWN_WHY}; it shows that reply {}.{part} was delivered", event.place())
}

/// Why a held event is ignored for which a newer one stands.
pub(super) fn replaced(newer: EventKey) -> String {
    format!("replaced by a newer one: {}", newer.place())
}

/// Why a reply was not said where it belongs.
pub(super) fn elsewhere(why: &str, instead: &EventId) -> String {
    format!("{why}; said as {instead} instead")
}

/// The platform's words about somebody who is gone, with what became of the conversation's alarms.
pub(super) fn gone(words: &str, alarms: usize) -> String {
    match alarms {
        0 => words.to_owned(),
        1 => format!("{words}; 1 alarm was taken away"),
        _ => format!("{words}; {alarms} alarms were taken away"),
    }
}

/// Why a held event is dead in the end.
pub(super) fn held_too_long() -> String {
    format!("held for {} days, and nobody wrote", limits::HELD_LIFE.as_secs() / (24 * 3600))
}

/// The id under which a reply is said on another channel: the same reply has the same.
pub(super) fn instead_of(event: EventKey, part: u32) -> String {
    format!("instead:{}.{}.{part}", event.channel().0, event.place())
}

/// The event that an alarm becomes for the time `due`: always the same id for the same time. A conversation's name has
/// no colon, so two alarms never share one.
pub(super) fn ringing(alarm: &Alarm, due: Moment) -> Result<Arrival, StoreError> {
    let ring = Ring { name: alarm.name.clone(), set: alarm.set.clone(), due };
    let raw = serde_json::to_vec(&ring).map_err(|error| StoreError(format!("writing an alarm as JSON: {error}")))?;
    Ok(Arrival {
        id: format!("{ALARM}:{}:{}:{}", alarm.name, due.0, alarm.conversation),
        conversation: alarm.conversation.clone(),
        kind: ALARM,
        fate: Fate::Hear,
        raw: raw.into(),
        proves: None,
    })
}

/// The name of the alarm that became this event, if it was one.
pub(super) fn rung_by(kind: &str, raw: &[u8]) -> Option<String> {
    let ring = (kind == ALARM).then(|| serde_json::from_slice::<Ring>(raw).ok()).flatten();
    ring.map(|ring| ring.name)
}
