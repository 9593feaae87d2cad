//! Lengths of time as they are written: `90s`, `10m`, `2h`, `30d`.

use std::time::Duration;

/// The units that there are. A key takes those in which its lengths are told.
const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 24 * 3600)];

/// A whole number of seconds, minutes or hours.
pub(super) fn interval(text: &str) -> Option<Duration> {
    length(text, "smh")
}

/// A whole number of one of these `units`.
pub(crate) fn length(text: &str, units: &str) -> Option<Duration> {
    let (letter, seconds) = UNITS.into_iter().find(|(letter, _)| units.contains(*letter) && text.ends_with(*letter))?;
    let number = text.strip_suffix(letter).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(Duration::from_secs(u64::from(number.parse::<u32>().ok()?) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_whole_number_and_a_unit_that_its_key_takes() {
        let seconds = |text, units| length(text, units).map(|length| length.as_secs());
        for (text, units, expected) in [
            ("90s", "smh", Some(90)),
            ("10m", "smh", Some(600)),
            ("24h", "smh", Some(86_400)),
            ("24h", "hd", Some(86_400)),
            ("30d", "hd", Some(2_592_000)),
            ("30d", "smh", None),
            ("10m", "hd", None),
        ] {
            assert_eq!(seconds(text, units), expected, "{text} in {units}");
        }
        for text in ["", "d", "5", "+5d", "5 d", "-5d", "0.5d", "5D", "4294967296d", "5dd"] {
            assert_eq!(seconds(text, "smhd"), None, "{text:?}");
        }
    }
}
