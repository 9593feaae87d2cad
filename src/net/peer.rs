//! One connection: its socket, what `http` makes of it, and since when it waits for what.

use super::listener::Stream;
use super::tls::Tls;
use crate::http::{Connection, Wait};
use crate::intake::Door;
use crate::limits;
use crate::model::{Response, Tick};
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
                    self.shut = true;
                    self.stream.shut_down();
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

    /// A request was handed out or refused: whatever comes now, waits from now.
    pub fn restart_wait(&mut self, now: Tick) {
        self.is_new = false;
        self.since = now;
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
            Wait::Idle if self.stream.has_unsent() => Kind::Write,
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
        self.since.after(match (self.waits_for(), self.http.wait()) {
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
