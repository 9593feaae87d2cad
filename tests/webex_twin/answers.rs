//! What calls that change nothing are answered, against the samples; and every error.

use crate::scene::{Answered, SECRET, START, Scene, TOKEN, has_shape_of, header, named, sample, settings, shape};
use ackd::model::Method;
use ackd::twin::webex::{RetryAfter, Settings};
use ackd::twin::{Act, Mishap, Twin};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn messages_are_fetched_as_the_samples_show_them() {
    let mut scene = Scene::new();
    let (direct, group, bot) = (scene.direct(), scene.group(), scene.bot());
    let with_text = |is: &Value, name: &str, bot: &str| {
        let sample = sample(name);
        assert_eq!(is["text"], sample["text"], "{name}");
        let sample_bot = sample["mentionedPeople"][0].as_str().unwrap_or("nobody");
        let html = sample["html"].as_str().map(|html| html.replace(sample_bot, bot));
        assert!(html.is_none() || html.as_deref() == is["html"].as_str(), "{name}: {is:#}");
    };
    for (name, room, text) in [
        ("messages_get_direct", &direct, "how much today?"),
        ("messages_get_emoji", &direct, "sun ☀️ 👍🏽"),
        ("messages_get_group_mention", &group, "how much today?"),
        ("messages_get_group_mention_in_the_middle", &group, "could you, @bot, say this week?"),
    ] {
        scene.say(room.clone(), text);
        let fetched = scene.fetched();
        has_shape_of(&fetched, name);
        with_text(&fetched, name, &bot);
    }
    let thread = scene.last().id;
    scene.act(Act::SayInThread { conversation: group, thread: thread.clone(), text: "and this week?".to_owned() });
    let mut fetched = scene.fetched();
    // The sample lacks the HTML that every mention has.
    assert!(fetched.as_object_mut().unwrap().remove("html").is_some());
    has_shape_of(&fetched, "messages_get_thread");
    with_text(&fetched, "messages_get_thread", &bot);
    assert_eq!(fetched["parentId"], json!(thread));

    scene.act(Act::Show { conversation: direct, url: "https://x.example/a.png".to_owned() });
    has_shape_of(&scene.fetched(), "messages_get_file_only");
    scene.said(json!({ "text": "14.2 kWh today" })).good();
    has_shape_of(&scene.fetched(), "messages_get_own");
}

#[test]
fn a_mention_may_have_the_bare_uuid() {
    let mut scene = Scene::with(Settings { bare_mentions: true, ..settings() });
    scene.say(scene.group(), "how much today?");
    let (fetched, bot) = (scene.fetched(), scene.bot());
    has_shape_of(&fetched, "messages_get_group_mention_bare_uuid");
    let uuid = named(&bot).unwrap().strip_prefix("PEOPLE/").unwrap().to_owned();
    assert!(fetched["html"].as_str().unwrap().contains(&format!("data-object-id=\"{uuid}\"")), "{fetched}");
}

#[test]
fn people_rooms_and_memberships_are_shown_as_the_samples_show_them() {
    let mut scene = Scene::new();
    has_shape_of(&scene.get("/people/me").good(), "people_me");
    let (direct, group) = (scene.direct(), scene.group());
    scene.say(direct.clone(), "hi");
    let ada = scene.fetched()["personId"].as_str().unwrap().to_owned();
    has_shape_of(&scene.get(&format!("/people/{ada}")).good(), "people_me_person");
    assert_eq!(scene.get("/people?email=ADA@example.com").good()["items"][0]["id"], json!(ada));
    assert_eq!(scene.get("/people").refused(), 400);
    assert_eq!(scene.get("/people/x").refused(), 404);

    let room = scene.get(&format!("/rooms/{group}")).good();
    assert_eq!(shape(&room, ""), shape(&sample("unknown_resource")["data"], ""));
    let rooms = scene.get("/rooms").good();
    assert_eq!(rooms["items"].as_array().unwrap().len(), 2);
    assert_eq!(scene.get("/rooms?type=direct").good()["items"][0]["title"], json!("Ada Example"));
    assert_eq!(scene.get("/rooms?type=x").refused(), 400);

    let own = scene.get(&format!("/memberships?roomId={group}&personEmail=solar-ackd@webex.bot")).good();
    has_shape_of(&own, "memberships_list");
    assert_eq!(scene.get(&format!("/memberships?roomId={group}")).good()["items"].as_array().unwrap().len(), 2);
    assert_eq!(scene.get("/memberships").good()["items"].as_array().unwrap().len(), 2);
}

#[test]
fn webhooks_are_made_and_listed_as_the_samples_show_them() {
    let mut scene = Scene::new();
    has_shape_of(&scene.get("/webhooks").good(), "webhooks_list_empty");
    let made = scene.post("/webhooks", &sample("webhooks_create_request")).good();
    has_shape_of(&made, "webhooks_create_response");
    assert_eq!(made["secret"], json!(SECRET));
    for (name, resource) in [("ackd cards", "attachmentActions"), ("ackd memberships", "memberships")] {
        scene.subscribe(json!({ "name": name, "resource": resource }));
    }
    let listed = scene.get("/webhooks").good();
    has_shape_of(&listed, "webhooks_list");
    for (is, sample) in
        listed["items"].as_array().unwrap().iter().zip(sample("webhooks_list")["items"].as_array().unwrap())
    {
        for member in ["name", "targetUrl", "resource", "event", "secret", "ownedBy", "status"] {
            assert_eq!(is[member], sample[member]);
        }
    }
    assert_eq!(listed["items"][0], made);

    let mut scene = Scene::new();
    scene.subscribe(json!({ "targetUrl": "https://0d52ccd9.ngrok.io", "event": "all", "secret": "" }));
    has_shape_of(&scene.get("/webhooks").good(), "webhooks_list_stale_target");
}

#[test]
fn every_error_has_the_shape_of_its_sample() {
    let mut scene = Scene::new();
    let unknown = "Y2lzY29zcGFyazovL3VzL01FU1NBR0UvOTJkYjNiZTAtNDNiZC0xMWU2LThhZTktZGQ1YjNkZmMwMDAx";
    let (room, now) = scene.twin.new_room("Cellar", START).map(|(room, _)| (room, START)).unwrap();
    scene.twin.remove(&room, now).unwrap();
    let mut answers = vec![
        ("error_400", scene.get("/messages/x")),
        ("error_401", scene.request(Method::Get, "/people/me", &[("Authorization", "Bearer other")], b"")),
        ("error_403", scene.post("/messages", &json!({ "roomId": room, "text": "x" }))),
        ("error_404", scene.get(&format!("/messages/{unknown}"))),
    ];
    scene.post("/webhooks", &sample("webhooks_create_request")).good();
    answers.push(("error_409_webhook_exists", scene.post("/webhooks", &sample("webhooks_create_request"))));
    for (name, status) in [("error_423", 423), ("error_429", 429), ("error_500", 500)] {
        answers.push((name, Answered { response: scene.twin.broken(status), dispatches: Vec::new() }));
    }
    for (name, answer) in &answers {
        let status: u16 = name.split('_').nth(1).unwrap().parse().unwrap();
        assert_eq!(answer.refused(), status, "{name}");
        has_shape_of(&answer.json(), name);
        if *name != "error_409_webhook_exists" {
            assert_eq!(answer.json()["message"], sample(name)["message"]);
            assert_eq!(answer.json()["errors"], sample(name)["errors"]);
        }
    }
    assert_eq!(answers[5].1.header("Retry-After"), Some("5"));

    let gateway = scene.twin.broken(502);
    let expected = sample("error_502_not_json");
    assert_eq!(std::str::from_utf8(&gateway.body).unwrap(), expected["body"]);
    assert_eq!((gateway.status, gateway.content_type), (502, "text/html"));
}

#[test]
fn faults_on_purpose_say_what_they_are_told_to() {
    let twin = Scene::new().twin;
    for retry_after in [Some("3"), Some("soon"), None] {
        let limited = twin.limited(retry_after);
        assert_eq!((limited.status, header(&limited, "Retry-After")), (429, retry_after));
    }
    let expired = twin.token_expired();
    let body: Value = serde_json::from_slice(&expired.body).unwrap();
    assert_eq!((expired.status, &body["message"]), (401, &sample("error_401")["message"]));
    assert_eq!(body["trackingId"].as_str(), header(&expired, "trackingId"));
    assert_ne!(header(&twin.broken(503), "trackingId"), header(&twin.broken(503), "trackingId"));
}

#[test]
fn a_mishap_has_webexs_words_and_each_limit_says_of_the_wait_what_it_shall() {
    let retry_after = vec![RetryAfter::Right, RetryAfter::Missing, RetryAfter::Nonsense, RetryAfter::TooSoon];
    let mut twin = Scene::with(Settings { retry_after, ..settings() }).twin;
    let busy = Mishap::Busy { left: Duration::from_millis(2100) };
    let said: Vec<_> = (0..5).map(|_| twin.mishap(busy, START)).collect();
    let waits: Vec<_> = said.iter().map(|limited| header(limited, "Retry-After")).collect();
    assert_eq!(waits, [Some("3"), None, Some("a while"), Some("0"), Some("3")]);
    for (mishap, sample_name) in
        [(busy, "error_429"), (Mishap::TokenExpired, "error_401"), (Mishap::Broken, "error_500")]
    {
        let response = twin.mishap(mishap, START);
        assert_eq!(sample_name, format!("error_{}", response.status));
        has_shape_of(&serde_json::from_slice(&response.body).unwrap(), sample_name);
    }
    let mut without = Scene::with(Settings { retry_after: Vec::new(), ..settings() }).twin;
    assert_eq!(header(&without.mishap(busy, START), "Retry-After"), None);
}

#[test]
fn a_call_without_the_token_learns_nothing() {
    let mut scene = Scene::new();
    for value in ["", "Bearer", "Bearer ", "Basic bot-token", "bot-token", "Bearer bot-token2"] {
        for path in ["/people/me", "/nowhere", "/webhooks"] {
            let answered = scene.request(Method::Get, path, &[("Authorization", value)], b"");
            assert_eq!(answered.refused(), 401, "{value} {path}");
            assert!(!String::from_utf8_lossy(&answered.response.body).contains(TOKEN));
        }
    }
    let answered = scene.request(Method::Get, "/people/me", &[("authorization", "bearer bot-token")], b"");
    assert_eq!(answered.response.status, 200);
    assert!(!format!("{:?}", scene.twin).contains(TOKEN));
}

#[test]
fn a_wrong_path_method_or_media_type_is_named() {
    let mut scene = Scene::new();
    assert_eq!(scene.get("/nowhere").refused(), 404);
    for (method, path, allow) in [
        (Method::Post, "/people/me", "GET"),
        (Method::Patch, "/messages", "GET, POST"),
        (Method::Post, "/messages/x", "GET, PUT, DELETE"),
        (Method::Delete, "/webhooks", "GET, POST"),
        (Method::Get, "/attachment/actions", "POST"),
        (Method::Put, "/attachment/actions/x", "GET"),
    ] {
        let answered = scene.call(method, path, &json!({}));
        assert_eq!((answered.refused(), answered.header("Allow")), (405, Some(allow)), "{path}");
    }
    assert_eq!(scene.post("/attachment/actions", &json!({})).refused(), 403);
    let bearer = format!("Bearer {TOKEN}");
    for (content_type, body, status) in
        [("text/plain", "{}", 415), ("application/json", "{", 400), ("application/json", "[]", 400)]
    {
        let headers = [("Authorization", &*bearer), ("Content-Type", content_type)];
        for path in ["/messages", "/webhooks"] {
            assert_eq!(
                scene.request(Method::Post, path, &headers, body.as_bytes()).refused(),
                status,
                "{content_type}"
            );
        }
    }
    let form = [("Authorization", &*bearer), ("Content-Type", "multipart/form-data; boundary=x")];
    assert_eq!(scene.request(Method::Post, "/webhooks", &form, b"--x--").refused(), 415);
    let form = "name=x+y&targetUrl=http%3A%2F%2Fbot.example.com%2F&resource=messages&event=all";
    let headers = [("Authorization", &*bearer), ("Content-Type", "application/x-www-form-urlencoded")];
    let made = scene.request(Method::Post, "/webhooks", &headers, form.as_bytes()).good();
    assert_eq!((&made["name"], &made["targetUrl"]), (&json!("x y"), &json!("http://bot.example.com/")));
}
