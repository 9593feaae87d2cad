//! The commands that take words or options of their own.

use super::values::{base_url, faults, id, invited_days, limit, loopback, seed, system, text, webhook_action, whole};
use super::{Command, EventFilter, ReplayWhich, SolarAction, Stop, Word, Words};
use crate::cli::playing::Play;
use crate::cli::trial::Trial;
use crate::config::quoted;
use crate::limits::{EVENTS_LISTED, SOLAR_INVITE_DAYS};
use std::ffi::OsStr;

impl Words {
    pub(super) fn send(&mut self) -> Result<Command, Stop> {
        let channel = self.needed("CHANNEL")?;
        let to = self.needed("TO")?;
        let text = self.needed("TEXT")?;
        if to.is_empty() || text.is_empty() {
            return Err(Stop::Wrong("TO and TEXT must not be empty".to_owned()));
        }
        Ok(Command::Send { config: self.nothing_more()?, channel, to, text })
    }

    pub(super) fn events(&mut self) -> Result<Command, Stop> {
        let mut filter =
            EventFilter { dead: false, unknown: false, all: false, channel: None, follow: false, limit: EVENTS_LISTED };
        while let Some(word) = self.next()? {
            match word {
                Word::Option(option) => match option.as_str() {
                    "--dead" => filter.dead = true,
                    "--unknown" => filter.unknown = true,
                    "--all" => filter.all = true,
                    "--follow" => filter.follow = true,
                    "--channel" => filter.channel = Some(text(self.value()?)?),
                    "--limit" => filter.limit = limit(&text(self.value()?)?)?,
                    _ => return Err(self.unknown_option(&option)),
                },
                Word::Value(value) => {
                    let shown = quoted(&value.to_string_lossy());
                    return Err(Stop::Wrong(format!("events takes no {shown}; for one event type ackd why ID")));
                }
            }
        }
        Ok(Command::Events { config: self.config.take(), filter })
    }

    pub(super) fn why(&mut self) -> Result<Command, Stop> {
        // Also the platform's own id, so what is none is only known once the store was asked.
        let id = self.needed("ID")?;
        Ok(Command::Why { config: self.nothing_more()?, id })
    }

    pub(super) fn replay(&mut self) -> Result<Command, Stop> {
        let (mut ids, mut dead, mut dry, mut since) = (Vec::new(), false, false, None);
        while let Some(word) = self.next()? {
            match word {
                Word::Option(option) if option == "--dead" => dead = true,
                Word::Option(option) if option == "--dry" => dry = true,
                Word::Option(option) if option == "--since" => since = Some(text(self.value()?)?),
                Word::Option(option) => return Err(self.unknown_option(&option)),
                Word::Value(value) => ids.push(id(text(value)?)?),
            }
        }
        match (dry, ids.is_empty() && !dead) {
            (true, true) => return Ok(Command::Rehearse { config: self.config.take(), since }),
            (true, false) => {
                let what = "--dry takes the newest events, or those --since a moment; leave IDs and --dead away";
                return Err(Stop::Wrong(what.to_owned()));
            }
            (false, _) if since.is_some() => return Err(Stop::Wrong("--since belongs to --dry".to_owned())),
            (false, _) => {}
        }
        let which = match (ids.is_empty(), dead) {
            (false, false) => ReplayWhich::Ids(ids),
            (true, true) => ReplayWhich::Dead,
            (true, false) => return Err(Stop::Wrong("say which: one or more IDs, or --dead".to_owned())),
            (false, true) => return Err(Stop::Wrong("say either IDs or --dead, not both".to_owned())),
        };
        Ok(Command::Replay { config: self.config.take(), which })
    }

    pub(super) fn resolve(&mut self) -> Result<Command, Stop> {
        let (mut ids, mut all) = (Vec::new(), Vec::new());
        while let Some(word) = self.next()? {
            match word {
                Word::Option(option) if option == "--dead" => all.push(ReplayWhich::Dead),
                Word::Option(option) if option == "--unknown" => all.push(ReplayWhich::Unknown),
                Word::Option(option) => return Err(self.unknown_option(&option)),
                Word::Value(value) => ids.push(whole(text(value)?)?),
            }
        }
        let which = match (all.pop(), ids.is_empty()) {
            (None, false) => ReplayWhich::Ids(ids),
            (Some(which), true) if all.is_empty() => which,
            _ => return Err(Stop::Wrong("say which: one or more IDs, or --dead, or --unknown".to_owned())),
        };
        Ok(Command::Resolve { config: self.config.take(), which })
    }

    pub(super) fn webhook(&mut self) -> Result<Command, Stop> {
        let word = self.needed("what to do (list, create, sync or delete)")?;
        let action = webhook_action(&word)?;
        let channel = self.needed("CHANNEL")?;
        Ok(Command::Webhook { config: self.nothing_more()?, action, channel })
    }

    pub(super) fn login(&mut self) -> Result<Command, Stop> {
        let upstream = self.needed("UPSTREAM")?;
        Ok(Command::Login { config: self.nothing_more()?, upstream })
    }

    pub(super) fn solar(&mut self) -> Result<Command, Stop> {
        let (mut bot, mut days, mut values) = (None, None, Vec::new());
        while let Some(word) = self.next()? {
            match word {
                Word::Option(option) if option == "--bot" => bot = Some(text(self.value()?)?),
                Word::Option(option) if option == "--days" => days = Some(invited_days(&text(self.value()?)?)?),
                Word::Option(option) => return Err(self.unknown_option(&option)),
                Word::Value(value) if values.len() == 2 => return Err(self.surplus(&value)),
                Word::Value(value) => values.push(text(value)?),
            }
        }
        let mut values = values.iter().map(String::as_str);
        let action = match (values.next(), values.next()) {
            (None, _) => return Err(Stop::Wrong("what to do (invite, people or remove) is missing".to_owned())),
            (Some("invite"), None) => return Err(Stop::Wrong("SYSTEM is missing".to_owned())),
            (Some("invite"), Some(id)) => {
                SolarAction::Invite { system: system(id)?, days: days.take().unwrap_or(SOLAR_INVITE_DAYS) }
            }
            (Some("remove"), None) => return Err(Stop::Wrong("WHO is missing".to_owned())),
            (Some("remove"), Some(who)) => SolarAction::Remove { who: who.to_owned() },
            (Some("people"), None) => SolarAction::People,
            (Some("people"), Some(more)) => return Err(self.surplus(OsStr::new(more))),
            (Some(word), _) => {
                return Err(Stop::Wrong(format!("solar takes no {}; it takes invite, people, remove", quoted(word))));
            }
        };
        if days.is_some() {
            return Err(Stop::Wrong("--days belongs to invite".to_owned()));
        }
        Ok(Command::Solar { config: self.config.take(), bot, action })
    }

    pub(super) fn trial(&mut self) -> Result<Command, Stop> {
        let mut trial = Trial::default();
        while let Some(word) = self.next()? {
            match word {
                Word::Option(option) if option == "--keep" => trial.keep = true,
                Word::Option(option) => self.play(&option, &mut trial.play)?,
                Word::Value(value) => return Err(self.surplus(&value)),
            }
        }
        Ok(Command::Try(Trial { config: self.config.take(), ..trial }))
    }

    pub(super) fn twin(&mut self) -> Result<Command, Stop> {
        let (mut to, mut play) = (None, Play::default());
        while let Some(word) = self.next()? {
            match word {
                Word::Option(option) if option == "--to" => to = Some(base_url(text(self.value()?)?)?),
                Word::Option(option) => self.play(&option, &mut play)?,
                Word::Value(value) => return Err(self.surplus(&value)),
            }
        }
        Ok(Command::Twin { config: self.config.take(), to, play })
    }

    /// An option of both commands that play a platform.
    pub(super) fn play(&mut self, option: &str, play: &mut Play) -> Result<(), Stop> {
        match option {
            "--listen" => play.listen = Some(loopback(&text(self.value()?)?)?),
            "--faults" => play.faults = faults(text(self.value()?)?)?,
            "--seed" => play.seed = Some(seed(&text(self.value()?)?)?),
            _ => return Err(self.unknown_option(option)),
        }
        Ok(())
    }
}
