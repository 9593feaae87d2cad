//! Words that may repeat a secret of ours, made fit to be shown.
//!
//! A long secret is masked wherever it stands. A short one is found inside of words by chance, and a mask there would
//! both spoil the message and tell the secret; so it is masked where it stands alone. One that is shorter still protects
//! nothing, and stands alone by chance, too: it is left.

use crate::limits::{MASKED_BYTES_MIN, MASKED_WORD_BYTES_MIN};

const MASK: &str = "***";
/// How much of a secret gives it away, in bytes: it may come back cut short.
const BEGINNING: usize = 12;

/// `text` without any of `secrets`.
pub fn without_secrets<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut words = text.to_owned();
    for secret in secrets {
        if secret.len() >= MASKED_BYTES_MIN {
            words = words.replace(secret, MASK);
        } else if secret.len() >= MASKED_WORD_BYTES_MIN {
            words = without_word(&words, secret);
        }
        if let Some((beginning, _)) = secret.split_at_checked(BEGINNING).filter(|(_, rest)| !rest.is_empty()) {
            let shown = |word: &str| if word.contains(beginning) { MASK.to_owned() } else { word.to_owned() };
            words = words.split(' ').map(shown).collect::<Vec<_>>().join(" ");
        }
    }
    words
}

/// `text` with a mask where `word` is no part of a longer one.
fn without_word(text: &str, word: &str) -> String {
    let goes_on = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-');
    let mut left = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(word) {
        let end = at + word.len();
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(end..).and_then(|after| after.chars().next());
        if before.is_some_and(goes_on) || after.is_some_and(goes_on) {
            continue;
        }
        left.push_str(text.get(done..at).unwrap_or_default());
        left.push_str(MASK);
        done = end;
    }
    left.push_str(text.get(done..).unwrap_or_default());
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_secret_is_masked_wherever_it_stands_and_cut_short() {
        assert_eq!(without_secrets("xhunter2hunter2x", ["hunter2h"]), "x***unter2x");
        assert_eq!(without_secrets("cut NjVjOTQ0long... here", ["NjVjOTQ0longToken"]), "cut *** here");
    }

    #[test]
    fn a_short_secret_is_masked_where_it_stands_alone_and_spoils_no_other_word() {
        let said = "token demo, 'demo' or verify_token=demo&x";
        assert_eq!(without_secrets(said, ["demo"]), "token ***, '***' or verify_token=***&x");
        let said = "the demonstration of demo-page, mydemo and demo_2";
        assert_eq!(without_secrets(said, ["demo"]), said);
        assert_eq!(without_secrets("äsieben sieben7 sieben.", ["sieben"]), "äsieben sieben7 ***.");
        let said = "the service v25.0 does not take v, ab or abc";
        assert_eq!(without_secrets(said, ["v", "ab", "abc", ""]), said, "so short a one would be given away");
    }
}
