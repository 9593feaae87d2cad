//! A head as it may be kept and shown: what it asked for, and of each header its name, but no value that could be a
//! secret. Whatever is not known to be harmless could be one.
//!
//! It is made for each request that brings events, so it costs one allocation and few looks.

use crate::limits::{HEAD_KEPT_BYTES_MAX, HEADER_KEPT_BYTES_MAX};
use crate::model::{Head, Span, is_named};

/// Whether a header says only who asks, for what, and by which way. Not all that begin with `x-forwarded-` do: proxies
/// send on a token, a certificate or a whole address so.
fn is_harmless(name: &[u8]) -> bool {
    // Most names differ in length already, and most are written like this.
    let known: &[&str] = match name.len() {
        3 => &["Via"],
        4 => &["Host", "Date"],
        6 => &["Accept", "CF-Ray"],
        9 => &["Forwarded", "X-Real-IP"],
        10 => &["User-Agent", "Connection", "TrackingID"],
        12 => &["Content-Type"],
        14 => &["Content-Length", "Accept-Charset"],
        15 => &["Accept-Encoding", "X-Forwarded-For", "Accept-Language"],
        16 => &["X-Forwarded-Host", "X-Forwarded-Port", "CF-Connecting-IP"],
        17 => &["X-Forwarded-Proto", "Transfer-Encoding"],
        18 => &["X-Forwarded-Server"],
        20 => &["Facebook-API-Version"],
        _ => &[],
    };
    known.iter().any(|known| known.as_bytes() == name) || known.iter().any(|known| is_named(name, known))
}

/// Room for the last line, that says how many headers are left out; or for the end of another.
const MORE_BYTES: usize = 24;
/// What all other lines may take together.
const ROOM: usize = HEAD_KEPT_BYTES_MAX - MORE_BYTES;

/// Method and path, then a line for each header; `HEAD_KEPT_BYTES_MAX` at most.
pub fn masked(head: &Head) -> String {
    // Bytes, since to push a text asks for more than to push its bytes; and looked at once, not piece by piece.
    let mut out = Vec::with_capacity(head.text.len().min(HEAD_KEPT_BYTES_MAX));
    let ascii = head.text.is_ascii();
    request_line(head, &mut out);
    for (before, header) in head.headers.iter().enumerate() {
        let line = out.len();
        header_line(head, *header, ascii, &mut out);
        if out.len() > ROOM {
            out.truncate(line);
            out.extend_from_slice("… and ".as_bytes());
            number(head.headers.len() - before, &mut out);
            out.extend_from_slice(b" more\n");
            break;
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Method, path, and the names of a query. A target is ASCII.
fn request_line(head: &Head, out: &mut Vec<u8>) {
    let mut words = head.text.split(|byte| *byte == b' ');
    plain(words.next().unwrap_or_default(), true, out);
    out.push(b' ');
    let mut parts = head.target.of(&head.text).splitn(2, |byte| *byte == b'?');
    plain(parts.next().unwrap_or_default(), true, out);
    if let Some(query) = parts.next() {
        names(query, out);
    }
    out.push(b'\n');
}

/// The names in a query.
fn names(query: &[u8], out: &mut Vec<u8>) {
    let mut sign = b'?';
    for value in query.split(|byte| *byte == b'&').filter(|value| !value.is_empty()) {
        out.push(std::mem::replace(&mut sign, b'&'));
        // What stands alone may be a value, too.
        let equals = value.iter().position(|byte| *byte == b'=');
        let name = value.get(..equals.unwrap_or(0)).unwrap_or_default();
        if out.len() + name.len().min(HEADER_KEPT_BYTES_MAX) > ROOM - MORE_BYTES {
            out.extend_from_slice("…".as_bytes());
            break;
        }
        plain(name, true, out);
        out.extend_from_slice(if equals.is_some() { b"=***" } else { b"***" });
    }
}

/// One header: its value where that is harmless, else how long it is.
fn header_line(head: &Head, (name, value): (Span, Span), ascii: bool, out: &mut Vec<u8>) {
    let text = &head.text;
    let whole = Span { start: name.start, end: value.end };
    let between = Span { start: name.end, end: value.start };
    let letters = name.of(text);
    if !is_harmless(letters) {
        plain(letters, ascii, out);
        out.extend_from_slice(b": *** (");
        number(value.len(), out);
        out.extend_from_slice(if value.len() == 1 { b" byte)" } else { b" bytes)" });
    } else if ascii && whole.len() <= HEADER_KEPT_BYTES_MAX && between.of(text) == b": " {
        // Most came just as they are to be written.
        out.extend_from_slice(whole.of(text));
    } else {
        plain(letters, ascii, out);
        out.extend_from_slice(b": ");
        plain(value.of(text), ascii, out);
    }
    out.push(b'\n');
}

/// The beginning of a value. Bytes that are not ASCII are written as escapes; control bytes are in no head.
fn plain(bytes: &[u8], ascii: bool, out: &mut Vec<u8>) {
    let some = bytes.get(..HEADER_KEPT_BYTES_MAX).unwrap_or(bytes);
    if ascii {
        out.extend_from_slice(some)
    } else {
        out.extend(some.escape_ascii())
    }
    if some.len() < bytes.len() {
        out.extend_from_slice("…".as_bytes());
    }
}

/// A number in digits, without the machinery of `format!`.
fn number(number: usize, out: &mut Vec<u8>) {
    if number >= 10 {
        self::number(number / 10, out);
    }
    out.push(b'0' + (number % 10) as u8);
}

#[cfg(test)]
mod tests {
    use super::super::head::parse_head;
    use super::*;
    use crate::limits::HEADERS_MAX;

    fn shown(text: &str) -> String {
        masked(&parse_head(text.as_bytes()).unwrap().head)
    }

    #[test]
    fn a_platforms_head_is_shown_without_its_signature() {
        let head = "POST /messenger HTTP/1.1\r\nHost: bots.example.org\r\nAccept: */*\r\nAccept-Encoding: deflate, gzip\r\n\
                    User-Agent: facebookexternalua\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\
                    X-Hub-Signature-256: sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n\
                    Facebook-API-Version: v25.0\r\nX-Forwarded-For: 2a03:2880::1\r\n\r\n";
        let expected = "POST /messenger\nHost: bots.example.org\nAccept: */*\nAccept-Encoding: deflate, gzip\n\
                        User-Agent: facebookexternalua\nContent-Type: application/json\nContent-Length: 0\n\
                        X-Hub-Signature-256: *** (71 bytes)\nFacebook-API-Version: v25.0\n\
                        X-Forwarded-For: 2a03:2880::1\n";
        assert_eq!(shown(head), expected);
    }

    #[test]
    fn who_asked_and_by_which_way_is_shown() {
        for name in
            ["Date", "Via", "FORWARDED", "X-Real-IP", "x-forwarded-host", "TrackingID", "CF-Connecting-IP", "CF-Ray"]
        {
            let text = shown(&format!("POST /hook HTTP/1.1\r\nHost: h\r\n{name}: 192.0.2.7\r\n\r\n"));
            assert_eq!(text, format!("POST /hook\nHost: h\n{name}: 192.0.2.7\n"));
        }
        let mut lengths = "connection accept-charset accept-language accept-encoding x-forwarded-for x-forwarded-port \
                           x-forwarded-proto x-forwarded-server transfer-encoding facebook-api-version"
            .split(' ');
        assert!(lengths.all(|name| is_harmless(name.as_bytes())));
    }

    #[test]
    fn whatever_is_not_known_to_be_harmless_is_masked() {
        for name in [
            "Authorization",
            "Cookie",
            "X-Telegram-Bot-Api-Secret-Token",
            "X-Spark-Signature",
            "Referer",
            "X-Forwarded-Access-Token",
            "X-Forwarded-Client-Cert",
            "X-Forwarded-Uri",
            "Hosts",
            "Xost",
        ] {
            let text = shown(&format!("POST /hook HTTP/1.1\r\nHost: h\r\n{name}: geheim-1234\r\n\r\n"));
            assert_eq!(text, format!("POST /hook\nHost: h\n{name}: *** (11 bytes)\n"));
        }
        assert!(
            shown("GET / HTTP/1.1\r\nHost: h\r\nX: 1\r\nY:\r\n\r\n").ends_with("X: *** (1 byte)\nY: *** (0 bytes)\n")
        );
    }

    #[test]
    fn of_a_query_only_names_are_shown() {
        for (target, expected) in [
            ("/hook?hub.mode=subscribe&token=geheim", "/hook?hub.mode=***&token=***"),
            ("/hook?geheim", "/hook?***"),
            ("/hook?a=b=geheim&&geheim&", "/hook?a=***&***"),
            ("/hook?", "/hook"),
            ("http://h/hook?x=geheim", "/hook?x=***"),
        ] {
            assert_eq!(
                shown(&format!("POST {target} HTTP/1.1\r\nHost: h\r\n\r\n")),
                format!("POST {expected}\nHost: h\n")
            );
        }
    }

    #[test]
    fn whatever_stands_around_a_value_it_is_shown_alike() {
        for line in ["Via: a", "Via:a", "Via:\ta", "Via:   a", "Via: a \t"] {
            assert_eq!(shown(&format!("GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n")), "GET /\nHost: h\nVia: a\n");
        }
        assert_eq!(shown("GET / HTTP/1.1\r\nHost: h\r\nVia:\r\nDate: \r\n\r\n"), "GET /\nHost: h\nVia: \nDate: \n");
    }

    #[test]
    fn no_byte_of_it_steers_a_terminal() {
        let head = "POST /a HTTP/1.1\r\nHost: h\r\nUser-Agent: \u{9b}2J\tcaf\u{e9}\u{202e}\r\n\r\n";
        assert_eq!(shown(head), "POST /a\nHost: h\nUser-Agent: \\xc2\\x9b2J\\tcaf\\xc3\\xa9\\xe2\\x80\\xae\n");
    }

    /// Wherever its room ends: in a line, between two, or among the names of a query.
    #[test]
    fn a_head_of_any_length_takes_no_more_room_than_it_may() {
        let long = "a".repeat(HEADER_KEPT_BYTES_MAX);
        let headers = format!("Via: {long}\r\n").repeat(12);
        for extra in 0..HEADER_KEPT_BYTES_MAX {
            let some = &long[..extra];
            for target in [format!("/{some}"), format!("/{some}?{}", "name=1&".repeat(150))] {
                let text = shown(&format!("POST {target} HTTP/1.1\r\nHost: h\r\n{headers}X: {long}\r\nY: z\r\n\r\n"));
                assert!(text.len() <= HEAD_KEPT_BYTES_MAX && text.ends_with(" more\n"), "{extra}: {}", text.len());
            }
        }
    }

    #[test]
    fn a_head_takes_no_more_room_than_it_may() {
        let long = "a".repeat(3000);
        let agent = shown(&format!("POST /a HTTP/1.1\r\nHost: h\r\nUser-Agent: {long}\r\nX: y\r\n\r\n"));
        let cut = format!("User-Agent: {}…\nX: *** (1 byte)\n", &long[..HEADER_KEPT_BYTES_MAX]);
        assert!(agent.ends_with(&cut), "{agent}");
        let names: String =
            (0..HEADERS_MAX - 1).map(|number| format!("X-{number:02}-{}: y\r\n", &long[..40])).collect();
        let many = shown(&format!("POST /a HTTP/1.1\r\nHost: h\r\n{names}\r\n"));
        let left = HEADERS_MAX - (many.lines().count() - 2);
        assert!(many.ends_with(&format!("y\n… and {left} more\n").replace("y\n", "(1 byte)\n")), "{many}");
        let worst = format!("/{}?{}", "\\".repeat(500), "\\=&".repeat(400));
        let bad = "\u{80}".repeat(200);
        for target in ["/a", &worst, &format!("/a?{long}=1&{long}=2")] {
            let text =
                shown(&format!("POST {target} HTTP/1.1\r\nHost: h\r\nVia: {bad}\r\nVia: {bad}\r\nVia: {bad}\r\n\r\n"));
            assert!(text.len() <= HEAD_KEPT_BYTES_MAX && text.ends_with(" more\n"), "{} {text}", text.len());
        }
    }
}
