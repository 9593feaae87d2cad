//! `ackd events`: what came in and how it ended, one line each, the newest last.

use super::args::EventFilter;
use super::follow::follow;
use super::show::{ends, second, shown};
use super::{CliError, World};
use crate::config::{Outline, quoted};
use crate::limits;
use crate::notation::nearest::nearest;
use crate::notation::order::in_order;
use crate::store::State;
use crate::store::sqlite::{EventLine, Filter, Glance, Reader};
use jiff::tz::TimeZone;
use std::io::Write;

/// Lists the events that pass the filter; with `--follow`, goes on until nobody reads any more.
pub fn events(config: &Outline, filter: &EventFilter, world: &World<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let mut reader = Reader::open(&config.store)?;
    let sieve = Sieve::new(config, &reader, filter)?;
    let mut table = Table::new(&world.zone);
    if filter.follow {
        return follow(&mut reader, &sieve, &mut table, world, out);
    }
    let glance = sieve.newest(&reader)?;
    sieve.write(&glance, &mut table, out)
}

/// What passes.
pub(super) struct Sieve {
    states: Vec<State>,
    /// Receipts, own messages and looks of bots pass, too.
    all: bool,
    channel: Option<String>,
    limit: usize,
}

impl Sieve {
    fn new(config: &Outline, reader: &Reader, filter: &EventFilter) -> Result<Sieve, CliError> {
        let dead = filter.dead.then_some(State::Dead);
        let unknown = filter.unknown.then_some(State::Unknown);
        if let Some(channel) = &filter.channel {
            let kept = reader.channels()?.into_iter().map(|(_, name)| name);
            let known = kept.chain(config.channels.iter().map(|channel| channel.name.clone())).collect();
            let mut known: Vec<String> = in_order(known, |one, other| one > other);
            known.dedup();
            known_channel(channel, &known.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        let states: Vec<_> = dead.into_iter().chain(unknown).collect();
        // What ended dead or unknown is no receipt, so nothing need be told from it.
        let all = filter.all || !states.is_empty();
        Ok(Sieve { states, all, channel: filter.channel.clone(), limit: filter.limit })
    }

    /// Whether events of this channel may pass.
    pub(super) fn takes_channel(&self, name: &str) -> bool {
        self.channel.as_deref().is_none_or(|only| only == name)
    }

    /// Whether this event passes.
    pub(super) fn takes(&self, line: &EventLine) -> bool {
        self.takes_channel(&line.id.channel)
            && (self.states.is_empty() || self.states.contains(&line.state))
            && (self.all || !line.is_receipt())
    }

    /// The newest events that pass, oldest first.
    pub(super) fn newest(&self, reader: &Reader) -> Result<Glance, CliError> {
        let mut channel = None;
        if let Some(only) = &self.channel {
            let Some((number, _)) = reader.channels()?.into_iter().find(|(_, name)| name == only) else {
                return Ok(Glance::default());
            };
            channel = Some(number);
        }
        if !self.all {
            return Ok(reader.glance(channel, self.limit, limits::EVENTS_LOOKED_MAX)?);
        }
        let lines = reader.events(&Filter { states: self.states.clone(), channel, limit: self.limit })?;
        Ok(Glance { lines, ..Glance::default() })
    }

    /// Writes what was found, and below it what was left out.
    pub(super) fn write(&self, glance: &Glance, table: &mut Table<'_>, out: &mut dyn Write) -> Result<(), CliError> {
        table.write(&glance.lines, out)?;
        let before = if glance.cut { "; what came before them was not looked at" } else { "" };
        match glance.left_out {
            0 if glance.lines.is_empty() => writeln!(out, "{}", self.nothing())?,
            0 => {}
            1 => writeln!(out, "1 receipt, own message or look of a bot left out{before}; --all shows it")?,
            count => {
                writeln!(out, "{count} receipts, own messages and looks of bots left out{before}; --all shows them")?
            }
        }
        Ok(())
    }

    /// What is said when nothing passes.
    fn nothing(&self) -> String {
        let states: Vec<_> = self.states.iter().map(ToString::to_string).collect();
        let on = self.channel.as_ref().map_or_else(String::new, |channel| format!(" on channel {channel}"));
        match states.is_empty() {
            true => format!("Nothing has come in yet{on}."),
            false => format!("No event{on} is {}.", states.join(" or ")),
        }
    }
}

/// Refuses a channel that is none of `known`.
pub(super) fn known_channel(name: &str, known: &[&str]) -> Result<(), CliError> {
    if known.contains(&name) {
        return Ok(());
    }
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there is {}", known.join(", ")),
    };
    Err(CliError::Usage(format!("there is no channel {}; {hint}", quoted(name))))
}

/// Lines with aligned columns. A column grows with what it has to hold, up to its bound, and never shrinks, so
/// lines that are printed later stay below those before.
pub(super) struct Table<'z> {
    zone: &'z TimeZone,
    widths: [usize; COLUMNS],
}

/// All but the last column, which may be as long as it is.
const COLUMNS: usize = 5;

impl<'z> Table<'z> {
    pub(super) fn new(zone: &'z TimeZone) -> Table<'z> {
        Table { zone, widths: [0; COLUMNS] }
    }

    pub(super) fn write(&mut self, lines: &[EventLine], out: &mut dyn Write) -> Result<(), CliError> {
        for line in lines {
            let cells = self.cells(line);
            for (width, cell) in self.widths.iter_mut().zip(cells) {
                *width = cell.chars().count().max(*width);
            }
        }
        for line in lines {
            let mut text = String::new();
            for (width, cell) in self.widths.iter().zip(self.cells(line)) {
                text.push_str(&format!("{cell:width$}  "));
            }
            text.push_str(&remark(line));
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(())
    }

    fn cells(&self, line: &EventLine) -> [String; COLUMNS] {
        let name = line.id.to_string();
        [
            // A name's end is what tells it from others, so it is bounded where it is given, not here.
            shown(&name, limits::NAME_BYTES_MAX + 20).into_owned(),
            second(line.received, self.zone),
            line.state.to_string(),
            shown(&line.kind, limits::KIND_CHARS_MAX).into_owned(),
            // Ids of Webex begin alike: the kind of thing stands before the number.
            ends(&line.conversation, limits::CONVERSATION_CHARS_MAX).into_owned(),
        ]
    }
}

/// Why it ended so, and whether somebody may have seen something twice.
fn remark(line: &EventLine) -> String {
    let twice = (line.maybe_twice > 0).then(|| format!("maybe twice ×{}", line.maybe_twice));
    let why = line.why.as_ref().map(|why| shown(why, limits::WHY_CHARS_MAX).into_owned());
    why.into_iter().chain(twice).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Folder, at, told, world};
    use super::*;
    use crate::model::{Arrival, Fate};
    use crate::store::Store;

    fn all() -> EventFilter {
        EventFilter { dead: false, unknown: false, all: true, channel: None, follow: false, limit: 50 }
    }

    fn list(folder: &Folder, filter: &EventFilter) -> Result<String, CliError> {
        told(|out| events(&folder.config(), filter, &world(), out))
    }

    #[test]
    fn every_state_has_its_line_and_columns_are_aligned() {
        let folder = Folder::new("list");
        folder.one_in_every_state();
        let table = "\
page-1  2027-01-15 08:00:00  answered  message   anna
page-2  2027-01-15 08:00:01  ignored   delivery  anna           an echo of our own message
page-3  2027-01-15 08:00:02  dead      message   bert           the bot broke
page-4  2027-01-15 08:00:03  unknown   message   carla-cecilia  a reply was sent, but the platform's answer was lost; \
maybe twice ×1
page-5  2027-01-15 08:00:04  open      message   dora           the bot is tired
page-6  2027-01-15 08:00:05  open      message   emil
page-7  2027-01-15 08:00:06  open      push      fritz
";
        assert_eq!(list(&folder, &all()).unwrap(), table);
        let lines =
            |filter| list(&folder, &filter).unwrap().lines().map(|line| line[..6].to_owned()).collect::<Vec<_>>();
        assert_eq!(lines(EventFilter { dead: true, ..all() }), ["page-3"]);
        assert_eq!(lines(EventFilter { unknown: true, ..all() }), ["page-4"]);
        assert_eq!(lines(EventFilter { dead: true, unknown: true, ..all() }), ["page-3", "page-4"]);
        assert_eq!(lines(EventFilter { limit: 2, ..all() }), ["page-6", "page-7"]);
        assert_eq!(lines(EventFilter { channel: Some("page".to_owned()), limit: 1, ..all() }), ["page-7"]);
    }

    #[test]
    fn receipts_are_counted_and_not_listed_unless_asked_for() {
        let folder = Folder::new("receipts");
        let usual = EventFilter { all: false, ..all() };
        let receipt = |number: u64, kind, fate| {
            folder.with(|store, page| {
                let (id, conversation, raw) = (number.to_string(), "anna".to_owned(), Box::default());
                let arrival = Arrival { id, conversation, kind, fate, raw, proves: None };
                store.admit(page, &arrival, at(number), at(number)).unwrap();
            });
        };
        receipt(1, "read", Fate::Ignore("a receipt: our message was read"));
        let one = "1 receipt, own message or look of a bot left out; --all shows it\n";
        assert_eq!(list(&folder, &usual).unwrap(), one, "and not that nothing has come in");
        folder.with(|store, page| _ = folder.admit(store, page, "anna", 2));
        receipt(3, "echo", Fate::Ignore("an echo"));
        receipt(4, "message", Fate::Witness);
        receipt(5, "alarm", Fate::Ignore("the bot had nothing to say"));
        receipt(6, "reaction", Fate::Ignore("a reaction to a message"));
        let listed = |filter: EventFilter| {
            let text = list(&folder, &filter).unwrap();
            text.lines().map(|line| line.split("  ").next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let four = "4 receipts, own messages and looks of bots left out; --all shows them";
        let three = "3 receipts, own messages and looks of bots left out; --all shows them";
        assert_eq!(listed(usual.clone()), ["page-2", "page-6", four]);
        assert_eq!(
            listed(EventFilter { limit: 2, ..usual.clone() }),
            ["page-2", "page-6", three],
            "as far as it goes back"
        );
        assert_eq!(listed(EventFilter { limit: 1, ..usual.clone() }), ["page-6"]);
        assert_eq!(listed(all()), ["page-1", "page-2", "page-3", "page-4", "page-5", "page-6"]);
        assert_eq!(listed(EventFilter { dead: true, ..usual }), ["No event is dead."]);
    }

    #[test]
    fn rooms_whose_ids_begin_alike_are_told_apart() {
        let folder = Folder::new("rooms");
        let room = |end: &str| format!("Y2lzY29zcGFyazovL3VzL1JPT00vYmJjZWIxYWQtNDNmMS0zYjU4LTkxNDctZjE0YmIwYzRk{end}");
        folder.with(|store, page| {
            folder.admit(store, page, &room("MTU0"), 0);
            folder.admit(store, page, &room("MTU1"), 1);
        });
        let text = list(&folder, &all()).unwrap();
        let rooms: Vec<_> = text.lines().filter_map(|line| line.split_whitespace().last()).collect();
        assert_eq!(rooms, ["Y2lzY29…NDctZjE0YmIwYzRkMTU0", "Y2lzY29…NDctZjE0YmIwYzRkMTU1"]);
    }

    #[test]
    fn an_empty_list_says_so() {
        let folder = Folder::new("empty");
        assert!(matches!(list(&folder, &all()), Err(CliError::Failed(why)) if why.contains("there is none yet")));
        folder.with(|_, _| ());
        assert_eq!(list(&folder, &all()).unwrap(), "Nothing has come in yet.\n");
        let dead = EventFilter { dead: true, unknown: true, channel: Some("page".to_owned()), ..all() };
        assert_eq!(list(&folder, &dead).unwrap(), "No event on channel page is dead or unknown.\n");
        // Configured, and nothing has ever come in there.
        let other = EventFilter { channel: Some("other".to_owned()), ..all() };
        assert_eq!(list(&folder, &other).unwrap(), "Nothing has come in yet on channel other.\n");
    }

    #[test]
    fn a_channel_that_is_not_there_is_a_typing_error() {
        let folder = Folder::new("channel");
        folder.with(|_, _| ());
        let list = |name: &str| list(&folder, &EventFilter { channel: Some(name.to_owned()), ..all() });
        let usage = |what: &str| Err(CliError::Usage(what.to_owned()));
        assert_eq!(list("pgae"), usage("there is no channel \"pgae\"; did you mean page?"));
        assert_eq!(list("space\n"), usage("there is no channel \"space\\n\"; there is other, page"));
    }

    #[test]
    fn what_came_from_outside_cannot_forge_lines_or_steer_the_terminal() {
        let folder = Folder::new("forge");
        folder.with(|store, page| {
            let evil = "x\u{1b}[2J\npage-9  2027-01-15 08:00:00  answered  \u{202e}message";
            let event = folder.admit(store, page, evil, 0);
            folder.dead(store, event, evil, &format!("{evil}{}", "y".repeat(1000)), 0);
        });
        let text = list(&folder, &all()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.trim_end().chars().any(char::is_control) && !text.contains('\u{202e}'), "{text:?}");
        assert!(text.contains("message  x\\u{1b}[2J\\npage-9") && text.ends_with("yyyy…\n"), "{text}");
        assert!(text.chars().count() < 260, "{text}");
    }

    #[test]
    fn a_reader_that_goes_away_ends_it_quietly() {
        let folder = Folder::new("pipe");
        folder.one_in_every_state();
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let end = events(&folder.config(), &all(), &world(), &mut Closed);
        assert_eq!(end.map_err(|error| error.code()), Err(0));
    }
}
