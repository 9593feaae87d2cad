//! Calls and tokens against a stand-in of the service over a real socket, with a keeper that the test plays.

use super::*;
use crate::keeper::TOKENS;
use crate::model::{Limit, OAuth, Papers, Period};
use crate::queue::budget::NotBefore;
use crate::work::vault::{TokenFault, ask};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;

/// 2027-01-15 08:00:00 UTC.
const NOW: Moment = Moment(1_800_000_000_000);
const DAY: i64 = 24 * 3_600_000;

/// What the service does: which tokens it takes, and how it fails.
struct Service {
    /// The access token that it takes.
    access: String,
    /// The refresh tokens that it takes; the newest last. It takes an older one until the newer is used.
    refresh: Vec<String>,
    given: u32,
    /// Refreshes that are done, and whose answer never leaves.
    swallows: u32,
    /// What every refresh is answered instead.
    denies: Option<(u16, &'static str)>,
    /// It takes no token at all.
    is_deaf: bool,
}

/// The service, a keeper, and what happened in order.
struct House {
    service: Arc<Mutex<Service>>,
    stored: Arc<Mutex<Option<String>>>,
    /// Commits that fail.
    bad_commits: Arc<Mutex<u32>>,
    deeds: Arc<Mutex<Vec<String>>>,
    upstreams: Arc<Upstreams>,
}

fn tokens(number: u32, expires: i64, refreshed: i64) -> String {
    format!("{{\"access\":\"a{number}\",\"refresh\":\"r{number}\",\"expires\":{expires},\"refreshed\":{refreshed}}}")
}

impl House {
    fn new(stored: Option<String>) -> House {
        let service = Service {
            access: "a0".to_owned(),
            refresh: vec!["r0".to_owned()],
            given: 0,
            swallows: 0,
            denies: None,
            is_deaf: false,
        };
        let (service, deeds) = (Arc::new(Mutex::new(service)), Arc::new(Mutex::new(Vec::new())));
        let (stored, bad_commits) = (Arc::new(Mutex::new(stored)), Arc::new(Mutex::new(0)));
        let budget = Arc::new(Mutex::new(1000));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (side, done) = (Arc::clone(&service), Arc::clone(&deeds));
        thread::spawn(move || listener.incoming().for_each(|stream| serve(stream.unwrap(), &side, &done)));
        let oauth = OAuth {
            authorize_url: format!("{base}/oauth/authorize"),
            token_url: format!("{base}/oauth/token"),
            redirect_uri: "https://sun.invalid/redirect".to_owned(),
            client_id: "id".to_owned(),
            client_secret: Secret::new("secret"),
            refresh_life_s: 30 * 24 * 3600,
        };
        let sun = Upstream {
            name: "sun".to_owned(),
            kind: None,
            api: base,
            key: Some(Secret::new("key=k%26y")),
            limits: vec![Limit { calls: 1000, per: Period::Month }],
            papers: Some(Papers::OAuth(oauth)),
        };
        let (keeper, letters) = channel();
        let played = (Arc::clone(&stored), Arc::clone(&bad_commits), Arc::clone(&deeds), budget);
        thread::spawn(move || letters.iter().for_each(|letter| keep(letter, &played)));
        let upstreams = Arc::new(Upstreams::new(&[sun], Arc::default(), keeper, || NOW));
        House { service, stored, bad_commits, deeds, upstreams }
    }

    fn get(&self) -> Result<Answer, CallFault> {
        self.upstreams.get("sun", "/systems?size=1", None, false)
    }

    fn well(&self) {
        assert_eq!(self.get().unwrap().body, b"{\"is\":\"it\"}");
    }

    fn logged_out(&self) -> String {
        match self.get() {
            Err(CallFault::LoggedOut { why }) => why,
            other => panic!("{other:?}"),
        }
    }

    /// What happened since the last look.
    fn deeds(&self) -> Vec<String> {
        std::mem::take(&mut *self.deeds.lock().unwrap())
    }
}

type Played = (Arc<Mutex<Option<String>>>, Arc<Mutex<u32>>, Arc<Mutex<Vec<String>>>, Arc<Mutex<u32>>);

/// The keeper: one value, and a budget that is counted down.
fn keep(letter: Letter, (stored, bad_commits, deeds, budget): &Played) {
    match letter {
        Letter::Recall { bot, key, answer } => {
            assert_eq!((bot.as_str(), key.as_str()), (TOKENS, "sun"));
            let json = stored.lock().unwrap().clone();
            answer.send(json.map(String::into_bytes)).unwrap();
        }
        Letter::Keep { write, answer } => {
            let mut bad = bad_commits.lock().unwrap();
            let kept = *bad == 0;
            *bad = bad.saturating_sub(1);
            if kept {
                *stored.lock().unwrap() = Some(String::from_utf8(write.value.unwrap()).unwrap());
            }
            deeds.lock().unwrap().push(if kept { "kept" } else { "not kept" }.to_owned());
            answer.send(kept).unwrap();
        }
        Letter::Pay { answer, .. } => {
            let mut budget = budget.lock().unwrap();
            let paid = budget.checked_sub(1).map(|left| *budget = left);
            deeds.lock().unwrap().push("paid".to_owned());
            let why = "its calls are used up".to_owned();
            answer.send(paid.ok_or(NotBefore { moment: Moment(NOW.0 + 7), why })).unwrap();
        }
        Letter::Learn { lesson, .. } => *budget.lock().unwrap() = lesson.left.unwrap_or(0),
        _ => {}
    }
}

fn serve(stream: TcpStream, service: &Mutex<Service>, deeds: &Mutex<Vec<String>>) {
    let mut stream = BufReader::new(stream);
    let head: Vec<String> = stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(first) = head.first() else { return };
    let header = |name: &str| {
        let line = head.iter().find(|line| line.to_lowercase().starts_with(name));
        line.map_or("", |line| &line[name.len()..]).trim().to_owned()
    };
    let Some((status, body)) = service.lock().unwrap().answer(first, &header("authorization:"), deeds) else { return };
    assert_eq!(header("accept:"), "application/json");
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.get_mut().write_all(answer.as_bytes());
}

impl Service {
    fn answer(&mut self, first: &str, authorization: &str, deeds: &Mutex<Vec<String>>) -> Option<(u16, String)> {
        if let Some(query) = first.strip_prefix("POST /oauth/token?grant_type=refresh_token&refresh_token=") {
            // base64 of "id:secret"
            assert_eq!(authorization, "Basic aWQ6c2VjcmV0");
            return self.refresh(query.split(' ').next().unwrap(), deeds);
        }
        assert_eq!(first, "GET /systems?size=1&key=k%26y HTTP/1.1");
        let access = authorization.strip_prefix("Bearer ").unwrap();
        deeds.lock().unwrap().push(format!("GET by {access}"));
        if access != self.access || self.is_deaf {
            return Some((401, "{\"code\":401}".to_owned()));
        }
        // It is used, so the older refresh tokens are no good any more.
        self.refresh.drain(..self.refresh.len() - 1);
        Some((200, "{\"is\":\"it\"}".to_owned()))
    }

    fn refresh(&mut self, with: &str, deeds: &Mutex<Vec<String>>) -> Option<(u16, String)> {
        deeds.lock().unwrap().push(format!("refresh by {with}"));
        if let Some((status, error)) = self.denies {
            return Some((status, format!("{{\"error\":\"{error}\"}}")));
        }
        if !self.refresh.iter().any(|known| known == with) {
            return Some((400, "{\"error\":\"invalid_grant\"}".to_owned()));
        }
        self.given += 1;
        let number = self.given;
        (self.access, self.refresh) =
            (format!("a{number}"), [self.refresh.clone(), vec![format!("r{number}")]].concat());
        if self.swallows > 0 {
            self.swallows -= 1;
            return None;
        }
        let body = format!(
            "{{\"access_token\":\"a{number}\",\"token_type\":\"bearer\",\"refresh_token\":\"r{number}\",\"expires_in\":86393}}"
        );
        Some((200, body))
    }
}

#[test]
fn a_fresh_token_is_used_and_each_call_is_paid() {
    let house = House::new(Some(tokens(0, NOW.0 + DAY, NOW.0)));
    house.well();
    assert_eq!(house.deeds(), ["paid", "GET by a0"]);
}

#[test]
fn a_token_that_ends_is_renewed_before_and_kept_before_it_is_used() {
    let house = House::new(Some(tokens(0, NOW.0 + 299_000, NOW.0 - DAY)));
    house.well();
    assert_eq!(house.deeds(), ["refresh by r0", "kept", "paid", "GET by a1"]);
    house.well();
    assert_eq!(house.deeds(), ["paid", "GET by a1"]);
    let expected = tokens(1, NOW.0 + 86_393_000, NOW.0);
    assert_eq!(house.stored.lock().unwrap().as_deref(), Some(expected.as_str()));
}

#[test]
fn a_refused_token_is_renewed_once_and_the_second_call_is_paid_too() {
    let house = House::new(Some(tokens(0, NOW.0 + DAY, NOW.0)));
    house.service.lock().unwrap().access = "another".to_owned();
    house.well();
    assert_eq!(house.deeds(), ["paid", "GET by a0", "refresh by r0", "kept", "paid", "GET by a1"]);
}

#[test]
fn a_call_that_was_reserved_is_not_paid_again_and_its_renewal_is() {
    let house = House::new(Some(tokens(0, NOW.0 + DAY, NOW.0)));
    house.upstreams.pay("sun", None, 2).unwrap();
    let get = || house.upstreams.get("sun", "/systems?size=1", None, true).unwrap().status;
    assert_eq!((get(), house.deeds()), (200, vec!["paid".to_owned(), "GET by a0".to_owned()]));
    house.service.lock().unwrap().access = "another".to_owned();
    assert_eq!(get(), 200);
    assert_eq!(house.deeds(), ["GET by a0", "refresh by r0", "kept", "paid", "GET by a1"]);
}

#[test]
fn more_calls_at_once_than_ever_fit_are_refused_for_good() {
    let house = House::new(None);
    let why = "upstream sun: 1001 calls at once never fit into the 1000 that it allows in a month; reserve fewer";
    assert_eq!(house.upstreams.pay("sun", None, 1001), Err(CallFault::Never { why: why.to_owned() }));
    assert_eq!(house.deeds(), [""; 0]);
}

#[test]
fn new_tokens_that_are_refused_are_not_renewed_again_and_again() {
    let house = House::new(Some(tokens(0, NOW.0 + DAY, NOW.0)));
    house.service.lock().unwrap().is_deaf = true;
    assert!(house.logged_out().ends_with("; type ackd login sun"));
    assert_eq!(house.deeds(), ["paid", "GET by a0", "refresh by r0", "kept", "paid", "GET by a1"]);
    house.logged_out();
    assert_eq!(house.deeds(), [""; 0], "nothing is paid in vain");
    // Somebody logged in.
    house.service.lock().unwrap().is_deaf = false;
    house.service.lock().unwrap().access = "a7".to_owned();
    *house.stored.lock().unwrap() = Some(tokens(7, NOW.0 + DAY, NOW.0));
    house.well();
}

#[test]
fn a_consent_that_is_gone_is_remembered_until_somebody_logs_in() {
    let house = House::new(Some(tokens(0, NOW.0 - 1, NOW.0 - DAY)));
    house.service.lock().unwrap().refresh.clear();
    let why = house.logged_out();
    assert_eq!(why, "upstream sun: it takes our consent no more (HTTP 400, invalid_grant); type ackd login sun");
    assert_eq!(house.deeds(), ["refresh by r0", "kept"]);
    assert_eq!(house.logged_out(), why);
    // A next daemon knows it, too.
    let next = House::new(house.stored.lock().unwrap().clone());
    assert_eq!(next.logged_out(), why);
    assert_eq!((house.deeds(), next.deeds()), (Vec::new(), Vec::new()));
    next.upstreams.look_after();
    assert_eq!(next.deeds(), [""; 0]);
    *next.stored.lock().unwrap() = Some(tokens(0, NOW.0 + DAY, NOW.0));
    next.well();
}

#[test]
fn an_answer_of_too_many_values_is_a_failure_that_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    // As OpenDota is asked: without papers.
    let plain = Upstream { name: "dota".to_owned(), kind: None, api, key: None, limits: Vec::new(), papers: None };
    let server = thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let head = stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
        assert!(head.count() > 1);
        let body = format!("[{}]", vec!["{\"\":0}"; limits::ANSWER_VALUES_MAX / 3 + 1].join(","));
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let _ = stream.get_mut().write_all((head + &body).as_bytes());
    });
    let house = House::new(None);
    let upstreams = Upstreams::new(&[plain], Arc::default(), house.upstreams.keeper.clone(), || NOW);
    let fault = upstreams.get("dota", "/heroes", None, false).unwrap_err();
    assert!(matches!(&fault, CallFault::Failed { why } if why.contains("more than 30000 are not read")), "{fault:?}");
    server.join().unwrap();
}

#[test]
fn nobody_is_asked_before_the_first_login() {
    let house = House::new(None);
    assert_eq!(house.logged_out(), "upstream sun: nobody has logged in there yet; type ackd login sun");
    assert_eq!((house.upstreams.greet(), house.deeds()), (1, Vec::new()), "the operator is told at the start");
    *house.stored.lock().unwrap() = Some(tokens(0, NOW.0 + DAY, NOW.0));
    assert_eq!(house.upstreams.greet(), 0);
}

#[test]
fn a_crash_between_the_answer_and_the_disk_locks_nobody_out() {
    let old = tokens(0, NOW.0 - 1, NOW.0 - DAY);
    let house = House::new(Some(old.clone()));
    // The service has renewed them, and the answer is lost, as when the process dies just then.
    house.service.lock().unwrap().swallows = 1;
    assert!(matches!(house.get(), Err(CallFault::Failed { .. })));
    assert_eq!(house.deeds(), ["refresh by r0"]);
    assert_eq!(house.stored.lock().unwrap().as_deref(), Some(old.as_str()));
    // The next daemon has the old ones, and what the service gave it never used.
    let Upstreams { by_name, keeper, .. } = &*house.upstreams;
    let next = Upstreams::new(&[by_name.get("sun").unwrap().upstream.clone()], Arc::default(), keeper.clone(), || NOW);
    assert_eq!(next.get("sun", "/systems?size=1", None, false).unwrap().status, 200);
    assert_eq!(house.deeds(), ["refresh by r0", "kept", "paid", "GET by a2"]);
}

#[test]
fn tokens_that_could_not_be_kept_are_not_used_and_kept_before_anything_else() {
    let house = House::new(Some(tokens(0, NOW.0 - 1, NOW.0 - DAY)));
    *house.bad_commits.lock().unwrap() = 1;
    assert!(matches!(house.get(), Err(CallFault::Failed { .. })));
    assert_eq!(house.deeds(), ["refresh by r0", "not kept"], "the access token is not used");
    house.well();
    assert_eq!(house.deeds(), ["kept", "paid", "GET by a1"], "and no refresh token is used up twice");
}

#[test]
fn tokens_in_hand_give_way_to_those_of_a_login() {
    let house = House::new(Some(tokens(0, NOW.0 - 1, NOW.0 - DAY)));
    *house.bad_commits.lock().unwrap() = 1;
    assert!(house.get().is_err());
    house.deeds();
    house.service.lock().unwrap().access = "a7".to_owned();
    *house.stored.lock().unwrap() = Some(tokens(7, NOW.0 + DAY, NOW.0));
    house.well();
    assert_eq!(house.deeds(), ["paid", "GET by a7"]);
}

#[test]
fn many_workers_renew_once() {
    let house = House::new(Some(tokens(0, NOW.0 - 1, NOW.0 - DAY)));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| house.well());
        }
    });
    let deeds = house.deeds();
    assert_eq!(deeds.iter().filter(|deed| deed.starts_with("refresh")).count(), 1, "{deeds:?}");
    assert_eq!(deeds.iter().filter(|deed| *deed == "GET by a1").count(), 8, "{deeds:?}");
}

#[test]
fn a_service_that_cannot_renew_now_is_left_alone_for_a_minute_and_the_old_token_used_while_it_is_good() {
    let house = House::new(Some(tokens(0, NOW.0 + 299_000, NOW.0 - DAY)));
    house.service.lock().unwrap().denies = Some((503, "temporarily_unavailable"));
    house.well();
    house.well();
    assert_eq!(house.deeds(), ["refresh by r0", "paid", "GET by a0", "paid", "GET by a0"]);
    let ended = House::new(Some(tokens(0, NOW.0 - 1, NOW.0 - DAY)));
    ended.service.lock().unwrap().denies = Some((503, "temporarily_unavailable"));
    let why = CallFault::Failed { why: "renewing its tokens: HTTP 503".to_owned() };
    assert_eq!((ended.get(), ended.get()), (Err(why.clone()), Err(why)));
    assert_eq!(ended.deeds(), ["refresh by r0"]);
}

#[test]
fn a_wrong_client_secret_is_told_and_not_taken_for_a_lost_consent() {
    let house = House::new(Some(tokens(0, NOW.0 - 1, NOW.0 - DAY)));
    house.service.lock().unwrap().denies = Some((401, "invalid_client"));
    assert_eq!(house.logged_out(), "upstream sun: it does not accept client_id and client_secret (HTTP 401)");
    assert!(!house.stored.lock().unwrap().as_ref().unwrap().contains("refused"));
}

#[test]
fn a_consent_that_nobody_uses_is_renewed_at_half_its_life() {
    for (days, renewed) in [(14, false), (15, true), (29, true)] {
        let house = House::new(Some(tokens(0, NOW.0 - (days - 1) * DAY, NOW.0 - days * DAY)));
        assert!(house.upstreams.need_looking_after());
        house.upstreams.look_after();
        let expected: &[&str] = if renewed { &["refresh by r0", "kept"] } else { &[] };
        assert_eq!(house.deeds(), expected, "{days}");
    }
}

#[test]
fn a_consent_that_ended_while_the_network_was_down_is_told() {
    let house = House::new(Some(tokens(0, NOW.0 - 30 * DAY, NOW.0 - 31 * DAY)));
    house.service.lock().unwrap().denies = Some((503, ""));
    assert!(house.logged_out().contains("its consent has ended unused"));
    house.upstreams.look_after();
    house.upstreams.look_after();
    // That it was told is remembered, for a day.
    assert_eq!(house.deeds(), ["refresh by r0", "kept"]);
}

#[test]
fn while_ackd_stops_no_tokens_are_renewed() {
    let house = House::new(Some(tokens(0, NOW.0 - 1, NOW.0 - DAY)));
    house.upstreams.close();
    assert_eq!(
        house.get(),
        Err(CallFault::Failed { why: "its tokens are put away, since ackd stops or is reloaded".to_owned() })
    );
    assert_eq!(house.deeds(), [""; 0]);
}

#[test]
fn without_budget_nothing_goes_out() {
    let house = House::new(Some(tokens(0, NOW.0 + DAY, NOW.0)));
    house.upstreams.learn("sun", Lesson::default()).unwrap();
    let why = "upstream sun: its calls are used up".to_owned();
    assert_eq!(house.get(), Err(CallFault::NotBefore { moment: Moment(NOW.0 + 7), why }));
    assert_eq!(house.deeds(), ["paid"], "it asked to pay, and no more");
    assert!(house.upstreams.left("moon").unwrap_err().contains("there is no upstream \"moon\""));
}

#[test]
fn a_path_is_below_the_upstream_and_nothing_else() {
    assert_eq!(check("/systems/7/summary?summary_date=2026-11-21"), Ok(()));
    let long = format!("/{}", "a".repeat(limits::CALL_PATH_BYTES_MAX));
    for path in
        ["", "systems", "https://elsewhere", "/a b", "/a\r\nX: y", "/a#b", "/ä", "/../oauth/token", "/a/..", &long]
    {
        assert!(check(path).is_err(), "{path}");
    }
}

/// The tokens that this answer of the token endpoint comes to, as they are kept.
fn asked(body: &str) -> Result<String, TokenFault> {
    let (url, name) = (String::new, "id".to_owned());
    let oauth = OAuth {
        authorize_url: url(),
        token_url: url(),
        redirect_uri: url(),
        client_id: name,
        client_secret: Secret::new("secret"),
        refresh_life_s: 1,
    };
    let answer = |_: &OutboundRequest| {
        let body = body.as_bytes().to_vec();
        Outcome::Answered(Answer { status: 200, body, ..Answer::default() })
    };
    ask(&oauth, String::new(), &answer, || NOW).map(|tokens| tokens.json().expose().to_owned())
}

#[test]
fn tokens_are_taken_however_their_life_is_said() {
    for (said, seconds) in [
        ("86400", 86_400),
        ("\"86400\"", 86_400),
        ("86400.9", 86_400),
        ("0", 0),
        ("-1", 3600),
        ("1e308", 400 * 86_400),
        ("null", 3600),
        ("\"a day\"", 3600),
        ("[{}]", 3600),
    ] {
        let body = format!("{{\"access_token\":\"a1\",\"refresh_token\":\"r1\",\"expires_in\":{said}}}");
        assert_eq!(asked(&body), Ok(tokens(1, NOW.0 + seconds * 1000, NOW.0)), "{said}");
    }
}

#[test]
fn a_token_that_fits_into_no_head_is_none() {
    let body = |bytes| format!("{{\"access_token\":\"{}\",\"refresh_token\":\"r1\"}}", "a".repeat(bytes));
    assert!(asked(&body(limits::TOKEN_BYTES_MAX)).is_ok());
    for wrong in [&body(limits::TOKEN_BYTES_MAX + 1), &body(0), "{}", "[]", "", &"[".repeat(10_000)] {
        assert!(matches!(asked(wrong), Err(TokenFault::Failed(_))), "{} bytes", wrong.len());
    }
}
