//! Facebook as it is at one moment, so that figures do not grow under a test; a gate before it; and what the posts of a week
//! come to, counted on another way than the daemon's.

use crate::shared::PATIENCE;
use crate::shared::head::head;
use ackd::daemon::clock;
use ackd::model::{Method, Moment, Request, Response};
use ackd::notation::percent;
use ackd::twin::graph::{Graph, Settings};
use ackd::twin::{Deed, Mishap, Reaction, Twin};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;
use std::sync::{Arc, Condvar, Mutex, OnceLock};

/// The page that is told of.
pub const PAGE_ID: &str = "104455667788990";

/// The twin, at the moment when it was made.
pub struct Facebook {
    graph: Graph,
    now: Moment,
    gate: Arc<Gate>,
}

/// Whoever calls waits here while it is shut.
#[derive(Default)]
pub struct Gate {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    shut: bool,
    callers: usize,
}

impl Gate {
    pub fn shut(&self) {
        self.state.lock().unwrap().shut = true;
    }

    pub fn open(&self) {
        self.state.lock().unwrap().shut = false;
        self.changed.notify_all();
    }

    /// Waits until somebody waits for it to open.
    pub fn wait_for_caller(&self) {
        let state = self.state.lock().unwrap();
        let (state, _) = self.changed.wait_timeout_while(state, PATIENCE, |state| state.callers == 0).unwrap();
        assert!(state.callers > 0, "nobody called");
    }

    /// Whether somebody waits.
    pub fn has_caller(&self) -> bool {
        self.state.lock().unwrap().callers > 0
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.callers += 1;
        self.changed.notify_all();
        let (mut state, _) = self.changed.wait_timeout_while(state, PATIENCE, |state| state.shut).unwrap();
        state.callers -= 1;
    }
}

impl Facebook {
    pub fn new(settings: Settings, gate: Arc<Gate>) -> Facebook {
        Facebook { graph: Graph::new(settings), now: clock(), gate }
    }
}

impl Twin for Facebook {
    fn platform(&self) -> &'static str {
        self.graph.platform()
    }

    fn answer(&mut self, request: &Request, _now: Moment) -> Reaction {
        self.gate.pass();
        self.graph.answer(request, self.now)
    }

    fn meets(&mut self, mishap: Mishap, request: &Request, _now: Moment) -> Response {
        self.graph.meets(mishap, request, self.now)
    }

    fn deed(&mut self, deed: &Deed, _now: Moment) -> Result<(), String> {
        self.graph.deed(deed, self.now)
    }
}

/// One without a limit of calls, since its hour never ends; and with more posts last week than are told.
pub fn settings() -> Settings {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| (1..).find(|seed| Week::of(1, *seed).posts.len() >= 8).unwrap());
    Settings { seed, calls_per_hour: u32::MAX, requires_proof: true, ..Settings::played() }
}

/// A post as Facebook tells it.
#[derive(Clone, Debug)]
pub struct Post {
    pub text: String,
    pub url: String,
    pub made: Timestamp,
    pub shares: u64,
    pub comments: u64,
    pub reactions: u64,
}

/// A week in Berlin.
#[derive(Clone, Debug)]
pub struct Week {
    pub first: Date,
    /// The newest first.
    pub posts: Vec<Post>,
}

impl Post {
    pub fn score(&self) -> u64 {
        self.shares + self.comments + self.reactions
    }

    /// `4 shares, 17 comments`.
    pub fn figures(&self) -> String {
        let all = [(self.shares, "share"), (self.comments, "comment"), (self.reactions, "reaction")];
        let told = all.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| many(count, what));
        told.collect::<Vec<_>>().join(", ")
    }
}

impl Week {
    /// The one that began so many weeks ago.
    pub fn back(weeks: i64) -> Week {
        Week::of(weeks, settings().seed)
    }

    fn of(weeks: i64, seed: u64) -> Week {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = Timestamp::from_millisecond(clock().0).unwrap();
        let today = now.to_zoned(zone.clone()).date();
        let monday = today - i64::from(today.weekday().to_monday_zero_offset()).days();
        let first = monday - (7 * weeks).days();
        let start = |day: Date| day.to_zoned(zone.clone()).unwrap().timestamp();
        let (from, end) = (start(first), start(first + 7.days()));
        let span = format!("since={}&until={}", from.as_second() - 1, now.min(end).as_second() + 1);
        let mut posts = posts(&span, seed);
        posts.retain(|post| from <= post.made && post.made < end);
        Week { first, posts }
    }

    /// The best of all, of which then five are taken.
    pub fn best(&self) -> Vec<Post> {
        let mut ranked = self.posts.clone();
        ranked.sort_by_key(|post| std::cmp::Reverse((post.score(), post.made)));
        ranked.retain(|post| post.score() > 0);
        ranked.truncate(5);
        ranked
    }

    /// The one with most of something.
    pub fn most(&self, figure: fn(&Post) -> u64) -> Option<Post> {
        self.posts.iter().filter(|post| figure(post) > 0).max_by_key(|post| (figure(post), post.made)).cloned()
    }

    /// `3 posts, 5 shares, 18 comments, 0 reactions.`
    pub fn sums(&self) -> String {
        let sum = |figure: fn(&Post) -> u64| self.posts.iter().map(figure).sum::<u64>();
        if self.posts.is_empty() {
            return "nothing was posted.".to_owned();
        }
        let parts = [
            many(self.posts.len() as u64, "post"),
            many(sum(|post| post.shares), "share"),
            many(sum(|post| post.comments), "comment"),
            many(sum(|post| post.reactions), "reaction"),
        ];
        format!("{}.", parts.join(", "))
    }
}

/// In figures of up to four digits, which is more than a bakery has.
fn many(count: u64, what: &str) -> String {
    assert!(count < 10_000);
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// All posts of a time, as another twin of the same seed tells them.
fn posts(span: &str, seed: u64) -> Vec<Post> {
    let base = "https://graph.facebook.com";
    let settings = Settings { base: base.to_owned(), seed, gaps: false, calls_per_hour: 1000, ..Settings::played() };
    let mut graph = Graph::new(settings);
    let scopes = ["pages_show_list", "pages_read_engagement", "pages_read_user_content"];
    let token = graph.page_token(PAGE_ID, &scopes, clock()).unwrap();
    let fields =
        "message,created_time,permalink_url,shares,comments.summary(true).limit(0),reactions.summary(true).limit(0)";
    let token = percent(token.expose());
    let mut target = format!("/v25.0/{PAGE_ID}/feed?fields={fields}&{span}&limit=10&access_token={token}");
    let mut posts = Vec::new();
    loop {
        let request = Request { head: head(Method::Get, &target, &[]), body: Vec::new() };
        let body: Value = serde_json::from_slice(&graph.answer(&request, clock()).response.body).unwrap();
        posts.extend(body["data"].as_array().unwrap_or_else(|| panic!("{body}")).iter().map(post));
        match body["paging"]["next"].as_str() {
            Some(next) => target = next.strip_prefix(base).unwrap().to_owned(),
            None => return posts,
        }
    }
}

fn post(told: &Value) -> Post {
    let count = |value: &Value| value["summary"]["total_count"].as_u64().unwrap();
    Post {
        text: told["message"].as_str().unwrap_or_default().to_owned(),
        url: told["permalink_url"].as_str().unwrap().to_owned(),
        made: told["created_time"].as_str().unwrap().parse().unwrap(),
        shares: told["shares"]["count"].as_u64().unwrap_or(0),
        comments: count(&told["comments"]),
        reactions: count(&told["reactions"]),
    }
}
