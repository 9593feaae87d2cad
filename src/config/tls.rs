//! Where certificates and their keys are: `[tls]`. They are read here, so that a pair that does not fit is a fault like any
//! other; and again later, when they have changed.

use super::findings::{Findings, Risk, quoted};
use super::secret::{NO_CREDENTIALS, misnamed};
use super::surroundings::{Around, Found, OTHERS_READ, Secrets, read_from_disk};
use super::table::{Entry, Key, Table};
use crate::limits;
use crate::model::{Moment, Secret};
use crate::notation::counted::counted;
use crate::tls::{Flaw, Identity, Pem, day};
use std::io;
use std::path::{Path, PathBuf};
use toml::de::DeValue;

const KEYS: &[Key] = &[
    Key { name: "certificate", example: "\"/etc/letsencrypt/live/bots.example.org/fullchain.pem\"" },
    Key { name: "key", example: "\"/etc/letsencrypt/live/bots.example.org/privkey.pem\"" },
];

const SOURCES: &[Key] = &[Key { name: "credential", example: "\"tls_key\"" }];

/// The public listeners speak TLS by these.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Each certificate with its key.
    pairs: Vec<(PathBuf, PathBuf)>,
    /// What stood in them when the configuration was read.
    pub identity: Identity,
}

impl TlsFiles {
    /// Where something changes when a certificate is renewed.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.pairs.iter().flat_map(|(certificate, key)| [certificate.as_path(), key])
    }

    /// How long each certificate is good: a line, and whether it is one that ends soon.
    pub fn ends(&self, now: Moment) -> impl Iterator<Item = (String, bool)> {
        self.pairs.iter().zip(self.identity.lifetimes()).map(move |((file, _), ends)| {
            let soon = soon(file, ends, now);
            let is_soon = soon.is_some();
            (soon.unwrap_or_else(|| format!("{} is good until {}", shown(file), day(ends))), is_soon)
        })
    }

    /// Reads them again; or says which file is wrong, and what to do.
    pub fn read_again(&self, now: Moment) -> Result<Identity, String> {
        let found = |path: &Path| content(read_from_disk(path)).map_err(|what| format!("{} {what}", shown(path)));
        let pems = self.pairs.iter().map(|(certificate, key)| Ok(pem(found(certificate)?, found(key)?)));
        let pems = pems.collect::<Result<Vec<_>, String>>()?;
        Identity::of(&pems, now).map_err(|(place, flaw)| match (self.pairs.get(place), &flaw) {
            (Some((certificate, _)), Flaw::Certificate(_)) => format!("{} {flaw}", shown(certificate)),
            (Some((_, key)), Flaw::Key(_)) => format!("{} {flaw}", shown(key)),
            (None, _) => flaw.to_string(),
        })
    }
}

/// Reads the table. Nothing comes of it where secrets are not read, or made up: a trial speaks plain HTTP.
pub(super) fn tls(entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<TlsFiles> {
    let table = entry.table(KEYS, findings)?;
    let certificates = files("certificate", &table, around, findings);
    let keys = files("key", &table, around, findings);
    let (certificates, keys) = (certificates?, keys?);
    if certificates.len() != keys.len() {
        let what = format!(
            "there are {} and {}; each certificate has its key, in the same order",
            counted(certificates.len() as u64, "certificate"),
            counted(keys.len() as u64, "key")
        );
        findings.fault(&entry.place, what);
        return None;
    }
    if around.secrets != Secrets::Read {
        return None;
    }
    let pairs = certificates.iter().zip(&keys);
    let pems: Vec<_> = pairs
        .map(|(certificate, key)| Some(pem(certificate.read(around, findings)?, key.read(around, findings)?)))
        .collect();
    let pems: Vec<_> = pems.into_iter().collect::<Option<_>>()?;
    let identity = Identity::of(&pems, around.world.now);
    let identity = identity.map_err(|(place, flaw)| {
        let file = if matches!(flaw, Flaw::Certificate(_)) { certificates.get(place) } else { keys.get(place) };
        if let Some(file) = file {
            findings.fault(&file.entry.place, format!("{} {flaw}", shown(&file.path)));
        }
    });
    let identity = identity.ok()?;
    for (file, ends) in certificates.iter().zip(identity.lifetimes()) {
        if let Some(what) = soon(&file.path, ends, around.world.now) {
            findings.warn(Risk::Odd, &file.entry.place, what);
        }
    }
    let pairs = certificates.into_iter().zip(keys).map(|(certificate, key)| (certificate.path, key.path)).collect();
    Some(TlsFiles { pairs, identity })
}

/// A file that the table names.
struct Named<'t> {
    entry: Entry<'t>,
    path: PathBuf,
    is_key: bool,
}

impl Named<'_> {
    fn read(&self, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<String> {
        let found = (around.world.read)(&self.path);
        if self.is_key && found.as_ref().is_ok_and(|found| found.mode & OTHERS_READ != 0) {
            let what = format!("everybody on this machine can read {}; chmod o-r takes that away", shown(&self.path));
            findings.warn(Risk::Danger, &self.entry.place, what);
        }
        let content = content(found);
        content.map_err(|what| findings.fault(&self.entry.place, format!("{} {what}", shown(&self.path)))).ok()
    }
}

/// The files under a key, one or a list.
fn files<'t>(
    name: &'static str,
    table: &Table<'t>,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Vec<Named<'t>>> {
    let entry = table.need(name, findings)?;
    let members = entry.one_or_list(findings);
    if members.is_empty() || members.len() > limits::TLS_PAIRS_MAX {
        let what = format!("must list 1 to {} files; write for example {}", limits::TLS_PAIRS_MAX, entry.example);
        findings.fault(&entry.place, what);
        return None;
    }
    let files: Vec<_> = members.into_iter().map(|entry| file(entry, name == "key", around, findings)).collect();
    files.into_iter().collect()
}

/// A path, or where systemd has put the file; a relative one begins at the configuration.
fn file<'t>(entry: Entry<'t>, is_key: bool, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<Named<'t>> {
    let path = match entry.value {
        DeValue::String(text) if text.starts_with("-----") => {
            let what = format!("is the file's name, not what stands in it; write for example {}", entry.example);
            findings.fault(&entry.place, what);
            return None;
        }
        DeValue::String(text) => around.file.parent().unwrap_or(Path::new("")).join(text.as_ref()),
        DeValue::Table(_) => credential(&entry, around, findings)?,
        _ => {
            entry.wrong_type("a file's name, or { credential = … }", findings);
            return None;
        }
    };
    Some(Named { entry, path, is_key })
}

fn credential(entry: &Entry<'_>, around: &Around<'_>, findings: &mut Findings<'_>) -> Option<PathBuf> {
    // As a secret would be written.
    if let Some(source) = entry.peek("file", "", findings) {
        findings.fault(&source.place, format!("a file's name stands here without {{ }}; write {}", entry.example));
        return None;
    }
    let table = entry.table(SOURCES, findings)?;
    let source = if table.has_unknown() { None } else { table.need("credential", findings) }?;
    let name = source.text(findings)?;
    if let Some(what) = misnamed(source.name, name) {
        findings.fault(&source.place, what);
        return None;
    }
    match around.world.folder("CREDENTIALS_DIRECTORY") {
        Some(folder) => Some(Path::new(&folder).join(name)),
        // Beside the daemon nobody has its credentials, and nobody reads them.
        None if around.secrets != Secrets::Read => Some(PathBuf::new()),
        None => {
            findings.fault(&source.place, NO_CREDENTIALS);
            None
        }
    }
}

fn content(found: io::Result<Found>) -> Result<String, String> {
    let found = found.map_err(|error| format!("cannot be read: {error}"))?;
    if found.bytes.len() > limits::SECRET_BYTES_MAX {
        return Err(format!("is larger than {} KiB; that is no PEM file", limits::SECRET_BYTES_MAX / 1024));
    }
    String::from_utf8(found.bytes).map_err(|_| {
        "is not text, so it is no PEM file; `openssl x509 -in FILE -inform der` \
                                                makes one"
            .to_owned()
    })
}

fn pem(certificate: String, key: String) -> Pem {
    Pem { certificate: certificate.into_bytes(), key: Secret::new(key) }
}

/// What is said of a certificate that ends soon.
fn soon(file: &Path, ends: Moment, now: Moment) -> Option<String> {
    let left = ends.since(now);
    let days = left.as_secs() / (24 * 3600);
    (left < limits::CERTIFICATE_NEWS_TIME).then(|| {
        format!(
            "{} is good until {} only, for {}; is there still somebody who renews it?",
            shown(file),
            day(ends),
            counted(days, "day")
        )
    })
}

fn shown(path: &Path) -> String {
    quoted(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigError, Outline, Surroundings};

    const REST: &str = "[channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"it\"\n\
                        verify_token = { env = \"SECRET\" }\napp_secret = { env = \"SECRET\" }\n\
                        access_token = { env = \"SECRET\" }\n[bot.it]\nkind = \"echo\"\n";

    fn text(tls: &str) -> String {
        format!("listen = \"127.0.0.1:3000\"\n[tls]\n{tls}\n{REST}")
    }

    /// 2026-11-21.
    const NOW: Moment = Moment(1_795_219_200_000);

    fn parse(tls: &str) -> Result<Config, ConfigError> {
        parse_at(NOW, tls)
    }

    /// Reads a configuration of the folder of fixtures, which is the credentials' folder, too.
    fn parse_at(now: Moment, tls: &str) -> Result<Config, ConfigError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
        let env = |name: &str| match name {
            "SECRET" => Some("a-secret-canary".to_owned()),
            "CREDENTIALS_DIRECTORY" => Some(folder.display().to_string()),
            _ => None,
        };
        let read = |path: &Path| {
            let found = read_from_disk(path)?;
            // As the repository was checked out, whatever the umask was.
            let mode = if path.ends_with("renewed.key") { 0o100_644 } else { 0o100_600 };
            Ok(Found { mode, ..found })
        };
        let around = Surroundings {
            env: &env,
            read: &read,
            is_folder: &|path| Ok(!path.ends_with("ackd.db")),
            is_open: &|_| false,
            now,
        };
        Config::parse_in(&text(tls), &folder.join("ackd.toml"), &around)
    }

    fn fault(tls: &str) -> String {
        let error = parse(tls).err().unwrap_or_else(|| panic!("no fault: {tls}"));
        let faults: Vec<_> = error.faults.iter().map(|fault| format!("{}: {}", fault.key, fault.what)).collect();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.concat().replace(env!("CARGO_MANIFEST_DIR"), "")
    }

    #[test]
    fn files_are_named_from_the_configuration_on_or_by_systemds_credentials() {
        for tls in [
            "certificate = \"bots.pem\"\nkey = \"bots.key\"",
            "certificate = \"./bots.pem\"\nkey = { credential = \"bots.key\" }",
            "certificate = [\"other.pem\", \"bots.pem\"]\nkey = [\"other.key\", { credential = \"bots.key\" }]",
        ] {
            let config = parse(tls).unwrap();
            assert_eq!(config.warnings, [""; 0]);
            assert_eq!(config.connections_max, limits::TLS_CONNECTIONS_MAX);
            let tls = config.tls.unwrap();
            assert!(tls.paths().all(|path| path.is_absolute()));
            assert!(tls.read_again(NOW).unwrap().shows_the_same(&tls.identity));
        }
        let open = parse("certificate = \"renewed.pem\"\nkey = \"renewed.key\"").unwrap().warnings;
        assert!(open.iter().any(|line| line.contains("tls.key: everybody on this machine can read")), "{open:?}");
    }

    #[test]
    fn what_cannot_be_used_says_which_file_and_what_to_do() {
        let at = "\"/tests/fixtures/tls/";
        for (tls, expected) in [
            ("certificate = \"bots.pem\"", "tls.key: is missing; write key = ".to_owned()),
            (
                "certificate = \"x.pem\"\nkey = \"bots.key\"",
                format!("tls.certificate: {at}x.pem\" cannot be read: No such"),
            ),
            (
                "certificate = \"expired.pem\"\nkey = \"bots.key\"",
                format!("tls.certificate: {at}expired.pem\" has expired: it was good until 2021-03-04; renew it"),
            ),
            (
                "certificate = [\"bots.pem\", \"renewed.pem\"]\nkey = [\"bots.key\", \"bots.key\"]",
                format!("tls.key: {at}bots.key\" is not the key of that certificate; were both renewed?"),
            ),
            (
                "certificate = [\"bots.pem\", \"other.pem\"]\nkey = \"bots.key\"",
                "tls: there are 2 certificates and 1 key; each certificate has its key, in the same order".to_owned(),
            ),
            ("certificate = []\nkey = \"bots.key\"", "tls.certificate: must list 1 to 16 files; write for".to_owned()),
            (
                "certificate = \"bots.pem\"\nkey = 7",
                "tls.key: must be a file's name, or { credential = … }, not".to_owned(),
            ),
            (
                "certificate = \"bots.pem\"\nkey = \"-----BEGIN PRIVATE KEY-----\"",
                "tls.key: is the file's name, not what stands in it; write for example key = ".to_owned(),
            ),
            (
                "certificate = \"bots.pem\"\nkey = { credential = \"../bots.key\" }",
                "tls.key.credential: a credential's name is a plain word;".to_owned(),
            ),
            (
                "certificate = { file = \"bots.pem\" }\nkey = \"bots.key\"",
                "tls.certificate.file: a file's name stands here without { }; write certificate = \"/etc/".to_owned(),
            ),
            (
                "certificate = \"bots.pem\"\nkey = { env = \"KEY\" }",
                "tls.key.env: unknown key; what may stand here: credential".to_owned(),
            ),
        ] {
            let fault = fault(tls);
            assert!(fault.starts_with(&expected), "{tls}: {fault}");
        }
    }

    #[test]
    fn one_that_ends_soon_is_spoken_of_in_time() {
        const TLS: &str = "certificate = [\"other.pem\", \"bots.pem\"]\nkey = [\"other.key\", \"bots.key\"]";
        let end = Moment(4_733_510_400_000);
        let before = |seconds: i64| Moment(end.0 - seconds * 1000);
        let said = |now| {
            let config = parse_at(now, TLS).unwrap();
            assert!(config.risks.iter().all(|risk| *risk == Risk::Odd), "nothing is wrong yet");
            let ends: Vec<_> = config.tls.unwrap().ends(now).collect();
            (ends, config.warnings.iter().filter(|line| line.contains("is good until")).count())
        };
        let (ends, warnings) = said(before(21 * 24 * 3600));
        assert!(ends[1].0.ends_with("fixtures/tls/bots.pem\" is good until 2120-01-01"), "{ends:?}");
        assert!(ends.iter().all(|(_, is_soon)| !is_soon) && warnings == 0);
        let (ends, warnings) = said(before(21 * 24 * 3600 - 1));
        assert!(ends.iter().all(|(_, is_soon)| *is_soon) && warnings == 2);
        let line = "fixtures/tls/other.pem\" is good until 2120-01-01 only, for 20 days; is there still somebody who renews it?";
        assert!(ends[0].0.ends_with(line), "{ends:?}");
        assert!(parse_at(before(-1), TLS).is_err(), "one that has ended is a fault");
    }

    #[test]
    fn who_reads_no_secrets_reads_no_keys() {
        let tls = "certificate = \"nowhere.pem\"\nkey = { credential = \"tls_key\" }";
        assert!(Outline::parse(&text(tls), Path::new("ackd.toml"), &|_| None).is_ok());
    }
}
