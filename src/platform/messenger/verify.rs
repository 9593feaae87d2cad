//! Is it Meta who asks? The signature of a delivery (messenger.md §4) and the verification by GET (§2).

use crate::model::{Head, Refusal, Request, Response, Secret};
use crate::notation::{from_hex, unpercent};
use ring::hmac;
use std::borrow::Cow;
use subtle::ConstantTimeEq;

/// The digits of the delivery's HMAC-SHA256 out of its head. They say nothing yet about whose it is; that they are there
/// is known before any byte of the body. The SHA-1 header of old is not looked at: whoever can forge one header leaves
/// the better one away.
pub(super) fn digits(head: &Head) -> Result<&[u8], Refusal> {
    let value = head.header("x-hub-signature-256").ok_or_else(|| {
        let old_one = head.header("x-hub-signature").is_some();
        Refusal::new(
            401,
            if old_one {
                "X-Hub-Signature is not enough; X-Hub-Signature-256 is missing"
            } else {
                "X-Hub-Signature-256 is missing"
            },
        )
    })?;
    value.strip_prefix(b"sha256=").filter(|digits| digits.len() == 64).ok_or_else(malformed)
}

fn malformed() -> Refusal {
    Refusal::new(401, "X-Hub-Signature-256 is not sha256= and 64 hex digits")
}

/// Checks a delivery's signature over its body as received, before anything is parsed. While the app's secret is
/// being rotated there are two keys and either will do (messenger.md §1). The comparison takes constant time.
pub(super) fn body(request: &Request, keys: &[hmac::Key]) -> Result<(), Refusal> {
    let signature: [u8; 32] = from_hex(digits(&request.head)?).ok_or_else(malformed)?;
    match keys.iter().any(|key| hmac::verify(key, &request.body, &signature).is_ok()) {
        true => Ok(()),
        false => Err(Refusal::new(401, "X-Hub-Signature-256 does not fit the body and the app's secret")),
    }
}

/// Answers a verification: the challenge, as plain text so that a hostile one cannot become a page.
pub(super) fn challenge(query: &str, verify_token: &Secret) -> Result<Response, Refusal> {
    let refused = |why| Err(Refusal::new(403, why));
    if parameter(query, "hub.mode").as_deref() != Some(b"subscribe") {
        return refused("not a verification: hub.mode is not subscribe");
    }
    let expected = verify_token.expose().as_bytes();
    let token = parameter(query, "hub.verify_token").unwrap_or_default();
    // An empty token, theirs or ours, proves nothing.
    if token.is_empty() || !bool::from(token.ct_eq(expected)) {
        return refused("hub.verify_token is not the one that is configured here");
    }
    let Some(challenge) = parameter(query, "hub.challenge").filter(|challenge| !challenge.is_empty()) else {
        return refused("hub.challenge is missing");
    };
    let mut response = Response::text(200, "").with("X-Content-Type-Options", "nosniff");
    response.body = Cow::Owned(challenge);
    Ok(response)
}

/// The first parameter of this name, decoded. Order is not promised (messenger.md §2).
fn parameter(query: &str, name: &str) -> Option<Vec<u8>> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.into_iter().find(|(key, _)| unpercent(key, true) == name.as_bytes()).map(|(_, value)| unpercent(value, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<Vec<u8>, u16> {
        challenge(query, &Secret::new("sesame")).map(|response| response.body.into_owned()).map_err(|no| no.status)
    }

    #[test]
    fn a_verification_needs_mode_token_and_challenge() {
        assert_eq!(asked("hub.mode=subscribe&hub.verify_token=sesame&hub.challenge=1"), Ok(b"1".to_vec()));
        assert_eq!(asked("hub%2Emode=subscribe&hub.challenge=1&&x&hub.verify_token=sesame"), Ok(b"1".to_vec()));
        for wrong in [
            "",
            "hub.mode",
            "hub.mode=subscribe",
            "hub.mode=subscribe&hub.verify_token=sesame",
            "hub.mode=subscribe&hub.verify_token=sesame&hub.challenge=",
            "hub.mode=subscribe&hub.verify_token=&hub.challenge=1",
            "hub.mode=subscribe&hub.verify_token=sesam&hub.challenge=1",
            "hub.mode=subscribe&hub.verify_token=sesame1&hub.challenge=1",
            "hub.mode=Subscribe&hub.verify_token=sesame&hub.challenge=1",
        ] {
            assert_eq!(asked(wrong), Err(403), "{wrong}");
        }
    }

    #[test]
    fn an_empty_token_of_ours_opens_nothing() {
        let query = "hub.mode=subscribe&hub.verify_token=&hub.challenge=1";
        assert!(challenge(query, &Secret::new("")).is_err());
    }

    #[test]
    fn a_refusal_repeats_no_token() {
        let query = "hub.mode=subscribe&hub.verify_token=their-guess&hub.challenge=1";
        let refusal = challenge(query, &Secret::new("sesame")).unwrap_err();
        assert!(!refusal.why.contains("their-guess") && !refusal.why.contains("sesame"));
    }
}
