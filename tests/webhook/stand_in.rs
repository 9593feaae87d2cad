//! Stand-ins over a real socket: Webex's webhooks, Graph's subscribed_apps, the agent of ngrok. Each refuses what the
//! real one would, and keeps what it was told.

use crate::{sample, words};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A call as it came.
pub struct Call {
    pub method: String,
    pub path: String,
    pub query: String,
    pub token: String,
    pub json: bool,
    pub body: Vec<u8>,
}

/// Status, further headers, body.
pub type Answer = (u16, String, Value);

pub trait Side: Send + 'static {
    fn answer(&mut self, call: &Call, base: &str) -> Answer;
}

/// One side, listening until it is dropped.
pub struct StandIn<S> {
    address: SocketAddr,
    side: Arc<Mutex<S>>,
    ended: Arc<Mutex<bool>>,
}

impl<S: Side> StandIn<S> {
    pub fn start(side: S) -> StandIn<S> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (side, ended) = (Arc::new(Mutex::new(side)), Arc::new(Mutex::new(false)));
        let (inner, over) = (Arc::clone(&side), Arc::clone(&ended));
        thread::spawn(move || {
            for stream in listener.incoming().map(Result::unwrap) {
                if *over.lock().unwrap() {
                    return;
                }
                let side = Arc::clone(&inner);
                thread::spawn(move || serve(stream, &side, address));
            }
        });
        StandIn { address, side, ended }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn look<T>(&self, look: impl FnOnce(&mut S) -> T) -> T {
        look(&mut self.side.lock().unwrap())
    }
}

impl<S> Drop for StandIn<S> {
    fn drop(&mut self) {
        *self.ended.lock().unwrap() = true;
        // Wakes the listener, which then goes away; afterwards nobody answers here.
        let _ = TcpStream::connect(self.address);
        while TcpListener::bind(self.address).is_err() {
            thread::yield_now();
        }
    }
}

/// One call on each connection.
fn serve<S: Side>(stream: TcpStream, side: &Mutex<S>, address: SocketAddr) {
    let mut stream = BufReader::new(stream);
    let Some(call) = read(&mut stream) else { return };
    let (status, headers, body) = side.lock().unwrap().answer(&call, &format!("http://{address}"));
    let body = if status == 204 { String::new() } else { body.to_string() };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}");
    let _ = stream.get_mut().write_all(head.as_bytes());
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Call> {
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let (mut token, mut length, mut json) = (String::new(), 0, false);
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => token = value.trim_start_matches("Bearer ").to_owned(),
            "content-length" => length = value.parse().unwrap(),
            "content-type" => json = value == "application/json",
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Call { method, path: path.to_owned(), query: query.to_owned(), token, json, body })
}

/// Webex's webhooks (webex.md §4), two on a page.
pub struct Webex {
    token: String,
    next: u32,
    pub webhooks: Vec<Value>,
    /// What the real one would have refused.
    pub wrongs: Vec<String>,
}

impl Webex {
    pub fn new(token: &str) -> Webex {
        Webex { token: token.to_owned(), next: 1, webhooks: Vec::new(), wrongs: Vec::new() }
    }

    /// A webhook that is simply there.
    pub fn add(&mut self, name: &str, target: &str, resource: &str) -> Value {
        self.next += 1;
        let webhook = json!({
            "id": format!("Y2lz{}", self.next), "name": name, "targetUrl": target, "resource": resource,
            "event": "created", "orgId": "o", "createdBy": "c", "appId": "a", "ownedBy": "creator",
            "status": "active", "created": "2025-11-20T09:00:00.000Z",
        });
        self.webhooks.push(webhook.clone());
        webhook
    }

    fn wrong(&mut self, what: &str) -> Answer {
        self.wrongs.push(what.to_owned());
        (400, String::new(), words(what))
    }

    fn list(&self, query: &str, base: &str) -> Answer {
        let from: usize = query.split('&').find_map(|part| part.strip_prefix("cursor=")?.parse().ok()).unwrap_or(0);
        let page: Vec<_> = self.webhooks.iter().skip(from).take(2).cloned().collect();
        let more = from + 2 < self.webhooks.len();
        let link = format!("Link: <{base}/v1/webhooks?cursor={}&max=null>; rel=\"next\"\r\n", from + 2);
        (200, if more { link } else { String::new() }, json!({ "items": page }))
    }

    fn create(&mut self, body: &Value) -> Answer {
        let [Some(name), Some(target), Some(resource), Some("created")] =
            ["name", "targetUrl", "resource", "event"].map(|member| body[member].as_str())
        else {
            return self.wrong("a member is missing");
        };
        let same = |there: &Value| there["resource"] == resource && there["targetUrl"] == target;
        if self.webhooks.iter().any(same) {
            return (409, String::new(), sample("webex/error_409_webhook_exists.json"));
        }
        self.add(name, target, resource);
        let last = self.webhooks.last_mut().unwrap();
        last["secret"] = body["secret"].clone();
        (200, String::new(), last.clone())
    }

    fn update(&mut self, at: usize, body: &Value) -> Answer {
        if body["name"].is_null()
            || body["targetUrl"].is_null()
            || !matches!(body["status"].as_str(), None | Some("active"))
        {
            return self.wrong("name and targetUrl are needed, and only active can be set");
        }
        for member in ["name", "targetUrl", "secret", "status"] {
            if !body[member].is_null() {
                self.webhooks[at][member] = body[member].clone();
            }
        }
        (200, String::new(), self.webhooks[at].clone())
    }
}

impl Side for Webex {
    fn answer(&mut self, call: &Call, base: &str) -> Answer {
        if call.token != self.token {
            return (401, String::new(), sample("webex/error_401.json"));
        }
        if call.query.contains("null") {
            return self.wrong("max=null");
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        if ["POST", "PUT"].contains(&call.method.as_str()) && !(call.json && body.is_object()) {
            return self.wrong("no JSON");
        }
        let id = call.path.strip_prefix("/v1/webhooks/");
        let at = id.and_then(|id| self.webhooks.iter().position(|webhook| webhook["id"] == id));
        match (call.method.as_str(), call.path.as_str(), at) {
            ("GET", "/v1/webhooks", _) => self.list(&call.query, base),
            ("POST", "/v1/webhooks", _) => self.create(&body),
            ("PUT", _, Some(at)) => self.update(at, &body),
            ("DELETE", _, Some(at)) => {
                self.webhooks.remove(at);
                (204, String::new(), Value::Null)
            }
            ("PUT" | "DELETE", _, None) => (404, String::new(), words("there is no such webhook")),
            _ => self.wrong(&format!("{} {}", call.method, call.path)),
        }
    }
}

/// Graph's side of one page (messenger.md §10).
pub struct Graph {
    pub token: String,
    /// What our app hears of the page; `None` when it is not subscribed.
    pub fields: Option<String>,
    pub calls: usize,
    pub wrongs: Vec<String>,
}

impl Graph {
    pub fn new(token: &str) -> Graph {
        Graph { token: token.to_owned(), fields: None, calls: 0, wrongs: Vec::new() }
    }
}

impl Side for Graph {
    fn answer(&mut self, call: &Call, _: &str) -> Answer {
        self.calls += 1;
        if call.token != self.token {
            return (400, String::new(), sample("messenger/error_190_463_expired.json"));
        }
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/v25.0/me/subscribed_apps") => {
                let app = |fields: &String| {
                    let fields: Vec<_> = fields.split("%2C").collect();
                    json!({ "category": "Business", "name": "ackd", "id": "482915736608214", "subscribed_fields": fields })
                };
                (200, String::new(), json!({ "data": self.fields.iter().map(app).collect::<Vec<_>>() }))
            }
            ("POST", "/v25.0/me/subscribed_apps") => {
                self.fields = call.query.strip_prefix("subscribed_fields=").map(str::to_owned);
                (200, String::new(), json!({ "success": self.fields.is_some() }))
            }
            ("DELETE", "/v25.0/me/subscribed_apps") => {
                self.fields = None;
                (200, String::new(), json!({ "success": true }))
            }
            _ => {
                self.wrongs.push(format!("{} {}", call.method, call.path));
                (404, String::new(), json!({ "error": { "message": "Unknown path", "code": 2500 } }))
            }
        }
    }
}

/// The agent of ngrok: what it answers on its two paths, if it knows them.
pub struct Agent {
    endpoints: Option<Value>,
    tunnels: Value,
}

pub fn agent_v2() -> Agent {
    Agent { endpoints: None, tunnels: sample("ngrok/api_tunnels_v2.json") }
}

pub fn agent_v3() -> Agent {
    let endpoints = sample("ngrok/api_endpoints_v3.json");
    Agent { endpoints: Some(endpoints), tunnels: sample("ngrok/api_tunnels_v3.json") }
}

impl Side for Agent {
    fn answer(&mut self, call: &Call, _: &str) -> Answer {
        let found = match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/api/endpoints") => self.endpoints.clone(),
            ("GET", "/api/tunnels") => Some(self.tunnels.clone()),
            _ => None,
        };
        found
            .map_or_else(|| (404, String::new(), sample("ngrok/api_not_found.json")), |body| (200, String::new(), body))
    }
}
