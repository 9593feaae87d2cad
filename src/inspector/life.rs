//! One event from its arrival to its end.

use super::Fault;
use super::json::Json;
use crate::limits;
use crate::model::{Content, CourtesyAct, Moment};
use crate::store::sqlite::Reader;
use crate::store::{Life, ReplyLife, State};
use std::borrow::Cow;

/// The life of the event of this name as members of an object that is open. The name is ours, or the platform's of the event
/// or of a reply to it.
pub(super) fn life(reader: &Reader, name: &str, now: Moment, json: &mut Json) -> Result<(), Fault> {
    let found = match reader.find_among(name, limits::INSPECTOR_REPLIES_MAX)? {
        Some(event) => reader.life(event)?,
        None => None,
    };
    let life = found.ok_or_else(|| Fault {
        status: 404,
        why: "there is no event of this name; after 30 days an event is forgotten".to_owned(),
    })?;
    came(&life, json);
    if life.state == State::Open
        && let Some((until, why)) = reader.rest(&life.id.channel, now)?
        && life.due.is_none_or(|due| due <= until)
    {
        json.name("rest").open('{').at("until", until).says("why", &why).close('}');
    }
    json.name("replies").open('[');
    for reply in &life.replies {
        said(reply, json);
    }
    json.close(']').name("changes").open('[');
    for change in &life.replays {
        json.open('{').at("at", change.at).says("state", &change.state.to_string());
        json.may_be_at("ended", change.ended).may_say("why", change.why.as_deref());
        json.flag("resolved", change.resolved).close('}');
    }
    json.close(']');
    Ok(())
}

/// What came in, and how it stands.
fn came(life: &Life, json: &mut Json) {
    json.says("id", &life.id.to_string()).says("state", &life.state.to_string()).says("kind", &life.kind);
    json.says("conversation", &life.conversation).says("platform_id", &life.platform_id);
    json.at("received", life.received).at("kept", life.kept).may_be_at("ended", life.ended);
    json.may_say("why", life.why.as_deref()).may_be_at("due", life.due).may_be_at("held", life.held);
    if let Some(ring) = life.ring() {
        json.says("ring", &format!("{} {}", ring.name, ring.words()));
    }
    let shown = life.raw.get(..limits::INSPECTOR_RAW_BYTES_MAX).unwrap_or(&life.raw);
    json.may_say("head", life.head.as_deref()).says("raw", &String::from_utf8_lossy(shown));
    json.name("raw_bytes").number(i64::try_from(life.raw.len()).unwrap_or(i64::MAX));
}

/// What was said, and each time that it was tried.
fn said(reply: &ReplyLife, json: &mut Json) {
    json.open('{').name("part").number(reply.part.into()).says("state", &reply.state.to_string());
    json.says("content", &words(&reply.reply.content)).at("made", reply.made);
    json.may_say("message_id", reply.message_id.as_deref()).flag("twice", reply.maybe_twice);
    json.name("attempts").open('[');
    for attempt in &reply.attempts {
        json.open('{').name("number").number(attempt.number.into());
        json.at("began", attempt.began).at("ended", attempt.ended);
        if let Some(status) = attempt.status {
            json.name("status").number(status.into());
        }
        json.says("words", &attempt.words).close('}');
    }
    json.close(']').close('}');
}

fn words(content: &Content) -> Cow<'static, str> {
    match content {
        Content::Courtesy(CourtesyAct::MarkSeen) => "a sign that it was seen".into(),
        Content::Courtesy(CourtesyAct::TypingOn) => "a sign that somebody types".into(),
        _ => content.in_words().into(),
    }
}
