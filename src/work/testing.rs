//! A worker's tools, and channels to use them on, for the tests of this room.

use super::Channel;
use super::fetch::Fetch;
use super::pool::Tools;
use super::upstream::Upstreams;
use crate::bot::echo::Echo;
use crate::keeper::Letter;
use crate::model::{Moment, Secret, Upstream};
use crate::platform::{Outside, Platform, messenger, webex};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

/// Tools with these upstreams; what a worker writes to the keeper comes out beside them.
pub fn tools(upstreams: &[Upstream], clock: fn() -> Moment) -> (Tools, Receiver<Letter>) {
    let (keeper, letters) = channel();
    let (channels, fetch, address) = (Arc::default(), Arc::<Fetch>::default(), Arc::default());
    let upstreams = Arc::new(Upstreams::new(upstreams, Arc::clone(&fetch), keeper.clone(), clock));
    let identity = String::new();
    (Tools { channels, keeper, fetch, upstreams, address, identity, clock, chance: || 0 }, letters)
}

/// A page of Messenger with an echo bot.
pub fn page() -> Channel {
    let demo = || Secret::new("demo-demo");
    known("page", Arc::new(messenger::Messenger::new(messenger::Settings::new(demo(), vec![demo()], demo()))))
}

/// A Webex bot's channel with the same; `api` where it is not the true one.
pub fn space(api: Option<&str>) -> Channel {
    let mut settings = webex::Settings::new(Secret::new("demo-demo"), Vec::new());
    settings.api = api.map_or(settings.api, str::to_owned);
    known("space", Arc::new(webex::Webex::new(settings)))
}

fn known(name: &str, platform: Arc<dyn Platform>) -> Channel {
    let (name, bot_name) = (name.to_owned(), "echo".to_owned());
    Channel { name, platform, bot: Arc::new(Echo::new("")), bot_name, outside: Outside::Hold }
}
