//! Request line and headers: where they end, what is wrong with them, and how the body after them is framed.
//!
//! [`Search`] looks at each byte once, as it comes, for the blank line and for bytes that no head may have. When the
//! blank line is there, [`parse_head`] has httparse take the head apart, once, and then checks what httparse leaves
//! open. What two readers could understand differently is refused rather than mended: a proxy before us may have
//! understood it the other way, and then the next request is one that nobody sent (request smuggling).

use std::mem::MaybeUninit;

use super::body::too_large;
use crate::limits::{BODY_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX};
use crate::model::{Framing, Head, Method, Refusal, Span, is_named};

/// The longest request line that can have a target within its bound, with room for any method's name.
const REQUEST_LINE_BYTES_MAX: usize = TARGET_BYTES_MAX + 32;

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// No blank line yet.
    Nothing,
    /// An empty line where a request line should be: take two bytes away and search anew (RFC 9112 §2.2).
    EmptyLine,
    /// The head is the first so many bytes, blank line included.
    Head(usize),
}

/// How far a head has been searched for its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Search {
    /// No blank line and no forbidden byte before this.
    searched: u16,
    /// Where the line begins that `searched` is in; zero in the request line.
    line: u16,
}

impl Search {
    /// Searches what it has not seen of `bytes`, which begin where they began the last time.
    ///
    /// What it says depends on the bytes alone and not on how they were cut: each fault has its place, and the
    /// first one counts.
    pub fn look(&mut self, bytes: &[u8]) -> Result<Found, Refusal> {
        loop {
            // The blank line's CR is the last byte but one of a head.
            let bound = if self.line == 0 { REQUEST_LINE_BYTES_MAX } else { HEAD_BYTES_MAX - 1 };
            let from = usize::from(self.searched);
            let end = bytes.len().min(bound);
            let Some(ahead) = control_at(bytes.get(from..end).unwrap_or_default()) else {
                if bytes.len() >= bound {
                    return Err(self.too_long());
                }
                self.searched = end as u16;
                return Ok(Found::Nothing);
            };
            let at = from + ahead;
            match (bytes.get(at), bytes.get(at + 1)) {
                (Some(b'\t'), _) => self.searched = (at + 1) as u16,
                (Some(b'\r'), Some(b'\n')) => {
                    if let Some(found) = self.line_ended(bytes, at)? {
                        return Ok(found);
                    }
                }
                (Some(b'\r'), None) | (None, _) => {
                    self.searched = at as u16;
                    return Ok(Found::Nothing);
                }
                (Some(&byte), _) => return Err(forbidden(byte, at)),
            }
        }
    }

    fn line_ended(&mut self, bytes: &[u8], at: usize) -> Result<Option<Found>, Refusal> {
        let line = usize::from(self.line);
        if at == line {
            return Ok(Some(if line == 0 { Found::EmptyLine } else { Found::Head(at + 2) }));
        }
        if line > 0 && matches!(bytes.get(line), Some(b' ' | b'\t')) {
            return Err(Refusal::new(400, "a header line begins with white space (folded headers are obsolete)"));
        }
        self.line = (at + 2) as u16;
        self.searched = self.line;
        Ok(None)
    }

    fn too_long(&self) -> Refusal {
        match self.line {
            0 => target_too_long(),
            _ => Refusal::new(431, format!("request line and headers over {} KiB", HEAD_BYTES_MAX / 1024)),
        }
    }
}

fn target_too_long() -> Refusal {
    Refusal::new(414, format!("request target over {} KiB", TARGET_BYTES_MAX / 1024))
}

fn forbidden(byte: u8, at: usize) -> Refusal {
    Refusal::new(
        400,
        match byte {
            0x16 if at == 0 => "this is plain HTTP, and what came looks like TLS",
            b'\n' => "a line of the head ends with LF alone; write CR LF",
            b'\r' => "a CR in the head without its LF",
            0 => "a NUL byte in the head",
            _ => "a control byte in the head",
        },
    )
}

/// Where the first control byte is, tabs among them. Eight bytes at a time: heads are mostly text, and this loop is
/// the only one that sees each byte of them before httparse does.
fn control_at(bytes: &[u8]) -> Option<usize> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // None is below 0x20 or above 0x7e: so it is with most words, and that is seen at once.
        if (word.wrapping_sub(EACH * 0x20) | word.wrapping_add(EACH)) & (EACH * 0x80) == 0 {
            continue;
        }
        // A byte's highest bit is set in `low` if it is below 0x20, in `deleted` if it is 0x7f. A borrow can set
        // more bits above a first true one, never below, and only the lowest is used.
        let low = word.wrapping_sub(EACH * 0x20) & !word;
        let flipped = word ^ (EACH * 0x7f);
        let deleted = flipped.wrapping_sub(EACH) & !flipped;
        let found = (low | deleted) & (EACH * 0x80);
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let ahead = rest.iter().position(u8::is_ascii_control)?;
    Some(words.len() * 8 + ahead)
}

/// A head, and what it says about the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What goes on with the request.
    pub head: Head,
    /// HTTP/1.0, where an answer has to say that the connection stays.
    pub old: bool,
    /// The peer wants to go on with this connection.
    pub keep_alive: bool,
    /// The peer may be waiting for `100 Continue`.
    pub expects_continue: bool,
}

/// Takes a whole head apart. `text` ends with the blank line that [`Search`] found.
pub fn parse_head(text: &[u8]) -> Result<Asked, Refusal> {
    let mut space = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(text, &mut space) {
        Ok(httparse::Status::Complete(length)) if length == text.len() => {}
        Ok(_) => return Err(Refusal::new(400, "malformed head")),
        Err(error) => return Err(malformed(error, text)),
    }
    let old = request.version == Some(0);
    let method = method(request.method.unwrap_or_default())?;
    let target = target(request.path.unwrap_or_default(), method)?;
    let mut said = Said::default();
    for header in request.headers.iter() {
        said.hear(header.name.as_bytes(), header.value)?;
    }
    let framing = said.framing(old)?;
    if !said.host && !old {
        return Err(Refusal::new(400, "no Host header"));
    }
    let headers = request.headers.iter().map(|header| (span(text, header.name.as_bytes()), span(text, header.value)));
    let head =
        Head { method, target: span(text, target.as_bytes()), headers: headers.collect(), framing, text: text.into() };
    let expects_continue = said.expects_continue && !old && !matches!(framing, Framing::Empty | Framing::Length(0));
    Ok(Asked { head, old, keep_alive: !said.close && (!old || said.keep_alive), expects_continue })
}

/// What httparse could not read, as an answer.
fn malformed(error: httparse::Error, text: &[u8]) -> Refusal {
    let line = text.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let version = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    match error {
        httparse::Error::TooManyHeaders => Refusal::new(431, format!("more than {HEADERS_MAX} headers")),
        httparse::Error::Version => match version {
            [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
                Refusal::new(505, "this speaks HTTP/1.1 and HTTP/1.0")
            }
            _ => Refusal::new(400, "malformed request line: no HTTP version at its end"),
        },
        httparse::Error::HeaderName => Refusal::new(400, "malformed header name (or white space before its colon)"),
        httparse::Error::HeaderValue => Refusal::new(400, "malformed header value"),
        _ => Refusal::new(400, "malformed request line"),
    }
}

fn method(name: &str) -> Result<Method, Refusal> {
    match Method::parse(name) {
        // Whoever sends CONNECT takes us for a proxy; it is a method we do not implement for any target.
        Some(Method::Connect) => Err(Refusal::new(501, "this is no proxy: CONNECT is not implemented")),
        Some(method) => Ok(method),
        None => Err(Refusal::new(501, "unknown method")),
    }
}

/// The part of a request target that names a resource here: `/path?query`, or `*` for OPTIONS.
fn target(sent: &str, method: Method) -> Result<&str, Refusal> {
    if sent.len() > TARGET_BYTES_MAX {
        return Err(target_too_long());
    }
    if !sent.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::new(400, "a byte in the request target that must be percent-encoded"));
    }
    if sent.starts_with('/') || (sent == "*" && method == Method::Options) {
        return Ok(sent);
    }
    let Some((scheme, rest)) = sent.split_once("://") else {
        return Err(Refusal::new(400, "the request target must begin with a slash"));
    };
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        // `http://host` means its root. A head's target is a part of its text, and here is a slash.
        None => (rest, sent.get(sent.len() - rest.len() - 1..sent.len() - rest.len()).unwrap_or_default()),
    };
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !known || !is_host(authority.as_bytes()) {
        return Err(Refusal::new(400, "malformed absolute request target"));
    }
    Ok(path)
}

/// Where `part` lies in `text`. httparse hands out parts of the text, except for an empty value.
fn span(text: &[u8], part: &[u8]) -> Span {
    if part.is_empty() {
        return Span { start: 0, end: 0 };
    }
    let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    Span { start: start as u16, end: (start + part.len()) as u16 }
}

/// What the headers say that concerns HTTP itself.
#[derive(Default)]
struct Said {
    host: bool,
    length: Option<u64>,
    codings: Codings,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
}

/// The transfer codings named so far.
#[derive(Default)]
struct Codings {
    any: bool,
    /// `chunked` was named; nothing may come after it.
    chunked: bool,
    unknown: bool,
}

impl Said {
    /// Looks at one header. The length is compared first, so that most headers cost one comparison.
    fn hear(&mut self, name: &[u8], value: &[u8]) -> Result<(), Refusal> {
        match name.len() {
            4 if is_named(name, "host") => match is_host(value) {
                _ if std::mem::replace(&mut self.host, true) => Err(Refusal::new(400, "more than one Host header")),
                true => Ok(()),
                false => Err(Refusal::new(400, "malformed Host header")),
            },
            6 if is_named(name, "expect") => match value.eq_ignore_ascii_case(b"100-continue") {
                true => {
                    self.expects_continue = true;
                    Ok(())
                }
                false => Err(Refusal::new(417, "the only expectation known here is 100-continue")),
            },
            10 if is_named(name, "connection") => {
                for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
                Ok(())
            }
            14 if is_named(name, "content-length") => match self.length.replace(content_length(value)?) {
                Some(_) => Err(Refusal::new(400, "more than one Content-Length header")),
                None => Ok(()),
            },
            16 if is_named(name, "content-encoding") => match value.eq_ignore_ascii_case(b"identity") {
                true => Ok(()),
                _ if value.is_empty() => Ok(()),
                false => Err(Refusal::new(415, "a compressed body is not read here; send it as it is")),
            },
            17 if is_named(name, "transfer-encoding") => self.codings.hear(value),
            _ => Ok(()),
        }
    }

    /// How the body is framed (RFC 9112 §6.3), if that has only one reading.
    fn framing(&self, old: bool) -> Result<Framing, Refusal> {
        if !self.codings.any {
            return match self.length {
                None => Ok(Framing::Empty),
                Some(bytes) if bytes > BODY_BYTES_MAX as u64 => Err(too_large()),
                Some(bytes) => Ok(Framing::Length(bytes)),
            };
        }
        if self.length.is_some() {
            return Err(Refusal::new(400, "both Content-Length and Transfer-Encoding"));
        }
        if old {
            return Err(Refusal::new(400, "HTTP/1.0 has no Transfer-Encoding"));
        }
        match (self.codings.unknown, self.codings.chunked) {
            (true, _) => Err(Refusal::new(501, "the only transfer coding known here is chunked")),
            (false, _) => Ok(Framing::Chunked),
        }
    }
}

impl Codings {
    fn hear(&mut self, value: &[u8]) -> Result<(), Refusal> {
        self.any = true;
        for coding in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            if self.chunked || coding.is_empty() || !coding.iter().all(|&byte| is_token(byte)) {
                return Err(Refusal::new(400, "malformed Transfer-Encoding: chunked must be there once, and last"));
            }
            match coding.eq_ignore_ascii_case(b"chunked") {
                true => self.chunked = true,
                false => self.unknown = true,
            }
        }
        Ok(())
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    let mut length: Option<u64> = if value.is_empty() { None } else { Some(0) };
    for byte in value {
        length = match byte {
            b'0'..=b'9' => length.and_then(|so_far| so_far.checked_mul(10)?.checked_add(u64::from(byte - b'0'))),
            _ => None,
        };
    }
    length.ok_or_else(|| Refusal::new(400, "malformed Content-Length"))
}

/// Whether this is `host` or `host:port` (RFC 3986 §3.2.2; no user, no empty host).
fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value {
        [b'[', ..] => match value.iter().position(|&byte| byte == b']') {
            Some(close) => value.split_at(close + 1),
            None => return false,
        },
        _ => value.split_at(value.iter().position(|&byte| byte == b':').unwrap_or(value.len())),
    };
    let host_is_fine = match host {
        [b'[', inner @ .., b']'] => {
            !inner.is_empty() && inner.iter().all(|&byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }
        [] => false,
        name => name.iter().all(|&byte| byte.is_ascii_alphanumeric() || is_sign(byte)),
    };
    let port_is_fine = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    host_is_fine && port_is_fine
}

/// Whether a host's name may have this sign.
fn is_sign(byte: u8) -> bool {
    matches!(byte, b'!' | b'$'..=b'.' | b';' | b'=' | b'_' | b'~')
}

#[cfg(test)]
mod tests {

    use super::*;

    /// What is said to these bytes, after which nothing comes: `Ok(None)` if more is waited for.
    fn read(bytes: &[u8]) -> Result<Option<Asked>, Refusal> {
        match Search::default().look(bytes)? {
            Found::Head(length) => parse_head(&bytes[..length]).map(Some),
            _ => Ok(None),
        }
    }

    fn accepted(text: &str) -> Asked {
        read(text.as_bytes()).unwrap_or_else(|refusal| panic!("{text:?}: {refusal:?}")).expect(text)
    }

    /// The status of the refusal, which must also explain itself in one line.
    fn refused(bytes: impl AsRef<[u8]>) -> u16 {
        let bytes = bytes.as_ref();
        let text = bytes.escape_ascii();
        let refusal = read(bytes).err().unwrap_or_else(|| panic!("not refused: {text}"));
        assert!(refusal.why.contains(' ') && !refusal.why.contains('\n'), "{}", refusal.why);
        // However it is cut, the same is said.
        let mut search = Search::default();
        for end in 0..bytes.len() {
            match search.look(&bytes[..end]) {
                Ok(Found::Nothing) => {}
                Ok(found) => panic!("{found:?} in {text}"),
                Err(early) => {
                    assert_eq!(early, refusal, "{text}");
                    break;
                }
            }
        }
        refusal.status
    }

    /// A POST with these header lines and a Host.
    fn with(headers: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n")
    }

    fn line(line: &str) -> String {
        format!("{line}\r\nHost: a\r\n\r\n")
    }

    #[test]
    fn what_a_head_says_can_be_asked() {
        let asked = accepted("GET /a?b=c HTTP/1.1\r\nHost: a\r\nX-One: \t 1 \r\nx-two:\r\nx-ONE: 3\r\n\r\n");
        assert_eq!((asked.head.path(), asked.head.query()), ("/a", "b=c"));
        assert_eq!(asked.head.header("x-one"), Some(&b"1"[..]));
        assert_eq!(asked.head.header("X-Two"), Some(&b""[..]));
        assert_eq!(asked.head.header("x-three"), None);
        assert_eq!((asked.old, asked.keep_alive, asked.expects_continue), (false, true, false));
    }

    #[test]
    fn the_search_ends_at_the_blank_line_and_sees_each_byte_once() {
        let text = with("X: 1\t2");
        let mut search = Search::default();
        for end in 0..text.len() {
            assert_eq!(search.look(&text.as_bytes()[..end]), Ok(Found::Nothing));
            assert!(usize::from(search.searched) + 1 >= end, "{end}");
        }
        assert_eq!(search.look(format!("{text}body").as_bytes()), Ok(Found::Head(text.len())));
    }

    #[test]
    fn every_control_byte_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                for others in [b'a', b' ', b'~', 0x80, 0x9f, 0xa0, 0xfe, 0xff] {
                    let mut bytes = [others; 20];
                    bytes[at] = byte;
                    let found = control_at(&bytes);
                    assert_eq!(found, byte.is_ascii_control().then_some(at), "{byte:#x} at {at} among {others:#x}");
                }
            }
        }
        assert_eq!(control_at(b"aaaaaaaaa\x7f\x00aa \x80\r"), Some(9));
    }

    #[test]
    fn a_body_is_framed_by_its_length_or_by_chunks() {
        assert_eq!(accepted(&with("X: y")).head.framing, Framing::Empty);
        assert_eq!(accepted(&with("Content-Length: 017")).head.framing, Framing::Length(17));
        assert_eq!(accepted(&with("Transfer-Encoding: Chunked")).head.framing, Framing::Chunked);
        assert_eq!(accepted(&with("Content-Length: 1048576")).head.framing, Framing::Length(1_048_576));
    }

    #[test]
    fn two_ways_to_frame_a_body_are_one_too_many() {
        assert_eq!(refused(with("Content-Length: 5\r\nTransfer-Encoding: chunked")), 400);
        assert_eq!(refused(with("Transfer-Encoding: chunked\r\nContent-Length: 5")), 400);
        assert_eq!(refused(with("Content-Length: 5\r\nContent-Length: 5")), 400);
        assert_eq!(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    }

    #[test]
    fn a_length_is_digits_and_fits() {
        for length in ["+5", "-5", "5,5", "5, 5", "0x5", "5 5", "5a", "", "18446744073709551616", "\u{665}"] {
            assert_eq!(refused(with(&format!("Content-Length: {length}"))), 400, "{length}");
        }
        assert_eq!(refused(with("Content-Length: 18446744073709551615")), 413);
        assert_eq!(refused(with("Content-Length: 1048577")), 413);
    }

    #[test]
    fn the_only_transfer_coding_is_chunked_once_and_last() {
        for coding in ["gzip", "gzip, chunked", "identity", "x-chunked"] {
            assert_eq!(refused(with(&format!("Transfer-Encoding: {coding}"))), 501, "{coding}");
        }
        for coding in ["chunked, chunked", "chunked, gzip", "chunked,", "", "chunked;q=1", "\"chunked\"", "chun ked"] {
            assert_eq!(refused(with(&format!("Transfer-Encoding: {coding}"))), 400, "{coding}");
        }
        assert_eq!(refused(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")), 400);
        assert_eq!(refused(with("Transfer-Encoding: \x0bchunked")), 400);
    }

    #[test]
    fn a_compressed_body_and_an_unknown_expectation_are_refused() {
        assert_eq!(refused(with("Content-Encoding: gzip")), 415);
        assert_eq!(refused(with("Expect: 200-ok")), 417);
        accepted(&with("Content-Encoding: Identity"));
        assert!(accepted(&with("Expect: 100-continue\r\nContent-Length: 1")).expects_continue);
    }

    #[test]
    fn lines_end_with_cr_lf_and_with_nothing_else() {
        assert_eq!(refused("GET / HTTP/1.1\nHost: a\n\n"), 400);
        assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400);
        assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400);
        assert_eq!(refused("GET / HTTP/1.1\rHost: a\r\n\r\n"), 400);
        assert_eq!(refused(with("X: a\rb")), 400);
        assert_eq!(refused(with("X: a\r\r\nY: b")), 400);
        assert_eq!(refused("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    }

    #[test]
    fn no_control_byte_passes_anywhere_in_a_head() {
        for byte in (0..0x20).chain([0x7f]).filter(|byte| !b"\t\r\n".contains(byte)) {
            for (before, after) in [("GE", "T / HTTP/1.1"), ("GET /", " HTTP/1.1"), ("GET / HTTP/1.1\r\nX: ", "y")] {
                let text = [before.as_bytes(), &[byte], after.as_bytes(), b"\r\nHost: a\r\n\r\n"].concat();
                assert_eq!(refused(text), 400, "{byte:#x}");
            }
        }
    }

    #[test]
    fn headers_are_not_folded_and_their_names_end_at_the_colon() {
        for headers in ["X: a\r\n b", "X: a\r\n\tb", " X: a", "X : a", "X\t: a", ": a", "X", "X\u{e9}: a", "X y: a"] {
            assert_eq!(refused(with(headers)), 400, "{headers}");
        }
        assert_eq!(refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
    }

    #[test]
    fn other_bytes_than_ascii_are_opaque_in_values_and_refused_in_targets() {
        let asked = accepted(&with("X: Gr\u{fc}\u{df}e"));
        assert_eq!(asked.head.header("x"), Some("Gr\u{fc}\u{df}e".as_bytes()));
        assert_eq!(refused(line("GET /\u{fc} HTTP/1.1")), 400);
        assert_eq!(refused(b"GET /\xfc HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    }

    #[test]
    fn there_is_one_host_and_it_is_one() {
        assert_eq!(refused("GET / HTTP/1.1\r\n\r\n"), 400);
        assert_eq!(refused(with("Host: a")), 400);
        for host in ["", "a b", "a/b", "a@b", "a:b", "a:1:2", "a:123456", "[::1", "[]", "[g::]", "a,b:c", "\u{fc}"] {
            assert_eq!(refused(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")), 400, "{host}");
        }
        for host in ["bots.example.org", "127.0.0.1:3000", "[::1]:3000", "[::ffff:1.2.3.4]", "a_b", "a:"] {
            accepted(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        }
        accepted("GET / HTTP/1.0\r\n\r\n");
        assert_eq!(refused("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
    }

    #[test]
    fn versions_and_methods_are_known_ones() {
        for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9"] {
            assert_eq!(refused(line(&format!("GET / {version}"))), 505, "{version}");
        }
        for version in ["http/1.1", "HTTP/1", "HTTP/1.10", "HTTP/a.b", "HTTP/1.1 ", "HTTP/11", ""] {
            assert_eq!(refused(line(&format!("GET / {version}"))), 400, "{version}");
        }
        assert_eq!(refused("PRI * HTTP/2.0\r\n\r\n"), 505);
        assert_eq!(refused(line("GET /")), 400);
        for method in ["BREW", "get", "CONNECT", "POSTX"] {
            assert_eq!(refused(line(&format!("{method} / HTTP/1.1"))), 501, "{method}");
        }
        assert_eq!(refused(line("CONNECT a:443 HTTP/1.1")), 501);
        for method in ["G@T", "", "G\u{c9}T", "GET ", " GET", "GET\t"] {
            assert_eq!(refused(line(&format!("{method} / HTTP/1.1"))), 400, "{method}");
        }
    }

    #[test]
    fn a_target_is_a_path_here_or_the_star_of_options() {
        assert_eq!(accepted(&line("OPTIONS * HTTP/1.1")).head.target(), "*");
        assert_eq!(accepted(&line("GET http://a.example:80/b?c HTTP/1.1")).head.target(), "/b?c");
        assert_eq!(accepted(&line("GET HTTPS://a.example HTTP/1.1")).head.target(), "/");
        for target in ["*", "a", "a:80", "ftp://a/b", "http:///b", "http://u@a/b", "http://a?b", "?/", "http:/a"] {
            assert_eq!(refused(line(&format!("GET {target} HTTP/1.1"))), 400, "{target}");
        }
    }

    #[test]
    fn a_target_has_a_bound_also_before_its_line_ends() {
        let longest = format!("/{}", "a".repeat(TARGET_BYTES_MAX - 1));
        assert_eq!(accepted(&line(&format!("GET {longest} HTTP/1.1"))).head.target().len(), TARGET_BYTES_MAX);
        assert_eq!(refused(line(&format!("GET {longest}a HTTP/1.1"))), 414);
        assert_eq!(refused(format!("GET {longest}{}", "a".repeat(32))), 414);
    }

    #[test]
    fn a_head_has_a_bound_also_without_its_blank_line() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        let room = HEAD_BYTES_MAX - start.len() - 4;
        accepted(&format!("{start}{}\r\n\r\n", "a".repeat(room)));
        assert_eq!(refused(format!("{start}{}\r\n\r\n", "a".repeat(room + 1))), 431);
        assert_eq!(refused(format!("{start}{}", "a".repeat(room + 9))), 431);
        assert_eq!(refused(format!("{start}{}", "a\r\nX: ".repeat(room))), 431);
    }

    #[test]
    fn headers_have_a_bound() {
        accepted(&with(&vec!["X: y"; HEADERS_MAX - 1].join("\r\n")));
        assert_eq!(refused(with(&vec!["X: y"; HEADERS_MAX].join("\r\n"))), 431);
    }

    #[test]
    fn a_tls_client_is_told_that_this_is_plain_http() {
        let refusal = read(b"\x16\x03\x01\x02\x00\x01\x00").unwrap_err();
        assert_eq!((refusal.status, refusal.why.contains("plain HTTP")), (400, true));
        assert_eq!(read(b"\x16").unwrap_err(), refusal);
    }
}
