//! Replies → `POST /messages` (webex.md §7). Sizes are `fit`'s business; what comes here fits.

use super::fit::TEXT_BYTES_MAX;
use super::{card, id, multipart};
use crate::model::{Content, Picture, Reply};
use crate::platform::Unsayable;
use crate::platform::cut::shorten_bytes;
use serde_json::{Map, Value, json};

/// What a call carries, and what that is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// The call's JSON; with a picture, the same members as parts beside a file.
pub(super) fn body(reply: &Reply) -> Result<Body, Unsayable> {
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
    if let Content::Picture { picture, .. } = &reply.content
        && let Some(bytes) = upload(&body, picture)
    {
        return Ok(Body { content_type: multipart::CONTENT_TYPE, bytes });
    }
    if let Some(card) = card::card(&reply.content, reply.thread.as_deref()) {
        let attachment = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": card });
        body.insert("attachments".to_owned(), json!([attachment]));
    }
    Ok(Body { content_type: "application/json", bytes: Value::Object(body).to_string().into_bytes() })
}

/// The body with the picture in it. Without one, the words are said alone.
fn upload(members: &Map<String, Value>, picture: &Picture) -> Option<Vec<u8>> {
    multipart::body(members, &picture.bytes()?)
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

#[cfg(test)]
mod tests {
    use super::*;

    const GIF: &[u8] = b"GIF89a and so on";

    fn pictured(text: &str, picture: Picture) -> Body {
        let content = Content::Picture { picture, text: text.to_owned() };
        body(&Reply { content, thread: Some("parent".to_owned()), ..Reply::text("me@example.org", "") }).unwrap()
    }

    #[test]
    fn a_picture_is_uploaded_beside_its_words() {
        let Body { content_type, bytes } = pictured("9 kWh\nü", Picture::gif(GIF));
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let part = |name: &str, value: &str| {
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let mut expected = ["parentId", "text", "toPersonEmail"].map(|name| match name {
            "parentId" => part(name, "parent"),
            "text" => part(name, "9 kWh\nü"),
            _ => part(name, "me@example.org"),
        });
        expected.sort();
        let file = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"chart.gif\"\r\n\
             Content-Type: image/gif\r\n\r\n"
        );
        let end = format!("\r\n--{boundary}--\r\n");
        let expected = [expected.concat().as_bytes(), file.as_bytes(), GIF, end.as_bytes()].concat();
        assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&expected));
        assert_eq!(bytes, expected);
    }

    #[test]
    fn where_the_boundary_is_said_only_the_words_are() {
        let (_, boundary) = multipart::CONTENT_TYPE.split_once('=').unwrap();
        let words = json!({ "parentId": "parent", "text": boundary, "toPersonEmail": "me@example.org" });
        for (text, picture) in [(boundary, GIF.to_vec()), ("hi", [GIF, boundary.as_bytes()].concat())] {
            let Body { content_type, bytes } = pictured(text, Picture::gif(&picture));
            assert_eq!(content_type, "application/json");
            let said: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(said.get("text").unwrap(), text);
            assert_eq!(said.as_object().unwrap().len(), words.as_object().unwrap().len());
        }
        assert_eq!(pictured("hi", Picture::gif(b"no picture")).content_type, "application/json");
    }
}
