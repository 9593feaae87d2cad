//! A notification: what happened to which thing in which room, without any text (webex.md §5); and the loop guard,
//! which says before any call whether the bot hears of it (webex.md §9).

use crate::limits::EVENTS_MAX;
use crate::model::Fate;
use crate::notation::json::Value;
use crate::platform::Account;
use crate::platform::spelling::too_long;
use std::borrow::Cow;

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

/// Members may be missing (webex.md §5), so the guard decides by what there is.
#[derive(Default)]
pub(super) struct Notice<'a> {
    resource: Word<'a>,
    event: Word<'a>,
    actor: Word<'a>,
    /// The thing's own id.
    id: Word<'a>,
    room: Word<'a>,
    room_type: Word<'a>,
    person: Word<'a>,
    email: Word<'a>,
    mentioned: Value<'a>,
    created: Word<'a>,
}

/// A string or a number, as text, if it is there.
type Word<'a> = Option<Cow<'a, str>>;

/// What is looked up, and where it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Message,
    Choice,
    /// Somebody came into a room; there is nothing to look up.
    Membership,
}

impl<'a> Notice<'a> {
    /// The notification in these bytes, or `None` when they are no JSON object.
    pub(super) fn parse(raw: &'a [u8]) -> Option<Notice<'a>> {
        let whole = Value::read(raw).filter(|whole| whole.is_object())?;
        let (mut notice, mut data) = (Notice::default(), Value::default());
        whole.members(&mut |key, value| match key {
            "resource" => notice.resource = value.word(),
            "event" => notice.event = value.word(),
            "actorId" => notice.actor = value.word(),
            "data" => data = value,
            _ => {}
        });
        notice.take(data);
        Some(notice)
    }

    fn take(&mut self, data: Value<'a>) {
        data.members(&mut |key, value| match key {
            "id" => self.id = value.word(),
            "roomId" => self.room = value.word(),
            "roomType" => self.room_type = value.word(),
            "personId" => self.person = value.word(),
            "personEmail" => self.email = value.word(),
            "mentionedPeople" => self.mentioned = value,
            "created" => self.created = value.word(),
            _ => {}
        });
    }

    /// The resource in one word.
    pub(super) fn kind(&self) -> &'static str {
        let known = RESOURCES.iter().find(|(resource, _)| self.resource.as_deref() == Some(resource));
        known.map_or("unknown", |(_, word)| word)
    }

    /// What makes it the same when it comes again: a delivery has no id of its own (webex.md §1). A membership's id is
    /// made of person and room, so whoever is taken in once more is told by when that was.
    pub(super) fn mark(&self) -> Option<String> {
        let (resource, event, id) = (self.resource.as_deref()?, self.event.as_deref()?, self.id()?);
        Some(match self.created().filter(|_| resource == "memberships") {
            Some(created) => format!("{resource}:{event}:{id}:{created}"),
            None => format!("{resource}:{event}:{id}"),
        })
    }

    /// The message's, action's or membership's id.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(super) fn room(&self) -> Option<&str> {
        self.room.as_deref()
    }

    /// Who caused it.
    pub(super) fn actor(&self) -> Option<&str> {
        self.actor.as_deref().or_else(|| self.person())
    }

    fn person(&self) -> Option<&str> {
        self.person.as_deref()
    }

    pub(super) fn created(&self) -> Option<&str> {
        self.created.as_deref()
    }

    /// What it is about, of the kinds that bots hear.
    pub(super) fn subject(&self) -> Option<Subject> {
        match (self.resource.as_deref()?, self.event.as_deref()?) {
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
        let by_us = [self.actor.as_deref(), self.person()].contains(&Some(&me.id));
        match subject {
            Subject::Message if by_us => Fate::Witness,
            Subject::Message => self.speaker().ignored(me, bots_may_talk).map_or(Fate::Hear, Fate::Ignore),
            Subject::Choice if by_us => Fate::Ignore(OWN_CHOICE),
            Subject::Choice => Fate::Hear,
            Subject::Membership if self.person() != Some(&me.id) => Fate::Ignore(OTHER_MEMBER),
            // Who is written to for the first time need not be greeted on top of it.
            Subject::Membership if self.actor.as_deref() == Some(&me.id) => Fate::Ignore(OWN_ROOM),
            Subject::Membership => Fate::Hear,
        }
    }

    fn why_not(&self) -> &'static str {
        match (self.resource.as_deref(), self.event.as_deref()) {
            (None, _) | (_, None) => NAMELESS,
            (Some("messages"), Some("updated")) => EDIT,
            (Some("messages"), Some("deleted")) => DELETED,
            (Some("memberships"), Some("deleted")) => MEMBER_GONE,
            _ => NO_USE,
        }
    }

    fn speaker(&self) -> Speaker<'_> {
        Speaker {
            email: self.email.as_deref().map(Cow::Borrowed),
            group: self.room_type.as_deref() == Some("group"),
            mentioned: mentioned(self.mentioned),
        }
    }
}

/// Whom a list of ids names; `None` when it is no list.
pub(super) fn mentioned(ids: Value<'_>) -> Option<Vec<Cow<'_, str>>> {
    ids.is_list().then(|| ids.items(EVENTS_MAX).into_iter().filter_map(Value::word).collect())
}

/// Who said it, and to whom; as a notification tells it, or the message itself.
#[derive(Default)]
pub(super) struct Speaker<'a> {
    pub(super) email: Word<'a>,
    pub(super) group: bool,
    /// Whom it mentions; `None` when it does not say so.
    pub(super) mentioned: Option<Vec<Cow<'a, str>>>,
}

impl Speaker<'_> {
    /// Rules 3 and 4 of the guard: why it is not for us, if it is not.
    pub(super) fn ignored(&self, me: &Account, bots_may_talk: bool) -> Option<&'static str> {
        let bot = self.email.as_deref().is_some_and(is_bot);
        let others = || self.group && self.mentioned.as_ref().is_some_and(|ids| !ids.iter().any(|id| *id == me.id));
        (bot && !bots_may_talk).then_some(OTHER_BOT).or_else(|| others().then_some(NOT_MENTIONED))
    }
}

/// Bots' addresses end so; very old ones in the second way (webex.md §2).
fn is_bot(email: &str) -> bool {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    ["webex.bot", "sparkbot.io"].iter().any(|bots| domain.eq_ignore_ascii_case(bots))
}
