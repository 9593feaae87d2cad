//! What other threads tell the loop besides receipts: that from now on something is otherwise.

use mio::Waker;
use rustls::ServerConfig;
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// What is otherwise from now on.
#[derive(Debug)]
pub enum News {
    /// The public listeners speak TLS by this.
    Tls(Arc<ServerConfig>),
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
