//! The real `ackd` on a folder of its own.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

pub const PAGE_TOKEN: &str = "EAAcanaryPAGEtoken0Zb71QxWvYu2";

/// Removed at the end.
pub struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    /// A page whose Graph API is at `api`; `top` is what stands above it.
    pub fn new(name: &str, api: &str, top: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("ackd-webhook-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\n{top}\n[channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"echo\"\n\
             verify_token = {{ env = \"VERIFY\" }}\napp_secret = {{ env = \"APP\" }}\n\
             access_token = {{ env = \"TOKEN\" }}\napi = \"{api}\"\n[bot.echo]\nkind = \"echo\"\n"
        );
        fs::write(folder.join("ackd.toml"), text).unwrap();
        Folder(folder)
    }

    fn ackd(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
        command.args(words).current_dir(&self.0).stdin(Stdio::null());
        command.env("VERIFY", "demo-verify").env("APP", "demo-app").env("TOKEN", PAGE_TOKEN);
        for variable in ["RUST_LOG", "JOURNAL_STREAM", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
            command.env_remove(variable);
        }
        command
    }

    /// Exit code, stdout, stderr.
    pub fn run(&self, words: &[&str]) -> (i32, String, String) {
        let output = self.ackd(words).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, error) = (text(output.stdout), text(output.stderr));
        assert!(!out.contains(PAGE_TOKEN) && !error.contains(PAGE_TOKEN), "{out}{error}");
        (output.status.code().unwrap(), out, error)
    }

    /// A daemon that listens.
    pub fn start(&self) -> Daemon {
        let mut child = self.ackd(&["run"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut daemon = Daemon { child, stderr, log: String::new(), address: String::new() };
        let line = daemon.wait_for_line("listening on 127.0.0.1:");
        daemon.address = line.split("listening on ").nth(1).unwrap().to_owned();
        daemon
    }
}

/// A running `ackd run`.
pub struct Daemon {
    child: Child,
    stderr: BufReader<ChildStderr>,
    log: String,
    address: String,
}

impl Daemon {
    /// Reads its log until a line holds these words, which may have been said before.
    pub fn wait_for_line(&mut self, words: &str) -> String {
        loop {
            if let Some(line) = self.log.lines().find(|line| line.contains(words)) {
                return line.to_owned();
            }
            let read = self.stderr.read_line(&mut self.log).unwrap();
            assert!(read > 0, "it ended without saying {words:?}:\n{}", self.log);
        }
    }

    /// What it answers to Meta's question.
    pub fn challenge(&self, challenge: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let target = format!("/page?hub.mode=subscribe&hub.verify_token=demo-verify&hub.challenge={challenge}");
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Stops it, and reads the rest of its log; its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.stderr.read_to_string(&mut self.log).unwrap();
        self.child.wait().unwrap().code()
    }

    pub fn log(&self) -> &str {
        &self.log
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
