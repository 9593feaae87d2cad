//! A Webex twin whose people also do what no chat page offers: a text that begins with `/` is a deed, and nobody says it.

use ackd::model::{Moment, Request, Response};
use ackd::twin::webex::Webex;
use ackd::twin::{Act, Bubble, Conversation, Dispatch, End, Mishap, Reaction, Twin};

/// `/edit ID words`, `/delete ID`, `/out`, `/in`, each said in the room that it is about.
pub struct Deeds(pub Webex);

impl Twin for Deeds {
    fn act(&mut self, act: &Act, now: Moment) -> Result<Vec<Dispatch>, String> {
        let Act::Say { conversation, text, .. } = act else { return self.0.act(act, now) };
        let mut words = text.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("/edit"), Some(message), Some(text)) => self.0.edit(message, text, now),
            (Some("/delete"), Some(message), None) => self.0.delete(message, now),
            (Some("/out"), None, None) => self.0.remove(conversation, now),
            (Some("/in"), None, None) => self.0.take_in(conversation, now),
            _ => self.0.act(act, now),
        }
    }

    fn platform(&self) -> &'static str {
        self.0.platform()
    }

    fn conversations(&self) -> Vec<Conversation> {
        self.0.conversations()
    }

    fn answer(&mut self, request: &Request, now: Moment) -> Reaction {
        self.0.answer(request, now)
    }

    fn ended(&mut self, dispatch: &Dispatch, end: &End, now: Moment) -> Vec<Dispatch> {
        self.0.ended(dispatch, end, now)
    }

    fn bubbles(&self, after: u64) -> Vec<Bubble> {
        self.0.bubbles(after)
    }

    fn mishap(&mut self, mishap: Mishap, now: Moment) -> Response {
        self.0.mishap(mishap, now)
    }

    fn lane(&self, dispatch: &Dispatch) -> u64 {
        self.0.lane(dispatch)
    }

    fn is_satisfied(&self, dispatch: &Dispatch, end: &End) -> bool {
        self.0.is_satisfied(dispatch, end)
    }
}
