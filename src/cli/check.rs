//! `ackd check`: every fault at once, or what the configuration amounts to.

use crate::config::Config;
use crate::registry::PublicUrl;
use std::io::{self, Write};
use std::path::Path;

/// Checks a configuration and tells the result; true when it is fit to run (and could be told).
pub fn check(file: &Path, env: &dyn Fn(&str) -> Option<String>, out: &mut dyn Write) -> bool {
    let told = match Config::load(file, env) {
        Ok(config) => summary(&config, out).map(|()| true),
        Err(error) => {
            let count = error.faults.len();
            let noun = if count == 1 { "fault" } else { "faults" };
            writeln!(out, "{error}\n{count} {noun}").map(|()| false)
        }
    };
    told.unwrap_or(false)
}

fn summary(config: &Config, out: &mut dyn Write) -> io::Result<()> {
    for warning in &config.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "configuration OK")?;
    let listens: Vec<_> = config.listen.iter().map(ToString::to_string).collect();
    let workers = match config.workers {
        0 => "0: keeps and acknowledges, hears nothing".to_owned(),
        workers => workers.to_string(),
    };
    let mut rows = vec![
        ("listen".to_owned(), listens.join(", ")),
        ("store".to_owned(), config.store.display().to_string()),
        ("workers".to_owned(), workers),
    ];
    let base = match &config.public_url {
        Some(PublicUrl::Fixed(url)) => url,
        Some(PublicUrl::Ngrok { .. }) => "(ngrok)",
        None => "",
    };
    for channel in &config.channels {
        let url = format!("{base}{}", channel.path);
        let told = format!("{} at {url}, bot {}", channel.platform.name(), channel.bot_name);
        rows.push((format!("channel {}", channel.name), told));
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in rows {
        writeln!(out, "  {name:width$}  {value}")?;
    }
    Ok(())
}
