//! A kept notification, and what was looked up for it → the event that a bot hears (webex.md §5, §7).
//!
//! The guard is asked again first: at arrival we may not have known who we are. It is asked once more of the message
//! itself, which says what an older form of notification leaves out.

use super::notice::{Notice, Speaker, Subject};
use super::{Replies, Settings, card, judge, mention};
use crate::limits::ANSWER_BYTES_MAX;
use crate::model::{Attachment, Delivery, Event, EventKind, Extent, Fate, Moment, Outcome, Secret};
use crate::notation::percent;
use crate::notation::shelf::Shelf;
use crate::platform::lenient::{Contained, Perhaps, Text, Word, decode, object};
use crate::platform::{Account, Kept, Recalled};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

object! {
    /// A message, or what somebody put into a card; each has some of these members.
    struct Found {
        "id" id: Text,
        "parentId" parent: Text,
        "text" text: Text,
        "markdown" markdown: Text,
        "html" html: Text,
        "files" files: Contained<Vec<Text>>,
        "roomType" room_type: Text,
        "personId" person: Text,
        "personEmail" email: Text,
        "mentionedPeople" mentioned: Contained<Option<Vec<Text>>>,
        "inputs" inputs: Contained<Shelf<String, Input>>,
        "created" created: Text,
    }
}

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
            _ if subject == Subject::Membership => Found::default(),
            Some(outcome) => content(judge::found(outcome, self.now, self.hidden)?)?,
            None => return Err(dead("it was not looked up")),
        };
        let by_us = self.me.is_some_and(|me| found.person.word() == Some(&me.id));
        if own || by_us && subject == Subject::Message {
            let message = found.id.0.unwrap_or_default();
            let texts = [found.text, found.markdown].into_iter().filter_map(|text| text.0);
            return Ok(Recalled::Own { message, texts: texts.filter(|text| !text.is_empty()).collect() });
        }
        if let Some(why) = self.me.and_then(|me| found.speaker().ignored(me, self.settings.bots_may_talk)) {
            return Ok(Recalled::Ignored(why.to_owned()));
        }
        let person = found.person.word().or(notice.actor()).unwrap_or(kept.conversation).to_owned();
        let created = found.created.word().or(notice.created());
        let happened = created.and_then(moment).unwrap_or(kept.received);
        let (kind, thread) = match subject {
            Subject::Message => self.message(found, notice.id()),
            Subject::Choice => choice(found),
            Subject::Membership => (EventKind::Joined, None),
        };
        let (id, conversation) = (kept.id.clone(), kept.conversation.to_owned());
        Ok(Recalled::Event(Event { id, conversation, person, thread, happened, kind }))
    }

    /// A message without the mention, and the thread that an answer belongs into (webex.md §7).
    fn message(&self, found: Found, id: Option<&str>) -> (EventKind, Option<String>) {
        let group = found.room_type.word() == Some("group");
        let thread = match (found.parent.0.filter(|parent| !parent.is_empty()), self.settings.replies) {
            (None, Replies::Thread) => id.map(str::to_owned),
            (parent, _) => parent,
        };
        let text = match (found.text.0, self.me) {
            (Some(text), Some(me)) => {
                let ids = found.mentioned.0.unwrap_or_default();
                let mentioned = group || ids.iter().any(|id| id.word() == Some(&me.id));
                Some(mention::strip(&text, found.html.word(), mentioned, me))
            }
            (text, _) => text,
        };
        let files = found.files.0.into_iter().filter_map(|url| url.0);
        let attachment = |url| Attachment { kind: "file".to_owned(), url: Some(url), title: None };
        let text = text.filter(|text| !text.is_empty());
        (EventKind::Message { text, attachments: files.map(attachment).collect(), choice: None }, thread)
    }
}

/// What somebody tapped or filled in. Of a card that is not ours it is not known which thread it stands in.
fn choice(found: Found) -> (EventKind, Option<String>) {
    let inputs: Shelf<String, String> = found.inputs.0.into_iter().map(|(name, input)| (name, input.0)).collect();
    card::choice(&inputs).unwrap_or((EventKind::Submitted { inputs }, None))
}

impl Found {
    fn speaker(&self) -> Speaker<'_> {
        let words =
            |ids: &Vec<Text>| ids.iter().filter_map(|id| id.word().map(|id| Cow::Owned(id.to_owned()))).collect();
        Speaker {
            email: self.email.word(),
            group: self.room_type.word() == Some("group"),
            mentioned: self.mentioned.0.as_ref().map(words),
        }
    }
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

/// Reads what was looked up. What is no object with an id was cut off on its way, or is the page of a gateway; so it is
/// worth asking again, for as long as anything is.
fn content(body: &[u8]) -> Result<Found, Box<Recalled>> {
    if body.len() >= ANSWER_BYTES_MAX {
        return Err(dead("what Webex answered is longer than any message"));
    }
    let found = serde_json::from_slice::<Perhaps<Found>>(body).ok().and_then(Perhaps::object);
    found.filter(|found| found.id.word().is_some()).ok_or_else(|| failed("what Webex answered cannot be read"))
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

/// A value that somebody put into a card: a text, or else its JSON.
struct Input(String);

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(source)?.get();
        let text = if raw.starts_with('"') { decode(raw) } else { None };
        Ok(Input(text.unwrap_or_else(|| raw.to_owned())))
    }
}
