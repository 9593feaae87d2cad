//! Both ends of a connection in one thread, over a socket in which there is little room: a record is soon in its way.

use super::*;
use crate::model::{Moment, Secret};
use crate::tls::{Identity, Pem, Tickets, provider};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, NamedGroup, RootCertStore};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// 2026-11-21.
const NOW: Moment = Moment(1_795_219_200_000);
/// Small, but large enough for the kernel not to send single bytes.
const ROOM_BYTES: usize = 4096;
/// What two ends on one machine do together takes milliseconds; after so long it will not be done.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes turns until one of them brings something; the test fails where none does, and does not hang.
pub(in crate::net) fn until<T>(what: &str, mut turn: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(brought) = turn() {
            return brought;
        }
        assert!(began.elapsed() < PATIENCE, "waited {} s in vain: {what}", PATIENCE.as_secs());
    }
}

/// The other end.
pub(in crate::net) struct Client {
    pub session: ClientConnection,
    pub socket: std::net::TcpStream,
    /// What was said to it.
    pub heard: Vec<u8>,
    /// Nothing more comes.
    pub ended: bool,
}

impl Client {
    /// Says what it has to say, and takes what there is, but no more plain bytes at once than these.
    pub fn turn(&mut self, most: usize) {
        while self.session.wants_write() && is_done(self.session.write_tls(&mut self.socket)) {}
        let until = self.heard.len() + most;
        while self.heard.len() < until && !self.ended {
            let mut plain = [0; 4096];
            match self.session.reader().read(&mut plain) {
                Ok(0) => self.ended = true,
                Ok(count) => self.heard.extend(&plain[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let taken = self.session.read_tls(&mut self.socket);
                    if !is_done(taken) {
                        return;
                    }
                    self.session.process_new_packets().unwrap();
                }
                Err(error) => panic!("{error}, after {} bytes", self.heard.len()),
            }
        }
    }

    pub fn say(&mut self, bytes: &[u8]) {
        self.session.writer().write_all(bytes).unwrap();
    }

    /// What is encrypted for the wire and not on it yet.
    pub fn wire(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut wire).unwrap();
        }
        wire
    }
}

/// Whether there was room, or something to take.
fn is_done(moved: io::Result<usize>) -> bool {
    match moved {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::WouldBlock => false,
        Err(error) => panic!("{error}"),
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

pub(in crate::net) fn server_config() -> Arc<ServerConfig> {
    let key = Secret::new(std::fs::read_to_string(fixture("bots.key")).unwrap());
    let pem = Pem { certificate: std::fs::read(fixture("bots.pem")).unwrap(), key };
    Identity::of(&[pem], NOW).unwrap().listener(&Tickets::new().unwrap()).unwrap()
}

fn client_session(names: &[Vec<u8>]) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("ca.pem")).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = names.to_vec();
    let mut session =
        ClientConnection::new(Arc::new(config), ServerName::try_from("bots.example.org").unwrap()).unwrap();
    session.set_buffer_limit(None);
    session
}

/// Our end and the client's; nothing was said yet.
pub(in crate::net) fn pair() -> (Tls, Client) {
    pair_of(server_config(), client_session(&[]))
}

fn pair_of(config: Arc<ServerConfig>, session: ClientConnection) -> (Tls, Client) {
    let meeting = TcpListener::bind("127.0.0.1:0").unwrap();
    // Whoever is accepted has as much. So it is the client who is.
    set_socket_recv_buffer_size(&meeting, ROOM_BYTES).unwrap();
    let ours = std::net::TcpStream::connect(meeting.local_addr().unwrap()).unwrap();
    let (socket, _) = meeting.accept().unwrap();
    set_socket_send_buffer_size(&ours, ROOM_BYTES).unwrap();
    for end in [&ours, &socket] {
        end.set_nodelay(true).unwrap();
        end.set_nonblocking(true).unwrap();
    }
    let client = Client { session, socket, heard: Vec::new(), ended: false };
    (Tls::new(TcpStream::from_std(ours), config).unwrap(), client)
}

/// The same after the handshake.
fn met() -> (Tls, Client) {
    let (mut tls, mut client) = pair();
    client.say(b"x");
    until("the first letter is heard", || {
        client.turn(1);
        hears(&mut tls, &mut [0; 16]).filter(|count| *count == 1)
    });
    (tls, client)
}

/// So many plain bytes; nothing where there are none yet.
fn hears(tls: &mut Tls, plain: &mut [u8]) -> Option<usize> {
    match tls.read(plain) {
        Ok(count) => Some(count),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}: {:?}", tls.fault()),
    }
}

/// Bytes that do not repeat where records do.
fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|place| (place % 251) as u8).collect()
}

/// Says as much of this as there is room for.
fn say(tls: &mut Tls, mut bytes: &[u8]) -> usize {
    let all = bytes.len();
    while !bytes.is_empty() {
        match tls.write(bytes) {
            Ok(count) => {
                assert!((1..=limits::TLS_RECORD_BYTES).contains(&count), "{count} bytes at once");
                bytes = &bytes[count..];
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
        assert!(tls.held_bytes() <= limits::TLS_RECORD_BYTES + limits::TLS_FRAME_BYTES);
    }
    all - bytes.len()
}

#[test]
fn who_reads_nothing_has_one_record_held_and_gets_all_of_it_whole_in_the_end() {
    let (mut tls, mut client) = met();
    let answer = pattern(300_000);
    let mut said = say(&mut tls, &answer);
    assert!(tls.has_unsent() && said < answer.len(), "there was room for all of it");
    assert!(tls.held_bytes() > limits::TLS_RECORD_BYTES, "what is held is counted");
    assert_eq!(say(&mut tls, &answer[said..]), 0, "nothing is taken before that is on the wire");
    until("the client has all of it", || {
        client.turn(1000);
        said += say(&mut tls, &answer[said..]);
        tls.flush().unwrap();
        (client.heard.len() >= answer.len()).then_some(())
    });
    assert!(client.heard == answer, "byte for byte");
    assert_eq!((tls.has_unsent(), tls.held_bytes()), (false, 0));
}

#[test]
fn close_notify_waits_for_room_like_everything_else() {
    let (mut tls, mut client) = met();
    // All of it is with the kernel, but no more would be.
    let mut said = 0;
    until("there is no more room", || {
        said += say(&mut tls, &[7; 64]);
        tls.has_unsent().then_some(())
    });
    tls.shut_down().unwrap();
    assert!(tls.has_unsent(), "there was room");
    until("the client is told of the end", || {
        client.turn(1000);
        tls.flush().unwrap();
        if !tls.has_unsent() {
            tls.shut_down().unwrap();
        }
        client.ended.then_some(())
    });
    assert_eq!(client.heard, vec![7; said], "and then it came: an end without it is an error");
}

#[test]
fn records_of_one_byte_each_are_heard_and_nothing_is_held_of_them() {
    const LETTERS: usize = 5000;
    let (mut tls, mut client) = met();
    let letters = pattern(LETTERS);
    letters.iter().for_each(|letter| client.say(std::slice::from_ref(letter)));
    let mut heard: Vec<u8> = Vec::new();
    let mut plain = [0; 4096];
    until("all letters are heard", || {
        client.turn(1);
        if let Some(count) = hears(&mut tls, &mut plain) {
            heard.extend(&plain[..count]);
            assert!(tls.held_bytes() < limits::TLS_FRAME_BYTES, "less than one of them");
        }
        (heard.len() >= LETTERS).then_some(())
    });
    assert!(heard == letters && LETTERS * 23 > limits::TLS_TAKEN_BYTES_MAX, "more than may come at once");
}

#[test]
fn what_is_there_of_a_record_counts_until_it_is_heard() {
    let (mut tls, mut client) = met();
    client.say(&[7; 16_000]);
    let record = client.wire();
    client.socket.write_all(&record[..9000]).unwrap();
    let mut plain = [0; 20_000];
    until("it is taken from the socket", || {
        assert_eq!(hears(&mut tls, &mut plain), None);
        (tls.held_bytes() >= 9000).then_some(())
    });
    assert_eq!(tls.held_bytes(), 9000);
    client.socket.write_all(&record[9000..]).unwrap();
    let heard = until("the rest of it comes", || hears(&mut tls, &mut plain));
    assert_eq!((heard, tls.held_bytes()), (16_000, 0));
}

#[test]
fn who_sends_a_handshake_in_pieces_without_end_has_so_much_held_and_is_ended() {
    let (mut tls, client) = pair();
    let mut socket = client.socket;
    // A hello as long as one may be, of which each record has one byte.
    let hello = [1, 0, 0xff, 0xff].into_iter().chain(std::iter::repeat(0));
    let (mut sent, mut most) = (0, 0);
    let mut records = hello.map(|byte| [22, 3, 1, 0, 1, byte]);
    let why = loop {
        assert!(sent <= 2 * limits::TLS_TAKEN_BYTES_MAX, "it may go on");
        let some: Vec<u8> = records.by_ref().take(100).flatten().collect();
        socket.write_all(&some).unwrap();
        sent += some.len();
        match tls.read(&mut [0; 64]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => most = tls.held_bytes().max(most),
            Err(error) => break error,
            Ok(count) => panic!("{count} bytes"),
        }
    };
    assert_eq!((why.kind(), tls.fault()), (ErrorKind::InvalidData, Some(MUCH)));
    assert!(most <= limits::TLS_TAKEN_BYTES_MAX && most > limits::TLS_TAKEN_BYTES_MAX / 2, "{most} of {sent}");
}

/// A handshake that takes two hellos, since the first one is about a group that the server does not know; each has so many
/// names in it. What the server has against it.
fn two_hellos(names: usize) -> Option<String> {
    let names: Vec<_> = (0..names).map(|_| vec![b'x'; 200]).chain([b"http/1.1".to_vec()]).collect();
    let mut choosy = Arc::unwrap_or_clone(provider());
    choosy.kx_groups.retain(|group| group.name() == NamedGroup::secp384r1);
    let key = PrivateKeyDer::from_pem_file(fixture("bots.key")).unwrap();
    let chain = vec![CertificateDer::from_pem_file(fixture("bots.pem")).unwrap()];
    let builder = ServerConfig::builder_with_provider(Arc::new(choosy)).with_protocol_versions(&[&TLS13]).unwrap();
    let config = builder.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let (mut tls, mut client) = pair_of(Arc::new(config), client_session(&names));
    until("the handshake is over", || {
        client.turn(1);
        match tls.read(&mut [0; 64]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Some(tls.fault().map(str::to_owned)),
            Ok(count) => panic!("{count} bytes"),
        }
        assert!(tls.held_bytes() <= limits::TLS_TAKEN_BYTES_MAX);
        (!tls.is_handshaking()).then_some(None)
    })
}

#[test]
fn a_handshake_may_be_long_and_not_without_end_however_many_messages_it_has() {
    let names_in = |bytes: usize| bytes / 201;
    assert_eq!(two_hellos(names_in(limits::TLS_TAKEN_BYTES_MAX / 2 - 4096)), None);
    assert_eq!(two_hellos(names_in(limits::TLS_TAKEN_BYTES_MAX / 2 + 4096)).as_deref(), Some(MUCH));
}

#[test]
fn an_end_in_the_middle_of_the_handshake_is_an_end_and_no_fault() {
    for share in [0, 1, 2] {
        let (mut tls, mut client) = pair();
        let hello = client.wire();
        client.socket.write_all(&hello[..hello.len() * share / 2]).unwrap();
        client.socket.shutdown(Shutdown::Write).unwrap();
        let end = until("the end is heard", || hears(&mut tls, &mut [0; 16]));
        assert_eq!((end, tls.fault(), tls.is_handshaking()), (0, None, true), "{share} halves of a hello");
    }
}
