//! What a reload changes here. It comes between two turns, so that each request is judged by one configuration; what is
//! under way on a connection goes on.

use super::{EventLoop, LISTENERS};
use crate::intake::Door;
use crate::net::listener::Listener;
use crate::net::news::{News, Setting};
use mio::Token;
use std::sync::Arc;

impl EventLoop {
    pub(super) fn take_news(&mut self) {
        while let Ok(news) = self.news.try_recv() {
            match news {
                News::Tls(tls) => {
                    for listener in self.listeners.iter_mut().filter(|listener| listener.tls.is_some()) {
                        listener.tls = Some(Arc::clone(&tls));
                    }
                }
                News::Setting(setting) => self.take_setting(*setting),
            }
        }
    }

    fn take_setting(&mut self, setting: Setting) {
        let Setting { intake, lobby, added, ended, tls, seen } = setting;
        self.intake = intake;
        self.lobby.follow(lobby);
        if self.stopping.is_none() {
            // Whoever waits at a door that is about to be closed came to an open one.
            self.accept();
            let is_ended = |listener: &Listener| {
                ended.iter().any(|(door, at)| *door == listener.door && listener.asked.as_ref() == Some(at))
            };
            self.listeners.retain(|listener| !is_ended(listener));
            self.listeners.extend(added);
            for listener in self.listeners.iter_mut().filter(|listener| listener.door == Door::Public) {
                listener.tls.clone_from(&tls);
            }
            self.register_listeners();
        }
        // Whoever waits for this may have gone.
        let _ = seen.try_send(());
    }

    /// Tokens say places in the list, which are others now.
    fn register_listeners(&mut self) {
        for (place, listener) in self.listeners.iter_mut().enumerate() {
            if let Err(error) = listener.register(self.poll.registry(), Token(LISTENERS + place)) {
                log::error!("listening on {}: {error}", listener.address());
            }
            // What came while it had no token was not told.
            listener.pending = true;
        }
    }
}
