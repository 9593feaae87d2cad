//! What is said to whom, late: above all to whoever watches, whether all moves, and all figures.
//!
//! What the loop knows itself it says at once, and what only the keeper knows it asks for. So a sign of the keeper is in each
//! answer: where none comes, that is the answer.

use super::EventLoop;
use crate::keeper::{Letter, Ticket};
use crate::limits;
use crate::meter::text::CONTENT_TYPE;
use crate::meter::{Kept, Open, hour};
use crate::model::visit::guarded;
use crate::model::{Moment, Refusal, Response};
use crate::net::peer::Awaits;
use crate::net::refusals::{not_ready, silent};
use std::borrow::Cow;
use std::sync::atomic::Ordering;

impl EventLoop {
    /// Finds out whether requests can be kept and answered.
    pub(super) fn check(&mut self, ticket: Ticket) {
        if self.stopping.is_some() {
            return self.deny(ticket, &not_ready("it is stopping"));
        }
        if !self.letters.health.writable.load(Ordering::Relaxed) {
            return self.deny(ticket, &not_ready("the store cannot be written"));
        }
        self.ask(ticket, Letter::Ready(ticket), Awaits::Check);
    }

    /// Asks the keeper for something that it answers at once, as long as it moves.
    pub(super) fn ask(&mut self, ticket: Ticket, letter: Letter, awaits: Awaits) {
        if self.checks >= limits::CHECKS_MAX || self.letters.letters.send(letter).is_err() {
            return self.deny(ticket, &silent());
        }
        self.checks += 1;
        if let Some(peer) = self.peers.get_by(ticket) {
            peer.awaits = awaits;
        }
    }

    pub(super) fn tell_ready(&mut self, ticket: Ticket, moves: Result<(), String>) {
        self.checks = self.checks.saturating_sub(1);
        let response = match moves {
            Ok(()) => Response::text(200, "ready\n"),
            Err(why) => not_ready(&why).response(),
        };
        self.say(ticket, &response);
    }

    pub(super) fn show(&mut self, ticket: Ticket, kept: &Kept) {
        self.checks = self.checks.saturating_sub(1);
        let open = Open {
            connections: self.peers.count(),
            connections_max: self.connections_max,
            buffered_bytes: self.peers.held_bytes(),
            waiting_bytes: self.letters.health.waiting_bytes.load(Ordering::Relaxed),
            now: self.wall,
        };
        let response = if self.peers.get_by(ticket).is_some_and(|peer| peer.awaits == Awaits::Hour) {
            // By the wall clock of now, which may have been set since then.
            let up = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
            let began = Moment(self.wall.0.saturating_sub(up));
            guarded(Response::json(200, hour::json(open, &self.served.hour, kept, began).into_bytes()))
        } else {
            let page = (self.page)(open, &self.served, kept).into_bytes();
            Response { content_type: CONTENT_TYPE, body: Cow::Owned(page), ..Response::text(200, "") }
        };
        self.say(ticket, &response);
    }

    /// Answers the request that a connection waits for, and goes on with it.
    pub(super) fn say(&mut self, ticket: Ticket, response: &Response) {
        let Some(peer) = self.peers.get_by(ticket) else { return };
        (peer.promised, peer.awaits) = (None, Awaits::Keeper);
        peer.http.respond(response, &self.date.1);
        self.pump(ticket.slot);
    }

    /// Says no to whoever wanted something kept; counted, though not told in the log, where the reason stands already.
    pub(super) fn say_no(&mut self, ticket: Ticket, refusal: &Refusal) {
        self.served.refuse(refusal.status, self.wall);
        self.say(ticket, &refusal.response());
    }

    /// The same to whoever only watches, which is no refusal that anybody should count.
    fn deny(&mut self, ticket: Ticket, refusal: &Refusal) {
        if let Some(peer) = self.peers.get_by(ticket) {
            peer.http.respond(&refusal.response(), &self.date.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pulse::tests::watched;
    use super::*;
    use crate::intake::Door;
    use crate::net::listener::Stream;
    use crate::net::peer::Peer;
    use mio::net::UnixStream;
    use std::io::{ErrorKind, Read, Write};

    /// Whoever asks for a path, and the slot of the connection.
    fn asks(event_loop: &mut EventLoop, path: &str) -> (UnixStream, u32) {
        let (mut client, stream) = UnixStream::pair().unwrap();
        write!(client, "GET {path} HTTP/1.1\r\nHost: ackd\r\n\r\n").unwrap();
        let index = event_loop.peers.insert(Peer::new(Stream::Unix(stream), Door::Control, None, event_loop.now));
        event_loop.pump(index);
        (client, index)
    }

    fn heard(client: &mut UnixStream) -> String {
        let mut said = [0; 4096];
        match client.read(&mut said) {
            Ok(count) => String::from_utf8_lossy(&said[..count]).into_owned(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => String::new(),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_keeper_that_gives_no_sign_is_told_as_one_that_does_not_answer() {
        let (mut event_loop, _, letters, health) = watched();
        health.writable.store(true, Ordering::Relaxed);
        let mut clients = ["/readyz", "/metrics", "/healthz"].map(|path| asks(&mut event_loop, path).0);
        assert!(heard(&mut clients[2]).starts_with("HTTP/1.1 200 "), "the loop turns");
        assert_eq!(letters.try_iter().count(), 2);
        event_loop.now = event_loop.now.after(limits::CHECK_TIME / 2);
        event_loop.end_overdue();
        assert_eq!(clients.each_mut().map(heard), ["", "", ""]);
        event_loop.now = event_loop.now.after(limits::CHECK_TIME);
        event_loop.end_overdue();
        for client in &mut clients[..2] {
            let said = heard(client);
            assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("the keeper does not answer"), "{said}");
        }
    }

    #[test]
    fn the_keeper_is_asked_for_so_many_at_once_and_no_more() {
        let (mut event_loop, _, letters, health) = watched();
        health.writable.store(true, Ordering::Relaxed);
        let (mut first, index) = asks(&mut event_loop, "/readyz");
        let others: Vec<_> = (1..limits::CHECKS_MAX).map(|_| asks(&mut event_loop, "/metrics")).collect();
        let mut late = asks(&mut event_loop, "/readyz").0;
        assert!(heard(&mut late).contains("the keeper does not answer"));
        assert_eq!(letters.try_iter().count(), limits::CHECKS_MAX);
        let ticket = event_loop.peers.ticket(index);
        event_loop.tell_ready(ticket, Err("a worker does not come back".to_owned()));
        let said = heard(&mut first);
        assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("not ready: a worker does not come back"), "{said}");
        let again = asks(&mut event_loop, "/metrics");
        assert_eq!(letters.try_iter().count(), 1, "there is room for one again");
        drop((others, again));
    }

    #[test]
    fn a_store_that_cannot_be_written_is_known_without_asking() {
        let (mut event_loop, _, letters, _) = watched();
        let said = heard(&mut asks(&mut event_loop, "/readyz").0);
        assert!(said.contains("not ready: the store cannot be written"), "{said}");
        assert_eq!(letters.try_iter().count(), 0);
    }
}
