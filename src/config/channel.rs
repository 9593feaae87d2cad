//! The channels that a configuration names, each with its platform built. A new platform is one arm here.

use super::bot::Bots;
use super::findings::{Findings, quoted};
use super::name;
use super::nearest::nearest;
use super::secret::{Fit, secret};
use super::surroundings::Around;
use super::table::{Entry, Key, Table};
use super::url::BaseUrl;
use super::{Channel, KnownChannel};
use crate::limits::ID_BYTES_MAX;
use crate::model::Secret;
use crate::platform::Platform;
use crate::platform::messenger::{Messenger, Settings};
use crate::registry::{self, Registration};
use std::sync::Arc;
use toml::de::DeValue;

const PLATFORMS: [&str; 1] = ["messenger"];
const PLATFORMS_LATER: [&str; 1] = ["webex"];

const MESSENGER: &[Key] = &[
    Key { name: "platform", example: "\"messenger\"" },
    Key { name: "path", example: "\"/messenger\"" },
    Key { name: "bot", example: "\"echo\"" },
    Key { name: "verify_token", example: "{ env = \"MESSENGER_VERIFY_TOKEN\" }" },
    Key { name: "app_secret", example: "{ env = \"MESSENGER_APP_SECRET\" }" },
    Key { name: "access_token", example: "{ env = \"MESSENGER_ACCESS_TOKEN\" }" },
    Key { name: "api", example: "\"https://graph.facebook.com/v25.0\"" },
    Key { name: "appsecret_proof", example: "true" },
    Key { name: "token_in_query", example: "true" },
    Key { name: "page_id", example: "\"100000000000001\"" },
    Key { name: "app_id", example: "\"482915736608214\"" },
];

/// All channels, in the order of the file.
#[derive(Default)]
pub(super) struct Channels {
    /// Those with all that a daemon needs; none of them where secrets are not read.
    pub(super) whole: Vec<Channel>,
    pub(super) known: Vec<KnownChannel>,
}

/// What only one channel may have, each with the channel that has it.
type Taken<'t> = Vec<(&'t str, &'t str)>;

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
    let mut paths = Vec::new();
    let mut apps = Vec::new();
    let mut channels = Channels::default();
    for (name, entry) in tables {
        if let Some(what) = name::channel_flaw(name) {
            findings.fault(&entry.place, what);
        }
        match kind(&entry, findings) {
            Some(Kind::Messenger) => {
                channels.whole.extend(messenger(name, &entry, (&mut paths, &mut apps), bots, around, findings));
                channels.known.push(KnownChannel { name: name.to_owned(), fit: Messenger::fit_any });
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

/// A Messenger page as a channel; every key is looked at, so that all faults are told.
fn messenger<'t>(
    name: &'t str,
    entry: &Entry<'t>,
    (paths, apps): (&mut Taken<'t>, &mut Taken<'t>),
    bots: &mut Bots,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Channel> {
    let table = entry.table(MESSENGER, findings)?;
    let path = table.need("path", findings).and_then(|entry| path(&entry, name, paths, findings));
    let bot = table.need("bot", findings).and_then(|entry| bots.find(&entry, findings));
    let settings = messenger_settings(&table, around, findings);
    let app_id = match table.get("app_id", findings) {
        Some(entry) => app_id(&entry, name, apps, findings).map(Some),
        None => Some(None),
    };
    let (bot_name, bot) = bot?;
    let settings = settings?;
    let registration: Arc<dyn Registration> = Arc::new(registry::messenger::Messenger::new(settings.clone(), app_id?));
    let platform: Arc<dyn Platform> = Arc::new(Messenger::new(settings));
    Some(Channel { name: name.to_owned(), path: path?, platform, bot, bot_name, registration: Some(registration) })
}

/// What a file without any channel is told.
pub(super) const NO_CHANNEL: &str = "there is no channel; write a table [channel.page] with platform = \"messenger\"";

/// The platforms of this version.
enum Kind {
    Messenger,
}

/// The platform that a channel's table asks for, if there is such a platform.
fn kind(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<Kind> {
    let DeValue::Table(entries) = entry.value else {
        findings.fault(&entry.place, format!("must be a table; write {}", entry.example));
        return None;
    };
    let Some(platform) = peek(entry, "platform", findings) else {
        // A mistyped `platform` is told as an unknown key, in the words of the platform that there is.
        let known = MESSENGER.iter().map(|key| key.name);
        if entries.keys().any(|key| nearest(key.get_ref(), known.clone()) == Some("platform")) {
            entry.table(MESSENGER, findings);
        } else {
            let place = entry.place.inner("platform", entry.place.line);
            findings.fault(&place, "is missing; write platform = \"messenger\"");
        }
        return None;
    };
    let word = platform.text(findings)?;
    let shown = quoted(word);
    let what = match nearest(word, PLATFORMS) {
        Some(same) if same == word => return Some(Kind::Messenger),
        Some(near) => format!("there is no platform {shown}; did you mean {near:?}?"),
        None if PLATFORMS_LATER.contains(&word) => {
            format!("{shown} comes with a later version; this one has {}", PLATFORMS.join(", "))
        }
        None => format!("there is no platform {shown}; this version has {}", PLATFORMS.join(", ")),
    };
    findings.fault(&platform.place, what);
    None
}

/// A key of a table that is not opened yet.
fn peek<'t>(entry: &Entry<'t>, name: &'static str, findings: &Findings<'_>) -> Option<Entry<'t>> {
    let DeValue::Table(entries) = entry.value else { return None };
    let (key, value) = entries.iter().find(|(key, _)| key.get_ref() == name)?;
    let place = entry.place.inner(name, findings.line_of(key.span().start));
    let example = MESSENGER.iter().find(|key| key.name == name).map_or("…", |key| key.example);
    Some(Entry { place, value: value.get_ref(), example: format!("{name} = {example}"), name })
}

/// A channel's path, which no other channel has.
fn path<'t>(entry: &Entry<'t>, channel: &'t str, taken: &mut Taken<'t>, findings: &mut Findings<'_>) -> Option<String> {
    let path = entry.text(findings)?;
    let other = taken.iter().find(|(other, _)| *other == path).map(|(_, channel)| *channel);
    taken.push((path, channel));
    let twice = || other.map(|other| format!("channel {other} has {} too; each needs its own", quoted(path)));
    match name::path_flaw(path).or_else(twice) {
        Some(what) => {
            findings.fault(&entry.place, what);
            None
        }
        None => Some(path.to_owned()),
    }
}

/// All that Messenger needs to know of a page; every part is looked at, so that all faults are told.
fn messenger_settings(table: &Table<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Settings> {
    let verify_token = table.need("verify_token", findings);
    let verify_token = verify_token.and_then(|entry| secret(&entry, Fit::Anything, around, findings));
    let app_secrets = table.need("app_secret", findings);
    let app_secrets = app_secrets.and_then(|entry| self::app_secrets(&entry, around, findings));
    let access_token = table.need("access_token", findings);
    let access_token = access_token.and_then(|entry| secret(&entry, Fit::Header, around, findings));
    let api = match table.get("api", findings) {
        Some(entry) => api(&entry, findings),
        None => Some(Settings::API.to_owned()),
    };
    let appsecret_proof = flag(table, "appsecret_proof", findings);
    let token_in_query = flag(table, "token_in_query", findings);
    let page_id = match table.get("page_id", findings) {
        Some(entry) => number(&entry, "page", findings).map(|number| Some(number.to_owned())),
        None => Some(None),
    };
    Some(Settings {
        api: api?,
        appsecret_proof: appsecret_proof?,
        token_in_query: token_in_query?,
        page_id: page_id?,
        ..Settings::new(verify_token?, app_secrets?, access_token?)
    })
}

/// The same of a table that is not opened yet.
#[cfg(test)]
pub(super) fn settings_of(entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Settings> {
    messenger_settings(&entry.table(MESSENGER, findings)?, around, findings)
}

/// One secret, or two while the old one is still in use.
fn app_secrets(entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Vec<Secret>> {
    let members = entry.one_or_list(findings);
    if members.is_empty() || members.len() > 2 {
        findings.fault(&entry.place, format!("must be one secret, or a list of two while rotating; {}", entry.example));
        return None;
    }
    let secrets: Vec<_> = members.iter().map(|member| secret(member, Fit::Anything, around, findings)).collect();
    secrets.into_iter().collect()
}

fn api(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let text = entry.text(findings)?;
    match BaseUrl::parse(text) {
        Ok(url) => {
            if !url.https && !url.loopback {
                findings.warn(&entry.place, "http:// shows the access token to everybody on the way; write https://");
            }
            Some(url.text)
        }
        Err(what) => {
            findings.fault(&entry.place, format!("{what}; write for example {}", entry.example));
            None
        }
    }
}

/// The number of the app; no other channel may set the same app's callback URL.
fn app_id<'t>(
    entry: &Entry<'t>,
    channel: &'t str,
    taken: &mut Taken<'t>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let number = number(entry, "app", findings)?;
    if let Some((_, other)) = taken.iter().find(|(other, _)| *other == number) {
        let what = format!("channel {other} has this app too, and an app has one callback URL; take one away");
        findings.fault(&entry.place, what);
        return None;
    }
    taken.push((number, channel));
    Some(number.to_owned())
}

/// A number of Meta's, as a text.
fn number<'t>(entry: &Entry<'t>, whose: &str, findings: &mut Findings<'_>) -> Option<&'t str> {
    let text = entry.text(findings)?;
    if text.is_empty() || text.len() > ID_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let what = format!("must be the {whose}'s number, digits only; write for example {}", entry.example);
        findings.fault(&entry.place, what);
        return None;
    }
    Some(text)
}

fn flag(table: &Table<'_>, name: &'static str, findings: &mut Findings<'_>) -> Option<bool> {
    table.get(name, findings).map_or(Some(false), |entry| entry.flag(findings))
}
