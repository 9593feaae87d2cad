//! The services that bots ask: what is left of their calls, and whether we may still ask them. It is read from the store;
//! nobody is asked, since that would cost a call.

use super::super::show::second;
use super::Instruments;
use super::finding::Finding;
use crate::keeper::{LEDGERS, TOKENS};
use crate::limits::{CONSENT_WARNING, LOGIN_WARNING};
use crate::model::{Left, Moment, OAuth, Period, Upstream};
use crate::notation::counted::counted;
use crate::queue::budget::Ledger;
use crate::work::facebook::Consent;
use crate::work::vault::Tokens;
use std::path::Path;

/// What is looked at of an upstream, by its name.
pub(super) fn looks(name: &str) -> [String; 2] {
    [format!("budget of {name}"), format!("login of {name}")]
}

/// The looks at one upstream; the second only where it wants a login.
pub(super) fn findings(upstream: &Upstream, store: &Path, file: &Path, by: &Instruments<'_>) -> Vec<Finding> {
    let [budget_of, login_of] = looks(&upstream.name);
    let now = (by.world.clock)();
    let kept = |owner| by.machine.recall(store, owner, &upstream.name, now);
    // The look at the store tells the rest.
    let unseen = |what: &str| Finding::unseen(what, "the store cannot be read");
    let budget = match kept(LEDGERS) {
        Ok(json) => budget(&budget_of, upstream, json, now, by),
        Err(_) => unseen(&budget_of),
    };
    let login = upstream.oauth().map(|oauth| match kept(TOKENS) {
        Ok(json) => login(&login_of, (oauth, json), &upstream.name, file, by),
        Err(_) => unseen(&login_of),
    });
    let granted = upstream.facebook().map(|_| match kept(TOKENS) {
        Ok(json) => granted(&login_of, json, &upstream.name, file, by),
        Err(_) => unseen(&login_of),
    });
    std::iter::once(budget).chain(login).chain(granted).collect()
}

fn budget(what: &str, upstream: &Upstream, json: Option<Vec<u8>>, now: Moment, by: &Instruments<'_>) -> Finding {
    const MEND: &str =
        "let its bots ask less often, as with a larger `age`, or take a larger plan and write its limits";
    let limits = &upstream.limits;
    let (ledger, fault) = match json {
        Some(json) => Ledger::read(&json, limits, now),
        None => (Ledger::default(), None),
    };
    let left = ledger.left(limits, now);
    let words = words(&left, now, by);
    if let Some(fault) = fault {
        let detail = format!("what was spent cannot be read ({fault}), so calls count as spent evenly; {words}");
        return Finding::note(what, detail);
    }
    if left.iter().any(|left| left.per >= Period::Day && left.calls == 0) {
        return Finding::wrong(what, words, MEND);
    }
    match ledger.forecast(limits, now) {
        Some(end) => {
            let end = second(end, &by.world.zone);
            Finding::wrong(what, format!("at this pace its calls are used up on {end}; {words}"), MEND)
        }
        None => Finding::ok(what, words),
    }
}

/// What is left, the longest period first; of a short one only where nothing is.
fn words(left: &[Left], now: Moment, by: &Instruments<'_>) -> String {
    let one = |left: &Left| {
        let (calls, of, ends) = (left.calls, left.of, second(left.ends, &by.world.zone));
        let per = left.per.word();
        match left.per {
            Period::Second | Period::Minute if calls > 0 || left.ends <= now => format!("at most {of} a {per}"),
            Period::Second | Period::Minute => format!("at most {of} a {per}, and none before {ends}"),
            Period::Day | Period::Month => format!("{calls} of {of} calls a {per} left until {ends}"),
        }
    };
    match left {
        [] => "it may be asked without limits".to_owned(),
        left => left.iter().rev().map(one).collect::<Vec<_>>().join("; "),
    }
}

fn login(
    what: &str,
    (oauth, json): (&OAuth, Option<Vec<u8>>),
    name: &str,
    file: &Path,
    by: &Instruments<'_>,
) -> Finding {
    let now = (by.world.clock)();
    let login = format!("ackd login {name} --config {}", file.display());
    let Some(json) = json else { return Finding::wrong(what, "nobody has logged in there yet", login) };
    let Some(tokens) = Tokens::read(&json) else {
        return Finding::wrong(what, "its tokens cannot be read", login);
    };
    if let Some(why) = tokens.refused() {
        return Finding::wrong(what, format!("it takes our consent no more ({why})"), login);
    }
    let end = tokens.end(oauth);
    let day = second(end, &by.world.zone);
    if end <= now {
        return Finding::wrong(what, format!("its consent ended unused on {day}"), login);
    }
    if end <= now.after(CONSENT_WARNING) {
        // A daemon that runs renews it long before.
        let wrong = format!("its consent ends on {day}, and could not be renewed");
        return Finding::wrong(what, wrong, format!("see what the daemon's log says about it; else {login}"));
    }
    Finding::ok(what, format!("we may ask it; its consent lasts until {day}, and is renewed before"))
}

/// What somebody granted who logged in on a page of ours.
fn granted(what: &str, json: Option<Vec<u8>>, name: &str, file: &Path, by: &Instruments<'_>) -> Finding {
    let now = (by.world.clock)();
    let login = format!("ackd login {name} --config {}", file.display());
    let Some(json) = json else { return Finding::wrong(what, "nobody has logged in there yet", login) };
    let Some(consent) = Consent::read(&json) else {
        return Finding::wrong(what, "what was granted cannot be read", login);
    };
    if let Some(why) = consent.refused() {
        return Finding::wrong(what, format!("it takes our consent no more ({why})"), login);
    }
    let day = |moment| second(moment, &by.world.zone);
    let end = consent.end();
    if let Some(end) = end.filter(|end| *end <= now.after(LOGIN_WARNING)) {
        let ends = if end <= now { "ended" } else { "ends" };
        return Finding::wrong(what, format!("what was granted {ends} on {}", day(end)), login);
    }
    let mut words = format!("granted {} ago, ", counted(now.since(consent.given()).as_secs() / (24 * 3600), "day"));
    words.push_str(&end.map_or_else(|| "without an end".to_owned(), |end| format!("until {}", day(end))));
    words.push_str(&format!(", for {}", consent.pages()));
    if consent.lacks().is_empty() {
        return Finding::ok(what, words);
    }
    Finding::wrong(what, format!("{words}, but not {}", consent.lacks().join(", ")), login)
}
