//! What Webex tells a bot's webhooks: a notification without the text (webex.md §5), signed where there is a secret (§6).

use super::people::People;
use super::webhooks::{Shown, Webhook, Webhooks};
use crate::limits::WEBEX_TOLD_MAX;
use crate::model::{Method, Moment, Secret};
use crate::twin::{Dispatch, End};
use ring::hmac;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the bot may take to answer. Webex names no figure (webex.md §5: "design as if it waits few seconds").
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Something that happened to a resource.
#[derive(Debug)]
pub(super) struct Happening {
    resource: &'static str,
    event: &'static str,
    /// Who did it, by id.
    actor: String,
    /// The resource without what is encrypted.
    data: Box<RawValue>,
    /// What a filter can ask for, with each value that it has.
    traits: Vec<(&'static str, String)>,
    /// The message whose bubble the notification belongs to.
    message: Option<String>,
}

impl Happening {
    /// The same, with the message whose bubble it belongs to.
    pub(super) fn of(self, message: &str) -> Happening {
        Happening { message: Some(message.to_owned()), ..self }
    }

    /// `None` only for data that is no JSON, and there is none.
    pub(super) fn new(
        resource: &'static str,
        event: &'static str,
        actor: &str,
        data: &impl Serialize,
        traits: Vec<(&'static str, String)>,
    ) -> Option<Happening> {
        let data = serde_json::value::to_raw_value(data).ok()?;
        Some(Happening { resource, event, actor: actor.to_owned(), data, traits, message: None })
    }
}

/// Numbers what is sent, and remembers for a while whom it told of what.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    last: u64,
    told: BTreeMap<u64, Told>,
}

/// Which webhook was told of which message.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub webhook: String,
    pub message: Option<String>,
}

impl Outbox {
    /// One dispatch for each webhook that wants to know.
    pub(super) fn tell(
        &mut self,
        happening: &Happening,
        webhooks: &Webhooks,
        people: &People,
        now: Moment,
    ) -> Vec<Dispatch> {
        let mut dispatches = Vec::new();
        for webhook in webhooks.iter() {
            if !webhook.wants(happening.resource, happening.event, &happening.traits) {
                continue;
            }
            self.last += 1;
            self.told.insert(self.last, Told { webhook: webhook.id.clone(), message: happening.message.clone() });
            if self.told.len() > WEBEX_TOLD_MAX {
                self.told.pop_first();
            }
            dispatches.push(dispatch(self.last, happening, webhook, people, now));
        }
        dispatches
    }

    /// What a dispatch told, and to whom. It is remembered, since the same one may end twice.
    pub(super) fn told(&self, number: u64) -> Option<Told> {
        self.told.get(&number).cloned()
    }
}

fn dispatch(number: u64, happening: &Happening, webhook: &Webhook, people: &People, now: Moment) -> Dispatch {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Notification<'a> {
        #[serde(flatten)]
        webhook: Shown<'a>,
        actor_id: &'a str,
        data: &'a RawValue,
    }

    let notification = Notification {
        webhook: webhook.told(happening.resource, happening.event, people),
        actor_id: &happening.actor,
        data: &happening.data,
    };
    // Only maps with keys that are no texts fail, and there is none.
    let body = serde_json::to_vec(&notification).unwrap_or_default();
    let headers = webhook.secret.iter().map(|secret| ("X-Spark-Signature", signature(secret, &body)));
    Dispatch {
        number,
        attempt: 1,
        due: now,
        method: Method::Post,
        url: webhook.target_url.clone(),
        headers: headers.collect(),
        body,
        patience: PATIENCE,
    }
}

/// HMAC-SHA1 of the body, in lower hex.
fn signature(secret: &Secret, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
    hmac::sign(&key, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Any 2xx in time is good; the body does not count.
pub(super) fn went_well(end: &End) -> bool {
    matches!(end, End::Answered { status: 200..=299, took, .. } if *took <= PATIENCE)
}
