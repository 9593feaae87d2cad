//! `ackd check` as a user sees it.

#![allow(clippy::unwrap_used, reason = "here a panic is how a failure is told")]

use ackd::cli::check::check;
use ackd::config::Config;
use std::fs;
use std::path::{Path, PathBuf};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/echo.toml");

fn told(file: &Path) -> (bool, String) {
    let mut out = Vec::new();
    let fine = check(file, &|_| None, &mut out);
    (fine, String::from_utf8(out).unwrap())
}

/// A file that is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> File {
        let file = std::env::temp_dir().join(format!("ackd-check-{name}-{}.toml", std::process::id()));
        File::at(file.to_str().unwrap().to_owned(), text)
    }

    fn at(file: String, text: &str) -> File {
        fs::write(&file, text).unwrap();
        File(file.into())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

#[test]
fn the_example_without_account_is_fit_to_run_and_says_what_it_amounts_to() {
    let (fine, text) = told(Path::new(EXAMPLE));
    assert!(fine, "{text}");
    let store = Path::new(EXAMPLE).with_file_name("ackd-echo.db");
    let end = format!(
        "configuration OK\n  listen        127.0.0.1:3000\n  store         {}\n  workers       4\n  \
         channel page  messenger at /messenger, bot echo\n",
        store.display()
    );
    assert!(text.starts_with("warning: ") && text.ends_with(&end), "{text}");
    assert!(!text.contains("demo-"), "{text}");
}

#[test]
fn a_public_url_makes_a_whole_webhook_address() {
    let text = fs::read_to_string(EXAMPLE).unwrap();
    let file = File::new("url", &format!("public_url = \"https://bots.example.org/\"\nworkers = 0\n{text}"));
    let (fine, text) = told(&file.0);
    assert!(fine && text.contains("messenger at https://bots.example.org/messenger, bot echo\n"), "{text}");
    assert!(text.contains("workers       0: keeps and acknowledges, hears nothing\n"), "{text}");
}

#[test]
fn a_webex_bot_is_a_channel_like_any_other() {
    let space = "[channel.space]\nplatform = \"webex\"\npath = \"/webex\"\nbot = \"echo\"\n\
                 access_token = \"demo-token\"\nsecret = \"demo-secret\"\n";
    let file = File::new("webex", &format!("{}\n{space}", fs::read_to_string(EXAMPLE).unwrap()));
    let (fine, text) = told(&file.0);
    assert!(fine && text.contains("  channel space  ") && text.contains("webex at /webex, bot echo\n"), "{text}");
    assert!(!text.contains("demo-"), "{text}");
}

#[test]
fn services_have_their_limits_and_subscriptions_their_times() {
    let more = "[upstream.dota]\napi = \"https://api.opendota.com/api\"\nper_minute = 60\nper_day = 3000\n\
                [upstream.free]\napi = \"https://free.example\"\nunlimited = true\n\
                [[subscription]]\nchannel = \"page\"\nto = \"4711\"\nask = \"today\"\nat = \"11:00\"\nzone = \"Europe/Berlin\"\n";
    let file = File::new("upstream", &format!("{}\n{more}", fs::read_to_string(EXAMPLE).unwrap()));
    let (fine, text) = told(&file.0);
    let end = "  upstream dota         https://api.opendota.com/api, at most 60 a minute, 3000 a day\n  \
               upstream free         https://free.example, without limits\n  \
               subscription on page  \"today\" to 4711, every day at 11:00 (Europe/Berlin)\n";
    assert!(fine && text.ends_with(end), "{text}");
}

#[test]
fn doors_for_browsers_are_told_with_what_the_app_must_know() {
    let more = "[admin]\nlisten = [\"127.0.0.1:3001\", \"[::1]:3001\"]\n\
                [upstream.facebook]\nkind = \"facebook\"\napp_id = \"482\"\napp_secret = \"demo-app-secret\"\n\
                [bot.weekly]\nkind = \"digest\"\nupstream = \"facebook\"\npath = \"/weekly\"\nsecret = \"demo-weekly-secret\"\n";
    let plain = format!("{}\n{more}", fs::read_to_string(EXAMPLE).unwrap());
    let file = File::new("doors", &plain);
    let (fine, text) = told(&file.0);
    assert!(fine && !text.contains("demo-"), "{text}");
    let is = |name: &str, told: &str| {
        text.lines().any(|line| line.trim_start().strip_prefix(name).map(str::trim) == Some(told))
    };
    assert!(is("admin", "http://127.0.0.1:3001/, http://[::1]:3001/"), "{text}");
    assert!(is("pages", "/weekly (bot weekly)"), "{text}");
    let login = "http://localhost:3001/login/facebook, which the app must have as a valid OAuth redirect URI";
    assert!(is("login facebook", login), "{text}");

    let public = more.replace("app_id", "public_login = true\napp_id");
    let public =
        format!("public_url = \"https://bots.example.org\"\n{}\n{public}", fs::read_to_string(EXAMPLE).unwrap());
    let file = File::new("public-doors", &public);
    let (fine, text) = told(&file.0);
    assert!(fine && text.contains("  https://bots.example.org/weekly (bot weekly)\n"), "{text}");
    assert!(text.contains("  https://bots.example.org/login/facebook, which the app must have"), "{text}");
}

#[test]
fn that_the_operators_door_has_a_lock_is_told_and_what_opens_it_is_not() {
    let token = "canary-door-token-5b1e";
    let example = fs::read_to_string(EXAMPLE).unwrap();
    let file = File::new("lock", &format!("{example}\n[admin]\nlisten = \"127.0.0.1:3001\"\ntoken = \"{token}\"\n"));
    let (_, text) = told(&file.0);
    assert!(text.contains("admin") && text.contains("http://127.0.0.1:3001/; http:// wants its token\n"), "{text}");
    assert!(!text.contains(token), "{text}");
}

#[test]
fn a_file_that_is_no_store_is_a_fault_and_stays_as_it_is() {
    let store = std::env::temp_dir().join(format!("ackd-check-foreign-{}.db", std::process::id()));
    let store = File::at(store.to_str().unwrap().to_owned(), "somebody's notes\n");
    let text = fs::read_to_string(EXAMPLE).unwrap().replace("ackd-echo.db", store.0.to_str().unwrap());
    let config = File::new("foreign", &text);
    let (fine, text) = told(&config.0);
    let told_of = format!("{}: store {}: this is not a store of ackd; ", config.0.display(), store.0.display());
    assert!(!fine && text.starts_with(&told_of) && text.ends_with("\n1 fault\n"), "{text}");
    assert_eq!(fs::read_to_string(&store.0).unwrap(), "somebody's notes\n");
    assert!(!Path::new(&format!("{}.lock", store.0.display())).exists());
    fs::write(&store.0, "").unwrap();
    assert!(told(&config.0).0, "SQLite begins with an empty file, too");
}

#[test]
fn a_file_of_another_kind_is_counted_and_not_listed() {
    let file = File::new("kind", &"this is no configuration\n".repeat(148));
    let (fine, text) = told(&file.0);
    assert!(!fine && text.ends_with("\n… and 138 more; is this the right file?\n148 faults\n"), "{text}");
    assert_eq!(text.lines().count(), 12);
}

#[test]
fn faults_come_with_their_number() {
    let file = File::new("faults", "listen = 1\n");
    let (fine, text) = told(&file.0);
    let faults = Config::load(&file.0, &|_| None).unwrap_err();
    assert_eq!((fine, text), (false, format!("{faults}\n2 faults\n")));
}

#[test]
fn what_cannot_be_told_is_not_fine() {
    assert!(!check(Path::new(EXAMPLE), &|_| None, &mut [].as_mut_slice()));
}
