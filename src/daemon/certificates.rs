//! Certificates that are renewed while we serve: who watches their files, and what happens then.
//!
//! Whoever connects next is shown the new one; whoever is connected goes on. A pair that does not fit, as between the
//! renewal of one file and of the other, changes nothing.

use crate::config::{Config, TlsFiles};
use crate::intake::Door;
use crate::limits;
use crate::model::Moment;
use crate::net::listener::Listener;
use crate::net::{Announcer, News};
use crate::tls::{Identity, Tickets};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::{Errno, read};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Has the public listeners speak TLS, where the configuration says so, by certificates that are watched; gives what
/// SIGHUP does.
pub(super) fn speak_tls(
    config: &Config,
    listeners: &mut [Listener],
    announcer: Announcer,
    clock: fn() -> Moment,
) -> Result<Box<dyn Fn()>, String> {
    const RELOADED: &str = "SIGHUP: certificates are read again; for all else in the configuration restart ackd";
    let Some(files) = &config.tls else { return Ok(Box::new(|| log::warn!("{RELOADED}"))) };
    let tickets = Tickets::new()?;
    let identity = files.identity.clone();
    let tls = identity.listener(&tickets)?;
    for listener in listeners.iter_mut().filter(|listener| listener.door == Door::Public) {
        listener.tls = Some(Arc::clone(&tls));
    }
    log::info!("the public door speaks TLS; its certificates are good until {}", identity.last_day());
    let shown = Mutex::new(identity);
    let certificates = Arc::new(Certificates { files: files.clone(), tickets, announcer, clock, shown });
    Arc::clone(&certificates).watch().map_err(|error| format!("watching the certificates: {error}"))?;
    Ok(Box::new(move || {
        log::warn!("{RELOADED}");
        let certificates = Arc::clone(&certificates);
        let renew = move || {
            if let Err(why) = certificates.renew() {
                log::error!("{why}");
            }
        };
        if let Err(error) = thread::Builder::new().name("reload".to_owned()).spawn(renew) {
            log::error!("reloading: {error}");
        }
    }))
}

/// Reads certificates again, and tells the loop of new ones.
struct Certificates {
    files: TlsFiles,
    tickets: Tickets,
    announcer: Announcer,
    clock: fn() -> Moment,
    /// Those that are shown now.
    shown: Mutex<Identity>,
}

impl Certificates {
    /// Those that are there now are shown from now on; an error says why not, and that the old ones stay.
    fn renew(&self) -> Result<(), String> {
        let stay = |why: String| format!("certificates: {why}; those of before stay");
        let identity = self.files.read_again((self.clock)()).map_err(stay)?;
        // One reads at a time, so that the last one told is the last one read.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if !identity.shows_the_same(&shown) {
            self.announcer.tell(News::Tls(identity.listener(&self.tickets).map_err(stay)?));
            log::info!("certificates: new ones are shown from now on, good until {}", identity.last_day());
            *shown = identity;
        }
        Ok(())
    }

    /// Renews them by a thread that waits until something changes beside them.
    fn watch(self: Arc<Self>) -> io::Result<()> {
        let changes = inotify::init(CreateFlags::CLOEXEC)?;
        self.look_at_folders(&changes);
        let watch = move || {
            while wait_for_quiet(&changes).is_ok() {
                if let Err(why) = self.renew() {
                    log::error!("{why}");
                }
                // A folder that was put in the place of another is a new one.
                self.look_at_folders(&changes);
            }
        };
        thread::Builder::new().name("certificates".to_owned()).spawn(watch).map(drop)
    }

    fn look_at_folders(&self, changes: &OwnedFd) {
        let wanted = WatchFlags::CREATE | WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO;
        for path in self.files.paths() {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if let Err(error) = inotify::add_watch(changes, folder, wanted) {
                log::warn!("nobody watches {}: {error}; after a renewal, reload ackd", folder.display());
            }
        }
    }
}

/// Waits until something has changed, and then nothing more for a while: both files of a pair are renewed.
fn wait_for_quiet(changes: &OwnedFd) -> Result<(), Errno> {
    let mut words = [0_u8; 4096];
    let quiet = Timespec::try_from(limits::CERTIFICATES_QUIET_TIME).unwrap_or_default();
    let mut patience = None;
    loop {
        match poll(&mut [PollFd::new(changes, PollFlags::IN)], patience.as_ref()) {
            Ok(0) => return Ok(()),
            Ok(_) => drop(read(changes, &mut words)?),
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        }
        patience = Some(quiet);
    }
}
