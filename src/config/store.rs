//! Where the store lies.

use super::findings::{Findings, quoted};
use super::surroundings::Surroundings;
use super::table::Entry;
use std::io;
use std::path::{Path, PathBuf};

/// The store unless configured.
pub(super) const STORE: &str = "ackd.db";

/// Reads `sqlite:PATH`.
pub(super) fn store(
    entry: &Entry<'_>,
    file: &Path,
    around: &Surroundings<'_>,
    findings: &mut Findings<'_>,
) -> Option<PathBuf> {
    let text = entry.text(findings)?;
    let Some(name) = text.strip_prefix("sqlite:") else {
        let engine = text.split_once(':').map_or("", |(engine, _)| engine);
        let what = match engine {
            "" => format!("{} names no engine", quoted(text)),
            _ => format!("there is no store {}", quoted(engine)),
        };
        findings.fault(&entry.place, format!("{what}; this version has sqlite, write {}", entry.example));
        return None;
    };
    let nameless = name.is_empty() || name.ends_with('/');
    if nameless || name.chars().any(char::is_control) {
        findings.fault(&entry.place, format!("names no file; write {}", entry.example));
        return None;
    }
    if name == ":memory:" {
        findings
            .fault(&entry.place, format!("a store in memory forgets what it acknowledged; write {}", entry.example));
        return None;
    }
    let path = resolve(name, file, around);
    flaw(&path, around).map_or(Some(path), |what| {
        findings.fault(&entry.place, what);
        None
    })
}

/// The store's full name: relative to $STATE_DIRECTORY where systemd sets it, else to the configuration file.
pub(super) fn resolve(name: &str, file: &Path, around: &Surroundings<'_>) -> PathBuf {
    let beside = || file.parent().unwrap_or(Path::new("")).to_owned();
    around.folder("STATE_DIRECTORY").map_or_else(beside, PathBuf::from).join(name)
}

/// Why there cannot be a store at `path`.
pub(super) fn flaw(path: &Path, around: &Surroundings<'_>) -> Option<String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let shown = quoted(&folder.to_string_lossy());
    match (around.is_folder)(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Some(format!("the store's folder {shown}: {error}; run this as ackd's user, or with sudo"));
        }
        Err(error) => return Some(format!("the store's folder {shown}: {error}; make it first")),
        Ok(false) => return Some(format!("the store's folder {shown} is not a folder")),
        Ok(true) => {}
    }
    let is_folder = (around.is_folder)(path).unwrap_or(false);
    is_folder.then(|| format!("{} is a folder; the store is a file", quoted(&path.to_string_lossy())))
}
