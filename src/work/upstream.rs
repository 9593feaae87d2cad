//! Calls of bots to the upstreams that the configuration names: papers, payment, one GET.
//!
//!     path ──▶ tokens ──▶ Pay ──▶ GET ──▶ the answer, whatever its status
//!                           └ 401: tokens renewed once, paid again, GET once more ┘
//!
//! Tokens come before the payment, so that nothing is paid while there are none. A payment whose call then fails stays
//! paid: the upstream may have counted it.

#[cfg(test)]
mod tests;

use super::facebook::Custody;
use super::fetch::Fetch;
use super::vault::{Means, Vault};
use crate::bot::CallFault;
use crate::keeper::Letter;
use crate::limits;
use crate::meter::Meter;
use crate::model::{Answer, EventKey, Left, Lesson, Moment, OutboundRequest, Outcome, Secret, Upstream};
use crate::notation::shelf::Shelf;
use crate::queue::budget::misfit;
use std::sync::Arc;
use std::sync::mpsc::{Sender, sync_channel};

/// All upstreams, and what is needed to ask them.
pub struct Upstreams {
    by_name: Shelf<String, Arc<Known>>,
    meter: Arc<Meter>,
    fetch: Arc<Fetch>,
    keeper: Sender<Letter>,
    clock: fn() -> Moment,
}

/// One of them.
struct Known {
    upstream: Upstream,
    /// Where it wants OAuth.
    vault: Option<Vault>,
    /// Where somebody logs in at Facebook.
    custody: Option<Custody>,
}

impl Known {
    fn new(upstream: &Upstream) -> Known {
        let vault = upstream.oauth().cloned().map(|oauth| Vault::new(&upstream.name, oauth));
        let custody = upstream.facebook().cloned();
        let custody = custody.map(|facebook| Custody::new(&upstream.name, &upstream.api, facebook));
        Known { upstream: upstream.clone(), vault, custody }
    }
}

impl Upstreams {
    /// These upstreams, asked with these means.
    pub fn new(upstreams: &[Upstream], fetch: Arc<Fetch>, keeper: Sender<Letter>, clock: fn() -> Moment) -> Upstreams {
        let known = |upstream: &Upstream| (upstream.name.clone(), Arc::new(Known::new(upstream)));
        let by_name = upstreams.iter().map(known).collect();
        Upstreams { by_name, meter: Arc::default(), fetch, keeper, clock }
    }

    /// What a reload makes of them. One that stays as it is goes on as it is: two that renew the same tokens would lock us
    /// out. The others of before are to be closed before these are used.
    #[must_use]
    pub fn anew(&self, upstreams: &[Upstream]) -> Upstreams {
        let known = |upstream: &Upstream| {
            let before = self.by_name.get(&upstream.name).filter(|known| known.upstream == *upstream);
            (upstream.name.clone(), before.map_or_else(|| Arc::new(Known::new(upstream)), Arc::clone))
        };
        let by_name = upstreams.iter().map(known).collect();
        let (meter, fetch) = (Arc::clone(&self.meter), Arc::clone(&self.fetch));
        // From now on they are told of, also while nobody asks them.
        upstreams.iter().for_each(|upstream| drop(meter.calls(&upstream.name)));
        Upstreams { by_name, meter, fetch, keeper: self.keeper.clone(), clock: self.clock }
    }

    /// Where their calls are counted, also over reloads.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Closes those that do not go on in `next`.
    pub fn close_for(&self, next: &Upstreams) {
        let goes_on = |known: &Arc<Known>| next.by_name.values().any(|next| Arc::ptr_eq(next, known));
        let ended = self.by_name.values().filter(|known| !goes_on(known));
        ended.filter_map(|known| known.vault.as_ref()).for_each(Vault::close);
    }

    /// Asks one for `path`, within its budget and with its papers. The first call may be paid already; others are paid
    /// by `payer`.
    pub fn get(&self, name: &str, path: &str, payer: Option<EventKey>, is_paid: bool) -> Result<Answer, CallFault> {
        let known = self.known(name).map_err(|why| CallFault::Failed { why })?;
        check(path).map_err(|why| CallFault::Failed { why: format!("upstream {name}: {why}") })?;
        if let Some(custody) = &known.custody {
            let token = custody.token(path, self.means())?;
            let papers = Some(custody.query(&token));
            let upstream = Upstream { key: papers, ..known.upstream.clone() };
            let answer = self.call(&upstream, path, None, (payer, is_paid))?;
            return custody.judge(answer, &token, self.means());
        }
        let Some(vault) = &known.vault else { return self.call(&known.upstream, path, None, (payer, is_paid)) };
        let access = vault.access(self.means())?;
        let answer = self.call(&known.upstream, path, Some(&access), (payer, is_paid))?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let another = vault.another(&access, self.means())?;
        let answer = self.call(&known.upstream, path, Some(&another), (payer, false))?;
        if answer.status != 401 {
            return Ok(answer);
        }
        Err(vault.in_vain(&another, (self.clock)()))
    }

    /// What is left of one's limits, the shortest period first.
    pub fn left(&self, name: &str) -> Result<Vec<Left>, String> {
        self.known(name)?;
        let (answer, left) = sync_channel(1);
        // The keeper is gone only when everything ends.
        let _ = self.keeper.send(Letter::Left { upstream: name.to_owned(), answer });
        left.recv().map_err(|_| "ackd is stopping".to_owned())
    }

    /// Takes in what one said of its limits.
    pub fn learn(&self, name: &str, lesson: Lesson) -> Result<(), String> {
        self.known(name)?;
        let _ = self.keeper.send(Letter::Learn { upstream: name.to_owned(), lesson });
        Ok(())
    }

    /// Whether one has a consent that ends when it is not used.
    pub fn need_looking_after(&self) -> bool {
        self.by_name.values().any(|known| known.vault.is_some() || known.custody.is_some())
    }

    /// Whether somebody may log in on a page of ours.
    pub(super) fn have_logins(&self) -> bool {
        self.by_name.values().any(|known| known.custody.is_some())
    }

    /// The consent that a login on a page of ours brings.
    pub(super) fn custody(&self, name: &str) -> Option<&Custody> {
        self.by_name.get(name)?.custody.as_ref()
    }

    /// When somebody last logged in at one on a page of ours.
    pub fn given(&self, name: &str) -> Result<Option<Moment>, CallFault> {
        let Some(custody) = self.custody(name) else { return Ok(None) };
        Ok(custody.stored(self.means())?.map(|consent| consent.given()))
    }

    /// Tells the operator, once when all begins, where nobody has logged in yet; says how many those are.
    pub fn greet(&self) -> usize {
        let lacks = |known: &&Arc<Known>| {
            let vault = known.vault.as_ref().and_then(|vault| vault.unmet(self.means()));
            let custody = known.custody.as_ref().and_then(|custody| custody.unmet(self.means()));
            vault.or(custody).inspect(|why| log::warn!("{why}")).is_some()
        };
        self.by_name.values().filter(lacks).count()
    }

    /// Renews what would end unused. Cheap where there is nothing to do; otherwise it may wait for the network.
    pub fn look_after(&self) {
        for vault in self.by_name.values().filter_map(|known| known.vault.as_ref()) {
            vault.look_after(self.means());
        }
        for custody in self.by_name.values().filter_map(|known| known.custody.as_ref()) {
            custody.look_after(self.means());
        }
    }

    /// No tokens are renewed from now on, and those that came just now are kept: before the keeper ends.
    pub fn close(&self) {
        for vault in self.by_name.values().filter_map(|known| known.vault.as_ref()) {
            vault.close();
        }
    }

    /// Takes back that some were closed.
    pub fn open_again(&self) {
        self.by_name.values().filter_map(|known| known.vault.as_ref()).for_each(Vault::open_again);
    }

    fn known(&self, name: &str) -> Result<&Known, String> {
        self.by_name
            .get(name)
            .map(Arc::as_ref)
            .ok_or_else(|| format!("there is no upstream {name:?} in the configuration"))
    }

    pub(super) fn means(&self) -> Means<'_> {
        Means { fetch: &self.fetch, keeper: &self.keeper, clock: self.clock }
    }

    /// One call that is paid for.
    fn call(
        &self,
        upstream: &Upstream,
        path: &str,
        bearer: Option<&Secret>,
        (payer, is_paid): (Option<EventKey>, bool),
    ) -> Result<Answer, CallFault> {
        if !is_paid {
            self.pay(&upstream.name, payer, 1)?;
        }
        let request = OutboundRequest {
            bearer: bearer.cloned(),
            secret_query: upstream.key.clone(),
            headers: vec![("Accept", "application/json".to_owned())],
            ..OutboundRequest::get(format!("{}{path}", upstream.api))
        };
        let counted = self.meter.calls(&upstream.name);
        match self.fetch.call(&request) {
            Outcome::Answered(answer) => {
                counted.note(Some(answer.status));
                Ok(answer)
            }
            Outcome::Failed(fault) => {
                counted.note(None);
                Err(CallFault::Failed { why: format!("upstream {}: {}", upstream.name, fault.why) })
            }
        }
    }

    /// Pays for so many calls of one, all or none.
    pub fn pay(&self, name: &str, payer: Option<EventKey>, calls: u32) -> Result<(), CallFault> {
        let known = self.known(name).map_err(|why| CallFault::Failed { why })?;
        if let Some(why) = misfit(calls, &known.upstream.limits) {
            return Err(CallFault::Never { why: format!("upstream {name}: {why}") });
        }
        let (answer, paid) = sync_channel(1);
        let _ = self.keeper.send(Letter::Pay { upstream: name.to_owned(), payer, calls, answer });
        match paid.recv() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refused)) => {
                let why = format!("upstream {name}: {}", refused.why);
                Err(CallFault::NotBefore { moment: refused.moment, why })
            }
            Err(_) => Err(CallFault::Failed { why: "ackd is stopping".to_owned() }),
        }
    }
}

/// What is wrong with a path. A bot may have put somebody's words into it.
fn check(path: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte);
    if !path.starts_with('/') {
        return Err("a path must begin with a slash".to_owned());
    }
    if path.len() > limits::CALL_PATH_BYTES_MAX {
        return Err(format!("a path must not be longer than {} bytes", limits::CALL_PATH_BYTES_MAX));
    }
    let way = path.split('?').next().unwrap_or_default();
    if !path.bytes().all(fits) || way.split('/').any(|step| step == "..") {
        return Err("a path holds what must be written with percent signs".to_owned());
    }
    Ok(())
}
