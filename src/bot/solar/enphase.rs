//! What Enphase is asked and what its answers say: paths out, readings in. Versions 4 and 2 of its interface differ in
//! paths and errors only (enphase.md §2, §4).
//!
//! It reads leniently: a number may come as text, what is missing, null or below zero is unknown, and nothing unknown
//! is ever zero. Never here: what is kept, words for people.

use crate::bot::figures::{unsigned, whole};
use crate::limits::{
    SOLAR_ANSWER_BYTES_MAX, SOLAR_DAYS_MAX, SOLAR_FIGURE_MAX, SOLAR_NAME_CHARS_MAX, SOLAR_PAGE_SYSTEMS,
    SOLAR_REFUSED_REST,
};
use crate::model::{Answer, Lesson, Moment, Period};
use crate::notation::percent;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Which version of the interface the upstream speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    V4,
    /// Switched off in 2024; for recorded data. Each call names the systems' owner.
    V2 {
        user_id: String,
    },
}

impl Shape {
    /// All systems that we may see, so many a page, from page 1.
    pub(super) fn systems(&self, page: u32) -> String {
        self.path(format!("/systems?page={page}&size={SOLAR_PAGE_SYSTEMS}"))
    }

    /// What a system does now.
    pub(super) fn summary(&self, system: u64) -> String {
        self.path(format!("/systems/{system}/summary"))
    }

    /// What it produced on each of these days, both included.
    pub(super) fn days(&self, system: u64, from: Date, to: Date) -> String {
        self.path(format!("/systems/{system}/energy_lifetime?start_date={from}&end_date={to}"))
    }

    fn path(&self, path: String) -> String {
        match self {
            Shape::V4 => path,
            Shape::V2 { user_id } => {
                let sign = if path.contains('?') { '&' } else { '?' };
                format!("{path}{sign}user_id={}", percent(user_id))
            }
        }
    }
}

/// One system out of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) id: u64,
    pub(super) name: String,
    /// By its name in the IANA database, in whose days it counts.
    pub(super) zone: String,
}

/// What a system did at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Summary {
    /// When we were told.
    pub(super) at: Moment,
    /// The day that `today_wh` counts, on the system's calendar.
    pub(super) date: Option<String>,
    pub(super) today_wh: Option<u64>,
    pub(super) power_w: Option<u64>,
    /// All days before `date`.
    pub(super) before_wh: Option<u64>,
    /// When the system last told Enphase anything.
    pub(super) reported: Option<Moment>,
    pub(super) status: Option<String>,
}

/// What was produced day by day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Days {
    /// The day of the first entry. Later than asked when the system began later.
    pub(super) start: Option<Date>,
    /// Zeros at the end are gone: they mean that nothing was reported yet (enphase.md §4).
    pub(super) wh: Vec<Option<u64>>,
}

/// Why there is no reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The budget has nothing left before this.
    NotBefore(Moment),
    /// No answer, or none that can be read.
    Silent,
    /// Our papers are refused.
    LoggedOut,
    /// The papers are good, but not for this system.
    Forbidden,
    /// There is no such system.
    Unknown,
    /// It would not have what was asked, and why.
    Refused(String),
}

/// The JSON of a good answer; of any other what is the trouble, and what it teaches about limits.
pub(super) fn judge(answer: &Answer, now: Moment) -> Result<Value, (Trouble, Option<Lesson>)> {
    let body = Some(&answer.body).filter(|body| body.len() <= SOLAR_ANSWER_BYTES_MAX);
    let body = body.and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let trouble = match answer.status {
        200..=299 => return body.filter(Value::is_object).ok_or((Trouble::Silent, None)),
        401 => Trouble::LoggedOut,
        403 => Trouble::Forbidden,
        404 => Trouble::Unknown,
        // Version 2 said 409 (enphase.md §2).
        409 | 429 => {
            let lesson = lesson(&body.unwrap_or_default(), now);
            return Err((Trouble::NotBefore(lesson.until.unwrap_or(now)), Some(lesson)));
        }
        400..=499 | 501 => Trouble::Refused(reason(&body.unwrap_or_default())),
        _ => Trouble::Silent,
    };
    Err((trouble, None))
}

/// What a limit that was reached says of itself. Some answers leave the period out; then a minute's rest will show.
fn lesson(body: &Value, now: Moment) -> Lesson {
    let named = body.get("period").and_then(Value::as_str);
    let per = Period::ALL.into_iter().find(|per| named == Some(per.word()));
    let longest = match per {
        Some(Period::Day) => Duration::from_secs(24 * 3600),
        Some(Period::Month) => Duration::from_secs(31 * 24 * 3600),
        _ => SOLAR_REFUSED_REST,
    };
    // A period that is over, or longer than it may be, is a clock that is wrong.
    let end = moment(body, "period_end").filter(|end| *end > now && *end <= now.after(longest));
    Lesson {
        per,
        of: whole(body.get("limit")).and_then(|limit| u32::try_from(limit).ok()).filter(|limit| *limit > 0),
        left: per.map(|_| 0),
        until: Some(end.unwrap_or(now.after(SOLAR_REFUSED_REST))),
    }
}

/// What an error says, in whichever of its three shapes (enphase.md §5).
fn reason(body: &Value) -> String {
    let text = |key: &str| match body.get(key) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(texts)) => texts.first().and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let keys = ["details", "errorMessages", "error_description", "message"];
    keys.into_iter().find_map(text).map_or_else(|| "it does not say why".to_owned(), |text| short(&text))
}

/// The systems of one page of the list, and how many there are on all pages.
pub(super) fn systems(body: &Value) -> Option<(Vec<Listed>, u64)> {
    let list = body.get("systems")?.as_array()?;
    let listed = |system: &Value| {
        let id = unsigned(system.get("system_id"))?;
        let text = |key| system.get(key).and_then(Value::as_str).map(short).filter(|text| !text.is_empty());
        let name = text("name").or_else(|| text("system_name")).or_else(|| text("public_name"));
        let name = name.or_else(|| text("system_public_name")).unwrap_or_else(|| format!("System {id}"));
        Some(Listed { id, name, zone: text("timezone").unwrap_or_else(|| "UTC".to_owned()) })
    };
    let listed: Vec<_> = list.iter().take(SOLAR_PAGE_SYSTEMS).filter_map(listed).collect();
    let total = unsigned(body.get("total")).unwrap_or(list.len() as u64);
    Some((listed, total))
}

/// What a summary says; `None` when it is of another system, or none.
pub(super) fn summary(body: &Value, system: u64, now: Moment) -> Option<Summary> {
    let other = unsigned(body.get("system_id")).is_some_and(|id| id != system);
    let known = ["energy_today", "current_power", "summary_date"].iter().any(|key| body.get(key).is_some());
    if other || !known {
        return None;
    }
    let date = body.get("summary_date").and_then(Value::as_str).and_then(|date| date.parse::<Date>().ok());
    Some(Summary {
        at: now,
        // As we write it: much longer texts are dates, too.
        date: date.map(|date| date.to_string()),
        today_wh: figure(body.get("energy_today")),
        power_w: figure(body.get("current_power")),
        before_wh: figure(body.get("energy_lifetime")),
        // A report out of the future is a clock that is wrong.
        reported: moment(body, "last_report_at").map(|reported| reported.min(now)),
        status: body.get("status").and_then(Value::as_str).map(short),
    })
}

/// What the list of days says; `None` when there is none.
pub(super) fn days(body: &Value, system: u64) -> Option<Days> {
    if unsigned(body.get("system_id")).is_some_and(|id| id != system) {
        return None;
    }
    let list = body.get("production")?.as_array()?;
    let mut wh: Vec<_> = list.iter().take(SOLAR_DAYS_MAX).map(|day| figure(Some(day))).collect();
    while let Some(None | Some(0)) = wh.last() {
        wh.pop();
    }
    Some(Days { start: body.get("start_date").and_then(Value::as_str).and_then(|date| date.parse().ok()), wh })
}

/// Watts or Wh. More than any roof makes is a fault of theirs, and unknown.
fn figure(value: Option<&Value>) -> Option<u64> {
    unsigned(value).filter(|figure| *figure <= SOLAR_FIGURE_MAX)
}

/// Seconds since the epoch. Zero is no time.
fn moment(body: &Value, key: &str) -> Option<Moment> {
    let seconds = whole(body.get(key)).filter(|seconds| *seconds > 0)?;
    seconds.checked_mul(1000).map(Moment)
}

/// Words of theirs on one line of ours.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|sign| !sign.is_control()).take(SOLAR_NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const NOW: Moment = Moment(1_763_712_030_000);

    fn sample(name: &str) -> Vec<u8> {
        fs::read(format!("{}/tests/fixtures/enphase/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn good(name: &str) -> Value {
        judge(&Answer { status: 200, headers: Vec::new(), body: sample(name) }, NOW).unwrap()
    }

    fn bad(status: u16, body: &[u8]) -> (Trouble, Option<Lesson>) {
        judge(&Answer { status, headers: Vec::new(), body: body.to_vec() }, NOW).unwrap_err()
    }

    fn date(text: &str) -> Option<Date> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn each_question_has_its_path_in_both_versions() {
        let (from, to) = (date("2026-06-01").unwrap(), date("2026-06-30").unwrap());
        let v2 = Shape::V2 { user_id: "4d6a51330a\n".to_owned() };
        let days = "/systems/67/energy_lifetime?start_date=2026-06-01&end_date=2026-06-30";
        assert_eq!(Shape::V4.summary(67), "/systems/67/summary");
        assert_eq!(v2.summary(67), "/systems/67/summary?user_id=4d6a51330a%0A");
        assert_eq!(Shape::V4.days(67, from, to), days);
        assert_eq!(v2.days(67, from, to), format!("{days}&user_id=4d6a51330a%0A"));
        assert_eq!(Shape::V4.systems(2), "/systems?page=2&size=100");
    }

    #[test]
    fn a_summary_is_read_in_all_its_samples() {
        let reading = Summary {
            at: NOW,
            date: Some("2025-11-21".to_owned()),
            today_wh: Some(14_210),
            power_w: Some(3120),
            before_wh: Some(67_890_123),
            reported: Some(Moment(1_763_712_000_000)),
            status: Some("normal".to_owned()),
        };
        assert_eq!(summary(&good("v4_summary"), 698_910_067, NOW), Some(reading.clone()));
        assert_eq!(summary(&good("v2_summary"), 67, NOW), Some(reading));
        let past = summary(&good("v4_summary_past_day"), 698_910_067, NOW).unwrap();
        assert_eq!((past.date.as_deref(), past.today_wh), (Some("2025-11-20"), Some(13_370)));
        let battery = summary(&good("v4_summary_with_battery"), 698_910_067, NOW).unwrap();
        assert_eq!((battery.today_wh, battery.reported), (Some(0), Some(Moment(1_557_400_231_000))));
    }

    #[test]
    fn what_is_missing_null_or_below_zero_is_unknown_and_never_zero() {
        let body =
            serde_json::json!({"energy_today": -1, "current_power": null, "energy_lifetime": "", "last_report_at": 0});
        assert_eq!(summary(&body, 67, NOW), Some(Summary { at: NOW, ..Summary::default() }));
        let body = serde_json::json!({"energy_today": "9870", "current_power": 12.9, "last_report_at": 9e12});
        let reading = summary(&body, 67, NOW).unwrap();
        assert_eq!((reading.today_wh, reading.power_w, reading.reported), (Some(9870), Some(12), Some(NOW)));
        for absurd in [serde_json::json!(1e308), serde_json::json!(u64::MAX), serde_json::json!("9000000000000000")] {
            let body = serde_json::json!({"energy_today": absurd, "current_power": absurd, "energy_lifetime": absurd});
            assert_eq!(summary(&body, 67, NOW), Some(Summary { at: NOW, ..Summary::default() }), "{absurd}");
            let body = serde_json::json!({"start_date": "2026-01-01", "production": [1, absurd, 5]});
            assert_eq!(days(&body, 67).unwrap().wh, [Some(1), None, Some(5)], "{absurd}");
        }
        assert_eq!(summary(&serde_json::json!({}), 67, NOW), None);
        assert_eq!(summary(&good("v4_summary"), 67, NOW), None, "another system's");
    }

    #[test]
    fn a_date_is_kept_as_a_date_however_much_is_written_beside_it() {
        for written in ["2026-11-20T10:00:00", "20261120", &format!("2026-11-20{}", "[u-ca=iso8601]".repeat(5_000))] {
            let body = serde_json::json!({"summary_date": written});
            assert_eq!(summary(&body, 67, NOW).unwrap().date.as_deref(), Some("2026-11-20"));
        }
    }

    #[test]
    fn an_answer_that_would_take_much_memory_is_not_read() {
        let of = |bytes: usize| format!("{{\"a\": [{}0]}}", "0,".repeat(bytes / 2 - 7)).into_bytes();
        let read = |body| judge(&Answer { status: 200, headers: Vec::new(), body }, NOW).map(drop);
        assert_eq!(read(of(SOLAR_ANSWER_BYTES_MAX)), Ok(()));
        assert_eq!(read(of(SOLAR_ANSWER_BYTES_MAX + 16)), Err((Trouble::Silent, None)));
    }

    #[test]
    fn days_begin_where_the_answer_says_and_end_with_the_last_report() {
        let wh = |name: &str, system| {
            let days = days(&good(name), system).unwrap();
            let total: u64 = days.wh.iter().flatten().sum();
            (days.start, days.wh.len(), total)
        };
        assert_eq!(wh("v4_energy_lifetime_week", 698_910_067), (date("2025-11-14"), 7, 71_920));
        assert_eq!(wh("v2_energy_lifetime", 67), (date("2025-11-14"), 7, 71_920));
        assert_eq!(wh("v4_energy_lifetime_month", 698_910_067), (date("2025-10-01"), 31, 444_335));
        assert_eq!(wh("v4_energy_lifetime_all", 66), (date("2013-01-01"), 6, 103_464));
        assert_eq!(wh("v4_energy_lifetime_trailing_zeros", 698_910_067), (date("2025-11-16"), 2, 5879));
        let body = serde_json::json!({"start_date": "2026-01-01", "production": [1, null, 0, -1, "5", 0, null]});
        assert_eq!(days(&body, 67).unwrap().wh, [Some(1), None, Some(0), None, Some(5)]);
        for name in
            ["v4_production_meter", "v4_production_micro", "v4_rgm_stats", "v4_production_meter_readings", "v2_stats"]
        {
            assert_eq!(days(&good(name), 698_910_067), None, "{name}");
        }
    }

    #[test]
    fn a_list_of_systems_tells_names_and_zones() {
        let roof = Listed { id: 698_910_067, name: "Roof".to_owned(), zone: "US/Pacific".to_owned() };
        assert_eq!(systems(&good("v4_systems")), Some((vec![roof], 1)));
        let body = serde_json::json!({"systems": [{"system_id": "5", "name": " a\n b "}, {"name": "none"}, 7]});
        let bare = Listed { id: 5, name: "a b".to_owned(), zone: "UTC".to_owned() };
        assert_eq!(systems(&body), Some((vec![bare], 3)));
        assert_eq!(systems(&good("v4_token")), None);
    }

    #[test]
    fn every_error_has_its_trouble() {
        let minute = Moment(1_763_712_090_000);
        let refused = |why: &str| Trouble::Refused(why.to_owned());
        for (name, status, expected) in [
            ("v4_error_401", 401, Trouble::LoggedOut),
            ("v2_error_401", 401, Trouble::LoggedOut),
            ("v4_error_403", 403, Trouble::Forbidden),
            ("v4_error_404", 404, Trouble::Unknown),
            ("v4_error_405", 405, refused("Method not allowed")),
            ("v4_error_422", 422, refused("Requested date range is invalid for this system")),
            ("v2_error_422", 422, refused("Requested date range is invalid for this system")),
            ("v4_token_error", 400, refused("Invalid refresh token")),
            ("v4_error_429_minute", 429, Trouble::NotBefore(Moment(1_763_712_060_000))),
            ("v4_error_429_month", 429, Trouble::NotBefore(Moment(1_764_547_200_000))),
            ("v4_error_429_short", 429, Trouble::NotBefore(minute)),
            ("v2_error_409", 409, Trouble::NotBefore(minute)),
            ("v4_error_500_rgm", 500, Trouble::Silent),
        ] {
            assert_eq!(bad(status, &sample(name)).0, expected, "{name}");
        }
        let html = b"<html><h1>502 Bad Gateway</h1></html>";
        for status in [200, 302, 500, 502, 503] {
            assert_eq!(bad(status, html), (Trouble::Silent, None), "{status}");
        }
        assert_eq!(bad(422, html).0, refused("it does not say why"));
        assert_eq!(bad(200, b"[]"), (Trouble::Silent, None));
    }

    #[test]
    fn a_limit_that_was_reached_teaches_what_it_says() {
        let lesson = |body: &[u8]| bad(429, body).1.unwrap();
        let month =
            Lesson { per: Some(Period::Month), of: Some(1000), left: Some(0), until: Some(Moment(1_764_547_200_000)) };
        assert_eq!(lesson(&sample("v4_error_429_month")), month);
        let minute = lesson(&sample("v4_error_429_minute"));
        assert_eq!((minute.per, minute.of, minute.left), (Some(Period::Minute), Some(10), Some(0)));
        let rest = Some(NOW.after(SOLAR_REFUSED_REST));
        let short = Lesson { until: rest, ..Lesson::default() };
        assert_eq!(lesson(&sample("v4_error_429_short")), short);
        assert_eq!(lesson(b"<html>"), short);
        for wrong in ["1763712000", "4102444800", "-5", "null"] {
            let body = format!("{{\"period\": \"minute\", \"period_end\": {wrong}}}");
            assert_eq!(lesson(body.as_bytes()).until, rest, "{wrong}");
        }
    }
}
