//! Meta's side of one page: events to the webhook, the Send API, and what registers the one and the other.
//!
//!     act, batch ──▶ events ──▶ one signed POST ──▶ ended: satisfied, tried again, or the app is off the page
//!     call.rs    a request as parameters          send.rs     POST /me/messages         check.rs   what a message may be
//!     graph.rs   every other edge                 error.rs    refusals, by code         wire.rs    bytes and signature
//!     chat.rs    what was said, as a chat shows it
//!
//! Facts: messenger.md, by section. What the facts call unconfirmed is let pass. Bot and page never share code with
//! `platform/messenger`, which is tested against this.

mod call;
mod chat;
mod check;
mod error;
mod events;
mod graph;
mod send;
mod wire;

use super::{Act, Bubble, Chance, Conversation, Dispatch, End, Mishap, Reaction, Twin};
use crate::limits;
use crate::model::{Method, Moment, Request, Response, Secret};
use crate::notation::percent;
use crate::notation::shelf::Shelf;
use call::Call;
use chat::Chat;
use error::GraphError;
use ring::hmac;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What a page's twin has to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The app's name, as `subscribed_apps` shows it.
    pub name: String,
    /// Where events go, until `/{app-id}/subscriptions` says otherwise.
    pub webhook_url: String,
    pub app_secret: Secret,
    pub verify_token: Secret,
    /// The page's token.
    pub access_token: Secret,
    pub page_id: String,
    pub page_name: String,
    pub app_id: String,
    pub people: Vec<Person>,
    /// What the page's app is subscribed to; with nothing it is not on the page, and hears nothing.
    pub fields: Vec<String>,
    /// An answer later than this is a failure (messenger.md §5).
    pub patience: Duration,
    /// How long to wait before each further try of a delivery; after the last one it is given up.
    pub retries: Vec<Duration>,
    /// A webhook that fails for so long loses the page (messenger.md §5).
    pub unsubscribes_after: Duration,
    /// How long after a message the person has it; reading takes as long again.
    pub receipts_after: Duration,
    /// Calls of the Send API that the page has in a second (messenger.md §8); without, as many as come.
    pub sends_per_second: Option<u32>,
    /// Whether calls must prove that they know the app's secret.
    pub requires_proof: bool,
    /// Whether a new callback address must pass the verification before it counts.
    pub verifies: bool,
    /// What ids are drawn from, together with the time.
    pub seed: u64,
}

/// Somebody who can write to the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The page-scoped id.
    pub id: String,
    pub name: String,
    /// When they last did something that opens the 24-hour window.
    pub last_act: Option<Moment>,
    /// They blocked the page.
    pub gone: bool,
}

impl Person {
    /// Somebody who has not written yet.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Person {
        Person { id: id.into(), name: name.into(), last_act: None, gone: false }
    }
}

impl Settings {
    /// A page with two people, subscribed to all that the twin can tell, as strict and as patient as Meta.
    pub fn new(webhook_url: String, app_secret: Secret, verify_token: Secret, access_token: Secret) -> Settings {
        let told = ["messages", "messaging_postbacks", "message_echoes", "message_deliveries", "message_reads"];
        Settings {
            name: "ackd".to_owned(),
            webhook_url,
            app_secret,
            verify_token,
            access_token,
            page_id: "104455667788990".to_owned(),
            page_name: "A page".to_owned(),
            app_id: "482915736608214".to_owned(),
            people: vec![Person::new("7012345678901234", "Ada"), Person::new("6998877665544332", "Ben")],
            fields: told.map(str::to_owned).to_vec(),
            patience: Duration::from_secs(5),
            // At once, then less and less often, past the hour after which Meta leaves (messenger.md §5).
            retries: [0, 15, 60, 300, 600, 900, 900, 900].map(Duration::from_secs).to_vec(),
            unsubscribes_after: Duration::from_secs(3600),
            receipts_after: Duration::from_millis(50),
            sends_per_second: Some(300),
            requires_proof: false,
            verifies: true,
            seed: 1,
        }
    }
}

/// A stand-in for Meta, for one page.
pub struct Messenger {
    settings: Settings,
    key: hmac::Key,
    chance: Chance,
    chat: Chat,
    /// What the app is subscribed to on the page; nothing when it is not there.
    fields: Vec<String>,
    /// Where the app's events go.
    callback: Option<Callback>,
    profile: Map<String, Value>,
    /// Dispatches that have not ended.
    open: Shelf<u64, Open>,
    dispatches: u64,
    failing_since: Option<Moment>,
    /// The second that is counted, and the sends in it.
    sends: (i64, u32),
    /// How the next sends fail although nothing is wrong with them.
    failures: Vec<Failure>,
    /// The verification that the last call asked for.
    asked: Option<u64>,
}

/// A send that fails by the platform's own fault or wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// 1200: try again later.
    Temporary,
    /// 2: the service is not there.
    Service,
    /// 613: too many.
    Rate,
    /// 551: the person is not available.
    Unavailable,
}

/// An app's subscription to pages.
#[derive(Clone, Debug)]
struct Callback {
    url: String,
    verify_token: Secret,
    fields: Vec<String>,
    active: bool,
}

/// What a dispatch that has not ended is about.
#[derive(Debug)]
enum Open {
    /// Events of these bubbles, in this lane.
    Told { lane: u64, bubbles: Vec<String> },
    /// Whether an address is the bot's; if so, it becomes the callback.
    Asked { challenge: String, wanted: Callback },
}

impl Messenger {
    /// A page on which nothing was said.
    pub fn new(settings: Settings) -> Messenger {
        let callback = Callback {
            url: settings.webhook_url.clone(),
            verify_token: settings.verify_token.clone(),
            fields: settings.fields.clone(),
            active: true,
        };
        Messenger {
            key: hmac::Key::new(hmac::HMAC_SHA256, settings.app_secret.expose().as_bytes()),
            chance: Chance::new(settings.seed),
            chat: Chat::default(),
            fields: settings.fields.clone(),
            callback: Some(callback),
            profile: Map::new(),
            open: Shelf::new(),
            dispatches: 0,
            failing_since: None,
            sends: (0, 0),
            failures: Vec::new(),
            asked: None,
            settings,
        }
    }

    /// The next send meets this; several are met in order.
    pub fn fail_next(&mut self, failure: Failure) {
        self.failures.push(failure);
    }

    /// Whether the app is on the page: after an hour of failures it is not (messenger.md §5).
    pub fn is_subscribed(&self) -> bool {
        !self.fields.is_empty()
    }

    /// The question whether an address is the bot's (messenger.md §2); `act`'s events go there only afterwards.
    fn ask(&mut self, wanted: Callback, now: Moment) -> Dispatch {
        let challenge = (1_000_000_000 + self.draw(now) % 1_000_000_000).to_string();
        let joint = if wanted.url.contains('?') { '&' } else { '?' };
        let token = percent(wanted.verify_token.expose());
        let url = format!(
            "{}{joint}hub.mode=subscribe&hub.challenge={challenge}&hub.verify_token={token}",
            wanted.url.split('#').next().unwrap_or_default()
        );
        let headers = vec![("User-Agent", "facebookplatform/1.0 (+http://developers.facebook.com)".to_owned())];
        let number = self.number(Open::Asked { challenge, wanted });
        let patience = self.settings.patience;
        Dispatch { number, attempt: 1, due: now, method: Method::Get, url, headers, body: Vec::new(), patience }
    }

    fn number(&mut self, open: Open) -> u64 {
        self.dispatches += 1;
        self.open.insert(self.dispatches, open);
        self.dispatches
    }

    /// A number by chance. The time is in it, so that a twin begun anew names nothing by the same id.
    fn draw(&mut self, now: Moment) -> u64 {
        self.chance.draw() ^ Chance::new(now.0.unsigned_abs()).draw()
    }

    /// An id like `m_a4ayc_80_OGda4BO_1o_V0etpOqiLx1JwB5S3beHW0s_1`.
    fn mid(&mut self, now: Moment) -> String {
        const LETTERS: [char; 64] = letters();
        let mut mid = "m_".to_owned();
        for _ in 0..5 {
            let drawn = self.draw(now);
            let letter = |at: u32| LETTERS.get((drawn >> (at * 6)) as usize % LETTERS.len());
            mid.extend((0..10).filter_map(letter));
        }
        mid
    }

    fn trace(&mut self, now: Moment) -> String {
        let (one, other) = (self.draw(now), self.draw(now));
        format!("A{one:016x}{:06x}", other & 0x00ff_ffff)
    }

    fn person(&self, id: &str) -> Option<&Person> {
        self.settings.people.iter().find(|person| person.id == id)
    }

    /// What share of the page's calls in this second is used up, as the usage headers tell it (messenger.md §8).
    fn with_usage(&self, response: Response) -> Response {
        let (_, sends) = self.sends;
        let percent = self.settings.sends_per_second.map_or(0, |most| sends.saturating_mul(100) / most.max(1)).min(100);
        let app = json!({ "call_count": percent, "total_time": percent / 4, "total_cputime": percent / 4 });
        let page = json!([{
            "type": "messenger",
            "call_count": percent,
            "total_cputime": percent / 4,
            "total_time": percent / 4,
            "estimated_time_to_regain_access": 0,
        }]);
        let page = Value::Object(Map::from_iter([(self.settings.page_id.clone(), page)]));
        response.with("X-App-Usage", app.to_string()).with("X-Business-Use-Case-Usage", page.to_string())
    }
}

impl Twin for Messenger {
    fn platform(&self) -> &'static str {
        "messenger"
    }

    fn conversations(&self) -> Vec<Conversation> {
        let conversation = |person: &Person| Conversation {
            id: person.id.clone(),
            title: person.name.clone(),
            platform: "messenger",
            group: false,
        };
        self.settings.people.iter().map(conversation).collect()
    }

    fn people(&self) -> Vec<String> {
        self.settings.people.iter().map(|person| person.id.clone()).collect()
    }

    fn act(&mut self, act: &Act, now: Moment) -> Result<Vec<Dispatch>, String> {
        self.tell(std::slice::from_ref(act), now)
    }

    fn batch(&mut self, acts: &[Act], now: Moment) -> Result<Vec<Dispatch>, String> {
        if acts.len() > limits::BATCH_EVENTS_MAX {
            return Err(format!("a batch has at most {} events", limits::BATCH_EVENTS_MAX));
        }
        self.tell(acts, now)
    }

    fn verify(&mut self, now: Moment) -> Option<Dispatch> {
        let wanted = self.callback.clone()?;
        Some(self.ask(wanted, now))
    }

    fn answer(&mut self, request: &Request, now: Moment) -> Reaction {
        let reaction = Call::read(request).and_then(|call| self.react(&call, now));
        let mut reaction = reaction.unwrap_or_else(|refused| {
            let response = refused.response(&self.trace(now));
            Reaction { response, dispatches: Vec::new() }
        });
        reaction.response = self.with_usage(reaction.response);
        reaction
    }

    fn mishap(&mut self, mishap: Mishap, now: Moment) -> Response {
        let refused = match mishap {
            Mishap::Busy { .. } => GraphError::rate(),
            Mishap::TokenExpired => GraphError::expired_token(),
            Mishap::Broken => GraphError::service(),
            Mishap::Unverified => GraphError::unverified(),
        };
        let response = refused.response(&self.trace(now));
        self.with_usage(response)
    }

    fn waits_for(&mut self) -> Option<u64> {
        self.asked.take()
    }

    fn lane(&self, dispatch: &Dispatch) -> u64 {
        match self.open.get(&dispatch.number) {
            Some(Open::Told { lane, .. }) => *lane,
            _ => 0,
        }
    }

    fn is_satisfied(&self, dispatch: &Dispatch, end: &End) -> bool {
        let End::Answered { status: 200, body, took } = end else { return false };
        match self.open.get(&dispatch.number) {
            Some(Open::Asked { challenge, .. }) => body == challenge.as_bytes(),
            _ => *took <= dispatch.patience,
        }
    }

    fn ended(&mut self, dispatch: &Dispatch, end: &End, now: Moment) -> Vec<Dispatch> {
        let satisfied = self.is_satisfied(dispatch, end);
        match self.open.remove(&dispatch.number) {
            Some(Open::Asked { wanted, .. }) => {
                if satisfied {
                    self.callback = Some(Callback { active: true, ..wanted });
                }
                Vec::new()
            }
            Some(Open::Told { lane, bubbles }) => {
                // A bubble that somebody waits with shows at once how its delivery went.
                bubbles.iter().for_each(|bubble| self.chat.change(bubble, |_| {}));
                if satisfied {
                    self.failing_since = None;
                    return Vec::new();
                }
                self.try_again(dispatch, Open::Told { lane, bubbles }, now).into_iter().collect()
            }
            None => Vec::new(),
        }
    }

    fn bubbles(&self, after: u64) -> Vec<Bubble> {
        self.chat.since(after)
    }
}

impl Messenger {
    fn try_again(&mut self, dispatch: &Dispatch, open: Open, now: Moment) -> Option<Dispatch> {
        let since = *self.failing_since.get_or_insert(now);
        if now.since(since) >= self.settings.unsubscribes_after {
            self.fields.clear();
        }
        if !self.is_subscribed() {
            return None;
        }
        let tries = usize::try_from(dispatch.attempt).unwrap_or(usize::MAX);
        let wait = *self.settings.retries.get(tries.saturating_sub(1))?;
        self.open.insert(dispatch.number, open);
        Some(Dispatch { attempt: dispatch.attempt + 1, due: now.after(wait), ..dispatch.clone() })
    }
}

/// The letters of an id, 64 of them.
const fn letters() -> [char; 64] {
    let mut letters = ['-'; 64];
    let signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    let mut at = 0;
    #[allow(clippy::indexing_slicing, reason = "both have 64, and the compiler runs it")]
    while at < 64 {
        letters[at] = signs[at] as char;
        at += 1;
    }
    letters
}
