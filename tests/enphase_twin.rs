//! The Enphase twin against the samples, against its own rules, under its sun, and over a real socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

#[path = "shared/head.rs"]
mod head;

use ackd::model::{Limit, Method, Moment, Period, Request, Response, Secret};
use ackd::twin::enphase::{Battery, Enphase, Settings, System};
use ackd::twin::{Deed, House, Mishap, Plan, Server, Twin};
use head::head;
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// 21 November 2025, 08:00 in UTC: midnight in Los Angeles.
const MIDNIGHT: Moment = Moment(1_763_712_000_000);
/// Three in the afternoon there, and midnight in Berlin.
const AFTERNOON: Moment = Moment(1_763_766_000_000);
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const LOS_ANGELES: u64 = 698_910_067;
const BERLIN: u64 = 698_910_068;
const NEIGHBOUR: u64 = 698_910_069;
/// A system that does not run yet, and has what the others have not.
const NEW: u64 = 698_910_070;
/// `played-client:played-client-secret`.
const BASIC: &str = "Basic cGxheWVkLWNsaWVudDpwbGF5ZWQtY2xpZW50LXNlY3JldA==";
const REDIRECT: &str = "http://127.0.0.1:4000/roof/oauth/redirect_uri";
const FREE: &[Limit] = &[Limit { calls: 10, per: Period::Minute }, Limit { calls: 1000, per: Period::Month }];

fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/enphase").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn request(method: Method, target: &str, authorization: &str) -> Request {
    let fields = [("Authorization", authorization)];
    let fields = if authorization.is_empty() { &[][..] } else { &fields };
    Request { head: head(method, target, fields), body: Vec::new() }
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&response.body)))
}

/// The twin, a clock, and the newest tokens.
struct Scene {
    twin: Enphase,
    now: Moment,
    access: String,
    refresh: String,
}

fn settings(limits: &[Limit]) -> Settings {
    let mut settings = Settings::played();
    let new = System {
        operational: None,
        nmi: Some("1213141516".to_owned()),
        battery: Some(Battery { charge_w: 1280, discharge_w: 1280, capacity_wh: 3360 }),
        charger: Some("21458935".to_owned()),
        ..System::berlin(NEW, &settings.owner)
    };
    settings.systems.push(new);
    settings.limits = limits.to_vec();
    settings
}

impl Scene {
    /// In the afternoon, with tokens, and with as many calls as one likes.
    fn new() -> Scene {
        Scene::with(settings(&[]), AFTERNOON)
    }

    fn with(settings: Settings, now: Moment) -> Scene {
        let mut twin = Enphase::new(settings);
        let refresh = twin.refresh_token(now).expose().to_owned();
        let mut scene = Scene { twin, now, access: String::new(), refresh };
        (scene.access, scene.refresh) = scene.refreshed(&scene.refresh.clone()).unwrap();
        scene
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    fn ask(&mut self, method: Method, target: &str, authorization: &str) -> (u16, Value) {
        let response = self.twin.answer(&request(method, target, authorization), self.now).response;
        (response.status, body(&response))
    }

    /// A call with all its papers; `target` is below `/api/v4`.
    fn call(&mut self, target: &str) -> (u16, Value) {
        let sign = if target.contains('?') { '&' } else { '?' };
        let bearer = format!("Bearer {}", self.access);
        self.ask(Method::Get, &format!("/api/v4{target}{sign}key=played-key"), &bearer)
    }

    /// The same of a system, which must succeed.
    fn good(&mut self, system: u64, what: &str) -> Value {
        let (status, body) = self.call(&format!("/systems/{system}/{what}"));
        assert_eq!(status, 200, "{what}: {body}");
        body
    }

    fn v2(&mut self, what: &str) -> (u16, Value) {
        let sign = if what.contains('?') { '&' } else { '?' };
        let target = format!("/api/v2/systems/{what}{sign}key=played-key&user_id=217930");
        self.ask(Method::Get, &target, "")
    }

    fn token(&mut self, query: &str) -> (u16, Value) {
        self.ask(Method::Post, &format!("/oauth/token?{query}"), BASIC)
    }

    /// A new access token and refresh token, or the error.
    fn refreshed(&mut self, refresh: &str) -> Result<(String, String), Value> {
        let (status, body) = self.token(&format!("grant_type=refresh_token&refresh_token={refresh}"));
        let of = |name: &str| body[name].as_str().unwrap().to_owned();
        if status == 200 { Ok((of("access_token"), of("refresh_token"))) } else { Err(body) }
    }

    /// Whether an access token is good.
    fn admits(&mut self, access: &str) -> bool {
        let (status, _) = self.ask(Method::Get, "/api/v4/systems?key=played-key", &format!("Bearer {access}"));
        assert!([200, 401].contains(&status));
        status == 200
    }

    /// Wh per day.
    fn production(&mut self, system: u64, from: Date, to: Date) -> Vec<u64> {
        let body = self.good(system, &format!("energy_lifetime?start_date={from}&end_date={to}"));
        assert_eq!(body["start_date"], json!(from.to_string()));
        body["production"].as_array().unwrap().iter().map(|wh| wh.as_u64().unwrap()).collect()
    }

    /// The intervals of a day in the inverters' measure.
    fn intervals(&mut self, system: u64, date: Date) -> Vec<Value> {
        let body = self.good(system, &format!("telemetry/production_micro?start_date={date}"));
        body["intervals"].as_array().unwrap().clone()
    }
}

fn sum(intervals: &[Value], name: &str) -> u64 {
    intervals.iter().map(|interval| interval[name].as_u64().unwrap()).sum()
}

/// What differs between two values: members that only one has, kinds that are not the same, null where something is.
/// Each item of a list must be like the sample's first.
fn differences(is: &Value, should: &Value, path: &str, found: &mut Vec<String>) {
    match (is, should) {
        (Value::Object(is), Value::Object(should)) => {
            for name in is.keys().chain(should.keys()).collect::<BTreeSet<_>>() {
                match (is.get(name), should.get(name)) {
                    (Some(is), Some(should)) => differences(is, should, &format!("{path}.{name}"), found),
                    (is, _) => {
                        found.push(format!("{path}.{name} {}", if is.is_some() { "too much" } else { "missing" }))
                    }
                }
            }
        }
        (Value::Array(is), Value::Array(should)) => match should.first() {
            Some(first) if is.is_empty() => found.push(format!("{path}: empty, should have {first}")),
            Some(first) => is.iter().for_each(|item| differences(item, first, &format!("{path}[]"), found)),
            None => found.push(format!("{path}: an empty list says nothing")),
        },
        (Value::Number(is), Value::Number(should)) if is.is_i64() == should.is_i64() => {}
        (Value::String(_), Value::String(_)) | (Value::Bool(_), Value::Bool(_)) | (Value::Null, Value::Null) => {}
        _ => found.push(format!("{path}: {is}, should be like {should}")),
    }
}

// ---- the samples ----

/// Samples of success, by the call that has them.
const SUCCESSES: &[(&str, &str)] = &[
    ("v2_summary.json", "v2/698910067/summary"),
    ("v2_energy_lifetime.json", "v2/698910067/energy_lifetime?start_date=2025-11-14&end_date=2025-11-20"),
    ("v2_stats.json", "v2/698910067/stats"),
    ("v4_systems.json", "/systems?size=1&sort_by=id"),
    ("v4_summary.json", "/systems/698910067/summary"),
    ("v4_summary_with_battery.json", "/systems/698910070/summary"),
    ("v4_summary_past_day.json", "/systems/698910067/summary?summary_date=2025-11-20"),
    ("v4_energy_lifetime_week.json", "/systems/698910067/energy_lifetime?start_date=2025-11-14&end_date=2025-11-20"),
    ("v4_energy_lifetime_month.json", "/systems/698910067/energy_lifetime?start_date=2025-10-01&end_date=2025-10-31"),
    ("v4_energy_lifetime_all.json", "/systems/698910068/energy_lifetime?start_date=2025-11-14&production=all"),
    ("v4_production_meter.json", "/systems/698910068/telemetry/production_meter?start_date=2025-11-21"),
    ("v4_production_micro.json", "/systems/698910067/telemetry/production_micro"),
    ("v4_rgm_stats.json", "/systems/698910068/rgm_stats?start_at=1763679600&end_at=1763766000"),
    ("v4_production_meter_readings.json", "/systems/698910068/production_meter_readings"),
];

/// Samples that tests below have.
const ELSEWHERE: &[&str] = &[
    "v2_error_401.json",
    "v2_error_409.json",
    "v2_error_422.json",
    "v4_energy_lifetime_trailing_zeros.json",
    "v4_error_401.json",
    "v4_error_403.json",
    "v4_error_404.json",
    "v4_error_405.json",
    "v4_error_422.json",
    "v4_error_429_minute.json",
    "v4_error_429_month.json",
    "v4_error_429_short.json",
    "v4_error_500_rgm.json",
    "v4_token.json",
    "v4_token_error.json",
];

#[test]
fn what_is_answered_has_the_shape_of_the_sample_member_by_member() {
    let mut scene = Scene::new();
    for (name, target) in SUCCESSES {
        let (status, is) = match target.strip_prefix("v2/") {
            Some(below) => scene.v2(below),
            None => scene.call(target),
        };
        assert_eq!(status, 200, "{name}: {is}");
        let mut found = Vec::new();
        differences(&is, &sample(name), "", &mut found);
        assert!(found.is_empty(), "{name}: {found:?}");
        let list = ["production", "intervals"].into_iter().find_map(|list| is[list].as_array());
        assert!(list.is_none_or(|list| list.len() > 1), "{name}");
    }
}

#[test]
fn every_sample_has_its_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/enphase");
    let there: BTreeSet<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let tested = SUCCESSES.iter().map(|(name, _)| *name).chain(ELSEWHERE.iter().copied());
    assert_eq!(there, tested.map(str::to_owned).collect());
    let text = include_str!("enphase_twin.rs");
    for name in ELSEWHERE {
        assert!(text.matches(&format!("sample(\"{name}\")")).count() == 1, "{name} is compared with nothing");
    }
}

#[test]
fn a_refusal_is_told_word_for_word() {
    let mut scene = Scene::new();
    assert_eq!(scene.call(&format!("/systems/{NEIGHBOUR}/summary")), (403, sample("v4_error_403.json")));
    assert_eq!(scene.call("/systems/1/summary"), (404, sample("v4_error_404.json")));
    let later = format!("/systems/{LOS_ANGELES}/summary?summary_date=2025-11-22");
    assert_eq!(scene.call(&later), (422, sample("v4_error_422.json")));
    let v2 = scene.v2(&format!("{LOS_ANGELES}/summary?summary_date=2025-11-22"));
    assert_eq!(v2, (422, sample("v2_error_422.json")));

    let target = format!("/api/v4/systems/{LOS_ANGELES}/summary?key=played-key");
    let bearer = format!("Bearer {}", scene.access);
    for method in [Method::Post, Method::Put, Method::Delete, Method::Head] {
        let (status, body) = scene.ask(method, &target, &bearer);
        assert_eq!(status, 405, "{method:?}");
        if method == Method::Delete {
            assert_eq!(body, sample("v4_error_405.json"));
        }
    }
    let nobody = sample("v4_error_401.json");
    let path = format!("/api/v4/systems/{LOS_ANGELES}/summary");
    for (target, authorization) in [
        (target.clone(), String::new()),
        (target.clone(), "Bearer x".to_owned()),
        (target.clone(), format!("Basic {}", scene.access)),
        (target.clone(), format!("Bearer {}", scene.refresh)),
        (format!("{path}?key=other"), bearer.clone()),
        (path.clone(), bearer.clone()),
    ] {
        let refused = scene.ask(Method::Get, &target, &authorization);
        assert_eq!(refused, (401, nobody.clone()), "{target} {authorization}");
    }
    assert_eq!(scene.ask(Method::Get, &target, &bearer).0, 200);

    let v2 = format!("/api/v2/systems/{LOS_ANGELES}/summary");
    let words = sample("v2_error_401.json");
    for query in ["key=played-key&user_id=1", "key=x&user_id=217930", "user_id=217930", "key=played-key", ""] {
        assert_eq!(scene.ask(Method::Get, &format!("{v2}?{query}"), &bearer), (401, words.clone()), "{query}");
    }
}

#[test]
fn what_is_not_there_is_404_and_what_cannot_be_is_422() {
    let mut scene = Scene::new();
    for target in ["/systems/698910067", "/systems/698910067/inverters", "/nothing", "/systems/x/summary", "/"] {
        assert_eq!(scene.call(target).0, 404, "{target}");
    }
    assert_eq!(scene.call("/systems/a%22b/summary").1["details"], "System not found for {:id=>\"a\\\"b\"}");
    let of = |what: &str| format!("/systems/{LOS_ANGELES}/{what}");
    let two_years_ago = AFTERNOON.seconds() - 732 * DAY as i64;
    for target in [
        of("summary?summary_date=21.11.2025"),
        of("summary?summary_date=2017-06-13"),
        of("energy_lifetime?start_date=2025-11-22"),
        of("energy_lifetime?start_date=2025-11-14&end_date=2025-11-22"),
        of("energy_lifetime?start_date=2025-11-14&end_date=2025-11-13"),
        of("energy_lifetime?start_date=2016-01-01&end_date=2016-12-31"),
        of("energy_lifetime?production=some"),
        of("telemetry/production_micro?granularity=hour"),
        of("telemetry/production_micro?start_at=1763766001000"),
        of("telemetry/production_meter?start_date=2025-11-22"),
        of(&format!("telemetry/production_micro?start_at={two_years_ago}")),
        of(&format!("rgm_stats?start_at={two_years_ago}")),
        of("rgm_stats?start_at=1763700000&end_at=1763600000"),
        of("rgm_stats?start_at=1763000000&end_at=1763700000"),
        of("production_meter_readings?end_at=now"),
        "/systems?page=0".to_owned(),
        "/systems?size=101".to_owned(),
        "/systems?sort_by=name".to_owned(),
    ] {
        let (status, body) = scene.call(&target);
        assert_eq!(
            (status, &body["code"], &body["message"]),
            (422, &json!(422), &json!("Unprocessable Entity")),
            "{target}"
        );
        assert!(!body["details"].as_str().unwrap().is_empty());
    }
    assert_eq!(scene.v2(&format!("{LOS_ANGELES}/stats?start_at=1763600000&end_at=1763700000")).0, 422);
}

#[test]
fn only_the_owners_systems_are_listed_page_by_page() {
    let mut scene = Scene::new();
    let mut ids = |query: &str| {
        let (_, body) = scene.call(&format!("/systems{query}"));
        let ids: Vec<_> =
            body["systems"].as_array().unwrap().iter().map(|one| one["system_id"].as_u64().unwrap()).collect();
        assert_eq!((&body["total"], &body["count"]), (&json!(3), &json!(ids.len())));
        ids
    };
    assert_eq!(ids(""), [LOS_ANGELES, BERLIN, NEW]);
    assert_eq!(ids("?sort_by=-id&size=2"), [NEW, BERLIN]);
    assert_eq!(ids("?sort_by=-id&size=2&page=2"), [LOS_ANGELES]);
    assert!(ids("?page=18446744073709551615").is_empty());
    let (_, body) = scene.call("/systems");
    let zones: Vec<_> = (0..2).map(|place| body["systems"][place]["timezone"].as_str().unwrap()).collect();
    assert_eq!(zones, ["America/Los_Angeles", "Europe/Berlin"]);
}

// ---- papers ----

fn location(scene: &mut Scene, query: &str) -> Result<String, u16> {
    let response =
        scene.twin.answer(&request(Method::Get, &format!("/oauth/authorize?{query}"), ""), scene.now).response;
    let found = response.headers.iter().find(|(name, _)| *name == "Location").map(|(_, value)| value.to_string());
    found.filter(|_| response.status == 302).ok_or(response.status)
}

#[test]
fn consent_leads_to_a_code_and_a_code_to_tokens_once() {
    let mut scene = Scene::new();
    let asked = format!("response_type=code&client_id=played-client&redirect_uri={REDIRECT}");
    let location = location(&mut scene, &format!("{asked}&state=a%26b")).unwrap();
    let code = location.strip_prefix(&format!("{REDIRECT}?code=")).unwrap().strip_suffix("&state=a%26b").unwrap();
    let (status, page) = scene.ask(Method::Get, &format!("/oauth/redirect_uri?code={code}"), "");
    assert!(status == 200 && page.as_str().unwrap().contains(&format!("The code is {code}")), "{page}");
    assert_eq!(scene.ask(Method::Get, "/oauth/redirect_uri?code=%3Cscript%3E", "").0, 400);

    let exchange = |code: &str| format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}");
    let (status, tokens) = scene.token(&exchange(code));
    assert_eq!((status, &tokens["expires_in"], &tokens["enl_uid"]), (200, &json!(86_393), &json!("217930")));
    let mut found = Vec::new();
    differences(&tokens, &sample("v4_token.json"), "", &mut found);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(tokens["access_token"].as_str().unwrap().split('.').count(), 3);
    assert!(scene.admits(tokens["access_token"].as_str().unwrap()));
    assert_eq!(scene.token(&exchange(code)).1["error"], "invalid_grant", "a code is good once");

    let now = scene.now;
    let late = scene.twin.code(REDIRECT, now);
    scene.wait(601);
    assert_eq!(scene.token(&exchange(&late)).1["error"], "invalid_grant");
    let elsewhere = scene.twin.code("http://localhost/other", scene.now);
    assert_eq!(scene.token(&exchange(&elsewhere)).1["error"], "invalid_grant");
    let good = scene.twin.code(REDIRECT, scene.now);
    assert_eq!(scene.token(&exchange(&good)).0, 200);
}

#[test]
fn consent_is_asked_for_as_the_standard_has_it() {
    let mut scene = Scene::new();
    let client = "client_id=played-client";
    for query in [
        format!("{client}&redirect_uri={REDIRECT}"),
        format!("response_type=token&{client}&redirect_uri={REDIRECT}"),
        format!("response_type=code&redirect_uri={REDIRECT}"),
        format!("response_type=code&client_id=other&redirect_uri={REDIRECT}"),
        format!("response_type=code&{client}"),
        format!("response_type=code&{client}&redirect_uri=https://example.com/"),
        format!("response_type=code&{client}&redirect_uri=http://127.0.0.1.example.com/"),
        format!("response_type=code&{client}&redirect_uri=http://127.0.0.1/%0d%0aX:%20y"),
    ] {
        assert_eq!(location(&mut scene, &query), Err(400), "{query}");
    }
    // Enphase's own page would lead off this machine; its code is shown at once.
    let own = "https://api.enphaseenergy.com/oauth/redirect_uri";
    let target = format!("/oauth/authorize?response_type=code&{client}&redirect_uri={own}");
    let (status, page) = scene.ask(Method::Get, &target, "");
    let code = page.as_str().unwrap().split("The code is ").nth(1).unwrap().trim().to_owned();
    assert_eq!(status, 200);
    assert_eq!(scene.token(&format!("grant_type=authorization_code&code={code}&redirect_uri={own}")).0, 200);
}

#[test]
fn tokens_are_given_to_the_application_only_and_for_what_it_may_ask() {
    let mut scene = Scene::new();
    let good = format!("grant_type=refresh_token&refresh_token={}", scene.refresh);
    for papers in ["", "Basic eDp5", "Bearer x", "Basic cGxheWVkLWNsaWVudDpwbGF5ZWQtY2xpZW50LXNlY3JldA"] {
        let (status, body) = scene.ask(Method::Post, &format!("/oauth/token?{good}"), papers);
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")), "{papers}");
    }
    for (query, error) in [
        ("", "invalid_request"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=authorization_code&code=abc", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=authorization_code&code=abc&redirect_uri=x", "invalid_grant"),
    ] {
        let (status, body) = scene.token(query);
        assert_eq!((status, &body["error"]), (400, &json!(error)), "{query}");
    }
    assert_eq!(scene.ask(Method::Get, &format!("/oauth/token?{good}"), BASIC).0, 405);
    let refused = scene.token("grant_type=refresh_token&refresh_token=x");
    assert_eq!(refused, (400, sample("v4_token_error.json")));
    assert_eq!(scene.token(&good).0, 200);
}

#[test]
fn an_old_refresh_token_is_good_until_a_new_token_is_used() {
    let mut scene = Scene::new();
    let first = scene.refresh.clone();
    // The answer was lost twice: nobody used what it had.
    let lost = scene.refreshed(&first).unwrap();
    let second = scene.refreshed(&first).unwrap();
    assert!(first != lost.1 && lost.1 != second.1 && lost.0 != second.0);
    assert!(scene.admits(&second.0));
    assert_eq!(scene.refreshed(&first).unwrap_err()["error"], "invalid_grant", "the access token was used");
    // A refresh is a use, too.
    let third = scene.refreshed(&second.1).unwrap();
    let fourth = scene.refreshed(&third.1).unwrap();
    assert!(scene.refreshed(&second.1).is_err() && scene.refreshed(&third.1).is_ok());
    assert!(scene.admits(&fourth.0) && scene.refreshed(&third.1).is_err());
    assert!(scene.admits(&second.0), "an access token outlives its successor until its own time is over");
}

#[test]
fn tokens_end_with_their_time_and_with_consent() {
    let mut scene = Scene::new();
    let access = scene.access.clone();
    scene.wait(86_392);
    assert!(scene.admits(&access));
    scene.wait(1);
    assert!(!scene.admits(&access));
    let refresh = scene.refresh.clone();
    scene.wait(29 * DAY - 86_393 + DAY - 1);
    let (access, next) = scene.refreshed(&refresh).unwrap();
    scene.wait(1);
    assert!(scene.refreshed(&refresh).is_err(), "a month is over");
    assert!(scene.admits(&access));
    scene.twin.deed(&Deed::Revoke, scene.now).unwrap();
    assert!(!scene.admits(&access));
    assert_eq!(scene.refreshed(&next).unwrap_err()["error"], "invalid_grant");
    let again = scene.twin.refresh_token(scene.now);
    assert!(scene.refreshed(again.expose()).is_ok());
}

// ---- limits ----

/// Used and refused, for the minute and the month.
fn used(scene: &Scene) -> [(u32, u64); 2] {
    let meters = scene.twin.meters(scene.now);
    assert_eq!(meters.iter().map(|meter| meter.limit).collect::<Vec<_>>(), [10, 1000]);
    [0, 1].map(|place: usize| (meters[place].used, meters[place].refused))
}

#[test]
fn ten_calls_a_minute_by_the_clock_and_no_more() {
    let mut scene = Scene::with(settings(FREE), MIDNIGHT);
    scene.wait(59);
    for call in 1..=10 {
        assert_eq!(scene.call("/systems").0, 200, "{call}");
    }
    assert_eq!(scene.call("/systems"), (429, sample("v4_error_429_minute.json")));
    assert_eq!(used(&scene), [(10, 1), (10, 0)], "what is refused is not counted");
    scene.wait(1);
    assert_eq!(used(&scene), [(0, 1), (10, 0)], "the minute is the calendar's");
    assert_eq!(scene.call("/systems").0, 200);
    assert_eq!(used(&scene), [(1, 1), (11, 0)]);
}

#[test]
fn what_has_the_right_key_counts_whatever_is_wrong_with_it() {
    let mut scene = Scene::with(settings(FREE), MIDNIGHT);
    assert_eq!(scene.call("/systems/1/summary").0, 404);
    assert_eq!(scene.call(&format!("/systems/{LOS_ANGELES}/summary?summary_date=x")).0, 422);
    assert_eq!(scene.ask(Method::Get, "/api/v4/systems?key=played-key", "Bearer x").0, 401);
    assert_eq!(used(&scene), [(3, 0), (3, 0)]);
    let bearer = format!("Bearer {}", scene.access);
    assert_eq!(scene.ask(Method::Get, "/api/v4/systems?key=other", &bearer).0, 401);
    assert_eq!(scene.ask(Method::Post, "/api/v4/systems?key=played-key", &bearer).0, 405);
    let refresh = scene.refresh.clone();
    scene.refreshed(&refresh).unwrap();
    assert_eq!(used(&scene), [(3, 0), (3, 0)], "nobody's calls and calls for tokens do not count");
}

#[test]
fn a_thousand_calls_a_month_and_the_next_one_begins_in_utc() {
    let mut scene = Scene::with(settings(FREE), MIDNIGHT);
    for _ in 0..100 {
        for _ in 0..10 {
            assert_eq!(scene.call("/systems").0, 200);
        }
        scene.wait(60);
    }
    assert_eq!(scene.call("/systems"), (429, sample("v4_error_429_month.json")));
    let v2 = scene.v2(&format!("{LOS_ANGELES}/summary"));
    assert_eq!(v2, (409, sample("v2_error_409.json")));
    assert_eq!(used(&scene), [(0, 0), (1000, 2)]);
    // A token for December; the month ends at midnight in UTC, not in Los Angeles.
    scene.now = Moment(1_764_547_199_999);
    let refresh = scene.refresh.clone();
    (scene.access, scene.refresh) = scene.refreshed(&refresh).unwrap();
    assert_eq!(scene.call("/systems").0, 429);
    scene.now = Moment(1_764_547_200_000);
    assert_eq!(scene.call("/systems").0, 200);
    assert_eq!(used(&scene), [(1, 0), (1, 3)]);
}

#[test]
fn other_plans_have_other_limits() {
    let limits = [Limit { calls: 1, per: Period::Second }, Limit { calls: 2, per: Period::Day }];
    let settings = Settings { plan: "Kilowatt".to_owned(), ..settings(&limits) };
    let mut scene = Scene::with(settings, MIDNIGHT);
    assert_eq!(scene.call("/systems").0, 200);
    let (_, body) = scene.call("/systems");
    assert_eq!(body["details"], "Usage limit exceeded for plan Kilowatt");
    assert_eq!(
        (&body["period"], &body["period_end"], &body["limit"]),
        (&json!("second"), &json!(1_763_712_001), &json!(1))
    );
    scene.wait(1);
    assert_eq!(scene.call("/systems").0, 200);
    let (_, body) = scene.call("/systems");
    assert_eq!(
        (&body["period"], &body["period_end"]),
        (&json!("day"), &json!(1_763_769_600)),
        "the longer one is told"
    );
}

// ---- the sun ----

#[test]
fn intervals_days_and_the_summary_agree_to_the_last_watt_hour() {
    for (now, system) in [(AFTERNOON, LOS_ANGELES), (Moment(AFTERNOON.0 - 36_000_000), BERLIN)] {
        let mut scene = Scene::with(settings(&[]), now);
        let summary = scene.good(system, "summary");
        assert_eq!(summary["summary_date"], "2025-11-21");
        let intervals = scene.intervals(system, date(2025, 11, 21));
        let today = summary["energy_today"].as_u64().unwrap();
        assert!(today > 500, "{summary}");
        assert_eq!(sum(&intervals, "enwh"), today);
        let mean = sum(&intervals, "powr") as f64 / 12.0;
        assert!((mean - today as f64).abs() <= intervals.len() as f64 / 2.0, "{mean} {today}");
        let newest = intervals.last().unwrap();
        assert_eq!((&newest["powr"], &newest["end_at"]), (&summary["current_power"], &summary["last_interval_end_at"]));
        assert_eq!(scene.production(system, date(2025, 11, 21), date(2025, 11, 21)), [today]);

        // Lifetime is what was before the day: so it grows by each day.
        let lifetime = |scene: &mut Scene, day: i8| {
            let summary = scene.good(system, &format!("summary?summary_date=2025-11-{day:02}"));
            (summary["energy_lifetime"].as_u64().unwrap(), summary["energy_today"].as_u64().unwrap())
        };
        for day in 1..21 {
            let (before, made) = lifetime(&mut scene, day);
            assert_eq!(lifetime(&mut scene, day + 1).0, before + made, "{day}");
            assert_eq!(scene.production(system, date(2025, 11, day), date(2025, 11, day)), [made]);
            assert_eq!(sum(&scene.intervals(system, date(2025, 11, day)), "enwh"), made);
        }
        let month: u64 = scene.production(system, date(2025, 10, 1), date(2025, 10, 31)).iter().sum();
        let first = scene.good(system, "summary?summary_date=2025-10-01")["energy_lifetime"].as_u64().unwrap();
        assert_eq!(lifetime(&mut scene, 1).0 - first, month);
        let all = scene.good(system, "energy_lifetime");
        let whole: u64 = all["production"].as_array().unwrap().iter().map(|wh| wh.as_u64().unwrap()).sum();
        assert_eq!(json!(whole), summary["energy_lifetime"], "from the first day until yesterday");
        assert_eq!(all["start_date"], if system == BERLIN { "2020-03-12" } else { "2017-06-14" });
    }
}

#[test]
fn a_meter_counts_what_the_inverters_give() {
    let mut scene = Scene::new();
    let day = sum(&scene.intervals(BERLIN, date(2025, 11, 19)), "enwh");
    let meter = scene.good(BERLIN, "telemetry/production_meter?start_date=2025-11-19");
    assert_eq!(sum(meter["intervals"].as_array().unwrap(), "wh_del"), day);
    assert!(meter["intervals"].as_array().unwrap().iter().all(|one| one["end_at"].as_i64().unwrap() % 900 == 0));
    let begin = meter["start_at"].as_i64().unwrap();
    assert_eq!(begin, 1_763_506_800, "midnight in Berlin");
    let stats = scene.good(BERLIN, &format!("rgm_stats?start_at={begin}&end_at={}", begin + 86_400));
    assert_eq!(sum(stats["meter_intervals"][0]["intervals"].as_array().unwrap(), "wh_del"), day);
    let noon = begin + 12 * 3600;
    let stats = scene.good(BERLIN, &format!("rgm_stats?start_at={noon}&end_at={}", noon + 900));
    assert_eq!(stats["intervals"].as_array().unwrap().len(), 1, "an interval that ends with the span belongs to it");
    assert!(day > 0);
    let mut reading = |at: i64| {
        let body = scene.good(BERLIN, &format!("production_meter_readings?end_at={at}"));
        body["meter_readings"][0]["value"].as_u64().unwrap()
    };
    assert_eq!(reading(begin + 86_400) - reading(begin), day);
    let all = scene.good(BERLIN, "energy_lifetime?start_date=2021-03-10&end_date=2021-03-14&production=all");
    let of = |name: &str, place: usize| all[name][place].as_u64().unwrap();
    assert_eq!(all["meter_start_date"], "2021-03-12");
    assert_eq!([0, 1].map(|place| of("meter_production", place)), [0, 0]);
    assert!((0..5).all(|place| of("micro_production", place) >= of("production", place)));
    assert!((3..5).all(|place| of("meter_production", place) == of("production", place)));
    // Without a meter there is nothing to read.
    assert_eq!(scene.good(LOS_ANGELES, "production_meter_readings")["meter_readings"], json!([]));
    assert_eq!(scene.good(LOS_ANGELES, "rgm_stats")["meter_intervals"], json!([]));
}

#[test]
fn the_night_is_dark_and_the_day_is_never_brighter_than_the_panels() {
    let mut scene = Scene::new();
    let mut bright = 0;
    for day in (0..360).step_by(3) {
        let begin = scene.now.seconds() - AFTERNOON.seconds().rem_euclid(86_400) - day * 86_400;
        let body = scene.good(LOS_ANGELES, &format!("telemetry/production_micro?start_at={begin}"));
        for interval in body["intervals"].as_array().unwrap() {
            let (at, watts) = (interval["end_at"].as_i64().unwrap(), interval["powr"].as_i64().unwrap());
            // Local solar time, in hours.
            let hour = (at as f64 / 3600.0 - 118.24 / 15.0).rem_euclid(24.0);
            assert!((4.4..19.6).contains(&hour), "{watts} W at {hour}");
            assert!((1..=9400).contains(&watts));
            bright += i32::from(watts > 5000);
        }
    }
    assert!(bright > 500, "{bright}");
    scene.now = MIDNIGHT;
    let night = scene.good(LOS_ANGELES, "summary");
    assert_eq!((&night["current_power"], &night["energy_today"]), (&json!(0), &json!(0)));
    let night = scene.good(LOS_ANGELES, "telemetry/production_micro");
    assert_eq!(night["intervals"], json!([]), "empty at night");
}

#[test]
fn summers_are_brighter_than_winters_and_one_day_of_each_month_gives_nothing() {
    let mut scene = Scene::new();
    let mut month = |number: i8| {
        let first = date(2025, number, 1);
        scene.production(BERLIN, first, first.last_of_month())
    };
    let (january, june): (u64, u64) = (month(1).iter().sum(), month(6).iter().sum());
    assert!(june > 3 * january && january > 20_000 && june < 1_500_000, "{january} {june}");
    for number in 1..=10 {
        let days = month(number);
        assert_eq!(days.iter().filter(|wh| **wh == 0).count(), 1, "{days:?}");
        let (least, most) = (days.iter().filter(|wh| **wh > 0).min().unwrap(), days.iter().max().unwrap());
        assert!(most > &(2 * least), "weather changes: {days:?}");
    }
}

#[test]
fn a_day_is_as_long_as_the_systems_clock_makes_it() {
    let mut scene = Scene::new();
    for (system, day, hours) in [
        (BERLIN, date(2025, 3, 30), 23),
        (BERLIN, date(2025, 10, 26), 25),
        (BERLIN, date(2025, 11, 2), 24),
        (LOS_ANGELES, date(2025, 3, 9), 23),
        (LOS_ANGELES, date(2025, 11, 2), 25),
        (LOS_ANGELES, date(2025, 10, 26), 24),
    ] {
        let body = scene.good(system, &format!("telemetry/production_micro?start_date={day}"));
        let (begin, end) = (body["start_at"].as_i64().unwrap(), body["end_at"].as_i64().unwrap());
        assert_eq!(end - begin, hours * 3600, "{system} {day}");
        let made = sum(body["intervals"].as_array().unwrap(), "enwh");
        assert_eq!(scene.production(system, day, day), [made]);
    }
    // One more clock change, seen as days: nothing is lost and nothing is counted twice.
    let days = scene.production(BERLIN, date(2025, 10, 20), date(2025, 10, 31));
    let singly: Vec<u64> = (20..=31).map(|day| sum(&scene.intervals(BERLIN, date(2025, 10, day)), "enwh")).collect();
    assert_eq!(days, singly);
}

#[test]
fn two_zones_have_two_todays() {
    // Eleven at night in Berlin is two in the afternoon in Los Angeles.
    let mut scene = Scene::with(settings(&[]), Moment(AFTERNOON.0 + 2 * 3_600_000));
    assert_eq!(scene.good(BERLIN, "summary")["summary_date"], "2025-11-22");
    assert_eq!(scene.good(LOS_ANGELES, "summary")["summary_date"], "2025-11-21");
    let days = |body: Value| body["production"].as_array().unwrap().len();
    // Until yesterday, and today only for who begins with it.
    assert_eq!(days(scene.good(BERLIN, "energy_lifetime?start_date=2025-11-20")), 2);
    assert_eq!(days(scene.good(LOS_ANGELES, "energy_lifetime?start_date=2025-11-20")), 1);
    assert_eq!(days(scene.good(LOS_ANGELES, "energy_lifetime?start_date=2025-11-21")), 1);
    let used = scene.good(BERLIN, "consumption_lifetime?start_date=2025-11-20");
    let used = used["consumption"].as_array().unwrap();
    assert!(used.len() == 2 && used.iter().all(|wh| (6000..14_000).contains(&wh.as_u64().unwrap())), "{used:?}");
}

#[test]
fn the_same_seed_has_the_same_sun_and_another_one_another() {
    let ask = |seed: u64| {
        let mut scene = Scene::with(Settings { seed, ..settings(&[]) }, AFTERNOON);
        let warm = seed == 7;
        if warm {
            // What was asked before changes nothing.
            scene.good(BERLIN, "energy_lifetime?start_date=2025-11-01");
        }
        [BERLIN, LOS_ANGELES].map(|system| scene.good(system, "energy_lifetime?start_date=2025-01-01"))
    };
    let first = ask(7);
    let mut again = Scene::with(Settings { seed: 7, ..settings(&[]) }, AFTERNOON);
    assert_eq!(again.good(BERLIN, "energy_lifetime?start_date=2025-01-01"), first[0]);
    assert_ne!(ask(8)[0]["production"], first[0]["production"]);
    assert_ne!(first[0]["production"], first[1]["production"]);
}

#[test]
fn reports_are_five_to_fifteen_minutes_old() {
    let mut scene = Scene::new();
    let mut ages = BTreeSet::new();
    for _ in 0..60 {
        let summary = scene.good(LOS_ANGELES, "summary");
        let report = summary["last_report_at"].as_i64().unwrap();
        let interval = summary["last_interval_end_at"].as_i64().unwrap();
        assert!(interval % 300 == 0 && interval < report && report - interval <= 300, "{summary}");
        ages.insert(scene.now.seconds() - report);
        scene.wait(61);
    }
    assert!(*ages.first().unwrap() >= 300 && *ages.last().unwrap() < 900, "{ages:?}");
    assert!(ages.last().unwrap() - ages.first().unwrap() > 400);
}

#[test]
fn a_silent_system_stands_still_and_catches_up() {
    let mut scene = Scene::new();
    let silence = Deed::Silence { source: LOS_ANGELES.to_string() };
    scene.twin.deed(&silence, scene.now).unwrap();
    let before = scene.good(LOS_ANGELES, "summary");
    assert_eq!(before["status"], "normal");
    scene.wait(3 * DAY);
    // To say it again is no new beginning.
    scene.twin.deed(&silence, scene.now).unwrap();
    let refresh = scene.refresh.clone();
    (scene.access, scene.refresh) = scene.refreshed(&refresh).unwrap();
    let after = scene.good(LOS_ANGELES, "summary");
    assert_eq!(after["last_report_at"], before["last_report_at"]);
    assert_eq!(
        (&after["status"], &after["energy_today"], &after["current_power"]),
        (&json!("comm"), &json!(0), &json!(0))
    );
    let lifetime = |summary: &Value| summary["energy_lifetime"].as_u64().unwrap();
    assert_eq!(lifetime(&after), lifetime(&before) + before["energy_today"].as_u64().unwrap());

    let zeros = scene.good(LOS_ANGELES, "energy_lifetime?start_date=2025-11-19&end_date=2025-11-24");
    let days: Vec<_> = zeros["production"].as_array().unwrap().iter().map(|wh| wh.as_u64().unwrap()).collect();
    assert!(days[0] > 0 && json!(days[2]) == before["energy_today"] && days[3..] == [0, 0, 0], "{days:?}");
    let mut found = Vec::new();
    let should = sample("v4_energy_lifetime_trailing_zeros.json");
    differences(&zeros, &should, "", &mut found);
    assert!(found.is_empty() && zeros["meta"]["status"] == should["meta"]["status"], "{found:?}");
    assert_eq!(scene.good(BERLIN, "summary")["status"], "normal", "others go on");

    scene.twin.deed(&Deed::Recover { source: LOS_ANGELES.to_string() }, scene.now).unwrap();
    let days = scene.production(LOS_ANGELES, date(2025, 11, 21), date(2025, 11, 24));
    assert!(days.iter().filter(|wh| **wh > 0).count() >= 3, "{days:?}");
    assert_eq!(scene.good(LOS_ANGELES, "summary")["status"], "normal");
    let nobody = scene.twin.deed(&Deed::Silence { source: "1".to_owned() }, scene.now).unwrap_err();
    assert!(nobody.contains("no system \"1\""), "{nobody}");
}

#[test]
fn a_system_tells_its_own_status_and_one_that_does_not_run_makes_nothing() {
    let mut settings = settings(&[]);
    settings.systems[0].status = "storage_idle".to_owned();
    let mut scene = Scene::with(settings, AFTERNOON);
    assert_eq!(scene.good(LOS_ANGELES, "summary")["status"], "storage_idle");
    let new = scene.good(NEW, "summary");
    assert_eq!([&new["energy_today"], &new["energy_lifetime"], &new["current_power"]], [&json!(0); 3]);
}

#[test]
fn a_clock_far_off_ends_no_loop() {
    let mut scene = Scene::new();
    for now in [Moment(i64::MAX), Moment(i64::MIN), Moment(0), Moment(4_000_000_000_000)] {
        scene.now = now;
        let refresh = scene.twin.refresh_token(now);
        let Ok((access, _)) = scene.refreshed(refresh.expose()) else { continue };
        scene.access = access;
        for what in ["summary", "energy_lifetime", "rgm_stats", "telemetry/production_meter"] {
            let (status, body) = scene.call(&format!("/systems/{BERLIN}/{what}"));
            assert!([200, 401, 422].contains(&status), "{now:?} {what}: {body}");
        }
    }
}

// ---- what goes wrong on purpose ----

#[test]
fn failures_are_pages_and_rgm_stats_has_a_shape_of_its_own() {
    let mut scene = Scene::new();
    let mut met = |mishap: Mishap, target: &str| {
        let request = request(Method::Get, target, &format!("Bearer {}", scene.access));
        scene.twin.meets(mishap, &request, scene.now)
    };
    let statuses: Vec<u16> = (0..5)
        .map(|_| {
            let response = met(Mishap::Broken, "/api/v4/systems");
            let page = String::from_utf8_lossy(&response.body).into_owned();
            assert!(
                response.content_type == "text/html" && page.contains(&format!("<h1>{} ", response.status)),
                "{page}"
            );
            response.status
        })
        .collect();
    assert_eq!(statuses, [500, 502, 503, 504, 500]);
    let response = met(Mishap::Broken, "/api/v4/systems/698910068/rgm_stats?key=played-key");
    assert_eq!((response.status, body(&response)), (500, sample("v4_error_500_rgm.json")));
    let busy = Mishap::Busy { left: Duration::from_secs(7) };
    let response = met(busy, "/api/v4/systems");
    assert_eq!((response.status, body(&response)), (429, sample("v4_error_429_short.json")));
    assert!(response.headers.iter().all(|(name, _)| *name != "Retry-After"), "there is none");
    assert_eq!(met(busy, "/api/v2/systems/67/summary").status, 409);
}

#[test]
fn a_token_that_expires_under_a_fault_can_be_refreshed() {
    let mut scene = Scene::new();
    let met = |scene: &mut Scene| {
        let target = "/api/v4/systems?key=played-key";
        let request = request(Method::Get, target, &format!("Bearer {}", scene.access));
        scene.twin.meets(Mishap::TokenExpired, &request, scene.now).status
    };
    assert_eq!(met(&mut scene), 401);
    let old = scene.access.clone();
    assert!(!scene.admits(&old), "it stays expired");
    let refresh =
        request(Method::Post, &format!("/oauth/token?grant_type=refresh_token&refresh_token={}", scene.refresh), BASIC);
    let response = scene.twin.meets(Mishap::TokenExpired, &refresh, scene.now);
    assert_eq!(response.status, 200, "a refresh has no access token that could expire");
    scene.access = body(&response)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(met(&mut scene), 200, "else no refresh would help");
    scene.wait(61);
    assert_eq!(met(&mut scene), 401, "this is another fault");
}

// ---- at home ----

fn clock() -> Moment {
    AFTERNOON
}

/// One request over a socket of its own: status and body.
fn over(address: SocketAddr, line: &str, authorization: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: {authorization}\r\n");
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[test]
fn it_lives_in_a_house_with_its_counters_in_the_ledger_and_no_secret() {
    let house = Arc::new(House::new(clock));
    let mut twin = Enphase::new(Settings { key: Secret::new("sesame-key"), ..settings(FREE) });
    let refresh = twin.refresh_token(AFTERNOON);
    house.lodge("roof", Box::new(twin), Plan::default()).unwrap();
    let server = Server::open(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::clone(&house), Box::new(|_| None)).unwrap();
    let address = server.address();

    let query = format!("grant_type=refresh_token&refresh_token={}", refresh.expose());
    let (status, tokens) = over(address, &format!("POST /roof/oauth/token?{query}"), BASIC, "");
    assert_eq!(status, 200, "{tokens}");
    let tokens: Value = serde_json::from_str(&tokens).unwrap();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let target = format!("GET /roof/api/v4/systems/{LOS_ANGELES}/summary?key=sesame-key");
    assert_eq!(over(address, &target, &bearer, "").0, 200);

    let said = over(address, "POST /act", "", "{\"twin\": \"roof\", \"deed\": \"revoke\"}");
    assert_eq!(said.0, 200, "{}", said.1);
    assert_eq!(over(address, &target, &bearer, "").0, 401);
    let wrong = over(address, "POST /act", "", "{\"twin\": \"roof\", \"deed\": {\"silence\": {\"source\": \"1\"}}}");
    assert!(wrong.0 == 400 && wrong.1.contains("no system"), "{wrong:?}");
    let act = "{\"twin\": \"roof\", \"act\": {\"say\": {\"conversation\": \"x\", \"text\": \"y\"}}}";
    let wrong = over(address, "POST /act", "", act);
    assert!(wrong.0 == 400 && wrong.1.contains("nobody speaks on enphase"), "{wrong:?}");

    let (_, text) = over(address, "GET /ledger?twin=roof", "", "");
    let ledger: Value = serde_json::from_str(&text).unwrap();
    let calls: Vec<_> =
        ledger["calls"].as_array().unwrap().iter().map(|call| call["status"].as_u64().unwrap()).collect();
    assert_eq!(calls, [200, 200, 401]);
    let month = &ledger["meters"][1];
    assert_eq!((&month["twin"], &month["period"], &month["used"]), (&json!("roof"), &json!("month"), &json!(2)));
    for secret in ["sesame", refresh.expose(), bearer.trim_start_matches("Bearer ")] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains("key=***"));
}

#[test]
fn the_houses_faults_reach_it() {
    for (plan, expected) in [("500 100%", 500), ("429 100% 60s", 429), ("token 100%", 401), ("late 100% 1ms", 200)] {
        let house = House::new(clock);
        let mut scene = Scene::new();
        let request = request(Method::Get, "/api/v4/systems?key=played-key", &format!("Bearer {}", scene.access));
        let unused = Enphase::new(settings(&[]));
        let twin = std::mem::replace(&mut scene.twin, unused);
        house.lodge("roof", Box::new(twin), Plan::parse(plan, 1).unwrap()).unwrap();
        let Some(ackd::twin::house::Answered::With(response)) = house.call("roof", &request) else { panic!("{plan}") };
        assert_eq!(response.status, expected, "{plan}");
        let entry = &house.ledger(Some("roof")).calls[0];
        assert_eq!((entry.status, entry.fault), (expected, plan.split(' ').next()));
    }
}
