//! The days of an answer as a bar chart.

use super::Chart;
use super::sums::Bar;
use crate::chart::{self, Bars};
use crate::model::Picture;
use crate::notation::days::{month, short, weekday};
use jiff::civil::Date;

/// Days that are drawn one by one; of a longer span, its months.
const DAYS_MAX: usize = 62;
/// The Wh of a bar from which all are drawn as kWh: a picture has room for few digits.
const KILOWATTS_FROM: u64 = 10_000;

/// The chart as a picture; `None` in a build without charts.
pub(super) fn picture(chart: &Chart) -> Option<Picture> {
    let bars = if chart.bars.len() > DAYS_MAX { months(&chart.bars) } else { days(&chart.bars) };
    let highest = bars.iter().filter_map(|bar| bar.value).max().unwrap_or_default();
    let in_thousands = highest >= KILOWATTS_FROM;
    let unit = if in_thousands { "kWh" } else { "Wh" };
    let bars = Bars { title: chart.system.clone(), unit: unit.to_owned(), in_thousands, bars };
    chart::bars(&bars).map(|gif| Picture::gif(&gif))
}

/// A week has the names of its days, a month their numbers.
fn days(bars: &[Bar]) -> Vec<chart::Bar> {
    let named = bars.len() <= 7;
    let label = |date: Date| if named { short(weekday(date)).to_owned() } else { date.day().to_string() };
    bars.iter().map(|bar| chart::Bar { label: label(bar.date), value: bar.wh }).collect()
}

/// Each month's sum. A month of which nothing was reported is missing.
fn months(bars: &[Bar]) -> Vec<chart::Bar> {
    let of = |bar: &Bar| (bar.date.year(), bar.date.month());
    let chunks = bars.chunk_by(|one, other| of(one) == of(other));
    let sum = |days: &[Bar]| {
        days.iter()
            .filter_map(|day| day.wh)
            .fold(None, |sum: Option<u64>, wh| Some(sum.unwrap_or(0).saturating_add(wh)))
    };
    let bar = |days: &[Bar]| {
        let label = days.first().map_or_else(String::new, |day| short(month(day.date)).to_owned());
        chart::Bar { label, value: sum(days) }
    };
    chunks.map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: Date, days: usize, wh: impl Fn(usize) -> Option<u64>) -> Vec<Bar> {
        let dates = from.series(jiff::Span::new().days(1)).take(days);
        dates.enumerate().map(|(day, date)| Bar { date, wh: wh(day), under_way: false }).collect()
    }

    #[test]
    fn a_week_has_names_a_month_numbers_and_a_year_its_months() {
        let labels = |bars: Vec<chart::Bar>| bars.into_iter().map(|bar| bar.label).collect::<Vec<_>>();
        let monday = jiff::civil::date(2026, 6, 1);
        assert_eq!(labels(days(&span(monday, 7, |_| None))), ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);
        let june = labels(days(&span(monday, 30, |_| None)));
        assert_eq!(
            (june.len(), june.first().map(String::as_str), june.last().map(String::as_str)),
            (30, Some("1"), Some("30"))
        );
        // Of March nothing was reported; of April one day.
        let year = months(&span(jiff::civil::date(2026, 1, 1), 100, |day| match day {
            0..59 => Some(10),
            95 => Some(7),
            _ => None,
        }));
        let told: Vec<_> = year.iter().map(|bar| (bar.label.as_str(), bar.value)).collect();
        assert_eq!(told, [("Jan", Some(310)), ("Feb", Some(280)), ("Mar", None), ("Apr", Some(7))]);
    }

    #[test]
    #[cfg(feature = "charts")]
    fn a_span_of_days_is_drawn_and_none_is_not() {
        let bars = span(jiff::civil::date(2026, 6, 1), 7, |day| Some(day as u64 * 9_000));
        let drawn = picture(&Chart { system: "Roof".to_owned(), bars });
        assert!(drawn.and_then(|picture| picture.bytes()).is_some_and(|gif| gif.starts_with(b"GIF89a")));
        assert_eq!(picture(&Chart { system: "Roof".to_owned(), bars: Vec::new() }), None);
        // Half a kWh can be seen.
        let week = |wh: u64| {
            let bars = span(jiff::civil::date(2026, 6, 1), 7, |day| Some(if day == 0 { wh } else { 14_512 }));
            picture(&Chart { system: "Roof".to_owned(), bars })
        };
        assert_ne!(week(5_500), week(5_900));
    }
}
