//! TLS on one connection: bytes of the wire in, bytes of HTTP out, and back; never waiting, never holding much.
//!
//!     socket ──▶ records ──▶ plain bytes ──▶ `http`           `http` ──▶ plain bytes ──▶ one record ──▶ socket
//!
//! What rustls holds of a client is counted, since whoever sends half a record has it held: all that came since plain bytes
//! last came out of it. A client that speaks plain HTTP is heard in plain, so that it can be told.

use crate::limits;
use crate::tls;
use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

/// Why nobody may go on who has more held than is meant to be.
const MUCH: &str = "much was sent, and nothing said";

/// A socket that speaks TLS.
#[derive(Debug)]
pub struct Tls {
    pub socket: TcpStream,
    session: ServerConnection,
    /// Nothing has come yet.
    fresh: bool,
    /// The other side speaks plain HTTP.
    plain: bool,
    /// How much of an unfinished record is there.
    record: Record,
    /// What came from the socket since plain bytes last came out, in bytes.
    taken_bytes: usize,
    /// Why it cannot go on.
    fault: Option<String>,
    /// What was said and is not on the wire yet, in bytes, at most.
    given_bytes: usize,
}

impl Tls {
    pub fn new(socket: TcpStream, config: Arc<ServerConfig>) -> io::Result<Tls> {
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Tls {
            socket,
            session,
            fresh: true,
            plain: false,
            record: Record::default(),
            taken_bytes: 0,
            fault: None,
            given_bytes: 0,
        })
    }

    /// Whether the other side speaks plain HTTP, and has to be told.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// What was wrong, for the log.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    pub fn is_handshaking(&self) -> bool {
        !self.plain && self.session.is_handshaking()
    }

    /// Whether something of a handshake came, and not all of it.
    pub fn has_begun_handshake(&self) -> bool {
        !self.fresh && self.is_handshaking()
    }

    /// Whether something waits for room on the wire that `http` believes to be sent.
    pub fn has_unsent(&self) -> bool {
        !self.plain && self.session.wants_write()
    }

    /// What is held for the other side, besides what every session takes.
    pub fn held_bytes(&self) -> usize {
        self.taken_bytes + self.given_bytes
    }

    /// Says that nothing more follows, so that nobody believes it was cut off. Where that has to wait for room, too, it is
    /// asked for again.
    pub fn shut_down(&mut self) -> io::Result<()> {
        if !self.plain {
            self.session.send_close_notify();
            self.flush()?;
            if self.session.wants_write() {
                return Ok(());
            }
        }
        self.socket.shutdown(Shutdown::Write)
    }

    /// The first letter tells: a record of TLS begins with a number below that of any letter.
    fn look(&mut self) -> io::Result<()> {
        let mut first = [0];
        if self.socket.peek(&mut first)? > 0 {
            (self.fresh, self.plain) = (false, first.iter().any(u8::is_ascii_alphabetic));
        }
        Ok(())
    }

    /// Takes from the socket what there is, once. `Ok(0)` at its end.
    fn take(&mut self) -> io::Result<usize> {
        let taken = self.session.read_tls(&mut Wire { socket: &mut self.socket, record: &mut self.record });
        let count = taken.map_err(|error| match error.kind() {
            // rustls has a bound of its own for messages in pieces, and nothing of the socket's is of this kind.
            ErrorKind::InvalidData => self.fail(MUCH.to_owned()),
            _ => error,
        })?;
        self.taken_bytes += count;
        if let Err(error) = self.session.process_new_packets() {
            // What is wrong is told to the other side, as far as there is room for it now.
            let _ = self.flush();
            return Err(self.fail(tls::words(&error)));
        }
        if self.taken_bytes > limits::TLS_TAKEN_BYTES_MAX {
            return Err(self.fail(MUCH.to_owned()));
        }
        Ok(count)
    }

    fn fail(&mut self, why: String) -> io::Error {
        self.fault = Some(why);
        ErrorKind::InvalidData.into()
    }
}

/// Where in a record the bytes of the wire are: five of a head, the last two of which say how many follow.
#[derive(Debug, Default)]
struct Record {
    head: [u8; 5],
    /// How much of the head is there, then of what follows it.
    seen: usize,
    rest: usize,
}

impl Record {
    /// What there is of a record that has not ended.
    fn held_bytes(&self) -> usize {
        self.seen + self.rest
    }

    fn pass(&mut self, mut bytes: &[u8]) {
        while let Some((first, others)) = bytes.split_first() {
            if let Some(place) = self.head.get_mut(self.seen) {
                *place = *first;
                (self.seen, self.rest, bytes) = (self.seen + 1, 0, others);
                continue;
            }
            let long = usize::from(u16::from_be_bytes([self.head[3], self.head[4]]));
            let take = bytes.len().min(long - self.rest);
            self.rest += take;
            bytes = bytes.get(take..).unwrap_or_default();
            if self.rest == long {
                (self.seen, self.rest) = (0, 0);
            }
        }
    }
}

/// The socket, with an eye on where records end.
struct Wire<'a> {
    socket: &'a mut TcpStream,
    record: &'a mut Record,
}

impl Read for Wire<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.socket.read(bytes)?;
        self.record.pass(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Read for Tls {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.fresh {
            self.look()?;
        }
        if self.plain {
            return self.socket.read(bytes);
        }
        loop {
            match self.session.reader().read(bytes) {
                Ok(count) => {
                    self.taken_bytes = self.record.held_bytes();
                    return Ok(count);
                }
                // Its end without `close_notify`; `http` knows whether something is missing.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                Err(_) => {}
            }
            let taken = self.take();
            // The handshake's own words.
            if self.session.wants_write() {
                self.flush()?;
            }
            if taken? == 0 && self.session.is_handshaking() {
                return Ok(0);
            }
        }
    }
}

impl Write for Tls {
    /// Takes at most one record, and none before the last one is on the wire: whoever does not read has no more held.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.plain {
            return self.socket.write(bytes);
        }
        self.flush()?;
        if self.session.wants_write() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let record = bytes.get(..limits::TLS_RECORD_BYTES).unwrap_or(bytes);
        let count = self.session.writer().write(record)?;
        self.given_bytes = count + limits::TLS_FRAME_BYTES;
        self.flush()?;
        Ok(count)
    }

    /// Puts on the wire what there is room for; not all of it is no error.
    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.given_bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests;
