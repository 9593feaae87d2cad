//! One event, heard by its channel's bot.

use super::Channel;
use super::consequence::{again, effect, wait, words};
use super::desk::WorkDesk;
use super::introduce::introduce;
use super::picture;
use super::pool::Tools;
use crate::bot::{BotFault, Desk};
use crate::keeper::Letter;
use crate::limits;
use crate::model::{
    Content, Delivery, Event, EventId, EventKey, EventKind, Moment, Notes, OWNER_CONFIGURATION, Outcome, Purpose,
    Reply, Ring, Settlement, Stage,
};
use crate::notation::counted::counted;
use crate::platform::{Kept, Recalled, Unsayable};
use crate::queue::backoff;
use crate::queue::pace::Effect;
use std::time::Duration;

/// One event whose turn it is.
pub(super) struct Hearing<'a> {
    pub event: EventKey,
    pub lane: i64,
    pub conversation: &'a str,
    pub received: Moment,
    /// When it was received, or last put back.
    pub since: Moment,
    pub raw: &'a [u8],
    pub attempt: u32,
    pub stage: Option<&'a Stage>,
}

impl Hearing<'_> {
    /// Finds out what the event is, lets the bot hear it, and cuts what the bot says to the platform's size. Also says
    /// what that tells about the channel.
    pub(super) fn run(&self, channel: &Channel, tools: &Tools) -> (Settlement, Effect) {
        let (event, lane) = (self.event, self.lane);
        let (recalled, status) = self.recall(channel, tools);
        let effect = match (&recalled, status) {
            (Recalled::Failed(delivery), _) => effect(delivery, status),
            (_, Some(_)) => Effect::Well,
            (_, None) => Effect::None,
        };
        let settlement = match recalled {
            Recalled::Event(heard) => self.let_hear(&heard, channel, tools),
            Recalled::Own { message, texts } => Settlement::Witnessed { event, lane, message, texts },
            Recalled::Ignored(why) => Settlement::HearIgnored { event, lane, why },
            Recalled::Failed(Delivery::Retry { why, after, .. }) => {
                self.later(&why, wait(after, &effect, self.attempt, (tools.chance)()), channel, tools)
            }
            // The channel rests, and this event with it; but a start with better credentials need not wait.
            Recalled::Failed(Delivery::Locked { why }) => self.later(&why, Duration::ZERO, channel, tools),
            Recalled::Failed(delivery) => self.dead(&format!("it cannot be read: {}", words(&delivery)), channel),
        };
        (settlement, effect)
    }

    /// What the event is, with the status of the platform's last answer if it was asked.
    fn recall(&self, channel: &Channel, tools: &Tools) -> (Recalled, Option<u16>) {
        if !channel.platform.is_introduced() {
            match introduce(channel, &tools.fetch, tools.clock) {
                // The keeper is gone only when everything ends; the next start asks again.
                Ok(Some(write)) => drop(tools.keeper.send(Letter::Remember(write))),
                Ok(None) => {}
                Err((delivery, status)) => return (Recalled::Failed(delivery), status),
            }
        }
        let (conversation, received, raw) = (self.conversation, self.received, self.raw);
        let kept = Kept { id: self.id(channel), conversation, received, raw };
        let found = match channel.platform.look_up(&kept) {
            Ok(question) => question.map(|question| tools.fetch.call(&question)),
            Err(recalled) => return (*recalled, None),
        };
        let status = match &found {
            Some(Outcome::Answered(answer)) => Some(answer.status),
            _ => None,
        };
        (channel.platform.recall(&kept, found.as_ref(), self.attempt, (tools.clock)()), status)
    }

    fn let_hear(&self, heard: &Event, channel: &Channel, tools: &Tools) -> Settlement {
        let (event, lane) = (self.event, self.lane);
        let mut desk = WorkDesk::new(&channel.bot_name, tools);
        desk.heard = Some((event, heard));
        desk.notes.stage = self.stage.map_or(0, |stage| stage.number);
        desk.stage = self.stage;
        let mut pictures = Vec::new();
        let hang = &mut |reply| {
            let (reply, picture) = picture::hang(reply, channel, tools);
            pictures.extend(picture);
            reply
        };
        match answer(heard, channel, &mut desk, hang) {
            Ok(replies) => {
                desk.notes.memory.append(&mut pictures);
                let somebody = channel.platform.window().is_some() && heard.is_by_somebody();
                let notes = Notes { wrote: somebody.then_some(heard.happened), ..desk.notes };
                Settlement::Heard { event, lane, replies, notes }
            }
            Err(BotFault::Never { why }) => self.dead(&format!("bot {}: {why}", channel.bot_name), channel),
            Err(BotFault::Later { why, .. }) if desk.not_before.is_some() => {
                let due = desk.not_before.unwrap_or_default();
                self.at_its_turn(due, &format!("bot {}: {why}", channel.bot_name), channel, tools)
            }
            Err(BotFault::Later { why, after }) => {
                let wait = backoff::delay(self.attempt, (tools.chance)());
                let wait = after.map_or(wait, |after| wait.max(after.min(limits::UPSTREAM_WAIT_MAX)));
                self.later(&format!("bot {}: {why}", channel.bot_name), wait, channel, tools)
            }
        }
    }

    /// An alarm of ours rang: the bot hears it. Nobody has to be asked what it is.
    pub(super) fn ring(&self, channel: &Channel, tools: &Tools) -> (Settlement, Effect) {
        let settlement = match serde_json::from_slice::<Ring>(self.raw) {
            Ok(Ring { set, .. }) if set.owner != channel.bot_name && set.owner != OWNER_CONFIGURATION => {
                let why =
                    format!("bot {} set this alarm, and the channel's bot is {} now", set.owner, channel.bot_name);
                Settlement::HearIgnored { event: self.event, lane: self.lane, why }
            }
            Ok(ring) => {
                let plan = ring.set.plan.clone();
                let event = rung(ring, self.id(channel), self.conversation);
                let mut settlement = self.let_hear(&event, channel, tools);
                // The first words say of when it is; what stands before them cannot.
                if let Settlement::Heard { replies, .. } = &mut settlement
                    && channel.platform.window().is_some()
                    && let Some(reply) = replies.iter_mut().find(|reply| matches!(reply.content, Content::Text { .. }))
                {
                    let now = (tools.clock)();
                    reply.dated = Some((now, plan.day_and_time(now)));
                }
                settlement
            }
            Err(error) => self.dead(&format!("the alarm as it was kept is unreadable: {error}"), channel),
        };
        (settlement, Effect::None)
    }

    fn later(&self, why: &str, wait: Duration, channel: &Channel, tools: &Tools) -> Settlement {
        let (event, lane, attempt, now) = (self.event, self.lane, self.attempt, (tools.clock)());
        if now.since(self.since) >= limits::RETRY_LIFE {
            return self.dead(&format!("given up after {}: {why}", counted(attempt.into(), "attempt")), channel);
        }
        let id = self.id(channel);
        log::warn!(channel = channel.name, event:% = id; "{id}: {why}{}", again("; another try", wait));
        Settlement::HearLater { event, lane, due: now.after(wait), attempt, why: why.to_owned() }
    }

    /// Again when the budget of an upstream allows it, and not a moment later. It is no failure, so the attempt does not
    /// count. Past the life of a retry nobody waits for the answer any more; then the operator is told now.
    fn at_its_turn(&self, due: Moment, why: &str, channel: &Channel, tools: &Tools) -> Settlement {
        if due.since(self.since) >= limits::RETRY_LIFE {
            let hours = limits::RETRY_LIFE.as_secs() / 3600;
            return self.dead(&format!("{why}; an event waits {hours} h at most, and that is later"), channel);
        }
        let (id, seconds) = (self.id(channel), due.since((tools.clock)()).as_secs());
        log::info!(channel = channel.name, event:% = id; "{id}: {why}; its turn comes in {seconds} s");
        let (event, lane, attempt) = (self.event, self.lane, self.attempt.saturating_sub(1));
        Settlement::HearLater { event, lane, due, attempt, why: why.to_owned() }
    }

    fn dead(&self, why: &str, channel: &Channel) -> Settlement {
        let id = self.id(channel);
        log::error!(channel = channel.name, event:% = id; "{id}: dead: {why}");
        Settlement::HearDead { event: self.event, lane: self.lane, why: why.to_owned() }
    }

    fn id(&self, channel: &Channel) -> EventId {
        EventId { channel: channel.name.clone(), place: self.event.place(), part: None }
    }
}

/// An alarm that rang, as its bot hears it.
pub fn rung(ring: Ring, id: EventId, conversation: &str) -> Event {
    let Ring { name, set, due } = ring;
    let kind = EventKind::Alarm { name, note: set.note, due };
    let conversation = conversation.to_owned();
    Event { id, conversation, person: set.person, thread: set.thread, happened: due, kind }
}

/// What is said to an event, cut to the platform's size. `hang` sees to it that a picture can be shown.
pub fn answer(
    event: &Event,
    channel: &Channel,
    desk: &mut dyn Desk,
    hang: &mut dyn FnMut(Reply) -> Reply,
) -> Result<Vec<Reply>, BotFault> {
    let never = |Unsayable(why): Unsayable| BotFault::Never { why: format!("its reply cannot be said: {why}") };
    let greeting = channel.platform.greeting().filter(|_| event.kind == EventKind::Joined);
    let said = match greeting {
        Some(greeting) => vec![Reply::text(&event.conversation, greeting)],
        None => channel.bot.hear(event, desk)?,
    };
    let mut fitted = Vec::new();
    for mut reply in said {
        if reply.thread.is_none() && reply.to == event.conversation {
            reply.thread.clone_from(&event.thread);
        }
        if matches!(event.kind, EventKind::Alarm { .. }) {
            reply.purpose = Purpose::Push;
        }
        fitted.extend(channel.platform.fit(hang(reply)).map_err(never)?);
    }
    if fitted.len() > limits::REPLIES_MAX {
        return Err(BotFault::Never { why: format!("it wants {} replies sent at once", fitted.len()) });
    }
    Ok(fitted)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{page, space, tools};
    use super::*;
    use crate::bot::Desk;
    use crate::model::{AlarmSet, Card, ChannelNumber, Plan, RunMissed, Upstream, When};
    use crate::queue::budget::NotBefore;
    use std::net::TcpListener;
    use std::sync::Arc;

    #[test]
    fn what_was_put_back_has_its_whole_time_again() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let space = space(Some(&format!("http://{closed}")));
        let (tools, _letters) = tools(&[], || Moment(0).after(limits::RETRY_LIFE));
        let event = EventKey::new(ChannelNumber(1), 17);
        let hearing = Hearing {
            event,
            lane: 1,
            conversation: "room",
            received: Moment(0),
            since: Moment(0),
            raw: b"",
            attempt: 1,
            stage: None,
        };
        assert!(matches!(hearing.run(&space, &tools).0, Settlement::HearDead { .. }));
        let put_back = Hearing { since: Moment(1), ..hearing };
        assert!(matches!(put_back.run(&space, &tools).0, Settlement::HearLater { .. }));
    }

    /// Shows cards, then says two sentences.
    struct Shows;

    impl crate::bot::Bot for Shows {
        fn hear(&self, event: &Event, _: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
            let text = |text| Reply::text(&event.conversation, text);
            let (title, subtitle) = ("Roof".to_owned(), Some("9 kWh".to_owned()));
            let card = Card { title, subtitle, image_url: None, url: None, buttons: Vec::new() };
            let gallery = Reply { content: Content::Gallery { cards: vec![card] }, ..text("") };
            Ok(vec![gallery, text("Nine."), text("Ten.")])
        }
    }

    #[test]
    fn of_what_is_said_by_an_alarm_the_first_words_know_when_it_was() {
        let (tools, _letters) = tools(&[], || Moment(1_795_341_600_000));
        let plan = Plan {
            when: When::Every { seconds: 3600 },
            zone: "UTC".to_owned(),
            run_missed: RunMissed::Latest,
            spread_s: 0,
        };
        let (owner, person) = ("shows".to_owned(), "anna".to_owned());
        let set = AlarmSet { owner, person, thread: None, note: String::new(), plan };
        let raw = serde_json::to_vec(&Ring { name: "daily".to_owned(), set, due: Moment(0) }).unwrap();
        let event = EventKey::new(ChannelNumber(1), 17);
        let (conversation, since) = ("anna", Moment(0));
        let hearing =
            Hearing { event, lane: 1, conversation, received: since, since, raw: &raw, attempt: 1, stage: None };
        let dated = |channel: Channel| {
            let channel = Channel { bot: Arc::new(Shows), bot_name: "shows".to_owned(), ..channel };
            let Settlement::Heard { replies, .. } = hearing.ring(&channel, &tools).0 else { panic!("not heard") };
            replies.into_iter().map(|reply| reply.dated.map(|(_, when)| when)).collect::<Vec<_>>()
        };
        assert_eq!(dated(page()), [None, Some("Sun 22 Nov, 10:00".to_owned()), None]);
        assert_eq!(dated(space(None)), [None, None, None], "where nothing is held, nothing is late");
    }

    /// Asks an upstream for two calls at once, and says itself that it wants to come later.
    struct Reserves;

    impl crate::bot::Bot for Reserves {
        fn hear(&self, _: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
            desk.reserve("sun", 0).unwrap();
            desk.reserve("sun", 2).unwrap_err();
            Err(BotFault::Later { why: "it waits".to_owned(), after: None })
        }
    }

    #[test]
    fn a_bot_that_could_not_reserve_comes_at_its_turn() {
        let moment = Moment(20_123_456);
        let Settlement::HearLater { due, attempt, .. } = refused(Arc::new(Reserves), moment) else {
            panic!("not later")
        };
        assert_eq!((due, attempt), (moment, 2));
    }

    /// Asks an upstream, and can say nothing without its answer.
    struct Asks;

    impl crate::bot::Bot for Asks {
        fn hear(&self, _: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
            let now = desk.now();
            desk.get("sun", "/summary").map(|_| Vec::new()).map_err(|fault| fault.later(now))
        }
    }

    /// What becomes of an event whose bot's upstream has nothing left before `moment`.
    fn refused_until(moment: Moment) -> Settlement {
        refused(Arc::new(Asks), moment)
    }

    fn refused(bot: Arc<dyn crate::bot::Bot>, moment: Moment) -> Settlement {
        let (api, limits) = ("http://127.0.0.1:9".to_owned(), Vec::new());
        let sun = Upstream { name: "sun".to_owned(), kind: None, api, key: None, limits, papers: None };
        let (tools, letters) = tools(&[sun], || Moment(0));
        let played = std::thread::spawn(move || {
            for letter in letters {
                let Letter::Pay { answer, payer, .. } = letter else { continue };
                assert_eq!(payer, Some(EventKey::new(ChannelNumber(1), 17)));
                answer.send(Err(NotBefore { moment, why: "its calls are used up".to_owned() })).unwrap();
            }
        });
        let space = Channel { bot, bot_name: "solar".to_owned(), ..space(None) };
        let event = EventKey::new(ChannelNumber(1), 17);
        let (conversation, since) = ("room", Moment(0));
        let hearing =
            Hearing { event, lane: 1, conversation, received: since, since, raw: b"", attempt: 3, stage: None };
        let id = EventId { channel: "space".to_owned(), place: 17, part: None };
        let (conversation, person, kind) = ("room".to_owned(), "anna".to_owned(), EventKind::Joined);
        let heard = Event { id, conversation, person, thread: None, happened: since, kind };
        let settlement = hearing.let_hear(&heard, &space, &tools);
        drop(tools);
        played.join().unwrap();
        settlement
    }

    #[test]
    fn what_waits_for_a_budget_is_due_then_and_has_not_failed() {
        let moment = Moment(20_123_456);
        let Settlement::HearLater { due, attempt, why, .. } = refused_until(moment) else { panic!("it is not later") };
        assert_eq!((due, attempt), (moment, 2), "the next attempt is the third again");
        assert_eq!(why, "bot solar: upstream sun: its calls are used up");
    }

    #[test]
    fn what_would_wait_for_days_is_dead_at_once_and_says_why() {
        let Settlement::HearDead { why, .. } = refused_until(Moment(0).after(limits::RETRY_LIFE)) else {
            panic!("it waits")
        };
        let expected = "bot solar: upstream sun: its calls are used up; an event waits 24 h at most, and that is later";
        assert_eq!(why, expected);
    }
}
