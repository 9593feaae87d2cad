//! One certificate with its chain and its key.

use super::{Pem, provider};
use crate::model::Moment;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use webpki::{EndEntityCert, KeyUsage};

/// What is wrong with a pair, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    Certificate(String),
    Key(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Flaw::Certificate(what) | Flaw::Key(what)) = self;
        out.write_str(what)
    }
}

/// A certificate and its key, ready for handshakes.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) ends: Moment,
}

impl Pair {
    pub(super) fn of(pem: &Pem, now: Moment) -> Result<Pair, Flaw> {
        let chain = chain(&pem.certificate)?;
        let ends = lifetime(&chain, now)?;
        let der = PrivateKeyDer::from_pem_slice(pem.key.expose().as_bytes()).map_err(|fault| no_key(pem, &fault))?;
        let key = provider().key_provider.load_private_key(der);
        let key =
            key.map_err(|_| Flaw::Key("is of a kind that is not used for TLS; an EC key (P-256) is best".into()))?;
        let key = CertifiedKey::new(chain, key);
        let other = "is not the key of that certificate; were both renewed?";
        key.keys_match().map_err(|_| Flaw::Key(other.to_owned()))?;
        Ok(Pair { key: Arc::new(key), ends })
    }

    /// Whether the certificate names this host.
    pub(super) fn is_for(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else { return false };
        let leaf = self.key.cert.first().and_then(|leaf| EndEntityCert::try_from(leaf).ok());
        leaf.is_some_and(|leaf| leaf.verify_is_valid_for_subject_name(&name).is_ok())
    }

    /// The first name that it is for; nothing where it has addresses alone.
    pub(super) fn name(&self) -> String {
        let leaf = self.key.cert.first().and_then(|leaf| EndEntityCert::try_from(leaf).ok());
        leaf.and_then(|leaf| leaf.valid_dns_names().next().map(str::to_owned)).unwrap_or_default()
    }
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Flaw> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|fault| Flaw::Certificate(format!("is no PEM: {fault:?}")))?;
    if chain.is_empty() {
        return Err(Flaw::Certificate("holds no certificate, which begins with -----BEGIN CERTIFICATE-----".into()));
    }
    Ok(chain)
}

fn no_key(pem: &Pem, fault: &pem::Error) -> Flaw {
    let locked = pem.key.expose().contains("ENCRYPTED");
    Flaw::Key(match fault {
        _ if locked => "is locked by a passphrase; `openssl pkey -in KEY -out FREE` makes one without".to_owned(),
        pem::Error::NoItemsFound => "holds no key, which begins with -----BEGIN PRIVATE KEY-----".to_owned(),
        // Its words could show what stands there.
        _ => "is no PEM".to_owned(),
    })
}

/// When a certificate ends; a flaw when it has ended or has not begun.
fn lifetime(chain: &[CertificateDer<'static>], now: Moment) -> Result<Moment, Flaw> {
    let broken = |error: webpki::Error| Flaw::Certificate(format!("cannot be used for a server: {error}"));
    let Some((leaf, others)) = chain.split_first() else { return Err(broken(webpki::Error::BadDer)) };
    let leaf = EndEntityCert::try_from(leaf).map_err(broken)?;
    let algorithms = provider().signature_verification_algorithms.all;
    // Its dates are looked at before anybody who might have signed it, of whom there are none here.
    let look = |at: UnixTime| {
        leaf.verify_for_usage(algorithms, &[], others, at, KeyUsage::server_auth(), None, None).map(drop)
    };
    let far = UnixTime::since_unix_epoch(Duration::from_secs(FAR));
    let ends = match look(far) {
        Err(webpki::Error::CertExpired { not_after, .. }) => moment(not_after),
        _ => Moment(i64::MAX),
    };
    let at = UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(now.0).unwrap_or_default()));
    match look(at) {
        Err(webpki::Error::CertExpired { not_after, .. }) => {
            Err(Flaw::Certificate(format!("has expired: it was good until {}; renew it", day(moment(not_after)))))
        }
        Err(webpki::Error::CertNotValidYet { not_before, .. }) => Err(Flaw::Certificate(format!(
            "is good only from {} on; is this machine's clock right?",
            day(moment(not_before))
        ))),
        Err(error @ webpki::Error::RequiredEkuNotFoundContext(_)) => Err(broken(error)),
        // That nobody is known who signed it is as it should be: whoever calls us looks at that.
        _ => Ok(ends),
    }
}

/// The year 9999, as late as a certificate can name.
const FAR: u64 = 253_402_300_799;

fn moment(time: UnixTime) -> Moment {
    Moment(i64::try_from(time.as_secs()).unwrap_or_default().saturating_mul(1000))
}

/// As `2026-11-21`.
pub fn day(moment: Moment) -> String {
    Timestamp::from_millisecond(moment.0).unwrap_or_default().to_zoned(TimeZone::UTC).date().to_string()
}
