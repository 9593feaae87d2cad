//! What somebody wants, out of what they wrote. Pure.

use super::week::Which;
use crate::limits::COMMAND_CHARS_MAX;
use crate::notation::nearest::slips;

/// What a text asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Summary(Which),
    TopCommented(Which),
    TopShared(Which),
    /// A group, or groups.
    Groups,
    /// Another time than the two weeks.
    Elsewhen,
    Help,
    Unclear,
}

impl Wish {
    /// The week that it is about, if it is about one.
    pub(super) fn which(self) -> Option<Which> {
        match self {
            Wish::Summary(which) | Wish::TopCommented(which) | Wish::TopShared(which) => Some(which),
            Wish::Groups | Wish::Elsewhen | Wish::Help | Wish::Unclear => None,
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

/// What names another time.
const ELSEWHEN: &[&str] = &["next", "ago", "before", "yesterday", "tomorrow", "month", "months", "year", "years"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The wish in a text.
pub(super) fn wish(text: &str) -> Wish {
    if text.chars().nth(COMMAND_CHARS_MAX).is_some() {
        return Wish::Unclear;
    }
    let text = text.to_lowercase();
    let words: Vec<_> = text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').collect();
    let is_one = |word: &str, known: &[&str]| known.contains(&word) || is_near(word, known);
    let has = |known: &[&str]| words.iter().any(|word| is_one(word, known));
    let which = if has(THIS) { Which::This } else { Which::Last };
    match () {
        () if has(&["group", "groups"]) => Wish::Groups,
        () if has(ELSEWHEN) || is_dated(&words) => Wish::Elsewhen,
        () if has(COMMENTED) => Wish::TopCommented(which),
        () if has(SHARED) => Wish::TopShared(which),
        () if has(SUMMARY) || which == Which::This => Wish::Summary(which),
        () if has(HELPS) || text.trim().is_empty() || text.trim() == "?" => Wish::Help,
        () => Wish::Unclear,
    }
}

/// Whether a word is one of these but for a slip. Short words are too near to others.
fn is_near(word: &str, known: &[&str]) -> bool {
    let is_meant = |meant: &&str| {
        let letters = meant.len();
        word.len().abs_diff(letters) * 6 <= letters && slips(word, meant) * 6 <= letters
    };
    known.iter().any(is_meant)
}

/// Whether there is a day of a month, or a week by its number: `2 nov`, `week 45`.
fn is_dated(words: &[&str]) -> bool {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_month = |word: &&str| word.len() >= 3 && MONTHS.iter().any(|month| month.starts_with(word));
    let is_numbered = |pair: &[&str]| matches!(pair, ["week", number] if is_number(number));
    // "2nd" is a number, too.
    let is_day = |word: &&str| is_number(word.trim_end_matches(|sign| "stndrh".contains(sign)));
    words.iter().any(is_month) && words.iter().any(is_day) || words.windows(2).any(is_numbered)
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
            ("sumary", Wish::Summary(Which::Last)),
            ("last weak", Wish::Summary(Which::Last)),
            ("top comented", Wish::TopCommented(Which::Last)),
            ("what hapened this weak", Wish::Summary(Which::This)),
            ("next week", Wish::Elsewhen),
            ("week of 2 nov", Wish::Elsewhen),
            ("the week before last", Wish::Elsewhen),
            ("November 2nd", Wish::Elsewhen),
            ("week 45", Wish::Elsewhen),
            ("top 5 of this week", Wish::Summary(Which::This)),
            ("may I see the summary", Wish::Summary(Which::Last)),
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
