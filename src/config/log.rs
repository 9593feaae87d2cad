//! What the daemon's log tells: of which parts, how much, and in which form.

use super::findings::{Findings, Risk, quoted};
use super::surroundings::{Around, Secrets};
use super::table::Table;
use crate::limits;
use crate::notation::nearest::nearest;
use log::{Level, LevelFilter};

/// What the log tells, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logs {
    /// Nothing where the configuration does not say.
    pub levels: Option<Levels>,
    /// One JSON object a line, in place of text.
    pub json: bool,
}

/// How much is told of each part of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels(Vec<Directive>);

/// A module, or all of them; and what is told of it.
type Directive = (Option<String>, LevelFilter);

/// What env_logger calls a filter: `warn,ackd::net=debug`.
const EXAMPLE: &str = "\"info,ackd::net=debug\"";
const NAMES: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// At its finest level, the HTTP client prints whole URLs, and an access token may be part of one.
const CLIENT: &str = "ureq";

impl Levels {
    /// Nothing at all.
    pub const NONE: Levels = Levels(Vec::new());

    /// The same for everybody.
    pub fn all(level: LevelFilter) -> Levels {
        Levels(vec![(None, level)])
    }

    /// What is told where nobody says otherwise. A warning of rustls is about a stranger's odd handshake, of which the
    /// log of refusals tells already.
    pub fn usual() -> Levels {
        Levels(vec![(None, LevelFilter::Info), (Some("rustls".to_owned()), LevelFilter::Error)])
    }

    /// Reads what env_logger reads, as it does: a word that is no level is a module of which everything is told. Gives
    /// what it could not read, too.
    pub fn lenient(text: &str) -> (Levels, Vec<String>) {
        let (mut levels, wrong) = read(text, |word| Some((Some(word.to_owned()), LevelFilter::Trace)));
        if levels.0.is_empty() {
            levels.0.push((None, LevelFilter::Info));
        }
        (levels, wrong.into_iter().map(quoted).collect())
    }

    /// Whether a line is told. Of the directives that fit, the one with the longest name counts, and of two that are
    /// alike the last one.
    pub fn tell(&self, level: Level, target: &str) -> bool {
        let fits = |(module, allowed): &Directive| match module {
            None => Some((0, *allowed)),
            Some(module) => target.starts_with(&**module).then_some((module.len(), *allowed)),
        };
        let longest = self.0.iter().filter_map(fits).max_by_key(|(length, _)| *length);
        let prints_urls = level == Level::Trace && target.starts_with(CLIENT);
        longest.is_some_and(|(_, allowed)| level <= allowed) && !prints_urls
    }

    /// The finest level that anything is told at.
    pub fn finest(&self) -> LevelFilter {
        self.0.iter().map(|(_, level)| *level).max().unwrap_or(LevelFilter::Off)
    }
}

/// Reads a text, and gives what is no directive. What becomes of a word that is no level, `bare` says.
fn read(text: &str, bare: impl Fn(&str) -> Option<Directive>) -> (Levels, Vec<&str>) {
    let (mut levels, mut wrong) = (Vec::new(), Vec::new());
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let directive = match word.split_once('=') {
            None => word.parse().map(|level| (None, level)).ok().or_else(|| bare(word)),
            Some((module, level)) => match (module.trim(), level.trim().parse()) {
                ("", _) | (_, Err(_)) => None,
                (module, Ok(level)) => Some((Some(module.to_owned()), level)),
            },
        };
        match directive {
            Some(directive) => levels.push(directive),
            None => wrong.push(word),
        }
    }
    (Levels(levels), wrong)
}

/// `log` and `log_format`.
pub(super) fn logs(table: &Table<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Logs {
    let format = table.get("log_format", findings).and_then(|entry| Some((entry.text(findings)?, entry)));
    let json = match format {
        Some(("json", _)) => true,
        None | Some(("text", _)) => false,
        Some((other, entry)) => {
            findings.fault(&entry.place, format!("{} is no format; write \"text\" or \"json\"", quoted(other)));
            false
        }
    };
    Logs { levels: levels(table, around, findings), json }
}

/// Here a word that is no level is a fault: it would silence everything but a module that is not there.
fn levels(table: &Table<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Levels> {
    let entry = table.get("log", findings)?;
    let (levels, wrong) = read(entry.text(findings)?, |_| None);
    for word in &wrong {
        let level = word.rsplit('=').next().unwrap_or_default().trim();
        let meant = match nearest(level, NAMES).filter(|name| *name != level) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("write {}, for one part of ackd as in {EXAMPLE}", NAMES.join(", ")),
        };
        findings.fault(&entry.place, format!("{} is no level; {meant}", quoted(word)));
    }
    if levels.0.len() > limits::LOG_LEVELS_MAX {
        findings.fault(&entry.place, format!("names more than {} levels; fewer will do", limits::LOG_LEVELS_MAX));
    } else if levels.0.is_empty() && wrong.is_empty() {
        findings.fault(&entry.place, format!("says nothing; write for example {}", entry.example));
    } else if wrong.is_empty() && levels.0.iter().all(|(module, _)| module.is_some()) {
        let what = "tells nothing of all other parts, not even errors; begin it with warn, or info";
        findings.warn(Risk::Odd, &entry.place, what);
    }
    let has_env = (around.world.env)("RUST_LOG").is_some_and(|text| !text.trim().is_empty());
    if around.secrets == Secrets::Read && has_env {
        findings.warn(Risk::Odd, &entry.place, "is not heeded as long as RUST_LOG is set; unset that");
    }
    Some(levels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, level: LevelFilter) -> Directive {
        (Some(name.to_owned()), level)
    }

    #[test]
    fn rust_log_is_read_like_everywhere() {
        assert_eq!(Levels::lenient("debug").0, Levels::all(LevelFilter::Debug));
        let (levels, wrong) = Levels::lenient(" warn , ackd::keeper=trace,rustls");
        let expected =
            [(None, LevelFilter::Warn), named("ackd::keeper", LevelFilter::Trace), named("rustls", LevelFilter::Trace)];
        assert_eq!((levels.0.as_slice(), wrong.len()), (&expected[..], 0));
        let (levels, wrong) = Levels::lenient("ackd=loud,=info");
        assert_eq!((levels, wrong), (Levels::all(LevelFilter::Info), vec!["\"ackd=loud\"".into(), "\"=info\"".into()]));
    }

    #[test]
    fn the_longest_name_decides_and_of_two_alike_the_last() {
        let (levels, _) =
            Levels::lenient("ackd::net=debug,info,ackd::net::tls=off,ackd::keeper=warn,ackd::keeper=error");
        for (level, target, told) in [
            (Level::Info, "rustls", true),
            (Level::Debug, "rustls", false),
            (Level::Debug, "ackd::net", true),
            (Level::Debug, "ackd::net::event_loop", true),
            (Level::Error, "ackd::net::tls", false),
            (Level::Warn, "ackd::keeper", false),
            (Level::Error, "ackd::keeper", true),
        ] {
            assert_eq!(levels.tell(level, target), told, "{level} {target}");
        }
        assert_eq!(levels.finest(), LevelFilter::Debug);
        assert!(!Levels::NONE.tell(Level::Error, "ackd") && Levels::NONE.finest() == LevelFilter::Off);
        assert!(!Levels::lenient("ackd::net=debug").0.tell(Level::Error, "ackd::keeper"));
    }

    #[test]
    fn the_http_client_never_prints_whole_urls() {
        for text in
            ["trace", "ureq", "ureq=trace", "ureq::run=trace", "info,ureq::unversioned=trace", "u", "info,ur=trace"]
        {
            let (levels, _) = Levels::lenient(text);
            for target in ["ureq", "ureq::run", "ureq::unversioned::transport"] {
                assert!(!levels.tell(Level::Trace, target), "{text}: {target}");
            }
        }
        assert_eq!(Levels::all(LevelFilter::Info).0, [(None, LevelFilter::Info)]);
    }

    #[test]
    fn a_strangers_odd_handshake_is_no_warning() {
        let usual = Levels::usual();
        assert!(usual.tell(Level::Info, "ackd::net::tls") && usual.finest() == LevelFilter::Info);
        assert!(usual.tell(Level::Error, "rustls::check") && !usual.tell(Level::Warn, "rustls::check"));
    }
}
