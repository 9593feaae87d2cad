//! A week for a chat builder: its JSON of messages (graph.md §7). It shows nothing for an empty answer, so there always is a
//! text. Pure.

use super::Settings;
use super::ask::Known;
use super::rank::Post;
use super::say;
use crate::model::{Moment, Response};
use serde_json::Value;

/// The gallery of the best posts, and below it the sums in a text.
pub(super) fn week(known: &Known, set: &Settings, now: Moment) -> Response {
    let text = say::summary(known, set, now).unwrap_or_else(|| say::nothing(known).to_owned());
    let text = format!("{{\"text\":{}}}", quoted(&text));
    let top = known.seen.as_ref().map(|(_, sums)| sums.top.as_slice()).unwrap_or_default();
    let elements = top.iter().map(|post| element(post, set)).collect::<Vec<_>>().join(",");
    let gallery = match elements.as_str() {
        "" => String::new(),
        elements => format!(
            "{{\"attachment\":{{\"type\":\"template\",\"payload\":{{\"template_type\":\"generic\",\
             \"image_aspect_ratio\":\"square\",\"elements\":[{elements}]}}}}}},"
        ),
    };
    Response::json(200, format!("{{\"messages\":[{gallery}{text}]}}").into_bytes())
}

fn element(post: &Post, set: &Settings) -> String {
    let (title, subtitle) = (quoted(&say::card_title(post, set)), quoted(&say::post_figures(post)));
    let opens = post.link.as_deref().map(quoted).map_or_else(String::new, |url| {
        format!(
            ",\"default_action\":{{\"type\":\"web_url\",\"url\":{url}}},\
             \"buttons\":[{{\"type\":\"web_url\",\"url\":{url},\"title\":\"Read\"}}]"
        )
    });
    format!("{{\"title\":{title},\"subtitle\":{subtitle}{opens}}}")
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
