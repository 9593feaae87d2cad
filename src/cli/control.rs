//! The client's side of the control socket: one request, one answer, plain HTTP/1.1.
//!
//!     ask("/send", JSON) ──▶ {"lines":["page-18 kept"]}      or a fault that says what may have happened
//!     get("/metrics")    ──▶ a page
//!
//! It talks to our own daemon only, so it knows no chunks, no redirects, no second request. Never here: what is
//! asked for.

use super::show::shown;
use crate::limits::{ANSWER_BYTES_MAX, CONTROL_TIME, HEAD_BYTES_MAX, PREVIEW_CHARS_MAX};
use serde::Deserialize;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Why an order brought no lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlFault {
    /// Nobody listens there: nothing was done.
    Unreachable(String),
    /// It was asked, but did not answer to the end: it may have been done.
    Lost(String),
    /// The daemon said no: nothing was done.
    Refused { status: u16, why: String },
}

impl fmt::Display for ControlFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlFault::Unreachable(why) => out.write_str(why),
            ControlFault::Lost(why) => {
                write!(out, "the daemon was asked, but {why}; it may have done it: see ackd events")
            }
            ControlFault::Refused { why, status } if why.is_empty() => write!(out, "the daemon refused it ({status})"),
            ControlFault::Refused { why, .. } => out.write_str(why),
        }
    }
}

/// That nobody is there to be asked; what to look at.
pub fn nobody_at(socket: &Path, why: &str) -> String {
    let socket = socket.display();
    format!("nobody answers at the control socket {socket}: {why}; does ackd run, with this configuration?")
}

/// Asks the daemon behind `socket` for what `path` and this JSON say; the lines that it says to it.
pub fn ask(socket: &Path, path: &str, json: &[u8]) -> Result<Vec<String>, ControlFault> {
    ask_within(socket, path, json, CONTROL_TIME)
}

/// The page that the daemon behind `socket` shows at `path`.
pub fn get(socket: &Path, path: &str) -> Result<String, ControlFault> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: ackd\r\nConnection: close\r\n\r\n");
    let Answer { status, body } = say(socket, request.as_bytes(), CONTROL_TIME)?;
    let page = String::from_utf8_lossy(&body).into_owned();
    if status == 200 {
        return Ok(page);
    }
    Err(ControlFault::Refused { status, why: shown(page.trim_end(), PREVIEW_CHARS_MAX).into_owned() })
}

fn ask_within(socket: &Path, path: &str, json: &[u8], time: Duration) -> Result<Vec<String>, ControlFault> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: ackd\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        json.len()
    )
    .into_bytes();
    request.extend_from_slice(json);
    say(socket, &request, time)?.lines()
}

fn say(socket: &Path, request: &[u8], time: Duration) -> Result<Answer, ControlFault> {
    let mut stream = UnixStream::connect(socket).map_err(|error| ControlFault::Unreachable(error.to_string()))?;
    let until = Instant::now() + time;
    // What the daemon refuses it may answer before it has read all, so a failed write is not the last word.
    let wrote = set_times(&stream, until).and_then(|()| stream.write_all(request));
    match (answer(&mut stream, until), wrote) {
        (Ok(answer), _) => Ok(answer),
        (Err(_), Err(error)) => Err(ControlFault::Lost(format!("could not be told all: {}", reason(&error)))),
        (Err(why), Ok(())) => Err(ControlFault::Lost(why)),
    }
}

fn set_times(stream: &UnixStream, until: Instant) -> io::Result<()> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            format!("it did not answer within {} s", CONTROL_TIME.as_secs())
        }
        _ => format!("the connection broke: {error}"),
    }
}

/// An answer as it came.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

/// What the daemon says to an order.
#[derive(Deserialize)]
struct Told {
    lines: Vec<String>,
}

impl Answer {
    fn lines(self) -> Result<Vec<String>, ControlFault> {
        if self.status == 200 {
            let told: Told = serde_json::from_slice(&self.body)
                .map_err(|error| ControlFault::Lost(format!("answered something else than lines: {error}")))?;
            return Ok(told.lines.iter().map(|line| shown(line, PREVIEW_CHARS_MAX).into_owned()).collect());
        }
        // A line for each of its reasons, as of a reload.
        let why = String::from_utf8_lossy(&self.body);
        let why: Vec<_> = why.trim_end().lines().map(|line| shown(line, PREVIEW_CHARS_MAX)).collect();
        let why = why.join("\n");
        Err(ControlFault::Refused { status: self.status, why })
    }
}

/// Reads one answer, within bounds.
fn answer(stream: &mut UnixStream, until: Instant) -> Result<Answer, String> {
    let mut bytes = Vec::new();
    let (status, body, length) = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let (status, length) = head(bytes.get(..end).unwrap_or_default())?;
            break (status, end + 4, length);
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Err("its answer has too long a head".to_owned());
        }
        more(stream, &mut bytes, until)?;
    };
    while bytes.len() < body + length {
        more(stream, &mut bytes, until)?;
    }
    let body = bytes.get(body..body + length).unwrap_or_default().to_vec();
    Ok(Answer { status, body })
}

fn more(stream: &mut UnixStream, bytes: &mut Vec<u8>, until: Instant) -> Result<(), String> {
    let mut piece = [0; 4096];
    let read = set_times(stream, until).and_then(|()| stream.read(&mut piece)).map_err(|error| reason(&error))?;
    if read == 0 {
        return Err("it hung up before it had answered".to_owned());
    }
    bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
    Ok(())
}

/// Status and length of the body, out of an answer's head.
fn head(bytes: &[u8]) -> Result<(u16, usize), String> {
    let wrong = || "its answer is not the HTTP that ackd speaks".to_owned();
    let text = std::str::from_utf8(bytes).map_err(|_| wrong())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).and_then(|line| line.get(..3));
    let status = status.and_then(|status| status.parse().ok()).filter(|status| *status >= 200).ok_or_else(wrong)?;
    let mut lengths = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    match (lengths.next(), lengths.next()) {
        (Some(Ok(length)), None) if length <= ANSWER_BYTES_MAX => Ok((status, length)),
        (Some(Ok(_)), None) => Err("its answer is too long".to_owned()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Folder;
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::thread;

    /// What the client makes of `answer`, in two pieces; and what it asked.
    fn told(name: &str, answer: &[u8], hang_up: bool) -> (Result<Vec<String>, ControlFault>, String) {
        let folder = Folder::new(name);
        let socket = folder.0.join("ackd.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let answer = answer.to_vec();
        let daemon = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"}") {
                let mut piece = [0; 512];
                let read = stream.read(&mut piece).unwrap();
                asked.extend_from_slice(piece.get(..read).unwrap());
            }
            let (one, two) = answer.split_at(answer.len() / 2);
            stream.write_all(one).unwrap();
            // The client may know enough already, and be gone.
            let _ = stream.write_all(two);
            if !hang_up {
                // Until the client goes.
                let _ = stream.read(&mut [0; 1]);
            }
            String::from_utf8(asked).unwrap()
        });
        let lines =
            ask_within(&socket, "/send", b"{\"a\":1}", Duration::from_millis(if hang_up { 10_000 } else { 200 }));
        (lines, daemon.join().unwrap())
    }

    #[test]
    fn an_order_is_a_post_and_its_answer_lines() {
        let answer =
            b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 28\r\nConnection: close\r\n\r\n{\"lines\":[\"a kept\",\"b\\nkept\"]}";
        let length = answer.len() - answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() - 4;
        let answer = String::from_utf8_lossy(answer).replace("28", &length.to_string());
        let (lines, asked) = told("control-lines", answer.as_bytes(), true);
        assert_eq!(lines, Ok(vec!["a kept".to_owned(), "b\\nkept".to_owned()]));
        let head = "POST /send HTTP/1.1\r\nHost: ackd\r\nContent-Type: application/json\r\nContent-Length: 7\r\n";
        assert_eq!(asked, format!("{head}Connection: close\r\n\r\n{{\"a\":1}}"));
    }

    #[test]
    fn a_refusal_is_told_in_the_daemons_words() {
        let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 26\r\n\r\nthere is no channel \"x\"\n\u{1b}\n";
        let refused = |status, why: &str| Err(ControlFault::Refused { status, why: why.to_owned() });
        assert_eq!(told("control-no", answer.as_bytes(), true).0, refused(404, "there is no channel \"x\"\n\\u{1b}"));
        let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
        let fault = told("control-503", answer, true).0;
        assert_eq!(fault, refused(503, ""));
        assert_eq!(fault.unwrap_err().to_string(), "the daemon refused it (503)");
    }

    #[test]
    fn an_answer_that_is_none_leaves_open_what_was_done() {
        let wrong = "its answer is not the HTTP that ackd speaks";
        let long = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(HEAD_BYTES_MAX + 4096));
        for (name, answer, why) in [
            ("eof", "", "it hung up before it had answered"),
            ("cut", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"lines\":[", "it hung up before it had answered"),
            ("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", wrong),
            ("twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", wrong),
            ("minus", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", wrong),
            ("huge", "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n{}", "its answer is too long"),
            ("other", "SSH-2.0-OpenSSH_9\r\n\r\n", wrong),
            ("head", &long, "its answer has too long a head"),
        ] {
            let fault = told(&format!("control-{name}"), answer.as_bytes(), true).0;
            assert_eq!(fault, Err(ControlFault::Lost(why.to_owned())), "{name}");
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
        assert!(matches!(told("control-json", answer, true).0, Err(ControlFault::Lost(why)) if why.contains("lines")));
    }

    #[test]
    fn nobody_waits_for_ever() {
        let fault = told("control-slow", b"HTTP/1.1 200 OK\r\n", false).0;
        assert_eq!(fault, Err(ControlFault::Lost("it did not answer within 10 s".to_owned())));
    }

    #[test]
    fn nobody_there_is_told_apart() {
        let folder = Folder::new("control-gone");
        let fault = ask(&folder.0.join("ackd.sock"), "/send", b"{}");
        assert!(matches!(fault, Err(ControlFault::Unreachable(why)) if why.contains("No such file")));
    }
}
