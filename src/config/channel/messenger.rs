//! The keys of a Messenger page.

use super::outside::outside;
use super::{Made, Others, Taken, api, flag};
use crate::config::Account;
use crate::config::findings::Findings;
use crate::config::secret::{Fit, rotated, secret};
use crate::config::surroundings::Around;
use crate::config::table::{Entry, Key, Table};
use crate::limits::ID_BYTES_MAX;
use crate::platform::messenger::{Messenger, Settings};
use crate::registry;
use std::sync::Arc;

pub(super) const KEYS: &[Key] = &[
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
    Key { name: "outside_window", example: "\"hold\"" },
    Key { name: "app_id", example: "\"482915736608214\"" },
];

/// A page's channel.
pub(super) fn build<'t>(
    channel: &'t str,
    table: &Table<'t>,
    others: &mut Others<'t>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Made> {
    let settings = settings(channel, table, around, findings);
    let app_id = match table.get("app_id", findings) {
        Some(entry) => app_id(&entry, channel, &mut others.apps, findings).map(Some),
        None => Some(None),
    };
    let outside = outside(channel, table, others, findings);
    let settings = settings?;
    Some(Made {
        platform: Arc::new(Messenger::new(settings.clone())),
        registration: Arc::new(registry::messenger::Messenger::new(settings.clone(), app_id?)),
        account: Account::Messenger(settings),
        outside: outside?,
    })
}

/// All that Messenger needs to know of a page; every part is looked at, so that all faults are told.
pub(super) fn settings(
    channel: &str,
    table: &Table<'_>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Settings> {
    let verify_token = table.need("verify_token", findings);
    let verify_token = verify_token.and_then(|entry| secret(&entry, Fit::Anything, around, findings));
    let app_secrets = table.need("app_secret", findings);
    let app_secrets = app_secrets.and_then(|entry| rotated(&entry, Fit::Anything, around, findings));
    let access_token = table.need("access_token", findings);
    let access_token = access_token.and_then(|entry| secret(&entry, Fit::Header, around, findings));
    let api = api(channel, table, Settings::API, around, findings);
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
pub(in crate::config) fn number<'t>(entry: &Entry<'t>, whose: &str, findings: &mut Findings<'_>) -> Option<&'t str> {
    let text = entry.text(findings)?;
    if text.is_empty() || text.len() > ID_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let what = format!("must be the {whose}'s number, digits only; write for example {}", entry.example);
        findings.fault(&entry.place, what);
        return None;
    }
    Some(text)
}
