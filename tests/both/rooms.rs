//! Who is heard in Webex's rooms, where answers go, and what can be tapped and shown, on both platforms.

use crate::ledger::{Said, resource};
use crate::scene::{Cast, PAGE, PAINTER, SPACE, Scene, Setup, TOUR, say};
use ackd::model::Method;
use ackd::store::State;
use ackd::twin::webex::Member;
use ackd::twin::{Act, webex};
use serde_json::json;

fn silent(conversation: &str, text: &str) -> Act {
    Act::Say { conversation: conversation.to_owned(), text: text.to_owned(), mentions: false }
}

fn tap(conversation: &str, bubble: String, choice: usize) -> Act {
    Act::Tap { conversation: conversation.to_owned(), bubble, choice }
}

#[test]
fn in_a_group_the_bot_answers_what_mentions_it_without_the_mention_and_is_not_told_of_the_rest() {
    for bare_mentions in [false, true] {
        let mut cast = Cast::of(1);
        cast.space = webex::Settings { bare_mentions, ..cast.space };
        let scene = Scene::with(Setup::default(), cast);
        let group = scene.group();
        assert_eq!(scene.act(SPACE, &silent(&group, "just among us")), []);
        let told = scene.talk(SPACE, &group, "how much today?");
        assert!(!told.body.contains("how much"), "a notification holds no text: {told:?}");
        scene.wait_until_settled();
        assert_eq!(scene.texts(SPACE), ["how much today?"]);
        assert!(scene.house.bubbles(SPACE, 0).unwrap().iter().any(|bubble| bubble.text.starts_with("Solar how much")));
    }
}

#[test]
fn the_bots_own_message_comes_back_and_is_never_answered_not_even_where_bots_may_talk() {
    for more in ["", "bots = true\n"] {
        let scene = Scene::with(Setup { more, ..Setup::default() }, Cast::of(1));
        let (direct, group) = (scene.direct(SPACE), scene.group());
        scene.talk(SPACE, &direct, "hello");
        scene.talk(SPACE, &group, "hello to all");
        // Whatever would answer the first answer would come before this one.
        scene.talk(SPACE, &direct, "again");
        scene.wait_until_settled();
        assert_eq!(scene.texts(SPACE), ["hello", "hello to all", "again"]);
        let mut states: Vec<State> = scene.events(SPACE).iter().map(|event| event.state).collect();
        states.sort_by_key(|state| *state as i64);
        assert_eq!(states, [[State::Answered; 3], [State::Ignored; 3]].concat(), "each came back and was ignored");
    }
}

#[test]
fn a_thread_is_answered_in_the_thread_and_anything_else_in_the_room() {
    for group in [false, true] {
        let scene = Scene::new();
        let room = if group { scene.group() } else { scene.direct(SPACE) };
        let top = resource(&scene.talk(SPACE, &room, "figures?"));
        let in_thread = |text: &str, thread: &str| Act::SayInThread {
            conversation: room.clone(),
            thread: thread.to_owned(),
            text: text.to_owned(),
        };
        let below = resource(&scene.act(SPACE, &in_thread("of today", &top))[0]);
        let first = scene.wait_for_said(SPACE, "of today");
        scene.act(SPACE, &in_thread("and of yesterday", &below));
        let second = scene.wait_for_said(SPACE, "and of yesterday");
        scene.talk(SPACE, &room, "thanks");
        assert_eq!((&first.thread, &second.thread), (&Some(top.clone()), &Some(top)));
        assert!([first, second].iter().all(|said| said.to == room));
        let beside: Vec<Said> = scene.said(SPACE).into_iter().filter(|said| said.thread.is_none()).collect();
        assert!(["figures?", "thanks"].iter().all(|text| beside.iter().any(|said| said.text == *text)));
        scene.wait_until_settled();
    }
}

#[test]
fn another_bot_is_not_answered_unless_the_configuration_lets_bots_talk() {
    for (more, heard) in [("", false), ("bots = true\n", true)] {
        let mut cast = Cast::of(1);
        cast.space.people.push(Member::new("Clock", "clock@webex.bot"));
        let scene = Scene::with(Setup { more, ..Setup::default() }, cast);
        let clock = scene.conversations(SPACE)[1].clone();
        let told = scene.say(SPACE, &clock, "it is noon").remove(0);
        let life = scene.wait_for_state(&told, if heard { State::Answered } else { State::Ignored });
        let why = life.why.unwrap_or_default();
        assert_eq!(why.contains("another bot"), !heard, "{why}");
        assert_eq!(scene.texts(SPACE).len(), usize::from(heard));
    }
}

#[test]
fn what_was_deleted_before_its_turn_is_ignored_and_an_edit_is_answered_only_once() {
    // Without workers the daemon keeps and acknowledges, and hears nothing.
    let mut scene = Scene::with(Setup { workers: 0, ..Setup::default() }, Cast::of(1));
    // A webhook of somebody else's making, which tells all that happens to messages.
    for event in ["updated", "deleted"] {
        let target = format!("http://{}/space", scene.daemon.address);
        let secret = "86dacc007724d8ea666f88fc77d918dad9537a15";
        let webhook =
            json!({ "name": event, "targetUrl": target, "resource": "messages", "event": event, "secret": secret });
        scene.by_hand(Method::Post, "/webhooks", &webhook);
    }
    let direct = scene.direct(SPACE);
    let deleted = scene.say(SPACE, &direct, "never mind").remove(0);
    let edited = scene.say(SPACE, &direct, "teh sun").remove(0);
    let deletion = scene.say(SPACE, &direct, &format!("/delete {}", resource(&deleted))).remove(0);
    let edit = scene.say(SPACE, &direct, &format!("/edit {} the sun", resource(&edited))).remove(0);
    scene.wait("the deliveries", || scene.house.is_quiet());
    scene.daemon.stop();
    scene.daemon.setup.workers = 4;
    scene.daemon.restart();
    let life = scene.wait_for_state(&deleted, State::Ignored);
    assert!(life.why.as_ref().is_some_and(|why| why.contains("404")), "{life:#?}");
    scene.wait_for_state(&edited, State::Answered);
    for told in [&deletion, &edit] {
        scene.wait_for_state(told, State::Ignored);
    }
    let told = scene.say(SPACE, &direct, &format!("/edit {} the moon", resource(&edited))).remove(0);
    scene.wait_for_state(&told, State::Ignored);
    scene.wait_until_settled();
    assert_eq!(scene.texts(SPACE), ["the sun"]);
}

#[test]
fn whoever_takes_the_bot_into_a_room_is_greeted_each_time() {
    let scene = Scene::with(Setup { more: "greeting = \"Hello!\"\n", ..Setup::default() }, Cast::of(1));
    let group = scene.group();
    for times in 1..=2 {
        scene.act(SPACE, &say(&group, "/out"));
        scene.act(SPACE, &say(&group, "/in"));
        scene.wait("a greeting", || scene.texts(SPACE).len() == times);
    }
    scene.wait_until_settled();
    assert_eq!(scene.texts(SPACE), ["Hello!"; 2]);
}

#[test]
fn what_is_tapped_comes_back_on_both_platforms_also_within_a_thread() {
    let scene = Scene::with(Setup { bot: TOUR, ..Setup::default() }, Cast::of(1));
    for (twin, room) in [(PAGE, scene.direct(PAGE)), (SPACE, scene.direct(SPACE)), (SPACE, scene.group())] {
        let before = scene.said(twin).len();
        let said = |count: usize| scene.wait("the next answer", || scene.said(twin).len() >= before + count);
        scene.say(twin, &room, "buttons");
        said(1);
        let shown = scene.newest_bubble(twin);
        let button = shown.choices.iter().position(|choice| choice.title == "Come back").unwrap();
        scene.act(twin, &tap(&room, shown.id, button));
        said(2);
        assert_eq!(scene.said(twin)[before + 1].text, "You tapped: Come back");
        // What can be chosen below it: quick replies, or the buttons of a card.
        let shown = scene.newest_bubble(twin);
        let cards = shown.choices.iter().position(|choice| choice.title == "Cards").unwrap();
        scene.act(twin, &tap(&room, shown.id, cards));
        said(3);
        let titles: Vec<_> = scene.newest_bubble(twin).cards.into_iter().map(|card| card.title).collect();
        let text = scene.newest_bubble(twin).text;
        assert!(titles == ["First", "Second", "Third"] || text.contains("Second"), "{titles:?} {text}");
    }
    let group = scene.group();
    let before = scene.said(SPACE).len();
    let top = resource(&scene.say(SPACE, &group, "hello").remove(0));
    scene.wait("an answer", || scene.said(SPACE).len() == before + 1);
    scene
        .act(SPACE, &Act::SayInThread { conversation: group.clone(), thread: top.clone(), text: "buttons".to_owned() });
    scene.wait("buttons", || scene.said(SPACE).len() == before + 2);
    scene.act(SPACE, &tap(&group, scene.newest_bubble(SPACE).id, 0));
    scene.wait("what the button does", || scene.said(SPACE).len() == before + 3);
    assert_eq!(scene.said(SPACE).pop().unwrap().thread, Some(top), "a button is answered where it stands");
    scene.wait_until_settled();
}

#[test]
fn a_file_is_heard_by_its_url_and_a_picture_is_said_by_its_url_on_both_platforms() {
    for (setup, answer) in [
        (Setup::default(), "I can't echo this"),
        (Setup { bot: TOUR, ..Setup::default() }, "That has no text. It was message 1 of yours. What next?"),
    ] {
        let scene = Scene::with(setup, Cast::of(1));
        for twin in [PAGE, SPACE] {
            let url = "https://example.org/roof.png".to_owned();
            scene.act(twin, &Act::Show { conversation: scene.direct(twin), url });
            scene.wait("an answer", || !scene.said(twin).is_empty());
            assert_eq!(scene.texts(twin), [answer]);
        }
    }
    let scene = Scene::with(Setup { bot: PAINTER, ..Setup::default() }, Cast::of(1));
    for twin in [PAGE, SPACE] {
        scene.say(twin, &scene.direct(twin), "picture");
        scene.wait("a picture", || !scene.said(twin).is_empty());
        assert_eq!(scene.newest_bubble(twin).pictures, ["https://example.org/sun.png"]);
    }
}
