//! What became of a call, by HTTP status, code and subcode (messenger.md §7); never by the message, which is only
//! repeated for people to read, shortened and with our secrets taken out: Meta has been seen to print tokens.

use crate::limits::{RETRY_DELAY_MAX, UPSTREAM_WAIT_MAX};
use crate::model::{Answer, Delivery, Extent, Moment, Outcome, Secret};
use crate::notation::json::Value;
use crate::notation::usage::{is_used_up, regained};
use crate::platform::spelling::plain_words;
use crate::queue::retry_after;
use std::borrow::Cow;
use std::time::Duration;

/// What to do about a failure, before words are put to it.
enum Verdict {
    Again(Extent),
    Locked(&'static str),
    Dead(&'static str),
    Gone(&'static str),
    Outside(&'static str),
}

/// What became of attempt `attempt` (from 1), which ended at `now`. `hidden` is what no words may repeat.
pub(super) fn delivery(outcome: &Outcome, attempt: u32, now: Moment, hidden: &[Secret]) -> Delivery {
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::Failed(fault) => {
            let why = plain_words(&fault.why, hidden);
            return match fault.went_out {
                true => Delivery::Unknown { why },
                false => Delivery::Retry { why, after: None, extent: Extent::Conversation, maybe_said: false },
            };
        }
    };
    let body = Value::read(&answer.body).unwrap_or_default();
    let error = body.get("error");
    if let Some(code) = error.get("code").integer() {
        return refused((code, error), answer, attempt, now, hidden);
    }
    match answer.status {
        200..=299 => said(body),
        _ => without_error(answer, now),
    }
}

/// A success: it names the message, or for a courtesy (and some recipients) only one of the two (messenger.md §6).
fn said(body: Value<'_>) -> Delivery {
    let member = |name| Some(body.get(name)).filter(|id| id.is_string())?.word().map(Cow::into_owned);
    let message_id = member("message_id");
    if message_id.is_none() && member("recipient_id").is_none() {
        return Delivery::Unknown { why: "a success whose body names neither message nor recipient".to_owned() };
    }
    Delivery::Delivered { message_id }
}

/// A failure that says nothing in Graph's way: a proxy, a gateway, an outage.
fn without_error(answer: &Answer, now: Moment) -> Delivery {
    let status = answer.status;
    let again = |extent, maybe_said| Delivery::Retry {
        why: format!("HTTP {status} without a Graph error"),
        after: wait(answer, now),
        extent,
        maybe_said,
    };
    match status {
        401 => {
            Delivery::Locked { why: "HTTP 401 without a Graph error: is the page's token the right one?".to_owned() }
        }
        429 => again(Extent::Channel, false),
        500.. => again(Extent::Conversation, true),
        _ => Delivery::Dead { why: format!("HTTP {status} without a Graph error: does `api` lead to the Graph API?") },
    }
}

/// A failure with a Graph error: nothing was said.
fn refused((code, error): (i64, Value<'_>), answer: &Answer, attempt: u32, now: Moment, hidden: &[Secret]) -> Delivery {
    let subcode = error.get("error_subcode").integer();
    let transient = answer.status >= 500 || error.get("is_transient").flag();
    let verdict = match verdict(code, subcode, attempt) {
        Some(verdict) => verdict,
        None if answer.status == 429 => Verdict::Again(Extent::Channel),
        None if transient => Verdict::Again(Extent::Conversation),
        None => Verdict::Dead(""),
    };
    let number = subcode.map_or(code.to_string(), |subcode| format!("{code}/{subcode}"));
    let words = error.get("message").text().unwrap_or_default();
    let why = |advice: &str| {
        let advice = if advice.is_empty() { String::new() } else { format!(": {advice}") };
        let theirs = if words.is_empty() { String::new() } else { format!(" (Meta says: {words})") };
        plain_words(&format!("error {number}{advice}{theirs}"), hidden)
    };
    match verdict {
        Verdict::Locked(advice) => Delivery::Locked { why: why(advice) },
        Verdict::Dead(advice) => Delivery::Dead { why: why(advice) },
        Verdict::Gone(advice) => Delivery::Gone { why: why(advice) },
        Verdict::Outside(advice) => Delivery::Outside { why: why(advice) },
        Verdict::Again(extent) => {
            // What the usage headers say is about all calls, so it delays only what concerns all.
            let after = if extent == Extent::Channel { wait(answer, now) } else { asked(answer, now) };
            Delivery::Retry { why: why(""), after, extent, maybe_said: false }
        }
    }
}

/// The table of messenger.md §7; `None` for a code that is not in it.
fn verdict(code: i64, subcode: Option<i64>, attempt: u32) -> Option<Verdict> {
    Some(match (code, subcode.unwrap_or(0)) {
        (1, 1_357_046) => Verdict::Dead("Messenger could not read our message"),
        (1, _) if attempt > 2 => Verdict::Dead("it failed for unknown reasons, three times; is a permission missing?"),
        (2, 2_018_344) => Verdict::Dead("the person has not accepted Messenger's terms"),
        (1 | 2 | 1200, _) => Verdict::Again(Extent::Conversation),
        (4 | 17 | 32 | 613 | 80_001 | 80_006 | 341, _) => Verdict::Again(Extent::Channel),
        (102 | 190, subcode) => Verdict::Locked(token_advice(subcode)),
        (10, 2_018_278 | 2_018_065) => Verdict::Outside("the person's last message is more than 24 hours ago"),
        (10, 2_018_108) => Verdict::Dead("the person does not receive messages"),
        (10, 2_018_300) => Verdict::Dead("another app holds the conversation"),
        (10 | 200, 2_018_028) => {
            Verdict::Dead("the app is in development and the person is no tester: get pages_messaging reviewed")
        }
        (3 | 10 | 200..=299, _) => {
            Verdict::Dead("a permission is missing: look at the app's access to pages_messaging")
        }
        (100, 2_018_001) => Verdict::Gone("no such person on this page; does the token belong to another page?"),
        (100, 2_018_034) => Verdict::Dead("the message is empty"),
        (100, 2_018_109 | 2_018_047 | 2_018_032) => Verdict::Dead("the attachment cannot be taken"),
        (100, 33) => Verdict::Dead("what it names does not exist, or the token may not see it"),
        (100, _) => Verdict::Dead("Messenger does not take a value that we sent"),
        (368, _) => Verdict::Dead("the page is blocked for breaking Meta's policies: look at its Page Quality"),
        (551, _) => Verdict::Gone("the person is not available: blocked the page, or left"),
        (10_303, _) => Verdict::Dead("account linking failed"),
        _ => return None,
    })
}

/// What the operator can do about a refused token.
fn token_advice(subcode: i64) -> &'static str {
    match subcode {
        458 => {
            "the app was removed by the person who made the page's token: add it again, make a new token and restart"
        }
        459 => "the person who made the page's token must log in at Facebook first",
        460 => "the page's token died with a changed password: make a new one and restart",
        463 => "the page's token has expired: make a new one and restart",
        492 => "the person who made the page's token has no role on the page any more: make a new one and restart",
        _ => "the page's token is not valid: make a new one and restart",
    }
}

/// How long the answer asks us to leave the whole page alone (messenger.md §8).
fn wait(answer: &Answer, now: Moment) -> Option<Duration> {
    let regained =
        answer.header("x-business-use-case-usage").and_then(regained).map(|rest| rest.min(UPSTREAM_WAIT_MAX));
    let used_up = answer.header("x-app-usage").is_some_and(is_used_up).then_some(RETRY_DELAY_MAX);
    [asked(answer, now), regained, used_up].into_iter().flatten().max()
}

/// `Retry-After`; not documented for Meta, but a gateway before it may say it.
fn asked(answer: &Answer, now: Moment) -> Option<Duration> {
    retry_after(answer.header("retry-after")?, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::WORDS_BYTES_MAX;
    use crate::model::FetchFault;

    const NOW: Moment = Moment(1_763_712_000_000);

    fn judged(status: u16, headers: &[(&str, &str)], body: &str) -> Delivery {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let answer = Answer { status, headers, body: body.as_bytes().to_vec() };
        delivery(&Outcome::Answered(answer), 1, NOW, &[])
    }

    fn error(code: i64, subcode: i64) -> String {
        format!(r#"{{"error":{{"message":"words","code":{code},"error_subcode":{subcode}}}}}"#)
    }

    /// `Delivery` in one word, for tables.
    fn word(delivery: &Delivery) -> &'static str {
        match delivery {
            Delivery::Delivered { .. } => "delivered",
            Delivery::Retry { extent: Extent::Channel, .. } => "channel",
            Delivery::Retry { maybe_said: true, .. } => "maybe",
            Delivery::Retry { .. } => "again",
            Delivery::Locked { .. } => "locked",
            Delivery::Unknown { .. } => "unknown",
            Delivery::Dead { .. } => "dead",
            Delivery::Gone { .. } => "gone",
            Delivery::Outside { .. } => "outside",
        }
    }

    #[test]
    fn every_row_of_the_table_is_judged_by_code_and_subcode() {
        for (status, code, subcode, expected) in [
            (400, 1, 99, "again"),
            (400, 1, 1_357_046, "dead"),
            (500, 2, 0, "again"),
            (400, 2, 2_018_344, "dead"),
            (400, 3, 0, "dead"),
            (403, 200, 0, "dead"),
            (403, 299, 0, "dead"),
            (400, 10, 0, "dead"),
            (400, 4, 0, "channel"),
            (400, 4, 2_018_022, "channel"),
            (400, 17, 0, "channel"),
            (400, 32, 0, "channel"),
            (400, 613, 1996, "channel"),
            (400, 80_001, 0, "channel"),
            (400, 80_006, 0, "channel"),
            (400, 341, 0, "channel"),
            (400, 10, 2_018_278, "outside"),
            (400, 10, 2_018_065, "outside"),
            (400, 10, 2_018_108, "dead"),
            (400, 10, 2_018_300, "dead"),
            (400, 10, 2_018_028, "dead"),
            (400, 100, 0, "dead"),
            (400, 100, 2_018_001, "gone"),
            (400, 100, 33, "dead"),
            (400, 102, 0, "locked"),
            (400, 190, 0, "locked"),
            (401, 190, 458, "locked"),
            (500, 190, 463, "locked"),
            (400, 190, 492, "locked"),
            (400, 368, 0, "dead"),
            (400, 551, 1_545_041, "gone"),
            (400, 1200, 0, "again"),
            (400, 10_303, 0, "dead"),
            (400, 777_777, 0, "dead"),
            (500, 777_777, 0, "again"),
            (429, 777_777, 0, "channel"),
            (200, 190, 0, "locked"),
        ] {
            assert_eq!(word(&judged(status, &[], &error(code, subcode))), expected, "{status} {code}/{subcode}");
        }
    }

    #[test]
    fn an_answer_that_is_not_graphs_is_judged_by_its_status() {
        for (status, body, expected) in [
            (200, r#"{"recipient_id":"7","message_id":"m"}"#, "delivered"),
            (200, r#"{"message_id":"m"}"#, "delivered"),
            (200, r#"{"recipient_id":"7"}"#, "delivered"),
            (200, "{}", "unknown"),
            (200, "", "unknown"),
            (200, "<html>", "unknown"),
            (200, r#"{"message_id":7}"#, "unknown"),
            (302, "", "dead"),
            (401, "<html>", "locked"),
            (404, "", "dead"),
            (429, "slow down", "channel"),
            (500, "", "maybe"),
            (502, "<html>", "maybe"),
            (503, r#"{"error":"busy"}"#, "maybe"),
            (504, "", "maybe"),
        ] {
            assert_eq!(word(&judged(status, &[], body)), expected, "{status} {body}");
        }
    }

    #[test]
    fn an_unknown_error_is_tried_again_twice() {
        let answer = Answer { status: 500, body: error(1, 0).into_bytes(), ..Answer::default() };
        let attempts = [1, 2, 3].map(|attempt| delivery(&Outcome::Answered(answer.clone()), attempt, NOW, &[]));
        assert_eq!(attempts.each_ref().map(word), ["again", "again", "dead"]);
    }

    #[test]
    fn what_did_not_go_out_is_tried_again_and_what_did_is_unknown() {
        let failed = |went_out| {
            delivery(&Outcome::Failed(FetchFault { went_out, why: "connection reset".to_owned() }), 1, NOW, &[])
        };
        assert_eq!(word(&failed(false)), "again");
        assert_eq!(failed(true), Delivery::Unknown { why: "connection reset".to_owned() });
    }

    #[test]
    fn the_longest_wait_that_was_asked_for_counts() {
        let business =
            r#"{"1":[{"estimated_time_to_regain_access":3},{"estimated_time_to_regain_access":19}],"2":[{}]}"#;
        let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
        for (headers, expected) in [
            (vec![], None),
            (vec![("retry-after", "7")], Some(Duration::from_secs(7))),
            (vec![("retry-after", "Fri, 21 Nov 2025 08:01:00 GMT")], minutes(1)),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "999999999")], Some(UPSTREAM_WAIT_MAX)),
            (vec![("x-business-use-case-usage", business)], minutes(19)),
            (vec![("x-business-use-case-usage", business), ("retry-after", "7")], minutes(19)),
            (vec![("x-business-use-case-usage", r#"{"1":[{"estimated_time_to_regain_access":1e99}]}"#)], minutes(1440)),
            (vec![("x-app-usage", r#"{"call_count":100,"total_time":25}"#)], minutes(10)),
            (vec![("x-app-usage", r#"{"call_count":28,"total_time":25}"#)], None),
        ] {
            let Delivery::Retry { after, extent: Extent::Channel, .. } = judged(400, &headers, &error(4, 0)) else {
                unreachable!("{headers:?}")
            };
            assert_eq!(after, expected, "{headers:?}");
        }
    }

    #[test]
    fn no_words_repeat_a_secret_or_run_on() {
        let hidden = [Secret::new("EAAG0pageTOKEN-and-more")];
        let body =
            r#"{"error":{"code":190,"message":"Malformed access token EAAG0pageTOKEN-and-more; EAAG0pageTOKE...\n"#;
        let body = format!("{body}{}\"}}}}", "é".repeat(2000));
        let answer = Answer { status: 400, body: body.into_bytes(), ..Answer::default() };
        let Delivery::Locked { why } = delivery(&Outcome::Answered(answer), 1, NOW, &hidden) else { unreachable!() };
        assert!(why.starts_with("error 190: the page's token is not valid: make a new one and restart (Meta says: M"));
        assert!(why.contains("token ***; ***"), "{why}");
        assert!(!why.contains("EAAG") && !why.contains('\n') && why.len() <= WORDS_BYTES_MAX, "{why}");
    }
}
