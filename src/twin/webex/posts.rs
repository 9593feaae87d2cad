//! What a bot writes: `POST`, `PUT` and `DELETE /messages` with their checks (webex.md §7).

use super::call::{Members, found, required, text};
use super::id::is_id;
use super::messages::{File, Message};
use super::people::Person;
use super::refusal::Refused;
use super::rooms::Room;
use super::{Webex, card, markup};
use crate::model::{Moment, Response};
use crate::twin::Dispatch;
use serde_json::Value;

/// Longest text, and longest markdown, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 7439;

/// A message before it is known where it goes.
struct Draft {
    text: Option<String>,
    markdown: Option<String>,
    /// A file's URL, or the file itself as one.
    file: Option<String>,
    card: Option<Value>,
}

impl Draft {
    /// `upload` is a file that came with it. `private_files`: whether one may lie where Webex itself could not fetch it.
    fn read(members: &Members, upload: Option<String>, private_files: bool) -> Result<Draft, Refused> {
        let draft = Draft {
            text: words(members, "text")?,
            markdown: words(members, "markdown")?,
            file: upload.map_or_else(|| file(members, private_files), |upload| Ok(Some(upload)))?,
            card: card(members)?,
        };
        let wordless = draft.text.is_none() && draft.markdown.is_none();
        if draft.card.is_some() && wordless {
            return Err(Refused::bad("A message with attachments needs text or markdown beside them."));
        }
        if draft.file.is_none() && wordless {
            return Err(Refused::bad("The message needs text, markdown or files."));
        }
        Ok(draft)
    }
}

fn words(members: &Members, name: &str) -> Result<Option<String>, Refused> {
    match text(members, name)? {
        Some(text) if text.len() > TEXT_BYTES_MAX => {
            let why = format!("{name} has {} bytes; at most {TEXT_BYTES_MAX} are allowed.", text.len());
            Err(Refused::bad(why))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// The one item that a list may have.
fn only<'a>(members: &'a Members, name: &str) -> Result<Option<&'a Value>, Refused> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => match items.as_slice() {
            [] => Ok(None),
            [item] => Ok(Some(item)),
            _ => Err(Refused::bad(format!("Only one of {name} is allowed in a message."))),
        },
        Some(_) => Err(Refused::bad(format!("{name} is no list."))),
    }
}

fn file(members: &Members, private: bool) -> Result<Option<String>, Refused> {
    match only(members, "files")? {
        None => Ok(None),
        Some(Value::String(url)) if is_public(url) || private && beyond_scheme(url).is_some() => Ok(Some(url.clone())),
        Some(_) => Err(Refused::bad("files must hold the public URL of a file.")),
    }
}

fn card(members: &Members) -> Result<Option<Value>, Refused> {
    let Some(attachment) = only(members, "attachments")? else { return Ok(None) };
    let content_type = attachment.get("contentType").and_then(Value::as_str);
    if content_type != Some(card::CONTENT_TYPE) {
        return Err(Refused::bad(format!("The contentType of an attachment must be {}.", card::CONTENT_TYPE)));
    }
    let content = attachment.get("content").unwrap_or(&Value::Null);
    card::fault(content).map_or_else(|| Ok(Some(content.clone())), |fault| Err(Refused::bad(fault)))
}

/// What follows `https://` or `http://`; `None` for what is no URL of the web.
pub(super) fn beyond_scheme(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    url.bytes().all(|byte| byte.is_ascii_graphic()).then_some(rest)
}

/// Whether Webex could fetch it: http or https, and no address of a house's own network.
fn is_public(url: &str) -> bool {
    let Some(rest) = beyond_scheme(url) else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(address) = host.strip_prefix('[') {
        let address = address.split(']').next().unwrap_or_default().parse::<std::net::Ipv6Addr>();
        return address.is_ok_and(|address| {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.to_ipv4_mapped().is_some())
        });
    }
    let host = host.split(':').next().unwrap_or_default().trim_end_matches('.');
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        return !(address.is_loopback() || address.is_unspecified() || address.is_private() || address.is_link_local());
    }
    host.contains('.') && !host.ends_with(".localhost")
}

/// Whom a message is for.
enum To<'a> {
    Room(&'a str),
    /// A person's id.
    Person(&'a str),
    Email(&'a str),
}

fn recipient(members: &Members) -> Result<To<'_>, Refused> {
    let room = text(members, "roomId")?.map(To::Room);
    let person = text(members, "toPersonId")?.map(To::Person);
    let email = text(members, "toPersonEmail")?.map(To::Email);
    let mut named = [room, person, email].into_iter().flatten();
    match (named.next(), named.next()) {
        (Some(to), None) => Ok(to),
        _ => Err(Refused::bad("Exactly one of roomId, toPersonId and toPersonEmail must be there.")),
    }
}

impl Webex {
    /// `POST /messages`.
    pub(super) fn post(
        &mut self,
        members: &Members,
        upload: Option<String>,
        now: Moment,
        told: &mut Vec<Dispatch>,
    ) -> Result<Response, Refused> {
        let draft = Draft::read(members, upload, self.settings.private_files)?;
        let to = recipient(members)?;
        let parent = text(members, "parentId")?;
        let room = match to {
            To::Room(id) => Some(self.writable(id)?.clone()),
            To::Person(id) => self.direct_room(Some(self.people.get(id).ok_or_else(Refused::not_found)?))?,
            To::Email(email) => self.direct_room(self.people.by_email(email))?,
        };
        self.top_message(parent, room.as_ref())?;
        let room = match (room, to) {
            (Some(room), _) => room,
            (None, To::Email(email)) => {
                let person = self.people.invited(email, &self.ids, now)?.id;
                self.open_direct(&person, now, told)?
            }
            (None, To::Person(id)) => self.open_direct(id, now, told)?,
            (None, To::Room(_)) => return Err(Refused::not_found()),
        };
        let message = self.written(draft, &room, parent, now);
        let answer = found(&message.shown());
        told.extend(self.say(message, now));
        Ok(answer)
    }

    /// A room that the bot may write in: an unknown one is not found, one that it has left is forbidden.
    fn writable(&self, id: &str) -> Result<&Room, Refused> {
        if !is_id(id) {
            return Err(Refused::no_id());
        }
        let room = self.rooms.get(id).ok_or_else(Refused::not_found)?;
        if room.has(&self.people.bot.id) { Ok(room) } else { Err(Refused::room()) }
    }

    /// The direct room with somebody, if there is one.
    fn direct_room(&self, person: Option<&Person>) -> Result<Option<Room>, Refused> {
        let Some(person) = person else { return Ok(None) };
        if person.id == self.people.bot.id {
            return Err(Refused::bad("A bot has no room with itself."));
        }
        Ok(self.rooms.direct(&person.id).cloned())
    }

    /// A thread hangs from a message of the same room that hangs from none itself.
    fn top_message(&self, parent: Option<&str>, room: Option<&Room>) -> Result<(), Refused> {
        let Some(parent) = parent else { return Ok(()) };
        let message = self.messages.get(parent).filter(|message| room.is_some_and(|room| room.id == message.room));
        match message {
            None => Err(Refused::bad("parentId names no message of this room.")),
            Some(message) if message.parent.is_some() => {
                Err(Refused::bad("parentId names a reply; threads are one level deep."))
            }
            Some(_) => Ok(()),
        }
    }

    fn written(&self, draft: Draft, room: &Room, parent: Option<&str>, now: Moment) -> Message {
        let mut message = Message::new(self.ids.id("MESSAGE"), room, &self.people.bot, now);
        message.parent = parent.map(str::to_owned);
        message.file = draft.file.map(|source| self.filed(source));
        message.card = draft.card;
        self.word(&mut message, draft.text, draft.markdown);
        message
    }

    /// Gives a message its words. Beside markdown, a text is what those see who cannot show it.
    fn word(&self, message: &mut Message, text: Option<String>, markdown: Option<String>) {
        let marked = markdown.as_ref().map(|source| markup::markdown(source, &self.people));
        let (plain, html, mentioned) = match marked {
            Some(marked) => (Some(marked.text), Some(marked.html), marked.mentioned),
            None => (None, None, Vec::new()),
        };
        message.text = text.or(plain);
        message.html = html;
        message.markdown = markdown;
        message.mentioned = mentioned;
    }

    /// A file under the URL that Webex gives it.
    pub(super) fn filed(&self, source: String) -> File {
        let id = self.ids.id("CONTENT");
        File { url: format!("{}/contents/{id}", self.settings.api), id, source }
    }

    /// `PUT /messages/{id}`: new words for a message of the bot's own that has nothing but words.
    pub(super) fn edit_own(
        &mut self,
        id: &str,
        members: &Members,
        now: Moment,
        told: &mut Vec<Dispatch>,
    ) -> Result<Response, Refused> {
        let old = self.own(id)?;
        let room = required(members, "roomId")?;
        if room != old.room {
            return Err(Refused::bad("roomId is not the room of this message."));
        }
        if old.file.is_some() || old.card.is_some() {
            return Err(Refused::bad("A message with files or attachments cannot be edited."));
        }
        let (text, markdown) = (words(members, "text")?, words(members, "markdown")?);
        if text.is_none() && markdown.is_none() {
            return Err(Refused::bad("The message needs text or markdown."));
        }
        let mut new = old.clone();
        self.word(&mut new, text, markdown);
        new.updated = Some(now);
        let answer = found(&new.shown());
        told.extend(self.reword(new, now));
        Ok(answer)
    }

    /// `DELETE /messages/{id}`, of the bot's own.
    pub(super) fn delete_own(&mut self, id: &str, now: Moment, told: &mut Vec<Dispatch>) -> Result<Response, Refused> {
        self.own(id)?;
        let bot = self.people.bot.id.clone();
        told.extend(self.unsay(id, &bot, now));
        Ok(Response { content_type: "", ..Response::text(204, "") })
    }

    fn own(&self, id: &str) -> Result<&Message, Refused> {
        let message = self.readable(id)?;
        if message.author == self.people.bot.id { Ok(message) } else { Err(Refused::room()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_url_that_webex_could_fetch_is_public() {
        for url in [
            "https://example.com/a.png",
            "http://user@example.com:8080?x",
            "https://8.8.8.8/",
            "https://[2001:db8::1]/x",
        ] {
            assert!(is_public(url), "{url}");
        }
        for url in [
            "example.com/a.png",
            "ftp://example.com/a",
            "file:///etc/passwd",
            "https://",
            "https://localhost/a",
            "https://a.localhost/a",
            "https://127.0.0.1:80/a",
            "https://10.1.2.3/a",
            "https://192.168.0.1/a",
            "https://169.254.1.1/a",
            "https://[::1]/a",
            "https://[fe80::1]/a",
            "https://[::ffff:127.0.0.1]/a",
            "https://me@127.0.0.1/a",
            "https://example.com/a b",
            "https://8.8.8.8/a\r\nx: y",
        ] {
            assert!(!is_public(url), "{url}");
        }
    }
}
