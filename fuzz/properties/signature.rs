// A property fails by panicking.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "here a panic is how a failure is told")]

use ackd::model::{Framing, Head, Method, Request, Secret, Span};
use ackd::platform::Platform;
use ackd::platform::messenger::{Messenger, Settings};
use ring::hmac;

const SECRET: &str = "5f2d0c1b9a8e7f6d5c4b3a2918070605";

/// The first line of `data` is a signature header's value, the rest a body. Whatever they are, a delivery passes
/// for exactly the value that ring computes (in either case of its letters); and with that value, no bit of body or
/// signature may be flipped.
pub fn check(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (value, body) = data.split_at(end);
    let value = &value[..value.len().min(1024)];
    let body = body.get(1..).unwrap_or_default();
    let page = page();
    let good = good(body);
    let expected = value.strip_prefix(b"sha256=").is_some_and(|digits| digits.eq_ignore_ascii_case(&good[7..]));
    assert_eq!(accepted(&page, value, body), expected);
    if accepted(&page, value, body) {
        assert!(page.gate(&request(value, body).head).is_ok(), "the gate is never stricter than the door");
    }

    assert!(accepted(&page, &good, body));
    // Which bits, the data says; all of them would take long.
    let chosen = data.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let mut flipped = body.to_vec();
    if let Some(byte) = flipped.get_mut(chosen % body.len().max(1)) {
        *byte ^= 1 << (chosen % 8);
        assert!(!accepted(&page, &good, &flipped));
    }
    let mut longer = body.to_vec();
    longer.push(0);
    assert!(!accepted(&page, &good, &longer));
    let mut flipped = good.clone();
    flipped[chosen % good.len()] ^= 1 << (chosen % 8);
    // The bit of 32 turns a letter into its upper case, which is the same digit.
    let same = flipped.starts_with(b"sha256=") && flipped.eq_ignore_ascii_case(&good);
    assert_eq!(accepted(&page, &flipped, body), same);
}

/// Whether the signature is taken; what is signed but cannot be read is refused with 400, not 401.
fn accepted(page: &Messenger, value: &[u8], body: &[u8]) -> bool {
    match page.read(&request(value, body)) {
        Ok(_) => true,
        Err(refusal) => refusal.status != 401,
    }
}

fn good(body: &[u8]) -> Vec<u8> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}").into_bytes()
}

fn request(value: &[u8], body: &[u8]) -> Request {
    let name = b"X-Hub-Signature-256";
    let text = [&name[..], value].concat();
    let middle = name.len() as u16;
    let header = (Span { start: 0, end: middle }, Span { start: middle, end: text.len() as u16 });
    let head = Head {
        method: Method::Post,
        text: text.into(),
        target: Span { start: 0, end: 0 },
        headers: Box::new([header]),
        framing: Framing::Length(body.len() as u64),
    };
    Request { head, body: body.to_vec() }
}

fn page() -> Messenger {
    Messenger::new(Settings::new(Secret::new("verify"), vec![Secret::new(SECRET)], Secret::new("token")))
}
