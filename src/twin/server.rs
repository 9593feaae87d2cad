//! The port of a house: a thread for each connection, on loopback only.
//!
//!     /NAME/…           the API of the twin of that name, so http://127.0.0.1:PORT/page stands for Graph's address
//!     GET /ledger       what was sent and told, as JSON; /ledger?twin=page for one twin
//!     POST /act         {"twin": "page", "act": {"say": {"conversation": "…", "text": "…"}}}; "acts" for a batch
//!                       {"twin": "roof", "deed": "revoke"} for what happens at an upstream
//!     everything else   whatever else lives on this port: the chat page
//!
//! A browser on this machine visits other people's pages, too, and those must reach nothing here: the request has to
//! name the loopback as its host (a name of theirs could lead here), and to come from no other origin.
//! Threads wait in `read`, and end when the server is dropped. Never here: what a twin answers.

use super::asked::Asked;
use super::courier::is_loopback;
use super::house::{Answered, House};
use crate::http::{Connection, HttpDate, Step, Wait};
use crate::limits;
use crate::model::{Head, Method, Refusal, Request, Response, Span};
use crate::notation::shelf::Shelf;
use serde_json::json;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What else is served; nothing of a path that it does not know.
pub type Extra = Box<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

/// A listening house. It stops when this is dropped.
pub struct Server {
    address: SocketAddr,
    door: Arc<Door>,
    accepting: Option<JoinHandle<()>>,
}

struct Door {
    house: Arc<House>,
    extra: Extra,
    streams: Mutex<Streams>,
}

/// The connections, so that they can be ended from outside.
#[derive(Default)]
struct Streams {
    open: Shelf<u64, TcpStream>,
    accepted: u64,
    closed: bool,
}

impl Server {
    /// Listens on `address`, serves the house there, and starts its couriers.
    pub fn open(address: SocketAddr, house: Arc<House>, extra: Extra) -> io::Result<Server> {
        if !address.ip().is_loopback() {
            let why = format!(
                "{address} can be reached from outside, and a twin believes whoever calls; write 127.0.0.1:{}",
                address.port()
            );
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        house.open()?;
        let door = Arc::new(Door { house, extra, streams: Mutex::default() });
        let accepts = Arc::clone(&door);
        let accepting =
            thread::Builder::new().name("twin-accept".to_owned()).spawn(move || accept(&accepts, &listener));
        match accepting {
            Ok(accepting) => Ok(Server { address, door, accepting: Some(accepting) }),
            Err(error) => {
                door.house.close();
                Err(error)
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of a twin's API.
    pub fn api(&self, twin: &str) -> String {
        format!("http://{}/{twin}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.door.house.close();
        let mut streams = self.door.lock();
        streams.closed = true;
        for stream in streams.open.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(streams);
        // Whoever waits for a connection gets one, and sees that there will be no more. Couriers are not waited for:
        // each may be in a call that takes as long as the bot does.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            let _ = accepting.join();
        }
    }
}

fn accept(door: &Arc<Door>, listener: &TcpListener) {
    loop {
        let accepted = listener.accept();
        if door.lock().closed {
            return;
        }
        match accepted {
            Ok((stream, _)) => door.admit(stream),
            Err(error) => {
                log::warn!("the twins' port took no connection: {error}");
                thread::sleep(limits::ACCEPT_REST);
            }
        }
    }
}

impl Door {
    /// Gives a connection its thread, while there are not too many.
    fn admit(self: &Arc<Door>, stream: TcpStream) {
        let Ok(kept) = stream.try_clone() else { return };
        let mut streams = self.lock();
        if streams.open.len() >= limits::TWIN_CONNECTIONS_MAX {
            drop(streams);
            refuse_connection(stream);
            return;
        }
        streams.accepted += 1;
        let number = streams.accepted;
        streams.open.insert(number, kept);
        drop(streams);
        let door = Arc::clone(self);
        let serve = move || {
            if let Err(error) = (Talk { door: &door, stream, http: Connection::new(), drained: 0 }).run() {
                log::trace!("a connection to the twins broke: {error}");
            }
            door.lock().open.remove(&number);
        };
        if let Err(error) = thread::Builder::new().name("twin".to_owned()).spawn(serve) {
            log::warn!("the twins' port has no thread for another connection: {error}");
            self.lock().open.remove(&number);
        }
    }

    /// Looks at a head before its body is kept.
    fn gate(head: &Head) -> Result<(), Refusal> {
        let text = |name| head.header(name).map(|value| std::str::from_utf8(value).unwrap_or_default());
        let host = text("host").unwrap_or_default();
        if !is_loopback(host) {
            return Err(Refusal::new(421, "this port answers to 127.0.0.1 and localhost only"));
        }
        let own = |origin: &str| origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host));
        // A person is led to a login from elsewhere; its page gives nothing, and its answer has to come from itself.
        let led = head.method == Method::Get
            && text("sec-fetch-mode") == Some("navigate")
            && head.path().ends_with("/dialog/oauth");
        let from_elsewhere = text("origin").is_some_and(|origin| !own(origin))
            || text("sec-fetch-site").is_some_and(|site| !led && !matches!(site, "same-origin" | "none"));
        match from_elsewhere {
            true => Err(Refusal::new(403, "this port takes no requests from other people's pages")),
            false => Ok(()),
        }
    }

    fn answer(&self, request: Request) -> Answered {
        let path = request.head.path();
        match (path, request.head.method) {
            ("/ledger", Method::Get | Method::Head) => return Answered::With(self.ledger(&request)),
            ("/act", Method::Post) => return Answered::With(self.act(&request)),
            ("/ledger", _) => return Answered::With(not_allowed("GET")),
            ("/act", _) => return Answered::With(not_allowed("POST")),
            _ => {}
        }
        let name = path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
        let nothing = || Response::text(404, "nothing lives here\n");
        if !self.house.has(&name) {
            return Answered::With((self.extra)(&request).unwrap_or_else(nothing));
        }
        let called = below(request, name.len() + 1).and_then(|request| self.house.call(&name, &request));
        called.unwrap_or_else(|| Answered::With(nothing()))
    }

    fn ledger(&self, request: &Request) -> Response {
        let twin = request.head.query().split('&').find_map(|pair| pair.strip_prefix("twin="));
        match serde_json::to_vec(&self.house.ledger(twin)) {
            Ok(body) => Response::json(200, body).with("Cache-Control", "no-store"),
            Err(error) => Response::text(500, format!("the ledger cannot be written: {error}\n")),
        }
    }

    fn act(&self, request: &Request) -> Response {
        let asked = match Asked::read(&request.body) {
            Ok(asked) => asked,
            Err(error) => return Response::text(400, format!("this is no act: {error}\n")),
        };
        let done = match (&asked.act, &*asked.acts, &asked.deed) {
            (Some(act), [], None) => self.house.act(&asked.twin, act),
            (None, acts @ [_, ..], None) => self.house.batch(&asked.twin, acts),
            (None, [], Some(deed)) => self.house.deed(&asked.twin, deed).map(|()| Vec::new()),
            _ => Err("write one of \"act\", \"acts\" and \"deed\"".to_owned()),
        };
        match done {
            Ok(numbers) => Response::json(200, json!({ "dispatches": numbers }).to_string().into_bytes()),
            Err(why) => Response::text(400, format!("{why}\n")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same request with a path that is shorter by so many bytes at its front.
fn below(mut request: Request, bytes: usize) -> Option<Request> {
    let Span { start, end } = request.head.target;
    let start = u16::try_from(bytes).ok().and_then(|bytes| start.checked_add(bytes)).filter(|start| *start <= end)?;
    request.head.target = Span { start, end };
    Some(request)
}

fn not_allowed(allow: &'static str) -> Response {
    Response::text(405, format!("this address takes {allow} only\n")).with("Allow", allow)
}

fn refuse_connection(mut stream: TcpStream) {
    let text = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n";
    let _ = stream.set_write_timeout(Some(Duration::from_millis(100)));
    let _ = stream.write_all(text.as_bytes());
}

/// One connection and its thread.
struct Talk<'a> {
    door: &'a Door,
    stream: TcpStream,
    http: Connection,
    /// Bytes that came after the last answer.
    drained: usize,
}

impl Talk<'_> {
    fn run(mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        self.stream.set_write_timeout(Some(limits::WRITE_TIME))?;
        let mut scratch = vec![0; limits::TWIN_READ_BYTES];
        let (mut waits_for, mut since) = (Wait::Idle, Instant::now());
        loop {
            match self.http.next(Door::gate) {
                Step::Close(_) => return Ok(()),
                Step::Refuse(refusal) => self.http.refuse(&refusal, &self.date()),
                Step::Request(request) => match self.door.answer(request) {
                    Answered::With(response) => self.http.respond(&response, &self.date()),
                    Answered::Cut => return self.stream.shutdown(Shutdown::Both),
                },
                Step::NeedBytes => {
                    self.write()?;
                    let wait = self.http.wait();
                    // A body that grows is the same wait as before.
                    if std::mem::discriminant(&wait) != std::mem::discriminant(&waits_for) || wait == Wait::Idle {
                        (waits_for, since) = (wait, Instant::now());
                    }
                    if !self.read(&mut scratch, patience(wait).saturating_sub(since.elapsed()))? {
                        return Ok(());
                    }
                }
            }
            self.write()?;
        }
    }

    /// Reads once. False when there is nothing more to wait for.
    fn read(&mut self, scratch: &mut [u8], patience: Duration) -> io::Result<bool> {
        if patience.is_zero() {
            return Ok(false);
        }
        self.stream.set_read_timeout(Some(patience))?;
        match self.stream.read(scratch) {
            Ok(0) => self.http.receive_end(),
            Ok(count) => {
                if self.http.wait() == Wait::Drain {
                    self.drained += count;
                }
                self.http.receive(scratch.get(..count).unwrap_or_default());
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(self.drained <= limits::DRAIN_BYTES_MAX)
    }

    fn write(&mut self) -> io::Result<()> {
        let count = self.http.unsent().len();
        if count == 0 {
            return Ok(());
        }
        self.stream.write_all(self.http.unsent())?;
        self.http.sent(count);
        if self.http.wait() == Wait::Drain {
            self.stream.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    fn date(&self) -> HttpDate {
        HttpDate::of((self.door.house.clock)())
    }
}

/// How long a connection may wait for its next bytes.
fn patience(wait: Wait) -> Duration {
    match wait {
        Wait::Idle => limits::IDLE_TIME,
        Wait::Head => limits::HEAD_TIME,
        Wait::Body { .. } => limits::BODY_TIME_MAX,
        Wait::Answer | Wait::Write => limits::WRITE_TIME,
        Wait::Drain | Wait::Closed => limits::DRAIN_TIME,
    }
}
