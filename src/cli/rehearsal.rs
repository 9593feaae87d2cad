//! One kept event, heard again by the bot of another configuration, as `work/hear.rs` would have it heard.

use super::dry::DryDesk;
use crate::bot::BotFault;
use crate::model::{Content, Event, EventId, OWNER_CONFIGURATION, Picture, PictureName, Reply};
use crate::notation::shelf::Shelf;
use crate::platform::{Kept, Recalled};
use crate::store::sqlite::Reader;
use crate::store::{Life, State};
use crate::work::{Channel, answer, rung};

/// What is said to an event; and without a word, why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) replies: Vec<Reply>,
    pub(super) dead: Option<String>,
}

/// The channels of a configuration, and the store.
pub(super) struct Rehearsal<'a> {
    pub(super) reader: &'a Reader,
    pub(super) channels: Vec<Channel>,
    /// Pictures that bots make can be shown under a public URL.
    pub(super) shows_pictures: bool,
}

impl Rehearsal<'_> {
    /// What was said; or why that is not known.
    pub(super) fn before(&self, life: &Life) -> Result<Said, String> {
        if life.state == State::Open {
            return Err("not answered yet".to_owned());
        }
        let replies: Vec<Reply> = life.replies.iter().map(|reply| nameless(reply.reply.clone())).collect();
        let dead = life.why.clone().filter(|_| life.state == State::Dead && replies.is_empty());
        Ok(Said { replies, dead })
    }

    /// What would be said; or why that cannot be known here.
    pub(super) fn now(&self, life: &Life) -> Result<Said, String> {
        let channel = self.channels.iter().find(|channel| channel.name == life.id.channel);
        let channel = channel.ok_or_else(|| "no channel of that name".to_owned())?;
        let event = match life.ring() {
            Some(ring) if ring.set.owner != channel.bot_name && ring.set.owner != OWNER_CONFIGURATION => None,
            Some(ring) => Some(rung(ring, life.id.clone(), &life.conversation)),
            None => recalled(life, channel)?,
        };
        match event {
            Some(event) => self.heard(life, channel, &event),
            None => Ok(Said { replies: Vec::new(), dead: None }),
        }
    }

    /// All stages of an answer, one after the other.
    fn heard(&self, life: &Life, channel: &Channel, event: &Event) -> Result<Said, String> {
        let mut desk = DryDesk {
            reader: self.reader,
            channel,
            event: (life.event, event),
            now: life.received,
            stage: None,
            rest: None,
            memory: Shelf::new(),
            missed: None,
        };
        let mut said = Said { replies: Vec::new(), dead: None };
        loop {
            let heard = answer(event, channel, &mut desk, &mut |reply| self.hung(reply, channel));
            if let Some(missed) = desk.missed {
                return Err(missed);
            }
            match heard {
                Ok(replies) => said.replies.extend(replies.into_iter().map(nameless)),
                Err(BotFault::Never { why }) => {
                    // What was said in earlier stages is sent.
                    said.dead = said.replies.is_empty().then(|| format!("bot {}: {why}", channel.bot_name));
                    return Ok(said);
                }
                Err(BotFault::Later { why, .. }) => return Err(why),
            }
            let Some((stage, due)) = desk.rest.take() else { return Ok(said) };
            desk.now = due.map_or(desk.now, |due| due.max(desk.now));
            desk.stage = Some(stage);
        }
    }

    /// A picture as it would be shown, without the name that only chance gives it.
    fn hung(&self, mut reply: Reply, channel: &Channel) -> Reply {
        if let Content::Picture { picture, .. } = &mut reply.content
            && self.shows_pictures
            && !channel.platform.takes_uploads()
        {
            *picture = Picture::At(PictureName::PATH.to_owned());
        }
        reply
    }
}

/// The event as its bot hears it; nothing when it is not for the bot.
fn recalled(life: &Life, channel: &Channel) -> Result<Option<Event>, String> {
    let platform = &channel.platform;
    let asks = || format!("asks platform {}", platform.name());
    if !platform.is_introduced() {
        return Err(asks());
    }
    let id = EventId { part: None, ..life.id.clone() };
    let kept = Kept { id, conversation: &life.conversation, received: life.received, raw: &life.raw };
    let recalled = match platform.look_up(&kept) {
        Ok(Some(_)) => return Err(asks()),
        Ok(None) => platform.recall(&kept, None, 1, life.received),
        Err(recalled) => *recalled,
    };
    match recalled {
        Recalled::Event(event) => Ok(Some(event)),
        Recalled::Own { .. } | Recalled::Ignored(_) => Ok(None),
        Recalled::Failed(delivery) => {
            Err(format!("cannot be read: {}", delivery.why().unwrap_or("the platform does not say why")))
        }
    }
}

/// A reply without what is another one each time: when it was made, and the name of a picture.
fn nameless(mut reply: Reply) -> Reply {
    reply.dated = None;
    if let Content::Image { url } = &mut reply.content
        && url.contains(PictureName::PATH)
    {
        *url = "a picture that the bot made".to_owned();
    }
    reply
}
