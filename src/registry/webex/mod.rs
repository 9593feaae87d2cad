//! Webex's webhooks (webex.md §1, §4): which there are, and the calls that make them as they should be.
//!
//!     list (every page) ──▶ plan ──▶ create, repair, and only then remove
//!
//! What is made stands before what it replaces is removed, so that no event is missed. When Webex says that a webhook
//! exists already, or has gone, somebody else was at work: then we look again, once.

mod page;
mod plan;

use super::words::plain;
use super::{Listing, Registration, RegistryFault, Report, Row, Upstream, Wish};
use crate::limits::{REGISTRY_ITEMS_MAX, REGISTRY_LOOKS, REGISTRY_PAGES_MAX};
use crate::model::{Answer, Method, OutboundRequest, Outcome, Secret};
use plan::{Aim, CREATED, Step, Webhook, plan};
use serde::Deserialize;
use serde_json::{Value, json};

/// One bot's webhooks.
pub struct Webex {
    channel: String,
    /// Base of the API, without a slash at its end.
    api: String,
    token: Secret,
    /// What the webhooks are signed with: the first, when there are two.
    secret: Secret,
}

/// What is said of a webhook that is left out.
const STRANGE: &str = "the list holds a webhook that cannot be read and may be ours; look at it with the Webex API";

/// How one step ended.
enum Ended {
    Done(String),
    /// Webex's side is not what the list said.
    Changed(String),
    Failed(String),
}

impl Webex {
    /// The webhooks of channel `channel`, with the bot's token and the secret that signs what comes in.
    pub fn new(channel: impl Into<String>, api: &str, token: Secret, secret: Secret) -> Webex {
        Webex { channel: channel.into(), api: api.trim_end_matches('/').to_owned(), token, secret }
    }

    fn aim<'a>(&'a self, target: &'a str) -> Aim<'a> {
        Aim { channel: &self.channel, target, secret: self.secret.expose() }
    }

    /// All webhooks that the token can see, and whether one that may be ours cannot be read.
    fn look(&self, upstream: &dyn Upstream) -> Result<(Vec<Webhook>, bool), RegistryFault> {
        let mut url = format!("{}/webhooks?max=100", self.api);
        let (mut webhooks, mut strange) = (Vec::new(), false);
        for _ in 0..REGISTRY_PAGES_MAX {
            let answer = self.ask(Method::Get, &url, None, upstream)?;
            if answer.status != 200 {
                return Err(RegistryFault(self.refusal(&answer)));
            }
            let (items, one_strange) = page::items(&answer)?;
            webhooks.extend(items);
            strange |= one_strange;
            match page::next(&answer, &self.api)? {
                Some(next) => url = next,
                None => return Ok((webhooks, strange)),
            }
        }
        let many = webhooks.len();
        Err(RegistryFault(format!("Webex lists {many} webhooks and still more; delete those that nobody needs")))
    }

    fn ask(
        &self,
        method: Method,
        url: &str,
        body: Option<Value>,
        upstream: &dyn Upstream,
    ) -> Result<Answer, RegistryFault> {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request =
            OutboundRequest { bearer: Some(self.token.clone()), ..OutboundRequest::json(method, url.to_owned(), body) };
        match upstream.call(&request) {
            Outcome::Answered(answer) => Ok(answer),
            Outcome::Failed(fault) => Err(RegistryFault(self.plain(&format!("Webex was not reached: {}", fault.why)))),
        }
    }

    /// Does what the plan says; what Webex's side makes impossible, in words, is left for another look.
    fn carry_out(
        &self,
        steps: Vec<Step<'_>>,
        target: &str,
        upstream: &dyn Upstream,
        report: &mut Report,
    ) -> Vec<String> {
        let mut changed = Vec::new();
        for step in steps {
            // What is not replaced yet still serves.
            if matches!(step, Step::Remove { .. }) && !(changed.is_empty() && report.wrong.is_empty()) {
                continue;
            }
            match self.step(&step, target, upstream) {
                Ok(Ended::Done(line)) => report.done.push(line),
                Ok(Ended::Changed(why)) => changed.push(why),
                Ok(Ended::Failed(why)) => report.wrong.push(why),
                Err(fault) => report.wrong.push(fault.0),
            }
        }
        changed
    }

    fn step(&self, step: &Step<'_>, target: &str, upstream: &dyn Upstream) -> Result<Ended, RegistryFault> {
        let webhooks = format!("{}/webhooks", self.api);
        let (method, url, body) = match step {
            Step::Create { resource } => (Method::Post, webhooks, Some(self.create_body(resource, target))),
            Step::Repair { resource, webhook, .. } => {
                (Method::Put, format!("{webhooks}/{}", webhook.id), Some(self.repair_body(resource, target)))
            }
            Step::Remove { webhook, .. } => (Method::Delete, format!("{webhooks}/{}", webhook.id), None),
        };
        let answer = self.ask(method, &url, body, upstream)?;
        Ok(match (step, answer.status) {
            (_, 200..=299) | (Step::Remove { .. }, 404) => Ended::Done(step.done(target)),
            (Step::Create { .. } | Step::Repair { .. }, 404 | 409) => {
                Ended::Changed(format!("{}: {}", step.wanted(), self.refusal(&answer)))
            }
            _ => Ended::Failed(format!("{}: {}", step.wanted(), self.refusal(&answer))),
        })
    }

    fn create_body(&self, resource: &str, target: &str) -> Value {
        json!({
            "name": self.aim(target).name(resource),
            "targetUrl": target,
            "resource": resource,
            "event": CREATED,
            "secret": self.secret.expose(),
        })
    }

    /// The members that can be set; all others stay as they are.
    fn repair_body(&self, resource: &str, target: &str) -> Value {
        json!({
            "name": self.aim(target).name(resource),
            "targetUrl": target,
            "secret": self.secret.expose(),
            "status": "active",
        })
    }

    /// What an answer other than a success says, and what to do.
    fn refusal(&self, answer: &Answer) -> String {
        #[derive(Deserialize)]
        struct Words {
            message: String,
        }
        let theirs = serde_json::from_slice::<Words>(&answer.body).map(|words| words.message).unwrap_or_default();
        let advice = match answer.status {
            401 => "the access token is not accepted: make a new one on developer.webex.com, and restart".to_owned(),
            403 => "the token's account may not do this".to_owned(),
            404 => "there is no such thing: does `api` lead to the Webex API?".to_owned(),
            409 => "Webex says that such a webhook exists: see `ackd webhook list`, and delete what is in the way"
                .to_owned(),
            423 | 429 => "too many calls: try again later".to_owned(),
            status => format!("Webex answers HTTP {status}"),
        };
        let theirs = if theirs.is_empty() { String::new() } else { format!(" (Webex says: {theirs})") };
        self.plain(&format!("{advice}{theirs}"))
    }

    fn plain(&self, words: &str) -> String {
        plain(words, &[&self.token, &self.secret])
    }
}

impl Registration for Webex {
    fn list(&self, target: Option<&str>, upstream: &dyn Upstream) -> Result<Listing, RegistryFault> {
        let (webhooks, strange) = self.look(upstream)?;
        let aim = target.map(|target| self.aim(target));
        let row = |webhook: &Webhook| Row {
            what: webhook.kind(),
            target: webhook.target.clone(),
            state: webhook.status.clone(),
            remark: webhook.remark(&self.channel, aim.as_ref()),
        };
        let wrong = match &aim {
            _ if strange => vec![STRANGE.to_owned()],
            Some(aim) => plan(aim, &webhooks, Wish::Sync).steps.iter().map(Step::found).collect(),
            None => plan::missing(&self.channel, &webhooks),
        };
        Ok(Listing { rows: webhooks.iter().map(row).collect(), notes: Vec::new(), wrong })
    }

    fn sync(&self, target: &str, wish: Wish, upstream: &dyn Upstream) -> Report {
        let mut report = Report::default();
        let mut changed = Vec::new();
        for _ in 0..REGISTRY_LOOKS {
            let webhooks = match self.look(upstream) {
                // It would be missing to the plan, and be made anew at every look.
                Ok((_, true)) => {
                    report.wrong.push(format!("{STRANGE}; nothing is changed"));
                    return report;
                }
                Ok((webhooks, false)) => webhooks,
                Err(fault) => {
                    report.wrong.push(fault.0);
                    return report;
                }
            };
            let plan = plan(&self.aim(target), &webhooks, wish);
            report.left = plan.left;
            // What failed before is tried again, and is wrong only if it still fails.
            report.wrong.clear();
            changed = self.carry_out(plan.steps, target, upstream, &mut report);
            if changed.is_empty() {
                break;
            }
        }
        report.wrong.extend(changed);
        report
    }

    fn examine(&self, target: &str, upstream: &dyn Upstream) -> Result<Report, RegistryFault> {
        let (webhooks, strange) = self.look(upstream)?;
        if strange {
            return Ok(Report { wrong: vec![STRANGE.to_owned()], ..Report::default() });
        }
        let plan = plan(&self.aim(target), &webhooks, Wish::Sync);
        Ok(Report { wrong: plan.steps.iter().map(Step::found).collect(), ..Report::default() })
    }

    fn delete(&self, upstream: &dyn Upstream) -> Report {
        let (webhooks, strange) = match self.look(upstream) {
            Ok(looked) => looked,
            Err(fault) => return Report::failed(&fault),
        };
        let (ours, others): (Vec<_>, Vec<_>) = webhooks.iter().partition(|webhook| webhook.is_named_for(&self.channel));
        let left = others.iter().map(|webhook| webhook.left_alone("is not ours")).take(REGISTRY_ITEMS_MAX).collect();
        let mut report = Report { left, ..Report::default() };
        report.wrong.extend(strange.then(|| STRANGE.to_owned()));
        for webhook in ours {
            let step = Step::Remove { webhook, why: String::new() };
            match self.step(&step, "", upstream) {
                Ok(Ended::Done(line)) => report.done.push(line),
                Ok(Ended::Changed(why) | Ended::Failed(why)) => report.wrong.push(why),
                Err(fault) => report.wrong.push(fault.0),
            }
        }
        report
    }
}

#[cfg(test)]
mod tests;
