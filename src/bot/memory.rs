//! What bots remember as JSON. What cannot be read back is as if it were not there.

use super::{BotFault, Desk};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// What is remembered under a key.
pub fn load<T: DeserializeOwned>(desk: &mut dyn Desk, key: &str) -> Result<Option<T>, BotFault> {
    Ok(desk.recall(key)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Remembers something for so long.
pub fn keep<T: Serialize>(desk: &mut dyn Desk, key: &str, value: &T, life: Option<Duration>) -> Result<(), BotFault> {
    let bytes = serde_json::to_vec(value).map_err(|error| BotFault::Never { why: format!("{key}: {error}") })?;
    let expires = life.map(|life| desk.now().after(life));
    desk.remember(key, bytes, expires)
}
