//! What the twins sent and what they were told, as JSON for whoever wants to check a bot against it.
//!
//! Bounded in bytes: the oldest entries leave, and `gone` says how many. No token is ever in it: what could be one is
//! masked before it is kept.

use super::faults::CallFault;
use super::{Dispatch, End, Meter};
use crate::limits::{LEDGER_ATTEMPTS_MAX, LEDGER_BODY_BYTES_MAX};
use crate::model::{Method, Moment, Request};
use crate::notation::shelf::Shelf;
use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;

/// What stands in place of a secret.
const MASK: &str = "***";

/// Names of parameters and members whose values are secrets, on any platform.
const SECRETS: [&str; 9] = [
    "access_token",
    "appsecret_proof",
    "client_secret",
    "fb_exchange_token",
    "hub.verify_token",
    "input_token",
    "refresh_token",
    "secret",
    "verify_token",
];

/// Those of queries: in a body these words are a message's, too.
const SECRETS_OF_QUERIES: [&str; 3] = ["api_key", "code", "key"];

/// One dispatch and all its attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SentEntry {
    pub twin: String,
    pub number: u64,
    pub made: Moment,
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub attempts: Vec<AttemptEntry>,
    /// Whether an attempt had the end that the platform wanted.
    pub satisfied: bool,
}

/// One attempt: a status, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttemptEntry {
    pub attempt: u32,
    pub ended: Moment,
    pub status: Option<u16>,
    pub took_ms: Option<u64>,
    pub failure: Option<String>,
    /// It was sent twice on purpose, and this was the second.
    pub copy: bool,
}

/// One call to a twin's API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallEntry {
    pub twin: String,
    pub at: Moment,
    pub method: &'static str,
    /// With its query.
    pub path: String,
    pub body: String,
    /// What was answered, or would have been.
    pub status: u16,
    /// The fault that it met, by the plan's word.
    pub fault: Option<&'static str>,
    /// The message that it made, by its id.
    pub bubble: Option<String>,
}

/// What was used of a twin's limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeterEntry {
    pub twin: String,
    #[serde(flatten)]
    pub meter: Meter,
}

/// Entries that left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gone {
    pub dispatches: u64,
    pub calls: u64,
}

/// All that is remembered, in order.
#[derive(Debug)]
pub struct Ledger {
    dispatches: VecDeque<SentEntry>,
    calls: VecDeque<CallEntry>,
    gone: Gone,
    /// Where a dispatch stands, by twin and number, counted from the first that ever was.
    places: Shelf<(String, u64), u64>,
    bytes: usize,
    bytes_max: usize,
}

/// A ledger, or one twin's part of it, as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct Extract {
    pub gone: Gone,
    pub dispatches: Vec<SentEntry>,
    pub calls: Vec<CallEntry>,
    /// The house reads them off its twins.
    pub meters: Vec<MeterEntry>,
}

impl Ledger {
    /// An empty one that holds so many bytes, about.
    pub fn new(bytes_max: usize) -> Ledger {
        let (dispatches, calls) = (VecDeque::new(), VecDeque::new());
        Ledger { dispatches, calls, gone: Gone::default(), places: Shelf::new(), bytes: 0, bytes_max }
    }

    /// All of it, or what belongs to one twin.
    pub fn extract(&self, twin: Option<&str>) -> Extract {
        let of = |name: &str| twin.is_none_or(|twin| twin == name);
        Extract {
            gone: self.gone,
            dispatches: self.dispatches.iter().filter(|entry| of(&entry.twin)).cloned().collect(),
            calls: self.calls.iter().filter(|entry| of(&entry.twin)).cloned().collect(),
            meters: Vec::new(),
        }
    }

    /// One dispatch.
    pub fn sent(&self, twin: &str, number: u64) -> Option<&SentEntry> {
        let place = self.places.get(&(twin.to_owned(), number))?;
        self.dispatches.get(usize::try_from(place.checked_sub(self.gone.dispatches)?).ok()?)
    }

    /// A twin made a dispatch; a retry of one that is known changes nothing.
    pub(super) fn made(&mut self, twin: &str, dispatch: &Dispatch, now: Moment) {
        let name = (twin.to_owned(), dispatch.number);
        if self.places.contains_key(&name) {
            return;
        }
        let mask = |(header, value): &(&'static str, String)| {
            let shown = if header.eq_ignore_ascii_case("authorization") { MASK } else { value };
            (*header, shown.to_owned())
        };
        let entry = SentEntry {
            twin: twin.to_owned(),
            number: dispatch.number,
            made: now,
            method: method(dispatch.method),
            url: masked_target(&dispatch.url),
            headers: dispatch.headers.iter().map(mask).collect(),
            body: shown_body(&dispatch.body),
            attempts: Vec::new(),
            satisfied: false,
        };
        self.bytes += entry.bytes();
        self.places.insert(name, self.gone.dispatches + self.dispatches.len() as u64);
        self.dispatches.push_back(entry);
        self.cut();
    }

    /// An attempt ended.
    pub(super) fn ended(&mut self, twin: &str, dispatch: &Dispatch, end: &End, ending: Ending) {
        let place = self.places.get(&(twin.to_owned(), dispatch.number));
        let place = place.and_then(|place| usize::try_from(place.checked_sub(self.gone.dispatches)?).ok());
        let Some(entry) = place.and_then(|place| self.dispatches.get_mut(place)) else { return };
        entry.satisfied |= ending.satisfied;
        if entry.attempts.len() >= LEDGER_ATTEMPTS_MAX {
            return;
        }
        let (status, took_ms, failure) = match end {
            End::Answered { status, took, .. } => (Some(*status), u64::try_from(took.as_millis()).ok(), None),
            // An error may quote the whole address.
            End::Failed { why } => (None, None, Some(why.replace(&dispatch.url, &entry.url))),
        };
        let bytes = size_of::<AttemptEntry>() + failure.as_ref().map_or(0, String::len);
        let (attempt, ended, copy) = (dispatch.attempt, ending.at, ending.copy);
        entry.attempts.push(AttemptEntry { attempt, ended, status, took_ms, failure, copy });
        self.bytes += bytes;
        self.cut();
    }

    /// A call was answered, or cut off.
    pub(super) fn called(&mut self, twin: &str, request: &Request, now: Moment, called: Called) {
        let entry = CallEntry {
            twin: twin.to_owned(),
            at: now,
            method: method(request.head.method),
            path: masked_target(request.head.target()),
            body: shown_body(&request.body),
            status: called.status,
            fault: called.fault.map(CallFault::word),
            bubble: called.bubble,
        };
        self.bytes += entry.bytes();
        self.calls.push_back(entry);
        self.cut();
    }

    /// Lets the oldest go until the rest fits: of whichever kind is older.
    fn cut(&mut self) {
        while self.bytes > self.bytes_max {
            let oldest = (self.dispatches.front().map(|entry| entry.made), self.calls.front().map(|entry| entry.at));
            let of_dispatches = match oldest {
                (Some(made), Some(called)) => made <= called,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if of_dispatches {
                let Some(entry) = self.dispatches.pop_front() else { return };
                self.bytes = self.bytes.saturating_sub(entry.bytes());
                self.places.remove(&(entry.twin, entry.number));
                self.gone.dispatches += 1;
            } else {
                let Some(entry) = self.calls.pop_front() else { return };
                self.bytes = self.bytes.saturating_sub(entry.bytes());
                self.gone.calls += 1;
            }
        }
    }
}

/// What is known of an attempt's end besides the end itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub at: Moment,
    pub satisfied: bool,
    pub copy: bool,
}

/// What became of a call.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub status: u16,
    pub fault: Option<CallFault>,
    pub bubble: Option<String>,
}

impl SentEntry {
    fn bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(_, value)| size_of::<(&str, String)>() + value.len()).sum();
        let failures = self.attempts.iter().map(|attempt| attempt.failure.as_ref().map_or(0, String::len));
        let attempts = self.attempts.len() * size_of::<AttemptEntry>() + failures.sum::<usize>();
        // Its place takes a key and a number.
        let place = size_of::<(String, u64, u64)>() + self.twin.len();
        size_of::<SentEntry>() + place + self.twin.len() + self.url.len() + self.body.len() + headers + attempts
    }
}

impl CallEntry {
    fn bytes(&self) -> usize {
        let bubble = self.bubble.as_ref().map_or(0, String::len);
        size_of::<CallEntry>() + self.twin.len() + self.path.len() + self.body.len() + bubble
    }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Patch => "PATCH",
        Method::Options => "OPTIONS",
        Method::Connect => "CONNECT",
        Method::Trace => "TRACE",
    }
}

/// A body as text, without secrets, cut to a length that can be kept.
fn shown_body(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = masked_body(&text);
    match text.char_indices().map(|(at, _)| at).find(|at| *at >= LEDGER_BODY_BYTES_MAX) {
        Some(end) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// A body without secrets. One that names a secret and is neither JSON nor a form is not shown at all.
fn masked_body(text: &str) -> String {
    if !SECRETS.iter().any(|name| text.contains(name)) {
        return text.to_owned();
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            mask(&mut value);
            value.to_string()
        }
        Err(_) if text.contains(['{', '<', '\n', ' ']) => MASK.to_owned(),
        Err(_) => masked_query(text),
    }
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if SECRETS.contains(&name.as_str()) {
                    *value = Value::from(MASK);
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

/// A path or URL whose query has no secrets.
fn masked_target(target: &str) -> String {
    match target.split_once('?') {
        Some((path, query)) => format!("{path}?{}", masked_query(query)),
        None => target.to_owned(),
    }
}

fn masked_query(query: &str) -> String {
    let mask = |pair: &str| match pair.split_once('=') {
        // A name in percent signs is no name that a platform's program writes, so what it hides may be anything.
        Some((name, _)) if SECRETS.contains(&name) || SECRETS_OF_QUERIES.contains(&name) || name.contains('%') => {
            format!("{name}={MASK}")
        }
        _ => pair.to_owned(),
    };
    query.split('&').map(mask).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn dispatch(number: u64, body: &str) -> Dispatch {
        Dispatch {
            number,
            attempt: 1,
            due: Moment(0),
            method: Method::Post,
            url: "http://127.0.0.1/x?hub.verify_token=sesame&a=1".to_owned(),
            headers: vec![("Authorization", "Bearer sesame".to_owned()), ("X-Two", "2".to_owned())],
            body: body.as_bytes().to_vec(),
            patience: Duration::from_secs(5),
        }
    }

    fn ending(at: i64, satisfied: bool) -> Ending {
        Ending { at: Moment(at), satisfied, copy: false }
    }

    #[test]
    fn no_secret_is_kept_wherever_it_stands() {
        let mut ledger = Ledger::new(100_000);
        for (number, body) in [
            "{\"a\":[{\"access_token\":\"sesame\"}],\"secret\":\"sesame\"}",
            "fields=a&verify_token=sesame&fb_exchange_token=sesame",
            "<x access_token='sesame'>",
        ]
        .into_iter()
        .enumerate()
        {
            ledger.made("page", &dispatch(number as u64, body), Moment(1));
        }
        let failed =
            End::Failed { why: "the request to http://127.0.0.1/x?hub.verify_token=sesame&a=1 fails".to_owned() };
        ledger.ended("page", &dispatch(0, ""), &failed, ending(2, false));
        let text = serde_json::to_string(&ledger.extract(None)).unwrap();
        assert!(!text.contains("sesame"), "{text}");
        assert!(
            text.contains("/x?hub.verify_token=***&a=1 fails") && text.contains("fields=a&verify_token=***"),
            "{text}"
        );
    }

    #[test]
    fn attempts_stand_with_their_dispatch_and_one_good_end_is_enough() {
        let mut ledger = Ledger::new(100_000);
        ledger.made("page", &dispatch(1, "a"), Moment(1));
        ledger.made("other", &dispatch(1, "b"), Moment(1));
        let answered = |status| End::Answered { status, body: Vec::new(), took: Duration::from_millis(3) };
        ledger.ended("page", &dispatch(1, "a"), &answered(500), ending(2, false));
        ledger.made("page", &dispatch(1, "a"), Moment(3));
        ledger.ended("page", &dispatch(1, "a"), &answered(200), ending(4, true));
        ledger.ended("page", &dispatch(1, "a"), &answered(500), ending(5, false));
        let page = ledger.sent("page", 1).unwrap();
        assert_eq!(page.attempts.iter().map(|attempt| attempt.status).collect::<Vec<_>>(), [500, 200, 500].map(Some));
        assert!(page.satisfied && page.attempts.first().unwrap().took_ms == Some(3));
        assert_eq!(ledger.sent("other", 1).unwrap().attempts, []);
        assert_eq!(ledger.extract(Some("other")).dispatches.len(), 1);
    }

    #[test]
    fn the_oldest_leave_and_are_counted_and_the_others_are_still_found() {
        let mut ledger = Ledger::new(20_000);
        for number in 1..=200 {
            ledger.made("page", &dispatch(number, &"x".repeat(500)), Moment(number as i64));
        }
        let extract = ledger.extract(None);
        assert!(ledger.bytes <= 20_000 && extract.dispatches.len() > 10);
        assert_eq!(extract.gone.dispatches + extract.dispatches.len() as u64, 200);
        assert_eq!(ledger.places.len(), extract.dispatches.len());
        assert_eq!((ledger.sent("page", 1), ledger.sent("page", 200).unwrap().number), (None, 200));
        let failed = End::Failed { why: "gone".to_owned() };
        ledger.ended("page", &dispatch(1, ""), &failed, ending(9, false));
        ledger.ended("page", &dispatch(200, ""), &failed, ending(9, false));
        assert_eq!(ledger.sent("page", 200).unwrap().attempts.len(), 1);
    }

    #[test]
    fn a_long_body_is_cut_at_a_character() {
        let shown = shown_body("ü".repeat(LEDGER_BODY_BYTES_MAX).as_bytes());
        assert!(shown.ends_with("ü…") && shown.len() <= LEDGER_BODY_BYTES_MAX + 4);
    }
}
