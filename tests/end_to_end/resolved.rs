//! What the operator has dealt with: `ackd resolve`, beside a daemon that works, and while the power fails.

use crate::client::{body, message, one};
use crate::graph::{Act, Answer};
use crate::scene::Scene;
use crate::shared::luck::Luck;
use ackd::store::State;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

const ROUNDS: usize = 6;
const PEOPLE: usize = 20;

/// A command beside the daemon.
fn command(scene: &Scene, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
    command.args(words).arg("--config").arg(scene.daemon.config()).env_remove("RUST_LOG");
    command
}

fn run(scene: &Scene, words: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = command(scene, words).output().unwrap();
    (status.code().unwrap(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

/// What the control socket answers to whoever is no command.
fn ask(scene: &Scene, body: &str) -> String {
    let mut stream = UnixStream::connect(scene.daemon.store().with_extension("sock")).unwrap();
    let head = "POST /resolve HTTP/1.1\r\nHost: ackd\r\nConnection: close\r\n";
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn refused() -> Act {
    Act::Refuse(Answer::sample(400, "error_100_2018001_no_user"))
}

#[test]
fn what_is_dealt_with_is_listed_as_failed_no_more_and_its_conversation_goes_on() {
    let mut scene = Scene::new();
    scene.graph.plan("1", 1, refused());
    scene.graph.plan("2", 1, Act::Lose);
    for person in ["1", "2", "3"] {
        assert_eq!(scene.deliver(&one(&format!("m_{person}"), person, "hello")), 200);
    }
    let dead = scene.wait_for_state("m_1", State::Dead).id.to_string();
    let unknown = scene.wait_for_state("m_2", State::Unknown).id.to_string();
    let answered = scene.wait_for_state("m_3", State::Answered).id.to_string();
    let said = run(&scene, &["resolve", &dead, &unknown, &answered]);
    let left = "left alone: it is answered; only dead and unknown ones are resolved";
    let lines =
        format!("{dead} resolved\n{unknown} resolved\n{answered} {left}\nackd: one was left alone; 2 resolved\n");
    assert_eq!(said, (1, lines));
    assert_eq!(run(&scene, &["resolve", &format!("{dead}.1")]).0, 2, "a reply is no event");
    let answer = ask(&scene, &format!(r#"{{"events":["{dead}.1"]}}"#));
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("its event is\n"), "{answer}");
    for _ in 0..2 {
        let failed = run(&scene, &["events", "--dead", "--unknown"]);
        assert_eq!(failed, (0, "No event is dead or unknown.\n".to_owned()));
        let listed = run(&scene, &["events"]).1;
        assert!(
            listed.contains("set aside by the operator; it was dead: ") && listed.contains("the operator saw"),
            "{listed}"
        );
        assert!(run(&scene, &["why", &dead]).1.contains("  resolved by the operator\n"));
        // What was said is durable, and nothing of it is said again.
        scene.daemon.kill();
        scene.daemon.restart();
    }
    for person in ["1", "2"] {
        assert_eq!(scene.deliver(&one(&format!("n_{person}"), person, "and now?")), 200);
        scene.wait_for_state(&format!("n_{person}"), State::Answered);
    }
    scene.stop();
    assert_eq!(scene.graph.texts_to("1"), ["and now?"]);
    assert_eq!(scene.graph.texts_to("2"), ["hello", "and now?"]);
}

#[test]
fn all_that_is_dead_is_resolved_or_none_of_it_wherever_the_power_fails() {
    let mut luck = Luck::of_the_day();
    let mut scene = Scene::new();
    let mut done = 0;
    for round in 0..ROUNDS {
        scene.graph.plan(None, PEOPLE, refused());
        let people: Vec<_> = (1..=PEOPLE).map(|person| (round * PEOPLE + person).to_string()).collect();
        let mids: Vec<_> = people.iter().map(|person| format!("m_{person}")).collect();
        let items: Vec<_> = people.iter().zip(&mids).map(|(person, mid)| message(mid, person, "hello")).collect();
        assert_eq!(scene.deliver(&body(&items)), 200);
        mids.iter().for_each(|mid| drop(scene.wait_for_state(mid, State::Dead)));
        let mut resolve =
            command(&scene, &["resolve", "--dead"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(luck.below(12_000)));
        scene.daemon.kill();
        // Without a daemon it does it by itself.
        let told = resolve.wait().unwrap().success();
        let lives = || mids.iter().map(|mid| scene.life(mid).unwrap()).collect::<Vec<_>>();
        let ended = lives().iter().filter(|life| life.state == State::Ignored && life.replays.len() == 1).count();
        assert!(ended == PEOPLE || (ended == 0 && !told), "{ended} of {PEOPLE}, told {told}");
        done += ended;
        assert_eq!(run(&scene, &["resolve", "--dead"]).0, 0);
        for life in lives() {
            assert!(life.state == State::Ignored && life.replays.len() == 1 && life.replays[0].resolved, "{life:#?}");
        }
        scene.daemon.restart();
    }
    scene.stop();
    assert!(scene.graph.look(|ledger| ledger.accepted.is_empty()), "nothing of it was sent");
    println!("{done} of {} were resolved though the daemon was killed", ROUNDS * PEOPLE);
}
