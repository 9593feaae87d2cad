//! What became of a call, by HTTP status alone (webex.md §8): message texts are Webex's to change. They are only
//! repeated for people to read, with the trackingId, by which Webex's support finds a call.

use crate::limits::ID_BYTES_MAX;
use crate::model::{Answer, Delivery, Extent, Moment, Outcome, Secret};
use crate::notation::json::Value;
use crate::platform::Recalled;
use crate::platform::cut::truncate;
use crate::platform::spelling::{plain_words, too_long};
use crate::queue::retry_after;
use std::borrow::Cow;
use std::time::Duration;

/// After a 429 that does not say how long (webex.md §8) …
const LIMIT_WAIT: Duration = Duration::from_secs(15);
/// … and at least, whatever it says.
const LIMIT_WAIT_MIN: Duration = Duration::from_secs(1);

/// What became of posting a message that ended at `now`. `hidden` is what no words may repeat.
pub(super) fn delivery(outcome: &Outcome, now: Moment, hidden: &[Secret]) -> Delivery {
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::Failed(fault) => {
            let why = plain_words(&fault.why, hidden);
            return if fault.went_out { Delivery::Unknown { why } } else { again(why) };
        }
    };
    match answer.status {
        200..=299 => match named(&answer.body) {
            Some((id, _)) => Delivery::Delivered { message_id: Some(id) },
            None => Delivery::Unknown { why: "a success whose body names no message".to_owned() },
        },
        _ => refused(answer, now, hidden, true),
    }
}

/// The body of what was looked up, or why there is none. A question is harmless, so it may always be asked again.
pub(super) fn found<'a>(outcome: &'a Outcome, now: Moment, hidden: &[Secret]) -> Result<&'a [u8], Box<Recalled>> {
    match outcome {
        Outcome::Answered(answer) => match answer.status {
            200 => Ok(&answer.body),
            404 => {
                let what = "it was deleted or is not visible to the bot";
                Err(Box::new(Recalled::Ignored(words(what, answer, hidden))))
            }
            _ => Err(Box::new(Recalled::Failed(refused(answer, now, hidden, false)))),
        },
        Outcome::Failed(fault) => Err(Box::new(Recalled::Failed(again(plain_words(&fault.why, hidden))))),
    }
}

/// Who we are: id and name.
pub(super) fn introduced(outcome: &Outcome, now: Moment, hidden: &[Secret]) -> Result<(String, String), Delivery> {
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::Failed(fault) => return Err(again(plain_words(&fault.why, hidden))),
    };
    if answer.status == 200 {
        let unreadable = || again("who the bot is cannot be read out of the answer to people/me".to_owned());
        let (id, mut name) = named(&answer.body).ok_or_else(unreadable)?;
        truncate(&mut name, ID_BYTES_MAX);
        return Ok((id, name));
    }
    Err(match refused(answer, now, hidden, false) {
        // It is not about any one event, so no event may die of it.
        Delivery::Dead { why } => Delivery::Locked { why: format!("people/me: {why}") },
        other => other,
    })
}

/// Id, and the name if there is one.
fn named(body: &[u8]) -> Option<(String, String)> {
    let named = Value::read(body)?;
    let id = named.get("id").word().filter(|id| !too_long(id))?.into_owned();
    Some((id, named.get("displayName").text().unwrap_or_default().into_owned()))
}

/// A failure by its status. After a 5xx a message may stand there all the same: nothing says whether Webex, or a
/// gateway before it, failed before or after it was posted.
fn refused(answer: &Answer, now: Moment, hidden: &[Secret], posting: bool) -> Delivery {
    let retry = |extent, after, maybe_said| {
        let why = words("", answer, hidden);
        Delivery::Retry { why, after, extent, maybe_said }
    };
    let asked = answer.header("retry-after").and_then(|value| retry_after(value, now));
    match answer.status {
        401 => {
            Delivery::Locked { why: words("the bot's token is not valid: make a new one and restart", answer, hidden) }
        }
        423 => retry(Extent::Conversation, asked, false),
        429 => retry(Extent::Channel, Some(asked.unwrap_or(LIMIT_WAIT).max(LIMIT_WAIT_MIN)), false),
        500.. => retry(Extent::Conversation, asked, posting),
        status => Delivery::Dead { why: words(advice(status, posting), answer, hidden) },
    }
}

/// What a refusal for good may mean (webex.md §8).
fn advice(status: u16, posting: bool) -> &'static str {
    match status {
        ..=399 => "this is not how Webex answers; does `api` lead there?",
        // Whatever else we send was cut to what Webex takes; only the id may have been typed by somebody.
        400 if posting => "Webex does not take a value that we sent; is the room's id right?",
        400 => "Webex does not take a value that we sent",
        403 => "the room or its organization does not allow it; is the bot still in the room?",
        404 => "there is no such room or thread, or not for the bot; is the bot still in the room?",
        410 => "it is gone",
        428 => "a file did not pass the check for malware",
        _ => "",
    }
}

/// `what`, with status, trackingId and Webex's own words.
fn words(what: &str, answer: &Answer, hidden: &[Secret]) -> String {
    let failure = Value::read(&answer.body).unwrap_or_default();
    let theirs = failure.get("message").words();
    let detail = failure.get("errors").items(1).first().and_then(|fault| fault.get("description").words());
    let detail = detail.filter(|detail| theirs.as_ref() != Some(detail));
    let theirs: Vec<_> = [theirs, detail].into_iter().flatten().collect();
    let said = (!theirs.is_empty()).then(|| format!("Webex says: {}", theirs.join(" ")));
    let tracking_id = failure.get("trackingId").word().filter(|id| !too_long(id));
    let tracking_id = tracking_id.or_else(|| answer.header("trackingid").map(Cow::Borrowed));
    let tracking_id = tracking_id.map(|id| format!("trackingId {id}"));
    let more: Vec<String> = [tracking_id, said].into_iter().flatten().collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
    let what = if what.is_empty() { String::new() } else { format!(": {what}") };
    plain_words(&format!("HTTP {}{what}{more}", answer.status), hidden)
}

/// Nothing was said, and nothing speaks against another try.
fn again(why: String) -> Delivery {
    Delivery::Retry { why, after: None, extent: Extent::Conversation, maybe_said: false }
}
