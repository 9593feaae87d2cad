//! The Graph twin against the samples, against its own rules, through its posts, and over a real socket.
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

use ackd::model::{Method, Moment, Request, Response, Secret};
use ackd::notation::{hex, percent, unpercent_text};
use ackd::twin::graph::{Graph, Group, Settings};
use ackd::twin::{Act, Deed, House, Mishap, Plan, Server, Twin};
use head::head;
use jiff::Timestamp;
use ring::hmac;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// 21 November 2025, 08:00 in UTC: midnight in Menlo Park.
const MIDNIGHT: Moment = Moment(1_763_712_000_000);
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const APP: &str = "482915736608214";
const PAGE: &str = "104455667788990";
const CAFE: &str = "104455667788991";
const FOREIGN: &str = "104455667788992";
const PERSON: &str = "10150000000000001";
const GROUP: &str = "1924443867832338";
const BACK: &str = "http://127.0.0.1:3000/fb_login_redirect";
const SCOPES: &[&str] = &["pages_show_list", "pages_read_engagement", "pages_read_user_content"];
const ALL_FIELDS: &str = "id,message,created_time,permalink_url,shares,comments.summary(true).limit(2)";

fn sample_text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/graph").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn sample(name: &str) -> Value {
    serde_json::from_str(&sample_text(name)).unwrap()
}

fn request(method: Method, target: &str, headers: &[(&str, &str)], body: &str) -> Request {
    Request { head: head(method, target, headers), body: body.as_bytes().to_vec() }
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&response.body)))
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
}

/// The twin, a clock, and a token of the person, of the page.
struct Scene {
    twin: Graph,
    now: Moment,
    person: String,
    page: String,
}

fn settings() -> Settings {
    let redirect_uris = vec![BACK.to_owned(), "https://bots.example.org/back?from=fb".to_owned()];
    let base = "https://graph.facebook.com".to_owned();
    Settings { base, redirect_uris, gaps: false, calls_per_hour: 1_000_000, data_max: 10_000, ..Settings::played() }
}

impl Scene {
    fn new() -> Scene {
        Scene::with(settings())
    }

    fn with(settings: Settings) -> Scene {
        Scene::at(settings, MIDNIGHT)
    }

    fn at(settings: Settings, now: Moment) -> Scene {
        let mut twin = Graph::new(settings);
        let person = twin.person_token(SCOPES, now).expose().to_owned();
        let page = twin.page_token(PAGE, SCOPES, now).unwrap().expose().to_owned();
        Scene { twin, now, person, page }
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    fn answer(&mut self, method: Method, target: &str, form: &str) -> Response {
        self.twin.answer(&request(method, target, &[], form), self.now).response
    }

    fn ask(&mut self, target: &str) -> (u16, Value) {
        let response = self.answer(Method::Get, target, "");
        (response.status, body(&response))
    }

    fn with_token(&mut self, target: &str, token: &str) -> (u16, Value) {
        let sign = if target.contains('?') { '&' } else { '?' };
        self.ask(&format!("{target}{sign}access_token={}", percent(token)))
    }

    /// A call with the person's token.
    fn mine(&mut self, target: &str) -> (u16, Value) {
        self.with_token(target, &self.person.clone())
    }

    /// A call with the page's token.
    fn pages(&mut self, target: &str) -> (u16, Value) {
        self.with_token(target, &self.page.clone())
    }

    fn good(&mut self, target: &str) -> Value {
        let (status, body) = self.pages(target);
        assert_eq!(status, 200, "{target}: {body}");
        body
    }

    /// An address out of `paging`.
    fn follow(&mut self, link: &Value) -> Value {
        let target = link.as_str().unwrap().strip_prefix("https://graph.facebook.com").unwrap().to_owned();
        let (status, body) = self.ask(&target);
        assert_eq!(status, 200, "{target}: {body}");
        body
    }

    /// What leads to the dialog, and its answer there.
    fn dialog(&mut self, more: &str, answer: &str) -> Response {
        let target = format!("/v25.0/dialog/oauth?client_id={APP}&redirect_uri={}{more}", percent(BACK));
        self.answer(if answer.is_empty() { Method::Get } else { Method::Post }, &target, answer)
    }

    /// A code of somebody who has allowed these scopes.
    fn code(&mut self, scopes: &str) -> String {
        let response = self.dialog(&format!("&scope={scopes}&state=x"), "answer=allow");
        let back = header(&response, "Location").unwrap().to_owned();
        unpercent_text(back.split("code=").nth(1).unwrap().split('&').next().unwrap(), true)
    }

    fn exchange(&mut self, more: &str) -> (u16, Value) {
        let paper = "client_secret=played-app-secret";
        self.ask(&format!("/v25.0/oauth/access_token?client_id={APP}&{paper}&{more}"))
    }

    fn redeem(&mut self, code: &str) -> (u16, Value) {
        self.exchange(&format!("redirect_uri={}&code={code}", percent(BACK)))
    }

    fn debug(&mut self, token: &str) -> Value {
        let app = percent(&format!("{APP}|played-app-secret"));
        let (status, body) = self.ask(&format!("/debug_token?input_token={}&access_token={app}", percent(token)));
        assert_eq!(status, 200, "{body}");
        body["data"].clone()
    }

    fn ids(&mut self, target: &str) -> Vec<String> {
        ids(&self.good(target))
    }
}

fn ids(body: &Value) -> Vec<String> {
    body["data"].as_array().unwrap().iter().map(|post| post["id"].as_str().unwrap().to_owned()).collect()
}

fn token_of(body: &Value) -> String {
    body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

/// Code and subcode of an error.
fn codes((status, body): &(u16, Value)) -> (u16, u64, u64) {
    let error = &body["error"];
    (*status, error["code"].as_u64().unwrap_or_else(|| panic!("{body}")), error["error_subcode"].as_u64().unwrap_or(0))
}

// ---- the samples ----

/// What differs between two values: members that only one has, kinds that are not the same. An item of a list has what
/// every item of the sample's list has, and nothing that none of them has.
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
        (Value::Array(is), Value::Array(should)) => {
            let like = should.iter().cloned().fold(Value::Null, merged);
            let optional = |name: &str| should.iter().any(|item| item.get(name).is_none());
            for item in is {
                let mut in_it = Vec::new();
                differences(item, &like, "", &mut in_it);
                in_it.retain(|what| {
                    let missing = what.strip_suffix(" missing").and_then(|what| what.strip_prefix('.'));
                    !missing.is_some_and(optional)
                });
                found.extend(in_it.into_iter().map(|what| format!("{path}[]{what}")));
            }
            if path == ".data" && is.is_empty() != should.is_empty() {
                found.push(format!("{path}: {} in it", is.len()));
            }
        }
        (Value::Number(is), Value::Number(should)) if is.is_i64() == should.is_i64() => {}
        (Value::String(_), Value::String(_)) | (Value::Bool(_), Value::Bool(_)) => {}
        _ => found.push(format!("{path}: {is}, should be like {should}")),
    }
}

/// All members of both.
fn merged(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            for (name, value) in other {
                let known = one.remove(&name).unwrap_or(Value::Null);
                one.insert(name, merged(known, value));
            }
            Value::Object(one)
        }
        (Value::Array(one), Value::Array(other)) => Value::Array([one, other].concat()),
        (Value::Null, other) => other,
        (one, _) => one,
    }
}

#[track_caller]
fn like(is: &Value, name: &str) {
    let mut found = Vec::new();
    differences(is, &sample(name), "", &mut found);
    assert!(found.is_empty(), "{name}: {found:?}");
}

#[test]
fn what_papers_look_like() {
    let mut scene = Scene::new();
    let code = scene.code("pages_show_list,pages_read_engagement");
    let (status, short) = scene.redeem(&code);
    assert_eq!((status, &short["expires_in"]), (200, &json!(5400)));
    like(&short, "oauth_token.json");
    let (_, long) = scene.exchange(&format!("grant_type=fb_exchange_token&fb_exchange_token={}", token_of(&short)));
    assert_eq!(long["expires_in"], sample("oauth_token_long_lived.json")["expires_in"]);
    like(&long, "oauth_token_long_lived.json");
    let (_, app) = scene.exchange("grant_type=client_credentials");
    like(&app, "oauth_app_token.json");
    assert!(token_of(&app).starts_with(&format!("{APP}|")));

    let long = scene.debug(&token_of(&long));
    assert_eq!(long, sample("debug_token.json")["data"], "to the last member, at the sample's moment");
    let page = scene.page.clone();
    let page = scene.debug(&page);
    like(&json!({ "data": page }), "debug_token_page.json");
    let known = sample("debug_token_page.json")["data"].clone();
    for name in ["type", "expires_at", "issued_at", "data_access_expires_at", "profile_id", "user_id"] {
        assert_eq!(page[name], known[name], "{name}");
    }
    scene.wait(5400);
    let over = scene.debug(&token_of(&short));
    like(&json!({ "data": over }), "debug_token_invalid.json");
    assert_eq!(over["error"], sample("debug_token_invalid.json")["data"]["error"]);
    let (_, accounts) = scene.mine("/me/accounts");
    like(&accounts, "me_accounts.json");
    assert_eq!(accounts["data"][0]["tasks"], sample("me_accounts.json")["data"][0]["tasks"]);
}

#[test]
fn what_a_feed_looks_like() {
    let mut scene = Scene::with(Settings { gaps: true, ..settings() });
    scene.wait(10 * HOUR);
    let fields = percent(ALL_FIELDS);
    // Long enough to have each kind: with a text and without, with shares and without.
    let first = scene.good(&format!("/v25.0/{PAGE}/feed?fields={fields}&since=1756000000&limit=100"));
    like(&first, "page_feed_page1.json");
    let has = |name: &str| first["data"].as_array().unwrap().iter().filter(|post| post.get(name).is_some()).count();
    assert!((1..100).contains(&has("message")) && (1..100).contains(&has("shares")) && has("comments") == 100);
    let next = first["paging"]["next"].as_str().unwrap();
    let start = format!("https://graph.facebook.com/v25.0/{PAGE}/feed?access_token={}&fields={fields}", scene.page);
    assert_eq!(
        next,
        format!("{start}&since=1756000000&limit=100&after={}", first["paging"]["cursors"]["after"].as_str().unwrap())
    );
    let second = scene.follow(&first["paging"]["next"]);
    like(&second, "page_feed_page2_empty_with_next.json");
    let third = scene.follow(&second["paging"]["next"]);
    assert!(!third["data"].as_array().unwrap().is_empty() && third["paging"].get("next").is_none());
    let mut whole = scene.good(&format!("/v25.0/{PAGE}/feed?fields={fields}&since=2025-11-10"));
    // The sample's only post has a text, comments, and no shares.
    let posts = whole["data"].as_array_mut().unwrap();
    posts.retain(|post| post.get("message").is_some() && post.get("shares").is_none());
    posts.retain(|post| post["comments"]["data"] != json!([]));
    like(&whole, "page_feed_page3_last.json");
}

#[test]
fn what_groups_looked_like() {
    let mut scene = Scene::with(Settings { groups: Group::recorded(), ..settings() });
    scene.wait(10 * HOUR);
    let (status, first) = scene.mine(&format!("/v8.0/{PERSON}/groups?limit=2"));
    assert_eq!((status, &first["data"]), (200, &sample("legacy_user_groups_page1.json")["data"]));
    like(&first, "legacy_user_groups_page1.json");
    let second = scene.follow(&first["paging"]["next"]);
    like(&second, "legacy_user_groups_page2.json");

    let fields = percent("message,permalink_url,shares,comments");
    let since = MIDNIGHT.seconds() - 60 * DAY as i64;
    let (_, mut feed) = scene.mine(&format!("/v8.0/{GROUP}/feed?fields={fields}&since={since}"));
    assert_eq!(feed["data"].as_array().unwrap().len(), 25);
    like(&feed, "legacy_group_feed.json");
    let link = feed["data"][0]["permalink_url"].as_str().unwrap().to_owned();
    let number = feed["data"][0]["id"].as_str().unwrap().strip_prefix(&format!("{GROUP}_")).unwrap().to_owned();
    assert_eq!(link, format!("https://www.facebook.com/groups/{GROUP}/permalink/{number}/"));
    let mut all = ids(&feed);
    for _ in 0..10 {
        let next = feed["paging"]["next"].clone();
        feed = scene.follow(&next);
        if feed == sample("legacy_group_feed_end.json") {
            let (_, whole) = scene.mine(&format!("/{GROUP}/feed?since={since}&limit=100"));
            assert!(all.len() < 100);
            assert_eq!(all, ids(&whole), "nothing is told twice, and nothing is left out");
            return;
        }
        all.extend(ids(&feed));
    }
    panic!("no end");
}

/// Without white space between the members, and without what is drawn.
fn bare(text: &str) -> String {
    let mut quoted = false;
    let kept: String = text
        .chars()
        .filter(|sign| {
            quoted ^= *sign == '"';
            quoted || !sign.is_whitespace()
        })
        .collect();
    let (before, after) = kept.split_once("\"fbtrace_id\":\"").unwrap();
    let (trace, rest) = after.split_once('"').unwrap();
    assert!(trace.len() == 11 && trace.starts_with('A') && trace.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    format!("{before}{rest}")
}

#[track_caller]
fn same(response: &Response, status: u16, name: &str) {
    let text = std::str::from_utf8(&response.body).unwrap();
    assert_eq!((response.status, bare(text)), (status, bare(&sample_text(name))), "{name}");
    assert_eq!(response.content_type, "application/json");
}

#[test]
fn a_refusal_is_told_byte_for_byte() {
    let mut scene = Scene::with(Settings { short_life: Duration::from_secs(DAY), data_max: 500, ..settings() });
    let code = scene.code("");
    scene.redeem(&code);
    let get = |scene: &mut Scene, target: &str| scene.answer(Method::Get, target, "");
    let papers = format!("client_id={APP}&client_secret=played-app-secret");
    let target = format!("/oauth/access_token?{papers}&redirect_uri={}&code={code}", percent(BACK));
    same(&get(&mut scene, &target), 400, "oauth_error_code_used.json");
    let code = scene.code("");
    let target = format!("/oauth/access_token?{papers}&redirect_uri={}/&code={code}", percent(BACK));
    same(&get(&mut scene, &target), 400, "oauth_error_redirect_uri.json");

    let (person, page) = (scene.person.clone(), scene.page.clone());
    let target = format!("/v25.0/{GROUP}/feed?access_token={person}");
    same(&get(&mut scene, &target), 400, "error_100_groups_gone.json");
    let target = format!("/v25.0/{FOREIGN}/feed?access_token={page}");
    same(&get(&mut scene, &target), 403, "error_10_permission.json");
    let target = format!("/{PAGE}/feed?limit=100&fields={}&access_token={page}", percent(ALL_FIELDS));
    same(&get(&mut scene, &target), 500, "error_1_too_much_data.json");

    // A token of the day before, a second after its end.
    let mut scene = Scene::at(
        Settings { short_life: Duration::from_secs(DAY), calls_per_hour: 1, ..settings() },
        Moment(MIDNIGHT.0 - 2 * 1000 * DAY as i64),
    );
    let code = scene.code("");
    let short = token_of(&scene.redeem(&code).1);
    scene.now = Moment(MIDNIGHT.0 + 1000);
    same(&get(&mut scene, &format!("/me?access_token={short}")), 401, "error_190_expired.json");
    assert_eq!(scene.mine("/me").0, 200);
    let target = format!("/me?access_token={}", scene.person);
    same(&get(&mut scene, &target), 403, "error_4_app_limit.json");
    let broken = scene.twin.meets(Mishap::Broken, &request(Method::Get, &target, &[], ""), scene.now);
    same(&broken, 500, "error_2_service.json");
}

#[test]
fn every_sample_is_compared_with_something() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/graph");
    let text = include_str!("graph_twin.rs");
    let there: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there.len(), 23);
    for name in there {
        assert!(text.contains(&format!("\"{name}\"")), "{name}");
    }
}

// ---- the login ----

#[test]
fn the_dialog_says_who_wants_what_of_whom_and_can_be_read_by_a_browser() {
    let mut scene = Scene::with(Settings { app_name: "<b>Digest & Co</b>".to_owned(), ..settings() });
    let shown = scene.dialog("&scope=pages_show_list,pages_read_engagement,public_profile&state=x", "");
    let page = String::from_utf8(shown.body.to_vec()).unwrap();
    assert_eq!((shown.status, shown.content_type), (200, "text/html; charset=utf-8"));
    for word in ["&lt;b&gt;Digest &amp; Co&lt;/b&gt;", "Ada Example", "pages_show_list", "pages_read_engagement"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(!page.contains("<b>Digest") && !page.contains("value=\"public_profile\""), "{page}");
    assert!(page.contains("<form method=\"post\">"), "the answer goes to the same address");
    for answer in ["allow", "deny"] {
        assert!(page.contains(&format!("<button name=\"answer\" value=\"{answer}\">")), "{page}");
    }
    assert!(!page.contains("src=") && !page.contains("href=") && !page.contains("<script"), "it needs nothing else");
    for (name, value) in
        [("X-Frame-Options", "DENY"), ("Cache-Control", "no-store"), ("Referrer-Policy", "same-origin")]
    {
        assert_eq!(header(&shown, name), Some(value));
    }
    let policy = header(&shown, "Content-Security-Policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("form-action"), "some browsers would stop at the way back: {policy}");
    assert_eq!(header(&shown, "Location"), None);
}

#[test]
fn an_answer_leads_back_as_the_samples_have_it() {
    let mut scene = Scene::new();
    let told = |response: &Response| {
        assert_eq!(response.status, 302);
        header(response, "Location").unwrap().strip_prefix("http://127.0.0.1:3000").unwrap().to_owned()
    };
    let cases = sample("dialog_redirects.json");
    let target = |name: &str| {
        let cases = cases.as_array().unwrap();
        let case = cases.iter().find(|case| case["name"] == name).unwrap();
        case["request_target"].as_str().unwrap().to_owned()
    };
    assert_eq!(told(&scene.dialog("&state=f3b1c2d4e5", "answer=deny")), target("refused"));
    let granted = told(&scene.dialog("&state=f3b1c2d4e5", "answer=allow"));
    let code = granted.strip_prefix("/fb_login_redirect?code=").unwrap().strip_suffix("&state=f3b1c2d4e5").unwrap();
    assert_eq!(granted.replace(code, "AQDexample"), target("granted"));
    assert!(code.starts_with("AQD") && code.len() > 20);
    assert!(told(&scene.dialog("&state=a%26b%3D%0d%0a%22", "answer=allow")).ends_with("&state=a%26b%3D%0D%0A%22"));
    let granted = told(&scene.dialog("", "answer=allow"));
    assert_eq!(granted.replace(granted.split("code=").nth(1).unwrap(), "AQDexample"), target("no state"));
    let other = percent("https://bots.example.org/back?from=fb");
    for version in ["", "/v8.0", "/v26.0"] {
        let target = format!("{version}/dialog/oauth?client_id={APP}&redirect_uri={other}&response_type=code&state=1");
        let response = scene.answer(Method::Post, &target, "answer=deny");
        let back = header(&response, "Location").unwrap();
        assert!(back.starts_with("https://bots.example.org/back?from=fb&error_reason=user_denied&"), "{back}");
    }
    assert_eq!(scene.dialog("", "answer=perhaps").status, 400);
    assert_eq!(scene.dialog("", "x=y").status, 400);
}

#[test]
fn a_login_that_is_not_right_leads_nowhere() {
    let mut scene = Scene::new();
    let uri = percent(BACK);
    let wrong = [
        format!("redirect_uri={uri}"),
        format!("client_id=1&redirect_uri={uri}"),
        format!("client_id={APP}"),
        format!("client_id={APP}&redirect_uri={uri}%2F"),
        format!("client_id={APP}&redirect_uri={}", percent(&BACK.to_uppercase())),
        format!("client_id={APP}&redirect_uri={}", percent("http://127.0.0.1:3000/")),
        format!("client_id={APP}&redirect_uri={uri}%0d%0aX:%20y"),
        format!("client_id={APP}&redirect_uri={uri}&response_type=token"),
        format!("client_id={APP}&redirect_uri={uri}&scope=user_shoe_size"),
        format!("client_id={APP}&redirect_uri={uri}&scope=pages_show_list,groups_show_list"),
        format!("client_id={APP}&redirect_uri={uri}&scope=%3Cscript%3E"),
    ];
    for query in &wrong {
        for (method, form) in [(Method::Get, ""), (Method::Post, "answer=allow"), (Method::Post, "answer=deny")] {
            let response = scene.answer(method, &format!("/dialog/oauth?{query}"), form);
            assert_eq!((response.status, response.content_type), (400, "text/html; charset=utf-8"), "{query}");
            assert_eq!(header(&response, "Location"), None, "{query}");
            assert!(!String::from_utf8_lossy(&response.body).contains("<script"), "{query}");
        }
    }
    let response = scene.answer(Method::Put, &format!("/dialog/oauth?client_id={APP}&redirect_uri={uri}"), "");
    assert_eq!((response.status, header(&response, "Allow")), (405, Some("GET, POST")));
    // With recorded groups their scope is known again.
    let mut scene = Scene::with(Settings { groups: Group::recorded(), ..settings() });
    assert_eq!(scene.dialog("&scope=groups_show_list", "").status, 200);
}

#[test]
fn somebody_may_leave_a_scope_out() {
    let mut scene = Scene::new();
    let response =
        scene.dialog("&scope=pages_show_list%20pages_read_engagement,email", "without=email&without=x&answer=allow");
    let code = header(&response, "Location").unwrap().split("code=").nth(1).unwrap().to_owned();
    let token = token_of(&scene.redeem(&code).1);
    assert_eq!(scene.debug(&token)["scopes"], json!(["pages_show_list", "pages_read_engagement", "public_profile"]));
}

#[test]
fn what_is_ticked_in_the_form_is_granted_and_all_of_it_is_ticked_at_first() {
    let scopes = "&scope=pages_show_list,email";
    let form = String::from_utf8(Scene::new().dialog(scopes, "").body.into_owned()).unwrap();
    let box_of = |scope: &str| format!("<input type=\"checkbox\" name=\"with\" value=\"{scope}\" checked>");
    assert!(form.contains(&box_of("pages_show_list")) && form.contains(&box_of("email")), "{form}");
    assert!(form.contains("<input type=\"hidden\" name=\"boxes\" value=\"1\">"), "{form}");
    for (ticked, granted) in [
        ("&with=pages_show_list&with=email", json!(["pages_show_list", "email", "public_profile"])),
        ("&with=email", json!(["email", "public_profile"])),
        ("", json!(["public_profile"])),
    ] {
        let mut scene = Scene::new();
        let response = scene.dialog(scopes, &format!("boxes=1{ticked}&answer=allow"));
        let code = header(&response, "Location").unwrap().split("code=").nth(1).unwrap().to_owned();
        let token = token_of(&scene.redeem(&code).1);
        assert_eq!(scene.debug(&token)["scopes"], granted, "{ticked}");
    }
}

#[test]
fn a_code_works_once_and_briefly_and_for_the_app_only() {
    let mut scene = Scene::new();
    let uri = percent(BACK);
    let code = scene.code("");
    let good = format!("client_id={APP}&redirect_uri={uri}&client_secret=played-app-secret&code={code}");
    for (from, to, expected) in [
        ("client_id=4", "client_id=5", (400, 101, 0)),
        ("client_id=", "x=", (400, 101, 0)),
        ("played-app-secret", "other", (400, 1, 0)),
        ("client_secret=", "x=", (400, 1, 0)),
        ("redirect_uri=", "x=", (400, 191, 0)),
        ("&code=", "&x=", (400, 1, 0)),
        ("code=AQD", "code=AQE", (400, 100, 0)),
        ("&code=", "&grant_type=password&code=", (400, 100, 0)),
    ] {
        let answer = scene.ask(&format!("/oauth/access_token?{}", good.replacen(from, to, 1)));
        assert_eq!(codes(&answer), expected, "{from} as {to}: {}", answer.1);
    }
    // In a form it is taken too.
    let answer = scene.answer(Method::Post, "/v25.0/oauth/access_token", &good);
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
    let token = token_of(&body(&answer));
    assert_eq!(codes(&scene.redeem(&code)), (400, 100, 36009));
    assert_eq!(scene.with_token("/me", &token), (200, json!({ "name": "Ada Example", "id": PERSON })));

    let late = scene.code("");
    scene.wait(600);
    assert_eq!(codes(&scene.redeem(&late)), (400, 100, 36007));
    let late = scene.code("");
    scene.wait(599);
    assert_eq!(scene.redeem(&late).0, 200);
    let elsewhere = scene.code("");
    let other = percent("https://bots.example.org/back?from=fb");
    assert_eq!(codes(&scene.exchange(&format!("redirect_uri={other}&code={elsewhere}"))), (400, 100, 36008));
    assert_eq!(codes(&scene.redeem(&elsewhere)), (400, 100, 36009), "whatever came of it, it was used");
}

// ---- tokens ----

/// A person's token of a fresh login.
fn short(scene: &mut Scene) -> String {
    let code = scene.code("pages_show_list,pages_read_engagement,pages_read_user_content");
    token_of(&scene.redeem(&code).1)
}

fn long(scene: &mut Scene, token: &str) -> (u16, Value) {
    scene.exchange(&format!("grant_type=fb_exchange_token&fb_exchange_token={token}"))
}

/// The token of the first page, as this person gets it.
fn page_of(scene: &mut Scene, token: &str) -> String {
    token_of(&scene.with_token("/me/accounts", token).1["data"][0])
}

#[test]
fn tokens_end_with_their_time_and_a_pages_token_with_that_of_a_short_one() {
    let mut scene = Scene::new();
    let brief = short(&mut scene);
    let lasting = token_of(&long(&mut scene, &brief).1);
    let (page_of_brief, page_of_lasting) = (page_of(&mut scene, &brief), page_of(&mut scene, &lasting));
    assert_eq!(page_of(&mut scene, &lasting), page_of_lasting, "asked twice, it is the same");
    assert!(page_of_brief != page_of_lasting && brief != lasting);
    assert_eq!(scene.debug(&page_of_brief)["expires_at"], scene.debug(&brief)["expires_at"]);
    assert_eq!(scene.debug(&page_of_lasting)["expires_at"], 0);
    let good = |scene: &mut Scene, token: &str| {
        let (answer, told) = (scene.with_token("/me", token), scene.debug(token));
        assert_eq!(told["is_valid"], answer.0 == 200);
        if answer.0 != 200 {
            assert_eq!((codes(&answer), &told["error"]["subcode"]), ((401, 190, 463), &json!(463)));
        }
        answer.0 == 200
    };
    scene.wait(5399);
    assert!(good(&mut scene, &brief) && good(&mut scene, &page_of_brief));
    scene.wait(1);
    assert!(!good(&mut scene, &brief) && !good(&mut scene, &page_of_brief));
    assert_eq!(codes(&long(&mut scene, &brief)), (401, 190, 463), "what is over cannot be exchanged");
    scene.wait(60 * DAY - 5401);
    assert!(good(&mut scene, &lasting));
    scene.wait(1);
    assert!(!good(&mut scene, &lasting) && good(&mut scene, &page_of_lasting));
    scene.wait(400 * DAY);
    assert!(good(&mut scene, &page_of_lasting), "it has no date");
    // A login again does not bring the old ones back.
    let again = short(&mut scene);
    assert!(good(&mut scene, &again) && !good(&mut scene, &lasting));
}

#[test]
fn how_long_a_long_token_lives_may_be_left_unsaid() {
    let mut scene = Scene::with(Settings { tells_life: false, ..settings() });
    let brief = short(&mut scene);
    let (_, told) = long(&mut scene, &brief);
    assert_eq!(told, json!({ "access_token": told["access_token"], "token_type": "bearer" }));
    assert_eq!(scene.debug(&token_of(&told))["expires_at"], MIDNIGHT.seconds() + 60 * DAY as i64);
    // The data may be read from the login on for so long, and not from the exchange on.
    let login = scene.debug(&brief)["data_access_expires_at"].clone();
    scene.wait(HOUR);
    let later = token_of(&long(&mut scene, &brief).1);
    assert_eq!(scene.debug(&later)["data_access_expires_at"], login);
    let page = scene.page.clone();
    assert_eq!(codes(&long(&mut scene, &page)), (400, 100, 0), "a page's token cannot be exchanged");
    assert_eq!(codes(&long(&mut scene, "EAAGx")), (401, 190, 0));
}

#[test]
fn what_a_person_does_ends_tokens_and_graph_says_why() {
    for (deed, subcode) in [(Deed::Revoke, 458), (Deed::Password, 460)] {
        let mut scene = Scene::new();
        let (brief, code) = (short(&mut scene), scene.code(""));
        scene.twin.deed(&deed, scene.now).unwrap();
        for token in [brief, scene.person.clone(), scene.page.clone()] {
            assert_eq!(codes(&scene.with_token("/me", &token)), (401, 190, subcode), "{deed:?}");
            let told = scene.debug(&token);
            assert_eq!((&told["is_valid"], &told["error"]["subcode"]), (&json!(false), &json!(subcode)));
            assert_eq!(told["user_id"], PERSON);
        }
        assert_ne!(scene.redeem(&code).0, 200, "a code that waits ends too");
        let again = short(&mut scene);
        assert_eq!(scene.with_token("/me", &again).0, 200);
    }
    let mut scene = Scene::new();
    let cafe = scene.twin.page_token(CAFE, SCOPES, scene.now).unwrap();
    let role = |source: &str| Deed::Dismiss { source: source.to_owned() };
    scene.twin.deed(&role(PAGE), scene.now).unwrap();
    assert_eq!(codes(&scene.pages("/me")), (401, 190, 492));
    assert_eq!(scene.with_token("/me", cafe.expose()), (200, json!({ "name": "Two Cups & a Spoon", "id": CAFE })));
    let names = |scene: &mut Scene| ids(&scene.mine("/me/accounts").1);
    assert_eq!(names(&mut scene), [CAFE]);
    assert!(scene.twin.page_token(PAGE, SCOPES, scene.now).is_none());
    scene.twin.deed(&Deed::Recover { source: PAGE.to_owned() }, scene.now).unwrap();
    assert_eq!(names(&mut scene), [PAGE, CAFE]);
    assert_eq!(codes(&scene.pages("/me")), (401, 190, 492), "the old one stays over");
    let person = scene.person.clone();
    let again = page_of(&mut scene, &person);
    assert_eq!(scene.with_token("/me", &again).1["id"], PAGE);
    assert!(scene.twin.deed(&role("1"), scene.now).unwrap_err().contains("there is no page \"1\""));
    assert!(scene.twin.deed(&Deed::Silence { source: PAGE.to_owned() }, scene.now).is_err());
    assert!(scene.twin.act(&Act::Tap { conversation: "1".into(), bubble: "1".into(), choice: 0 }, scene.now).is_err());
}

#[test]
fn only_the_app_may_ask_what_a_token_is() {
    let mut scene = Scene::new();
    let (person, page) = (scene.person.clone(), scene.page.clone());
    let app = token_of(&scene.exchange("grant_type=client_credentials").1);
    let target = format!("/v25.0/debug_token?input_token={page}");
    assert_eq!(scene.with_token(&target, &app).1["data"]["is_valid"], true);
    assert_eq!(codes(&scene.with_token(&target, &person)), (400, 100, 0));
    assert_eq!(codes(&scene.with_token(&target, &format!("{APP}|other"))), (401, 190, 0));
    assert_eq!(codes(&scene.with_token("/debug_token", &app)), (400, 100, 0));
    assert_eq!(codes(&scene.ask(&target)), (400, 104, 0));
    let unknown = scene.debug("EAAGnobody");
    assert_eq!((&unknown["is_valid"], &unknown["error"]["code"]), (&json!(false), &json!(190)));
    assert_eq!(scene.debug(&app)["type"], "APP");
    assert_eq!(codes(&scene.with_token("/me", &app)), (400, 2500, 0), "an app is nobody");
    assert_eq!(codes(&scene.with_token(&format!("/{PAGE}/feed"), &app)), (403, 10, 0));
}

#[test]
fn a_token_is_wanted_in_the_query_or_behind_bearer() {
    let mut scene = Scene::new();
    assert_eq!(codes(&scene.ask("/me")), (400, 104, 0));
    assert_eq!(codes(&scene.ask("/me?access_token=")), (400, 104, 0));
    assert_eq!(codes(&scene.with_token("/me", "EAAGx")), (401, 190, 0));
    let bearer = format!("Bearer {}", scene.person);
    let with = |value: &str| request(Method::Get, "/me?access_token=x", &[("Authorization", value)], "");
    assert_eq!(scene.twin.answer(&with(&bearer), scene.now).response.status, 200);
    assert_eq!(scene.twin.answer(&with("Basic eDp5"), scene.now).response.status, 401);
}

/// As messenger.md §6 has it.
fn proof(message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"played-app-secret");
    hex(hmac::sign(&key, message.as_bytes()).as_ref())
}

#[test]
fn a_proof_must_be_right_and_there_where_the_app_wants_it() {
    let wrong = "Invalid appsecret_proof provided in the API argument";
    let missing = "API calls from the server require an appsecret_proof argument";
    for requires in [false, true] {
        let mut scene = Scene::with(Settings { requires_proof: requires, gaps: true, ..settings() });
        let (person, page, now) = (scene.person.clone(), scene.page.clone(), scene.now.seconds());
        let words = |answer: (u16, Value)| {
            let error = answer.1["error"].clone();
            assert!(
                error.is_null() || (&error["code"], &error["type"]) == (&json!(100), &json!("GraphMethodException"))
            );
            error["message"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!(words(scene.mine("/me")), if requires { missing } else { "" });
        assert_eq!(words(scene.mine(&format!("/me?appsecret_proof={}", proof(&person)))), "");
        assert_eq!(
            words(scene.mine(&format!("/me?appsecret_proof={}", proof(&page)))),
            wrong,
            "each token has its own"
        );
        let timed = |at: i64| {
            let proof = proof(&format!("{person}|{at}"));
            format!("/me?appsecret_proof={proof}&appsecret_time={at}")
        };
        assert_eq!(words(scene.mine(&timed(now - 300))), "");
        assert_eq!(words(scene.mine(&timed(now - 301))), wrong);
        assert_eq!(words(scene.mine(&format!("{}x", timed(now)))), wrong);
        // The app's own token shows that it has the secret.
        assert_eq!(scene.debug(&person)["is_valid"], true);
        // The next page's address has the token in it and no proof.
        let feed = format!("/{PAGE}/feed?limit=1&appsecret_proof={}", proof(&page));
        let next = scene.good(&feed)["paging"]["next"].as_str().unwrap().to_owned();
        assert!(!next.contains("appsecret"), "{next}");
        let next = next.strip_prefix("https://graph.facebook.com").unwrap();
        assert_eq!(words(scene.ask(next)), if requires { missing } else { "" });
        assert_eq!(words(scene.ask(&format!("{next}&appsecret_proof={}", proof(&page)))), "");
    }
}

// ---- pages ----

#[test]
fn pages_are_listed_with_their_tokens_for_who_may_see_them() {
    let mut scene = Scene::new();
    let (_, all) = scene.mine("/me/accounts");
    assert_eq!(ids(&all), [PAGE, CAFE], "and not one without a role");
    assert!(all["paging"].get("next").is_none());
    let (_, first) = scene.mine(&format!("/{PERSON}/accounts?limit=1&fields=name,access_token"));
    assert_eq!(first["data"].as_array().unwrap().len(), 1);
    assert_eq!(first["data"][0].as_object().unwrap().keys().collect::<Vec<_>>(), ["access_token", "id", "name"]);
    let second = scene.follow(&first["paging"]["next"]);
    assert_eq!(ids(&second), [CAFE]);
    assert!(second["data"][0].get("tasks").is_none() && second["paging"].get("next").is_none());
    assert_eq!(ids(&scene.follow(&second["paging"]["previous"])), [PAGE]);
    for token in [token_of(&all["data"][0]), token_of(&first["data"][0])] {
        assert_eq!(scene.with_token("/me?fields=id", &token), (200, json!({ "id": PAGE })));
    }
    let blind = scene.twin.person_token(&["pages_read_engagement"], scene.now);
    assert_eq!(scene.with_token("/me/accounts", blind.expose()), (200, json!({ "data": [] })));
    assert_eq!(codes(&scene.mine("/me/accounts?fields=name,secrets")), (400, 100, 0));
    assert_eq!(codes(&scene.pages("/me/accounts")), (400, 100, 0));
}

#[test]
fn what_is_not_there_or_not_to_be_done_is_told_as_graph_does() {
    let mut scene = Scene::new();
    for target in ["/1/feed", &format!("/{GROUP}/feed"), &format!("/{PERSON}/groups"), "/me/groups", "/nobody", "/"] {
        assert_eq!(codes(&scene.mine(target)), (400, 100, 33), "{target}");
    }
    for target in ["/me/friends", "/me/accounts/x", &format!("/{PAGE}/photos"), &format!("/{PAGE}/feed/x"), "/v27.0/me"]
    {
        assert_eq!(codes(&scene.mine(target)), (400, 2500, 0), "{target}");
    }
    assert_eq!(codes(&scene.mine("/me?fields=shoes")), (400, 100, 0));
    assert_eq!(codes(&scene.pages(&format!("/v26.0/{PAGE}/feed?date_format=U"))), (400, 100, 0));
    let target = format!("/{PAGE}/feed?access_token={}", scene.page);
    for (method, word) in [(Method::Post, "post"), (Method::Delete, "delete")] {
        let refused = body(&scene.answer(method, &target, "message=hi"));
        let told = refused["error"]["message"].as_str().unwrap();
        assert!(told.starts_with(&format!("Unsupported {word} request. Object with ID '{PAGE}'")), "{told}");
    }
}

#[test]
fn an_ended_version_is_served_by_the_oldest_that_lives() {
    let mut scene = Scene::new();
    let served = |scene: &mut Scene, asked: &str| {
        let next = scene.good(&format!("{asked}/{PAGE}/feed?limit=1"))["paging"]["next"].as_str().unwrap().to_owned();
        next.strip_prefix("https://graph.facebook.com/").unwrap().split('/').next().unwrap().to_owned()
    };
    for (asked, expected) in [("", "v21.0"), ("/v8.0", "v21.0"), ("/v21.0", "v21.0"), ("/v26.0", "v26.0")] {
        assert_eq!(served(&mut scene, asked), expected, "{asked}");
    }
    // 21 January 2027.
    scene.now = Moment(1_800_489_600_000 - 1);
    assert_eq!(served(&mut scene, ""), "v21.0");
    scene.now = Moment(1_800_489_600_000);
    assert_eq!((served(&mut scene, "/v21.0"), served(&mut scene, "/v23.0")), ("v22.0".into(), "v23.0".into()));
}

#[test]
fn a_feed_needs_the_pages_token_and_its_permissions() {
    let mut scene = Scene::new();
    let feed = format!("/{PAGE}/feed");
    assert_eq!(codes(&scene.mine(&feed)), (403, 10, 0));
    let cafe = scene.twin.page_token(CAFE, SCOPES, scene.now).unwrap();
    assert_eq!(codes(&scene.with_token(&feed, cafe.expose())), (403, 10, 0));
    let own = scene.twin.page_token(PAGE, &["pages_read_engagement"], scene.now).unwrap();
    for edge in ["posts", "published_posts"] {
        assert_eq!(scene.with_token(&format!("/{PAGE}/{edge}"), own.expose()).0, 200);
        assert_eq!(scene.with_token(&format!("/me/{edge}"), own.expose()).0, 200);
    }
    let refused = scene.with_token(&feed, own.expose());
    assert!(refused.0 == 403 && refused.1["error"]["message"].as_str().unwrap().contains("'pages_read_user_content'"));
    let messenger = scene.twin.page_token(PAGE, &["pages_messaging"], scene.now).unwrap();
    assert_eq!(codes(&scene.with_token(&format!("/{PAGE}/posts"), messenger.expose())), (403, 10, 0));
    scene.wait(11 * HOUR);
    let (all, own) = (scene.ids(&format!("{feed}?limit=100")), scene.ids(&format!("/{PAGE}/posts?limit=100")));
    let foreign = all.iter().filter(|id| !own.contains(id)).count();
    assert!((1..50).contains(&foreign) && own.len() == 100, "visitors write in the feed only");
    assert_eq!(own, scene.ids(&format!("/{PAGE}/published_posts?limit=100")));
}

#[test]
fn cursors_lead_through_the_whole_list_and_back_with_or_without_empty_pages() {
    for gaps in [false, true] {
        let mut scene = Scene::with(Settings { gaps, ..settings() });
        let whole = scene.ids(&format!("/{PAGE}/feed?since=2025-10-20&limit=100"));
        assert!((20..100).contains(&whole.len()));
        let mut page = scene.good(&format!("/v25.0/{PAGE}/feed?since=2025-10-20&limit=7&fields=id"));
        let (mut told, mut empty) = (ids(&page), 0);
        while let Some(next) = page["paging"].get("next").cloned() {
            page = scene.follow(&next);
            assert!(page["data"].as_array().unwrap().len() <= 7 && empty < 2);
            empty += usize::from(ids(&page).is_empty());
            told.extend(ids(&page));
        }
        assert_eq!((&told, empty), (&whole, usize::from(gaps)));
        let mut back = ids(&page);
        while let Some(previous) = page["paging"].get("previous").cloned() {
            page = scene.follow(&previous);
            back.splice(0..0, ids(&page));
        }
        assert_eq!(back, whole);
        // By hand, with the cursor instead of the address.
        let first = scene.good(&format!("/{PAGE}/feed?since=2025-10-20&limit=7"));
        let after = percent(first["paging"]["cursors"]["after"].as_str().unwrap());
        let by_hand = scene.good(&format!("/{PAGE}/feed?since=2025-10-20&limit=7&after={after}"));
        assert_eq!(ids(&by_hand), if gaps { vec![] } else { whole[7..14].to_vec() });
        assert_eq!(by_hand, scene.follow(&first["paging"]["next"]).clone(), "but for their addresses' versions");
    }
    let mut scene = Scene::new();
    for wrong in ["after=x", "before=eA%3D%3D", "after=Y3Vyc29yMQ%3D%3D"] {
        assert_eq!(codes(&scene.pages(&format!("/{PAGE}/feed?{wrong}"))), (400, 100, 0), "{wrong}");
    }
    let quiet = scene.good(&format!("/{PAGE}/feed?since=2026-01-01"));
    assert_eq!(quiet, json!({ "data": [] }), "nothing at all has no paging");
}

#[test]
fn a_feed_is_bounded_in_number_time_and_amount() {
    let mut scene = Scene::with(Settings { data_max: 500, ..settings() });
    let feed = format!("/{PAGE}/feed?fields=id");
    assert_eq!(scene.ids(&feed).len(), 25);
    assert_eq!(scene.ids(&format!("{feed}&limit=100")).len(), 100);
    for wrong in ["limit=101", "limit=0", "limit=-1", "limit=x", "since=monday", "until=-5", "since=2025-11-31"] {
        assert_eq!(codes(&scene.pages(&format!("{feed}&{wrong}"))), (400, 100, 0), "{wrong}");
    }
    let span = |since: i64, until: i64| format!("{feed}&since={since}&until={until}");
    let now = MIDNIGHT.seconds();
    assert_eq!(scene.pages(&span(now - 184 * 86_400, now)).0, 200);
    assert_eq!(codes(&scene.pages(&span(now - 184 * 86_400 - 1, now))), (400, 100, 0));
    assert_eq!(codes(&scene.pages(&span(now, now - 1))), (400, 100, 0));
    // A date is its midnight.
    let by_date = scene.ids(&format!("{feed}&since=2025-11-10&until=2025-11-17"));
    assert_eq!(by_date, scene.ids(&span(1_762_732_800, 1_763_337_600)));
    assert_eq!(by_date, scene.ids(&format!("{feed}&since=2025-11-10T00:00:00Z&until=2025-11-17T01:00:00%2B0100")));
    assert!(!by_date.is_empty());
    // Five fields of 100 posts are 500; one more is too much, and half of it is not.
    let five = "id,message,created_time,permalink_url,shares";
    let ask = |fields: &str, limit: usize| format!("/{PAGE}/feed?fields={}&limit={limit}", percent(fields));
    assert_eq!(scene.good(&ask(five, 100))["data"].as_array().unwrap().len(), 100);
    assert_eq!(codes(&scene.pages(&ask(ALL_FIELDS, 100))), (500, 1, 0));
    assert_eq!(scene.good(&ask(ALL_FIELDS, 50))["data"].as_array().unwrap().len(), 50);
    for wrong in
        ["id,shoes", "comments.summary(perhaps)", "comments.limit(101)", "comments{message}", "comments.limit(2"]
    {
        assert_eq!(codes(&scene.pages(&ask(wrong, 1))), (400, 100, 0), "{wrong}");
    }
}

// ---- posts ----

/// A year of posts, with all that is known of them.
fn year(scene: &mut Scene, page: &str) -> Vec<Value> {
    let token = scene.twin.page_token(page, SCOPES, scene.now).unwrap();
    let fields = percent(
        "id,created_time,updated_time,from,message,permalink_url,shares,comments.summary(true).limit(100),\
         reactions.summary(true).limit(0),likes.summary(true).limit(1)",
    );
    let (_, mut body) = scene.with_token(&format!("/{page}/feed?fields={fields}&limit=100"), token.expose());
    let mut posts = Vec::new();
    loop {
        posts.extend(body["data"].as_array().unwrap().clone());
        let Some(next) = body["paging"].get("next").cloned() else { return posts };
        body = scene.follow(&next);
    }
}

fn time(value: &Value) -> i64 {
    let text = value.as_str().unwrap();
    assert!(text.len() == 24 && text.ends_with("+0000"), "{text}");
    text.replace("+0000", "Z").parse::<Timestamp>().unwrap().as_second()
}

#[test]
fn a_page_posts_some_a_day_while_its_shop_is_open() {
    for (page, zone) in [(PAGE, "CET-1CEST,M3.5.0,M10.5.0/3"), (CAFE, "PST8PDT,M3.2.0,M11.1.0")] {
        let mut scene = Scene::new();
        let posts = year(&mut scene, page);
        assert!((450..700).contains(&posts.len()), "{}", posts.len());
        let times: Vec<i64> = posts.iter().map(|post| time(&post["created_time"])).collect();
        assert!(times.is_sorted_by(|a, b| a > b), "the newest first");
        let now = scene.now.seconds();
        assert!(times[0] <= now && now - times[0] < 4 * DAY as i64 && now - times.last().unwrap() <= 365 * DAY as i64);
        let zone = jiff::tz::TimeZone::posix(zone).unwrap();
        let local = |at: &i64| Timestamp::from_second(*at).unwrap().to_zoned(zone.clone());
        assert!(times.iter().all(|at| (7..20).contains(&local(at).hour())), "by its own clock");
        let days: Vec<_> = times.iter().map(|at| local(at).date()).collect();
        assert!(days.iter().all(|day| days.iter().filter(|other| *other == day).count() <= 3));
        for week in times[0] / 604_800 - 51..times[0] / 604_800 {
            let count = times.iter().filter(|at| *at / 604_800 == week).count();
            assert!((3..=21).contains(&count), "{count}");
        }
    }
}

#[test]
fn posts_say_what_a_careless_reader_stumbles_over() {
    let mut scene = Scene::new();
    let posts = year(&mut scene, PAGE);
    let texts: Vec<&str> = posts.iter().filter_map(|post| post["message"].as_str()).collect();
    let without = posts.len() - texts.len();
    assert!((20..150).contains(&without), "{without}");
    let some = |what: fn(&&&str) -> bool| texts.iter().filter(what).count();
    assert!(some(|text| text.contains("<script>alert(1)</script>")) > 5);
    assert!(some(|text| text.chars().count() > 4000) > 5);
    assert!(some(|text| text.chars().any(|sign| ('א'..='ת').contains(&sign))) > 5);
    assert!(some(|text| text.contains('\n')) > 5 && some(|text| text.contains('🥖')) > 5);
    assert_eq!(some(|text| text.is_empty() || text.contains('%')), 0);
    let said = posts.iter().flat_map(|post| post["comments"]["data"].as_array().unwrap());
    assert!(said.filter(|comment| comment["message"] == "<img src=x onerror=alert(1)>").count() > 5);
}

#[test]
fn what_people_make_of_a_post_grows_for_two_days_and_fits_together() {
    let mut scene = Scene::new();
    let seen = |posts: &[Value], id: &Value| {
        let post = posts.iter().find(|post| post["id"] == *id)?.clone();
        let count = |edge: &str| post[edge]["summary"]["total_count"].as_u64().unwrap();
        Some([count("reactions"), count("likes"), count("comments"), post["shares"]["count"].as_u64().unwrap_or(0)])
    };
    let before = year(&mut scene, PAGE);
    scene.wait(DAY);
    let after = year(&mut scene, PAGE);
    assert!(after.len() >= before.len().saturating_sub(3) && after[0]["id"] != before[0]["id"]);
    let (mut grew, mut kept) = (0, 0);
    for post in &before[..before.len() - 3] {
        let (was, is) = (seen(&before, &post["id"]).unwrap(), seen(&after, &post["id"]).unwrap());
        assert!(was.iter().zip(is).all(|(was, is)| *was <= is), "{was:?} {is:?}");
        let old = MIDNIGHT.seconds() - time(&post["created_time"]) > 2 * DAY as i64;
        assert!(!old || was == is, "after two days nothing is said any more");
        (grew, kept) = (grew + usize::from(was != is), kept + usize::from(was == is));
    }
    assert!(grew >= 1 && kept > 300, "{grew} {kept}");
    for post in &after {
        let [reactions, likes, comments, shares] = seen(&after, &post["id"]).unwrap();
        assert!(likes <= reactions && shares <= reactions && comments <= reactions);
        assert!(post.get("shares").is_none_or(|shares| shares["count"] != 0), "none is not told");
        let data = post["comments"]["data"].as_array().unwrap();
        assert_eq!(data.len() as u64, comments.min(100));
        let mut last = time(&post["created_time"]);
        for comment in data {
            let at = time(&comment["created_time"]);
            assert!(last <= at && at <= scene.now.seconds(), "nobody comments before the post, or later than now");
            last = at;
        }
        assert!(comments > 100 || time(&post["updated_time"]) == last);
        assert_eq!(post["reactions"]["data"], json!([]), "limit(0)");
        assert_eq!(post["likes"]["data"].as_array().unwrap().len() as u64, likes.min(1));
    }
    let of = |index: usize| after.iter().map(|post| seen(&after, &post["id"]).unwrap()[index]).collect::<Vec<_>>();
    let none = |counts: &[u64]| counts.iter().filter(|count| **count == 0).count();
    assert!(none(&of(2)) > 20 && none(&of(3)) > 20, "not everything is talked about");
    assert!(of(2).iter().max().unwrap() > &20, "and some is very much");
}

#[test]
fn the_same_question_has_the_same_answer_and_another_seed_another() {
    let told = |seed: u64| year(&mut Scene::with(Settings { seed, ..settings() }), PAGE);
    let first = told(1);
    assert_eq!(first, told(1));
    assert_ne!(first, told(2));
    let cafe = year(&mut Scene::new(), CAFE);
    let number = |post: &Value| post["id"].as_str().unwrap().split('_').nth(1).unwrap().to_owned();
    let both = first
        .iter()
        .flat_map(|post| cafe.iter().filter(|other| number(other) == number(post)).map(move |other| (post, other)));
    let (mut there, mut alike) = (0, 0);
    for (post, other) in both {
        (there, alike) = (there + 1, alike + usize::from(post["message"] == other["message"]));
    }
    assert!(there > 100 && alike < there / 4, "each page has its own: {alike} of {there}");
}

#[test]
fn edges_without_a_summary_have_cursors_and_are_left_out_when_empty() {
    let mut scene = Scene::new();
    let fields = percent("comments.limit(2),reactions.limit(3),likes,from");
    let body = scene.good(&format!("/{PAGE}/feed?fields={fields}&limit=100"));
    let posts = body["data"].as_array().unwrap();
    assert!(
        posts.iter().any(|post| post.get("comments").is_none())
            && posts.iter().any(|post| post["comments"].is_object())
    );
    for post in posts {
        assert!(post.get("message").is_none() && post["from"]["id"].is_string());
        for edge in ["comments", "reactions", "likes"].iter().filter_map(|edge| post.get(edge)) {
            assert!(edge.get("summary").is_none() && edge["paging"]["cursors"]["after"].is_string());
            assert!((1..=25).contains(&edge["data"].as_array().unwrap().len()));
        }
        let kinds = post["reactions"]["data"].as_array().unwrap();
        assert!(kinds.len() <= 3 && kinds.iter().all(|one| one["type"].is_string() && one["name"].is_string()));
    }
    let plain = scene.good(&format!("/{PAGE}/feed"));
    let names: BTreeSet<_> =
        plain["data"].as_array().unwrap().iter().flat_map(|post| post.as_object().unwrap().keys().cloned()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["created_time", "id", "message"]);
}

// ---- limits and failures ----

#[test]
fn an_app_has_so_many_calls_in_any_hour_and_refused_ones_count_too() {
    let mut scene = Scene::with(Settings { calls_per_hour: 10, ..settings() });
    let used = |scene: &mut Scene, target: &str| {
        let response = scene.answer(Method::Get, target, "");
        let told = header(&response, "X-App-Usage").map(|told| serde_json::from_str::<Value>(told).unwrap());
        (response.status, told.map(|told| told["call_count"].as_u64().unwrap()))
    };
    let target = format!("/me?access_token={}", scene.person);
    for call in 1..=10 {
        assert_eq!(used(&mut scene, &target), (200, Some(call * 10)));
        scene.wait(60);
    }
    assert_eq!(used(&mut scene, &target), (403, Some(110)));
    assert_eq!(used(&mut scene, "/me?access_token=x"), (401, Some(110)), "nobody knows whose that is");
    assert_eq!(used(&mut scene, "/dialog/oauth"), (400, None));
    scene.wait(50 * 60 - 1);
    // The first call is an hour old only now, and the refused one stands in its place.
    assert_eq!(used(&mut scene, &target).0, 403);
    scene.wait(120);
    assert_eq!(used(&mut scene, &target), (403, Some(110)), "two have gone, and two were refused");
    scene.wait(120);
    assert_eq!(used(&mut scene, &target), (200, Some(100)));
    scene.wait(2 * HOUR);
    assert_eq!(used(&mut scene, &target), (200, Some(10)));
}

#[test]
fn a_failure_on_purpose_has_graphs_words_and_does_nothing() {
    let mut scene = Scene::new();
    let (person, page) = (scene.person.clone(), scene.page.clone());
    let call = |token: &str| request(Method::Get, &format!("/me?access_token={token}"), &[], "");
    let mut meets = |mishap, request: &Request| {
        let response = scene.twin.meets(mishap, request, scene.now);
        (response.status, body(&response))
    };
    let busy = Mishap::Busy { left: Duration::from_secs(3) };
    assert_eq!(codes(&meets(busy, &call(&person))), (403, 17, 0));
    assert_eq!(codes(&meets(busy, &call(&page))), (403, 4, 0));
    assert_eq!(codes(&meets(Mishap::TokenExpired, &call(&person))), (401, 190, 463));
    assert_eq!(codes(&meets(Mishap::TokenExpired, &call("x"))), (401, 190, 0), "it is wrong all the same");
    let login = format!("/dialog/oauth?client_id={APP}&redirect_uri={}", percent(BACK));
    assert_eq!(meets(Mishap::TokenExpired, &request(Method::Get, &login, &[], "")).0, 200, "nobody has one there");
    assert_eq!(codes(&meets(Mishap::Broken, &call(&page))), (500, 2, 0));
    assert_eq!(codes(&meets(Mishap::Broken, &call(&page))), (500, 1, 0));
    let (status, page) = meets(Mishap::Broken, &call(&page));
    assert!(status == 503 && page.as_str().unwrap().starts_with("<html>"), "{page}");
    let code = scene.code("");
    let target = format!("/oauth/access_token?client_id={APP}&client_secret=played-app-secret&code={code}");
    let request = request(Method::Get, &format!("{target}&redirect_uri={}", percent(BACK)), &[], "");
    scene.twin.meets(Mishap::Broken, &request, scene.now);
    assert_eq!(scene.redeem(&code).0, 200, "the code was not used");
    let response = scene.twin.meets(busy, &call(&person), scene.now);
    assert!(header(&response, "X-App-Usage").unwrap().starts_with("{\"call_count\":100,"));
    assert_eq!(scene.mine("/me").0, 200);
}

#[test]
fn a_clock_that_is_far_off_ends_nothing() {
    // As late as a token of 60 days can be given.
    for now in [Moment(i64::MIN), Moment(0), Moment(i64::MAX - 20_000_000_000)] {
        let mut scene = Scene::at(settings(), now);
        let target = format!("/{PAGE}/feed?since=0&fields={}", percent(ALL_FIELDS));
        assert!([200, 401].contains(&scene.pages(&target).0), "{now:?}");
        assert!([200, 400].contains(&scene.pages(&format!("{target}&until={}", i64::MAX)).0));
        let code = scene.code("");
        assert!([200, 400].contains(&scene.redeem(&code).0));
        scene.debug(&scene.page.clone());
        scene.now = MIDNIGHT;
        scene.mine("/me");
    }
}

#[test]
fn papers_are_bounded() {
    let mut scene = Scene::new();
    let first = scene.code("");
    for _ in 0..64 {
        scene.code("");
    }
    assert_ne!(scene.redeem(&first).0, 200, "the oldest code is forgotten");
    for _ in 0..1024 {
        scene.twin.person_token(SCOPES, scene.now);
    }
    assert_eq!(codes(&scene.mine("/me")), (401, 190, 0), "and so is the oldest token");
}

// ---- over a socket ----

fn clock() -> Moment {
    MIDNIGHT
}

fn call(address: SocketAddr, head: &str, form: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let text = format!(
        "{head}\r\nHost: {address}\r\nConnection: close\r\n{kind}\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_browser_logs_in_and_a_program_reads_on_over_a_socket() {
    let house = Arc::new(House::new(clock));
    let server = Server::open("127.0.0.1:0".parse().unwrap(), Arc::clone(&house), Box::new(|_| None)).unwrap();
    let address = server.address();
    let secret = Secret::new("canary-app-secret");
    let settings = Settings { base: server.api("facebook"), app_secret: secret, gaps: true, ..settings() };
    assert!(!format!("{settings:?}").contains("canary"));
    house.lodge("facebook", Box::new(Graph::new(settings)), Plan::default()).unwrap();

    let dialog = format!("/facebook/v25.0/dialog/oauth?client_id={APP}&redirect_uri={}", percent(BACK));
    let dialog = format!("{dialog}&state=s&scope={}", SCOPES.join(","));
    let shown = call(address, &format!("GET {dialog} HTTP/1.1\r\nSec-Fetch-Site: none"), "");
    assert!(shown.starts_with("HTTP/1.1 200") && shown.contains("Allow</button>"), "{shown}");
    // Our own page, on another port of this machine, leads here.
    let led =
        call(address, &format!("GET {dialog} HTTP/1.1\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: navigate"), "");
    assert!(led.starts_with("HTTP/1.1 200"), "{led}");
    let foreign = "Origin: http://elsewhere.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate";
    let forged = call(address, &format!("POST {dialog} HTTP/1.1\r\n{foreign}"), "answer=allow");
    assert!(forged.starts_with("HTTP/1.1 403"), "another page cannot press the button: {forged}");
    let read =
        call(address, &format!("GET {dialog} HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors"), "");
    assert!(read.starts_with("HTTP/1.1 403"), "nor read the page: {read}");
    let own = format!("Origin: http://{address}\r\nSec-Fetch-Site: same-origin");
    let back = call(address, &format!("POST {dialog} HTTP/1.1\r\n{own}"), "answer=allow");
    let back =
        back.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap_or_else(|| panic!("{back}")).to_owned();
    let code = back.split("code=").nth(1).unwrap().strip_suffix("&state=s").unwrap();

    let json = |target: &str| {
        let answer = call(address, &format!("GET {target} HTTP/1.1"), "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str::<Value>(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    };
    let papers = format!("client_id={APP}&client_secret=canary-app-secret");
    let token =
        json(&format!("/facebook/v25.0/oauth/access_token?{papers}&redirect_uri={}&code={code}", percent(BACK)));
    let exchange = format!("{papers}&grant_type=fb_exchange_token&fb_exchange_token={}", token_of(&token));
    let token = token_of(&json(&format!("/facebook/oauth/access_token?{exchange}")));
    let accounts = json(&format!("/facebook/me/accounts?access_token={token}"));
    let page = token_of(&accounts["data"][0]);
    let mut feed = json(&format!("/facebook/v25.0/{PAGE}/feed?since=2025-11-14&limit=3&access_token={page}"));
    let (mut posts, mut turns) = (0, 0);
    while let Some(next) = feed["paging"].get("next").cloned() {
        let target = next.as_str().unwrap().strip_prefix(&format!("http://{address}")).unwrap().to_owned();
        (posts, turns) = (posts + ids(&feed).len(), turns + 1);
        feed = json(&target);
    }
    assert!(posts >= 3 && turns >= 2, "{posts} {turns}");
    let ledger = serde_json::to_string(&house.ledger(None)).unwrap();
    for secret in ["canary", &token, &page, code] {
        assert!(!ledger.contains(secret), "{ledger}");
    }
    house.deed("facebook", &Deed::Password).unwrap();
    let gone = call(address, &format!("GET /facebook/me?access_token={page} HTTP/1.1"), "");
    assert!(gone.starts_with("HTTP/1.1 401") && gone.contains("\"error_subcode\":460"), "{gone}");
}
