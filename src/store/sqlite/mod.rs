//! The default engine: one SQLite file, one writing connection, write-ahead log, every commit synced.
//!
//!     file.rs         opening: ours or refused; one ackd for each file
//!     schema.rs       the tables, and how they grow with the versions
//!     statements.rs   every statement, prepared once
//!     engine.rs       the verbs of `Store`; what they do is in
//!     admit.rs          taking in events and replies
//!     leases.rs         handing out what is due
//!     jobs.rs           what follows from its end: go on, wait, be free
//!     alarms.rs         what is to ring, and finding what is due
//!     aside.rs          what is held, and what is put back
//!     upkeep.rs         bots' memory, old events, cursors
//!     checkpoint.rs   the write-ahead log into the database, beside the writer
//!     reader.rs       lists for `ackd events` and `ackd why`, read-only
//!     glance.rs       the same without receipts
//!     backlog.rs      how much waits, for whoever watches
//!     recall.rs       what is remembered, read-only
//!     soundness.rs    whether the file is whole, for `ackd doctor`
//!
//! Statements are prepared once and live as long as the connection, so the engine borrows the file:
//! `let file = SqliteFile::open(path)?; let mut store = file.engine()?;`

mod admit;
mod alarms;
mod aside;
mod backlog;
mod checkpoint;
mod engine;
mod file;
mod glance;
mod jobs;
mod leases;
mod reader;
mod recall;
mod schema;
mod soundness;
mod statements;
mod upkeep;
mod walk;

pub use engine::Engine;
pub use file::SqliteFile;
pub use glance::{Glance, is_receipt};
pub use reader::{EventLine, Filter, Reader};
pub use soundness::{Failed, Soundness};
pub use walk::{Seen, Way};
