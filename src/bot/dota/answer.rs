//! One answer, from what is asked to what is said. It is given in stages, so that the first message goes out as soon as it
//! is known, and whoever waits in the line of OpenDota's calls holds no worker.
//!
//!     find ──▶ meet ──▶ rest        a name → a player, or a choice · who it is · what was played
//!
//! What is left to the next stage is the `Note`; what was answered meanwhile is in the memory. So a stage that runs twice,
//! since ackd was stopped in it, says the same.

use super::Settings;
use super::ask::{self, Shelf};
use super::choice::Choice;
use super::opendota::{Reading, Trouble};
use super::words::Part;
use super::{people, say};
use crate::bot::figures::unsigned;
use crate::bot::{BotFault, Desk};
use crate::limits::{
    DOTA_DAY_WAIT_MAX, DOTA_PATIENCE, DOTA_RETRY, DOTA_STALE_MAX, DOTA_WAIT_MAX, DOTA_WAIT_UNTOLD, DOTA_WAITS_MAX,
};
use crate::model::{Content, CourtesyAct, Event, EventKind, Moment, QuickReply, Reply};
use serde_json::Value;
use std::time::Duration;

/// What is asked, and how far its answer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Note {
    /// Who is looked for, while the player is not known.
    pub(super) name: String,
    /// 0 while it is not known.
    pub(super) player: u32,
    pub(super) part: Part,
    /// The one who asks is this player.
    pub(super) bind: bool,
    /// It was told who the player is.
    met: bool,
    /// It was told that there is a wait, or nobody is there to be told.
    told: bool,
    /// How often it stood in line.
    waits: u32,
    /// How long OpenDota was silent in all, in milliseconds. Time in the line of its calls is none of that.
    silent: u32,
}

impl Note {
    /// A question about a player, or about whoever has a name.
    pub(super) fn new(player: u32, name: String, part: Part, bind: bool) -> Note {
        Note { player, name, part, bind, ..Note::default() }
    }

    pub(super) fn json(&self) -> Vec<u8> {
        let Note { name, player, part, bind, met, told, waits, silent } = self;
        let (name, part) = (Value::from(name.as_str()), part.name());
        format!(
            "{{\"name\":{name},\"player\":{player},\"part\":\"{part}\",\"bind\":{bind},\"met\":{met},\"told\":{told},\
             \"waits\":{waits},\"silent\":{silent}}}"
        )
        .into_bytes()
    }

    /// A note as it was left; `None` when it is none.
    pub(super) fn read(json: &[u8]) -> Option<Note> {
        let note: Value = serde_json::from_slice(json).ok()?;
        let number = |name| unsigned(note.get(name)).and_then(|number| u32::try_from(number).ok());
        let flag = |name| note.get(name).and_then(Value::as_bool).unwrap_or(false);
        Some(Note {
            name: note.get("name")?.as_str()?.to_owned(),
            player: number("player")?,
            part: Part::named(note.get("part")?.as_str()?)?,
            bind: flag("bind"),
            met: flag("met"),
            told: flag("told"),
            waits: number("waits").unwrap_or(0),
            silent: number("silent").unwrap_or(0),
        })
    }
}

/// An answer under way.
pub(super) struct Telling<'a> {
    set: &'a Settings,
    event: &'a Event,
    desk: &'a mut dyn Desk,
    note: Note,
    replies: Vec<Reply>,
    /// Calls that are paid and were not made yet.
    paid: u32,
    /// When this stage began.
    began: Moment,
}

/// Answers a question: at once when all is known, else after a sign that somebody is at it.
pub(super) fn begin(
    set: &Settings,
    event: &Event,
    desk: &mut dyn Desk,
    mut note: Note,
) -> Result<Vec<Reply>, BotFault> {
    // Nobody looks on when an alarm rings.
    note.told = matches!(event.kind, EventKind::Alarm { .. });
    let is_known = is_known(desk, &note)?;
    if note.told || is_known {
        return go_on(set, event, desk, note);
    }
    desk.go_on(note.json(), None)?;
    let content = Content::Courtesy(CourtesyAct::TypingOn);
    Ok(vec![Reply { content, ..Reply::text(&event.conversation, "") }])
}

/// Goes on with an answer.
pub(super) fn go_on(set: &Settings, event: &Event, desk: &mut dyn Desk, note: Note) -> Result<Vec<Reply>, BotFault> {
    let began = desk.now();
    let mut telling = Telling { set, event, desk, note, replies: Vec::new(), paid: 0, began };
    telling.run()?;
    Ok(telling.replies)
}

/// Whether no call is needed.
fn is_known(desk: &mut dyn Desk, note: &Note) -> Result<bool, BotFault> {
    let now = desk.now();
    let mut player = note.player;
    if player == 0 {
        let Some(found) = ask::remembered(desk, &note.name)?.filter(|found| ask::is_fresh(found, now)) else {
            return Ok(false);
        };
        match Choice::only(hits(&found)) {
            Some(only) => player = only,
            None => return Ok(true),
        }
    }
    let shelf = Shelf::load(desk, player)?;
    Ok(shelf.is_closed_to(now) || lacks(&shelf, &readings(note.part, &shelf), now).is_empty())
}

/// What is needed to tell a part.
fn readings(part: Part, shelf: &Shelf) -> Vec<Reading> {
    use Reading::{HeroNames, Profile, Recent, Record, TopHeroes, Week, WeekTopHeroes};
    let rest: &[Reading] = match part {
        Part::All => &[Profile, Record, Recent, TopHeroes, HeroNames],
        Part::Profile => &[Profile],
        Part::Games => &[Record, Recent],
        Part::Week => &[Week, WeekTopHeroes, HeroNames],
        Part::Heroes => &[TopHeroes, HeroNames],
        Part::Match => &[Recent, HeroNames],
    };
    // To say a name, one of any age will do; who was hidden or unknown may be there by now.
    let is_wanted = shelf.get(Profile).is_none() || shelf.is_closed();
    let who = if is_wanted && !rest.contains(&Profile) { &[Profile][..] } else { &[] };
    who.iter().chain(rest).copied().collect()
}

fn lacks(shelf: &Shelf, readings: &[Reading], now: Moment) -> Vec<Reading> {
    readings.iter().copied().filter(|reading| !shelf.is_fresh(*reading, now)).collect()
}

fn hits(found: &Value) -> &[Value] {
    found.get("list").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// What became of asking.
enum Gathered {
    /// All of it is there.
    Whole,
    /// Not all of it is as new as it should be, or there at all.
    Lacking(Trouble),
    /// It goes on later.
    Later,
}

/// Of what is asked for, how much was had before.
#[derive(Clone, Copy)]
struct Had {
    all: bool,
    /// And not too long ago.
    lately: bool,
}

impl Telling<'_> {
    fn run(&mut self) -> Result<(), BotFault> {
        if self.note.player == 0 && !self.find()? {
            return Ok(());
        }
        let mut shelf = Shelf::load(self.desk, self.note.player)?;
        if matches!(self.note.part, Part::All | Part::Profile) && !self.note.met {
            if !self.meet(&mut shelf)? {
                return Ok(());
            }
            if !lacks(&shelf, &readings(Part::All, &shelf), self.desk.now()).is_empty() {
                return self.later(None);
            }
        }
        self.rest(&mut shelf)
    }

    /// Finds the player of a name; `false` when that is not (yet) one.
    fn find(&mut self) -> Result<bool, BotFault> {
        let now = self.desk.now();
        let name = self.note.name.clone();
        let kept = ask::remembered(self.desk, &name)?;
        let mut found = kept.clone().filter(|kept| ask::is_fresh(kept, now));
        if found.is_none() {
            match ask::search(self.set, self.event, self.desk, &name)? {
                Ok((new, paid)) => (found, self.paid) = (Some(new), paid),
                Err(trouble) => {
                    let had = Had { all: kept.is_some(), lately: kept.is_some() };
                    if !self.settle_for_less(&trouble, had)? {
                        return Ok(false);
                    }
                    found = kept;
                    if found.is_none() {
                        self.say(say::trouble(&trouble, 0, now));
                        return Ok(false);
                    }
                }
            }
        }
        let found = found.unwrap_or_default();
        match (hits(&found), Choice::only(hits(&found))) {
            (_, Some(player)) => {
                self.note.player = player;
                return Ok(true);
            }
            ([], _) => self.say(say::nobody(&name, &found, now)),
            (hits, None) => {
                let choice = Choice { hits: hits.to_vec(), part: self.note.part, bind: self.note.bind };
                let more = say::more(&found, now);
                self.replies.push(offer(self.event, self.desk, &choice, &more)?);
            }
        }
        Ok(false)
    }

    /// Tells who the player is; `false` when that is all, or comes later.
    fn meet(&mut self, shelf: &mut Shelf) -> Result<bool, BotFault> {
        let trouble = match self.gather(shelf, &[Reading::Profile])? {
            Gathered::Whole => None,
            Gathered::Lacking(trouble) => Some(trouble),
            Gathered::Later => return Ok(false),
        };
        let now = self.desk.now();
        let why = trouble.map_or_else(String::new, |trouble| say::trouble(&trouble, shelf.player, now));
        if shelf.get(Reading::Profile).is_none() {
            self.say(why);
            return Ok(false);
        }
        let mut text = say::profile(shelf, now);
        if !shelf.is("none") {
            people::speak_of(self.desk, self.event, shelf.player)?;
            if self.note.bind {
                people::bind(self.desk, self.event, shelf.player)?;
                text = format!("{} {text}", say::bound(shelf));
            }
        }
        self.note.met = true;
        let is_all = self.note.part == Part::Profile || shelf.is_closed();
        if is_all && !why.is_empty() {
            text = format!("{text} {why}");
        }
        let choices = if is_all && !shelf.is_closed() { self.choices(shelf.player)? } else { Vec::new() };
        self.say_with(text, choices);
        Ok(!is_all)
    }

    /// Tells what was played.
    fn rest(&mut self, shelf: &mut Shelf) -> Result<(), BotFault> {
        let mut readings = readings(self.note.part, shelf);
        readings.retain(|reading| *reading != Reading::Profile || !self.note.met);
        let trouble = match self.gather(shelf, &readings)? {
            Gathered::Whole => None,
            Gathered::Lacking(trouble) => Some(trouble),
            Gathered::Later => return Ok(()),
        };
        let now = self.desk.now();
        if shelf.is_closed() {
            self.say(say::profile(shelf, now));
            return Ok(());
        }
        if shelf.get(Reading::Profile).is_some() {
            people::speak_of(self.desk, self.event, shelf.player)?;
        }
        let heroes = || say::heroes(shelf, Reading::TopHeroes, now);
        let told = match self.note.part {
            Part::All | Part::Profile => {
                let last = [heroes(), say::last(shelf, now)].into_iter().flatten().collect::<Vec<_>>().join(" ");
                vec![say::games(shelf, now), Some(last).filter(|last| !last.is_empty())]
            }
            Part::Games => vec![say::games(shelf, now)],
            Part::Week => vec![say::week(shelf, now)],
            Part::Heroes => vec![heroes()],
            Part::Match => vec![say::last(shelf, now)],
        };
        let mut told: Vec<_> = told.into_iter().flatten().collect();
        if let Some(first) = told.first_mut().filter(|_| !self.note.met) {
            *first = format!("{}: {first}", say::name(shelf));
        }
        if let Some(trouble) = trouble {
            let why = say::trouble(&trouble, shelf.player, now);
            match told.last_mut() {
                Some(last) => *last = format!("{last} {why}"),
                None => told.push(why),
            }
        }
        let mut choices = self.choices(shelf.player)?;
        while !told.is_empty() {
            let text = told.remove(0);
            let below = if told.is_empty() { std::mem::take(&mut choices) } else { Vec::new() };
            self.say_with(text, below);
        }
        Ok(())
    }

    /// Has these readings, as far as they are to be had.
    fn gather(&mut self, shelf: &mut Shelf, readings: &[Reading]) -> Result<Gathered, BotFault> {
        let paid = std::mem::take(&mut self.paid);
        let Some(trouble) = ask::gather(self.set, self.event, self.desk, shelf, readings, paid)? else {
            return Ok(Gathered::Whole);
        };
        let now = self.desk.now();
        let mut needed = readings.iter().filter(|reading| !reading.is_the_worlds());
        let age = |reading: &Reading| shelf.at(*reading).map(|at| now.since(at));
        let all = needed.clone().all(|reading| age(reading).is_some());
        let lately = needed.all(|reading| age(reading).is_some_and(|age| age < DOTA_STALE_MAX));
        let had = Had { all, lately };
        Ok(if self.settle_for_less(&trouble, had)? { Gathered::Lacking(trouble) } else { Gathered::Later })
    }

    /// Whether to tell now what is known. Otherwise another try comes later, and is told of if that takes long.
    fn settle_for_less(&mut self, trouble: &Trouble, had: Had) -> Result<bool, BotFault> {
        let now = self.desk.now();
        match trouble {
            Trouble::NotBefore { moment, of_day } => {
                let wait = moment.since(now);
                let is_long = wait > DOTA_WAIT_UNTOLD;
                let most = if of_day.is_some() { DOTA_DAY_WAIT_MAX } else { DOTA_WAIT_MAX };
                if wait > most || self.note.waits >= DOTA_WAITS_MAX || is_long && had.lately {
                    return Ok(true);
                }
                if is_long && !self.note.told {
                    self.note.told = true;
                    self.say(say::wait(wait, self.note.met));
                }
                self.note.waits = self.note.waits.saturating_add(1);
                self.later(Some(*moment))?;
                Ok(false)
            }
            Trouble::Silent(_) if had.all => Ok(true),
            Trouble::Silent(why) => self.bear(why),
            Trouble::Key => {
                log::error!("OpenDota does not take the key of upstream {}; look at it there", self.set.upstream);
                Ok(true)
            }
            Trouble::HadEnough(_) | Trouble::Unknown | Trouble::Refused(_) => Ok(true),
        }
    }

    /// Whether OpenDota was silent for too long. Otherwise it is tried again, after as long as it was silent so far; then
    /// its turn in the line must come first, which is no silence.
    fn bear(&mut self, why: &str) -> Result<bool, BotFault> {
        let now = self.desk.now();
        let silent = Duration::from_millis(self.note.silent.into()).saturating_add(now.since(self.began));
        if silent >= DOTA_PATIENCE {
            return Ok(true);
        }
        let wait = silent.max(DOTA_RETRY).min(DOTA_PATIENCE.saturating_sub(silent));
        log::warn!("OpenDota: {why}; another try in {} s", wait.as_secs());
        self.note.silent = u32::try_from(silent.saturating_add(wait).as_millis()).unwrap_or(u32::MAX);
        self.later(Some(now.after(wait)))?;
        Ok(false)
    }

    /// Leaves the rest to the next stage.
    fn later(&mut self, due: Option<Moment>) -> Result<(), BotFault> {
        self.desk.go_on(self.note.json(), due)
    }

    fn say(&mut self, text: String) {
        self.say_with(text, Vec::new());
    }

    fn say_with(&mut self, text: String, quick_replies: Vec<QuickReply>) {
        let content = Content::Text { text, quick_replies };
        self.replies.push(Reply { content, ..Reply::text(&self.event.conversation, "") });
    }

    /// What can be tapped below the end of an answer.
    fn choices(&mut self, player: u32) -> Result<Vec<QuickReply>, BotFault> {
        let parts: &[Part] = match self.note.part {
            Part::All => &[Part::Week],
            Part::Profile => &[Part::All, Part::Week],
            _ => &[Part::Week, Part::Heroes, Part::Match, Part::All],
        };
        let others = parts.iter().filter(|part| **part != self.note.part);
        let mut choices: Vec<_> = others.map(|part| tap(say::title(*part), part.of(player))).collect();
        if people::me(self.desk, self.event)?.is_none() {
            choices.push(tap("This is me", format!("me is {player}")));
        }
        Ok(choices)
    }
}

fn tap(title: &str, payload: String) -> QuickReply {
    QuickReply { title: title.to_owned(), payload }
}

/// Asks somebody whether they meant this word of ours.
pub(super) fn ask_back(event: &Event, meant: String) -> Reply {
    let text = say::near(&meant);
    let quick_replies = vec![tap(&meant, meant.clone())];
    Reply { content: Content::Text { text, quick_replies }, ..Reply::text(&event.conversation, "") }
}

/// Offers somebody the choice, and remembers it. What is tapped can be tapped by others, too: it makes nobody this player.
pub(super) fn offer(event: &Event, desk: &mut dyn Desk, choice: &Choice, more: &str) -> Result<Reply, BotFault> {
    choice.keep(desk, event)?;
    let text = say::choice(&choice.hits, more, desk.now());
    let one = |(number, hit): (usize, &Value)| {
        let payload = choice.part.of(super::opendota::account(hit)?);
        Some(tap(&format!("{number}. {}", say::hit_name(hit)), payload))
    };
    let quick_replies = (1..).zip(&choice.hits).filter_map(one).collect();
    Ok(Reply { content: Content::Text { text, quick_replies }, ..Reply::text(&event.conversation, "") })
}
