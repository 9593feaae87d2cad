//! What Graph says in the headers of its answers of how much it was asked (graph.md §6, messenger.md §8). Nothing of it is
//! promised, so what cannot be read says nothing.

use serde_json::Value;
use std::time::Duration;

/// `X-Business-Use-Case-Usage`: how long until calls are allowed again, when they are not now. Minutes, per business object
/// and kind of call; the longest counts.
pub fn regained(usage: &str) -> Option<Duration> {
    let usage: Value = serde_json::from_str(usage).ok()?;
    let calls = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    let minutes = calls.filter_map(|call| call.get("estimated_time_to_regain_access")?.as_f64());
    let longest = minutes.fold(0.0, f64::max);
    let longest = Duration::try_from_secs_f64(longest * 60.0).unwrap_or(Duration::MAX);
    (!longest.is_zero()).then_some(longest)
}

/// `X-App-Usage`: whether calls are refused from now on. Percentages; for how long it does not say.
pub fn is_used_up(usage: &str) -> bool {
    let usage = serde_json::from_str::<Value>(usage).unwrap_or_default();
    usage.as_object().is_some_and(|usage| usage.values().filter_map(Value::as_f64).any(|percent| percent >= 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_time_to_regain_access_counts() {
        let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
        let one = |figure: &str| regained(&format!(r#"{{"1":[{{"estimated_time_to_regain_access":{figure}}}]}}"#));
        let several =
            r#"{"1":[{"estimated_time_to_regain_access":3},{"estimated_time_to_regain_access":19}],"2":[{}],"3":7}"#;
        assert_eq!((regained(several), one("0"), one("-1")), (minutes(19), None, None));
        assert_eq!((one("1e99"), one("\"5\""), one("null")), (Some(Duration::MAX), None, None));
        assert_eq!(["nonsense", "[]", "{}", ""].map(regained), [None; 4]);
    }

    #[test]
    fn calls_are_used_up_at_a_hundred_percent_of_anything() {
        for (usage, expected) in [
            (r#"{"call_count":100,"total_time":25}"#, true),
            (r#"{"call_count":28,"total_cputime":100.5}"#, true),
            (r#"{"call_count":99,"total_time":25}"#, false),
            (r#"{"call_count":"100"}"#, false),
            ("[100]", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_used_up(usage), expected, "{usage}");
        }
    }
}
