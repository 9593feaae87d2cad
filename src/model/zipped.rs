//! What the build has gzipped, as it is sent: to whoever says that they take it.

use super::Response;

/// An answer of these bytes, at each door alike. There is nothing in the program that could unpack them. Who says nothing takes
/// all by the letter (RFC 9110, 12.5.3); but that is curl, whose user sees bytes that no terminal shows, and never a browser.
pub fn zipped(takes: Option<&[u8]>, content_type: &'static str, bytes: &'static [u8]) -> Response {
    if !takes.is_some_and(takes_gzip) {
        return Response::text(406, "this is sent as gzip only: open it in a browser, or ask with curl --compressed\n");
    }
    Response { content_type, body: bytes.into(), ..Response::text(200, "") }.with("Content-Encoding", "gzip")
}

/// Whether an `Accept-Encoding` takes gzip, by name or as one of all others (`*`); a weight of zero says no.
fn takes_gzip(list: &[u8]) -> bool {
    let list = String::from_utf8_lossy(list).to_ascii_lowercase();
    let weight_of = |coding: &str| {
        list.split(',').find_map(|part| {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            (name.trim() == coding).then(|| weight.trim().trim_start_matches("q="))
        })
    };
    let weight = weight_of("gzip").or_else(|| weight_of("*"));
    weight.is_some_and(|weight| weight.is_empty() || weight.contains(|digit| matches!(digit, '1'..='9')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gzipped_is_sent_to_whoever_says_that_they_take_it() {
        let sent_to = |takes| zipped(takes, "text/css", b"zipped");
        let takers: [&[u8]; 5] = [b"gzip, deflate, br", b"br;q=1.0, GZIP;q=0.8", b"*", b" gzip", b"*;q=0,gzip"];
        for takes in takers {
            let sent = sent_to(Some(takes));
            assert_eq!((sent.status, sent.content_type, &*sent.body), (200, "text/css", &b"zipped"[..]), "{takes:?}");
            assert!(sent.headers.contains(&("Content-Encoding", "gzip".into())));
        }
        let others: [&[u8]; 5] = [b"", b"identity", b"br, x-gzipped", b"gzip;q=0, *", b"gzip; q=0.000"];
        for takes in others.map(Some).into_iter().chain([None]) {
            let refused = sent_to(takes);
            assert_eq!((refused.status, refused.content_type), (406, "text/plain; charset=utf-8"), "{takes:?}");
            assert!(refused.body.ends_with(b"curl --compressed\n") && refused.headers.is_empty());
        }
    }
}
