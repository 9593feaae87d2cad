//! Certificates that are renewed while we serve: who watches their files, and what happens then.
//!
//! Whoever connects next is shown the new one; whoever is connected goes on. A pair that does not fit, as between the
//! renewal of one file and of the other, changes nothing.

use crate::config::TlsFiles;
use crate::limits;
use crate::model::Moment;
use crate::net::{Announcer, News};
use crate::tls::{Identity, Terms, Tickets};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::{Errno, read};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

/// Reads certificates again, and tells the loop of new ones.
pub(super) struct Certificates {
    announcer: Announcer,
    clock: fn() -> Moment,
    /// Where the kernel tells what has changed, once there is anything to watch.
    changes: OnceLock<OwnedFd>,
    shown: Mutex<Shown>,
    /// The names of those, with their ends. Held for as long as it takes to copy it: the loop asks for it.
    ends: Mutex<Vec<(String, Moment)>>,
}

/// What is shown now.
#[derive(Default)]
struct Shown {
    /// They outlive every certificate, so that whoever comes back need not begin anew.
    tickets: Option<Tickets>,
    files: Option<TlsFiles>,
}

impl Certificates {
    /// None yet.
    pub(super) fn new(announcer: Announcer, clock: fn() -> Moment) -> Arc<Certificates> {
        Arc::new(Certificates {
            announcer,
            clock,
            changes: OnceLock::new(),
            shown: Mutex::default(),
            ends: Mutex::default(),
        })
    }

    /// What it takes to show these, and watches them from now on; an error says why they cannot be shown. Nothing is
    /// otherwise before `show`.
    pub(super) fn prepare(self: &Arc<Self>, files: Option<&TlsFiles>) -> Result<Option<Terms>, String> {
        let Some(files) = files else { return Ok(None) };
        let mut shown = self.lock();
        if shown.tickets.is_none() {
            shown.tickets = Some(Tickets::new()?);
        }
        let terms = shown.tickets.as_ref().map(|tickets| files.identity.listener(tickets)).transpose()?;
        drop(shown);
        self.watch(files).map_err(|error| format!("watching the certificates: {error}"))?;
        Ok(terms)
    }

    /// These are shown from now on.
    pub(super) fn show(&self, files: Option<&TlsFiles>) {
        let mut shown = self.lock();
        match (&shown.files, files) {
            (None, Some(files)) => {
                let until = files.identity.last_day();
                log::info!("the public door speaks TLS; its certificates are good until {until}");
            }
            (Some(before), Some(files)) if !files.identity.shows_the_same(&before.identity) => renewed(&files.identity),
            (Some(_), None) => log::info!("the public door speaks plain HTTP"),
            _ => {}
        }
        shown.files = files.cloned();
        self.keep_ends(files.map(|files| files.identity.names()).unwrap_or_default());
    }

    fn keep_ends(&self, ends: Vec<(String, Moment)>) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }

    /// The names of the certificates that are shown, with their ends.
    pub(super) fn ends(&self) -> Vec<(String, Moment)> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that are there now are shown from now on. Gives a line for each new one that ends soon; an error says why they
    /// are not shown, and that the old ones stay.
    fn renew(&self) -> Result<Vec<String>, String> {
        let stay = |why: String| format!("certificates: those of before stay: {why}");
        // One reads at a time, so that the last one told is the last one read.
        let mut shown = self.lock();
        let Shown { tickets: Some(tickets), files: Some(files) } = &mut *shown else { return Ok(Vec::new()) };
        let identity = files.read_again((self.clock)()).map_err(stay)?;
        if identity.shows_the_same(&files.identity) {
            return Ok(Vec::new());
        }
        self.announcer.tell(News::Tls(identity.listener(tickets).map_err(stay)?));
        renewed(&identity);
        self.keep_ends(identity.names());
        files.identity = identity;
        Ok(files.ends((self.clock)()).filter_map(|(line, is_soon)| is_soon.then_some(line)).collect())
    }

    /// Renews them by a thread that waits until something changes beside them.
    fn watch(self: &Arc<Self>, files: &TlsFiles) -> io::Result<()> {
        if let Some(changes) = self.changes.get() {
            look_at_folders(files, changes);
            return Ok(());
        }
        let changes = inotify::init(CreateFlags::CLOEXEC)?;
        look_at_folders(files, &changes);
        // One reload at a time: nobody has set it meanwhile.
        let _ = self.changes.set(changes);
        let certificates = Arc::clone(self);
        let watch = move || {
            while certificates.changes.get().is_some_and(|changes| wait_for_quiet(changes).is_ok()) {
                // A folder that was put in the place of another is a new one; before its files are read, so that none is missed.
                if let (Some(files), Some(changes)) = (&certificates.lock().files, certificates.changes.get()) {
                    look_at_folders(files, changes);
                }
                match certificates.renew() {
                    Ok(soon) => soon.iter().for_each(|line| log::warn!("certificates: {line}")),
                    Err(why) => log::error!("{why}"),
                }
            }
        };
        thread::Builder::new().name("certificates".to_owned()).spawn(watch).map(drop)
    }
}

fn renewed(identity: &Identity) {
    log::info!("certificates: new ones are shown from now on, good until {}", identity.last_day());
}

fn look_at_folders(files: &TlsFiles, changes: &OwnedFd) {
    let wanted = WatchFlags::CREATE | WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO;
    for path in files.paths() {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let Err(error) = inotify::add_watch(changes, folder, wanted) {
            log::warn!("nobody watches {}: {error}; after a renewal, reload ackd", folder.display());
        }
    }
}

/// Waits until something has changed, and then nothing more for a while, so that both files of a pair are renewed; but not
/// for ever, where somebody else writes beside them.
fn wait_for_quiet(changes: &OwnedFd) -> Result<(), Errno> {
    let mut words = [0_u8; 4096];
    let quiet = Timespec::try_from(limits::CERTIFICATES_QUIET_TIME).unwrap_or_default();
    let (mut patience, mut since) = (None, None);
    loop {
        match poll(&mut [PollFd::new(changes, PollFlags::IN)], patience.as_ref()) {
            Ok(0) => return Ok(()),
            Ok(_) => drop(read(changes, &mut words)?),
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        }
        if since.get_or_insert_with(Instant::now).elapsed() >= limits::CERTIFICATES_PATIENCE {
            return Ok(());
        }
        patience = Some(quiet);
    }
}

#[cfg(test)]
mod tests {
    use super::super::setting::tests::configured;
    use super::*;
    use crate::folder::Folder;
    use crate::net::event_loop;
    use rustix::fd::AsRawFd;
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::sync::mpsc::{Receiver, channel};

    /// 21 days before the fixtures end, which is on 2120-01-01; and a second later, which is when they are spoken of.
    const IN_TIME: Moment = Moment(4_731_696_000_000);
    const LATE: Moment = Moment(4_731_696_001_000);

    /// A folder in which there is one for each of the two pairs.
    struct Folders(Folder);

    impl Folders {
        fn new(name: &str) -> Folders {
            let folders = Folders(Folder::new(&format!("certificates-{name}")));
            for name in ["bots", "other"] {
                fs::create_dir_all(folders.0.join(name)).unwrap();
                folders.put(name, name);
            }
            folders
        }

        /// A pair of the fixtures in the place of the one that is there.
        fn put(&self, from: &str, to: &str) {
            let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
            for kind in ["pem", "key"] {
                fs::copy(fixtures.join(format!("{from}.{kind}")), self.0.join(to).join(format!("it.{kind}"))).unwrap();
            }
        }

        fn files(&self) -> TlsFiles {
            let [bots, other] = ["bots/it", "other/it"].map(|name| self.0.join(name).display().to_string());
            let tls = format!(
                "listen = \"127.0.0.1:3000\"\n[tls]\ncertificate = [\"{bots}.pem\", \"{other}.pem\"]\n\
                 key = [\"{bots}.key\", \"{other}.key\"]\n"
            );
            configured(&tls).tls.unwrap()
        }
    }

    /// Those of the folders, shown; and what the loop hears of them.
    fn shown(folders: &Folders, clock: fn() -> Moment) -> (Arc<Certificates>, Receiver<News>) {
        let (tell, news) = channel();
        let certificates = Certificates::new(Announcer { news: tell, waker: event_loop::poll().unwrap().1 }, clock);
        let files = folders.files();
        assert!(certificates.prepare(Some(&files)).unwrap().is_some());
        certificates.show(Some(&files));
        (certificates, news)
    }

    #[test]
    fn only_new_ones_are_told_of_and_with_them_which_end_soon() {
        let folders = Folders::new("renewed");
        let files = folders.files();
        // Nobody watches: here it is the test who looks.
        let renewed = |clock, with: &str| {
            let (tell, news) = channel();
            let announcer = Announcer { news: tell, waker: event_loop::poll().unwrap().1 };
            let certificates = Certificates::new(announcer, clock);
            certificates.lock().tickets = Some(Tickets::new().unwrap());
            certificates.show(Some(&files));
            folders.put(with, "bots");
            let soon = certificates.renew().unwrap();
            let again = certificates.renew().unwrap();
            assert!(again.is_empty(), "nothing is new any more: {again:?}");
            (soon, news.try_iter().count())
        };
        assert_eq!(renewed(|| IN_TIME, "renewed"), (Vec::new(), 1));
        assert_eq!(renewed(|| LATE, "bots"), (Vec::new(), 0), "they are as they were");
        let (soon, news) = renewed(|| LATE, "renewed");
        assert_eq!((soon.len(), news), (2, 1), "{soon:?}");
        assert!(soon[0].contains("bots/it.pem\" is good until 2120-01-01 only, for 20 days;"), "{soon:?}");
    }

    #[test]
    fn a_folder_that_takes_the_place_of_another_is_watched_from_the_next_change_on() {
        let folders = Folders::new("moved");
        let (certificates, news) = shown(&folders, || IN_TIME);
        let bots = folders.0.join("bots");
        fs::rename(&bots, folders.0.join("before")).unwrap();
        fs::create_dir(&bots).unwrap();
        folders.put("bots", "bots");
        // Nobody has seen that; this is seen, in the folder that is the same.
        folders.put("renewed", "other");
        assert!(matches!(news.recv_timeout(2 * limits::CERTIFICATES_PATIENCE), Ok(News::Tls(_))));
        // Of each folder that is watched the kernel says the number, in hexadecimal.
        let number = format!("ino:{:x} ", fs::metadata(&bots).unwrap().ino());
        let watched = format!("/proc/self/fdinfo/{}", certificates.changes.get().unwrap().as_raw_fd());
        let began = Instant::now();
        while !fs::read_to_string(&watched).unwrap().contains(&number) {
            assert!(began.elapsed() < limits::CERTIFICATES_PATIENCE, "nobody watches it");
            thread::yield_now();
        }
    }
}
