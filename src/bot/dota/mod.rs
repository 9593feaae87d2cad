//! The Dota bot: tells people how a player of Dota 2 does, by name or id, as OpenDota knows it.
//!
//!     words      what somebody wants            people     who is who, and of whom was spoken
//!     answer     one answer, stage by stage     choice     several players of one name
//!     ask        calls, and what is remembered of their answers
//!     opendota   paths out, readings in         ids        32 and 64 bits
//!     say        sentences
//!
//! OpenDota's calls are scarce (60 a minute, 3,000 a day: opendota.md §1), so what was answered is good for a while, what
//! is needed together is paid for together, and whoever must wait is told so. Nothing unknown is told as zero, and what
//! could not be renewed is told with its age.

mod answer;
mod ask;
mod choice;
mod ids;
mod opendota;
mod people;
mod say;
#[cfg(test)]
mod tests;
mod words;

use super::{Bot, BotFault, Desk, subscription};
use crate::model::{Content, Event, EventKind, Reply};
use answer::Note;
use choice::Choice;
use words::{Part, Whom, Wish};

/// What the configuration says of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The upstream to ask, by its name in the configuration.
    pub upstream: String,
    /// Where people's times of day are, by its name in the IANA database.
    pub zone: String,
}

/// Tells people of players.
#[derive(Clone, Debug)]
pub struct Dota {
    set: Settings,
}

impl Bot for Dota {
    fn hear(&self, event: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        if let Some(stage) = desk.stage() {
            return match Note::read(stage) {
                Some(note) => answer::go_on(&self.set, event, desk, note),
                None => Ok(said(event, say::LOST)),
            };
        }
        match &event.kind {
            EventKind::Message { text, choice, .. } => {
                let text = text.as_deref().unwrap_or_default();
                match choice.as_deref().map(words::wish).filter(is_ours) {
                    Some(wish) => self.chosen(event, wish, desk),
                    None => self.hear_words(event, text, desk),
                }
            }
            EventKind::Joined => self.wish(event, Wish::Help, desk),
            EventKind::Alarm { note, .. } => self.wish(event, words::wish(note), desk),
            kind => kind.words().map_or(Ok(Vec::new()), |words| self.tapped(event, words, desk)),
        }
    }
}

/// Whether a wish can be one that we wrote: whoever else wrote it did not mean a player's name.
fn is_ours(wish: &Wish) -> bool {
    matches!(wish, Wish::Tell(_, Whom::Id(_)) | Wish::Bind(Whom::Id(_)))
}

fn said(event: &Event, text: &str) -> Vec<Reply> {
    vec![Reply::text(&event.conversation, text)]
}

impl Dota {
    pub fn new(set: Settings) -> Dota {
        Dota { set }
    }

    /// A button, or a link that somebody came by; an id may stand in one.
    fn tapped(&self, event: &Event, word: &str, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let wish = words::wish(word);
        let is_clear = is_ours(&wish) || ids::is_digits(word);
        self.wish(event, if is_clear { wish } else { Wish::Help }, desk)
    }

    /// Something was tapped. Of several, it is the one that somebody is only for whoever asked for that.
    fn chosen(&self, event: &Event, wish: Wish, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let wish = match wish {
            Wish::Tell(Part::Profile, Whom::Id(player)) => {
                let choice = Choice::load(desk, event)?.filter(|choice| choice.bind);
                let mut hits = choice.iter().flat_map(|choice| &choice.hits);
                let is_me = hits.any(|hit| opendota::account(hit) == Some(player));
                if is_me { Wish::Bind(Whom::Id(player)) } else { Wish::Tell(Part::Profile, Whom::Id(player)) }
            }
            wish => wish,
        };
        self.wish(event, wish, desk)
    }

    fn hear_words(&self, event: &Event, text: &str, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        if let Some(words) = subscription::parse(text, &self.set.zone) {
            return self.subscribe(event, words, desk);
        }
        if let Some(choice) = Choice::load(desk, event)? {
            let chosen = choice.chosen(text);
            if let Some(player) = Choice::only(&chosen) {
                let note = Note::new(player, String::new(), choice.part, choice.bind);
                return answer::begin(&self.set, event, desk, note);
            }
            if !chosen.is_empty() {
                let fewer = Choice { hits: chosen, ..choice };
                return answer::offer(event, desk, &fewer, "").map(|reply| vec![reply]);
            }
            if choice.is_beyond(text) {
                let more = say::beyond(choice.hits.len());
                return answer::offer(event, desk, &choice, &more).map(|reply| vec![reply]);
            }
        }
        self.wish(event, words::wish(text), desk)
    }

    fn wish(&self, event: &Event, wish: Wish, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let (part, whom, bind) = match wish {
            Wish::Tell(part, whom) => (part, whom, false),
            Wish::Bind(whom) => (Part::Profile, whom, true),
            Wish::Forget => {
                people::forget(desk, event)?;
                return Ok(said(event, say::FORGOTTEN));
            }
            Wish::Help => return Ok(said(event, say::HELP)),
            Wish::TooShort => return Ok(said(event, say::TOO_SHORT)),
            Wish::TooLong => return Ok(said(event, say::TOO_LONG)),
            Wish::NoId => return Ok(said(event, say::NO_ID)),
            Wish::NoLink => return Ok(said(event, say::NO_LINK)),
            Wish::Thanks => return Ok(said(event, say::WELCOME)),
            Wish::Near(meant) => return Ok(vec![answer::ask_back(event, meant)]),
        };
        let mut name = String::new();
        let (player, unknown) = match whom {
            Whom::Id(player) => (Some(player), ""),
            Whom::Me => (people::me(desk, event)?, say::STRANGER),
            Whom::Last => (self.last(event, desk)?, say::NOBODY_YET),
            Whom::Name(wanted) => {
                name = wanted;
                (Some(0), "")
            }
        };
        let Some(player) = player else { return Ok(said(event, unknown)) };
        answer::begin(&self.set, event, desk, Note::new(player, name, part, bind))
    }

    /// Of whom was spoken last; else the one who writes.
    fn last(&self, event: &Event, desk: &mut dyn Desk) -> Result<Option<u32>, BotFault> {
        match people::spoken(desk, event)? {
            Some(player) => Ok(Some(player)),
            None => people::me(desk, event),
        }
    }

    /// The last week, every week or whenever it is wanted, of the one who asks, or of whom was spoken last.
    fn subscribe(
        &self,
        event: &Event,
        words: subscription::Words,
        desk: &mut dyn Desk,
    ) -> Result<Vec<Reply>, BotFault> {
        let player = match people::me(desk, event)? {
            Some(player) => Some(player),
            None => self.last(event, desk)?,
        };
        let is_new = matches!(words, subscription::Words::Subscribe(_));
        let Some(player) = player.or((!is_new).then_some(0)) else { return Ok(said(event, say::STRANGER)) };
        let mut replies = subscription::handle(words, event, &Part::Week.of(player), "subscribe mon 9:00", desk)?;
        if let Some(Content::Text { text, .. }) = replies.first_mut().map(|reply| &mut reply.content).filter(|_| is_new)
        {
            text.push_str(&say::subscribed(&ask::Shelf::load(desk, player)?));
        }
        Ok(replies)
    }
}
