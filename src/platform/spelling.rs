//! How ids and somebody else's words are spelled: what all platforms do alike.

use super::cut::truncate;
use super::mask::without_secrets;
use crate::limits::{ID_BYTES_MAX, WORDS_BYTES_MAX};
use crate::model::Secret;
use crate::notation::hex;
use ring::digest;

/// 16 hex digits that tell two texts apart, and from which neither can be found.
pub(super) fn hash(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    hex(digest.as_ref().get(..8).unwrap_or_default())
}

/// Whether an id is longer than any that a platform makes.
pub(super) fn too_long(id: &str) -> bool {
    id.len() > ID_BYTES_MAX
}

/// `id`, or what stands for it when it is too long.
pub(super) fn bounded(id: String) -> String {
    if too_long(&id) { format!("long:{}", hash(&id)) } else { id }
}

/// `text` on one line, within bounds, and without any secret of ours.
pub(super) fn plain_words(text: &str, hidden: &[Secret]) -> String {
    let words = without_secrets(text, hidden.iter().map(Secret::expose));
    let mut words: String = words.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    truncate(&mut words, WORDS_BYTES_MAX);
    words
}
