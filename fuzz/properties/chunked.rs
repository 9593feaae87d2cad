//! Chunks in any pieces decode to the same bytes, or are refused alike; and as a plain reader of the whole decodes them.
//!
//! The first byte of the input says how many of the next ones are lengths of pieces, in turn and round again.

use ackd::http::Dechunker;
use ackd::limits::{BODY_BYTES_MAX, CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX};

/// What became of a chunked body.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Its length with all that is around the chunks.
    Whole(usize),
    Unfinished,
    Refused(u16),
}

pub fn check(data: &[u8]) {
    let Some((&count, rest)) = data.split_first() else { return };
    let (cuts, bytes) = rest.split_at(rest.len().min(usize::from(count)));
    let expected = reference(bytes);
    assert_eq!(decode(bytes, &mut std::iter::repeat(bytes.len().max(1))), expected);
    assert_eq!(decode(bytes, &mut std::iter::repeat(1)), expected);
    let mut lengths = cuts.iter().map(|&cut| usize::from(cut).max(1)).cycle().chain(std::iter::repeat(3));
    assert_eq!(decode(bytes, &mut lengths), expected);
}

fn decode(bytes: &[u8], lengths: &mut dyn Iterator<Item = usize>) -> (Vec<u8>, End) {
    let (mut dechunker, mut body, mut taken) = (Dechunker::new(), Vec::new(), 0);
    let mut left = bytes;
    while !left.is_empty() {
        let length = lengths.next().unwrap_or(1).min(left.len());
        let (piece, after) = left.split_at(length);
        left = after;
        let fed = match dechunker.feed(piece, &mut body) {
            Ok(fed) => fed,
            Err(refusal) => return (body, End::Refused(refusal.status)),
        };
        taken += fed.taken;
        if fed.done {
            return (body, End::Whole(taken));
        }
        assert_eq!(fed.taken, length, "bytes left over inside a body");
        assert!(body.capacity() <= BODY_BYTES_MAX.min(2 * taken + 64 * 1024));
    }
    (body, End::Unfinished)
}

/// The same, read from top to bottom from a buffer that holds all there is.
fn reference(bytes: &[u8]) -> (Vec<u8>, End) {
    let mut body = Vec::new();
    let mut reader = Reader { bytes, at: 0 };
    let end = match reader.chunks(&mut body) {
        Ok(()) => End::Whole(reader.at),
        Err(end) => end,
    };
    (body, end)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<(), End> {
        loop {
            let size = self.size(BODY_BYTES_MAX - body.len())?;
            if size == 0 {
                return self.trailers();
            }
            for _ in 0..size {
                body.push(self.byte()?);
            }
            self.exactly(b'\r')?;
            self.exactly(b'\n')?;
        }
    }

    fn size(&mut self, room: usize) -> Result<usize, End> {
        let mut line = String::new();
        loop {
            let byte = self.byte()?;
            match byte {
                b'\r' if !line.is_empty() => break,
                b';' if !line.is_empty() && !line.contains(';') => {}
                _ if line.contains(';') && (byte == b'\t' || byte >= b' ' && byte != 0x7f) => {}
                _ if byte.is_ascii_hexdigit() && !line.contains(';') => {}
                _ => return Err(End::Refused(400)),
            }
            line.push(char::from(byte));
            let digits = line.split(';').next().unwrap_or_default().trim_start_matches('0');
            let size = if digits.is_empty() { Ok(0) } else { u64::from_str_radix(digits, 16) };
            if !size.is_ok_and(|size| size <= room as u64) {
                return Err(End::Refused(413));
            }
            if line.chars().count() > CHUNK_LINE_BYTES_MAX {
                return Err(End::Refused(400));
            }
        }
        self.exactly(b'\n')?;
        let digits = line.split(';').next().unwrap_or_default();
        usize::from_str_radix(digits.trim_start_matches('0'), 16).or(Ok(0))
    }

    fn trailers(&mut self) -> Result<(), End> {
        let mut length = 0;
        loop {
            let mut line = 0;
            loop {
                match self.byte()? {
                    b'\r' => break,
                    b' ' | b'\t' | 0x80.. if line == 0 => return Err(End::Refused(400)),
                    b'\t' | b' '..=0x7e | 0x80.. => line += 1,
                    _ => return Err(End::Refused(400)),
                }
                length += 1;
                if length > TRAILER_BYTES_MAX {
                    return Err(End::Refused(431));
                }
            }
            self.exactly(b'\n')?;
            if line == 0 {
                return Ok(());
            }
        }
    }

    fn exactly(&mut self, wanted: u8) -> Result<(), End> {
        if self.byte()? == wanted { Ok(()) } else { Err(End::Refused(400)) }
    }

    fn byte(&mut self) -> Result<u8, End> {
        let byte = *self.bytes.get(self.at).ok_or(End::Unfinished)?;
        self.at += 1;
        Ok(byte)
    }
}
