//! `ackd login` with the real binary against a stand-in of Enphase's token endpoint (enphase.md §3): beside a running
//! daemon, without one, and all that may go wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "here a panic is how a failure is told"
)]

use ackd::keeper::TOKENS;
use ackd::model::Moment;
use ackd::store::sqlite::SqliteFile;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

/// No output may hold any of these.
const SECRETS: [&str; 4] = ["canary-key", "canary-client", "canary-access", "canary-refresh"];

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What `ackd login` came to.
struct End {
    code: i32,
    out: String,
    error: String,
}

impl Folder {
    fn new(name: &str, base: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("ackd-login-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\n[channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"echo\"\n\
             verify_token = {{ env = \"PAGE\" }}\napp_secret = {{ env = \"PAGE\" }}\naccess_token = {{ env = \"PAGE\" }}\n\
             [bot.echo]\nkind = \"echo\"\n[upstream.sun]\nkind = \"enphase\"\napi = \"{base}\"\nkey = {{ env = \"KEY\" }}\n\
             [upstream.sun.oauth]\nauthorize_url = \"{base}/oauth/authorize\"\ntoken_url = \"{base}/oauth/token\"\n\
             client_id = \"id\"\nclient_secret = {{ env = \"CLIENT\" }}\n\
             [upstream.open]\napi = \"{base}\"\nunlimited = true\n"
        );
        fs::write(folder.join("ackd.toml"), text).unwrap();
        Folder(folder)
    }

    fn ackd(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
        command.args(words).current_dir(&self.0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for variable in ["RUST_LOG", "JOURNAL_STREAM", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
            command.env_remove(variable);
        }
        command
    }

    /// A daemon that listens; it has all secrets.
    fn start(&self) -> Child {
        let secrets = [("PAGE", "demo"), ("KEY", "canary-key"), ("CLIENT", "canary-client")];
        let mut child = self.ackd(&["run"]).envs(secrets).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("listening on 127.0.0.1:")));
        thread::spawn(move || lines.for_each(drop));
        child
    }

    /// Logs in: `paste` is told the page that was shown, and says what somebody pastes. The page's secrets are not in
    /// its environment.
    fn login(&self, name: &str, secrets: bool, paste: impl FnOnce(&str) -> String) -> End {
        let mut command = self.ackd(&["login", name]);
        if secrets {
            command.env("KEY", "canary-key").env("CLIENT", "canary-client");
        }
        let mut child = command.spawn().unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut out = String::new();
        while !out.contains("Then paste") && reader.read_line(&mut out).unwrap() > 0 {}
        let mut stdin = child.stdin.take().unwrap();
        if let Some(page) = out.lines().find_map(|line| line.trim().strip_prefix("http")) {
            stdin.write_all(paste(page).as_bytes()).unwrap();
        }
        drop(stdin);
        reader.read_to_string(&mut out).unwrap();
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        for secret in SECRETS {
            assert!(!out.contains(secret) && !error.contains(secret), "{out}{error}");
        }
        End { code: output.status.code().unwrap(), out, error }
    }

    /// What is in the store, which nobody holds.
    fn kept(&self) -> Option<String> {
        let file = SqliteFile::open(&self.0.join("ackd.db")).unwrap();
        let kept = file.recall(TOKENS, "sun", Moment(0)).unwrap();
        kept.map(|json| String::from_utf8(json).unwrap())
    }
}

fn stop(mut daemon: Child) {
    kill_process(Pid::from_child(&daemon), Signal::TERM).unwrap();
    assert!(daemon.wait().unwrap().success());
}

/// Enphase's side: it takes one code, once.
fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut codes = vec!["c0de/7"];
        listener.incoming().for_each(|stream| serve(stream.unwrap(), &mut codes));
    });
    base
}

fn serve(stream: TcpStream, codes: &mut Vec<&str>) {
    let mut stream = BufReader::new(stream);
    let head: Vec<_> = stream.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    // base64 of "id:canary-client"
    let known = head.iter().any(|line| line.to_lowercase() == "authorization: basic awq6y2fuyxj5lwnsawvuda==");
    let redirect = "https%3A%2F%2Fapi.enphaseenergy.com%2Foauth%2Fredirect_uri";
    let wanted =
        format!("POST /oauth/token?grant_type=authorization_code&redirect_uri={redirect}&code=c0de%2F7 HTTP/1.1");
    let (status, body) = if !known {
        (401, "{\"error\":\"invalid_client\"}")
    } else if head[0] == wanted && codes.pop().is_some() {
        (
            200,
            "{\"access_token\":\"canary-access\",\"token_type\":\"bearer\",\"refresh_token\":\"canary-refresh\",\"expires_in\":86393}",
        )
    } else {
        (400, "{\"error\":\"invalid_grant\",\"error_description\":\"canary-refresh\"}")
    };
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let _ = stream.get_mut().write_all(answer.as_bytes());
}

/// The address that the browser is led to.
fn led_to(page: &str) -> String {
    let state = page.split("state=").nth(1).unwrap();
    assert!(
        state.len() == 32 && page.contains("/oauth/authorize?response_type=code&client_id=id&redirect_uri=https%3A")
    );
    format!("https://api.enphaseenergy.com/oauth/redirect_uri?code=c0de%2F7&state={state}\n")
}

#[test]
fn a_running_daemon_gets_the_tokens_and_lends_its_secrets() {
    let folder = Folder::new("daemon", &service());
    let daemon = folder.start();
    let end = folder.login("sun", false, led_to);
    assert_eq!((end.code, end.error.as_str()), (0, ""), "{}", end.out);
    assert!(end.out.ends_with("upstream sun: logged in; the daemon uses it from now on\n"), "{}", end.out);
    stop(daemon);
    let kept = folder.kept().unwrap();
    assert!(kept.contains("\"access\":\"canary-access\"") && kept.contains("\"refresh\":\"canary-refresh\""), "{kept}");
}

#[test]
fn without_a_daemon_they_are_kept_in_the_store_and_a_code_is_good_once() {
    let folder = Folder::new("store", &service());
    stop(folder.start());
    let end = folder.login("sun", true, |_| "c0de/7\n".to_owned());
    assert_eq!((end.code, end.error.as_str()), (0, ""), "{}", end.out);
    assert!(end.out.ends_with("upstream sun: logged in; it is used when ackd runs\n"), "{}", end.out);
    let kept = folder.kept();
    assert!(kept.is_some());
    let end = folder.login("sun", true, |_| "c0de/7\n".to_owned());
    assert_eq!(end.code, 1);
    assert!(
        end.error.starts_with("ackd: upstream sun does not take this code (HTTP 400, invalid_grant); "),
        "{}",
        end.error
    );
    assert_eq!(folder.kept(), kept, "those that were there are left");
}

#[test]
fn what_goes_wrong_is_told_before_anybody_is_sent_to_a_browser_where_that_can_be() {
    let folder = Folder::new("wrong", &service());
    let nobody = |page: &str| panic!("{page}");
    let end = folder.login("sun", true, nobody);
    assert!(end.code == 1 && end.error.ends_with(": there is none yet; `ackd run` makes it\n"), "{}", end.error);
    stop(folder.start());
    let end = folder.login("son", true, nobody);
    assert_eq!((end.code, end.error.as_str()), (2, "ackd: there is no upstream \"son\"; did you mean sun?\n"));
    let end = folder.login("open", true, nobody);
    assert!(end.code == 2 && end.error.contains("so it wants no login"), "{}", end.error);
    let end = folder.login("sun", false, nobody);
    assert!(end.code == 2 && end.error.contains("the environment variable KEY is not set"), "{}", end.error);
    let end = folder.login("sun", true, |_| "https://a.example/?code=c0de/7&state=another\n".to_owned());
    assert!(end.code == 1 && end.error.contains("of another login"), "{}", end.error);
    assert_eq!(folder.kept(), None);
}

#[test]
fn without_a_network_it_says_so() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = Folder::new("network", &format!("http://{closed}"));
    stop(folder.start());
    let end = folder.login("sun", true, |_| "c0de/7\n".to_owned());
    assert_eq!(end.code, 1);
    assert!(end.error.starts_with("ackd: upstream sun could not be asked for tokens: 127.0.0.1:"), "{}", end.error);
    assert!(!end.error.contains("c0de"), "{}", end.error);
}
