//! The digest bot's pages with the real binary: what a chat builder is told while Facebook hangs, and what somebody with a
//! socket gets who tries this and that at the door.

use crate::digest::{age, calls, forget, scene};
use crate::facebook::Week;
use crate::scene::{PAGE, SPACE, Scene, WEEKLY, say};
use crate::shared::PATIENCE;
use crate::shared::browser::CANARY;
use ackd::twin::ledger::SentEntry;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

pub const JSON: &str = "/weekly?format=json";
pub const SECRET: (&str, &str) = ("X-Ackd-Secret", WEEKLY);
/// Visits at once.
const CROWD: usize = 200;

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Sends these bytes.
fn send(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream
}

/// Reads an answer to its end. What was refused before all of it was sent may end in a reset.
fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    assert!(!text.contains(CANARY), "{text}");
    Answer { status: head[9..12].parse().unwrap(), head: head.to_owned(), body: body.to_owned() }
}

fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text.push_str("Host: bots.example.org\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    format!("{text}\r\n{body}")
}

pub fn get(scene: &Scene, target: &str, headers: &[(&str, &str)]) -> Answer {
    read(send(scene.daemon.address, &request("GET", target, headers, "")))
}

/// What a chat builder is told; it keeps to the rules of its JSON (graph.md §7).
fn json(scene: &Scene) -> Value {
    let answer = get(scene, JSON, &[SECRET]);
    assert!(answer.status == 200 && answer.head.contains("Content-Type: application/json"), "{}", answer.head);
    let json: Value = serde_json::from_str(&answer.body).unwrap();
    keeps_the_rules(&json);
    json
}

fn keeps_the_rules(json: &Value) {
    let messages = json["messages"].as_array().unwrap();
    assert!(!messages.is_empty(), "an empty answer shows nothing");
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {json}")).to_owned();
    let is_link = |value: &Value| assert!(text(value).starts_with("https://"), "{value}");
    for message in messages {
        if message.get("attachment").is_none() {
            assert!(!text(&message["text"]).trim().is_empty());
            continue;
        }
        let payload = &message["attachment"]["payload"];
        assert_eq!(
            (&message["attachment"]["type"], &payload["template_type"]),
            (&"template".into(), &"generic".into())
        );
        let elements = payload["elements"].as_array().unwrap();
        assert!((1..=10).contains(&elements.len()), "{json}");
        for element in elements {
            let title = text(&element["title"]);
            assert!((1..=80).contains(&title.trim().encode_utf16().count()), "{title:?}");
            assert!(text(&element["subtitle"]).encode_utf16().count() <= 80);
            assert_eq!(element["default_action"]["type"], "web_url");
            is_link(&element["default_action"]["url"]);
            let buttons = element["buttons"].as_array().unwrap();
            assert!((1..=3).contains(&buttons.len()));
            for button in buttons {
                assert!(button["type"] == "web_url" && text(&button["title"]).len() <= 20);
                is_link(&button["url"]);
            }
        }
    }
}

/// The titles and links of a gallery.
fn gallery(json: &Value) -> Vec<(String, String)> {
    let elements = json["messages"][0]["attachment"]["payload"]["elements"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    elements.map(|element| (text(&element["title"]), text(&element["default_action"]["url"]))).collect()
}

/// The chat builder asks until there is something.
fn wait_for_gallery(scene: &Scene) -> Value {
    scene.wait_for_store("a gallery", |_| Some(json(scene)).filter(|json| !gallery(json).is_empty()))
}

#[test]
fn the_chat_builder_is_answered_from_memory_while_facebook_hangs_and_so_does_every_worker() {
    let mut scene = scene(4);
    let (told, week) = (wait_for_gallery(&scene), Week::back(1));
    let wanted: Vec<_> = week.best().into_iter().map(|post| post.url).collect();
    assert_eq!(gallery(&told).into_iter().map(|(_, url)| url).collect::<Vec<_>>(), wanted);
    let titles = gallery(&told).into_iter().map(|(title, _)| title).zip(week.best());
    for (title, post) in titles {
        assert_eq!(title.starts_with("Post of "), post.text.is_empty(), "{title}: {post:?}");
    }
    assert!(told["messages"][1]["text"].as_str().unwrap().contains(&week.sums()), "{told}");
    scene.daemon.stop();
    age(&scene, &week, 2 * 3_600_000);
    scene.daemon.restart();
    let people = [PAGE, SPACE].map(|twin| (twin, scene.conversations(twin)));

    scene.gate.shut();
    let old = json(&scene);
    assert_eq!(gallery(&old), gallery(&told));
    assert!(old["messages"][1]["text"].as_str().unwrap().contains("As of 2 h ago."), "{old}");
    scene.gate.wait_for_caller();
    // More people ask for a week that nobody knows than there are workers.
    let mut entries = Vec::new();
    for (twin, people) in &people {
        for person in people.iter().take(4) {
            entries.extend(scene.act(twin, &say(person, "this week")).into_iter().map(|entry| (*twin, entry)));
        }
    }
    // Nothing rings while Facebook is held.
    scene.wait_for_store("all of that", |_| {
        let kept = |(twin, entry): &(&str, SentEntry)| scene.house.sent(twin, entry.number).unwrap().satisfied;
        entries.iter().all(kept).then_some(())
    });
    for _ in 0..20 {
        assert_eq!(gallery(&json(&scene)), gallery(&told));
    }
    let html = get(&scene, &format!("/weekly/{WEEKLY}"), &[]);
    assert!(html.status == 200 && html.body.contains("As of 2 h ago."), "{}", html.body);
    assert!(scene.gate.has_caller(), "nobody waited for Facebook");
    assert_eq!(scene.said(SPACE).len(), 0, "everybody else does");
    scene.gate.open();
    scene.wait_until_settled();
    scene.wait_for_store("a week as new as can be", |_| {
        let text = json(&scene)["messages"][1]["text"].to_string();
        (!text.contains("As of")).then_some(())
    });
}

#[test]
fn two_hundred_who_come_at_once_while_facebook_hangs_ask_it_once_and_hold_up_nobody() {
    let mut scene = scene(1);
    wait_for_gallery(&scene);
    let look = calls(&scene);
    scene.daemon.stop();
    forget(&scene);
    scene.daemon.restart();
    let person = scene.direct(PAGE);
    scene.gate.shut();
    let page = request("GET", &format!("/weekly/{WEEKLY}"), &[], "");
    let crowd: Vec<_> = (0..CROWD).map(|_| send(scene.daemon.address, &page)).collect();
    scene.gate.wait_for_caller();
    let entry = scene.act(PAGE, &say(&person, "help")).remove(0);
    scene.wait_for_store("a webhook", |_| scene.house.sent(PAGE, entry.number).unwrap().satisfied.then_some(()));
    let is_help = || scene.said(PAGE).iter().any(|said| said.text.starts_with("I tell what happened"));
    scene.wait_for_store("its answer", |_| is_help().then_some(()));
    let mut shown = 0;
    for stream in crowd {
        let answer = read(stream);
        match answer.status {
            200 => {
                shown += 1;
                assert!(answer.body.contains("The summary is being made") && answer.head.contains("Refresh: 5"));
            }
            503 => assert!(answer.head.contains("Retry-After: "), "{}", answer.head),
            status => panic!("{status}: {}", answer.body),
        }
    }
    assert!(shown > 0);
    assert!(scene.gate.has_caller(), "nobody waited for Facebook");
    scene.gate.open();
    wait_for_gallery(&scene);
    assert_eq!(calls(&scene), 2 * look, "one look is enough for all");
}

#[test]
fn whoever_tries_this_and_that_at_the_door_gets_a_short_answer_and_nothing_else() {
    let scene = scene(1);
    wait_for_gallery(&scene);
    let link = format!("/weekly/{WEEKLY}");
    let upper = WEEKLY.to_uppercase();
    let longer = format!("{WEEKLY}x");
    let encoded = format!("/weekly/%{:02X}{}", WEEKLY.as_bytes()[0], &WEEKLY[1..]);
    let bearer = format!("bEaReR {WEEKLY}");
    let long = |bytes: usize| format!("{JSON}&first%20name={}", "A".repeat(bytes));
    let get = |target: &str, headers: &[(&str, &str)]| (request("GET", target, headers, ""), target.to_owned());
    let is_json = |answer: &Answer| answer.body.starts_with("{\"messages\":[");
    // Nobody is told whether there is something.
    for (text, what) in [
        get(JSON, &[]),
        get(JSON, &[("X-Ackd-Secret", "")]),
        get(JSON, &[("X-Ackd-Secret", "guessed")]),
        get(JSON, &[("X-Ackd-Secret", &upper)]),
        get(JSON, &[("X-Ackd-Secret", &longer)]),
        get(JSON, &[("X-Ackd-Secret", &WEEKLY[1..])]),
        get(JSON, &[("X-Ackd-Secret", "guessed"), SECRET]),
        get(JSON, &[("Authorization", &bearer[7..])]),
        get(&format!("/weekly?secret={WEEKLY}"), &[]),
        get(&format!("/weekly?page={}", crate::facebook::PAGE_ID), &[]),
        get(&format!("{link}//"), &[]),
        get(&format!("/weekly/{upper}"), &[]),
        get(&format!("/weekly//{WEEKLY}"), &[]),
        get(&format!("/weekly/%2e%2e/weekly/{WEEKLY}"), &[]),
        get(&format!("/%77eekly/{WEEKLY}"), &[]),
        get(&format!("/weekly%2f{WEEKLY}"), &[]),
        get("/weekly/%2e", &[SECRET]),
        get("/weekly/..", &[SECRET]),
        get("/WEEKLY?format=json", &[SECRET]),
        (request("POST", "/weekly", &[], "{}"), "POST without a secret".to_owned()),
        (request("HEAD", "/weekly", &[], ""), "HEAD without a secret".to_owned()),
        get("/login/graph", &[]),
        get("/login/graph/done", &[]),
    ] {
        let answer = read(send(scene.daemon.address, &text));
        assert_eq!(answer.status, 404, "{what}");
    }
    for (text, what) in [
        get(JSON, &[SECRET]),
        get(JSON, &[("x-ACKD-secret", WEEKLY)]),
        get(JSON, &[("Authorization", &bearer)]),
        get("/weekly?format=json&format=html", &[SECRET]),
        get(&format!("{encoded}?format=json"), &[]),
        get(&format!("{link}/?format=json"), &[]),
        get(&format!("{JSON}&messenger%20user%20id=1&%zz&=&&x=%00%ff"), &[SECRET]),
        get(&long(7 * 1024), &[SECRET]),
        (request("POST", "/weekly", &[SECRET], "{\"first name\":\"Ada\"}"), "POST".to_owned()),
        (request("POST", "/weekly?format=json", &[SECRET], &"x".repeat(4096)), "POST of 4 KiB".to_owned()),
    ] {
        let answer = read(send(scene.daemon.address, &text));
        assert!(answer.status == 200 && is_json(&answer), "{what}: {} {}", answer.status, answer.body);
        assert!(answer.head.contains("Cache-Control: no-store"), "{}", answer.head);
    }
    let chunked = request("POST", "/weekly", &[SECRET, ("Transfer-Encoding", "chunked")], "");
    for (text, status, what) in [
        (request("GET", "/weekly?format=html&format=json", &[SECRET], ""), 200, "a page"),
        (request("GET", "/weekly?format=xml", &[SECRET], ""), 400, "a format that there is not"),
        (request("GET", "/weekly?week=next", &[SECRET], ""), 400, "a week that there is not"),
        (request("POST", "/weekly", &[SECRET], &"x".repeat(4097)), 413, "a long body"),
        (format!("{chunked}0\r\n\r\n"), 413, "a body of unknown length"),
        (request("GET", &long(14 * 1024), &[SECRET], ""), 414, "a long query"),
        (request("PUT", "/weekly", &[SECRET], ""), 405, "PUT"),
        (request("DELETE", "/weekly", &[SECRET], ""), 405, "DELETE"),
        (request("GET", "/weekly/\u{1}", &[SECRET], ""), 400, "a control sign"),
        (request("GET", JSON, &[SECRET, ("Host", "a"), ("Host", "b")], ""), 400, "two hosts"),
    ] {
        let answer = read(send(scene.daemon.address, &text));
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert!(!is_json(&answer), "{what}");
    }
    let head = read(send(scene.daemon.address, &request("HEAD", JSON, &[SECRET], "")));
    assert!(head.status == 200 && head.body.is_empty() && head.head.contains("Content-Length: "), "{}", head.head);
    assert!(is_json(&read(send(scene.daemon.address, &request("GET", JSON, &[SECRET], "")))), "it is still there");
}

#[test]
fn the_operators_door_answers_to_this_machines_names_alone_and_shows_no_secret() {
    let scene = scene(1);
    wait_for_gallery(&scene);
    let admin = scene.daemon.setup.admin.unwrap();
    let port = admin.port();
    let ask = |method: &str, target: &str, headers: &[(&str, &str)], body: &str| {
        read(send(admin, &request(method, target, headers, body)))
    };
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:80", "", "192.0.2.1"]
    {
        for target in ["/", "/weekly", "/weekly?page=104455667788990", "/login/graph", "/login/graph/done"] {
            let answer = ask("GET", target, &[("Host", host)], "");
            assert!(matches!(answer.status, 400 | 421), "{host} {target}: {}", answer.status);
            assert!(!answer.body.contains("Brot") && !answer.head.contains("Location"), "{host} {target}");
        }
    }
    let own = [("Host", format!("localhost:{port}")), ("Host", format!("{admin}"))];
    for (name, value) in &own {
        let host = (*name, value.as_str());
        let list = ask("GET", "/weekly", &[host], "");
        assert!(list.status == 200 && list.body.contains("Brot &amp; Stulle"), "{}", list.body);
        assert_eq!(ask("GET", "/weekly?page=104455667788990&week=last", &[host], "").status, 200);
        for strange in ["/weekly?page=1", "/weekly?page=..%2f..", "/weekly/x", "/weekly/%2e%2e"] {
            assert_eq!(ask("GET", strange, &[host], "").status, 404, "{strange}");
        }
        // A form that no page of ours has sent.
        for more in [("Origin", "http://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "none")] {
            assert_eq!(ask("POST", "/weekly", &[host, more], "guard=00").status, 403, "{more:?}");
        }
    }
}
