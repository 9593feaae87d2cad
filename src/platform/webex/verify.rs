//! Is it Webex who asks? The signature of a notification (webex.md §6).

use crate::model::{Head, Refusal, Request};
use crate::notation::from_hex;
use ring::hmac;

/// The digits of the notification's HMAC-SHA1 out of its head. They say nothing yet about whose it is; that they are there
/// is known before any byte of the body. Other headers with better hashes are in use by nobody but third parties
/// (webex.md §6), so none is looked at.
pub(super) fn digits(head: &Head) -> Result<&[u8], Refusal> {
    let value = head
        .header("x-spark-signature")
        .ok_or_else(|| Refusal::new(401, "X-Spark-Signature is missing: does the webhook have a secret?"))?;
    Some(value).filter(|digits| digits.len() == 40).ok_or_else(malformed)
}

fn malformed() -> Refusal {
    Refusal::new(401, "X-Spark-Signature is not 40 hex digits")
}

/// Checks a notification's signature over its body as received, before anything is parsed. While the webhook's secret
/// is being rotated there are two keys and either will do. The comparison takes constant time.
pub(super) fn body(request: &Request, keys: &[hmac::Key]) -> Result<(), Refusal> {
    let signature: [u8; 20] = from_hex(digits(&request.head)?).ok_or_else(malformed)?;
    match keys.iter().any(|key| hmac::verify(key, &request.body, &signature).is_ok()) {
        true => Ok(()),
        false => Err(Refusal::new(401, "X-Spark-Signature does not fit the body and the webhook's secret")),
    }
}
