//! Webex: bots in its rooms, over its webhooks and Messages API (facts: webex.md, by section).
//!
//!     verify    is it Webex who asks?         gate; HMAC-SHA1 over the bytes as received
//!     notice    what a notification says      and the loop guard: whom the bot hears
//!     read      POST body → Arrival           one notification is one event; it holds no text
//!     recall    look-up, found → Event        GET the message or the card's inputs; mentions of the bot stripped
//!     fit       Reply → Replies               cut to 7439 bytes; what can be tapped becomes a card
//!     write     Reply → OutboundRequest       POST /messages
//!     judge     Outcome → Delivery            by status alone
//!
//! The guard needs to know who the bot is, so a bot is introduced (GET /people/me) before it hears for the first time.
//! Until then notifications are kept as if all were for it, and the guard decides when their turn comes.
//! Never here: bots, the store, the network, the clock. Read next: `notice.rs`.

mod card;
mod fit;
mod id;
mod judge;
mod mention;
mod multipart;
mod notice;
mod read;
mod recall;
mod verify;
mod write;

use super::spelling::{hash, too_long};
use super::{Account, Kept, Platform, Reading, Recalled, Unsayable};
use crate::model::{
    Delivery, Head, Method, Moment, OutboundRequest, Outcome, Refusal, Reply, Request, Response, Secret,
};
use ring::hmac;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// What the operator says about one bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The bot's token, from the developer site.
    pub access_token: Secret,
    /// The webhook's secret; while it is being rotated, the new one and then the old one.
    pub secrets: Vec<Secret>,
    /// Base of the API: `https://webexapis.com/v1`.
    pub api: String,
    /// What is said in a room that the bot was taken into.
    pub greeting: Option<String>,
    pub replies: Replies,
    /// Hear other bots, too.
    pub bots_may_talk: bool,
}

/// Where an answer is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replies {
    /// In the room, or in the thread that the message came in.
    #[default]
    Room,
    /// Always in a thread: the message's own, or a new one below it.
    Thread,
}

impl Settings {
    /// The API of today; `api.ciscospark.com` is its old name (webex.md §2).
    pub const API: &str = "https://webexapis.com/v1";

    /// What has no default; everything else is as it is when the configuration does not name it.
    pub fn new(access_token: Secret, secrets: Vec<Secret>) -> Settings {
        Settings {
            access_token,
            secrets,
            api: Settings::API.to_owned(),
            greeting: None,
            replies: Replies::default(),
            bots_may_talk: false,
        }
    }
}

/// One bot.
pub struct Webex {
    settings: Settings,
    /// The webhook's secrets, made ready for HMAC.
    keys: Vec<hmac::Key>,
    /// Without a slash at its end.
    api: String,
    token_mark: String,
    /// All that must not be repeated in words of ours, even if Webex does.
    hidden: Vec<Secret>,
    /// Who we are, once we know.
    me: RwLock<Option<Account>>,
}

impl Webex {
    /// A bot by its settings. Without a secret it refuses every delivery.
    pub fn new(settings: Settings) -> Webex {
        let key = |secret: &Secret| hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
        let keys = settings.secrets.iter().map(key).collect();
        let mut hidden = vec![settings.access_token.clone()];
        hidden.extend(settings.secrets.iter().cloned());
        let api = settings.api.trim_end_matches('/').to_owned();
        let token_mark = hash(settings.access_token.expose());
        Webex { settings, keys, api, token_mark, hidden, me: RwLock::new(None) }
    }

    /// The same as [`Platform::fit`], which is the same for all bots.
    pub fn fit_any(reply: Reply) -> Result<Vec<Reply>, Unsayable> {
        fit::fit(reply)
    }

    fn me(&self) -> RwLockReadGuard<'_, Option<Account>> {
        // Whoever panicked while holding it had either written all of it or nothing.
        self.me.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, path: &str) -> OutboundRequest {
        let bearer = Some(self.settings.access_token.clone());
        OutboundRequest { bearer, ..OutboundRequest::get(format!("{}/{path}", self.api)) }
    }
}

impl Platform for Webex {
    fn name(&self) -> &'static str {
        "webex"
    }

    fn gate(&self, head: &Head) -> Result<(), Refusal> {
        match head.method {
            Method::Post => verify::digits(head).map(drop),
            _ => Err(Refusal { allow: Some("POST"), ..Refusal::new(405, "this address takes Webex's POST only") }),
        }
    }

    fn read(&self, request: &Request) -> Result<Reading, Refusal> {
        self.gate(&request.head)?;
        verify::body(request, &self.keys)?;
        let arrival = read::arrival(&request.body, self.me().as_ref(), self.settings.bots_may_talk)?;
        // Webex does not look at the body (webex.md §5); it is for people who try it by hand.
        Ok(Reading::Events { arrivals: vec![arrival], response: Response::text(200, "kept"), notes: Vec::new() })
    }

    fn look_up(&self, kept: &Kept<'_>) -> Result<Option<OutboundRequest>, Box<Recalled>> {
        let question = recall::question(kept, self.me().as_ref(), self.settings.bots_may_talk)?;
        Ok(question.map(|path| self.get(&path)))
    }

    fn recall(&self, kept: &Kept<'_>, found: Option<&Outcome>, _attempt: u32, now: Moment) -> Recalled {
        recall::Recall { settings: &self.settings, me: self.me().as_ref(), hidden: &self.hidden, now }.of(kept, found)
    }

    fn fit(&self, reply: Reply) -> Result<Vec<Reply>, Unsayable> {
        Webex::fit_any(reply)
    }

    fn takes_uploads(&self) -> bool {
        true
    }

    /// Webex carries no tag: what a message of ours proves, its text proves (`Recalled::Own`).
    fn write(&self, reply: &Reply, _tag: &str) -> Result<OutboundRequest, Unsayable> {
        let bearer = Some(self.settings.access_token.clone());
        let url = format!("{}/messages", self.api);
        let write::Body { content_type, bytes } = write::body(reply)?;
        Ok(OutboundRequest { bearer, content_type, ..OutboundRequest::json(Method::Post, url, bytes) })
    }

    fn judge(&self, outcome: &Outcome, _attempt: u32, now: Moment) -> Delivery {
        judge::delivery(outcome, now, &self.hidden)
    }

    fn introduction(&self) -> Option<OutboundRequest> {
        Some(self.get("people/me"))
    }

    fn introduced(&self, outcome: &Outcome, now: Moment) -> Result<Account, Box<Delivery>> {
        let (id, name) = judge::introduced(outcome, now, &self.hidden).map_err(Box::new)?;
        Ok(Account { id, name, token_mark: self.token_mark.clone() })
    }

    fn meet(&self, account: Account) {
        if account.token_mark == self.token_mark && !account.id.is_empty() && !too_long(&account.id) {
            *self.me.write().unwrap_or_else(PoisonError::into_inner) = Some(account);
        }
    }

    fn is_introduced(&self) -> bool {
        self.me().is_some()
    }

    fn greeting(&self) -> Option<&str> {
        self.settings.greeting.as_deref()
    }
}
