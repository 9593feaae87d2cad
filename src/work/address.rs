//! What the world calls this daemon, as far as that is known by now: written in the configuration, or found out later.

use std::sync::{PoisonError, RwLock};

/// The public URL, without a slash at its end.
#[derive(Debug, Default)]
pub struct Address(RwLock<Option<String>>);

impl Address {
    /// From now on it is this one.
    pub fn learn(&self, url: &str) {
        let known = self.get();
        if known.as_deref() != Some(url) {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(url.trim_end_matches('/').to_owned());
        }
    }

    /// The one that was learnt last.
    pub fn get(&self) -> Option<String> {
        // Whoever panicked while holding it had either written all of it or nothing.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
