//! `ackd doctor` as an operator has it: the real program, a real daemon, twins for platforms.
//!
//! The looks that need another machine than this one (a wrong clock, too little memory) are played in the module's own
//! tests; here it is shown that each look really looks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

#[path = "shared/address.rs"]
mod address;

use ackd::daemon::clock;
use ackd::model::Secret;
use ackd::twin::messenger::{Messenger, Settings as Page};
use ackd::twin::webex::{Settings as Bot, Webex};
use ackd::twin::{Act, House, Plan, Server};
use address::own_loopback;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Each stands nowhere but in the environment, so that it can be searched for.
const SECRETS: [(&str, &str); 5] = [
    ("VERIFY", "canary-verify-token-9d41c7"),
    ("APP", "5f2d0c1b9a8e7f6d5c4b3a2918070605"),
    ("PAGE", "EAAcanaryPAGEtoken0Zb71QxWvYu2"),
    ("BOT", "NjVjOTQ0-canary-bot-token"),
    ("HOOK", "86dacc007724d8ea666f88fc77d918dad9537a15"),
];
const RUNNING: &str = "LoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=0\nResult=success\n\
                       UnitFileState=enabled\n";
const PATIENCE: Duration = Duration::from_secs(30);

fn secret(name: &str) -> Secret {
    Secret::new(SECRETS.iter().find(|(is, _)| *is == name).unwrap().1)
}

/// A folder with a configuration, twins for both of its channels, and a systemctl of its own.
struct Scene {
    folder: PathBuf,
    mounted: Option<PathBuf>,
    house: Arc<House>,
    _server: Server,
    /// Where the daemon listens.
    address: SocketAddr,
    text: String,
}

/// An address that was free just now, and that nobody else will take.
fn free_address() -> SocketAddr {
    TcpListener::bind((own_loopback(), 0)).unwrap().local_addr().unwrap()
}

impl Scene {
    fn new(name: &str) -> Scene {
        let folder = std::env::temp_dir().join(format!("ackd-doctor-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("bin")).unwrap();
        let house = Arc::new(House::new(clock));
        let server =
            Server::open(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::clone(&house), Box::new(|_| None)).unwrap();
        let address = free_address();
        let hook = format!("http://{address}/page");
        let page = Page::new(hook, secret("APP"), secret("VERIFY"), secret("PAGE"));
        let bot = Bot::new("space", secret("BOT"), server.api("space"));
        house.lodge("page", Box::new(Messenger::new(page)), Plan::default()).unwrap();
        house.lodge("space", Box::new(Webex::new(bot, clock())), Plan::default()).unwrap();
        let text = format!(
            "listen = \"{address}\"\nstore = \"sqlite:ackd.db\"\nconnections = 100\nkeep_registered = \"off\"\n\
             public_url = \"http://{address}\"\n\
             [channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"echo\"\nverify_token = {{ env = \"VERIFY\" }}\n\
             app_secret = {{ env = \"APP\" }}\naccess_token = {{ env = \"PAGE\" }}\napi = \"{}\"\n\
             page_id = \"104455667788990\"\napp_id = \"482915736608214\"\n\
             [channel.space]\nplatform = \"webex\"\npath = \"/webex\"\nbot = \"echo\"\naccess_token = {{ env = \"BOT\" }}\n\
             secret = {{ env = \"HOOK\" }}\napi = \"{}\"\n[bot.echo]\nkind = \"echo\"\n",
            server.api("page"),
            server.api("space"),
        );
        let scene = Scene { folder, mounted: None, house, _server: server, address, text };
        scene.systemctl(RUNNING);
        scene
    }

    /// The machine's systemctl says this.
    fn systemctl(&self, says: &str) {
        let program = self.folder.join("bin/systemctl");
        fs::write(self.folder.join("says"), says).unwrap();
        fs::write(&program, format!("#!/bin/sh\ncat '{}'\n", self.folder.join("says").display())).unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Another word in the configuration.
    fn write(&mut self, old: &str, new: &str) {
        assert_eq!(self.text.matches(old).count(), 1, "{old}");
        self.text = self.text.replace(old, new);
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        fs::write(self.folder.join("ackd.toml"), &self.text).unwrap();
        let mut command = Command::new(program);
        command.current_dir(&self.folder).stdin(Stdio::null()).envs(SECRETS);
        for variable in ["RUST_LOG", "JOURNAL_STREAM", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
            command.env_remove(variable);
        }
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.folder.join("bin").display()));
        command
    }

    fn ackd(&self, words: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_ackd"));
        command.args(words);
        command
    }

    /// Exit code and what is said, without any secret and with the folder left out.
    fn ended(&self, mut command: Command) -> (i32, String) {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        for (name, secret) in SECRETS {
            assert!(!text.contains(secret), "{name}: {text}");
        }
        (output.status.code().unwrap(), text)
    }

    fn doctor(&self) -> (i32, String) {
        self.ended(self.ackd(&["doctor"]))
    }

    /// That so many things are wrong, and this is one of them.
    fn expect_wrong(&self, count: usize, wrong: &str, mend: &str) -> String {
        let (code, text) = self.doctor();
        let lines: Vec<_> = text.lines().collect();
        let at = lines.iter().position(|line| line.starts_with("wrong  ") && line.contains(wrong));
        let at = at.unwrap_or_else(|| panic!("{wrong} is not among: {text}"));
        assert!(lines[at + 1].starts_with("       to mend: ") && lines[at + 1].contains(mend), "{text}");
        assert!(code == 1 && text.ends_with(&format!("\n{count} wrong\n")), "{code}: {text}");
        text
    }

    /// A daemon that listens.
    fn start(&self) -> Daemon {
        self.started(self.ackd(&["run"]))
    }

    fn started(&self, mut command: Command) -> Daemon {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut daemon = Daemon { child, log };
        daemon.wait_for_line(&format!("listening on {}", self.address));
        daemon
    }

    fn register(&self) {
        for channel in ["page", "space"] {
            let (code, text) = self.ended(self.ackd(&["webhook", "sync", channel]));
            assert_eq!(code, 0, "{text}");
        }
    }

    /// A small disk for the store; false where nobody may mount one.
    fn with_small_disk(&mut self) -> bool {
        let disk = self.folder.join("disk");
        fs::create_dir(&disk).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "ackd-doctor"]).arg(&disk).output();
        match mounted {
            Ok(output) if output.status.success() => {
                self.write("sqlite:ackd.db", "sqlite:disk/ackd.db");
                self.mounted = Some(disk);
                true
            }
            other => {
                println!("SKIPPED: the full disk: mounting a tmpfs is not permitted here: {other:?}");
                false
            }
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(mounted) = &self.mounted {
            let _ = Command::new("umount").arg("-l").arg(mounted).status();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A running `ackd run`; killed at the end.
struct Daemon {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Daemon {
    fn wait_for_line(&mut self, words: &str) {
        let mut said = String::new();
        while !said.lines().any(|line| line.contains(words)) {
            assert!(self.log.read_line(&mut said).unwrap() > 0, "it ended without saying {words:?}:\n{said}");
        }
    }
}

impl Daemon {
    /// Ends in order.
    fn end(mut self) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM)
            .unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Another program, that answers so whatever is asked, until it was asked so often.
fn answers(times: usize, answer: &'static str) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind((own_loopback(), 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        for _ in 0..times {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let mut line = String::new();
            while stream.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, serving)
}

#[test]
fn where_all_is_well_nothing_is_wrong() {
    let scene = Scene::new("well");
    let daemon = scene.start();
    scene.register();
    let (code, text) = scene.doctor();
    assert!(code == 0 && text.ends_with("\nnothing is wrong\n"), "{text}");
    let address = scene.address;
    for line in [
        "ok     configuration: ackd.toml, with page, space",
        "ok     secrets: each was found, as the running daemon has them, and not everybody may read them",
        "ok     store: ackd.db is whole",
        &format!("ok     daemon: process {} runs on ackd.db, and answers", daemon.child.id()),
        "ok     unit: ackd.service is active (running), restarted 0 times",
        "ok     token of page: we are page A page (104455667788990)",
        "ok     clock: within 1 s of that of 127.0.0.1:",
        &format!("ok     public URL: http://{address} leads to this daemon"),
        &format!("ok     registration of page: active, and it leads to http://{address}/page"),
        &format!("ok     registration of space: active, and it leads to http://{address}/webex"),
    ] {
        assert!(text.lines().any(|said| said.starts_with(line)), "{line} is not among: {text}");
    }
    for what in ["disk", "open files", "memory", "token of space"] {
        assert!(text.lines().any(|said| said.starts_with(&format!("ok     {what}: "))), "{what}: {text}");
    }
    assert_eq!(text.lines().filter(|line| !line.starts_with("ok     ")).count(), 1, "{text}");
    let (again, _) = scene.doctor();
    assert_eq!(again, 0, "a word is left each time");
}

#[test]
fn what_cannot_run_is_exit_code_2_and_the_rest_is_looked_at_as_far_as_it_goes() {
    let mut scene = Scene::new("faulty");
    let mut without_hook = scene.ackd(&["doctor"]);
    without_hook.env_remove("HOOK");
    let (code, text) = scene.ended(without_hook);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("\nwrong  secrets: ackd.toml:21: channel.space.secret: "), "{text}");
    assert!(text.contains("\n--     token of page: not looked at, since its secrets are not all there\n"), "{text}");
    assert!(text.contains("\nok     store: ackd.db: there is none yet; `ackd run` makes it\n"), "{text}");
    scene.write("connections = 100", "connections = 0\nconections = 3");
    let (code, text) = scene.doctor();
    assert_eq!(code, 2, "{text}");
    assert_eq!(text.matches("wrong  configuration: ackd.toml:").count(), 2, "{text}");
    assert!(text.contains("\n--     disk: not looked at, since the configuration is faulty\n"), "{text}");
}

#[test]
fn secrets_that_everybody_can_read_are_wrong_until_they_are_closed() {
    let mut scene = Scene::new("open");
    let file = scene.folder.join("hook");
    fs::write(&file, SECRETS[4].1).unwrap();
    scene.write("{ env = \"HOOK\" }", &format!("{{ file = \"{}\" }}", file.display()));
    let _daemon = scene.start();
    scene.register();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    scene.expect_wrong(1, "secrets: ackd.toml:21: channel.space.secret.file: everybody on this machine can read", "do");
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(scene.doctor().0, 0);
}

#[test]
fn without_a_daemon_that_is_wrong_and_nobody_asks_at_its_door() {
    let scene = Scene::new("absent");
    drop({
        let daemon = scene.start();
        scene.register();
        daemon
    });
    let text = scene.expect_wrong(1, "daemon: none runs on ackd.db", "ackd run --config ackd.toml");
    assert!(
        text.contains("\n--     public URL: not looked at, since no daemon runs that could answer there\n"),
        "{text}"
    );
    assert!(text.contains("\nok     registration of space: active, "), "what can be looked at is: {text}");
    assert!(text.contains("\nok     open files: a daemon started from this shell may open "), "{text}");
}

#[test]
fn a_token_that_is_refused_is_wrong_and_hides_its_registration() {
    let scene = Scene::new("token");
    let _daemon = scene.start();
    scene.register();
    scene.house.plan("space", Plan::parse("token 100% 3600s", 1).unwrap()).unwrap();
    let mend = "make a new token, put it where channel.space.access_token in ackd.toml says, and restart ackd";
    let text = scene.expect_wrong(1, "token of space: HTTP 401: the bot's token is not valid", mend);
    assert!(
        text.contains("\n--     registration of space: not looked at, since its token is not accepted, "),
        "{text}"
    );
    assert!(text.contains("\nok     registration of page: active, "), "{text}");
    scene.house.plan("space", Plan::default()).unwrap();
    scene.house.plan("page", Plan::parse("token 100% 3600s", 1).unwrap()).unwrap();
    let text = scene.expect_wrong(
        1,
        "token of page: error 190/463: the page's token has expired",
        "channel.page.access_token",
    );
    assert!(text.contains("\nok     token of space: "), "{text}");
}

#[test]
fn a_webhook_that_webex_switched_off_is_wrong_until_it_is_repaired() {
    let scene = Scene::new("inactive");
    let daemon = scene.start();
    scene.register();
    drop(daemon);
    let room = &scene.house.conversations().into_iter().find(|(name, _)| name == "space").unwrap().1[0];
    for number in 0..100 {
        let act = Act::Say { conversation: room.id.clone(), text: number.to_string(), mentions: true };
        scene.house.act("space", &act).unwrap();
    }
    let mut news = scene.house.news();
    while !scene.house.is_quiet() {
        news = scene.house.wait(news, PATIENCE);
    }
    let _daemon = scene.start();
    let wrong = "registration of space: messages/created was inactive; it should lead to http://127.";
    scene.expect_wrong(1, wrong, "ackd webhook sync space --config ackd.toml");
    scene.register();
    assert_eq!(scene.doctor().0, 0);
}

#[test]
fn registrations_that_are_missing_are_wrong_and_looking_makes_none() {
    let scene = Scene::new("missing");
    let _daemon = scene.start();
    for _ in 0..2 {
        let text =
            scene.expect_wrong(2, "registration of space: messages/created is missing; ", "ackd webhook sync space");
        assert!(text.contains("\nwrong  registration of page: "), "{text}");
    }
}

#[test]
fn a_public_url_that_leads_to_another_program_is_wrong() {
    let mut scene = Scene::new("elsewhere");
    let other = "HTTP/1.1 502 Bad Gateway\r\nngrok-error-code: ERR_NGROK_8012\r\nContent-Length: 0\r\n\r\n";
    let (address, serving) = answers(1, other);
    let _daemon = scene.start();
    scene.register();
    let here = format!("public_url = \"http://{}\"", scene.address);
    scene.write(&here, &format!("public_url = \"http://{address}\""));
    let wrong = format!(
        "public URL: http://{address} does not lead to this daemon: ngrok answers HTTP 502, ERR_NGROK_8012: the agent runs, \
         but nobody takes its connection"
    );
    scene.expect_wrong(3, &wrong, &format!("ngrok http {}", scene.address.port()));
    serving.join().unwrap();
    scene.expect_wrong(3, &format!("public URL: http://{address} is not reached: "), "curl -v http://127.");
}

#[test]
fn a_public_url_that_leads_to_another_ackd_is_wrong() {
    let mut scene = Scene::new("neighbour");
    let neighbour = Scene::new("neighbour-itself");
    let _other = neighbour.start();
    let _daemon = scene.start();
    scene.register();
    let here = format!("public_url = \"http://{}\"", scene.address);
    scene.write(&here, &format!("public_url = \"http://{}\"", neighbour.address));
    let wrong = format!("public URL: http://{} leads to an ackd, but to another one", neighbour.address);
    let text = scene.expect_wrong(3, &wrong, &format!("lead to port {}", scene.address.port()));
    assert!(text.contains("messages/created pointed at http://127."), "{text}");
    assert!(text.contains("the app's callback pointed at http://127."), "{text}");
}

#[test]
fn a_clock_that_differs_from_a_platforms_is_wrong() {
    let mut scene = Scene::new("clock");
    // No daemon runs, so nobody but the doctor asks.
    let late = "HTTP/1.1 401 Unauthorized\r\nDate: Sun, 09 Sep 2001 01:46:40 GMT\r\nContent-Length: 2\r\n\
                Connection: close\r\n\r\n{}";
    let (address, serving) = answers(1, late);
    let page = scene.text.find("[channel.page]").unwrap()..scene.text.find("[channel.space]").unwrap();
    scene.text.replace_range(page, "");
    let api = scene.text.lines().find(|line| line.starts_with("api = ")).unwrap().to_owned();
    scene.write(&api, &format!("api = \"http://{address}\""));
    let text = scene.expect_wrong(3, &format!(" s ahead of that of {address}"), "timedatectl set-ntp true");
    assert!(text.contains("\nwrong  clock: it is "), "{text}");
    serving.join().unwrap();
}

#[test]
fn a_daemon_that_may_open_too_few_files_is_wrong() {
    let scene = Scene::new("files");
    let mut limited = scene.command("sh");
    limited.args(["-c", "ulimit -n 90; exec \"$0\" run", env!("CARGO_BIN_EXE_ackd")]);
    let _daemon = scene.started(limited);
    scene.register();
    let wrong = "open files: the daemon may open 90, and needs 164 for connections = 100; the running one takes 26 \
                 connections at once";
    scene.expect_wrong(
        1,
        wrong,
        "write LimitNOFILE=164 below [Service] with `systemctl edit ackd`, or connections = 26 in",
    );
}

#[test]
fn a_unit_that_failed_is_wrong() {
    let scene = Scene::new("unit");
    let _daemon = scene.start();
    scene.register();
    scene.systemctl(&RUNNING.replace("active", "failed").replace("success", "exit-code"));
    scene.expect_wrong(1, "unit: ackd.service has failed (exit-code)", "journalctl -u ackd -n 50");
    scene.systemctl("LoadState=not-found\nActiveState=inactive\n");
    let (code, text) = scene.doctor();
    assert!(code == 0 && text.contains("\nok     unit: ackd.service is not installed\n"), "{text}");
}

#[test]
fn a_damaged_store_is_wrong() {
    let scene = Scene::new("damaged");
    let daemon = scene.start();
    scene.register();
    // Whoever ends in order moves what is in the log into the store. We do not open it: a command that another test
    // starts at this moment would hold our lock for as long as it takes to begin.
    daemon.end();
    let store = scene.folder.join("ackd.db");
    let file = OpenOptions::new().write(true).open(&store).unwrap();
    for page in 2..5 {
        file.write_all_at(&[0x5a; 4096], page * 4096).unwrap();
    }
    let text = scene.expect_wrong(2, "store: ackd.db is damaged: ", "sqlite3 ackd.db .recover");
    assert!(text.contains("\nwrong  daemon: none runs on "), "{text}");
}

#[test]
fn a_small_disk_is_wrong_and_a_full_one_too() {
    let mut scene = Scene::new("disk");
    if !scene.with_small_disk() {
        return;
    }
    let _daemon = scene.start();
    scene.register();
    scene.expect_wrong(1, "/disk, and the store needs up to 128 MiB to go on", "free some space there: du -xh /");
    let mut filler = File::create(scene.folder.join("disk/filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    scene.expect_wrong(1, "/disk does not take what is written: No space left on device", "free some space there");
    let left = fs::read_dir(scene.folder.join("disk"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("doctor"));
    assert_eq!(left.count(), 0, "it takes away what it wrote");
}
