//! Messages with a file in them.

use crate::scene::{API, Answered, Scene, TOKEN};
use ackd::model::Method;
use ackd::twin::Twin;
use serde_json::json;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n--x\r\n\0\xff";

/// A part: its name, how its head goes on, and its value.
type Part<'a> = (&'a str, &'a str, &'a [u8]);

const FILE: Part<'_> = ("files", "; filename=\"chart.png\"\r\nContent-Type: image/png", PNG);

fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, head, value) in parts {
        body.extend(format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"{head}\r\n\r\n").bytes());
        body.extend([value, &b"\r\n"[..]].concat());
    }
    body.extend(b"--xyz--\r\n");
    body
}

fn post(scene: &mut Scene, content_type: &str, body: &[u8]) -> Answered {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("Authorization", &*bearer), ("Content-Type", content_type)];
    scene.request(Method::Post, "/messages", &headers, body)
}

fn upload(scene: &mut Scene, parts: &[Part<'_>]) -> Answered {
    let room = scene.direct();
    let body = form(&[&[("roomId", "", room.as_bytes())], parts].concat());
    post(scene, "multipart/form-data; boundary=\"xyz\"", &body)
}

#[test]
fn a_file_is_taken_shown_and_handed_out_again() {
    let mut scene = Scene::new();
    let answer = upload(&mut scene, &[("text", "", "9 kWh ü".as_bytes()), FILE]).good();
    assert_eq!(answer["text"], json!("9 kWh ü"));
    let shown = scene.last();
    assert_eq!((&*shown.text, shown.pictures.len()), ("9 kWh ü", 1));
    assert!(shown.pictures[0].starts_with("data:image/png;base64,iVBORw0KGgo"), "{:?}", shown.pictures);
    let path = answer["files"][0].as_str().unwrap().strip_prefix(API).unwrap().to_owned();
    let content = scene.get(&path);
    assert_eq!((content.response.content_type, &*content.response.body), ("image/png", PNG));
    let parent = answer["id"].as_str().unwrap().to_owned();
    let in_thread = upload(&mut scene, &[("parentId", "", parent.as_bytes()), FILE]).good();
    assert_eq!(in_thread["parentId"], json!(parent), "a file needs no words");
    let page = ("files", "; filename=\"a.html\"\r\nContent-Type: text/html", &b"<script>"[..]);
    upload(&mut scene, &[page]).good();
    assert!(scene.last().pictures[0].starts_with("data:application/octet-stream;"), "nothing that runs");
}

#[test]
fn what_is_no_such_message_is_refused() {
    let mut scene = Scene::new();
    let large = vec![0; 256 * 1024 + 1];
    let file = |value| ("files", "; filename=\"a.png\"\r\nContent-Type: image/png", value);
    for parts in [
        &[FILE, FILE][..],
        &[file(&b""[..])],
        &[file(&large)],
        &[("files", "", &b"https://example.com/a.png"[..])],
        &[("attachments", "", b"[]"), FILE],
        &[("text", "", b"a"), ("text", "", b"b"), FILE],
        &[("text", "", b"\xff"), FILE],
        &[("text", "; filename=\"text.txt\"", b"a"), FILE],
        &[("toPersonEmail", "", b"a@example.com"), FILE],
        &[("text", "", &large), FILE],
        &[],
    ] {
        assert_eq!(
            upload(&mut scene, parts).refused(),
            400,
            "{:?}",
            parts.iter().map(|part| part.0).collect::<Vec<_>>()
        );
    }
    let whole = form(&[("text", "", b"a"), FILE]);
    for end in [0, 5, 40, whole.len() - 5] {
        assert_eq!(post(&mut scene, "multipart/form-data; boundary=xyz", &whole[..end]).refused(), 400, "{end}");
    }
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for content_type in
        ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=abc", &long]
    {
        assert_eq!(post(&mut scene, content_type, &whole).refused(), 400, "{content_type}");
    }
    assert_eq!(scene.twin.bubbles(0), []);
}
