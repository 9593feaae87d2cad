//! What somebody looks for, and where it may stand: in the event's name, what its platform calls it, its conversation, kind
//! and reason, its bytes, and what is said in reply. Upper and lower case are the same for the letters of ASCII alone.

use crate::model::Reply;
use crate::store::sqlite::Seen;
use std::fmt::Write;

/// A text that is looked for, in each of its spellings: as it is, as JSON of ours has it, and as Meta writes it, with escapes
/// for all but ASCII and for slashes (messenger.md §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needle(Vec<Vec<u8>>);

impl Needle {
    /// This text, or nothing where it is none.
    pub(super) fn new(text: &str) -> Option<Needle> {
        let text = text.trim();
        let (mut ours, mut metas) = (String::new(), String::new());
        for sign in text.chars() {
            match sign {
                '"' | '\\' => {
                    ours.extend(['\\', sign]);
                    metas.extend(['\\', sign]);
                }
                '/' => {
                    ours.push('/');
                    metas.push_str("\\/");
                }
                _ if sign.is_ascii() => {
                    ours.push(sign);
                    metas.push(sign);
                }
                _ => {
                    ours.push(sign);
                    for unit in sign.encode_utf16(&mut [0; 2]) {
                        let _ = write!(metas, "\\u{unit:04x}");
                    }
                }
            }
        }
        let mut spellings = vec![text.as_bytes().to_vec()];
        for other in [ours.into_bytes(), metas.into_bytes()] {
            if !spellings.contains(&other) {
                spellings.push(other);
            }
        }
        (!text.is_empty()).then_some(Needle(spellings))
    }

    /// Whether it stands somewhere in this event, whose name is `name`.
    pub(super) fn is_in(&self, name: &str, seen: &Seen<'_>) -> bool {
        let texts = [name, seen.platform_id, seen.conversation, seen.kind, seen.why.unwrap_or_default()];
        texts.iter().any(|text| self.is_text_of(text.as_bytes()))
            || self.0.iter().any(|spelling| contains(seen.raw, spelling))
            || seen.said.lines().any(|said| self.is_said(said))
    }

    /// Whether it stands in a line that is what the platform calls a reply, or a reply as JSON.
    fn is_said(&self, line: &str) -> bool {
        if !self.0.iter().any(|spelling| contains(line.as_bytes(), spelling)) {
            return false;
        }
        // What JSON calls its members is nobody's word.
        match serde_json::from_str::<Reply>(line) {
            Ok(reply) => self.is_text_of(reply.content.in_words().as_bytes()),
            Err(_) => true,
        }
    }

    fn is_text_of(&self, text: &[u8]) -> bool {
        self.0.first().is_some_and(|spelling| contains(text, spelling))
    }
}

/// Whether these bytes stand in those; the letters of ASCII in either case.
fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else { return true };
    let (low, high) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == low || *byte == high) {
        if rest.get(at..at + wanted.len()).is_some_and(|part| part.eq_ignore_ascii_case(wanted)) {
            return true;
        }
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EventKey, Moment};
    use crate::store::State;

    fn found(text: &str, raw: &str, said: &str) -> bool {
        let seen = Seen {
            key: EventKey(1),
            received: Moment(0),
            state: State::Dead,
            kind: "postback",
            conversation: "1789",
            why: Some("the bot broke"),
            platform_id: "m_AbC",
            raw: raw.as_bytes(),
            said,
        };
        Needle::new(text).unwrap().is_in("page-17", &seen)
    }

    #[test]
    fn it_is_found_wherever_it_may_stand() {
        for text in ["page-17", "AGE-1", "m_abc", "789", "POSTBACK", "bot broke", "  broke "] {
            assert!(found(text, "", ""), "{text}");
        }
        for text in ["page-18", "nothing", "ü"] {
            assert!(!found(text, "{\"text\":\"hi\"}", ""), "{text}");
        }
        assert_eq!((Needle::new(" \t "), Needle::new("")), (None, None));
    }

    #[test]
    fn bytes_are_searched_as_people_read_them_and_as_platforms_write_them() {
        for (text, raw) in [
            ("Müller", r#"{"text":"Frau M\u00fcller"}"#),
            ("müller", r#"{"text":"Frau Müller"}"#),
            ("a/b", r#"{"url":"https:\/\/example.org\/a\/b"}"#),
            ("a/b", r#"{"url":"a/b"}"#),
            ("say \"hi\"", r#"{"text":"say \"hi\""}"#),
            ("😀", r#"{"text":"\ud83d\ude00"}"#),
        ] {
            assert!(found(text, raw, ""), "{text} in {raw}");
        }
    }

    #[test]
    fn of_replies_the_words_are_searched_and_not_their_json() {
        let reply = serde_json::to_string(&Reply::text("anna", "Say \"ja\"\nor ö")).unwrap();
        let said = format!("m_reply\n{reply}");
        for text in ["say \"JA\"", "or ö", "m_reply"] {
            assert!(found(text, "", &said), "{text}");
        }
        for text in ["content", "anna", "purpose"] {
            assert!(!found(text, "", &said), "{text}");
        }
    }
}
