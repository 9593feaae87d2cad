// A property fails by panicking.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "here a panic is how a failure is told")]

use ackd::model::{Framing, Head, Method, Request, Secret, Span};
use ackd::platform::Platform;
use ackd::platform::webex::{Settings, Webex};
use ring::hmac;

const SECRET: &str = "86dacc007724d8ea666f88fc77d918dad9537a15";

/// The first line of `data` is a signature header's value, the rest a body. Whatever they are, a notification passes
/// for exactly the value that ring computes (in either case of its letters); and with that value, no bit of body or
/// signature may be flipped.
pub fn check(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (value, body) = data.split_at(end);
    let value = &value[..value.len().min(1024)];
    let body = body.get(1..).unwrap_or_default();
    let bot = bot();
    let good = good(body);
    let expected = value.eq_ignore_ascii_case(&good);
    assert_eq!(accepted(&bot, value, body), expected);
    if accepted(&bot, value, body) {
        assert!(bot.gate(&request(value, body).head).is_ok(), "the gate is never stricter than the door");
    }

    assert!(accepted(&bot, &good, body));
    // Which bits, the data says; all of them would take long.
    let chosen = data.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let mut flipped = body.to_vec();
    if let Some(byte) = flipped.get_mut(chosen % body.len().max(1)) {
        *byte ^= 1 << (chosen % 8);
        assert!(!accepted(&bot, &good, &flipped));
    }
    let mut longer = body.to_vec();
    longer.push(0);
    assert!(!accepted(&bot, &good, &longer));
    let mut flipped = good.clone();
    flipped[chosen % good.len()] ^= 1 << (chosen % 8);
    // The bit of 32 turns a letter into its upper case, which is the same digit.
    let same = flipped.eq_ignore_ascii_case(&good);
    assert_eq!(accepted(&bot, &flipped, body), same);
}

/// Whether the signature is taken; what is signed but cannot be read is refused with 400, not 401.
fn accepted(bot: &Webex, value: &[u8], body: &[u8]) -> bool {
    match bot.read(&request(value, body)) {
        Ok(_) => true,
        Err(refusal) => refusal.status != 401,
    }
}

fn good(body: &[u8]) -> Vec<u8> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes()), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.into_bytes()
}

fn request(value: &[u8], body: &[u8]) -> Request {
    let name = b"X-Spark-Signature";
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

fn bot() -> Webex {
    Webex::new(Settings::new(Secret::new("token"), vec![Secret::new(SECRET)]))
}
