//! Conversations with the bot, on a desk of paper, with the samples of OpenDota as answers.

use super::*;
use crate::bot::CallFault;
use crate::bot::paper::Paper;
use crate::limits::{
    DOTA_CHOICE_LIFE, DOTA_CLOCK_SLACK, DOTA_FRESH, DOTA_PATIENCE, DOTA_SPOKEN_LIFE, DOTA_TRIES, DOTA_WAITS_MAX,
};
use crate::model::{Answer, CourtesyAct, EventId, Left, Moment, Period};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// A sample of OpenDota.
pub(super) fn sample(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/fixtures/opendota/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Two hours and 12 minutes after the last match of the samples, 16 s after a minute began.
const NOW: &str = "2025-11-20T23:00:16Z";
const PROFILE: &str = "Arteezy-like (id 86745912) from CA: Immortal, place 42 on the leaderboard.";
const GAMES: &str = "1843 won, 1607 lost: 53.4 % won. The last 3 matches: 2 won. On average 5.0 kills, 5.3 deaths and 13.7 \
     assists (KDA 3.5). 645 gold and 812 experience a minute.";
const HEROES: &str = "Most played: Invoker 312 (54.5 % won), Anti-Mage 201 (49.3 % won), Rubick 150 (53.3 % won).";
const LAST: &str = "Last match 2 h ago: won with Invoker, 9/3/14 in 37 min, 645 gold and 812 experience a minute. \
     https://www.opendota.com/matches/8561234567";
const SILENT: &str = "OpenDota gives no answer at the moment; please ask again later.";

fn at(text: &str) -> Moment {
    Moment(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn text(reply: &Reply) -> &str {
    match &reply.content {
        Content::Text { text, .. } => text,
        Content::Courtesy(CourtesyAct::TypingOn) => "…",
        other => panic!("{other:?}"),
    }
}

fn taps(reply: &Reply) -> Vec<(String, String)> {
    let Content::Text { quick_replies, .. } = &reply.content else { panic!("no text") };
    quick_replies.iter().map(|tap| (tap.title.clone(), tap.payload.clone())).collect()
}

/// The bot and its desk.
struct World {
    bot: Dota,
    desk: Paper,
}

/// Who does something, and where.
#[derive(Clone, Copy)]
struct At<'a>(&'a str, &'a str);

const ANNA: At<'_> = At("anna", "room");
const BOB: At<'_> = At("bob", "room");

impl World {
    fn new() -> World {
        let set = Settings { upstream: "opendota".to_owned(), zone: "Europe/Berlin".to_owned() };
        World { bot: Dota::new(set), desk: Paper { now: at(NOW), ..Paper::default() } }
    }

    /// One in which OpenDota knows Ada.
    fn with_ada() -> World {
        let mut world = World::new();
        world.ada();
        world
    }

    fn ada(&mut self) {
        for (path, name) in [
            ("/search", "search_by_id"),
            ("/players/86745912/wl?date", "wl"),
            ("/players/86745912/heroes?date", "player_heroes"),
            ("/players/86745912/wl", "wl"),
            ("/players/86745912/recentMatches", "recent_matches"),
            ("/players/86745912/heroes", "player_heroes"),
            ("/players/86745912", "player"),
            ("/heroes", "heroes"),
        ] {
            self.answers(path, 200, &sample(name));
        }
        self.answers("/metadata", 200, br#"{"freeCallLimit":3000,"freeRateLimit":60,"premRateLimit":300}"#);
    }

    /// Whoever is asked for something else first answers before what is written already.
    fn first(&mut self, path: &str, status: u16, body: &[u8]) {
        let answer = Answer { status, headers: Vec::new(), body: body.to_vec() };
        self.desk.answers.push_front((path.to_owned(), Ok(answer)));
    }

    fn answers(&mut self, path: &str, status: u16, body: &[u8]) {
        let answer = Answer { status, headers: Vec::new(), body: body.to_vec() };
        self.desk.answers.push_back((path.to_owned(), Ok(answer)));
    }

    fn hear(&mut self, At(person, room): At<'_>, kind: EventKind) -> Result<Vec<Reply>, BotFault> {
        let id = EventId { channel: "page".to_owned(), place: 1, part: None };
        let (conversation, person) = (room.to_owned(), person.to_owned());
        let event = Event { id, conversation, person, thread: None, happened: self.desk.now, kind };
        let replies = self.bot.hear(&event, &mut self.desk)?;
        assert!(replies.iter().all(|reply| reply.to == room), "{replies:?}");
        Ok(replies)
    }

    /// All replies, stage by stage, until the bot has said all.
    fn all(&mut self, who: At<'_>, kind: EventKind) -> Vec<Vec<Reply>> {
        self.desk.stage = None;
        let mut stages = vec![self.hear(who, kind.clone()).unwrap()];
        while self.desk.turn() {
            stages.push(self.hear(who, kind.clone()).unwrap());
        }
        self.desk.stage = None;
        stages
    }

    /// What is said, each stage on its own.
    fn stages(&mut self, who: At<'_>, words: &str) -> Vec<Vec<String>> {
        let stages = self.all(who, message(words, None));
        stages.iter().map(|replies| replies.iter().map(|reply| text(reply).to_owned()).collect()).collect()
    }

    /// What is said in all, without signs of attention.
    fn says(&mut self, who: At<'_>, words: &str) -> Vec<String> {
        self.stages(who, words).concat().into_iter().filter(|text| text != "…").collect()
    }

    /// The same of Anna; in one message.
    fn anna(&mut self, words: &str) -> String {
        let said = self.says(ANNA, words);
        let [said] = &said[..] else { panic!("{words}: {said:?}") };
        said.clone()
    }

    fn taps(&mut self, who: At<'_>, payload: &str) -> Vec<String> {
        let stages = self.all(who, message("1. Ada", Some(payload)));
        stages.concat().iter().map(|reply| text(reply).to_owned()).filter(|text| text != "…").collect()
    }

    fn asked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.desk.asked)
    }

    /// Each turn comes so much later than the one before.
    fn line_before_each(&mut self, seconds: u64) {
        for place in 1..100 {
            self.line(seconds * place);
            self.desk.lines.push_back(Ok(()));
        }
    }

    /// So many calls wait for as long.
    fn line(&mut self, seconds: u64) {
        let moment = self.desk.now.after(Duration::from_secs(seconds));
        let why = "its 60 calls of this minute are used up".to_owned();
        self.desk.lines.push_back(Err(CallFault::NotBefore { moment, why }));
    }

    fn later(&mut self, time: Duration) {
        self.desk.now = self.desk.now.after(time);
    }
}

fn message(words: &str, choice: Option<&str>) -> EventKind {
    EventKind::Message { text: Some(words.to_owned()), attachments: Vec::new(), choice: choice.map(str::to_owned) }
}

fn rings(note: &str) -> EventKind {
    EventKind::Alarm { name: subscription::NAME.to_owned(), note: note.to_owned(), due: at(NOW) }
}

// ---- one answer ----

#[test]
fn an_answer_is_a_sign_then_who_it_is_then_what_was_played() {
    let mut world = World::with_ada();
    let stages = world.stages(ANNA, "86745912");
    let last = format!("{HEROES} {LAST}");
    assert_eq!(stages, [vec!["…".to_owned()], vec![PROFILE.to_owned()], vec![GAMES.to_owned(), last]]);
    let paths = [
        "/search?q=86745912",
        "/players/86745912",
        "/players/86745912/wl",
        "/players/86745912/recentMatches",
        "/players/86745912/heroes",
        "/heroes",
        "/metadata",
    ];
    assert_eq!(world.asked(), paths);
    assert_eq!(world.desk.reserved, [2, 5], "what is needed together is paid for together, and only once");
}

#[test]
fn what_is_known_is_told_at_once_and_asks_nothing() {
    let mut world = World::with_ada();
    let first = world.says(ANNA, "86745912");
    world.desk.answers.clear();
    world.asked();
    let again = world.stages(BOB, "86745912");
    assert_eq!(again, std::slice::from_ref(&first), "one stage, without a sign");
    assert_eq!(world.stages(At("eve", "elsewhere"), "76561198047011640"), [first]);
    assert_eq!(world.asked(), [""; 0]);
    world.later(DOTA_FRESH);
    world.ada();
    world.says(ANNA, "player 86745912");
    let asked = world.asked();
    assert!(asked.contains(&"/players/86745912".to_owned()) && !asked.contains(&"/heroes".to_owned()), "{asked:?}");
    world.later(Duration::from_secs(24 * 3600));
    world.ada();
    world.says(ANNA, "player 86745912");
    let asked = world.asked();
    assert!(asked.contains(&"/heroes".to_owned()) && asked.contains(&"/metadata".to_owned()), "{asked:?}");
}

#[test]
fn each_question_asks_what_it_needs() {
    let of = |part: &str| format!("/players/86745912{part}");
    for (words, reserved, asked, said) in [
        ("rank", vec![1], vec![of("")], PROFILE.to_owned()),
        (
            "matches",
            vec![4],
            vec![of(""), of("/wl"), of("/recentMatches"), "/metadata".to_owned()],
            format!("Arteezy-like: {GAMES}"),
        ),
        (
            "heroes",
            vec![4],
            vec![of(""), of("/heroes"), "/heroes".to_owned(), "/metadata".to_owned()],
            format!("Arteezy-like: {HEROES}"),
        ),
        (
            "last match",
            vec![4],
            vec![of(""), of("/recentMatches"), "/heroes".to_owned(), "/metadata".to_owned()],
            format!("Arteezy-like: {LAST}"),
        ),
        (
            "last week",
            vec![5],
            vec![of(""), of("/wl?date=7"), of("/heroes?date=7"), "/heroes".to_owned(), "/metadata".to_owned()],
            format!("Arteezy-like: The last 7 days: 1843 won, 1607 lost: 53.4 % won. {HEROES}"),
        ),
    ] {
        let mut world = World::with_ada();
        assert_eq!(world.anna(&format!("{words} of player 86745912")), said);
        assert_eq!((world.asked(), world.desk.reserved), (asked, reserved), "{words}");
    }
}

#[test]
fn a_name_that_one_player_has_is_that_player() {
    let mut world = World::new();
    world.answers("/search", 200, &sample("search_unicode"));
    let player = json!({"profile": {"account_id": 33_445_566, "personaname": "Ünïcødé ☭ 龙"}, "rank_tier": 53});
    world.answers("/players/33445566", 200, player.to_string().as_bytes());
    assert_eq!(world.anna("rank of Ünïcødé ☭ 龙"), "Ünïcødé ☭ 龙 (id 33445566): Legend with 3 stars.");
    assert_eq!(world.asked()[0], "/search?q=%C3%9Cn%C3%AFc%C3%B8d%C3%A9%20%E2%98%AD%20%E9%BE%99");
    assert_eq!(world.desk.reserved, [1, 1], "a name may have many, so its player is not paid for before");
}

#[test]
fn who_hides_or_is_not_there_costs_no_further_call() {
    let mut world = World::new();
    world.answers("/players/55667788", 200, &sample("player_unranked"));
    let said = world.says(ANNA, "player 55667788");
    let [said] = &said[..] else { panic!("{said:?}") };
    assert!(said.starts_with("xXAdaXx (id 55667788): no rank. The matches of this player are not public"), "{said}");
    assert_eq!(world.anna("heroes of player 55667788"), *said);
    assert_eq!(world.asked(), ["/players/55667788"]);
    let none = "OpenDota knows no player with the id 7.";
    for (status, name) in [(404, "error_404"), (400, "error_400_id")] {
        let mut world = World::new();
        world.answers("/players/7", status, &sample(name));
        assert_eq!(world.anna("player 7"), none);
        assert_eq!(world.anna("last week of player 7"), none);
        assert_eq!(world.anna("me is 7"), none);
        assert_eq!(world.anna("heroes"), say::NOBODY_YET, "nobody was spoken of");
        assert_eq!(world.anna("me"), say::STRANGER);
        assert_eq!(world.asked(), ["/players/7"]);
    }
    let mut world = World::new();
    world.answers("/search", 200, &sample("search_none"));
    assert_eq!(
        world.anna("nobody at all"),
        "OpenDota knows no player called nobody at all. Write \"help\" to see what I understand."
    );
    world.answers("/search", 200, &sample("search_none"));
    assert_eq!(world.anna("322"), "OpenDota knows no player with this id or name: 322.");
}

#[test]
fn who_never_played_divides_nothing_by_zero() {
    let mut world = World::with_ada();
    world.first("/players/86745912/wl", 200, &sample("wl_private"));
    world.first("/players/86745912/recentMatches", 200, &sample("recent_matches_private"));
    world.first("/players/86745912/heroes", 200, b"[{\"hero_id\":15,\"games\":0,\"win\":0}]");
    let none = "No matches are recorded.";
    let rest = format!("No heroes are recorded. {none}");
    assert_eq!(world.says(ANNA, "player 86745912")[1..], [none.to_owned(), rest]);
    world.first("/players/86745912/wl?date=7", 200, &sample("wl_private"));
    world.first("/players/86745912/heroes?date=7", 200, b"[]");
    assert_eq!(world.anna("last week"), "Arteezy-like: The last 7 days: no matches.");
}

#[test]
fn what_is_null_or_odd_is_left_out() {
    let mut world = World::with_ada();
    world.first(
        "/players/86745912",
        200,
        br#"{"profile":{"personaname":null,"loccountrycode":"Canada"},"rank_tier":97}"#,
    );
    assert_eq!(world.anna("rank of player 86745912"), "Player 86745912 (id 86745912): a rank that I do not know (97).");
    let odd = json!([{"match_id": null, "player_slot": 1, "radiant_win": null, "hero_id": 999, "start_time": null,
        "duration": null, "kills": null, "deaths": 3, "assists": "4", "gold_per_min": 500.7, "xp_per_min": [1]},
        {"player_slot": 200, "radiant_win": false, "hero_id": 0, "kills": 7, "deaths": 0, "assists": 1}]);
    world.first("/players/86745912/recentMatches", 200, odd.to_string().as_bytes());
    assert_eq!(world.anna("last match"), "Player 86745912: Last match: without a result with hero 999.");
    let games = "Player 86745912: 1843 won, 1607 lost: 53.4 % won. The last 2 matches: 1 won, 1 without a result. On average \
                 7.0 kills, 1.5 deaths and 2.5 assists (KDA 4.0).";
    assert_eq!(world.anna("matches"), games);
}

#[test]
fn ranks_are_medals_with_stars() {
    for (tier, place, rank) in [
        (json!(null), json!(null), "no rank"),
        (json!(0), json!(null), "no rank"),
        (json!(11), json!(null), "Herald with 1 star"),
        (json!(75), json!(42), "Divine with 5 stars"),
        (json!("53"), json!(null), "Legend with 3 stars"),
        (json!(50), json!(null), "Legend"),
        (json!(59), json!(null), "Legend"),
        (json!(80), json!(null), "Immortal"),
        (json!(85), json!(12_345), "Immortal, place 12,345 on the leaderboard"),
        (json!(5), json!(null), "a rank that I do not know (5)"),
        (json!(-10), json!(null), "no rank"),
    ] {
        let mut world = World::new();
        let player = json!({"profile": {"personaname": "Ada"}, "rank_tier": tier, "leaderboard_rank": place});
        world.answers("/players/7", 200, player.to_string().as_bytes());
        assert_eq!(world.anna("rank of player 7"), format!("Ada (id 7): {rank}."));
    }
}

#[test]
fn names_are_shown_without_what_steers_them() {
    for (name, shown) in [
        ("[free skins](https://evil.example)", "[free skins] (https://evil.example)"),
        ("a\u{202e}b\nc\u{0}", "ab c"),
        ("", "Player 7"),
        ("\u{200b} ", "Player 7"),
        ("שלום", "\u{2068}שלום\u{2069}"),
        (&"龙".repeat(50), &format!("{}…", "龙".repeat(40))),
    ] {
        let mut world = World::new();
        world.answers("/players/7", 200, json!({"profile": {"personaname": name}}).to_string().as_bytes());
        assert_eq!(world.anna("rank of player 7"), format!("{shown} (id 7): no rank."));
    }
}

// ---- who is meant ----

const CHOICE: &str = "Which one? Answer with the number, or tap:\n1. Ada (id 86745912), played 116 min ago\n2. Ada the Great \
     (id 11223344), played 37 h ago\n3. xXAdaXx (id 55667788)";

fn offered() -> World {
    let mut world = World::new();
    world.answers("/search", 200, &sample("search_by_name"));
    assert_eq!(world.anna("rank of ada"), CHOICE);
    world.answers("/players/55667788", 200, &sample("player_unranked"));
    world.ada();
    world.asked();
    world
}

#[test]
fn a_choice_is_answered_by_number_name_or_tap() {
    let mut world = World::new();
    world.answers("/search", 200, &sample("search_by_name"));
    let stages = world.all(ANNA, message("ada", None));
    let reply = &stages.concat()[1];
    let tap = |title: &str, payload: &str| (title.to_owned(), payload.to_owned());
    let three = [
        tap("1. Ada", "player 86745912"),
        tap("2. Ada the Great", "player 11223344"),
        tap("3. xXAdaXx", "player 55667788"),
    ];
    assert_eq!((text(reply), taps(reply)), (CHOICE, three.to_vec()));
    assert_eq!(world.desk.reserved, [1]);
    for answer in ["3", "#3", "3.", " xxadaxx ", "55667788"] {
        let mut world = offered();
        assert!(world.anna(answer).starts_with("xXAdaXx (id 55667788): no rank."), "{answer}");
        assert_eq!(world.asked(), ["/players/55667788"], "{answer}");
    }
    let mut world = offered();
    assert_eq!(world.anna("1"), PROFILE);
    assert!(world.anna("3").starts_with("xXAdaXx"), "it can be answered again");
    assert_eq!(world.taps(ANNA, "rank of player 86745912"), [PROFILE]);
}

#[test]
fn a_choice_belongs_to_who_asked_and_ends_after_a_while() {
    let nobody = "OpenDota knows no player with this id or name: 3.";
    let mut world = offered();
    world.first("/search", 200, &sample("search_none"));
    assert_eq!(world.says(BOB, "3"), [nobody]);
    assert_eq!(world.asked(), ["/search?q=3"]);
    assert_eq!(world.says(At("anna", "elsewhere"), "3"), [nobody]);
    world.later(DOTA_CHOICE_LIFE);
    world.first("/search", 200, &sample("search_none"));
    assert_eq!(world.anna("3"), nobody);
}

#[test]
fn people_of_one_name_are_offered_again() {
    let mut world = World::new();
    let two = json!([{"account_id": 1, "personaname": "Ada"}, {"account_id": 2, "personaname": "ADA"},
        {"account_id": 3, "personaname": null}]);
    world.answers("/search", 200, two.to_string().as_bytes());
    assert!(world.anna("ada").ends_with("\n3. without a name (id 3)"));
    let fewer = "Which one? Answer with the number, or tap:\n1. Ada (id 1)\n2. ADA (id 2)";
    assert_eq!(world.anna("Ada"), fewer);
    assert_eq!(world.anna("ada"), fewer);
}

#[test]
fn of_many_only_some_are_offered() {
    let mut world = World::new();
    let many: Vec<_> = (1..=51).map(|id| json!({"account_id": id, "personaname": format!("Ada {id}")})).collect();
    world.answers("/search", 200, Value::from(many).to_string().as_bytes());
    let said = world.anna("ada");
    assert!(said.ends_with("\n10. Ada 10 (id 10)\nThere are 41 more; write more of the name, or the id."), "{said}");
}

#[test]
fn me_is_the_player_that_i_said() {
    let mut world = World::with_ada();
    assert_eq!(world.anna("me"), say::STRANGER);
    let bound = format!("From now on \"me\" is Arteezy-like (id 86745912). {PROFILE}");
    assert_eq!(world.anna("me is 76561198047011640"), bound);
    world.desk.memory.remove("spoken page/room");
    assert_eq!(world.says(BOB, "me"), [say::STRANGER], "it is Anna's own");
    assert_eq!(world.says(BOB, "last week"), [say::NOBODY_YET]);
    assert!(
        world.anna("last week").starts_with("Arteezy-like: The last 7 days"),
        "nobody was spoken of, so it is hers"
    );
    world.desk.memory.remove("spoken page/room");
    assert!(world.anna("my heroes").starts_with("Arteezy-like: Most played"));
    assert!(world.says(BOB, "last week")[0].starts_with("Arteezy-like"), "who was spoken of is known to all");
    assert_eq!(world.anna("forget me"), say::FORGOTTEN);
    assert_eq!(world.anna("me"), say::STRANGER);
}

#[test]
fn who_was_spoken_of_is_forgotten_after_a_while() {
    let mut world = World::with_ada();
    assert_eq!(world.anna("rank of player 86745912"), PROFILE);
    world.later(DOTA_SPOKEN_LIFE - Duration::from_secs(1));
    world.ada();
    assert_eq!(world.anna("rank"), PROFILE, "it was spoken of again");
    world.later(DOTA_SPOKEN_LIFE);
    world.asked();
    assert_eq!((world.anna("rank"), world.asked()), (say::NOBODY_YET.to_owned(), vec![]));
}

#[test]
fn whoever_chooses_who_they_are_is_that_and_whoever_taps_it_for_them_is_not() {
    let mut world = World::new();
    world.answers("/search", 200, &sample("search_by_name"));
    assert_eq!(world.anna("me is Ada"), CHOICE);
    world.ada();
    assert_eq!(world.taps(BOB, "rank of player 86745912"), [PROFILE]);
    assert_eq!(world.says(BOB, "me"), [say::STRANGER]);
    let bound = format!("From now on \"me\" is Arteezy-like (id 86745912). {PROFILE}");
    assert_eq!(world.taps(ANNA, "profile of player 86745912"), [bound.as_str()]);
    world.desk.memory.remove("me page/anna");
    assert_eq!(world.anna("1"), bound);
}

#[test]
fn a_tap_that_is_none_of_ours_counts_as_its_words() {
    let mut world = World::with_ada();
    world.anna("me is 86745912");
    world.asked();
    let long = "player ".repeat(100);
    for payload in [
        "BUY_NOW",
        "player 0",
        "player Ada",
        "player 4294967295",
        "player 99999999999999999999",
        "last week of",
        "rank of player",
        "rank of Ada",
        "me is Ada",
        "me is ",
        "forget me",
        "{\"player\":",
        "\0",
        &long,
    ] {
        let tapped = world.all(ANNA, message("help", Some(payload))).concat();
        let button = EventKind::Postback { title: None, payload: Some(payload.to_owned()), referral: None };
        for replies in [tapped, world.all(ANNA, button).concat()] {
            assert_eq!(replies.iter().map(text).collect::<Vec<_>>(), [say::HELP], "{payload}");
        }
    }
    assert_eq!(world.all(ANNA, message("help", Some(""))).concat().len(), 1);
    assert_eq!((world.asked(), world.anna("rank of me")), (vec![], PROFILE.to_owned()), "she is who she was");
}

#[test]
fn a_number_that_was_not_offered_is_told_so_and_asks_nobody() {
    let mut world = offered();
    for number in ["7", "#0", "99."] {
        let again = format!("{CHOICE}\nI offered 1 to 3; for somebody else, send the name or the id.");
        assert_eq!(world.anna(number), again, "{number}");
    }
    assert_eq!(world.asked(), [""; 0]);
    world.first("/search", 200, &sample("search_none"));
    assert_eq!(world.anna("322"), "OpenDota knows no player with this id or name: 322.", "a longer one is an id");
}

#[test]
fn what_the_button_says_can_be_typed() {
    let mut world = World::with_ada();
    assert_eq!(world.anna("this is me"), say::NOBODY_YET);
    world.says(ANNA, "player 86745912");
    assert!(world.anna("This is me!").starts_with("From now on \"me\" is Arteezy-like (id 86745912)."));
    assert_eq!(world.says(BOB, "me"), [say::STRANGER]);
}

#[test]
fn a_slip_is_asked_back_and_costs_no_call() {
    let mut world = World::with_ada();
    world.says(ANNA, "rank of player 86745912");
    world.asked();
    let replies = world.all(ANNA, message("heros", None)).concat();
    let [reply] = &replies[..] else { panic!("{replies:?}") };
    assert_eq!(text(reply), "Did you mean heroes? If it is the name of a player, write it in quotes.");
    assert_eq!((taps(reply), world.asked()), (vec![("heroes".to_owned(), "heroes".to_owned())], vec![]));
    let tapped = world.all(ANNA, message("heroes", Some("heroes"))).concat();
    assert!(text(tapped.last().unwrap()).starts_with("Arteezy-like: Most played"), "{tapped:?}");
}

#[test]
fn figures_that_cannot_be_are_the_most_that_can() {
    let mut world = World::with_ada();
    world.first("/players/86745912/wl", 200, br#"{"win":99999999999999999,"lose":-7}"#);
    world.first("/players/86745912/heroes", 200, br#"[{"hero_id":1,"games":3,"win":30}]"#);
    let said = world.anna("matches of player 86745912");
    assert!(said.starts_with("Arteezy-like: 1,000,000,000,000 won, 0 lost: 100.0 % won."), "{said}");
    assert_eq!(world.anna("heroes"), "Arteezy-like: Most played: Anti-Mage 3 (100.0 % won).");
}

#[test]
fn below_an_answer_stands_what_else_can_be_asked() {
    let mut world = World::with_ada();
    let replies = world.all(ANNA, message("player 86745912", None)).concat();
    let me = ("This is me".to_owned(), "me is 86745912".to_owned());
    let week = ("Last week".to_owned(), "last week of player 86745912".to_owned());
    assert_eq!(replies[1..].iter().map(taps).collect::<Vec<_>>(), [vec![], vec![], vec![week, me]]);
    world.taps(ANNA, "me is 86745912");
    let replies = world.all(ANNA, message("last week", Some("last week of player 86745912"))).concat();
    let titles: Vec<_> = taps(replies.last().unwrap()).into_iter().map(|(title, _)| title).collect();
    assert_eq!(titles, ["Heroes", "Last match", "Everything"]);
}

#[test]
fn what_cannot_be_asked_is_answered_without_a_call() {
    let mut world = World::new();
    for (words, said) in [
        ("help", say::HELP),
        ("", say::HELP),
        ("?!", say::HELP),
        ("ab", say::TOO_SHORT),
        ("1e5", say::NO_ID),
        ("0x10", say::NO_ID),
        ("99999999999999999999", say::NO_ID),
        (&"so many words ".repeat(9), say::TOO_LONG),
        ("thanks!", say::WELCOME),
        ("https://steamcommunity.com/id/ada", say::NO_LINK),
        ("last week", say::NOBODY_YET),
        ("heroes of me", say::STRANGER),
    ] {
        assert_eq!(world.stages(ANNA, words), [[said]], "{words}");
    }
    let odd = |kind, world: &mut World| {
        world.hear(ANNA, kind).unwrap().iter().map(|it| text(it).to_owned()).collect::<Vec<_>>()
    };
    let postback =
        |payload: &str| EventKind::Postback { title: None, payload: Some(payload.to_owned()), referral: None };
    assert_eq!(odd(postback("WELCOME_PAYLOAD"), &mut world), [say::HELP]);
    assert_eq!(odd(EventKind::Joined, &mut world), [say::HELP]);
    assert_eq!(odd(EventKind::Message { text: None, attachments: Vec::new(), choice: None }, &mut world), [say::HELP]);
    assert_eq!(odd(EventKind::Referral { referral: Some("heroes of me".to_owned()) }, &mut world), [say::HELP]);
    assert_eq!(odd(EventKind::OptIn { topic: None, stopped: false }, &mut world), [""; 0]);
    assert_eq!((world.asked(), &world.desk.reserved), (vec![], &vec![]));
}

// ---- lines, limits, and an OpenDota that is not there ----

#[test]
fn whoever_waits_long_is_told_once_and_a_short_wait_is_not_worth_a_word() {
    let mut world = World::with_ada();
    world.line(10);
    world.line(10 + 11);
    world.line(10 + 11 + 170);
    world.desk.lines.push_back(Ok(()));
    world.line(10 + 11 + 170 + 170);
    let began = world.desk.now;
    let stages = world.stages(ANNA, "player 86745912");
    let wait = "Many are asking just now; your answer comes in about 11 s.";
    let last = format!("{HEROES} {LAST}");
    let nothing = Vec::<&str>::new();
    assert_eq!(
        stages,
        [vec!["…"], nothing.clone(), vec![wait], nothing.clone(), vec![PROFILE], nothing, vec![GAMES, &last]]
    );
    assert_eq!(world.desk.now.since(began).as_secs(), 10 + 11 + 170 + 170, "each stage comes when its turn does");
    assert_eq!(world.desk.reserved, [1, 1, 1, 1, 5, 5]);
}

#[test]
fn who_knows_the_player_already_waits_for_the_rest() {
    let mut world = World::with_ada();
    world.desk.lines.push_back(Ok(()));
    world.line(170);
    let stages = world.stages(ANNA, "player 86745912");
    assert_eq!(stages[2], ["Many are asking just now; the rest comes in about 3 min."]);
    assert_eq!(stages[3].len(), 2);
}

#[test]
fn rather_than_a_long_wait_what_is_known_of_today_is_told() {
    let mut world = World::with_ada();
    world.says(ANNA, "player 86745912");
    world.later(Duration::from_secs(3 * 3600));
    world.line(600);
    let busy = "Too many are asking OpenDota just now; please ask again in 10 min.";
    assert_eq!(world.anna("rank"), format!("{PROFILE} (as of 3 h ago) {busy}"));
    world.line(600);
    assert!(world.anna("heroes").ends_with(&format!("(53.3 % won). (as of 3 h ago) {busy}")));
    world.later(Duration::from_secs(24 * 3600));
    world.ada();
    world.line(600);
    assert_eq!(world.says(ANNA, "rank of player 86745912").len(), 2, "what is older is worth a wait");
}

#[test]
fn a_day_that_is_used_up_is_told_with_what_is_known() {
    let mut world = World::with_ada();
    world.says(ANNA, "86745912");
    world.later(Duration::from_secs(3 * 24 * 3600 - 4 * 3600));
    let midnight = at("2025-11-24T00:00:00Z");
    world.desk.left = vec![Left { per: Period::Day, calls: 2, of: 3000, ends: midnight }];
    let spent =
        "OpenDota allows 3000 calls a day, and those of today are used up; ask again after midnight UTC, in 5 h.";
    for _ in 0..4 {
        world.line(5 * 3600 - 16);
    }
    let said = world.says(ANNA, "player 86745912");
    assert_eq!(said[0], format!("{PROFILE} (as of 2 days ago)"));
    assert_eq!(said[1], format!("{GAMES} (as of 2 days ago)"));
    assert!(said[2].ends_with(&format!(" {spent}")) && said[2].contains("(as of 2 days ago)"), "{said:?}");
    world.desk.lines.clear();
    world.desk.left[0].calls = 0;
    world.line(5 * 3600 - 16);
    assert_eq!(world.anna("player 7"), spent);
    world.line(5 * 3600 - 16);
    assert_eq!(world.anna("somebody new"), spent);
    assert_eq!(world.desk.rest, None, "nobody is woken at midnight");
    world.desk.now = at("2025-11-23T23:50:00Z");
    world.line(600);
    let wait = "Many are asking just now; your answer comes in about 10 min.";
    world.answers("/players/7", 404, &sample("error_404"));
    assert_eq!(world.says(ANNA, "player 7")[0], wait, "but shortly before it, it is worth a wait");
}

#[test]
fn who_has_had_a_good_share_of_a_short_day_leaves_the_rest_to_others() {
    let day = |calls| Left { per: Period::Day, calls, of: 100, ends: at("2025-11-21T00:00:00Z") };
    let enough =
        "You have had a good share of today's calls at OpenDota, and the rest is for others; ask again in 60 min.";
    let mut world = World::with_ada();
    let none = sample("error_404");
    let asks = |world: &mut World, who, player: u32| {
        world.first(&format!("/players/{player}"), 404, &none);
        world.says(who, &format!("player {player}")).concat()
    };
    world.desk.left = vec![day(100)];
    for player in 1..=5 {
        asks(&mut world, ANNA, player);
    }
    world.desk.left = vec![day(49)];
    assert_eq!(asks(&mut world, ANNA, 6), "OpenDota knows no player with the id 6.", "a twentieth is hers");
    assert_eq!(asks(&mut world, ANNA, 7), enough);
    assert_eq!(world.anna("somebody new"), enough);
    assert_eq!(asks(&mut world, BOB, 8), "OpenDota knows no player with the id 8.");
    world.asked();
    assert_eq!(
        world.anna("player 6"),
        "OpenDota knows no player with the id 6.",
        "what is known costs nobody anything"
    );
    assert_eq!((world.asked(), world.desk.rest.take()), (vec![], None), "and nobody is woken at midnight");
    world.desk.left = vec![day(50)];
    assert_eq!(asks(&mut world, ANNA, 9), "OpenDota knows no player with the id 9.", "while half is left, all may ask");
    world.desk.left = vec![day(49)];
    world.desk.now = at("2025-11-21T00:00:00Z");
    world.desk.left[0].ends = at("2025-11-22T00:00:00Z");
    assert_eq!(asks(&mut world, ANNA, 10), "OpenDota knows no player with the id 10.", "and the next day is another");
}

#[test]
fn a_refusal_is_learnt_and_waited_for() {
    for (name, per, until) in [
        ("error_429_minute", Period::Minute, "2025-11-20T23:01:00Z"),
        ("error_429_day", Period::Day, "2025-11-21T00:00:00Z"),
    ] {
        let mut world = World::with_ada();
        world.first("/players/86745912", 429, &sample(name));
        let said = world.says(ANNA, "rank of player 86745912");
        let until = at(until).after(DOTA_CLOCK_SLACK);
        let [lesson] = &world.desk.lessons[..] else { panic!("{:?}", world.desk.lessons) };
        assert_eq!((lesson.per, lesson.left, lesson.until), (Some(per), Some(0), Some(until)));
        let wait = if per == Period::Minute {
            assert_eq!((said.len(), said[1].as_str(), world.asked().len()), (2, PROFILE, 2));
            "Many are asking just now; your answer comes in about 46 s."
        } else {
            assert_eq!((said.len(), world.asked().len()), (1, 1), "nothing more is asked");
            "OpenDota allows so many calls a day, and those of today are used up; ask again after midnight UTC, in 60 min."
        };
        assert_eq!(said[0], wait);
    }
    let mut world = World::with_ada();
    let minute = |calls| Left { per: Period::Minute, calls, of: 60, ends: at("2025-11-20T23:01:00Z") };
    world.desk.left = vec![minute(55)];
    let headers = vec![("x-rate-limit-remaining-minute".to_owned(), "12".to_owned())];
    let body = sample("player");
    world.desk.answers.push_front(("/players".to_owned(), Ok(Answer { status: 200, headers, body })));
    assert_eq!(world.anna("rank of player 86745912"), PROFILE);
    let [lesson] = &world.desk.lessons[..] else { panic!("{:?}", world.desk.lessons) };
    assert_eq!((lesson.per, lesson.left, lesson.until), (Some(Period::Minute), Some(12), None));
}

#[test]
fn smaller_limits_that_opendota_names_hold_in_each_period() {
    let mut world = World::with_ada();
    let ends = at("2025-11-20T23:01:00Z");
    world.desk.left = vec![
        Left { per: Period::Minute, calls: 57, of: 60, ends },
        Left { per: Period::Day, calls: 2990, of: 3000, ends },
    ];
    world.first("/metadata", 200, br#"{"freeCallLimit":2000,"freeRateLimit":"20","premRateLimit":5}"#);
    world.says(ANNA, "player 86745912");
    assert_eq!(world.desk.lessons, [], "they are known from the next call on");
    world.answers("/players/7", 404, &sample("error_404"));
    world.says(ANNA, "player 7");
    let lessons = world.desk.lessons.iter().map(|lesson| (lesson.of, lesson.left)).collect::<Vec<_>>();
    assert_eq!(lessons, [(Some(20), Some(17)), (Some(2000), Some(1990))]);
    let mut world = World::with_ada();
    world.first("/metadata", 500, b"");
    world.says(ANNA, "player 86745912");
    world.says(ANNA, "last week");
    assert_eq!(world.asked().iter().filter(|path| *path == "/metadata").count(), 1, "tomorrow again");
}

#[test]
fn while_nothing_was_said_a_silence_is_tried_again_and_then_it_is_told() {
    for (status, body) in [(500, sample("error_500")), (503, b"<html>".to_vec()), (200, b"<html>".to_vec())] {
        let mut world = World::new();
        for _ in 0..=DOTA_TRIES {
            world.answers("/players/7", status, &body);
        }
        assert_eq!(world.anna("player 7"), SILENT);
        assert_eq!((world.asked().len(), world.desk.answers.len()), (1 + DOTA_TRIES as usize, 0));
        assert_eq!(world.desk.now, at(NOW).after(DOTA_PATIENCE));
    }
}

#[test]
fn an_opendota_that_hangs_is_given_up_as_soon() {
    let mut world = World::new();
    world.desk.answer_time = Duration::from_secs(20);
    assert_eq!(world.anna("player 7"), SILENT);
    assert_eq!(world.asked().len(), 2);
    assert_eq!(world.desk.now, at(NOW).after(DOTA_PATIENCE + world.desk.answer_time));
}

#[test]
fn minutes_in_line_before_each_call_use_up_nobodys_patience_with_a_call_that_fails() {
    for kind in [message("86745912", None), rings("all of player 86745912")] {
        let mut world = World::with_ada();
        for path in ["/players/86745912", "/players/86745912/wl", "/players/86745912/rec", "/players/86745912/heroes"] {
            world.first(path, 500, b"");
        }
        world.line_before_each(120);
        let said = world.all(ANNA, kind).concat();
        let said: Vec<_> = said.iter().map(text).filter(|text| *text != "…" && !text.starts_with("Many")).collect();
        assert_eq!(said, [PROFILE, GAMES, &format!("{HEROES} {LAST}")]);
        assert!(world.desk.now.since(at(NOW)) > Duration::from_secs(600), "{:?}", world.desk.now);
    }
}

#[test]
fn whoever_comes_to_a_silent_opendota_after_minutes_in_line_is_told_of_the_silence() {
    let mut world = World::new();
    world.line_before_each(120);
    let said = world.says(ANNA, "player 7");
    assert_eq!(said, ["Many are asking just now; your answer comes in about 2 min.", SILENT]);
    assert_eq!(world.asked().len(), 1 + DOTA_TRIES as usize);
}

#[test]
fn once_something_was_said_a_silence_is_no_failure() {
    let mut world = World::new();
    world.answers("/players/86745912", 200, &sample("player"));
    let stages = world.stages(ANNA, "player 86745912");
    assert_eq!(stages.len(), 3 + DOTA_TRIES as usize);
    assert_eq!(stages[1], [PROFILE]);
    assert_eq!(stages.concat()[2..], [SILENT]);
    let mut world = World::with_ada();
    let answers = std::mem::take(&mut world.desk.answers);
    let known = answers.into_iter().filter(|(path, _)| !path.contains("recentMatches") && !path.ends_with("2/heroes"));
    world.desk.answers = known.collect();
    let said = world.says(ANNA, "player 86745912");
    let half = "1843 won, 1607 lost: 53.4 % won. OpenDota gives no answer at the moment; please ask again later.";
    assert_eq!(said, [PROFILE, half], "what is known is told");
    let asked = world.asked();
    let count = |path: &str| asked.iter().filter(|asked| asked.ends_with(path)).count();
    assert_eq!((count("/wl"), count("/recentMatches")), (1, 1 + DOTA_TRIES as usize), "what was answered stays");
}

#[test]
fn a_silent_opendota_is_answered_from_memory_with_its_age() {
    let mut world = World::with_ada();
    world.says(ANNA, "86745912");
    world.answers("/search", 200, &sample("search_by_name"));
    world.says(BOB, "ada");
    world.later(Duration::from_secs(5 * 3600));
    world.desk.answers.clear();
    assert_eq!(world.anna("rank"), format!("{PROFILE} (as of 5 h ago) {SILENT}"));
    assert_eq!(world.anna("heroes"), format!("Arteezy-like: {HEROES} (as of 5 h ago) {SILENT}"));
    assert!(world.says(BOB, "ada")[0].ends_with("3. xXAdaXx (id 55667788) (as of 5 h ago)"));
}

#[test]
fn a_refused_key_is_told_and_nothing_is_tried_again() {
    let mut world = World::new();
    world.answers("/players/7", 400, &sample("error_400_key"));
    assert_eq!(world.anna("player 7"), "OpenDota does not take my key; please tell the operator.");
    world.answers("/search", 400, br#"{"error":"q is not a string"}"#);
    assert_eq!(world.anna("ada"), "OpenDota refused to tell: q is not a string.");
    world.answers("/search", 404, &sample("error_404"));
    assert_eq!(world.anna("bob"), "OpenDota refused to tell.", "a search that is not there is no player");
    assert_eq!(world.asked().len(), 3);
}

#[test]
fn without_names_heroes_have_numbers() {
    let mut world = World::with_ada();
    world.first("/heroes", 500, &sample("error_500"));
    let said = world.anna("heroes of player 86745912");
    assert!(said.starts_with("Arteezy-like: Most played: hero 74 312 (54.5 % won)"), "{said}");
    assert_eq!(world.anna("heroes"), format!("Arteezy-like: {HEROES}"));
}

#[test]
fn nobody_stands_in_line_for_ever() {
    let mut world = World::new();
    for place in 1..100 {
        world.line(9 * place);
    }
    let stages = world.stages(ANNA, "player 7");
    assert_eq!(stages.len(), 2 + DOTA_WAITS_MAX as usize);
    assert_eq!(stages.concat()[1..], ["Too many are asking OpenDota just now; please ask again in 9 s."]);
    let mut world = World::new();
    world.line(3 * 3600);
    assert_eq!(world.anna("player 7"), "Too many are asking OpenDota just now; please ask again in 3 h.");
}

#[test]
fn of_a_small_limit_no_more_is_wanted_at_once_than_it_ever_allows() {
    let mut world = World::with_ada();
    world.desk.left = vec![Left { per: Period::Minute, calls: 2, of: 2, ends: at("2025-11-20T23:01:00Z") }];
    let ok = || Ok(());
    world.desk.lines.extend([ok(), ok()]);
    world.line(44);
    let said = world.says(ANNA, "86745912");
    assert_eq!(said[1], "Many are asking just now; the rest comes in about 44 s.");
    assert_eq!((said.len(), &world.desk.reserved[..3]), (4, &[2, 2, 2][..]));
    assert!(world.desk.reserved.iter().all(|calls| *calls <= 2), "{:?}", world.desk.reserved);
    assert_eq!(world.asked().len(), 7, "and what was answered before the wait is not asked again");
    let mut world = World::with_ada();
    world.desk.left = vec![Left { per: Period::Minute, calls: 1, of: 1, ends: at("2025-11-20T23:01:00Z") }];
    assert_eq!(world.says(ANNA, "86745912").len(), 3);
    assert_eq!(world.desk.reserved, [1; 7]);
}

// ---- stages ----

#[test]
fn a_stage_that_runs_twice_says_the_same_and_repeats_nothing_of_before() {
    let kind = message("86745912", None);
    let mut twice = World::with_ada();
    let mut said = Vec::new();
    said.extend(twice.hear(ANNA, kind.clone()).unwrap());
    while twice.desk.turn() {
        // It was stopped before its commit: what it remembered is gone, and OpenDota is asked again.
        let (memory, stage) = (twice.desk.memory.clone(), twice.desk.stage.clone());
        let lost = twice.hear(ANNA, kind.clone()).unwrap();
        let rest = twice.desk.rest.take();
        (twice.desk.memory, twice.desk.stage) = (memory, stage);
        twice.ada();
        let again = twice.hear(ANNA, kind.clone()).unwrap();
        assert_eq!((&lost, &rest), (&again, &twice.desk.rest));
        said.extend(again);
    }
    let once = World::with_ada().all(ANNA, kind).concat();
    assert_eq!(said, once);
}

#[test]
fn a_note_is_read_back_and_what_is_none_is_told() {
    let note = Note::new(7, "a \"b\" \\ ☭".to_owned(), Part::Week, true);
    assert_eq!(Note::read(&note.json()), Some(note));
    let mut world = World::new();
    for odd in [&b""[..], b"{}", b"[1]", b"{\"name\":\"\",\"player\":-1,\"part\":\"stats\"}"] {
        world.desk.stage = Some(odd.to_vec());
        let replies = world.hear(ANNA, message("ada", None)).unwrap();
        assert_eq!(text(&replies[0]), say::LOST);
    }
    let long = Note::new(u32::MAX, "龙".repeat(64), Part::Heroes, true).json();
    assert!(long.len() < crate::limits::STAGE_BYTES_MAX / 10, "{}", long.len());
}

// ---- of our own accord ----

#[test]
fn a_subscription_tells_the_last_week() {
    let mut world = World::with_ada();
    assert_eq!(world.anna("subscribe mon 9:00"), say::STRANGER);
    assert_eq!(world.anna("stop"), "You have no subscription; write \"subscribe mon 9:00\".");
    world.anna("me is 86745912");
    let said = "You will hear from me on Mon at 09:00 (Europe/Berlin). Say \"stop\" to end it. It is about the last week of Arteezy-like \
                (id 86745912).";
    assert_eq!(world.anna("subscribe mon 9:00"), said);
    let note = world.desk.alarms[subscription::NAME].note.clone();
    world.later(Duration::from_secs(3 * 24 * 3600));
    world.ada();
    world.line(600);
    let stages = world.all(ANNA, rings(&note));
    let said: Vec<Vec<&str>> = stages.iter().map(|replies| replies.iter().map(text).collect()).collect();
    let week = format!("Arteezy-like: The last 7 days: 1843 won, 1607 lost: 53.4 % won. {HEROES}");
    assert_eq!(said, [vec![], vec![week.as_str()]], "no sign, and no word of a wait");
    assert_eq!(world.anna("stop"), "Your subscription has ended. Write \"subscribe mon 9:00\" to begin again.");
}

#[test]
fn who_i_am_counts_more_than_who_was_spoken_of() {
    let mut world = World::with_ada();
    let about = |world: &mut World, who| {
        let said = world.says(who, "subscribe mon 9:00").concat();
        (said.split(" It is about ").last().unwrap().to_owned(), world.desk.alarms[subscription::NAME].note.clone())
    };
    let of_ada = ("the last week of Arteezy-like (id 86745912).".to_owned(), "last week of player 86745912".to_owned());
    let of_bea = ("the last week of Bea (id 7).".to_owned(), "last week of player 7".to_owned());
    let bea = "Bea (id 7): no rank.";
    world.anna("me is 86745912");
    world.answers("/players/7", 200, br#"{"profile":{"personaname":"Bea"}}"#);
    assert_eq!((world.anna("rank of player 7"), world.anna("rank")), (bea.to_owned(), bea.to_owned()));
    assert_eq!(about(&mut world, BOB), of_bea, "nobody knows who Bob is");
    assert_eq!(about(&mut world, ANNA), of_ada);
    assert!(world.anna("my last week").starts_with("Arteezy-like: The last 7 days"));
    world.anna("rank of player 7");
    assert_eq!(world.says(ANNA, "me")[0], PROFILE);
}

#[test]
fn the_configuration_may_ask_for_a_player_by_name() {
    let mut world = World::with_ada();
    let stages = world.all(ANNA, rings("last week of 86745912"));
    assert!(text(&stages.concat()[0]).starts_with("Arteezy-like: The last 7 days"), "{stages:?}");
}
