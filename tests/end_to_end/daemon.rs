//! What the daemons here are started with: pages, secrets, and where those stand.

use crate::shared::daemon;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use crate::shared::daemon::{Folder, GLANCE};

/// A daemon of pages.
pub type Daemon = daemon::Daemon<Setup>;

/// Secrets of the daemons here; each appears nowhere else, so that it can be searched for.
pub const APP_SECRET: &str = "5f2d0c1b9a8e7f6d5c4b3a2918070605";
pub const VERIFY_TOKEN: &str = "canary-verify-token-9d41c7";
pub const PAGE_TOKEN: &str = "EAAcanaryPAGEtoken0Zb71QxWvYu2";
/// The token of another page, for those who have two.
pub const OTHER_TOKEN: &str = "EAAcanaryOTHERtoken8Tq33KmLpRs5";

/// A channel of the configuration.
#[derive(Clone, Debug)]
pub struct Page {
    pub name: &'static str,
    pub path: &'static str,
    pub token: &'static str,
}

/// What a daemon is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub pages: Vec<Page>,
    pub workers: usize,
    pub connections: Option<usize>,
    /// What `[admin] listen` is, with `FOLDER` for the daemon's folder.
    pub admin: Option<&'static str>,
    /// Relative to the daemon's folder.
    pub store: PathBuf,
    pub log: &'static str,
    /// Keys at the top of the configuration.
    pub top: &'static str,
    /// Secrets in files, so that they are nowhere but there; otherwise in the environment.
    pub secrets_in_files: bool,
}

impl Default for Setup {
    fn default() -> Setup {
        let page = Page { name: "page", path: crate::client::PATH, token: PAGE_TOKEN };
        Setup {
            pages: vec![page],
            workers: 4,
            connections: None,
            admin: None,
            store: PathBuf::from("ackd.db"),
            log: "info",
            top: "",
            secrets_in_files: false,
        }
    }
}

impl daemon::Setup for Setup {
    fn toml(&self, folder: &Path, address: SocketAddr, api: &str) -> String {
        let Setup { workers, connections, store, top, .. } = self;
        let mut text = format!("listen = \"{address}\"\nstore = \"sqlite:{}\"\nworkers = {workers}\n", store.display());
        text.push_str(top);
        if let Some(connections) = connections {
            let _ = writeln!(text, "connections = {connections}");
        }
        if let Some(listen) = self.admin {
            let listen = listen.replace("FOLDER", folder.to_str().unwrap());
            let _ = writeln!(text, "[admin]\nlisten = {listen}");
        }
        for Page { name, path, token } in &self.pages {
            let secret = |file: &str, variable: &str, value: &str| {
                if !self.secrets_in_files {
                    return format!("{{ env = \"{variable}\" }}");
                }
                let file = folder.join(file);
                write_private(&file, value);
                format!("{{ file = \"{}\" }}", file.display())
            };
            let _ = write!(
                text,
                "\n[channel.{name}]\nplatform = \"messenger\"\npath = \"{path}\"\nbot = \"echo\"\napi = \"{api}\"\n\
                 verify_token = {}\napp_secret = {}\naccess_token = {}\n",
                secret("verify_token", "VERIFY_TOKEN", VERIFY_TOKEN),
                secret("app_secret", "APP_SECRET", APP_SECRET),
                secret(&format!("token_{name}"), &format!("TOKEN_{}", name.to_uppercase()), token),
            );
        }
        text + "\n[bot.echo]\nkind = \"echo\"\n"
    }

    fn variables(&self) -> Vec<(String, String)> {
        if self.secrets_in_files {
            return Vec::new();
        }
        let mut variables = vec![("APP_SECRET".to_owned(), APP_SECRET.to_owned())];
        variables.push(("VERIFY_TOKEN".to_owned(), VERIFY_TOKEN.to_owned()));
        let tokens =
            self.pages.iter().map(|page| (format!("TOKEN_{}", page.name.to_uppercase()), page.token.to_owned()));
        variables.extend(tokens);
        variables
    }

    fn store(&self) -> PathBuf {
        self.store.clone()
    }

    fn log(&self) -> &'static str {
        self.log
    }
}

fn write_private(file: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(file).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}
