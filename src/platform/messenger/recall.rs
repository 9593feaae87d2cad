//! A kept item → the event that a bot hears: the text decoded, attachments, what was tapped (messenger.md §3).

use super::read::Item;
use crate::limits::EVENTS_MAX;
use crate::model::{Attachment, Event, EventKind, Moment};
use crate::notation::json::Value;
use crate::platform::Kept;
use std::borrow::Cow;

/// Reads a kept item again.
pub(super) fn event(kept: &Kept<'_>) -> Result<Event, String> {
    let raw = std::str::from_utf8(kept.raw).map_err(|_| "the kept event is not UTF-8")?;
    let item = Item::recall(raw).ok_or("the kept event is not a JSON object, or damaged inside")?;
    let happened = item.timestamp.word().and_then(|timestamp| moment(&timestamp)).unwrap_or(kept.received);
    let kind = item
        .content
        .map_or(EventKind::Other { kind: "unknown".to_owned() }, |(kind, content)| meaning(kind.word, content.whole));
    let (id, conversation) = (kept.id.clone(), kept.conversation.to_owned());
    Ok(Event { id, person: conversation.clone(), conversation, thread: None, happened, kind })
}

fn meaning(word: &str, content: Value<'_>) -> EventKind {
    let text = |name| text(content, name);
    match word {
        "message" if content.get("is_echo").flag() => EventKind::Other { kind: "echo".to_owned() },
        "message" => EventKind::Message {
            text: text("text"),
            attachments: content.get("attachments").items(EVENTS_MAX).into_iter().filter_map(attachment).collect(),
            choice: self::text(content.get("quick_reply"), "payload"),
        },
        "postback" => {
            let referral = self::text(content.get("referral"), "ref");
            EventKind::Postback { title: text("title"), payload: text("payload"), referral }
        }
        "referral" => EventKind::Referral { referral: text("ref") },
        "optin" => EventKind::OptIn {
            // The payload is what we put behind the request; a plug-in has `ref` in its place.
            topic: text("payload").or_else(|| text("ref")).or_else(|| text("title")),
            stopped: text("notification_messages_status").as_deref() == Some("STOP NOTIFICATIONS"),
        },
        _ => EventKind::Other { kind: word.to_owned() },
    }
}

/// One attachment. In shared links and locations `url` and `title` may stand outside the payload, and there may be no
/// payload at all.
fn attachment(sent: Value<'_>) -> Option<Attachment> {
    let payload = sent.get("payload");
    sent.is_object().then(|| Attachment {
        kind: text(sent, "type").unwrap_or_else(|| "unknown".to_owned()),
        url: text(payload, "url").or_else(|| text(sent, "url")),
        title: text(payload, "title").or_else(|| text(sent, "title")),
    })
}

fn text(object: Value<'_>, name: &str) -> Option<String> {
    object.get(name).text().map(Cow::into_owned)
}

/// Milliseconds; or seconds, as a few samples have them (messenger.md §3). Ten digits in milliseconds would be 1970.
fn moment(timestamp: &str) -> Option<Moment> {
    const SECONDS_MAX: i64 = 100_000_000_000;
    let number = timestamp.parse().ok().filter(|number: &i64| *number > 0)?;
    Some(Moment(if number < SECONDS_MAX { number * 1000 } else { number }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EventId;

    fn recalled(raw: &str) -> Event {
        let id = EventId { channel: "page".to_owned(), place: 1, part: None };
        event(&Kept { id, conversation: "7", received: Moment(5), raw: raw.as_bytes() }).unwrap()
    }

    #[test]
    fn half_an_emoji_loses_no_message() {
        let event = recalled(r#"{"message":{"mid":"m","text":"ok \ud83d\n\ud83d\udc4d \udc4d!"}}"#);
        assert_eq!(event.text(), Some("ok \u{FFFD}\n👍 \u{FFFD}!"));
    }

    #[test]
    fn a_time_in_seconds_or_as_text_is_understood_and_nonsense_is_not() {
        for (timestamp, expected) in [
            ("1763712000000", 1_763_712_000_000),
            ("\"1763712000000\"", 1_763_712_000_000),
            ("1527459824", 1_527_459_824_000),
            ("\"1527459824\"", 1_527_459_824_000),
            ("0", 5),
            ("-1", 5),
            ("\"soon\"", 5),
            ("null", 5),
            ("[1]", 5),
            ("99999999999999999999", 5),
        ] {
            let event = recalled(&format!(r#"{{"timestamp":{timestamp},"message":{{}}}}"#));
            assert_eq!(event.happened, Moment(expected), "{timestamp}");
        }
    }

    #[test]
    fn what_was_heard_can_be_recalled_whatever_else_is_in_it() {
        for odd in ["1e999", r#""\ud83d""#, "[1e999]", r#"{"\ud83d":1}"#, r#"[{"\ud83d":1}]"#] {
            let event = recalled(&format!(
                r#"{{"message":{{"text":"a","attachments":{odd},"quick_reply":{odd},"referral":{odd},"text":"b"}}}}"#
            ));
            assert_eq!(event.text(), Some("b"), "{odd}");
        }
    }

    #[test]
    fn members_of_unexpected_types_are_absent() {
        let event = recalled(
            r#"{"message":{"text":{"a":1},"quick_reply":[],"attachments":[1,{"type":7,"payload":"x","url":["u"]},null]}}"#,
        );
        let attachments = vec![Attachment { kind: "7".to_owned(), url: None, title: None }];
        assert_eq!(event.kind, EventKind::Message { text: None, attachments, choice: None });
    }
}
