//! The program as a user has it: what it says, and its exit code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "here a panic is how a failure is told")]

use ackd::model::{Arrival, Fate, Lease, Moment, Settlement};
use ackd::store::sqlite::SqliteFile;
use ackd::store::{Store, Wanted};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A folder with a configuration whose store is empty; removed at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const CONFIG: &str = r#"
listen = "127.0.0.1:0"
workers = 0
[channel.page]
platform = "messenger"
path = "/page"
bot = "echo"
verify_token = "demo-verify-token"
app_secret = "demo-app-secret"
access_token = "demo-access-token"
[bot.echo]
kind = "echo"
"#;

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("ackd-commands-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("ackd.toml"), CONFIG).unwrap();
        Folder(folder)
    }

    fn make_store(&self) {
        drop(SqliteFile::open(&self.0.join("ackd.db")).unwrap());
    }

    fn ackd(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
        command.args(words).current_dir(&self.0).stdin(Stdio::null()).env("TZ", "UTC");
        for variable in ["RUST_LOG", "JOURNAL_STREAM", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
            command.env_remove(variable);
        }
        command
    }

    /// Exit code, stdout, stderr.
    fn run(&self, words: &[&str]) -> (i32, String, String) {
        ended(self.ackd(words).output().unwrap())
    }
}

fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or_else(|| panic!("killed: {}", output.status));
    (code, text(output.stdout), text(output.stderr))
}

/// The exit code of a process that must end by itself.
fn code_of(mut child: Child) -> Option<i32> {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("it did not end");
}

#[test]
fn help_and_version_are_said_on_stdout() {
    let folder = Folder::new("help");
    let (code, out, error) = folder.run(&["--help"]);
    assert!(code == 0 && out.starts_with("ackd: ack first, answer later.") && error.is_empty(), "{out}{error}");
    assert_eq!(folder.run(&["--version"]), (0, "ackd 0.1.0\n".to_owned(), String::new()));
    assert!(folder.run(&["help", "why"]).1.starts_with("ackd why ID"));
}

#[test]
fn a_mistyped_command_line_is_exit_code_2() {
    let folder = Folder::new("usage");
    let (code, out, error) = folder.run(&["evnets"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(error, "ackd: there is no command \"evnets\"; did you mean events? see ackd --help\n");
    fs::remove_file(folder.0.join("ackd.toml")).unwrap();
    let (code, _, error) = folder.run(&["events", "--config", "nope.toml"]);
    assert!(code == 2 && error.starts_with("nope.toml: cannot be read: "), "{error}");
}

#[test]
fn a_faulty_configuration_is_exit_code_2_whatever_is_to_be_done() {
    let folder = Folder::new("faulty");
    fs::write(folder.0.join("ackd.toml"), CONFIG.replace("workers = 0", "workers = -1\nwokers = 2")).unwrap();
    let (code, out, error) = folder.run(&["check"]);
    assert!(code == 2 && out.ends_with("2 faults\n") && error.is_empty(), "{out}{error}");
    for words in [&["send", "page", "1", "Hi"][..], &["replay", "--dead"], &["replay", "--dry"], &["reload"]] {
        let (code, out, error) = folder.run(words);
        assert!(code == 2 && out.is_empty() && error.starts_with("ackd.toml:3: workers: "), "{error}");
    }
    let (code, _, error) = folder.run(&["run"]);
    assert!(code == 2 && error.contains(" ERROR ackd.toml:3: workers: "), "{error}");
}

#[test]
fn what_is_kept_can_be_read_by_a_faulty_configuration_that_says_where_it_is() {
    let folder = Folder::new("to-read");
    let file = folder.0.join("ackd.toml");
    folder.make_store();
    folder.run(&["send", "page", "4711", "Hi"]);
    let faulty = CONFIG.replace("bot = \"echo\"", "bot = \"ecco\"");
    fs::write(&file, &faulty).unwrap();
    for words in [&["events"][..], &["why", "page-1"], &["top"]] {
        let (code, out, error) = folder.run(words);
        let mut lines = error.lines();
        assert!(lines.next().unwrap().starts_with("ackd.toml:7: channel.page.bot: there is no bot"), "{error}");
        let all_the_same = "ackd.db is looked at all the same; correct that before the next start or reload";
        assert!(lines.next().unwrap().ends_with(all_the_same), "{error}");
        match words {
            ["top"] => assert!(code == 1 && error.contains("nobody answers at the control socket"), "{error}"),
            _ => assert!(code == 0 && out.starts_with("page-1  ") && lines.next().is_none(), "{out}{error}"),
        }
    }
    // Which store is meant, nobody knows.
    for store in ["stroe = \"sqlite:other.db\"", "store = \"other.db\"", "store = \"sqlite:no/folder.db\""] {
        fs::write(&file, format!("{store}\n{CONFIG}")).unwrap();
        let (code, out, error) = folder.run(&["events"]);
        assert!(code == 2 && out.is_empty() && error.starts_with("ackd.toml:1: st"), "{error}");
        assert!(!error.contains("all the same"), "{error}");
    }
}

#[test]
fn without_a_daemon_a_message_is_kept_listed_and_explained() {
    let folder = Folder::new("kept");
    let (code, _, error) = folder.run(&["send", "page", "4711", "Hi"]);
    assert!(code == 1 && error.ends_with("ackd.db: there is none yet; `ackd run` makes it\n"), "{error}");
    folder.make_store();
    let (code, out, error) = folder.run(&["send", "page", "4711", "The coffee\nis ready."]);
    let hint = "`ackd why page-1` tells the rest\n";
    assert_eq!((code, out.as_str(), error.as_str()), (0, "page-1 kept; it is sent when ackd runs\n", hint));
    let (code, out, _) = folder.run(&["events"]);
    assert!(code == 0 && out.starts_with("page-1  20") && out.ends_with("  open  push  4711\n"), "{out}");
    let (code, out, _) = folder.run(&["why", "page-1"]);
    assert!(code == 0 && out.contains("page-1.1  \"The coffee\\nis ready.\""), "{out}");
    let (code, out, error) = folder.run(&["why", "page-2"]);
    assert!(code == 1 && out.is_empty() && error.starts_with("ackd: there is no event \"page-2\"; "), "{error}");
    let (code, out, error) = folder.run(&["why", "page"]);
    let told = "ackd: \"page\" is no event's name; write for example page-17 or page-17.1; see ackd why --help\n";
    assert_eq!((code, out.as_str(), error.as_str()), (2, "", told));
    let (code, out, error) = folder.run(&["replay", "page-1"]);
    assert!(code == 1 && out.starts_with("page-1 left alone: it is open"), "{out}");
    assert_eq!(error, "ackd: one was left alone; 0 put back\n");
    assert_eq!(folder.run(&["replay", "--dead"]).0, 0);
    assert_eq!(folder.run(&["events", "--channel", "pgae"]).0, 2);
}

#[test]
fn what_another_configuration_would_say_is_shown_like_a_diff() {
    let folder = Folder::new("dry");
    folder.make_store();
    let none = "0 the same, 0 differ, 0 could not be rehearsed\n";
    assert_eq!(folder.run(&["replay", "--dry"]), (0, none.to_owned(), String::new()));
    {
        let file = SqliteFile::open(&folder.0.join("ackd.db")).unwrap();
        let mut store = file.engine().unwrap();
        let page = store.channel("page").unwrap();
        let raw = br#"{"message":{"mid":"m","text":"hello"}}"#.as_slice().into();
        let (id, conversation, fate) = ("m".to_owned(), "4711".to_owned(), Fate::Hear);
        let arrival = Arrival { id, conversation, kind: "message", fate, raw, proves: None };
        store.admit(page, &arrival, Moment(0), Moment(0)).unwrap();
        let Lease { event, lane, .. } = store.lease(page, Wanted::Any, &HashSet::new(), Moment(0)).unwrap().unwrap();
        store.settle(&Settlement::HearDead { event, lane, why: "bot echo: ill".to_owned() }, true, Moment(0)).unwrap();
        store.commit().unwrap();
    }
    // Its secrets are not in this shell.
    let new = CONFIG.replace("\"demo-app-secret\"", "{ env = \"UNSET\" }");
    fs::write(folder.0.join("new.toml"), new).unwrap();
    let (code, out, error) = folder.run(&["replay", "--dry", "--config", "new.toml"]);
    let text =
        "page-1  message  4711\n- (dead: bot echo: ill)\n+ hello\n\n0 the same, 1 differ, 0 could not be rehearsed\n";
    assert_eq!((code, out.as_str(), error.as_str()), (1, text, ""));
    assert_eq!(folder.run(&["replay", "--dry", "--since", "2h"]), (0, none.to_owned(), String::new()));
    assert_eq!(folder.run(&["replay", "--since", "2h"]).0, 2);
}

#[test]
fn with_a_daemon_the_same_goes_through_its_control_socket() {
    let folder = Folder::new("daemon");
    let mut daemon = folder.ackd(&["run"]).stderr(Stdio::piped()).spawn().unwrap();
    let log = until_it_listens(&mut daemon);
    let (code, out, error) = folder.run(&["send", "page", "4711", "Hi"]);
    assert_eq!((code, out.as_str(), error.as_str()), (0, "page-1 kept\n", "`ackd why page-1` tells the rest\n"));
    let (code, out, _) = folder.run(&["replay", "page-1", "page-9"]);
    assert_eq!(code, 1);
    assert_eq!(out.lines().filter(|line| line.contains(" left alone: ")).count(), 2, "{out}");
    let (code, _, error) = folder.run(&["send", "page", "4711", ""]);
    assert!(code == 2, "{error}");
    let (_, out, _) = folder.run(&["why", "page-1"]);
    assert!(out.contains("not said yet") && !out.contains("no ackd runs"), "{out}");
    let pid = rustix::process::Pid::from_child(&daemon);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(code_of(daemon), Some(0));
    drop(log);
}

#[test]
fn a_code_for_the_solar_bot_is_kept_beside_a_daemon_and_without_one() {
    use ackd::bot::solar::{Invite, invitation};
    use ackd::model::Moment;
    let folder = Folder::new("solar");
    let sun = "[bot.sun]\nkind = \"solar\"\nupstream = \"enphase\"\n[upstream.enphase]\napi = \"http://127.0.0.1:9\"\n\
               unlimited = true\n";
    fs::write(folder.0.join("ackd.toml"), format!("{CONFIG}{sun}")).unwrap();
    let invite = ["solar", "invite", "698910067", "--days", "3"];
    let (code, _, error) = folder.run(&invite);
    assert!(code == 1 && error.ends_with("ackd.db: there is none yet; `ackd run` makes it\n"), "{error}");
    let mut daemon = folder.ackd(&["run"]).stderr(Stdio::piped()).spawn().unwrap();
    let log = until_it_listens(&mut daemon);
    let beside = folder.run(&invite);
    let people = folder.run(&["solar", "people", "--bot", "sun"]).1;
    let pid = rustix::process::Pid::from_child(&daemon);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(code_of(daemon), Some(0));
    drop(log);
    let alone = folder.run(&invite);
    let file = SqliteFile::open(&folder.0.join("ackd.db")).unwrap();
    let now = ackd::daemon::clock();
    let mut codes = Vec::new();
    for (code, out, error) in [beside, alone] {
        assert!(
            code == 0 && error.is_empty() && out.contains("to bot sun first is told of system 698910067"),
            "{out}{error}"
        );
        let code = out.lines().next().unwrap().to_owned();
        let kept = file.recall("sun", &invitation(&code), now).unwrap().unwrap();
        let invite: Invite = serde_json::from_slice(&kept).unwrap();
        let days = invite.until.since(now).as_secs_f64() / 86_400.0;
        assert!(invite.system == 698_910_067 && (2.9..3.0).contains(&days), "{days}");
        // Known for longer, so that the bot can say that it is too old.
        let over = invite.until.after(Duration::from_secs(86_400));
        assert!(file.recall("sun", &invitation(&code), over).unwrap().is_some());
        assert_eq!(file.recall("sun", &invitation(&code), Moment(i64::MAX)).unwrap(), None);
        codes.push(code);
    }
    assert_ne!(codes.first(), codes.last());
    assert!(people.starts_with(codes.first().unwrap()) && people.contains("698910067, open until "), "{people}");
}

#[test]
fn only_the_daemon_needs_its_secrets() {
    let folder = Folder::new("secrets");
    let mut config = CONFIG.to_owned();
    for (plain, source) in [
        ("\"demo-verify-token\"", "{ credential = \"verify_token\" }"),
        ("\"demo-app-secret\"", "{ env = \"ACKD_TEST_UNSET\" }"),
        ("\"demo-access-token\"", "{ file = \"/nonexistent/token\" }"),
    ] {
        config = config.replace(plain, source);
    }
    fs::write(folder.0.join("ackd.toml"), config).unwrap();
    folder.make_store();
    for words in [&["send", "page", "4711", "Hi"][..], &["events"], &["why", "page-1"], &["replay", "--dead"]] {
        let (code, _, error) = folder.run(words);
        let hint = if words.contains(&"send") { "`ackd why page-1` tells the rest\n" } else { "" };
        assert_eq!((code, error.as_str()), (0, hint), "{words:?}");
    }
    let (code, out, _) = folder.run(&["check"]);
    assert!(code == 2 && out.ends_with("where there is a fault.\n3 faults\n"), "{out}");
    assert!(out.contains("\nAll but secrets and certificates is right. Those of a service may be missing"), "{out}");
    assert_eq!(folder.run(&["run"]).0, 2);
}

#[test]
fn a_reload_needs_the_daemons_secrets_and_not_those_of_the_shell() {
    let folder = Folder::new("reload-secrets");
    let file = folder.0.join("ackd.toml");
    let config = CONFIG.replace("\"demo-app-secret\"", "{ env = \"ACKD_TEST_APP_SECRET\" }");
    let config = config.replace("\"demo-access-token\"", "{ credential = \"token\" }");
    fs::write(&file, &config).unwrap();
    fs::write(folder.0.join("token"), "demo-access-token\n").unwrap();
    let mut daemon = folder.ackd(&["run"]);
    daemon.env("ACKD_TEST_APP_SECRET", "demo-app-secret").env("CREDENTIALS_DIRECTORY", &folder.0);
    let mut daemon = daemon.stderr(Stdio::piped()).spawn().unwrap();
    let log = until_it_listens(&mut daemon);
    let fine = folder.run(&["reload"]);
    let lacking = config
        .replace("\"token\"", "\"nowhere\"")
        .replace("\"ACKD_TEST_APP_SECRET\"", "\"ACKD_TEST_UNSET\"")
        .replace("\"demo-verify-token\"", "{ env = \"ACKD_TEST_NOT_SET_EITHER\" }");
    fs::write(&file, lacking).unwrap();
    let lacks = folder.run(&["reload"]);
    fs::write(&file, config.replace("workers = 0", "workers = -1")).unwrap();
    let check = folder.run(&["check"]);
    let pid = rustix::process::Pid::from_child(&daemon);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(code_of(daemon), Some(0));
    drop(log);

    let in_force = "the configuration is in force: 1 channel, 1 bot, 0 upstreams\n";
    assert_eq!(fine, (0, in_force.to_owned(), String::new()));
    // What the daemon lacks is told by it, each in a line, however many there are.
    assert!(lacks.2.lines().count() == 3, "{lacks:?}");
    assert!(lacks.2.contains("the environment variable ACKD_TEST_UNSET is not set; "), "{lacks:?}");
    assert!(lacks.0 == 1 && lacks.2.contains("cannot read the credential nowhere: "), "{lacks:?}");
    // Where something else is wrong, too, it is no matter of the shell.
    assert!(check.0 == 2 && check.1.ends_with("3 faults\n") && !check.1.contains("All but"), "{check:?}");
}

#[test]
fn a_daemon_waits_for_a_command_that_holds_the_store_just_then() {
    let folder = Folder::new("waits");
    let command = SqliteFile::open(&folder.0.join("ackd.db")).unwrap();
    let mut daemon = folder.ackd(&["run"]).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    drop(command);
    let log = until_it_listens(&mut daemon);
    let pid = rustix::process::Pid::from_child(&daemon);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(code_of(daemon), Some(0));
    drop(log);
}

#[test]
fn a_folder_that_the_user_may_not_write_is_a_warning() {
    let folder = Folder::new("unwritable");
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(!folder.run(&["check"]).1.contains("may not be written"));
    let mut command = folder.ackd(&["check"]);
    if rustix::process::geteuid().is_root() {
        // Root may write everywhere, so it is somebody else who asks, with a program that he may read.
        let program = folder.0.join("ackd");
        fs::copy(env!("CARGO_BIN_EXE_ackd"), &program).unwrap();
        command = Command::new(program);
        command.arg("check").current_dir(&folder.0).stdin(Stdio::null()).uid(65_534).gid(65_534);
    } else {
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o555)).unwrap();
    }
    let (code, out, error) = ended(command.output().unwrap());
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    let told = "warning: ackd.toml: store: its folder . may not be written by you (";
    assert!(code == 0 && out.contains(told) && out.contains("configuration OK"), "{out}{error}");
    assert!(!folder.0.join("ackd.db").exists() && !folder.0.join("ackd.db.lock").exists());
}

#[test]
fn a_second_daemon_is_told_apart_from_a_stranger_on_the_port() {
    let folder = Folder::new("second");
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = stranger.local_addr().unwrap().to_string();
    fs::write(folder.0.join("ackd.toml"), CONFIG.replace("127.0.0.1:0", &address)).unwrap();
    let (code, _, error) = folder.run(&["run"]);
    assert!(code == 1 && error.contains("; another program is there, `ss -ltnp` shows which"), "{error}");
    drop(stranger);
    let mut daemon = folder.ackd(&["run"]).stderr(Stdio::piped()).spawn().unwrap();
    let log = until_it_listens(&mut daemon);
    let (code, _, error) = folder.run(&["run"]);
    assert!(code == 1 && error.contains("ackd.db: another ackd works on it; stop that one first"), "{error}");
    let pid = rustix::process::Pid::from_child(&daemon);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(code_of(daemon), Some(0));
    drop(log);
}

/// Reads the daemon's log until it is ready; the rest stays to be read.
fn until_it_listens(daemon: &mut Child) -> BufReader<ChildStderr> {
    let mut log = BufReader::new(daemon.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("ackd.sock") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the daemon ended");
    }
    log
}

/// Enough events that their list does not fit into a pipe.
fn many_events(folder: &Folder) {
    use ackd::model::{Moment, Reply};
    use ackd::store::Store;
    let file = SqliteFile::open(&folder.0.join("ackd.db")).unwrap();
    let mut store = file.engine().unwrap();
    let page = store.channel("page").unwrap();
    for number in 0..5000 {
        store.push(page, &number.to_string(), &[Reply::text("4711", "Hi")], Moment(number)).unwrap();
    }
    store.commit().unwrap();
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = Folder::new("pipe");
    many_events(&folder);
    for words in [&["events", "--limit", "5000"][..], &["events", "--follow"]] {
        let mut child = folder.ackd(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with("page-"), "{first}");
        let mut said = child.stderr.take().unwrap();
        // Also when nothing more happens that could be printed.
        assert_eq!(code_of(child), Some(0), "{words:?}");
        let mut error = String::new();
        said.read_to_string(&mut error).unwrap();
        assert_eq!(error, "", "{words:?}");
    }
    // Gone before it began.
    for (words, code) in [(&["--help"][..], 0), (&["check"], 0), (&["events"], 0), (&["why", "page-1"], 0)] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let output = folder.ackd(words).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(ended(output), (code, String::new(), String::new()), "{words:?}");
    }
}

#[test]
fn a_full_disk_behind_stdout_is_a_failure() {
    let folder = Folder::new("full");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (code, _, error) = ended(folder.ackd(&["--help"]).stdout(full).stderr(Stdio::piped()).output().unwrap());
    assert!(code == 1 && error.starts_with("ackd: writing the output: "), "{error}");
}

#[test]
fn nobody_reading_stderr_is_no_reason_to_panic() {
    let folder = Folder::new("mute");
    fs::write(folder.0.join("ackd.toml"), "listen = 1\n").unwrap();
    for (words, code) in [(&["run"][..], 2), (&["evnets"], 2), (&["send", "page", "1", "Hi"], 2), (&["events"], 1)] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut command = folder.ackd(words);
        command.env("RUST_LOG", "ackd=very,=,info").stderr(writer).stdout(Stdio::null());
        assert_eq!(command.status().unwrap().code(), Some(code), "{words:?}");
    }
}

#[test]
fn under_systemd_lines_have_a_priority_and_no_time() {
    let folder = Folder::new("journal");
    fs::write(folder.0.join("ackd.toml"), "listen = 1\n").unwrap();
    let path = folder.0.join("journal");
    let journal = File::create(&path).unwrap();
    let metadata = journal.metadata().unwrap();
    let stream = format!("{}:{}", metadata.dev(), metadata.ino());
    let mut command = folder.ackd(&["run"]);
    command.env("JOURNAL_STREAM", stream).env("RUST_LOG", "ackd=very,info").stderr(journal);
    assert_eq!(command.status().unwrap().code(), Some(2));
    let text = fs::read_to_string(&path).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("<4>RUST_LOG: \"ackd=very\" is no level, so it is left out"));
    assert!(lines.all(|line| line.starts_with("<3>ackd.toml:1: ")), "{text}");
}
