//! Asking Facebook, or what is remembered of it: the sums and the best posts of a week, and the names of pages.
//!
//!     week 104455667788990 2025-11-10     what is known of the week that began then, and why it is no newer
//!     names                               what the one who logged in manages
//!
//! A look goes through all posts of a week. What one finds that fails on the way is kept as incomplete, unless more is
//! known. After each failure Facebook is left alone for longer, until a look succeeds or somebody logs in; and what is
//! left of a day's calls is shared out over the rest of the day, but for some that are kept for pushes.

use super::Settings;
use super::feed::{self, Shape, Trouble};
use super::rank::Sums;
use super::say;
use super::week::{Week, Which};
use crate::bot::memory::{keep, load};
use crate::bot::{BotFault, CallFault, Desk};
use crate::limits::{
    DIGEST_CALLS_MAX, DIGEST_FRESH, DIGEST_KEPT_PART, DIGEST_LAST_FRESH, DIGEST_LIFE, DIGEST_LIMIT, DIGEST_LOOK_CALLS,
    DIGEST_NAMES_CALLS_MAX, DIGEST_NAMES_FRESH, DIGEST_NAMES_MAX, DIGEST_REST, DIGEST_RESTS, DIGEST_TIME,
};
use crate::model::{Left, Lesson, Moment, Period};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::time::Duration;

const NAMES: &str = "names";

/// What the one who logged in manages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    at: Option<Moment>,
    /// Ids, each with its name.
    pub(super) list: Vec<(String, String)>,
    /// That they could not be had since.
    pub(super) trouble: Option<Failure>,
}

/// A look that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    at: Moment,
    /// Nobody is asked again before this.
    until: Moment,
    /// How many have failed, one after another.
    tries: u32,
    /// Why, in a sentence.
    pub(super) why: String,
}

/// What is known of a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The page, or the group.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) week: Week,
    /// When it was looked at last, and what was seen.
    pub(super) seen: Option<(Moment, Sums)>,
    /// That a look failed since.
    pub(super) trouble: Option<Failure>,
    /// For how long it can be told as it is.
    life: Duration,
}

impl Failure {
    /// The next one, after those before it. What costs no call makes nobody wait longer.
    fn next(before: Option<&Failure>, trouble: &Trouble, why: String, now: Moment) -> Failure {
        let (at, failed) = (trouble.met(now), before.map_or(0, |before| before.tries));
        let (tries, rest) = match trouble {
            Trouble::NotBefore(_) => (failed, DIGEST_REST),
            _ => {
                let rest = DIGEST_RESTS.get(failed as usize).or(DIGEST_RESTS.last());
                (failed.saturating_add(1), rest.copied().unwrap_or(DIGEST_REST))
            }
        };
        Failure { at, until: at.after(rest), tries, why }
    }

    /// As it was kept. A login since lets all be tried anew.
    fn load(kept: &Value, set: &Settings, desk: &mut dyn Desk) -> Result<Option<Failure>, BotFault> {
        let why = kept.get("trouble").and_then(Value::as_str);
        let Some((at, why)) = moment(kept, "trouble_at", desk.now()).zip(why) else { return Ok(None) };
        let tries = kept.get("tries").and_then(Value::as_u64).and_then(|tries| u32::try_from(tries).ok()).unwrap_or(0);
        let until = kept.get("until").and_then(Value::as_i64).map_or(at.after(DIGEST_REST), Moment);
        let is_new = desk.given(&set.upstream)?.is_some_and(|given| given > at);
        let (until, tries) = if is_new { (at, 0) } else { (until, tries) };
        Ok(Some(Failure { at, until, tries, why: why.to_owned() }))
    }
}

impl Names {
    pub(super) fn load(set: &Settings, desk: &mut dyn Desk) -> Result<Names, BotFault> {
        let kept: Value = load(desk, NAMES)?.unwrap_or_default();
        let (at, trouble) = (moment(&kept, "at", desk.now()), Failure::load(&kept, set, desk)?);
        let pair = |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_str()?.to_owned()));
        Ok(Names { at, list: feed::list(&kept).iter().filter_map(pair).collect(), trouble })
    }

    pub(super) fn are_fresh(&self, now: Moment) -> bool {
        self.at.is_some_and(|at| now.since(at) < DIGEST_NAMES_FRESH)
    }

    /// Whether it is worth it to ask for them.
    pub(super) fn are_due(&self, now: Moment) -> bool {
        !self.are_fresh(now) && is_over(self.trouble.as_ref(), now)
    }

    fn keep(&self, desk: &mut dyn Desk) -> Result<(), BotFault> {
        let list = self.list.iter().map(|(id, name)| json!([id, name])).collect();
        let mut members = Map::from_iter([("data".to_owned(), Value::Array(list))]);
        put(&mut members, self.at, self.trouble.as_ref());
        keep(desk, NAMES, &Value::Object(members), None)
    }

    /// Which page is meant when nobody says it.
    fn only(&self) -> Option<&str> {
        match self.list.as_slice() {
            [(id, _)] => Some(id),
            _ => None,
        }
    }

    /// How somebody calls it.
    fn name(&self, shape: Shape, id: &str) -> String {
        let found = self.list.iter().find(|(known, name)| known == id && !name.is_empty());
        let what = if shape == Shape::Group { "Group" } else { "Page" };
        found.map_or_else(|| format!("{what} {id}").trim_end().to_owned(), |(_, name)| name.clone())
    }
}

impl Known {
    /// Of the page that is chosen; else of the one that the configuration names, or of the only one that there is.
    pub(super) fn load(
        set: &Settings,
        desk: &mut dyn Desk,
        chosen: Option<&str>,
        which: Which,
    ) -> Result<Known, BotFault> {
        let (week, now) = (set.calendar().week(which, desk.now()), desk.now());
        if let Some(id) = chosen.or(set.id.as_deref()) {
            desk.expect(vec![NAMES.to_owned(), key(id, &week)])?;
        }
        let names = Names::load(set, desk)?;
        let id = chosen.or(set.id.as_deref()).or(names.only()).unwrap_or_default().to_owned();
        let kept: Value = load(desk, &key(&id, &week))?.unwrap_or_default();
        let (seen, trouble) = (moment(&kept, "at", now).zip(Sums::read(&kept)), Failure::load(&kept, set, desk)?);
        let mut known = Known { name: names.name(set.shape, &id), id, week, seen, trouble, life: Duration::ZERO };
        known.life = known.shortest_life();
        if known.trouble.is_none() && known.is_whole() && !known.is_fresh(now) {
            known.life = stretched(known.life, &desk.left(&set.upstream)?, now);
        }
        Ok(known)
    }

    /// Whether there is something to tell, it was not seen before the week was over, and no failure has cut it off.
    pub(super) fn is_whole(&self) -> bool {
        self.seen.as_ref().is_some_and(|(at, sums)| {
            let is_cut_off = sums.more && self.trouble.is_some();
            !is_cut_off && (self.week.which == Which::This || *at >= self.week.end)
        })
    }

    /// Whether it can be told as it is.
    pub(super) fn is_fresh(&self, now: Moment) -> bool {
        self.is_younger(self.life, now)
    }

    /// The same where calls were kept for it.
    pub(super) fn is_new(&self, now: Moment) -> bool {
        self.is_younger(self.shortest_life(), now)
    }

    fn is_younger(&self, life: Duration, now: Moment) -> bool {
        self.is_whole() && self.seen.as_ref().is_some_and(|(at, _)| now.since(*at) < life)
    }

    fn shortest_life(&self) -> Duration {
        if self.week.which == Which::Last { DIGEST_LAST_FRESH } else { DIGEST_FRESH }
    }

    /// Whether a look is worth it.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        !self.is_fresh(now) && is_over(self.trouble.as_ref(), now)
    }

    fn keep(&self, desk: &mut dyn Desk) -> Result<(), BotFault> {
        let mut members = self.seen.as_ref().map(|(_, sums)| sums.json()).unwrap_or_default();
        put(&mut members, self.seen.as_ref().map(|(at, _)| *at), self.trouble.as_ref());
        keep(desk, &key(&self.id, &self.week), &Value::Object(members), Some(DIGEST_LIFE))
    }
}

/// When something was. Of a clock that was ahead nobody knows.
fn moment(kept: &Value, name: &str, now: Moment) -> Option<Moment> {
    kept.get(name).and_then(Value::as_i64).map(Moment).filter(|at| *at <= now)
}

/// Whether nobody needs to be left alone after a trouble.
fn is_over(trouble: Option<&Failure>, now: Moment) -> bool {
    trouble.is_none_or(|failure| now >= failure.until)
}

/// For how long a look is good when what is left of a day is shared out over its rest.
fn stretched(life: Duration, left: &[Left], now: Moment) -> Duration {
    let long = left.iter().filter(|left| is_long(left) && left.ends > now);
    let share = |left: &Left| {
        let calls = left.calls.saturating_sub(kept(left));
        // With none to share out, what is known is told until there are some again.
        left.ends.since(now).saturating_mul(DIGEST_LOOK_CALLS).checked_div(calls).unwrap_or(Duration::MAX)
    };
    long.map(share).fold(life, Duration::max)
}

fn is_long(left: &Left) -> bool {
    matches!(left.per, Period::Day | Period::Month)
}

/// Calls that are kept for pushes.
fn kept(left: &Left) -> u32 {
    if is_long(left) { left.of / DIGEST_KEPT_PART } else { 0 }
}

fn put(members: &mut Map<String, Value>, at: Option<Moment>, trouble: Option<&Failure>) {
    members.extend(at.map(|at| ("at".to_owned(), Value::from(at.0))));
    if let Some(Failure { at, until, tries, why }) = trouble {
        for (name, figure) in [("trouble_at", at.0), ("until", until.0), ("tries", i64::from(*tries))] {
            members.insert(name.to_owned(), Value::from(figure));
        }
        members.insert("trouble".to_owned(), Value::from(why.as_str()));
    }
}

fn key(id: &str, week: &Week) -> String {
    format!("week {id} {}", week.first)
}

/// Looks at a week, and keeps what was seen or why nothing was.
pub(super) fn renew(
    set: &Settings,
    desk: &mut dyn Desk,
    chosen: Option<&str>,
    which: Which,
    is_push: bool,
) -> Result<(Known, Option<Trouble>), BotFault> {
    let unnamed = names(set, desk, is_push)?;
    let mut known = Known::load(set, desk, chosen, which)?;
    let (found, trouble) = match (known.id.as_str(), unnamed) {
        ("", Some(trouble)) => (None, Some(trouble)),
        ("", None) => (None, Some(Trouble::Which(Names::load(set, desk)?.list.len()))),
        _ => gather(set, desk, &known, is_push)?,
    };
    let now = desk.now();
    let knows_all = known.is_whole() && known.seen.as_ref().is_some_and(|(_, sums)| !sums.more);
    if let Some(sums) = found.filter(|sums| !sums.more || trouble.is_none() || !knows_all) {
        known.seen = Some((now, sums));
    }
    let before = known.trouble.take();
    let trouble = match trouble {
        None => None,
        Some(trouble) => {
            let why = say::trouble(&trouble, set);
            if before.as_ref().is_none_or(|before| before.why != why) {
                log::warn!("upstream {}: the digest of {}: {why}{}", set.upstream, known.name, trouble.detail());
            }
            known.trouble = Some(Failure::next(before.as_ref(), &trouble, why, now));
            if trouble.wants_login() {
                // Whoever logs in next may grant others.
                Names { at: None, ..Names::load(set, desk)? }.keep(desk)?;
            }
            Some(trouble)
        }
    };
    known.keep(desk)?;
    Ok((known, trouble))
}

/// Asks for the names again when they are old; the trouble, if they could not be had. Where only a name is lacking, that
/// can wait.
pub(super) fn names(set: &Settings, desk: &mut dyn Desk, is_push: bool) -> Result<Option<Trouble>, BotFault> {
    let (mut names, now) = (Names::load(set, desk)?, desk.now());
    if names.are_fresh(now) || set.id.is_some() && !names.are_due(now) {
        return Ok(None);
    }
    let (mut list, mut path) = (Vec::new(), set.shape.names().to_owned());
    for _ in 0..DIGEST_NAMES_CALLS_MAX {
        let body = match call(set, desk, &path, is_push)? {
            Ok(body) => body,
            Err(trouble) => {
                let why = say::trouble(&trouble, set);
                names.trouble = Some(Failure::next(names.trouble.as_ref(), &trouble, why, now));
                return names.keep(desk).map(|()| Some(trouble));
            }
        };
        list.extend(set.shape.managed(&body));
        match feed::next(&body) {
            Some(next) if list.len() < DIGEST_NAMES_MAX => path = next.to_owned(),
            _ => break,
        }
    }
    list.truncate(DIGEST_NAMES_MAX);
    Names { at: Some(now), list, trouble: None }.keep(desk).map(|()| None)
}

/// All posts of a week, page by page; those up to a trouble, and the trouble.
fn gather(
    set: &Settings,
    desk: &mut dyn Desk,
    known: &Known,
    is_push: bool,
) -> Result<(Option<Sums>, Option<Trouble>), BotFault> {
    let began = desk.now();
    let week = &known.week;
    // Both ends are given, and neither lies ahead (graph.md §5).
    let until = week.end.min(began).seconds().saturating_add(1);
    let mut limit = DIGEST_LIMIT;
    let mut path = set.shape.posts(&known.id, (week.from.seconds(), until), limit);
    let (mut sums, mut seen) = (Sums::default(), HashSet::new());
    for _ in 0..DIGEST_CALLS_MAX {
        if desk.now().since(began) > DIGEST_TIME {
            break;
        }
        match call(set, desk, &path, is_push)? {
            Ok(body) => {
                let (posts, most) = (feed::list(&body), DIGEST_LIMIT as usize);
                for item in posts.iter().take(most) {
                    let is_new = feed::id(item).is_none_or(|id| seen.insert(id));
                    let post = feed::post(item);
                    if is_new && week.has(post.at) {
                        sums.add(post);
                    }
                }
                sums.more |= posts.len() > most || feed::is_cut_off(&body);
                match feed::next(&body) {
                    Some(next) => path = next.to_owned(),
                    None => return Ok((Some(sums), None)),
                }
            }
            Err(Trouble::TooMuch) if limit > 1 => {
                limit /= 2;
                path = feed::with_limit(&path, limit);
            }
            Err(trouble) => {
                sums.more = true;
                return Ok((Some(sums).filter(|sums| sums.posts > 0), Some(trouble)));
            }
        }
    }
    sums.more = true;
    Ok(if sums.posts > 0 { (Some(sums), None) } else { (None, Some(Trouble::Silent)) })
}

/// One call, paid for and judged. What it says about limits is passed on.
fn call(set: &Settings, desk: &mut dyn Desk, path: &str, is_push: bool) -> Result<Result<Value, Trouble>, BotFault> {
    // Whoever is refused gets a place among those who wait. Nobody waits here, so it would only make others wait longer.
    let floor = |left: &Left| if is_push { 0 } else { kept(left) };
    let left = desk.left(&set.upstream)?;
    let used_up = left.iter().filter(|left| left.calls <= floor(left) && left.ends > desk.now());
    if let Some(end) = used_up.map(|left| left.ends).max() {
        return Ok(Err(Trouble::NotBefore(end)));
    }
    let answer = match desk.get(&set.upstream, path) {
        Ok(answer) => answer,
        Err(fault) => return unasked(set, desk, fault).map(Err),
    };
    let judged = feed::judge(&answer);
    if let Some(rest) = feed::rest(&answer, judged.as_ref()) {
        let until = Some(desk.now().after(rest));
        desk.learn(&set.upstream, Lesson { until, ..Lesson::default() })?;
    }
    Ok(judged)
}

/// Why there is no answer at all.
fn unasked(set: &Settings, desk: &mut dyn Desk, fault: CallFault) -> Result<Trouble, BotFault> {
    Ok(match fault {
        CallFault::NotBefore { moment, .. } => Trouble::NotBefore(moment),
        CallFault::LoggedOut { why } => match desk.given(&set.upstream)? {
            Some(_) => Trouble::LoggedOut,
            None => Trouble::Nobody(why),
        },
        CallFault::Failed { .. } | CallFault::Never { .. } => Trouble::Silent,
    })
}
