//! What systemd hands over, and what it is told: that we are ready, that we go on, that we are stopping. Without systemd
//! nobody listens, and nothing happens.

use listenfd::ListenFd;
use sd_notify::NotifyState;
use std::ffi::OsStr;
use std::io;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::time::Duration;

/// Listening, and the store is open.
pub fn ready() {
    tell(&[NotifyState::Ready], Wait::ForRoom);
}

/// The configuration is read again; `ready` ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now], Wait::ForRoom),
        Err(error) => log::warn!("systemd cannot be told: {error}"),
    }
}

/// Draining.
pub fn stopping() {
    tell(&[NotifyState::Stopping], Wait::Never);
}

/// All parts move; and how things stand, for `systemctl status`. The loop says it, so where nobody reads it goes unsaid.
pub fn alive(status: &str) {
    tell(&[NotifyState::Watchdog, NotifyState::Status(status)], Wait::Never);
}

/// How long we may say nothing before systemd takes us for stuck; nothing where it does not watch.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// Whether somebody waits until systemd has read what was said before: it takes so many words, and no more until then.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    ForRoom,
    Never,
}

fn tell(states: &[NotifyState<'_>], wait: Wait) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(states, socket.as_bytes(), wait) {
        log::warn!("systemd cannot be told: {error}");
    }
}

/// A line for each, to a socket that is a file, or has a name of its own behind an `@`.
fn send(states: &[NotifyState<'_>], socket: &[u8], wait: Wait) -> io::Result<()> {
    let words: String = states.iter().map(|state| format!("{state}\n")).collect();
    let to = match socket.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(OsStr::from_bytes(socket))?,
    };
    let from = UnixDatagram::unbound()?;
    from.set_nonblocking(wait == Wait::Never)?;
    from.send_to_addr(words.as_bytes(), &to).map(drop)
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
