//! ackd.toml → `Config`, every field already valid, or all faults at once, each with its line and what to write.
//!
//!     text ──▶ TOML tree with spans ──▶ walked by hand ──▶ Config and warnings, or faults
//!
//! It builds the platforms and bots that the file names, so nobody after it meets a name that does not exist. What
//! the file refers to (environment, secret files, folders) comes through `Surroundings`; secrets are read once, here,
//! and only for a `Config`. A command beside the daemon takes the same file as an `Outline`, which has none.
//!
//! Never here: sockets, threads, the store. Read next: `table.rs` for the walk, `secret.rs` for where secrets are.

mod admin;
mod bot;
mod channel;
mod digest;
mod facebook;
mod findings;
mod length;
mod listen;
mod log;
mod name;
mod outline;
mod plan;
mod public;
mod secret;
pub mod stage;
mod store;
mod subscription;
mod surroundings;
mod table;
#[cfg(test)]
mod tests;
mod tls;
mod upstream;
mod url;

pub use bot::KnownBot;
pub use facebook::KnownLogin;
pub(crate) use findings::quoted;
pub use findings::{ConfigError, Fault, Risk};
pub(crate) use length::length;
pub use listen::Listens;
pub use log::{Levels, Logs};
pub use outline::{KnownChannel, Outline};
pub use stage::Stage;
pub use subscription::{Subscription, reconcile};
pub use surroundings::{Found, Surroundings};
pub use tls::TlsFiles;

use crate::bot::Bot;
use crate::inspector::PLACE;
use crate::limits;
use crate::model::{Secret, Upstream};
use crate::platform::{Outside, Platform, messenger, webex};
use crate::registry::{PublicUrl, Registration};
use bot::Bots;
use channel::Channels;
use facebook::Doors;
use findings::{Findings, Place};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use surroundings::{Around, Secrets};
use table::{Key, Table};
use toml::de::{DeTable, DeValue};
use upstream::Upstreams;

/// The configuration of one daemon. Its `Debug` shows no secret, since platforms do not show theirs.
#[derive(Debug)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    pub listen: Listens,
    /// By which certificates the public listeners speak TLS; nothing where they are plain.
    pub tls: Option<TlsFiles>,
    /// Where the operator's browser comes in; empty when nowhere.
    pub admin: Listens,
    /// What opens its addresses, any of these; whoever reaches them where there are none.
    pub admin_tokens: Vec<Secret>,
    pub store: PathBuf,
    pub workers: usize,
    pub connections_max: usize,
    pub public_url: Option<PublicUrl>,
    /// How often the platforms' registrations are looked at; `None` when never.
    pub keep_registered: Option<Duration>,
    /// What the log tells.
    pub log: Logs,
    /// In the order of the file.
    pub channels: Vec<Channel>,
    /// In order of their names.
    pub bots: Vec<KnownBot>,
    /// The bots that make pages, by their names.
    pub pages: Pages,
    /// What bots shall tell of their own accord, in the order of the file.
    pub subscriptions: Vec<Subscription>,
    /// Services that bots ask, in the order of the file; none of them where secrets are not read.
    pub upstreams: Vec<Upstream>,
    /// What is allowed, but probably not meant; complete lines.
    pub warnings: Vec<String>,
    /// What each of them warns of, in the same order.
    pub risks: Vec<Risk>,
}

/// Bots that make pages, by their names.
#[derive(Clone, Default)]
pub struct Pages(Vec<(String, Arc<dyn Bot>)>);

impl Pages {
    /// Each with its name.
    pub fn iter(&self) -> impl Iterator<Item = &(String, Arc<dyn Bot>)> {
        self.0.iter()
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// An account of ours on a platform.
pub struct Channel {
    pub name: String,
    pub path: String,
    pub platform: Arc<dyn Platform>,
    pub bot: Arc<dyn Bot>,
    pub bot_name: String,
    /// What becomes of a push that the platform would not take now.
    pub outside: Outside,
    /// The platform's side of it, where a platform has one that can be asked.
    pub registration: Option<Arc<dyn Registration>>,
    pub account: Account,
}

/// What a channel's platform knows of us, and what a stand-in for it must know to play it. Secrets print as `***`.
#[derive(Clone, Debug)]
pub enum Account {
    Messenger(messenger::Settings),
    Webex(webex::Settings),
}

impl fmt::Debug for Channel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Channel")
            .field("name", &self.name)
            .field("path", &self.path)
            .field("platform", &self.platform.name())
            .field("bot_name", &self.bot_name)
            .finish_non_exhaustive()
    }
}

const TOP: &[Key] = &[
    Key { name: "listen", example: "\"127.0.0.1:3000\"" },
    Key { name: "tls", example: "[tls]" },
    Key { name: "admin", example: "[admin]" },
    Key { name: "store", example: "\"sqlite:ackd.db\"" },
    Key { name: "workers", example: "4" },
    Key { name: "connections", example: "10000" },
    Key { name: "public_url", example: "\"https://bots.example.org\"" },
    Key { name: "ngrok", example: "\"http://127.0.0.1:4040\"" },
    Key { name: "keep_registered", example: "\"5m\"" },
    Key { name: "log", example: "\"info\"" },
    Key { name: "log_format", example: "\"json\"" },
    Key { name: "channel", example: "[channel.page]" },
    Key { name: "bot", example: "[bot.echo]" },
    Key { name: "subscription", example: "[[subscription]]" },
    Key { name: "upstream", example: "[upstream.enphase]" },
];

impl Config {
    /// Reads a file.
    pub fn load(file: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        Config::parse(&text_of(file)?, file, env)
    }

    /// Reads it once more, while a daemon runs. What is no file is not opened: a pipe would have its reader wait, and every
    /// reload after it.
    pub fn load_again(file: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        if std::fs::metadata(file).is_ok_and(|found| !found.is_file()) {
            return Err(ConfigError::of_file(file, "is no regular file, so it cannot be read again".to_owned()));
        }
        Config::load(file, env)
    }

    /// Reads a file's text for a trial: its channels with made-up secrets and twins for platforms, its bots as they are.
    pub fn staged(
        text: &str,
        file: &Path,
        env: &dyn Fn(&str) -> Option<String>,
        stage: &Stage,
    ) -> Result<Config, ConfigError> {
        let around = Around { world: Surroundings::on_disk(env), file, secrets: Secrets::Played(stage) };
        walk(text, &around).map(|(config, ..)| config)
    }

    /// Reads a file's text. `file` says where relative paths begin, and what faults are to name.
    pub fn parse(text: &str, file: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        Config::parse_in(text, file, &Surroundings::on_disk(env))
    }

    /// The same with other surroundings than the disk.
    pub fn parse_in(text: &str, file: &Path, around: &Surroundings<'_>) -> Result<Config, ConfigError> {
        walk(text, &Around { world: *around, file, secrets: Secrets::Read }).map(|(config, ..)| config)
    }
}

/// The text of a configuration file.
pub fn text_of(file: &Path) -> Result<String, ConfigError> {
    let fault = |what: String| ConfigError::of_file(file, what);
    let mut bytes = Vec::new();
    let most = limits::CONFIG_BYTES_MAX as u64 + 1;
    File::open(file)
        .and_then(|open| open.take(most).read_to_end(&mut bytes))
        .map_err(|error| fault(format!("cannot be read: {error}")))?;
    if bytes.len() > limits::CONFIG_BYTES_MAX {
        return Err(fault(format!("is larger than {} KiB", limits::CONFIG_BYTES_MAX / 1024)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let sound = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes().iter().take(sound).filter(|byte| **byte == b'\n').count();
        fault(format!("line {line} is not UTF-8 text; save the file as UTF-8"))
    })
}

/// A configuration, and its channels and upstreams as far as they are known without secrets.
type Known = (Config, Vec<KnownChannel>, Upstreams);

/// What a text is warned of, or its faults.
type Verdict = Result<Vec<(Risk, String)>, ConfigError>;

/// Reads a text.
fn walk(text: &str, around: &Around<'_>) -> Result<Known, ConfigError> {
    let (known, warnings) = walk_over(text, around);
    let (risks, warnings) = warnings?.into_iter().unzip();
    let (config, channels, upstreams) = known.ok_or_else(|| no_toml(around.file))?;
    Ok((Config { warnings, risks, ..config }, channels, upstreams))
}

fn no_toml(file: &Path) -> ConfigError {
    ConfigError::of_file(file, "not TOML".to_owned())
}

/// What a text holds, where it is TOML; and what it is warned of, or its faults. With faults nothing of it is to be relied on
/// but the store, which is empty where the fault is its own.
fn walk_over(text: &str, around: &Around<'_>) -> (Option<Known>, Verdict) {
    let file = around.file;
    let mut findings = Findings::new(text, file);
    let (tree, errors) = DeTable::parse_recoverable(text);
    let at = |error: &toml::de::Error| findings.line_of(error.span().map_or(0, |span| span.start));
    let faults = errors.iter().map(|error| (at(error), error.message())).collect();
    findings.syntax_faults(faults);
    // What a broken text says is guesswork, so nothing else is said about it.
    let read = errors.is_empty().then(|| {
        let top = Place { key: String::new(), line: 1 };
        let table = Table::open(top, tree.get_ref(), TOP, &mut findings);
        read(&table, around, &mut findings)
    });
    (read, findings.verdict())
}

/// Reads every key; where one has a fault, its field holds anything, but for the store, which is then empty.
fn read(table: &Table<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Known {
    let listen = table.need("listen", findings).map(|entry| listen::listens(&entry, findings)).unwrap_or_default();
    let (admin, admin_tokens) = admin::admin(table, &listen, around, findings);
    let store = store_path(table, around, findings);
    let workers = whole(table, "workers", 0..=limits::WORKERS_MAX, limits::WORKERS, findings);
    let tls = table.get("tls", findings);
    let most = if tls.is_some() { limits::TLS_CONNECTIONS_MAX } else { limits::CONNECTIONS_MAX };
    let connections_max = whole(table, "connections", 1..=limits::CONNECTIONS_CEILING, most, findings);
    let tls = tls.and_then(|entry| tls::tls(&entry, around, findings));
    let public_url = public::public_url(table, findings);
    let keep_registered = public::keep_registered(table, findings);
    let mut bots = table.get("bot", findings).map(|entry| Bots::read(&entry, around, findings)).unwrap_or_default();
    let channels = match table.get("channel", findings) {
        Some(entry) => channel::channels(&entry, &mut bots, around, findings),
        None if table.lacks("channel") => {
            findings.fault(&table.place.inner("channel", 1), channel::NO_CHANNEL);
            Channels::default()
        }
        None => Channels::default(),
    };
    bots.warn_of_unused(findings);
    let subscriptions = subscriptions(table, findings);
    let doors = Doors { public_url: public_url.as_ref(), admin: &admin.addresses };
    let upstreams = table.get("upstream", findings).map(|entry| upstream::upstreams(&entry, doors, around, findings));
    let mut upstreams = upstreams.unwrap_or_default();
    bots.look_for_upstreams(&upstreams, findings);
    upstreams.look_at_names(&bots, &channel_names(table, findings), findings);
    let mut taken = taken_paths(table, findings);
    let pages = bots.with_pages(&mut taken, findings);
    upstreams.look_at_paths(&taken, findings);
    let config = Config {
        file: around.file.to_owned(),
        listen,
        tls,
        admin,
        admin_tokens,
        store,
        workers,
        connections_max,
        public_url,
        keep_registered,
        log: log::logs(table, around, findings),
        channels: channels.whole,
        bots: bots.known(),
        pages: Pages(pages),
        subscriptions,
        upstreams: std::mem::take(&mut upstreams.whole),
        warnings: Vec::new(),
        risks: Vec::new(),
    };
    (config, channels.known, upstreams)
}

fn subscriptions(table: &Table<'_>, findings: &mut Findings<'_>) -> Vec<Subscription> {
    let Some(entry) = table.get("subscription", findings) else { return Vec::new() };
    subscription::subscriptions(&entry, &channel_names(table, findings), findings)
}

/// The names of all channels; those with faults too, since nothing else is to blame for them.
fn channel_names<'t>(table: &Table<'t>, findings: &Findings<'_>) -> Vec<&'t str> {
    match table.get("channel", findings).map(|entry| entry.value) {
        Some(DeValue::Table(channels)) => channels.keys().map(|name| name.get_ref().as_ref()).collect(),
        _ => Vec::new(),
    }
}

/// The paths of all channels, each with whose it is; and where there is an operator's door, that of the inspector.
fn taken_paths(table: &Table<'_>, findings: &Findings<'_>) -> Vec<(String, String)> {
    let inspector = table.get("admin", findings).map(|_| ("the inspector".to_owned(), PLACE.to_owned()));
    let Some(DeValue::Table(channels)) = table.get("channel", findings).map(|entry| entry.value) else {
        return inspector.into_iter().collect();
    };
    let path = |channel: &DeValue<'_>| Some(channel.as_table()?.get("path")?.get_ref().as_str()?.to_owned());
    let whose = channels.iter().map(|(name, channel)| (name.get_ref(), path(channel.get_ref())));
    whose.filter_map(|(name, path)| Some((format!("channel {name}"), path?))).chain(inspector).collect()
}

fn store_path(table: &Table<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> PathBuf {
    if let Some(entry) = table.get("store", findings) {
        return store::store(&entry, around, findings).unwrap_or_default();
    }
    let path = store::resolve(store::STORE, around);
    let fits = store::look(&path, &table.place.inner("store", 1), around, findings);
    // A mistyped key names another one.
    if fits && table.lacks("store") { path } else { PathBuf::new() }
}

fn whole(
    table: &Table<'_>,
    name: &'static str,
    bounds: std::ops::RangeInclusive<usize>,
    default: usize,
    findings: &mut Findings<'_>,
) -> usize {
    table.get(name, findings).and_then(|entry| entry.whole(&bounds, findings)).unwrap_or(default)
}
