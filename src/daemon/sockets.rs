//! Which of the sockets that systemd hands over is for which door: those with the name `admin` are the operator's, all others
//! the public's.

use crate::config::Config;
use crate::intake::Door;
use crate::net::listener::{self, Listener};
use crate::systemd::{self, Socket};

/// The name of the operator's sockets, as in `FileDescriptorName=admin`.
const ADMIN: &str = "admin";

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
        let socket = match socket {
            Socket::Tcp(socket) => listener::Handed::Tcp(socket),
            Socket::Unix(socket) => listener::Handed::Unix(socket),
        };
        listeners
            .push(Listener::handed(socket, door).map_err(|error| format!("the socket {name:?} of systemd: {error}"))?);
    }
    for (listens, door, name) in [(&config.listen, Door::Public, "ackd"), (&config.admin, Door::Admin, ADMIN)] {
        if listens.handed && !listeners.iter().any(|listener| listener.door == door) {
            return Err(format!(
                "listen = \"systemd\", but systemd hands over no socket for it; start ackd by its socket unit, with \
                 FileDescriptorName={name}, or write an address"
            ));
        }
    }
    Ok(listeners)
}
