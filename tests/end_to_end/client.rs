//! The platform's side of the webhook: a raw HTTP/1.1 client that can also misbehave, and bodies as Meta writes them.

use crate::daemon::APP_SECRET;
use crate::graph::PATIENCE;
use ring::hmac;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// The page whose webhook this is.
pub const PAGE: &str = "104455667788990";
/// Where the first channel listens.
pub const PATH: &str = "/messenger";

/// An answer of the daemon.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection to the daemon.
pub struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Client {
        Client::try_connect(address).unwrap_or_else(|error| panic!("connecting to {address}: {error}"))
    }

    /// Connects, if somebody listens.
    pub fn try_connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Client { stream, unread: Vec::new() })
    }

    /// Sends these bytes and no others.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// The same; says whether they could be sent.
    pub fn try_write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Sends these bytes again and again, at most so often, and only as long as the daemon takes them.
    pub fn write_what_fits(&mut self, bytes: &[u8], times: usize) {
        self.stream.set_nonblocking(true).unwrap();
        let fits = (0..times).take_while(|_| self.stream.write_all(bytes).is_ok()).count();
        self.stream.set_nonblocking(false).unwrap();
        assert!(fits < times, "it took all of it");
    }

    /// Two ends of the same connection, for two threads.
    pub fn split(self) -> (Client, Client) {
        let stream = self.stream.try_clone().unwrap();
        (self, Client { stream, unread: Vec::new() })
    }

    /// Reads something and forgets it.
    pub fn skip(&mut self) -> io::Result<()> {
        self.unread.clear();
        self.fill()
    }

    /// Says that nothing more will be sent.
    pub fn half_close(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// The next answer.
    pub fn read(&mut self) -> Answer {
        self.try_read(false).unwrap_or_else(|error| panic!("reading an answer: {error}"))
    }

    /// The next answer, which is to HEAD.
    pub fn read_head(&mut self) -> Answer {
        self.try_read(true).unwrap_or_else(|error| panic!("reading an answer: {error}"))
    }

    /// The next answer, or why there is none.
    pub fn try_read(&mut self, headers_only: bool) -> io::Result<Answer> {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            self.fill()?;
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        self.unread.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap_or_default();
        let status = status.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no answer: {head:?}")))?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        if status >= 200 && !headers_only {
            let length: usize = answer.header("Content-Length").map_or(0, |length| length.parse().unwrap());
            while self.unread.len() < length {
                self.fill()?;
            }
            answer.body = self.unread.drain(..length).collect();
        }
        Ok(answer)
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut some = [0; 4096];
        let count = loop {
            match self.stream.read(&mut some) {
                // A socket with a time limit is interrupted when its process was stopped for a moment.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        match count {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => {
                self.unread.extend_from_slice(&some[..count]);
                Ok(())
            }
        }
    }

    /// Waits until the daemon has closed the connection in an orderly way, with nothing more to say.
    pub fn expect_end(&mut self) {
        match self.fill() {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof && self.unread.is_empty() => {}
            Err(error) => panic!("instead of an end: {error}"),
            Ok(()) => panic!("instead of an end: {:?}", String::from_utf8_lossy(&self.unread)),
        }
    }

    /// Whether something can be read. Does not wait.
    pub fn has_bytes(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let came = self.fill().is_ok();
        self.stream.set_nonblocking(false).unwrap();
        came
    }

    /// Whether the daemon has closed the connection already, in whatever way. Does not wait.
    pub fn has_ended(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let end = match self.fill() {
            Err(error) => error.kind() != ErrorKind::WouldBlock,
            Ok(()) => false,
        };
        self.stream.set_nonblocking(false).unwrap();
        end
    }

    /// Delivers a body to the first channel, signed; the status.
    pub fn deliver(&mut self, body: &str) -> u16 {
        self.deliver_to(PATH, body).unwrap_or_else(|error| panic!("delivering: {error}")).status
    }

    /// Delivers a body, signed; the answer, or why there is none.
    pub fn deliver_to(&mut self, path: &str, body: &str) -> io::Result<Answer> {
        self.try_write(delivery(path, body))?;
        self.try_read(false)
    }

    /// Asks without a body.
    pub fn get(&mut self, target: &str) -> Answer {
        self.write(request("GET", target, &[], ""));
        self.read()
    }
}

/// A request's bytes. `Content-Length` is added, unless `headers` speak of the body themselves.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut text =
        format!("{method} {target} HTTP/1.1\r\nHost: bots.example.org\r\nUser-Agent: facebookexternalua\r\n");
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    let framed = |(name, _): &(&str, &str)| ["Content-Length", "Transfer-Encoding"].contains(name);
    if method == "POST" && !headers.iter().any(framed) {
        let _ = write!(text, "Content-Length: {}\r\n", body.len());
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A whole delivery: signed, as Meta sends it.
pub fn delivery(path: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let signature = signature(APP_SECRET, body.as_ref());
    let headers = [("Content-Type", "application/json"), ("X-Hub-Signature-256", signature.as_str())];
    request("POST", path, &headers, body)
}

/// The value of `X-Hub-Signature-256` over these bytes.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, body).as_ref().iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Somebody's text message, as one item of `messaging`.
pub fn message(mid: &str, sender: &str, text: &str) -> String {
    format!(
        r#"{{"sender":{{"id":"{sender}"}},"recipient":{{"id":"{PAGE}"}},"timestamp":1763712000000,"message":{{"mid":"{mid}","text":"{}"}}}}"#,
        escaped(text)
    )
}

/// Our own message to `recipient` coming back, with the metadata that we had put in.
pub fn echo(mid: &str, recipient: &str, metadata: &str, text: &str) -> String {
    format!(
        r#"{{"sender":{{"id":"{PAGE}"}},"recipient":{{"id":"{recipient}"}},"timestamp":1763712000001,"message":{{"mid":"{mid}","is_echo":true,"app_id":482915736608214,"metadata":"{metadata}","text":"{}"}}}}"#,
        escaped(text)
    )
}

/// A receipt: what was said before `watermark` has arrived.
pub fn receipt(sender: &str, watermark: u64) -> String {
    format!(
        r#"{{"sender":{{"id":"{sender}"}},"recipient":{{"id":"{PAGE}"}},"timestamp":{watermark},"delivery":{{"watermark":{watermark}}}}}"#
    )
}

/// A delivery's body: these items, in one entry.
pub fn body(items: &[String]) -> String {
    entries(&[items])
}

/// A delivery's body: several entries.
pub fn entries(entries: &[&[String]]) -> String {
    let entry =
        |items: &&[String]| format!(r#"{{"time":1763712000412,"id":"{PAGE}","messaging":[{}]}}"#, items.join(","));
    let entries: Vec<String> = entries.iter().map(entry).collect();
    format!(r#"{{"object":"page","entry":[{}]}}"#, entries.join(","))
}

/// One text message as a delivery's body.
pub fn one(mid: &str, sender: &str, text: &str) -> String {
    body(&[message(mid, sender, text)])
}

/// JSON text as Meta writes it: everything beyond ASCII as `\u` with lower-case digits, and slashes escaped.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('/') => out.push_str("\\/"),
            Some('\n') => out.push_str("\\n"),
            Some(plain @ ' '..='~') => out.push(plain),
            _ => {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}
