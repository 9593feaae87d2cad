//! The real `ackd`, as a process of its own: started on a folder of its own, stopped, killed, started again.

use super::PATIENCE;
use super::address::own_loopback;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Lines of the log that a failure shows.
const LINES_SHOWN: usize = 200;

/// What a daemon is started with.
pub trait Setup {
    /// Its configuration, for a daemon in this folder, at this address, with its upstream at `api`.
    fn toml(&self, folder: &Path, address: SocketAddr, api: &str) -> String;

    /// What is in its environment: secrets, mostly.
    fn variables(&self) -> Vec<(String, String)>;

    /// The same that is a matter of this folder.
    fn more_variables(&self, _folder: &Path) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Relative to the daemon's folder.
    fn store(&self) -> PathBuf {
        PathBuf::from("ackd.db")
    }

    /// What its log is to tell; nothing where its configuration says so.
    fn log(&self) -> &'static str {
        "info"
    }
}

/// A folder that is removed at the end, with what is mounted in it.
pub struct Folder {
    path: PathBuf,
    mounted: Option<PathBuf>,
}

impl Folder {
    /// A new empty one.
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ackd-end-to-end-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder { path, mounted: None }
    }

    /// Mounts a small tmpfs in it, which only root may do; where it is, or why it cannot be.
    pub fn mount(&mut self, name: &str, size: &str) -> Result<PathBuf, String> {
        let path = self.path.join(name);
        fs::create_dir(&path).unwrap();
        let options = format!("size={size},mode=700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "ackd-end-to-end"]).arg(&path);
        let output = mount.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("no reason").to_owned());
        }
        self.mounted = Some(path.clone());
        Ok(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(mounted) = &self.mounted {
            let _ = Command::new("umount").arg("-l").arg(mounted).status();
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// What a process says, line by line.
#[derive(Default)]
struct Log {
    said: Mutex<Said>,
    changed: Condvar,
}

#[derive(Default)]
struct Said {
    text: String,
    ended: bool,
}

/// A daemon: a folder, and a process while it runs.
pub struct Daemon<S: Setup> {
    pub setup: S,
    pub folder: Folder,
    /// Where it listens, also after a restart.
    pub address: SocketAddr,
    api: String,
    child: Option<Child>,
    reader: Option<JoinHandle<()>>,
    log: Arc<Log>,
}

impl<S: Setup> Daemon<S> {
    /// Starts one that answers through `api`, and waits until it listens.
    pub fn start(setup: S, api: String) -> Daemon<S> {
        Daemon::start_in(Folder::new(), setup, api)
    }

    /// The same in a folder that may hold something already.
    pub fn start_in(folder: Folder, setup: S, api: String) -> Daemon<S> {
        let mut daemon = Daemon::prepare(folder, setup, api);
        daemon.restart();
        daemon
    }

    /// One that has not been started yet.
    pub fn prepare(folder: Folder, setup: S, api: String) -> Daemon<S> {
        let address = SocketAddr::from((own_loopback(), 0));
        Daemon { setup, folder, address, api, child: None, reader: None, log: Arc::default() }
    }

    /// Starts it again, on the same store and port.
    pub fn restart(&mut self) {
        let before = self.log().len();
        self.spawn();
        let line = self.wait_for_line(before, "listening on ");
        let address = line.split("listening on ").nth(1).unwrap_or_default();
        let address = address.split(|sign: char| sign.is_whitespace() || sign == '"').next();
        self.address = address.unwrap_or_default().parse().unwrap_or_else(|error| panic!("{line}: {error}"));
    }

    /// Writes the configuration and starts the process, whatever it does then.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "it still runs");
        self.log.said.lock().unwrap_or_else(PoisonError::into_inner).ended = false;
        let toml = self.setup.toml(self.folder.path(), self.address, &self.api);
        fs::write(self.config(), toml).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
        command.arg("run").arg("--config").arg(self.config());
        command.env("RUST_LOG", self.setup.log()).env_remove("STATE_DIRECTORY").env_remove("RUST_BACKTRACE");
        if self.setup.log().is_empty() {
            command.env_remove("RUST_LOG");
        }
        // Nobody is there; and replies must not take a way that a stray variable names.
        command.env("HTTP_PROXY", "http://127.0.0.1:9").env("ALL_PROXY", "http://127.0.0.1:9");
        command.envs(self.setup.variables()).envs(self.setup.more_variables(self.folder.path()));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let log = Arc::clone(&self.log);
        let reader = thread::spawn(move || {
            let mut stderr = BufReader::new(stderr);
            let mut line = Vec::new();
            while stderr.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                log.said.lock().unwrap().text.push_str(&String::from_utf8_lossy(&line));
                log.changed.notify_all();
                line.clear();
            }
            log.said.lock().unwrap().ended = true;
            log.changed.notify_all();
        });
        (self.child, self.reader) = (Some(child), Some(reader));
    }

    /// Its configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("ackd.toml")
    }

    /// Its store.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join(self.setup.store())
    }

    /// All that it said on stderr, in all its runs.
    pub fn log(&self) -> String {
        self.log.said.lock().unwrap_or_else(PoisonError::into_inner).text.clone()
    }

    /// Waits until a line that holds `words` has been said after byte `from` of the log.
    pub fn wait_for_line(&self, from: usize, words: &str) -> String {
        let found = |said: &Said| {
            let whole = said.text[from..].split_inclusive('\n').filter(|line| line.ends_with('\n'));
            whole.map(str::trim_end).find(|line| line.contains(words)).map(str::to_owned)
        };
        let said = self.log.said.lock().unwrap();
        let wait = self.log.changed.wait_timeout_while(said, PATIENCE, |said| found(said).is_none() && !said.ended);
        let (said, _) = wait.unwrap();
        let line = found(&said);
        drop(said);
        line.unwrap_or_else(|| panic!("it did not say {words:?}"))
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Its resident memory, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        // Only this struct reaps the process, so its number is its own as long as it is here.
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let said = self.log.said.lock().unwrap();
        let (said, timeout) = self.log.changed.wait_timeout_while(said, PATIENCE, |said| !said.ended).unwrap();
        drop(said);
        assert!(!timeout.timed_out(), "it does not end");
        self.reap()
    }

    /// Stops it as systemd does, and waits until it has.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "after SIGTERM: {status}");
    }

    /// The power fails.
    pub fn kill(&mut self) {
        self.child.as_mut().unwrap().kill().unwrap();
        self.reap();
    }

    fn reap(&mut self) -> ExitStatus {
        let status = self.child.take().unwrap().wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        status
    }
}

impl<S: Setup> Drop for Daemon<S> {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            println!("---- ackd said, at the end:\n{}\n----", last.join("\n"));
        }
    }
}

/// How often something is looked at that cannot be waited for.
pub const GLANCE: Duration = Duration::from_millis(10);
