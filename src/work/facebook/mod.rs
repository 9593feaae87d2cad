//! The consent of somebody who logged in at Facebook, and what follows from it: which token a call has, what a bot sees of
//! an answer, and that the operator is told when a new login is wanted.
//!
//!     code ──▶ tokens, pages ──▶ ONE value durable ──▶ used          talk.rs, consent.rs
//!     path ──▶ its token ──▶ GET ──▶ the answer without tokens        clean.rs
//!                              └ error 190: kept as refused, and asked no more ┘
//!
//! Nothing renews such tokens but a new login. Once a day Facebook is asked what it thinks of each; one that it takes
//! again, as after a password that had to be confirmed, is good again.

mod clean;
mod consent;
#[cfg(test)]
pub(super) mod played;
mod talk;
#[cfg(test)]
mod tests;

pub use consent::Consent;
pub use talk::SCOPES;

use super::memo::{keep, recall};
use super::vault::{Means, UNMET};
use crate::bot::CallFault;
use crate::keeper::TOKENS;
use crate::limits;
use crate::model::{Answer, Facebook, Moment, OutboundRequest, Secret};
use crate::notation::counted::counted;
use crate::notation::percent;
use clean::Clean;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use talk::{Look, Talk, error_of, papers, refusal};

/// The consent of one upstream, which lies in the store.
#[derive(Debug)]
pub struct Custody {
    upstream: String,
    api: String,
    pub(super) facebook: Facebook,
    /// Held while the consent is changed; what was last said to be wrong with looking at it.
    changing: Mutex<String>,
}

impl Custody {
    /// That of this upstream.
    pub(super) fn new(upstream: &str, api: &str, facebook: Facebook) -> Custody {
        Custody { upstream: upstream.to_owned(), api: api.to_owned(), facebook, changing: Mutex::default() }
    }

    /// The name of the upstream.
    pub(super) fn name(&self) -> &str {
        &self.upstream
    }

    /// Where consent is given (graph.md §3).
    pub(super) fn dialog(&self, state: &str) -> String {
        let Facebook { app_id, dialog, redirect_uri, .. } = &self.facebook;
        let (app, back, scopes) = (percent(app_id), percent(redirect_uri), percent(&SCOPES.join(",")));
        format!("{dialog}?client_id={app}&redirect_uri={back}&state={state}&response_type=code&scope={scopes}")
    }

    /// The token for a call of this path.
    pub(super) fn token(&self, path: &str, by: Means<'_>) -> Result<Secret, CallFault> {
        if clean::meddles(path) {
            let why = format!("upstream {}: a path must not name a token of its own", self.upstream);
            return Err(CallFault::Failed { why });
        }
        let consent = self.stored(by)?.ok_or_else(|| self.logged_out(UNMET))?;
        let token = consent.token_for(path).map_err(|why| self.logged_out(&why))?;
        match token.flaw((by.clock)()) {
            Some(why) => Err(self.logged_out(&format!("it takes our token no more ({why})"))),
            None => Ok(Secret::new(token.value.clone())),
        }
    }

    /// What a call carries by that token.
    pub(super) fn query(&self, token: &Secret) -> Secret {
        Secret::new(papers(&self.facebook, token.expose()))
    }

    /// What a bot sees of the answer to it.
    pub(super) fn judge(&self, answer: Answer, token: &Secret, by: Means<'_>) -> Result<Answer, CallFault> {
        if let Some((code @ (102 | 190), subcode)) = error_of(&answer.body) {
            let why = refusal(code, subcode);
            self.refuse(token, &why, by);
            return Err(self.logged_out(&format!("it takes our token no more ({why})")));
        }
        let proof = Secret::new(talk::proof(&self.facebook, token.expose()));
        // A short one, as of a stand-in, is found in words by chance.
        let hidden: Vec<_> = [token, &proof, &self.facebook.app_secret]
            .into_iter()
            .filter(|secret| secret.expose().len() >= limits::MASKED_BYTES_MIN)
            .collect();
        let clean = Clean { api: &self.api, hidden: &hidden };
        let Some((answer, dropped)) = clean.answer(answer) else {
            let why = format!("upstream {}: its answer repeats our secrets", self.upstream);
            return Err(CallFault::Failed { why });
        };
        if dropped > 0 {
            let name = &self.upstream;
            log::warn!(
                "upstream {name}: an answer leads to elsewhere than `api` for what follows; that is not followed"
            );
        }
        Ok(answer)
    }

    /// Makes a consent of a code, and keeps it. The error is a sentence for whoever logs in.
    pub(super) fn log_in(&self, code: &str, by: Means<'_>) -> Result<(), String> {
        let began = Instant::now();
        self.log_in_timed(code, &|| began.elapsed(), by)
    }

    /// The same, where `spent` says how long it has taken so far.
    fn log_in_timed(&self, code: &str, spent: &dyn Fn() -> Duration, by: Means<'_>) -> Result<(), String> {
        let call = |request: &OutboundRequest| {
            // Whoever logs in waits for all of them together.
            let patience = Some(limits::LOGIN_CALLS_TIME.saturating_sub(spent()));
            by.fetch.call(&OutboundRequest { patience, ..request.clone() })
        };
        let talk = Talk { api: &self.api, facebook: &self.facebook, call: &call };
        let consent = talk.log_in(code, (by.clock)()).map_err(|fault| fault.words())?;
        let changing = self.lock();
        if !self.keep(&consent, by) {
            return Err("what it granted could not be kept".to_owned());
        }
        drop(changing);
        log::info!("upstream {}: somebody logged in, for {}", self.upstream, consent.pages());
        Ok(())
    }

    /// The consent as it is in the store now.
    pub(super) fn stored(&self, by: Means<'_>) -> Result<Option<Consent>, CallFault> {
        let json = recall(by.keeper, TOKENS, &self.upstream);
        let json = json.map_err(|why| CallFault::Failed { why: why.to_owned() })?;
        Ok(json.and_then(|json| Consent::read(&json)))
    }

    /// What is to be done where nobody has logged in yet.
    pub(super) fn unmet(&self, by: Means<'_>) -> Option<String> {
        let is_unmet = matches!(self.stored(by), Ok(None));
        is_unmet.then(|| format!("upstream {}: {UNMET}; {}", self.upstream, self.mend()))
    }

    /// Once a day asks what Facebook thinks of each token, and warns before one ends.
    pub(super) fn look_after(&self, by: Means<'_>) {
        let Ok(Some(consent)) = self.stored(by) else { return };
        let now = (by.clock)();
        if consent.checked.is_none_or(|checked| now.since(checked) >= limits::CONSENT_CHECK) {
            self.check(&consent, now, by);
        }
        self.warn(now, by);
    }

    fn check(&self, consent: &Consent, now: Moment, by: Means<'_>) {
        let talk = Talk { api: &self.api, facebook: &self.facebook, call: &|request| by.fetch.call(request) };
        let mut looks = Vec::new();
        for token in consent.values() {
            match talk.look_at(token.expose()) {
                Ok(look) => looks.push((token, look)),
                Err(fault) => return self.complain(&fault.words()),
            }
        }
        self.change(by, |consent| {
            // Somebody may have logged in meanwhile; then nothing of this is about it.
            let mut all = true;
            for (value, look) in &looks {
                let Some(token) = consent.token_mut(value.expose()) else {
                    all = false;
                    continue;
                };
                match look {
                    Look::Good { expires, access_ends, .. } => {
                        (token.expires, token.access_ends, token.refused) = (*expires, *access_ends, None);
                    }
                    // What was said first stays, so that it is told once.
                    Look::Bad(why) => drop(token.refused.get_or_insert_with(|| why.clone())),
                }
            }
            consent.checked = all.then_some(now);
        });
        self.lock().clear();
    }

    /// Remembers that a token is taken no more, so that it is asked with no more.
    fn refuse(&self, token: &Secret, why: &str, by: Means<'_>) {
        self.change(by, |consent| {
            if let Some(token) = consent.token_mut(token.expose()) {
                token.refused = Some(why.to_owned());
                // The others often end with it: they are looked at as soon as somebody looks.
                consent.checked = None;
            }
        });
    }

    /// Changes the consent, and tells the operator once what it has come to.
    fn change(&self, by: Means<'_>, change: impl FnOnce(&mut Consent)) {
        let _changing = self.lock();
        let Ok(Some(before)) = self.stored(by) else { return };
        let mut after = before.clone();
        change(&mut after);
        if after == before || !self.keep(&after, by) {
            return;
        }
        let (was, is) = (before.refused(), after.refused());
        match is {
            Some(why) if was.as_ref() != Some(&why) => {
                log::error!("upstream {}: it takes our consent no more ({why}); {}", self.upstream, self.mend());
            }
            None if was.is_some() => log::info!("upstream {}: it takes our tokens again", self.upstream),
            _ => {}
        }
    }

    /// Tells the operator, once a day, that the consent ends.
    fn warn(&self, now: Moment, by: Means<'_>) {
        let Ok(Some(consent)) = self.stored(by) else { return };
        let Some(end) = consent.end().filter(|end| *end <= now.after(limits::LOGIN_WARNING)) else { return };
        let told = consent.warned.is_some_and(|warned| now.since(warned) < limits::UPSTREAM_WARNING);
        if told || consent.refused().is_some() {
            return;
        }
        let days = end.since(now).as_secs() / (24 * 3600);
        let days = counted(days, "day");
        log::warn!("upstream {}: what was granted there ends in {days}; {}", self.upstream, self.mend());
        self.change(by, |consent| consent.warned = Some(now));
    }

    /// Says what is wrong with looking at tokens, once.
    fn complain(&self, why: &str) {
        let mut said = self.lock();
        if *said != why {
            log::warn!("upstream {}: asking what it thinks of our tokens: {why}; again by and by", self.upstream);
            why.clone_into(&mut said);
        }
    }

    fn keep(&self, consent: &Consent, by: Means<'_>) -> bool {
        let json = consent.json().expose().as_bytes().to_vec();
        json.len() <= limits::MEMORY_VALUE_BYTES_MAX && keep(by.keeper, TOKENS, &self.upstream, Some(json), None)
    }

    fn logged_out(&self, what: &str) -> CallFault {
        CallFault::LoggedOut { why: format!("upstream {}: {what}; {}", self.upstream, self.mend()) }
    }

    /// What the operator does about it.
    pub(super) fn mend(&self) -> String {
        match self.facebook.public_login {
            true => format!("type ackd login {}", self.upstream),
            false => format!("type ackd login {}, or open {}", self.upstream, self.facebook.redirect_uri),
        }
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
