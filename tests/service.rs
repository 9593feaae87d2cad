//! ackd as a service manager sees it: what it says over a real datagram socket, sockets that are handed over by the real
//! `systemd-socket-activate`, and a watchdog that hears nothing more when something is stuck.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

mod shared;

use rustix::process::{Pid, Signal, kill_process};
use shared::PATIENCE;
use shared::address::own_loopback;
use shared::daemon::Folder;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// A configuration whose doors are these.
fn write_config(folder: &Path, listen: &str, admin: &str) -> PathBuf {
    let path = folder.join("ackd.toml");
    let text = format!(
        "listen = {listen}\n{admin}\n[channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"it\"\n\
         api = \"http://127.0.0.1:9\"\nverify_token = \"only-a-test-0123\"\napp_secret = \"only-a-test-0123\"\n\
         access_token = \"only-a-test-0123\"\n[bot.it]\nkind = \"echo\"\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn ackd(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
    command.arg("run").arg("--config").arg(config).env("RUST_LOG", "info");
    command.env_remove("STATE_DIRECTORY").env_remove("NOTIFY_SOCKET").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A process that ends with the test, and what it says.
struct Running {
    child: Child,
    said: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Running {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (lines, said) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).all(|line| lines.send(line).is_ok()));
        Running { child, said }
    }

    /// The next line that holds these words.
    fn wait_for(&self, words: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.said.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("{words:?} was not said: {error}; {before:#?}"),
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; the exit code.
    fn code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a service manager hears.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(folder: &Path) -> Manager {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Manager { socket, path }
    }

    /// The next message's assignments.
    fn hear(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let count = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..count].to_vec()).unwrap().lines().map(str::to_owned).collect()
    }

    /// The next message that begins so; what comes between is about the watchdog.
    fn hear_of(&self, first: &str) -> Vec<String> {
        loop {
            let message = self.hear();
            if message[0] == first {
                return message;
            }
            assert_eq!(message[0], "WATCHDOG=1");
        }
    }
}

/// Asks at an address, and gives the status.
fn ask(address: SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut said = String::new();
    socket.read_to_string(&mut said).unwrap();
    said.get(9..12).unwrap_or_default().to_owned()
}

/// A port of ours that nobody has now.
fn free() -> SocketAddr {
    TcpListener::bind((own_loopback(), 0)).unwrap().local_addr().unwrap()
}

#[test]
fn the_service_manager_hears_that_it_is_ready_lives_reloads_and_stops() {
    let folder = Folder::new();
    let manager = Manager::new(folder.path());
    let config = write_config(folder.path(), "\"127.0.0.1:0\"", "");
    let mut command = ackd(&config);
    command.env("NOTIFY_SOCKET", &manager.path).env("WATCHDOG_USEC", "300000");
    let mut running = Running::start(command);
    running.wait_for("listening on");
    assert_eq!(manager.hear(), ["READY=1"]);
    let alive = manager.hear();
    assert_eq!((alive[0].as_str(), manager.hear()[0].as_str()), ("WATCHDOG=1", "WATCHDOG=1"));
    assert!(alive[1].starts_with("STATUS=0 events kept, 0 settled, 0 requests refused; 0 connections"), "{alive:?}");
    // With a faulty configuration, too, it says that it is there again.
    for (text, told) in [("", "the configuration is in force"), ("workers = \"many\"", "nothing has changed")] {
        fs::write(&config, format!("{}\n{}", text, fs::read_to_string(&config).unwrap())).unwrap();
        running.signal(Signal::HUP);
        let reloading = manager.hear_of("RELOADING=1");
        assert!(reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap().parse::<u64>().unwrap() > 0, "{reloading:?}");
        manager.hear_of("READY=1");
        running.wait_for(told);
    }
    running.signal(Signal::TERM);
    manager.hear_of("STOPPING=1");
    assert_eq!(running.code(), Some(0));
}

#[test]
fn a_service_manager_that_does_not_read_keeps_nobody_waiting() {
    let folder = Folder::new();
    let manager = Manager::new(folder.path());
    let address = free();
    let config = write_config(folder.path(), &format!("\"{address}\""), "");
    let mut command = ackd(&config);
    command.env("NOTIFY_SOCKET", &manager.path).env("WATCHDOG_USEC", "30000");
    let mut running = Running::start(command);
    // The kernel takes some words for it, and then no more.
    running.wait_for("systemd cannot be told");
    assert_eq!(ask(address, "/page"), "403");
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}

/// How often any thread of a process gave the processor back to wait, since it began.
fn waits(process: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let waited = |thread: fs::DirEntry| {
        let status = fs::read_to_string(thread.path().join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    threads.map(|thread| waited(thread.unwrap())).sum()
}

#[test]
fn an_idle_daemon_wakes_for_its_watchdog_only() {
    let folder = Folder::new();
    let manager = Manager::new(folder.path());
    let config = write_config(folder.path(), "\"127.0.0.1:0\"", "[admin]\nlisten = \"127.0.0.1:0\"");
    let mut command = ackd(&config);
    command.env("NOTIFY_SOCKET", &manager.path).env("WATCHDOG_USEC", "1500000");
    let running = Running::start(command);
    assert_eq!(manager.hear(), ["READY=1"]);
    // What follows from its start is over with the second.
    (0..2).for_each(|_| assert_eq!(manager.hear()[0], "WATCHDOG=1"));
    let before = waits(running.child.id());
    let intervals = 6;
    (0..intervals).for_each(|_| assert_eq!(manager.hear()[0], "WATCHDOG=1"));
    let woken = waits(running.child.id()) - before;
    // The loop asks, the keeper answers, the loop tells systemd; in each third of systemd's patience.
    assert!((intervals..=3 * intervals).contains(&woken), "{woken} times in {intervals} intervals");
}

#[test]
fn sockets_that_are_handed_over_are_served_each_at_its_door() {
    if Command::new("systemd-socket-activate").arg("--version").output().is_err() {
        println!("SKIPPED: there is no systemd-socket-activate");
        return;
    }
    let folder = Folder::new();
    let config = write_config(folder.path(), "\"systemd\"", "[admin]\nlisten = \"systemd\"");
    let (public, second, admin) = (free(), free(), SocketAddr::from(([127, 0, 0, 1], free().port())));
    let mut command = Command::new("systemd-socket-activate");
    for address in [public, second, admin] {
        command.arg("-l").arg(address.to_string());
    }
    command.arg("--fdname=http:https:admin").arg("-E").arg("RUST_LOG=info").arg(env!("CARGO_BIN_EXE_ackd"));
    command.arg("run").arg("--config").arg(&config).stdin(Stdio::null()).stdout(Stdio::null());
    let mut running = Running::start(command);
    running.wait_for("Listening on");
    // The first connection starts it, and is served.
    assert_eq!(ask(public, "/page"), "403");
    assert_eq!((ask(second, "/page"), ask(second, "/healthz")), ("403".to_owned(), "404".to_owned()));
    assert_eq!((ask(admin, "/"), ask(admin, "/page")), ("200".to_owned(), "404".to_owned()));
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}

#[test]
fn what_does_not_fit_the_sockets_says_what_to_write() {
    let folder = Folder::new();
    let mut alone = Running::start(ackd(&write_config(folder.path(), "\"systemd\"", "")));
    alone.wait_for("systemd hands over no socket for it: systemctl stop ackd, then systemctl start ackd.socket ackd;");
    assert_eq!(alone.code(), Some(1));
}

/// A configuration's text for a process that is handed a socket under the number 3, as systemd does it; a shell moves it
/// there.
const HANDED: &str =
    "exec 3<&0 0</dev/null; export LISTEN_FDS=1 LISTEN_FDNAMES=public LISTEN_PID=$$; exec \"$0\" run --config \"$1\"";

/// How often it is started again, unless `ACKD_RESTARTS` says otherwise.
const RESTARTS: usize = 5;

/// A signed event.
fn event(id: &str) -> Vec<u8> {
    let body = format!(
        "{{\"object\":\"page\",\"entry\":[{{\"id\":\"1\",\"time\":1,\"messaging\":[{{\"sender\":{{\"id\":\"2\"}},\
         \"recipient\":{{\"id\":\"1\"}},\"timestamp\":1,\"message\":{{\"mid\":\"{id}\",\"text\":\"hello\"}}}}]}}]}}"
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"only-a-test-0123");
    let tag = ring::hmac::sign(&key, body.as_bytes());
    let signature: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let (length, signature) = (body.len(), signature.concat());
    format!(
        "POST /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\
         X-Hub-Signature-256: sha256={signature}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[test]
fn restarts_refuse_nobody_and_lose_nothing_while_the_socket_is_held_by_another() {
    let restarts = std::env::var("ACKD_RESTARTS").map_or(RESTARTS, |restarts| restarts.parse().unwrap());
    let folder = Folder::new();
    let config = write_config(folder.path(), "\"systemd\"", "workers = 0");
    let held = TcpListener::bind((own_loopback(), 0)).unwrap();
    let address = held.local_addr().unwrap();
    let start = || {
        let mut command = Command::new("sh");
        command.args(["-c", HANDED, env!("CARGO_BIN_EXE_ackd")]).arg(&config).env("RUST_LOG", "info");
        command.env_remove("STATE_DIRECTORY").env_remove("NOTIFY_SOCKET").stdout(Stdio::null());
        command.stdin(Stdio::from(std::os::fd::OwnedFd::from(held.try_clone().unwrap())));
        let running = Running::start(command);
        running.wait_for("listening on");
        running
    };
    let over = std::sync::atomic::AtomicBool::new(false);
    let load = |client: usize| {
        let mut acknowledged = 0;
        while !over.load(std::sync::atomic::Ordering::Relaxed) {
            let mut socket = TcpStream::connect(address).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket.write_all(&event(&format!("{client}-{acknowledged}"))).unwrap();
            let mut said = String::new();
            socket.read_to_string(&mut said).unwrap();
            assert!(said.starts_with("HTTP/1.1 200 "), "event {acknowledged} of client {client}: {said:?}");
            acknowledged += 1;
        }
        acknowledged
    };
    let acknowledged: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|client| scope.spawn(move || load(client))).collect();
        let mut running = start();
        for _ in 0..restarts {
            running.signal(Signal::TERM);
            assert_eq!(running.code(), Some(0));
            running = start();
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        let acknowledged = clients.into_iter().map(|client| client.join().unwrap()).sum();
        running.signal(Signal::TERM);
        assert_eq!(running.code(), Some(0));
        acknowledged
    });
    let reader = ackd::store::sqlite::Reader::open(&folder.path().join("ackd.db")).unwrap();
    let [(page, _)] = reader.channels().unwrap()[..] else { panic!("one channel") };
    // Events of a channel are numbered through.
    assert_eq!(usize::try_from(reader.newest(page).unwrap().place()).unwrap(), acknowledged);
}
