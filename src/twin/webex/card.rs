//! Adaptive cards: what Webex takes, what a chat shows of one, and what comes back when an action is tapped.

use crate::twin::{Choice, ShownCard};
use serde_json::{Map, Value};

/// What an attachment must be.
pub(super) const CONTENT_TYPE: &str = "application/vnd.microsoft.card.adaptive";

/// The newest version that Webex shows.
const VERSION_MAX: (u32, u32) = (1, 3);

/// Says what is wrong with a card's content.
pub(super) fn fault(content: &Value) -> Option<String> {
    let word = |name: &str| content.get(name).and_then(Value::as_str);
    if word("type") != Some("AdaptiveCard") {
        return Some("The content of the attachment is no AdaptiveCard.".to_owned());
    }
    let version = word("version").and_then(|version| version.split_once('.'));
    let version = version.and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    if !version.is_some_and(|version| ((1, 0)..=VERSION_MAX).contains(&version)) {
        return Some("The card's version is not one of 1.0 to 1.3.".to_owned());
    }
    for list in ["body", "actions"] {
        if content.get(list).is_some_and(|list| !list.is_array()) {
            return Some(format!("The card's {list} is no list."));
        }
    }
    let kind = |action: &Value| action.get("type").and_then(Value::as_str).map(str::to_owned);
    let unknown = list(content, "actions").iter().map(kind).find(|kind| {
        !kind.as_deref().is_some_and(|kind| {
            ["Action.Submit", "Action.OpenUrl", "Action.ShowCard", "Action.ToggleVisibility"].contains(&kind)
        })
    });
    unknown.map(|kind| format!("Webex has no card action {:?}.", kind.unwrap_or_default()))
}

/// A card as a chat shows it.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    pub cards: Vec<ShownCard>,
    pub buttons: Vec<Button>,
}

/// Something on a card that can be tapped.
#[derive(Debug)]
pub(super) struct Button {
    pub choice: Choice,
    /// What an `Action.Submit` brings along.
    pub data: Value,
}

/// One part of a card while it is looked through.
#[derive(Default)]
struct Part {
    texts: Vec<String>,
    picture: Option<String>,
    url: Option<String>,
    buttons: Vec<Button>,
}

/// What is on a card. Containers beside one another are shown as cards of their own, what stands alone as one before
/// them.
pub(super) fn drawn(content: &Value) -> Drawn {
    let mut loose = Part::default();
    let mut parts = Vec::new();
    for element in list(content, "body") {
        if kind(element) == "Container" {
            let mut part = Part::default();
            part.look(element);
            parts.push(part);
        } else {
            loose.look(element);
        }
    }
    for action in list(content, "actions") {
        loose.act(action);
    }
    let mut drawn = Drawn::default();
    for part in std::iter::once(loose).chain(parts) {
        let choices = drawn.buttons.len()..drawn.buttons.len() + part.buttons.len();
        drawn.buttons.extend(part.buttons);
        let mut texts = part.texts.into_iter();
        let title = texts.next().unwrap_or_default();
        let subtitle = texts.collect::<Vec<_>>().join("\n");
        // Actions without anything beside them are the bubble's own.
        if !title.is_empty() || part.picture.is_some() {
            let subtitle = Some(subtitle).filter(|subtitle| !subtitle.is_empty());
            drawn.cards.push(ShownCard { title, subtitle, picture: part.picture, url: part.url, choices });
        }
    }
    drawn
}

impl Part {
    /// Elements lie in elements; how deep, JSON's own bound of 128 says.
    fn look(&mut self, element: &Value) {
        match kind(element) {
            "TextBlock" => self.texts.extend(word(element, "text").map(|text| shown(&text))),
            "RichTextBlock" => {
                let runs = list(element, "inlines").iter();
                let runs = runs.filter_map(|run| run.as_str().map(str::to_owned).or_else(|| word(run, "text")));
                self.texts.push(runs.collect());
            }
            "FactSet" => {
                let facts = list(element, "facts").iter();
                let fact = |fact: &Value| Some(format!("{}: {}", word(fact, "title")?, word(fact, "value")?));
                self.texts.extend(facts.filter_map(fact));
            }
            "Image" => self.picture = self.picture.take().or_else(|| word(element, "url")),
            "ActionSet" => list(element, "actions").iter().for_each(|action| self.act(action)),
            _ => {}
        }
        if let Some(action) = element.get("selectAction") {
            self.url = self.url.take().or_else(|| word(action, "url"));
        }
        for inner in ["items", "columns", "images"] {
            list(element, inner).iter().for_each(|inner| self.look(inner));
        }
    }

    fn act(&mut self, action: &Value) {
        let title = word(action, "title").unwrap_or_default();
        let (url, data) = match kind(action) {
            "Action.Submit" => (None, action.get("data").cloned().unwrap_or_default()),
            "Action.OpenUrl" => (Some(word(action, "url").unwrap_or_default()), Value::Null),
            "Action.ShowCard" => {
                let card = action.get("card").unwrap_or(&Value::Null);
                list(card, "body").iter().for_each(|element| self.look(element));
                return list(card, "actions").iter().for_each(|action| self.act(action));
            }
            _ => return,
        };
        self.buttons.push(Button { choice: Choice { title, url, once: false }, data });
    }
}

/// What a submitted card says: its fields as they are set at first, what the person filled in, and the action's data.
pub(super) fn inputs(content: &Value, filled: &Map<String, Value>, data: &Value) -> Map<String, Value> {
    let mut inputs = Map::new();
    fields(content, &mut inputs);
    inputs.extend(filled.iter().map(|(name, value)| (name.clone(), value.clone())));
    if let Value::Object(data) = data {
        inputs.extend(data.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    inputs
}

fn fields(element: &Value, into: &mut Map<String, Value>) {
    if let Some(id) = word(element, "id").filter(|_| kind(element).starts_with("Input.")) {
        into.insert(id, element.get("value").cloned().unwrap_or_else(|| Value::from("")));
    }
    for inner in ["body", "items", "columns", "actions"] {
        list(element, inner).iter().for_each(|inner| fields(inner, into));
    }
    if let Some(card) = element.get("card") {
        fields(card, into);
    }
}

fn kind(element: &Value) -> &str {
    element.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn word(element: &Value, name: &str) -> Option<String> {
    element.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Words as a client shows them: a sign that was escaped stands for itself.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let escaped = signs.next_if(|after| sign == '\\' && after.is_ascii_punctuation());
        shown.push(escaped.unwrap_or(sign));
    }
    shown
}

fn list<'a>(element: &'a Value, name: &str) -> &'a [Value] {
    element.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_escaped_is_shown_as_itself() {
        assert_eq!(shown(r"\[x\]: a\b \\ \_c_ \"), r"[x]: a\b \ _c_ \");
    }

    #[test]
    fn containers_are_cards_side_by_side_and_their_actions_stay_with_them() {
        let card = |name: &str| {
            json!({ "type": "Container", "selectAction": { "type": "Action.OpenUrl", "url": "https://x.example" }, "items": [
                { "type": "Image", "url": format!("https://x.example/{name}.png") },
                { "type": "ColumnSet", "columns": [{ "type": "Column", "items": [{ "type": "TextBlock", "text": name }] }] },
                { "type": "TextBlock", "text": "below" },
                { "type": "ActionSet", "actions": [{ "type": "Action.Submit", "title": format!("take {name}"), "data": name }] },
            ] })
        };
        let top = json!({ "type": "Action.OpenUrl", "title": "more", "url": "https://x.example/more" });
        let drawn = drawn(&json!({ "type": "AdaptiveCard", "body": [card("a"), card("b")], "actions": [top] }));
        let titles: Vec<_> = drawn.buttons.iter().map(|button| &*button.choice.title).collect();
        assert_eq!(titles, ["more", "take a", "take b"]);
        assert_eq!(drawn.buttons[0].choice.url.as_deref(), Some("https://x.example/more"));
        assert_eq!(drawn.buttons[2].data, json!("b"));
        let expected = ShownCard {
            title: "b".to_owned(),
            subtitle: Some("below".to_owned()),
            picture: Some("https://x.example/b.png".to_owned()),
            url: Some("https://x.example".to_owned()),
            choices: 2..3,
        };
        assert_eq!((drawn.cards.len(), &drawn.cards[1]), (2, &expected));
    }

    #[test]
    fn a_submitted_card_says_its_fields_and_the_data_of_the_action() {
        let card = json!({ "body": [
            { "type": "Input.Text", "id": "name" },
            { "type": "Container", "items": [{ "type": "Input.Toggle", "id": "news", "value": "false" }] },
        ], "actions": [{ "type": "Action.ShowCard", "card": { "body": [{ "type": "Input.Date", "id": "day", "value": "1" }] } }] });
        let filled = json!({ "name": "Ada" });
        let inputs = inputs(&card, filled.as_object().unwrap(), &json!({ "ask": "week", "day": "2" }));
        assert_eq!(Value::Object(inputs), json!({ "name": "Ada", "news": "false", "day": "2", "ask": "week" }));
    }

    #[test]
    fn a_card_that_webex_would_not_show_is_named() {
        let card = |change: Value| {
            let mut card = json!({ "type": "AdaptiveCard", "version": "1.2", "body": [], "actions": [] });
            card.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            fault(&card)
        };
        assert_eq!(card(json!({})), None);
        for wrong in [
            json!({ "type": "Card" }),
            json!({ "version": "1.4" }),
            json!({ "version": 1.2 }),
            json!({ "body": {} }),
            json!({ "actions": [{ "type": "Action.Execute" }] }),
        ] {
            assert!(card(wrong.clone()).is_some(), "{wrong}");
        }
    }
}
