//! Connections that want to be in the way.

use crate::client::{Client, PATH, delivery, one, request};
use crate::daemon::Setup;
use crate::scene::Scene;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::thread;

/// This process holds the other ends of all those connections.
fn may_open(files: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < files) {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).unwrap();
        assert!(limit.maximum.is_none_or(|maximum| maximum >= files), "this test opens {files} files");
    }
}

fn connect(scene: &Scene, count: usize) -> Vec<Client> {
    (0..count).map(|_| scene.client()).collect()
}

/// A genuine message is kept and answered, on a connection of its own.
fn expect_service(scene: &Scene, mid: &str) {
    let before = scene.graph.texts_to("1").len();
    assert_eq!(scene.deliver(&one(mid, "1", mid)), 200);
    scene.graph.wait_for("1", before + 1);
}

#[test]
fn silent_half_asked_and_dribbled_requests_delay_no_genuine_one_and_end_with_408() {
    may_open(4096);
    let scene = Scene::new();
    let mut regular = scene.client();
    assert_eq!(regular.deliver(&one("m_before", "2", "before")), 200);
    let mut silent = connect(&scene, 1000);
    let whole = delivery(PATH, one("m_never", "3", "never"));
    let mut halves = connect(&scene, 200);
    for (place, client) in halves.iter_mut().enumerate() {
        client.write(&whole[..1 + place % 150]);
    }
    let mut slow = connect(&scene, 50);
    slow.iter_mut().for_each(|client| client.write(&whole[..whole.len() - 2]));
    expect_service(&scene, "m_among-them");
    assert_eq!(regular.deliver(&one("m_regular", "2", "among them")), 200);
    // Another byte now and then does not help them: a head and a body have so long, however they dribble.
    slow.iter_mut().for_each(|client| client.write(&whole[whole.len() - 2..whole.len() - 1]));
    for client in halves.iter_mut().chain(&mut slow) {
        let answer = client.read();
        assert_eq!((answer.status, answer.header("Connection")), (408, Some("close")), "{answer:?}");
        client.expect_end();
    }
    // Who says nothing may stay.
    assert!(silent.iter_mut().all(|client| !client.has_ended()));
    expect_service(&scene, "m_afterwards");
    assert_eq!(silent[500].deliver(&one("m_woken", "2", "woken")), 200);
    assert!(scene.life("m_never").is_none());
    scene.expect_well_said();
}

#[test]
fn beyond_the_limit_the_one_idle_for_longest_is_closed_and_genuine_ones_are_served() {
    let scene = Scene::with(Setup { connections: Some(60), ..Setup::default() });
    let mut first = connect(&scene, 50);
    // Each is known to have been accepted; the first of them becomes the one that spoke last.
    for (place, client) in first.iter_mut().enumerate() {
        assert_eq!(client.deliver(&one(&format!("m_{place}"), "2", "hello")), 200);
    }
    assert_eq!(first[0].deliver(&one("m_again", "2", "hello again")), 200);
    let mut second = connect(&scene, 40);
    for (place, client) in second.iter_mut().enumerate() {
        assert_eq!(client.deliver(&one(&format!("m_2_{place}"), "2", "hello")), 200);
    }
    // 90 came and 60 may stay: the 30 that were idle for longest have gone, in an orderly way.
    first[1..=30].iter_mut().for_each(Client::expect_end);
    assert!(!first[0].has_ended() && first[31..].iter_mut().chain(&mut second).all(|client| !client.has_ended()));
    // The same when all are half asked: the ones that began first go.
    for client in first[31..].iter_mut().chain(&mut second) {
        client.write("POST /mess");
    }
    let mut more = connect(&scene, 60);
    more.iter_mut().for_each(|client| client.write("POST /mess"));
    for number in 0..10 {
        expect_service(&scene, &format!("m_genuine-{number}"));
    }
    scene.expect_well_said();
}

#[test]
fn those_who_were_refused_and_do_not_leave_make_room_for_genuine_ones() {
    let mut scene = Scene::with(Setup { connections: Some(60), ..Setup::default() });
    let mut refused = Vec::new();
    for round in 0..5 {
        for _ in 0..60 {
            let mut client = scene.client();
            client.write("this is no HTTP\r\n\r\n");
            assert_eq!(client.read().status, 400);
            refused.push(client);
        }
        expect_service(&scene, &format!("m_{round}"));
    }
    drop(refused);
    scene.stop();
}

#[test]
fn bodies_that_are_held_back_cannot_fill_the_memory() {
    const ATTACKERS: usize = 100;
    const RESIDENT_KIB_MAX: u64 = 40 * 1024;
    let mut scene = Scene::new();
    let signature = format!("sha256={}", "0".repeat(64));
    let length = (1024 * 1024).to_string();
    let headers = [("X-Hub-Signature-256", signature.as_str()), ("Content-Length", &length)];
    let mut attackers = connect(&scene, ATTACKERS);
    for (number, client) in attackers.iter_mut().enumerate() {
        client.write(request("POST", PATH, &headers, ""));
        // Some are thrown out meanwhile, and find that out as they write.
        let _ = client.try_write(vec![b' '; 1000 * 1024]);
        if number % 10 == 9 {
            expect_service(&scene, &format!("m_{number}"));
        }
    }
    expect_service(&scene, "m_still");
    let resident = scene.daemon.resident_kib();
    println!("{ATTACKERS} held back {} MiB; ackd holds {resident} KiB", ATTACKERS * 1000 / 1024);
    assert!(resident < RESIDENT_KIB_MAX, "{resident} KiB");
    drop(attackers);
    expect_service(&scene, "m_afterwards");
    scene.stop();
}

#[test]
fn clients_that_ask_and_never_read_cannot_fill_the_memory_or_stop_the_loop() {
    const RESIDENT_KIB_MAX: u64 = 40 * 1024;
    let mut scene = Scene::new();
    let asks = request("GET", PATH, &[], "").repeat(100);
    let mut deaf = connect(&scene, 300);
    for client in &mut deaf {
        client.write_what_fits(&asks, 2000);
    }
    expect_service(&scene, "m_among-them");
    let resident = scene.daemon.resident_kib();
    assert!(resident < RESIDENT_KIB_MAX, "{resident} KiB");
    drop(deaf);
    expect_service(&scene, "m_afterwards");
    scene.stop();
}

#[test]
fn a_client_that_never_stops_asking_delays_nobody_and_no_stop() {
    let mut scene = Scene::new();
    let asks = request("GET", PATH, &[], "").repeat(500);
    let (mut asking, mut reading) = scene.client().split();
    // Both end when the daemon does.
    thread::spawn(move || while asking.try_write(&asks).is_ok() {});
    thread::spawn(move || while reading.skip().is_ok() {});
    for number in 0..20 {
        expect_service(&scene, &format!("m_{number}"));
    }
    scene.stop();
}
