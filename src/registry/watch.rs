//! The thread "registrar": at start and every few minutes it looks whether each platform still tells us what it should.
//!
//!     who are we there? ──▶ what is our public address? ──▶ sync ──▶ log, Standing ──▶ wait
//!
//! It also keeps the consents of upstreams alive. It repairs what it may, and says once what it may not. Nothing waits for it: a look that fails is told, tried again
//! sooner, and never stops answering. It ends as soon as its `Stop` is dropped, or when nothing is left to look after.

use super::{Look, PublicUrl, Registration, Report, Standing, Upstream, Wish};
use crate::keeper::Letter;
use crate::limits::{REGISTRATION_INTERVAL, REGISTRATION_RETRY};
use crate::model::{Delivery, Moment};
use crate::work::Channel;
use crate::work::address::Address;
use crate::work::fetch::Fetch;
use crate::work::introduce::introduce;
use crate::work::upstream::Upstreams;
use log::Level;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// A channel, and what is to be looked after.
pub struct Watched {
    pub channel: Channel,
    /// The webhook's path, which comes behind the public address.
    pub path: String,
    pub registration: Option<Arc<dyn Registration>>,
    /// Whether the platform must yet say who we are there.
    to_introduce: bool,
    /// Why it did not, as it was last said.
    unknown: String,
    /// What was said of what is left alone.
    left: Vec<String>,
}

impl Watched {
    /// A channel that was not looked at yet.
    pub fn new(channel: Channel, path: String, registration: Option<Arc<dyn Registration>>) -> Watched {
        let to_introduce = channel.platform.introduction().is_some();
        Watched { channel, path, registration, to_introduce, unknown: String::new(), left: Vec::new() }
    }
}

/// Where registrations are to point, and how often that is looked at.
#[derive(Clone, Debug)]
pub struct Course {
    pub public_url: PublicUrl,
    pub interval: Duration,
    /// Ports that we listen on, to know our own among several tunnels.
    pub ports: Vec<u16>,
}

/// What the thread has.
pub struct Registrar {
    pub channels: Vec<Watched>,
    /// Without it only the introductions are made.
    pub course: Option<Course>,
    pub fetch: Arc<Fetch>,
    pub upstreams: Arc<Upstreams>,
    /// Told what our public address is, whenever that was found out.
    pub address: Arc<Address>,
    pub keeper: Sender<Letter>,
    pub clock: fn() -> Moment,
    pub standing: Arc<Standing>,
}

/// Ends the thread when it is dropped.
#[derive(Debug)]
pub struct Stop(#[allow(dead_code, reason = "nothing is ever sent: that it is gone is the message")] SyncSender<()>);

/// Waits, and says whether to go on.
type Pause<'a> = &'a dyn Fn(Duration) -> bool;

impl Registrar {
    /// Whether there is anything to do for it.
    pub fn is_needed(&self) -> bool {
        let looks = self.course.is_some() && self.channels.iter().any(|watched| watched.registration.is_some());
        looks || self.upstreams.need_looking_after() || self.channels.iter().any(|watched| watched.to_introduce)
    }

    /// Starts the thread.
    pub fn start(mut self) -> io::Result<Stop> {
        let (stop, stopped) = sync_channel(1);
        let work = move || {
            let upstream = Arc::clone(&self.fetch);
            self.run(&*upstream, &|time| is_wanted_after(&stopped, time));
        };
        thread::Builder::new().name("registrar".to_owned()).spawn(work)?;
        Ok(Stop(stop))
    }

    fn run(&mut self, upstream: &dyn Upstream, pause: Pause<'_>) {
        let mut failures = 0;
        self.upstreams.greet();
        while self.is_needed() {
            failures = if self.look(self.rest(failures + 1), upstream, pause) { 0 } else { failures + 1 };
            if !self.is_needed() || !pause(self.rest(failures)) {
                return;
            }
        }
    }

    /// How long until the next look: less after the first failures, since what starts with us may need a moment.
    fn rest(&self, failures: u32) -> Duration {
        let interval = self.course.as_ref().map_or(REGISTRATION_INTERVAL, |course| course.interval);
        match failures {
            0 => interval,
            _ => REGISTRATION_RETRY.saturating_mul(1 << (failures - 1).min(10)).min(interval),
        }
    }

    /// One look at everything; true when all is as it should be. Otherwise the next comes after `again`.
    fn look(&mut self, again: Duration, upstream: &dyn Upstream, pause: Pause<'_>) -> bool {
        let mut well = self.introduce(again);
        // Here, since this thread looks every few minutes whether anything comes in or not, and nobody waits for it: a
        // consent that nobody uses for a month would end.
        self.upstreams.look_after();
        let Some(course) = &self.course else { return well };
        if self.channels.iter().all(|watched| watched.registration.is_none()) {
            return well;
        }
        let base = course.public_url.find(&course.ports, upstream, pause);
        if let Ok(base) = &base {
            self.address.learn(base);
        }
        for watched in &mut self.channels {
            let Some(registration) = &watched.registration else { continue };
            if !pause(Duration::ZERO) {
                return well;
            }
            let report = match &base {
                Ok(base) => registration.sync(&format!("{base}{}", watched.path), Wish::Sync, upstream),
                Err(fault) => Report::failed(fault),
            };
            well &= report.wrong.is_empty();
            for (level, line) in watched.news(report, again, (self.clock)(), &self.standing) {
                let name = &*watched.channel.name;
                log::log!(level, channel = name; "channel {name}: {line}");
            }
        }
        well
    }

    /// Asks each platform who we are there, until it has said so.
    fn introduce(&mut self, again: Duration) -> bool {
        let mut all = true;
        for watched in self.channels.iter_mut().filter(|watched| watched.to_introduce) {
            match introduce(&watched.channel, &self.fetch, self.clock) {
                Ok(write) => {
                    // The keeper is gone only when everything ends; the next start asks again.
                    write.into_iter().for_each(|write| drop(self.keeper.send(Letter::Remember(write))));
                    watched.to_introduce = false;
                }
                Err((delivery, _)) => {
                    all = false;
                    let why = why(&delivery);
                    if watched.unknown != why {
                        let (name, again) = (&*watched.channel.name, again.as_secs());
                        log::warn!(channel = name; "channel {name}: asking who we are: {why}; again in {again} s");
                        watched.unknown = why.to_owned();
                    }
                }
            }
        }
        all
    }
}

impl Watched {
    /// What is new in a report, each thing once: what is wrong may stay so for hours.
    fn news(&mut self, report: Report, again: Duration, at: Moment, standing: &Standing) -> Vec<(Level, String)> {
        let wrong = report.wrong.clone();
        let before = standing.looked(&self.channel.name, Look { at, wrong: report.wrong });
        // Later than at the first look it means that something was missing, and events with it.
        let level = if before.is_none() { Level::Info } else { Level::Warn };
        let mut news: Vec<_> = report.done.into_iter().map(|line| (level, line)).collect();
        if report.left != self.left {
            news.extend(report.left.iter().map(|line| (Level::Info, line.clone())));
            self.left = report.left;
        }
        if wrong != before.map(|look| look.wrong).unwrap_or_default() {
            if wrong.is_empty() {
                news.push((Level::Info, "its registration is as it should be again".to_owned()));
            }
            let again = again.as_secs();
            let shouted = |line| (Level::Error, format!("its registration: {line}; again in {again} s"));
            news.extend(wrong.into_iter().map(shouted));
        }
        news
    }
}

/// Whether the daemon still runs after so long.
fn is_wanted_after(stopped: &Receiver<()>, time: Duration) -> bool {
    matches!(stopped.recv_timeout(time), Err(RecvTimeoutError::Timeout))
}

fn why(delivery: &Delivery) -> &str {
    delivery.why().unwrap_or("it said nothing of us")
}

#[cfg(test)]
mod tests;
