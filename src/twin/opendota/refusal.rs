//! What OpenDota says instead of yes, word for word (opendota.md §5).

use super::json::answer;
use crate::model::Response;

/// A call that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Something else than GET from another site's page.
    Origin,
    KeyFormat,
    Key,
    AccountId,
    NoQuestion,
    NotFound,
    Minute,
    Day,
    Broken,
    /// A filter or order of the real service that nobody plays: better no answer than a wrong one.
    NotPlayed,
}

impl Refused {
    /// The answer that says so.
    pub(super) fn response(self) -> Response {
        let (status, words) = match self {
            Refused::Origin => (403, "Invalid Origin header"),
            Refused::KeyFormat => (400, "Invalid API key format"),
            Refused::Key => (400, "API key invalid. Please check the API dashboard or email support@opendota.com."),
            Refused::AccountId => (400, "invalid account id"),
            Refused::NoQuestion => (400, "q is not a string"),
            // Also for a method that a path does not know: the service has no 405.
            Refused::NotFound => (404, "Not Found"),
            Refused::Minute => (429, "minute rate limit exceeded"),
            Refused::Day => (429, "daily api limit exceeded"),
            Refused::Broken => (500, "Internal Server Error"),
            Refused::NotPlayed => (501, "the stand-in does not know this filter; leave it out"),
        };
        answer(status, format!("{{\"error\":\"{words}\"}}"))
    }
}

/// Cloudflare's pages, which stands before the service; their words are unconfirmed.
const PAGES: [(u16, &str); 7] = [
    (502, "Bad gateway"),
    (503, "Service Temporarily Unavailable"),
    (520, "Web server is returning an unknown error"),
    (521, "Web server is down"),
    (522, "Connection timed out"),
    (523, "Origin is unreachable"),
    (524, "A timeout occurred"),
];

/// A failure, another one each time: the service's own first, and then, where wanted, Cloudflare's.
pub(super) fn failure(turn: usize, cloudflare: bool) -> Response {
    let page = (turn % (PAGES.len() + 1)).checked_sub(1).and_then(|page| PAGES.get(page));
    let Some((status, title)) = page.filter(|_| cloudflare) else { return Refused::Broken.response() };
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en-US\"><head><title>api.opendota.com | {status}: {title}</title></head>\
         <body><h1>{title} <span>Error code {status}</span></h1></body></html>\n"
    );
    Response { content_type: "text/html; charset=UTF-8", ..Response::text(*status, page) }
}
