//! Names of upstreams → addresses, asked for once in a while instead of before every call.
//!
//! ureq looks a name up for each request, on a thread of its own, also when it then uses a connection that is open.
//! Here an address stands for itself, and what was found is remembered for a short time.

use crate::limits;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Looks up, and remembers.
#[derive(Debug, Default)]
pub(super) struct Remembering {
    found: Mutex<Vec<Found>>,
    asks: DefaultResolver,
}

#[derive(Debug)]
struct Found {
    host: String,
    port: u16,
    addresses: Vec<SocketAddr>,
    at: Instant,
}

impl Remembering {
    fn recall(&self, host: &str, port: u16) -> Option<Vec<SocketAddr>> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.retain(|found| found.at.elapsed() < limits::NAME_LIFE);
        let known = found.iter().find(|found| found.port == port && found.host == host)?;
        Some(known.addresses.clone())
    }

    fn remember(&self, host: &str, port: u16, addresses: &[SocketAddr]) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() < limits::NAMES_MAX {
            let (host, addresses) = (host.to_owned(), addresses.to_vec());
            found.push(Found { host, port, addresses, at: Instant::now() });
        }
    }
}

impl Resolver for Remembering {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(resolved(self, &[SocketAddr::new(address, port)]));
        }
        if let Some(addresses) = self.recall(host, port) {
            return Ok(resolved(self, &addresses));
        }
        let fresh = self.asks.resolve(uri, config, timeout).map_err(|error| not_found(host, error))?;
        self.remember(host, port, &fresh);
        Ok(fresh)
    }
}

/// Nothing went out when a name could not be looked up; the kind says so to `fetch`, which only sees the error.
fn not_found(host: &str, error: Error) -> Error {
    match error {
        Error::Io(error) => {
            let words = format!("looking up {host}: {error}");
            Error::Io(io::Error::new(io::ErrorKind::AddrNotAvailable, words))
        }
        other => other,
    }
}

fn resolved(resolver: &impl Resolver, addresses: &[SocketAddr]) -> ResolvedSocketAddrs {
    let mut all = resolver.empty();
    addresses.iter().for_each(|address| all.push(*address));
    all
}
