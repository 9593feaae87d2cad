//! The calls of v4 that answer with days (enphase.md §4); those with intervals are in `telemetry.rs`.
//!
//! What is not documented is strict here, so that a caller who reckons in another zone than the system's is found out:
//! a day that has not begun there is refused with 422, and so is one before the system's first as `summary_date`.

use super::call::Query;
use super::refusal::{Refused, answer};
use super::settings::Owner;
use super::site::{Known, Site};
use super::sun::SLOT;
use super::telemetry;
use crate::limits::{ENPHASE_LIST_DEFAULT, ENPHASE_LIST_MAX};
use crate::model::{Moment, Response};
use crate::notation::order::in_order;
use crate::twin::faults::Chance;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

/// `GET /systems`: those of the owner, a page of them.
pub(super) fn systems(sites: &mut [Site], owner: &Owner, query: &Query, now: Moment) -> Result<Response, Refused> {
    let own: Vec<&Site> = sites.iter().filter(|site| site.system.owner == owner.id).collect();
    let mut own = in_order(own, |one, other| one.system.id > other.system.id);
    match query.get("sort_by") {
        None | Some("id") => {}
        Some("-id") => own.reverse(),
        Some(_) => return Err(Refused::Parameter("sort_by is neither id nor -id".to_owned())),
    }
    let page = query.count("page", 1, usize::MAX)?;
    let size = query.count("size", ENPHASE_LIST_DEFAULT, ENPHASE_LIST_MAX)?;
    let (total, before) = (own.len(), (page - 1).saturating_mul(size));
    let shown: Vec<Value> = own.into_iter().skip(before).take(size).map(|site| listed(site, now)).collect();
    Ok(answer(
        200,
        &json!({
            "total": total,
            "current_page": page,
            "size": size,
            "count": shown.len(),
            "items": "systems",
            "systems": shown,
        }),
    ))
}

fn listed(site: &Site, now: Moment) -> Value {
    let (system, known) = (&site.system, site.known(now));
    let address = &system.address;
    json!({
        "system_id": system.id,
        "name": system.name,
        "public_name": "Residential System",
        "timezone": system.zone.name,
        "address": {
            "city": address.city,
            "state": address.state,
            "country": address.country,
            "postal_code": address.postal_code,
        },
        "connection_type": "ethernet",
        // Always so since 3 July 2023.
        "energy_lifetime": -1,
        "energy_today": -1,
        "system_size": -1,
        "status": site.status(&known),
        "last_report_at": known.last_report,
        "last_energy_at": known.last_interval_end,
        "operational_at": system.operational.map(Moment::seconds),
        "attachment_type": null,
        "interconnect_date": null,
    })
}

/// `GET /systems/{id}/…`.
pub(super) fn of(site: &mut Site, what: &str, query: &Query, now: Moment) -> Result<Response, Refused> {
    let body = match what {
        "summary" => summary(site, query, now)?,
        "energy_lifetime" => energy_lifetime(site, query, now)?,
        "consumption_lifetime" => consumption_lifetime(site, query, now)?,
        "rgm_stats" => telemetry::rgm_stats(site, query, now)?,
        "production_meter_readings" => telemetry::meter_readings(site, query, now)?,
        _ => return Err(Refused::NoResource),
    };
    Ok(answer(200, &body))
}

fn summary(site: &mut Site, query: &Query, now: Moment) -> Result<Value, Refused> {
    let past = query.date("summary_date")?.is_some_and(|date| date < site.known(now).today);
    let mut body = summary_of_v2(site, query, now)?;
    let system = &site.system;
    let battery = system.battery;
    let mut more = Map::new();
    if past {
        more.extend([("modules".to_owned(), json!(0)), ("size_w".to_owned(), json!(0))]);
    }
    more.insert("nmi".to_owned(), json!(system.nmi));
    more.insert("battery_charge_w".to_owned(), json!(battery.map_or(0, |battery| battery.charge_w)));
    more.insert("battery_discharge_w".to_owned(), json!(battery.map_or(0, |battery| battery.discharge_w)));
    more.insert("battery_capacity_wh".to_owned(), json!(battery.map_or(0, |battery| battery.capacity_wh)));
    if let Some(serial) = &system.charger {
        let charger = json!({ serial.as_str(): { "evse_max_charge_w": 7360, "evse_min_charge_w": 1380 } });
        more.insert("evse_power".to_owned(), json!([charger]));
    }
    if let Some(members) = body.as_object_mut() {
        members.extend(more);
    }
    Ok(body)
}

/// What v2 tells of a day, too.
pub(super) fn summary_of_v2(site: &mut Site, query: &Query, now: Moment) -> Result<Value, Refused> {
    let known = site.known(now);
    let date = query.date("summary_date")?.unwrap_or(known.today);
    if date > known.today || date < site.first_day(&known) {
        return Err(Refused::Range);
    }
    let (begins, ends) = (site.midnight(date), site.next_midnight(date));
    let (made, before) = (site.made_on(&known, date), site.made_before(&known, begins));
    // What it gave when it was heard last; after a long silence nobody knows, which is told as 0 (unconfirmed).
    let newest = || site.slots(known.last_interval_end - SLOT, known.last_interval_end).next();
    let current = date == known.today && !known.silent;
    let system = &site.system;
    Ok(json!({
        "system_id": system.id,
        "modules": system.modules,
        "size_w": system.size_w,
        "current_power": if current { newest().map_or(0, |made| made.watts) } else { 0 },
        "energy_today": made,
        "energy_lifetime": before,
        "summary_date": date.to_string(),
        "source": if system.meter.is_some() { "meter" } else { "microinverters" },
        "status": site.status(&known),
        "operational_at": system.operational.map(Moment::seconds),
        "last_report_at": known.last_report,
        "last_interval_end_at": known.last_interval_end.min(ends),
    }))
}

/// The days from `start_date` to `end_date`. They begin with the day on which the system began to run, whatever was
/// asked, and end yesterday unless asked otherwise; who begins today gets today.
fn days(site: &Site, known: &Known, query: &Query) -> Result<Vec<Date>, Refused> {
    let first = site.first_day(known);
    let asked = query.date("start_date")?.unwrap_or(first);
    let yesterday = known.today.yesterday().unwrap_or(known.today);
    let usual = if asked.max(first) == known.today { known.today } else { yesterday };
    let end = query.date("end_date")?.unwrap_or(usual);
    let start = asked.max(first);
    if asked > end || start > end || end > known.today {
        return Err(Refused::Range);
    }
    Ok(start.series(1.day()).take_while(|date| *date <= end).collect())
}

/// What v2 answers, too, but for `production=all`.
pub(super) fn energy_lifetime(site: &mut Site, query: &Query, now: Moment) -> Result<Value, Refused> {
    let all = match query.get("production") {
        None => false,
        Some("all") => true,
        Some(_) => return Err(Refused::Parameter("production is not \"all\"".to_owned())),
    };
    let known = site.known(now);
    let days = days(site, &known, query)?;
    let production: Vec<u64> = days.iter().map(|date| site.made_on(&known, *date)).collect();
    let mut body = lifetime(site, &known, &days);
    let since = site.system.meter.as_ref().map(|meter| site.date(meter.since.seconds()));
    if let Some(since) = since {
        body.insert("meter_start_date".to_owned(), json!(since.to_string()));
    }
    if all {
        // The meter is what counts once it is there; the inverters' own measure is a little too good.
        let metered = |date: &Date| since.is_some_and(|since| since < *date);
        let both = || days.iter().zip(&production);
        let micro = both().map(|(date, made)| if metered(date) { made + made / 2000 } else { *made });
        body.insert("micro_production".to_owned(), micro.collect());
        let meter = both().map(|(date, made)| match since {
            Some(since) if since == *date => made / 2,
            _ if metered(date) => *made,
            _ => 0,
        });
        body.insert("meter_production".to_owned(), meter.collect());
    }
    body.insert("production".to_owned(), json!(production));
    Ok(Value::Object(body))
}

/// What the house uses: some 10 kWh a day, as far as it is reported.
fn consumption_lifetime(site: &mut Site, query: &Query, now: Moment) -> Result<Value, Refused> {
    let known = site.known(now);
    let days = days(site, &known, query)?;
    let used = |date: &Date| {
        let (begins, ends) = (site.midnight(*date), site.next_midnight(*date));
        let whole = 6000 + Chance::new(site.system.id ^ begins.unsigned_abs()).draw() % 8000;
        let reported = (known.last_interval_end.min(ends) - begins).max(0).unsigned_abs();
        whole * reported / (ends - begins).max(1).unsigned_abs()
    };
    let consumption: Vec<u64> = days.iter().map(used).collect();
    let mut body = lifetime(site, &known, &days);
    body.insert("consumption".to_owned(), json!(consumption));
    Ok(Value::Object(body))
}

/// What frames a list of days.
fn lifetime(site: &Site, known: &Known, days: &[Date]) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("system_id".to_owned(), json!(site.system.id));
    body.insert("start_date".to_owned(), json!(days.first().map(Date::to_string)));
    body.insert("meta".to_owned(), site.meta(known));
    body
}
