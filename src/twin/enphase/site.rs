//! One system: its days by its own clock, what it made in them, and how much of that it has reported.
//!
//! Everything is a sum of whole Wh in slots of five minutes, so that intervals, days, months and the summary agree to
//! the last Wh. It reports every ten minutes, and what it reports can be asked for five minutes later: the newest
//! report is 5 to 15 minutes old (enphase.md §4; the exact times are unconfirmed).

use super::call::LAST_SECOND;
use super::settings::System;
use super::sun::{self, SLOT, Weather};
use crate::limits::{ENPHASE_DAYS_MAX, ENPHASE_SILENCE};
use crate::model::Moment;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

/// How far apart reports are, and how long one takes, in seconds.
const REPORTS: i64 = 600;
const REPORT_TAKES: i64 = 300;

/// A system under its sun.
pub(super) struct Site {
    pub system: System,
    seed: u64,
    /// Since when it reports nothing.
    pub silent: Option<Moment>,
    /// What was made before each day, from the day on which it began to run.
    sums: Vec<u64>,
    /// How far the newest day was added up: its number, the end of what was added, and the sum there.
    reached: (usize, i64, u64),
}

/// One slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub end: i64,
    pub watts: u32,
    pub wh: u64,
}

/// What is known of a system at a moment, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub now: i64,
    pub last_report: i64,
    /// Slots up to here are known.
    pub last_interval_end: i64,
    pub today: Date,
    /// It has reported nothing for long.
    pub silent: bool,
}

impl Site {
    pub(super) fn new(system: System, seed: u64) -> Site {
        Site { system, seed, silent: None, sums: vec![0], reached: (0, i64::MAX, 0) }
    }

    /// What is known now.
    pub(super) fn known(&self, now: Moment) -> Known {
        // A clock far beyond all roofs would make every sum endless.
        let seconds = |moment: Moment| moment.seconds().clamp(0, LAST_SECOND);
        let reports = seconds(self.silent.unwrap_or(now).min(now)) - REPORT_TAKES;
        let phase = i64::try_from(self.system.id % REPORTS.unsigned_abs()).unwrap_or_default();
        let last_report = reports - (reports - phase).rem_euclid(REPORTS);
        // A report at the end of a slot does not have that slot yet.
        let last_interval_end = last_report - 1 - (last_report - 1).rem_euclid(SLOT);
        let now = seconds(now);
        let silent = now - last_report > i64::try_from(ENPHASE_SILENCE.as_secs()).unwrap_or(i64::MAX);
        Known { now, last_report, last_interval_end, today: self.date(now), silent }
    }

    /// What it says of itself: one that is silent for long says nothing.
    pub(super) fn status(&self, known: &Known) -> &str {
        if known.silent { "comm" } else { &self.system.status }
    }

    /// What stands in `meta`. What exactly `last_energy_at` counts is unconfirmed.
    pub(super) fn meta(&self, known: &Known) -> Value {
        json!({
            "status": self.status(known),
            "last_report_at": known.last_report,
            "last_energy_at": known.last_interval_end,
            "operational_at": self.system.operational.map(Moment::seconds),
        })
    }

    /// The day of a moment, by the system's clock.
    pub(super) fn date(&self, at: i64) -> Date {
        // Fails only for a clock outside the years -9999 to 9999.
        let time = Timestamp::from_second(at).unwrap_or_default();
        time.to_zoned(self.system.zone.rule.clone()).date()
    }

    /// When a day begins by the system's clock.
    pub(super) fn midnight(&self, date: Date) -> i64 {
        let begins = date.to_zoned(self.system.zone.rule.clone());
        begins.map_or(0, |begins| begins.timestamp().as_second())
    }

    /// When the day after it begins.
    pub(super) fn next_midnight(&self, date: Date) -> i64 {
        self.midnight(date.tomorrow().unwrap_or(date))
    }

    /// The day on which it began to run; today when it has not.
    pub(super) fn first_day(&self, known: &Known) -> Date {
        self.system.operational.map_or(known.today, |moment| self.date(moment.seconds()))
    }

    /// What it made in the slots that begin in `from..to`, reported or not.
    pub(super) fn slots(&self, from: i64, to: i64) -> impl Iterator<Item = Made> {
        let operational = self.system.operational.map_or(i64::MAX, Moment::seconds);
        let first = from - from.rem_euclid(SLOT);
        let first = if first < from { first + SLOT } else { first };
        let mut day: Option<(i64, Weather)> = None;
        let starts = (0..).map(move |turn| first + turn * SLOT).take_while(move |start| *start < to);
        starts.map(move |start| {
            let weather = match day {
                Some((end, weather)) if start < end => weather,
                _ => {
                    let date = self.date(start);
                    let weather = sun::weather(&self.system, self.seed, date);
                    day = Some((self.next_midnight(date), weather));
                    weather
                }
            };
            let runs = start >= operational;
            let watts = if runs { sun::watts(&self.system, self.seed, weather, start) } else { 0 };
            Made { end: start + SLOT, watts, wh: (u64::from(watts) + 6) / 12 }
        })
    }

    /// What it made from its first day until this moment, reported or not.
    fn until(&mut self, at: i64) -> u64 {
        let Some(operational) = self.system.operational.map(Moment::seconds).filter(|begins| *begins < at) else {
            return 0;
        };
        let (first, date) = (self.date(operational), self.date(at));
        let days = first.until(date).map_or(0, |span| usize::try_from(span.get_days()).unwrap_or(0));
        let days = days.min(ENPHASE_DAYS_MAX);
        let day = |number: usize| first.saturating_add(jiff::Span::new().days(number as i64));
        while self.sums.len() <= days {
            let made = day(self.sums.len() - 1);
            let made: u64 = self.slots(self.midnight(made), self.next_midnight(made)).map(|made| made.wh).sum();
            self.sums.push(self.sums.last().copied().unwrap_or(0) + made);
        }
        let to = at - SLOT + 1;
        // Most often asked is for somewhat later on the same day.
        let (from, before) = match self.reached {
            (day, from, before) if day == days && from <= to => (from, before),
            _ => (self.midnight(date), self.sums.get(days).copied().unwrap_or(0)),
        };
        let sum = before + self.slots(from, to).map(|made| made.wh).sum::<u64>();
        if (days, to) > (self.reached.0, self.reached.1) {
            self.reached = (days, to.max(from), sum);
        }
        sum
    }

    /// What it is known to have made between two moments.
    pub(super) fn made(&mut self, known: &Known, from: i64, to: i64) -> u64 {
        let (from, to) = (from.min(known.last_interval_end), to.min(known.last_interval_end));
        self.until(to).saturating_sub(self.until(from))
    }

    /// What it is known to have made on a day: nothing as long as the day is not reported.
    pub(super) fn made_on(&mut self, known: &Known, date: Date) -> u64 {
        self.made(known, self.midnight(date), self.next_midnight(date))
    }

    /// What it is known to have made before a moment.
    pub(super) fn made_before(&mut self, known: &Known, at: i64) -> u64 {
        self.until(at.min(known.last_interval_end))
    }
}
