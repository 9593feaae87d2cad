//! A stand-in for the OpenDota API, as strict as the real one (opendota.md, section by section).
//!
//!     people.rs      search and profiles (§3, §4)          matches.rs    what somebody played, and when
//!     stats.rs       matches and what they come to (§4)    heroes.rs     heroes, modes, lobbies
//!     quota.rs       the limits, as their headers tell (§1, §2)          refusal.rs    its errors (§5)
//!     settings.rs    what a stand-in is made of            call.rs       a call taken apart        json.rs    templates
//!
//! Pure: it is handed requests and the time, and its matches are a function of player, seed and time, so that the same
//! question at the same moment has the same answer. Where the facts are silent it does what the service's source does.
//! Never here: the calls of §4 that no bot of ours asks, and filters by patch, region or other players (501).

mod call;
mod heroes;
mod json;
mod matches;
mod people;
mod quota;
mod refusal;
mod settings;
mod stats;

pub use settings::{Player, Settings};

use super::query::Query;
use super::{Deed, Meter, Mishap, Reaction, Twin};
use crate::model::{Method, Moment, Request, Response, Secret};
use call::Reads;
use json::answer;
use quota::{Left, Quota};
use refusal::Refused;
use stats::Asked;
use std::time::Duration;

/// The stand-in.
pub struct OpenDota {
    key: Option<Secret>,
    /// The key was cancelled.
    cancelled: bool,
    quota: Quota,
    /// What `/metadata` tells of the limits.
    metadata: String,
    address: String,
    players: Vec<Player>,
    seed: u64,
    cloudflare: bool,
    /// Failures of its own so far.
    broken: usize,
}

impl OpenDota {
    /// An OpenDota that nobody has asked yet.
    pub fn new(settings: Settings) -> OpenDota {
        // That the figures are numbers, not text, is unconfirmed.
        let limits =
            [settings.per_day, settings.per_minute, settings.per_minute_with_key].map(|calls| calls.to_string());
        let template =
            "{\"user\":null,\"isSubscriber\":false,\"freeCallLimit\":$,\"freeRateLimit\":$,\"premRateLimit\":$}";
        OpenDota {
            quota: Quota::new(&settings),
            metadata: json::fill(template, &limits),
            players: settings.everybody(),
            key: settings.key,
            cancelled: false,
            address: settings.address,
            seed: settings.seed,
            cloudflare: settings.cloudflare,
            broken: 0,
        }
    }

    /// Whether a call has a key; it must be ours.
    fn is_keyed(&self, request: &Request, query: &Query) -> Result<bool, Refused> {
        let Some(key) = call::key(request, query) else { return Ok(false) };
        // Ours may have another form, as secrets have that are made up for a trial.
        let ours = self.key.as_ref().is_some_and(|ours| ours.expose() == key);
        match ours {
            true if !self.cancelled => Ok(true),
            true => Err(Refused::Key),
            false if call::is_uuid(key) => Err(Refused::Key),
            false => Err(Refused::KeyFormat),
        }
    }

    /// Key first, then the limits, then everything else: what has no good key counts nowhere, what is wrong does.
    fn respond(&mut self, request: &Request, now: Moment) -> Response {
        let method = request.head.method;
        if method != Method::Get && request.head.header("origin").is_some() {
            return Refused::Origin.response();
        }
        let query = Query::new(request.head.query());
        let keyed = match self.is_keyed(request, &query) {
            Ok(keyed) => keyed,
            Err(refused) => return refused.response(),
        };
        let path = call::path(request);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if method == Method::Get && path == ["api", "metadata"] {
            return answer(200, self.metadata.clone());
        }
        let left = self.quota.take(keyed, now);
        let answered = match left.over() {
            Some(refused) => Err(refused),
            None => self.call(method, &path, &query, now.seconds()),
        };
        let response = answered.map_or_else(Refused::response, |body| answer(200, body));
        if keyed {
            self.quota.charge(response.status, now);
        }
        left.on(response, &self.address)
    }

    fn call(&self, method: Method, path: &[&str], query: &Query, now: i64) -> Result<String, Refused> {
        match (method, path) {
            (_, ["api", "players", id, rest @ ..]) => self.player(id, method, rest, query, now),
            (Method::Get, ["api", "search"]) => {
                let words = query.get("q").ok_or(Refused::NoQuestion)?;
                people::search(&self.players, self.seed, now, words)
            }
            (Method::Get, ["api", "heroes"]) => Ok(heroes::all()),
            (Method::Get, ["api", "constants", resource]) => heroes::constants(resource).ok_or(Refused::NotFound),
            _ => Err(Refused::NotFound),
        }
    }

    /// `/players/{id}` and what is below it. Only the profile minds that nobody has the id.
    fn player(&self, id: &str, method: Method, rest: &[&str], query: &Query, now: i64) -> Result<String, Refused> {
        let id = match call::reads(id) {
            Reads::Integer(id) => id,
            // An integer for JavaScript, and none for the data base.
            Reads::Number(number) if number.fract() == 0.0 => return Err(Refused::Broken),
            Reads::Words | Reads::Number(_) => return Err(Refused::AccountId),
        };
        let player = self.players.iter().find(|player| Some(u64::from(player.account_id)) == id);
        let asked = || Asked::new(player, self.seed, now, query);
        match (method, rest) {
            (Method::Get, []) => player.map(people::profile).ok_or(Refused::NotFound),
            (Method::Get, ["wl"]) => Ok(asked()?.wl()),
            (Method::Get, ["recentMatches"]) => Ok(asked()?.recent()),
            (Method::Get, ["matches"]) => Ok(asked()?.matches()),
            (Method::Get, ["heroes"]) => Ok(asked()?.heroes()),
            (Method::Get, ["totals"]) => Ok(asked()?.totals()),
            (Method::Post, ["refresh"]) => Ok("{}".to_owned()),
            _ => Err(Refused::NotFound),
        }
    }
}

impl Twin for OpenDota {
    fn platform(&self) -> &'static str {
        "opendota"
    }

    fn answer(&mut self, request: &Request, now: Moment) -> Reaction {
        Reaction { response: self.respond(request, now), dispatches: Vec::new() }
    }

    /// A failure on purpose. Nothing was done, and nothing is counted.
    fn meets(&mut self, mishap: Mishap, request: &Request, now: Moment) -> Response {
        let keyed = self.is_keyed(request, &Query::new(request.head.query()));
        match mishap {
            // Who is refused for longer than a minute has used up the day.
            Mishap::Busy { left } => {
                let day = left > Duration::from_secs(60) && keyed == Ok(false);
                let left =
                    Left { minute: if day { 0 } else { -1 }, day: (keyed == Ok(false)).then_some(-i64::from(day)) };
                let refused = if day { Refused::Day } else { Refused::Minute };
                left.on(refused.response(), &self.address)
            }
            Mishap::TokenExpired if keyed == Ok(true) => Refused::Key.response(),
            // Without a key there is nothing that could expire.
            Mishap::TokenExpired => self.respond(request, now),
            Mishap::Broken | Mishap::Unverified => {
                let turn = self.broken;
                self.broken = turn.wrapping_add(1);
                refusal::failure(turn, self.cloudflare)
            }
        }
    }

    /// The key is cancelled; a player, by the account's id, hides the matches or shows them again.
    fn deed(&mut self, deed: &Deed, _now: Moment) -> Result<(), String> {
        let (source, odd) = match deed {
            Deed::Revoke if self.key.is_none() => return Err("there is no key that could be cancelled".to_owned()),
            Deed::Revoke => {
                self.cancelled = true;
                return Ok(());
            }
            Deed::Silence { source } => (source, "private"),
            Deed::Recover { source } => (source, ""),
            Deed::Password | Deed::Dismiss { .. } => return Err("nobody logs in there".to_owned()),
        };
        let player = self.players.iter_mut().find(|player| player.account_id.to_string() == *source);
        let player = player.ok_or_else(|| format!("there is no player {source:?}; write the account id of one"))?;
        let others = player.odd.split(' ').filter(|word| *word != "private");
        player.odd = others.chain([odd]).collect::<Vec<_>>().join(" ");
        Ok(())
    }

    fn meters(&self, now: Moment) -> Vec<Meter> {
        self.quota.meters(self.key.is_some(), now)
    }
}
