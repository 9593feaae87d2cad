//! Where the store lies.

use super::findings::{Findings, Place, Risk, quoted};
use super::surroundings::Around;
use super::table::Entry;
use std::io;
use std::path::{Path, PathBuf};

/// The store unless configured.
pub(super) const STORE: &str = "ackd.db";

/// Reads `sqlite:PATH`.
pub(super) fn store(entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<PathBuf> {
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
    let path = resolve(name, around);
    look(&path, &entry.place, around, findings).then_some(path)
}

/// The store's full name: relative to $STATE_DIRECTORY where systemd sets it, else to the configuration file.
pub(super) fn resolve(name: &str, around: &Around<'_>) -> PathBuf {
    let beside = || around.file.parent().unwrap_or(Path::new("")).to_owned();
    around.world.folder("STATE_DIRECTORY").map_or_else(beside, PathBuf::from).join(name)
}

/// Whether there can be a store at `path`; what keeps it from there is told.
pub(super) fn look(path: &Path, place: &Place, around: &Around<'_>, findings: &mut Findings<'_>) -> bool {
    let folder = path.parent().unwrap_or(Path::new(""));
    if comes_with_the_service(folder, around) {
        let shown = folder.display();
        let what = format!("{shown} is not there yet; systemd makes it at the first start (StateDirectory=)");
        findings.warn(Risk::Odd, place, what);
        return true;
    }
    let flaw = flaw(path, folder, around);
    let fits = flaw.is_none();
    flaw.into_iter().for_each(|what| findings.fault(place, what));
    fits
}

/// Whether this is a folder that systemd makes for a service, and has not made yet. A configuration is checked before
/// the service starts for the first time.
fn comes_with_the_service(folder: &Path, around: &Around<'_>) -> bool {
    let states = Path::new("/var/lib");
    let missing = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
    folder.parent() == Some(states)
        && (around.world.is_folder)(folder).is_err_and(missing)
        && (around.world.is_folder)(states).unwrap_or(false)
}

/// Why there cannot be a store at `path`.
fn flaw(path: &Path, folder: &Path, around: &Around<'_>) -> Option<String> {
    let shown = quoted(&folder.to_string_lossy());
    match (around.world.is_folder)(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Some(format!("the store's folder {shown}: {error}; run this as ackd's user, or with sudo"));
        }
        Err(error) => return Some(format!("the store's folder {shown}: {error}; make it first")),
        Ok(false) => return Some(format!("the store's folder {shown} is not a folder")),
        Ok(true) => {}
    }
    let is_folder = (around.world.is_folder)(path).unwrap_or(false);
    is_folder.then(|| format!("{} is a folder; the store is a file", quoted(&path.to_string_lossy())))
}
