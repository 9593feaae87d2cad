//! Whether something may be said of our own accord now, and what happens to it otherwise.
//!
//! Some platforms let us speak only for a while after somebody wrote (messenger.md §9). An attempt that is known to be
//! refused is not made: what happens instead is the channel's choice.

use super::Channel;
use super::pool::Tools;
use crate::limits;
use crate::model::{Content, Instead, Moment, Purpose, Reply};
use crate::platform::Outside;

/// What is to be done with a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is said, as it is or in another shape.
    Say(Reply),
    /// It is not.
    Not(Instead),
}

/// The way for a reply at `now`; `heard` is when somebody last wrote in its conversation, as far as is known. Where it
/// is not known, the platform decides.
pub(super) fn way(reply: &Reply, channel: &Channel, heard: Option<Moment>, now: Moment, tools: &Tools) -> Way {
    let window = channel.platform.window().filter(|_| reply.purpose == Purpose::Push);
    let closed = window.zip(heard).filter(|(window, heard)| now.since(*heard) + limits::WINDOW_MARGIN > *window);
    match closed {
        Some((window, heard)) if !matches!(reply.content, Content::Template { .. } | Content::Courtesy(_)) => {
            let hours = now.since(heard).as_secs() / 3600;
            let why =
                format!("nobody wrote for {hours} h, and the platform lets us speak for {} h", window.as_secs() / 3600);
            outside(reply, channel, &why, tools)
        }
        _ => Way::Say(reply.clone()),
    }
}

/// What the channel wants done with a push that the platform does not take, and `why` it does not.
pub(super) fn outside(reply: &Reply, channel: &Channel, why: &str, tools: &Tools) -> Way {
    match &channel.outside {
        Outside::Hold => Way::Not(Instead::Hold { why: format!("held until somebody writes: {why}") }),
        Outside::Template { name, language } => {
            let texts = vec![reply.content.in_words()];
            let content = Content::Template { name: name.clone(), language: language.clone(), texts };
            Way::Say(Reply { content, ..reply.clone() })
        }
        Outside::Elsewhere { channel: name, to } => Way::Not(elsewhere(reply, name, to, why, tools)),
    }
}

fn elsewhere(reply: &Reply, name: &str, to: &str, why: &str, tools: &Tools) -> Instead {
    let there = tools.channels.iter().find(|(_, channel)| channel.name == name);
    let moved = Reply { to: to.to_owned(), thread: None, ..reply.clone() };
    let fitted = there.map(|(number, there)| (*number, there.platform.fit(moved)));
    match fitted {
        Some((channel, Ok(replies))) => {
            Instead::Elsewhere { channel, replies, why: format!("said on {name} instead: {why}") }
        }
        Some((_, Err(unsayable))) => Instead::Hold {
            why: format!("held until somebody writes: {why}; on {name} it cannot be said: {}", unsayable.0),
        },
        None => Instead::Hold { why: format!("held until somebody writes: {why}; there is no channel {name}") },
    }
}
