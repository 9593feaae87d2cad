//! Where a secret comes from: `{ env = … }`, `{ file = … }`, `{ credential = … }`, or, with a warning, the file itself.
//!
//! No message here ever holds a value. Nor does it hold a name that looks as if somebody had written the secret
//! itself where its name belongs.

use super::findings::{Findings, Place, Risk, quoted};
use super::surroundings::{Around, Found, OTHERS_READ};
use super::table::{Entry, Key, Table};
use crate::limits::{SECRET_BYTES_MAX, SECRET_CHARS_MIN};
use crate::model::Secret;
use std::io::ErrorKind;
use std::path::Path;
use toml::de::DeValue;

const SOURCES: &[Key] = &[
    Key { name: "env", example: "\"MESSENGER_APP_SECRET\"" },
    Key { name: "file", example: "\"/etc/ackd/app_secret\"" },
    Key { name: "credential", example: "\"messenger_app_secret\"" },
];

/// What a secret must be fit for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Compared or used as a key: any characters.
    Anything,
    /// Goes into a header: visible ASCII only.
    Header,
}

/// The secret that an entry names, or a fault; neither where secrets are not read.
pub(super) fn secret(entry: &Entry<'_>, fit: Fit, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Secret> {
    if let Some(played) = around.played(entry) {
        return Some(played);
    }
    let value = match entry.value {
        DeValue::String(text) => {
            warn_of_literal(text, entry, around, findings);
            text.clone().into_owned()
        }
        DeValue::Table(entries) => {
            let table = Table::open(entry.place.clone(), entries, SOURCES, findings);
            from_source(&table, entry, around, findings)?
        }
        _ => {
            entry.wrong_type("{ env = … }, { file = … } or { credential = … }", findings);
            return None;
        }
    };
    if let Some(flaw) = flaw(&value, fit) {
        findings.fault(&entry.place, flaw);
        return None;
    }
    if value.chars().count() < SECRET_CHARS_MIN {
        let what = format!(
            "is shorter than {SECRET_CHARS_MIN} characters; so short a secret can be guessed, `openssl rand -hex 16` \
             makes a better one"
        );
        findings.warn(Risk::Danger, &entry.place, what);
    }
    around.reads(entry).then(|| Secret::new(value))
}

/// One secret, or two while it is changed: whoever brings either is let in.
pub(super) fn rotated(
    entry: &Entry<'_>,
    fit: Fit,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Vec<Secret>> {
    let members = entry.one_or_list(findings);
    if members.is_empty() || members.len() > 2 {
        findings.fault(&entry.place, format!("must be one secret, or a list of two while rotating; {}", entry.example));
        return None;
    }
    let secrets: Vec<_> = members.iter().map(|member| secret(member, fit, around, findings)).collect();
    secrets.into_iter().collect()
}

/// A secret that stands in the file itself, or a variable that nobody fills in there.
fn warn_of_literal(text: &str, entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) {
    if let Some(name) = variable(text) {
        let what = format!("looks like a variable, and none is filled in here; write {{ env = \"{name}\" }}");
        findings.warn(Risk::Danger, &entry.place, what);
        return;
    }
    if names_a_file(text, around) {
        let what = "is the name of a file, and would be taken for the secret itself; write { file = \"…\" } around it";
        findings.warn(Risk::Danger, &entry.place, what);
        return;
    }
    let name = entry.name.to_uppercase();
    let whose =
        if (around.world.is_open)(around.file) { " for all to read" } else { "; copies of it take the secret along" };
    findings.warn(Risk::InClear, &entry.place, format!("stands in this file{whose}; {{ env = \"{name}\" }} is safer"));
}

/// Whether there is a file of this name, as far as we may look. A secret may begin with a slash, too, and then there is none.
fn names_a_file(text: &str, around: &Around<'_>) -> bool {
    text.starts_with('/')
        && match (around.world.is_folder)(Path::new(text)) {
            Ok(is_folder) => !is_folder,
            Err(error) => error.kind() == ErrorKind::PermissionDenied,
        }
}

/// The name in `$NAME` or `${NAME}`, where it may be shown.
fn variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let named = name.starts_with(|first: char| !first.is_ascii_digit()) && name.bytes().all(fits);
    (named && shown(name) == name).then_some(name)
}

fn from_source(
    table: &Table<'_>,
    entry: &Entry<'_>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let sources: Vec<_> = SOURCES.iter().filter_map(|key| table.get(key.name, findings)).collect();
    let [source] = sources.as_slice() else {
        if !sources.is_empty() || !table.has_unknown() {
            let many = if sources.is_empty() { "says nowhere" } else { "says more than once" };
            findings.fault(&entry.place, format!("{many} where the secret is; write {}", entry.example));
        }
        return None;
    };
    let name = source.text(findings)?;
    if let Some(what) = misnamed(source.name, name) {
        findings.fault(&entry.place, what);
        return None;
    }
    if !around.reads(entry) {
        return None;
    }
    let value = match source.name {
        "env" => from_env(name, &entry.place, around),
        "file" => from_file(name, &source.place, around, findings),
        _ => from_credential(name, around),
    };
    value.map_err(|what| findings.fault(&entry.place, what)).ok()
}

/// Why there are none, and who has them.
pub(super) const NO_CREDENTIALS: &str = "there are no credentials ($CREDENTIALS_DIRECTORY is not set); systemd hands them \
                                         over with LoadCredential=";

/// What is wrong with how a source is named. No name is shown before it looks like one.
pub(super) fn misnamed(source: &str, name: &str) -> Option<&'static str> {
    match source {
        "file" if !name.starts_with('/') => {
            Some("the file's name is not a full path; write for example { file = \"/etc/ackd/app_secret\" }")
        }
        "credential" if name.is_empty() || name.contains('/') || name.starts_with('.') => {
            Some("a credential's name is a plain word; write for example { credential = \"app_secret\" }")
        }
        _ => None,
    }
}

fn from_env(name: &str, place: &Place, around: &Around<'_>) -> Result<String, String> {
    let shown = shown(name);
    // Of its own for each channel.
    let file = place.key.trim_start_matches("channel.").replace('.', "_");
    match (around.world.env)(name) {
        Some(value) if value.is_empty() => Err(format!("the environment variable {shown} is set, but empty")),
        Some(value) => Ok(value),
        None => Err(format!(
            "the environment variable {shown} is not set; set it (`set -a; . ./secrets.env; set +a` in this terminal?), \
             or write {{ file = \"/etc/ackd/{file}\" }}"
        )),
    }
}

fn from_file(name: &str, place: &Place, around: &Around<'_>, findings: &mut Findings<'_>) -> Result<String, String> {
    let shown = quoted(name);
    let found = (around.world.read)(Path::new(name)).map_err(|error| format!("cannot read {shown}: {error}"))?;
    if found.mode & OTHERS_READ != 0 {
        findings.warn(
            Risk::Danger,
            place,
            format!("everybody on this machine can read {shown}; chmod o-r takes that away"),
        );
    }
    content(&found).map_err(|what| format!("{shown} {what}"))
}

fn from_credential(name: &str, around: &Around<'_>) -> Result<String, String> {
    let Some(folder) = around.world.folder("CREDENTIALS_DIRECTORY") else {
        return Err(format!("{NO_CREDENTIALS}, elsewhere write {{ env = … }} or {{ file = … }}"));
    };
    let shown = shown(name);
    let found = (around.world.read)(&Path::new(&folder).join(name)).map_err(|error| {
        format!("cannot read the credential {shown}: {error}; the unit needs LoadCredential= for it")
    })?;
    content(&found).map_err(|what| format!("the credential {shown} {what}"))
}

/// A file's text without its trailing line breaks.
fn content(found: &Found) -> Result<String, String> {
    if found.bytes.len() > SECRET_BYTES_MAX {
        return Err(format!("is larger than {} KiB; that is no secret", SECRET_BYTES_MAX / 1024));
    }
    let text = std::str::from_utf8(&found.bytes).map_err(|_| "is not UTF-8 text")?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err("is empty".into());
    }
    Ok(text.to_owned())
}

/// What makes a value unusable, in words that do not show it.
fn flaw(value: &str, fit: Fit) -> Option<String> {
    let edge = |c: char| c.is_whitespace() || c == '\u{feff}';
    if value.is_empty() {
        return Some("is empty".into());
    }
    if value.len() > SECRET_BYTES_MAX {
        return Some(format!("is longer than {} KiB; that is no secret", SECRET_BYTES_MAX / 1024));
    }
    if value.starts_with(edge) || value.ends_with(edge) {
        return Some("begins or ends with white space; take it away".into());
    }
    if fit == Fit::Header && !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("holds white space or characters that no header may hold; copy it again in one piece".into());
    }
    None
}

/// A name as it may be shown. A long word, or one with many digits, is more likely the secret itself, written where
/// its name belongs.
fn shown(name: &str) -> &str {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    if !name.is_empty() && plain && digits < 5 && name.len() <= 48 { name } else { "named here" }
}
