//! What there is, and what is to be → the steps between.
//!
//! A webhook is ours when its name says so: `ackd CHANNEL RESOURCE`. So two ackd with one token do not touch each
//! other's as long as their channels have different names, and ours is known again when the public address has changed.
//! One that tells exactly what we want to exactly our address is taken over, whatever it is called: a second one like it
//! would double every event. Everything else is somebody else's.

use crate::limits::REGISTRY_ITEMS_MAX;
use crate::registry::Wish;
use crate::registry::words::{same_address, short};
use serde::Deserialize;
use serde_json::Value;

/// What a channel wants to be told of, as soon as it was `CREATED`: messages, cards sent off, being taken into a room.
pub(super) const WANTED: [&str; 3] = ["messages", "attachmentActions", "memberships"];
pub(super) const CREATED: &str = "created";
const ACTIVE: &str = "active";
/// How the names of ours begin, of whichever channel.
pub(super) const OURS: &str = "ackd ";

/// One webhook as Webex lists it. No `Debug`: the secret is in it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Webhook {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(rename = "targetUrl")]
    pub(super) target: String,
    resource: String,
    event: String,
    #[serde(default)]
    filter: Option<String>,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    pub(super) status: String,
}

impl Webhook {
    /// One item of the list; `None` when it is none, or has an id that no path may hold.
    pub(super) fn read(item: &Value) -> Option<Webhook> {
        let webhook = Webhook::deserialize(item).ok()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
        (!webhook.id.is_empty() && webhook.id.bytes().all(plain)).then_some(webhook)
    }

    /// What it tells: `messages/created`, and which of them.
    pub(super) fn kind(&self) -> String {
        let filter = self.filter().map(|filter| format!("?{filter}")).unwrap_or_default();
        short(&format!("{}/{}{filter}", self.resource, self.event))
    }

    fn filter(&self) -> Option<&str> {
        self.filter.as_deref().filter(|filter| !filter.is_empty())
    }

    /// Whether a channel of this name made it.
    pub(super) fn is_named_for(&self, channel: &str) -> bool {
        let rest = self.name.strip_prefix(OURS).and_then(|rest| rest.strip_prefix(channel));
        rest.is_some_and(|rest| rest.starts_with(' '))
    }

    /// Whether it tells all of a resource that was created, and nothing else.
    fn tells(&self, resource: &str) -> bool {
        self.resource == resource && self.event == CREATED && self.filter().is_none()
    }

    fn points_at(&self, aim: &Aim<'_>) -> bool {
        same_address(&self.target, aim.target)
    }

    /// What must be changed before it serves, in words; empty when it does.
    fn flaws(&self, resource: &str, aim: &Aim<'_>) -> Vec<String> {
        let mut flaws = Vec::new();
        if !self.points_at(aim) {
            flaws.push(format!("pointed at {}", short(&self.target)));
        }
        if self.status != ACTIVE {
            flaws.push(format!(
                "was {}",
                if self.status.is_empty() { "not active".to_owned() } else { short(&self.status) }
            ));
        }
        match self.secret.as_deref() {
            None | Some("") => flaws.push("had no secret".to_owned()),
            Some(secret) if secret != aim.secret => flaws.push("had another secret".to_owned()),
            Some(_) => {}
        }
        if self.name != aim.name(resource) {
            flaws.push(format!("was named \"{}\"", short(&self.name)));
        }
        flaws
    }

    /// Whose it is, and what is wrong with it, as far as that is known.
    pub(super) fn remark(&self, channel: &str, aim: Option<&Aim<'_>>) -> String {
        let here = aim.is_some_and(|aim| self.points_at(aim));
        if !self.is_named_for(channel) {
            let points = if here { ", points here" } else { "" };
            return format!("not ours: \"{}\"{points}", short(&self.name));
        }
        let wanted = WANTED.iter().find(|resource| self.tells(resource));
        match (wanted, aim) {
            (None, _) => "ours, of no use".to_owned(),
            (Some(resource), Some(aim)) => {
                let flaws = self.flaws(resource, aim);
                if flaws.is_empty() { "ours".to_owned() } else { format!("ours, {}", flaws.join(", ")) }
            }
            (Some(_), None) => "ours".to_owned(),
        }
    }

    pub(super) fn left_alone(&self, why: &str) -> String {
        format!("left alone: \"{}\" ({} → {}) {why}", short(&self.name), self.kind(), short(&self.target))
    }
}

/// What is wanted.
pub(super) struct Aim<'a> {
    pub(super) channel: &'a str,
    pub(super) target: &'a str,
    pub(super) secret: &'a str,
}

impl Aim<'_> {
    /// How ours are called.
    pub(super) fn name(&self, resource: &str) -> String {
        format!("{OURS}{} {resource}", self.channel)
    }
}

/// One call that brings the two sides together.
pub(super) enum Step<'w> {
    Create { resource: &'static str },
    Repair { resource: &'static str, webhook: &'w Webhook, why: String },
    Remove { webhook: &'w Webhook, why: String },
}

impl Step<'_> {
    /// What it is about.
    pub(super) fn wanted(&self) -> String {
        match self {
            Step::Create { resource } | Step::Repair { resource, .. } => format!("{resource}/{CREATED}"),
            Step::Remove { webhook, .. } => webhook.kind(),
        }
    }

    /// What is said when it is only found out.
    pub(super) fn found(&self) -> String {
        let wanted = self.wanted();
        match self {
            Step::Create { .. } => format!("{wanted} is missing"),
            Step::Repair { why, .. } => format!("{wanted} {why}"),
            Step::Remove { why, .. } => format!("{wanted} of ours is one too many: {why}"),
        }
    }

    /// What is said once it is done.
    pub(super) fn done(&self, target: &str) -> String {
        let wanted = self.wanted();
        match self {
            Step::Create { .. } => format!("created {wanted} → {target}"),
            Step::Repair { why, .. } => format!("repaired {wanted} → {target}: {why}"),
            Step::Remove { webhook, why } if why.is_empty() => format!("removed {wanted} → {}", short(&webhook.target)),
            Step::Remove { why, .. } => format!("removed {wanted}: {why}"),
        }
    }
}

/// What is not told anywhere, in words, for whoever does not know where it should be told.
pub(super) fn missing(channel: &str, webhooks: &[Webhook]) -> Vec<String> {
    let told = |resource: &str| {
        webhooks
            .iter()
            .any(|webhook| webhook.is_named_for(channel) && webhook.tells(resource) && webhook.status == ACTIVE)
    };
    WANTED.into_iter().filter(|resource| !told(resource)).map(|resource| Step::Create { resource }.found()).collect()
}

/// Steps in the order in which they are done, and lines about what is left.
pub(super) struct Plan<'w> {
    pub(super) steps: Vec<Step<'w>>,
    pub(super) left: Vec<String>,
}

/// Brings what there is to what is wanted: first what makes and repairs, then what removes.
pub(super) fn plan<'w>(aim: &Aim<'_>, webhooks: &'w [Webhook], wish: Wish) -> Plan<'w> {
    let mut plan = Plan { steps: Vec::new(), left: Vec::new() };
    let mut kept: Vec<&Webhook> = Vec::new();
    for resource in WANTED {
        let fits = |webhook: &&Webhook| {
            webhook.tells(resource) && (webhook.is_named_for(aim.channel) || webhook.points_at(aim))
        };
        let Some(best) = webhooks.iter().filter(fits).min_by_key(|webhook| weight(webhook, resource, aim)) else {
            plan.steps.push(Step::Create { resource });
            continue;
        };
        kept.push(best);
        let why = best.flaws(resource, aim).join(", ");
        match wish {
            _ if why.is_empty() => {}
            Wish::Sync => plan.steps.push(Step::Repair { resource, webhook: best, why }),
            Wish::Create => plan.left.push(format!(
                "left as it is: {resource}/{CREATED}, which {why}; `ackd webhook sync {}` repairs it",
                aim.channel
            )),
        }
    }
    let is_kept = |webhook: &Webhook| kept.iter().any(|kept| kept.id == webhook.id);
    let (mut left, mut removals) = (Vec::new(), Vec::new());
    for webhook in webhooks.iter().filter(|webhook| !is_kept(webhook)) {
        match webhook.is_named_for(aim.channel) {
            true => removals.push(Step::Remove { webhook, why: surplus(webhook, aim) }),
            false if webhook.points_at(aim) => left.push(webhook.left_alone("is not ours, though it points here")),
            false => left.push(webhook.left_alone("is not ours")),
        }
    }
    left.truncate(REGISTRY_ITEMS_MAX);
    plan.left.extend(left);
    if wish == Wish::Sync {
        plan.steps.extend(removals);
    }
    plan
}

/// Of several that would do, the one that needs least is kept; above all the one that leads here.
fn weight(webhook: &Webhook, resource: &str, aim: &Aim<'_>) -> (bool, bool, usize) {
    (!webhook.points_at(aim), webhook.status != ACTIVE, webhook.flaws(resource, aim).len())
}

/// Why one of ours is of no use.
fn surplus(webhook: &Webhook, aim: &Aim<'_>) -> String {
    if !WANTED.iter().any(|resource| webhook.tells(resource)) {
        return "it told something else than we hear".to_owned();
    }
    match webhook.points_at(aim) {
        true => "there were two".to_owned(),
        false => format!("pointed at {}", short(&webhook.target)),
    }
}
