//! Consent, codes and tokens (enphase.md §3).
//!
//!     GET  /oauth/authorize      a person would log in and agree; here they have agreed ──▶ redirect with a code
//!     GET  /oauth/redirect_uri   the page that shows the code
//!     POST /oauth/token          code or refresh token ──▶ a new pair of tokens
//!
//! Each refresh gives a new refresh token. When the old one ends is unconfirmed; here it is good until one of the new
//! tokens is used for the first time, so that an answer lost on the way locks nobody out, and a client that uses a
//! pair before it has kept it does lose everything in a crash. Token calls count against no limit (unconfirmed).

use super::call::{Query, basic};
use super::refusal::{Refused, answer};
use super::settings::Settings;
use crate::limits::{ENPHASE_CODE_TIME, ENPHASE_EXPIRY_REST, ENPHASE_TOKENS_MAX};
use crate::model::{Method, Moment, Request, Response, Secret};
use crate::notation::percent;
use crate::twin::base64::base64;
use crate::twin::courier::is_loopback;
use crate::twin::faults::Chance;
use serde_json::json;
use std::collections::VecDeque;
use std::time::Duration;

/// Enphase's own page that shows a code.
const PAGE: &str = "https://api.enphaseenergy.com/oauth/redirect_uri";

/// All that is known of tokens.
pub(super) struct Papers {
    client_id: String,
    /// What a client's `Authorization: Basic` must say.
    client: String,
    owner: String,
    access_life: Duration,
    refresh_life: Duration,
    chance: Chance,
    codes: VecDeque<Code>,
    pairs: VecDeque<Pair>,
    /// Pairs given out so far.
    given: u64,
    /// When a fault last ended an access token.
    expired: Option<Moment>,
}

/// Good once.
struct Code {
    code: String,
    redirect_uri: String,
    until: Moment,
}

/// Two tokens that were given out together.
struct Pair {
    number: u64,
    /// The pair whose refresh token this one came from.
    parent: Option<u64>,
    access: String,
    refresh: String,
    given: Moment,
    access_over: bool,
    refresh_over: bool,
}

/// A refusal in the words of OAuth (RFC 6749 §5.2); Enphase's own texts are unconfirmed.
fn refused(status: u16, error: &str, why: &str) -> Response {
    answer(status, &json!({ "error": error, "error_description": why }))
}

impl Papers {
    pub(super) fn new(settings: &Settings) -> Papers {
        let plain = format!("{}:{}", settings.client_id, settings.client_secret.expose());
        let padding = "=".repeat((3 - plain.len() % 3) % 3);
        Papers {
            client_id: settings.client_id.clone(),
            client: base64(plain.as_bytes()) + &padding,
            owner: settings.owner.id.clone(),
            access_life: settings.access_life,
            refresh_life: settings.refresh_life,
            // Weather is drawn from the same seed in its own way.
            chance: Chance::new(settings.seed ^ 0x7061_7065_7273),
            codes: VecDeque::new(),
            pairs: VecDeque::new(),
            given: 0,
            expired: None,
        }
    }

    /// A call below `/oauth/`.
    pub(super) fn answer(&mut self, page: &str, request: &Request, now: Moment) -> Response {
        let query = &Query::new(request.head.query());
        match (page, request.head.method) {
            ("authorize", Method::Get) => self.authorize(query, now).unwrap_or_else(|why| page_of(400, why)),
            ("redirect_uri", Method::Get) => self.shown(query),
            ("token", Method::Post) => self.token(basic(request), query, now).unwrap_or_else(|refused| refused),
            ("authorize" | "redirect_uri" | "token", _) => Refused::Method.v4(),
            _ => Refused::NoResource.v4(),
        }
    }

    /// A new code for this address.
    pub(super) fn code(&mut self, redirect_uri: &str, now: Moment) -> String {
        let code = self.word().get(..6).unwrap_or_default().to_owned();
        if self.codes.len() >= ENPHASE_TOKENS_MAX {
            self.codes.pop_front();
        }
        let until = now.after(ENPHASE_CODE_TIME);
        self.codes.push_back(Code { code: code.clone(), redirect_uri: redirect_uri.to_owned(), until });
        code
    }

    /// The refresh token of a new consent.
    pub(super) fn refresh_token(&mut self, now: Moment) -> Secret {
        Secret::new(self.give(None, now).1)
    }

    /// Whether this access token is good; using it ends the refresh token that it came from.
    pub(super) fn admits(&mut self, access: &str, now: Moment) -> bool {
        let life = self.access_life;
        let good = |pair: &&Pair| pair.access == access && !pair.access_over && now < pair.given.after(life);
        let Some(pair) = self.pairs.iter().find(good) else { return false };
        self.end(pair.parent);
        true
    }

    /// Takes consent back.
    pub(super) fn revoke(&mut self) {
        self.pairs.clear();
        self.codes.clear();
    }

    /// A fault ends an access token, unless it was given since the fault ended another one: else no refresh would help.
    pub(super) fn expires(&mut self, access: &str, now: Moment) -> bool {
        let lasts = self.expired.filter(|expired| now.since(*expired) < ENPHASE_EXPIRY_REST);
        let Some(pair) = self.pairs.iter_mut().find(|pair| pair.access == access) else { return true };
        if lasts.is_some_and(|expired| pair.given >= expired) {
            return false;
        }
        pair.access_over = true;
        self.expired = Some(now);
        true
    }

    fn authorize(&mut self, query: &Query, now: Moment) -> Result<Response, &'static str> {
        let wanted = |name, why| query.get(name).filter(|value| !value.is_empty()).ok_or(why);
        if query.get("response_type") != Some("code") {
            return Err("response_type is not \"code\"");
        }
        if wanted("client_id", "client_id is missing")? != self.client_id {
            return Err("there is no application with this client_id");
        }
        let redirect_uri = wanted("redirect_uri", "redirect_uri is missing")?;
        if redirect_uri == PAGE {
            // The redirect would lead off this machine, so its page is shown here.
            let code = self.code(redirect_uri, now);
            return Ok(page_of(200, &format!("The code is {code}")));
        }
        let host = redirect_uri.strip_prefix("http://").and_then(|rest| rest.split(['/', '?', '#']).next());
        if !host.is_some_and(is_loopback) || redirect_uri.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err("redirect_uri leads off this machine; write the default of Enphase, or http://127.0.0.1…");
        }
        let code = self.code(redirect_uri, now);
        let sign = if redirect_uri.contains('?') { '&' } else { '?' };
        let state = query.get("state").map(|state| format!("&state={}", percent(state))).unwrap_or_default();
        let target = format!("{redirect_uri}{sign}code={code}{state}");
        Ok(page_of(302, &format!("The code is {code}")).with("Location", target))
    }

    /// Only a code of ours is shown, so no page can be made here with somebody's words in it.
    fn shown(&self, query: &Query) -> Response {
        let known = query.get("code").filter(|code| self.codes.iter().any(|known| known.code == *code));
        match known {
            Some(code) => page_of(200, &format!("The code is {code}")),
            None => page_of(400, "there is no such code"),
        }
    }

    fn token(&mut self, papers: Option<&str>, query: &Query, now: Moment) -> Result<Response, Response> {
        if papers != Some(&*self.client) {
            return Err(refused(401, "invalid_client", "Bad client credentials"));
        }
        let missing = |name: &str| refused(400, "invalid_request", &format!("Missing {name}"));
        let wanted = |name| query.get(name).filter(|value| !value.is_empty()).ok_or_else(|| missing(name));
        let parent = match wanted("grant_type")? {
            "authorization_code" => {
                let (code, redirect_uri) = (wanted("code")?, wanted("redirect_uri")?);
                // Whatever comes of it, a code is good once.
                let place = self.codes.iter().position(|known| known.code == code);
                let known = place.and_then(|place| self.codes.remove(place));
                let good = known.is_some_and(|known| known.redirect_uri == redirect_uri && now < known.until);
                if !good {
                    return Err(refused(400, "invalid_grant", "Invalid authorization code"));
                }
                None
            }
            "refresh_token" => {
                let (refresh, life) = (wanted("refresh_token")?, self.refresh_life);
                let good = |pair: &&Pair| pair.refresh == refresh && !pair.refresh_over && now < pair.given.after(life);
                let pair = self.pairs.iter().find(good);
                let pair = pair.ok_or_else(|| refused(400, "invalid_grant", "Invalid refresh token"))?;
                let (number, parent) = (pair.number, pair.parent);
                self.end(parent);
                Some(number)
            }
            other => {
                let why = format!("Unsupported grant type: {other}");
                return Err(refused(400, "unsupported_grant_type", &why));
            }
        };
        let (life, owner) = (self.access_life.as_secs(), self.owner.clone());
        let jti = self.uuid();
        let (access, refresh) = self.give(parent, now);
        let body = json!({
            "access_token": access,
            "token_type": "bearer",
            "refresh_token": refresh,
            "expires_in": life,
            "scope": "read write",
            "enl_uid": owner,
            "enl_cid": "",
            "enl_password_last_changed": "1602498683",
            "is_internal_app": false,
            "app_type": "system",
            "jti": jti,
        });
        Ok(answer(200, &body).with("Cache-Control", "no-store"))
    }

    /// A new access token and its refresh token. Of very many the oldest are forgotten, which ends them.
    fn give(&mut self, parent: Option<u64>, now: Moment) -> (String, String) {
        // As a JWT looks: header, claims, signature; nobody but the giver can read it.
        let mut token = || format!("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.{}{}", self.word(), self.word());
        let (access, refresh) = (token(), token());
        self.given += 1;
        if self.pairs.len() >= ENPHASE_TOKENS_MAX {
            self.pairs.pop_front();
        }
        self.pairs.push_back(Pair {
            number: self.given,
            parent,
            access: access.clone(),
            refresh: refresh.clone(),
            given: now,
            access_over: false,
            refresh_over: false,
        });
        (access, refresh)
    }

    /// The refresh token of this pair is over: one that came from it is in use.
    fn end(&mut self, number: Option<u64>) {
        for pair in self.pairs.iter_mut().filter(|pair| Some(pair.number) == number) {
            pair.refresh_over = true;
        }
    }

    fn word(&mut self) -> String {
        let drawn = self.chance.draw();
        // Letters and digits of base64url.
        base64(&drawn.to_be_bytes()).replace('+', "-").replace('/', "_")
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.chance.draw(), self.chance.draw());
        let (version, variant) = (0x4000 | high & 0x0fff, 0x8000 | low >> 48 & 0x3fff);
        let (first, second, last) = (high >> 32, high >> 16 & 0xffff, low & 0xffff_ffff_ffff);
        format!("{first:08x}-{second:04x}-{version:04x}-{variant:04x}-{last:012x}")
    }
}

/// A page for a person; the words are ours.
fn page_of(status: u16, words: &str) -> Response {
    let page = format!("<!doctype html><title>Enphase</title><p>{words}\n");
    Response { content_type: "text/html; charset=utf-8", ..Response::text(status, page) }
}
