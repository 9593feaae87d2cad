//! What cargo has no key for: pages in the form in which they are sent, and how the released program is laid out
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

/// What is sent gzipped, each with its name in `OUT_DIR`.
const PAGES: [(&str, &str); 4] = [
    ("src/page/chat.html", "chat.html.gz"),
    ("src/inspector/page.html", "inspector.html.gz"),
    ("src/inspector/page.js", "inspector.js.gz"),
    ("src/inspector/page.css", "inspector.css.gz"),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=.cargo/build.rs");
    println!("cargo::rerun-if-changed=.cargo/layout.ld");
    let told = |name: &str| env::var(name).unwrap_or_default();
    for (page, gzipped) in PAGES {
        println!("cargo::rerun-if-changed={page}");
        let page = fs::read(Path::new(&told("CARGO_MANIFEST_DIR")).join(page))?;
        fs::write(Path::new(&told("OUT_DIR")).join(gzipped), gzip(&page)?)?;
    }
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
