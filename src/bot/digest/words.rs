//! What somebody wants, out of what they wrote. Pure.

use super::week::Which;
use crate::limits::COMMAND_CHARS_MAX;

/// What a text asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Summary(Which),
    TopCommented(Which),
    TopShared(Which),
    /// A group, or groups.
    Groups,
    Help,
    Unclear,
}

impl Wish {
    /// The week that it is about, if it is about one.
    pub(super) fn which(self) -> Option<Which> {
        match self {
            Wish::Summary(which) | Wish::TopCommented(which) | Wish::TopShared(which) => Some(which),
            Wish::Groups | Wish::Help | Wish::Unclear => None,
        }
    }
}

/// What can be tapped below an answer.
pub(super) const CHOICES: [&str; 5] = ["Last week", "This week", "Top commented", "Top shared", "Subscribe"];

const HELPS: &[&str] = &["help", "hi", "hello", "hey", "start", "started", "get_started", "menu", "commands"];
const THIS: &[&str] = &["this", "current", "now", "today"];
const COMMENTED: &[&str] = &["commented", "comments", "comment", "discussed", "discussion"];
const SHARED: &[&str] = &["shared", "shares", "share"];
const SUMMARY: &[&str] = &["summary", "digest", "week", "weekly", "last", "top", "posts", "report", "news", "happened"];

/// The wish in a text.
pub(super) fn wish(text: &str) -> Wish {
    if text.chars().nth(COMMAND_CHARS_MAX).is_some() {
        return Wish::Unclear;
    }
    let text = text.to_lowercase();
    let words: Vec<_> = text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let which = if has(THIS) { Which::This } else { Which::Last };
    match () {
        () if has(&["group", "groups"]) => Wish::Groups,
        () if has(COMMENTED) => Wish::TopCommented(which),
        () if has(SHARED) => Wish::TopShared(which),
        () if has(SUMMARY) || which == Which::This => Wish::Summary(which),
        () if has(HELPS) || text.trim().is_empty() || text.trim() == "?" => Wish::Help,
        () => Wish::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_understood_in_the_words_of_people() {
        for (text, expected) in [
            ("summary", Wish::Summary(Which::Last)),
            ("Last week", Wish::Summary(Which::Last)),
            ("What happened this week?", Wish::Summary(Which::This)),
            ("now", Wish::Summary(Which::This)),
            ("top commented", Wish::TopCommented(Which::Last)),
            ("most discussed this week", Wish::TopCommented(Which::This)),
            ("TOP SHARED!", Wish::TopShared(Which::Last)),
            ("groups", Wish::Groups),
            ("summary of the group Neighbours", Wish::Groups),
            ("help", Wish::Help),
            ("", Wish::Help),
            ("?", Wish::Help),
            ("GET_STARTED", Wish::Help),
            ("whatever", Wish::Unclear),
            ("grouping", Wish::Unclear),
        ] {
            assert_eq!(wish(text), expected, "{text}");
        }
        assert_eq!(wish(&"summary ".repeat(COMMAND_CHARS_MAX)), Wish::Unclear);
    }

    #[test]
    fn what_can_be_tapped_is_understood() {
        for choice in CHOICES.iter().filter(|choice| **choice != "Subscribe") {
            assert!(!matches!(wish(choice), Wish::Unclear | Wish::Help), "{choice}");
        }
    }
}
