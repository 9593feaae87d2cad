//! A head as it may be kept and shown: what it asked for, and of each header its name, but no value that could be a
//! secret. Whatever is not known to be harmless could be one.
//!
//! It is made for each request that brings events, so it costs one allocation and few looks.

use crate::limits::{HEAD_KEPT_BYTES_MAX, HEADER_KEPT_BYTES_MAX};
use crate::model::Head;
use crate::notation::cut::truncate;

/// Headers that say who asks, for what, and by which way. Not all that begin with `x-forwarded-`: proxies also send on a
/// token, a certificate or a whole address so.
const HARMLESS: [&str; 24] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "content-type",
    "date",
    "facebook-api-version",
    "forwarded",
    "host",
    "trackingid",
    "transfer-encoding",
    "user-agent",
    "via",
    "webhook-timestamp",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
    "x-slack-retry-num",
    "x-slack-retry-reason",
];

/// Room for the last line, that says how many headers are left out.
const MORE_BYTES: usize = 24;

/// Method and path, then a line for each header; `HEAD_KEPT_BYTES_MAX` at most.
pub fn masked(head: &Head) -> String {
    const ROOM: usize = HEAD_KEPT_BYTES_MAX - MORE_BYTES;
    let mut out = String::with_capacity(HEAD_KEPT_BYTES_MAX);
    plain(&mut out, head.text.split(|byte| *byte == b' ').next().unwrap_or_default());
    out.push(' ');
    plain(&mut out, head.path().as_bytes());
    let mut sign = '?';
    for value in head.query().split('&').filter(|value| !value.is_empty()) {
        out.push(sign);
        sign = '&';
        // What stands alone may be a value, too.
        if let Some((name, _)) = value.split_once('=') {
            plain(&mut out, name.as_bytes());
            out.push('=');
        }
        out.push_str("***");
        if out.len() > ROOM {
            truncate(&mut out, ROOM - 4);
            out.push('…');
            break;
        }
    }
    out.push('\n');
    for (before, (name, value)) in head.headers.iter().enumerate() {
        let (name, value) = (name.of(&head.text), value.of(&head.text));
        let line = out.len();
        plain(&mut out, name);
        out.push_str(": ");
        // Most differ in length already.
        if HARMLESS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name)) {
            plain(&mut out, value);
        } else {
            out.push_str("*** (");
            number(&mut out, value.len());
            out.push_str(if value.len() == 1 { " byte)" } else { " bytes)" });
        }
        out.push('\n');
        if out.len() > ROOM {
            out.truncate(line);
            out.push_str("… and ");
            number(&mut out, head.headers.len() - before);
            out.push_str(" more\n");
            break;
        }
    }
    out
}

/// The beginning of a value; bytes that no terminal and no page could take for something else.
fn plain(out: &mut String, bytes: &[u8]) {
    let some = bytes.get(..HEADER_KEPT_BYTES_MAX).unwrap_or(bytes);
    match std::str::from_utf8(some) {
        Ok(text) if some.iter().all(|byte| matches!(byte, b' '..=b'[' | b']'..=b'~')) => out.push_str(text),
        _ => out.extend(some.escape_ascii().map(char::from)),
    }
    if some.len() < bytes.len() {
        out.push('…');
    }
}

/// A number in digits, without the machinery of `format!`.
fn number(out: &mut String, number: usize) {
    if number >= 10 {
        self::number(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
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
    fn no_byte_of_it_steers_a_terminal() {
        let head = "POST /a HTTP/1.1\r\nHost: h\r\nUser-Agent: \u{9b}2J\tcaf\u{e9}\\\u{202e}\r\n\r\n";
        assert_eq!(shown(head), "POST /a\nHost: h\nUser-Agent: \\xc2\\x9b2J\\tcaf\\xc3\\xa9\\\\\\xe2\\x80\\xae\n");
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
