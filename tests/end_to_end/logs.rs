//! The log: text or JSON, as much as the configuration says, changed by a reload; and never more than somebody can read,
//! whoever knocks.

use crate::client::{Client, PATH, body, message, one, request, signature};
use crate::daemon::{GLANCE, Setup};
use crate::graph::{Act, Answer};
use crate::scene::Scene;
use crate::shared::daemon::Setup as _;
use ::log::LevelFilter;
use ackd::cli::log;
use ackd::config::Logs;
use ackd::limits;
use ackd::store::State;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

/// Bad requests of each kind.
const FLOOD: usize = 10_000;

/// A daemon whose configuration alone says what its log tells.
fn telling(top: &'static str) -> Scene {
    Scene::with(Setup { top, log: "", secrets_in_files: true, ..Setup::default() })
}

/// Puts other lines in place of those at the top, and has them read: whether they are in force.
fn reload(scene: &mut Scene, top: &'static str) -> bool {
    scene.daemon.setup.top = top;
    let text = scene.daemon.setup.toml(scene.daemon.folder.path(), scene.daemon.address, &scene.graph.api());
    fs::write(scene.daemon.config(), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
    command.arg("reload").arg("--config").arg(scene.daemon.config()).stdout(Stdio::null());
    command.status().unwrap().success()
}

/// A line of JSON.
fn object(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Something that the platform never takes.
fn refusal() -> Act {
    Act::Refuse(Answer::sample(400, "error_100_param"))
}

#[test]
fn level_and_form_change_with_a_reload() {
    let mut scene = telling("log = \"info\"\n");
    assert_eq!(scene.deliver(&one("m_0", "1", "hello")), 200);
    scene.wait_for_state("m_0", State::Answered);
    let text = scene.daemon.log();
    assert!(text.lines().all(|line| line.contains("Z INFO ")) && !text.contains("delivered"), "{text}");

    let from = text.len();
    assert!(reload(&mut scene, "log = \"warn,ackd::work=debug\"\nlog_format = \"json\"\n"));
    // The last that is said before all is in force.
    scene.daemon.wait_for_line(from, "registrations are not looked after");
    let from = scene.daemon.log().len();
    assert_eq!(scene.deliver(&one("m_1", "1", "hello")), 200);
    let line = object(&scene.daemon.wait_for_line(from, "page-2.1: delivered"));
    assert_eq!(line["time"].as_str().map(str::len), Some("2026-11-21T08:26:10.123Z".len()), "{line}");
    let said =
        ["level", "target", "message", "channel", "event"].map(|member| line[member].as_str().unwrap().to_owned());
    assert_eq!(said, ["debug", "ackd::work::send", "page-2.1: delivered", "page", "page-2.1"]);
    scene.graph.plan("2", 1, refusal());
    assert_eq!(scene.deliver(&one("m_2", "2", "hello")), 200);
    let line = object(&scene.daemon.wait_for_line(from, "dead"));
    assert_eq!((line["level"].as_str(), line["event"].as_str()), (Some("error"), Some("page-3.1")), "{line}");
    let new = scene.daemon.log()[from..].to_owned();
    assert!(new.lines().all(|line| object(line)["message"].is_string()), "{new}");
    assert!(!new.contains("in force"), "who reloads wanted warnings only: {new}");

    let from = scene.daemon.log().len();
    // The command would find that itself.
    let fault = fs::read_to_string(scene.daemon.config()).unwrap().replace("warn,", "loud,").replace("json", "text");
    fs::write(scene.daemon.config(), fault).unwrap();
    scene.daemon.signal(Signal::HUP);
    let line = object(&scene.daemon.wait_for_line(from, "log: \\\"loud\\\" is no level"));
    assert_eq!(line["level"], "error", "and all is as it was");
    assert!(reload(&mut scene, ""));
    let from = scene.daemon.log().len();
    scene.stop();
    let end = scene.daemon.log()[from..].to_owned();
    assert!(end.contains("Z INFO stopping") && !end.contains('{'), "without the keys it is as usual: {end}");
}

#[test]
fn rust_log_has_the_last_word_and_that_is_said() {
    let top = "log = \"error\"\n";
    let mut scene = Scene::with(Setup { top, log: "info,ackd::work=debug", ..Setup::default() });
    scene.daemon.wait_for_line(0, "log: is not heeded as long as RUST_LOG is set; unset that");
    assert!(reload(&mut scene, top));
    let from = scene.daemon.log().len();
    assert_eq!(scene.deliver(&one("m_0", "1", "hello")), 200);
    scene.daemon.wait_for_line(from, "delivered");
    scene.stop();
}

#[test]
fn a_fault_of_ours_is_an_error_on_one_line_like_any_other() {
    const CHILD: &str = "ACKD_TEST_PANICS";
    if std::env::var_os(CHILD).is_some() {
        log::start(LevelFilter::Info, 0, &|_| None);
        log::follow(&Logs { levels: None, json: true });
        let ended = thread::Builder::new().name("keeper".to_owned()).spawn(|| panic!("on purpose,\nin two lines"));
        assert!(ended.unwrap().join().is_err());
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "logs::a_fault_of_ours_is_an_error_on_one_line_like_any_other", "--nocapture"]);
    let output = child.env(CHILD, "1").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let line = object(said.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{said}")));
    let message = line["message"].as_str().unwrap();
    assert!(output.status.success() && line["level"] == "error", "{said}");
    assert!(
        message.starts_with("a fault of ackd itself, in thread keeper: ") && message.ends_with("\\nin two lines"),
        "{said}"
    );
    assert_eq!(said.matches("on purpose").count(), 1, "{said}");
}

/// The requests of a flood: what makes one, and with which status it is refused.
fn kinds() -> Vec<(u16, Vec<u8>)> {
    let body = one("m_bad", "1", "hello");
    let wrong = signature("another secret", body.as_bytes());
    let guess = format!("{PATH}?hub.mode=subscribe&hub.challenge=1&hub.verify_token=guessed");
    vec![
        (401, request("POST", PATH, &[("X-Hub-Signature-256", &wrong)], &body)),
        (403, request("GET", &guess, &[], "")),
        (401, request("POST", PATH, &[], &body)),
        (404, request("GET", "/nobody\u{1b}[2J", &[], "").iter().filter(|byte| **byte != 0x1b).copied().collect()),
        (405, request("DELETE", PATH, &[], "")),
        (413, request("POST", PATH, &[("X-Hub-Signature-256", &wrong), ("Content-Length", "999999999")], "")),
        (400, b"\xff\xfe\r\n\r\n".to_vec()),
    ]
}

/// Says the same again and again, on a new connection when the old one was closed.
fn flood(address: SocketAddr, status: u16, bytes: &[u8]) {
    let mut client = Client::connect(address);
    let mut said = 0;
    while said < FLOOD {
        match client.try_write(bytes).and_then(|()| client.try_read(false)) {
            Ok(answer) => {
                assert_eq!(answer.status, status, "{answer:?}");
                said += 1;
                if answer.header("Connection") == Some("close") {
                    client = Client::connect(address);
                }
            }
            Err(_) => client = Client::connect(address),
        }
    }
}

/// How many refusals the log tells of with this status, the first ones and those that were only counted.
fn told(log: &str, status: u16) -> usize {
    let (first, counted) = (format!(" with {status}: "), format!(" more requests with {status}"));
    let count = |line: &str| {
        let count = line.strip_suffix(&counted)?.rsplit(' ').next()?;
        count.parse::<usize>().ok()
    };
    log.lines().map(|line| if line.contains(&first) { 1 } else { count(line).unwrap_or(0) }).sum()
}

#[test]
fn ten_thousand_bad_requests_of_each_kind_are_a_few_lines_and_all_of_them_are_counted() {
    let mut scene = telling("");
    let (address, kinds, began) = (scene.daemon.address, kinds(), Instant::now());
    thread::scope(|scope| {
        for (status, bytes) in &kinds {
            scope.spawn(move || flood(address, *status, bytes));
        }
    });
    // Told without another refusal to wait for.
    scene.daemon.wait_for_line(0, "more requests with 404");
    let intervals = usize::try_from(began.elapsed().as_secs() / limits::COMPLAINT_INTERVAL.as_secs()).unwrap() + 1;
    scene.stop();
    let log = scene.daemon.log();
    for status in [400, 403, 404, 405, 413] {
        assert_eq!(told(&log, status), FLOOD, "{status}: {log}");
    }
    assert_eq!(told(&log, 401), 2 * FLOOD, "{log}");
    assert!(log.contains("channel page: refused a request from 127.") && !log.contains('\u{1b}'), "{log}");
    // Each kind once, and its count once.
    let most = 6 * 2 * (intervals + 1) + 10;
    assert!(log.lines().count() <= most, "{} lines, {most} at the most", log.lines().count());
}

#[test]
fn ten_thousand_messages_that_end_badly_are_a_hundred_lines_and_a_count() {
    let mut scene = telling("log_format = \"json\"\n");
    scene.graph.plan(None, FLOOD, refusal());
    for batch in 0..FLOOD / 1000 {
        let items: Vec<_> = (0..1000).map(|item| (batch * 1000 + item).to_string()).collect();
        let items: Vec<_> = items.iter().map(|id| message(&format!("m_{id}"), id, "hello")).collect();
        assert_eq!(scene.deliver(&body(&items)), 200);
    }
    // And as many strange deliveries, with the right signature.
    let strange = r#"{"object":"page","entry":[1,2,3,4,5,6,7,8,9,10]}"#;
    for _ in 0..FLOOD / 10 {
        assert_eq!(scene.deliver(strange), 200);
    }
    scene.wait_for_state(&format!("m_{}", FLOOD - 1), State::Dead);
    let dead = || scene.events().iter().filter(|event| event.state == State::Dead).count();
    while dead() < FLOOD {
        thread::sleep(GLANCE);
    }
    scene.stop();
    let log = scene.daemon.log();
    for words in ["dead after 1 attempt", "an entry that is not an object"] {
        let lines: Vec<_> =
            log.lines().map(object).filter(|line| line["message"].as_str().unwrap().contains(words)).collect();
        let (mut said, mut left) = (0, 0);
        for line in &lines {
            match line["message"].as_str().unwrap().split_once(" more line") {
                Some((count, _)) => left += count.parse::<usize>().unwrap(),
                None => said += 1,
            }
        }
        assert_eq!(said + left, FLOOD, "{words}");
        let minutes = lines.len() / limits::LOG_LINES_MAX as usize;
        assert!(lines.len() <= 1000 && left > 0 && minutes < 10, "{words}: {} lines", lines.len());
    }
}
