//! Secrets that are known by sight, given in every way there is: after a whole life of a daemon they are nowhere but where
//! they were put. That is the log at its finest, in both forms; every page at both doors; what each command says; the store;
//! and what other processes see of ours.

use crate::digest::{DIGEST, ask, log_in, tokens};
use crate::facebook::settings;
use crate::scene::{Cast, DOOR_TOKEN, GRAPH, PAGE, SECRETS, SPACE, Scene, Setup, WEEKLY};
use crate::shared::browser::{Browser, CANARY};
use crate::shared::daemon::Setup as _;
use crate::weekly::{JSON, SECRET, get};
use ackd::twin::Deed;
use std::fs;
use std::process::Command;

/// What a command says, on both ways out.
pub fn command(scene: &Scene, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
    command.args(words).arg("--config").arg(scene.daemon.config()).env_remove("RUST_LOG");
    let setup = &scene.daemon.setup;
    command.envs(setup.variables()).envs(setup.more_variables(scene.daemon.folder.path()));
    let output = command.output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// The states of all logins so far.
pub fn states(scene: &Scene) -> Vec<String> {
    let calls = scene.house.ledger(Some(GRAPH)).calls;
    calls.iter().filter_map(|call| Some(call.path.split_once("&state=")?.1[..32].to_owned())).collect()
}

/// None of these secrets, nor any that the configuration names, is in these texts, in the log, or in what the commands say
/// that look into the store.
pub fn said_nowhere(scene: &Scene, mut texts: Vec<String>, secrets: &[String]) {
    texts.extend([scene.daemon.log(), command(scene, &["events"])]);
    for twin in [PAGE, SPACE] {
        let why = |place: usize| command(scene, &["why", &format!("{twin}-{}", place + 1)]);
        texts.extend((0..scene.events(twin).len()).map(why));
    }
    let given = SECRETS.iter().map(|(_, value)| *value).chain([CANARY]);
    let secrets: Vec<_> = secrets.iter().map(String::as_str).chain(given).collect();
    // Tokens of somebody and of pages, a state and a cookie; and what is given.
    assert!(secrets.len() >= 3 + 2 + 8, "{}", secrets.len());
    for text in &texts {
        assert!(!text.is_empty());
        for secret in &secrets {
            assert!(!secret.is_empty() && !text.contains(secret), "{secret} is in: {text}");
        }
    }
}

/// What other processes may read of the daemon's.
fn process(scene: &Scene, file: &str) -> Vec<u8> {
    fs::read(format!("/proc/{}/{file}", scene.daemon.pid())).unwrap()
}

/// The processes that the daemon has begun.
fn children(scene: &Scene) -> Vec<String> {
    let parent = scene.daemon.pid().to_string();
    let stats =
        fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    // The name may hold anything but is the last in parentheses: number (name) state parent …
    stats.filter(|stat| stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(&parent)).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The store as it lies on the disk, with its log.
fn store(scene: &Scene) -> Vec<u8> {
    let store = scene.daemon.store();
    let files = fs::read_dir(store.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let name = store.file_name().unwrap().to_str().unwrap().to_owned();
    let ours = files.filter(|file| file.is_file() && file.file_name().unwrap().to_str().unwrap().starts_with(&name));
    ours.flat_map(|file| fs::read(file).unwrap()).collect()
}

/// Each page at each door, for whoever may see it and whoever may not.
fn pages(scene: &Scene, browser: &mut Browser) -> Vec<String> {
    let admin = scene.daemon.setup.admin.unwrap();
    let seen =
        ["", "weekly", "weekly?week=last", JSON.trim_start_matches('/'), "nowhere", &format!("login/{GRAPH}/done")]
            .map(|path| browser.get(&format!("http://{admin}/{path}")));
    assert!(seen.iter().filter(|page| page.status == 200).count() >= 4, "these pages are there");
    let mut texts: Vec<_> = seen.into_iter().map(|page| page.head + &page.body).collect();
    let stranger = &mut Browser::default();
    let guess = format!("password={DOOR_TOKEN}x");
    for refused in [
        stranger.get(&format!("http://{admin}/weekly")),
        stranger.ask("POST", &format!("http://{admin}/enter"), &guess),
    ] {
        assert_eq!(refused.status, 401, "{}", refused.url);
        texts.push(refused.head + &refused.body);
    }
    let guess = ("X-Ackd-Secret", "guessed");
    let signature = ("X-Hub-Signature-256", SECRETS[1].1);
    let challenge = |path: &str| format!("{path}?hub.mode=subscribe&hub.challenge=1&hub.verify_token={}", SECRETS[0].1);
    for (target, header, status) in [
        (JSON, SECRET, 200),
        (JSON, guess, 404),
        (&challenge("/page"), guess, 200),
        (&challenge("/nowhere"), guess, 404),
        (&challenge("/space"), signature, 405),
        (&format!("/{WEEKLY}"), SECRET, 404),
    ] {
        let answer = get(scene, target, &[header]);
        assert_eq!(answer.status, status, "{target}: {}", answer.body);
        texts.push(answer.head + &answer.body);
    }
    texts
}

fn a_whole_life(top: &'static str) {
    let setup = Setup { bot: DIGEST, top, log: "", ways: true, locked: true, ..Setup::default() };
    let mut scene = Scene::with(setup, Cast { graph: Some(settings()), ..Cast::of(1) });
    let mut browser = log_in(&scene);
    let mut texts = vec![command(&scene, &["check"])];
    for twin in [PAGE, SPACE] {
        ask(&scene, twin, "this week");
        ask(&scene, twin, "subscribe");
    }
    texts.extend(pages(&scene, &mut browser));
    texts.push(command(&scene, &["webhook", "list", PAGE]));
    texts.push(command(&scene, &["webhook", "list", SPACE]));
    texts.push(command(&scene, &["reload"]));
    // A platform that fails for a while, and consent that ends.
    scene.plan(PAGE, "500 30%, cut 10%", 7);
    scene.plan(SPACE, "500 30%, cut 10%", 7);
    scene.house.deed(GRAPH, &Deed::Revoke).unwrap();
    for twin in [PAGE, SPACE] {
        ask(&scene, twin, "last week");
    }
    texts.push(command(&scene, &["doctor"]));
    let [cmdline, environ] = ["cmdline", "environ"].map(|file| process(&scene, file));
    assert_eq!(children(&scene), Vec::<String>::new(), "nobody inherits anything of it");
    let mut kept = store(&scene);
    scene.daemon.stop();
    kept.extend(store(&scene));

    let granted = tokens(&scene);
    let mut secrets: Vec<String> = browser.jar.values().cloned().collect();
    secrets.extend(states(&scene));
    // What was granted at Facebook lies in the store and nowhere else; all others not even there.
    assert!(granted.iter().all(|token| holds(&kept, token)) && granted.len() >= 2);
    let given = SECRETS.map(|(_, value)| value.to_owned());
    for secret in secrets.iter().chain(&given) {
        assert!(!holds(&kept, secret), "{secret} is in the store");
        assert!(!holds(&cmdline, secret), "{secret} is in the list of processes");
    }
    // In the environment is what the operator has put there, and nothing of the rest.
    let put = scene.daemon.setup.variables();
    assert!(put.len() == 2 && put.iter().all(|(_, value)| holds(&environ, value)));
    for secret in given.iter().filter(|secret| put.iter().all(|(_, value)| value != *secret)) {
        assert!(!holds(&environ, secret), "{secret} is in the environment");
    }
    secrets.extend(granted);
    let log = scene.daemon.log();
    for words in ["connection closed", "ureq", "delivered"] {
        assert!(log.contains(words), "this log does not say enough to give anything away: no {words}");
    }
    said_nowhere(&scene, texts, &secrets);
}

#[test]
fn no_secret_is_said_shown_or_kept_whichever_way_it_was_given() {
    a_whole_life("log = \"debug\"\n");
}

#[test]
fn nor_is_it_where_the_log_is_json() {
    a_whole_life("log = \"debug\"\nlog_format = \"json\"\n");
}
