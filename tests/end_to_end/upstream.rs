//! The upstream is slow, gone, back again.

use crate::client::{body, message, one};
use crate::graph::Act;
use crate::scene::Scene;
use ackd::store::State;
use std::time::{Duration, Instant};

#[test]
fn a_person_whose_answers_hang_holds_up_nobody_else() {
    let mut scene = Scene::new();
    scene.graph.plan("1", usize::MAX, Act::Hold);
    let mut client = scene.client();
    for number in 0..10 {
        for person in ["1", "2", "3", "4"] {
            assert_eq!(client.deliver(&one(&format!("m_{person}_{number}"), person, &number.to_string())), 200);
        }
    }
    // Everybody else has all answers while the first of them still waits for one.
    for person in ["2", "3", "4"] {
        scene.graph.wait_for(person, 10);
    }
    assert_eq!(scene.graph.look(|ledger| (ledger.held, ledger.texts_to("1").len())), (1, 1));
    scene.graph.release("1");
    scene.graph.wait_for("1", 10);
    scene.stop();
    let expected: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    for person in ["1", "2", "3", "4"] {
        assert_eq!(scene.graph.texts_to(person), expected, "to {person}");
    }
}

#[test]
fn a_person_whose_answers_take_three_seconds_holds_up_nobody_else() {
    let scene = Scene::new();
    scene.graph.plan("1", usize::MAX, Act::Slow(Duration::from_secs(3)));
    let mut client = scene.client();
    for number in 0..3 {
        assert_eq!(client.deliver(&one(&format!("m_1_{number}"), "1", &number.to_string())), 200);
    }
    for number in 0..100 {
        assert_eq!(client.deliver(&one(&format!("m_2_{number}"), "2", &number.to_string())), 200);
    }
    scene.graph.wait_for("2", 100);
    scene.graph.wait_for("1", 3);
    let (last_of_others, last_of_slow) = scene.graph.look(|ledger| {
        let last = |to: &str| ledger.accepted.iter().rfind(|message| message.to == to).unwrap().at;
        (last("2"), last("1"))
    });
    assert!(last_of_others < last_of_slow, "the others waited for the slow one");
    assert_eq!(scene.graph.texts_to("1"), ["0", "1", "2"]);
    scene.expect_well_said();
}

#[test]
fn while_the_upstream_is_gone_everything_is_kept_and_then_answered_in_order() {
    let mut scene = Scene::new();
    scene.graph.go_away();
    let mut client = scene.client();
    for number in 0..10 {
        for person in ["1", "2", "3", "4", "5"] {
            assert_eq!(client.deliver(&one(&format!("m_{person}_{number}"), person, &number.to_string())), 200);
        }
    }
    // It tries, and tries no longer than is useful: after some failures in a row the channel rests.
    scene.daemon.wait_for_line(0, "channel page: no replies for");
    assert!(scene.events().iter().all(|event| event.state == State::Open));
    scene.graph.come_back();
    scene.daemon.wait_for_line(0, "the platform takes our replies again");
    let expected: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    for person in ["1", "2", "3", "4", "5"] {
        scene.graph.wait_for(person, 10);
    }
    scene.stop();
    for person in ["1", "2", "3", "4", "5"] {
        assert_eq!(scene.graph.texts_to(person), expected, "to {person}");
    }
    let twice = scene.events().iter().any(|event| event.maybe_twice > 0 || event.state != State::Answered);
    assert!(!twice, "what was refused was not said: {:#?}", scene.events());
}

#[test]
fn an_upstream_that_goes_away_during_a_restart_changes_nothing() {
    let mut scene = Scene::new();
    scene.graph.go_away();
    for number in 0..5 {
        assert_eq!(scene.deliver(&one(&format!("m_{number}"), "1", &number.to_string())), 200);
    }
    scene.wait_for_life("m_0", "tried", |life| life.replies.first().is_some_and(|reply| !reply.attempts.is_empty()));
    scene.stop();
    scene.daemon.restart();
    scene.daemon.kill();
    scene.daemon.restart();
    scene.graph.come_back();
    scene.graph.wait_for("1", 5);
    scene.stop();
    assert_eq!(scene.graph.texts_to("1"), ["0", "1", "2", "3", "4"]);
}

#[test]
fn an_upstream_that_closes_its_connections_without_a_word_makes_no_reply_unknown() {
    let mut scene = Scene::new();
    scene.graph.plan(None, usize::MAX, Act::Leave);
    for number in 0..30 {
        let mid = format!("m_{number}");
        assert_eq!(scene.deliver(&one(&mid, "1", &mid)), 200);
        scene.wait_for_state(&mid, State::Answered);
        // The next call finds that the connection of this one has ended.
        scene.graph.wait_disconnected();
    }
    scene.stop();
    assert_eq!(scene.graph.look(|ledger| ledger.calls.len()), 30);
}

/// The median time to an acknowledgement of so many deliveries, one after the other.
fn acknowledgement(scene: &Scene, name: &str, count: usize) -> Duration {
    let mut client = scene.client();
    let mut times: Vec<Duration> = (0..count)
        .map(|number| {
            let body = one(&format!("m_{name}_{number}"), &format!("{}", 100 + number % 10), "how quick?");
            let began = Instant::now();
            assert_eq!(client.deliver(&body), 200);
            began.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

#[test]
fn acknowledgements_stay_quick_while_the_upstream_hangs_and_a_thousand_replies_wait() {
    const TIMES_SLOWER_MAX: u32 = 8;
    let scene = Scene::new();
    let before = acknowledgement(&scene, "before", 200);
    // Four people whose answers hang take all four workers, and a thousand replies wait behind them.
    let people = ["1", "2", "3", "4"];
    people.iter().for_each(|person| scene.graph.plan(*person, usize::MAX, Act::Hold));
    for person in people {
        assert_eq!(scene.deliver(&one(&format!("m_{person}"), person, "hang")), 200);
    }
    scene.graph.wait("all workers hang", |ledger| ledger.held == people.len());
    let waiting: Vec<String> =
        (0..1000).map(|number| message(&format!("m_wait_{number}"), &format!("{}", 200 + number), "waits")).collect();
    for some in waiting.chunks(100) {
        assert_eq!(scene.deliver(&body(some)), 200);
    }
    // Other tests run beside this one, so the best of a few rounds counts.
    let during = (0..3).map(|round| acknowledgement(&scene, &format!("during-{round}"), 200)).min().unwrap();
    println!("median acknowledgement: {before:?} before, {during:?} while the upstream hangs");
    assert!(during < before * TIMES_SLOWER_MAX, "{during:?} instead of {before:?}");
    scene.graph.heal();
    scene.graph.wait("everything is answered", |ledger| ledger.accepted.len() == 4 + 1000 + 4 * 200);
    scene.expect_well_said();
}

#[test]
fn five_thousand_events_that_waited_are_answered_in_the_order_of_each_conversation() {
    const PEOPLE: usize = 100;
    const EACH: usize = 50;
    let mut scene = Scene::new();
    scene.graph.go_away();
    let began = Instant::now();
    let mut client = scene.client();
    for number in 0..EACH {
        let one_each: Vec<String> = (1..=PEOPLE)
            .map(|person| message(&format!("m_{person}_{number}"), &person.to_string(), &format!("{number:03}")))
            .collect();
        assert_eq!(client.deliver(&body(&one_each)), 200);
    }
    let kept = began.elapsed();
    scene.daemon.wait_for_line(0, "channel page: no replies for");
    scene.graph.come_back();
    let back = Instant::now();
    for some in (1..=10).map(|part| part * PEOPLE * EACH / 10) {
        scene.graph.wait(&format!("{some} answers"), |ledger| ledger.accepted.len() >= some);
    }
    println!("{} kept in {kept:?}, answered in {:?}", PEOPLE * EACH, back.elapsed());
    scene.stop();
    let expected: Vec<String> = (0..EACH).map(|number| format!("{number:03}")).collect();
    for person in 1..=PEOPLE {
        assert_eq!(scene.graph.texts_to(&person.to_string()), expected, "to {person}");
    }
    assert!(scene.events().iter().all(|event| event.state == State::Answered && event.maybe_twice == 0));
}
