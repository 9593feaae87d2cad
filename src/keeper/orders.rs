//! What the operator asks for.

use super::{Keeper, Line, Plan, Receipt, Tray};
use crate::model::{EventId, EventKey, MemoryWrite, Moment, Order};
use crate::store::{Replayed, Store, StoreError};

/// What is said to an order to remember something, when it is.
pub const KEPT: &str = "kept";

impl Keeper<'_> {
    /// Carries out all that was asked.
    pub(super) fn obey(&mut self, tray: &Tray, plan: &mut Plan, now: Moment) -> Result<(), StoreError> {
        for (ticket, order) in &tray.orders {
            let lines = carry_out(self.store, order, &self.lines, now)?;
            plan.receipts.push((*ticket, Receipt::Done(lines)));
        }
        for (order, _) in &tray.decisions {
            plan.decided.push(carry_out(self.store, order, &self.lines, now)?);
        }
        Ok(())
    }
}

impl Tray {
    /// What was decided is durable. Whoever went away meanwhile sees it in the store.
    pub(super) fn tell_decided(&mut self, decided: Vec<Vec<String>>) {
        for ((_, answer), lines) in self.decisions.drain(..).zip(decided) {
            let _ = answer.try_send(lines);
        }
    }
}

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
        Order::Remember { bot, key, value, expires } => {
            let value = Some(value.expose().as_bytes().to_vec());
            let write = MemoryWrite { bot: bot.clone(), key: key.clone(), value, expires: *expires };
            store.remember(&write)?;
            // A store leaves new keys of a bot out that remembers too much.
            let kept = store.recall(bot, key, now)? == write.value;
            Ok(vec![if kept { KEPT.to_owned() } else { format!("{bot} remembers as much as it may already") }])
        }
        Order::Replay { events } => events
            .iter()
            .map(|(event, part)| Ok(became(&name(*event, *part), store.replay(*event, *part, now)?)))
            .collect(),
        Order::Resolve { events } => {
            events.iter().map(|event| Ok(became(&name(*event, None), store.resolve(*event, now)?))).collect()
        }
    }
}

/// What became of an event that was named.
fn became(name: &str, done: Replayed) -> String {
    match done {
        Replayed::PutBack => format!("{name} put back"),
        Replayed::Resolved => format!("{name} resolved"),
        Replayed::Left(why) => format!("{name} left alone: {why}"),
    }
}
