//! What a command has the store remember for a bot, as if the bot had: through the daemon that holds it, or on its own.

use super::reach::{self, Done, Errand};
use super::{CliError, World};
use crate::keeper::{KEPT, carry_out};
use crate::model::{Moment, Order, Secret};
use crate::store::Store;
use crate::store::sqlite::Engine;
use serde_json::json;
use std::path::Path;

/// Something to remember.
pub(super) struct Keepsake<'a> {
    /// A bot, or another of the store's names.
    pub bot: &'a str,
    pub key: &'a str,
    /// JSON.
    pub value: &'a Secret,
    pub expires: Option<Moment>,
}

/// Who remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    ByDaemon,
    Here,
}

impl Keepsake<'_> {
    /// Has it remembered; that is durable then.
    pub(super) fn keep(&self, store: &Path, world: &World<'_>) -> Result<Kept, CliError> {
        let (bot, key, expires) = (self.bot, self.key, self.expires);
        // Written as the JSON that it is, and not as a text.
        let json = format!(
            "{{\"bot\":{},\"key\":{},\"expires\":{},\"value\":{}}}",
            json!(bot),
            json!(key),
            json!(expires),
            self.value.expose()
        );
        let value = self.value.clone();
        let order = Order::Remember { bot: bot.to_owned(), key: key.to_owned(), value, expires };
        let here = &mut |store: &mut Engine<'_>| {
            let lines = carry_out(store, &order, &[], (world.clock)())?;
            store.commit()?;
            Ok(lines)
        };
        let errand = Errand { path: "/remember", json: json.into_bytes(), repeatable: true, here };
        let (lines, kept) = match reach::run(store, errand, world)? {
            Done::ByDaemon(lines) => (lines, Kept::ByDaemon),
            Done::Here(lines) => (lines, Kept::Here),
        };
        match lines.as_slice() {
            [line] if line == KEPT => Ok(kept),
            lines => Err(CliError::Failed(format!("it was not kept: {}", lines.join("; ")))),
        }
    }
}
