//! The bots that a configuration names.

use super::findings::{Findings, Place, quoted};
use super::name;
use super::nearest::nearest;
use super::table::{Entry, Key, Table};
use crate::bot::Bot;
use crate::bot::echo::{self, Echo};
use std::collections::BTreeMap;
use std::sync::Arc;

const KINDS: [&str; 1] = ["echo"];

/// Keys of a table whose kind is not known: whatever any kind may hold.
const ECHO: &[Key] =
    &[Key { name: "kind", example: "\"echo\"" }, Key { name: "otherwise", example: "\"I can't echo this\"" }];

/// All bots by name, each with its place.
#[derive(Default)]
pub(super) struct Bots {
    by_name: BTreeMap<String, Made>,
}

struct Made {
    place: Place,
    /// `None` when it has a fault: it is still known by name, so that its channels are not blamed.
    bot: Option<Arc<dyn Bot>>,
    used: bool,
}

impl Bots {
    /// Reads `[bot.NAME]` tables.
    pub(super) fn read(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Bots {
        let mut bots = Bots::default();
        for (name, entry) in entry.tables(findings) {
            if let Some(what) = name::flaw(name) {
                findings.fault(&entry.place, what);
            }
            let bot = entry.table(ECHO, findings).and_then(|table| bot(&table, findings));
            bots.by_name.insert(name.to_owned(), Made { place: entry.place, bot, used: false });
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

    /// Warns of bots that nobody asked for.
    pub(super) fn warn_of_unused(&self, findings: &mut Findings<'_>) {
        for made in self.by_name.values().filter(|made| !made.used) {
            findings.warn(&made.place, "no channel uses this bot");
        }
    }
}

fn bot(table: &Table<'_>, findings: &mut Findings<'_>) -> Option<Arc<dyn Bot>> {
    let otherwise = match table.get("otherwise", findings) {
        Some(entry) => entry.text(findings),
        None => Some(echo::OTHERWISE),
    };
    let kind = table.need("kind", findings)?;
    let word = kind.text(findings)?;
    if !KINDS.contains(&word) {
        let hint = nearest(word, KINDS).map_or_else(String::new, |near| format!("did you mean {near:?}? "));
        let what = format!("there is no kind of bot {}; {hint}kinds: {}", quoted(word), KINDS.join(", "));
        findings.fault(&kind.place, what);
        return None;
    }
    Some(Arc::new(Echo::new(otherwise?)))
}
