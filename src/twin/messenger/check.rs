//! What a message of the Send API may be (messenger.md §6), and what it looks like in a chat.
//!
//! Lengths are in UTF-16 units, and an edge that the facts leave open is given to the caller: a text of 2000 goes.

use super::chat::Tap;
use super::error::GraphError;
use super::wire::Attachment;
use crate::twin::{Choice, ShownCard};
use serde_json::{Map, Value, json};

const TEXT_UNITS_MAX: usize = 2000;
const METADATA_UNITS_MAX: usize = 999;
const QUICK_REPLIES_MAX: usize = 13;
const TITLE_UNITS_MAX: usize = 20;
const PAYLOAD_UNITS_MAX: usize = 1000;
const BUTTON_TEXT_UNITS_MAX: usize = 640;
const BUTTONS_MAX: usize = 3;
const ELEMENTS_MAX: usize = 10;
const CARD_UNITS_MAX: usize = 80;

type Members = Map<String, Value>;

/// A message that was accepted, taken apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Spoken {
    pub text: Option<String>,
    pub metadata: Option<String>,
    pub pictures: Vec<String>,
    pub cards: Vec<ShownCard>,
    pub choices: Vec<Choice>,
    /// What each choice does.
    pub taps: Vec<Tap>,
    /// As the echo has them.
    pub attachments: Vec<Attachment>,
    /// The message that it answers.
    pub thread: Option<String>,
    /// It was to be kept for later messages.
    pub reusable: bool,
    /// An approved utility template by its name.
    pub utility: Option<String>,
    /// It asks for feedback, and nothing else.
    pub feedback: bool,
}

/// Checks a message.
pub(super) fn message(message: &Members) -> Result<Spoken, GraphError> {
    let mut spoken = Spoken {
        text: text(message, "message", "text", TEXT_UNITS_MAX)?.filter(|text| !text.is_empty()),
        metadata: text(message, "message", "metadata", METADATA_UNITS_MAX)?,
        ..Spoken::default()
    };
    if let Some(attachment) = object(message, "message", "attachment")? {
        self::attachment(attachment, &mut spoken)?;
    }
    if let Some(template) = object(message, "message", "template")? {
        utility(template, &mut spoken)?;
    }
    if spoken.text.is_none() && spoken.attachments.is_empty() && spoken.utility.is_none() {
        return Err(GraphError::empty_message());
    }
    quick_replies(message, &mut spoken)?;
    Ok(spoken)
}

/// Quick replies stand behind the buttons of the message itself and before those of its cards.
fn quick_replies(message: &Members, spoken: &mut Spoken) -> Result<(), GraphError> {
    let quick_replies = items(message, "message", "quick_replies", QUICK_REPLIES_MAX)?;
    let first = spoken.cards.first().map_or(spoken.choices.len(), |card| card.choices.start);
    for (number, quick_reply) in quick_replies.iter().enumerate() {
        let at = first + number;
        let name = format!("message[quick_replies][{number}]");
        let members = quick_reply.as_object().ok_or_else(|| wrong(&name, "a JSON object"))?;
        let kind = required(members, &name, "content_type", usize::MAX)?;
        let payload = text(members, &name, "payload", PAYLOAD_UNITS_MAX)?;
        url(members, &name, "image_url")?;
        let (title, tap) = match &*kind {
            "text" => {
                let title = required(members, &name, "title", TITLE_UNITS_MAX)?;
                let payload = payload.ok_or_else(|| GraphError::missing(&format!("{name}[payload]")))?;
                (title.clone(), Tap::QuickReply { text: title, payload })
            }
            "user_phone_number" => ("Send phone number".to_owned(), own("+15550100")),
            "user_email" => ("Send email".to_owned(), own("person@example.org")),
            _ => return Err(wrong(&format!("{name}[content_type]"), "one of {TEXT, USER_PHONE_NUMBER, USER_EMAIL}")),
        };
        spoken.choices.insert(at, Choice { title, url: None, once: true });
        spoken.taps.insert(at, tap);
        for card in &mut spoken.cards {
            card.choices = card.choices.start + 1..card.choices.end + 1;
        }
    }
    Ok(())
}

/// A quick reply with something of the person's own.
fn own(what: &str) -> Tap {
    Tap::QuickReply { text: what.to_owned(), payload: what.to_owned() }
}

fn attachment(attachment: &Members, spoken: &mut Spoken) -> Result<(), GraphError> {
    let name = "message[attachment]";
    let kind = required(attachment, name, "type", usize::MAX)?;
    let payload =
        object(attachment, name, "payload")?.ok_or_else(|| GraphError::missing("message[attachment][payload]"))?;
    match &*kind {
        "image" | "audio" | "video" | "file" => media(&kind, payload, spoken),
        "template" => template(payload, spoken),
        _ => Err(wrong("message[attachment][type]", "one of {AUDIO, FILE, IMAGE, TEMPLATE, VIDEO}")),
    }
}

fn media(kind: &str, payload: &Members, spoken: &mut Spoken) -> Result<(), GraphError> {
    let name = "message[attachment][payload]";
    let url = url(payload, name, "url")?;
    let kept = match payload.get("attachment_id") {
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => text(payload, name, "attachment_id", usize::MAX)?,
    };
    if url.is_none() && kept.is_none() {
        return Err(GraphError::missing("message[attachment][payload][url]"));
    }
    spoken.reusable = matches!(payload.get("is_reusable"), Some(Value::Bool(true)));
    let payload = url.as_ref().map_or(json!({}), |url| json!({ "url": url }));
    spoken.attachments.push(Attachment { title: None, url: None, kind: kind.to_owned(), payload });
    spoken.pictures.extend(url);
    Ok(())
}

fn template(payload: &Members, spoken: &mut Spoken) -> Result<(), GraphError> {
    let name = "message[attachment][payload]";
    let kind = required(payload, name, "template_type", usize::MAX)?;
    let (title, shown) = match &*kind {
        "generic" => generic(payload, name, spoken)?,
        "button" => {
            let text = required(payload, name, "text", BUTTON_TEXT_UNITS_MAX)?;
            let count = buttons(payload, name, spoken)?.len();
            if count == 0 {
                return Err(GraphError::missing(&format!("{name}[buttons]")));
            }
            spoken.text = Some(text.clone());
            (text, Value::Null)
        }
        "customer_feedback" => {
            spoken.feedback = true;
            (required(payload, name, "title", usize::MAX)?, Value::Null)
        }
        // Their rules are not among the facts: taken as they are.
        "media" | "receipt" | "product" | "coupon" | "notification_messages" | "airline_boardingpass" => {
            (kind.clone(), Value::Null)
        }
        _ => return Err(wrong(&format!("{name}[template_type]"), "a template type that is still there")),
    };
    let mut echoed = json!({ "template_type": kind, "sharable": false });
    if let (Some(members), false) = (echoed.as_object_mut(), shown.is_null()) {
        members.insert("elements".to_owned(), shown);
    }
    let attachment =
        Attachment { title: Some(title), url: Some(Value::Null), kind: "template".to_owned(), payload: echoed };
    spoken.attachments.push(attachment);
    Ok(())
}

/// Checks a gallery; gives its first title, and what the echo has of it.
fn generic(payload: &Members, name: &str, spoken: &mut Spoken) -> Result<(String, Value), GraphError> {
    let elements = items(payload, name, "elements", ELEMENTS_MAX)?;
    let ratio = text(payload, name, "image_aspect_ratio", usize::MAX)?;
    if ratio.is_some_and(|ratio| !["horizontal", "square"].contains(&&*ratio)) {
        return Err(wrong(&format!("{name}[image_aspect_ratio]"), "one of {HORIZONTAL, SQUARE}"));
    }
    let mut echoed = Vec::new();
    for (number, element) in elements.iter().enumerate() {
        let name = format!("{name}[elements][{number}]");
        let members = element.as_object().ok_or_else(|| wrong(&name, "a JSON object"))?;
        let card = card(members, &name, spoken)?;
        let mut shown = json!({ "title": card.title });
        if let (Some(shown), Some(subtitle)) = (shown.as_object_mut(), &card.subtitle) {
            shown.insert("subtitle".to_owned(), json!(subtitle));
        }
        echoed.push(shown);
        spoken.cards.push(card);
    }
    let first = spoken.cards.first().ok_or_else(|| GraphError::missing(&format!("{name}[elements]")))?;
    Ok((first.title.clone(), Value::Array(echoed)))
}

fn card(members: &Members, name: &str, spoken: &mut Spoken) -> Result<ShownCard, GraphError> {
    let title = required(members, name, "title", CARD_UNITS_MAX)?;
    let subtitle = text(members, name, "subtitle", CARD_UNITS_MAX)?;
    let picture = url(members, name, "image_url")?;
    let action = match object(members, name, "default_action")? {
        Some(action) => {
            let name = format!("{name}[default_action]");
            if required(action, &name, "type", usize::MAX)? != "web_url" {
                return Err(wrong(&format!("{name}[type]"), "WEB_URL"));
            }
            if action.contains_key("title") {
                return Err(GraphError::parameter(format!("Param {name}[title] is not allowed")));
            }
            Some(url(action, &name, "url")?.ok_or_else(|| GraphError::missing(&format!("{name}[url]")))?)
        }
        None => None,
    };
    let choices = buttons(members, name, spoken)?;
    if subtitle.is_none() && picture.is_none() && action.is_none() && choices.is_empty() {
        return Err(GraphError::parameter(format!("Param {name} must have at least one more member than its title")));
    }
    Ok(ShownCard { title, subtitle, picture, url: action, choices })
}

/// Checks the buttons of a template or a card; gives which of the choices they became.
fn buttons(members: &Members, name: &str, spoken: &mut Spoken) -> Result<std::ops::Range<usize>, GraphError> {
    let start = spoken.choices.len();
    for (number, button) in items(members, name, "buttons", BUTTONS_MAX)?.iter().enumerate() {
        let name = format!("{name}[buttons][{number}]");
        let members = button.as_object().ok_or_else(|| wrong(&name, "a JSON object"))?;
        let titled = || required(members, &name, "title", TITLE_UNITS_MAX);
        let linked = || url(members, &name, "url")?.ok_or_else(|| GraphError::missing(&format!("{name}[url]")));
        let (title, url, tap) = match &*required(members, &name, "type", usize::MAX)? {
            "web_url" => (titled()?, Some(linked()?), Tap::Nothing),
            "postback" => {
                let payload = required(members, &name, "payload", PAYLOAD_UNITS_MAX)?;
                let title = titled()?;
                (title.clone(), None, Tap::Postback { title, payload })
            }
            "phone_number" => {
                let number = required(members, &name, "payload", PAYLOAD_UNITS_MAX)?;
                if !number.starts_with('+') {
                    return Err(wrong(&format!("{name}[payload]"), "a phone number that begins with +"));
                }
                (titled()?, Some(format!("tel:{number}")), Tap::Nothing)
            }
            "account_link" => ("Log in".to_owned(), Some(linked()?), Tap::Nothing),
            "account_unlink" => ("Log out".to_owned(), None, Tap::Nothing),
            "game_play" => (titled()?, None, Tap::Nothing),
            _ => return Err(wrong(&format!("{name}[type]"), "a button type")),
        };
        spoken.choices.push(Choice { title, url, once: false });
        spoken.taps.push(tap);
    }
    Ok(start..spoken.choices.len())
}

fn utility(template: &Members, spoken: &mut Spoken) -> Result<(), GraphError> {
    let name = "message[template]";
    let title = required(template, name, "name", usize::MAX)?;
    let language =
        object(template, name, "language")?.ok_or_else(|| GraphError::missing(&format!("{name}[language]")))?;
    required(language, &format!("{name}[language]"), "code", usize::MAX)?;
    let mut words = Vec::new();
    for component in items(template, name, "components", usize::MAX)? {
        let parameters = component.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        words.extend(parameters.iter().filter_map(|parameter| parameter.get("text")?.as_str()));
    }
    spoken.text = Some(format!("{title}: {}", words.join(", ")));
    spoken.utility = Some(title);
    Ok(())
}

fn wrong(name: &str, what: &str) -> GraphError {
    GraphError::parameter(format!("Param {name} must be {what}"))
}

/// A member that is text of so many UTF-16 units at most. A null is no text.
fn text(members: &Members, name: &str, member: &str, most: usize) -> Result<Option<String>, GraphError> {
    match members.get(member) {
        None => Ok(None),
        Some(Value::String(text)) if text.encode_utf16().count() > most => {
            Err(GraphError::too_long(&format!("{name}[{member}]"), most))
        }
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(&format!("{name}[{member}]"), "a string")),
    }
}

fn required(members: &Members, name: &str, member: &str, most: usize) -> Result<String, GraphError> {
    let text = text(members, name, member, most)?.filter(|text| !text.is_empty());
    text.ok_or_else(|| GraphError::missing(&format!("{name}[{member}]")))
}

fn url(members: &Members, name: &str, member: &str) -> Result<Option<String>, GraphError> {
    let url = text(members, name, member, usize::MAX)?;
    match url {
        Some(url) if !url.starts_with("https://") && !url.starts_with("http://") => {
            Err(wrong(&format!("{name}[{member}]"), "a valid URL"))
        }
        url => Ok(url),
    }
}

fn object<'a>(members: &'a Members, name: &str, member: &str) -> Result<Option<&'a Members>, GraphError> {
    match members.get(member) {
        None => Ok(None),
        Some(Value::Object(inner)) => Ok(Some(inner)),
        Some(_) => Err(wrong(&format!("{name}[{member}]"), "a JSON object")),
    }
}

fn items<'a>(members: &'a Members, name: &str, member: &str, most: usize) -> Result<&'a [Value], GraphError> {
    match members.get(member) {
        None => Ok(&[]),
        Some(Value::Array(items)) if items.len() > most => {
            Err(GraphError::parameter(format!("Param {name}[{member}] must have at most {most} elements")))
        }
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(wrong(&format!("{name}[{member}]"), "an array")),
    }
}
