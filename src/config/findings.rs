//! What is wrong with a configuration file, and where: faults (nothing starts) and warnings (it starts all the same).
//!
//! A finding names file, line and key, says what is wrong and what to write. It is one line, it is bounded, and it
//! quotes only what cannot be a secret; that last part is the duty of whoever writes one.

use crate::limits::{QUOTED_CHARS_MAX, SYNTAX_FAULTS_MAX};
use crate::notation::order::in_order;
use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong. Prints as `ackd.toml:14: channel.page.path: what is wrong; what to write`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub file: PathBuf,
    /// From 1; `None` when it is about the file as a whole.
    pub line: Option<usize>,
    /// Dotted, as in `channel.page.path`; empty when no key is to blame.
    pub key: String,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(out, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(out, ": {}", self.key)?;
        }
        write!(out, ": {}", self.what)
    }
}

/// Everything that is wrong with a configuration file, in the order of its lines. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub faults: Vec<Fault>,
    /// How many more lines are no TOML.
    pub more: usize,
}

impl ConfigError {
    /// A fault of the file as a whole.
    pub(super) fn of_file(file: &Path, what: String) -> ConfigError {
        ConfigError { faults: vec![Fault { file: file.to_owned(), line: None, key: String::new(), what }], more: 0 }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(out, "{separator}{fault}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(out, "\n… and {more} more; is this the right file?"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// What a warning warns of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// That it is probably not meant so; nothing suffers.
    Odd,
    /// That a secret stands in the configuration itself: whoever may read that file knows it.
    InClear,
    /// That a secret is known to others, or may not do its work.
    Danger,
}

/// A key and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) line: usize,
}

/// Collects faults and warnings while the file is walked.
pub(super) struct Findings<'t> {
    file: &'t Path,
    line_starts: Vec<usize>,
    faults: Vec<Fault>,
    warnings: Vec<(Risk, Fault)>,
    /// Lines that are no TOML and not among the faults.
    more: usize,
}

impl<'t> Findings<'t> {
    pub(super) fn new(text: &str, file: &'t Path) -> Findings<'t> {
        let mut line_starts = vec![0];
        // The place after a last line break begins no line: what is missing there is told at the last line.
        line_starts.extend(text.match_indices('\n').map(|(at, _)| at + 1).filter(|start| *start < text.len()));
        Findings { file, line_starts, faults: Vec::new(), warnings: Vec::new(), more: 0 }
    }

    /// The line, from 1, that holds the byte at `offset`.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset).max(1)
    }

    pub(super) fn fault(&mut self, place: &Place, what: impl Into<String>) {
        let fault = self.found(place, what.into());
        self.faults.push(fault);
    }

    pub(super) fn warn(&mut self, risk: Risk, place: &Place, what: impl Into<String>) {
        let warning = self.found(place, what.into());
        self.warnings.push((risk, warning));
    }

    /// Faults of TOML itself, with their lines: the first of each line, and only as many as somebody reads.
    pub(super) fn syntax_faults(&mut self, faults: Vec<(usize, &str)>) {
        let mut faults = in_order(faults, |one, other| one.0 > other.0);
        faults.dedup_by_key(|(line, _)| *line);
        self.more = faults.len().saturating_sub(SYNTAX_FAULTS_MAX);
        for (line, what) in faults.into_iter().take(SYNTAX_FAULTS_MAX) {
            self.fault(&Place { key: String::new(), line }, format!("not TOML: {what}"));
        }
    }

    fn found(&self, place: &Place, what: String) -> Fault {
        Fault { file: self.file.to_owned(), line: Some(place.line), key: place.key.clone(), what }
    }

    /// The warnings when there is no fault, else the faults; both in the order of their lines.
    pub(super) fn verdict(self) -> Result<Vec<(Risk, String)>, ConfigError> {
        let warnings = in_order(self.warnings, |(_, one), (_, other)| one.line > other.line);
        match self.faults.is_empty() {
            true => Ok(warnings.iter().map(|(risk, warning)| (*risk, warning.to_string())).collect()),
            false => {
                let faults = in_order(self.faults, |one, other| one.line > other.line);
                Err(ConfigError { faults, more: self.more })
            }
        }
    }
}

/// Somebody's words in quotes: on one line, control characters escaped, and cut when they are long.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS_MAX) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}
