//! Opening the file: ours or refused, never overwritten; and one ackd for each file.

use super::schema;
use crate::store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Files up to this size, in bytes, are checked as a whole when they are opened; larger ones page by page, as
/// they are read. Checking 4 MiB takes a few milliseconds.
const CHECKED_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// An open store file, locked for this process until dropped.
#[derive(Debug)]
pub struct SqliteFile {
    pub(super) connection: Connection,
    pub(super) identity: String,
    pub(super) path: PathBuf,
    /// Pages in the write-ahead log after the last commit.
    pub(super) log_pages: Arc<AtomicU32>,
    _lock: File,
}

/// Turns an error of SQLite into words that say what to do.
pub(super) fn words(doing: &str, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    let hint = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "; free some space on that disk, ackd goes on by itself",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "; let ackd's user write the file and its folder"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "; the file is damaged: stop ackd, keep a copy, and try `sqlite3 FILE .recover`"
        }
        _ => "",
    };
    StoreError(format!("{doing}: {error}{hint}"))
}

/// Where the lock of a store lies: a file beside it, so that looking whether somebody holds the store needs no
/// look into it.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

impl SqliteFile {
    /// Opens the store at `path`, making it if there is none. An error names the file and what to do.
    pub fn open(path: &Path) -> Result<SqliteFile, StoreError> {
        SqliteFile::open_free(path)?.ok_or_else(|| SqliteFile::held(path))
    }

    /// What is said of a store that another process holds.
    pub fn held(path: &Path) -> StoreError {
        let what = "another ackd works on it; stop that one first, or give this one a store of its own";
        StoreError(format!("store {}: {what}", path.display()))
    }

    /// The same for the command that `user` typed while no daemon runs; `None` when a process holds the store after
    /// all. It makes no store, and leaves that of another user alone: the owner could not open what it makes beside it.
    pub fn open_as(path: &Path, user: u32) -> Result<Option<SqliteFile>, StoreError> {
        let said = |what: String| StoreError(format!("store {}: {what}", path.display()));
        let owner = match fs::metadata(path) {
            Ok(file) => file.uid(),
            Err(error) => return Err(said(unseen(&error))),
        };
        if owner != user {
            return Err(said(format!(
                "no ackd runs, and it belongs to another user (number {owner}); run this as its owner: sudo -u \
                 '#{owner}' ackd …"
            )));
        }
        SqliteFile::open_free(path)
    }

    /// Opens the store at `path`, making it if there is none; `None` when a process holds it.
    pub fn open_free(path: &Path) -> Result<Option<SqliteFile>, StoreError> {
        let said = |what: String| StoreError(format!("store {}: {what}", path.display()));
        let Some((lock, made)) = lock(path).map_err(said)? else { return Ok(None) };
        let log_pages = Arc::default();
        let opened = private(path)
            .map_err(|error| format!("cannot open: {error}"))
            .and_then(|file| look(file, path))
            .and_then(|()| connect(path, &log_pages).map_err(|error| error.0));
        let connection = opened.map_err(|what| {
            // Beside somebody else's file nothing of ours stays. Whoever waits for that lock is refused like us.
            if made && what == FOREIGN {
                let _ = fs::remove_file(lock_path(path));
            }
            said(what)
        })?;
        let identity = connection
            .query_row("SELECT value FROM about WHERE name = 'identity'", [], |row| row.get(0))
            .map_err(|error| said(words("reading", &error).0))?;
        Ok(Some(SqliteFile { connection, identity, path: path.to_owned(), log_pages, _lock: lock }))
    }

    /// What tells this store from every other.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Why the file at `path` would not be opened, as far as its beginning tells; nothing is made, locked or changed.
    pub fn examine(path: &Path) -> Result<(), StoreError> {
        let said = |what: String| StoreError(format!("store {}: {what}", path.display()));
        match fs::metadata(path) {
            // Opening a pipe would wait for somebody to write into it.
            Ok(file) if !file.is_file() => return Err(said(FOREIGN.to_owned())),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(said(unseen(&error))),
        }
        let file = File::open(path).map_err(|error| said(unseen(&error)))?;
        look(file, path).map_err(said)
    }

    /// Whether a process holds the store at `path`. An error when this user cannot know.
    pub fn is_held(path: &Path) -> Result<bool, StoreError> {
        let beside = lock_path(path);
        let look = match File::open(&beside) {
            // Shared, so that two who look do not take each other for a holder.
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => Ok(false),
                Err(TryLockError::WouldBlock) => Ok(true),
                Err(TryLockError::Error(error)) => Err(error),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        };
        look.map_err(|error| {
            let beside = beside.display();
            StoreError(format!("whether an ackd runs cannot be seen: {beside}: {error}; {AS_OWNER}"))
        })
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// What somebody may do who is not let at a file.
pub(super) const AS_OWNER: &str = "run this as ackd's user, or with sudo";

/// Why a store cannot be looked at.
pub(super) fn unseen(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is none yet; `ackd run` makes it".to_owned(),
        _ => format!("{error}; {AS_OWNER}"),
    }
}

/// The lock of a store, unless somebody else has it; and whether its file was made for it.
fn lock(path: &Path) -> Result<Option<(File, bool)>, String> {
    let beside = lock_path(path);
    let made = !fs::exists(&beside).unwrap_or(true);
    let file = private(&beside)
        .map_err(|error| format!("cannot make {}: {error}; the folder must exist and be writable", beside.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some((file, made))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(format!("cannot lock {}: {error}", beside.display())),
    }
}

pub(super) const FOREIGN: &str = "this is not a store of ackd; nothing was changed; name another file in `store`";

fn newer(version: i64) -> String {
    format!(
        "it was written by a newer ackd (store version {version}, this one knows {}); nothing was changed; run that \
         version again",
        schema::VERSION
    )
}

/// Whether the file of a store holds nothing, not even in the log beside it.
pub(super) fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() == 0) && !has_log(path)
}

/// Whether there is a log beside the file that was not moved into it yet.
pub(super) fn has_log(path: &Path) -> bool {
    fs::metadata(format!("{}-wal", path.display())).is_ok_and(|log| log.len() > 0)
}

/// What stands at the beginning of a store; an error when the file is somebody else's. With a log beside it that may
/// not be in the file yet, and only SQLite can tell.
pub(super) fn header(file: &mut File, log: bool) -> Result<[u8; 100], String> {
    let mut header = [0_u8; 100];
    match file.read_exact(&mut header) {
        Ok(()) if header.starts_with(b"SQLite format 3\0") => {}
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(format!("cannot look: {error}")),
        _ => return Err(FOREIGN.to_owned()),
    }
    let application = number(&header, 68);
    if application != schema::APPLICATION as u32 && !(log && application == 0) {
        return Err(FOREIGN.to_owned());
    }
    Ok(header)
}

/// Four bytes of a header. Offsets are from the SQLite file format, section 1.3: page count 28, user version 60,
/// application id 68.
fn number(header: &[u8], at: usize) -> u32 {
    header.get(at..at + 4).map_or(0, |four| four.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}

/// Looks at the bytes before SQLite does, which would take a foreign file for its own or begin a rollback.
fn look(mut file: File, path: &Path) -> Result<(), String> {
    let length = file.metadata().map_err(|error| format!("cannot look: {error}"))?.len();
    if length == 0 {
        return Ok(());
    }
    let wal = has_log(path);
    let header = header(&mut file, wal)?;
    let (pages, version) = (number(&header, 28), number(&header, 60));
    if i64::from(version) > schema::VERSION {
        return Err(newer(i64::from(version)));
    }
    let page = match header.get(16..18) {
        Some([0, 1]) => 65_536,
        Some([high, low]) => u64::from(*high) << 8 | u64::from(*low),
        _ => 0,
    };
    if !wal && length < u64::from(pages) * page {
        return Err(format!(
            "the file is damaged: {length} bytes, but its header speaks of {pages} pages of {page}; nothing was \
             changed; restore a backup, or keep a copy and try `sqlite3 FILE .recover`"
        ));
    }
    Ok(())
}

fn connect(path: &Path, log_pages: &Arc<AtomicU32>) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| words("opening", &error))?;
    let read = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let version = read("PRAGMA user_version").map_err(|error| words("reading", &error))?;
    let application = read("PRAGMA application_id").map_err(|error| words("reading", &error))?;
    let tables = read("SELECT count(*) FROM sqlite_master").map_err(|error| words("reading", &error))?;
    // What the header could not tell, since the newest pages may still be in the log beside the file.
    if tables > 0 && application != i64::from(schema::APPLICATION) {
        return Err(StoreError(FOREIGN.to_owned()));
    }
    if version > schema::VERSION {
        return Err(StoreError(newer(version)));
    }
    // A plan is made once. Otherwise each new value of a LIMIT, which the planner looks at, has the statement prepared again.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|error| words("setting up", &error))?;
    // FULL: a commit is on the disk when it returns. The keeper does the checkpoints, when nobody waits. 2 MB of cache.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
             PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 5000;
             PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(|error| words("setting up", &error))?;
    let counter = Arc::clone(log_pages);
    let count = move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
        counter.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
        Ok(())
    };
    connection.wal_hook(Some(count)).map_err(|error| words("setting up", &error))?;
    schema::migrate(&connection, version)?;
    if fs::metadata(path).is_ok_and(|file| file.len() <= CHECKED_BYTES_MAX) {
        let verdict: String = connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|error| words("checking", &error))?;
        if verdict != "ok" {
            return Err(StoreError(format!(
                "the file is damaged ({verdict}); nothing was changed; restore a backup, or keep a copy and try \
                 `sqlite3 FILE .recover`"
            )));
        }
    }
    Ok(connection)
}
