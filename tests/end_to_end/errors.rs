//! Each error of the Send API, and what becomes of the reply (messenger.md, section 7).

use crate::client::{PATH, one};
use crate::daemon::{OTHER_TOKEN, PAGE_TOKEN, Page, Setup};
use crate::graph::{Act, Answer, Graph};
use crate::scene::Scene;
use ackd::store::State;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What waits are measured with is rounded to milliseconds, on two clocks.
const TOLERANCE: Duration = Duration::from_millis(20);

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

#[test]
fn an_error_that_will_not_go_away_ends_the_reply_dead_with_its_reason() {
    let mut scene = Scene::new();
    let table = [
        (400, "error_100_2018001_no_user", "error 100/2018001: no such person on this page"),
        (400, "error_100_dead_tag", "error 100: Messenger does not take a value"),
        (400, "error_100_param", "error 100: Messenger does not take a value"),
        (400, "error_100_text_too_long", "error 100: Messenger does not take a value"),
        (400, "error_10_2018278_window", "error 10/2018278: the person's last message is more than 24 hours ago"),
        (400, "error_10_2018300_thread", "error 10/2018300: another app holds the conversation"),
        (403, "error_200_permission", "error 200/2018028: the app is in development"),
        (400, "error_368_blocked", "error 368: the page is blocked"),
        (400, "error_551_unavailable", "error 551/1545041: the person is not available"),
    ];
    let mut client = scene.client();
    for (person, (status, sample, _)) in table.iter().enumerate() {
        let person = (person + 1).to_string();
        scene.graph.plan(person.as_str(), 1, Act::Refuse(Answer::sample(*status, sample)));
        assert_eq!(client.deliver(&one(&format!("m_{sample}"), &person, "no")), 200);
        assert_eq!(client.deliver(&one(&format!("m_{sample}_next"), &person, "yes")), 200);
    }
    for (person, (status, sample, words)) in table.iter().enumerate() {
        let life = scene.wait_for_state(&format!("m_{sample}"), State::Dead);
        let [reply] = life.replies.as_slice() else { panic!("{life:#?}") };
        let [attempt] = reply.attempts.as_slice() else { panic!("{life:#?}") };
        assert_eq!((reply.state, attempt.status), (State::Dead, Some(*status)), "{life:#?}");
        assert!(attempt.words.starts_with(words), "{sample}: {}", attempt.words);
        let line = scene.daemon.wait_for_line(0, &format!("{}.1: dead", life.id));
        assert!(line.contains("ERROR") && line.contains(words), "{line}");
        // It is the end of this reply, and not of the conversation.
        let person = (person + 1).to_string();
        scene.graph.wait_for(&person, 1);
        assert_eq!((scene.graph.calls_to(&person).len(), scene.graph.texts_to(&person)), (2, vec!["yes".to_owned()]));
    }
    scene.stop();
}

#[test]
fn an_error_that_passes_is_tried_again_until_the_message_is_delivered() {
    let mut scene = Scene::new();
    let gateway = "<html><h1>502 Bad Gateway</h1></html>";
    let plain = |status| Answer::new(status, gateway).with("Content-Type", "text/html");
    // What says nothing in Graph's way may have been said after all, so the second try may be a double.
    let table = [
        ("code 1", Answer::sample(500, "error_1_unknown"), false),
        ("code 2", Answer::sample(500, "error_2_service"), false),
        ("code 1200", Answer::sample(400, "error_1200_temporary"), false),
        ("500", Answer::new(500, ""), true),
        ("502", plain(502), true),
        ("503, not now", plain(503).with("Retry-After", "2"), true),
        ("503, soon", plain(503).with("Retry-After", "soon"), true),
        ("503, before", plain(503).with("Retry-After", "-5"), true),
        ("504, then", plain(504).with("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT"), true),
    ];
    // Few enough at a time that the channel does not take them for an outage.
    for (first, some) in table.chunks(3).enumerate() {
        for (place, (name, answer, _)) in some.iter().enumerate() {
            let person = (first * 3 + place + 1).to_string();
            scene.graph.plan(person.as_str(), 1, Act::Refuse(answer.clone()));
            assert_eq!(scene.deliver(&one(&format!("m_{name}"), &person, name)), 200);
        }
        for (place, (name, answer, twice)) in some.iter().enumerate() {
            let life = scene.wait_for_state(&format!("m_{name}"), State::Answered);
            let [reply] = life.replies.as_slice() else { panic!("{life:#?}") };
            let statuses: Vec<_> = reply.attempts.iter().map(|attempt| attempt.status).collect();
            assert_eq!(statuses, [Some(answer.status), Some(200)], "{name}: {life:#?}");
            assert_eq!(reply.maybe_twice, *twice, "{name}: {life:#?}");
            let person = (first * 3 + place + 1).to_string();
            assert_eq!(scene.graph.texts_to(&person), [*name]);
            let calls = scene.graph.calls_to(&person);
            let asked = if *name == "503, not now" { Duration::from_secs(2) } else { Duration::from_millis(500) };
            assert!(calls[1] - calls[0] + TOLERANCE >= asked, "{name}: again after {:?}", calls[1] - calls[0]);
        }
    }
    scene.stop();
}

#[test]
fn an_unknown_error_is_dead_at_the_third_try_and_a_senseless_success_is_unknown() {
    let mut scene = Scene::new();
    scene.graph.plan("1", usize::MAX, Act::Refuse(Answer::sample(500, "error_1_unknown")));
    scene.graph.plan("2", 1, Act::Refuse(Answer::new(200, "<html>welcome to this hotel</html>")));
    for person in ["1", "2"] {
        assert_eq!(scene.deliver(&one(&format!("m_{person}"), person, "why?")), 200);
    }
    let life = scene.wait_for_state("m_1", State::Dead);
    assert_eq!(life.replies[0].attempts.len(), 3, "{life:#?}");
    scene.wait_for_state("m_2", State::Unknown);
    scene.stop();
    assert_eq!((scene.graph.calls_to("1").len(), scene.graph.calls_to("2").len()), (3, 1));
}

#[test]
fn a_redirect_is_not_followed_and_an_answer_without_end_is_not_read_to_its_end() {
    let elsewhere = Graph::start(&[PAGE_TOKEN]);
    let mut scene = Scene::new();
    let there = format!("{}/me/messages", elsewhere.api());
    for (person, status) in [("1", 302), ("2", 307), ("3", 308)] {
        scene.graph.plan(person, 1, Act::Refuse(Answer::new(status, "").with("Location", &there)));
        assert_eq!(scene.deliver(&one(&format!("m_{person}"), person, "who is there?")), 200);
        scene.wait_for_state(&format!("m_{person}"), State::Dead);
    }
    scene.graph.plan("4", 1, Act::Refuse(Answer::new(200, " ".repeat(64 * 1024 * 1024))));
    assert_eq!(scene.deliver(&one("m_4", "4", "how long?")), 200);
    scene.wait_for_state("m_4", State::Unknown);
    assert_eq!(scene.deliver(&one("m_5", "5", "still here?")), 200);
    scene.graph.wait_for("5", 1);
    assert!(scene.daemon.resident_kib() < 40 * 1024, "{} KiB", scene.daemon.resident_kib());
    scene.stop();
    elsewhere.look(|ledger| assert!(ledger.calls.is_empty() && ledger.wrongs.is_empty(), "{ledger:?}"));
}

fn two_pages() -> Setup {
    let mut setup = Setup::default();
    setup.pages.push(Page { name: "other", path: "/other", token: OTHER_TOKEN });
    setup
}

#[test]
fn a_limit_rests_the_whole_page_for_as_long_as_it_says_and_no_other_page() {
    let mut scene = Scene::with(two_pages());
    let limited = |sample| Answer::sample(400, sample).with("Retry-After", "1");
    let second = Duration::from_secs(1);
    let usage = r#"{"104455667788990":[{"type":"messenger","call_count":100,"total_cputime":25,"total_time":25,
                    "estimated_time_to_regain_access":0.02}]}"#;
    let usage = usage.replace(['\n', ' '], "");
    let table = [
        ("error_4_app_limit", limited("error_4_app_limit"), second),
        ("error_17_user_limit", limited("error_17_user_limit"), second),
        ("error_32_page_limit", limited("error_32_page_limit"), second),
        ("error_613_rate", limited("error_613_rate"), second),
        (
            "error_80006_messenger_limit",
            Answer::sample(400, "error_80006_messenger_limit").with("X-Business-Use-Case-Usage", &usage),
            Duration::from_millis(1200),
        ),
        ("429", Answer::new(429, "slow down").with("Retry-After", "1"), second),
    ];
    for (place, (name, answer, rest)) in table.iter().enumerate() {
        let [limited, waiting, other] = [1, 2, 3].map(|kind| format!("{}{kind}", place + 1));
        scene.graph.plan(limited.as_str(), 1, Act::Refuse(answer.clone()));
        assert_eq!(scene.deliver(&one(&format!("m_{name}"), &limited, name)), 200);
        let words = "channel page: no replies for";
        let before = scene.daemon.log().rfind(words).filter(|_| place == 0).unwrap_or(0);
        scene.daemon.wait_for_line(before, words);
        scene.wait_for_life(&format!("m_{name}"), "tried", |life| {
            life.replies.first().is_some_and(|reply| !reply.attempts.is_empty())
        });
        // The page rests: somebody else has to wait. The other page does not.
        assert_eq!(scene.deliver(&one(&format!("m_{name}_waiting"), &waiting, "later")), 200);
        let delivered = scene.client().deliver_to("/other", &one(&format!("m_{name}_other"), &other, "now"));
        assert_eq!(delivered.unwrap().status, 200);
        for person in [&limited, &waiting, &other] {
            scene.graph.wait_for(person, 1);
        }
        let [limited, waiting, other] = [&limited, &waiting, &other].map(|person| scene.graph.calls_to(person));
        assert_eq!((limited.len(), waiting.len(), other.len()), (2, 1, 1), "{name}");
        assert!(limited[1] - limited[0] + TOLERANCE >= *rest, "{name}: again after {:?}", limited[1] - limited[0]);
        assert!(waiting[0] - limited[0] + TOLERANCE >= *rest, "{name}: somebody else was answered meanwhile");
        assert!(other[0] < waiting[0].min(limited[1]), "{name}: the other page waited, too");
    }
    scene.stop();
    assert!(scene.events().iter().all(|event| event.state == State::Answered && event.maybe_twice == 0));
}

#[test]
fn a_limit_that_talks_nonsense_rests_the_page_for_a_reasonable_time() {
    let minute = 60_000;
    let table = [
        ("soon", "/soon", "EAAsoon", Answer::new(429, "").with("Retry-After", "soon"), minute),
        ("minus", "/minus", "EAAminus", Answer::new(429, "").with("Retry-After", "-1"), minute),
        (
            "ages",
            "/ages",
            "EAAages",
            Answer::new(429, "").with("Retry-After", "99999999999999999999"),
            24 * 60 * minute,
        ),
        (
            "odd",
            "/odd",
            "EAAodd",
            Answer::sample(400, "error_4_app_limit")
                .with("X-Business-Use-Case-Usage", "[{]")
                .with("X-App-Usage", "null"),
            minute,
        ),
        (
            "full",
            "/full",
            "EAAfull",
            Answer::sample(400, "error_4_app_limit").with("X-App-Usage", r#"{"call_count":100,"total_time":1}"#),
            10 * minute,
        ),
    ];
    let mut setup = Setup::default();
    setup.pages.extend(table.iter().map(|(name, path, token, ..)| Page { name, path, token }));
    let mut scene = Scene::with(setup);
    for (place, (name, path, _, answer, wait)) in table.iter().enumerate() {
        let person = (place + 1).to_string();
        scene.graph.plan(person.as_str(), 1, Act::Refuse(answer.clone()));
        let began = now_ms();
        let mid = format!("m_{name}");
        assert_eq!(scene.client().deliver_to(path, &one(&mid, &person, name)).unwrap().status, 200);
        let life = scene.wait_for_life(&mid, "waiting", |life| {
            life.replies.first().is_some_and(|reply| !reply.attempts.is_empty()) && life.due.is_some()
        });
        let due = life.due.unwrap().0;
        assert!((began + wait..=now_ms() + wait).contains(&due), "{name}: due in {} ms", due - began);
    }
    assert_eq!(scene.deliver(&one("m_page", "99", "still here")), 200);
    scene.graph.wait_for("99", 1);
    scene.stop();
}

#[test]
fn a_refused_token_locks_its_page_while_events_are_kept_until_a_start_with_a_good_one() {
    let samples = ["error_190_463_expired", "error_190_460_password", "error_190_bad_token"];
    let names =
        [("expired", "/expired", "EAAexpired"), ("password", "/password", "EAApassword"), ("bad", "/bad", "EAAbad")];
    let mut setup = Setup::default();
    setup.pages.extend(names.iter().map(|(name, path, token)| Page { name, path, token }));
    let mut scene = Scene::with(setup);
    for (place, ((name, path, _), sample)) in names.iter().zip(samples).enumerate() {
        let person = (place + 1).to_string();
        scene.graph.plan(person.as_str(), 1, Act::Refuse(Answer::sample(400, sample)));
        let deliver = |number: usize| {
            let body = one(&format!("m_{name}_{number}"), &person, &number.to_string());
            assert_eq!(scene.client().deliver_to(path, &body).unwrap().status, 200, "{name}");
        };
        deliver(0);
        let line = scene.daemon.wait_for_line(0, &format!("channel {name}: no replies for 900 s: error 190"));
        assert!(line.contains("ERROR") && line.contains("make a new one"), "{line}");
        (1..5).for_each(deliver);
        let body = one(&format!("m_{name}_else"), &format!("1{person}"), "somebody else");
        assert_eq!(scene.client().deliver_to(path, &body).unwrap().status, 200, "{name}");
    }
    // The good page is not held up; and it is answered after what the others would have answered.
    assert_eq!(scene.client().deliver_to(PATH, &one("m_good", "99", "good")).unwrap().status, 200);
    scene.wait_for_state("m_good", State::Answered);
    let open = |scene: &Scene| scene.events().iter().filter(|event| event.state == State::Open).count();
    assert_eq!((scene.graph.look(|ledger| ledger.calls.len()), open(&scene)), (names.len() + 1, names.len() * 6));
    for (name, ..) in names {
        let rest = scene.rest(name).unwrap_or_default();
        assert!(rest.starts_with("its token is refused: error 190"), "{name}: {rest}");
    }

    scene.stop();
    let tokens = [PAGE_TOKEN, "EAAexpired-new", "EAApassword-new", "EAAbad-new"];
    scene.graph.set_tokens(&tokens);
    for (page, token) in scene.daemon.setup.pages.iter_mut().zip(tokens) {
        page.token = token;
    }
    scene.daemon.restart();
    for place in 0..names.len() {
        let person = (place + 1).to_string();
        scene.graph.wait_for(&format!("1{person}"), 1);
        scene.graph.wait_for(&person, 5);
        assert_eq!(scene.graph.texts_to(&person), ["0", "1", "2", "3", "4"]);
    }
    scene.stop();
    assert!(names.iter().all(|(name, ..)| scene.rest(name).is_none()), "a start forgets them");
    assert!(scene.events().iter().all(|event| event.state == State::Answered && event.maybe_twice == 0));
}
