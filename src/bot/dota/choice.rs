//! The choice that is left to somebody when several players have a name. It may be answered later, by number or name, and
//! by whoever asked: in a room with others, "2" means something to nobody else. What is tapped says by itself which
//! player it means, so anybody may tap it.
//!
//!     choice space/room/anna     whom was offered, and what for

use super::ids::is_digits;
use super::opendota::account;
use super::say;
use super::words::Part;
use crate::bot::figures::unsigned;
use crate::bot::memory::{keep, load};
use crate::bot::{BotFault, Desk};
use crate::limits::DOTA_CHOICE_LIFE;
use crate::model::Event;
use serde_json::{Map, Value};

/// What is chosen between.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    /// As they were found.
    pub(super) hits: Vec<Value>,
    /// What was asked of one of them.
    pub(super) part: Part,
    /// The one who asked is one of them.
    pub(super) bind: bool,
}

fn key(event: &Event) -> String {
    format!("choice {}/{}/{}", event.id.channel, event.conversation, event.person)
}

/// A number as people answer with it: `3`, `#3`, `3.`.
fn bare(text: &str) -> &str {
    text.trim().trim_end_matches('.').trim_start_matches('#')
}

impl Choice {
    /// What was offered to the one who writes, and not so long ago.
    pub(super) fn load(desk: &mut dyn Desk, event: &Event) -> Result<Option<Choice>, BotFault> {
        let Some(kept) = load::<Value>(desk, &key(event))? else { return Ok(None) };
        let part = kept.get("part").and_then(Value::as_str).and_then(Part::named).unwrap_or_default();
        let hits = kept.get("hits").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(Some(Choice { hits, part, bind: kept.get("bind").and_then(Value::as_bool).unwrap_or(false) }))
    }

    /// Remembers what is offered.
    pub(super) fn keep(&self, desk: &mut dyn Desk, event: &Event) -> Result<(), BotFault> {
        let members = [
            ("hits", Value::Array(self.hits.clone())),
            ("part", Value::from(self.part.name())),
            ("bind", Value::Bool(self.bind)),
        ];
        let kept: Map<_, _> = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        keep(desk, &key(event), &Value::Object(kept), Some(DOTA_CHOICE_LIFE))
    }

    /// Those that a text chooses: one by its number, or all of a name. None when it is about something else.
    pub(super) fn chosen(&self, text: &str) -> Vec<Value> {
        let text = bare(text);
        let number = text.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        if let Some(hit) = number.and_then(|place| self.hits.get(place)) {
            return vec![hit.clone()];
        }
        let asked = say::clean(text).to_lowercase();
        let is_meant = |hit: &&Value| {
            let name = hit.get("personaname").and_then(Value::as_str).map(|name| say::clean(name).to_lowercase());
            name.is_some_and(|name| !name.is_empty() && name == asked)
                || unsigned(hit.get("account_id")).is_some_and(|id| id.to_string() == text)
        };
        self.hits.iter().filter(is_meant).cloned().collect()
    }

    /// Whether a text is a number like those that were offered, and is none of them. A longer one is an id.
    pub(super) fn is_beyond(&self, text: &str) -> bool {
        let digits = bare(text);
        !self.hits.is_empty() && digits.len() <= 2 && is_digits(digits)
    }

    /// The account of the only one.
    pub(super) fn only(hits: &[Value]) -> Option<u32> {
        match hits {
            [hit] => account(hit),
            _ => None,
        }
    }
}
