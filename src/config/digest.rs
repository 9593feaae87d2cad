//! The keys of a digest bot: whose week it tells, how weeks are counted, and who may see its pages.

use super::bot::{PAGE, PATH, UPSTREAM};
use super::findings::{Findings, Risk, quoted};
use super::name::path_flaw;
use super::plan;
use super::secret::{self, Fit};
use super::surroundings::Around;
use super::table::{Entry, Key, Table};
use crate::bot::Bot;
use crate::bot::digest::{Digest, Door, Settings, Shape, is_id};
use crate::model::Weekday;
use crate::queue::schedule;
use std::sync::Arc;

pub(super) const KEYS: &[Key] = &[
    Key { name: "kind", example: "\"digest\"" },
    Key { name: UPSTREAM, example: "\"facebook\"" },
    Key { name: PAGE, example: "\"104455667788990\"" },
    Key { name: PATH, example: "\"/weekly\"" },
    Key { name: "secret", example: "{ env = \"WEEKLY_SECRET\" }" },
    plan::ZONE,
    Key { name: "week_starts", example: "\"mon\"" },
    Key { name: "shape", example: "\"page\"" },
    Key { name: "group", example: "\"1924443867832338\"" },
];

/// Why no group is told of (graph.md §1).
const CLOSED: &str = "Facebook closed its groups to programs on 22 April 2024; write page for a page of yours, or shape = \
                      \"recorded\" for data that was recorded earlier";

pub(super) fn digest(table: &Table<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Arc<dyn Bot>> {
    let upstream = table.need(UPSTREAM, findings).and_then(|entry| entry.text(findings));
    let whose = whose(table, findings);
    let door = door(table, around, findings);
    let zone = plan::zone_or_system(table, findings);
    let starts = match table.get("week_starts", findings) {
        Some(entry) => weekday(&entry, findings),
        None => Some(Weekday::Mon),
    };
    let zone = schedule::zone(&zone?).ok()?;
    let ((shape, id), door) = (whose?, door?);
    Some(Arc::new(Digest::new(Settings { upstream: upstream?.to_owned(), shape, id, door, zone, starts: starts? })))
}

/// The page or the group.
fn whose(table: &Table<'_>, findings: &mut Findings<'_>) -> Option<(Shape, Option<String>)> {
    let shape = match table.get("shape", findings) {
        Some(entry) => shape(&entry, findings),
        None => Some(Shape::Page),
    };
    let (page, group) = (table.get(PAGE, findings), table.get("group", findings));
    let shape = shape?;
    let (ours, other) = if shape == Shape::Page { (page, group) } else { (group, page) };
    match (shape, other) {
        (Shape::Page, Some(group)) => {
            findings.fault(&group.place, CLOSED);
            return None;
        }
        (Shape::Group, Some(page)) => {
            findings.warn(Risk::Odd, &page.place, "is of no use with shape = \"recorded\", which tells of a group");
        }
        _ => {}
    }
    let ours = match shape {
        Shape::Page => ours,
        Shape::Group => Some(table.need("group", findings)?),
    };
    match ours {
        Some(entry) => Some((shape, Some(id(&entry, findings)?))),
        None => Some((shape, None)),
    }
}

fn shape(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<Shape> {
    match entry.text(findings)? {
        "page" => Some(Shape::Page),
        "recorded" => Some(Shape::Group),
        word => {
            findings.fault(&entry.place, format!("{} is no shape; write \"page\" or \"recorded\"", quoted(word)));
            None
        }
    }
}

fn id(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let text = entry.text(findings)?;
    if !is_id(text) {
        let what = format!(
            "{} is no id, which is digits in quotes; write for example {}; a page's id stands in its About",
            quoted(text),
            entry.example
        );
        findings.fault(&entry.place, what);
        return None;
    }
    Some(text.to_owned())
}

/// Path and secret, which go together.
fn door(table: &Table<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Option<Door>> {
    let secret = table.get("secret", findings);
    let Some(path) = table.get(PATH, findings) else {
        if let Some(secret) = secret.filter(|_| table.lacks(PATH)) {
            findings.warn(Risk::Odd, &secret.place, "is of no use without path");
        }
        return Some(None);
    };
    let text = path.text(findings);
    if let Some(flaw) = text.and_then(|text| flaw(text, &path.example)) {
        findings.fault(&path.place, flaw);
        return None;
    }
    let entry = table.need("secret", findings)?;
    let secret = match secret::secret(&entry, Fit::Header, around, findings) {
        Some(secret) => secret,
        // Where secrets are not read nobody asks for pages; the bot is known all the same.
        None if !around.reads(&entry) => return text.map(|_| None),
        None => return None,
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !secret.expose().bytes().all(fits) {
        let what = "goes into a link, so it may hold letters, digits and -._~ only; `openssl rand -hex 16` makes one";
        findings.fault(&entry.place, what);
        return None;
    }
    Some(Some(Door { path: text?.to_owned(), secret }))
}

/// What is wrong with the place of pages: other paths hang on its end.
fn flaw(path: &str, example: &str) -> Option<String> {
    path_flaw(path, example).or_else(|| {
        path.ends_with('/').then(|| format!("{} must not end with a slash; write for example {example}", quoted(path)))
    })
}

fn weekday(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<Weekday> {
    match plan::day(entry.text(findings)?) {
        Ok(day) => Some(day),
        Err(what) => {
            findings.fault(&entry.place, what);
            None
        }
    }
}
