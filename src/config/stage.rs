//! A configuration that is tried against twins: the user's channels and bots, with secrets that mean nothing and an API
//! on this machine. The platform's real secrets are not even looked for.

use crate::model::Secret;
use crate::notation::hex;
use ring::digest;

/// Where the twins are, and what their secrets are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The twins' address, `http://127.0.0.1:PORT`; the twin of each channel and upstream lives below it under its name.
    pub house: String,
    /// Another one for each trial.
    pub seed: u64,
}

impl Stage {
    /// The base URL of the API for a channel or an upstream.
    pub fn api(&self, name: &str) -> String {
        format!("{}/{name}", self.house)
    }

    /// The secret that stands at a place of the file, as `channel.page.app_secret`: 32 hex digits.
    pub fn secret(&self, place: &str) -> Secret {
        let digest = digest::digest(&digest::SHA256, format!("{} {place}", self.seed).as_bytes());
        Secret::new(hex(digest.as_ref().get(..16).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_and_each_trial_has_a_secret_of_its_own() {
        let stage = |seed| Stage { house: "http://127.0.0.1:1".to_owned(), seed };
        let secret = |seed, place| stage(seed).secret(place).expose().to_owned();
        assert_eq!(secret(1, "channel.page.app_secret"), secret(1, "channel.page.app_secret"));
        assert_ne!(secret(1, "channel.page.app_secret"), secret(2, "channel.page.app_secret"));
        assert_ne!(secret(1, "channel.page.app_secret"), secret(1, "channel.page.access_token"));
        assert_eq!(stage(1).api("page"), "http://127.0.0.1:1/page");
    }
}
