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

#[cfg(test)]
mod tests {
    use super::super::testing::{page, space, tools};
    use super::*;
    use crate::bot::Desk;
    use crate::model::{ChannelNumber, Event, EventId, EventKey, EventKind};
    use crate::work::desk::WorkDesk;
    use std::sync::Arc;

    const HOUR_MS: i64 = 3_600_000;
    /// Somebody wrote then.
    const WROTE: Moment = Moment(1_800_000_000_000);

    /// The way of a push so many milliseconds after somebody wrote, with a Webex channel `space` beside the page.
    fn way_after(waited_ms: Option<i64>, outside: Outside, reply: &Reply) -> Way {
        let (tools, _letters) = tools(&[], || Moment(0));
        let channels = Arc::new([(ChannelNumber(2), space(None))].into_iter().collect());
        let (page, tools) = (Channel { outside, ..page() }, Tools { channels, ..tools });
        let heard = waited_ms.map(|_| WROTE);
        let now = Moment(WROTE.0 + waited_ms.unwrap_or(1000 * HOUR_MS));
        way(reply, &page, heard, now, &tools)
    }

    fn push() -> Reply {
        Reply { purpose: Purpose::Push, ..Reply::text("anna", "9 kWh") }
    }

    #[test]
    fn a_push_goes_out_within_the_window_and_is_held_outside_it() {
        let inside = Way::Say(push());
        for (waited_ms, goes) in [
            (Some(0), true),
            (Some(23 * HOUR_MS), true),
            (Some(24 * HOUR_MS - 60_000), true),
            (Some(24 * HOUR_MS - 59_999), false),
            (Some(48 * HOUR_MS), false),
            // When nobody knows, the platform is asked.
            (None, true),
        ] {
            let way = way_after(waited_ms, Outside::Hold, &push());
            assert_eq!(way == inside, goes, "{waited_ms:?}: {way:?}");
        }
        let Way::Not(Instead::Hold { why }) = way_after(Some(30 * HOUR_MS), Outside::Hold, &push()) else {
            unreachable!()
        };
        assert_eq!(why, "held until somebody writes: nobody wrote for 30 h, and the platform lets us speak for 24 h");
    }

    #[test]
    fn a_bot_knows_whether_its_pushes_are_held() {
        let id = EventId { channel: "page".to_owned(), place: 17, part: None };
        let (conversation, person, kind) = ("anna".to_owned(), "anna".to_owned(), EventKind::Joined);
        let event = Event { id, conversation, person, thread: None, happened: WROTE, kind };
        let holds = |channel: Channel| {
            let (tools, _letters) = tools(&[], || Moment(0));
            let channels = Arc::new([(ChannelNumber(1), channel)].into_iter().collect());
            let tools = Tools { channels, ..tools };
            let mut desk = WorkDesk::new("echo", &tools);
            desk.heard = Some((EventKey::new(ChannelNumber(1), 17), &event));
            desk.holds_pushes()
        };
        assert!(holds(page()));
        assert!(!holds(space(None)), "Webex takes them at any time");
        let outside = Outside::Template { name: "daily".to_owned(), language: "en".to_owned() };
        assert!(!holds(Channel { outside, ..page() }), "and then they are said in another way");
    }

    #[test]
    fn an_answer_is_no_push() {
        let answer = Reply::text("anna", "9 kWh");
        assert_eq!(way_after(Some(48 * HOUR_MS), Outside::Hold, &answer), Way::Say(answer));
    }

    #[test]
    fn outside_the_window_a_template_says_the_same() {
        let outside = Outside::Template { name: "daily".to_owned(), language: "en".to_owned() };
        let Way::Say(said) = way_after(Some(48 * HOUR_MS), outside.clone(), &push()) else { unreachable!() };
        let texts = vec!["9 kWh".to_owned()];
        assert_eq!(said.content, Content::Template { name: "daily".to_owned(), language: "en".to_owned(), texts });
        assert_eq!(way_after(Some(HOUR_MS), outside, &push()), Way::Say(push()));
    }

    #[test]
    fn outside_the_window_it_is_said_on_another_channel() {
        let to = |channel: &str| Outside::Elsewhere { channel: channel.to_owned(), to: "me@example.org".to_owned() };
        let Way::Not(Instead::Elsewhere { channel, replies, why }) =
            way_after(Some(48 * HOUR_MS), to("space"), &push())
        else {
            unreachable!()
        };
        assert_eq!((channel, replies), (ChannelNumber(2), vec![Reply { to: "me@example.org".to_owned(), ..push() }]));
        assert!(why.starts_with("said on space instead: nobody wrote for 48 h"), "{why}");
        let Way::Not(Instead::Hold { why }) = way_after(Some(48 * HOUR_MS), to("gone"), &push()) else {
            unreachable!()
        };
        assert!(why.ends_with("there is no channel gone"), "{why}");
    }
}
