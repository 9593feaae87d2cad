//! `ackd webhook`: what a channel's platform knows of us, and making it know what it should.

use super::args::WebhookAction;
use super::events::known_channel;
use super::show::shown;
use super::{CliError, World};
use crate::config::{Channel, Config};
use crate::daemon::control_socket;
use crate::limits::WHY_CHARS_MAX;
use crate::registry::{Listing, Registration, Report, Row, Upstream, Wish};
use std::io::Write;
use std::os::unix::net::UnixStream;

/// Lists, creates, brings up to date or deletes the registration of channel `name`.
pub fn webhook(
    config: &Config,
    action: WebhookAction,
    name: &str,
    upstream: &dyn Upstream,
    world: &World<'_>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let names: Vec<_> = config.channels.iter().map(|channel| channel.name.as_str()).collect();
    known_channel(name, &names)?;
    let channel = config.channels.iter().find(|channel| channel.name == name);
    let known = channel.and_then(|channel| Some((channel, channel.registration.as_deref()?)));
    let Some((channel, registration)) = known else {
        return Err(CliError::Failed(format!("channel {name}: its platform has no registration that can be asked")));
    };
    let wish = match action {
        WebhookAction::List => return list(config, channel, registration, upstream, world, out),
        WebhookAction::Delete => {
            let deleted = told(registration.delete(upstream), "there is nothing of ours", out);
            if is_kept(config) {
                writeln!(out, "{KEPT}")?;
            }
            return deleted;
        }
        WebhookAction::Create => Wish::Create,
        WebhookAction::Sync => Wish::Sync,
    };
    let target = target(config, channel, upstream, world)?;
    let fine = if wish == Wish::Sync { "everything is as it should be" } else { "nothing is missing" };
    told(registration.sync(&target, wish, upstream), fine, out)
}

/// What is said of a registration that somebody puts back.
const KEPT: &str = "ackd is running and registers it again at its next look: stop it first, or set keep_registered = \
                    \"off\" and restart it";

/// Whether a daemon runs that looks after the registration, as far as whoever asks may know.
fn is_kept(config: &Config) -> bool {
    let keeps = config.keep_registered.is_some() && config.public_url.is_some();
    keeps && UnixStream::connect(control_socket(&config.store)).is_ok()
}

/// The address of the channel's webhook.
fn target(config: &Config, channel: &Channel, upstream: &dyn Upstream, world: &World<'_>) -> Result<String, CliError> {
    let Some(public_url) = &config.public_url else {
        return Err(CliError::Usage(format!(
            "no public_url is configured in {}, so there is no address that channel {} could have; write for example \
             public_url = \"https://bots.example.org\" or public_url = \"ngrok\"",
            config.file.display(),
            channel.name
        )));
    };
    let ports: Vec<_> = config.listen.addresses.iter().map(|address| address.port()).collect();
    let pause = |time| {
        (world.pause)(time);
        true
    };
    let base = public_url.find(&ports, upstream, &pause).map_err(|fault| CliError::Failed(line(&fault.0)))?;
    Ok(format!("{base}{}", channel.path))
}

fn list(
    config: &Config,
    channel: &Channel,
    registration: &dyn Registration,
    upstream: &dyn Upstream,
    world: &World<'_>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    // What there is can be shown without knowing what there should be.
    let target = target(config, channel, upstream, world);
    match &target {
        Ok(target) => writeln!(out, "channel {} is at {}", channel.name, line(target))?,
        Err(CliError::Usage(why)) => writeln!(out, "{}", line(why))?,
        Err(error) => writeln!(out, "the address of channel {} is not known: {error}", channel.name)?,
    }
    let listing = registration.list(target.as_deref().ok(), upstream);
    let Listing { rows, notes, wrong } = listing.map_err(|fault| CliError::Failed(line(&fault.0)))?;
    table(&rows, out)?;
    if rows.is_empty() {
        writeln!(out, "nothing is registered")?;
    }
    for note in &notes {
        writeln!(out, "{}", line(note))?;
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let name = &channel.name;
    let mend = match target {
        Ok(_) => format!("`ackd webhook sync {name}` mends it"),
        Err(_) => format!("once its address is known, `ackd webhook sync {name}` mends it"),
    };
    Err(failed(wrong.into_iter().chain([mend])))
}

/// Rows with aligned columns; the last may be as long as it is.
fn table(rows: &[Row], out: &mut dyn Write) -> Result<(), CliError> {
    let cells = |row: &Row| [&row.what, &row.target, &row.state].map(|cell| shown(cell, WHY_CHARS_MAX).into_owned());
    let mut widths = [0; 3];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(cells(row)) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        for (width, cell) in widths.into_iter().zip(cells(row)) {
            write!(out, "{cell:width$}  ")?;
        }
        writeln!(out, "{}", line(&row.remark))?;
    }
    Ok(())
}

/// Says what came of it; `fine` when there was nothing to do.
fn told(report: Report, fine: &str, out: &mut dyn Write) -> Result<(), CliError> {
    for done in &report.done {
        writeln!(out, "{}", line(done))?;
    }
    if report.done.is_empty() && report.wrong.is_empty() {
        writeln!(out, "{fine}")?;
    }
    for left in &report.left {
        writeln!(out, "{}", line(left))?;
    }
    if report.wrong.is_empty() {
        return Ok(());
    }
    Err(failed(report.wrong))
}

/// What is wrong, a line for each.
fn failed(wrong: impl IntoIterator<Item = String>) -> CliError {
    let wrong: Vec<_> = wrong.into_iter().map(|wrong| line(&wrong)).collect();
    CliError::Failed(wrong.join("\nackd: "))
}

/// Words from outside, as a terminal may see them.
fn line(text: &str) -> String {
    shown(text, usize::MAX).into_owned()
}
