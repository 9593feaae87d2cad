//! Joins the threads: bind, open the store, start, serve, drain, stop.
//!
//! Three kinds of thread, and nothing shared but channels: the loop (this thread), the keeper, the workers. Beside them
//! the registrar, for which nobody waits.

mod certificates;
mod change;
mod reload;
mod setting;
mod sockets;

pub use reload::Reread;
pub use setting::served_channel;

use crate::config::Config;
use crate::intake::Door;
use crate::keeper::{Bell, Counts, Health, Keeper, Letter, Letterbox, Post, Receipt, Roster, Ticket, Treasury};
use crate::limits;
use crate::model::{Lease, Moment};
use crate::net::event_loop::{self, Parts, Watch};
use crate::net::listener::Listener;
use crate::net::signals::Signals;
use crate::net::{Announcer, EventLoop, Served, Waker};
use crate::notation::counted::counted;
use crate::store::StoreError;
use crate::store::sqlite::SqliteFile;
use crate::systemd;
use crate::work::address::Address;
use crate::work::fetch::Fetch;
use crate::work::pool::{self, Current, Tools};
use crate::work::upstream::Upstreams;
use certificates::Certificates;
use change::{Bound, InPlace, Manager};
use reload::Reload;
use ring::rand::{SecureRandom, SystemRandom};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The public sockets of a daemon, bound but not yet served. From now on a signal ends it in order.
#[derive(Debug)]
pub struct Doors {
    listeners: Vec<Listener>,
    signals: Signals,
}

impl Doors {
    /// Binds what a configuration names. An error is one line that says what to do.
    pub fn bind(config: &Config) -> Result<Doors, String> {
        let signals = Signals::take().map_err(|error| format!("taking signals: {error}"))?;
        let mut listeners = sockets::handed(config)?;
        for (at, door) in sockets::spots(config) {
            listeners.push(sockets::open(&at, door)?);
        }
        Ok(Doors { listeners, signals })
    }

    /// Where a door of this kind is, the first of several; for a port of 0 that was asked for, the one that was given.
    pub fn address(&self, door: Door) -> Option<String> {
        self.listeners.iter().find(|listener| listener.door == door).map(Listener::address)
    }
}

/// Why nobody can listen at an address, and what to do.
pub fn unheard(address: SocketAddr, error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => "another program is there, `ss -ltnp` shows which",
        ErrorKind::AddrNotAvailable => "this machine has no such address, `ip addr` shows which it has",
        ErrorKind::PermissionDenied if address.port() < 1024 => {
            "ports below 1024 need root or CAP_NET_BIND_SERVICE; better take one above, as 127.0.0.1:3000, and put a \
             proxy in front"
        }
        _ => "is the address one of this machine's?",
    };
    format!("listening on {address}: {error}; {advice}")
}

/// Serves until SIGTERM or SIGINT. An error is one line that says what to do.
pub fn run(config: &Config, reread: Reread) -> Result<(), String> {
    // A second daemon learns that it is one, and not only that its port is taken. The store is only looked at: one that
    // cannot start makes none.
    let doors = Doors::bind(config).map_err(|why| match SqliteFile::is_held(&config.store) {
        Ok(true) => SqliteFile::held(&config.store).0,
        _ => why,
    })?;
    serve(config, doors, Inside { clock, began: Box::new(|_| {}), reread: Some(reread) })
}

/// What a daemon inside another program is told besides its configuration.
pub struct Inside {
    /// Its clock. Whoever moves it tells the daemon by `Handle::look_again`.
    pub clock: fn() -> Moment,
    /// Called when it begins to serve.
    pub began: Box<dyn FnOnce(Handle)>,
    /// Reads the configuration again, where that can be asked for.
    pub reread: Option<Reread>,
}

/// A daemon that serves, for the program around it.
pub struct Handle {
    letters: Sender<Letter>,
}

impl Handle {
    /// Waits until nothing is under way, as long as that may take: who moves the clock meanwhile makes it seem to have
    /// taken as long as the way was.
    pub fn await_rest(&self, patience: Duration) {
        let (under_way, still) = sync_channel(1);
        if self.letters.send(Letter::Still { under_way }).is_ok() {
            // Nothing comes but the end of the channel, or of patience.
            let _ = still.recv_timeout(patience);
        }
    }

    /// The clock was moved: what is due now is looked at again.
    pub fn look_again(&self) {
        let (seen, looked) = sync_channel(1);
        if self.letters.send(Letter::Look { seen }).is_ok() {
            // An end of the daemon is an answer, too.
            let _ = looked.recv();
        }
    }
}

/// The same, with doors that are bound already, inside another program.
pub fn serve(config: &Config, doors: Doors, inside: Inside) -> Result<(), String> {
    let Inside { clock, began, reread } = inside;
    let connections_max = connections_max(config.connections_max);
    let Doors { mut listeners, signals } = doors;
    let bound = listeners.iter().map(|listener| Bound::of(listener, listener.asked.clone())).collect();
    let file = open(&config.store, &thread::sleep).map_err(|error| error.0)?;
    listeners.push(bind_control(&config.store)?);
    let addresses: Vec<_> = listeners.iter().map(Listener::address).collect();
    let (poll, waker) = event_loop::poll().map_err(|error| format!("making a poll: {error}"))?;
    let (letters, letters_in) = channel();
    let (receipts_out, receipts) = channel();
    let (news_out, news) = channel();
    let announcer = Announcer { news: news_out, waker };
    let post = post(receipts_out.clone(), &announcer.waker);
    let (threads, current) = Threads::start(config.workers, file, (letters, letters_in), post, clock)?;
    let manager = Arc::new(Manager {
        letters: threads.letters.clone(),
        receipts: receipts_out,
        current,
        certificates: Certificates::new(announcer.clone(), clock),
        announcer,
        standing: Arc::default(),
        in_place: Mutex::new(InPlace::new(config, bound)),
    });
    let (intake, lobby) = match manager.begin(config, &mut listeners) {
        Ok(begun) => begun,
        // Where the keeper could not begin, that is why.
        Err(why) => return Err(threads.end(clock())?.err().map_or(why, |error| error.0)),
    };
    // A question in each third of its patience: one may be lost to a busy machine.
    let watch = systemd::watchdog().map(|patience| Watch { every: patience / 3, alive: Box::new(systemd::alive) });
    let reload = Reload::by(Arc::clone(&manager), reread);
    let letterbox = Letterbox { letters: threads.letters.clone(), health: Arc::clone(&threads.health) };
    let parts = Parts {
        poll,
        listeners,
        signals,
        intake,
        letters: letterbox,
        receipts,
        news,
        reload: Box::new(move |ticket| reload.begin(ticket)),
        watch,
        lobby,
        connections_max,
        page: manager.page(clock()),
        clock,
    };
    let event_loop = EventLoop::new(parts).map_err(|error| format!("starting the loop: {error}"))?;
    announce(&addresses);
    began(Handle { letters: threads.letters.clone() });
    manager.look_after(config)?;
    serve_to_the_end(event_loop, &manager, threads, clock)
}

/// Serves, and then ends all in order: what was taken in is settled before the store is closed.
fn serve_to_the_end(
    mut event_loop: EventLoop,
    manager: &Manager,
    threads: Threads,
    clock: fn() -> Moment,
) -> Result<(), String> {
    let served = event_loop.run().map(|()| std::mem::take(&mut event_loop.served));
    systemd::stopping();
    manager.end();

    let health = Arc::clone(&threads.health);
    let kept = threads.end(clock().after(limits::STOP_WORK_TIME))?;
    drop(event_loop);
    farewell(&served.map_err(|error| format!("the loop: {error}"))?, &health);
    kept.map_err(|error| format!("closing the store: {error}"))
}

/// The threads beside the loop that a daemon cannot be without.
struct Threads {
    letters: Sender<Letter>,
    health: Arc<Health>,
    keeper: KeeperThread,
    workers: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts them, with no channels yet; and where workers find what they have.
    fn start(
        workers: usize,
        file: SqliteFile,
        (letters, letters_in): (Sender<Letter>, Receiver<Letter>),
        post: Post,
        clock: fn() -> Moment,
    ) -> Result<(Threads, Arc<Current>), String> {
        let health = Arc::new(Health::default());
        let current = Arc::new(Current::new(tools(&file, letters.clone(), clock)));
        let (leases, workers) =
            pool::start(workers, &current).map_err(|error| format!("starting the workers: {error}"))?;
        let keeper = start_keeper(file, letters_in, post, leases, &health, clock)?;
        Ok((Threads { letters, health, keeper, workers }, current))
    }

    /// Ends them, and what the keeper ended with. A worker ends with the keeper, which held its jobs; one that still waits
    /// for an upstream is left to it.
    fn end(self, until: Moment) -> Result<Result<(), StoreError>, String> {
        // The keeper is there: it ends by this letter, or has ended by an error that the next line finds.
        let _ = self.letters.send(Letter::End { until });
        let kept = self.keeper.join().map_err(|_| "the keeper ended by a panic".to_owned())?;
        let late = self.workers.iter().filter(|worker| !worker.is_finished()).count();
        log::debug!("{} had not ended yet", counted(late as u64, "worker"));
        Ok(kept)
    }
}

/// A way to the loop.
fn post(receipts: Sender<Vec<(Ticket, Receipt)>>, waker: &Arc<Waker>) -> Post {
    let waker = Arc::clone(waker);
    let wake = Box::new(move || {
        if let Err(error) = waker.wake() {
            log::error!("waking the loop: {error}");
        }
    });
    Post { receipts, wake }
}

/// Opens the store. A command may hold it just now, so it is tried for a while before it counts as another daemon's.
fn open(store: &Path, pause: &dyn Fn(Duration)) -> Result<SqliteFile, StoreError> {
    for _ in 0..limits::STORE_TRIES {
        if let Some(file) = SqliteFile::open_free(store)? {
            return Ok(file);
        }
        pause(limits::STORE_PAUSE);
    }
    SqliteFile::open(store)
}

/// Says that we are there, to whoever reads the log and to whoever started us.
fn announce(addresses: &[String]) {
    addresses.iter().for_each(|address| log::info!("listening on {address}"));
    systemd::ready();
}

/// The control socket of a store: beside it, with the same name.
pub fn control_socket(store: &Path) -> PathBuf {
    store.with_extension("sock")
}

/// The wall clock.
pub fn clock() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// 64 random bits.
pub fn chance() -> u64 {
    // Without randomness, retries have no jitter; nothing else depends on it.
    sure_chance().unwrap_or_default()
}

/// The same for what nobody must guess: nothing, where the system gives no random numbers.
pub fn sure_chance() -> Option<u64> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(u64::from_le_bytes(bytes))
}

/// The number of the user that this process runs as.
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// As many connections as wanted, or as the limit of descriptors allows; the limit is raised as far as it goes.
fn connections_max(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let allowed = usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let room = allowed.saturating_sub(limits::DESCRIPTORS_RESERVED).max(1);
    if room < wanted {
        log::warn!("connections: {room} instead of {wanted}, since this process may open {allowed} files");
    }
    wanted.min(room)
}

fn bind_control(store: &Path) -> Result<Listener, String> {
    let control = control_socket(store);
    Listener::control(&control)
        .map_err(|error| format!("the control socket {}: {error}; its folder must be writable", control.display()))
}

type KeeperThread = JoinHandle<Result<(), StoreError>>;

/// A keeper of no channels yet.
fn start_keeper(
    file: SqliteFile,
    letters: Receiver<Letter>,
    post: Post,
    workers: Vec<SyncSender<Lease>>,
    health: &Arc<Health>,
    clock: fn() -> Moment,
) -> Result<KeeperThread, String> {
    let (roster, treasury) = (Roster::new(workers.len(), &[]), Treasury::new(&[]));
    let (health, bell, lines) = (Arc::clone(health), Bell::default(), Vec::new());
    let work = move || {
        let mut store = file.engine()?;
        let store = &mut store;
        let counts = Counts::default();
        Keeper { store, letters, post, workers, lines, roster, treasury, counts, bell, health, clock, chance }.run()
    };
    thread::Builder::new()
        .name("keeper".to_owned())
        .spawn(work)
        .map_err(|error| format!("starting the keeper: {error}"))
}

/// What workers have while there are no channels.
fn tools(file: &SqliteFile, keeper: Sender<Letter>, clock: fn() -> Moment) -> Tools {
    let fetch = Arc::new(Fetch::default());
    let upstreams = Arc::new(Upstreams::new(&[], Arc::clone(&fetch), keeper.clone(), clock));
    let (channels, address) = (Arc::default(), Arc::new(Address::default()));
    Tools { channels, keeper, fetch, upstreams, address, identity: file.identity().to_owned(), clock, chance }
}

fn farewell(served: &Served, health: &Health) {
    log::info!(
        "stopped: {} on {}, {} refused; {} kept, {} delivered again, {} settled",
        counted(served.requests, "request"),
        counted(served.connections, "connection"),
        served.refused.total(),
        counted(health.kept.load(Ordering::Relaxed), "event"),
        health.duplicates.load(Ordering::Relaxed),
        counted(health.settled.load(Ordering::Relaxed), "job"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    #[test]
    fn a_store_that_a_command_holds_is_waited_for_but_not_for_ever() {
        let folder = std::env::temp_dir().join(format!("ackd-daemon-{}-patience", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = folder.join("ackd.db");
        let command = RefCell::new(Some(SqliteFile::open(&store).unwrap()));
        let waited = Cell::new(Duration::ZERO);
        let pause = |time| {
            waited.set(waited.get() + time);
            if waited.get() >= Duration::from_millis(300) {
                command.take();
            }
        };
        let daemon = open(&store, &pause).unwrap();
        assert_eq!(waited.replace(Duration::ZERO), Duration::from_millis(300));
        let error = open(&store, &pause).unwrap_err();
        assert!(error.0.contains("another ackd works on it"), "{error}");
        assert_eq!(waited.get(), Duration::from_secs(1));
        drop(daemon);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn where_nobody_can_listen_it_is_said_what_to_do() {
        for (address, kind, advice) in [
            ("127.0.0.1:3000", ErrorKind::AddrInUse, "; another program is there, `ss -ltnp` shows which"),
            ("10.9.8.7:3000", ErrorKind::AddrNotAvailable, "`ip addr` shows which it has"),
            ("0.0.0.0:443", ErrorKind::PermissionDenied, "; ports below 1024 need root or CAP_NET_BIND_SERVICE; "),
            ("0.0.0.0:1024", ErrorKind::PermissionDenied, "; is the address one of this machine's?"),
        ] {
            let told = unheard(address.parse().unwrap(), &kind.into());
            assert!(told.starts_with(&format!("listening on {address}: ")) && told.contains(advice), "{told}");
        }
    }
}
