//! The axis of a chart: a few round marks, and how high a value stands between them.

/// Marks above zero; fewer where rounder ones are to be had.
const MARKS_MAX: u128 = 4;

/// An axis from zero up to its last mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    /// From one mark to the next: 1, 2 or 5 with zeros behind it.
    step: u128,
    /// Marks above zero.
    marks: u128,
    /// How many of the values are one of what the marks are told in: 1 or 1000.
    one: u128,
}

impl Scale {
    /// The axis for values up to `highest`; without a value above zero it has no mark but that.
    pub(super) fn of(highest: u64) -> Scale {
        let highest = u128::from(highest);
        let mut step = 1;
        // 1, 2, 5, 10, 20, 50, …
        for factor in [2, 5, 10].into_iter().cycle() {
            if step * MARKS_MAX >= highest {
                break;
            }
            let decade = decade(step);
            step = decade * factor;
        }
        Scale { step, marks: highest.div_ceil(step), one: 1 }
    }

    /// The same axis with its marks told in thousands, where they are whole ones.
    pub(super) fn in_thousands(self) -> Scale {
        if self.step.is_multiple_of(1000) { Scale { one: 1000, ..self } } else { self }
    }

    /// The marks from zero up, as high as they stand of `height` and in words.
    pub(super) fn marks(self, height: u32) -> impl Iterator<Item = (u32, String)> {
        let mark = move |mark| (self.height(mark * self.step, height), self.words(mark * self.step));
        (0..=self.marks).map(mark)
    }

    /// How high a value stands, where the last mark stands at `height`. What is not nothing can be seen.
    pub(super) fn height(self, value: u128, height: u32) -> u32 {
        let top = (self.step * self.marks).max(1);
        let least = u32::from(value > 0);
        u32::try_from(value.saturating_mul(u128::from(height)) / top).unwrap_or(height).clamp(least, height)
    }

    /// A mark in words of at most seven signs: `15,000`, or `15M` when that would be longer.
    fn words(self, mark: u128) -> String {
        let (step, mark) = (self.step / self.one, mark / self.one);
        let last = grouped(step * self.marks);
        if last.len() <= 7 || mark == 0 {
            return grouped(mark);
        }
        let mut unit = (1, "");
        for (many, letter) in [(3, "k"), (6, "M"), (9, "G"), (12, "T"), (15, "P"), (18, "E")] {
            let thousands = 10_u128.pow(many);
            if step.is_multiple_of(thousands) {
                unit = (thousands, letter);
            }
        }
        format!("{}{}", grouped(mark / unit.0), unit.1)
    }
}

/// The power of ten at or below.
fn decade(step: u128) -> u128 {
    10_u128.pow(step.checked_ilog10().unwrap_or(0))
}

/// A number with a comma before each three digits: `1,234,567`.
pub(super) fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut words = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            words.push(',');
        }
        words.push(digit);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(highest: u64) -> Vec<String> {
        Scale::of(highest).marks(300).map(|(_, words)| words).collect()
    }

    #[test]
    fn the_marks_are_few_and_round() {
        for (highest, expected) in [
            (0, &["0"][..]),
            (1, &["0", "1"]),
            (4, &["0", "1", "2", "3", "4"]),
            (5, &["0", "2", "4", "6"]),
            (9, &["0", "5", "10"]),
            (12_345, &["0", "5,000", "10,000", "15,000"]),
            (200_000, &["0", "50,000", "100,000", "150,000", "200,000"]),
            (1_000_001, &["0", "500k", "1,000k", "1,500k"]),
            (u64::MAX, &["0", "5E", "10E", "15E", "20E"]),
        ] {
            assert_eq!(marks(highest), expected, "{highest}");
        }
    }

    #[test]
    fn marks_are_told_in_thousands_where_they_are_whole_ones() {
        let marks =
            |highest| -> Vec<String> { Scale::of(highest).in_thousands().marks(300).map(|(_, words)| words).collect() };
        assert_eq!(marks(10_000), ["0", "5", "10"]);
        assert_eq!(marks(1_192_300), ["0", "500", "1,000", "1,500"]);
        assert_eq!(marks(900), ["0", "500", "1,000"]);
    }

    #[test]
    fn every_value_stands_between_zero_and_the_last_mark() {
        for highest in (0..64).flat_map(|bits| [1_u64 << bits, (1 << bits) - 1, 3 << (bits / 2)]) {
            let scale = Scale::of(highest);
            let marks: Vec<_> = scale.marks(300).collect();
            assert!(marks.len() <= 5 && marks.iter().all(|(_, words)| words.len() <= 7), "{highest}: {marks:?}");
            assert_eq!(marks.last().map(|(height, _)| *height), Some(if highest == 0 { 0 } else { 300 }));
            assert!(highest == 0 || scale.height(u128::from(highest), 300) > 100, "{highest} fills the picture");
        }
    }

    #[test]
    fn what_is_not_nothing_can_be_seen() {
        let scale = Scale::of(u64::MAX);
        assert_eq!([0, 1, 20 * 10_u128.pow(18)].map(|value| scale.height(value, 300)), [0, 1, 300]);
    }
}
