//! Names of channels, bots and upstreams, and webhook paths.

use super::findings::quoted;
use crate::limits::{NAME_BYTES_MAX, PATH_BYTES_MAX};

/// Why this cannot be the name of a bot, channel or upstream.
pub(super) fn flaw(name: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let long = name.len() > NAME_BYTES_MAX;
    let fine = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(fits) && !long;
    (!fine).then(|| {
        format!("a name has at most {NAME_BYTES_MAX} of a-z, 0-9 and -, and begins with a letter; as in \"page\"")
    })
}

/// Why this cannot be the name of a channel. `page-17` is how people call an event of channel `page`.
pub(super) fn channel_flaw(name: &str) -> Option<String> {
    flaw(name).or_else(|| {
        let (start, end) = name.rsplit_once('-')?;
        let like_an_event = !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit());
        let better = format!("{start}{end}");
        like_an_event
            .then(|| format!("reads like event {end} of channel {start}; write for example {}", quoted(&better)))
    })
}

/// Why this cannot be the path of a webhook or of pages.
pub(super) fn path_flaw(path: &str, example: &str) -> Option<String> {
    let shown = quoted(path);
    if !path.starts_with('/') {
        return Some(format!("{shown} must begin with a slash; write for example {example}"));
    }
    if path.contains(['?', '#']) {
        return Some(format!("{shown} must end before the ? or #"));
    }
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(format!("{shown} holds white space or letters that a request line cannot hold"));
    }
    (path.len() > PATH_BYTES_MAX).then(|| format!("{shown} is longer than {PATH_BYTES_MAX} bytes"))
}
