//! The OpenDota twin against the samples, against its own rules, over years of matches, and over a real socket.
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
use ackd::twin::opendota::{OpenDota, Settings};
use ackd::twin::{Deed, House, Mishap, Plan, Server, Twin};
use head::head;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// 21 November 2025, 21:30:30 in UTC.
const EVENING: Moment = Moment(1_763_760_630_000);
const DAY: i64 = 86_400;
const KEY: &str = "12345678-1234-4234-8234-123456789abc";

const ADA: &str = "86745912";
const PRIVATE: &str = "55667788";
const DIGITS: &str = "90210455";
const NEW: &str = "80000003";
const RETIRED: &str = "80000004";
const TURBO: &str = "80000005";
const UNRELEASED: &str = "80000006";
const UNDECIDED: &str = "80000007";
const NULLS: &str = "80000008";
const NAMELESS: &str = "80000009";

fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/opendota").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn request(method: Method, target: &str, headers: &[(&str, &str)]) -> Request {
    Request { head: head(method, target, headers), body: Vec::new() }
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&response.body)))
}

fn header(response: &Response, name: &str) -> Option<i64> {
    let (_, value) = response.headers.iter().find(|(header, _)| *header == name)?;
    Some(value.parse().unwrap())
}

/// What is left of a minute and of a day.
fn left(response: &Response) -> (Option<i64>, Option<i64>) {
    (header(response, "X-Rate-Limit-Remaining-Minute"), header(response, "X-Rate-Limit-Remaining-Day"))
}

/// The twin and a clock.
struct Scene {
    twin: OpenDota,
    now: Moment,
}

impl Scene {
    /// With as many calls as one likes.
    fn new() -> Scene {
        Scene::with(Settings { per_minute: 100_000, per_day: 100_000, ..Settings::played() })
    }

    fn with(settings: Settings) -> Scene {
        Scene { twin: OpenDota::new(settings), now: EVENING }
    }

    /// With the usual limits and a key.
    fn keyed() -> Scene {
        Scene::with(Settings { key: Some(Secret::new(KEY)), ..Settings::played() })
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    fn ask(&mut self, method: Method, target: &str, headers: &[(&str, &str)]) -> Response {
        self.twin.answer(&request(method, target, headers), self.now).response
    }

    /// `target` is below the base URL.
    fn get(&mut self, target: &str) -> Response {
        self.ask(Method::Get, &format!("/api{target}"), &[])
    }

    fn status(&mut self, target: &str) -> u16 {
        self.get(target).status
    }

    /// A call that must succeed.
    fn good(&mut self, target: &str) -> Value {
        let response = self.get(target);
        assert_eq!(response.status, 200, "{target}: {}", body(&response));
        assert_eq!(response.content_type, "application/json; charset=utf-8");
        body(&response)
    }

    /// The same of a player.
    fn of(&mut self, player: &str, what: &str) -> Value {
        self.good(&format!("/players/{player}{what}"))
    }

    fn list(&mut self, player: &str, what: &str) -> Vec<Value> {
        self.of(player, what).as_array().unwrap().clone()
    }

    /// The account ids that a search finds, in order.
    fn found(&mut self, words: &str) -> Vec<u64> {
        let found = self.good(&format!("/search?q={words}"));
        found.as_array().unwrap().iter().map(|hit| hit["account_id"].as_u64().unwrap()).collect()
    }

    fn refused(&mut self, target: &str, status: u16, name: &str) {
        let response = self.get(target);
        let words = serde_json::to_string(&sample(name)).unwrap();
        assert_eq!(
            (response.status, String::from_utf8_lossy(&response.body).into_owned()),
            (status, words),
            "{target}"
        );
    }
}

/// A value's kind.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "fraction",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

type Shapes = BTreeMap<String, BTreeSet<&'static str>>;

/// The kinds of each member, by its path. The items of a list are told apart by nothing, but that a member is missing
/// from some of them is a kind of its own.
fn shapes(value: &Value, path: &str, shapes: &mut Shapes) {
    shapes.entry(path.to_owned()).or_default().insert(kind(value));
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| self::shapes(value, &format!("{path}.{name}"), shapes));
        }
        Value::Array(items) => {
            items.iter().for_each(|item| self::shapes(item, &format!("{path}[]"), shapes));
            let names: BTreeSet<_> = items.iter().filter_map(Value::as_object).flat_map(|item| item.keys()).collect();
            for name in names {
                if items.iter().any(|item| item.get(name).is_none()) {
                    shapes.entry(format!("{path}[].{name}")).or_default().insert("missing");
                }
            }
        }
        _ => {}
    }
}

/// Members and their kinds must be those of the sample, each of them; but what is null there may be known here, and where
/// the facts allow it the other way round, `loose` names the kind besides.
fn has_shape(is: &Value, name: &str, loose: &[(&str, &'static str)]) {
    let (mut here, mut there) = (Shapes::new(), Shapes::new());
    shapes(is, "", &mut here);
    shapes(&sample(name), "", &mut there);
    assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>(), "{name}: {is}");
    for (path, kinds) in &here {
        let mut should = there[path].clone();
        should.extend(loose.iter().filter(|(member, _)| path.ends_with(member)).map(|(_, kind)| *kind));
        assert!(kinds.is_subset(&should), "{name}: {path} is {kinds:?}, should be {should:?}");
        assert!(there[path].is_subset(kinds) || there[path].contains("null"), "{name}: {path} is never {should:?}");
    }
}

// ---- the samples ----

#[test]
fn what_is_answered_has_the_shape_of_the_sample_member_by_member() {
    let mut scene = Scene::new();
    has_shape(&scene.of(ADA, ""), "player.json", &[]);
    has_shape(&scene.of(ADA, "/wl"), "wl.json", &[]);
    has_shape(&scene.good("/heroes"), "heroes.json", &[]);
    has_shape(&scene.of(ADA, "/heroes"), "player_heroes.json", &[]);
    has_shape(&scene.of(ADA, "/recentMatches"), "recent_matches.json", &[]);
    // Whole scores are few.
    has_shape(&scene.good("/search?q=ada"), "search_by_name.json", &[(".sml", "fraction")]);
    has_shape(&scene.good("/search?q=%C3%BCn%C3%AFc%C3%B8d%C3%A9"), "search_unicode.json", &[]);
    for id in [ADA, "76561198047011640"] {
        has_shape(&scene.good(&format!("/search?q={id}")), "search_by_id.json", &[]);
    }
    let totals = scene.of(ADA, "/totals");
    has_shape(&totals, "player_totals.json", &[]);
    let field = |of: &Value, name: &str| {
        of.as_array().unwrap().iter().find(|item| item["field"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    for item in sample("player_totals.json").as_array().unwrap() {
        let here = field(&totals, item["field"].as_str().unwrap());
        assert!(kind(&here["n"]) == "integer" && (here["n"] == 0) == (item["n"] == 0), "{here}");
        assert!((here["sum"] == 0) == (item["sum"] == 0) && (kind(&item["sum"]) == "fraction" || here["sum"].is_i64()));
    }
    assert_eq!(totals.as_array().unwrap().len(), 29);
}

#[test]
fn what_says_nothing_says_it_as_the_sample_does() {
    let mut scene = Scene::new();
    assert_eq!(scene.good("/search?q=nobodyatall"), sample("search_none.json"));
    assert_eq!(scene.good("/search?q=Bo"), sample("search_none.json"), "two letters");
    assert_eq!(scene.of(PRIVATE, "/wl"), sample("wl_private.json"));
    assert_eq!(scene.of(PRIVATE, "/recentMatches"), sample("recent_matches_private.json"));
    let refresh = scene.ask(Method::Post, &format!("/api/players/{ADA}/refresh"), &[]);
    assert_eq!((refresh.status, body(&refresh)), (200, sample("refresh.json")));
    let private = scene.of(PRIVATE, "");
    let should = sample("player_unranked.json");
    for figure in ["rank_tier", "leaderboard_rank", "computed_mmr", "computed_mmr_turbo", "aliases"] {
        assert_eq!(private[figure], should[figure]);
    }
    assert_eq!(private["profile"]["fh_unavailable"], true);
    let (here, there) = (private["profile"].as_object().unwrap(), should["profile"].as_object().unwrap());
    assert!(here.iter().all(|(name, value)| kind(value) == kind(&there[name])) && here.len() == there.len());
}

#[test]
fn a_refusal_is_told_byte_for_byte() {
    let mut scene = Scene::new();
    scene.refused("/players/1", 404, "error_404.json");
    scene.refused("/players/ada", 400, "error_400_id.json");
    scene.refused("/search?q=1e5", 500, "error_500.json");
    scene.refused("/heroes?api_key=sesame", 400, "error_400_key.json");
    let mut scene = Scene::with(Settings { per_minute: 1, per_day: 3, ..Settings::played() });
    assert_eq!(scene.status("/heroes"), 200);
    scene.refused("/heroes", 429, "error_429_minute.json");
    scene.wait(60);
    assert_eq!(scene.status("/heroes"), 200);
    scene.wait(60);
    scene.refused("/heroes", 429, "error_429_day.json");

    let words = |response: Response| (response.status, String::from_utf8_lossy(&response.body).into_owned());
    let told = |status: u16, words: &str| (status, format!("{{\"error\":\"{words}\"}}"));
    let mut scene = Scene::keyed();
    assert_eq!(words(scene.get("/search")), told(400, "q is not a string"));
    let other = KEY.replace("abc", "abd");
    let invalid = "API key invalid. Please check the API dashboard or email support@opendota.com.";
    assert_eq!(words(scene.get(&format!("/heroes?api_key={other}"))), told(400, invalid));
    let posted = scene.ask(Method::Post, "/api/players/1/refresh", &[("Origin", "https://example.org")]);
    assert_eq!(words(posted), told(403, "Invalid Origin header"));
    assert_eq!(scene.ask(Method::Get, "/api/heroes", &[("Origin", "https://example.org")]).status, 200);
}

#[test]
fn every_sample_is_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/opendota");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(include_str!("opendota_twin.rs").contains(&format!("\"{name}\"")), "{name} is compared with nothing");
    }
}

// ---- who is found ----

#[test]
fn an_account_is_found_by_either_id_and_only_the_short_one_has_a_profile() {
    let mut scene = Scene::new();
    for case in sample("steam_ids.json").as_array().unwrap() {
        let (account, steam) = (case["account_id"].as_u64().unwrap(), case["steam64"].as_str().unwrap());
        let there = [86_745_912, 11_223_344, 4_294_967_294].contains(&account);
        let expected = if there { vec![account] } else { vec![] };
        assert_eq!(scene.found(steam), expected);
        assert_eq!(scene.found(&account.to_string()), expected);
        scene.refused(&format!("/players/{steam}"), 404, "error_404.json");
        if there {
            let profile = scene.of(&account.to_string(), "");
            assert_eq!(profile["profile"]["steamid"], steam);
        }
    }
}

#[test]
fn digits_are_an_id_first_and_then_a_name() {
    let mut scene = Scene::new();
    assert_eq!(scene.found("20040117"), [20_040_117, 90_210_455]);
    let hits = scene.good("/search?q=20040117");
    assert!(hits[0].get("sml").is_none() && hits[0].get("last_match_time").is_none());
    assert_eq!((&hits[1]["sml"], &hits[1]["personaname"]), (&json!(1), &json!("20040117")));
    assert_eq!(scene.of(DIGITS, "")["profile"]["personaname"], "20040117");
}

#[test]
fn a_name_is_found_by_any_part_of_it_and_the_most_alike_comes_first() {
    let mut scene = Scene::new();
    assert_eq!(scene.found("ADA"), [86_745_912, 20_040_117, 11_223_344, 55_667_788]);
    assert_eq!(scene.found("%20ada%20"), [86_745_912, 20_040_117, 11_223_344, 55_667_788], "it is trimmed");
    assert_eq!(scene.found("ada+great"), [11_223_344], "a space stands for anything");
    assert_eq!(scene.found("a%25g_ea"), [11_223_344], "and so do % and _");
    assert_eq!(scene.found("100%25"), [70_000_011]);
    assert_eq!(scene.found("wolf").len(), 5);
    let scores = scene.good("/search?q=wolf");
    let scores: Vec<f64> = scores.as_array().unwrap().iter().map(|hit| hit["sml"].as_f64().unwrap()).collect();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]) && scores[0] > scores[4], "{scores:?}");
    for (words, account) in [
        ("%D8%B4%D8%A8%D8%AD", 60_700_080),
        ("%F0%9F%94%A5phoenix", 70_000_007),
        ("%F0%9F%A6%8A%F0%9F%A6%8A%F0%9F%A6%8A", 70_000_008),
        ("say+%22gg", 70_000_010),
        ("chlo%C3%AB+%3C3", 70_000_009),
    ] {
        assert_eq!(scene.found(words), [account], "{words}");
    }
    for words in ["ad", "Bo", "%20%20a%20", "", "%25%25"] {
        assert_eq!(scene.found(words), [0; 0], "{words}");
    }
}

#[test]
fn a_search_ends_at_fifty_names() {
    let mut scene = Scene::new();
    let all = scene.found("%25%25%25");
    assert_eq!(all.len(), 50);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 50);
}

#[test]
fn what_reads_as_a_number_and_is_none_breaks_the_search() {
    let mut scene = Scene::new();
    for words in ["1e5", "7.0", ".5", "%20-1E3%20", "Infinity", "1."] {
        assert_eq!(scene.status(&format!("/search?q={words}")), 500, "{words}");
    }
    for words in ["1e", "e5", "-5", "0x1F", "99999999999999999999", "infinity", "1,5", "1+5", "NaN"] {
        assert_eq!(scene.status(&format!("/search?q={words}")), 200, "{words}");
    }
}

#[test]
fn an_id_in_the_path_must_be_an_integer() {
    let mut scene = Scene::new();
    for (id, status) in [
        ("ada", 400),
        ("1.5", 400),
        ("8674591x", 400),
        ("NaN", 400),
        ("1e5", 500),
        ("86745912.0", 500),
        ("0", 404),
        ("-1", 404),
        ("4294967295", 404),
        ("76561198047011640", 404),
        ("99999999999999999999999", 404),
        (ADA, 200),
    ] {
        assert_eq!(scene.status(&format!("/players/{id}")), status, "{id}");
        // Only the profile minds that nobody has the id.
        let below = if status == 404 { 200 } else { status };
        assert_eq!(scene.status(&format!("/players/{id}/wl")), below, "{id}");
    }
    assert_eq!(scene.of("1", "/wl"), json!({"win": 0, "lose": 0}));
    assert_eq!(scene.of("1", "/matches"), json!([]));
}

#[test]
fn what_is_not_there_is_404_whatever_the_method() {
    let mut scene = Scene::new();
    for target in ["/api/players", "/api/players/86745912/nothing", "/api/nothing", "/players/86745912", "/", "/api"] {
        assert_eq!(scene.ask(Method::Get, target, &[]).status, 404, "{target}");
    }
    for target in ["/api/constants/nothing", "/api/constants", "/api/heroes/1"] {
        assert_eq!(scene.ask(Method::Get, target, &[]).status, 404, "{target}");
    }
    for method in [Method::Post, Method::Put, Method::Delete] {
        assert_eq!(scene.ask(method, "/api/heroes", &[]).status, 404, "{method:?}");
    }
    assert_eq!(scene.ask(Method::Get, "/api/players/86745912/refresh", &[]).status, 404);
    assert_eq!(scene.ask(Method::Delete, "/api/players/86745912/refresh", &[]).status, 404);
}

// ---- odd accounts ----

#[test]
fn what_a_search_need_not_tell_is_null_or_missing() {
    let mut scene = Scene::new();
    let mut of = |words: &str| scene.good(&format!("/search?q={words}"))[0].clone();
    let private = of("xxadaxx");
    assert!(private["avatarfull"].is_null() && private["last_match_time"].is_null(), "{private}");
    assert_eq!(private.as_object().unwrap().len(), 5);
    assert!(of("lonewolf").get("avatarfull").is_none());
    assert!(of("wolf_77").get("last_match_time").is_none());
    let ada = of("ada");
    assert!(ada["last_match_time"].as_str().unwrap().starts_with("2025-11-2"), "{ada}");
    let nameless = of(NAMELESS);
    assert_eq!(nameless, json!({"account_id": 80_000_009, "personaname": null}));
    assert!(scene.of(NAMELESS, "")["profile"]["personaname"].is_null());
}

#[test]
fn somebody_without_matches_has_zeros_and_no_rank() {
    let mut scene = Scene::new();
    for player in [NEW, PRIVATE] {
        let profile = scene.of(player, "");
        assert!(profile["rank_tier"].is_null() && profile["computed_mmr"].is_null());
        assert_eq!(profile["profile"]["fh_unavailable"], player == PRIVATE);
        assert_eq!(scene.of(player, "/wl?significant=0"), json!({"win": 0, "lose": 0}));
        assert_eq!([scene.of(player, "/matches"), scene.of(player, "/recentMatches")], [json!([]), json!([])]);
        let heroes = scene.list(player, "/heroes");
        assert!(heroes.len() == 26 && heroes.iter().all(|hero| hero["games"] == 0 && hero["last_played"] == 0));
        let totals = scene.list(player, "/totals");
        assert!(totals.len() == 29 && totals.iter().all(|field| field["n"] == 0 && field["sum"] == 0));
    }
}

#[test]
fn whoever_plays_only_turbo_has_recent_matches_and_no_figures() {
    let mut scene = Scene::new();
    assert_eq!(scene.list(TURBO, "/recentMatches").len(), 20);
    assert_eq!(scene.of(TURBO, "/wl"), json!({"win": 0, "lose": 0}));
    assert!(scene.of(TURBO, "/wl?significant=0")["win"].as_u64().unwrap() > 100);
}

#[test]
fn a_match_without_a_result_counts_only_where_all_do() {
    let mut scene = Scene::new();
    let all = scene.list(UNDECIDED, "/matches?significant=0");
    let undecided = all.iter().filter(|of| of["radiant_win"].is_null()).count();
    assert!(undecided > all.len() / 8, "{undecided} of {}", all.len());
    assert!(scene.list(UNDECIDED, "/matches").iter().all(|of| !of["radiant_win"].is_null()));
    assert!(scene.list(UNDECIDED, "/recentMatches").iter().any(|of| of["radiant_win"].is_null()));
}

#[test]
fn a_hero_may_be_newer_than_the_constants() {
    let mut scene = Scene::new();
    let constants = scene.good("/constants/heroes");
    let ids: BTreeSet<String> = constants.as_object().unwrap().keys().cloned().collect();
    let listed = scene.good("/heroes");
    let listed: BTreeSet<String> = listed.as_array().unwrap().iter().map(|hero| hero["id"].to_string()).collect();
    assert_eq!(ids, listed);
    assert!(!ids.contains("3") && ids.contains("145"), "ids have gaps");
    let played: BTreeSet<String> =
        scene.list(UNRELEASED, "/recentMatches").iter().map(|of| of["hero_id"].to_string()).collect();
    assert_eq!(played.difference(&ids).collect::<Vec<_>>(), ["160"]);
    assert!(scene.list(UNRELEASED, "/heroes").iter().all(|hero| ids.contains(&hero["hero_id"].to_string())));
    assert!(scene.list(ADA, "/matches").iter().all(|of| ids.contains(&of["hero_id"].to_string())));
}

#[test]
fn whatever_may_be_null_is_null_for_one() {
    let mut scene = Scene::new();
    let player = scene.of(NULLS, "");
    for member in ["plus", "cheese", "avatarfull", "profileurl", "loccountrycode", "fh_unavailable"] {
        assert!(player["profile"][member].is_null(), "{member}");
    }
    for of in scene.list(NULLS, "/recentMatches") {
        for member in ["average_rank", "xp_per_min", "gold_per_min", "hero_damage", "party_size", "hero_variant"] {
            assert!(of[member].is_null(), "{member}");
        }
        assert!(of["kills"].is_i64() && of.as_object().unwrap().len() == 26);
    }
    let totals = scene.list(NULLS, "/totals");
    assert!(totals.iter().any(|field| field["field"] == "gold_per_min" && field["n"] == 0));
}

#[test]
fn the_best_have_a_place_and_the_medal_alone_has_none() {
    let mut scene = Scene::new();
    let rank = |player: Value| (player["rank_tier"].clone(), player["leaderboard_rank"].clone());
    assert_eq!(rank(scene.of(ADA, "")), (json!(80), json!(42)));
    assert_eq!(rank(scene.of("80000001", "")), (json!(80), json!(null)));
    assert_eq!(scene.of("80000001", "")["profile"]["name"], "Almost Immortal", "a professional");
    assert_eq!(rank(scene.of("80000002", "")), (json!(null), json!(null)), "unranked, but plays");
    assert!(scene.of("80000002", "/wl")["win"].as_u64().unwrap() > 0);
}

#[test]
fn a_player_hides_the_matches_and_shows_them_again() {
    let mut scene = Scene::new();
    let before = scene.of(UNDECIDED, "/wl?significant=0");
    let source = UNDECIDED.to_owned();
    scene.twin.deed(&Deed::Silence { source: source.clone() }, scene.now).unwrap();
    assert_eq!(scene.of(UNDECIDED, "")["profile"]["fh_unavailable"], true);
    assert_eq!(scene.of(UNDECIDED, "/wl"), json!({"win": 0, "lose": 0}));
    scene.twin.deed(&Deed::Recover { source }, scene.now).unwrap();
    assert_eq!(scene.of(UNDECIDED, "/wl?significant=0"), before, "what else is odd is not forgotten");
    let nobody = scene.twin.deed(&Deed::Silence { source: "1".to_owned() }, scene.now).unwrap_err();
    assert!(nobody.contains("no player \"1\""), "{nobody}");
    assert!(scene.twin.deed(&Deed::Revoke, scene.now).unwrap_err().contains("no key"));
}

// ---- matches ----

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value}"))
}

fn won(of: &Value) -> bool {
    of["radiant_win"].as_bool() == Some(number(&of["player_slot"]) < 128)
}

#[test]
fn all_figures_come_from_the_same_matches() {
    let mut scene = Scene::new();
    for filter in ["", "?significant=0", "?date=7", "?hero_id=74", "?win=1&date=30", "?lobby_type=7", "?is_radiant=0"] {
        let all = scene.list(ADA, &format!("/matches{filter}"));
        let wins = all.iter().filter(|of| won(of)).count();
        assert_eq!(scene.of(ADA, &format!("/wl{filter}")), json!({"win": wins, "lose": all.len() - wins}), "{filter}");
        let totals = scene.list(ADA, &format!("/totals{filter}"));
        let kills: i64 = all.iter().map(|of| number(&of["kills"])).sum();
        assert_eq!(totals[0], json!({"field": "kills", "n": all.len(), "sum": kills}), "{filter}");
        let heroes = scene.list(ADA, &format!("/heroes{filter}"));
        let mut games = heroes.iter().map(|hero| number(&hero["games"]));
        assert!(games.clone().is_sorted_by(|more, less| more >= less));
        assert_eq!(games.clone().sum::<i64>(), all.len() as i64, "{filter}");
        let favourite = &heroes[0];
        let with: Vec<_> = all.iter().filter(|of| of["hero_id"] == favourite["hero_id"]).collect();
        assert_eq!(games.next(), Some(with.len() as i64));
        assert_eq!(number(&favourite["last_played"]), with.first().map_or(0, |of| number(&of["start_time"])));
        let sum = |name: &str| heroes.iter().map(|hero| number(&hero[name])).sum::<i64>();
        assert_eq!((sum("with_games"), sum("against_games")), (4 * all.len() as i64, 5 * all.len() as i64));
        assert_eq!((sum("win"), sum("with_win")), (wins as i64, 4 * wins as i64));
    }
}

#[test]
fn filters_leave_out_what_they_say() {
    let mut scene = Scene::new();
    let all = scene.list(ADA, "/matches?significant=0");
    let usual = scene.list(ADA, "/matches");
    assert!(usual.len() < all.len() && usual.len() > all.len() / 2);
    assert!(usual.iter().all(|of| of["game_mode"] == 22 && number(&of["duration"]) > 360));
    assert!(all.iter().any(|of| of["game_mode"] == 23) && all.iter().any(|of| number(&of["duration"]) <= 360));
    assert_eq!(scene.list(ADA, "/matches?limit=5"), usual[..5]);
    assert_eq!(scene.list(ADA, "/matches?limit=5&offset=3"), usual[3..8]);
    let week: Vec<_> =
        usual.iter().filter(|of| number(&of["start_time"]) > EVENING.seconds() - 7 * DAY).cloned().collect();
    assert!((3..60).contains(&week.len()));
    assert_eq!(scene.list(ADA, "/matches?date=7"), week);
    let lost: Vec<_> = usual.iter().filter(|of| !won(of)).cloned().collect();
    assert_eq!(scene.list(ADA, "/matches?win=0"), lost);
    assert_eq!(scene.list(ADA, "/matches?hero_id=rubick"), [json!(null); 0]);
    assert!(scene.list(ADA, "/heroes?having=50").iter().all(|hero| number(&hero["games"]) >= 50));
    for filter in ["patch=55", "with_hero_id=1", "included_account_id=1", "sort=kills", "region=3"] {
        assert_eq!(scene.status(&format!("/players/{ADA}/matches?{filter}")), 501, "{filter}");
    }
}

#[test]
fn members_can_be_asked_for() {
    let mut scene = Scene::new();
    let names = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let of = scene.list(ADA, "/matches?limit=1&project=hero_id,kda&project=stuns&project=password");
    assert_eq!(
        names(&of[0]),
        ["match_id", "player_slot", "radiant_win", "hero_id", "kda", "stuns"].map(str::to_owned).into()
    );
    assert_eq!(names(&scene.list(ADA, "/matches?limit=1")[0]).len(), 16);
}

#[test]
fn recent_matches_are_the_newest_twenty_of_all() {
    let mut scene = Scene::new();
    let recent = scene.list(ADA, "/recentMatches?limit=3&win=1");
    let all = scene.list(ADA, "/matches?significant=0&limit=20");
    let ids = |list: &[Value]| list.iter().map(|of| number(&of["match_id"])).collect::<Vec<_>>();
    assert_eq!((recent.len(), ids(&recent)), (20, ids(&all)));
    assert!(ids(&recent).is_sorted_by(|newer, older| newer > older));
    let starts: Vec<_> = recent.iter().map(|of| number(&of["start_time"])).collect();
    assert!(starts.is_sorted_by(|newer, older| newer > older));
    let results: BTreeSet<_> = recent.iter().map(|of| (number(&of["player_slot"]) < 128, won(of))).collect();
    assert_eq!(results.len(), 4, "both sides win and lose");
    for of in &recent {
        assert!([0..5, 128..133].iter().any(|side| side.contains(&number(&of["player_slot"]))), "{of}");
    }
}

#[test]
fn matches_come_in_by_the_day_and_stay_as_they_are() {
    let mut scene = Scene::new();
    let newest = "/matches?significant=0&limit=100";
    let mut before = scene.list(ADA, newest);
    let mut came = 0;
    let seen = scene.good("/search?q=ada")[0]["last_match_time"].clone();
    for _ in 0..8 * 8 {
        scene.wait(3 * 3600);
        let now = scene.list(ADA, newest);
        let more = now.iter().position(|of| *of == before[0]).unwrap();
        assert_eq!(now[more..], before[..100 - more]);
        came += more;
        for of in &now[..more] {
            let ended = number(&of["start_time"]) + number(&of["duration"]);
            assert!((0..=6 * 3600).contains(&(scene.now.seconds() - ended)), "told soon after its end");
        }
        before = now;
    }
    let week = scene.list(ADA, "/matches?significant=0&date=7").len();
    assert!(
        (10..35).contains(&week) && (12..40).contains(&came),
        "about 21 a week, not {week}, and {came} in eight days"
    );
    let newest = scene.good("/search?q=ada")[0]["last_match_time"].clone();
    assert!(newest.as_str() > seen.as_str());
    let retired = scene.list(RETIRED, "/matches?limit=1");
    assert!(number(&retired[0]["start_time"]) < EVENING.seconds() - 365 * DAY);
    assert_eq!(scene.of(RETIRED, "/wl?date=30"), json!({"win": 0, "lose": 0}));
}

#[test]
fn the_same_seed_has_the_same_matches_and_another_one_others() {
    let ask = |seed: u64| {
        let mut scene = Scene::with(Settings { seed, ..Settings::played() });
        (scene.of(ADA, "/matches?date=60"), scene.good("/search?q=%25%25%25"))
    };
    assert_eq!(ask(7), ask(7));
    assert!(ask(7).0 != ask(8).0 && ask(7).1 != ask(8).1);
    let mut scene = Scene::new();
    assert_ne!(scene.of(ADA, "/matches?date=60"), scene.of("80000001", "/matches?date=60"));
}

#[test]
fn a_clock_far_off_ends_no_loop() {
    let mut scene = Scene::new();
    for now in [Moment(i64::MAX), Moment(i64::MIN), Moment(0), Moment(4_000_000_000_000)] {
        scene.now = now;
        for target in ["/players/86745912/wl", "/players/86745912/recentMatches", "/search?q=wolf", "/metadata"] {
            assert_eq!(scene.status(target), 200, "{now:?} {target}");
        }
        assert!(!scene.twin.meters(now).is_empty());
    }
}

// ---- limits ----

#[test]
fn each_answer_tells_what_is_left_and_refused_calls_count() {
    let mut scene = Scene::with(Settings { per_minute: 3, per_day: 7, ..Settings::played() });
    let mut lefts = Vec::new();
    for target in ["/heroes", "/players/1", "/players/ada", "/heroes", "/search?q=ada"] {
        let response = scene.get(target);
        lefts.push((response.status, left(&response)));
        let address = response.headers.iter().find(|(name, _)| *name == "X-IP-Address").unwrap();
        assert_eq!(address.1, "203.0.113.7");
        assert!(response.headers.iter().all(|(name, _)| *name != "Retry-After"));
    }
    let some = |minute, day| (Some(minute), Some(day));
    let expected = [(200, some(2, 6)), (404, some(1, 5)), (400, some(0, 4)), (429, some(-1, 3)), (429, some(-2, 2))];
    assert_eq!(lefts, expected);

    // The next minute begins by the clock: it was half past.
    scene.wait(29);
    assert_eq!(scene.status("/heroes"), 429);
    scene.wait(1);
    let mut next = || {
        let response = scene.get("/heroes");
        (response.status, left(&response))
    };
    assert_eq!([next(), next()], [(200, some(2, 0)), (429, some(1, -1))], "the day is over");
    let meters = scene.twin.meters(scene.now);
    assert_eq!(
        meters.iter().map(|meter| (meter.limit, meter.used, meter.refused)).collect::<Vec<_>>(),
        [(3, 2, 3), (7, 8, 1)]
    );
    // Until midnight in UTC, whatever the minute.
    scene.now = Moment(EVENING.0 - EVENING.0.rem_euclid(86_400_000) + 86_399_000);
    assert_eq!(scene.get("/heroes").status, 429);
    scene.wait(1);
    let response = scene.get("/heroes");
    assert_eq!((response.status, left(&response)), (200, some(2, 6)));
}

#[test]
fn the_usual_limits_are_sixty_and_three_thousand_and_metadata_tells_them_for_nothing() {
    let mut scene = Scene::with(Settings::played());
    for _ in 0..100 {
        let response = scene.get("/metadata");
        assert!(response.status == 200 && response.headers.is_empty());
    }
    let told = scene.good("/metadata");
    let told = ["freeCallLimit", "freeRateLimit", "premRateLimit"].map(|name| number(&told[name]));
    assert_eq!(told, [3000, 60, 300]);
    let good = (0..100).filter(|_| scene.status("/heroes") == 200).count();
    assert_eq!(good, 60);
}

#[test]
fn a_key_has_a_larger_minute_and_no_day_and_pays_for_what_it_got() {
    let mut scene = Scene::keyed();
    let bearer = format!("Bearer {KEY}");
    let response = scene.ask(Method::Get, "/api/heroes", &[("Authorization", &bearer)]);
    assert_eq!((response.status, left(&response)), (200, (Some(299), None)));
    let mut get = |target: &str| scene.get(&format!("{target}api_key={KEY}"));
    for (target, status) in [("/players/1?", 404), ("/players/ada?", 400), ("/search?q=1e5&", 500), ("/metadata?", 200)]
    {
        assert_eq!(get(target).status, status, "{target}");
    }
    let good = (0..400).filter(|_| get("/heroes?").status == 200).count();
    assert_eq!(good, 296, "five were counted before");
    scene.wait(60);
    // Without the key the address counts.
    assert_eq!(left(&scene.get("/heroes")), (Some(59), Some(2999)));
    let meters: Vec<_> = scene.twin.meters(scene.now).iter().map(|meter| (meter.period.word(), meter.used)).collect();
    // One by its header, one 400, and the good ones: no 404, 429 or 500.
    assert_eq!(meters, [("minute", 1), ("day", 1), ("minute", 0), ("month", 298)]);
}

#[test]
fn only_a_good_key_is_good() {
    let mut scene = Scene::keyed();
    let other = KEY.replace("abc", "abd");
    for (authorization, query, status) in [
        ("", format!("?api_key={KEY}"), 200),
        ("", "?api_key=".to_owned(), 200),
        ("", "?api_key=1".to_owned(), 400),
        ("", format!("?api_key={other}"), 400),
        ("Basic x", format!("?api_key={KEY}"), 400),
        (&format!("Bearer {other}"), format!("?api_key={KEY}"), 400),
        (KEY, String::new(), 200),
    ] {
        let headers: &[(&str, &str)] = if authorization.is_empty() { &[] } else { &[("Authorization", authorization)] };
        let response = scene.ask(Method::Get, &format!("/api/heroes{query}"), headers);
        assert_eq!(response.status, status, "{authorization} {query}");
        assert_eq!(left(&response).0.is_none(), status == 400, "what has no good key is not counted");
    }
    scene.twin.deed(&Deed::Revoke, scene.now).unwrap();
    let response = scene.get(&format!("/heroes?api_key={KEY}"));
    assert!(response.status == 400 && String::from_utf8_lossy(&response.body).contains("API key invalid."));
    // A key that was made up for a trial has another form.
    let mut scene = Scene::with(Settings { key: Some(Secret::new("00ff")), ..Settings::played() });
    assert_eq!(left(&scene.get("/heroes?api_key=00ff")), (Some(299), None));
}

// ---- what goes wrong on purpose ----

#[test]
fn failures_are_its_own_words_and_then_cloudflares_pages() {
    let met = |scene: &mut Scene, mishap: Mishap, target: &str| {
        scene.twin.meets(mishap, &request(Method::Get, target, &[]), scene.now)
    };
    let mut scene = Scene::new();
    let statuses: Vec<u16> = (0..9)
        .map(|_| {
            let response = met(&mut scene, Mishap::Broken, "/api/heroes");
            match response.status {
                500 => assert_eq!(body(&response), sample("error_500.json")),
                _ => assert!(response.content_type.starts_with("text/html") && response.body.starts_with(b"<!DOCTYPE")),
            }
            response.status
        })
        .collect();
    assert_eq!(statuses, [500, 502, 503, 520, 521, 522, 523, 524, 500]);
    let mut plain = Scene::with(Settings { cloudflare: false, ..Settings::played() });
    assert!((0..9).all(|_| met(&mut plain, Mishap::Broken, "/api/heroes").status == 500));

    let busy = |seconds| Mishap::Busy { left: Duration::from_secs(seconds) };
    let response = met(&mut scene, busy(3), "/api/heroes");
    assert_eq!((response.status, body(&response)), (429, sample("error_429_minute.json")));
    assert_eq!(left(&response), (Some(-1), Some(0)));
    let response = met(&mut scene, busy(600), "/api/heroes");
    assert_eq!((response.status, body(&response)), (429, sample("error_429_day.json")));
    assert_eq!(left(&response), (Some(0), Some(-1)));
    assert_eq!(met(&mut scene, Mishap::TokenExpired, "/api/heroes").status, 200, "there is no token");
    let mut keyed = Scene::keyed();
    let target = format!("/api/heroes?api_key={KEY}");
    assert_eq!(met(&mut keyed, Mishap::TokenExpired, &target).status, 400);
    let response = met(&mut keyed, busy(600), &target);
    assert_eq!(left(&response), (Some(-1), None), "a key has no day");
}

// ---- at home ----

fn clock() -> Moment {
    EVENING
}

/// One request over a socket of its own: head and body.
fn over(address: SocketAddr, line: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn it_lives_in_a_house_with_its_counters_in_the_ledger_and_no_secret() {
    let house = Arc::new(House::new(clock));
    let twin = OpenDota::new(Settings { key: Some(Secret::new(KEY)), ..Settings::played() });
    house.lodge("dota", Box::new(twin), Plan::default()).unwrap();
    let server = Server::open(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::clone(&house), Box::new(|_| None)).unwrap();
    let address = server.address();

    let (head, found) = over(address, &format!("GET /dota/api/search?q=%F0%9F%94%A5phoenix&api_key={KEY}"), "");
    assert!(head.starts_with("HTTP/1.1 200") && found.contains("🔥Phoenix🔥"), "{head} {found}");
    let lower = head.to_ascii_lowercase();
    assert!(
        lower.contains("x-rate-limit-remaining-minute: 299")
            && lower.contains("content-type: application/json; charset=utf-8")
    );
    let (head, words) =
        over(address, "POST /act", "{\"twin\": \"dota\", \"deed\": {\"silence\": {\"source\": \"86745912\"}}}");
    assert!(head.starts_with("HTTP/1.1 200"), "{words}");
    assert_eq!(over(address, "GET /dota/api/players/86745912/wl", "").1, "{\"win\":0,\"lose\":0}");

    let (_, text) = over(address, "GET /ledger?twin=dota", "");
    let ledger: Value = serde_json::from_str(&text).unwrap();
    let statuses: Vec<_> = ledger["calls"].as_array().unwrap().iter().map(|call| number(&call["status"])).collect();
    assert_eq!(statuses, [200, 200]);
    let meters = ledger["meters"].as_array().unwrap();
    assert!(meters.iter().any(|meter| meter["limit"] == 300 && meter["used"] == 1), "{meters:?}");
    assert!(text.contains("api_key=***") && !text.contains(KEY), "{text}");
}

#[test]
fn the_houses_faults_reach_it() {
    for (plan, expected) in [("500 100%", 500), ("429 100% 60s", 429), ("token 100%", 200), ("late 100% 1ms", 200)] {
        let house = House::new(clock);
        house.lodge("dota", Box::new(Scene::new().twin), Plan::parse(plan, 1).unwrap()).unwrap();
        let request = request(Method::Get, "/api/heroes", &[]);
        let Some(ackd::twin::house::Answered::With(response)) = house.call("dota", &request) else { panic!("{plan}") };
        assert_eq!(response.status, expected, "{plan}");
        assert_eq!(house.ledger(Some("dota")).calls[0].fault, plan.split(' ').next());
    }
}
