//! The stand-in for Webex against Webex's samples: what it says has their shape, what they say it takes, and what the
//! real one would refuse it refuses.
//!
//! A shape is every member's path with its kind: text, number, moment, or which kind of thing an id names.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

mod answers;
#[path = "../shared/head.rs"]
mod head;
mod posts;
mod scene;
mod told;
mod uploads;
mod webhooks;

use crate::scene::{START, Scene, settings, told};
use ackd::twin::webex::Settings;
use ackd::twin::{Act, End, Twin};
use serde_json::json;
use std::time::Duration;

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let life = |seed| {
        let mut scene = Scene::with(Settings { seed, ..settings() });
        scene.subscribe(json!({}));
        scene.say(scene.group(), "hi").remove(0).body
    };
    assert_eq!(life(1), life(1));
    assert_ne!(life(1), life(2));
}

#[test]
fn an_act_that_cannot_be_says_why() {
    let mut scene = Scene::new();
    let direct = scene.direct();
    for act in [
        Act::Say { conversation: "x".to_owned(), text: "hi".to_owned(), mentions: true },
        Act::Say { conversation: direct.clone(), text: " \n".to_owned(), mentions: true },
        Act::SayInThread { conversation: direct.clone(), thread: "x".to_owned(), text: "hi".to_owned() },
        Act::Show { conversation: direct.clone(), url: "a.png".to_owned() },
        Act::Tap { conversation: direct, bubble: "x".to_owned(), choice: 0 },
    ] {
        assert!(scene.twin.act(&act, START).is_err_and(|why| !why.is_empty()), "{act:?}");
    }
    assert_eq!(scene.twin.bubbles(0), []);
}

#[test]
fn it_keeps_up_with_a_load_test() {
    let mut scene = Scene::subscribed();
    let direct = scene.direct();
    let began = std::time::Instant::now();
    const EVENTS: u32 = 2000;
    for _ in 0..EVENTS {
        let dispatches = scene.say(direct.clone(), "how much today?");
        let id = told(&dispatches)["data"]["id"].as_str().unwrap().to_owned();
        scene.get(&format!("/messages/{id}")).good();
        scene.said(json!({ "text": "14.2 kWh today" })).good();
        let end = End::Answered { status: 200, body: Vec::new(), took: Duration::ZERO };
        scene.twin.ended(&dispatches[0], &end, scene.now);
    }
    println!(
        "{} µs for a message, its lookup, its answer and both notifications",
        began.elapsed().as_micros() / u128::from(EVENTS)
    );
    assert_eq!(scene.twin.bubbles(0).len(), 2 * EVENTS as usize);
}
