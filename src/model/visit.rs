//! Somebody wants to see a page: what those who make it know of the request, and what they answer.

use super::request::{Head, Request, Response};
use crate::limits::COOKIES_MAX;
use crate::notation::html::escaped;
use crate::notation::unpercent_text;

/// A request for a page that the clerk has a bot or a login make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub to: Host,
    pub claim: Claim,
    /// It is the operator: whoever comes through the admin listener, or logged in at the public door. A bot's
    /// page must look at this before it does anything: strangers may send forms to it, too, as chat builders do.
    pub operator: bool,
    /// What a form of a page for the operator brings back, or it is not taken; see `guard_field`.
    pub guard: String,
    /// The path below the host's place; empty or beginning with a slash.
    pub path: String,
    pub request: Request,
    /// Nobody waits for it any more: what is remembered for this page is to be made new.
    pub renews: bool,
}

/// What somebody shows at the door, before anybody looks into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// What only the store can tell from a guess: a session, a login that is under way, the ticket of one.
    Unproven,
    /// The secret of a host.
    Link,
    /// It came through the admin listener.
    Inside,
}

/// The name of what a form brings back.
pub const GUARD: &str = "guard";

impl Visit {
    /// What every form for the operator has in it, as HTML.
    pub fn guard_field(&self) -> String {
        format!("<input type=hidden name={GUARD} value=\"{}\">", escaped(&self.guard))
    }
}

/// Who makes the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A bot, by its name.
    Bot(String),
    /// The login at an upstream, by its name.
    Login(String),
    /// What shows the operator all that is kept.
    Inspector,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub response: Response,
    /// What it shows is old: the host is visited once more when this is out, and makes it new.
    pub renew: bool,
}

impl Page {
    /// An answer that is as it should be.
    pub fn of(response: Response) -> Page {
        Page { response, renew: false }
    }
}

/// All pages look like this. They name nothing from elsewhere but pictures and links.
const STYLE: &str = "body{font:1.05em/1.5 system-ui,sans-serif;max-width:40em;margin:2em auto;padding:0 1em;\
                     color:#222;background:#fff;overflow-wrap:anywhere}h1{font-size:1.4em}a{color:#0b57d0}article{border-top:1px solid #ccc;\
                     padding:.6em 0}article p{margin:.2em 0}.dim{color:#666}button{font:inherit;padding:.4em 1em}\
                     @media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}a{color:#8ab4f8}\
                     .dim{color:#999}article{border-color:#444}}";
/// Nothing runs in them, nobody frames them, and forms come to us only.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// How each of them ends.
const END: &str = "</html>\n";
const HOME: &str = "<p><a href=\"/\">All pages and logins</a></p>\n";

/// A page of ours: a heading, and what stands below it, which is HTML already.
pub fn sheet(status: u16, title: &str, below: &str) -> Response {
    let title = escaped(title);
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><h1>{title}</h1>\n{below}\n{END}"
    );
    let response = Response { content_type: "text/html; charset=utf-8", ..Response::text(status, html) };
    guarded(response).with("Content-Security-Policy", POLICY)
}

/// The same page as the operator's door shows it: it ends with the way to all others. What is no page of ours stays as it is.
pub fn leads_home(response: Response) -> Response {
    let Some(page) = response.body.strip_suffix(END.as_bytes()) else { return response };
    let body = [page, HOME.as_bytes(), END.as_bytes()].concat();
    Response { body: body.into(), ..response }
}

/// The same with one sentence of plain text.
pub fn note(status: u16, title: &str, text: &str) -> Response {
    sheet(status, title, &format!("<p>{}</p>", escaped(text)))
}

/// What every answer to a browser carries: it is kept nowhere, taken for nothing else, and tells nobody where it was.
pub fn guarded(response: Response) -> Response {
    response
        .with("Cache-Control", "no-store")
        .with("X-Content-Type-Options", "nosniff")
        .with("Referrer-Policy", "no-referrer")
}

/// The values of all cookies of this name, up to so many: a neighbour below the same domain can set one beside ours, and
/// a browser does not say whose is whose.
pub fn cookies<'a>(head: &'a Head, name: &str) -> impl Iterator<Item = &'a str> {
    let cookies = head.header("cookie").and_then(|cookies| std::str::from_utf8(cookies).ok()).unwrap_or_default();
    let values = cookies.split(';').filter_map(move |pair| pair.trim().strip_prefix(name)?.strip_prefix('='));
    values.take(COOKIES_MAX)
}

/// The first parameter of this name in a query or a form.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| unpercent_text(key, true) == name).map(|(_, value)| value);
    values.next().map(|value| unpercent_text(value, true))
}

/// Whether a browser says that a page of ours sent this, or nothing about it. `null` is what our own pages say, since they
/// tell nobody where they are.
pub fn is_from_here(head: &Head) -> bool {
    if let Some(site) = head.header("sec-fetch-site") {
        return site == b"same-origin";
    }
    let Some(origin) = head.header("origin").filter(|origin| *origin != b"null") else { return true };
    let authority = origin.strip_prefix(b"https://").or_else(|| origin.strip_prefix(b"http://"));
    authority.is_some_and(|authority| head.header("host").is_some_and(|host| host.eq_ignore_ascii_case(authority)))
}
