//! A head as it may be kept and shown: what it asked for, and of each header its name, but no value that could be a
//! secret. Whatever is not known to be harmless could be one.
//!
//! It is made for each request that brings events, so it costs one allocation and few looks; and it lies in the store with
//! each of them, so it is written in shorthand (`notation::shorthand`).

use crate::limits::{HEAD_KEPT_BYTES_MAX, HEADER_KEPT_BYTES_MAX};
use crate::model::{Head, Method, Span, is_named};
use crate::notation::shorthand::byte_for;

/// A header that says only who asks, for what, or by which way.
struct Harmless {
    /// As most write it.
    name: &'static str,
    /// What is kept instead of the name, the colon and the space.
    begins: Option<u8>,
    /// What it mostly says, and what is then kept instead of the whole line.
    usual: &'static str,
    whole: Option<u8>,
}

/// One of which each says something else.
const fn known(name: &'static str) -> Harmless {
    usually(name, "")
}

/// One that mostly says this.
const fn usually(name: &'static str, usual: &'static str) -> Harmless {
    Harmless { name, begins: byte_for(&[name, ": "]), usual, whole: byte_for(&[name, ": ", usual, "\n"]) }
}

/// The harmless headers with names of this length: most names differ in it already. Not all that begin with `x-forwarded-`
/// are harmless: proxies send on a token, a certificate or a whole address so.
fn harmless(length: usize) -> &'static [Harmless] {
    match length {
        3 => const { &[known("Via")] },
        4 => const { &[known("Host"), known("Date")] },
        6 => const { &[usually("Accept", "*/*"), known("Cf-Ray")] },
        9 => const { &[known("Forwarded"), known("X-Real-IP")] },
        10 => {
            const {
                &[
                    usually("User-Agent", "facebookexternalua"),
                    usually("Connection", "close"),
                    known("TrackingID"),
                    known("Trackingid"),
                ]
            }
        }
        12 => const { &[usually("Content-Type", "application/json")] },
        14 => const { &[known("Content-Length"), known("Accept-Charset")] },
        15 => {
            const { &[usually("Accept-Encoding", "deflate, gzip"), known("X-Forwarded-For"), known("Accept-Language")] }
        }
        16 => const { &[known("X-Forwarded-Host"), known("X-Forwarded-Port"), known("Cf-Connecting-Ip")] },
        17 => const { &[usually("X-Forwarded-Proto", "https"), known("Transfer-Encoding")] },
        18 => const { &[known("X-Forwarded-Server")] },
        20 => const { &[known("Facebook-API-Version"), known("Facebook-Api-Version")] },
        _ => &[],
    }
}

/// What is kept instead of a platform's signature, of which only the length is shown.
fn signature(name: &[u8], length: usize) -> Option<u8> {
    let (known, byte) = match length {
        40 => ("X-Spark-Signature", const { byte_for(&["X-Spark-Signature: *** (40 bytes)\n"]) }),
        45 => ("X-Hub-Signature", const { byte_for(&["X-Hub-Signature: *** (45 bytes)\n"]) }),
        71 => ("X-Hub-Signature-256", const { byte_for(&["X-Hub-Signature-256: *** (71 bytes)\n"]) }),
        _ => return None,
    };
    if known.as_bytes() == name { byte } else { None }
}

/// Room for the last line, that says how many headers are left out; or for the end of another.
const MORE_BYTES: usize = 24;
/// What all other lines may take together.
const ROOM: usize = HEAD_KEPT_BYTES_MAX - MORE_BYTES;

/// Method and path, then a line for each header, in shorthand. Written out it is `HEAD_KEPT_BYTES_MAX` at most: whoever
/// shows it can rely on that, and it is cut where it would be without shorthand.
pub fn masked_head(head: &Head) -> String {
    // Bytes, since to push a text asks for more than to push its bytes; and looked at once, not piece by piece.
    // In shorthand most heads take a quarter of their bytes.
    let mut out = Vec::with_capacity((head.text.len() / 2).min(HEAD_KEPT_BYTES_MAX));
    let ascii = head.text.is_ascii();
    let mut spared = request_line(head, &mut out);
    for (before, header) in head.headers.iter().enumerate() {
        let line = out.len();
        spared += header_line(head, *header, ascii, &mut out);
        if out.len() + spared > ROOM {
            out.truncate(line);
            out.extend_from_slice("… and ".as_bytes());
            number(head.headers.len() - before, &mut out);
            out.extend_from_slice(b" more\n");
            break;
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Method, path, and the names of a query. A target is ASCII. Says how many bytes are spared.
fn request_line(head: &Head, out: &mut Vec<u8>) -> usize {
    const POST: Option<u8> = byte_for(&["POST "]);
    let spared = match (head.method, POST) {
        (Method::Post, Some(post)) => {
            out.push(post);
            "POST".len()
        }
        _ => {
            let mut words = head.text.split(|byte| *byte == b' ');
            plain(words.next().unwrap_or_default(), true, out);
            out.push(b' ');
            0
        }
    };
    let mut parts = head.target.of(&head.text).splitn(2, |byte| *byte == b'?');
    plain(parts.next().unwrap_or_default(), true, out);
    if let Some(query) = parts.next() {
        names(query, spared, out);
    }
    out.push(b'\n');
    spared
}

/// The names in a query.
fn names(query: &[u8], spared: usize, out: &mut Vec<u8>) {
    let mut sign = b'?';
    for value in query.split(|byte| *byte == b'&').filter(|value| !value.is_empty()) {
        out.push(std::mem::replace(&mut sign, b'&'));
        // What stands alone may be a value, too.
        let equals = value.iter().position(|byte| *byte == b'=');
        let name = value.get(..equals.unwrap_or(0)).unwrap_or_default();
        if out.len() + spared + name.len().min(HEADER_KEPT_BYTES_MAX) > ROOM - MORE_BYTES {
            out.extend_from_slice("…".as_bytes());
            break;
        }
        plain(name, true, out);
        out.extend_from_slice(if equals.is_some() { b"=***" } else { b"***" });
    }
}

/// One header: its value where that is harmless, else how long it is. Says how many bytes are spared.
fn header_line(head: &Head, (name, value): (Span, Span), ascii: bool, out: &mut Vec<u8>) -> usize {
    let (name, value) = (name.of(&head.text), value.of(&head.text));
    let harmless = harmless(name.len());
    let mut spared = 0;
    // Letter by letter: who writes a name in another case is shown as writing it so.
    match harmless.iter().find(|known| known.name.as_bytes() == name) {
        Some(Harmless { whole: Some(whole), usual, .. }) if usual.as_bytes() == value => {
            out.push(*whole);
            return name.len() + ": ".len() + value.len();
        }
        Some(Harmless { begins: Some(begins), .. }) => {
            out.push(*begins);
            spared = name.len() + ":".len();
        }
        None if !harmless.iter().any(|known| is_named(name, known.name)) => {
            return masked_line(name, value, ascii, out);
        }
        _ => {
            plain(name, ascii, out);
            out.extend_from_slice(b": ");
        }
    }
    plain(value, ascii, out);
    out.push(b'\n');
    spared
}

/// One of which only the length is shown. Says how many bytes are spared.
fn masked_line(name: &[u8], value: &[u8], ascii: bool, out: &mut Vec<u8>) -> usize {
    if let Some(byte) = signature(name, value.len()) {
        out.push(byte);
        return name.len() + ": *** (71 bytes)".len();
    }
    plain(name, ascii, out);
    out.extend_from_slice(b": *** (");
    number(value.len(), out);
    out.extend_from_slice(if value.len() == 1 { b" byte)\n" } else { b" bytes)\n" });
    0
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
    use super::super::connection::{Connection, Step};
    use super::super::head::parse_head;
    use super::*;
    use crate::limits::HEADERS_MAX;
    use crate::luck::Luck;
    use crate::notation::shorthand::written_out;

    fn kept(text: &str) -> String {
        masked_head(&parse_head(text.as_bytes()).unwrap().head)
    }

    fn shown(text: &str) -> String {
        written_out(&kept(text))
    }

    #[test]
    fn each_harmless_name_stands_with_its_length() {
        assert!((0..100).flat_map(harmless).count() > 20);
        for length in 0..100 {
            assert!(harmless(length).iter().all(|known| known.name.len() == length), "{length} letters");
        }
    }

    const HARMLESS: &str = "via host date accept cf-ray forwarded x-real-ip user-agent connection trackingid content-type \
        content-length accept-charset accept-encoding x-forwarded-for accept-language x-forwarded-host x-forwarded-port \
        cf-connecting-ip x-forwarded-proto transfer-encoding x-forwarded-server facebook-api-version";

    /// As a head was kept before there was shorthand, piece by piece.
    fn plainly(head: &Head) -> String {
        let some = |bytes: &[u8], ascii: bool| {
            let some = &bytes[..bytes.len().min(HEADER_KEPT_BYTES_MAX)];
            let text = if ascii { String::from_utf8(some.to_vec()).unwrap() } else { some.escape_ascii().to_string() };
            if some.len() < bytes.len() { text + "…" } else { text }
        };
        let ascii = head.text.is_ascii();
        let method = head.text.split(|byte| *byte == b' ').next().unwrap();
        let mut out = format!("{} {}", some(method, true), some(head.path().as_bytes(), true));
        for (place, value) in head.query().split('&').filter(|value| !value.is_empty()).enumerate() {
            out += if place == 0 { "?" } else { "&" };
            let (name, masked) = value.split_once('=').map_or(("", "***"), |(name, _)| (name, "=***"));
            if out.len() + name.len().min(HEADER_KEPT_BYTES_MAX) > ROOM - MORE_BYTES {
                out += "…";
                break;
            }
            out += &(some(name.as_bytes(), true) + masked);
        }
        out += "\n";
        for (before, (name, value)) in head.headers.iter().enumerate() {
            let (name, value) = (name.of(&head.text), value.of(&head.text));
            let known = HARMLESS.split(' ').any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
            let line = match (known, value.len()) {
                (true, _) => format!("{}: {}\n", some(name, ascii), some(value, ascii)),
                (_, 1) => format!("{}: *** (1 byte)\n", some(name, ascii)),
                (_, length) => format!("{}: *** ({length} bytes)\n", some(name, ascii)),
            };
            if out.len() + line.len() > ROOM {
                return out + &format!("… and {} more\n", head.headers.len() - before);
            }
            out += &line;
        }
        out
    }

    /// What shorthand bytes stand for, each as it came with a request.
    fn lines() -> Vec<(char, String)> {
        let known = |byte: char| (byte, written_out(&byte.to_string()));
        let known = ('\u{1}'..'\u{20}').map(known).filter(|(_, text)| text.len() > 1);
        let as_it_came = |(byte, text): (char, String)| match text.trim_end().split_once(": *** (") {
            Some((name, length)) => {
                let length: usize = length.split(' ').next().unwrap().parse().unwrap();
                (byte, format!("{name}: {}", "5".repeat(length)))
            }
            None => (byte, text.trim_end_matches('\n').to_owned()),
        };
        known.map(as_it_came).collect()
    }

    #[test]
    fn each_byte_of_shorthand_is_written_by_the_line_that_it_stands_for() {
        assert!(lines().len() > 20);
        for (byte, line) in lines() {
            let head = match line.as_str() {
                "POST " => "POST / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
                "Host: " => "GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
                line if line.ends_with(' ') => format!("GET / HTTP/1.1\r\nHost: h\r\n{line}1\r\n\r\n"),
                line => format!("GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n"),
            };
            assert_eq!(kept(&head).matches(byte).count(), 1, "{line:?} takes {:?}", kept(&head));
        }
    }

    /// A line of a head: one that is known, or nearly, or another.
    fn some_line(luck: &mut Luck, known: &[(char, String)]) -> Vec<u8> {
        let (_, known) = &known[luck.below(known.len() as u64) as usize];
        let others: Vec<&str> = HARMLESS.split(' ').chain(["cookie", "X-Hub-Signature-25", "q"]).collect();
        let other = others[luck.below(others.len() as u64) as usize];
        let (name, value) = known.split_once(": ").unwrap_or((other, "/"));
        let name = if luck.one_in(4) { other } else { name };
        let mut name = if luck.one_in(8) { name.to_ascii_uppercase() } else { name.to_owned() }.into_bytes();
        let mut value = value.as_bytes().to_vec();
        if value.is_empty() || luck.one_in(4) {
            let letters: &[u8] = if luck.one_in(3) { b"az09.;\\\"'\t \x80\xff" } else { b"az09 ,=" };
            let length = if luck.one_in(8) { 190 + luck.below(20) } else { luck.below(20) };
            value = (0..length).map(|_| letters[luck.below(letters.len() as u64) as usize]).collect();
        }
        for bytes in [&mut name, &mut value] {
            match luck.below(24) {
                0 => drop(bytes.pop()),
                1 => bytes.push(b'x'),
                2 => bytes.iter_mut().take(1).for_each(|byte| *byte ^= 0x20),
                _ => {}
            }
        }
        let between: &[u8] = [&b": "[..], b": ", b": ", b":", b":\t", b":  "][luck.below(6) as usize];
        let behind: &[u8] = if luck.one_in(9) { b" \t\r\n" } else { b"\r\n" };
        [&name, between, &value, behind].concat()
    }

    fn some_head(luck: &mut Luck, known: &[(char, String)]) -> Vec<u8> {
        let methods = ["POST", "POST", "POST", "GET", "OPTIONS"];
        let path = "/messenger/".repeat(if luck.one_in(5) { luck.below(40) as usize } else { 0 });
        let many = if luck.one_in(5) { 150 } else { 3 };
        let query = "&n=1&token".repeat(luck.below(many) as usize);
        let method = methods[luck.below(5) as usize];
        let mut head = format!("{method} /{path}?{query} HTTP/1.1\r\n").into_bytes();
        let host = luck.below(4);
        let many = if luck.one_in(4) { 60 } else { 12 };
        for line in 0..luck.below(many).max(host + 1) {
            match line == host {
                true => head.extend_from_slice([&b"Host: bots.example\r\n"[..], b"host:h\r\n"][luck.below(2) as usize]),
                false => head.extend(some_line(luck, known)),
            }
        }
        [&head[..], b"\r\n"].concat()
    }

    #[test]
    fn written_out_a_head_is_what_it_was_before_there_was_shorthand() {
        let (mut luck, known) = (Luck::of_the_day(), lines());
        let (mut read, mut cut, mut short) = (0, 0, 0);
        for _ in 0..20_000 {
            // Two hosts, two lengths, a name that is none: such a head never comes so far.
            let Ok(asked) = parse_head(&some_head(&mut luck, &known)) else { continue };
            let (kept, plain) = (masked_head(&asked.head), plainly(&asked.head));
            assert_eq!(written_out(&kept), plain, "{}", asked.head.text.escape_ascii());
            assert!(plain.len() <= HEAD_KEPT_BYTES_MAX && kept.len() <= plain.len());
            read += 1;
            cut += usize::from(plain.ends_with(" more\n"));
            short += usize::from(kept.len() * 2 < plain.len());
        }
        assert!(read > 4000 && cut > 200 && short > 400, "{read} {cut} {short}");
    }

    /// Nothing that is kept of what others sent is written out as something that they did not send.
    #[test]
    fn nobody_can_send_shorthand() {
        for byte in (0..=0x20).chain([0x7f]).map(char::from).filter(|byte| *byte != ' ') {
            for (place, head) in [
                format!("PO{byte}ST / HTTP/1.1\r\nHost: h\r\n\r\n"),
                format!("{byte}/ HTTP/1.1\r\nHost: h\r\n\r\n"),
                format!("POST /a{byte} HTTP/1.1\r\nHost: h\r\n\r\n"),
                format!("POST /?a{byte}=b HTTP/1.1\r\nHost: h\r\n\r\n"),
                format!("POST / HTTP/1.1\r\nHost: h\r\nVia{byte}a: a\r\n\r\n"),
                format!("POST / HTTP/1.1\r\nHost: h\r\n{byte}\r\n\r\n"),
                format!("POST / HTTP/1.1\r\nHost: h\r\nVia: {byte}a\r\n\r\n"),
                format!("POST / HTTP/1.1\r\nHost: h\r\nVia: a{byte}a\r\n\r\n"),
            ]
            .iter()
            .enumerate()
            {
                let mut connection = Connection::new();
                connection.receive(head.as_bytes());
                match connection.next(|_| Ok(())) {
                    Step::Refuse(_) => {}
                    Step::Request(request) if byte == '\t' && place > 5 => {
                        let expected =
                            if place == 6 { "\u{1}/\n\u{2}h\nVia: a\n" } else { "\u{1}/\n\u{2}h\nVia: a\ta\n" };
                        assert_eq!(masked_head(&request.head), expected);
                        assert_eq!(written_out(expected), plainly(&request.head));
                    }
                    step => panic!("{byte:?} came in at {place}: {step:?}"),
                }
            }
        }
    }

    /// As Meta sends it, and as those who stand between send it on. What a platform's head takes is what each of its events
    /// takes on the disk.
    #[test]
    fn what_platforms_and_proxies_send_takes_little_room() {
        let fixture =
            include_str!("../../tests/fixtures/http/messenger.http").split_inclusive("\r\n\r\n").next().unwrap();
        assert_eq!((kept(fixture).len(), shown(fixture).len()), (41, 232));
        assert_eq!(kept(fixture), "\u{1}/messenger\n\u{2}bots.example.org\n\u{b}\u{5}\u{7}\u{4}\u{c}\u{e}\u{3}356\n");
        let payload = include_str!("../../tests/fixtures/payload.headers").trim_end().lines().collect::<Vec<_>>();
        let meta = format!("{}\r\nContent-Length: 356\r\nHost: bots.example.org", payload.join("\r\n"));
        let signed = "X-Spark-Signature: 0123456789abcdef0123456789abcdef01234567";
        let webex = format!(
            "Host: bots.example.org\r\nContent-Length: 812\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\
             Content-Type: application/json\r\nTrackingID: ROUTER_6577BC11-8A0F\r\n{signed}"
        );
        let way = "X-Forwarded-For: 2a03:2880:10ff:8::face:b00c";
        let nginx = format!("{meta}\r\nX-Real-IP: 2a03:2880::1\r\n{way}\r\nConnection: close");
        let ngrok = format!("{meta}\r\n{way}\r\nX-Forwarded-Host: bots.example.org\r\nX-Forwarded-Proto: https");
        let cloudflared = format!("{webex}\r\n{way}\r\nCf-Ray: 230b030023ae2822-FRA\r\nX-Forwarded-Proto: https");
        let takes = |head: String| {
            let head = format!("POST /messenger HTTP/1.1\r\n{head}\r\n\r\n");
            assert_eq!(shown(&head), plainly(&parse_head(head.as_bytes()).unwrap().head));
            (kept(&head).len(), shown(&head).len())
        };
        let expected = [(41, 232), (66, 191), (85, 319), (89, 337), (118, 290)];
        assert_eq!([meta, webex, nginx, ngrok, cloudflared].map(takes), expected);
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
        for name in HARMLESS.split(' ').filter(|name| !["host", "content-length", "transfer-encoding"].contains(name)) {
            let text = shown(&format!("POST /hook HTTP/1.1\r\nHost: h\r\n{name}: a\r\n\r\n"));
            assert_eq!(text, format!("POST /hook\nHost: h\n{name}: a\n"));
        }
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
