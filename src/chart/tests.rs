//! Charts, looked at by their structure: what stands where, and how high.

use super::draw::{HEIGHT, WIDTH};
use super::{Bar, Bars, bars};
use crate::limits::{CHART_BARS_MAX, MEMORY_VALUE_BYTES_MAX};

const INK: u8 = 1;
const FAINT: u8 = 2;
const BAR: u8 = 3;

fn chart(values: &[Option<u64>]) -> Bars {
    let bar = |(place, value): (usize, &Option<u64>)| Bar { label: (place + 1).to_string(), value: *value };
    let bars = values.iter().enumerate().map(bar).collect();
    Bars { title: "The last days".to_owned(), unit: "Wh".to_owned(), bars, ..Bars::default() }
}

/// A chart's pixels as places in its palette, row by row.
struct Seen {
    bytes: Vec<u8>,
    pixels: Vec<u8>,
}

fn seen(chart: &Bars) -> Seen {
    let bytes = bars(chart).unwrap();
    assert!(bytes.len() < 20_000 && bytes.len() < MEMORY_VALUE_BYTES_MAX, "{} bytes", bytes.len());
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    let mut reader = options.read_info(&*bytes).unwrap();
    assert_eq!((reader.width() as usize, reader.height() as usize), (WIDTH, HEIGHT));
    assert_eq!(reader.global_palette().map(<[u8]>::len), Some(4 * 3));
    let frame = reader.read_next_frame().unwrap().unwrap();
    assert_eq!((frame.width as usize, frame.height as usize), (WIDTH, HEIGHT));
    assert!(frame.transparent.is_none(), "it brings its own ground");
    let pixels = frame.buffer.to_vec();
    assert!(reader.read_next_frame().unwrap().is_none(), "it stands still");
    Seen { bytes, pixels }
}

impl Seen {
    fn at(&self, x: usize, y: usize) -> u8 {
        self.pixels[y * WIDTH + x]
    }

    /// How high each column is of one colour.
    fn heights_of(&self, colour: u8) -> Vec<usize> {
        (0..WIDTH).map(|x| (0..HEIGHT).filter(|y| self.at(x, *y) == colour).count()).collect()
    }

    /// The bars from left to right: width and height.
    fn bars(&self) -> Vec<(usize, usize)> {
        let heights = self.heights_of(BAR);
        let bars = heights.chunk_by(|one, next| one == next || *one > 0 && *next > 0);
        bars.filter(|bar| bar[0] > 0).map(|bar| (bar.len(), bar[0])).collect()
    }

    /// Whether there is something of this colour within.
    fn has(&self, colour: u8, xs: std::ops::Range<usize>, ys: std::ops::Range<usize>) -> bool {
        ys.into_iter().any(|y| xs.clone().any(|x| self.at(x, y) == colour))
    }

    /// Labels below the bars, as runs of ink that stand apart by more than half a sign.
    fn labels(&self) -> usize {
        let inked: Vec<usize> = (0..WIDTH).filter(|x| self.has(INK, *x..*x + 1, 370..HEIGHT)).collect();
        usize::from(!inked.is_empty()) + inked.windows(2).filter(|pair| pair[1] - pair[0] > 8).count()
    }
}

#[test]
fn there_is_a_bar_for_each_value_as_high_as_the_value() {
    let seen = seen(&chart(&[Some(1000), Some(500), Some(250), Some(750), Some(0), Some(1), Some(1000)]));
    let bars = seen.bars();
    let heights: Vec<usize> = bars.iter().map(|(_, height)| *height).collect();
    let top = heights[0];
    assert!(top > 250, "{top}");
    assert_eq!(heights, [top, top / 2, top / 4, top * 3 / 4, 1, top]);
    assert!(bars.iter().all(|(width, _)| *width == bars[0].0), "{bars:?}");
}

#[test]
fn bars_told_in_thousands_are_no_coarser() {
    let wh = chart(&[Some(14_512), Some(5303), Some(3600)]);
    let kwh = Bars { in_thousands: true, ..wh.clone() };
    assert_eq!(seen(&kwh).bars(), seen(&wh).bars());
    assert_ne!(seen(&kwh).bytes, seen(&wh).bytes, "the words are others");
}

#[test]
fn what_is_missing_is_hatched_and_no_bar() {
    let known = seen(&chart(&[Some(5), Some(0), Some(4)]));
    let missing = seen(&chart(&[Some(5), None, Some(4)]));
    assert_eq!(known.bars(), missing.bars());
    // The middle third of the picture, above the base.
    let (xs, ys) = (280..420, 304..363);
    assert!(missing.has(FAINT, xs.clone(), ys.clone()) && missing.has(INK, xs.clone(), 280..304));
    let lines = |seen: &Seen| (304..363).filter(|y| seen.has(FAINT, xs.clone(), *y..*y + 1)).count();
    assert!(lines(&known) < 3 && lines(&missing) == 59, "{} {}", lines(&known), lines(&missing));
    assert!(!known.has(INK, xs, 280..304));
}

#[test]
fn the_highest_value_is_written_above_its_bar() {
    let written = seen(&chart(&[Some(1), Some(9_000)]));
    let top = (0..HEIGHT).find(|y| written.has(BAR, 0..WIDTH, *y..*y + 1)).unwrap();
    assert!(written.has(INK, 400..WIDTH, top - 22..top));
    assert!(!written.has(INK, 100..300, top - 22..top));
    // The line of a mark ends before the words, and goes on behind them.
    let crossed = seen(&chart(&[Some(1), Some(14_512), Some(1)]));
    let line = (0..HEIGHT).find(|y| crossed.has(FAINT, 0..WIDTH, *y..*y + 1)).unwrap();
    assert!(crossed.has(FAINT, 84..250, line..line + 1) && crossed.has(FAINT, 500..620, line..line + 1));
    assert!(!crossed.has(FAINT, 330..380, line..line + 1));
}

#[test]
fn labels_are_thinned_where_they_would_touch() {
    for (many, labels) in [(1, 1), (7, 7), (12, 12), (31, 16), (CHART_BARS_MAX, 15)] {
        let seen = seen(&chart(&vec![Some(3); many]));
        assert_eq!((seen.bars().len(), seen.labels()), (many, labels), "{many} bars");
    }
}

#[test]
fn nothing_is_too_much_for_it() {
    for values in [
        vec![Some(0); 7],
        vec![None; 31],
        vec![Some(u64::MAX)],
        vec![Some(u64::MAX), Some(1), None, Some(0)],
        vec![Some(u64::MAX - 1); CHART_BARS_MAX],
    ] {
        let above: Vec<_> = values.iter().flatten().filter(|value| **value > 0).collect();
        let seen = seen(&chart(&values));
        assert_eq!(seen.bars().len(), above.len(), "{values:?}");
    }
    assert_eq!(bars(&chart(&[])), None);
    assert_eq!(bars(&chart(&vec![Some(1); CHART_BARS_MAX + 1])), None);
}

#[test]
fn long_and_foreign_words_stay_in_the_picture_and_touch_no_bar() {
    let plain = chart(&[Some(4), None, Some(2)]);
    let mut wordy = plain.clone();
    wordy.title = "Дach über ☀ allem\nund ".repeat(400);
    wordy.unit = "kWh am Tag ".repeat(100);
    wordy.bars.iter_mut().for_each(|bar| bar.label = "mañana 明日 ".repeat(1000));
    assert_eq!(seen(&wordy).bars(), seen(&plain).bars());
    // A line break in the title is none in the picture.
    assert!(!seen(&wordy).has(INK, 0..80, 30..45));
}

#[test]
fn equal_numbers_give_equal_bytes() {
    let numbers = chart(&[Some(7), None, Some(9)]);
    assert_eq!(seen(&numbers).bytes, seen(&numbers.clone()).bytes);
    assert_ne!(seen(&numbers).bytes, seen(&chart(&[Some(7), None, Some(8)])).bytes);
}
