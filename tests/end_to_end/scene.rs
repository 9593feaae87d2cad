//! A daemon, its upstream and its senders together.

use crate::client::Client;
use crate::daemon::{Daemon, GLANCE, Setup};
use crate::graph::{Graph, PATIENCE};
use ackd::store::sqlite::{EventLine, Filter, Reader};
use ackd::store::{Life, State};
use std::thread;
use std::time::Instant;

/// A daemon that answers through a stand-in.
pub struct Scene {
    // Dropped first, so that a daemon that still runs does not complain of a stand-in that is gone.
    pub daemon: Daemon,
    pub graph: Graph,
}

impl Scene {
    /// One page, four workers, nothing special.
    pub fn new() -> Scene {
        Scene::with(Setup::default())
    }

    /// The same, otherwise set up.
    pub fn with(setup: Setup) -> Scene {
        let tokens: Vec<&str> = setup.pages.iter().map(|page| page.token).collect();
        let graph = Graph::start(&tokens);
        let daemon = Daemon::start(setup, graph.api());
        Scene { daemon, graph }
    }

    /// A new connection to the daemon.
    pub fn client(&self) -> Client {
        Client::connect(self.daemon.address)
    }

    /// Delivers a body on a connection of its own.
    pub fn deliver(&self, body: &str) -> u16 {
        self.client().deliver(body)
    }

    /// What the store says of the event with the platform's id `mid`.
    pub fn life(&self, mid: &str) -> Option<Life> {
        let reader = Reader::open(&self.daemon.store()).unwrap();
        let key = reader.find(mid).unwrap()?;
        reader.life(key).unwrap()
    }

    /// Waits until the store says something of an event: it settles a moment after its reply was accepted.
    pub fn wait_for_life(&self, mid: &str, what: &str, until: impl Fn(&Life) -> bool) -> Life {
        let began = Instant::now();
        loop {
            let life = self.life(mid);
            match life {
                Some(life) if until(&life) => return life,
                _ if began.elapsed() < PATIENCE => thread::sleep(GLANCE),
                other => panic!("{mid} is not {what}: {other:#?}"),
            }
        }
    }

    /// Waits until an event has come to this end.
    pub fn wait_for_state(&self, mid: &str, state: State) -> Life {
        self.wait_for_life(mid, &state.to_string(), |life| life.state == state)
    }

    /// All events of the store.
    pub fn events(&self) -> Vec<EventLine> {
        let reader = Reader::open(&self.daemon.store()).unwrap();
        reader.events(&Filter { limit: usize::MAX >> 1, ..Filter::default() }).unwrap()
    }

    /// Why a channel rests, for whoever reads the store beside the daemon.
    pub fn rest(&self, channel: &str) -> Option<String> {
        let reader = Reader::open(&self.daemon.store()).unwrap();
        reader.rest(channel, ackd::daemon::clock()).unwrap().map(|(_, why)| why)
    }

    /// Nobody called the stand-in in a way that the real one would have refused.
    pub fn expect_well_said(&self) {
        self.graph.look(|ledger| assert_eq!(ledger.wrongs, Vec::<String>::new()));
    }

    /// Lets the daemon finish what it is at; afterwards nothing changes any more.
    pub fn stop(&mut self) {
        self.daemon.stop();
        self.expect_well_said();
    }
}
