//! Messenger: the pages of Facebook, over Meta's webhooks and Send API (facts: messenger.md, by section).
//!
//!     verify   is it Meta who asks?          gate; GET verification; HMAC-SHA256 over the bytes as received
//!     read     POST body → Arrivals          every item of every entry, none left out, most of them ignored
//!     recall   kept bytes → Event            the same item again, in full, for the bot
//!     fit      Reply → Replies               cut to the Send API's sizes, or a sentence that says why not
//!     write    Reply → OutboundRequest       POST /me/messages
//!     judge    Outcome → Delivery            by code and subcode, never by message
//!
//! The hot way is gate → read: it decodes no text and copies an item's bytes once. `notation::json` reads leniently
//! enough to make an odd item an ignored event instead of a failed delivery, since Meta answers failures by leaving (§5).
//! Never here: bots, the store, the network, the clock. Read next: `read.rs`.

mod fit;
mod judge;
mod read;
mod recall;
mod verify;
mod write;

use super::{Kept, Platform, Reading, Recalled, Unsayable};
use crate::limits;
use crate::model::{
    Delivery, Head, Method, Moment, OutboundRequest, Outcome, Refusal, Reply, Request, Response, Secret,
};
use ring::hmac;
use std::time::Duration;

/// What the operator says about one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What was typed as "verify token" in the App Dashboard.
    pub verify_token: Secret,
    /// The app's secret; while it is being rotated, the new one and then the old one.
    pub app_secrets: Vec<Secret>,
    /// The page's token.
    pub access_token: Secret,
    /// Base of the Graph API, with its version: `https://graph.facebook.com/v25.0`.
    pub api: String,
    /// Prove with each call that we know the app's secret; Meta can be told to insist (messenger.md §6).
    pub appsecret_proof: bool,
    /// Put the page's token into the query, as documented, instead of a header that no log keeps.
    pub token_in_query: bool,
    /// Hear this page only: one app may be subscribed to several, and one token answers for one.
    pub page_id: Option<String>,
}

impl Settings {
    /// The Graph API of today.
    pub const API: &str = "https://graph.facebook.com/v25.0";

    /// What has no default; everything else is as it is when the configuration does not name it.
    pub fn new(verify_token: Secret, app_secrets: Vec<Secret>, access_token: Secret) -> Settings {
        Settings {
            verify_token,
            app_secrets,
            access_token,
            api: Settings::API.to_owned(),
            appsecret_proof: false,
            token_in_query: false,
            page_id: None,
        }
    }

    /// A call with the token, as the Graph API is to see it.
    pub fn sign(&self, call: OutboundRequest) -> OutboundRequest {
        let secret = self.app_secrets.first().filter(|_| self.appsecret_proof);
        let key = secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()));
        let proof = key.map(|key| write::proof(&key, self));
        OutboundRequest {
            bearer: (!self.token_in_query).then(|| self.access_token.clone()),
            secret_query: write::secret_query(self, proof.as_ref()),
            ..call
        }
    }
}

/// One page.
pub struct Messenger {
    settings: Settings,
    /// The app's secrets, made ready for HMAC.
    keys: Vec<hmac::Key>,
    /// Where replies go.
    messages_url: String,
    /// What must be in each call's query and in no log.
    secret_query: Option<Secret>,
    /// All that must not be repeated in words of ours, even if Meta does.
    hidden: Vec<Secret>,
}

/// Conversations that only a plug-in's reference names begin so (messenger.md §3); the rest is the reference.
const USER_REF: &str = "user_ref:";

impl Messenger {
    /// A page by its settings. Without an app secret it refuses every delivery.
    pub fn new(settings: Settings) -> Messenger {
        let key = |secret: &Secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        let keys: Vec<_> = settings.app_secrets.iter().map(key).collect();
        let proof = keys.first().filter(|_| settings.appsecret_proof).map(|key| write::proof(key, &settings));
        let mut hidden = vec![settings.verify_token.clone(), settings.access_token.clone()];
        hidden.extend(settings.app_secrets.iter().cloned());
        hidden.extend(proof.clone());
        let messages_url = format!("{}/me/messages", settings.api.trim_end_matches('/'));
        let secret_query = write::secret_query(&settings, proof.as_ref());
        Messenger { settings, keys, messages_url, secret_query, hidden }
    }

    /// The same as [`Platform::fit`], which is the same for all pages.
    pub fn fit_any(reply: Reply) -> Result<Vec<Reply>, Unsayable> {
        fit::fit(reply)
    }
}

fn other_method() -> Refusal {
    Refusal { allow: Some("GET, POST"), ..Refusal::new(405, "this address takes Meta's GET and POST only") }
}

impl Platform for Messenger {
    fn name(&self) -> &'static str {
        "messenger"
    }

    fn window(&self) -> Option<Duration> {
        Some(limits::MESSENGER_WINDOW)
    }

    fn gate(&self, head: &Head) -> Result<(), Refusal> {
        match head.method {
            Method::Get => Ok(()),
            Method::Post => verify::digits(head).map(drop),
            _ => Err(other_method()),
        }
    }

    fn read(&self, request: &Request) -> Result<Reading, Refusal> {
        match request.head.method {
            Method::Get => {
                return verify::challenge(request.head.query(), &self.settings.verify_token).map(Reading::Answer);
            }
            Method::Post => verify::body(request, &self.keys)?,
            _ => return Err(other_method()),
        }
        let (arrivals, notes) = read::arrivals(&request.body, self.settings.page_id.as_deref())?;
        // The words of Meta's own sample; the body is free (messenger.md §5).
        Ok(Reading::Events { arrivals, response: Response::text(200, "EVENT_RECEIVED"), notes })
    }

    fn recall(&self, kept: &Kept<'_>, _found: Option<&Outcome>, _attempt: u32, _now: Moment) -> Recalled {
        match recall::event(kept) {
            Ok(event) => Recalled::Event(event),
            Err(why) => Recalled::Failed(Delivery::Dead { why }),
        }
    }

    fn fit(&self, reply: Reply) -> Result<Vec<Reply>, Unsayable> {
        Messenger::fit_any(reply)
    }

    fn write(&self, reply: &Reply, tag: &str) -> Result<OutboundRequest, Unsayable> {
        let by_header = !self.settings.token_in_query;
        Ok(OutboundRequest {
            bearer: by_header.then(|| self.settings.access_token.clone()),
            secret_query: self.secret_query.clone(),
            ..OutboundRequest::json(Method::Post, self.messages_url.clone(), write::body(reply, tag)?)
        })
    }

    fn judge(&self, outcome: &Outcome, attempt: u32, now: Moment) -> Delivery {
        judge::delivery(outcome, attempt, now, &self.hidden)
    }
}
