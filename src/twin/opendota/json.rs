//! JSON from templates: a text in which a `$` stands for each value.

use crate::model::Response;

/// A template with its values in place.
pub(super) fn fill(template: &str, values: &[String]) -> String {
    let mut parts = template.split('$');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for (value, part) in values.iter().zip(parts) {
        filled.push_str(value);
        filled.push_str(part);
    }
    filled
}

/// A list of what is JSON already.
pub(super) fn list(items: &mut dyn Iterator<Item = String>) -> String {
    enclosed('[', items, ']')
}

/// Items with commas between them, in brackets.
pub(super) fn enclosed(open: char, items: &mut dyn Iterator<Item = String>, close: char) -> String {
    let mut text = String::from(open);
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push(close);
    text
}

/// Words in quotes.
pub(super) fn quoted(words: &str) -> String {
    serde_json::Value::from(words).to_string()
}

/// What may be missing.
pub(super) fn or_null(value: Option<String>) -> String {
    value.unwrap_or_else(|| "null".to_owned())
}

/// A number in hundredths as JavaScript writes it: 1102050 is 11020.5.
pub(super) fn hundredths(number: i64) -> String {
    let (sign, size) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
    let fraction = format!("{:02}", size % 100);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", size / 100)
}

/// An answer, with the type in the service's spelling.
pub(super) fn answer(status: u16, body: String) -> Response {
    Response { content_type: "application/json; charset=utf-8", ..Response::json(status, body.into_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_the_template_has_signs_and_are_not_looked_at() {
        let values = ["1", "\"$\"", "null"].map(str::to_owned);
        assert_eq!(fill("{\"a\":$,\"b\":$,\"c\":$}", &values), "{\"a\":1,\"b\":\"$\",\"c\":null}");
        assert_eq!(list(&mut std::iter::empty()), "[]");
        assert_eq!(list(&mut values.into_iter()), "[1,\"$\",null]");
    }

    #[test]
    fn a_number_has_no_more_digits_than_it_needs() {
        for (number, text) in
            [(1_102_050, "11020.5"), (44, "0.44"), (100, "1"), (0, "0"), (1003, "10.03"), (-5, "-0.05")]
        {
            assert_eq!(hundredths(number), text);
        }
    }
}
