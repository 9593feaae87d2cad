//! One turn: poll, accept, pump, hand over to the keeper, answer what was kept.
//!
//! A request that must be kept costs its connection a promise; the answer goes out when the keeper's receipt comes.
//! All requests of one turn go to the keeper in one letter.

mod accept;
mod eviction;
mod figures;
mod pulse;
mod renewal;
mod stopping;

pub use pulse::Watch;

use super::Served;
use super::complaints::Complaints;
use super::gallery::Gallery;
use super::listener::Listener;
use super::lobby::Lobby;
use super::news::News;
use super::peer::{Awaits, Flow};
use super::peers::Peers;
use super::refusals::{busy, not_kept};
use super::signals::{Signals, Wish};
use super::tls::Tls;
use crate::http::{HttpDate, Step, masked_head};
use crate::intake::{Intake, Verdict, nothing_here, refused, told};
use crate::keeper::{Admission, Letter, Letterbox, Receipt, Refused, Ticket};
use crate::limits;
use crate::meter::{Kept, Open};
use crate::model::{Moment, Refusal, Request, Tick};
use mio::{Events, Interest, Poll, Token, Waker};
use pulse::Pulse;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use stopping::Stopping;

const WAKE: Token = Token(0);
const SIGNALS: Token = Token(1);
/// Listeners have the tokens from here on, connections those after `PEERS`.
const LISTENERS: usize = 2;
const PEERS: usize = LISTENERS + limits::LISTENS_MAX + 1;

/// The loop and all that it owns.
pub struct EventLoop {
    poll: Poll,
    listeners: Vec<Listener>,
    signals: Signals,
    peers: Peers,
    intake: Intake,
    letters: Letterbox,
    receipts: Receiver<Vec<(Ticket, Receipt)>>,
    news: Receiver<News>,
    reload: Box<dyn Fn(Option<Ticket>)>,
    watch: Option<Watch>,
    pulse: Pulse,
    /// Connections that have had their share of this turn and could go on.
    again: Vec<Ticket>,
    /// Requests of this turn, for the keeper.
    admissions: Vec<Admission>,
    gallery: Gallery,
    lobby: Lobby,
    connections_max: usize,
    scratch: Vec<u8>,
    complaints: Complaints,
    page: Page,
    /// Whether it moves, or how, the keeper was asked for so many.
    checks: usize,
    clock: fn() -> Moment,
    began: Instant,
    /// Both clocks, as they were when this turn began.
    now: Tick,
    wall: Moment,
    date: (i64, HttpDate),
    /// Accepting rests until then: the kernel had no descriptor for us.
    accept_at: Option<Tick>,
    stopping: Option<Stopping>,
    pub served: Served,
}

/// What the loop is made of.
pub struct Parts {
    pub poll: Poll,
    pub listeners: Vec<Listener>,
    pub signals: Signals,
    pub intake: Intake,
    pub letters: Letterbox,
    pub receipts: Receiver<Vec<(Ticket, Receipt)>>,
    pub news: Receiver<News>,
    /// Begins a reload, and waits for nothing; whoever has the ticket is told what it came to.
    pub reload: Box<dyn Fn(Option<Ticket>)>,
    pub watch: Option<Watch>,
    pub lobby: Lobby,
    pub connections_max: usize,
    /// All figures as a page, with what only it knows.
    pub page: Page,
    pub clock: fn() -> Moment,
}

/// What the loop and the keeper know → the page of all figures.
pub type Page = Box<dyn Fn(Open, &Served, &Kept) -> String>;

/// A poll, and what wakes it when receipts have come.
pub fn poll() -> io::Result<(Poll, Arc<Waker>)> {
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
    Ok((poll, waker))
}

impl EventLoop {
    /// Puts the parts together; nothing is accepted before `run`.
    pub fn new(parts: Parts) -> io::Result<EventLoop> {
        let Parts {
            poll,
            mut listeners,
            mut signals,
            intake,
            letters,
            receipts,
            news,
            reload,
            watch,
            lobby,
            connections_max,
            page,
            clock,
        } = parts;
        poll.registry().register(&mut signals.pipe, SIGNALS, Interest::READABLE)?;
        for (place, listener) in listeners.iter_mut().enumerate() {
            listener.register(poll.registry(), Token(LISTENERS + place))?;
        }
        let now = clock();
        Ok(EventLoop {
            poll,
            listeners,
            signals,
            peers: Peers::default(),
            again: Vec::new(),
            intake,
            letters,
            receipts,
            news,
            reload,
            watch,
            pulse: Pulse::default(),
            admissions: Vec::new(),
            gallery: Gallery::default(),
            lobby,
            connections_max,
            scratch: vec![0; limits::READ_BYTES],
            complaints: Complaints::default(),
            page,
            checks: 0,
            clock,
            began: Instant::now(),
            now: Tick(1),
            wall: now,
            date: (now.seconds(), HttpDate::of(now)),
            accept_at: None,
            stopping: None,
            served: Served::default(),
        })
    }

    /// Serves until SIGTERM or SIGINT, then until what is under way has its answer.
    pub fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while !self.is_done() {
            match self.poll.poll(&mut events, self.patience()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            }
            self.look_at_clock();
            for event in &events {
                match event.token() {
                    WAKE => {
                        self.take_receipts();
                        self.take_news();
                    }
                    SIGNALS => self.take_signals(),
                    Token(token) if token < PEERS => {
                        if let Some(listener) = self.listeners.get_mut(token - LISTENERS) {
                            listener.pending = true;
                        }
                    }
                    Token(token) => {
                        let index = u32::try_from(token - PEERS).unwrap_or(u32::MAX);
                        if let Some(peer) = self.peers.get(index) {
                            peer.ending |= event.is_read_closed() || event.is_error();
                            peer.readable |= event.is_readable() || peer.ending;
                            peer.writable |= event.is_writable() || event.is_write_closed() || event.is_error();
                            self.pump(index);
                        }
                    }
                }
            }
            self.accept();
            self.pump_again();
            self.end_overdue();
            self.end_newcomers();
            self.hand_over();
            self.beat();
            self.complaints.tell_due(self.now);
        }
        self.complaints.tell();
        // Whoever waits until news are taken in must not wait for ever.
        self.news = channel().1;
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.stopping.as_ref().is_some_and(|stopping| self.peers.count() == 0 || self.now >= stopping.until)
    }

    fn patience(&self) -> Option<Duration> {
        let accepting = self.accept_at.is_none() && self.listeners.iter().any(|listener| listener.pending);
        // Who was told in `hand_over` that the keeper is too busy may have had its next request ready.
        if accepting || !self.again.is_empty() || !self.admissions.is_empty() {
            return Some(Duration::ZERO);
        }
        let told = self.complaints.due();
        let soonest = [self.peers.next_deadline(), self.accept_at, self.stop_due(), self.pulse_due(), told]
            .into_iter()
            .flatten()
            .min()?;
        // A whole millisecond more: poll rounds down, and waking too early would be in vain.
        Some(soonest.since(self.now) + Duration::from_millis(1))
    }

    fn look_at_clock(&mut self) {
        self.now = Tick(1).after(self.began.elapsed());
        self.wall = (self.clock)();
        if self.wall.seconds() != self.date.0 {
            self.date = (self.wall.seconds(), HttpDate::of(self.wall));
        }
    }

    /// Lets a connection go on as far as it can; if all together then hold too much, somebody has to go.
    fn pump(&mut self, index: u32) {
        self.go_on(index);
        self.make_room(index);
    }

    /// Those who had their share of the last turn.
    fn pump_again(&mut self) {
        for ticket in std::mem::take(&mut self.again) {
            if let Some(peer) = self.peers.get_by(ticket) {
                peer.goes_on_later = false;
                self.pump(ticket.slot);
            }
        }
    }

    /// Reads, understands, answers and writes on one connection until nothing moves any more, or until the others
    /// should have their turn: whoever sends without end must not have the loop to himself.
    fn go_on(&mut self, index: u32) {
        let mut active = false;
        for round in 0.. {
            let ticket = self.peers.ticket(index);
            let Some(peer) = self.peers.get(index) else { return };
            if round == limits::ROUNDS_PER_TURN {
                if !std::mem::replace(&mut peer.goes_on_later, true) {
                    self.again.push(ticket);
                }
                break;
            }
            let read = peer.read(&mut self.scratch);
            if read == Flow::Broken {
                if let Some(why) = peer.stream.tls().and_then(Tls::fault).map(str::to_owned) {
                    self.note_handshake(index, &why);
                }
                self.peers.remove(index);
                return;
            }
            let stepped = self.step(index);
            let Some(peer) = self.peers.get(index) else { return };
            match peer.write() {
                Flow::Broken => {
                    self.peers.remove(index);
                    return;
                }
                Flow::Moved => active = true,
                Flow::Stuck if read == Flow::Stuck && !stepped => break,
                Flow::Stuck => active |= read == Flow::Moved,
            }
        }
        let Some(peer) = self.peers.get(index) else { return };
        peer.settle(active, self.now);
        if peer.watch(self.poll.registry(), Token(PEERS + index as usize)) == Flow::Broken {
            self.peers.remove(index);
        }
        self.peers.update(index, active);
    }

    /// Takes what `http` says until it needs more. True when it said anything.
    fn step(&mut self, index: u32) -> bool {
        let mut stepped = false;
        loop {
            let Some(peer) = self.peers.get(index) else { return stepped };
            let door = peer.door;
            let step = peer.next(|head| self.intake.gate(door, head));
            match step {
                Step::NeedBytes => return stepped,
                Step::Request(request) => self.answer(index, &request),
                Step::Refuse(refusal) => {
                    self.complain(index, &refusal);
                    let now = self.now;
                    if let Some(peer) = self.peers.get(index) {
                        peer.restart_wait(now);
                        peer.http.refuse(&refusal, &self.date.1);
                    }
                }
                Step::Close(reason) => {
                    log::debug!("connection closed: {reason}");
                    self.peers.remove(index);
                    return true;
                }
            }
            stepped = true;
        }
    }

    fn answer(&mut self, index: u32, request: &Request) {
        self.served.requests += 1;
        let (ticket, now, stopping) = (self.peers.ticket(index), self.now, self.stopping.is_some());
        let Some(peer) = self.peers.get(index) else { return };
        peer.restart_wait(now);
        if stopping {
            peer.http.close_after_answer();
        }
        match self.intake.read(peer.door, request) {
            Ok(Verdict::Answer(response)) => peer.http.respond(&response, &self.date.1),
            Ok(Verdict::Admit { channel, arrivals, response }) => {
                peer.promised = Some((response, Instant::now()));
                let head = masked_head(&request.head);
                self.admissions.push(Admission { ticket, channel, received: self.wall, head, arrivals });
            }
            Ok(Verdict::Ask(order)) => {
                if self.letters.letters.send(Letter::Order(ticket, order)).is_err() {
                    peer.http.respond(&not_kept().response(), &self.date.1);
                }
            }
            Ok(Verdict::Ready) => self.check(ticket),
            Ok(Verdict::Figures) => self.ask(ticket, Letter::Figures(ticket), Awaits::Check),
            Ok(Verdict::Hour) => self.ask(ticket, Letter::Figures(ticket), Awaits::Hour),
            Ok(Verdict::Reload) => (self.reload)(Some(ticket)),
            Ok(Verdict::Show(name)) => {
                if let Err(refusal) = self.gallery.ask(&self.letters, ticket, name) {
                    peer.http.respond(&refusal.response(), &self.date.1);
                }
            }
            Ok(Verdict::Visit(visit)) => match self.lobby.ask(ticket, visit) {
                Ok(()) => peer.awaits = Awaits::Page,
                Err(refusal) => peer.http.respond(&refusal.response(), &self.date.1),
            },
            Err(refusal) => {
                peer.http.respond(&refusal.response(), &self.date.1);
                self.complain(index, &refusal);
            }
        }
    }

    fn complain(&mut self, index: u32, refusal: &Refusal) {
        self.served.refuse(refusal.status, self.wall);
        let from = self.peers.get(index).and_then(|peer| peer.from);
        let channel = refusal.channel.and_then(|number| self.intake.name_of(number));
        self.complaints.note(refusal, channel, from, self.now);
    }

    /// Everything of this turn in one letter. If the keeper has too many already, the answer is 503.
    fn hand_over(&mut self) {
        if self.admissions.is_empty() {
            return;
        }
        // The next turn brings about as many.
        let room = Vec::with_capacity(self.admissions.len().min(limits::ADMISSIONS_AHEAD));
        let refused = match self.letters.admit(std::mem::replace(&mut self.admissions, room)) {
            Ok(()) => return,
            Err(Refused::Full(admissions)) => admissions,
            Err(Refused::Gone(admissions)) => {
                log::error!("the keeper is gone, so nothing can be kept; stopping, so that a restart can mend it");
                self.stop();
                admissions
            }
        };
        for admission in refused {
            self.say_no(admission.ticket, &busy());
        }
    }

    fn take_receipts(&mut self) {
        while let Ok(receipts) = self.receipts.try_recv() {
            for (ticket, receipt) in receipts {
                match receipt {
                    Receipt::Kept => {
                        let promised = self.peers.get_by(ticket).and_then(|peer| peer.promised.take());
                        if let Some((response, asked)) = promised {
                            self.say(ticket, &response);
                            self.served.acknowledge(asked.elapsed(), self.wall);
                        }
                    }
                    Receipt::NotKept => self.say_no(ticket, &not_kept()),
                    Receipt::Figures(kept) => self.show(ticket, &kept),
                    Receipt::Ready(moves) => self.tell_ready(ticket, moves),
                    Receipt::Made(response) => {
                        self.lobby.made();
                        self.say(ticket, &response);
                    }
                    Receipt::Nothing => {
                        self.lobby.made();
                        // The same words as at any path that is not there, and as at the gate the last ones.
                        if self.peers.get_by(ticket).is_some() {
                            self.refuse(ticket.slot, &nothing_here());
                        }
                    }
                    Receipt::Done(lines) => self.say(ticket, &told(&lines)),
                    Receipt::Refused(lines) => self.say(ticket, &refused(&lines)),
                    Receipt::Shown(sought) => {
                        let response = self.gallery.show(sought);
                        self.say(ticket, &response);
                    }
                }
            }
        }
    }

    fn take_signals(&mut self) {
        match self.signals.wish() {
            Some(Wish::Stop) => self.stop(),
            Some(Wish::Reload) => (self.reload)(None),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
