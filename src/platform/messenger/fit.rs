//! Cuts replies to what the Send API takes (messenger.md §6), or says in a sentence why that cannot be.
//!
//! Long text becomes several messages that together are the text; too many cards become several galleries; a long
//! title is shortened. What a bot gets back later (a payload) is never changed: too long a one is a fault.

use crate::limits::REPLIES_MAX;
use crate::model::{Button, Card, Content, Picture, QuickReply, Reply};
use crate::platform::Unsayable;
use crate::platform::cut::{cut, shorten, units};

// The limits of messenger.md §6; lengths in UTF-16 units.
/// "Less than 2000"; an error text in public reports says "or equal", so we stay below.
const TEXT_MAX: usize = 1999;
const BUTTONS_TEXT_MAX: usize = 640;
const BUTTONS_MAX: usize = 3;
const BUTTON_TITLE_MAX: usize = 20;
const QUICK_REPLIES_MAX: usize = 13;
const QUICK_REPLY_TITLE_MAX: usize = 20;
const PAYLOAD_MAX: usize = 1000;
const CARDS_MAX: usize = 10;
const CARD_TITLE_MAX: usize = 80;

/// `reply` as one or more that can be sent as they are.
pub(super) fn fit(reply: Reply) -> Result<Vec<Reply>, Unsayable> {
    let Reply { to, purpose, content, .. } = reply;
    let contents = match content {
        Content::Text { text, quick_replies } => texts(&text, quick_replies)?,
        Content::Gallery { cards } => galleries(cards)?,
        Content::Buttons { text, buttons } => with_buttons(&text, buttons)?,
        Content::Rich { plain: text, .. } => plain(&text)?,
        // The words first: a picture that cannot be shown ends what comes after it.
        Content::Picture { picture: Picture::At(url), text } => {
            let mut contents = plain(&text)?;
            contents.push(Content::Image { url });
            contents
        }
        // Nobody can be shown bytes that have no address; the words say the same.
        Content::Picture { picture: Picture::Gif(_), text } => plain(&text)?,
        Content::Image { url } if url.is_empty() => return no("an image needs a URL"),
        Content::File { url } if url.is_empty() => return no("a file needs a URL"),
        whole @ (Content::Template { .. } | Content::Image { .. } | Content::File { .. } | Content::Courtesy(_)) => {
            vec![whole]
        }
    };
    if contents.len() > REPLIES_MAX {
        return no(format!("it would take {} messages, and {REPLIES_MAX} is the most", contents.len()));
    }
    Ok(contents.into_iter().map(|content| Reply { purpose, content, ..Reply::text(&to, "") }).collect())
}

fn no<T>(why: impl Into<String>) -> Result<T, Unsayable> {
    Err(Unsayable(why.into()))
}

/// Plain messages; the quick replies go below the last one.
fn texts(text: &str, quick_replies: Vec<QuickReply>) -> Result<Vec<Content>, Unsayable> {
    let mut last = quick_replies_fit(quick_replies)?;
    let mut contents = plain(text)?;
    if let Some(Content::Text { quick_replies, .. }) = contents.last_mut() {
        quick_replies.append(&mut last);
    }
    Ok(contents)
}

fn plain(text: &str) -> Result<Vec<Content>, Unsayable> {
    if text.is_empty() {
        return no("a message needs text; this one's is empty");
    }
    let content = |piece: &str| Content::Text { text: piece.to_owned(), quick_replies: Vec::new() };
    Ok(cut(text, TEXT_MAX).into_iter().map(content).collect())
}

fn quick_replies_fit(quick_replies: Vec<QuickReply>) -> Result<Vec<QuickReply>, Unsayable> {
    if quick_replies.len() > QUICK_REPLIES_MAX {
        return no(format!("{} quick replies are too many: {QUICK_REPLIES_MAX} is the most", quick_replies.len()));
    }
    let fit = |QuickReply { title, payload }| {
        let title = title_fit("a quick reply", &title, QUICK_REPLY_TITLE_MAX)?;
        Ok(QuickReply { title, payload: payload_fit(payload)? })
    };
    quick_replies.into_iter().map(fit).collect()
}

/// Galleries of at most ten cards.
fn galleries(cards: Vec<Card>) -> Result<Vec<Content>, Unsayable> {
    if cards.is_empty() {
        return no("a gallery needs a card; this one has none");
    }
    let cards: Vec<Card> = cards.into_iter().map(card_fit).collect::<Result<_, _>>()?;
    Ok(cards.chunks(CARDS_MAX).map(|cards| Content::Gallery { cards: cards.to_vec() }).collect())
}

fn card_fit(card: Card) -> Result<Card, Unsayable> {
    let Card { title, subtitle, image_url, url, buttons } = card;
    // An empty member would be refused; without it the card says the same.
    let present = |member: Option<String>| member.filter(|member| !member.is_empty());
    let (subtitle, image_url, url) = (present(subtitle), present(image_url), present(url));
    let title = title_fit("a card", &title, CARD_TITLE_MAX)?;
    if subtitle.is_none() && image_url.is_none() && url.is_none() && buttons.is_empty() {
        return no(format!("the card {title:?} has only a title: give it a subtitle, picture, link or button too"));
    }
    let subtitle = subtitle.map(|subtitle| shorten(&subtitle, CARD_TITLE_MAX));
    Ok(Card { title, subtitle, image_url, url, buttons: buttons_fit(buttons)? })
}

/// Text with buttons. What is too long for the template goes before it as plain messages.
fn with_buttons(text: &str, buttons: Vec<Button>) -> Result<Vec<Content>, Unsayable> {
    if buttons.is_empty() {
        return no("a button message needs a button; this one has none");
    }
    let buttons = buttons_fit(buttons)?;
    let pieces = cut(text, BUTTONS_TEXT_MAX);
    let last = pieces.last().copied().unwrap_or_default();
    if last.is_empty() {
        return no("a button message needs text; this one's is empty");
    }
    let before = text.strip_suffix(last).unwrap_or_default();
    let mut contents = if before.is_empty() { Vec::new() } else { plain(before)? };
    contents.push(Content::Buttons { text: last.to_owned(), buttons });
    Ok(contents)
}

fn buttons_fit(buttons: Vec<Button>) -> Result<Vec<Button>, Unsayable> {
    if buttons.len() > BUTTONS_MAX {
        return no(format!("{} buttons are too many: {BUTTONS_MAX} is the most", buttons.len()));
    }
    let title = |title: &str| title_fit("a button", title, BUTTON_TITLE_MAX);
    let fit = |button| match button {
        Button::Url { title: name, url } if url.is_empty() => no(format!("the button {name:?} leads nowhere")),
        Button::Url { title: name, url } => Ok(Button::Url { title: title(&name)?, url }),
        Button::Postback { title: name, payload } => {
            Ok(Button::Postback { title: title(&name)?, payload: payload_fit(payload)? })
        }
    };
    buttons.into_iter().map(fit).collect()
}

fn title_fit(of: &str, title: &str, units_max: usize) -> Result<String, Unsayable> {
    if title.is_empty() {
        return no(format!("{of} needs a title; this one's is empty"));
    }
    Ok(shorten(title, units_max))
}

fn payload_fit(payload: String) -> Result<String, Unsayable> {
    match units(&payload) {
        ..=PAYLOAD_MAX => Ok(payload),
        long => no(format!("a payload of {long} characters is too long: {PAYLOAD_MAX} is the most")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CourtesyAct, Purpose};

    fn fitted(content: Content) -> Result<Vec<Content>, String> {
        let reply = Reply { purpose: Purpose::Push, content, ..Reply::text("7", "") };
        let replies = fit(reply).map_err(|no| no.0)?;
        assert!(replies.iter().all(|reply| reply.to == "7" && reply.purpose == Purpose::Push));
        Ok(replies.into_iter().map(|reply| reply.content).collect())
    }

    fn text(text: impl Into<String>) -> Content {
        Content::Text { text: text.into(), quick_replies: Vec::new() }
    }

    fn said(contents: &[Content]) -> Vec<String> {
        let text = |content: &Content| match content {
            Content::Text { text, .. } | Content::Buttons { text, .. } => text.clone(),
            other => panic!("{other:?}"),
        };
        contents.iter().map(text).collect()
    }

    fn postback(title: &str) -> Button {
        Button::Postback { title: title.to_owned(), payload: "P".to_owned() }
    }

    fn card(title: &str) -> Card {
        Card { title: title.to_owned(), subtitle: Some("s".to_owned()), ..Card::default() }
    }

    #[test]
    fn text_of_2000_characters_comes_back_whole_in_two_messages() {
        let long = "é".repeat(2000);
        let parts = said(&fitted(text(&long)).unwrap());
        assert_eq!(parts.iter().map(|part| units(part)).collect::<Vec<_>>(), [1999, 1]);
        assert_eq!(parts.concat(), long);
        assert_eq!(fitted(text("é".repeat(1999))).unwrap().len(), 1);
        assert_eq!(fitted(text("👍".repeat(1000))).unwrap().len(), 2, "an emoji counts two");
    }

    #[test]
    fn quick_replies_go_below_the_last_message() {
        let quick_replies = vec![QuickReply { title: "A title that is too long".to_owned(), payload: "A".to_owned() }];
        let contents = fitted(Content::Text { text: "a ".repeat(1500), quick_replies }).unwrap();
        let [Content::Text { quick_replies: none, .. }, Content::Text { quick_replies, .. }] = &contents[..] else {
            panic!("{contents:?}")
        };
        assert!(none.is_empty());
        assert_eq!(quick_replies[0].title, "A title that is too…");
    }

    #[test]
    fn eleven_cards_are_two_galleries() {
        let cards: Vec<Card> = (0..11).map(|number| card(&number.to_string())).collect();
        let contents = fitted(Content::Gallery { cards: cards.clone() }).unwrap();
        let [Content::Gallery { cards: ten }, Content::Gallery { cards: one }] = &contents[..] else {
            panic!("{contents:?}")
        };
        assert_eq!((ten.len(), one.len()), (10, 1));
        assert_eq!([&ten[..], &one[..]].concat(), cards);
    }

    #[test]
    fn long_titles_are_shortened() {
        let long =
            Card { subtitle: Some("t".repeat(81)), buttons: vec![postback(&"b".repeat(21))], ..card(&"c".repeat(81)) };
        let contents = fitted(Content::Gallery { cards: vec![long] }).unwrap();
        let [Content::Gallery { cards }] = &contents[..] else { panic!("{contents:?}") };
        let dots = |letter: &str, count| format!("{}…", letter.repeat(count));
        assert_eq!(cards[0].title, dots("c", 79));
        assert_eq!(cards[0].subtitle, Some(dots("t", 79)));
        assert_eq!(cards[0].buttons, [postback(&dots("b", 19))]);
    }

    #[test]
    fn long_text_above_buttons_begins_as_plain_messages() {
        let buttons = vec![postback("Go")];
        let short = "a".repeat(640);
        assert_eq!(said(&fitted(Content::Buttons { text: short.clone(), buttons: buttons.clone() }).unwrap()), [short]);
        let long = "word ".repeat(600);
        let contents = fitted(Content::Buttons { text: long.clone(), buttons }).unwrap();
        assert!(matches!(contents.last(), Some(Content::Buttons { text, .. }) if units(text) <= 640));
        assert!(contents.iter().rev().skip(1).all(|content| matches!(content, Content::Text { .. })));
        assert_eq!(said(&contents).concat(), long);
    }

    #[test]
    fn what_cannot_be_said_is_told_in_a_sentence() {
        let quick = |count, payload: usize| Content::Text {
            text: "x".to_owned(),
            quick_replies: vec![QuickReply { title: "t".to_owned(), payload: "p".repeat(payload) }; count],
        };
        let buttons = |text: &str, buttons| Content::Buttons { text: text.to_owned(), buttons };
        let gallery = |card| Content::Gallery { cards: vec![card] };
        let link = |url: &str| Button::Url { title: "t".to_owned(), url: url.to_owned() };
        for (content, words) in [
            (text(""), "needs text"),
            (text("x".repeat(1999 * 100 + 1)), "101 messages"),
            (quick(14, 1), "14 quick replies are too many: 13"),
            (quick(1, 1001), "a payload of 1001 characters is too long: 1000"),
            (buttons("x", vec![]), "has none"),
            (buttons("", vec![postback("b")]), "needs text"),
            (buttons("x", vec![postback("b"); 4]), "4 buttons are too many: 3"),
            (buttons("x", vec![postback("")]), "a button needs a title"),
            (buttons("x", vec![link("")]), "leads nowhere"),
            (Content::Gallery { cards: vec![] }, "needs a card"),
            (gallery(Card { title: "only".to_owned(), ..Card::default() }), "\"only\" has only a title"),
            (gallery(card("")), "a card needs a title"),
            (gallery(Card { buttons: vec![postback("b"); 4], ..card("c") }), "4 buttons"),
            (Content::Image { url: String::new() }, "an image needs a URL"),
        ] {
            let why = fitted(content.clone()).unwrap_err();
            assert!(why.contains(words), "{why:?} should contain {words:?}");
        }
        assert!(fitted(quick(13, 1000)).is_ok());
    }

    #[test]
    fn a_picture_of_a_bot_is_said_in_words_first_and_shown_where_it_has_a_url() {
        let said = "w".repeat(2000);
        let picture = |picture| fitted(Content::Picture { picture, text: said.clone() }).unwrap();
        let shown = picture(Picture::At("https://e.org/a.png".to_owned()));
        let [words @ .., Content::Image { url }] = &shown[..] else { panic!("{shown:?}") };
        assert_eq!(url, "https://e.org/a.png");
        assert_eq!(words, picture(Picture::gif(b"GIF89a")), "without a URL, words only");
        assert_eq!(words.len(), 2, "cut as usual");
    }

    #[test]
    fn a_courtesy_and_a_picture_stay_as_they_are() {
        for content in [Content::Courtesy(CourtesyAct::TypingOn), Content::Image { url: "https://e.org/".to_owned() }] {
            assert_eq!(fitted(content.clone()), Ok(vec![content]));
        }
    }
}
