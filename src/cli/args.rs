//! The words of a command line → `Command`, or one sentence that says what is wrong and where to read on.
//!
//! Options that every command has may stand before or behind it. `--` ends options. Nothing here looks at the disk.

mod commands;
mod values;

use super::help::Topic;
use super::playing::Play;
use super::trial::Trial;
use crate::config::quoted;
use crate::notation::nearest::nearest;
use lexopt::{Arg, Parser};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use values::{text, webhook_action};

/// What is to be done. `config` is what `--config` said; `config_file` finds it otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Run { config: Option<PathBuf> },
    Check { config: Option<PathBuf> },
    Reload { config: Option<PathBuf> },
    Send { config: Option<PathBuf>, channel: String, to: String, text: String },
    Events { config: Option<PathBuf>, filter: EventFilter },
    Why { config: Option<PathBuf>, id: String },
    Replay { config: Option<PathBuf>, which: ReplayWhich },
    Resolve { config: Option<PathBuf>, which: ReplayWhich },
    Rehearse { config: Option<PathBuf>, since: Option<String> },
    Webhook { config: Option<PathBuf>, action: WebhookAction, channel: String },
    Doctor { config: Option<PathBuf> },
    Top { config: Option<PathBuf> },
    Login { config: Option<PathBuf>, upstream: String },
    Solar { config: Option<PathBuf>, bot: Option<String>, action: SolarAction },
    Try(Trial),
    Twin { config: Option<PathBuf>, to: Option<String>, play: Play },
    Help(Topic),
    Version,
}

/// What is done about a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookAction {
    List,
    Create,
    Sync,
    Delete,
}

/// The actions as they are typed.
const WEBHOOK_ACTIONS: [(&str, WebhookAction); 4] = [
    ("list", WebhookAction::List),
    ("create", WebhookAction::Create),
    ("sync", WebhookAction::Sync),
    ("delete", WebhookAction::Delete),
];

/// What is done about the people of a solar bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SolarAction {
    Invite {
        system: u64,
        days: u32,
    },
    People,
    /// Nothing more is told to this person, or this code opens nothing: as `People` lists them.
    Remove {
        who: String,
    },
}

/// Which events are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter {
    /// Only these; with `unknown`, both; with neither, all.
    pub dead: bool,
    pub unknown: bool,
    /// Receipts and own messages, too.
    pub all: bool,
    pub channel: Option<String>,
    pub follow: bool,
    pub limit: usize,
}

/// What is put back, or resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayWhich {
    /// Each of these reads as an `EventId`; there is at least one.
    Ids(Vec<String>),
    Dead,
    Unknown,
}

/// A whole command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    pub command: Command,
    /// How often `-v` was said.
    pub verbose: u8,
}

/// What is wrong with a command line, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Why reading a command line ended early.
enum Stop {
    Help,
    Version,
    Wrong(String),
}

/// Reads the arguments, without the program's name.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Parsed, UsageError> {
    let mut words = Words { parser: Parser::from_args(args), topic: Topic::Overview, config: None, verbose: 0 };
    let command = match words.command() {
        Ok(command) => command,
        Err(Stop::Help) => Command::Help(words.topic),
        Err(Stop::Version) => Command::Version,
        Err(Stop::Wrong(what)) => {
            let joint = if what.ends_with('?') { "" } else { ";" };
            return Err(UsageError(format!("{what}{joint} see {}", words.help())));
        }
    };
    Ok(Parsed { command, verbose: words.verbose })
}

/// Where the configuration is: as told, or the first of the usual places that has one.
pub fn config_file(explicit: Option<&Path>, exists: &dyn Fn(&Path) -> bool) -> Result<PathBuf, String> {
    const USUAL: [&str; 2] = ["ackd.toml", "/etc/ackd/ackd.toml"];
    if let Some(file) = explicit {
        return Ok(file.to_owned());
    }
    let found = USUAL.iter().map(PathBuf::from).find(|file| exists(file));
    found.ok_or_else(|| {
        format!("there is no configuration: looked for {}; name one with --config FILE", USUAL.join(" and "))
    })
}

/// The commands as they are typed, each with its help and the options that only it has.
pub const COMMANDS: [(&str, Topic, &[&str]); 15] = [
    ("run", Topic::Run, &[]),
    ("check", Topic::Check, &[]),
    ("reload", Topic::Reload, &[]),
    ("send", Topic::Send, &[]),
    ("events", Topic::Events, &["dead", "unknown", "all", "channel", "limit", "follow"]),
    ("why", Topic::Why, &[]),
    ("replay", Topic::Replay, &["dead", "dry", "since"]),
    ("resolve", Topic::Resolve, &["dead", "unknown"]),
    ("webhook", Topic::Webhook, &[]),
    ("doctor", Topic::Doctor, &[]),
    ("top", Topic::Top, &[]),
    ("login", Topic::Login, &[]),
    ("solar", Topic::Solar, &["bot", "days"]),
    ("try", Topic::Try, &["keep", "listen", "faults", "seed"]),
    ("twin", Topic::Twin, &["to", "listen", "faults", "seed"]),
];

/// What every command understands.
pub const EVERYWHERE: [&str; 4] = ["config", "verbose", "help", "version"];

/// A word that a command has to deal with itself.
enum Word {
    Option(String),
    Value(OsString),
}

struct Words {
    parser: Parser,
    /// What is being read, for help and for errors.
    topic: Topic,
    config: Option<PathBuf>,
    verbose: u8,
}

impl Words {
    fn command(&mut self) -> Result<Command, Stop> {
        let name = match self.next()? {
            // An option alone asks for nothing, and help would look as if something had been done.
            None if self.config.is_some() => return Err(Stop::Wrong("no command is given".to_owned())),
            None => return Err(Stop::Help),
            Some(Word::Option(option)) => return Err(self.unknown_option(&option)),
            Some(Word::Value(name)) => text(name)?,
        };
        match name.as_str() {
            "help" => return self.help_command(),
            "version" => return self.nothing_more().map(|_| Command::Version),
            _ => self.topic = topic(&name)?,
        }
        match self.topic {
            Topic::Overview => Err(Stop::Help),
            Topic::Run => self.nothing_more().map(|config| Command::Run { config }),
            Topic::Check => self.nothing_more().map(|config| Command::Check { config }),
            Topic::Reload => self.nothing_more().map(|config| Command::Reload { config }),
            Topic::Send => self.send(),
            Topic::Events => self.events(),
            Topic::Why => self.why(),
            Topic::Replay => self.replay(),
            Topic::Resolve => self.resolve(),
            Topic::Webhook => self.webhook(),
            Topic::Doctor => self.nothing_more().map(|config| Command::Doctor { config }),
            Topic::Top => self.nothing_more().map(|config| Command::Top { config }),
            Topic::Login => self.login(),
            Topic::Solar => self.solar(),
            Topic::Try => self.trial(),
            Topic::Twin => self.twin(),
        }
    }

    /// The next word that is not an option of every command.
    fn next(&mut self) -> Result<Option<Word>, Stop> {
        loop {
            let word = match self.parser.next().map_err(|error| Stop::Wrong(error.to_string()))? {
                None => return Ok(None),
                Some(Arg::Short('h') | Arg::Long("help")) => return Err(Stop::Help),
                Some(Arg::Short('V') | Arg::Long("version")) => return Err(Stop::Version),
                Some(Arg::Short('v') | Arg::Long("verbose")) => {
                    self.verbose = self.verbose.saturating_add(1);
                    continue;
                }
                Some(Arg::Long("config")) => None,
                Some(Arg::Short(letter)) => Some(Word::Option(format!("-{letter}"))),
                Some(Arg::Long(name)) => Some(Word::Option(format!("--{name}"))),
                Some(Arg::Value(value)) => Some(Word::Value(value)),
            };
            if word.is_some() {
                return Ok(word);
            }
            let file = PathBuf::from(self.value()?);
            if file.as_os_str().is_empty() {
                return Err(Stop::Wrong("--config needs the name of a file".to_owned()));
            }
            if self.config.replace(file).is_some() {
                return Err(Stop::Wrong("--config is given twice".to_owned()));
            }
        }
    }

    /// The value of the option that was read last.
    fn value(&mut self) -> Result<OsString, Stop> {
        self.parser.value().map_err(|error| Stop::Wrong(error.to_string()))
    }

    fn help_command(&mut self) -> Result<Command, Stop> {
        let Some(word) = self.next()? else { return Err(Stop::Help) };
        match word {
            Word::Value(name) => match text(name)?.as_str() {
                "help" | "version" => {}
                name => self.topic = topic(name)?,
            },
            Word::Option(option) => return Err(self.unknown_option(&option)),
        }
        // Its actions have their help in one text.
        if self.topic == Topic::Webhook
            && let Some(Word::Value(word)) = self.next()?
        {
            webhook_action(&text(word)?)?;
        }
        self.nothing_more().map(|_| Command::Help(self.topic))
    }

    fn nothing_more(&mut self) -> Result<Option<PathBuf>, Stop> {
        match self.next()? {
            None => Ok(self.config.take()),
            Some(Word::Option(option)) => Err(self.unknown_option(&option)),
            Some(Word::Value(value)) => {
                let hint = if self.topic == Topic::Send { ": put the text in quotes" } else { "" };
                Err(Stop::Wrong(format!("{} is one word too many{hint}", quoted(&value.to_string_lossy()))))
            }
        }
    }

    /// A word that must come now; `name` is what the help calls it.
    fn needed(&mut self, name: &str) -> Result<String, Stop> {
        match self.next()? {
            Some(Word::Value(value)) => text(value),
            Some(Word::Option(option)) => Err(self.unknown_option(&option)),
            None => Err(Stop::Wrong(format!("{name} is missing"))),
        }
    }

    fn surplus(&self, value: &OsStr) -> Stop {
        Stop::Wrong(format!("{} is one word too many", quoted(&value.to_string_lossy())))
    }

    /// The command as it is called, with the words that ask for its help.
    fn help(&self) -> String {
        let name = COMMANDS.iter().find(|(_, topic, _)| *topic == self.topic).map(|(name, ..)| *name);
        name.map_or_else(|| "ackd --help".to_owned(), |name| format!("ackd {name} --help"))
    }

    fn unknown_option(&self, option: &str) -> Stop {
        let own = COMMANDS.iter().find(|(_, topic, _)| *topic == self.topic);
        let (name, options) = own.map_or(("ackd", [].as_slice()), |(name, _, options)| (*name, *options));
        let known = options.iter().chain(&EVERYWHERE).copied();
        let hint = match nearest(option.trim_start_matches('-'), known) {
            Some(near) => format!("; did you mean --{near}?"),
            None if self.topic == Topic::Send => "; a text that begins with - goes behind --".to_owned(),
            None => String::new(),
        };
        Stop::Wrong(format!("{name} has no option {}{hint}", quoted(option)))
    }
}

/// The command of this name.
fn topic(name: &str) -> Result<Topic, Stop> {
    if let Some((_, topic, _)) = COMMANDS.iter().find(|(known, ..)| *known == name) {
        return Ok(*topic);
    }
    let hint = match nearest(name, COMMANDS.iter().map(|(known, ..)| *known)) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", COMMANDS.map(|(known, ..)| known).join(", ")),
    };
    Err(Stop::Wrong(format!("there is no command {}; {hint}", quoted(name))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn read(line: &str) -> Result<Parsed, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn command(line: &str) -> Command {
        read(line).unwrap_or_else(|error| panic!("{line}: {error}")).command
    }

    #[test]
    fn options_of_every_command_may_stand_before_or_behind_it() {
        let config = Some(PathBuf::from("a.toml"));
        for line in ["--config a.toml run -vv", "run --config=a.toml -v -v", "-v run --verbose --config a.toml"] {
            let parsed = Parsed { command: Command::Run { config: config.clone() }, verbose: 2 };
            assert_eq!(read(line), Ok(parsed), "{line}");
        }
        assert_eq!(command("check"), Command::Check { config: None });
        assert_eq!(command("reload"), Command::Reload { config: None });
        assert_eq!(command("top"), Command::Top { config: None });
        assert_eq!(command("doctor --config a.toml"), Command::Doctor { config });
    }

    #[test]
    fn a_text_to_send_may_begin_with_a_dash_behind_two_dashes() {
        let send =
            |text: &str| Command::Send { config: None, channel: "page".into(), to: "1".into(), text: text.into() };
        assert_eq!(command("send page 1 hello"), send("hello"));
        assert_eq!(command("send page 1 -- --dead"), send("--dead"));
        assert_eq!(command("send page 1 -"), send("-"));
        assert_eq!(command("send -- page 1 -5"), send("-5"));
    }

    #[test]
    fn events_are_filtered() {
        let all = EventFilter { dead: false, unknown: false, all: false, channel: None, follow: false, limit: 50 };
        let events = |filter| Command::Events { config: None, filter };
        assert_eq!(command("events"), events(all.clone()));
        assert_eq!(
            command("events --dead --unknown --channel page --follow --limit=7"),
            events(EventFilter {
                dead: true,
                unknown: true,
                channel: Some("page".into()),
                follow: true,
                limit: 7,
                ..all.clone()
            })
        );
        assert_eq!(command("events --all"), events(EventFilter { all: true, ..all }));
    }

    #[test]
    fn ids_are_read_before_anything_is_touched() {
        assert_eq!(command("why m_AbC"), Command::Why { config: None, id: "m_AbC".into() });
        assert_eq!(command("why page-17.2"), Command::Why { config: None, id: "page-17.2".into() });
        let ids = ReplayWhich::Ids(vec!["page-1".into(), "my-page-2".into()]);
        assert_eq!(command("replay page-1 my-page-2"), Command::Replay { config: None, which: ids });
        assert_eq!(command("replay --dead"), Command::Replay { config: None, which: ReplayWhich::Dead });
    }

    #[test]
    fn a_resolve_takes_events_or_all_of_a_state() {
        let resolve = |which| Command::Resolve { config: None, which };
        let ids = ["page-1", "my-page-2"].map(str::to_owned).to_vec();
        assert_eq!(command("resolve page-1 my-page-2"), resolve(ReplayWhich::Ids(ids)));
        assert_eq!(command("resolve --dead"), resolve(ReplayWhich::Dead));
        assert_eq!(command("resolve --unknown"), resolve(ReplayWhich::Unknown));
        let wrong = |line| read(line).unwrap_err().to_string();
        let which = "say which: one or more IDs, or --dead, or --unknown; see ackd resolve --help";
        for line in ["resolve", "resolve page-1 --dead", "resolve --dead --unknown"] {
            assert_eq!(wrong(line), which, "{line}");
        }
        let part = "page-1.2 is one reply; the whole event is page-1; see ackd resolve --help";
        assert_eq!(wrong("resolve page-1.2"), part);
    }

    #[test]
    fn a_dry_replay_takes_no_ids_and_alone_a_moment() {
        let rehearse = |config: Option<&str>, since: Option<&str>| Command::Rehearse {
            config: config.map(PathBuf::from),
            since: since.map(str::to_owned),
        };
        assert_eq!(command("replay --dry"), rehearse(None, None));
        assert_eq!(command("replay --since 2h --dry --config a.toml"), rehearse(Some("a.toml"), Some("2h")));
        let wrong = |line| read(line).unwrap_err().to_string();
        for line in ["replay --dry page-1", "replay --dry --dead"] {
            let what = "--dry takes the newest events, or those --since a moment; leave IDs and --dead away";
            assert_eq!(wrong(line), format!("{what}; see ackd replay --help"));
        }
        let alone = "--since belongs to --dry; see ackd replay --help";
        assert_eq!(
            (wrong("replay --dead --since 2h"), wrong("replay --since 2h")),
            (alone.to_owned(), alone.to_owned())
        );
    }

    #[test]
    fn a_registration_is_named_by_its_channel() {
        for (word, action) in WEBHOOK_ACTIONS {
            let expected = Command::Webhook { config: Some("a.toml".into()), action, channel: "page".into() };
            assert_eq!(command(&format!("webhook {word} page --config a.toml")), expected);
        }
    }

    #[test]
    fn a_login_names_its_upstream() {
        let expected = Command::Login { config: Some("a.toml".into()), upstream: "enphase".into() };
        assert_eq!(command("login enphase --config a.toml"), expected);
    }

    #[test]
    fn an_invitation_names_its_system() {
        let solar = |bot: Option<&str>, action| Command::Solar { config: None, bot: bot.map(str::to_owned), action };
        let invite = |days| SolarAction::Invite { system: 698_910_067, days };
        assert_eq!(command("solar invite 698910067"), solar(None, invite(7)));
        assert_eq!(command("solar --days 30 invite 698910067 --bot sun"), solar(Some("sun"), invite(30)));
        assert_eq!(command("solar people"), solar(None, SolarAction::People));
        let who = "page/2468".to_owned();
        assert_eq!(command("solar remove page/2468"), solar(None, SolarAction::Remove { who }));
    }

    #[test]
    fn help_is_given_whatever_else_is_missing() {
        for (line, topic) in [
            ("", Topic::Overview),
            ("--help", Topic::Overview),
            ("help", Topic::Overview),
            ("-h run", Topic::Overview),
            ("run --help", Topic::Run),
            ("help why", Topic::Why),
            ("help help", Topic::Overview),
            ("help version", Topic::Overview),
            ("help webhook", Topic::Webhook),
            ("help webhook list", Topic::Webhook),
            ("--config a.toml help", Topic::Overview),
            ("send page -h", Topic::Send),
            ("replay --dead page-1 --help", Topic::Replay),
        ] {
            assert_eq!(command(line), Command::Help(topic), "{line}");
        }
        for line in ["--version", "run -V", "version"] {
            assert_eq!(command(line), Command::Version, "{line}");
        }
    }

    #[test]
    fn what_cannot_be_done_says_what_to_type() {
        for (line, what) in [
            ("rnu", "there is no command \"rnu\"; did you mean run? see ackd --help"),
            (
                "dance",
                "there is no command \"dance\"; there are run, check, reload, send, events, why, replay, resolve, webhook, doctor, top, login, solar, try, twin; see ackd --help",
            ),
            (
                "help dance",
                "there is no command \"dance\"; there are run, check, reload, send, events, why, replay, resolve, webhook, doctor, top, login, solar, try, twin; see ackd --help",
            ),
            ("help webhook lsit", "webhook takes no \"lsit\"; did you mean list? see ackd webhook --help"),
            ("help webhook list page", "\"page\" is one word too many; see ackd webhook --help"),
            ("version 1", "\"1\" is one word too many; see ackd --help"),
            ("--config a.toml", "no command is given; see ackd --help"),
            (
                "try --faults cut",
                "--faults: \"cut\" does not say how often; write for example \"cut 2%\", from 0% to 100%; see ackd try --help",
            ),
            ("--dead events", "ackd has no option \"--dead\"; see ackd --help"),
            ("--confg x run", "ackd has no option \"--confg\"; did you mean --config? see ackd --help"),
            ("run --config", "missing argument for option '--config'; see ackd run --help"),
            ("run --config=", "--config needs the name of a file; see ackd run --help"),
            ("run --config a --config b", "--config is given twice; see ackd run --help"),
            ("run fast", "\"fast\" is one word too many; see ackd run --help"),
            ("run -x", "run has no option \"-x\"; see ackd run --help"),
            ("send page", "TO is missing; see ackd send --help"),
            ("send page 1 two words", "\"words\" is one word too many: put the text in quotes; see ackd send --help"),
            (
                "send page 1 -5",
                "send has no option \"-5\"; a text that begins with - goes behind --; see ackd send --help",
            ),
            ("events page-1", "events takes no \"page-1\"; for one event type ackd why ID; see ackd events --help"),
            ("events --limit 0", "--limit takes a number from 1 to 100000, not \"0\"; see ackd events --help"),
            ("events --ded", "events has no option \"--ded\"; did you mean --dead? see ackd events --help"),
            ("events --dead=yes", "unexpected argument for option '--dead': \"yes\"; see ackd events --help"),
            ("why", "ID is missing; see ackd why --help"),
            (
                "replay page",
                "\"page\" is no event's name; write for example page-17 or page-17.1; see ackd replay --help",
            ),
            ("replay", "say which: one or more IDs, or --dead; see ackd replay --help"),
            ("webhook", "what to do (list, create, sync or delete) is missing; see ackd webhook --help"),
            ("webhook lsit page", "webhook takes no \"lsit\"; did you mean list? see ackd webhook --help"),
            ("webhook page", "webhook takes no \"page\"; it takes list, create, sync, delete; see ackd webhook --help"),
            ("webhook sync", "CHANNEL is missing; see ackd webhook --help"),
            ("login", "UPSTREAM is missing; see ackd login --help"),
            ("solar", "what to do (invite, people or remove) is missing; see ackd solar --help"),
            ("solar ivnite", "solar takes no \"ivnite\"; it takes invite, people, remove; see ackd solar --help"),
            ("solar invite", "SYSTEM is missing; see ackd solar --help"),
            ("solar invite roof", "\"roof\" is no system's id; those are numbers, as 698910067; see ackd solar --help"),
            ("solar invite 7 8", "\"8\" is one word too many; see ackd solar --help"),
            ("solar remove", "WHO is missing; see ackd solar --help"),
            ("solar people 7", "\"7\" is one word too many; see ackd solar --help"),
            ("solar people --days 7", "--days belongs to invite; see ackd solar --help"),
            ("solar invite 7 --days 0", "--days takes a number from 1 to 366, not \"0\"; see ackd solar --help"),
            ("webhook sync page now", "\"now\" is one word too many; see ackd webhook --help"),
            ("replay page-1 --dead", "say either IDs or --dead, not both; see ackd replay --help"),
        ] {
            assert_eq!(read(line), Err(UsageError(what.to_owned())), "{line}");
        }
    }

    #[test]
    fn words_that_are_not_text_are_told() {
        let line = ["send", "page", "1"].map(OsString::from).into_iter().chain([OsString::from_vec(vec![0xff])]);
        assert_eq!(parse(line).unwrap_err().to_string(), "\"\u{FFFD}\" is not UTF-8 text; see ackd send --help");
    }

    #[test]
    fn the_configuration_is_looked_for_where_help_says() {
        let there = |place: &'static str| move |file: &Path| file == Path::new(place);
        assert_eq!(config_file(None, &there("ackd.toml")), Ok("ackd.toml".into()));
        assert_eq!(config_file(None, &there("/etc/ackd/ackd.toml")), Ok("/etc/ackd/ackd.toml".into()));
        assert_eq!(config_file(Some(Path::new("x")), &there("ackd.toml")), Ok("x".into()));
        assert_eq!(
            config_file(None, &|_| false),
            Err("there is no configuration: looked for ackd.toml and /etc/ackd/ackd.toml; name one with --config FILE"
                .into())
        );
    }
}
