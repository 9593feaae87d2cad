//! How much the sun gives a roof: a function of place, time and seed, and of nothing else.
//!
//! The sun's height is that of the almanac's short formula (a hundredth of a degree, which is plenty); the panels look
//! to the equator at 30°; air takes its part. Above it the weather of the day, drawn from the seed: clear, fair, cloudy
//! or overcast, and restless in its own measure. One day of each month gives nothing: snow, or a fuse.

// The system's own would be one more library to load, for every daemon, though only a stand-in has a sun.
use super::settings::System;
use crate::twin::faults::Chance;
use jiff::civil::Date;
use libm::{atan2, cos, pow, sin};

/// The shortest interval that is told, in seconds.
pub(super) const SLOT: i64 = 300;

/// A day's weather on a roof.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Weather {
    /// What gets through, 0 to 1.
    clear: f64,
    /// How far that goes up and down from slot to slot.
    restless: f64,
}

/// A number from 0 to 1 that belongs to these.
fn share(seed: u64, system: u64, of: i64) -> f64 {
    let drawn = Chance::new(seed.rotate_left(32) ^ system.rotate_left(16) ^ of as u64).draw();
    (drawn >> 11) as f64 / (1_u64 << 53) as f64
}

/// The weather of a day.
pub(super) fn weather(system: &System, seed: u64, date: Date) -> Weather {
    let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    // Slots are numbered too; a day's number is negative, so that both draw apart.
    let number = -(year * 10_000 + month * 100 + day);
    let dark = 1 + (share(seed, system.id, -(year * 100 + month)) * 28.0) as i64;
    if day == dark {
        return Weather { clear: 0.0, restless: 0.0 };
    }
    let (kind, inside) = (share(seed, system.id, number), share(seed, system.id, number ^ i64::MIN));
    // Winters are grey, the more so the farther from the equator: 1 in midwinter.
    let turn = if system.latitude < 0.0 { 0.5 } else { 0.0 };
    let season = (f64::from(date.day_of_year()) - 5.0) / 365.25 + turn;
    let winter = 0.5 + 0.5 * cos(season * std::f64::consts::TAU);
    let grey = 0.8 * winter * (system.latitude.abs() / 60.0).min(1.0);
    let (least, most, restless) = match pow(kind, 1.0 - grey) {
        0.0..0.35 => (0.9, 1.0, 0.02),
        0.35..0.65 => (0.65, 0.9, 0.25),
        0.65..0.85 => (0.35, 0.65, 0.3),
        _ => (0.12, 0.35, 0.15),
    };
    Weather { clear: least + (most - least) * inside, restless }
}

/// The mean power in the slot that begins here, in W.
pub(super) fn watts(system: &System, seed: u64, weather: Weather, start: i64) -> u32 {
    if weather.clear == 0.0 {
        return 0;
    }
    let clear = clear_sky(system.latitude, system.longitude, start + SLOT / 2);
    let restless = 1.0 + weather.restless * (share(seed, system.id, start) - 0.5);
    // What cables and inverters leave of it.
    let watts = f64::from(system.size_w) * 0.85 * clear * weather.clear * restless;
    // Never negative, and `as` saturates.
    watts.round() as u32
}

/// What panels give under a clear sky, as a share of what they give at best; 0 while the sun is down.
fn clear_sky(latitude: f64, longitude: f64, at: i64) -> f64 {
    // Days since noon on 1 January 2000.
    let days = (at - 946_728_000) as f64 / 86_400.0;
    let anomaly = (357.529 + 0.985_600_28 * days).to_radians();
    let mean = 280.459 + 0.985_647_36 * days;
    let ecliptic = (mean + 1.915 * sin(anomaly) + 0.020 * sin(2.0 * anomaly)).to_radians();
    let tilt = 23.439_f64.to_radians();
    let ascension = atan2(cos(tilt) * sin(ecliptic), cos(ecliptic));
    let (sin_declination, sidereal) = (sin(tilt) * sin(ecliptic), 280.460_62 + 360.985_647_37 * days);
    let cos_declination = (1.0 - sin_declination * sin_declination).sqrt();
    let hour = (sidereal + longitude).rem_euclid(360.0).to_radians() - ascension;

    // The cosine between the sun and what looks straight up at this latitude.
    let facing = |latitude: f64| {
        sin(latitude.to_radians()) * sin_declination + cos(latitude.to_radians()) * cos_declination * cos(hour)
    };
    let height = facing(latitude);
    if height <= 0.0 {
        return 0.0;
    }
    let panels = facing(latitude - 30_f64.copysign(latitude)).max(0.0);
    // Meinel's rule for what a way through the air leaves of a beam; 1 when it comes from straight above.
    let beam = pow(0.7, pow(1.0 / (height + 0.02), 0.678)) / 0.7;
    (0.92 * beam * panels + 0.08 * height).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the sun is first and last up on a day, in minutes since midnight in UTC.
    fn up(latitude: f64, longitude: f64, midnight: i64) -> Option<(i64, i64)> {
        let up = |minute: &i64| clear_sky(latitude, longitude, midnight + minute * 60) > 0.0;
        Some(((0..1440).find(up)?, (0..1440).rev().find(up)?))
    }

    #[test]
    fn the_sun_rises_and_sets_when_the_almanac_says() {
        // Berlin, geometric: 21 June 2025 02:50 and 19:27, 21 December 2025 07:23 and 14:46 (UTC, the disk's middle).
        for (midnight, rise, set) in [(1_750_464_000, 170, 1167), (1_766_275_200, 443, 886)] {
            let Some((first, last)) = up(52.53, 13.38, midnight) else { unreachable!() };
            assert!((first - rise).abs() <= 8 && (last - set).abs() <= 8, "{first} {last}");
        }
        // Beyond the polar circle it is dark in December.
        assert_eq!(up(69.65, 18.96, 1_766_275_200), None);
        // South of the equator December is bright.
        let noon = |latitude| clear_sky(latitude, 0.0, 1_766_275_200 + 43_200);
        assert!(noon(-35.0) > 0.8 && noon(52.0) < 0.5 && noon(52.0) > 0.1);
    }
}
