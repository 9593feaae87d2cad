//! Moves the write-ahead log into the database beside the writer, so that no acknowledgement waits for it.
//!
//!     log long ──▶ pass on a thread ──▶ much came in meanwhile ──▶ another pass
//!                                   └─▶ little ──▶ the writer moves the rest itself, and the log begins anew
//!
//! The log can only begin anew when all of it has been moved, and while somebody writes there is always a rest; so
//! passes make the rest small, and the writer's own share is a few milliseconds. The thread lives for one pass and
//! has a connection of its own: at rest it costs nothing. (Two connections at the log at once are sound from SQLite
//! 3.51.3 on; the bundled one is newer.)

use super::file::words;
use crate::limits;
use crate::store::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

/// What the writer is to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    Nothing,
    /// Move what is left, now.
    Rest,
}

/// The passes over one store's log.
#[derive(Debug)]
pub(super) struct Checkpointer {
    path: PathBuf,
    pass: Option<Pass>,
    passes: u32,
}

#[derive(Debug)]
struct Pass {
    thread: JoinHandle<Result<(), StoreError>>,
    /// Length of the log when the pass began, in pages.
    pages: u32,
}

impl Checkpointer {
    pub(super) fn new(path: &Path) -> Checkpointer {
        Checkpointer { path: path.to_owned(), pass: None, passes: 0 }
    }

    /// Looks at the length of the log after a commit, in pages.
    pub(super) fn look(&mut self, pages: u32) -> Result<Share, StoreError> {
        let Some(pass) = self.pass.take_if(|pass| pass.thread.is_finished()) else {
            if self.pass.is_none() && pages >= limits::CHECKPOINT_PAGES {
                self.begin(pages)?;
            }
            return Ok(Share::Nothing);
        };
        pass.thread.join().map_err(|_| StoreError("moving the log into the store: a panic".to_owned()))??;
        let rest = pages.saturating_sub(pass.pages);
        if rest <= limits::CHECKPOINT_REST_PAGES || self.passes >= limits::CHECKPOINT_PASSES {
            self.passes = 0;
            return Ok(Share::Rest);
        }
        self.begin(pages)?;
        Ok(Share::Nothing)
    }

    /// Waits for a pass that is under way, before the store is closed.
    pub(super) fn wait(&mut self) {
        if let Some(pass) = self.pass.take() {
            // What it could not do, the writer's own share does.
            let _ = pass.thread.join();
        }
    }

    fn begin(&mut self, pages: u32) -> Result<(), StoreError> {
        let path = self.path.clone();
        let thread = thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || pass(&path))
            .map_err(|error| StoreError(format!("starting a thread to move the log: {error}")))?;
        self.pass = Some(Pass { thread, pages });
        self.passes += 1;
        Ok(())
    }
}

fn pass(path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| words("opening", &error))?;
    checkpoint(&connection)
}

/// Moves as much of the log as can be moved without waiting for anybody. Synced by SQLite.
pub(super) fn checkpoint(connection: &Connection) -> Result<(), StoreError> {
    connection
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        .map_err(|error| words("moving the log into the store", &error))
}
