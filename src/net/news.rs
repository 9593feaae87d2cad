//! What other threads tell the loop besides receipts: that from now on something is otherwise.

use super::Lobby;
use super::listener::{Listener, Spot};
use crate::intake::{Door, Intake};
use mio::Waker;
use rustls::ServerConfig;
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender};

/// What is otherwise from now on.
pub enum News {
    /// The public listeners speak TLS by this.
    Tls(Arc<ServerConfig>),
    /// The configuration was read again.
    Setting(Box<Setting>),
}

/// What a configuration changes for the loop. Connections that are there stay.
pub struct Setting {
    pub intake: Intake,
    pub lobby: Lobby,
    /// Listeners that were not there before.
    pub added: Vec<Listener>,
    /// Those that are not wanted any more, by their doors and addresses.
    pub ended: Vec<(Door, Spot)>,
    /// What it takes to speak TLS at the public listeners; nothing where they are plain.
    pub tls: Option<Arc<ServerConfig>>,
    /// Told when all of it is in force.
    pub seen: SyncSender<()>,
}

/// A way to tell the loop.
#[derive(Clone, Debug)]
pub struct Announcer {
    pub news: Sender<News>,
    pub waker: Arc<Waker>,
}

impl Announcer {
    /// Told in this order; a loop that has ended needs no news.
    pub fn tell(&self, news: News) {
        if self.news.send(news).is_ok()
            && let Err(error) = self.waker.wake()
        {
            log::error!("waking the loop: {error}");
        }
    }
}
