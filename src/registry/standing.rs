//! How each channel stood when it was last looked at. Written by the registrar, read by whoever shows it.

use crate::model::Moment;
use crate::notation::shelf::Shelf;
use std::sync::{Mutex, PoisonError};

/// The end of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub at: Moment,
    /// What was wrong and stayed so; empty when all is well.
    pub wrong: Vec<String>,
}

/// The last look at each channel, by the channel's name. It is held for as long as it takes to copy one.
#[derive(Debug, Default)]
pub struct Standing(Mutex<Shelf<String, Look>>);

impl Standing {
    /// Keeps a look; the one before it is given back.
    pub fn looked(&self, channel: &str, look: Look) -> Option<Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(channel.to_owned(), look)
    }

    /// The last look at each channel that was looked at.
    pub fn looks(&self) -> Shelf<String, Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
