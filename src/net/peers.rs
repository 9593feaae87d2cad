//! All connections: slots that are used again, who waits longest, deadlines, and the bytes they hold together.
//!
//! Deadlines are kept lazily: a slot has at most one entry in the heap that counts; when that is due and the connection's
//! real deadline is later, the entry moves. So a busy connection costs no timer work. The next connection in a slot takes
//! over the entry, so neither do many short ones, and they leave nothing behind.

use super::peer::Peer;
use crate::keeper::Ticket;
use crate::model::Tick;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter;

const NONE: u32 = u32::MAX;

/// Connections that may be closed when room is needed, and in which order they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Nothing is under way; the least loss.
    Idle,
    /// A request is coming in, its answer is not taken, or it was the last one; and that has been so for a while.
    Unfinished,
}

/// The slots.
#[derive(Debug)]
pub struct Peers {
    slots: Vec<Slot>,
    free: Vec<u32>,
    queues: [Ends; 2],
    heap: BinaryHeap<Reverse<(Tick, u32)>>,
    count: usize,
    held_bytes: usize,
}

#[derive(Debug)]
struct Slot {
    peer: Option<Box<Peer>>,
    generation: u32,
    /// The tick of this slot's entry in the heap, if it has one.
    armed: Option<Tick>,
    queue: Option<Queue>,
    before: u32,
    behind: u32,
    held_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    first: u32,
    last: u32,
}

impl Default for Peers {
    fn default() -> Peers {
        Peers {
            slots: Vec::new(),
            free: Vec::new(),
            queues: [Ends { first: NONE, last: NONE }; 2],
            heap: BinaryHeap::new(),
            count: 0,
            held_bytes: 0,
        }
    }
}

impl Peers {
    /// How many connections there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// What they hold in buffers together.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Where the next connection will be.
    pub fn insert(&mut self, peer: Peer) -> u32 {
        let index = self.free.pop().unwrap_or_else(|| {
            let slot =
                Slot { peer: None, generation: 0, armed: None, queue: None, before: NONE, behind: NONE, held_bytes: 0 };
            self.slots.push(slot);
            u32::try_from(self.slots.len() - 1).unwrap_or(NONE)
        });
        if let Some(slot) = self.slot(index) {
            slot.peer = Some(Box::new(peer));
            self.count += 1;
        }
        index
    }

    fn slot(&mut self, index: u32) -> Option<&mut Slot> {
        self.slots.get_mut(usize::try_from(index).ok()?)
    }

    /// The connection in a slot.
    pub fn get(&mut self, index: u32) -> Option<&mut Peer> {
        self.slot(index)?.peer.as_deref_mut()
    }

    /// The connection that a ticket was made for, unless it has gone.
    pub fn get_by(&mut self, ticket: Ticket) -> Option<&mut Peer> {
        let slot = self.slot(ticket.slot)?;
        slot.peer.as_deref_mut().filter(|_| slot.generation == ticket.generation)
    }

    /// A ticket for the connection in a slot.
    pub fn ticket(&mut self, index: u32) -> Ticket {
        let generation = self.slot(index).map_or(0, |slot| slot.generation);
        Ticket { slot: index, generation }
    }

    /// Takes a connection out.
    pub fn remove(&mut self, index: u32) -> Option<Box<Peer>> {
        self.leave_queue(index);
        let slot = self.slot(index)?;
        let peer = slot.peer.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        let held = std::mem::take(&mut slot.held_bytes);
        self.held_bytes -= held;
        self.count -= 1;
        self.free.push(index);
        if self.count == 0 {
            self.disarm();
        }
        Some(peer)
    }

    /// Nobody is left to be woken for.
    fn disarm(&mut self) {
        for Reverse((_, index)) in self.heap.drain() {
            if let Some(slot) = self.slots.get_mut(index as usize) {
                slot.armed = None;
            }
        }
    }

    /// Brings deadline, queue and bytes up to date after something happened on a connection.
    pub fn update(&mut self, index: u32, active: bool) {
        let Some(slot) = self.slot(index) else { return };
        let Some(peer) = slot.peer.as_deref() else { return };
        let held = peer.held_bytes();
        let before = std::mem::replace(&mut slot.held_bytes, held);
        let wanted = match (peer.is_idle(), peer.is_unfinished()) {
            (true, _) => Some(Queue::Idle),
            (_, true) => Some(Queue::Unfinished),
            _ => None,
        };
        let deadline = peer.deadline();
        let queued = slot.queue;
        let arm = slot.armed.is_none_or(|armed| deadline < armed);
        if arm {
            slot.armed = Some(deadline);
        }
        self.held_bytes = self.held_bytes + held - before;
        if arm {
            self.heap.push(Reverse((deadline, index)));
        }
        if queued != wanted || (active && wanted == Some(Queue::Idle)) {
            self.leave_queue(index);
            if let Some(queue) = wanted {
                self.join_queue(index, queue);
            }
        }
    }

    /// When the next entry of the heap is due; no connection's deadline is sooner.
    pub fn next_deadline(&self) -> Option<Tick> {
        self.heap.peek().map(|Reverse((tick, ..))| *tick)
    }

    /// A connection whose deadline has passed.
    pub fn overdue(&mut self, now: Tick) -> Option<u32> {
        while let Some(Reverse((tick, index))) = self.heap.peek().copied() {
            if tick > now {
                return None;
            }
            self.heap.pop();
            let Some(slot) = self.slot(index) else { continue };
            if slot.armed != Some(tick) {
                continue; // A sooner entry has taken its place.
            }
            slot.armed = None;
            let Some(deadline) = slot.peer.as_deref().map(Peer::deadline) else { continue };
            if deadline <= now {
                return Some(index);
            }
            slot.armed = Some(deadline);
            self.heap.push(Reverse((deadline, index)));
        }
        None
    }

    /// The connection that has been longest in a queue.
    pub fn longest_in(&self, queue: Queue) -> Option<u32> {
        self.queues.get(queue as usize).map(|ends| ends.first).filter(|first| *first != NONE)
    }

    /// Who has to go when all together hold too much: of those that hold much, the one that has been unfinished for longest.
    /// So whoever sends a little, slowly, does not go for those who send much. Nobody, where the unfinished hold nothing.
    pub fn next_to_go(&self) -> Option<u32> {
        let much_bytes = self.much_bytes();
        let slot = |index: &u32| self.slots.get(*index as usize);
        let behind = |index: &u32| slot(index).map(|slot| slot.behind).filter(|behind| *behind != NONE);
        let mut all = iter::successors(self.longest_in(Queue::Unfinished), behind);
        all.find(|index| slot(index).is_some_and(|slot| slot.held_bytes >= much_bytes))
    }

    /// What is much: the largest power of two of which those that hold as much have half of all bytes between them. Neither
    /// many that hold next to nothing make it small, as they would an average, nor does one that holds most make it large.
    /// All are looked at, which takes far less than the connection took that goes by it.
    fn much_bytes(&self) -> usize {
        let mut sums = [0; usize::BITS as usize];
        for slot in self.slots.iter().filter(|slot| slot.queue == Some(Queue::Unfinished)) {
            let power = slot.held_bytes.checked_ilog2().unwrap_or(0);
            if let Some(sum) = sums.get_mut(power as usize) {
                *sum += slot.held_bytes;
            }
        }
        let (all, mut counted) = (sums.iter().sum::<usize>(), 0);
        let has_half = |sum: &usize| {
            counted += sum;
            counted >= all.div_ceil(2)
        };
        1 << sums.iter().rposition(has_half).unwrap_or(0)
    }

    /// Every slot that has a connection.
    pub fn indices(&self) -> Vec<u32> {
        let taken = self.slots.iter().enumerate().filter(|(_, slot)| slot.peer.is_some());
        taken.filter_map(|(index, _)| u32::try_from(index).ok()).collect()
    }

    fn join_queue(&mut self, index: u32, queue: Queue) {
        let Some(ends) = self.queues.get_mut(queue as usize) else { return };
        let last = std::mem::replace(&mut ends.last, index);
        if last == NONE {
            ends.first = index;
        }
        if let Some(slot) = self.slot(last) {
            slot.behind = index;
        }
        if let Some(slot) = self.slot(index) {
            (slot.queue, slot.before, slot.behind) = (Some(queue), last, NONE);
        }
    }

    fn leave_queue(&mut self, index: u32) {
        let Some(slot) = self.slot(index) else { return };
        let Some(queue) = slot.queue.take() else { return };
        let (before, behind) = (slot.before, slot.behind);
        (slot.before, slot.behind) = (NONE, NONE);
        if let Some(slot) = self.slot(before) {
            slot.behind = behind;
        }
        if let Some(slot) = self.slot(behind) {
            slot.before = before;
        }
        if let Some(ends) = self.queues.get_mut(queue as usize) {
            if ends.first == index {
                ends.first = behind;
            }
            if ends.last == index {
                ends.last = before;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Step;
    use crate::intake::Door;
    use crate::limits;
    use crate::net::listener::Stream;
    use mio::net::UnixStream;
    use std::io::Write;

    /// A connection that says nothing, and its other end.
    fn joins(peers: &mut Peers, now: Tick) -> (u32, UnixStream) {
        let (client, stream) = UnixStream::pair().unwrap();
        let index = peers.insert(Peer::new(Stream::Unix(stream), Door::Public, None, now));
        peers.update(index, false);
        (index, client)
    }

    /// One that has sent so much of a head.
    fn begins(peers: &mut Peers, bytes: usize) -> (u32, UnixStream) {
        let (index, mut client) = joins(peers, Tick(1));
        let head = format!("GET / HTTP/1.1\r\nX: {}", "y".repeat(bytes));
        client.write_all(head.as_bytes()).unwrap();
        let peer = peers.get(index).unwrap();
        peer.read(&mut [0; 65_536]);
        assert_eq!(peer.next(|_| Ok(())), Step::NeedBytes);
        peer.settle(true, Tick(1));
        peers.update(index, true);
        (index, client)
    }

    #[test]
    fn of_those_that_hold_much_the_longest_goes_first() {
        let mut peers = Peers::default();
        assert_eq!(peers.next_to_go(), None);
        let (small, _one) = begins(&mut peers, 100);
        assert_eq!(peers.next_to_go(), Some(small), "there is nobody else");
        let (first, _two) = begins(&mut peers, 9_000);
        let (second, _three) = begins(&mut peers, 12_000);
        let (idle, _four) = joins(&mut peers, Tick(1));
        for expected in [first, second, small] {
            assert_eq!(peers.next_to_go(), Some(expected));
            peers.remove(expected);
        }
        assert_eq!((peers.next_to_go(), peers.longest_in(Queue::Idle)), (None, Some(idle)));
    }

    #[test]
    fn however_many_hold_little_they_stay_and_who_holds_much_behind_them_goes() {
        let mut peers = Peers::default();
        let _little: Vec<_> = (0..70).map(|_| begins(&mut peers, 140)).collect();
        let (much, _client) = begins(&mut peers, 16_000);
        // On average all hold less than the little ones do.
        let _others: Vec<_> = (0..60).map(|_| (joins(&mut peers, Tick(1)), begins(&mut peers, 1))).collect();
        assert_eq!(peers.next_to_go(), Some(much));
    }

    #[test]
    fn a_large_one_that_has_just_come_does_not_go_for_many_that_hold_less_for_longer() {
        let mut peers = Peers::default();
        let many: Vec<_> = (0..20).map(|_| begins(&mut peers, 1500)).collect();
        let _large = begins(&mut peers, 15_000);
        for (expected, _) in &many[..10] {
            assert_eq!(peers.next_to_go(), Some(*expected));
            peers.remove(*expected);
        }
    }

    #[test]
    fn short_connections_leave_no_deadlines_behind_and_each_has_its_own() {
        let mut peers = Peers::default();
        let (first, _client) = joins(&mut peers, Tick(1));
        let mut now = Tick(1);
        for _ in 0..1000 {
            now = now.after(limits::IDLE_TIME / 2000);
            let (short, _client) = joins(&mut peers, now);
            assert_ne!(short, first);
            peers.remove(short);
        }
        assert_eq!(peers.heap.len(), 2, "one for each slot");
        let (last, _client) = joins(&mut peers, now);
        let due = Tick(1).after(limits::IDLE_TIME);
        assert_eq!((peers.next_deadline(), peers.overdue(due)), (Some(due), Some(first)));
        peers.remove(first);
        let late = now.after(limits::IDLE_TIME);
        assert_eq!(peers.overdue(Tick(late.0 - 1)), None, "the last one came later than those before it in its slot");
        assert_eq!((peers.next_deadline(), peers.overdue(late)), (Some(late), Some(last)));
        peers.remove(last);
        assert_eq!(peers.next_deadline(), None, "nobody has to be woken for");
        let (again, _client) = joins(&mut peers, late);
        assert_eq!(peers.overdue(late.after(limits::IDLE_TIME)), Some(again));
    }
}
