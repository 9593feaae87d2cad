//! What cargo has no key for: the chat page in the form in which it is sent, and how the released program is laid out
//! (`layout.ld`).
//!
//! The layout only for the target it was measured on, with Rust's own linker; without it ackd works the same, larger.
//! As flags for all, in `config.toml`, it would also be given to the build scripts of dependencies, which it breaks.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo that way")]

use flate2::{Compression, GzBuilder};
use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

const PAGE: &str = "src/page/chat.html";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=.cargo/build.rs");
    println!("cargo::rerun-if-changed=.cargo/layout.ld");
    let told = |name: &str| env::var(name).unwrap_or_default();
    println!("cargo::rerun-if-changed={PAGE}");
    let page = fs::read(Path::new(&told("CARGO_MANIFEST_DIR")).join(PAGE))?;
    fs::write(Path::new(&told("OUT_DIR")).join("chat.html.gz"), gzip(&page)?)?;
    // Only a released program aborts at a panic; a test's unwinds, and needs the tables that the script leaves out.
    if told("PROFILE") == "release" && told("TARGET") == "x86_64-unknown-linux-gnu" {
        println!("cargo::rustc-link-arg-bins=-Wl,--script={}/.cargo/layout.ld", told("CARGO_MANIFEST_DIR"));
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    }
    Ok(())
}

/// Without a time or a name in it, so that the same page is always the same bytes.
fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = GzBuilder::new().write(Vec::new(), Compression::best());
    out.write_all(bytes)?;
    out.finish()
}
