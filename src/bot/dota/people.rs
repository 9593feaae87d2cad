//! Who is who: which player somebody is, and of whom was spoken last.
//!
//!     me page/2468         the player that a person is
//!     spoken page/2468     the player that was spoken of last in a conversation
//!
//! In a room with others "me" is everybody's own, and who was spoken of is known to all.

use crate::bot::memory::{keep, load};
use crate::bot::{BotFault, Desk};
use crate::limits::DOTA_SPOKEN_LIFE;
use crate::model::Event;

fn me_key(event: &Event) -> String {
    format!("me {}/{}", event.id.channel, event.person)
}

fn spoken_key(event: &Event) -> String {
    format!("spoken {}/{}", event.id.channel, event.conversation)
}

/// The player that the one who writes is.
pub(super) fn me(desk: &mut dyn Desk, event: &Event) -> Result<Option<u32>, BotFault> {
    load(desk, &me_key(event))
}

/// Takes somebody for this player from now on.
pub(super) fn bind(desk: &mut dyn Desk, event: &Event, player: u32) -> Result<(), BotFault> {
    keep(desk, &me_key(event), &player, None)
}

/// Forgets who somebody is.
pub(super) fn forget(desk: &mut dyn Desk, event: &Event) -> Result<(), BotFault> {
    desk.forget(&me_key(event))
}

/// The player that was spoken of last.
pub(super) fn spoken(desk: &mut dyn Desk, event: &Event) -> Result<Option<u32>, BotFault> {
    load(desk, &spoken_key(event))
}

/// Now this player is spoken of.
pub(super) fn speak_of(desk: &mut dyn Desk, event: &Event, player: u32) -> Result<(), BotFault> {
    keep(desk, &spoken_key(event), &player, Some(DOTA_SPOKEN_LIFE))
}
