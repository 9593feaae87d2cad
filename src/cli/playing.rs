//! A house of twins for the channels and upstreams of a configuration; `ackd try` and `ackd twin` both play.

use crate::config::{Account, Channel, Config, KnownBot};
use crate::daemon;
use crate::model::{Facebook, Moment, OAuth, Papers, Period, Secret, Upstream};
use crate::notation::unpercent_text;
use crate::page::{Clock, Page};
use crate::twin::{House, Plan, Server, Twin, enphase, graph, messenger, opendota, seed_of, webex};
use crate::work::facebook::{Consent, SCOPES};
use crate::work::vault::Tokens;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What somebody who plays may choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Play {
    /// Where the twins and their page listen; 0 takes a free port.
    pub listen: Option<SocketAddr>,
    /// What goes wrong on purpose, as `late 5% 300ms, cut 2%`.
    pub faults: String,
    /// What chance is drawn from; another one for each play unless told.
    pub seed: Option<u64>,
}

/// What came of taking in a twin for an upstream.
#[derive(Debug)]
pub enum Lodged {
    /// There is none for its kind.
    Nobody,
    /// It answers whoever asks, or has the key.
    Open,
    /// It wants tokens: these are of somebody who has allowed us to ask it, as they are kept.
    Consenting(Secret),
}

/// A house that can be called, and its page.
pub struct Stand {
    pub house: Arc<House>,
    pub server: Server,
    plan: Plan,
    seed: u64,
    page: Arc<OnceLock<Page>>,
    clock: fn() -> Moment,
}

impl Stand {
    /// Listens, with nobody at home yet. `chance` is used where no seed was given.
    pub fn open(play: &Play, chance: u64, clock: fn() -> Moment) -> Result<Stand, String> {
        let seed = play.seed.unwrap_or(chance);
        let plan = Plan::parse(&play.faults, seed).map_err(|what| format!("--faults: {what}"))?;
        let house = Arc::new(House::new(clock));
        let page: Arc<OnceLock<Page>> = Arc::default();
        let shown = Arc::clone(&page);
        let extra = Box::new(move |request: &_| shown.get()?.answer(request));
        let address = play.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        let told = |error: io::Error| daemon::unheard(address, &error);
        let server = Server::open(address, Arc::clone(&house), extra).map_err(told)?;
        Ok(Stand { house, server, plan, seed, page, clock })
    }

    /// The twins' address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// What chance is drawn from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Takes in a twin for each channel. `base` is where the bot's program listens, without a slash at its end.
    pub fn lodge(&self, config: &Config, base: &str) -> Result<(), String> {
        for channel in &config.channels {
            self.house.lodge(&channel.name, self.twin(channel, base), self.plan.of(&channel.name))?;
        }
        Ok(())
    }

    /// Takes in a twin for an upstream, where there is one for its kind. `bots` are those that may ask it.
    pub fn lodge_upstream(&self, upstream: &Upstream, bots: &[KnownBot]) -> Result<Lodged, String> {
        let (twin, lodged): (Box<dyn Twin>, _) = match (upstream.kind, &upstream.papers) {
            (Some("enphase"), Some(Papers::OAuth(oauth))) => {
                let (twin, tokens) = self.enphase(upstream, oauth);
                (Box::new(twin), Lodged::Consenting(tokens))
            }
            (_, Some(Papers::Facebook(facebook))) => {
                let (twin, consent) = self.graph(upstream, facebook, bots);
                (Box::new(twin), Lodged::Consenting(consent))
            }
            (Some("opendota"), _) => (Box::new(self.opendota(upstream)), Lodged::Open),
            _ => return Ok(Lodged::Nobody),
        };
        self.house.lodge(&upstream.name, twin, self.plan.of(&upstream.name))?;
        Ok(lodged)
    }

    fn enphase(&self, upstream: &Upstream, oauth: &OAuth) -> (enphase::Enphase, Secret) {
        let mut settings = enphase::Settings::played();
        settings.key = key_of(upstream).unwrap_or_else(|| Secret::new(""));
        (settings.client_id, settings.client_secret) = (oauth.client_id.clone(), oauth.client_secret.clone());
        settings.refresh_life = Duration::from_secs(oauth.refresh_life_s);
        settings.limits = upstream.limits.clone();
        settings.seed = seed_of(self.seed, &upstream.name);
        let mut twin = enphase::Enphase::new(settings);
        let now = (self.clock)();
        let refresh = twin.refresh_token(now);
        (twin, Tokens::of_refresh(&refresh, now).json())
    }

    fn graph(&self, upstream: &Upstream, facebook: &Facebook, bots: &[KnownBot]) -> (graph::Graph, Secret) {
        let mut settings = graph::Settings::played();
        // As it is called, or nobody would follow a list to its next part.
        settings.base = without_version(&upstream.api).to_owned();
        (settings.app_id, settings.app_secret) = (facebook.app_id.clone(), facebook.app_secret.clone());
        settings.redirect_uris = vec![facebook.redirect_uri.clone()];
        settings.seed = seed_of(self.seed, &upstream.name);
        // It counts by hours, and an hour may lie in two days.
        let per_day = upstream.limits.iter().find(|limit| limit.per == Period::Day);
        settings.calls_per_hour = per_day.map_or(settings.calls_per_hour, |limit| limit.calls.saturating_mul(2));
        suit(&mut settings.pages, bots.iter().filter(|bot| bot.upstream.as_ref() == Some(&upstream.name)));
        let pages = settings.pages.clone();
        let (mut twin, now) = (graph::Graph::new(settings), (self.clock)());
        let token = twin.person_token(&SCOPES, now);
        let granted = pages.iter().filter_map(|page| {
            let token = twin.page_token(&page.id, &SCOPES, now)?;
            Some((page.id.as_str(), page.name.as_str(), token))
        });
        let consent = Consent::played(&token, &granted.collect::<Vec<_>>(), now).json();
        (twin, consent)
    }

    fn opendota(&self, upstream: &Upstream) -> opendota::OpenDota {
        let mut settings = opendota::Settings::played();
        settings.key = key_of(upstream);
        settings.seed = seed_of(self.seed, &upstream.name);
        for limit in &upstream.limits {
            match limit.per {
                Period::Minute if settings.key.is_some() => settings.per_minute_with_key = limit.calls,
                Period::Minute => settings.per_minute = limit.calls,
                Period::Day => settings.per_day = limit.calls,
                // It counts by no other period.
                Period::Second | Period::Month => {}
            }
        }
        opendota::OpenDota::new(settings)
    }

    fn twin(&self, channel: &Channel, base: &str) -> Box<dyn Twin> {
        match &channel.account {
            Account::Messenger(account) => {
                let url = format!("{base}{}", channel.path);
                let app_secret = account.app_secrets.first().cloned().unwrap_or_else(|| Secret::new(""));
                let (verify_token, access_token) = (account.verify_token.clone(), account.access_token.clone());
                let mut settings = messenger::Settings::new(url, app_secret, verify_token, access_token);
                settings.page_id = account.page_id.clone().unwrap_or(settings.page_id);
                settings.seed = seed_of(self.seed, &channel.name);
                Box::new(messenger::Messenger::new(settings))
            }
            Account::Webex(account) => {
                let api = self.server.api(&channel.name);
                let mut settings = webex::Settings::new(channel.name.clone(), account.access_token.clone(), api);
                settings.seed = seed_of(self.seed, &channel.name);
                let email = format!("{}-ackd@webex.bot", channel.bot_name);
                settings.bot = webex::Member::new(channel.bot_name.clone(), email);
                settings.private_files = true;
                Box::new(webex::Webex::new(settings, (self.clock)()))
            }
        }
    }

    /// Shows the page from now on. `store` is that of the daemon behind the twins, where its file can be read, and `clock`
    /// theirs and the daemon's, where it may be moved.
    pub fn show(&self, (title, what): (&str, String), store: Option<PathBuf>, clock: Option<Clock>, config: &Config) {
        let bots = config.channels.iter().map(|channel| (channel.name.clone(), channel.bot_name.clone())).collect();
        let (house, title) = (Arc::clone(&self.house), title.to_owned());
        // It is shown once.
        let _ = self.page.set(Page { house, store, title, what, bots, clock });
    }
}

/// Makes of the pages that are played those which the bots tell of: whatever they name is there, and where one names none,
/// the person has a role on one page alone.
fn suit<'a>(pages: &mut Vec<graph::Page>, bots: impl Iterator<Item = &'a KnownBot>) {
    let (mut named, mut one_alone) = (Vec::new(), false);
    for bot in bots {
        match &bot.page {
            Some(id) => named.push(id),
            None => one_alone = true,
        }
    }
    // The other pages that are played; of those that somebody names, the person may speak.
    for page in pages.iter_mut().skip(1).filter(|page| one_alone && !named.contains(&&page.id)) {
        page.role = false;
    }
    for id in named {
        if !pages.iter().any(|page| page.id == *id) {
            pages.push(graph::Page::bakery(id, "A page of yours"));
        }
    }
}

/// The address of an API without the version at its end, as `/v25.0`.
fn without_version(api: &str) -> &str {
    let is_version = |end: &str| end.starts_with(|sign: char| sign.is_ascii_digit());
    api.rsplit_once("/v").filter(|(_, end)| is_version(end)).map_or(api, |(base, _)| base)
}

/// The key of an upstream as its calls carry it.
fn key_of(upstream: &Upstream) -> Option<Secret> {
    let (_, key) = upstream.key.as_ref()?.expose().split_once('=')?;
    Some(Secret::new(unpercent_text(key, false)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Framing, Head, Limit, Method, Request, Span};
    use crate::twin::house::Answered;
    use std::path::Path;

    /// Which of many calls to each channel's twin fail, under this seed.
    fn failing(seed: u64) -> Vec<Vec<bool>> {
        let channel = |name: &str| {
            format!(
                "[channel.{name}]\nplatform = \"webex\"\npath = \"/{name}\"\nbot = \"echo\"\naccess_token = \"demo\"\n\
                 secret = \"demo-secret\"\n"
            )
        };
        let text =
            format!("listen = \"127.0.0.1:0\"\n{}{}[bot.echo]\nkind = \"echo\"\n", channel("one"), channel("two"));
        let config = Config::parse(&text, Path::new("ackd.toml"), &|_| None).unwrap();
        let play = Play { faults: "500 30%".to_owned(), seed: Some(seed), ..Play::default() };
        let stand = Stand::open(&play, 0, daemon::clock).unwrap();
        stand.lodge(&config, "http://127.0.0.1:1").unwrap();
        let failing = |twin: &&str| {
            for _ in 0..64 {
                let text = b"GET /people/me HTTP/1.1\r\n".to_vec().into();
                let (target, headers) = (Span { start: 4, end: 14 }, Box::default());
                let head = Head { method: Method::Get, text, target, headers, framing: Framing::Empty };
                stand.house.call(twin, &Request { head, body: Vec::new() }).unwrap();
            }
            let ledger = serde_json::to_value(stand.house.ledger(Some(twin))).unwrap();
            let calls = ledger.get("calls").and_then(serde_json::Value::as_array).unwrap();
            calls.iter().map(|call| call.get("fault").unwrap() == "500").collect()
        };
        ["one", "two"].iter().map(failing).collect()
    }

    #[test]
    fn faults_do_not_fall_on_all_channels_together_and_a_seed_brings_them_again() {
        let met = failing(7);
        assert!(met.iter().all(|of| of.len() == 64));
        assert!(met.iter().all(|of| of.contains(&true) && of.contains(&false)));
        assert!(met.first() != met.last());
        assert_eq!(met, failing(7));
    }

    #[test]
    fn an_upstream_without_tokens_has_a_twin_too_that_knows_its_key_and_limits() {
        let stand = Stand::open(&Play { seed: Some(7), ..Play::default() }, 0, daemon::clock).unwrap();
        let upstream = |name: &str, kind, key: Option<&str>, limits: &[Limit]| Upstream {
            name: name.to_owned(),
            kind,
            api: format!("{}/api", stand.server.api(name)),
            key: key.map(Secret::new),
            limits: limits.to_vec(),
            papers: None,
        };
        let limits = [Limit { calls: 7, per: Period::Minute }, Limit { calls: 9, per: Period::Day }];
        let free = upstream("free", Some("opendota"), None, &limits);
        let paid = upstream("paid", Some("opendota"), Some("api_key=a%2Bb"), &limits);
        for upstream in [&free, &paid] {
            assert!(matches!(stand.lodge_upstream(upstream, &[]), Ok(Lodged::Open)));
        }
        assert!(matches!(stand.lodge_upstream(&upstream("other", None, None, &[]), &[]), Ok(Lodged::Nobody)));
        let left = |twin: &str, target: &str| {
            let text = format!("GET {target} HTTP/1.1\r\n").into_bytes().into();
            let target = Span { start: 4, end: 4 + target.len() as u16 };
            let head = Head { method: Method::Get, text, target, headers: Box::default(), framing: Framing::Empty };
            let Some(Answered::With(answer)) = stand.house.call(twin, &Request { head, body: Vec::new() }) else {
                unreachable!()
            };
            answer.headers.into_iter().filter(|(name, _)| name.starts_with("X-Rate")).map(|(_, left)| left).collect()
        };
        let told: [Vec<_>; 2] = [left("free", "/api/heroes"), left("paid", "/api/heroes?api_key=a%2Bb")];
        assert_eq!(told, [vec!["6", "8"], vec!["6"]]);
    }

    #[test]
    fn the_pages_that_are_played_are_those_that_the_bots_tell_of() {
        let bot = |page: Option<&str>| KnownBot {
            name: "weekly".to_owned(),
            kind: "digest",
            upstream: Some("fb".to_owned()),
            page: page.map(str::to_owned),
        };
        let granted = |bots: &[KnownBot]| {
            let stand = Stand::open(&Play { seed: Some(7), ..Play::default() }, 0, daemon::clock).unwrap();
            let facebook = Facebook {
                app_id: "482".to_owned(),
                app_secret: Secret::new("demo"),
                dialog: String::new(),
                redirect_uri: String::new(),
                public_login: false,
            };
            let upstream = Upstream {
                name: "fb".to_owned(),
                kind: Some("facebook"),
                api: format!("{}/v25.0", stand.server.api("fb")),
                key: None,
                limits: Vec::new(),
                papers: Some(Papers::Facebook(facebook)),
            };
            let Ok(Lodged::Consenting(consent)) = stand.lodge_upstream(&upstream, bots) else { unreachable!() };
            Consent::read(consent.expose().as_bytes()).unwrap().pages()
        };
        let (bakery, cafe) = ("Brot & Stulle (104455667788990)", "Two Cups & a Spoon (104455667788991)");
        assert_eq!(granted(&[]), format!("{bakery}, {cafe}"));
        assert_eq!(granted(&[bot(Some("104455667788991"))]), format!("{bakery}, {cafe}"));
        assert_eq!(granted(&[bot(Some("17"))]), format!("{bakery}, {cafe}, A page of yours (17)"));
        assert_eq!(granted(&[bot(None)]), bakery);
        let elsewhere = KnownBot { upstream: Some("other".to_owned()), ..bot(None) };
        assert_eq!(granted(&[elsewhere]), format!("{bakery}, {cafe}"));
    }

    #[test]
    fn a_version_is_no_part_of_where_an_api_lives() {
        for (api, base) in [
            ("http://localhost:1/fb/v25.0", "http://localhost:1/fb"),
            ("http://localhost:1/fb", "http://localhost:1/fb"),
            ("http://localhost:1/vault", "http://localhost:1/vault"),
        ] {
            assert_eq!(without_version(api), base);
        }
    }
}
