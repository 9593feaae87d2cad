//! The digest bot on both platforms and Facebook behind it: from a login at the admin door to what people are told, and what
//! becomes of that when Facebook fails, takes consent back, or the power does.

use crate::canaries::{command, said_nowhere, states};
use crate::facebook::{PAGE_ID, Post, Week, settings};
use crate::ledger::said;
use crate::scene::{Cast, DOOR_TOKEN, GRAPH, PAGE, SPACE, Scene, Setup};
use crate::shared::PATIENCE;
use crate::shared::browser::{Browser, answer};
use crate::shared::daemon::GLANCE;
use crate::shared::luck::Luck;
use ackd::daemon::clock;
use ackd::keeper::TOKENS;
use ackd::model::{MemoryWrite, Moment};
use ackd::store::sqlite::{Reader, SqliteFile};
use ackd::store::{ALARM, State, Store};
use ackd::twin::{Act, Bubble, Deed};
use std::thread;
use std::time::Instant;

pub const DIGEST: &str = "kind = \"digest\"\nupstream = \"graph\"\npage = \"104455667788990\"\npath = \"/weekly\"\n\
                          secret = { env = \"WEEKLY\" }\nzone = \"Europe/Berlin\"";
/// How the sign that somebody is typing is written here.
const SIGN: &str = "…";
/// Power cuts on each platform, unless `ACKD_KILLS` says otherwise.
const KILLS: usize = 10;
/// The name of the page, as Facebook has it.
const NAME: &str = "Brot & Stulle";

/// A daemon into which somebody has logged in.
pub fn scene(people: usize) -> Scene {
    let scene = logged_out(people);
    log_in(&scene);
    scene
}

fn logged_out(people: usize) -> Scene {
    Scene::with(Setup { bot: DIGEST, ..Setup::default() }, Cast { graph: Some(settings()), ..Cast::of(people) })
}

/// Goes all the way, as the operator does. The browser has what came of it.
pub fn log_in(scene: &Scene) -> Browser {
    let mut browser = Browser::default();
    let admin = scene.daemon.setup.admin.unwrap();
    if scene.daemon.setup.locked {
        let led = browser.ask("POST", &format!("http://{admin}/enter"), &format!("password={DOOR_TOKEN}"));
        assert_eq!(led.status, 303, "{}", led.body);
    }
    let done = answer(&mut browser, &format!("http://{admin}/login/{GRAPH}"), "answer=allow");
    assert!(done.status == 200 && done.body.contains("Brot &amp; Stulle (104455667788990)"), "{}", done.body);
    browser
}

/// The store of a daemon that does not run. A process that another test begins just now holds its lock for a moment more.
fn open(scene: &Scene) -> SqliteFile {
    let began = Instant::now();
    loop {
        match SqliteFile::open(&scene.daemon.store()) {
            Ok(file) => return file,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error:?}"),
        }
        thread::sleep(GLANCE);
    }
}

/// Writes into the store of a daemon that does not run.
pub fn write(scene: &Scene, write: impl FnOnce(&SqliteFile, &mut dyn Store)) {
    let file = open(scene);
    let mut store = file.engine().unwrap();
    write(&file, &mut store);
    store.commit().unwrap();
}

/// What is known of a week was seen so long before it was.
pub fn age(scene: &Scene, week: &Week, milliseconds: i64) {
    write(scene, |file, store| {
        let key = format!("week {PAGE_ID} {}", week.first);
        let kept = file.recall("it", &key, clock()).unwrap().unwrap();
        let mut kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
        kept["at"] = (kept["at"].as_i64().unwrap() - milliseconds).into();
        let value = Some(kept.to_string().into_bytes());
        store.remember(&MemoryWrite { bot: "it".to_owned(), key, value, expires: None }).unwrap();
    });
}

/// Nothing is known of any week.
pub fn forget(scene: &Scene) {
    write(scene, |_, store| {
        for weeks in 0..3 {
            let key = format!("week {PAGE_ID} {}", Week::back(weeks).first);
            store.remember(&MemoryWrite { bot: "it".to_owned(), key, value: None, expires: None }).unwrap();
        }
    });
}

/// Calls of Graph so far, but for those of logins.
pub fn calls(scene: &Scene) -> usize {
    scene.house.ledger(Some(GRAPH)).calls.iter().filter(|call| call.path.contains("/feed")).count()
}

/// Somebody writes, and everything that comes of it is waited for: what the bot showed, in order.
pub fn ask(scene: &Scene, twin: &str, text: &str) -> Vec<Bubble> {
    let before = made(scene, twin).len();
    scene.act(twin, &crate::scene::say(&scene.direct(twin), text));
    scene.wait_until_settled();
    shown(scene, twin, before)
}

/// The ids of the messages that the bot made, in order.
fn made(scene: &Scene, twin: &str) -> Vec<String> {
    let calls = scene.house.ledger(Some(twin)).calls;
    calls.iter().filter(|call| said(call).is_some()).filter_map(|call| call.bubble.clone()).collect()
}

/// Those behind the first so many, as a chat shows them.
fn shown(scene: &Scene, twin: &str, before: usize) -> Vec<Bubble> {
    let bubbles = scene.house.bubbles(twin, 0).unwrap();
    let found = |id: String| {
        let mut bubble = bubbles.iter().rev().find(|bubble| bubble.id == id).unwrap().clone();
        // On Webex a text with something to tap is a card of its own.
        if let [card] = bubble.cards.as_slice()
            && card.subtitle.is_none()
        {
            (bubble.text, bubble.cards) = (card.title.clone(), Vec::new());
        }
        bubble
    };
    made(scene, twin).split_off(before).into_iter().map(found).collect()
}

/// What a twin was told, with a sign where somebody is typing.
fn signs(scene: &Scene, twin: &str) -> Vec<String> {
    let calls = scene.house.ledger(Some(twin)).calls;
    let typing = |body: &str| body.contains("\"typing_on\"").then(|| SIGN.to_owned());
    calls.iter().filter_map(|call| typing(&call.body).or_else(|| said(call).map(|said| said.text))).collect()
}

/// `Brot & Stulle, Mon 10 Nov to Sun 16 Nov 2025`.
fn title(week: &Week) -> String {
    let (first, last) = (week.first, week.first.checked_add(jiff::Span::new().days(6)).unwrap());
    format!("{NAME}, {} to {}", first.strftime("%a %-d %b"), last.strftime("%a %-d %b %Y"))
}

/// A gallery shows these posts, in this order.
fn expect_cards(bubble: &Bubble, posts: &[Post]) {
    assert_eq!(bubble.cards.len(), posts.len(), "{bubble:#?}");
    for (card, post) in bubble.cards.iter().zip(posts) {
        let figures = post.figures();
        assert_eq!(card.subtitle.as_deref(), Some(figures.as_str()), "{posts:#?}");
        assert!(card.title.encode_utf16().count() <= 80, "{}", card.title);
        match post.text.as_str() {
            "" => assert!(card.title.starts_with("Post of "), "{}", card.title),
            text => {
                assert!(text.starts_with(card.title.split(['…', '\n']).next().unwrap().get(..8).unwrap()), "{card:?}")
            }
        }
        let opens = bubble.choices.iter().any(|choice| choice.url.as_deref() == Some(post.url.as_str()));
        assert!(opens, "{} is nowhere: {bubble:#?}", post.url);
    }
}

/// The whole answer to a question for a week.
fn expect_week(told: &[Bubble], week: &Week, so_far: &str) {
    let best = week.best();
    let (text, gallery) = told.split_last().unwrap();
    assert_eq!(gallery.len(), usize::from(!best.is_empty()), "{told:#?}");
    gallery.iter().for_each(|gallery| expect_cards(gallery, &best));
    let begins = format!("{}{so_far}: {}", title(week), week.sums());
    assert!(text.text.starts_with(&begins), "{begins:?}: {}", text.text);
    let (commented, shared) = (week.most(|post| post.comments), week.most(|post| post.shares));
    // One that is best in both is told once.
    let url = |post: &Option<_>| post.as_ref().map(|post: &Post| post.url.clone());
    let is_one = url(&commented) == url(&shared);
    let told = if is_one {
        [("commented and most shared", commented), ("", None)]
    } else {
        [("commented", commented), ("shared", shared)]
    };
    for (what, post) in told {
        let Some(post) = post else { continue };
        let part = text.text.split(&format!("Most {what}: ")).nth(1).unwrap();
        assert!(part.split(").").next().unwrap().ends_with(&format!("({}", post.figures())), "{what}: {}", text.text);
    }
}

#[test]
fn every_question_is_answered_alike_on_both_platforms_as_the_posts_of_the_week_are() {
    let scene = scene(1);
    let (this, last) = (Week::back(0), Week::back(1));
    assert!(last.posts.len() > 5, "some must be cut off: {last:#?}");
    for (twin, first) in [(PAGE, true), (SPACE, false)] {
        let before = calls(&scene);
        expect_week(&ask(&scene, twin, "summary"), &last, "");
        expect_week(&ask(&scene, twin, "this week"), &this, ", so far");
        expect_week(&ask(&scene, twin, "Last week!"), &last, "");
        for (text, post) in
            [("top commented", last.most(|post| post.comments)), ("top shared", last.most(|post| post.shares))]
        {
            let (told, post) = (ask(&scene, twin, text), post.unwrap());
            assert_eq!(told.len(), 2);
            expect_cards(&told[0], std::slice::from_ref(&post));
            let what = format!("the most {}", text.strip_prefix("top ").unwrap());
            assert!(told[1].text.contains(&what) && told[1].text.contains(&post.figures()), "{}", told[1].text);
        }
        assert_eq!(calls(&scene) > before, first, "what one platform was told the other one knows");
        for (text, wanted) in [
            ("help", "I tell what happened on our Facebook page. Ask me: summary,"),
            ("how is the weather", "I did not understand that. I tell what happened"),
            ("groups", "I cannot look at groups: Facebook closed them to programs on 22 April 2024"),
            ("when?", "You have no subscription"),
            ("subscribe", "You will hear from me on Mon at 09:00 (Europe/Berlin)."),
            ("stop", "Your subscription has ended"),
        ] {
            let told = ask(&scene, twin, text);
            assert!(told.len() == 1 && told[0].text.starts_with(wanted), "{text}: {told:#?}");
        }
        // What is offered below an answer leads to another one.
        ask(&scene, twin, "help");
        let bubble = scene.newest_bubble(twin);
        let choice = bubble.choices.iter().position(|choice| choice.title == "Last week").unwrap();
        let before = made(&scene, twin).len();
        scene.act(twin, &Act::Tap { conversation: bubble.conversation, bubble: bubble.id, choice });
        scene.wait_until_settled();
        expect_week(&shown(&scene, twin, before), &last, "");
    }
    let typed = |twin| signs(&scene, twin).iter().filter(|sign| *sign == SIGN).count();
    assert_eq!((typed(PAGE), typed(SPACE)), (2, 0), "a sign for each look, where there are signs");
}

#[test]
fn a_week_that_cannot_be_looked_at_again_is_told_with_its_age_and_one_never_seen_is_said_to_be() {
    let mut scene = scene(1);
    let (this, last) = (Week::back(0), Week::back(1));
    expect_week(&ask(&scene, PAGE, "last week"), &last, "");
    scene.daemon.stop();
    age(&scene, &last, 3 * 3_600_000);
    scene.plan(GRAPH, "500 100%", 1);
    scene.daemon.restart();
    for twin in [PAGE, SPACE] {
        let told = ask(&scene, twin, "last week");
        expect_week(&told, &last, "");
        let text = &told.last().unwrap().text;
        assert!(text.ends_with("As of 3 h ago. Facebook gives no answer at the moment."), "{text}");
        let told = ask(&scene, twin, "this week");
        assert!(told.len() == 1 && told[0].text == "Facebook gives no answer at the moment.", "{told:#?}");
    }
    scene.daemon.stop();
    forget(&scene);
    // It answers, and nobody learns so.
    scene.plan(GRAPH, "cut 100%", 1);
    scene.daemon.restart();
    let told = ask(&scene, SPACE, "last week");
    assert!(told.len() == 1 && told[0].text == "Facebook gives no answer at the moment.", "{told:#?}");
    scene.daemon.stop();
    forget(&scene);
    scene.plan(GRAPH, "", 1);
    scene.daemon.restart();
    expect_week(&ask(&scene, SPACE, "this week"), &this, ", so far");
}

/// What is subscribed to is due now.
fn ring(scene: &Scene, twin: &str) {
    write(scene, |file, store| {
        let channel = file.channel(twin).unwrap();
        let conversation = scene.direct(twin);
        let alarm = store.alarms(channel, &conversation).unwrap().remove(0);
        let set = Some((alarm.set, Moment(clock().0 - 1000)));
        store.put_alarm(&ackd::model::AlarmWrite { channel, conversation, name: alarm.name, set }).unwrap();
    });
}

/// How the events that were alarms ended.
fn rung(scene: &Scene, twin: &str) -> Vec<State> {
    scene.events(twin).into_iter().filter(|event| event.kind == ALARM).map(|event| event.state).collect()
}

#[test]
fn the_weekly_push_waits_for_facebook_and_comes_once() {
    let mut scene = scene(1);
    for twin in [PAGE, SPACE] {
        let told = ask(&scene, twin, "subscribe");
        assert!(told[0].text.starts_with("You will hear from me on Mon at 09:00 (Europe/Berlin)."), "{told:#?}");
    }
    scene.daemon.stop();
    for twin in [PAGE, SPACE] {
        ring(&scene, twin);
    }
    let before = [PAGE, SPACE].map(|twin| made(&scene, twin).len());
    scene.plan(GRAPH, "500 100%", 1);
    scene.daemon.restart();
    for twin in [PAGE, SPACE] {
        scene.daemon.wait_for_line(0, &format!("{twin}-"));
    }
    scene.wait("Facebook to be asked for both", || calls(&scene) >= 2);
    scene.wait_for_store("two that wait", |_| {
        let waits = [PAGE, SPACE].iter().all(|twin| rung(&scene, twin) == [State::Open]);
        waits.then_some(())
    });
    assert_eq!([PAGE, SPACE].map(|twin| made(&scene, twin).len()), before, "nobody is told of a failure");
    scene.plan(GRAPH, "", 1);
    scene.wait_until_settled();
    let last = Week::back(1);
    for (twin, before) in [PAGE, SPACE].into_iter().zip(before) {
        expect_week(&shown(&scene, twin, before), &last, "");
        assert_eq!(rung(&scene, twin), [State::Answered]);
        assert!(!signs(&scene, twin).contains(&SIGN.to_owned()), "nobody looks on");
    }
}

/// The consent, as it is kept.
fn consent(scene: &Scene) -> String {
    let file = open(scene);
    String::from_utf8(file.recall(TOKENS, GRAPH, Moment(0)).unwrap().unwrap()).unwrap()
}

#[test]
fn consent_that_is_taken_back_is_the_operators_business_and_a_login_heals_it_without_a_restart() {
    let mut scene = logged_out(1);
    let mut browser = log_in(&scene);
    scene.daemon.stop();
    let mut secrets = tokens(&scene);
    scene.daemon.restart();
    let (this, last) = (Week::back(0), Week::back(1));
    expect_week(&ask(&scene, PAGE, "this week"), &this, ", so far");
    scene.house.deed(GRAPH, &Deed::Revoke).unwrap();
    let before = calls(&scene);
    for twin in [PAGE, SPACE, PAGE, SPACE] {
        let told = ask(&scene, twin, "last week");
        let gone = "I am not allowed to look at Facebook any more; the operator has been told.";
        assert!(told.len() == 1 && told[0].text == gone, "{told:#?}");
    }
    assert_eq!(calls(&scene), before + 1, "nobody asks with that token again");
    expect_week(&ask(&scene, SPACE, "this week"), &this, ", so far");
    let told = scene.daemon.wait_for_line(0, "it takes our consent no more");
    let admin = scene.daemon.setup.admin.unwrap();
    assert!(told.contains(&format!("type ackd login {GRAPH}, or open http://{admin}/login/{GRAPH}")), "{told}");
    let doctor = command(&scene, &["doctor"]);
    assert!(doctor.contains("login of graph: it takes our consent no more"), "{doctor}");
    let done = browser.get(&format!("http://{admin}/login/{GRAPH}/done"));
    assert!(done.body.contains("Facebook takes this login no more"), "{}", done.body);

    let other = log_in(&scene);
    expect_week(&ask(&scene, PAGE, "last week"), &last, "");
    let doctor_after = command(&scene, &["doctor"]);
    assert!(!doctor_after.contains("no more"), "{doctor_after}");
    scene.daemon.stop();
    secrets.extend(tokens(&scene));
    secrets.extend([browser, other].iter().flat_map(|browser| browser.jar.values().cloned()));
    secrets.extend(states(&scene));
    said_nowhere(&scene, vec![doctor, doctor_after], &secrets);
}

#[test]
fn a_power_cut_in_an_answer_or_a_push_loses_nothing_and_says_nothing_twice_without_a_label() {
    let kills = std::env::var("ACKD_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let mut luck = Luck::of_the_day();
    let mut scene = scene(1);
    for twin in [PAGE, SPACE] {
        ask(&scene, twin, "subscribe");
    }
    scene.daemon.stop();
    let granted = tokens(&scene);
    let (mut cuts, mut labelled) = (std::collections::BTreeMap::<(bool, usize), usize>::new(), 0);
    for night in 0..2 * kills {
        let (twin, pushes) = (if luck.one_in(2) { PAGE } else { SPACE }, night % 2 == 0);
        // Facebook has to be asked each time.
        forget(&scene);
        if pushes {
            ring(&scene, twin);
        }
        let (before, stirs) = (made(&scene, twin).len(), luck.below(12));
        let news = scene.house.news();
        scene.daemon.restart();
        let entry = (!pushes).then(|| scene.say(twin, &scene.direct(twin), "last week").remove(0));
        if let Some(entry) = &entry {
            scene.wait("the question to be kept", || scene.house.sent(twin, entry.number).unwrap().satisfied);
        }
        let is_whole = |scene: &Scene| made(scene, twin).len() >= before + 2;
        scene.wait("something to happen", || scene.house.news() >= news + stirs || is_whole(&scene));
        scene.daemon.kill();
        *cuts.entry((pushes, made(&scene, twin).len() - before)).or_default() += 1;
        scene.daemon.restart();
        scene.wait("the whole answer", || is_whole(&scene));
        scene.wait_until_settled();
        let told = shown(&scene, twin, before);
        let mut once = told.clone();
        once.dedup_by_key(|bubble| bubble.cards.is_empty());
        expect_week(&once, &Week::back(1), "");
        let life = match &entry {
            Some(entry) => scene.wait_for_state(entry, State::Answered),
            None => {
                let alarms = scene.events(twin).into_iter().filter(|event| event.kind == ALARM);
                let newest = alarms.max_by_key(|event| event.key).unwrap().key;
                Reader::open(&scene.daemon.store()).unwrap().life(newest).unwrap().unwrap()
            }
        };
        assert_eq!(life.state, State::Answered, "{life:#?}");
        let twice = life.replies.iter().filter(|reply| reply.maybe_twice).count();
        let repeated = told.len() - once.len();
        assert!(repeated <= twice, "{repeated} were said again, and {twice} labelled: {life:#?}");
        labelled += repeated;
        scene.daemon.stop();
    }
    assert!(tokens(&scene) == granted, "the tokens are there as they were");
    println!("cut in a push or not, after so many messages: {cuts:?}; {labelled} were said twice, with a label");
    assert!(cuts.len() > 2, "the cuts were all at the same place: {cuts:?}");
}

/// What was granted, whatever was found out about it since.
pub fn tokens(scene: &Scene) -> Vec<String> {
    let consent = consent(scene);
    consent.split("\"value\":\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}
