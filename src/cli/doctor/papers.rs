//! The configuration and its secrets.
//!
//! A shell has neither the service's environment nor its credentials. Where a daemon runs, its own are looked at, as far
//! as whoever asks may: they are what it works with.

use super::Instruments;
use super::finding::Finding;
use crate::config::{Config, ConfigError, Fault, Outline, Risk};
use std::path::{Path, PathBuf};

/// Everybody may read a file with this bit.
const OTHERS_READ: u32 = 0o004;

pub(super) struct Papers<'a> {
    pub(super) file: &'a Path,
    /// What needs no secret.
    pub(super) outline: Result<Outline, ConfigError>,
    /// All of it, where every secret was found.
    pub(super) config: Option<Config>,
    /// Faults that an outline does not have.
    missing: Vec<Fault>,
    /// Secrets that others may come to know.
    dangers: Vec<(String, String)>,
    by_daemon: bool,
}

impl<'a> Papers<'a> {
    /// Reads them. `process` is the daemon's number, where one runs.
    pub(super) fn read(
        file: &'a Path,
        outline: Result<Outline, ConfigError>,
        process: Option<u32>,
        by: &Instruments<'_>,
    ) -> Papers<'a> {
        let environ =
            process.and_then(|process| by.machine.read(&PathBuf::from(format!("/proc/{process}/environ"))).ok());
        let of_daemon = |name: &str| environ.as_deref().and_then(|environ| variable(environ, name));
        let env = |name: &str| of_daemon(name).or_else(|| (by.env)(name));
        let loaded = Config::load(file, &env);
        let dangers = loaded.as_ref().map(|config| dangers(config, file, by)).unwrap_or_default();
        let (config, mut missing) = match loaded {
            Ok(config) => (Some(config), Vec::new()),
            Err(error) => (None, error.faults),
        };
        if let Err(error) = &outline {
            missing.retain(|fault| !error.faults.contains(fault));
        }
        Papers { file, outline, config, missing, dangers, by_daemon: environ.is_some() }
    }

    /// Whether a daemon would refuse to start with them.
    pub(super) fn are_faulty(&self) -> bool {
        self.outline.is_err() || self.config.is_none()
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = self.configuration();
        findings.extend(self.secrets());
        findings
    }

    fn configuration(&self) -> Vec<Finding> {
        let what = "configuration";
        let file = self.file.display();
        let outline = match &self.outline {
            Ok(outline) => outline,
            Err(error) => return error.faults.iter().map(|fault| self.fault(what, fault)).collect(),
        };
        let names: Vec<_> = outline.channels.iter().map(|channel| channel.name.as_str()).collect();
        let risks = self.config.iter().flat_map(|config| &config.risks);
        let odd = match risks.filter(|risk| **risk == Risk::Odd).count() {
            0 => String::new(),
            // Nothing suffers from them.
            odd => format!("; {odd} that may not be meant so: `ackd check --config {file}`"),
        };
        vec![Finding::ok(what, format!("{file}, with {}{odd}", names.join(", ")))]
    }

    fn fault(&self, what: &str, fault: &Fault) -> Finding {
        let file = self.file.display();
        let line = fault.line.map_or_else(String::new, |line| format!(" in line {line}"));
        let mend = format!("correct it{line}; `ackd check --config {file}` says when all is right");
        Finding::wrong(what, fault.to_string(), mend)
    }

    fn secrets(&self) -> Vec<Finding> {
        let what = "secrets";
        if self.outline.is_err() && self.missing.is_empty() {
            return vec![Finding::unseen(what, "the configuration is faulty")];
        }
        let mut findings: Vec<_> = self.missing.iter().map(|fault| self.missed(what, fault)).collect();
        findings.extend(self.dangers.iter().map(|(wrong, mend)| Finding::wrong(what, wrong, mend)));
        if findings.is_empty() {
            let whose = if self.by_daemon { ", as the running daemon has them" } else { "" };
            findings.push(Finding::ok(what, format!("each was found{whose}, and not everybody may read them")));
        }
        findings
    }

    fn missed(&self, what: &str, fault: &Fault) -> Finding {
        if self.by_daemon {
            return self.fault(what, fault);
        }
        let mend = "set it where it is named; those of a service are seen while it runs, by root: sudo ackd doctor";
        Finding::wrong(what, fault.to_string(), format!("{mend} --config {}", self.file.display()))
    }
}

/// What is wrong about secrets that were found, each with what mends it.
fn dangers(config: &Config, file: &Path, by: &Instruments<'_>) -> Vec<(String, String)> {
    let open = by.machine.mode(file).is_ok_and(|mode| mode & OTHERS_READ != 0);
    let file = file.display();
    let mut dangers = Vec::new();
    let mut in_clear = Vec::new();
    for (risk, warning) in config.risks.iter().zip(&config.warnings) {
        match risk {
            Risk::InClear if open => in_clear.push(key_of(warning, &file.to_string())),
            Risk::Danger => {
                let mend = "do what it says there; ackd reads it when it starts: systemctl restart ackd";
                dangers.push((warning.clone(), mend.to_owned()));
            }
            // A secret in a file that nobody else can read is as safe as in one of its own.
            Risk::InClear | Risk::Odd => {}
        }
    }
    if !in_clear.is_empty() {
        let wrong = format!("everybody on this machine can read {file}, and in it {}", in_clear.join(", "));
        // Others alone: its group may be how a service reads it.
        let mend = format!("chmod o-r {file}, or write {{ env = … }} or {{ credential = … }} there");
        dangers.push((wrong, mend));
    }
    dangers
}

/// The key that a warning is about, with its line; the warning where that cannot be told.
fn key_of(warning: &str, file: &str) -> String {
    let rest = warning.strip_prefix(file).and_then(|rest| rest.strip_prefix(':'));
    let mut parts = rest.unwrap_or_default().splitn(3, ": ");
    match (parts.next(), parts.next(), parts.next()) {
        (Some(line), Some(key), Some(_)) => format!("{key} (line {line})"),
        _ => warning.to_owned(),
    }
}

/// A variable of a process, out of /proc/PID/environ.
pub(in crate::cli) fn variable(environ: &[u8], name: &str) -> Option<String> {
    let mut variables = environ.split(|byte| *byte == 0);
    let value = variables.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}
