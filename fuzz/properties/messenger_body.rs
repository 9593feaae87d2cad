// A property fails by panicking.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "here a panic is how a failure is told")]

use ackd::limits::{EVENTS_MAX, ID_BYTES_MAX};
use ackd::model::{EventId, Fate, Framing, Head, Method, Moment, Request, Secret, Span};
use ackd::platform::messenger::{Messenger, Settings};
use ackd::platform::{Kept, Platform, Reading, Recalled};
use ring::hmac;

const SECRET: &str = "5f2d0c1b9a8e7f6d5c4b3a2918070605";

/// Any body with a good signature is read the same way twice, or refused in words. What is read lies in the body,
/// is no more than it can hold, has ids within bounds, and can be read again when the bot's turn comes.
pub fn check(body: &[u8]) {
    let page = page();
    let request = signed(body);
    let reading = page.read(&request);
    assert_eq!(reading, page.read(&request));
    let arrivals = match reading {
        Ok(Reading::Events { arrivals, response, .. }) => {
            assert_eq!(response.status, 200);
            arrivals
        }
        Ok(Reading::Answer(answer)) => panic!("a delivery is no question: {answer:?}"),
        Err(refusal) => return assert!(matches!(refusal.status, 400 | 413) && !refusal.why.is_empty()),
    };
    // An item takes a byte, and what parts it from the next another.
    assert!(arrivals.len() <= EVENTS_MAX && arrivals.len() <= body.len() / 2);
    assert!(arrivals.iter().map(|arrival| arrival.raw.len()).sum::<usize>() <= body.len());
    for arrival in arrivals {
        assert!(!arrival.raw.is_empty() && body.windows(arrival.raw.len()).any(|window| window == &arrival.raw[..]));
        for id in [&arrival.id, &arrival.conversation] {
            assert!(!id.is_empty() && id.len() <= ID_BYTES_MAX, "{id:?}");
        }
        let id = EventId { channel: "page".to_owned(), place: 1, part: None };
        let kept = Kept { id, conversation: &arrival.conversation, received: Moment(5), raw: &arrival.raw };
        match page.recall(&kept, None, 1, Moment(5)) {
            Recalled::Event(event) => assert!(event.conversation == arrival.conversation && event.happened.0 > 0),
            other => assert!(arrival.fate != Fate::Hear, "a heard event was lost: {other:?}"),
        }
    }
}

fn signed(body: &[u8]) -> Request {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let name = "X-Hub-Signature-256";
    let text = format!("{name}sha256={hex}");
    let middle = name.len() as u16;
    let header = (Span { start: 0, end: middle }, Span { start: middle, end: text.len() as u16 });
    let head = Head {
        method: Method::Post,
        text: text.into_bytes().into(),
        target: Span { start: 0, end: 0 },
        headers: Box::new([header]),
        framing: Framing::Length(body.len() as u64),
    };
    Request { head, body: body.to_vec() }
}

fn page() -> Messenger {
    Messenger::new(Settings::new(Secret::new("verify"), vec![Secret::new(SECRET)], Secret::new("token")))
}
