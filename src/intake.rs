//! Request → verdict: which channel is meant, may it come in, what is in it.
//!
//!     gate   head    → go on, or a refusal      path, method, a signature there at all: before a body byte is kept
//!     read   request → verdict                  the platform verifies and reads
//!
//! There are two doors. The public one leads to the channels; the control socket leads to orders of the operator,
//! and only the user who runs ackd can open it.
//!
//! Never here: sockets, the store, waiting. It decides; the loop and the keeper do.

use crate::limits;
use crate::model::{
    Arrival, ChannelNumber, EventId, EventKey, Head, Method, Order, Purpose, Refusal, Reply, Request, Response,
};
use crate::platform::{Platform, Reading, Unsayable};
use serde::Deserialize;
use std::sync::Arc;

/// Which listener a request came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Public,
    Control,
}

/// What to do with a request.
#[derive(Debug)]
pub enum Verdict {
    /// Say this.
    Answer(Response),
    /// Keep these, then say `response`.
    Admit { channel: ChannelNumber, arrivals: Vec<Arrival>, response: Response },
    /// Ask the keeper to do this, and say what it says.
    Ask(Order),
}

/// One channel as the intake sees it.
pub struct Route {
    pub channel: ChannelNumber,
    pub name: String,
    pub path: String,
    pub platform: Arc<dyn Platform>,
}

/// All that can be asked for.
pub struct Intake {
    routes: Vec<Route>,
    /// Whether the store can be written, for `/readyz`.
    ready: Box<dyn Fn() -> bool>,
}

impl Intake {
    /// An intake with these channels.
    pub fn new(routes: Vec<Route>, ready: Box<dyn Fn() -> bool>) -> Intake {
        Intake { routes, ready }
    }

    /// Looks at a head before any of its body is kept.
    pub fn gate(&self, door: Door, head: &Head) -> Result<(), Refusal> {
        if door == Door::Control {
            return control_gate(head);
        }
        if head.method == Method::Options && head.target() == "*" {
            return Ok(());
        }
        let route = self.route(head)?;
        if head.method == Method::Options { Ok(()) } else { route.platform.gate(head) }
    }

    /// Reads a whole request.
    pub fn read(&self, door: Door, request: &Request) -> Result<Verdict, Refusal> {
        if door == Door::Control {
            return self.control(request);
        }
        if request.head.method == Method::Options {
            return Ok(Verdict::Answer(Response::text(204, "").with("Allow", "GET, HEAD, POST, OPTIONS")));
        }
        let route = self.route(&request.head)?;
        Ok(match route.platform.read(request)? {
            Reading::Answer(response) => Verdict::Answer(response),
            Reading::Events { arrivals, response, notes } => {
                for note in notes {
                    log::info!("channel {}: {}", route.name, note.escape_debug());
                }
                if arrivals.is_empty() {
                    Verdict::Answer(response)
                } else {
                    Verdict::Admit { channel: route.channel, arrivals, response }
                }
            }
        })
    }

    fn route(&self, head: &Head) -> Result<&Route, Refusal> {
        let path = head.path();
        let route = self.routes.iter().find(|route| route.path == path);
        route.ok_or_else(|| Refusal::new(404, "there is nothing at this path"))
    }

    fn control(&self, request: &Request) -> Result<Verdict, Refusal> {
        match request.head.path() {
            "/readyz" if (self.ready)() => Ok(Verdict::Answer(Response::text(200, "ready\n"))),
            "/readyz" => Err(Refusal::new(503, "not ready: the store cannot be written")),
            "/send" => self.send(&request.body).map(Verdict::Ask),
            _ => self.replay(&request.body).map(Verdict::Ask),
        }
    }

    fn named(&self, channel: &str) -> Result<&Route, Refusal> {
        let route = self.routes.iter().find(|route| route.name == channel);
        route.ok_or_else(|| {
            let names: Vec<_> = self.routes.iter().map(|route| route.name.as_str()).collect();
            Refusal::new(404, format!("there is no channel {channel:?}; there is {}", names.join(", ")))
        })
    }

    fn send(&self, body: &[u8]) -> Result<Order, Refusal> {
        let order: SendOrder = parse(body)?;
        let route = self.named(&order.channel)?;
        let reply = Reply { purpose: Purpose::Push, ..Reply::text(order.to, order.text) };
        let unsayable = |Unsayable(why): Unsayable| Refusal::new(422, format!("this cannot be said: {why}"));
        let replies = route.platform.fit(reply).map_err(unsayable)?;
        Ok(Order::Send { channel: route.channel, id: order.id, replies })
    }

    fn replay(&self, body: &[u8]) -> Result<Order, Refusal> {
        let order: ReplayOrder = parse(body)?;
        if order.events.len() > limits::REPLAY_EVENTS_MAX {
            return Err(Refusal::new(413, format!("more than {} events at once", limits::REPLAY_EVENTS_MAX)));
        }
        let mut events = Vec::with_capacity(order.events.len());
        for name in order.events {
            let id: EventId = name.parse().map_err(|why: String| Refusal::new(400, why))?;
            events.push((EventKey::new(self.named(&id.channel)?.channel, id.place), id.part));
        }
        Ok(Order::Replay { events })
    }
}

fn control_gate(head: &Head) -> Result<(), Refusal> {
    let (allowed, allow) = match head.path() {
        "/readyz" => (matches!(head.method, Method::Get | Method::Head), "GET, HEAD"),
        "/send" | "/replay" => (head.method == Method::Post, "POST"),
        _ => return Err(Refusal::new(404, "there is nothing at this path")),
    };
    if allowed {
        return Ok(());
    }
    Err(Refusal { allow: Some(allow), ..Refusal::new(405, format!("this path wants {allow}")) })
}

/// What `ackd send` says over the control socket.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendOrder {
    channel: String,
    to: String,
    text: String,
    id: String,
}

/// What `ackd replay` says over the control socket.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplayOrder {
    events: Vec<String>,
}

/// What became of an order, for the command that asked: `{"lines":["page-18 kept"]}`.
pub fn told(lines: &[String]) -> Response {
    let body = serde_json::json!({ "lines": lines }).to_string();
    Response::json(200, body.into_bytes())
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new(400, format!("this is not the JSON I expect: {error}")))
}
