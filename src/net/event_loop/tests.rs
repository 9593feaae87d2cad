use super::pulse::tests::watched;
use super::*;
use crate::intake::Door;
use crate::model::Response;
use crate::net::listener::Stream;
use crate::net::peer::Peer;
use crate::net::tls::tests::{Client, pair, until};
use mio::net::UnixStream;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::atomic::Ordering;

/// Lets a connection go on as if the kernel had told of it.
fn turn(event_loop: &mut EventLoop, index: u32) {
    if let Some(peer) = event_loop.peers.get(index) {
        (peer.readable, peer.writable) = (true, true);
        event_loop.pump(index);
    }
}

/// A client that comes to speak TLS, and the slot of its connection.
fn comes(event_loop: &mut EventLoop) -> (u32, Client) {
    let (tls, client) = pair();
    let peer = Peer::new(Stream::Tls(Box::new(tls)), Door::Control, None, event_loop.now);
    (event_loop.peers.insert(peer), client)
}

/// The same after the handshake.
fn met(event_loop: &mut EventLoop) -> (u32, Client) {
    let (index, mut client) = comes(event_loop);
    until("the handshake is over", || {
        client.turn(1);
        turn(event_loop, index);
        let idle = event_loop.peers.get(index).is_some_and(|peer| peer.is_idle());
        (idle && !client.session.is_handshaking()).then_some(())
    });
    (index, client)
}

/// Lets so much time pass for those who wait.
fn pass(event_loop: &mut EventLoop, time: Duration) {
    event_loop.now = event_loop.now.after(time);
    event_loop.end_overdue();
}

/// A client that sends this, closes its side, and gets an answer of so many bytes from the keeper once it has been asked.
fn answered(request: &str, bytes: usize) -> Client {
    let (mut event_loop, _, letters, health) = watched();
    health.writable.store(true, Ordering::Relaxed);
    let (index, mut client) = met(&mut event_loop);
    client.say(request.as_bytes());
    client.session.send_close_notify();
    let ticket = until("the keeper is asked", || {
        client.turn(1);
        turn(&mut event_loop, index);
        match letters.try_recv() {
            Ok(Letter::Figures(ticket)) => Some(ticket),
            _ => None,
        }
    });
    client.socket.shutdown(Shutdown::Write).unwrap();
    turn(&mut event_loop, index);
    event_loop.say(ticket, &Response::text(200, "y".repeat(bytes)));
    until("the client has its answer", || {
        if let Some(peer) = event_loop.peers.get(index) {
            let due = event_loop.now.after(limits::WRITE_TIME);
            assert_eq!(peer.deadline(), due, "as long as something is to be sent, there is time to send it");
        }
        client.turn(1000);
        turn(&mut event_loop, index);
        client.ended.then_some(())
    });
    assert_eq!(event_loop.peers.count(), 0, "it is let go");
    client
}

#[test]
fn who_closes_its_side_of_tls_gets_its_answer_whole_and_is_told_that_this_was_all() {
    // The last record is a short one, and one that there is no room for.
    for bytes in [10, 50_000, 65_000] {
        for last in ["", "Connection: close\r\n"] {
            let client = answered(&format!("GET /metrics HTTP/1.1\r\nHost: ackd\r\n{last}\r\n"), bytes);
            let said = String::from_utf8(client.heard).unwrap();
            assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said}");
            assert_eq!(said.split_once("\r\n\r\n").unwrap().1.len(), bytes, "{last}");
        }
    }
}

#[test]
fn a_handshake_that_takes_too_long_has_failed_and_one_that_never_began_has_not() {
    let (mut event_loop, ..) = watched();
    let (silent, _nothing) = comes(&mut event_loop);
    turn(&mut event_loop, silent);
    let clients = [1, 100].map(|bytes| {
        let (index, mut client) = comes(&mut event_loop);
        let hello = client.wire();
        client.socket.write_all(&hello[..bytes]).unwrap();
        turn(&mut event_loop, index);
        client
    });
    let (_, _met) = met(&mut event_loop);
    pass(&mut event_loop, limits::TLS_HANDSHAKE_TIME - Duration::from_millis(1));
    assert_eq!((event_loop.peers.count(), event_loop.served.handshakes_failed), (4, 0));
    pass(&mut event_loop, Duration::from_millis(1));
    assert_eq!((event_loop.peers.count(), event_loop.served.handshakes_failed), (1, clients.len() as u64));
    assert!(event_loop.complaints.due().is_some(), "one is told, the other is due as a count");
}

#[test]
fn who_is_idle_over_tls_is_told_of_the_end_when_its_time_is_over_or_its_place_is_needed() {
    let (mut event_loop, ..) = watched();
    let mut clients = [met(&mut event_loop).1, met(&mut event_loop).1];
    assert!(event_loop.close_one(None));
    assert_eq!(event_loop.peers.count(), 1);
    pass(&mut event_loop, limits::IDLE_TIME);
    assert_eq!(event_loop.peers.count(), 0);
    for client in &mut clients {
        // An end without close_notify would be an error here.
        until("the end is heard", || {
            client.turn(1);
            client.ended.then_some(())
        });
    }
}

#[test]
fn who_was_answered_for_the_last_time_has_some_time_to_leave_and_no_more() {
    let (mut event_loop, ..) = watched();
    let (mut client, stream) = UnixStream::pair().unwrap();
    client.write_all(b"GET /nothing HTTP/1.1\r\nHost: ackd\r\n\r\n").unwrap();
    let index = event_loop.peers.insert(Peer::new(Stream::Unix(stream), Door::Public, None, event_loop.now));
    event_loop.pump(index);
    let mut said = String::new();
    client.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 404 "), "{said}");
    event_loop.watch = None;
    assert_eq!(event_loop.patience(), Some(limits::DRAIN_TIME + Duration::from_millis(1)));
    // A phone far away needs a second; and whoever stops waits no longer than for a request.
    let (before, least) = (event_loop.now, Duration::from_secs(1));
    for (time, left) in [(least, 1), (limits::DRAIN_TIME, 0)] {
        assert!(time <= limits::STOP_REQUESTS_TIME);
        event_loop.now = before;
        pass(&mut event_loop, time);
        assert_eq!(event_loop.peers.count(), left, "after {time:?}");
    }
}
