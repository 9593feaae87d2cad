//! What the loop says itself when something cannot be done now.

use crate::model::Refusal;

/// The keeper has too much already.
pub(super) fn busy() -> Refusal {
    Refusal { retry_after_s: Some(1), ..Refusal::new(503, "too many requests at once; nothing was kept") }
}

/// The store could not be written.
pub(super) fn not_kept() -> Refusal {
    Refusal { retry_after_s: Some(5), ..Refusal::new(503, "the event could not be kept; send it again") }
}

/// Too many want to see something, or the store could not be read.
pub(super) fn not_shown() -> Refusal {
    Refusal { retry_after_s: Some(1), ..Refusal::new(503, "this cannot be shown just now; ask again") }
}
