//! What the daemon stands on: the disk, the store and what ended badly in it, how many files it may open, how much memory it may take.

use super::Instruments;
use super::finding::Finding;
use super::machine::Machine;
use crate::limits::{
    CONNECTION_BYTES, DEAD_NEWS_TIME, DESCRIPTORS_RESERVED, DISK_FREE_BYTES_MIN, MEMORY_BYTES_MIN, STORE_CHECK_TIME,
};
use crate::model::Moment;
use crate::notation::counted::counted;
use crate::store::sqlite::{Failed, Soundness};
use std::io::ErrorKind;
use std::path::{self, Component, Path, PathBuf};

const MIB: u64 = 1024 * 1024;

/// Whether the store's folder takes what is written, and has room.
pub(super) fn disk(store: &Path, by: &Instruments<'_>) -> Finding {
    let what = "disk";
    let folder = folder(store);
    // A relative one would say little to whoever reads it in another folder.
    let shown = path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let shown = shown.display();
    if let Err(error) = by.machine.try_disk(folder) {
        let wrong = format!("{shown} does not take what is written: {error}");
        let mend = match error.kind() {
            ErrorKind::PermissionDenied => {
                format!("run this as ackd's user, or with sudo; if it is that user: chown -R USER {shown}")
            }
            ErrorKind::NotFound => {
                format!("systemd makes it when ackd starts (StateDirectory=); elsewhere mkdir {shown}")
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                format!("free some space there: du -xh {shown} | sort -h; ackd goes on by itself")
            }
            ErrorKind::ReadOnlyFilesystem => "mount it for writing; `dmesg` says whether the disk failed".to_owned(),
            _ => "see what `dmesg` and `journalctl -k` say about that disk".to_owned(),
        };
        return Finding::wrong(what, wrong, mend);
    }
    match by.machine.free_bytes(folder) {
        Ok(free) if free < DISK_FREE_BYTES_MIN => {
            let wrong = format!(
                "{} MiB free in {shown}, and the store needs up to {} MiB to go on",
                free / MIB,
                DISK_FREE_BYTES_MIN / MIB
            );
            Finding::wrong(what, wrong, format!("free some space there: du -xh {shown} | sort -h"))
        }
        Ok(free) => Finding::ok(what, format!("{} MiB free in {shown}, and it takes what is written", free / MIB)),
        Err(error) => Finding::wrong(what, format!("how much is free in {shown} is not known: {error}"), "df -h"),
    }
}

/// The folder of a store.
fn folder(store: &Path) -> &Path {
    store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether the store is whole.
pub(super) fn store(store: &Path, machine: &dyn Machine) -> Finding {
    let what = "store";
    let shown = store.display();
    let recover = format!("systemctl stop ackd; cp -a {shown}* /somewhere/safe/; sqlite3 {shown} .recover");
    match machine.soundness(store) {
        Ok(None) => Finding::ok(what, format!("{shown}: there is none yet; `ackd run` makes it")),
        Ok(Some(Soundness::Sound)) => Finding::ok(what, format!("{shown} is whole")),
        Ok(Some(Soundness::Cut)) => {
            let time = STORE_CHECK_TIME.as_secs();
            let all = format!("sqlite3 -readonly {shown} 'PRAGMA quick_check'");
            Finding::ok(what, format!("{shown}: no damage found in {time} s; that was not all of it, `{all}` is"))
        }
        Ok(Some(Soundness::Damaged(how))) => Finding::wrong(what, format!("{shown} is damaged: {how}"), recover),
        // The store says what to do.
        Err(error) => match error.0.rsplit_once("; ") {
            Some((wrong, mend)) => Finding::wrong(what, wrong, mend),
            None => Finding::wrong(what, error.0, recover),
        },
    }
}

/// Whether answers were lost. What died lately is to be mended now; what died before is known, or is forgotten soon.
pub(super) fn events(store: &Path, file: &Path, by: &Instruments<'_>) -> Finding {
    let what = "events";
    let since = Moment((by.world.clock)().0.saturating_sub(i64::try_from(DEAD_NEWS_TIME.as_millis()).unwrap_or(0)));
    let failed = match by.machine.failed(store, since) {
        Ok(Some(failed)) => failed,
        Ok(None) => return Finding::unseen(what, "there is no store yet"),
        // The look at the store tells the rest.
        Err(_) => return Finding::unseen(what, "the store cannot be read"),
    };
    let Failed { dead, unknown, died_since } = failed;
    let file = file.display();
    let see = format!("`ackd events --dead --unknown --config {file}` lists them");
    match (dead + unknown, died_since) {
        (0, _) => Finding::ok(what, "none is dead or unknown"),
        (_, 0) => Finding::note(what, format!("{dead} dead, {unknown} unknown, none died in the last 24 hours; {see}")),
        (_, lately) => {
            let wrong = format!("{dead} dead, {unknown} unknown, {lately} died in the last 24 hours");
            let mend = "`ackd why ID` says why, `ackd replay ID` puts one back, `ackd resolve ID` leaves it at that";
            Finding::wrong(what, wrong, format!("{see}; {mend}"))
        }
    }
}

/// Whether the daemon may open as many files as the configuration's connections need; and how many of them it has taken up,
/// since it takes another number with a restart only, and fewer where it may not open enough.
pub(super) fn open_files(
    wanted: usize,
    taken: Option<usize>,
    process: Option<u32>,
    file: &Path,
    machine: &dyn Machine,
) -> Finding {
    let what = "open files";
    let path = of_process(process, "limits");
    let limits = match machine.read(&path) {
        Ok(limits) => limits,
        Err(error) => return Finding::unseen(what, format!("{} cannot be read: {error}", path.display())),
    };
    let Some((soft, hard)) = files_allowed(&String::from_utf8_lossy(&limits)) else {
        return Finding::unseen(what, format!("{} does not name the limit", path.display()));
    };
    // A daemon raises its own limit as far as it may; so what is left is what it has, and what it will have.
    let (whose, allowed) = match process {
        Some(_) => ("the daemon", soft),
        None => ("a daemon started from this shell", hard),
    };
    let needed = wanted.saturating_add(DESCRIPTORS_RESERVED);
    let now = taken.map(|taken| format!("the running one takes {} at once", counted(taken as u64, "connection")));
    if allowed < needed as u64 {
        let room = allowed.saturating_sub(DESCRIPTORS_RESERVED as u64).max(1);
        let now = now.map_or_else(String::new, |now| format!("; {now}"));
        let wrong = format!("{whose} may open {allowed}, and needs {needed} for connections = {wanted}{now}");
        let mend = format!(
            "write LimitNOFILE={needed} below [Service] with `systemctl edit ackd`, or connections = {room} in {}; then \
             restart ackd",
            file.display()
        );
        return Finding::wrong(what, wrong, mend);
    }
    let allowed = if allowed == u64::MAX { "any number".to_owned() } else { allowed.to_string() };
    let told = format!("{whose} may open {allowed}, and needs {needed} for connections = {wanted}");
    match now {
        Some(now) if taken != Some(wanted) => Finding::note(what, format!("{told}; {now}, until a restart")),
        Some(now) => Finding::ok(what, format!("{told}; {now}")),
        None => Finding::ok(what, told),
    }
}

/// A file about a process; without a number about our own.
fn of_process(process: Option<u32>, name: &str) -> PathBuf {
    let number = process.map_or_else(|| "self".to_owned(), |process| process.to_string());
    PathBuf::from(format!("/proc/{number}/{name}"))
}

/// Soft and hard limit of open files, out of /proc/PID/limits.
fn files_allowed(limits: &str) -> Option<(u64, u64)> {
    let row = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let number = |word: &str| if word == "unlimited" { Some(u64::MAX) } else { word.parse().ok() };
    let mut numbers = row.split_whitespace();
    Some((number(numbers.next()?)?, number(numbers.next()?)?))
}

/// Whether the daemon may take as much memory as it may need.
pub(super) fn memory(connections: usize, process: Option<u32>, machine: &dyn Machine) -> Finding {
    let what = "memory";
    let whose = if process.is_some() { "the daemon" } else { "a daemon started from this shell" };
    let needed = MEMORY_BYTES_MIN.saturating_add(CONNECTION_BYTES.saturating_mul(connections as u64));
    let connections = counted(connections as u64, "connection");
    let needs = format!("may need {} MiB for {connections}", needed.div_ceil(MIB));
    let path = of_process(process, "cgroup");
    let groups = match machine.read(&path) {
        Ok(groups) => groups,
        Err(error) => return Finding::unseen(what, format!("{} cannot be read: {error}", path.display())),
    };
    match memory_allowed(&String::from_utf8_lossy(&groups), machine) {
        Some(allowed) if allowed < needed => {
            let wrong = format!("{whose} may take {} MiB, and {needs}", allowed / MIB);
            let needed = needed.div_ceil(MIB);
            let mend = format!(
                "write MemoryMax={needed}M below [Service] with `systemctl edit ackd`, or a smaller `connections` into \
                 the configuration; then restart ackd"
            );
            Finding::wrong(what, wrong, mend)
        }
        Some(allowed) => Finding::ok(what, format!("{whose} may take {} MiB, and {needs}", allowed / MIB)),
        None => Finding::ok(what, format!("no limit is set for {whose}; it {needs}")),
    }
}

/// The least that any of a process's control groups allows, in bytes. Groups of version 2 only: in version 1 systemd's
/// own limits for units are old, and everybody has left it.
fn memory_allowed(groups: &str, machine: &dyn Machine) -> Option<u64> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = Path::new("/sys/fs/cgroup");
    // From outside of a container's name space a path may begin with dots; what is above our root cannot be seen.
    let inside = Path::new(group).components().filter(|part| matches!(part, Component::Normal(_)));
    let whole = root.join(inside.collect::<PathBuf>());
    let limits = whole.ancestors().take_while(|folder| folder.starts_with(root)).filter_map(|folder| {
        let limit = machine.read(&folder.join("memory.max")).ok()?;
        String::from_utf8_lossy(&limit).trim().parse::<u64>().ok()
    });
    limits.min()
}
