//! The keys of a Webex bot.

use super::{Made, Others, api, flag};
use crate::config::Account;
use crate::config::findings::{Findings, Risk, quoted};
use crate::config::secret::{Fit, rotated, secret};
use crate::config::surroundings::Around;
use crate::config::table::{Entry, Key, Table};
use crate::model::Secret;
use crate::notation::nearest::nearest;
use crate::platform::Outside;
use crate::platform::webex::{Replies, Settings, Webex};
use crate::registry;
use std::sync::Arc;

pub(super) const KEYS: &[Key] = &[
    Key { name: "platform", example: "\"webex\"" },
    Key { name: "path", example: "\"/webex\"" },
    Key { name: "bot", example: "\"echo\"" },
    Key { name: "access_token", example: "{ env = \"WEBEX_TOKEN\" }" },
    Key { name: "secret", example: "{ env = \"WEBEX_WEBHOOK_SECRET\" }" },
    Key { name: "api", example: "\"https://webexapis.com/v1\"" },
    Key { name: "greeting", example: "\"Hello! Say what I shall echo.\"" },
    Key { name: "replies", example: "\"thread\"" },
    Key { name: "bots", example: "true" },
];

const REPLIES: [(&str, Replies); 2] = [("room", Replies::Room), ("thread", Replies::Thread)];

/// A bot's channel.
pub(super) fn build<'t>(
    channel: &'t str,
    table: &Table<'t>,
    _apps: &mut Others<'t>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Made> {
    let settings = settings(channel, table, around, findings)?;
    let (token, secret) = (settings.access_token.clone(), settings.secrets.first()?.clone());
    Some(Made {
        platform: Arc::new(Webex::new(settings.clone())),
        registration: Arc::new(registry::webex::Webex::new(channel, &settings.api, token, secret)),
        account: Account::Webex(settings),
        outside: Outside::Hold,
    })
}

/// All that Webex needs to know of a bot; every part is looked at, so that all faults are told.
pub(super) fn settings(
    channel: &str,
    table: &Table<'_>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Settings> {
    let access_token = table.need("access_token", findings);
    let access_token = access_token.and_then(|entry| secret(&entry, Fit::Header, around, findings));
    let secrets = table.need("secret", findings).and_then(|entry| secrets(&entry, around, findings));
    let api = api(channel, table, Settings::API, around, findings);
    let greeting = match table.get("greeting", findings) {
        Some(entry) => greeting(&entry, findings).map(Some),
        None => Some(None),
    };
    let replies = match table.get("replies", findings) {
        Some(entry) => replies(&entry, findings),
        None => Some(Replies::default()),
    };
    let bots_may_talk = flag(table, "bots", findings);
    Some(Settings {
        api: api?,
        greeting: greeting?,
        replies: replies?,
        bots_may_talk: bots_may_talk?,
        ..Settings::new(access_token?, secrets?)
    })
}

fn secrets(entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Vec<Secret>> {
    let secrets = rotated(entry, Fit::Anything, around, findings)?;
    // Which bytes Webex takes of other characters nobody says (webex.md §6).
    if !secrets.iter().all(|secret| secret.expose().is_ascii()) {
        let what = "has more than plain ASCII characters; Webex may sign with other bytes than these";
        findings.warn(Risk::Danger, &entry.place, what);
    }
    Some(secrets)
}

fn greeting(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let text = entry.text(findings)?;
    if text.trim().is_empty() {
        findings.fault(&entry.place, "is empty; take the key away, and the bot says nothing when it comes into a room");
        return None;
    }
    Some(text.to_owned())
}

fn replies(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<Replies> {
    let word = entry.text(findings)?;
    let found = REPLIES.iter().find(|(name, _)| *name == word);
    if found.is_none() {
        let words = REPLIES.map(|(name, _)| name);
        let hint = nearest(word, words).map_or_else(String::new, |near| format!("did you mean {near:?}? "));
        findings.fault(&entry.place, format!("{} is nowhere; {hint}write \"room\" or \"thread\"", quoted(word)));
    }
    found.map(|(_, replies)| *replies)
}
