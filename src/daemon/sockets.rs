//! Which of the sockets that systemd hands over is for which door: those with the name `admin` are the operator's, all others
//! the public's.

use super::unheard;
use crate::config::Config;
use crate::intake::Door;
use crate::net::listener::{self, Listener, Spot};
use crate::systemd::{self, Socket};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;

/// The name of the operator's sockets, as in `FileDescriptorName=admin`.
const ADMIN: &str = "admin";

/// Where a configuration wants listeners, with the door of each.
pub(super) fn spots(config: &Config) -> Vec<(Spot, Door)> {
    let doors = [(&config.listen, Door::Public), (&config.admin, Door::Admin)];
    let spots = doors.into_iter().flat_map(|(listens, door)| {
        let addresses = listens.addresses.iter().map(|at| Spot::Tcp(*at));
        addresses.chain(listens.socket.iter().map(|path| Spot::Unix(path.clone()))).map(move |spot| (spot, door))
    });
    spots.collect()
}

/// Opens one. An error is one line that says what to do.
pub(super) fn open(spot: &Spot, door: Door) -> Result<Listener, String> {
    match spot {
        Spot::Tcp(at) => Listener::tcp(*at, door).map_err(|error| unheard(*at, &error)),
        Spot::Unix(path) => Listener::unix(path, door).map_err(|error| {
            let advice = match error.kind() {
                ErrorKind::AddrInUse => "another ackd is there",
                ErrorKind::AlreadyExists => "something else than a socket is there",
                ErrorKind::NotFound => "its folder must exist; under systemd, RuntimeDirectory=ackd makes /run/ackd",
                _ => "its folder must be writable",
            };
            format!("listening on {}: {error}; {advice}", path.display())
        }),
    }
}

/// Listeners for the sockets that the configuration wants of systemd. Those that it does not want, and those that are
/// wanted and not there, are errors: else somebody would knock at a door that nobody opens.
pub(super) fn handed(config: &Config) -> Result<Vec<Listener>, String> {
    let mut listeners = Vec::new();
    for systemd::Handed { name, socket } in systemd::sockets()? {
        let (door, wanted) = match name.as_str() {
            ADMIN => (Door::Admin, config.admin.handed),
            _ => (Door::Public, config.listen.handed),
        };
        if !wanted {
            let key = if door == Door::Admin { "[admin] listen" } else { "listen" };
            return Err(format!(
                "systemd hands over the socket {name:?}, and nobody serves it; write {key} = \"systemd\""
            ));
        }
        if let (Door::Admin, Socket::Tcp(socket)) = (door, &socket)
            && !socket.local_addr().is_ok_and(|address| address.ip().is_loopback())
        {
            return Err(format!(
                "the socket {name:?} of systemd can be reached from outside, and whoever reaches it is the \
                                operator; write ListenStream=127.0.0.1:3001"
            ));
        }
        if let (Door::Admin, Socket::Unix(socket)) = (door, &socket)
            && is_open_to_others(socket)
        {
            return Err(format!(
                "the socket {name:?} of systemd can be opened by others, and whoever opens it is the operator; write \
                 SocketMode=0600 beside ListenStream="
            ));
        }
        let socket = match socket {
            Socket::Tcp(socket) => listener::Handed::Tcp(socket),
            Socket::Unix(socket) => listener::Handed::Unix(socket),
        };
        listeners
            .push(Listener::handed(socket, door).map_err(|error| format!("the socket {name:?} of systemd: {error}"))?);
    }
    for (listens, door, name) in [(&config.listen, Door::Public, "ackd"), (&config.admin, Door::Admin, "ackd-admin")] {
        if listens.handed && !listeners.iter().any(|listener| listener.door == door) {
            return Err(format!(
                "listen = \"systemd\", but systemd hands over no socket for it: systemctl stop ackd, then \
                 systemctl start {name}.socket ackd; or write an address"
            ));
        }
    }
    Ok(listeners)
}

/// One without a name in the file system is for whoever knows its other name.
fn is_open_to_others(socket: &std::os::unix::net::UnixListener) -> bool {
    let address = socket.local_addr();
    let path = address.as_ref().ok().and_then(|address| address.as_pathname());
    path.and_then(|path| path.metadata().ok()).is_none_or(|is| is.permissions().mode() & 0o077 != 0)
}
