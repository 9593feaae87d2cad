//! What workers keep in the store under names that no bot can have: one value at a time.

use crate::keeper::Letter;
use crate::model::{MemoryWrite, Moment};
use std::sync::mpsc::{Sender, sync_channel};

/// What is kept under a key. An error says that everything ends.
pub(super) fn recall(keeper: &Sender<Letter>, owner: &str, key: &str) -> Result<Option<Vec<u8>>, &'static str> {
    let (answer, found) = sync_channel(1);
    let letter = Letter::Recall { bot: owner.to_owned(), key: key.to_owned(), answer };
    keeper.send(letter).map_err(|_| "ackd is stopping")?;
    found.recv().map_err(|_| "ackd is stopping")
}

/// Keeps a value, or forgets it; whether that is on the disk.
pub(super) fn keep(
    keeper: &Sender<Letter>,
    owner: &str,
    key: &str,
    value: Option<Vec<u8>>,
    expires: Option<Moment>,
) -> bool {
    let write = MemoryWrite { bot: owner.to_owned(), key: key.to_owned(), value, expires };
    let (answer, kept) = sync_channel(1);
    keeper.send(Letter::Keep { write, answer }).is_ok() && kept.recv().unwrap_or(false)
}
