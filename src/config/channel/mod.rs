//! The channels that a configuration names, each with its platform built. A new platform is a file with its keys, and
//! one `Kind` here.

pub(super) mod messenger;
mod outside;
mod webex;

use super::bot::Bots;
use super::findings::{Findings, Risk, quoted};
use super::name;
use super::surroundings::{Around, Secrets};
use super::table::{Entry, Key, Table};
use super::url::BaseUrl;
use super::{Account, Channel, KnownChannel};
use crate::model::Reply;
use crate::notation::nearest::nearest;
use crate::platform::messenger::Messenger;
use crate::platform::webex::Webex;
use crate::platform::{Outside, Platform, Unsayable};
use crate::registry::Registration;
use std::sync::Arc;
use toml::de::DeValue;

/// A platform of this version: how its tables are read, and what it cuts replies with.
struct Kind {
    name: &'static str,
    keys: &'static [Key],
    build: for<'t> fn(&'t str, &Table<'t>, &mut Others<'t>, &Around<'_>, &mut Findings<'_>) -> Option<Made>,
    fit: fn(Reply) -> Result<Vec<Reply>, Unsayable>,
}

const KINDS: [Kind; 2] = [
    Kind { name: "messenger", keys: messenger::KEYS, build: messenger::build, fit: Messenger::fit_any },
    Kind { name: "webex", keys: webex::KEYS, build: webex::build, fit: Webex::fit_any },
];

/// What a platform's keys make: both ways to the platform, and what it is told of us.
struct Made {
    platform: Arc<dyn Platform>,
    registration: Arc<dyn Registration>,
    account: Account,
    outside: Outside,
}

/// What only one channel may have, with that channel's name.
type Taken<'t> = Vec<(&'t str, &'t str)>;

/// What a channel must know of the others.
struct Others<'t> {
    names: Vec<&'t str>,
    paths: Taken<'t>,
    apps: Taken<'t>,
}

/// All channels, in the order of the file.
#[derive(Default)]
pub(super) struct Channels {
    /// Those with all that a daemon needs; none of them where secrets are not read.
    pub(super) whole: Vec<Channel>,
    pub(super) known: Vec<KnownChannel>,
}

/// Reads `[channel.NAME]` tables.
pub(super) fn channels(
    entry: &Entry<'_>,
    bots: &mut Bots,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Channels {
    let tables = entry.tables(findings);
    if tables.is_empty() && matches!(entry.value, DeValue::Table(_)) {
        findings.fault(&entry.place, NO_CHANNEL);
    }
    let names = tables.iter().map(|(name, _)| *name).collect();
    let mut others = Others { names, paths: Taken::new(), apps: Taken::new() };
    let mut channels = Channels::default();
    for (name, entry) in tables {
        if let Some(what) = name::channel_flaw(name) {
            findings.fault(&entry.place, what);
        }
        match kind(&entry, findings) {
            Some(kind) => {
                channels.whole.extend(channel(kind, name, &entry, &mut others, bots, around, findings));
                channels.known.push(KnownChannel { name: name.to_owned(), fit: kind.fit });
            }
            None => {
                // What else may stand here depends on the platform; but the bot is asked for all the same.
                if let Some(bot) = peek(&entry, "bot", findings) {
                    bots.find(&bot, findings);
                }
            }
        }
    }
    channels
}

/// One channel; every key is looked at, so that all faults are told.
fn channel<'t>(
    kind: &Kind,
    name: &'t str,
    entry: &Entry<'t>,
    others: &mut Others<'t>,
    bots: &mut Bots,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Channel> {
    let table = entry.table(kind.keys, findings)?;
    let path = table.need("path", findings).and_then(|entry| path(&entry, name, &mut others.paths, findings));
    let bot = table.need("bot", findings).and_then(|entry| bots.find(&entry, findings));
    let made = (kind.build)(name, &table, others, around, findings);
    let (bot_name, bot) = bot?;
    let Made { platform, registration, account, outside } = made?;
    let (name, registration) = (name.to_owned(), Some(registration));
    Some(Channel { name, path: path?, platform, bot, bot_name, outside, registration, account })
}

/// What a file without any channel is told.
pub(super) const NO_CHANNEL: &str = "there is no channel; write a table [channel.page] with platform = \"messenger\"";

/// The platform that a channel's table asks for, if there is such a platform.
fn kind(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<&'static Kind> {
    let DeValue::Table(entries) = entry.value else {
        findings.fault(&entry.place, format!("must be a table; write {}", entry.example));
        return None;
    };
    let Some(platform) = peek(entry, "platform", findings) else {
        // A mistyped `platform` is told as an unknown key, in the words of the platform that it names.
        let known = || messenger::KEYS.iter().map(|key| key.name);
        let mistyped = entries.iter().find(|(key, _)| nearest(key.get_ref(), known()) == Some("platform"));
        if let Some((_, meant)) = mistyped {
            let [first, ..] = &KINDS;
            let meant = KINDS.iter().find(|kind| meant.get_ref().as_str() == Some(kind.name)).unwrap_or(first);
            entry.table(meant.keys, findings);
        } else {
            let place = entry.place.inner("platform", entry.place.line);
            findings.fault(&place, "is missing; write platform = \"messenger\" or platform = \"webex\"");
        }
        return None;
    };
    let word = platform.text(findings)?;
    let found = KINDS.iter().find(|kind| kind.name == word);
    if found.is_none() {
        let names = KINDS.map(|kind| kind.name);
        let what = match nearest(word, names) {
            Some(near) => format!("there is no platform {}; did you mean {near:?}?", quoted(word)),
            None => format!("there is no platform {}; this version has {}", quoted(word), names.join(", ")),
        };
        findings.fault(&platform.place, what);
    }
    found
}

/// A key of a table that is not opened yet.
fn peek<'t>(entry: &Entry<'t>, name: &'static str, findings: &Findings<'_>) -> Option<Entry<'t>> {
    let example = messenger::KEYS.iter().find(|key| key.name == name).map_or("…", |key| key.example);
    entry.peek(name, example, findings)
}

/// A channel's path, which no other channel has.
fn path<'t>(entry: &Entry<'t>, channel: &'t str, taken: &mut Taken<'t>, findings: &mut Findings<'_>) -> Option<String> {
    let path = entry.text(findings)?;
    let other = taken.iter().find(|(other, _)| *other == path).map(|(_, channel)| *channel);
    taken.push((path, channel));
    let twice = || other.map(|other| format!("channel {other} has {} too; each needs its own", quoted(path)));
    match name::path_flaw(path, &entry.example).or_else(twice) {
        Some(what) => {
            findings.fault(&entry.place, what);
            None
        }
        None => Some(path.to_owned()),
    }
}

/// Each platform with its keys.
#[cfg(test)]
pub(super) fn keys() -> Vec<(&'static str, &'static [Key])> {
    KINDS.iter().map(|kind| (kind.name, kind.keys)).collect()
}

/// What Messenger is told of a page whose table is not opened yet.
#[cfg(test)]
pub(super) fn messenger_of(
    entry: &Entry<'_>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<crate::platform::messenger::Settings> {
    messenger::settings("page", &entry.table(messenger::KEYS, findings)?, around, findings)
}

/// The same of a Webex bot.
#[cfg(test)]
pub(super) fn webex_of(
    entry: &Entry<'_>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<crate::platform::webex::Settings> {
    webex::settings("space", &entry.table(webex::KEYS, findings)?, around, findings)
}

/// The base of a platform's API; in a trial the twin's.
fn api(
    channel: &str,
    table: &Table<'_>,
    default: &str,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    if let Secrets::Played(stage) = around.secrets {
        return Some(stage.api(channel));
    }
    let Some(entry) = table.get("api", findings) else { return Some(default.to_owned()) };
    let text = entry.text(findings)?;
    match BaseUrl::parse(text) {
        Ok(url) => {
            if !url.https && !url.loopback {
                let what = "http:// shows the access token to everybody on the way; write https://";
                findings.warn(Risk::Danger, &entry.place, what);
            }
            Some(url.text)
        }
        Err(what) => {
            findings.fault(&entry.place, format!("{what}; write for example {}", entry.example));
            None
        }
    }
}

fn flag(table: &Table<'_>, name: &'static str, findings: &mut Findings<'_>) -> Option<bool> {
    table.get(name, findings).map_or(Some(false), |entry| entry.flag(findings))
}
