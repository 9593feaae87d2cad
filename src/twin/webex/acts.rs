//! What people do: write, show a file, tap a card; take the bot into a room and out of it; edit and delete. And what
//! becomes of it: the message is kept, and the bot's webhooks are told.

use super::id::written;
use super::messages::Message;
use super::notify::Happening;
use super::posts::{TEXT_BYTES_MAX, beyond_scheme};
use super::refusal::Refused;
use super::rooms::{Membership, Room};
use super::{Submitted, Webex, card, markup};
use crate::limits::{WEBEX_ACTIONS_MAX, WEBEX_INPUTS_BYTES_MAX, WEBEX_WEBHOOK_BYTES_MAX};
use crate::model::Moment;
use crate::twin::Dispatch;
use serde_json::{Map, Value, json};

impl Webex {
    /// A person writes; with `mentions`, to the bot in a group.
    pub(super) fn write(
        &mut self,
        room: &str,
        text: &str,
        mentions: bool,
        thread: Option<&str>,
        now: Moment,
    ) -> Result<Vec<Dispatch>, String> {
        let mut message = self.begun(room, now)?;
        message.parent = thread.map(|thread| self.top(room, thread)).transpose()?;
        self.phrase(&mut message, text, mentions)?;
        Ok(self.say(message, now))
    }

    /// A person shows a file, without a word.
    pub(super) fn show(&mut self, room: &str, url: &str, now: Moment) -> Result<Vec<Dispatch>, String> {
        if beyond_scheme(url).is_none() || url.len() > WEBEX_WEBHOOK_BYTES_MAX {
            return Err("only what has an http or https URL can be shown".to_owned());
        }
        let mut message = self.begun(room, now)?;
        message.file = Some(self.filed(url.to_owned()));
        Ok(self.say(message, now))
    }

    /// A person taps an action of a card, with what they filled into its fields.
    pub fn submit(
        &mut self,
        message: &str,
        choice: usize,
        filled: &Map<String, Value>,
        now: Moment,
    ) -> Result<Vec<Dispatch>, String> {
        let shown = self.messages.get(message).ok_or("there is no such message")?;
        let content = shown.card.as_ref().ok_or("nothing of this message can be tapped")?;
        let button = card::drawn(content).buttons.into_iter().nth(choice);
        let button = button.ok_or_else(|| format!("this card has no choice {choice}"))?;
        if button.choice.url.is_some() {
            return Ok(Vec::new());
        }
        let inputs = card::inputs(content, filled, &button.data);
        if serde_json::to_vec(&inputs).map_or(0, |inputs| inputs.len()) > WEBEX_INPUTS_BYTES_MAX {
            return Err(format!("what is filled in has more than {WEBEX_INPUTS_BYTES_MAX} bytes"));
        }
        let room = self.rooms.get(&shown.room).ok_or("there is no such room")?;
        let person = room.speaker(&self.people.bot.id).ok_or("there is nobody in this room who could tap")?;
        let submitted = Submitted {
            message: shown.id.clone(),
            person: person.id.clone(),
            room: room.id.clone(),
            inputs,
            created: now,
        };
        Ok(self.submitted(submitted, now))
    }

    fn submitted(&mut self, submitted: Submitted, now: Moment) -> Vec<Dispatch> {
        let id = self.ids.id("ATTACHMENT_ACTION");
        let data = json!({
            "id": id,
            "type": "submit",
            "messageId": submitted.message,
            "personId": submitted.person,
            "roomId": submitted.room,
            "created": written(submitted.created),
        });
        let traits = vec![
            ("roomId", submitted.room.clone()),
            ("personId", submitted.person.clone()),
            ("messageId", submitted.message.clone()),
        ];
        let happening = Happening::new("attachmentActions", "created", &submitted.person, &data, traits);
        let inside = self.rooms.visible(&submitted.room, &self.people).is_ok();
        let happening = happening.filter(|_| inside).map(|happening| happening.of(&submitted.message));
        self.actions.push_back((id, submitted));
        if self.actions.len() > WEBEX_ACTIONS_MAX {
            self.actions.pop_front();
        }
        self.tell(happening, now)
    }

    /// Somebody makes a new group room and takes the bot into it.
    pub fn new_room(&mut self, title: &str, now: Moment) -> Result<(String, Vec<Dispatch>), String> {
        let person = self.people.others.first().ok_or("there is nobody who could make a room")?.clone();
        let room = self.rooms.open(title, true, &[&person], &self.ids, now);
        let id = room.ok_or("there are too many rooms")?.id.clone();
        let told = self.take_in(&id, now)?;
        Ok((id, told))
    }

    /// Takes the bot into a room that it is not in.
    pub fn take_in(&mut self, room: &str, now: Moment) -> Result<Vec<Dispatch>, String> {
        let bot = self.people.bot.clone();
        let room = self.rooms.get_mut(room).ok_or("there is no such room")?;
        if !room.take_in(&bot, now) {
            return Err("the bot is in this room already".to_owned());
        }
        let (room, actor) = (room.clone(), room.speaker(&bot.id).map_or_else(String::new, |person| person.id.clone()));
        Ok(self.joined(&room, &actor, now))
    }

    /// Removes the bot from a group room.
    pub fn remove(&mut self, room: &str, now: Moment) -> Result<Vec<Dispatch>, String> {
        let bot = self.people.bot.id.clone();
        let room = self.rooms.get_mut(room).ok_or("there is no such room")?;
        if !room.group {
            return Err("nobody leaves a direct room".to_owned());
        }
        let membership = room.let_go(&bot).ok_or("the bot is not in this room")?;
        let (room, actor) = (room.clone(), room.speaker(&bot).map_or_else(String::new, |person| person.id.clone()));
        let happening = self.of_membership(&room, &membership, "deleted", &actor);
        Ok(self.tell(happening, now))
    }

    /// Tells that the bot came into a room.
    fn joined(&mut self, room: &Room, actor: &str, now: Moment) -> Vec<Dispatch> {
        let membership = room.membership(&self.people.bot.id);
        let happening = membership.and_then(|membership| self.of_membership(room, membership, "created", actor));
        self.tell(happening, now)
    }

    fn of_membership(&self, room: &Room, of: &Membership, event: &'static str, actor: &str) -> Option<Happening> {
        let data = room.shown_membership(of, &self.people.organization, event == "deleted");
        let traits = vec![
            ("roomId", room.id.clone()),
            ("personId", of.person.id.clone()),
            ("personEmail", of.person.email.clone()),
            ("isModerator", false.to_string()),
        ];
        Happening::new("memberships", event, actor, &data, traits)
    }

    /// The direct room with a person, which the bot opens by writing into it.
    pub(super) fn open_direct(&mut self, person: &str, now: Moment, told: &mut Vec<Dispatch>) -> Result<Room, Refused> {
        let bot = self.people.bot.clone();
        let person = self.people.get(person).ok_or_else(Refused::not_found)?;
        let room = self.rooms.open(&person.name, false, &[&bot, person], &self.ids, now).cloned();
        let room = room.ok_or_else(|| Refused::forbidden("This stand-in keeps no more rooms."))?;
        told.extend(self.joined(&room, &bot.id, now));
        Ok(room)
    }

    /// A person rewords a message; a mention of the bot stays.
    pub fn edit(&mut self, message: &str, text: &str, now: Moment) -> Result<Vec<Dispatch>, String> {
        let old = self.of_a_person(message)?;
        if old.file.is_some() {
            return Err("a message with a file cannot be edited".to_owned());
        }
        let mut new = old.clone();
        let mentions = new.mentions(&self.people.bot.id);
        self.phrase(&mut new, text, mentions)?;
        new.updated = Some(now);
        Ok(self.reword(new, now))
    }

    /// A person deletes a message.
    pub fn delete(&mut self, message: &str, now: Moment) -> Result<Vec<Dispatch>, String> {
        let author = self.of_a_person(message)?.author.clone();
        Ok(self.unsay(message, &author, now))
    }

    fn of_a_person(&self, message: &str) -> Result<&Message, String> {
        let message = self.messages.get(message).ok_or("there is no such message")?;
        match message.author == self.people.bot.id {
            true => Err("this is the bot's own message".to_owned()),
            false => Ok(message),
        }
    }

    /// An empty message of whoever speaks in a room.
    fn begun(&self, room: &str, now: Moment) -> Result<Message, String> {
        let room = self.rooms.named(room)?;
        let speaker = room.speaker(&self.people.bot.id).ok_or("there is nobody in this room who could speak")?;
        Ok(Message::new(self.ids.id("MESSAGE"), room, speaker, now))
    }

    fn phrase(&self, message: &mut Message, text: &str, mentions: bool) -> Result<(), String> {
        if text.trim().is_empty() {
            return Err("an empty message cannot be sent".to_owned());
        }
        let within = |text: &str| match text.len() {
            0..=TEXT_BYTES_MAX => Ok(()),
            bytes => Err(format!("a message has at most {TEXT_BYTES_MAX} bytes, and this one has {bytes}")),
        };
        within(text)?;
        if !(message.group && mentions) {
            message.text = Some(text.to_owned());
            return Ok(());
        }
        let marked = markup::mentioning(text, &self.people.bot, self.settings.bare_mentions);
        within(&marked.text)?;
        message.text = Some(marked.text);
        message.html = Some(marked.html);
        message.mentioned = marked.mentioned;
        Ok(())
    }

    /// The message that a thread hangs from, by that of any message in it.
    fn top(&self, room: &str, thread: &str) -> Result<String, String> {
        let message = self.messages.get(thread).filter(|message| message.room == room);
        let message = message.ok_or("there is no such message in this room")?;
        Ok(message.parent.clone().unwrap_or_else(|| message.id.clone()))
    }

    /// Keeps a message and tells of it.
    pub(super) fn say(&mut self, message: Message, now: Moment) -> Vec<Dispatch> {
        if let Some(room) = self.rooms.get_mut(&message.room) {
            room.last_activity = now;
        }
        let happening = self.of_message(&message, "created", &message.author);
        let id = message.id.clone();
        self.messages.add(message);
        let told = self.tell(happening, now);
        if let Some(first) = told.first() {
            self.messages.change(&id, |message| message.dispatch = Some(first.number));
        }
        told
    }

    /// Puts a reworded message into the place of the old one and tells of it.
    pub(super) fn reword(&mut self, new: Message, now: Moment) -> Vec<Dispatch> {
        let happening = self.of_message(&new, "updated", &new.author);
        self.messages.change(&new.id.clone(), |message| *message = new);
        self.tell(happening, now)
    }

    /// Deletes a message and tells of it.
    pub(super) fn unsay(&mut self, id: &str, actor: &str, now: Moment) -> Vec<Dispatch> {
        let Some(message) = self.messages.get(id) else { return Vec::new() };
        let happening = self.of_message(message, "deleted", actor);
        self.messages.change(id, Message::delete);
        self.tell(happening, now)
    }

    /// What a message's webhooks are told, if the bot is told of it at all.
    fn of_message(&self, message: &Message, event: &'static str, actor: &str) -> Option<Happening> {
        let bot = &self.people.bot.id;
        let inside = self.rooms.get(&message.room).is_some_and(|room| room.has(bot));
        if !inside || !message.concerns(bot) {
            return None;
        }
        let mut traits = vec![
            ("roomId", message.room.clone()),
            ("roomType", if message.group { "group" } else { "direct" }.to_owned()),
            ("personId", message.author.clone()),
            ("personEmail", message.email.clone()),
            ("hasFiles", message.file.is_some().to_string()),
            ("hasAttachments", message.card.is_some().to_string()),
        ];
        traits.extend(message.mentioned.iter().map(|person| ("mentionedPeople", person.clone())));
        traits.extend(message.mentions(bot).then(|| ("mentionedPeople", "me".to_owned())));
        let happening = Happening::new("messages", event, actor, &message.told(), traits);
        happening.map(|happening| happening.of(&message.id))
    }

    fn tell(&mut self, happening: Option<Happening>, now: Moment) -> Vec<Dispatch> {
        let Some(happening) = happening else { return Vec::new() };
        self.outbox.tell(&happening, &self.webhooks, &self.people, now)
    }
}
