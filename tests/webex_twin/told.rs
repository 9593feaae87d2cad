//! What the bot's webhooks are told, against the samples of notifications.

use crate::scene::{API, SECRET, START, Scene, has_shape_of, kind, sample, told};
use ackd::model::Method;
use ackd::twin::webex::PATIENCE;
use ackd::twin::{Act, Twin};
use ring::hmac;
use serde_json::{Map, json};

#[test]
fn what_people_write_is_told_in_the_shape_of_the_samples() {
    let mut scene = Scene::subscribed();
    let (direct, group) = (scene.direct(), scene.group());
    let dispatches = scene.say(direct.clone(), "how much today?");
    has_shape_of(&told(&dispatches), "message_created_direct");
    has_shape_of(&told(&dispatches), "message_created_direct_pretty");
    let first = scene.last().id;

    has_shape_of(&told(&scene.say(group.clone(), "how much today?")), "message_created_group_mention");
    let thread = scene.last().id;
    let in_thread = Act::SayInThread { conversation: group, thread, text: "and this week?".to_owned() };
    has_shape_of(&told(&scene.act(in_thread)), "message_created_thread_reply");
    let url = "https://x.example/a.png".to_owned();
    has_shape_of(&told(&scene.act(Act::Show { conversation: direct, url })), "message_created_file");

    for event in ["updated", "deleted"] {
        scene.subscribe(json!({ "event": event }));
    }
    let now = scene.now;
    has_shape_of(&told(&scene.twin.edit(&first, "how much?", now).unwrap()), "message_updated");
    // What was edited before it was deleted says so still.
    assert_eq!(
        told(&scene.twin.delete(&first, now).unwrap())["data"]["updated"].as_str().map(kind).as_deref(),
        Some("moment")
    );
}

#[test]
fn a_deleted_message_is_told_without_when_it_was_updated() {
    let mut scene = Scene::new();
    scene.subscribe(json!({ "event": "deleted" }));
    scene.say(scene.direct(), "oops");
    let (id, now) = (scene.last().id, scene.now);
    has_shape_of(&told(&scene.twin.delete(&id, now).unwrap()), "message_deleted");
}

#[test]
fn a_notification_has_no_text_and_says_what_happened_to_whom() {
    let mut scene = Scene::new();
    let webhook = scene.subscribe(json!({ "name": "ackd messages" }));
    let dispatches = scene.say(scene.group(), "how much today?");
    let body = String::from_utf8(dispatches[0].body.clone()).unwrap();
    assert!(!body.contains("how much") && !body.contains(SECRET), "{body}");
    let (is, message, bot) = (told(&dispatches), scene.fetched(), scene.bot());
    assert_eq!((&is["id"], &is["createdBy"]), (&json!(webhook), &json!(bot)));
    assert_eq!((&is["actorId"], &is["data"]["personId"]), (&message["personId"], &message["personId"]));
    assert_eq!((&is["data"]["id"], &is["data"]["roomId"]), (&message["id"], &message["roomId"]));
    assert_eq!(is["data"]["mentionedPeople"], json!([bot]));
    assert_eq!((&dispatches[0].url, dispatches[0].method), (&"https://bot.example.com/webex".to_owned(), Method::Post));
    assert_eq!((dispatches[0].attempt, dispatches[0].due, dispatches[0].patience), (1, START, PATIENCE));
}

#[test]
fn a_webhook_with_a_secret_is_signed_and_one_without_is_not() {
    let mut scene = Scene::new();
    scene.subscribe(json!({ "name": "signed" }));
    scene.subscribe(json!({ "name": "unsigned", "secret": null }));
    let dispatches = scene.say(scene.direct(), "hi");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
    let tag: String = hmac::sign(&key, &dispatches[0].body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(dispatches[0].headers, [("X-Spark-Signature", tag)]);
    assert_eq!((dispatches.len(), &dispatches[1].headers[..]), (2, &[][..]));
    assert_eq!(scene.last().dispatch, Some(dispatches[0].number));
    assert!(dispatches[0].number < dispatches[1].number);
}

#[test]
fn the_bot_hears_itself() {
    let mut scene = Scene::subscribed();
    let answered = scene.said(json!({ "text": "14.2 kWh today" }));
    let bot = scene.bot();
    has_shape_of(&told(&answered.dispatches), "own_message");
    assert_eq!(told(&answered.dispatches)["actorId"], json!(bot));
    let in_group = scene.post("/messages", &json!({ "roomId": scene.group(), "text": "hi" }));
    assert_eq!(told(&in_group.dispatches)["data"]["personId"], json!(bot));
}

#[test]
fn in_a_group_the_bot_is_told_only_of_what_mentions_it() {
    let mut scene = Scene::subscribed();
    let group = scene.group();
    let unheard = Act::Say { conversation: group.clone(), text: "lunch?".to_owned(), mentions: false };
    assert_eq!(scene.act(unheard), []);
    let (bubble, url) = (scene.last(), "https://x.example/a.png".to_owned());
    assert_eq!((&*bubble.text, bubble.dispatch), ("lunch?", None));
    assert_eq!(scene.get(&format!("/messages/{}", bubble.id)).refused(), 404);
    assert_eq!(scene.act(Act::Show { conversation: group, url }), []);
}

#[test]
fn coming_into_a_room_and_leaving_it_are_told_in_the_shape_of_the_samples() {
    let mut scene = Scene::subscribed();
    scene.subscribe(json!({ "resource": "memberships", "event": "deleted" }));
    let (room, dispatches) = scene.twin.new_room("Cellar", START).unwrap();
    has_shape_of(&told(&dispatches), "membership_created");
    assert_eq!(told(&dispatches)["data"]["personId"], json!(scene.bot()));
    assert_eq!(scene.get(&format!("/rooms/{room}")).good()["title"], json!("Cellar"));
    assert_eq!(scene.twin.take_in(&room, START), Err("the bot is in this room already".to_owned()));

    scene.say(room.clone(), "hi");
    let id = scene.last().id;
    has_shape_of(&told(&scene.twin.remove(&room, START).unwrap()), "membership_deleted");
    assert_eq!(scene.say(room.clone(), "gone?"), []);
    for path in [format!("/rooms/{room}"), format!("/messages/{id}"), format!("/memberships?roomId={room}")] {
        assert_eq!(scene.get(&path).refused(), 404, "{path}");
    }
    let answered = scene.post("/messages", &json!({ "roomId": room, "text": "hi" }));
    assert_eq!(answered.refused(), 403);
    assert_eq!(scene.twin.take_in(&room, START).unwrap().len(), 1);
    scene.get(&format!("/messages/{id}")).good();
    let direct = scene.direct();
    assert_eq!(scene.twin.remove(&direct, START), Err("nobody leaves a direct room".to_owned()));
}

#[test]
fn a_tap_on_a_card_becomes_an_attachment_action() {
    let mut scene = Scene::subscribed();
    let (conversation, mut card) = (scene.direct(), sample("messages_post_card_request"));
    card["roomId"] = json!(conversation);
    let answer = scene.post("/messages", &card).good();
    assert_eq!(answer["attachments"], card["attachments"]);
    let bubble = scene.last();
    assert_eq!((&*bubble.text, &*bubble.cards[0].title), ("", "Which figures?"));
    assert_eq!((&*bubble.choices[0].title, bubble.cards[0].choices.clone()), ("This week", 0..1));

    let tap = |choice| Act::Tap { conversation: conversation.clone(), bubble: bubble.id.clone(), choice };
    let notification = told(&scene.act(tap(0)));
    has_shape_of(&notification, "attachment_action");
    let action = scene.get(&format!("/attachment/actions/{}", notification["data"]["id"].as_str().unwrap())).good();
    has_shape_of(&action, "attachment_action_get");
    assert_eq!(action["inputs"], json!({ "ask": "week" }));
    assert_eq!(action["messageId"], json!(bubble.id));

    assert_eq!(scene.twin.act(&tap(1), START), Err("this card has no choice 1".to_owned()));
    let elsewhere = Act::Tap { conversation: scene.group(), bubble: bubble.id.clone(), choice: 0 };
    assert_eq!(scene.twin.act(&elsewhere, START), Err("there is no such message in this room".to_owned()));
    assert_eq!(scene.get("/attachment/actions/x").refused(), 404);
    let nowhere = Act::Say { conversation: "x".to_owned(), text: "hi".to_owned(), mentions: true };
    let rooms: Vec<_> = scene.twin.conversations().iter().map(|room| format!("{} ({})", room.id, room.title)).collect();
    let named = format!("\"x\" is no room here; write one of {}", rooms.join(", "));
    assert!(rooms.len() > 1, "{rooms:?}");
    assert_eq!(scene.twin.act(&nowhere, START), Err(named));
}

#[test]
fn a_bot_that_left_a_room_learns_nothing_of_what_it_left_there() {
    let mut scene = Scene::subscribed();
    let group = scene.group();
    let mut card = sample("messages_post_card_request");
    card["roomId"] = json!(group);
    scene.post("/messages", &card).good();
    let bubble = scene.last().id;
    let tap = Act::Tap { conversation: group.clone(), bubble, choice: 0 };
    let notification = told(&scene.act(tap.clone()));
    let action = format!("/attachment/actions/{}", notification["data"]["id"].as_str().unwrap());
    let file = json!({ "roomId": group, "files": ["https://x.example/a"] });
    let url = scene.post("/messages", &file).good()["files"][0].as_str().unwrap().to_owned();
    let content = url.strip_prefix(API).unwrap().to_owned();

    scene.twin.remove(&group, START).unwrap();
    assert_eq!(scene.act(tap), []);
    for path in [&action, &content] {
        assert_eq!(scene.get(path).refused(), 404, "{path}");
    }
    scene.twin.take_in(&group, START).unwrap();
    assert_eq!((scene.get(&action).response.status, scene.get(&content).response.status), (200, 302));
}

#[test]
fn what_a_bot_asks_changes_no_id_of_what_is_said() {
    let said = |asks| {
        let mut scene = Scene::new();
        (0..asks).for_each(|_| drop(scene.get("/people/me")));
        scene.say(scene.direct(), "hi");
        scene.last().id
    };
    assert_eq!(said(0), said(3));
}

#[test]
fn what_is_filled_into_a_card_comes_with_it_and_a_link_tells_nothing() {
    let mut scene = Scene::subscribed();
    let content = json!({ "type": "AdaptiveCard", "version": "1.3", "body": [
        { "type": "TextBlock", "text": "Who?" }, { "type": "Input.Text", "id": "name" },
    ], "actions": [
        { "type": "Action.OpenUrl", "title": "page", "url": "https://x.example" },
        { "type": "Action.Submit", "title": "send" },
    ] });
    let content_type = "application/vnd.microsoft.card.adaptive";
    let attachment = json!({ "contentType": content_type, "content": content });
    scene.said(json!({ "text": "Who?", "attachments": [attachment] })).good();
    let id = scene.last().id;
    assert_eq!(scene.twin.submit(&id, 0, &Map::new(), START), Ok(Vec::new()));
    let filled = json!({ "name": "Ada" });
    let notification = told(&scene.twin.submit(&id, 1, filled.as_object().unwrap(), START).unwrap());
    let action = scene.get(&format!("/attachment/actions/{}", notification["data"]["id"].as_str().unwrap())).good();
    assert_eq!(action["inputs"], filled);
    let long = json!({ "name": "x".repeat(20_000) });
    assert!(scene.twin.submit(&id, 1, long.as_object().unwrap(), START).is_err());
}

#[test]
fn what_is_told_of_one_room_goes_in_one_lane_and_of_another_in_another() {
    let mut scene = Scene::subscribed();
    let (direct, group) = (scene.direct(), scene.group());
    let mut lane = |room: &String| {
        let dispatches = scene.say(room.clone(), "hi");
        scene.twin.lane(&dispatches[0])
    };
    let lanes = [&direct, &group, &direct, &group].map(&mut lane);
    assert_eq!((lanes[0], lanes[1]), (lanes[2], lanes[3]));
    assert_ne!(lanes[0], lanes[1]);
    let (room, taken_in) = scene.twin.new_room("Cellar", START).unwrap();
    let said = scene.say(room, "hi");
    assert_eq!(scene.twin.lane(&taken_in[0]), scene.twin.lane(&said[0]), "a greeting comes before the answer");
}
