//! How long the certificates of the public door are good. One that has ended is a fault of the configuration already.

use super::finding::Finding;
use crate::config::TlsFiles;
use crate::model::Moment;

/// One for each.
pub(super) fn findings(tls: Option<&TlsFiles>, now: Moment) -> Vec<Finding> {
    let told = |(line, is_soon): (String, bool)| match is_soon {
        true => {
            Finding::note("certificate", format!("{line} `sudo certbot renew --dry-run`, for example, says why not"))
        }
        false => Finding::ok("certificate", line),
    };
    tls.into_iter().flat_map(|tls| tls.ends(now)).map(told).collect()
}
