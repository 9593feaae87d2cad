//! Text in HTML.

/// Text as it stands between tags, or in an attribute between quotes. Control characters are left out, but for line
/// breaks and tabs.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(sign),
            sign if sign.is_control() => {}
            sign => html.push(sign),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_a_tag_or_an_attribute() {
        assert_eq!(escaped("<b a='1' c=\"2\">&\u{0}\u{7f}\n"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;\n");
        assert_eq!(escaped("Brötchen 🥐"), "Brötchen 🥐");
    }
}
