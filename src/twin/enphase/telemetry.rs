//! The calls that answer with intervals (enphase.md §4). Intervals in which nothing was made are left out, so a list is
//! empty at night; whether Enphase leaves out each of them is unconfirmed.

use super::call::Query;
use super::refusal::{Refused, answer};
use super::settings::Meter;
use super::site::{Known, Made, Site};
use super::sun::SLOT;
use crate::limits::ENPHASE_TELEMETRY_DAYS;
use crate::model::{Moment, Response};
use serde_json::{Value, json};

const DAY: i64 = 86_400;
/// A meter's interval, in seconds.
const QUARTER: i64 = 900;

/// `GET /systems/{id}/telemetry/…`.
pub(super) fn of(site: &mut Site, what: &str, query: &Query, now: Moment) -> Result<Response, Refused> {
    let known = site.known(now);
    let granularity = query.get("granularity").unwrap_or("day");
    let (from, to) = window(site, &known, granularity, query)?;
    let mut body = json!({
        "system_id": site.system.id,
        "granularity": granularity,
        "start_at": from,
        "end_at": to.min(known.last_report).max(from),
        "items": "intervals",
    });
    let Some(members) = body.as_object_mut() else { return Err(Refused::Unavailable) };
    let (devices, intervals) = match what {
        "production_micro" => {
            members.insert("meta".to_owned(), site.meta(&known));
            (site.system.modules, micro(site, &known, from, to))
        }
        "production_meter" => {
            let intervals = quarters(site, &known, from, to).map(|(end, wh)| counted(end, wh)).collect();
            (u32::from(site.system.meter.is_some()), intervals)
        }
        _ => return Err(Refused::NoResource),
    };
    members.insert("total_devices".to_owned(), json!(devices));
    members.insert("intervals".to_owned(), json!(intervals));
    Ok(answer(200, &body))
}

/// From when to when is asked: `start_at`, or the day `start_date`, or today. With no start the short granularities
/// mean the newest interval, and a week the one that ends with today (unconfirmed).
fn window(site: &Site, known: &Known, granularity: &str, query: &Query) -> Result<(i64, i64), Refused> {
    let length = match granularity {
        "5mins" => SLOT,
        "15mins" => QUARTER,
        "day" => DAY,
        "week" => 7 * DAY,
        _ => return Err(Refused::Parameter("granularity is none of 5mins, 15mins, day and week".to_owned())),
    };
    let newest = known.last_interval_end - known.last_interval_end.rem_euclid(length);
    let (at, date) = (query.seconds("start_at")?, query.date("start_date")?);
    let (from, to) = match (at, date, granularity) {
        (Some(at), ..) => (at, at + length),
        // A day has as many hours as the system's clock gives it.
        (None, date, "day") => {
            let date = date.unwrap_or(known.today);
            (site.midnight(date), site.next_midnight(date))
        }
        (None, Some(date), _) => (site.midnight(date), site.midnight(date) + length),
        (None, None, "week") => (site.next_midnight(known.today) - length, site.next_midnight(known.today)),
        (None, None, _) => (newest - length, newest),
    };
    reachable(known, from)?;
    Ok((from, to))
}

/// Telemetry reaches back two years.
fn reachable(known: &Known, from: i64) -> Result<(), Refused> {
    let back = known.now - ENPHASE_TELEMETRY_DAYS * DAY;
    if (back..=known.now).contains(&from) { Ok(()) } else { Err(Refused::Range) }
}

/// What the inverters gave, in slots that lie whole in `from..to` and are reported.
pub(super) fn micro(site: &Site, known: &Known, from: i64, to: i64) -> Vec<Value> {
    let to = to.min(known.last_interval_end) - SLOT + 1;
    let modules = site.system.modules;
    // Now and then one is not heard.
    let heard = |made: &Made| if (made.end / SLOT) % 7 == 0 { modules.saturating_sub(1) } else { modules };
    let shown = |made: Made| {
        json!({
            "end_at": made.end,
            "devices_reporting": heard(&made),
            "powr": made.watts,
            "enwh": made.wh,
        })
    };
    site.slots(from, to).filter(|made| made.watts > 0).map(shown).collect()
}

/// What the meter counted, in whole quarters of an hour: when each ended, and how many Wh.
fn quarters(site: &Site, known: &Known, from: i64, to: i64) -> impl Iterator<Item = (i64, u64)> {
    let since = site.system.meter.as_ref().map_or(i64::MAX - DAY, |meter| meter.since.seconds());
    let from = from.max(since);
    let first = from + (QUARTER - from.rem_euclid(QUARTER)) % QUARTER;
    let to = to.min(known.last_interval_end);
    let starts = (0..).map(move |turn| first + turn * QUARTER).take_while(move |start| start + QUARTER <= to);
    let counted = |start| (start + QUARTER, site.slots(start, start + QUARTER).map(|made| made.wh).sum());
    starts.map(counted).filter(|(_, wh)| *wh > 0)
}

fn counted(end: i64, wh: u64) -> Value {
    json!({ "end_at": end, "devices_reporting": 1, "wh_del": wh })
}

/// `GET /systems/{id}/rgm_stats`: at most seven days; today unless asked.
pub(super) fn rgm_stats(site: &mut Site, query: &Query, now: Moment) -> Result<Value, Refused> {
    let known = site.known(now);
    let (from, to) = span(site, &known, query, 7 * DAY)?;
    let counts: Vec<(i64, u64)> = quarters(site, &known, from, to).collect();
    let of_meter = |meter: &Meter| {
        let shown = |(end, wh): &(i64, u64)| json!({ "channel": 1, "end_at": end, "wh_del": wh, "curr_w": 4 * wh });
        json!({
            "meter_serial_number": meter.serial,
            "envoy_serial_number": format!("1{:09}", site.system.id % 1_000_000_000),
            "intervals": counts.iter().map(shown).collect::<Vec<_>>(),
        })
    };
    Ok(json!({
        "system_id": site.system.id,
        "total_devices": u32::from(site.system.meter.is_some()),
        "meta": site.meta(&known),
        "intervals": counts.iter().map(|(end, wh)| counted(*end, *wh)).collect::<Vec<_>>(),
        "meter_intervals": site.system.meter.iter().map(of_meter).collect::<Vec<_>>(),
    }))
}

/// `start_at` and `end_at`, or today until now, and not longer than `most`.
pub(super) fn span(site: &Site, known: &Known, query: &Query, most: i64) -> Result<(i64, i64), Refused> {
    let from = query.seconds("start_at")?.unwrap_or_else(|| site.midnight(known.today));
    let to = query.seconds("end_at")?.unwrap_or_else(|| known.now.min(from + most));
    reachable(known, from)?;
    if to < from || to - from > most { Err(Refused::Range) } else { Ok((from, to)) }
}

/// `GET /systems/{id}/production_meter_readings`: where the meter stood, at its last quarter of an hour before
/// `end_at`.
pub(super) fn meter_readings(site: &mut Site, query: &Query, now: Moment) -> Result<Value, Refused> {
    let known = site.known(now);
    let at = query.seconds("end_at")?.unwrap_or(known.now).min(known.last_interval_end);
    let at = at - at.rem_euclid(QUARTER);
    let mut readings = Vec::new();
    if let Some(meter) = site.system.meter.clone().filter(|meter| meter.since.seconds() <= at) {
        let value = site.made(&known, meter.since.seconds(), at);
        readings.push(json!({ "serial_number": meter.serial, "value": value, "read_at": at }));
    }
    Ok(json!({ "system_id": site.system.id, "meter_readings": readings, "meta": site.meta(&known) }))
}
