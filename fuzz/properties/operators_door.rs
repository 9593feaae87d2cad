//! Whoever does not show the token of the operator's door sees nothing but whether the loop turns, and is led nowhere else.

use ackd::http::{Connection, Step};
use ackd::intake::{Door, Intake, Lock, Verdict};
use ackd::model::Secret;
use ackd::notation::unpercent_text;

const TOKEN: &str = "token-of-the-door-4d1c";

/// The bytes of one connection.
pub fn check(data: &[u8]) {
    let intake = Intake::new(Vec::new(), Vec::new()).locked(Lock::of(&[Secret::new(TOKEN)]));
    let text = String::from_utf8_lossy(data);
    let knows = text.contains(TOKEN) || unpercent_text(&text, true).contains(TOKEN);
    let mut connection = Connection::new();
    connection.receive(data.get(..16_000).unwrap_or(data));
    let Step::Request(request) = connection.next(|head| intake.gate(Door::Admin, head)) else { return };
    let verdict = intake.read(Door::Admin, &request);
    if let Ok(Verdict::Answer(answer)) = &verdict {
        for (_, to) in answer.headers.iter().filter(|(name, _)| *name == "Location") {
            assert!(to.starts_with('/') && !to.starts_with("//") && !to.contains('\\'), "{to}");
            assert!(to.bytes().all(|byte| byte.is_ascii_graphic()), "{to:?}");
        }
    }
    assert!(knows || verdict.is_err() || request.head.path() == "/healthz", "{verdict:?}");
}
