//! Replies → `POST /me/messages` (messenger.md §6). Sizes are `fit`'s business; what comes here fits.

use super::{Settings, USER_REF};
use crate::model::{Button, Card, Content, CourtesyAct, Purpose, QuickReply, Reply, Secret};
use crate::notation::{hex, percent};
use crate::platform::Unsayable;
use ring::hmac;
use serde_json::{Map, Value, json};

/// Longest `metadata`, in bytes: "less than 1000 characters".
const METADATA_BYTES_MAX: usize = 999;

/// The plain appsecret_proof: HMAC of the page's token by the app's secret (messenger.md §6).
pub(super) fn proof(key: &hmac::Key, settings: &Settings) -> Secret {
    let tag = hmac::sign(key, settings.access_token.expose().as_bytes());
    Secret::new(hex(tag.as_ref()))
}

/// The secret parameters of each call, if there are any.
pub(super) fn secret_query(settings: &Settings, proof: Option<&Secret>) -> Option<Secret> {
    let token = settings.token_in_query.then_some(("access_token", &settings.access_token));
    let proof = proof.map(|proof| ("appsecret_proof", proof));
    let pairs = token.into_iter().chain(proof);
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", percent(value.expose()))).collect();
    (!pairs.is_empty()).then(|| Secret::new(pairs.join("&")))
}

/// The call's JSON. `tag` travels as `metadata` and comes back in the echo.
pub(super) fn body(reply: &Reply, tag: &str) -> Result<Vec<u8>, Unsayable> {
    if reply.to.is_empty() {
        return Err(Unsayable("the reply names nobody to say it to".to_owned()));
    }
    if tag.len() > METADATA_BYTES_MAX {
        return Err(Unsayable(format!("a tag of {} bytes is too long for Messenger's metadata", tag.len())));
    }
    let recipient = match reply.to.strip_prefix(USER_REF) {
        Some(user_ref) => json!({ "user_ref": user_ref }),
        None => json!({ "id": reply.to }),
    };
    let body = match message(&reply.content) {
        Said::Act(act) => json!({ "recipient": recipient, "sender_action": act }),
        Said::Message(mut message) => {
            if !tag.is_empty() {
                message.insert("metadata".to_owned(), Value::from(tag));
            }
            let messaging_type = match (&reply.content, reply.purpose) {
                (Content::Template { .. }, _) => "UTILITY",
                (_, Purpose::Response) => "RESPONSE",
                (_, Purpose::Push) => "UPDATE",
            };
            json!({ "recipient": recipient, "messaging_type": messaging_type, "message": message })
        }
    };
    Ok(body.to_string().into_bytes())
}

enum Said {
    Message(Map<String, Value>),
    Act(&'static str),
}

fn message(content: &Content) -> Said {
    let template = |payload| json!({ "attachment": { "type": "template", "payload": payload } });
    let message = match content {
        Content::Courtesy(CourtesyAct::MarkSeen) => return Said::Act("mark_seen"),
        Content::Courtesy(CourtesyAct::TypingOn) => return Said::Act("typing_on"),
        Content::Text { text, quick_replies } if quick_replies.is_empty() => json!({ "text": text }),
        Content::Text { text, quick_replies } => {
            let quick_replies: Vec<Value> = quick_replies.iter().map(quick_reply).collect();
            json!({ "text": text, "quick_replies": quick_replies })
        }
        Content::Gallery { cards } => template(json!({
            "template_type": "generic",
            "image_aspect_ratio": "horizontal",
            "elements": cards.iter().map(card).collect::<Vec<_>>(),
        })),
        Content::Buttons { text, buttons } => template(json!({
            "template_type": "button",
            "text": text,
            "buttons": buttons.iter().map(button).collect::<Vec<_>>(),
        })),
        Content::Rich { plain, .. } => json!({ "text": plain }),
        // Cut into its two halves by `fit`.
        Content::Picture { text, .. } => json!({ "text": text }),
        Content::Template { name, language, texts } => json!({ "template": {
            "name": name,
            "language": { "code": language },
            "components": [{ "type": "body", "parameters": texts.iter().map(parameter).collect::<Vec<_>>() }],
        } }),
        Content::Image { url } => attachment("image", url),
        Content::File { url } => attachment("file", url),
    };
    match message {
        Value::Object(message) => Said::Message(message),
        _ => Said::Message(Map::new()),
    }
}

/// A text for a place of a template (messenger.md §9).
fn parameter(text: &String) -> Value {
    json!({ "type": "text", "text": text })
}

fn attachment(kind: &str, url: &str) -> Value {
    json!({ "attachment": { "type": kind, "payload": { "url": url, "is_reusable": true } } })
}

fn quick_reply(quick_reply: &QuickReply) -> Value {
    json!({ "content_type": "text", "title": quick_reply.title, "payload": quick_reply.payload })
}

/// A card with the members that it has; a null would be refused.
fn card(card: &Card) -> Value {
    let mut element = Map::new();
    let mut put = |name: &str, value: Option<Value>| value.and_then(|value| element.insert(name.to_owned(), value));
    put("title", Some(json!(card.title)));
    put("subtitle", card.subtitle.as_ref().map(|subtitle| json!(subtitle)));
    put("image_url", card.image_url.as_ref().map(|url| json!(url)));
    put("default_action", card.url.as_ref().map(|url| json!({ "type": "web_url", "url": url })));
    let buttons: Vec<Value> = card.buttons.iter().map(button).collect();
    put("buttons", (!buttons.is_empty()).then_some(Value::Array(buttons)));
    Value::Object(element)
}

fn button(button: &Button) -> Value {
    match button {
        Button::Url { title, url } => json!({ "type": "web_url", "title": title, "url": url }),
        Button::Postback { title, payload } => json!({ "type": "postback", "title": title, "payload": payload }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_of(reply: &Reply, tag: &str) -> Value {
        serde_json::from_slice(&body(reply, tag).unwrap()).unwrap()
    }

    #[test]
    fn a_plug_ins_reference_is_a_recipient_too() {
        let body = json_of(&Reply::text("user_ref:4a1b", "hi"), "");
        assert_eq!(body["recipient"], json!({ "user_ref": "4a1b" }));
        assert_eq!(body["message"], json!({ "text": "hi" }), "no tag, no metadata");
    }

    #[test]
    fn what_we_say_of_our_own_accord_is_an_update() {
        let push = Reply { purpose: Purpose::Push, ..Reply::text("7", "hi") };
        assert_eq!(json_of(&push, "t")["messaging_type"], "UPDATE");
    }

    #[test]
    fn a_reply_to_nobody_or_with_an_endless_tag_is_unsayable() {
        assert!(body(&Reply::text("", "hi"), "t").is_err());
        assert!(body(&Reply::text("7", "hi"), &"t".repeat(1000)).is_err());
        assert!(body(&Reply::text("7", "hi"), &"t".repeat(999)).is_ok());
    }
}
