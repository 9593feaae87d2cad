//! What Graph is asked and what its answers say: paths out, posts and names in (graph.md §4 to §6). Pure.
//!
//! It reads leniently: a post may lack everything, and what nobody did is not there. Errors are told apart by their code,
//! whatever the status.

use super::rank::Post;
use crate::bot::figures::unsigned;
use crate::limits::{
    DIGEST_ANSWER_BYTES_MAX, DIGEST_BUSY_REST, DIGEST_FIGURE_MAX, DIGEST_LINK_BYTES_MAX, DIGEST_NAME_UNITS_MAX,
    DIGEST_NAMES_MAX, DIGEST_TEXT_CHARS_MAX, DIGEST_TEXT_UNITS_MAX, UPSTREAM_WAIT_MAX,
};
use crate::model::{Answer, Moment};
use crate::notation::cut::shorten;
use crate::notation::line::line;
use crate::notation::usage::{is_used_up, regained};
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// Whose posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Page,
    /// A group in recorded data; Facebook tells programs of none any more (graph.md §1).
    Group,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Too many posts at once for Graph, or for us.
    TooMuch,
    /// No call before this.
    NotBefore(Moment),
    /// Facebook wants fewer calls.
    Busy,
    /// No answer, or none that can be read.
    Silent,
    LoggedOut,
    /// Nobody has logged in yet; what the operator does about it.
    Nobody(String),
    /// This permission is not granted, or one of these.
    Forbidden(&'static str),
    /// There is no such page for us.
    Unknown,
    /// The configuration names no page, and there is not exactly one.
    Which(usize),
    /// Its own words, which are for the operator alone.
    Refused(String),
}

impl Trouble {
    /// What the operator is told besides.
    pub(super) fn detail(&self) -> String {
        match self {
            Trouble::Refused(why) | Trouble::Nobody(why) if !why.is_empty() => format!(" ({why})"),
            _ => String::new(),
        }
    }

    /// Whether it passes by itself.
    pub(super) fn passes(&self) -> bool {
        matches!(self, Trouble::NotBefore(_) | Trouble::Busy | Trouble::Silent)
    }

    /// From when on Facebook is left alone. Without papers nobody asks it anyway, and new ones are tried at once.
    pub(super) fn met(&self, now: Moment) -> Moment {
        if self.wants_login() { Moment(0) } else { now }
    }

    /// Whether it lasts until somebody logs in.
    pub(super) fn wants_login(&self) -> bool {
        matches!(self, Trouble::LoggedOut | Trouble::Nobody(_))
    }
}

impl Shape {
    /// The path to the posts of some time, in seconds.
    pub(super) fn posts(self, id: &str, (since, until): (i64, i64), limit: u32) -> String {
        let fields = match self {
            Shape::Page => {
                "id,message,created_time,permalink_url,shares,comments.summary(true).limit(0),\
                 reactions.summary(true).limit(0)"
            }
            Shape::Group => "id,message,created_time,permalink_url,shares,comments",
        };
        format!("/{id}/feed?fields={fields}&since={since}&until={until}&limit={limit}")
    }

    /// The path to what somebody manages.
    pub(super) fn names(self) -> &'static str {
        match self {
            Shape::Page => "/me/accounts?fields=id,name,tasks&limit=100",
            Shape::Group => "/me/groups?fields=id,name,administrator&limit=100",
        }
    }

    /// What stands in an answer to that: ids and names.
    pub(super) fn managed(self, body: &Value) -> Vec<(String, String)> {
        let is_managed = |item: &&Value| match self {
            Shape::Page => true,
            Shape::Group => item.get("administrator").and_then(Value::as_bool) == Some(true),
        };
        let one = |item: &Value| {
            let id = item.get("id").and_then(scalar).filter(|id| is_id(id))?;
            let name = item.get("name").and_then(Value::as_str).map(name).unwrap_or_default();
            Some((id, name))
        };
        list(body).iter().filter(is_managed).filter_map(one).take(DIGEST_NAMES_MAX).collect()
    }
}

/// Whether a text can be the id of a page or group: digits, as it goes into a path.
pub fn is_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The same path for fewer posts.
pub(super) fn with_limit(path: &str, limit: u32) -> String {
    let Some((way, query)) = path.split_once('?') else { return format!("{path}?limit={limit}") };
    let others = query.split('&').filter(|pair| !pair.starts_with("limit="));
    let query: String = others.flat_map(|pair| [pair, "&"]).collect();
    format!("{way}?{query}limit={limit}")
}

/// An answer, or why it is none.
pub(super) fn judge(answer: &Answer) -> Result<Value, Trouble> {
    if answer.body.len() > DIGEST_ANSWER_BYTES_MAX {
        return Err(Trouble::TooMuch);
    }
    if answer.status == 429 {
        return Err(Trouble::Busy);
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else { return Err(Trouble::Silent) };
    if let Some(error) = body.get("error") {
        return Err(refusal(error));
    }
    let is_list = answer.status == 200 && body.get("data").is_some_and(Value::is_array);
    is_list.then_some(body).ok_or(Trouble::Silent)
}

/// How long Facebook wants to be left alone after an answer, which may be a good one (graph.md §6).
pub(super) fn rest(answer: &Answer, judged: Result<&Value, &Trouble>) -> Option<Duration> {
    let told = answer.header("x-business-use-case-usage").and_then(regained);
    let is_refused = judged == Err(&Trouble::Busy) || answer.header("x-app-usage").is_some_and(is_used_up);
    told.or(is_refused.then_some(DIGEST_BUSY_REST)).map(|rest| rest.min(UPSTREAM_WAIT_MAX))
}

fn refusal(error: &Value) -> Trouble {
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    match unsigned(error.get("code")) {
        Some(1) if message.contains("reduce the amount of data") => Trouble::TooMuch,
        Some(1 | 2) => Trouble::Silent,
        Some(4 | 17 | 32 | 341 | 613 | 80_001 | 80_006) => Trouble::Busy,
        Some(10 | 200..=299) => Trouble::Forbidden(needed(message)),
        Some(102 | 190) => Trouble::LoggedOut,
        Some(100) if unsigned(error.get("error_subcode")) == Some(33) => Trouble::Unknown,
        _ => Trouble::Refused(name(message)),
    }
}

/// What Facebook says is missing; all that posts need, where it does not say so.
fn needed(message: &str) -> &'static str {
    let permissions = ["pages_read_engagement", "pages_read_user_content"];
    let named = permissions.into_iter().find(|name| message.contains(name));
    named.unwrap_or("pages_read_engagement and pages_read_user_content")
}

/// The items of a list.
pub(super) fn list(body: &Value) -> &[Value] {
    body.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Where a list goes on: a path that can be asked for as it is. Only when there is none it has ended; an empty page may be
/// followed by others (graph.md §1).
pub(super) fn next(body: &Value) -> Option<&str> {
    body.get("paging")?.get("next")?.as_str().filter(|path| path.starts_with('/'))
}

/// Whether it goes on where we do not follow: then what was seen is not all.
pub(super) fn is_cut_off(body: &Value) -> bool {
    next(body).is_none() && body.get("paging").is_some_and(|paging| paging.get("next").is_some())
}

/// What names a post, so that none counts twice.
pub(super) fn id(item: &Value) -> Option<String> {
    item.get("id").and_then(scalar)
}

/// What is kept of a post.
pub(super) fn post(item: &Value) -> Post {
    let text = item.get("message").and_then(Value::as_str).unwrap_or_default();
    Post {
        at: item.get("created_time").and_then(time),
        text: shorten(&line(text, DIGEST_TEXT_CHARS_MAX), DIGEST_TEXT_UNITS_MAX),
        link: item.get("permalink_url").and_then(Value::as_str).filter(|url| is_link(url)).map(str::to_owned),
        shares: figure(item.get("shares").and_then(|shares| shares.get("count"))),
        comments: count(item.get("comments")),
        reactions: count(item.get("reactions")),
    }
}

/// How many there are: as it is told, or else those that are shown.
fn count(list: Option<&Value>) -> u64 {
    let Some(list) = list else { return 0 };
    match list.get("summary").and_then(|summary| unsigned(summary.get("total_count"))) {
        Some(count) => count.min(DIGEST_FIGURE_MAX),
        None => self::list(list).len() as u64,
    }
}

fn figure(value: Option<&Value>) -> u64 {
    unsigned(value).unwrap_or(0).min(DIGEST_FIGURE_MAX)
}

/// `2025-11-20T10:00:00+0000`, or seconds.
fn time(value: &Value) -> Option<Moment> {
    if let Value::String(text) = value
        && let Ok(time) = text.parse::<Timestamp>()
    {
        return Some(Moment(time.as_millisecond()));
    }
    unsigned(Some(value)).and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1000)).map(Moment)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a browser that follows it goes to a site and does nothing else.
fn is_link(url: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let is_host = rest.starts_with(|first: char| first.is_ascii_alphanumeric());
    is_host && url.len() <= DIGEST_LINK_BYTES_MAX && url.bytes().all(fits)
}

fn name(text: &str) -> String {
    shorten(&line(text, DIGEST_TEXT_CHARS_MAX), DIGEST_NAME_UNITS_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;
    use serde_json::json;

    const BOTH: &str = "pages_read_engagement and pages_read_user_content";

    fn judged(status: u16, name: &str) -> Result<Value, Trouble> {
        judge(&Answer { status, headers: Vec::new(), body: sample(name) })
    }

    fn read(message: &Value) -> String {
        post(&json!({ "message": message })).text
    }

    #[test]
    fn errors_are_told_apart_by_their_code() {
        for (status, name, trouble) in [
            (400, "error_1_too_much_data", Trouble::TooMuch),
            (500, "error_2_service", Trouble::Silent),
            (400, "error_4_app_limit", Trouble::Busy),
            (403, "error_10_permission", Trouble::Forbidden("pages_read_engagement")),
            (400, "error_100_groups_gone", Trouble::Unknown),
            (401, "error_190_expired", Trouble::LoggedOut),
            // The status says nothing.
            (200, "error_190_expired", Trouble::LoggedOut),
            (200, "oauth_token", Trouble::Silent),
            (500, "page_feed_page1", Trouble::Silent),
        ] {
            assert_eq!(judged(status, name), Err(trouble), "{name}");
        }
        let coded = |code: &Value| refusal(&json!({ "code": code, "message": "No.\u{202e}\n x" }));
        for code in [17, 32, 341, 613, 80_001, 80_006] {
            assert_eq!(coded(&json!(code)), Trouble::Busy, "{code}");
        }
        assert_eq!((coded(&json!("200")), coded(&json!(299))), (Trouble::Forbidden(BOTH), Trouble::Forbidden(BOTH)));
        assert_eq!((coded(&json!(1)), coded(&json!(102))), (Trouble::Silent, Trouble::LoggedOut));
        assert_eq!(coded(&json!(100)), Trouble::Refused("No. x".to_owned()));
        assert_eq!(coded(&Value::Null), Trouble::Refused("No. x".to_owned()));
        let html = Answer { status: 429, headers: Vec::new(), body: b"<html>".to_vec() };
        assert_eq!(judge(&html), Err(Trouble::Busy), "a gateway before it knows no codes");
        let long = Answer { status: 200, headers: Vec::new(), body: vec![b' '; DIGEST_ANSWER_BYTES_MAX + 1] };
        assert_eq!(judge(&long), Err(Trouble::TooMuch));
    }

    #[test]
    fn how_long_to_rest_is_told_by_headers_and_else_by_a_refusal() {
        let rest = |headers: &[(&str, &str)], judged: Result<&Value, &Trouble>| {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Some(rest(&Answer { status: 200, headers, body: Vec::new() }, judged)?.as_secs())
        };
        let business = |minutes: &str| format!(r#"{{"1":[{{"estimated_time_to_regain_access":{minutes}}}]}}"#);
        let (soon, never) = (business("19"), business("1e99"));
        let (soon, never) = (("x-business-use-case-usage", &*soon), ("x-business-use-case-usage", &*never));
        let used_up = ("x-app-usage", r#"{"call_count":100}"#);
        let good = Ok(&Value::Null);
        assert_eq!((rest(&[], good), rest(&[], Err(&Trouble::Silent))), (None, None));
        assert_eq!((rest(&[], Err(&Trouble::Busy)), rest(&[used_up], good)), (Some(300), Some(300)));
        assert_eq!((rest(&[soon, used_up], Err(&Trouble::Busy)), rest(&[never], good)), (Some(1140), Some(86_400)));
    }

    #[test]
    fn what_a_post_lacks_is_zero_and_what_is_of_another_kind_too() {
        let feed = judged(200, "page_feed_page1").unwrap();
        let posts: Vec<_> = list(&feed).iter().map(post).collect();
        let first = Post {
            at: Some(Moment(1_763_632_800_000)),
            text: "Sunny week on the roof ☀️".to_owned(),
            link: Some("https://www.facebook.com/104455667788990/posts/5566778899".to_owned()),
            shares: 4,
            comments: 17,
            reactions: 0,
        };
        assert_eq!(posts.first(), Some(&first));
        let figures: Vec<_> = posts.iter().map(|post| (post.shares, post.comments)).collect();
        assert_eq!(figures, [(4, 17), (0, 0), (1, 1)]);
        let group = judged(200, "legacy_group_feed").unwrap();
        let figures: Vec<_> = list(&group).iter().map(post).map(|post| (post.shares, post.comments)).collect();
        assert_eq!(figures, [(3, 2), (0, 0), (5, 1), (0, 7)], "without a summary, those that are shown");
        let odd = json!({"message": 7, "created_time": {}, "permalink_url": [], "shares": {"count": "12"},
            "comments": {"summary": {"total_count": -1}}, "reactions": null});
        assert_eq!(post(&odd), Post { shares: 12, ..Post::default() });
        let late = json!({"created_time": 1_763_632_800, "reactions": {"data": [{}, {}]}, "shares": {"count": 1e30}});
        let late = post(&late);
        assert_eq!((late.at, late.reactions), (first.at, 2));
        assert!(late.shares <= DIGEST_FIGURE_MAX);
        assert_eq!([json!(1), Value::Null, json!([])].iter().map(post).collect::<Vec<_>>(), vec![Post::default(); 3]);
    }

    #[test]
    fn a_link_leads_to_a_site_or_nowhere() {
        let link = |url: &str| post(&json!({ "permalink_url": url })).link;
        for url in ["https://www.facebook.com/1/posts/2?a=b#c", "https://fb.example/ä".trim_end_matches('ä')] {
            assert_eq!(link(url).as_deref(), Some(url));
        }
        for url in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "http://www.facebook.com/",
            "//www.facebook.com/",
            "/1/posts/2",
            "https://",
            "https:///x",
            "https://x/\"><script>",
            "https://x/'",
            "https://x/ y",
            "https://x/\n",
            "https://x/ä",
            " https://x/",
            "data:text/html,x",
        ] {
            assert_eq!(link(url), None, "{url}");
        }
        assert_eq!(link(&format!("https://x/{}", "a".repeat(DIGEST_LINK_BYTES_MAX))), None);
    }

    #[test]
    fn a_text_is_one_line_of_what_can_be_seen() {
        for (text, expected) in [
            (" a\r\n\tb\u{2028}c ", "a b c"),
            ("\u{202e}gnp.exe\u{2066} \u{200f}x\u{0}\u{7f}", "gnp.exe x"),
            ("\u{200b}\u{feff}\n", ""),
            ("[Log in](https://evil.example)", "[Log in] (https://evil.example)"),
            ("]\u{200b}(x", "] (x"),
            ("👨‍👩‍👧 שלום", "👨‍👩‍👧 שלום"),
        ] {
            assert_eq!(read(&json!(text)), expected);
        }
        let long = read(&json!("👨‍👩‍👧".repeat(10_000)));
        assert!(long.ends_with("👨‍👩‍👧…") && long.encode_utf16().count() <= DIGEST_TEXT_UNITS_MAX, "{long}");
    }

    #[test]
    fn paths_say_what_is_wanted_and_from_when_until_when() {
        let path = Shape::Page.posts("104455667788990", (1, 2), 100);
        assert_eq!(
            path,
            "/104455667788990/feed?fields=id,message,created_time,permalink_url,shares,\
             comments.summary(true).limit(0),reactions.summary(true).limit(0)&since=1&until=2&limit=100"
        );
        assert_eq!(with_limit("/1/feed?limit=100&after=x", 50), "/1/feed?after=x&limit=50");
        assert_eq!(with_limit(&path, 7), path.replace("limit=100", "limit=7"));
        assert_eq!(with_limit("/1/feed", 7), "/1/feed?limit=7");
        assert!(is_id("104455667788990"));
        for no in ["", "1/2", "1?x", "me", "１", "111111111111111111111"] {
            assert!(!is_id(no), "{no}");
        }
    }

    #[test]
    fn pages_and_groups_are_managed_as_they_were_told() {
        let pages = judged(200, "me_accounts").unwrap();
        assert_eq!(Shape::Page.managed(&pages), [("104455667788990".to_owned(), "Roof of Ada".to_owned())]);
        let groups = judged(200, "legacy_user_groups_page1").unwrap();
        let circle = ("1924443867832338".to_owned(), "Developer Circle: Example City".to_owned());
        assert_eq!(Shape::Group.managed(&groups), [circle], "only where they are the administrator");
        let odd = json!({"data": [{"id": 7}, {"id": "../x", "name": "y"}, {}, null, {"id": "8", "name": "<b>"}]});
        assert_eq!(Shape::Page.managed(&odd), [("7".to_owned(), String::new()), ("8".to_owned(), "<b>".to_owned())]);
        assert_eq!(next(&pages), None);
        assert_eq!(next(&json!({"paging": {"next": "/1/feed?after=x"}})), Some("/1/feed?after=x"));
        assert_eq!(next(&json!({"paging": {"next": "https://evil.example/1/feed"}})), None);
    }
}
