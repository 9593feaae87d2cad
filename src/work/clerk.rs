//! Pages of bots, logins and the inspector: one thread makes them, one after another, so that no backlog of messages keeps a
//! page waiting, nor a page a message.
//!
//!     loop ──visit──▶ clerk: the bot, at a desk ──▶ what it remembers is durable ──▶ loop: the page
//!                       ├ it showed something old ──▶ renewer: once more, for nobody
//!                       ├ a login ──▶ porter: its page
//!                       └ the operator looks, or decides ──▶ the store, read beside the keeper; or the keeper
//!
//! The clerk waits for the store and for nothing else: what is remembered is shown at once, however long Facebook takes.
//! Whatever asks an upstream is done by one of the two behind, for whom a few may wait.

use super::desk::WorkDesk;
use super::login;
use super::pool::Tools;
use super::session::{Guest, Reception};
use crate::bot::{Bot, BotFault};
use crate::inspector::{self, Inspector, Wish};
use crate::keeper::{Letter, Post, Receipt, Ticket};
use crate::limits::{INSPECTOR_REST, LOGIN_VISITS_MAX, LOGIN_VISITS_PUBLIC_MAX, RENEWALS_MAX, VISITS_MAX};
use crate::model::visit::{leads_home, note};
use crate::model::{ChannelNumber, Claim, Host, Page, Response, Visit};
use crate::notation::shelf::Shelf;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Where visits are left.
pub type Visits = SyncSender<(Ticket, Box<Visit>)>;
/// Where they are found.
type Waiting = Receiver<(Ticket, Box<Visit>)>;

/// Bots that make pages, by their names.
pub type Hosts = Shelf<String, Arc<dyn Bot>>;

/// What the three work with.
struct Office {
    hosts: Hosts,
    reception: Arc<Reception>,
    tools: Tools,
    post: Post,
    /// How many wait for the porter, or are with him.
    logins: AtomicUsize,
}

/// Starts the clerk where somebody has pages or may inspect the store, and those behind where somebody has pages. They end
/// when nobody can leave a visit any more. A clerk who follows another has his reception, so that forms that were shown can
/// still be sent.
pub fn start(
    hosts: Hosts,
    inspector: Option<Inspector>,
    reception: &mut Option<Arc<Reception>>,
    tools: Tools,
    post: Post,
) -> io::Result<Visits> {
    let (visits, waiting) = sync_channel(VISITS_MAX);
    let has_pages = !hosts.is_empty() || tools.upstreams.have_logins();
    if has_pages || inspector.is_some() {
        let known = reception.take().or_else(|| Reception::new().map(Arc::new));
        let known = known.ok_or_else(|| io::Error::other("the system gives no random numbers"))?;
        *reception = Some(Arc::clone(&known));
        let reception = known;
        let office = Arc::new(Office { hosts, reception, tools, post, logins: AtomicUsize::new(0) });
        let (renewer, old) = sync_channel(RENEWALS_MAX);
        let (porter, logins) = sync_channel(LOGIN_VISITS_MAX);
        if has_pages {
            office.open("renewer", Box::new(move |office| office.renew(&old)))?;
            office.open("porter", Box::new(move |office| office.let_in(&logins)))?;
        }
        office.open("clerk", Box::new(move |office| office.attend(&waiting, &renewer, &porter, inspector)))?;
    }
    Ok(visits)
}

impl Office {
    /// Gives a thread to one of the three.
    fn open(self: &Arc<Office>, name: &str, work: Box<dyn FnOnce(&Office) + Send>) -> io::Result<()> {
        let office = Arc::clone(self);
        thread::Builder::new().name(name.to_owned()).spawn(move || work(&office)).map(drop)
    }

    /// The clerk's work.
    fn attend(&self, waiting: &Waiting, renewer: &Visits, porter: &Visits, mut inspector: Option<Inspector>) {
        while let Some((ticket, mut visit)) = next(waiting, inspector.as_mut(), INSPECTOR_REST) {
            match visit.to {
                Host::Login(_) => {
                    if !self.send_on(ticket, visit, porter) {
                        self.hand_out(ticket, Some(busy()));
                    }
                    continue;
                }
                Host::Inspector => {
                    let shown = inspector.as_mut().map(|inspector| self.inspect(&mut visit, inspector));
                    self.hand_out(ticket, shown);
                    continue;
                }
                Host::Bot(_) => {}
            }
            let page = self.make(&mut visit);
            let renew = page.as_ref().is_some_and(|page| page.renew);
            self.hand_out(ticket, page.map(|page| page.response));
            // Where too many wait, it is as old at the next visit.
            if renew {
                visit.renews = true;
                let _ = renewer.try_send((ticket, visit));
            }
        }
    }

    /// What the operator sees of the store, or what came of what they decided.
    fn inspect(&self, visit: &mut Visit, inspector: &mut Inspector) -> Response {
        let guest = self.reception.welcome(visit, &self.tools);
        if let Some(why) = self.reception.objects(visit, &guest) {
            return inspector::error(403, why);
        }
        match Wish::of(&visit.path) {
            Some(wish) if wish.acts() => self.decide(wish, &visit.request.body),
            _ => inspector.show(visit, (self.tools.clock)(), self.tools.chance),
        }
    }

    fn decide(&self, wish: Wish, form: &[u8]) -> Response {
        let numbers = |name: &str| -> Option<ChannelNumber> {
            self.tools.channels.iter().find(|(_, channel)| channel.name == name).map(|(number, _)| *number)
        };
        let order = match inspector::order(wish, form, &numbers) {
            Ok(order) => order,
            Err(fault) => return inspector::error(fault.status, &fault.why),
        };
        let (answer, decided) = sync_channel(1);
        let asked = self.tools.keeper.send(Letter::Decide { order, answer });
        match asked.ok().and_then(|()| decided.recv().ok()) {
            Some(lines) => inspector::lines(&lines),
            None => inspector::error(503, "the store cannot be written just now, so nothing was changed"),
        }
    }

    /// Sends a visit on to the porter, if he has a place for it; some are the operator's.
    fn send_on(&self, ticket: Ticket, visit: Box<Visit>, porter: &Visits) -> bool {
        let places = if visit.claim == Claim::Inside { LOGIN_VISITS_MAX } else { LOGIN_VISITS_PUBLIC_MAX };
        if self.logins.load(Ordering::Relaxed) >= places {
            return false;
        }
        self.logins.fetch_add(1, Ordering::Relaxed);
        porter.try_send((ticket, visit)).is_ok()
    }

    /// The renewer's work.
    fn renew(&self, old: &Waiting) {
        for (_, visit) in old {
            page(&self.hosts, &visit, &Guest::Stranger, &self.tools);
        }
    }

    /// The porter's work.
    fn let_in(&self, logins: &Waiting) {
        for (ticket, mut visit) in logins {
            let page = self.make(&mut visit);
            self.logins.fetch_sub(1, Ordering::Relaxed);
            self.hand_out(ticket, page.map(|page| page.response));
        }
    }

    fn make(&self, visit: &mut Visit) -> Option<Page> {
        receive(&self.hosts, &self.reception, visit, &self.tools)
    }

    fn hand_out(&self, ticket: Ticket, response: Option<Response>) {
        let receipt = response.map_or(Receipt::Nothing, Receipt::Made);
        // The loop is gone only when everything ends; then no visit comes any more either.
        let _ = self.post.receipts.send(vec![(ticket, receipt)]);
        (self.post.wake)();
    }
}

/// The next visit; nothing when none will come. Where nobody has come for a while, the store is not held open any longer.
fn next(waiting: &Waiting, inspector: Option<&mut Inspector>, rest: Duration) -> Option<(Ticket, Box<Visit>)> {
    if let Some(inspector) = inspector.filter(|inspector| inspector.is_open()) {
        match waiting.recv_timeout(rest) {
            Err(RecvTimeoutError::Timeout) => inspector.close(),
            come => return come.ok(),
        }
    }
    waiting.recv().ok()
}

/// Finds out who it is, and makes the page; where there is none, the operator is told so, and a stranger nothing.
pub(super) fn receive(hosts: &Hosts, reception: &Reception, visit: &mut Visit, tools: &Tools) -> Option<Page> {
    let guest = reception.welcome(visit, tools);
    let page = match reception.objects(visit, &guest) {
        Some(why) => Some(Page::of(note(403, "Not done", why))),
        None => page(hosts, visit, &guest, tools),
    };
    match guest {
        Guest::Stranger => page,
        Guest::Session(_) => Some(page.unwrap_or_else(nothing)),
        Guest::Inside => {
            let page = page.unwrap_or_else(nothing);
            Some(Page { response: leads_home(page.response), ..page })
        }
    }
}

/// The page that is wanted, or one that says why it cannot be made; `None` where there is none.
fn page(hosts: &Hosts, visit: &Visit, guest: &Guest, tools: &Tools) -> Option<Page> {
    let name = match &visit.to {
        Host::Bot(name) => name,
        Host::Login(name) => {
            let custody = tools.upstreams.custody(name)?;
            return login::Desk { custody, visit, guest, tools }.page().map(Page::of);
        }
        // It is no page of this kind.
        Host::Inspector => return None,
    };
    let bot = hosts.get(name)?;
    let mut desk = WorkDesk::new(name, tools);
    let faulty = |status, title, text| Some(Page::of(note(status, title, text)));
    match bot.page(visit, &mut desk) {
        Ok(Some(page)) if keep(desk, tools) => Some(page),
        Ok(Some(_)) => faulty(503, "Not now", "What this page changes could not be kept. Please try again."),
        Ok(None) => None,
        Err(BotFault::Later { why, .. }) => {
            log::warn!("bot {name}: a page: {why}");
            faulty(503, "Not now", "This page cannot be made just now. Please try again in a moment.")
        }
        Err(BotFault::Never { why }) => {
            log::error!("bot {name}: a page: {why}");
            faulty(500, "Something is wrong", "This page cannot be made; the log of ackd says why.")
        }
    }
}

fn nothing() -> Page {
    Page::of(note(404, "Nothing here", "There is no page at this address."))
}

fn busy() -> Response {
    note(503, "Not now", "Too many want to log in just now. Nothing was changed; please try again in a moment.")
}

/// Whether what the bot remembers is on the disk.
fn keep(desk: WorkDesk<'_>, tools: &Tools) -> bool {
    desk.notes.memory.into_iter().all(|write| {
        let (answer, kept) = sync_channel(1);
        tools.keeper.send(Letter::Keep { write, answer }).is_ok() && kept.recv() == Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::Desk;
    use crate::model::{Event, Framing, Head, Method, Moment, Reply, Request, Span};
    use crate::work::facebook::played::{House, location};
    use crate::work::fetch::Fetch;
    use crate::work::testing;
    use crate::work::upstream::Upstreams;
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Instant;

    /// What is handed out.
    type Made = Receiver<Vec<(Ticket, Receipt)>>;

    /// So long a test waits for what comes at once, so that it fails where it would hang.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Remembers how often it was visited, and says it.
    struct Counts;

    impl Bot for Counts {
        fn hear(&self, _: &Event, _: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
            Ok(Vec::new())
        }

        fn page(&self, visit: &Visit, desk: &mut dyn Desk) -> Result<Option<Page>, BotFault> {
            match visit.path.as_str() {
                "/later" => return Err(BotFault::Later { why: "it is down".to_owned(), after: None }),
                "/never" => return Err(BotFault::Never { why: "a canary".to_owned() }),
                "/alarm" => return desk.cancel_alarm("noon").map(|()| None),
                "/nowhere" => return Ok(None),
                "/form" => return Ok(Some(Page::of(Response::text(200, format!("operator: {}", visit.operator))))),
                _ => {}
            }
            let count = desk.recall("count")?.unwrap_or_default().len();
            desk.remember("count", vec![0; count + 1], None)?;
            let renew = visit.path == "/old";
            Ok(Some(Page { response: Response::text(200, format!("{count} {}", visit.renews)), renew }))
        }
    }

    /// Says of each page whether it is to be made new, and makes it new when it is told to, and not before.
    struct Hangs {
        begun: Mutex<Sender<bool>>,
        go_on: Mutex<Receiver<()>>,
    }

    impl Bot for Hangs {
        fn hear(&self, _: &Event, _: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
            Ok(Vec::new())
        }

        fn page(&self, visit: &Visit, _: &mut dyn Desk) -> Result<Option<Page>, BotFault> {
            self.begun.lock().unwrap().send(visit.renews).unwrap();
            if visit.renews {
                let _ = self.go_on.lock().unwrap().recv();
            }
            Ok(Some(Page { response: Response::text(200, visit.path.clone()), renew: true }))
        }
    }

    fn asked(method: Method) -> Request {
        let (text, target, headers) = (Box::default(), Span { start: 0, end: 0 }, Box::default());
        let head = Head { method, text, target, headers, framing: Framing::Empty };
        Request { head, body: Vec::new() }
    }

    fn asked_by(to: Host, claim: Claim, path: String, request: Request) -> Visit {
        let operator = claim == Claim::Inside;
        Visit { to, claim, operator, guard: String::new(), path, request, renews: false }
    }

    /// A clerk who was given a door, with a keeper that keeps or does not.
    struct Opened {
        visits: Visits,
        tools: Tools,
        made: Made,
        /// Each time that something is kept.
        kept: Receiver<()>,
    }

    impl Opened {
        fn new(bot: Arc<dyn Bot>, keeps: bool) -> Opened {
            let (keeper, letters) = channel();
            let (receipts, made) = channel();
            let (tell, kept) = channel();
            thread::spawn(move || {
                let mut memory = None;
                for letter in letters {
                    match letter {
                        Letter::Recall { answer, .. } => answer.send(memory.clone()).unwrap(),
                        Letter::Keep { write, answer } => {
                            if keeps {
                                memory = write.value;
                                let _ = tell.send(());
                            }
                            answer.send(keeps).unwrap();
                        }
                        letter => panic!("{letter:?}"),
                    }
                }
            });
            let (fetch, clock): (Arc<Fetch>, fn() -> Moment) = (Arc::default(), || Moment(0));
            let upstreams = Arc::new(Upstreams::new(&[], Arc::clone(&fetch), keeper.clone(), clock));
            let (channels, address, identity) = (Arc::default(), Arc::default(), String::new());
            let tools = Tools { channels, keeper, fetch, upstreams, address, identity, clock, chance: || 0 };
            let hosts = Hosts::from([("weekly".to_owned(), bot)]);
            let visits =
                start(hosts, None, &mut None, tools.clone(), Post { receipts, wake: Box::new(|| {}) }).unwrap();
            Opened { visits, tools, made, kept }
        }

        fn visit(&self, path: &str) {
            let request = asked(if path == "/form" { Method::Post } else { Method::Get });
            let host = if path == "/other" { "other" } else { "weekly" };
            let (to, path) = (Host::Bot(host.to_owned()), path.to_owned());
            self.send(to, Claim::Link, path, request);
        }

        fn send(&self, to: Host, claim: Claim, path: String, request: Request) {
            let visit = asked_by(to, claim, path, request);
            self.visits.send((Ticket { slot: 1, generation: 1 }, Box::new(visit))).unwrap();
        }

        /// The page of the next visit that was made.
        fn page(&self) -> Response {
            next(&self.made)
        }
    }

    /// The next page that is handed out.
    fn next(made: &Made) -> Response {
        match made.recv_timeout(PATIENCE).unwrap().pop() {
            Some((_, Receipt::Made(response))) => response,
            Some((_, Receipt::Nothing)) => Response::text(404, ""),
            other => panic!("{other:?}"),
        }
    }

    /// Somebody at the login.
    fn at_the_login(claim: Claim) -> (Ticket, Box<Visit>) {
        let visit = asked_by(Host::Login("fb".to_owned()), claim, String::new(), asked(Method::Get));
        (Ticket { slot: 1, generation: 1 }, Box::new(visit))
    }

    /// An office without threads, and what it hands out.
    fn office(tools: &Tools, hosts: Hosts) -> (Arc<Office>, Made) {
        let (receipts, made) = channel();
        let (post, reception) = (Post { receipts, wake: Box::new(|| {}) }, Arc::new(Reception::new().unwrap()));
        (Arc::new(Office { hosts, reception, tools: tools.clone(), post, logins: AtomicUsize::new(0) }), made)
    }

    /// What comes of these visits, and how often something was kept.
    fn visited(paths: &[&str], keeps: bool) -> (Vec<Response>, usize) {
        let opened = Opened::new(Arc::new(Counts), keeps);
        let shown = |path: &&str| {
            opened.visit(path);
            opened.page()
        };
        let pages = paths.iter().map(shown).collect();
        drop((opened.visits, opened.tools));
        (pages, opened.kept.iter().count())
    }

    fn text(response: &Response) -> String {
        String::from_utf8_lossy(&response.body).into_owned()
    }

    #[test]
    fn what_a_page_remembers_is_kept_before_it_is_shown() {
        let (pages, kept) = visited(&["", ""], true);
        assert_eq!((pages.iter().map(text).collect::<Vec<_>>(), kept), (vec!["0 false".into(), "1 false".into()], 2));
        let (pages, _) = visited(&[""], false);
        assert_eq!(pages.iter().map(|page| page.status).collect::<Vec<_>>(), [503]);
    }

    #[test]
    fn a_page_that_showed_something_old_is_made_once_more_for_nobody() {
        let opened = Opened::new(Arc::new(Counts), true);
        opened.visit("/old");
        assert_eq!(text(&opened.page()), "0 false");
        for _ in 0..2 {
            opened.kept.recv_timeout(PATIENCE).unwrap();
        }
        opened.visit("");
        assert_eq!(text(&opened.page()), "2 false");
    }

    #[test]
    fn while_a_page_is_made_new_others_are_shown_and_only_few_wait_to_be_made_new() {
        let ((begun, begins), (go_on, waits)) = (channel(), channel());
        let opened = Opened::new(Arc::new(Hangs { begun: Mutex::new(begun), go_on: Mutex::new(waits) }), true);
        opened.visit("/first");
        opened.page();
        assert_eq!([(); 2].map(|()| begins.recv_timeout(PATIENCE)), [Ok(false), Ok(true)], "shown, and made new");
        for number in 0..10 * RENEWALS_MAX {
            let path = format!("/{number}");
            opened.visit(&path);
            assert_eq!(text(&opened.page()), path);
        }
        // The clerk is done with the last one when somebody else has been answered.
        opened.visit("/other");
        opened.page();
        assert!(begins.try_iter().all(|renews| !renews), "one after another");
        drop((go_on, opened.visits));
        assert_eq!(begins.iter().filter(|renews| *renews).count(), RENEWALS_MAX);
    }

    #[test]
    fn strangers_are_told_nothing_where_there_is_nothing_and_the_operator_is_shown_a_way_home() {
        let (pages, _) = visited(&["/nowhere", "/other"], true);
        assert_eq!(pages.iter().map(|page| page.content_type).collect::<Vec<_>>(), ["text/plain; charset=utf-8"; 2]);
        let opened = Opened::new(Arc::new(Counts), true);
        for (path, status) in [("/nowhere", 404), ("/later", 503), ("/alarm", 500)] {
            opened.send(Host::Bot("weekly".to_owned()), Claim::Inside, path.to_owned(), asked(Method::Get));
            let page = opened.page();
            let home = "<p><a href=\"/\">All pages and logins</a></p>\n</html>\n";
            assert!(page.status == status && text(&page).ends_with(home), "{path}: {}", text(&page));
        }
        opened.send(Host::Bot("weekly".to_owned()), Claim::Inside, String::new(), asked(Method::Get));
        assert_eq!(text(&opened.page()), "0 false", "what is no page of ours stays as it is");
    }

    #[test]
    fn the_porter_has_places_that_strangers_cannot_hold() {
        let (visits, waiting) = sync_channel(LOGIN_VISITS_MAX);
        let opened = Opened::new(Arc::new(Counts), true);
        let (office, _made) = office(&opened.tools, Hosts::new());
        let hold_all = |claim| {
            let send_on = |(ticket, visit)| office.send_on(ticket, visit, &visits);
            (0..).take_while(|_| send_on(at_the_login(claim))).count()
        };
        assert_eq!(hold_all(Claim::Unproven), LOGIN_VISITS_PUBLIC_MAX);
        assert_eq!(hold_all(Claim::Inside), LOGIN_VISITS_MAX / 4);
        drop(visits);
        office.let_in(&waiting);
        assert_eq!(office.logins.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_porter_who_takes_nothing_makes_nobody_else_wait() {
        let opened = Opened::new(Arc::new(Counts), true);
        let (office, made) = office(&opened.tools, Hosts::from([("weekly".to_owned(), Arc::new(Counts) as _)]));
        let (visits, waiting) = sync_channel(VISITS_MAX);
        let (renewer, _old) = sync_channel(RENEWALS_MAX);
        // He stands there, and there is no place before him.
        let (porter, _logins) = sync_channel(0);
        office.open("clerk", Box::new(move |office| office.attend(&waiting, &renewer, &porter, None))).unwrap();
        visits.send(at_the_login(Claim::Inside)).unwrap();
        let page = next(&made);
        assert!(page.status == 503 && text(&page).contains("Too many want to log in just now"), "{}", text(&page));
        let (ticket, visit) = at_the_login(Claim::Link);
        visits.send((ticket, Box::new(Visit { to: Host::Bot("weekly".to_owned()), ..*visit }))).unwrap();
        assert_eq!(text(&next(&made)), "0 false");
    }

    #[test]
    fn a_login_is_served_where_no_bot_has_pages() {
        let house = House::new(false);
        let (receipts, made) = channel();
        let post = Post { receipts, wake: Box::new(|| {}) };
        let visits = start(Hosts::new(), None, &mut None, house.tools.clone(), post).unwrap();
        visits.send(at_the_login(Claim::Inside)).expect("somebody waits for visits");
        let page = next(&made);
        assert_eq!((page.status, location(&page)), (302, Some("http://localhost:3001/login/fb")));
    }

    /// A store in a folder, and a visit of its operator.
    fn inspected(name: &str, path: &str) -> (std::path::PathBuf, Visit) {
        let folder = std::env::temp_dir().join(format!("ackd-clerk-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let store = folder.join("ackd.db");
        drop(crate::store::sqlite::SqliteFile::open(&store).unwrap());
        (store, asked_by(Host::Inspector, Claim::Inside, path.to_owned(), asked(Method::Get)))
    }

    #[test]
    fn the_store_is_shown_where_no_bot_has_pages_and_nobody_logs_in() {
        let (store, visit) = inspected("alone", "/list");
        let opened = Opened::new(Arc::new(Counts), true);
        let (receipts, made) = channel();
        let (post, inspector) = (Post { receipts, wake: Box::new(|| {}) }, Some(Inspector::new(store.clone())));
        let visits = start(Hosts::new(), inspector, &mut None, opened.tools.clone(), post).unwrap();
        visits.send((Ticket { slot: 1, generation: 1 }, Box::new(visit))).expect("somebody waits for visits");
        let list = next(&made);
        assert!(list.status == 200 && text(&list).contains("\"events\":[]"), "{}", text(&list));
        assert!(text(&list).contains("\"guard\":\"") && !text(&list).contains("\"guard\":\"\""), "{}", text(&list));
        std::fs::remove_dir_all(store.parent().unwrap()).unwrap();
    }

    #[test]
    fn what_is_not_the_operators_own_form_is_not_done_and_says_why() {
        let (store, visit) = inspected("forms", "/resolve");
        let opened = Opened::new(Arc::new(Counts), true);
        let (office, _made) = office(&opened.tools, Hosts::new());
        let mut inspector = Inspector::new(store.clone());
        let guarded = office.inspect(&mut Visit { path: "/list".to_owned(), ..visit.clone() }, &mut inspector);
        let guard = text(&guarded).split("\"guard\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let mut posted = |body: String| {
            let request = Request { body: body.into_bytes(), ..asked(Method::Post) };
            let said = office.inspect(&mut Visit { request, ..visit.clone() }, &mut inspector);
            (said.status, text(&said))
        };
        for body in [String::new(), "guard=00".to_owned(), format!("guard={}", guard.replace(&guard[..1], "x"))] {
            let (status, said) = posted(body);
            assert!(status == 403 && said.contains("This form is too old."), "{status} {said}");
        }
        let (status, said) = posted(format!("guard={guard}"));
        assert!(status == 400 && said.contains("no event was named"), "with its guard it is read: {status} {said}");
        std::fs::remove_dir_all(store.parent().unwrap()).unwrap();
    }

    #[test]
    fn what_is_posted_in_the_operators_name_without_a_guard_comes_to_no_bot() {
        let opened = Opened::new(Arc::new(Counts), true);
        opened.send(Host::Bot("weekly".to_owned()), Claim::Inside, "/form".to_owned(), asked(Method::Post));
        let page = opened.page();
        assert!(page.status == 403 && text(&page).contains("This form is too old."), "{}", text(&page));
    }

    #[test]
    fn a_decision_that_nobody_could_write_is_said_to_have_changed_nothing() {
        let (keeper, letters) = channel();
        let opened = Opened::new(Arc::new(Counts), true);
        let channels = Arc::new(Shelf::from([(ChannelNumber(1), testing::page())]));
        let tools = Tools { channels, keeper, ..opened.tools.clone() };
        let (office, _made) = office(&tools, Hosts::new());
        let decide = || office.decide(Wish::Resolve, b"ids=page-1");
        let told = thread::scope(|scope| {
            let decided = scope.spawn(decide);
            let Ok(Letter::Decide { answer, .. }) = letters.recv() else { panic!("no decision") };
            drop(answer);
            decided.join().unwrap()
        });
        assert!(told.status == 503 && text(&told).contains("nothing was changed"), "{}", text(&told));
        let told = thread::scope(|scope| {
            let decided = scope.spawn(decide);
            let Ok(Letter::Decide { answer, .. }) = letters.recv() else { panic!("no decision") };
            answer.send(vec!["page-1: resolved".to_owned()]).unwrap();
            decided.join().unwrap()
        });
        assert!(told.status == 200 && text(&told).contains("page-1: resolved"), "{}", text(&told));
        drop(letters);
        assert_eq!(decide().status, 503, "the keeper is gone");
    }

    #[test]
    fn a_store_at_which_nobody_looks_any_more_is_not_held_open() {
        let (store, visit) = inspected("rest", "/list");
        let mut inspector = Inspector::new(store.clone());
        assert_eq!(inspector.show(&visit, Moment(0), || 1).status, 200);
        let is_held = || {
            let files = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
            files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|file| file == store)
        };
        assert!(inspector.is_open() && is_held());
        let (visits, waiting) = sync_channel(1);
        let clerk = thread::spawn(move || {
            super::next(&waiting, Some(&mut inspector), Duration::from_millis(1)).unwrap();
            inspector.is_open()
        });
        let began = Instant::now();
        while is_held() {
            assert!(began.elapsed() < PATIENCE, "it is still open");
            thread::yield_now();
        }
        visits.send((Ticket { slot: 1, generation: 1 }, Box::new(visit))).unwrap();
        assert!(!clerk.join().unwrap());
        std::fs::remove_dir_all(store.parent().unwrap()).unwrap();
    }

    #[test]
    fn what_a_stranger_posts_comes_in_a_strangers_name() {
        let (pages, kept) = visited(&["/form"], true);
        assert_eq!((pages.iter().map(text).collect::<Vec<_>>(), kept), (vec!["operator: false".to_owned()], 0));
    }

    #[test]
    fn what_goes_wrong_is_a_page_that_says_so_and_nothing_more() {
        let (pages, _) = visited(&["/later", "/never", "/alarm"], true);
        assert_eq!(pages.iter().map(|page| page.status).collect::<Vec<_>>(), [503, 500, 500]);
        for page in &pages {
            assert!(text(page).starts_with("<!doctype html>") && !text(page).contains("canary"), "{}", text(page));
            assert!(page.headers.iter().any(|(name, _)| *name == "Content-Security-Policy"), "{page:?}");
        }
    }
}
