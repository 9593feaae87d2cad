//! The repository checks itself: which room may use which, which crate lives where, and what never stays in a commit.
//!
//! A test fails with all it found, one line each, in the form `file:line: what is wrong; what to do instead`. It looks
//! at code only: comments and words in quotes are blanked first. `#[cfg(test)]` parts may use what they like.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rooms of src/lib.rs from the top down; each may use those below it and none above. In its last column what to
/// do instead, for whoever wants to go up.
const ROOMS: &[(&str, &str)] = &[
    ("cli", "what several commands need belongs below, and main.rs alone calls cli/"),
    ("daemon", "the daemon hands in what a room needs"),
    ("page", "the page shows what is there; hand it in"),
    ("twin", "a twin knows the facts, not our own side"),
    ("config", "take the setting as an argument"),
    ("net", "answer with a value; the loop writes it"),
    ("registry", "registrations are looked after from above: by the daemon or a command"),
    ("work", "return what is to be done; a worker does it"),
    ("keeper", "send the keeper a letter, or return what it should do"),
    ("systemd", "only the daemon speaks to systemd"),
    ("intake", "return a value; the intake asks, it is not asked"),
    ("inspector", "whoever has a reader hands it in"),
    ("http", "take a `model::Request` or `model::Response`"),
    ("tls", "hand it certificates, keys and the time"),
    ("platform", "the worker brings platform and bot together"),
    ("queue", "take the moment as an argument"),
    ("meter", "a figure is told to it by whoever counts"),
    ("bot", "return a reply, or ask the desk"),
    ("chart", "hand in the numbers"),
    ("store", "ask the desk instead"),
    ("model", "a noun that crosses a wall belongs to model/"),
    ("notation", "take bytes or text, and return the other"),
    ("limits", ""),
];

/// Pairs that the order alone would allow, and that the shape of the program does not: bots know their desk and nothing
/// else, what is pure keeps nothing, a loop that waits only in poll works nowhere else.
const WALLS: &[(&str, &[&str], &str)] = &[
    ("bot", &["store"], "ask the desk instead"),
    (
        "twin",
        &["config", "net", "registry", "keeper", "systemd", "intake", "platform", "queue", "bot", "store"],
        "a twin tests our side, so it shares nothing with it",
    ),
    ("platform", &["bot", "chart", "store"], "the worker brings platform, bot and store together"),
    ("chart", &["store", "model"], "a chart knows numbers and labels"),
    ("queue", &["bot", "store"], "take what decides as an argument"),
    ("meter", &["bot", "chart", "store"], "it knows numbers and names"),
    ("http", &["tls", "platform", "queue", "bot", "store"], "http/ knows one connection and no route"),
    ("tls", &["platform", "queue", "bot", "chart", "store"], "it knows certificates"),
    ("intake", &["http", "queue", "bot", "store"], "return a `Verdict`; others act on it"),
    (
        "inspector",
        &["http", "tls", "platform", "queue", "meter", "bot", "chart"],
        "it shows what the store says, and nothing else",
    ),
    (
        "keeper",
        &["intake", "inspector", "http", "platform", "bot", "systemd"],
        "the keeper knows jobs, not who does them",
    ),
    ("registry", &["systemd", "intake", "http", "queue", "bot", "store"], "a registration is calls, and nothing else"),
    ("work", &["intake", "http", "systemd"], "a worker's door is its lease"),
    ("net", &["registry", "work", "platform", "queue", "bot", "store", "systemd"], "send the keeper a letter"),
    ("config", &["net", "work", "keeper", "intake", "http", "systemd", "store"], "the daemon joins them"),
];

/// Crates that stay in their room, with the files or folders that may name them.
const CRATES: &[(&str, &[&str])] = &[
    ("mio", &["src/net/"]),
    ("httparse", &["src/http/"]),
    ("ureq", &["src/work/fetch.rs", "src/work/resolve.rs"]),
    ("rustls", &["src/tls/", "src/net/", "src/work/fetch.rs"]),
    ("webpki", &["src/tls/"]),
    ("rustls_native_certs", &["src/work/fetch.rs"]),
    ("rusqlite", &["src/store/sqlite/"]),
    ("toml", &["src/config/"]),
    ("libm", &["src/twin/enphase/sun.rs"]),
    ("croner", &["src/queue/schedule.rs"]),
    ("base64", &["src/notation.rs", "src/platform/webex/id.rs", "src/twin/base64.rs"]),
    ("embedded_graphics", &["src/chart/"]),
    ("gif", &["src/chart/"]),
    ("lexopt", &["src/cli/args.rs"]),
    ("sd_notify", &["src/systemd.rs"]),
    ("listenfd", &["src/systemd.rs"]),
    ("signal_hook", &["src/net/signals.rs"]),
    ("rustix", &["src/daemon/", "src/net/listener.rs", "src/cli/"]),
];

/// Rooms that are handed time and chance, and what they must not call.
const PURE: &[&str] =
    &["intake", "inspector", "http", "tls", "platform", "queue", "meter", "bot", "chart", "model", "notation"];
const CLOCKS: &[&str] = &["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now", "SystemRandom"];

/// The longest function and the largest file under src/, in lines of code: no blank lines, comments or tests. Not yet
/// good enough, so they only go down. Whoever makes one smaller writes the smaller number here.
const LONGEST_FUNCTION: usize = 52;
const LARGEST_FILE: usize = 386;

/// All that may lie at the top of the repository.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".dockerignore",
    ".gitattributes",
    ".gitignore",
    ".rustfmt.toml",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "OPERATING.md",
    "README.md",
    "benches",
    "examples",
    "fuzz",
    "package",
    "src",
    "systemd",
    "tests",
];

#[test]
fn rooms_use_only_what_lies_below_them() {
    let mut faults = Vec::new();
    for file in sources() {
        let Some(from) = file.room() else { continue };
        for (line, to) in file.rooms_used() {
            if to == from {
                continue;
            }
            let place = format!("{}:{line}", file.name);
            match (rank(from), rank(&to)) {
                (Some(here), Some(there)) => {
                    let wall = WALLS.iter().find(|(room, closed, _)| *room == from && closed.contains(&&*to));
                    let instead = match wall {
                        Some((.., instead)) => instead,
                        None if there < here => ROOMS[there].1,
                        None => continue,
                    };
                    faults.push(format!("{place}: {from}/ may not import {to}/; {instead}"));
                }
                (None, _) => faults.push(format!("{place}: {from}/ is no room of tests/tidy.rs; give it its place")),
                (_, None) => faults.push(format!("{place}: {to} is no room of tests/tidy.rs; give it its place")),
            }
        }
    }
    none_of(faults);
}

#[test]
fn lib_rs_has_the_rooms_in_this_order() {
    let text = read("src/lib.rs");
    let map: Vec<_> = text
        .lines()
        .skip_while(|line| !line.starts_with("//! The rooms"))
        .skip(2)
        .map_while(|line| line.strip_prefix("//!     "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(map, ROOMS.iter().map(|(room, _)| *room).collect::<Vec<_>>(), "src/lib.rs and tests/tidy.rs differ");
    let mods: BTreeSet<_> = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(mods, map.into_iter().collect(), "the map of src/lib.rs and its `mod` lines differ");
}

#[test]
fn crates_stay_in_their_room() {
    let mut faults = Vec::new();
    for file in sources() {
        for (line, code) in file.lines() {
            for (name, home) in CRATES {
                if names_crate(code, name) && !home.iter().any(|home| file.name.starts_with(home)) {
                    faults.push(format!("{}:{line}: {name} stays in {}", file.name, home.join(", ")));
                }
            }
        }
    }
    none_of(faults);
}

#[test]
fn pure_rooms_are_handed_the_time() {
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| file.room().is_some_and(|room| PURE.contains(&room))) {
        for (line, code) in file.lines() {
            for clock in CLOCKS.iter().filter(|clock| code.contains(**clock)) {
                faults.push(format!("{}:{line}: {clock} in a pure room; take it as an argument", file.name));
            }
        }
    }
    none_of(faults);
}

#[test]
fn nothing_half_done_stays() {
    let mut faults = Vec::new();
    let files = ["src", "tests", "benches", "fuzz/fuzz_targets", "fuzz/properties"].map(rust_files).concat();
    for path in files {
        let text = read(&path);
        let code = blank(&text);
        for (line, (words, code)) in text.lines().zip(code.lines()).enumerate() {
            let place = format!("{path}:{}", line + 1);
            for mark in ["dbg!", "todo!", "unimplemented!", "#[ignore"] {
                if code.contains(mark) {
                    faults.push(format!("{place}: {mark} does not stay in a commit"));
                }
            }
            // In comments too, so put together here, where it would find itself.
            let mark = concat!("FIX", "ME");
            if words.contains(mark) {
                faults.push(format!("{place}: {mark} does not stay in a commit; mend it, or write an issue"));
            }
        }
    }
    none_of(faults);
}

#[test]
fn the_changelog_has_the_version() {
    let manifest = read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"')).unwrap();
    let heading = format!("## {version}");
    let has = read("CHANGELOG.md").lines().any(|line| {
        line.strip_prefix(&*heading)
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit() || next == '.'))
    });
    assert!(
        has,
        "CHANGELOG.md: no heading {heading:?}, which Cargo.toml calls the version; say what a user will notice"
    );
}

#[test]
fn functions_and_files_grow_no_longer() {
    let files = sources();
    let largest = files.iter().map(|file| (file.lines().count(), file.name.clone())).max().unwrap();
    let longest = files.iter().flat_map(Source::functions).max().unwrap();
    let faults = [("LONGEST_FUNCTION", LONGEST_FUNCTION, longest, 5), ("LARGEST_FILE", LARGEST_FILE, largest, 20)];
    none_of(
        faults
            .into_iter()
            .filter_map(|(name, limit, (lines, place), slack)| {
                if lines > limit {
                    Some(format!(
                        "{place}: {lines} lines of code, more than {name} = {limit}; would two be easier to read?"
                    ))
                } else if lines + slack < limit {
                    Some(format!(
                        "tests/tidy.rs: {name} = {limit}, but {place} has {lines}, the most; write {lines}, so it stays"
                    ))
                } else {
                    None
                }
            })
            .collect(),
    );
}

#[test]
fn every_bound_has_its_reason() {
    let text = read("src/limits.rs");
    let mut faults = Vec::new();
    let mut before = "";
    for (line, text) in text.lines().enumerate() {
        if text.starts_with("pub const") && !before.starts_with("///") {
            faults.push(format!("src/limits.rs:{}: say above it its unit and its reason, with ///", line + 1));
        }
        before = text;
    }
    none_of(faults);
}

#[test]
fn nothing_strays_at_the_top() {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let listed = match listed {
        Ok(output) if output.status.success() => output.stdout,
        Ok(output) => {
            return println!("SKIPPED: what lies at the top: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Err(error) => return println!("SKIPPED: what lies at the top: git: {error}"),
    };
    let listed = String::from_utf8(listed).unwrap();
    let top: BTreeSet<_> = listed.split_terminator('\0').filter_map(|path| path.split('/').next()).collect();
    let stray = top.into_iter().filter(|entry| !TOP.contains(entry));
    none_of(
        stray.map(|entry| format!("{entry}: strays at the top; TOP in tests/tidy.rs has what may lie there")).collect(),
    );
}

#[test]
fn comments_and_quotes_are_no_code() {
    let text = r##"a /* b /* c */ d */ e "f \" g" h 'i' '\'' <'j> r#"k"l"# m // n"##;
    let kept: String = blank(text).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(kept, "a e h <'j> m");
    assert_eq!(blank("\"a\nb\"\n// c\nd"), "  \n  \n    \nd");
    let (code, modules) = without_tests("a\n#[cfg(test)]\nmod x {\n {} }\n#[cfg(test)]\nmod y;\nb".to_owned());
    assert_eq!((code.split_whitespace().collect::<Vec<_>>(), modules), (vec!["a", "b"], vec!["y".to_owned()]));
}

/// A file under src/, as code: comments, quotes and tests are blanked, and lines are where they were.
struct Source {
    name: String,
    code: String,
}

impl Source {
    /// Lines that have code, with their numbers from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines()).filter(|(_, code)| !code.trim().is_empty())
    }

    /// The room that it lies in; `main.rs` and `lib.rs` lie in none.
    fn room(&self) -> Option<&str> {
        let path = self.name.strip_prefix("src/")?.strip_suffix(".rs")?;
        path.split('/').next().filter(|room| !["main", "lib"].contains(room))
    }

    /// How many names its module's path has: 1 for intake.rs and http/mod.rs, 2 for http/head.rs.
    fn depth(&self) -> usize {
        self.name.trim_start_matches("src/").trim_end_matches("/mod.rs").split('/').count()
    }

    /// The rooms that it names, with the lines: `crate::a::…`, `crate::{a::…, b}`, and as many `super` as lead out.
    fn rooms_used(&self) -> Vec<(usize, String)> {
        let out = format!("{}super::", "super::".repeat(self.depth().saturating_sub(1)));
        let mut used = Vec::new();
        for root in ["crate::", "ackd::", &*out] {
            for (at, _) in self.code.match_indices(root) {
                if self.code[..at].ends_with(is_name) || self.code[..at].ends_with("::") {
                    continue;
                }
                let line = self.code[..at].matches('\n').count() + 1;
                let names = first_names(&self.code[at + root.len()..]);
                // Out of a module inside a file, `super` leads elsewhere.
                let names = names.into_iter().filter(|name| root != out || rank(name).is_some());
                used.extend(names.map(|name| (line, name)));
            }
        }
        used
    }

    /// Each function's lines of code, and its place.
    fn functions(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("fn ") {
            let rest = &self.code[at..];
            let name: String = rest[3..].chars().take_while(|sign| is_name(*sign)).collect();
            let begins = !name.is_empty() && !self.code[..at].ends_with(is_name);
            let Some(body) = body(rest).filter(|_| begins) else { continue };
            let end = body + matching_brace(&rest[body..]);
            let lines = rest[..end].lines().filter(|line| !line.trim().is_empty()).count();
            let line = self.code[..at].matches('\n').count() + 1;
            found.push((lines, format!("{}:{line} {name}", self.name)));
        }
        found
    }
}

/// Every file under src/ that is not only for tests.
fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    let mut only_tests = BTreeSet::new();
    for name in rust_files("src") {
        let (code, modules) = without_tests(blank(&read(&name)));
        let folder = name.rsplit_once('/').unwrap().0;
        let folder = if ["mod.rs", "main.rs", "lib.rs"].iter().any(|file| name.ends_with(file)) {
            folder.to_owned()
        } else {
            name.trim_end_matches(".rs").to_owned()
        };
        only_tests.extend(
            modules.into_iter().flat_map(|module| [format!("{folder}/{module}.rs"), format!("{folder}/{module}/")]),
        );
        files.push(Source { name, code });
    }
    files.retain(|file| !only_tests.iter().any(|path| file.name.starts_with(path)));
    assert!(files.len() > 40, "src/ was not read");
    files
}

/// The same text with spaces for comments and for what stands in quotes.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let follows_name = code.ends_with(is_name);
        let hidden = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if first == '"' {
            quoted(rest)
        } else if !follows_name && rest.starts_with(['r', 'b', 'c']) {
            raw_quoted(rest)
        } else if first == '\'' {
            character(rest)
        } else {
            0
        };
        let (gone, kept) = if hidden > 0 { rest.split_at(hidden) } else { ("", rest) };
        code.extend(gone.chars().map(|sign| if sign == '\n' { sign } else { ' ' }));
        rest = kept;
        if hidden == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    code
}

/// How long a comment in `/* */` is; they nest.
fn comment(text: &str) -> usize {
    let mut depth = 0;
    for (at, _) in text.char_indices() {
        if text[at..].starts_with("/*") {
            depth += 1;
        } else if at > 0 && text[..at].ends_with("*/") {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
    }
    text.len()
}

/// How long a text in quotes is.
fn quoted(text: &str) -> usize {
    let mut escaped = true; // the opening one ends nothing
    for (at, sign) in text.char_indices() {
        match sign {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// How long a text like `r#"…"#`, `br"…"` or `b"…"` is; 0 when it is none.
fn raw_quoted(text: &str) -> usize {
    let prefix = text.find(|sign| !['r', 'b', 'c'].contains(&sign)).unwrap_or(0);
    let hashes = text[prefix..].find(|sign| sign != '#').unwrap_or(0);
    let start = prefix + hashes;
    if prefix > 2 || !text[start..].starts_with('"') {
        return 0;
    }
    if !text[..prefix].contains('r') {
        return if hashes == 0 { prefix + quoted(&text[prefix..]) } else { 0 };
    }
    let end = format!("\"{}", "#".repeat(hashes));
    text[start + 1..].find(&end).map_or(text.len(), |at| start + 1 + at + end.len())
}

/// How long a character in quotes is; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut signs = text.char_indices().skip(1);
    match signs.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(0, |at| at + 4),
        Some(_) => signs.next().filter(|(_, sign)| *sign == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

/// The same code with spaces for what stands behind `#[cfg(test)]`, and the modules in files of their own among it.
fn without_tests(mut code: String) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut modules = Vec::new();
    while let Some(start) = code.find(MARK) {
        let item = &code[start..];
        let stop = item.find(['{', ';']).unwrap_or(item.len() - 1);
        let length = if item[stop..].starts_with('{') { stop + matching_brace(&item[stop..]) } else { stop + 1 };
        if let Some((_, name)) = item[MARK.len()..length].split_once("mod ") {
            modules.extend(name.strip_suffix(';').map(str::to_owned));
        }
        let blanks: String = item[..length].chars().map(|sign| if sign == '\n' { sign } else { ' ' }).collect();
        code.replace_range(start..start + length, &blanks);
    }
    (code, modules)
}

/// Where a function's body begins, if it has one: the `;` of an array's type does not end its head.
fn body(function: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, sign) in function.char_indices() {
        match sign {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// How far it is to the end of the brace that opens here.
fn matching_brace(code: &str) -> usize {
    let mut depth = 0;
    for (at, sign) in code.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// The first name of a path, or of each path in a group `{a::b, c}`.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![path.chars().take_while(|sign| is_name(*sign)).collect()];
    };
    let (mut names, mut depth, mut at_start) = (Vec::new(), 1, true);
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => at_start = true,
            _ if at_start && is_name(sign) => {
                names.push(group[at..].chars().take_while(|sign| is_name(*sign)).collect());
                at_start = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Whether code begins a path with this crate: `name::…`, or `use name;`.
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let begins = !before.strip_suffix("::").unwrap_or(before).ends_with(|sign| is_name(sign) || sign == '>');
        begins && (after.starts_with("::") || before.trim_end().ends_with("use") && !after.starts_with(is_name))
    })
}

fn is_name(sign: char) -> bool {
    sign == '_' || sign.is_alphanumeric()
}

fn rank(room: &str) -> Option<usize> {
    ROOMS.iter().position(|(name, _)| *name == room)
}

/// Every Rust file below a folder, by its path in the repository, in order.
fn rust_files(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap().map(Result::unwrap) {
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn none_of(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}
