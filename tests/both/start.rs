//! From a stopped daemon with two tokens to answered messages: one command. And what it does for its registrations.

use crate::ledger::resource;
use crate::scene::{Cast, PAGE, SPACE, Scene, Setup, say};
use ackd::model::Method;
use ackd::store::State;
use serde_json::Value;
use std::time::Instant;

/// The status of each webhook that Webex has for the bot.
fn statuses(scene: &Scene) -> Vec<String> {
    let list = scene.by_hand(Method::Get, "/webhooks", &Value::Null);
    let items = list["items"].as_array().unwrap();
    items.iter().map(|webhook| webhook["status"].as_str().unwrap().to_owned()).collect()
}

/// How often somebody was told who the bot is.
fn introductions(scene: &Scene) -> usize {
    let calls = scene.house.ledger(Some(SPACE)).calls;
    calls.iter().filter(|call| call.path == "/people/me" && call.status == 200).count()
}

#[test]
fn one_command_leads_from_tokens_to_answered_messages_with_nothing_registered_before() {
    let mut scene = Scene::prepared(Setup::default(), Cast::of(1));
    assert_eq!(scene.house.act(SPACE, &say(&scene.direct(SPACE), "anybody?")).unwrap(), [0; 0]);
    let began = Instant::now();
    scene.daemon.restart();
    scene.wait_until_registered();
    let registered = began.elapsed();
    scene.talk(SPACE, &scene.direct(SPACE), "hello");
    scene.talk(PAGE, &scene.direct(PAGE), "hello");
    println!("registered after {registered:?}, answered after {:?}", began.elapsed());
    assert_eq!((statuses(&scene), introductions(&scene)), (vec!["active".to_owned(); 3], 1));
    // The next start finds all as it should be, and changes nothing.
    scene.daemon.stop();
    let before = scene.house.ledger(None).calls.len();
    scene.daemon.restart();
    scene.wait("another look", || introductions(&scene) == 2);
    scene.talk(SPACE, &scene.direct(SPACE), "hello again");
    scene.talk(PAGE, &scene.direct(PAGE), "hello again");
    let calls = scene.house.ledger(None).calls.split_off(before);
    let changes: Vec<_> =
        calls.iter().filter(|call| call.method != "GET" && !call.path.ends_with("/messages")).collect();
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn a_webhook_that_went_inactive_while_the_daemon_was_down_is_active_again_after_its_start() {
    let mut scene = Scene::new();
    scene.talk(SPACE, &scene.direct(SPACE), "hello");
    scene.wait_until_settled();
    scene.daemon.stop();
    scene.wait("Webex to give up", || {
        scene.house.act(SPACE, &say(&scene.direct(SPACE), "is nobody there?")).unwrap();
        statuses(&scene).contains(&"inactive".to_owned())
    });
    scene.wait("the deliveries", || scene.house.is_quiet());
    let before = scene.texts(SPACE);
    scene.daemon.restart();
    scene.wait("the repair", || statuses(&scene) == ["active"; 3]);
    scene.talk(SPACE, &scene.direct(SPACE), "there you are");
    assert_eq!(scene.texts(SPACE)[before.len()..], ["there you are"]);
    let log = scene.daemon.log();
    assert!(log.contains("repaired messages/created"), "{log}");
}

#[test]
fn after_a_restart_while_webex_is_down_messages_are_answered_as_soon_as_it_is_back_without_asking_who_we_are() {
    let mut scene = Scene::new();
    scene.talk(SPACE, &scene.direct(SPACE), "hello");
    scene.daemon.stop();
    scene.plan(SPACE, "500 100%", 1);
    scene.daemon.restart();
    let told = scene.say(SPACE, &scene.direct(SPACE), "still there?").remove(0);
    // It knows who it is all the same: this is for the bot, and it tries to look it up.
    let path = format!("/messages/{}", resource(&told));
    scene.wait("a look-up that fails", || {
        let calls = scene.house.ledger(Some(SPACE)).calls;
        calls.iter().any(|call| call.path == path && call.status == 500)
    });
    scene.plan(SPACE, "", 0);
    scene.wait_for_said(SPACE, "still there?");
    assert_eq!(introductions(&scene), 1, "it was remembered, not asked again");
    scene.wait_for_state(&told, State::Answered);
}
