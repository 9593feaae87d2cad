//! What cargo has no key for: how the released program is laid out (`layout.ld`).
//!
//! Only for the target it was measured on, with Rust's own linker; without it ackd works the same, larger. As flags
//! for all, in `config.toml`, it would also be given to the build scripts of dependencies, which it breaks.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo that way")]

fn main() {
    println!("cargo::rerun-if-changed=.cargo/build.rs");
    println!("cargo::rerun-if-changed=.cargo/layout.ld");
    let told = |name: &str| std::env::var(name).unwrap_or_default();
    // Only a released program aborts at a panic; a test's unwinds, and needs the tables that the script leaves out.
    if told("PROFILE") == "release" && told("TARGET") == "x86_64-unknown-linux-gnu" {
        println!("cargo::rustc-link-arg-bins=-Wl,--script={}/.cargo/layout.ld", told("CARGO_MANIFEST_DIR"));
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    }
}
