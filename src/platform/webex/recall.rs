//! A kept notification, and what was looked up for it → the event that a bot hears (webex.md §5, §7).
//!
//! The guard is asked again first: at arrival we may not have known who we are. It is asked once more of the message
//! itself, which says what an older form of notification leaves out.

use super::notice::{Notice, Speaker, Subject, mentioned};
use super::{Replies, Settings, card, judge, mention};
use crate::limits::{ANSWER_BYTES_MAX, EVENTS_MAX};
use crate::model::{Attachment, Delivery, Event, EventKind, Extent, Fate, Moment, Outcome, Secret};
use crate::notation::json::Value;
use crate::notation::percent;
use crate::notation::shelf::Shelf;
use crate::platform::{Account, Kept, Recalled};
use jiff::Timestamp;
use std::borrow::Cow;

/// The path of what must be asked before the event can be heard; none for one that says all by itself.
pub(super) fn question(
    kept: &Kept<'_>,
    me: Option<&Account>,
    bots_may_talk: bool,
) -> Result<Option<String>, Box<Recalled>> {
    let notice = notice(kept)?;
    let (subject, _) = guarded(&notice, me, bots_may_talk)?;
    let id = percent(notice.id().unwrap_or_default());
    Ok(match subject {
        Subject::Message => Some(format!("messages/{id}")),
        Subject::Choice => Some(format!("attachment/actions/{id}")),
        Subject::Membership => None,
    })
}

/// All that recalling needs besides the event.
pub(super) struct Recall<'a> {
    pub(super) settings: &'a Settings,
    pub(super) me: Option<&'a Account>,
    pub(super) hidden: &'a [Secret],
    pub(super) now: Moment,
}

impl Recall<'_> {
    /// The event, or what it turned out to be instead.
    pub(super) fn of(&self, kept: &Kept<'_>, found: Option<&Outcome>) -> Recalled {
        self.read(kept, found).unwrap_or_else(|recalled| *recalled)
    }

    fn read(&self, kept: &Kept<'_>, found: Option<&Outcome>) -> Result<Recalled, Box<Recalled>> {
        let notice = notice(kept)?;
        let (subject, own) = guarded(&notice, self.me, self.settings.bots_may_talk)?;
        let found = match found {
            _ if subject == Subject::Membership => Value::default(),
            Some(outcome) => content(judge::found(outcome, self.now, self.hidden)?)?,
            None => return Err(dead("it was not looked up")),
        };
        let by_us = self.me.is_some_and(|me| found.get("personId").word().as_deref() == Some(&me.id));
        if own || by_us && subject == Subject::Message {
            let texts = ["text", "markdown"].into_iter().filter_map(|name| words(found, name)).collect();
            return Ok(Recalled::Own { message: word(found, "id").unwrap_or_default(), texts });
        }
        if let Some(why) = self.me.and_then(|me| speaker(found).ignored(me, self.settings.bots_may_talk)) {
            return Ok(Recalled::Ignored(why.to_owned()));
        }
        let person = word(found, "personId");
        let person = person.unwrap_or_else(|| notice.actor().unwrap_or(kept.conversation).to_owned());
        let created = found.get("created").word();
        let happened = created.as_deref().or(notice.created()).and_then(moment).unwrap_or(kept.received);
        let (kind, thread) = match subject {
            Subject::Message => self.message(found, notice.id()),
            Subject::Choice => choice(found),
            Subject::Membership => (EventKind::Joined, None),
        };
        let (id, conversation) = (kept.id.clone(), kept.conversation.to_owned());
        Ok(Recalled::Event(Event { id, conversation, person, thread, happened, kind }))
    }

    /// A message without the mention, and the thread that an answer belongs into (webex.md §7).
    fn message(&self, found: Value<'_>, id: Option<&str>) -> (EventKind, Option<String>) {
        let group = found.get("roomType").word().as_deref() == Some("group");
        let thread = match (word(found, "parentId"), self.settings.replies) {
            (None, Replies::Thread) => id.map(str::to_owned),
            (parent, _) => parent,
        };
        let text = match (words(found, "text"), self.me) {
            (Some(text), Some(me)) => {
                let ids = mentioned(found.get("mentionedPeople")).unwrap_or_default();
                let mentioned = group || ids.iter().any(|id| *id == me.id);
                Some(mention::strip(&text, found.get("html").words().as_deref(), mentioned, me))
            }
            (text, _) => text,
        };
        let files = found.get("files").items(EVENTS_MAX).into_iter().filter_map(Value::text);
        let attachment =
            |url: Cow<'_, str>| Attachment { kind: "file".to_owned(), url: Some(url.into_owned()), title: None };
        let text = text.filter(|text| !text.is_empty());
        (EventKind::Message { text, attachments: files.map(attachment).collect(), choice: None }, thread)
    }
}

/// What somebody tapped or filled in. Of a card that is not ours it is not known which thread it stands in.
fn choice(found: Value<'_>) -> (EventKind, Option<String>) {
    let mut inputs = Shelf::default();
    found.get("inputs").members(&mut |name, input| {
        // A text, or else its JSON.
        let text = if input.is_string() { input.text() } else { None };
        inputs.insert(name.to_owned(), text.unwrap_or(Cow::Borrowed(input.raw())).into_owned());
    });
    card::choice(&inputs).unwrap_or((EventKind::Submitted { inputs }, None))
}

/// Who said it, and to whom, by the message itself.
fn speaker(found: Value<'_>) -> Speaker<'_> {
    Speaker {
        email: found.get("personEmail").word(),
        group: found.get("roomType").word().as_deref() == Some("group"),
        mentioned: mentioned(found.get("mentionedPeople")),
    }
}

fn words(found: Value<'_>, name: &str) -> Option<String> {
    found.get(name).words().map(Cow::into_owned)
}

fn word(found: Value<'_>, name: &str) -> Option<String> {
    found.get(name).word().map(Cow::into_owned)
}

fn notice<'a>(kept: &Kept<'a>) -> Result<Notice<'a>, Box<Recalled>> {
    Notice::parse(kept.raw).ok_or_else(|| dead("the kept notification is not a JSON object, or damaged inside"))
}

/// What it is about, and whether it is a message of our own; or why nobody shall hear it.
fn guarded(notice: &Notice<'_>, me: Option<&Account>, bots_may_talk: bool) -> Result<(Subject, bool), Box<Recalled>> {
    let own = match notice.fate(me, bots_may_talk) {
        Fate::Ignore(why) => return Err(Box::new(Recalled::Ignored(why.to_owned()))),
        // Without knowing who we are, we would answer ourselves.
        _ if me.is_none() => return Err(failed("who the bot is, is not known yet")),
        fate => fate == Fate::Witness,
    };
    let subject = notice.subject().ok_or_else(|| dead("the kept notification is of no kind that bots hear"))?;
    Ok((subject, own))
}

/// Reads what was looked up: a message, or what somebody put into a card. What is no object with an id was cut off on its
/// way, or is the page of a gateway; so it is worth asking again, for as long as anything is.
fn content(body: &[u8]) -> Result<Value<'_>, Box<Recalled>> {
    if body.len() >= ANSWER_BYTES_MAX {
        return Err(dead("what Webex answered is longer than any message"));
    }
    let found = Value::read(body).filter(|found| found.get("id").word().is_some());
    found.ok_or_else(|| failed("what Webex answered cannot be read"))
}

/// When it happened, by RFC 3339.
fn moment(created: &str) -> Option<Moment> {
    let moment = created.parse::<Timestamp>().ok()?.as_millisecond();
    (moment > 0).then_some(Moment(moment))
}

fn failed(why: &str) -> Box<Recalled> {
    let (why, extent) = (why.to_owned(), Extent::Conversation);
    Box::new(Recalled::Failed(Delivery::Retry { why, after: None, extent, maybe_said: false }))
}

fn dead(why: &str) -> Box<Recalled> {
    Box::new(Recalled::Failed(Delivery::Dead { why: why.to_owned() }))
}
