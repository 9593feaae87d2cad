//! The twins, and a daemon without a loop: keeper and workers as they are, what comes in taken from the twins' box.

use crate::clock;
use crate::post::{self, Asked, Posting};
use crate::shared::PATIENCE;
use crate::shared::address::own_loopback;
use ackd::bot::solar::{Invite, invitation};
use ackd::config::Config;
use ackd::http::{Connection, Step};
use ackd::keeper::{
    Admission, Bell, Counts, Health, Keeper, Letter, Letterbox, Line, Post, Receipt, Roster, TOKENS, Ticket, Treasury,
    WORKING,
};
use ackd::limits;
use ackd::model::{ChannelNumber, MemoryWrite, Moment, Request, Secret};
use ackd::platform::Reading;
use ackd::store::sqlite::{Reader, SqliteFile};
use ackd::store::{Store, StoreError};
use ackd::twin::enphase::{self, Enphase, System};
use ackd::twin::messenger::{self, Failure, Messenger, Person};
use ackd::twin::opendota::{self, OpenDota};
use ackd::twin::webex::{self, Member, Webex};
use ackd::twin::{Act, Bubble, Dispatch, House, Plan, Server, Twin};
use ackd::work::fetch::Fetch;
use ackd::work::pool::{self, Current, Tools};
use ackd::work::upstream::Upstreams;
use ackd::work::{Channel, introduce};
use serde_json::json;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The channels, and their twins.
pub const PAGE: &str = "page";
pub const SPACE: &str = "space";
/// The upstreams, and their twins.
pub const ROOF: &str = "roof";
pub const PLAYERS: &str = "players";

const TOKEN: &str = "canary-token";
const SECRET: &str = "86dacc007724d8ea666f88fc77d918dad9537a15";

/// Systems.
pub const LOS_ANGELES: u64 = 698_910_067;
pub const BERLIN: u64 = 698_910_068;

/// What a world is made of.
pub struct Made {
    /// How many people are on the page, and how many on Webex.
    pub people: (usize, usize),
    pub roof: enphase::Settings,
    /// Where the channels have the Dota bot in place of the solar bot.
    pub players: Option<opendota::Settings>,
    /// Further keys of the page's channel; they may name the first room on Webex.
    pub page: fn(&str) -> String,
    pub workers: usize,
}

impl Default for Made {
    /// One person on each, and two roofs.
    fn default() -> Made {
        Made { people: (1, 1), roof: roof(Moment(0)), players: None, page: |_| String::new(), workers: 3 }
    }
}

/// Enphase with a roof in Los Angeles and one in Berlin, which run since then.
pub fn roof(since: Moment) -> enphase::Settings {
    let mut roof = enphase::Settings::played();
    roof.systems = vec![System::los_angeles(LOS_ANGELES, &roof.owner), System::berlin(BERLIN, &roof.owner)];
    roof.systems.iter_mut().for_each(|system| system.operational = Some(since));
    roof
}

/// Twins, and a daemon that runs or does not.
pub struct World<const N: usize> {
    pub house: Arc<House>,
    _server: Server,
    pub config: Config,
    post: post::Box,
    /// What Enphase was asked, or OpenDota.
    pub asked: Arc<Mutex<Vec<Asked>>>,
    folder: PathBuf,
    numbers: Vec<ChannelNumber>,
    workers: usize,
    running: Option<Running>,
    tickets: u32,
    /// The newest bubble of each channel that was looked at.
    seen: [u64; 2],
    /// A bubble that changes is no news.
    known: HashSet<String>,
}

/// A daemon that runs.
struct Running {
    letters: Letterbox,
    receipts: Receiver<Vec<(Ticket, Receipt)>>,
    upstreams: Arc<Upstreams>,
    keeper: JoinHandle<Result<(), StoreError>>,
    workers: Vec<JoinHandle<()>>,
}

impl<const N: usize> World<N> {
    /// A world at `now`, whose daemon has tokens of Enphase and was not started yet.
    pub fn new(made: Made, now: Moment) -> World<N> {
        clock::set::<N>(now);
        let (post, asked) = (post::Box::default(), Arc::<Mutex<Vec<Asked>>>::default());
        let house = Arc::new(House::new(clock::clock::<N>));
        let address = SocketAddr::from((own_loopback(), 0));
        let server = Server::open(address, Arc::clone(&house), Box::new(|_| None)).unwrap();
        let mut roof = Enphase::new(made.roof);
        let refresh = roof.refresh_token(now);
        lodge(&house, ROOF, roof, (&post, &asked), |_| ());
        let blocks = |page: &mut Messenger| page.fail_next(Failure::Unavailable);
        lodge(&house, PAGE, Messenger::new(page(made.people.0)), (&post, &Arc::default()), blocks);
        let space = space(made.people.1, &server.api(SPACE), now);
        let room = space.conversations()[0].id.clone();
        lodge(&house, SPACE, space, (&post, &Arc::default()), |_| ());
        let folder = folder();
        let mut text = toml(&format!("http://{}", server.address()), &(made.page)(&room));
        if let Some(players) = made.players {
            text = with_dota(&text, &server.api(PLAYERS), &players);
            lodge(&house, PLAYERS, OpenDota::new(players), (&post, &asked), |_| ());
        }
        std::fs::write(folder.join("ackd.toml"), &text).unwrap();
        let config = Config::parse(&text, &folder.join("ackd.toml"), &|_| None).unwrap();
        let file = SqliteFile::open(&config.store).unwrap();
        let numbers: Vec<_> = config.channels.iter().map(|channel| file.channel(&channel.name).unwrap()).collect();
        drop(file);
        let (workers, running, tickets, seen) = (made.workers, None, 0, [0; 2]);
        let (_server, known) = (server, HashSet::new());
        let mut world =
            World { house, _server, config, post, asked, folder, numbers, workers, running, tickets, seen, known };
        let tokens = json!({"access": "", "refresh": refresh.expose(), "expires": 0, "refreshed": now});
        world.remember(TOKENS, ROOF, tokens.to_string().into_bytes());
        world
    }

    pub fn now(&self) -> Moment {
        clock::clock::<N>()
    }

    pub fn runs(&self) -> bool {
        self.running.is_some()
    }

    pub fn channel(&self, name: &str) -> ChannelNumber {
        self.numbers[self.config.channels.iter().position(|channel| channel.name == name).unwrap()]
    }

    /// Writes into the store of a daemon that does not run.
    pub fn write(&mut self, write: impl FnOnce(&mut dyn Store)) {
        assert!(!self.runs(), "it runs");
        let file = SqliteFile::open(&self.config.store).unwrap();
        let mut store = file.engine().unwrap();
        write(&mut store);
        store.commit().unwrap();
    }

    pub fn remember(&mut self, owner: &str, key: &str, value: Vec<u8>) {
        let write = MemoryWrite { bot: owner.to_owned(), key: key.to_owned(), value: Some(value), expires: None };
        self.write(|store| store.remember(&write).unwrap());
    }

    /// What the store remembers.
    pub fn recall(&mut self, owner: &str, key: &str) -> Option<Vec<u8>> {
        let now = self.now();
        let mut found = None;
        self.write(|store| found = store.recall(owner, key, now).unwrap());
        found
    }

    /// Whoever has this code is told of a system.
    pub fn invite(&mut self, code: &str, system: u64) {
        let invite = Invite { system, until: self.now().after(Duration::from_secs(24 * 3600)) };
        self.remember("sun", &invitation(code), serde_json::to_vec(&invite).unwrap());
    }

    /// Somebody's direct conversation, by their number from 0.
    pub fn direct(&self, channel: &str, number: usize) -> String {
        let all = self.house.conversations();
        let (_, all) = all.iter().find(|(name, _)| name == channel).unwrap();
        all.iter().filter(|conversation| !conversation.group).nth(number).unwrap().id.clone()
    }

    /// What `ackd why` says of an event.
    pub fn why(&self, event: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ackd"));
        command.args(["why", event, "--config"]).arg(self.folder.join("ackd.toml"));
        let output = command.env("TZ", "UTC").env_remove("STATE_DIRECTORY").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn reader(&self) -> Reader {
        Reader::open(&self.config.store).unwrap()
    }

    /// Starts the daemon, and waits until it has nothing to do.
    pub fn start(&mut self) {
        self.begin();
        self.settle();
    }

    /// Starts the daemon, as `daemon.rs` does.
    pub fn begin(&mut self) {
        assert!(!self.runs(), "it runs already");
        let clock: fn() -> Moment = clock::clock::<N>;
        let file = SqliteFile::open(&self.config.store).unwrap();
        let (letters, letters_in) = channel();
        let (receipts_out, receipts) = channel();
        let health = Arc::new(Health::default());
        let fetch = Arc::<Fetch>::default();
        let upstreams = Arc::new(Upstreams::new(&self.config.upstreams, Arc::clone(&fetch), letters.clone(), clock));
        let known = self.config.channels.iter().map(|channel| Channel {
            name: channel.name.clone(),
            platform: Arc::clone(&channel.platform),
            bot: Arc::clone(&channel.bot),
            bot_name: channel.bot_name.clone(),
            outside: channel.outside.clone(),
        });
        let channels: ackd::work::Channels = self.numbers.iter().copied().zip(known).collect();
        for channel in channels.values() {
            if let Some(remembered) = file.recall(introduce::ACCOUNTS, &channel.name, clock()).unwrap() {
                introduce::meet_again(channel, &remembered);
            }
        }
        let tools = Tools {
            channels: Arc::new(channels),
            keeper: letters.clone(),
            fetch,
            upstreams: Arc::clone(&upstreams),
            address: Arc::default(),
            identity: file.identity().to_owned(),
            clock,
            chance,
        };
        let (workers, threads) = pool::start(self.workers, &Arc::new(Current::new(tools))).unwrap();
        let lines: Vec<_> = self
            .numbers
            .iter()
            .zip(&self.config.channels)
            .map(|(number, channel)| Line::new(*number, &*channel.name))
            .collect();
        let roster = Roster::new(workers.len(), &vec![0; lines.len()]);
        let treasury = Treasury::new(&self.config.upstreams);
        let post = Post { receipts: receipts_out, wake: Box::new(|| {}) };
        let seen = Arc::clone(&health);
        let keeper = thread::Builder::new().name("keeper".to_owned()).spawn(move || {
            let mut store = file.engine()?;
            let (store, bell, letters, health) = (&mut store, Bell::default(), letters_in, seen);
            let counts = Counts::default();
            Keeper { store, letters, post, workers, lines, roster, treasury, counts, bell, health, clock, chance }.run()
        });
        let keeper = keeper.unwrap();
        let letters = Letterbox { letters, health };
        self.running = Some(Running { letters, receipts, upstreams, keeper, workers: threads });
    }

    /// Stops the daemon in order: what a worker is at is ended, and nothing else is begun.
    pub fn stop(&mut self) {
        let Running { letters, receipts, upstreams, keeper, workers } = self.running.take().unwrap();
        upstreams.close();
        let until = self.now().after(limits::STOP_WORK_TIME);
        letters.letters.send(Letter::End { until }).unwrap();
        keeper.join().unwrap().unwrap();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        drop(receipts);
    }

    /// Moves the clock, and lets a daemon that runs do what is due then.
    pub fn move_to(&mut self, now: Moment) {
        assert!(now >= self.now(), "back in time");
        clock::set::<N>(now);
        if let Some(running) = &self.running {
            let (seen, looked) = std::sync::mpsc::sync_channel(1);
            running.letters.letters.send(Letter::Look { seen }).unwrap();
            looked.recv().unwrap();
            self.settle();
        }
    }

    /// Until when the daemon, which is at rest, will do nothing of its own accord.
    pub fn rests_until(&self) -> Option<Moment> {
        let until = self.running.as_ref()?.letters.health.rests_until.load(Ordering::Acquire);
        Some(Moment(until))
    }

    /// A person does something; a daemon that runs hears it and answers.
    pub fn act(&mut self, channel: &str, act: &Act) {
        self.house.act(channel, act).unwrap();
        if self.runs() {
            self.settle();
        }
    }

    pub fn say(&mut self, channel: &str, conversation: &str, text: &str) {
        let (conversation, text) = (conversation.to_owned(), text.to_owned());
        self.act(channel, &Act::Say { conversation, text, mentions: true });
    }

    /// A person says something, and the daemon keeps it; its answer is not waited for.
    pub fn hand_over(&mut self, channel: &'static str, conversation: &str, text: &str) {
        let (conversation, text) = (conversation.to_owned(), text.to_owned());
        self.house.act(channel, &Act::Say { conversation, text, mentions: true }).unwrap();
        let brought = std::mem::take(&mut *self.post.lock().unwrap());
        for (channel, dispatch) in brought {
            self.bring(channel, &dispatch);
        }
    }

    /// What is in the box is never brought.
    pub fn forget_post(&self) {
        self.post.lock().unwrap().clear();
    }

    /// What is new in the chats of a channel since the last call.
    pub fn news(&mut self, channel: &str) -> Vec<Bubble> {
        let seen = &mut self.seen[usize::from(channel == SPACE)];
        let mut bubbles = self.house.bubbles(channel, *seen).unwrap();
        *seen = bubbles.iter().map(|bubble| bubble.number).max().unwrap_or(*seen);
        bubbles.retain(|bubble| self.known.insert(bubble.id.clone()));
        // On Webex what can be tapped makes a card of the text.
        let text =
            |bubble: &Bubble| bubble.cards.first().map(|card| card.title.clone()).filter(|_| bubble.text.is_empty());
        bubbles
            .into_iter()
            .map(|bubble| Bubble { text: text(&bubble).unwrap_or(bubble.text.clone()), ..bubble })
            .collect()
    }

    pub fn plan(&self, twin: &str, plan: &str, seed: u64) {
        self.house.plan(twin, Plan::parse(plan, seed).unwrap()).unwrap();
    }

    /// Brings what is in the box until it is empty and the daemon at rest.
    pub fn settle(&mut self) {
        loop {
            self.rest();
            let brought = std::mem::take(&mut *self.post.lock().unwrap());
            if brought.is_empty() {
                return;
            }
            for (channel, dispatch) in brought {
                self.bring(channel, &dispatch);
            }
        }
    }

    /// Brings one dispatch, as the loop does, and waits until it is kept.
    fn bring(&mut self, channel: &str, dispatch: &Dispatch) {
        let known = self.config.channels.iter().find(|known| known.name == channel).unwrap();
        let request = request(&dispatch.url, &dispatch.headers, &dispatch.body);
        let Reading::Events { arrivals, .. } = known.platform.read(&request).unwrap() else {
            panic!("{dispatch:?} holds no events")
        };
        self.tickets += 1;
        let ticket = Ticket { slot: 0, generation: self.tickets };
        let admission =
            Admission { ticket, channel: self.channel(channel), received: self.now(), head: String::new(), arrivals };
        let running = self.running.as_ref().unwrap();
        running.letters.admit(vec![admission]).unwrap();
        let receipts = running.receipts.recv_timeout(PATIENCE).unwrap();
        assert_eq!(receipts, [(ticket, Receipt::Kept)]);
    }

    /// Waits until the daemon is at rest.
    fn rest(&self) {
        let running = self.running.as_ref().unwrap();
        let began = Instant::now();
        for look in 0_u32.. {
            let until = running.letters.health.rests_until.load(Ordering::Acquire);
            if until != WORKING && Moment(until) > self.now() {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "it does not come to rest");
            if look < 400 { thread::yield_now() } else { thread::sleep(Duration::from_micros(20)) }
        }
    }
}

impl<const N: usize> Drop for World<N> {
    fn drop(&mut self) {
        if self.runs() && !thread::panicking() {
            self.stop();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A folder in memory, where there is one: this is about times, not about disks.
fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let memory = PathBuf::from("/dev/shm");
    let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = place.join(format!("ackd-year-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A configuration with both channels and the upstream.
pub fn toml(api: &str, page: &str) -> String {
    format!(
        "listen = \"127.0.0.1:3000\"\n\
         [channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"sun\"\napi = \"{api}/page\"\n\
         verify_token = \"{SECRET}\"\napp_secret = \"{SECRET}\"\naccess_token = \"{TOKEN}\"\n{page}\n\
         [channel.space]\nplatform = \"webex\"\npath = \"/space\"\nbot = \"sun\"\napi = \"{api}/space\"\n\
         access_token = \"{TOKEN}\"\nsecret = \"{SECRET}\"\n\
         [bot.sun]\nkind = \"solar\"\nupstream = \"roof\"\n\
         [upstream.roof]\nkind = \"enphase\"\napi = \"{api}/roof/api/v4\"\nkey = \"played-key\"\n\
         [upstream.roof.oauth]\nclient_id = \"played-client\"\nclient_secret = \"played-client-secret\"\n\
         authorize_url = \"{api}/roof/oauth/authorize\"\ntoken_url = \"{api}/roof/oauth/token\"\n\
         redirect_uri = \"{api}/roof/oauth/redirect_uri\"\n"
    )
}

/// The same with the Dota bot on both channels.
fn with_dota(text: &str, api: &str, players: &opendota::Settings) -> String {
    let key = players.key.as_ref().map_or_else(String::new, |key| format!("key = \"{}\"\n", key.expose()));
    format!(
        "{}[bot.dota]\nkind = \"dota\"\nupstream = \"players\"\n\
         [upstream.players]\nkind = \"opendota\"\napi = \"{api}/api\"\n{key}",
        text.replace("bot = \"sun\"", "bot = \"dota\"")
    )
}

fn lodge<T: Twin + 'static>(
    house: &House,
    channel: &'static str,
    twin: T,
    (post, asked): (&post::Box, &Arc<Mutex<Vec<Asked>>>),
    deed: fn(&mut T),
) {
    let twin = Posting { twin, channel, post: Arc::clone(post), asked: Arc::clone(asked), deed };
    house.lodge(channel, Box::new(twin), Plan::default()).unwrap();
}

/// A page with so many people.
pub fn page(people: usize) -> messenger::Settings {
    let [app_secret, verify_token] = [SECRET; 2].map(Secret::new);
    let nowhere = "http://127.0.0.1:9/page".to_owned();
    let person = |number: usize| Person::new((7_000_000 + number).to_string(), format!("Person {number}"));
    let fields = ["messages", "messaging_postbacks", "message_echoes"].map(str::to_owned).to_vec();
    messenger::Settings {
        people: (1..=people).map(person).collect(),
        fields,
        sends_per_second: None,
        ..messenger::Settings::new(nowhere, app_secret, verify_token, Secret::new(TOKEN))
    }
}

fn space(people: usize, api: &str, now: Moment) -> Webex {
    let member = |number| Member::new(format!("Person {number}"), format!("person{number}@example.com"));
    let mut space = Webex::new(
        webex::Settings {
            people: (1..=people).map(member).collect(),
            ..webex::Settings::new(SPACE, Secret::new(TOKEN), api)
        },
        now,
    );
    for resource in ["messages", "attachmentActions", "memberships"] {
        let body = json!({
            "name": format!("ackd {resource}"), "targetUrl": "http://127.0.0.1:9/space",
            "resource": resource, "event": "created", "secret": SECRET,
        });
        let headers = [("Content-Type", "application/json".to_owned()), ("Authorization", format!("Bearer {TOKEN}"))];
        let made = space.answer(&request("http://127.0.0.1:9/webhooks", &headers, body.to_string().as_bytes()), now);
        assert_eq!(made.response.status, 200, "{:?}", String::from_utf8_lossy(&made.response.body));
    }
    space
}

/// A POST as it comes out of a connection.
fn request(url: &str, headers: &[(&'static str, String)], body: &[u8]) -> Request {
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    let mut text = format!("POST /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut connection = Connection::new();
    connection.receive(text.as_bytes());
    connection.receive(b"\r\n");
    connection.receive(body);
    match connection.next(|_| Ok(())) {
        Step::Request(request) => request,
        step => panic!("{text} came to {step:?}"),
    }
}

/// No jitter, so that a failure comes again with its seed.
fn chance() -> u64 {
    0
}
