//! What a command says on stderr while it runs: one line a message, with its time, or with a priority for the journal.

use super::show::shown;
use crate::notation::days::to_the_second;
use env_logger::{Builder, WriteStyle};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use log::{Level, LevelFilter, Record};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

/// Begins logging. `usual` is what is told without -v, and `verbose` how often that was said; RUST_LOG, where it is set,
/// has the last word.
pub fn start(usual: LevelFilter, verbose: u8, env: &dyn Fn(&str) -> Option<String>) {
    let (directives, complaints) = match env("RUST_LOG").filter(|text| !text.trim().is_empty()) {
        Some(text) => directives(&text),
        None => (vec![(None, level(usual, verbose))], Vec::new()),
    };
    let mut builder = Builder::new();
    for (module, level) in capped(directives) {
        builder.filter(module.as_deref(), level);
    }
    builder.write_style(WriteStyle::Never);
    if is_journal(env("JOURNAL_STREAM").as_deref(), stderr_file()) {
        builder.format(|out, record| for_journal(record, out));
    } else {
        // In UTC: a zone would have to be looked up, and held in memory for as long as the daemon runs.
        builder.format(|out, record| for_people(record, &Timestamp::now().to_zoned(TimeZone::UTC), out));
    }
    // Fails only when somebody has begun before, and then there is a log.
    let _ = builder.try_init();
    complaints.iter().for_each(|what| log::warn!("RUST_LOG: {what} is no level, so it is left out"));
}

fn level(usual: LevelFilter, verbose: u8) -> LevelFilter {
    match verbose {
        0 => usual,
        1 if usual < LevelFilter::Info => LevelFilter::Info,
        1 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    }
}

/// A module, or all of them; and what is told of it.
type Directive = (Option<String>, LevelFilter);

/// Reads what env_logger would; but that prints its complaints and panics when stderr is closed.
fn directives(text: &str) -> (Vec<Directive>, Vec<String>) {
    let (mut directives, mut complaints) = (Vec::new(), Vec::new());
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word.split_once('=') {
            None => match word.parse() {
                Ok(level) => directives.push((None, level)),
                Err(_) => directives.push((Some(word.to_owned()), LevelFilter::Trace)),
            },
            Some((module, level)) => match level.trim().parse() {
                Ok(level) => directives.push((Some(module.trim().to_owned()), level)),
                Err(_) => complaints.push(crate::config::quoted(word)),
            },
        }
    }
    if directives.is_empty() {
        directives.push((None, LevelFilter::Info));
    }
    (directives, complaints)
}

/// At its finest level, the HTTP client prints whole URLs, and an access token may be part of one.
fn capped(mut directives: Vec<Directive>) -> Vec<Directive> {
    for (module, level) in &mut directives {
        if module.as_deref().is_some_and(|module| module.starts_with(CLIENT)) {
            *level = LevelFilter::Debug.min(*level);
        }
    }
    let all = directives.iter().rev().find(|(module, _)| module.is_none()).map(|(_, level)| *level);
    let named = directives.iter().any(|(module, _)| module.as_deref() == Some(CLIENT));
    if all == Some(LevelFilter::Trace) && !named {
        directives.push((Some(CLIENT.to_owned()), LevelFilter::Debug));
    }
    directives
}

const CLIENT: &str = "ureq";

/// Whether stderr is the stream that systemd says it made. The variable alone says little: everything that a
/// service starts inherits it.
fn is_journal(stream: Option<&str>, stderr: Option<(u64, u64)>) -> bool {
    let numbers = stream.and_then(|stream| stream.split_once(':'));
    let numbers = numbers.and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)));
    numbers.is_some() && numbers == stderr
}

/// Device and inode of stderr.
fn stderr_file() -> Option<(u64, u64)> {
    let file = File::from(io::stderr().as_fd().try_clone_to_owned().ok()?);
    let metadata = file.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// `<3>message`: the journal has its own clock, and reads the priority.
fn for_journal(record: &Record<'_>, out: &mut dyn Write) -> io::Result<()> {
    let priority = match record.level() {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    };
    writeln!(out, "<{priority}>{}", message(record))
}

/// `2026-11-21 08:26:10.123Z INFO message`.
fn for_people(record: &Record<'_>, now: &Zoned, out: &mut dyn Write) -> io::Result<()> {
    let (second, milliseconds) = (to_the_second(now.datetime()), now.millisecond());
    writeln!(out, "{second}.{milliseconds:03}Z {} {}", record.level(), message(record))
}

/// The message on one line: part of it may be words from outside. Whose it is, where it is not ours.
fn message(record: &Record<'_>) -> String {
    let message = record.args().to_string();
    let message = shown(&message, usize::MAX);
    match record.target() {
        ours if ours.starts_with("ackd") => message.into_owned(),
        theirs => format!("{theirs}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: Level, target: &str, words: &str) -> (String, String) {
        let now = Timestamp::from_millisecond(1_795_249_570_123).unwrap().to_zoned(TimeZone::UTC);
        let (mut people, mut journal) = (Vec::new(), Vec::new());
        for_people(
            &Record::builder().level(level).target(target).args(format_args!("{words}")).build(),
            &now,
            &mut people,
        )
        .unwrap();
        for_journal(&Record::builder().level(level).target(target).args(format_args!("{words}")).build(), &mut journal)
            .unwrap();
        (String::from_utf8(people).unwrap(), String::from_utf8(journal).unwrap())
    }

    #[test]
    fn people_are_told_the_time_and_the_journal_the_priority() {
        let (people, journal) = line(Level::Info, "ackd::daemon", "listening");
        assert_eq!(people, "2026-11-21 08:26:10.123Z INFO listening\n");
        assert_eq!(journal, "<6>listening\n");
        assert_eq!(line(Level::Error, "ackd", "no").1, "<3>no\n");
        assert_eq!(line(Level::Warn, "ackd", "no").1, "<4>no\n");
        assert_eq!(line(Level::Debug, "rustls::client", "no").1, "<7>rustls::client: no\n");
        assert_eq!(line(Level::Trace, "ackd", "no").1, "<7>no\n");
    }

    #[test]
    fn words_from_outside_forge_no_line() {
        let (people, journal) = line(Level::Warn, "ackd", "said \u{1b}[2J\n<0>the disk is on fire");
        assert_eq!(journal, "<4>said \\u{1b}[2J\\n<0>the disk is on fire\n");
        assert_eq!(people.lines().count(), 1);
    }

    #[test]
    fn the_journal_is_known_by_its_stream() {
        assert!(is_journal(Some("8:1234"), Some((8, 1234))));
        for (stream, stderr) in [
            (None, Some((8, 1234))),
            (Some("8:1234"), Some((8, 99))),
            (Some("8:1234"), None),
            (Some(""), None),
            (Some("x:y"), None),
            (Some("8:1234:5"), Some((8, 1234))),
        ] {
            assert!(!is_journal(stream, stderr), "{stream:?}");
        }
    }

    #[test]
    fn rust_log_is_read_like_everywhere() {
        let named = |name: &str, level| (Some(name.to_owned()), level);
        assert_eq!(directives("debug").0, [(None, LevelFilter::Debug)]);
        assert_eq!(
            directives(" warn , ackd::keeper=trace,rustls").0,
            [(None, LevelFilter::Warn), named("ackd::keeper", LevelFilter::Trace), named("rustls", LevelFilter::Trace)]
        );
        assert_eq!(directives("ackd=loud").1, ["\"ackd=loud\""]);
        assert_eq!(directives("ackd=loud").0, [(None, LevelFilter::Info)]);
        assert_eq!(
            [0, 1, 2, 9].map(|verbose| level(LevelFilter::Info, verbose)),
            [LevelFilter::Info, LevelFilter::Debug, LevelFilter::Trace, LevelFilter::Trace]
        );
    }

    #[test]
    fn the_http_client_never_prints_whole_urls() {
        let named = |name: &str, level| (Some(name.to_owned()), level);
        let ureq = named("ureq", LevelFilter::Debug);
        assert_eq!(capped(vec![(None, LevelFilter::Trace)]), [(None, LevelFilter::Trace), ureq.clone()]);
        assert_eq!(capped(vec![named("ureq", LevelFilter::Trace)]), [ureq]);
        assert_eq!(capped(vec![named("ureq::run", LevelFilter::Trace)]), [named("ureq::run", LevelFilter::Debug)]);
        assert_eq!(capped(vec![(None, LevelFilter::Info)]), [(None, LevelFilter::Info)]);
    }
}
