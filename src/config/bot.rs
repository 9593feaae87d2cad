//! The bots that a configuration names.

use super::digest;
use super::findings::{Findings, Place, Risk, quoted};
use super::length::interval;
use super::name;
use super::plan;
use super::surroundings::Around;
use super::table::{Entry, Key, Table};
use super::upstream::Upstreams;
use crate::bot::Bot;
use crate::bot::dota::{self, Dota};
use crate::bot::echo::{self, Echo};
use crate::bot::solar::{Settings, Shape, Solar};
use crate::bot::tour::Tour;
use crate::limits::{SOLAR_AGE, SOLAR_AGE_MAX, SOLAR_AGE_MIN, SOLAR_KILOWATTS_FROM, SOLAR_KILOWATTS_FROM_MAX};
use crate::notation::nearest::nearest;
use crate::notation::shelf::Shelf;
use std::sync::Arc;
use std::time::Duration;

/// A kind of bot: its word, its keys, and what makes one of a table.
struct Kind {
    word: &'static str,
    keys: &'static [Key],
    make: fn(&Table<'_>, &Around<'_>, &mut Findings<'_>) -> Option<Arc<dyn Bot>>,
}

/// The key of every kind that asks an upstream.
pub(super) const UPSTREAM: &str = "upstream";
/// The key of a bot that makes pages, for where they are.
pub(super) const PATH: &str = "path";
/// The key of a bot that tells of one page.
pub(super) const PAGE: &str = "page";

/// All kinds of this version. A new bot is an entry here.
const KINDS: &[Kind] = &[
    Kind {
        word: "echo",
        keys: &[Key { name: "kind", example: "\"echo\"" }, Key { name: "otherwise", example: "\"I can't echo this\"" }],
        make: echo,
    },
    Kind {
        word: "tour",
        keys: &[
            Key { name: "kind", example: "\"tour\"" },
            Key { name: "picture", example: "\"https://example.org/picture.png\"" },
        ],
        make: tour,
    },
    Kind {
        word: "solar",
        keys: &[
            Key { name: "kind", example: "\"solar\"" },
            Key { name: UPSTREAM, example: "\"enphase\"" },
            Key { name: "kilowatts_from", example: "10000" },
            Key { name: "age", example: "\"15m\"" },
            Key { name: "shape", example: "\"v4\"" },
            Key { name: "user_id", example: "\"4d6a51330a\"" },
        ],
        make: solar,
    },
    Kind {
        word: "dota",
        keys: &[Key { name: "kind", example: "\"dota\"" }, Key { name: UPSTREAM, example: "\"opendota\"" }, plan::ZONE],
        make: dota,
    },
    Kind { word: "digest", keys: digest::KEYS, make: digest::digest },
];

/// Each kind with its keys.
#[cfg(test)]
pub(super) fn keys() -> Vec<(&'static str, &'static [Key])> {
    KINDS.iter().map(|kind| (kind.word, kind.keys)).collect()
}

/// A bot as commands and trials know it: what it is, and whom it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBot {
    pub name: String,
    /// `echo`, `tour`, `solar`, `dota` or `digest`.
    pub kind: &'static str,
    /// The name of an upstream.
    pub upstream: Option<String>,
    /// The id of the page that it tells of, if it names one.
    pub page: Option<String>,
}

/// All bots by name, each with its place.
#[derive(Default)]
pub(super) struct Bots {
    by_name: Shelf<String, Made>,
}

struct Made {
    place: Place,
    kind: Option<&'static str>,
    /// The upstream that it asks, and where that stands.
    upstream: Option<(Place, String)>,
    page: Option<String>,
    /// Where its path stands, if it has one.
    path: Option<Place>,
    /// `None` when it has a fault: it is still known by name, so that its channels are not blamed.
    bot: Option<Arc<dyn Bot>>,
    used: bool,
}

impl Bots {
    /// Reads `[bot.NAME]` tables.
    pub(super) fn read(entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Bots {
        let mut bots = Bots::default();
        for (name, entry) in entry.tables(findings) {
            if let Some(what) = name::flaw(name) {
                findings.fault(&entry.place, what);
            }
            let kind = kind(&entry, findings);
            let bot = kind.and_then(|kind| bot(kind, &entry, around, findings));
            let text = |name| {
                let key = kind?.keys.iter().find(|key| key.name == name)?;
                let entry = entry.peek(name, key.example, findings)?;
                Some((entry.place.clone(), entry.value.as_str()?.to_owned()))
            };
            let (upstream, page) = (text(UPSTREAM), text(PAGE).map(|(_, page)| page));
            let path = text(PATH).map(|(place, _)| place);
            let kind = kind.map(|kind| kind.word);
            let made = Made { place: entry.place, kind, upstream, page, path, bot, used: false };
            bots.by_name.insert(name.to_owned(), made);
        }
        bots
    }

    /// The bot that a channel asks for by name.
    pub(super) fn find(&mut self, entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<(String, Arc<dyn Bot>)> {
        let name = entry.text(findings)?;
        if let Some(made) = self.by_name.get_mut(name) {
            made.used = true;
            return Some((name.to_owned(), made.bot.clone()?));
        }
        let near = nearest(name, self.by_name.keys().map(String::as_str));
        let hint = match near {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None if name::flaw(name).is_none() => format!("write a table [bot.{name}] with kind = \"echo\""),
            None => "write a table [bot.echo] with kind = \"echo\"".to_owned(),
        };
        findings.fault(&entry.place, format!("there is no bot {}; {hint}", quoted(name)));
        None
    }

    /// Those whose kind is known, in order of their names.
    pub(super) fn known(&self) -> Vec<KnownBot> {
        let known = self.by_name.iter().filter_map(|(name, made)| {
            let upstream = made.upstream.as_ref().map(|(_, upstream)| upstream.clone());
            Some(KnownBot { name: name.clone(), kind: made.kind?, upstream, page: made.page.clone() })
        });
        known.collect()
    }

    /// Whether a bot asks this upstream.
    pub(super) fn ask(&self, upstream: &str) -> bool {
        self.by_name.values().any(|made| made.upstream.as_ref().is_some_and(|(_, asked)| asked == upstream))
    }

    /// Whatever a bot asks must be there, and be what the bot can ask. One without a kind is believed to be it.
    pub(super) fn look_for_upstreams(&self, upstreams: &Upstreams, findings: &mut Findings<'_>) {
        let names = &upstreams.names;
        for made in self.by_name.values() {
            let (Some((place, name)), Some(bot)) = (&made.upstream, made.kind) else { continue };
            let service = match bot {
                "dota" => "opendota",
                "digest" => "facebook",
                _ => "enphase",
            };
            if let Some((_, kind)) = names.iter().zip(&upstreams.kinds).find(|(known, _)| *known == name) {
                if let Some(kind) = kind.filter(|kind| *kind != service) {
                    let name = quoted(name);
                    let what = format!("{name} is of kind {kind:?}; a {bot} bot asks one of kind {service:?}");
                    findings.fault(place, what);
                }
                continue;
            }
            let hint = match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {}?", quoted(near)),
                None if name::flaw(name).is_none() => {
                    format!("write a table [upstream.{name}] with kind = {service:?}")
                }
                None => format!("write a table [upstream.{service}] with kind = {service:?}"),
            };
            findings.fault(place, format!("there is no upstream {}; {hint}", quoted(name)));
        }
    }

    /// Those that make pages. A place is one bot's alone; `taken` are those of channels, each with whose it is.
    pub(super) fn with_pages(
        &self,
        taken: &mut Vec<(String, String)>,
        findings: &mut Findings<'_>,
    ) -> Vec<(String, Arc<dyn Bot>)> {
        let mut pages: Vec<(String, Arc<dyn Bot>)> = Vec::new();
        for (name, made) in &self.by_name {
            let Some((bot, place)) = made.bot.as_ref().and_then(|bot| Some((bot, bot.place()?))) else { continue };
            if let Some((whose, other)) = taken.iter().find(|(_, other)| overlap(place, other)) {
                let what = format!(
                    "its pages at {} are in the way of {whose} at {}; take another path",
                    quoted(place),
                    quoted(other)
                );
                findings.fault(made.path.as_ref().unwrap_or(&made.place), what);
            }
            taken.push((format!("bot {name}"), place.to_owned()));
            pages.push((name.clone(), Arc::clone(bot)));
        }
        pages
    }

    /// Warns of bots that nobody asked for.
    pub(super) fn warn_of_unused(&self, findings: &mut Findings<'_>) {
        let has_pages = |made: &Made| made.bot.as_ref().is_some_and(|bot| bot.place().is_some());
        for made in self.by_name.values().filter(|made| !made.used && !has_pages(made)) {
            findings.warn(Risk::Odd, &made.place, "no channel uses this bot");
        }
    }
}

/// Whether one of two paths lies below the other.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    let below = |path: &str, place: &str| {
        path.strip_prefix(place).is_some_and(|below| below.is_empty() || below.starts_with('/'))
    };
    below(one, other) || below(other, one)
}

/// The bot that a table describes.
fn bot(kind: &Kind, entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Arc<dyn Bot>> {
    let table = entry.table(kind.keys, findings)?;
    (kind.make)(&table, around, findings)
}

/// The kind that a table asks for, if there is such a kind.
fn kind(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<&'static Kind> {
    let first = KINDS.first()?;
    let Some(kind) = entry.peek("kind", "\"echo\"", findings) else {
        // A mistyped `kind` is told as an unknown key, and a missing one as missing, in the words of the first kind.
        let table = entry.table(first.keys, findings)?;
        table.need("kind", findings);
        return None;
    };
    let word = kind.text(findings)?;
    let found = KINDS.iter().find(|kind| kind.word == word);
    if found.is_none() {
        let words = KINDS.iter().map(|kind| kind.word);
        let hint = nearest(word, words.clone()).map_or_else(String::new, |near| format!("did you mean {near:?}? "));
        let words = words.collect::<Vec<_>>().join(", ");
        findings.fault(&kind.place, format!("there is no kind of bot {}; {hint}kinds: {words}", quoted(word)));
    }
    found
}

fn echo(table: &Table<'_>, _: &Around<'_>, findings: &mut Findings<'_>) -> Option<Arc<dyn Bot>> {
    let otherwise = match table.get("otherwise", findings) {
        Some(entry) => entry.text(findings)?,
        None => echo::OTHERWISE,
    };
    Some(Arc::new(Echo::new(otherwise)))
}

fn tour(table: &Table<'_>, _: &Around<'_>, findings: &mut Findings<'_>) -> Option<Arc<dyn Bot>> {
    let picture = match table.get("picture", findings) {
        Some(entry) => Some(entry.text(findings)?.to_owned()),
        None => None,
    };
    Some(Arc::new(Tour::new(picture)))
}

fn solar(table: &Table<'_>, _: &Around<'_>, findings: &mut Findings<'_>) -> Option<Arc<dyn Bot>> {
    let upstream = table.need(UPSTREAM, findings).and_then(|entry| entry.text(findings));
    let kilowatts_from = match table.get("kilowatts_from", findings) {
        Some(entry) => entry.whole(&(0..=SOLAR_KILOWATTS_FROM_MAX), findings),
        None => Some(SOLAR_KILOWATTS_FROM),
    };
    let age = match table.get("age", findings) {
        Some(entry) => age(&entry, findings),
        None => Some(SOLAR_AGE),
    };
    let shape = shape(table, findings);
    Some(Arc::new(Solar::new(Settings {
        upstream: upstream?.to_owned(),
        shape: shape?,
        kilowatts_from: u64::try_from(kilowatts_from?).ok()?,
        age: age?,
    })))
}

fn dota(table: &Table<'_>, _: &Around<'_>, findings: &mut Findings<'_>) -> Option<Arc<dyn Bot>> {
    let upstream = table.need(UPSTREAM, findings).and_then(|entry| entry.text(findings));
    let zone = match table.get(plan::ZONE.name, findings) {
        Some(_) => plan::zone_or_system(table, findings),
        None => Some("UTC".to_owned()),
    };
    Some(Arc::new(Dota::new(dota::Settings { upstream: upstream?.to_owned(), zone: zone? })))
}

/// How old figures may get: an interval.
fn age(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<Duration> {
    let age = interval(entry.text(findings)?).filter(|age| (SOLAR_AGE_MIN..=SOLAR_AGE_MAX).contains(age));
    if age.is_none() {
        let (least, most) = (SOLAR_AGE_MIN.as_secs() / 60, SOLAR_AGE_MAX.as_secs() / 3600);
        let what = format!("must lie between \"{least}m\" and \"{most}h\"; write for example {}", entry.example);
        findings.fault(&entry.place, what);
    }
    age
}

/// Which version of Enphase's interface is spoken. Version 2 names the owner in each call.
fn shape(table: &Table<'_>, findings: &mut Findings<'_>) -> Option<Shape> {
    let entry = table.get("shape", findings);
    let word = match &entry {
        Some(entry) => entry.text(findings)?,
        None => "v4",
    };
    let user_id = table.get("user_id", findings);
    match (word, entry) {
        ("v2", _) => {
            let user_id = table.need("user_id", findings)?.text(findings)?.to_owned();
            Some(Shape::V2 { user_id })
        }
        ("v4", _) => {
            if let Some(user_id) = user_id {
                findings.warn(Risk::Odd, &user_id.place, "is of no use without shape = \"v2\"");
            }
            Some(Shape::V4)
        }
        (word, Some(entry)) => {
            findings.fault(&entry.place, format!("{} is no version; write \"v4\" or \"v2\"", quoted(word)));
            None
        }
        (_, None) => None,
    }
}
