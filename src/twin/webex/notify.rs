//! What Webex tells a bot's webhooks: a notification without the text (webex.md §5), signed where there is a secret (§6).

use super::people::People;
use super::webhooks::{Shown, Webhook, Webhooks};
use crate::limits::WEBEX_TOLD_MAX;
use crate::model::{Method, Moment, Secret};
use crate::notation::hex;
use crate::notation::shelf::Shelf;
use crate::twin::{Dispatch, End};
use ring::hmac;
use serde::Serialize;
use serde_json::value::RawValue;
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

    /// The room that it happened in, as a number.
    fn lane(&self) -> u64 {
        let room = self.traits.iter().find(|(name, _)| *name == "roomId").map_or("", |(_, room)| room);
        room.bytes().fold(0, |lane: u64, byte| lane.wrapping_mul(31).wrapping_add(u64::from(byte)))
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
    told: Shelf<u64, Box<Told>>,
}

/// Which webhook was told of which message.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub webhook: String,
    pub message: Option<String>,
    /// The room as a number: what is told of one room is told in order.
    pub lane: u64,
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
        let lane = happening.lane();
        for webhook in webhooks.iter() {
            if !webhook.wants(happening.resource, happening.event, &happening.traits) {
                continue;
            }
            self.last += 1;
            let (id, message) = (webhook.id.clone(), happening.message.clone());
            self.told.insert(self.last, Box::new(Told { webhook: id, message, lane }));
            if self.told.len() > WEBEX_TOLD_MAX {
                self.told.pop_first();
            }
            dispatches.push(dispatch(self.last, happening, webhook, people, now));
        }
        dispatches
    }

    /// What a dispatch told, and to whom. It is remembered, since the same one may end twice.
    pub(super) fn told(&self, number: u64) -> Option<Told> {
        self.told.get(&number).map(|told| Told::clone(told))
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
    hex(hmac::sign(&key, body).as_ref())
}

/// Any 2xx in time is good; the body does not count.
pub(super) fn went_well(end: &End) -> bool {
    matches!(end, End::Answered { status: 200..=299, took, .. } if *took <= PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_vectors() {
        const SECRET: &str = "86dacc007724d8ea666f88fc77d918dad9537a15";
        let direct = include_bytes!("../../../tests/fixtures/webex/message_created_direct.json").as_slice();
        let pretty = include_bytes!("../../../tests/fixtures/webex/message_created_direct_pretty.json").as_slice();
        let own = include_bytes!("../../../tests/fixtures/webex/own_message.json").as_slice();
        for (secret, body, expected) in [
            (SECRET, direct, "3df5cc4a6a2ed72dec210795e1dc9bc7c4b6cd25"),
            (SECRET, pretty, "bfbd303b2cef1e21f873085fa837d44c10c13d78"),
            (SECRET, own, "2c4035c521c1717572a4df10470198dea7f61c00"),
            ("Sonne ☀️ über dem Dach", direct, "950058dae76fe475e5a2568cbe036e9286407459"),
        ] {
            assert_eq!(signature(&Secret::new(secret), body), expected);
        }
    }

    #[test]
    fn only_a_2xx_in_time_is_good() {
        let answered = |status, took| End::Answered { status, body: Vec::new(), took };
        assert!(went_well(&answered(200, PATIENCE)) && went_well(&answered(299, Duration::ZERO)));
        for end in [
            answered(200, PATIENCE + Duration::from_millis(1)),
            answered(302, Duration::ZERO),
            answered(401, Duration::ZERO),
            End::Failed { why: "refused".to_owned() },
        ] {
            assert!(!went_well(&end), "{end:?}");
        }
    }
}
