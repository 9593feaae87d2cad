//! Messenger. A placeholder with the shape that `config` builds; the adapter itself comes from its own branch.

use super::{Kept, Platform, Reading, Unsayable};
use crate::model::{Delivery, Event, Head, Moment, OutboundRequest, Outcome, Refusal, Reply, Request, Secret};

/// What a channel's table says.
pub struct Settings {
    pub verify_token: Secret,
    pub app_secrets: Vec<Secret>,
    pub access_token: Secret,
    pub api: String,
    pub appsecret_proof: bool,
    pub token_in_query: bool,
}

/// One Messenger page.
pub struct Messenger {
    _settings: Settings,
}

impl Messenger {
    pub fn new(settings: Settings) -> Messenger {
        Messenger { _settings: settings }
    }
}

impl Platform for Messenger {
    fn name(&self) -> &'static str {
        "messenger"
    }
    fn gate(&self, _head: &Head) -> Result<(), Refusal> {
        Err(Refusal::new(501, "not written yet"))
    }
    fn read(&self, _request: &Request) -> Result<Reading, Refusal> {
        Err(Refusal::new(501, "not written yet"))
    }
    fn recall(&self, _kept: &Kept<'_>) -> Result<Event, String> {
        Err("not written yet".to_owned())
    }
    fn fit(&self, _reply: Reply) -> Result<Vec<Reply>, Unsayable> {
        Err(Unsayable("not written yet".to_owned()))
    }
    fn write(&self, _reply: &Reply, _tag: &str) -> Result<OutboundRequest, Unsayable> {
        Err(Unsayable("not written yet".to_owned()))
    }
    fn judge(&self, _outcome: &Outcome, _attempt: u32, _now: Moment) -> Delivery {
        Delivery::Dead { why: "not written yet".to_owned() }
    }
}
