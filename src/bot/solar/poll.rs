//! Looking of our own accord: one chain of alarms for each system that somebody is told of. Each alarm looks once and
//! sets the next; it stands in a conversation of its own, `solar:67`, so that nobody waits for it.

use super::Settings;
use super::archive::{self, WATCHED, about, keep, load};
use super::ask::{self, Site};
use super::enphase::Trouble;
use super::pace::{self, Gap, Pace};
use super::people;
use super::sun::Daylight;
use crate::bot::{BotFault, Desk, NewAlarm};
use crate::limits::{SOLAR_OVERDUE, SOLAR_RETRY, SOLAR_SYSTEM_LIFE, SOLAR_WATCHED_LIFE, SOLAR_WATCHED_MAX};
use crate::model::{Moment, Plan};
use crate::notation::shelf::Shelf;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A system's next look, and on which channel its alarm is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Chain {
    channel: String,
    due: Moment,
    /// Looks that failed, one after another.
    fails: u32,
}

/// The system that an alarm of this name looks at.
pub(super) fn system(alarm: &str) -> Option<u64> {
    alarm.strip_prefix("poll ")?.parse().ok()
}

/// How often a system may be looked at.
pub(super) fn pace_of(set: &Settings, desk: &mut dyn Desk, system: u64, sun: &Daylight) -> Result<Pace, BotFault> {
    let now = desk.now();
    let watched = watched(desk)?;
    let others = watched.keys().filter(|other| **other != system).count();
    let systems = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1);
    let left = desk.left(&set.upstream)?;
    Ok(pace::pace(&left, systems, sun, set.age, now))
}

/// The systems that are looked at, and when they last were.
fn watched(desk: &mut dyn Desk) -> Result<Shelf<u64, Moment>, BotFault> {
    let now = desk.now();
    let mut watched: Shelf<u64, Moment> = load(desk, WATCHED)?.unwrap_or_default();
    watched.retain(|_, at| now.since(*at) < SOLAR_WATCHED_LIFE);
    Ok(watched)
}

/// Takes a system into the number of those that share the calls, or out of it.
fn watch(desk: &mut dyn Desk, system: u64, on: bool) -> Result<(), BotFault> {
    let now = desk.now();
    let mut watched = watched(desk)?;
    if on && (watched.len() < SOLAR_WATCHED_MAX || watched.contains_key(&system)) {
        watched.insert(system, now);
    } else {
        watched.remove(&system);
    }
    keep(desk, WATCHED, &watched, None)
}

/// Sees to it that a system is looked at, since one of its people was heard on this channel.
pub(super) fn ensure(set: &Settings, desk: &mut dyn Desk, system: u64, channel: &str) -> Result<(), BotFault> {
    let now = desk.now();
    let chain: Option<Chain> = load(desk, &about(system, "poll"))?;
    // What is further away than any period of calls was planned by a clock that was ahead.
    let goes_on = |chain: Chain| chain.due.after(SOLAR_OVERDUE) > now && chain.due < now.after(SOLAR_WATCHED_LIFE);
    if chain.is_some_and(goes_on) {
        return Ok(());
    }
    watch(desk, system, true)?;
    let site = ask::site(set, desk, system)?;
    let last = archive::summary(desk, system)?.map(|kept| kept.at);
    let due = pace::next(&site.pace, &site.sun, last, now);
    set_next(desk, system, Chain { channel: channel.to_owned(), due, fails: 0 })
}

/// An alarm rang: looks, and sets the next one whatever comes of it.
pub(super) fn ring(set: &Settings, desk: &mut dyn Desk, system: u64, channel: &str) -> Result<(), BotFault> {
    let now = desk.now();
    archive::expect(desk, &[system])?;
    let chain: Chain = load(desk, &about(system, "poll"))?.unwrap_or_default();
    if chain.channel != channel && chain.due > now {
        // Two channels began at once; the other one goes on.
        return Ok(());
    }
    if !people::is_anybodys(desk, system)? {
        watch(desk, system, false)?;
        return desk.forget(&about(system, "poll"));
    }
    watch(desk, system, true)?;
    let before = ask::site(set, desk, system)?;
    let last = archive::summary(desk, system)?.map(|kept| kept.at);
    if pace::next(&before.pace, &before.sun, last, now) > now.after(SLACK) && chain.fails == 0 {
        // Somebody asked meanwhile, or calls were used up elsewhere.
        let due = pace::next(&before.pace, &before.sun, last, now);
        return set_next(desk, system, Chain { channel: channel.to_owned(), due, fails: 0 });
    }
    let trouble = ask::renew(set, desk, system, &before.zone)?.err();
    let after = Site { pace: pace_of(set, desk, system, &before.sun)?, ..before };
    let fails = if trouble.is_some() { chain.fails.saturating_add(1) } else { 0 };
    let due = due(&after, trouble.as_ref(), fails);
    set_next(desk, system, Chain { channel: channel.to_owned(), due, fails })
}

/// A look that is due so soon may as well be now.
const SLACK: Duration = Duration::from_secs(60);

/// When to look next after a look at this moment.
fn due(site: &Site, trouble: Option<&Trouble>, fails: u32) -> Moment {
    let planned = pace::next(&site.pace, &site.sun, Some(site.now), site.now);
    match trouble {
        None => planned,
        Some(Trouble::NotBefore(moment)) => {
            let (dawn, _) = site.sun.at_or_after(*moment);
            dawn.max(*moment).max(site.now.after(SLACK))
        }
        Some(Trouble::Silent) => {
            let wait = SOLAR_RETRY.saturating_mul(1_u32.checked_shl(fails.saturating_sub(1)).unwrap_or(u32::MAX));
            let gap = match site.pace.gap {
                Some(Gap::Minutes(minutes)) => Duration::from_secs(u64::from(minutes) * 60),
                _ => return planned,
            };
            let again = site.now.after(wait.min(gap));
            // At night there is nothing to catch up with.
            if site.sun.is_at(again) { again.min(planned) } else { planned }
        }
        // It needs somebody's hand; dawn is soon enough, but papers may be renewed any time.
        Some(Trouble::LoggedOut) => planned.max(site.now.after(SOLAR_OVERDUE)),
        Some(Trouble::Forbidden | Trouble::Unknown | Trouble::Refused(_)) => site.sun.at_or_after(next_day(site)).0,
    }
}

/// The end of this daylight, or of the next.
fn next_day(site: &Site) -> Moment {
    Moment(site.sun.at_or_after(site.now).1.0.saturating_add(1))
}

/// Sets the next alarm, and remembers that it is set.
fn set_next(desk: &mut dyn Desk, system: u64, chain: Chain) -> Result<(), BotFault> {
    let soonest = desk.now().after(Duration::from_secs(1));
    let due = chain.due.max(soonest);
    let alarm = NewAlarm {
        name: format!("poll {system}"),
        conversation: Some(format!("solar:{system}")),
        note: String::new(),
        plan: Plan::once(due),
    };
    desk.set_alarm(alarm)?.map_err(|why| BotFault::Later { why, after: None })?;
    keep(desk, &about(system, "poll"), &Chain { due, ..chain }, Some(SOLAR_SYSTEM_LIFE))
}
