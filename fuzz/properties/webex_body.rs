// A property fails by panicking.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "here a panic is how a failure is told")]

use ackd::limits::ID_BYTES_MAX;
use ackd::model::{
    Answer, Arrival, Delivery, Event, EventId, EventKind, Fate, Framing, Head, Method, Moment, Outcome, Request,
    Secret, Span,
};
use ackd::platform::webex::{Settings, Webex};
use ackd::platform::{Kept, Platform, Reading, Recalled};
use ring::hmac;

const SECRET: &str = "86dacc007724d8ea666f88fc77d918dad9537a15";
/// What a message of this notification may turn out to be is as foreign as the notification.
const NOTIFICATION: &str =
    r#"{"resource":"messages","event":"created","data":{"id":"m","roomId":"r","roomType":"group"}}"#;
const CHOICE: &str = r#"{"resource":"attachmentActions","event":"created","data":{"id":"a","roomId":"r"}}"#;

/// Any body with a good signature is read the same way twice, or refused as no JSON. It is one event, kept whole, with
/// ids within bounds; and the guard says the same of it when the bot's turn comes. And any answer to a look-up is an
/// event of that notification without more text than the answer has, or a reason.
pub fn check(body: &[u8]) {
    let bot = bot();
    if let Some(arrival) = arrival(&bot, body) {
        assert!(arrival.raw[..] == *body && arrival.proves.is_none() && !arrival.kind.is_empty());
        for id in [&arrival.id, &arrival.conversation] {
            assert!(!id.is_empty() && id.len() <= ID_BYTES_MAX, "{id:?}");
        }
        match (bot.look_up(&kept(&arrival)), &arrival.fate) {
            (Ok(question), Fate::Hear) => {
                let url = question.map_or(String::new(), |question| question.url);
                assert!(url.bytes().all(|byte| byte.is_ascii_graphic()), "{url:?}");
            }
            (Ok(Some(_)), Fate::Witness) => {}
            (Err(recalled), Fate::Ignore(_)) => {
                assert!(matches!(*recalled, Recalled::Ignored(_) | Recalled::Failed(Delivery::Dead { .. })));
            }
            (other, fate) => panic!("{fate:?}, and then {other:?}"),
        }
    }
    for notification in [NOTIFICATION, CHOICE] {
        let Some(arrival) = arrival(&bot, notification.as_bytes()) else { panic!("a notification was refused") };
        let answer = Answer { status: 200, headers: Vec::new(), body: body.to_vec() };
        let outcome = Outcome::Answered(answer);
        let recalled = bot.recall(&kept(&arrival), Some(&outcome), 1, Moment(5));
        assert_eq!(recalled, bot.recall(&kept(&arrival), Some(&outcome), 1, Moment(5)));
        if let Recalled::Event(event) = recalled {
            assert_event(&event, body);
        }
        let delivery = bot.judge(&outcome, 1, Moment(5));
        assert!(matches!(delivery, Delivery::Delivered { .. } | Delivery::Unknown { .. }), "{delivery:?}");
    }
}

fn assert_event(event: &Event, found: &[u8]) {
    assert!(event.conversation == "r" && event.happened.0 > 0 && !event.person.is_empty());
    if let EventKind::Message { text, attachments, .. } = &event.kind {
        // Half an emoji of six bytes becomes a sign of three.
        assert!(text.as_ref().is_none_or(|text| !text.is_empty() && text.len() <= found.len()));
        assert!(attachments.len() <= found.len());
    }
}

fn arrival(bot: &Webex, body: &[u8]) -> Option<Arrival> {
    let request = signed(body);
    let reading = bot.read(&request);
    assert_eq!(reading, bot.read(&request));
    match reading {
        Ok(Reading::Events { mut arrivals, response, .. }) => {
            assert!(response.status == 200 && arrivals.len() == 1);
            arrivals.pop()
        }
        Ok(Reading::Answer(answer)) => panic!("a notification is no question: {answer:?}"),
        Err(refusal) => {
            assert!(refusal.status == 400 && !refusal.why.is_empty());
            None
        }
    }
}

fn kept(arrival: &Arrival) -> Kept<'_> {
    let id = EventId { channel: "space".to_owned(), place: 1, part: None };
    Kept { id, conversation: &arrival.conversation, received: Moment(5), raw: &arrival.raw }
}

fn signed(body: &[u8]) -> Request {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes()), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let name = "X-Spark-Signature";
    let text = format!("{name}{hex}");
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

/// The bot of the samples, so that their mentions are of it.
fn bot() -> Webex {
    let bot = Webex::new(Settings::new(Secret::new("token"), vec![Secret::new(SECRET)]));
    let body = br#"{"id":"Y2lzY29zcGFyazovL3VzL1BFT1BMRS84YTFiMmMzZC00ZTVmLTRhNmItOWM3ZC0wZTFmMmEzYjRjNWQ","displayName":"Solar"}"#;
    let answer = Answer { status: 200, headers: Vec::new(), body: body.to_vec() };
    match bot.introduced(&Outcome::Answered(answer), Moment(5)) {
        Ok(account) => bot.meet(account),
        Err(delivery) => panic!("{delivery:?}"),
    }
    bot
}
