//! How fast the twins are: they are to drive load tests of the daemon, not the other way round.

use crate::ledger::ids;
use crate::scene::{Cast, PAGE, SPACE, Scene, Setup, say};
use std::thread;
use std::time::Instant;

const EVENTS: usize = 2000;
const PEOPLE: usize = 50;

#[test]
fn the_twins_tell_thousands_of_events_and_none_of_them_is_lost() {
    // A daemon without workers only keeps and acknowledges.
    let scene = Scene::with(Setup { workers: 0, ..Setup::default() }, Cast::of(PEOPLE));
    let began = Instant::now();
    thread::scope(|scope| {
        for twin in [PAGE, SPACE] {
            let (scene, people) = (&scene, scene.conversations(twin));
            scope.spawn(move || {
                for number in 0..EVENTS {
                    scene.house.act(twin, &say(&people[number % PEOPLE], &format!("event {number}"))).unwrap();
                }
            });
        }
    });
    scene.wait("all deliveries", || scene.house.is_quiet());
    let took = began.elapsed();
    println!(
        "{} events of two twins in {took:?}: {:.0} a second",
        2 * EVENTS,
        2.0 * EVENTS as f64 / took.as_secs_f64()
    );
    for twin in [PAGE, SPACE] {
        let told = scene.house.ledger(Some(twin)).dispatches;
        let told: Vec<_> = told.iter().filter(|entry| entry.method == "POST").collect();
        assert_eq!((told.len(), told.iter().filter(|entry| entry.satisfied).count()), (EVENTS, EVENTS));
        assert!(told.iter().all(|entry| ids(entry).len() == 1));
        assert_eq!(scene.events(twin).len(), EVENTS);
    }
}
