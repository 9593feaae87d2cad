//! The page on which somebody lets an app in, or does not (graph.md §3).
//!
//! It leads back only to an address that the app has registered, and says so on a page of its own otherwise. No other page
//! may hold it in a frame, and the answer is a form's, which the port takes from this page only.

use super::papers::Papers;
use super::settings::Settings;
use crate::model::{Method, Moment, Request, Response};
use crate::notation::percent;
use crate::twin::query::Query;

/// What an app may ask for. Each person's name and picture are always in it.
const SCOPES: [&str; 11] = [
    "public_profile",
    "email",
    "pages_show_list",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_messaging",
    "pages_manage_metadata",
    "pages_manage_posts",
    "pages_manage_engagement",
    "read_insights",
    "business_management",
];

/// What went with the groups.
const SCOPES_OF_GROUPS: [&str; 3] = ["groups_show_list", "groups_access_member_info", "publish_to_groups"];

/// What an app asks for, and where the answer goes.
struct Asked<'a> {
    redirect_uri: &'a str,
    scopes: Vec<&'static str>,
    state: Option<&'a str>,
}

/// `GET` shows the page, `POST` is the answer: `answer=deny`, or `answer=allow` with what is left out as `without`; or, from
/// a form whose boxes were shown, with what stayed ticked as `with`.
pub(super) fn answer(settings: &Settings, papers: &mut Papers, request: &Request, now: Moment) -> Response {
    let query = Query::new(request.head.query());
    let asked = match asked(settings, &query) {
        Ok(asked) => asked,
        Err(why) => return page(400, "This login does not work", &format!("<p>{}", escape(&why))),
    };
    let form = Query::new(std::str::from_utf8(&request.body).unwrap_or_default());
    let back = match (request.head.method, form.get("answer")) {
        (Method::Get, _) => return shown(settings, &asked),
        (Method::Post, Some("allow")) => {
            let says = |word: &str, scope: &str| form.0.iter().any(|(name, value)| name == word && value == scope);
            let ticked = |scope: &str| form.get("boxes").is_none() || says("with", scope);
            let kept = |scope: &&str| !says("without", scope) && ticked(scope);
            let mut scopes: Vec<_> = asked.scopes.iter().copied().filter(kept).collect();
            if !scopes.contains(&"public_profile") {
                scopes.push("public_profile");
            }
            format!("code={}", papers.code(asked.redirect_uri, scopes, now))
        }
        (Method::Post, Some("deny")) => {
            "error_reason=user_denied&error=access_denied&error_description=Permissions+error".to_owned()
        }
        (Method::Post, _) => return page(400, "This login does not work", "<p>The answer is neither allow nor deny."),
        _ => return page(405, "This login does not work", "<p>Open it in a browser.").with("Allow", "GET, POST"),
    };
    let sign = if asked.redirect_uri.contains('?') { '&' } else { '?' };
    let state = asked.state.map(|state| format!("&state={}", percent(state))).unwrap_or_default();
    let target = format!("{}{sign}{back}{state}", asked.redirect_uri);
    page(302, "Back to the app", "").with("Location", target)
}

fn asked<'a>(settings: &Settings, query: &'a Query) -> Result<Asked<'a>, String> {
    if query.get("client_id") != Some(&settings.app_id) {
        return Err("Invalid App ID: the provided app ID does not look like a valid app ID.".to_owned());
    }
    let redirect_uri = query.get("redirect_uri").unwrap_or_default();
    if !settings.redirect_uris.iter().any(|known| known == redirect_uri) {
        return Err(
            "URL blocked: redirect_uri is not one of the app's valid OAuth redirect URIs, byte for byte.".to_owned()
        );
    }
    if query.get("response_type").is_some_and(|kind| kind != "code") {
        return Err("This stand-in gives codes only: leave response_type out, or write code.".to_owned());
    }
    let mut scopes = Vec::new();
    for word in query.get("scope").unwrap_or_default().split([',', ' ']).filter(|word| !word.is_empty()) {
        let gone: &[&str] = if settings.groups.is_empty() { &[] } else { &SCOPES_OF_GROUPS };
        let known = SCOPES.iter().chain(gone).find(|known| **known == word);
        let known = known.ok_or_else(|| format!("Invalid Scopes: {word}."))?;
        if !scopes.contains(known) {
            scopes.push(*known);
        }
    }
    Ok(Asked { redirect_uri, scopes, state: query.get("state") })
}

fn shown(settings: &Settings, asked: &Asked) -> Response {
    let scope = |scope: &&str| {
        format!(
            "<li><label><input type=\"checkbox\" name=\"with\" value=\"{scope}\" checked> <code>{scope}</code></label>\n"
        )
    };
    let wanted = asked.scopes.iter().filter(|scope| **scope != "public_profile");
    let body = format!(
        "<p>You are logged in as <b>{}</b>. The app wants your name and:\n\
         <form method=\"post\"><input type=\"hidden\" name=\"boxes\" value=\"1\"><ul>\n{}</ul>\n\
         <button name=\"answer\" value=\"allow\">Allow</button> <button name=\"answer\" value=\"deny\">Deny</button>\n\
         </form>\n<p><small>A stand-in on this machine; Facebook hears nothing of it.</small>",
        escape(&settings.person.name),
        wanted.map(scope).collect::<String>()
    );
    page(200, &format!("{} asks for access to your account", settings.app_name), &body)
}

/// A page for a person; the words are ours. A `form-action` would stop the way back in some browsers, and without a
/// referrer a form comes from nowhere.
fn page(status: u16, title: &str, body: &str) -> Response {
    let title = escape(title);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>body{{font:1.05em/1.5 system-ui,sans-serif;max-width:40em;margin:2em auto;padding:0 \
         1em;overflow-wrap:anywhere}}h1{{font-size:1.4em}}button{{font:inherit;padding:.4em 1.5em}}</style>\n<h1>{title}</h1>\n{body}\n"
    );
    Response { content_type: "text/html; charset=utf-8", ..Response::text(status, page) }
        .with("Cache-Control", "no-store")
        .with(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        )
        .with("X-Frame-Options", "DENY")
        .with("X-Content-Type-Options", "nosniff")
        .with("Referrer-Policy", "same-origin")
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}
