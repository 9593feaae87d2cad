//! The calls of v2 that recorded data is of (enphase.md §2). The service ended on 30 June 2024, and this one answers
//! in its shapes as if it had not.

use super::call::Query;
use super::refusal::{Refused, answer};
use super::site::Site;
use super::{telemetry, v4};
use crate::model::{Moment, Response};
use serde_json::{Value, json};

/// `GET /systems/{id}/…`.
pub(super) fn of(site: &mut Site, what: &str, query: &Query, now: Moment) -> Result<Response, Refused> {
    let body = match what {
        "summary" => v4::summary_of_v2(site, query, now)?,
        "energy_lifetime" => v4::energy_lifetime(site, query, now)?,
        "stats" => stats(site, query, now)?,
        _ => return Err(Refused::NoResource),
    };
    Ok(answer(200, &body))
}

/// Intervals of at most one day; today unless asked.
fn stats(site: &mut Site, query: &Query, now: Moment) -> Result<Value, Refused> {
    let known = site.known(now);
    let (from, to) = telemetry::span(site, &known, query, 86_400)?;
    Ok(json!({
        "system_id": site.system.id,
        "total_devices": site.system.modules,
        "intervals": telemetry::micro(site, &known, from, to),
        "meta": site.meta(&known),
    }))
}
