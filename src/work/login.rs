//! The login at Facebook on a page of ours (graph.md §3), and what can go wrong with it on purpose.
//!
//!     /login/NAME ──▶ state and cookie ──▶ the dialog ──▶ /login/NAME?state&code ──▶ state forgotten ──▶ tokens
//!
//! The state is 128 random bits, of which only the hash is kept, with the hash of a cookie: it is good once, for ten
//! minutes, in the browser that was sent away with it. It is forgotten on the disk before the code is used, so a stop
//! between the two costs a login and opens no second one. Nothing in a request says where a browser is led: to the dialog,
//! or to the login's own pages, as configured.
//!
//! Whoever logs in puts their pages in place of those before, so not everybody may: at the public door it begins with
//! a ticket, which is good once. `ackd login` makes one, and so does the admin listener for whoever comes there.

#[cfg(test)]
mod tests;

use super::facebook::Custody;
use super::memo::{keep, recall};
use super::pool::Tools;
use super::session::{self, Guest, mark, random, set_cookie};
use crate::limits::{LOGIN_TIME, LOGINS_MAX};
use crate::model::visit::{cookies, guarded, note, parameter, sheet};
use crate::model::{Head, Method, Moment, Response, Upstream, Visit};
use crate::notation::html::escaped;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// Under which name logins that are under way are kept. No bot can be called so.
pub const LOGINS: &str = "upstream logins";
/// The parameter of a link that lets somebody begin.
const TICKET: &str = "ticket";
/// The cookie of a browser that was sent to the dialog. Over HTTPS it has a name that browsers take from this very host
/// alone, so that no neighbour below the same domain can set one beside it.
const COOKIE: &str = "ackd-login";
const COOKIE_OF_HOST: &str = "__Host-ackd-login-";

/// A login that is under way.
#[derive(Serialize, Deserialize)]
struct Pending {
    state: String,
    browser: String,
    until: Moment,
}

/// Where a ticket is kept: by its hash alone.
pub fn ticket_key(upstream: &str, ticket: &str) -> String {
    format!("{upstream} {}", mark(ticket))
}

/// The link by which whoever has this ticket begins.
pub fn ticket_link(redirect_uri: &str, ticket: &str) -> String {
    format!("{redirect_uri}?{TICKET}={ticket}")
}

/// Whether whoever sends this may have begun a login, or has a ticket for one; only the store knows.
pub fn may_begin(head: &Head, below: &str) -> bool {
    let query = head.query();
    below.is_empty()
        && matches!(head.method, Method::Get | Method::Head)
        && (is_return(query) || parameter(query, TICKET).is_some())
}

/// One visit of the login of one upstream.
pub(super) struct Desk<'a> {
    pub(super) custody: &'a Custody,
    pub(super) visit: &'a Visit,
    pub(super) guest: &'a Guest,
    pub(super) tools: &'a Tools,
}

impl Desk<'_> {
    /// The page that is wanted. To strangers there is nothing but the way in, and no step of it that they can only guess.
    pub(super) fn page(&self) -> Option<Response> {
        let head = &self.visit.request.head;
        if !self.guest.is_operator() && !may_begin(head, &self.visit.path) {
            return None;
        }
        Some(match (self.visit.path.as_str(), head.method) {
            ("", Method::Get) if is_return(head.query()) => self.come_back(head),
            ("", Method::Get) => self.begin(head),
            // Whoever only looks whether there is something uses nothing up.
            ("", Method::Head) => note(200, "Login", "A login begins here."),
            ("/done", Method::Get | Method::Head) => self.done(),
            ("/out", Method::Post) => self.log_out(),
            _ => return None,
        })
    }

    /// Sends a browser to the dialog, if it may begin a login.
    fn begin(&self, head: &Head) -> Response {
        let facebook = &self.custody.facebook;
        let inside = *self.guest == Guest::Inside;
        if inside && head.header("sec-fetch-site").is_some_and(|site| site != b"same-origin" && site != b"none") {
            return self.question();
        }
        if !facebook.public_login {
            // The cookie must be of the host that is come back to.
            return match is_at(head, &facebook.redirect_uri) {
                true => self.send_away(),
                false => led(&facebook.redirect_uri),
            };
        }
        if inside {
            let Some(ticket) = random() else { return not_now() };
            let expires = Some((self.tools.clock)().after(LOGIN_TIME));
            let key = ticket_key(self.custody.name(), &ticket);
            return match keep(&self.tools.keeper, LOGINS, &key, Some(b"{}".to_vec()), expires) {
                true => led(&ticket_link(&facebook.redirect_uri, &ticket)),
                false => not_now(),
            };
        }
        match self.has_ticket(head) {
            Ok(true) => self.send_away(),
            Ok(false) => sheet(403, "This needs a link", &self.how()),
            Err(response) => response,
        }
    }

    /// How a login begins: at the operator's door by a link, elsewhere by one that a command shows.
    fn how(&self) -> String {
        let name = escaped(self.custody.name());
        match self.guest {
            Guest::Inside => format!("<p><a href=\"{}\">Log in at Facebook</a></p>", Upstream::login_path(&name)),
            Guest::Session(_) | Guest::Stranger => {
                format!(
                    "<p>A login begins with the link that ackd login {name} shows. It is good once, for ten minutes.</p>"
                )
            }
        }
    }

    /// A sentence, and how to begin a login after it.
    fn again(&self, status: u16, title: &str, text: &str) -> Response {
        sheet(status, title, &format!("<p>{}</p>{}", escaped(text), self.how()))
    }

    /// Somebody else's page led here: a person shall say that they want it.
    fn question(&self) -> Response {
        self.again(200, "Log in at Facebook?", "Another page led you here. Do you want to log in?")
    }

    /// Whether the link's ticket was good; it is used up then, on the disk.
    fn has_ticket(&self, head: &Head) -> Result<bool, Response> {
        let Some(ticket) = parameter(head.query(), TICKET) else { return Ok(false) };
        let key = ticket_key(self.custody.name(), &ticket);
        match recall(&self.tools.keeper, LOGINS, &key) {
            Ok(Some(_)) if keep(&self.tools.keeper, LOGINS, &key, None, None) => Ok(true),
            Ok(Some(_)) | Err(_) => Err(not_now()),
            Ok(None) => Ok(false),
        }
    }

    /// Remembers a new state, and leads to the dialog with it.
    fn send_away(&self) -> Response {
        let (Some(state), Some(browser)) = (random(), random()) else { return not_now() };
        let now = (self.tools.clock)();
        let Ok(mut pending) = self.pending(now) else { return not_now() };
        let surplus = (pending.len() + 1).saturating_sub(LOGINS_MAX);
        pending.drain(..surplus);
        pending.push(Pending { state: mark(&state), browser: mark(&browser), until: now.after(LOGIN_TIME) });
        if !self.put(&pending, now) {
            return not_now();
        }
        self.mark_browser(led(&self.custody.dialog(&state)), &browser, LOGIN_TIME.as_secs())
    }

    /// The answer with a browser's cookie.
    fn mark_browser(&self, response: Response, value: &str, seconds: u64) -> Response {
        let (name, path) = self.cookie();
        response.with("Set-Cookie", set_cookie(&name, value, path, seconds, self.is_secure()))
    }

    /// The name and path of a browser's cookie. What is of the whole host has the login's name in its own.
    fn cookie(&self) -> (String, &str) {
        match self.is_secure() {
            true => ([COOKIE_OF_HOST, self.custody.name()].concat(), "/"),
            false => (COOKIE.to_owned(), path_of(&self.custody.facebook.redirect_uri)),
        }
    }

    /// Somebody is back from the dialog: first of all, is it who was sent?
    fn come_back(&self, head: &Head) -> Response {
        let now = (self.tools.clock)();
        let Ok(mut pending) = self.pending(now) else { return not_now() };
        let state = mark(&parameter(head.query(), "state").unwrap_or_default());
        let browsers: Vec<_> = cookies(head, &self.cookie().0).map(mark).collect();
        let alike = |one: &str, other: &str| bool::from(one.as_bytes().ct_eq(other.as_bytes()));
        let is_its = |login: &Pending| browsers.iter().any(|browser| alike(&login.browser, browser));
        let known = |login: &Pending| alike(&login.state, &state) & is_its(login);
        let Some(at) = pending.iter().position(known) else {
            // Which of the two it was is nobody's business.
            let why =
                "This login is over, or it was not begun in this browser. Nothing was changed; please begin again.";
            return self.again(403, "This is no login of yours", why);
        };
        pending.remove(at);
        if !self.put(&pending, now) {
            return not_now();
        }
        let query = head.query();
        let response = match (parameter(query, "error"), parameter(query, "code")) {
            (None, Some(code)) if !code.is_empty() => self.log_in(&code),
            (Some(_), _) => self.again(200, "Not logged in", "You did not allow it at Facebook. Nothing was changed."),
            _ => self.again(400, "Not logged in", "Facebook sent no code. Nothing was changed; please begin again."),
        };
        self.mark_browser(response, "", 0)
    }

    /// Makes tokens of a code.
    fn log_in(&self, code: &str) -> Response {
        if let Err(why) = self.custody.log_in(code, self.tools.upstreams.means()) {
            log::warn!("upstream {}: a login failed: {why}", self.custody.name());
            let why = format!("Facebook did not let us in: {why}. Nothing was changed; please begin again.");
            return self.again(502, "Not logged in", &why);
        }
        // Elsewhere, so that the code is not in the address that stays in the browser.
        let done = led(&format!("{}/done", path_of(&self.custody.facebook.redirect_uri)));
        match self.guest {
            Guest::Inside => done,
            Guest::Session(_) | Guest::Stranger => {
                session::begin(done, self.is_secure(), self.tools).unwrap_or_else(|| {
                    let but = "What was granted is kept, but this browser could not be remembered as the operator's.";
                    note(200, "Logged in at Facebook", but)
                })
            }
        }
    }

    /// What was granted.
    fn done(&self) -> Response {
        let Ok(Some(consent)) = self.custody.stored(self.tools.upstreams.means()) else {
            return self.again(200, "Not logged in", "Nobody has logged in yet.");
        };
        let mut below = format!("<p>ackd may read these pages: {}</p>", escaped(&consent.pages()));
        if let Some(why) = consent.refused() {
            below = format!("<p>Facebook takes this login no more: {}</p>{below}", escaped(&why));
        }
        if !consent.lacks().is_empty() {
            below.push_str(&format!(
                "<p>Not granted, so something may be missing: {}</p>",
                escaped(&consent.lacks().join(", "))
            ));
        }
        if consent.refused().is_some() || !consent.lacks().is_empty() {
            below.push_str(&self.how());
        }
        if let Guest::Session(_) = self.guest {
            let out = escaped(&format!("{}/out", path_of(&self.custody.facebook.redirect_uri)));
            let guard = self.visit.guard_field();
            below.push_str(&format!("<form method=post action=\"{out}\">{guard}<button>Log out here</button></form>"));
        }
        sheet(200, "Logged in at Facebook", &below)
    }

    /// Ends the session; what was granted stays. That it may is known by now.
    fn log_out(&self) -> Response {
        let Guest::Session(hash) = self.guest else {
            return note(400, "No session", "Through this door nobody needs to log in or out.");
        };
        if !session::end(hash, self.tools) {
            return not_now();
        }
        let out = self.again(200, "Logged out", "This browser is the operator's no more.");
        session::forgotten(out, self.is_secure())
    }

    /// Logins under way.
    fn pending(&self, now: Moment) -> Result<Vec<Pending>, &'static str> {
        let kept = recall(&self.tools.keeper, LOGINS, self.custody.name())?;
        let mut pending: Vec<Pending> = kept.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
        pending.retain(|login| now < login.until);
        Ok(pending)
    }

    fn put(&self, pending: &[Pending], now: Moment) -> bool {
        let json = (!pending.is_empty()).then(|| serde_json::to_vec(pending).unwrap_or_default());
        keep(&self.tools.keeper, LOGINS, self.custody.name(), json, Some(now.after(LOGIN_TIME)))
    }

    /// Whether browsers come over HTTPS. Over plain HTTP they do on this machine alone.
    fn is_secure(&self) -> bool {
        self.custody.facebook.redirect_uri.starts_with("https:")
    }
}

/// Whether a query is what Facebook sends a browser back with.
fn is_return(query: &str) -> bool {
    ["state", "code", "error"].iter().any(|name| parameter(query, name).is_some())
}

/// Whether a request came to the host of this URL.
fn is_at(head: &Head, url: &str) -> bool {
    let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    head.header("host").is_some_and(|host| host.eq_ignore_ascii_case(authority.as_bytes()))
}

/// The path of a URL of ours, as browsers know it.
fn path_of(url: &str) -> &str {
    url.split("://").nth(1).and_then(|rest| rest.get(rest.find('/')?..)).unwrap_or("/")
}

fn led(to: &str) -> Response {
    guarded(Response::text(302, "")).with("Location", to.to_owned())
}

fn not_now() -> Response {
    note(503, "Not now", "This could not be kept. Nothing was changed; please try again in a moment.")
}
