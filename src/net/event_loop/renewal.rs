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

#[cfg(test)]
mod tests {
    use super::super::pulse::tests::watched;
    use super::*;
    use crate::intake::Intake;
    use crate::limits;
    use crate::net::Lobby;
    use crate::net::listener::Spot;
    use crate::net::tls::tests::server_config;
    use std::net::{SocketAddr, TcpStream};
    use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

    fn opened(door: Door) -> Listener {
        Listener::tcp(SocketAddr::from(([127, 0, 0, 1], 0)), door).unwrap()
    }

    /// A loop with these listeners that can be told of news.
    fn with(listeners: Vec<Listener>) -> (EventLoop, Sender<News>) {
        let (mut event_loop, ..) = watched();
        let (tell, news) = channel();
        (event_loop.listeners, event_loop.news) = (listeners, news);
        (event_loop, tell)
    }

    /// A setting that changes no listeners, and who is told when it is in force.
    fn setting() -> (Setting, Receiver<()>) {
        let (seen, told) = sync_channel(1);
        let (intake, lobby) = (Intake::new(Vec::new(), Vec::new()), Lobby::new(sync_channel(1).0));
        (Setting { intake, lobby, added: Vec::new(), ended: Vec::new(), tls: None, seen }, told)
    }

    fn addresses(event_loop: &EventLoop) -> Vec<String> {
        event_loop.listeners.iter().map(Listener::address).collect()
    }

    #[test]
    fn new_certificates_are_for_the_doors_that_speak_tls_and_others_stay_plain() {
        let (mut event_loop, tell) = with(vec![opened(Door::Public), opened(Door::Public), opened(Door::Admin)]);
        let (before, after) = (server_config(), server_config());
        event_loop.listeners[0].tls = Some(before);
        tell.send(News::Tls(Arc::clone(&after))).unwrap();
        event_loop.take_news();
        let shown = event_loop.listeners.iter().map(|listener| listener.tls.as_ref());
        assert_eq!(
            shown.map(|tls| tls.map(|tls| Arc::ptr_eq(tls, &after))).collect::<Vec<_>>(),
            [Some(true), None, None]
        );
    }

    #[test]
    fn a_setting_has_the_public_doors_speak_tls_or_no_more_and_the_operators_never() {
        let (mut event_loop, tell) = with(vec![opened(Door::Public), opened(Door::Admin)]);
        for tls in [Some(server_config()), None] {
            let (setting, told) = setting();
            let (added, speaks) = (vec![opened(Door::Public)], tls.is_some());
            tell.send(News::Setting(Box::new(Setting { tls, added, ..setting }))).unwrap();
            event_loop.take_news();
            assert_eq!(told.try_recv(), Ok(()), "it is in force");
            for listener in &event_loop.listeners {
                assert_eq!(listener.tls.is_some(), speaks && listener.door == Door::Public, "{listener:?}");
            }
        }
        assert_eq!(event_loop.listeners.len(), 4, "each brought one");
    }

    #[test]
    fn a_door_is_closed_by_its_kind_and_address_and_whoever_waits_at_it_came_to_an_open_one() {
        let (mut event_loop, tell) = with(vec![opened(Door::Public), opened(Door::Admin), opened(Door::Public)]);
        let [closed, others @ ..] = &*addresses(&event_loop) else { panic!("three of them") };
        let spot = Spot::Tcp(closed.parse().unwrap());
        event_loop.listeners.iter_mut().for_each(|listener| listener.asked = Some(spot.clone()));
        event_loop.listeners[2].asked = Some(Spot::Tcp(others[1].parse().unwrap()));
        event_loop.listeners[0].pending = true;
        let _waits = TcpStream::connect(closed).unwrap();
        let (setting, _told) = setting();
        tell.send(News::Setting(Box::new(Setting { ended: vec![(Door::Public, spot)], ..setting }))).unwrap();
        event_loop.take_news();
        assert_eq!((event_loop.peers.count(), addresses(&event_loop)), (1, others.to_vec()));
        assert!(event_loop.listeners.iter().all(|listener| listener.pending), "somebody may have come untold");
    }

    #[test]
    fn the_poll_tells_of_whoever_comes_to_a_door_by_the_place_it_has_now() {
        let (mut event_loop, tell) = with(vec![opened(Door::Admin)]);
        event_loop.listeners[0].asked = Some(Spot::Tcp(addresses(&event_loop)[0].parse().unwrap()));
        let ended = vec![(Door::Admin, event_loop.listeners[0].asked.clone().unwrap())];
        let (first, _told) = setting();
        tell.send(News::Setting(Box::new(Setting { added: vec![opened(Door::Public)], ..first }))).unwrap();
        let (second, _told) = setting();
        tell.send(News::Setting(Box::new(Setting { ended, ..second }))).unwrap();
        event_loop.take_news();
        let _comes = TcpStream::connect(&addresses(&event_loop)[0]).unwrap();
        let mut events = mio::Events::with_capacity(8);
        event_loop.poll.poll(&mut events, Some(limits::IDLE_TIME)).unwrap();
        assert_eq!(events.iter().map(mio::event::Event::token).collect::<Vec<_>>(), [Token(LISTENERS)]);
    }

    #[test]
    fn who_is_stopping_opens_no_door_and_says_so_to_whoever_waits() {
        let (mut event_loop, tell) = with(vec![opened(Door::Public)]);
        event_loop.stop();
        let (setting, told) = setting();
        tell.send(News::Setting(Box::new(Setting { added: vec![opened(Door::Public)], ..setting }))).unwrap();
        event_loop.take_news();
        assert_eq!((event_loop.listeners.len(), told.try_recv()), (0, Ok(())));
    }
}
