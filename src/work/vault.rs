//! The tokens of an upstream that wants OAuth: an access token for a day or so, and a refresh token for the next one, which
//! changes each time (enphase.md §1, §3). They lie in the store under a name that no bot can have, and nowhere else, so
//! that what `ackd login` brings is in use at once.
//!
//!     POST the refresh ──▶ both new tokens durable ──▶ the access token is used
//!
//! The order is what keeps us from locking ourselves out. Where the daemon dies before the second step, or the disk
//! takes nothing, the old refresh token is what we have, and it is tried again. That an upstream still takes it as long
//! as nothing was asked with the new tokens is our assumption (unconfirmed); while the process lives, new tokens that
//! could not be kept are held in memory, and kept before anything else is tried.
//!
//! One worker refreshes at a time; the others wait for what it gets. A consent that the upstream has taken back is
//! remembered, so that it is not asked again and again; new tokens end that.

use super::fetch::Fetch;
use crate::bot::CallFault;
use crate::keeper::{Letter, TOKENS};
use crate::limits;
use crate::model::{Answer, MemoryWrite, Method, Moment, OAuth, OutboundRequest, Outcome, Secret};
use crate::notation::counted::counted;
use crate::notation::percent;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::mpsc::{Sender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is wrong before the first login.
pub(super) const UNMET: &str = "nobody has logged in there yet";

/// Tokens as they are kept: JSON, so members may be added but not renamed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    access: String,
    refresh: String,
    /// When the access token ends.
    expires: Moment,
    /// When the refresh token was given.
    refreshed: Moment,
    /// The upstream takes this refresh token no more; what it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    /// When the operator was last told that the consent ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warned: Option<Moment>,
}

/// What a token endpoint answers (RFC 6749 §5.1; enphase.md §3).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<Value>,
}

/// What it answers instead (RFC 6749 §5.2).
#[derive(Deserialize)]
struct Denied {
    error: String,
}

/// Why there are no new tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// The code or refresh token is not good, or no more.
    Refused(String),
    /// Client id and secret are not good.
    WrongClient(String),
    /// It could not be asked, or did not answer as it should; worth another try.
    Failed(String),
}

/// The authorisation of one upstream.
#[derive(Debug)]
pub struct Vault {
    upstream: String,
    oauth: OAuth,
    turn: Mutex<Turn>,
    ended: Condvar,
}

/// Who refreshes, and what came of it.
#[derive(Debug, Default)]
struct Turn {
    taken: bool,
    closed: bool,
    /// Not kept yet, with the refresh token that they were got with.
    in_hand: Option<(Secret, Secret)>,
    /// Not again before this with this refresh token.
    rest: Option<(Secret, Moment, CallFault)>,
    /// An access token that is fresh and refused all the same, until when nobody tries it.
    futile: Option<(Secret, Moment)>,
}

/// What a vault works with.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub fetch: &'a Fetch,
    pub keeper: &'a Sender<Letter>,
    pub clock: fn() -> Moment,
}

impl Tokens {
    /// As they were kept.
    pub fn read(json: &[u8]) -> Option<Tokens> {
        serde_json::from_slice(json).ok()
    }

    /// Of a consent whose refresh token is all that is known: the first call brings the rest.
    pub fn of_refresh(refresh: &Secret, now: Moment) -> Tokens {
        let refresh = refresh.expose().to_owned();
        Tokens { access: String::new(), refresh, expires: now, refreshed: now, refused: None, warned: None }
    }

    /// Why the upstream takes them no more, if it has said so.
    pub fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// When the consent ends, unless it is renewed before.
    pub fn end(&self, oauth: &OAuth) -> Moment {
        self.refreshed.after(Duration::from_secs(oauth.refresh_life_s))
    }

    /// Whether they can be renewed.
    pub fn last(&self) -> bool {
        !self.refresh.is_empty()
    }

    /// As they are kept.
    pub fn json(&self) -> Secret {
        Secret::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// Whether the access token is good for a call that begins now.
    fn are_fresh(&self, now: Moment) -> bool {
        let life = self.expires.since(self.refreshed);
        now.after(limits::TOKEN_SLACK.min(life / 10)) < self.expires
    }

    /// Whether half of the refresh token's life is over. Who waits longer is locked out by a long weekend of the network.
    fn needs_refresh(&self, life: Duration, now: Moment) -> bool {
        now.since(self.refreshed) >= life / 2
    }
}

/// Asks for tokens: `grant` is the query that says by which right.
pub fn ask(
    oauth: &OAuth,
    grant: String,
    call: &dyn Fn(&OutboundRequest) -> Outcome,
    clock: fn() -> Moment,
) -> Result<Tokens, TokenFault> {
    // Parameters in the query, nothing in the body (enphase.md §3). Whether such a call counts against the plan is
    // unconfirmed; it is not paid for, since it must also be made when nothing is left.
    let request = OutboundRequest {
        basic: Some(Secret::new(format!("{}:{}", oauth.client_id, oauth.client_secret.expose()))),
        secret_query: Some(Secret::new(grant)),
        content_type: "application/x-www-form-urlencoded",
        headers: vec![("Accept", "application/json".to_owned())],
        ..OutboundRequest::json(Method::Post, oauth.token_url.clone(), Vec::new())
    };
    let asked = clock();
    match call(&request) {
        Outcome::Answered(answer) => granted(&answer, asked),
        Outcome::Failed(fault) => Err(TokenFault::Failed(fault.why)),
    }
}

/// The grant of a code that somebody was shown.
pub fn by_code(oauth: &OAuth, code: &str) -> String {
    format!("grant_type=authorization_code&redirect_uri={}&code={}", percent(&oauth.redirect_uri), percent(code))
}

/// What an answer of the token endpoint comes to.
fn granted(answer: &Answer, asked: Moment) -> Result<Tokens, TokenFault> {
    let status = answer.status;
    if status == 200 {
        let granted: Granted = serde_json::from_slice(&answer.body)
            .map_err(|_| TokenFault::Failed("it answered without tokens".to_owned()))?;
        let fits = |token: &str| {
            (1..=limits::TOKEN_BYTES_MAX).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let refresh = granted.refresh_token.unwrap_or_default();
        if !fits(&granted.access_token) || !(refresh.is_empty() || fits(&refresh)) {
            return Err(TokenFault::Failed("it answered with tokens that no header may hold".to_owned()));
        }
        let (expires, access) = (asked.after(life(granted.expires_in.as_ref())), granted.access_token);
        return Ok(Tokens { access, refresh, expires, refreshed: asked, refused: None, warned: None });
    }
    let denied = serde_json::from_slice::<Denied>(&answer.body).map(|denied| denied.error).unwrap_or_default();
    // Only words of the standard are repeated: what else is there might be a token.
    match (status, denied.as_str()) {
        (400 | 401, "invalid_grant") => Err(TokenFault::Refused(format!("HTTP {status}, invalid_grant"))),
        (400 | 401 | 403, "invalid_client" | "unauthorized_client") | (401, _) => {
            Err(TokenFault::WrongClient(format!("HTTP {status}")))
        }
        _ => Err(TokenFault::Failed(format!("HTTP {status}"))),
    }
}

/// How long an access token is good. The refresh token has changed by now, so however oddly it is said, or not at all, the
/// tokens are taken.
fn life(expires_in: Option<&Value>) -> Duration {
    let seconds = match expires_in {
        Some(Value::Number(number)) => {
            number.as_u64().or_else(|| number.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64))
        }
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    seconds.map_or(limits::TOKEN_LIFE, Duration::from_secs).min(limits::TOKEN_LIFE_MAX)
}

impl Vault {
    /// The vault of this upstream.
    pub(super) fn new(upstream: &str, oauth: OAuth) -> Vault {
        Vault { upstream: upstream.to_owned(), oauth, turn: Mutex::default(), ended: Condvar::new() }
    }

    /// An access token to call with now. It is renewed shortly before it ends.
    pub(super) fn access(&self, by: Means<'_>) -> Result<Secret, CallFault> {
        let tokens = self.good(self.stored(by)?)?;
        let now = (by.clock)();
        let futile =
            self.lock().futile.as_ref().is_some_and(|(access, until)| access.expose() == tokens.access && now < *until);
        if futile {
            return Err(self.logged_out("it refuses our tokens, though they are new"));
        }
        if tokens.are_fresh(now) {
            return Ok(Secret::new(tokens.access));
        }
        match self.refresh(&tokens, by) {
            // It ends soon, but it is good still.
            Err(CallFault::Failed { why }) if now < tokens.expires => {
                log::debug!("upstream {}: {why}", self.upstream);
                Ok(Secret::new(tokens.access))
            }
            other => other,
        }
    }

    /// Another one for an access token that was refused.
    pub(super) fn another(&self, refused: &Secret, by: Means<'_>) -> Result<Secret, CallFault> {
        let tokens = self.good(self.stored(by)?)?;
        if tokens.access != refused.expose() {
            return Ok(Secret::new(tokens.access));
        }
        self.refresh(&tokens, by)
    }

    /// A fresh access token was refused, too: what is wrong is not its age.
    pub(super) fn in_vain(&self, refused: &Secret, now: Moment) -> CallFault {
        self.lock().futile = Some((refused.clone(), now.after(limits::LOCKED_REST)));
        self.logged_out("it refuses our tokens, though they are new; is `key` the one of the same application?")
    }

    /// What is to be done where nobody has logged in yet.
    pub(super) fn unmet(&self, by: Means<'_>) -> Option<String> {
        let is_unmet = matches!(self.stored(by), Ok(None));
        is_unmet.then(|| format!("upstream {}: {UNMET}; {}", self.upstream, self.mend()))
    }

    /// Keeps the consent alive where nobody asks for weeks, and warns before it ends.
    pub(super) fn look_after(&self, by: Means<'_>) {
        let Ok(Some(tokens)) = self.stored(by) else { return };
        let now = (by.clock)();
        let unkept = self.lock().in_hand.is_some();
        if tokens.refused.is_none()
            && (unkept || tokens.needs_refresh(self.life(), now))
            && let Err(fault) = self.refresh(&tokens, by)
        {
            self.warn(tokens, &fault, now, by);
        }
    }

    /// Lets nobody begin a refresh any more, and waits until one that is under way has been kept.
    pub(super) fn close(&self) {
        let mut turn = self.lock();
        turn.closed = true;
        drop(self.ended.wait_timeout_while(turn, limits::FETCH_TIME, |turn| turn.taken));
    }

    /// Takes back that it was closed.
    pub(super) fn open_again(&self) {
        self.lock().closed = false;
    }

    /// Renews these tokens, unless somebody else just did.
    fn refresh(&self, old: &Tokens, by: Means<'_>) -> Result<Secret, CallFault> {
        self.take_turn()?;
        let end = EndOfTurn(self);
        let now = self.good(self.stored(by)?)?;
        if now.access != old.access {
            return Ok(Secret::new(now.access));
        }
        let refreshed = self.refresh_now(&now, by);
        drop(end);
        refreshed
    }

    /// The same, as the only one.
    fn refresh_now(&self, old: &Tokens, by: Means<'_>) -> Result<Secret, CallFault> {
        let with = Secret::new(old.refresh.clone());
        let mine = self.lock().in_hand.take().filter(|(from, _)| *from == with);
        let new = match mine.and_then(|(_, json)| Tokens::read(json.expose().as_bytes())) {
            Some(new) => new,
            None => self.fetch(old, &with, by)?,
        };
        if !self.keep(&new, by) {
            self.lock().in_hand = Some((with, new.json()));
            return Err(CallFault::Failed {
                why: "its new tokens cannot be kept, so they are not used yet".to_owned(),
            });
        }
        log::info!("upstream {}: has new tokens", self.upstream);
        Ok(Secret::new(new.access))
    }

    fn fetch(&self, old: &Tokens, with: &Secret, by: Means<'_>) -> Result<Tokens, CallFault> {
        let now = (by.clock)();
        if let Some((_, _, fault)) = self.lock().rest.as_ref().filter(|(of, until, _)| of == with && now < *until) {
            return Err(fault.clone());
        }
        let grant = format!("grant_type=refresh_token&refresh_token={}", percent(&old.refresh));
        let (fault, rest) = match ask(&self.oauth, grant, &|request| by.fetch.call(request), by.clock) {
            Ok(new) if new.refresh.is_empty() => {
                // It did not change, so neither did its age.
                return Ok(Tokens { refresh: old.refresh.clone(), refreshed: old.refreshed, ..new });
            }
            Ok(new) => return Ok(new),
            Err(TokenFault::Refused(why)) => {
                self.keep(&Tokens { refused: Some(why.clone()), ..old.clone() }, by);
                (self.logged_out(&format!("it takes our consent no more ({why})")), limits::TOKEN_REST)
            }
            Err(TokenFault::WrongClient(why)) => {
                let why = format!("upstream {}: it does not accept client_id and client_secret ({why})", self.upstream);
                (CallFault::LoggedOut { why }, limits::LOCKED_REST)
            }
            Err(TokenFault::Failed(why)) if now.since(old.refreshed) >= self.life() => (
                self.logged_out(&format!("its consent has ended unused, and renewing it failed: {why}")),
                limits::TOKEN_REST,
            ),
            Err(TokenFault::Failed(why)) => {
                (CallFault::Failed { why: format!("renewing its tokens: {why}") }, limits::TOKEN_REST)
            }
        };
        log::warn!("upstream {}: no new tokens: {}", self.upstream, words(&fault));
        self.lock().rest = Some((with.clone(), (by.clock)().after(rest), fault.clone()));
        Err(fault)
    }

    /// Waits until nobody else refreshes.
    fn take_turn(&self) -> Result<(), CallFault> {
        let turn = self.lock();
        let waited = self.ended.wait_timeout_while(turn, limits::FETCH_TIME, |turn| turn.taken);
        let (mut turn, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if turn.taken || turn.closed {
            let why = if turn.closed {
                "its tokens are put away, since ackd stops or is reloaded"
            } else {
                "renewing its tokens takes too long"
            };
            return Err(CallFault::Failed { why: why.to_owned() });
        }
        turn.taken = true;
        Ok(())
    }

    /// The tokens as they are in the store now.
    fn stored(&self, by: Means<'_>) -> Result<Option<Tokens>, CallFault> {
        let stopping = || CallFault::Failed { why: "ackd is stopping".to_owned() };
        let (answer, found) = sync_channel(1);
        let letter = Letter::Recall { bot: TOKENS.to_owned(), key: self.upstream.clone(), answer };
        by.keeper.send(letter).map_err(|_| stopping())?;
        let json = found.recv().map_err(|_| stopping())?;
        Ok(json.and_then(|json| Tokens::read(&json)))
    }

    /// The tokens, if the upstream takes them as far as we know.
    fn good(&self, tokens: Option<Tokens>) -> Result<Tokens, CallFault> {
        match tokens {
            None => Err(self.logged_out(UNMET)),
            Some(Tokens { refused: Some(why), .. }) => {
                Err(self.logged_out(&format!("it takes our consent no more ({why})")))
            }
            Some(tokens) => Ok(tokens),
        }
    }

    /// Writes tokens, and says whether they are on the disk.
    fn keep(&self, tokens: &Tokens, by: Means<'_>) -> bool {
        let value = Some(tokens.json().expose().as_bytes().to_vec());
        let write = MemoryWrite { bot: TOKENS.to_owned(), key: self.upstream.clone(), value, expires: None };
        let (answer, kept) = sync_channel(1);
        by.keeper.send(Letter::Keep { write, answer }).is_ok() && kept.recv().unwrap_or(false)
    }

    /// Tells the operator, once a day, that the consent ends.
    fn warn(&self, tokens: Tokens, fault: &CallFault, now: Moment, by: Means<'_>) {
        let end = tokens.refreshed.after(self.life());
        let fresh = |warned: Moment| warned <= now && now.since(warned) < limits::UPSTREAM_WARNING;
        let told = tokens.warned.is_some_and(fresh);
        if told || now.after(limits::CONSENT_WARNING) < end {
            return;
        }
        let (name, why, days) = (&self.upstream, words(fault), end.since(now).as_secs() / (24 * 3600));
        log::warn!(
            "upstream {name}: its consent ends in {} unless it can be renewed ({why}); {}",
            counted(days, "day"),
            self.mend()
        );
        // Somebody may have logged in meanwhile.
        if self.stored(by).is_ok_and(|now| now.as_ref() == Some(&tokens)) {
            self.keep(&Tokens { warned: Some(now), ..tokens }, by);
        }
    }

    fn life(&self) -> Duration {
        Duration::from_secs(self.oauth.refresh_life_s)
    }

    fn logged_out(&self, what: &str) -> CallFault {
        CallFault::LoggedOut { why: format!("upstream {}: {what}; {}", self.upstream, self.mend()) }
    }

    fn mend(&self) -> String {
        format!("type ackd login {}", self.upstream)
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the next one refresh, however this one ends.
struct EndOfTurn<'a>(&'a Vault);

impl Drop for EndOfTurn<'_> {
    fn drop(&mut self) {
        self.0.lock().taken = false;
        self.0.ended.notify_all();
    }
}

fn words(fault: &CallFault) -> &str {
    match fault {
        CallFault::NotBefore { why, .. }
        | CallFault::Failed { why }
        | CallFault::LoggedOut { why }
        | CallFault::Never { why } => why,
    }
}
