//! The keys of an upstream of the kind `facebook`: the app that asks, and where somebody logs in for it (graph.md §3).

use super::channel::messenger::number;
use super::findings::{Findings, Risk};
use super::secret::{Fit, secret};
use super::surroundings::{Around, Secrets};
use super::table::{Entry, Key, Table};
use super::upstream::{limits, place, url};
use super::url::BaseUrl;
use crate::model::{Facebook, Limit, Papers, Period, Upstream};
use crate::registry::PublicUrl;
use std::net::SocketAddr;

/// The word for this kind.
pub(super) const KIND: &str = "facebook";

const API: &str = "https://graph.facebook.com/v25.0";
const DIALOG: &str = "https://www.facebook.com/v25.0/dialog/oauth";

/// An app may be asked 200 times its daily users in any hour (graph.md §6), and we have one user for sure: whoever
/// logged in. Limits count by days, and an hour may lie in two of them; with 100 calls a day none has more than 200.
const LIMITS: &[Limit] = &[Limit { calls: 20, per: Period::Minute }, Limit { calls: 100, per: Period::Day }];

pub(super) const KEYS: &[Key] = &[
    Key { name: "kind", example: "\"facebook\"" },
    Key { name: "app_id", example: "\"482915736608214\"" },
    Key { name: "app_secret", example: "{ env = \"FACEBOOK_APP_SECRET\" }" },
    Key { name: "redirect_uri", example: "\"https://bots.example.org/login/facebook\"" },
    Key { name: "public_login", example: "true" },
    Key { name: "api", example: "\"https://graph.facebook.com/v25.0\"" },
    Key { name: "dialog", example: "\"https://www.facebook.com/v25.0/dialog/oauth\"" },
    Key { name: "per_second", example: "1" },
    Key { name: "per_minute", example: "20" },
    Key { name: "per_day", example: "100" },
    Key { name: "per_month", example: "3000" },
    Key { name: "unlimited", example: "true" },
];

/// Where somebody logs in, known without a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownLogin {
    /// The upstream's name.
    pub upstream: String,
    /// Where Facebook leads a browser back to; the login begins there.
    pub redirect_uri: String,
    /// Whether that is the public door, and not the admin listener.
    pub public: bool,
}

/// Where browsers come in.
#[derive(Clone, Copy)]
pub(super) struct Doors<'a> {
    pub(super) public_url: Option<&'a PublicUrl>,
    pub(super) admin: &'a [SocketAddr],
}

/// One upstream, and its login; every key is looked at, so that all faults are told.
pub(super) fn upstream(
    name: &str,
    entry: &Entry<'_>,
    doors: Doors<'_>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> (Option<Upstream>, Option<KnownLogin>) {
    let Some(table) = entry.table(KEYS, findings) else { return (None, None) };
    let public = match table.get("public_login", findings) {
        Some(entry) => entry.flag(findings),
        None => Some(false),
    };
    let login = public.and_then(|public| {
        let redirect_uri = redirect_uri(name, &table, public, doors, around, findings)?;
        Some(KnownLogin { upstream: name.to_owned(), redirect_uri, public })
    });
    (whole(name, &table, login.as_ref(), around, findings), login)
}

/// The upstream with its secret, where that is read.
fn whole(
    name: &str,
    table: &Table<'_>,
    login: Option<&KnownLogin>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Upstream> {
    let app_id = table.need("app_id", findings).and_then(|entry| number(&entry, "app", findings));
    let app_secret = table.need("app_secret", findings);
    let app_secret = app_secret.and_then(|entry| secret(&entry, Fit::Anything, around, findings));
    let mut at = |key, known| {
        let url = url(table, key, Some(known), findings)?;
        Some(place(name, url.trim_end_matches('/'), Some(known), around))
    };
    let (api, dialog) = (at("api", API), at("dialog", DIALOG));
    if let (Some(api), Some(dialog)) = (&api, &dialog) {
        look_at_dialog(table, api, dialog, around, findings);
    }
    let limits = limits(table, LIMITS, findings);
    let login = login?;
    let papers = Facebook {
        app_id: app_id?.to_owned(),
        app_secret: app_secret?,
        dialog: dialog?,
        redirect_uri: login.redirect_uri.clone(),
        public_login: login.public,
    };
    let papers = Some(Papers::Facebook(papers));
    Some(Upstream { name: name.to_owned(), kind: Some(KIND), api: api?, key: None, limits: limits?, papers })
}

/// Who asks a stand-in and leads browsers to the real one has forgotten half.
fn look_at_dialog(table: &Table<'_>, api: &str, dialog: &str, around: &Around<'_>, findings: &mut Findings<'_>) {
    let is_here = |url| BaseUrl::parse(url).is_ok_and(|url| url.loopback);
    if matches!(around.secrets, Secrets::Played(_)) || !is_here(api) || is_here(dialog) {
        return;
    }
    if let Some(entry) = table.get("api", findings) {
        let what = format!(
            "is on this machine, but whoever logs in would be led to {dialog}; write dialog = \"{}/dialog/oauth\" beside it",
            api.trim_end_matches('/')
        );
        findings.warn(Risk::Odd, &entry.place, what);
    }
}

/// Where Facebook leads a browser back to: what is written, or the login's path at its door.
fn redirect_uri(
    name: &str,
    table: &Table<'_>,
    public: bool,
    doors: Doors<'_>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let path = Upstream::login_path(name);
    let Some(entry) = table.get("redirect_uri", findings) else {
        let base = base(public, doors);
        if base.is_none() && !matches!(around.secrets, Secrets::Played(_)) {
            let what = match public {
                true => "public_login needs a public_url that stands in this file; or write redirect_uri",
                false => {
                    "nobody could log in: write a table [admin] with listen = \"127.0.0.1:3001\", or take the public door, \
                     by public_login = true"
                }
            };
            findings.fault(&table.place, what);
            return None;
        }
        return Some(format!("{}{path}", base.unwrap_or_default()));
    };
    let text = entry.text(findings)?;
    let what = match BaseUrl::parse(text) {
        Err(what) => format!("{what}; write for example {}", entry.example),
        Ok(_) if !text.ends_with(&path) => {
            format!("must end with {path}, where ackd waits for whoever comes back; change it in the app, too")
        }
        Ok(url) if !url.https && !url.loopback => "must begin with https://, or Facebook leads nobody there".to_owned(),
        Ok(url) if !public && !url.loopback => {
            "leads to the public door; write public_login = true beside it, or an address of this machine".to_owned()
        }
        Ok(_) if !public && doors.admin.is_empty() => {
            "nobody listens there; write a table [admin] with listen = \"127.0.0.1:3001\"".to_owned()
        }
        Ok(_) => return Some(text.to_owned()),
    };
    findings.fault(&entry.place, what);
    None
}

/// What a door is called from outside. Facebook takes `localhost` without HTTPS while an app is in development, and
/// nothing else (unconfirmed in graph.md).
fn base(public: bool, doors: Doors<'_>) -> Option<String> {
    match (public, doors.public_url) {
        (true, Some(PublicUrl::Fixed(url))) => Some(url.clone()),
        (true, _) => None,
        (false, _) => {
            // Which one a port of 0 becomes, nobody could register.
            let address = doors.admin.iter().find(|address| address.port() != 0)?;
            Some(format!("http://localhost:{}", address.port()))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError, Outline, Stage};
    use crate::model::{Limit, Period};
    use std::path::Path;

    const LEAST: &str = "[admin]\nlisten = [\"127.0.0.1:0\", \"[::1]:3001\"]\n[upstream.fb]\nkind = \"facebook\"\n\
                         app_id = \"4829\"\napp_secret = { env = \"SECRET\" }\n";
    const PUBLIC: &str = "public_url = \"https://bots.example.org/ackd/\"\n[upstream.fb]\nkind = \"facebook\"\n\
                          public_login = true\napp_id = \"4829\"\napp_secret = { env = \"SECRET\" }\n";

    fn file(more: &str) -> String {
        let (top, tables) = more.split_at(more.find('[').unwrap());
        format!(
            "listen = \"127.0.0.1:3000\"\n{top}[bot.echo]\nkind = \"echo\"\n[channel.page]\nplatform = \"messenger\"\n\
             path = \"/page\"\nbot = \"echo\"\nverify_token = {{ env = \"SECRET\" }}\n\
             app_secret = {{ env = \"SECRET\" }}\naccess_token = {{ env = \"SECRET\" }}\n{tables}"
        )
    }

    fn parse(more: &str) -> Result<Config, ConfigError> {
        let result = Config::parse(&file(more), Path::new("ackd.toml"), &|name| {
            (name == "SECRET").then(|| "secret-canary".to_owned())
        });
        assert!(!format!("{result:?}").contains("canary"), "{result:?}");
        result
    }

    fn faults(more: &str) -> Vec<String> {
        let error = parse(more).err().unwrap_or_else(|| panic!("no fault: {more}"));
        error.faults.iter().map(|fault| format!("{}: {}", fault.key, fault.what)).collect()
    }

    #[test]
    fn only_the_app_is_needed_and_the_login_lies_at_a_door_that_is_there() {
        let inside = parse(LEAST).unwrap().upstreams.remove(0);
        assert_eq!((inside.kind, inside.api.as_str()), (Some("facebook"), "https://graph.facebook.com/v25.0"));
        let limit = |calls, per| Limit { calls, per };
        assert_eq!(inside.limits, [limit(20, Period::Minute), limit(100, Period::Day)]);
        let facebook = inside.facebook().unwrap();
        assert_eq!(facebook.dialog, "https://www.facebook.com/v25.0/dialog/oauth");
        assert_eq!((&*facebook.app_id, facebook.app_secret.expose()), ("4829", "secret-canary"));
        assert_eq!((&*facebook.redirect_uri, facebook.public_login), ("http://localhost:3001/login/fb", false));
        let public = parse(PUBLIC).unwrap().upstreams.remove(0);
        let facebook = public.facebook().unwrap();
        assert_eq!((&*facebook.redirect_uri, facebook.public_login), ("https://bots.example.org/ackd/login/fb", true));
    }

    #[test]
    fn an_outline_knows_the_login_without_the_secret() {
        let outline = Outline::parse(&file(LEAST), Path::new("ackd.toml"), &|_| None).unwrap();
        assert_eq!(outline.upstreams, ["fb"]);
        let login = &outline.logins[0];
        assert_eq!(
            (&*login.upstream, &*login.redirect_uri, login.public),
            ("fb", "http://localhost:3001/login/fb", false)
        );
    }

    #[test]
    fn a_trial_needs_no_door() {
        let stage = Stage { house: "http://127.0.0.1:1".to_owned(), seed: 7 };
        let alone = LEAST.split_at(LEAST.find("[upstream").unwrap()).1;
        let config = Config::staged(&file(alone), Path::new("ackd.toml"), &|_| None, &stage).unwrap();
        let facebook = config.upstreams[0].facebook().unwrap();
        assert_eq!(config.upstreams[0].api, "http://127.0.0.1:1/fb/v25.0");
        assert_eq!(facebook.dialog, "http://127.0.0.1:1/fb/v25.0/dialog/oauth");
        assert_eq!(facebook.app_secret, stage.secret("upstream.fb.app_secret"));
    }

    #[test]
    fn a_file_for_twins_is_tried_with_the_paths_of_facebook_alone() {
        let stage = Stage { house: "http://127.0.0.1:1".to_owned(), seed: 7 };
        for (version, staged) in [("/v25.0", "v25.0"), ("/v24.0", "v24.0"), ("", "v25.0")] {
            let house = format!("http://127.0.0.1:3900/facebook{version}");
            let keys = format!("api = \"{house}\"\ndialog = \"{house}/dialog/oauth\"\napp_id");
            let text = file(&LEAST.replace("app_id", &keys));
            let config = Config::staged(&text, Path::new("ackd.toml"), &|_| None, &stage).unwrap();
            assert_eq!(config.upstreams[0].api, format!("http://127.0.0.1:1/fb/{staged}"));
            let dialog = &config.upstreams[0].facebook().unwrap().dialog;
            assert_eq!(*dialog, format!("http://127.0.0.1:1/fb/{staged}/dialog/oauth"));
        }
    }

    #[test]
    fn whoever_asks_a_stand_in_is_warned_of_the_real_dialog() {
        let house = "http://127.0.0.1:3900/facebook/v25.0";
        let api = LEAST.replace("app_id", &format!("api = \"{house}\"\napp_id"));
        let warned = "upstream.fb.api: is on this machine, but whoever logs in would be led to \
                      https://www.facebook.com/v25.0/dialog/oauth; write dialog = \
                      \"http://127.0.0.1:3900/facebook/v25.0/dialog/oauth\" beside it";
        let of_api = |text: &str| {
            let warnings = parse(text).unwrap().warnings;
            warnings.into_iter().filter(|warning| warning.contains("upstream.fb.api")).collect::<Vec<_>>()
        };
        let told = of_api(&api);
        assert!(told.len() == 1 && told[0].ends_with(warned), "{told:?}");
        let both = api.replace("app_id", &format!("dialog = \"{house}/dialog/oauth\"\napp_id"));
        assert!(of_api(&both).is_empty() && of_api(LEAST).is_empty());
        let stage = Stage { house: "http://127.0.0.1:1".to_owned(), seed: 7 };
        let staged = Config::staged(&file(&api), Path::new("ackd.toml"), &|_| None, &stage).unwrap();
        assert!(!staged.warnings.concat().contains("upstream.fb.api"), "a trial plays both");
    }

    #[test]
    fn a_login_that_nobody_could_make_says_what_to_write() {
        let with = |key: &str| LEAST.replace("app_id", &format!("{key}\napp_id"));
        for (text, fault) in [
            (LEAST.replace(", \"[::1]:3001\"", ""), "upstream.fb: nobody could log in: write a table [admin] with"),
            (PUBLIC.replace("public_url", "# public_url"), "upstream.fb: public_login needs a public_url that"),
            (
                PUBLIC.replace("https://bots.example.org/ackd/", "ngrok"),
                "upstream.fb: public_login needs a public_url that",
            ),
            (
                with("redirect_uri = \"http://localhost:3001/fb\""),
                "upstream.fb.redirect_uri: must end with /login/fb, where",
            ),
            (
                with("redirect_uri = \"http://a.example/login/fb\""),
                "upstream.fb.redirect_uri: must begin with https://, or",
            ),
            (
                with("redirect_uri = \"https://a.example/login/fb\""),
                "upstream.fb.redirect_uri: leads to the public door; write",
            ),
            (
                with("redirect_uri = \"https://a.example/login/fb?x\""),
                "upstream.fb.redirect_uri: must end before the ? or #;",
            ),
            (
                with("redirect_uri = \"http://localhost:1/login/fb\"")
                    .replace("[admin]\nlisten = [\"127.0.0.1:0\", \"[::1]:3001\"]\n", ""),
                "upstream.fb.redirect_uri: nobody listens there; write",
            ),
            (LEAST.replace("\"4829\"", "\"48x\""), "upstream.fb.app_id: must be the app's number, digits only;"),
            (
                LEAST.replace("app_id = \"4829\"\n", ""),
                "upstream.fb.app_id: is missing; write app_id = \"482915736608214\"",
            ),
            (with("key = \"x\""), "upstream.fb.key: unknown key; what may stand here: kind, app_id"),
        ] {
            let found = faults(&text);
            assert!(found.len() == 1 && found[0].starts_with(fault), "{text}{found:?}");
        }
        let taken = format!(
            "{LEAST}[channel.x]\nplatform = \"messenger\"\npath = \"/login/fb/x\"\nbot = \"echo\"\n\
             verify_token = {{ env = \"SECRET\" }}\napp_secret = {{ env = \"SECRET\" }}\naccess_token = {{ env = \"SECRET\" }}\n"
        );
        let clash = "upstream.fb: its login at \"/login/fb\" is in the way of channel x at \"/login/fb/x\"; take another path there";
        assert_eq!(faults(&taken), [clash]);
    }
}
