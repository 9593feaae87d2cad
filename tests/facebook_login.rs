//! The login at Facebook with the real binary over real sockets: daemon, `ackd login`, a browser that follows what it is
//! told, and the stand-in of Facebook's dialog and Graph API; where its answers are to hang, a smaller one (graph.md §3).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "here a panic is how a failure is told"
)]

#[path = "shared/browser.rs"]
mod browser;

use ackd::daemon::clock;
use ackd::keeper::TOKENS;
use ackd::model::{Moment, Secret};
use ackd::store::sqlite::SqliteFile;
use ackd::twin::graph::{Graph, Settings};
use ackd::twin::{Deed, House, Plan, Server};
use browser::{Browser, CANARY, answer};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

// ---- Facebook's side ----

/// What Facebook was asked, and codes that nobody used yet.
#[derive(Default)]
struct Facebook {
    codes: Vec<String>,
    given: usize,
    exchanges: usize,
    /// A code is taken, and its answer never comes; whoever waits is told.
    hangs: Option<std::sync::mpsc::Sender<()>>,
}

/// A stand-in; its base URL.
fn facebook() -> (String, Arc<Mutex<Facebook>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let played: Arc<Mutex<Facebook>> = Arc::default();
    let side = Arc::clone(&played);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let side = Arc::clone(&side);
            thread::spawn(move || serve(stream.unwrap(), &side));
        }
    });
    (base, played)
}

fn serve(stream: TcpStream, side: &Mutex<Facebook>) {
    let mut stream = BufReader::new(stream);
    let head: Vec<_> = stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(target) = head.first().and_then(|line| line.split(' ').nth(1)) else { return };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let get = |name: &str| parameter(query, name);
    let mut side = side.lock().unwrap();
    let (status, more, body) = match path {
        "/v25.0/dialog/oauth" => {
            side.given += 1;
            let code = format!("canary-code-{}", side.given);
            let to = format!("{}?code={code}&state={}#_=_", get("redirect_uri"), get("state"));
            side.codes.push(code);
            (302, format!("Location: {to}\r\n"), String::new())
        }
        "/v25.0/oauth/access_token" if get("client_secret") != "canary-secret" => (400, String::new(), error(101)),
        "/v25.0/oauth/access_token" if query.contains("fb_exchange_token") => {
            (200, String::new(), format!("{{\"access_token\":\"canary-user-{}\"}}", side.exchanges))
        }
        "/v25.0/oauth/access_token" => {
            let code = get("code");
            let known = side.codes.iter().position(|known| *known == code);
            side.exchanges += 1;
            if let Some(told) = side.hangs.take() {
                drop(side);
                told.send(()).unwrap();
                // Until the other side is gone.
                let _ = stream.read(&mut [0]);
                return;
            }
            match known.map(|at| side.codes.remove(at)) {
                Some(_) => (200, String::new(), "{\"access_token\":\"canary-short\",\"expires_in\":5183}".to_owned()),
                None => (400, String::new(), error(100)),
            }
        }
        "/v25.0/debug_token" => {
            let scopes = "\"pages_show_list\",\"pages_read_engagement\",\"pages_read_user_content\"";
            let body =
                format!("{{\"data\":{{\"app_id\":\"482\",\"is_valid\":true,\"expires_at\":0,\"scopes\":[{scopes}]}}}}");
            (200, String::new(), body)
        }
        "/v25.0/me/accounts" => {
            let body = "{\"data\":[{\"access_token\":\"canary-page\",\"name\":\"Roof of Ada\",\"id\":\"104\"}]}";
            (200, String::new(), body.to_owned())
        }
        _ => (404, String::new(), error(2500)),
    };
    drop(side);
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} X\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.get_mut().write_all(answer.as_bytes());
}

fn error(code: u32) -> String {
    format!("{{\"error\":{{\"message\":\"{CANARY}\",\"code\":{code}}}}}")
}

fn parameter(query: &str, name: &str) -> String {
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
    value.replace("%3A", ":").replace("%2F", "/")
}

// ---- a daemon ----

struct Folder {
    path: PathBuf,
    admin: u16,
    public: u16,
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

struct Daemon {
    child: Child,
    lines: Receiver<String>,
}

/// A port that was free just now: a redirect_uri has to be known before anybody listens.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Folder {
    fn new(name: &str, facebook: &str, public_login: bool) -> Folder {
        let path = std::env::temp_dir().join(format!("ackd-facebook-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let (admin, public) = (free_port(), free_port());
        let door = match public_login {
            true => format!("public_login = true\nredirect_uri = \"http://127.0.0.1:{public}/login/fb\"\n"),
            false => String::new(),
        };
        let text = format!(
            "listen = \"127.0.0.1:{public}\"\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n[channel.page]\nplatform = \"messenger\"\n\
             path = \"/page\"\nbot = \"echo\"\nverify_token = {{ env = \"PAGE\" }}\napp_secret = {{ env = \"PAGE\" }}\n\
             access_token = {{ env = \"PAGE\" }}\n[bot.echo]\nkind = \"echo\"\n[upstream.fb]\nkind = \"facebook\"\n\
             app_id = \"482\"\napp_secret = {{ env = \"SECRET\" }}\napi = \"{facebook}/v25.0\"\n\
             dialog = \"{facebook}/v25.0/dialog/oauth\"\n{door}"
        );
        fs::write(path.join("ackd.toml"), text).unwrap();
        Folder { path, admin, public }
    }

    fn ackd(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
        command.args(words).current_dir(&self.path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for variable in ["RUST_LOG", "JOURNAL_STREAM", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
            command.env_remove(variable);
        }
        command
    }

    /// A daemon that listens.
    fn start(&self) -> Daemon {
        let mut command = self.ackd(&["run", "-v"]);
        command.env("PAGE", "canary-channel").env("SECRET", "canary-secret").stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (told, lines) = channel();
        let read = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        thread::spawn(move || read.for_each(|line| drop(told.send(line))));
        let daemon = Daemon { child, lines };
        while !daemon.lines.recv().unwrap().contains(&format!("listening on 127.0.0.1:{}", self.admin)) {}
        daemon
    }

    /// `ackd login fb`, with the link that it shows.
    fn login(&self) -> (Child, String) {
        let mut child = self.ackd(&["login", "fb"]).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let (told, shown) = channel();
        let log = self.path.join("login.out");
        thread::spawn(move || {
            let mut log = fs::File::create(log).unwrap();
            for line in lines {
                writeln!(log, "{line}").unwrap();
                let _ = told.send(line);
            }
        });
        let link = shown.iter().find_map(|line| line.trim().strip_prefix("http:").map(|rest| format!("http:{rest}")));
        (child, link.expect("a link"))
    }

    fn said_by_login(&self, child: Child) -> (i32, String) {
        let Output { status, stderr, .. } = child.wait_with_output().unwrap();
        let said = fs::read_to_string(self.path.join("login.out")).unwrap() + &String::from_utf8(stderr).unwrap();
        assert!(!said.contains(CANARY), "{said}");
        (status.code().unwrap(), said)
    }

    fn consent(&self) -> Option<String> {
        let file = SqliteFile::open(&self.path.join("ackd.db")).unwrap();
        file.recall(TOKENS, "fb", Moment(0)).unwrap().map(|json| String::from_utf8(json).unwrap())
    }
}

impl Daemon {
    /// Ends it in order; nothing that it said holds a secret.
    fn stop(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        self.said()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.said();
    }

    fn said(&self) -> String {
        let said = self.lines.iter().collect::<Vec<_>>().join("\n");
        assert!(!said.contains(CANARY), "{said}");
        said
    }
}

#[test]
fn a_login_at_the_admin_listener_is_seen_by_the_command_that_waits_for_it() {
    let (base, _facebook) = facebook();
    let folder = Folder::new("inside", &base, false);
    let child = folder.ackd(&["login", "fb"]).output().unwrap();
    let error = String::from_utf8(child.stderr).unwrap();
    assert!(child.status.code() == Some(1) && error.contains("none is running; start it"), "{error}");
    let daemon = folder.start();
    let (waiting, link) = folder.login();
    assert_eq!(link, format!("http://localhost:{}/login/fb", folder.admin));
    let mut browser = Browser::default();
    let pages = browser.follow(&link, 4);
    let statuses: Vec<_> = pages.iter().map(|page| page.status).collect();
    assert_eq!(statuses, [302, 302, 302, 200], "{}", pages.last().unwrap().head);
    let done = pages.last().unwrap();
    assert!(done.body.contains("Roof of Ada (104)") && done.url.ends_with("/login/fb/done"), "{}", done.body);
    let (code, said) = folder.said_by_login(waiting);
    assert!(code == 0 && said.ends_with("upstream fb: logged in, for Roof of Ada (104)\n"), "{said}");
    // The same way back again, with every cookie that there was.
    let back = pages[1].location().unwrap();
    assert_eq!(browser.get(&back).status, 403);
    assert_eq!(
        browser.get(&format!("http://127.0.0.1:{}/login/fb", folder.public)).status,
        404,
        "not at the public door"
    );
    let front = browser.get(&format!("http://127.0.0.1:{}/", folder.admin));
    assert!(front.status == 200 && front.body.contains("href=\"/login/fb\""), "{}", front.body);
    let doctor =
        folder.ackd(&["doctor"]).env("PAGE", "canary-channel").env("SECRET", "canary-secret").output().unwrap();
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    assert!(doctor.contains("login of fb: granted 0 days ago, without an end, for Roof of Ada (104)"), "{doctor}");
    assert!(!doctor.contains(CANARY), "{doctor}");
    let said = daemon.stop();
    assert!(said.contains("upstream fb: somebody logged in, for Roof of Ada (104)"), "{said}");
    assert!(folder.consent().unwrap().contains("canary-page"));
}

#[test]
fn at_the_public_door_a_link_is_needed_and_a_session_comes_of_it() {
    let (base, facebook) = facebook();
    let folder = Folder::new("public", &base, true);
    let daemon = folder.start();
    let door = format!("http://127.0.0.1:{}/login/fb", folder.public);
    let mut stranger = Browser::default();
    assert_eq!((stranger.get(&door).status, stranger.get(&format!("{door}/done")).status), (404, 404));
    assert_eq!(stranger.ask("POST", &format!("{door}/out"), "guard=x").status, 404);
    let (waiting, link) = folder.login();
    assert!(link.starts_with(&format!("{door}?ticket=")), "{link}");
    let mut browser = Browser::default();
    let pages = browser.follow(&link, 4);
    let done = pages.last().unwrap();
    assert!(done.status == 200 && done.body.contains("Roof of Ada (104)"), "{}", done.body);
    assert_eq!(stranger.get(&link).status, 403, "used");
    assert_eq!(stranger.get(&pages[1].location().unwrap()).status, 403, "another browser");
    assert_eq!(folder.said_by_login(waiting).0, 0);
    let guard = done.body.split("name=guard value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(browser.ask("POST", &format!("{door}/out"), "guard=x").status, 403);
    assert_eq!(browser.ask("POST", &format!("{door}/out"), &format!("guard={guard}")).status, 200);
    assert_eq!(browser.get(&format!("{door}/done")).status, 404);
    // From the admin listener the way leads to the same door.
    let mut operator = Browser::default();
    let pages = operator.follow(&format!("http://127.0.0.1:{}/login/fb", folder.admin), 5);
    assert_eq!(pages.last().unwrap().url, format!("{door}/done"));
    assert_eq!(facebook.lock().unwrap().exchanges, 2);
    daemon.stop();
}

#[test]
fn a_kill_while_facebook_is_asked_opens_nothing_and_loses_no_older_consent() {
    let (base, facebook) = facebook();
    let folder = Folder::new("kill", &base, false);
    let daemon = folder.start();
    let start = format!("http://localhost:{}/login/fb", folder.admin);
    assert_eq!(Browser::default().follow(&start, 4).last().unwrap().status, 200);
    let mut browser = Browser::default();
    let pages = browser.follow(&start, 1);
    let back = pages.last().unwrap().location().unwrap();
    let (told, asked) = channel();
    facebook.lock().unwrap().hangs = Some(told);
    let (jar, target) = (browser.jar.clone(), back.clone());
    let waits = thread::spawn(move || Browser { jar }.get(&target).status);
    asked.recv().unwrap();
    daemon.kill();
    assert_eq!(waits.join().unwrap(), 0, "nobody answered");
    assert!(folder.consent().unwrap().contains("canary-user-1"));
    let daemon = folder.start();
    assert_eq!(browser.get(&back).status, 403, "the code cannot be used by a second one");
    assert_eq!(facebook.lock().unwrap().exchanges, 2);
    assert_eq!(browser.follow(&start, 4).last().unwrap().status, 200);
    daemon.stop();
    assert!(folder.consent().unwrap().contains("canary-user-3"));
}

/// Facebook as the twin plays it: it asks for proofs, and its lists have gaps.
fn twin(name: &str, public_login: bool) -> (Folder, Arc<House>, Server) {
    let house = Arc::new(House::new(clock));
    let server = Server::open("127.0.0.1:0".parse().unwrap(), Arc::clone(&house), Box::new(|_| None)).unwrap();
    let folder = Folder::new(name, &server.api("fb"), public_login);
    let door = match public_login {
        true => format!("http://127.0.0.1:{}", folder.public),
        false => format!("http://localhost:{}", folder.admin),
    };
    let settings = Settings {
        base: server.api("fb"),
        app_id: "482".to_owned(),
        app_secret: Secret::new("canary-secret"),
        redirect_uris: vec![format!("{door}/login/fb")],
        requires_proof: true,
        ..Settings::played()
    };
    house.lodge("fb", Box::new(Graph::new(settings)), Plan::default()).unwrap();
    (folder, house, server)
}

/// What is kept, and all tokens in it.
fn tokens(folder: &Folder) -> Vec<String> {
    let consent = folder.consent().unwrap();
    let values = consent.split("\"value\":\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    values.collect()
}

#[test]
fn with_the_strict_stand_in_somebody_denies_leaves_something_out_and_allows() {
    for public in [false, true] {
        let (folder, _house, _server) = twin(&format!("twin-{public}"), public);
        let daemon = folder.start();
        let start = format!("http://127.0.0.1:{}/login/fb", folder.admin);
        let mut browser = Browser::default();
        let denied = answer(&mut browser, &start, "answer=deny");
        assert!(denied.status == 200 && denied.body.contains("You did not allow it"), "{}", denied.body);
        let less = answer(&mut browser, &start, "answer=allow&without=pages_read_user_content");
        assert!(less.body.contains("something may be missing: pages_read_user_content"), "{}", less.body);
        let none = answer(&mut browser, &start, "answer=allow&without=pages_show_list");
        assert!(none.status == 502 && none.body.contains("Nothing was changed"), "{}", none.body);
        let done = answer(&mut browser, &start, "answer=allow");
        let pages = "Brot &amp; Stulle (104455667788990), Two Cups &amp; a Spoon (104455667788991)";
        assert!(done.status == 200 && done.body.contains(pages) && !done.body.contains("missing"), "{}", done.body);
        let said = daemon.stop();
        let tokens = tokens(&folder);
        assert_eq!(tokens.len(), 3);
        for secret in &tokens {
            assert!(!said.contains(secret) && !done.body.contains(secret), "{said}");
        }
    }
}

#[test]
fn a_changed_password_is_told_at_the_next_look_with_what_mends_it() {
    let (folder, house, _server) = twin("password", false);
    let daemon = folder.start();
    let start = format!("http://localhost:{}/login/fb", folder.admin);
    assert_eq!(answer(&mut Browser::default(), &start, "answer=allow").status, 200);
    daemon.stop();
    house.deed("fb", &Deed::Password).unwrap();
    let daemon = folder.start();
    let told = daemon.lines.iter().find(|line| line.contains("it takes our consent no more")).unwrap();
    assert!(told.contains("the password was changed; error 190/460") && told.contains("type ackd login fb"), "{told}");
    let doctor =
        folder.ackd(&["doctor"]).env("PAGE", "canary-channel").env("SECRET", "canary-secret").output().unwrap();
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    assert!(doctor.contains("wrong  login of fb: it takes our consent no more (the password was changed;"), "{doctor}");
    daemon.stop();
    let daemon = folder.start();
    assert_eq!(answer(&mut Browser::default(), &start, "answer=allow").status, 200);
    assert!(!daemon.stop().contains("no more"), "told once");
    assert!(!folder.consent().unwrap().contains("password"));
}
