//! The services that bots ask, `[upstream.NAME]`: where they are, how often they may be asked, and with which papers.
//! What is known of a kind of service need not be written.

use super::bot::{Bots, overlap};
use super::facebook::{self, Doors, KnownLogin};
use super::findings::{Findings, Place, Risk, quoted};
use super::length::length;
use super::name;
use super::secret::{Fit, secret};
use super::surroundings::{Around, Secrets};
use super::table::{Entry, Key, Table};
use super::url::BaseUrl;
use crate::limits::{CALLS_MAX, TOKEN_LIFE_MAX};
use crate::model::{Limit, OAuth, Papers, Period, Secret, Upstream};
use crate::notation::nearest::nearest;
use crate::notation::percent;
use std::time::Duration;

const KEYS: &[Key] = &[
    Key { name: "kind", example: "\"enphase\"" },
    Key { name: "api", example: "\"https://api.example.org/v1\"" },
    Key { name: "key", example: "{ env = \"ENPHASE_KEY\" }" },
    Key { name: "per_second", example: "1" },
    Key { name: "per_minute", example: "10" },
    Key { name: "per_day", example: "1000" },
    Key { name: "per_month", example: "1000" },
    Key { name: "unlimited", example: "true" },
    Key { name: "oauth", example: "{ client_id = \"…\", client_secret = { env = \"ENPHASE_CLIENT_SECRET\" } }" },
];

const OAUTH_KEYS: &[Key] = &[
    Key { name: "authorize_url", example: "\"https://api.example.org/oauth/authorize\"" },
    Key { name: "token_url", example: "\"https://api.example.org/oauth/token\"" },
    Key { name: "redirect_uri", example: "\"https://api.example.org/oauth/redirect_uri\"" },
    Key { name: "client_id", example: "\"6254938471\"" },
    Key { name: "client_secret", example: "{ env = \"ENPHASE_CLIENT_SECRET\" }" },
    Key { name: "refresh_life", example: "\"30d\"" },
];

/// The keys of limits, with what each counts.
const PERIODS: [(&str, Period); 4] = [
    ("per_second", Period::Second),
    ("per_minute", Period::Minute),
    ("per_day", Period::Day),
    ("per_month", Period::Month),
];

/// A service that we know: what stands for the keys that are left out. Each of today wants a key in the query and OAuth; what
/// another one wants instead, as a header or a key alone, is to be said here, and asked for by `paper`.
struct Kind {
    word: &'static str,
    api: &'static str,
    /// How its key is called in a query.
    key: &'static str,
    /// It answers without a key, too.
    is_open: bool,
    limits: &'static [Limit],
    /// Those that hold for whoever has a key.
    limits_with_key: &'static [Limit],
    /// Where it gives tokens, if it wants some.
    oauth: Option<Endpoints>,
}

/// Where a service gives its tokens.
struct Endpoints {
    authorize_url: &'static str,
    token_url: &'static str,
    redirect_uri: &'static str,
}

/// All kinds of this version.
const KINDS: [Kind; 2] = [
    // enphase.md §3, and of §6 the free plan.
    Kind {
        word: "enphase",
        api: "https://api.enphaseenergy.com/api/v4",
        key: "key",
        is_open: false,
        limits: FREE_ENPHASE,
        limits_with_key: FREE_ENPHASE,
        oauth: Some(Endpoints {
            authorize_url: "https://api.enphaseenergy.com/oauth/authorize",
            token_url: "https://api.enphaseenergy.com/oauth/token",
            redirect_uri: "https://api.enphaseenergy.com/oauth/redirect_uri",
        }),
    },
    // opendota.md §1 and §2.
    Kind {
        word: "opendota",
        api: "https://api.opendota.com/api",
        key: "api_key",
        is_open: true,
        limits: &[Limit { calls: 60, per: Period::Minute }, Limit { calls: 3000, per: Period::Day }],
        limits_with_key: &[Limit { calls: 300, per: Period::Minute }],
        oauth: None,
    },
];

const FREE_ENPHASE: &[Limit] = &[Limit { calls: 10, per: Period::Minute }, Limit { calls: 1000, per: Period::Month }];

/// How long a refresh token lives, unless configured (enphase.md §3: a month).
const REFRESH_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// What was read, with all names: where secrets are not read, an upstream that has some is known by name only.
#[derive(Default)]
pub(super) struct Upstreams {
    pub(super) whole: Vec<Upstream>,
    pub(super) names: Vec<String>,
    /// What each of them is, where that is known.
    pub(super) kinds: Vec<Option<&'static str>>,
    places: Vec<Place>,
    /// Logins that are made on a page of ours.
    pub(super) logins: Vec<KnownLogin>,
}

impl Upstreams {
    /// A path is one login's alone. `taken` are those of channels and of bots, each with whose it is.
    pub(super) fn look_at_paths(&self, taken: &[(String, String)], findings: &mut Findings<'_>) {
        for (name, place) in self.names.iter().zip(&self.places) {
            let path = Upstream::login_path(name);
            let is_login = self.logins.iter().any(|login| login.upstream == *name);
            if let Some((whose, other)) = taken.iter().find(|(_, other)| is_login && overlap(&path, other)) {
                let what = format!(
                    "its login at {} is in the way of {whose} at {}; take another path there",
                    quoted(&path),
                    quoted(other)
                );
                findings.fault(place, what);
            }
        }
    }

    /// What a name has to do with the rest of the file.
    pub(super) fn look_at_names(&self, bots: &Bots, channels: &[&str], findings: &mut Findings<'_>) {
        for (name, place) in self.names.iter().zip(&self.places) {
            if channels.contains(&name.as_str()) {
                // In the log, and where twins live, one would be taken for the other.
                findings
                    .fault(place, format!("a channel is called {} too; give one of them another name", quoted(name)));
            }
            if !bots.ask(name) {
                findings.warn(Risk::Odd, place, "no bot asks this upstream");
            }
        }
    }
}

/// Reads `[upstream.NAME]` tables.
pub(super) fn upstreams(
    entry: &Entry<'_>,
    doors: Doors<'_>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Upstreams {
    let mut upstreams = Upstreams::default();
    for (name, entry) in entry.tables(findings) {
        if let Some(what) = name::flaw(name) {
            findings.fault(&entry.place, what);
        }
        let word = word(&entry, findings);
        if word == Some(facebook::KIND) {
            let (whole, login) = facebook::upstream(name, &entry, doors, around, findings);
            upstreams.whole.extend(whole);
            upstreams.logins.extend(login);
        } else {
            upstreams.whole.extend(upstream(name, &entry, around, findings));
        }
        upstreams.names.push(name.to_owned());
        upstreams.kinds.push(words().find(|known| Some(*known) == word));
        upstreams.places.push(entry.place);
    }
    upstreams
}

/// The words for all kinds.
fn words() -> impl Iterator<Item = &'static str> + Clone {
    KINDS.iter().map(|kind| kind.word).chain([facebook::KIND])
}

/// The word for a kind, before anything else is read.
fn word<'t>(entry: &Entry<'t>, findings: &Findings<'_>) -> Option<&'t str> {
    entry.peek("kind", "", findings)?.value.as_str()
}

/// One upstream; every key is looked at, so that all faults are told.
fn upstream(name: &str, entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Upstream> {
    let table = entry.table(KEYS, findings)?;
    let kind = match table.get("kind", findings) {
        Some(entry) => Some(kind(&entry, findings)?),
        None => None,
    };
    let known = kind.map(|kind| kind.api);
    let api = url(&table, "api", known, findings);
    let api = api.map(|api| place(name, api.trim_end_matches('/'), known, around));
    let is_needed = kind.is_some_and(|kind| !kind.is_open);
    let key = match paper(&table, "key", is_needed, findings) {
        Some(entry) => secret(&entry, Fit::Anything, around, findings).map(|key| Some(in_query(kind, &key))),
        None => (!is_needed).then_some(None),
    };
    let has_key = !table.lacks("key");
    let known = kind.map(|kind| if has_key { kind.limits_with_key } else { kind.limits }).unwrap_or_default();
    let limits = limits(&table, known, findings);
    let tokens = kind.map(|kind| kind.oauth.as_ref());
    let oauth = match (paper(&table, "oauth", matches!(tokens, Some(Some(_))), findings), tokens) {
        (Some(entry), Some(None)) => {
            findings.fault(&entry.place, "opendota knows no logins; take it away, and write key for a key of yours");
            None
        }
        (Some(entry), known) => oauth(name, &entry, known.flatten(), around, findings).map(Some),
        (None, known) => known.flatten().is_none().then_some(None),
    };
    let kind = kind.map(|kind| kind.word);
    let papers = oauth?.map(Papers::OAuth);
    Some(Upstream { name: name.to_owned(), kind, api: api?, key: key?, limits: limits?, papers })
}

/// What may be left out, but not where the kind needs it.
fn paper<'t>(table: &Table<'t>, name: &'static str, is_needed: bool, findings: &mut Findings<'_>) -> Option<Entry<'t>> {
    if is_needed { table.need(name, findings) } else { table.get(name, findings) }
}

fn kind(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<&'static Kind> {
    let word = entry.text(findings)?;
    let found = KINDS.iter().find(|kind| kind.word == word);
    if found.is_none() {
        let hint = nearest(word, words()).map_or_else(String::new, |near| format!("did you mean {near:?}? "));
        let words = words().collect::<Vec<_>>().join(", ");
        let what = format!("there is no kind of upstream {}; {hint}kinds: {words}; or none", quoted(word));
        findings.fault(&entry.place, what);
    }
    found
}

/// How the key goes into each call (enphase.md §3, opendota.md §2).
fn in_query(kind: Option<&Kind>, key: &Secret) -> Secret {
    Secret::new(format!("{}={}", kind.map_or("key", |kind| kind.key), percent(key.expose())))
}

/// What is written, and for each period that is not, what is known.
pub(super) fn limits(table: &Table<'_>, known: &[Limit], findings: &mut Findings<'_>) -> Option<Vec<Limit>> {
    let unlimited = match table.get("unlimited", findings) {
        Some(entry) => Some(entry.flag(findings)?).filter(|flag| *flag).map(|_| entry),
        None => None,
    };
    let (mut limits, mut written, mut sound) = (Vec::new(), false, true);
    for (name, per) in PERIODS {
        let known = known.iter().find(|limit| limit.per == per).copied();
        let Some(entry) = table.get(name, findings) else {
            limits.extend(known);
            continue;
        };
        written = true;
        match entry.whole(&(1..=CALLS_MAX), findings).and_then(|calls| u32::try_from(calls).ok()) {
            Some(calls) => limits.push(Limit { calls, per }),
            None => sound = false,
        }
    }
    match unlimited {
        Some(entry) if written => {
            findings.fault(&entry.place, "contradicts the limits beside it; take one of them away");
            return None;
        }
        Some(_) => limits.clear(),
        None if limits.is_empty() && sound && PERIODS.iter().all(|(name, _)| table.lacks(name)) => {
            let what = "says nowhere how often it may be asked; write per_second, per_minute, per_day or per_month, \
                        as in per_minute = 10, or unlimited = true";
            findings.fault(&table.place, what);
            return None;
        }
        None => {}
    }
    sound.then_some(limits)
}

fn oauth(
    upstream: &str,
    entry: &Entry<'_>,
    known: Option<&Endpoints>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<OAuth> {
    let table = entry.table(OAUTH_KEYS, findings)?;
    let at = |name, known: Option<&str>, findings: &mut Findings<'_>| {
        url(&table, name, known, findings).map(|url| place(upstream, &url, known, around))
    };
    let authorize_url = at("authorize_url", known.map(|known| known.authorize_url), findings);
    let token_url = at("token_url", known.map(|known| known.token_url), findings);
    let redirect_uri = at("redirect_uri", known.map(|known| known.redirect_uri), findings);
    let client_id = table.need("client_id", findings).and_then(|entry| client_id(&entry, findings));
    let client_secret = table.need("client_secret", findings);
    let client_secret = client_secret.and_then(|entry| secret(&entry, Fit::Anything, around, findings));
    let refresh_life_s = match table.get("refresh_life", findings) {
        Some(entry) => life(&entry, findings),
        None => Some(REFRESH_LIFE.as_secs()),
    };
    Some(OAuth {
        authorize_url: authorize_url?,
        token_url: token_url?,
        redirect_uri: redirect_uri?,
        client_id: client_id?,
        client_secret: client_secret?,
        refresh_life_s: refresh_life_s?,
    })
}

/// Where a URL leads: in a trial to the service's stand-in, which knows the paths of the service.
pub(super) fn place(upstream: &str, url: &str, known: Option<&str>, around: &Around<'_>) -> String {
    let Secrets::Played(stage) = around.secrets else { return url.to_owned() };
    let path = known.map_or(path(url), |known| service_path(path(url), path(known)));
    let slash = if path.is_empty() { "" } else { "/" };
    format!("{}{slash}{path}", stage.api(upstream))
}

/// A URL's path, without the slash before it.
fn path(url: &str) -> &str {
    url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path)
}

/// The service's own path, though of the version that the file has it: what the file has before it, as the name of a twin,
/// belongs to the address that is not taken.
fn service_path<'t>(written: &'t str, known: &'t str) -> &'t str {
    let is_version =
        |part: &str| part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|sign: char| sign.is_ascii_digit()));
    let parts = known.split('/').count();
    let tail =
        written.rmatch_indices('/').nth(parts - 1).map_or(written, |(at, _)| written.get(at + 1..).unwrap_or(""));
    let fits = |(part, own): (&str, &str)| part == own || is_version(part) && is_version(own);
    let is_whole = tail.split('/').count() == parts && tail.split('/').zip(known.split('/')).all(fits);
    if is_whole { tail } else { known }
}

/// A URL as it is written: whether it ends with a slash may matter to whoever compares it.
pub(super) fn url(
    table: &Table<'_>,
    name: &'static str,
    known: Option<&str>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let entry = match (table.get(name, findings), known) {
        (Some(entry), _) => entry,
        (None, Some(known)) => return Some(known.to_owned()),
        (None, None) => table.need(name, findings)?,
    };
    let text = entry.text(findings)?;
    match BaseUrl::parse(text) {
        Ok(url) => {
            if !url.https && !url.loopback {
                let what = "http:// shows keys and tokens to everybody on the way; write https://";
                findings.warn(Risk::Danger, &entry.place, what);
            }
            Some(text.to_owned())
        }
        Err(what) => {
            findings.fault(&entry.place, format!("{what}; write for example {}", entry.example));
            None
        }
    }
}

/// It goes into a header, before a colon.
fn client_id(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let text = entry.text(findings)?;
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
        findings.fault(&entry.place, "is no client id: those are letters and digits in one piece; copy it again");
        return None;
    }
    Some(text.to_owned())
}

/// A whole number of hours or days, in seconds.
fn life(entry: &Entry<'_>, findings: &mut Findings<'_>) -> Option<u64> {
    let seconds = length(entry.text(findings)?, "hd").map(|life| life.as_secs());
    let seconds = seconds.filter(|seconds| (3600..=TOKEN_LIFE_MAX.as_secs()).contains(seconds));
    if seconds.is_none() {
        let most = TOKEN_LIFE_MAX.as_secs() / (24 * 3600);
        let what = format!("must lie between \"1h\" and \"{most}d\"; write for example {}", entry.example);
        findings.fault(&entry.place, what);
    }
    seconds
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError, Outline, Stage, Surroundings};
    use crate::model::Moment;
    use crate::model::{Limit, Period, Upstream};
    use std::io::{Error, ErrorKind};
    use std::path::Path;

    /// As little as is needed (enphase.md §3).
    const ENPHASE: &str = "[upstream.enphase]\nkind = \"enphase\"\nkey = { env = \"KEY\" }\n[upstream.enphase.oauth]\n\
                           client_id = \"abc123\"\nclient_secret = { env = \"CLIENT\" }\n";
    const PLAIN: &str = "[upstream.dota]\napi = \"https://api.opendota.com/api/\"\nper_minute = 60\nper_day = 3000\n";

    fn file(upstreams: &str) -> String {
        format!(
            "listen = \"127.0.0.1:3000\"\n[bot.echo]\nkind = \"echo\"\n[channel.page]\nplatform = \"messenger\"\n\
             path = \"/page\"\nbot = \"echo\"\nverify_token = {{ env = \"PAGE\" }}\n\
             app_secret = {{ env = \"PAGE\" }}\naccess_token = {{ env = \"PAGE\" }}\n{upstreams}"
        )
    }

    fn env(name: &str) -> Option<String> {
        match name {
            "KEY" => Some("k&y canary".to_owned()),
            "CLIENT" => Some("client-canary".to_owned()),
            "PAGE" => Some("page-canary".to_owned()),
            _ => None,
        }
    }

    fn parse(upstreams: &str) -> Result<Config, ConfigError> {
        let around = Surroundings {
            now: Moment(0),
            env: &env,
            read: &|_| Err(Error::from(ErrorKind::NotFound)),
            is_folder: &|path| Ok(path == Path::new("")),
            is_open: &|_| true,
        };
        let result = Config::parse_in(&file(upstreams), Path::new("ackd.toml"), &around);
        assert!(!format!("{result:?}").contains("canary"), "{result:?}");
        result
    }

    fn one(upstreams: &str) -> Upstream {
        parse(upstreams).unwrap_or_else(|error| panic!("{error}")).upstreams.remove(0)
    }

    fn faults(upstreams: &str) -> Vec<String> {
        let error = parse(upstreams).err().unwrap_or_else(|| panic!("no fault: {upstreams}"));
        error.faults.iter().map(|fault| format!("{}: {}", fault.key, fault.what)).collect()
    }

    #[test]
    fn of_a_known_service_only_what_is_ones_own_is_written() {
        let enphase = one(ENPHASE);
        assert_eq!((enphase.name.as_str(), enphase.api.as_str()), ("enphase", "https://api.enphaseenergy.com/api/v4"));
        assert_eq!(enphase.key.as_ref().unwrap().expose(), "key=k%26y%20canary");
        let limit = |calls, per| Limit { calls, per };
        assert_eq!(enphase.limits, [limit(10, Period::Minute), limit(1000, Period::Month)]);
        let oauth = enphase.oauth().unwrap();
        assert_eq!(oauth.token_url, "https://api.enphaseenergy.com/oauth/token");
        assert_eq!(oauth.redirect_uri, "https://api.enphaseenergy.com/oauth/redirect_uri");
        assert_eq!((oauth.client_id.as_str(), oauth.client_secret.expose()), ("abc123", "client-canary"));
        assert_eq!(oauth.refresh_life_s, 30 * 24 * 3600);
        let larger = one(&ENPHASE.replace("[upstream.enphase.oauth]", "per_month = 50_000\n[upstream.enphase.oauth]"));
        assert_eq!(larger.limits, [limit(10, Period::Minute), limit(50_000, Period::Month)]);
    }

    #[test]
    fn opendota_needs_nothing_and_with_a_key_may_be_asked_more_often() {
        let limit = |calls, per| Limit { calls, per };
        let free = one("[upstream.opendota]\nkind = \"opendota\"\n");
        assert_eq!((free.kind, free.api.as_str()), (Some("opendota"), "https://api.opendota.com/api"));
        assert_eq!((&free.key, &free.papers), (&None, &None));
        assert_eq!(free.limits, [limit(60, Period::Minute), limit(3000, Period::Day)]);
        let keyed = "[upstream.opendota]\nkind = \"opendota\"\nkey = { env = \"KEY\" }\n";
        let paid = one(keyed);
        assert_eq!(paid.key.unwrap().expose(), "api_key=k%26y%20canary");
        assert_eq!(paid.limits, [limit(300, Period::Minute)]);
        let bounded = one(&format!("{keyed}per_day = 20_000\n"));
        assert_eq!(bounded.limits, [limit(300, Period::Minute), limit(20_000, Period::Day)]);
        assert_eq!(
            faults("[upstream.opendota]\nkind = \"opendota\"\noauth = { client_id = \"a\" }\n"),
            ["upstream.opendota.oauth: opendota knows no logins; take it away, and write key for a key of yours"]
        );
        let unset = faults(&keyed.replace("KEY", "NONE")).concat();
        assert!(unset.starts_with("upstream.opendota.key: the environment variable NONE is not set"), "{unset}");
    }

    #[test]
    fn any_other_service_says_where_it_is_and_how_often_it_may_be_asked() {
        let dota = one(PLAIN);
        assert_eq!((dota.api.as_str(), &dota.key, &dota.papers), ("https://api.opendota.com/api", &None, &None));
        let limit = |calls, per| Limit { calls, per };
        assert_eq!(dota.limits, [limit(60, Period::Minute), limit(3000, Period::Day)]);
        assert!(one("[upstream.a]\napi = \"https://a\"\nunlimited = true\n").limits.is_empty());
    }

    #[test]
    fn what_is_wrong_says_what_to_write() {
        for (old, new, fault) in [
            (
                "\"enphase\"",
                "\"enfase\"",
                "upstream.enphase.kind: there is no kind of upstream \"enfase\"; did you mean \"enphase\"? kinds: enphase, opendota, facebook; or none",
            ),
            (
                "key = { env = \"KEY\" }\n",
                "",
                "upstream.enphase.key: is missing; write key = { env = \"ENPHASE_KEY\" }",
            ),
            (
                "client_id = \"abc123\"\n",
                "",
                "upstream.enphase.oauth.client_id: is missing; write client_id = \"6254938471\"",
            ),
            (
                "abc123",
                "abc:123",
                "upstream.enphase.oauth.client_id: is no client id: those are letters and digits in one piece; copy it again",
            ),
            (
                "client_id",
                "refresh_life = \"2\"\nclient_id",
                "upstream.enphase.oauth.refresh_life: must lie between \"1h\" and \"400d\"; write for example refresh_life = \"30d\"",
            ),
            (
                "client_id",
                "token_url = \"enphase\"\nclient_id",
                "upstream.enphase.oauth.token_url: must begin with https://, or on this machine with http://; write for example token_url = \"https://api.example.org/oauth/token\"",
            ),
            ("key =", "per_minute = 0\nkey =", "upstream.enphase.per_minute: must lie between 1 and 1000000000"),
            (
                "key =",
                "unlimited = true\nper_day = 5\nkey =",
                "upstream.enphase.unlimited: contradicts the limits beside it; take one of them away",
            ),
        ] {
            let found = faults(&ENPHASE.replacen(old, new, 1));
            assert_eq!(found, [fault], "{new}");
        }
        assert_eq!(
            faults("[upstream.a]\napi = \"https://a\"\n"),
            [
                "upstream.a: says nowhere how often it may be asked; write per_second, per_minute, per_day or per_month, as \
              in per_minute = 10, or unlimited = true"
            ]
        );
        assert_eq!(
            faults("[upstream.a]\nper_day = 1\n")[0],
            "upstream.a.api: is missing; write api = \"https://api.example.org/v1\""
        );
        assert!(faults(&PLAIN.replace("dota", "Dota"))[0].starts_with("upstream.Dota: a name has at most"));
        let plain = parse(&PLAIN.replace("https", "http")).unwrap().warnings.concat();
        assert!(plain.contains("upstream.dota.api: http:// shows keys and tokens"), "{plain}");
    }

    #[test]
    fn a_command_beside_the_daemon_knows_names_without_secrets_and_one_upstream_with_its_own() {
        let folder = std::env::temp_dir().join(format!("ackd-config-upstream-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("ackd.toml");
        std::fs::write(&path, file(&format!("{PLAIN}{ENPHASE}"))).unwrap();
        let outline = Outline::load(&path, &|_| None).unwrap();
        assert_eq!(outline.upstreams, ["dota", "enphase"]);
        let own = |name: &str| env(name).filter(|_| name != "PAGE");
        let enphase = Outline::upstream(&path, "enphase", &own).unwrap().unwrap();
        assert_eq!(enphase.oauth().unwrap().client_secret.expose(), "client-canary");
        assert_eq!(Outline::upstream(&path, "enphas", &own).unwrap(), None);
        let unset = Outline::upstream(&path, "enphase", &|_| None).unwrap_err().to_string();
        assert!(unset.contains("upstream.enphase.key: the environment variable KEY is not set"), "{unset}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_upstream_is_asked_by_a_bot_and_has_a_name_of_its_own() {
        let unused = parse(PLAIN).unwrap().warnings.concat();
        assert!(unused.ends_with("upstream.dota: no bot asks this upstream"), "{unused}");
        let sun = "[bot.sun]\nkind = \"solar\"\nupstream = \"dota\"\n";
        let used = parse(&format!("{PLAIN}{sun}")).unwrap().warnings.concat();
        assert!(!used.contains("upstream.dota"), "{used}");
        let found = faults(&PLAIN.replace("dota", "page"));
        assert_eq!(found, ["upstream.page: a channel is called \"page\" too; give one of them another name"]);
    }

    #[test]
    fn a_trial_needs_no_secret_and_asks_nobody_outside() {
        let stage = Stage { house: "http://127.0.0.1:1".to_owned(), seed: 7 };
        let text = file(ENPHASE);
        let config = Config::staged(&text, Path::new("ackd.toml"), &|_| None, &stage).unwrap();
        let enphase = &config.upstreams[0];
        assert_eq!((enphase.kind, enphase.api.as_str()), (Some("enphase"), "http://127.0.0.1:1/enphase/api/v4"));
        let oauth = enphase.oauth().unwrap();
        assert_eq!(oauth.authorize_url, "http://127.0.0.1:1/enphase/oauth/authorize");
        assert_eq!(oauth.token_url, "http://127.0.0.1:1/enphase/oauth/token");
        let played = stage.secret("upstream.enphase.oauth.client_secret");
        assert_eq!(oauth.client_secret, played);
        let key = stage.secret("upstream.enphase.key");
        assert_eq!(enphase.key.as_ref().unwrap().expose(), format!("key={}", key.expose()));
        let odd = ENPHASE.replace("key =", "api = \"https://sun.example/api/v2/\"\nkey =");
        let config = Config::staged(&file(&odd), Path::new("ackd.toml"), &|_| None, &stage).unwrap();
        assert_eq!(config.upstreams[0].api, "http://127.0.0.1:1/enphase/api/v2", "the path is that of the service");
    }

    #[test]
    fn a_file_for_twins_is_tried_with_the_paths_of_the_service_alone() {
        let stage = Stage { house: "http://127.0.0.1:1".to_owned(), seed: 7 };
        let api_of = |kind: &str, written: &str| {
            let upstream = format!("[upstream.it]\nkind = \"{kind}\"\napi = \"{written}\"\n");
            let text = file(&upstream);
            Config::staged(&text, Path::new("ackd.toml"), &|_| None, &stage).unwrap().upstreams.remove(0).api
        };
        for (written, staged) in [
            ("http://127.0.0.1:3900/it/api", "http://127.0.0.1:1/it/api"),
            ("https://proxy.example/dota/", "http://127.0.0.1:1/it/api"),
            ("https://api.opendota.com/api/", "http://127.0.0.1:1/it/api"),
        ] {
            assert_eq!(api_of("opendota", written), staged, "{written}");
        }
        let enphase = ENPHASE.replace("key =", "api = \"http://127.0.0.1:3900/enphase/api/v2\"\nkey =");
        let enphase =
            enphase.replace("client_id", "token_url = \"http://127.0.0.1:3900/enphase/oauth/token\"\nclient_id");
        let config = Config::staged(&file(&enphase), Path::new("ackd.toml"), &|_| None, &stage).unwrap();
        assert_eq!(config.upstreams[0].api, "http://127.0.0.1:1/enphase/api/v2");
        assert_eq!(config.upstreams[0].oauth().unwrap().token_url, "http://127.0.0.1:1/enphase/oauth/token");
    }
}
