//! What whoever watches is told: figures, health, readiness, `ackd top`; and at which doors.

use crate::client::{Client, PATH, body, message, one, receipt, request};
use crate::daemon::{Daemon, Folder, GLANCE, PAGE_TOKEN, Page, Setup};
use crate::graph::{Act, Answer, Graph, PATIENCE};
use crate::scene::Scene;
use crate::shared::daemon::Setup as _;
use ackd::meter::text::{Sample, read};
use ackd::store::State;
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Instant;

fn watched() -> Setup {
    Setup { admin: Some("\"unix:FOLDER/admin.sock\""), ..Setup::default() }
}

fn admin(daemon: &Daemon) -> PathBuf {
    daemon.folder.path().join("admin.sock")
}

fn control(daemon: &Daemon) -> PathBuf {
    daemon.store().with_extension("sock")
}

/// A connection that has said the first line of its request.
fn begin(socket: &Path, line: &str) -> UnixStream {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("{line} HTTP/1.1\r\n").as_bytes()).unwrap();
    stream
}

/// Says the rest of it; the status of the answer, its head and its body.
fn end(mut stream: UnixStream) -> (u16, String, String) {
    // By which name a unix socket is called is nobody's business.
    stream.write_all(b"Host: evil.example\r\nConnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {said:?}"));
    (head[9..12].parse().unwrap(), head.to_owned(), body.to_owned())
}

fn ask(socket: &Path, path: &str) -> (u16, String) {
    let (status, _, body) = end(begin(socket, &format!("GET {path}")));
    (status, body)
}

/// The figures as they are now.
struct Figures(Vec<Sample>);

impl Figures {
    fn of(scene: &Scene) -> Figures {
        let (status, page) = ask(&admin(&scene.daemon), "/metrics");
        assert_eq!(status, 200, "{page}");
        Figures(read(&page))
    }

    /// The one with this name and these labels, as `ackd_x channel=page state=dead`.
    fn get(&self, wanted: &str) -> f64 {
        let mut words = wanted.split(' ');
        let name = words.next().unwrap();
        let labels: Vec<_> = words.map(|label| label.split_once('=').unwrap()).collect();
        let has =
            |sample: &&Sample| sample.name == name && labels.iter().all(|(label, worth)| sample.label(label) == *worth);
        self.0.iter().find(has).unwrap_or_else(|| panic!("{wanted} is not on the page")).value
    }

    fn expect(&self, expected: &[(&str, f64)]) {
        let wrong = expected.iter().filter(|(name, value)| (self.get(name) - value).abs() > f64::EPSILON);
        let wrong: Vec<_> = wrong.map(|(name, value)| format!("{name} is {}, not {value}", self.get(name))).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// Waits until a figure is so.
fn wait_for(scene: &Scene, name: &str, until: impl Fn(f64) -> bool) {
    let began = Instant::now();
    loop {
        let value = Figures::of(scene).get(name);
        if until(value) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{name} stays {value}");
        thread::sleep(GLANCE);
    }
}

#[test]
fn the_figures_are_those_of_what_was_said() {
    let mut scene = Scene::with(watched());
    let no = r#"{"error":{"message":"no","type":"OAuthException","code":100}}"#;
    scene.graph.plan("2", 1, Act::Refuse(Answer::new(400, no)));
    assert_eq!(scene.deliver(&one("m_1", "1", "hello")), 200);
    assert_eq!(scene.deliver(&one("m_1", "1", "hello")), 200);
    assert_eq!(scene.deliver(&body(&[message("m_2", "2", "no"), receipt("1", 1_763_712_000_500)])), 200);
    let mut stranger = scene.client();
    let wrong = format!("sha256={}", "0".repeat(64));
    stranger.write(request("POST", PATH, &[("X-Hub-Signature-256", &wrong)], "{}"));
    assert_eq!(stranger.read().status, 401);
    assert_eq!(scene.client().get("/nothing").status, 404);
    scene.wait_for_state("m_1", State::Answered);
    scene.wait_for_state("m_2", State::Dead);

    let figures = Figures::of(&scene);
    figures.expect(&[
        ("ackd_build_info", 1.0),
        ("ackd_store_writable", 1.0),
        ("ackd_workers", 4.0),
        ("ackd_workers_busy", 0.0),
        ("ackd_events_kept_total channel=page", 3.0),
        ("ackd_events_duplicate_total channel=page", 1.0),
        ("ackd_events_ended_total channel=page state=answered", 1.0),
        ("ackd_events_ended_total channel=page state=ignored", 1.0),
        ("ackd_events_ended_total channel=page state=dead", 1.0),
        ("ackd_events_ended_total channel=page state=unknown", 0.0),
        ("ackd_attempts_total channel=page status=2xx", 1.0),
        ("ackd_attempts_total channel=page status=4xx", 1.0),
        ("ackd_attempts_total channel=page status=none", 0.0),
        ("ackd_refusals_total status=401", 1.0),
        ("ackd_refusals_total status=404", 1.0),
        ("ackd_refusals_total status=503", 0.0),
        ("ackd_acknowledgement_seconds_count", 3.0),
        ("ackd_acknowledgement_seconds_bucket le=+Inf", 3.0),
        ("ackd_queue_events channel=page", 0.0),
        ("ackd_queue_oldest_age_seconds channel=page", 0.0),
        ("ackd_unkept_bytes", 0.0),
    ]);
    assert!(figures.get("ackd_acknowledgement_seconds_sum") > 0.0);
    // What the operator has dealt with has ended before.
    let mut resolve = Command::new(env!("CARGO_BIN_EXE_ackd"));
    let resolved = resolve.args(["resolve", "--dead", "--config"]).arg(scene.daemon.config()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&resolved.stdout), "page-2 resolved\n");
    Figures::of(&scene).expect(&[
        ("ackd_events_ended_total channel=page state=ignored", 1.0),
        ("ackd_events_ended_total channel=page state=dead", 1.0),
    ]);
    // Of the deliveries alone there were three.
    assert!(figures.get("ackd_commit_seconds_count") >= 3.0 && figures.get("ackd_commit_seconds_sum") > 0.0);
    let age = ackd::daemon::clock().seconds() as f64 - figures.get("process_start_time_seconds");
    assert!((0.0..600.0).contains(&age), "{age}");

    // A new start counts from nothing.
    scene.stop();
    scene.daemon.restart();
    Figures::of(&scene).expect(&[
        ("ackd_events_kept_total channel=page", 0.0),
        ("ackd_events_ended_total channel=page state=answered", 0.0),
        ("ackd_acknowledgement_seconds_count", 0.0),
    ]);
    scene.stop();
}

#[test]
fn prometheus_finds_nothing_wrong_with_the_page() {
    let scene = Scene::with(watched());
    assert_eq!(scene.deliver(&one("m_1", "1", "hello")), 200);
    scene.wait_for_state("m_1", State::Answered);
    let (status, head, page) = end(begin(&admin(&scene.daemon), "GET /metrics"));
    assert_eq!(status, 200);
    assert!(head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    let mut check = Command::new("promtool");
    check.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut check = match check.spawn() {
        Ok(check) => check,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return println!(
                "SKIPPED: what promtool says of the page: it is not there; it is in the package prometheus"
            );
        }
        Err(error) => panic!("promtool: {error}"),
    };
    check.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let said = check.wait_with_output().unwrap();
    let words = [said.stdout, said.stderr].concat();
    assert!(said.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
}

#[test]
fn what_waits_is_told_with_its_age() {
    let mut scene = Scene::with(watched());
    scene.graph.plan("1", usize::MAX, Act::Hold);
    for mid in ["m_1", "m_2", "m_3"] {
        assert_eq!(scene.deliver(&one(mid, "1", mid)), 200);
    }
    scene.graph.wait("a reply on the wire", |ledger| ledger.held == 1);
    Figures::of(&scene).expect(&[("ackd_queue_events channel=page", 3.0), ("ackd_workers_busy", 1.0)]);
    wait_for(&scene, "ackd_queue_oldest_age_seconds channel=page", |age| age >= 1.0);
    scene.graph.heal();
    scene.graph.release("1");
    scene.wait_for_state("m_3", State::Answered);
    Figures::of(&scene).expect(&[("ackd_queue_events channel=page", 0.0), ("ackd_workers_busy", 0.0)]);
    scene.stop();

    scene.daemon.setup.workers = 0;
    scene.daemon.restart();
    for mid in ["n_1", "n_2"] {
        assert_eq!(scene.deliver(&one(mid, "1", mid)), 200);
    }
    Figures::of(&scene).expect(&[("ackd_queue_events channel=page", 2.0), ("ackd_workers", 0.0)]);
    scene.stop();
}

#[test]
fn what_whoever_watches_is_told_is_told_nobody_outside() {
    let listen = "[\"127.0.0.1:0\", \"unix:FOLDER/admin.sock\"]";
    let mut scene = Scene::with(Setup { admin: Some(listen), ..Setup::default() });
    let public = format!("listening on {}", scene.daemon.address);
    let log = scene.daemon.log();
    let from = log.find(&public).unwrap() + public.len();
    let line = scene.daemon.wait_for_line(from, "listening on 127.0.0.1:");
    let browser = line.split("listening on ").nth(1).unwrap().parse().unwrap();
    let inside = [admin(&scene.daemon), control(&scene.daemon)];
    for (path, words) in [("/healthz", "alive\n"), ("/readyz", "ready\n"), ("/metrics", "# HELP ackd_build_info ")] {
        for socket in &inside {
            let (status, said) = ask(socket, path);
            assert!(status == 200 && said.starts_with(words), "{path}: {status} {said}");
            let (status, head, said) = end(begin(socket, &format!("HEAD {path}")));
            assert!(status == 200 && said.is_empty(), "{head}");
            let (status, head, _) = end(begin(socket, &format!("DELETE {path}")));
            assert!(status == 405 && head.contains("Allow: GET, HEAD"), "{head}");
        }
        for (host, status) in [("127.0.0.1:3001", 200), ("evil.example", 421)] {
            let mut client = Client::connect(browser);
            client.write(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
            assert_eq!(client.read().status, status, "{path} as {host}");
        }
        let (nothing, outside) = (scene.client().get("/nothing-at-all"), scene.client().get(path));
        assert_eq!((outside.status, outside.text()), (404, nothing.text()), "{path}");
    }
    // Pages are there, too, and orders are not.
    assert_eq!(ask(&inside[0], "/").0, 200);
    assert_eq!(ask(&inside[0], "/send").0, 404);
    scene.stop();
}

#[test]
fn whoever_stops_is_alive_and_not_ready() {
    let mut scene = Scene::with(watched());
    let sockets = [admin(&scene.daemon), control(&scene.daemon)];
    let both = |path: &str| sockets.each_ref().map(|socket| begin(socket, &format!("GET {path}")));
    let (ready, alive, figures) = (both("/readyz"), both("/healthz"), both("/metrics"));
    wait_for(&scene, "ackd_connections", |connections| connections >= 7.0);
    scene.daemon.signal(Signal::TERM);
    scene.daemon.wait_for_line(0, "stopping: ");
    for (status, _, why) in ready.map(end) {
        assert_eq!((status, why.trim_end()), (503, "not ready: it is stopping"));
    }
    assert_eq!(alive.map(|stream| end(stream).0), [200, 200]);
    assert_eq!(figures.map(|stream| end(stream).0), [200, 200]);
    let status = scene.daemon.wait();
    assert_eq!(status.code(), Some(0), "{status}");
}

#[test]
fn a_store_that_cannot_be_written_is_not_ready_and_says_so() {
    let mut folder = Folder::new();
    let disk = match folder.mount("disk", "24m") {
        Ok(disk) => disk,
        Err(why) => {
            return println!("SKIPPED: readiness on a full disk: mounting a tmpfs is not permitted here: {why}");
        }
    };
    let setup = Setup { store: PathBuf::from("disk/ackd.db"), ..watched() };
    let graph = Graph::start(&[setup.pages[0].token]);
    let mut scene = Scene { daemon: Daemon::start_in(folder, setup, graph.api()), graph };
    let filler = disk.join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    let refused = (0..1000).any(|number| scene.deliver(&one(&format!("m_{number}"), "1", "x")) == 503);
    assert!(refused, "the disk is not full");
    for socket in [admin(&scene.daemon), control(&scene.daemon)] {
        let (status, why) = ask(&socket, "/readyz");
        assert_eq!((status, why.trim_end()), (503, "not ready: the store cannot be written"));
        assert_eq!(ask(&socket, "/healthz").0, 200);
    }
    let figures = Figures::of(&scene);
    figures.expect(&[("ackd_store_writable", 0.0)]);
    assert!(figures.get("ackd_refusals_total status=503") >= 1.0);
    // What is open takes its room.
    drop(file);
    fs::remove_file(filler).unwrap();
    scene.daemon.wait_for_line(0, "the store can be written again");
    assert_eq!(ask(&admin(&scene.daemon), "/readyz").0, 200);
    Figures::of(&scene).expect(&[("ackd_store_writable", 1.0)]);
    scene.daemon.stop();
}

#[test]
fn the_operators_socket_is_for_its_user_alone_and_one_left_over_is_replaced() {
    let mut scene = Scene::with(watched());
    let socket = admin(&scene.daemon);
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    scene.daemon.kill();
    assert!(socket.exists(), "a crash leaves it");
    scene.daemon.restart();
    assert_eq!(ask(&socket, "/healthz").0, 200);

    // Another ackd, with a store of its own, does not take it away.
    let mut other = Daemon::prepare(Folder::new(), watched(), scene.graph.api());
    symlink(&socket, admin(&other)).unwrap();
    other.spawn();
    assert_eq!(other.wait().code(), Some(1));
    assert!(other.log().contains("another ackd is there"), "{}", other.log());
    assert_eq!(ask(&socket, "/healthz").0, 200);
    // And nothing is replaced that is no socket.
    fs::remove_file(admin(&other)).unwrap();
    fs::write(admin(&other), "somebody's").unwrap();
    other.spawn();
    assert_eq!(other.wait().code(), Some(1));
    assert_eq!(fs::read_to_string(admin(&other)).unwrap(), "somebody's");

    scene.stop();
    assert!(!socket.exists(), "it goes with the daemon");
}

#[test]
fn a_channel_that_a_reload_brings_has_figures_and_one_that_it_takes_away_keeps_them() {
    let mut scene = Scene::with(Setup { secrets_in_files: true, ..watched() });
    assert_eq!(scene.deliver(&one("m_1", "1", "hello")), 200);
    scene.wait_for_state("m_1", State::Answered);
    let before = scene.daemon.log().len();
    let new = Page { name: "second", path: "/second", token: PAGE_TOKEN };
    let setup = Setup { pages: vec![new], ..scene.daemon.setup.clone() };
    let toml = setup.toml(scene.daemon.folder.path(), scene.daemon.address, &scene.graph.api());
    fs::write(scene.daemon.config(), toml).unwrap();
    scene.daemon.signal(Signal::HUP);
    scene.daemon.wait_for_line(before, "the configuration is in force");
    assert_eq!(scene.client().deliver_to("/second", &one("m_2", "1", "hello")).unwrap().status, 200);
    scene.wait_for_state("m_2", State::Answered);
    Figures::of(&scene).expect(&[
        ("ackd_events_ended_total channel=page state=answered", 1.0),
        ("ackd_events_ended_total channel=second state=answered", 1.0),
    ]);
    scene.stop();
}

fn top(daemon: &Daemon) -> Output {
    let mut top = Command::new(env!("CARGO_BIN_EXE_ackd"));
    top.args(["top", "--config"]).arg(daemon.config()).envs(daemon.setup.variables());
    top.env_remove("STATE_DIRECTORY").stdin(Stdio::null()).output().unwrap()
}

#[test]
fn top_shows_the_figures_once_where_nobody_looks_at_a_screen() {
    // Every daemon has a control socket; the operator's door is not needed.
    let mut scene = Scene::new();
    assert_eq!(scene.deliver(&one("m_1", "1", "hello")), 200);
    scene.wait_for_state("m_1", State::Answered);
    let shown = top(&scene.daemon);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success() && !text.contains('\u{1b}'), "{text}");
    assert!(text.starts_with(concat!("ackd ", env!("CARGO_PKG_VERSION"), " for ")), "{text}");
    assert!(text.contains("acknowledged within ") && text.contains("; committed within "), "{text}");
    let row = text.lines().find(|line| line.starts_with("page ")).unwrap_or_else(|| panic!("{text}"));
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells[..8], ["page", "1", "-", "0", "1", "0", "0", "0"], "{text}");
    scene.stop();
    let gone = top(&scene.daemon);
    let why = String::from_utf8_lossy(&gone.stderr);
    assert!(gone.status.code() == Some(1) && why.contains("nobody answers at the control socket"), "{why}");
}
