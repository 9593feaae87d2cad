use super::*;
use crate::bot::echo::Echo;
use crate::model::Secret;
use crate::platform::Outside;
use crate::platform::messenger::{Messenger, Settings};
use crate::registry::testing::{Recorded, answer, refused};
use crate::registry::{Listing, RegistryFault};
use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::mpsc::channel;

/// A platform's side that answers so, one after the other, and keeps where it was to point.
struct Side {
    reports: Mutex<Vec<Report>>,
    targets: Mutex<Vec<String>>,
    looked: Mutex<Option<Sender<()>>>,
}

impl Registration for Side {
    fn list(&self, _: Option<&str>, _: &dyn Upstream) -> Result<Listing, RegistryFault> {
        Ok(Listing::default())
    }

    fn sync(&self, target: &str, wish: Wish, _: &dyn Upstream) -> Report {
        assert_eq!(wish, Wish::Sync);
        self.targets.lock().unwrap().push(target.to_owned());
        self.looked.lock().unwrap().take().map(|looked| looked.send(()));
        self.reports.lock().unwrap().remove(0)
    }

    fn examine(&self, _: &str, _: &dyn Upstream) -> Result<Report, RegistryFault> {
        Ok(Report::default())
    }

    fn delete(&self, _: &dyn Upstream) -> Report {
        Report::default()
    }
}

fn wrong(line: &str) -> Report {
    Report { wrong: vec![line.to_owned()], ..Report::default() }
}

fn registrar(reports: Vec<Report>, public_url: Option<PublicUrl>) -> (Registrar, Arc<Side>) {
    let side = Arc::new(Side { reports: Mutex::new(reports), targets: Mutex::default(), looked: Mutex::default() });
    let settings = Settings::new(Secret::new("demo"), Vec::new(), Secret::new("demo"));
    let known = Channel {
        name: "page".to_owned(),
        platform: Arc::new(Messenger::new(settings)),
        bot: Arc::new(Echo::new("")),
        bot_name: "echo".to_owned(),
        outside: Outside::Hold,
    };
    let watched = Watched::new(known, "/messenger".to_owned(), Some(side.clone()));
    let interval = Duration::from_secs(300);
    let course = public_url.map(|public_url| Course { public_url, interval, ports: vec![3000] });
    let clock = || Moment(1_800_000_000_000);
    let upstreams = Arc::new(Upstreams::new(&[], Arc::default(), channel().0, clock));
    let registrar = Registrar {
        channels: vec![watched],
        course,
        fetch: Arc::default(),
        upstreams,
        address: Arc::default(),
        keeper: channel().0,
        clock,
        standing: Arc::default(),
    };
    (registrar, side)
}

fn fixed() -> Option<PublicUrl> {
    Some(PublicUrl::Fixed("https://bots.example.org".to_owned()))
}

const AGAIN: Duration = Duration::from_secs(15);

/// Runs until its reports are used up; how long it waited between them, in seconds.
fn waits(registrar: &mut Registrar, upstream: &dyn Upstream, looks: usize) -> Vec<u64> {
    let waits = RefCell::new(Vec::new());
    let pause = |time: Duration| {
        if !time.is_zero() {
            waits.borrow_mut().push(time.as_secs());
        }
        waits.borrow().len() < looks
    };
    registrar.run(upstream, &pause);
    waits.into_inner()
}

#[test]
fn it_looks_every_five_minutes_and_sooner_after_a_failure() {
    let reports = vec![wrong("a"), wrong("a"), wrong("a"), Report::default(), wrong("b"), Report::default()];
    let (mut registrar, side) = registrar(reports, fixed());
    assert_eq!(waits(&mut registrar, &Recorded::new(Vec::new()), 6), [15, 30, 60, 300, 15, 300]);
    assert_eq!(registrar.address.get().as_deref(), Some("https://bots.example.org"), "and tells the workers");
    assert!(side.targets.lock().unwrap().iter().all(|target| target == "https://bots.example.org/messenger"));
    let (many, _) = self::registrar(Vec::new(), fixed());
    assert_eq!(many.rest(u32::MAX), Duration::from_secs(300), "never later than a look without failures");
}

#[test]
fn how_a_channel_stands_can_be_read_meanwhile() {
    let (mut registrar, _) = registrar(vec![wrong("a"), Report::default()], fixed());
    let standing = Arc::clone(&registrar.standing);
    let nobody = Recorded::new(Vec::new());
    assert!(!registrar.look(AGAIN, &nobody, &|_| true));
    let look = Look { at: Moment(1_800_000_000_000), wrong: vec!["a".to_owned()] };
    assert_eq!(standing.looks().get("page"), Some(&look));
    assert!(registrar.look(AGAIN, &nobody, &|_| true));
    assert_eq!(standing.looks().get("page").unwrap().wrong, [""; 0]);
}

#[test]
fn what_is_wrong_is_shouted_once_and_what_is_mended_is_told() {
    let (mut registrar, _) = registrar(Vec::new(), fixed());
    let watched = &mut registrar.channels[0];
    let standing = Standing::default();
    let mut news = |done: &[&str], left: &[&str], wrong: &[&str]| {
        let [done, left, wrong] =
            [done, left, wrong].map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
        let news = watched.news(Report { done, left, wrong }, AGAIN, Moment(0), &standing);
        news.into_iter().map(|(level, line)| format!("{level} {line}")).collect::<Vec<_>>()
    };
    assert_eq!(
        news(&["created a"], &["left b"], &["c"]),
        ["INFO created a", "INFO left b", "ERROR its registration: c; again in 15 s"]
    );
    assert_eq!(news(&[], &["left b"], &["c"]), [""; 0], "it is known");
    assert_eq!(
        news(&[], &[], &["c", "d"]),
        ["ERROR its registration: c; again in 15 s", "ERROR its registration: d; again in 15 s"]
    );
    assert_eq!(news(&["repaired a"], &[], &[]), ["WARN repaired a", "INFO its registration is as it should be again"]);
    assert_eq!(news(&[], &[], &[]), [""; 0]);
    assert_eq!(news(&[], &[], &["c"]), ["ERROR its registration: c; again in 15 s"], "and shouted anew");
}

#[test]
fn an_agent_that_is_not_there_is_a_failure_that_changes_nothing() {
    let agent = "http://127.0.0.1:4040".to_owned();
    let (mut registrar, side) = registrar(vec![Report::default()], Some(PublicUrl::Ngrok { agent }));
    assert!(!registrar.look(AGAIN, &Recorded::always(refused()), &|_| true));
    assert!(
        registrar.standing.looks().get("page").unwrap().wrong[0]
            .starts_with("the ngrok agent at http://127.0.0.1:4040")
    );
    assert_eq!(side.targets.lock().unwrap().len(), 0);
    let tunnel = r#"{"endpoints":[{"url":"https://x.ngrok.app","upstream":{"url":"http://localhost:3000"}}]}"#;
    assert!(registrar.look(AGAIN, &Recorded::always(answer(200, tunnel)), &|_| true));
    assert_eq!(side.targets.lock().unwrap()[..], ["https://x.ngrok.app/messenger"]);
}

#[test]
fn without_anything_to_look_after_there_is_no_thread() {
    assert!(registrar(Vec::new(), fixed()).0.is_needed());
    assert!(!registrar(Vec::new(), None).0.is_needed(), "and Messenger needs no introduction");
}

#[test]
fn it_ends_at_once_when_the_daemon_does() {
    let (mut registrar, side) = registrar(vec![Report::default()], fixed());
    let (looked, looks) = channel();
    *side.looked.lock().unwrap() = Some(looked);
    // The thread holds a way to the keeper; when that is gone, so is the thread.
    let (keeper, letters) = channel();
    registrar.keeper = keeper;
    let stop = registrar.start().unwrap();
    let patience = Duration::from_secs(30);
    looks.recv_timeout(patience).unwrap();
    drop(stop);
    assert!(matches!(letters.recv_timeout(patience), Err(RecvTimeoutError::Disconnected)));
}
