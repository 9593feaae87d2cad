//! A full disk: a small tmpfs that the test mounts, which only root may do.

use crate::client::{PATH, one};
use crate::daemon::{Daemon, Folder, GLANCE, Setup};
use crate::graph::{Act, Graph, PATIENCE};
use crate::scene::Scene;
use ackd::store::State;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

/// A folder with a small disk of its own in it, and where that is; `None` where nobody may mount one.
fn folder_with_disk() -> Option<(Folder, PathBuf)> {
    let mut folder = Folder::new();
    // The store's log alone may take 16 MiB before it is moved into the store.
    match folder.mount("disk", "24m") {
        Ok(disk) => Some((folder, disk)),
        Err(why) => {
            println!("SKIPPED: the full disk: mounting a tmpfs is not permitted here: {why}");
            None
        }
    }
}

/// Fills a disk to the last byte; the file that does.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("filler");
    let mut filler = File::create(&path).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    path
}

#[test]
fn a_full_disk_is_answered_503_and_nothing_acknowledged_is_lost_when_there_is_room_again() {
    let Some((folder, disk)) = folder_with_disk() else { return };
    let setup = Setup { store: PathBuf::from("disk/ackd.db"), ..Setup::default() };
    let graph = Graph::start(&[setup.pages[0].token]);
    let mut scene = Scene { daemon: Daemon::start_in(folder, setup, graph.api()), graph };

    let mut number = 0;
    let mut deliver = |scene: &Scene| {
        number += 1;
        let mid = format!("m_{number}");
        let answer = scene.client().deliver_to(PATH, &one(&mid, "1", &mid)).unwrap();
        (mid, answer)
    };
    let mut kept = Vec::new();
    for _ in 0..20 {
        let (mid, answer) = deliver(&scene);
        assert_eq!(answer.status, 200);
        kept.push(mid);
    }
    // One reply is on the wire when the disk is full: its end can only be written afterwards.
    scene.graph.wait_for("1", 20);
    scene.wait_for_state("m_20", State::Answered);
    scene.graph.plan("2", usize::MAX, Act::Hold);
    assert_eq!(scene.deliver(&one("m_wire", "2", "on the wire")), 200);
    scene.graph.wait("a reply on the wire", |ledger| ledger.held == 1);

    let filler = fill(&disk);
    let mut refused = Vec::new();
    while refused.len() < 20 {
        let (mid, answer) = deliver(&scene);
        match answer.status {
            200 if kept.len() < 1000 => kept.push(mid),
            503 => {
                assert!(answer.header("Retry-After").is_some_and(|wait| wait.parse::<u32>().is_ok()), "{answer:?}");
                refused.push(mid);
            }
            _ => panic!("{} after {} kept and {} refused", answer.status, kept.len(), refused.len()),
        }
    }
    scene.graph.release("2");
    let line = scene.daemon.wait_for_line(0, "the store cannot be written");
    assert!(line.contains("503") && line.contains("free some space"), "{line}");
    assert!(scene.daemon.runs());

    fs::remove_file(filler).unwrap();
    let freed = Instant::now();
    loop {
        let (mid, answer) = deliver(&scene);
        if answer.status == 200 {
            kept.push(mid);
            break;
        }
        assert!(freed.elapsed() < PATIENCE, "still {} after there is room again", answer.status);
        thread::sleep(GLANCE);
    }
    scene.daemon.wait_for_line(0, "the store can be written again");
    // The platform sends again what was refused.
    for mid in refused {
        assert_eq!(scene.deliver(&one(&mid, "1", &mid)), 200);
        kept.push(mid);
    }
    scene.graph.wait_for("1", kept.len());
    scene.wait_for_state("m_wire", State::Answered);
    scene.stop();
    assert_eq!(scene.graph.texts_to("1"), kept);
    assert_eq!(scene.graph.texts_to("2"), ["on the wire"]);
    let events = scene.events();
    assert!(events.iter().all(|event| event.state == State::Answered && event.maybe_twice == 0), "{events:#?}");
    assert_eq!(events.len(), kept.len() + 1);
}

#[test]
fn a_disk_that_is_still_full_is_not_called_writable() {
    let Some((folder, disk)) = folder_with_disk() else { return };
    let setup = Setup { store: PathBuf::from("disk/ackd.db"), log: "debug", ..Setup::default() };
    let graph = Graph::start(&[setup.pages[0].token]);
    let mut scene = Scene { daemon: Daemon::start_in(folder, setup, graph.api()), graph };
    let filler = fill(&disk);
    let refused = (0..1000).any(|number| {
        let mid = format!("m_{number}");
        scene.client().deliver_to(PATH, &one(&mid, "1", &mid)).unwrap().status == 503
    });
    assert!(refused, "the disk is not full");
    // With nothing to write, the keeper tries by itself, every second; each time it must find the disk full.
    scene.daemon.wait_for_line(0, "the store cannot be written");
    let mut from = scene.daemon.log().rfind("the store cannot be written").unwrap();
    let since = from;
    for _ in 0..3 {
        scene.daemon.wait_for_line(from, "the store still cannot be written");
        from = scene.daemon.log().rfind("the store still cannot be written").unwrap() + 1;
    }
    assert!(!scene.daemon.log()[since..].contains("can be written again"), "{}", scene.daemon.log());
    fs::remove_file(filler).unwrap();
    scene.daemon.wait_for_line(since, "the store can be written again");
    scene.stop();
}

#[test]
fn a_start_on_a_full_disk_fails_with_a_reason() {
    let Some((folder, disk)) = folder_with_disk() else { return };
    fill(&disk);
    let setup = Setup { store: PathBuf::from("disk/ackd.db"), ..Setup::default() };
    let mut daemon = Daemon::prepare(folder, setup, "http://127.0.0.1:9".to_owned());
    daemon.spawn();
    let status = daemon.wait();
    assert_eq!(status.code(), Some(1), "{}", daemon.log());
    assert!(daemon.log().contains("ackd.db") && daemon.log().contains("free some space"), "{}", daemon.log());
}
