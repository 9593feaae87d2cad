//! A call to Graph as its parameters: of the query, and of a body of JSON or of a form, as one.

use super::error::GraphError;
use crate::model::{Method, Request};
use crate::notation::unpercent_text;
use serde_json::{Map, Value};

/// A call, read.
#[derive(Debug)]
pub(super) struct Call {
    pub method: Method,
    /// `["me", "messages"]`, without a version.
    pub path: Vec<String>,
    pub params: Map<String, Value>,
    /// Out of the header, or out of the parameters.
    pub token: Option<String>,
}

impl Call {
    pub(super) fn read(request: &Request) -> Result<Call, GraphError> {
        let mut params = Map::new();
        form(request.head.query(), &mut params);
        let kind = request.head.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let body = &request.body;
        if kind.starts_with(b"application/x-www-form-urlencoded") {
            form(std::str::from_utf8(body).map_err(|_| unreadable())?, &mut params);
        } else if !body.is_empty() {
            let members = serde_json::from_slice::<Map<String, Value>>(body).map_err(|_| unreadable())?;
            params.extend(members);
        }
        let bearer = request.head.header("authorization").and_then(|value| {
            let value = std::str::from_utf8(value).ok()?;
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        let token = bearer.or_else(|| Some(params.get("access_token")?.as_str()?.to_owned()));
        let path = request.head.path().split('/').filter(|part| !part.is_empty()).map(str::to_owned);
        let mut path: Vec<String> = path.collect();
        if path.first().is_some_and(|first| is_version(first)) {
            path.remove(0);
        }
        Ok(Call { method: request.head.method, path, params, token })
    }

    /// A parameter as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name)?.as_str()
    }

    /// A parameter that is an object; in a query or a form it is JSON as text (messenger.md §6).
    pub(super) fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, GraphError> {
        let wrong = || GraphError::parameter(format!("Param {name} must be a JSON object"));
        match self.params.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members.clone())),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }

    /// A parameter that is a list: of JSON, or of words between commas.
    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        let word = |value: &Value| value.as_str().map(str::to_owned);
        match self.params.get(name)? {
            Value::Array(items) => items.iter().map(word).collect(),
            Value::String(text) => match serde_json::from_str::<Vec<String>>(text) {
                Ok(words) => Some(words),
                Err(_) => {
                    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                    Some(words.map(str::to_owned).collect())
                }
            },
            _ => None,
        }
    }
}

fn unreadable() -> GraphError {
    GraphError::parameter("The body is neither JSON nor a form")
}

/// `v25.0`: the base URL of a twin may have it or not.
fn is_version(part: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = part.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    numbers.is_some_and(|(major, minor)| digits(major) && digits(minor))
}

fn form(text: &str, params: &mut Map<String, Value>) {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        params.insert(unpercent_text(name, true), Value::from(unpercent_text(value, true)));
    }
}
