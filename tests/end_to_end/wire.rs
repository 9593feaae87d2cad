//! HTTP at its edges, on a real socket.

use crate::client::{Client, PATH, delivery, one, request, signature};
use crate::daemon::{APP_SECRET, VERIFY_TOKEN};
use crate::scene::Scene;
use ackd::limits::{BODY_BYTES_MAX, HEAD_BYTES_MAX, TARGET_BYTES_MAX};

const CLOSE: Option<&str> = Some("close");

fn signed(body: &[u8]) -> String {
    signature(APP_SECRET, body)
}

/// One request on a connection of its own; its answer, which can be read although the connection then ends.
fn refused(scene: &Scene, bytes: impl AsRef<[u8]>) -> u16 {
    let mut client = scene.client();
    client.write(bytes);
    let answer = client.read();
    assert_eq!(answer.header("Connection"), CLOSE, "{answer:?}");
    assert!(answer.text().ends_with('\n') && answer.text().len() > 5, "a reason: {answer:?}");
    client.expect_end();
    answer.status
}

#[test]
fn what_is_refused_can_read_why() {
    let mut scene = Scene::new();
    let body = one("m_1", "1", "text");
    let right = signed(body.as_bytes());
    let post = |headers: &[(&str, &str)]| request("POST", PATH, headers, &body);
    let long = "x".repeat(HEAD_BYTES_MAX);
    let table = [
        (400, b"this is no HTTP at all\r\n\r\n".to_vec()),
        (400, format!("GET {PATH} HTTP/1.1\r\n\r\n").into_bytes()),
        (400, format!("GET {PATH} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").into_bytes()),
        (400, post(&[("Content-Length", "10"), ("Content-Length", "11")])),
        (400, post(&[("Content-Length", "10"), ("Transfer-Encoding", "chunked")])),
        (400, post(&[("Content-Length", "ten")])),
        (404, request("POST", "/elsewhere", &[("X-Hub-Signature-256", &right)], &body)),
        (405, request("PUT", PATH, &[("X-Hub-Signature-256", &right)], "")),
        (401, post(&[])),
        (401, post(&[("X-Hub-Signature-256", "sha256=zz")])),
        (401, post(&[("X-Hub-Signature", "sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12")])),
        (414, format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", &long[..TARGET_BYTES_MAX]).into_bytes()),
        (431, format!("GET {PATH} HTTP/1.1\r\nHost: a\r\nX-Long: {long}\r\n\r\n").into_bytes()),
        (501, request("BREW", PATH, &[], "")),
        (505, format!("GET {PATH} HTTP/2.0\r\nHost: a\r\n\r\n").into_bytes()),
    ];
    for (status, bytes) in table {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).into_owned();
        assert_eq!(refused(&scene, bytes), status, "{start:?}");
    }
    scene.stop();
    assert_eq!(scene.events(), []);
}

#[test]
fn a_body_that_is_too_large_is_refused_while_it_is_still_being_sent() {
    let mut scene = Scene::new();
    let signature = signed(b"");
    let (most, more) = ((BODY_BYTES_MAX + 1).to_string(), (20 * BODY_BYTES_MAX).to_string());
    for (length, sent) in [(&most, BODY_BYTES_MAX / 2), (&most, BODY_BYTES_MAX + 1), (&more, 20 * BODY_BYTES_MAX)] {
        let headers = [("X-Hub-Signature-256", signature.as_str()), ("Content-Length", length.as_str())];
        let mut client = scene.client();
        client.write(request("POST", PATH, &headers, ""));
        // It may be cut off in the middle; what was said before that can still be read.
        let _ = client.try_write(vec![b'x'; sent]);
        let answer = client.read();
        assert_eq!((answer.status, answer.header("Connection")), (413, CLOSE), "{sent} of {length}: {answer:?}");
    }
    // A client that sends a good part of it before it looks is not cut off, since that could take the answer from it.
    for _ in 0..20 {
        let headers = [("X-Hub-Signature-256", signature.as_str()), ("Content-Length", most.as_str())];
        assert_eq!(refused(&scene, request("POST", PATH, &headers, vec![b'x'; BODY_BYTES_MAX / 2])), 413);
    }
    // In chunks it is only found out on the way.
    let headers = [("X-Hub-Signature-256", signature.as_str()), ("Transfer-Encoding", "chunked")];
    let mut client = scene.client();
    client.write(request("POST", PATH, &headers, ""));
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    while client.try_write(&chunk).is_ok() && !client.has_bytes() {}
    let answer = client.read();
    assert_eq!((answer.status, answer.header("Connection")), (413, CLOSE), "{answer:?}");
    // The largest that is allowed is taken, and looked at.
    let body = " ".repeat(BODY_BYTES_MAX);
    assert_eq!(scene.client().deliver_to(PATH, &body).unwrap().status, 400, "signed, but not JSON");
    scene.stop();
}

#[test]
fn requests_in_a_row_are_answered_in_their_order_on_one_connection() {
    let mut scene = Scene::new();
    let wrong = request("POST", PATH, &[("X-Hub-Signature-256", &signed(b"other bytes"))], one("m_x", "1", "x"));
    let challenge = format!("{PATH}?hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1158201444");
    let mut row = Vec::new();
    for number in 0..20 {
        row.extend(delivery(PATH, one(&format!("m_{number}"), "1", &number.to_string())));
        row.extend(request("GET", &challenge, &[], ""));
        row.extend(&wrong);
    }
    let mut client = scene.client();
    client.write(&row);
    for number in 0..20 {
        assert_eq!((client.read().status, client.read().text().as_str()), (200, "1158201444"), "{number}");
        let answer = client.read();
        assert_eq!((answer.status, answer.header("Connection")), (401, None), "{number}: {answer:?}");
    }
    // And the connection goes on.
    assert_eq!(client.deliver(&one("m_last", "1", "last")), 200);
    scene.graph.wait_for("1", 21);
    scene.stop();
    let expected: Vec<String> = (0..20).map(|number| number.to_string()).chain(["last".to_owned()]).collect();
    assert_eq!(scene.graph.texts_to("1"), expected);
}

#[test]
fn a_delivery_in_any_pieces_is_one_delivery() {
    let mut scene = Scene::new();
    let mut client = scene.client();
    for byte in delivery(PATH, one("m_bytes", "1", "byte by byte")) {
        client.write([byte]);
    }
    assert_eq!(client.read().status, 200);
    let body = one("m_chunks", "1", "chunk by chunk: äöü \u{1f44d}");
    let signature = signed(body.as_bytes());
    let headers = [("X-Hub-Signature-256", signature.as_str()), ("Transfer-Encoding", "chunked")];
    client.write(request("POST", PATH, &headers, ""));
    for piece in body.as_bytes().chunks(7) {
        client.write([format!("{:x};ext=1\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
    }
    client.write("0\r\nX-Trailer: 1\r\n\r\n");
    assert_eq!(client.read().status, 200);
    scene.graph.wait_for("1", 2);
    scene.stop();
    assert_eq!(scene.graph.texts_to("1"), ["byte by byte", "chunk by chunk: äöü \u{1f44d}"]);
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on_or_why_not() {
    let mut scene = Scene::new();
    let body = one("m_asked", "1", "after asking");
    let right = signed(body.as_bytes());
    let length = body.len().to_string();
    let asking = |path: &str, length: &str| {
        let headers = [("X-Hub-Signature-256", right.as_str()), ("Content-Length", length), ("Expect", "100-continue")];
        request("POST", path, &headers, "")
    };
    let mut client = scene.client();
    client.write(asking(PATH, &length));
    assert_eq!(client.read().status, 100);
    client.write(&body);
    assert_eq!(client.read().status, 200);
    scene.graph.wait_for("1", 1);
    assert_eq!(refused(&scene, asking("/elsewhere", &length)), 404);
    assert_eq!(refused(&scene, asking(PATH, &(BODY_BYTES_MAX + 1).to_string())), 413);
    scene.stop();
}

#[test]
fn head_is_answered_without_a_body_and_a_half_closed_connection_with_one() {
    let mut scene = Scene::new();
    let mut client = scene.client();
    client.write(request("HEAD", &format!("{PATH}?hub.mode=subscribe"), &[], ""));
    let answer = client.read_head();
    assert!([403, 405].contains(&answer.status), "{answer:?}");
    client.half_close();
    client.expect_end();

    let mut client = scene.client();
    client.write(delivery(PATH, one("m_half", "1", "half-closed")));
    client.half_close();
    let answer = client.read();
    assert_eq!((answer.status, answer.text().as_str()), (200, "EVENT_RECEIVED"));
    client.expect_end();
    scene.graph.wait_for("1", 1);
    scene.stop();
}

#[test]
fn the_end_of_a_client_is_noticed_even_if_it_comes_together_with_its_last_request() {
    let mut scene = Scene::new();
    for number in 0..200 {
        let mut client = scene.client();
        assert_eq!(client.get(PATH).status, 403);
        client.write(delivery(PATH, one(&format!("m_{number}"), "1", "my last word")));
        client.half_close();
        assert_eq!(client.read().status, 200);
        client.expect_end();
    }
    scene.stop();
}

#[test]
fn a_connection_is_kept_unless_the_client_is_old_or_says_otherwise() {
    let mut scene = Scene::new();
    let mut client = scene.client();
    for number in 0..50 {
        client.write(delivery(PATH, one(&format!("m_{number}"), "1", "again")));
        let answer = client.read();
        assert_eq!((answer.status, answer.header("Connection")), (200, None), "{answer:?}");
        assert!(answer.header("Date").is_some_and(|date| date.ends_with(" GMT")), "{answer:?}");
    }
    let body = one("m_close", "1", "and goodbye");
    client.write(request(
        "POST",
        PATH,
        &[("X-Hub-Signature-256", &signed(body.as_bytes())), ("Connection", "close")],
        &body,
    ));
    let answer = client.read();
    assert_eq!((answer.status, answer.header("Connection")), (200, CLOSE), "{answer:?}");
    client.expect_end();

    let body = one("m_old", "1", "from an old one");
    let old = request("POST", PATH, &[("X-Hub-Signature-256", &signed(body.as_bytes()))], &body);
    let old = String::from_utf8(old).unwrap().replacen("HTTP/1.1", "HTTP/1.0", 1);
    let mut client = scene.client();
    client.write(old);
    let answer = client.read();
    assert_eq!((answer.status, answer.header("Connection")), (200, CLOSE), "{answer:?}");
    client.expect_end();
    scene.graph.wait_for("1", 52);
    scene.stop();
}

#[test]
fn a_client_that_vanishes_before_its_answer_has_its_message_kept_all_the_same() {
    let mut scene = Scene::new();
    for number in 0..50 {
        let mid = format!("m_{number}");
        let client: Client = {
            let mut client = scene.client();
            client.write(delivery(PATH, one(&mid, "1", &mid)));
            client
        };
        drop(client);
    }
    // Bytes that were sent before the end arrive before it.
    scene.graph.wait_for("1", 50);
    scene.stop();
}
