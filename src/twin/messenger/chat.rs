//! What was said on the page, as a chat shows it, and what a tap on it does. Bounded: the oldest leave.

use crate::limits::{BUBBLES_BYTES_MAX, BUBBLES_MAX};
use crate::notation::shelf::Shelf;
use crate::twin::Bubble;

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

impl Shown {
    fn bytes(&self) -> usize {
        let Bubble { id, conversation, text, pictures, cards, choices, metadata, .. } = &self.bubble;
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let cards = cards.iter().map(|card| {
            size_of_val(card) + card.title.len() + length(&card.subtitle) + length(&card.picture) + length(&card.url)
        });
        let choices = choices.iter().map(|choice| size_of_val(choice) + choice.title.len() + length(&choice.url));
        let taps = self.taps.iter().map(|tap| match tap {
            Tap::QuickReply { text: name, payload } | Tap::Postback { title: name, payload } => {
                name.len() + payload.len()
            }
            Tap::Nothing => 0,
        });
        let texts = 2 * id.len() + conversation.len() + text.len() + length(metadata);
        let pictures: usize = pictures.iter().map(String::len).sum();
        let taps = taps.sum::<usize>() + size_of_val(&*self.taps);
        size_of::<Shown>() + texts + pictures + cards.sum::<usize>() + choices.sum::<usize>() + taps
    }
}

/// All bubbles, by the number that changes with them.
#[derive(Debug, Default)]
pub(super) struct Chat {
    shown: Shelf<u64, Box<Shown>>,
    places: Shelf<String, u64>,
    last: u64,
    bytes: usize,
}

impl Chat {
    /// Shows a bubble; one of the same id takes the place of the former.
    pub(super) fn show(&mut self, bubble: Bubble, taps: Vec<Tap>) {
        self.remove(&bubble.id);
        self.put(Shown { bubble, taps });
        while self.shown.len() > BUBBLES_MAX || self.bytes > BUBBLES_BYTES_MAX {
            let Some(oldest) = self.shown.first_key_value().map(|(_, shown)| shown.bubble.id.clone()) else { return };
            self.remove(&oldest);
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
        self.shown.get(self.places.get(id)?).map(|shown| &**shown)
    }

    fn remove(&mut self, id: &str) -> Option<Shown> {
        let shown = self.shown.remove(&self.places.remove(id)?)?;
        self.bytes = self.bytes.saturating_sub(shown.bytes());
        Some(*shown)
    }

    fn put(&mut self, mut shown: Shown) {
        self.last += 1;
        self.bytes += shown.bytes();
        shown.bubble.number = self.last;
        if shown.bubble.born == 0 {
            shown.bubble.born = self.last;
        }
        self.places.insert(shown.bubble.id.clone(), self.last);
        self.shown.insert(self.last, Box::new(shown));
    }
}
