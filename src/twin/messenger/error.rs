//! Refusals in Graph's words (messenger.md §7): the code and subcode count, texts and statuses are those of the samples.

use crate::model::Response;
use serde::Serialize;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GraphError {
    status: u16,
    message: String,
    kind: &'static str,
    code: u32,
    subcode: Option<u32>,
    transient: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    code: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_subcode: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_transient: bool,
    fbtrace_id: &'a str,
}

impl GraphError {
    fn new(code: u32, subcode: Option<u32>, message: impl Into<String>) -> GraphError {
        let message = message.into();
        GraphError { status: 400, message, kind: "OAuthException", code, subcode, transient: false }
    }

    /// A parameter is wrong; `words` come behind the code.
    pub(super) fn parameter(words: impl AsRef<str>) -> GraphError {
        GraphError::new(100, None, format!("(#100) {}", words.as_ref()))
    }

    pub(super) fn too_long(name: &str, most: usize) -> GraphError {
        GraphError::parameter(format!("Length of param {name} must be less than or equal to {most}"))
    }

    pub(super) fn missing(name: &str) -> GraphError {
        GraphError::parameter(format!("The parameter {name} is required"))
    }

    pub(super) fn dead_tag() -> GraphError {
        GraphError::parameter("Invalid parameter")
    }

    pub(super) fn empty_message() -> GraphError {
        GraphError::new(100, Some(2_018_034), "(#100) Message cannot be empty, must provide valid attachment or text")
    }

    pub(super) fn no_user() -> GraphError {
        GraphError::new(100, Some(2_018_001), "(#100) No matching user found")
    }

    pub(super) fn unavailable() -> GraphError {
        GraphError::new(551, Some(1_545_041), "(#551) This person isn't available right now.")
    }

    pub(super) fn window() -> GraphError {
        GraphError::new(10, Some(2_018_278), "(#10) This message is sent outside of allowed window.")
    }

    pub(super) fn bad_token() -> GraphError {
        GraphError::new(190, None, "Invalid OAuth access token - Cannot parse access token")
    }

    pub(super) fn expired_token() -> GraphError {
        let words = "Error validating access token: Session has expired on Thursday, 20-Nov-25 00:00:00 PST.";
        GraphError::new(190, Some(463), words)
    }

    pub(super) fn rate() -> GraphError {
        GraphError::new(613, None, "(#613) Calls to this api have exceeded the rate limit.")
    }

    pub(super) fn service() -> GraphError {
        let words = "An unexpected error has occurred. Please retry your request later.";
        GraphError { status: 500, transient: true, ..GraphError::new(2, None, words) }
    }

    /// The code is from general knowledge of the edge.
    pub(super) fn unverified() -> GraphError {
        GraphError::new(
            2200,
            None,
            "(#2200) Callback verification failed: the URL did not answer 200 and the challenge",
        )
    }

    pub(super) fn temporary() -> GraphError {
        GraphError::new(1200, None, "(#1200) Temporary send message failure. Please try again later.")
    }

    pub(super) fn proof(words: &str) -> GraphError {
        GraphError { kind: "GraphMethodException", ..GraphError::new(100, None, words) }
    }

    /// No such object, or not for this caller.
    pub(super) fn no_object(method: &str, id: &str) -> GraphError {
        let words = format!(
            "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation"
        );
        GraphError { kind: "GraphMethodException", ..GraphError::new(100, Some(33), words) }
    }

    /// The object has no such edge.
    pub(super) fn no_edge(path: &str) -> GraphError {
        GraphError::new(2500, None, format!("Unknown path components: {path}"))
    }

    pub(super) fn response(&self, trace: &str) -> Response {
        let error = Inner {
            message: &self.message,
            kind: self.kind,
            code: self.code,
            error_subcode: self.subcode,
            is_transient: self.transient,
            fbtrace_id: trace,
        };
        Response::json(self.status, serde_json::to_vec(&Body { error }).unwrap_or_default())
    }
}
