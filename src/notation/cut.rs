//! Cuts a text into pieces that a platform takes. Put together again, the pieces are the text, byte for byte.
//!
//! Length is counted in UTF-16 units, the safe reading of a platform's "characters" (messenger.md §6), or in bytes,
//! where a platform says bytes (webex.md §7). A cut never falls inside what a person sees as one sign: a joined
//! emoji, a flag, a letter and its accents. The rule below knows ranges, not the whole of Unicode; where it is unsure
//! it does not cut, which only makes a piece shorter.

/// The length of `text` in UTF-16 units.
pub fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// `text` in pieces of at most `units_max`, preferably ending at a line's end or a space. Nothing is trimmed.
pub fn cut(text: &str, units_max: usize) -> Vec<&str> {
    cut_by(text, units_max, char::len_utf16)
}

/// The same in pieces of at most `bytes_max` bytes.
pub fn cut_bytes(text: &str, bytes_max: usize) -> Vec<&str> {
    cut_by(text, bytes_max, char::len_utf8)
}

/// The same, with lengths as `width` has them.
fn cut_by(text: &str, most: usize, width: fn(char) -> usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(end) = end_of_head(rest, most, width) {
        let Some((head, tail)) = rest.split_at_checked(place(rest, end)).filter(|(head, _)| !head.is_empty()) else {
            break; // only a limit smaller than one character comes here
        };
        pieces.push(head);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}

/// `text` if it has at most `units_max`; otherwise its beginning and `…`.
pub fn shorten(text: &str, units_max: usize) -> String {
    shorten_by(text, units_max, char::len_utf16)
}

/// The same, of at most `bytes_max` bytes.
pub fn shorten_bytes(text: &str, bytes_max: usize) -> String {
    shorten_by(text, bytes_max, char::len_utf8)
}

fn shorten_by(text: &str, most: usize, width: fn(char) -> usize) -> String {
    if end_of_head(text, most, width).is_none() {
        return text.to_owned();
    }
    let end = end_of_head(text, most.saturating_sub(width('…')), width).unwrap_or(text.len());
    let at = boundaries(text, end).next().unwrap_or(end);
    format!("{}…", text.get(..at).unwrap_or_default().trim_end())
}

/// Where the longest head of at most `most` ends, in bytes; `None` when all of `text` fits.
fn end_of_head(text: &str, most: usize, width: fn(char) -> usize) -> Option<usize> {
    let mut used = 0;
    text.char_indices().find_map(|(at, sign)| {
        used += width(sign);
        (used > most).then_some(at)
    })
}

/// Where to cut `text`, at `end` or before: after a line's end or a space in the last fifth, else at the last
/// boundary. What is left shall not be blank, since a blank message is refused as an empty one.
fn place(text: &str, end: usize) -> usize {
    let last_sign = text.trim_end().char_indices().next_back().map_or(0, |(at, _)| at);
    let latest = if last_sign == 0 { end } else { last_sign.min(end) };
    let ends_with = |at: &usize, wanted: fn(char) -> bool| text.get(..*at).is_some_and(|head| head.ends_with(wanted));
    let last_fifth = || boundaries(text, latest).take_while(|at| at * 5 >= end * 4);
    last_fifth()
        .find(|at| ends_with(at, |sign| sign == '\n'))
        .or_else(|| last_fifth().find(|at| ends_with(at, char::is_whitespace)))
        .or_else(|| boundaries(text, latest).next())
        .unwrap_or(end)
}

/// The places at or before `end` where `text` may be cut, from the last to the first; never its very beginning.
fn boundaries(text: &str, end: usize) -> impl Iterator<Item = usize> + '_ {
    let head = text.get(..end).unwrap_or_default();
    let places = std::iter::once(end).chain(head.char_indices().rev().map(|(at, _)| at));
    places.filter(|at| *at > 0 && text.split_at_checked(*at).is_some_and(|(before, after)| may_cut(before, after)))
}

/// Whether a person sees a boundary between these two.
fn may_cut(before: &str, after: &str) -> bool {
    let (Some(left), Some(right)) = (before.chars().next_back(), after.chars().next()) else { return true };
    if joins_what_follows(left) || clings_to_what_precedes(right) || (left, right) == ('\r', '\n') {
        return false;
    }
    // Two regional indicators are one flag, so inside a run of them only every second place is a boundary.
    !(is_regional(left) && is_regional(right))
        || before.chars().rev().take_while(|sign| is_regional(*sign)).count().is_multiple_of(2)
}

fn is_regional(sign: char) -> bool {
    matches!(sign, '\u{1F1E6}'..='\u{1F1FF}')
}

/// Zero-width joiner, and the viramas that tie consonants of Indian scripts together.
fn joins_what_follows(sign: char) -> bool {
    sign == '\u{200D}' || (matches!(sign, '\u{900}'..='\u{DFF}') && u32::from(sign) & 0x7F == 0x4D)
}

/// Combining marks, variation selectors, joiners, skin tones, tags: what belongs to the sign before it.
fn clings_to_what_precedes(sign: char) -> bool {
    match sign {
        // The blocks of Indian scripts are alike: marks at 00–03, 3A–57 (with some letters among them), 62–63.
        '\u{900}'..='\u{DFF}' => matches!(u32::from(sign) & 0x7F, 0..=3 | 0x3A..=0x57 | 0x62 | 0x63),
        '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5C7}' | '\u{610}'..='\u{61A}' => true,
        '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{6D6}'..='\u{6ED}' | '\u{711}' | '\u{730}'..='\u{74A}' => true,
        '\u{7A6}'..='\u{7B0}' | '\u{7EB}'..='\u{7F3}' | '\u{816}'..='\u{82D}' | '\u{859}'..='\u{85B}' => true,
        '\u{8CA}'..='\u{8FF}' | '\u{E31}'..='\u{E3A}' | '\u{E47}'..='\u{E4E}' | '\u{EB1}'..='\u{EBC}' => true,
        '\u{EC8}'..='\u{ECE}' | '\u{F18}'..='\u{F19}' | '\u{F35}'..='\u{F3F}' | '\u{F71}'..='\u{FBC}' => true,
        '\u{102B}'..='\u{103E}' | '\u{1056}'..='\u{1059}' | '\u{135D}'..='\u{135F}' => true,
        '\u{1160}'..='\u{11FF}' | '\u{17B4}'..='\u{17D3}' | '\u{180B}'..='\u{180F}' => true,
        '\u{1A17}'..='\u{1A7F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1B00}'..='\u{1B04}' => true,
        '\u{1B34}'..='\u{1B44}' | '\u{1DC0}'..='\u{1DFF}' | '\u{200C}' | '\u{200D}' => true,
        '\u{20D0}'..='\u{20FF}' | '\u{302A}'..='\u{302F}' | '\u{3099}' | '\u{309A}' => true,
        '\u{A66F}'..='\u{A67D}' | '\u{A8E0}'..='\u{A8F1}' | '\u{A9B3}'..='\u{A9C0}' => true,
        '\u{ABE3}'..='\u{ABED}' | '\u{FB1E}' | '\u{FE00}'..='\u{FE0F}' | '\u{FE20}'..='\u{FE2F}' => true,
        '\u{FF9E}' | '\u{FF9F}' | '\u{1F3FB}'..='\u{1F3FF}' => true,
        '\u{E0020}'..='\u{E007F}' | '\u{E0100}'..='\u{E01EF}' => true,
        _ => false,
    }
}

/// Takes from the end of a text what is past so many bytes, and no half of a character.
pub fn truncate(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        // `floor_char_boundary` would do, from Rust 1.91 on.
        let end = (0..=bytes_max).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces, after checking what must hold of all: nothing lost, nothing too long, nothing empty.
    fn pieces(text: &str, units_max: usize) -> Vec<&str> {
        let pieces = cut(text, units_max);
        assert_eq!(pieces.concat(), text);
        assert!(pieces.iter().all(|piece| units(piece) <= units_max), "{pieces:?}");
        assert!(text.is_empty() || pieces.iter().all(|piece| !piece.is_empty()), "{pieces:?}");
        pieces
    }

    #[test]
    fn a_text_that_fits_stays_whole() {
        assert_eq!(pieces("hello", 5), ["hello"]);
        assert_eq!(pieces("", 5), [""]);
    }

    #[test]
    fn a_line_end_or_a_space_near_the_end_is_preferred() {
        assert_eq!(pieces("12345678\n0 abc", 12), ["12345678\n0 ", "abc"]);
        assert_eq!(pieces("1234567890\nb cd", 12), ["1234567890\n", "b cd"]);
        assert_eq!(pieces("1234567890 bcd", 12), ["1234567890 ", "bcd"]);
        assert_eq!(pieces("12 45678901234", 12), ["12 456789012", "34"]);
    }

    #[test]
    fn no_piece_ends_inside_what_is_seen_as_one_sign() {
        for (sign, width) in [
            ("👨\u{200D}👩\u{200D}👧", 8), // a family
            ("👍🏽", 4),                     // a thumb with its skin
            ("🇩🇪", 4),                     // a flag
            ("☀\u{FE0F}", 2),              // a sun in colour
            ("e\u{301}\u{323}", 3),        // a letter with two accents
            ("1\u{FE0F}\u{20E3}", 3),      // a keycap
            ("क्ष", 3),                     // a conjunct
            ("\r\n", 2),                   // one line's end
        ] {
            assert_eq!(units(sign), width, "{sign:?}");
            let text = sign.repeat(9);
            for units_max in width..width * 4 {
                for piece in pieces(&text, units_max) {
                    assert_eq!(piece.len() % sign.len(), 0, "{piece:?} of at most {units_max}");
                }
            }
        }
    }

    #[test]
    fn a_sign_longer_than_a_piece_is_cut_all_the_same() {
        let monster = format!("a{}", "\u{301}".repeat(50));
        assert_eq!(pieces(&monster, 10).len(), 6);
    }

    #[test]
    fn the_last_piece_is_not_blank() {
        assert_eq!(pieces("abcdefghij\n", 10), ["abcdefghi", "j\n"]);
        assert_eq!(pieces("abcdefghij  ", 10), ["abcdefghi", "j  "]);
        assert_eq!(pieces(&" ".repeat(12), 10).len(), 2);
    }

    #[test]
    fn a_limit_smaller_than_a_character_ends_too() {
        assert_eq!(cut("👍👍", 1).concat(), "👍👍");
    }

    #[test]
    fn bytes_are_cut_by_the_same_rule() {
        let pieces = |text, bytes_max| {
            let pieces = cut_bytes(text, bytes_max);
            assert_eq!(pieces.concat(), text);
            assert!(pieces.iter().all(|piece| piece.len() <= bytes_max), "{pieces:?}");
            pieces.len()
        };
        assert_eq!(pieces("äöü", 6), 1);
        assert_eq!(pieces("äöü", 5), 2);
        assert_eq!(cut_bytes("1234567890 bcd", 12), ["1234567890 ", "bcd"]);
        assert_eq!(cut_bytes("☀️👍🏽👍🏽", 15), ["☀️👍🏽", "👍🏽"], "a sign is cut nowhere");
        assert_eq!(shorten_bytes("äöüäöü", 9), "äöü…");
    }

    #[test]
    fn a_long_title_ends_in_dots() {
        assert_eq!(shorten("Ten signs!", 10), "Ten signs!");
        assert_eq!(shorten("Eleven sign", 10), "Eleven si…");
        assert_eq!(shorten("Eleven   sign", 10), "Eleven…");
        assert_eq!(shorten("12345678👍🏽", 10), "12345678…");
    }

    #[test]
    fn words_are_cut_between_two_characters() {
        for (text, bytes, left) in [("aüb", 2, "a"), ("aüb", 3, "aü"), ("aüb", 9, "aüb"), ("ü", 1, ""), ("", 0, "")]
        {
            let mut text = text.to_owned();
            truncate(&mut text, bytes);
            assert_eq!(text, left);
        }
    }
}
