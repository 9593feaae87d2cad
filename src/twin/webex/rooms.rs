//! Rooms and who is in them. A direct room has one person and the bot, for ever; a group room may lose the bot.

use super::call::{Page, Query, found};
use super::id::{Ids, id, is_id, written};
use super::people::{People, Person};
use super::refusal::Refused;
use crate::limits::WEBEX_ROOMS_MAX;
use crate::model::{Moment, Response};
use serde::Serialize;
use serde_json::{Value, json};

/// As many rooms are named to whoever wrote a wrong one.
const ROOMS_NAMED: usize = 8;

/// A room.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub id: String,
    uuid: String,
    pub title: String,
    pub group: bool,
    creator: String,
    created: Moment,
    pub last_activity: Moment,
    /// Everybody in it, the first one to have come first.
    members: Vec<Membership>,
}

/// Somebody in a room.
#[derive(Clone, Debug)]
pub(super) struct Membership {
    id: String,
    pub person: Person,
    created: Moment,
}

impl Room {
    /// `direct` or `group`.
    pub(super) fn kind(&self) -> &'static str {
        if self.group { "group" } else { "direct" }
    }

    /// Whether somebody is in it.
    pub(super) fn has(&self, person: &str) -> bool {
        self.membership(person).is_some()
    }

    /// How somebody is in it.
    pub(super) fn membership(&self, person: &str) -> Option<&Membership> {
        self.members.iter().find(|member| member.person.id == person)
    }

    /// Who speaks here when a person does.
    pub(super) fn speaker(&self, bot: &str) -> Option<&Person> {
        self.members.iter().map(|member| &member.person).find(|person| person.id != bot)
    }

    /// Takes somebody in who is not there yet.
    pub(super) fn take_in(&mut self, person: &Person, now: Moment) -> bool {
        if self.has(&person.id) {
            return false;
        }
        // A membership's id has both in it (webex.md §2 and the samples).
        let id = id("MEMBERSHIP", &format!("{}:{}", person.uuid, self.uuid));
        self.members.push(Membership { id, person: person.clone(), created: now });
        true
    }

    /// Lets somebody go.
    pub(super) fn let_go(&mut self, person: &str) -> Option<Membership> {
        let place = self.members.iter().position(|member| member.person.id == person)?;
        Some(self.members.remove(place))
    }

    fn shown(&self, bot: &str) -> Value {
        // The bot sees a direct room under the other one's name.
        let title = self.speaker(bot).filter(|_| !self.group).map_or(&self.title, |person| &person.name);
        json!({
            "id": self.id,
            "title": title,
            "type": self.kind(),
            "isLocked": false,
            "lastActivity": written(self.last_activity),
            "creatorId": self.creator,
            "created": written(self.created),
        })
    }

    /// A membership of this room, as the API and a notification show it. Webex's samples of a deleted one lack
    /// `isRoomHidden`.
    pub(super) fn shown_membership(&self, member: &Membership, organization: &str, deleted: bool) -> impl Serialize {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shown {
            id: String,
            room_id: String,
            person_id: String,
            person_email: String,
            person_display_name: String,
            person_org_id: String,
            is_moderator: bool,
            is_monitor: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            is_room_hidden: Option<bool>,
            room_type: &'static str,
            created: String,
        }

        Shown {
            id: member.id.clone(),
            room_id: self.id.clone(),
            person_id: member.person.id.clone(),
            person_email: member.person.email.clone(),
            person_display_name: member.person.name.clone(),
            person_org_id: organization.to_owned(),
            is_moderator: false,
            is_monitor: false,
            is_room_hidden: (!deleted).then_some(false),
            room_type: self.kind(),
            created: written(member.created),
        }
    }
}

/// All rooms, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Rooms(Vec<Room>);

impl Rooms {
    /// A new room with its creator and the others in it, or `None` when there are too many.
    pub(super) fn open(&mut self, title: &str, group: bool, who: &[&Person], ids: &Ids, now: Moment) -> Option<&Room> {
        if self.0.len() >= WEBEX_ROOMS_MAX {
            return None;
        }
        let uuid = ids.uuid();
        let mut room = Room {
            id: id("ROOM", &uuid),
            uuid,
            title: title.to_owned(),
            group,
            creator: who.first().map(|person| person.id.clone()).unwrap_or_default(),
            created: now,
            last_activity: now,
            members: Vec::new(),
        };
        for person in who {
            room.take_in(person, now);
        }
        self.0.push(room);
        self.0.last()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.0.iter()
    }

    /// The room of this id.
    pub(super) fn get(&self, id: &str) -> Option<&Room> {
        self.0.iter().find(|room| room.id == id)
    }

    /// The room of this id that somebody named; an error says what could be written instead.
    pub(super) fn named(&self, id: &str) -> Result<&Room, String> {
        self.get(id).ok_or_else(|| {
            let rooms = self.0.iter().take(ROOMS_NAMED).map(|room| format!("{} ({})", room.id, room.title));
            let more = if self.0.len() > ROOMS_NAMED { ", …; all are in /chat.state" } else { "" };
            format!("{id:?} is no room here; write one of {}{more}", rooms.collect::<Vec<_>>().join(", "))
        })
    }

    /// The room of this id, to be changed.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Room> {
        self.0.iter_mut().find(|room| room.id == id)
    }

    /// The direct room with this person.
    pub(super) fn direct(&self, person: &str) -> Option<&Room> {
        self.0.iter().find(|room| !room.group && room.has(person))
    }

    /// The room of this id, if the bot is in it; to anybody else it is not there.
    pub(super) fn visible(&self, id: &str, people: &People) -> Result<&Room, Refused> {
        if !is_id(id) {
            return Err(Refused::no_id());
        }
        self.get(id).filter(|room| room.has(&people.bot.id)).ok_or_else(Refused::not_found)
    }

    /// `GET /rooms/{id}`.
    pub(super) fn one(&self, id: &str, people: &People) -> Result<Response, Refused> {
        self.visible(id, people).map(|room| found(&room.shown(&people.bot.id)))
    }

    /// `GET /rooms`: those of the bot.
    pub(super) fn list(&self, page: &Page<'_>, query: &Query, people: &People) -> Result<Response, Refused> {
        let bot = &people.bot.id;
        let kind = query.get("type");
        if kind.is_some_and(|kind| !["direct", "group"].contains(&kind)) {
            return Err(Refused::bad("type is neither direct nor group."));
        }
        let rooms = self.0.iter().filter(|room| room.has(bot) && kind.is_none_or(|kind| room.kind() == kind));
        page.of(after(rooms.map(|room| (room.id.clone(), room.shown(bot))), query))
    }

    /// `GET /memberships`: of a room, or all of the bot's own.
    pub(super) fn memberships(&self, page: &Page<'_>, query: &Query, people: &People) -> Result<Response, Refused> {
        let bot = &people.bot.id;
        let rooms: Vec<&Room> = match query.get("roomId") {
            Some(id) => vec![self.visible(id, people)?],
            None => self.0.iter().filter(|room| room.has(bot)).collect(),
        };
        let (person, email) = (query.get("personId"), query.get("personEmail"));
        let all = query.get("roomId").is_none() && person.is_none() && email.is_none();
        let wanted = |who: &Person| {
            person.is_none_or(|id| who.id == id)
                && email.is_none_or(|email| who.email.eq_ignore_ascii_case(email))
                && (!all || who.id == *bot)
        };
        let shown = rooms.into_iter().flat_map(|room| room.members.iter().map(move |member| (room, member)));
        let shown = shown.filter(|(_, member)| wanted(&member.person));
        let organization = &people.organization;
        let shown = shown.map(|(room, member)| (member.id.clone(), room.shown_membership(member, organization, false)));
        page.of(after(shown, query))
    }
}

/// The name of the parameter that says which was the last of the page before.
pub(super) const CURSOR: &str = "cursor";

/// What comes after the one that the query's cursor names; nothing when it names none.
pub(super) fn after<T>(
    mut items: impl Iterator<Item = (String, T)>,
    query: &Query,
) -> impl Iterator<Item = (String, T)> {
    if let Some(cursor) = query.get(CURSOR) {
        items.by_ref().find(|(id, _)| id == cursor);
    }
    items
}
