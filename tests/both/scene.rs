//! A daemon with a page and a Webex bot, the twins of both, and short ways to use them.

use crate::deeds::Deeds;
use crate::facebook::{Facebook, Gate};
use crate::ledger::{Said, ids, said};
use crate::shared::PATIENCE;
use crate::shared::address::own_loopback;
use crate::shared::daemon::{self, Daemon, Folder, GLANCE};
use ackd::model::{Method, OutboundRequest, Outcome, Secret};
use ackd::store::sqlite::{EventLine, Filter, Reader};
use ackd::store::{Life, State};
use ackd::twin::ledger::SentEntry;
use ackd::twin::messenger::{Messenger, Person};
use ackd::twin::opendota::{self, OpenDota};
use ackd::twin::webex::{Member, Webex};
use ackd::twin::{Act, Bubble, House, Plan, Server, graph, messenger, webex};
use ackd::work::fetch::Fetch;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The twins' names, and the channels'.
pub const PAGE: &str = "page";
pub const SPACE: &str = "space";
/// The twin of an upstream that a bot may ask.
pub const PLAYERS: &str = "players";
pub const GRAPH: &str = "graph";

const APP_ID: &str = "482915736608214";
const APP_SECRET: &str = "5f2d0c1b9a8e7f6d5c4b3a2918070605";
const VERIFY_TOKEN: &str = "canary-verify-token-9d41c7";
const PAGE_TOKEN: &str = "EAAcanaryPAGEtoken0Zb71QxWvYu2";
const SPACE_TOKEN: &str = "canary-webex-token-4c1d";
const GRAPH_SECRET: &str = "canary-graph-app-secret-77ab";
/// What the chat builder sends along, and what stands in the link to the bot's page.
pub const WEEKLY: &str = "canary-weekly-secret-51f0";
/// What the operator's door wants, where it has a lock.
pub const DOOR_TOKEN: &str = "canary-door-token-5b1e";
const SPACE_SECRET: &str = "86dacc007724d8ea666f88fc77d918dad9537a15";

/// All of them, by the names that the configuration has for them.
pub const SECRETS: [(&str, &str); 8] = [
    ("VERIFY", VERIFY_TOKEN),
    ("APP", APP_SECRET),
    ("PAGE", PAGE_TOKEN),
    ("SPACE", SPACE_TOKEN),
    ("SECRET", SPACE_SECRET),
    ("GRAPH", GRAPH_SECRET),
    ("WEEKLY", WEEKLY),
    ("DOOR", DOOR_TOKEN),
];

/// Calls of OpenDota: in real time nobody waits for a minute to end.
pub const DOTA_PER_MINUTE: u32 = 6000;
pub const DOTA_PER_DAY: u32 = 60_000;

/// Bots.
pub const ECHO: &str = "kind = \"echo\"";
pub const TOUR: &str = "kind = \"tour\"";
pub const PAINTER: &str = "kind = \"tour\"\npicture = \"https://example.org/sun.png\"";

/// All that a test may want of the ledger: as many bytes as it takes.
const LEDGER_BYTES: usize = 1 << 30;

/// What the daemon is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The keys of the bot that both have.
    pub bot: &'static str,
    pub workers: usize,
    /// Whether the daemon looks after its registrations.
    pub registers: bool,
    /// Keys at the top of the configuration.
    pub top: &'static str,
    /// What the log tells, where the configuration does not say so.
    pub log: &'static str,
    /// Whether secrets come in all ways: some by files, some as credentials, some in the environment.
    pub ways: bool,
    /// Keys of the Webex bot besides the usual ones.
    pub more: &'static str,
    /// Where the operator comes in, if anywhere.
    pub admin: Option<SocketAddr>,
    /// Whether that door has a lock.
    pub locked: bool,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            bot: ECHO,
            workers: 4,
            registers: true,
            top: "",
            log: "info",
            ways: false,
            more: "",
            admin: None,
            locked: false,
        }
    }
}

/// The ways of secrets where there are several; the others stand in the environment.
const FILES: [&str; 3] = ["APP", "SPACE", "DOOR"];
const CREDENTIALS: [&str; 3] = ["PAGE", "SECRET", "GRAPH"];

impl Setup {
    /// How the configuration names a secret. What is no matter of the environment is written where it belongs.
    fn secret(&self, name: &str, folder: &Path) -> String {
        let way = |way: &str, at: &str| {
            let file = folder.join(name);
            fs::write(&file, SECRETS.iter().find(|(it, _)| *it == name).unwrap().1).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            format!("{{ {way} = \"{at}\" }}")
        };
        match name {
            _ if self.ways && FILES.contains(&name) => way("file", folder.join(name).to_str().unwrap()),
            _ if self.ways && CREDENTIALS.contains(&name) => way("credential", name),
            _ => format!("{{ env = \"{name}\" }}"),
        }
    }
}

impl daemon::Setup for Setup {
    fn toml(&self, folder: &Path, address: SocketAddr, api: &str) -> String {
        let Setup { bot, workers, registers, more, admin, top, .. } = self;
        let [verify, app, page, space, secret, graph, door] =
            ["VERIFY", "APP", "PAGE", "SPACE", "SECRET", "GRAPH", "DOOR"].map(|name| self.secret(name, folder));
        let mut text = format!("listen = \"{address}\"\nworkers = {workers}\npublic_url = \"http://{address}\"\n");
        text.push_str(top);
        if !registers {
            text.push_str("keep_registered = \"off\"\n");
        }
        let _ = write!(
            text,
            "\n[channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"it\"\napi = \"{api}/page\"\n\
             app_id = \"{APP_ID}\"\nverify_token = {verify}\napp_secret = {app}\n\
             access_token = {page}\n\n[channel.space]\nplatform = \"webex\"\npath = \"/space\"\n\
             bot = \"it\"\napi = \"{api}/space\"\naccess_token = {space}\n\
             secret = {secret}\n{more}\n[bot.it]\n{bot}\n"
        );
        if bot.contains(PLAYERS) {
            let _ = write!(
                text,
                "[upstream.{PLAYERS}]\nkind = \"opendota\"\napi = \"{api}/{PLAYERS}/api\"\n\
                 per_minute = {DOTA_PER_MINUTE}\nper_day = {DOTA_PER_DAY}\n"
            );
        }
        if let Some(admin) = admin {
            let token = if self.locked { format!("token = {door}\n") } else { String::new() };
            let _ = write!(
                text,
                "[admin]\nlisten = \"{admin}\"\n{token}[upstream.{GRAPH}]\nkind = \"facebook\"\napp_id = \"{APP_ID}\"\n\
                 app_secret = {graph}\nredirect_uri = \"http://{admin}/login/{GRAPH}\"\n\
                 api = \"{api}/{GRAPH}/v25.0\"\ndialog = \"{api}/{GRAPH}/v25.0/dialog/oauth\"\n\
                 per_minute = 6000\nper_day = 60000\n"
            );
        }
        text
    }

    fn variables(&self) -> Vec<(String, String)> {
        let elsewhere = |name: &&str| self.ways && (FILES.contains(name) || CREDENTIALS.contains(name));
        let variables = SECRETS.iter().filter(|(name, _)| !elsewhere(name));
        variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn more_variables(&self, folder: &Path) -> Vec<(String, String)> {
        let credentials = ("CREDENTIALS_DIRECTORY".to_owned(), folder.to_str().unwrap().to_owned());
        self.ways.then_some(credentials).into_iter().collect()
    }

    fn log(&self) -> &'static str {
        self.log
    }
}

/// Who lives on the platforms.
pub struct Cast {
    pub page: messenger::Settings,
    pub space: webex::Settings,
    /// Webex's group rooms.
    pub groups: usize,
    /// OpenDota, where the bot asks it.
    pub players: Option<opendota::Settings>,
    /// Facebook, where somebody may log in; address, papers and ways back are set.
    pub graph: Option<graph::Settings>,
}

impl Cast {
    /// So many people on each; on the page they are numbers.
    pub fn of(people: usize) -> Cast {
        let nowhere = "http://127.0.0.1:9/".to_owned();
        let [app_secret, verify_token, token, bot_token] =
            [APP_SECRET, VERIFY_TOKEN, PAGE_TOKEN, SPACE_TOKEN].map(Secret::new);
        let page = messenger::Settings::new(nowhere, app_secret, verify_token, token);
        let numbers = 1..=people;
        let person = |number: usize| Person::new((7_000_000 + number).to_string(), format!("Person {number}"));
        let member = |number| Member::new(format!("Person {number}"), format!("person{number}@example.com"));
        Cast {
            page: messenger::Settings {
                app_id: APP_ID.to_owned(),
                people: numbers.clone().map(person).collect(),
                // Nothing is registered before the daemon has done so.
                fields: Vec::new(),
                retries: vec![Duration::from_millis(100); 1000],
                sends_per_second: None,
                ..page
            },
            space: webex::Settings {
                people: numbers.map(member).collect(),
                ..webex::Settings::new(SPACE, bot_token, String::new())
            },
            groups: 1,
            players: None,
            graph: None,
        }
    }
}

/// A daemon and the twins on the other side of its wires.
pub struct Scene {
    // Dropped first, so that a daemon that still runs does not complain of twins that are gone.
    pub daemon: Daemon<Setup>,
    pub house: Arc<House>,
    /// Behind which Facebook can be held.
    pub gate: Arc<Gate>,
    _server: Server,
    api: String,
}

impl Scene {
    /// A started daemon that has registered itself with both, and one person on each platform.
    pub fn new() -> Scene {
        Scene::with(Setup::default(), Cast::of(1))
    }

    /// The same, otherwise set up.
    pub fn with(setup: Setup, cast: Cast) -> Scene {
        let mut scene = Scene::prepared(setup, cast);
        scene.daemon.restart();
        scene.wait_until_registered();
        scene
    }

    /// Twins, and a daemon that was not started yet.
    pub fn prepared(mut setup: Setup, cast: Cast) -> Scene {
        let house = Arc::new(House::with_ledger(ackd::daemon::clock, LEDGER_BYTES));
        let server = Server::open(SocketAddr::from((own_loopback(), 0)), Arc::clone(&house), Box::new(|_| None));
        let server = server.unwrap();
        let api = format!("http://{}", server.address());
        let space = webex::Settings { api: server.api(SPACE), ..cast.space };
        let mut space = Webex::new(space, ackd::daemon::clock());
        for number in 1..cast.groups {
            space.new_room(&format!("Group {number}"), ackd::daemon::clock()).unwrap();
        }
        house.lodge(SPACE, Box::new(Deeds(space)), Plan::default()).unwrap();
        if let Some(players) = cast.players {
            house.lodge(PLAYERS, Box::new(OpenDota::new(players)), Plan::default()).unwrap();
        }
        let gate = Arc::<Gate>::default();
        if let Some(settings) = cast.graph {
            let admin = free();
            setup.admin = Some(admin);
            let settings = graph::Settings {
                base: server.api(GRAPH),
                app_id: APP_ID.to_owned(),
                app_secret: Secret::new(GRAPH_SECRET),
                redirect_uris: vec![format!("http://{admin}/login/{GRAPH}")],
                ..settings
            };
            house.lodge(GRAPH, Box::new(Facebook::new(settings, Arc::clone(&gate))), Plan::default()).unwrap();
        }
        let mut daemon = Daemon::prepare(Folder::new(), setup, api.clone());
        // Where it will be reached stands in its configuration, so its port must be known before it has one.
        daemon.address = free();
        let webhook_url = match cast.page.fields.is_empty() {
            true => cast.page.webhook_url.clone(),
            false => format!("http://{}/page", daemon.address),
        };
        let page = messenger::Settings { webhook_url, ..cast.page };
        house.lodge(PAGE, Box::new(Messenger::new(page)), Plan::default()).unwrap();
        Scene { daemon, house, gate, _server: server, api }
    }

    /// Waits until both platforms know the daemon's address.
    pub fn wait_until_registered(&self) {
        let mut made = 0;
        self.wait("the registrations", || {
            let ledger = self.house.ledger(None);
            let good = ledger.calls.iter().filter(|call| call.method == "POST" && call.status == 200);
            made = good.filter(|call| call.path.ends_with("/webhooks") || call.path.contains("/sub")).count();
            // Three webhooks; the page's subscription and the app's.
            made == 5
        });
    }

    /// From now on this goes wrong with a twin.
    pub fn plan(&self, twin: &str, plan: &str, seed: u64) {
        self.house.plan(twin, Plan::parse(plan, seed).unwrap()).unwrap();
    }

    /// Where people can speak on a twin: direct conversations first.
    pub fn conversations(&self, twin: &str) -> Vec<String> {
        let (_, all) = self.house.conversations().into_iter().find(|(name, _)| name == twin).unwrap();
        let (groups, direct): (Vec<_>, Vec<_>) = all.into_iter().partition(|conversation| conversation.group);
        direct.into_iter().chain(groups).map(|conversation| conversation.id).collect()
    }

    /// The first person's conversation.
    pub fn direct(&self, twin: &str) -> String {
        self.conversations(twin).remove(0)
    }

    /// Webex's group room.
    pub fn group(&self) -> String {
        self.conversations(SPACE).pop().unwrap()
    }

    /// A person does something.
    pub fn act(&self, twin: &str, act: &Act) -> Vec<SentEntry> {
        let numbers = self.house.act(twin, act).unwrap();
        numbers.into_iter().map(|number| self.house.sent(twin, number).unwrap()).collect()
    }

    /// A person says something, in a group to the bot.
    pub fn say(&self, twin: &str, conversation: &str, text: &str) -> Vec<SentEntry> {
        self.act(twin, &say(conversation, text))
    }

    /// Says something, and waits until the bot has said the same.
    pub fn talk(&self, twin: &str, conversation: &str, text: &str) -> SentEntry {
        let told = self.say(twin, conversation, text).remove(0);
        self.wait_for_said(twin, text);
        told
    }

    /// What the bot said on a twin, in order.
    pub fn said(&self, twin: &str) -> Vec<Said> {
        self.house.ledger(Some(twin)).calls.iter().filter_map(said).collect()
    }

    /// The texts of it.
    pub fn texts(&self, twin: &str) -> Vec<String> {
        self.said(twin).into_iter().map(|said| said.text).collect()
    }

    /// Waits until the bot has said this.
    pub fn wait_for_said(&self, twin: &str, text: &str) -> Said {
        let mut found = None;
        self.wait(&format!("the bot to say {text:?}"), || {
            found = self.said(twin).into_iter().find(|said| said.text == text);
            found.is_some()
        });
        found.unwrap()
    }

    /// Waits for something that comes with news of the twins.
    pub fn wait(&self, what: &str, mut until: impl FnMut() -> bool) {
        let began = Instant::now();
        loop {
            let news = self.house.news();
            if until() {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
            self.house.wait(news, PATIENCE / 10);
        }
    }

    /// Waits for something in the store, which rings no bell.
    pub fn wait_for_store<T>(&self, what: &str, look: impl FnMut(&Reader) -> Option<T>) -> T {
        self.wait_long_for_store(PATIENCE, what, look)
    }

    fn wait_long_for_store<T>(&self, patience: Duration, what: &str, mut look: impl FnMut(&Reader) -> Option<T>) -> T {
        let began = Instant::now();
        let reader = Reader::open(&self.daemon.store()).unwrap();
        loop {
            if let Some(found) = look(&reader) {
                return found;
            }
            assert!(began.elapsed() < patience, "the store never had {what}");
            thread::sleep(GLANCE);
        }
    }

    /// Waits until the event that a delivery told has come to this end.
    pub fn wait_for_state(&self, told: &SentEntry, state: State) -> Life {
        let id = ids(told).remove(0);
        let mut last = None;
        self.wait_for_store(&format!("{id} as {state}"), |reader| {
            last = reader.find(&id).unwrap().and_then(|key| reader.life(key).unwrap());
            last.clone().filter(|life| life.state == state)
        })
    }

    /// Waits until every delivery is over and every event has ended.
    pub fn wait_until_settled(&self) {
        self.wait_long_until_settled(PATIENCE);
    }

    /// The same where it may take longer.
    pub fn wait_long_until_settled(&self, patience: Duration) {
        self.wait_long_for_store(patience, "nothing open", |reader| {
            let open = Filter { states: vec![State::Open], limit: 1, ..Filter::default() };
            let settled = self.house.is_quiet() && reader.events(&open).unwrap().is_empty() && self.house.is_quiet();
            settled.then_some(())
        });
    }

    /// All events of the store, by channel.
    pub fn events(&self, channel: &str) -> Vec<EventLine> {
        let reader = Reader::open(&self.daemon.store()).unwrap();
        let all = reader.events(&Filter { limit: usize::MAX >> 1, ..Filter::default() }).unwrap();
        all.into_iter().filter(|event| event.id.channel == channel).collect()
    }

    /// What a chat shows of the bot's newest message on a twin.
    pub fn newest_bubble(&self, twin: &str) -> Bubble {
        // Not the one with the highest number: an older one gets a higher one when its echo has been delivered.
        let calls = self.house.ledger(Some(twin)).calls;
        let newest = calls.iter().rfind(|call| said(call).is_some()).and_then(|call| call.bubble.clone());
        let bubbles = self.house.bubbles(twin, 0).unwrap();
        bubbles.into_iter().find(|bubble| Some(&bubble.id) == newest.as_ref()).unwrap()
    }

    /// Calls Webex as the bot's owner would by hand.
    pub fn by_hand(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}/{SPACE}{path}", self.api);
        let request = match method {
            Method::Get => OutboundRequest::get(url),
            _ => OutboundRequest::json(method, url, body.to_string().into_bytes()),
        };
        let bearer = Some(Secret::new(SPACE_TOKEN));
        match Fetch::default().call(&OutboundRequest { bearer, ..request }) {
            Outcome::Answered(answer) if answer.status == 200 => serde_json::from_slice(&answer.body).unwrap(),
            other => panic!("{path}: {other:?}"),
        }
    }
}

/// An address whose port nobody uses.
fn free() -> SocketAddr {
    TcpListener::bind((own_loopback(), 0)).unwrap().local_addr().unwrap()
}

/// A person says something, in a group to the bot.
pub fn say(conversation: &str, text: &str) -> Act {
    Act::Say { conversation: conversation.to_owned(), text: text.to_owned(), mentions: true }
}
