//! A notification's body → one arrival, whatever it is about (webex.md §5). What is not for the bot is kept and
//! ignored with a reason: a refusal would count towards losing the webhook (webex.md §1).

use super::notice::Notice;
use crate::model::{Arrival, Fate, Refusal};
use crate::notation::json::Value;
use crate::platform::Account;
use crate::platform::spelling::{bounded, hash};

const UNREADABLE: &str = "a notification that could not be read";

/// Where events go that name no room.
const NO_ROOM: &str = "-";

/// Reads a notification whose signature is known to be good.
pub(super) fn arrival(body: &[u8], me: Option<&Account>, bots_may_talk: bool) -> Result<Arrival, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::new(400, "signed, but not UTF-8"))?;
    let Some(notice) = Notice::parse(body) else {
        Value::read(body).ok_or_else(|| Refusal::new(400, "signed, but not JSON"))?;
        return Ok(Arrival {
            id: format!("unreadable:{}", hash(text)),
            conversation: NO_ROOM.to_owned(),
            kind: "unknown",
            fate: Fate::Ignore(UNREADABLE),
            raw: body.into(),
            proves: None,
        });
    };
    Ok(Arrival {
        id: bounded(notice.mark().unwrap_or_else(|| format!("nameless:{}", hash(text)))),
        conversation: bounded(notice.room().unwrap_or(NO_ROOM).to_owned()),
        kind: notice.kind(),
        fate: notice.fate(me, bots_may_talk),
        raw: body.into(),
        proves: None,
    })
}
