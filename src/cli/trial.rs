//! `ackd try`: the daemon, twins for its platforms and upstreams, and a chat page, all on this machine. What is typed goes
//! the real way: twin, signed webhook, raw socket, store, bot, call, twin, page.
//!
//! Nobody need set anything up: consent is given, and whoever speaks is let in. The clock can be moved on the page. Where
//! there are pages or logins, the operator's door is open too, at an address of its own.

use super::playing::{Lodged, Play, Stand};
use super::{CliError, ahead};
use crate::bot::solar::binding;
use crate::config::{Config, Listens, Stage, text_of};
use crate::daemon::{self, Doors, Handle, Inside};
use crate::intake::Door;
use crate::keeper::TOKENS;
use crate::limits;
use crate::model::{MemoryWrite, Papers, Secret, Upstream};
use crate::page::Clock;
use crate::registry::PublicUrl;
use crate::store::Store;
use crate::store::sqlite::SqliteFile;
use crate::twin::enphase::{BERLIN, Zone};
use std::fs::{self, DirBuilder};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The configuration that is tried where none is named.
const BUILT_IN: &str = include_str!("../../examples/try.toml");
/// What stands in it for the twins' own address.
const TWINS: &str = "https://twins.invalid";

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    pub config: Option<PathBuf>,
    pub keep: bool,
    pub play: Play,
}

/// Tries until somebody presses Ctrl-C. `chance` is 64 random bits.
pub fn trial(
    trial: &Trial,
    env: &dyn Fn(&str) -> Option<String>,
    chance: u64,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let stand = Stand::open(&trial.play, chance, ahead::clock).map_err(CliError::Failed)?;
    let folder = Folder::make(chance, trial.keep)?;
    let (config, doors) = prepare(trial, &stand, &folder.path, env)?;
    let tried = trial.config.as_ref().map_or_else(|| "the built-in bots".to_owned(), |file| file.display().to_string());
    let handle: Arc<OnceLock<Handle>> = Arc::default();
    let what = format!("{tried}, against stand-ins on this machine");
    let clock = clock(&stand, Arc::clone(&handle));
    stand.show(("ackd try", what), Some(config.store.clone()), Some(clock), &config);
    writeln!(out, "trying {tried}; everything it keeps is in {}", folder.path.display())?;
    // Whoever wants the same faults again must know what they were drawn from.
    if !trial.play.faults.trim().is_empty() {
        writeln!(out, "goes wrong on purpose: {}; the same again: --seed {}", trial.play.faults, stand.seed())?;
    }
    writeln!(out, "open {}/", stand.url())?;
    if let Some(operator) = doors.address(Door::Admin) {
        writeln!(out, "pages and logins: http://{operator}/\nwhat became of each message: http://{operator}/events")?;
    }
    writeln!(out, "Ctrl-C ends it")?;
    out.flush()?;
    // It begins once.
    let began = Box::new(move |daemon| drop(handle.set(daemon)));
    let inside = Inside { clock: ahead::clock, began, reread: None };
    daemon::serve(&config, doors, inside).map_err(CliError::Failed)?;
    drop(stand);
    let kept = folder.end()?;
    writeln!(out, "{kept}")?;
    Ok(())
}

/// The user's channels and bots, on free ports, in a store of their own, with twins for platforms.
fn prepare(
    trial: &Trial,
    stand: &Stand,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Config, Doors), CliError> {
    let (text, file) = match &trial.config {
        Some(file) => (text_of(file).map_err(CliError::Config)?, file.clone()),
        None => (BUILT_IN.replace(TWINS, &stand.url()), folder.join("try.toml")),
    };
    let stage = Stage { house: stand.url(), seed: stand.seed() };
    let mut config = Config::staged(&text, &file, env, &stage).map_err(CliError::Config)?;
    // One's own configuration may be at work beside it, so no address is taken from there.
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let has_pages = config.pages.iter().next().is_some() || config.upstreams.iter().any(|one| one.facebook().is_some());
    let at = |address| Listens { addresses: vec![address], ..Listens::default() };
    let operator = next_port(trial.play.listen).unwrap_or(free);
    (config.listen, config.admin) = (at(free), if has_pages { at(operator) } else { Listens::default() });
    config.store = folder.join("ackd.db");
    let doors = Doors::bind(&config).map_err(CliError::Failed)?;
    let url = |door| format!("http://{}", doors.address(door).unwrap_or_default());
    let base = url(Door::Public);
    lead_back(&mut config, &base, &url(Door::Admin));
    config.public_url = Some(PublicUrl::Fixed(base.clone()));
    config.keep_registered = Some(limits::REGISTRATION_INTERVAL);
    stand.lodge(&config, &base).map_err(CliError::Failed)?;
    let consents = consents(&config, stand)?;
    remember(&config, stand, &consents)?;
    Ok((config, doors))
}

/// The port after the one that was asked for, when it is free: whoever comes through `ssh -L` must know both before.
fn next_port(listen: Option<SocketAddr>) -> Option<SocketAddr> {
    let listen = listen.filter(|listen| listen.port() != 0)?;
    let next = SocketAddr::new(listen.ip(), listen.port().checked_add(1)?);
    TcpListener::bind(next).is_ok().then_some(next)
}

/// Logins lead back to the doors of this trial.
fn lead_back(config: &mut Config, public: &str, admin: &str) {
    for upstream in &mut config.upstreams {
        if let Some(Papers::Facebook(facebook)) = &mut upstream.papers {
            let door = if facebook.public_login { public } else { admin };
            facebook.redirect_uri = format!("{door}{}", Upstream::login_path(&upstream.name));
        }
    }
}

/// Takes in a twin for each upstream; gives the tokens of each that wants some.
fn consents(config: &Config, stand: &Stand) -> Result<Vec<(String, Secret)>, CliError> {
    let mut consents = Vec::new();
    for upstream in &config.upstreams {
        match stand.lodge_upstream(upstream, &config.bots).map_err(CliError::Failed)? {
            Lodged::Consenting(tokens) => consents.push((upstream.name.clone(), tokens)),
            Lodged::Open => {}
            Lodged::Nobody => {
                return Err(CliError::Failed(format!(
                    "upstream {}: there is no stand-in for it, so leave it and the bots that ask it out of what you try",
                    upstream.name
                )));
            }
        }
    }
    Ok(consents)
}

/// Writes into the new store what an operator would bring about: consent to ask the upstreams, and for everybody who
/// speaks with a solar bot the system that is played.
fn remember(config: &Config, stand: &Stand, consents: &[(String, Secret)]) -> Result<(), CliError> {
    if consents.is_empty() {
        return Ok(());
    }
    let file = SqliteFile::open(&config.store)?;
    let mut store = file.engine()?;
    for (upstream, tokens) in consents {
        let (bot, key, value) = (TOKENS.to_owned(), upstream.clone(), Some(tokens.expose().as_bytes().to_vec()));
        store.remember(&MemoryWrite { bot, key, value, expires: None })?;
    }
    for bot in config.bots.iter().filter(|bot| bot.kind == "solar") {
        for channel in config.channels.iter().filter(|channel| channel.bot_name == bot.name) {
            for person in stand.house.people(&channel.name).map_err(CliError::Failed)? {
                let (key, value) = (binding(&channel.name, &person), Some(format!("[{BERLIN}]").into_bytes()));
                store.remember(&MemoryWrite { bot: bot.name.clone(), key, value, expires: None })?;
            }
        }
    }
    Ok(store.commit()?)
}

/// The clock of all of it, shown where the system that is played is.
fn clock(stand: &Stand, daemon: Arc<OnceLock<Handle>>) -> Clock {
    let (house, zone) = (Arc::clone(&stand.house), Zone::berlin());
    // Two clicks move it one after the other, or what the first one brought about would be under way at the second.
    let turn = Mutex::new(());
    let go = move |by| {
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(daemon) = daemon.get() {
            daemon.await_rest(limits::TRIAL_REST_TIME);
        }
        ahead::go(by)?;
        if let Some(daemon) = daemon.get() {
            daemon.look_again();
        }
        house.look_again();
        Ok(())
    };
    Clock { now: ahead::clock, zone: zone.name, rule: zone.rule, go: Box::new(go) }
}

/// A folder that goes when the trial ends, unless it is to be kept.
struct Folder {
    path: PathBuf,
    keep: bool,
    ended: bool,
}

impl Folder {
    fn make(chance: u64, keep: bool) -> Result<Folder, CliError> {
        let path = std::env::temp_dir().join(format!("ackd-try-{chance:016x}"));
        // Nobody else may read what is tried, and a folder of that name that is there is somebody else's.
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| CliError::Failed(format!("making the folder {}: {error}", path.display())))?;
        Ok(Folder { path, keep, ended: false })
    }

    /// Says what became of it.
    fn end(mut self) -> Result<String, CliError> {
        self.ended = true;
        let shown = self.path.display();
        if self.keep {
            return Ok(format!("ended; the store is {shown}/ackd.db"));
        }
        let gone = fs::remove_dir_all(&self.path);
        gone.map_err(|error| CliError::Failed(format!("removing {shown}: {error}; please remove it")))?;
        Ok("ended; nothing was kept".to_owned())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.ended && !self.keep {
            // It failed before it began; that is what is told.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
