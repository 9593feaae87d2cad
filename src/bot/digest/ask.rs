//! Asking Facebook, or what is remembered of it: the sums and the best posts of a week, and the names of pages.
//!
//!     week 104455667788990 2025-11-10     what is known of the week that began then, and why it is no newer
//!     names                               what the one who logged in manages
//!
//! A look goes through all posts of a week, and what it finds is kept whole or not at all.

use super::Settings;
use super::feed::{self, Shape, Trouble};
use super::rank::Sums;
use super::say;
use super::week::{Week, Which};
use crate::bot::memory::{keep, load};
use crate::bot::{BotFault, CallFault, Desk};
use crate::limits::{
    DIGEST_BUSY_REST, DIGEST_CALLS_MAX, DIGEST_FRESH, DIGEST_LAST_FRESH, DIGEST_LIFE, DIGEST_LIMIT,
    DIGEST_NAMES_CALLS_MAX, DIGEST_NAMES_FRESH, DIGEST_NAMES_MAX, DIGEST_REST, DIGEST_TIME,
};
use crate::model::{Lesson, Moment};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

const NAMES: &str = "names";

/// What the one who logged in manages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    at: Option<Moment>,
    /// Ids, each with its name.
    pub(super) list: Vec<(String, String)>,
    /// When they could not be had since, and why, in a sentence.
    pub(super) trouble: Option<(Moment, String)>,
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
    /// When a look failed since, and why, in a sentence.
    pub(super) trouble: Option<(Moment, String)>,
}

impl Names {
    pub(super) fn load(desk: &mut dyn Desk) -> Result<Names, BotFault> {
        let kept: Value = load(desk, NAMES)?.unwrap_or_default();
        let (at, trouble) = (moment(&kept, "at", desk.now()), trouble(&kept, desk.now()));
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
        let names = Names::load(desk)?;
        let id = chosen.or(set.id.as_deref()).or(names.only()).unwrap_or_default().to_owned();
        let kept: Value = load(desk, &key(&id, &week))?.unwrap_or_default();
        let (seen, trouble) = (moment(&kept, "at", now).zip(Sums::read(&kept)), trouble(&kept, now));
        Ok(Known { name: names.name(set.shape, &id), id, week, seen, trouble })
    }

    /// Whether there is something to tell, and it was not seen before the week was over.
    pub(super) fn is_whole(&self) -> bool {
        self.seen.as_ref().is_some_and(|(at, _)| self.week.which == Which::This || *at >= self.week.end)
    }

    /// Whether it can be told as it is.
    pub(super) fn is_fresh(&self, now: Moment) -> bool {
        let life = if self.week.which == Which::Last { DIGEST_LAST_FRESH } else { DIGEST_FRESH };
        self.is_whole() && self.seen.as_ref().is_some_and(|(at, _)| now.since(*at) < life)
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

fn trouble(kept: &Value, now: Moment) -> Option<(Moment, String)> {
    moment(kept, "trouble_at", now).zip(kept.get("trouble").and_then(Value::as_str).map(str::to_owned))
}

/// Whether nobody needs to be left alone after a trouble.
fn is_over(trouble: Option<&(Moment, String)>, now: Moment) -> bool {
    trouble.is_none_or(|(at, _)| now.since(*at) >= DIGEST_REST)
}

fn put(members: &mut Map<String, Value>, at: Option<Moment>, trouble: Option<&(Moment, String)>) {
    members.extend(at.map(|at| ("at".to_owned(), Value::from(at.0))));
    if let Some((at, why)) = trouble {
        members.insert("trouble_at".to_owned(), Value::from(at.0));
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
) -> Result<(Known, Option<Trouble>), BotFault> {
    let unnamed = names(set, desk)?;
    let mut known = Known::load(set, desk, chosen, which)?;
    let found = match (known.id.as_str(), unnamed) {
        ("", Some(trouble)) => Err(trouble),
        ("", None) => Err(Trouble::Which(Names::load(desk)?.list.len())),
        _ => gather(set, desk, &known)?,
    };
    let now = desk.now();
    let trouble = match found {
        Ok(sums) => {
            (known.seen, known.trouble) = (Some((now, sums)), None);
            None
        }
        Err(trouble) => {
            let why = say::trouble(&trouble, set);
            if known.trouble.as_ref().is_none_or(|(_, told)| *told != why) {
                log::warn!("upstream {}: the digest of {}: {why}{}", set.upstream, known.name, trouble.detail());
            }
            known.trouble = Some((trouble.met(now), why));
            if trouble.wants_login() {
                // Whoever logs in next may grant others.
                Names { at: None, ..Names::load(desk)? }.keep(desk)?;
            }
            Some(trouble)
        }
    };
    known.keep(desk)?;
    Ok((known, trouble))
}

/// Asks for the names again when they are old; the trouble, if they could not be had. Where only a name is lacking, that
/// can wait.
pub(super) fn names(set: &Settings, desk: &mut dyn Desk) -> Result<Option<Trouble>, BotFault> {
    let (mut names, now) = (Names::load(desk)?, desk.now());
    if names.are_fresh(now) || set.id.is_some() && !names.are_due(now) {
        return Ok(None);
    }
    let (mut list, mut path) = (Vec::new(), set.shape.names().to_owned());
    for _ in 0..DIGEST_NAMES_CALLS_MAX {
        let body = match call(set, desk, &path)? {
            Ok(body) => body,
            Err(trouble) => {
                names.trouble = Some((trouble.met(now), say::trouble(&trouble, set)));
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

/// All posts of a week, page by page.
fn gather(set: &Settings, desk: &mut dyn Desk, known: &Known) -> Result<Result<Sums, Trouble>, BotFault> {
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
        match call(set, desk, &path)? {
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
                    None => return Ok(Ok(sums)),
                }
            }
            Err(Trouble::TooMuch) if limit > 1 => {
                limit /= 2;
                path = feed::with_limit(&path, limit);
            }
            Err(trouble) => return Ok(Err(trouble)),
        }
    }
    sums.more = true;
    Ok(if sums.posts > 0 { Ok(sums) } else { Err(Trouble::Silent) })
}

/// One call, paid for and judged. What it says about limits is passed on.
fn call(set: &Settings, desk: &mut dyn Desk, path: &str) -> Result<Result<Value, Trouble>, BotFault> {
    // Whoever is refused gets a place among those who wait. Nobody waits here, so it would only make others wait longer.
    let used_up = desk.left(&set.upstream)?.into_iter().filter(|left| left.calls == 0 && left.ends > desk.now());
    if let Some(end) = used_up.map(|left| left.ends).max() {
        return Ok(Err(Trouble::NotBefore(end)));
    }
    let judged = match desk.get(&set.upstream, path) {
        Ok(answer) => feed::judge(&answer),
        Err(CallFault::NotBefore { moment, .. }) => Err(Trouble::NotBefore(moment)),
        Err(CallFault::LoggedOut { why }) => match desk.given(&set.upstream)? {
            Some(_) => Err(Trouble::LoggedOut),
            None => Err(Trouble::Nobody(why)),
        },
        Err(CallFault::Failed { .. } | CallFault::Never { .. }) => Err(Trouble::Silent),
    };
    if judged == Err(Trouble::Busy) {
        let until = Some(desk.now().after(DIGEST_BUSY_REST));
        desk.learn(&set.upstream, Lesson { until, ..Lesson::default() })?;
    }
    Ok(judged)
}
