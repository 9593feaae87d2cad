//! Webhooks: made, listed, changed and deleted as webex.md §4 says, and switched off after failures (§1).

use super::call::{Members, Page, Query, found, required, text};
use super::id::{Ids, written};
use super::people::People;
use super::posts::beyond_scheme;
use super::refusal::Refused;
use super::rooms::after;
use crate::limits::{WEBEX_WEBHOOK_BYTES_MAX, WEBEX_WEBHOOKS_MAX};
use crate::model::{Moment, Response, Secret};
use serde::Serialize;
use std::collections::VecDeque;
use std::time::Duration;

/// So many failed deliveries …
const FAILURES_MAX: usize = 100;
/// … within this time switch a webhook off; and for as long after it was switched on again, one is enough.
const FAILURES_TIME: Duration = Duration::from_secs(5 * 60);

const RESOURCES: &[&str] = &[
    "all",
    "messages",
    "memberships",
    "rooms",
    "attachmentActions",
    "meetings",
    "recordings",
    "meetingParticipants",
    "meetingTranscripts",
    "convergedRecordings",
    "telephony_calls",
    "telephony_conference",
    "telephony_mwi",
    "uc_counters",
    "serviceApp",
    "dataSources",
    "adminBatchJobs",
];
const EVENTS: &[&str] = &[
    "all",
    "created",
    "updated",
    "deleted",
    "started",
    "ended",
    "joined",
    "left",
    "migrated",
    "authorized",
    "deauthorized",
    "statusChanged",
];

/// What a filter of a resource may ask for.
fn filters(resource: &str) -> &'static [&'static str] {
    match resource {
        "messages" => {
            &["roomId", "roomType", "personId", "personEmail", "mentionedPeople", "hasFiles", "hasAttachments"]
        }
        "memberships" => &["roomId", "personId", "personEmail", "isModerator"],
        "rooms" => &["type", "isLocked"],
        "attachmentActions" => &["roomId", "personId", "messageId"],
        _ => &[],
    }
}

/// A webhook.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    pub id: String,
    name: String,
    pub target_url: String,
    resource: String,
    event: String,
    filter: Option<String>,
    pub secret: Option<Secret>,
    active: bool,
    created: Moment,
    /// When deliveries failed of late.
    failures: VecDeque<Moment>,
    /// When it was switched on again.
    revived: Option<Moment>,
}

/// A webhook as JSON; the API shows the secret in clear, a notification does not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    target_url: &'a str,
    resource: &'a str,
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    org_id: &'a str,
    created_by: &'a str,
    app_id: &'a str,
    owned_by: &'static str,
    status: &'static str,
    created: String,
}

impl Webhook {
    fn shown<'a>(&'a self, people: &'a People) -> Shown<'a> {
        Shown {
            id: &self.id,
            name: &self.name,
            target_url: &self.target_url,
            resource: &self.resource,
            event: &self.event,
            filter: self.filter.as_deref(),
            secret: self.secret.as_ref().map(Secret::expose),
            org_id: &people.organization,
            created_by: &people.bot.id,
            app_id: &people.application,
            owned_by: "creator",
            status: if self.active { "active" } else { "inactive" },
            created: written(self.created),
        }
    }

    /// What stands around the data of a notification; resource and event are those of what happened, which a webhook
    /// for `all` does not name.
    pub(super) fn told<'a>(&'a self, resource: &'a str, event: &'a str, people: &'a People) -> Shown<'a> {
        Shown { resource, event, secret: None, ..self.shown(people) }
    }

    /// Whether it is to be told of this.
    pub(super) fn wants(&self, resource: &str, event: &str, traits: &[(&'static str, String)]) -> bool {
        let one_of = |wanted: &str, is: &str| wanted == "all" || wanted == is;
        self.active && one_of(&self.resource, resource) && one_of(&self.event, event) && self.lets_through(traits)
    }

    fn lets_through(&self, traits: &[(&'static str, String)]) -> bool {
        let fits = |(name, value): (&str, &str)| traits.iter().any(|(is, has)| *is == name && has == value);
        pairs(self.filter.as_deref().unwrap_or_default()).all(fits)
    }

    /// A delivery failed; perhaps it was one too many.
    pub(super) fn failed(&mut self, now: Moment) {
        if !self.active {
            return;
        }
        self.failures.push_back(now);
        while self.failures.front().is_some_and(|first| now.since(*first) > FAILURES_TIME) {
            self.failures.pop_front();
        }
        let on_trial = self.revived.is_some_and(|revived| now.since(revived) <= FAILURES_TIME);
        if on_trial || self.failures.len() >= FAILURES_MAX {
            self.active = false;
            self.failures.clear();
        }
    }

    fn revive(&mut self, now: Moment) {
        if !self.active {
            self.active = true;
            self.revived = Some(now);
        }
    }
}

/// All webhooks of the bot, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Webhooks(Vec<Webhook>);

impl Webhooks {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Webhook> {
        self.0.iter()
    }

    /// The webhook of this id, to be changed.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Webhook> {
        self.0.iter_mut().find(|webhook| webhook.id == id)
    }

    /// `POST /webhooks`. `strict` refuses what exists already.
    pub(super) fn create(
        &mut self,
        members: &Members,
        strict: bool,
        people: &People,
        ids: &Ids,
        now: Moment,
    ) -> Result<Response, Refused> {
        let new = read(members, ids, now)?;
        let same = |old: &Webhook| {
            (&old.name, &old.target_url, &old.resource, &old.event, &old.filter)
                == (&new.name, &new.target_url, &new.resource, &new.event, &new.filter)
        };
        if strict && self.0.iter().any(same) {
            return Err(Refused::duplicate(&ids.tracking()));
        }
        if self.0.len() >= WEBEX_WEBHOOKS_MAX {
            return Err(Refused::bad(format!("This stand-in keeps no more than {WEBEX_WEBHOOKS_MAX} webhooks.")));
        }
        let answer = found(&new.shown(people));
        self.0.push(new);
        Ok(answer)
    }

    /// `GET /webhooks`.
    pub(super) fn list(&self, page: &Page<'_>, query: &Query, people: &People) -> Result<Response, Refused> {
        match query.get("ownedBy") {
            None | Some("creator") => {}
            Some("org") => return Err(Refused::forbidden("Only an administrator sees the webhooks of the org.")),
            Some(_) => return Err(Refused::bad("ownedBy is neither creator nor org.")),
        }
        page.of(after(self.0.iter().map(|webhook| (webhook.id.clone(), webhook.shown(people))), query))
    }

    /// `GET /webhooks/{id}`.
    pub(super) fn one(&self, id: &str, people: &People) -> Result<Response, Refused> {
        let webhook = self.0.iter().find(|webhook| webhook.id == id).ok_or_else(Refused::not_found)?;
        Ok(found(&webhook.shown(people)))
    }

    /// `PUT /webhooks/{id}`: name, target, secret and `active`; all other members are ignored.
    pub(super) fn update(
        &mut self,
        id: &str,
        members: &Members,
        people: &People,
        now: Moment,
    ) -> Result<Response, Refused> {
        let webhook = self.get_mut(id).ok_or_else(Refused::not_found)?;
        let name = required(members, "name")?;
        let target_url = target(members)?;
        let secret = text(members, "secret")?;
        let status = text(members, "status")?;
        if status.is_some_and(|status| status != "active") {
            return Err(Refused::bad("status can only be set to active; to stop a webhook, delete it."));
        }
        within_bounds(&[Some(name), Some(target_url), secret])?;
        webhook.name = name.to_owned();
        webhook.target_url = target_url.to_owned();
        if let Some(secret) = secret {
            webhook.secret = Some(Secret::new(secret));
        }
        if status.is_some() {
            webhook.revive(now);
        }
        Ok(found(&webhook.shown(people)))
    }

    /// `DELETE /webhooks/{id}`.
    pub(super) fn delete(&mut self, id: &str) -> Result<Response, Refused> {
        let place = self.0.iter().position(|webhook| webhook.id == id).ok_or_else(Refused::not_found)?;
        self.0.remove(place);
        Ok(Response { content_type: "", ..Response::text(204, "") })
    }
}

fn read(members: &Members, ids: &Ids, now: Moment) -> Result<Webhook, Refused> {
    let name = required(members, "name")?;
    let target_url = target(members)?;
    let resource = required(members, "resource")?;
    let event = required(members, "event")?;
    if !RESOURCES.contains(&resource) {
        return Err(Refused::bad("resource is none that webhooks know."));
    }
    if !EVENTS.contains(&event) {
        return Err(Refused::bad("event is none that webhooks know."));
    }
    if resource == "all" && event != "all" {
        return Err(Refused::bad("resource all goes with event all only."));
    }
    match text(members, "ownedBy")? {
        None | Some("creator") => {}
        Some("org") => return Err(Refused::forbidden("Only an administrator owns webhooks for the org.")),
        Some(_) => return Err(Refused::bad("ownedBy is neither creator nor org.")),
    }
    let filter = text(members, "filter")?;
    for (key, value) in pairs(filter.unwrap_or_default()) {
        if value.is_empty() || !filters(resource).contains(&key) {
            return Err(Refused::bad(format!("The filter of {resource} knows no {key:?}, or has no value for it.")));
        }
    }
    let secret = text(members, "secret")?;
    within_bounds(&[Some(name), Some(target_url), filter, secret])?;
    Ok(Webhook {
        id: ids.id("WEBHOOK"),
        name: name.to_owned(),
        target_url: target_url.to_owned(),
        resource: resource.to_owned(),
        event: event.to_owned(),
        filter: filter.map(str::to_owned),
        secret: secret.map(Secret::new),
        active: true,
        created: now,
        failures: VecDeque::new(),
        revived: None,
    })
}

fn target(members: &Members) -> Result<&str, Refused> {
    let url = required(members, "targetUrl")?;
    let good = beyond_scheme(url).is_some_and(|host| !host.is_empty() && !host.starts_with(['/', '?', '#', ':']));
    match good {
        true => Ok(url),
        false => Err(Refused::bad("targetUrl is no http or https URL.")),
    }
}

fn within_bounds(texts: &[Option<&str>]) -> Result<(), Refused> {
    match texts.iter().flatten().map(|text| text.len()).sum::<usize>() {
        0..=WEBEX_WEBHOOK_BYTES_MAX => Ok(()),
        _ => Err(Refused::bad("The webhook's texts are too long.")),
    }
}

/// `a=b&c=d`, as it stands.
fn pairs(filter: &str) -> impl Iterator<Item = (&str, &str)> {
    filter.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook() -> Webhook {
        let members = serde_json::json!({
            "name": "x", "targetUrl": "http://127.0.0.1:1/x", "resource": "messages", "event": "created",
        });
        read(members.as_object().unwrap(), &Ids::new(1), Moment(0)).unwrap()
    }

    fn second(second: i64) -> Moment {
        Moment(second * 1000)
    }

    #[test]
    fn a_hundred_failures_within_five_minutes_switch_it_off() {
        let mut webhook = webhook();
        for at in 0..99 {
            webhook.failed(second(3 * at));
        }
        assert!(webhook.active);
        webhook.failed(second(300));
        assert!(!webhook.active);
    }

    #[test]
    fn a_hundred_failures_over_a_longer_time_do_not() {
        let mut webhook = webhook();
        for at in 0..1000 {
            webhook.failed(second(4 * at));
        }
        assert!(webhook.active && webhook.failures.len() < FAILURES_MAX);
    }

    #[test]
    fn switched_on_again_one_failure_within_five_minutes_is_enough() {
        for (at, active) in [(1000 + 300, false), (1000 + 301, true)] {
            let mut webhook = webhook();
            webhook.active = false;
            webhook.revive(second(1000));
            webhook.failed(second(at));
            assert_eq!(webhook.active, active, "{at}");
        }
    }

    #[test]
    fn a_webhook_that_is_on_is_not_put_on_trial_by_switching_it_on() {
        let mut webhook = webhook();
        webhook.revive(second(0));
        webhook.failed(second(1));
        assert!(webhook.active);
    }
}
