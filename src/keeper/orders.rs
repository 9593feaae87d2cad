//! What the operator asks for.

use super::{Line, TOKENS};
use crate::model::{EventId, EventKey, MemoryWrite, Moment, Order};
use crate::store::{Replayed, Store, StoreError};

/// Carries out what the operator asked; a line for each thing that was named.
pub fn carry_out(store: &mut dyn Store, order: &Order, lines: &[Line], now: Moment) -> Result<Vec<String>, StoreError> {
    let name = |event: EventKey, part: Option<u32>| {
        let channel = lines.iter().find(|line| line.number == event.channel());
        let channel = channel.map_or_else(|| event.channel().0.to_string(), |line| line.name.clone());
        EventId { channel, place: event.place(), part }.to_string()
    };
    match order {
        // Said again when an answer was lost, it is kept all the same.
        Order::Send { channel, id, replies } => {
            let event = store.push(*channel, id, replies, now)?;
            Ok(vec![format!("{} kept", name(event, None))])
        }
        Order::Login { upstream, tokens } => {
            let value = Some(tokens.expose().as_bytes().to_vec());
            store.remember(&MemoryWrite { bot: TOKENS.to_owned(), key: upstream.clone(), value, expires: None })?;
            Ok(vec![format!("upstream {upstream}: logged in")])
        }
        Order::Replay { events } => events
            .iter()
            .map(|(event, part)| {
                let name = name(*event, *part);
                Ok(match store.replay(*event, *part, now)? {
                    Replayed::PutBack => format!("{name} put back"),
                    Replayed::Left(why) => format!("{name} left alone: {why}"),
                })
            })
            .collect(),
    }
}
