//! `ackd check`: every fault at once, or what the configuration amounts to.

use crate::config::{Config, ConfigError, Fault, Outline, Subscription};
use crate::model::{Limit, Upstream};
use crate::notation::counted::counted;
use crate::registry::PublicUrl;
use crate::store::StoreError;
use crate::store::sqlite::SqliteFile;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use std::io::{self, Write};
use std::path::Path;

/// Checks a configuration and tells the result; true when it is fit to run (and could be told).
pub fn check(file: &Path, env: &dyn Fn(&str) -> Option<String>, out: &mut dyn Write) -> bool {
    let told = match Config::load(file, env) {
        Ok(config) => match whose_store(&config) {
            Ok(warning) => summary(&config, warning, out).map(|()| true),
            Err(error) => faulty(&error, "", out),
        },
        Err(error) => faulty(&error, if Outline::load(file, env).is_ok() { HINT } else { "" }, out),
    };
    told.unwrap_or(false)
}

fn faulty(error: &ConfigError, hint: &str, out: &mut dyn Write) -> io::Result<bool> {
    let count = counted((error.faults.len() + error.more) as u64, "fault");
    writeln!(out, "{error}\n{hint}{count}").map(|()| false)
}

/// For whoever checks the file of a service, whose secrets this shell has not.
const HINT: &str = "All but secrets and certificates is right. Those of a service may be missing in this shell alone:\n\
                    `ackd reload` has the running one try them, and changes nothing where there is a fault.\n";

/// What would keep a daemon from this store: a fault where it is certain, a warning where it depends on the user.
fn whose_store(config: &Config) -> Result<Option<String>, ConfigError> {
    let store = &config.store;
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let warning = |what: String| Ok(Some(format!("{}: store: {what}", config.file.display())));
    if access(store, Access::EXISTS).is_ok() {
        if let Err(error) = access(store, Access::READ_OK | Access::WRITE_OK) {
            return warning(format!("{} may not be written by you ({error}); {AS_ITS_USER}", store.display()));
        }
        SqliteFile::examine(store).map_err(|StoreError(what)| {
            let fault = Fault { file: config.file.clone(), line: None, key: String::new(), what };
            ConfigError { faults: vec![fault], more: 0 }
        })?;
    }
    match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        // That it is not there has been told.
        Ok(()) | Err(Errno::NOENT) => Ok(None),
        Err(error) => {
            warning(format!("its folder {} may not be written by you ({error}); {AS_ITS_USER}", folder.display()))
        }
    }
}

const AS_ITS_USER: &str = "`ackd run` needs that, so check as the user that it runs as";

fn summary(config: &Config, warning: Option<String>, out: &mut dyn Write) -> io::Result<()> {
    for warning in config.warnings.iter().chain(&warning) {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "configuration OK")?;
    let workers = match config.workers {
        0 => "0: keeps and acknowledges, hears nothing".to_owned(),
        workers => workers.to_string(),
    };
    let mut rows = vec![
        ("listen".to_owned(), config.listen.to_string()),
        ("store".to_owned(), config.store.display().to_string()),
        ("workers".to_owned(), workers),
    ];
    let base = match &config.public_url {
        Some(PublicUrl::Fixed(url)) => url,
        Some(PublicUrl::Ngrok { .. }) => "(ngrok)",
        None => "",
    };
    doors(config, base, &mut rows);
    for channel in &config.channels {
        let url = format!("{base}{}", channel.path);
        let told = format!("{} at {url}, bot {}", channel.platform.name(), channel.bot_name);
        rows.push((format!("channel {}", channel.name), told));
    }
    for Upstream { name, api, limits, .. } in &config.upstreams {
        let of = |limit: &Limit| format!("{} a {}", limit.calls, limit.per.word());
        let limits = match limits.as_slice() {
            [] => "without limits".to_owned(),
            limits => format!("at most {}", limits.iter().map(of).collect::<Vec<_>>().join(", ")),
        };
        rows.push((format!("upstream {name}"), format!("{api}, {limits}")));
    }
    for Subscription { channel, conversation, set, .. } in &config.subscriptions {
        let told = format!("{:?} to {conversation}, {}", set.note, set.plan.words());
        rows.push((format!("subscription on {channel}"), told));
    }
    write_rows(rows, out)
}

/// Where browsers come in, and what Facebook must be told of that.
fn doors(config: &Config, base: &str, rows: &mut Vec<(String, String)>) {
    if !config.admin.addresses.is_empty() || config.admin.socket.is_some() {
        let admin = config.admin.addresses.iter().map(|address| format!("http://{address}/"));
        let admin: Vec<_> = admin.chain(config.admin.socket.iter().map(|path| path.display().to_string())).collect();
        let token = if config.admin_tokens.is_empty() { "" } else { "; http:// wants its token" };
        rows.push(("admin".to_owned(), admin.join(", ") + token));
    }
    for (name, bot) in config.pages.iter() {
        rows.push(("pages".to_owned(), format!("{base}{} (bot {name})", bot.place().unwrap_or_default())));
    }
    for (name, facebook) in config.upstreams.iter().filter_map(|one| Some((&one.name, one.facebook()?))) {
        let told = format!("{}, which the app must have as a valid OAuth redirect URI", facebook.redirect_uri);
        rows.push((format!("login {name}"), told));
    }
}

fn write_rows(rows: Vec<(String, String)>, out: &mut dyn Write) -> io::Result<()> {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in rows {
        writeln!(out, "  {name:width$}  {value}")?;
    }
    Ok(())
}
