//! What the operator decides on events that ended dead or unknown.

use super::{Fault, Wish};
use crate::limits;
use crate::model::visit::parameter;
use crate::model::{ChannelNumber, EventId, EventKey, Order};

/// The order that a form comes to. `channel` gives the number of a channel that is served.
pub fn order(wish: Wish, form: &[u8], channel: &dyn Fn(&str) -> Option<ChannelNumber>) -> Result<Order, Fault> {
    let form = String::from_utf8_lossy(form);
    let ids = parameter(&form, "ids").unwrap_or_default();
    let mut events = Vec::new();
    for name in ids.split_whitespace() {
        let fault = |status, why| Fault { status, why };
        if events.len() == limits::REPLAY_EVENTS_MAX {
            return Err(fault(413, format!("more than {} events at once", limits::REPLAY_EVENTS_MAX)));
        }
        let id: EventId = name.parse().map_err(|why| fault(400, why))?;
        let number = channel(&id.channel).ok_or_else(|| fault(404, format!("there is no channel {:?}", id.channel)))?;
        events.push((EventKey::new(number, id.place), id.part));
    }
    if events.is_empty() {
        return Err(Fault { status: 400, why: "no event was named".to_owned() });
    }
    Ok(match wish {
        Wish::Resolve => Order::Resolve { events: events.into_iter().map(|(event, _)| event).collect() },
        _ => Order::Replay { events },
    })
}
