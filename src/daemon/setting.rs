//! What a configuration comes to, as each room wants it.

use crate::config::{self, Config, Listens, Subscription};
use crate::inspector::Inspector;
use crate::intake::{Claims, Place, Route};
use crate::model::{ChannelNumber, Claim, Host, Upstream};
use crate::work::clerk::Hosts;
use crate::work::{Channel, Channels, login, session};
use std::sync::Arc;

/// The channels as workers know them.
pub(super) fn channels(config: &Config, numbers: &[ChannelNumber]) -> Channels {
    numbers.iter().copied().zip(config.channels.iter().map(served_channel)).collect()
}

/// A channel as workers know it.
pub fn served_channel(configured: &config::Channel) -> Channel {
    Channel {
        name: configured.name.clone(),
        platform: Arc::clone(&configured.platform),
        bot: Arc::clone(&configured.bot),
        bot_name: configured.bot_name.clone(),
        outside: configured.outside.clone(),
    }
}

/// Where webhooks lie.
pub(super) fn routes(config: &Config, numbers: &[ChannelNumber]) -> Vec<Route> {
    let routes = numbers.iter().zip(&config.channels).map(|(number, channel)| Route {
        channel: *number,
        name: channel.name.clone(),
        path: channel.path.clone(),
        platform: Arc::clone(&channel.platform),
    });
    routes.collect()
}

/// The bots that make pages.
pub(super) fn hosts(config: &Config) -> Hosts {
    config.pages.iter().map(|(name, bot)| (name.clone(), Arc::clone(bot))).collect()
}

/// Who looks into the store, where there is a door through which somebody may ask for that.
pub(super) fn inspector(config: &Config) -> Option<Inspector> {
    (config.admin != Listens::default()).then(|| Inspector::new(config.store.clone()))
}

/// Where pages lie.
pub(super) fn places(config: &Config) -> Vec<Place> {
    let bots = config.pages.iter().filter_map(|(name, bot)| {
        let opens = Arc::clone(bot);
        let claims: Claims = Box::new(move |head, below| match opens.opens(head, below) {
            true => Some(Claim::Link),
            false => session::may_be(head).then_some(Claim::Unproven),
        });
        Some(Place { path: bot.place()?.to_owned(), host: Host::Bot(name.clone()), public: true, claims })
    });
    let logins = config.upstreams.iter().filter_map(|upstream| {
        let name = &upstream.name;
        let claims: Claims =
            Box::new(|head, below| (login::may_begin(head, below) || session::may_be(head)).then_some(Claim::Unproven));
        Some(Place {
            path: Upstream::login_path(name),
            host: Host::Login(name.clone()),
            public: upstream.facebook()?.public_login,
            claims,
        })
    });
    bots.chain(logins).collect()
}

/// The channels as the keeper knows them: each one's bot as a number from 0.
pub(super) fn lines(config: &Config) -> Vec<(String, usize)> {
    let mut names = Vec::new();
    let mut place = |name| {
        names.iter().position(|bot| *bot == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        })
    };
    config.channels.iter().map(|channel| (channel.name.clone(), place(&channel.bot_name))).collect()
}

/// The subscriptions of the configuration, each with its channel's number.
pub(super) fn subscriptions(config: &Config, numbers: &[ChannelNumber]) -> Vec<(ChannelNumber, Subscription)> {
    let number = |name: &str| config.channels.iter().position(|channel| channel.name == name);
    let known = |wanted: &Subscription| Some((*numbers.get(number(&wanted.channel)?)?, wanted.clone()));
    config.subscriptions.iter().filter_map(known).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::{Found, Surroundings};
    use crate::model::Moment;
    use std::path::Path;

    /// A configuration with this beside two channels of one bot and one of another.
    pub(in super::super) fn configured(top: &str) -> Config {
        let channel = |name: &str, bot: &str| {
            format!(
                "[channel.{name}]\nplatform = \"messenger\"\npath = \"/{name}\"\nbot = \"{bot}\"\n\
                 verify_token = {{ env = \"SECRET\" }}\napp_secret = {{ env = \"SECRET\" }}\n\
                 access_token = {{ env = \"SECRET\" }}\n"
            )
        };
        let bots = "[bot.echo]\nkind = \"echo\"\n[bot.other]\nkind = \"echo\"\n";
        let text = [top, &channel("one", "echo"), &channel("two", "other"), &channel("three", "echo"), bots].concat();
        let around = Surroundings {
            env: &|_| Some("a-secret-of-some-length".to_owned()),
            read: &|path| Ok(Found { bytes: std::fs::read(path)?, mode: 0o100_600 }),
            is_folder: &|path| Ok(!path.ends_with("ackd.db")),
            is_open: &|_| false,
            now: Moment(1_795_219_200_000),
        };
        Config::parse_in(&text, Path::new("ackd.toml"), &around).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_store_is_looked_into_only_where_the_operator_has_a_door() {
        const LISTEN: &str = "listen = \"127.0.0.1:3000\"\n";
        assert!(inspector(&configured(LISTEN)).is_none());
        let with_door = configured(&format!("{LISTEN}[admin]\nlisten = \"127.0.0.1:3001\"\n"));
        assert!(inspector(&with_door).is_some());
    }

    #[test]
    fn channels_of_one_bot_are_of_one_number() {
        let lines = lines(&configured("listen = \"127.0.0.1:3000\"\n"));
        let expected = [("one", 0), ("two", 1), ("three", 0)].map(|(name, bot)| (name.to_owned(), bot));
        assert_eq!(lines, expected);
    }
}
