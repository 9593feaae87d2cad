//! Visits: pages that somebody wants to see and a worker makes. A few may wait; the loop waits for none.

use super::refusals::not_made;
use crate::keeper::Ticket;
use crate::model::{Refusal, Visit};
use std::sync::mpsc::SyncSender;

/// Where visits are left.
#[derive(Debug)]
pub struct Lobby {
    pub visits: SyncSender<(Ticket, Visit)>,
}

impl Lobby {
    /// Leaves a visit; its answer comes as a receipt.
    pub(super) fn ask(&self, ticket: Ticket, visit: Visit) -> Result<(), Refusal> {
        self.visits.try_send((ticket, visit)).map_err(|_| not_made())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Framing, Head, Host, Method, Request, Span};
    use std::sync::mpsc::sync_channel;

    #[test]
    fn so_many_wait_and_no_more() {
        let (visits, waiting) = sync_channel(2);
        let lobby = Lobby { visits };
        let ticket = Ticket { slot: 1, generation: 1 };
        let (text, target, headers) = (Box::default(), Span { start: 0, end: 0 }, Box::default());
        let head = Head { method: Method::Get, text, target, headers, framing: Framing::Empty };
        let request = Request { head, body: Vec::new() };
        let (to, path) = (Host::Bot("weekly".to_owned()), String::new());
        let visit = Visit { to, operator: false, guard: String::new(), path, request, renews: false };
        lobby.ask(ticket, visit.clone()).unwrap();
        lobby.ask(ticket, visit.clone()).unwrap();
        assert_eq!(lobby.ask(ticket, visit.clone()), Err(not_made()));
        assert_eq!(waiting.try_iter().count(), 2);
        lobby.ask(ticket, visit.clone()).unwrap();
        drop(waiting);
        assert_eq!(lobby.ask(ticket, visit), Err(not_made()), "whoever makes pages is gone");
    }
}
