//! Where the operator's browser comes in, and whoever watches; and the token that they need, if any.

use super::findings::{Findings, Risk};
use super::listen::{self, Listens};
use super::secret::{Fit, rotated};
use super::surroundings::{Around, Secrets};
use super::table::{Entry, Key, Table};
use crate::limits::DOOR_TOKEN_CHARS_MIN;
use crate::model::Secret;

const KEYS: &[Key] = &[
    Key { name: "listen", example: "\"127.0.0.1:3001\"" },
    Key { name: "token", example: "{ env = \"ACKD_TOKEN\" }" },
];

/// Addresses of this machine alone, none of them a public one, or a unix socket. Whoever can open one is taken for the
/// operator, unless the addresses have a token: one, or two while it is changed.
pub(super) fn admin(
    top: &Table<'_>,
    public: &Listens,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> (Listens, Vec<Secret>) {
    let table = top.get("admin", findings).and_then(|entry| entry.table(KEYS, findings));
    let Some(table) = table else { return Default::default() };
    let listens = listens(&table, public, findings);
    let tokens = table.get("token", findings).map(|entry| {
        if listens.addresses.is_empty() && !listens.handed {
            findings.warn(Risk::Odd, &entry.place, "is asked for at addresses alone, and listen has none");
        }
        tokens(&entry, around, findings)
    });
    (listens, tokens.unwrap_or_default())
}

fn listens(table: &Table<'_>, public: &Listens, findings: &mut Findings<'_>) -> Listens {
    let Some(entry) = table.need("listen", findings) else { return Listens::default() };
    let listens = listen::operators(&entry, findings);
    for address in &listens.addresses {
        if !address.ip().is_loopback() {
            let what = format!(
                "{address} can be reached from outside, and whoever reaches it is the operator; write \
                 \"127.0.0.1:{}\" and go there through ssh -L",
                address.port()
            );
            findings.fault(&entry.place, what);
        } else if address.port() != 0 && public.addresses.contains(address) {
            findings
                .fault(&entry.place, format!("{address} is a public address already, in listen; take another port"));
        }
    }
    listens
}

/// None where secrets are not read; in a trial neither, which has a door of its own.
fn tokens(entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Vec<Secret> {
    let secrets = if let Secrets::Played(_) = around.secrets { Secrets::Named } else { around.secrets };
    let tokens = rotated(entry, Fit::Header, &Around { secrets, ..*around }, findings).unwrap_or_default();
    if tokens.iter().any(|token| token.expose().len() < DOOR_TOKEN_CHARS_MIN) {
        let what = format!(
            "is shorter than {DOOR_TOKEN_CHARS_MIN} characters, and whoever guesses it is the operator; \
             `openssl rand -hex 16` makes a better one"
        );
        findings.fault(&entry.place, what);
    }
    tokens
}
