//! A login on a page of the daemon's: this command shows where it is, and says when it was made.

use crate::cli::doctor::Instruments;
use crate::cli::keepsake::Keepsake;
use crate::cli::{CliError, World};
use crate::config::KnownLogin;
use crate::keeper::TOKENS;
use crate::limits::{FOLLOW_INTERVAL, LOGIN_TIME};
use crate::model::Secret;
use crate::work::facebook::Consent;
use crate::work::login::{LOGINS, ticket_key, ticket_link};
use crate::work::session::random;
use std::io::Write;
use std::path::Path;

/// Shows it, and waits for as long as its link is good.
pub(super) fn show(
    login: &KnownLogin,
    store: &Path,
    by: &Instruments<'_>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let KnownLogin { upstream, redirect_uri, public } = login;
    if !by.machine.is_held(store)? {
        let why = "its login is a page of the daemon's, and none is running; start it and type this again";
        return Err(CliError::Failed(format!("upstream {upstream}: {why}")));
    }
    let consent = || -> Result<Option<Consent>, CliError> {
        let json = by.machine.recall(store, TOKENS, upstream, (by.world.clock)())?;
        Ok(json.and_then(|json| Consent::read(&json)))
    };
    let before = consent()?.map(|consent| consent.given());
    let link = if *public { ticket(upstream, redirect_uri, store, by.world)? } else { redirect_uri.clone() };
    writeln!(out, "Open this page in a browser, log in and choose the pages:\n\n    {link}\n")?;
    if *public {
        writeln!(out, "It is good once, for ten minutes; whoever opens it puts their pages in place of those before.")?;
    } else {
        writeln!(out, "It is on this machine: from elsewhere go there through ssh -L, with the same port.")?;
    }
    writeln!(out, "Facebook leads back to this address, which the app must have registered, byte for byte:")?;
    writeln!(out, "\n    {redirect_uri}\n\nWaiting until somebody has logged in; Ctrl-C ends only the waiting.")?;
    out.flush()?;
    // Counted, and not by the clock, which somebody may set.
    for _ in 0..LOGIN_TIME.as_millis() / FOLLOW_INTERVAL.as_millis() {
        if let Some(consent) = consent()?.filter(|consent| Some(consent.given()) != before) {
            writeln!(out, "upstream {upstream}: logged in, for {}", consent.pages())?;
            if !consent.lacks().is_empty() {
                writeln!(out, "not granted, so something may be missing: {}", consent.lacks().join(", "))?;
            }
            return Ok(());
        }
        (by.world.linger)(FOLLOW_INTERVAL)?;
    }
    let why = "nobody logged in for ten minutes; the daemon's log says what went wrong, if somebody tried";
    Err(CliError::Failed(format!("upstream {upstream}: {why}")))
}

/// A link that lets somebody begin at the public door, once.
fn ticket(upstream: &str, redirect_uri: &str, store: &Path, world: &World<'_>) -> Result<String, CliError> {
    let ticket = random().ok_or_else(|| CliError::Failed("the system gives no random numbers".to_owned()))?;
    let (key, value) = (ticket_key(upstream, &ticket), Secret::new("{}"));
    let expires = Some((world.clock)().after(LOGIN_TIME));
    Keepsake { bot: LOGINS, key: &key, value: &value, expires }.keep(store, world)?;
    Ok(ticket_link(redirect_uri, &ticket))
}
