//! `ackd login`: somebody allows a bot to ask an upstream, in a browser; the code that comes of it is exchanged here for
//! the first tokens.
//!
//! They are kept through the daemon that holds the store, or in the store itself. Nothing that is pasted, and no token,
//! is ever printed. Where the login is made on a page of the daemon's, its address is shown: `link.rs`.

mod link;

use super::doctor::Instruments;
use super::doctor::papers::variable;
use super::keepsake::{Keepsake, Kept};
use super::{CliError, World};
use crate::config::{Outline, quoted};
use crate::daemon::control_socket;
use crate::keeper::TOKENS;
use crate::limits::PASTED_BYTES_MAX;
use crate::model::{OAuth, Secret};
use crate::notation::nearest::nearest;
use crate::notation::{hex, percent, unpercent};
use crate::store::sqlite::SqliteFile;
use crate::work::vault::{TokenFault, ask, by_code};
use ring::rand::{SecureRandom, SystemRandom};
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};

/// Gets tokens for the upstream of this name, and keeps them.
pub fn login(
    file: &Path,
    name: &str,
    by: &Instruments<'_>,
    pasted: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let outline = Outline::load(file, by.env).map_err(CliError::Config)?;
    if let Some(login) = outline.logins.iter().find(|login| login.upstream == name) {
        return link::show(login, &outline.store, by, out);
    }
    let oauth = oauth(file, &outline, name, by)?;
    // Before anybody is sent to a browser: a code is good once.
    has_store(&outline.store, by.world)?;
    let state = random_state()?;
    writeln!(out, "Open this page in a browser, log in and allow access:\n\n    {}\n", page(&oauth, &state))?;
    writeln!(out, "Then paste the code that it shows, or the whole address that you were led to:")?;
    out.flush()?;
    let code = code(&read(pasted)?, &state)?;
    let asked = ask(&oauth, by_code(&oauth, code.expose()), &|request| by.upstream.call(request), by.world.clock);
    let tokens = asked.map_err(|fault| CliError::Failed(words(name, &fault)))?;
    if !tokens.last() {
        let why = "its answer has no refresh token, so the daemon could not go on when the first token ends";
        return Err(CliError::Failed(format!("upstream {name}: {why}")));
    }
    let kept = Keepsake { bot: TOKENS, key: name, value: &tokens.json(), expires: None };
    let then = match kept.keep(&outline.store, by.world)? {
        Kept::ByDaemon => "the daemon uses it from now on",
        Kept::Here => "it is used when ackd runs",
    };
    writeln!(out, "upstream {name}: logged in; {then}")?;
    Ok(())
}

/// How the upstream gives tokens. Its secrets are those of the running daemon, as far as they can be seen.
fn oauth(file: &Path, outline: &Outline, name: &str, by: &Instruments<'_>) -> Result<OAuth, CliError> {
    if !outline.upstreams.iter().any(|upstream| upstream == name) {
        let known = outline.upstreams.iter().map(String::as_str);
        let hint = match nearest(name, known.clone()) {
            Some(near) => format!("did you mean {near}?"),
            None if outline.upstreams.is_empty() => {
                "write a table [upstream.enphase] with kind = \"enphase\"".to_owned()
            }
            None => format!("there is {}", known.collect::<Vec<_>>().join(", ")),
        };
        return Err(CliError::Usage(format!("there is no upstream {}; {hint}", quoted(name))));
    }
    let process = by.machine.listener(&control_socket(&outline.store)).ok().filter(|process| *process > 0);
    let environ = process.and_then(|process| by.machine.read(&PathBuf::from(format!("/proc/{process}/environ"))).ok());
    let of_daemon = |name: &str| environ.as_deref().and_then(|environ| variable(environ, name));
    let env = |name: &str| of_daemon(name).or_else(|| (by.env)(name));
    let upstream = Outline::upstream(file, name, &env).map_err(CliError::Config)?;
    let oauth = upstream.and_then(|upstream| upstream.oauth().cloned());
    oauth.ok_or_else(|| {
        CliError::Usage(format!("upstream {name} has no table [upstream.{name}.oauth], so it wants no login"))
    })
}

fn has_store(store: &Path, world: &World<'_>) -> Result<(), CliError> {
    if !SqliteFile::is_held(store)? {
        drop(SqliteFile::open_as(store, world.user)?);
    }
    Ok(())
}

/// What tells this login's answer from another one's.
fn random_state() -> Result<String, CliError> {
    let mut bytes = [0; 16];
    let fill = SystemRandom::new().fill(&mut bytes);
    fill.map_err(|_| CliError::Failed("the system gives no random numbers".to_owned()))?;
    Ok(hex(&bytes))
}

/// Where consent is given (enphase.md §3).
fn page(oauth: &OAuth, state: &str) -> String {
    format!(
        "{}?response_type=code&client_id={}&redirect_uri={}&state={state}",
        oauth.authorize_url,
        percent(&oauth.client_id),
        percent(&oauth.redirect_uri)
    )
}

/// One line, with something on it.
fn read(pasted: &mut dyn BufRead) -> Result<String, CliError> {
    let mut line = String::new();
    let read = pasted.take(PASTED_BYTES_MAX).read_line(&mut line);
    read.map_err(|error| CliError::Failed(format!("reading what was pasted: {error}")))?;
    let line = line.trim();
    if line.is_empty() {
        return Err(CliError::Failed("no code was pasted; nothing was changed".to_owned()));
    }
    Ok(line.to_owned())
}

/// The code out of what was pasted: alone, or in the address that the browser was led to.
fn code(pasted: &str, state: &str) -> Result<Secret, CliError> {
    let failed = |what: &str| Err(CliError::Failed(what.to_owned()));
    let Some((_, query)) = pasted.split_once('?') else {
        if pasted.contains("://") {
            return failed(
                "this address has no code in it; paste the one that you were led to after you allowed access",
            );
        }
        return Ok(Secret::new(pasted));
    };
    let query = query.split('#').next().unwrap_or_default();
    let value = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        String::from_utf8(unpercent(value, true)).ok()
    };
    if value("error").is_some() {
        return failed("access was not allowed; nothing was changed");
    }
    if value("state").is_some_and(|theirs| theirs != state) {
        return failed("this address is of another login; paste the one that the page above led to");
    }
    match value("code").filter(|code| !code.is_empty()) {
        Some(code) => Ok(Secret::new(code)),
        None => failed("this address has no code in it; paste the one that you were led to after you allowed access"),
    }
}

fn words(name: &str, fault: &TokenFault) -> String {
    match fault {
        TokenFault::Refused(why) => format!(
            "upstream {name} does not take this code ({why}); a code is good once and for some minutes: type ackd login \
             {name} again"
        ),
        TokenFault::WrongClient(why) => format!(
            "upstream {name} does not accept client_id and client_secret ({why}); compare them with those of your \
             application"
        ),
        TokenFault::Failed(why) => format!("upstream {name} could not be asked for tokens: {why}; try it again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = "0123abcd";

    fn exposed(pasted: &str) -> Result<String, String> {
        code(pasted, STATE).map(|code| code.expose().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_code_is_taken_alone_or_out_of_its_address() {
        for pasted in [
            "aB3-x/y",
            "https://api.enphaseenergy.com/oauth/redirect_uri?code=aB3-x%2Fy&state=0123abcd",
            "https://elsewhere.example.org/?code=aB3-x/y#_=_",
        ] {
            assert_eq!(exposed(pasted), Ok("aB3-x/y".to_owned()), "{pasted}");
        }
    }

    #[test]
    fn an_address_without_our_code_says_why_and_shows_nothing() {
        for (pasted, why) in [
            ("https://a.example/?code=canary&state=other", "this address is of another login"),
            ("https://a.example/?error=access_denied&state=0123abcd", "access was not allowed"),
            ("https://a.example/?state=0123abcd", "this address has no code in it"),
            ("https://a.example/?code=&state=0123abcd", "this address has no code in it"),
            ("https://a.example/canary", "this address has no code in it"),
        ] {
            let said = exposed(pasted).unwrap_err();
            assert!(said.starts_with(why) && !said.contains("canary"), "{pasted}: {said}");
        }
    }

    #[test]
    fn what_is_pasted_is_one_line_and_not_too_long() {
        let long = vec![b'a'; 3 * usize::try_from(PASTED_BYTES_MAX).unwrap()];
        assert_eq!(read(&mut &*long).unwrap().len(), usize::try_from(PASTED_BYTES_MAX).unwrap());
        assert_eq!(read(&mut &b" abc \r\ndef\n"[..]).unwrap(), "abc");
        assert!(read(&mut &b"\n"[..]).is_err() && read(&mut &b""[..]).is_err());
    }
}
