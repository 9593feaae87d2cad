//! The lock of the operator's door, where it has one. Programs show its token, browsers a cookie that they got for it.
//!
//! The cookie is a code of the token under a fixed key. So it tells nobody the token, outlives a restart, and ends with the
//! token. A unix socket has no lock: whoever may open that is known already.

use super::Verdict;
use crate::limits;
use crate::model::visit::{cookies, guarded, is_from_here, parameter, sheet};
use crate::model::{Head, Method, Refusal, Request, Response, Secret};
use crate::notation::html::escaped;
use crate::notation::{from_hex, hex};
use ring::hmac;

/// What the cookie is a code of, besides the token.
const KEY: &[u8] = b"ackd: the operator's door";
/// The cookie; another than that of a login at the public door.
const COOKIE: &str = "ackd-door";
/// Where a browser brings the token, and where it gives the cookie back.
const ENTER: &str = "/enter";
const LEAVE: &str = "/leave";

/// What the front page shows behind a lock.
pub(super) const WAY_OUT: &str = "<form method=post action=/leave><button>Leave</button></form>";

/// What opens the operator's door.
pub struct Lock {
    key: hmac::Key,
    /// One, or two while it is changed.
    tokens: Vec<Secret>,
}

/// What somebody shows.
enum Shown {
    Token,
    Cookie,
    Wrong,
    Nothing,
}

impl Lock {
    /// One for these tokens; none where there are none.
    pub fn of(tokens: &[Secret]) -> Option<Lock> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, KEY);
        (!tokens.is_empty()).then(|| Lock { key, tokens: tokens.to_vec() })
    }

    /// Whether a head may come in, before anything else is looked at; and whether it is for the lock itself.
    pub(super) fn gate(&self, head: &Head) -> Result<bool, Refusal> {
        let posts = head.method == Method::Post;
        let own = posts && [ENTER, LEAVE].contains(&head.path());
        if own && super::is_long(head) {
            return Err(Refusal::new(413, "a token is shorter"));
        }
        match self.shown(head) {
            // Whoever asks whether the loop turns learns nothing else.
            _ if head.path() == "/healthz" => Ok(false),
            Shown::Token => Ok(own),
            _ if posts && !is_from_here(head) => {
                Err(Refusal::new(403, "this was asked for by a page of somebody else, and nothing was done"))
            }
            Shown::Cookie => Ok(own),
            _ if own && head.path() == ENTER => Ok(own),
            Shown::Wrong => Err(refused("a wrong token was shown at the operator's door", head, &wanted(head))),
            Shown::Nothing => Err(refused("the operator's door was asked without its token", head, &wanted(head))),
        }
    }

    /// What the lock itself is asked for. The head is looked at again: the lock may be another than when its body began.
    pub(super) fn read(&self, request: &Request) -> Result<Option<Verdict>, Refusal> {
        let head = &request.head;
        if !self.gate(head)? {
            return Ok(None);
        }
        if head.path() == LEAVE {
            return Ok(Some(leads("/".to_owned(), cookie("", 0, head))));
        }
        let form = String::from_utf8_lossy(&request.body);
        let to = parameter(&form, "to").filter(|to| is_ours(to)).unwrap_or_else(|| "/".to_owned());
        let code = self.code(parameter(&form, "password").unwrap_or_default().trim().as_bytes());
        if !self.fits(&code) {
            return Err(refused("a wrong token was entered at the operator's door", head, &to));
        }
        Ok(Some(leads(to, cookie(&hex(&code), limits::SESSION_TIME.as_secs(), head))))
    }

    fn shown(&self, head: &Head) -> Shown {
        let bearer = head.header("authorization").and_then(|shown| {
            let (scheme, token) = shown.split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then(|| self.fits(&self.code(token.trim_ascii())))
        });
        match bearer {
            Some(true) => return Shown::Token,
            Some(false) => return Shown::Wrong,
            None => {}
        }
        let mut wrong = false;
        for value in cookies(head, COOKIE) {
            if from_hex::<32>(value.as_bytes()).is_some_and(|code| self.fits(&code)) {
                return Shown::Cookie;
            }
            wrong = true;
        }
        if wrong { Shown::Wrong } else { Shown::Nothing }
    }

    fn code(&self, token: &[u8]) -> [u8; 32] {
        let mut code = [0; 32];
        code.iter_mut().zip(hmac::sign(&self.key, token).as_ref()).for_each(|(to, from)| *to = *from);
        code
    }

    /// Compared in constant time.
    fn fits(&self, code: &[u8]) -> bool {
        self.tokens.iter().any(|token| hmac::verify(&self.key, token.expose().as_bytes(), code).is_ok())
    }
}

/// Where somebody wanted to go who has to enter first.
fn wanted(head: &Head) -> String {
    let there = head.method == Method::Get && ![ENTER, LEAVE].contains(&head.path());
    if there { head.target().to_owned() } else { "/".to_owned() }
}

/// Whether a browser that is led there stays with us. It takes `\` for a slash, and passes over tabs.
fn is_ours(to: &str) -> bool {
    let plain = to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    plain && to.starts_with('/') && !to.starts_with("//")
}

fn leads(to: String, cookie: String) -> Verdict {
    Verdict::Answer(guarded(Response::text(303, "").with("Location", to).with("Set-Cookie", cookie)))
}

/// Neither scripts nor other people's pages have it. Behind a proxy that speaks HTTPS it goes nowhere else.
fn cookie(value: &str, seconds: u64, head: &Head) -> String {
    let secure = if head.header("x-forwarded-proto") == Some(b"https") { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// A refusal that is a page with a form for whoever reads pages, and leads on from there.
fn refused(why: &'static str, head: &Head, to: &str) -> Refusal {
    let reads = head.header("accept").is_some_and(|types| types.windows(9).any(|part| part == b"text/html"));
    let page = if reads {
        let form = format!(
            "<form method=post action={ENTER}><p>The token that ackd.toml names below [admin]:\
             <p><input type=password name=password autocomplete=current-password aria-label=Token required autofocus>\
             <input type=hidden name=to value=\"{}\"> <button>Enter</button></form>",
            escaped(to)
        );
        let title = if head.path() == ENTER { "That is another token" } else { "ackd" };
        sheet(401, title, &form)
    } else {
        Response::text(401, format!("{why}; it is sent as: Authorization: Bearer TOKEN\n"))
    };
    let page = page.with("WWW-Authenticate", "Bearer realm=\"ackd\"");
    Refusal { page: Some(Box::new(page)), ..Refusal::new(401, why) }
}

#[cfg(test)]
mod tests {
    use super::super::{Door, Intake};
    use super::*;
    use crate::http::{Connection, Step};

    const TOKEN: &str = "canary-door-token-5b1e";
    const OLD: &str = "canary-door-token-of-before";
    const PAGE: &str = "Accept: text/html,application/xhtml+xml\r\n";

    fn locked(tokens: &[&str]) -> Intake {
        let tokens: Vec<_> = tokens.iter().map(|token| Secret::new(*token)).collect();
        Intake::new(Vec::new(), Vec::new()).locked(Lock::of(&tokens))
    }

    /// What is answered to a request as it comes; 299 where it has come in.
    fn asked_at(door: Door, intake: &Intake, line: &str, headers: &str, body: &str) -> Response {
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let mut connection = Connection::new();
        connection
            .receive(format!("{line} HTTP/1.1\r\nHost: 127.0.0.1:3001\r\n{headers}{length}\r\n{body}").as_bytes());
        let asked = match connection.next(|head| intake.gate(door, head)) {
            Step::Request(request) => intake.read(door, &request),
            Step::Refuse(refusal) => Err(refusal),
            step => panic!("{line}: {step:?}"),
        };
        match asked {
            Ok(Verdict::Answer(response)) => response,
            Ok(_) => Response::text(299, "inside"),
            Err(refusal) => refusal.response(),
        }
    }

    fn asked(intake: &Intake, line: &str, headers: &str) -> u16 {
        asked_at(Door::Admin, intake, line, headers, "").status
    }

    fn entered(intake: &Intake, headers: &str, form: &str) -> Response {
        asked_at(Door::Admin, intake, "POST /enter", headers, form)
    }

    fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    /// The cookie that somebody has who entered this token.
    fn cookie_for(token: &str) -> String {
        let response = entered(&locked(&[token]), "", &format!("password={token}"));
        header(&response, "Set-Cookie").unwrap().split(';').next().unwrap().to_owned()
    }

    #[test]
    fn without_a_token_all_is_as_it_was() {
        assert!(Lock::of(&[]).is_none());
        let intake = locked(&[]);
        assert_eq!([asked(&intake, "GET /metrics", ""), asked(&intake, "GET /", "")], [299, 200]);
        assert_eq!(asked_at(Door::Admin, &intake, "POST /enter", "", "password=x").status, 404);
    }

    #[test]
    fn whoever_shows_the_token_comes_in_and_nobody_else() {
        let intake = locked(&[TOKEN, OLD]);
        let shown = |value: &str| asked(&intake, "GET /metrics", &format!("Authorization: {value}\r\n"));
        for value in [format!("Bearer {TOKEN}"), format!("bearer   {TOKEN}"), format!("Bearer {OLD}")] {
            assert_eq!(shown(&value), 299, "{value}");
        }
        let prefix = &TOKEN[..TOKEN.len() - 1];
        for value in [
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            TOKEN.to_owned(),
            format!("Bearer{TOKEN}"),
            format!("Basic {TOKEN}"),
            format!("Bearer {prefix}"),
            format!("Bearer {TOKEN}x"),
            format!("Bearer {TOKEN}, Bearer {OLD}"),
            format!("Bearer {}", TOKEN.to_uppercase()),
            format!("Bearer {}", cookie_for(TOKEN).split('=').nth(1).unwrap()),
        ] {
            assert_eq!(shown(&value), 401, "{value}");
        }
        let two = format!("Authorization: Bearer wrong\r\nAuthorization: Bearer {TOKEN}\r\n");
        assert_eq!(asked(&intake, "GET /metrics", &two), 401, "the first one counts");
        let link = format!("GET /metrics?token={TOKEN}&access_token={TOKEN}&password={TOKEN}");
        assert_eq!(asked(&intake, &link, ""), 401, "an address is no place for a secret");
    }

    #[test]
    fn nothing_but_the_beat_of_the_loop_is_told_without() {
        let intake = locked(&[TOKEN]);
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            for path in
                ["/", "/metrics", "/readyz", "/metrics?healthz", "/enter/", "//enter", "/leave", "/weekly", "/nowhere"]
            {
                assert_eq!(asked(&intake, &format!("{method} {path}"), PAGE), 401, "{method} {path}");
            }
        }
        for path in ["/healthz/../metrics", "/healthz/", "//healthz", "/%68ealthz", "/HEALTHZ", "/healthz;/metrics"] {
            assert_eq!(asked(&intake, &format!("GET {path}"), ""), 401, "{path}");
        }
        assert_eq!(asked(&intake, "GET /healthz", ""), 200);
        assert_eq!(asked(&intake, "OPTIONS *", ""), 401);
        assert_eq!(asked(&intake, "GET http://127.0.0.1:3001/metrics", ""), 401);
        let elsewhere = format!("Authorization: Bearer {TOKEN}\r\n");
        let mut connection = Connection::new();
        connection.receive(format!("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n{elsewhere}\r\n").as_bytes());
        let step = connection.next(|head| intake.gate(Door::Admin, head));
        assert!(matches!(step, Step::Refuse(refusal) if refusal.status == 421), "the name still counts");
    }

    #[test]
    fn other_doors_have_no_lock() {
        let intake = locked(&[TOKEN]);
        for (door, path, status) in [
            (Door::AdminSocket, "/metrics", 299),
            (Door::Control, "/metrics", 299),
            (Door::Public, "/metrics", 404),
            (Door::Public, "/enter", 404),
        ] {
            assert_eq!(asked_at(door, &intake, &format!("GET {path}"), "", "").status, status, "{door:?} {path}");
        }
        let shown = |door| {
            let headers = format!("Authorization: Bearer {TOKEN}\r\n");
            let page = asked_at(door, &intake, "GET /", &headers, "").body.into_owned();
            String::from_utf8(page).unwrap().contains(WAY_OUT)
        };
        assert_eq!([shown(Door::Admin), shown(Door::AdminSocket)], [true, false]);
    }

    #[test]
    fn a_browser_gets_a_form_and_for_the_token_a_cookie() {
        let intake = locked(&[TOKEN]);
        let form = asked_at(Door::Admin, &intake, "GET /weekly?week=last&x=\"><b>", PAGE, "");
        let html = String::from_utf8(form.body.to_vec()).unwrap();
        assert_eq!(form.status, 401);
        assert!(html.contains("type=password name=password autocomplete=current-password"), "{html}");
        assert!(html.contains("value=\"/weekly?week=last&amp;x=&quot;&gt;&lt;b&gt;\""), "{html}");
        assert_eq!(header(&form, "WWW-Authenticate"), Some("Bearer realm=\"ackd\""));
        let plain = asked_at(Door::Admin, &intake, "GET /weekly", "", "");
        assert!(plain.body.ends_with(b"it is sent as: Authorization: Bearer TOKEN\n"));

        let led =
            entered(&intake, "Sec-Fetch-Site: same-origin\r\n", &format!("password=+{TOKEN}%0A&to=%2Fweekly%3Fa"));
        assert_eq!((led.status, header(&led, "Location")), (303, Some("/weekly?a")));
        let cookie = header(&led, "Set-Cookie").unwrap();
        assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{cookie}");
        assert!(!cookie.contains(TOKEN));
        let proxied = entered(&intake, "X-Forwarded-Proto: https\r\n", &format!("password={TOKEN}"));
        assert!(header(&proxied, "Set-Cookie").unwrap().ends_with("; Secure"));

        let shown = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
        assert_eq!(asked(&intake, "GET /metrics", &shown), 299);
        let out = asked_at(Door::Admin, &intake, "POST /leave", &shown, "");
        assert_eq!((out.status, header(&out, "Location")), (303, Some("/")));
        assert!(header(&out, "Set-Cookie").unwrap().starts_with("ackd-door=; Path=/; Max-Age=0;"));
        assert_eq!(asked(&intake, "GET /leave", &shown), 404, "a link from elsewhere sends nobody away");
    }

    #[test]
    fn a_cookie_is_good_as_long_as_its_token_and_no_longer() {
        let (cookie, old) = (cookie_for(TOKEN), cookie_for(OLD));
        let shown =
            |tokens: &[&str], cookies: &str| asked(&locked(tokens), "GET /metrics", &format!("Cookie: {cookies}\r\n"));
        assert_eq!(shown(&[TOKEN], &cookie), 299, "another ackd, after a restart");
        assert_eq!(shown(&[TOKEN, OLD], &old), 299);
        assert_eq!(shown(&[TOKEN], &old), 401, "the token of before has ended");
        assert_eq!(shown(&[TOKEN], &format!("{old}; a=b; {cookie}")), 299, "a neighbour's beside ours");
        let mut many = "ackd-door=0; ".repeat(limits::COOKIES_MAX);
        many.push_str(&cookie);
        assert_eq!(shown(&[TOKEN], &many), 401, "so many are looked at");
        let value = cookie.strip_prefix("ackd-door=").unwrap();
        for wrong in [
            "ackd-door=".to_owned(),
            format!("ackd-door={}", &value[..62]),
            format!("ackd-door={value}00"),
            format!("ackd-door={}", "0".repeat(64)),
            format!("ackd-door={TOKEN}"),
            format!("xackd-door={value}"),
            format!("ackd={value}"),
        ] {
            assert_eq!(shown(&[TOKEN], &wrong), 401, "{wrong}");
        }
    }

    #[test]
    fn a_wrong_token_is_refused_and_leads_nowhere() {
        let intake = locked(&[TOKEN]);
        for form in [
            "".to_owned(),
            "password=".to_owned(),
            format!("password={}", &TOKEN[..TOKEN.len() - 1]),
            format!("password={TOKEN}%00"),
            format!("password={TOKEN}&password=x").replacen(TOKEN, "x", 1),
            format!("token={TOKEN}"),
            TOKEN.to_owned(),
        ] {
            let refused = entered(&intake, PAGE, &form);
            assert_eq!((refused.status, header(&refused, "Set-Cookie")), (401, None), "{form}");
            let html = String::from_utf8(refused.body.to_vec()).unwrap();
            assert!(html.contains("<h1>That is another token</h1>") && !html.contains("canary"), "{html}");
        }
        let long = "Content-Length: 4097\r\n";
        assert_eq!(asked_at(Door::Admin, &intake, "POST /enter", long, "").status, 413);
        let chunked = asked_at(Door::Admin, &intake, "POST /enter", "Transfer-Encoding: chunked\r\n", "");
        assert_eq!(chunked.status, 413);
    }

    #[test]
    fn whoever_enters_is_led_to_a_page_of_ours_only() {
        let intake = locked(&[TOKEN]);
        for (to, led) in [
            ("%2Fevents%3Fa%3Db%26c", "/events?a=b&c"),
            ("", "/"),
            ("events", "/"),
            ("%2F%2Fevil.example", "/"),
            ("%2F%5Cevil.example", "/"),
            ("%5C%5Cevil.example", "/"),
            ("%2F%09%2Fevil.example", "/"),
            ("%2Fx%0D%0ASet-Cookie%3A+a%3Db", "/"),
            ("https%3A%2F%2Fevil.example%2F", "/"),
            ("javascript%3Aalert(1)", "/"),
            ("%2F%C3%BC", "/"),
        ] {
            let response = entered(&intake, "", &format!("password={TOKEN}&to={to}"));
            assert_eq!(header(&response, "Location"), Some(led), "{to}");
        }
        for line in ["POST /weekly", "GET /enter", "GET /leave"] {
            let form = asked_at(Door::Admin, &intake, line, PAGE, "");
            let html = String::from_utf8(form.body.to_vec()).unwrap();
            assert!(html.contains("name=to value=\"/\""), "a form is not sent again, and these are no pages: {line}");
        }
    }

    #[test]
    fn other_peoples_pages_enter_nothing_and_send_nobody_away() {
        let intake = locked(&[TOKEN]);
        let cookie = format!("Cookie: {}\r\n", cookie_for(TOKEN));
        for from in [
            "Sec-Fetch-Site: cross-site\r\n",
            "Sec-Fetch-Site: same-site\r\n",
            "Origin: http://evil.example\r\n",
            "Origin: http://127.0.0.1:3002\r\n",
        ] {
            for headers in [from.to_owned(), format!("{cookie}{from}")] {
                assert_eq!(entered(&intake, &headers, &format!("password={TOKEN}")).status, 403, "{headers}");
                for path in ["/leave", "/weekly"] {
                    let line = format!("POST {path}");
                    assert_eq!(asked(&intake, &line, &headers), 403, "{path} {headers}");
                }
            }
        }
        for from in ["", "Sec-Fetch-Site: same-origin\r\n", "Origin: http://127.0.0.1:3001\r\n", "Origin: null\r\n"] {
            assert_eq!(asked(&intake, "POST /leave", &format!("{cookie}{from}")), 303, "{from}");
        }
        // What no browser sends for another page.
        let program = format!("Authorization: Bearer {TOKEN}\r\n");
        assert_eq!(asked(&intake, "POST /weekly", &program), 404);
    }
}
