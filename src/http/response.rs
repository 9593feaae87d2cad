//! An answer's bytes: status line, Date, Content-Length, Connection, the answer's own headers, body.

use crate::model::{Moment, Response};

/// What an answer has to know about the request it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Manner {
    /// The request was HEAD: the length is told, the body is not sent.
    pub headers_only: bool,
    /// What `Connection` says, if anything has to be said.
    pub connection: Option<&'static str>,
}

/// A date as HTTP writes it, for example `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpDate([u8; 29]);

impl HttpDate {
    /// The second that `now` is in. It costs about as much as an answer, so keep it for that second.
    pub fn of(now: Moment) -> HttpDate {
        let written = jiff::Timestamp::from_second(now.seconds())
            .and_then(|time| jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time));
        // Only a clock outside the years 0 to 9999 gets here. A wrong date harms nobody; no answer would.
        let date = written.ok().and_then(|text| text.as_bytes().try_into().ok());
        HttpDate(date.unwrap_or(*b"Thu, 01 Jan 1970 00:00:00 GMT"))
    }

    /// The 29 letters.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Appends the answer to `out`, which grows once and by no more than needed.
pub(super) fn write(out: &mut Vec<u8>, response: &Response, date: &HttpDate, manner: Manner) {
    // A 204 or 304 must not have a body, and a length would make some clients wait for one (RFC 9110 §8.6).
    let bodiless = matches!(response.status, 204 | 304);
    let body: &[u8] = if bodiless || manner.headers_only { &[] } else { &response.body };
    let own: usize = response.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    let fixed = 168; // the lines below without what varies in length; `an_answer_is_written_into_one_allocation`
    out.reserve_exact(fixed + response.content_type.len() + own + body.len());

    out.extend_from_slice(&start(response.status));
    out.extend_from_slice(reason(response.status).as_bytes());
    out.extend_from_slice(b"\r\nDate: ");
    out.extend_from_slice(date.as_bytes());
    if !bodiless {
        out.extend_from_slice(b"\r\nContent-Length: ");
        decimal(out, response.body.len());
        if !response.content_type.is_empty() {
            out.extend_from_slice(b"\r\nContent-Type: ");
            out.extend_from_slice(response.content_type.as_bytes());
        }
    }
    if let Some(connection) = manner.connection {
        out.extend_from_slice(b"\r\nConnection: ");
        out.extend_from_slice(connection.as_bytes());
    }
    for (name, value) in &response.headers {
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        // A line break in a value would let whoever wrote it write headers of ours.
        out.extend(value.bytes().map(|byte| if byte.is_ascii_control() { b' ' } else { byte }));
    }
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}

/// The beginning of a status line, up to the words.
fn start(status: u16) -> [u8; 13] {
    let mut start = *b"HTTP/1.1 000 ";
    start[9] += (status / 100 % 10) as u8;
    start[10] += (status / 10 % 10) as u8;
    start[11] += (status % 10) as u8;
    start
}

/// Appends a number in decimal digits.
fn decimal(out: &mut Vec<u8>, mut number: usize) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        first = place;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(first..).unwrap_or_default());
}

/// The words after a status. Clients must not read them; people do.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn written(response: &Response, connection: Option<&'static str>) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, response, &HttpDate::of(Moment(0)), Manner { headers_only: false, connection });
        out
    }

    #[test]
    fn a_date_is_written_as_http_wants_it() {
        for (moment, text) in [
            (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (1_709_209_799_999, "Thu, 29 Feb 2024 12:29:59 GMT"),
            (i64::MAX, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ] {
            assert_eq!(HttpDate::of(Moment(moment)).as_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn an_answer_is_written_into_one_allocation() {
        let response = Response::text(431, "x".repeat(99_999)).with("Retry-After", "12").with("Allow", "GET, POST");
        let out = written(&response, Some("keep-alive"));
        assert!(out.capacity() <= out.len() + 60 && out.len() > 100_000);
        let reserved = 168 + response.content_type.len() + 13 + 2 + 5 + 9 + 4 + 99_999;
        assert!(out.len() <= reserved, "{} of {reserved}", out.len());
    }

    #[test]
    fn an_answer_without_content_has_neither_length_nor_body() {
        let out = written(&Response::text(204, "ignored"), None);
        assert_eq!(out, b"HTTP/1.1 204 No Content\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n");
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 7, 10, 200, 1_048_576, usize::MAX] {
            let mut out = Vec::new();
            decimal(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }
}
