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
            (EventKind::Message { .. } | EventKind::Postback { .. }, None) => &self.otherwise,
            _ => "",
        };
        if said.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Reply::text(&event.conversation, said)])
    }
}
