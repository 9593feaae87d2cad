//! Puts what a configuration says in place: at the start, and again at each reload, by the same steps.
//!
//!     numbers ──▶ workers ──▶ keeper ──▶ loop ──▶ registrar
//!
//! Workers know a channel before they can be given a job of it, and the keeper before the loop takes its events. What a
//! worker has begun it ends as it began it. Until the keeper has agreed all can be taken back; afterwards nothing fails.

use super::certificates::Certificates;
use super::{post, setting, sockets};
use crate::config::{Config, reconcile};
use crate::intake::{Door, Intake, Lock};
use crate::keeper::{Change, Changed, Letter, Receipt, Ticket};
use crate::meter::{Registration, page};
use crate::model::Moment;
use crate::net::event_loop::Page;
use crate::net::listener::{Listener, Spot};
use crate::net::{Announcer, Lobby, News, Setting};
use crate::notation::counted::counted;
use crate::notation::shelf::Shelf;
use crate::registry::watch::{Course, Registrar, Stop, Watched};
use crate::registry::{PublicUrl, Standing};
use crate::work::Channels;
use crate::work::clerk;
use crate::work::introduce::{self, ACCOUNTS};
use crate::work::pool::{Current, Tools};
use crate::work::session::Reception;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

const LEFT_BEHIND: &str = "is not in the configuration any more, but messages of it wait to be answered: nobody \
                           answers them until it is there again, under this name";

/// All that is needed to put a configuration in place.
pub(super) struct Manager {
    pub(super) letters: Sender<Letter>,
    pub(super) receipts: Sender<Vec<(Ticket, Receipt)>>,
    pub(super) announcer: Announcer,
    pub(super) current: Arc<Current>,
    pub(super) certificates: Arc<Certificates>,
    /// How registrations stand, of the configuration of now.
    pub(super) standing: Arc<Mutex<Arc<Standing>>>,
    pub(super) in_place: Mutex<InPlace>,
}

/// What is in place.
pub(super) struct InPlace {
    /// The channels of the configuration. Workers know those of the one before, too: they may have jobs of them.
    channels: Channels,
    doors: Vec<Bound>,
    fixed: Fixed,
    reception: Option<Arc<Reception>>,
    looking_after: Option<Stop>,
}

/// A listener of the configuration.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) door: Door,
    /// Where the configuration asks for it; nothing where systemd has opened it.
    pub(super) asked: Option<Spot>,
    /// The address that was given, which is another for a port of 0.
    pub(super) given: Option<SocketAddr>,
}

/// What only a start can change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fixed {
    store: PathBuf,
    workers: usize,
    connections_max: usize,
    handed: [bool; 2],
}

impl Fixed {
    fn of(config: &Config) -> Fixed {
        Fixed {
            store: config.store.clone(),
            workers: config.workers,
            connections_max: config.connections_max,
            handed: [config.listen.handed, config.admin.handed],
        }
    }

    /// What of it another configuration would have otherwise, by its keys.
    fn differs_from(&self, other: &Fixed) -> Vec<&'static str> {
        let keys = [
            (self.store != other.store, "store"),
            (self.workers != other.workers, "workers"),
            (self.connections_max != other.connections_max, "connections"),
            (self.handed != other.handed, "listen = \"systemd\""),
        ];
        keys.into_iter().filter_map(|(differs, key)| differs.then_some(key)).collect()
    }
}

impl InPlace {
    /// Nothing but these doors.
    pub(super) fn new(config: &Config, doors: Vec<Bound>) -> InPlace {
        let channels = Shelf::new();
        InPlace { channels, doors, fixed: Fixed::of(config), reception: None, looking_after: None }
    }
}

/// What a reload came to, for whoever wanted it: a line each.
pub(super) type Told = Vec<String>;

impl Manager {
    /// The first configuration: what the loop begins with.
    pub(super) fn begin(&self, config: &Config, listeners: &mut [Listener]) -> Result<(Intake, Lobby), String> {
        let tls = self.certificates.prepare(config.tls.as_ref())?;
        let mut place = self.in_place.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = self.put(config, &mut place)?;
        self.certificates.show(config.tls.as_ref());
        for listener in listeners.iter_mut().filter(|listener| listener.door == Door::Public) {
            listener.tls.clone_from(&tls);
        }
        Ok(begun)
    }

    /// Looks after the platforms' side of our channels, from now on.
    pub(super) fn look_after(&self, config: &Config) -> Result<(), String> {
        let mut place = self.in_place.lock().unwrap_or_else(PoisonError::into_inner);
        self.renew_registrar(config, &mut place)
    }

    /// Another configuration in place of the one of before, or an error and nothing is otherwise.
    pub(super) fn change(&self, config: &Config) -> Result<Told, String> {
        let mut place = self.in_place.lock().unwrap_or_else(PoisonError::into_inner);
        let place = &mut *place;
        let fixed = place.fixed.differs_from(&Fixed::of(config));
        let (added, doors) = new_doors(config, &place.doors)?;
        let tls = self.certificates.prepare(config.tls.as_ref())?;
        let (intake, lobby) = self.put(config, place)?;
        // The rest is done.
        let stays = |bound: &&Bound| doors.iter().any(|next| next.door == bound.door && next.asked == bound.asked);
        let ended = place.doors.iter().filter(|bound| !stays(bound));
        let ended = ended.filter_map(|bound| Some((bound.door, bound.asked.clone()?))).collect();
        for listener in &added {
            log::info!("listening on {}", listener.address());
        }
        let (seen, changed) = sync_channel(1);
        self.certificates.show(config.tls.as_ref());
        let setting = Setting { intake, lobby, added, ended, tls, seen };
        self.announcer.tell(News::Setting(Box::new(setting)));
        // A loop that has ended takes nothing new, and neither does anybody else then.
        let _ = changed.recv();
        place.doors = doors;
        if let Err(why) = self.renew_registrar(config, place) {
            log::error!("{why}");
        }
        let mut told = vec![format!(
            "the configuration is in force: {}, {}, {}",
            counted(config.channels.len() as u64, "channel"),
            counted(config.bots.len() as u64, "bot"),
            counted(config.upstreams.len() as u64, "upstream")
        )];
        told.extend((!fixed.is_empty()).then(|| format!("not changed before a restart: {}", fixed.join(", "))));
        Ok(told)
    }

    /// All figures as a page: what the loop and the keeper know, and what is known beside them.
    pub(super) fn page(&self, began: Moment) -> Page {
        let meter = Arc::clone(self.current.get().upstreams.meter());
        let (standing, certificates) = (Arc::clone(&self.standing), Arc::clone(&self.certificates));
        Box::new(move |open, served, kept| {
            // Held for as long as it takes to copy it, by whoever holds it.
            let looks = standing.lock().unwrap_or_else(PoisonError::into_inner).looks();
            let looks = looks.into_iter().map(|(channel, look)| Registration {
                channel,
                well: look.wrong.is_empty(),
                looked: look.at,
            });
            let registrations: Vec<_> = looks.collect();
            let (registrations, certificates) = (&*registrations, &*certificates.ends());
            page::Page { began, open, served, kept, meter: &meter, registrations, certificates }.text()
        })
    }

    /// No more tokens are renewed, and nobody looks after anything.
    pub(super) fn end(&self) {
        self.in_place.lock().unwrap_or_else(PoisonError::into_inner).looking_after = None;
        self.current.get().upstreams.close();
    }

    fn put(&self, config: &Config, place: &mut InPlace) -> Result<(Intake, Lobby), String> {
        config.warnings.iter().for_each(|warning| log::warn!("{warning}"));
        let names = config.channels.iter().map(|channel| channel.name.clone()).collect();
        let numbers = self.tell_keeper(Change::Numbers { names })?.numbers;
        let channels = self.introduced(setting::channels(config, &numbers));
        let before = self.current.get();
        let tools = self.tools(config, &channels, place, &before);
        let lobby = self.lobby(config, &tools, place)?;

        before.upstreams.close_for(&tools.upstreams);
        self.current.put(Arc::new(tools));
        let wanted = setting::subscriptions(config, &numbers);
        let clock = before.clock;
        let lines = Change::Lines {
            channels: setting::lines(config),
            upstreams: config.upstreams.clone(),
            reconcile: Box::new(move |kept| reconcile(kept, &wanted, clock())),
        };
        let changed = self.tell_keeper(lines).inspect_err(|_| {
            before.upstreams.open_again();
            self.current.put(Arc::clone(&before));
        })?;
        for name in changed.left_behind {
            log::warn!(channel = name; "channel {name} {LEFT_BEHIND}");
        }
        if let Some(PublicUrl::Fixed(url)) = &config.public_url {
            before.address.learn(url);
        }
        place.channels = channels;
        let intake = Intake::new(setting::routes(config, &numbers), setting::places(config));
        Ok((intake.locked(Lock::of(&config.admin_tokens)), lobby))
    }

    fn tell_keeper(&self, change: Change) -> Result<Changed, String> {
        const ENDED: &str = "the keeper has ended";
        let (answer, changed) = sync_channel(1);
        self.letters.send(Letter::Change { change, answer }).map_err(|_| ENDED.to_owned())?;
        changed.recv().map_err(|_| ENDED.to_owned())?
    }

    /// Each channel is told who we are on its platform, as far as it was learnt before.
    fn introduced(&self, channels: Channels) -> Channels {
        for channel in channels.values().filter(|channel| !channel.platform.is_introduced()) {
            let (answer, remembered) = sync_channel(1);
            let recall = Letter::Recall { bot: ACCOUNTS.to_owned(), key: channel.name.clone(), answer };
            if self.letters.send(recall).is_ok()
                && let Ok(Some(remembered)) = remembered.recv()
            {
                introduce::meet_again(channel, &remembered);
            }
        }
        channels
    }

    /// What workers have from now on.
    fn tools(&self, config: &Config, channels: &Channels, place: &InPlace, before: &Tools) -> Tools {
        let mut known = place.channels.clone();
        known.extend(channels.iter().map(|(number, channel)| (*number, channel.clone())));
        let upstreams = Arc::new(before.upstreams.anew(&config.upstreams));
        Tools { channels: Arc::new(known), upstreams, ..before.clone() }
    }

    /// Where visits are left for the clerk: a new one, who knows these bots. The one of before ends with his last visit.
    fn lobby(&self, config: &Config, tools: &Tools, place: &mut InPlace) -> Result<Lobby, String> {
        let post = post(self.receipts.clone(), &self.announcer.waker);
        let inspector = setting::inspector(config);
        let visits = clerk::start(setting::hosts(config), inspector, &mut place.reception, tools.clone(), post);
        visits.map(Lobby::new).map_err(|error| format!("starting the clerk: {error}"))
    }

    /// Ends the one of before, which may be in the middle of a call, and is not waited for.
    fn renew_registrar(&self, config: &Config, place: &mut InPlace) -> Result<(), String> {
        let registrar = self.registrar(config, place);
        place.looking_after = None;
        let started = registrar.is_needed().then(|| registrar.start());
        place.looking_after = started.transpose().map_err(|error| format!("starting the registrar: {error}"))?;
        Ok(())
    }

    fn registrar(&self, config: &Config, place: &InPlace) -> Registrar {
        let watched = config.channels.iter().filter_map(|channel| {
            let known = place.channels.values().find(|known| known.name == channel.name)?.clone();
            Some(Watched::new(known, channel.path.clone(), channel.registration.clone()))
        });
        let public = place.doors.iter().filter(|bound| bound.door == Door::Public);
        let ports = public.filter_map(|bound| bound.given).map(|address| address.port()).collect();
        let course = match (config.keep_registered, &config.public_url) {
            (Some(interval), Some(public_url)) => Some(Course { public_url: public_url.clone(), interval, ports }),
            (Some(_), None) => {
                log::info!("registrations are not looked after, since there is no public_url");
                None
            }
            (None, _) => None,
        };
        let Tools { fetch, upstreams, address, keeper, clock, .. } = (*self.current.get()).clone();
        // One that is about to end writes into the other.
        let standing: Arc<Standing> = Arc::default();
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&standing);
        Registrar { channels: watched.collect(), course, fetch, upstreams, address, keeper, clock, standing }
    }
}

impl Bound {
    /// A listener, and for which address of the configuration it is there.
    pub(super) fn of(listener: &Listener, asked: Option<Spot>) -> Bound {
        Bound { door: listener.door, asked, given: listener.address().parse().ok() }
    }

    fn is_at(&self, door: Door, spot: &Spot) -> bool {
        let is_given = matches!((spot, self.given), (Spot::Tcp(at), Some(given)) if *at == given);
        self.door == door && (is_given || self.asked.as_ref() == Some(spot))
    }
}

/// Opens the doors that a configuration has and the one of before had not; gives those, and all that will be.
fn new_doors(config: &Config, before: &[Bound]) -> Result<(Vec<Listener>, Vec<Bound>), String> {
    let mut added = Vec::new();
    let mut doors: Vec<Bound> = before.iter().filter(|bound| bound.asked.is_none()).cloned().collect();
    for (at, door) in sockets::spots(config) {
        if let Some(same) = before.iter().find(|bound| bound.is_at(door, &at)) {
            doors.push(same.clone());
            continue;
        }
        let listener = sockets::open(&at, door)?;
        doors.push(Bound::of(&listener, Some(at)));
        added.push(listener);
    }
    Ok((added, doors))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::setting::tests::configured;
    use super::*;
    use crate::model::ChannelNumber;
    use crate::net::event_loop;
    use crate::work::fetch::Fetch;
    use crate::work::upstream::Upstreams;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    const BEFORE: &str = "listen = \"127.0.0.1:3000\"\n";
    const AFTER: &str = "listen = \"127.0.0.1:3000\"\npublic_url = \"https://bots.example.org\"\n";

    /// What the loop would hear of a manager.
    pub(in super::super) struct Heard {
        pub receipts: Receiver<Vec<(Ticket, Receipt)>>,
        news: Receiver<News>,
    }

    /// A manager with nothing in place whose keeper has numbers for channels, knows nothing of before, and agrees to lines
    /// or does not.
    pub(in super::super) fn manager(agrees: bool) -> (Manager, Heard) {
        let (letters, read) = channel();
        thread::spawn(move || {
            for letter in read {
                let (change, answer) = match letter {
                    Letter::Change { change, answer } => (change, answer),
                    Letter::Recall { answer, .. } => {
                        answer.send(None).unwrap();
                        continue;
                    }
                    other => panic!("{other:?}"),
                };
                let changed = match change {
                    Change::Lines { .. } if !agrees => Err("the disk is full".to_owned()),
                    Change::Lines { channels, .. } => Ok(channels.len()),
                    Change::Numbers { names } => Ok(names.len()),
                };
                let numbered = |count: usize| (1..).map(ChannelNumber).take(count).collect();
                let told = changed.map(|count| Changed { numbers: numbered(count), left_behind: Vec::new() });
                answer.send(told).unwrap();
            }
        });
        let (fetch, clock): (Arc<Fetch>, fn() -> Moment) = (Arc::default(), || Moment(0));
        let upstreams = Arc::new(Upstreams::new(&[], Arc::clone(&fetch), letters.clone(), clock));
        let (channels, address, identity, chance) = (Arc::default(), Arc::default(), String::new(), || 0);
        let keeper = letters.clone();
        let tools = Tools { channels, keeper, fetch, upstreams, address, identity, clock, chance };
        let ((receipts_out, receipts), (news_out, news)) = (channel(), channel());
        let announcer = Announcer { news: news_out, waker: event_loop::poll().unwrap().1 };
        let at = Spot::Tcp(SocketAddr::from(([127, 0, 0, 1], 3000)));
        let doors = vec![Bound { door: Door::Public, asked: Some(at), given: None }];
        let manager = Manager {
            letters,
            receipts: receipts_out,
            certificates: Certificates::new(announcer.clone(), clock),
            announcer,
            current: Arc::new(Current::new(tools)),
            standing: Arc::default(),
            in_place: Mutex::new(InPlace::new(&configured(BEFORE), doors)),
        };
        (manager, Heard { receipts, news })
    }

    /// What workers have: the channels, and what the world calls us.
    fn in_force(manager: &Manager) -> (usize, Option<String>) {
        let tools = manager.current.get();
        (tools.channels.len(), tools.address.get())
    }

    /// The channels that the next change begins from.
    fn channels_in_place(manager: &Manager) -> usize {
        manager.in_place.lock().unwrap().channels.len()
    }

    #[test]
    fn what_the_keeper_refuses_leaves_nothing_in_force() {
        let (manager, heard) = manager(false);
        let before = manager.current.get();
        let config = Config { keep_registered: None, ..configured(AFTER) };
        assert_eq!(manager.change(&config).unwrap_err(), "the disk is full");
        assert!(Arc::ptr_eq(&before, &manager.current.get()), "workers have what they had");
        assert_eq!((in_force(&manager), channels_in_place(&manager)), ((0, None), 0));
        assert!(heard.news.try_recv().is_err(), "the loop goes on as before");
    }

    #[test]
    fn what_the_keeper_takes_is_in_force_with_the_address_that_was_written() {
        let (manager, heard) = manager(true);
        let config = Config { keep_registered: None, ..configured(AFTER) };
        let told = thread::scope(|scope| {
            let changing = scope.spawn(|| manager.change(&config));
            let Ok(News::Setting(setting)) = heard.news.recv() else { panic!("the certificates are the same") };
            assert!(setting.added.is_empty() && setting.ended.is_empty(), "its door is there");
            assert_eq!(in_force(&manager), (3, Some("https://bots.example.org".to_owned())));
            setting.seen.send(()).unwrap();
            changing.join().unwrap()
        });
        assert_eq!(told.unwrap(), ["the configuration is in force: 3 channels, 2 bots, 0 upstreams"]);
        assert_eq!(channels_in_place(&manager), 3);
    }

    #[test]
    fn each_key_that_only_a_start_can_change_is_named() {
        let fixed = Fixed { store: "a.db".into(), workers: 4, connections_max: 10, handed: [false, true] };
        assert_eq!(fixed.differs_from(&fixed), Vec::<&str>::new());
        for (other, key) in [
            (Fixed { store: "b.db".into(), ..fixed.clone() }, "store"),
            (Fixed { workers: 3, ..fixed.clone() }, "workers"),
            (Fixed { connections_max: 9, ..fixed.clone() }, "connections"),
            (Fixed { handed: [true, true], ..fixed.clone() }, "listen = \"systemd\""),
            (Fixed { handed: [false, false], ..fixed.clone() }, "listen = \"systemd\""),
        ] {
            assert_eq!(fixed.differs_from(&other), [key]);
        }
    }

    #[test]
    fn a_door_stays_at_the_address_that_was_asked_for_or_given_and_is_no_other_door() {
        let at = |port| Spot::Tcp(SocketAddr::from(([127, 0, 0, 1], port)));
        let given = Some(SocketAddr::from(([127, 0, 0, 1], 40_001)));
        let bound = Bound { door: Door::Admin, asked: Some(at(0)), given };
        assert!(bound.is_at(Door::Admin, &at(0)) && bound.is_at(Door::Admin, &at(40_001)));
        assert!(!bound.is_at(Door::Admin, &at(40_002)));
        assert!(!bound.is_at(Door::Public, &at(0)) && !bound.is_at(Door::Public, &at(40_001)));
    }
}
