//! Markdown as a bot writes it, and mentions as a person's client writes them: what a chat shows, and the HTML that says
//! exactly where a mention is (webex.md §7).
//!
//! Of markdown only what stands in a line is read (bold, italics, code, links, mentions); that is what bots write.

use super::people::{People, Person};

/// Marks inside marks that are read; deeper ones stay as they are written, so that no text can use up the stack.
const DEPTH_MAX: u8 = 8;

/// A text in its forms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marked {
    /// Without marks.
    pub text: String,
    pub html: String,
    /// Whom it mentions, by id.
    pub mentioned: Vec<String>,
}

impl Marked {
    fn say(&mut self, text: &str) {
        self.text.push_str(text);
        escape(text, &mut self.html);
    }

    /// A mention; with `bare`, its HTML has the uuid that the id is made of.
    fn mention(&mut self, person: &Person, bare: bool) {
        self.text.push_str(&person.name);
        let id = if bare { &person.uuid } else { &person.id };
        self.html.push_str("<spark-mention data-object-type=\"person\" data-object-id=\"");
        self.html.push_str(id);
        self.html.push_str("\">");
        escape(&person.name, &mut self.html);
        self.html.push_str("</spark-mention>");
        if !self.mentioned.contains(&person.id) {
            self.mentioned.push(person.id.clone());
        }
    }

    fn in_paragraph(mut self) -> Marked {
        self.html = format!("<p>{}</p>", self.html);
        self
    }
}

/// What a person's client sends who mentions the bot: where the text says `@bot`, else before it.
pub(super) fn mentioning(text: &str, bot: &Person, bare: bool) -> Marked {
    const SIGN: &str = "@bot";
    let mut marked = Marked::default();
    let mut rest = text;
    let mut from = 0;
    while let Some(at) = rest.get(from..).and_then(|tail| tail.find(SIGN)).map(|at| from + at) {
        let (before, tail) = rest.split_at(at);
        let tail = tail.strip_prefix(SIGN).unwrap_or_default();
        // Not in an address or a longer name: `x@bot.example`, `@botany`.
        if before.ends_with(is_word) || tail.starts_with(is_word) {
            from = at + SIGN.len();
            continue;
        }
        marked.say(before);
        marked.mention(bot, bare);
        (rest, from) = (tail, 0);
    }
    if marked.mentioned.is_empty() {
        marked.mention(bot, bare);
        marked.say(" ");
    }
    marked.say(rest);
    marked.in_paragraph()
}

/// What Webex makes of a bot's markdown.
pub(super) fn markdown(source: &str, people: &People) -> Marked {
    let mut marked = Marked::default();
    inline(source, people, DEPTH_MAX, &mut marked);
    marked.in_paragraph()
}

fn inline(source: &str, people: &People, depth: u8, out: &mut Marked) {
    let mut rest = source;
    let mut before = None;
    while let Some(at) = rest.find(['*', '_', '`', '[', '<']) {
        let (plain, tail) = rest.split_at(at);
        out.say(plain);
        before = plain.chars().next_back().or(before);
        let read = if depth > 0 { mark(tail, before, people, depth - 1, out) } else { None };
        let length = read.unwrap_or_else(|| {
            out.say(tail.get(..1).unwrap_or_default());
            1
        });
        let (marked, after) = tail.split_at(length);
        before = marked.chars().next_back();
        rest = after;
    }
    out.say(rest);
}

/// Reads the mark that `tail` begins with, if it is one, and says how long it was.
fn mark(tail: &str, before: Option<char>, people: &People, depth: u8, out: &mut Marked) -> Option<usize> {
    if let Some(inside) = tail.strip_prefix("<@") {
        let (inside, _) = inside.split_once('>')?;
        out.mention(mentioned(inside, people)?, false);
        return Some(inside.len() + 3);
    }
    if let Some(inside) = tail.strip_prefix('[') {
        let (title, url) = inside.split_once("](")?;
        let (url, _) = url.split_once(')')?;
        out.html.push_str("<a href=\"");
        escape(url, &mut out.html);
        out.html.push_str("\">");
        inline(title, people, depth, out);
        out.html.push_str("</a>");
        return Some(title.len() + url.len() + 4);
    }
    for (sign, tag) in [("**", "strong"), ("__", "strong"), ("*", "em"), ("_", "em"), ("`", "code")] {
        let Some((inside, after)) = tail.strip_prefix(sign).and_then(|inside| inside.split_once(sign)) else {
            continue;
        };
        let blank =
            inside.is_empty() || inside.starts_with(char::is_whitespace) || inside.ends_with(char::is_whitespace);
        // `snake_case_name` is a name.
        let in_word = sign.starts_with('_') && (before.is_some_and(is_word) || after.starts_with(is_word));
        if blank || in_word {
            continue;
        }
        out.html.push_str(&format!("<{tag}>"));
        if tag == "code" {
            out.say(inside)
        } else {
            inline(inside, people, depth, out)
        }
        out.html.push_str(&format!("</{tag}>"));
        return Some(inside.len() + 2 * sign.len());
    }
    None
}

/// `personId:…`, `personEmail:…`, each perhaps with a `|name`.
fn mentioned<'a>(inside: &str, people: &'a People) -> Option<&'a Person> {
    let (who, _) = inside.split_once('|').unwrap_or((inside, ""));
    let (key, value) = who.split_once(':')?;
    match key {
        "personId" => people.get(value),
        "personEmail" => people.by_email(value),
        _ => None,
    }
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

fn escape(text: &str, out: &mut String) {
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("<br/>"),
            sign => out.push(sign),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Moment;
    use crate::twin::webex::{Member, id::Ids};

    fn people() -> People {
        let member = |name: &str, email: &str| Member { name: name.to_owned(), email: email.to_owned() };
        let others = [member("Ada Example", "ada@example.com")];
        People::new(&member("Solar", "solar@webex.bot"), &others, &Ids::new(1), Moment(0))
    }

    #[test]
    fn a_mention_stands_where_the_text_says_so_or_before_it() {
        let people = people();
        let tag = |id: &str| {
            format!("<spark-mention data-object-type=\"person\" data-object-id=\"{id}\">Solar</spark-mention>")
        };
        for (written, text, html) in [
            ("how much?", "Solar how much?", "<p>@ how much?</p>"),
            ("could you, @bot, say?", "could you, Solar, say?", "<p>could you, @, say?</p>"),
            ("@bot", "Solar", "<p>@</p>"),
            ("@bot and @bot", "Solar and Solar", "<p>@ and @</p>"),
            ("a@bot.example, @botany", "Solar a@bot.example, @botany", "<p># a@bot.example, @botany</p>"),
            ("1 < 2 & \"x\"\ny", "Solar 1 < 2 & \"x\"\ny", "<p># 1 &lt; 2 &amp; &quot;x&quot;<br/>y</p>"),
        ] {
            let marked = mentioning(written, &people.bot, false);
            let sign = if html.contains('#') { '#' } else { '@' };
            assert_eq!((&*marked.text, &*marked.html), (text, &*html.replace(sign, &tag(&people.bot.id))), "{written}");
            assert_eq!(marked.mentioned, [&*people.bot.id]);
        }
        assert!(mentioning("x", &people.bot, true).html.contains(&tag(&people.bot.uuid)));
    }

    #[test]
    fn markdown_loses_its_marks_and_nothing_else() {
        for (source, text, html) in [
            ("**14.2 kWh** today", "14.2 kWh today", "<strong>14.2 kWh</strong> today"),
            ("*a* _b_ `*c*`", "a b *c*", "<em>a</em> <em>b</em> <code>*c*</code>"),
            ("**a *b* c**", "a b c", "<strong>a <em>b</em> c</strong>"),
            (
                "snake_case_name, 2 * 3 * 4, [x], a<b",
                "snake_case_name, 2 * 3 * 4, [x], a<b",
                "snake_case_name, 2 * 3 * 4, [x], a&lt;b",
            ),
            ("[page](https://x.example/?a&b)", "page", "<a href=\"https://x.example/?a&amp;b\">page</a>"),
            ("**", "**", "**"),
            ("<@nobody>", "<@nobody>", "&lt;@nobody&gt;"),
            ("☀️ **ü", "☀️ **ü", "☀️ **ü"),
        ] {
            let marked = markdown(source, &people());
            assert_eq!((&*marked.text, marked.html), (text, format!("<p>{html}</p>")), "{source}");
        }
    }

    #[test]
    fn markdown_may_mention_people() {
        let people = people();
        let ada = people.others.first().unwrap();
        for source in ["hi <@personEmail:ada@example.com|A>!".to_owned(), format!("hi <@personId:{}>!", ada.id)] {
            let marked = markdown(&source, &people);
            assert_eq!((marked.text, marked.mentioned), ("hi Ada Example!".to_owned(), vec![ada.id.clone()]));
        }
    }

    #[test]
    fn marks_without_end_use_up_neither_stack_nor_time() {
        for source in ["*_".repeat(3700), "[".repeat(7439), "<@".repeat(3700), "**a".repeat(2400)] {
            assert!(!markdown(&source, &people()).text.is_empty());
        }
    }
}
