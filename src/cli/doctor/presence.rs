//! Whether a daemon runs on the store and answers; and how systemd's unit fares.
//!
//! It is asked by leaving a word with it, which the public URL is then asked for.

use super::finding::Finding;
use super::machine::Machine;
use crate::cli::control::ControlFault;
use crate::daemon::control_socket;
use crate::limits::UNIT_RESTARTS_MAX;
use crate::notation::counted::counted;
use serde_json::json;
use std::io::ErrorKind;
use std::path::Path;

/// What the control socket came to.
pub(super) enum Presence {
    /// It answers, and has this word.
    Answers {
        process: u32,
        word: Word,
        /// How many connections it takes at once; an older one does not say.
        connections_max: Option<usize>,
    },
    /// Somebody listens there, and does not do as a daemon of this version does.
    Mute {
        process: u32,
        why: String,
    },
    /// Nobody listens there, though somebody holds the store.
    Hidden,
    /// This user cannot know.
    Unknown(String),
    Absent,
}

/// What is asked for at the public door, and what only this daemon says to it.
pub(super) struct Word {
    pub(super) ask: String,
    pub(super) say: String,
}

impl Presence {
    pub(super) fn find(store: &Path, machine: &dyn Machine) -> Presence {
        let socket = control_socket(store);
        let process = match machine.listener(&socket) {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Presence::Unknown(error.to_string()),
            Err(_) => {
                return match machine.is_held(store) {
                    Ok(true) => Presence::Hidden,
                    Ok(false) => Presence::Absent,
                    Err(error) => Presence::Unknown(error.0),
                };
            }
        };
        match leave(&socket, machine) {
            Ok(word) => Presence::Answers { process, word, connections_max: connections_max(&socket, machine) },
            Err(why) => Presence::Mute { process, why },
        }
    }

    /// The daemon's number, where it can be seen.
    pub(super) fn process(&self) -> Option<u32> {
        match self {
            Presence::Answers { process, .. } | Presence::Mute { process, .. } => Some(*process).filter(|it| *it > 0),
            _ => None,
        }
    }

    /// How many connections it takes at once, by its own word.
    pub(super) fn connections_max(&self) -> Option<usize> {
        if let Presence::Answers { connections_max, .. } = self { *connections_max } else { None }
    }

    pub(super) fn finding(&self, store: &Path, file: &Path) -> Finding {
        let what = "daemon";
        let (store, file) = (store.display(), file.display());
        const RESTART: &str = "systemctl restart ackd; journalctl -u ackd -n 50";
        match self {
            Presence::Answers { process, .. } => {
                Finding::ok(what, format!("process {process} runs on {store}, and answers"))
            }
            Presence::Mute { process, why } => {
                Finding::wrong(what, format!("process {process} has the control socket of {store}, but {why}"), RESTART)
            }
            Presence::Hidden => {
                let wrong = format!("one holds {store}, but nobody answers at its control socket");
                Finding::wrong(what, wrong, RESTART)
            }
            Presence::Unknown(why) => {
                let mend = format!("sudo ackd doctor --config {file}");
                Finding::wrong(what, format!("whether one runs on {store} cannot be seen: {why}"), mend)
            }
            Presence::Absent => {
                let mend = format!("systemctl start ackd, or without systemd: ackd run --config {file}");
                Finding::wrong(what, format!("none runs on {store}"), mend)
            }
        }
    }
}

fn leave(socket: &Path, machine: &dyn Machine) -> Result<Word, String> {
    let drawn = || machine.word().map_err(|error| format!("no word can be made up for it: {error}"));
    let word = Word { ask: drawn()?, say: drawn()? };
    let json = json!({ "ask": word.ask, "say": word.say }).to_string();
    match machine.order(socket, "/word", json.as_bytes()) {
        Ok(_) => Ok(word),
        Err(ControlFault::Refused { status, .. }) => {
            Err(format!("refuses a word with HTTP {status}: it is an older ackd, or another program"))
        }
        Err(ControlFault::Lost(why) | ControlFault::Unreachable(why)) => Err(why),
    }
}

fn connections_max(socket: &Path, machine: &dyn Machine) -> Option<usize> {
    let page = machine.figures(socket).ok()?;
    page.lines().find_map(|line| line.strip_prefix("ackd_connections_max "))?.parse().ok()
}

const UNIT: &str = "ackd.service";

/// How systemd's unit fares, where there is one.
pub(super) fn unit(machine: &dyn Machine) -> Finding {
    let what = "unit";
    let properties = "LoadState,ActiveState,SubState,NRestarts,Result,UnitFileState";
    let said = match machine.run("systemctl", &["show", UNIT, "-p", properties]) {
        Ok(said) => said,
        Err(error) if error.kind() == ErrorKind::NotFound => return Finding::ok(what, "this machine has no systemd"),
        Err(error) => return Finding::unseen(what, format!("systemctl cannot be asked: {error}")),
    };
    let value = |name: &str| {
        let row = said.out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        row.unwrap_or_default()
    };
    const LOG: &str = "journalctl -u ackd -n 50";
    let (active, sub, result) = (value("ActiveState"), value("SubState"), value("Result"));
    let restarts = value("NRestarts").parse::<u32>().unwrap_or(0);
    let restarted = counted(restarts.into(), "time");
    match (value("LoadState"), active) {
        ("", _) => {
            let why = said.error.lines().next().unwrap_or("systemctl said nothing").to_owned();
            Finding::unseen(what, format!("systemd does not run here ({why})"))
        }
        ("not-found", _) => Finding::ok(what, format!("{UNIT} is not installed")),
        ("loaded", "failed") => Finding::wrong(what, format!("{UNIT} has failed ({result})"), LOG),
        ("loaded", _) if restarts > UNIT_RESTARTS_MAX || sub == "auto-restart" => {
            let wrong = format!("{UNIT} was restarted {restarted} since it was started ({active}, {sub}, {result})");
            Finding::wrong(what, wrong, LOG)
        }
        // After the machine's next start nobody would answer.
        ("loaded", "active") if value("UnitFileState") == "disabled" => {
            let wrong = format!("{UNIT} runs, but would not be started with the machine");
            Finding::wrong(what, wrong, "systemctl enable ackd")
        }
        ("loaded", _) => Finding::ok(what, format!("{UNIT} is {active} ({sub}), restarted {restarted}")),
        (load, _) => {
            let mend = format!("systemctl status ackd; systemd-analyze verify {UNIT}");
            Finding::wrong(what, format!("systemd cannot use {UNIT}: {load}"), mend)
        }
    }
}
