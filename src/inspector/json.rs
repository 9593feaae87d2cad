//! JSON written by hand, member after member: no tree is built of it.

use crate::model::visit::guarded;
use crate::model::{Moment, Response};
use std::fmt::Write;

/// A text that becomes JSON.
#[derive(Debug, Default)]
pub(super) struct Json(pub(super) String);

impl Json {
    /// Opens an object or a list, or closes it.
    pub(super) fn open(&mut self, bracket: char) -> &mut Json {
        self.begin();
        self.0.push(bracket);
        self
    }

    pub(super) fn close(&mut self, bracket: char) -> &mut Json {
        self.0.push(bracket);
        self
    }

    /// A member's name; its value follows.
    pub(super) fn name(&mut self, name: &str) -> &mut Json {
        self.begin();
        let _ = write!(self.0, "\"{name}\":");
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Json {
        self.begin();
        // A text can always be written.
        self.0.push_str(&serde_json::to_string(text).unwrap_or_default());
        self
    }

    pub(super) fn number(&mut self, number: i64) -> &mut Json {
        self.begin();
        let _ = write!(self.0, "{number}");
        self
    }

    /// A member that is a text.
    pub(super) fn says(&mut self, name: &str, text: &str) -> &mut Json {
        self.name(name).text(text)
    }

    /// A member that is a text, where there is one.
    pub(super) fn may_say(&mut self, name: &str, text: Option<&str>) -> &mut Json {
        if let Some(text) = text {
            self.says(name, text);
        }
        self
    }

    /// A member that is a moment, in milliseconds.
    pub(super) fn at(&mut self, name: &str, moment: Moment) -> &mut Json {
        self.name(name).number(moment.0)
    }

    pub(super) fn may_be_at(&mut self, name: &str, moment: Option<Moment>) -> &mut Json {
        if let Some(moment) = moment {
            self.at(name, moment);
        }
        self
    }

    /// A member that says yes, where it does.
    pub(super) fn flag(&mut self, name: &str, is: bool) -> &mut Json {
        if is {
            self.name(name).0.push_str("true");
        }
        self
    }

    /// What stands between two values.
    fn begin(&mut self) {
        // A text in quotes ends with a quote, so these are never of one.
        if !self.0.is_empty() && !self.0.ends_with(['{', '[', ':']) {
            self.0.push(',');
        }
    }
}

/// An answer of JSON.
pub(super) fn answer(status: u16, json: String) -> Response {
    guarded(Response::json(status, json.into_bytes()))
}

/// Why there is no other answer.
pub fn error(status: u16, why: &str) -> Response {
    let mut json = Json::default();
    json.open('{').says("error", why).close('}');
    answer(status, json.0)
}

/// What became of what was wanted, a line each.
pub fn lines(lines: &[String]) -> Response {
    let mut json = Json::default();
    json.open('{').name("lines").open('[');
    for line in lines {
        json.text(line);
    }
    json.close(']').close('}');
    answer(200, json.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_values_stand_apart_and_texts_are_texts() {
        let mut json = Json::default();
        json.open('{').says("a", "{").may_say("b", None).at("c", Moment(-1)).name("d").open('[').close(']');
        json.name("e").open('[').number(1).number(2).open('{').close('}').text("</script>\"\n[");
        json.close(']').flag("f", false).flag("g", true).may_be_at("h", Some(Moment(3))).close('}');
        let text = r#"{"a":"{","c":-1,"d":[],"e":[1,2,{},"</script>\"\n["],"g":true,"h":3}"#;
        assert_eq!(json.0, text);
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok());
    }
}
