//! Asking OpenDota, or what is remembered of it. Whatever is asked for together is paid for together, and what was
//! answered is kept with its time, so that it can be told when a new answer is not to be had.
//!
//!     world                  names of heroes, and what OpenDota says of its limits
//!     player 86745912        each reading of a player
//!     search ada             whom a search found
//!     calls page/2468        how many calls somebody has had today

use super::Settings;
use super::ids::is_digits;
use super::opendota::{self, Reading, Trouble};
use crate::bot::memory::{keep, load};
use crate::bot::{BotFault, CallFault, Desk};
use crate::limits::{DOTA_FRESH, DOTA_PLAYER_LIFE, DOTA_SEARCH_LIFE, DOTA_SHARE_PERCENT};
use crate::model::{Event, Left, Moment, Period};
use serde_json::{Map, Value};

/// All that is remembered of a player, and of the world.
#[derive(Clone)]
pub(super) struct Shelf {
    pub(super) player: u32,
    own: Value,
    world: Value,
}

impl Shelf {
    pub(super) fn load(desk: &mut dyn Desk, player: u32) -> Result<Shelf, BotFault> {
        let own = load(desk, &format!("player {player}"))?.unwrap_or_default();
        Ok(Shelf { player, own, world: load(desk, "world")?.unwrap_or_default() })
    }

    /// A reading, if it was ever had.
    pub(super) fn get(&self, reading: Reading) -> Option<&Value> {
        let document = if reading.is_the_worlds() { &self.world } else { &self.own };
        document.get(reading.member())
    }

    /// When that was.
    pub(super) fn at(&self, reading: Reading) -> Option<Moment> {
        at(self.get(reading)?)
    }

    /// Whether it is as good as a new one.
    pub(super) fn is_fresh(&self, reading: Reading, now: Moment) -> bool {
        self.at(reading).is_some_and(|at| now.since(at) < reading.life())
    }

    /// Whether nothing can be told of the player: there is none, or the matches are not public.
    pub(super) fn is_closed(&self) -> bool {
        self.is("none") || self.is("fh_unavailable")
    }

    /// The same, as we were told lately.
    pub(super) fn is_closed_to(&self, now: Moment) -> bool {
        self.is_closed() && self.is_fresh(Reading::Profile, now)
    }

    /// Whether the profile says so.
    pub(super) fn is(&self, what: &str) -> bool {
        self.get(Reading::Profile).and_then(|profile| profile.get(what)?.as_bool()).unwrap_or(false)
    }

    fn put(&mut self, reading: Reading, value: Map<String, Value>, now: Moment) {
        let document = if reading.is_the_worlds() { &mut self.world } else { &mut self.own };
        if !document.is_object() {
            *document = Value::Object(Map::new());
        }
        if let Some(document) = document.as_object_mut() {
            document.insert(reading.member().to_owned(), dated(value, now));
        }
    }
}

fn dated(mut value: Map<String, Value>, now: Moment) -> Value {
    value.insert("at".to_owned(), Value::from(now.0));
    Value::Object(value)
}

/// When something was had.
pub(super) fn at(value: &Value) -> Option<Moment> {
    value.get("at")?.as_i64().map(Moment)
}

/// Asks for those of these readings that are not fresh, some calls being paid already; the trouble, if not all could be
/// had.
pub(super) fn gather(
    set: &Settings,
    event: &Event,
    desk: &mut dyn Desk,
    shelf: &mut Shelf,
    readings: &[Reading],
    paid: u32,
) -> Result<Option<Trouble>, BotFault> {
    let now = desk.now();
    let mut lacking: Vec<_> = readings.iter().copied().filter(|reading| !shelf.is_fresh(*reading, now)).collect();
    if lacking.is_empty() || shelf.is_closed_to(now) {
        return Ok(None);
    }
    if lacking.len() > 1 && !shelf.is_fresh(Reading::Limits, now) {
        // It does not count there, but here each call does; one a day is no matter.
        lacking.push(Reading::Limits);
    }
    let (mut trouble, mut paid, before) = (None, paid, shelf.clone());
    for part in lacking.chunks(most(set, desk)?) {
        let calls = u32::try_from(part.len()).unwrap_or(u32::MAX);
        trouble = pay(set, event, desk, calls.saturating_sub(paid))?;
        paid = paid.saturating_sub(calls);
        for reading in part {
            if trouble.is_none() && !shelf.is_closed_to(now) {
                trouble = ask(set, desk, shelf, *reading)?;
            }
        }
        if trouble.is_some() {
            break;
        }
    }
    if shelf.own != before.own {
        keep(desk, &format!("player {}", shelf.player), &shelf.own, Some(DOTA_PLAYER_LIFE))?;
    }
    if shelf.world != before.world {
        keep(desk, "world", &shelf.world, None)?;
    }
    Ok(trouble)
}

/// Asks for one reading that is paid for; what is the trouble, if it is one.
fn ask(set: &Settings, desk: &mut dyn Desk, shelf: &mut Shelf, reading: Reading) -> Result<Option<Trouble>, BotFault> {
    let answer = call(set, desk, &reading.path(shelf.player))?;
    let silent = || Trouble::Silent("its answer cannot be read".to_owned());
    let kept = match answer.and_then(|body| reading.keep(&body).ok_or_else(silent)) {
        Ok(kept) => kept,
        Err(Trouble::Unknown) if reading == Reading::Profile => opendota::nobody(),
        // Nobody waits for them, and tomorrow they are asked for again.
        Err(_) if reading == Reading::Limits => Map::new(),
        // Heroes can be told by number.
        Err(Trouble::Silent(_) | Trouble::Refused(_) | Trouble::Unknown) if reading == Reading::HeroNames => {
            return Ok(None);
        }
        Err(trouble) => return Ok(Some(trouble)),
    };
    let now = desk.now();
    shelf.put(reading, kept, now);
    Ok(None)
}

/// How many calls can be paid for at once: what the smallest limit ever allows.
fn most(set: &Settings, desk: &mut dyn Desk) -> Result<usize, BotFault> {
    let least = desk.left(&set.upstream)?.iter().map(|left| left.of).min();
    Ok(least.and_then(|least| usize::try_from(least).ok()).unwrap_or(usize::MAX).max(1))
}

/// Whom a search found, as it is remembered.
pub(super) fn remembered(desk: &mut dyn Desk, name: &str) -> Result<Option<Value>, BotFault> {
    load(desk, &search_key(name))
}

/// Whether a search need not be made again.
pub(super) fn is_fresh(found: &Value, now: Moment) -> bool {
    at(found).is_some_and(|at| now.since(at) < DOTA_FRESH)
}

/// Looks for a name. For digits, which are most likely an id, the call for its player is paid for at the same time; says
/// how many calls that leaves.
pub(super) fn search(
    set: &Settings,
    event: &Event,
    desk: &mut dyn Desk,
    name: &str,
) -> Result<Result<(Value, u32), Trouble>, BotFault> {
    let calls = if is_digits(name) && most(set, desk)? > 1 { 2 } else { 1 };
    if let Some(trouble) = pay(set, event, desk, calls)? {
        return Ok(Err(trouble));
    }
    let body = call(set, desk, &opendota::search(name))?;
    let silent = || Trouble::Silent("its answer cannot be read".to_owned());
    let found = match body.and_then(|body| opendota::found(&body).ok_or_else(silent)) {
        Ok(found) => dated(found, desk.now()),
        // Of a search that is no word about a player.
        Err(Trouble::Unknown) => return Ok(Err(Trouble::Refused(String::new()))),
        Err(trouble) => return Ok(Err(trouble)),
    };
    keep(desk, &search_key(name), &found, Some(DOTA_SEARCH_LIFE))?;
    Ok(Ok((found, calls - 1)))
}

fn search_key(name: &str) -> String {
    format!("search {}", name.to_lowercase())
}

/// Pays for so many calls, within the limits that OpenDota named. What it names holds until a minute or day is over, so
/// it is said again. Where calls are counted by the day, so is what each person has of it.
fn pay(set: &Settings, event: &Event, desk: &mut dyn Desk, calls: u32) -> Result<Option<Trouble>, BotFault> {
    if calls == 0 {
        return Ok(None);
    }
    let day = desk.left(&set.upstream)?.into_iter().find(|left| left.per == Period::Day);
    let key = format!("calls {}/{}", event.id.channel, event.person);
    let had: u32 = if day.is_some() { load(desk, &key)?.unwrap_or_default() } else { 0 };
    if let Some(day) = day.as_ref().filter(|day| is_too_much(had, day)) {
        return Ok(Some(Trouble::HadEnough(day.ends)));
    }
    let world: Value = load(desk, "world")?.unwrap_or_default();
    if let Some(named) = world.get(Reading::Limits.member()) {
        for lesson in opendota::smaller(named, &desk.left(&set.upstream)?) {
            desk.learn(&set.upstream, lesson)?;
        }
    }
    match desk.reserve(&set.upstream, calls) {
        Ok(()) => {
            if let Some(day) = day {
                let life = day.ends.since(desk.now());
                keep(desk, &key, &had.saturating_add(calls), Some(life))?;
            }
            Ok(None)
        }
        Err(fault) => trouble(set, desk, fault, calls).map(Some),
    }
}

/// Whether somebody who has had so many calls leaves the rest of the day to others. Nobody does while most of it is left.
fn is_too_much(had: u32, day: &Left) -> bool {
    let is_short = day.calls < day.of / 2;
    is_short && u64::from(had) * 100 > u64::from(day.of) * u64::from(DOTA_SHARE_PERCENT)
}

/// One call, judged. What it says about limits is passed on.
fn call(set: &Settings, desk: &mut dyn Desk, path: &str) -> Result<Result<Value, Trouble>, BotFault> {
    let answer = match desk.get(&set.upstream, path) {
        Ok(answer) => answer,
        Err(fault) => return trouble(set, desk, fault, 1).map(Err),
    };
    let ours = desk.left(&set.upstream)?;
    let now = desk.now();
    for lesson in opendota::lessons(&answer, &ours, now) {
        desk.learn(&set.upstream, lesson)?;
    }
    let day = ours.iter().find(|left| left.per == Period::Day).map(|left| left.of);
    Ok(opendota::judge(&answer, now).map_err(|trouble| match trouble {
        Trouble::NotBefore { moment, of_day: Some(_) } => Trouble::NotBefore { moment, of_day: Some(day.unwrap_or(0)) },
        trouble => trouble,
    }))
}

/// Why there was no call, and whether the day is to blame.
fn trouble(set: &Settings, desk: &mut dyn Desk, fault: CallFault, calls: u32) -> Result<Trouble, BotFault> {
    Ok(match fault {
        CallFault::NotBefore { moment, .. } => {
            let left = desk.left(&set.upstream)?;
            let day = left.iter().find(|left| left.per == Period::Day && (left.calls < calls || moment >= left.ends));
            Trouble::NotBefore { moment, of_day: day.map(|day| day.of) }
        }
        CallFault::Failed { why } => Trouble::Silent(why),
        _ => Trouble::Refused("it takes no calls of mine; please tell the operator".to_owned()),
    })
}
