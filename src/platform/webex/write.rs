//! Replies → `POST /messages` (webex.md §7). Sizes are `fit`'s business; what comes here fits.

use super::fit::TEXT_BYTES_MAX;
use super::{card, id};
use crate::model::{Content, Reply};
use crate::platform::Unsayable;
use crate::platform::cut::shorten_bytes;
use serde_json::{Map, Value, json};

/// The call's JSON.
pub(super) fn body(reply: &Reply) -> Result<Vec<u8>, Unsayable> {
    let recipient = match &*reply.to {
        "" => return Err(Unsayable("the reply names no room to say it in".to_owned())),
        to if to.contains('@') => "toPersonEmail",
        to if id::is_person(to) => "toPersonId",
        _ => "roomId",
    };
    let mut body = Map::new();
    body.insert(recipient.to_owned(), Value::from(&*reply.to));
    if let Some(thread) = &reply.thread {
        body.insert("parentId".to_owned(), Value::from(&**thread));
    }
    for (name, value) in said(&reply.content)? {
        body.insert(name.to_owned(), value);
    }
    if let Some(card) = card::card(&reply.content, reply.thread.as_deref()) {
        let attachment = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": card });
        body.insert("attachments".to_owned(), json!([attachment]));
    }
    Ok(Value::Object(body).to_string().into_bytes())
}

/// What stands beside a card, or alone. A card needs a text for who cannot see cards.
fn said(content: &Content) -> Result<Vec<(&'static str, Value)>, Unsayable> {
    Ok(match content {
        Content::Text { text, .. } | Content::Buttons { text, .. } => vec![("text", json!(text))],
        Content::Gallery { cards } => vec![("text", json!(shorten_bytes(&card::plain(cards), TEXT_BYTES_MAX)))],
        Content::Rich { markdown, plain } if plain.is_empty() => vec![("markdown", json!(markdown))],
        Content::Rich { markdown, plain } => vec![("markdown", json!(markdown)), ("text", json!(plain))],
        Content::Picture { text, .. } => vec![("text", json!(text))],
        Content::Template { .. } => return Err(Unsayable("templates belong to Messenger".to_owned())),
        Content::Image { url } | Content::File { url } => vec![("files", json!([url]))],
        Content::Courtesy(_) => return Err(Unsayable("Webex has no such sign".to_owned())),
    })
}
