//! Who may call, and the edges beside the Send API: the page, its apps, the app's callback, the profile (messenger.md §10).
//!
//! Pages' apps: what the page's events are read for. The app's subscription: where they go. Its answers are from general
//! knowledge of that edge. Like Meta, the twin asks the new address first: the call is answered once that has said the
//! challenge, or not (`Twin::waits_for`).

use super::call::Call;
use super::error::GraphError;
use super::{Callback, Messenger};
use crate::limits::PROFILE_BYTES_MAX;
use crate::model::{Method, Moment, Response, Secret};
use crate::notation::hex;
use crate::twin::Reaction;
use ring::hmac;
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;

/// What a page's app can be subscribed to (messenger.md §3).
const FIELDS: [&str; 25] = [
    "feed",
    "message_deliveries",
    "message_echoes",
    "message_edits",
    "message_reactions",
    "message_reads",
    "messages",
    "messaging_account_linking",
    "messaging_customer_information",
    "messaging_feedback",
    "messaging_game_plays",
    "messaging_handovers",
    "messaging_optins",
    "messaging_optouts",
    "messaging_policy_enforcement",
    "messaging_postbacks",
    "messaging_pre_checkouts",
    "messaging_referrals",
    "messaging_seen",
    "messenger_template_status_update",
    "message_template_status_update",
    "message_context",
    "response_feedback",
    "send_cart",
    "standby",
];

/// How long a proof with a time is good (messenger.md §6), in seconds.
const PROOF_SECONDS: i64 = 300;

impl Messenger {
    /// Finds out who calls, and what.
    pub(super) fn react(&mut self, call: &Call, now: Moment) -> Result<Reaction, GraphError> {
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        let page = |id: &str| id == "me" || id == self.settings.page_id;
        match path.as_slice() {
            [app, "subscriptions"] if *app == self.settings.app_id => {
                let expected = format!("{}|{}", self.settings.app_id, self.settings.app_secret.expose());
                authorised(call, &expected)?;
                self.subscriptions(call, now)
            }
            [id] if page(id) => {
                self.authorise(call, now)?;
                self.page(call).map(answered)
            }
            [id, edge] if page(id) => {
                self.authorise(call, now)?;
                match (*edge, call.method) {
                    ("messages", Method::Post) => self.send(call, now),
                    ("messages", _) => Err(GraphError::no_object(method(call.method), id)),
                    ("subscribed_apps", _) => self.subscribed_apps(call).map(answered),
                    ("messenger_profile", _) => self.profile(call).map(answered),
                    _ => Err(GraphError::no_edge(&format!("/{edge}"))),
                }
            }
            [id, ..] if page(id) => {
                Err(GraphError::no_edge(&format!("/{}", path.get(1..).unwrap_or_default().join("/"))))
            }
            [id, ..] => {
                self.authorise(call, now)?;
                Err(GraphError::no_object(method(call.method), id))
            }
            [] => Err(GraphError::no_object(method(call.method), "")),
        }
    }

    fn authorise(&self, call: &Call, now: Moment) -> Result<(), GraphError> {
        let token = self.settings.access_token.expose();
        authorised(call, token)?;
        let Some(proof) = call.text("appsecret_proof") else {
            return match self.settings.requires_proof {
                true => Err(GraphError::proof("API calls from the server require an appsecret_proof argument")),
                false => Ok(()),
            };
        };
        let wrong = || GraphError::proof("Invalid appsecret_proof provided in the API argument");
        let message = match call.text("appsecret_time") {
            Some(time) => {
                let seconds = time.parse::<i64>().map_err(|_| wrong())?;
                if now.seconds().saturating_sub(seconds).saturating_abs() > PROOF_SECONDS {
                    return Err(wrong());
                }
                format!("{token}|{time}")
            }
            None => token.to_owned(),
        };
        let expected = hex(hmac::sign(&self.key, message.as_bytes()).as_ref());
        if bool::from(expected.as_bytes().ct_eq(proof.as_bytes())) { Ok(()) } else { Err(wrong()) }
    }

    /// `GET /me?fields=id,name`.
    fn page(&self, call: &Call) -> Result<Value, GraphError> {
        if call.method != Method::Get {
            return Err(GraphError::no_object(method(call.method), "me"));
        }
        let fields = call.list("fields").unwrap_or_else(|| vec!["name".to_owned()]);
        let mut members = Map::from_iter([("id".to_owned(), json!(self.settings.page_id))]);
        for field in fields {
            let value = match &*field {
                "id" => continue,
                "name" => json!(self.settings.page_name),
                "category" => json!("Business"),
                _ => return Err(GraphError::parameter(format!("Tried accessing nonexisting field ({field})"))),
            };
            members.insert(field, value);
        }
        Ok(Value::Object(members))
    }

    /// `/{page-id}/subscribed_apps`.
    fn subscribed_apps(&mut self, call: &Call) -> Result<Value, GraphError> {
        match call.method {
            Method::Get if self.fields.is_empty() => Ok(json!({ "data": [] })),
            Method::Get => Ok(json!({ "data": [{
                "category": "Business",
                "link": "https://my.example.com/ackd",
                "name": self.settings.name,
                "id": self.settings.app_id,
                "subscribed_fields": self.fields,
            }] })),
            Method::Post => {
                let fields = call.list("subscribed_fields").filter(|fields| !fields.is_empty());
                self.fields =
                    known(fields.ok_or_else(|| GraphError::missing("subscribed_fields"))?, "subscribed_fields")?;
                self.failing_since = None;
                Ok(json!({ "success": true }))
            }
            Method::Delete => {
                self.fields.clear();
                Ok(json!({ "success": true }))
            }
            other => Err(GraphError::no_object(method(other), "me")),
        }
    }

    /// `/{app-id}/subscriptions`, with the app's token.
    fn subscriptions(&mut self, call: &Call, now: Moment) -> Result<Reaction, GraphError> {
        match call.method {
            Method::Get => {
                let version = |field: &String| json!({ "name": field, "version": "v25.0" });
                let shown = |callback: &Callback| {
                    json!({
                        "object": "page",
                        "callback_url": callback.url,
                        "active": callback.active,
                        "fields": callback.fields.iter().map(version).collect::<Vec<_>>(),
                    })
                };
                Ok(answered(json!({ "data": self.callback.iter().map(shown).collect::<Vec<_>>() })))
            }
            Method::Post => {
                let wanted = wanted(call)?;
                let mut reaction = answered(json!({ "success": true }));
                if self.settings.verifies {
                    let asked = self.ask(wanted, now);
                    self.asked = Some(asked.number);
                    reaction.dispatches.push(asked);
                } else {
                    self.callback = Some(wanted);
                }
                Ok(reaction)
            }
            Method::Delete => {
                let object = call.text("object").unwrap_or("page");
                if object == "page" {
                    self.callback = None;
                }
                Ok(answered(json!({ "success": true })))
            }
            other => Err(GraphError::no_object(method(other), &self.settings.app_id)),
        }
    }

    /// `/me/messenger_profile`: kept as it is, but for the rule that a menu needs a way to get started.
    fn profile(&mut self, call: &Call) -> Result<Value, GraphError> {
        const NAMES: [&str; 6] =
            ["get_started", "greeting", "persistent_menu", "ice_breakers", "commands", "whitelisted_domains"];
        match call.method {
            Method::Post => {
                let mut profile = self.profile.clone();
                let members = call.params.iter().filter(|(name, _)| NAMES.contains(&name.as_str()));
                profile.extend(members.map(|(name, value)| (name.clone(), value.clone())));
                if profile.contains_key("persistent_menu") && !profile.contains_key("get_started") {
                    return Err(GraphError::parameter(
                        "You must set a Get Started button if you also wish to use persistent menu",
                    ));
                }
                if Value::Object(profile.clone()).to_string().len() > PROFILE_BYTES_MAX {
                    return Err(GraphError::parameter("The profile is too large"));
                }
                self.profile = profile;
                Ok(json!({ "result": "success" }))
            }
            Method::Get => {
                let fields = call.list("fields").ok_or_else(|| GraphError::missing("fields"))?;
                let asked = self.profile.iter().filter(|(name, _)| fields.contains(name));
                let asked: Map<_, _> = asked.map(|(name, value)| (name.clone(), value.clone())).collect();
                Ok(json!({ "data": if asked.is_empty() { Vec::new() } else { vec![asked] } }))
            }
            Method::Delete => {
                let fields = call.list("fields").ok_or_else(|| GraphError::missing("fields"))?;
                self.profile.retain(|name, _| !fields.contains(name));
                Ok(json!({ "result": "success" }))
            }
            other => Err(GraphError::no_object(method(other), "me")),
        }
    }
}

/// What a `POST /{app-id}/subscriptions` asks for.
fn wanted(call: &Call) -> Result<Callback, GraphError> {
    let text = |name| call.text(name).filter(|text| !text.is_empty()).ok_or_else(|| GraphError::missing(name));
    if text("object")? != "page" {
        return Err(GraphError::parameter("Param object must be one of {PAGE}: this twin has nothing else"));
    }
    let url = text("callback_url")?;
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(GraphError::parameter("Param callback_url must be a valid URL"));
    }
    let fields =
        call.list("fields").filter(|fields| !fields.is_empty()).ok_or_else(|| GraphError::missing("fields"))?;
    let verify_token = Secret::new(text("verify_token")?);
    Ok(Callback { url: url.to_owned(), verify_token, fields: known(fields, "fields")?, active: true })
}

fn known(fields: Vec<String>, name: &str) -> Result<Vec<String>, GraphError> {
    match fields.iter().position(|field| !FIELDS.contains(&field.as_str())) {
        Some(at) => Err(GraphError::parameter(format!("Param {name}[{at}] must be one of {{{}}}", FIELDS.join(", ")))),
        None => Ok(fields),
    }
}

fn authorised(call: &Call, expected: &str) -> Result<(), GraphError> {
    let fits = |token: &String| !token.is_empty() && bool::from(token.as_bytes().ct_eq(expected.as_bytes()));
    if call.token.as_ref().is_some_and(fits) { Ok(()) } else { Err(GraphError::bad_token()) }
}

fn answered(value: Value) -> Reaction {
    Reaction { response: Response::json(200, value.to_string().into_bytes()), dispatches: Vec::new() }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Post => "post",
        Method::Delete => "delete",
        _ => "get",
    }
}
