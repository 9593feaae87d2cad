//! The real daemon is killed while it renews tokens: it never locks itself out.
//!
//! An access token ends here as soon as it was given, so each question renews. The old refresh token is good until a new
//! token is used (`twin/enphase/papers.rs`), so whoever uses one before it is kept loses everything in a crash.

use crate::shared::PATIENCE;
use crate::shared::address::own_loopback;
use crate::shared::daemon::{self, Daemon, Folder};
use crate::shared::luck::Luck;
use crate::world::{BERLIN, PAGE, ROOF, page, roof, toml};
use ackd::daemon::clock;
use ackd::keeper::TOKENS;
use ackd::model::{MemoryWrite, Moment};
use ackd::store::Store;
use ackd::store::sqlite::SqliteFile;
use ackd::twin::enphase::{self, Enphase};
use ackd::twin::messenger::{self, Messenger};
use ackd::twin::{Act, House, Plan, Server, Side};
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

const KILLS: usize = 12;
const PERSON: &str = "7000001";

/// The twins' clock is this many times slower than the daemon's: to the daemon a token has ended at once, as its life is
/// told in whole seconds, but there is time enough to use it on a machine whose disk is busy.
const SLOWER: i64 = 100;

/// What the twins' clock shows.
fn slow_clock() -> Moment {
    static BEGAN: OnceLock<Moment> = OnceLock::new();
    let began = BEGAN.get_or_init(clock);
    Moment(began.0 + (clock().0 - began.0) / SLOWER)
}

struct Setup;

impl daemon::Setup for Setup {
    fn toml(&self, _folder: &Path, address: SocketAddr, api: &str) -> String {
        let text = toml(api, "").replace("127.0.0.1:3000", &address.to_string());
        format!("keep_registered = \"off\"\n{text}")
            .replace("key = \"played-key\"", "key = \"played-key\"\nunlimited = true")
    }

    fn variables(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

fn renewals(house: &House) -> usize {
    house.ledger(Some(ROOF)).calls.iter().filter(|call| call.path.starts_with("/oauth/token")).count()
}

fn answers(house: &House) -> Vec<String> {
    let bubbles = house.bubbles(PAGE, 0).unwrap().into_iter();
    bubbles.filter(|bubble| bubble.side == Side::Bot && bubble.sign.is_none()).map(|bubble| bubble.text).collect()
}

fn wait(house: &House, what: &str, until: impl Fn() -> bool) {
    let began = Instant::now();
    loop {
        let news = house.news();
        if until() {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        house.wait(news, Duration::from_millis(100));
    }
}

#[test]
fn killed_at_any_step_of_a_renewal_it_is_let_in_afterwards() {
    let kills = std::env::var("ACKD_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let mut luck = Luck::of_the_day();
    let house = Arc::new(House::new(slow_clock));
    let server = SocketAddr::from((own_loopback(), 0));
    let server = Server::open(server, Arc::clone(&house), Box::new(|_| None)).unwrap();
    let mut daemon = Daemon::prepare(Folder::new(), Setup, format!("http://{}", server.address()));
    daemon.address = TcpListener::bind((own_loopback(), 0)).unwrap().local_addr().unwrap();
    let page = messenger::Settings {
        webhook_url: format!("http://{}/page", daemon.address),
        retries: vec![Duration::from_millis(1); 10_000],
        ..page(1)
    };
    house.lodge(PAGE, Box::new(Messenger::new(page)), Plan::default()).unwrap();
    let settings = enphase::Settings {
        access_life: Duration::from_millis(900),
        limits: Vec::new(),
        ..roof(Moment(clock().0 - 400 * 86_400_000))
    };
    let mut roof = Enphase::new(settings);
    let refresh = roof.refresh_token(slow_clock());
    house.lodge(ROOF, Box::new(roof), Plan::default()).unwrap();
    let file = SqliteFile::open(&daemon.store()).unwrap();
    let mut store = file.engine().unwrap();
    let tokens = json!({"access": "", "refresh": refresh.expose(), "expires": 0, "refreshed": clock()});
    for (bot, key, value) in [
        (TOKENS, ROOF.to_owned(), tokens.to_string()),
        ("sun", format!("person {PAGE}/{PERSON}"), format!("[{BERLIN}]")),
    ] {
        let write = MemoryWrite { bot: bot.to_owned(), key, value: Some(value.into_bytes()), expires: None };
        store.remember(&write).unwrap();
    }
    store.commit().unwrap();
    drop(store);
    drop(file);

    daemon.restart();
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut in_the_middle = 0;
    for kill in 0..kills {
        let (told, renewed) = (answers(&house).len(), renewals(&house));
        // A day of which nothing is known yet.
        let day = today.checked_sub(jiff::Span::new().days(3 + kill as i64)).unwrap();
        let (conversation, text) = (PERSON.to_owned(), day.to_string());
        house.act(PAGE, &Act::Say { conversation, text, mentions: true }).unwrap();
        wait(&house, "a renewal", || renewals(&house) > renewed);
        thread::sleep(Duration::from_micros(luck.below(6000)));
        in_the_middle += usize::from(answers(&house).len() == told);
        daemon.kill();
        daemon.restart();
        wait(&house, "the answer", || answers(&house).len() > told);
        let answer = answers(&house).pop().unwrap();
        assert!(answer.contains("produced on"), "after {kill} kills: {answer}");
    }
    daemon.stop();
    println!("{kills} kills, {in_the_middle} of them before the answer; {} renewals", renewals(&house));
    let refused = house.ledger(Some(ROOF)).calls.into_iter().filter(|call| call.status != 200).collect::<Vec<_>>();
    assert!(in_the_middle > 0 && refused.is_empty(), "{refused:#?}");
}
