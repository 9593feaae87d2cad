//! Bytes written as text: hex digits, base64, and the percent signs of URLs. What several rooms read or write alike.
//! `json` walks over what others send, `nearest` finds the word that was probably meant, `order` puts a short list in order,
//! `html` writes text into a page, `counted` puts a number before its noun, `cut` makes a text shorter, `line` puts somebody's text on one line, `days` says days and
//! times, `shorthand` what is kept of a request's head, `values` tells how much there is in a JSON text, `usage` what Graph's
//! headers say of its limits.

pub mod counted;
pub mod cut;
pub mod days;
pub mod html;
pub mod json;
pub mod line;
pub mod nearest;
pub mod order;
pub mod shelf;
pub mod shorthand;
pub mod usage;
pub mod values;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// Two lower-case hex digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Base64 with its padding (RFC 4648 §4).
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Hex digits, in either case: platforms write lower case, and a value has only one meaning. `None` when there are
/// not exactly two for each byte.
pub fn from_hex<const BYTES: usize>(digits: &[u8]) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    if digits.len() != BYTES * 2 {
        return None;
    }
    let mut seen = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
        let (high, low) = (digit(*high), digit(*low));
        seen |= high | low;
        *byte = high << 4 | low & 0xf;
    }
    (seen < NO_DIGIT).then_some(bytes)
}

/// Padded base64 as bytes.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// What stands for no hex digit.
const NO_DIGIT: u8 = 0x80;

/// What one hex digit stands for.
#[inline(always)]
fn digit(letter: u8) -> u8 {
    DIGITS.get(usize::from(letter)).copied().unwrap_or(NO_DIGIT)
}

/// That for each letter: a signature of 64 digits comes with every event.
#[allow(clippy::indexing_slicing, reason = "only the compiler does it")]
static DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// Percent signs for all but the unreserved characters of RFC 3986 §2.3.
pub fn percent(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(encode).collect()
}

/// Undoes percent signs, and with `plus` what a form writes for a space; what is no escape stays as it is.
pub fn unpercent(text: &str, plus: bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        decoded.push(match (first, tail) {
            (b'+', _) if plus => b' ',
            (b'%', [high, low, after @ ..]) => match from_hex(&[*high, *low]) {
                Some([byte]) => {
                    rest = after;
                    byte
                }
                None => b'%',
            },
            _ => *first,
        });
    }
    decoded
}

/// The same as text; what is no UTF-8 becomes replacement characters.
pub fn unpercent_text(text: &str, plus: bool) -> String {
    String::from_utf8_lossy(&unpercent(text, plus)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_letter_gets_a_percent_sign() {
        assert_eq!(percent("EAAG-._~|+/=ü"), "EAAG-._~%7C%2B%2F%3D%C3%BC");
    }

    #[test]
    fn two_hex_digits_are_a_byte_and_nothing_else_is() {
        assert_eq!(from_hex(b"0aFf"), Some([0x0a, 0xff]));
        for wrong in [&b"0aF"[..], b"0aFff", b"0aFg", b"0a F", b""] {
            assert_eq!(from_hex::<2>(wrong), None, "{wrong:?}");
        }
        assert_eq!(hex(&[0x0a, 0xff]), "0aff");
    }

    #[test]
    fn base64_comes_back_and_nothing_else_is_taken() {
        for (bytes, text) in [(&b""[..], ""), (b"a", "YQ=="), (b"\xff\xfe\xfd", "//79")] {
            assert_eq!((base64(bytes), from_base64(text)), (text.to_owned(), Some(bytes.to_vec())));
        }
        assert_eq!(["YQ", "Y", "YQ==\n", "-_79"].map(from_base64), [const { None }; 4]);
    }

    #[test]
    fn a_query_is_decoded_once_and_no_escape_is_invented() {
        for (text, expected) in [
            ("a+b%20c", "a b c"),
            ("%2525", "%25"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%%41", "%A"),
            ("%C3%BC", "ü"),
        ] {
            assert_eq!(unpercent(text, true), expected.as_bytes(), "{text}");
        }
        assert_eq!(unpercent_text("a+b%ff", false), "a+b\u{fffd}");
    }
}
