//! What a command says on stderr while it runs: one line a message, with its time, or with a priority for the journal.
//!
//!     log::warn! ──▶ levels ──▶ flood: enough of this? ──▶ text or JSON ──▶ one write
//!
//! What is told, and in which form, may change while it runs. No secret comes this far: whoever says something sees to it.

mod flood;

use super::show::shown;
use crate::config::{Levels, Logs};
use crate::limits;
use crate::model::Tick;
use crate::notation::days::to_the_second;
use flood::{Flood, Left, Place, Say};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::panic;
use std::sync::{LazyLock, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Instant;

static JOURNAL: Journal =
    Journal { manner: RwLock::new(Manner::SILENT), flood: Mutex::new(Flood::NONE), began: LazyLock::new(Instant::now) };

/// Where all lines end up.
struct Journal {
    manner: RwLock<Manner>,
    flood: Mutex<Flood>,
    began: LazyLock<Instant>,
}

/// What is told, and how.
struct Manner {
    levels: Levels,
    /// Somebody said at the start what is to be told, and no configuration says otherwise.
    insists: bool,
    form: Form,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, Default)]
struct Form {
    json: bool,
    /// Whether each line begins with the priority that the journal reads.
    priority: bool,
}

impl Manner {
    const SILENT: Manner = Manner { levels: Levels::NONE, insists: false, form: Form { json: false, priority: false } };
}

/// Begins logging. `usual` is what is told without -v, and `verbose` how often that was said; RUST_LOG, where it is set,
/// has the last word.
pub fn start(usual: LevelFilter, verbose: u8, env: &dyn Fn(&str) -> Option<String>) {
    let told = env("RUST_LOG").filter(|text| !text.trim().is_empty());
    let insists = told.is_some() || verbose > 0;
    let (levels, wrong) = match told {
        Some(text) => Levels::lenient(&text),
        None => (Levels::all(level(usual, verbose)), Vec::new()),
    };
    let priority = is_journal(env("JOURNAL_STREAM").as_deref(), stderr_file());
    JOURNAL.change(|manner| *manner = Manner { levels, insists, form: Form { json: false, priority } });
    // Fails only when somebody has begun before, and then there is a log.
    let _ = log::set_logger(&JOURNAL);
    wrong.iter().for_each(|what| log::warn!("RUST_LOG: {what} is no level, so it is left out"));
}

/// Goes on as a configuration says. What ends a thread by a fault of ours is from now on a line like any other.
pub fn follow(logs: &Logs) {
    panic::set_hook(Box::new(|what| {
        let thread = thread::current();
        log::error!("a fault of ackd itself, in thread {}: {what}", thread.name().unwrap_or("?"));
    }));
    JOURNAL.change(|manner| {
        manner.form.json = logs.json;
        if !manner.insists {
            manner.levels = logs.levels.clone().unwrap_or_else(Levels::usual);
        }
    });
}

fn level(usual: LevelFilter, verbose: u8) -> LevelFilter {
    match verbose {
        0 => usual,
        1 if usual < LevelFilter::Info => LevelFilter::Info,
        1 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    }
}

impl Journal {
    fn change(&self, how: impl FnOnce(&mut Manner)) {
        let mut manner = self.manner.write().unwrap_or_else(PoisonError::into_inner);
        how(&mut manner);
        log::set_max_level(manner.levels.finest());
    }

    /// The form of a line, where it is told.
    fn form(&self, metadata: &Metadata<'_>) -> Option<Form> {
        let manner = self.manner.read().unwrap_or_else(PoisonError::into_inner);
        manner.levels.tell(metadata.level(), metadata.target()).then_some(manner.form)
    }

    /// What is to be said of what was only counted.
    fn left(&self, all: bool) {
        let now = self.now();
        let left = self.flood.lock().unwrap_or_else(PoisonError::into_inner).over(now, all);
        let form = self.manner.read().unwrap_or_else(PoisonError::into_inner).form;
        for Left { level, target, count, last } in left {
            let were = if count == 1 { "line like this one was" } else { "lines like this one were" };
            let message = format!("{count} more {were} left out: {last}");
            say(&Line { level, target: &target, message: &message, members: "" }, form);
        }
    }

    fn now(&self) -> Tick {
        Tick(1).after(self.began.elapsed())
    }
}

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.form(metadata).is_some()
    }

    fn log(&self, record: &Record<'_>) {
        let (level, target) = (record.level(), record.target());
        let Some(form) = self.form(record.metadata()) else { return };
        // Made before anything is locked: what is said may have something to say itself.
        let mut message = message(record);
        // Whoever asks for more than the usual wants all of it, and somebody looks on.
        if level <= Level::Info {
            self.left(false);
            let place = Place { file: record.file_static().unwrap_or(""), line: record.line().unwrap_or(0), level };
            let told = {
                let mut flood = self.flood.lock().unwrap_or_else(PoisonError::into_inner);
                flood.look(place, target, &message, self.now())
            };
            match told {
                Say::It => {}
                Say::TheLast => message.push_str(" (more lines like this one are only counted for a while)"),
                Say::Nothing => return,
            }
        }
        let mut members = Members(String::new());
        if form.json {
            // Fails only when a visitor does, and this one does not.
            let _ = record.key_values().visit(&mut members);
        }
        say(&Line { level, target, message: &message, members: &members.0 }, form);
    }

    /// The end is near: what was counted and not told is told now.
    fn flush(&self) {
        self.left(true);
    }
}

/// What a line says.
struct Line<'a> {
    level: Level,
    target: &'a str,
    message: &'a str,
    /// Further members, as JSON, each after a comma.
    members: &'a str,
}

/// Writes a line at once, so that two threads never share one. Where nobody reads there is nobody to tell that.
fn say(line: &Line<'_>, form: Form) {
    // In UTC: a zone would have to be looked up, and held in memory for as long as the daemon runs.
    let text = line.written(form, &Timestamp::now().to_zoned(TimeZone::UTC));
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

impl Line<'_> {
    /// `2026-11-21 08:26:10.123Z INFO message`, or `<6>message`: the journal has its own clock. Or JSON.
    fn written(&self, form: Form, now: &Zoned) -> String {
        let priority = match self.level {
            Level::Error => 3,
            Level::Warn => 4,
            Level::Info => 6,
            Level::Debug | Level::Trace => 7,
        };
        let mut text = if form.priority { format!("<{priority}>") } else { String::new() };
        let (second, millisecond) = (to_the_second(now.datetime()), now.millisecond());
        let (level, message) = (self.level, self.message);
        // Writing into a text does not fail.
        let _ = if form.json {
            let (second, level) = (second.replace(' ', "T"), level.as_str().to_ascii_lowercase());
            let (target, message, members) = (json(self.target), json(message), self.members);
            writeln!(
                text,
                r#"{{"time":"{second}.{millisecond:03}Z","level":"{level}","target":{target},"message":{message}{members}}}"#
            )
        } else if form.priority {
            writeln!(text, "{}{message}", self.whose())
        } else {
            writeln!(text, "{second}.{millisecond:03}Z {level} {}{message}", self.whose())
        };
        text
    }

    /// Whose words these are, where they are not ours.
    fn whose(&self) -> String {
        if self.target.starts_with("ackd") { String::new() } else { format!("{}: ", self.target) }
    }
}

/// The message on one line, and not too long: part of it may be words from outside. The same in every form, since whoever
/// reads JSON shows it on a terminal in the end.
fn message(record: &Record<'_>) -> String {
    shown(&record.args().to_string(), limits::LOG_MESSAGE_CHARS_MAX).into_owned()
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// What a line says besides its words: `,"channel":"page","event":"page-17"`.
struct Members(String);

impl<'kvs> VisitSource<'kvs> for Members {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let value = value.to_string();
        let _ = write!(self.0, ",{}:{}", json(key.as_str()), json(&shown(&value, limits::LOG_MESSAGE_CHARS_MAX)));
        Ok(())
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Form = Form { json: true, priority: false };

    /// A line in every form: for people, for the journal, as JSON, and as JSON for the journal.
    fn forms(level: Level, target: &str, words: &str) -> [String; 4] {
        let now = Timestamp::from_millisecond(1_795_249_570_023).unwrap().to_zoned(TimeZone::UTC);
        let message = message(&Record::builder().args(format_args!("{words}")).build());
        let line = Line { level, target, message: &message, members: "" };
        let priority = true;
        let journal = [Form { priority, ..Form::default() }, Form { priority, ..JSON }];
        [Form::default(), journal[0], JSON, journal[1]].map(|form| line.written(form, &now))
    }

    #[test]
    fn people_are_told_the_time_and_the_journal_the_priority() {
        let [people, journal, json, both] = forms(Level::Info, "ackd::daemon", "listening");
        assert_eq!(people, "2026-11-21 08:26:10.023Z INFO listening\n");
        assert_eq!(journal, "<6>listening\n");
        let expected =
            r#"{"time":"2026-11-21T08:26:10.023Z","level":"info","target":"ackd::daemon","message":"listening"}"#;
        assert_eq!((json, both), (format!("{expected}\n"), format!("<6>{expected}\n")));
        assert_eq!(forms(Level::Error, "ackd", "no")[1], "<3>no\n");
        assert_eq!(forms(Level::Warn, "ackd", "no")[1], "<4>no\n");
        assert_eq!(forms(Level::Debug, "rustls::client", "no")[1], "<7>rustls::client: no\n");
        assert_eq!(forms(Level::Trace, "ackd", "no")[1], "<7>no\n");
    }

    #[test]
    fn words_from_outside_forge_no_line() {
        let [people, journal, json, _] = forms(Level::Warn, "ackd", "said \u{1b}[2J\n<0>the \"disk\" is on fire\\");
        assert_eq!(journal, "<4>said \\u{1b}[2J\\n<0>the \"disk\" is on fire\\\n");
        assert_eq!((people.lines().count(), json.lines().count()), (1, 1));
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["message"].as_str(), Some(&journal[3..journal.len() - 1]));
    }

    #[test]
    fn a_line_is_never_too_long_for_the_journal() {
        for sign in ["x", "\"", "\u{1b}", "\u{e000}"] {
            for form in forms(Level::Warn, "ackd", &sign.repeat(1_000_000)) {
                assert!(form.len() < 48 * 1024 && form.contains('…') && form.ends_with('\n'), "{}", form.len());
            }
        }
        assert!(forms(Level::Warn, "ackd", &"x".repeat(limits::LOG_MESSAGE_CHARS_MAX))[0].ends_with("x\n"));
    }

    #[test]
    fn what_a_line_is_about_is_a_member_of_its_own() {
        let mut members = Members(String::new());
        let pairs = [("channel", "page"), ("event", "page-17\n\"")];
        let said = Record::builder().key_values(&pairs).build().key_values().visit(&mut members);
        assert_eq!((said.is_ok(), &*members.0), (true, r#","channel":"page","event":"page-17\\n\"""#));
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
    fn each_v_says_more() {
        let told = |usual| [0, 1, 2, 9].map(|verbose| level(usual, verbose));
        use LevelFilter::{Debug, Info, Trace, Warn};
        assert_eq!(told(Info), [Info, Debug, Trace, Trace]);
        assert_eq!(told(Warn), [Warn, Info, Trace, Trace]);
    }

    #[test]
    fn the_usual_is_bounded_and_what_somebody_asked_for_beyond_it_is_told_whole() {
        const CHILD: &str = "ACKD_TEST_TELLS";
        const SAID: u32 = 2 * limits::LOG_LINES_MAX;
        if std::env::var_os(CHILD).is_some() {
            start(LevelFilter::Debug, 0, &|_| None);
            for level in [Level::Warn, Level::Info, Level::Debug] {
                (0..SAID).for_each(|number| log::log!(level, "line {number}"));
            }
            return;
        }
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let name = thread::current().name().unwrap().to_owned();
        let output = child.args(["--exact", &name, "--nocapture"]).env(CHILD, "1").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let told = [" WARN line ", " INFO line ", " DEBUG line "].map(|word| said.matches(word).count());
        let (bound, all) = (limits::LOG_LINES_MAX as usize, SAID as usize);
        assert_eq!(told, [bound, bound, all], "{said}");
    }
}
