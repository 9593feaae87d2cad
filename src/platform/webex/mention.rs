//! Takes the mentions of the bot out of a text, wherever they stand (webex.md §7): "Solar how much?" asks how much.
//!
//! The html says exactly which words are mentions, the text how it reads; so a mention is found in the html and then
//! sought in the text, past as many of the same words as stand before it in the html too. Without html the bot's name
//! at the start is taken for the mention.

use super::id;
use crate::platform::Account;
use std::ops::Range;

/// `text` without the mentions of the bot. `mentioned` says that there is one, even if the html does not show it.
pub(super) fn strip(text: &str, html: Option<&str>, mentioned: bool, me: &Account) -> String {
    let mut places = html.map(|html| marked(text, html, me)).unwrap_or_default();
    if places.is_empty() && mentioned {
        places.extend(at_start(text, &me.name));
    }
    without(text, &places)
}

/// Where in `text` those mentions stand that the html shows.
fn marked(text: &str, html: &str, me: &Account) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut from = 0;
    let mut before = String::new();
    let mut inside: Option<String> = None;
    for token in tokens(html) {
        match token {
            Token::Text(piece) => unescape(piece, inside.as_mut().unwrap_or(&mut before)),
            Token::Tag(tag) if inside.is_none() && mentions(tag, me) => inside = Some(String::new()),
            Token::Tag(tag) if is_named(tag, "/spark-mention") => {
                let Some(name) = inside.take() else { continue };
                let name = name.trim();
                let same = if name.is_empty() { 0 } else { before.matches(name).count() };
                let rest = text.get(from..).filter(|_| !name.is_empty()).unwrap_or_default();
                if let Some((at, _)) = rest.match_indices(name).nth(same).filter(|_| !rest.is_empty()) {
                    places.push(from + at..from + at + name.len());
                    from += at + name.len();
                    before.clear();
                }
            }
            Token::Tag(_) => {}
        }
    }
    places
}

/// The bot's name at the very start, in whatever case.
fn at_start(text: &str, name: &str) -> Option<Range<usize>> {
    let start = text.len() - text.trim_start().len();
    let mut rest = text.get(start..)?.chars();
    for wanted in name.chars() {
        if !rest.next()?.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    let rest = rest.as_str();
    let whole = !name.is_empty() && !rest.starts_with(char::is_alphanumeric);
    whole.then(|| start..text.len() - rest.len())
}

/// White space inside a line.
const GAPS: [char; 3] = [' ', '\t', '\u{A0}'];

/// `text` without what stands at these places, and without the gaps that it would leave.
fn without(text: &str, places: &[Range<usize>]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        kept.push_str(text.get(from..place.start).unwrap_or_default());
        let mut after = text.get(place.end..).unwrap_or_default();
        let first = kept.trim().is_empty();
        // "Solar, how much?", "could you, Solar, say", "how much, Solar?": the comma is the mention's.
        if first || kept.trim_end().ends_with(',') {
            after = after.strip_prefix([',', ':']).unwrap_or(after);
        }
        if first {
            kept.clear();
            after = after.trim_start();
        } else if kept.ends_with(char::is_whitespace) {
            after = after.trim_start_matches(GAPS);
            if after.is_empty() || after.starts_with(['\n', '\r', '?', '!', '.']) {
                let before = kept.trim_end_matches(GAPS);
                kept.truncate(before.strip_suffix(',').unwrap_or(before).len());
            }
        }
        from = text.len() - after.len();
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

enum Token<'h> {
    Text(&'h str),
    /// What stands between `<` and `>`.
    Tag(&'h str),
}

fn tokens(html: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let tag = rest.strip_prefix('<');
        let found = tag.unwrap_or(rest);
        let end = if tag.is_some() { end_of_tag(found) } else { found.find('<').unwrap_or(found.len()) };
        let (piece, after) = found.split_at_checked(end).filter(|_| !rest.is_empty())?;
        rest = if tag.is_some() { after.get(1..).unwrap_or_default() } else { after };
        Some(if tag.is_some() { Token::Tag(piece) } else { Token::Text(piece) })
    })
}

/// Where the tag's `>` is; not one in quotes.
fn end_of_tag(tag: &str) -> usize {
    let mut quote = None;
    let end = tag.char_indices().find(|(_, sign)| {
        match (quote, *sign) {
            (None, '"' | '\'') => quote = Some(*sign),
            (Some(open), sign) if open == sign => quote = None,
            _ => {}
        }
        quote.is_none() && *sign == '>'
    });
    end.map_or(tag.len(), |(at, _)| at)
}

/// Whether this tag begins a mention of the bot: of a person, by either form of the id.
fn mentions(tag: &str, me: &Account) -> bool {
    is_named(tag, "spark-mention")
        && attribute(tag, "data-object-type").is_none_or(|kind| kind.eq_ignore_ascii_case("person"))
        && attribute(tag, "data-object-id").is_some_and(|id| id::names(id, &me.id))
}

fn is_named(tag: &str, name: &str) -> bool {
    tag.split(char::is_whitespace).next().is_some_and(|found| found.eq_ignore_ascii_case(name))
}

fn attribute<'t>(tag: &'t str, wanted: &str) -> Option<&'t str> {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once('=') {
        let key = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
        let after = after.trim_start();
        let quoted = ['"', '\''].into_iter().find_map(|quote| Some((quote, after.strip_prefix(quote)?)));
        let (value, tail) = match quoted {
            Some((quote, inner)) => inner.split_once(quote).unwrap_or((inner, "")),
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        if key.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = tail;
    }
    None
}

/// Appends what html writes so; what is no entity stays as it is.
fn unescape(html: &str, out: &mut String) {
    /// Longest entity that we look for, in bytes.
    const ENTITY_BYTES_MAX: usize = 10;
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after.bytes().take(ENTITY_BYTES_MAX).position(|byte| byte == b';');
        let known = end.and_then(|end| Some((entity(after.get(..end)?)?, after.get(end + 1..)?)));
        let (sign, tail) = known.unwrap_or(('&', after));
        out.push(sign);
        rest = tail;
    }
    out.push_str(rest);
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{A0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']).map(|hex| u32::from_str_radix(hex, 16));
            char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "Y2lzY29zcGFyazovL3VzL1BFT1BMRS84YTFiMmMzZC00ZTVmLTRhNmItOWM3ZC0wZTFmMmEzYjRjNWQ";

    fn me(name: &str) -> Account {
        Account { id: ME.to_owned(), name: name.to_owned(), token_mark: String::new() }
    }

    /// `text` with html where `[x]` is a mention of the bot as x.
    fn by_html(text: &str, html: &str) -> String {
        let open = format!("<spark-mention data-object-type=\"person\" data-object-id=\"{ME}\">");
        strip(text, Some(&html.replace('[', &open).replace(']', "</spark-mention>")), true, &me("Solar"))
    }

    #[test]
    fn a_mention_goes_wherever_it_stands() {
        for (text, html, left) in [
            ("Solar how much?", "<p>[Solar] how much?</p>", "how much?"),
            ("Solar, how much?", "[Solar], how much?", "how much?"),
            ("Solar: help", "<p>[Solar]: help</p>", "help"),
            ("could you, Solar, say this week?", "could you, [Solar], say this week?", "could you, say this week?"),
            ("how much, Solar?", "how much, [Solar]?", "how much?"),
            ("how much Solar", "how much [Solar]", "how much"),
            ("well, Solar\nhow much", "well, [Solar]<br>how much", "well\nhow much"),
            ("one Solar\ntwo", "one [Solar]<br/>two", "one\ntwo"),
            ("Solar\nhelp", "[Solar]<br>help", "help"),
            ("Solar Solar hi", "[Solar] [Solar] hi", "hi"),
            ("Solar", "[Solar]", ""),
            ("  Solar  hi  there", "[Solar] hi there", "hi  there"),
        ] {
            assert_eq!(by_html(text, html), left, "{text}");
        }
    }

    #[test]
    fn the_same_word_that_is_no_mention_stays() {
        for (text, html, left) in [
            ("Solar what is Solar", "[Solar] what is Solar", "what is Solar"),
            ("what is Solar, Solar?", "what is Solar, [Solar]?", "what is Solar?"),
            (
                "Solar Power Solar hi",
                "<spark-mention data-object-id='x'>Solar Power</spark-mention> [Solar] hi",
                "Solar Power hi",
            ),
            ("Solar Solar hi Solar x", "Solar [Solar] hi [Solar] x", "Solar hi x"),
            ("R&D <b> hi", "[R&amp;D] &lt;b&gt; hi", "<b> hi"),
            ("Sol hi Solar", "[Sol] hi Solar", "hi Solar"),
        ] {
            assert_eq!(by_html(text, html), left, "{text}");
        }
    }

    #[test]
    fn a_mention_is_found_however_its_tag_is_written() {
        let uuid = "8a1b2c3d-4e5f-4a6b-9c7d-0e1f2a3b4c5d";
        for tag in [
            format!("<spark-mention data-object-id='{ME}' class=\"a>b\">"),
            format!("<SPARK-MENTION  data-object-type=person data-object-id={uuid} >"),
            format!("<spark-mention data-object-id = \"{uuid}\">"),
        ] {
            let html = format!("{tag}Solar</spark-mention> hi Solar");
            assert_eq!(strip("say Solar hi", Some(&html), false, &me("Solar")), "say hi", "{tag}");
        }
        for tag in [
            format!("<spark-mention data-object-type=\"groupMention\" data-object-id=\"{ME}\">"),
            "<spark-mention data-object-type=\"person\" data-object-id=\"\">".to_owned(),
            "<spark-mention data-object-type=\"person\">".to_owned(),
            format!("<span data-object-id=\"{ME}\">"),
        ] {
            let html = format!("say {tag}Solar</spark-mention> hi");
            assert_eq!(strip("say Solar hi", Some(&html), false, &me("Solar")), "say Solar hi", "{tag}");
        }
    }

    #[test]
    fn without_html_the_name_at_the_start_is_the_mention() {
        for (text, mentioned, left) in [
            ("Solar and this week?", true, "and this week?"),
            ("sOLAR and", true, "and"),
            ("Solar power?", false, "Solar power?"),
            ("Solarium?", true, "Solarium?"),
            ("and Solar?", true, "and Solar?"),
            ("Sola", true, "Sola"),
            ("Solar", true, ""),
        ] {
            assert_eq!(strip(text, None, mentioned, &me("Solar")), left, "{text}");
            assert_eq!(strip(text, Some("<p>no mention</p>"), mentioned, &me("Solar")), left, "{text}");
        }
        assert_eq!(strip(" hi", None, true, &me("")), " hi", "a bot without a name");
    }

    #[test]
    fn torn_html_takes_nothing_away() {
        let open = format!("<spark-mention data-object-id=\"{ME}\">");
        for html in
            ["<", "<spark-mention", "&", "&#xFFFFFFFF;", "&#;", "a<b", "</spark-mention>", &open, "<a b='", "<>"]
        {
            assert_eq!(strip("say Solar hi", Some(html), false, &me("Solar")), "say Solar hi", "{html}");
        }
        let empty = format!("{open}</spark-mention>{open}Nobody</spark-mention>");
        assert_eq!(strip("say Solar hi", Some(&empty), false, &me("Solar")), "say Solar hi");
    }
}
