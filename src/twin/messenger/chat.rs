//! What was said on the page, as a chat shows it, and what a tap on it does. Bounded: the oldest leave.

use crate::limits::BUBBLES_MAX;
use crate::twin::Bubble;
use std::collections::{BTreeMap, HashMap};

/// What a tap tells the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tap {
    QuickReply {
        text: String,
        payload: String,
    },
    Postback {
        title: String,
        payload: String,
    },
    /// It opens a page, or something else that no event tells of.
    Nothing,
}

#[derive(Clone, Debug)]
struct Shown {
    bubble: Bubble,
    taps: Vec<Tap>,
}

/// All bubbles, by the number that changes with them.
#[derive(Debug, Default)]
pub(super) struct Chat {
    shown: BTreeMap<u64, Shown>,
    places: HashMap<String, u64>,
    last: u64,
}

impl Chat {
    /// Shows a bubble; one of the same id takes the place of the former.
    pub(super) fn show(&mut self, bubble: Bubble, taps: Vec<Tap>) {
        self.remove(&bubble.id);
        self.put(Shown { bubble, taps });
        while self.shown.len() > BUBBLES_MAX {
            let Some((_, oldest)) = self.shown.pop_first() else { return };
            self.places.remove(&oldest.bubble.id);
        }
    }

    /// Changes a bubble, if it is still there, and so gives it a new number.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Bubble)) {
        if let Some(mut shown) = self.remove(id) {
            change(&mut shown.bubble);
            self.put(shown);
        }
    }

    /// Whether there is such a message in this conversation.
    pub(super) fn has(&self, conversation: &str, id: &str) -> bool {
        self.find(id).is_some_and(|shown| shown.bubble.conversation == conversation && shown.bubble.sign.is_none())
    }

    /// What choice `choice` of a bubble does.
    pub(super) fn tap(&self, conversation: &str, id: &str, choice: usize) -> Option<Tap> {
        let shown = self.find(id).filter(|shown| shown.bubble.conversation == conversation)?;
        shown.taps.get(choice).cloned()
    }

    /// Takes away what can be tapped only once.
    pub(super) fn use_up(&mut self, id: &str) {
        let Some(mut shown) = self.remove(id) else { return };
        let Shown { bubble, taps } = &mut shown;
        let stays: Vec<bool> = bubble.choices.iter().map(|choice| !choice.once).collect();
        let place = |old: usize| stays.iter().take(old).filter(|stays| **stays).count();
        for card in &mut bubble.cards {
            card.choices = place(card.choices.start)..place(card.choices.end);
        }
        bubble.choices.retain(|choice| !choice.once);
        let mut each = stays.iter();
        taps.retain(|_| each.next().copied().unwrap_or(true));
        self.put(shown);
    }

    /// Forgets a bubble.
    pub(super) fn forget(&mut self, id: &str) {
        self.remove(id);
    }

    /// What is newer than `after`, in order.
    pub(super) fn since(&self, after: u64) -> Vec<Bubble> {
        self.shown.range(after.saturating_add(1)..).map(|(_, shown)| shown.bubble.clone()).collect()
    }

    fn find(&self, id: &str) -> Option<&Shown> {
        self.shown.get(self.places.get(id)?)
    }

    fn remove(&mut self, id: &str) -> Option<Shown> {
        self.shown.remove(&self.places.remove(id)?)
    }

    fn put(&mut self, mut shown: Shown) {
        self.last += 1;
        shown.bubble.number = self.last;
        self.places.insert(shown.bubble.id.clone(), self.last);
        self.shown.insert(self.last, shown);
    }
}
