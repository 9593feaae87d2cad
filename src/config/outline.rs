//! What a command beside the daemon needs of a configuration: where the store is, which channels there are, and how the
//! daemon is reached.
//!
//! Such a command is typed in a shell that has neither the service's environment nor its credentials, by somebody who
//! may not read its files. So an outline is made without any secret: how each is named is checked, nothing is read.
//! It has no platforms, so nothing can be verified, signed or sent with it.

use super::surroundings::{Around, Secrets};
use super::{
    Config, ConfigError, Known, KnownBot, KnownLogin, Listens, Surroundings, no_toml, text_of, walk, walk_over,
};
use crate::model::{Reply, Upstream};
use crate::platform::Unsayable;
use crate::registry::PublicUrl;
use std::path::{Path, PathBuf};

/// A configuration without secrets.
#[derive(Clone, Debug)]
pub struct Outline {
    pub store: PathBuf,
    pub listen: Listens,
    pub connections_max: usize,
    pub public_url: Option<PublicUrl>,
    /// In the order of the file.
    pub channels: Vec<KnownChannel>,
    /// The names of what bots ask, in the order of the file.
    pub upstreams: Vec<String>,
    /// Those of them where somebody logs in on a page of ours.
    pub logins: Vec<KnownLogin>,
    /// In order of their names.
    pub bots: Vec<KnownBot>,
}

/// An account of ours on a platform, by name.
#[derive(Clone, Debug)]
pub struct KnownChannel {
    pub name: String,
    /// Its platform's `fit`, which needs no secret.
    pub fit: fn(Reply) -> Result<Vec<Reply>, Unsayable>,
}

impl Outline {
    /// Reads a file.
    pub fn load(file: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Outline, ConfigError> {
        Outline::parse(&text_of(file)?, file, env)
    }

    /// One upstream of a file with its secrets, which are the only ones that are looked for.
    pub fn upstream(
        file: &Path,
        name: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Upstream>, ConfigError> {
        let table = format!("upstream.{name}.");
        let around = Around { world: Surroundings::on_disk(env), file, secrets: Secrets::Below(&table) };
        let (config, ..) = walk(&text_of(file)?, &around)?;
        Ok(config.upstreams.into_iter().find(|upstream| upstream.name == name))
    }

    /// Reads a file's text. `file` says where relative paths begin, and what faults are to name.
    pub fn parse(text: &str, file: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Outline, ConfigError> {
        Outline::parse_in(text, file, &Surroundings::on_disk(env))
    }

    /// The same with other surroundings than the disk.
    pub fn parse_in(text: &str, file: &Path, around: &Surroundings<'_>) -> Result<Outline, ConfigError> {
        walk(text, &Around { world: *around, file, secrets: Secrets::Named }).map(Outline::of)
    }

    /// For whoever only reads what is kept: of a faulty file, too, as long as it says where the store is; then with its faults.
    pub fn to_read(
        file: &Path,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Outline, Option<ConfigError>), ConfigError> {
        Outline::to_read_in(&text_of(file)?, file, &Surroundings::on_disk(env))
    }

    /// The same of a text, with other surroundings than the disk.
    pub fn to_read_in(
        text: &str,
        file: &Path,
        around: &Surroundings<'_>,
    ) -> Result<(Outline, Option<ConfigError>), ConfigError> {
        let (known, verdict) = walk_over(text, &Around { world: *around, file, secrets: Secrets::Named });
        let faults = verdict.err();
        match known.filter(|(config, ..)| !config.store.as_os_str().is_empty()) {
            Some(known) => Ok((Outline::of(known), faults)),
            None => Err(faults.unwrap_or_else(|| no_toml(file))),
        }
    }

    fn of((config, channels, upstreams): Known) -> Outline {
        let Config { store, listen, connections_max, public_url, bots, .. } = config;
        let (upstreams, logins) = (upstreams.names, upstreams.logins);
        Outline { store, listen, connections_max, public_url, channels, upstreams, logins, bots }
    }
}
