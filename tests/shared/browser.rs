//! A browser that follows what it is told, step by step, as somebody who logs in at Facebook.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

/// In each secret, and nowhere else: on no page either.
pub const CANARY: &str = "canary";

/// A browser, with its cookies by host and port.
#[derive(Default)]
pub struct Browser {
    pub jar: BTreeMap<(String, String), String>,
}

pub struct Page {
    pub status: u16,
    pub head: String,
    pub body: String,
    pub url: String,
}

impl Browser {
    /// One request, and no step further.
    pub fn ask(&mut self, method: &str, url: &str, body: &str) -> Page {
        let url = url.split('#').next().unwrap();
        let rest = url.strip_prefix("http://").unwrap();
        let (authority, target) = rest.split_at(rest.find('/').unwrap());
        let mine = self.jar.iter().filter(|((host, _), _)| host == authority);
        let cookies: Vec<_> = mine.map(|((_, name), value)| format!("{name}={value}")).collect();
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {authority}\r\nAccept: text/html\r\nCookie: {}\r\nSec-Fetch-Site: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            cookies.join("; "),
            if method == "POST" { "same-origin" } else { "none" },
        );
        let mut stream = TcpStream::connect(authority.replace("localhost", "127.0.0.1")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        for cookie in head.lines().filter_map(|line| line.strip_prefix("Set-Cookie: ")) {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let strict = name == "ackd-door";
            let site = if strict { "; HttpOnly; SameSite=Strict" } else { "; HttpOnly; SameSite=Lax" };
            assert!(cookie.contains(site), "{cookie}");
            match cookie.contains("Max-Age=0;") {
                true => drop(self.jar.remove(&(authority.to_owned(), name.to_owned()))),
                false => drop(self.jar.insert((authority.to_owned(), name.to_owned()), value.to_owned())),
            }
        }
        assert!(!body.contains(CANARY), "{body}");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Page { status, head: head.to_owned(), body: body.to_owned(), url: url.to_owned() }
    }

    pub fn get(&mut self, url: &str) -> Page {
        self.ask("GET", url, "")
    }

    /// Goes where it is led, at most so far; all that it saw.
    pub fn follow(&mut self, url: &str, steps: usize) -> Vec<Page> {
        let mut pages = vec![self.get(url)];
        for _ in 0..steps {
            let last = pages.last().unwrap();
            let Some(to) = last.location() else { break };
            pages.push(self.get(&to));
        }
        pages
    }
}

impl Page {
    pub fn location(&self) -> Option<String> {
        let to = self.head.lines().find_map(|line| line.strip_prefix("Location: "))?;
        let authority = self.url.split('/').nth(2).unwrap();
        Some(if to.starts_with('/') { format!("http://{authority}{to}") } else { to.to_owned() })
    }
}

/// Goes from the beginning to the dialog, answers there, and on to the end.
pub fn answer(browser: &mut Browser, start: &str, form: &str) -> Page {
    let mut page = browser.follow(start, 4).pop().unwrap();
    assert!(page.status == 200 && page.url.contains("/dialog/oauth?"), "{} {}", page.url, page.head);
    page = browser.ask("POST", &page.url.clone(), form);
    browser.follow(&page.location().unwrap(), 4).pop().unwrap()
}
