//! What the world calls this daemon: an address that the operator wrote, or the one that the ngrok agent has.

use super::{RegistryFault, Upstream, ngrok};
use std::time::Duration;

/// Where the world reaches us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicUrl {
    /// Without a slash at its end, so that a channel's path can be appended.
    Fixed(String),
    /// Whatever the agent with this API address says.
    Ngrok { agent: String },
}

impl PublicUrl {
    /// The address itself. `ports` are those that we listen on; `pause` waits, and says whether to go on.
    pub fn find(
        &self,
        ports: &[u16],
        upstream: &dyn Upstream,
        pause: &dyn Fn(Duration) -> bool,
    ) -> Result<String, RegistryFault> {
        match self {
            PublicUrl::Fixed(url) => Ok(url.clone()),
            PublicUrl::Ngrok { agent } => ngrok::public_url(agent, ports, upstream, pause),
        }
    }
}
