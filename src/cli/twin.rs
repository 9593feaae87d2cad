//! `ackd twin`: the twins alone, for whoever wants to try another bot's program, or a daemon that runs elsewhere.

use super::CliError;
use super::playing::{Play, Stand};
use crate::config::{Account, Channel, Config};
use crate::daemon;
use crate::model::{Facebook, Papers, Upstream};
use crate::net::signals::{Signals, Wish};
use crate::twin::courier::is_here;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Plays the platforms of a configuration's channels until SIGINT or SIGTERM. `to` is where their bot's program listens,
/// unless it is our own daemon of the same configuration.
pub fn twin(config: &Config, to: Option<&str>, play: &Play, chance: u64, out: &mut dyn Write) -> Result<(), CliError> {
    config.channels.iter().try_for_each(made_for_twins)?;
    let mut signals = Signals::take().map_err(|error| CliError::Failed(format!("taking signals: {error}")))?;
    let stand = Stand::open(play, chance, daemon::clock).map_err(CliError::Failed)?;
    let base = to.map_or_else(|| ours(config), |to| to.trim_end_matches('/').to_owned());
    stand.lodge(config, &base).map_err(CliError::Failed)?;
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        config.upstreams.iter().partition(|upstream| upstream.kind.is_some() && plays_here(&upstream.api));
    for upstream in &here {
        stand.lodge_upstream(upstream, &config.bots).map_err(CliError::Failed)?;
    }
    stand.show(("ackd twin", format!("stand-ins that tell {base}")), None, None, config);
    for channel in &config.channels {
        let (name, platform) = (&channel.name, channel.platform.name());
        writeln!(out, "{name}: {platform} at {}, telling {base}{}", stand.server.api(name), channel.path)?;
    }
    for upstream in here {
        let (name, kind) = (&upstream.name, upstream.kind.unwrap_or_default());
        writeln!(out, "{name}: {kind} at {}{}", stand.server.api(name), tokens(upstream))?;
    }
    for Upstream { name, api, .. } in elsewhere {
        writeln!(out, "{name}: not played, since it is at {api}")?;
    }
    writeln!(
        out,
        "the ledger is at {0}/ledger, the seed is {1}\nopen {0}/\nCtrl-C ends it",
        stand.url(),
        stand.seed()
    )?;
    out.flush()?;
    while signals.wish() != Some(Wish::Stop) {
        match poll(&mut [PollFd::new(&signals.pipe, PollFlags::IN)], None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(CliError::Failed(format!("waiting for signals: {error}"))),
        }
    }
    Ok(())
}

/// How a daemon gets its tokens, where it wants some.
fn tokens(Upstream { name, papers, .. }: &Upstream) -> String {
    match papers {
        None => String::new(),
        Some(Papers::Facebook(Facebook { dialog, .. })) if !plays_here(dialog) => {
            format!("; nobody can log in, since its dialog is at {dialog}")
        }
        Some(Papers::Facebook(Facebook { public_login: false, redirect_uri, .. })) => {
            format!("; its tokens: open {redirect_uri} in a browser, while ackd run runs")
        }
        Some(_) => format!("; its tokens: ackd login {name}"),
    }
}

/// A twin signs whatever anybody on this machine has a person write, so it must not have the real platform's secrets:
/// they are believed to be made for twins where the channel's API is one.
fn made_for_twins(channel: &Channel) -> Result<(), CliError> {
    let api = match &channel.account {
        Account::Messenger(account) => &account.api,
        Account::Webex(account) => &account.api,
    };
    if plays_here(api) {
        return Ok(());
    }
    let name = &channel.name;
    Err(CliError::Failed(format!(
        "channel {name}: its api is {api}, so its secrets are real, and whoever is on this machine could have something \
         signed with them; in a file for twins write api = \"http://127.0.0.1:3900/{name}\" and secrets of their own"
    )))
}

/// Whether an API is one that is played on this machine.
fn plays_here(api: &str) -> bool {
    api.starts_with("http://") && is_here(api)
}

/// Where a daemon of this configuration can be reached from this machine.
fn ours(config: &Config) -> String {
    let first = config.listen.addresses.first().copied().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3000)));
    let here = if first.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { first.ip() };
    format!("http://{}", SocketAddr::new(here, first.port()))
}
