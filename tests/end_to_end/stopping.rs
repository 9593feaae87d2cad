//! Signals: a stop finishes what is under way and begins nothing new.

use crate::client::{Client, PATH, delivery, one, request, signature};
use crate::daemon::{APP_SECRET, GLANCE};
use crate::graph::{Act, PATIENCE};
use crate::scene::Scene;
use ackd::store::State;
use rustix::process::Signal;
use std::thread;
use std::time::Instant;

/// A delivery whose body the daemon waits for: it has read the head, and said so.
fn begun(scene: &Scene, body: &str) -> Client {
    let signature = signature(APP_SECRET, body.as_bytes());
    let length = body.len().to_string();
    let headers =
        [("X-Hub-Signature-256", signature.as_str()), ("Content-Length", &length), ("Expect", "100-continue")];
    let mut client = scene.client();
    client.write(request("POST", PATH, &headers, ""));
    assert_eq!(client.read().status, 100);
    client
}

fn wait_until_refused(scene: &Scene) {
    let began = Instant::now();
    while Client::try_connect(scene.daemon.address).is_ok() {
        assert!(began.elapsed() < PATIENCE, "it still accepts connections");
        thread::sleep(GLANCE);
    }
}

fn a_stop_by(signal: Signal) {
    let mut scene = Scene::new();
    // A long answer has its first part on the wire; others wait behind it; a request is half there; one is idle.
    let long = "x".repeat(5000);
    scene.graph.plan("1", usize::MAX, Act::Hold);
    assert_eq!(scene.deliver(&one("m_long", "1", &long)), 200);
    assert_eq!(scene.deliver(&one("m_behind", "1", "behind it")), 200);
    scene.graph.wait("a reply on the wire", |ledger| ledger.held == 1);
    let half = one("m_half", "2", "half there");
    let mut half_there = begun(&scene, &half);
    half_there.write(&half[..half.len() / 2]);
    let mut idle = scene.client();
    assert_eq!(idle.deliver(&one("m_idle", "3", "before")), 200);
    scene.wait_for_state("m_idle", State::Answered);

    scene.daemon.signal(signal);
    scene.daemon.wait_for_line(0, "stopping");
    idle.expect_end();
    wait_until_refused(&scene);
    half_there.write(&half[half.len() / 2..]);
    let answer = half_there.read();
    assert_eq!((answer.status, answer.header("Connection")), (200, Some("close")), "{answer:?}");
    half_there.expect_end();
    scene.graph.release("1");
    let status = scene.daemon.wait();
    assert_eq!(status.code(), Some(0), "{status}");
    // What was on the wire is settled; nothing else was begun.
    assert_eq!(scene.graph.look(|ledger| ledger.accepted.len()), 2);
    let life = scene.life("m_long").unwrap();
    let states: Vec<State> = life.replies.iter().map(|reply| reply.state).collect();
    assert_eq!((life.state, states), (State::Open, vec![State::Answered, State::Open, State::Open]), "{life:#?}");

    scene.daemon.restart();
    scene.graph.wait_for("1", 4);
    scene.graph.wait_for("2", 1);
    scene.stop();
    assert_eq!(scene.graph.look(|ledger| ledger.answers(|said| said.to == "1")), [long.as_str(), "behind it"]);
    assert_eq!(scene.graph.texts_to("2"), ["half there"]);
    assert_eq!(scene.graph.texts_to("3"), ["before"]);
    let events = scene.events();
    assert!(events.iter().all(|event| event.state == State::Answered && event.maybe_twice == 0), "{events:#?}");
}

#[test]
fn sigterm_finishes_what_is_under_way_and_begins_nothing_new() {
    a_stop_by(Signal::TERM);
}

#[test]
fn sigint_does_as_sigterm_does() {
    a_stop_by(Signal::INT);
}

#[test]
fn a_request_that_never_ends_does_not_keep_it_from_stopping() {
    let mut scene = Scene::new();
    let mut stuck = begun(&scene, &one("m_stuck", "1", "never"));
    let mut halfway = scene.client();
    halfway.write(&delivery(PATH, one("m_head", "1", "never"))[..40]);
    scene.stop();
    assert!(stuck.try_read(false).is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock));
    assert_eq!(scene.events(), []);
    // And it lets go of the store and of the port.
    scene.daemon.restart();
    assert_eq!(scene.deliver(&one("m_stuck", "1", "at last")), 200);
    scene.graph.wait_for("1", 1);
    scene.stop();
}

#[test]
fn stops_in_the_middle_of_everything_lose_and_double_nothing() {
    const ROUNDS: usize = 8;
    const EACH: usize = 25;
    let mut scene = Scene::new();
    for round in 0..ROUNDS {
        let mut client = scene.client();
        for number in 0..EACH {
            let mid = format!("m_{round}_{number}");
            assert_eq!(client.deliver(&one(&mid, &format!("{}", 1 + number % 5), &mid)), 200);
        }
        scene.stop();
        scene.daemon.restart();
    }
    scene.graph.wait("all of them", |ledger| ledger.accepted.len() >= ROUNDS * EACH);
    scene.stop();
    for person in 0..5 {
        let numbers = (0..ROUNDS).flat_map(|round| (0..EACH).map(move |number| (round, number)));
        let expected: Vec<String> = numbers
            .filter(|(_, number)| number % 5 == person)
            .map(|(round, number)| format!("m_{round}_{number}"))
            .collect();
        assert_eq!(scene.graph.texts_to(&(person + 1).to_string()), expected);
    }
    assert!(scene.events().iter().all(|event| event.state == State::Answered && event.maybe_twice == 0));
}
