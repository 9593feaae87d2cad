//! Webex's side as recorded; tests/webhook.rs has one that keeps what it is told.

use super::*;
use crate::registry::testing::{Recorded, answer, refused, sample, text};

const API: &str = "https://webexapis.com/v1";
const TARGET: &str = "https://bot.example.com/webex";
const SECRET: &str = "86dacc007724d8ea666f88fc77d918dad9537a15";
const LIST: &str = "webex/webhooks_list.json";

fn webex() -> Webex {
    Webex::new("space", &format!("{API}/"), Secret::new("NjVjOTQ0-bot-token"), Secret::new(SECRET))
}

fn json_of(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

/// The list sample with the names that we give, changed as the test wants.
fn ours(name: &str, change: impl Fn(&mut Vec<Value>)) -> Outcome {
    let mut list = json_of(name);
    let items = list["items"].as_array_mut().unwrap();
    for item in &mut *items {
        item["name"] = format!("ackd space {}", item["resource"].as_str().unwrap()).into();
    }
    change(items);
    answer(200, &list.to_string())
}

fn created() -> Outcome {
    sample(200, "webex/webhooks_create_response.json")
}

/// What a sync says, and which calls it makes.
fn synced(outcomes: Vec<Outcome>) -> (Report, Vec<String>, Vec<OutboundRequest>) {
    let upstream = Recorded::new(outcomes);
    let report = webex().sync(TARGET, Wish::Sync, &upstream);
    let calls = upstream.calls().iter().map(|call| call.replace(API, "")).collect();
    (report, calls, upstream.requests())
}

fn done(lines: &[&str]) -> Report {
    Report { done: lines.iter().map(|line| (*line).to_owned()).collect(), ..Report::default() }
}

#[test]
fn where_nothing_is_all_three_are_created_as_the_sample_says() {
    let list = sample(200, "webex/webhooks_list_empty.json");
    let (report, calls, requests) = synced(vec![list, created(), created(), created()]);
    let line = |resource: &str| format!("created {resource}/created → {TARGET}");
    assert_eq!(report, done(&[&line("messages"), &line("attachmentActions"), &line("memberships")]));
    assert_eq!(calls, ["GET /webhooks?max=100", "POST /webhooks", "POST /webhooks", "POST /webhooks"]);
    let mut expected = json_of("webex/webhooks_create_request.json");
    expected["name"] = "ackd space messages".into();
    let body: Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!((body, requests[1].content_type), (expected, "application/json"));
    assert!(requests.iter().all(|request| request.bearer == Some(Secret::new("NjVjOTQ0-bot-token"))));
}

#[test]
fn where_all_is_as_it_should_be_nothing_is_done() {
    let (report, calls, _) = synced(vec![ours(LIST, |_| ())]);
    assert_eq!((report, calls.len()), (Report::default(), 1));
}

#[test]
fn what_tells_the_same_to_the_same_address_is_taken_over() {
    let (report, calls, _) = synced(vec![sample(200, LIST), created(), created(), created()]);
    assert_eq!(report.done[0], format!("repaired messages/created → {TARGET}: was named \"ackd messages\""));
    assert_eq!((report.done.len(), report.left.len()), (3, 0));
    assert!(calls[1..].iter().all(|call| call.starts_with("PUT /webhooks/Y2lz")), "{calls:?}");
}

#[test]
fn what_was_switched_off_is_switched_on_as_the_sample_says() {
    let list = ours("webex/webhooks_list_inactive.json", |items| {
        let all = json_of(LIST)["items"].as_array().unwrap().clone();
        items.extend(all.into_iter().skip(1).map(|mut item| {
            item["name"] = format!("ackd space {}", item["resource"].as_str().unwrap()).into();
            item
        }));
    });
    let (report, calls, requests) = synced(vec![list, created()]);
    assert_eq!(report, done(&[&format!("repaired messages/created → {TARGET}: was inactive")]));
    let id = json_of("webex/webhooks_list_inactive.json")["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(calls[1], format!("PUT /webhooks/{id}"));
    let mut expected = json_of("webex/webhooks_update_request.json");
    expected["name"] = "ackd space messages".into();
    assert_eq!(serde_json::from_slice::<Value>(&requests[1].body).unwrap(), expected);
}

#[test]
fn ours_follow_a_public_address_that_changed_and_take_the_new_secret() {
    let list = ours(LIST, |items| {
        items[0]["targetUrl"] = "https://old.ngrok.io/webex".into();
        items[1]["secret"] = "the old one".into();
        items[2].as_object_mut().unwrap().remove("secret");
    });
    let (report, calls, _) = synced(vec![list, created(), created(), created()]);
    let repaired = |what: &str, why: &str| format!("repaired {what}/created → {TARGET}: {why}");
    assert_eq!(
        report,
        done(&[
            &repaired("messages", "pointed at https://old.ngrok.io/webex"),
            &repaired("attachmentActions", "had another secret"),
            &repaired("memberships", "had no secret"),
        ])
    );
    assert!(calls[1..].iter().all(|call| call.starts_with("PUT ")), "{calls:?}");
}

#[test]
fn of_two_the_one_that_serves_is_kept_and_the_other_removed_at_the_end() {
    let list = ours(LIST, |items| {
        let mut stale = items[0].clone();
        stale["id"] = "stale".into();
        stale["targetUrl"] = "https://old.ngrok.io/webex".into();
        items.insert(0, stale);
        let mut twin = items[2].clone();
        twin["id"] = "twin".into();
        items.push(twin);
        items.retain(|item| item["resource"] != "memberships");
    });
    let (report, calls, _) = synced(vec![list, created(), answer(204, ""), answer(204, "")]);
    assert_eq!(
        report,
        done(&[
            &format!("created memberships/created → {TARGET}"),
            "removed messages/created: pointed at https://old.ngrok.io/webex",
            "removed attachmentActions/created: there were two",
        ])
    );
    assert_eq!(calls[1..], ["POST /webhooks", "DELETE /webhooks/stale", "DELETE /webhooks/twin"]);
}

#[test]
fn what_put_cannot_change_is_created_anew_before_the_old_one_goes() {
    let list = ours(LIST, |items| {
        items[0]["event"] = "all".into();
        items[1]["filter"] = "roomId=x".into();
    });
    let (report, calls, _) = synced(vec![list, created(), created(), answer(204, ""), answer(204, "")]);
    assert_eq!(
        report.done[2..],
        [
            "removed messages/all: it told something else than we hear",
            "removed attachmentActions/created?roomId=x: it told something else than we hear",
        ]
    );
    let methods: Vec<_> = calls.iter().map(|call| call.split_once(' ').unwrap().0).collect();
    assert_eq!(methods, ["GET", "POST", "POST", "DELETE", "DELETE"]);
}

#[test]
fn nothing_is_removed_that_is_not_replaced_yet() {
    let list = ours(LIST, |items| items[0]["event"] = "all".into());
    let (report, calls, _) = synced(vec![list, answer(502, "<html>")]);
    assert_eq!(report.wrong, ["messages/created: Webex answers HTTP 502"]);
    assert_eq!(calls[1..], ["POST /webhooks"], "the old one still serves");
}

#[test]
fn what_others_made_is_never_touched() {
    let foreign = [
        ("ackd spaceship messages", TARGET.replace("webex", "other")),
        ("ackd other messages", "https://other.example.com/webex".to_owned()),
        ("my bot", "https://0d52ccd9.ngrok.io".to_owned()),
        ("ackd space", "https://0d52ccd9.ngrok.io".to_owned()),
        ("everything here", TARGET.to_owned()),
    ];
    let list = ours(LIST, |items| {
        for (number, (name, target)) in foreign.iter().enumerate() {
            let mut item = items[0].clone();
            item["name"] = (*name).into();
            item["targetUrl"] = target.as_str().into();
            item["event"] = if *target == TARGET { "all".into() } else { item["event"].clone() };
            item["id"] = format!("foreign{number}").into();
            items.push(item);
        }
    });
    let (report, calls, _) = synced(vec![list.clone()]);
    assert_eq!((report.done.len(), report.wrong.len(), calls.len()), (0, 0, 1));
    assert_eq!(report.left.len(), foreign.len());
    assert_eq!(report.left[2], "left alone: \"my bot\" (messages/created → https://0d52ccd9.ngrok.io) is not ours");
    assert!(report.left[4].ends_with("is not ours, though it points here"), "{:?}", report.left);
    // Nor by delete, which removes all of ours and only those.
    let upstream = Recorded::new(vec![list, answer(204, ""), answer(204, ""), answer(404, "")]);
    let report = webex().delete(&upstream);
    assert_eq!((report.done.len(), report.left.len(), report.wrong.len()), (3, 5, 0), "{report:?}");
    assert!(upstream.calls()[1..].iter().all(|call| call.starts_with("DELETE ") && !call.contains("foreign")));
}

#[test]
fn the_leftover_of_another_program_stays_and_ours_stands_beside_it() {
    let list = sample(200, "webex/webhooks_list_stale_target.json");
    let (report, ..) = synced(vec![list, created(), created(), created()]);
    assert_eq!((report.done.len(), report.left.len(), report.wrong.len()), (3, 1, 0), "{report:?}");
    let list = ours("webex/webhooks_list_stale_target.json", |_| ());
    let (report, ..) = synced(vec![list, created(), created(), created(), answer(204, "")]);
    assert_eq!(report.done[3], "removed messages/all: it told something else than we hear");
}

#[test]
fn when_webex_says_that_it_exists_we_look_again() {
    let empty = || sample(200, "webex/webhooks_list_empty.json");
    let exists = || sample(409, "webex/error_409_webhook_exists.json");
    let (report, calls, _) = synced(vec![empty(), exists(), created(), created(), ours(LIST, |_| ())]);
    assert_eq!((report.done.len(), report.wrong.len(), calls.len()), (2, 0, 5), "{report:?}");
    // Still not there: somebody has to look.
    let (report, calls, _) =
        synced(vec![empty(), exists(), created(), created(), empty(), exists(), exists(), exists()]);
    assert_eq!((report.wrong.len(), calls.len()), (3, 8), "{report:?}");
    assert!(report.wrong[0].starts_with("messages/created: Webex says that such a webhook exists"), "{report:?}");
    // What failed at the first look may succeed at the second.
    let (report, ..) =
        synced(vec![empty(), answer(502, ""), exists(), created(), empty(), created(), created(), created()]);
    assert_eq!((report.done.len(), report.wrong.len()), (4, 0), "{report:?}");
    // Repaired while somebody else removed it: made again.
    let inactive = ours(LIST, |items| items[0]["status"] = "inactive".into());
    let rest = ours(LIST, |items| drop(items.remove(0)));
    let (report, ..) = synced(vec![inactive, answer(404, "{}"), rest, created()]);
    assert_eq!(report, done(&[&format!("created messages/created → {TARGET}")]));
}

#[test]
fn create_makes_what_is_missing_and_touches_nothing_else() {
    let list = ours(LIST, |items| {
        items.remove(2);
        items[0]["status"] = "inactive".into();
        let mut stale = items[0].clone();
        stale["id"] = "stale".into();
        items.push(stale);
    });
    let upstream = Recorded::new(vec![list, created()]);
    let report = webex().sync(TARGET, Wish::Create, &upstream);
    assert_eq!(report.done, [format!("created memberships/created → {TARGET}")]);
    assert_eq!(
        report.left[0],
        "left as it is: messages/created, which was inactive; `ackd webhook sync space` repairs it"
    );
    assert_eq!(upstream.calls().len(), 2);
}

#[test]
fn every_page_is_read_but_not_for_ever() {
    let page = |outcome: Outcome, next: &str| {
        let Outcome::Answered(mut answer) = outcome else { panic!() };
        answer.headers = vec![("link".to_owned(), format!("<{next}>; rel=\"next\""))];
        Outcome::Answered(answer)
    };
    let first = ours(LIST, |items| items.truncate(1));
    let rest = ours(LIST, |items| drop(items.remove(0)));
    let (report, calls, _) = synced(vec![page(first, &format!("{API}/webhooks?cursor=b&max=null")), rest]);
    assert_eq!((report, calls[1].as_str()), (Report::default(), "GET /webhooks?cursor=b"));
    let endless = Recorded::always(page(sample(200, LIST), &format!("{API}/webhooks?cursor=a")));
    let report = webex().sync(TARGET, Wish::Sync, &endless);
    assert_eq!(endless.calls().len(), REGISTRY_PAGES_MAX);
    assert_eq!(report.wrong, ["Webex lists 150 webhooks and still more; delete those that nobody needs"]);
    let elsewhere = page(sample(200, LIST), "https://evil.example/webhooks");
    let (report, calls, _) = synced(vec![elsewhere]);
    assert!(report.wrong[0].contains("another host") && calls.len() == 1, "{report:?}");
}

#[test]
fn one_of_ours_that_cannot_be_read_is_not_made_anew_at_every_look() {
    let broken = |name: Value| {
        let list = ours(LIST, |items| (items[0]["status"], items[0]["name"]) = (Value::Null, name.clone()));
        synced(vec![list, created()])
    };
    for name in [json!("ackd space messages"), Value::Null] {
        let (report, calls, _) = broken(name);
        assert!(report.wrong[0].starts_with("the list holds a webhook that cannot be read"), "{report:?}");
        assert!(!report.wrong[0].contains(SECRET) && calls.len() == 1, "{report:?} {calls:?}");
    }
    let (report, calls, _) = broken(json!("another program's"));
    assert_eq!((report.done.len(), calls.len()), (1, 2), "what others made is in nobody's way: {report:?}");
}

#[test]
fn without_a_list_nothing_is_changed_and_it_says_why() {
    for (outcome, what) in [
        (
            sample(401, "webex/error_401.json"),
            "the access token is not accepted: make a new one on developer.webex.com",
        ),
        (answer(403, "{}"), "the token's account may not do this"),
        (answer(429, ""), "too many calls: try again later"),
        (answer(502, "<html>"), "Webex answers HTTP 502"),
        (answer(200, "<html>"), "the answer is no list of webhooks; does `api` lead to the Webex API?"),
        (answer(200, &format!("{{\"items\":\"{SECRET}\"}}")), "the answer is no list of webhooks"),
        (refused(), "Webex was not reached: 127.0.0.1:4040: Connection refused"),
    ] {
        let (report, calls, _) = synced(vec![outcome.clone()]);
        assert_eq!((report.wrong.len(), report.done.len(), calls.len()), (1, 0, 1), "{report:?}");
        assert!(report.wrong[0].starts_with(what) && !report.wrong[0].contains(SECRET), "{report:?}");
        assert_eq!(webex().delete(&Recorded::new(vec![outcome.clone()])).wrong, report.wrong);
        let listed = webex().list(None, &Recorded::new(vec![outcome])).unwrap_err();
        assert_eq!(vec![listed.0], report.wrong);
    }
}

#[test]
fn a_list_shows_whose_each_is_and_never_a_secret() {
    let list = ours(LIST, |items| {
        items[1]["status"] = "inactive".into();
        items[1]["secret"] = "xyzzy".into();
        items[2]["name"] = "my \u{1b}[2J".into();
        items.push(json!({ "id": "../people", "name": "ackd space x" }));
        items.push(json!(7));
    });
    let listing = webex().list(Some(TARGET), &Recorded::new(vec![list])).unwrap();
    let remarks: Vec<_> = listing.rows.iter().map(|row| (row.what.as_str(), row.remark.as_str())).collect();
    assert_eq!(
        remarks,
        [
            ("messages/created", "ours"),
            ("attachmentActions/created", "ours, was inactive, had another secret"),
            ("memberships/created", "not ours: \"my \u{1b}[2J\", points here"),
        ]
    );
    let shown = format!("{listing:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("xyzzy"), "{shown}");
    let unaimed = webex().list(None, &Recorded::new(vec![ours(LIST, |_| ())])).unwrap();
    assert!(unaimed.rows.iter().all(|row| row.remark == "ours"));
}

#[test]
fn no_secret_that_webex_repeats_is_repeated_by_us() {
    let echo = format!("{{\"message\":\"bad secret {SECRET}, token NjVjOTQ0-bot-token\"}}");
    let (report, ..) =
        synced(vec![sample(200, "webex/webhooks_list_empty.json"), answer(400, &echo), created(), created()]);
    assert_eq!(report.wrong, ["messages/created: Webex answers HTTP 400 (Webex says: bad secret ***, token ***)"]);
}
