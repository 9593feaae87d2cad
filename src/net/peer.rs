//! One connection: its socket, what `http` makes of it, and since when it waits for what.

use super::listener::Stream;
use super::tls::Tls;
use crate::http::{Connection, Step, Wait};
use crate::intake::Door;
use crate::limits;
use crate::model::{Head, Refusal, Response, Tick};
use mio::{Registry, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// A connection as the loop holds it.
#[derive(Debug)]
pub struct Peer {
    pub stream: Stream,
    pub http: Connection,
    pub door: Door,
    pub from: Option<IpAddr>,
    /// What the kernel last said; only `WouldBlock` (or a short read) takes it back.
    pub readable: bool,
    pub writable: bool,
    /// The kernel said that the client ends, or that the connection broke: there is something to read until `read`
    /// has seen it.
    pub ending: bool,
    /// It has had its share of this turn of the loop, and is down for the next one.
    pub goes_on_later: bool,
    /// What is said once the keeper has kept the request, and since when it was there.
    pub promised: Option<(Response, Instant)>,
    /// It has not asked for anything yet.
    pub is_new: bool,
    /// What its answer waits for.
    pub awaits: Awaits,
    /// Since when it waits for what it waits for.
    since: Tick,
    kind: Kind,
    /// The kernel tells of it.
    watched: bool,
    shut: bool,
    drained_bytes: usize,
}

/// What has to come before a request can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaits {
    /// That something is kept, done or looked up.
    Keeper,
    Page,
    /// A sign that the keeper moves.
    Check,
    /// The same, and with it the figures of the last hour.
    Hour,
}

/// What a connection waits for, without its figures: a wait begins when the kind changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Handshake,
    Idle,
    Head,
    Body,
    Answer,
    Write,
    Drain,
    Closed,
}

/// What reading or writing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Moved,
    Stuck,
    Broken,
}

impl Peer {
    /// A connection that was just accepted.
    pub fn new(stream: Stream, door: Door, from: Option<IpAddr>, now: Tick) -> Peer {
        Peer {
            stream,
            http: Connection::new(),
            door,
            from,
            readable: true,
            writable: true,
            ending: false,
            goes_on_later: false,
            promised: None,
            is_new: true,
            awaits: Awaits::Keeper,
            since: now,
            kind: Kind::Idle,
            watched: false,
            shut: false,
            drained_bytes: 0,
        }
    }

    /// Reads once, if there is something to read and somebody to take it.
    pub fn read(&mut self, scratch: &mut [u8]) -> Flow {
        if !self.readable || !self.http.wants_bytes() {
            return Flow::Stuck;
        }
        match self.stream.read(scratch) {
            Ok(0) => {
                self.readable = false;
                self.http.receive_end();
                Flow::Moved
            }
            Ok(count) => {
                // Less than there was room for: the socket is empty (epoll(7), Q9), so a second read would be in vain;
                // but for the client's end, of which the kernel tells only once.
                // TLS is read until it says that there is no more.
                let encrypted = self.stream.tls();
                if encrypted.is_some_and(Tls::is_plain) {
                    self.door = Door::Unencrypted;
                }
                self.readable = self.ending || count == scratch.len() || encrypted.is_some();
                self.http.receive(scratch.get(..count).unwrap_or_default());
                self.drain(count)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                Flow::Stuck
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Flow::Moved,
            Err(error) => broken(&error),
        }
    }

    /// After the last answer a client may send on only so much.
    fn drain(&mut self, count: usize) -> Flow {
        if self.http.wait() == Wait::Drain {
            self.drained_bytes += count;
            if self.drained_bytes > limits::DRAIN_BYTES_MAX {
                return Flow::Broken;
            }
        }
        Flow::Moved
    }

    /// Writes once, if there is something to write and room for it.
    pub fn write(&mut self) -> Flow {
        let has_unsent = !self.http.unsent().is_empty();
        if !self.writable || !(has_unsent || self.stream.has_unsent()) {
            return Flow::Stuck;
        }
        let written = match has_unsent {
            true => self.stream.write(self.http.unsent()),
            false => self.stream.flush().map(|()| 0),
        };
        match written {
            Ok(count) => {
                self.http.sent(count);
                // What TLS could not put on the wire now, it can when there is room again.
                self.writable = !self.stream.has_unsent();
                if self.http.wait() == Wait::Drain && self.writable && !self.shut {
                    self.close_or_linger();
                }
                Flow::Moved
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.writable = false;
                Flow::Stuck
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Flow::Moved,
            Err(error) => broken(&error),
        }
    }

    /// The last answer is sent: we close our side, and the client gets time to take the answer and to close its own.
    ///
    /// Closing both at once is for those where nothing can be unread, since a reset because of unread bytes could take the
    /// answer from the client again (RFC 9112 §9.6): it said itself that this was its last request, after which it must send
    /// no more; that was read to its end; and the socket held nothing behind it. The kernel sees to it that the answer
    /// arrives. TLS has an alert of its own for the end (`close_notify`), which the client may answer.
    fn close_or_linger(&mut self) {
        if self.http.peer_asked_to_close() && !self.readable && self.stream.tls().is_none() {
            return self.http.receive_end();
        }
        self.shut_down();
    }

    /// Says that no more follows; over TLS once there is room for it.
    fn shut_down(&mut self) {
        self.stream.shut_down();
        self.shut = !self.stream.has_unsent();
    }

    /// What `http` says next. It is not let go of before all is on the wire: TLS may still hold the end of the last answer,
    /// and whoever has closed only its own side should know that nothing was cut off.
    pub fn next(&mut self, gate: impl FnOnce(&Head) -> Result<(), Refusal>) -> Step {
        match self.http.next(gate) {
            Step::Close(_) if !self.say_all() => Step::NeedBytes,
            step => step,
        }
    }

    /// Sends what TLS holds, with `close_notify` behind it; whether the kernel has taken all.
    pub fn say_all(&mut self) -> bool {
        if !self.shut && self.stream.tls().is_some() {
            self.shut_down();
        }
        !self.stream.has_unsent()
    }

    /// A request was handed out or refused: whatever comes now, waits from now.
    pub fn restart_wait(&mut self, now: Tick) {
        self.is_new = false;
        self.since = now;
    }

    /// Has the kernel tell of it from now on; not while it waits for our own answer, after which it may be over already.
    /// What happened before is told, too.
    pub fn watch(&mut self, registry: &Registry, token: Token) -> Flow {
        if self.watched || self.kind == Kind::Answer {
            return Flow::Stuck;
        }
        self.watched = true;
        self.stream.register(registry, token).map_or_else(|error| broken(&error), |()| Flow::Moved)
    }

    /// Notes what it waits for now. `active` when something moved.
    pub fn settle(&mut self, active: bool, now: Tick) {
        let kind = self.waits_for();
        if kind != self.kind || (active && kind == Kind::Idle) {
            self.kind = kind;
            self.since = now;
        }
    }

    fn waits_for(&self) -> Kind {
        if self.stream.tls().is_some_and(Tls::is_handshaking) {
            return Kind::Handshake;
        }
        match self.http.wait() {
            // `http` has sent it; TLS has not.
            Wait::Idle | Wait::Drain | Wait::Closed if self.stream.has_unsent() => Kind::Write,
            Wait::Idle => Kind::Idle,
            Wait::Head => Kind::Head,
            Wait::Body { .. } => Kind::Body,
            Wait::Answer => Kind::Answer,
            Wait::Write => Kind::Write,
            Wait::Drain => Kind::Drain,
            Wait::Closed => Kind::Closed,
        }
    }

    /// When its patience ends.
    pub fn deadline(&self) -> Tick {
        self.since.after(match (self.kind, self.http.wait()) {
            (_, Wait::Body { received }) => {
                let earned = u64::try_from(received / limits::BODY_BYTES_PER_SECOND_MIN).unwrap_or(u64::MAX);
                limits::BODY_TIME_MAX.min(limits::BODY_TIME.saturating_add(Duration::from_secs(earned)))
            }
            (Kind::Handshake, _) => limits::TLS_HANDSHAKE_TIME,
            (Kind::Idle | Kind::Body, _) => limits::IDLE_TIME,
            (Kind::Head, _) => limits::HEAD_TIME,
            (Kind::Answer, _) if matches!(self.awaits, Awaits::Check | Awaits::Hour) => limits::CHECK_TIME,
            (Kind::Answer, _) => limits::KEEPER_TIME,
            (Kind::Write, _) => limits::WRITE_TIME,
            (Kind::Drain | Kind::Closed, _) => limits::DRAIN_TIME,
        })
    }

    /// What is held for it, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.http.held_bytes() + self.stream.tls().map_or(0, Tls::held_bytes)
    }

    /// True while nothing of a request is there.
    pub fn is_idle(&self) -> bool {
        self.kind == Kind::Idle
    }

    /// True while it is the client's turn: to send the rest, to take its answer, or to leave. That could take long.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.kind, Kind::Handshake | Kind::Head | Kind::Body | Kind::Write | Kind::Drain)
    }
}

fn broken(error: &io::Error) -> Flow {
    log::debug!("a connection broke: {error}");
    Flow::Broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{CloseReason, HttpDate};
    use crate::model::Moment;
    use mio::net::UnixStream;
    use mio::{Events, Poll};

    /// A connection on which these bytes came and were read, and its other end.
    fn asked(text: &str) -> (Peer, UnixStream) {
        let (mut client, stream) = UnixStream::pair().unwrap();
        client.write_all(text.as_bytes()).unwrap();
        let mut peer = Peer::new(Stream::Unix(stream), Door::Public, None, Tick(1));
        assert_eq!(peer.read(&mut [0; 4096]), Flow::Moved);
        (peer, client)
    }

    fn step(peer: &mut Peer) -> Step {
        peer.next(|_| Ok(()))
    }

    /// What comes next once the request was answered and the answer was sent.
    fn answered(peer: &mut Peer) -> Step {
        assert!(matches!(step(peer), Step::Request(_)));
        peer.http.respond(&Response::text(200, "kept"), &HttpDate::of(Moment(1)));
        assert_eq!(peer.write(), Flow::Moved);
        step(peer)
    }

    const LAST: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    #[test]
    fn who_asked_for_the_end_and_said_no_more_is_let_go_with_the_answer() {
        for last in [LAST, "GET / HTTP/1.0\r\n\r\n"] {
            let (mut peer, mut client) = asked(last);
            assert_eq!(answered(&mut peer), Step::Close(CloseReason::PeerAsked));
            drop(peer);
            let mut said = String::new();
            client.read_to_string(&mut said).unwrap();
            assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && said.ends_with("\r\n\r\nkept"), "{said}");
        }
    }

    #[test]
    fn where_something_may_be_unread_the_client_leaves_first() {
        let (mut more, _client) = asked(&format!("{LAST}\r\n"));
        assert_eq!(answered(&mut more), Step::NeedBytes, "it sent more than it counted");

        let (mut ready, _client) = asked(LAST);
        ready.readable = true;
        assert_eq!(answered(&mut ready), Step::NeedBytes, "the kernel has told of more");

        let (mut retired, _client) = asked("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        retired.http.close_after_answer();
        assert_eq!(answered(&mut retired), Step::NeedBytes, "it would have gone on");

        let (mut refused, mut client) =
            asked("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n");
        assert_eq!(step(&mut refused), Step::NeedBytes);
        refused.http.refuse(&Refusal::new(408, "the body came too slowly"), &HttpDate::of(Moment(1)));
        assert_eq!((refused.write(), step(&mut refused)), (Flow::Moved, Step::NeedBytes), "its body may be on its way");
        assert!(client.read(&mut [0; 4096]).unwrap() > 0);
        drop(client);
        refused.readable = true;
        assert_eq!(refused.read(&mut [0; 16]), Flow::Moved);
        assert_eq!(step(&mut refused), Step::Close(CloseReason::Refused));
    }

    #[test]
    fn the_kernel_is_asked_once_there_is_something_to_wait_for_and_tells_what_came_before() {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(8);
        let (mut peer, mut client) = asked("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(matches!(step(&mut peer), Step::Request(_)));
        peer.settle(true, Tick(1));
        assert_eq!(
            peer.watch(poll.registry(), Token(7)),
            Flow::Stuck,
            "it waits for our answer, which may be the last"
        );
        client.write_all(b"GET").unwrap();
        peer.http.respond(&Response::text(200, "kept"), &HttpDate::of(Moment(1)));
        assert_eq!(peer.write(), Flow::Moved);
        peer.settle(true, Tick(1));
        assert_eq!(peer.watch(poll.registry(), Token(7)), Flow::Moved);
        poll.poll(&mut events, None).unwrap();
        assert!(events.iter().any(|event| event.token() == Token(7) && event.is_readable()));
    }
}
