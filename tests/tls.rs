//! TLS on the public listener, with the real binary over real sockets: what clients are shown, what becomes of those who
//! misbehave, and certificates that are renewed while it serves. The files are those of `fixtures/tls`, signed by their CA.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "here a panic is how a failure is told"
)]

mod shared;

use ring::hmac;
use rustix::process::Signal;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use shared::PATIENCE;
use shared::daemon::{Daemon, Folder, Setup};
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

const SECRET: &str = "only-a-test";
const BOTS: &str = "bots.example.org";
const OTHER: &str = "other.example.org";

/// A page that keeps what comes, behind two certificates.
struct Page;

impl Setup for Page {
    fn toml(&self, _folder: &Path, address: SocketAddr, api: &str) -> String {
        format!(
            "listen = \"{address}\"\nworkers = 0\n[tls]\ncertificate = [\"bots.pem\", \"other.pem\"]\n\
             key = [\"bots.key\", \"other.key\"]\n[channel.page]\nplatform = \"messenger\"\npath = \"/page\"\n\
             bot = \"it\"\napi = \"{api}\"\nverify_token = {{ env = \"SECRET\" }}\napp_secret = {{ env = \"SECRET\" }}\n\
             access_token = {{ env = \"SECRET\" }}\n[bot.it]\nkind = \"echo\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n"
        )
    }

    fn variables(&self) -> Vec<(String, String)> {
        vec![("SECRET".to_owned(), SECRET.to_owned())]
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn daemon() -> Daemon<Page> {
    let folder = Folder::new();
    for name in ["bots.pem", "bots.key", "other.pem", "other.key"] {
        fs::copy(fixture(name), folder.path().join(name)).unwrap();
    }
    Daemon::start_in(folder, Page, "http://127.0.0.1:9".to_owned())
}

/// The leaf of a certificate's file.
fn leaf(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(fixture(name)).unwrap()
}

/// A client that speaks these versions and trusts the CA of the fixtures.
fn speaking(versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(leaf("ca.pem")).unwrap();
    let builder = ClientConfig::builder_with_provider(ackd::tls::provider()).with_protocol_versions(versions).unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// One connection to the daemon.
struct Client {
    session: ClientConnection,
    socket: TcpStream,
}

impl Client {
    /// Connects, and leaves the handshake to what is said first.
    fn new(config: &Arc<ClientConfig>, address: SocketAddr, name: &str) -> Client {
        let session = ClientConnection::new(Arc::clone(config), ServerName::try_from(name.to_owned()).unwrap());
        Client { session: session.unwrap(), socket: plain(address) }
    }

    fn usual(address: SocketAddr) -> Client {
        Client::new(&speaking(&[&TLS13, &TLS12]), address, BOTS)
    }

    fn say(&mut self, bytes: &[u8]) {
        rustls::Stream::new(&mut self.session, &mut self.socket).write_all(bytes).unwrap();
    }

    /// The next answer's status.
    fn status(&mut self) -> u16 {
        let mut head = Vec::new();
        let mut stream = rustls::Stream::new(&mut self.session, &mut self.socket);
        while !head.ends_with(b"\r\n\r\n") {
            let mut one = [0];
            stream.read_exact(&mut one).unwrap();
            head.extend(one);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).unwrap();
        head[9..12].parse().unwrap()
    }

    /// Sends a new event, and gives the answer's status.
    fn post(&mut self, id: &str) -> u16 {
        self.say(&event(id, 0));
        self.status()
    }

    fn shown(&self) -> CertificateDer<'static> {
        self.session.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

fn plain(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A signed delivery of one message, with so many bytes of space in it.
fn event(id: &str, spaces: usize) -> Vec<u8> {
    let space = " ".repeat(spaces);
    let body = format!(
        "{{\"object\":\"page\",\"entry\":[{{\"id\":\"1\",\"time\":1,\"messaging\":[{{\"sender\":{{\"id\":\"2\"}},\
         \"recipient\":{{\"id\":\"1\"}},\"timestamp\":1,{space}\"message\":{{\"mid\":\"{id}\",\"text\":\"hello\"}}}}]}}]}}"
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
    let mut signature = String::new();
    tag.as_ref().iter().for_each(|byte| write!(signature, "{byte:02x}").unwrap());
    let length = body.len();
    format!(
        "POST /page HTTP/1.1\r\nHost: {BOTS}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         X-Hub-Signature-256: sha256={signature}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[test]
fn events_are_kept_over_both_versions_and_a_client_that_comes_again_needs_no_whole_handshake() {
    let daemon = daemon();
    for (version, number) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let mut config = Arc::unwrap_or_clone(speaking(&[version]));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let config = Arc::new(config);
        let mut client = Client::new(&config, daemon.address, BOTS);
        assert_eq!(client.post(&format!("first {number:?}")), 200);
        assert_eq!(client.session.protocol_version(), Some(number));
        assert_eq!(client.session.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert_eq!(client.session.handshake_kind(), Some(HandshakeKind::Full));
        // Larger than a record, and than all that a socket takes at once.
        client.say(&event(&format!("second {number:?}"), 700_000));
        assert_eq!(client.status(), 200);
        let mut again = Client::new(&config, daemon.address, BOTS);
        assert_eq!(again.post(&format!("third {number:?}")), 200);
        assert_eq!(again.session.handshake_kind(), Some(HandshakeKind::Resumed), "{number:?}");
    }
}

#[test]
fn whoever_ends_is_told_that_nothing_was_cut_off() {
    let daemon = daemon();
    let mut client = Client::usual(daemon.address);
    client.say(b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut said = String::new();
    // An end without close_notify would be an error here.
    rustls::Stream::new(&mut client.session, &mut client.socket).read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 404 "), "{said}");
}

#[test]
fn who_closes_its_side_after_asking_gets_its_answer_and_is_told_that_it_is_whole() {
    let daemon = daemon();
    for version in [&TLS12, &TLS13] {
        let mut client = Client::new(&speaking(&[version]), daemon.address, BOTS);
        client.say(&event(&format!("{version:?}"), 0));
        client.session.send_close_notify();
        while client.session.wants_write() {
            client.session.write_tls(&mut client.socket).unwrap();
        }
        client.socket.shutdown(Shutdown::Write).unwrap();
        let mut said = String::new();
        // An end without close_notify would be an error here, too.
        rustls::Stream::new(&mut client.session, &mut client.socket).read_to_string(&mut said).unwrap();
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    }
    assert_eq!(events(&daemon), 2);
}

#[test]
fn each_name_is_shown_its_certificate_and_a_stranger_the_first() {
    let daemon = daemon();
    let config = speaking(&[&TLS13]);
    for (name, file) in [(BOTS, "bots.pem"), (OTHER, "other.pem"), ("x.wild.example.org", "other.pem")] {
        let mut client = Client::new(&config, daemon.address, name);
        assert_eq!((client.post(name), client.shown()), (200, leaf(file)), "{name}");
    }
    let mut nameless = Client::new(&config, daemon.address, "127.0.0.1");
    assert_eq!((nameless.post("nameless"), nameless.shown()), (200, leaf("bots.pem")));
}

#[test]
fn plain_http_is_told_what_to_write_and_is_not_heard() {
    let daemon = daemon();
    for bytes in [event("plain", 0), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()] {
        let mut socket = plain(daemon.address);
        socket.write_all(&bytes).unwrap();
        let mut said = String::new();
        socket.read_to_string(&mut said).unwrap();
        assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
        assert!(said.contains("write https://"), "{said}");
    }
    let mut client = Client::usual(daemon.address);
    assert_eq!(client.post("plain"), 200);
    assert_eq!(events(&daemon), 1);
}

/// How many events are kept.
fn events(daemon: &Daemon<Page>) -> usize {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
    let output = command.arg("events").arg("--config").arg(daemon.config()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().filter(|line| line.contains("page-")).count()
}

#[test]
fn a_renewed_certificate_is_shown_to_whoever_comes_next_and_nobody_is_cut_off() {
    let daemon = daemon();
    let config = speaking(&[&TLS13]);
    let mut before = Client::new(&config, daemon.address, BOTS);
    assert_eq!((before.post("1"), before.shown()), (200, leaf("bots.pem")));
    let put = |from: &str, to: &str| {
        // As certbot does: another file takes the name.
        let fresh = daemon.folder.path().join("fresh");
        fs::copy(fixture(from), &fresh).unwrap();
        fs::rename(&fresh, daemon.folder.path().join(to)).unwrap();
    };
    put("renewed.pem", "bots.pem");
    daemon.wait_for_line(0, "is not the key of that certificate");
    let mut meanwhile = Client::new(&speaking(&[&TLS13]), daemon.address, BOTS);
    assert_eq!((meanwhile.post("2"), meanwhile.shown()), (200, leaf("bots.pem")), "the pair does not fit");
    put("renewed.key", "bots.key");
    daemon.wait_for_line(0, "new ones are shown from now on, good until 2120-01-01");
    let mut after = Client::new(&speaking(&[&TLS13]), daemon.address, BOTS);
    assert_eq!((after.post("3"), after.shown()), (200, leaf("renewed.pem")));
    assert_eq!(before.post("4"), 200, "who was there before goes on");
    let mut again = Client::new(&config, daemon.address, BOTS);
    assert_eq!(again.post("5"), 200);
    assert_eq!(again.session.handshake_kind(), Some(HandshakeKind::Resumed), "tickets outlive a certificate");

    // The operator's door is in plain, as before.
    let line = daemon.wait_for_line(0, "listening on 127.0.0.1:");
    let mut operator = TcpStream::connect(line.split("listening on ").nth(1).unwrap()).unwrap();
    operator.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut told = String::new();
    operator.read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");

    put("expired.pem", "bots.pem");
    put("bots.key", "bots.key");
    daemon.wait_for_line(0, "certificates: those of before stay: ");
    daemon.wait_for_line(0, "has expired: it was good until 2021-03-04; renew it");
    let mut last = Client::new(&speaking(&[&TLS13]), daemon.address, BOTS);
    assert_eq!((last.post("6"), last.shown()), (200, leaf("renewed.pem")));
}

#[test]
fn a_renewed_certificate_is_shown_though_somebody_writes_beside_it_without_end() {
    let daemon = daemon();
    let folder = daemon.folder.path();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                fs::write(folder.join("noise"), "x").unwrap();
            }
        });
        let _end = Ends(&ended);
        for (from, to) in [("renewed.pem", "bots.pem"), ("renewed.key", "bots.key")] {
            fs::copy(fixture(from), folder.join(to)).unwrap();
        }
        daemon.wait_for_line(0, "new ones are shown from now on");
    });
    let mut client = Client::usual(daemon.address);
    assert_eq!((client.post("1"), client.shown()), (200, leaf("renewed.pem")));
}

/// Ends what goes on meanwhile, also where the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The figures about certificates.
fn ends(daemon: &Daemon<Page>) -> Vec<String> {
    let mut socket = UnixStream::connect(daemon.store().with_extension("sock")).unwrap();
    socket.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    socket.read_to_string(&mut page).unwrap();
    page.lines().filter_map(|line| line.strip_prefix("ackd_certificate_expiry_")).map(str::to_owned).collect()
}

#[test]
fn the_end_of_each_certificate_is_a_figure_under_its_first_name() {
    let daemon = daemon();
    let of = |name: &str| format!("timestamp_seconds{{name=\"{name}\"}} 4733510400");
    assert_eq!(ends(&daemon), [of(BOTS), of(OTHER)]);
    // Two for one name: what counts is which of them ends first, and a figure stands there once.
    for name in ["renewed.pem", "renewed.key"] {
        fs::copy(fixture(name), daemon.folder.path().join(name.replace("renewed", "other"))).unwrap();
    }
    daemon.wait_for_line(0, "new ones are shown from now on");
    assert_eq!(ends(&daemon), [of(BOTS)]);
    let text = fs::read_to_string(daemon.config()).unwrap();
    let plain = format!("{}{}", &text[..text.find("[tls]").unwrap()], &text[text.find("[channel").unwrap()..]);
    fs::write(daemon.config(), plain).unwrap();
    daemon.signal(Signal::HUP);
    daemon.wait_for_line(0, "the configuration is in force");
    assert_eq!(ends(&daemon), [""; 0]);
}

#[test]
fn sighup_reads_certificates_again_where_nobody_could_watch_them() {
    let daemon = daemon();
    // A file that is written to in place and stays open tells nobody that it has changed.
    let keep = |from: &str, to: &str| {
        let mut file = fs::OpenOptions::new().write(true).truncate(true).open(daemon.folder.path().join(to)).unwrap();
        file.write_all(&fs::read(fixture(from)).unwrap()).unwrap();
        file
    };
    let _open = [keep("renewed.pem", "bots.pem"), keep("renewed.key", "bots.key")];
    daemon.signal(Signal::HUP);
    daemon.wait_for_line(0, "new ones are shown from now on");
    daemon.wait_for_line(0, "the configuration is in force");
    let mut client = Client::usual(daemon.address);
    assert_eq!((client.post("1"), client.shown()), (200, leaf("renewed.pem")));
}

#[test]
fn a_reload_switches_tls_off_and_on_and_nobody_is_cut_off() {
    let daemon = daemon();
    let mut encrypted = Client::usual(daemon.address);
    assert_eq!(encrypted.post("1"), 200);
    let with = Page.toml(daemon.folder.path(), daemon.address, "http://127.0.0.1:9");
    let start = with.find("[tls]").unwrap();
    let without = format!("{}{}", &with[..start], &with[with.find("[channel").unwrap()..]);
    let reload = |text: &str, word: &str| {
        let from = daemon.log().len();
        fs::write(daemon.config(), text).unwrap();
        daemon.signal(Signal::HUP);
        daemon.wait_for_line(from, word);
        daemon.wait_for_line(from, "the configuration is in force");
    };
    reload(&without, "the public door speaks plain HTTP");
    let mut socket = plain(daemon.address);
    let mut post = |id: &str| {
        socket.write_all(&event(id, 0)).unwrap();
        let mut head = [0; 12];
        socket.read_exact(&mut head).unwrap();
        let mut rest = [0; 1024];
        assert!(socket.read(&mut rest).unwrap() > 0);
        String::from_utf8(head[9..].to_vec()).unwrap()
    };
    assert_eq!((post("2").as_str(), encrypted.post("3")), ("200", 200));
    reload(&with, "the public door speaks TLS; its certificates are good until");
    assert_eq!((post("4").as_str(), encrypted.post("5"), Client::usual(daemon.address).post("6")), ("200", 200, 200));
    assert_eq!(events(&daemon), 6);
}

#[test]
fn who_does_not_finish_the_handshake_has_little_held_and_is_ended() {
    let daemon = daemon();
    let before_kib = daemon.resident_kib();
    // Records of a handshake whose one message, of 16 MiB, never ends; as much of it as is taken.
    let mut record = vec![22, 3, 1, 0x40, 0];
    record.extend(vec![0; 0x4000]);
    record[5..9].copy_from_slice(&[1, 0xff, 0xff, 0xff]);
    let mut rude = Vec::new();
    for _ in 0..400 {
        let mut socket = plain(daemon.address);
        // It may be closed in the middle of this; that is as well.
        let _ = socket.write_all(&record).and_then(|()| socket.write_all(&record[..9000]));
        rude.push(socket);
    }
    let mut client = Client::usual(daemon.address);
    assert_eq!(client.post("between"), 200);
    let grown_kib = daemon.resident_kib().saturating_sub(before_kib);
    assert!(grown_kib < 20 * 1024, "{grown_kib} KiB for what nobody understood");
    let mut silent = plain(daemon.address);
    // Half a hello, and then nothing: the daemon ends it, sooner or later.
    silent.write_all(&[22, 3, 1, 0, 200, 1]).unwrap();
    let mut rest = Vec::new();
    let end = silent.read_to_end(&mut rest);
    assert!(end.is_ok() || end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset), "it was ended");
    assert_eq!(client.post("afterwards"), 200);
}

#[test]
fn where_tls_is_spoken_less_is_held_of_what_has_not_ended_and_the_slowest_goes() {
    let daemon = daemon();
    let mut slow: Vec<_> = (0..5).map(|_| Client::usual(daemon.address)).collect();
    let (event, half) = (event("slow", 1_000_000), 900_000);
    // Between them more than the sessions leave room for, and less than may be held without any.
    for client in &mut slow {
        client.say(&event[..half]);
    }
    daemon.wait_for_line(0, "503: too much is coming in at once");
    assert_eq!(Client::usual(daemon.address).post("between"), 200);
}

#[test]
fn a_connection_that_says_nothing_is_held_in_little_memory() {
    const HELD: usize = 500;
    for version in [&TLS12, &TLS13] {
        let daemon = daemon();
        let config = speaking(&[version]);
        assert_eq!(Client::new(&config, daemon.address, BOTS).post("first"), 200);
        let before_kib = daemon.resident_kib();
        let mut held: Vec<_> = (0..HELD).map(|_| Client::new(&config, daemon.address, BOTS)).collect();
        held.iter_mut().enumerate().for_each(|(place, client)| assert_eq!(client.post(&format!("{place}")), 200));
        let each_kib = daemon.resident_kib().saturating_sub(before_kib) / HELD as u64;
        assert!(each_kib <= 20, "{each_kib} KiB each");
        // All of them are still there.
        assert!(held.iter_mut().enumerate().all(|(place, client)| client.post(&format!("{place} again")) == 200));
    }
}

#[test]
fn what_is_no_handshake_is_ended_and_told_once() {
    let daemon = daemon();
    for bytes in [&b"\x16\x03\x01\x00\x05hello"[..], b"\x80\x2e\x01\x00\x02", b"\x00\x00\x00\x00\x00\x00"] {
        let mut socket = plain(daemon.address);
        socket.write_all(bytes).unwrap();
        let mut said = Vec::new();
        let _ = socket.read_to_end(&mut said);
        assert!(!said.starts_with(b"HTTP"), "{said:?}");
    }
    let told = daemon.wait_for_line(0, "came to nothing");
    assert!(told.contains("TLS with 127."), "{told}");
    assert_eq!(daemon.log().matches("came to nothing").count(), 1);
    let mut config = Arc::unwrap_or_clone(speaking(&[&TLS13]));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let mut modern = Client::new(&Arc::new(config), daemon.address, BOTS);
    let refused =
        modern.session.complete_io(&mut modern.socket).map(|_| modern.session.complete_io(&mut modern.socket));
    assert!(!matches!(refused, Ok(Ok(_))), "HTTP/2 alone is not spoken here");
}

#[test]
fn ten_thousand_handshakes_that_come_to_nothing_are_a_few_lines_and_all_of_them_are_counted() {
    const FLOOD: usize = 10_000;
    let mut daemon = daemon();
    let began = Instant::now();
    for _ in 0..FLOOD {
        let mut socket = plain(daemon.address);
        socket.write_all(b"\x16\x03\x01\x00\x05hello").unwrap();
        let _ = socket.read_to_end(&mut Vec::new());
    }
    // Told without another one to wait for.
    daemon.wait_for_line(0, "more times");
    let intervals = began.elapsed().as_secs() / ackd::limits::COMPLAINT_INTERVAL.as_secs() + 1;
    daemon.stop();
    let log = daemon.log();
    let count = |line: &str| line.strip_suffix(" more times")?.rsplit(' ').next()?.parse::<usize>().ok();
    let said = log.lines().filter(|line| line.contains("came to nothing: ")).count();
    assert_eq!(said + log.lines().filter_map(count).sum::<usize>(), FLOOD, "{log}");
    assert!(said as u64 <= intervals + 1, "{log}");
}

#[test]
fn other_peoples_clients_get_through_and_old_versions_do_not() {
    let daemon = daemon();
    let port = daemon.address.port();
    for tool in ["curl", "openssl"] {
        if Command::new(tool).arg("--version").output().is_err() {
            println!("SKIPPED: there is no {tool}");
            return;
        }
    }
    let mut curl = Command::new("curl");
    let to = format!("{BOTS}:{port}:{}", daemon.address.ip());
    curl.args(["-sS", "--noproxy", "*", "--cacert"]).arg(fixture("ca.pem")).args(["--resolve", &to]);
    curl.args(["-w", "%{http_code} %{http_version}"]).arg(format!("https://{BOTS}:{port}/page"));
    let output = curl.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.ends_with("1.1"), "{said} {}", String::from_utf8_lossy(&output.stderr));
    for (version, works) in [("-tls1_3", true), ("-tls1_2", true), ("-tls1_1", false), ("-tls1", false)] {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-brief", "-verify_return_error", version, "-servername", BOTS, "-CAfile"]);
        openssl.arg(fixture("ca.pem")).arg("-connect").arg(daemon.address.to_string());
        let output = openssl.stdin(std::process::Stdio::null()).output().unwrap();
        assert_eq!(output.status.success(), works, "{version}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
