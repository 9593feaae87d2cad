//! One ackd for each store, and never a file that is not one.

use crate::client::one;
use crate::daemon::{Daemon, Folder, Setup};
use crate::scene::Scene;
use std::fs;
use std::path::Path;

/// Starts a daemon that cannot start; what it said.
fn fails_to_start(daemon: &mut Daemon) -> String {
    let before = daemon.log().len();
    daemon.spawn();
    let status = daemon.wait();
    let said = daemon.log().split_off(before);
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// A daemon that has not been started, with a store of this content.
fn with_store(content: &[u8]) -> Daemon {
    let folder = Folder::new();
    fs::write(folder.path().join("ackd.db"), content).unwrap();
    Daemon::prepare(folder, Setup::default(), "http://127.0.0.1:9/v25.0".to_owned())
}

#[test]
fn a_second_ackd_on_the_same_store_does_not_start_and_the_first_goes_on() {
    let mut scene = Scene::new();
    let setup = Setup { store: scene.daemon.store(), ..Setup::default() };
    let mut second = Daemon::prepare(Folder::new(), setup, scene.graph.api());
    let said = fails_to_start(&mut second);
    let store = scene.daemon.store().display().to_string();
    assert!(said.contains(&store) && said.contains("another ackd works on it"), "{said}");
    assert_eq!(scene.deliver(&one("m_1", "1", "the first one")), 200);
    scene.graph.wait_for("1", 1);
    scene.stop();
    // Once the first one has gone, the store is free.
    second.setup.store = scene.daemon.store();
    second.restart();
    second.stop();
}

#[test]
fn a_second_ackd_on_the_same_port_does_not_start_and_says_so() {
    let mut scene = Scene::new();
    let mut second = Daemon::prepare(Folder::new(), Setup::default(), scene.graph.api());
    second.address = scene.daemon.address;
    let said = fails_to_start(&mut second);
    assert!(said.contains(&scene.daemon.address.to_string()) && said.contains("listening"), "{said}");
    assert!(!second.store().exists(), "it made a store before it knew that it could start");
    scene.stop();
}

#[test]
fn a_file_that_is_not_a_store_is_refused_and_left_as_it_is() {
    let other_database = {
        let folder = Folder::new();
        let path = folder.path().join("other.db");
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute_batch("CREATE TABLE mine (word TEXT); INSERT INTO mine VALUES ('precious');").unwrap();
        drop(database);
        fs::read(path).unwrap()
    };
    for content in [b"my diary\n".to_vec(), vec![0; 100], other_database] {
        let mut daemon = with_store(&content);
        let said = fails_to_start(&mut daemon);
        assert!(said.contains("not a store of ackd") && said.contains("nothing was changed"), "{said}");
        assert!(fs::read(daemon.store()).unwrap() == content, "it was changed");
    }
}

/// A store with some events in it, as its file is after a proper stop.
fn some_store() -> Vec<u8> {
    let mut scene = Scene::new();
    let mut client = scene.client();
    for number in 0..200 {
        assert_eq!(client.deliver(&one(&format!("m_{number}"), "1", &"words ".repeat(20))), 200);
    }
    scene.graph.wait_for("1", 200);
    scene.stop();
    assert!(!Path::new(&format!("{}-wal", scene.daemon.store().display())).exists(), "a log was left behind");
    fs::read(scene.daemon.store()).unwrap()
}

#[test]
fn a_damaged_store_is_refused_and_left_as_it_is() {
    let whole = some_store();
    let cut = whole[..whole.len() / 2 / 4096 * 4096].to_vec();
    let mut scribbled = whole.clone();
    scribbled[4096 * 3..4096 * 6].fill(0xa5);
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&999_u32.to_be_bytes());
    for (content, words) in [(cut, "damaged"), (scribbled, "damaged"), (newer, "newer ackd")] {
        let mut daemon = with_store(&content);
        let said = fails_to_start(&mut daemon);
        assert!(said.contains(words), "{said}");
        assert!(fs::read(daemon.store()).unwrap() == content, "{words}: it was changed");
    }
    // The whole one is fine, so it was not the test.
    let mut daemon = with_store(&whole);
    daemon.restart();
    daemon.stop();
}
