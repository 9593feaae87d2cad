//! SIGHUP and `ackd reload`: another configuration in force, all of it or nothing, and nobody notices but by what it says.

use crate::client::{Client, PATH, delivery, one, request, signature};
use crate::daemon::{APP_SECRET, OTHER_TOKEN, PAGE_TOKEN, Page, Setup};
use crate::graph::Act;
use crate::scene::Scene;
use crate::shared::daemon::Setup as _;
use ackd::store::State;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// How often the storm reloads, unless `ACKD_RELOADS` says otherwise.
const RELOADS: usize = 40;

const OTHER: Page = Page { name: "other", path: "/other", token: OTHER_TOKEN };

fn two_pages() -> Setup {
    let mut setup = Setup { secrets_in_files: true, ..Setup::default() };
    setup.pages.push(OTHER);
    setup
}

fn one_page() -> Setup {
    Setup { secrets_in_files: true, ..Setup::default() }
}

/// A daemon of one page that can also send in the name of another.
fn scene() -> Scene {
    let scene = Scene::with(one_page());
    scene.graph.set_tokens(&[PAGE_TOKEN, OTHER_TOKEN]);
    scene
}

/// What `setup` would have for this daemon.
fn text(scene: &Scene, setup: &Setup) -> String {
    setup.toml(scene.daemon.folder.path(), scene.daemon.address, &scene.graph.api())
}

fn write(scene: &Scene, text: &str) {
    fs::write(scene.daemon.config(), text).unwrap();
}

/// `ackd reload`: its exit code, and what it says.
fn reload(scene: &Scene) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
    let output = command.arg("reload").arg("--config").arg(scene.daemon.config()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn channels_come_and_go_without_a_restart() {
    let mut scene = scene();
    let pid = scene.daemon.pid();
    assert_eq!(scene.client().deliver_to("/other", &one("m_0", "1", "too early")).unwrap().status, 404);
    let mut held = scene.client();
    assert_eq!(held.deliver(&one("m_1", "1", "before")), 200);

    write(&scene, &text(&scene, &two_pages()));
    assert_eq!(reload(&scene), (0, "the configuration is in force: 2 channels, 1 bot, 0 upstreams\n".to_owned()));
    assert_eq!(scene.client().deliver_to("/other", &one("m_2", "1", "to the other")).unwrap().status, 200);
    assert_eq!(held.deliver(&one("m_3", "1", "on a connection of before")), 200);
    for id in ["m_1", "m_2", "m_3"] {
        scene.wait_for_state(id, State::Answered);
    }
    scene.graph.look(|ledger| {
        let other = ledger.accepted.iter().find(|accepted| accepted.text.contains("to the other")).unwrap();
        assert_eq!(other.token, OTHER_TOKEN);
    });

    // One that goes with something to do is told of, and goes on when it is back.
    scene.graph.plan("7", 1, Act::Hold);
    assert_eq!(scene.client().deliver_to("/other", &one("m_4", "7", "under way")).unwrap().status, 200);
    assert_eq!(scene.client().deliver_to("/other", &one("m_5", "7", "behind it")).unwrap().status, 200);
    scene.graph.wait("a reply on the wire", |ledger| ledger.held == 1);
    write(&scene, &text(&scene, &one_page()));
    let from = scene.daemon.log().len();
    scene.daemon.signal(Signal::HUP);
    scene.daemon.wait_for_line(from, "channel other is not in the configuration any more, but messages of it wait");
    scene.daemon.wait_for_line(from, "reload: the configuration is in force: 1 channel,");
    assert_eq!(scene.client().deliver_to("/other", &one("m_6", "7", "too late")).unwrap().status, 404);
    scene.graph.release("7");
    scene.wait_for_state("m_4", State::Answered);
    assert_eq!(scene.deliver(&one("m_7", "2", "the first page goes on")), 200);
    scene.wait_for_state("m_7", State::Answered);
    assert_eq!(scene.life("m_5").unwrap().state, State::Open);
    write(&scene, &text(&scene, &two_pages()));
    assert_eq!(reload(&scene).0, 0);
    scene.wait_for_state("m_5", State::Answered);
    assert_eq!(scene.daemon.pid(), pid);
    scene.stop();
}

#[test]
fn with_one_fault_nothing_changes_and_each_fault_is_told() {
    let mut scene = scene();
    let good = text(&scene, &two_pages());
    let bad = good.replace("bot = \"echo\"", "bot = \"nobody\"").replace("workers = 4", "workers = \"many\"");
    write(&scene, &bad);
    let from = scene.daemon.log().len();
    let (code, said) = reload(&scene);
    assert_eq!(code, 2);
    scene.daemon.signal(Signal::HUP);
    for fault in ["workers: must be a whole number", "channel.page.bot", "channel.other.bot"] {
        assert!(said.contains(fault), "{said}");
        scene.daemon.wait_for_line(from, fault);
    }
    scene.daemon.wait_for_line(from, "reload: nothing has changed");
    // An address that cannot be had is a fault, too, and takes nothing of the rest with it.
    let taken = scene.graph.api().split('/').nth(2).unwrap().to_owned();
    let address = scene.daemon.address;
    write(&scene, &good.replace(&format!("listen = \"{address}\""), &format!("listen = [\"{address}\", \"{taken}\"]")));
    let (code, said) = reload(&scene);
    assert!(code == 1 && said.contains("another program is there"), "{code}: {said}");
    assert_eq!(scene.client().deliver_to("/other", &one("m_1", "1", "not there")).unwrap().status, 404);
    assert_eq!(scene.deliver(&one("m_2", "1", "goes on")), 200);
    scene.wait_for_state("m_2", State::Answered);
    fs::remove_file(scene.daemon.config()).unwrap();
    scene.daemon.signal(Signal::HUP);
    scene.daemon.wait_for_line(from, "cannot be read");
    scene.stop();
}

#[test]
fn a_pipe_in_the_place_of_the_configuration_keeps_no_reload_waiting() {
    let mut scene = scene();
    let (config, from) = (scene.daemon.config(), scene.daemon.log().len());
    fs::remove_file(&config).unwrap();
    mknodat(CWD, &config, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    scene.daemon.signal(Signal::HUP);
    scene.daemon.wait_for_line(from, "is no regular file, so it cannot be read again");
    fs::remove_file(&config).unwrap();
    write(&scene, &text(&scene, &two_pages()));
    let (code, said) = reload(&scene);
    assert!(code == 0 && said.contains("in force: 2 channels"), "{code}: {said}");
    scene.stop();
}

#[test]
fn what_only_a_restart_can_change_is_named_and_the_rest_is_in_force() {
    let mut scene = scene();
    let setup = Setup { workers: 2, connections: Some(50), store: "another.db".into(), ..two_pages() };
    let text = text(&scene, &setup);
    // The command finds the daemon by the store that it works on.
    scene.daemon.signal(Signal::CONT);
    write(&scene, &text);
    scene.daemon.signal(Signal::HUP);
    scene.daemon.wait_for_line(0, "reload: not changed before a restart: store, workers, connections");
    assert_eq!(scene.client().deliver_to("/other", &one("m_1", "1", "there")).unwrap().status, 200);
    scene.wait_for_state("m_1", State::Answered);
    scene.stop();
}

#[test]
fn a_secret_is_rotated_without_refusing_anybody() {
    let mut scene = scene();
    let (old, new) = (APP_SECRET, "0123456789abcdef0123456789abcdef");
    let signed = |secret: &str, id: &str| {
        let body = one(id, "1", "signed");
        let headers = [("X-Hub-Signature-256", signature(secret, body.as_bytes()))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let mut client = scene.client();
        client.write(request("POST", PATH, &headers, &body));
        client.read().status
    };
    let with = |secrets: &str| {
        let text = text(&scene, &one_page());
        let at = text.find("app_secret = ").unwrap();
        let end = at + text[at..].find('\n').unwrap();
        write(&scene, &format!("{}app_secret = {secrets}{}", &text[..at], &text[end..]));
        assert_eq!(reload(&scene).0, 0);
    };
    assert_eq!((signed(old, "m_1"), signed(new, "m_2")), (200, 401));
    with(&format!("[\"{old}\", \"{new}\"]"));
    assert_eq!((signed(old, "m_3"), signed(new, "m_4")), (200, 200));
    with(&format!("\"{new}\""));
    assert_eq!((signed(old, "m_5"), signed(new, "m_6")), (401, 200));
    scene.stop();
}

#[test]
fn doors_are_opened_and_closed() {
    let mut scene = scene();
    let from = scene.daemon.log().len();
    let address = scene.daemon.address;
    let another = TcpListener::bind((address.ip(), 0)).unwrap().local_addr().unwrap();
    let first = text(&scene, &one_page());
    let listen = format!("listen = \"{address}\"");
    write(&scene, &first.replace(&listen, &format!("listen = [\"{address}\", \"{another}\"]")));
    assert_eq!(reload(&scene).0, 0);
    scene.daemon.wait_for_line(from, &format!("listening on {another}"));
    let mut held = Client::connect(address);
    assert_eq!(
        (held.deliver(&one("m_1", "1", "one")), Client::connect(another).deliver(&one("m_2", "1", "two"))),
        (200, 200)
    );
    write(&scene, &first.replace(&listen, &format!("listen = \"{another}\"")));
    assert_eq!(reload(&scene).0, 0);
    assert!(Client::try_connect(address).is_err(), "the first door is closed");
    assert_eq!(held.deliver(&one("m_3", "1", "whoever is inside stays")), 200);
    assert_eq!(Client::connect(another).deliver(&one("m_4", "1", "the second stays open")), 200);
    scene.stop();
}

#[test]
fn a_storm_of_reloads_under_load_refuses_nobody_and_loses_nothing() {
    let reloads = std::env::var("ACKD_RELOADS").map_or(RELOADS, |reloads| reloads.parse().unwrap());
    let mut scene = scene();
    let both = [text(&scene, &two_pages()), text(&scene, &one_page())];
    let over = AtomicBool::new(false);
    let address = scene.daemon.address;
    // Half of them hold their connection, half take a new one for each event.
    let load = |client: usize| {
        let mut connection = Client::connect(address);
        let mut ids = Vec::new();
        while !over.load(Ordering::Relaxed) {
            if client % 2 == 1 {
                connection = Client::connect(address);
            }
            let id = format!("m_{client}_{}", ids.len());
            connection.write(delivery(PATH, one(&id, &format!("{}", client + 1), "hello")));
            let answer = connection.read();
            assert_eq!(answer.status, 200, "{id}: {answer:?}");
            ids.push(id);
        }
        ids
    };
    let kept: Vec<Vec<String>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|client| scope.spawn(move || load(client))).collect();
        for text in both.iter().cycle().take(reloads) {
            write(&scene, text);
            let (code, said) = reload(&scene);
            assert_eq!(code, 0, "{said}");
        }
        over.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let last = kept.iter().filter_map(|ids| ids.last());
    for id in last {
        scene.wait_for_state(id, State::Answered);
    }
    let events = scene.events();
    assert_eq!(events.len(), kept.iter().map(Vec::len).sum::<usize>(), "each event is kept, once");
    assert!(
        events.iter().all(|event| event.state == State::Answered),
        "{:?}",
        events.iter().find(|event| event.state != State::Answered)
    );
    scene.graph.look(|ledger| assert_eq!(ledger.accepted.len(), events.len(), "each is answered, once"));
    scene.stop();
}
