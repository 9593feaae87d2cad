//! What a consent is used for: calls, what bots see of their answers, and what is done when it ends.

use super::clean::cut;
use super::played::{Browser, CANARY, DAY, House, INSIDE, NOW, PAGE};
use super::*;
use serde_json::{Value, json};
use std::cell::Cell;

/// Somebody has logged in.
fn granted() -> House {
    let house = House::new(false);
    log_in(&house);
    house
}

fn log_in(house: &House) {
    let mut anna = Browser::default();
    let state = anna.begin(house);
    let target = format!("/login/fb?code={}&state={state}", house.code());
    assert_eq!(anna.get(house, INSIDE, &target).status, 302);
    house.asked();
}

impl House {
    fn call(&self, path: &str) -> Result<Value, String> {
        match self.tools.upstreams.get("fb", path, None, false) {
            Ok(answer) => {
                assert!(!String::from_utf8_lossy(&answer.body).contains(CANARY));
                Ok(serde_json::from_slice(&answer.body).unwrap())
            }
            Err(CallFault::LoggedOut { why }) => {
                assert!(!why.contains(CANARY), "{why}");
                Err(why)
            }
            Err(fault) => panic!("{fault:?}"),
        }
    }

    fn refused(&self) -> Option<String> {
        Consent::read(self.consent().unwrap().as_bytes()).unwrap().refused()
    }

    fn look_after(&self) -> usize {
        self.tools.upstreams.look_after();
        self.asked().len()
    }
}

#[test]
fn a_bot_sees_no_token_and_follows_a_list_by_its_path() {
    let house = granted();
    let path = format!("/{PAGE}/feed?fields=id,message");
    let feed = house.call(&path).unwrap();
    let next = format!("/{PAGE}/feed?fields=id%2Cmessage&after=Y3Vy=%7Cx");
    let comments = format!("/{PAGE}_1/comments?after=c");
    let expected = json!({
        "data": [{"id": format!("{PAGE}_1"), "message": "said *** aloud",
                  "comments": {"data": [], "paging": {"next": comments}}}],
        "paging": {"next": next},
    });
    assert_eq!(feed, expected);
    house.asked();
    house.call(&next).unwrap();
    house.call(&comments).unwrap();
    let asked = house.asked();
    assert!(asked.iter().all(|target| target.contains("access_token=canary-page-1&appsecret_proof=")), "{asked:?}");
    let accounts = house.call("/me/accounts?after=x").unwrap();
    assert_eq!(accounts["data"][0], json!({"name": "Roof of <Ada>", "id": PAGE}));
    assert!(house.asked().concat().contains("access_token=canary-long-1"));
    assert_eq!(house.shelf.lock().unwrap().paid, 4, "calls are paid for, and the login was not");
}

#[test]
fn where_a_list_goes_on_is_below_the_api_or_nowhere() {
    let api = "https://graph.facebook.com/v25.0";
    for (url, path) in [
        ("https://graph.facebook.com/v25.0/1/feed?access_token=T&limit=3&after=a=", Some("/1/feed?limit=3&after=a=")),
        ("https://graph.facebook.com/v25.0/1/feed?access_token=T", Some("/1/feed")),
        ("https://graph.facebook.com/v25.0/1/feed?a=1&access%5ftoken=T&&appsecret_time=1&b", Some("/1/feed?a=1&b")),
        ("https://graph.facebook.com/v25.0/1/feed?q=\"ä |", Some("/1/feed?q=%22%C3%A4%20%7C")),
        ("https://graph.facebook.com/v26.0/1/feed", None),
        ("https://graph.facebook.com/v25.0", None),
        ("https://graph.facebook.com/v25.0.evil/1", None),
        ("https://graph.facebook.com/v25.0/../v2.0/1", None),
        ("https://graph.facebook.com/v25.0/1#x", None),
        ("https://graph.facebook.com.evil.example/v25.0/1", None),
        ("https://graph.facebook.com@evil.example/v25.0/1", None),
        ("http://graph.facebook.com/v25.0/1", None),
        ("//evil.example/v25.0/1", None),
        ("/v25.0/1", None),
        ("", None),
    ] {
        assert_eq!(cut(url, api).as_deref(), path, "{url}");
    }
    let long = format!("{api}/1/feed?after={}", "a".repeat(limits::CALL_PATH_BYTES_MAX));
    assert_eq!(cut(&long, api), None);
}

#[test]
fn an_error_that_repeats_the_query_shows_neither_token_nor_proof() {
    let house = granted();
    house.call(&format!("/{PAGE}/feed")).unwrap();
    let asked = house.asked().concat();
    let proof = asked.split("appsecret_proof=").nth(1).unwrap().to_owned();
    assert_eq!(proof.len(), 64);
    for (repeated, shown) in [
        (format!("appsecret_proof={proof}&a=b"), "No: appsecret_proof=***&a=b"),
        ("access_token=canary-page-1".to_owned(), "No: access_token=***"),
        ("access_token=canary%2dpage%2D1".to_owned(), "***"),
        ("client_secret=canary%2Dapp-secret".to_owned(), "***"),
        ("100 % of it".to_owned(), "No: 100 % of it"),
    ] {
        let error = json!({"error": {"code": 100, "message": format!("No: {repeated}")}});
        house.graph.lock().unwrap().instead = Some(("feed", 400, error.to_string()));
        let seen = house.call(&format!("/{PAGE}/feed")).unwrap();
        assert_eq!(seen["error"]["message"], shown);
    }
    for repeated in [proof.as_str(), "canary%2dpage%2D1"] {
        house.graph.lock().unwrap().instead = Some(("feed", 502, format!("<a href=\"?x={repeated}\">")));
        let fault = house.tools.upstreams.get("fb", &format!("/{PAGE}/feed"), None, false).unwrap_err();
        assert!(matches!(&fault, CallFault::Failed { why } if why.ends_with("repeats our secrets")), "{fault:?}");
    }
}

#[test]
fn a_list_that_goes_on_elsewhere_has_not_ended() {
    let house = granted();
    let feed = json!({"data": [], "paging": {"next": "https://elsewhere.example/v25.0/1/feed", "previous": "x"}});
    house.graph.lock().unwrap().instead = Some(("feed", 200, feed.to_string()));
    let seen = house.call(&format!("/{PAGE}/feed")).unwrap();
    assert_eq!(seen, json!({"data": [], "paging": {"next": null}}));
}

#[test]
fn what_was_not_granted_is_not_asked_for() {
    let house = House::new(false);
    let mend = "; type ackd login fb, or open http://localhost:3001/login/fb";
    assert_eq!(house.call("/me").unwrap_err(), format!("upstream fb: nobody has logged in there yet{mend}"));
    let house = granted();
    let why = house.call("/999/feed").unwrap_err();
    let names = "Roof of <Ada> (104455667788990), Two (222)";
    assert_eq!(why, format!("upstream fb: page 999 is not among those that were granted: {names}{mend}"));
    for path in ["/debug_token?input_token=x", "/", "/?ids=1", "/oauth/access_token", "/mexico", "/_1/comments"] {
        assert!(
            house.call(path).unwrap_err().contains("a path begins with /me or with the number of a page"),
            "{path}"
        );
    }
    for path in ["/me?access_token=x", "/me?a&access%5Ftoken=x", "/me?appsecret_proof=x"] {
        let fault = house.tools.upstreams.get("fb", path, None, false);
        assert!(matches!(&fault, Err(CallFault::Failed { why }) if why.contains("a token of its own")), "{fault:?}");
    }
    assert!(house.asked().is_empty() && house.shelf.lock().unwrap().paid == 0);
}

#[test]
fn where_nobody_has_logged_in_yet_the_operator_is_told_at_the_start() {
    let house = House::new(false);
    let upstreams = &house.tools.upstreams;
    let told =
        "upstream fb: nobody has logged in there yet; type ackd login fb, or open http://localhost:3001/login/fb";
    assert_eq!(upstreams.custody("fb").unwrap().unmet(upstreams.means()).as_deref(), Some(told));
    assert_eq!((upstreams.greet(), upstreams.given("fb")), (1, Ok(None)));
    log_in(&house);
    assert_eq!((house.tools.upstreams.greet(), house.tools.upstreams.given("fb")), (0, Ok(Some(NOW))));
}

#[test]
fn a_token_that_is_refused_is_asked_with_no_more_until_somebody_logs_in() {
    for (subcode, why) in [
        (458, "the app was removed by whoever logged in; error 190/458"),
        (460, "the password was changed; error 190/460"),
        (463, "it has expired; error 190/463"),
        (467, "it is not valid; error 190/467"),
        (492, "whoever logged in has no role on the page any more; error 190/492"),
    ] {
        let house = granted();
        house.graph.lock().unwrap().dead.insert("canary-page-1".to_owned(), subcode);
        let path = format!("/{PAGE}/feed");
        let told = house.call(&path).unwrap_err();
        assert!(told.contains(why) && told.contains("type ackd login fb"), "{told}");
        assert_eq!((house.asked().len(), house.refused().unwrap()), (1, format!("Roof of <Ada>: {why}")));
        assert_eq!(house.call(&path).unwrap_err(), told);
        assert_eq!((house.asked().len(), house.shelf.lock().unwrap().paid), (0, 1), "{subcode}");
        house.call("/me/accounts").unwrap();
        log_in(&house);
        house.call(&path).unwrap();
    }
}

#[test]
fn a_login_is_given_up_when_its_calls_together_have_taken_too_long() {
    let house = House::new(false);
    let log_in = |each: Duration| {
        let spent = Cell::new(Duration::ZERO);
        let (upstreams, code) = (&house.tools.upstreams, house.code().replace("%2F", "/"));
        let took = || spent.replace(spent.get() + each);
        let done = upstreams.custody("fb").unwrap().log_in_timed(&code, &took, upstreams.means());
        (done, house.asked().len(), house.consent().is_some())
    };
    let (done, asked, kept) = log_in(limits::LOGIN_CALLS_TIME / 2);
    assert!(done.is_err_and(|why| why.contains("timeout")), "two were in time");
    assert_eq!((asked, kept), (2, false));
    assert_eq!(log_in(limits::LOGIN_CALLS_TIME / 8), (Ok(()), 5, true));
}

#[test]
fn a_session_that_has_ended_ends_the_consent_like_a_token() {
    let house = granted();
    let path = format!("/{PAGE}/feed");
    house.graph.lock().unwrap().instead = Some(("feed", 400, "{\"error\":{\"code\":102}}".to_owned()));
    let told = house.call(&path).unwrap_err();
    assert!(told.contains("it takes our token no more (it is not valid; error 102/0); type ackd login fb"), "{told}");
    assert_eq!(house.refused().as_deref(), Some("Roof of <Ada>: it is not valid; error 102/0"));
    assert_eq!((house.asked().len(), house.call(&path), house.asked().len()), (1, Err(told), 0));
}

#[test]
fn another_error_is_the_bots_to_judge_and_ends_no_consent() {
    let house = granted();
    for (status, body) in [
        (403, "{\"error\":{\"code\":10}}"),
        (403, "{\"error\":{\"code\":4}}"),
        (500, "{\"error\":{\"code\":1}}"),
        (401, "{\"error\":\"190\"}"),
    ] {
        house.graph.lock().unwrap().instead = Some(("feed", status, body.to_owned()));
        let answer = house.tools.upstreams.get("fb", &format!("/{PAGE}/feed"), None, false).unwrap();
        assert_eq!((answer.status, String::from_utf8(answer.body).unwrap().as_str()), (status, body));
    }
    assert_eq!(house.refused(), None);
    // What is no JSON is shown, too, but never with a secret.
    house.graph.lock().unwrap().instead = Some(("feed", 502, "<html>down".to_owned()));
    assert_eq!(house.tools.upstreams.get("fb", &format!("/{PAGE}/feed"), None, false).unwrap().body, b"<html>down");
    house.graph.lock().unwrap().instead = Some(("feed", 502, "<a href=\"?access_token=canary-page-1\">".to_owned()));
    let fault = house.tools.upstreams.get("fb", &format!("/{PAGE}/feed"), None, false).unwrap_err();
    assert_eq!(fault, CallFault::Failed { why: "upstream fb: its answer repeats our secrets".to_owned() });
}

#[test]
fn an_answer_of_too_many_values_fails_on_every_way() {
    let house = granted();
    let many = format!("[{}]", vec!["{\"\":0}"; limits::ANSWER_VALUES_MAX / 3 + 1].join(","));
    for like in ["feed", "debug_token"] {
        house.graph.lock().unwrap().instead = Some((like, 200, many.clone()));
        let fault = house.tools.upstreams.get("fb", &format!("/{PAGE}/{like}"), None, false).unwrap_err();
        assert!(matches!(&fault, CallFault::Failed { why } if why.contains("are not read")), "{fault:?}");
    }
    assert_eq!(house.look_after(), 3, "one was asked about, in vain");
}

#[test]
fn each_token_is_looked_at_soon_after_a_login_and_then_once_a_day() {
    let house = granted();
    assert_eq!(house.look_after(), 3);
    assert_eq!(house.look_after(), 0);
    house.wait(DAY - 1);
    assert_eq!(house.look_after(), 0);
    house.graph.lock().unwrap().dead.insert("canary-page-two-1".to_owned(), 459);
    house.wait(1);
    assert_eq!(house.look_after(), 3);
    let why = "Two: whoever logged in must look after their account at Facebook first; error 190/459";
    assert_eq!(house.refused().as_deref(), Some(why));
    house.wait(DAY);
    house.graph.lock().unwrap().dead.clear();
    assert_eq!(house.look_after(), 3);
    assert_eq!(house.refused(), None, "it takes it again");
}

#[test]
fn a_look_at_old_tokens_says_nothing_about_those_of_a_newer_login() {
    let house = granted();
    let (upstreams, old) = (&house.tools.upstreams, house.consent().unwrap());
    for token in ["canary-long-1", "canary-page-1", "canary-page-two-1"] {
        house.graph.lock().unwrap().dead.insert(token.to_owned(), 460);
    }
    log_in(&house);
    let new = house.consent();
    // This look began before that login.
    let old = Consent::read(old.as_bytes()).unwrap();
    upstreams.custody("fb").unwrap().check(&old, NOW, upstreams.means());
    assert_eq!((house.asked().len(), house.consent()), (3, new));
    assert_eq!(house.look_after(), 3, "nobody has looked at the new ones yet");
}

#[test]
fn what_was_first_said_to_be_wrong_with_a_token_stays() {
    let house = granted();
    for subcode in [460, 463] {
        house.graph.lock().unwrap().dead.insert("canary-page-1".to_owned(), subcode);
        house.wait(DAY);
        assert_eq!(house.look_after(), 3);
        let why = "Roof of <Ada>: the password was changed; error 190/460";
        assert_eq!(house.refused().as_deref(), Some(why), "{subcode}");
    }
}

#[test]
fn a_look_that_fails_says_nothing_about_the_tokens_and_is_made_again() {
    let house = granted();
    let kept = house.consent();
    for (status, body) in
        [(500, ""), (400, "{\"error\":{\"code\":190}}"), (200, "{\"data\":null}"), (200, "{\"data\":{}}")]
    {
        house.graph.lock().unwrap().instead = Some(("debug_token", status, body.to_owned()));
        assert_eq!((house.look_after(), house.consent()), (1, kept.clone()), "{body}");
    }
    house.graph.lock().unwrap().instead = None;
    log_in(&house);
    assert_eq!(house.look_after(), 3);
}

#[test]
fn one_refusal_has_all_tokens_looked_at() {
    let house = granted();
    house.look_after();
    let mut graph = house.graph.lock().unwrap();
    for token in ["canary-long-1", "canary-page-1", "canary-page-two-1"] {
        graph.dead.insert(token.to_owned(), 460);
    }
    drop(graph);
    house.call("/me/accounts").unwrap_err();
    house.asked();
    assert_eq!(house.look_after(), 3);
    assert_eq!(house.refused().unwrap().matches("the password was changed").count(), 3);
}

#[test]
fn what_ends_is_told_once_a_day_before_and_not_asked_with_afterwards() {
    let house = granted();
    let warned = |house: &House| Consent::read(house.consent().unwrap().as_bytes()).unwrap().warned;
    house.wait(50 * DAY - 1);
    house.look_after();
    assert_eq!(warned(&house), None);
    house.wait(1);
    house.look_after();
    let first = warned(&house);
    assert!(first.is_some());
    house.wait(DAY / 2);
    house.look_after();
    assert_eq!(warned(&house), first);
    house.wait(DAY / 2);
    house.look_after();
    assert!(warned(&house) > first);
    house.wait(9 * DAY);
    house.asked();
    assert!(house.call("/me/accounts").unwrap_err().contains("it has ended"));
    // Tokens of pages have no end of their own.
    house.call(&format!("/{PAGE}/feed")).unwrap();
    assert_eq!(house.asked().len(), 1);
}

#[test]
fn a_consent_prints_no_token_and_a_played_one_is_as_good() {
    let house = House::new(false);
    let page = ("104", "Played", Secret::new("canary-page"));
    let consent = Consent::played(&Secret::new("canary-user"), &[page], NOW);
    let read = Consent::read(consent.json().expose().as_bytes()).unwrap();
    assert!(read == consent && read.pages() == "Played (104)" && read.end().is_none());
    assert!(!format!("{:?}", house.tools.upstreams.custody("fb").unwrap()).contains(CANARY));
    assert!(Consent::read(b"{\"access\":\"a\",\"refresh\":\"b\"}").is_none(), "another service's tokens are none");
}
