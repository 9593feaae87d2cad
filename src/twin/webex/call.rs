//! One call of the API, taken apart: path, query, body. What is there is decoded once; what is wrong is refused.

use super::refusal::Refused;
use crate::limits::{WEBEX_LIST_DEFAULT, WEBEX_LIST_MAX};
use crate::model::{Request, Response};
use crate::notation::{percent, unpercent_text};
use serde::Serialize;
use serde_json::{Map, Value};

pub(super) use crate::twin::query::Query;

/// The members of a body.
pub(super) type Members = Map<String, Value>;

/// The bearer token of a call, if it has one.
pub(super) fn token(request: &Request) -> Option<&str> {
    let value = std::str::from_utf8(request.head.header("authorization")?).ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The parts of the path between its slashes.
pub(super) fn path(request: &Request) -> Vec<String> {
    let parts = request.head.path().split('/').filter(|part| !part.is_empty());
    parts.map(|part| unpercent_text(part, false)).collect()
}

/// The members of the body: JSON, or the flat form that old programs send (webex.md §4, unconfirmed).
pub(super) fn members(request: &Request) -> Result<Members, Refused> {
    let content_type = request.head.header("content-type").unwrap_or_default();
    let content_type = String::from_utf8_lossy(content_type).to_ascii_lowercase();
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" => match serde_json::from_slice(&request.body) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err(Refused::bad("The body is not a JSON object.")),
            Err(error) => Err(Refused::bad(format!("The body is not JSON: {error}"))),
        },
        "application/x-www-form-urlencoded" => {
            let form = Query::new(&String::from_utf8_lossy(&request.body));
            let member = |(name, value): (String, String)| match &*name {
                "files" => (name, Value::from(vec![value])),
                _ => (name, Value::from(value)),
            };
            Ok(form.0.into_iter().map(member).collect())
        }
        _ => Err(Refused::media_type()),
    }
}

/// A member that is a text; what is null or empty is as good as missing.
pub(super) fn text<'a>(members: &'a Members, name: &str) -> Result<Option<&'a str>, Refused> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(&**text).filter(|text| !text.is_empty())),
        Some(_) => Err(Refused::bad(format!("{name} is not a string."))),
    }
}

/// A member that must be there.
pub(super) fn required<'a>(members: &'a Members, name: &str) -> Result<&'a str, Refused> {
    text(members, name)?.ok_or_else(|| Refused::bad(format!("{name} is missing or empty.")))
}

impl Query {
    /// How many of a list are wanted. An errant `max=null` is refused, as Webex does it (webex.md §8).
    pub(super) fn max(&self) -> Result<usize, Refused> {
        let Some(max) = self.get("max") else { return Ok(WEBEX_LIST_DEFAULT) };
        let max = max.parse::<usize>().ok().filter(|max| *max > 0);
        let max = max.ok_or_else(|| Refused::bad("max is not a positive number."))?;
        Ok(max.min(WEBEX_LIST_MAX))
    }

    /// The same query with another value for `name`, encoded.
    fn turned(&self, name: &str, value: &str) -> String {
        let kept = self.0.iter().filter(|(key, _)| key != name).map(|(key, value)| (&**key, &**value));
        let pairs = kept.chain([(name, value)]).map(|(key, value)| format!("{}={}", percent(key), percent(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// `200` and something as JSON.
pub(super) fn found(body: &impl Serialize) -> Response {
    // Only maps with keys that are no texts fail, and there is none.
    Response::json(200, serde_json::to_vec(body).unwrap_or_default())
}

/// One page of a list.
pub(super) struct Page<'a> {
    /// Where the list is: `{api}/webhooks`.
    pub url: String,
    pub query: &'a Query,
    /// The parameter that says where the next page begins.
    pub turn: &'static str,
}

impl Page<'_> {
    /// As many of `items` as are wanted, and a link when there are more (webex.md §4). Each comes with the value of
    /// `turn` that leads to what follows it.
    pub(super) fn of<T: Serialize>(&self, items: impl Iterator<Item = (String, T)>) -> Result<Response, Refused> {
        #[derive(Serialize)]
        struct List<T> {
            items: Vec<T>,
        }

        let max = self.query.max()?;
        let mut items = items.peekable();
        let mut shown = Vec::new();
        let mut last = String::new();
        while let Some((turn, item)) = items.next_if(|_| shown.len() < max) {
            shown.push(item);
            last = turn;
        }
        let more = items.next().is_some();
        let response = found(&List { items: shown });
        if !more {
            return Ok(response);
        }
        let link = format!("<{}?{}>; rel=\"next\"", self.url, self.query.turned(self.turn, &last));
        Ok(response.with("Link", link))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_once_and_no_escape_is_invented() {
        for (text, expected) in [
            ("a+b%20c", "a b c"),
            ("%2525", "%25"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%C3%BC", "ü"),
        ] {
            assert_eq!(Query::new(&format!("x={text}")).get("x"), Some(expected), "{text}");
        }
        assert_eq!(unpercent_text("a+b", false), "a+b");
    }

    #[test]
    fn the_next_page_asks_for_the_same_otherwise() {
        let query = Query::new("roomId=a%26b&cursor=1&max=2");
        assert_eq!(query.turned("cursor", "ü"), "roomId=a%26b&max=2&cursor=%C3%BC");
    }

    #[test]
    fn a_list_is_as_long_as_asked_but_no_longer_than_the_bound() {
        for (query, expected) in [("", Some(100)), ("max=3", Some(3)), ("max=99999", Some(1000))] {
            assert_eq!(Query::new(query).max().ok(), expected);
        }
        for query in ["max=null", "max=0", "max=-1", "max="] {
            assert!(Query::new(query).max().is_err(), "{query}");
        }
    }
}
