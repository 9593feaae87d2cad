//! Numbers as a picture: a bar chart as GIF, drawn with the feature `charts`.
//!
//!     Bars ──scale──▶ marks, heights ──draw──▶ four colours ──gif──▶ bytes
//!
//! It looks the same in light and dark chats, since it brings its own ground, and can be read on a phone. Whole numbers
//! go in, and equal input gives equal bytes. A chart never stands alone: who makes one says the same in words, for
//! whoever cannot see it, and for a build without it. Never here: what the numbers mean, where the picture goes.

#[cfg(feature = "charts")]
mod draw;
#[cfg(feature = "charts")]
mod scale;
#[cfg(feature = "charts")]
#[cfg(test)]
mod tests;

/// A bar chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bars {
    pub title: String,
    /// Of all values; it stands behind the highest one.
    pub unit: String,
    /// The unit is a thousand of what the values are, as kWh of Wh; the highest is then 10,000 or more.
    pub in_thousands: bool,
    /// From left to right.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    /// What stands below it, where there is room.
    pub label: String,
    /// `None` when it is missing, which is not the same as nothing.
    pub value: Option<u64>,
}

/// The chart as GIF. `None` without a bar, with more than `CHART_BARS_MAX`, and in a build without charts.
#[cfg(feature = "charts")]
pub fn bars(chart: &Bars) -> Option<Vec<u8>> {
    draw::bars(chart)
}

/// The chart as GIF; this build draws none.
#[cfg(not(feature = "charts"))]
pub fn bars(_chart: &Bars) -> Option<Vec<u8>> {
    None
}
