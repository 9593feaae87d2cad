//! `ackd try` as a newcomer has it: the real binary, its page in a real browser, a message typed and its answer seen.
//!
//! Pictures of the page are kept under target/try-page/. Where Chromium is not installed (tests/run installs it), that
//! is said and counted as skipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

mod facebook;
#[path = "../shared/mod.rs"]
mod shared;

use shared::chromium::Browser;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Instant;

/// A running `ackd try`.
struct Trial {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    began: Instant,
    /// `http://127.0.0.1:PORT/`.
    url: String,
    /// Its temporary folder.
    folder: PathBuf,
}

impl Trial {
    fn start(arguments: &[&str]) -> Trial {
        let began = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
        let mut child = command.arg("try").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = |what: &str| {
            let line = lines.by_ref().map_while(Result::ok).find(|line| line.contains(what));
            line.unwrap_or_else(|| panic!("ackd try never told {what:?}")).rsplit(' ').next().unwrap().to_owned()
        };
        let folder = PathBuf::from(told("everything it keeps is in "));
        let url = told("open http://");
        Trial { child, lines, began, url, folder }
    }

    /// The operator's door, `http://127.0.0.1:PORT/`.
    fn operator(&mut self) -> String {
        let line = self
            .lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("pages and logins: ").map(str::to_owned));
        let door = line.expect("ackd try tells of the operator's door");
        let next = self.lines.next().expect("one more line").unwrap();
        assert_eq!(next, format!("what became of each message: {door}events"));
        door
    }

    fn interrupt(&mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn browser(width: u32, height: u32, dark: bool) -> Option<Browser> {
    let browser = Browser::start(width, height, dark);
    if browser.is_none() {
        println!("SKIPPED: the page in a browser: there is no chromedriver; install chromium and chromium-driver");
    }
    browser
}

fn keep(browser: &Browser, name: &str) {
    browser.picture(&Path::new(env!("CARGO_MANIFEST_DIR")).join("target/try-page").join(name));
}

/// The last thing that the bot said in the open conversation, once it contains `text`.
fn answered(browser: &Browser, text: &str) -> String {
    let condition = format!(
        "[...document.querySelectorAll('#chat li.bot .bubble')].map(b => b.textContent).findLast(t => t.includes({text:?}))"
    );
    browser.wait_for(&condition).as_str().unwrap().to_owned()
}

/// Opens the conversation whose button has these words.
fn go_to(browser: &Browser, words: &str) {
    browser.wait_for(&format!(
        "[...document.querySelectorAll('nav button')].find(b => b.textContent.includes({words:?})).click() || true"
    ));
}

fn nothing_is_wrong(browser: &Browser) {
    assert_eq!(browser.console(), [""; 0], "the console is empty");
}

#[test]
fn what_is_typed_is_answered_on_both_platforms_and_its_life_is_told() {
    let Some(browser) = browser(1280, 800, false) else { return };
    let trial = Trial::start(&[]);
    browser.open(&trial.url);
    browser.wait_for("document.querySelectorAll('nav button').length >= 4");
    // The field has the focus, so that whoever comes can simply write.
    browser.wait_for("document.activeElement.id === 'text'");
    browser.keys("Good morning, ackd\u{e007}");
    answered(&browser, "You said: Good morning, ackd");
    println!("from the start to the first answer shown: {} ms", trial.began.elapsed().as_millis());

    browser.wait_for("[...document.querySelectorAll('.choices button')].find(b => b.textContent === 'Cards')");
    browser.run("[...document.querySelectorAll('.choices button')].find(b => b.textContent === 'Cards').click()");
    browser.wait_for("document.querySelectorAll('.gallery .card img').length === 3");
    browser.wait_for("[...document.querySelectorAll('.card img')].every(i => i.complete && i.naturalWidth > 0)");
    browser.run("document.querySelector('.card .choices button').click()");
    answered(&browser, "You tapped: Take First");

    browser.run("[...document.querySelectorAll('#chat li.person .bubble')][0].click()");
    let told = "document.querySelector('#steps').innerText";
    let steps =
        browser.wait_for(&format!("{told}.includes('kept as page-1\\n') && {told}.includes('answered') && {told}"));
    let steps = steps.as_str().unwrap();
    for step in [
        "X-Hub-Signature-256: sha256=",
        "received",
        "kept as page-1",
        "HTTP 200",
        "heard by bot tour",
        "reply 1, attempt 1",
    ] {
        assert!(steps.contains(step), "no {step:?} in the life of the message:\n{steps}");
    }
    keep(&browser, "light.png");

    go_to(&browser, "direct");
    browser.keys("and here?\u{e007}");
    answered(&browser, "You said: and here?");
    go_to(&browser, "group");
    browser.keys("Markup\u{e007}");
    answered(&browser, "Bold, slanted and code");
    browser.wait_for("document.querySelector('#chat li.bot strong').textContent === 'Bold'");
    browser.keys("all of you\u{e007}");
    answered(&browser, "You said: all of you");
    browser.run("document.getElementById('mentions').click()");
    browser.keys("only among people\u{e007}");
    browser.wait_for("[...document.querySelectorAll('#chat li.person .bubble')].some(b => b.textContent.includes('only among people'))");
    keep(&browser, "webex.png");
    nothing_is_wrong(&browser);
}

#[test]
fn whoever_comes_back_finds_everything_in_the_order_in_which_it_was_said() {
    let Some(browser) = browser(1280, 800, false) else { return };
    let trial = Trial::start(&[]);
    browser.open(&trial.url);
    browser.wait_for("document.activeElement.id === 'text'");
    for words in ["one", "two"] {
        browser.keys(&format!("{words}\u{e007}"));
        answered(&browser, &format!("You said: {words}"));
    }
    // The first answer changes after the second was said: its quick replies go.
    let choice = "[...document.querySelectorAll('.choices button')].find(b => b.textContent === 'Markup')";
    browser.wait_for(choice);
    browser.run(&format!("{choice}.click()"));
    answered(&browser, "Plain words, where markup");
    let order = "['one', 'You said: one', 'two', 'You said: two', 'Markup', 'Plain words, where markup'].map(words =>
        [...document.querySelectorAll('#chat .bubble')].findIndex(b => b.textContent.startsWith(words)))";
    let told = |browser: &Browser| {
        answered(browser, "Plain words, where markup");
        browser.run(&format!("return {order}.join()"))
    };
    assert_eq!(told(&browser), "0,1,2,3,4,5");
    browser.open(&trial.url);
    assert_eq!(told(&browser), "0,1,2,3,4,5", "and after a reload");
    nothing_is_wrong(&browser);
}

#[test]
fn the_page_is_readable_on_a_phone_and_in_the_dark() {
    let Some(browser) = browser(500, 900, true) else { return };
    let trial = Trial::start(&[]);
    browser.open(&trial.url);
    browser.wait_for("document.activeElement.id === 'text'");
    browser.keys("from a phone\u{e007}");
    answered(&browser, "You said: from a phone");
    assert_eq!(browser.run("return matchMedia('(prefers-color-scheme: dark)').matches"), true);
    let wide = browser.run("return document.documentElement.scrollWidth - innerWidth");
    assert!(wide.as_i64().unwrap() <= 0, "nothing has to be pushed sideways: {wide}");
    keep(&browser, "phone-dark.png");
    nothing_is_wrong(&browser);
}

#[test]
fn the_page_can_be_used_with_the_keyboard_alone() {
    let Some(browser) = browser(1280, 800, false) else { return };
    let trial = Trial::start(&[]);
    browser.open(&trial.url);
    browser.wait_for("document.activeElement.id === 'text'");
    browser.keys("hello\u{e007}");
    answered(&browser, "You said: hello");
    browser.wait_for("document.querySelectorAll('.choices button').length");
    // Back from the field to the choices below the answer, and one of them taken.
    for _ in 0..20 {
        if browser.run("return document.activeElement.textContent") == "Buttons" {
            break;
        }
        browser.post("/actions", &back_tab());
    }
    browser.keys("\u{e007}");
    answered(&browser, "A button can come back to me");
    nothing_is_wrong(&browser);
}

/// Shift and the tabulator.
fn back_tab() -> serde_json::Value {
    let stroke = |kind: &str, value: &str| serde_json::json!({ "type": kind, "value": value });
    let (shift, tab) = ("\u{e008}", "\u{e004}");
    let strokes = [stroke("keyDown", shift), stroke("keyDown", tab), stroke("keyUp", tab), stroke("keyUp", shift)];
    serde_json::json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] })
}

/// Moves the clock of the trial, and says what it shows.
fn move_clock(browser: &Browser, button: &str) -> String {
    browser.run(&format!(
        "document.getElementById('moved').textContent = ''; document.getElementById({button:?}).click()"
    ));
    browser.wait_for("document.getElementById('moved').textContent").as_str().unwrap().to_owned()
}

/// What one conversation of the solar bot is asked, up to the chart of the week.
fn ask_the_sun(browser: &Browser, conversation: &str) {
    browser.wait_for(&format!(
        "[...document.querySelectorAll('nav button')].filter(b => b.textContent.includes('bot sun'))
            .find(b => b.textContent.includes({conversation:?})).click() || true"
    ));
    browser.keys("today\u{e007}");
    answered(browser, "Wh were produced today");
    browser.keys("this week\u{e007}");
    browser.wait_for("document.querySelector('#chat .picture')");
    // A week that has just begun is a short one, a month that is over has always enough to scroll.
    browser.keys("last month\u{e007}");
    browser.wait_for("document.querySelectorAll('#chat .picture').length > 1");
    browser.wait_for("[...document.querySelectorAll('#chat .picture')].every(i => i.complete && i.naturalWidth > 100)");
    // A picture that came after its words has not pushed the end out of sight.
    let end = "(c => c.scrollHeight > c.clientHeight && c.scrollHeight - c.scrollTop - c.clientHeight < 2)";
    browser.wait_for(&format!("{end}(document.getElementById('chat'))"));
    browser.keys("subscribe 11:00\u{e007}");
    answered(browser, "You will hear from me every day at 11:00 (Europe/Berlin)");
}

#[test]
fn a_newcomer_asks_the_solar_bot_and_sees_its_daily_push_at_once() {
    let Some(browser) = browser(1280, 940, false) else { return };
    let trial = Trial::start(&["--seed", "7"]);
    browser.open(&trial.url);
    browser.wait_for("document.activeElement.id === 'text'");
    // Whenever this is run, it is early in an afternoon: there is daylight, and the window of 24 hours is open tomorrow.
    move_clock(&browser, "morning");
    move_clock(&browser, "hour");
    move_clock(&browser, "hour");
    ask_the_sun(&browser, "direct");
    ask_the_sun(&browser, "messenger");
    let before = browser.run("return document.querySelectorAll('#chat li.bot .bubble').length").as_u64().unwrap();
    move_clock(&browser, "morning");
    // Nobody types anything; what comes is of the next morning, and offers another one.
    let push = browser.wait_for(&format!(
        "document.querySelectorAll('#chat li.bot .bubble').length > {before}
            && [...document.querySelectorAll('#chat li.bot .bubble')].at(-1).textContent"
    ));
    assert!(push.as_str().unwrap().contains("Wh"), "{push}");
    browser.wait_for(
        "[...document.querySelectorAll('#chat .choices button')].some(b => b.textContent === 'Tomorrow again')",
    );
    let shown = browser.wait_for(
        "document.getElementById('now').textContent.includes('11:00') && document.getElementById('now').textContent",
    );
    let when = "[...document.querySelectorAll('#chat li.when')].at(-1).textContent";
    assert_eq!(browser.run(&format!("return {when}")), shown, "what was said then says so");
    browser.run("[...document.querySelectorAll('#chat li.bot .bubble')].at(-1).click()");
    browser.wait_for("document.querySelector('#steps').innerText.includes('rang') && document.querySelector('#steps').innerText.includes('11:00:0')");
    keep(&browser, "solar.png");
    // It came on Webex, too, where nobody looked.
    browser.wait_for(
        "[...document.querySelectorAll('nav button.new')].some(b => b.textContent.includes('direct, bot sun'))",
    );
    nothing_is_wrong(&browser);
}

#[test]
fn a_newcomer_chooses_one_of_several_players_and_is_told_of_the_last_week() {
    let Some(browser) = browser(1280, 1200, false) else { return };
    let trial = Trial::start(&["--seed", "7"]);
    browser.open(&trial.url);
    browser.wait_for("document.activeElement.id === 'text'");
    for conversation in ["direct, bot dota", "messenger, bot dota"] {
        go_to(&browser, conversation);
        browser.keys("Ada\u{e007}");
        answered(&browser, "Which one? Answer with the number, or tap:");
        let ada = "[...document.querySelectorAll('#chat .choices button')].find(b => b.textContent === '1. Ada')";
        browser.wait_for(ada);
        browser.run(&format!("{ada}.click()"));
        answered(&browser, "Ada (id 86745912) from CA: Immortal, place 42 on the leaderboard.");
        answered(&browser, "Last match ");
        browser.keys("last week\u{e007}");
        answered(&browser, "Ada: The last 7 days: ");
    }
    browser.run("[...document.querySelectorAll('#chat li.person .bubble')][0].click()");
    browser.wait_for("document.querySelector('#steps').innerText.includes('heard by bot dota')");
    keep(&browser, "dota.png");
    nothing_is_wrong(&browser);
}

#[test]
fn the_clock_can_be_moved_on_a_phone_and_with_the_keyboard_and_nothing_else_ends() {
    let Some(browser) = browser(500, 900, true) else { return };
    let trial = Trial::start(&[]);
    browser.open(&trial.url);
    browser.wait_for("document.activeElement.id === 'text'");
    browser.wait_for("document.getElementById('now').textContent");
    browser.run("document.getElementById('hour').focus()");
    let hour = |browser: &Browser| {
        let told = browser.run("return document.getElementById('now').dateTime");
        told.as_str().unwrap()[11..16].to_owned()
    };
    let minutes = |time: &str| time[..2].parse::<i64>().unwrap() * 60 + time[3..].parse::<i64>().unwrap();
    let before = minutes(&hour(&browser));
    browser.keys("\u{e007}");
    browser.wait_for("document.getElementById('moved').textContent");
    let moved = (minutes(&hour(&browser)) - before).rem_euclid(24 * 60);
    assert!((60..62).contains(&moved), "{moved} minutes");
    // Three days on, what is said is still answered on both platforms.
    for day in 1..=3 {
        assert!(move_clock(&browser, "morning").ends_with("11:00"));
        browser.run("document.getElementById('text').focus()");
        browser.keys(&format!("day {day}\u{e007}"));
        answered(&browser, &format!("You said: day {day}"));
    }
    go_to(&browser, "direct");
    browser.keys("and in Webex\u{e007}");
    answered(&browser, "You said: and in Webex");
    let wide = browser.run("return document.documentElement.scrollWidth - innerWidth");
    assert!(wide.as_i64().unwrap() <= 0, "nothing has to be pushed sideways: {wide}");
    assert_eq!(browser.run("return document.getElementById('link').textContent"), "connected");
    keep(&browser, "phone-clock.png");
    nothing_is_wrong(&browser);
}

#[test]
fn conversations_stand_below_their_bot_and_a_bot_of_webex_has_its_name() {
    let Some(browser) = browser(1280, 940, false) else { return };
    let trial = Trial::start(&[]);
    browser.open(&trial.url);
    browser.wait_for("document.querySelector('nav button')");
    let list = "return [...document.querySelectorAll('nav li')].map(li => li.className || li.textContent.match(/bot (\\w+)$/)[1]).join()";
    let heads = "return [...document.querySelectorAll('nav .head')].map(li => li.textContent).join()";
    assert_eq!(browser.run(heads), "bot tour,bot sun,bot dota,bot weekly");
    let under = ["tour", "sun", "dota", "weekly"].map(|bot| format!("head,{bot}"));
    let list = browser.run(list);
    let list = list.as_str().unwrap();
    let once: Vec<_> = list.split(',').collect();
    let once = once.iter().enumerate().filter(|(at, word)| *at == 0 || once[at - 1] != **word).map(|(_, word)| *word);
    assert_eq!(once.collect::<Vec<_>>().join(","), under.join(","));
    go_to(&browser, "group, bot dota");
    browser.keys("help\u{e007}");
    browser
        .wait_for("[...document.querySelectorAll('#chat li.person .bubble')].some(b => b.textContent === 'dota help')");
    nothing_is_wrong(&browser);
}

#[test]
fn pages_and_logins_are_at_the_port_after_the_one_that_was_asked_for() {
    // Two free ports side by side; somebody else may take one meanwhile, so it is tried more than once.
    let pair = || {
        let one = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        std::net::TcpListener::bind(("127.0.0.1", one.checked_add(1)?)).ok().map(|_| one)
    };
    let port = (0..100).find_map(|_| pair()).unwrap();
    let mut trial = Trial::start(&["--listen", &format!("127.0.0.1:{port}")]);
    assert_eq!(trial.url, format!("http://127.0.0.1:{port}/"));
    assert_eq!(trial.operator(), format!("http://127.0.0.1:{}/", port + 1));
    drop(trial);
    let _neighbour = std::net::TcpListener::bind(("127.0.0.1", port + 1)).unwrap();
    let mut trial = Trial::start(&["--listen", &format!("127.0.0.1:{port}")]);
    assert!(trial.operator() != format!("http://127.0.0.1:{}/", port + 1), "somebody else is there");
}

#[test]
fn ctrl_c_ends_it_and_leaves_nothing_behind_unless_asked() {
    let mut trial = Trial::start(&[]);
    assert!(trial.folder.exists());
    assert!(trial.interrupt().success());
    assert!(!trial.folder.exists());
    assert_eq!(trial.lines.by_ref().map_while(Result::ok).last().as_deref(), Some("ended; nothing was kept"));

    let mut kept = Trial::start(&["--keep"]);
    assert!(kept.interrupt().success());
    assert!(kept.folder.join("ackd.db").exists(), "it was asked to keep it");
}

#[test]
fn other_peoples_pages_reach_nothing() {
    let trial = Trial::start(&[]);
    let address = trial.url.trim_start_matches("http://").trim_end_matches('/');
    let ask_with = |head: &str, body: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.get(9..12).unwrap_or_default().to_owned()
    };
    let ask = |head: &str| ask_with(head, "");
    assert_eq!(ask(&format!("GET /chat.state HTTP/1.1\r\nHost: {address}")), "200");
    assert_eq!(ask("GET /chat.state HTTP/1.1\r\nHost: evil.example"), "421");
    let moves = |from: &str| {
        let body = "{\"to\":\"hour\"}";
        let length = body.len();
        ask_with(&format!("POST /chat.clock HTTP/1.1\r\nHost: {address}{from}\r\nContent-Length: {length}"), body)
    };
    assert_eq!(moves("\r\nOrigin: http://evil.example"), "403");
    assert_eq!(moves(&format!("\r\nOrigin: http://{address}")), "200");
    assert_eq!(ask(&format!("GET /chat.clock HTTP/1.1\r\nHost: {address}")), "405");
    assert_eq!(ask(&format!("GET /chat.state HTTP/1.1\r\nHost: {address}\r\nOrigin: http://evil.example")), "403");
    assert_eq!(ask(&format!("GET /ledger HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: cross-site")), "403");
}
