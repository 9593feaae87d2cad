//! `ackd events --follow`: what is there, then each event as it comes, and again when its state changes.
//!
//! A reader cannot be told of a commit, so it asks SQLite a few times a second whether there was one, and only
//! then looks. What it keeps in mind is bounded: where each channel has got to, and the state of the newest events
//! that may still change.

use super::events::{Sieve, Table};
use super::{CliError, World};
use crate::limits;
use crate::model::{ChannelNumber, EventKey};
use crate::notation::shelf::Shelf;
use crate::store::State;
use crate::store::sqlite::{EventLine, Reader};
use std::io::Write;

/// Prints until nobody reads any more, or the store fails.
pub(super) fn follow(
    reader: &mut Reader,
    sieve: &Sieve,
    table: &mut Table<'_>,
    world: &World<'_>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let mut watch = Watch::default();
    watch.begin(reader, sieve, table, out)?;
    loop {
        out.flush()?;
        (world.linger)(limits::FOLLOW_INTERVAL)?;
        if reader.changed()? {
            watch.arrivals(reader, sieve, table, out)?;
            watch.changes(reader, sieve, table, out)?;
        }
    }
}

/// What has been seen.
#[derive(Default)]
struct Watch {
    /// The newest event of each channel.
    reached: Shelf<ChannelNumber, EventKey>,
    /// Events that may still change, as they were last seen.
    unsettled: Shelf<EventKey, State>,
}

impl Watch {
    /// Each step looks at the store a little later than the one before, so what a step shows is noted over what
    /// was noted before; else it would be shown once more.
    fn begin(
        &mut self,
        reader: &Reader,
        sieve: &Sieve,
        table: &mut Table<'_>,
        out: &mut dyn Write,
    ) -> Result<(), CliError> {
        for (channel, _) in reader.channels()? {
            self.reached.insert(channel, reader.newest(channel)?);
        }
        self.unsettled = reader.unsettled(limits::FOLLOWED_MAX)?;
        let mut glance = sieve.newest(reader)?;
        glance.lines.retain(|line| self.reached.get(&line.key.channel()).is_some_and(|reached| line.key <= *reached));
        glance.lines.iter().for_each(|line| self.note(line));
        sieve.write(&glance, table, out)
    }

    /// What is new, page by page.
    fn arrivals(
        &mut self,
        reader: &Reader,
        sieve: &Sieve,
        table: &mut Table<'_>,
        out: &mut dyn Write,
    ) -> Result<(), CliError> {
        for (channel, name) in reader.channels()? {
            if !sieve.takes_channel(&name) {
                continue;
            }
            let mut reached = self.reached.get(&channel).copied().unwrap_or(EventKey::before_first(channel));
            loop {
                let mut lines = reader.next(reached, &[], limits::PAGE_ROWS)?;
                let Some(last) = lines.last() else { break };
                reached = last.key;
                lines.iter().for_each(|line| self.note(line));
                lines.retain(|line| sieve.takes(line));
                table.write(&lines, out)?;
            }
            self.reached.insert(channel, reached);
        }
        Ok(())
    }

    /// What is in another state than it was.
    fn changes(
        &mut self,
        reader: &Reader,
        sieve: &Sieve,
        table: &mut Table<'_>,
        out: &mut dyn Write,
    ) -> Result<(), CliError> {
        let now = reader.unsettled(limits::FOLLOWED_MAX)?;
        let before = std::mem::replace(&mut self.unsettled, now);
        for (key, state) in before {
            if self.unsettled.get(&key) == Some(&state) {
                continue;
            }
            // It ended, or was replayed, or was pushed out by newer ones, or is too old to be kept.
            let Some(line) = reader.event(key)? else { continue };
            if line.state != state {
                self.note(&line);
                if sieve.takes(&line) {
                    table.write(&[line], out)?;
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, line: &EventLine) {
        match line.state {
            State::Open | State::Dead | State::Unknown => self.unsettled.insert(line.key, line.state),
            State::Answered | State::Ignored | State::Skipped => self.unsettled.remove(&line.key),
        };
        if self.unsettled.len() > limits::FOLLOWED_MAX {
            self.unsettled.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::EventFilter;
    use super::super::events::events;
    use super::super::testing::{Folder, NOW, world};
    use super::*;
    use crate::model::{Arrival, Fate};
    use crate::store::Store;
    use std::cell::RefCell;
    use std::io;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::{Duration, Instant};

    fn filter() -> EventFilter {
        EventFilter { dead: false, unknown: false, all: false, channel: None, follow: true, limit: 50 }
    }

    /// A pipe that is closed when the step after the last is asked for.
    struct Pipe<'a> {
        text: &'a RefCell<String>,
        closed: &'a RefCell<bool>,
    }

    impl Write for Pipe<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if *self.closed.borrow() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.text.borrow_mut().push_str(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            if *self.closed.borrow() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
        }
    }

    /// Follows while `step(0)`, `step(1)` … happen between its looks, until one says false; what was printed after
    /// each, as name and state.
    fn followed(folder: &Folder, filter: &EventFilter, step: &dyn Fn(usize) -> bool) -> Vec<String> {
        let (text, closed) = (RefCell::new(String::new()), RefCell::new(false));
        let (steps, printed) = (RefCell::new(0), RefCell::new(Vec::new()));
        let linger = |_| {
            let lines = text.take();
            let short = |line: &str| {
                let words: Vec<_> = line.split_whitespace().collect();
                if words.len() > 4 && words[0].contains('-') {
                    format!("{} {}", words[0], words[3])
                } else {
                    line.into()
                }
            };
            printed.borrow_mut().push(lines.lines().map(short).collect::<Vec<_>>().join(", "));
            let number = steps.replace_with(|number| *number + 1);
            *closed.borrow_mut() = !step(number);
            Ok(())
        };
        let world = World { linger: &linger, ..world() };
        let end = events(&folder.config(), filter, &world, &mut Pipe { text: &text, closed: &closed });
        assert_eq!(end, Err(CliError::NobodyReads));
        printed.into_inner()
    }

    fn life_of_three(folder: &Folder) -> impl Fn(usize) -> bool + '_ {
        move |step| {
            folder.with(|store, page| match step {
                0 => drop(folder.admit(store, page, "anna", 0)),
                1 => {} // nothing happens
                2 => drop(folder.admit(store, page, "bert", 1)),
                3 => folder.answer_next(store, page),
                4 => folder.kill_next(store, page, "the bot broke"),
                5 => drop(store.replay(EventKey::new(page, 2), None, NOW).unwrap()),
                // It comes and ends between two looks.
                6 => {
                    folder.answer_next(store, page);
                    folder.admit(store, page, "carla", 2);
                    folder.answer_next(store, page);
                }
                _ => {}
            });
            step < 7
        }
    }

    #[test]
    fn each_event_is_printed_as_it_comes_and_as_it_changes() {
        let folder = Folder::new("follow");
        folder.with(|_, _| ());
        let printed = followed(&folder, &filter(), &life_of_three(&folder));
        assert_eq!(
            printed,
            [
                "Nothing has come in yet.",
                "page-1 open",
                "",
                "page-2 open",
                "page-1 answered",
                "page-2 dead",
                "page-2 open",
                "page-3 answered, page-2 answered",
            ]
        );
    }

    #[test]
    fn a_filter_lets_through_what_becomes_so() {
        let folder = Folder::new("follow-dead");
        folder.with(|_, _| ());
        let dead = EventFilter { dead: true, ..filter() };
        let printed = followed(&folder, &dead, &life_of_three(&folder));
        assert_eq!(printed, ["No event is dead.", "", "", "", "", "page-2 dead", "", ""]);
        let other = EventFilter { channel: Some("other".to_owned()), ..filter() };
        let printed = followed(&folder, &other, &|step| {
            folder.with(|store, page| {
                let channel = if step == 1 { store.channel("other").unwrap() } else { page };
                folder.admit(store, channel, &format!("anna{step}"), 0);
            });
            step < 2
        });
        assert_eq!(printed, ["Nothing has come in yet on channel other.", "", "other-1 open"]);
    }

    #[test]
    fn receipts_pass_only_when_all_is_asked_for() {
        for (all, expected) in [
            (false, ["1 receipt, own message or look of a bot left out; --all shows it", "page-3 open"]),
            (true, ["page-1 ignored", "page-2 ignored, page-3 open"]),
        ] {
            let folder = Folder::new(&format!("follow-receipts-{all}"));
            let receipt = |id: &str| {
                folder.with(|store, page| {
                    let (id, conversation, fate) = (id.to_owned(), "anna".to_owned(), Fate::Ignore("a receipt"));
                    let arrival = Arrival { id, conversation, kind: "read", fate, raw: Box::default(), proves: None };
                    store.admit(page, &arrival, NOW, NOW).unwrap();
                });
            };
            receipt("before");
            let printed = followed(&folder, &EventFilter { all, ..filter() }, &|step| {
                receipt(&format!("{step}"));
                folder.with(|store, page| _ = folder.admit(store, page, "anna", step as u64));
                step < 1
            });
            assert_eq!(printed, expected);
        }
    }

    #[test]
    fn what_was_there_before_is_followed_even_when_it_is_not_listed() {
        let folder = Folder::new("follow-old");
        folder.one_in_every_state();
        let one = EventFilter { limit: 1, ..filter() };
        let printed = followed(&folder, &one, &|step| {
            folder.with(|store, page| drop(store.replay(EventKey::new(page, 3), None, NOW).unwrap()));
            step < 1
        });
        assert_eq!(printed, ["page-7 open", "page-3 open"]);
    }

    #[test]
    fn a_long_backlog_is_printed_whole_and_kept_in_bounds() {
        let folder = Folder::new("follow-long");
        let count = limits::FOLLOWED_MAX + 2 * limits::PAGE_ROWS + 1;
        folder.with(|_, _| ());
        let printed = followed(&folder, &filter(), &|step| {
            folder.with(|store, page| {
                for number in 0..count {
                    let (id, conversation) = (format!("{step}.{number}"), number.to_string());
                    let fate = Fate::Hear;
                    let arrival =
                        Arrival { id, conversation, kind: "message", fate, raw: Box::default(), proves: None };
                    store.admit(page, &arrival, NOW, NOW).unwrap();
                }
            });
            step < 1
        });
        assert_eq!(printed[1].split(", ").count(), count);
        assert!(printed[1].ends_with(&format!("page-{count} open")));

        let reader = Reader::open(&folder.config().store).unwrap();
        let mut watch = Watch { unsettled: reader.unsettled(limits::FOLLOWED_MAX).unwrap(), ..Watch::default() };
        let newest = *watch.unsettled.last_key_value().unwrap().0;
        assert_eq!(watch.unsettled.len(), limits::FOLLOWED_MAX);
        let mut line = reader.event(newest).unwrap().unwrap();
        line.key = EventKey(newest.0 + 1);
        watch.note(&line);
        assert_eq!(watch.unsettled.len(), limits::FOLLOWED_MAX);
        assert!(watch.unsettled.contains_key(&line.key));
    }

    #[test]
    fn a_commit_of_somebody_else_is_noticed_once() {
        let folder = Folder::new("follow-changed");
        folder.with(|store, page| {
            store.commit().unwrap();
            let mut reader = Reader::open(&folder.config().store).unwrap();
            assert!(!reader.changed().unwrap());
            folder.admit(store, page, "anna", 0);
            assert!(!reader.changed().unwrap(), "not yet committed");
            store.commit().unwrap();
            assert!(reader.changed().unwrap());
            assert!(!reader.changed().unwrap());
        });
    }

    /// Hands on each line, and is closed when nobody takes it.
    struct Lines(Sender<String>, String);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.push_str(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            let whole = std::mem::take(&mut self.1);
            self.0.send(whole).map_err(|_| io::ErrorKind::BrokenPipe.into())
        }
    }

    fn wait_for(lines: &Receiver<String>, wanted: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        let mut seen = String::new();
        while !seen.contains(wanted) {
            let left = until.saturating_duration_since(Instant::now());
            seen.push_str(&lines.recv_timeout(left).unwrap_or_else(|_| unreachable!("only {seen:?}")));
        }
    }

    #[test]
    fn a_daemon_at_work_is_followed_from_outside() {
        let folder = Folder::new("follow-thread");
        folder.with(|_, _| ());
        let config = folder.config();
        let (sender, lines) = channel();
        let follower = std::thread::spawn(move || {
            let world = world();
            events(&config, &filter(), &world, &mut Lines(sender, String::new()))
        });
        wait_for(&lines, "Nothing has come in yet.");
        folder.with(|store, page| {
            folder.admit(store, page, "anna", 0);
            store.commit().unwrap();
            wait_for(&lines, "page-1  2027-01-15 08:00:00  open");
            folder.answer_next(store, page);
            store.commit().unwrap();
            wait_for(&lines, "answered");
            drop(lines);
        });
        assert_eq!(follower.join().unwrap(), Err(CliError::NobodyReads));
    }
}
