//! What is asked of the inspector, at the operator's door.

use super::{Door, Verdict, below, is_longer, nothing_here, only};
use crate::inspector::{self, Wish};
use crate::limits;
use crate::model::visit::is_from_here;
use crate::model::{Claim, Head, Host, Refusal, Request, Visit};

/// What of a path lies below the inspector, which is at the operator's door and nowhere else. There it comes before all
/// other places; the configuration sees to it that none lies in its way.
pub(super) fn below_it(door: Door, head: &Head) -> Option<&str> {
    if door.is_admin() { below(head.path(), inspector::PLACE) } else { None }
}

/// What decides on many events names each of them, so this form may be longer than others.
pub(super) fn gate(path: &str, head: &Head) -> Result<(), Refusal> {
    let wish = Wish::of(path).ok_or_else(nothing_here)?;
    if is_spied_on(wish, head) {
        return Err(Refusal::new(403, "this was asked for by a page of somebody else, and is not told"));
    }
    match wish.takes(head.method) {
        Ok(()) if is_longer(head, limits::DECISION_BYTES_MAX) => {
            Err(Refusal::new(413, "this names too many events at once"))
        }
        fits => fits.or_else(|allow| only(false, allow)),
    }
}

/// Whether a browser asks for what is kept on behalf of another site's page. That could not read the answer, but see how long
/// it takes, which tells whether a word stands in the messages. What somebody typed is from `none`.
fn is_spied_on(wish: Wish, head: &Head) -> bool {
    let shown = matches!(wish, Wish::Hour | Wish::List | Wish::Life);
    shown && head.header("sec-fetch-site") != Some(b"none") && !is_from_here(head)
}

pub(super) fn read(path: &str, request: &Request) -> Result<Verdict, Refusal> {
    Ok(match Wish::of(path).ok_or_else(nothing_here)? {
        Wish::Part(bytes, content_type) => {
            Verdict::Answer(inspector::part(request.head.header("accept-encoding"), bytes, content_type))
        }
        Wish::Hour => Verdict::Hour,
        Wish::List | Wish::Life | Wish::Replay | Wish::Resolve => Verdict::Visit(Box::new(Visit {
            to: Host::Inspector,
            claim: Claim::Inside,
            operator: true,
            guard: String::new(),
            path: path.to_owned(),
            request: request.clone(),
            renews: false,
        })),
    })
}
