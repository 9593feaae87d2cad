//! Who we are on a platform whose rules depend on it: asked there, remembered here, so that a restart needs no answer.

use super::Channel;
use super::fetch::Fetch;
use crate::model::{Delivery, MemoryWrite, Moment, Outcome};
use crate::platform::Account;

/// Under which name accounts are remembered, one key for each channel. No bot can be called so.
pub const ACCOUNTS: &str = "channel accounts";

/// Asks the platform who we are there. `Ok(None)` when it need not be asked; otherwise what is to be remembered of the
/// answer. An error has the answer's status beside it.
pub fn introduce(
    channel: &Channel,
    fetch: &Fetch,
    clock: fn() -> Moment,
) -> Result<Option<MemoryWrite>, (Delivery, Option<u16>)> {
    let Some(question) = channel.platform.introduction() else { return Ok(None) };
    let outcome = fetch.call(&question);
    let status = match &outcome {
        Outcome::Answered(answer) => Some(answer.status),
        Outcome::Failed(_) => None,
    };
    let account = channel.platform.introduced(&outcome, clock()).map_err(|delivery| (*delivery, status))?;
    let value = serde_json::to_vec(&account).ok();
    log::info!(channel = channel.name; "channel {}: we are {}", channel.name, account.name);
    channel.platform.meet(account);
    Ok(Some(MemoryWrite { bot: ACCOUNTS.to_owned(), key: channel.name.clone(), value, expires: None }))
}

/// Introduces a channel by what was remembered of it.
pub fn meet_again(channel: &Channel, remembered: &[u8]) {
    match serde_json::from_slice::<Account>(remembered) {
        Ok(account) => channel.platform.meet(account),
        Err(error) => {
            let name = &*channel.name;
            log::warn!(channel = name; "channel {name}: what was remembered of its account is unreadable: {error}");
        }
    }
}
