//! What `POST /act` takes, from JSON: acts of people, or a deed. What it does not know is named, and nothing is done then.

use super::{Act, Deed};
use serde_json::{Map, Value};

/// One request.
pub(super) struct Asked {
    pub twin: String,
    pub act: Option<Act>,
    pub acts: Vec<Act>,
    pub deed: Option<Deed>,
}

impl Asked {
    /// Reads a request. An error says what is wrong with it.
    pub(super) fn read(body: &[u8]) -> Result<Asked, String> {
        let body = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let Value::Object(members) = body else { return Err(r#"write {"twin": …, "act": …}"#.to_owned()) };
        let mut members = Members(members);
        let acts = match members.take("acts") {
            Some(Value::Array(acts)) => acts,
            Some(_) => return Err("`acts` takes a list".to_owned()),
            None => Vec::new(),
        };
        let asked = Asked {
            twin: members.text("twin")?,
            act: members.take("act").map(act).transpose()?,
            acts: acts.into_iter().map(act).collect::<Result<_, _>>()?,
            deed: members.take("deed").map(deed).transpose()?,
        };
        members.end().map(|()| asked)
    }
}

fn act(value: Value) -> Result<Act, String> {
    let (name, mut members) = named(value)?;
    let act = match &*name {
        "say" => Act::Say {
            conversation: members.text("conversation")?,
            text: members.text("text")?,
            // Whoever writes in a group means the bot, unless told.
            mentions: match members.take("mentions") {
                None => true,
                Some(mentions) => mentions.as_bool().ok_or("`mentions` takes true or false")?,
            },
        },
        "say_in_thread" => Act::SayInThread {
            conversation: members.text("conversation")?,
            thread: members.text("thread")?,
            text: members.text("text")?,
        },
        "show" => Act::Show { conversation: members.text("conversation")?, url: members.text("url")? },
        "tap" => Act::Tap {
            conversation: members.text("conversation")?,
            bubble: members.text("bubble")?,
            choice: {
                let choice = members.take("choice").and_then(|choice| choice.as_u64());
                choice.and_then(|choice| usize::try_from(choice).ok()).ok_or("`choice` takes a number from 0")?
            },
        },
        _ => return Err(format!("unknown variant `{name}`; write one of say, say_in_thread, show and tap")),
    };
    members.end().map(|()| act)
}

fn deed(value: Value) -> Result<Deed, String> {
    let (name, mut members) = named(value)?;
    let deed = match &*name {
        "revoke" => Deed::Revoke,
        "password" => Deed::Password,
        "dismiss" => Deed::Dismiss { source: members.text("source")? },
        "silence" => Deed::Silence { source: members.text("source")? },
        "recover" => Deed::Recover { source: members.text("source")? },
        _ => {
            return Err(format!(
                "unknown variant `{name}`; write one of revoke, password, dismiss, silence and recover"
            ));
        }
    };
    members.end().map(|()| deed)
}

/// `"name"`, or `{"name": {…}}` with what belongs to it.
fn named(value: Value) -> Result<(String, Members), String> {
    let wrong = || r#"write {"say": {…}}, or one word where it needs no more"#.to_owned();
    match value {
        Value::String(name) => Ok((name, Members::default())),
        Value::Object(only) if only.len() == 1 => match only.into_iter().next() {
            Some((name, Value::Object(members))) => Ok((name, Members(members))),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

/// What is left of an object's members.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Result<String, String> {
        match self.take(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(format!("`{name}` takes a text")),
            None => Err(format!("missing field `{name}`")),
        }
    }

    /// There is nothing that nobody asked for.
    fn end(&self) -> Result<(), String> {
        self.0.keys().next().map_or(Ok(()), |name| Err(format!("unknown field `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Asked, String> {
        Asked::read(body.as_bytes())
    }

    #[test]
    fn every_act_and_every_deed_can_be_written() {
        let text = str::to_owned;
        for (written, expected) in [
            (
                r#"{"say":{"conversation":"c","text":"t"}}"#,
                Act::Say { conversation: text("c"), text: text("t"), mentions: true },
            ),
            (
                r#"{"say":{"conversation":"c","text":"t","mentions":false}}"#,
                Act::Say { conversation: text("c"), text: text("t"), mentions: false },
            ),
            (
                r#"{"say_in_thread":{"conversation":"c","thread":"m","text":"t"}}"#,
                Act::SayInThread { conversation: text("c"), thread: text("m"), text: text("t") },
            ),
            (r#"{"show":{"conversation":"c","url":"u"}}"#, Act::Show { conversation: text("c"), url: text("u") }),
            (
                r#"{"tap":{"conversation":"c","bubble":"b","choice":2}}"#,
                Act::Tap { conversation: text("c"), bubble: text("b"), choice: 2 },
            ),
        ] {
            let asked = read(&format!(r#"{{"twin":"page","act":{written},"acts":[{written}]}}"#)).unwrap();
            assert_eq!((asked.twin, asked.act, asked.acts), (text("page"), Some(expected.clone()), vec![expected]));
        }
        let source = || text("7");
        for (written, expected) in [
            (r#""revoke""#, Deed::Revoke),
            (r#""password""#, Deed::Password),
            (r#"{"dismiss":{"source":"7"}}"#, Deed::Dismiss { source: source() }),
            (r#"{"silence":{"source":"7"}}"#, Deed::Silence { source: source() }),
            (r#"{"recover":{"source":"7"}}"#, Deed::Recover { source: source() }),
        ] {
            assert_eq!(read(&format!(r#"{{"twin":"roof","deed":{written}}}"#)).unwrap().deed, Some(expected));
        }
    }

    #[test]
    fn what_is_wrong_with_a_request_is_named() {
        for (body, expected) in [
            ("", "EOF"),
            ("[]", "write {\"twin\""),
            (r#"{"act":"x"}"#, "missing field `twin`"),
            (r#"{"twin":1}"#, "`twin` takes a text"),
            (r#"{"twin":"page","mode":1}"#, "unknown field `mode`"),
            (r#"{"twin":"page","acts":{}}"#, "`acts` takes a list"),
            (r#"{"twin":"page","act":{}}"#, "write {\"say\""),
            (r#"{"twin":"page","act":{"say":1}}"#, "write {\"say\""),
            (r#"{"twin":"page","act":"say"}"#, "missing field `conversation`"),
            (r#"{"twin":"page","act":{"shout":{}}}"#, "unknown variant `shout`"),
            (r#"{"twin":"page","act":{"show":{"conversation":"c","url":"u","text":"t"}}}"#, "unknown field `text`"),
            (r#"{"twin":"page","act":{"say":{"conversation":"c","text":"t","mentions":1}}}"#, "true or false"),
            (r#"{"twin":"page","act":{"tap":{"conversation":"c","bubble":"b","choice":-1}}}"#, "a number from 0"),
            (r#"{"twin":"roof","deed":"rain"}"#, "unknown variant `rain`"),
            (r#"{"twin":"roof","deed":{"revoke":{"source":"7"}}}"#, "unknown field `source`"),
        ] {
            let why = read(body).err().unwrap_or_else(|| panic!("{body} was taken"));
            assert!(why.contains(expected), "{body}: {why}");
        }
    }
}
