//! The login at Facebook and a page's week, as somebody has them in a browser: in a trial, and with words that would like
//! to be more than words.

use super::shared::PATIENCE;
use super::shared::chromium::Browser;
use super::{Trial, answered, browser, go_to, keep, move_clock, nothing_is_wrong};
use ackd::daemon::clock;
use ackd::model::Secret;
use ackd::twin::graph::{Graph, Page, Settings};
use ackd::twin::{House, Plan, Server};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

/// By how much a page is wider than its window.
fn surplus(browser: &Browser) -> i64 {
    browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth").as_i64().unwrap()
}

#[test]
fn somebody_logs_in_by_hand_and_is_told_what_came_of_it() {
    let Some(browser) = browser(1000, 700, false) else { return };
    let mut trial = Trial::start(&["--seed", "7"]);
    let operator = trial.operator();
    for (answer, told) in [
        ("deny", "You did not allow it at Facebook. Nothing was changed."),
        ("allow", "ackd may read these pages: Brot & Stulle (104455667788990), Two Cups & a Spoon (104455667788991)"),
    ] {
        browser.open(&operator);
        keep(&browser, "operator.png");
        if answer == "deny" {
            follow(&browser, "a[href='/login/facebook/done']");
            assert!(browser.text().contains(" these pages: Brot"), "somebody has logged in: {}", browser.text());
            follow(&browser, "a[href='/']");
        }
        follow(&browser, "a[href='/login/facebook']");
        let dialog = browser.text();
        assert!(dialog.contains("You are logged in as Ada Example") && dialog.contains("pages_show_list"), "{dialog}");
        assert_eq!(surplus(&browser), 0);
        keep(&browser, "login.png");
        follow(&browser, &format!("button[value={answer}]"));
        see(&browser, told);
        keep(&browser, &format!("login-{answer}.png"));
    }
    let address = browser.run("return location.href");
    assert_eq!(address, format!("{operator}login/facebook/done"), "the code is in no address that stays");
    nothing_is_wrong(&browser);
}

#[test]
fn a_pages_week_is_readable_on_a_desk_and_on_a_phone() {
    let Some(browser) = browser(1280, 900, false) else { return };
    let mut trial = Trial::start(&["--seed", "7"]);
    let operator = trial.operator();
    browser.open(&operator);
    follow(&browser, "a[href='/weekly']");
    see(&browser, "Brot & Stulle");
    keep(&browser, "weekly-list.png");
    follow(&browser, "a[href='?page=104455667788990']");
    see_week(&browser);
    keep(&browser, "weekly.png");
    browser.click("a[href$='week=this']");
    see_week(&browser);
    assert!(browser.text().contains(", so far"), "{}", browser.text());
    browser.click("a[href$='week=last']");
    browser.be_a_phone(360, 740);
    browser.open(browser.run("return location.href").as_str().unwrap());
    see_week(&browser);
    assert_eq!(
        (browser.run("return innerWidth"), surplus(&browser)),
        (360.into(), 0),
        "nothing has to be pushed sideways"
    );
    keep(&browser, "weekly-phone.png");
    nothing_is_wrong(&browser);
}

/// Whoever comes first is told to look again, and finds these words then: one after another is served.
fn see(browser: &Browser, words: &str) {
    let until = Instant::now() + PATIENCE;
    while browser.text().to_lowercase().contains("in a moment") && Instant::now() < until {
        browser.open(browser.run("return location.href").as_str().unwrap());
    }
    assert!(browser.text().contains(words), "{}", browser.text());
}

/// Clicks what leads to another page, and waits for that: the browser may still show the old one when the click is done.
fn follow(browser: &Browser, css: &str) {
    let (before, until) = (browser.text(), Instant::now() + PATIENCE);
    browser.click(css);
    while browser.text() == before && Instant::now() < until {}
}

fn see_week(browser: &Browser) {
    see(browser, " reactions");
}

/// The newest answer's cards in the open conversation.
const CARDS: &str = "document.querySelectorAll('#chat li.bot .card').length";

#[test]
fn a_pages_week_is_told_on_both_platforms_and_comes_of_its_own_accord_when_a_new_one_begins() {
    let Some(browser) = browser(1280, 1000, false) else { return };
    let trial = Trial::start(&["--seed", "7"]);
    browser.open(&trial.url);
    browser.wait_for("document.activeElement.id === 'text'");
    for (conversation, picture) in
        [("messenger, bot weekly", "weekly-messenger.png"), ("direct, bot weekly", "weekly-webex.png")]
    {
        go_to(&browser, conversation);
        browser.keys("summary\u{e007}");
        answered(&browser, "Brot & Stulle, Mon ");
        browser.wait_for(&format!("{CARDS} > 0"));
        keep(&browser, picture);
        browser.keys("top shared\u{e007}");
        answered(&browser, "the most shared is ");
        browser.keys("this week\u{e007}");
        answered(&browser, ", so far: ");
        browser.keys("subscribe\u{e007}");
        answered(&browser, "You will hear from me on Mon at 09:00 (Europe/Berlin)");
    }
    // Nobody types anything; on a Monday the summary comes. The clock then stands, or the look would seem to take a day.
    let told =
        "[...document.querySelectorAll('#chat li.bot .bubble')].filter(b => b.textContent.includes('reactions.'))";
    let before = browser.run(&format!("return {told}.length"));
    assert!((0..8).any(|_| move_clock(&browser, "morning").contains("Mon ")), "a Monday");
    browser.wait_for(&format!("{told}.length > {before}"));
    browser.run("document.getElementById('text').focus()");
    browser.keys("top commented\u{e007}");
    answered(&browser, "the most commented is ");
    nothing_is_wrong(&browser);
}

/// What would like to run, and what it would do.
const NAME: &str = "<script>ran = 1</script><img src=x onerror=\"ran = 2\"> & '";
const POST: &str = "\" onmouseover=\"ran = 3\" <b>&lt;b&gt;</b> <a href=\"javascript:ran = 4\">javascript:ran = 4</a><svg onload=ran=5>\
                    https://example.org/WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW";

/// A daemon with a bot that tells of a page on which everything is wild; it ends with its test.
struct Daemon {
    child: Child,
    folder: PathBuf,
    admin: String,
    _server: Server,
}

impl Daemon {
    fn start() -> Daemon {
        let house = Arc::new(House::new(clock));
        let server = Server::open("127.0.0.1:0".parse().unwrap(), Arc::clone(&house), Box::new(|_| None)).unwrap();
        let (base, port) = (server.api("fb"), TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
        let mut settings = Settings::played();
        let wild =
            Page { says: Some(POST.to_owned()), link: "javascript:ran=6//".to_owned(), ..Page::bakery("17", NAME) };
        (settings.base, settings.pages, settings.person.name) = (base.clone(), vec![wild], NAME.to_owned());
        settings.app_secret = Secret::new("demo-secret");
        settings.redirect_uris = vec![format!("http://localhost:{port}/login/fb")];
        house.lodge("fb", Box::new(Graph::new(settings)), Plan::default()).unwrap();
        let folder = std::env::temp_dir().join(format!("ackd-wild-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:{port}\"\n[channel.page]\nplatform = \"messenger\"\n\
             path = \"/page\"\nbot = \"weekly\"\nverify_token = \"demo\"\napp_secret = \"demo-secret\"\n\
             access_token = \"demo-token\"\n[bot.weekly]\nkind = \"digest\"\nupstream = \"fb\"\npath = \"/weekly\"\n\
             zone = \"UTC\"\nsecret = \"demo-secret\"\n[upstream.fb]\nkind = \"facebook\"\napp_id = \"482915736608214\"\n\
             app_secret = \"demo-secret\"\napi = \"{base}/v25.0\"\ndialog = \"{base}/v25.0/dialog/oauth\"\n"
        );
        fs::write(folder.join("ackd.toml"), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
        let mut child = command.arg("run").current_dir(&folder).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let admin = format!("127.0.0.1:{port}");
        assert!(lines.any(|line| line.ends_with(&format!("listening on {admin}"))), "it never listened");
        std::thread::spawn(move || lines.for_each(drop));
        Daemon { child, folder, admin: format!("http://{admin}"), _server: server }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// That these wild words stand in the open page as they were written, and are nothing but words.
fn only_words(browser: &Browser, words: &str) {
    see(browser, words);
    let text = browser.text();
    let more = "return [...document.querySelectorAll('script, img, svg, b')].map(e => e.outerHTML)
        .concat([...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).map(e => e.outerHTML))
        .concat([...document.links].filter(a => !['http:', 'https:'].includes(a.protocol)).map(a => a.href))";
    assert_eq!(browser.run(more), serde_json::json!([]), "{text}");
    assert_eq!(browser.run("return typeof ran"), "undefined");
    nothing_is_wrong(browser);
}

#[test]
fn what_others_wrote_is_text_and_nothing_else_on_every_page() {
    let Some(browser) = browser(1000, 900, false) else { return };
    browser.be_a_phone(360, 740);
    let daemon = Daemon::start();
    browser.open(&format!("{}/login/fb", daemon.admin));
    assert!(browser.text().contains(NAME), "the stand-in's own page: {}", browser.text());
    follow(&browser, "button[value=allow]");
    only_words(&browser, NAME);
    for (page, words) in
        [("/weekly", NAME), ("/weekly?page=17", POST), ("/weekly?page=17", NAME), ("/weekly/demo-secret", POST)]
    {
        let url = format!("{}{page}", daemon.admin);
        browser.open(&url);
        only_words(&browser, words);
        assert_eq!(surplus(&browser), 0, "{page}");
        let policy = ureq::get(&url).call().unwrap().headers().get("content-security-policy").cloned().unwrap();
        assert!(policy.to_str().unwrap().starts_with("default-src 'none'; "), "{policy:?}");
    }
    keep(&browser, "weekly-wild.png");
}
