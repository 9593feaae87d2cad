//! The last hour, minute by minute: what the inspector draws.
//!
//! Each of the two who count has an hour of its own, and the loop puts them together when somebody asks. Nothing wakes for it:
//! a minute begins when something happens in it, and takes the place of the oldest one. The wall clock may jump: a minute that
//! comes again goes on where it was, and one that lies in the future is not shown until it is there.

use super::{Kept, Open};
use crate::model::Moment;
use std::fmt::Write;

/// How many minutes are remembered.
const MINUTES: usize = 60;
/// A minute, in milliseconds.
const MINUTE_MS: i64 = 60_000;
/// How many things are counted.
const COLUMNS: usize = 10;

/// What is counted, in the order in which it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Kept,
    Answered,
    Ignored,
    Dead,
    Unknown,
    Refused,
    Acknowledged,
    /// How long all acknowledgements of the minute took together, and the slowest.
    AcknowledgedUs,
    SlowestAcknowledgementUs,
    SlowestCommitUs,
}

/// One minute, by its number since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Minute {
    number: i64,
    figures: [u64; COLUMNS],
}

/// The minutes of the last hour in which something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    minutes: Vec<Minute>,
    /// Where the minute of now is, if it has begun.
    current: usize,
}

impl Hour {
    /// So many more.
    pub fn add(&mut self, now: Moment, column: Column, count: u64) {
        if let Some(figure) = self.figure(now, column) {
            *figure = figure.saturating_add(count);
        }
    }

    /// It was as much as this once.
    pub fn most(&mut self, now: Moment, column: Column, value: u64) {
        if let Some(figure) = self.figure(now, column) {
            *figure = value.max(*figure);
        }
    }

    fn figure(&mut self, now: Moment, column: Column) -> Option<&mut u64> {
        let number = now.0.div_euclid(MINUTE_MS);
        if self.minutes.get(self.current).is_none_or(|minute| minute.number != number) {
            self.begin(number);
        }
        self.minutes.get_mut(self.current)?.figures.get_mut(column as usize)
    }

    fn begin(&mut self, number: i64) {
        let minute = Minute { number, figures: [0; COLUMNS] };
        if let Some(again) = self.minutes.iter().position(|known| known.number == number) {
            self.current = again;
        } else if self.minutes.len() < MINUTES {
            self.minutes.push(minute);
            self.current = self.minutes.len() - 1;
        } else {
            self.current = (self.current + 1) % MINUTES;
            self.minutes.get_mut(self.current).into_iter().for_each(|oldest| *oldest = minute);
        }
    }

    fn minute(&self, number: i64) -> impl Iterator<Item = &Minute> {
        self.minutes.iter().filter(move |minute| minute.number == number)
    }
}

/// The last hour as JSON: what the loop and the keeper counted, and how things stand.
pub fn json(open: Open, served: &Hour, kept: &Kept, began: Moment) -> String {
    let waiting: u64 = kept.channels.iter().map(|channel| channel.waiting).sum();
    let oldest = kept.channels.iter().filter_map(|channel| channel.oldest).min();
    let (now, bytes) = (open.now.0, open.buffered_bytes + open.waiting_bytes);
    let mut text = format!("{{\"now\":{now},\"began\":{},\"waiting\":{waiting}", began.0);
    if let Some(oldest) = oldest {
        let _ = write!(text, ",\"oldest\":{}", oldest.0);
    }
    // Names of channels need no escape.
    text.push_str(",\"rests\":\"");
    for (place, channel) in kept.channels.iter().filter(|channel| channel.rests).enumerate() {
        text.push_str(if place > 0 { ", " } else { "" });
        text.push_str(&channel.name);
    }
    let _ = write!(text, "\",\"connections\":{},\"bytes\":{bytes},\"minutes\":[", open.connections);
    let last = now.div_euclid(MINUTE_MS);
    let mut first = true;
    for number in last - (MINUTES as i64 - 1)..=last {
        let mut sums = [0_u64; COLUMNS];
        // Nothing is counted by both, so a sum is what one of them has.
        for minute in served.minute(number).chain(kept.hour.minute(number)) {
            sums.iter_mut().zip(minute.figures).for_each(|(sum, figure)| *sum = sum.saturating_add(figure));
        }
        if sums == [0; COLUMNS] {
            continue;
        }
        let _ = write!(text, "{}[{}", if first { "" } else { "," }, number.saturating_mul(MINUTE_MS));
        for sum in sums {
            let _ = write!(text, ",{sum}");
        }
        text.push(']');
        first = false;
    }
    text.push_str("]}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Channel;

    fn at(minute: i64, second: i64) -> Moment {
        Moment(minute * MINUTE_MS + second * 1000)
    }

    /// The minutes that are shown at this time, each with its first figure and its last.
    fn shown(hour: &Hour, now: Moment) -> Vec<[i64; 3]> {
        let text = json(Open { now, ..Open::default() }, hour, &Kept::default(), Moment(0));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let number = |row: &serde_json::Value, at: usize| row[at].as_i64().unwrap();
        let rows = value["minutes"].as_array().unwrap().iter();
        rows.map(|row| [number(row, 0) / MINUTE_MS, number(row, 1), number(row, COLUMNS)]).collect()
    }

    #[test]
    fn what_happens_counts_in_its_minute_and_what_was_slowest_stays() {
        let mut hour = Hour::default();
        assert_eq!(shown(&hour, at(100, 0)), Vec::<[i64; 3]>::new());
        for (moment, commit_us) in [(at(100, 0), 7), (at(100, 59), 9), (at(101, 0), 5), (at(103, 1), 0)] {
            hour.add(moment, Column::Kept, 2);
            hour.most(moment, Column::SlowestCommitUs, commit_us);
        }
        let three = vec![[100, 4, 9], [101, 2, 5], [103, 2, 0]];
        assert_eq!(shown(&hour, at(103, 30)), three);
        assert_eq!(shown(&hour, at(159, 59)), three);
        assert_eq!(shown(&hour, at(160, 0)), three[1..], "an hour later it is gone");
    }

    #[test]
    fn channels_whose_platform_takes_nothing_are_named() {
        let channel = |name: &str, rests| Channel { name: name.to_owned(), rests, ..Channel::default() };
        let channels = vec![channel("page", true), channel("other", false), channel("space", true)];
        let text = json(Open::default(), &Hour::default(), &Kept { channels, ..Kept::default() }, Moment(0));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["rests"], "page, space");
    }

    #[test]
    fn an_hour_has_sixty_minutes_however_long_it_goes_on() {
        let mut hour = Hour::default();
        for minute in 0..1000 {
            hour.add(at(minute, 5), Column::Kept, minute.cast_unsigned() + 1);
        }
        let shown = shown(&hour, at(999, 59));
        assert_eq!(shown, (940..1000).map(|minute| [minute, minute + 1, 0]).collect::<Vec<_>>());
        assert_eq!(hour.minutes.len(), MINUTES);
    }

    #[test]
    fn a_clock_that_jumps_breaks_nothing() {
        let mut hour = Hour::default();
        hour.add(at(500, 0), Column::Kept, 1);
        hour.most(at(500, 0), Column::SlowestCommitUs, 7);
        // Back by more than an hour: what lies ahead is not shown, and not forgotten either.
        hour.add(at(400, 0), Column::Kept, 2);
        assert_eq!(shown(&hour, at(400, 1)), [[400, 2, 0]]);
        hour.add(at(500, 30), Column::Kept, 4);
        hour.most(at(500, 30), Column::SlowestCommitUs, 5);
        assert_eq!(shown(&hour, at(500, 31)), [[500, 5, 7]]);
        // Far ahead, and before 1970.
        for far in [Moment(i64::MAX), Moment(i64::MIN), Moment(-1)] {
            hour.add(far, Column::Kept, 1);
        }
        assert_eq!(shown(&hour, Moment(-1)), [[-1, 1, 0]]);
        for minute in (0..200).rev() {
            hour.add(at(minute, 0), Column::Kept, 1);
        }
        assert_eq!(shown(&hour, at(59, 0)).len(), 60);
    }

    #[test]
    fn two_counts_are_shown_as_one() {
        let (mut served, mut kept) = (Hour::default(), Kept::default());
        served.add(at(10, 0), Column::Refused, 3);
        served.most(at(10, 0), Column::SlowestAcknowledgementUs, 700);
        kept.hour.add(at(10, 0), Column::Kept, 2);
        kept.hour.add(at(11, 0), Column::Dead, 1);
        let waits = |waiting, oldest| Channel { waiting, oldest, ..Channel::default() };
        kept.channels = vec![waits(2, Some(Moment(9))), waits(0, None), waits(1, Some(Moment(7)))];
        let open = Open { connections: 4, buffered_bytes: 10, waiting_bytes: 5, now: at(11, 2), ..Open::default() };
        assert_eq!(
            json(open, &served, &kept, Moment(1)),
            "{\"now\":662000,\"began\":1,\"waiting\":3,\"oldest\":7,\"rests\":\"\",\"connections\":4,\
             \"bytes\":15,\"minutes\":[[600000,2,0,0,0,0,3,0,0,700,0],[660000,0,0,0,1,0,0,0,0,0,0]]}"
        );
    }
}
