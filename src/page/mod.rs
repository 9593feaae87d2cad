//! The chat page of `ackd try`: conversations, the chat as a phone shows it, and the life of a message.
//!
//!     GET /             the page: one file, without anything from elsewhere, gzipped
//!     GET /chat.state   {"title", "what", "conversations": […]}
//!     GET /chat.news?after=page:12,space:3     waits for bubbles newer than these; {"bubbles", "after", "stirred"}
//!     GET /chat.life?twin=page&bubble=m_1      {"title", "steps": […]}
//!     POST /chat.clock      {"to": "hour"} or {"to": "morning"}: the clock of a trial goes on; {"now"}
//!
//! What a person does there goes to the twins' own `POST /act`. It shows what a house of twins and a store hold, and
//! changes nothing but, where there is one that may be moved, the clock. Never here: sockets (the twins' server has them), a platform's rules.

mod clock;
mod life;

pub use clock::Clock;

use crate::limits;
use crate::model::{Method, Moment, Request, Response, zipped};
use crate::notation::order::in_order;
use crate::notation::shelf::Shelf;
use crate::notation::unpercent_text;
use crate::store::StoreError;
use crate::store::sqlite::Reader;
use crate::twin::ledger::{AttemptEntry, SentEntry};
use crate::twin::{Bubble, Conversation, House, Side};
use life::{Mood, Step};
use serde::Serialize;
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// `chat.html` as it is sent, gzipped by the build: a third of its bytes, and nobody who looks at it needs the others.
const CHAT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/chat.html.gz"));
/// Nothing may be fetched from anywhere but pictures, which bots name by URL.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                      img-src * data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What is shown as a picture where a bot needs one and there is no network.
const PICTURE: &str = include_str!("picture.svg");

/// What the page shows.
pub struct Page {
    pub house: Arc<House>,
    /// The store of the daemon behind the twins, where there is one.
    pub store: Option<PathBuf>,
    pub title: String,
    pub what: String,
    /// The bot of each twin's channel, by the twin's name.
    pub bots: Shelf<String, String>,
    /// A clock that may be moved.
    pub clock: Option<Clock>,
}

#[derive(Serialize)]
struct State<'a> {
    title: &'a str,
    what: &'a str,
    conversations: Vec<Known<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<clock::Shown<'a>>,
}

#[derive(Serialize)]
struct Known<'a> {
    twin: String,
    bot: &'a str,
    #[serde(flatten)]
    conversation: Conversation,
}

#[derive(Default, Serialize)]
struct News {
    bubbles: Vec<Shown>,
    /// The newest bubble of each twin.
    after: Shelf<String, u64>,
    /// Something happened, even if nobody said anything.
    stirred: bool,
}

/// A bubble and how it fared on its way to the bot.
#[derive(Serialize)]
struct Shown {
    twin: String,
    delivery: Option<String>,
    #[serde(flatten)]
    bubble: Bubble,
}

#[derive(Serialize)]
struct Told {
    title: String,
    steps: Vec<Step>,
}

impl Page {
    /// The answer to a request, if it is one for the page.
    pub fn answer(&self, request: &Request) -> Option<Response> {
        if request.head.path() == "/chat.clock" {
            return Some(clock::answer(self.clock.as_ref()?, request));
        }
        let query = Query(request.head.query());
        let answer = match request.head.path() {
            "/" => {
                let takes = request.head.header("accept-encoding");
                zipped(takes, "text/html; charset=utf-8", CHAT).with("Content-Security-Policy", POLICY)
            }
            "/picture.svg" => Response { content_type: "image/svg+xml", ..Response::text(200, PICTURE) },
            "/chat.state" => json(&self.state()),
            "/chat.news" => json(&self.news(&query.numbers("after"))),
            "/chat.life" => self.life(&query.get("twin"), &query.get("bubble")),
            _ => return None,
        };
        if !matches!(request.head.method, Method::Get | Method::Head) {
            return Some(Response::text(405, "this is read by GET\n").with("Allow", "GET, HEAD"));
        }
        Some(answer.with("Cache-Control", "no-store").with("X-Content-Type-Options", "nosniff"))
    }

    fn state(&self) -> State<'_> {
        let known = |(twin, conversations): (String, Vec<Conversation>)| {
            let bot = self.bot_of(&twin);
            conversations.into_iter().map(move |conversation| Known { twin: twin.clone(), bot, conversation })
        };
        let conversations = self.house.conversations().into_iter().flat_map(known).collect();
        State { title: &self.title, what: &self.what, conversations, clock: self.clock.as_ref().map(Clock::shown) }
    }

    fn bot_of(&self, twin: &str) -> &str {
        self.bots.get(twin).map_or("", String::as_str)
    }

    /// What was said since; waits a while when that is nothing.
    fn news(&self, after: &Shelf<String, u64>) -> News {
        let until = Instant::now() + limits::NEWS_TIME;
        let mut stirred = false;
        loop {
            let rung = self.house.news();
            let news = News { stirred, ..self.since(after) };
            let left = until.saturating_duration_since(Instant::now());
            if stirred || !news.bubbles.is_empty() || left.is_zero() {
                return news;
            }
            stirred = self.house.wait(rung, left) != rung;
            if !stirred {
                return news; // Its time is over, or the house was closed.
            }
        }
    }

    fn since(&self, after: &Shelf<String, u64>) -> News {
        let mut news = News::default();
        for (twin, _) in self.house.conversations() {
            let known = after.get(&twin).copied().unwrap_or(0);
            let bubbles = self.house.bubbles(&twin, known).unwrap_or_default();
            let newest = bubbles.iter().map(|bubble| bubble.number).max().unwrap_or(known);
            news.after.insert(twin.clone(), newest);
            news.bubbles.extend(bubbles.into_iter().map(|bubble| self.shown(&twin, bubble)));
        }
        news
    }

    fn shown(&self, twin: &str, bubble: Bubble) -> Shown {
        let sent = bubble.dispatch.and_then(|number| self.house.sent(twin, number));
        let delivery = sent.as_ref().map(|sent| match sent.attempts.last() {
            Some(last) if sent.satisfied => format!("acknowledged in {} ms", last.took_ms.unwrap_or(0)),
            Some(last) => format!("not acknowledged yet: {}", outcome(last)),
            None => "on its way to the bot".to_owned(),
        });
        Shown { twin: twin.to_owned(), delivery, bubble }
    }

    fn life(&self, twin: &str, id: &str) -> Response {
        let bubbles = self.house.bubbles(twin, 0).unwrap_or_default();
        let Some(bubble) = bubbles.into_iter().find(|bubble| bubble.id == id) else {
            return Response::text(404, "this message is not known any more\n");
        };
        let sent = bubble.dispatch.and_then(|number| self.house.sent(twin, number));
        let mut steps = sent.as_ref().map(dispatched).unwrap_or_default();
        match self.kept(twin, &bubble) {
            Ok(kept) => steps.extend(kept),
            Err(error) => steps.push(Step { what: format!("the store cannot be read: {error}"), ..Step::default() }),
        }
        let at = |step: &Step| step.at.unwrap_or(Moment(i64::MAX));
        let steps = in_order(steps, |one, other| at(one) > at(other));
        let title = match bubble.side {
            Side::Person => format!("Sent to the bot as {id}"),
            Side::Bot => format!("Said by the bot; the platform calls it {id}"),
        };
        json(&Told { title, steps })
    }

    /// What the store says of a message: what a person said is an event, what the bot said is a reply to one.
    fn kept(&self, twin: &str, bubble: &Bubble) -> Result<Vec<Step>, StoreError> {
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        let reader = Reader::beside(store)?;
        let found = match bubble.side {
            Side::Bot => reader.said_as(&bubble.id)?.map(|(event, part)| (event, Some(part))),
            Side::Person => {
                let names = ["", "messages:created:", "attachmentActions:created:"];
                let mut found = None;
                for name in names {
                    found = found.or(reader.find(&format!("{name}{}", bubble.id))?);
                }
                found.map(|event| (event, None))
            }
        };
        let Some((event, part)) = found else { return Ok(Vec::new()) };
        let bot = self.bot_of(twin);
        Ok(reader.life(event)?.map(|life| life::steps(&life, part, bot)).unwrap_or_default())
    }
}

/// What its platform did to tell the bot.
fn dispatched(sent: &SentEntry) -> Vec<Step> {
    let headers: String = sent.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let bytes = format!("{} {}\n{headers}\n{}", sent.method, sent.url, sent.body);
    let made = Step::at(sent.made, "the platform made a webhook of it");
    let mut steps = vec![Step { bytes: Some(bytes), ..made.more("signed over exactly these bytes") }];
    steps.extend(sent.attempts.iter().map(|attempt| {
        let mood = if attempt.status == Some(200) { Mood::Good } else { Mood::Bad };
        let step = Step::at(attempt.ended, format!("the platform heard: {}", outcome(attempt))).mood(mood);
        match attempt.took_ms {
            Some(took) => step.more(format!("{took} ms after it was sent")),
            None => step,
        }
    }));
    steps
}

fn outcome(attempt: &AttemptEntry) -> Cow<'_, str> {
    match (attempt.status, &attempt.failure) {
        (Some(status), _) => format!("HTTP {status}").into(),
        (None, Some(why)) => why.into(),
        (None, None) => "nothing".into(),
    }
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => Response::json(200, body),
        Err(error) => Response::text(500, format!("this cannot be written as JSON: {error}\n")),
    }
}

/// A query as the page writes it.
struct Query<'a>(&'a str);

impl Query<'_> {
    fn get(&self, name: &str) -> String {
        let value = self.0.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        unpercent_text(value.unwrap_or_default(), false)
    }

    /// `page:12,space:3` as numbers by name.
    fn numbers(&self, name: &str) -> Shelf<String, u64> {
        let list = self.get(name);
        let pairs = list.split(',').filter_map(|pair| pair.rsplit_once(':'));
        pairs.filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn a_query_is_read_as_the_page_writes_it() {
        let query = Query("after=page%3A12,my%20twin:3,odd,x:y&twin=a%2Bb%zz%");
        let numbers = Shelf::from([("page".to_owned(), 12), ("my twin".to_owned(), 3)]);
        assert_eq!(query.numbers("after"), numbers);
        assert_eq!(query.get("twin"), "a+b%zz%");
        assert_eq!(query.get("none"), "");
    }

    #[test]
    fn what_is_sent_is_the_page() {
        let mut page = String::new();
        GzDecoder::new(CHAT).read_to_string(&mut page).unwrap();
        // Without the blanks before a line and lines that are a comment.
        let lines = include_str!("chat.html").lines().map(str::trim_start);
        let lines = lines.filter(|line| !line.starts_with("//") && !line.is_empty());
        assert!(page.lines().eq(lines), "{page}");
        assert!(CHAT.len() * 2 < page.len(), "{} of {} bytes", CHAT.len(), page.len());
    }

    #[test]
    fn the_page_fetches_nothing_from_elsewhere() {
        for from_elsewhere in ["src=\"http", "href=\"http", "url(http", "@import", "import("] {
            assert!(!include_str!("chat.html").contains(from_elsewhere), "{from_elsewhere}");
        }
    }
}
