//! What is typed at a shell: arguments → `Command`, and the commands that are more than a call.
//!
//!     args.rs    words → Command, or a UsageError that says what to type
//!     help.rs    the texts of --help
//!     check.rs   ackd check
//!
//! Never here: ending the process, reading the environment; `main.rs` does both.

pub mod args;
pub mod check;
pub mod help;
