//! What the API says instead of yes: `{"message", "errors": [{"description"}], "trackingId"}` (webex.md §8). The
//! statuses are official, the words are ours where the samples have none.

use crate::model::Response;
use serde_json::json;
use std::borrow::Cow;

/// A call that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    message: Cow<'static, str>,
    /// The methods that this path has, for 405.
    allow: Option<&'static str>,
}

impl Refused {
    fn new(status: u16, message: impl Into<Cow<'static, str>>) -> Refused {
        Refused { status, message: message.into(), allow: None }
    }

    /// 400: what is wrong with the call.
    pub(super) fn bad(why: impl Into<Cow<'static, str>>) -> Refused {
        Refused::new(400, why)
    }

    /// 400: what should be an id is none.
    pub(super) fn no_id() -> Refused {
        Refused::new(400, "Unable to retrieve content.")
    }

    /// 401: no token, or another one.
    pub(super) fn token() -> Refused {
        Refused::new(401, "The request requires a valid access token set in the Authorization request header.")
    }

    /// 403 in a room.
    pub(super) fn room() -> Refused {
        Refused::new(403, "The user has no permission to perform this action in the room.")
    }

    /// 403, for another reason.
    pub(super) fn forbidden(why: impl Into<Cow<'static, str>>) -> Refused {
        Refused::new(403, why)
    }

    /// 404: gone, invisible, or never there; Webex does not tell which.
    pub(super) fn not_found() -> Refused {
        Refused::new(404, "The requested resource could not be found.")
    }

    /// 405, with the methods that there are.
    pub(super) fn method(allow: &'static str) -> Refused {
        Refused { allow: Some(allow), ..Refused::new(405, "The requested method is not supported by this resource.") }
    }

    /// 409: such a webhook exists. The words are those of public reports (webex.md §4).
    pub(super) fn duplicate(tracking: &str) -> Refused {
        let why = "Webhook with same name, resource, event, filter or targetUrl exists";
        let call = "url = https://webhook-engine.example/webhooks";
        let message =
            format!("POST failed: HTTP/1.1 409 ({call}, request/response TrackingId = {tracking}, error = '{why}')");
        Refused::new(409, message)
    }

    /// 415: neither JSON nor a form.
    pub(super) fn media_type() -> Refused {
        Refused::new(415, "The Content-Type is not supported; send application/json.")
    }

    /// The answer to the caller.
    pub(super) fn response(&self, tracking: &str) -> Response {
        let response = error(self.status, &self.message, &self.message, tracking);
        match self.allow {
            Some(allow) => response.with("Allow", allow),
            None => response,
        }
    }
}

/// An error that has nothing to do with the call: a fault on purpose.
pub(super) fn fault(status: u16, tracking: &str) -> Response {
    const BUSY: &str = "The requested resource is temporarily unavailable.";
    match status {
        401 => Refused::token().response(tracking),
        403 => Refused::room().response(tracking),
        404 => Refused::not_found().response(tracking),
        423 => error(423, BUSY, "locked: attachment is being scanned", tracking).with("Retry-After", "5"),
        429 => {
            let message = "Too many requests. Please retry after the time in the Retry-After header.";
            error(429, message, "Too many requests", tracking)
        }
        // Between us and Webex stands a gateway, and it speaks HTML.
        502 => {
            let page = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>";
            Response { content_type: "text/html", ..Response::text(502, page) }
        }
        503 | 504 => error(status, BUSY, BUSY, tracking),
        500.. => {
            let message = "Something went wrong on the server.";
            error(status, message, message, tracking)
        }
        _ => Refused { status, ..Refused::no_id() }.response(tracking),
    }
}

fn error(status: u16, message: &str, description: &str, tracking: &str) -> Response {
    let body = json!({ "message": message, "errors": [{ "description": description }], "trackingId": tracking });
    Response::json(status, body.to_string().into_bytes())
}
