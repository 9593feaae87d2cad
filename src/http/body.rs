//! Where a body ends: after so many bytes, or after the last chunk (RFC 9112 §6 and §7.1).
//!
//! Feed it what came in; it appends the body's bytes and says how many bytes it took. It takes everything up to the
//! body's end, so nothing of a body is ever looked at twice. Extensions and trailers are read past and used for
//! nothing, each within its bound. Every fault is found at its first wrong byte, so cuts cannot change the verdict.

use crate::limits::{BODY_BYTES_MAX, CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX};
use crate::model::{Framing, Refusal};

/// Up to this a body's buffer doubles; then it grows by so much at a time.
const GROWTH_BYTES: usize = 64 * 1024;

/// How much was taken, and whether the body is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fed {
    /// Bytes taken from the front of what was fed.
    pub taken: usize,
    /// The body has ended; the byte after `taken` belongs to the next request.
    pub done: bool,
}

/// Reads one body, framed as its head said.
#[derive(Debug)]
pub(super) enum BodyReader {
    Length { left: usize },
    Chunked(Dechunker),
}

impl BodyReader {
    pub(super) fn new(framing: Framing) -> BodyReader {
        match framing {
            Framing::Empty => BodyReader::Length { left: 0 },
            // The head was refused if this does not fit, see `head::content_length`.
            Framing::Length(bytes) => BodyReader::Length { left: usize::try_from(bytes).unwrap_or(BODY_BYTES_MAX) },
            Framing::Chunked => BodyReader::Chunked(Dechunker::new()),
        }
    }

    /// Takes what belongs to the body from the front of `bytes` and appends it to `body`.
    pub(super) fn feed(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> Result<Fed, Refusal> {
        match self {
            BodyReader::Chunked(dechunker) => dechunker.feed(bytes, body),
            BodyReader::Length { left } => {
                let part = bytes.get(..*left).unwrap_or(bytes);
                append(body, part, body.len() + *left);
                *left -= part.len();
                Ok(Fed { taken: part.len(), done: *left == 0 })
            }
        }
    }
}

/// Appends, and lets the buffer grow with what came in, never with what was only announced: else ten thousand
/// clients could each have a megabyte reserved for a `Content-Length` and no body.
fn append(body: &mut Vec<u8>, part: &[u8], most: usize) {
    let needed = body.len() + part.len();
    if needed > body.capacity() {
        let grown = body.capacity() + body.capacity().min(GROWTH_BYTES);
        let room = grown.min(most).max(needed);
        body.reserve_exact(room - body.len());
    }
    body.extend_from_slice(part);
}

/// What the next byte of a chunked body has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Size,
    Extension,
    SizeNewline,
    Data,
    DataReturn,
    DataNewline,
    TrailerStart,
    Trailer,
    TrailerNewline,
    LastNewline,
    Done,
}

/// Takes the chunks off a body. After a refusal it must not be fed again.
#[derive(Debug)]
pub struct Dechunker {
    at: At,
    /// Bytes of the chunk that are still to come; while its size is read, the size so far.
    left: usize,
    /// Bytes of all chunks announced so far.
    total: usize,
    /// Length of the size line so far, or of the trailer section.
    line: usize,
}

impl Default for Dechunker {
    fn default() -> Dechunker {
        Dechunker::new()
    }
}

impl Dechunker {
    /// Before the first chunk.
    pub fn new() -> Dechunker {
        Dechunker { at: At::Size, left: 0, total: 0, line: 0 }
    }

    /// Takes chunks from the front of `bytes` and appends what is in them to `body`.
    pub fn feed(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> Result<Fed, Refusal> {
        let mut taken = 0;
        while self.at != At::Done {
            let rest = bytes.get(taken..).unwrap_or_default();
            let Some(&byte) = rest.first() else { break };
            if self.at == At::Data {
                let part = rest.get(..self.left).unwrap_or(rest);
                append(body, part, BODY_BYTES_MAX);
                taken += part.len();
                self.left -= part.len();
                if self.left == 0 {
                    self.at = At::DataReturn;
                }
            } else {
                self.at = self.step(byte)?;
                taken += 1;
            }
        }
        Ok(Fed { taken, done: self.at == At::Done })
    }

    /// Reads one byte around the data.
    fn step(&mut self, byte: u8) -> Result<At, Refusal> {
        Ok(match (self.at, byte) {
            (At::Size, b'\r') if self.line > 0 => At::SizeNewline,
            (At::Size, b';') if self.line > 0 => self.longer(At::Extension)?,
            (At::Size, _) => self.digit(byte)?,
            (At::Extension, b'\r') => At::SizeNewline,
            (At::Extension, b'\t' | b' '..=0x7e | 0x80..) => self.longer(At::Extension)?,
            (At::SizeNewline, b'\n') => self.size_ended(),
            (At::DataReturn, b'\r') => At::DataNewline,
            (At::DataNewline, b'\n') => At::Size,
            (At::DataReturn | At::DataNewline, _) => {
                return Err(Refusal::new(400, "a chunk is longer than the size before it said"));
            }
            (At::TrailerStart, b'\r') => At::LastNewline,
            (At::TrailerStart, b'!'..=0x7e) => self.trailer()?,
            (At::Trailer, b'\r') => At::TrailerNewline,
            (At::Trailer, b'\t' | b' '..=0x7e | 0x80..) => self.trailer()?,
            (At::TrailerNewline, b'\n') => At::TrailerStart,
            (At::LastNewline, b'\n') => At::Done,
            (At::TrailerStart | At::Trailer | At::TrailerNewline | At::LastNewline, _) => {
                return Err(Refusal::new(400, "malformed trailer after the last chunk"));
            }
            _ => return Err(Refusal::new(400, "malformed chunk-size line")),
        })
    }

    fn digit(&mut self, byte: u8) -> Result<At, Refusal> {
        let Some(digit) = char::from(byte).to_digit(16) else {
            return Err(Refusal::new(400, "a chunk's size must be hexadecimal digits"));
        };
        // Refused before it can overflow: the bound is far below what sixteen digits hold.
        self.left = self.left * 16 + digit as usize;
        if self.total + self.left > BODY_BYTES_MAX {
            return Err(too_large());
        }
        self.longer(At::Size)
    }

    fn longer(&mut self, at: At) -> Result<At, Refusal> {
        self.line += 1;
        match self.line > CHUNK_LINE_BYTES_MAX {
            true => Err(Refusal::new(400, format!("a chunk-size line over {CHUNK_LINE_BYTES_MAX} bytes"))),
            false => Ok(at),
        }
    }

    fn trailer(&mut self) -> Result<At, Refusal> {
        self.line += 1;
        match self.line > TRAILER_BYTES_MAX {
            true => Err(Refusal::new(431, format!("trailers over {TRAILER_BYTES_MAX} bytes"))),
            false => Ok(At::Trailer),
        }
    }

    fn size_ended(&mut self) -> At {
        self.line = 0;
        self.total += self.left;
        if self.left == 0 { At::TrailerStart } else { At::Data }
    }
}

/// What is said to a body that is too long, whether announced or found out.
pub(super) fn too_large() -> Refusal {
    Refusal::new(413, format!("body over {} KiB", BODY_BYTES_MAX / 1024))
}

#[cfg(test)]
mod tests {

    use super::*;

    /// The decoded body and what was taken, `None` if more is waited for; or the refusal's status.
    fn read(pieces: &[&[u8]]) -> Result<Option<(Vec<u8>, usize)>, u16> {
        let (mut dechunker, mut body, mut taken) = (Dechunker::new(), Vec::new(), 0);
        for piece in pieces {
            let fed = dechunker.feed(piece, &mut body).map_err(|refusal| refusal.status)?;
            taken += fed.taken;
            if fed.done {
                return Ok(Some((body, taken)));
            }
            assert_eq!(fed.taken, piece.len());
        }
        Ok(None)
    }

    /// A cut at any place must not change what is read; then what it is.
    fn any_cut(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, u16> {
        let whole = read(&[bytes]);
        for cut in 0..=bytes.len() {
            assert_eq!(read(&[&bytes[..cut], &bytes[cut..]]), whole, "{} cut at {cut}", bytes.escape_ascii());
        }
        whole
    }

    #[test]
    fn chunks_are_joined_and_the_next_request_is_left_alone() {
        let bytes = b"4\r\nWiki\r\n00a\r\npedia in\r\n\r\n0\r\n\r\nGET /";
        assert_eq!(any_cut(bytes), Ok(Some((b"Wikipedia in\r\n".to_vec(), bytes.len() - 5))));
        assert_eq!(any_cut(b"0\r\n\r\n"), Ok(Some((Vec::new(), 5))));
        assert_eq!(any_cut(b"4\r\nWiki\r\n0\r\n\r"), Ok(None));
    }

    #[test]
    fn extensions_and_trailers_are_read_past() {
        let bytes = b"2;a=\"b;c\"; d\r\nhi\r\n0;e\r\nX-Sum: 1\r\nY: \xfc\r\n\r\n";
        assert_eq!(any_cut(bytes), Ok(Some((b"hi".to_vec(), bytes.len()))));
    }

    #[test]
    fn a_size_is_hexadecimal_digits_and_nothing_else() {
        for size in ["", ";a", "g", "+2", "-2", " 2", "2 ", "0x2", "2\n", "2\r2", "2\t;a", "\r\n2", "2,"] {
            assert_eq!(any_cut(format!("{size}\r\nhi\r\n0\r\n\r\n").as_bytes()), Err(400), "{size:?}");
        }
    }

    #[test]
    fn a_size_cannot_overflow() {
        for size in ["fffffffffffffffff", "10000000000000002", "100001", "8000000000000000"] {
            assert_eq!(any_cut(format!("{size}\r\nhi\r\n").as_bytes()), Err(413), "{size}");
        }
        assert_eq!(any_cut(b"2\r\nhi\r\nfffff\r\n"), Err(413));
        assert_eq!(any_cut(b"2\r\nhi\r\nffffe\r\n"), Ok(None));
    }

    #[test]
    fn a_chunk_ends_where_it_said() {
        for bytes in ["2\r\nhip\r\n", "2\r\nhi\n", "2\r\nhi\r3", "2\r\nhi0\r\n\r\n"] {
            assert_eq!(any_cut(bytes.as_bytes()), Err(400), "{bytes:?}");
        }
    }

    #[test]
    fn no_line_around_chunks_ends_with_half_a_line_break() {
        for bytes in ["2;a\nhi", "2;a\x00", "0\r\n\n", "0\r\nX: y\n", "0\r\nX: y\rz", "0\r\n\rX", "0\r\n X: y\r\n"] {
            assert_eq!(any_cut(bytes.as_bytes()), Err(400), "{bytes:?}");
        }
    }

    #[test]
    fn extensions_and_trailers_have_bounds() {
        let extension = |length| format!("2;{}\r\nhi\r\n0\r\n\r\n", "a".repeat(length));
        assert!(matches!(read(&[extension(CHUNK_LINE_BYTES_MAX - 2).as_bytes()]), Ok(Some(_))));
        assert_eq!(read(&[extension(CHUNK_LINE_BYTES_MAX - 1).as_bytes()]), Err(400));
        assert_eq!(read(&["0".repeat(CHUNK_LINE_BYTES_MAX + 1).as_bytes()]), Err(400));
        let trailer = |length| format!("0\r\nX:{}\r\nY:\r\n\r\n", "a".repeat(length));
        assert!(matches!(read(&[trailer(TRAILER_BYTES_MAX - 4).as_bytes()]), Ok(Some(_))));
        assert_eq!(read(&[trailer(TRAILER_BYTES_MAX - 3).as_bytes()]), Err(431));
    }
}
