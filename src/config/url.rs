//! A base URL as far as we need to know it: scheme, host, and that a path can be hung on its end.

use std::net::IpAddr;

/// What is said of a text that is no URL of ours at all.
pub(super) const NO_SCHEME: &str = "must begin with https://, or on this machine with http://";

/// A URL that a path can be appended to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BaseUrl {
    /// Without a slash at its end.
    pub(super) text: String,
    pub(super) https: bool,
    /// The host is this machine.
    pub(super) loopback: bool,
}

impl BaseUrl {
    /// Reads one; the error says what to write instead and does not repeat the text, which may hold a password.
    pub(super) fn parse(text: &str) -> Result<BaseUrl, &'static str> {
        let (https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(NO_SCHEME),
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Err("holds a character that no URL may hold");
        }
        if rest.contains(['?', '#']) {
            return Err("must end before the ? or #");
        }
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.contains('@') {
            return Err("must not hold a user name or password");
        }
        let host = host(authority)?;
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let loopback = address.map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback());
        Ok(BaseUrl { text: text.trim_end_matches('/').to_owned(), https, loopback })
    }
}

/// The host of `host:port`, both checked.
fn host(authority: &str) -> Result<&str, &'static str> {
    // In an IPv6 address only the colon behind the bracket begins the port.
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match authority.get(end..).and_then(|tail| tail.find(':')) {
        Some(colon) => authority.split_at(end + colon),
        None => (authority, ":443"),
    };
    let port_fits = port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let six = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_fits = match six {
        Some(six) => six.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(name),
    };
    match (host_fits, port_fits) {
        (true, true) => Ok(host),
        (false, _) => Err("has no host name behind the //"),
        (_, false) => Err("has a port that is no number from 1 to 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_loses_its_last_slash_and_knows_its_host() {
        for (text, kept, https, loopback) in [
            ("https://graph.facebook.com/v25.0/", "https://graph.facebook.com/v25.0", true, false),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", false, true),
            ("http://[::1]:8080//", "http://[::1]:8080", false, true),
            ("http://LOCALHOST/a", "http://LOCALHOST/a", false, true),
            ("https://a", "https://a", true, false),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap(), BaseUrl { text: kept.to_owned(), https, loopback }, "{text}");
        }
    }

    #[test]
    fn what_is_no_base_url_says_why() {
        for (text, why) in [
            ("graph.facebook.com", NO_SCHEME),
            ("ftp://a", NO_SCHEME),
            ("https://", "has no host name behind the //"),
            ("https:///path", "has no host name behind the //"),
            ("https://[::1", "has no host name behind the //"),
            ("https://[nonsense]", "has no host name behind the //"),
            ("https://a:0", "has a port that is no number from 1 to 65535"),
            ("https://a:", "has a port that is no number from 1 to 65535"),
            ("https://a:70000", "has a port that is no number from 1 to 65535"),
            ("https://me:word@a", "must not hold a user name or password"),
            ("https://a?token=1", "must end before the ? or #"),
            ("https://a b", "holds a character that no URL may hold"),
            ("https://ä", "holds a character that no URL may hold"),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(why), "{text}");
        }
    }
}
