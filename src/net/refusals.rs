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

/// Why nothing should be sent here now.
pub(super) fn not_ready(why: &str) -> Refusal {
    Refusal::new(503, format!("not ready: {why}"))
}

/// The keeper gives no sign.
pub(super) fn silent() -> Refusal {
    not_ready("the keeper does not answer; is the disk stuck?")
}

/// Too many want to see a page.
pub(super) fn not_made() -> Refusal {
    Refusal { retry_after_s: Some(2), ..Refusal::new(503, "too many want to see a page just now; ask again") }
}

/// A page takes too long.
pub(super) fn late_page() -> Refusal {
    Refusal { retry_after_s: Some(5), ..Refusal::new(503, "this page takes longer than I may; ask again in a moment") }
}

/// Too many want to see something, or the store could not be read.
pub(super) fn not_shown() -> Refusal {
    Refusal { retry_after_s: Some(1), ..Refusal::new(503, "this cannot be shown just now; ask again") }
}
