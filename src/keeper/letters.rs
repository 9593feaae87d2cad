//! What the keeper is told, what it tells the loop, and how much may wait for it.

use super::Health;
use super::change::{Change, Changed};
use crate::limits;
use crate::meter::Kept;
use crate::model::{
    Alarm, Arrival, ChannelNumber, EventKey, Left, Lesson, MemoryWrite, Moment, Order, PictureName, Response,
    Settlement,
};
use crate::notation::shelf::Shelf;
use crate::queue::budget::NotBefore;
use crate::queue::pace::Effect;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SendError, Sender, SyncSender};
use std::time::Duration;

/// Which connection waits for a receipt. Opaque here; the loop made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub slot: u32,
    /// Tells the connection from the next one in the same slot.
    pub generation: u32,
}

/// One request's events, to be kept before it is answered.
#[derive(Debug)]
pub struct Admission {
    pub ticket: Ticket,
    pub channel: ChannelNumber,
    pub received: Moment,
    /// The head of the request, in which every secret is masked, in shorthand (`notation::shorthand`).
    pub head: String,
    pub arrivals: Vec<Arrival>,
}

impl Admission {
    /// What it takes in memory.
    fn bytes(&self) -> usize {
        let texts = |arrival: &Arrival| arrival.raw.len() + arrival.id.len() + arrival.conversation.len();
        let arrivals: usize = self.arrivals.iter().map(|arrival| size_of::<Arrival>() + texts(arrival)).sum();
        self.head.capacity() + arrivals
    }
}

/// What the keeper is told.
#[derive(Debug)]
pub enum Letter {
    /// Keep these; all of one turn of the loop, `bytes` together.
    Admit { admissions: Vec<Admission>, bytes: usize },
    /// Do this; for the control socket.
    Order(Ticket, Order),
    /// Do this, and say what came of it when it is on the disk; where it could not be written nobody answers.
    Decide { order: Order, answer: SyncSender<Vec<String>> },
    /// Somebody wants to see this picture.
    Show(Ticket, PictureName),
    /// A worker is done with its lease, and free.
    Settled { worker: usize, settlement: Settlement, effect: Effect },
    /// Remember this.
    Remember(MemoryWrite),
    /// A bot wants to know what it remembers.
    Recall { bot: String, key: String, answer: SyncSender<Option<Vec<u8>>> },
    /// A bot wants to know what it remembers under each of these keys.
    RecallAll { bot: String, keys: Vec<String>, answer: SyncSender<Shelf<String, Option<Vec<u8>>>> },
    /// A bot wants to know which alarms are set in a conversation.
    Alarms { channel: ChannelNumber, conversation: String, answer: SyncSender<Vec<Alarm>> },
    /// Look again at what is due, since the clock was moved; `seen` is told when the letter was read.
    Look { seen: SyncSender<()> },
    /// `under_way` is dropped when nothing is under way.
    Still { under_way: SyncSender<()> },
    /// Remember this, and say whether it is on the disk.
    Keep { write: MemoryWrite, answer: SyncSender<bool> },
    /// Pay for so many calls of an upstream, all or none; they may be made once that is on the disk. `payer` is the event
    /// that is heard, and has a place in the upstream's line when it is refused.
    Pay { upstream: String, payer: Option<EventKey>, calls: u32, answer: SyncSender<Result<(), NotBefore>> },
    /// An upstream said this of its limits.
    Learn { upstream: String, lesson: Lesson },
    /// What is left of an upstream's limits, the shortest period first.
    Left { upstream: String, answer: SyncSender<Vec<Left>> },
    /// Say by `Health::pulse` that you move, and that no worker has had its job for too long. Asked at this pace.
    Pulse { number: u64, every: Duration },
    /// Somebody wants to see all figures.
    Figures(Ticket),
    /// Somebody wants to know whether all moves.
    Ready(Ticket),
    /// Work for these channels, bots and upstreams from now on; all of it or nothing.
    Change { change: Change, answer: SyncSender<Result<Changed, String>> },
    /// Hand out nothing more.
    Rest,
    /// Nothing more will come from the loop: end when what is out has come back, or at `until`.
    End { until: Moment },
}

impl Letter {
    /// Whether it is answered at once, and nothing is written for it.
    pub(super) fn only_asks(&self) -> bool {
        matches!(
            self,
            Letter::Show(..)
                | Letter::Figures(_)
                | Letter::Ready(_)
                | Letter::Recall { .. }
                | Letter::RecallAll { .. }
                | Letter::Alarms { .. }
                | Letter::Learn { .. }
                | Letter::Left { .. }
        )
    }
}

/// What the loop is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is on the disk.
    Kept,
    /// It is not; answer 503.
    NotKept,
    /// An order was carried out; a line for each thing it named.
    Done(Vec<String>),
    /// An order was not carried out; a line for each reason.
    Refused(Vec<String>),
    /// The store was asked for a picture.
    Shown(Sought),
    /// What only the keeper knows of the figures.
    Figures(Box<Kept>),
    /// Whether all moves, or why not.
    Ready(Result<(), String>),
    /// A page was made.
    Made(Response),
    /// There is no page for whoever wants one.
    Nothing,
}

/// What became of a look into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    Found(Vec<u8>),
    /// It is not there, or not any more.
    Gone,
    /// The store could not be asked.
    Failed,
}

/// Where the loop leaves its letters. It takes no more than `KEEPER_BYTES_MAX` from outside; what workers say is
/// bounded by their number.
#[derive(Debug)]
pub struct Letterbox {
    pub letters: Sender<Letter>,
    pub health: Arc<Health>,
}

/// Admissions that were not taken.
#[derive(Debug)]
pub enum Refused {
    /// Too many wait already.
    Full(Vec<Admission>),
    /// The keeper has ended.
    Gone(Vec<Admission>),
}

impl Letterbox {
    /// Hands over what is to be kept; a receipt comes for each.
    pub fn admit(&self, admissions: Vec<Admission>) -> Result<(), Refused> {
        let bytes = admissions.iter().map(Admission::bytes).sum();
        let waiting = self.health.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        // What comes alone is taken however long it is, or it would never be.
        if waiting > 0 && waiting + bytes > limits::KEEPER_BYTES_MAX {
            self.health.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(Refused::Full(admissions));
        }
        self.letters.send(Letter::Admit { admissions, bytes }).map_err(|SendError(letter)| match letter {
            Letter::Admit { admissions, .. } => Refused::Gone(admissions),
            _ => Refused::Gone(Vec::new()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Fate;
    use std::sync::mpsc::channel;

    fn admission(bytes: usize) -> Admission {
        let (id, conversation) = ("m1".to_owned(), "anna".to_owned());
        let raw = vec![0; bytes].into_boxed_slice();
        let arrival = Arrival { id, conversation, kind: "message", fate: Fate::Hear, raw, proves: None };
        let ticket = Ticket { slot: 1, generation: 1 };
        Admission {
            ticket,
            channel: ChannelNumber(1),
            received: Moment(0),
            head: String::new(),
            arrivals: vec![arrival],
        }
    }

    #[test]
    fn a_keeper_that_hangs_is_given_so_much_and_no_more() {
        let (letters, letters_in) = channel();
        let letterbox = Letterbox { letters, health: Arc::default() };
        let huge = limits::KEEPER_BYTES_MAX + 1;
        letterbox.admit(vec![admission(huge)]).unwrap();
        let refused = letterbox.admit(vec![admission(1)]).unwrap_err();
        assert!(matches!(refused, Refused::Full(back) if back.len() == 1));
        let Letter::Admit { bytes, .. } = letters_in.recv().unwrap() else { unreachable!() };
        assert!(bytes > huge);
        letterbox.health.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        letterbox.admit(vec![admission(1)]).unwrap();
        letterbox.admit(vec![admission(1)]).unwrap();
        drop(letters_in);
        assert!(matches!(letterbox.admit(vec![admission(1)]), Err(Refused::Gone(back)) if back.len() == 1));
    }
}
