//! The world as the doctor sees it, so that a test can play another one.

use super::super::control::{self, ControlFault};
use crate::limits::{DISK_PROBE_BYTES, PROGRAM_BYTES_MAX, PROGRAM_TIME, STORE_CHECK_TIME};
use crate::model::Moment;
use crate::notation::hex;
use crate::store::StoreError;
use crate::store::sqlite::{Failed, Reader, Soundness, SqliteFile};
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// What the doctor asks of a machine.
pub trait Machine {
    /// The content of a file of the kernel's, as /proc/1/limits.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The permission bits of a file.
    fn mode(&self, path: &Path) -> io::Result<u32>;

    /// Runs a program and waits, not for long, for what it says.
    fn run(&self, program: &str, words: &[&str]) -> io::Result<Said>;

    /// Writes a file in a folder down to the disk, and takes it away again.
    fn try_disk(&self, folder: &Path) -> io::Result<()>;

    /// How many bytes may still be written there.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;

    /// Whether a store is whole; nothing where there is none.
    fn soundness(&self, store: &Path) -> Result<Option<Soundness>, StoreError>;

    /// What ended badly in a store, and how much of it died since a moment; nothing where there is none.
    fn failed(&self, store: &Path, since: Moment) -> Result<Option<Failed>, StoreError>;

    /// What is remembered in a store; nothing where there is none.
    fn recall(&self, store: &Path, owner: &str, key: &str, now: Moment) -> Result<Option<Vec<u8>>, StoreError>;

    /// Whether a process holds a store.
    fn is_held(&self, store: &Path) -> Result<bool, StoreError>;

    /// The number of the process that listens at a control socket; 0 when it cannot be seen from here.
    fn listener(&self, socket: &Path) -> io::Result<u32>;

    /// An order at a control socket.
    fn order(&self, socket: &Path, path: &str, json: &[u8]) -> Result<Vec<String>, ControlFault>;

    /// The page of figures behind a control socket.
    fn figures(&self, socket: &Path) -> Result<String, ControlFault>;

    /// 32 letters and digits that nobody can guess.
    fn word(&self) -> io::Result<String>;
}

/// What a program said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub out: String,
    pub error: String,
}

/// The machine that this runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(PROGRAM_BYTES_MAX as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn mode(&self, path: &Path) -> io::Result<u32> {
        Ok(fs::metadata(path)?.permissions().mode())
    }

    fn run(&self, program: &str, words: &[&str]) -> io::Result<Said> {
        run_within(PROGRAM_TIME, program, words)
    }

    fn try_disk(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(format!(".ackd-doctor-{}", self.word()?));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        // Not zeros: some disks do not write those.
        let wrote = file.write_all(&vec![0xa5; DISK_PROBE_BYTES]).and_then(|()| file.sync_all());
        wrote.and(fs::remove_file(&path))
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(folder)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn soundness(&self, store: &Path) -> Result<Option<Soundness>, StoreError> {
        if is_missing(store) {
            return Ok(None);
        }
        Reader::open(store)?.soundness(STORE_CHECK_TIME).map(Some)
    }

    fn failed(&self, store: &Path, since: Moment) -> Result<Option<Failed>, StoreError> {
        if is_missing(store) {
            return Ok(None);
        }
        Reader::open(store)?.failed(since).map(Some)
    }

    fn recall(&self, store: &Path, owner: &str, key: &str, now: Moment) -> Result<Option<Vec<u8>>, StoreError> {
        if is_missing(store) {
            return Ok(None);
        }
        Reader::open(store)?.recall(owner, key, now)
    }

    fn is_held(&self, store: &Path) -> Result<bool, StoreError> {
        SqliteFile::is_held(store)
    }

    fn listener(&self, socket: &Path) -> io::Result<u32> {
        let stream = UnixStream::connect(socket)?;
        let peer = rustix::net::sockopt::socket_peercred(&stream)?;
        Ok(u32::try_from(peer.pid.as_raw_nonzero().get()).unwrap_or(0))
    }

    fn order(&self, socket: &Path, path: &str, json: &[u8]) -> Result<Vec<String>, ControlFault> {
        control::ask(socket, path, json)
    }

    fn figures(&self, socket: &Path) -> Result<String, ControlFault> {
        control::get(socket, "/metrics")
    }

    fn word(&self) -> io::Result<String> {
        let mut bytes = [0_u8; 16];
        SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system has no randomness"))?;
        Ok(hex(&bytes))
    }
}

fn is_missing(store: &Path) -> bool {
    fs::metadata(store).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Runs a program and gives it `time` to say all that it has to say. Of our environment it has the way to programs alone:
/// secrets stand there.
fn run_within(time: Duration, program: &str, words: &[&str]) -> io::Result<Said> {
    let mut command = Command::new(program);
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (mut out, mut error) = (child.stdout.take(), child.stderr.take());
    let (told, ends) = channel();
    let listen = move || {
        let said = Said { out: all(out.as_mut()), error: all(error.as_mut()) };
        // Whoever waited may have gone.
        let _ = told.send(said);
    };
    let listening = thread::Builder::new().name("listen".to_owned()).spawn(listen);
    let said = match listening {
        Ok(_) => ends
            .recv_timeout(time)
            .map_err(|_| io::Error::new(ErrorKind::TimedOut, format!("it said nothing within {} s", time.as_secs()))),
        Err(error) => Err(error),
    };
    // It has said all, or has had its time.
    let _ = child.kill();
    child.wait()?;
    said
}

/// All that comes out of a pipe, within bounds.
fn all(pipe: Option<&mut impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What could be read is what was said.
        let _ = pipe.take(PROGRAM_BYTES_MAX as u64).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Folder;
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_disk_is_tried_by_writing_and_nothing_stays() {
        let folder = Folder::new("machine-disk");
        ThisMachine.try_disk(&folder.0).unwrap();
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
        assert!(ThisMachine.free_bytes(&folder.0).unwrap() > 0);
        let nowhere = folder.0.join("nowhere");
        assert_eq!(ThisMachine.try_disk(&nowhere).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(ThisMachine.free_bytes(&nowhere).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_program_says_what_it_says_and_one_that_is_not_there_is_an_error() {
        let said = ThisMachine.run("sh", &["-c", "echo out; echo error >&2"]).unwrap();
        assert_eq!(said, Said { out: "out\n".to_owned(), error: "error\n".to_owned() });
        assert_eq!(ThisMachine.run("no-such-program-of-ackd", &[]).unwrap_err().kind(), ErrorKind::NotFound);
        let environment = ThisMachine.run("env", &[]).unwrap().out;
        assert!(environment.lines().all(|line| line.starts_with("PATH=")), "{environment}");
    }

    #[test]
    fn a_program_that_hangs_is_not_waited_for() {
        let error = run_within(Duration::from_millis(50), "sleep", &["600"]).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::TimedOut, "it said nothing within 0 s"));
    }

    #[test]
    fn whoever_listens_at_a_socket_is_known_by_its_number() {
        let folder = Folder::new("machine-listener");
        let socket = folder.0.join("ackd.sock");
        assert_eq!(ThisMachine.listener(&socket).unwrap_err().kind(), ErrorKind::NotFound);
        let listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(ThisMachine.listener(&socket).unwrap(), std::process::id());
        drop(listener);
        assert_eq!(ThisMachine.listener(&socket).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn words_are_as_the_daemon_takes_them_and_each_is_another() {
        let (one, other) = (ThisMachine.word().unwrap(), ThisMachine.word().unwrap());
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{one}");
        assert_ne!(one, other);
    }

    #[test]
    fn a_store_that_is_not_there_is_not_made() {
        let folder = Folder::new("machine-store");
        assert_eq!(ThisMachine.soundness(&folder.store()).unwrap(), None);
        assert_eq!(ThisMachine.recall(&folder.store(), "sun", "key", Moment(0)).unwrap(), None);
        assert!(!folder.store().exists());
        folder.make();
        assert_eq!(ThisMachine.recall(&folder.store(), "sun", "key", Moment(0)).unwrap(), None);
        assert_eq!(ThisMachine.soundness(&folder.store()).unwrap(), Some(Soundness::Sound));
    }
}
