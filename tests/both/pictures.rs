//! Pictures that a bot makes: shown at a URL of the daemon on a page, uploaded to Webex.

use crate::lost::{HALF, seed_that_cuts_only};
use crate::scene::{Cast, PAGE, SPACE, Scene, Setup, TOUR};
use ackd::model::PICTURES;
use ackd::notation::from_base64;
use ackd::store::State;
use ackd::twin::{Bubble, Side};
use rusqlite::Connection;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

const WORDS: &str = "Messages of a made-up week: Mon 120, Tue 95, Wed unknown, Thu 310, Fri 240, Sat 0, Sun 45.";
const GIF: &[u8] = b"GIF89a";

fn scene() -> Scene {
    Scene::with(Setup { bot: TOUR, ..Setup::default() }, Cast::of(1))
}

/// What the bot said on a twin after it was asked for the chart.
fn chart(scene: &Scene, twin: &str, bubbles: usize) -> Vec<Bubble> {
    scene.say(twin, &scene.direct(twin), "chart");
    let mut said = Vec::new();
    scene.wait("the chart", || {
        said = scene.house.bubbles(twin, 0).unwrap();
        said.retain(|bubble| bubble.side == Side::Bot && bubble.sign.is_none());
        said.len() == bubbles
    });
    said
}

/// An answer of the daemon: its head in lower case, and its body.
fn ask(address: SocketAddr, method: &str, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let body = answer.split_off(end);
    (String::from_utf8(answer).unwrap().to_ascii_lowercase(), body)
}

fn status(address: SocketAddr, path: &str) -> u16 {
    ask(address, "GET", path).0.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_page_is_shown_the_picture_at_a_secret_url_that_lasts_over_a_crash_and_ends() {
    let mut scene = scene();
    let said = chart(&scene, PAGE, 2);
    assert_eq!((&*said[0].text, said[0].pictures.len()), (WORDS, 0), "the words come first");
    let address = scene.daemon.address;
    let path = said[1].pictures[0].strip_prefix(&format!("http://{address}")).unwrap().to_owned();
    scene.wait_until_settled();

    let (head, gif) = ask(address, "GET", &path);
    assert!(gif.starts_with(GIF) && gif.len() < 20_000, "{} bytes", gif.len());
    for line in [
        "http/1.1 200 ok",
        "content-type: image/gif",
        "cache-control: private, max-age=86400",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'",
        &format!("content-length: {}", gif.len()),
    ] {
        assert!(head.lines().any(|found| found == line), "{line}: {head}");
    }
    let (same, nothing) = ask(address, "HEAD", &path);
    assert!(same.contains("http/1.1 200 ok") && same.contains(&format!("content-length: {}\r\n", gif.len())), "{same}");
    assert_eq!(nothing, b"");
    let other = format!("/.well-known/ackd/picture/{}.gif", "0".repeat(32));
    assert_eq!(ask(address, "GET", &other).1, ask(address, "GET", "/nothing").1, "nobody learns why");
    assert_eq!([other, path.to_uppercase(), path.replace(".gif", "")].map(|path| status(address, &path)), [404; 3]);

    scene.daemon.kill();
    scene.daemon.restart();
    assert_eq!(ask(address, "GET", &path).1, gif);
    assert!(!scene.daemon.log().contains(&path), "its name is a secret");

    scene.daemon.stop();
    let database = Connection::open(scene.daemon.store()).unwrap();
    let changed = database.execute("UPDATE memory SET expires = 1 WHERE bot = ?1", [PICTURES]).unwrap();
    assert_eq!(changed, 1);
    drop(database);
    scene.daemon.restart();
    assert_eq!(status(address, &path), 404);
}

#[test]
fn webex_is_sent_the_picture_itself_beside_the_words() {
    let scene = scene();
    let said = chart(&scene, SPACE, 1);
    assert_eq!(said[0].text, WORDS);
    let gif = from_base64(said[0].pictures[0].strip_prefix("data:image/gif;base64,").unwrap()).unwrap();
    assert!(gif.starts_with(GIF));
    scene.wait_until_settled();
    let shown = chart(&scene, PAGE, 2).remove(1).pictures.remove(0);
    let path = shown.strip_prefix(&format!("http://{}", scene.daemon.address)).unwrap();
    assert_eq!(ask(scene.daemon.address, "GET", path).1, gif, "both see the same");
}

#[test]
fn a_picture_whose_answer_was_lost_is_settled_by_its_words_coming_back() {
    let scene = scene();
    scene.say(SPACE, &scene.direct(SPACE), "hello");
    scene.wait_until_settled();
    // A look-up, the picture, and the look-up of what came back.
    scene.plan(SPACE, HALF, seed_that_cuts_only(1));
    let told = scene.say(SPACE, &scene.direct(SPACE), "chart").remove(0);
    let life = scene.wait_for_state(&told, State::Answered);
    let [reply] = &*life.replies else { panic!("{life:#?}") };
    assert!(reply.attempts[0].status.is_none() && reply.attempts.len() == 1 && !reply.maybe_twice, "{life:#?}");
}
