//! What happened on a channel: as it arrives, and as a bot sees it.

use super::time::Moment;
use crate::limits::QUOTED_CHARS_MAX;
use crate::notation::shelf::Shelf;
use std::fmt;
use std::str::FromStr;

/// A channel's number in the store. Names may come and go; a number is given once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber(pub u16);

/// An event's key in the store: the channel's number above, its place in that channel's order of arrival below.
/// So the events of one channel lie together, in order, and a new one is always the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(pub i64);

impl EventKey {
    const PLACE_BITS: u32 = 44;

    /// The places that a channel has; a larger number would name an event of another channel.
    pub const PLACES: std::ops::Range<i64> = 1..1 << Self::PLACE_BITS;

    /// The key of place `place` (from 1) on `channel`.
    pub fn new(channel: ChannelNumber, place: i64) -> EventKey {
        EventKey((i64::from(channel.0) << Self::PLACE_BITS) | place)
    }

    /// The key before the first event of `channel`.
    pub fn before_first(channel: ChannelNumber) -> EventKey {
        EventKey::new(channel, 0)
    }

    /// A key after the last possible event of `channel`.
    pub fn after_last(channel: ChannelNumber) -> EventKey {
        EventKey((i64::from(channel.0) + 1) << Self::PLACE_BITS)
    }

    /// The channel's number.
    pub fn channel(self) -> ChannelNumber {
        ChannelNumber((self.0 >> Self::PLACE_BITS) as u16)
    }

    /// The place in the channel's order of arrival, from 1.
    pub fn place(self) -> i64 {
        self.0 & ((1 << Self::PLACE_BITS) - 1)
    }
}

/// How people name an event: the channel's name and the event's place, as in `page-17`; and with a part, one
/// of its replies, as in `page-17.2`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    pub channel: String,
    pub place: i64,
    pub part: Option<u32>,
}

impl fmt::Display for EventId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.channel, self.place)?;
        self.part.map_or(Ok(()), |part| write!(out, ".{part}"))
    }
}

impl FromStr for EventId {
    type Err = String;

    fn from_str(text: &str) -> Result<EventId, String> {
        let wrong = || {
            let cut = text.char_indices().nth(QUOTED_CHARS_MAX).map(|(at, _)| at);
            let (shown, more) = cut.and_then(|at| text.get(..at)).map_or((text, ""), |start| (start, "…"));
            format!("{shown:?}{more} is no event's name; write for example page-17 or page-17.1")
        };
        let (channel, rest) = text.rsplit_once('-').filter(|(channel, _)| !channel.is_empty()).ok_or_else(wrong)?;
        let (place, part) = rest.split_once('.').map_or((rest, None), |(place, part)| (place, Some(part)));
        let place = place.parse::<i64>().ok().filter(|place| EventKey::PLACES.contains(place)).ok_or_else(wrong)?;
        let part = part.map(|part| part.parse::<u32>().map_err(|_| wrong())).transpose()?;
        Ok(EventId { channel: channel.to_owned(), place, part })
    }
}

/// What shall become of an event that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The channel's bot shall hear it.
    Hear,
    /// Kept and shown, never answered; the reason in words, as in `an echo of our own message`.
    Ignore(&'static str),
    /// A message of ours, of which only the platform has the text. It is looked at while a reply of its conversation is
    /// unknown, which it may prove to be delivered; otherwise it is ignored.
    Witness,
}

/// One event as a platform read it out of a request, ready to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// What makes it the same event when it is delivered again: the platform's id, or what stands in for one.
    pub id: String,
    /// Whose turn it is: events of one conversation are handled one after another. Also where a reply goes.
    pub conversation: String,
    /// The kind in the platform's own word: `message`, `postback`, `delivery` …
    pub kind: &'static str,
    pub fate: Fate,
    /// The event's bytes as they came. The platform reads them again when the bot's turn comes.
    pub raw: Box<[u8]>,
    /// The tag of a reply of ours that this event proves to have been delivered (an echo's metadata).
    pub proves: Option<String>,
}

/// An event as a bot sees it; the same on every platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    /// Person or room, in the platform's own id.
    pub conversation: String,
    /// Who did it, in the platform's own id; the conversation itself where a conversation is one person.
    pub person: String,
    /// The thread that an answer belongs into, where the platform has threads; the worker sees to it.
    pub thread: Option<String>,
    /// When it happened, as the platform says; when it says nothing, when it arrived.
    pub happened: Moment,
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Somebody wrote: text, attachments, or both, or neither (content that the platform does not pass on).
    Message { text: Option<String>, attachments: Vec<Attachment>, choice: Option<String> },
    /// A button or menu entry was tapped; `payload` is what the bot once put behind it.
    Postback { title: Option<String>, payload: Option<String>, referral: Option<String> },
    /// Somebody came by a link or an advertisement.
    Referral { referral: Option<String> },
    /// Somebody filled in a card and sent it off; a value that is no text is here as JSON.
    Submitted { inputs: Shelf<String, String> },
    /// The bot was taken into this conversation.
    Joined,
    /// Somebody agreed to, or stopped, being written to.
    OptIn { topic: Option<String>, stopped: bool },
    /// An alarm of this conversation rang: see `alarm.rs`. `due` is the time for which it rang.
    Alarm { name: String, note: String, due: Moment },
    /// A kind that only some bots care about, by its platform's word.
    Other { kind: String },
}

impl EventKind {
    /// What somebody says by it, as words for a bot: what was tapped stands for what was meant by it, and comes before what
    /// was written. Empty where somebody turned to us without words; `None` for what is not said.
    pub fn words(&self) -> Option<&str> {
        match self {
            EventKind::Message { text, choice, .. } => Some(choice.as_deref().or(text.as_deref()).unwrap_or_default()),
            EventKind::Postback { title, payload, referral } => {
                let word = referral.as_deref().or(payload.as_deref()).or(title.as_deref());
                Some(word.unwrap_or_default())
            }
            EventKind::Referral { referral } => referral.as_deref(),
            EventKind::Joined
            | EventKind::Submitted { .. }
            | EventKind::OptIn { .. }
            | EventKind::Alarm { .. }
            | EventKind::Other { .. } => None,
        }
    }
}

impl Event {
    /// Whether a person did it, and not we or the platform.
    pub fn is_by_somebody(&self) -> bool {
        match self.kind {
            EventKind::Message { .. }
            | EventKind::Postback { .. }
            | EventKind::Referral { .. }
            | EventKind::Submitted { .. }
            | EventKind::OptIn { stopped: false, .. } => true,
            EventKind::Joined | EventKind::OptIn { .. } | EventKind::Alarm { .. } | EventKind::Other { .. } => false,
        }
    }

    /// The text of a message, `None` for everything else and for a message without text.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            EventKind::Message { text, .. } => text.as_deref().filter(|text| !text.is_empty()),
            _ => None,
        }
    }
}

/// Something that came with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The platform's word: `image`, `audio`, `file`, `sticker` …
    pub kind: String,
    pub url: Option<String>,
    pub title: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_channel_and_place() {
        let key = EventKey::new(ChannelNumber(7), 123_456);
        assert_eq!((key.channel(), key.place()), (ChannelNumber(7), 123_456));
        assert!(EventKey::before_first(ChannelNumber(7)) < key && key < EventKey::after_last(ChannelNumber(7)));
    }

    #[test]
    fn the_last_channel_has_an_end_too() {
        let key = EventKey::new(ChannelNumber(u16::MAX), 1);
        assert!(key < EventKey::after_last(ChannelNumber(u16::MAX)));
    }

    #[test]
    fn a_name_is_read_back_as_it_was_written() {
        for name in ["page-17", "page-17.2", "my-page-1"] {
            assert_eq!(name.parse::<EventId>().map(|id| id.to_string()), Ok(name.to_owned()));
        }
        // A place that reaches into the channel's bits would name an event of another channel.
        for wrong in ["", "page", "page-", "page-0", "page-x", "page-1.x", "-", "-1", "-1.2", "page-17592186044416"] {
            assert!(wrong.parse::<EventId>().is_err(), "{wrong}");
        }
        let long = "ü\n".repeat(100_000).parse::<EventId>().unwrap_err();
        assert!(long.starts_with("\"ü\\nü") && long.contains("\"… is no event's name; "), "{long}");
        assert!(long.chars().count() < 200, "{long}");
    }
}
