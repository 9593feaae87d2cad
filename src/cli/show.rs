//! Words from outside, and times, as a terminal may see them.
//!
//! Whoever writes to a bot chooses those words: as they came they could clear the operator's screen, forge lines of
//! a list, or turn the rest of a line around. So whatever is not ours goes through `shown`.

use crate::model::Moment;
use crate::notation::days::to_the_second;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// `text` on one line, at most `chars_max` characters wide: what steers a terminal is written as an escape, like
/// `\n` or `\u{1b}`, and what is cut ends with `…`.
pub fn shown(text: &str, chars_max: usize) -> Cow<'_, str> {
    let steers = text.chars().any(steers);
    if !steers && text.chars().nth(chars_max).is_none() {
        return Cow::Borrowed(text);
    }
    let mut line = String::new();
    let mut width = 0;
    // Where the line ends if not all of it has room.
    let mut cut = 0;
    for letter in text.chars() {
        let before = line.len();
        if self::steers(letter) {
            line.extend(letter.escape_default())
        } else {
            line.push(letter)
        }
        width += line.get(before..).map_or(0, |piece| piece.chars().count());
        if width < chars_max {
            cut = line.len();
        } else if width > chars_max {
            line.truncate(cut);
            line.push('…');
            break;
        }
    }
    Cow::Owned(line)
}

/// The same for what its end tells apart: where all has no room, `…` stands in the middle, and most of it comes behind.
pub fn ends(text: &str, chars_max: usize) -> Cow<'_, str> {
    let whole = shown(text, usize::MAX);
    let count = whole.chars().count();
    if count <= chars_max {
        return whole;
    }
    let before = chars_max / 4;
    let behind = chars_max.saturating_sub(before + 1);
    let line = whole.chars().take(before).chain(['…']).chain(whole.chars().skip(count - behind));
    Cow::Owned(line.collect())
}

/// Whether a character does something else than be seen: controls, line ends, marks that turn the direction of
/// writing, and the invisible. Joiners stay, since scripts and emoji need them.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}')
        || matches!(letter, '\u{e0000}'..='\u{e007f}')
}

/// A moment to the second: `2026-11-21 08:26:10`.
pub fn second(moment: Moment, zone: &TimeZone) -> String {
    time(moment, zone).unwrap_or_else(|| out_of_time(moment))
}

/// A moment to the millisecond: `2026-11-21 08:26:10.123`.
pub fn millisecond(moment: Moment, zone: &TimeZone) -> String {
    let time = time(moment, zone).map(|time| format!("{time}.{:03}", moment.0.rem_euclid(1000)));
    time.unwrap_or_else(|| out_of_time(moment))
}

fn time(moment: Moment, zone: &TimeZone) -> Option<String> {
    Some(to_the_second(zone.to_datetime(Timestamp::from_millisecond(moment.0).ok()?)))
}

/// A moment that no calendar has.
fn out_of_time(moment: Moment) -> String {
    format!("{} ms", moment.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_words_stay_as_they_are() {
        for text in ["", "hello", "Grüße, \"你好\" \\o/", "👨\u{200d}👩\u{200d}👧", "e\u{301}"] {
            assert_eq!(shown(text, 40), text);
        }
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(shown("a\nb\r\tc", 40), "a\\nb\\r\\tc");
        assert_eq!(shown("\u{1b}[2J\u{7}", 40), "\\u{1b}[2J\\u{7}");
        assert_eq!(shown("\u{9b}31m\u{7f}", 40), "\\u{9b}31m\\u{7f}");
        assert_eq!(
            shown("gpj.\u{202e}exe \u{2066}\u{feff}\u{2028}", 60),
            "gpj.\\u{202e}exe \\u{2066}\\u{feff}\\u{2028}"
        );
        let all: String = (0..=0x0010_ffff).filter_map(char::from_u32).collect();
        assert!(!shown(&all, usize::MAX).chars().any(steers));
    }

    #[test]
    fn long_words_are_cut_within_their_width() {
        assert_eq!(shown("12345", 5), "12345");
        assert_eq!(shown("123456", 5), "1234…");
        assert_eq!(shown("äöüßé!", 5), "äöüß…");
        assert_eq!(shown("12\n", 4), "12\\n");
        assert_eq!(shown("123\n", 4), "123…", "an escape is not cut in half");
        assert_eq!(shown("1234\n", 4), "123…");
        assert_eq!(shown(&"\u{1b}".repeat(100), 9), "\\u{1b}…");
        assert_eq!(shown("ab", 1), "…");
    }

    #[test]
    fn what_its_end_tells_apart_is_cut_in_the_middle() {
        assert_eq!((ends("123456789", 9), ends("1234567890", 9)), ("123456789".into(), "12…567890".into()));
        assert_eq!(ends(&"äöü".repeat(100), 5), "ä…äöü".to_owned());
        let cut = ends("\u{202e}abc\u{1b}[2J", 8).into_owned();
        assert!(cut.chars().count() == 8 && !cut.chars().any(steers), "{cut:?}");
        assert_eq!(ends("ab", 1), "…");
    }

    #[test]
    fn times_are_those_of_the_readers_zone() {
        let moment = Moment(1_795_249_570_123);
        assert_eq!(second(moment, &TimeZone::UTC), "2026-11-21 08:26:10");
        assert_eq!(millisecond(moment, &TimeZone::UTC), "2026-11-21 08:26:10.123");
        let east = TimeZone::fixed(jiff::tz::offset(5));
        assert_eq!(second(moment, &east), "2026-11-21 13:26:10");
        assert_eq!(millisecond(Moment(5), &TimeZone::UTC), "1970-01-01 00:00:00.005");
        assert_eq!(second(Moment(i64::MAX), &TimeZone::UTC), "9223372036854775807 ms");
    }
}
