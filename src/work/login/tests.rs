//! A login with a played Facebook and played browsers: how it goes, and how it is attacked.

use super::*;
use crate::luck::Luck;
use crate::work::facebook::played::{Browser, CANARY, DAY, House, INSIDE, Through, field, location, state, text};
use std::collections::BTreeMap;

const PUBLIC: Through = Through::Public;

/// Somebody consents, and is led back.
fn back(state: &str, code: &str) -> String {
    format!("/login/fb?code={code}&state={state}")
}

/// Somebody who has logged in at the public door, by a link.
fn logged_in(house: &House) -> Browser {
    let mut browser = Browser::default();
    let state = state(&browser.get(house, PUBLIC, &house.ticket()));
    let done = browser.get(house, PUBLIC, &back(&state, &house.code()));
    assert_eq!(location(&done), Some("/ackd/login/fb/done"), "{}", text(&done));
    browser
}

#[test]
fn a_login_inside_leads_to_the_dialog_and_back_and_keeps_what_was_granted() {
    let house = House::new(false);
    let mut browser = Browser::default();
    let first = browser.get(&house, Through::Admin("127.0.0.1:3001"), "/login/fb");
    assert_eq!(
        (first.status, location(&first)),
        (302, Some("http://localhost:3001/login/fb")),
        "where the cookie will be"
    );
    let sent = browser.get(&house, INSIDE, "/login/fb");
    let state = state(&sent);
    assert!(state.len() == 32 && state.bytes().all(|byte| byte.is_ascii_hexdigit()), "{state}");
    let dialog = "https://www.facebook.com/v25.0/dialog/oauth?client_id=482915736608214&redirect_uri=http%3A%2F%2F\
                  localhost%3A3001%2Flogin%2Ffb&state=";
    let rest = "&response_type=code&scope=pages_show_list%2Cpages_read_engagement%2Cpages_read_user_content";
    assert_eq!(location(&sent).unwrap(), format!("{dialog}{state}{rest}"));
    let cookie = sent.headers.iter().find(|(name, _)| *name == "Set-Cookie").unwrap();
    assert!(cookie.1.ends_with("; Path=/login/fb; Max-Age=600; HttpOnly; SameSite=Lax"), "{cookie:?}");
    let kept = format!("{:?}", house.shelf.lock().unwrap().kept.keys());
    assert!(!kept.contains(&state));
    let done = browser.get(&house, INSIDE, &back(&state, &house.code()));
    assert_eq!((done.status, location(&done)), (302, Some("/login/fb/done")));
    assert!(browser.jar.is_empty(), "the login's cookie is over, and the admin listener needs no session");
    let page = text(&browser.get(&house, INSIDE, "/login/fb/done"));
    assert!(page.contains("Roof of &lt;Ada&gt; (104455667788990), Two (222)"), "{page}");
    let consent = house.consent().unwrap();
    for token in ["canary-long-1", "canary-page-1", "canary-page-two-1"] {
        assert!(consent.contains(token), "{consent}");
    }
    assert!(!consent.contains("short"), "{consent}");
}

#[test]
fn every_page_of_it_is_guarded() {
    let house = House::new(true);
    let mut browser = logged_in(&house);
    for (through, target) in [
        (PUBLIC, "/login/fb"),
        (PUBLIC, "/login/fb/done"),
        (PUBLIC, "/login/fb?state=x&code=y"),
        (PUBLIC, "/login/fb/nowhere"),
        (INSIDE, "/login/fb"),
    ] {
        let page = browser.get(&house, through, target);
        let has =
            |name: &str, value: &str| page.headers.iter().any(|(key, words)| *key == name && words.contains(value));
        assert!(has("Cache-Control", "no-store") && has("X-Content-Type-Options", "nosniff"), "{page:?}");
        assert!(has("Referrer-Policy", "no-referrer"), "{page:?}");
        assert!(page.status == 302 || has("Content-Security-Policy", "frame-ancestors 'none'"), "{page:?}");
    }
}

#[test]
fn a_stranger_begins_no_login_at_the_public_door_and_a_link_is_good_once() {
    let house = House::new(true);
    let mut stranger = Browser::default();
    for target in ["/login/fb", "/login/fb/done"] {
        assert_eq!(text(&stranger.get(&house, PUBLIC, target)), "", "{target}: as if there were nothing");
    }
    for target in ["/login/fb?ticket=", "/login/fb?ticket=0123456789abcdef0123456789abcdef"] {
        let page = stranger.get(&house, PUBLIC, target);
        assert!(page.status == 403 && text(&page).contains("ackd login fb"), "{target}");
    }
    let link = house.ticket();
    // A program that only looks where a link leads uses nothing up.
    assert_eq!(stranger.ask(&house, PUBLIC, Method::Head, &link, "").status, 200);
    assert_eq!(stranger.get(&house, PUBLIC, &link).status, 302);
    assert_eq!(Browser::default().get(&house, PUBLIC, &link).status, 403, "used");
    let late = house.ticket();
    house.wait(600_000);
    assert_eq!(stranger.get(&house, PUBLIC, &late).status, 403, "too late");
    let unkept = house.ticket();
    house.shelf.lock().unwrap().commits_left = Some(0);
    assert_eq!(stranger.get(&house, PUBLIC, &unkept).status, 503, "what is not used up on the disk opens nothing");
}

#[test]
fn the_admin_listener_leads_to_the_public_door_with_a_link() {
    let house = House::new(true);
    let led = Browser::default().get(&house, INSIDE, "/login/fb");
    let link = location(&led).unwrap().strip_prefix("https://bots.example.org/ackd").unwrap().to_owned();
    let mut browser = Browser::default();
    let sent = browser.get(&house, PUBLIC, &link);
    let cookie = sent.headers.iter().find(|(name, _)| *name == "Set-Cookie").unwrap();
    assert!(cookie.1.starts_with("__Host-ackd-login-fb="), "{cookie:?}");
    assert!(cookie.1.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie:?}");
    assert_eq!(browser.get(&house, PUBLIC, &back(&state(&sent), &house.code())).status, 302);
    assert!(house.consent().is_some());
}

#[test]
fn another_page_that_leads_to_the_admin_listener_begins_nothing_by_itself() {
    for public in [false, true] {
        let house = House::new(public);
        for site in ["cross-site", "same-site"] {
            let mut led = Browser { headers: vec![("sec-fetch-site", site.to_owned())], ..Browser::default() };
            let page = led.get(&house, INSIDE, "/login/fb");
            assert!(page.status == 200 && text(&page).contains("href=\"/login/fb\""), "{site}");
            assert!(led.jar.is_empty() && house.shelf.lock().unwrap().kept.is_empty());
        }
        for site in ["none", "same-origin"] {
            let mut own = Browser { headers: vec![("sec-fetch-site", site.to_owned())], ..Browser::default() };
            assert_eq!(own.get(&house, INSIDE, "/login/fb").status, 302, "{site}");
        }
    }
}

#[test]
fn a_state_that_is_missing_wrong_or_anothers_changes_nothing() {
    let house = House::new(false);
    let (mut anna, mut eve) = (Browser::default(), Browser::default());
    let (annas, eves) = (anna.begin(&house), eve.begin(&house));
    let code = house.code();
    let attacks = [
        (&anna, format!("/login/fb?code={code}")),
        (&anna, format!("/login/fb?code={code}&state=")),
        (&anna, format!("/login/fb?code={code}&state=guess")),
        (&anna, format!("/login/fb?code={code}&state={}", annas.to_uppercase().replace(char::is_numeric, "F"))),
        (&anna, format!("/login/fb?code={code}&state=x&state={annas}")),
        (&anna, format!("/login/fb?state={}&code={code}", &annas[..31])),
        (&anna, back(&eves, &code)),
        (&eve, back(&annas, &code)),
        (&Browser::default(), back(&annas, &code)),
        (&anna, "/login/fb?error=access_denied&error_reason=user_denied".to_owned()),
        (&anna, "/login/fb?error=access_denied&state=guess".to_owned()),
    ];
    for (who, target) in attacks {
        let page = who.clone().get(&house, INSIDE, &target);
        assert_eq!((page.status, location(&page)), (403, None), "{target}");
    }
    assert_eq!((house.exchanges(), house.consent()), (0, None));
    // None of it was in her way.
    assert_eq!(anna.get(&house, INSIDE, &back(&annas, &code)).status, 302);
}

#[test]
fn a_state_is_good_once_and_for_ten_minutes() {
    let house = House::new(false);
    let mut anna = Browser::default();
    let state = anna.begin(&house);
    let with_cookie = anna.clone();
    assert_eq!(anna.get(&house, INSIDE, &back(&state, &house.code())).status, 302);
    let consent = house.consent();
    for code in [house.code(), "canary%2Fcode0".to_owned()] {
        let page = with_cookie.clone().get(&house, INSIDE, &back(&state, &code));
        assert_eq!(page.status, 403, "used");
    }
    assert_eq!((house.exchanges(), house.consent()), (1, consent));
    let late = anna.begin(&house);
    house.wait(600_000);
    assert_eq!(anna.get(&house, INSIDE, &back(&late, &house.code())).status, 403);
    let first = anna.begin(&house);
    let firsts = anna.clone();
    (0..LOGINS_MAX).for_each(|_| drop(anna.begin(&house)));
    assert_eq!(firsts.clone().get(&house, INSIDE, &back(&first, &house.code())).status, 403, "the oldest has ended");
    assert_eq!(house.exchanges(), 1);
}

#[test]
fn whoever_does_not_consent_is_told_so_and_a_code_that_is_not_taken_too() {
    let house = House::new(false);
    let mut anna = Browser::default();
    let state = anna.begin(&house);
    let refused = format!(
        "/login/fb?error_reason=user_denied&error=access_denied&error_description=Permissions+error&state={state}&code=x"
    );
    let page = anna.get(&house, INSIDE, &refused);
    assert!(page.status == 200 && text(&page).contains("You did not allow it"), "{}", text(&page));
    assert_eq!(anna.get(&house, INSIDE, &refused).status, 403, "used");
    let state = anna.begin(&house);
    assert_eq!(anna.get(&house, INSIDE, &format!("/login/fb?state={state}")).status, 400);
    assert_eq!(house.exchanges(), 0);
    let state = anna.begin(&house);
    let page = anna.get(&house, INSIDE, &back(&state, "never-given"));
    assert!(page.status == 502 && text(&page).contains("its code was used already"), "{}", text(&page));
    house.graph.lock().unwrap().redirect_uri.push('/');
    let state = anna.begin(&house);
    let page = anna.get(&house, INSIDE, &back(&state, &house.code()));
    assert!(page.status == 502 && text(&page).contains("redirect_uri is not byte for byte"), "{}", text(&page));
    assert_eq!(house.consent(), None);
}

#[test]
fn nothing_in_a_request_leads_a_browser_elsewhere() {
    let house = House::new(true);
    let evil = "https%3A%2F%2Fevil.example%2F";
    for more in ["next", "redirect_uri", "return", "url", "continue"] {
        let headers =
            vec![("x-forwarded-host", "evil.example".to_owned()), ("referer", "https://evil.example/".to_owned())];
        let mut browser = Browser { headers, ..Browser::default() };
        let sent = browser.get(&house, PUBLIC, &format!("{}&{more}={evil}", house.ticket()));
        assert!(!location(&sent).unwrap().contains("evil"), "{sent:?}");
        let target = format!("{}&{more}={evil}", back(&state(&sent), &house.code()));
        assert_eq!(location(&browser.get(&house, PUBLIC, &target)), Some("/ackd/login/fb/done"));
    }
}

#[test]
fn any_order_of_callbacks_takes_exactly_those_that_are_due() {
    for seed in 1..=12_u64 {
        let house = House::new(false);
        let mut luck = Luck::of(seed);
        let mut draw = |below: usize| luck.below(below as u64) as usize;
        let mut browsers = vec![Browser::default(); 3];
        // Each state with whose it is and until when, in the order in which they began.
        let (mut states, mut open): (Vec<String>, Vec<(usize, usize, i64)>) = (Vec::new(), Vec::new());
        // The newest state of each browser: its cookie is of that one.
        let mut newest = BTreeMap::new();
        let (mut now, mut taken) = (0, 0);
        for _ in 0..60 {
            open.retain(|(.., until)| now < *until);
            let who = draw(3);
            match draw(4) {
                0 => {
                    open.drain(..(open.len() + 1).saturating_sub(LOGINS_MAX));
                    open.push((states.len(), who, now + 600_000));
                    newest.insert(who, states.len());
                    states.push(browsers[who].begin(&house));
                }
                1 => {
                    let wait = i64::try_from(draw(400_000)).unwrap();
                    house.wait(wait);
                    now += wait;
                }
                _ if states.is_empty() => {}
                _ => {
                    let own = newest.get(&who).copied().filter(|_| draw(2) == 0);
                    let which = own.unwrap_or_else(|| draw(states.len()));
                    let due = open.iter().position(|(state, whose, _)| {
                        *state == which && *whose == who && newest.get(&who) == Some(&which)
                    });
                    let page = browsers[who].get(&house, INSIDE, &back(&states[which], &house.code()));
                    assert_eq!(page.status, if due.is_some() { 302 } else { 403 }, "seed {seed}");
                    if let Some(due) = due {
                        open.remove(due);
                        taken += 1;
                    }
                    assert_eq!(house.exchanges(), taken, "seed {seed}");
                }
            }
        }
        assert!(taken > 0, "seed {seed} shows nothing");
    }
}

#[test]
fn a_stop_at_any_step_leaves_the_old_consent_or_the_new_one_and_opens_nothing_again() {
    for stop in 0..=4 {
        let mut house = House::new(true);
        logged_in(&house);
        let old = house.consent().unwrap();
        // Ticket, state, state forgotten, consent, session: the disk takes so many of them.
        let link = house.ticket();
        house.shelf.lock().unwrap().commits_left = Some(stop);
        let mut browser = Browser::default();
        let sent = browser.get(&house, PUBLIC, &link);
        if stop < 2 {
            assert_eq!((sent.status, house.consent().unwrap()), (503, old), "{stop}");
            house.restart();
            let again = Browser::default().get(&house, PUBLIC, &link);
            assert_eq!(again.status, if stop == 0 { 302 } else { 403 }, "{stop}");
            continue;
        }
        let (code, with_cookie) = (house.code(), browser.clone());
        let target = back(&state(&sent), &code);
        let page = browser.get(&house, PUBLIC, &target);
        let new = house.consent().unwrap();
        assert_eq!(
            page.status,
            match stop {
                2 => 503,
                3 => 502,
                _ => 200,
            },
            "{stop}"
        );
        let whole = ["canary-long-2", "canary-page-2", "canary-page-two-2"].iter().all(|token| new.contains(token));
        assert_eq!((new == old, whole), (stop < 4, stop >= 4), "{stop}");
        assert_eq!(
            browser.get(&house, PUBLIC, "/login/fb/done").status,
            404,
            "{stop}: a session that is not kept is none"
        );
        house.restart();
        let again = with_cookie.clone().get(&house, PUBLIC, &target);
        // Where nothing was forgotten, nothing was used either.
        assert_eq!(again.status, if stop == 2 { 302 } else { 403 }, "{stop}");
    }
}

#[test]
fn an_answer_of_facebook_that_is_not_as_it_should_be_leaves_the_old_consent() {
    let house = House::new(false);
    let mut anna = Browser::default();
    let state = anna.begin(&house);
    assert_eq!(anna.get(&house, INSIDE, &back(&state, &house.code())).status, 302);
    let old = house.consent();
    let of_others = "{\"data\":{\"app_id\":\"1\",\"is_valid\":true,\"scopes\":[]}}";
    for (like, status, body) in [
        ("&code=", 500, "<html>canary"),
        ("&code=", 200, "{}"),
        ("&code=", 200, "{\"access_token\":\"with a blank canary\"}"),
        ("fb_exchange_token", 400, "{\"error\":{\"message\":\"canary\",\"code\":101}}"),
        ("fb_exchange_token", 200, "{\"access_token\":7}"),
        ("debug_token", 500, "{\"error\":{\"code\":2}}"),
        ("debug_token", 200, "{\"data\":{\"is_valid\":false,\"error\":{\"code\":190,\"subcode\":463}}}"),
        ("debug_token", 200, of_others),
        ("debug_token", 200, "[]"),
        ("/me/accounts", 403, "{\"error\":{\"code\":10}}"),
        ("/me/accounts", 200, "{\"data\":[]}"),
        ("/me/accounts", 200, "{\"data\":[{\"id\":\"../x\",\"access_token\":\"canary\"}]}"),
        ("after=", 500, "canary"),
    ] {
        house.graph.lock().unwrap().instead = Some((like, status, body.to_owned()));
        let state = anna.begin(&house);
        let page = anna.get(&house, INSIDE, &back(&state, &house.code()));
        assert_eq!((page.status, house.consent()), (502, old.clone()), "{like} {body}: {}", text(&page));
    }
}

#[test]
fn a_list_of_pages_without_end_ends() {
    let house = House::new(false);
    let base = house.graph.lock().unwrap().base.clone();
    let endless = format!("{{\"data\":[],\"paging\":{{\"next\":\"{base}/me/accounts?after=same\"}}}}");
    house.graph.lock().unwrap().instead = Some(("/me/accounts", 200, endless));
    let mut anna = Browser::default();
    let state = anna.begin(&house);
    assert_eq!(anna.get(&house, INSIDE, &back(&state, &house.code())).status, 502);
    let lists = house.asked().iter().filter(|target| target.contains("/me/accounts")).count();
    assert_eq!(lists, crate::limits::GRANTED_CALLS_MAX);
}

#[test]
fn a_session_is_of_one_browser_for_half_a_day_and_until_it_is_ended() {
    let house = House::new(true);
    let mut browser = logged_in(&house);
    let secret = browser.jar.get("__Host-ackd").unwrap().clone();
    assert!(secret.len() == 32 && !format!("{:?}", house.shelf.lock().unwrap().kept.keys()).contains(&secret));
    let page = browser.get(&house, PUBLIC, "/login/fb/done");
    assert_eq!((page.status, text(&page).contains("action=\"/ackd/login/fb/out\"")), (200, true));
    for jar in [BTreeMap::new(), BTreeMap::from([("__Host-ackd".to_owned(), "0".repeat(32))])] {
        let mut other = Browser { jar, ..Browser::default() };
        assert_eq!(other.get(&house, PUBLIC, "/login/fb/done").status, 404);
    }
    let guard = format!("guard={}", field(&page, "guard"));
    let mut twin = browser.clone();
    let out = browser.ask(&house, PUBLIC, Method::Post, "/login/fb/out", &guard);
    assert_eq!((out.status, browser.jar.len()), (200, 0));
    assert_eq!(twin.get(&house, PUBLIC, "/login/fb/done").status, 404, "ended for whoever has its cookie");
    assert!(house.consent().is_some(), "what was granted stays");
    let mut browser = logged_in(&house);
    house.wait(DAY / 2 - 1);
    assert_eq!(browser.get(&house, PUBLIC, "/login/fb/done").status, 200);
    house.wait(1);
    assert_eq!(browser.get(&house, PUBLIC, "/login/fb/done").status, 404);
}

#[test]
fn a_form_is_taken_from_the_operators_own_page_and_from_no_other() {
    let mut house = House::new(true);
    let mut browser = logged_in(&house);
    let guard = format!("guard={}", field(&browser.get(&house, PUBLIC, "/login/fb/done"), "guard"));
    let mut other = logged_in(&house);
    let others = format!("guard={}", field(&other.get(&house, PUBLIC, "/login/fb/done"), "guard"));
    let own = ("sec-fetch-site", "same-origin");
    let tries: [(&[(&'static str, &str)], &str); 11] = [
        (&[own], ""),
        (&[own], "guard="),
        (&[own], "guard=00"),
        (&[own], &others),
        (&[("sec-fetch-site", "cross-site")], &guard),
        (&[("sec-fetch-site", "same-site")], &guard),
        (&[("sec-fetch-site", "none")], &guard),
        (&[("origin", "https://evil.example")], &guard),
        (&[("origin", "https://bots.example.org.evil.example")], &guard),
        (&[("origin", "file://bots.example.org")], &guard),
        (&[("sec-fetch-site", "cross-site"), ("origin", "https://bots.example.org")], &guard),
    ];
    for (headers, body) in tries {
        browser.headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let page = browser.ask(&house, PUBLIC, Method::Post, "/login/fb/out", body);
        assert_eq!(page.status, 403, "{headers:?} {body}");
    }
    browser.headers.clear();
    assert_eq!(browser.get(&house, PUBLIC, "/login/fb/done").status, 200, "none of it logged anybody out");
    let stranger = Browser::default().ask(&house, PUBLIC, Method::Post, "/login/fb/out", &guard);
    assert_eq!((stranger.status, text(&stranger)), (404, String::new()), "as if there were nothing");
    for headers in [&[own][..], &[("origin", "https://bots.example.org")], &[("origin", "null")], &[]] {
        let mut browser = logged_in(&house);
        let guard = format!("guard={}", field(&browser.get(&house, PUBLIC, "/login/fb/done"), "guard"));
        browser.headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let page = browser.ask(&house, PUBLIC, Method::Post, "/login/fb/out", &guard);
        assert_eq!(page.status, 200, "{headers:?}");
    }
    house.restart();
    let old = browser.ask(&house, PUBLIC, Method::Post, "/login/fb/out", &guard);
    assert!(old.status == 403 && text(&old).contains("reload the page"), "a guard is of one process");
}

#[test]
fn what_was_not_granted_is_told() {
    let house = House::new(false);
    house.graph.lock().unwrap().scopes.pop();
    let mut anna = Browser::default();
    let state = anna.begin(&house);
    assert_eq!(anna.get(&house, INSIDE, &back(&state, &house.code())).status, 302);
    let page = text(&anna.get(&house, INSIDE, "/login/fb/done"));
    assert!(page.contains("something may be missing: pages_read_user_content</p>") && !page.contains(CANARY), "{page}");
    assert!(page.contains("<a href=\"/login/fb\">Log in at Facebook</a>"), "{page}");
}

#[test]
fn a_cookie_that_a_neighbour_set_beside_ours_is_in_nobodys_way() {
    let junk = "0".repeat(32);
    for public in [false, true] {
        let house = House::new(public);
        let through = if public { PUBLIC } else { INSIDE };
        let mut anna = Browser::default();
        let begins = if public { house.ticket() } else { "/login/fb".to_owned() };
        let state = state(&anna.get(&house, through, &begins));
        let toss = |browser: &mut Browser| {
            let tossed = browser.jar.iter().map(|(name, value)| (name.clone(), format!("{junk}; {name}={value}")));
            browser.jar = tossed.collect();
        };
        toss(&mut anna);
        assert_eq!(anna.get(&house, through, &back(&state, &house.code())).status, 302, "public: {public}");
        toss(&mut anna);
        assert_eq!(anna.get(&house, through, "/login/fb/done").status, 200, "public: {public}");
    }
}

#[test]
fn no_page_of_a_login_is_a_dead_end() {
    let house = House::new(false);
    let mut anna = Browser::default();
    let login = "<a href=\"/login/fb\">Log in at Facebook</a>";
    let home = "<a href=\"/\">All pages and logins</a>";
    let mut pages = vec![anna.get(&house, INSIDE, "/login/fb/done"), anna.get(&house, INSIDE, &back("guess", "x"))];
    for query in ["error=access_denied", "code=", "code=never-given"] {
        let target = format!("/login/fb?state={}&{query}", anna.begin(&house));
        pages.push(anna.get(&house, INSIDE, &target));
    }
    for page in pages {
        assert!(text(&page).contains(login) && text(&page).contains(home), "{}", text(&page));
    }
    let house = House::new(true);
    let mut eve = Browser::default();
    let state = state(&eve.get(&house, PUBLIC, &house.ticket()));
    let denied = format!("/login/fb?error=access_denied&state={state}");
    for target in [back("guess", "x"), denied] {
        let page = text(&eve.get(&house, PUBLIC, &target));
        assert!(page.contains("ackd login fb") && !page.contains("<a "), "{page}");
    }
}

#[test]
fn the_name_of_a_page_turns_nothing_around() {
    let house = House::new(false);
    let named =
        "{\"data\":[{\"access_token\":\"canary-p\",\"name\":\"Roof\u{202e}\\u2066 of\\n Ada\",\"id\":\"222\"}]}"
            .to_owned();
    house.graph.lock().unwrap().instead = Some(("/me/accounts", 200, named));
    let mut anna = Browser::default();
    let state = anna.begin(&house);
    assert_eq!(anna.get(&house, INSIDE, &back(&state, &house.code())).status, 302);
    let page = text(&anna.get(&house, INSIDE, "/login/fb/done"));
    assert!(page.contains("these pages: Roof of Ada (222)"), "{page}");
}
