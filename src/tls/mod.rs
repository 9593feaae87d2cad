//! Certificates and their keys → what a listener needs to speak TLS; or which of them is wrong, and what to do.
//!
//!     mod.rs    what a listener needs, and which certificate goes to whom
//!     pair.rs   one certificate with its key: read, compared, looked at for its dates and names
//!
//! It is handed what stands in the files, and the time. Never here: files, sockets. The sockets are in `net/tls.rs`.

mod pair;
#[cfg(test)]
mod tests;

pub use pair::{Flaw, day};

use crate::model::{Moment, Secret};
use pair::Pair;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, ServerConfig};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What rustls does its sums with, here and towards upstreams: one for all.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(default_provider())))
}

/// The keys of tickets by which a client that was here before needs no whole handshake. They outlive certificates, so that
/// a renewed one costs nobody anything.
#[derive(Clone)]
pub struct Tickets(Arc<dyn ProducesTickets>);

impl Tickets {
    /// New keys; an error where the system gives no random numbers.
    pub fn new() -> Result<Tickets, String> {
        Ticketer::new().map(Tickets).map_err(|error| format!("making keys for TLS tickets: {error}"))
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Tickets(***)")
    }
}

/// On which terms a listener speaks TLS.
pub type Terms = Arc<ServerConfig>;

/// A certificate with its chain, and its key; both PEM, as they stand in their files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pem {
    pub certificate: Vec<u8>,
    pub key: Secret,
}

/// Certificates that were looked at and belong to their keys.
#[derive(Clone, Debug)]
pub struct Identity {
    pairs: Arc<Pairs>,
    /// When the first of them ends.
    pub ends: Moment,
}

impl Identity {
    /// Reads pairs of certificate and key. The first is shown to whoever names nobody that another one is for. An error
    /// says which pair, from 0, and what is wrong with it.
    pub fn of(pems: &[Pem], now: Moment) -> Result<Identity, (usize, Flaw)> {
        let mut pairs = Vec::with_capacity(pems.len());
        let mut ends = Moment(i64::MAX);
        for (place, pem) in pems.iter().enumerate() {
            let pair = Pair::of(pem, now).map_err(|flaw| (place, flaw))?;
            ends = ends.min(pair.ends);
            pairs.push(pair);
        }
        Ok(Identity { pairs: Arc::new(Pairs(pairs)), ends })
    }

    /// Whether others are shown the same by both.
    pub fn shows_the_same(&self, other: &Identity) -> bool {
        let chains =
            |identity: &Identity| identity.pairs.0.iter().map(|pair| pair.key.cert.clone()).collect::<Vec<_>>();
        chains(self) == chains(other)
    }

    /// When each ends, in their order.
    pub fn lifetimes(&self) -> impl Iterator<Item = Moment> {
        self.pairs.0.iter().map(|pair| pair.ends)
    }

    /// The names that they are for, the first one of each, with when the first of them ends that is for it.
    pub fn names(&self) -> Vec<(String, Moment)> {
        let mut names: Vec<(String, Moment)> = Vec::with_capacity(self.pairs.0.len());
        for (name, ends) in self.pairs.0.iter().map(|pair| (pair.name(), pair.ends)) {
            match names.iter_mut().find(|(known, _)| *known == name) {
                Some((_, first)) => *first = ends.min(*first),
                None => names.push((name, ends)),
            }
        }
        names
    }

    /// The last day on which all are good, as `2026-11-21`.
    pub fn last_day(&self) -> String {
        day(self.ends)
    }

    /// What a listener needs: TLS 1.2 and 1.3, HTTP/1.1, and sessions that go on by tickets.
    pub fn listener(&self, tickets: &Tickets) -> Result<Terms, String> {
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| format!("TLS: {error}"))?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Pairs>::clone(&self.pairs);
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // What a client needs to go on lies with it, so it costs no memory here.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Arc::clone(&tickets.0);
        config.send_tls13_tickets = 1;
        Ok(Arc::new(config))
    }
}

#[derive(Debug)]
struct Pairs(Vec<Pair>);

impl ResolvesServerCert for Pairs {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.0.iter().find(|pair| pair.is_for(name)));
        named.or(self.0.first()).map(|pair| Arc::clone(&pair.key))
    }
}

/// What became of a handshake that failed, for the log: what the other side did, in rustls's words.
pub fn words(error: &Error) -> String {
    match error {
        Error::AlertReceived(alert) => format!("the client gave up ({alert:?})"),
        error => error.to_string(),
    }
}
