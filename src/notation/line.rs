//! What somebody wrote, as one line among ours.

/// The first so many signs of a text on one line. Those that cannot be seen are left out, among them those that turn the
/// direction of what follows; and no text makes a link of its own where a platform reads markdown.
pub fn line(text: &str, chars_max: usize) -> String {
    let hidden = |sign: char| {
        sign.is_control()
            || matches!(sign, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(sign, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
    };
    let mut line = String::new();
    for sign in text.chars().take(chars_max) {
        if sign.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !hidden(sign) {
            if sign == '(' && line.ends_with(']') {
                line.push(' ');
            }
            line.push(sign);
        }
    }
    line.truncate(line.trim_end().len());
    line
}
