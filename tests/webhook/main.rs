//! `ackd webhook` and the running daemon's registrar, against stand-ins over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "here a panic is how a failure is told"
)]

mod program;
mod stand_in;

use ackd::cli::args::WebhookAction::{self, Create, Delete, List, Sync};
use ackd::cli::webhook::webhook;
use ackd::cli::{CliError, World};
use ackd::config::Config;
use ackd::model::{Moment, Secret};
use ackd::registry;
use ackd::work::fetch::Fetch;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use stand_in::{Graph, StandIn, Webex, agent_v2, agent_v3};
use std::path::Path;
use std::sync::Arc;

const TOKEN: &str = "NjVjOTQ0-canary-bot-token";
const SECRET: &str = "86dacc007724d8ea666f88fc77d918dad9537a15";
const HERE: &str = "https://bots.example.org/webex";

/// A channel `space` at /webex, whose platform's side is that of Webex at this stand-in.
fn config(webex: &StandIn<Webex>, top: &str) -> Config {
    let text = format!(
        "{top}\n[channel.space]\nplatform = \"messenger\"\npath = \"/webex\"\nbot = \"echo\"\n\
         verify_token = \"demo\"\napp_secret = \"demo\"\naccess_token = \"demo\"\n[bot.echo]\nkind = \"echo\"\n"
    );
    let mut config = Config::parse(&text, Path::new("ackd.toml"), &|_| None).unwrap();
    let side = registry::webex::Webex::new("space", &webex.url("/v1"), Secret::new(TOKEN), Secret::new(SECRET));
    config.channels[0].registration = Some(Arc::new(side));
    config
}

fn fixed(webex: &StandIn<Webex>) -> Config {
    config(webex, "listen = \"127.0.0.1:3000\"\npublic_url = \"https://bots.example.org\"")
}

fn typed(config: &Config, action: WebhookAction) -> Result<String, CliError> {
    let (text, end) = said(config, action);
    end.map(|()| text)
}

/// What was said, also when something was wrong.
fn said(config: &Config, action: WebhookAction) -> (String, Result<(), CliError>) {
    let world = World { zone: TimeZone::UTC, clock: || Moment(0), user: 0, pause: &|_| (), linger: &|_| Ok(()) };
    let mut out = Vec::new();
    let end = webhook(config, action, "space", &Fetch::default(), &world, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{text}");
    (text, end)
}

#[test]
fn from_nothing_to_registered_and_back() {
    let webex = StandIn::start(Webex::new(TOKEN));
    let config = fixed(&webex);
    let here = format!("channel space is at {HERE}\n");
    let (text, end) = said(&config, List);
    assert_eq!(text, format!("{here}nothing is registered\n"));
    let error = end.unwrap_err();
    let told = "messages/created is missing\nackd: attachmentActions/created is missing\nackd: memberships/created is \
                missing\nackd: `ackd webhook sync space` mends it";
    assert_eq!((error.code(), error.to_string().as_str()), (1, told));
    let three = ["messages", "attachmentActions", "memberships"];
    let created: String = three.map(|what| format!("created {what}/created → {HERE}\n")).concat();
    assert_eq!(typed(&config, Create).unwrap(), created);
    assert_eq!(typed(&config, Create).unwrap(), "nothing is missing\n");
    let before = webex.look(|webex| webex.webhooks.clone());
    assert!(before.iter().all(|webhook| webhook["secret"] == SECRET && webhook["status"] == "active"));
    for _ in 0..2 {
        assert_eq!(typed(&config, Sync).unwrap(), "everything is as it should be\n");
    }
    assert_eq!(webex.look(|webex| webex.webhooks.clone()), before);
    let list = typed(&config, List).unwrap();
    let line = format!("attachmentActions/created  {HERE}  active  ours\n");
    assert!(list.starts_with(&here) && list.contains(&line) && list.lines().count() == 4, "{list}");
    let removed: String = three.map(|what| format!("removed {what}/created → {HERE}\n")).concat();
    assert_eq!(typed(&config, Delete).unwrap(), removed);
    assert_eq!(typed(&config, Delete).unwrap(), "there is nothing of ours\n");
    assert_eq!(webex.look(|webex| (webex.webhooks.len(), webex.wrongs.clone())), (0, vec![]));
}

#[test]
fn sync_mends_what_is_ours_and_leaves_the_rest() {
    let webex = StandIn::start(Webex::new(TOKEN));
    let config = fixed(&webex);
    typed(&config, Create).unwrap();
    webex.look(|webex| {
        webex.webhooks[0]["status"] = "inactive".into();
        webex.webhooks[1]["targetUrl"] = "https://0d52ccd9.ngrok.io/webex".into();
        let stale = webex.add("ackd space messages", "https://0d52ccd9.ngrok.io/webex", "messages");
        assert_eq!(stale["status"], "active");
        webex.add("ackd other messages", "https://other.example.org/webex", "messages");
    });
    let (text, end) = said(&config, List);
    assert!(text.contains("ours, was inactive"), "{text}");
    assert!(end.unwrap_err().to_string().starts_with("messages/created was inactive\nackd: "));
    assert_eq!(
        typed(&config, Sync).unwrap(),
        format!(
            "repaired messages/created → {HERE}: was inactive\n\
             repaired attachmentActions/created → {HERE}: pointed at https://0d52ccd9.ngrok.io/webex\n\
             removed messages/created: pointed at https://0d52ccd9.ngrok.io/webex\n\
             left alone: \"ackd other messages\" (messages/created → https://other.example.org/webex) is not ours\n"
        )
    );
    assert!(typed(&config, Sync).unwrap().starts_with("everything is as it should be\nleft alone: "));
    let names = webex.look(|webex| webex.webhooks.iter().map(|webhook| webhook["name"].clone()).collect::<Vec<_>>());
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(webex.look(|webex| webex.wrongs.clone()), [""; 0]);
}

#[test]
fn what_webex_refuses_is_exit_code_1_and_says_why() {
    let webex = StandIn::start(Webex::new("another token"));
    let error = typed(&fixed(&webex), Sync).unwrap_err();
    assert_eq!(error.code(), 1);
    assert!(error.to_string().starts_with("the access token is not accepted: make a new one"), "{error}");
    drop(webex);
}

#[test]
fn the_address_is_asked_of_an_agent_of_either_age() {
    for (agent, port, base) in
        [(agent_v2(), 3000, "https://0d52ccd9.ngrok.io"), (agent_v3(), 8080, "https://bright-sun-42.ngrok-free.app")]
    {
        let webex = StandIn::start(Webex::new(TOKEN));
        let agent = StandIn::start(agent);
        let top = format!("listen = \"127.0.0.1:{port}\"\npublic_url = \"ngrok\"\nngrok = \"{}\"", agent.url(""));
        let config = config(&webex, &top);
        let said = typed(&config, Sync).unwrap();
        assert!(said.starts_with(&format!("created messages/created → {base}/webex\n")), "{said}");
        assert_eq!(typed(&config, Sync).unwrap(), "everything is as it should be\n");
        drop(agent);
        let error = typed(&config, Sync).unwrap_err();
        assert!(error.code() == 1 && error.to_string().contains("start `ngrok http "), "{error}");
        // What there is can be shown all the same, and taken back.
        let list = typed(&config, List).unwrap();
        let told = "the address of channel space is not known: the ngrok agent at http://127.0.0.1:";
        assert!(list.starts_with(told) && list.contains(": Connection refused"), "{list}");
        assert!(list.matches("127.0.0.1:").count() == 2 && !list.contains("io: "), "with the one to write: {list}");
        assert!(list.contains("  active  ours\n"), "{list}");
        assert_eq!(typed(&config, Delete).unwrap().lines().count(), 3);
        let error = typed(&config, List).unwrap_err().to_string();
        assert!(error.ends_with("once its address is known, `ackd webhook sync space` mends it"), "{error}");
    }
}

#[test]
fn the_program_registers_a_page_and_its_exit_codes_tell_how_it_went() {
    let graph = StandIn::start(Graph::new(program::PAGE_TOKEN));
    let folder = program::Folder::new("page", &graph.url("/v25.0"), "public_url = \"https://bots.example.org\"");
    let (code, out, error) = folder.run(&["webhook", "sync", "page"]);
    assert!(code == 0 && error.is_empty(), "{error}");
    assert!(out.starts_with("created the page's subscription: messages, "), "{out}");
    assert!(out.contains("not looked at: the app's callback URL"), "{out}");
    let (code, out, _) = folder.run(&["webhook", "sync", "page"]);
    assert!(code == 0 && out.starts_with("everything is as it should be\n"), "{out}");
    let (code, out, _) = folder.run(&["webhook", "list", "page"]);
    assert!(code == 0 && out.contains("  active  the page's subscription\n"), "{out}");
    let (code, out, _) = folder.run(&["webhook", "delete", "page"]);
    assert!(code == 0 && out.starts_with("removed the page's subscription: "), "{out}");
    graph.look(|graph| assert_eq!((graph.fields.clone(), graph.wrongs.clone()), (None, vec![])));
    let (code, out, error) = folder.run(&["webhook", "sync", "pag"]);
    assert_eq!(
        (code, out.as_str(), error.as_str()),
        (2, "", "ackd: there is no channel \"pag\"; did you mean page?\n")
    );
    graph.look(|graph| graph.token = "another".to_owned());
    let (code, _, error) = folder.run(&["webhook", "sync", "page"]);
    assert!(code == 1 && error.starts_with("ackd: error 190: the token is not valid"), "{error}");
    let (code, out, error) = folder.run(&["webhook", "list", "page"]);
    assert!(
        code == 1 && out.starts_with("channel page is at ") && error.starts_with("ackd: error 190"),
        "{out}{error}"
    );
    let homeless = program::Folder::new("homeless", &graph.url("/v25.0"), "");
    let (code, _, error) = homeless.run(&["webhook", "create", "page"]);
    assert!(code == 2 && error.starts_with("ackd: no public_url is configured in ackd.toml, so "), "{error}");
}

#[test]
fn what_a_running_daemon_puts_back_is_said_when_it_is_deleted() {
    let graph = StandIn::start(Graph::new(program::PAGE_TOKEN));
    let fixed = "public_url = \"https://bots.example.org\"";
    let told =
        "ackd is running and registers it again at its next look: stop it first, or set keep_registered = \"off\"";
    for (name, keep, again) in [("again", "", true), ("for-good", "keep_registered = \"off\"", false)] {
        let folder = program::Folder::new(name, &graph.url("/v25.0"), &format!("{fixed}\n{keep}"));
        let mut daemon = folder.start();
        if again {
            daemon.wait_for_line("created the page's subscription");
        }
        let (code, out, _) = folder.run(&["webhook", "delete", "page"]);
        assert!(code == 0 && out.contains(told) == again, "{out}");
        assert_eq!(daemon.stop(), Some(0));
        let (code, out, _) = folder.run(&["webhook", "delete", "page"]);
        assert!(code == 0 && out.starts_with("there is nothing of ours\n") && !out.contains(told), "{out}");
    }
}

#[test]
fn one_command_runs_and_registers() {
    let graph = StandIn::start(Graph::new(program::PAGE_TOKEN));
    let agent = StandIn::start(agent_v3());
    let top = format!("public_url = \"ngrok\"\nngrok = \"{}\"\n", agent.url(""));
    let folder = program::Folder::new("run", &graph.url("/v25.0"), &top);
    let mut daemon = folder.start();
    let line = daemon.wait_for_line("channel page: created the page's subscription");
    assert!(line.contains(" INFO "), "{line}");
    graph.look(|graph| assert!(graph.fields.as_deref().is_some_and(|fields| fields.contains("messaging_postbacks"))));
    assert_eq!(daemon.stop(), Some(0));
    assert!(!daemon.log().contains(program::PAGE_TOKEN), "{}", daemon.log());
}

#[test]
fn a_look_that_fails_is_told_once_and_stops_no_answer() {
    let graph = StandIn::start(Graph::new("another token"));
    let folder = program::Folder::new("refused", &graph.url("/v25.0"), "public_url = \"https://bots.example.org\"");
    let mut daemon = folder.start();
    let line = daemon.wait_for_line("its registration: error 190: the token is not valid");
    assert!(line.contains(" ERROR ") && line.ends_with("; again in 15 s"), "{line}");
    assert_eq!(daemon.challenge("4711"), "4711");
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn without_a_public_url_it_is_said_once_that_nobody_looks() {
    let graph = StandIn::start(Graph::new(program::PAGE_TOKEN));
    let folder = program::Folder::new("silent", &graph.url("/v25.0"), "");
    let mut daemon = folder.start();
    assert_eq!(daemon.challenge("1"), "1");
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(daemon.log().matches("registrations are not looked after").count(), 1);
    let folder =
        program::Folder::new("off", &graph.url("/v25.0"), "public_url = \"https://x.org\"\nkeep_registered = \"off\"");
    let mut daemon = folder.start();
    assert_eq!(daemon.challenge("1"), "1");
    assert_eq!(daemon.stop(), Some(0));
    assert!(!daemon.log().contains("registration"), "{}", daemon.log());
    graph.look(|graph| assert_eq!(graph.calls, 0));
}

/// A sample of the outside world.
fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/registry").join(name);
    serde_json::from_slice(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

fn words(message: &str) -> Value {
    json!({ "message": message, "errors": [{ "description": message }], "trackingId": "ROUTER_1" })
}
