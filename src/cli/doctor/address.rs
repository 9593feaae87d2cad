//! Whether the public URL leads to this very daemon: only it knows the word that was left with it.

use super::finding::Finding;
use super::presence::{Presence, Word};
use super::{Base, Instruments};
use crate::config::Outline;
use crate::intake::WORD_PATH;
use crate::limits::LOOK_TIME;
use crate::model::{Answer, OutboundRequest, Outcome};
use std::path::Path;

const WHAT: &str = "public URL";

/// Asks for the word over the public URL.
pub(super) fn finding(
    base: &Base,
    outline: &Outline,
    presence: Option<&Presence>,
    file: &Path,
    by: &Instruments<'_>,
) -> Finding {
    let port = outline.listen.addresses.first().map_or_else(|| "PORT".to_owned(), |address| address.port().to_string());
    let url = match base {
        Base::At(url) => url,
        Base::Nowhere => return Finding::unseen(WHAT, format!("{} has no public_url", file.display())),
        Base::Unknown(why) => return Finding::wrong(WHAT, why, format!("ngrok http {port}")),
    };
    let word = match presence {
        Some(Presence::Answers { word, .. }) => word,
        Some(Presence::Absent) => return Finding::unseen(WHAT, "no daemon runs that could answer there"),
        _ => return Finding::unseen(WHAT, "no word could be left with the daemon"),
    };
    let request = OutboundRequest::get(format!("{url}{WORD_PATH}{}", word.ask));
    match by.upstream.call(&OutboundRequest { patience: Some(LOOK_TIME), ..request }) {
        Outcome::Answered(answer) => answered(url, &port, word, &answer),
        Outcome::Failed(fault) => {
            let mend = format!(
                "see that DNS, firewall and proxy or tunnel lead to port {port} of this machine; from elsewhere: curl -v \
                 {url}/"
            );
            Finding::wrong(WHAT, format!("{url} is not reached: {}", fault.why), mend)
        }
    }
}

fn answered(url: &str, port: &str, word: &Word, answer: &Answer) -> Finding {
    if answer.status == 200 && answer.body == word.say.as_bytes() {
        return Finding::ok(WHAT, format!("{url} leads to this daemon"));
    }
    let status = answer.status;
    if let Some(code) = answer.header("ngrok-error-code") {
        let (meaning, mend) = ngrok(code, port);
        let wrong = format!("{url} does not lead to this daemon: ngrok answers HTTP {status}, {code}: {meaning}");
        return Finding::wrong(WHAT, wrong, mend);
    }
    // The words of our own intake.
    if status == 404 && answer.body.starts_with(b"there is nothing at this path") {
        let wrong = format!("{url} leads to an ackd, but to another one, or below another path (HTTP {status})");
        return Finding::wrong(
            WHAT,
            wrong,
            format!("let the proxy or tunnel lead to port {port}, with the path as it is"),
        );
    }
    let (how, mend) = match status {
        300..=399 => (": a redirect, which platforms do not follow", "write as public_url where it redirects to"),
        // A proxy may pass the webhooks' paths and no other; then all may be well but for this look.
        404 | 405 => (
            ", or a proxy that does not pass this path",
            "let the proxy or tunnel lead to ackd, for paths below /.well-known/ackd/, too",
        ),
        401 | 403 => (": it asks who we are, and platforms cannot say", "let the proxy pass webhooks without a login"),
        502..=504 => (": a proxy that does not get through to it", "see that the proxy leads to where ackd listens"),
        _ => ("", "see which program that is, and let the proxy or tunnel lead to ackd instead"),
    };
    Finding::wrong(
        WHAT,
        format!("{url} does not lead to this daemon: another program answers HTTP {status}{how}"),
        format!("{mend}: port {port} of this machine; curl -v {url}/"),
    )
}

/// What an error of ngrok's means, and what mends it (ngrok.md §4).
fn ngrok(code: &str, port: &str) -> (&'static str, String) {
    let start = format!("ngrok http {port}");
    match code {
        "ERR_NGROK_8012" => ("the agent runs, but nobody takes its connection", format!("let it lead here: {start}")),
        "ERR_NGROK_3004" => ("what answers to the agent speaks no HTTP", format!("let it lead here: {start}")),
        "ERR_NGROK_3200" => ("the endpoint is offline: no agent runs", start),
        "ERR_NGROK_334" => ("the endpoint is already online elsewhere", "stop the other agent".to_owned()),
        "ERR_NGROK_108" => ("too many agents run with this account", "stop one of them".to_owned()),
        "ERR_NGROK_725" | "ERR_NGROK_727" => {
            ("this month's traffic or requests are used up", "another plan, or another tunnel".to_owned())
        }
        "ERR_NGROK_702" => ("too many requests in this minute", "try again in a minute".to_owned()),
        "ERR_NGROK_6022" | "ERR_NGROK_6024" => {
            ("its warning page for browsers", "webhooks do not get it: ask again, or try curl".to_owned())
        }
        "ERR_NGROK_502" => ("the limit of reserved addresses is reached", "see dashboard.ngrok.com".to_owned()),
        _ => ("an error of its own", format!("see https://ngrok.com/docs/errors; then {start}")),
    }
}
