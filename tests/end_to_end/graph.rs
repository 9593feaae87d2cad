//! A stand-in of Graph's Send API: as strict as the real one, it keeps a ledger, and it fails when told to.
//!
//!     plan ──▶ what a call meets: an answer, a delay, a hold, a lost answer      (first in, first met)
//!     ledger ──▶ what was accepted, every call, every word that the real one would not take
//!
//! A message is accepted the moment its request has been read, whatever becomes of the answer. Nobody sleeps to wait
//! for something here: `wait` sleeps on a condition that every change of the ledger signals.

use crate::shared::address::own_loopback;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

pub use crate::shared::PATIENCE;

/// Where the API begins, behind the stand-in's address.
const VERSION: &str = "/v25.0";
const TEXT_CHARACTERS_MAX: usize = 2000;
const METADATA_CHARACTERS_MAX: usize = 999;

/// An answer of the stand-in.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Closes the connection afterwards.
    leave: bool,
}

impl Answer {
    /// An answer with this body, whatever it is.
    pub fn new(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, headers: Vec::new(), body: body.into(), leave: false }
    }

    /// The body of a file among the fixtures, for example `error_2_service`.
    pub fn sample(status: u16, name: &str) -> Answer {
        Answer::new(status, String::from_utf8(crate::fixture(&format!("{name}.json"))).unwrap())
    }

    /// The same with one more header.
    pub fn with(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What a call meets.
#[derive(Clone, Debug)]
pub enum Act {
    /// The message is not accepted; this is said instead.
    Refuse(Answer),
    /// The message is accepted, and the answer takes its time.
    Slow(Duration),
    /// The message is accepted, and the answer waits for `release`.
    Hold,
    /// The message is accepted, and the connection closes without an answer.
    Lose,
    /// The message is accepted and answered, and then the connection closes without a word of it before.
    Leave,
}

/// A message that was accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub to: String,
    pub text: String,
    pub metadata: String,
    pub token: String,
    pub message_id: String,
    pub at: Instant,
}

/// A call, whatever came of it.
#[derive(Clone, Debug)]
pub struct Call {
    pub to: String,
    pub at: Instant,
}

/// What is to happen to calls for `to` (or all), so many times.
#[derive(Clone, Debug)]
struct Planned {
    number: u64,
    to: Option<String>,
    left: usize,
    act: Act,
}

/// All that the stand-in saw.
#[derive(Debug, Default)]
pub struct Ledger {
    pub accepted: Vec<Accepted>,
    pub calls: Vec<Call>,
    /// Every text that was accepted.
    pub texts: HashSet<String>,
    /// What the real one would have refused: faults of whoever called.
    pub wrongs: Vec<String>,
    /// Messages whose answer is on hold.
    pub held: usize,
    plan: Vec<Planned>,
    planned: u64,
    tokens: HashSet<String>,
    refusing: bool,
    closed: bool,
    listening: bool,
    streams: HashMap<u64, TcpStream>,
}

impl Ledger {
    /// What was accepted for one person, in order.
    pub fn texts_to(&self, to: &str) -> Vec<&str> {
        self.accepted.iter().filter(|message| message.to == to).map(|message| message.text.as_str()).collect()
    }

    /// The texts of the messages that `count`, with the parts of one answer put together again: parts of one event
    /// have tags that differ in their last number only.
    pub fn answers(&self, count: impl Fn(&Accepted) -> bool) -> Vec<String> {
        let mut answers: Vec<(String, String)> = Vec::new();
        for message in self.accepted.iter().filter(|message| count(message)) {
            let event = message.metadata.rsplit_once('.').map_or("", |(event, _)| event);
            match answers.last_mut() {
                Some((last, text)) if last == event => text.push_str(&message.text),
                _ => answers.push((event.to_owned(), message.text.clone())),
            }
        }
        answers.into_iter().map(|(_, text)| text).collect()
    }

    /// When calls for one person came.
    pub fn calls_to(&self, to: &str) -> Vec<Instant> {
        self.calls.iter().filter(|call| call.to == to).map(|call| call.at).collect()
    }

    fn next_act(&mut self, to: &str, after: u64) -> Option<(u64, Act)> {
        let meets = |planned: &&mut Planned| {
            planned.number > after && planned.left > 0 && planned.to.as_deref().is_none_or(|only| only == to)
        };
        let planned = self.plan.iter_mut().find(meets)?;
        planned.left -= 1;
        Some((planned.number, planned.act.clone()))
    }

    fn summary(&self) -> String {
        let mut text = format!("{} accepted, {} calls, {} held\n", self.accepted.len(), self.calls.len(), self.held);
        for message in self.accepted.iter().rev().take(20).rev() {
            let start: String = message.text.chars().take(40).collect();
            let _ = writeln!(text, "    to {}: {start:?} ({})", message.to, message.metadata);
        }
        text
    }
}

struct Shared {
    address: SocketAddr,
    ledger: Mutex<Ledger>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Ledger> {
        // A test that failed while it looked must not hide behind poison.
        self.ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The stand-in, listening until dropped.
pub struct Graph {
    shared: Arc<Shared>,
}

impl Graph {
    /// Starts one that accepts these page tokens.
    pub fn start(tokens: &[&str]) -> Graph {
        let listener = TcpListener::bind((own_loopback(), 0)).unwrap();
        let tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
        let ledger = Ledger { tokens, listening: true, ..Ledger::default() };
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { address, ledger: Mutex::new(ledger), changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || serve(&serving, listener));
        Graph { shared }
    }

    /// What `api` is to be in the configuration.
    pub fn api(&self) -> String {
        format!("http://{}{VERSION}", self.shared.address)
    }

    /// What calls for `to` (or for anybody) meet, `times` times. Plans are met in the order in which they were made;
    /// a `Slow` or a `Hold` goes on to the next one.
    pub fn plan<'a>(&self, to: impl Into<Option<&'a str>>, times: usize, act: Act) {
        let mut ledger = self.shared.lock();
        ledger.planned += 1;
        let (number, to) = (ledger.planned, to.into().map(str::to_owned));
        ledger.plan.push(Planned { number, to, left: times, act });
    }

    /// Forgets all plans: what is on hold is answered, and everything goes well from now on.
    pub fn heal(&self) {
        self.shared.lock().plan.clear();
        self.shared.changed.notify_all();
    }

    /// Answers what is on hold for `to`, and holds nothing more for it.
    pub fn release(&self, to: &str) {
        let mut ledger = self.shared.lock();
        ledger.plan.retain(|planned| !(matches!(planned.act, Act::Hold) && planned.to.as_deref() == Some(to)));
        drop(ledger);
        self.shared.changed.notify_all();
    }

    /// Gives the page other tokens: any other is refused from now on.
    pub fn set_tokens(&self, tokens: &[&str]) {
        self.shared.lock().tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
    }

    /// Goes away: connections are closed and new ones refused. Nothing may be under way.
    pub fn go_away(&self) {
        let mut ledger = self.shared.lock();
        ledger.refusing = true;
        for stream in ledger.streams.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(ledger);
        // Whoever waits for a connection gets one, and sees that it is to go.
        drop(TcpStream::connect(self.shared.address));
        self.wait("the stand-in is gone", |ledger| !ledger.listening && ledger.streams.is_empty());
    }

    /// Listens again, at the same address.
    pub fn come_back(&self) {
        self.shared.lock().refusing = false;
        self.shared.changed.notify_all();
        self.wait("the stand-in is back", |ledger| ledger.listening);
    }

    /// Waits until `until` is true of the ledger.
    pub fn wait(&self, what: &str, until: impl Fn(&Ledger) -> bool) {
        let ledger = self.shared.lock();
        let (ledger, timeout) =
            self.shared.changed.wait_timeout_while(ledger, PATIENCE, |ledger| !until(ledger)).unwrap();
        assert!(!timeout.timed_out(), "not within {PATIENCE:?}: {what}; the stand-in saw {}", ledger.summary());
    }

    /// Waits until so many messages were accepted for `to`.
    pub fn wait_for(&self, to: &str, count: usize) {
        self.wait(&format!("{count} messages to {to}"), |ledger| ledger.texts_to(to).len() >= count);
    }

    /// Waits until nobody is connected any more: whatever a dead caller had sent has been read.
    pub fn wait_disconnected(&self) {
        self.wait("every connection has ended", |ledger| ledger.streams.is_empty());
    }

    /// Looks at the ledger.
    pub fn look<T>(&self, at: impl FnOnce(&Ledger) -> T) -> T {
        at(&self.shared.lock())
    }

    /// When calls for one person came.
    pub fn calls_to(&self, to: &str) -> Vec<Instant> {
        self.look(|ledger| ledger.calls_to(to))
    }

    /// What was accepted for one person, in order.
    pub fn texts_to(&self, to: &str) -> Vec<String> {
        self.look(|ledger| ledger.texts_to(to).into_iter().map(str::to_owned).collect())
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        let mut ledger = self.shared.lock();
        ledger.closed = true;
        ledger.plan.clear();
        for stream in ledger.streams.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(ledger);
        self.shared.changed.notify_all();
        drop(TcpStream::connect(self.shared.address));
    }
}

/// Accepts connections; goes away and comes back as the ledger says.
fn serve(shared: &Arc<Shared>, listener: TcpListener) {
    let mut listener = Some(listener);
    for number in 0.. {
        let Some(listening) = &listener else { return };
        let accepted = listening.accept();
        let mut ledger = shared.lock();
        if ledger.refusing && !ledger.closed {
            drop(listener.take());
            ledger.listening = false;
            shared.changed.notify_all();
            ledger = shared.changed.wait_while(ledger, |ledger| ledger.refusing && !ledger.closed).unwrap();
            // Nobody else can have taken the port: the address is our own.
            listener = Some(TcpListener::bind(shared.address).unwrap());
            ledger.listening = true;
            shared.changed.notify_all();
        } else if let Ok((stream, _)) = accepted
            && !ledger.closed
        {
            ledger.streams.insert(number, stream.try_clone().unwrap());
            let serving = Arc::clone(shared);
            thread::spawn(move || {
                // A connection that breaks off is the caller's business; what it asked is in the ledger.
                let _ = converse(&serving, stream);
                serving.lock().streams.remove(&number);
                serving.changed.notify_all();
            });
        }
        if ledger.closed {
            return;
        }
    }
}

/// A request as it came.
struct Asked {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

fn converse(shared: &Shared, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(asked) = read(&mut reader)? {
        let Some(answer) = answer(shared, &asked) else { break };
        let mut text = format!("HTTP/1.1 {} Whatever\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
        if !answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Content-Type")) {
            text.push_str("Content-Type: application/json; charset=UTF-8\r\n");
        }
        for (name, value) in &answer.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        writer.write_all(format!("{text}\r\n{}", answer.body).as_bytes())?;
        if answer.leave {
            break;
        }
    }
    writer.shutdown(Shutdown::Both)
}

fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut asked = Asked { line: line.trim_end().to_owned(), headers: Vec::new(), body: Vec::new() };
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        asked.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = asked.header("Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0);
    asked.body = vec![0; length];
    reader.read_exact(&mut asked.body)?;
    Ok(Some(asked))
}

/// A message as Graph understands it.
struct Message {
    to: String,
    text: String,
    metadata: String,
    token: String,
}

/// The answer to one call; `None` when the connection is to close instead.
fn answer(shared: &Shared, asked: &Asked) -> Option<Answer> {
    let at = Instant::now();
    let message = match understand(shared, asked) {
        Ok(message) => message,
        Err(answer) => return Some(answer),
    };
    let mut ledger = shared.lock();
    ledger.calls.push(Call { to: message.to.clone(), at });
    let mut message_id = None;
    let (mut met, mut leave) = (0, false);
    loop {
        let next = ledger.next_act(&message.to, met);
        if let Some((_, Act::Refuse(answer))) = next {
            shared.changed.notify_all();
            return Some(answer);
        }
        message_id.get_or_insert_with(|| accept(&mut ledger, &message));
        shared.changed.notify_all();
        let Some((number, act)) = next else { break };
        met = number;
        match act {
            Act::Slow(wait) => {
                drop(ledger);
                thread::sleep(wait);
                ledger = shared.lock();
            }
            Act::Hold => {
                ledger.held += 1;
                shared.changed.notify_all();
                let held = |ledger: &mut Ledger| ledger.plan.iter().any(|planned| planned.number == number);
                ledger = shared.changed.wait_while(ledger, held).unwrap();
                ledger.held -= 1;
                shared.changed.notify_all();
            }
            Act::Leave => leave = true,
            Act::Lose | Act::Refuse(_) => return None,
        }
    }
    let body = json!({ "recipient_id": message.to, "message_id": message_id });
    Some(Answer { leave, ..Answer::new(200, body.to_string()) })
}

fn accept(ledger: &mut Ledger, message: &Message) -> String {
    let message_id = format!("m_standin-{}", ledger.accepted.len());
    ledger.texts.insert(message.text.clone());
    ledger.accepted.push(Accepted {
        to: message.to.clone(),
        text: message.text.clone(),
        metadata: message.metadata.clone(),
        token: message.token.clone(),
        message_id: message_id.clone(),
        at: Instant::now(),
    });
    message_id
}

/// Checks a call as Graph does. A refusal goes into the ledger: nobody here should be refused unless planned.
fn understand(shared: &Shared, asked: &Asked) -> Result<Message, Answer> {
    let wrong = |status: u16, code: u32, words: &str| {
        shared.lock().wrongs.push(format!("{words}: {} {}", asked.line, String::from_utf8_lossy(&asked.body)));
        let error = json!({ "message": format!("(#{code}) {words}"), "type": "OAuthException", "code": code,
                            "fbtrace_id": "Astandin" });
        Err(Answer::new(status, json!({ "error": error }).to_string()))
    };
    let mut words = asked.line.split(' ');
    let (method, target, version) = (words.next(), words.next().unwrap_or_default(), words.next());
    let path = target.split('?').next().unwrap_or_default();
    if method != Some("POST") || version != Some("HTTP/1.1") || path != format!("{VERSION}/me/messages") {
        return wrong(404, 2500, "Unknown path components");
    }
    if asked.header("Host").is_none() || asked.header("Transfer-Encoding").is_some() {
        return wrong(400, 100, "no Host, or a body without its length");
    }
    let token = asked.header("Authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if !shared.lock().tokens.contains(token) {
        let error = json!({ "message": "Invalid OAuth access token - Cannot parse access token",
                            "type": "OAuthException", "code": 190, "fbtrace_id": "Astandin" });
        return Err(Answer::new(401, json!({ "error": error }).to_string()));
    }
    if asked.header("Content-Type").is_none_or(|kind| !kind.starts_with("application/json")) {
        return wrong(400, 100, "not JSON");
    }
    let Ok(body) = serde_json::from_slice::<Value>(&asked.body) else { return wrong(400, 100, "not JSON") };
    let known = ["recipient", "messaging_type", "message"];
    if body.as_object().is_none_or(|body| body.keys().any(|key| !known.contains(&key.as_str()))) {
        return wrong(400, 100, "a member that the Send API does not know");
    }
    if !["RESPONSE", "UPDATE"].contains(&body["messaging_type"].as_str().unwrap_or_default()) {
        return wrong(400, 100, "messaging_type is missing");
    }
    let to = body["recipient"]["id"].as_str().unwrap_or_default();
    if to.is_empty() || !to.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong(400, 100, "Param recipient[id] must be a valid ID string");
    }
    let text = body["message"]["text"].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return wrong(400, 100, "empty message");
    }
    if text.encode_utf16().count() > TEXT_CHARACTERS_MAX {
        return wrong(400, 100, "Length of param message[text] must be less than or equal to 2000");
    }
    let metadata = body["message"]["metadata"].as_str().unwrap_or_default();
    if metadata.chars().count() > METADATA_CHARACTERS_MAX {
        return wrong(400, 100, "Length of param message[metadata]");
    }
    let (to, text, metadata, token) = (to.to_owned(), text.to_owned(), metadata.to_owned(), token.to_owned());
    Ok(Message { to, text, metadata, token })
}
