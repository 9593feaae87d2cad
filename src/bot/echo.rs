//! The echo bot: text comes back exactly as it was; for anything else there is one configurable sentence.

use super::{Bot, BotFault, Desk};
use crate::model::{Event, EventKind, Reply};

/// What is said when there is nothing to echo, unless configured.
pub const OTHERWISE: &str = "I can't echo this";

/// Says what it hears.
#[derive(Clone, Debug)]
pub struct Echo {
    otherwise: String,
}

impl Echo {
    /// `otherwise` is said to everything that has no text; empty for silence.
    pub fn new(otherwise: impl Into<String>) -> Echo {
        Echo { otherwise: otherwise.into() }
    }
}

impl Bot for Echo {
    fn hear(&self, event: &Event, _desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let said = match (&event.kind, event.text()) {
            (_, Some(text)) => text,
            (EventKind::Alarm { note, .. }, _) => note,
            (EventKind::Message { .. } | EventKind::Postback { .. }, None) => &self.otherwise,
            _ => "",
        };
        if said.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Reply::text(&event.conversation, said)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::paper::Paper;
    use crate::model::{Attachment, EventId, Moment};

    fn said(bot: &Echo, kind: EventKind) -> Vec<Reply> {
        let id = EventId { channel: "page".to_owned(), place: 1, part: None };
        let (conversation, person) = ("7".to_owned(), "7".to_owned());
        let event = Event { id, conversation, person, thread: None, happened: Moment(0), kind };
        let mut desk = Paper::default();
        let said = bot.hear(&event, &mut desk).unwrap();
        assert!(desk.memory.is_empty(), "an echo remembers nothing");
        said
    }

    fn message(text: Option<&str>, attachments: Vec<Attachment>) -> EventKind {
        EventKind::Message { text: text.map(str::to_owned), attachments, choice: None }
    }

    #[test]
    fn text_comes_back_exactly_as_it_was() {
        let bot = Echo::new(OTHERWISE);
        for text in ["hello", " two  spaces ", "👨\u{200D}👩\u{200D}👧", "a\nb", &"é".repeat(2000)] {
            assert_eq!(said(&bot, message(Some(text), Vec::new())), [Reply::text("7", text)]);
        }
    }

    #[test]
    fn what_has_no_text_is_answered_with_the_sentence() {
        let bot = Echo::new("Say something");
        let image = Attachment { kind: "image".to_owned(), url: None, title: None };
        for kind in [
            message(None, vec![image]),
            message(Some(""), Vec::new()),
            message(None, Vec::new()),
            EventKind::Postback { title: Some("Today".to_owned()), payload: None, referral: None },
        ] {
            assert_eq!(said(&bot, kind), [Reply::text("7", "Say something")]);
        }
    }

    #[test]
    fn what_is_no_message_is_met_with_silence() {
        let bot = Echo::new(OTHERWISE);
        for kind in [
            EventKind::Referral { referral: None },
            EventKind::OptIn { topic: None, stopped: true },
            EventKind::Other { kind: "order".to_owned() },
        ] {
            assert_eq!(said(&bot, kind), []);
        }
    }

    #[test]
    fn an_empty_sentence_is_silence() {
        assert_eq!(said(&Echo::new(""), message(None, Vec::new())), []);
    }
}
