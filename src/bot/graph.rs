//! What the Graph API says about its limits, for bots that ask it (graph.md §6, messenger.md §8).

use crate::limits::{GRAPH_REST, GRAPH_REST_MAX};
use crate::model::{Answer, Lesson, Moment};
use serde_json::Value;
use std::time::Duration;

/// What to `learn` of an answer: nothing where calls may go on. One that is not told how long to wait waits a while, since
/// calls meanwhile lengthen the wait.
pub fn lesson(answer: &Answer, now: Moment) -> Option<Lesson> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = body.pointer("/error/code").and_then(Value::as_i64).unwrap_or(0);
    let refused = answer.status == 429 || matches!(code, 4 | 17 | 32 | 341 | 613 | 80_001 | 80_006);
    let rest = match regained(answer) {
        Some(rest) => rest,
        None if refused || used_up(answer) => GRAPH_REST,
        None => return None,
    };
    Some(Lesson { until: Some(now.after(rest.min(GRAPH_REST_MAX))), ..Lesson::default() })
}

/// The most minutes until calls are allowed again; nothing when they are.
fn regained(answer: &Answer) -> Option<Duration> {
    let usage: Value = serde_json::from_slice(answer.header("x-business-use-case-usage")?.as_bytes()).ok()?;
    let calls = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    let minutes = calls.filter_map(|call| call.get("estimated_time_to_regain_access")?.as_u64());
    minutes.max().filter(|minutes| *minutes > 0).map(|minutes| Duration::from_secs(minutes.saturating_mul(60)))
}

/// Percentages; at 100 calls are refused from now on.
fn used_up(answer: &Answer) -> bool {
    let usage = answer.header("x-app-usage").and_then(|usage| serde_json::from_slice::<Value>(usage.as_bytes()).ok());
    let usage = usage.as_ref().and_then(Value::as_object);
    usage.is_some_and(|usage| usage.values().filter_map(Value::as_f64).any(|percent| percent >= 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_763_712_000_000);

    /// Seconds to rest.
    fn rest(status: u16, headers: &[(&str, &str)], body: &str) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let lesson = lesson(&Answer { status, headers, body: body.as_bytes().to_vec() }, NOW)?;
        assert_eq!((lesson.per, lesson.of, lesson.left), (None, None, None));
        Some(lesson.until.unwrap().since(NOW).as_secs())
    }

    #[test]
    fn an_answer_that_says_too_many_rests_and_any_other_does_not() {
        for code in [4, 17, 32, 341, 613, 80_001, 80_006] {
            assert_eq!(rest(403, &[], &format!("{{\"error\":{{\"code\":{code}}}}}")), Some(300), "{code}");
        }
        assert_eq!(rest(429, &[], "<html>"), Some(300));
        for (status, body) in
            [(200, "{\"data\":[]}"), (400, "{\"error\":{\"code\":100}}"), (500, ""), (401, "{\"error\":4}")]
        {
            assert_eq!(rest(status, &[], body), None, "{body}");
        }
    }

    #[test]
    fn usage_says_how_long_and_is_believed_for_a_day() {
        let business = |minutes: &str| {
            let usage = format!(
                "{{\"1\":[{{\"estimated_time_to_regain_access\":0}}],\"2\":[{{\"estimated_time_to_regain_access\":{minutes}}}]}}"
            );
            rest(200, &[("x-business-use-case-usage", &usage)], "{}")
        };
        assert_eq!((business("0"), business("19"), business("99999999999")), (None, Some(1140), Some(86_400)));
        let app =
            |count: &str| rest(200, &[("x-app-usage", &format!("{{\"call_count\":{count},\"total_time\":2}}"))], "{}");
        assert_eq!((app("99"), app("100"), app("\"x\"")), (None, Some(300), None));
        assert_eq!(rest(200, &[("x-app-usage", "nonsense"), ("x-business-use-case-usage", "[]")], "{}"), None);
    }
}
