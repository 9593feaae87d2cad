//! When there is daylight over a system: learned from when it was seen to produce, guessed before that.
//!
//! Daylight is counted from one dawn in steps of 24 hours: the sun knows no daylight saving time. Pure.

use crate::limits::{SOLAR_SEEN_DAYS, SOLAR_SEEN_LIFE};
use crate::model::Moment;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// What is supposed of a system that was not seen yet: from 6:00 to 20:00 on its clock.
const GUESS: (i64, i64) = (6 * 60 * MINUTE_MS, 14 * 60 * MINUTE_MS);
/// How much earlier than it was seen production may begin, and how much later end. So much a day the window can grow.
const MARGIN_MS: i64 = 30 * MINUTE_MS;
/// How long before a look that was bright, and after the last one, it is believed to have been bright as well, when the
/// look beside it was dark and far away. Looks are few where calls are few; days that get shorter are followed slowly.
const TWILIGHT_MS: i64 = 60 * MINUTE_MS;
/// Looks without which a day tells little of its length, and days without which there is still the guess.
const LOOKS_MIN: u32 = 4;
const DAYS_MIN: usize = 3;
/// The shortest daylight that is believed, and the longest: beyond it there would be no night to rest in.
const LENGTH_MS: (i64, i64) = (4 * 60 * MINUTE_MS, 20 * 60 * MINUTE_MS);

/// A moment on a system's calendar.
pub(super) fn date(moment: Moment, zone: &TimeZone) -> Date {
    zone.to_datetime(timestamp(moment)).date()
}

/// The same moment for the crate that knows calendars.
pub(super) fn timestamp(moment: Moment) -> Timestamp {
    Timestamp::from_millisecond(moment.0).unwrap_or_default()
}

/// When a system was seen to produce, on the last days on which it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sun {
    days: Vec<Seen>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    day: String,
    looked: Moment,
    looks: u32,
    /// When it began to produce and when it ended, as near as it was seen.
    shone: Option<(Moment, Moment)>,
    /// The last look at which it was dark, unless it was bright since.
    dark: Option<Moment>,
}

impl Sun {
    /// Takes note that it did, or did not, produce at this moment.
    pub(super) fn see(&mut self, at: Moment, shines: bool, zone: &TimeZone) {
        let day = date(at, zone).to_string();
        if self.days.last().is_none_or(|seen| seen.day != day) {
            self.days.push(Seen { day, looked: at, looks: 0, shone: None, dark: None });
        }
        self.days.drain(..self.days.len().saturating_sub(SOLAR_SEEN_DAYS));
        let Some(seen) = self.days.last_mut() else { return };
        seen.looked = at;
        seen.looks = seen.looks.saturating_add(1);
        if shines {
            let first = seen.dark.map_or(at, |dark| at.min(Moment(dark.0 + TWILIGHT_MS)));
            seen.shone = Some((seen.shone.map_or(first, |(first, _)| first), at));
            seen.dark = None;
        } else {
            if let Some((_, last)) = seen.shone.as_mut().filter(|_| seen.dark.is_none()) {
                *last = (*last).max(Moment(at.0 - TWILIGHT_MS));
            }
            seen.dark = Some(at);
        }
    }

    /// The daylight of these days.
    pub(super) fn daylight(&self, now: Moment, zone: &TimeZone) -> Daylight {
        let guessed = guess(now, zone);
        let fresh = |seen: &&Seen| now.since(seen.looked) < SOLAR_SEEN_LIFE && seen.looks >= LOOKS_MIN;
        let shone: Vec<_> = self.days.iter().filter(fresh).filter_map(|seen| seen.shone).collect();
        if shone.len() < DAYS_MIN {
            return guessed;
        }
        // How far from the guess it began on each day, at most half a day either way.
        let early = |first: Moment| (first.0 - guessed.dawn.0 + DAY_MS / 2).rem_euclid(DAY_MS) - DAY_MS / 2;
        let dawn = shone.iter().map(|(first, _)| early(*first)).min().unwrap_or(0) - MARGIN_MS;
        let dusk = shone.iter().map(|(first, last)| early(*first) + (last.0 - first.0)).max().unwrap_or(0) + MARGIN_MS;
        let length_ms = (dusk - dawn).clamp(LENGTH_MS.0, LENGTH_MS.1);
        Daylight { dawn: Moment(guessed.dawn.0 + dawn), length_ms }
    }
}

/// Daylight by the clock.
fn guess(now: Moment, zone: &TimeZone) -> Daylight {
    let midnight = date(now, zone).to_zoned(zone.clone()).map_or(now.0, |day| day.timestamp().as_millisecond());
    Daylight { dawn: Moment(midnight + GUESS.0), length_ms: GUESS.1 }
}

/// Daylight from one dawn on, and again every 24 hours before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Daylight {
    pub(super) dawn: Moment,
    pub(super) length_ms: i64,
}

impl Daylight {
    /// The daylight at this moment, or the next: from when until when.
    pub(super) fn at_or_after(&self, now: Moment) -> (Moment, Moment) {
        let mut dawn = now.0 - (now.0 - self.dawn.0).rem_euclid(DAY_MS);
        if dawn + self.length_ms < now.0 {
            dawn += DAY_MS;
        }
        (Moment(dawn), Moment(dawn + self.length_ms))
    }

    /// Whether there is daylight.
    pub(super) fn is_at(&self, now: Moment) -> bool {
        self.at_or_after(now).0 <= now
    }

    /// When daylight last ended.
    pub(super) fn last_dusk(&self, now: Moment) -> Moment {
        let (_, dusk) = self.at_or_after(now);
        Moment(dusk.0 - DAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn pacific() -> TimeZone {
        TimeZone::get("US/Pacific").unwrap()
    }

    /// Looks from dawn to dusk of three days, every half hour.
    fn seen(first: &str, hours: i64) -> Sun {
        let mut sun = Sun::default();
        for day in 0..3 {
            for look in 0..=2 * hours {
                sun.see(Moment(at(first).0 + day * DAY_MS + look * 30 * MINUTE_MS), true, &pacific());
            }
        }
        sun
    }

    #[test]
    fn what_was_not_seen_yet_is_guessed_on_the_systems_clock() {
        let daylight = Sun::default().daylight(at("2026-11-21T18:00:00Z"), &pacific());
        assert_eq!(
            daylight.at_or_after(at("2026-11-21T18:00:00Z")),
            (at("2026-11-21T14:00:00Z"), at("2026-11-22T04:00:00Z"))
        );
        assert!(daylight.is_at(at("2026-11-22T04:00:00Z")) && !daylight.is_at(at("2026-11-22T04:00:01Z")));
        assert_eq!(daylight.at_or_after(at("2026-11-22T04:00:01Z")).0, at("2026-11-22T14:00:00Z"));
        assert_eq!(daylight.last_dusk(at("2026-11-22T05:00:00Z")), at("2026-11-22T04:00:00Z"));
        assert_eq!(daylight.last_dusk(at("2026-11-21T18:00:00Z")), at("2026-11-21T04:00:00Z"));
    }

    #[test]
    fn what_was_seen_is_believed_with_a_margin_and_no_clock_change_moves_it() {
        // 7:30 to 17:30 in summer time; the clock went back on 1 November.
        let sun = seen("2026-10-29T14:30:00Z", 10);
        for now in ["2026-10-31T20:00:00Z", "2026-11-02T20:00:00Z", "2026-11-02T02:00:00Z"] {
            let daylight = sun.daylight(at(now), &pacific());
            assert_eq!(daylight.length_ms, 11 * 60 * MINUTE_MS, "{now}");
            assert_eq!((daylight.dawn.0 - at("2026-10-29T14:00:00Z").0).rem_euclid(DAY_MS), 0, "{now}");
        }
    }

    #[test]
    fn too_little_or_too_old_is_not_believed() {
        let now = at("2026-11-01T20:00:00Z");
        let guessed = Sun::default().daylight(now, &pacific());
        assert_eq!(seen("2026-10-29T14:30:00Z", 1).daylight(now, &pacific()), guessed, "three looks a day");
        assert_eq!(seen("2026-09-29T14:30:00Z", 10).daylight(now, &pacific()), guessed, "a month ago");
        assert_ne!(seen("2026-10-29T14:30:00Z", 10).daylight(now, &pacific()), guessed);
    }

    #[test]
    fn few_looks_do_not_make_a_day_short() {
        let mut sun = Sun::default();
        for day in 0..3 {
            for (hour, bright) in [(14, false), (18, true), (20, true), (22, true), (26, false), (27, false)] {
                let at = Moment(at("2026-11-02T00:00:00Z").0 + day * DAY_MS + hour * 60 * MINUTE_MS);
                sun.see(at, bright, &pacific());
            }
        }
        // From 15:00 to 1:00 in UTC, and half an hour more on either side.
        let daylight = sun.daylight(at("2026-11-05T20:00:00Z"), &pacific());
        assert_eq!(daylight, Daylight { dawn: at("2026-11-05T14:30:00Z"), length_ms: 11 * 60 * MINUTE_MS });
    }

    #[test]
    fn only_the_last_days_are_kept_and_dark_ones_tell_nothing() {
        let mut sun = Sun::default();
        for day in 0..100 {
            for look in 0..5 {
                let at = Moment(at("2026-06-01T14:00:00Z").0 + day * DAY_MS + look * MINUTE_MS);
                sun.see(at, day < 90, &pacific());
            }
        }
        assert_eq!(sun.days.len(), SOLAR_SEEN_DAYS);
        assert!(sun.days.iter().all(|seen| seen.shone.is_none() && seen.looks == 5));
    }
}
