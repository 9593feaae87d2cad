//! `ackd try`: the daemon, twins for its platforms and a chat page, all on this machine. What is typed goes the real
//! way: twin, signed webhook, raw socket, store, bot, call, twin, page.

use super::CliError;
use super::playing::{Play, Stand};
use crate::config::{Config, Stage, text_of};
use crate::daemon::{self, Doors, Inside};
use crate::limits;
use crate::registry::PublicUrl;
use std::fs::{self, DirBuilder};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

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
    let stand = Stand::open(&trial.play, chance).map_err(CliError::Failed)?;
    let folder = Folder::make(chance, trial.keep)?;
    let (config, doors) = prepare(trial, &stand, &folder.path, env)?;
    let tried = trial.config.as_ref().map_or_else(|| "the built-in tour".to_owned(), |file| file.display().to_string());
    stand.show("ackd try", format!("{tried}, against stand-ins on this machine"), Some(config.store.clone()), &config);
    writeln!(out, "trying {tried}; everything it keeps is in {}", folder.path.display())?;
    // Whoever wants the same faults again must know what they were drawn from.
    if !trial.play.faults.trim().is_empty() {
        writeln!(out, "goes wrong on purpose: {}; the same again: --seed {}", trial.play.faults, stand.seed())?;
    }
    writeln!(out, "open {}/", stand.url())?;
    writeln!(out, "Ctrl-C ends it")?;
    out.flush()?;
    let inside = Inside { clock: daemon::clock, began: Box::new(|_| {}) };
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
    config.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    config.store = folder.join("ackd.db");
    let doors = Doors::bind(&config).map_err(CliError::Failed)?;
    let base = format!("http://{}", doors.addresses().concat());
    config.public_url = Some(PublicUrl::Fixed(base.clone()));
    config.keep_registered = Some(limits::REGISTRATION_INTERVAL);
    stand.lodge(&config, &base).map_err(CliError::Failed)?;
    Ok((config, doors))
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
