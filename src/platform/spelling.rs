//! How bytes, ids and somebody else's words are spelled: what all platforms do alike.

use super::cut::truncate;
use crate::limits::{ID_BYTES_MAX, WORDS_BYTES_MAX};
use crate::model::Secret;
use ring::digest;
use std::fmt::Write;

/// Hex digits, in either case: platforms write lower case, and a value has only one meaning. `None` when there are
/// not exactly two for each byte.
pub(super) fn from_hex<const BYTES: usize>(digits: &[u8]) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    if digits.len() != BYTES * 2 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// What one hex digit stands for.
pub(super) fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        b'A'..=b'F' => Some(letter - b'A' + 10),
        _ => None,
    }
}

/// 16 hex digits that tell two texts apart, and from which neither can be found.
pub(super) fn hash(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(8).fold(String::with_capacity(16), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether an id is longer than any that a platform makes.
pub(super) fn too_long(id: &str) -> bool {
    id.len() > ID_BYTES_MAX
}

/// `id`, or what stands for it when it is too long.
pub(super) fn bounded(id: String) -> String {
    if too_long(&id) { format!("long:{}", hash(&id)) } else { id }
}

/// Percent signs for all but the unreserved characters of RFC 3986 §2.3.
pub(crate) fn percent(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(encode).collect()
}

/// `text` on one line, within bounds, and without any secret of ours.
pub(super) fn plain_words(text: &str, hidden: &[Secret]) -> String {
    let mut words = text.to_owned();
    for secret in hidden.iter().map(Secret::expose).filter(|secret| !secret.is_empty()) {
        words = words.replace(secret, "***");
        // A token may come back cut short; its beginning gives away enough.
        if let Some((beginning, _)) = secret.split_at_checked(12).filter(|(_, rest)| !rest.is_empty()) {
            let shown = |word: &str| if word.contains(beginning) { "***".to_owned() } else { word.to_owned() };
            words = words.split(' ').map(shown).collect::<Vec<_>>().join(" ");
        }
    }
    let mut words: String = words.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    truncate(&mut words, WORDS_BYTES_MAX);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_letter_gets_a_percent_sign() {
        assert_eq!(percent("EAAG-._~|+/=ü"), "EAAG-._~%7C%2B%2F%3D%C3%BC");
    }

    #[test]
    fn two_hex_digits_are_a_byte_and_nothing_else_is() {
        assert_eq!(from_hex(b"0aFf"), Some([0x0a, 0xff]));
        for wrong in [&b"0aF"[..], b"0aFff", b"0aFg", b"0a F", b""] {
            assert_eq!(from_hex::<2>(wrong), None, "{wrong:?}");
        }
    }
}
