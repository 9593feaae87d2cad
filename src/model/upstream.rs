//! Somebody else's service that a bot asks: where it is, how often it may be asked, and with which papers.

use super::secret::Secret;
use super::time::Moment;
use serde::{Deserialize, Serialize};

/// An upstream that the configuration names, `[upstream.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    pub name: String,
    /// The service, where it is one that we know: `enphase`, `opendota` or `facebook`.
    pub kind: Option<&'static str>,
    /// The base URL, without a slash at its end.
    pub api: String,
    /// A query parameter that each call carries and no log shows: `key=…`, already percent-encoded.
    pub key: Option<Secret>,
    /// How often it may be asked; each holds.
    pub limits: Vec<Limit>,
    /// What each call must have besides; `None` where nothing, or only the key.
    pub papers: Option<Papers>,
}

/// By which right an upstream is asked, where that is more than a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Papers {
    OAuth(OAuth),
    Facebook(Facebook),
}

impl Upstream {
    /// Where somebody logs in at the upstream of this name, at whichever door.
    pub fn login_path(name: &str) -> String {
        format!("/login/{name}")
    }

    /// Its tokens of OAuth that turn, where it has such.
    pub fn oauth(&self) -> Option<&OAuth> {
        match &self.papers {
            Some(Papers::OAuth(oauth)) => Some(oauth),
            _ => None,
        }
    }

    /// Its login at Facebook, where it has one.
    pub fn facebook(&self) -> Option<&Facebook> {
        match &self.papers {
            Some(Papers::Facebook(facebook)) => Some(facebook),
            _ => None,
        }
    }
}

/// How tokens are had (enphase.md §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth {
    /// Where a person gives consent.
    pub authorize_url: String,
    pub token_url: String,
    pub redirect_uri: String,
    pub client_id: String,
    pub client_secret: Secret,
    /// How long a refresh token lives that is not used.
    pub refresh_life_s: u64,
}

/// How somebody lets us ask for pages of theirs (graph.md §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facebook {
    pub app_id: String,
    pub app_secret: Secret,
    /// Where a person gives consent.
    pub dialog: String,
    /// Where they are led back to, at one of our own doors; byte for byte what the app has registered.
    pub redirect_uri: String,
    /// Whether they are led to the public door, and not to the admin listener.
    pub public_login: bool,
}

/// So many calls in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub calls: u32,
    pub per: Period,
}

/// A period as upstreams count: by the calendar in UTC, from its beginning to its end. What the compiler does not name to who
/// adds one: its key in `config/upstream.rs`, and how `bot/solar/pace.rs` shares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Second,
    Minute,
    Day,
    Month,
}

impl Period {
    /// The shortest first.
    pub const ALL: [Period; 4] = [Period::Second, Period::Minute, Period::Day, Period::Month];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Period::Second => "second",
            Period::Minute => "minute",
            Period::Day => "day",
            Period::Month => "month",
        }
    }
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    pub per: Period,
    pub calls: u32,
    pub of: u32,
    /// When the period ends and all is there again.
    pub ends: Moment,
}

/// What an upstream's answer said about its limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    /// The limit that it named, if it named one.
    pub per: Option<Period>,
    pub of: Option<u32>,
    /// How many calls are left of it.
    pub left: Option<u32>,
    /// It wants no call before this.
    pub until: Option<Moment>,
}
