//! How a command that changes something reaches the store: through the daemon that holds it, or on its own.

use super::control::{self, ControlFault};
use super::{CliError, World};
use crate::daemon::control_socket;
use crate::limits::{CONTROL_PAUSE, CONTROL_TRIES};
use crate::store::sqlite::{Engine, SqliteFile};
use std::path::Path;

/// An order in both of its forms.
pub(super) struct Errand<'a> {
    pub path: &'static str,
    pub json: Vec<u8>,
    /// Asked twice, it is done once.
    pub repeatable: bool,
    /// The same, done here; it commits.
    pub here: &'a mut Here<'a>,
}

/// Does an order on a store that nobody holds, and says a line for each thing it named.
pub(super) type Here<'a> = dyn FnMut(&mut Engine<'_>) -> Result<Vec<String>, CliError> + 'a;

/// Who did it, and what was said to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Done {
    ByDaemon(Vec<String>),
    Here(Vec<String>),
}

/// Has it done. Who holds the store may change at any time: an ackd starts, stops, or another command was faster;
/// so it is tried both ways for a while.
pub(super) fn run(store: &Path, mut errand: Errand<'_>, world: &World<'_>) -> Result<Done, CliError> {
    let socket = control_socket(store);
    let mut silent = String::new();
    for _ in 0..CONTROL_TRIES {
        if !SqliteFile::is_held(store)?
            && let Some(file) = SqliteFile::open_as(store, world.user)?
        {
            return (errand.here)(&mut file.engine()?).map(Done::Here);
        }
        match control::ask(&socket, errand.path, &errand.json) {
            Ok(lines) => return Ok(Done::ByDaemon(lines)),
            Err(ControlFault::Unreachable(why)) => silent = why,
            // Perhaps it was restarted just then. Once is enough: a daemon that hangs would be asked for minutes.
            Err(ControlFault::Lost(_)) if errand.repeatable => errand.repeatable = false,
            Err(fault) => return Err(CliError::Failed(fault.to_string())),
        }
        (world.pause)(CONTROL_PAUSE);
    }
    Err(CliError::Failed(format!(
        "an ackd holds the store {}, but nobody answers at its control socket {}: {silent}; if it hangs, restart it",
        store.display(),
        socket.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Folder, world};
    use super::*;
    use std::cell::RefCell;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;
    use std::thread;
    use std::time::Duration;

    fn go(folder: &Folder, repeatable: bool, world: &World<'_>) -> Result<Done, CliError> {
        let here = &mut |_: &mut Engine<'_>| Ok(vec!["here".to_owned()]);
        run(&folder.store(), Errand { path: "/send", json: b"{}".to_vec(), repeatable, here }, world)
    }

    /// Hangs up on the first `lost` clients, then answers one.
    fn daemon(folder: &Folder, lost: usize) -> thread::JoinHandle<()> {
        let listener = UnixListener::bind(control_socket(&folder.store())).unwrap();
        thread::spawn(move || {
            for turn in 0..=lost {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = Vec::new();
                while !asked.ends_with(b"{}") {
                    let mut piece = [0; 512];
                    let read = stream.read(&mut piece).unwrap();
                    asked.extend_from_slice(piece.get(..read).unwrap());
                }
                if turn == lost {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"lines\":[\"it\"]}").unwrap();
                }
            }
        })
    }

    #[test]
    fn whoever_holds_the_store_does_it() {
        let folder = Folder::new("reach");
        folder.make();
        assert_eq!(go(&folder, false, &world()), Ok(Done::Here(vec!["here".to_owned()])));
        let daemon = daemon(&folder, 0);
        folder.with(|_, _| {
            assert_eq!(go(&folder, false, &world()), Ok(Done::ByDaemon(vec!["it".to_owned()])));
        });
        daemon.join().unwrap();
    }

    #[test]
    fn without_a_daemon_only_the_owner_of_a_store_that_exists_may_do_it() {
        let folder = Folder::new("reach-owner");
        let error = go(&folder, false, &world()).unwrap_err().to_string();
        assert!(error.ends_with(": there is none yet; `ackd run` makes it"), "{error}");
        folder.make();
        let other = World { user: world().user + 1, ..world() };
        let error = go(&folder, false, &other).unwrap_err().to_string();
        assert!(error.contains("; run this as its owner: sudo -u '#"), "{error}");
        let daemon = daemon(&folder, 0);
        folder.with(|_, _| assert_eq!(go(&folder, false, &other), Ok(Done::ByDaemon(vec!["it".to_owned()]))));
        daemon.join().unwrap();
    }

    #[test]
    fn a_holder_that_nobody_can_ask_is_an_error_with_advice() {
        let folder = Folder::new("reach-mute");
        let error = folder.with(|_, _| go(&folder, true, &world())).unwrap_err();
        assert_eq!(error.code(), 1);
        let text = error.to_string();
        assert!(text.starts_with("an ackd holds the store ") && text.ends_with("; if it hangs, restart it"), "{text}");
        assert!(text.contains("ackd.sock: No such file"), "{text}");
    }

    #[test]
    fn a_holder_that_lets_go_or_comes_up_meanwhile_is_waited_for() {
        let folder = Folder::new("reach-late");
        folder.make();
        let holder = RefCell::new(Some(SqliteFile::open(&folder.store()).unwrap()));
        let let_go = |_: Duration| drop(holder.take());
        let pausing = |pause| World { pause, ..world() };
        assert_eq!(go(&folder, false, &pausing(&let_go)), Ok(Done::Here(vec!["here".to_owned()])));
        let _holder = SqliteFile::open(&folder.store()).unwrap();
        let thread = RefCell::new(None);
        let come_up = |_: Duration| drop(thread.replace(Some(daemon(&folder, 0))));
        assert_eq!(go(&folder, false, &pausing(&come_up)), Ok(Done::ByDaemon(vec!["it".to_owned()])));
        thread.take().unwrap().join().unwrap();
    }

    #[test]
    fn a_lost_answer_is_asked_for_once_more_where_that_is_harmless() {
        let folder = Folder::new("reach-lost");
        let _holder = SqliteFile::open(&folder.store()).unwrap();
        let once = daemon(&folder, 1);
        assert_eq!(go(&folder, true, &world()), Ok(Done::ByDaemon(vec!["it".to_owned()])));
        once.join().unwrap();
        std::fs::remove_file(control_socket(&folder.store())).unwrap();
        let twice = daemon(&folder, 2);
        let error = go(&folder, true, &world()).unwrap_err().to_string();
        assert!(error.contains("it may have done it"), "not a third time: {error}");
        assert!(go(&folder, false, &world()).is_ok());
        twice.join().unwrap();
        std::fs::remove_file(control_socket(&folder.store())).unwrap();
        let once = daemon(&folder, 1);
        let error = go(&folder, false, &world()).unwrap_err().to_string();
        assert!(error.contains("it may have done it"), "{error}");
        assert!(go(&folder, false, &world()).is_ok());
        once.join().unwrap();
    }
}
