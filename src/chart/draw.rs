//! A chart's lines, bars and words, in four colours, and these as GIF.

use super::Bars;
use super::scale::{Scale, grouped};
use crate::limits::{CHART_BARS_MAX, CHART_LABEL_CHARS_MAX};
use embedded_graphics::framebuffer::{Framebuffer, buffer_size};
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_1::FONT_10X20;
use embedded_graphics::pixelcolor::Gray2;
use embedded_graphics::pixelcolor::raw::{BigEndian, RawU2};
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};
use std::borrow::Cow;

/// The picture, in pixels. In a chat it is shown half as wide; the signs are still 10 of its pixels wide then.
pub(super) const WIDTH: usize = 640;
pub(super) const HEIGHT: usize = 400;
const SIGN_WIDTH: i32 = 10;
const SIGN_HEIGHT: i32 = 20;

/// Where bars stand: from the end of the marks' words to the right edge, from below title and highest value to the labels.
const LEFT: i32 = 8 * SIGN_WIDTH + 4;
const RIGHT: i32 = 632;
const TOP: i32 = 68;
const BASE: i32 = 364;

/// The colours, by their place in the palette.
pub(super) const GROUND: Gray2 = Gray2::new(0);
pub(super) const INK: Gray2 = Gray2::new(1);
pub(super) const FAINT: Gray2 = Gray2::new(2);
pub(super) const BAR: Gray2 = Gray2::new(3);
/// Bright enough beside a light chat, not glaring in a dark one.
const PALETTE: [u8; 12] = [0xf4, 0xf5, 0xf7, 0x16, 0x19, 0x1d, 0xb4, 0xba, 0xc3, 0x0a, 0x5a, 0xd6];

/// Widest bar, in pixels: one alone would be a wall.
const BAR_WIDTH_MAX: i32 = 80;
/// How high the hatching of a missing value is, in pixels.
const HATCH_HEIGHT: i32 = 60;

/// Two bits a pixel, the leftmost in the highest bits: a quarter of what GIF takes, for as long as it is drawn.
type Canvas = Framebuffer<Gray2, RawU2, BigEndian, WIDTH, HEIGHT, { buffer_size::<Gray2>(WIDTH, HEIGHT) }>;

pub(super) fn bars(chart: &Bars) -> Option<Vec<u8>> {
    if chart.bars.is_empty() || chart.bars.len() > CHART_BARS_MAX {
        return None;
    }
    // All of it is ground at first.
    let mut canvas = Box::new(Canvas::new());
    words(&mut canvas, &chart.title, 8, 8, (WIDTH as i32 - 16) / SIGN_WIDTH);
    let highest = chart.bars.iter().filter_map(|bar| bar.value).max().unwrap_or(0);
    let scale = Scale::of(highest);
    let scale = if chart.in_thousands { scale.in_thousands() } else { scale };
    axis(&mut canvas, scale);
    let slots = Slots { count: i32::try_from(chart.bars.len()).ok()? };
    for (place, bar) in (0..).zip(&chart.bars) {
        match bar.value {
            Some(value) => column(&mut canvas, slots, place, scale.height(value.into(), (BASE - TOP).unsigned_abs())),
            None => missing(&mut canvas, slots, place),
        }
    }
    fill(&mut canvas, between(LEFT, BASE, RIGHT, BASE + 2), INK);
    labels(&mut canvas, chart, slots);
    if let Some(place) = chart.bars.iter().position(|bar| highest > 0 && bar.value == Some(highest)) {
        let tenths = highest.saturating_add(50) / 100;
        let said = match chart.in_thousands {
            true => format!("{}.{} {}", grouped((tenths / 10).into()), tenths % 10, chart.unit),
            false => format!("{} {}", grouped(highest.into()), chart.unit),
        };
        let above = scale.height(highest.into(), (BASE - TOP).unsigned_abs());
        let y = BASE - i32::try_from(above).unwrap_or(0) - SIGN_HEIGHT - 2;
        centred(&mut canvas, &said, slots.middle(i32::try_from(place).ok()?), y);
    }
    encode(canvas.data())
}

/// How the bars share the width.
#[derive(Clone, Copy)]
struct Slots {
    count: i32,
}

impl Slots {
    fn left(self, place: i32) -> i32 {
        LEFT + place * (RIGHT - LEFT) / self.count
    }

    fn width(self) -> i32 {
        (RIGHT - LEFT) / self.count
    }

    fn middle(self, place: i32) -> i32 {
        i32::midpoint(self.left(place), self.left(place + 1))
    }

    /// From where to where a bar stands; the gap is what is left of its slot.
    fn bar(self, place: i32) -> (i32, i32) {
        let width = (self.width() * 7 / 10).clamp(1, BAR_WIDTH_MAX);
        let left = self.middle(place) - width / 2;
        (left, left + width)
    }
}

fn axis(canvas: &mut Canvas, scale: Scale) {
    for (height, mark) in scale.marks((BASE - TOP).unsigned_abs()) {
        let y = BASE - i32::try_from(height).unwrap_or(0);
        fill(canvas, between(LEFT, y, RIGHT, y + 1), FAINT);
        words(canvas, &mark, LEFT - 6 - length(&mark) * SIGN_WIDTH, y - SIGN_HEIGHT / 2, length(&mark));
    }
}

fn column(canvas: &mut Canvas, slots: Slots, place: i32, height: u32) {
    let (left, right) = slots.bar(place);
    fill(canvas, between(left, BASE - i32::try_from(height).unwrap_or(0), right, BASE), BAR);
}

/// Hatching and a question mark where nothing is known.
fn missing(canvas: &mut Canvas, slots: Slots, place: i32) {
    let (left, right) = slots.bar(place);
    let hatched = between(left, BASE - HATCH_HEIGHT, right, BASE);
    let strokes = hatched.points().filter(|point| (point.x + point.y) % 6 < 2);
    let drawn = canvas.draw_iter(strokes.map(|point| Pixel(point, FAINT)));
    drawn.unwrap_or_else(|never| match never {});
    if slots.width() > SIGN_WIDTH {
        centred(canvas, "?", slots.middle(place), BASE - HATCH_HEIGHT - SIGN_HEIGHT);
    }
}

/// Labels below the bars: all of them, or each second, third, … so that no two touch.
fn labels(canvas: &mut Canvas, chart: &Bars, slots: Slots) {
    let shown: Vec<String> = chart.bars.iter().map(|bar| cut(&bar.label, CHART_LABEL_CHARS_MAX as i32)).collect();
    let widest = shown.iter().map(|label| length(label)).max().unwrap_or(0) * SIGN_WIDTH + SIGN_WIDTH / 2;
    let every = (1..=slots.count).find(|every| (RIGHT - LEFT) * every / slots.count >= widest).unwrap_or(slots.count);
    for (place, label) in (0..).zip(&shown).step_by(usize::try_from(every).unwrap_or(1)) {
        centred(canvas, label, slots.middle(place), BASE + 8);
    }
}

/// Words around `middle`, moved so that they stay in the picture.
fn centred(canvas: &mut Canvas, text: &str, middle: i32, y: i32) {
    let width = length(text) * SIGN_WIDTH;
    let left = (middle - width / 2).min(WIDTH as i32 - 4 - width).max(4);
    // A mark's line does not go through the words.
    fill(canvas, between(left, y, left + width, y + SIGN_HEIGHT), GROUND);
    words(canvas, text, left, y, (WIDTH as i32 - 8) / SIGN_WIDTH);
}

fn words(canvas: &mut Canvas, text: &str, left: i32, top: i32, signs_max: i32) {
    let text = cut(text, signs_max);
    let style = MonoTextStyle::new(&FONT_10X20, INK);
    let drawn = Text::with_baseline(&text, Point::new(left, top), style, Baseline::Top).draw(canvas);
    drawn.map_or_else(|never| match never {}, |_| ());
}

/// One line of at most so many signs.
fn cut(text: &str, signs_max: i32) -> String {
    let most = usize::try_from(signs_max).unwrap_or(0);
    let sign = |sign: char| if sign.is_control() { ' ' } else { sign };
    if length(text) <= signs_max {
        return text.chars().map(sign).collect();
    }
    text.chars().map(sign).take(most.saturating_sub(2)).chain("..".chars()).collect()
}

fn length(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX)
}

fn between(left: i32, top: i32, right: i32, bottom: i32) -> Rectangle {
    let (width, height) = ((right - left).max(0).unsigned_abs(), (bottom - top).max(0).unsigned_abs());
    Rectangle::new(Point::new(left, top), Size::new(width, height))
}

fn fill(canvas: &mut Canvas, area: Rectangle, colour: Gray2) {
    let drawn = area.into_styled(PrimitiveStyle::with_fill(colour)).draw(canvas);
    drawn.unwrap_or_else(|never| match never {});
}

/// One frame, which stands still.
fn encode(packed: &[u8]) -> Option<Vec<u8>> {
    let pixels: Vec<u8> = packed.iter().flat_map(|byte| [6, 4, 2, 0].map(|shift| byte >> shift & 3)).collect();
    let (width, height) = (WIDTH as u16, HEIGHT as u16);
    let frame = gif::Frame { width, height, buffer: Cow::Owned(pixels), ..gif::Frame::default() };
    let mut encoder = gif::Encoder::new(Vec::new(), width, height, &PALETTE).ok()?;
    encoder.write_frame(&frame).ok()?;
    encoder.into_inner().ok()
}
