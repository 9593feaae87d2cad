//! Is it Webex who asks? The signature of a notification (webex.md §6).

use crate::model::{Head, Refusal, Request};
use crate::notation::from_hex;
use ring::hmac;

/// The notification's HMAC-SHA1 out of its head. It says nothing yet about whose it is; that it is there and well
/// formed is known before any byte of the body. Other headers with better hashes are in use by nobody but third
/// parties (webex.md §6), so none is looked at.
pub(super) fn signature(head: &Head) -> Result<[u8; 20], Refusal> {
    let value = head
        .header("x-spark-signature")
        .ok_or_else(|| Refusal::new(401, "X-Spark-Signature is missing: does the webhook have a secret?"))?;
    from_hex(value).ok_or_else(|| Refusal::new(401, "X-Spark-Signature is not 40 hex digits"))
}

/// Checks a notification's signature over its body as received, before anything is parsed. While the webhook's secret
/// is being rotated there are two keys and either will do. The comparison takes constant time.
pub(super) fn body(request: &Request, keys: &[hmac::Key]) -> Result<(), Refusal> {
    let signature = signature(&request.head)?;
    match keys.iter().any(|key| hmac::verify(key, &request.body, &signature).is_ok()) {
        true => Ok(()),
        false => Err(Refusal::new(401, "X-Spark-Signature does not fit the body and the webhook's secret")),
    }
}
