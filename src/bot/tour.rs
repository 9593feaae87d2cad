//! The tour bot: shows all that a bot can say, and that it can remember. It is what `ackd try` starts with, and an
//! example for whoever writes a bot.

use super::{Bot, BotFault, Desk};
use crate::chart::{self, Bar, Bars};
use crate::model::{Button, Card, Content, Event, EventKind, Picture, QuickReply, Reply};

/// What can be chosen: the word on the quick reply, which may be typed as well.
const STOPS: [&str; 6] = ["Cards", "Buttons", "Picture", "Long text", "Markup", "Chart"];

/// Shows people around.
#[derive(Clone, Debug, Default)]
pub struct Tour {
    picture: Option<String>,
}

impl Tour {
    /// `picture` is the URL of the picture that it shows; without, it says that it has none.
    pub fn new(picture: Option<String>) -> Tour {
        Tour { picture }
    }

    fn stop(&self, word: &str) -> Option<Content> {
        let stop = STOPS.iter().position(|stop| stop.eq_ignore_ascii_case(word.trim()))?;
        Some(match stop {
            0 => Content::Gallery { cards: self.cards() },
            1 => Content::Buttons {
                text: "A button can come back to me, or open a page.".to_owned(),
                buttons: vec![postback("Come back"), link("Open a page")],
            },
            2 => match &self.picture {
                Some(url) => Content::Image { url: url.clone() },
                None => menu("I was given no picture: write picture = \"https://…\" into my table.".to_owned()),
            },
            3 => menu(long_text()),
            4 => Content::Rich {
                markdown: "**Bold**, *slanted* and `code`, where they are shown".to_owned(),
                plain: "Plain words, where markup is not shown".to_owned(),
            },
            _ => week(),
        })
    }

    fn cards(&self) -> Vec<Card> {
        let card = |(title, subtitle): (&str, &str)| Card {
            title: title.to_owned(),
            subtitle: Some(subtitle.to_owned()),
            image_url: self.picture.clone(),
            url: None,
            buttons: vec![postback(&format!("Take {title}"))],
        };
        let cards =
            [("First", "kept before it was acknowledged"), ("Second", "answered afterwards"), ("Third", "once")];
        cards.into_iter().map(card).collect()
    }
}

fn postback(title: &str) -> Button {
    Button::Postback { title: title.to_owned(), payload: title.to_owned() }
}

fn link(title: &str) -> Button {
    Button::Url { title: title.to_owned(), url: "https://example.org/".to_owned() }
}

/// Text with the stops of the tour below it.
fn menu(text: String) -> Content {
    let quick_reply = |stop: &&str| QuickReply { title: (*stop).to_owned(), payload: (*stop).to_owned() };
    Content::Text { text, quick_replies: STOPS.iter().map(quick_reply).collect() }
}

/// Longer than Messenger takes in one message.
fn long_text() -> String {
    (1..=100).map(|line| format!("Line {line} of a text that is too long for one message.\n")).collect()
}

/// A week that never was, as a chart, with words that say the same; in a build without charts, the words alone.
fn week() -> Content {
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let kept = [Some(120), Some(95), None, Some(310), Some(240), Some(0), Some(45)];
    let said = days.iter().zip(kept).map(|(day, kept)| match kept {
        Some(kept) => format!("{day} {kept}"),
        None => format!("{day} unknown"),
    });
    let text = format!("Messages of a made-up week: {}.", said.collect::<Vec<_>>().join(", "));
    let bars = days.iter().zip(kept).map(|(day, value)| Bar { label: (*day).to_owned(), value }).collect();
    let chart =
        Bars { title: "Messages of a made-up week".to_owned(), unit: "messages".to_owned(), bars, ..Bars::default() };
    match chart::bars(&chart) {
        Some(gif) => Content::Picture { picture: Picture::gif(&gif), text },
        None => menu(text),
    }
}

/// How many messages this person has sent, with this one.
fn count(event: &Event, desk: &mut dyn Desk) -> Result<u64, BotFault> {
    let key = format!("count of {}", event.person);
    let before = desk.recall(&key)?.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok()).unwrap_or(0_u64);
    let count = before.saturating_add(1);
    desk.remember(&key, count.to_string().into_bytes(), None)?;
    Ok(count)
}

impl Bot for Tour {
    fn hear(&self, event: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let content = match &event.kind {
            EventKind::Joined => menu("Hello! Write something, or choose what to see.".to_owned()),
            EventKind::Message { choice, text, .. } => {
                let count = count(event, desk)?;
                let word = choice.as_deref().or(text.as_deref()).unwrap_or_default();
                self.stop(word).unwrap_or_else(|| match text {
                    Some(text) => menu(format!("You said: {text}\nThat was message {count} of yours. What next?")),
                    None => menu(format!("That has no text. It was message {count} of yours. What next?")),
                })
            }
            EventKind::Postback { title, payload, .. } => {
                let tapped = title.as_deref().or(payload.as_deref()).unwrap_or("something");
                menu(format!("You tapped: {tapped}"))
            }
            EventKind::Submitted { inputs } => {
                let inputs: Vec<_> = inputs.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                menu(format!("You filled in {}", inputs.join(", ")))
            }
            EventKind::Alarm { note, .. } => menu(note.clone()),
            EventKind::Referral { .. } | EventKind::OptIn { .. } | EventKind::Other { .. } => return Ok(Vec::new()),
        };
        Ok(vec![Reply { content, ..Reply::text(&event.conversation, "") }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::paper::Paper;
    use crate::model::{EventId, Moment};
    use crate::notation::shelf::Shelf;
    use crate::platform::messenger::Messenger;

    fn said(bot: &Tour, kind: EventKind, desk: &mut Paper) -> Vec<Content> {
        let id = EventId { channel: "page".to_owned(), place: 1, part: None };
        let (conversation, person) = ("room".to_owned(), "anna".to_owned());
        let event = Event { id, conversation, person, thread: None, happened: Moment(0), kind };
        bot.hear(&event, desk).unwrap().into_iter().map(|reply| reply.content).collect()
    }

    fn text(text: &str) -> EventKind {
        EventKind::Message { text: Some(text.to_owned()), attachments: Vec::new(), choice: None }
    }

    #[test]
    fn it_counts_what_each_person_says() {
        let (bot, mut desk) = (Tour::default(), Paper::default());
        said(&bot, text("one"), &mut desk);
        let [Content::Text { text, quick_replies }] = &said(&bot, text("two"), &mut desk)[..] else {
            panic!("no text")
        };
        assert_eq!(text, "You said: two\nThat was message 2 of yours. What next?");
        assert_eq!(quick_replies.len(), STOPS.len());
    }

    #[test]
    fn every_stop_can_be_typed_or_tapped_and_fits_a_platform() {
        let (bot, mut desk) = (Tour::new(Some("https://example.org/a.png".to_owned())), Paper::default());
        for stop in STOPS {
            let typed = said(&bot, text(&format!(" {} ", stop.to_lowercase())), &mut desk);
            let choice = Some(stop.to_owned());
            let tapped = EventKind::Message { text: Some("?".to_owned()), attachments: Vec::new(), choice };
            assert_eq!(typed, said(&bot, tapped, &mut desk), "{stop}");
            for content in typed {
                let fitted = Messenger::fit_any(Reply { content, ..Reply::text("anna", "") }).unwrap();
                assert_eq!(fitted.len() > 1, stop == "Long text", "{stop}");
            }
        }
    }

    #[test]
    fn the_chart_is_said_in_words_too() {
        let week = said(&Tour::default(), text("chart"), &mut Paper::default());
        let [week] = &week[..] else { panic!("{week:?}") };
        let words = "Messages of a made-up week: Mon 120, Tue 95, Wed unknown, Thu 310, Fri 240, Sat 0, Sun 45.";
        assert_eq!(week.in_words(), words);
        let drawn = matches!(week, Content::Picture { picture, .. } if picture.bytes().is_some());
        assert_eq!(drawn, cfg!(feature = "charts"));
    }

    #[test]
    fn what_is_tapped_or_filled_in_is_named() {
        let (bot, mut desk) = (Tour::default(), Paper::default());
        let postback = EventKind::Postback { title: None, payload: Some("Come back".to_owned()), referral: None };
        assert_eq!(said(&bot, postback, &mut desk), [menu("You tapped: Come back".to_owned())]);
        let inputs = Shelf::from([("size".to_owned(), "L".to_owned())]);
        assert_eq!(said(&bot, EventKind::Submitted { inputs }, &mut desk), [menu("You filled in size: L".to_owned())]);
        assert_eq!(said(&bot, EventKind::Other { kind: "order".to_owned() }, &mut desk), []);
    }
}
