//! Cuts replies to what the Messages API takes (webex.md §7), or says in a sentence why that cannot be.
//!
//! Long text becomes several messages that together are the text; too large a gallery becomes several. What a bot gets
//! back later (a payload) is never changed: if it does not fit a card, that is a fault.

use super::card;
use crate::limits::{REPLIES_MAX, WEBEX_CARD_BYTES_MAX};
use crate::model::{Button, Card, Content, Picture, Reply};
use crate::platform::Unsayable;
use crate::platform::cut::cut_bytes;

/// The longest text and the longest markdown (webex.md §7).
pub(super) const TEXT_BYTES_MAX: usize = 7439;

/// `reply` as one or more that can be sent as they are; none for what Webex has no words for.
pub(super) fn fit(reply: Reply) -> Result<Vec<Reply>, Unsayable> {
    let Reply { to, purpose, thread, content, .. } = reply;
    let contents = match content {
        Content::Text { text, mut quick_replies } => {
            titled("a quick reply", quick_replies.iter().map(|quick_reply| &*quick_reply.title))?;
            let mut contents = plain(&text)?;
            if !quick_replies.is_empty() {
                for_card(&mut contents);
            }
            if let Some(Content::Text { quick_replies: last, .. }) = contents.last_mut() {
                last.append(&mut quick_replies);
            }
            contents
        }
        Content::Buttons { text, buttons } => with_buttons(&text, buttons)?,
        Content::Gallery { cards } => galleries(cards, thread.as_deref())?,
        Content::Rich { markdown, plain } => rich(markdown, plain)?,
        Content::Template { .. } => return no("templates belong to Messenger"),
        Content::Picture { picture, text } => pictured(picture, &text)?,
        Content::Image { url } if url.is_empty() => return no("an image needs a URL"),
        Content::File { url } if url.is_empty() => return no("a file needs a URL"),
        whole @ (Content::Image { .. } | Content::File { .. }) => vec![whole],
        // Webex shows no typing sign of a bot.
        Content::Courtesy(_) => Vec::new(),
    };
    if contents.len() > REPLIES_MAX {
        return no(format!("it would take {} messages, and {REPLIES_MAX} is the most", contents.len()));
    }
    let cards = contents.iter().filter_map(|content| card::card(content, thread.as_deref()));
    if let Some(bytes) = cards.map(|card| card.to_string().len()).find(|bytes| *bytes > WEBEX_CARD_BYTES_MAX) {
        return no(format!("its card would take {bytes} bytes, and {WEBEX_CARD_BYTES_MAX} is the most"));
    }
    let part = |content| Reply { purpose, thread: thread.clone(), content, ..Reply::text(&to, "") };
    Ok(contents.into_iter().map(part).collect())
}

fn no<T>(why: impl Into<String>) -> Result<T, Unsayable> {
    Err(Unsayable(why.into()))
}

fn plain(text: &str) -> Result<Vec<Content>, Unsayable> {
    if text.trim().is_empty() {
        return no("a message needs text; this one's is empty");
    }
    let content = |piece: &str| Content::Text { text: piece.to_owned(), quick_replies: Vec::new() };
    Ok(cut_bytes(text, TEXT_BYTES_MAX).into_iter().map(content).collect())
}

/// Parts the last text once more where, with all that must be escaped, it is more than a card takes.
fn for_card(contents: &mut Vec<Content>) {
    let Some(Content::Text { text, quick_replies }) = contents.pop() else { return };
    if card::text_bytes(&text) <= 2 * TEXT_BYTES_MAX {
        return contents.push(Content::Text { text, quick_replies });
    }
    let content = |piece: &str| Content::Text { text: piece.to_owned(), quick_replies: Vec::new() };
    contents.extend(cut_bytes(&text, TEXT_BYTES_MAX / 4).into_iter().map(content));
}

/// A picture beside its words, as far as they fit; what is longer follows.
fn pictured(picture: Picture, text: &str) -> Result<Vec<Content>, Unsayable> {
    let mut contents = plain(text)?;
    match picture {
        // The words first: a picture that cannot be fetched ends what comes after it.
        Picture::At(url) => contents.push(Content::Image { url }),
        Picture::Gif(_) if picture.bytes().is_none() => {
            log::warn!("a bot's picture is no GIF; only its words are said")
        }
        Picture::Gif(_) => {
            if let Some(first) = contents.first_mut() {
                *first = Content::Picture { picture, text: first.in_words() };
            }
        }
    }
    Ok(contents)
}

/// Text with buttons, which go below the last message.
fn with_buttons(text: &str, buttons: Vec<Button>) -> Result<Vec<Content>, Unsayable> {
    if buttons.is_empty() {
        return no("a button message needs a button; this one has none");
    }
    lead_somewhere(&buttons)?;
    let mut contents = plain(text)?;
    for_card(&mut contents);
    if let Some(Content::Text { text, .. }) = contents.pop() {
        contents.push(Content::Buttons { text, buttons });
    }
    Ok(contents)
}

/// Markdown, and the text for where none is shown. Of a long one Webex makes the text itself: the two would not be cut
/// at the same places.
fn rich(markdown: String, plain: String) -> Result<Vec<Content>, Unsayable> {
    if markdown.trim().is_empty() {
        return self::plain(&plain);
    }
    if markdown.len() <= TEXT_BYTES_MAX && plain.len() <= TEXT_BYTES_MAX {
        return Ok(vec![Content::Rich { markdown, plain }]);
    }
    let content = |piece: &str| Content::Rich { markdown: piece.to_owned(), plain: String::new() };
    Ok(cut_bytes(&markdown, TEXT_BYTES_MAX).into_iter().map(content).collect())
}

/// Galleries of as many cards as one adaptive card may hold.
fn galleries(cards: Vec<Card>, thread: Option<&str>) -> Result<Vec<Content>, Unsayable> {
    if cards.is_empty() {
        return no("a gallery needs a card; this one has none");
    }
    let empty = card::card(&Content::Gallery { cards: Vec::new() }, thread).map_or(0, |card| card.to_string().len());
    let mut galleries: Vec<Vec<Card>> = Vec::new();
    let mut used = usize::MAX;
    for card in cards {
        let card = card_fit(card)?;
        let bytes = card::part_bytes(&card, thread);
        used = used.saturating_add(bytes);
        match galleries.last_mut() {
            Some(gallery) if used <= WEBEX_CARD_BYTES_MAX => gallery.push(card),
            _ => {
                galleries.push(vec![card]);
                used = empty + bytes;
            }
        }
    }
    Ok(galleries.into_iter().map(|cards| Content::Gallery { cards }).collect())
}

fn card_fit(card: Card) -> Result<Card, Unsayable> {
    titled("a card", [&*card.title].into_iter())?;
    lead_somewhere(&card.buttons)?;
    // An empty URL would be refused; without it the card says the same.
    let present = |member: Option<String>| member.filter(|member| !member.is_empty());
    let Card { title, subtitle, image_url, url, buttons } = card;
    Ok(Card { title, subtitle: present(subtitle), image_url: present(image_url), url: present(url), buttons })
}

fn lead_somewhere(buttons: &[Button]) -> Result<(), Unsayable> {
    titled("a button", buttons.iter().map(title_of))?;
    let nowhere = |button: &&Button| matches!(button, Button::Url { url, .. } if url.is_empty());
    match buttons.iter().find(nowhere) {
        Some(button) => no(format!("the button {:?} leads nowhere", title_of(button))),
        None => Ok(()),
    }
}

fn title_of(button: &Button) -> &str {
    match button {
        Button::Url { title, .. } | Button::Postback { title, .. } => title,
    }
}

fn titled<'t>(of: &str, mut titles: impl Iterator<Item = &'t str>) -> Result<(), Unsayable> {
    match titles.any(|title| title.trim().is_empty()) {
        true => no(format!("{of} needs a title; this one's is empty")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CourtesyAct, Purpose, QuickReply};

    fn fitted(content: Content) -> Result<Vec<Content>, String> {
        let thread = Some("parent".to_owned());
        let reply = Reply { purpose: Purpose::Push, thread: thread.clone(), content, ..Reply::text("room", "") };
        let replies = fit(reply).map_err(|no| no.0)?;
        assert!(replies.iter().all(|reply| reply.to == "room" && reply.purpose == Purpose::Push));
        assert!(replies.iter().all(|reply| reply.thread == thread), "every part belongs into the thread");
        Ok(replies.into_iter().map(|reply| reply.content).collect())
    }

    fn text(text: impl Into<String>) -> Content {
        Content::Text { text: text.into(), quick_replies: Vec::new() }
    }

    fn said(contents: &[Content]) -> Vec<&str> {
        fn text(content: &Content) -> &str {
            match content {
                Content::Text { text, .. } | Content::Buttons { text, .. } => text,
                Content::Rich { markdown, .. } => markdown,
                other => panic!("{other:?}"),
            }
        }
        contents.iter().map(text).collect()
    }

    fn postback(payload: usize) -> Button {
        Button::Postback { title: "Go".to_owned(), payload: "p".repeat(payload) }
    }

    fn card(subtitle: usize) -> Card {
        Card { title: "c".to_owned(), subtitle: Some("s".repeat(subtitle)), ..Card::default() }
    }

    #[test]
    fn text_is_cut_at_7439_bytes_and_never_inside_a_sign() {
        let exact = "a".repeat(TEXT_BYTES_MAX);
        assert_eq!(fitted(text(exact.clone())).unwrap().len(), 1);
        assert_eq!(fitted(text(format!("{exact}a"))).unwrap().len(), 2);
        for sign in ["é", "☀️", "👍🏽", "👨‍👩‍👧"] {
            let long = sign.repeat(2000);
            let contents = fitted(text(long.clone())).unwrap();
            let parts = said(&contents);
            assert_eq!(parts.concat(), long, "{sign}");
            assert!(parts.iter().all(|part| part.len() <= TEXT_BYTES_MAX && part.len() % sign.len() == 0), "{sign}");
        }
    }

    #[test]
    fn markdown_is_cut_alike_and_leaves_its_plain_text_to_webex() {
        let rich = |markdown: &str, plain: &str| {
            fitted(Content::Rich { markdown: markdown.to_owned(), plain: plain.to_owned() })
        };
        assert_eq!(rich("**a**", "a").unwrap(), [Content::Rich { markdown: "**a**".into(), plain: "a".into() }]);
        let long = "ä ".repeat(4000);
        let contents = rich(&long, "a").unwrap();
        assert_eq!(said(&contents).concat(), long);
        assert!(contents.iter().all(|content| matches!(content, Content::Rich { plain, .. } if plain.is_empty())));
        assert_eq!(rich("**a**", &long).unwrap(), [Content::Rich { markdown: "**a**".into(), plain: String::new() }]);
        assert_eq!(rich(" ", "a").unwrap(), [text("a")]);
    }

    #[test]
    fn what_can_be_tapped_stands_below_the_last_message() {
        let quick_replies = vec![QuickReply { title: "t".to_owned(), payload: "P".to_owned() }];
        let contents = fitted(Content::Text { text: "a ".repeat(4000), quick_replies: quick_replies.clone() }).unwrap();
        let [first, Content::Text { quick_replies: last, .. }] = &contents[..] else { panic!("{contents:?}") };
        assert!(matches!(first, Content::Text { quick_replies, .. } if quick_replies.is_empty()));
        assert_eq!(last, &quick_replies);
        let contents = fitted(Content::Buttons { text: "a ".repeat(4000), buttons: vec![postback(1)] }).unwrap();
        assert!(matches!(&contents[..], [Content::Text { .. }, Content::Buttons { .. }]), "{contents:?}");
        assert_eq!(said(&contents).concat(), "a ".repeat(4000));
    }

    #[test]
    fn a_text_of_signs_that_must_be_escaped_fits_its_card_all_the_same() {
        for sign in ["\\", "[", "\u{1}", "\""] {
            let quick_replies = vec![QuickReply { title: "t".to_owned(), payload: "P".to_owned() }];
            let long = sign.repeat(TEXT_BYTES_MAX);
            let contents = fitted(Content::Text { text: long.clone(), quick_replies }).unwrap();
            assert_eq!(said(&contents).concat(), long);
            assert!(matches!(contents.last(), Some(Content::Text { quick_replies, .. }) if !quick_replies.is_empty()));
            let contents = fitted(Content::Buttons { text: long.clone(), buttons: vec![postback(1)] }).unwrap();
            assert_eq!(said(&contents).concat(), long);
        }
    }

    #[test]
    fn a_gallery_is_parted_where_a_card_would_be_too_large() {
        let cards: Vec<Card> = (0..40).map(|number| card(1000 + number)).collect();
        let contents = fitted(Content::Gallery { cards: cards.clone() }).unwrap();
        assert_eq!(contents.len(), 4);
        let mut put_together = Vec::new();
        for content in contents {
            let bytes = card::card(&content, Some("parent")).unwrap().to_string().len();
            assert!(bytes <= WEBEX_CARD_BYTES_MAX, "{bytes}");
            let Content::Gallery { cards } = content else { panic!("{content:?}") };
            put_together.extend(cards);
        }
        assert_eq!(put_together, cards);
    }

    #[test]
    fn what_cannot_be_said_is_told_in_a_sentence() {
        let quick = |title: &str, payload: usize| Content::Text {
            text: "x".to_owned(),
            quick_replies: vec![QuickReply { title: title.to_owned(), payload: "p".repeat(payload) }],
        };
        let buttons = |text: &str, buttons| Content::Buttons { text: text.to_owned(), buttons };
        let gallery = |card| Content::Gallery { cards: vec![card] };
        let link = Button::Url { title: "Open".to_owned(), url: String::new() };
        for (content, words) in [
            (text(""), "needs text"),
            (text(" \n"), "needs text"),
            (text("x".repeat(TEXT_BYTES_MAX * 100 + 1)), "101 messages"),
            (quick("", 1), "a quick reply needs a title"),
            (quick("t", WEBEX_CARD_BYTES_MAX), "its card would take"),
            (buttons("x", vec![]), "has none"),
            (buttons("", vec![postback(1)]), "needs text"),
            (buttons("x", vec![postback(WEBEX_CARD_BYTES_MAX)]), "its card would take"),
            (buttons("x", vec![link.clone()]), "the button \"Open\" leads nowhere"),
            (Content::Gallery { cards: vec![] }, "needs a card"),
            (gallery(Card::default()), "a card needs a title"),
            (gallery(Card { buttons: vec![link], ..card(1) }), "leads nowhere"),
            (gallery(card(WEBEX_CARD_BYTES_MAX)), "its card would take"),
            (Content::Image { url: String::new() }, "an image needs a URL"),
            (Content::File { url: String::new() }, "a file needs a URL"),
            (Content::Rich { markdown: String::new(), plain: String::new() }, "needs text"),
        ] {
            let why = fitted(content.clone()).unwrap_err();
            assert!(why.contains(words), "{why:?} should contain {words:?}");
        }
    }

    #[test]
    fn a_picture_goes_out_beside_the_first_of_its_words() {
        let long = "ä".repeat(TEXT_BYTES_MAX);
        let picture = |picture| fitted(Content::Picture { picture, text: long.clone() }).unwrap();
        let gif = Picture::gif(b"GIF89a");
        let contents = picture(gif.clone());
        let [Content::Picture { picture: first, text: words }, rest @ ..] = &contents[..] else {
            panic!("{contents:?}")
        };
        assert_eq!((first, rest.len()), (&gif, 2));
        assert_eq!(format!("{words}{}", said(rest).concat()), long);
        assert!(matches!(picture(Picture::At("https://e.org/".into())).last(), Some(Content::Image { .. })));
        let words = picture(Picture::gif(b"<svg>"));
        assert!(words.iter().all(|content| matches!(content, Content::Text { .. })), "what is no GIF is not sent");
        assert!(fitted(Content::Picture { picture: gif, text: " ".to_owned() }).is_err(), "it says the same in words");
    }

    #[test]
    fn a_courtesy_is_nothing_and_a_picture_stays_as_it_is() {
        assert_eq!(fitted(Content::Courtesy(CourtesyAct::TypingOn)), Ok(Vec::new()));
        let picture = Content::Image { url: "https://e.org/".to_owned() };
        assert_eq!(fitted(picture.clone()), Ok(vec![picture]));
    }
}
