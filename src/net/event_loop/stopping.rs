//! The end, on SIGTERM: nothing more is accepted, and what is under way gets its answer.
//!
//! Whoever has just connected and not asked yet will do so in a moment, and nobody else would answer: they have a second.
//! Whoever has had an answer and says nothing now is used to being closed.

use super::EventLoop;
use crate::keeper::Letter;
use crate::limits;
use crate::model::Tick;

/// How long what is under way has.
#[derive(Debug)]
pub(super) struct Stopping {
    pub(super) until: Tick,
    /// Until when newcomers are waited for; nothing once that is over.
    newcomers_until: Option<Tick>,
}

impl EventLoop {
    /// Begins the end.
    pub(super) fn stop(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        log::info!("stopping: answering what is under way");
        // Those who wait at a door of our own would find it gone; at one of systemd's they would wait for the next ackd.
        self.accept();
        self.listeners.clear();
        self.accept_at = None;
        let now = self.now;
        let newcomers_until = Some(now.after(limits::STOP_NEWCOMERS_TIME));
        self.stopping = Some(Stopping { until: now.after(limits::STOP_REQUESTS_TIME), newcomers_until });
        // The keeper ends only after us, unless by an error that `hand_over` finds.
        let _ = self.letters.letters.send(Letter::Rest);
        self.retire(|peer_is_new| !peer_is_new);
    }

    /// When something about the end is due.
    pub(super) fn stop_due(&self) -> Option<Tick> {
        self.stopping.as_ref().map(|stopping| stopping.newcomers_until.unwrap_or(stopping.until))
    }

    /// Newcomers who have not asked by now do not have to be waited for any more.
    pub(super) fn end_newcomers(&mut self) {
        let now = self.now;
        let due = |stopping: &mut Stopping| stopping.newcomers_until.take_if(|until| now >= *until);
        if self.stopping.as_mut().and_then(due).is_some() {
            self.retire(|_| true);
        }
    }

    /// Has connections end after the answer that they wait for; those that wait for none, now.
    fn retire(&mut self, whom: fn(bool) -> bool) {
        for index in self.peers.indices() {
            let Some(peer) = self.peers.get(index) else { continue };
            if whom(peer.is_new) {
                peer.http.close_after_answer();
                self.pump(index);
            }
        }
    }
}
