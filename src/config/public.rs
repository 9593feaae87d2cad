//! What the world calls this daemon, and how often we look whether the platforms know it.

use super::findings::{Findings, Risk};
use super::length::interval;
use super::table::{Entry, Table};
use super::url::{BaseUrl, NO_SCHEME};
use crate::limits::{REGISTRATION_INTERVAL, REGISTRATION_INTERVAL_MAX, REGISTRATION_INTERVAL_MIN};
use crate::registry::PublicUrl;
use crate::registry::ngrok::AGENT;
use std::time::Duration;

/// `public_url`, and for `"ngrok"` the agent's address in `ngrok`.
pub(super) fn public_url(table: &Table<'_>, findings: &mut Findings<'_>) -> Option<PublicUrl> {
    let agent = table.get("ngrok", findings);
    let entry = table.get("public_url", findings);
    let asks = entry.as_ref().is_some_and(|entry| entry.value.as_str() == Some("ngrok"));
    if let Some(agent) = agent.as_ref().filter(|_| !asks) {
        findings.warn(Risk::Odd, &agent.place, "is of no use without public_url = \"ngrok\"");
    }
    let agent = match &agent {
        Some(entry) => self::agent(entry, findings),
        None => Some(AGENT.to_owned()),
    };
    let entry = entry?;
    let what = match BaseUrl::parse(entry.text(findings)?) {
        _ if asks => return agent.map(|agent| PublicUrl::Ngrok { agent }),
        // A stand-in on this machine needs no certificate.
        Ok(url) if url.https || url.loopback => return Some(PublicUrl::Fixed(url.text)),
        Ok(_) => {
            let what = "must begin with https://, platforms ask for it; http:// is for a stand-in on this machine";
            format!("{what}; write for example {} or \"ngrok\"", entry.example)
        }
        Err(what) => format!("{what}; write for example {} or \"ngrok\"", entry.example),
    };
    findings.fault(&entry.place, what);
    None
}

fn agent(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<String> {
    match BaseUrl::parse(entry.text(findings)?) {
        Ok(url) => Some(url.text),
        // Most agents speak plain HTTP, so the words for other addresses would mislead.
        Err(what) => {
            let what = if what == NO_SCHEME { "must begin with http:// or https://" } else { what };
            findings.fault(&entry.place, format!("{what}; write for example {}", entry.example));
            None
        }
    }
}

/// `keep_registered`: an interval, or `"off"`.
pub(super) fn keep_registered(table: &Table<'_>, findings: &mut Findings<'_>) -> Option<Duration> {
    let Some(entry) = table.get("keep_registered", findings) else { return Some(REGISTRATION_INTERVAL) };
    let text = entry.text(findings)?;
    if text == "off" {
        return None;
    }
    let interval = interval(text).filter(|time| (REGISTRATION_INTERVAL_MIN..=REGISTRATION_INTERVAL_MAX).contains(time));
    if interval.is_none() {
        let (least, most) = (REGISTRATION_INTERVAL_MIN.as_secs(), REGISTRATION_INTERVAL_MAX.as_secs() / 3600);
        let what = format!(
            "must lie between \"{least}s\" and \"{most}h\", or be \"off\"; write for example {}",
            entry.example
        );
        findings.fault(&entry.place, what);
    }
    interval
}
