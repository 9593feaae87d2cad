//! A platform took the reply, and its answer was lost: what comes back from there settles it.

use crate::scene::{Cast, PAGE, SPACE, Scene, Setup};
use ackd::model::Moment;
use ackd::store::State;
use ackd::twin::Plan;
use ackd::twin::faults::{CallFault, Faults};

pub const HALF: &str = "cut 50%";

/// A seed under which of the next calls only this one is cut: looking up comes before, and what comes back after it.
pub fn seed_that_cuts_only(call: usize) -> u64 {
    let cuts = |seed: &u64| {
        let mut faults = Faults::new(Plan::parse(HALF, *seed).unwrap());
        (0..8).all(|at| (faults.call(Moment(0)) == Some(CallFault::Cut)) == (at == call))
    };
    (0..).find(cuts).unwrap()
}

fn expect_settled(scene: &Scene, twin: &str, call: usize) {
    scene.talk(twin, &scene.direct(twin), "before");
    scene.wait_until_settled();
    scene.plan(twin, HALF, seed_that_cuts_only(call));
    let told = scene.say(twin, &scene.direct(twin), "lost").remove(0);
    let life = scene.wait_for_state(&told, State::Answered);
    scene.plan(twin, "", 0);
    scene.talk(twin, &scene.direct(twin), "after");
    scene.wait_until_settled();
    assert_eq!(scene.texts(twin), ["before", "lost", "after"]);
    let [reply] = &*life.replies else { panic!("{life:#?}") };
    let first = &reply.attempts[0];
    assert!(first.status.is_none() && reply.attempts.len() == 1 && !reply.maybe_twice, "{life:#?}");
}

#[test]
fn on_webex_our_own_message_coming_back_with_the_same_text_settles_a_lost_answer() {
    // A look-up, the reply, and the look-up of what came back.
    expect_settled(&Scene::new(), SPACE, 1);
}

#[test]
fn on_a_page_the_echos_metadata_settles_a_lost_answer() {
    expect_settled(&Scene::new(), PAGE, 0);
}

#[test]
fn without_an_echo_a_lost_answer_stays_unknown_and_is_not_said_again() {
    let mut cast = Cast::of(1);
    // As if somebody had registered by hand, but for the echoes.
    cast.page.fields = vec!["messages".to_owned()];
    let mut scene = Scene::prepared(Setup { registers: false, ..Setup::default() }, cast);
    scene.daemon.restart();
    scene.plan(PAGE, HALF, seed_that_cuts_only(0));
    let told = scene.say(PAGE, &scene.direct(PAGE), "lost").remove(0);
    scene.wait_for_state(&told, State::Unknown);
    scene.talk(PAGE, &scene.direct(PAGE), "after");
    scene.wait_until_settled();
    scene.wait_for_state(&told, State::Unknown);
    assert_eq!(scene.texts(PAGE), ["lost", "after"]);
}
