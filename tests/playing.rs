//! `ackd twin` beside `ackd run`, as two programs: whoever has another bot has the same stand-ins.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "here a panic is how a failure is told"
)]

#[path = "shared/browser.rs"]
mod browser;

use browser::{Browser, answer};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How often something is looked at that nobody tells of.
const GLANCE: Duration = Duration::from_millis(10);

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("ackd-playing-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program that ends with its test.
struct Running {
    child: Child,
    /// Its temporary files, which it does not come to remove.
    _folder: Folder,
}

impl Running {
    /// Starts ackd with these words, and waits until it has said `told` on its output or in its log.
    fn start(words: &[&str], told: &str) -> (Running, String) {
        let (running, [line]) = Running::start_told(words, [told]);
        (running, line)
    }

    /// The same with several lines, in this order.
    fn start_told<const N: usize>(words: &[&str], told: [&str; N]) -> (Running, [String; N]) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = Folder::new(&format!("program-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
        let (reader, writer) = std::io::pipe().unwrap();
        let child = command
            .args(words)
            .env("TMPDIR", &folder.0)
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .spawn()
            .unwrap();
        drop(command);
        let mut lines = BufReader::new(reader).lines().map_while(Result::ok);
        let mut find = |told| lines.find(|line| line.contains(told));
        let found = told.map(|told| find(told).unwrap_or_else(|| panic!("{words:?} never told {told:?}")));
        // Whoever stops reading would stop the program, too.
        std::thread::spawn(move || lines.for_each(drop));
        (Running { child, _folder: folder }, found)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn get(url: &str) -> Value {
    let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).build().new_agent();
    serde_json::from_str(&agent.get(url).call().unwrap().body_mut().read_to_string().unwrap()).unwrap()
}

fn post(url: &str, body: &Value) -> Value {
    let mut answer = ureq::post(url).header("Content-Type", "application/json").send(body.to_string()).unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

#[test]
fn two_programs_talk_as_a_platform_and_a_bot_do() {
    let folder = Folder::new("talk");
    let (bot, house) = (free_port(), free_port());
    let text = format!(
        "listen = \"127.0.0.1:{bot}\"\npublic_url = \"http://127.0.0.1:{bot}\"\n\
         [channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"echo\"\napi = \"http://127.0.0.1:{house}/page\"\n\
         verify_token = \"demo\"\napp_secret = \"demo-secret\"\naccess_token = \"demo-token\"\n\
         [channel.space]\nplatform = \"webex\"\npath = \"/space\"\nbot = \"echo\"\napi = \"http://127.0.0.1:{house}/space\"\n\
         access_token = \"demo-token\"\nsecret = \"demo-secret\"\n[bot.echo]\nkind = \"echo\"\n"
    );
    let config = folder.0.join("ackd.toml");
    fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let listen = format!("127.0.0.1:{house}");
    let (_twin, line) = Running::start(&["twin", "--config", config, "--listen", &listen, "--seed", "7"], "the ledger");
    assert_eq!(line, format!("the ledger is at http://{listen}/ledger, the seed is 7"));
    let (_daemon, _) = Running::start(&["run", "--config", config], "created memberships/created");

    let url = format!("http://{listen}");
    let conversations = get(&format!("{url}/chat.state"))["conversations"].clone();
    let mut after = String::new();
    for (twin, text) in [("page", "hello page"), ("space", "hello space")] {
        let one = conversations.as_array().unwrap().iter().find(|one| one["twin"] == twin).unwrap();
        let said = json!({ "say": { "conversation": one["id"], "text": text } });
        post(&format!("{url}/act"), &json!({ "twin": twin, "act": said }));
        // Each answer waits for news, so this asks no more often than something happens.
        loop {
            let news = get(&format!("{url}/chat.news?after={after}"));
            let bubbles = news["bubbles"].as_array().unwrap().clone();
            let numbers = news["after"].as_object().unwrap().iter().map(|(twin, number)| format!("{twin}:{number}"));
            after = numbers.collect::<Vec<_>>().join(",");
            if bubbles.iter().any(|bubble| bubble["side"] == "bot" && bubble["text"] == text) {
                break;
            }
        }
    }
    let ledger = get(&format!("{url}/ledger?twin=space"));
    let paths: Vec<_> = ledger["calls"].as_array().unwrap().iter().map(|call| call["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&"/people/me") && paths.contains(&"/messages"), "{paths:?}");
    assert!(!ledger.to_string().contains("demo-token") && !ledger.to_string().contains("demo-secret"));
}

/// Runs ackd to its end with something on its input.
fn ended(words: &[&str], input: impl FnOnce(&str) -> String) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
    let mut child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    if words[0] == "login" {
        while !text.contains("Then paste") && out.read_line(&mut text).unwrap() > 0 {}
        let page = text.lines().find_map(|line| line.trim().strip_prefix("http")).unwrap();
        child.stdin.take().unwrap().write_all(input(&format!("http{page}")).as_bytes()).unwrap();
    }
    out.read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{words:?}: {text}");
    text
}

#[test]
fn somebody_logs_in_at_the_stand_in_of_a_service_and_lets_a_person_in_by_a_code() {
    let folder = Folder::new("sun");
    let (bot, house) = (free_port(), free_port());
    let sun = format!("http://127.0.0.1:{house}/enphase");
    let text = format!(
        "listen = \"127.0.0.1:{bot}\"\npublic_url = \"http://127.0.0.1:{bot}\"\n\
         [channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"sun\"\napi = \"http://127.0.0.1:{house}/page\"\n\
         verify_token = \"demo\"\napp_secret = \"demo-secret\"\naccess_token = \"demo-token\"\n\
         [bot.sun]\nkind = \"solar\"\nupstream = \"enphase\"\n\
         [upstream.enphase]\nkind = \"enphase\"\napi = \"{sun}/api/v4\"\nkey = \"k&y of ours\"\n\
         [upstream.enphase.oauth]\nclient_id = \"our-id\"\nclient_secret = \"demo-secret\"\n\
         authorize_url = \"{sun}/oauth/authorize\"\ntoken_url = \"{sun}/oauth/token\"\n\
         [upstream.other]\napi = \"https://api.opendota.com/api\"\nper_day = 9\n"
    );
    let config = folder.0.join("ackd.toml");
    fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let listen = format!("127.0.0.1:{house}");
    let words = ["twin", "--config", config, "--listen", &listen, "--seed", "7"];
    let (_twin, other) = Running::start(&words, "other: ");
    assert_eq!(other, "other: not played, since it is at https://api.opendota.com/api");
    let (_daemon, _) = Running::start(&["run", "--config", config], "listening on 127.0.0.1");

    let code = |page: &str| {
        let shown = ureq::get(page).call().unwrap().body_mut().read_to_string().unwrap();
        format!("{}\n", shown.split("The code is ").nth(1).unwrap().trim())
    };
    let told = ended(&["login", "enphase", "--config", config], code);
    assert!(told.ends_with("upstream enphase: logged in; the daemon uses it from now on\n"), "{told}");
    let invited = ended(&["solar", "invite", "698910068", "--config", config], |_| String::new());
    let code = invited.lines().next().unwrap();

    let url = format!("http://{listen}");
    let conversations = get(&format!("{url}/chat.state"))["conversations"].clone();
    let id = conversations[0]["id"].clone();
    let mut after = 0;
    for (text, answer) in [
        ("today", "Please send me the code that you were given"),
        (code, "Welcome! From now on I tell you about Dach."),
        ("last week", "were produced last week."),
    ] {
        let said = json!({ "say": { "conversation": id, "text": text } });
        post(&format!("{url}/act"), &json!({ "twin": "page", "act": said }));
        let told = loop {
            let news = get(&format!("{url}/chat.news?after=page:{after}"));
            after = news["after"]["page"].as_u64().unwrap();
            let bubbles = news["bubbles"].as_array().unwrap().clone();
            let said = |bubble: &&Value| {
                bubble["side"] == "bot" && bubble["text"].as_str().is_some_and(|text| !text.is_empty())
            };
            if let Some(bubble) = bubbles.iter().find(said) {
                break bubble["text"].as_str().unwrap().to_owned();
            }
        };
        assert!(told.contains(answer), "{text}: {told}");
    }
    let ledger = get(&format!("{url}/ledger?twin=enphase")).to_string();
    assert!(ledger.contains("/oauth/token") && ledger.contains("/api/v4/systems"), "{ledger}");
}

#[test]
fn a_bot_that_asks_without_a_login_finds_the_stand_in_with_its_key() {
    let folder = Folder::new("dota");
    let (bot, house) = (free_port(), free_port());
    let text = format!(
        "listen = \"127.0.0.1:{bot}\"\npublic_url = \"http://127.0.0.1:{bot}\"\n\
         [channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"dota\"\napi = \"http://127.0.0.1:{house}/page\"\n\
         verify_token = \"demo\"\napp_secret = \"demo-secret\"\naccess_token = \"demo-token\"\n\
         [bot.dota]\nkind = \"dota\"\nupstream = \"opendota\"\n\
         [upstream.opendota]\nkind = \"opendota\"\napi = \"http://127.0.0.1:{house}/opendota/api\"\nkey = \"k&y of ours\"\n"
    );
    let config = folder.0.join("ackd.toml");
    fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let listen = format!("127.0.0.1:{house}");
    let (_twin, _) = Running::start(&["twin", "--config", config, "--listen", &listen, "--seed", "7"], "the ledger");
    let (_daemon, _) = Running::start(&["run", "--config", config], "listening on 127.0.0.1");
    let url = format!("http://{listen}");
    let id = get(&format!("{url}/chat.state"))["conversations"][0]["id"].clone();
    post(
        &format!("{url}/act"),
        &json!({ "twin": "page", "act": { "say": { "conversation": id, "text": "Wolfgang" } } }),
    );
    let (mut after, mut told) = (0, Vec::new());
    while told.len() < 3 {
        let news = get(&format!("{url}/chat.news?after=page:{after}"));
        after = news["after"]["page"].as_u64().unwrap();
        let said = news["bubbles"].as_array().unwrap().iter().filter(|bubble| bubble["side"] == "bot");
        // The sign that somebody is typing has no text.
        told.extend(said.map(|bubble| bubble["text"].to_string()).filter(|text| text.len() > 2 && text != "null"));
        told.dedup();
    }
    let wanted = ["Wolfgang (id 47110815) from AT: Guardian with 3 stars.", "The last 20 matches: ", "Last match "];
    assert!(told.iter().zip(wanted).all(|(told, wanted)| told.contains(wanted)), "{told:#?}");
    let ledger = get(&format!("{url}/ledger?twin=opendota"));
    let calls = ledger["calls"].as_array().unwrap();
    assert!(calls.len() == 7 && calls.iter().all(|call| call["status"] == 200), "{ledger}");
    assert!(!ledger.to_string().contains("of%20ours") && !ledger.to_string().contains("of ours"), "{ledger}");
}

#[test]
fn somebody_logs_in_at_the_played_facebook_and_bot_and_page_tell_of_the_same_week() {
    let folder = Folder::new("week");
    let (bot, house, admin) = (free_port(), free_port(), free_port());
    let facebook = format!("http://127.0.0.1:{house}/facebook/v25.0");
    let text = format!(
        "listen = \"127.0.0.1:{bot}\"\npublic_url = \"http://127.0.0.1:{bot}\"\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n\
         [channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"weekly\"\napi = \"http://127.0.0.1:{house}/page\"\n\
         verify_token = \"demo\"\napp_secret = \"canary-secret\"\naccess_token = \"canary-token\"\n\
         [bot.weekly]\nkind = \"digest\"\nupstream = \"facebook\"\nzone = \"Europe/Berlin\"\npath = \"/weekly\"\n\
         secret = \"canary-link\"\n[upstream.facebook]\nkind = \"facebook\"\napp_id = \"482\"\n\
         app_secret = \"canary-app\"\napi = \"{facebook}\"\ndialog = \"{facebook}/dialog/oauth\"\n\
         [upstream.apart]\nkind = \"facebook\"\napp_id = \"482\"\napp_secret = \"canary-app\"\napi = \"{facebook}\"\n"
    );
    let config = folder.0.join("ackd.toml");
    fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let listen = format!("127.0.0.1:{house}");
    let words = ["twin", "--config", config, "--listen", &listen, "--seed", "7"];
    let (_twin, [told, apart]) = Running::start_told(&words, ["facebook: ", "apart: "]);
    let nobody = "nobody can log in, since its dialog is at https://www.facebook.com/v25.0/dialog/oauth";
    assert_eq!(apart, format!("apart: facebook at http://{listen}/apart; {nobody}"));
    let link = format!("http://localhost:{admin}/login/facebook");
    let wanted = format!("its tokens: open {link} in a browser, while ackd run runs");
    assert_eq!(told, format!("facebook: facebook at http://{listen}/facebook; {wanted}"));
    let (_daemon, _) = Running::start(&["run", "--config", config], &format!("listening on 127.0.0.1:{admin}"));

    let mut browser = Browser::default();
    let done = answer(&mut browser, &link, "answer=allow");
    // Of a bot that names no page there is one alone.
    assert!(
        done.status == 200 && done.body.contains("these pages: Brot &amp; Stulle (104455667788990)</p>"),
        "{}",
        done.body
    );
    let page = format!("http://127.0.0.1:{bot}/weekly/canary-link");
    let first = browser.get(&page);
    assert!(first.head.contains("\r\nRefresh: ") && first.body.contains("is being made"), "{}", first.body);
    let week = loop {
        let page = browser.get(&page);
        if !page.head.contains("\r\nRefresh: ") {
            break page;
        }
        std::thread::sleep(GLANCE);
    };
    let sums = week.body.split("<p>").nth(1).and_then(|rest| rest.split("</p>").next()).unwrap();
    assert!(week.body.contains("Brot &amp; Stulle, Mon ") && sums.ends_with(" reactions."), "{}", week.body);

    let url = format!("http://{listen}");
    let id = get(&format!("{url}/chat.state"))["conversations"][0]["id"].clone();
    post(
        &format!("{url}/act"),
        &json!({ "twin": "page", "act": { "say": { "conversation": id, "text": "summary" } } }),
    );
    let mut after = 0;
    loop {
        let news = get(&format!("{url}/chat.news?after=page:{after}"));
        after = news["after"]["page"].as_u64().unwrap();
        let bubbles = news["bubbles"].as_array().unwrap();
        if bubbles.iter().any(|bubble| bubble["text"].as_str().is_some_and(|text| text.contains(sums))) {
            break;
        }
    }
}

#[test]
fn the_example_for_twins_is_tried_as_it_is_and_its_bots_find_whom_they_ask() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/twin.toml");
    let (_trial, line) = Running::start(&["try", "--config", example, "--seed", "7"], "open http://");
    let url = line.trim_start_matches("open ").trim_end_matches('/');
    let conversations = get(&format!("{url}/chat.state"))["conversations"].clone();
    let mut after = String::new();
    for (twin, text, answer) in
        [("dota-page", "86745912", "Ada (id 86745912) from CA: Immortal"), ("weekly-page", "summary", " reactions.")]
    {
        let one = conversations.as_array().unwrap().iter().find(|one| one["twin"] == twin).unwrap();
        let said = json!({ "say": { "conversation": one["id"], "text": text } });
        post(&format!("{url}/act"), &json!({ "twin": twin, "act": said }));
        let mut told = Vec::new();
        // Each waits until something happens, and what is not answered after so much never is.
        let is_told = (0..30).any(|_| {
            let news = get(&format!("{url}/chat.news?after={after}"));
            let numbers = news["after"].as_object().unwrap().iter().map(|(twin, number)| format!("{twin}:{number}"));
            after = numbers.collect::<Vec<_>>().join(",");
            let bubbles = news["bubbles"].as_array().unwrap().iter();
            let said = bubbles.filter(|bubble| bubble["twin"] == twin && bubble["side"] == "bot");
            told.extend(said.map(|bubble| bubble["text"].as_str().unwrap_or_default().to_owned()));
            told.iter().any(|text| text.contains(answer))
        });
        assert!(is_told, "{twin}: {told:?}");
    }
}

#[test]
fn a_trial_with_faults_says_its_seed_and_takes_it_back() {
    let faults = ["try", "--faults", "cut 2%"];
    let (trial, line) = Running::start(&faults, "goes wrong on purpose");
    drop(trial);
    let seed = line.strip_prefix("goes wrong on purpose: cut 2%; the same again: --seed ").unwrap();
    let (_trial, again) = Running::start(&[&faults[..], &["--seed", seed]].concat(), "goes wrong on purpose");
    assert_eq!(again, line);
}

#[test]
fn what_cannot_be_played_is_told_with_what_to_write() {
    let said = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_ackd")).args(words).stdin(Stdio::null()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (words, part) in [
        (["try", "--listen", "0.0.0.0:80"], "--listen: \"0.0.0.0:80\" is no address of this machine alone"),
        (["try", "--faults", "lat 5%"], "--faults: \"lat\" is no fault; write one of late, "),
        (["twin", "--faults", "cut 200%"], "from 0% to 100%; see ackd twin --help"),
        (["try", "--seed", "many"], "--seed: \"many\" is no whole number"),
        (["twin", "--to", "https://example.org"], "--to: \"https://example.org\" is not on this machine"),
        (["twin", "--to", "http://127.0.0.1.example.org"], "is not on this machine"),
    ] {
        let (code, why) = said(&words);
        assert!(code == 2 && why.contains(part), "{code} {why}");
    }
    let folder = Folder::new("real");
    let config = folder.0.join("ackd.toml");
    let text = "listen = \"127.0.0.1:0\"\n[channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"echo\"\n\
                verify_token = \"demo\"\napp_secret = \"demo-secret\"\naccess_token = \"demo-token\"\n[bot.echo]\nkind = \"echo\"\n";
    for api in ["", "api = \"https://127.0.0.1.example.org\"\n", "api = \"http://127.0.0.1.example.org/x\"\n"] {
        fs::write(&config, text.replace("[bot", &format!("{api}[bot"))).unwrap();
        let (code, why) = said(&["twin", "--config", config.to_str().unwrap()]);
        assert!(
            code == 1 && why.contains("channel page: its api is") && why.contains("secrets are real"),
            "{code} {why}"
        );
    }
    let dota = format!("{text}[upstream.dota]\napi = \"https://api.opendota.com/api\"\nper_day = 9\n");
    fs::write(&config, dota).unwrap();
    let (code, why) = said(&["try", "--config", config.to_str().unwrap()]);
    assert!(code == 1 && why.contains("upstream dota: there is no stand-in for it, so leave it"), "{code} {why}");
    let (code, why) = said(&["try", "--config", "/nowhere/ackd.toml"]);
    assert!(code == 2 && why.contains("/nowhere/ackd.toml: cannot be read"), "{code} {why}");
}
