//! The lock of the operator's door: who comes in by the token, what is told of those who do not, and what a reload changes.
//! What exactly counts as the token, the tests of `intake/lock.rs` show.

use crate::client::{Answer, Client};
use crate::daemon::{Daemon, Setup};
use crate::scene::Scene;
use crate::shared::daemon::Setup as _;
use ackd::meter::text::read;
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::process::Command;

const TOKEN: &str = "canary-door-token-5b1e";
const NEXT: &str = "canary-door-token-next";

fn locked() -> Scene {
    const ADMIN: &str = "[\"127.0.0.1:0\", \"unix:FOLDER/admin.sock\"]\ntoken = \"canary-door-token-5b1e\"";
    Scene::with(Setup { admin: Some(ADMIN), ..Setup::default() })
}

/// Where the operator comes in by TCP: the public door is at an address of the test's own.
fn door(daemon: &Daemon) -> SocketAddr {
    let line = daemon.wait_for_line(0, "listening on 127.0.0.1:");
    line.split("listening on ").nth(1).unwrap().parse().unwrap()
}

fn ask(client: &mut Client, line: &str, headers: &[&str], form: &str) -> Answer {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = form.len();
    client.write(format!("{line} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{form}"));
    client.try_read(line.starts_with("HEAD")).unwrap()
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

/// By how much refusals with 401 have grown when nobody else asks.
fn refused(daemon: &Daemon) -> f64 {
    let mut socket = UnixStream::connect(daemon.folder.path().join("admin.sock")).unwrap();
    socket.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    socket.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200 "), "a unix socket has no lock: {page}");
    let samples = read(page.split_once("\r\n\r\n").unwrap().1);
    let of_401 = samples.iter().find(|it| it.name == "ackd_refusals_total" && it.label("status") == "401");
    of_401.unwrap().value
}

#[test]
fn whoever_has_no_token_is_refused_counted_and_told_of_once() {
    let scene = locked();
    let address = door(&scene.daemon);
    for (line, headers) in [
        ("GET /metrics", vec![]),
        ("HEAD /metrics", vec![]),
        ("OPTIONS /metrics", vec![]),
        ("GET /", vec!["Accept: text/html"]),
        ("GET /metrics", vec!["Authorization: Bearer canary-door-token-5b1"]),
        ("POST /enter", vec!["Origin: null"]),
    ] {
        let mut client = Client::connect(address);
        let answer = ask(&mut client, line, &headers, "password=canary-wrong");
        assert_eq!(answer.status, 401, "{line} {headers:?}");
        assert!(!answer.text().contains("canary"), "{}", answer.text());
    }
    for _ in 0..50 {
        assert_eq!(ask(&mut Client::connect(address), "GET /metrics", &[&bearer(NEXT)], "").status, 401);
    }
    assert!((refused(&scene.daemon) - 56.0).abs() < f64::EPSILON, "{}", refused(&scene.daemon));
    let told = scene.daemon.wait_for_line(0, "with 401: ");
    assert!(told.contains("refused a request from 127.0.0.1 with 401: the operator's door"), "{told}");
    let log = scene.daemon.log();
    assert!(log.matches("with 401: ").count() < 5, "{log}");
    assert!(!log.contains("canary"), "{log}");

    let mut program = Client::connect(address);
    assert_eq!(ask(&mut program, "GET /metrics", &[&bearer(TOKEN)], "").status, 200);
    assert_eq!(ask(&mut program, "HEAD /readyz", &[&bearer(TOKEN)], "").status, 200);
    assert_eq!(ask(&mut Client::connect(address), "GET /healthz", &[], "").status, 200);
    assert_eq!(scene.client().get("/metrics").status, 404, "the public door has none of it");
}

#[test]
fn a_reload_changes_the_token_and_ends_what_was_entered_with_the_old_one() {
    let scene = locked();
    let address = door(&scene.daemon);
    let entered = ask(&mut Client::connect(address), "POST /enter", &[], &format!("password={TOKEN}&to=%2Freadyz"));
    assert_eq!((entered.status, entered.header("Location")), (303, Some("/readyz")));
    let cookie = format!("Cookie: {}", entered.header("Set-Cookie").unwrap().split(';').next().unwrap());
    let mut browser = Client::connect(address);
    assert_eq!(ask(&mut browser, "GET /readyz", &[&cookie], "").status, 200);
    let mut program = Client::connect(address);

    let setup = &scene.daemon.setup;
    let text = setup.toml(scene.daemon.folder.path(), scene.daemon.address, &scene.graph.api());
    let reload = |token: &str| {
        let text = text.replace("127.0.0.1:0", &address.to_string());
        fs::write(scene.daemon.config(), text.replace(&format!("\"{TOKEN}\""), token)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
        let output = command.arg("reload").arg("--config").arg(scene.daemon.config()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    reload(&format!("[\"{NEXT}\", \"{TOKEN}\"]"));
    assert_eq!(ask(&mut browser, "GET /readyz", &[&cookie], "").status, 200, "both are good");
    assert_eq!(ask(&mut program, "GET /readyz", &[&bearer(NEXT)], "").status, 200);
    reload(&format!("\"{NEXT}\""));
    assert_eq!(ask(&mut browser, "GET /readyz", &[&cookie], "").status, 401, "on a connection of before");
    assert_eq!(ask(&mut program, "GET /readyz", &[&bearer(NEXT)], "").status, 200);
    assert_eq!(ask(&mut program, "GET /readyz", &[&bearer(TOKEN)], "").status, 401);
    assert!(!scene.daemon.log().contains("canary"));
}
