//! The default engine: one SQLite file, one writing connection, write-ahead log, every commit synced.
//!
//!     file.rs         opening: ours or refused; one ackd for each file
//!     schema.rs       the tables, and how they grow with the versions
//!     engine.rs       the verbs of `Store`
//!     checkpoint.rs   the write-ahead log into the database, beside the writer
//!     people.rs       lists for `ackd events` and `ackd why`, read-only
//!
//! Statements are prepared once and live as long as the connection, so the engine borrows the file:
//! `let file = SqliteFile::open(path)?; let mut store = file.engine()?;`

mod checkpoint;
mod engine;
mod file;
mod people;
mod schema;

pub use engine::Engine;
pub use file::SqliteFile;
pub use people::{EventLine, Filter, Reader};
