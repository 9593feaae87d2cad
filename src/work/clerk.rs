//! Pages of bots and logins: one thread makes them, one after another, so that a page that waits for an upstream keeps no message
//! waiting, and no backlog of messages a page.
//!
//!     loop ──visit──▶ the bot, at a desk ──▶ what it remembers is durable ──▶ loop: the page
//!                                              └ it showed something old: once more, for nobody

use super::desk::WorkDesk;
use super::login;
use super::pool::Tools;
use super::session::{Guest, Reception};
use crate::bot::{Bot, BotFault};
use crate::keeper::{Letter, Post, Receipt, Ticket};
use crate::limits::VISITS_MAX;
use crate::model::visit::note;
use crate::model::{Host, Page, Visit};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Where visits are left.
pub type Visits = SyncSender<(Ticket, Visit)>;

/// Bots that make pages, by their names.
pub type Hosts = BTreeMap<String, Arc<dyn Bot>>;

/// Starts the clerk, where somebody has pages. It ends when nobody can leave a visit any more.
pub fn start(hosts: Hosts, tools: Tools, post: Post) -> io::Result<Visits> {
    let (visits, waiting) = sync_channel(VISITS_MAX);
    if !hosts.is_empty() || tools.upstreams.have_logins() {
        let reception = Reception::new().ok_or_else(|| io::Error::other("the system gives no random numbers"))?;
        let clerk = thread::Builder::new().name("clerk".to_owned());
        clerk.spawn(move || work(&hosts, &reception, &tools, &post, &waiting))?;
    }
    Ok(visits)
}

fn work(hosts: &Hosts, reception: &Reception, tools: &Tools, post: &Post, waiting: &Receiver<(Ticket, Visit)>) {
    for (ticket, mut visit) in waiting {
        let (page, guest) = receive(hosts, reception, &mut visit, tools);
        if post.receipts.send(vec![(ticket, Receipt::Made(page.response))]).is_err() {
            return; // The loop has ended.
        }
        (post.wake)();
        if page.renew {
            visit.renews = true;
            self::page(hosts, &visit, &guest, tools);
        }
    }
}

/// Finds out who it is, and makes the page.
pub(super) fn receive(hosts: &Hosts, reception: &Reception, visit: &mut Visit, tools: &Tools) -> (Page, Guest) {
    let guest = reception.welcome(visit, tools);
    let page = match reception.objects(visit, &guest) {
        Some(why) => Page::of(note(403, "Not done", why)),
        None => page(hosts, visit, &guest, tools),
    };
    (page, guest)
}

/// The page that is wanted, or one that says why there is none.
fn page(hosts: &Hosts, visit: &Visit, guest: &Guest, tools: &Tools) -> Page {
    let name = match &visit.to {
        Host::Bot(name) => name,
        Host::Login(name) => {
            let desk = tools.upstreams.custody(name).map(|custody| login::Desk { custody, visit, guest, tools });
            return desk.and_then(|desk| desk.page()).map_or_else(nothing, Page::of);
        }
    };
    let Some(bot) = hosts.get(name) else { return nothing() };
    let mut desk = WorkDesk::new(name, tools);
    match bot.page(visit, &mut desk) {
        Ok(Some(page)) if keep(desk, tools) => page,
        Ok(Some(_)) => Page::of(note(503, "Not now", "What this page changes could not be kept. Please try again.")),
        Ok(None) => nothing(),
        Err(BotFault::Later { why, .. }) => {
            log::warn!("bot {name}: a page: {why}");
            Page::of(note(503, "Not now", "This page cannot be made just now. Please try again in a moment."))
        }
        Err(BotFault::Never { why }) => {
            log::error!("bot {name}: a page: {why}");
            Page::of(note(500, "Something is wrong", "This page cannot be made; the log of ackd says why."))
        }
    }
}

fn nothing() -> Page {
    Page::of(note(404, "Nothing here", "There is no page at this address."))
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
    use crate::model::{Event, Framing, Head, Method, Moment, Reply, Request, Response, Span};
    use crate::work::fetch::Fetch;
    use crate::work::upstream::Upstreams;
    use std::sync::mpsc::channel;

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

    /// What comes of these visits, with a keeper that keeps or does not; and how often something was kept.
    fn visited(paths: &[&str], keeps: bool) -> (Vec<Response>, usize) {
        let (keeper, letters) = channel();
        let (receipts, made) = channel();
        let keeping = thread::spawn(move || {
            let (mut kept, mut times) = (None, 0);
            for letter in letters {
                match letter {
                    Letter::Recall { answer, .. } => answer.send(kept.clone()).unwrap(),
                    Letter::Keep { write, answer } => {
                        if keeps {
                            (kept, times) = (write.value, times + 1);
                        }
                        answer.send(keeps).unwrap();
                    }
                    letter => panic!("{letter:?}"),
                }
            }
            times
        });
        let (fetch, clock): (Arc<Fetch>, fn() -> Moment) = (Arc::default(), || Moment(0));
        let upstreams = Arc::new(Upstreams::new(&[], Arc::clone(&fetch), keeper.clone(), clock));
        let (channels, address, identity) = (Arc::default(), Arc::default(), String::new());
        let tools = Tools { channels, keeper, fetch, upstreams, address, identity, clock, chance: || 0 };
        let hosts = Hosts::from([("weekly".to_owned(), Arc::new(Counts) as Arc<dyn Bot>)]);
        let visits = start(hosts, tools, Post { receipts, wake: Box::new(|| {}) }).unwrap();
        for path in paths {
            let (text, target, headers) = (Box::default(), Span { start: 0, end: 0 }, Box::default());
            let method = if *path == "/form" { Method::Post } else { Method::Get };
            let head = Head { method, text, target, headers, framing: Framing::Empty };
            let request = Request { head, body: Vec::new() };
            let host = if *path == "/other" { "other" } else { "weekly" };
            let (to, path) = (Host::Bot(host.to_owned()), (*path).to_owned());
            let visit = Visit { to, operator: false, guard: String::new(), path, request, renews: false };
            visits.send((Ticket { slot: 1, generation: 1 }, visit)).unwrap();
        }
        drop(visits);
        let responses = made.iter().flatten().map(|(_, receipt)| match receipt {
            Receipt::Made(response) => response,
            receipt => panic!("{receipt:?}"),
        });
        (responses.collect(), keeping.join().unwrap())
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
        let (pages, kept) = visited(&["/old", ""], true);
        assert_eq!((pages.iter().map(text).collect::<Vec<_>>(), kept), (vec!["0 false".into(), "2 false".into()], 3));
    }

    #[test]
    fn what_a_stranger_posts_comes_in_a_strangers_name() {
        let (pages, kept) = visited(&["/form"], true);
        assert_eq!((pages.iter().map(text).collect::<Vec<_>>(), kept), (vec!["operator: false".to_owned()], 0));
    }

    #[test]
    fn what_goes_wrong_is_a_page_that_says_so_and_nothing_more() {
        let (pages, _) = visited(&["/later", "/never", "/alarm", "/nowhere", "/other"], true);
        assert_eq!(pages.iter().map(|page| page.status).collect::<Vec<_>>(), [503, 500, 500, 404, 404]);
        for page in &pages {
            assert!(text(page).starts_with("<!doctype html>") && !text(page).contains("canary"), "{}", text(page));
            assert!(page.headers.iter().any(|(name, _)| *name == "Content-Security-Policy"), "{page:?}");
        }
    }
}
