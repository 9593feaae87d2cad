//! What systemd hands over, and what it is told: that we are ready, that we go on, that we are stopping. Without systemd
//! nobody listens, and nothing happens.

use listenfd::ListenFd;
use sd_notify::NotifyState;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::Duration;

/// Listening, and the store is open.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is read again; `ready` ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => log::warn!("systemd cannot be told: {error}"),
    }
}

/// Draining.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// All parts move; and how things stand, for `systemctl status`.
pub fn alive(status: &str) {
    tell(&[NotifyState::Watchdog, NotifyState::Status(status)]);
}

/// How long we may say nothing before systemd takes us for stuck; nothing where it does not watch.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("systemd cannot be told: {error}");
    }
}

/// A socket that systemd listens on for us, under the name of its `FileDescriptorName=`.
#[derive(Debug)]
pub struct Handed {
    pub name: String,
    pub socket: Socket,
}

/// The kinds of them that are served.
#[derive(Debug)]
pub enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// All that were handed over to this process, in the order of the unit; an error is one line that says which is of no use.
pub fn sockets() -> Result<Vec<Handed>, String> {
    let mut handed = ListenFd::from_env();
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut sockets = Vec::new();
    for place in 0..handed.len() {
        let name = names.next().unwrap_or_default().to_owned();
        let socket = match handed.take_tcp_listener(place) {
            Ok(Some(listener)) => Socket::Tcp(listener),
            _ => match handed.take_unix_listener(place) {
                Ok(Some(listener)) => Socket::Unix(listener),
                _ => {
                    return Err(format!(
                        "socket {name:?} of systemd is neither TCP nor a unix stream; look at ListenStream="
                    ));
                }
            },
        };
        sockets.push(Handed { name, socket });
    }
    Ok(sockets)
}
