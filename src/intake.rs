//! Request → verdict: which channel is meant, may it come in, what is in it.
//!
//!     gate   head    → go on, or a refusal      path, method, a signature there at all: before a body byte is kept
//!     read   request → verdict                  the platform verifies and reads
//!
//! There are three doors. The public one leads to the channels; the control socket leads to orders of the operator,
//! and only the user who runs ackd can open it; the admin listener leads to pages for the operator's browser. The operator
//! may leave a word at the control socket and ask for it at the public door: whoever gets it has reached this very daemon.
//! It is told once, and to nobody who does not ask for it by its name.
//!
//! A picture that a bot made is shown at the public door to whoever knows its name. Pages that a bot makes have their
//! places at the public door and at the admin listener, the login at an upstream where its configuration says so.
//!
//! The operator's door on TCP may have a lock, which is looked at before anything else there: `intake/lock.rs`.
//!
//! Never here: sockets, the store, waiting. It decides; the loop and the keeper do.

mod inspected;
mod lock;

pub use lock::Lock;

use crate::inspector::PLACE;
use crate::limits;
use crate::model::visit::{leads_home, note, sheet};
use crate::model::{
    Arrival, ChannelNumber, Claim, EventKey, Framing, Head, Host, Method, Moment, Order, PictureName, Purpose, Refusal,
    Reply, Request, Response, Secret, Visit, named_events,
};
use crate::notation::html::escaped;
use crate::platform::{Platform, Reading, Unsayable};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

/// Which listener a request came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Public,
    Control,
    Admin,
    /// The same over a unix socket, where no browser comes in and only whoever may open it.
    AdminSocket,
    /// The public one, by somebody who speaks plain HTTP where TLS is spoken.
    Unencrypted,
}

impl Door {
    /// Whether it is the operator's door, however one comes to it.
    fn is_admin(self) -> bool {
        matches!(self, Door::Admin | Door::AdminSocket)
    }
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
    /// Find out whether all moves, and say so.
    Ready,
    /// Show all figures.
    Figures,
    /// Show those of the last hour.
    Hour,
    /// Read the configuration again, and say what that came to.
    Reload,
    /// Ask the keeper for this picture, and show it.
    Show(PictureName),
    /// Have a page made, and show it.
    Visit(Box<Visit>),
}

/// One channel as the intake sees it.
pub struct Route {
    pub channel: ChannelNumber,
    pub name: String,
    pub path: String,
    pub platform: Arc<dyn Platform>,
}

impl Route {
    /// A refusal of its platform's, with whose it is.
    fn says(&self, refusal: Refusal) -> Refusal {
        Refusal { channel: Some(self.channel), ..refusal }
    }
}

/// What a head shows that asks for what lies below a place, at this path: nothing for a stranger.
pub type Claims = Box<dyn Fn(&Head, &str) -> Option<Claim> + Send>;

/// Where the pages of one host lie.
pub struct Place {
    /// The path, and everything below it.
    pub path: String,
    pub host: Host,
    /// Whether it is there at the public door, too.
    pub public: bool,
    /// Who may ask for it there. To anybody else it is not there, and costs no look into the store.
    pub claims: Claims,
}

/// All that can be asked for.
pub struct Intake {
    routes: Vec<Route>,
    places: Vec<Place>,
    /// Of the operator's door.
    lock: Option<Lock>,
    /// What the operator left to be asked for at the public door.
    left: RefCell<Option<Word>>,
}

impl Intake {
    /// An intake with these channels.
    pub fn new(routes: Vec<Route>, places: Vec<Place>) -> Intake {
        Intake { routes, places, lock: None, left: RefCell::new(None) }
    }

    /// The same with a lock at the operator's door.
    pub fn locked(self, lock: Option<Lock>) -> Intake {
        Intake { lock, ..self }
    }

    /// Looks at a head before any of its body is kept.
    pub fn gate(&self, door: Door, head: &Head) -> Result<(), Refusal> {
        match door {
            Door::Control => return control_gate(head),
            Door::Unencrypted => {
                return Err(Refusal::new(400, "this port speaks TLS: write https:// before the address"));
            }
            Door::Public | Door::Admin | Door::AdminSocket => {}
        }
        if door == Door::Admin && !is_this_machine(head) {
            return Err(Refusal::new(421, "this is the operator's door: open it as http://127.0.0.1:PORT/"));
        }
        if let Some(lock) = self.lock(door)
            && lock.gate(head)?
        {
            return Ok(());
        }
        if door.is_admin() && watches(head).is_some() {
            return only(matches!(head.method, Method::Get | Method::Head), "GET, HEAD");
        }
        if let Some(below) = inspected::below_it(door, head) {
            return inspected::gate(below, head);
        }
        if let Some((place, _, claim)) = self.place(door, head) {
            // Who shows nothing for certain is not told either how one would have to ask.
            return page_gate(place, head)
                .map_err(|refusal| if claim == Claim::Unproven { nothing_here() } else { refusal });
        }
        if door.is_admin() {
            // A browser is shown a page.
            return if matches!(head.method, Method::Get | Method::Head) { Ok(()) } else { Err(nothing_here()) };
        }
        if head.method == Method::Options && head.target() == "*" {
            return Ok(());
        }
        if self.asks_for_word(head) || asks_for_picture(head).is_some() {
            return Ok(());
        }
        let route = self.route(head)?;
        if head.method == Method::Options { Ok(()) } else { route.platform.gate(head).map_err(|no| route.says(no)) }
    }

    /// Reads a whole request.
    pub fn read(&self, door: Door, request: &Request) -> Result<Verdict, Refusal> {
        if let Some(lock) = self.lock(door)
            && let Some(verdict) = lock.read(request)?
        {
            return Ok(verdict);
        }
        if matches!(door, Door::Control | Door::AdminSocket | Door::Admin)
            && let Some(verdict) = watches(&request.head)
        {
            return Ok(verdict);
        }
        if door == Door::Control {
            return self.control(request);
        }
        if let Some(below) = inspected::below_it(door, &request.head) {
            return inspected::read(below, request);
        }
        if let Some((place, path, claim)) = self.place(door, &request.head) {
            let (to, path, operator) = (place.host.clone(), path.to_owned(), claim == Claim::Inside);
            let (guard, request) = (String::new(), request.clone());
            return Ok(Verdict::Visit(Box::new(Visit { to, claim, operator, guard, path, request, renews: false })));
        }
        if door.is_admin() {
            return Ok(Verdict::Answer(self.front(door, request.head.path())));
        }
        if request.head.method == Method::Options {
            return Ok(Verdict::Answer(Response::text(204, "").with("Allow", "GET, HEAD, POST, OPTIONS")));
        }
        if self.asks_for_word(&request.head)
            && let Some(word) = self.left.take()
        {
            return Ok(Verdict::Answer(Response::text(200, word.say)));
        }
        if let Some(name) = asks_for_picture(&request.head) {
            return Ok(Verdict::Show(name));
        }
        let route = self.route(&request.head)?;
        Ok(match route.platform.read(request).map_err(|no| route.says(no))? {
            Reading::Answer(response) => Verdict::Answer(response),
            Reading::Events { arrivals, response, notes } => {
                for note in notes {
                    log::info!(channel = &*route.name; "channel {}: {}", route.name, note.escape_debug());
                }
                if arrivals.is_empty() {
                    Verdict::Answer(response)
                } else {
                    Verdict::Admit { channel: route.channel, arrivals, response }
                }
            }
        })
    }

    /// The place that a path lies in, with the path below it and what the visitor shows; nothing for strangers.
    fn place<'a>(&self, door: Door, head: &'a Head) -> Option<(&Place, &'a str, Claim)> {
        self.places.iter().find_map(|place| {
            let below = below(head.path(), &place.path)?;
            let claim = match door {
                Door::Admin | Door::AdminSocket => Some(Claim::Inside),
                _ if place.public => (place.claims)(head, below),
                _ => None,
            };
            claim.map(|claim| (place, below, claim))
        })
    }

    /// What the operator's door shows where nobody has a place: what there is.
    fn front(&self, door: Door, path: &str) -> Response {
        if path != "/" {
            return leads_home(note(404, "Nothing here", "There is no page at this address."));
        }
        let link = |place: &Place| {
            let path = escaped(&place.path);
            let (name, words, more) = match &place.host {
                Host::Bot(name) => (escaped(name), "What happened on your page this week", String::new()),
                Host::Login(name) => (
                    escaped(name),
                    "Log in at Facebook",
                    format!(" or see <a href=\"{path}/done\">what was granted</a>"),
                ),
                // It has a place of its own, above all others.
                Host::Inspector => return String::new(),
            };
            format!("<p><a href=\"{path}\">{words}</a>{more} <span class=dim>({name})</span></p>")
        };
        let links: String = self.places.iter().map(link).collect();
        let way_out = self.lock(door).map_or("", |_| lock::WAY_OUT);
        let all = format!("<p><a href=\"{PLACE}\">All events, and what became of them</a></p>{links}{way_out}");
        sheet(200, "ackd", &all)
    }

    /// The lock of a door. Whoever may open a unix socket is the operator already.
    fn lock(&self, door: Door) -> Option<&Lock> {
        self.lock.as_ref().filter(|_| door == Door::Admin)
    }

    fn asks_for_word(&self, head: &Head) -> bool {
        let asked = if head.method == Method::Get { head.path().strip_prefix(WORD_PATH) } else { None };
        asked.is_some_and(|asked| self.left.borrow().as_ref().is_some_and(|word| word.ask == asked))
    }

    /// Takes a word to be asked for; it takes the place of an earlier one.
    fn leave(&self, body: &[u8]) -> Result<Verdict, Refusal> {
        let word: Word = parse(body)?;
        let plain =
            |text: &str| (16..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain(&word.ask) || !plain(&word.say) {
            return Err(Refusal::new(400, "a word is 16 to 64 letters and digits"));
        }
        self.left.replace(Some(word));
        Ok(Verdict::Answer(told(&["left".to_owned()])))
    }

    fn route(&self, head: &Head) -> Result<&Route, Refusal> {
        let route = self.routes.iter().find(|route| head.is_at(&route.path));
        route.ok_or_else(nothing_here)
    }

    /// What a channel is called.
    pub fn name_of(&self, channel: ChannelNumber) -> Option<&str> {
        let route = self.routes.iter().find(|route| route.channel == channel);
        route.map(|route| &*route.name)
    }

    fn control(&self, request: &Request) -> Result<Verdict, Refusal> {
        match request.head.path() {
            "/send" => self.send(&request.body).map(Verdict::Ask),
            "/word" => self.leave(&request.body),
            "/remember" => remember(&request.body).map(Verdict::Ask),
            "/reload" => Ok(Verdict::Reload),
            "/resolve" => Ok(Verdict::Ask(Order::resolve(self.events(&request.body)?)?)),
            _ => Ok(Verdict::Ask(Order::Replay { events: self.events(&request.body)? })),
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

    /// The events that are named, for `/replay` and `/resolve`.
    fn events(&self, body: &[u8]) -> Result<Vec<(EventKey, Option<u32>)>, Refusal> {
        let order: ReplayOrder = parse(body)?;
        let names: Vec<_> = order.events.iter().map(String::as_str).collect();
        named_events(&names, &|channel| Ok(self.named(channel)?.channel))
    }
}

/// Whether there is such a bot is not asked: the configuration may be newer than this daemon.
fn remember(body: &[u8]) -> Result<Order, Refusal> {
    let RememberOrder { bot, key, value, expires } = parse(body)?;
    let value = value.get();
    if bot.len().max(key.len()) > limits::MEMORY_NAME_BYTES_MAX || value.len() > limits::MEMORY_VALUE_BYTES_MAX {
        return Err(Refusal::new(413, "this is too long to be remembered"));
    }
    Ok(Order::Remember { bot, key, value: Secret::new(value), expires })
}

fn control_gate(head: &Head) -> Result<(), Refusal> {
    match head.path() {
        _ if watches(head).is_some() => only(matches!(head.method, Method::Get | Method::Head), "GET, HEAD"),
        "/send" | "/replay" | "/resolve" | "/word" | "/remember" | "/reload" => {
            only(head.method == Method::Post, "POST")
        }
        _ => Err(nothing_here()),
    }
}

/// What whoever watches wants, at the operator's door or the control socket.
fn watches(head: &Head) -> Option<Verdict> {
    match head.path() {
        // Whoever hears this hears it from a loop that turns.
        "/healthz" => Some(Verdict::Answer(Response::text(200, "alive\n"))),
        "/readyz" => Some(Verdict::Ready),
        "/metrics" => Some(Verdict::Figures),
        _ => None,
    }
}

fn only(allowed: bool, allow: &'static str) -> Result<(), Refusal> {
    if allowed {
        return Ok(());
    }
    Err(Refusal { allow: Some(allow), ..Refusal::new(405, format!("this path wants {allow}")) })
}

/// Where a word that was left is asked for at the public door; its name follows.
pub const WORD_PATH: &str = "/.well-known/ackd/";

/// A word to be told once to whoever asks for it, as `ackd doctor` leaves it over the control socket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    ask: String,
    say: String,
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

/// What `ackd login` and `ackd solar invite` say over the control socket. The value is kept as the JSON that it is; what
/// it means, whoever recalls it knows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RememberOrder<'a> {
    bot: String,
    key: String,
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(default)]
    expires: Option<Moment>,
}

/// What `ackd replay` and `ackd resolve` say over the control socket.
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

/// Why an order was not carried out, for the command that asked: a line for each reason.
pub fn refused(lines: &[String]) -> Response {
    Response::text(422, lines.join("\n"))
}

/// What of a path lies below a place; nothing when it is another's.
fn below<'a>(path: &'a str, place: &str) -> Option<&'a str> {
    path.strip_prefix(place).filter(|below| below.is_empty() || below.starts_with('/'))
}

/// Whether a request names this machine as its host. A browser that somebody's page leads here by a name of their own
/// names that.
fn is_this_machine(head: &Head) -> bool {
    let Some(host) = head.header("host").and_then(|host| std::str::from_utf8(host).ok()) else { return false };
    let port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, end)| port(end)).map_or(host, |(name, _)| name);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Whether a body may be longer than so many bytes.
fn is_longer(head: &Head, bytes_max: u64) -> bool {
    match head.framing {
        Framing::Empty => false,
        Framing::Length(bytes) => bytes > bytes_max,
        Framing::Chunked => true,
    }
}

/// Whether it may be longer than a form is, whoever sends it.
fn is_long(head: &Head) -> bool {
    is_longer(head, limits::FORM_BYTES_MAX)
}

fn page_gate(place: &Place, head: &Head) -> Result<(), Refusal> {
    match head.method {
        Method::Get | Method::Head => Ok(()),
        Method::Post if is_long(head) => Err(Refusal::new(413, format!("a form at {} is short", place.path))),
        Method::Post => Ok(()),
        _ => Err(Refusal { allow: Some("GET, HEAD, POST"), ..Refusal::new(405, "pages are read by GET") }),
    }
}

/// The answer at every path that is not there, or not for whoever asks.
pub fn nothing_here() -> Refusal {
    Refusal::new(404, "there is nothing at this path")
}

/// The picture that is wanted. Whatever is not written exactly so is no path of ours.
fn asks_for_picture(head: &Head) -> Option<PictureName> {
    if matches!(head.method, Method::Get | Method::Head) { PictureName::of_path(head.path()) } else { None }
}

/// A picture; or the same answer as for any path that is not there, whether it was there once or never.
pub fn shown(gif: Option<Vec<u8>>) -> Response {
    let Some(gif) = gif else { return nothing_here().response() };
    let kept = format!("private, max-age={}", limits::PICTURE_CACHE_TIME.as_secs());
    let picture = Response { status: 200, content_type: "image/gif", headers: Vec::new(), body: Cow::Owned(gif) };
    picture
        .with("Cache-Control", kept)
        .with("X-Content-Type-Options", "nosniff")
        .with("Content-Security-Policy", "default-src 'none'")
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new(400, format!("this is not the JSON I expect: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    fn request(method: Method, target: &str, body: &str) -> Request {
        let (text, end) = (target.as_bytes().into(), target.len() as u16);
        let target = Span { start: 0, end };
        let head = Head { method, text, target, headers: Box::default(), framing: Framing::Empty };
        Request { head, body: body.as_bytes().to_vec() }
    }

    /// Status and body of what comes to a door.
    fn asked(intake: &Intake, door: Door, request: &Request) -> (u16, String) {
        let read = intake.gate(door, &request.head).and_then(|()| intake.read(door, request));
        match read {
            Ok(Verdict::Answer(response)) => (response.status, String::from_utf8_lossy(&response.body).into_owned()),
            Ok(verdict) => panic!("{verdict:?}"),
            Err(refusal) => (refusal.status, String::new()),
        }
    }

    #[test]
    fn a_word_that_was_left_is_told_once_to_whoever_asks_for_it() {
        let intake = Intake::new(Vec::new(), Vec::new());
        let (ask, say) = ("a".repeat(32), "b".repeat(32));
        let left = request(Method::Post, "/word", &format!(r#"{{"ask":"{ask}","say":"{say}"}}"#));
        let wanted = request(Method::Get, &format!("{WORD_PATH}{ask}"), "");
        assert_eq!(asked(&intake, Door::Public, &wanted).0, 404, "nothing was left");
        assert_eq!(asked(&intake, Door::Public, &left).0, 404, "nobody leaves a word from outside");
        assert_eq!(asked(&intake, Door::Control, &left).0, 200);
        for other in [format!("{WORD_PATH}{}", "c".repeat(32)), WORD_PATH.to_owned(), format!("{WORD_PATH}{ask}/")] {
            assert_eq!(asked(&intake, Door::Public, &request(Method::Get, &other, "")).0, 404, "{other}");
        }
        let post = request(Method::Post, &format!("{WORD_PATH}{ask}"), "");
        assert_eq!(asked(&intake, Door::Public, &post).0, 404);
        assert_eq!(asked(&intake, Door::Public, &wanted), (200, say));
        assert_eq!(asked(&intake, Door::Public, &wanted).0, 404, "it was told");
    }

    #[test]
    fn a_picture_is_asked_for_by_its_exact_name_only() {
        let intake = Intake::new(Vec::new(), Vec::new());
        let name = PictureName::new([7; 16]);
        for (method, target) in [(Method::Get, name.path()), (Method::Head, format!("{}?x=1", name.path()))] {
            let wanted = request(method, &target, "");
            intake.gate(Door::Public, &wanted.head).unwrap();
            assert!(matches!(intake.read(Door::Public, &wanted), Ok(Verdict::Show(asked)) if asked == name));
            assert_eq!(asked(&intake, Door::Control, &wanted).0, 404);
        }
        for (method, target) in [
            (Method::Post, name.path()),
            (Method::Options, name.path()),
            (Method::Get, name.path().replace(".gif", "")),
            (Method::Get, PictureName::PATH.to_owned()),
            (Method::Get, format!("{}../../x.gif", PictureName::PATH)),
        ] {
            assert_eq!(asked(&intake, Door::Public, &request(method, &target, "")).0, 404, "{method:?} {target}");
        }
    }

    #[test]
    fn a_picture_is_shown_as_nothing_else_and_to_nobody_else() {
        let response = shown(Some(b"gif".to_vec()));
        assert_eq!((response.status, response.content_type, &*response.body), (200, "image/gif", &b"gif"[..]));
        for (name, value) in [
            ("Cache-Control", "private, max-age=86400"),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", "default-src 'none'"),
        ] {
            assert!(response.headers.contains(&(name, value.into())), "{name}: {value}");
        }
        assert_eq!(shown(None), nothing_here().response());
    }

    fn with_pages() -> Intake {
        let place = |path: &str, public| {
            let host = Host::Bot(path.trim_start_matches('/').to_owned());
            let claims: Claims = Box::new(|head, below| match (below, head.query()) {
                ("/right", _) => Some(Claim::Link),
                (_, "may-be") => Some(Claim::Unproven),
                _ => None,
            });
            Place { path: path.to_owned(), host, public, claims }
        };
        Intake::new(Vec::new(), vec![place("/weekly", true), place("/login", false)])
    }

    /// A request with a host.
    fn visit(method: Method, target: &str, host: &str) -> Request {
        let text = format!("{target}host{host}");
        let span = |start: usize, end: usize| Span { start: start as u16, end: end as u16 };
        let (at, end) = (target.len(), target.len() + 4);
        let headers = vec![(span(at, end), span(end, text.len()))].into();
        let (text, target) = (text.into_bytes().into(), span(0, at));
        let head = Head { method, text, target, headers, framing: Framing::Empty };
        Request { head, body: Vec::new() }
    }

    /// To whom a request leads at a door, and to which path below that place; or the status of the refusal.
    fn led(door: Door, request: &Request) -> Result<(Host, bool, String), u16> {
        let intake = with_pages();
        match intake.gate(door, &request.head).and_then(|()| intake.read(door, request)) {
            Ok(Verdict::Visit(visit)) => Ok((visit.to, visit.operator, visit.path)),
            Ok(Verdict::Answer(page)) => Err(page.status),
            Ok(verdict) => panic!("{verdict:?}"),
            Err(refusal) => Err(refusal.status),
        }
    }

    #[test]
    fn a_page_lies_at_its_place_and_below_and_nowhere_else() {
        let here = "127.0.0.1:3001";
        for (door, target, host, expected) in [
            (Door::Public, "/weekly?may-be", "bots.example.org", Ok(("weekly", false, ""))),
            (Door::Public, "/weekly/right?format=json", "bots.example.org", Ok(("weekly", false, "/right"))),
            (Door::Public, "/weekly", "bots.example.org", Err(404)),
            (Door::Public, "/weekly/wrong?format=json", "bots.example.org", Err(404)),
            (Door::Public, "/login?may-be", "bots.example.org", Err(404)),
            (Door::Public, "/weeklyx", "bots.example.org", Err(404)),
            (Door::Public, "/login", "bots.example.org", Err(404)),
            (Door::Public, "/login/x", here, Err(404)),
            (Door::Admin, "/login/x", here, Ok(("login", true, "/x"))),
            (Door::Admin, "/weekly", here, Ok(("weekly", true, ""))),
            (Door::Admin, "/", here, Err(200)),
            (Door::Public, "/", here, Err(404)),
            (Door::Admin, "/send", here, Err(404)),
            (Door::Admin, WORD_PATH, here, Err(404)),
            (Door::Control, "/weekly", here, Err(404)),
        ] {
            let expected = expected.map(|(host, inside, path)| (Host::Bot(host.to_owned()), inside, path.to_owned()));
            assert_eq!(led(door, &visit(Method::Get, target, host)), expected, "{door:?} {target}");
        }
        for method in [Method::Put, Method::Delete, Method::Options] {
            assert_eq!(led(Door::Public, &visit(method, "/weekly/right", "x")), Err(405), "{method:?}");
        }
    }

    #[test]
    fn the_inspector_is_at_the_operators_door_before_all_other_places_and_nowhere_else() {
        let claims: Claims = Box::new(|_, _| Some(Claim::Link));
        let host = Host::Bot("events".to_owned());
        let place = Place { path: "/events/list".to_owned(), host: host.clone(), public: true, claims };
        let intake = Intake::new(Vec::new(), vec![place]);
        let led = |door, method, target: &str| {
            let asked = visit(method, target, "127.0.0.1");
            match intake.gate(door, &asked.head).and_then(|()| intake.read(door, &asked)) {
                Ok(Verdict::Visit(visit)) => Ok((visit.to, visit.operator, visit.path)),
                Ok(verdict) => panic!("{verdict:?}"),
                Err(refusal) => Err(refusal.status),
            }
        };
        for door in [Door::Admin, Door::AdminSocket] {
            let list = Ok((Host::Inspector, true, "/list".to_owned()));
            assert_eq!(led(door, Method::Get, "/events/list?find=x"), list);
            assert_eq!(led(door, Method::Head, "/events/list?find=x"), list);
            let replay = Ok((Host::Inspector, true, "/replay".to_owned()));
            assert_eq!(led(door, Method::Post, "/events/replay"), replay);
            for (method, target, status) in [
                (Method::Post, "/events/list", 405),
                (Method::Get, "/events/replay", 405),
                (Method::Put, "/events", 405),
                (Method::Get, "/events/list/x", 404),
            ] {
                assert_eq!(led(door, method, target), Err(status), "{method:?} {target}");
            }
            let hour = visit(Method::Get, "/events/hour", "127.0.0.1");
            assert!(matches!(intake.read(door, &hour), Ok(Verdict::Hour)));
        }
        assert_eq!(led(Door::Public, Method::Get, "/events/list"), Ok((host, false, String::new())));
        for door in [Door::Public, Door::Control] {
            for target in ["/events", "/events/page.js", "/events/life", "/events/hour", "/events/replay"] {
                for method in [Method::Get, Method::Post] {
                    assert_eq!(led(door, method, target), Err(404), "{door:?} {target}");
                }
            }
        }
        let mut long = visit(Method::Post, "/events/resolve", "127.0.0.1");
        for (framing, fits) in [
            (Framing::Length(limits::DECISION_BYTES_MAX), true),
            (Framing::Length(limits::DECISION_BYTES_MAX + 1), false),
            (Framing::Chunked, false),
        ] {
            long.head.framing = framing;
            assert_eq!(intake.gate(Door::Admin, &long.head).is_ok(), fits, "{framing:?}");
        }
    }

    #[test]
    fn what_is_kept_is_told_to_no_page_of_another_site_which_could_count_the_time_it_takes() {
        let intake = Intake::new(Vec::new(), Vec::new());
        let asked = |target: &str, name: &str, value: &str| {
            let mut connection = crate::http::Connection::new();
            let head = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:3001\r\n{name}: {value}\r\n\r\n");
            connection.receive(head.as_bytes());
            match connection.next(|head| intake.gate(Door::Admin, head)) {
                crate::http::Step::Refuse(refusal) => refusal.status,
                step => {
                    if matches!(step, crate::http::Step::Request(_)) {
                        200
                    } else {
                        panic!("{step:?}")
                    }
                }
            }
        };
        for (name, value, status) in [
            ("Sec-Fetch-Site", "cross-site", 403),
            ("Sec-Fetch-Site", "same-site", 403),
            ("Origin", "http://evil.example", 403),
            ("Sec-Fetch-Site", "same-origin", 200),
            ("Sec-Fetch-Site", "none", 200),
            ("User-Agent", "curl", 200),
        ] {
            for target in ["/events/list?find=word", "/events/life?id=page-1", "/events/hour"] {
                assert_eq!(asked(target, name, value), status, "{target} {name}: {value}");
            }
            assert_eq!(asked("/events", name, value), 200, "a link from elsewhere may lead to the page");
        }
    }

    #[test]
    fn to_strangers_a_place_is_as_a_path_that_is_not_there() {
        let intake = with_pages();
        let refused = |method, target: &str, framing| {
            let mut asked = visit(method, target, "x");
            asked.head.framing = framing;
            intake.gate(Door::Public, &asked.head).unwrap_err()
        };
        let long = Framing::Length(limits::FORM_BYTES_MAX + 1);
        for method in [Method::Get, Method::Head, Method::Post, Method::Put, Method::Delete, Method::Options] {
            let nowhere = refused(method, "/nowhere", Framing::Empty);
            for target in ["/weekly", "/weekly/", "/weekly/wrong", "/login", "/login/done"] {
                assert_eq!(refused(method, target, long), nowhere, "{method:?} {target}");
            }
        }
        // Whoever may be the operator, or may not.
        assert_eq!(refused(Method::Put, "/weekly?may-be", Framing::Empty), nothing_here());
        assert_eq!(refused(Method::Post, "/weekly?may-be", Framing::Chunked), nothing_here());
    }

    #[test]
    fn the_operators_door_is_opened_by_no_name_that_others_could_have_given_it() {
        for host in ["localhost", "LOCALHOST:3001", "127.0.0.1", "127.8.9.10:3001", "[::1]:3001", "[::1]"] {
            assert!(led(Door::Admin, &visit(Method::Get, "/weekly", host)).is_ok(), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:3001",
            "127.0.0.1.evil.example",
            "localhost.evil.example:3001",
            "10.0.0.1",
            "",
        ] {
            assert_eq!(led(Door::Admin, &visit(Method::Get, "/weekly", host)), Err(421), "{host}");
        }
        assert_eq!(led(Door::Admin, &request(Method::Get, "/weekly", "")), Err(421), "no host at all");
    }

    #[test]
    fn a_form_is_short() {
        for (framing, expected) in [
            (Framing::Length(limits::FORM_BYTES_MAX), None),
            (Framing::Length(limits::FORM_BYTES_MAX + 1), Some(413)),
            (Framing::Chunked, Some(413)),
        ] {
            let mut form = visit(Method::Post, "/weekly/right", "x");
            form.head.framing = framing;
            assert_eq!(led(Door::Public, &form).err(), expected, "{framing:?}");
        }
    }

    #[test]
    fn a_word_is_letters_and_digits_and_not_short() {
        let intake = Intake::new(Vec::new(), Vec::new());
        for (ask, say) in [("short", "0123456789abcdef"), ("0123456789abcdef", "<script>alert(1)</script>"), ("", "")] {
            let left = request(Method::Post, "/word", &format!(r#"{{"ask":"{ask}","say":"{say}"}}"#));
            assert_eq!(asked(&intake, Door::Control, &left).0, 400, "{ask} {say}");
        }
    }
}
