//! A machine and a web that are played: all is well, until a test changes one thing.

use super::super::testing::{Folder, NOW, world};
use super::super::{CliError, World};
use super::machine::{Machine, Said};
use super::{Instruments, doctor};
use crate::cli::control::ControlFault;
use crate::config::Config;
use crate::intake::WORD_PATH;
use crate::model::{Answer, FetchFault, Method, Moment, OutboundRequest, Outcome};
use crate::registry::Upstream;
use crate::store::StoreError;
use crate::store::sqlite::{Failed, Soundness};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Each stands nowhere but in the environment, so that it can be searched for.
pub(super) const SECRETS: [(&str, &str); 5] = [
    ("VERIFY", "canary-verify-token-9d41c7"),
    ("APP", "5f2d0c1b9a8e7f6d5c4b3a2918070605"),
    ("PAGE", "EAAcanaryPAGEtoken0Zb71QxWvYu2"),
    ("BOT", "NjVjOTQ0-canary-bot-token"),
    ("HOOK", "86dacc007724d8ea666f88fc77d918dad9537a15"),
];
pub(super) const URL: &str = "https://bots.example.org";
pub(super) const DAEMON: u32 = 4711;
const FIELDS: [&str; 5] =
    ["messages", "messaging_postbacks", "messaging_optins", "messaging_referrals", "message_echoes"];

const CONFIG: &str = r#"listen = "127.0.0.1:3000"
connections = 10000
public_url = "https://bots.example.org"
[channel.page]
platform = "messenger"
path = "/messenger"
bot = "echo"
verify_token = { env = "VERIFY" }
app_secret = { env = "APP" }
access_token = { env = "PAGE" }
page_id = "104"
app_id = "482"
[channel.space]
platform = "webex"
path = "/webex"
bot = "echo"
access_token = { env = "BOT" }
secret = { env = "HOOK" }
[bot.echo]
kind = "echo"
"#;

/// A machine whose answers are fields.
pub(super) struct Played {
    pub(super) files: BTreeMap<String, String>,
    pub(super) mode: u32,
    pub(super) systemctl: Result<Said, ErrorKind>,
    pub(super) disk: Result<u64, ErrorKind>,
    pub(super) soundness: Result<Option<Soundness>, StoreError>,
    pub(super) failed: Result<Option<Failed>, StoreError>,
    /// By owner and key.
    pub(super) memory: Result<BTreeMap<(String, String), String>, StoreError>,
    pub(super) held: Result<bool, StoreError>,
    pub(super) listener: Result<u32, ErrorKind>,
    pub(super) left: Result<(), ControlFault>,
    /// A line among the figures; empty for an older daemon.
    pub(super) takes: String,
    words: Cell<u32>,
}

impl Machine for Played {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let found = self.files.get(path.to_str().unwrap());
        found.map(|text| text.clone().into_bytes()).ok_or_else(|| io::Error::from(ErrorKind::NotFound))
    }

    fn mode(&self, _: &Path) -> io::Result<u32> {
        Ok(self.mode)
    }

    fn run(&self, program: &str, words: &[&str]) -> io::Result<Said> {
        assert_eq!((program, words.first(), words.get(1)), ("systemctl", Some(&"show"), Some(&"ackd.service")));
        self.systemctl.clone().map_err(io::Error::from)
    }

    fn try_disk(&self, _: &Path) -> io::Result<()> {
        self.disk.map(|_| ()).map_err(io::Error::from)
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        self.disk.map_err(io::Error::from)
    }

    fn soundness(&self, _: &Path) -> Result<Option<Soundness>, StoreError> {
        self.soundness.clone()
    }

    fn failed(&self, _: &Path, since: Moment) -> Result<Option<Failed>, StoreError> {
        assert!(NOW.since(since).as_secs().abs_diff(24 * 3600) < 120, "a day ago, by a clock that may be off");
        self.failed.clone()
    }

    fn recall(&self, _: &Path, owner: &str, key: &str, _: Moment) -> Result<Option<Vec<u8>>, StoreError> {
        let memory = self.memory.as_ref().map_err(StoreError::clone)?;
        Ok(memory.get(&(owner.to_owned(), key.to_owned())).map(|value| value.clone().into_bytes()))
    }

    fn is_held(&self, _: &Path) -> Result<bool, StoreError> {
        self.held.clone()
    }

    fn listener(&self, _: &Path) -> io::Result<u32> {
        self.listener.map_err(io::Error::from)
    }

    fn order(&self, _: &Path, path: &str, json: &[u8]) -> Result<Vec<String>, ControlFault> {
        assert_eq!(path, "/word");
        let word: Value = serde_json::from_slice(json).unwrap();
        assert_eq!((&word["ask"], &word["say"]), (&json!(word_of(1)), &json!(word_of(2))));
        self.left.clone().map(|()| vec!["left".to_owned()])
    }

    fn figures(&self, _: &Path) -> Result<String, ControlFault> {
        Ok(format!("ackd_connections 3\n{}ackd_connections_accepted_total 9\n", self.takes))
    }

    fn word(&self) -> io::Result<String> {
        self.words.set(self.words.get() + 1);
        Ok(word_of(self.words.get()))
    }
}

fn word_of(number: u32) -> String {
    format!("{number:032}")
}

/// Answers by the address that is asked; it is never told to change anything.
pub(super) struct Web {
    pub(super) pages: BTreeMap<String, Outcome>,
    pub(super) asked: RefCell<Vec<String>>,
}

impl Upstream for Web {
    fn call(&self, request: &OutboundRequest) -> Outcome {
        assert_eq!(request.method, Method::Get, "the doctor changes nothing: {}", request.url);
        self.asked.borrow_mut().push(request.url.clone());
        let page = self.pages.get(&request.url);
        page.cloned().unwrap_or_else(|| panic!("nothing is at {}", request.url))
    }
}

/// An answer that says what time it is.
pub(super) fn answer(status: u16, body: &str) -> Outcome {
    with_header(status, body, "date", "Fri, 15 Jan 2027 08:00:00 GMT")
}

pub(super) fn with_header(status: u16, body: &str, name: &str, value: &str) -> Outcome {
    let headers = vec![(name.to_owned(), value.to_owned())];
    Outcome::Answered(Answer { status, headers, body: body.as_bytes().to_vec() })
}

pub(super) fn unreached() -> Outcome {
    Outcome::Failed(FetchFault { went_out: false, why: "example.org: Connection refused".to_owned() })
}

/// Where a question goes.
pub(super) const PAGE_ME: &str = "https://graph.facebook.com/v25.0/me?fields=id,name";
pub(super) const PAGE_APPS: &str = "https://graph.facebook.com/v25.0/me/subscribed_apps";
pub(super) const APP_CALLBACK: &str = "https://graph.facebook.com/v25.0/482/subscriptions";
pub(super) const BOT_ME: &str = "https://webexapis.com/v1/people/me";
pub(super) const BOT_HOOKS: &str = "https://webexapis.com/v1/webhooks?max=100";

pub(super) fn word_at(base: &str) -> String {
    format!("{base}{WORD_PATH}{}", word_of(1))
}

pub(super) fn apps(fields: &[&str]) -> Outcome {
    let app = json!({ "id": "482", "name": "ackd", "subscribed_fields": fields });
    answer(200, &json!({ "data": [app] }).to_string())
}

pub(super) fn callback(url: &str, active: bool) -> Outcome {
    let page = json!({ "object": "page", "callback_url": url, "active": active, "fields": FIELDS });
    answer(200, &json!({ "data": [page] }).to_string())
}

/// The bot's webhooks, after a change.
pub(super) fn hooks(change: impl Fn(&mut Vec<Value>)) -> Outcome {
    let hook = |resource: &&str| {
        json!({
            "id": format!("hook-{resource}"), "name": format!("ackd space {resource}"), "resource": resource,
            "event": "created", "targetUrl": format!("{URL}/webex"), "secret": SECRETS[4].1, "status": "active",
        })
    };
    let mut items: Vec<_> = ["messages", "attachmentActions", "memberships"].iter().map(hook).collect();
    change(&mut items);
    answer(200, &json!({ "items": items }).to_string())
}

/// All that is looked at, and all well.
pub(super) struct Scene {
    pub(super) machine: Played,
    pub(super) web: Web,
    pub(super) text: String,
    pub(super) env: Vec<(&'static str, &'static str)>,
    pub(super) clock: fn() -> Moment,
    folder: Folder,
}

impl Scene {
    pub(super) fn new(name: &str) -> Scene {
        let of_daemon = |name: &str| format!("/proc/{DAEMON}/{name}");
        let files = BTreeMap::from([
            (of_daemon("limits"), limits("20000", "20000")),
            (of_daemon("cgroup"), "0::/system.slice/ackd.service\n".to_owned()),
            ("/sys/fs/cgroup/system.slice/ackd.service/memory.max".to_owned(), "67108864\n".to_owned()),
            ("/sys/fs/cgroup/system.slice/memory.max".to_owned(), "max\n".to_owned()),
        ]);
        let machine = Played {
            files,
            mode: 0o100_644,
            systemctl: Ok(unit(&[])),
            disk: Ok(41 * 1024 * 1024 * 1024),
            soundness: Ok(Some(Soundness::Sound)),
            failed: Ok(Some(Failed::default())),
            memory: Ok(BTreeMap::new()),
            held: Ok(true),
            listener: Ok(DAEMON),
            left: Ok(()),
            takes: "ackd_connections_max 10000\n".to_owned(),
            words: Cell::new(0),
        };
        let pages = BTreeMap::from([
            (PAGE_ME.to_owned(), answer(200, r#"{"id":"104","name":"A page"}"#)),
            (PAGE_APPS.to_owned(), apps(&FIELDS)),
            (APP_CALLBACK.to_owned(), callback(&format!("{URL}/messenger"), true)),
            (BOT_ME.to_owned(), answer(200, r#"{"id":"Y2lzY29z-bot","displayName":"Solar"}"#)),
            (BOT_HOOKS.to_owned(), hooks(|_| ())),
            (word_at(URL), answer(200, &word_of(2))),
        ]);
        let web = Web { pages, asked: RefCell::default() };
        let folder = Folder::new(&format!("doctor-{name}"));
        Scene { machine, web, text: CONFIG.to_owned(), env: SECRETS.to_vec(), clock: || NOW, folder }
    }

    /// Another answer at this address.
    pub(super) fn page(&mut self, url: &str, outcome: Outcome) {
        self.web.pages.insert(url.to_owned(), outcome);
    }

    /// What the store remembers.
    pub(super) fn remember(&mut self, owner: &str, key: &str, value: String) {
        self.machine.memory.as_mut().unwrap().insert((owner.to_owned(), key.to_owned()), value);
    }

    pub(super) fn file(&mut self, path: &str, text: String) {
        self.machine.files.insert(path.to_owned(), text);
    }

    /// Another word in the configuration.
    pub(super) fn write(&mut self, old: &str, new: &str) {
        assert_eq!(self.text.matches(old).count(), 1, "{old}");
        self.text = self.text.replace(old, new);
    }

    /// What is configured.
    pub(super) fn config(&self) -> Config {
        let env = |name: &str| self.env.iter().find(|(is, _)| *is == name).map(|(_, value)| (*value).to_owned());
        Config::parse(&self.text, Path::new("ackd.toml"), &env).unwrap()
    }

    /// What the doctor says, with its folder called FOLDER; and the exit code.
    pub(super) fn told(&self) -> (u8, String) {
        self.machine.words.set(0);
        let file = self.folder.0.join("ackd.toml");
        std::fs::write(&file, &self.text).unwrap();
        let env = |name: &str| self.env.iter().find(|(is, _)| *is == name).map(|(_, value)| (*value).to_owned());
        let world = World { clock: self.clock, ..world() };
        let by = Instruments { world: &world, env: &env, upstream: &self.web, machine: &self.machine };
        let mut out = Vec::new();
        let code = match doctor(&file, &by, &mut out) {
            Ok(()) => 0,
            Err(error @ CliError::Told(_)) => error.code(),
            Err(error) => panic!("{error}"),
        };
        let text = String::from_utf8(out).unwrap().replace(self.folder.0.to_str().unwrap(), "FOLDER");
        for (name, secret) in SECRETS {
            assert!(!text.contains(secret), "{name}: {text}");
        }
        assert!(text.ends_with(if code == 0 { "nothing is wrong\n" } else { " wrong\n" }), "{text}");
        (code, text)
    }

    /// The lines about one thing.
    pub(super) fn about(&self, what: &str) -> String {
        let (_, text) = self.told();
        let mut lines = text.lines().peekable();
        let mut about = Vec::new();
        while let Some(line) = lines.next() {
            if line.get(7..).is_some_and(|line| line.starts_with(&format!("{what}: "))) {
                about.push(line.to_owned());
                about.extend(lines.next_if(|line| line.starts_with("       to mend: ")).map(str::to_owned));
            }
        }
        assert!(!about.is_empty(), "nothing about {what}: {text}");
        about.join("\n")
    }

    /// That this one thing is wrong and nothing else, in these words, and what mends it.
    pub(super) fn expect_wrong(&self, what: &str, wrong: &str, mend: &str) {
        let (code, text) = self.told();
        assert_eq!(self.about(what), format!("wrong  {what}: {wrong}\n       to mend: {mend}"), "{text}");
        let others: Vec<_> = text.lines().filter(|line| line.starts_with("wrong  ")).collect();
        assert_eq!((code, others.len()), (1, 1), "{text}");
    }

    pub(super) fn expect_ok(&self, what: &str, detail: &str) {
        assert_eq!(self.about(what), format!("ok     {what}: {detail}"));
    }

    pub(super) fn expect_unseen(&self, what: &str, since: &str) {
        assert_eq!(self.about(what), format!("--     {what}: not looked at, since {since}"));
    }
}

pub(super) fn limits(soft: &str, hard: &str) -> String {
    format!(
        "Limit                     Soft Limit           Hard Limit           Units     \n\
         Max processes             31427                31427                processes \n\
         Max open files            {soft:20} {hard:20} files     \n"
    )
}

/// What systemctl says of a unit, with some of it changed.
pub(super) fn unit(changes: &[(&str, &str)]) -> Said {
    let mut properties = BTreeMap::from([
        ("LoadState", "loaded"),
        ("ActiveState", "active"),
        ("SubState", "running"),
        ("NRestarts", "0"),
        ("Result", "success"),
        ("UnitFileState", "enabled"),
    ]);
    properties.extend(changes.iter().copied());
    let out = properties.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    Said { out, error: String::new() }
}
