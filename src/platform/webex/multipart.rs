//! A message with a file in it: `multipart/form-data` (webex.md §7, RFC 7578).

use serde_json::{Map, Value};

/// What parts a body. A body in which it occurs otherwise is not written.
const BOUNDARY: &str = "ackd-part-9f1c6e0b7d5a4c38";
pub(super) const CONTENT_TYPE: &str = "multipart/form-data; boundary=ackd-part-9f1c6e0b7d5a4c38";

/// Texts by their names, and one GIF. `None` when the boundary is in one of them.
pub(super) fn body(members: &Map<String, Value>, gif: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::with_capacity(gif.len() + 1024);
    for (name, value) in members {
        let head = format!("Content-Disposition: form-data; name=\"{name}\"");
        part(&mut body, &head, value.as_str()?.as_bytes())?;
    }
    let head = "Content-Disposition: form-data; name=\"files\"; filename=\"chart.gif\"\r\nContent-Type: image/gif";
    part(&mut body, head, gif)?;
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    Some(body)
}

fn part(body: &mut Vec<u8>, head: &str, value: &[u8]) -> Option<()> {
    if value.windows(BOUNDARY.len()).any(|bytes| bytes == BOUNDARY.as_bytes()) {
        return None;
    }
    body.extend(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").bytes());
    body.extend(value);
    body.extend(b"\r\n");
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_the_one_that_is_announced() {
        assert_eq!(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"));
    }
}
