//! Where clients come in: TCP addresses for the platforms, a unix socket for the operator.

use super::tls::Tls;
use crate::intake::Door;
use crate::limits;
use mio::event::Source;
use mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
use rustls::ServerConfig;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a listener is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    Tcp(SocketAddr),
    /// A unix socket at this path.
    Unix(PathBuf),
}

/// A socket that accepts.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    pub door: Door,
    /// Where the configuration wants it.
    pub asked: Option<Spot>,
    registered: bool,
    /// What it takes to speak TLS with whoever comes in here; nothing where that is plain.
    pub tls: Option<Arc<ServerConfig>>,
    /// It may have connections that were not accepted yet.
    pub pending: bool,
}

/// A socket that was opened by somebody else.
#[derive(Debug)]
pub enum Handed {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    /// With the name that goes when we do, where we have given it.
    Unix(UnixListener, Option<PathBuf>),
}

impl Listener {
    fn new(socket: Socket, door: Door, asked: Option<Spot>) -> Listener {
        Listener { socket, door, asked, registered: false, tls: None, pending: false }
    }

    /// Listens on an address. Connections inherit that small answers go out at once.
    pub fn tcp(address: SocketAddr, door: Door) -> io::Result<Listener> {
        let listener = TcpListener::bind(address)?;
        rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
        // Ask for more room than mio does: a platform's burst should queue, not be refused.
        rustix::net::listen(&listener, limits::BACKLOG)?;
        Ok(Listener::new(Socket::Tcp(listener), door, Some(Spot::Tcp(address))))
    }

    /// Goes on with a socket that somebody else listens on for us, as systemd does.
    pub fn handed(socket: Handed, door: Door) -> io::Result<Listener> {
        let socket = match socket {
            Handed::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
                Socket::Tcp(TcpListener::from_std(listener))
            }
            Handed::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Socket::Unix(UnixListener::from_std(listener), None)
            }
        };
        let mut listener = Listener::new(socket, door, None);
        // Whoever came while nobody served waits there already.
        listener.pending = true;
        Ok(listener)
    }

    /// Listens on a unix socket for the operator. One left over by a crash is replaced; one where somebody answers is
    /// theirs, and what is no socket stays.
    pub fn unix(path: &Path, door: Door) -> io::Result<Listener> {
        match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => return Err(ErrorKind::AddrInUse.into()),
            Err(error) if [ErrorKind::NotFound, ErrorKind::ConnectionRefused].contains(&error.kind()) => {}
            Err(error) => return Err(error),
        }
        if fs::symlink_metadata(path).is_ok_and(|there| !there.file_type().is_socket()) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let mut listener = Listener::control(path)?;
        (listener.door, listener.asked) = (door, Some(Spot::Unix(path.to_owned())));
        Ok(listener)
    }

    /// Listens on a unix socket that only this user can open. One left over by a crash is replaced: who holds the
    /// store, holds the socket beside it.
    pub fn control(path: &Path) -> io::Result<Listener> {
        let fresh = path.with_extension(format!("sock.{}", std::process::id()));
        let _ = fs::remove_file(&fresh);
        let listener = UnixListener::bind(&fresh)?;
        // Nobody can have connected under this name, so nobody gets in before the mode is right.
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
        fs::rename(&fresh, path)?;
        // A relative one would say little to whoever reads the log in another folder.
        let path = std::path::absolute(path)?;
        Ok(Listener::new(Socket::Unix(listener, Some(path)), Door::Control, None))
    }

    /// The door that whoever comes in here stands at.
    pub fn leads_to(&self) -> Door {
        match (&self.socket, self.door) {
            (Socket::Unix(..), Door::Admin) => Door::AdminSocket,
            (_, door) => door,
        }
    }

    /// The address, for the log.
    pub fn address(&self) -> String {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().map_or_else(|error| error.to_string(), |at| at.to_string()),
            Socket::Unix(_, Some(path)) => path.display().to_string(),
            Socket::Unix(listener, None) => match listener.local_addr() {
                Ok(address) => address.as_pathname().map_or("a socket".to_owned(), |path| path.display().to_string()),
                Err(error) => error.to_string(),
            },
        }
    }

    /// Takes the next connection.
    pub fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, from) = listener.accept()?;
                let stream = match &self.tls {
                    Some(tls) => Stream::Tls(Box::new(Tls::new(stream, Arc::clone(tls))?)),
                    None => Stream::Tcp(stream),
                };
                Ok((stream, Some(from.ip())))
            }
            Socket::Unix(listener, _) => listener.accept().map(|(stream, _)| (Stream::Unix(stream), None)),
        }
    }

    /// Has the poll tell of new connections under this token, from now on.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let socket: &mut dyn Source = match &mut self.socket {
            Socket::Tcp(listener) => listener,
            Socket::Unix(listener, _) => listener,
        };
        if std::mem::replace(&mut self.registered, true) {
            return socket.reregister(registry, token, Interest::READABLE);
        }
        socket.register(registry, token, Interest::READABLE)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Socket::Unix(_, Some(path)) = &self.socket {
            let _ = fs::remove_file(path);
        }
    }
}

/// A socket that was accepted.
#[derive(Debug)]
pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<Tls>),
}

impl Stream {
    /// Has the poll tell of everything that happens on it, under this token, from now on.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        match self {
            Stream::Tcp(stream) => stream.register(registry, token, both),
            Stream::Unix(stream) => stream.register(registry, token, both),
            Stream::Tls(tls) => tls.socket.register(registry, token, both),
        }
    }

    /// The layer of TLS, where there is one.
    pub fn tls(&self) -> Option<&Tls> {
        match self {
            Stream::Tls(tls) => Some(tls),
            _ => None,
        }
    }

    /// Whether it holds something for the other side that was written into it.
    pub fn has_unsent(&self) -> bool {
        self.tls().is_some_and(Tls::has_unsent)
    }

    /// Says that we will write no more.
    pub fn shut_down(&mut self) {
        // The peer may be gone already; then there is nobody to tell.
        let _ = match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
            Stream::Tls(tls) => tls.shut_down(),
        };
    }
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(bytes),
            Stream::Unix(stream) => stream.read(bytes),
            Stream::Tls(tls) => tls.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tls(tls) => tls.flush(),
            Stream::Tcp(_) | Stream::Unix(_) => Ok(()),
        }
    }
}

/// Whether nothing more can be opened: EMFILE, ENFILE, ENOBUFS, ENOMEM.
pub(super) fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(24 | 23 | 105 | 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_socket_is_named_in_full_whatever_the_store_was_called() {
        let here = std::env::current_dir().unwrap();
        let up = "../".repeat(here.components().count() - 1);
        let full = std::env::temp_dir().join(format!("ackd-listener-{}.sock", std::process::id()));
        let relative = PathBuf::from(up).join(full.strip_prefix("/").unwrap());
        let listener = Listener::control(&relative).unwrap();
        assert_eq!(listener.address(), here.join(&relative).display().to_string());
        assert!(full.exists());
        drop(listener);
        assert!(!full.exists());
    }
}
