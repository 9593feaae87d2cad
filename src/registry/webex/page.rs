//! One page of `GET /webhooks`: its items, and where the next one is.

use super::plan::{OURS, Webhook};
use crate::model::Answer;
use crate::registry::RegistryFault;
use crate::registry::words::origin;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
}

/// The webhooks of a page, and whether one is left out that may be ours: it cannot be read, and has no name of another's.
/// Nothing of it is quoted, since it holds secrets.
pub(super) fn items(answer: &Answer) -> Result<(Vec<Webhook>, bool), RegistryFault> {
    let page: Page = serde_json::from_slice(&answer.body).map_err(|_| {
        RegistryFault("the answer is no list of webhooks; does `api` lead to the Webex API?".to_owned())
    })?;
    let foreign = |item: &Value| item.get("name").and_then(Value::as_str).is_some_and(|name| !name.starts_with(OURS));
    let strange = page.items.iter().any(|item| Webhook::read(item).is_none() && !foreign(item));
    Ok((page.items.iter().filter_map(Webhook::read).collect(), strange))
}

/// The next page's URL, if there is one. It must lead to where the token may go.
pub(super) fn next(answer: &Answer, api: &str) -> Result<Option<String>, RegistryFault> {
    let Some(next) = answer.header("link").and_then(rel_next) else { return Ok(None) };
    if origin(&next) != origin(api) {
        return Err(RegistryFault("the list goes on at another host, and our token does not go there".to_owned()));
    }
    Ok(Some(without_null(&next)))
}

/// The URL of the link with rel="next" (RFC 8288 §3).
fn rel_next(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, link)) = rest.split_once('<') {
        let (url, after) = link.split_once('>')?;
        let parameters = after.split('<').next().unwrap_or(after);
        let is_next = |parameter: &str| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && value.split(' ').any(|word| word.eq_ignore_ascii_case("next"))
        };
        if parameters.split(';').any(is_next) {
            return Some(url.trim().to_owned());
        }
        rest = after;
    }
    None
}

/// Without the parameter that makes the next call fail (webex.md §8).
fn without_null(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let kept: Vec<_> = query.split('&').filter(|parameter| *parameter != "max=null").collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_of(link: &str) -> Result<Option<String>, RegistryFault> {
        let headers = vec![("link".to_owned(), link.to_owned())];
        next(&Answer { headers, ..Answer::default() }, "https://webexapis.com/v1")
    }

    #[test]
    fn the_next_page_is_where_the_link_says() {
        for (link, url) in [
            (
                "<https://webexapis.com/v1/webhooks?cursor=a>; rel=\"next\"",
                Some("https://webexapis.com/v1/webhooks?cursor=a"),
            ),
            (
                "<https://webexapis.com/v1/webhooks?cursor=a&max=null>; rel=next",
                Some("https://webexapis.com/v1/webhooks?cursor=a"),
            ),
            ("<https://webexapis.com/v1/webhooks?max=null>; rel=\"next\"", Some("https://webexapis.com/v1/webhooks")),
            (
                "<https://webexapis.com/a>; rel=\"prev first\", <https://WEBEXAPIS.com/b>; title=x; REL=\"last next\"",
                Some("https://WEBEXAPIS.com/b"),
            ),
            ("<https://webexapis.com/v1/webhooks>; rel=\"first\"", None),
            ("<https://webexapis.com/next", None),
            ("rel=next", None),
        ] {
            assert_eq!(next_of(link).unwrap().as_deref(), url, "{link}");
        }
    }

    #[test]
    fn a_token_follows_no_link_to_another_host() {
        for url in [
            "https://webexapis.com.evil.example/v1",
            "http://webexapis.com/v1",
            "https://webexapis.com:444/v1",
            "https://webexapis.com@evil.example/",
            "/v1/webhooks?cursor=a",
        ] {
            let error = next_of(&format!("<{url}>; rel=\"next\"")).unwrap_err().0;
            assert!(error.contains("another host"), "{url}: {error}");
        }
    }
}
