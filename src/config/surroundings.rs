//! What a configuration refers to outside its file: environment variables, files, folders. It is handed in, so that
//! a test or the fuzzer needs neither a process environment nor a disk.

use super::stage::Stage;
use super::table::Entry;
use crate::limits::SECRET_BYTES_MAX;
use crate::model::{Moment, Secret};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A file as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// At most one byte more than `limits::SECRET_BYTES_MAX`, so that "too long" can be told.
    pub bytes: Vec<u8>,
    /// The permission bits.
    pub mode: u32,
}

/// Everybody may read a file with this bit.
pub(super) const OTHERS_READ: u32 = 0o004;

/// What is done with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets<'a> {
    /// It is read.
    Read,
    /// How it is named is checked, and that is all: whoever types a command need not have the daemon's environment,
    /// credentials or files. There is no value then, not even a false one.
    Named,
    /// Those below this table are read, and the others only named.
    Below(&'a str),
    /// Those of channels and upstreams are made up, for a trial against twins; all others are read.
    Played(&'a Stage),
}

/// The world as the configuration sees it.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// An environment variable; `None` when it is not set.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// A file that holds a secret.
    pub read: &'a dyn Fn(&Path) -> io::Result<Found>,
    /// Whether this is a folder (`Ok(true)`), something else (`Ok(false)`), or cannot be looked at.
    pub is_folder: &'a dyn Fn(&Path) -> io::Result<bool>,
    /// Whether everybody on this machine may read this file.
    pub is_open: &'a dyn Fn(&Path) -> bool,
    /// The time, by which certificates are good or not.
    pub now: Moment,
}

/// Surroundings, and what may be taken from them.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) world: Surroundings<'a>,
    /// The configuration itself.
    pub(super) file: &'a Path,
    pub(super) secrets: Secrets<'a>,
}

impl Around<'_> {
    /// The secret that a trial has at a place, where this is one.
    pub(super) fn played(&self, entry: &Entry<'_>) -> Option<Secret> {
        match self.secrets {
            Secrets::Played(stage)
                if ["bot.", "channel.", "upstream."].iter().any(|it| entry.place.key.starts_with(it)) =>
            {
                Some(stage.secret(&entry.place.key))
            }
            _ => None,
        }
    }

    /// Whether the secret at a place is read.
    pub(super) fn reads(&self, entry: &Entry<'_>) -> bool {
        match self.secrets {
            Secrets::Read | Secrets::Played(_) => true,
            Secrets::Named => false,
            Secrets::Below(table) => entry.place.key.starts_with(table),
        }
    }
}

impl<'a> Surroundings<'a> {
    /// The real disk, with this environment.
    pub fn on_disk(env: &'a dyn Fn(&str) -> Option<String>) -> Surroundings<'a> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        Surroundings { env, read: &read_from_disk, is_folder: &is_folder_on_disk, is_open: &is_open_on_disk, now }
    }

    /// An environment variable that names a folder; systemd may list several with colons, the first is ours.
    pub(super) fn folder(&self, variable: &str) -> Option<String> {
        let list = (self.env)(variable)?;
        list.split(':').next().filter(|folder| !folder.is_empty()).map(str::to_owned)
    }
}

pub(super) fn read_from_disk(path: &Path) -> io::Result<Found> {
    // Asked before it is opened: opening a pipe would wait for somebody to write into it.
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(SECRET_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Found { bytes, mode: metadata.permissions().mode() })
}

fn is_open_on_disk(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & OTHERS_READ != 0)
}

fn is_folder_on_disk(path: &Path) -> io::Result<bool> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    fs::metadata(path).map(|metadata| metadata.is_dir())
}
