//! What is answered, how often, and in which order.

use crate::client::{body, echo, entries, message, one, receipt};
use crate::daemon::{OTHER_TOKEN, PAGE_TOKEN, Page, Setup};
use crate::graph::{Act, Ledger};
use crate::scene::Scene;
use ackd::store::State;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Barrier;
use std::thread;

const OTHERWISE: &str = "I can't echo this";
const FIRST: &str = "7012345678901234";
const SECOND: &str = "6998877665544332";
const FAMILY: &str = "sun \u{2600}\u{fe0f} and \u{1f44d}\u{1f3fd} and \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";

/// The samples that deserve an answer, and what it is. Whatever else there is deserves none.
fn answered() -> BTreeMap<&'static str, Vec<(&'static str, String)>> {
    let text = |text: &str| vec![(FIRST, text.to_owned())];
    let mut table = BTreeMap::from([
        ("text", text("hello")),
        ("text_umlauts", text("äöå")),
        ("emoji", text(FAMILY)),
        ("emoji_raw_utf8", text(FAMILY)),
        ("text_slashes", text("see https://example.com/a?b=1&c=2")),
        ("text_old_escapes", text("mail me@example.com <now> 50%")),
        ("text_2000_chars", text(&"é".repeat(2000))),
        ("quick_reply", text("This week")),
        ("reply_to", text("that one")),
        ("attachment_fallback_link", text("https://example.com/solar")),
        ("message_from_ad", text("Is this for my roof?")),
        ("messages_with_commands", text("/week")),
        ("same_mid_twice_in_batch", text("again")),
        ("batch_two_entries", vec![(FIRST, "first".to_owned()), (SECOND, "second".to_owned())]),
        ("batch_two_messaging", vec![(FIRST, "one".to_owned()), (FIRST, "two".to_owned())]),
        ("batch_mixed", text("mixed in")),
    ]);
    let wordless = [
        "text_empty",
        "attachment_image",
        "attachment_two_images",
        "attachment_sticker_like",
        "attachment_sticker_transition",
        "attachment_sticker_old",
        "attachment_audio",
        "attachment_video",
        "attachment_file",
        "attachment_fallback_no_payload",
        "attachment_location_old",
        "attachment_reel",
        "postback",
        "postback_get_started_ref",
        "postback_old_no_mid",
    ];
    table.extend(wordless.map(|name| (name, text(OTHERWISE))));
    table
}

/// The bodies among the samples: those with a page of events beside them.
fn inbound() -> Vec<String> {
    let files = fs::read_dir(crate::fixtures()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = files.filter_map(|name| name.strip_suffix(".events.json").map(str::to_owned)).collect();
    names.sort();
    assert!(names.len() >= 58, "only {} samples", names.len());
    names
}

#[test]
fn every_sample_is_echoed_or_passed_over_as_it_deserves() {
    // Two samples are the same event in other bytes: the second one goes to another page, which has not seen it.
    let mut pages = Setup::default().pages;
    pages.push(Page { name: "other", path: "/other", token: OTHER_TOKEN });
    let mut scene = Scene::with(Setup { pages, ..Setup::default() });
    let (mut table, names) = (answered(), inbound());
    let mut expected: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut client = scene.client();
    table.remove("emoji_raw_utf8");
    for name in &names {
        let path = if name == "emoji_raw_utf8" { "/other" } else { "/messenger" };
        let sample = String::from_utf8(crate::fixture(&format!("{name}.json"))).unwrap();
        let answer = client.deliver_to(path, &sample).unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "EVENT_RECEIVED"), "{name}");
        for (to, text) in table.remove(name.as_str()).unwrap_or_default() {
            expected.entry(to).or_default().push(text);
        }
    }
    assert!(table.is_empty(), "samples that are not there: {:?}", table.keys());
    let total = expected.values().map(Vec::len).sum::<usize>();
    let of_page = |to: &str, ledger: &Ledger| ledger.answers(|said| said.to == to && said.token == PAGE_TOKEN);
    let of_other = |ledger: &Ledger| ledger.answers(|said| said.token == OTHER_TOKEN);
    scene.graph.wait("as many answers as samples deserve", |ledger| {
        of_page(FIRST, ledger).len() + of_page(SECOND, ledger).len() >= total && !of_other(ledger).is_empty()
    });
    scene.stop();
    assert_eq!(scene.graph.look(|ledger| of_page(FIRST, ledger)), expected[FIRST]);
    assert_eq!(scene.graph.look(|ledger| of_page(SECOND, ledger)), expected[SECOND]);
    assert_eq!(scene.graph.look(of_other), [FAMILY]);
    let long = scene.graph.look(|ledger| ledger.accepted.iter().all(|message| message.text.chars().count() < 2000));
    assert!(long, "a part has 2000 characters or more");
    let messages = scene.graph.look(|ledger| ledger.accepted.len());
    assert_eq!(messages, total + 1 + 1, "one for each, one on the other page, and one text was cut in two");
    assert!(scene.events().iter().all(|event| event.state != State::Open), "{:#?}", scene.events());
    // The platform's name for each message is in the store, for whoever looks for it.
    let said = scene.graph.look(|ledger| ledger.accepted.iter().rfind(|said| said.text == "hello").unwrap().clone());
    let life = scene.life("m_a4ayc_80_OGda4BO_1o_V0etpOqiLx1JwB5S3beHW0s_1").unwrap();
    assert_eq!(life.replies[0].message_id, Some(said.message_id), "{life:#?}");
}

#[test]
fn text_of_every_kind_comes_back_as_it_was_whatever_its_length() {
    let mut scene = Scene::new();
    let scripts = "äöüß ÀÉî — „“ 日本語 한국어 العربية עברית हिन्दी ไทย \u{1f1e9}\u{1f1ea}\u{1f1eb}\u{1f1f7} e\u{301}";
    let texts = [
        scripts.to_owned(),
        format!("{scripts} {FAMILY}\n").repeat(60),
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".repeat(1000),
        "quote \" backslash \\ slash / line\nend tab\t <script>&amp; %s {} \u{7f}".to_owned(),
        "word ".repeat(1999),
        "x".repeat(1999),
        "x".repeat(2000),
        "x".repeat(10_000),
    ];
    let mut client = scene.client();
    for (number, text) in texts.iter().enumerate() {
        assert_eq!(client.deliver(&one(&format!("m_{number}"), "42", text)), 200);
    }
    scene.graph.wait("all of it", |ledger| ledger.answers(|said| said.to == "42").concat() == texts.concat());
    assert_eq!(scene.graph.look(|ledger| ledger.answers(|said| said.to == "42")), texts);
    scene.stop();
}

#[test]
fn the_same_delivery_again_is_answered_once_also_at_once_and_after_a_restart() {
    let mut scene = Scene::new();
    let mut client = scene.client();
    for _ in 0..10 {
        assert_eq!(client.deliver(&one("m_again", "1", "again and again")), 200);
    }
    // Ten connections at the same moment, with a message that is new to all of them.
    let barrier = Barrier::new(10);
    thread::scope(|threads| {
        for _ in 0..10 {
            let mut client = scene.client();
            let barrier = &barrier;
            threads.spawn(move || {
                let body = one("m_at-once", "2", "all at once");
                barrier.wait();
                assert_eq!(client.deliver(&body), 200);
            });
        }
    });
    scene.graph.wait_for("1", 1);
    scene.graph.wait_for("2", 1);
    for crash in [false, true] {
        if crash {
            scene.daemon.kill();
        } else {
            scene.stop();
        }
        scene.daemon.restart();
        let mut client = scene.client();
        for (mid, to, text) in [("m_again", "1", "again and again"), ("m_at-once", "2", "all at once")] {
            assert_eq!(client.deliver(&one(mid, to, text)), 200);
        }
    }
    // Somebody else's turn comes after theirs would have come.
    assert_eq!(scene.deliver(&one("m_end", "3", "the end")), 200);
    scene.graph.wait_for("3", 1);
    scene.stop();
    assert_eq!(scene.graph.texts_to("1"), ["again and again"]);
    assert_eq!(scene.graph.texts_to("2"), ["all at once"]);
    assert_eq!(scene.events().len(), 3);
}

#[test]
fn the_messages_of_one_delivery_are_answered_in_their_order() {
    let mut scene = Scene::new();
    let numbered = |from: usize, to: usize, sender: &str| -> Vec<String> {
        (from..to).map(|number| message(&format!("m_{sender}_{number}"), sender, &number.to_string())).collect()
    };
    let mut client = scene.client();
    // Twenty in one entry; twenty in two entries; three people's messages mixed, with receipts in between.
    assert_eq!(client.deliver(&body(&numbered(0, 20, "1"))), 200);
    assert_eq!(client.deliver(&entries(&[&numbered(0, 10, "2"), &numbered(10, 20, "2")])), 200);
    let mut mixed = Vec::new();
    for number in 0..20 {
        for sender in ["3", "4", "5"] {
            mixed.extend(numbered(number, number + 1, sender));
            mixed.push(receipt(sender, 1_763_712_000_000 + number as u64));
        }
    }
    assert_eq!(client.deliver(&body(&mixed)), 200);
    let expected: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    for sender in ["1", "2", "3", "4", "5"] {
        scene.graph.wait_for(sender, 20);
        assert_eq!(scene.graph.texts_to(sender), expected, "to {sender}");
    }
    scene.stop();
    assert_eq!(scene.graph.look(|ledger| ledger.accepted.len()), 100);
}

#[test]
fn without_workers_everything_is_kept_and_a_later_start_with_workers_answers_it() {
    let mut scene = Scene::with(Setup { workers: 0, ..Setup::default() });
    let mut client = scene.client();
    for number in 0..20 {
        assert_eq!(client.deliver(&one(&format!("m_{number}"), "7", &number.to_string())), 200);
    }
    scene.stop();
    assert_eq!(scene.events().iter().filter(|event| event.state == State::Open).count(), 20);
    assert_eq!(scene.graph.look(|ledger| ledger.calls.len()), 0);
    scene.daemon.setup.workers = 4;
    scene.daemon.restart();
    scene.graph.wait_for("7", 20);
    scene.stop();
    assert_eq!(scene.graph.texts_to("7"), (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
}

/// The metadata that went out with the last message to `to`.
fn metadata_to(scene: &Scene, to: &str) -> String {
    scene.graph.look(|ledger| ledger.accepted.iter().rfind(|message| message.to == to).unwrap().metadata.clone())
}

#[test]
fn an_answer_lost_on_the_way_leaves_a_reply_unknown_until_its_echo_comes() {
    let mut scene = Scene::new();
    scene.graph.plan("8", 1, Act::Lose);
    assert_eq!(scene.deliver(&one("m_lost", "8", "did it arrive?")), 200);
    let life = scene.wait_for_state("m_lost", State::Unknown);
    assert_eq!(life.replies[0].state, State::Unknown, "{life:#?}");
    // It holds up nobody, and it is not said again by itself, also after a restart.
    scene.stop();
    scene.daemon.restart();
    assert_eq!(scene.deliver(&one("m_next", "8", "the next one")), 200);
    scene.graph.wait_for("8", 2);
    assert_eq!(scene.life("m_lost").unwrap().state, State::Unknown);
    // The echo of another page's message proves nothing, and neither does one of another store.
    let metadata = scene.graph.look(|ledger| ledger.accepted[0].metadata.clone());
    let foreign = metadata.replacen("ackd:", "ackd:0", 1);
    assert_eq!(scene.deliver(&body(&[echo("m_echo-1", "8", &foreign, "did it arrive?")])), 200);
    assert_eq!(scene.life("m_lost").unwrap().state, State::Unknown);
    assert_eq!(scene.deliver(&body(&[echo("m_echo-2", "8", &metadata, "did it arrive?")])), 200);
    let life = scene.wait_for_state("m_lost", State::Answered);
    assert_eq!(life.replies[0].state, State::Answered, "{life:#?}");
    scene.stop();
    assert_eq!(scene.graph.texts_to("8"), ["did it arrive?", "the next one"]);
}

#[test]
fn an_echo_that_comes_before_the_answer_is_lost_proves_the_reply_all_the_same() {
    let mut scene = Scene::new();
    scene.graph.plan("9", 1, Act::Hold);
    scene.graph.plan("9", 1, Act::Lose);
    assert_eq!(scene.deliver(&one("m_early", "9", "early")), 200);
    scene.graph.wait_for("9", 1);
    assert_eq!(scene.deliver(&body(&[echo("m_echo", "9", &metadata_to(&scene, "9"), "early")])), 200);
    scene.graph.release("9");
    let life = scene.wait_for_state("m_early", State::Answered);
    assert!(!life.replies[0].maybe_twice, "{life:#?}");
    scene.stop();
    assert_eq!(scene.graph.texts_to("9"), ["early"]);
}

#[test]
fn a_reply_whose_echo_came_before_a_crash_is_not_said_again() {
    let mut scene = Scene::new();
    scene.graph.plan("10", usize::MAX, Act::Hold);
    assert_eq!(scene.deliver(&one("m_proved", "10", "proved")), 200);
    scene.graph.wait_for("10", 1);
    assert_eq!(scene.deliver(&body(&[echo("m_echo", "10", &metadata_to(&scene, "10"), "proved")])), 200);
    scene.daemon.kill();
    scene.graph.heal();
    scene.daemon.restart();
    assert_eq!(scene.deliver(&one("m_after", "10", "after")), 200);
    scene.graph.wait_for("10", 2);
    scene.stop();
    assert_eq!(scene.graph.texts_to("10"), ["proved", "after"]);
    let life = scene.life("m_proved").unwrap();
    assert_eq!((life.state, life.replies[0].maybe_twice), (State::Answered, false), "{life:#?}");
}

#[test]
fn a_reply_on_the_wire_in_a_crash_is_said_again_with_a_label() {
    let mut scene = Scene::new();
    scene.graph.plan("11", usize::MAX, Act::Hold);
    assert_eq!(scene.deliver(&one("m_cut", "11", "cut off")), 200);
    assert_eq!(scene.deliver(&one("m_whole", "12", "whole")), 200);
    scene.graph.wait_for("11", 1);
    scene.wait_for_state("m_whole", State::Answered);
    scene.daemon.kill();
    scene.graph.heal();
    scene.daemon.restart();
    scene.graph.wait_for("11", 2);
    scene.stop();
    assert_eq!(scene.graph.texts_to("11"), ["cut off", "cut off"]);
    let life = scene.life("m_cut").unwrap();
    assert_eq!((life.state, life.replies[0].maybe_twice), (State::Answered, true), "{life:#?}");
    assert_eq!(life.replies[0].attempts.len(), 2, "{life:#?}");
    assert_eq!(scene.graph.texts_to("12"), ["whole"]);
    assert!(!scene.life("m_whole").unwrap().replies[0].maybe_twice);
}
