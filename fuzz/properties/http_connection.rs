//! Bytes in any pieces give what they give whole; buffers and what is kept of heads stay within their bounds; every connection comes to an end.
//!
//! The first byte of the input says how many of the next ones are cuts: each is the length of a piece, in turn and
//! round again, and 255 stands for 4 KiB. The rest is what a peer sends.

use ackd::http::{Connection, HttpDate, Step, Wait, masked_head};
use ackd::limits::{AHEAD_BYTES_MAX, BODY_BYTES_MAX, HEAD_BYTES_MAX, HEAD_KEPT_BYTES_MAX};
use ackd::model::{Moment, Refusal, Request, Response};
use ackd::notation::shorthand::written_out;

const ANSWER: &str = "EVENT_RECEIVED";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// More than any answer here takes.
const ANSWER_BYTES_MAX: usize = 1024;

#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    requests: Vec<Request>,
    refusals: Vec<Refusal>,
    /// Without `100 Continue`, which depends on whether a body had already come.
    sent: Vec<u8>,
}

pub fn check(data: &[u8]) {
    let Some((&count, rest)) = data.split_first() else { return };
    let (cuts, bytes) = rest.split_at(rest.len().min(usize::from(count)));
    let whole = read(bytes, &mut std::iter::repeat(bytes.len().max(1)), usize::MAX);
    let mut cuts = cuts.iter().map(|&cut| if cut == 255 { 4096 } else { usize::from(cut).max(1) }).cycle();
    // The first piece's length is also how much the socket takes at a time.
    let first = cuts.next().unwrap_or(1);
    let mut lengths = std::iter::once(first).chain(cuts).chain(std::iter::repeat(1));
    let pieces = read(bytes, &mut lengths, first);
    assert_eq!(pieces, whole);
}

/// Drives a connection to its end with these pieces, sending at most `window` bytes at a time.
fn read(bytes: &[u8], lengths: &mut dyn Iterator<Item = usize>, window: usize) -> Told {
    let mut told = Told::default();
    let mut connection = Connection::new();
    let mut left = bytes;
    while !left.is_empty() {
        // Everything is answered and sent at once here, so there is never a reason to make the peer wait.
        assert!(connection.wants_bytes());
        let length = lengths.next().unwrap_or(left.len()).min(left.len());
        let (piece, after) = left.split_at(length);
        connection.receive(piece);
        assert!(connection.held_bytes() <= bounds(bytes.len()));
        told.pump(&mut connection, window);
        assert!(connection.held_bytes() <= bounds(0));
        left = after;
    }
    connection.receive_end();
    told.pump(&mut connection, window);
    assert_eq!((connection.wait(), connection.held_bytes()), (Wait::Closed, 0));
    assert!(matches!(connection.next(|_| Ok(())), Step::Close(_)));
    told
}

/// Written out, what is kept of a head is within its bound, and nothing but text on lines.
fn kept(head: &str) {
    let shown = written_out(head);
    assert!(head.len() <= shown.len() && shown.len() <= HEAD_KEPT_BYTES_MAX && shown.ends_with('\n'));
    assert!(!shown.contains(|letter: char| letter.is_control() && letter != '\n' && letter != '\t'));
    assert_eq!(written_out(&shown), shown);
    // These names are never kept in full, and come out of nothing but their bytes.
    for (byte, name) in [('\u{2}', "\nHost: "), ('\u{3}', "\nContent-Length: ")] {
        assert_eq!(head.matches(byte).count(), shown.matches(name).count());
    }
}

/// What may be held beside one piece that was just received. Buffers double, hence the factor.
fn bounds(piece: usize) -> usize {
    BODY_BYTES_MAX + ANSWER_BYTES_MAX + 2 * (HEAD_BYTES_MAX + AHEAD_BYTES_MAX + piece)
}

impl Told {
    fn pump(&mut self, connection: &mut Connection, window: usize) {
        let date = HttpDate::of(Moment(0));
        loop {
            match connection.next(|_| Ok(())) {
                Step::Request(request) => {
                    assert_eq!(connection.wait(), Wait::Answer);
                    assert!(request.body.len() <= BODY_BYTES_MAX && request.head.text.len() <= HEAD_BYTES_MAX);
                    kept(&masked_head(&request.head));
                    connection.respond(&Response::text(200, ANSWER), &date);
                    self.requests.push(request);
                }
                Step::Refuse(refusal) => {
                    assert!(matches!(refusal.status, 400..=599) && !refusal.why.contains(['\r', '\n']));
                    connection.refuse(&refusal, &date);
                    self.refusals.push(refusal);
                }
                Step::NeedBytes if connection.unsent().is_empty() => {
                    assert_ne!(connection.wait(), Wait::Write);
                    return;
                }
                Step::NeedBytes => self.send(connection, window),
                Step::Close(_) => return assert_eq!(connection.wait(), Wait::Closed),
            }
        }
    }

    fn send(&mut self, connection: &mut Connection, window: usize) {
        if let Some(rest) = connection.unsent().strip_prefix(CONTINUE) {
            assert!(rest.is_empty());
            return connection.sent(CONTINUE.len());
        }
        let now = connection.unsent().get(..window).unwrap_or(connection.unsent());
        let count = now.len();
        self.sent.extend_from_slice(now);
        connection.sent(count);
    }
}
