//! Serde types that take what they know and read past everything else.
//!
//! Meta's samples print ids and times as numbers and as strings, new kinds of events come without warning
//! (messenger.md §3), and Webex leaves members out (webex.md §5). A value of an unexpected type is absent here; it
//! never fails what is around it.

use crate::limits::EVENTS_MAX;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// What a visitor does with values it has no use for: reads past them and yields `$absent`.
macro_rules! read_past {
    ($absent:expr => $($kind:ident)+) => { $( read_past!(@ $kind $absent); )+ };
    (@ null $absent:expr) => {
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> { Ok($absent) }
    };
    (@ bool $absent:expr) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> { Ok($absent) }
    };
    (@ number $absent:expr) => {
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> { Ok($absent) }
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> { Ok($absent) }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> { Ok($absent) }
    };
    (@ text $absent:expr) => {
        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> { Ok($absent) }
    };
    (@ list $absent:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok($absent)
        }
    };
    (@ object $absent:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($absent)
        }
    };
}

/// Declares an object by its keys: `object! { struct Person<'de> { "id" id: Word<'de>, } }`. Unlike a derived one it
/// takes a key that comes twice; the last value counts, as in every browser.
macro_rules! object {
    ($(#[$note:meta])* $view:vis struct $name:ident $(<$life:lifetime>)? { $($key:literal $field:ident: $kind:ty,)+ }) => {
        $(#[$note])*
        #[derive(Default)]
        $view struct $name $(<$life>)? { $($field: $kind,)+ }

        impl<'de> serde::Deserialize<'de> for $name $(<$life>)? {
            fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                struct Reader;
                impl<'de> serde::de::Visitor<'de> for Reader {
                    type Value = $name $(<$life>)?;

                    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        out.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut source: A) -> Result<Self::Value, A::Error> {
                        let mut object = Self::Value::default();
                        while let Some(key) = source.next_key::<Word<'de>>()? {
                            match key.as_str() {
                                $(Some($key) => object.$field = source.next_value()?,)+
                                _ => drop(source.next_value::<serde::de::IgnoredAny>()?),
                            }
                        }
                        Ok(object)
                    }
                }
                source.deserialize_map(Reader)
            }
        }
    };
}

pub(super) use object;

/// A string or a number, as text; empty text counts as absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Word<'a>(pub(super) Option<Cow<'a, str>>);

impl<'a> Word<'a> {
    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Word<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string or a number")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Word<'de>, E> {
                Ok(Word((!text.is_empty()).then_some(Cow::Borrowed(text))))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Word<'de>, E> {
                Ok(Word((!text.is_empty()).then(|| Cow::Owned(text.to_owned()))))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Word<'de>, E> {
                Ok(Word(Some(Cow::Owned(number.to_string()))))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Word<'de>, E> {
                Ok(Word(Some(Cow::Owned(number.to_string()))))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Word<'de>, E> {
                Ok(Word(Some(Cow::Owned(number.to_string()))))
            }
            read_past!(Word(None) => null bool list object);
        }
        source.deserialize_any(Reader)
    }
}

/// `true`, or anything else.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Flag;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("true or false")
            }
            fn visit_bool<E: Error>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(flag))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
                Ok(Flag(text == "true"))
            }
            read_past!(Flag(false) => null number list object);
        }
        source.deserialize_any(Reader)
    }
}

/// An object, or something in its place.
#[derive(Clone, Debug, Default)]
pub(super) enum Perhaps<T> {
    /// Not there, or null.
    #[default]
    Absent,
    Object(T),
    /// There, but no object.
    Other,
}

impl<T> Perhaps<T> {
    pub(super) fn object(self) -> Option<T> {
        match self {
            Perhaps::Object(object) => Some(object),
            Perhaps::Absent | Perhaps::Other => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Perhaps<T> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Perhaps<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Perhaps<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(object)).map(Perhaps::Object)
            }
            read_past!(Perhaps::Absent => null);
            read_past!(Perhaps::Other => bool number text list);
        }
        source.deserialize_any(Reader(PhantomData))
    }
}

/// A `T`, or the default when there is something in its place that cannot even be read past: a number out of range,
/// half an emoji. What is inside is walked twice, so this is for `recall`, not for the hot way.
#[derive(Default)]
pub(super) struct Contained<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Contained<T> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(source)?;
        Ok(Contained(serde_json::from_str(raw.get()).unwrap_or_default()))
    }
}

/// A list; anything else is an empty one. One more than `EVENTS_MAX` is kept, to tell too many from enough.
#[derive(Clone, Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = List<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<List<T>, A::Error> {
                let mut list = Vec::new();
                while list.len() <= EVENTS_MAX {
                    match source.next_element()? {
                        Some(item) => list.push(item),
                        None => return Ok(List(list)),
                    }
                }
                while source.next_element::<IgnoredAny>()?.is_some() {}
                Ok(List(list))
            }
            read_past!(List(Vec::new()) => null bool number text object);
        }
        source.deserialize_any(Reader(PhantomData))
    }
}

/// A string that people wrote (or a number in its place), decoded. An emoji cut in half by somebody else's program
/// becomes a replacement character, not a lost message.
#[derive(Default)]
pub(super) struct Text(pub(super) Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(source)?.get();
        Ok(Text(match raw.as_bytes().first() {
            Some(b'"') => decode(raw),
            Some(b'-' | b'0'..=b'9') => Some(raw.to_owned()),
            _ => None,
        }))
    }
}

impl Text {
    /// The text, if there is any.
    pub(super) fn word(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }
}

/// What a JSON string says.
pub(super) fn decode(raw: &str) -> Option<String> {
    serde_json::from_str(raw).ok().or_else(|| mend(raw))
}

/// Decodes a JSON string that holds half a surrogate pair.
fn mend(raw: &str) -> Option<String> {
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
    let bytes = serde_json::Deserializer::from_str(raw).deserialize_bytes(Halves).ok()?;
    // serde_json writes half a pair as three bytes that are not UTF-8; each of them would become a character.
    Some(String::from_utf8_lossy(&bytes).replace("\u{FFFD}\u{FFFD}\u{FFFD}", "\u{FFFD}"))
}
