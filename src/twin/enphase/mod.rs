//! A stand-in for the Enphase Enlighten API, as strict as the real one (enphase.md, section by section).
//!
//!     /oauth/…      papers.rs    consent, codes, tokens that turn (§3)
//!     /api/v4/…     v4.rs        the calls, telemetry.rs those with intervals (§4)
//!     /api/v2/…     v2.rs        the shapes of recorded data: the service itself is switched off (§2)
//!     refusal.rs    its several shapes of errors (§5)        quota.rs   the plan's limits, by the calendar (§6)
//!     site.rs       one system: its days, what it reported and when        sun.rs   how much the sun gives it
//!     settings.rs   what a stand-in is made of               call.rs    a call taken apart
//!
//! Pure: it is handed requests and the time, and its sun is a function of place, time and seed, so that the same
//! question at the same moment has the same answer. Where Enphase is not documented the code says what is assumed.

mod call;
mod papers;
mod quota;
mod refusal;
mod settings;
mod site;
mod sun;
mod telemetry;
mod v2;
mod v4;

pub use settings::{Address, BERLIN, Battery, Meter, Owner, Settings, System, Zone};

use super::{Deed, Mishap, Reaction, Twin};
use crate::model::{Method, Moment, Request, Response, Secret};
use call::Query;
use papers::Papers;
use quota::Quota;
use refusal::{Over, Refused};
use site::Site;

/// The stand-in.
pub struct Enphase {
    key: Secret,
    owner: Owner,
    papers: Papers,
    quota: Quota,
    sites: Vec<Site>,
    /// Failures of its own so far.
    broken: usize,
}

impl Enphase {
    /// An Enphase whose owner has given no consent yet.
    pub fn new(settings: Settings) -> Enphase {
        let papers = Papers::new(&settings);
        let Settings { key, owner, plan, limits, systems, seed, .. } = settings;
        let sites = systems.into_iter().map(|system| Site::new(system, seed)).collect();
        Enphase { key, owner, papers, quota: Quota::new(plan, &limits), sites, broken: 0 }
    }

    /// Consent without a browser: a code as the page of `redirect_uri` would show it.
    pub fn code(&mut self, redirect_uri: &str, now: Moment) -> String {
        self.papers.code(redirect_uri, now)
    }

    /// Consent without a login: a first refresh token.
    pub fn refresh_token(&mut self, now: Moment) -> Secret {
        self.papers.refresh_token(now)
    }

    fn v4(&mut self, path: &[&str], request: &Request, now: Moment) -> Result<Response, Refused> {
        let query = &Query::new(request.head.query());
        let known = matches!(path, ["systems"] | ["systems", _] | ["systems", _, ..]);
        if known && request.head.method != Method::Get {
            return Err(Refused::Method);
        }
        if query.get("key") != Some(self.key.expose()) {
            return Err(Refused::NotAuthorized);
        }
        // Which calls count is not documented. Here all do that have the right key, whatever is wrong with them
        // otherwise, so that a budget that counts less is found out; but those refused for the limit itself do not.
        self.quota.take(now)?;
        if !call::bearer(request).is_some_and(|token| self.papers.admits(token, now)) {
            return Err(Refused::NotAuthorized);
        }
        match *path {
            ["systems"] => v4::systems(&mut self.sites, &self.owner, query, now),
            ["systems", id] => self.site(id).and(Err(Refused::NoResource)),
            ["systems", id, "telemetry", what] => telemetry::of(self.site(id)?, what, query, now),
            ["systems", id, what] => v4::of(self.site(id)?, what, query, now),
            _ => Err(Refused::NoResource),
        }
    }

    fn v2(&mut self, path: &[&str], request: &Request, now: Moment) -> Result<Response, Refused> {
        let query = &Query::new(request.head.query());
        let papers = [("key", self.key.expose()), ("user_id", &self.owner.id)];
        if request.head.method != Method::Get {
            return Err(Refused::Method);
        }
        if papers.iter().any(|(name, value)| query.get(name) != Some(value)) {
            return Err(Refused::NotAuthorized);
        }
        self.quota.take(now)?;
        match *path {
            ["systems", id, what] => v2::of(self.site(id)?, what, query, now),
            _ => Err(Refused::NoResource),
        }
    }

    /// The owner's system of this id.
    fn site(&mut self, id: &str) -> Result<&mut Site, Refused> {
        let found = self.sites.iter_mut().find(|site| site.system.id.to_string() == id);
        let site = found.ok_or_else(|| Refused::NoSystem(id.to_owned()))?;
        if site.system.owner == self.owner.id { Ok(site) } else { Err(Refused::Forbidden) }
    }

    fn respond(&mut self, request: &Request, now: Moment) -> Response {
        let path = call::path(request);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["oauth", page] => self.papers.answer(page, request, now),
            ["api", "v4", rest @ ..] => self.v4(rest, request, now).unwrap_or_else(|refused| refused.v4()),
            ["api", "v2", rest @ ..] => self.v2(rest, request, now).unwrap_or_else(|refused| refused.v2()),
            _ => Refused::NoResource.v4(),
        }
    }
}

impl Twin for Enphase {
    fn platform(&self) -> &'static str {
        "enphase"
    }

    fn answer(&mut self, request: &Request, now: Moment) -> Reaction {
        Reaction { response: self.respond(request, now), dispatches: Vec::new() }
    }

    /// A failure on purpose. Nothing was done, and nothing is counted; whether Enphase counts such calls is unconfirmed.
    fn meets(&mut self, mishap: Mishap, request: &Request, now: Moment) -> Response {
        let path = request.head.path();
        let of_v2 = path.starts_with("/api/v2/");
        let told = |refused: Refused| if of_v2 { refused.v2() } else { refused.v4() };
        match mishap {
            // Without its period, as some answers are: how long it lasts is for the caller to guess.
            Mishap::Busy { .. } => told(Refused::Limit(Over { plan: self.quota.plan.clone(), period: None })),
            // Tokens do expire: what was refreshed since is good again, so that a refresh helps.
            Mishap::TokenExpired => {
                let token = call::bearer(request).unwrap_or_default();
                match path.starts_with("/api/v4/") && self.papers.expires(token, now) {
                    true => told(Refused::NotAuthorized),
                    false => self.respond(request, now),
                }
            }
            Mishap::Broken if path.ends_with("/rgm_stats") => told(Refused::Unavailable),
            Mishap::Broken | Mishap::Unverified => {
                self.broken = self.broken.wrapping_add(1);
                refusal::gateway(self.broken)
            }
        }
    }

    fn deed(&mut self, deed: &Deed, now: Moment) -> Result<(), String> {
        let (source, since) = match deed {
            Deed::Revoke => {
                self.papers.revoke();
                return Ok(());
            }
            Deed::Password | Deed::Dismiss { .. } => return Err("nobody's password or role counts here".to_owned()),
            Deed::Silence { source } => (source, Some(now)),
            Deed::Recover { source } => (source, None),
        };
        let site = self.sites.iter_mut().find(|site| site.system.id.to_string() == *source);
        let site = site.ok_or_else(|| format!("there is no system {source:?}; write the id of one"))?;
        site.silent = since.map(|since| site.silent.unwrap_or(since));
        Ok(())
    }

    fn meters(&self, now: Moment) -> Vec<super::Meter> {
        self.quota.meters(now)
    }
}
