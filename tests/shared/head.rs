//! A request's head as the tests of platforms and twins write it.

use ackd::model::{Framing, Head, Method, Span};

/// The head of a request for `target` with these fields.
pub fn head(method: Method, target: &str, fields: &[(&str, &str)]) -> Head {
    let mut text = format!("METHOD {target} HTTP/1.1\r\n").into_bytes();
    let target = Span { start: 7, end: 7 + target.len() as u16 };
    let mut headers = Vec::new();
    for (name, value) in fields {
        let start = text.len() as u16;
        text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        let middle = start + name.len() as u16;
        headers.push((Span { start, end: middle }, Span { start: middle + 2, end: text.len() as u16 - 2 }));
    }
    Head { method, text: text.into(), target, headers: headers.into(), framing: Framing::Empty }
}
