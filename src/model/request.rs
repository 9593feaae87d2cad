//! What is said over HTTP: a head, a request, a response, a refusal.

use super::event::ChannelNumber;
use std::borrow::Cow;

/// The request methods that ackd knows by name; any other is answered 501.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Patch,
    Options,
    Connect,
    Trace,
}

impl Method {
    /// The method of this name (they are case-sensitive, RFC 9110 §9.1), or `None` for an unknown one.
    pub fn parse(name: &str) -> Option<Method> {
        Some(match name {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "DELETE" => Method::Delete,
            "PATCH" => Method::Patch,
            "OPTIONS" => Method::Options,
            "CONNECT" => Method::Connect,
            "TRACE" => Method::Trace,
            _ => return None,
        })
    }
}

/// A part of a head's bytes: `start..end`. A head is at most `limits::HEAD_BYTES_MAX` long, so 16 bits do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u16,
    pub end: u16,
}

impl Span {
    /// How many bytes it names.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(self) -> usize {
        usize::from(self.end.saturating_sub(self.start))
    }

    /// The bytes of `text` that this span names.
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

/// How a body's end is known (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    Empty,
    /// So many bytes.
    Length(u64),
    /// Chunks, until the last one.
    Chunked,
}

/// Request line and headers, already checked: one valid `Host`, unambiguous framing, no control bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub method: Method,
    /// The bytes as they came, from the method's first letter to the blank line.
    pub text: Box<[u8]>,
    pub target: Span,
    /// Name and value of each header, in order of arrival.
    pub headers: Box<[(Span, Span)]>,
    pub framing: Framing,
}

impl Head {
    /// The request target, for example `/messenger?hub.mode=subscribe`; `*` only for OPTIONS. Always ASCII.
    /// Of a target sent with scheme and host, the part after them.
    pub fn target(&self) -> &str {
        std::str::from_utf8(self.target.of(&self.text)).unwrap_or_default()
    }

    /// The target up to the first `?`.
    pub fn path(&self) -> &str {
        let path = self.target.of(&self.text).split(|byte| *byte == b'?').next();
        path.and_then(|path| std::str::from_utf8(path).ok()).unwrap_or_default()
    }

    /// Whether `path()` is this one. It is asked for each request, so bytes are compared and no text is made of them.
    pub fn is_at(&self, path: &str) -> bool {
        let behind = self.target.of(&self.text).strip_prefix(path.as_bytes());
        behind.is_some_and(|behind| matches!(behind.first(), None | Some(b'?')))
    }

    /// The target after the first `?`, empty when there is none.
    pub fn query(&self) -> &str {
        self.target().split_once('?').map_or("", |(_, query)| query)
    }

    /// The value of the first header of this name (in any case), without surrounding white space.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        // Most names differ in length already; this is asked for every request.
        let header =
            self.headers.iter().find(|(header, _)| header.len() == name.len() && is_named(header.of(&self.text), name));
        header.map(|(_, value)| value.of(&self.text))
    }
}

/// Whether a header has this name, in any case. Names that are asked for are made of letters, digits and `-`, and no other
/// sign that a name can hold differs from those in that bit only.
pub fn is_named(header: &[u8], name: &str) -> bool {
    const CASE: u64 = u64::from_le_bytes([0x20; 8]);
    let same = |one: &[u8; 8], other: &[u8; 8]| u64::from_le_bytes(*one) | CASE == u64::from_le_bytes(*other) | CASE;
    // Eight letters at a time, since this is asked for several headers of each request.
    let ((ones, one), (others, other)) = (header.as_chunks(), name.as_bytes().as_chunks());
    header.len() == name.len()
        && ones.iter().zip(others).all(|(one, other)| same(one, other))
        && one.iter().zip(other).all(|(one, other)| one | 0x20 == other | 0x20)
}

/// A whole request: its head, and its body after transfer decoding, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub head: Head,
    pub body: Vec<u8>,
}

/// An answer of ours. `http/` adds Date, Content-Length and Connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub content_type: &'static str,
    /// Further headers, name and value, for example `("Allow", "POST")`.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    pub body: Cow<'static, [u8]>,
}

impl Response {
    /// A line of plain text.
    pub fn text(status: u16, body: impl Into<Cow<'static, str>>) -> Response {
        let body = match body.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Response { status, content_type: "text/plain; charset=utf-8", headers: Vec::new(), body }
    }

    /// JSON that was already serialised.
    pub fn json(status: u16, body: Vec<u8>) -> Response {
        Response { status, content_type: "application/json", headers: Vec::new(), body: Cow::Owned(body) }
    }

    /// The same answer with one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Response {
        self.headers.push((name, value.into()));
        self
    }
}

/// A "no" that is an answer: the status, and one line of plain text that says what was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub why: Cow<'static, str>,
    /// The value of an `Allow` header, for 405.
    pub allow: Option<&'static str>,
    /// Seconds for a `Retry-After` header, for 503.
    pub retry_after_s: Option<u32>,
    /// Whose request it was, for the log.
    pub channel: Option<ChannelNumber>,
    /// What is said in place of the line of text.
    pub page: Option<Box<Response>>,
}

impl Refusal {
    /// A refusal without further headers.
    pub fn new(status: u16, why: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { status, why: why.into(), allow: None, retry_after_s: None, channel: None, page: None }
    }

    /// The answer that tells it: the reason as one line of text, with the headers that belong to it.
    pub fn response(&self) -> Response {
        if let Some(page) = &self.page {
            return Response::clone(page);
        }
        let mut response = Response::text(self.status, format!("{}\n", self.why));
        if let Some(allow) = self.allow {
            response = response.with("Allow", allow);
        }
        if let Some(seconds) = self.retry_after_s {
            response = response.with("Retry-After", seconds.to_string());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_its_name_in_any_case_and_no_other_of_that_length() {
        for name in ["host", "x-custom", "content-length", "content-encoding", "x-hub-signature-256"] {
            assert!(is_named(name.as_bytes(), name) && is_named(name.to_uppercase().as_bytes(), name));
            assert!(!is_named(&name.as_bytes()[1..], name) && !is_named(format!("{name}s").as_bytes(), name));
            for place in 0..name.len() {
                let mut other = name.as_bytes().to_vec();
                other[place] = b'!';
                assert!(!is_named(&other, name), "{}", String::from_utf8_lossy(&other));
            }
        }
    }
}
