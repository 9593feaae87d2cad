//! What the operator decides on events that ended dead or unknown.

use super::{Fault, Wish};
use crate::model::visit::parameter;
use crate::model::{ChannelNumber, Order, Refusal, named_events};

/// The order that a form comes to. `channel` gives the number of a channel that is served.
pub fn order(wish: Wish, form: &[u8], channel: &dyn Fn(&str) -> Option<ChannelNumber>) -> Result<Order, Fault> {
    let form = String::from_utf8_lossy(form);
    let ids = parameter(&form, "ids").unwrap_or_default();
    let names: Vec<_> = ids.split_whitespace().collect();
    if names.is_empty() {
        return Err(Fault { status: 400, why: "no event was named".to_owned() });
    }
    let unknown = |name: &str| Refusal::new(404, format!("there is no channel {name:?}"));
    let events = named_events(&names, &|name| channel(name).ok_or_else(|| unknown(name)));
    let order = events.and_then(|events| match wish {
        Wish::Resolve => Order::resolve(events),
        _ => Ok(Order::Replay { events }),
    });
    order.map_err(|Refusal { status, why, .. }| Fault { status, why: why.into_owned() })
}
