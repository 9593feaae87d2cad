//! `ackd replay`: events and replies that ended dead or unknown are put back. `ackd resolve`: they are dealt with.

use super::args::ReplayWhich;
use super::reach::{self, Done, Errand};
use super::{CliError, World};
use crate::config::Outline;
use crate::keeper::{Line, carry_out};
use crate::limits::{PAGE_ROWS, REPLAY_EVENTS_MAX};
use crate::model::{EventId, EventKey, Order};
use crate::store::sqlite::{Engine, Reader};
use crate::store::{State, Store};
use std::collections::HashSet;
use std::io::{self, Write};

/// Puts events back and says what became of each. An error when one that was named was left alone.
pub fn replay(config: &Outline, which: &ReplayWhich, world: &World<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    carry_out_on(Deed::PutBack, config, which, world, out)
}

/// Says of events that they are dealt with, and what became of each. An error when one that was named was left alone.
pub fn resolve(config: &Outline, which: &ReplayWhich, world: &World<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    carry_out_on(Deed::Resolve, config, which, world, out)
}

/// What is done with events.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    PutBack,
    Resolve,
}

impl Deed {
    /// Where the daemon is asked for it, what there is to do, and how it is called when it is done.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Deed::PutBack => ("/replay", "put back", "put back"),
            Deed::Resolve => ("/resolve", "resolve", "resolved"),
        }
    }
}

fn carry_out_on(
    deed: Deed,
    config: &Outline,
    which: &ReplayWhich,
    world: &World<'_>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let reader = Reader::open(&config.store)?;
    let mut replay = Replay { deed, config, world, out, told: Ok(()), done: 0, left: 0, here: false };
    match which {
        ReplayWhich::Ids(names) => replay.named(names)?,
        ReplayWhich::Dead => replay.all(State::Dead, &reader)?,
        ReplayWhich::Unknown => replay.all(State::Unknown, &reader)?,
    }
    let Replay { out, told, done, left, here, .. } = replay;
    let (_, to_do, called) = deed.words();
    let state = match which {
        ReplayWhich::Ids(_) => "",
        ReplayWhich::Dead => "dead",
        ReplayWhich::Unknown => "unknown",
    };
    // What was left alone matters more than that nobody reads about it.
    if state.is_empty() && left > 0 {
        let noun = if left == 1 { "one was" } else { "some were" };
        return Err(CliError::Failed(format!("{noun} left alone; {done} {called}")));
    }
    told?;
    if done + left == 0 {
        writeln!(out, "No event is {state}; there is nothing to {to_do}.")?;
    } else if here && done > 0 && deed == Deed::PutBack {
        writeln!(out, "ackd goes on with it when it runs.")?;
    }
    Ok(())
}

/// A replay under way, or a resolving.
struct Replay<'a> {
    deed: Deed,
    config: &'a Outline,
    world: &'a World<'a>,
    out: &'a mut dyn Write,
    /// How telling went so far. That nobody reads any more is no reason to leave the rest undone.
    told: io::Result<()>,
    done: usize,
    left: usize,
    /// Some of it was done without a daemon.
    here: bool,
}

impl Replay<'_> {
    fn named(&mut self, names: &[String]) -> Result<(), CliError> {
        let mut seen = HashSet::new();
        let mut events = Vec::new();
        for name in names {
            // Read again and not as typed, so that a line of the answer is known to be about it.
            let event = name.parse::<EventId>().map_err(CliError::Usage)?;
            if !seen.insert(event.clone()) {
                continue;
            }
            if self.config.channels.iter().any(|channel| channel.name == event.channel) {
                events.push(event);
            } else {
                self.tell(&format!("{event} left alone: there is no channel {} in the configuration", event.channel));
                self.left += 1;
            }
        }
        events.chunks(REPLAY_EVENTS_MAX).try_for_each(|batch| self.batch(batch))
    }

    /// All that stand so now, page by page. What dies meanwhile is not put back again and again.
    fn all(&mut self, state: State, reader: &Reader) -> Result<(), CliError> {
        let mut ends = Vec::new();
        for (channel, name) in reader.channels()? {
            ends.push((name, EventKey::before_first(channel), reader.newest(channel)?));
        }
        for (name, mut after, end) in ends {
            let configured = self.config.channels.iter().any(|channel| channel.name == name);
            loop {
                let mut page = reader.next(after, &[state], PAGE_ROWS.min(REPLAY_EVENTS_MAX))?;
                page.retain(|line| line.key <= end);
                let Some(last) = page.last() else { break };
                after = last.key;
                if configured {
                    self.batch(&page.into_iter().map(|line| line.id).collect::<Vec<_>>())?;
                    continue;
                }
                let so = if self.deed == Deed::PutBack { ", so nobody would answer" } else { "" };
                self.tell(&format!("channel {name} left alone: it is not in the configuration{so}"));
                self.left += page.len();
                break;
            }
        }
        Ok(())
    }

    /// At most as many as one order may name.
    fn batch(&mut self, events: &[EventId]) -> Result<(), CliError> {
        let names: Vec<_> = events.iter().map(ToString::to_string).collect();
        let json = serde_json::json!({ "events": names }).to_string().into_bytes();
        let world = self.world;
        let (deed, (path, _, called)) = (self.deed, self.deed.words());
        let here = &mut |store: &mut Engine<'_>| done_here(deed, events, store, world);
        // Asked twice, the second answer would say that all were left alone.
        let errand = Errand { path, json, repeatable: false, here };
        let lines = match reach::run(&self.config.store, errand, self.world)? {
            Done::ByDaemon(lines) => lines,
            Done::Here(lines) => {
                self.here = true;
                lines
            }
        };
        let done = names.iter().zip(&lines).filter(|(name, line)| **line == format!("{name} {called}")).count();
        self.done += done;
        self.left += names.len() - done;
        lines.iter().for_each(|line| self.tell(line));
        Ok(())
    }

    fn tell(&mut self, line: &str) {
        if self.told.is_ok() {
            self.told = writeln!(self.out, "{line}");
        }
    }
}

/// The same as a daemon would do, since there is none.
fn done_here(
    deed: Deed,
    events: &[EventId],
    store: &mut Engine<'_>,
    world: &World<'_>,
) -> Result<Vec<String>, CliError> {
    let mut keys = Vec::with_capacity(events.len());
    let mut lines: Vec<Line> = Vec::new();
    for event in events {
        let known = lines.iter().find(|line| line.name == event.channel).map(|line| line.number);
        let channel = match known {
            Some(channel) => channel,
            None => store.channel(&event.channel)?,
        };
        if known.is_none() {
            lines.push(Line::new(channel, &*event.channel));
        }
        keys.push((EventKey::new(channel, event.place), event.part));
    }
    let order = match deed {
        Deed::PutBack => Order::Replay { events: keys },
        Deed::Resolve => Order::Resolve { events: keys.into_iter().map(|(event, _)| event).collect() },
    };
    let told = carry_out(store, &order, &lines, (world.clock)())?;
    store.commit()?;
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Folder, NOW, told, world};
    use super::*;
    use crate::daemon::control_socket;
    use crate::model::{Arrival, Fate, Settlement};
    use crate::store::lane;
    use crate::store::sqlite::Filter;
    use std::io::Read;
    use std::os::unix::net::UnixListener;

    fn ids(names: &[&str]) -> ReplayWhich {
        ReplayWhich::Ids(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// What was said, also when it was an error.
    fn run(folder: &Folder, which: &ReplayWhich) -> (String, Result<(), CliError>) {
        let mut out = Vec::new();
        let end = replay(&folder.config(), which, &world(), &mut out);
        (String::from_utf8(out).unwrap(), end)
    }

    fn states(folder: &Folder) -> Vec<State> {
        let reader = Reader::open(&folder.store()).unwrap();
        let filter = Filter { limit: 10_000, ..Filter::default() };
        reader.events(&filter).unwrap().into_iter().map(|line| line.state).collect()
    }

    #[test]
    fn without_a_daemon_named_events_are_put_back_in_the_store() {
        let folder = Folder::new("replay");
        folder.one_in_every_state();
        let (text, end) = run(&folder, &ids(&["page-3", "page-4.1", "page-03"]));
        assert_eq!(text, "page-3 put back\npage-4.1 put back\nackd goes on with it when it runs.\n");
        assert_eq!(end, Ok(()));
        assert_eq!(states(&folder)[2..4], [State::Open, State::Open]);
    }

    #[test]
    fn a_named_event_that_is_left_alone_is_a_failure() {
        let folder = Folder::new("replay-left");
        folder.one_in_every_state();
        let (text, end) = run(&folder, &ids(&["page-1", "page-3", "page-99", "gone-1", "page-4.7"]));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "gone-1 left alone: there is no channel gone in the configuration");
        assert!(lines[1].starts_with("page-1 left alone: it is answered"), "{text}");
        assert_eq!(lines[2], "page-3 put back");
        assert_eq!(lines[3], "page-99 left alone: there is no such event");
        assert!(lines[4].starts_with("page-4.7 left alone: "), "{text}");
        assert_eq!(end, Err(CliError::Failed("some were left alone; 1 put back".to_owned())));
    }

    fn resolved(folder: &Folder, which: &ReplayWhich) -> Result<String, CliError> {
        told(|out| resolve(&folder.config(), which, &world(), out))
    }

    #[test]
    fn without_a_daemon_named_events_are_resolved_in_the_store() {
        let folder = Folder::new("resolve");
        folder.one_in_every_state();
        assert_eq!(
            resolved(&folder, &ids(&["page-3", "page-4", "page-03"])).unwrap(),
            "page-3 resolved\npage-4 resolved\n"
        );
        assert_eq!(states(&folder)[2..4], [State::Ignored, State::Answered]);
        let again = resolved(&folder, &ids(&["page-3"]));
        assert_eq!(again, Err(CliError::Failed("one was left alone; 0 resolved".to_owned())));
        assert_eq!(
            run(&folder, &ids(&["page-3"])).1,
            Err(CliError::Failed("one was left alone; 0 put back".to_owned()))
        );
    }

    #[test]
    fn all_the_dead_are_resolved_or_all_the_unknown() {
        let folder = Folder::new("resolve-all");
        folder.one_in_every_state();
        many_dead(&folder, "other", PAGE_ROWS + 1);
        many_dead(&folder, "retired", 3);
        assert_eq!(resolved(&folder, &ReplayWhich::Unknown).unwrap(), "page-4 resolved\n");
        let none = "No event is unknown; there is nothing to resolve.\n";
        assert_eq!(resolved(&folder, &ReplayWhich::Unknown).unwrap(), none);
        let text = resolved(&folder, &ReplayWhich::Dead).unwrap();
        assert_eq!(text.matches(" resolved\n").count(), PAGE_ROWS + 2);
        assert!(text.ends_with("channel retired left alone: it is not in the configuration\n"), "{text}");
        assert_eq!(states(&folder).iter().filter(|state| **state == State::Dead).count(), 3);
    }

    fn many_dead(folder: &Folder, name: &str, count: usize) {
        folder.with(|store, _| {
            let channel = store.channel(name).unwrap();
            for number in 0..count {
                let (id, conversation) = (format!("{number}"), number.to_string());
                let fate = Fate::Hear;
                let arrival = Arrival { id, conversation, kind: "message", fate, raw: Box::default(), proves: None };
                store.admit(channel, &arrival, NOW, NOW).unwrap();
                let event = EventKey::new(channel, i64::try_from(number).unwrap() + 1);
                let lane = lane(channel, &number.to_string());
                let why = "the bot broke".to_owned();
                store.settle(&Settlement::HearDead { event, lane, why }, true, NOW).unwrap();
            }
        });
    }

    #[test]
    fn all_the_dead_are_put_back_however_many() {
        let folder = Folder::new("replay-dead");
        many_dead(&folder, "page", 2 * PAGE_ROWS + 1);
        many_dead(&folder, "other", 1);
        many_dead(&folder, "retired", 3);
        let (text, end) = run(&folder, &ReplayWhich::Dead);
        assert_eq!(end, Ok(()));
        assert_eq!(text.matches(" put back\n").count(), 2 * PAGE_ROWS + 2);
        assert!(text.contains("channel retired left alone: it is not in the configuration"), "{text}");
        assert_eq!(states(&folder).iter().filter(|state| **state == State::Dead).count(), 3);
    }

    #[test]
    fn nothing_dead_is_nothing_to_do() {
        let folder = Folder::new("replay-none");
        folder.with(|_, _| ());
        let none = told(|out| replay(&folder.config(), &ReplayWhich::Dead, &world(), out));
        assert_eq!(none.unwrap(), "No event is dead; there is nothing to put back.\n");
    }

    #[test]
    fn all_is_done_even_when_nobody_reads_about_it() {
        let folder = Folder::new("replay-pipe");
        many_dead(&folder, "page", PAGE_ROWS + 1);
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let end = replay(&folder.config(), &ReplayWhich::Dead, &world(), &mut Closed);
        assert_eq!(end, Err(CliError::NobodyReads));
        assert!(states(&folder).iter().all(|state| *state == State::Open));
    }

    #[test]
    fn a_daemon_is_asked_in_batches_that_it_takes() {
        let folder = Folder::new("replay-daemon");
        let listener = UnixListener::bind(control_socket(&folder.store())).unwrap();
        let daemon = std::thread::spawn(move || {
            let mut sizes = Vec::new();
            for turn in 0..3 {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = Vec::new();
                while !asked.ends_with(b"]}") {
                    let mut piece = [0; 4096];
                    let read = stream.read(&mut piece).unwrap();
                    asked.extend_from_slice(&piece[..read]);
                }
                let asked = String::from_utf8(asked).unwrap();
                let (head, body) = asked.split_once("\r\n\r\n").unwrap();
                assert!(head.starts_with("POST /replay HTTP/1.1\r\n"));
                let body: serde_json::Value = serde_json::from_str(body).unwrap();
                let events = body["events"].as_array().unwrap();
                sizes.push(events.len());
                let mut lines: Vec<_> =
                    events.iter().map(|name| format!("{} put back", name.as_str().unwrap())).collect();
                if turn == 2 {
                    lines[0] =
                        "page-2001 left alone: it is answered; only dead and unknown ones are put back".to_owned();
                }
                let body = serde_json::json!({ "lines": lines }).to_string();
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
            }
            sizes
        });
        let names: Vec<_> = (1..=2001).map(|place| format!("page-{place}")).collect();
        let (text, end) = folder.with(|_, _| run(&folder, &ReplayWhich::Ids(names)));
        assert_eq!(daemon.join().unwrap(), [1000, 1000, 1]);
        assert_eq!(text.lines().count(), 2001);
        assert_eq!(end, Err(CliError::Failed("one was left alone; 2000 put back".to_owned())));
    }
}
