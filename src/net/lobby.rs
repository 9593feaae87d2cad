//! Visits: pages that somebody wants to see and a worker makes. So many are under way at once; the loop waits for none.

use super::refusals::not_made;
use crate::keeper::Ticket;
use crate::limits::{VISITS_MAX, VISITS_PUBLIC_MAX, VISITS_UNPROVEN_MAX};
use crate::model::{Claim, Refusal, Visit};
use std::sync::mpsc::SyncSender;

/// Where visits are left.
#[derive(Debug)]
pub struct Lobby {
    visits: SyncSender<(Ticket, Box<Visit>)>,
    /// How many were left, and have no answer yet.
    under_way: usize,
}

impl Lobby {
    /// One that leaves visits there.
    pub fn new(visits: SyncSender<(Ticket, Box<Visit>)>) -> Lobby {
        Lobby { visits, under_way: 0 }
    }

    /// Leaves a visit; `made` is called when its answer has come as a receipt. The less somebody shows at the door, the fewer
    /// places there are for their like: strangers who hold all of theirs keep nobody out who has a link, nor these the
    /// operator.
    pub(super) fn ask(&mut self, ticket: Ticket, visit: Box<Visit>) -> Result<(), Refusal> {
        let places = match visit.claim {
            Claim::Unproven => VISITS_UNPROVEN_MAX,
            Claim::Link => VISITS_PUBLIC_MAX,
            Claim::Inside => VISITS_MAX,
        };
        if self.under_way >= places || self.visits.try_send((ticket, visit)).is_err() {
            return Err(not_made());
        }
        self.under_way += 1;
        Ok(())
    }

    /// Another takes its place; what is under way counts there.
    pub(super) fn follow(&mut self, next: Lobby) {
        self.visits = next.visits;
    }

    /// A visit has its answer, whether anybody still waits for it or not.
    pub(super) fn made(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Framing, Head, Host, Method, Request, Span};
    use std::sync::mpsc::sync_channel;

    const TICKET: Ticket = Ticket { slot: 1, generation: 1 };

    fn visit(claim: Claim) -> Box<Visit> {
        let (text, target, headers) = (Box::default(), Span { start: 0, end: 0 }, Box::default());
        let head = Head { method: Method::Get, text, target, headers, framing: Framing::Empty };
        let request = Request { head, body: Vec::new() };
        let (to, path) = (Host::Bot("weekly".to_owned()), String::new());
        Box::new(Visit { to, claim, operator: false, guard: String::new(), path, request, renews: false })
    }

    #[test]
    fn so_many_are_under_way_and_no_more() {
        let (visits, waiting) = sync_channel(VISITS_MAX);
        let mut lobby = Lobby::new(visits);
        for _ in 0..VISITS_MAX {
            lobby.ask(TICKET, visit(Claim::Inside)).unwrap();
        }
        assert_eq!(waiting.try_iter().count(), VISITS_MAX);
        assert_eq!(lobby.ask(TICKET, visit(Claim::Inside)), Err(not_made()), "taken up is not made yet");
        lobby.made();
        lobby.ask(TICKET, visit(Claim::Inside)).unwrap();
        lobby.made();
        drop(waiting);
        assert_eq!(lobby.ask(TICKET, visit(Claim::Inside)), Err(not_made()), "whoever makes pages is gone");
    }

    #[test]
    fn strangers_keep_nobody_out_who_has_a_link_and_these_not_the_operator() {
        let (visits, _waiting) = sync_channel(VISITS_MAX);
        let mut lobby = Lobby::new(visits);
        let mut hold_all = |claim| (0..).take_while(|_| lobby.ask(TICKET, visit(claim)).is_ok()).count();
        assert_eq!(hold_all(Claim::Unproven), VISITS_UNPROVEN_MAX);
        assert!(hold_all(Claim::Link) >= VISITS_MAX / 4);
        assert_eq!(hold_all(Claim::Unproven), 0);
        assert_eq!(hold_all(Claim::Inside), VISITS_MAX / 4);
    }
}
