//! Codes and tokens (graph.md §3).
//!
//!     code ──▶ a person's token for an hour ──fb_exchange_token──▶ one for 60 days ──/me/accounts──▶ pages' tokens
//!
//! Tokens end with their time; all of them with the person's consent or password, a page's with the role on it. One that
//! came of a token for 60 days has no date. What is over is remembered, since Graph says why.

use super::call::{Object, array};
use super::refusal::Refused;
use super::settings::Settings;
use crate::limits::{GRAPH_CODE_TIME, GRAPH_CODES_MAX, GRAPH_DATA_SECONDS, GRAPH_TOKENS_MAX};
use crate::model::{Moment, Secret};
use crate::notation::hex;
use crate::twin::base64::base64;
use crate::twin::faults::Chance;
use crate::twin::query::Query;
use ring::hmac;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a proof with a time is good (messenger.md §6), in seconds.
const PROOF_SECONDS: i64 = 300;

/// All that is known of tokens.
pub(super) struct Papers {
    app_id: String,
    app_name: String,
    app_secret: Secret,
    person: String,
    short_life: Duration,
    long_life: Duration,
    tells_life: bool,
    requires_proof: bool,
    chance: Chance,
    /// The app's own token; its id and secret with a line between them are as good.
    app_token: String,
    codes: VecDeque<Code>,
    tokens: VecDeque<Token>,
}

/// Good once.
struct Code {
    code: String,
    redirect_uri: String,
    scopes: Vec<&'static str>,
    until: Moment,
    used: bool,
}

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Person,
    /// By its id.
    Page(String),
}

/// A token that was given out.
#[derive(Clone, Debug)]
pub(super) struct Token {
    text: String,
    pub who: Who,
    pub scopes: Vec<&'static str>,
    given: Moment,
    /// When the person logged in.
    login: Moment,
    /// Some have no date.
    until: Option<Moment>,
    is_long: bool,
    over: Option<Over>,
}

/// What ended a token, by Graph's subcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Consent = 458,
    Password = 460,
    Role = 492,
}

impl Over {
    fn refused(self, app_id: &str) -> Refused {
        let message = match self {
            Over::Consent => {
                format!("Error validating access token: The user has not authorized application {app_id}.")
            }
            Over::Password => "Error validating access token: The session has been invalidated because the user \
                 changed their password or Facebook has changed the session for security reasons."
                .to_owned(),
            Over::Role => "Error validating access token: The user has no role on the page any more.".to_owned(),
        };
        Refused::new(401, 190, self as u32, message)
    }
}

impl Token {
    fn refused(&self, app_id: &str, now: Moment) -> Option<Refused> {
        let expired = || self.until.filter(|until| now >= *until).map(|until| Refused::expired(until, now));
        self.over.map(|over| over.refused(app_id)).or_else(expired)
    }
}

impl Papers {
    pub(super) fn new(settings: &Settings) -> Papers {
        // Posts are drawn from the same seed in their own way.
        let mut chance = Chance::new(settings.seed ^ 0x7061_7065_7273);
        let app_token = format!("{}|{}", settings.app_id, words(&mut chance, 2));
        Papers {
            app_id: settings.app_id.clone(),
            app_name: settings.app_name.clone(),
            app_secret: settings.app_secret.clone(),
            person: settings.person.id.clone(),
            short_life: settings.short_life,
            long_life: settings.long_life,
            tells_life: settings.tells_life,
            requires_proof: settings.requires_proof,
            chance,
            app_token,
            codes: VecDeque::new(),
            tokens: VecDeque::new(),
        }
    }

    /// What names a refusal in Facebook's logs.
    pub(super) fn trace(&mut self) -> String {
        format!("A{:010x}", self.chance.draw() >> 24)
    }

    /// A code of somebody who has agreed to these scopes.
    pub(super) fn code(&mut self, redirect_uri: &str, scopes: Vec<&'static str>, now: Moment) -> String {
        let code = format!("AQD{}", words(&mut self.chance, 4));
        if self.codes.len() >= GRAPH_CODES_MAX {
            self.codes.pop_front();
        }
        let (redirect_uri, until) = (redirect_uri.to_owned(), now.after(GRAPH_CODE_TIME));
        self.codes.push_back(Code { code: code.clone(), redirect_uri, scopes, until, used: false });
        code
    }

    /// `/oauth/access_token`.
    pub(super) fn exchange(&mut self, query: &Query, now: Moment) -> Result<String, Refused> {
        let wanted = |name: &str, code| {
            let value = query.get(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| Refused::new(400, code, 0, format!("Missing {name} parameter.")))
        };
        if wanted("client_id", 101)? != self.app_id {
            let why = "Error validating application. Cannot get application info due to a system error.";
            return Err(Refused::new(400, 101, 0, why));
        }
        let grant = query.get("grant_type");
        let uri = if grant.is_none() { wanted("redirect_uri", 191)? } else { "" };
        if wanted("client_secret", 1)? != self.app_secret.expose() {
            return Err(Refused::new(400, 1, 0, "Error validating client secret."));
        }
        let (token, is_long) = match grant {
            None => {
                let scopes = self.redeem(wanted("code", 1)?, uri, now)?;
                (self.person_token(scopes, now, now, false), false)
            }
            Some("fb_exchange_token") => {
                let token = self.find(wanted("fb_exchange_token", 1)?, now)?;
                if token.who != Who::Person {
                    return Err(Refused::parameter("Only a person's token can be exchanged"));
                }
                let (scopes, login) = (token.scopes.clone(), token.login);
                (self.person_token(scopes, login, now, true), true)
            }
            Some("client_credentials") => (self.app_token.clone(), false),
            Some(_) => {
                return Err(Refused::parameter(
                    "Param grant_type must be one of {fb_exchange_token, client_credentials}",
                ));
            }
        };
        let told = Object::new().text("access_token", &token).text("token_type", "bearer");
        let life = if is_long { self.long_life } else { self.short_life };
        let tells = token != self.app_token && (self.tells_life || !is_long);
        Ok(if tells { told.raw("expires_in", life.as_secs()) } else { told }.end())
    }

    /// The scopes of a code; whatever comes of it, it is good once.
    fn redeem(&mut self, code: &str, redirect_uri: &str, now: Moment) -> Result<Vec<&'static str>, Refused> {
        let refused = |subcode, why| Refused::new(400, 100, subcode, why);
        let known = self.codes.iter_mut().find(|known| known.code == code);
        let known = known.ok_or_else(|| refused(0, "Invalid verification code format."))?;
        if std::mem::replace(&mut known.used, true) {
            return Err(refused(36_009, "This authorization code has been used."));
        }
        if known.redirect_uri != redirect_uri {
            return Err(refused(
                36_008,
                "Error validating verification code. Please make sure your redirect_uri is identical to the one you used \
                 in the OAuth dialog request",
            ));
        }
        if now >= known.until {
            return Err(refused(36_007, "This authorization code has expired."));
        }
        Ok(known.scopes.clone())
    }

    /// A new token of the person who is logged in since then.
    pub(super) fn person_token(
        &mut self,
        scopes: Vec<&'static str>,
        login: Moment,
        now: Moment,
        is_long: bool,
    ) -> String {
        let until = Some(now.after(if is_long { self.long_life } else { self.short_life }));
        self.give(Token {
            text: String::new(),
            who: Who::Person,
            scopes,
            given: now,
            login,
            until,
            is_long,
            over: None,
        })
    }

    /// The token of a page, made from that of a person. It is the same one each time.
    pub(super) fn page_token(&mut self, person: &Token, page: &str, now: Moment) -> String {
        let until = person.until.filter(|_| !person.is_long);
        let who = Who::Page(page.to_owned());
        let same = |token: &&Token| {
            (&token.who, token.login, token.until) == (&who, person.login, until)
                && token.scopes == person.scopes
                && token.over.is_none()
        };
        match self.tokens.iter().find(same) {
            Some(token) => token.text.clone(),
            None => self.give(Token { who, given: now, until, ..person.clone() }),
        }
    }

    /// Gives a token its text. Of very many the oldest are forgotten, which ends them.
    fn give(&mut self, token: Token) -> String {
        let text = format!("EAAG{}", words(&mut self.chance, 6));
        if self.tokens.len() >= GRAPH_TOKENS_MAX {
            self.tokens.pop_front();
        }
        self.tokens.push_back(Token { text: text.clone(), ..token });
        text
    }

    /// Whose token a call has; `None` for the app's.
    pub(super) fn admit(&self, text: &str, query: &Query, now: Moment) -> Result<Option<Token>, Refused> {
        if self.is_app(text) {
            return Ok(None);
        }
        let token = self.find(text, now)?.clone();
        self.prove(text, query, now)?;
        Ok(Some(token))
    }

    /// A proof that is there must be right, and one must be there where the app wants it.
    fn prove(&self, token: &str, query: &Query, now: Moment) -> Result<(), Refused> {
        let Some(proof) = query.get("appsecret_proof") else {
            return match self.requires_proof {
                true => Err(Refused::proof("API calls from the server require an appsecret_proof argument")),
                false => Ok(()),
            };
        };
        let time = query.get("appsecret_time");
        let message = time.map_or_else(|| token.to_owned(), |time| format!("{token}|{time}"));
        let seconds = time.map(|time| time.parse().unwrap_or(i64::MAX));
        let is_late = seconds.is_some_and(|time| now.seconds().saturating_sub(time).saturating_abs() > PROOF_SECONDS);
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.app_secret.expose().as_bytes());
        let is_right = hex(hmac::sign(&key, message.as_bytes()).as_ref()) == proof;
        if is_right && !is_late {
            Ok(())
        } else {
            Err(Refused::proof("Invalid appsecret_proof provided in the API argument"))
        }
    }

    fn is_app(&self, text: &str) -> bool {
        let plain =
            text.split_once('|').is_some_and(|(id, secret)| id == self.app_id && secret == self.app_secret.expose());
        plain || text == self.app_token
    }

    /// A token that is good.
    pub(super) fn find(&self, text: &str, now: Moment) -> Result<&Token, Refused> {
        let token = self.tokens.iter().find(|token| token.text == text).ok_or_else(Refused::bad_token)?;
        token.refused(&self.app_id, now).map_or(Ok(token), Err)
    }

    /// `/debug_token`, for the app.
    pub(super) fn debug(&self, query: &Query, asks: &str, now: Moment) -> Result<String, Refused> {
        if !self.is_app(asks) {
            let why =
                "You must provide an app access token, or a user access token that is an owner or developer of the app";
            return Err(Refused::parameter(why));
        }
        let text = query.get("input_token").filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| Refused::parameter("The parameter input_token is required"))?;
        let data = Object::new();
        let data = match self.tokens.iter().find(|token| token.text == text) {
            Some(token) => self.debugged(token, now),
            None if self.is_app(text) => {
                let data = self.app(data, "APP").raw("is_valid", true);
                data.raw("scopes", "[]")
            }
            None => {
                let error = Object::new().raw("code", 190).text("message", "Invalid OAuth access token.");
                data.raw("error", error.end()).raw("is_valid", false).raw("scopes", "[]")
            }
        };
        Ok(Object::new().raw("data", data.end()).end())
    }

    fn debugged(&self, token: &Token, now: Moment) -> Object {
        let data = self.app(Object::new(), if token.who == Who::Person { "USER" } else { "PAGE" });
        let refused = token.refused(&self.app_id, now);
        let until = token.until.map_or(0, Moment::seconds);
        let data = match &refused {
            None => {
                let access = token.login.seconds() + GRAPH_DATA_SECONDS;
                let data = data.raw("data_access_expires_at", access).raw("expires_at", until);
                data.raw("is_valid", true).raw("issued_at", token.given.seconds())
            }
            Some(refused) => {
                // The moments are left out here.
                let message = refused.message.split(" on ").next().filter(|_| refused.subcode == 463);
                let error =
                    Object::new().raw("code", refused.code).text("message", message.unwrap_or(&refused.message));
                let error = error.raw("subcode", refused.subcode).end();
                data.raw("error", error).raw("expires_at", until).raw("is_valid", false)
            }
        };
        let data = match &token.who {
            Who::Page(id) => data.text("profile_id", id),
            Who::Person => data,
        };
        let scopes: Vec<String> = token.scopes.iter().map(|scope| format!("\"{scope}\"")).collect();
        data.raw("scopes", array(&scopes)).text("user_id", &self.person)
    }

    fn app(&self, data: Object, kind: &str) -> Object {
        data.text("app_id", &self.app_id).text("type", kind).text("application", &self.app_name)
    }

    /// Ends what is good so far: all of it, or what belongs to this page. Codes end with it.
    pub(super) fn end(&mut self, page: Option<&str>, over: Over) {
        let meant = |token: &Token| page.is_none_or(|page| matches!(&token.who, Who::Page(id) if id == page));
        for token in self.tokens.iter_mut().filter(|token| token.over.is_none() && meant(token)) {
            token.over = Some(over);
        }
        if page.is_none() {
            self.codes.clear();
        }
    }
}

/// Letters and digits, eleven for each number drawn.
fn words(chance: &mut Chance, count: usize) -> String {
    let word = |_| base64(&chance.draw().to_be_bytes()).replace(['+', '/'], "Z");
    (0..count).map(word).collect()
}
