//! A Graph API that is played over a real socket, a keeper that keeps in memory, and browsers: for tests of the login and
//! of what follows from it. What it answers is what graph.md shows.

use crate::keeper::{Letter, TOKENS};
use crate::model::visit::parameter;
use crate::model::{Claim, Facebook, Head, Host, Limit, Method, Moment, Page, Papers, Period, Request, Response};
use crate::model::{Framing, Secret, Span, Upstream, Visit};
use crate::notation::{hex, percent, unpercent_text};
use crate::work::clerk::{Hosts, receive};
use crate::work::login::{LOGINS, ticket_key};
use crate::work::pool::Tools;
use crate::work::session::Reception;
use crate::work::upstream::Upstreams;
use ring::hmac;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

/// 2027-01-15 08:00:00 UTC.
pub(in crate::work) const NOW: Moment = Moment(1_800_000_000_000);
pub(in crate::work) const DAY: i64 = 24 * 3_600_000;
/// In every secret, and in nothing else.
pub(in crate::work) const CANARY: &str = "canary";
const APP: &str = "482915736608214";
const SECRET: &str = "canary-app-secret";
pub(in crate::work) const PAGE: &str = "104455667788990";

thread_local! {
    static CLOCK: Cell<Moment> = const { Cell::new(NOW) };
}

/// The Graph API.
#[derive(Default)]
pub(in crate::work) struct Graph {
    pub(in crate::work) base: String,
    pub(in crate::work) redirect_uri: String,
    /// Codes that were not used yet.
    pub(in crate::work) codes: BTreeSet<String>,
    /// Consents so far; tokens have this number at their end.
    pub(in crate::work) given: u32,
    /// What every call of a path that holds this is answered.
    pub(in crate::work) instead: Option<(&'static str, u16, String)>,
    /// Tokens that it takes no more, with the subcode.
    pub(in crate::work) dead: BTreeMap<String, i64>,
    /// When tokens of persons end, and what they give access to, in seconds.
    pub(in crate::work) ends: (i64, i64),
    pub(in crate::work) scopes: Vec<&'static str>,
    /// Paths with their queries, as they came.
    pub(in crate::work) asked: Vec<String>,
}

impl Graph {
    fn answer(&mut self, target: &str) -> (u16, String) {
        self.asked.push(target.to_owned());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix("/v25.0").unwrap();
        let get = |name: &str| parameter(query, name).unwrap_or_default();
        if let Some((like, status, body)) = &self.instead
            && target.contains(like)
        {
            return (*status, body.clone());
        }
        let error = |code: i64, subcode: i64| {
            let message = format!("no {CANARY}, {}", get("access_token"));
            (400, format!("{{\"error\":{{\"message\":\"{message}\",\"code\":{code},\"error_subcode\":{subcode}}}}}"))
        };
        if path == "/oauth/access_token" {
            if get("client_id") != APP || get("client_secret") != SECRET {
                return error(101, 0);
            }
            if get("grant_type") == "fb_exchange_token" {
                assert_eq!(get("fb_exchange_token"), format!("canary-short-{}", self.given));
                let n = self.given;
                return (
                    200,
                    format!(
                        "{{\"access_token\":\"canary-long-{n}\",\"token_type\":\"bearer\",\"expires_in\":5184000}}"
                    ),
                );
            }
            if get("redirect_uri") != self.redirect_uri {
                return error(100, 36_008);
            }
            if !self.codes.remove(&get("code")) {
                return error(100, 36_009);
            }
            self.given += 1;
            let n = self.given;
            return (
                200,
                format!("{{\"access_token\":\"canary-short-{n}\",\"token_type\":\"bearer\",\"expires_in\":5183}}"),
            );
        }
        let token = get("access_token");
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        assert_eq!(get("appsecret_proof"), hex(hmac::sign(&key, token.as_bytes()).as_ref()), "{target}");
        if path == "/debug_token" {
            assert_eq!(token, format!("{APP}|{SECRET}"));
            return (200, self.looked_at(&get("input_token")));
        }
        if let Some(subcode) = self.dead.get(&token) {
            return error(190, *subcode);
        }
        match path {
            "/me/accounts" => (200, self.accounts(&get("after"), &token)),
            _ if path.starts_with(&format!("/{PAGE}")) => {
                assert_eq!(token, format!("canary-page-{}", self.given));
                (200, self.feed(&token))
            }
            _ => error(100, 33),
        }
    }

    fn looked_at(&self, token: &str) -> String {
        if let Some(subcode) = self.dead.get(token) {
            return format!(
                "{{\"data\":{{\"app_id\":\"{APP}\",\"is_valid\":false,\"error\":{{\"code\":190,\"subcode\":{subcode}}}}}}}"
            );
        }
        let (expires, access) = self.ends;
        let expires = if token.contains("page") { 0 } else { expires };
        let scopes: Vec<_> = self.scopes.iter().map(|scope| format!("{scope:?}")).collect();
        format!(
            "{{\"data\":{{\"app_id\":\"{APP}\",\"type\":\"USER\",\"is_valid\":true,\"expires_at\":{expires},\
             \"data_access_expires_at\":{access},\"scopes\":[{}],\"user_id\":\"1\"}}}}",
            scopes.join(",")
        )
    }

    /// A first page with none on it, and a second one (graph.md §1).
    fn accounts(&self, after: &str, token: &str) -> String {
        let base = &self.base;
        if after.is_empty() {
            let next = format!("{base}/me/accounts?fields=id&limit=100&access_token={token}&after=x%3D");
            return format!("{{\"data\":[],\"paging\":{{\"next\":\"{next}\"}}}}");
        }
        let n = self.given;
        format!(
            "{{\"data\":[{{\"access_token\":\"canary-page-{n}\",\"name\":\"Roof of <Ada>\",\"id\":\"{PAGE}\"}},\
             {{\"access_token\":\"canary-page-two-{n}\",\"name\":\"Two\",\"id\":\"222\"}},\
             {{\"name\":\"No token\",\"id\":\"333\"}}],\"paging\":{{\"cursors\":{{\"after\":\"y\"}}}}}}"
        )
    }

    fn feed(&self, token: &str) -> String {
        let base = &self.base;
        format!(
            "{{\"data\":[{{\"id\":\"{PAGE}_1\",\"message\":\"said {token} aloud\",\"access_token\":\"{token}\",\
             \"comments\":{{\"data\":[],\"paging\":{{\"next\":\"{base}/{PAGE}_1/comments?access%5Ftoken={token}&after=c\"}}}}}}],\
             \"paging\":{{\"next\":\"{base}/{PAGE}/feed?access_token={token}&fields=id%2Cmessage&appsecret_proof=abc&after=Y3Vy=|x\",\
             \"previous\":\"https://elsewhere.example/v25.0/{PAGE}/feed?access_token={token}\"}}}}"
        )
    }
}

fn serve(stream: TcpStream, graph: &Mutex<Graph>) {
    let mut stream = BufReader::new(stream);
    let head: Vec<String> = stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(target) = head.first().and_then(|line| line.split(' ').nth(1)) else { return };
    let (status, body) = graph.lock().unwrap().answer(target);
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.get_mut().write_all(answer.as_bytes());
}

/// What the keeper keeps.
#[derive(Default)]
pub(in crate::work) struct Shelf {
    pub(in crate::work) kept: BTreeMap<(String, String), (Vec<u8>, Option<Moment>)>,
    pub(in crate::work) now: Moment,
    /// After so many commits none succeeds.
    pub(in crate::work) commits_left: Option<u32>,
    pub(in crate::work) commits: u32,
    pub(in crate::work) paid: u32,
}

impl Shelf {
    fn take(&mut self, letter: Letter) {
        match letter {
            Letter::Recall { bot, key, answer } => {
                let found = self.kept.get(&(bot, key)).filter(|(_, expires)| expires.is_none_or(|end| self.now < end));
                answer.send(found.map(|(value, _)| value.clone())).unwrap();
            }
            Letter::Keep { write, answer } => {
                let takes = self.commits_left != Some(0);
                self.commits_left = self.commits_left.map(|left| left.saturating_sub(1));
                self.commits += 1;
                if takes {
                    match write.value {
                        Some(value) => drop(self.kept.insert((write.bot, write.key), (value, write.expires))),
                        None => drop(self.kept.remove(&(write.bot, write.key))),
                    }
                }
                answer.send(takes).unwrap();
            }
            Letter::Pay { answer, .. } => {
                self.paid += 1;
                answer.send(Ok(())).unwrap();
            }
            letter => panic!("{letter:?}"),
        }
    }
}

/// All of it together.
pub(in crate::work) struct House {
    pub(in crate::work) graph: Arc<Mutex<Graph>>,
    pub(in crate::work) shelf: Arc<Mutex<Shelf>>,
    pub(in crate::work) tools: Tools,
    reception: Reception,
}

/// Where a browser comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::work) enum Through {
    /// The admin listener, by this name.
    Admin(&'static str),
    Public,
}

impl House {
    /// One whose login is at the admin listener, or at the public door.
    pub(in crate::work) fn new(public: bool) -> House {
        CLOCK.set(NOW);
        let redirect_uri =
            if public { "https://bots.example.org/ackd/login/fb" } else { "http://localhost:3001/login/fb" };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/v25.0", listener.local_addr().unwrap());
        let graph = Graph {
            base: base.clone(),
            redirect_uri: redirect_uri.to_owned(),
            ends: (NOW.seconds() + 60 * 86_400, NOW.seconds() + 90 * 86_400),
            scopes: vec!["pages_show_list", "pages_read_engagement", "pages_read_user_content"],
            ..Graph::default()
        };
        let graph = Arc::new(Mutex::new(graph));
        let played = Arc::clone(&graph);
        thread::spawn(move || listener.incoming().for_each(|stream| serve(stream.unwrap(), &played)));
        let shelf = Arc::new(Mutex::new(Shelf { now: NOW, ..Shelf::default() }));
        let (keeper, letters) = channel();
        let keeping = Arc::clone(&shelf);
        thread::spawn(move || letters.iter().for_each(|letter| keeping.lock().unwrap().take(letter)));
        let facebook = Facebook {
            app_id: APP.to_owned(),
            app_secret: Secret::new(SECRET),
            dialog: "https://www.facebook.com/v25.0/dialog/oauth".to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            public_login: public,
        };
        let upstream = Upstream {
            name: "fb".to_owned(),
            kind: Some("facebook"),
            api: base,
            key: None,
            limits: vec![Limit { calls: 100, per: Period::Day }],
            papers: Some(Papers::Facebook(facebook)),
        };
        let (fetch, clock): (Arc<_>, fn() -> Moment) = (Arc::default(), || CLOCK.get());
        let upstreams = Arc::new(Upstreams::new(&[upstream], Arc::clone(&fetch), keeper.clone(), clock));
        let (channels, address, identity) = (Arc::default(), Arc::default(), String::new());
        let tools = Tools { channels, keeper, fetch, upstreams, address, identity, clock, chance: || 0 };
        House { graph, shelf, tools, reception: Reception::new().unwrap() }
    }

    /// The clock goes on.
    pub(in crate::work) fn wait(&self, milliseconds: i64) {
        CLOCK.set(Moment(CLOCK.get().0 + milliseconds));
        self.shelf.lock().unwrap().now = CLOCK.get();
    }

    /// A process that begins with what this one left.
    pub(in crate::work) fn restart(&mut self) {
        self.reception = Reception::new().unwrap();
        self.shelf.lock().unwrap().commits_left = None;
    }

    /// A link of `ackd login`.
    pub(in crate::work) fn ticket(&self) -> String {
        let ticket = crate::work::session::random().unwrap();
        let key = (LOGINS.to_owned(), ticket_key("fb", &ticket));
        let value = (b"{}".to_vec(), Some(Moment(CLOCK.get().0 + 600_000)));
        self.shelf.lock().unwrap().kept.insert(key, value);
        format!("/login/fb?ticket={ticket}")
    }

    /// A new code, as the dialog gives it to somebody who consents.
    pub(in crate::work) fn code(&self) -> String {
        let mut graph = self.graph.lock().unwrap();
        let code = format!("canary/code{}", graph.asked.len() + graph.codes.len());
        graph.codes.insert(code.clone());
        percent(&code)
    }

    /// What is kept of the consent.
    pub(in crate::work) fn consent(&self) -> Option<String> {
        let shelf = self.shelf.lock().unwrap();
        let kept = shelf.kept.get(&(TOKENS.to_owned(), "fb".to_owned()));
        kept.map(|(json, _)| String::from_utf8(json.clone()).unwrap())
    }

    /// How many codes were handed in.
    pub(in crate::work) fn exchanges(&self) -> usize {
        self.graph.lock().unwrap().asked.iter().filter(|target| target.contains("&code=")).count()
    }

    /// What Graph was asked since the last look.
    pub(in crate::work) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.graph.lock().unwrap().asked)
    }
}

/// A browser with its cookies.
#[derive(Clone, Default)]
pub(in crate::work) struct Browser {
    pub(in crate::work) jar: BTreeMap<String, String>,
    /// Further headers.
    pub(in crate::work) headers: Vec<(&'static str, String)>,
}

impl Browser {
    pub(in crate::work) fn get(&mut self, house: &House, through: Through, target: &str) -> Response {
        self.ask(house, through, Method::Get, target, "")
    }

    pub(in crate::work) fn ask(
        &mut self,
        house: &House,
        through: Through,
        method: Method,
        target: &str,
        body: &str,
    ) -> Response {
        let host = match through {
            Through::Admin(host) => host,
            Through::Public => "bots.example.org",
        };
        let mut headers = vec![("host", host.to_owned())];
        headers.extend(self.headers.clone());
        let cookies: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        headers.extend((!cookies.is_empty()).then(|| ("cookie", cookies.join("; "))));
        let request = Request { head: head(method, target, &headers), body: body.as_bytes().to_vec() };
        let path = request.head.path().strip_prefix("/login/fb").unwrap().to_owned();
        let (to, operator) = (Host::Login("fb".to_owned()), through != Through::Public);
        let claim = if operator { Claim::Inside } else { Claim::Unproven };
        let mut visit = Visit { to, claim, operator, guard: String::new(), path, request, renews: false };
        let page = receive(&Hosts::new(), &house.reception, &mut visit, &house.tools);
        let page = page.unwrap_or_else(|| Page::of(Response::text(404, "")));
        self.keep_cookies(&page.response);
        for (name, value) in &page.response.headers {
            // Cookies are secrets, and meant for this browser.
            assert!(*name == "Set-Cookie" || !value.contains(CANARY), "{name}: {value}");
        }
        let text = String::from_utf8_lossy(&page.response.body);
        assert!(!text.contains(CANARY), "{text}");
        page.response
    }

    fn keep_cookies(&mut self, response: &Response) {
        for (_, cookie) in response.headers.iter().filter(|(name, _)| *name == "Set-Cookie") {
            let (pair, rest) = cookie.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match rest.contains("Max-Age=0;") {
                true => drop(self.jar.remove(name)),
                false => drop(self.jar.insert(name.to_owned(), value.to_owned())),
            }
        }
    }

    /// Begins at the admin listener; the state.
    pub(in crate::work) fn begin(&mut self, house: &House) -> String {
        state(&self.get(house, INSIDE, "/login/fb"))
    }
}

pub(in crate::work) const INSIDE: Through = Through::Admin("localhost:3001");

/// The state that a browser was sent away with.
pub(in crate::work) fn state(response: &Response) -> String {
    let to = location(response).unwrap_or_else(|| panic!("{response:?}"));
    let state = to.split("&state=").nth(1).unwrap_or_else(|| panic!("{to}"));
    state.split('&').next().unwrap().to_owned()
}

pub(in crate::work) fn location(response: &Response) -> Option<&str> {
    response.headers.iter().find(|(name, _)| *name == "Location").map(|(_, value)| &**value)
}

pub(in crate::work) fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

/// A value between quotes behind `name`, in a page.
pub(in crate::work) fn field(page: &Response, name: &str) -> String {
    let text = text(page);
    let rest = text.split(&format!("name={name} value=\"")).nth(1).unwrap_or_else(|| panic!("{text}")).to_owned();
    unpercent_text(rest.split('"').next().unwrap(), false)
}

fn head(method: Method, target: &str, headers: &[(&str, String)]) -> Head {
    let mut text = target.as_bytes().to_vec();
    let mut span = |piece: &str| {
        let start = text.len() as u16;
        text.extend_from_slice(piece.as_bytes());
        Span { start, end: text.len() as u16 }
    };
    let headers: Box<[_]> = headers.iter().map(|(name, value)| (span(name), span(value))).collect();
    let target = Span { start: 0, end: target.len() as u16 };
    Head { method, text: text.into(), target, headers, framing: Framing::Empty }
}
