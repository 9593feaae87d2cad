//! The addresses that the daemon listens on.

use super::findings::{Findings, quoted};
use super::table::Entry;
use crate::limits::LISTENS_MAX;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// Where clients come in at one door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listens {
    pub addresses: Vec<SocketAddr>,
    /// A unix socket besides; the operator's door may be one.
    pub socket: Option<PathBuf>,
    /// Besides them, the sockets that systemd hands over for this door.
    pub handed: bool,
}

impl fmt::Display for Listens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.addresses.iter().map(ToString::to_string);
        let named = named.chain(self.socket.iter().map(|path| format!("{UNIX}{}", path.display())));
        let named: Vec<_> = named.chain(self.handed.then(|| SYSTEMD.to_owned())).collect();
        out.write_str(&named.join(", "))
    }
}

/// What stands in place of an address for sockets that systemd opens.
const SYSTEMD: &str = "systemd";

/// What stands before the path of a unix socket.
const UNIX: &str = "unix:";

/// One address or a list of them, each once.
pub(super) fn listens(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Listens {
    read(entry, false, findings)
}

/// The same for the operator, who may come in by a unix socket, too.
pub(super) fn operators(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Listens {
    read(entry, true, findings)
}

fn read(entry: &Entry<'_>, may_be_unix: bool, findings: &mut Findings<'_>) -> Listens {
    let members = entry.one_or_list(findings);
    if members.is_empty() {
        findings.fault(&entry.place, format!("is an empty list; write {}", entry.example));
    }
    if members.len() > LISTENS_MAX {
        findings.fault(&entry.place, format!("lists more than {LISTENS_MAX} addresses"));
        return Listens::default();
    }
    let mut listens = Listens::default();
    for member in members {
        let Some(text) = member.text(findings) else { continue };
        let twice = format!("{} is listed twice; take one away", quoted(text));
        if text == SYSTEMD {
            if std::mem::replace(&mut listens.handed, true) {
                findings.fault(&member.place, twice);
            }
            continue;
        }
        if let Some(path) = text.strip_prefix(UNIX).filter(|_| may_be_unix) {
            if !path.starts_with('/') || path.ends_with('/') {
                let what =
                    format!("{} is no whole path; write for example \"unix:/run/ackd/admin.sock\"", quoted(text));
                findings.fault(&member.place, what);
            } else if listens.socket.replace(PathBuf::from(path)).is_some() {
                findings.fault(&member.place, "is a second unix socket, and one is enough; take one away");
            }
            continue;
        }
        match address(text) {
            // Port 0 takes any free port, so twice the same is two different ones.
            Ok(address) if address.port() != 0 && listens.addresses.contains(&address) => {
                findings.fault(&member.place, twice);
            }
            Ok(address) => listens.addresses.push(address),
            Err(what) => findings.fault(&member.place, what),
        }
    }
    listens
}

/// Reads `address:port`. Names are not looked up: a start must not depend on a name server.
fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let shown = quoted(text);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Err(format!("{shown} has no port; write {:?}", SocketAddr::new(address, 3000).to_string()));
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let Ok(port) = port.parse::<u16>() else {
        return Err(format!("{shown} is no address and port; write for example \"127.0.0.1:3000\""));
    };
    if let Ok(six) = host.parse::<Ipv6Addr>() {
        return Err(format!("{shown} needs brackets around the address; write \"[{six}]:{port}\""));
    }
    Err(match host {
        "localhost" => format!("{shown} is a name, and names are not looked up; write \"127.0.0.1:{port}\""),
        "" | "*" => format!("{shown} has no address; write \"127.0.0.1:{port}\", or \"0.0.0.0:{port}\" for all"),
        _ => format!("{shown} has no numeric address; write for example \"127.0.0.1:{port}\""),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_read_says_what_to_write() {
        for (text, end) in [
            ("localhost:3000", "write \"127.0.0.1:3000\""),
            ("3000", "write \"127.0.0.1:3000\", or \"0.0.0.0:3000\" for all"),
            (":80", "write \"127.0.0.1:80\", or \"0.0.0.0:80\" for all"),
            ("*:80", "write \"127.0.0.1:80\", or \"0.0.0.0:80\" for all"),
            ("10.0.0.1", "write \"10.0.0.1:3000\""),
            ("::1", "write \"[::1]:3000\""),
            ("2001:db8::10:20:3000", "write \"[2001:db8::10:20:3000]:3000\""),
            ("127.0.0.1:99999", "write for example \"127.0.0.1:3000\""),
            ("bots.example.org:80", "write for example \"127.0.0.1:80\""),
            ("", "write for example \"127.0.0.1:3000\""),
        ] {
            let what = address(text).err().unwrap_or_default();
            assert!(what.ends_with(end), "{text}: {what}");
        }
    }
}
