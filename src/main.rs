//! ackd: what is typed, the configuration, the command, the exit code.

#[cfg(all(panic = "abort", target_os = "linux"))]
#[allow(unsafe_code, reason = "names that the linker knows; nothing else is unsafe there")]
#[path = "main/unwind.rs"]
mod unwind;

use ::log::LevelFilter;
use ackd::cli::args::{Command, Parsed, config_file, parse};
use ackd::cli::check::check;
use ackd::cli::doctor::machine::ThisMachine;
use ackd::cli::doctor::{Instruments, doctor};
use ackd::cli::events::events;
use ackd::cli::help::VERSION;
use ackd::cli::linger::linger;
use ackd::cli::login::login;
use ackd::cli::rehearse::rehearse;
use ackd::cli::reload::reload;
use ackd::cli::replay::{replay, resolve};
use ackd::cli::send::{Saying, send};
use ackd::cli::solar::solar;
use ackd::cli::top::top;
use ackd::cli::trial::trial;
use ackd::cli::twin::twin;
use ackd::cli::webhook::webhook;
use ackd::cli::why::why;
use ackd::cli::{CliError, World, log};
use ackd::config::{Config, Outline};
use ackd::daemon::{self, Reread};
use ackd::work::fetch::Fetch;
use jiff::tz::TimeZone;
use std::env;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    let mut out = BufWriter::new(io::stdout());
    let done = parse(env::args_os().skip(1)).map_err(|error| CliError::Usage(error.to_string())).and_then(
        |Parsed { command, verbose }| {
            // Whoever tries something looks at the page; what is worth a word there is in it.
            let plays = matches!(command, Command::Try(_) | Command::Twin { .. });
            log::start(if plays { LevelFilter::Warn } else { LevelFilter::Info }, verbose, &variable);
            carry_out(command, &mut out)
        },
    );
    ::log::logger().flush();
    // What was said before an error is told before it.
    let told = out.flush().map_err(CliError::from);
    match done.and(told) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(error.code())
        }
    }
}

fn carry_out(command: Command, out: &mut dyn Write) -> Result<(), CliError> {
    let linger = |time| linger(&io::stdout(), time);
    // Made where it is wanted: a daemon need not hold a time zone in memory.
    let world = || World {
        zone: TimeZone::system(),
        clock: daemon::clock,
        user: daemon::user(),
        pause: &thread::sleep,
        linger: &linger,
    };
    match command {
        Command::Run { config } => place(config).and_then(run).map_err(|error| logged(&error)),
        Command::Reload { config } => reload(&outline(config)?, out),
        Command::Check { config } => check_and_tell(&place(config)?, out),
        Command::Send { config, channel, to, text } => {
            let saying = Saying { channel: &channel, to: &to, text: &text };
            send(&outline(config)?, saying, &world(), out, &mut io::stderr())
        }
        Command::Events { config, filter } => events(&outline_to_read(config)?, &filter, &world(), out),
        Command::Why { config, id } => why(&outline_to_read(config)?, &id, &world(), out),
        Command::Replay { config, which } => replay(&outline(config)?, &which, &world(), out),
        Command::Resolve { config, which } => resolve(&outline(config)?, &which, &world(), out),
        Command::Rehearse { config, since } => rehearse(&place(config)?, since.as_deref(), &variable, &world(), out),
        Command::Webhook { config, action, channel } => {
            webhook(&load(config)?, action, &channel, &Fetch::default(), &world(), out)
        }
        Command::Doctor { config } => {
            let by =
                Instruments { world: &world(), env: &variable, upstream: &Fetch::default(), machine: &ThisMachine };
            doctor(&place(config)?, &by, out)
        }
        Command::Top { config } => top(&outline_to_read(config)?, io::stdout().is_terminal(), &world(), out),
        Command::Login { config, upstream } => {
            let by =
                Instruments { world: &world(), env: &variable, upstream: &Fetch::default(), machine: &ThisMachine };
            login(&place(config)?, &upstream, &by, &mut io::stdin().lock(), out)
        }
        Command::Solar { config, bot, action } => {
            solar(&outline(config)?, bot.as_deref(), &action, &daemon::sure_chance, &world(), out)
        }
        Command::Try(asked) => trial(&asked, &variable, daemon::chance(), out),
        Command::Twin { config, to, play } => twin(&load(config)?, to.as_deref(), &play, daemon::chance(), out),
        Command::Help(topic) => Ok(out.write_all(topic.text().as_bytes())?),
        Command::Version => Ok(out.write_all(VERSION.as_bytes())?),
    }
}

fn run(file: PathBuf) -> Result<(), CliError> {
    let config = Config::load(&file, &variable).map_err(CliError::Config)?;
    log::follow(&config.log);
    let read = Box::new(move || Config::load_again(&file, &variable));
    daemon::run(&config, Reread { read, in_force: |config| log::follow(&config.log) }).map_err(CliError::Failed)
}

/// A daemon's errors belong into its log, where they have a time or a priority.
fn logged(error: &CliError) -> CliError {
    error.to_string().lines().for_each(|line| ::log::error!("{line}"));
    CliError::Told(error.code())
}

/// Whether the configuration is fit to run is known before it is known whether anybody reads about it.
fn check_and_tell(file: &Path, out: &mut dyn Write) -> Result<(), CliError> {
    let mut told = Vec::new();
    let fit = check(file, &variable, &mut told);
    let written = out.write_all(&told);
    if fit { Ok(written?) } else { Err(CliError::Told(2)) }
}

fn place(told: Option<PathBuf>) -> Result<PathBuf, CliError> {
    config_file(told.as_deref(), &Path::exists).map_err(CliError::Usage)
}

fn load(told: Option<PathBuf>) -> Result<Config, CliError> {
    Config::load(&place(told)?, &variable).map_err(CliError::Config)
}

/// For the commands beside the daemon, which need no secret.
fn outline(told: Option<PathBuf>) -> Result<Outline, CliError> {
    Outline::load(&place(told)?, &variable).map_err(CliError::Config)
}

/// For those of them that only look: the night in which somebody breaks the file is the one in which they are wanted.
fn outline_to_read(told: Option<PathBuf>) -> Result<Outline, CliError> {
    let (outline, faults) = Outline::to_read(&place(told)?, &variable).map_err(CliError::Config)?;
    if let Some(faults) = faults {
        complain(&CliError::Config(faults));
        let store = outline.store.display();
        complain(&CliError::Failed(format!(
            "store {store} is looked at all the same; correct that before the next start or reload"
        )));
    }
    Ok(outline)
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Says on stderr what went wrong. Where nobody reads that either, the exit code still tells.
fn complain(error: &CliError) {
    // A fault of the configuration begins with file and line, where editors look for them.
    let name = if matches!(error, CliError::Config(_)) { "" } else { "ackd: " };
    let what = error.to_string();
    if !what.is_empty() {
        let _ = writeln!(io::stderr(), "{name}{what}");
    }
}
