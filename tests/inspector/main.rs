//! The inspector as an operator has it: the real binary with a full store, its page in a real browser.
//!
//! Pictures of the page are kept under target/inspector/. Where Chromium is not installed (tests/run installs it), that is
//! said and counted as skipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

mod access;
mod scene;
#[path = "../shared/mod.rs"]
mod shared;

use access::all_can_use;
use ackd::store::State;
use scene::{EVIL, Scene, TOKEN, every_state, very_many};
use serde_json::json;
use shared::PATIENCE;
use shared::chromium::Browser;
use shared::daemon::GLANCE;
use std::path::Path;
use std::thread::sleep;
use std::time::Instant;

const DESK: (u32, u32) = (1280, 900);
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
/// Ids and states of the list, as they are shown.
const LISTED: &str = "[...document.querySelectorAll('#list li')].map(l => l.querySelector('b').textContent + ' ' + l.querySelector('.state').textContent).join()";

fn browser(dark: bool) -> Option<Browser> {
    let browser = Browser::start(DESK.0, DESK.1, dark);
    if browser.is_none() {
        println!("SKIPPED: the page in a browser: there is no chromedriver; install chromium and chromium-driver");
    }
    browser
}

fn keep(browser: &Browser, name: &str) {
    browser.picture(&Path::new(env!("CARGO_MANIFEST_DIR")).join("target/inspector").join(name));
}

fn nothing_is_wrong(browser: &Browser) {
    assert_eq!(browser.console(), [""; 0], "the console is empty");
}

/// Waits until exactly these are listed.
fn lists(browser: &Browser, ids: &[&str]) {
    let wanted = ids.join(",");
    browser
        .wait_for(&format!("[...document.querySelectorAll('#list b')].map(b => b.textContent).join() === {wanted:?}"));
}

/// Opens an event out of the list, as a hand does, and waits for its life.
fn open(browser: &Browser, id: &str) {
    browser.wait_for(&format!("document.querySelector('#list [data-id={id:?}]')"));
    browser.click(&format!("#list [data-id={id:?}] a"));
    browser.wait_for(&format!("document.getElementById('life-name').textContent.startsWith({id:?})"));
}

/// Waits until an element's text contains this, and gives all of it.
fn reads(browser: &Browser, css: &str, words: &str) -> String {
    let text = format!("document.querySelector({css:?}).innerText");
    browser.wait_for(&format!("{text}.includes({words:?}) && {text}")).as_str().unwrap().to_owned()
}

fn text(browser: &Browser, css: &str) -> String {
    browser.run(&format!("return document.querySelector({css:?}).innerText")).as_str().unwrap().to_owned()
}

const ALL: [&str; 8] = ["page-8", "page-7", "page-6", "page-5", "page-4", "page-3", "page-1", "other-1"];

#[test]
fn whoever_looks_sees_how_it_stands_and_finds_what_failed() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::new();
    scene.open(&browser);
    lists(&browser, &ALL);
    let listed = browser.run(&format!("return {LISTED}"));
    assert_eq!(
        listed,
        "page-8 open,page-7 open,page-6 dead,page-5 open,page-4 unknown,page-3 dead,page-1 answered,other-1 answered"
    );
    // Before it stands a shape, too, and each state has another.
    let shapes = "return new Set([...document.querySelectorAll('#states .state')].map(s => getComputedStyle(s, '::before').content)).size";
    assert_eq!(browser.run(shapes), 5);
    let stand = reads(&browser, "#stand", "2 dead, 1 unknown: look");
    assert!(stand.contains("wait, the oldest for ") && stand.contains("; the last event came "), "{stand}");
    keep(&browser, "list.png");
    // It counts the seconds, and whoever is on the way to what failed stays on it.
    browser.run("document.querySelector('#stand a').focus()");
    let how = text(&browser, "#how");
    browser.wait_for(&format!("document.getElementById('how').innerText !== {how:?}"));
    assert_eq!(browser.run("return document.activeElement.textContent"), "2 dead, 1 unknown: look");

    browser.click("#stand a");
    lists(&browser, &["page-6", "page-4", "page-3"]);
    browser.click("#states label:nth-child(5)");
    lists(&browser, &["page-6", "page-3"]);
    assert!(browser.run("return location.hash").as_str().unwrap().contains("state=dead"));
    browser.run("history.back()");
    lists(&browser, &["page-6", "page-4", "page-3"]);
    browser.run("history.back()");
    lists(&browser, &ALL);
    browser.click("label:has(#all)");
    browser.wait_for("document.querySelectorAll('#list li').length === 9");
    browser.wait_for("document.querySelectorAll('#channel option').length === 3");
    browser
        .run("const c = document.getElementById('channel'); c.value = 'other'; c.dispatchEvent(new Event('change'))");
    lists(&browser, &["other-1"]);
    nothing_is_wrong(&browser);
}

#[test]
fn an_address_that_was_shared_shows_the_same() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::new();
    browser.open(&scene.url("state=dead%2Cunknown&find=coffee&id=page-4"));
    lists(&browser, &["page-4"]);
    reads(&browser, "#life-name", "page-4");
    assert_eq!(browser.run("return document.getElementById('find').value"), "coffee");
    let chosen = "return [...document.querySelectorAll('#states input')].filter(box => box.checked).map(box => box.value).join()";
    assert_eq!(browser.run(chosen), "dead,unknown");
    assert_eq!(browser.run("return document.querySelector('#list .here').dataset.id"), "page-4");
    // The platform's id of it does, too; and what there is not is said.
    browser.open("about:blank");
    browser.open(&scene.url("id=mid.1.3"));
    reads(&browser, "#life-name", "page-3");
    browser.open("about:blank");
    browser.open(&scene.url("id=page-99"));
    reads(&browser, "#life", "there is no event of this name");
    let console = browser.console();
    assert!(console.iter().all(|line| line.contains("404")), "{console:?}");
}

#[test]
fn a_life_is_told_from_its_request_to_its_end() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::new();
    scene.open(&browser);
    open(&browser, "page-1");
    browser.wait_for("document.querySelectorAll('#steps details').length === 2");
    browser.run("document.querySelectorAll('#steps details').forEach(one => one.open = true)");
    let told = text(&browser, "#life");
    for step in [
        "conversation\nanna",
        "mid.1.1",
        "received; its signature was checked",
        "X-Hub-Signature-256: *** (71 bytes)",
        "{\n  \"message\": {\n    \"text\": \"hello\"",
        "kept as page-1, and acknowledged once it was: 3 ms later",
        "heard by the bot, which made 1 reply",
        "You said: hello",
        "reply 1, attempt 1: HTTP 200 after 131 ms",
        "said; the platform calls it m_ours",
        "answered",
    ] {
        assert!(told.contains(step), "no {step:?} in\n{told}");
    }
    assert_eq!(browser.run("return document.getElementById('acts').children.length"), 0, "nothing is to be done");
    browser.click("#steps details button");
    reads(&browser, "#told", "Copied.");
    keep(&browser, "life.png");

    open(&browser, "page-4");
    let told = text(&browser, "#steps");
    for step in ["attempt 1: no answer", "attempt 2: HTTP 500", "the platform is down", "maybe twice", "unknown"] {
        assert!(told.contains(step), "no {step:?} in\n{told}");
    }
    open(&browser, "page-5");
    let told = text(&browser, "#steps");
    assert!(told.contains("open: the bot is tired") && told.contains("its next attempt is at "), "{told}");
    open(&browser, "page-7");
    reads(&browser, "#steps", "waits for its turn");
    open(&browser, "page-8");
    reads(&browser, "#steps", "somebody asked us to say it");
    // Who closes it is where they were.
    browser.keys(ESCAPE);
    browser.wait_for("!document.body.classList.contains('reading')");
    assert_eq!(browser.run("return document.activeElement.closest('li').dataset.id"), "page-8");
    nothing_is_wrong(&browser);
}

#[test]
fn the_dead_are_put_back_and_an_unknown_one_only_after_a_question() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::new();
    scene.open(&browser);
    open(&browser, "page-3");
    browser.click("#acts button:first-child");
    reads(&browser, "#told", "page-3 put back");
    reads(&browser, "#life-name", "open");
    reads(&browser, "#steps", "put back by the operator");
    reads(&browser, "#list [data-id='page-3']", "open");
    reads(&browser, "#stand", "1 dead, 1 unknown: look");
    assert_eq!(scene.life("page-3").state, State::Open);

    open(&browser, "page-4");
    browser.click("#acts button:first-child");
    browser.wait_for("document.getElementById('ask').open");
    assert!(text(&browser, "#ask").contains("it may be seen twice"));
    assert_eq!(browser.run("return document.activeElement.id"), "no", "what is asked begins at the careful answer");
    browser.click("#no");
    browser.wait_for("!document.getElementById('ask').open");
    assert_eq!(scene.life("page-4").state, State::Unknown);
    browser.click("#acts button:first-child");
    browser.click("#yes");
    reads(&browser, "#told", "page-4 put back");
    assert_eq!(scene.life("page-4").state, State::Open);
    nothing_is_wrong(&browser);
}

#[test]
fn several_that_were_dealt_with_are_resolved_together() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::new();
    scene.open(&browser);
    browser.click("#stand a");
    lists(&browser, &["page-6", "page-4", "page-3"]);
    browser.click("#list [data-id='page-3'] input");
    browser.click("#every");
    assert_eq!(text(&browser, "#count"), "3 selected");
    keep(&browser, "selected.png");
    browser.click("#resolve");
    browser.wait_for("document.getElementById('ask').open");
    browser.click("#yes");
    let told = reads(&browser, "#told", "page-4 resolved");
    assert!(told.contains("page-3 resolved") && told.contains("page-6 resolved"), "{told}");
    browser.wait_for("document.getElementById('chosen').hidden");
    // Under the hand they stay where they were, and are seen to be gone.
    browser.wait_for("[...document.querySelectorAll('#list li')].every(l => l.className === 'gone')");
    reads(&browser, "#stand", "wait");
    browser.wait_for("!document.getElementById('stand').innerText.includes('dead')");
    for (id, state) in [("page-3", State::Ignored), ("page-4", State::Answered), ("page-6", State::Ignored)] {
        assert_eq!(scene.life(id).state, state, "{id}");
    }
    nothing_is_wrong(&browser);
}

#[test]
fn all_of_it_can_be_done_with_the_keyboard_alone() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::new();
    scene.open(&browser);
    let on = |css: &str| browser.wait_for(&format!("document.activeElement.matches({css:?})"));
    browser.keys("j");
    on("#list [data-id='page-8'] a");
    let seen =
        "const style = getComputedStyle(document.activeElement); return style.outlineStyle + ' ' + style.outlineWidth";
    assert_eq!(browser.run(seen), "solid 2px", "where one is can be seen");
    browser.keys("jj");
    on("#list [data-id='page-6'] a");
    browser.keys("x\u{e015}\u{e015}"); // and arrows down
    on("#list [data-id='page-4'] a");
    browser.keys("x");
    assert_eq!(text(&browser, "#count"), "2 selected");
    browser.keys("x");
    assert_eq!(text(&browser, "#count"), "1 selected");
    browser.keys("r");
    reads(&browser, "#told", "page-6 put back");
    browser.keys("j");
    on("#list [data-id='page-3'] a");
    browser.keys(ENTER);
    reads(&browser, "#life-name", "page-3");
    on("#life-name");
    // From a life to the next one, and back with one key.
    browser.keys("j");
    reads(&browser, "#life-name", "page-1");
    browser.keys("k");
    reads(&browser, "#life-name", "page-3");
    browser.keys("r");
    reads(&browser, "#told", "page-3 put back");
    browser.keys(ESCAPE);
    on("#list [data-id='page-3'] a");
    assert_eq!(browser.run("return location.hash"), "");
    browser.keys(&format!("/coffee{ENTER}"));
    lists(&browser, &["page-4"]);
    browser.keys(ESCAPE);
    on("#list [data-id='page-4'] a");
    browser.keys("?");
    browser.wait_for("document.getElementById('help').open");
    browser.keys(ESCAPE);
    browser.wait_for("!document.getElementById('help').open");
    on("#list [data-id='page-4'] a");
    // The list is one stop on the tabulator's way, or two where there is something to select.
    browser.keys("\u{e004}");
    assert_eq!(browser.run("return !!document.activeElement.closest('#list')"), false);
    nothing_is_wrong(&browser);
}

#[test]
fn what_is_new_moves_nothing_that_somebody_reads() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::new();
    scene.open(&browser);
    scene.deliver("m_first");
    browser.wait_for("document.querySelector('#list li').dataset.id === 'page-9'");
    browser.keys("j");
    scene.deliver("m_second");
    reads(&browser, "#fresh", "1 new");
    assert_eq!(browser.run("return document.querySelector('#list li').dataset.id"), "page-9");
    browser.keys("n");
    browser.wait_for("document.activeElement.closest('li').dataset.id === 'page-10'");
    browser.wait_for("document.getElementById('fresh').hidden");
    nothing_is_wrong(&browser);
}

#[test]
fn words_that_mean_harm_stay_words() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::new();
    scene.open(&browser);
    open(&browser, "page-6");
    browser.wait_for("document.querySelectorAll('#steps details').length === 2");
    browser.run("document.querySelectorAll('#steps details').forEach(one => one.open = true)");
    let shown = EVIL.replace('\u{202e}', "\\u{202e}").replace('\u{1b}', "\\u{1b}");
    for css in ["#about", "#steps blockquote", "#steps p"] {
        let told =
            browser.run(&format!("return [...document.querySelectorAll({css:?})].map(n => n.textContent).join()"));
        assert!(told.as_str().unwrap().contains(&shown), "{css}: {told}");
    }
    let told = browser.text();
    assert!(!told.contains(['\u{202e}', '\u{1b}']), "nothing steers");
    assert_eq!(browser.run("return document.querySelectorAll('img, body script, iframe, main style').length"), 0);
    assert_eq!(browser.run("return document.title"), "2 dead, 1 unknown · ackd");
    browser.run("document.getElementById('find').focus()");
    browser.keys("<img src=x");
    browser.keys(ENTER);
    lists(&browser, &["page-6"]);
    keep(&browser, "harm.png");
    nothing_is_wrong(&browser);
}

#[test]
fn a_daemon_that_ends_is_missed_and_found_again() {
    let Some(browser) = browser(false) else { return };
    let mut scene = Scene::new();
    scene.open(&browser);
    nothing_is_wrong(&browser);
    scene.daemon.kill();
    reads(&browser, "#trouble", "ackd does not answer");
    reads(&browser, "#stand", "It does not answer since ");
    keep(&browser, "lost.png");
    scene.change("UPDATE event SET why = 'meanwhile' WHERE why = 'the bot broke'");
    scene.daemon.restart();
    browser.wait_for("document.getElementById('trouble').textContent === ''");
    reads(&browser, "#list [data-id='page-3']", "meanwhile");
    scene.deliver("m_after");
    browser.wait_for("document.querySelector('#list li').dataset.id === 'page-9'");
    browser.wait_for("document.querySelector('svg .began')");
    open(&browser, "page-3");
    browser.click("#acts button:first-child");
    reads(&browser, "#told", "page-3 put back");
    let console = browser.console();
    assert!(console.iter().all(|line| line.contains("net::ERR_")), "{console:?}");
}

#[test]
fn whoever_is_not_known_any_more_is_asked_who_comes() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::behind("token = { env = \"TOKEN\" }\n", every_state);
    browser.open(&scene.url(""));
    browser.click("input[type=password]");
    browser.keys(&format!("{TOKEN}{ENTER}"));
    lists(&browser, &ALL);
    browser.post("/goog/cdp/execute", &json!({ "cmd": "Network.clearBrowserCookies", "params": {} }));
    // The page that would tell of a change goes, so it is looked at until the other is there.
    let began = Instant::now();
    while browser.run("return !document.querySelector('input[type=password]')") == true {
        assert!(began.elapsed() < PATIENCE, "nobody asks: {}", browser.text());
        sleep(GLANCE);
    }
}

#[test]
fn the_last_hour_is_drawn_and_said() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::with(|_| ());
    browser.open(&scene.url(""));
    reads(&browser, "#nothing", "No event has come yet");
    reads(&browser, "#plots", "Nothing came in within this hour");
    reads(&browser, "#stand", "Nothing waits; no event has come yet.");
    for number in 0..3 {
        scene.deliver(&format!("m_{number}"));
    }
    reads(&browser, "#stand", "3 wait, the oldest for ");
    browser.wait_for("document.querySelector('#plot-acks circle')");
    let told = browser.run("return [...document.querySelectorAll('svg[role=img]')].map(s => s.getAttribute('aria-labelledby').split(' ').map(id => document.getElementById(id).textContent).join(': ')).join('\\n')");
    assert!(told.as_str().unwrap().contains("mean "), "{told}");
    // What came this minute is seen at the edge, and not cut off by it.
    let edge = "const [svg, dot] = ['svg', 'circle'].map(one => document.querySelector('#plot-acks ' + one).getBoundingClientRect()); return dot.right < svg.right";
    assert_eq!(browser.run(edge), true);
    // Nor is a word beside the lines when a disk took its time.
    browser.run("hour.minutes = [[hour.now - 60000, 3, 3, 0, 0, 0, 0, 3, 1500000, 2500000, 2400000]]; plots()");
    let words = "[...document.querySelectorAll('#plot-acks text')]";
    assert_eq!(browser.run(&format!("return {words}.every(word => word.getBBox().x >= 0)")), true);
    assert_eq!(browser.run(&format!("return {words}.map(word => word.textContent).includes('10 s')")), true);
    browser.run("hour.rests = 'page'; stand()");
    reads(&browser, "#stand.warn", "Nothing is sent on page, since the platform takes nothing; 3 wait");
    browser.run("return trying(sum())");
    browser.wait_for("document.querySelector('#acks').textContent.includes(' ms')");
    browser.click("#words summary");
    let rows = browser.wait_for("document.querySelectorAll('#table tbody tr').length");
    assert!((1..=2).contains(&rows.as_u64().unwrap()), "{rows}");
    let came =
        "[...document.querySelectorAll('#table tbody tr')].reduce((sum, row) => sum + +row.cells[1].textContent, 0)";
    assert_eq!(browser.run(&format!("return {came}")), 3);
    assert!(text(&browser, "#plot-ends").contains("start "), "that it was started is marked");
    nothing_is_wrong(&browser);
}

#[test]
fn a_hundred_thousand_events_are_there_at_once_and_searched_to_the_end() {
    let Some(browser) = browser(false) else { return };
    let scene = Scene::with(|path| very_many(path, 100_000));
    scene.open(&browser);
    let paint = browser.wait_for("performance.getEntriesByName('first-contentful-paint')[0]?.startTime");
    let listed =
        browser.run("return performance.getEntriesByType('resource').find(r => r.name.includes('/list')).responseEnd");
    println!("first paint after {paint} ms, the first list after {listed} ms");
    for count in [200, 300, 400, 500] {
        browser.run("scrollTo(0, document.body.scrollHeight)");
        browser.wait_for(&format!("document.querySelectorAll('#list li').length === {count}"));
    }
    browser.wait_for("!document.getElementById('older').hidden");
    browser.click("#older");
    browser.wait_for("document.querySelector('#list li')?.dataset.id === 'page-198999'");
    browser.click("#newest");
    browser.wait_for("document.querySelector('#list li')?.dataset.id === 'page-199999'");

    browser.keys("/needle");
    reads(&browser, "#far", "looked back to ");
    lists(&browser, &["page-5"]);
    reads(&browser, "#far", "1 event fits; all were looked at");
    browser.run("document.getElementById('find').value = ''; document.getElementById('find').focus()");
    browser.keys("nowhere to be found");
    browser.wait_for("!document.getElementById('stop').hidden && (document.getElementById('stop').click(), true)");
    browser.wait_for("document.activeElement.id === 'older'");
    let far = text(&browser, "#far");
    assert!(far.starts_with("0 events fit; looked back to "), "{far}");
    nothing_is_wrong(&browser);
}

#[test]
fn on_a_phone_list_and_life_are_two_views() {
    let Some(browser) = browser(true) else { return };
    let scene = Scene::new();
    browser.be_a_phone(320, 700);
    scene.open(&browser);
    let shown = |css: &str| browser.run(&format!("return document.querySelector({css:?}).checkVisibility()"));
    let fits = |what: &str| {
        assert_eq!(browser.run("return document.documentElement.scrollWidth"), 320, "{what} is not pushed sideways")
    };
    assert_eq!((shown("#events"), shown("#life")), (json!(true), json!(false)));
    fits("the list");
    // Only the beginning of a line is seen, so it has the reason in it.
    assert_eq!(text(&browser, "[data-id=page-3] .what"), "message · the bot broke · bert");
    keep(&browser, "phone-list.png");
    browser.run("document.getElementById('events').scrollIntoView()");
    let place = browser.run("return scrollY");
    open(&browser, "page-6");
    assert_eq!((shown("#events"), shown("#life")), (json!(false), json!(true)));
    fits("a life");
    keep(&browser, "phone-life.png");
    browser.click("#back");
    browser.wait_for("document.getElementById('events').checkVisibility()");
    assert_eq!(browser.run("return scrollY"), place, "back where one was");
    open(&browser, "page-4");
    browser.run("history.back()");
    browser.wait_for("document.getElementById('events').checkVisibility()");
    nothing_is_wrong(&browser);
}

#[test]
fn everybody_can_use_it() {
    for dark in [false, true] {
        let Some(browser) = browser(dark) else { return };
        let scene = Scene::new();
        let theme = if dark { "in the dark" } else { "by day" };
        scene.open(&browser);
        browser.click("#list [data-id='page-3'] input");
        browser.click("#words summary");
        all_can_use(&browser, &format!("the list {theme}"));
        open(&browser, "page-4");
        browser.run("document.querySelectorAll('#steps details').forEach(one => one.open = true)");
        all_can_use(&browser, &format!("a life {theme}"));
        browser.click("#acts button:first-child");
        all_can_use(&browser, &format!("a question {theme}"));
        browser.click("#no");
        browser.be_a_phone(360, 800);
        all_can_use(&browser, &format!("a life on a phone {theme}"));
        browser.click("#back");
        all_can_use(&browser, &format!("the list on a phone {theme}"));
        nothing_is_wrong(&browser);
    }
}
