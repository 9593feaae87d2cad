//! The man page and the completions for shells, written from the command line's own definition and tried.
//!
//! They lie in package/, for whoever builds a package or installs by hand; after a change of the command line
//!
//!     ACKD_WRITE_PAPERS=1 cargo test --test papers
//!
//! writes them anew. What a shell or a reader of man pages says of them is looked at with the real ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

mod definition;
mod man;
mod shells;

use ackd::cli::args::parse;
use definition::{Opt, commands, everywhere};
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Once;

const PAGE: &str = "ackd.1";
const BASH: &str = "ackd.bash";
const ZSH: &str = "_ackd";
const FISH: &str = "ackd.fish";

/// The papers by the names of their files.
fn papers() -> [(&'static str, String); 4] {
    let commands = commands();
    [
        (PAGE, man::page(&commands)),
        (BASH, shells::bash(&commands)),
        (ZSH, shells::zsh(&commands)),
        (FISH, shells::fish(&commands)),
    ]
}

/// Where a paper lies, written anew before the first look if that was asked for.
fn path(name: &str) -> PathBuf {
    static WRITTEN: Once = Once::new();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("package");
    if std::env::var_os("ACKD_WRITE_PAPERS").is_some() {
        WRITTEN.call_once(|| papers().iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap()));
    }
    folder.join(name)
}

/// What a program says to this input, or nothing where it is not installed.
fn run(program: &str, args: &[&str], input: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C.UTF-8").env("TERM", "dumb").env("MANWIDTH", "80");
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = started else {
        println!("SKIPPED: there is no {program}");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{program} {args:?}: {} {complaints}", output.status);
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn what_lies_in_package_is_written_from_this_very_command_line() {
    for (name, text) in papers() {
        let there = fs::read_to_string(path(name)).unwrap_or_default();
        assert!(there == text, "package/{name} is old; write it with: ACKD_WRITE_PAPERS=1 cargo test --test papers");
    }
}

#[test]
fn every_command_and_option_is_told_in_the_help() {
    for command in commands() {
        let name = command.name;
        assert!(!command.about.is_empty(), "the overview does not tell {name}");
        let synopsis = command.synopsis.join(" ");
        for Opt { long, about, .. } in &command.options {
            assert!(!about.is_empty(), "the help of {name} does not tell --{long}");
            let called = synopsis.contains(&format!("--{long}"));
            assert!(called || everywhere().iter().any(|option| option.long == *long), "{name} is called with --{long}");
        }
        for word in synopsis.split(['[', ']', ' ']).filter_map(|word| word.strip_prefix("--")) {
            assert!(command.options.iter().any(|option| option.long == word), "{name} knows no --{word}");
        }
    }
    assert_eq!(everywhere().len(), ackd::cli::args::EVERYWHERE.len());
}

/// What the definition says is what the command line takes.
#[test]
fn values_and_actions_are_those_that_are_understood() {
    for command in commands() {
        for Opt { long, value, .. } in
            command.options.iter().filter(|option| !["help", "version"].contains(&option.long))
        {
            let words = [command.name.to_owned(), format!("--{long}=")];
            let said = parse(words.map(OsString::from)).map_or_else(|error| error.to_string(), |_| String::new());
            assert_eq!(said.contains("unexpected argument"), value.is_none(), "{} --{long}: {said}", command.name);
        }
        for action in &command.actions {
            let said = parse([command.name, action, "698910067"].map(OsString::from));
            let said = said.map_or_else(|error| error.to_string(), |_| String::new());
            assert!(!said.contains("takes no"), "{said}");
        }
    }
}

#[test]
fn the_man_page_reads_without_a_warning() {
    let page = fs::read_to_string(path(PAGE)).unwrap();
    let Some(read) = run("groff", &["-man", "-ww", "-Tascii", "-P-c", "-P-b", "-P-o", "-P-u"], &page) else { return };
    for words in ["ackd run [--config FILE]", "--channel NAME", "SIGHUP", "replay ID... | --dead", "0      done"] {
        assert!(read.contains(words), "{words:?} is not in\n{read}");
    }
    for heading in
        ["EXIT STATUS", "ENVIRONMENT", "FILES", "SIGNALS"].iter().copied().chain(commands().iter().map(|it| it.name))
    {
        assert!(read.lines().any(|line| line.trim() == heading), "no heading {heading}");
    }
    run("man", &["--warnings", "-l", path(PAGE).to_str().unwrap()], "");
}

#[test]
fn the_package_has_the_version_of_the_program() {
    let changelog = fs::read_to_string(path("changelog")).unwrap();
    let version = changelog.strip_prefix("ackd (").and_then(|rest| rest.split('-').next());
    assert_eq!(version, Some(env!("CARGO_PKG_VERSION")), "package/changelog: say in it what is new");
}

/// What is typed, and what a shell must offer for it; with nothing, there must be nothing.
const TYPED: &[(&str, &[&str])] = &[
    ("ackd ev", &["events"]),
    ("ackd events --de", &["--dead"]),
    ("ackd events --f", &["--follow"]),
    ("ackd webhook l", &["list"]),
    ("ackd webhook --config ackd.toml sy", &["sync"]),
    ("ackd --config ackd.toml why --ver", &["--verbose", "--version"]),
    ("ackd help rel", &["reload"]),
    ("ackd run --de", &[]),
    ("ackd --config pack", &["package/"]),
    ("ackd run --config pack", &["package/"]),
];

#[test]
fn a_real_bash_completes_what_is_typed() {
    let script = path(BASH);
    let Some(_) = run("bash", &["-n", script.to_str().unwrap()], "") else { return };
    // As a shell with a terminal calls it; a folder's stroke is added there.
    let mut lines = format!("source {}\n", script.display());
    let parted = ("ackd run --config = pack", ["package/"].as_slice());
    let all: Vec<_> = TYPED.iter().copied().chain([parted]).collect();
    for (typed, _) in &all {
        lines += &format!(
            "COMP_WORDS=({typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=(); _ackd; echo \"${{COMPREPLY[*]}}\"\n"
        );
    }
    let offered = run("bash", &["--norc", "--noprofile"], &lines).unwrap();
    for ((typed, expected), offered) in all.iter().zip(offered.lines().chain(std::iter::repeat(""))) {
        let expected: Vec<_> = expected.iter().map(|word| word.trim_end_matches('/')).collect();
        assert_eq!(offered, expected.join(" "), "{typed}");
    }
}

#[test]
fn a_real_fish_completes_what_is_typed() {
    let script = path(FISH);
    let Some(_) = run("fish", &["--no-config", "-n", script.to_str().unwrap()], "") else { return };
    for (typed, expected) in TYPED {
        let line = format!("source {}; complete -C '{typed}'", script.display());
        let offered = run("fish", &["--no-config", "-c", &line], "").unwrap();
        let offered: Vec<_> = offered.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(offered, *expected, "{typed}");
    }
}

/// In a shell with a terminal of its own, where `ackd` writes down the words that it was given, and ends.
#[test]
fn a_real_zsh_completes_what_is_typed() {
    let Some(_) = run("zsh", &["-n", path(ZSH).to_str().unwrap()], "") else { return };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("papers-zsh");
    fs::create_dir_all(&folder).unwrap();
    let (package, folder) = (path(""), folder.display());
    let start = format!(
        "fpath=({} $fpath); autoload -U compinit; compinit -u -D\nackd() {{ print -r -- \"$*\" > {folder}/said; exit }}\n",
        package.display()
    );
    fs::write(format!("{folder}/.zshrc"), start).unwrap();
    for (typed, expected) in TYPED.iter().filter(|(_, expected)| expected.len() == 1) {
        let before = typed.rsplit_once(' ').unwrap().0.strip_prefix("ackd").unwrap();
        let line = format!(
            "zmodload zsh/zpty; zpty shell env ZDOTDIR={folder} zsh -d -i; zpty -w -n shell \"{typed}\"$'\\t\\n'\n\
             while zpty -r shell; do :; done > {folder}/terminal; cat {folder}/said; rm {folder}/said"
        );
        let said = run("zsh", &["-f", "-c", &line], "").unwrap();
        // A folder's stroke goes again when nothing follows it.
        let expected = format!("{before} {}", expected[0].trim_end_matches('/'));
        assert_eq!(said.trim(), expected.trim(), "{typed}");
    }
}
