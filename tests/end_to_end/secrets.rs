//! Who may come in, and what nobody may see.

use crate::client::{PATH, delivery, one, request, signature};
use crate::daemon::{APP_SECRET, PAGE_TOKEN, Setup, VERIFY_TOKEN};
use crate::graph::{Act, Answer};
use crate::scene::Scene;
use ackd::store::State;
use std::fs;

#[test]
fn what_is_not_signed_by_the_app_never_reaches_the_store() {
    let mut scene = Scene::new();
    let body = one("m_forged", "1", "a-forged-message");
    let right = signature(APP_SECRET, body.as_bytes());
    let wrong = [
        signature("another secret", body.as_bytes()),
        signature("", body.as_bytes()),
        signature(APP_SECRET, format!("{body} ").as_bytes()),
        right.replacen("sha256=", "sha1=", 1),
        right.replacen("sha256=", "", 1),
        right[..right.len() - 1].to_owned(),
        format!("{right}0"),
        String::new(),
    ];
    for signature in &wrong {
        let mut client = scene.client();
        client.write(request("POST", PATH, &[("X-Hub-Signature-256", signature)], &body));
        assert_eq!(client.read().status, 401, "{signature}");
    }
    let mut client = scene.client();
    client.write(request("POST", PATH, &[], &body));
    assert_eq!(client.read().status, 401);
    // The first of two signatures counts, wherever the right one stands.
    let mut client = scene.client();
    client.write(request("POST", PATH, &[("X-Hub-Signature-256", &wrong[0]), ("X-Hub-Signature-256", &right)], &body));
    assert_eq!(client.read().status, 401);
    // The right one in capitals is the right one.
    let mut client = scene.client();
    let genuine = one("m_genuine", "1", "a-genuine-message");
    let capitals = format!("sha256={}", signature(APP_SECRET, genuine.as_bytes())[7..].to_uppercase());
    client.write(request("POST", PATH, &[("X-Hub-Signature-256", &capitals)], &genuine));
    assert_eq!(client.read().status, 200);
    scene.graph.wait_for("1", 1);
    scene.daemon.wait_for_line(0, "with 401");
    scene.daemon.kill();
    let files = folder(&scene);
    let holds = |text: &str| files.iter().any(|(_, bytes)| find(bytes, text));
    assert!(holds("a-genuine-message") && !holds("a-forged-message"));
    assert_eq!(scene.graph.texts_to("1"), ["a-genuine-message"]);
}

#[test]
fn the_verification_is_answered_to_whoever_knows_the_token() {
    let mut scene = Scene::new();
    let mut client = scene.client();
    let asked = |query: &str| format!("{PATH}?{query}");
    let answer =
        client.get(&asked(&format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY_TOKEN}")));
    assert_eq!((answer.status, answer.text().as_str()), (200, "1158201444"));
    assert!(answer.header("Content-Type").is_some_and(|kind| kind.starts_with("text/plain")), "{answer:?}");
    let encoded = VERIFY_TOKEN.replace('-', "%2D");
    let answer =
        client.get(&asked(&format!("hub%2Everify_token={encoded}&hub.challenge=%3Cb%3E+x&hub.mode=subscribe")));
    assert_eq!((answer.status, answer.text().as_str()), (200, "<b> x"));
    for query in [
        String::new(),
        "hub.mode=subscribe&hub.challenge=1".to_owned(),
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=".to_owned(),
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=guessed".to_owned(),
        format!("hub.mode=unsubscribe&hub.challenge=1&hub.verify_token={VERIFY_TOKEN}"),
        format!("hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}"),
        format!("hub.mode=subscribe&hub.challenge=1&hub.verify_token={VERIFY_TOKEN}x"),
    ] {
        let mut client = scene.client();
        let answer = client.get(&asked(&query));
        assert_eq!(answer.status, 403, "{query}: {answer:?}");
        assert!(!answer.text().contains(VERIFY_TOKEN), "{answer:?}");
    }
    scene.stop();
}

/// All files of the daemon's folder but those that hold its secrets.
fn folder(scene: &Scene) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for file in fs::read_dir(scene.daemon.folder.path()).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let secret = ["app_secret", "verify_token", "token_"].iter().any(|secret| name.starts_with(secret));
        if !secret && file.file_type().unwrap().is_file() {
            files.push((name, fs::read(file.path()).unwrap()));
        }
    }
    assert!(files.iter().any(|(name, _)| name == "ackd.db"));
    files
}

fn find(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn of_a_request_is_kept_how_it_came_and_nothing_that_could_be_a_secret() {
    let scene = Scene::with(Setup { log: "trace", ..Setup::default() });
    let body = one("m_1", "1", "hello");
    let signature = signature(APP_SECRET, body.as_bytes());
    let secrets = ["canary-authorization", "canary-cookie", "canary-unknown", "canary-query", &signature];
    let headers = [
        ("Authorization", "Bearer canary-authorization"),
        ("Cookie", "session=canary-cookie"),
        ("X-Nobody-Knows", "canary-unknown"),
        ("X-Hub-Signature-256", &signature),
        ("X-Forwarded-For", "2a03:2880:10ff::1"),
    ];
    let mut client = scene.client();
    client.write(request("POST", &format!("{PATH}?access_token=canary-query"), &headers, &body));
    assert_eq!(client.read().status, 200);
    let life = scene.wait_for_state("m_1", State::Answered);
    let head = format!(
        "POST {PATH}?access_token=***\nHost: bots.example.org\nUser-Agent: facebookexternalua\nAuthorization: *** (27 \
         bytes)\nCookie: *** (21 bytes)\nX-Nobody-Knows: *** (14 bytes)\nX-Hub-Signature-256: *** (71 bytes)\n\
         X-Forwarded-For: 2a03:2880:10ff::1\nContent-Length: {}\n",
        body.len()
    );
    assert_eq!(life.head, Some(head));
    // Before it is tidied up: with the log beside the store.
    let files = folder(&scene);
    assert!(files.iter().any(|(_, bytes)| find(bytes, "2a03:2880:10ff::1")), "the head is among them");
    let log = scene.daemon.log();
    for secret in secrets {
        let within = files.iter().find(|(_, bytes)| find(bytes, secret));
        assert_eq!(within.map(|(name, _)| name), None, "{secret}");
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn no_secret_is_in_a_log_line_the_store_or_the_process_table_whatever_happens() {
    let secrets = [APP_SECRET, PAGE_TOKEN, VERIFY_TOKEN];
    let mut scene = Scene::with(Setup { secrets_in_files: true, log: "trace", ..Setup::default() });
    let process = |scene: &Scene, file: &str| fs::read(format!("/proc/{}/{file}", scene.daemon.pid())).unwrap();
    let mut outside = process(&scene, "cmdline");
    outside.extend(process(&scene, "environ"));
    // All that can go wrong, with an upstream that repeats what it was told.
    let gossip = format!(
        r#"{{"error":{{"message":"Malformed access token {PAGE_TOKEN} of app {APP_SECRET}: {}","code":190}}}}"#,
        &PAGE_TOKEN[..20]
    );
    scene.graph.plan("1", 1, Act::Refuse(Answer::new(500, format!("no JSON, but {PAGE_TOKEN}"))));
    scene.graph.plan("2", 1, Act::Refuse(Answer::sample(400, "error_100_param")));
    scene.graph.plan("3", 1, Act::Lose);
    scene.graph.plan("5", 1, Act::Refuse(Answer::new(400, gossip)));
    for person in ["1", "2", "3", "4"] {
        assert_eq!(scene.deliver(&one(&format!("m_{person}"), person, "hello")), 200);
    }
    let states = [("m_1", State::Answered), ("m_2", State::Dead), ("m_3", State::Unknown), ("m_4", State::Answered)];
    for (mid, state) in states {
        scene.wait_for_state(mid, state);
    }
    for token in [VERIFY_TOKEN, &format!("{VERIFY_TOKEN}x"), "guessed"] {
        for path in [PATH, "/elsewhere"] {
            scene.client().get(&format!("{path}?hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}"));
        }
    }
    let mut client = scene.client();
    let headers = [("Authorization", PAGE_TOKEN), ("X-Hub-Signature-256", APP_SECRET)];
    client.write(request("POST", PATH, &headers, one("m_x", "1", "x")));
    assert_eq!(client.read().status, 401);
    let mut client = scene.client();
    client.write(&delivery(PATH, one("m_y", "1", "y"))[..50]);
    drop(client);
    scene.daemon.kill();
    scene.daemon.restart();
    outside.extend(process(&scene, "cmdline"));
    outside.extend(process(&scene, "environ"));
    scene.graph.go_away();
    assert_eq!(scene.deliver(&one("m_gone", "6", "hello")), 200);
    scene.wait_for_life("m_gone", "tried", |life| life.replies.first().is_some_and(|reply| !reply.attempts.is_empty()));
    scene.graph.come_back();
    scene.graph.wait_for("6", 1);
    // The last of it, since after this the page is locked.
    assert_eq!(scene.deliver(&one("m_5", "5", "hello")), 200);
    scene.daemon.wait_for_line(0, "error 190");
    let running = folder(&scene);
    scene.stop();

    let log = scene.daemon.log();
    // The finest lines that a release has, too.
    let fine = log.lines().any(|line| line.contains("DEBUG connection closed"));
    assert!(fine, "this log does not say enough to give anything away");
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "in the log");
        for (name, bytes) in running.iter().chain(&folder(&scene)) {
            assert!(!find(bytes, secret), "{secret} is in {name}");
        }
        assert!(!find(&outside, secret), "{secret} can be seen in the process table");
    }
    // Not even the beginning of a token that came back cut short.
    assert!(!log.contains(&PAGE_TOKEN[..20]), "the beginning of the token is in the log");
}
