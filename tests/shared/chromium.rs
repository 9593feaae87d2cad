//! A headless Chromium, driven over the WebDriver protocol (W3C) by chromedriver.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use ureq::Agent;

/// How long anything may take before it counts as never.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one page is asked to tell of a change.
const PAGE_PATIENCE: Duration = Duration::from_secs(2);

pub struct Browser {
    driver: Child,
    agent: Agent,
    session: String,
}

impl Browser {
    /// A browser with an empty profile and a window of this size; `None` where Debian's Chromium is not installed.
    pub fn start(width: u32, height: u32, dark: bool) -> Option<Browser> {
        let driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut driver = driver.ok()?;
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("started successfully on port")).expect("chromedriver starts");
        let port = line.rsplit(' ').next().unwrap().trim_end_matches('.').to_owned();
        // Whoever stops reading lets the driver hang when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build();
        let agent = Agent::new_with_config(config);
        let mut browser = Browser { driver, agent, session: format!("http://127.0.0.1:{port}/session") };
        let scheme = if dark { "--force-dark-mode" } else { "--disable-features=DarkMode" };
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            scheme,
            &format!("--window-size={width},{height}"),
        ];
        let options = json!({ "args": arguments });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let told = browser.post("", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        let id = told["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {told}")).to_owned();
        browser.session = format!("{}/{id}", browser.session);
        browser.post("/timeouts", &json!({ "script": PAGE_PATIENCE.as_millis() as u64 }));
        Some(browser)
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        let sent = self.agent.post(format!("{}{path}", self.session)).send(body.to_string());
        let mut answer = sent.unwrap_or_else(|error| panic!("{path}: {error}"));
        let text = answer.body_mut().read_to_string().unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer.status(), 200, "{path}: {text}");
        told["value"].clone()
    }

    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Runs a script that returns a value.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Clicks as a hand does on the first element that fits, and is where that leads.
    pub fn click(&self, css: &str) {
        let found = self.post("/element", &json!({ "using": "css selector", "value": css }));
        let id = found.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        self.post(&format!("/element/{id}/click"), &json!({}));
    }

    /// Becomes a phone so many pixels wide; a window is never as narrow.
    pub fn be_a_phone(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": true });
        self.post("/goog/cdp/execute", &json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics }));
    }

    /// All that can be read.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap().to_owned()
    }

    /// Waits until `condition`, an expression of JavaScript, is true, and gives its value. The page tells of each
    /// change; one that was left meanwhile tells nothing more, so then the page that is there is asked.
    pub fn wait_for(&self, condition: &str) -> Value {
        let script = format!(
            "const done = arguments[0], look = () => {{ try {{ return {condition}; }} catch {{ return null; }} }};
             const now = look(); if (now) return done(now);
             const watch = new MutationObserver(() => {{ const now = look(); if (now) {{ watch.disconnect(); done(now); }} }});
             watch.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});"
        );
        let began = Instant::now();
        loop {
            let sent = self.agent.post(format!("{}/execute/async", self.session));
            let mut answer = sent.send(json!({ "script": script, "args": [] }).to_string()).unwrap();
            let text = answer.body_mut().read_to_string().unwrap();
            if answer.status() == 200 {
                return serde_json::from_str::<Value>(&text).unwrap()["value"].clone();
            }
            let may_come = text.contains("script timeout") || text.contains("unload");
            let page = || self.run("return document.body.innerText");
            assert!(may_come && began.elapsed() < PATIENCE, "waiting for {condition}: {text}; the page: {}", page());
        }
    }

    /// Types as a keyboard does; `\u{e007}` is the enter key, `\u{e004}` the tabulator.
    pub fn keys(&self, text: &str) {
        let key =
            |letter: char| [json!({ "type": "keyDown", "value": letter }), json!({ "type": "keyUp", "value": letter })];
        let strokes: Vec<Value> = text.chars().flat_map(key).collect();
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }));
    }

    /// Keeps a picture of the window.
    pub fn picture(&self, file: &Path) {
        let mut answer = self.agent.get(format!("{}/screenshot", self.session)).call().unwrap();
        let told: Value =
            serde_json::from_str(&answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap()).unwrap();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, base64(told["value"].as_str().unwrap())).unwrap();
    }

    /// What the console was told since this was last asked.
    pub fn console(&self) -> Vec<String> {
        let told = self.post("/se/log", &json!({ "type": "browser" }));
        told.as_array().unwrap().iter().map(|line| format!("{}: {}", line["level"], line["message"])).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; then its driver.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Decodes base64.
fn base64(text: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let sixes: Vec<u8> = text.bytes().filter_map(value).collect();
    let mut bytes = Vec::with_capacity(sixes.len() * 3 / 4);
    for four in sixes.chunks(4) {
        let bits = four.iter().fold(0_u32, |bits, six| bits << 6 | u32::from(*six)) << (6 * (4 - four.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}
