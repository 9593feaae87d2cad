//! What was said: kept in order, found by id, shown as the API, a notification and a chat show it (webex.md §5, §7).
//!
//! The oldest leave when there are too many; to the API they are then as good as deleted.

use super::call::{Page, Query};
use super::card;
use super::id::written;
use super::people::{People, Person};
use super::refusal::Refused;
use super::rooms::Room;
use crate::limits::{WEBEX_MESSAGES_BYTES_MAX, WEBEX_MESSAGES_MAX};
use crate::model::{Moment, Response};
use crate::notation::shelf::Shelf;
use crate::twin::{Bubble, Side};
use serde::Serialize;
use serde_json::{Value, json};

/// A message.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    pub id: String,
    pub room: String,
    pub group: bool,
    pub parent: Option<String>,
    /// Who wrote it, by id and by address.
    pub author: String,
    pub email: String,
    pub text: Option<String>,
    pub markdown: Option<String>,
    pub html: Option<String>,
    pub mentioned: Vec<String>,
    pub file: Option<File>,
    /// The adaptive card's content.
    pub card: Option<Value>,
    pub created: Moment,
    pub updated: Option<Moment>,
    /// Only a chat still shows where it was.
    pub deleted: bool,
    /// The notification that told the bot of it.
    pub dispatch: Option<u64>,
    /// What it takes of `WEBEX_MESSAGES_BYTES_MAX`.
    bytes: usize,
    bubble: u64,
}

/// A file: Webex hands out a URL of its own, which wants the token.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub id: String,
    pub url: String,
    /// Where it really is.
    pub source: String,
}

/// A message as JSON. A notification leaves out what is encrypted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a str>,
    room_id: &'a str,
    room_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<[Value; 1]>,
    person_id: &'a str,
    person_email: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    mentioned_people: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<[&'a str; 1]>,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<String>,
}

impl Message {
    /// An empty message of somebody in a room.
    pub(super) fn new(id: String, room: &Room, author: &Person, now: Moment) -> Message {
        let (author, email) = (author.id.clone(), author.email.clone());
        Message { id, room: room.id.clone(), group: room.group, author, email, created: now, ..Message::default() }
    }

    /// Whether the bot is told of it and may fetch it: in a group only what mentions it, and its own (webex.md §2).
    pub(super) fn concerns(&self, bot: &str) -> bool {
        !self.group || self.author == bot || self.mentions(bot)
    }

    pub(super) fn mentions(&self, person: &str) -> bool {
        self.mentioned.iter().any(|mentioned| mentioned == person)
    }

    /// The whole message.
    pub(super) fn shown(&self) -> Shown<'_> {
        let card = self.card.as_ref().map(|content| [json!({ "contentType": card::CONTENT_TYPE, "content": content })]);
        Shown {
            text: self.text.as_deref(),
            markdown: self.markdown.as_deref(),
            html: self.html.as_deref(),
            attachments: card,
            ..self.told()
        }
    }

    /// Without what is encrypted.
    pub(super) fn told(&self) -> Shown<'_> {
        Shown {
            id: &self.id,
            parent_id: self.parent.as_deref(),
            room_id: &self.room,
            room_type: if self.group { "group" } else { "direct" },
            text: None,
            markdown: None,
            html: None,
            attachments: None,
            person_id: &self.author,
            person_email: &self.email,
            mentioned_people: &self.mentioned,
            files: self.file.as_ref().map(|file| [&*file.url]),
            created: written(self.created),
            updated: self.updated.map(written),
        }
    }

    /// As a chat shows the message of this number.
    fn bubble(&self, born: u64, bot: &str) -> Bubble {
        let drawn = self.card.as_ref().map(card::drawn).unwrap_or_default();
        let text = match () {
            () if self.deleted => "(deleted)",
            // Beside a card, the text is for those who cannot show cards.
            () if self.card.is_some() => "",
            // What clients show of the two is the markup.
            () => self.markdown.as_deref().or(self.text.as_deref()).unwrap_or_default(),
        };
        Bubble {
            number: self.bubble,
            born,
            id: self.id.clone(),
            conversation: self.room.clone(),
            side: if self.author == bot { Side::Bot } else { Side::Person },
            at: self.created,
            text: text.to_owned(),
            pictures: self.file.iter().map(|file| file.source.clone()).collect(),
            cards: drawn.cards,
            choices: drawn.buttons.into_iter().map(|button| button.choice).collect(),
            thread: self.parent.clone(),
            dispatch: self.dispatch,
            sign: None,
            metadata: None,
        }
    }

    /// Leaves only where it was.
    pub(super) fn delete(&mut self) {
        self.deleted = true;
        (self.text, self.markdown, self.html) = (None, None, None);
        (self.file, self.card) = (None, None);
    }

    fn weigh(&self) -> usize {
        let texts = [&self.text, &self.markdown, &self.html].into_iter().flatten().map(String::len).sum::<usize>();
        let file = self.file.as_ref().map_or(0, |file| file.source.len() + file.url.len());
        // A parsed card takes some times its text.
        let card = self.card.as_ref().map_or(0, |card| 4 * card.to_string().len());
        1024 + texts + file + card
    }
}

/// All messages that are still known.
#[derive(Debug, Default)]
pub(super) struct Messages {
    by_number: Shelf<u64, Box<Message>>,
    numbers: Shelf<String, u64>,
    files: Shelf<String, u64>,
    /// Bubbles in the order of their last change, and whose they are.
    bubbles: Shelf<u64, u64>,
    last: u64,
    last_bubble: u64,
    bytes: usize,
}

impl Messages {
    /// Keeps a new message; the oldest make room for it.
    pub(super) fn add(&mut self, mut message: Message) {
        self.last += 1;
        message.bytes = message.weigh();
        self.bytes += message.bytes;
        self.numbers.insert(message.id.clone(), self.last);
        if let Some(file) = &message.file {
            self.files.insert(file.id.clone(), self.last);
        }
        self.by_number.insert(self.last, Box::new(message));
        self.touch(self.last);
        while self.by_number.len() > WEBEX_MESSAGES_MAX || self.bytes > WEBEX_MESSAGES_BYTES_MAX {
            let Some((_, oldest)) = self.by_number.pop_first() else { break };
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, message: &Message) {
        self.bytes = self.bytes.saturating_sub(message.bytes);
        self.numbers.remove(&message.id);
        self.bubbles.remove(&message.bubble);
        if let Some(file) = &message.file {
            self.files.remove(&file.id);
        }
    }

    /// The message of this id, unless it was deleted.
    pub(super) fn get(&self, id: &str) -> Option<&Message> {
        self.by_number.get(self.numbers.get(id)?).map(|message| &**message).filter(|message| !message.deleted)
    }

    /// Changes the message of this id; its bubble is new thereby.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Message)) {
        let Some(number) = self.numbers.get(id).copied() else { return };
        if let Some(message) = self.by_number.get_mut(&number) {
            change(message);
            self.bytes = self.bytes.saturating_sub(message.bytes);
            message.bytes = message.weigh();
            self.bytes += message.bytes;
        }
        self.touch(number);
    }

    fn touch(&mut self, number: u64) {
        let Some(message) = self.by_number.get_mut(&number) else { return };
        self.last_bubble += 1;
        self.bubbles.remove(&message.bubble);
        message.bubble = self.last_bubble;
        self.bubbles.insert(self.last_bubble, number);
    }

    /// Where the file of this id really is.
    pub(super) fn file(&self, id: &str) -> Option<(&Message, &str)> {
        let message = self.by_number.get(self.files.get(id)?)?;
        message.file.as_ref().map(|file| (&**message, &*file.source))
    }

    /// What a chat has not shown yet.
    pub(super) fn bubbles(&self, after: u64, bot: &str) -> Vec<Bubble> {
        let newer = self.bubbles.range(after.saturating_add(1)..);
        newer.filter_map(|(_, number)| Some(self.by_number.get(number)?.bubble(*number, bot))).collect()
    }

    /// `GET /messages`: of one room, the newest first (webex.md §2, §7).
    pub(super) fn list(
        &self,
        page: &Page<'_>,
        query: &Query,
        room: &Room,
        people: &People,
    ) -> Result<Response, Refused> {
        let bot = &people.bot.id;
        let mentioned = query.get("mentionedPeople");
        let of_me = mentioned.is_some_and(|who| who.split(',').any(|who| who == "me" || who == bot));
        if room.group && !of_me {
            return Err(Refused::forbidden(
                "A bot may list of a group room only what mentions it; send mentionedPeople=me.",
            ));
        }
        let before = match query.get(BEFORE) {
            Some(id) => *self.numbers.get(id).ok_or_else(Refused::not_found)?,
            None => u64::MAX,
        };
        let parent = query.get("parentId");
        let newest_first = self.by_number.range(..before).rev().map(|(_, message)| message);
        let of_room = newest_first.filter(|message| message.room == room.id && !message.deleted);
        let wanted = of_room.filter(|message| {
            (mentioned.is_none() || message.mentions(bot))
                && parent.is_none_or(|parent| message.parent.as_deref() == Some(parent))
        });
        page.of(wanted.map(|message| (message.id.clone(), message.shown())))
    }
}

/// The parameter that leads to older messages.
pub(super) const BEFORE: &str = "beforeMessage";

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: usize) -> Message {
        Message { id: number.to_string(), text: Some("x".to_owned()), ..Message::default() }
    }

    #[test]
    fn the_oldest_message_makes_room_for_a_new_one() {
        let mut messages = Messages::default();
        for number in 0..=WEBEX_MESSAGES_MAX {
            messages.add(message(number));
        }
        assert!(messages.get("0").is_none() && messages.get("1").is_some());
        assert_eq!(messages.bubbles(0, "").len(), WEBEX_MESSAGES_MAX);
        assert_eq!(messages.bytes, messages.by_number.values().map(|message| message.bytes).sum::<usize>());
    }

    #[test]
    fn messages_are_bounded_in_bytes_too() {
        let mut messages = Messages::default();
        let large = "x".repeat(1024 * 1024);
        for number in 0..100 {
            messages.add(Message { text: Some(large.clone()), ..message(number) });
        }
        assert!(messages.bytes <= WEBEX_MESSAGES_BYTES_MAX && messages.bytes > WEBEX_MESSAGES_BYTES_MAX / 2);
        assert!(messages.get("99").is_some());
    }

    #[test]
    fn a_bubble_that_changes_is_shown_again() {
        let mut messages = Messages::default();
        messages.add(message(1));
        messages.add(message(2));
        assert_eq!(messages.bubbles(2, "").len(), 0);
        messages.change("1", |message| message.text = Some("y".to_owned()));
        let shown: Vec<_> = messages.bubbles(1, "").into_iter().map(|bubble| (bubble.number, bubble.id)).collect();
        assert_eq!(shown, [(2, "2".to_owned()), (3, "1".to_owned())]);
    }
}
