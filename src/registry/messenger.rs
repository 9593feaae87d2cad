//! Messenger's two registrations (messenger.md §2, §5, §10).
//!
//!     the page      /me/subscribed_apps        our app hears this page; by the page's token. After an hour of failures
//!                                              Meta takes the app off; only a sync puts it back.
//!     the app       /{app-id}/subscriptions    where Meta sends everything: callback URL, verify token, fields; by the
//!                                              app's own token, so only where `app_id` is configured
//!
//! An app has one callback URL for all its pages: it is never deleted here. Fields that somebody else has added stay.

use super::words::{plain, same_address, short};
use super::{Listing, Registration, RegistryFault, Report, Row, Upstream, Wish};
use crate::limits::REGISTRY_ITEMS_MAX;
use crate::model::{Method, OutboundRequest, Outcome, Secret};
use crate::notation::percent;
use crate::platform::messenger::Settings;
use serde_json::Value;

/// What a page's channel must be told of: what bots hear, and the echoes that prove a reply (messenger.md §3).
const FIELDS: [&str; 5] =
    ["messages", "messaging_postbacks", "messaging_optins", "messaging_referrals", "message_echoes"];

/// One page's registrations.
pub struct Messenger {
    settings: Settings,
    app: Option<App>,
}

/// The app, by its own name.
struct App {
    id: String,
    /// The same, with the app's token instead of the page's.
    settings: Settings,
}

/// An app that hears the page.
struct Subscribed {
    id: String,
    name: String,
    fields: Vec<String>,
}

/// Where Meta sends what happens on the app's pages.
struct Callback {
    url: String,
    active: bool,
    fields: Vec<String>,
}

impl Messenger {
    /// The registrations of a page with these settings; with the app's number, the app's callback URL, too.
    pub fn new(settings: Settings, app_id: Option<String>) -> Messenger {
        let secret = settings.app_secrets.first().map(Secret::expose).unwrap_or_default();
        let app = app_id.map(|id| {
            let token = Secret::new(format!("{id}|{secret}"));
            App { settings: Settings { access_token: token, ..settings.clone() }, id }
        });
        Messenger { settings, app }
    }

    fn page_url(&self) -> String {
        format!("{}/me/subscribed_apps", self.settings.api.trim_end_matches('/'))
    }

    /// The apps that hear the page, as far as the page's token may see them.
    fn subscribed(&self, upstream: &dyn Upstream) -> Result<Vec<Subscribed>, RegistryFault> {
        let list = self.ask(&self.settings, OutboundRequest::get(self.page_url()), upstream)?;
        let read = |app: &Value| Subscribed {
            id: text(app, "id"),
            name: text(app, "name"),
            fields: fields(app.get("subscribed_fields")),
        };
        Ok(data(&list)?.iter().take(REGISTRY_ITEMS_MAX).map(read).collect())
    }

    /// The app's callback for pages, if it has one.
    fn callback(&self, app: &App, upstream: &dyn Upstream) -> Result<Option<Callback>, RegistryFault> {
        let list = self.ask(&app.settings, OutboundRequest::get(self.callback_url(app)), upstream)?;
        let page = data(&list)?.iter().find(|entry| text(entry, "object") == "page");
        Ok(page.map(|entry| Callback {
            // Whole, since it is compared; whoever shows it cuts it.
            url: entry.get("callback_url").and_then(Value::as_str).unwrap_or_default().to_owned(),
            active: entry.get("active").and_then(Value::as_bool).unwrap_or(true),
            fields: fields(entry.get("fields")),
        }))
    }

    fn callback_url(&self, app: &App) -> String {
        format!("{}/{}/subscriptions", app.settings.api.trim_end_matches('/'), app.id)
    }

    /// Those of the apps that may be ours: without `app_id` that cannot be told.
    fn ours<'s>(&self, apps: &'s [Subscribed]) -> Vec<&'s Subscribed> {
        apps.iter().filter(|subscribed| self.app.as_ref().is_none_or(|app| app.id == subscribed.id)).collect()
    }

    /// What is wrong with the page's subscription.
    fn page_wrongs(&self, apps: &[Subscribed]) -> Vec<String> {
        match self.ours(apps).as_slice() {
            [] => vec!["our app does not hear this page".to_owned()],
            ours if ours.iter().any(|app| lacking(&app.fields).is_empty()) => Vec::new(),
            [app, ..] => vec![format!("the page's subscription lacks {}", lacking(&app.fields).join(", "))],
        }
    }

    fn sync_page(&self, wish: Wish, upstream: &dyn Upstream, report: &mut Report) -> Result<(), RegistryFault> {
        let apps = self.subscribed(upstream)?;
        let ours = self.ours(&apps);
        if ours.iter().any(|app| lacking(&app.fields).is_empty()) {
            return Ok(());
        }
        let (wanted, line) = match ours.as_slice() {
            [] => (FIELDS.join(","), format!("created the page's subscription: {}", FIELDS.join(", "))),
            [app, ..] => {
                let lacking = lacking(&app.fields).join(", ");
                if wish == Wish::Create {
                    let line =
                        format!("left as it is: the page's subscription, which lacks {lacking}; sync repairs it");
                    report.left.push(line);
                    return Ok(());
                }
                (with_ours(&app.fields), format!("repaired the page's subscription: it lacked {lacking}"))
            }
        };
        let url = format!("{}?subscribed_fields={}", self.page_url(), percent(&wanted));
        self.command(&self.settings, form(Method::Post, url, ""), upstream)?;
        report.done.push(line);
        Ok(())
    }

    fn sync_callback(
        &self,
        target: &str,
        wish: Wish,
        upstream: &dyn Upstream,
        report: &mut Report,
    ) -> Result<(), RegistryFault> {
        let Some(app) = &self.app else {
            report.left.push(unseen(Some(target)));
            return Ok(());
        };
        let (wanted, line) = match self.callback(app, upstream)? {
            None => (FIELDS.join(","), format!("created the app's callback → {target}")),
            Some(callback) => {
                let why = flaws(&callback, target).join(", ");
                if why.is_empty() {
                    return Ok(());
                }
                if wish == Wish::Create {
                    report.left.push(format!("left as it is: the app's callback, which {why}; sync repairs it"));
                    return Ok(());
                }
                (with_ours(&callback.fields), format!("repaired the app's callback → {target}: {why}"))
            }
        };
        let parts = [
            ("object", "page"),
            ("callback_url", target),
            ("verify_token", self.settings.verify_token.expose()),
            ("fields", &wanted),
        ];
        let body = parts.map(|(name, value)| format!("{name}={}", percent(value))).join("&");
        let request = form(Method::Post, self.callback_url(app), &body);
        self.command(&app.settings, request, upstream).map_err(|RegistryFault(why)| {
            RegistryFault(format!("{why}; Meta asks {target} at once, so ackd must be running and reachable there"))
        })?;
        report.done.push(line);
        Ok(())
    }

    /// A call that changes something; a success says so.
    fn command(&self, by: &Settings, call: OutboundRequest, upstream: &dyn Upstream) -> Result<(), RegistryFault> {
        let answer = self.ask(by, call, upstream)?;
        // One page of the reference prints it as a text (messenger.md §10).
        match answer.get("success") {
            Some(Value::Bool(true)) => Ok(()),
            Some(Value::String(word)) if word == "true" => Ok(()),
            _ => Err(RegistryFault("Meta did not say that it was done: look at the App Dashboard".to_owned())),
        }
    }

    fn ask(&self, by: &Settings, call: OutboundRequest, upstream: &dyn Upstream) -> Result<Value, RegistryFault> {
        let answer = match upstream.call(&by.sign(call)) {
            Outcome::Answered(answer) => answer,
            Outcome::Failed(fault) => return Err(self.fault(&format!("Meta was not reached: {}", fault.why))),
        };
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if let Some(error) = body.get("error") {
            return Err(self.fault(&refusal(error)));
        }
        match answer.status {
            200..=299 => Ok(body),
            status => {
                Err(self.fault(&format!("HTTP {status} without a Graph error: does `api` lead to the Graph API?")))
            }
        }
    }

    fn fault(&self, words: &str) -> RegistryFault {
        let app_token = self.app.as_ref().map(|app| &app.settings.access_token);
        let mut hidden = vec![&self.settings.access_token, &self.settings.verify_token];
        hidden.extend(app_token.into_iter().chain(&self.settings.app_secrets));
        RegistryFault(plain(words, &hidden))
    }
}

impl Registration for Messenger {
    fn list(&self, target: Option<&str>, upstream: &dyn Upstream) -> Result<Listing, RegistryFault> {
        let apps = self.subscribed(upstream)?;
        let mut listing = Listing { wrong: self.page_wrongs(&apps), ..Listing::default() };
        for subscribed in &apps {
            let ours = self.app.as_ref().map(|app| app.id == subscribed.id);
            let lacking = lacking(&subscribed.fields).join(", ");
            let lacks = if lacking.is_empty() { String::new() } else { format!(", lacks {lacking}") };
            listing.rows.push(Row {
                what: subscribed.fields.join(","),
                target: format!("app {} \"{}\"", subscribed.id, subscribed.name),
                state: "active".to_owned(),
                remark: match ours {
                    Some(true) => format!("the page's subscription, ours{lacks}"),
                    Some(false) => "another app's".to_owned(),
                    None => format!("the page's subscription{lacks}"),
                },
            });
        }
        let Some(app) = &self.app else {
            listing.notes.push(unseen(target));
            return Ok(listing);
        };
        match self.callback(app, upstream)? {
            None => listing.wrong.push(NO_CALLBACK.to_owned()),
            Some(callback) => {
                // Where nobody knows where it should point, it is right.
                let found = flaws(&callback, target.unwrap_or(&callback.url)).join(", ");
                let flaws = if found.is_empty() { String::new() } else { format!(", {found}") };
                if !found.is_empty() {
                    listing.wrong.push(format!("the app's callback {found}"));
                }
                listing.rows.push(Row {
                    what: callback.fields.join(","),
                    target: short(&callback.url),
                    state: if callback.active { "active" } else { "inactive" }.to_owned(),
                    remark: format!("the app's callback{flaws}"),
                });
            }
        }
        Ok(listing)
    }

    /// The callback first: it is where the page's events then go.
    fn sync(&self, target: &str, wish: Wish, upstream: &dyn Upstream) -> Report {
        let mut report = Report::default();
        let callback = self.sync_callback(target, wish, upstream, &mut report);
        report.note(callback);
        let page = self.sync_page(wish, upstream, &mut report);
        report.note(page);
        report
    }

    fn examine(&self, target: &str, upstream: &dyn Upstream) -> Result<Report, RegistryFault> {
        let mut report = Report::default();
        match &self.app {
            None => report.left.push(unseen(Some(target))),
            Some(app) => match self.callback(app, upstream)?.map(|callback| flaws(&callback, target)) {
                None => report.wrong.push(NO_CALLBACK.to_owned()),
                Some(flaws) if flaws.is_empty() => {}
                Some(flaws) => report.wrong.push(format!("the app's callback {}", flaws.join(", "))),
            },
        }
        let apps = self.subscribed(upstream)?;
        report.wrong.extend(self.page_wrongs(&apps));
        Ok(report)
    }

    fn delete(&self, upstream: &dyn Upstream) -> Report {
        let mut report = Report::default();
        let deleted = self.subscribed(upstream).and_then(|apps| {
            if self.ours(&apps).is_empty() {
                return Ok(());
            }
            self.command(&self.settings, form(Method::Delete, self.page_url(), ""), upstream)?;
            report.done.push("removed the page's subscription: our app does not hear this page any more".to_owned());
            Ok(())
        });
        report.note(deleted);
        report.left.push("left alone: the app's callback URL, which serves all pages of the app".to_owned());
        report
    }
}

/// What is said of an app that Meta sends nowhere.
const NO_CALLBACK: &str = "the app has no callback URL for pages";

/// What is said of a callback URL that nobody may look at.
fn unseen(target: Option<&str>) -> String {
    let target = target.map(|target| format!(" {target}")).unwrap_or_default();
    format!(
        "not looked at: the app's callback URL, for which app_id is needed; without it see to it in the App Dashboard \
         (Messenger, Webhooks): callback URL{target}, the channel's verify token, the fields {}",
        FIELDS.join(", ")
    )
}

fn flaws(callback: &Callback, target: &str) -> Vec<String> {
    let mut flaws = Vec::new();
    if !same_address(&callback.url, target) {
        flaws.push(format!("pointed at {}", short(&callback.url)));
    }
    if !callback.active {
        flaws.push("was inactive".to_owned());
    }
    let lacking = lacking(&callback.fields);
    if !lacking.is_empty() {
        flaws.push(format!("lacked {}", lacking.join(", ")));
    }
    flaws
}

/// The fields that we need and these are not.
fn lacking(fields: &[String]) -> Vec<&'static str> {
    FIELDS.into_iter().filter(|field| !fields.iter().any(|there| there == field)).collect()
}

/// These fields and ours: a call sets all of them at once.
fn with_ours(fields: &[String]) -> String {
    let ours = lacking(fields);
    fields.iter().map(String::as_str).chain(ours).collect::<Vec<_>>().join(",")
}

/// What Graph's error says, by its code (messenger.md §7).
fn refusal(error: &Value) -> String {
    let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
    let advice = match code {
        102 | 190 => ": the token is not valid: make a new one and restart",
        3 | 10 | 200..=299 => ": a permission is missing: the page's token needs pages_manage_metadata",
        4 | 17 | 32 | 613 => ": too many calls: try again later",
        2200 => ": the callback URL did not answer Meta's question",
        _ => "",
    };
    let theirs = text(error, "message");
    let theirs = if theirs.is_empty() { String::new() } else { format!(" (Meta says: {theirs})") };
    format!("error {code}{advice}{theirs}")
}

/// The members of a list of Graph's.
fn data(list: &Value) -> Result<&Vec<Value>, RegistryFault> {
    let data = list.get("data").and_then(Value::as_array);
    data.ok_or_else(|| RegistryFault("the answer is no list; does `api` lead to the Graph API?".to_owned()))
}

fn text(value: &Value, name: &str) -> String {
    short(value.get(name).and_then(Value::as_str).unwrap_or_default())
}

/// Names of fields; they come as texts, or as objects with a version beside the name.
fn fields(list: Option<&Value>) -> Vec<String> {
    let name = |field: &Value| field.as_str().or_else(|| field.get("name")?.as_str()).map(short);
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(name).take(REGISTRY_ITEMS_MAX).collect()
}

fn form(method: Method, url: String, body: &str) -> OutboundRequest {
    OutboundRequest {
        content_type: "application/x-www-form-urlencoded",
        ..OutboundRequest::json(method, url, body.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Recorded, answer, refused, sample};
    use super::*;

    const API: &str = "https://graph.facebook.com/v25.0";
    const TARGET: &str = "https://bots.example.org/messenger";
    const APP: &str = "482915736608214";
    const ALL: &str = "messages,messaging_postbacks,messaging_optins,messaging_referrals,message_echoes";

    fn page(app_id: Option<&str>) -> Messenger {
        let secrets = vec![Secret::new("app+secret"), Secret::new("old")];
        let settings = Settings::new(Secret::new("my verify token"), secrets, Secret::new("EAAG0pageTOKEN"));
        Messenger::new(settings, app_id.map(str::to_owned))
    }

    fn done() -> Outcome {
        sample(200, "messenger/subscribed_apps_post_response.json")
    }

    fn apps(apps: &[(&str, &str)]) -> Outcome {
        let app = |(id, fields): &(&str, &str)| {
            let fields: Vec<_> = fields.split(',').collect();
            serde_json::json!({ "id": id, "name": "ackd", "subscribed_fields": fields })
        };
        answer(200, &serde_json::json!({ "data": apps.iter().map(app).collect::<Vec<_>>() }).to_string())
    }

    fn callback(url: &str, active: bool, fields: &str) -> Outcome {
        let fields: Vec<_> =
            fields.split(',').map(|name| serde_json::json!({ "name": name, "version": "v25.0" })).collect();
        let page = serde_json::json!({ "object": "page", "callback_url": url, "active": active, "fields": fields });
        let other = serde_json::json!({ "object": "user", "callback_url": "https://x", "fields": ["name"] });
        answer(200, &serde_json::json!({ "data": [other, page] }).to_string())
    }

    /// What a sync says, and which calls it makes.
    fn synced(app_id: Option<&str>, wish: Wish, outcomes: Vec<Outcome>) -> (Report, Vec<String>, Vec<OutboundRequest>) {
        let upstream = Recorded::new(outcomes);
        let report = page(app_id).sync(TARGET, wish, &upstream);
        let calls = upstream.calls().iter().map(|call| call.replace(API, "")).collect();
        (report, calls, upstream.requests())
    }

    #[test]
    fn a_page_that_no_app_hears_is_subscribed_by_its_own_token() {
        let empty = sample(200, "messenger/subscribed_apps_get_empty.json");
        let (report, calls, requests) = synced(None, Wish::Create, vec![empty, done()]);
        assert_eq!(report.done, [format!("created the page's subscription: {}", ALL.replace(',', ", "))]);
        let post = format!("POST /me/subscribed_apps?subscribed_fields={}", ALL.replace(',', "%2C"));
        assert_eq!(calls, ["GET /me/subscribed_apps".to_owned(), post]);
        assert!(requests.iter().all(|request| request.bearer == Some(Secret::new("EAAG0pageTOKEN"))));
        assert!(requests[1].body.is_empty());
        // What cannot be seen is said, with all that is to be typed instead.
        assert!(report.left[0].contains("app_id") && report.left[0].contains(TARGET), "{report:?}");
        assert!(report.wrong.is_empty());
    }

    #[test]
    fn missing_fields_are_added_and_foreign_ones_kept() {
        let list = sample(200, "messenger/subscribed_apps_get_response.json");
        let (report, calls, _) = synced(None, Wish::Sync, vec![list.clone(), done()]);
        assert_eq!(
            report.done,
            ["repaired the page's subscription: it lacked messaging_optins, messaging_referrals, message_echoes"]
        );
        assert!(calls[1].ends_with(&ALL.replace(',', "%2C")), "{calls:?}");
        let (_, calls, _) = synced(None, Wish::Sync, vec![apps(&[(APP, "feed,messages")]), done()]);
        assert!(calls[1].contains("=feed%2Cmessages%2Cmessaging_postbacks%2C"), "{calls:?}");
        let (report, calls, _) = synced(None, Wish::Create, vec![list]);
        assert_eq!((report.done.len(), report.left.len(), calls.len()), (0, 2, 1), "{report:?}");
        let (report, calls, _) = synced(None, Wish::Sync, vec![apps(&[(APP, ALL)])]);
        assert_eq!((report.done.len(), report.wrong.len(), calls.len()), (0, 0, 1), "{report:?}");
    }

    #[test]
    fn with_its_number_our_app_is_told_from_others() {
        let fine = || callback(TARGET, true, ALL);
        let (report, calls, _) = synced(Some(APP), Wish::Sync, vec![fine(), apps(&[("7", ALL)]), done()]);
        assert!(report.done[0].starts_with("created the page's subscription"), "{report:?}");
        assert_eq!(calls[0], format!("GET /{APP}/subscriptions"));
        let (report, calls, _) = synced(Some(APP), Wish::Sync, vec![fine(), apps(&[("7", ALL), (APP, ALL)])]);
        assert_eq!((report, calls.len()), (Report::default(), 2));
    }

    #[test]
    fn an_address_of_any_length_is_as_it_should_be() {
        let target = format!("https://bots.example.org/{}", "x".repeat(1000));
        let upstream = Recorded::new(vec![callback(&target, true, ALL), apps(&[(APP, ALL)])]);
        assert_eq!(page(Some(APP)).sync(&target, Wish::Sync, &upstream), Report::default());
        let listed = page(Some(APP)).list(Some(TARGET), &Recorded::new(vec![apps(&[]), callback(&target, true, ALL)]));
        let row = listed.unwrap().rows.remove(0);
        assert!(row.target.len() < 300 && row.remark.contains("pointed at"), "{row:?}");
    }

    #[test]
    fn the_callback_is_set_by_the_apps_own_token_and_no_secret_stands_in_the_url() {
        let none = answer(200, "{\"data\":[]}");
        let (report, calls, requests) = synced(Some(APP), Wish::Sync, vec![none, done(), apps(&[(APP, ALL)])]);
        assert_eq!(
            report,
            Report { done: vec![format!("created the app's callback → {TARGET}")], ..Report::default() }
        );
        assert_eq!(calls[1], format!("POST /{APP}/subscriptions"));
        let body = String::from_utf8(requests[1].body.clone()).unwrap();
        let fields = ALL.replace(',', "%2C");
        let url = "https%3A%2F%2Fbots.example.org%2Fmessenger";
        assert_eq!(body, format!("object=page&callback_url={url}&verify_token=my%20verify%20token&fields={fields}"));
        assert_eq!(requests[1].content_type, "application/x-www-form-urlencoded");
        let app_token = Some(Secret::new(format!("{APP}|app+secret")));
        assert_eq!((&requests[0].bearer, &requests[1].bearer), (&app_token, &app_token));
        assert_eq!(requests[2].bearer, Some(Secret::new("EAAG0pageTOKEN")));
    }

    #[test]
    fn a_callback_is_repaired_whatever_is_wrong_with_it() {
        for (there, why) in [
            (callback("https://old.example/x", true, ALL), "pointed at https://old.example/x"),
            (callback(TARGET, false, ALL), "was inactive"),
            (callback(TARGET, true, &ALL.replace(",message_echoes", ",feed")), "lacked message_echoes"),
        ] {
            let (report, _, requests) = synced(Some(APP), Wish::Sync, vec![there.clone(), done(), apps(&[(APP, ALL)])]);
            assert_eq!(report.done, [format!("repaired the app's callback → {TARGET}: {why}")]);
            let body = String::from_utf8(requests[1].body.clone()).unwrap();
            assert_eq!(body.contains("feed"), why.starts_with("lacked"), "somebody's fields stay: {body}");
            let (report, calls, _) = synced(Some(APP), Wish::Create, vec![there, apps(&[(APP, ALL)])]);
            assert_eq!((report.done.len(), report.left.len(), calls.len()), (0, 1, 2), "{report:?}");
        }
    }

    #[test]
    fn delete_takes_our_app_off_the_page_and_leaves_the_callback() {
        let upstream = Recorded::new(vec![apps(&[(APP, ALL)]), done()]);
        let report = page(None).delete(&upstream);
        assert_eq!(upstream.calls()[1], format!("DELETE {API}/me/subscribed_apps"));
        assert_eq!((report.done.len(), report.left.len(), report.wrong.len()), (1, 1, 0), "{report:?}");
        let report = page(Some(APP)).delete(&Recorded::new(vec![apps(&[("7", ALL)])]));
        assert_eq!((report.done.len(), report.wrong.len()), (0, 0), "{report:?}");
    }

    #[test]
    fn one_side_that_fails_does_not_hold_up_the_other() {
        let expired = || sample(400, "messenger/error_190_463_expired.json");
        let (report, ..) = synced(Some(APP), Wish::Sync, vec![expired(), apps(&[]), done()]);
        assert_eq!((report.done.len(), report.wrong.len()), (1, 1), "{report:?}");
        assert!(report.wrong[0].starts_with("error 190: the token is not valid: make a new one and restart"));
        let refusal = answer(400, r#"{"error":{"message":"(#2200) Callback failed for app+secret","code":2200}}"#);
        let none = answer(200, "{\"data\":[]}");
        let (report, ..) = synced(Some(APP), Wish::Sync, vec![none, refusal, apps(&[(APP, ALL)])]);
        assert!(report.wrong[0].contains("(Meta says: (#2200) Callback failed for ***)"), "{report:?}");
        assert!(report.wrong[0].ends_with("so ackd must be running and reachable there"), "{report:?}");
    }

    #[test]
    fn what_is_not_graphs_is_told_and_nothing_is_changed() {
        for (outcome, what) in [
            (refused(), "Meta was not reached: "),
            (answer(200, "<html>"), "the answer is no list"),
            (answer(200, "{\"data\":7}"), "the answer is no list"),
            (answer(502, "<html>"), "HTTP 502 without a Graph error"),
            (answer(403, r#"{"error":{"message":"","code":200}}"#), "error 200: a permission is missing"),
        ] {
            let (report, calls, _) = synced(None, Wish::Sync, vec![outcome]);
            assert!(report.wrong[0].starts_with(what), "{report:?}");
            assert_eq!((report.done.len(), calls.len()), (0, 1));
        }
        let empty = || sample(200, "messenger/subscribed_apps_get_empty.json");
        let said = |body: &str| synced(None, Wish::Sync, vec![empty(), answer(200, body)]).0;
        assert!(said(r#"{"success":"true"}"#).wrong.is_empty());
        assert!(said(r#"{"success":false}"#).done.is_empty());
    }

    #[test]
    fn a_list_shows_both_sides() {
        let outcomes = vec![apps(&[(APP, "messages"), ("7", ALL)]), callback("https://old.example/x", false, ALL)];
        let listing = page(Some(APP)).list(Some(TARGET), &Recorded::new(outcomes)).unwrap();
        let remarks: Vec<_> = listing.rows.iter().map(|row| row.remark.as_str()).collect();
        assert!(remarks[0].starts_with("the page's subscription, ours, lacks messaging_postbacks, "), "{remarks:?}");
        assert_eq!(
            remarks[1..],
            ["another app's", "the app's callback, pointed at https://old.example/x, was inactive"]
        );
        assert_eq!(listing.wrong.len(), 2, "{listing:?}");
        let fine = vec![apps(&[(APP, ALL)]), callback("https://old.example/x", true, ALL)];
        let listing = page(Some(APP)).list(None, &Recorded::new(fine)).unwrap();
        assert_eq!((listing.wrong.len(), listing.rows[1].remark.as_str()), (0, "the app's callback"), "{listing:?}");
        let listing = page(None).list(None, &Recorded::new(vec![apps(&[])])).unwrap();
        assert_eq!((listing.rows.len(), listing.notes.len()), (0, 1), "{listing:?}");
    }
}
