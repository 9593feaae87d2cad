//! What the platforms say: of our tokens, of the time, of our registrations.

use super::finding::Finding;
use super::{Base, Instruments};
use crate::config::{Account, Channel};
use crate::limits::{CLOCK_SKEW_MAX, LOOK_TIME, REGISTRY_CHARS_MAX};
use crate::model::{Delivery, Moment, OutboundRequest, Outcome};
use crate::platform::cut::shorten;
use crate::queue::http_date;
use crate::registry::Registration;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// What was learnt while the tokens were looked at.
#[derive(Default)]
pub(super) struct Visits {
    /// Channels whose token works.
    accepted: BTreeSet<String>,
    /// Who said first what time it is, what it said, and what our clock said then.
    time: Option<(String, Moment, Moment)>,
}

impl Visits {
    /// Asks a channel's platform who we are there.
    pub(super) fn token(&mut self, channel: &Channel, file: &Path, by: &Instruments<'_>) -> Finding {
        let what = format!("token of {}", channel.name);
        let (question, api) = match &channel.account {
            Account::Messenger(page) => {
                let url = format!("{}/me?fields=id,name", page.api.trim_end_matches('/'));
                (Some(page.sign(OutboundRequest::get(url))), &page.api)
            }
            Account::Webex(bot) => (channel.platform.introduction(), &bot.api),
        };
        let Some(question) = question else { return Finding::unseen(what, "its platform knows no such question") };
        let outcome = by.upstream.call(&OutboundRequest { patience: Some(LOOK_TIME), ..question });
        let now = (by.world.clock)();
        self.keep_time(api, &outcome, now);
        match known(channel, &outcome, now) {
            Ok(who) => {
                self.accepted.insert(channel.name.clone());
                Finding::ok(what, who)
            }
            Err(flaw) => {
                let (wrong, mend) = flaw.words(channel, api, matches!(outcome, Outcome::Answered(_)), file);
                Finding::wrong(what, wrong, mend)
            }
        }
    }

    fn keep_time(&mut self, api: &str, outcome: &Outcome, now: Moment) {
        let Outcome::Answered(answer) = outcome else { return };
        if let Some(theirs) = answer.header("date").and_then(http_date)
            && self.time.is_none()
        {
            self.time = Some((host(api).to_owned(), theirs, now));
        }
    }

    /// Whether our clock is right, by what the platforms say.
    pub(super) fn clock(&self) -> Finding {
        let what = "clock";
        let Some((who, theirs, ours)) = &self.time else {
            return Finding::unseen(what, "no platform said what time it is");
        };
        let (apart, side) = match ours >= theirs {
            true => (ours.since(*theirs), "ahead of"),
            false => (theirs.since(*ours), "behind"),
        };
        // A date is in whole seconds, and takes a while to come.
        if apart > CLOCK_SKEW_MAX {
            let wrong = format!("it is {} s {side} that of {who}", apart.as_secs());
            return Finding::wrong(what, wrong, "timedatectl set-ntp true");
        }
        Finding::ok(what, format!("within {} s of that of {who}", apart.as_secs() + 1))
    }

    /// Whether a channel's platform tells us, here, what it should.
    pub(super) fn registration(
        &self,
        channel: &Channel,
        base: &Base,
        file: &Path,
        by: &Instruments<'_>,
    ) -> Vec<Finding> {
        let what = format!("registration of {}", channel.name);
        let Some(registration) = &channel.registration else {
            return vec![Finding::unseen(what, "its platform has none that can be asked")];
        };
        let url = match base {
            Base::At(url) => format!("{url}{}", channel.path),
            Base::Nowhere => return vec![Finding::unseen(what, format!("{} has no public_url", file.display()))],
            Base::Unknown(_) => return vec![Finding::unseen(what, "the public URL is not known")],
        };
        if !self.accepted.contains(&channel.name) {
            return vec![Finding::unseen(what, "its token is not accepted, or could not be looked at")];
        }
        examined(&what, channel, registration.as_ref(), &url, file, by)
    }
}

fn examined(
    what: &str,
    channel: &Channel,
    registration: &dyn Registration,
    url: &str,
    file: &Path,
    by: &Instruments<'_>,
) -> Vec<Finding> {
    let mend = format!("ackd webhook sync {} --config {}", channel.name, file.display());
    let report = match registration.examine(url, by.upstream) {
        Ok(report) => report,
        Err(fault) => return vec![Finding::wrong(what, fault.0, mend)],
    };
    // It says by itself that it was not looked at, and why. Where it leads is then not known, only whether we hear it.
    let unseen = |left: &String| left.strip_prefix("not looked at: ").unwrap_or(left).to_owned();
    let findings = match (report.wrong.as_slice(), report.left.is_empty()) {
        ([], true) => Finding::ok(what, format!("active, and it leads to {url}")),
        ([], false) => Finding::ok(format!("subscription of {}", channel.name), "active"),
        (wrong, true) => Finding::wrong(what, format!("{}; it should lead to {url}", wrong.join("; ")), mend),
        (wrong, false) => Finding::wrong(format!("subscription of {}", channel.name), wrong.join("; "), mend),
    };
    let mut findings = vec![findings];
    findings.extend(report.left.iter().map(|left| Finding::unseen(what, format!("nobody may see {}", unseen(left)))));
    findings
}

/// Why a token is no good.
enum Flaw {
    OtherPage { id: String, page_id: String },
    Refused(Box<Delivery>),
}

impl Flaw {
    /// What is wrong, and what mends it.
    fn words(self, channel: &Channel, api: &str, answered: bool, file: &Path) -> (String, String) {
        let (name, file) = (&channel.name, file.display());
        let (why, locked) = match self {
            Flaw::OtherPage { id, page_id } => {
                let mend = format!("write the right page_id, or that page's token, for channel {name} in {file}");
                return (format!("it is that of page {id}, and page_id says {page_id}"), mend);
            }
            Flaw::Refused(delivery) => {
                let locked = matches!(*delivery, Delivery::Locked { .. });
                (delivery.why().unwrap_or(NO_ACCOUNT).to_owned(), locked)
            }
        };
        let mend = match (locked, answered) {
            (true, _) => {
                format!("make a new token, put it where channel.{name}.access_token in {file} says, and restart ackd")
            }
            (false, true) => format!("see that channel.{name}.api in {file} is right, or try again later"),
            (false, false) => format!("see whether this machine gets there: curl -sS -o /dev/null -v {api}"),
        };
        (why, mend)
    }
}

const NO_ACCOUNT: &str = "the answer does not say who we are";

/// Who we are, as an answer says.
fn known(channel: &Channel, outcome: &Outcome, now: Moment) -> Result<String, Flaw> {
    let Account::Messenger(page) = &channel.account else {
        let account = channel.platform.introduced(outcome, now).map_err(Flaw::Refused)?;
        return Ok(format!("we are {} ({})", account.name, account.id));
    };
    let refused = || Flaw::Refused(Box::new(channel.platform.judge(outcome, 1, now)));
    let answer = match outcome {
        Outcome::Answered(answer) if answer.status == 200 => answer,
        _ => return Err(refused()),
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if body.get("error").is_some() {
        return Err(refused());
    }
    let text = |name| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("id"), &page.page_id) {
        ("", _) => Err(Flaw::Refused(Box::new(Delivery::Dead { why: NO_ACCOUNT.to_owned() }))),
        (id, Some(page_id)) if id != page_id => Err(Flaw::OtherPage { id: short(id), page_id: page_id.clone() }),
        (id, _) => Ok(format!("we are page {} ({})", short(text("name")), short(id))),
    }
}

/// A name or an id that a platform gives.
fn short(text: &str) -> String {
    shorten(text, REGISTRY_CHARS_MAX)
}

/// Host and port of a base URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
