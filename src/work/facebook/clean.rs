//! Graph's answers without tokens: what is left, a bot may see, keep and log.
//!
//! A page of a list names the next one by a URL that holds the token (graph.md §5). It becomes the path that a bot asks
//! for next; one that leads anywhere else is taken away, and null in its place says that the list goes on.

use crate::limits::CALL_PATH_BYTES_MAX;
use crate::model::{Answer, Secret};
use crate::notation::unpercent_text;
use serde_json::{Map, Value};
use std::fmt::Write;

/// What must not be seen, and where a list may go on.
pub(super) struct Clean<'a> {
    /// The base URL of all calls.
    pub(super) api: &'a str,
    pub(super) hidden: &'a [&'a Secret],
}

/// Parameters that are ours alone to add.
const OURS: [&str; 3] = ["access_token", "appsecret_proof", "appsecret_time"];

impl Clean<'_> {
    /// The answer without tokens, and how many ways on were taken away. Nothing when it would still show one.
    pub(super) fn answer(&self, mut answer: Answer) -> Option<(Answer, usize)> {
        let mut dropped = 0;
        if let Ok(mut value) = serde_json::from_slice::<Value>(&answer.body) {
            self.value(&mut value, &mut dropped);
            answer.body = serde_json::to_vec(&value).ok()?;
        }
        let text = String::from_utf8_lossy(&answer.body);
        let shows = self.is_seen(&text) || self.is_seen_behind_signs(&text);
        (!shows).then_some((answer, dropped))
    }

    fn is_seen(&self, text: &str) -> bool {
        self.hidden.iter().any(|secret| text.contains(secret.expose()))
    }

    /// The same of a text as Graph repeats a query, with percent signs, of which there is more than one way to set them.
    fn is_seen_behind_signs(&self, text: &str) -> bool {
        text.contains('%') && self.is_seen(&unpercent_text(text, false))
    }

    /// No deeper than the JSON was read.
    fn value(&self, value: &mut Value, dropped: &mut usize) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, dropped)),
            Value::Object(members) => {
                members.remove("access_token");
                if let Some(Value::Object(paging)) = members.get_mut("paging") {
                    self.paging(paging, dropped);
                }
                members.values_mut().for_each(|member| self.value(member, dropped));
            }
            Value::String(text) => {
                for secret in self.hidden {
                    if text.contains(secret.expose()) {
                        *text = text.replace(secret.expose(), "***");
                    }
                }
                if self.is_seen_behind_signs(text) {
                    "***".clone_into(text);
                }
            }
            _ => {}
        }
    }

    fn paging(&self, paging: &mut Map<String, Value>, dropped: &mut usize) {
        for name in ["next", "previous"] {
            let Some(url) = paging.remove(name) else { continue };
            match url.as_str().and_then(|url| cut(url, self.api)) {
                Some(path) => drop(paging.insert(name.to_owned(), Value::String(path))),
                None => {
                    *dropped += 1;
                    // What goes on where nobody follows is no end.
                    if name == "next" {
                        paging.insert(name.to_owned(), Value::Null);
                    }
                }
            }
        }
    }
}

/// Path and query of a URL below `api`, without what is ours to add; nothing when it leads elsewhere.
pub(super) fn cut(url: &str, api: &str) -> Option<String> {
    let rest = url.strip_prefix(api).filter(|rest| rest.starts_with('/') && !rest.contains('#'))?;
    let (way, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut path = plain(way);
    let name = |pair: &str| unpercent_text(pair.split('=').next().unwrap_or_default(), true);
    let pairs = query.split('&').filter(|pair| !pair.is_empty() && !OURS.contains(&&*name(pair)));
    for (number, pair) in pairs.enumerate() {
        path.push(if number == 0 { '?' } else { '&' });
        path.push_str(&plain(pair));
    }
    let climbs = way.split('/').any(|step| step == "..");
    (!climbs && path.len() <= CALL_PATH_BYTES_MAX).then_some(path)
}

/// Whether a path holds what is ours to add.
pub(super) fn meddles(path: &str) -> bool {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| OURS.contains(&&*unpercent_text(pair.split('=').next().unwrap_or_default(), true)))
}

/// With percent signs for what a path of ours must not hold.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            plain.push(char::from(byte));
        } else {
            let _ = write!(plain, "%{byte:02X}");
        }
    }
    plain
}
