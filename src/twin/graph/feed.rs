//! Posts as they are told: of a page (graph.md §5), and of a group as it once was (§4).

use super::call::{Call, Object, Turns, array, cursor, list};
use super::posts::{Post, Source};
use super::refusal::Refused;
use super::settings::{Page, Settings};
use crate::limits::{GRAPH_LIST_DEFAULT, GRAPH_LIST_MAX, GRAPH_SPAN_SECONDS};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a post has, in the order in which it is told.
const FIELDS: [&str; 10] = [
    "id",
    "created_time",
    "updated_time",
    "from",
    "message",
    "permalink_url",
    "shares",
    "comments",
    "reactions",
    "likes",
];

/// Those who react, in turn.
const PEOPLE: [&str; 5] = ["Ben Example", "Chloé Example", "דנה Example", "Эмма Example", "\"F\" <Example>"];
const REACTIONS: [&str; 4] = ["LIKE", "LOVE", "LIKE", "WOW"];

/// One of what `fields` names, and how much of it.
struct Field {
    summary: bool,
    limit: usize,
}

/// The fields of a call, each at its place in `FIELDS`.
struct Fields([Option<Field>; FIELDS.len()]);

impl Fields {
    /// `id,comments.summary(true).limit(0)`.
    fn read(text: &str, data_max: usize, limit: usize) -> Result<Fields, Refused> {
        let mut fields = Fields([const { None }; FIELDS.len()]);
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        for (count, word) in words.enumerate() {
            if (count + 1) * limit > data_max {
                return Err(Refused::too_much_data());
            }
            let (name, modifiers) = word.split_once('.').unwrap_or((word, ""));
            let place = FIELDS.iter().position(|known| *known == name);
            let slot = place.and_then(|place| fields.0.get_mut(place));
            let Some(slot) = slot else {
                return Err(Refused::parameter(&format!(
                    "Tried accessing nonexisting field ({name}) on node type (Post)"
                )));
            };
            *slot = Some(Field::read(modifiers)?);
        }
        Ok(fields)
    }

    fn get(&self, name: &str) -> Option<&Field> {
        let place = FIELDS.iter().position(|known| *known == name)?;
        self.0.get(place)?.as_ref()
    }
}

impl Field {
    /// `summary(true).limit(0)`. Fields in braces, of what lies below, are known to Graph and not to this one.
    fn read(modifiers: &str) -> Result<Field, Refused> {
        let mut field = Field { summary: false, limit: GRAPH_LIST_DEFAULT };
        for modifier in modifiers.split('.').filter(|modifier| !modifier.is_empty()) {
            let parts = modifier.strip_suffix(')').and_then(|modifier| modifier.split_once('('));
            match parts {
                Some(("summary", value @ ("true" | "1" | "false" | "0"))) => {
                    field.summary = matches!(value, "true" | "1")
                }
                Some(("limit", value)) => field.limit = value.parse().unwrap_or(usize::MAX),
                _ => field.limit = usize::MAX,
            }
            if field.limit > GRAPH_LIST_MAX {
                return Err(Refused::parameter(&format!("Param fields has an unknown modifier: {modifier}")));
            }
        }
        Ok(field)
    }
}

/// `/{page}/feed` has what visitors write, too; `/posts` and `/published_posts` have the page's own.
pub(super) fn of_page(
    call: &Call,
    page: &Page,
    source: &Source,
    edge: &str,
    settings: &Settings,
) -> Result<String, Refused> {
    let text = call.query.get("fields").unwrap_or("id,created_time,message");
    let fields = Fields::read(text, settings.data_max, call.limit()?)?;
    let (since, until) = span(call)?;
    let mut posts = source.posts(since, until, call.now.seconds());
    posts.retain(|post| edge == "feed" || !post.of_visitor());
    let keys: Vec<u64> = posts.iter().map(|post| post.number).collect();
    let turns = if settings.gaps { Turns::Paused } else { Turns::Plain };
    let cut = call.cut(&keys, &format!("{}/{edge}", page.id), turns)?;
    let shown = posts.get(cut.range).unwrap_or_default();
    let (link, says) = ((page.link.clone(), ""), page.says.as_deref());
    let owner = Owner { id: &page.id, name: &page.name, says, link };
    let items = shown.iter().map(|post| told(*post, &owner, &fields, call.now.seconds())).collect::<Vec<_>>();
    Ok(list(&items, cut.paging))
}

/// `/{group}/feed` as it was: pages by time, and a next behind the last one.
pub(super) fn of_group(call: &Call, id: &str, source: &Source, data_max: usize) -> Result<String, Refused> {
    let limit = call.limit()?;
    let fields = Fields::read(call.query.get("fields").unwrap_or("id,message,updated_time"), data_max, limit)?;
    let (since, until) = (call.time("since")?, call.time("until")?);
    let mut posts = source.posts(since, until, call.now.seconds());
    posts.truncate(limit);
    let owner =
        Owner { id, name: "", says: None, link: (format!("https://www.facebook.com/groups/{id}/permalink/"), "/") };
    let items: Vec<String> = posts.iter().map(|post| told(*post, &owner, &fields, call.now.seconds())).collect();
    const KEPT: [&str; 2] = ["fields", "since"];
    let path = format!("{id}/feed");
    let paging = posts.last().map(|last| {
        let older = call.link(&path, &KEPT, limit, &format!("&until={}&__paging_token=enc_{}", last.at, last.number));
        let newer = call.link(&path, &KEPT, limit, "&__previous=1");
        Object::new().text("previous", &newer).text("next", &older).end()
    });
    Ok(list(&items, paging))
}

/// From when to when: at most half a year (graph.md §5).
fn span(call: &Call) -> Result<(Option<i64>, Option<i64>), Refused> {
    let (since, until) = (call.time("since")?, call.time("until")?);
    match (since, until) {
        (Some(since), Some(until)) if since > until => Err(Refused::parameter("Param since must not be after until")),
        (Some(since), Some(until)) if until - since > GRAPH_SPAN_SECONDS => {
            Err(Refused::parameter("Params since and until must be no more than six months apart"))
        }
        _ => Ok((since, until)),
    }
}

/// Whose posts are told, what all of them say, and what stands before and behind the number in a post's address.
struct Owner<'a> {
    id: &'a str,
    name: &'a str,
    says: Option<&'a str>,
    link: (String, &'static str),
}

fn told(post: Post, owner: &Owner, fields: &Fields, now: i64) -> String {
    // The id is told whether it is asked for or not.
    let mut told = Object::new().text("id", &format!("{}_{}", owner.id, post.number));
    for asked in FIELDS {
        let Some(field) = fields.get(asked) else { continue };
        told = match asked {
            "created_time" => told.text(asked, &time(post.at)),
            "updated_time" => {
                let last = post.comments(now).checked_sub(1).map_or(post.at, |last| post.commented_at(last));
                told.text(asked, &time(last))
            }
            "from" if post.of_visitor() => told.raw(asked, person(post.number).end()),
            "from" => told.raw(asked, Object::new().text("name", owner.name).text("id", owner.id).end()),
            "message" => {
                let text = owner.says.map(str::to_owned).or_else(|| post.text());
                text.into_iter().fold(told, |told, text| told.text(asked, &text))
            }
            "permalink_url" => {
                let (before, behind) = &owner.link;
                told.text(asked, &format!("{before}{}{behind}", post.number))
            }
            "shares" => match post.shares(now) {
                0 => told,
                shares => told.raw(asked, Object::new().raw("count", shares).end()),
            },
            "comments" | "reactions" | "likes" => edge(told, asked, field, post, now),
            _ => told,
        };
    }
    told.end()
}

/// What hangs on a post: the first of it, and either a summary or cursors. Without a summary there is no empty one.
fn edge(told: Object, name: &str, field: &Field, post: Post, now: i64) -> Object {
    let total = match name {
        "comments" => post.comments(now),
        "likes" => post.reactions(now) / 2,
        _ => post.reactions(now),
    };
    if total == 0 && !field.summary {
        return told;
    }
    let item = |place: u64| {
        let item = match name {
            "comments" => {
                let words = Object::new().text("created_time", &time(post.commented_at(place)));
                words.text("message", post.comment(place)).text("id", &format!("{}{place:03}", post.number))
            }
            "likes" => person(place),
            _ => person(place).text("type", REACTIONS.get(place as usize % REACTIONS.len()).unwrap_or(&"LIKE")),
        };
        item.end()
    };
    let shown = total.min(field.limit as u64);
    let items: Vec<String> = (0..shown).map(item).collect();
    let edge = Object::new().raw("data", array(&items));
    let count = Object::new();
    let edge = match (field.summary, name) {
        (true, "comments") => {
            let count = count.text("order", "chronological").raw("total_count", total).raw("can_comment", true);
            edge.raw("summary", count.end())
        }
        (true, "likes") => {
            let count = count.raw("total_count", total).raw("can_like", true).raw("has_liked", false);
            edge.raw("summary", count.end())
        }
        (true, _) => edge.raw("summary", count.raw("total_count", total).text("viewer_reaction", "NONE").end()),
        (false, _) => {
            let cursors = count.text("before", &cursor(0)).text("after", &cursor(shown.saturating_sub(1)));
            edge.raw("paging", Object::new().raw("cursors", cursors.end()).end())
        }
    };
    told.raw(name, edge.end())
}

fn person(place: u64) -> Object {
    let name = PEOPLE.get(place as usize % PEOPLE.len()).copied().unwrap_or_default();
    Object::new().text("id", &(10_150_000_000_100_000 + place % 100_000).to_string()).text("name", name)
}

/// `2025-11-20T10:00:00+0000`, whatever zone the page lies in.
fn time(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default().to_zoned(TimeZone::UTC);
    format!("{}+0000", time.datetime())
}
