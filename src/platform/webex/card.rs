//! What can be tapped, as an adaptive card (webex.md §7): quick replies, buttons, galleries. And the way back: the
//! inputs that come when somebody taps it.
//!
//! Clients read the words of a card as markdown, and ours hold names that others chose: what would be markup is escaped.
//! Titles of buttons are read as they are.
//!
//! A tap must say by itself what it meant, since nothing is remembered of a card. So each action carries our choice as
//! data; all of it plain members with plain text, which every client hands on.

use crate::limits::ID_BYTES_MAX;
use crate::model::{Button, Card, Content, EventKind, QuickReply};
use crate::notation::shelf::Shelf;
use serde_json::{Value, json};

/// The members of an action's data: how it was offered, what is written on it, what the bot put behind it, and the
/// thread that an answer belongs into.
const CHOICE: &str = "ackd_choice";
const TITLE: &str = "ackd_title";
const PAYLOAD: &str = "ackd_payload";
const THREAD: &str = "ackd_thread";

/// The values of `CHOICE`.
const QUICK_REPLY: &str = "quick_reply";
const BUTTON: &str = "button";

/// The card for this content, if it needs one.
pub(super) fn card(content: &Content, thread: Option<&str>) -> Option<Value> {
    match content {
        Content::Text { text, quick_replies } if !quick_replies.is_empty() => {
            let action = |QuickReply { title, payload }: &QuickReply| submit(QUICK_REPLY, title, payload, thread);
            Some(whole(vec![text_block(text)], quick_replies.iter().map(action).collect()))
        }
        Content::Buttons { text, buttons } => Some(whole(vec![text_block(text)], actions(buttons, thread))),
        Content::Gallery { cards } => Some(whole(cards.iter().map(|card| part(card, thread)).collect(), Vec::new())),
        _ => None,
    }
}

/// The length of a card's part of a gallery, in bytes, with the comma before it.
pub(super) fn part_bytes(card: &Card, thread: Option<&str>) -> usize {
    part(card, thread).to_string().len() + 1
}

/// A gallery for who cannot see cards.
pub(super) fn plain(cards: &[Card]) -> String {
    let line = |card: &Card| {
        let more = [&card.subtitle, &card.url].into_iter().flatten();
        more.fold(card.title.clone(), |line, member| format!("{line}\n{member}"))
    };
    cards.iter().map(line).collect::<Vec<_>>().join("\n\n")
}

/// What somebody meant by tapping, and the thread of the card, if these inputs are those of a choice of ours.
pub(super) fn choice(inputs: &Shelf<String, String>) -> Option<(EventKind, Option<String>)> {
    let member = |name| inputs.get(name).cloned();
    let kind = match inputs.get(CHOICE)?.as_str() {
        QUICK_REPLY => EventKind::Message { text: member(TITLE), attachments: Vec::new(), choice: member(PAYLOAD) },
        BUTTON => EventKind::Postback { title: member(TITLE), payload: member(PAYLOAD), referral: None },
        _ => return None,
    };
    // Whoever can tap can also make inputs up.
    Some((kind, member(THREAD).filter(|thread| !thread.is_empty() && thread.len() <= ID_BYTES_MAX)))
}

/// Version 1.2 has all that is used here, and every client shows it.
fn whole(body: Vec<Value>, actions: Vec<Value>) -> Value {
    members([
        ("$schema", Some(json!("http://adaptivecards.io/schemas/adaptive-card.json"))),
        ("type", Some(json!("AdaptiveCard"))),
        ("version", Some(json!("1.2"))),
        ("body", Some(Value::Array(body))),
        ("actions", (!actions.is_empty()).then_some(Value::Array(actions))),
    ])
}

fn text_block(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": escaped(text), "size": "medium", "wrap": true })
}

/// The length of a text on a card, in bytes.
pub(super) fn text_bytes(text: &str) -> usize {
    text_block(text).to_string().len()
}

/// Plain words as markdown: no sign of theirs opens a link, a reference, code, emphasis or a tag. A `_` inside a word is
/// none of these, and stands in many addresses.
fn escaped(text: &str) -> String {
    let mut marked = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    let mut before = ' ';
    while let Some(sign) = signs.next() {
        let is_inside = before.is_alphanumeric() && signs.peek().is_some_and(|after| after.is_alphanumeric());
        if matches!(sign, '\\' | '`' | '*' | '[' | ']' | '<') || sign == '_' && !is_inside {
            marked.push('\\');
        }
        marked.push(sign);
        before = sign;
    }
    marked
}

/// One card of a gallery.
fn part(card: &Card, thread: Option<&str>) -> Value {
    let image = card.image_url.as_ref().map(|url| json!({ "type": "Image", "url": url, "altText": card.title }));
    let title = json!({ "type": "TextBlock", "text": escaped(&card.title), "weight": "bolder", "wrap": true });
    let subtitle = card.subtitle.as_ref();
    let subtitle =
        subtitle.map(|text| json!({ "type": "TextBlock", "text": escaped(text), "isSubtle": true, "wrap": true }));
    let actions = actions(&card.buttons, thread);
    let actions = (!actions.is_empty()).then(|| json!({ "type": "ActionSet", "actions": actions }));
    let items: Vec<Value> = [image, Some(title), subtitle, actions].into_iter().flatten().collect();
    let open = |url| json!({ "type": "Action.OpenUrl", "title": card.title, "url": url });
    members([
        ("type", Some(json!("Container"))),
        ("separator", Some(json!(true))),
        ("items", Some(Value::Array(items))),
        ("selectAction", card.url.as_ref().map(open)),
    ])
}

fn actions(buttons: &[Button], thread: Option<&str>) -> Vec<Value> {
    let action = |button: &Button| match button {
        Button::Url { title, url } => json!({ "type": "Action.OpenUrl", "title": title, "url": url }),
        Button::Postback { title, payload } => submit(BUTTON, title, payload, thread),
    };
    buttons.iter().map(action).collect()
}

fn submit(choice: &str, title: &str, payload: &str, thread: Option<&str>) -> Value {
    let data = members([
        (CHOICE, Some(json!(choice))),
        (TITLE, Some(json!(title))),
        (PAYLOAD, Some(json!(payload))),
        (THREAD, thread.map(|thread| json!(thread))),
    ]);
    json!({ "type": "Action.Submit", "title": title, "data": data })
}

/// An object with the members that there are.
fn members<const MEMBERS: usize>(members: [(&str, Option<Value>); MEMBERS]) -> Value {
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_makes_markup_on_a_card() {
        for (text, shown) in [
            (
                "1. [x]: https://evil.example\n2. [Log in][x]",
                "1. \\[x\\]: https://evil.example\n2. \\[Log in\\]\\[x\\]",
            ),
            ("[a](b) *c* `d` <e>", "\\[a\\](b) \\*c\\* \\`d\\` \\<e>"),
            ("_a_ mid_or_feed \\[", "\\_a\\_ mid_or_feed \\\\\\["),
            ("https://e.org/a_b?c=1 won 3, 53.4 %", "https://e.org/a_b?c=1 won 3, 53.4 %"),
        ] {
            let quick_replies = vec![QuickReply { title: text.to_owned(), payload: text.to_owned() }];
            let texts = card(&Content::Text { text: text.to_owned(), quick_replies }, None).unwrap();
            assert_eq!(texts.pointer("/body/0/text"), Some(&json!(shown)));
            assert_eq!(texts.pointer("/actions/0/title"), Some(&json!(text)), "on a button it is read as it is");
            let of = Card { title: text.to_owned(), subtitle: Some(text.to_owned()), ..Card::default() };
            let cards = card(&Content::Gallery { cards: vec![of] }, None).unwrap();
            assert_eq!(cards.pointer("/body/0/items/0/text"), Some(&json!(shown)));
            assert_eq!(cards.pointer("/body/0/items/1/text"), Some(&json!(shown)));
        }
    }
}
