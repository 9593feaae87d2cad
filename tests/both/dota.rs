//! The Dota bot on both platforms: what people write and tap, and power cuts between two messages of one answer.

use crate::ledger::Said;
use crate::scene::{Cast, DOTA_PER_DAY, DOTA_PER_MINUTE, PAGE, PLAYERS, SPACE, Scene, Setup};
use crate::shared::luck::Luck;
use ackd::store::State;
use ackd::twin::Act;
use ackd::twin::opendota::{Player, Settings};
use std::collections::BTreeMap;

const DOTA: &str = "kind = \"dota\"\nupstream = \"players\"";
/// How the sign that somebody is typing is written here.
const SIGN: &str = "…";
/// Power cuts on each platform, unless `ACKD_KILLS` says otherwise.
const KILLS: usize = 12;

fn scene(people: usize, players: Settings) -> Scene {
    let players = Settings { per_minute: DOTA_PER_MINUTE, per_day: DOTA_PER_DAY, ..players };
    Scene::with(Setup { bot: DOTA, ..Setup::default() }, Cast { players: Some(players), ..Cast::of(people) })
}

/// So many players.
fn many(players: usize) -> Settings {
    let player = |account_id| Player {
        account_id,
        name: Some(format!("Player {account_id}")),
        country: None,
        rank_tier: Some(11),
        leaderboard: None,
        mmr: None,
        per_week: 5,
        alias: None,
        odd: String::new(),
    };
    Settings { players: (1001..).take(players).map(player).collect(), ..Settings::played() }
}

/// Somebody writes, and everything that comes of it is waited for: what the bot said, in order.
fn told(scene: &Scene, twin: &str, act: &Act) -> Vec<String> {
    let before = said(scene, twin).len();
    scene.act(twin, act);
    scene.wait_until_settled();
    said(scene, twin).split_off(before)
}

fn write(scene: &Scene, twin: &str, text: &str) -> Vec<String> {
    told(scene, twin, &crate::scene::say(&scene.direct(twin), text))
}

/// What a twin was told, with the words of a card where a message is one, and a sign where somebody is typing.
fn said(scene: &Scene, twin: &str) -> Vec<String> {
    let calls = scene.house.ledger(Some(twin)).calls;
    let typing = |body: &str| body.contains("\"typing_on\"").then(|| SIGN.to_owned());
    calls.iter().filter_map(|call| typing(&call.body).or_else(|| crate::ledger::said(call).map(words))).collect()
}

fn words(said: Said) -> String {
    said.text
}

/// Taps what the newest message of the bot offers under this title.
fn tap(scene: &Scene, twin: &str, title: &str) -> Vec<String> {
    let bubble = scene.newest_bubble(twin);
    let offered: Vec<_> = bubble.choices.iter().map(|choice| choice.title.as_str()).collect();
    let choice = offered.iter().position(|offered| *offered == title).unwrap_or_else(|| panic!("{title}: {offered:?}"));
    told(scene, twin, &Act::Tap { conversation: bubble.conversation, bubble: bubble.id, choice })
}

/// Each message begins so, or holds this.
fn expect(told: &[String], wanted: &[&str]) {
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (told, wanted) in told.iter().zip(wanted) {
        assert!(told.contains(wanted), "{wanted:?} is not in {told:?}");
    }
}

/// A whole answer on a platform: only Messenger shows that somebody is typing.
fn whole<'w>(twin: &str, who: &'w str) -> Vec<&'w str> {
    let sign = (twin == PAGE).then_some(SIGN);
    sign.into_iter().chain([who, "The last 20 matches", "Last match "]).collect()
}

fn without_sign<'w>(twin: &str, wanted: &[&'w str]) -> Vec<&'w str> {
    wanted.iter().copied().filter(|wanted| twin == PAGE || *wanted != SIGN).collect()
}

#[test]
fn a_name_of_several_players_leads_to_a_choice_and_each_answer_comes_in_order_on_both_platforms() {
    let scene = scene(1, Settings::played());
    const ADA: &str = "Ada (id 86745912) from CA: Immortal, place 42 on the leaderboard.";
    for twin in [PAGE, SPACE] {
        let ask = |text: &str, wanted: &[&str]| expect(&write(&scene, twin, text), &without_sign(twin, wanted));
        // What one platform was told is known for ten minutes.
        let first = twin == PAGE;
        let sign = |wanted: &'static str| if first { vec![SIGN, wanted] } else { vec![wanted] };
        ask("last week", &["Of whom? Send me a player's name or id first."]);
        ask("me", &["I do not know who you are yet."]);
        ask("Ada", &sign("Which one? Answer with the number, or tap:\n1. Ada (id 86745912)"));
        let answer = if first { whole(twin, ADA) } else { vec![ADA, "The last 20 matches", "Last match "] };
        expect(&tap(&scene, twin, "1. Ada"), &answer);
        ask("last week", &sign("Ada: The last 7 days: "));
        ask("heroes", &["Ada: Most played: "]);
        ask("last match", &["Ada: Last match "]);
        expect(&tap(&scene, twin, "This is me"), &["From now on \"me\" is Ada (id 86745912). Ada "]);
        ask("wolf", &sign("Which one? Answer with the number, or tap:\n1. "));
        let offered = scene.newest_bubble(twin).choices;
        let second = offered[1].title.trim_start_matches("2. ").to_owned();
        let told = write(&scene, twin, "2");
        let who = told.iter().find(|told| *told != SIGN).unwrap();
        assert!(who.starts_with(&second), "{second} was the second: {told:?}");
        ask("me is 86745912", &["From now on \"me\" is Ada (id 86745912)."]);
        ask("my heroes", &["Ada: Most played: "]);
        ask("xXAdaXx", &sign("The matches of this player are not public, so I know no more;"));
        ask("4294967293", &sign("OpenDota knows no player with this id or name: 4294967293."));
        ask("Nobody of this name", &sign("OpenDota knows no player called Nobody of this name."));
        ask("1e5", &["That is a number, but nobody's id"]);
        // Digits that are an account, and a name.
        ask("20040117", &sign("Which one? Answer with the number, or tap:\n1. Adamant (id 20040117)"));
        expect(&told_of(&scene, twin, "2. 20040117"), &["20040117 (id 90210455) from US: Crusader with 5 stars."]);
        ask("76561198047011640", &[ADA, "The last 20 matches", "Last match "]);
        ask("forget me", &["I have forgotten who you are."]);
    }
    let refused = scene.house.ledger(Some(PLAYERS)).calls.into_iter().filter(|call| call.status == 429);
    assert_eq!(refused.count(), 0);
}

/// Taps, and gives the first message that says something.
fn told_of(scene: &Scene, twin: &str, title: &str) -> Vec<String> {
    let mut told = tap(scene, twin, title);
    told.retain(|told| told != SIGN);
    told.truncate(1);
    told
}

#[test]
fn after_a_power_cut_in_the_middle_of_an_answer_nothing_is_lost_and_nothing_said_twice_without_a_label() {
    let kills = std::env::var("ACKD_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let mut luck = Luck::of_the_day();
    let mut scene = scene(kills, many(2 * kills));
    let mut cuts = BTreeMap::<usize, usize>::new();
    let mut labelled = 0;
    for night in 0..kills {
        for twin in [PAGE, SPACE] {
            let person = scene.conversations(twin)[night].clone();
            // Somebody else each time, so that OpenDota is asked.
            let account = 1001 + 2 * night + usize::from(twin == PAGE);
            let before = said(&scene, twin).len();
            let stirs = luck.below(14);
            let entry = scene.say(twin, &person, &format!("player {account}")).remove(0);
            scene.wait("the question to be kept", || scene.house.sent(twin, entry.number).unwrap().satisfied);
            // So many happenings after it, whatever they are: calls, messages, notifications.
            let news = scene.house.news();
            let is_whole = || said(&scene, twin).iter().skip(before).filter(|told| *told != SIGN).count() == 3;
            scene.wait("something to happen", || scene.house.news() >= news + stirs || is_whole());
            scene.daemon.kill();
            *cuts.entry(said(&scene, twin).len() - before).or_default() += 1;
            scene.daemon.restart();
            scene.wait_until_settled();
            let told: Vec<_> = said(&scene, twin).split_off(before).into_iter().filter(|told| told != SIGN).collect();
            let parts = [format!("(id {account})"), "The last 20 matches".to_owned(), "Last match ".to_owned()];
            let place = |told: &String| parts.iter().position(|part| told.contains(part.as_str())).unwrap();
            let places: Vec<_> = told.iter().map(place).collect();
            let mut once = places.clone();
            once.dedup();
            assert_eq!(once, [0, 1, 2], "{told:#?}");
            let life = scene.wait_for_state(&entry, State::Answered);
            let twice: usize = life.replies.iter().filter(|reply| reply.maybe_twice).count();
            let repeated = places.len() - once.len();
            assert!(repeated <= twice, "{repeated} were said again, and {twice} labelled: {life:#?}");
            labelled += repeated;
        }
    }
    println!("cut after so many messages: {cuts:?}; {labelled} were said twice, with a label");
    assert!(cuts.len() > 2, "the cuts were all at the same place: {cuts:?}");
}
