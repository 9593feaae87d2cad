//! What a delivery costs on the loop: `cargo bench --bench messenger`.
//!
//! The signature alone, then gate, signature and reading together, for one event and for fifty in one delivery.
#![allow(clippy::unwrap_used, reason = "here a panic is how a failure is told")]

use ackd::model::{Framing, Head, Method, Request, Secret, Span};
use ackd::platform::messenger::{Messenger, Settings};
use ackd::platform::{Platform, Reading};
use divan::{Bencher, black_box};
use ring::hmac;

const SECRET: &str = "s3cret";
const ONE: &[u8] = include_bytes!("../tests/fixtures/payload.json");

fn main() {
    divan::main();
}

/// One delivery with `events` times the event of the payload.
fn delivery(events: usize) -> Vec<u8> {
    let text = std::str::from_utf8(ONE).unwrap().trim_end();
    let (before, rest) = text.split_once("\"messaging\":[").unwrap();
    let item = rest.strip_suffix("]}]}").unwrap();
    format!("{before}\"messaging\":[{}]}}]}}", vec![item; events].join(",")).into_bytes()
}

fn key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes())
}

fn signed(body: Vec<u8>) -> Request {
    let hex: String = hmac::sign(&key(), &body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let fields =
        [("host", "bots.example.org"), ("content-type", "application/json"), ("user-agent", "facebookexternalua")];
    let mut text = b"POST /messenger HTTP/1.1\r\n".to_vec();
    let mut headers = Vec::new();
    for (name, value) in fields.into_iter().chain([("x-hub-signature-256", format!("sha256={hex}").as_str())]) {
        let start = text.len() as u16;
        text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        let middle = start + name.len() as u16;
        headers.push((Span { start, end: middle }, Span { start: middle + 2, end: text.len() as u16 - 2 }));
    }
    let head = Head {
        method: Method::Post,
        text: text.into(),
        target: Span { start: 5, end: 15 },
        headers: headers.into(),
        framing: Framing::Length(body.len() as u64),
    };
    Request { head, body }
}

fn page() -> Messenger {
    Messenger::new(Settings::new(Secret::new("verify"), vec![Secret::new(SECRET)], Secret::new("token")))
}

#[divan::bench]
fn signature_alone(bencher: Bencher) {
    let (key, tag) = (key(), hmac::sign(&key(), ONE));
    bencher.bench_local(|| hmac::verify(black_box(&key), black_box(ONE), tag.as_ref()));
}

#[divan::bench]
fn wrong_signature_refused(bencher: Bencher) {
    let (page, mut request) = (page(), signed(ONE.to_vec()));
    request.body.push(b' ');
    bencher.bench_local(|| page.read(black_box(&request)).unwrap_err());
}

#[divan::bench(args = [1, 50])]
fn body_to_arrivals(bencher: Bencher, events: usize) {
    let (page, request) = (page(), signed(delivery(events)));
    bencher.bench_local(|| match page.read(black_box(&request)).unwrap() {
        Reading::Events { arrivals, .. } => assert_eq!(arrivals.len(), events),
        Reading::Answer(_) => unreachable!(),
    });
}
