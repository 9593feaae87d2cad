//! One HTTP/1.1 connection as the server sees it: bytes in, requests out, responses in, bytes out.
//!
//! It owns no socket and reads no clock. After each `receive`, `receive_end`, `respond`, `refuse` or `sent`, call
//! `next` until it says `NeedBytes` or `Close`; only then wait. What there is to wait for, [`Connection::wait`] names.
//!
//!     Head ──▶ Body ──▶ Answer ──▶ Head        after a last answer or a refusal: Drain ──▶ Closed
//!
//! One request is handed out at a time, and the next one is not looked at before its answer has been sent; so
//! answers stay in order, and a peer that sends but does not read costs no more than what it may send ahead.
//! A buffer exists only while there are bytes in it.
//!
//! Never here: JSON, routes, platforms, deadlines. Bounds: `limits`. Read next: `head.rs` for what ends a head.

use std::fmt;
use std::mem;

use super::body::BodyReader;
use super::head::{Asked, Found, Search, parse_head};
use super::response::{self, HttpDate, Manner};
use crate::limits::AHEAD_BYTES_MAX;
use crate::model::{Framing, Head, Method, Refusal, Request, Response};

/// Empty lines that may stand before a request line; some old clients end a body with one that they do not count.
const EMPTY_LINES_MAX: u8 = 4;

/// The states of one connection, and its bytes.
#[derive(Debug, Default)]
pub struct Connection {
    state: State,
    /// Received and not yet understood.
    unread: Bytes,
    /// Said and not yet sent.
    unsent: Bytes,
    /// The peer will send no more.
    ended: bool,
    /// When it ended, an answer was still owed to it.
    owed: bool,
    /// The next answer is the last one, by our own wish.
    retiring: bool,
}

/// What the connection waits for.
#[derive(Debug)]
enum State {
    /// The rest of a head, or the first of one; before that, that the answer before it is sent.
    Head { search: Search, empty_lines: u8 },
    /// The rest of a body.
    Body { head: Head, body: Vec<u8>, reader: BodyReader, pending: Pending },
    /// Our answer. What the peer sends meanwhile is kept, not parsed.
    Answer(Pending),
    /// The last answer was said. Once it is sent: that the peer ends, too, so that it gets to read it.
    Drain {
        reason: CloseReason,
        /// The peer asked for the end itself, and nothing came behind its request.
        quiet: bool,
    },
    /// Nothing.
    Closed(CloseReason),
}

impl Default for State {
    fn default() -> State {
        State::Head { search: Search::default(), empty_lines: 0 }
    }
}

/// What the answer to a request under way depends on.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    /// The request was HEAD.
    headers_only: bool,
    /// The request was HTTP/1.0.
    old: bool,
    /// The peer wants to go on afterwards.
    keep_alive: bool,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing before more was received, answered or sent.
    NeedBytes,
    /// Answer this, with `respond` or `refuse`.
    Request(Request),
    /// Say this, with `refuse`.
    Refuse(Refusal),
    /// Let go of the socket.
    Close(CloseReason),
}

/// What a connection waits for, so that a deadline and a log line can be put to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A request, and none has begun.
    Idle,
    /// The rest of a head.
    Head,
    /// The rest of a body.
    Body {
        /// Bytes of it so far, without those around chunks.
        received: usize,
    },
    /// Our own answer.
    Answer,
    /// That what we said gets out.
    Write,
    /// That the peer ends: the last answer was sent. Shut down the writing side and read on for a while, since
    /// closing with bytes unread would reset the connection and take the answer from the peer. See also
    /// `peer_asked_to_close`.
    Drain,
    /// Nothing.
    Closed,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The request said that it was the last one.
    PeerAsked,
    /// The peer ended between two requests.
    PeerLeft,
    /// The peer ended, but not before it had asked; it got its answers.
    HalfClosed,
    /// The peer ended in the middle of a request.
    PeerVanished,
    /// A request was refused.
    Refused,
    /// We ended it, for example to stop.
    Retired,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            CloseReason::PeerAsked => "the client asked to close after its answer",
            CloseReason::PeerLeft => "the client closed between requests",
            CloseReason::HalfClosed => "the client had closed its side and has its answers",
            CloseReason::PeerVanished => "the client was gone in the middle of a request",
            CloseReason::Refused => "a request was refused",
            CloseReason::Retired => "we closed it",
        })
    }
}

impl Connection {
    /// A connection on which nothing has been said.
    pub fn new() -> Connection {
        Connection::default()
    }

    /// Takes bytes that the peer sent.
    pub fn receive(&mut self, bytes: &[u8]) {
        match self.state {
            State::Drain { .. } | State::Closed(_) => {}
            _ => self.unread.append(bytes),
        }
    }

    /// The peer will send no more. What it already asked still gets its answer.
    pub fn receive_end(&mut self) {
        self.owed |= !self.ended && self.wait() != Wait::Idle;
        self.ended = true;
    }

    /// What to do next. `gate` looks at a head before a byte of its body is kept and before 100 Continue is said.
    pub fn next(&mut self, gate: impl FnOnce(&Head) -> Result<(), Refusal>) -> Step {
        match self.state {
            State::Head { .. } => self.read_head(gate),
            State::Body { .. } => self.read_body(),
            State::Answer(_) => Step::NeedBytes,
            State::Drain { reason, .. } if self.ended && self.unsent.is_empty() => self.close(reason),
            State::Drain { .. } => Step::NeedBytes,
            State::Closed(reason) => Step::Close(reason),
        }
    }

    /// Answers the request handed out. Without one it does nothing.
    pub fn respond(&mut self, response: &Response, date: &HttpDate) {
        let State::Answer(pending) = self.state else { return };
        let stays = pending.keep_alive && !self.retiring;
        let connection = match (stays, pending.old) {
            (true, false) => None,
            (true, true) => Some("keep-alive"),
            (false, _) => Some("close"),
        };
        self.say(response, date, Manner { headers_only: pending.headers_only, connection });
        match (stays, pending.keep_alive) {
            (true, _) => self.state = State::default(),
            (false, true) => self.drain(CloseReason::Retired),
            (false, false) => self.drain(CloseReason::PeerAsked),
        }
    }

    /// Says no and ends: to what is under way, or unasked (408, 503). After a last answer it does nothing.
    pub fn refuse(&mut self, refusal: &Refusal, date: &HttpDate) {
        let headers_only = match &self.state {
            State::Head { .. } => false,
            State::Body { pending, .. } | State::Answer(pending) => pending.headers_only,
            State::Drain { .. } | State::Closed(_) => return,
        };
        self.say(&refusal.response(), date, Manner { headers_only, connection: Some("close") });
        self.drain(CloseReason::Refused);
    }

    /// Makes the next answer the last one; an idle connection closes on its next `next`.
    pub fn close_after_answer(&mut self) {
        self.retiring = true;
    }

    /// Whether the peer said that the request just answered was its last one, and has sent nothing behind it.
    pub fn peer_asked_to_close(&self) -> bool {
        matches!(self.state, State::Drain { quiet: true, .. })
    }

    /// What has to be sent.
    pub fn unsent(&self) -> &[u8] {
        self.unsent.as_slice()
    }

    /// So many of the bytes of `unsent` were sent.
    pub fn sent(&mut self, count: usize) {
        self.unsent.take(count);
    }

    /// Whether to read from the socket. If not, bytes stay with the kernel, and the peer will have to wait.
    pub fn wants_bytes(&self) -> bool {
        match self.state {
            _ if self.ended => false,
            State::Head { .. } if self.unsent.is_empty() => true,
            State::Body { .. } => true,
            State::Head { .. } | State::Answer(_) => self.unread.len() < AHEAD_BYTES_MAX,
            State::Drain { .. } => self.unsent.is_empty(),
            State::Closed(_) => false,
        }
    }

    /// What it waits for.
    pub fn wait(&self) -> Wait {
        match &self.state {
            State::Head { .. } | State::Drain { .. } if !self.unsent.is_empty() => Wait::Write,
            State::Head { .. } if self.unread.is_empty() => Wait::Idle,
            State::Head { .. } => Wait::Head,
            State::Body { body, .. } => Wait::Body { received: body.len() },
            State::Answer(_) => Wait::Answer,
            State::Drain { .. } => Wait::Drain,
            State::Closed(_) => Wait::Closed,
        }
    }

    /// Bytes of memory held in buffers: what is unread, unsent, and the request that is coming in. Zero when idle.
    pub fn held_bytes(&self) -> usize {
        let request = match &self.state {
            State::Body { head, body, .. } => head.text.len() + size_of_val(&*head.headers) + body.capacity(),
            _ => 0,
        };
        self.unread.capacity() + self.unsent.capacity() + request
    }

    fn read_head(&mut self, gate: impl FnOnce(&Head) -> Result<(), Refusal>) -> Step {
        if !self.unsent.is_empty() {
            return Step::NeedBytes;
        }
        let length = match self.find_head() {
            Ok(Some(length)) => length,
            Ok(None) if self.ended => return self.ended_in_head(),
            Ok(None) if self.retiring && self.unread.is_empty() => return self.close(CloseReason::Retired),
            Ok(None) => return Step::NeedBytes,
            Err(refusal) => return self.refused(refusal, Pending::default()),
        };
        let asked = match parse_head(self.unread.as_slice().get(..length).unwrap_or_default()) {
            Ok(asked) => asked,
            Err(refusal) => return self.refused(refusal, Pending::default()),
        };
        self.unread.take(length);
        let Asked { head, old, keep_alive, expects_continue } = asked;
        let pending = Pending { headers_only: head.method == Method::Head, old, keep_alive };
        if let Err(refusal) = gate(&head) {
            return self.refused(refusal, pending);
        }
        if head.framing == Framing::Length(self.unread.len() as u64) {
            // All of it is there and nothing else, as with most requests: the body stays in the memory that it came in.
            self.state = State::Answer(pending);
            return Step::Request(Request { head, body: mem::take(&mut self.unread).into_vec() });
        }
        // Whoever sends its body at once does not need to hear it.
        if expects_continue && self.unread.is_empty() {
            self.unsent.append(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        let reader = BodyReader::new(head.framing);
        self.state = State::Body { head, body: Vec::new(), reader, pending };
        self.read_body()
    }

    /// The length of the head at the front of what is unread, once all of it is there.
    fn find_head(&mut self) -> Result<Option<usize>, Refusal> {
        let State::Head { search, empty_lines } = &mut self.state else { return Ok(None) };
        loop {
            match search.look(self.unread.as_slice())? {
                Found::Nothing => return Ok(None),
                Found::Head(length) => return Ok(Some(length)),
                Found::EmptyLine if *empty_lines == EMPTY_LINES_MAX => {
                    return Err(Refusal::new(400, "empty lines instead of a request"));
                }
                Found::EmptyLine => {
                    *empty_lines += 1;
                    self.unread.take(2);
                    *search = Search::default();
                }
            }
        }
    }

    fn ended_in_head(&mut self) -> Step {
        self.close(match (self.unread.is_empty(), self.owed) {
            (false, _) => CloseReason::PeerVanished,
            (true, true) => CloseReason::HalfClosed,
            (true, false) => CloseReason::PeerLeft,
        })
    }

    fn read_body(&mut self) -> Step {
        let State::Body { body, reader, pending, .. } = &mut self.state else { return Step::NeedBytes };
        let pending = *pending;
        let fed = match reader.feed(self.unread.as_slice(), body) {
            Ok(fed) => fed,
            Err(refusal) => return self.refused(refusal, pending),
        };
        self.unread.take(fed.taken);
        if !fed.done {
            return if self.ended { self.close(CloseReason::PeerVanished) } else { Step::NeedBytes };
        }
        match mem::replace(&mut self.state, State::Answer(pending)) {
            State::Body { head, body, .. } => Step::Request(Request { head, body }),
            _ => Step::NeedBytes,
        }
    }

    /// Hands out a refusal. What came in behind it is of no use: nobody can say what it belongs to.
    fn refused(&mut self, refusal: Refusal, pending: Pending) -> Step {
        self.unread = Bytes::default();
        self.state = State::Answer(Pending { keep_alive: false, ..pending });
        Step::Refuse(refusal)
    }

    fn say(&mut self, response: &Response, date: &HttpDate, manner: Manner) {
        response::write(self.unsent.tail(), response, date, manner);
    }

    fn drain(&mut self, reason: CloseReason) {
        let quiet = reason == CloseReason::PeerAsked && self.unread.is_empty();
        self.unread = Bytes::default();
        self.state = State::Drain { reason, quiet };
    }

    fn close(&mut self, reason: CloseReason) -> Step {
        self.unread = Bytes::default();
        self.unsent = Bytes::default();
        self.state = State::Closed(reason);
        Step::Close(reason)
    }
}

/// A buffer that is not worth moving out of, however little is left in it.
const SMALL_BYTES: usize = 4 * 1024;

/// Bytes appended at the end and taken from the front. Empty, it holds no memory.
#[derive(Debug, Default)]
struct Bytes {
    kept: Vec<u8>,
    /// So many at the front were taken.
    taken: usize,
}

impl Bytes {
    fn as_slice(&self) -> &[u8] {
        self.kept.get(self.taken..).unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.kept.len() - self.taken
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn capacity(&self) -> usize {
        self.kept.capacity()
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.kept.is_empty() {
            self.kept = bytes.to_vec();
            return;
        }
        if self.taken > 0 {
            self.kept.drain(..self.taken);
            self.taken = 0;
        }
        self.kept.extend_from_slice(bytes);
    }

    /// Where to append what is not yet bytes.
    fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.kept
    }

    /// What is left, in the same memory.
    fn into_vec(mut self) -> Vec<u8> {
        self.kept.drain(..self.taken);
        self.kept
    }

    /// Takes from the front. When half of a big buffer is of no use any more, what is left moves into memory of its
    /// own size: a peer must not hold it with a few bytes, and no byte moves more often than others are taken.
    fn take(&mut self, count: usize) {
        self.taken = self.kept.len().min(self.taken.saturating_add(count));
        if self.is_empty() {
            *self = Bytes::default();
        } else if self.kept.capacity() > SMALL_BYTES && self.taken >= self.kept.capacity() / 2 {
            *self = Bytes { kept: self.as_slice().to_vec(), taken: 0 };
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::limits::{BODY_BYTES_MAX, HEAD_BYTES_MAX, READ_BYTES};
    use crate::model::Moment;

    const WEBHOOK: &[u8] = include_bytes!("../../tests/fixtures/http/messenger.http");
    const CHUNKED: &[u8] = b"POST /webex HTTP/1.1\r\nHost: bots.example.org\r\nTransfer-Encoding: chunked\r\n\r\n\
        7;seen=\"no\"\r\n{\"id\":1\r\n1\r\n}\r\n000\r\nX-Checksum: 5\r\n\r\n";
    const CHALLENGE: &[u8] = b"GET /messenger?hub.mode=subscribe&hub.challenge=7 HTTP/1.1\r\nHost: a\r\n\r\n";

    fn date() -> HttpDate {
        HttpDate::of(Moment(784_111_777_000))
    }

    /// Everything that happened on a connection.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Told {
        requests: Vec<Request>,
        refusals: Vec<Refusal>,
        sent: Vec<u8>,
        closed: Option<CloseReason>,
    }

    impl Told {
        /// Drives a connection as the shell does; each request is answered with its path at once.
        fn pump(&mut self, connection: &mut Connection) {
            loop {
                match connection.next(|_| Ok(())) {
                    Step::Request(request) => {
                        connection.respond(&Response::text(200, request.head.path().to_owned()), &date());
                        self.requests.push(request);
                    }
                    Step::Refuse(refusal) => {
                        connection.refuse(&refusal, &date());
                        self.refusals.push(refusal);
                    }
                    Step::NeedBytes if connection.unsent().is_empty() => return,
                    Step::NeedBytes => {
                        self.sent.extend_from_slice(connection.unsent());
                        connection.sent(connection.unsent().len());
                    }
                    Step::Close(reason) => return self.closed = Some(reason),
                }
            }
        }

        fn text(&self) -> &str {
            std::str::from_utf8(&self.sent).unwrap()
        }
    }

    fn read(pieces: &[&[u8]]) -> Told {
        let mut told = Told::default();
        let mut connection = Connection::new();
        for piece in pieces {
            connection.receive(piece);
            told.pump(&mut connection);
        }
        connection.receive_end();
        told.pump(&mut connection);
        assert_eq!(connection.held_bytes(), 0);
        assert_eq!(connection.wait(), Wait::Closed);
        told
    }

    fn with_headers(headers: &str) -> Vec<u8> {
        format!("POST /webex HTTP/1.1\r\nHost: bots.example.org\r\n{headers}\r\n").into_bytes()
    }

    /// A connection to which `bytes` were sent, and what it says next.
    fn after(bytes: &[u8]) -> (Connection, Step) {
        let mut connection = Connection::new();
        connection.receive(bytes);
        let step = connection.next(|_| Ok(()));
        (connection, step)
    }

    fn send_all(connection: &mut Connection) -> String {
        let text = String::from_utf8(connection.unsent().to_vec()).unwrap();
        connection.sent(text.len());
        text
    }

    #[test]
    fn a_webhook_is_handed_out_with_its_body_byte_for_byte() {
        let told = read(&[WEBHOOK]);
        let request = &told.requests[0];
        assert_eq!(request.head.method, Method::Post);
        assert_eq!(request.head.path(), "/messenger");
        assert_eq!(request.head.header("x-hub-signature-256").unwrap().len(), 71);
        assert!(request.body.starts_with(b"{\"object\":\"page\"") && request.body.ends_with(b"]}"));
        assert_eq!(told.closed, Some(CloseReason::PeerLeft));
    }

    #[test]
    fn a_webhook_cut_at_any_byte_reads_the_same() {
        for cut in 0..=WEBHOOK.len() {
            assert_eq!(read(&[&WEBHOOK[..cut], &WEBHOOK[cut..]]), read(&[WEBHOOK]), "cut at {cut}");
        }
    }

    #[test]
    fn several_requests_sent_ahead_read_the_same_however_they_are_cut() {
        let all = [WEBHOOK, CHUNKED, b"\r\n", CHALLENGE, WEBHOOK].concat();
        let whole = read(&[&all]);
        assert_eq!(whole.requests.len(), 4);
        assert_eq!(whole.requests[1].body, b"{\"id\":1}");
        for cut in 0..=all.len() {
            assert_eq!(read(&[&all[..cut], &all[cut..]]), whole, "cut at {cut}");
        }
        assert_eq!(read(&all.chunks(1).collect::<Vec<_>>()), whole);
        assert_eq!(read(&all.chunks(7).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn answers_come_in_the_order_of_the_requests_and_one_at_a_time() {
        let mut connection = Connection::new();
        connection.receive(&[WEBHOOK, CHALLENGE, CHUNKED].concat());
        for path in ["/messenger", "/messenger", "/webex"] {
            let Step::Request(request) = connection.next(|_| Ok(())) else { panic!("no request") };
            assert_eq!(request.head.path(), path);
            assert_eq!(connection.next(|_| Ok(())), Step::NeedBytes);
            connection.respond(&Response::text(200, path), &date());
            assert_eq!((connection.next(|_| Ok(())), connection.wait()), (Step::NeedBytes, Wait::Write));
            assert!(send_all(&mut connection).ends_with(path));
        }
        assert_eq!((connection.wait(), connection.held_bytes()), (Wait::Idle, 0));
    }

    #[test]
    fn an_answer_carries_date_length_and_its_own_headers() {
        let (mut connection, _) = after(WEBHOOK);
        connection.respond(&Response::text(200, "EVENT_RECEIVED").with("X-Note", "a\r\nb"), &date());
        assert_eq!(
            send_all(&mut connection),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 14\r\n\
             Content-Type: text/plain; charset=utf-8\r\nX-Note: a  b\r\n\r\nEVENT_RECEIVED"
        );
    }

    #[test]
    fn head_is_told_the_length_of_a_body_that_it_does_not_get() {
        let told = read(&[b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n", CHALLENGE]);
        assert!(told.text().contains("Content-Length: 7\r\n"));
        assert_eq!(told.text().matches("/health").count(), 0);
        assert_eq!(told.requests.len(), 2);
    }

    #[test]
    fn head_is_refused_without_a_body_if_its_head_could_be_read() {
        let mut connection = Connection::new();
        connection.receive(b"HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
        let Step::Refuse(refusal) = connection.next(|_| Err(Refusal::new(404, "no such path"))) else { panic!() };
        connection.refuse(&refusal, &date());
        let answer = send_all(&mut connection);
        assert!(answer.contains("Content-Length: 13\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    }

    #[test]
    fn http_1_0_closes_unless_it_asked_to_stay() {
        let told = read(&[b"GET /a HTTP/1.0\r\n\r\n", b"GET /b HTTP/1.0\r\n\r\n"]);
        assert_eq!((told.requests.len(), told.closed), (1, Some(CloseReason::PeerAsked)));
        assert!(told.text().contains("\r\nConnection: close\r\n"));
        let stay = b"GET /a HTTP/1.0\r\nConnection: foo, Keep-Alive\r\n\r\n";
        let told = read(&[stay, stay]);
        assert_eq!(told.requests.len(), 2);
        assert_eq!(told.text().matches("\r\nConnection: keep-alive\r\n").count(), 2);
    }

    #[test]
    fn connection_close_is_found_in_a_list_and_in_any_case() {
        for value in ["close", "keep-alive, CLOSE", "Upgrade ,\tClose"] {
            let told = read(&[&with_headers(&format!("Connection: {value}\r\n")), CHALLENGE]);
            assert_eq!((told.requests.len(), told.closed), (1, Some(CloseReason::PeerAsked)), "{value}");
        }
        assert_eq!(read(&[&with_headers("Connection: closed\r\n"), CHALLENGE]).requests.len(), 2);
    }

    #[test]
    fn continue_is_said_after_the_gate_and_only_to_whoever_may_wait_for_it() {
        let expecting = with_headers("Expect: 100-Continue\r\nContent-Length: 2\r\n");
        let (mut connection, step) = after(&expecting);
        assert_eq!((step, connection.wait()), (Step::NeedBytes, Wait::Body { received: 0 }));
        assert_eq!(send_all(&mut connection), "HTTP/1.1 100 Continue\r\n\r\n");
        connection.receive(b"hi");
        assert!(matches!(connection.next(|_| Ok(())), Step::Request(request) if request.body == b"hi"));

        let mut refused = Connection::new();
        refused.receive(&expecting);
        let step = refused.next(|_| Err(Refusal::new(401, "no signature")));
        assert_eq!((step, refused.unsent()), (Step::Refuse(Refusal::new(401, "no signature")), &b""[..]));

        let (body_came_along, _) = after(&[&expecting, &b"h"[..]].concat());
        let (no_body, _) = after(&with_headers("Expect: 100-continue\r\n"));
        let (old, _) = after(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        for quiet in [body_came_along, no_body, old] {
            assert_eq!(quiet.unsent(), b"");
        }
    }

    #[test]
    fn the_gate_sees_each_head_once_and_before_its_body() {
        let mut connection = Connection::new();
        let mut seen = 0;
        for byte in [WEBHOOK, WEBHOOK].concat() {
            connection.receive(&[byte]);
            let gate = |head: &Head| {
                seen += 1;
                assert!(matches!(head.framing, Framing::Length(_)));
                Ok(())
            };
            if let Step::Request(_) = connection.next(gate) {
                connection.respond(&Response::text(200, ""), &date());
                connection.sent(usize::MAX);
            }
        }
        assert_eq!(seen, 2);
    }

    #[test]
    fn a_half_closed_client_gets_all_its_answers() {
        let mut connection = Connection::new();
        connection.receive(&[WEBHOOK, CHALLENGE].concat());
        connection.receive_end();
        let mut told = Told::default();
        told.pump(&mut connection);
        assert_eq!((told.requests.len(), told.closed), (2, Some(CloseReason::HalfClosed)));
        assert_eq!(told.text().matches("HTTP/1.1 200 OK").count(), 2);
    }

    #[test]
    fn a_client_that_ends_in_a_request_has_vanished() {
        for cut in 1..WEBHOOK.len() {
            assert_eq!(read(&[&WEBHOOK[..cut]]).closed, Some(CloseReason::PeerVanished), "cut at {cut}");
        }
        assert_eq!(read(&[WEBHOOK, &WEBHOOK[..9]]).closed, Some(CloseReason::PeerVanished));
        assert_eq!(read(&[]).closed, Some(CloseReason::PeerLeft));
    }

    #[test]
    fn a_refusal_is_said_then_sent_then_drained_then_closed() {
        let (mut connection, step) = after(&with_headers("Content-Length: 99999999\r\n"));
        let Step::Refuse(refusal) = step else { panic!("{step:?}") };
        assert_eq!(connection.wait(), Wait::Answer);
        connection.refuse(&refusal, &date());
        assert_eq!((connection.wait(), connection.wants_bytes()), (Wait::Write, false));
        let answer = send_all(&mut connection);
        assert!(answer.starts_with("HTTP/1.1 413 Content Too Large\r\n"), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n") && answer.ends_with("\r\n\r\nbody over 1024 KiB\n"));
        assert_eq!((connection.wait(), connection.wants_bytes()), (Wait::Drain, true));
        connection.receive(&[b'x'; 5000]);
        assert_eq!((connection.next(|_| Ok(())), connection.held_bytes()), (Step::NeedBytes, 0));
        connection.receive_end();
        assert_eq!(connection.next(|_| Ok(())), Step::Close(CloseReason::Refused));
        assert_eq!((connection.wait(), connection.wants_bytes()), (Wait::Closed, false));
    }

    #[test]
    fn the_shell_may_refuse_in_any_state_and_only_once() {
        for (sent, wait) in [(&b""[..], Wait::Idle), (&WEBHOOK[..40], Wait::Head), (WEBHOOK, Wait::Answer)] {
            let (mut connection, _) = after(sent);
            assert_eq!(connection.wait(), wait);
            let mut refusal = Refusal::new(503, "busy");
            refusal.retry_after_s = Some(5);
            connection.refuse(&refusal, &date());
            connection.refuse(&Refusal::new(408, "late"), &date());
            connection.respond(&Response::text(200, ""), &date());
            let answer = send_all(&mut connection);
            assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("busy\n"), "{answer}");
            assert!(answer.contains("\r\nRetry-After: 5\r\n"));
            assert_eq!(connection.wait(), Wait::Drain);
        }
    }

    #[test]
    fn an_idle_connection_closes_when_told_to_and_a_busy_one_after_its_answer() {
        let (mut idle, _) = after(b"");
        idle.close_after_answer();
        assert_eq!(idle.next(|_| Ok(())), Step::Close(CloseReason::Retired));

        let (mut busy, _) = after(WEBHOOK);
        busy.close_after_answer();
        assert_eq!(busy.next(|_| Ok(())), Step::NeedBytes);
        busy.respond(&Response::text(200, ""), &date());
        assert!(send_all(&mut busy).contains("\r\nConnection: close\r\n"));
        assert_eq!(busy.wait(), Wait::Drain);
        busy.receive_end();
        assert_eq!(busy.next(|_| Ok(())), Step::Close(CloseReason::Retired));
    }

    #[test]
    fn what_is_sent_ahead_is_kept_up_to_its_bound() {
        let (mut connection, _) = after(WEBHOOK);
        assert!(connection.wants_bytes());
        connection.receive(&[b'x'; AHEAD_BYTES_MAX - 1]);
        assert!(connection.wants_bytes());
        connection.receive(b"x");
        assert!(!connection.wants_bytes());
        connection.respond(&Response::text(200, ""), &date());
        assert!(!connection.wants_bytes());
        connection.sent(usize::MAX);
        assert!(connection.wants_bytes());
    }

    #[test]
    fn an_idle_connection_is_small_and_holds_nothing() {
        assert!(size_of::<Connection>() <= 256, "{}", size_of::<Connection>());
        let (mut connection, _) = after(b"");
        for _ in 0..3 {
            assert_eq!((connection.wait(), connection.held_bytes()), (Wait::Idle, 0));
            connection.receive(WEBHOOK);
            assert!(matches!(connection.next(|_| Ok(())), Step::Request(_)));
            assert_eq!(connection.held_bytes(), 0);
            connection.respond(&Response::text(200, ""), &date());
            connection.sent(usize::MAX);
        }
    }

    #[test]
    fn a_body_is_given_room_as_it_comes_and_not_as_it_is_announced() {
        let (mut connection, _) = after(&with_headers(&format!("Content-Length: {BODY_BYTES_MAX}\r\n")));
        let mut received = 0;
        while received < BODY_BYTES_MAX {
            assert!(connection.held_bytes() <= 2 * received.min(64 * 1024) + received + 1024, "{received}");
            connection.receive(&[b'x'; 1024]);
            received += 1024;
            match connection.next(|_| Ok(())) {
                Step::Request(request) => assert_eq!(request.body.capacity(), BODY_BYTES_MAX),
                step => assert_eq!(step, Step::NeedBytes),
            }
        }
        assert_eq!(connection.wait(), Wait::Answer);
    }

    #[test]
    fn a_chunked_body_without_end_is_refused_at_its_bound() {
        let (mut connection, _) = after(&with_headers("Transfer-Encoding: chunked\r\n"));
        let chunk = [b"1000\r\n", &[b'x'; 4096][..], b"\r\n"].concat();
        let piece = chunk.repeat(READ_BYTES / chunk.len());
        loop {
            connection.receive(&piece);
            let step = connection.next(|_| Ok(()));
            assert!(connection.held_bytes() <= HEAD_BYTES_MAX + BODY_BYTES_MAX + AHEAD_BYTES_MAX);
            match step {
                Step::NeedBytes => {}
                Step::Refuse(refusal) => return assert_eq!(refusal.status, 413),
                step => panic!("{step:?}"),
            }
        }
    }

    #[test]
    fn a_big_buffer_is_not_held_by_the_few_bytes_left_in_it() {
        let all = [&CHALLENGE.repeat(800)[..], b"GET /"].concat();
        let (mut connection, step) = after(&all);
        assert!(matches!(step, Step::Request(_)));
        connection.respond(&Response::text(200, ""), &date());
        Told::default().pump(&mut connection);
        assert_eq!(connection.wait(), Wait::Head);
        assert!(connection.held_bytes() <= SMALL_BYTES, "{}", connection.held_bytes());
    }

    #[test]
    fn empty_lines_before_a_request_are_few() {
        assert_eq!(read(&[b"\r\n\r\n\r\n\r\n", CHALLENGE]).requests.len(), 1);
        assert_eq!(read(&[b"\r\n\r\n\r\n\r\n\r\n", CHALLENGE]).refusals[0].status, 400);
        assert_eq!(read(&[b"\r\n"]).closed, Some(CloseReason::PeerLeft));
    }

    #[test]
    fn every_reason_to_close_explains_itself() {
        let reasons = [
            CloseReason::PeerAsked,
            CloseReason::PeerLeft,
            CloseReason::HalfClosed,
            CloseReason::PeerVanished,
            CloseReason::Refused,
            CloseReason::Retired,
        ];
        assert!(reasons.iter().all(|reason| reason.to_string().contains(' ')));
    }
}
