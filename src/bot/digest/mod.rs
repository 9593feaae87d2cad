//! The digest bot: tells what happened on a Facebook page in a week, when somebody asks and once a week of its own accord; as
//! messages, as a page for a browser, and as the JSON of a chat builder.
//!
//!     words      what somebody wants              web       who may see which page
//!     ask        a look at a week, remembered     html      a week for a browser
//!     feed       paths out, posts in              gallery   a week for a chat builder
//!     week       from when until when             say       sentences
//!     rank       sums, and the best posts
//!
//! All three show one result, which is remembered: the best five posts of a week and its sums. Whoever asks sees a sign that
//! somebody is at it when Facebook has to be asked first. It is told with its age when it could not be renewed. Groups are told of in recorded data only: Facebook has closed them (graph.md §1).

mod ask;
mod feed;
mod gallery;
mod html;
mod rank;
mod say;
#[cfg(test)]
mod tests;
mod web;
mod week;
mod words;

pub use feed::{Shape, is_id};
pub use web::Door;

use super::{Bot, BotFault, Desk, subscription};
use crate::model::{
    Button, Card, Content, CourtesyAct, Event, EventKind, Head, Page, Purpose, QuickReply, Reply, Visit, Weekday,
};
use ask::Known;
use feed::Trouble;
use jiff::tz::TimeZone;
use week::{Calendar, Which};
use words::Wish;

/// What a subscription asks, in the words of a person.
const WEEKLY: &str = "last week";
/// When somebody is told who does not say when: a new week has begun, and it is day.
const SUBSCRIBED_AT: &str = "9:00";

/// What the configuration says of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The upstream to ask, by its name in the configuration.
    pub upstream: String,
    pub shape: Shape,
    /// The page, or the group; where none is named, the only one that there is.
    pub id: Option<String>,
    /// Where its pages lie.
    pub door: Option<Door>,
    /// In which weeks are counted, and the day on which they begin.
    pub zone: TimeZone,
    pub starts: Weekday,
}

impl Settings {
    fn calendar(&self) -> Calendar {
        Calendar { zone: self.zone.clone(), starts: self.starts }
    }
}

/// Tells people of a page's week.
#[derive(Clone, Debug)]
pub struct Digest {
    set: Settings,
}

impl Bot for Digest {
    fn hear(&self, event: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        match &event.kind {
            EventKind::Alarm { note, .. } => self.ring(event, note, desk),
            EventKind::Joined => self.hear_words(event, "help", desk),
            kind => kind.words().map_or(Ok(Vec::new()), |words| self.hear_words(event, words, desk)),
        }
    }

    fn place(&self) -> Option<&str> {
        self.set.door.as_ref().map(|door| door.path.as_str())
    }

    fn opens(&self, head: &Head, below: &str) -> bool {
        self.set.door.as_ref().is_some_and(|door| web::has_secret(&door.secret, head, below))
    }

    fn page(&self, visit: &Visit, desk: &mut dyn Desk) -> Result<Option<Page>, BotFault> {
        web::page(&self.set, visit, desk)
    }
}

impl Digest {
    pub fn new(set: Settings) -> Digest {
        Digest { set }
    }

    fn hear_words(&self, event: &Event, text: &str, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let bare = text.trim().trim_end_matches(['!', '.']);
        let weekly = format!("subscribe {} {SUBSCRIBED_AT}", self.set.starts.name());
        let text = if bare.eq_ignore_ascii_case("subscribe") { &weekly } else { text };
        let zone = self.set.zone.iana_name().unwrap_or("UTC");
        if let Some(words) = subscription::parse(text, zone) {
            return subscription::handle(words, event, WEEKLY, "subscribe", desk);
        }
        let wish = words::wish(text);
        // Heard a second time, the sign has been shown.
        if desk.stage().is_none()
            && let Some(which) = wish.which()
            && Known::load(&self.set, desk, None, which)?.is_due(desk.now())
        {
            desk.go_on(Vec::new(), None)?;
            return Ok(said(event, vec![Content::Courtesy(CourtesyAct::TypingOn)]));
        }
        let (contents, _) = self.tell(wish, desk, false)?;
        Ok(said(event, contents))
    }

    /// What is said of our own accord. While the week is not known as a whole, trouble that passes is no reason to say less:
    /// it is tried again.
    fn ring(&self, event: &Event, note: &str, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let wish = match words::wish(note) {
            Wish::Help | Wish::Elsewhen | Wish::Unclear => Wish::Summary(Which::Last),
            wish => wish,
        };
        let (contents, trouble) = self.tell(wish, desk, true)?;
        if let Some(trouble) = trouble.filter(Trouble::passes) {
            let after = match trouble {
                Trouble::NotBefore(moment) => Some(moment.since(desk.now())),
                _ => None,
            };
            return Err(BotFault::Later { why: say::trouble(&trouble, &self.set), after });
        }
        let mut replies = said(event, contents);
        replies.iter_mut().for_each(|reply| reply.purpose = Purpose::Push);
        Ok(replies)
    }

    /// What is said to a wish; and the trouble of a look just now, where not all could be told.
    fn tell(
        &self,
        wish: Wish,
        desk: &mut dyn Desk,
        is_push: bool,
    ) -> Result<(Vec<Content>, Option<Trouble>), BotFault> {
        let set = &self.set;
        let text = |text: &str| Ok((vec![menu(text.to_owned())], None));
        let Some(which) = wish.which() else {
            return match wish {
                Wish::Groups if set.shape == Shape::Group => text(say::RECORDED),
                Wish::Groups => text(say::GROUPS),
                Wish::Elsewhen => text(say::ELSEWHEN),
                Wish::Unclear => text(&format!("I did not understand that. {}", say::HELP)),
                _ => text(say::HELP),
            };
        };
        let mut known = Known::load(set, desk, None, which)?;
        let mut trouble = None;
        let is_due = if is_push { !known.is_new(desk.now()) } else { known.is_due(desk.now()) };
        if is_due {
            (known, trouble) = ask::renew(set, desk, None, which, is_push)?;
        }
        let now = desk.now();
        let Some((_, sums)) = &known.seen else {
            return Ok((vec![menu(say::nothing(&known).to_owned())], trouble));
        };
        let contents = match wish {
            Wish::TopCommented(_) => self.best(&known, "commented", sums.commented.as_ref(), desk),
            Wish::TopShared(_) => self.best(&known, "shared", sums.shared.as_ref(), desk),
            _ => {
                let cards: Vec<_> = sums.top.iter().map(|post| self.card(post)).collect();
                let gallery = (!cards.is_empty()).then_some(Content::Gallery { cards });
                gallery.into_iter().chain(say::summary(&known, set, now).map(menu)).collect()
            }
        };
        Ok((contents, trouble.filter(|_| !known.is_whole())))
    }

    fn best(&self, known: &Known, what: &str, post: Option<&rank::Post>, desk: &dyn Desk) -> Vec<Content> {
        let card = post.map(|post| Content::Gallery { cards: vec![self.card(post)] });
        card.into_iter().chain([menu(say::best(known, what, post, &self.set, desk.now()))]).collect()
    }

    fn card(&self, post: &rank::Post) -> Card {
        let read = |url: &String| Button::Url { title: "Read".to_owned(), url: url.clone() };
        Card {
            title: say::card_title(post, &self.set),
            subtitle: Some(say::post_figures(post)),
            image_url: None,
            url: post.link.clone(),
            buttons: post.link.iter().map(read).collect(),
        }
    }
}

/// A text with what can be asked next below it.
fn menu(text: String) -> Content {
    let choice = |choice: &&str| QuickReply { title: (*choice).to_owned(), payload: (*choice).to_owned() };
    Content::Text { text, quick_replies: words::CHOICES.iter().map(choice).collect() }
}

fn said(event: &Event, contents: Vec<Content>) -> Vec<Reply> {
    contents.into_iter().map(|content| Reply { content, ..Reply::text(&event.conversation, "") }).collect()
}
