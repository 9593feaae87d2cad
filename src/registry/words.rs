//! Words from outside as they may stand in a line of ours: bounded, on one line, and without any secret of ours.

use crate::limits::{REGISTRY_CHARS_MAX, WORDS_BYTES_MAX};
use crate::model::Secret;
use crate::platform::cut::{shorten, truncate};
use crate::platform::mask::without_secrets;

/// What a platform says of its reasons.
pub(super) fn plain(text: &str, hidden: &[&Secret]) -> String {
    let words = without_secrets(text, hidden.iter().map(|secret| secret.expose()));
    let mut words: String = words.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    truncate(&mut words, WORDS_BYTES_MAX);
    words
}

/// A name or an address that somebody gave there.
pub(super) fn short(text: &str) -> String {
    shorten(text, REGISTRY_CHARS_MAX)
}

/// Whether two URLs name the same address: scheme and host are the same in any case, and a platform may give them back
/// otherwise than they were written.
pub(super) fn same_address(one: &str, other: &str) -> bool {
    origin(one) == origin(other) && path(one) == path(other)
}

/// Scheme, host and port of a URL.
pub(super) fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(format!("{scheme}://{authority}").to_ascii_lowercase())
}

/// What comes behind it.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?', '#']).and_then(|at| rest.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_whatever_the_case_of_its_host() {
        let here = "https://bots.example.org/Webex";
        assert!(same_address(here, "HTTPS://Bots.Example.ORG/Webex"));
        for other in
            ["https://bots.example.org/webex", "https://bots.example.org/Webex/", "http://bots.example.org/Webex", ""]
        {
            assert!(!same_address(here, other), "{other}");
        }
    }

    #[test]
    fn no_secret_comes_back_whole_or_cut_short() {
        let (token, word) = (Secret::new("NjVjOTQ0longToken"), Secret::new("demo"));
        let said = "token NjVjOTQ0longToken, cut NjVjOTQ0long..., and\ndemo";
        assert_eq!(plain(said, &[&token, &word]), "token ***, cut *** and ***");
        assert!(plain(&"ä".repeat(2000), &[]).len() <= WORDS_BYTES_MAX);
    }
}
