//! What Facebook is asked about a login: a code becomes tokens, and tokens are looked at (graph.md §3). Such calls are not
//! paid for: they are few, and must be made when nothing is left, too.

use super::clean::cut;
use super::consent::{Consent, PageToken, Token};
use crate::limits;
use crate::model::{Facebook, Moment, OutboundRequest, Outcome, Secret};
use crate::notation::line::line;
use crate::notation::{hex, percent};
use ring::hmac;
use serde_json::Value;

/// What a bot may need of a page: its list, what it wrote, and what others answered (graph.md §5).
pub const SCOPES: [&str; 3] = ["pages_show_list", "pages_read_engagement", "pages_read_user_content"];

/// Someone to talk to.
pub(super) struct Talk<'a> {
    pub(super) api: &'a str,
    pub(super) facebook: &'a Facebook,
    pub(super) call: &'a dyn Fn(&OutboundRequest) -> Outcome,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TalkFault {
    /// It says no, by code and subcode (graph.md §6).
    Refused(i64, i64),
    /// It could not be asked, or did not answer as it should; in words.
    Failed(String),
}

impl TalkFault {
    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            TalkFault::Refused(_, 36_009) => "its code was used already".to_owned(),
            TalkFault::Refused(_, 36_008) => {
                "redirect_uri is not byte for byte the one that the dialog was told".to_owned()
            }
            TalkFault::Refused(code @ (102 | 190), subcode) => refusal(*code, *subcode),
            TalkFault::Refused(code @ 101, _) => format!("error {code}: does app_secret belong to app_id?"),
            TalkFault::Refused(code, 0) => format!("error {code}"),
            TalkFault::Refused(code, subcode) => format!("error {code}/{subcode}"),
            TalkFault::Failed(why) => why.clone(),
        }
    }
}

/// What Facebook says of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Good { expires: Option<Moment>, access_ends: Option<Moment>, lacks: Vec<String> },
    Bad(String),
}

impl Talk<'_> {
    /// What somebody grants who was led back with this code.
    pub(super) fn log_in(&self, code: &str, now: Moment) -> Result<Consent, TalkFault> {
        let (app, secret) = (percent(&self.facebook.app_id), percent(self.facebook.app_secret.expose()));
        let back = percent(&self.facebook.redirect_uri);
        let path = format!("/oauth/access_token?client_id={app}&redirect_uri={back}");
        let short = self.token(&path, format!("client_secret={secret}&code={}", percent(code)))?;
        // One of an hour or two becomes one of 60 days; one that is long already stays as it is (graph.md §3).
        let path = format!("/oauth/access_token?grant_type=fb_exchange_token&client_id={app}");
        let long = self.token(&path, format!("client_secret={secret}&fb_exchange_token={}", percent(&short)))?;
        let (expires, access_ends, lacks) = match self.look_at(&long)? {
            Look::Good { expires, access_ends, lacks } => (expires, access_ends, lacks),
            Look::Bad(why) => return Err(TalkFault::Failed(format!("its new token is not good: {why}"))),
        };
        let pages = self.pages(&long)?;
        if pages.is_empty() {
            let why = "no page was granted; whoever logs in must have a role on a page, and choose it";
            return Err(TalkFault::Failed(why.to_owned()));
        }
        let token = Token { expires, access_ends, ..Token::new(long) };
        Ok(Consent { given: now, token, pages, lacks, checked: None, warned: None })
    }

    /// What Facebook thinks of a token; 200 for a bad one, too.
    pub(super) fn look_at(&self, token: &str) -> Result<Look, TalkFault> {
        let app = format!("{}|{}", self.facebook.app_id, self.facebook.app_secret.expose());
        let query = format!("input_token={}&{}", percent(token), papers(self.facebook, &app));
        let answer = self.get("/debug_token", query)?;
        let said = |name| answer.pointer(name);
        let number = |name| said(name).and_then(Value::as_i64);
        match said("/data/is_valid").and_then(Value::as_bool) {
            Some(true) => {}
            Some(false) => {
                let part = |name| number(name).unwrap_or(0);
                return Ok(Look::Bad(refusal(part("/data/error/code"), part("/data/error/subcode"))));
            }
            None => return Err(TalkFault::Failed("it said nothing of a token".to_owned())),
        }
        let of_app = said("/data/app_id").and_then(text).unwrap_or_default();
        if of_app != self.facebook.app_id {
            return Ok(Look::Bad("it belongs to another app".to_owned()));
        }
        let ends = |name| number(name).filter(|end| *end > 0).map(|end| Moment(end.saturating_mul(1000)));
        let has = |scope: &str| {
            let scopes = said("/data/scopes").and_then(Value::as_array);
            scopes.is_some_and(|scopes| scopes.iter().any(|has| has.as_str() == Some(scope)))
        };
        let lacks = SCOPES.iter().filter(|scope| !has(scope)).map(|scope| (*scope).to_owned()).collect();
        Ok(Look::Good { expires: ends("/data/expires_at"), access_ends: ends("/data/data_access_expires_at"), lacks })
    }

    /// The pages of whoever has this token, each with its own.
    fn pages(&self, token: &str) -> Result<Vec<PageToken>, TalkFault> {
        let mut pages: Vec<PageToken> = Vec::new();
        let mut path = "/me/accounts?fields=id,name,access_token&limit=100".to_owned();
        for _ in 0..limits::GRANTED_CALLS_MAX {
            let answer = self.get(&path, papers(self.facebook, token))?;
            let listed = answer.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            pages.extend(listed.iter().filter_map(page));
            let next = answer.pointer("/paging/next").and_then(Value::as_str);
            let path_of_next = next.and_then(|next| cut(next, self.api));
            if next.is_some() && path_of_next.is_none() {
                let app = &self.facebook.app_id;
                log::warn!(
                    "app {app} at Facebook: a list of pages goes on elsewhere than below `api`; that is not followed"
                );
            }
            match path_of_next {
                Some(next) if pages.len() < limits::GRANTED_PAGES_MAX => path = next,
                _ => break,
            }
        }
        if pages.len() > limits::GRANTED_PAGES_MAX {
            let (app, most) = (&self.facebook.app_id, limits::GRANTED_PAGES_MAX);
            log::warn!("app {app} at Facebook: a login grants more than {most} pages; the others are left");
            pages.truncate(limits::GRANTED_PAGES_MAX);
        }
        Ok(pages)
    }

    /// A token that is answered.
    fn token(&self, path: &str, secret: String) -> Result<String, TalkFault> {
        let answer = self.get(path, secret)?;
        let token = answer.get("access_token").and_then(sound);
        token.ok_or_else(|| TalkFault::Failed("it answered without a token".to_owned()))
    }

    /// One call; what is secret of it stands in no error.
    fn get(&self, path: &str, secret: String) -> Result<Value, TalkFault> {
        let request = OutboundRequest {
            secret_query: Some(Secret::new(secret)),
            headers: vec![("Accept", "application/json".to_owned())],
            ..OutboundRequest::get(format!("{}{path}", self.api))
        };
        let answer = match (self.call)(&request) {
            Outcome::Answered(answer) => answer,
            Outcome::Failed(fault) => return Err(TalkFault::Failed(fault.why)),
        };
        if let Some((code, subcode)) = error_of(&answer.body) {
            return Err(TalkFault::Refused(code, subcode));
        }
        let value = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200);
        value.ok_or_else(|| TalkFault::Failed(format!("HTTP {} without what was asked for", answer.status)))
    }
}

/// Code and subcode of an answer that says no (graph.md §6).
pub(super) fn error_of(body: &[u8]) -> Option<(i64, i64)> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let code = value.pointer("/error/code")?.as_i64()?;
    Some((code, value.pointer("/error/error_subcode").and_then(Value::as_i64).unwrap_or(0)))
}

/// Why a token is taken no more (messenger.md §7).
pub(super) fn refusal(code: i64, subcode: i64) -> String {
    let why = match subcode {
        458 => "the app was removed by whoever logged in",
        459 => "whoever logged in must look after their account at Facebook first",
        460 => "the password was changed",
        463 => "it has expired",
        464 => "whoever logged in must confirm their account at Facebook first",
        492 => "whoever logged in has no role on the page any more",
        _ => "it is not valid",
    };
    format!("{why}; error {code}/{subcode}")
}

/// The token of a call, with the proof that we hold the app's secret (messenger.md §6).
pub(super) fn papers(facebook: &Facebook, token: &str) -> String {
    format!("access_token={}&appsecret_proof={}", percent(token), proof(facebook, token))
}

/// That proof.
pub(super) fn proof(facebook: &Facebook, token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, facebook.app_secret.expose().as_bytes());
    hex(hmac::sign(&key, token.as_bytes()).as_ref())
}

/// A page of a list; nothing where it has no token, as one on which whoever logged in may not read.
fn page(listed: &Value) -> Option<PageToken> {
    let id = listed.get("id").and_then(text)?;
    let id = Some(id).filter(|id| {
        !id.is_empty() && id.len() <= limits::ID_BYTES_MAX && id.bytes().all(|byte| byte.is_ascii_digit())
    })?;
    let name = listed.get("name").and_then(Value::as_str).unwrap_or_default();
    let name = line(name, limits::GRANTED_NAME_CHARS_MAX);
    Some(PageToken { id, name, token: Token::new(sound(listed.get("access_token")?)?) })
}

/// A number of Meta's, which it writes as a text or as a number.
fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))
}

/// A token that fits into a URL.
fn sound(value: &Value) -> Option<String> {
    let token = value.as_str()?;
    let fits = !token.is_empty() && token.len() <= limits::GRANTED_TOKEN_BYTES_MAX;
    (fits && token.bytes().all(|byte| byte.is_ascii_graphic())).then(|| token.to_owned())
}
