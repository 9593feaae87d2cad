//! The threads of the workers.

use super::address::Address;
use super::fetch::Fetch;
use super::upstream::Upstreams;
use super::{Channels, hear, send};
use crate::keeper::Letter;
use crate::model::{Lease, Moment, Settlement, Work};
use crate::queue::pace::Effect;
use crate::store::ALARM;
use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

/// What every worker has.
#[derive(Clone)]
pub struct Tools {
    pub channels: Arc<Channels>,
    pub keeper: Sender<Letter>,
    pub fetch: Arc<Fetch>,
    pub upstreams: Arc<Upstreams>,
    /// Where the world reaches us.
    pub address: Arc<Address>,
    /// The store's identity, for the tags of replies.
    pub identity: String,
    pub clock: fn() -> Moment,
    /// 64 random bits.
    pub chance: fn() -> u64,
}

/// What workers use now. A reload puts other tools in their place; whoever has begun a job ends it with those of then.
pub struct Current(RwLock<Arc<Tools>>);

impl Current {
    /// These, to begin with.
    pub fn new(tools: Tools) -> Current {
        Current(RwLock::new(Arc::new(tools)))
    }

    /// Those of now.
    pub fn get(&self) -> Arc<Tools> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on these; gives those of before.
    pub fn put(&self, tools: Arc<Tools>) -> Arc<Tools> {
        std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), tools)
    }
}

/// Where each worker takes its leases, and its thread.
type Workers = (Vec<SyncSender<Lease>>, Vec<JoinHandle<()>>);

/// Starts `count` workers. Each ends when its sender is dropped.
pub fn start(count: usize, tools: &Arc<Current>) -> io::Result<Workers> {
    let mut senders = Vec::with_capacity(count);
    let mut threads = Vec::with_capacity(count);
    for worker in 0..count {
        // Room for one lease: the keeper gives a worker one only when it has none.
        let (sender, leases) = sync_channel(1);
        let tools = Arc::clone(tools);
        let thread = thread::Builder::new().name(format!("worker {worker}"));
        threads.push(thread.spawn(move || work(worker, &leases, &tools))?);
        senders.push(sender);
    }
    Ok((senders, threads))
}

fn work(worker: usize, leases: &Receiver<Lease>, current: &Current) {
    for lease in leases {
        let tools = current.get();
        let (settlement, effect) = settle(&lease, &tools);
        let letter = Letter::Settled { worker, settlement, effect };
        if tools.keeper.send(letter).is_err() {
            return; // The keeper has ended; after a restart the job is handed out again.
        }
    }
}

fn settle(lease: &Lease, tools: &Tools) -> (Settlement, Effect) {
    let (event, lane) = (lease.event, lease.lane);
    let Some(channel) = tools.channels.get(&event.channel()) else {
        let why = "its channel is no longer in the configuration".to_owned();
        return (Settlement::HearDead { event, lane, why }, Effect::None);
    };
    match &lease.work {
        Work::Hear { conversation, kind, received, since, raw, attempt, stage } => {
            let (received, since, attempt, stage) = (*received, *since, *attempt, stage.as_ref());
            let hearing = hear::Hearing { event, lane, conversation, received, since, raw, attempt, stage };
            if kind == ALARM { hearing.ring(channel, tools) } else { hearing.run(channel, tools) }
        }
        Work::Send { part, reply, attempt, made, heard } => {
            let send = send::Send { event, lane, part: *part, reply, attempt: *attempt, made: *made, heard: *heard };
            send.run(channel, tools)
        }
    }
}
