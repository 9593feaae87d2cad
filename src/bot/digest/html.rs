//! A week as a page, and the list of what the operator manages. Pure: nothing of it comes from elsewhere when it is shown, and
//! what others wrote stands in it as text.

use super::Settings;
use super::ask::{Known, Names};
use super::feed::Shape;
use super::rank::Post;
use super::say;
use super::week::Which;
use crate::limits::{DIGEST_RELOAD_SECONDS, DIGEST_TEXT_UNITS_MAX};
use crate::model::visit::{note, sheet};
use crate::model::{Moment, Response, Upstream};
use crate::notation::html::escaped;

/// Who looks at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guest {
    /// Whoever has the link.
    Reader,
    /// The operator, at the public door.
    Operator,
    /// The operator, at their own.
    Inside,
}

/// The page of a week; `chosen` is the page that the operator chose, `guest` whoever looks at it.
pub(super) fn week(known: &Known, set: &Settings, now: Moment, chosen: Option<&str>, guest: Guest) -> Response {
    let login = known.trouble.as_ref().map_or_else(String::new, |trouble| login(&trouble.why, set, guest));
    let Some((_, sums)) = &known.seen else {
        return match &known.trouble {
            Some(trouble) => {
                sheet(503, "Not now", &format!("<p>{}</p>{login}{}", escaped(&trouble.why), all(set, guest)))
            }
            None => {
                looks_again(note(200, "In a moment", "The summary is being made; this page looks again by itself."))
            }
        };
    };
    let mut below = format!("<p>{}</p>", escaped(&capital(&say::totals(sums))));
    for post in &sums.top {
        below.push_str(&article(post, set, ""));
    }
    for (what, post) in [("Most commented", &sums.commented), ("Most shared", &sums.shared)] {
        // The first of the list needs no second place.
        if let Some(post) = post.as_ref().filter(|post| sums.top.first() != Some(post)) {
            below.push_str(&article(post, set, what));
        }
    }
    if sums.posts > 0 && sums.top.is_empty() {
        below.push_str("<p>Nobody shared, commented or reacted.</p>");
    }
    for note in say::notes(known, set, now) {
        below.push_str(&format!("<p class=dim>{}</p>", escaped(&note)));
    }
    let chosen = chosen.map_or_else(String::new, |id| format!("page={id}&amp;"));
    let (other, words) = match known.week.which {
        Which::Last => ("this", "This week so far"),
        Which::This => ("last", "Last week"),
    };
    below.push_str(&format!("{login}<p><a href=\"?{chosen}week={other}\">{words}</a></p>{}", all(set, guest)));
    sheet(200, &say::title(known), &below)
}

/// Where the operator logs in again, when that helps. At the public door a command leads there.
fn login(why: &str, set: &Settings, guest: Guest) -> String {
    let upstream = escaped(&set.upstream);
    match guest {
        _ if !say::wants_login(why) => String::new(),
        Guest::Inside => format!("<p><a href=\"{}\">Log in at Facebook</a></p>", Upstream::login_path(&upstream)),
        Guest::Operator => format!("<p>A login begins with the link that ackd login {upstream} shows.</p>"),
        Guest::Reader => String::new(),
    }
}

/// The operator's way back to the list.
fn all(set: &Settings, guest: Guest) -> &'static str {
    match (guest, set.shape) {
        (Guest::Reader, _) => "",
        (_, Shape::Page) => "<p><a href=\"?\">Pages that you manage</a></p>",
        (_, Shape::Group) => "<p><a href=\"?\">Groups that you manage</a></p>",
    }
}

fn article(post: &Post, set: &Settings, what: &str) -> String {
    let title = escaped(&post.title(DIGEST_TEXT_UNITS_MAX, |at| say::day(at, &set.zone)));
    let what = if what.is_empty() { String::new() } else { format!("<h2>{what}</h2>") };
    let day = post.at.map_or_else(String::new, |at| format!("{} · ", say::day(at, &set.zone)));
    let figures = say::post_figures(post);
    // Only `https://` comes here, without quotes.
    let read = post.link.as_deref().map(escaped);
    let read = read.map_or_else(String::new, |link| format!(" · <a href=\"{link}\" rel=noreferrer>Read</a>"));
    format!("<article>{what}<p dir=auto>{title}</p><p class=dim>{day}{figures}{read}</p></article>")
}

/// What the operator manages, each with a link to its week.
pub(super) fn list(names: &Names, set: &Settings, now: Moment, guest: Guest) -> Response {
    let (title, gone) = match set.shape {
        Shape::Page => ("Pages that you manage", say::GROUPS),
        Shape::Group => ("Groups that you manage", say::RECORDED),
    };
    let (mut below, mut is_awaited) = (String::new(), false);
    for (id, name) in &names.list {
        let name = if name.is_empty() { id } else { name };
        let told = if set.id.as_deref() == Some(id) { ", the one that is told of" } else { "" };
        below.push_str(&format!(
            "<article><p dir=auto><a href=\"?page={id}\">{}</a></p><p class=dim>{id}{told}</p></article>",
            escaped(name)
        ));
    }
    if names.list.is_empty() {
        let why = match &names.trouble {
            Some(trouble) => &trouble.why,
            None if names.are_fresh(now) => say::NO_PAGE,
            None => {
                is_awaited = true;
                "They are being asked for; this page looks again in a moment."
            }
        };
        below.push_str(&format!("<p>{}</p>{}", escaped(why), login(why, set, guest)));
    }
    below.push_str(&format!("<p class=dim>{gone}</p>"));
    let page = sheet(200, title, &below);
    if is_awaited { looks_again(page) } else { page }
}

/// A page that a browser opens again by itself.
fn looks_again(page: Response) -> Response {
    page.with("Refresh", DIGEST_RELOAD_SECONDS.to_string())
}

fn capital(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}
