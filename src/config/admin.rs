//! Where the operator's browser comes in, and whoever watches.

use super::findings::Findings;
use super::listen::{self, Listens};
use super::table::{Entry, Key};

const KEYS: &[Key] = &[Key { name: "listen", example: "\"127.0.0.1:3001\"" }];

/// Addresses of this machine alone, none of them a public one, or a unix socket. Whoever can open one is taken for the
/// operator.
pub(super) fn listens(entry: &Entry<'_>, public: &Listens, findings: &mut Findings<'_>) -> Listens {
    let Some(table) = entry.table(KEYS, findings) else { return Listens::default() };
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
