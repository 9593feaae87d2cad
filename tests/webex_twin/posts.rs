//! What a bot may say, edit and delete, and what is refused.

use crate::scene::{API, START, Scene, has_shape_of, sample, told};
use ackd::model::Method;
use ackd::twin::{Act, Side, Twin};
use serde_json::{Value, json};

#[test]
fn what_the_samples_post_is_taken() {
    let mut scene = Scene::new();
    let (direct, group) = (scene.direct(), scene.group());
    let mut plain = sample("messages_post_request");
    plain["roomId"] = json!(direct);
    let answer = scene.post("/messages", &plain).good();
    has_shape_of(&answer, "messages_post_response");
    assert_eq!((&answer["text"], &answer["personEmail"]), (&plain["text"], &json!("solar-ackd@webex.bot")));
    assert_eq!((scene.last().side, &*scene.last().text), (Side::Bot, "14.2 kWh today"));

    scene.say(group.clone(), "how much today?");
    let mut markdown = sample("messages_post_markdown_request");
    (markdown["roomId"], markdown["parentId"]) = (json!(group), json!(scene.last().id));
    let answer = scene.post("/messages", &markdown).good();
    assert_eq!((&answer["markdown"], &answer["parentId"]), (&markdown["markdown"], &markdown["parentId"]));
    assert_eq!(
        (&answer["text"], &answer["html"]),
        (&json!("14.2 kWh today"), &json!("<p><strong>14.2 kWh</strong> today</p>"))
    );
    assert_eq!(
        (scene.last().thread, scene.last().text),
        (markdown["parentId"].as_str().map(str::to_owned), "**14.2 kWh** today".to_owned()),
        "clients show the markup"
    );

    let answer = scene.post("/messages", &sample("messages_post_to_email_request")).good();
    assert_eq!(answer["roomId"], json!(direct));
    let mut card = sample("messages_post_card_request");
    card["roomId"] = json!(direct);
    scene.post("/messages", &card).good();
}

#[test]
fn a_message_to_a_person_opens_their_room_once() {
    let mut scene = Scene::subscribed();
    let members = json!({ "toPersonEmail": "New@Example.com", "text": "hi" });
    let answered = scene.post("/messages", &members);
    assert_eq!(answered.dispatches.len(), 2, "the membership and the message");
    let (room, again) = (answered.good()["roomId"].clone(), scene.post("/messages", &members));
    assert_eq!((again.dispatches.len(), &again.json()["roomId"]), (1, &room));
    assert_eq!(scene.twin.conversations().len(), 3);
    let id = scene.get("/people?email=new@example.com").good()["items"][0]["id"].clone();
    assert_eq!(scene.post("/messages", &json!({ "toPersonId": id, "text": "hi" })).good()["roomId"], room);
    scene.say(room.as_str().unwrap().to_owned(), "hello");
    assert_eq!(scene.fetched()["personEmail"], json!("new@example.com"));

    let bot = scene.bot();
    for (members, status) in [
        (json!({ "toPersonEmail": "nobody", "text": "hi" }), 400),
        (json!({ "toPersonEmail": "a b@example.com", "text": "hi" }), 400),
        (json!({ "toPersonEmail": format!("{}@example.com", "a".repeat(300)), "text": "hi" }), 400),
        (json!({ "toPersonId": "x", "text": "hi" }), 404),
        (json!({ "toPersonId": bot, "text": "hi" }), 400),
        (json!({ "toPersonEmail": "solar-ackd@webex.bot", "text": "hi" }), 400),
        (json!({ "toPersonEmail": "other@example.com", "text": "" }), 400),
        (json!({ "toPersonEmail": "other@example.com", "text": "hi", "parentId": "x" }), 400),
    ] {
        assert_eq!(scene.post("/messages", &members).refused(), status, "{members}");
    }
    assert_eq!(scene.twin.conversations().len(), 3, "a refused message opens no room");
}

#[test]
fn a_text_has_7439_bytes_at_most() {
    let mut scene = Scene::new();
    // Two bytes each, and one to be odd.
    let longest = format!("x{}", "ü".repeat(3719));
    assert_eq!(longest.len(), 7439);
    for member in ["text", "markdown"] {
        let answer = scene.said(json!({ member: longest })).good();
        assert_eq!(answer[member], json!(longest));
        assert_eq!(scene.said(json!({ member: format!("{longest}x") })).refused(), 400);
        assert_eq!(scene.said(json!({ member: "ü".repeat(3720) })).refused(), 400);
    }
    scene.said(json!({ "text": longest, "markdown": longest })).good();
    let act = |text| Act::Say { conversation: scene.direct(), text, mentions: true };
    let (fits, too_long) = (act(longest.clone()), act(format!("{longest}x")));
    assert!(scene.twin.act(&fits, START).is_ok() && scene.twin.act(&too_long, START).is_err());
    // A mention counts, too.
    let to_group = Act::Say { conversation: scene.group(), text: longest, mentions: true };
    assert!(scene.twin.act(&to_group, START).is_err());
}

#[test]
fn a_message_that_webex_would_refuse_is_refused() {
    let mut scene = Scene::new();
    let (direct, unknown) = (scene.direct(), sample("messages_post_request")["roomId"].clone());
    let card = sample("messages_post_card_request")["attachments"][0].clone();
    let other = |member: &str, value: Value| {
        let mut card = card.clone();
        card[member] = value;
        json!({ "text": "x", "attachments": [card] })
    };
    for members in [
        json!({}),
        json!({ "text": "" }),
        json!({ "text": null }),
        json!({ "text": 1 }),
        json!({ "files": [] }),
        json!({ "files": ["https://x.example/a", "https://x.example/b"] }),
        json!({ "files": "https://x.example/a" }),
        json!({ "files": ["/etc/passwd"] }),
        json!({ "files": ["http://127.0.0.1/a"] }),
        json!({ "files": [format!("{API}/contents/x")] }),
        json!({ "attachments": [card] }),
        json!({ "files": ["https://x.example/a"], "attachments": [card] }),
        json!({ "text": "x", "attachments": [card, card] }),
        other("contentType", json!("application/json")),
        other("content", json!({})),
        json!({ "text": "x", "toPersonEmail": "ada@example.com" }),
        json!({ "text": "x", "parentId": "x" }),
    ] {
        assert_eq!(scene.said(members.clone()).refused(), 400, "{members}");
    }
    for (members, status) in [
        (json!({ "text": "x" }), 400),
        (json!({ "text": "x", "roomId": unknown }), 404),
        (json!({ "text": "x", "roomId": "x" }), 400),
        (json!({ "text": "x", "roomId": direct, "toPersonId": "x" }), 400),
    ] {
        assert_eq!(scene.post("/messages", &members).refused(), status, "{members}");
    }
    assert_eq!(scene.twin.bubbles(0), []);
}

#[test]
fn a_thread_hangs_from_a_top_message_of_its_room() {
    let mut scene = Scene::new();
    scene.say(scene.direct(), "one");
    let top = scene.last().id;
    let reply = scene.said(json!({ "text": "two", "parentId": top })).good();
    assert_eq!(reply["parentId"], json!(top));
    assert_eq!(scene.said(json!({ "text": "x", "parentId": reply["id"] })).refused(), 400);
    let in_group = json!({ "roomId": scene.group(), "text": "x", "parentId": top });
    assert_eq!(scene.post("/messages", &in_group).refused(), 400);
    // A person who answers a reply stays in its thread.
    let thread = reply["id"].as_str().unwrap().to_owned();
    scene.act(Act::SayInThread { conversation: scene.direct(), thread, text: "three".to_owned() });
    assert_eq!(scene.last().thread.as_ref(), Some(&top));
    let now = scene.now;
    scene.twin.delete(&top, now).unwrap();
    assert_eq!(scene.said(json!({ "text": "x", "parentId": top })).refused(), 400);
}

#[test]
fn a_file_is_handed_out_under_a_url_that_wants_the_token() {
    let mut scene = Scene::new();
    let source = "https://x.example/a.png";
    let answer = scene.said(json!({ "files": [source] })).good();
    let url = answer["files"][0].as_str().unwrap().to_owned();
    let path = url.strip_prefix(API).unwrap();
    let content = scene.get(path);
    assert_eq!((content.response.status, content.header("Location")), (302, Some(source)));
    assert_eq!(scene.request(Method::Get, path, &[], b"").refused(), 401);
    assert_eq!(scene.last().pictures, [source]);
    assert_eq!(scene.get("/contents/x").refused(), 404);
    let id = scene.last().id;
    assert_eq!(scene.call(Method::Delete, &format!("/messages/{id}"), &Value::Null).response.status, 204);
    assert_eq!(scene.get(path).refused(), 404);
    assert_eq!((&*scene.last().text, scene.last().pictures), ("(deleted)", Vec::new()));

    // One in a group that does not mention the bot is none of its business.
    scene.act(Act::Show { conversation: scene.group(), url: source.to_owned() });
    let id = scene.last().id;
    assert_eq!(scene.get(&format!("/messages/{id}")).refused(), 404);
}

#[test]
fn the_bot_edits_and_deletes_what_it_said_and_nothing_else() {
    let mut scene = Scene::new();
    scene.subscribe(json!({ "event": "all" }));
    let direct = scene.direct();
    let first = scene.said(json!({ "text": "14 kWh" })).good();
    let path = format!("/messages/{}", first["id"].as_str().unwrap());
    scene.wait(60);
    let answered = scene.call(Method::Put, &path, &json!({ "roomId": direct, "markdown": "**15** kWh" }));
    assert_eq!(told(&answered.dispatches)["event"], json!("updated"));
    let edited = answered.good();
    assert_eq!((&edited["text"], &edited["updated"]), (&json!("15 kWh"), &json!("2025-11-21T08:01:00.111Z")));
    assert_eq!(scene.get(&path).good(), edited);
    assert_eq!(scene.last().text, "**15** kWh");
    for (members, status) in [
        (json!({ "text": "x" }), 400),
        (json!({ "roomId": direct }), 400),
        (json!({ "roomId": scene.group(), "text": "x" }), 400),
        (json!({ "roomId": direct, "text": "x".repeat(7440) }), 400),
    ] {
        assert_eq!(scene.call(Method::Put, &path, &members).refused(), status, "{members}");
    }
    let deleted = scene.call(Method::Delete, &path, &Value::Null);
    assert_eq!((deleted.response.status, &deleted.response.body[..]), (204, &b""[..]));
    assert_eq!(told(&deleted.dispatches)["event"], json!("deleted"));
    assert_eq!(scene.get(&path).refused(), 404);
    assert_eq!(scene.call(Method::Delete, &path, &Value::Null).refused(), 404);
    assert_eq!(scene.last().text, "(deleted)");

    scene.say(direct.clone(), "hi");
    let theirs = format!("/messages/{}", scene.last().id);
    assert_eq!(scene.call(Method::Delete, &theirs, &Value::Null).refused(), 403);
    assert_eq!(scene.call(Method::Put, &theirs, &json!({ "roomId": direct, "text": "x" })).refused(), 403);
    let picture = scene.said(json!({ "files": ["https://x.example/a"] })).good();
    let picture = format!("/messages/{}", picture["id"].as_str().unwrap());
    assert_eq!(scene.call(Method::Put, &picture, &json!({ "roomId": direct, "text": "x" })).refused(), 400);
}

#[test]
fn edits_and_deletions_are_told_only_to_those_who_asked() {
    let mut scene = Scene::subscribed();
    scene.say(scene.group(), "hi");
    let (id, now) = (scene.last().id, scene.now);
    assert_eq!(scene.twin.edit(&id, "ho", now), Ok(Vec::new()));
    assert_eq!(scene.fetched()["text"], json!("Solar ho"));
    assert_eq!(scene.twin.delete(&id, now), Ok(Vec::new()));
    assert_eq!(scene.twin.edit(&id, "x", now), Err("there is no such message".to_owned()));
    scene.said(json!({ "text": "mine" })).good();
    let own = scene.last().id;
    assert!(scene.twin.edit(&own, "x", now).is_err() && scene.twin.delete(&own, now).is_err());
}

#[test]
fn messages_are_listed_page_by_page_the_newest_first() {
    let mut scene = Scene::new();
    let (direct, group) = (scene.direct(), scene.group());
    for number in 0..5 {
        scene.say(direct.clone(), &number.to_string());
        scene.say(group.clone(), &number.to_string());
    }
    scene.act(Act::Say { conversation: group.clone(), text: "unheard".to_owned(), mentions: false });
    let mut texts = Vec::new();
    let mut next = Some(format!("/messages?roomId={direct}&max=2"));
    let mut pages = 0;
    while let Some(target) = next {
        let answered = scene.get(&target);
        next = answered.header("Link").map(|link| {
            let url = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
            url.strip_prefix(API).unwrap().to_owned()
        });
        let page = answered.good();
        let page = page["items"].as_array().unwrap();
        texts.extend(page.iter().map(|item| item["text"].as_str().unwrap().to_owned()));
        pages += 1;
    }
    assert_eq!((pages, texts), (3, ["4", "3", "2", "1", "0"].map(str::to_owned).to_vec()));

    assert_eq!(scene.get(&format!("/messages?roomId={group}")).refused(), 403);
    let mentioned = scene.get(&format!("/messages?roomId={group}&mentionedPeople=me")).good();
    assert_eq!(mentioned["items"].as_array().unwrap().len(), 5);
    assert_eq!(scene.get("/messages").refused(), 400);
    assert_eq!(scene.get(&format!("/messages?roomId={direct}&max=null")).refused(), 400);
}
