//! One call taken apart: its path, its key, and texts that read as numbers.

use crate::model::Request;
use crate::notation::unpercent_text;
use crate::twin::decimal;
use crate::twin::query::Query;

/// The parts of the path between its slashes.
pub(super) fn path(request: &Request) -> Vec<String> {
    let parts = request.head.path().split('/').filter(|part| !part.is_empty());
    parts.map(|part| unpercent_text(part, false)).collect()
}

/// The key of a call, which a header or the query has; nothing is none.
pub(super) fn key<'a>(request: &'a Request, query: &'a Query) -> Option<&'a str> {
    let header = request.head.header("authorization").map(|value| std::str::from_utf8(value).unwrap_or("?"));
    let header = header.map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
    header.filter(|key| !key.is_empty()).or_else(|| query.get("api_key").filter(|key| !key.is_empty()))
}

/// Whether a text has the form of a key: a UUID.
pub(super) fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let version = parts.get(2).is_some_and(|part| part.starts_with(['1', '2', '3', '4', '5']));
    let variant = parts.get(3).is_some_and(|part| part.starts_with(['8', '9', 'a', 'b', 'A', 'B']));
    hex && version && variant && parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
}

/// What JavaScript makes of a text: the service is written in it, and asks whether a text is a number before it takes it
/// for an integer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reads {
    /// No number.
    Words,
    /// An integer as one is written; of one that no account can have, nothing.
    Integer(Option<u64>),
    /// A number in another notation: `1e5`, `7.0`, `.5`.
    Number(f64),
}

/// Reads a text so. Nothing at all reads as 0.
pub(super) fn reads(text: &str) -> Reads {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.len() == text.len() || !digits.is_empty()) {
        return Reads::Integer(if text.is_empty() { Some(0) } else { text.parse().ok() });
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        let lower = text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        let rest = text.get(2..).unwrap_or_default();
        if lower && !rest.is_empty() && rest.chars().all(|digit| digit.is_digit(radix)) {
            return Reads::Integer(u64::from_str_radix(rest, radix).ok());
        }
    }
    let number = if digits == "Infinity" { Some(f64::INFINITY) } else { in_digits(digits) };
    number.map_or(Reads::Words, |number| Reads::Number(if text.starts_with('-') { -number } else { number }))
}

/// As JSON writes a number, but that zeros may lead, and that nothing may stand on one side of the point.
fn in_digits(text: &str) -> Option<f64> {
    let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = [whole, part].concat();
    if all.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    decimal(&format!("{whole}.{part}0e{power}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_as_it_does_in_javascript() {
        let some = |number| Reads::Integer(Some(number));
        for (text, expected) in [
            ("86745912", some(86_745_912)),
            (" 76561198047011640 ", some(76_561_198_047_011_640)),
            ("0086", some(86)),
            ("+5", some(5)),
            ("-5", Reads::Integer(None)),
            ("99999999999999999999999", Reads::Integer(None)),
            ("0x1F", some(31)),
            ("", some(0)),
            ("1e5", Reads::Number(1e5)),
            ("1E5", Reads::Number(1e5)),
            ("7.0", Reads::Number(7.0)),
            (".5", Reads::Number(0.5)),
            ("007.", Reads::Number(7.0)),
            ("+00.25e+2", Reads::Number(25.0)),
            ("Infinity", Reads::Number(f64::INFINITY)),
            ("-1.5e-3", Reads::Number(-0.0015)),
        ] {
            assert_eq!(reads(text), expected, "{text}");
        }
        for words in [
            "ada", "inf", "NaN", "infinity", "1 2", ".", "e5", "1e5.0", "+-5.0", "1.2.3", "0x", "0xG", "1e", "+", "-",
            "٣", "1_000", "12a",
        ] {
            assert_eq!(reads(words), Reads::Words, "{words}");
        }
    }

    #[test]
    fn a_key_is_a_uuid() {
        assert!(is_uuid("12345678-1234-4234-8234-123456789abc") && is_uuid("12345678-1234-1234-B234-123456789ABC"));
        for wrong in [
            "",
            "----",
            "12345678-1234-6234-8234-123456789abc",
            "12345678-1234-4234-7234-123456789abc",
            "12345678-1234-4234-8234-123456789abg",
            "1234567-1234-4234-8234-123456789abc",
            "12345678-1234-4234-8234-123456789abc-1",
        ] {
            assert!(!is_uuid(wrong), "{wrong}");
        }
    }
}
