//! Walking the TOML tree by hand, so that one mistake does not hide the next and each knows its line.
//!
//! A table is opened with the keys that it may hold; whatever else it holds is a fault at once. Then its values are
//! taken by type: a value of the wrong type is a fault and `None`, and the walk goes on.

use super::findings::{Findings, Place, quoted};
use crate::notation::nearest::nearest;
use crate::notation::order::in_order;
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key that a table may hold, and an example of its value as one would write it.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) example: &'static str,
}

/// A key with its value.
#[derive(Clone)]
pub(super) struct Entry<'t> {
    pub(super) place: Place,
    pub(super) value: &'t DeValue<'t>,
    /// What to write, as in `path = "/messenger"`.
    pub(super) example: String,
    /// The key's own name, without its tables.
    pub(super) name: &'t str,
}

/// A table whose unknown keys have already been reported.
pub(super) struct Table<'t> {
    pub(super) place: Place,
    entries: &'t DeTable<'t>,
    known: &'static [Key],
    /// Keys that an unknown one is probably meant to be: reporting them as missing too would be noise.
    meant: Vec<&'static str>,
}

impl<'t> Table<'t> {
    /// Opens a table and reports what does not belong there.
    pub(super) fn open(
        place: Place,
        entries: &'t DeTable<'t>,
        known: &'static [Key],
        findings: &mut Findings<'_>,
    ) -> Table<'t> {
        let mut table = Table { place, entries, known, meant: Vec::new() };
        for (key, _) in entries {
            let name: &str = key.get_ref();
            if known.iter().any(|known| known.name == name) {
                continue;
            }
            let place = table.place.inner(name, findings.line_of(key.span().start));
            let what = match nearest(name, known.iter().map(|known| known.name)) {
                Some(near) => {
                    table.meant.push(near);
                    format!("unknown key; did you mean {near}?")
                }
                None => format!("unknown key; what may stand here: {}", names(known)),
            };
            findings.fault(&place, what);
        }
        table
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, name: &'static str, findings: &Findings<'_>) -> Option<Entry<'t>> {
        let (key, value) = self.entries.iter().find(|(key, _)| key.get_ref() == name)?;
        let place = self.place.inner(name, findings.line_of(key.span().start));
        Some(Entry { place, value: value.get_ref(), example: self.example(name), name })
    }

    /// The value of a key that must be there.
    pub(super) fn need(&self, name: &'static str, findings: &mut Findings<'_>) -> Option<Entry<'t>> {
        let entry = self.get(name, findings);
        if self.lacks(name) {
            findings
                .fault(&self.place.inner(name, self.place.line), format!("is missing; write {}", self.example(name)));
        }
        entry
    }

    /// True when a key is neither there nor, mistyped, meant to be.
    pub(super) fn lacks(&self, name: &str) -> bool {
        !self.entries.keys().any(|key| key.get_ref() == name) && !self.meant.contains(&name)
    }

    /// True when an unknown key has been reported.
    pub(super) fn has_unknown(&self) -> bool {
        self.entries.iter().any(|(key, _)| !self.known.iter().any(|known| known.name == key.get_ref()))
    }

    fn example(&self, name: &str) -> String {
        let example = self.known.iter().find(|known| known.name == name).map_or("…", |known| known.example);
        if example.starts_with('[') { example.to_owned() } else { format!("{name} = {example}") }
    }
}

impl Place {
    /// The place of a key in the table that stands here.
    pub(super) fn inner(&self, name: &str, line: usize) -> Place {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let short = name.len() <= crate::limits::QUOTED_CHARS_MAX;
        let name = if !name.is_empty() && short && name.chars().all(bare) { name.to_owned() } else { quoted(name) };
        let key = if self.key.is_empty() { name } else { format!("{}.{name}", self.key) };
        Place { key, line }
    }
}

impl<'t> Entry<'t> {
    /// The text, or a fault.
    pub(super) fn text(&self, findings: &mut Findings<'_>) -> Option<&'t str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.wrong_type("a text in quotes", findings);
        }
        text
    }

    /// True or false, or a fault.
    pub(super) fn flag(&self, findings: &mut Findings<'_>) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.wrong_type("true or false", findings);
        }
        flag
    }

    /// A whole number within bounds, or a fault.
    pub(super) fn whole(&self, bounds: &RangeInclusive<usize>, findings: &mut Findings<'_>) -> Option<usize> {
        let Some(integer) = self.value.as_integer() else {
            self.wrong_type("a whole number", findings);
            return None;
        };
        let number = usize::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            findings.fault(&self.place, format!("must lie between {} and {}", bounds.start(), bounds.end()));
        }
        number
    }

    /// The entries of the table that this is, in the order of the file.
    pub(super) fn tables(&self, findings: &mut Findings<'_>) -> Vec<(&'t str, Entry<'t>)> {
        let DeValue::Table(entries) = self.value else {
            findings.fault(&self.place, format!("must be tables with names; write {}", self.example));
            return Vec::new();
        };
        let inner = in_order(entries.iter().collect(), |(one, _), (other, _)| one.span().start > other.span().start);
        let entry = |(key, value): (&'t Spanned<_>, &'t Spanned<DeValue<'t>>)| {
            let name: &'t std::borrow::Cow<'t, str> = key.get_ref();
            let place = self.place.inner(name, findings.line_of(key.span().start));
            let example = format!("[{}]", place.key);
            (name.as_ref(), Entry { place, value: value.get_ref(), example, name })
        };
        inner.into_iter().map(entry).collect()
    }

    /// This value as a table with these keys, or a fault.
    pub(super) fn table(&self, known: &'static [Key], findings: &mut Findings<'_>) -> Option<Table<'t>> {
        let DeValue::Table(entries) = self.value else {
            findings.fault(&self.place, format!("must be a table; write {}", self.example));
            return None;
        };
        Some(Table::open(self.place.clone(), entries, known, findings))
    }

    /// A key of this table before it is opened, since its other keys depend on this one.
    pub(super) fn peek(&self, name: &'static str, example: &str, findings: &Findings<'_>) -> Option<Entry<'t>> {
        let DeValue::Table(entries) = self.value else { return None };
        let (key, value) = entries.iter().find(|(key, _)| key.get_ref() == name)?;
        let place = self.place.inner(name, findings.line_of(key.span().start));
        Some(Entry { place, value: value.get_ref(), example: format!("{name} = {example}"), name })
    }

    /// The members of a list, or the one value that stands where a list may stand.
    pub(super) fn one_or_list(&self, findings: &Findings<'_>) -> Vec<Entry<'t>> {
        let DeValue::Array(members) = self.value else { return vec![self.clone()] };
        let member = |member: &'t Spanned<DeValue<'t>>| {
            let line = findings.line_of(member.span().start);
            let place = Place { key: self.place.key.clone(), line };
            Entry { place, value: member.get_ref(), example: self.example.clone(), name: self.name }
        };
        members.iter().map(member).collect()
    }

    /// Reports that something else is expected here. The value itself is not shown: it may be a misplaced secret.
    pub(super) fn wrong_type(&self, expected: &str, findings: &mut Findings<'_>) {
        let found = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "one with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        findings.fault(&self.place, format!("must be {expected}, not {found}; write for example {}", self.example));
    }
}

/// The names of keys, for a sentence.
pub(super) fn names(keys: &[Key]) -> String {
    keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")
}
