//! The ngrok agent's API: which public address leads here (ngrok.md §2).
//!
//! `GET /api/endpoints`, and where an old agent does not know that, `GET /api/tunnels`. Of the https ones we take the
//! one that leads to a port of ours, else the only one there is. An agent that is just starting is asked again.

use super::words::{plain, short};
use super::{RegistryFault, Upstream};
use crate::limits::{NGROK_PAUSE, NGROK_TIME, NGROK_TRIES, REGISTRY_ITEMS_MAX};
use crate::model::{OutboundRequest, Outcome};
use crate::notation::order::in_order;
use serde_json::Value;
use std::net::IpAddr;
use std::time::Duration;

/// Where an agent's API is, unless configured.
pub const AGENT: &str = "http://127.0.0.1:4040";

/// A public address of the agent, and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tunnel {
    url: String,
    upstream: String,
}

/// What one round of asking came to.
enum Asked {
    Tunnels(Vec<Tunnel>),
    /// Nobody is there: not yet, or not at all.
    Unreachable(String),
}

/// The address that leads to one of `ports`. `pause` waits, and says whether to go on.
pub fn public_url(
    agent: &str,
    ports: &[u16],
    upstream: &dyn Upstream,
    pause: &dyn Fn(Duration) -> bool,
) -> Result<String, RegistryFault> {
    let mut why = String::new();
    for attempt in 1..=NGROK_TRIES {
        match ask(agent, upstream)? {
            Asked::Tunnels(tunnels) if !tunnels.is_empty() => return choose(tunnels, ports),
            Asked::Tunnels(_) => why = "it has no tunnel".to_owned(),
            Asked::Unreachable(what) => why = what,
        }
        if attempt < NGROK_TRIES && !pause(NGROK_PAUSE) {
            break;
        }
    }
    let start = match ports.first() {
        Some(port) => format!("`ngrok http {port}`"),
        None => "ngrok".to_owned(),
    };
    Err(RegistryFault(format!(
        "the ngrok agent at {agent}: {why}; start {start}, or say with ngrok = \"http://127.0.0.1:4041\" where it is"
    )))
}

fn ask(agent: &str, upstream: &dyn Upstream) -> Result<Asked, RegistryFault> {
    let call = |path: &str| {
        let request = OutboundRequest::get(format!("{agent}{path}"));
        upstream.call(&OutboundRequest { patience: Some(NGROK_TIME), ..request })
    };
    let mut outcome = call("/api/endpoints");
    let mut read: fn(&Value) -> Option<Vec<Tunnel>> = endpoints;
    if matches!(&outcome, Outcome::Answered(answer) if answer.status == 404) {
        (outcome, read) = (call("/api/tunnels"), tunnels);
    }
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::Failed(fault) => {
            // Whoever reads this is told the agent's address anyway.
            let host = agent.split_once("://").map_or(agent, |(_, host)| host);
            let why = fault.why.strip_prefix(host).and_then(|why| why.strip_prefix(": ")).unwrap_or(&fault.why);
            return Ok(Asked::Unreachable(plain(why, &[])));
        }
    };
    let found = match answer.status {
        200 => serde_json::from_slice(&answer.body).ok().and_then(|body| read(&body)),
        _ => None,
    };
    found.map(Asked::Tunnels).ok_or_else(|| {
        let status = answer.status;
        RegistryFault(format!(
            "{agent} answers HTTP {status}, and not as an ngrok agent does; does `ngrok` lead to one?"
        ))
    })
}

/// Of version 3.
fn endpoints(body: &Value) -> Option<Vec<Tunnel>> {
    collect(body.get("endpoints")?, |endpoint| (endpoint.get("url"), endpoint.pointer("/upstream/url")))
}

/// Of version 2, and as version 3 gives it, too.
fn tunnels(body: &Value) -> Option<Vec<Tunnel>> {
    collect(body.get("tunnels")?, |tunnel| (tunnel.get("public_url"), tunnel.pointer("/config/addr")))
}

fn collect(list: &Value, parts: fn(&Value) -> (Option<&Value>, Option<&Value>)) -> Option<Vec<Tunnel>> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let tunnel = |entry: &Value| {
        let (url, upstream) = parts(entry);
        Tunnel { url: text(url).trim_end_matches('/').to_owned(), upstream: text(upstream) }
    };
    Some(list.as_array()?.iter().take(REGISTRY_ITEMS_MAX).map(tunnel).collect())
}

fn choose(tunnels: Vec<Tunnel>, ports: &[u16]) -> Result<String, RegistryFault> {
    let usable: Vec<Tunnel> = tunnels.into_iter().filter(|tunnel| is_https(&tunnel.url)).collect();
    // The agent gives them in any order; the same ones must lead to the same choice, or registrations would follow.
    let usable = in_order(usable, |one, other| one.url > other.url);
    if let Some(ours) = usable.iter().find(|tunnel| leads_here(&tunnel.upstream, ports)) {
        return Ok(ours.url.clone());
    }
    let port = ports.first().map_or_else(|| "PORT".to_owned(), u16::to_string);
    match usable.as_slice() {
        [] => Err(RegistryFault(format!("ngrok has no https tunnel; start `ngrok http {port}`"))),
        [only] => Ok(only.url.clone()),
        several => {
            let shown = |tunnel: &Tunnel| format!("{} → {}", short(&tunnel.url), short(&tunnel.upstream));
            let list = several.iter().map(shown).collect::<Vec<_>>().join(", ");
            Err(RegistryFault(format!(
                "ngrok has {} https tunnels, and none leads to port {port}: {list}; start `ngrok http {port}`, or write \
                 the right one as public_url",
                several.len()
            )))
        }
    }
}

fn is_https(url: &str) -> bool {
    let host = url.strip_prefix("https://").unwrap_or_default();
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\"<>\\".contains(&byte))
}

/// Whether an address of the agent, with or without scheme, is a port of ours on this machine.
fn leads_here(upstream: &str, ports: &[u16]) -> bool {
    let (scheme, rest) = upstream.split_once("://").unwrap_or(("http", upstream));
    let authority = rest.split('/').next().unwrap_or(rest);
    // In an IPv6 address only a colon behind the bracket begins the port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
        _ if authority.bytes().all(|byte| byte.is_ascii_digit()) => ("localhost", authority.parse().ok()),
        _ => (authority, Some(if scheme == "https" { 443 } else { 80 })),
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let local = match address {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    };
    local && port.is_some_and(|port| ports.contains(&port))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Recorded, answer, refused, sample, text};
    use super::*;
    use std::cell::Cell;

    const NOT_FOUND: &str = "ngrok/api_not_found.json";

    /// An agent that answers so, one after the other; nobody waits.
    fn asked(outcomes: Vec<Outcome>, ports: &[u16]) -> (Result<String, RegistryFault>, Vec<String>) {
        let upstream = Recorded::new(outcomes);
        (public_url(AGENT, ports, &upstream, &|_| true), upstream.calls())
    }

    fn tunnels_of(name: &str, port: u16) -> Result<String, RegistryFault> {
        asked(vec![sample(404, NOT_FOUND), sample(200, name)], &[port]).0
    }

    #[test]
    fn an_agent_of_today_is_asked_for_its_endpoints() {
        let (url, calls) = asked(vec![sample(200, "ngrok/api_endpoints_v3.json")], &[8080]);
        assert_eq!(url.unwrap(), "https://bright-sun-42.ngrok-free.app");
        assert_eq!(calls, ["GET http://127.0.0.1:4040/api/endpoints"]);
    }

    #[test]
    fn an_old_agent_is_asked_for_its_tunnels_and_https_is_taken() {
        let (url, calls) = asked(vec![sample(404, NOT_FOUND), sample(200, "ngrok/api_tunnels_v2.json")], &[3000]);
        assert_eq!(url.unwrap(), "https://0d52ccd9.ngrok.io");
        assert_eq!(calls.last().unwrap(), "GET http://127.0.0.1:4040/api/tunnels");
        assert_eq!(tunnels_of("ngrok/api_tunnels_v3.json", 8080).unwrap(), "https://bright-sun-42.ngrok-free.app");
    }

    #[test]
    fn the_only_https_tunnel_is_taken_wherever_it_leads() {
        assert_eq!(tunnels_of("ngrok/api_tunnels_v2.json", 8443).unwrap(), "https://0d52ccd9.ngrok.io");
    }

    #[test]
    fn of_several_the_one_that_leads_here_is_taken_however_its_address_is_written() {
        assert_eq!(tunnels_of("ngrok/api_tunnels_addr_forms.json", 80).unwrap(), "https://a.ngrok.app");
        // Two lead to this port; which one must not depend on the agent's order.
        assert_eq!(tunnels_of("ngrok/api_tunnels_addr_forms.json", 8080).unwrap(), "https://b.ngrok.app");
        let mut list: Value = serde_json::from_str(&text("ngrok/api_tunnels_addr_forms.json")).unwrap();
        list["tunnels"].as_array_mut().unwrap().reverse();
        let reversed = vec![sample(404, NOT_FOUND), answer(200, &list.to_string())];
        assert_eq!(asked(reversed, &[8080]).0.unwrap(), "https://b.ngrok.app");
        let error = tunnels_of("ngrok/api_tunnels_addr_forms.json", 3000).unwrap_err().0;
        assert!(error.starts_with("ngrok has 3 https tunnels, and none leads to port 3000: https://a.ngrok.app → "));
        assert!(error.contains("https://c.ngrok.app → 127.0.0.1:8080; start `ngrok http 3000`"), "{error}");
    }

    #[test]
    fn every_form_of_our_address_is_known() {
        for ours in [
            "localhost:3000",
            "http://localhost:3000",
            "https://LOCALHOST:3000/",
            "127.0.0.1:3000",
            "127.0.0.2:3000",
            "http://[::1]:3000",
            "0.0.0.0:3000",
            "http://[::]:3000/x",
            "3000",
        ] {
            assert!(leads_here(ours, &[80, 3000]), "{ours}");
            assert!(!leads_here(ours, &[80, 3001]), "{ours}");
        }
        for (ours, port) in [("http://localhost", 80), ("https://127.0.0.1", 443), ("[::1]", 80)] {
            assert!(leads_here(ours, &[port]) && !leads_here(ours, &[81]), "{ours}");
        }
        for other in ["", "10.0.0.7:3000", "http://other:3000", "localhost:x", "file:///srv", "localhost:99999"] {
            assert!(!leads_here(other, &[80, 3000]), "{other}");
        }
    }

    #[test]
    fn an_agent_that_is_just_starting_is_asked_again_for_some_seconds() {
        let empty = || sample(200, "ngrok/api_tunnels_empty.json");
        let tunnels = || sample(200, "ngrok/api_tunnels_v2.json");
        let old = || sample(404, NOT_FOUND);
        let outcomes = vec![refused(), old(), empty(), old(), empty(), old(), tunnels()];
        assert_eq!(asked(outcomes, &[3000]).0.unwrap(), "https://0d52ccd9.ngrok.io");
        // Never so: it says what to start, after a bounded time.
        let waited = Cell::new(Duration::ZERO);
        let pause = |time| {
            waited.set(waited.get() + time);
            true
        };
        let upstream = Recorded::always(refused());
        let error = public_url(AGENT, &[3000], &upstream, &pause).unwrap_err().0;
        assert!(
            error.starts_with("the ngrok agent at http://127.0.0.1:4040: ") && error.contains("refused"),
            "{error}"
        );
        assert!(error.contains("; start `ngrok http 3000`, or say with ngrok = "), "{error}");
        assert!((2..10).contains(&waited.get().as_secs()), "{waited:?}");
        let upstream = Recorded::always(answer(200, "{\"endpoints\":[]}"));
        let error = public_url(AGENT, &[3000], &upstream, &|_| true).unwrap_err().0;
        assert!(error.contains(": it has no tunnel; start `ngrok http 3000`"), "{error}");
    }

    #[test]
    fn waiting_for_an_agent_ends_when_the_daemon_does() {
        let upstream = Recorded::always(refused());
        public_url(AGENT, &[3000], &upstream, &|_| false).unwrap_err();
        assert_eq!(upstream.calls().len(), 1);
    }

    #[test]
    fn what_is_no_agent_is_told_and_never_taken() {
        for (status, body) in [(200, "<html>"), (500, "{}"), (200, "{\"endpoints\":7}"), (200, "{}")] {
            let error = asked(vec![answer(status, body)], &[3000]).0.unwrap_err().0;
            assert!(error.contains("not as an ngrok agent does"), "{error}");
        }
        let odd = r#"{"endpoints":[7,{"url":"https://a b"},{"url":null},{"url":"https://"},{"url":"tcp://x:1"}]}"#;
        let error = asked(vec![answer(200, odd)], &[3000]).0.unwrap_err().0;
        assert_eq!(error, "ngrok has no https tunnel; start `ngrok http 3000`");
    }
}
