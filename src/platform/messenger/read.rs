//! A delivery's body → arrivals: every entry, and of each entry every item of `messaging`, `standby` and `changes`
//! (messenger.md §3). Most are ignored, but all are kept and shown, each with its reason.
//!
//! The body is walked over once, and of each item is noted what routes it. Its text is decoded by `recall`.

use super::USER_REF;
use crate::limits::EVENTS_MAX;
use crate::model::{Arrival, Fate, Refusal};
use crate::notation::json::{Damaged, Value, Walk};
use crate::platform::spelling::{bounded, hash, too_long};
use std::borrow::Cow;

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

/// A whole delivery.
#[derive(Default)]
struct Sheet<'a> {
    object: Value<'a>,
    entries: Vec<Entry<'a>>,
}

/// An entry of a delivery: what happened on one page.
#[derive(Default)]
struct Entry<'a> {
    id: Value<'a>,
    messaging: Vec<Item<'a>>,
    standby: Vec<Item<'a>>,
    changes: Vec<Change<'a>>,
    /// Whether it is an object at all.
    is_entry: bool,
}

/// One item of `messaging` or `standby`: what routes it.
#[derive(Default)]
pub(super) struct Item<'a> {
    whole: Value<'a>,
    sender: Party<'a>,
    recipient: Party<'a>,
    pub(super) timestamp: Value<'a>,
    /// The kind, and its content; `None` when no key is a kind's name.
    pub(super) content: Option<(&'static Kind, Core<'a>)>,
}

/// A person or a page.
#[derive(Default)]
struct Party<'a> {
    id: Value<'a>,
    user_ref: Value<'a>,
}

/// What routing needs of an event's content, whatever its kind.
#[derive(Default)]
pub(super) struct Core<'a> {
    pub(super) whole: Value<'a>,
    mid: Value<'a>,
    is_echo: Value<'a>,
    metadata: Value<'a>,
    num_edit: Value<'a>,
    user_ref: Value<'a>,
}

/// One item of `changes`.
#[derive(Default)]
struct Change<'a> {
    whole: Value<'a>,
    field: Value<'a>,
}

/// Reads a delivery whose signature is known to be good; `ours` is the only page to hear, if one is named. Also returns
/// what the operator may want to know.
pub(super) fn arrivals(body: &[u8], ours: Option<&str>) -> Result<(Vec<Arrival>, Vec<Cow<'static, str>>), Refusal> {
    let unreadable = |_| Refusal::new(400, "signed, but not JSON");
    let text = std::str::from_utf8(body).map_err(|_| Refusal::new(400, "signed, but not UTF-8"))?;
    let sheet = Sheet::read(text).map_err(unreadable)?;
    if sheet.object.word().as_deref() != Some("page") {
        // Meta's sample says 404; but a refusal counts towards losing the subscription (messenger.md §3, §5).
        return Ok((Vec::new(), vec!["a delivery whose object is not \"page\": nothing in it is for us".into()]));
    }
    let count = |entry: &Entry<'_>| entry.messaging.len() + entry.standby.len() + entry.changes.len();
    let count: usize = sheet.entries.iter().map(count).sum();
    if count.max(sheet.entries.len()) > EVENTS_MAX {
        return Err(Refusal::new(413, "more events in one delivery than ackd takes"));
    }
    let mut arrivals = Vec::with_capacity(count);
    let mut notes = Vec::new();
    for entry in sheet.entries {
        if !entry.is_entry {
            notes.push("an entry that is not an object was left out".into());
            continue;
        }
        let page = entry.id.word();
        let page = page.as_deref().unwrap_or("-");
        let before = arrivals.len();
        arrivals.extend(entry.messaging.iter().map(|item| messaging(item, page, None)));
        arrivals.extend(entry.standby.iter().map(|item| messaging(item, page, Some(STANDBY))));
        arrivals.extend(entry.changes.iter().map(|item| change(item, page)));
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
fn messaging(item: &Item<'_>, page: &str, standby: Option<&'static str>) -> Arrival {
    let raw = item.whole.raw();
    if !item.whole.is_object() {
        return unreadable(raw, page);
    }
    let nothing = (&UNKNOWN_KIND, Core::default());
    let (kind, core) = item.content.as_ref().unwrap_or(&nothing);
    let odd = kind.ignored.is_none() && !core.whole.is_object();
    let echo = kind.word == "message" && core.is_echo.flag();
    let kind = if echo { &ECHO_KIND } else { kind };
    let by_page = item.sender.id.word().as_deref() == Some(page);
    let person = person(if echo || by_page { &item.recipient } else { &item.sender }, core);
    let reason = standby
        .or(kind.ignored)
        .or(odd.then_some(UNREADABLE))
        .or(by_page.then_some(ECHO)) // an answer to ourselves would be answered again
        .or_else(|| person.as_deref().is_none_or(too_long).then_some(NOBODY));
    let conversation = bounded(person.unwrap_or_else(|| page.to_owned()));
    let proves = core.metadata.word().filter(|metadata| echo && metadata.starts_with("ackd:") && !too_long(metadata));
    let timestamp = item.timestamp.word().unwrap_or_default();
    let id = match (kind.word, core.mid.word()) {
        // A mid of their own; others (a reaction, a feedback) name the mid of the message that they are about.
        ("message" | "postback", Some(mid)) => mid.into_owned(),
        ("echo", Some(mid)) => format!("echo:{mid}"),
        ("message_edit", Some(mid)) => format!("edit:{mid}:{}", core.num_edit.word().unwrap_or(timestamp)),
        _ => format!("{}:{conversation}:{timestamp}:{}", kind.word, hash(raw)),
    };
    let id = bounded(if standby.is_some() { format!("standby:{id}") } else { id });
    let proves = proves.map(Cow::into_owned);
    Arrival { id, conversation, kind: kind.word, fate: fate(reason), raw: bytes(raw), proves }
}

/// One item of `changes`: what happened on the page, or the Test button of the App Dashboard, whose ids are fakes.
fn change(item: &Change<'_>, page: &str) -> Arrival {
    let raw = item.whole.raw();
    if !item.whole.is_object() {
        return unreadable(raw, page);
    }
    let field = item.field.word();
    let field = field.as_deref().unwrap_or("-");
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
fn person(party: &Party<'_>, core: &Core<'_>) -> Option<String> {
    let user_ref = || party.user_ref.word().or(core.user_ref.word());
    let id = party.id.word().map(Cow::into_owned);
    id.or_else(|| user_ref().map(|user_ref| format!("{USER_REF}{user_ref}")))
}

fn bytes(raw: &str) -> Box<[u8]> {
    raw.as_bytes().into()
}

/// Over a list, of which one item at a time is filled in as long as there is room for it; anything else is an empty list.
/// There is room for one more than `EVENTS_MAX` in all, to tell too many from enough.
fn list<'a, T: Default>(
    walk: &mut Walk<'a>,
    list: &mut Vec<T>,
    room: &mut usize,
    mut fill: impl FnMut(&mut T, &mut Walk<'a>) -> Result<(), Damaged>,
) -> Result<(), Damaged> {
    *room += list.len();
    list.clear();
    let mut item = |walk: &mut Walk<'a>| {
        if *room == 0 {
            return Ok(());
        }
        *room -= 1;
        list.push(T::default());
        list.last_mut().map_or(Ok(()), |item| fill(item, walk))
    };
    walk.items(&mut item).map(drop)
}

impl<'a> Sheet<'a> {
    fn read(text: &'a str) -> Result<Sheet<'a>, Damaged> {
        let mut sheet = Sheet::default();
        let mut member = |walk: &mut Walk<'a>, key: &str| match key {
            "object" => walk.value().map(|object| sheet.object = object),
            "entry" => {
                let (mut entries, mut items) = (EVENTS_MAX + 1, EVENTS_MAX + 1);
                list(walk, &mut sheet.entries, &mut entries, |entry: &mut Entry<'a>, walk| entry.fill(walk, &mut items))
            }
            _ => Ok(()),
        };
        Walk::through(text, &mut |walk| walk.members(&mut member).map(drop))?;
        Ok(sheet)
    }
}

impl<'a> Entry<'a> {
    /// `room` is for the items of all entries together: many short ones would take a hundred times their length.
    fn fill(&mut self, walk: &mut Walk<'a>, room: &mut usize) -> Result<(), Damaged> {
        let whole = walk.members(&mut |walk, key| match key {
            "id" => walk.value().map(|id| self.id = id),
            "messaging" => list(walk, &mut self.messaging, room, Item::fill),
            "standby" => list(walk, &mut self.standby, room, Item::fill),
            "changes" => list(walk, &mut self.changes, room, Change::fill),
            _ => Ok(()),
        })?;
        self.is_entry = whole.is_object();
        Ok(())
    }
}

impl<'a> Change<'a> {
    fn fill(&mut self, walk: &mut Walk<'a>) -> Result<(), Damaged> {
        self.whole = walk.value()?;
        self.field = self.whole.get("field");
        Ok(())
    }
}

impl<'a> Item<'a> {
    /// The item that was kept as `raw`, or `None` when it is no object.
    pub(super) fn recall(raw: &'a str) -> Option<Item<'a>> {
        let mut item = Item::default();
        Walk::through(raw, &mut |walk| item.fill(walk)).ok()?;
        item.whole.is_object().then_some(item)
    }

    fn fill(&mut self, walk: &mut Walk<'a>) -> Result<(), Damaged> {
        self.whole = walk.members(&mut |walk, key| match key {
            "sender" => self.sender.fill(walk),
            "recipient" => self.recipient.fill(walk),
            "timestamp" => walk.value().map(|timestamp| self.timestamp = timestamp),
            _ => match KINDS.iter().find(|kind| kind.word == key) {
                Some(kind) => Core::read(walk).map(|content| self.take(kind, content)),
                None => Ok(()),
            },
        })?;
        Ok(())
    }

    /// Takes the first kind that is there, in the words that came last; but a message comes before all others.
    fn take(&mut self, kind: &'static Kind, content: Core<'a>) {
        let is_next = self.content.as_ref().is_none_or(|(known, _)| known.word == kind.word);
        if content.whole.is_there() && (is_next || kind.word == "message") {
            self.content = Some((kind, content));
        }
    }
}

impl<'a> Party<'a> {
    fn fill(&mut self, walk: &mut Walk<'a>) -> Result<(), Damaged> {
        *self = Party::default();
        let whole = walk.members(&mut |walk, key| match key {
            "id" => walk.value().map(|id| self.id = id),
            "user_ref" => walk.value().map(|user_ref| self.user_ref = user_ref),
            _ => Ok(()),
        });
        whole.map(drop)
    }
}

impl<'a> Core<'a> {
    fn read(walk: &mut Walk<'a>) -> Result<Core<'a>, Damaged> {
        let mut core = Core::default();
        let whole = walk.members(&mut |walk, key| {
            let member = match key {
                "mid" => &mut core.mid,
                "is_echo" => &mut core.is_echo,
                "metadata" => &mut core.metadata,
                "num_edit" => &mut core.num_edit,
                "user_ref" => &mut core.user_ref,
                _ => return Ok(()),
            };
            *member = walk.value()?;
            Ok(())
        })?;
        Ok(Core { whole, ..core })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is held of a delivery whose entries have these members.
    fn held(entries: &[String]) -> (usize, usize) {
        let text = format!("{{\"entry\":[{}]}}", entries.join(","));
        let sheet = Sheet::read(&text).unwrap();
        let items = |entry: &Entry<'_>| entry.messaging.len() + entry.standby.len() + entry.changes.len();
        (sheet.entries.len(), sheet.entries.iter().map(items).sum())
    }

    #[test]
    fn no_more_is_held_of_a_delivery_than_one_event_too_many_however_it_is_divided() {
        let most = EVENTS_MAX + 1;
        let items = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        let lists = format!("{{\"messaging\":{0},\"standby\":{0},\"changes\":{0}}}", items(100));
        assert_eq!(held(&vec![lists; 100]), (100, most));
        assert_eq!(held(&[format!("{{\"messaging\":{}}}", items(2 * most))]), (1, most));
        assert_eq!(held(&vec!["{}".to_owned(); 2 * most]), (most, 0));
        let again = format!("{{\"messaging\":{},\"messaging\":{}}}", items(most), items(7));
        assert_eq!(held(&[again, format!("{{\"standby\":{}}}", items(9))]), (2, 16), "the last list of a name counts");
    }
}
