//! Who has to go when there is no room, or when something took too long.

use super::EventLoop;
use crate::http::Wait;
use crate::limits;
use crate::model::Refusal;
use crate::net::peer::Awaits;
use crate::net::peers::Queue;
use crate::net::refusals::{late_page, not_kept, silent};
use crate::net::tls::Tls;

impl EventLoop {
    /// Closes the connection that is idle for longest; if none is, the one whose request or answer takes longest.
    pub(super) fn close_one(&mut self, except: Option<u32>) -> bool {
        for queue in [Queue::Idle, Queue::Unfinished] {
            if let Some(index) = self.peers.longest_in(queue).filter(|index| Some(*index) != except) {
                self.let_go(index);
                return true;
            }
        }
        false
    }

    /// Where all connections together hold too much, those that hold much and take longest are refused.
    pub(super) fn make_room(&mut self, newest: u32) {
        if self.peers.held_bytes() <= limits::TLS_BUFFERED_BYTES_MAX {
            return;
        }
        let speaks_tls = self.listeners.iter().any(|listener| listener.tls.is_some());
        let most = if speaks_tls { limits::TLS_BUFFERED_BYTES_MAX } else { limits::BUFFERED_BYTES_MAX };
        let refusal = Refusal { retry_after_s: Some(1), ..Refusal::new(503, "too much is coming in at once") };
        while self.peers.held_bytes() > most {
            let newest = self.peers.get(newest).map(|_| newest);
            let Some(index) = self.peers.next_to_go().or(newest) else { return };
            self.refuse(index, &refusal);
            self.peers.remove(index);
        }
    }

    pub(super) fn end_overdue(&mut self) {
        while let Some(index) = self.peers.overdue(self.now) {
            let Some(peer) = self.peers.get(index) else { continue };
            match peer.http.wait() {
                Wait::Head => self.refuse(index, &Refusal::new(408, "the head took too long")),
                Wait::Body { .. } => self.refuse(index, &Refusal::new(408, "the body came too slowly")),
                Wait::Answer if peer.awaits == Awaits::Page => self.refuse(index, &late_page()),
                Wait::Answer if matches!(peer.awaits, Awaits::Check | Awaits::Hour) => self.refuse(index, &silent()),
                Wait::Answer => {
                    log::error!("the keeper did not answer within {} s", limits::KEEPER_TIME.as_secs());
                    self.refuse(index, &not_kept());
                }
                Wait::Idle | Wait::Write | Wait::Drain | Wait::Closed => {
                    // Whoever only looks whether somebody is there, or may want to speak later, has begun none.
                    if peer.stream.tls().is_some_and(Tls::has_begun_handshake) {
                        self.note_handshake(index, "the handshake took too long");
                    }
                    self.let_go(index);
                }
            }
        }
    }

    /// Closes a connection to which nothing more is said, but over TLS that this is the end: for somebody who is idle nothing
    /// was cut off.
    fn let_go(&mut self, index: u32) {
        if let Some(mut peer) = self.peers.remove(index).filter(|peer| peer.is_idle()) {
            peer.say_all();
        }
    }

    /// A handshake came to nothing.
    pub(super) fn note_handshake(&mut self, index: u32, why: &str) {
        self.served.handshakes_failed += 1;
        let from = self.peers.get(index).and_then(|peer| peer.from);
        self.complaints.note_handshake(why, from, self.now);
    }

    pub(super) fn refuse(&mut self, index: u32, refusal: &Refusal) {
        self.complain(index, refusal);
        let now = self.now;
        if let Some(peer) = self.peers.get(index) {
            peer.promised = None;
            peer.restart_wait(now);
            peer.http.refuse(refusal, &self.date.1);
            // Not `pump`: whoever makes room by this must not be asked for room.
            self.go_on(index);
        }
    }
}
