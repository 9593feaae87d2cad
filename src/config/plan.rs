//! When something happens again and again: `every`, `at` with `on`, or `cron`, and what goes with them.
//!
//! Whoever has a plan in its table takes these keys among its own. What comes out has been checked by `queue::schedule`.

use super::findings::{Findings, Risk, quoted};
use super::length::interval;
use super::table::{Entry, Key, Table};
use crate::model::{DayTime, Plan, RunMissed, Weekday, When};
use crate::notation::nearest::nearest;
use crate::queue::schedule;
use jiff::tz::TimeZone;

pub(super) const EVERY: Key = Key { name: "every", example: "\"10m\"" };
pub(super) const AT: Key = Key { name: "at", example: "\"11:00\"" };
pub(super) const ON: Key = Key { name: "on", example: "[\"mon\", \"fri\"]" };
pub(super) const CRON: Key = Key { name: "cron", example: "\"0 11 * * 1-5\"" };
pub(super) const ZONE: Key = Key { name: "zone", example: "\"Europe/Berlin\"" };
pub(super) const RUN_MISSED: Key = Key { name: "run_missed", example: "\"latest\"" };
pub(super) const SPREAD: Key = Key { name: "spread", example: "\"10m\"" };

/// The plan of a table that has these keys; each is looked at, so that all faults are told.
pub(super) fn plan(table: &Table<'_>, findings: &mut Findings<'_>) -> Option<Plan> {
    let forms = [EVERY.name, AT.name, CRON.name];
    let given: Vec<_> = forms.iter().filter_map(|name| table.get(name, findings)).collect();
    let form = given.first();
    if form.is_none() && forms.iter().all(|name| table.lacks(name)) {
        let what = "does not say when; write every = \"10m\", at = \"11:00\" or cron = \"0 11 * * 1-5\"";
        findings.fault(&table.place, what);
    }
    for other in given.iter().skip(1) {
        let first = form.map_or("", |form| form.name);
        findings.fault(&other.place, format!("there is {first} already, and a plan has one of them; take one away"));
    }
    let days = match table.get(ON.name, findings) {
        Some(entry) if table.lacks(AT.name) => {
            findings.fault(&entry.place, "goes with at; write for example at = \"11:00\", or leave it out");
            None
        }
        Some(entry) => listed(&entry, day, findings),
        None => Some(Vec::new()),
    };
    let when = form.and_then(|form| when(form, days, findings));
    let zone = zone(table, form, findings);
    let run_missed = match table.get(RUN_MISSED.name, findings) {
        Some(entry) => run_missed(&entry, findings),
        None => Some(RunMissed::default()),
    };
    let spread = table.get(SPREAD.name, findings);
    let spread_s = match &spread {
        Some(entry) => seconds(entry, findings),
        None => Some(0),
    };
    let plan = Plan { when: when?, zone: zone?, run_missed: run_missed?, spread_s: 0 };
    let plan = sound(plan, form, findings)?;
    sound(Plan { spread_s: spread_s?, ..plan }, spread.as_ref().or(form), findings)
}

/// The plan, when the schedule finds nothing wrong with it.
fn sound(plan: Plan, to_blame: Option<&Entry<'_>>, findings: &mut Findings<'_>) -> Option<Plan> {
    match schedule::check(&plan) {
        Ok(()) => Some(plan),
        Err(what) => {
            findings.fault(&to_blame?.place, what);
            None
        }
    }
}

/// The times that one of the three keys says.
fn when(form: &Entry<'_>, days: Option<Vec<Weekday>>, findings: &mut Findings<'_>) -> Option<When> {
    if form.name == EVERY.name {
        return seconds(form, findings).map(|seconds| When::Every { seconds });
    }
    if form.name == CRON.name {
        return form.text(findings).map(|pattern| When::Cron { pattern: pattern.to_owned() });
    }
    let times = listed(form, time, findings);
    Some(When::daily(&times?, &days?))
}

/// One value or a list of them, each once.
fn listed<T: PartialEq>(
    entry: &Entry<'_>,
    read: fn(&str) -> Result<T, String>,
    findings: &mut Findings<'_>,
) -> Option<Vec<T>> {
    let members = entry.one_or_list(findings);
    let count = members.len();
    if members.is_empty() {
        findings.fault(&entry.place, format!("is an empty list; write {}", entry.example));
        return None;
    }
    let mut values = Vec::new();
    for member in members {
        let Some(text) = member.text(findings) else { continue };
        match read(text) {
            Ok(value) if values.contains(&value) => {
                findings.fault(&member.place, format!("{} is listed twice; take one away", quoted(text)));
            }
            Ok(value) => values.push(value),
            Err(what) => findings.fault(&member.place, what),
        }
    }
    Some(values).filter(|values| values.len() == count)
}

fn time(text: &str) -> Result<DayTime, String> {
    DayTime::parse(text)
        .ok_or_else(|| format!("{} is no time of day; write for example \"11:00\" or \"23:30\"", quoted(text)))
}

pub(super) fn day(text: &str) -> Result<Weekday, String> {
    let names = Weekday::ALL.map(|day| format!("{:?}", day.name())).join(", ");
    Weekday::parse(text).ok_or_else(|| format!("{} is no day of the week; they are {names}", quoted(text)))
}

/// A length of time in whole seconds, minutes or hours.
fn seconds(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<u32> {
    let text = entry.text(findings)?;
    let seconds = interval(text).and_then(|time| u32::try_from(time.as_secs()).ok());
    if seconds.is_none() {
        let what = format!("{} is no length of time; write for example \"90s\", \"10m\" or \"2h\"", quoted(text));
        findings.fault(&entry.place, what);
    }
    seconds
}

/// The zone by its usual name. What happens every so often needs none.
fn zone(table: &Table<'_>, form: Option<&Entry<'_>>, findings: &mut Findings<'_>) -> Option<String> {
    if table.get(ZONE.name, findings).is_none() && form.is_none_or(|form| form.name == EVERY.name) {
        return Some("UTC".to_owned());
    }
    zone_or_system(table, findings)
}

/// The zone by its usual name; where none is written, the system's.
pub(super) fn zone_or_system(table: &Table<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let Some(entry) = table.get(ZONE.name, findings) else {
        let (zone, warning) = zone_of_system(TimeZone::try_system().ok().as_ref().and_then(TimeZone::iana_name));
        if let Some(warning) = warning {
            findings.warn(Risk::Odd, &table.place.inner(ZONE.name, table.place.line), warning);
        }
        return Some(zone);
    };
    let text = entry.text(findings)?;
    match schedule::zone(text) {
        Ok(zone) => Some(zone.iana_name().unwrap_or(text).to_owned()),
        Err(what) => {
            findings.fault(&entry.place, what);
            None
        }
    }
}

/// The zone where none is written, and what to warn of.
fn zone_of_system(name: Option<&str>) -> (String, Option<&'static str>) {
    match name.filter(|name| *name != "Etc/Unknown") {
        Some(name) => (name.to_owned(), None),
        None => {
            let warning = "is not written, and this system names none, so it is UTC; write for example zone = \
                           \"Europe/Berlin\"";
            ("UTC".to_owned(), Some(warning))
        }
    }
}

fn run_missed(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<RunMissed> {
    let text = entry.text(findings)?;
    match text {
        "latest" => return Some(RunMissed::Latest),
        "none" => return Some(RunMissed::None),
        _ => {}
    }
    let near = nearest(text, ["latest", "none"]);
    let hint = near.map_or_else(String::new, |near| format!("did you mean {near:?}? "));
    let what = format!(
        "there is no {}; {hint}\"latest\" makes up for the latest time that was missed, \"none\" for none",
        quoted(text)
    );
    findings.fault(&entry.place, what);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_names_no_zone_has_utc_and_a_warning() {
        assert_eq!(zone_of_system(Some("Europe/Berlin")), ("Europe/Berlin".to_owned(), None));
        for name in [None, Some("Etc/Unknown")] {
            let (zone, warning) = zone_of_system(name);
            assert!(zone == "UTC" && warning.is_some_and(|warning| warning.contains("write for example zone =")));
        }
    }
}
