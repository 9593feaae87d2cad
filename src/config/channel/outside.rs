//! `outside_window`: what becomes of a push that a platform does not take now.

use super::Others;
use crate::config::findings::{Findings, quoted};
use crate::config::table::{Entry, Key, Table};
use crate::notation::nearest::nearest;
use crate::platform::Outside;

const TEMPLATE: &[Key] = &[Key { name: "template", example: "\"daily\"" }, Key { name: "language", example: "\"en\"" }];
const ELSEWHERE: &[Key] =
    &[Key { name: "channel", example: "\"space\"" }, Key { name: "to", example: "\"me@example.org\"" }];

/// What to write, for whoever wrote something else.
const CHOICE: &str =
    "\"hold\", { template = \"daily\", language = \"en\" } or { channel = \"space\", to = \"me@example.org\" }";

/// The choice of a channel; without one, to hold.
pub(super) fn outside(
    channel: &str,
    table: &Table<'_>,
    others: &Others<'_>,
    findings: &mut Findings<'_>,
) -> Option<Outside> {
    let Some(entry) = table.get("outside_window", findings) else { return Some(Outside::Hold) };
    if entry.value.as_str() == Some("hold") {
        return Some(Outside::Hold);
    }
    if entry.value.as_table().is_none() {
        findings.fault(&entry.place, format!("must be {CHOICE}"));
        return None;
    }
    if entry.peek("template", "\"daily\"", findings).is_some() {
        template(&entry, findings)
    } else {
        elsewhere(channel, &entry, others, findings)
    }
}

fn template(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<Outside> {
    let table = entry.table(TEMPLATE, findings)?;
    let name = table.need("template", findings).and_then(|entry| words(&entry, findings));
    let language = table.need("language", findings).and_then(|entry| words(&entry, findings));
    Some(Outside::Template { name: name?, language: language? })
}

fn elsewhere(channel: &str, entry: &Entry<'_>, others: &Others<'_>, findings: &mut Findings<'_>) -> Option<Outside> {
    let table = entry.table(ELSEWHERE, findings)?;
    let there = table.need("channel", findings);
    let to = table.need("to", findings).and_then(|entry| words(&entry, findings));
    let there = there?;
    let name = there.text(findings)?;
    if name == channel {
        findings.fault(&there.place, "is this channel itself; name another one");
        return None;
    }
    if !others.names.contains(&name) {
        let near = nearest(name, others.names.iter().copied());
        let hint = near.map_or_else(String::new, |near| format!("; did you mean {}?", quoted(near)));
        findings.fault(&there.place, format!("there is no channel {}{hint}", quoted(name)));
        return None;
    }
    Some(Outside::Elsewhere { channel: name.to_owned(), to: to? })
}

/// A text that says something.
fn words(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let text = entry.text(findings)?;
    if text.trim().is_empty() {
        findings.fault(&entry.place, format!("is empty; write for example {}", entry.example));
        return None;
    }
    Some(text.to_owned())
}
