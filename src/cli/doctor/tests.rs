//! Each look once passing and in each way failing, in a world that is played.

use super::super::testing::{Folder, NOW, at};
use super::machine::{Machine, Said, ThisMachine};
use super::played::{
    APP_CALLBACK, BOT_HOOKS, BOT_ME, DAEMON, PAGE_APPS, PAGE_ME, SECRETS, Scene, URL, answer, apps, callback, hooks,
    limits, unit, unreached, with_header, word_at,
};
use crate::cli::control::ControlFault;
use crate::keeper::{LEDGERS, TOKENS};
use crate::model::{FetchFault, Limit, Moment, Outcome, Period};
use crate::queue::budget::{Ledger, Line};
use crate::store::StoreError;
use crate::store::sqlite::{Failed, Soundness};
use std::io::ErrorKind;

#[test]
fn where_all_is_well_every_look_says_what_it_saw() {
    let scene = Scene::new("well");
    let text = "\
ok     configuration: FOLDER/ackd.toml, with page, space
ok     secrets: each was found, and not everybody may read them
ok     disk: 41984 MiB free in FOLDER, and it takes what is written
ok     store: FOLDER/ackd.db is whole
ok     events: none is dead or unknown
ok     daemon: process 4711 runs on FOLDER/ackd.db, and answers
ok     open files: the daemon may open 20000, and needs 10064 for connections = 10000; the running one takes 10000 connections at once
ok     memory: the daemon may take 64 MiB, and may need 36 MiB for 10000 connections
ok     unit: ackd.service is active (running), restarted 0 times
ok     token of page: we are page A page (104)
ok     token of space: we are Solar (Y2lzY29z-bot)
ok     clock: within 1 s of that of graph.facebook.com
ok     public URL: https://bots.example.org leads to this daemon
ok     registration of page: active, and it leads to https://bots.example.org/messenger
ok     registration of space: active, and it leads to https://bots.example.org/webex
nothing is wrong
";
    assert_eq!(scene.told(), (0, text.to_owned()));
}

#[test]
fn a_faulty_configuration_is_told_whole_and_what_needs_it_is_not_looked_at() {
    let mut scene = Scene::new("faulty");
    scene.write("listen = \"127.0.0.1:3000\"", "listen = 7\nlisten_to = 3");
    let (code, text) = scene.told();
    assert_eq!(code, 2);
    let fault = "wrong  configuration: FOLDER/ackd.toml:";
    assert_eq!(text.lines().filter(|line| line.starts_with(fault)).count(), 2, "{text}");
    let mend = "       to mend: correct it in line 1; `ackd check --config FOLDER/ackd.toml` says when all is right\n";
    assert!(text.contains(mend), "{text}");
    let unseen = [
        "secrets",
        "disk",
        "store",
        "events",
        "daemon",
        "open files",
        "memory",
        "clock",
        "tokens",
        "public URL",
        "registrations",
        "upstreams",
    ];
    for what in unseen {
        let line = format!("--     {what}: not looked at, since the configuration is faulty\n");
        assert!(text.contains(&line), "{what}: {text}");
    }
    assert!(text.contains("ok     unit: "), "it needs no configuration: {text}");
    assert!(scene.web.asked.borrow().is_empty());
}

#[test]
fn a_warning_that_endangers_nothing_is_not_wrong() {
    let mut scene = Scene::new("odd");
    scene.text.push_str("[bot.idle]\nkind = \"echo\"\n");
    let odd = "1 that may not be meant so: `ackd check --config FOLDER/ackd.toml`";
    scene.expect_ok("configuration", &format!("FOLDER/ackd.toml, with page, space; {odd}"));
}

#[test]
fn a_missing_secret_hides_only_what_needs_it() {
    let mut scene = Scene::new("secret");
    scene.env.retain(|(name, _)| *name != "BOT");
    let (code, text) = scene.told();
    assert_eq!(code, 2);
    let wrong =
        "wrong  secrets: FOLDER/ackd.toml:17: channel.space.access_token: the environment variable BOT is not set";
    let mend = "       to mend: set it where it is named; those of a service are seen while it runs, by root: sudo ackd \
                doctor --config FOLDER/ackd.toml\n";
    assert!(text.contains(wrong) && text.contains(mend), "{text}");
    for what in ["token of page", "token of space", "registration of page", "registration of space"] {
        assert!(
            text.contains(&format!("--     {what}: not looked at, since its secrets are not all there\n")),
            "{text}"
        );
    }
    assert!(text.contains("--     clock: not looked at, since "), "{text}");
    assert!(text.contains("ok     public URL: https://bots.example.org leads to this daemon\n"), "{text}");
    assert!(text.ends_with("\n1 wrong\n"), "{text}");
}

#[test]
fn secrets_are_those_of_the_running_daemon_where_its_environment_may_be_read() {
    let mut scene = Scene::new("environ");
    let environ: String = SECRETS.iter().map(|(name, value)| format!("{name}={value}\0")).collect();
    scene.file(&format!("/proc/{DAEMON}/environ"), format!("PATH=/bin\0{environ}"));
    scene.env = vec![("BOT", "another token in the shell")];
    let fine = "each was found, as the running daemon has them, and not everybody may read them";
    scene.expect_ok("secrets", fine);
    scene.file(&format!("/proc/{DAEMON}/environ"), environ.replace("APP=", "APPLE="));
    let about = scene.about("secrets");
    assert!(about.contains("the environment variable APP is not set"), "{about}");
    assert!(
        about.ends_with("to mend: correct it in line 9; `ackd check --config FOLDER/ackd.toml` says when all is right")
    );
}

#[test]
fn a_secret_that_everybody_may_read_is_wrong_and_one_in_a_closed_file_is_not() {
    let mut scene = Scene::new("open");
    scene.write("{ env = \"HOOK\" }", &format!("\"{}\"", SECRETS[4].1));
    scene.write("{ env = \"BOT\" }", &format!("\"{}\"", SECRETS[3].1));
    let wrong = "everybody on this machine can read FOLDER/ackd.toml, and in it channel.space.access_token (line 17), \
                 channel.space.secret (line 18)";
    let mend = "chmod o-r FOLDER/ackd.toml, or write { env = … } or { credential = … } there";
    scene.expect_wrong("secrets", wrong, mend);
    scene.machine.mode = 0o100_640;
    scene.expect_ok("secrets", "each was found, and not everybody may read them");
    let mut scene = Scene::new("plain");
    scene.write("path = \"/webex\"", "path = \"/webex\"\napi = \"http://webex.example.org/v1\"");
    scene.page("http://webex.example.org/v1/people/me", unreached());
    let about = scene.about("secrets");
    assert!(about.starts_with("wrong  secrets: FOLDER/ackd.toml:16: channel.space.api: http:// shows the"), "{about}");
}

#[test]
fn a_disk_that_takes_nothing_or_is_nearly_full_is_wrong() {
    let mut scene = Scene::new("disk");
    for (kind, mend) in [
        (
            ErrorKind::PermissionDenied,
            "run this as ackd's user, or with sudo; if it is that user: chown -R USER FOLDER",
        ),
        (ErrorKind::StorageFull, "free some space there: du -xh FOLDER | sort -h; ackd goes on by itself"),
        (ErrorKind::ReadOnlyFilesystem, "mount it for writing; `dmesg` says whether the disk failed"),
        (ErrorKind::Other, "see what `dmesg` and `journalctl -k` say about that disk"),
    ] {
        scene.machine.disk = Err(kind);
        let wrong = format!("FOLDER does not take what is written: {}", std::io::Error::from(kind));
        scene.expect_wrong("disk", &wrong, mend);
    }
    scene.machine.disk = Ok(127 * 1024 * 1024);
    let wrong = "127 MiB free in FOLDER, and the store needs up to 128 MiB to go on";
    scene.expect_wrong("disk", wrong, "free some space there: du -xh FOLDER | sort -h");
    scene.machine.disk = Ok(128 * 1024 * 1024);
    scene.expect_ok("disk", "128 MiB free in FOLDER, and it takes what is written");
}

#[test]
fn a_damaged_store_is_wrong_and_one_that_was_looked_at_in_part_says_so() {
    let mut scene = Scene::new("store");
    scene.machine.soundness = Ok(Some(Soundness::Damaged("row 7 missing from index event_once".to_owned())));
    let mend = "systemctl stop ackd; cp -a FOLDER/ackd.db* /somewhere/safe/; sqlite3 FOLDER/ackd.db .recover";
    scene.expect_wrong("store", "FOLDER/ackd.db is damaged: row 7 missing from index event_once", mend);
    scene.machine.soundness =
        Err(StoreError("store x: unable to open; run this as ackd's user, or with sudo".to_owned()));
    scene.expect_wrong("store", "store x: unable to open", "run this as ackd's user, or with sudo");
    scene.machine.soundness = Ok(Some(Soundness::Cut));
    let all = "`sqlite3 -readonly FOLDER/ackd.db 'PRAGMA quick_check'`";
    scene.expect_ok("store", &format!("FOLDER/ackd.db: no damage found in 10 s; that was not all of it, {all} is"));
    scene.machine.soundness = Ok(None);
    scene.expect_ok("store", "FOLDER/ackd.db: there is none yet; `ackd run` makes it");
}

#[test]
fn what_died_lately_is_wrong_and_what_died_before_is_noted() {
    let mut scene = Scene::new("events");
    let see = "`ackd events --dead --unknown --config FOLDER/ackd.toml` lists them";
    scene.machine.failed = Ok(Some(Failed { dead: 3, unknown: 1, died_since: 2 }));
    let ways = "`ackd why ID` says why, `ackd replay ID` puts one back, `ackd resolve ID` leaves it at that";
    let mend = format!("{see}; {ways}");
    scene.expect_wrong("events", "3 dead, 1 unknown, 2 died in the last 24 hours", &mend);
    let noted = |failed: &Scene, detail: &str| {
        let (code, _) = failed.told();
        assert_eq!((code, failed.about("events")), (0, format!("--     events: {detail}; {see}")));
    };
    scene.machine.failed = Ok(Some(Failed { dead: 3, unknown: 1, died_since: 0 }));
    noted(&scene, "3 dead, 1 unknown, none died in the last 24 hours");
    scene.machine.failed = Ok(Some(Failed { dead: 0, unknown: 1, died_since: 0 }));
    noted(&scene, "0 dead, 1 unknown, none died in the last 24 hours");
    scene.machine.failed = Ok(None);
    scene.expect_unseen("events", "there is no store yet");
    scene.machine.failed = Err(StoreError("store x: unable to open".to_owned()));
    scene.expect_unseen("events", "the store cannot be read");
}

#[test]
fn what_ended_badly_is_counted_by_its_end() {
    let folder = Folder::new("doctor-failed");
    assert_eq!(ThisMachine.failed(&folder.store(), NOW), Ok(None));
    folder.one_in_every_state();
    let both = Failed { dead: 1, unknown: 1, died_since: 0 };
    assert_eq!(ThisMachine.failed(&folder.store(), NOW), Ok(Some(both)));
    let lately = Moment(NOW.0 - 1);
    assert_eq!(ThisMachine.failed(&folder.store(), lately), Ok(Some(Failed { died_since: 1, ..both })));
}

#[test]
fn a_daemon_that_does_not_run_or_does_not_answer_is_wrong() {
    let mut scene = Scene::new("daemon");
    let restart = "systemctl restart ackd; journalctl -u ackd -n 50";
    scene.machine.left = Err(ControlFault::Lost("it did not answer within 10 s".to_owned()));
    let wrong = "process 4711 has the control socket of FOLDER/ackd.db, but it did not answer within 10 s";
    scene.expect_wrong("daemon", wrong, restart);
    scene.expect_unseen("public URL", "no word could be left with the daemon");
    scene.machine.left = Err(ControlFault::Refused { status: 404, why: String::new() });
    let older = "refuses a word with HTTP 404: it is an older ackd, or another program";
    scene.expect_wrong("daemon", &wrong.replace("it did not answer within 10 s", older), restart);

    scene.file("/proc/self/limits", limits("1024", "524288"));
    scene.file("/proc/self/cgroup", "0::/user.slice\n".to_owned());
    scene.machine.listener = Err(ErrorKind::ConnectionRefused);
    scene.expect_wrong("daemon", "one holds FOLDER/ackd.db, but nobody answers at its control socket", restart);
    scene.machine.held = Ok(false);
    let start = "systemctl start ackd, or without systemd: ackd run --config FOLDER/ackd.toml";
    scene.expect_wrong("daemon", "none runs on FOLDER/ackd.db", start);
    scene.expect_unseen("public URL", "no daemon runs that could answer there");
    scene.machine.listener = Err(ErrorKind::PermissionDenied);
    let wrong = "whether one runs on FOLDER/ackd.db cannot be seen: permission denied";
    scene.expect_wrong("daemon", wrong, "sudo ackd doctor --config FOLDER/ackd.toml");
    scene.expect_unseen("public URL", "no word could be left with the daemon");
}

#[test]
fn too_few_open_files_for_the_connections_are_wrong() {
    let mut scene = Scene::new("files");
    let path = format!("/proc/{DAEMON}/limits");
    let mend = |room| {
        format!(
            "write LimitNOFILE=10064 below [Service] with `systemctl edit ackd`, or connections = {room} in \
             FOLDER/ackd.toml; then restart ackd"
        )
    };
    scene.file(&path, limits("10063", "20000"));
    let takes = |many: &str| format!("ackd_connections_max {many}\n");
    scene.machine.takes = takes("9999");
    let wrong = "the daemon may open 10063, and needs 10064 for connections = 10000; the running one takes 9999 \
                 connections at once";
    scene.expect_wrong("open files", wrong, &mend(9999));
    scene.machine.takes = takes("10000");
    scene.file(&path, limits("10064", "10064"));
    let fine = "the daemon may open 10064, and needs 10064 for connections = 10000";
    let running = "; the running one takes 10000 connections at once";
    scene.expect_ok("open files", &format!("{fine}{running}"));
    scene.file(&path, limits("unlimited", "unlimited"));
    let any = fine.replace("open 10064", "open any number");
    scene.expect_ok("open files", &format!("{any}{running}"));

    // The file was changed since its start; and an older one does not say.
    scene.machine.takes = takes("1");
    let told = format!("--     open files: {any}; the running one takes 1 connection at once, until a restart");
    assert_eq!(scene.about("open files"), told);
    scene.machine.takes = String::new();
    scene.expect_ok("open files", &any);
    scene.file(&path, "nonsense".to_owned());
    scene.expect_unseen("open files", "/proc/4711/limits does not name the limit");
    scene.machine.files.remove(&path);
    scene.expect_unseen("open files", "/proc/4711/limits cannot be read: entity not found");

    // Without a daemon it is this shell's, which a daemon would raise.
    (scene.machine.listener, scene.machine.held) = (Err(ErrorKind::NotFound), Ok(false));
    scene.file("/proc/self/limits", limits("1024", "524288"));
    let fine = "a daemon started from this shell may open 524288, and needs 10064 for connections = 10000";
    scene.expect_ok("open files", fine);
    scene.file("/proc/self/limits", limits("1024", "4096"));
    let about = scene.about("open files");
    assert!(about.starts_with("wrong  open files: a daemon started from this shell may open 4096, and "), "{about}");
}

#[test]
fn too_little_memory_for_the_connections_is_wrong_wherever_the_limit_is() {
    let mut scene = Scene::new("memory");
    let mend = "write MemoryMax=36M below [Service] with `systemctl edit ackd`, or a smaller `connections` into the \
                configuration; then restart ackd";
    let wrong = "the daemon may take 32 MiB, and may need 36 MiB for 10000 connections";
    for group in ["system.slice/ackd.service", "system.slice", "."] {
        let path = format!("/sys/fs/cgroup/{group}/memory.max").replace("/./", "/");
        let before = scene.machine.files.get(&path).cloned();
        scene.file(&path, "33554432\n".to_owned());
        scene.expect_wrong("memory", wrong, mend);
        match before {
            Some(before) => scene.file(&path, before),
            None => drop(scene.machine.files.remove(&path)),
        }
    }
    scene.expect_ok("memory", "the daemon may take 64 MiB, and may need 36 MiB for 10000 connections");
    scene.file("/sys/fs/cgroup/system.slice/ackd.service/memory.max", "max\n".to_owned());
    scene.expect_ok("memory", "no limit is set for the daemon; it may need 36 MiB for 10000 connections");
    // From inside of a container: only what lies below its root can be seen.
    scene.file(&format!("/proc/{DAEMON}/cgroup"), "1:name=x:/\n0::/../ackd\n".to_owned());
    scene.file("/sys/fs/cgroup/ackd/memory.max", "33554432\n".to_owned());
    scene.expect_wrong("memory", wrong, mend);
    scene.machine.files.remove(&format!("/proc/{DAEMON}/cgroup"));
    scene.expect_unseen("memory", "/proc/4711/cgroup cannot be read: entity not found");
}

#[test]
fn the_unit_may_be_missing_but_must_not_have_failed() {
    let mut scene = Scene::new("unit");
    let log = "journalctl -u ackd -n 50";
    scene.machine.systemctl = Ok(unit(&[("ActiveState", "failed"), ("SubState", "failed"), ("Result", "exit-code")]));
    scene.expect_wrong("unit", "ackd.service has failed (exit-code)", log);
    scene.machine.systemctl = Ok(unit(&[("NRestarts", "4"), ("Result", "signal")]));
    let wrong = "ackd.service was restarted 4 times since it was started (active, running, signal)";
    scene.expect_wrong("unit", wrong, log);
    let waiting = [("ActiveState", "activating"), ("SubState", "auto-restart"), ("Result", "exit-code")];
    scene.machine.systemctl = Ok(unit(&waiting));
    let wrong = "ackd.service was restarted 0 times since it was started (activating, auto-restart, exit-code)";
    scene.expect_wrong("unit", wrong, log);
    scene.machine.systemctl = Ok(unit(&[("UnitFileState", "disabled")]));
    let wrong = "ackd.service runs, but would not be started with the machine";
    scene.expect_wrong("unit", wrong, "systemctl enable ackd");
    scene.machine.systemctl = Ok(unit(&[("LoadState", "bad-setting")]));
    let mend = "systemctl status ackd; systemd-analyze verify ackd.service";
    scene.expect_wrong("unit", "systemd cannot use ackd.service: bad-setting", mend);

    scene.machine.systemctl = Ok(unit(&[("NRestarts", "3")]));
    scene.expect_ok("unit", "ackd.service is active (running), restarted 3 times");
    scene.machine.systemctl = Ok(unit(&[("LoadState", "not-found"), ("ActiveState", "inactive")]));
    scene.expect_ok("unit", "ackd.service is not installed");
    scene.machine.systemctl = Err(ErrorKind::NotFound);
    scene.expect_ok("unit", "this machine has no systemd");
    let error = "System has not been booted with systemd as init system\nmore\n".to_owned();
    scene.machine.systemctl = Ok(Said { out: String::new(), error });
    let why = "systemd does not run here (System has not been booted with systemd as init system)";
    scene.expect_unseen("unit", why);
    scene.machine.systemctl = Err(ErrorKind::TimedOut);
    scene.expect_unseen("unit", "systemctl cannot be asked: timed out");
}

#[test]
fn a_token_that_is_refused_is_wrong_in_words_and_its_registration_is_not_asked_for() {
    let mut scene = Scene::new("token");
    let refusal = format!(
        r#"{{"error":{{"message":"Malformed access token {}","code":190,"error_subcode":463}}}}"#,
        SECRETS[2].1
    );
    scene.page(PAGE_ME, answer(400, &refusal));
    let wrong = "error 190/463: the page's token has expired: make a new one and restart (Meta says: Malformed access \
                 token ***)";
    let mend = |channel| {
        format!(
            "make a new token, put it where channel.{channel}.access_token in FOLDER/ackd.toml says, and restart ackd"
        )
    };
    scene.expect_wrong("token of page", wrong, &mend("page"));
    scene.expect_unseen("registration of page", "its token is not accepted, or could not be looked at");
    assert!(!scene.web.asked.borrow().iter().any(|url| url == PAGE_APPS));

    let mut scene = Scene::new("token-webex");
    scene.page(BOT_ME, answer(401, r#"{"message":"no","trackingId":"ROUTER_1"}"#));
    let about = scene.about("token of space");
    assert!(
        about.starts_with("wrong  token of space: HTTP 401: the bot's token is not valid: make a new one and restart"),
        "{about}"
    );
    assert!(about.ends_with(&format!("to mend: {}", mend("space"))), "{about}");
}

#[test]
fn a_platform_that_is_not_reached_or_answers_something_else_is_told_apart_from_a_refusal() {
    let mut scene = Scene::new("unreached");
    scene.page(BOT_ME, unreached());
    let mend = "see whether this machine gets there: curl -sS -o /dev/null -v https://webexapis.com/v1";
    scene.expect_wrong("token of space", "example.org: Connection refused", mend);
    let mend = "see that channel.page.api in FOLDER/ackd.toml is right, or try again later";
    let mut scene = Scene::new("strange");
    scene.page(PAGE_ME, answer(404, "<html>"));
    let wrong = "HTTP 404 without a Graph error: does `api` lead to the Graph API?";
    scene.expect_wrong("token of page", wrong, mend);
    scene.page(PAGE_ME, answer(200, "<html>"));
    scene.expect_wrong("token of page", "the answer does not say who we are", mend);
    scene.page(PAGE_ME, answer(200, r#"{"id":"7","name":"Another"}"#));
    let mend = "write the right page_id, or that page's token, for channel page in FOLDER/ackd.toml";
    scene.expect_wrong("token of page", "it is that of page 7, and page_id says 104", mend);
}

#[test]
fn a_clock_more_than_a_minute_off_is_wrong_on_either_side() {
    let mut scene = Scene::new("clock");
    scene.clock = || at(61);
    let mend = "timedatectl set-ntp true";
    scene.expect_wrong("clock", "it is 61 s ahead of that of graph.facebook.com", mend);
    scene.clock = || at(60);
    scene.expect_ok("clock", "within 61 s of that of graph.facebook.com");
    let mut scene = Scene::new("clock-behind");
    let date = "Fri, 15 Jan 2027 08:01:01 GMT";
    scene.page(PAGE_ME, with_header(200, r#"{"id":"104","name":"A page"}"#, "date", date));
    scene.expect_wrong("clock", "it is 61 s behind that of graph.facebook.com", mend);
    // A refusal tells the time as well; who says none is passed over.
    scene.page(PAGE_ME, with_header(200, r#"{"id":"104","name":"A page"}"#, "date", "noon"));
    scene.page(BOT_ME, answer(401, "{}"));
    scene.expect_ok("clock", "within 1 s of that of webexapis.com");
    scene.page(PAGE_ME, unreached());
    scene.page(BOT_ME, unreached());
    scene.expect_unseen("clock", "no platform said what time it is");
}

#[test]
fn a_public_url_that_leads_elsewhere_says_who_answered_instead() {
    let mut scene = Scene::new("url");
    let there = "https://bots.example.org does not lead to this daemon: another program answers HTTP";
    let see = "port 3000 of this machine; curl -v https://bots.example.org/";
    let other = "see which program that is, and let the proxy or tunnel lead to ackd instead";
    for (status, body, how, mend) in [
        (200, "another word", "", other),
        (
            404,
            "<html>",
            ", or a proxy that does not pass this path",
            "let the proxy or tunnel lead to ackd, for paths below /.well-known/ackd/, too",
        ),
        (301, "", ": a redirect, which platforms do not follow", "write as public_url where it redirects to"),
        (401, "", ": it asks who we are, and platforms cannot say", "let the proxy pass webhooks without a login"),
        (502, "", ": a proxy that does not get through to it", "see that the proxy leads to where ackd listens"),
    ] {
        scene.page(&word_at(URL), answer(status, body));
        scene.expect_wrong("public URL", &format!("{there} {status}{how}"), &format!("{mend}: {see}"));
    }
    scene.page(&word_at(URL), answer(404, "there is nothing at this path\n"));
    let wrong = "https://bots.example.org leads to an ackd, but to another one, or below another path (HTTP 404)";
    scene.expect_wrong("public URL", wrong, "let the proxy or tunnel lead to port 3000, with the path as it is");
    scene.page(&word_at(URL), unreached());
    let mend = "see that DNS, firewall and proxy or tunnel lead to port 3000 of this machine; from elsewhere: curl -v \
                https://bots.example.org/";
    scene.expect_wrong("public URL", "https://bots.example.org is not reached: example.org: Connection refused", mend);
}

#[test]
fn what_ngrok_says_is_explained() {
    let mut scene = Scene::new("ngrok");
    for (status, code, meaning, mend) in [
        (502, "ERR_NGROK_8012", "the agent runs, but nobody takes its connection", "let it lead here: ngrok http 3000"),
        (404, "ERR_NGROK_3200", "the endpoint is offline: no agent runs", "ngrok http 3000"),
        (429, "ERR_NGROK_702", "too many requests in this minute", "try again in a minute"),
        (403, "ERR_NGROK_9999", "an error of its own", "see https://ngrok.com/docs/errors; then ngrok http 3000"),
    ] {
        scene.page(&word_at(URL), with_header(status, "<html>", "ngrok-error-code", code));
        let there = "https://bots.example.org does not lead to this daemon: ngrok answers HTTP";
        scene.expect_wrong("public URL", &format!("{there} {status}, {code}: {meaning}"), mend);
    }
}

#[test]
fn an_address_that_the_agent_has_is_used_and_an_agent_without_one_is_wrong() {
    let mut scene = Scene::new("agent");
    scene.write("\"https://bots.example.org\"", "\"ngrok\"");
    let endpoints = "http://127.0.0.1:4040/api/endpoints";
    let list = format!(r#"{{"endpoints":[{{"url":"{URL}","upstream":{{"url":"http://localhost:3000"}}}}]}}"#);
    scene.page(endpoints, answer(200, &list));
    scene.expect_ok("public URL", "https://bots.example.org leads to this daemon");
    scene.expect_ok("registration of space", "active, and it leads to https://bots.example.org/webex");
    let fault = FetchFault { went_out: false, why: "127.0.0.1:4040: Connection refused".to_owned() };
    scene.page(endpoints, Outcome::Failed(fault));
    let about = scene.about("public URL");
    assert!(
        about.starts_with("wrong  public URL: the ngrok agent at http://127.0.0.1:4040: Connection refused; "),
        "{about}"
    );
    assert!(about.ends_with("to mend: ngrok http 3000"), "{about}");
    scene.expect_unseen("registration of page", "the public URL is not known");
}

#[test]
fn without_a_public_url_what_needs_it_is_not_looked_at() {
    let mut scene = Scene::new("homeless");
    scene.write("public_url = \"https://bots.example.org\"\n", "");
    scene.expect_unseen("public URL", "FOLDER/ackd.toml has no public_url");
    scene.expect_unseen("registration of page", "FOLDER/ackd.toml has no public_url");
    assert_eq!(scene.told().0, 0);
}

#[test]
fn webhooks_that_are_inactive_missing_or_point_elsewhere_are_wrong() {
    let mut scene = Scene::new("hooks");
    let what = "registration of space";
    let mend = "ackd webhook sync space --config FOLDER/ackd.toml";
    let here = "it should lead to https://bots.example.org/webex";
    scene.page(BOT_HOOKS, hooks(|items| items[0]["status"] = "inactive".into()));
    scene.expect_wrong(what, &format!("messages/created was inactive; {here}"), mend);
    scene.page(BOT_HOOKS, hooks(|items| drop(items.remove(2))));
    scene.expect_wrong(what, &format!("memberships/created is missing; {here}"), mend);
    scene.page(
        BOT_HOOKS,
        hooks(|items| {
            items[1]["targetUrl"] = "https://old.ngrok.io/webex".into();
            items[2]["secret"] = "another".into();
        }),
    );
    let both =
        "attachmentActions/created pointed at https://old.ngrok.io/webex; memberships/created had another secret";
    scene.expect_wrong(what, &format!("{both}; {here}"), mend);
    scene.page(
        BOT_HOOKS,
        hooks(|items| {
            let mut second = items[0].clone();
            second["id"] = "second".into();
            items.push(second);
        }),
    );
    scene.expect_wrong(what, &format!("messages/created of ours is one too many: there were two; {here}"), mend);
    scene.page(BOT_HOOKS, answer(429, r#"{"message":"slow down"}"#));
    scene.expect_wrong(what, "too many calls: try again later (Webex says: slow down)", mend);
}

#[test]
fn a_page_without_our_app_or_with_another_callback_is_wrong() {
    let mut scene = Scene::new("callback");
    let what = "registration of page";
    let mend = "ackd webhook sync page --config FOLDER/ackd.toml";
    let here = "it should lead to https://bots.example.org/messenger";
    scene.page(APP_CALLBACK, callback("https://old.example/x", false));
    let wrong = "the app's callback pointed at https://old.example/x, was inactive";
    scene.expect_wrong(what, &format!("{wrong}; {here}"), mend);
    scene.page(APP_CALLBACK, answer(200, r#"{"data":[]}"#));
    scene.expect_wrong(what, &format!("the app has no callback URL for pages; {here}"), mend);
    scene.page(APP_CALLBACK, callback(&format!("{URL}/messenger"), true));
    scene.page(PAGE_APPS, answer(200, r#"{"data":[]}"#));
    scene.expect_wrong(what, &format!("our app does not hear this page; {here}"), mend);
    scene.page(PAGE_APPS, apps(&["messages", "messaging_postbacks", "messaging_optins", "messaging_referrals"]));
    scene.expect_wrong(what, &format!("the page's subscription lacks message_echoes; {here}"), mend);
}

#[test]
fn without_the_apps_number_its_callback_is_not_called_well() {
    let mut scene = Scene::new("app-id");
    scene.write("app_id = \"482\"\n", "");
    scene.expect_ok("subscription of page", "active");
    let about = scene.about("registration of page");
    let line = "--     registration of page: not looked at, since nobody may see the app's callback URL, for which app_id is \
                needed; ";
    assert!(about.starts_with(line) && about.lines().count() == 1, "{about}");
    assert_eq!(scene.told().0, 0);
    scene.page(PAGE_APPS, answer(200, r#"{"data":[]}"#));
    let mend = "ackd webhook sync page --config FOLDER/ackd.toml";
    scene.expect_wrong("subscription of page", "our app does not hear this page", mend);
}

/// A scene with a solar bot, whose tokens are those of a login so many days ago.
fn with_sun(name: &str) -> Scene {
    let mut scene = Scene::new(name);
    scene.text.push_str(
        "[bot.sun]\nkind = \"solar\"\nupstream = \"enphase\"\n[upstream.enphase]\nkind = \"enphase\"\n\
         key = { env = \"HOOK\" }\n[upstream.enphase.oauth]\nclient_id = \"id\"\nclient_secret = { env = \"APP\" }\n\
         [channel.roof]\nplatform = \"webex\"\npath = \"/roof\"\nbot = \"sun\"\napi = \"https://roof.example/v1\"\n\
         access_token = { env = \"BOT\" }\nsecret = { env = \"HOOK\" }\n",
    );
    for (url, like) in [("people/me", BOT_ME), ("webhooks?max=100", BOT_HOOKS)] {
        let answer = match scene.web.pages[like].clone() {
            Outcome::Answered(answer) => {
                let body = String::from_utf8(answer.body)
                    .unwrap()
                    .replace("ackd space", "ackd roof")
                    .replace("/webex", "/roof");
                Outcome::Answered(crate::model::Answer { body: body.into_bytes(), ..answer })
            }
            failed => failed,
        };
        scene.page(&format!("https://roof.example/v1/{url}"), answer);
    }
    logged_in(&mut scene, 1);
    scene
}

fn logged_in(scene: &mut Scene, days: i64) {
    let (given, ends) = (NOW.0 - days * 86_400_000, NOW.0 - days * 86_400_000 + 86_393_000);
    let tokens = format!("{{\"access\":\"canary\",\"refresh\":\"canary\",\"expires\":{ends},\"refreshed\":{given}}}");
    scene.remember(TOKENS, "enphase", tokens);
}

/// A ledger after so many calls in the last `seconds`.
fn spent(calls: u32, seconds: i64) -> String {
    let limits = [Limit { calls: 1000, per: Period::Month }];
    let mut ledger = Ledger::default();
    for call in 0..calls {
        let before = i64::from(calls - call) * seconds * 1000 / i64::from(calls);
        Line::new(&limits).pay(&mut ledger, None, 1, Moment(NOW.0 - before)).unwrap();
    }
    String::from_utf8(ledger.json()).unwrap()
}

#[test]
fn what_is_left_of_a_services_calls_is_told_and_too_little_is_wrong() {
    let mut scene = with_sun("budget");
    let what = "budget of enphase";
    scene.expect_ok(what, "1000 of 1000 calls a month left until 2027-02-01 00:00:00; at most 10 a minute");
    scene.remember(LEDGERS, "enphase", spent(360, 14 * 86_400));
    scene.expect_ok(what, "640 of 1000 calls a month left until 2027-02-01 00:00:00; at most 10 a minute");
    let mend = "let its bots ask less often, as with a larger `age`, or take a larger plan and write its limits";
    scene.remember(LEDGERS, "enphase", spent(900, 14 * 86_400));
    let about = scene.about(what);
    let wrong = "wrong  budget of enphase: at this pace its calls are used up on 2027-01-16 ";
    assert!(about.starts_with(wrong) && about.ends_with(&format!("to mend: {mend}")), "{about}");
    assert!(about.contains("; 100 of 1000 calls a month left until 2027-02-01 00:00:00;"), "{about}");
    scene.remember(LEDGERS, "enphase", spent(1000, 14 * 86_400));
    let none = "0 of 1000 calls a month left until 2027-02-01 00:00:00; at most 10 a minute";
    scene.expect_wrong(what, none, mend);
    scene.remember(LEDGERS, "enphase", "nonsense".to_owned());
    let about = scene.about(what);
    assert!(about.starts_with("--     budget of enphase: what was spent cannot be read (expected"), "{about}");
    scene.machine.memory = Err(StoreError("store x: unable to open".to_owned()));
    scene.expect_unseen(what, "the store cannot be read");
    scene.expect_unseen("login of enphase", "the store cannot be read");
}

#[test]
fn a_service_that_we_may_not_ask_any_more_is_wrong_and_what_mends_it_is_a_login() {
    let mut scene = with_sun("login");
    let (what, login) = ("login of enphase", "ackd login enphase --config FOLDER/ackd.toml");
    scene.expect_ok(what, "we may ask it; its consent lasts until 2027-02-13 08:00:00, and is renewed before");
    logged_in(&mut scene, 23);
    let wrong = "its consent ends on 2027-01-22 08:00:00, and could not be renewed";
    scene.expect_wrong(what, wrong, &format!("see what the daemon's log says about it; else {login}"));
    logged_in(&mut scene, 30);
    scene.expect_wrong(what, "its consent ended unused on 2027-01-15 08:00:00", login);
    let refused =
        "{\"access\":\"a\",\"refresh\":\"b\",\"expires\":0,\"refreshed\":0,\"refused\":\"HTTP 400, invalid_grant\"}";
    scene.remember(TOKENS, "enphase", refused.to_owned());
    scene.expect_wrong(what, "it takes our consent no more (HTTP 400, invalid_grant)", login);
    scene.remember(TOKENS, "enphase", "{}".to_owned());
    scene.expect_wrong(what, "its tokens cannot be read", login);
    scene.machine.memory = Ok(std::collections::BTreeMap::new());
    scene.expect_wrong(what, "nobody has logged in there yet", login);
    scene.env.retain(|(name, _)| *name != "BOT");
    scene.expect_unseen(what, "its secrets are not all there");
}

#[test]
fn what_somebody_granted_at_facebook_is_told_with_its_end() {
    let mut scene = Scene::new("granted");
    scene.text.push_str(
        "[admin]\nlisten = \"127.0.0.1:3001\"\n[upstream.fb]\nkind = \"facebook\"\napp_id = \"482\"\n\
         app_secret = { env = \"APP\" }\n",
    );
    let (what, login) = ("login of fb", "ackd login fb --config FOLDER/ackd.toml");
    scene.expect_wrong(what, "nobody has logged in there yet", login);
    let day = |days: i64| NOW.0 + days * 86_400_000;
    let consent = |user: &str, page: &str, more: &str| {
        format!(
            "{{\"given\":{},\"token\":{{\"value\":\"canary\"{user}}},\"pages\":[{{\"id\":\"104\",\"name\":\"Roof\",\
             \"token\":{{\"value\":\"canary\"{page}}}}}]{more}}}",
            day(-12)
        )
    };
    let ends = |days: i64| format!(",\"expires\":{}", day(days));
    scene.remember(TOKENS, "fb", consent("", "", ""));
    scene.expect_ok(what, "granted 12 days ago, without an end, for Roof (104)");
    scene.remember(TOKENS, "fb", consent(&ends(48), &format!(",\"access_ends\":{}", day(11)), ""));
    scene.expect_ok(what, "granted 12 days ago, until 2027-01-26 08:00:00, for Roof (104)");
    scene.remember(TOKENS, "fb", consent(&ends(10), "", ""));
    scene.expect_wrong(what, "what was granted ends on 2027-01-25 08:00:00", login);
    scene.remember(TOKENS, "fb", consent(&ends(0), "", ""));
    scene.expect_wrong(what, "what was granted ended on 2027-01-15 08:00:00", login);
    scene.remember(TOKENS, "fb", consent("", ",\"refused\":\"the password was changed; error 190/460\"", ""));
    scene.expect_wrong(what, "it takes our consent no more (Roof: the password was changed; error 190/460)", login);
    scene.remember(TOKENS, "fb", consent("", "", ",\"lacks\":[\"pages_show_list\"]"));
    scene.expect_wrong(what, "granted 12 days ago, without an end, for Roof (104), but not pages_show_list", login);
    scene.remember(TOKENS, "fb", "{}".to_owned());
    scene.expect_wrong(what, "what was granted cannot be read", login);
    scene.machine.memory = Err(StoreError("store x: unable to open".to_owned()));
    scene.expect_unseen(what, "the store cannot be read");
}

/// What the doctor is told of TLS by the files of these fixtures.
fn encrypted(name: &str, pair: [&str; 2]) -> Scene {
    let mut scene = Scene::new(name);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
    let [certificate, key] = pair.map(|file| folder.join(file).display().to_string());
    scene.text.push_str(&format!("[tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n"));
    scene
}

#[test]
fn a_certificate_is_good_or_ends_soon_or_has_ended() {
    let scene = encrypted("certificate", ["bots.pem", "bots.key"]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/");
    scene.expect_ok("certificate", &format!("\"{file}bots.pem\" is good until 2120-01-01"));

    let config = scene.config();
    let found = super::certificates::findings(config.tls.as_ref(), Moment(4_733_510_400_000 - 1));
    let [note] = found.as_slice() else { panic!("one certificate") };
    let words =
        format!("--     certificate: \"{file}bots.pem\" is good until 2120-01-01 only, for 0 days; is there still");
    assert!(note.text().starts_with(&words) && note.text().contains("certbot renew --dry-run"), "{}", note.text());

    let ended = encrypted("ended", ["expired.pem", "bots.key"]);
    let (code, text) = ended.told();
    let line = format!("tls.certificate: \"{file}expired.pem\" has expired: it was good until 2021-03-04; renew it");
    assert!(code == 2 && text.contains(&line) && text.contains("wrong  secrets: "), "{text}");
}
