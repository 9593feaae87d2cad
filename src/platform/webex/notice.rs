//! A notification: what happened to which thing in which room, without any text (webex.md §5); and the loop guard,
//! which says before any call whether the bot hears of it (webex.md §9).

use crate::model::Fate;
use crate::platform::Account;
use crate::platform::lenient::{List, Perhaps, Word, object};
use crate::platform::spelling::too_long;
use serde_json::value::RawValue;

/// Why a notification is not for the bot.
const EDIT: &str = "an edit of a message that was already handled";
const DELETED: &str = "a message was deleted";
const OWN_CHOICE: &str = "something that the bot did itself";
const OWN_ROOM: &str = "the bot opened this conversation itself";
const OTHER_MEMBER: &str = "somebody else came into the room";
const MEMBER_GONE: &str = "somebody, or the bot, left the room";
const OTHER_BOT: &str = "a message of another bot; with bots = true they are heard";
const NOT_MENTIONED: &str = "a message in a group room that mentions others";
const NO_USE: &str = "a kind of event that bots have no use for";
const NAMELESS: &str = "it does not name what happened where";

/// A resource as webhooks name it, and in one word (webex.md §4).
const RESOURCES: [(&str, &str); 9] = [
    ("messages", "message"),
    ("attachmentActions", "attachment_action"),
    ("memberships", "membership"),
    ("rooms", "room"),
    ("meetings", "meeting"),
    ("recordings", "recording"),
    ("meetingParticipants", "meeting_participant"),
    ("meetingTranscripts", "meeting_transcript"),
    ("telephony_calls", "call"),
];

object! {
    /// Members may be missing (webex.md §5), so the guard decides by what there is.
    pub(super) struct Notice<'de> {
        "resource" resource: Word<'de>,
        "event" event: Word<'de>,
        "actorId" actor: Word<'de>,
        "data" data: Perhaps<Data<'de>>,
    }
}

object! {
    pub(super) struct Data<'de> {
        "id" id: Word<'de>,
        "roomId" room: Word<'de>,
        "roomType" room_type: Word<'de>,
        "personId" person: Word<'de>,
        "personEmail" email: Word<'de>,
        "mentionedPeople" mentioned: Option<&'de RawValue>,
        "created" created: Word<'de>,
    }
}

/// What is looked up, and where it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Message,
    Choice,
    /// Somebody came into a room; there is nothing to look up.
    Membership,
}

impl<'a> Notice<'a> {
    /// The notification in these bytes, or `None` when they are no JSON object, or damaged inside.
    pub(super) fn parse(raw: &'a [u8]) -> Option<Notice<'a>> {
        let notice = serde_json::from_str::<Perhaps<Notice<'_>>>(std::str::from_utf8(raw).ok()?);
        notice.ok()?.object()
    }

    fn data(&self) -> Option<&Data<'a>> {
        match &self.data {
            Perhaps::Object(data) => Some(data),
            Perhaps::Absent | Perhaps::Other => None,
        }
    }

    /// The resource in one word.
    pub(super) fn kind(&self) -> &'static str {
        let known = RESOURCES.iter().find(|(resource, _)| self.resource.as_str() == Some(resource));
        known.map_or("unknown", |(_, word)| word)
    }

    /// What makes it the same when it comes again: a delivery has no id of its own (webex.md §1). A membership's id is
    /// made of person and room, so whoever is taken in once more is told by when that was.
    pub(super) fn mark(&self) -> Option<String> {
        let (resource, event, id) = (self.resource.as_str()?, self.event.as_str()?, self.id()?);
        Some(match self.created().filter(|_| resource == "memberships") {
            Some(created) => format!("{resource}:{event}:{id}:{created}"),
            None => format!("{resource}:{event}:{id}"),
        })
    }

    /// The message's, action's or membership's id.
    pub(super) fn id(&self) -> Option<&str> {
        self.data()?.id.as_str()
    }

    pub(super) fn room(&self) -> Option<&str> {
        self.data()?.room.as_str()
    }

    /// Who caused it.
    pub(super) fn actor(&self) -> Option<&str> {
        self.actor.as_str().or_else(|| self.person())
    }

    fn person(&self) -> Option<&str> {
        self.data()?.person.as_str()
    }

    pub(super) fn created(&self) -> Option<&str> {
        self.data()?.created.as_str()
    }

    /// What it is about, of the kinds that bots hear.
    pub(super) fn subject(&self) -> Option<Subject> {
        match (self.resource.as_str()?, self.event.as_str()?) {
            ("messages", "created") => Some(Subject::Message),
            ("attachmentActions", "created") => Some(Subject::Choice),
            ("memberships", "created") => Some(Subject::Membership),
            _ => None,
        }
    }

    /// The loop guard. As long as nobody knows who we are (`me`), it lets pass what may be for us; it is asked again
    /// when the event's turn comes.
    pub(super) fn fate(&self, me: Option<&Account>, bots_may_talk: bool) -> Fate {
        let Some(subject) = self.subject() else { return Fate::Ignore(self.why_not()) };
        if [self.id(), self.room()].into_iter().any(|id| id.is_none_or(too_long)) {
            return Fate::Ignore(NAMELESS);
        }
        let Some(me) = me else { return Fate::Hear };
        let by_us = [self.actor.as_str(), self.person()].contains(&Some(&me.id));
        match subject {
            Subject::Message if by_us => Fate::Witness,
            Subject::Message => self.speaker().ignored(me, bots_may_talk).map_or(Fate::Hear, Fate::Ignore),
            Subject::Choice if by_us => Fate::Ignore(OWN_CHOICE),
            Subject::Choice => Fate::Hear,
            Subject::Membership if self.person() != Some(&me.id) => Fate::Ignore(OTHER_MEMBER),
            // Who is written to for the first time need not be greeted on top of it.
            Subject::Membership if self.actor.as_str() == Some(&me.id) => Fate::Ignore(OWN_ROOM),
            Subject::Membership => Fate::Hear,
        }
    }

    fn why_not(&self) -> &'static str {
        match (self.resource.as_str(), self.event.as_str()) {
            (None, _) | (_, None) => NAMELESS,
            (Some("messages"), Some("updated")) => EDIT,
            (Some("messages"), Some("deleted")) => DELETED,
            (Some("memberships"), Some("deleted")) => MEMBER_GONE,
            _ => NO_USE,
        }
    }

    fn speaker(&self) -> Speaker<'_> {
        let Some(data) = self.data() else { return Speaker::default() };
        let list = data.mentioned.map(RawValue::get).filter(|raw| raw.starts_with('['));
        let mentioned = list.and_then(|raw| serde_json::from_str::<List<Word<'_>>>(raw).ok());
        Speaker {
            email: data.email.as_str(),
            group: data.room_type.as_str() == Some("group"),
            mentioned: mentioned.map(|list| list.0.into_iter().filter_map(|id| id.0).collect()),
        }
    }
}

/// Who said it, and to whom; as a notification tells it, or the message itself.
#[derive(Default)]
pub(super) struct Speaker<'a> {
    pub(super) email: Option<&'a str>,
    pub(super) group: bool,
    /// Whom it mentions; `None` when it does not say so.
    pub(super) mentioned: Option<Vec<std::borrow::Cow<'a, str>>>,
}

impl Speaker<'_> {
    /// Rules 3 and 4 of the guard: why it is not for us, if it is not.
    pub(super) fn ignored(&self, me: &Account, bots_may_talk: bool) -> Option<&'static str> {
        let bot = self.email.is_some_and(is_bot);
        let others = || self.group && self.mentioned.as_ref().is_some_and(|ids| !ids.iter().any(|id| *id == me.id));
        (bot && !bots_may_talk).then_some(OTHER_BOT).or_else(|| others().then_some(NOT_MENTIONED))
    }
}

/// Bots' addresses end so; very old ones in the second way (webex.md §2).
fn is_bot(email: &str) -> bool {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    ["webex.bot", "sparkbot.io"].iter().any(|bots| domain.eq_ignore_ascii_case(bots))
}
