//! A delivery's body → arrivals: every entry, and of each entry every item of `messaging`, `standby` and `changes`
//! (messenger.md §3). Most are ignored, but all are kept and shown, each with its reason.
//!
//! An item is looked at twice: once to find its end, once for what routes it. Its text is decoded by `recall`.

use super::USER_REF;
use crate::limits::EVENTS_MAX;
use crate::model::{Arrival, Fate, Refusal};
use crate::platform::lenient::{Flag, List, Perhaps, Word, object};
use crate::platform::spelling::{bounded, hash, too_long};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Why an event is not for the bot, where the kind alone does not say it.
const ECHO: &str = "an echo of a message of the page";
const STANDBY: &str = "standby: another app holds the conversation";
const CHANGE: &str = "a page change, not a message";
const DASHBOARD_TEST: &str = "the dashboard's test event";
const UNREADABLE: &str = "an item that could not be read";
const NOBODY: &str = "it names no person to answer";
const OTHER_PAGE: &str = "of another page than this channel's page_id";

/// A kind of event by the key that Meta gives it (messenger.md §3), and why it is ignored if it is.
pub(super) struct Kind {
    pub(super) word: &'static str,
    ignored: Option<&'static str>,
}

const fn heard(word: &'static str) -> Kind {
    Kind { word, ignored: None }
}

const fn ignored(word: &'static str, why: &'static str) -> Kind {
    Kind { word, ignored: Some(why) }
}

/// All kinds that have a name; the most frequent first.
static KINDS: [Kind; 22] = [
    heard("message"),
    ignored("delivery", "a receipt: our message was delivered"),
    ignored("read", "a receipt: our message was read"),
    heard("postback"),
    ignored("reaction", "a reaction to a message"),
    ignored("message_edit", "an edit of a message that was already handled"),
    heard("referral"),
    heard("optin"),
    heard("account_linking"),
    heard("order"),
    ignored("pass_thread_control", "a handover: the conversation passed to another app"),
    ignored("take_thread_control", "a handover: another app took the conversation"),
    ignored("request_thread_control", "a handover: another app asks for the conversation"),
    ignored("app_roles", "a handover: the roles of the page's apps changed"),
    ignored("policy_enforcement", "a warning, block or unblock of the page by Meta, for the operator"),
    ignored("response_feedback", "feedback on an answer, not a message"),
    ignored("messaging_feedback", "a filled-in feedback form, not a message"),
    ignored("messaging_seen", "a receipt: our message was seen"),
    ignored("lead", "a filled-in lead form, not a message"),
    ignored("hop_context", "a note on how the conversation came between apps"),
    ignored("game_play", "a game was played"),
    ignored("messenger_template_status_update", "a message template's approval changed"),
];

/// The kind of an echo; not in the table, since no key is named so: it is a `message` that says so itself.
static ECHO_KIND: Kind = ignored("echo", ECHO);
static UNKNOWN_KIND: Kind = ignored("unknown", "a kind of event that ackd does not know");

object! {
    struct Sheet<'de> {
        "object" object: Word<'de>,
        "entry" entry: List<Perhaps<Entry<'de>>>,
    }
}

object! {
    struct Entry<'de> {
        "id" id: Word<'de>,
        "messaging" messaging: List<&'de RawValue>,
        "standby" standby: List<&'de RawValue>,
        "changes" changes: List<&'de RawValue>,
    }
}

object! {
    /// A person or a page.
    struct Party<'de> {
        "id" id: Word<'de>,
        "user_ref" user_ref: Word<'de>,
    }
}

object! {
    /// An item of `changes`.
    struct Change<'de> {
        "field" field: Word<'de>,
    }
}

object! {
    /// What routing needs of an event's content, whatever its kind.
    pub(super) struct Core<'de> {
        "mid" mid: Word<'de>,
        "is_echo" is_echo: Flag,
        "metadata" metadata: Word<'de>,
        "num_edit" num_edit: Word<'de>,
        "user_ref" user_ref: Word<'de>,
    }
}

/// One item of `messaging` or `standby`, with as much of its content as `C` holds.
pub(super) struct Item<'a, C> {
    sender: Option<Party<'a>>,
    recipient: Option<Party<'a>>,
    pub(super) timestamp: Word<'a>,
    /// The kind, and its content; `None` when no key is a kind's name.
    pub(super) content: Option<(&'static Kind, Perhaps<C>)>,
}

/// Reads a delivery whose signature is known to be good; `ours` is the only page to hear, if one is named. Also returns
/// what the operator may want to know.
pub(super) fn arrivals(body: &[u8], ours: Option<&str>) -> Result<(Vec<Arrival>, Vec<Cow<'static, str>>), Refusal> {
    let unreadable = |_| Refusal::new(400, "signed, but not JSON");
    let text = std::str::from_utf8(body).map_err(|_| Refusal::new(400, "signed, but not UTF-8"))?;
    let sheet: Perhaps<Sheet<'_>> = serde_json::from_str(text).map_err(unreadable)?;
    let Some(sheet) = sheet.object().filter(|sheet| sheet.object.as_str() == Some("page")) else {
        // Meta's sample says 404; but a refusal counts towards losing the subscription (messenger.md §3, §5).
        return Ok((Vec::new(), vec!["a delivery whose object is not \"page\": nothing in it is for us".into()]));
    };
    let entries = sheet.entry.0;
    let count = |entry: &Perhaps<Entry<'_>>| match entry {
        Perhaps::Object(entry) => entry.messaging.0.len() + entry.standby.0.len() + entry.changes.0.len(),
        _ => 0,
    };
    let count: usize = entries.iter().map(count).sum();
    if count.max(entries.len()) > EVENTS_MAX {
        return Err(Refusal::new(413, "more events in one delivery than ackd takes"));
    }
    let mut arrivals = Vec::with_capacity(count);
    let mut notes = Vec::new();
    for entry in entries {
        let Some(entry) = entry.object() else {
            notes.push("an entry that is not an object was left out".into());
            continue;
        };
        let page = entry.id.as_str().unwrap_or("-");
        let before = arrivals.len();
        arrivals.extend(entry.messaging.0.into_iter().map(|raw| messaging(raw.get(), page, None)));
        arrivals.extend(entry.standby.0.into_iter().map(|raw| messaging(raw.get(), page, Some(STANDBY))));
        arrivals.extend(entry.changes.0.into_iter().map(|raw| change(raw.get(), page)));
        if ours.is_some_and(|ours| ours != page) {
            // What nobody would hear anyway keeps its own reason: a receipt is a receipt on every page.
            let to_hear = |arrival: &&mut Arrival| arrival.fate == Fate::Hear;
            arrivals
                .iter_mut()
                .skip(before)
                .filter(to_hear)
                .for_each(|arrival| arrival.fate = Fate::Ignore(OTHER_PAGE));
        }
    }
    Ok((arrivals, notes))
}

/// One item of `messaging`; or of `standby`, whose reason comes before all others.
fn messaging(raw: &str, page: &str, standby: Option<&'static str>) -> Arrival {
    let Some(item) = Item::<Core<'_>>::parse(raw) else { return unreadable(raw, page) };
    let (kind, content) = item.content.unwrap_or((&UNKNOWN_KIND, Perhaps::Absent));
    let odd = kind.ignored.is_none() && matches!(content, Perhaps::Other);
    let core = content.object().unwrap_or_default();
    let echo = kind.word == "message" && core.is_echo.0;
    let kind = if echo { &ECHO_KIND } else { kind };
    let by_page = item.sender.as_ref().and_then(|sender| sender.id.as_str()) == Some(page);
    let person = person(if echo || by_page { &item.recipient } else { &item.sender }, &core);
    let reason = standby
        .or(kind.ignored)
        .or(odd.then_some(UNREADABLE))
        .or(by_page.then_some(ECHO)) // an answer to ourselves would be answered again
        .or_else(|| person.as_deref().is_none_or(too_long).then_some(NOBODY));
    let conversation = bounded(person.unwrap_or_else(|| page.to_owned()));
    let proves = core.metadata.as_str().filter(|metadata| echo && metadata.starts_with("ackd:") && !too_long(metadata));
    let proves = proves.map(str::to_owned);
    let timestamp = item.timestamp.as_str().unwrap_or_default();
    let id = match (kind.word, core.mid.0) {
        // A mid of their own; others (a reaction, a feedback) name the mid of the message that they are about.
        ("message" | "postback", Some(mid)) => mid.into_owned(),
        ("echo", Some(mid)) => format!("echo:{mid}"),
        ("message_edit", Some(mid)) => format!("edit:{mid}:{}", core.num_edit.as_str().unwrap_or(timestamp)),
        _ => format!("{}:{conversation}:{timestamp}:{}", kind.word, hash(raw)),
    };
    let id = bounded(if standby.is_some() { format!("standby:{id}") } else { id });
    Arrival { id, conversation, kind: kind.word, fate: fate(reason), raw: bytes(raw), proves }
}

/// One item of `changes`: what happened on the page, or the Test button of the App Dashboard, whose ids are fakes.
fn change(raw: &str, page: &str) -> Arrival {
    let Ok(Perhaps::Object(change)) = serde_json::from_str::<Perhaps<Change<'_>>>(raw) else {
        return unreadable(raw, page);
    };
    let field = change.field.as_str().unwrap_or("-");
    let test = page == "0" || field == "messages" || field.starts_with("messaging_");
    let fate = Fate::Ignore(if test { DASHBOARD_TEST } else { CHANGE });
    let id = bounded(format!("change:{field}:{}", hash(raw)));
    Arrival { id, conversation: bounded(page.to_owned()), kind: "change", fate, raw: bytes(raw), proves: None }
}

fn unreadable(raw: &str, page: &str) -> Arrival {
    let fate = Fate::Ignore(UNREADABLE);
    let id = format!("unreadable:{}", hash(raw));
    Arrival { id, conversation: bounded(page.to_owned()), kind: "unknown", fate, raw: bytes(raw), proves: None }
}

fn fate(reason: Option<&'static str>) -> Fate {
    reason.map_or(Fate::Hear, Fate::Ignore)
}

/// The person whom `party` names, or the reference that a plug-in made up for one (messenger.md §3).
fn person(party: &Option<Party<'_>>, core: &Core<'_>) -> Option<String> {
    let id = party.as_ref().and_then(|party| party.id.as_str());
    let user_ref = || party.as_ref().and_then(|party| party.user_ref.as_str()).or(core.user_ref.as_str());
    id.map(str::to_owned).or_else(|| user_ref().map(|user_ref| format!("{USER_REF}{user_ref}")))
}

fn bytes(raw: &str) -> Box<[u8]> {
    raw.as_bytes().into()
}

impl<'a, C: Deserialize<'a>> Item<'a, C> {
    /// The item in `raw`, or `None` when it is no object or damaged inside.
    pub(super) fn parse(raw: &'a str) -> Option<Self> {
        serde_json::from_str::<Perhaps<Self>>(raw).ok()?.object()
    }
}

impl<'de: 'a, 'a, C: Deserialize<'de>> Deserialize<'de> for Item<'a, C> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Reader<C>(PhantomData<C>);
        impl<'de, C: Deserialize<'de>> Visitor<'de> for Reader<C> {
            type Value = Item<'de, C>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an event")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Item<'de, C>, A::Error> {
                let mut item = Item { sender: None, recipient: None, timestamp: Word(None), content: None };
                while let Some(key) = object.next_key()? {
                    match key {
                        Key::Sender => item.sender = object.next_value::<Perhaps<_>>()?.object(),
                        Key::Recipient => item.recipient = object.next_value::<Perhaps<_>>()?.object(),
                        Key::Timestamp => item.timestamp = object.next_value()?,
                        Key::Kind(kind) => item.take(kind, object.next_value()?),
                        Key::Other => drop(object.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(item)
            }
        }
        source.deserialize_map(Reader(PhantomData))
    }
}

impl<C> Item<'_, C> {
    /// Takes the first kind that is there; but a message comes before all others.
    fn take(&mut self, kind: &'static Kind, content: Perhaps<C>) {
        let there = !matches!(content, Perhaps::Absent);
        if there && (self.content.is_none() || kind.word == "message") {
            self.content = Some((kind, content));
        }
    }
}

/// A key of an item.
enum Key {
    Sender,
    Recipient,
    Timestamp,
    Kind(&'static Kind),
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Key;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a key")
            }
            fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "sender" => Key::Sender,
                    "recipient" => Key::Recipient,
                    "timestamp" => Key::Timestamp,
                    _ => KINDS.iter().find(|kind| kind.word == key).map_or(Key::Other, Key::Kind),
                })
            }
        }
        source.deserialize_identifier(Reader)
    }
}
