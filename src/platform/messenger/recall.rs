//! A kept item → the event that a bot hears: the text decoded, attachments, what was tapped (messenger.md §3).

use super::read::Item;
use crate::model::{Attachment, Event, EventKind, Moment};
use crate::platform::Kept;
use crate::platform::lenient::{Contained, Flag, List, Perhaps, Text, Word, object};

object! {
    /// What bots may want to know of an event's content, whatever its kind.
    struct Content {
        "is_echo" is_echo: Flag,
        "text" text: Text,
        "title" title: Text,
        "payload" payload: Text,
        "ref" r#ref: Text,
        "quick_reply" quick_reply: Contained<Perhaps<Tapped>>,
        "attachments" attachments: Contained<List<Contained<Perhaps<Sent>>>>,
        "referral" referral: Contained<Perhaps<Referral>>,
        "notification_messages_status" notification_messages_status: Text,
    }
}

object! {
    struct Tapped {
        "payload" payload: Text,
    }
}

object! {
    struct Referral {
        "ref" r#ref: Text,
    }
}

object! {
    /// One attachment. In shared links and locations `url` and `title` may stand outside the payload, and there may be
    /// no payload at all.
    struct Sent {
        "type" r#type: Text,
        "url" url: Text,
        "title" title: Text,
        "payload" payload: Contained<Perhaps<Payload>>,
    }
}

object! {
    struct Payload {
        "url" url: Text,
        "title" title: Text,
    }
}

/// Reads a kept item again.
pub(super) fn event(kept: &Kept<'_>) -> Result<Event, String> {
    let raw = std::str::from_utf8(kept.raw).map_err(|_| "the kept event is not UTF-8")?;
    let item = Item::<Content>::parse(raw).ok_or("the kept event is not a JSON object, or damaged inside")?;
    let happened = item.timestamp.as_str().and_then(moment).unwrap_or(kept.received);
    let kind = item.content.map_or(EventKind::Other { kind: "unknown".to_owned() }, |(kind, content)| {
        meaning(kind.word, content.object().unwrap_or_default())
    });
    let (id, conversation) = (kept.id.clone(), kept.conversation.to_owned());
    Ok(Event { id, person: conversation.clone(), conversation, thread: None, happened, kind })
}

fn meaning(word: &str, content: Content) -> EventKind {
    let referral = content.referral.0.object().and_then(|referral| referral.r#ref.0);
    match word {
        "message" if content.is_echo.0 => EventKind::Other { kind: "echo".to_owned() },
        "message" => EventKind::Message {
            text: content.text.0,
            attachments: content
                .attachments
                .0
                .0
                .into_iter()
                .filter_map(|sent| sent.0.object())
                .map(attachment)
                .collect(),
            choice: content.quick_reply.0.object().and_then(|tapped| tapped.payload.0),
        },
        "postback" => EventKind::Postback { title: content.title.0, payload: content.payload.0, referral },
        "referral" => EventKind::Referral { referral: content.r#ref.0 },
        "optin" => EventKind::OptIn {
            // The payload is what we put behind the request; a plug-in has `ref` in its place.
            topic: content.payload.0.or(content.r#ref.0).or(content.title.0),
            stopped: content.notification_messages_status.0.as_deref() == Some("STOP NOTIFICATIONS"),
        },
        _ => EventKind::Other { kind: word.to_owned() },
    }
}

fn attachment(sent: Sent) -> Attachment {
    let payload = sent.payload.0.object().unwrap_or_default();
    Attachment {
        kind: sent.r#type.0.unwrap_or_else(|| "unknown".to_owned()),
        url: payload.url.0.or(sent.url.0),
        title: payload.title.0.or(sent.title.0),
    }
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
