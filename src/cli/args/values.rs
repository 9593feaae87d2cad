//! Single words of a command line as what they stand for, or what to write instead.

use super::{Stop, WEBHOOK_ACTIONS, WebhookAction};
use crate::config::quoted;
use crate::limits::{EVENTS_LISTED_MAX, SOLAR_INVITE_DAYS_MAX};
use crate::model::EventId;
use crate::notation::nearest::nearest;
use crate::twin::Plan;
use crate::twin::courier::is_here;
use std::ffi::OsString;
use std::net::SocketAddr;

/// Where to listen; whoever plays a platform believes everybody who calls.
pub(super) fn loopback(text: &str) -> Result<SocketAddr, Stop> {
    let address = text.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback());
    address.ok_or_else(|| {
        Stop::Wrong(format!("--listen: {} is no address of this machine alone; write 127.0.0.1:3900", quoted(text)))
    })
}

/// A plan of faults; it is made when its seed is known.
pub(super) fn faults(text: String) -> Result<String, Stop> {
    Plan::parse(&text, 0).map_err(|what| Stop::Wrong(format!("--faults: {what}")))?;
    Ok(text)
}

pub(super) fn seed(text: &str) -> Result<u64, Stop> {
    text.parse().map_err(|_| Stop::Wrong(format!("--seed: {} is no whole number; write for example 7", quoted(text))))
}

/// What is to be done about a registration.
pub(super) fn webhook_action(word: &str) -> Result<WebhookAction, Stop> {
    if let Some((_, action)) = WEBHOOK_ACTIONS.iter().find(|(name, _)| *name == word) {
        return Ok(*action);
    }
    let hint = match nearest(word, WEBHOOK_ACTIONS.iter().map(|(name, _)| *name)) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("it takes {}", WEBHOOK_ACTIONS.map(|(name, _)| name).join(", ")),
    };
    Err(Stop::Wrong(format!("webhook takes no {}; {hint}", quoted(word))))
}

pub(super) fn base_url(text: String) -> Result<String, Stop> {
    if text.starts_with("http://") && is_here(&text) {
        return Ok(text);
    }
    Err(Stop::Wrong(format!(
        "--to: {} is not on this machine, and twins tell nobody else; write http://127.0.0.1:3000",
        quoted(&text)
    )))
}

/// The id of a system, as Enphase shows it.
pub(super) fn system(text: &str) -> Result<u64, Stop> {
    text.parse()
        .ok()
        .filter(|id| *id > 0)
        .ok_or_else(|| Stop::Wrong(format!("{} is no system's id; those are numbers, as 698910067", quoted(text))))
}

pub(super) fn invited_days(text: &str) -> Result<u32, Stop> {
    let days = text.parse().ok().filter(|days| (1..=SOLAR_INVITE_DAYS_MAX).contains(days));
    days.ok_or_else(|| {
        Stop::Wrong(format!("--days takes a number from 1 to {SOLAR_INVITE_DAYS_MAX}, not {}", quoted(text)))
    })
}

pub(super) fn text(value: OsString) -> Result<String, Stop> {
    value.into_string().map_err(|value| Stop::Wrong(format!("{} is not UTF-8 text", quoted(&value.to_string_lossy()))))
}

pub(super) fn id(text: String) -> Result<String, Stop> {
    text.parse::<EventId>().map_err(Stop::Wrong)?;
    Ok(text)
}

/// An event's name, and not a reply's.
pub(super) fn whole(text: String) -> Result<String, Stop> {
    let event = text.parse::<EventId>().map_err(Stop::Wrong)?;
    if event.part.is_none() {
        return Ok(text);
    }
    let event = EventId { part: None, ..event };
    Err(Stop::Wrong(format!("{text} is one reply; the whole event is {event}")))
}

pub(super) fn limit(text: &str) -> Result<usize, Stop> {
    let limit = text.parse().ok().filter(|limit| (1..=EVENTS_LISTED_MAX).contains(limit));
    limit.ok_or_else(|| {
        Stop::Wrong(format!("--limit takes a number from 1 to {EVENTS_LISTED_MAX}, not {}", quoted(text)))
    })
}
