//! Pages: who may see which, and in which form.
//!
//!     /weekly/SECRET                 whoever has the link
//!     /weekly, secret in a header    a chat builder
//!     /weekly, as the operator       what they manage, and `?page=ID` for one of them
//!
//! What is remembered is shown at once; when it is old, the page asks to be made again for nobody, and that look asks
//! Facebook. So no visitor waits, and none makes more than one look in a while.

use super::ask::{self, Known, Names};
use super::html::Guest;
use super::week::Which;
use super::{Settings, gallery, html};
use crate::bot::{BotFault, Desk};
use crate::model::visit::{guarded, note, parameter};
use crate::model::{Claim, Head, Method, Page, Secret, Visit};
use crate::notation::unpercent_text;
use subtle::ConstantTimeEq;

/// Where its pages lie, and who may see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// As `/weekly`.
    pub path: String,
    pub secret: Secret,
}

/// What is wanted.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    which: Which,
    json: bool,
    /// The page that the operator chose.
    chosen: Option<String>,
}

/// The page that is wanted; `None` for whoever has no business here, as if there were none.
pub(super) fn page(set: &Settings, visit: &Visit, desk: &mut dyn Desk) -> Result<Option<Page>, BotFault> {
    let Some(door) = &set.door else { return Ok(None) };
    let is_top = ["", "/"].contains(&visit.path.as_str());
    let has_secret = has_secret(&door.secret, &visit.request.head, &visit.path);
    let is_operator = visit.operator && is_top && !has_secret;
    if !has_secret && !is_operator {
        return Ok(None);
    }
    let guest = match visit.claim {
        _ if !is_operator => Guest::Reader,
        Claim::Inside => Guest::Inside,
        Claim::Link | Claim::Unproven => Guest::Operator,
    };
    let query = visit.request.head.query();
    if is_operator && ["page", "week", "format"].iter().all(|name| parameter(query, name).is_none()) {
        return list(set, visit, guest, desk).map(Some);
    }
    let wanted = match wanted(visit, is_operator) {
        Ok(wanted) => wanted,
        Err(what) => return Ok(Some(Page::of(note(400, "Not understood", what)))),
    };
    let chosen = wanted.chosen.as_deref();
    if let Some(id) = chosen
        && !Names::load(set, desk)?.list.iter().any(|(known, _)| known == id)
    {
        return Ok(None);
    }
    let mut known = Known::load(set, desk, chosen, wanted.which)?;
    let now = desk.now();
    if visit.renews && known.is_due(now) {
        known = ask::renew(set, desk, chosen, wanted.which, false)?.0;
    }
    let response = match wanted.json {
        true => guarded(gallery::week(&known, set, now)),
        false => html::week(&known, set, now, chosen, guest),
    };
    Ok(Some(Page { response, renew: !visit.renews && known.is_due(now) }))
}

/// What the operator manages.
fn list(set: &Settings, visit: &Visit, guest: Guest, desk: &mut dyn Desk) -> Result<Page, BotFault> {
    let now = desk.now();
    if visit.renews && Names::load(set, desk)?.are_due(now) {
        ask::names(set, desk, false)?;
    }
    let names = Names::load(set, desk)?;
    Ok(Page { response: html::list(&names, set, now, guest), renew: !visit.renews && names.are_due(now) })
}

/// Whether the secret stands in the path or in a header. The comparison takes constant time.
pub(super) fn has_secret(secret: &Secret, head: &Head, below: &str) -> bool {
    let bearer = head.header("authorization").and_then(|value| value.split_at_checked(7));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer ")).map(|(_, token)| token);
    let in_path =
        below.strip_prefix('/').map(|path| path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path));
    let in_path = in_path.map(|path| unpercent_text(path, false).into_bytes());
    let expected = secret.expose().as_bytes();
    let is_it = |given: &[u8]| !expected.is_empty() && bool::from(given.ct_eq(expected));
    match in_path.filter(|path| !path.is_empty()) {
        Some(path) => is_it(&path),
        None => [head.header("x-ackd-secret"), bearer].into_iter().flatten().any(is_it),
    }
}

/// Reads the query. Whatever else stands in it, and in a body, are attributes of the chat builder, which mean nothing here.
fn wanted(visit: &Visit, is_operator: bool) -> Result<Wanted, &'static str> {
    let head = &visit.request.head;
    let get = |name| parameter(head.query(), name);
    let which = match get("week").as_deref() {
        None | Some("last") => Which::Last,
        Some("this") => Which::This,
        Some(_) => return Err("There is no such week; write ?week=last or ?week=this."),
    };
    let json = match get("format").as_deref() {
        // Whoever sends attributes is a chat builder.
        None => head.method == Method::Post,
        Some("html") => false,
        Some("json") => true,
        Some(_) => return Err("There is no such format; write ?format=html or ?format=json."),
    };
    Ok(Wanted { which, json, chosen: get("page").filter(|_| is_operator) })
}
