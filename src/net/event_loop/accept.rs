//! Who comes in: connections are accepted as far as there is room, a share of each listener in each turn.

use super::EventLoop;
use crate::limits;
use crate::net::listener::is_out_of_descriptors;
use crate::net::peer::Peer;
use std::io::ErrorKind;

impl EventLoop {
    pub(super) fn accept(&mut self) {
        if self.accept_at.is_some_and(|at| self.now < at) {
            return;
        }
        self.accept_at = None;
        for place in 0..self.listeners.len() {
            self.accept_on(place);
        }
    }

    /// Accepts until there is nobody, or so many that the others should have their turn.
    fn accept_on(&mut self, place: usize) {
        for _ in 0..limits::ACCEPTS_PER_TURN {
            let Some(listener) = self.listeners.get_mut(place).filter(|listener| listener.pending) else { return };
            let door = listener.leads_to();
            match listener.accept() {
                Ok((stream, from)) => self.welcome(Peer::new(stream, door, from, self.now)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => listener.pending = false,
                Err(error) if is_out_of_descriptors(&error) => {
                    if !self.close_one(None) {
                        log::warn!("no descriptor for a new connection ({error}); accepting rests for a moment");
                        self.accept_at = Some(self.now.after(limits::ACCEPT_REST));
                        return;
                    }
                }
                // The client is gone, or a firewall was in the way: that was one connection, not all of them.
                Err(error) => log::debug!("accepting: {error}"),
            }
        }
    }

    fn welcome(&mut self, peer: Peer) {
        if self.peers.count() >= self.connections_max && !self.close_one(None) {
            return; // All of them wait for our own answer; this one is dropped.
        }
        self.served.connections += 1;
        let index = self.peers.insert(peer);
        // What it has to say is often there already.
        self.pump(index);
    }
}
