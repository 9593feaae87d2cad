//! `ackd why`: the whole life of one event as a timeline.

use super::show::{millisecond, second, shown};
use super::{CliError, World};
use crate::config::{Outline, quoted};
use crate::limits::{HELD_LIFE, PREVIEW_CHARS_MAX};
use crate::model::{Attempt, Content, CourtesyAct, EventId, Moment, Ring};
use crate::store::sqlite::{Reader, SqliteFile};
use crate::store::{Life, PUSH, ReplyLife, State};
use std::io::{self, Write};

/// Tells the life of the event that is called `name`, here or on its platform; with a part, of that reply only.
pub fn why(config: &Outline, name: &str, world: &World<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let reader = Reader::open(&config.store)?;
    let life = match reader.find(name)? {
        Some(event) => reader.life(event)?,
        None => None,
    };
    let mut life = life.ok_or_else(|| unknown(config, name))?;
    let part = name.parse::<EventId>().ok().filter(|id| id.channel == life.id.channel).and_then(|id| id.part);
    if let Some(part) = part {
        let count = life.replies.len();
        life.replies.retain(|reply| reply.part == part);
        if life.replies.is_empty() {
            let id = &life.id;
            return Err(CliError::Failed(format!(
                "there is no {id}.{part}: {id} has {}",
                many(count, "reply", "replies")
            )));
        }
    }
    // Where that cannot be seen, nothing is said about it.
    let held = SqliteFile::is_held(&config.store).unwrap_or(true);
    let rest = reader.rest(&life.id.channel, (world.clock)())?;
    Ok(Story { life: &life, whole: part.is_none(), held, rest, world }.tell(out)?)
}

fn unknown(config: &Outline, name: &str) -> CliError {
    // Whoever names a channel alone has forgotten the number.
    if config.channels.iter().any(|channel| channel.name == name)
        && let Err(what) = name.parse::<EventId>()
    {
        return CliError::Usage(format!("{what}; see ackd why --help"));
    }
    CliError::Failed(format!(
        "there is no event {}; `ackd events` lists the newest, `ackd events --limit 1000` more; after 30 days an event \
         is forgotten",
        quoted(name)
    ))
}

fn many(count: usize, one: &str, more: &str) -> String {
    match count {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        _ => format!("{count} {more}"),
    }
}

/// A life that is told.
struct Story<'a> {
    life: &'a Life,
    /// All its replies, and not only one.
    whole: bool,
    /// An ackd, or at least somebody, holds the store.
    held: bool,
    /// Until when its channel rests, and why.
    rest: Option<(Moment, String)>,
    world: &'a World<'a>,
}

impl Story<'_> {
    fn tell(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}  {}\n", self.life.id, self.life.state)?;
        match self.life.ring() {
            Some(ring) => self.rang(&ring, out)?,
            None if self.life.kind == PUSH => self.asked(out)?,
            None => self.received(out)?,
        }
        for reply in &self.life.replies {
            self.reply(reply, out)?;
        }
        self.end(out)
    }

    /// One line: when, and what. Times have 23 characters.
    fn line(&self, when: Option<Moment>, what: &str, out: &mut dyn Write) -> io::Result<()> {
        let when = when.map_or_else(String::new, |when| millisecond(when, &self.world.zone));
        writeln!(out, "{when:23}  {what}")
    }

    fn received(&self, out: &mut dyn Write) -> io::Result<()> {
        let life = self.life;
        self.line(Some(life.received), "received; its signature was checked before anything else", out)?;
        for header in life.head.iter().flat_map(|head| head.lines()) {
            self.line(None, &format!("  {}", word(header)), out)?;
        }
        let later = format!("+{} ms", life.kept.since(life.received).as_millis());
        writeln!(out, "{later:>23}  kept, and acknowledged once it was")?;
        self.line(None, &format!("{} in conversation {}", word(&life.kind), word(&life.conversation)), out)?;
        self.line(None, &format!("the platform calls it {}", word(&life.platform_id)), out)?;
        if !life.raw.is_empty() {
            self.line(None, &bytes(&life.raw), out)?;
        }
        self.heard(out)
    }

    fn rang(&self, ring: &Ring, out: &mut dyn Write) -> io::Result<()> {
        let life = self.life;
        self.line(Some(life.received), &format!("alarm {} rang", word(&ring.name)), out)?;
        self.line(None, &word(&ring.words()), out)?;
        self.line(None, &format!("in conversation {}", word(&life.conversation)), out)?;
        self.heard(out)
    }

    fn heard(&self, out: &mut dyn Write) -> io::Result<()> {
        let life = self.life;
        if life.replies.is_empty() || !self.whole {
            return Ok(());
        }
        // A replay gives replies a new time, and keeps the old one.
        let before = life.replays.iter().filter_map(|replay| replay.made);
        let made = before.chain(life.replies.iter().map(|reply| reply.made)).min();
        self.line(made, &format!("heard by the bot, which made {}", many(life.replies.len(), "reply", "replies")), out)
    }

    fn asked(&self, out: &mut dyn Write) -> io::Result<()> {
        let life = self.life;
        let what = format!("kept: `ackd send` asked for it, in conversation {}", word(&life.conversation));
        self.line(Some(life.kept), &what, out)?;
        self.line(None, &format!("its order is called {}", word(&life.platform_id)), out)
    }

    fn reply(&self, reply: &ReplyLife, out: &mut dyn Write) -> io::Result<()> {
        let name = EventId { part: Some(reply.part), ..self.life.id.clone() };
        writeln!(out)?;
        self.line(None, &format!("{name}  {}", content(&reply.reply.content)), out)?;
        for attempt in &reply.attempts {
            self.line(Some(attempt.began), &format!("  {}", tried(attempt)), out)?;
        }
        let mut state = match reply.state {
            State::Open => "not said yet".to_owned(),
            State::Answered => "said".to_owned(),
            State::Dead => "dead: it will not be said".to_owned(),
            State::Unknown => "unknown: it was sent, but the platform's answer was lost".to_owned(),
            State::Skipped if matches!(reply.reply.content, Content::Courtesy(_)) => {
                "skipped: nothing waits for a courtesy".to_owned()
            }
            State::Skipped => "skipped: it was said elsewhere".to_owned(),
            State::Ignored => "ignored".to_owned(),
        };
        if let Some(id) = &reply.message_id {
            state.push_str(&format!("; the platform calls it {}", word(id)));
        }
        self.line(None, &format!("  {state}"), out)?;
        if reply.maybe_twice {
            let label = "  maybe twice: an earlier attempt may have been seen too, and nothing proves it was not";
            self.line(None, label, out)?;
        }
        Ok(())
    }

    fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        let life = self.life;
        let why = life.why.as_deref().map_or_else(String::new, |why| format!(": {}", word(why)));
        writeln!(out)?;
        for replay in &life.replays {
            let why = replay.why.as_deref().map_or_else(String::new, |why| format!(": {}", word(why)));
            self.line(replay.ended, &format!("{}{why}", replay.state), out)?;
            let what = if replay.resolved { "resolved by the operator" } else { "put back by `ackd replay`" };
            self.line(Some(replay.at), what, out)?;
        }
        if life.state == State::Open {
            return self.waits(&why, out);
        }
        self.line(life.ended, &format!("{}{why}", life.state), out)?;
        let id = &life.id;
        match life.state {
            State::Dead => {
                self.line(None, &format!("to try again: ackd replay {id}; to leave it: ackd resolve {id}"), out)
            }
            State::Unknown => {
                let what = format!("if it was not seen: ackd replay {id}; if it was, it is then seen twice");
                self.line(None, &what, out)?;
                self.line(None, &format!("if it was seen: ackd resolve {id}"), out)
            }
            _ => Ok(()),
        }
    }

    /// What an open event waits for.
    fn waits(&self, why: &str, out: &mut dyn Write) -> io::Result<()> {
        let now = (self.world.clock)();
        // A daemon that starts does not rest; and what is due later still waits for its time.
        let rest = self.rest.as_ref().filter(|(until, _)| self.held && self.life.due.is_none_or(|due| due <= *until));
        if let Some((until, since)) = rest {
            let (channel, until) = (&self.life.id.channel, second(*until, &self.world.zone));
            self.line(None, &format!("open{why}"), out)?;
            return self.line(None, &format!("channel {channel} rests until {until}, since {}", word(since)), out);
        }
        let what = match self.life.due.filter(|due| *due > now) {
            Some(due) => {
                let seconds = due.since(now).as_millis().div_ceil(1000);
                self.line(None, &format!("open{why}"), out)?;
                format!("waits for its next attempt, due in {seconds} s, at {}", millisecond(due, &self.world.zone))
            }
            None if self.life.due.is_some() => format!("open{why}; it is worked on, or is next"),
            None if let Some(held) = self.life.held => {
                // The reason may begin with the same word.
                let held_why = why.strip_prefix(": ").filter(|why| why.starts_with("held "));
                self.line(Some(held), held_why.unwrap_or(&format!("held{why}")), out)?;
                let end = millisecond(held.after(HELD_LIFE), &self.world.zone);
                format!("it is said when somebody writes in its conversation, or ends dead after {end}")
            }
            None => format!("open{why}; it waits for its turn, behind others of its conversation or channel"),
        };
        self.line(None, &what, out)?;
        if !self.held {
            self.line(None, "no ackd runs on this store; it goes on when one does: ackd run", out)?;
        }
        Ok(())
    }
}

fn word(text: &str) -> String {
    shown(text, PREVIEW_CHARS_MAX).into_owned()
}

/// The beginning of an event's bytes.
fn bytes(raw: &[u8]) -> String {
    // A character has at most four bytes, so this is more than enough; one cut in half is past what is shown.
    let some = raw.get(..PREVIEW_CHARS_MAX * 4 + 4).unwrap_or(raw);
    word(&String::from_utf8_lossy(some))
}

fn tried(attempt: &Attempt) -> String {
    let took = attempt.ended.since(attempt.began).as_millis();
    let status = attempt.status.map_or_else(|| "no answer".to_owned(), |status| format!("HTTP {status}"));
    format!("attempt {}, {took} ms, {status}: {}", attempt.number, word(&attempt.words))
}

fn content(content: &Content) -> String {
    let said = |text: &str| format!("\"{}\"", word(text));
    match content {
        Content::Text { text, quick_replies } if quick_replies.is_empty() => said(text),
        Content::Text { text, quick_replies } => {
            format!("{}, {}", said(text), many(quick_replies.len(), "quick reply", "quick replies"))
        }
        Content::Gallery { cards } => {
            let first = cards.first().map_or_else(String::new, |card| format!(", first {}", said(&card.title)));
            format!("a gallery of {}{first}", many(cards.len(), "card", "cards"))
        }
        Content::Buttons { text, buttons } => format!("{}, {}", said(text), many(buttons.len(), "button", "buttons")),
        Content::Rich { plain, .. } => said(plain),
        Content::Template { name, texts, .. } => {
            format!(
                "template {} with {}",
                word(name),
                texts.iter().map(|text| said(text)).collect::<Vec<_>>().join(", ")
            )
        }
        Content::Picture { text, .. } => format!("a picture, and in words {}", said(text)),
        Content::Image { url } => format!("a picture at {}", word(url)),
        Content::File { url } => format!("a file at {}", word(url)),
        Content::Courtesy(CourtesyAct::MarkSeen) => "a sign that it was seen".to_owned(),
        Content::Courtesy(CourtesyAct::TypingOn) => "a sign that somebody types".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Folder, NOW, at, told, world};
    use super::*;
    use crate::model::{Arrival, EventKey, Fate, Instead, MemoryWrite, Purpose, Reply, SendEnd, Settlement};
    use crate::store::{RESTS, Store, lane};

    fn tell(folder: &Folder, name: &str) -> Result<String, CliError> {
        told(|out| why(&folder.config(), name, &world(), out))
    }

    fn story() -> Folder {
        let folder = Folder::new(std::thread::current().name().unwrap_or("why").rsplit("::").next().unwrap());
        folder.one_in_every_state();
        folder
    }

    #[test]
    fn an_answered_event_is_told_from_its_arrival_to_its_end() {
        let folder = story();
        let text = "\
page-1  answered

2027-01-15 08:00:00.000  received; its signature was checked before anything else
                  +2 ms  kept, and acknowledged once it was
                         message in conversation anna
                         the platform calls it mid.1.0.anna
                         {\"text\":\"hello from anna\"}
2027-01-15 08:00:00.000  heard by the bot, which made 1 reply

                         page-1.1  \"ok\"
2027-01-15 08:00:00.000    attempt 1, 131 ms, HTTP 200: delivered
                           said; the platform calls it mid.ours

2027-01-15 08:00:00.131  answered
";
        assert_eq!(tell(&folder, "page-1").unwrap(), text);
        assert_eq!(tell(&folder, "mid.1.0.anna").unwrap(), text, "by the platform's id");
        assert_eq!(tell(&folder, "mid.ours").unwrap(), text, "by the platform's id of the reply");
    }

    #[test]
    fn a_reply_that_may_have_been_seen_says_so_and_what_to_do() {
        let folder = story();
        let text = tell(&folder, "page-4").unwrap();
        let end = "
                         page-4.1  \"The coffee\\nis ready.\"
2027-01-15 08:00:03.000    attempt 1, 131 ms, no answer: no answer within 20 s
2027-01-15 08:00:04.000    attempt 2, 131 ms, HTTP 500: the platform is down
                           unknown: it was sent, but the platform's answer was lost
                           maybe twice: an earlier attempt may have been seen too, and nothing proves it was not

2027-01-15 08:00:04.131  unknown: a reply was sent, but the platform's answer was lost
                         if it was not seen: ackd replay page-4; if it was, it is then seen twice
                         if it was seen: ackd resolve page-4
";
        assert!(text.ends_with(end), "{text}");
        let part = tell(&folder, "page-4.1").unwrap();
        assert!(part.ends_with(end) && !part.contains("heard by the bot"), "{part}");
    }

    #[test]
    fn the_head_of_the_request_stands_below_its_arrival() {
        let folder = Folder::new("why-head");
        folder.with(|store, page| {
            let (id, conversation, raw) = ("mid.1".to_owned(), "anna".to_owned(), b"{}".to_vec().into());
            let arrival = Arrival { id, conversation, kind: "message", fate: Fate::Hear, raw, proves: None };
            let head = Some("POST /page\nHost: bots.example.org\nX-Hub-Signature-256: *** (71 bytes)\n");
            store.admit_with(page, &arrival, head, at(0), at(0)).unwrap();
        });
        let beginning = "\
page-1  open

2027-01-15 08:00:00.000  received; its signature was checked before anything else
                           POST /page
                           Host: bots.example.org
                           X-Hub-Signature-256: *** (71 bytes)
                  +0 ms  kept, and acknowledged once it was
";
        let text = tell(&folder, "page-1").unwrap();
        assert!(text.starts_with(beginning), "{text}");
    }

    #[test]
    fn what_was_resolved_tells_how_it_ended_before() {
        let folder = story();
        folder.with(|store, page| {
            for place in [3, 4] {
                store.resolve(EventKey::new(page, place), at(60)).unwrap();
            }
        });
        let dead = "
2027-01-15 08:00:00.000  dead: the bot broke
2027-01-15 08:01:00.000  resolved by the operator
2027-01-15 08:01:00.000  ignored: set aside by the operator; it was dead: the bot broke
";
        let unknown = "
                           said
                           maybe twice: an earlier attempt may have been seen too, and nothing proves it was not

2027-01-15 08:00:04.131  unknown: a reply was sent, but the platform's answer was lost
2027-01-15 08:01:00.000  resolved by the operator
2027-01-15 08:01:00.000  answered: the operator saw that it was said
";
        for (name, end) in [("page-3", dead), ("page-4", unknown)] {
            let text = tell(&folder, name).unwrap();
            assert!(text.ends_with(end), "{text}");
        }
    }

    #[test]
    fn an_alarm_was_not_received_but_rang() {
        use crate::model::{Alarm, AlarmSet, AlarmWrite, Plan, RunMissed, When};
        let folder = Folder::new("why-alarm");
        folder.with(|store, page| {
            let plan = Plan {
                when: When::Cron { pattern: "0 9 * * *".to_owned() },
                zone: "Europe/Berlin".to_owned(),
                run_missed: RunMissed::Latest,
                spread_s: 0,
            };
            let (owner, person, note) = ("sun".to_owned(), "anna".to_owned(), "today".to_owned());
            let set = AlarmSet { owner, person, thread: None, note, plan };
            let (conversation, name) = ("anna".to_owned(), "subscription".to_owned());
            let write = AlarmWrite {
                channel: page,
                conversation: conversation.clone(),
                name: name.clone(),
                set: Some((set.clone(), NOW)),
            };
            store.put_alarm(&write).unwrap();
            let alarm = Alarm { channel: page, conversation, name, set, due: NOW };
            let lease = store.ring(&alarm, Some(NOW), None, at(1)).unwrap().unwrap();
            folder.heard(store, &lease, &["1200 Wh"], at(1));
        });
        let text = tell(&folder, "page-1").unwrap();
        let beginning = "\
page-1  open

2027-01-15 08:00:01.000  alarm subscription rang
                         for 2027-01-15 09:00 (Europe/Berlin), set by bot sun: every day at 09:00 (Europe/Berlin), note today
                         in conversation anna
2027-01-15 08:00:01.000  heard by the bot, which made 1 reply

                         page-1.1  \"1200 Wh\"
";
        assert!(text.starts_with(beginning), "{text}");
    }

    #[test]
    fn while_a_channel_rests_its_open_events_say_until_when_and_why() {
        let folder = story();
        let rest = |seconds| {
            let (value, expires) = (Some(b"its token is refused: HTTP 401".to_vec()), Some(at(seconds)));
            let (bot, key) = (RESTS.to_owned(), "page".to_owned());
            folder.with(|store, _| store.remember(&MemoryWrite { bot, key, value, expires }).unwrap());
        };
        let holder = |name: &str| {
            let _daemon = SqliteFile::open(&folder.store()).unwrap();
            tell(&folder, name).unwrap()
        };
        rest(900);
        let line = "                         channel page rests until 2027-01-15 08:15:00, since its token is refused: \
                    HTTP 401\n";
        for name in ["page-5", "page-6", "page-7"] {
            let text = holder(name);
            assert!(text.ends_with(line) && !text.contains("is next") && !text.contains("its turn"), "{text}");
        }
        assert!(!holder("page-1").contains("rests"), "it has ended");
        let text = tell(&folder, "page-6").unwrap();
        assert!(!text.contains("rests") && text.contains("no ackd runs"), "a start probes at once: {text}");
        rest(30);
        let text = holder("page-5");
        assert!(!text.contains("rests") && text.contains("due in 60 s"), "it waits longer than its channel: {text}");
        rest(0);
        assert!(!holder("page-6").contains("rests"), "over");
    }

    #[test]
    fn every_other_end_has_its_reason_and_what_to_do() {
        let folder = story();
        let ends = |name: &str, end: &str| {
            let text = tell(&folder, name).unwrap();
            assert!(text.ends_with(&format!("\n\n{end}\n")), "{text}");
        };
        ends("page-2", "2027-01-15 08:00:01.000  ignored: an echo of our own message");
        ends(
            "page-3",
            "2027-01-15 08:00:00.000  dead: the bot broke\n                         to try again: ackd replay page-3; to \
             leave it: ackd resolve page-3",
        );
        ends(
            "page-5",
            "                         open: the bot is tired\n                         waits for its next attempt, due \
             in 60 s, at 2027-01-15 08:01:00.000\n                         no ackd runs on this store; it goes on when \
             one does: ackd run",
        );
        let waits = "open; it waits for its turn, behind others of its conversation or channel";
        assert!(tell(&folder, "page-6").unwrap().contains(waits));
        folder.with(|_, _| {
            let text = tell(&folder, "page-6").unwrap();
            assert!(text.contains(waits) && !text.contains("no ackd runs"), "somebody holds the store: {text}");
        });
    }

    #[test]
    fn a_push_was_asked_for_and_not_received() {
        let folder = story();
        let text = tell(&folder, "page-7").unwrap();
        assert!(!text.contains("received") && !text.contains("heard"), "{text}");
        assert!(text.contains("kept: `ackd send` asked for it, in conversation fritz"), "{text}");
        assert!(text.contains("page-7.1  \"Good morning\"") && text.contains("not said yet"), "{text}");
        assert_eq!(tell(&folder, "push:1").unwrap(), text);
    }

    #[test]
    fn what_is_held_or_said_elsewhere_says_so() {
        let folder = story();
        folder.with(|store, page| {
            let space = store.channel("space").unwrap();
            let why = "the window is closed".to_owned();
            let elsewhere =
                Instead::Elsewhere { channel: space, replies: vec![Reply::text("room", "2")], why: why.clone() };
            for (number, instead) in [(1, Instead::Hold { why }), (2, elsewhere)] {
                let (id, to) = (format!("held:{number}"), format!("h{number}"));
                let push = [Reply { purpose: Purpose::Push, ..Reply::text(to, number.to_string()) }];
                let event = store.push(page, &id, &push, at(50)).unwrap();
                let lane = lane(page, &push[0].to);
                store
                    .settle(&Settlement::Unsent { event, lane, part: 1, attempt: None, instead }, false, at(60))
                    .unwrap();
            }
        });
        let text = tell(&folder, "held:1").unwrap();
        let end = "2027-01-15 08:01:00.000  held: the window is closed
                         it is said when somebody writes in its conversation, or ends dead after 2027-01-22 08:01:00.000
";
        assert!(text.contains(end), "{text}");
        let text = tell(&folder, "held:2").unwrap();
        assert!(text.contains("skipped: it was said elsewhere\n"), "{text}");
        assert!(text.ends_with("answered: the window is closed; said as space-1 instead\n"), "{text}");
    }

    #[test]
    fn what_is_at_work_or_was_replayed_is_told_as_it_is() {
        let folder = story();
        folder.with(|store, page| {
            store.replay(EventKey::new(page, 4), None, at(100)).unwrap();
            store.replay(EventKey::new(page, 3), None, at(101)).unwrap();
        });
        let text = tell(&folder, "page-3").unwrap();
        let end = "dead: the bot broke\n2027-01-15 08:01:41.000  put back by `ackd replay`\n";
        assert!(text.contains(end) && !text.contains("heard by"), "{text}");
        let text = tell(&folder, "page-4").unwrap();
        assert!(text.contains("\n2027-01-15 08:00:03.000  heard by the bot, which made 1 reply\n"), "{text}");
        let end = "
2027-01-15 08:00:04.131  unknown: a reply was sent, but the platform's answer was lost
2027-01-15 08:01:40.000  put back by `ackd replay`
";
        assert!(text.contains(end), "{text}");
        assert!(text.contains("not said yet") && text.contains("maybe twice"), "{text}");
        folder.with(|store, page| {
            folder.next(store, page, NOW);
        });
        assert!(tell(&folder, "page-6").unwrap().contains("open; it is worked on, or is next"));
    }

    #[test]
    fn an_event_that_is_not_there_says_how_to_find_one() {
        let folder = story();
        for name in ["page-99", "nope-1", "m_unknown", "page-0\u{1b}"] {
            let error = tell(&folder, name).unwrap_err();
            assert_eq!(error.code(), 1);
            assert!(error.to_string().starts_with(&format!("there is no event {name:?}; `ackd events` lists")));
        }
        let error = |name| tell(&folder, name).unwrap_err().to_string();
        assert_eq!(error("page-4.2"), "there is no page-4.2: page-4 has 1 reply");
        assert_eq!(error("page-6.1"), "there is no page-6.1: page-6 has no reply");
    }

    #[test]
    fn what_came_from_outside_is_escaped_and_cut() {
        let folder = Folder::new("why-forge");
        folder.with(|store, page| {
            let evil = "\u{1b}[2J\n2027-01-15 08:00:00.000  answered\u{202e}";
            let raw = format!("{evil}{}", "ü".repeat(600)).into_bytes().into();
            let (id, conversation, fate) = (format!("id{evil}"), format!("from{evil}"), Fate::Hear);
            let arrival = Arrival { id, conversation, kind: "message", fate, raw, proves: None };
            store.admit(page, &arrival, NOW, NOW).unwrap();
            let lease = folder.next(store, page, NOW);
            let lease = folder.heard(store, &lease, &[evil], NOW).unwrap();
            folder.sent(store, &lease, (Some(400), evil), SendEnd::Dead, NOW);
        });
        let text = tell(&folder, "page-1").unwrap();
        assert!(!text.chars().any(|letter| letter != '\n' && letter.is_control() || letter == '\u{202e}'), "{text:?}");
        assert_eq!(text.lines().filter(|line| line.contains("\\u{1b}[2J\\n2027")).count(), 6, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 25 + PREVIEW_CHARS_MAX + 60), "{text}");
        assert!(text.contains("üüü…\n"), "{text}");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_far_as_they_are() {
        assert_eq!(bytes(b"\xff\xfe{\"a\":1}"), "\u{fffd}\u{fffd}{\"a\":1}");
        let long = bytes("ü𝄞".repeat(2000).as_bytes());
        assert!(long.ends_with('…') && !long.contains('\u{fffd}'), "{long}");
    }
}
