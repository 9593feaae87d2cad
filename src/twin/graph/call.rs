//! One call taken apart: version, path, token, and what it asks of a list; and JSON put together.

use super::refusal::Refused;
use crate::limits::{GRAPH_LIST_DEFAULT, GRAPH_LIST_MAX};
use crate::model::{Moment, Request};
use crate::notation::{from_base64, percent, unpercent_text};
use crate::twin::query::Query;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fmt::{Display, Write};
use std::ops::Range;

/// Versions, and the second at which each ends (graph.md §2).
const VERSIONS: [(u32, i64); 6] = [
    (21, 1_800_489_600),
    (22, 1_810_771_200),
    (23, 1_822_953_600),
    (24, 1_834_444_800),
    (25, 1_848_441_600),
    (26, i64::MAX),
];

/// Where the call goes: the version that serves it, and the parts of the path behind that.
pub(super) fn path(request: &Request, now: Moment) -> Result<(u32, Vec<String>), Refused> {
    let parts = request.head.path().split('/').filter(|part| !part.is_empty());
    let mut parts: Vec<String> = parts.map(|part| unpercent_text(part, false)).collect();
    let living = VERSIONS.iter().find(|(_, ends)| now.seconds() < *ends).map_or(0, |(version, _)| *version);
    let asked = parts.first().and_then(|first| version(first));
    if asked.is_some() {
        let first = parts.remove(0);
        // There is none yet.
        if asked > VERSIONS.last().map(|(version, _)| *version) {
            return Err(Refused::no_edge(&first));
        }
    }
    // One that has ended, or none, is served by the oldest that lives.
    Ok((asked.unwrap_or(living).max(living), parts))
}

/// `v25.0` as 25.
fn version(part: &str) -> Option<u32> {
    let (major, minor) = part.strip_prefix('v')?.split_once('.')?;
    minor.parse::<u32>().ok()?;
    major.parse().ok()
}

/// What stands behind the `?`, and in a form.
pub(super) fn parameters(request: &Request) -> Query {
    let mut query = Query::new(request.head.query());
    query.0.extend(Query::new(std::str::from_utf8(&request.body).unwrap_or_default()).0);
    query
}

/// A call that reads from the graph.
pub(super) struct Call<'a> {
    pub base: &'a str,
    pub version: u32,
    pub query: Query,
    pub token: String,
    pub now: Moment,
}

/// A part of a list, and the `paging` that belongs to it.
pub(super) struct Cut {
    pub range: Range<usize>,
    pub paging: Option<String>,
}

/// What turning the pages of a list is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turns {
    Plain,
    /// An empty page that has a next comes behind the first one.
    Paused,
    /// The last page has a next, which is empty.
    Once,
}

/// What the address of another page keeps of the call.
const KEPT: [&str; 3] = ["fields", "since", "until"];

/// What begins a cursor, and one to an empty page.
const CURSOR: &str = "cursor";
const PAUSE: &str = "pause";

impl<'a> Call<'a> {
    pub(super) fn new(base: &'a str, version: u32, request: &Request, now: Moment) -> Result<Call<'a>, Refused> {
        let query = Query::new(request.head.query());
        let header = request.head.header("authorization").and_then(|value| std::str::from_utf8(value).ok());
        let bearer = header.and_then(|value| value.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let token = bearer.or_else(|| query.get("access_token")).filter(|token| !token.is_empty());
        let token = token.ok_or_else(Refused::no_token)?.to_owned();
        Ok(Call { base, version, query, token, now })
    }

    /// How many are wanted.
    pub(super) fn limit(&self) -> Result<usize, Refused> {
        let Some(text) = self.query.get("limit") else { return Ok(GRAPH_LIST_DEFAULT) };
        let limit = text.parse::<usize>().map_err(|_| Refused::parameter("Param limit must be an integer"))?;
        match limit {
            1..=GRAPH_LIST_MAX => Ok(limit),
            0 => Err(Refused::parameter("Param limit must be greater than zero")),
            _ => Err(Refused::parameter("Param limit must not exceed 100")),
        }
    }

    /// Seconds since the Unix epoch, or a date; one without a zone is taken for UTC (Meta's own zone is unconfirmed).
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Refused> {
        let Some(text) = self.query.get(name) else { return Ok(None) };
        let date = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
        let timestamp = || text.parse::<Timestamp>().ok().or_else(date).map(Timestamp::as_second);
        let seconds = text.parse::<i64>().ok().or_else(timestamp).filter(|seconds| *seconds >= 0);
        let wrong = || Refused::parameter(&format!("Param {name} must be a unix timestamp or a date"));
        seconds.map(Some).ok_or_else(wrong)
    }

    /// The asked part of a list, by cursors: each item has its key. `path` is where the list lies.
    pub(super) fn cut(&self, keys: &[u64], path: &str, turns: Turns) -> Result<Cut, Refused> {
        let limit = self.limit()?;
        let wrong = |name| Refused::parameter(&format!("Param {name} is not a valid cursor"));
        let place = |name, word| {
            let key = key(self.query.get(name)?, word)?;
            keys.iter().position(|known| *known == key)
        };
        let at = |place: usize, word| keys.get(place).map(|key| coded(word, *key));
        if let Some(place) = place("after", PAUSE) {
            return Ok(Cut {
                range: 0..0,
                paging: self.links(path, limit, [at(place, PAUSE), at(place, CURSOR)], None, true),
            });
        }
        let range = match (self.query.get("after"), self.query.get("before")) {
            (None, None) => 0..keys.len().min(limit),
            (Some(_), _) => {
                let from = place("after", CURSOR).ok_or_else(|| wrong("after"))? + 1;
                from..keys.len().min(from + limit)
            }
            (None, Some(_)) => {
                let to = place("before", CURSOR).ok_or_else(|| wrong("before"))?;
                to.saturating_sub(limit)..to
            }
        };
        let is_first = self.query.get("after").is_none() && self.query.get("before").is_none();
        let goes_on = range.end < keys.len() || turns == Turns::Once && !range.is_empty();
        let word = if turns == Turns::Paused && is_first && goes_on { PAUSE } else { CURSOR };
        let ends = if range.is_empty() { [None, None] } else { [at(range.start, CURSOR), at(range.end - 1, word)] };
        // Behind the end nothing has a key; the way back begins at the last that has one.
        let newer = range.start.checked_sub(1).and_then(|last| at(range.start, CURSOR).or_else(|| at(last, CURSOR)));
        Ok(Cut { paging: self.links(path, limit, ends, newer, goes_on), range })
    }

    /// `paging`, when there is anything to say in it.
    fn links(
        &self,
        path: &str,
        limit: usize,
        ends: [Option<String>; 2],
        newer: Option<String>,
        goes_on: bool,
    ) -> Option<String> {
        let mut paging = Object::new();
        if let [Some(before), Some(after)] = &ends {
            paging = paging.raw("cursors", Object::new().text("before", before).text("after", after).end());
        }
        if let Some(newer) = &newer {
            paging = paging.text("previous", &self.link(path, &KEPT, limit, &format!("&before={newer}")));
        }
        let [_, after] = ends;
        let says = newer.is_some() || after.is_some();
        if let Some(after) = after.filter(|_| goes_on) {
            paging = paging.text("next", &self.link(path, &KEPT, limit, &format!("&after={after}")));
        }
        says.then(|| paging.end())
    }

    /// The address of another page of a list. The token is inside; a proof is not, so that a caller who needs one adds it.
    pub(super) fn link(&self, path: &str, kept: &[&str], limit: usize, more: &str) -> String {
        let mut link = format!("{}/v{}.0/{path}?access_token={}", self.base, self.version, percent(&self.token));
        for name in kept {
            if let Some(value) = self.query.get(name) {
                let _ = write!(link, "&{name}={}", percent(value));
            }
        }
        let _ = write!(link, "&limit={limit}{more}");
        link
    }
}

/// A place in a list, as others see it.
pub(super) fn cursor(key: u64) -> String {
    coded(CURSOR, key)
}

fn coded(word: &str, key: u64) -> String {
    crate::notation::base64(format!("{word}{key}").as_bytes())
}

/// The place, if it is a cursor of this kind.
fn key(cursor: &str, word: &str) -> Option<u64> {
    let plain = String::from_utf8(from_base64(cursor)?).ok()?;
    plain.strip_prefix(word)?.parse().ok()
}

/// A list as Graph answers with it.
pub(super) fn list(items: &[String], paging: Option<String>) -> String {
    let list = Object::new().raw("data", array(items));
    paging.into_iter().fold(list, |list, paging| list.raw("paging", paging)).end()
}

/// A JSON list of what is JSON already.
pub(super) fn array(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

/// A JSON object in the making; its members stay in their order.
pub(super) struct Object(String);

impl Object {
    pub(super) fn new() -> Object {
        Object("{".to_owned())
    }

    /// A member whose value is JSON already.
    pub(super) fn raw(mut self, name: &str, json: impl Display) -> Object {
        let comma = if self.0.len() > 1 { "," } else { "" };
        let _ = write!(self.0, "{comma}\"{name}\":{json}");
        self
    }

    /// A member that is text.
    pub(super) fn text(self, name: &str, text: &str) -> Object {
        self.raw(name, serde_json::Value::from(text))
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
