//! Who is the operator: whoever comes through the admin listener, and at the public door whoever logged in there, for a
//! while. Of a session's cookie only the hash is kept, so that nobody becomes the operator who reads the store.
//!
//! What the operator sends, as a form, must be theirs and not another page's. A browser says so itself, by
//! `Sec-Fetch-Site`, or by `Origin` where it is too old for that; and the form has a guard that no other page can read: a
//! code of the session, or of the admin listener, under a key that lives as long as this process. Both are asked for: the
//! first alone is silent in old browsers, and the second alone would do if ever a page of ours showed it to somebody else.

use super::memo::{keep, recall};
use super::pool::Tools;
use crate::limits::SESSION_TIME;
use crate::model::visit::{GUARD, cookies, is_from_here, parameter};
use crate::model::{Head, Method, Response, Visit};
use crate::notation::{from_hex, hex};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use std::fmt;

/// Under which name sessions are kept, by the hash of their cookie. No bot can be called so.
const SESSIONS: &str = "operator sessions";
/// The cookie; a browser takes the first only over HTTPS, and from this very host.
const COOKIES: [&str; 2] = ["__Host-ackd", "ackd"];

/// What knows the operator.
pub struct Reception {
    key: hmac::Key,
}

impl fmt::Debug for Reception {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Reception")
    }
}

/// Who visits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guest {
    /// Through the admin listener.
    Inside,
    /// At the public door, with the session of this hash.
    Session(String),
    /// Anybody.
    Stranger,
}

impl Guest {
    /// Whether it is the operator.
    pub(super) fn is_operator(&self) -> bool {
        *self != Guest::Stranger
    }
}

impl Reception {
    /// One with a key of its own; nothing where the system gives no random numbers.
    pub(super) fn new() -> Option<Reception> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok().map(|key| Reception { key })
    }

    /// Who visits. `visit.operator` says whether it is through the admin listener, and afterwards whether it is the operator.
    pub(super) fn welcome(&self, visit: &mut Visit, tools: &Tools) -> Guest {
        let guest = if visit.operator { Guest::Inside } else { session(&visit.request.head, tools) };
        visit.operator = guest.is_operator();
        if visit.operator {
            visit.guard = hex(hmac::sign(&self.key, of(&guest)).as_ref());
        }
        guest
    }

    /// Why a form of the operator's is not taken: no other page sends one for them. What a program posts to a bot, as a chat
    /// builder does, is that bot's to judge: it comes in a stranger's name, and for strangers no other form has a place.
    pub(super) fn objects(&self, visit: &Visit, guest: &Guest) -> Option<&'static str> {
        if visit.request.head.method != Method::Post || !guest.is_operator() {
            return None;
        }
        if !is_from_here(&visit.request.head) {
            return Some("This was asked for by a page of somebody else, and nothing was done.");
        }
        let body = String::from_utf8_lossy(&visit.request.body);
        let code = parameter(&body, GUARD).and_then(|code| from_hex::<32>(code.as_bytes()));
        // In constant time.
        let fits = code.is_some_and(|code| hmac::verify(&self.key, of(guest), &code).is_ok());
        (!fits).then_some("This form is too old. Please go back, reload the page and try again.")
    }
}

/// What a guard is a code of.
fn of(guest: &Guest) -> &[u8] {
    match guest {
        Guest::Session(hash) => hash.as_bytes(),
        Guest::Inside | Guest::Stranger => b"the admin listener",
    }
}

/// Whether a request brings what a session's cookie looks like. Whether it is one, only the store knows.
pub fn may_be(head: &Head) -> bool {
    COOKIES.iter().any(|name| cookies(head, name).any(is_random))
}

/// Whether a text looks like one of `random`.
fn is_random(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The session that a request's cookie belongs to.
fn session(head: &Head, tools: &Tools) -> Guest {
    let cookies = COOKIES.iter().flat_map(|name| cookies(head, name));
    for hash in cookies.filter(|value| is_random(value)).map(mark) {
        if matches!(recall(&tools.keeper, SESSIONS, &hash), Ok(Some(_))) {
            return Guest::Session(hash);
        }
    }
    Guest::Stranger
}

/// The answer with a new session's cookie; `None` where it could not be kept.
pub(super) fn begin(response: Response, secure: bool, tools: &Tools) -> Option<Response> {
    let secret = random()?;
    let expires = Some((tools.clock)().after(SESSION_TIME));
    if !keep(&tools.keeper, SESSIONS, &mark(&secret), Some(b"{}".to_vec()), expires) {
        return None;
    }
    let [name, plain] = COOKIES;
    let name = if secure { name } else { plain };
    Some(response.with("Set-Cookie", set_cookie(name, &secret, "/", SESSION_TIME.as_secs(), secure)))
}

/// Ends a session, and says whether that is on the disk.
pub(super) fn end(hash: &str, tools: &Tools) -> bool {
    keep(&tools.keeper, SESSIONS, hash, None, None)
}

/// The answer that makes a browser forget its session.
pub(super) fn forgotten(response: Response, secure: bool) -> Response {
    let [name, plain] = COOKIES;
    response.with("Set-Cookie", set_cookie(if secure { name } else { plain }, "", "/", 0, secure))
}

/// A cookie that scripts do not see and that other sites' forms do not bring.
pub(super) fn set_cookie(name: &str, value: &str, path: &str, seconds: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// 128 bits that nobody can guess, as 32 hex digits.
pub fn random() -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

/// What is kept of a secret that somebody brings back.
pub fn mark(secret: &str) -> String {
    hex(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref())
}
