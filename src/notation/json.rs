//! JSON text, walked once from front to back, without building anything: where each value begins and ends, and whether the
//! text is JSON at all (RFC 8259). What others send is read so, since most of it is nobody's business here.
//!
//! It reads leniently. Meta's samples print ids and times as numbers and as strings, new kinds of events come without
//! warning (messenger.md §3), and Webex leaves members out (webex.md §5): a value of an unexpected type is absent; it never
//! fails what is around it. Of a key that comes twice the last value counts, as in every browser; to some readers null is
//! none.
//!
//!     Walk     a place in a text: steps into objects and lists, or over them
//!     Value    one value's own text, for who wants to look closer
//!
//! What a string says is left to serde_json, and so are trees and types of one's own.

use serde::de::{Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// How deep lists and objects may stand in each other in a value that is passed over; as in serde_json for a whole text.
const DEPTH_MAX: u32 = u128::BITS;

/// The text is not JSON, or its lists and objects stand deeper in each other than anybody writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// A place in a text. All before it is JSON as far as it goes.
pub struct Walk<'a> {
    text: &'a str,
    at: usize,
}

/// What to do with a member or an item: look at it from where the walk stands, or leave it to be passed over.
type Take<'t, 'a> = &'t mut dyn FnMut(&mut Walk<'a>, &str) -> Result<(), Damaged>;

impl<'a> Walk<'a> {
    /// From the front of `text` to its end, over the one value that `over` walks over.
    pub fn through(text: &'a str, over: &mut dyn FnMut(&mut Walk<'a>) -> Result<(), Damaged>) -> Result<(), Damaged> {
        let mut walk = Walk { text, at: 0 };
        walk.space();
        over(&mut walk)?;
        walk.space();
        if walk.at == text.len() { Ok(()) } else { Err(Damaged) }
    }

    /// Over one value, into its members if it is an object: `take` gets each key, with the walk before its value.
    /// Says what kind of value it was.
    pub fn members(&mut self, take: Take<'_, 'a>) -> Result<Value<'a>, Damaged> {
        self.inside(b'{', take)
    }

    /// Over one value, into its items if it is a list.
    pub fn items(&mut self, take: &mut dyn FnMut(&mut Walk<'a>) -> Result<(), Damaged>) -> Result<Value<'a>, Damaged> {
        self.inside(b'[', &mut |walk, _| take(walk))
    }

    /// Over one value, whatever it is.
    pub fn value(&mut self) -> Result<Value<'a>, Damaged> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => drop(self.string()?),
            Some(b'{' | b'[') => self.pass()?,
            _ => self.plain()?,
        }
        Ok(self.since(start))
    }

    fn inside(&mut self, bracket: u8, take: Take<'_, 'a>) -> Result<Value<'a>, Damaged> {
        let start = self.at;
        if self.peek() != Some(bracket) {
            return self.value();
        }
        let mut more = self.opens(bracket);
        while more {
            let key = if bracket == b'{' { self.key()? } else { Cow::Borrowed("") };
            let before = self.at;
            take(self, &key)?;
            if self.at == before {
                self.pass()?;
            }
            more = self.goes_on(bracket)?;
        }
        Ok(self.since(start))
    }

    /// Over a value without looking into it. The brackets that are open are bits, so nothing grows.
    fn pass(&mut self) -> Result<(), Damaged> {
        let (mut objects, mut depth) = (0_u128, 0);
        loop {
            let bracket = self.peek().ok_or(Damaged)?;
            match bracket {
                b'{' | b'[' if self.opens(bracket) => {
                    if depth == DEPTH_MAX {
                        return Err(Damaged);
                    }
                    depth += 1;
                    objects = objects << 1 | u128::from(bracket == b'{');
                    self.member(objects)?;
                    continue;
                }
                b'{' | b'[' => {}
                b'"' => drop(self.string()?),
                _ => self.plain()?,
            }
            // A value has ended, and maybe what is around it.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                if self.goes_on(if objects & 1 == 1 { b'{' } else { b'[' })? {
                    self.member(objects)?;
                    break;
                }
                objects >>= 1;
                depth -= 1;
            }
        }
    }

    /// Over the key of the next member, if it is an object that is open.
    fn member(&mut self, objects: u128) -> Result<(), Damaged> {
        if objects & 1 == 1 {
            self.string()?;
            self.colon()?;
        }
        Ok(())
    }

    /// Steps over an opening bracket; whether anything stands behind it.
    fn opens(&mut self, bracket: u8) -> bool {
        self.at += 1;
        self.space();
        let is_empty = self.peek() == Some(closing(bracket));
        self.at += usize::from(is_empty);
        !is_empty
    }

    /// Behind a member or item: steps over the comma, or over the bracket that ends it all.
    fn goes_on(&mut self, bracket: u8) -> Result<bool, Damaged> {
        self.space();
        let sign = self.peek().ok_or(Damaged)?;
        if sign != b',' && sign != closing(bracket) {
            return Err(Damaged);
        }
        self.at += 1;
        if sign == b',' {
            self.space();
        }
        Ok(sign == b',')
    }

    /// Over a key and its colon.
    fn key(&mut self) -> Result<Cow<'a, str>, Damaged> {
        let start = self.at;
        let key = if self.string()? {
            Cow::Borrowed(self.text.get(start + 1..self.at - 1).unwrap_or_default())
        } else {
            self.since(start).text().unwrap_or_default()
        };
        self.colon()?;
        Ok(key)
    }

    fn colon(&mut self) -> Result<(), Damaged> {
        self.space();
        if self.peek() != Some(b':') {
            return Err(Damaged);
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Over a string; whether it says what stands between its quotes, without any escape.
    fn string(&mut self) -> Result<bool, Damaged> {
        if self.peek() != Some(b'"') {
            return Err(Damaged);
        }
        self.at += 1;
        let mut as_it_stands = true;
        loop {
            self.at += plain_bytes(self.rest());
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                // A control character, or the end.
                _ => return Err(Damaged),
            }
            as_it_stands = false;
        }
        self.at += 1;
        Ok(as_it_stands)
    }

    fn escape(&mut self) -> Result<(), Damaged> {
        let (digits, rest) = match self.rest() {
            [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => (&[][..], 2),
            [_, b'u', digits @ ..] => (digits.get(..4).ok_or(Damaged)?, 6),
            _ => return Err(Damaged),
        };
        self.at += rest;
        if digits.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(Damaged) }
    }

    /// Over a number, or one of the three words.
    fn plain(&mut self) -> Result<(), Damaged> {
        let rest = self.rest();
        let word: &[u8] = match rest.first() {
            Some(b't') => b"true",
            Some(b'f') => b"false",
            Some(b'n') => b"null",
            _ => rest.get(..number_bytes(rest).ok_or(Damaged)?).unwrap_or_default(),
        };
        self.at += word.len();
        if rest.starts_with(word) { Ok(()) } else { Err(Damaged) }
    }

    #[inline(always)]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn since(&self, start: usize) -> Value<'a> {
        Value(self.text.get(start..self.at).unwrap_or_default())
    }
}

fn closing(bracket: u8) -> u8 {
    // As ASCII has it: [ \ ] and { | }.
    bracket + 2
}

/// How many bytes at the front mean nothing in a string but themselves.
fn plain_bytes(text: &[u8]) -> usize {
    let (eights, rest) = text.as_chunks();
    let mut plain = 0;
    // Eight at a time, since ids and texts are most of what is walked over.
    for eight in eights {
        let marks = marks(u64::from_le_bytes(*eight));
        if marks != 0 {
            return plain + marks.trailing_zeros() as usize / 8;
        }
        plain += 8;
    }
    plain + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// The top bit of each of eight bytes that is a quote, a backslash or below a space. Bytes behind the first such one may
/// have it, too, since what is subtracted from it borrows from them.
fn marks(eight: u64) -> u64 {
    const EACH: u64 = u64::MAX / 0xff;
    let below = |bytes: u64, bound: u8| bytes.wrapping_sub(EACH * u64::from(bound)) & !bytes;
    let equal = |sign: u8| below(eight ^ (EACH * u64::from(sign)), 1);
    (below(eight, 0x20) | equal(b'"') | equal(b'\\')) & EACH << 7
}

/// How long the number at the front is: a minus, digits without a zero before them, a fraction, an exponent.
fn number_bytes(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let count = text.get(from..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let start = usize::from(text.first() == Some(&b'-'));
    let mut end = if text.get(start) == Some(&b'0') { start + 1 } else { digits(start)? };
    if text.get(end) == Some(&b'.') {
        end = digits(end + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(end) {
        end = digits(end + 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-'))))?;
    }
    Some(end)
}

/// One value's own text, known to be JSON; the default is one that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// The one value in these bytes, or `None` when they are not JSON.
    pub fn read(bytes: &'a [u8]) -> Option<Value<'a>> {
        let mut value = Value::default();
        Walk::through(std::str::from_utf8(bytes).ok()?, &mut |walk| {
            value = walk.value()?;
            Ok(())
        })
        .ok()?;
        Some(value)
    }

    /// The value as it was written.
    pub fn raw(self) -> &'a str {
        self.0
    }

    /// Whether there is anything but null.
    pub fn is_there(self) -> bool {
        !matches!(self.begin(), None | Some(b'n'))
    }

    pub fn is_object(self) -> bool {
        self.begin() == Some(b'{')
    }

    pub fn is_string(self) -> bool {
        self.begin() == Some(b'"')
    }

    pub fn is_list(self) -> bool {
        self.begin() == Some(b'[')
    }

    /// Each member of an object, in order; none of anything else.
    pub fn members(self, take: &mut dyn FnMut(&str, Value<'a>)) {
        let mut member = |walk: &mut Walk<'a>, key: &str| {
            take(key, walk.value()?);
            Ok(())
        };
        // It was walked over before, so it is JSON.
        let _ = Walk { text: self.0, at: 0 }.members(&mut member);
    }

    /// The member of this name. Each call walks over the object again; on a hot way use [`Walk::members`].
    pub fn get(self, name: &str) -> Value<'a> {
        let mut found = Value::default();
        self.members(&mut |key, value| {
            if key == name {
                found = value;
            }
        });
        found
    }

    /// The items of a list, the first ones up to `most`; none of anything else.
    pub fn items(self, most: usize) -> Vec<Value<'a>> {
        let mut items = Vec::new();
        let mut item = |walk: &mut Walk<'a>| {
            if items.len() < most {
                items.push(walk.value()?);
            }
            Ok(())
        };
        let _ = Walk { text: self.0, at: 0 }.items(&mut item);
        items
    }

    /// A string that names something, or a number in its place; empty text counts as absent. One that holds half a
    /// surrogate pair stays as it is written, so that two names are never taken for one.
    pub fn word(self) -> Option<Cow<'a, str>> {
        let as_written = |_: &str| self.inner().to_owned();
        self.decoded(as_written).filter(|text| !text.is_empty())
    }

    /// A string that people wrote, or a number in its place. An emoji cut in half by somebody else's program becomes a
    /// replacement character, not a lost message.
    pub fn text(self) -> Option<Cow<'a, str>> {
        self.decoded(mended)
    }

    /// The same, where empty text counts as absent.
    pub fn words(self) -> Option<Cow<'a, str>> {
        self.text().filter(|text| !text.is_empty())
    }

    /// What a string says, or a number; `half` is asked about one that serde_json cannot write as text.
    fn decoded(self, half: impl FnOnce(&str) -> String) -> Option<Cow<'a, str>> {
        match self.begin()? {
            b'"' if plain_bytes(self.inner().as_bytes()) == self.inner().len() => Some(Cow::Borrowed(self.inner())),
            b'"' => Some(Cow::Owned(serde_json::from_str(self.0).unwrap_or_else(|_| half(self.0)))),
            b'-' | b'0'..=b'9' => Some(Cow::Borrowed(self.0)),
            _ => None,
        }
    }

    /// A whole number, written as one.
    pub fn integer(self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// `true`, or anything else.
    pub fn flag(self) -> bool {
        matches!(self.0, "true" | "\"true\"")
    }

    /// What stands between the quotes of a string.
    fn inner(self) -> &'a str {
        self.0.get(1..self.0.len().saturating_sub(1)).unwrap_or_default()
    }

    fn begin(self) -> Option<u8> {
        self.0.as_bytes().first().copied()
    }
}

/// What a string says that holds half a surrogate pair.
fn mended(string: &str) -> String {
    struct Halves;
    impl Visitor<'_> for Halves {
        type Value = Vec<u8>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a string")
        }
        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
    let bytes = serde_json::Deserializer::from_str(string).deserialize_bytes(Halves).unwrap_or_default();
    // serde_json writes half a pair as three bytes that are not UTF-8, the first of them always this one.
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().starts_with(&[0xED]).then_some('\u{FFFD}'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IgnoredAny;

    /// Texts that show each corner of the grammar.
    const TEXTS: [&str; 12] = [
        r#" { "a" : [ 1 , -0.5e+3 , 0 , 1E9 , 10.25e-7 , true , false , null , "" ] , "b":{}, "c":[] ,"d":{"e":[{"f":[[]]}]}} "#,
        r#"{"a\"\\\/\b\f\n\r\tA\ud83d\udc4d":"\u00e9\ud83d","é":"日本 👍"}"#,
        "[[[[[[]]]],{\"a\":{\"b\":{}}},{}]]\n\r\t ",
        "\"text\"",
        "-0",
        "12e5",
        "null",
        "[\"a\u{7f}\",\"\u{1f}\"]",
        "[01,.5,5.,1e,1e+,--1,+1,-]",
        "[nul,truee,nan,Infinity]",
        r#"["\x","\u12","\u12g4","\"#,
        "{\"a\":1,}[,]{a:1}{1:2}{\"a\" 1}[1 2]",
    ];

    fn is_json(text: &str) -> bool {
        Value::read(text.as_bytes()).is_some()
    }

    fn known_to_be_json(text: &str) -> bool {
        serde_json::from_str::<IgnoredAny>(text).is_ok()
    }

    #[test]
    fn a_text_is_json_when_serde_json_says_so_whole_cut_off_or_with_any_sign_changed() {
        let mut good = 0;
        for text in TEXTS {
            let ends = (0..=text.len()).filter(|end| text.is_char_boundary(*end));
            for end in ends {
                for part in [&text[..end], &text[end..]] {
                    assert_eq!(is_json(part), known_to_be_json(part), "{part}");
                    good += usize::from(is_json(part));
                }
                for sign in ["\"", "\\", "{", "}", "[", "]", ",", ":", " ", "0", "1", "-", ".", "e", "u", "\u{0}", "é"]
                {
                    let rest = text[end..].chars().next().map_or(0, char::len_utf8);
                    for changed in [
                        format!("{}{sign}{}", &text[..end], &text[end..]),
                        format!("{}{sign}{}", &text[..end], &text[end + rest..]),
                    ] {
                        assert_eq!(is_json(&changed), known_to_be_json(&changed), "{changed}");
                        good += usize::from(is_json(&changed));
                    }
                }
            }
        }
        assert!(good > 500, "{good}");
    }

    #[test]
    fn what_is_not_utf_8_is_no_json() {
        assert_eq!(Value::read(b"\"\xff\""), None);
    }

    #[test]
    fn lists_stand_in_each_other_as_deep_as_the_bound_and_a_million_brackets_cost_nothing() {
        let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_json(&deep(128)) && !is_json(&deep(129)));
        assert!(is_json(&format!("{}1{}", "{\"a\":[".repeat(64), "]}".repeat(64))));
        assert!(!is_json(&"[".repeat(1_000_000)));
    }

    #[test]
    fn members_are_found_by_name_and_the_last_one_counts() {
        let value = Value::read(br#" {"a":1,"b":{"a":[2,"x"]},"\u0061":"3","":4} "#).unwrap();
        assert_eq!(value.get("a").raw(), "\"3\"");
        assert_eq!(value.get("").raw(), "4");
        assert_eq!(value.get("b").raw(), r#"{"a":[2,"x"]}"#);
        let items = |most| value.get("b").get("a").items(most).into_iter().map(Value::raw).collect::<Vec<_>>();
        assert_eq!((items(9), items(1)), (vec!["2", "\"x\""], vec!["2"]));
        assert_eq!((value.get("c"), value.get("b").get("b").get("c")), (Value::default(), Value::default()));
    }

    #[test]
    fn a_walk_looks_into_what_it_is_told_to_and_passes_over_the_rest() {
        let mut seen = Vec::new();
        let walked = Walk::through(r#"{"a":{"b":[1,{"c":2},[3]]},"d":{"b":5},"a":[6]}"#, &mut |walk| {
            walk.members(&mut |walk, key| {
                if key != "a" {
                    return Ok(());
                }
                let whole = walk.members(&mut |walk, _| {
                    walk.items(&mut |walk| {
                        seen.push(walk.value()?.raw().to_owned());
                        Ok(())
                    })
                    .map(drop)
                })?;
                seen.push(whole.raw().to_owned());
                Ok(())
            })
            .map(drop)
        });
        assert_eq!(walked, Ok(()));
        assert_eq!(seen, ["1", r#"{"c":2}"#, "[3]", r#"{"b":[1,{"c":2},[3]]}"#, "[6]"]);
    }

    #[test]
    fn a_value_of_an_unexpected_type_is_absent() {
        let values: Vec<_> = ["\"a\"", "\"\"", "12", "-1.50", "true", "\"true\"", "null", "{}", "[\"a\"]"]
            .map(|text| {
                let value = Value::read(text.as_bytes()).unwrap();
                (value.text().map(Cow::into_owned), value.word().is_some(), value.flag(), value.is_there())
            })
            .into();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            values,
            [
                (text("a"), true, false, true),
                (text(""), false, false, true),
                (text("12"), true, false, true),
                (text("-1.50"), true, false, true),
                (None, false, true, true),
                (text("true"), true, true, true),
                (None, false, false, false),
                (None, false, false, true),
                (None, false, false, true),
            ]
        );
        assert_eq!((Value::default().text(), Value::default().is_there()), (None, false));
    }

    #[test]
    fn half_an_emoji_is_a_replacement_character() {
        for (text, expected) in [
            (r#""ok \ud83d\n\ud83d\udc4d \udc4d!""#, "ok \u{FFFD}\n👍 \u{FFFD}!"),
            (r#""\ud83d""#, "\u{FFFD}"),
            (r#""\ud83d\u0041""#, "\u{FFFD}A"),
            (r#""\ufffd\ufffd\ufffd\ud83d""#, "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
        ] {
            assert_eq!(Value::read(text.as_bytes()).unwrap().text().as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn two_names_with_different_halves_of_an_emoji_are_two() {
        let word = |text: &'static str| Value::read(text.as_bytes()).unwrap().word().unwrap();
        assert_ne!(word(r#""m_\ud83d""#), word(r#""m_\udc4d""#));
        assert_eq!(word(r#""m_\u0041""#), "m_A");
    }
}
