//! The power fails, again and again, while people write.

use crate::client::{Client, PATH, one};
use crate::graph::{Act, PATIENCE};
use crate::scene::Scene;
use crate::shared::luck::Luck;
use ackd::store::State;
use ackd::store::sqlite::Reader;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const SENDERS: usize = 4;
const PEOPLE_EACH: usize = 3;
const KILLS: usize = 12;
/// Acknowledgements between two kills, at most.
const ACKS_BETWEEN_MAX: u64 = 80;

/// What the platform did so far.
struct Platform {
    address: SocketAddr,
    enough: AtomicBool,
    /// The mids that got their 200.
    acknowledged: Mutex<Vec<String>>,
    changed: Condvar,
}

impl Platform {
    /// Sends the messages of a few people, one after the other, each as often as it takes.
    fn send(&self, sender: usize) {
        let mut connection: Option<Client> = None;
        for number in 0.. {
            let mid = mid(1 + sender * PEOPLE_EACH + number % PEOPLE_EACH, number);
            let (person, text) = person_and_text(&mid);
            let body = one(&mid, &person, &text);
            loop {
                if self.enough.load(Ordering::Relaxed) {
                    return;
                }
                connection = connection.or_else(|| Client::try_connect(self.address).ok());
                let answer = connection.as_mut().map(|client| client.deliver_to(PATH, &body));
                match answer {
                    Some(Ok(answer)) if answer.status == 200 => break,
                    Some(Ok(answer)) => panic!("{mid} was answered {}", answer.status),
                    Some(Err(_)) => connection = None,
                    // Nobody is there; that is no reason to hammer.
                    None => thread::sleep(Duration::from_millis(2)),
                }
            }
            self.acknowledged.lock().unwrap().push(mid);
            self.changed.notify_all();
        }
    }

    fn wait_for_acknowledgements(&self, more: usize) {
        let acknowledged = self.acknowledged.lock().unwrap();
        let wanted = acknowledged.len() + more;
        let wait = self.changed.wait_timeout_while(acknowledged, PATIENCE, |mids| mids.len() < wanted).unwrap();
        assert!(!wait.1.timed_out(), "no further acknowledgements");
    }
}

fn mid(person: usize, number: usize) -> String {
    format!("m_{person}_{number:06}")
}

/// Whose message it is, and what it says: the mid tells both.
fn person_and_text(mid: &str) -> (String, String) {
    let person = mid.split('_').nth(1).unwrap();
    (person.to_owned(), format!("this is {mid}"))
}

#[test]
fn over_sigkills_nothing_acknowledged_is_lost_and_nothing_is_doubled_without_a_label() {
    let kills = std::env::var("ACKD_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let mut luck = Luck::of_the_day();
    let mut scene = Scene::new();
    scene.graph.plan(None, usize::MAX, Act::Slow(Duration::from_millis(2)));
    let platform = Arc::new(Platform {
        address: scene.daemon.address,
        enough: AtomicBool::new(false),
        acknowledged: Mutex::default(),
        changed: Condvar::new(),
    });
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let platform = Arc::clone(&platform);
            thread::spawn(move || platform.send(sender))
        })
        .collect();
    for _ in 0..kills {
        platform.wait_for_acknowledgements(1 + luck.below(ACKS_BETWEEN_MAX) as usize);
        thread::sleep(Duration::from_micros(luck.below(4000)));
        scene.daemon.kill();
        if luck.below(4) == 0 {
            // And again before it is up.
            scene.daemon.spawn();
            thread::sleep(Duration::from_millis(luck.below(40)));
            scene.daemon.kill();
        }
        // What the dead one had sent was sent before anything that the next one sends.
        scene.graph.wait_disconnected();
        scene.daemon.restart();
    }
    platform.enough.store(true, Ordering::Relaxed);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    let acknowledged = std::mem::take(&mut *platform.acknowledged.lock().unwrap());
    let began = Instant::now();
    for mid in &acknowledged {
        let text = person_and_text(mid).1;
        scene.graph.wait(&format!("an answer to {mid}, which was acknowledged"), |ledger| ledger.texts.contains(&text));
    }
    let waited = began.elapsed();
    scene.stop();
    expect_order(&scene);
    let doubled = expect_labels(&scene);
    println!(
        "{} acknowledged, {kills} kills, {doubled} answered twice and labelled, the last {waited:?} after the end",
        acknowledged.len()
    );
}

/// A person's answers came in the order in which that person's messages were acknowledged; again is allowed, back is
/// not.
fn expect_order(scene: &Scene) {
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let accepted = scene.graph.look(|ledger| ledger.accepted.clone());
    for message in accepted {
        let before = last.insert(message.to.clone(), message.text.clone());
        assert!(before.as_ref().is_none_or(|before| *before <= message.text), "{before:?} came before {message:?}");
    }
}

/// Every event has been answered, and whatever was said more than once says so; how many those are.
fn expect_labels(scene: &Scene) -> usize {
    let mut said: HashMap<String, usize> = HashMap::new();
    let accepted = scene.graph.look(|ledger| ledger.accepted.clone());
    for message in &accepted {
        *said.entry(message.text.clone()).or_default() += 1;
    }
    let reader = Reader::open(&scene.daemon.store()).unwrap();
    let events = scene.events();
    for event in &events {
        let life = reader.life(event.key).unwrap().unwrap();
        assert_eq!(life.state, State::Answered, "{life:#?}");
        let times = said.remove(&person_and_text(&life.platform_id).1).unwrap_or(0);
        let labelled = life.replies.iter().any(|reply| reply.maybe_twice);
        assert!(times == 1 || (times > 1 && labelled), "said {times} times, labelled {labelled}: {life:#?}");
    }
    assert!(said.is_empty(), "said without an event: {said:?}");
    accepted.len() - events.len()
}
