//! `ackd doctor`: looks at everything that an answering bot needs, live, and says what is wrong and how to mend it.
//!
//!     finding.rs     what a look came to, as a line: ok, wrong with what mends it, or not looked at
//!     machine.rs     the world as the doctor sees it: /proc, the disk, the control socket, systemctl
//!     papers.rs      the configuration and its secrets
//!     certificates.rs  how long those of the public door are good
//!     ground.rs      disk, store and what ended badly in it, open files, memory
//!     presence.rs    whether a daemon runs and answers; the unit
//!     platforms.rs   tokens, the clock, registrations
//!     upstreams.rs   what is left of the calls of services, and whether we may ask them
//!     address.rs     whether the public URL leads to this very daemon
//!
//! It changes nothing but a file of its own, written and removed, and a word that it leaves at the daemon. Each look is
//! told as soon as it was made. What cannot be looked at says why; it is not called well.
//! Never here: a secret in words. What platforms say is shown without any.

mod address;
mod certificates;
mod finding;
mod ground;
pub mod machine;
pub(super) mod papers;
mod platforms;
#[cfg(test)]
mod played;
mod presence;
mod upstreams;

use super::{CliError, World};
use crate::config::{Config, Outline};
use crate::registry::{PublicUrl, Upstream};
use finding::{Finding, Findings};
use machine::Machine;
use papers::Papers;
use platforms::Visits;
use presence::Presence;
use std::io::Write;
use std::path::Path;

/// What the doctor looks with.
pub struct Instruments<'a> {
    pub world: &'a World<'a>,
    /// The environment of whoever asks.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    pub upstream: &'a dyn Upstream,
    pub machine: &'a dyn Machine,
}

/// Looks at everything, and tells it. An error says by its exit code that something is wrong.
pub fn doctor(file: &Path, by: &Instruments<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let mut findings = Findings::new(out);
    let outline = Outline::load(file, by.env);
    let presence = outline.as_ref().ok().map(|outline| Presence::find(&outline.store, by.machine));
    let process = presence.as_ref().and_then(Presence::process);
    let papers = Papers::read(file, outline, process, by);

    findings.tell(papers.findings())?;
    let tls = papers.config.as_ref().and_then(|config| config.tls.as_ref());
    findings.tell(certificates::findings(tls, (by.world.clock)()))?;
    machine_side(&papers, presence.as_ref(), by, &mut findings)?;
    world_side(&papers, presence.as_ref(), by, &mut findings)?;
    findings.end(papers.are_faulty())
}

/// What can be seen from here.
fn machine_side(
    papers: &Papers,
    presence: Option<&Presence>,
    by: &Instruments<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    let process = presence.and_then(Presence::process);
    match (&papers.outline, presence) {
        (Ok(outline), Some(presence)) => {
            findings.tell([ground::disk(&outline.store, by)])?;
            findings.tell([ground::store(&outline.store, by.machine)])?;
            findings.tell([ground::events(&outline.store, papers.file, by)])?;
            findings.tell([presence.finding(&outline.store, papers.file)])?;
            let (wanted, taken) = (outline.connections_max, presence.connections_max());
            findings.tell([ground::open_files(wanted, taken, process, papers.file, by.machine)])?;
            findings.tell([ground::memory(taken.unwrap_or(wanted), process, by.machine)])?;
        }
        _ => {
            let unseen = |what| Finding::unseen(what, "the configuration is faulty");
            findings.tell(["disk", "store", "events", "daemon", "open files", "memory"].map(unseen))?;
        }
    }
    findings.tell([presence::unit(by.machine)])
}

/// What only the platforms and the way to us can show.
fn world_side(
    papers: &Papers,
    presence: Option<&Presence>,
    by: &Instruments<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    let Ok(outline) = &papers.outline else {
        let unseen = |what| Finding::unseen(what, "the configuration is faulty");
        return findings.tell(["clock", "tokens", "public URL", "registrations", "upstreams"].map(unseen));
    };
    let base = base(outline.public_url.as_ref(), outline, by);
    let without = |what: &str| Finding::unseen(what, "its secrets are not all there");
    match &papers.config {
        Some(config) => {
            let mut visits = Visits::default();
            for channel in &config.channels {
                findings.tell([visits.token(channel, papers.file, by)])?;
            }
            findings.tell([visits.clock()])?;
            findings.tell([address::finding(&base, outline, presence, papers.file, by)])?;
            registrations(config, &base, &visits, papers.file, by, findings)?;
            let told = |upstream| upstreams::findings(upstream, &outline.store, papers.file, by);
            findings.tell(config.upstreams.iter().flat_map(told))
        }
        None => {
            findings.tell(outline.channels.iter().map(|channel| without(&format!("token of {}", channel.name))))?;
            findings.tell([Finding::unseen("clock", "no platform could be asked for the time")])?;
            findings.tell([address::finding(&base, outline, presence, papers.file, by)])?;
            findings
                .tell(outline.channels.iter().map(|channel| without(&format!("registration of {}", channel.name))))?;
            let looks = outline.upstreams.iter().flat_map(|name| upstreams::looks(name));
            findings.tell(looks.map(|what| without(&what)))
        }
    }
}

fn registrations(
    config: &Config,
    base: &Base,
    visits: &Visits,
    file: &Path,
    by: &Instruments<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    for channel in &config.channels {
        findings.tell(visits.registration(channel, base, file, by))?;
    }
    Ok(())
}

/// What the world calls this daemon, as far as that is known.
enum Base {
    /// Without a slash at its end.
    At(String),
    /// The configuration names none.
    Nowhere,
    /// It is to be asked for, and nobody said it.
    Unknown(String),
}

fn base(public_url: Option<&PublicUrl>, outline: &Outline, by: &Instruments<'_>) -> Base {
    let Some(public_url) = public_url else { return Base::Nowhere };
    let ports: Vec<_> = outline.listen.addresses.iter().map(|address| address.port()).collect();
    let pause = |time| {
        (by.world.pause)(time);
        true
    };
    match public_url.find(&ports, by.upstream, &pause) {
        Ok(url) => Base::At(url),
        Err(fault) => Base::Unknown(fault.0),
    }
}

#[cfg(test)]
mod tests;
