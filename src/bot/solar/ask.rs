//! Asking Enphase, or what is remembered of it: each reading comes as new as the budget allows, and when it could not
//! be renewed, with the trouble.

use super::Settings;
use super::archive::{self, Calendar, DIRECTORY, Directory, about, keep, load};
use super::enphase::{self, Listed, Summary, Trouble};
use super::pace::{Gap, Pace};
use super::poll;
use super::sums::midnight;
use super::sun::{Daylight, Sun, date};
use crate::bot::{BotFault, CallFault, Desk};
use crate::limits::{
    MEMORY_VALUE_BYTES_MAX, SOLAR_DIRECTORY_LIFE, SOLAR_DIRECTORY_REST, SOLAR_PAGES_MAX, SOLAR_SYSTEM_LIFE,
};
use crate::model::Moment;
use crate::notation::order::in_order;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::time::Duration;

/// How far past the last day of a question is asked, so that zeros at its end are told from days that were not
/// reported yet (enphase.md §4).
const LOOK_PAST_DAYS: i64 = 31;

/// A system at the moment of a question.
pub(super) struct Site {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) zone: TimeZone,
    pub(super) now: Moment,
    pub(super) today: Date,
    pub(super) sun: Daylight,
    pub(super) pace: Pace,
}

/// A reading as new as it can be had, and why it is no newer.
pub(super) type Fresh<T> = (T, Option<Trouble>);

/// One call, paid for and judged. What it says about limits is passed on.
fn call(set: &Settings, desk: &mut dyn Desk, path: &str) -> Result<Result<Value, Trouble>, BotFault> {
    // Whoever asks and is refused is given a place among those who wait. We never wait, so a place of ours would only
    // make others wait longer: whoever writes a hundred times would hold up a look by an hour.
    let used_up = desk.left(&set.upstream)?.into_iter().filter(|left| left.calls == 0 && left.ends > desk.now());
    if let Some(end) = used_up.map(|left| left.ends).max() {
        return Ok(Err(Trouble::NotBefore(end)));
    }
    let answer = match desk.get(&set.upstream, path) {
        Ok(answer) => answer,
        Err(CallFault::NotBefore { moment, .. }) => return Ok(Err(Trouble::NotBefore(moment))),
        Err(CallFault::Failed { .. } | CallFault::Never { .. }) => return Ok(Err(Trouble::Silent)),
        Err(CallFault::LoggedOut { .. }) => return Ok(Err(Trouble::LoggedOut)),
    };
    match enphase::judge(&answer, desk.now()) {
        Ok(body) => Ok(Ok(body)),
        Err((trouble, lesson)) => {
            if let Some(lesson) = lesson {
                desk.learn(&set.upstream, lesson)?;
            }
            Ok(Err(trouble))
        }
    }
}

/// A system's place, calendar and daylight.
pub(super) fn site(set: &Settings, desk: &mut dyn Desk, id: u64) -> Result<Site, BotFault> {
    let listed = listed(set, desk, id)?;
    let known = listed.as_ref().and_then(|listed| TimeZone::get(&listed.zone).ok());
    let known = known.filter(|zone| !zone.is_unknown());
    let (now, zone) = (desk.now(), known.clone().unwrap_or(TimeZone::UTC));
    let mut today = date(now, &zone);
    if known.is_none() {
        // The newest summary tells the system's day, as long as it can be the same one.
        let told = archive::summary(desk, id)?.and_then(|kept| kept.date?.parse::<Date>().ok());
        today = told.filter(|told| told.since(today).is_ok_and(|apart| apart.get_days().abs() <= 1)).unwrap_or(today);
    }
    let sun = load::<Sun>(desk, &about(id, "sun"))?.unwrap_or_default().daylight(now, &zone);
    let pace = poll::pace_of(set, desk, id, &sun)?;
    let name = listed.map_or_else(|| format!("System {id}"), |listed| listed.name);
    Ok(Site { id, name, zone, now, today, sun, pace })
}

/// A system's entry in the list, which is asked for when it has grown old or does not have it.
fn listed(set: &Settings, desk: &mut dyn Desk, id: u64) -> Result<Option<Listed>, BotFault> {
    let kept: Directory = load(desk, DIRECTORY)?.unwrap_or_default();
    let found = kept.systems.iter().find(|listed| listed.id == id).cloned();
    let life = if found.is_some() { SOLAR_DIRECTORY_LIFE } else { SOLAR_DIRECTORY_REST };
    let now = desk.now();
    if kept.at != Moment(0) && kept.at <= now && now.since(kept.at) < life {
        return Ok(found);
    }
    let mut directory = Directory { at: now, systems: Vec::new() };
    for page in 1..=SOLAR_PAGES_MAX {
        let body = call(set, desk, &set.shape.systems(page))?;
        let Some((systems, total)) = body.ok().and_then(|body| enphase::systems(&body)) else { break };
        let none = systems.is_empty();
        directory.systems.extend(systems);
        if none || directory.systems.len() as u64 >= total {
            break;
        }
    }
    // What was known and is not told now stays; what is asked for stands first, and so in bounds.
    let renewed: Vec<u64> = directory.systems.iter().map(|listed| listed.id).collect();
    directory.systems.extend(kept.systems.into_iter().filter(|listed| !renewed.contains(&listed.id)));
    directory.systems = in_order(directory.systems, |_, listed| listed.id == id);
    while serde_json::to_vec(&directory).is_ok_and(|bytes| bytes.len() > MEMORY_VALUE_BYTES_MAX / 2) {
        let half = directory.systems.len() / 2;
        directory.systems.truncate(half);
    }
    keep(desk, DIRECTORY, &directory, Some(SOLAR_SYSTEM_LIFE))?;
    Ok(directory.systems.into_iter().find(|listed| listed.id == id))
}

/// A system's summary, not older than `fresh` if it can be had.
pub(super) fn summary(
    set: &Settings,
    desk: &mut dyn Desk,
    site: &Site,
    fresh: Duration,
) -> Result<Fresh<Option<Summary>>, BotFault> {
    let kept = archive::summary(desk, site.id)?;
    if kept.as_ref().is_some_and(|kept| kept.at <= site.now && is_good(kept, site, fresh)) {
        return Ok((kept, None));
    }
    renew(set, desk, site.id, &site.zone).map(|renewed| match renewed {
        Ok(summary) => (Some(summary), None),
        Err(trouble) => (kept, Some(trouble)),
    })
}

/// Asks for a new summary, and keeps it.
pub(super) fn renew(
    set: &Settings,
    desk: &mut dyn Desk,
    system: u64,
    zone: &TimeZone,
) -> Result<Result<Summary, Trouble>, BotFault> {
    let now = desk.now();
    let body = call(set, desk, &set.shape.summary(system))?;
    let summary = body.and_then(|body| enphase::summary(&body, system, now).ok_or(Trouble::Silent));
    if let Ok(summary) = &summary {
        archive::keep_summary(desk, system, summary, zone)?;
    }
    Ok(summary)
}

/// Whether a kept summary answers a question: it is new, or nothing happened since, or no call is left to spare and it
/// is as new as was promised.
fn is_good(kept: &Summary, site: &Site, fresh: Duration) -> bool {
    let age = site.now.since(kept.at);
    let dark = !site.sun.is_at(site.now) && kept.at >= site.sun.last_dusk(site.now) && kept.power_w == Some(0);
    let promised = match site.pace.bound {
        Some(Gap::Minutes(minutes)) if !site.pace.spare => Duration::from_secs(u64::from(minutes) * 60),
        _ => fresh,
    };
    // Yesterday's figure says nothing of today, but that the night is not over.
    let same_day = date(kept.at, &site.zone) == date(site.now, &site.zone);
    dark || age <= fresh.max(promised) && same_day
}

/// What is known of these days, which are over or today; asked for where it may tell something new.
pub(super) fn days(
    set: &Settings,
    desk: &mut dyn Desk,
    site: &Site,
    (from, to): (Date, Date),
) -> Result<Fresh<Calendar>, BotFault> {
    let yesterday = site.today.yesterday().unwrap_or(site.today);
    let past = to.checked_add(LOOK_PAST_DAYS.days()).unwrap_or(to).min(yesterday);
    let mut calendar = Calendar::load(desk, site.id, from, past.max(from))?;
    let over = from.series(1.day()).take_while(|day| *day <= to.min(yesterday));
    let wanted = over.filter(|day| calendar.wants(*day, &site.zone, site.now)).min();
    let Some(first) = wanted else { return Ok((calendar, None)) };
    let body = call(set, desk, &set.shape.days(site.id, first, past))?;
    let days = body.and_then(|body| enphase::days(&body, site.id).ok_or(Trouble::Silent));
    match days {
        Ok(days) => {
            calendar.take(desk, site.id, (first, past), &days)?;
            Ok((calendar, None))
        }
        Err(trouble) => Ok((calendar, Some(trouble))),
    }
}

impl Site {
    /// Whether the next daylight is today's.
    pub(super) fn is_before_dawn(&self) -> bool {
        let (dawn, _) = self.sun.at_or_after(self.now);
        dawn > self.now && dawn < midnight(self.today.tomorrow().unwrap_or(self.today), &self.zone)
    }
}
