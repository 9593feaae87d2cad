//! A stand-in for Facebook's login and Graph API, as strict as the real one (graph.md, section by section).
//!
//!     /dialog/oauth            dialog.rs    a page for a person: allow or deny (§3)
//!     /oauth/access_token      papers.rs    codes and tokens; /debug_token says what is left of one
//!     /me/accounts, /PAGE/feed  feed.rs     pages and their posts (§5); groups as they once were, or gone (§4)
//!     posts.rs     what is posted, by seed and time        usage.rs   the app's limit in any hour (§6)
//!     refusal.rs   errors in Graph's words                  call.rs    a call taken apart, JSON put together
//!     settings.rs  what a stand-in is made of
//!
//! Both of Facebook's hosts are this one; a version stands before the path or does not. Pure: it is handed requests and
//! the time, and posts are a function of seed and time, so that last week can be told at any moment. Where Facebook is
//! not documented the code says what is assumed. What was used of the limit stands in `X-App-Usage`: it has no calendar's
//! period, so there is no meter. Never here: sending messages, which is `messenger/`.

mod call;
mod dialog;
mod feed;
mod papers;
mod posts;
mod refusal;
mod settings;
mod usage;

pub use settings::{Group, Page, Person, Settings};

use super::{Deed, Mishap, Reaction, Twin, seed_of};
use crate::model::{Method, Moment, Request, Response, Secret};
use call::{Call, Object, Turns, array, list};
use jiff::tz::TimeZone;
use papers::{Over, Papers, Token, Who};
use posts::Source;
use refusal::Refused;
use usage::Usage;

/// What somebody with every role may do on a page.
const TASKS: [&str; 6] = ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"];

/// What a page has in `/me/accounts`.
const ACCOUNT: [&str; 6] = ["access_token", "category", "category_list", "name", "id", "tasks"];

/// The stand-in.
pub struct Graph {
    settings: Settings,
    papers: Papers,
    usage: Usage,
    /// Failures of its own so far.
    broken: usize,
}

impl Graph {
    /// A Facebook on which nobody has let the app in yet.
    pub fn new(settings: Settings) -> Graph {
        let (papers, usage) = (Papers::new(&settings), Usage::new(settings.calls_per_hour));
        Graph { settings, papers, usage, broken: 0 }
    }

    /// Consent without a login: a person's token for a long time.
    pub fn person_token(&mut self, scopes: &[&'static str], now: Moment) -> Secret {
        Secret::new(self.papers.person_token(scopes.to_vec(), now, now, true))
    }

    /// The same for a page of its; `None` when there is no such page.
    pub fn page_token(&mut self, page: &str, scopes: &[&'static str], now: Moment) -> Option<Secret> {
        self.settings.pages.iter().find(|known| known.id == page && known.role)?;
        let person = self.papers.person_token(scopes.to_vec(), now, now, true);
        let person = self.papers.find(&person, now).ok()?.clone();
        Some(Secret::new(self.papers.page_token(&person, page, now)))
    }

    fn respond(&mut self, request: &Request, now: Moment) -> Response {
        let (version, path) = match call::path(request, now) {
            Ok(path) => path,
            Err(refused) => return self.told(Err(refused)),
        };
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let method = match request.head.method {
            Method::Get => "get",
            Method::Post => "post",
            Method::Delete => "delete",
            _ => "other",
        };
        match (path.as_slice(), method) {
            (["dialog", "oauth"], _) => dialog::answer(&self.settings, &mut self.papers, request, now),
            (["oauth", "access_token"], "get" | "post") => {
                let answer = self.papers.exchange(&call::parameters(request), now);
                self.told(answer).with("Cache-Control", "no-store")
            }
            (path, "get") => {
                let answer = self.read(path, version, request, now);
                self.told(answer).with("X-App-Usage", self.usage.header())
            }
            (path, method) => self.told(Err(Refused::no_object(method, path.first().unwrap_or(&"")))),
        }
    }

    fn told(&mut self, answer: Result<String, Refused>) -> Response {
        match answer {
            Ok(body) => Response::json(200, body.into_bytes()),
            Err(refused) => refused.response(&self.papers.trace()),
        }
    }

    /// What is read from the graph. What has no good token counts nowhere: nobody knows whose it is.
    fn read(&mut self, path: &[&str], version: u32, request: &Request, now: Moment) -> Result<String, Refused> {
        let base = self.settings.base.clone();
        let call = &Call::new(&base, version, request, now)?;
        let token = self.papers.admit(&call.token, &call.query, now)?;
        self.usage.take(now)?;
        if path == ["debug_token"] {
            return self.papers.debug(&call.query, &call.token, now);
        }
        if call.query.get("date_format").is_some() {
            return Err(Refused::parameter("Param date_format is not supported"));
        }
        let (id, edge) = path.split_first().unwrap_or((&"", &[]));
        let id = match (*id, &token) {
            ("me", Some(Token { who: Who::Person, .. })) => self.settings.person.id.clone(),
            ("me", Some(Token { who: Who::Page(id), .. })) => id.clone(),
            ("me", None) => {
                let why = "An active access token must be used to query information about the current user.";
                return Err(Refused::new(400, 2500, 0, why));
            }
            (id, _) => id.to_owned(),
        };
        if id == self.settings.person.id {
            return self.of_person(edge, call, token.filter(|token| token.who == Who::Person));
        }
        if self.settings.pages.iter().any(|page| page.id == id) {
            return self.of_page(&id, edge, call, token);
        }
        match (edge, token) {
            (["feed"], Some(Token { who: Who::Person, .. }))
                if self.settings.groups.iter().any(|group| group.id == id) =>
            {
                feed::of_group(call, &id, &self.source(&id, &TimeZone::UTC), self.settings.data_max)
            }
            _ => Err(Refused::no_object("get", &id)),
        }
    }

    fn of_person(&mut self, edge: &[&str], call: &Call, token: Option<Token>) -> Result<String, Refused> {
        let person = &self.settings.person;
        match (edge, token) {
            (_, None) => Err(Refused::no_object("get", &person.id)),
            ([], _) => node(call, &person.name, &person.id),
            (["accounts"], Some(token)) => self.accounts(call, &token),
            (["groups"], _) => self.groups(call),
            (edge, _) => Err(Refused::no_edge(&edge.join("/"))),
        }
    }

    /// The pages that the person has a role on, each with its token.
    fn accounts(&mut self, call: &Call, token: &Token) -> Result<String, Refused> {
        let fields = call.query.get("fields").map(|fields| fields.split(',').map(str::trim).collect::<Vec<_>>());
        if let Some(field) = fields.iter().flatten().find(|field| !ACCOUNT.contains(field)) {
            return Err(Refused::parameter(&format!(
                "Tried accessing nonexisting field ({field}) on node type (Page)"
            )));
        }
        let sees = token.scopes.contains(&"pages_show_list");
        let pages: Vec<&Page> = self.settings.pages.iter().filter(|page| page.role && sees).collect();
        let keys: Vec<u64> = (0..pages.len() as u64).collect();
        let cut = call.cut(&keys, &format!("{}/accounts", self.settings.person.id), Turns::Plain)?;
        let mut items = Vec::new();
        for page in pages.get(cut.range).unwrap_or_default() {
            let mut item = Object::new();
            for name in ACCOUNT {
                if fields.as_ref().is_some_and(|fields| name != "id" && !fields.contains(&name)) {
                    continue;
                }
                item = match name {
                    "access_token" => item.text(name, &self.papers.page_token(token, &page.id, call.now)),
                    "category" => item.text(name, &page.category.0),
                    "category_list" => {
                        let category = Object::new().text("id", &page.category.1).text("name", &page.category.0);
                        item.raw(name, array(&[category.end()]))
                    }
                    "name" => item.text(name, &page.name),
                    "id" => item.text(name, &page.id),
                    _ => item.raw(name, array(&TASKS.map(|task| format!("\"{task}\"")))),
                };
            }
            items.push(item.end());
        }
        Ok(list(&items, cut.paging))
    }

    /// Groups as they once were; today there is no such thing.
    fn groups(&self, call: &Call) -> Result<String, Refused> {
        let (groups, person) = (&self.settings.groups, &self.settings.person.id);
        if groups.is_empty() {
            return Err(Refused::no_object("get", person));
        }
        let keys: Vec<u64> = (0..groups.len() as u64).collect();
        let cut = call.cut(&keys, &format!("{person}/groups"), Turns::Once)?;
        let item = |group: &Group| {
            let item = Object::new().text("name", &group.name).text("id", &group.id);
            item.raw("administrator", group.administrator).end()
        };
        let items: Vec<String> = groups.get(cut.range).unwrap_or_default().iter().map(item).collect();
        Ok(list(&items, cut.paging))
    }

    /// A page's posts are for its own token. With any other one "Page Public Content Access" would be needed, which no app
    /// has from the start.
    fn of_page(&self, id: &str, edge: &[&str], call: &Call, token: Option<Token>) -> Result<String, Refused> {
        let page = self.settings.pages.iter().find(|page| page.id == id);
        let page = page.ok_or_else(|| Refused::no_object("get", id))?;
        match edge {
            [] => node(call, &page.name, id),
            [edge @ ("feed" | "posts" | "published_posts")] => {
                let token = token.filter(|token| token.who == Who::Page(id.to_owned()));
                let may = |scope: &str| token.as_ref().is_some_and(|token| token.scopes.contains(&scope));
                if !may("pages_read_engagement") {
                    return Err(Refused::permission("pages_read_engagement"));
                }
                // What visitors write is in the feed only.
                if *edge == "feed" && !may("pages_read_user_content") {
                    return Err(Refused::permission("pages_read_user_content"));
                }
                feed::of_page(call, page, &self.source(id, &page.zone), edge, &self.settings)
            }
            ["accounts" | "groups"] => {
                Err(Refused::parameter("Tried accessing nonexisting field (accounts) on node type (Page)"))
            }
            edge => Err(Refused::no_edge(&edge.join("/"))),
        }
    }

    fn source<'a>(&self, id: &str, zone: &'a TimeZone) -> Source<'a> {
        Source { seed: seed_of(self.settings.seed, id), zone }
    }
}

/// A name and an id: of a person, of a page.
fn node(call: &Call, name: &str, id: &str) -> Result<String, Refused> {
    let fields = call.query.get("fields").unwrap_or("name");
    if let Some(field) = fields.split(',').map(str::trim).find(|field| !matches!(*field, "name" | "id")) {
        return Err(Refused::parameter(&format!("Tried accessing nonexisting field ({field})")));
    }
    let node = Object::new();
    let node = if fields.contains("name") { node.text("name", name) } else { node };
    Ok(node.text("id", id).end())
}

impl Twin for Graph {
    fn platform(&self) -> &'static str {
        "graph"
    }

    fn answer(&mut self, request: &Request, now: Moment) -> Reaction {
        Reaction { response: self.respond(request, now), dispatches: Vec::new() }
    }

    /// A failure on purpose. Nothing was done, and nothing is counted. A token that meets its end so is good again later:
    /// only a person could get another one.
    fn meets(&mut self, mishap: Mishap, request: &Request, now: Moment) -> Response {
        let path = request.head.path();
        let is_login = path.ends_with("/oauth") || path.ends_with("/access_token");
        let call = Call::new("", 0, request, now).and_then(|call| self.papers.admit(&call.token, &call.query, now));
        let refused = match (mishap, call) {
            (Mishap::TokenExpired, Ok(Some(_))) if !is_login => Refused::expired(now, now),
            (Mishap::TokenExpired, _) => return self.respond(request, now),
            (Mishap::Busy { .. }, Ok(Some(Token { who: Who::Person, .. }))) => Refused::user_limit(),
            (Mishap::Busy { .. }, _) => Refused::app_limit(),
            (Mishap::Broken | Mishap::Unverified, _) => {
                self.broken = self.broken.wrapping_add(1);
                match self.broken % 3 {
                    1 => Refused::service(),
                    2 => Refused::unknown(),
                    // What stands between us and Facebook has no JSON.
                    _ => {
                        let page =
                            Response::text(503, "<html><body><h1>Sorry, something went wrong.</h1></body></html>");
                        return Response { content_type: "text/html", ..page };
                    }
                }
            }
        };
        let response = refused.response(&self.papers.trace());
        match mishap {
            Mishap::Busy { .. } => response.with("X-App-Usage", Usage::full()),
            _ => response,
        }
    }

    fn deed(&mut self, deed: &Deed, _now: Moment) -> Result<(), String> {
        let (source, role) = match deed {
            Deed::Revoke => {
                self.papers.end(None, Over::Consent);
                return Ok(());
            }
            Deed::Password => {
                self.papers.end(None, Over::Password);
                return Ok(());
            }
            Deed::Dismiss { source } => (source, false),
            Deed::Recover { source } => (source, true),
            Deed::Silence { .. } => return Err("no page here falls silent; it can be taken from the person".to_owned()),
        };
        let page = self.settings.pages.iter_mut().find(|page| page.id == *source);
        let page = page.ok_or_else(|| format!("there is no page {source:?}; write the id of one"))?;
        page.role = role;
        if !role {
            self.papers.end(Some(source), Over::Role);
        }
        Ok(())
    }
}
