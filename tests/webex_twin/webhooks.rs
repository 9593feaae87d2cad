//! Webhooks: made, listed, filtered, switched off and on again.

use crate::scene::{API, SECRET, START, Scene, has_shape_of, sample, settings, told};
use ackd::model::Method;
use ackd::twin::webex::{Member, PATIENCE, Settings};
use ackd::twin::{Act, End, Twin};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn webhooks_are_listed_page_by_page() {
    let mut scene = Scene::new();
    let made: Vec<String> = (0..5).map(|name| scene.subscribe(json!({ "name": name.to_string() }))).collect();
    let first = scene.get("/webhooks?max=3");
    let link = first.header("Link").unwrap();
    let next = link.strip_prefix(&format!("<{API}")).unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    let second = scene.get(&next);
    assert_eq!(second.header("Link"), None);
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!([ids(&first.json()), ids(&second.json())].concat(), made);
    assert_eq!(scene.get("/webhooks?max=5").header("Link"), None);
    assert_eq!(scene.get(&format!("{next}&max=null")).response.status, 200, "the first max counts");
    assert_eq!(scene.get("/webhooks?max=null").refused(), 400);
    assert_eq!(scene.get("/webhooks?ownedBy=org").refused(), 403);
}

#[test]
fn a_webhook_that_lacks_something_or_asks_for_what_is_not_there_is_refused() {
    let mut scene = Scene::new();
    for (member, value, status) in [
        ("name", json!(null), 400),
        ("name", json!(""), 400),
        ("targetUrl", json!(null), 400),
        ("targetUrl", json!("bot.example.com"), 400),
        ("targetUrl", json!("https://"), 400),
        ("targetUrl", json!("https://bot.example.com/a b"), 400),
        ("targetUrl", json!(format!("https://bot.example.com/{}", "x".repeat(10_000))), 400),
        ("resource", json!(null), 400),
        ("resource", json!("letters"), 400),
        ("resource", json!("all"), 400),
        ("event", json!(null), 400),
        ("event", json!("create"), 400),
        ("filter", json!("roomTyp=direct"), 400),
        ("filter", json!("roomType"), 400),
        ("secret", json!(7), 400),
        ("ownedBy", json!("org"), 403),
        ("ownedBy", json!("me"), 400),
    ] {
        let mut members = sample("webhooks_create_request");
        members[member] = value.clone();
        assert_eq!(scene.post("/webhooks", &members).refused(), status, "{member} {value}");
    }
    has_shape_of(&scene.get("/webhooks").good(), "webhooks_list_empty");
}

#[test]
fn a_webhook_that_exists_is_refused_unless_the_setting_says_otherwise() {
    let request = sample("webhooks_create_request");
    let mut scene = Scene::new();
    scene.post("/webhooks", &request).good();
    assert_eq!(scene.post("/webhooks", &request).refused(), 409);
    let mut filtered = request.clone();
    filtered["filter"] = json!("roomType=direct");
    scene.post("/webhooks", &filtered).good();

    let mut scene = Scene::with(Settings { refuses_duplicates: false, ..settings() });
    scene.post("/webhooks", &request).good();
    scene.post("/webhooks", &request).good();
    assert_eq!(scene.say(scene.direct(), "hi").len(), 2, "both are told");
}

#[test]
fn an_update_changes_name_target_and_secret_and_ignores_the_rest() {
    let mut scene = Scene::new();
    let id = scene.subscribe(json!({ "secret": "old" }));
    let path = format!("/webhooks/{id}");
    let mut members = sample("webhooks_update_request");
    has_shape_of(&scene.call(Method::Put, &path, &members).good(), "webhooks_create_response");
    members["resource"] = json!("rooms");
    members["targetUrl"] = json!("https://new.example.com/");
    let updated = scene.call(Method::Put, &path, &members).good();
    assert_eq!((&updated["resource"], &updated["secret"]), (&json!("messages"), &json!(SECRET)));
    assert_eq!(scene.say(scene.direct(), "hi")[0].url, "https://new.example.com/");
    for (member, value) in [("name", json!(null)), ("targetUrl", json!("")), ("status", json!("inactive"))] {
        let mut members = sample("webhooks_update_request");
        members[member] = value;
        assert_eq!(scene.call(Method::Put, &path, &members).refused(), 400, "{member}");
    }
    // Without a secret it keeps the one it has.
    members.as_object_mut().unwrap().remove("secret");
    assert_eq!(scene.call(Method::Put, &path, &members).good()["secret"], json!(SECRET));
    assert_eq!(scene.call(Method::Put, "/webhooks/x", &members).refused(), 404);
}

#[test]
fn a_deleted_webhook_is_told_nothing_more() {
    let mut scene = Scene::new();
    let id = scene.subscribe(json!({}));
    let path = format!("/webhooks/{id}");
    let dispatches = scene.say(scene.direct(), "hi");
    let deleted = scene.call(Method::Delete, &path, &Value::Null);
    assert_eq!((deleted.response.status, &deleted.response.body[..]), (204, &b""[..]));
    scene.fail(&dispatches[0]);
    assert_eq!(scene.say(scene.direct(), "hi"), []);
    assert_eq!(scene.get(&path).refused(), 404);
    assert_eq!(scene.call(Method::Delete, &path, &Value::Null).refused(), 404);
}

#[test]
fn a_hundred_failures_switch_a_webhook_off_and_it_comes_back_on_trial() {
    let mut scene = Scene::new();
    let id = scene.subscribe(json!({}));
    for number in 1..=100 {
        assert_eq!(scene.status(&id), "active", "after {} failures", number - 1);
        let dispatches = scene.say(scene.direct(), "hi");
        scene.fail(&dispatches[0]);
        scene.wait(2);
    }
    assert_eq!(scene.status(&id), "inactive");
    has_shape_of(&scene.get("/webhooks").good(), "webhooks_list_inactive");
    assert_eq!(scene.say(scene.direct(), "lost"), []);
    scene.wait(3600);
    assert_eq!(scene.status(&id), "inactive", "nobody switches it on again");

    let members = sample("webhooks_update_request");
    let path = format!("/webhooks/{id}");
    for (wait, expected) in [(299, "inactive"), (301, "active")] {
        assert_eq!(scene.call(Method::Put, &path, &members).good()["status"], json!("active"));
        scene.wait(wait);
        let dispatches = scene.say(scene.direct(), "hi");
        scene.fail(&dispatches[0]);
        assert_eq!(scene.status(&id), expected, "a failure after {wait} s");
    }
}

#[test]
fn an_update_without_the_status_leaves_a_webhook_off() {
    let mut scene = Scene::new();
    let id = scene.subscribe(json!({}));
    let dispatches = scene.say(scene.direct(), "hi");
    for _ in 0..100 {
        scene.fail(&dispatches[0]);
    }
    let mut members = sample("webhooks_update_request");
    members.as_object_mut().unwrap().remove("status");
    let updated = scene.call(Method::Put, &format!("/webhooks/{id}"), &members).good();
    assert_eq!(updated["status"], json!("inactive"));
}

#[test]
fn a_late_or_refused_delivery_counts_as_failed_and_a_good_one_does_not() {
    for (status, took, expected) in [
        (200, Duration::ZERO, "active"),
        (204, PATIENCE, "active"),
        (200, PATIENCE + Duration::from_millis(1), "inactive"),
        (401, Duration::ZERO, "inactive"),
    ] {
        let mut scene = Scene::new();
        let id = scene.subscribe(json!({}));
        for _ in 0..100 {
            let dispatches = scene.say(scene.direct(), "hi");
            let number = scene.last().number;
            let end = End::Answered { status, body: b"ok".to_vec(), took };
            assert_eq!(scene.twin.ended(&dispatches[0], &end, scene.now), []);
            assert!(scene.last().number > number, "its bubble is shown again");
        }
        assert_eq!(scene.status(&id), expected, "{status} after {took:?}");
    }
}

#[test]
fn a_filter_lets_through_what_it_names() {
    let mut scene = Scene::with(Settings {
        people: vec![Member::new("Ada Example", "ada@example.com"), Member::new("Bob", "bob@example.com")],
        ..settings()
    });
    let (direct, group) = (scene.direct(), scene.group());
    scene.say(direct.clone(), "hi");
    let ada = scene.fetched()["personId"].as_str().unwrap().to_owned();
    let bobs = scene.twin.conversations()[1].id.clone();
    let url = "https://x.example/a.png".to_owned();
    let acts = [
        Act::Say { conversation: direct.clone(), text: "hi".to_owned(), mentions: true },
        Act::Say { conversation: bobs, text: "hi".to_owned(), mentions: true },
        Act::Say { conversation: group.clone(), text: "hi".to_owned(), mentions: true },
        Act::Show { conversation: direct.clone(), url },
    ];
    for (filter, expected) in [
        ("roomType=direct".to_owned(), "yyny"),
        ("roomType=group".to_owned(), "nnyn"),
        (format!("roomId={group}"), "nnyn"),
        (format!("personId={ada}"), "ynyy"),
        ("personEmail=bob@example.com".to_owned(), "nynn"),
        ("mentionedPeople=me".to_owned(), "nnyn"),
        ("hasFiles=true".to_owned(), "nnny"),
        ("hasFiles=false&roomType=direct".to_owned(), "yynn"),
        ("hasAttachments=true".to_owned(), "nnnn"),
    ] {
        let id = scene.subscribe(json!({ "filter": filter }));
        let mut heard = String::new();
        for act in &acts {
            let dispatches = scene.act(act.clone());
            heard.push(if dispatches.is_empty() { 'n' } else { 'y' });
            for dispatch in &dispatches {
                assert_eq!(told(std::slice::from_ref(dispatch))["filter"], json!(filter));
            }
        }
        assert_eq!(heard, expected, "{filter}");
        scene.call(Method::Delete, &format!("/webhooks/{id}"), &Value::Null);
    }
    scene.subscribe(json!({ "filter": "roomType=direct" }));
    has_shape_of(&told(&scene.say(direct, "hi")), "message_created_filtered");
}

#[test]
fn a_webhook_for_all_is_told_what_really_happened() {
    let mut scene = Scene::new();
    scene.subscribe(json!({ "resource": "all", "event": "all" }));
    let notification = told(&scene.say(scene.direct(), "hi"));
    assert_eq!((&notification["resource"], &notification["event"]), (&json!("messages"), &json!("created")));
    let (_, dispatches) = scene.twin.new_room("Cellar", START).unwrap();
    assert_eq!(told(&dispatches)["resource"], json!("memberships"));
}
