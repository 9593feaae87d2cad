//! So many lines of one place, and no more: whatever somebody outside finds out how to cause, it fills no disk and hides
//! nothing else. The first are said at once, and how many more there were when a while is over.

use super::super::show::shown;
use crate::limits;
use crate::model::Tick;
use log::Level;

/// Where in the program a line is said, and how urgently. There are as many as we wrote, so nobody outside makes more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: &'static str,
    pub(super) line: u32,
    pub(super) level: Level,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Say {
    It,
    /// And the next ones are counted only.
    TheLast,
    Nothing,
}

/// Lines that were counted only.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) level: Level,
    pub(super) target: String,
    pub(super) count: u64,
    /// The last of them, or how it begins.
    pub(super) last: String,
}

/// Counts the lines of each place.
#[derive(Debug)]
pub(super) struct Flood(Vec<Counted>);

/// The lines of one place since a moment.
#[derive(Debug)]
struct Counted {
    place: Place,
    since: Tick,
    said: u32,
    left: Left,
}

impl Flood {
    pub(super) const NONE: Flood = Flood(Vec::new());

    /// Counts a line, and says what becomes of it.
    pub(super) fn look(&mut self, place: Place, target: &str, message: &str, now: Tick) -> Say {
        let Some(counted) = self.0.iter_mut().find(|counted| counted.place == place) else {
            let left = Left { level: place.level, target: target.to_owned(), count: 0, last: String::new() };
            self.0.push(Counted { place, since: now, said: 1, left });
            return Say::It;
        };
        // What was left out before is told first, by `over`.
        if counted.is_over(now) && counted.left.count == 0 {
            (counted.since, counted.said) = (now, 0);
        }
        counted.said = counted.said.saturating_add(1);
        if counted.said <= limits::LOG_LINES_MAX {
            return if counted.said == limits::LOG_LINES_MAX { Say::TheLast } else { Say::It };
        }
        counted.left.count += 1;
        counted.left.last = shown(message, limits::LOG_COUNTED_CHARS_MAX).into_owned();
        Say::Nothing
    }

    /// What was left out in a while that is over, or, at the end of everything, in all of them.
    pub(super) fn over(&mut self, now: Tick, all: bool) -> Vec<Left> {
        let over = self.0.iter_mut().filter(|counted| counted.left.count > 0 && (all || counted.is_over(now)));
        let told = over.map(|counted| {
            (counted.since, counted.said) = (now, 0);
            let next =
                Left { level: counted.left.level, target: counted.left.target.clone(), count: 0, last: String::new() };
            std::mem::replace(&mut counted.left, next)
        });
        told.collect()
    }
}

impl Counted {
    fn is_over(&self, now: Tick) -> bool {
        now.since(self.since) >= limits::LOG_INTERVAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place = Place { file: "here.rs", line: 7, level: Level::Warn };

    /// Ten thousand lines at once: what is said of them.
    fn ten_thousand(flood: &mut Flood, place: Place, now: Tick) -> Vec<Say> {
        let said = (0..10_000).map(|number| flood.look(place, "ackd::net", &format!("line {number}"), now));
        said.filter(|say| *say != Say::Nothing).collect()
    }

    #[test]
    fn a_flood_is_a_hundred_lines_and_a_count() {
        let mut flood = Flood::NONE;
        let said = ten_thousand(&mut flood, HERE, Tick(1));
        assert_eq!((said.len(), said.last()), (100, Some(&Say::TheLast)));
        assert_eq!(said.iter().filter(|say| **say == Say::TheLast).count(), 1);
        let over = Tick(1).after(limits::LOG_INTERVAL);
        assert_eq!(flood.over(Tick(over.0 - 1), false), []);
        let left =
            Left { level: Level::Warn, target: "ackd::net".to_owned(), count: 9900, last: "line 9999".to_owned() };
        assert_eq!(flood.over(over, false), [left]);
        assert_eq!(flood.over(over.after(limits::LOG_INTERVAL), true), [], "told once");
        assert_eq!(ten_thousand(&mut flood, HERE, over).len(), 100);
        assert_eq!(flood.over(over, true).len(), 1, "at the end of everything, whenever that is");
    }

    #[test]
    fn what_was_left_out_is_told_before_anything_more_is_said() {
        let mut flood = Flood::NONE;
        ten_thousand(&mut flood, HERE, Tick(1));
        let over = Tick(1).after(limits::LOG_INTERVAL);
        assert_eq!(flood.look(HERE, "ackd::net", "one more", over), Say::Nothing);
        let told = flood.over(over, false);
        assert_eq!(told.iter().map(|left| (left.count, &*left.last)).collect::<Vec<_>>(), [(9901, "one more")]);
        assert_eq!(flood.look(HERE, "ackd::net", "again", over), Say::It);
    }

    #[test]
    fn a_flood_hides_no_other_line() {
        let mut flood = Flood::NONE;
        ten_thousand(&mut flood, HERE, Tick(1));
        for other in
            [Place { file: "there.rs", ..HERE }, Place { line: 8, ..HERE }, Place { level: Level::Error, ..HERE }]
        {
            assert_eq!(flood.look(other, "ackd", "another", Tick(1)), Say::It, "{other:?}");
        }
    }

    #[test]
    fn a_line_now_and_then_is_always_said() {
        let mut flood = Flood::NONE;
        let mut now = Tick(1);
        for _ in 0..1000 {
            now = now.after(limits::LOG_INTERVAL / 50);
            assert_ne!(flood.look(HERE, "ackd", "now and then", now), Say::Nothing);
        }
        assert_eq!(flood.over(now, true), []);
    }
}
