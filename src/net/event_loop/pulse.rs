//! The pulse: at an even pace the loop asks the keeper whether it and its workers move, and tells whoever watches. Nothing is
//! told while the answer to the last question is missing, so whoever waits for it knows that something is stuck.

use super::EventLoop;
use crate::keeper::Letter;
use crate::model::Tick;
use crate::notation::counted::counted;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Who watches us.
pub struct Watch {
    /// How often they want to hear of us, at least.
    pub every: Duration,
    /// Tells them that all parts move, and how things stand.
    pub alive: Box<dyn Fn(&str)>,
}

/// When the next question is due, and how many have been asked.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    due: Tick,
    asked: u64,
}

impl EventLoop {
    /// When the loop must wake for its pulse.
    pub(super) fn pulse_due(&self) -> Option<Tick> {
        self.watch.as_ref().map(|_| self.pulse.due)
    }

    pub(super) fn beat(&mut self) {
        let Some(watch) = self.watch.as_ref().filter(|_| self.now >= self.pulse.due) else { return };
        let health = &self.letters.health;
        if health.pulse.load(Ordering::Acquire) == self.pulse.asked {
            (watch.alive)(&self.standing());
        } else {
            log::error!("the keeper or a worker does not move; unless it does soon, whoever watches will restart ackd");
        }
        self.pulse = Pulse { due: self.now.after(watch.every), asked: self.pulse.asked + 1 };
        // A keeper that is gone does not answer, which is as it should be.
        let _ = self.letters.letters.send(Letter::Pulse { number: self.pulse.asked, every: watch.every });
    }

    /// How things stand, in a line.
    fn standing(&self) -> String {
        let health = &self.letters.health;
        let [kept, settled] = [&health.kept, &health.settled].map(|count| count.load(Ordering::Relaxed));
        let refused = counted(self.served.refused.total(), "request");
        let connections = counted(self.peers.count() as u64, "connection");
        let disk = if health.writable.load(Ordering::Relaxed) { "" } else { "; THE STORE CANNOT BE WRITTEN" };
        format!("{} kept, {settled} settled, {refused} refused; {connections}{disk}", counted(kept, "event"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::intake::Intake;
    use crate::keeper::{Health, Letterbox};
    use crate::model::Moment;
    use crate::net::Lobby;
    use crate::net::event_loop::{Parts, poll};
    use crate::net::signals::Signals;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel, sync_channel};

    const EVERY: Duration = Duration::from_secs(20);

    /// A loop that is watched, what systemd hears of it, what the keeper does, and its health.
    pub(in super::super) type Watched = (EventLoop, Rc<RefCell<Vec<String>>>, Receiver<Letter>, Arc<Health>);

    pub(in super::super) fn watched() -> Watched {
        let heard: Rc<RefCell<Vec<String>>> = Rc::default();
        let hears = Rc::clone(&heard);
        let alive = Box::new(move |standing: &str| hears.borrow_mut().push(standing.to_owned()));
        let (letters, read) = channel();
        let health: Arc<Health> = Arc::default();
        let (poll, _) = poll().unwrap();
        let parts = Parts {
            poll,
            listeners: Vec::new(),
            signals: Signals::take().unwrap(),
            intake: Intake::new(Vec::new(), Vec::new()),
            letters: Letterbox { letters, health: Arc::clone(&health) },
            receipts: channel().1,
            news: channel().1,
            reload: Box::new(|_| {}),
            watch: Some(Watch { every: EVERY, alive }),
            lobby: Lobby::new(sync_channel(1).0),
            connections_max: 1,
            page: Box::new(|_, _, _| String::new()),
            clock: || Moment(1),
        };
        (EventLoop::new(parts).unwrap(), heard, read, health)
    }

    #[test]
    fn whoever_watches_hears_nothing_while_the_keeper_owes_an_answer() {
        let (mut event_loop, heard, letters, health) = watched();
        let mut beat = |answers: bool| {
            event_loop.now = event_loop.now.after(EVERY);
            event_loop.beat();
            event_loop.beat();
            let Ok(Letter::Pulse { number, every }) = letters.try_recv() else { panic!("the keeper was not asked") };
            assert!(every == EVERY && letters.try_recv().is_err(), "asked once in each period");
            if answers {
                health.pulse.store(number, Ordering::Release);
            }
            heard.borrow().len()
        };
        assert_eq!([beat(true), beat(true), beat(false)], [1, 2, 3]);
        assert_eq!([beat(false), beat(false), beat(true)], [3, 3, 3], "the answer to the third question is missing");
        assert_eq!([beat(true), beat(true)], [4, 5], "it moves again");
        assert!(heard.borrow()[0].contains("THE STORE CANNOT BE WRITTEN"), "nobody has opened it");
    }

    #[test]
    fn the_loop_wakes_for_its_pulse_and_else_for_nothing() {
        let (mut event_loop, ..) = watched();
        event_loop.beat();
        assert_eq!(event_loop.patience(), Some(EVERY + Duration::from_millis(1)));
        event_loop.watch = None;
        assert_eq!(event_loop.patience(), None);
    }
}
