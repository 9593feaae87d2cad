//! `ackd replay --dry`: what another configuration would have said to what came in, beside what was said.

use super::rehearsal::{Rehearsal, Said};
use super::show::{ends, shown};
use super::{CliError, World};
use crate::config::{Config, Stage, length, quoted, text_of};
use crate::daemon::served_channel;
use crate::limits::{
    CONVERSATION_CHARS_MAX, EVENTS_LISTED_MAX, EVENTS_LOOKED_MAX, EVENTS_REHEARSED, KIND_CHARS_MAX, PREVIEW_CHARS_MAX,
};
use crate::model::{Content, Moment, Reply};
use crate::notation::shelf::Shelf;
use crate::store::sqlite::{EventLine, Reader};
use crate::store::{PUSH, State, StoreError, UNSAID};
use jiff::Timestamp;
use jiff::civil::Date;
use std::io::{self, Write};
use std::path::Path;

/// How it went.
#[derive(Default)]
struct Sums {
    same: u32,
    differ: u32,
    /// What could not be rehearsed, by its reason.
    left: Shelf<String, u32>,
}

/// Lets the bots of the configuration in `file` hear what its store has kept, the newest first, and shows where they
/// would say something else. `CliError::Told(1)` when they do.
pub fn rehearse(
    file: &Path,
    since: Option<&str>,
    env: &dyn Fn(&str) -> Option<String>,
    world: &World<'_>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let since = since.map(|text| moment(text, world)).transpose()?;
    // Nothing is verified, signed or called, so secrets mean nothing and no address is the platform's.
    let stage = Stage { house: "http://127.0.0.1:1".to_owned(), seed: 0 };
    let text = text_of(file).map_err(CliError::Config)?;
    let config = Config::staged(&text, file, env, &stage).map_err(CliError::Config)?;
    let reader = Reader::open(&config.store).map_err(untold)?;
    let rehearsal = rehearsal(&config, &reader);
    let most = if since.is_some() { EVENTS_LISTED_MAX } else { EVENTS_REHEARSED };
    let glance = reader.glance(None, most, EVENTS_LOOKED_MAX).map_err(untold)?;
    let goes_back = glance.lines.first().is_none_or(|oldest| since.is_none_or(|since| oldest.received >= since));
    let is_cut = goes_back && (glance.cut || glance.lines.len() >= most);
    let mut sums = Sums::default();
    for line in glance.lines.iter().rev().filter(|line| since.is_none_or(|since| line.received >= since)) {
        if was_heard(line) {
            rehearsal.compare(line, &mut sums, out)?;
        }
    }
    sums.tell(out)?;
    if is_cut {
        let more = if since.is_none() { "; with --since, more are" } else { "" };
        writeln!(out, "Only the newest {most} events were looked at{more}.")?;
    }
    if sums.differ > 0 { Err(CliError::Told(1)) } else { Ok(()) }
}

/// That it cannot be told is another exit code than that something differs, as with `diff`.
fn untold(error: StoreError) -> CliError {
    CliError::Usage(error.0)
}

fn rehearsal<'a>(config: &Config, reader: &'a Reader) -> Rehearsal<'a> {
    let channels = config.channels.iter().map(served_channel).collect();
    Rehearsal { reader, channels, shows_pictures: config.public_url.is_some() }
}

/// Since when: `2h` ago, a day from its midnight, or a moment.
fn moment(text: &str, world: &World<'_>) -> Result<Moment, CliError> {
    if let Some(length) = length(text, "smhd") {
        let length = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        return Ok(Moment((world.clock)().0.saturating_sub(length)));
    }
    let day = || text.parse::<Date>().ok()?.to_zoned(world.zone.clone()).ok().map(|day| day.timestamp());
    let moment = text.parse::<Timestamp>().ok().or_else(day);
    moment.map(|moment| Moment(moment.as_millisecond())).ok_or_else(|| {
        CliError::Usage(format!(
            "--since: {} is no moment; write for example 2h, 3d, 2026-11-21 or 2026-11-21T08:00:00Z; see ackd replay --help",
            quoted(text)
        ))
    })
}

/// Whether a bot heard it, or would have: not what was pushed, nor what is not for bots.
fn was_heard(line: &EventLine) -> bool {
    line.kind != PUSH && (line.state != State::Ignored || line.why.as_deref() == Some(UNSAID))
}

impl Rehearsal<'_> {
    fn compare(&self, line: &EventLine, sums: &mut Sums, out: &mut dyn Write) -> Result<(), CliError> {
        // It may be forgotten meanwhile.
        let Some(life) = self.reader.life(line.key).map_err(untold)? else { return Ok(()) };
        match self.before(&life).and_then(|before| Ok((before, self.now(&life)?))) {
            Ok((before, now)) if before == now => sums.same += 1,
            Ok((before, now)) => {
                sums.differ += 1;
                tell(line, &before, &now, out)?;
            }
            Err(why) => *sums.left.at(why) += 1,
        }
        Ok(())
    }
}

impl Sums {
    fn tell(&self, out: &mut dyn Write) -> io::Result<()> {
        let left: u32 = self.left.values().sum();
        writeln!(out, "{} the same, {} differ, {left} could not be rehearsed", self.same, self.differ)?;
        for (why, count) in &self.left {
            writeln!(out, "{count:>6}  {}", shown(why, PREVIEW_CHARS_MAX))?;
        }
        Ok(())
    }
}

/// One event that would be answered otherwise.
fn tell(event: &EventLine, before: &Said, now: &Said, out: &mut dyn Write) -> io::Result<()> {
    let (kind, conversation) = (shown(&event.kind, KIND_CHARS_MAX), ends(&event.conversation, CONVERSATION_CHARS_MAX));
    writeln!(out, "{}  {kind}  {conversation}", event.id)?;
    let (old, new) = (lines(before, &event.conversation), lines(now, &event.conversation));
    let alike = |(one, other): &(&String, &String)| one == other;
    let first = old.iter().zip(&new).take_while(alike).count();
    let (old, new) = (old.get(first..).unwrap_or_default(), new.get(first..).unwrap_or_default());
    let last = old.iter().rev().zip(new.iter().rev()).take_while(alike).count();
    let some = |sign: char, lines: &[String], out: &mut dyn Write| {
        lines.iter().take(lines.len() - last).try_for_each(|line| writeln!(out, "{sign} {}", shown(line, usize::MAX)))
    };
    some('-', old, out)?;
    some('+', new, out)?;
    if old == new {
        writeln!(out, "  the words are the same; where they are cut, a picture or a thread is not")?;
    }
    writeln!(out)
}

/// What was said in a conversation, line by line.
fn lines(said: &Said, conversation: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for reply in &said.replies {
        if reply.to != conversation {
            lines.push(format!("(to {})", reply.to));
        }
        words(reply, &mut lines);
    }
    match &said.dead {
        Some(why) => lines.push(format!("(dead: {why})")),
        None if said.replies.is_empty() => lines.push("(nothing)".to_owned()),
        None => {}
    }
    lines
}

fn words(reply: &Reply, lines: &mut Vec<String>) {
    match &reply.content {
        Content::Text { text, quick_replies } => {
            lines.extend(text.lines().map(str::to_owned));
            lines.extend(quick_replies.iter().map(|choice| match choice.title == choice.payload {
                true => format!("[{}]", choice.title),
                false => format!("[{}] {}", choice.title, choice.payload),
            }));
        }
        Content::Picture { text, .. } => {
            lines.push("(a picture)".to_owned());
            lines.extend(text.lines().map(str::to_owned));
        }
        // As it is kept, each card or button on a line.
        content => {
            let json = serde_json::to_string(content).unwrap_or_else(|_| content.in_words());
            lines.extend(json.replace("},{", "},\n{").lines().map(str::to_owned));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Folder, NOW, at, world};
    use super::*;
    use crate::bot::solar::binding;
    use crate::bot::{Bot, BotFault, Desk, NewAlarm};
    use crate::limits::{MEMORY_VALUE_BYTES_MAX, STAGE_BYTES_MAX, STAGES_MAX};
    use crate::model::{Arrival, ChannelNumber, Event, EventKey, Fate, MemoryWrite, Picture, Plan, RunMissed, When};
    use crate::store::sqlite::Engine;
    use crate::store::{Admitted, Store};
    use std::fs;
    use std::sync::Arc;
    use std::time::Duration;

    const ECHO: &str = "kind = \"echo\"\n";

    /// `page` with a bot of this table, in a file whose secrets are nowhere.
    fn file(folder: &Folder, bot: &str) -> std::path::PathBuf {
        let text = format!(
            "listen = \"127.0.0.1:3000\"\n[channel.page]\nplatform = \"messenger\"\npath = \"/page\"\nbot = \"it\"\n\
             verify_token = {{ env = \"UNSET\" }}\napp_secret = {{ env = \"UNSET\" }}\n\
             access_token = {{ file = \"/nowhere/token\" }}\n[bot.it]\n{bot}"
        );
        let file = folder.0.join("new.toml");
        fs::write(&file, text).unwrap();
        file
    }

    fn run(folder: &Folder, bot: &str, since: Option<&str>) -> (String, Result<(), CliError>) {
        let mut out = Vec::new();
        let end = rehearse(&file(folder, bot), since, &|_| None, &world(), &mut out);
        (String::from_utf8(out).unwrap(), end)
    }

    fn came(store: &mut Engine<'_>, channel: ChannelNumber, text: &str, second: u64) -> EventKey {
        let raw = format!("{{\"message\":{{\"mid\":\"m\",\"text\":\"{text}\"}}}}").into_bytes().into();
        let (id, conversation) = (format!("m.{second}"), "anna".to_owned());
        let arrival = Arrival { id, conversation, kind: "message", fate: Fate::Hear, raw, proves: None };
        match store.admit(channel, &arrival, at(second), at(second)).unwrap() {
            Admitted::Kept { event, .. } => event,
            Admitted::Duplicate => panic!("{text} was not new"),
        }
    }

    /// Somebody writes `text`, and these were the answers.
    fn answered(folder: &Folder, text: &str, said: &[&str], second: u64) {
        folder.with(|store, page| {
            came(store, page, text, second);
            let lease = folder.next(store, page, NOW);
            let mut lease = folder.heard(store, &lease, said, NOW);
            while let Some(next) = lease {
                let end = crate::model::SendEnd::Delivered { message_id: None };
                lease = folder.sent(store, &next, (Some(200), "delivered"), end, NOW);
            }
        });
    }

    #[test]
    fn what_would_be_said_again_is_the_same_and_needs_no_secret() {
        let folder = Folder::new("dry-same");
        answered(&folder, "hello", &["hello"], 0);
        answered(&folder, "two", &["two"], 1);
        assert_eq!(run(&folder, ECHO, None), ("2 the same, 0 differ, 0 could not be rehearsed\n".to_owned(), Ok(())));
    }

    #[test]
    fn another_answer_is_shown_beside_the_one_that_was_given_the_newest_first() {
        let folder = Folder::new("dry-differ");
        answered(&folder, "line one\\nline two", &["line one\nline 2"], 0);
        answered(&folder, "same", &["same"], 1);
        answered(&folder, "\\u001b[2Jhello", &["hel", "lo"], 2);
        let text = "page-3  message  anna\n- hel\n- lo\n+ \\u{1b}[2Jhello\n\n\
                    page-1  message  anna\n- line 2\n+ line two\n\n\
                    1 the same, 2 differ, 0 could not be rehearsed\n";
        assert_eq!(run(&folder, ECHO, None), (text.to_owned(), Err(CliError::Told(1))));
    }

    #[test]
    fn another_bot_hears_what_the_old_one_heard_and_nothing_is_kept_of_it() {
        let folder = Folder::new("dry-tour");
        answered(&folder, "hello", &["hello"], 0);
        folder.with(|store, _| {
            let (bot, value) = ("it".to_owned(), Some(b"41".to_vec()));
            // It had not expired yet when the event came.
            let expires = Some(at(60));
            store.remember(&MemoryWrite { bot, key: "count of anna".to_owned(), value, expires }).unwrap();
        });
        let (text, end) = run(&folder, "kind = \"tour\"\n", None);
        let said = "- hello\n+ You said: hello\n+ That was message 42 of yours. What next?\n+ [Cards]\n";
        assert!(text.contains(said) && end == Err(CliError::Told(1)), "{text}");
        let kept = Reader::open(&folder.store()).unwrap().recall("it", "count of anna", NOW).unwrap();
        assert_eq!(kept, Some(b"41".to_vec()));
    }

    #[test]
    fn an_event_whose_bot_asks_a_service_is_counted_with_the_service() {
        let folder = Folder::new("dry-solar");
        answered(&folder, "today", &["9 kWh"], 0);
        let bot =
            "kind = \"solar\"\nupstream = \"sun\"\n[upstream.sun]\napi = \"https://e.example\"\nunlimited = true\n";
        let (text, end) = run(&folder, bot, None);
        assert!(text.contains("- 9 kWh\n+ ") && end == Err(CliError::Told(1)), "a stranger is told so: {text}");
        folder.with(|store, _| {
            let (key, value) = (binding("page", "anna"), Some(b"[67]".to_vec()));
            store.remember(&MemoryWrite { bot: "it".to_owned(), key, value, expires: None }).unwrap();
        });
        let sums = "0 the same, 0 differ, 1 could not be rehearsed\n     1  asks upstream sun\n";
        assert_eq!(run(&folder, bot, None), (sums.to_owned(), Ok(())));
    }

    #[test]
    fn what_cannot_be_rehearsed_is_counted_by_its_reason() {
        let folder = Folder::new("dry-reasons");
        answered(&folder, "fine", &["fine"], 0);
        folder.with(|store, page| {
            for (name, raw) in [("page", "no JSON"), ("gone", "{}"), ("gone", "{} ")] {
                let channel = store.channel(name).unwrap();
                let (id, raw) = (raw.to_owned(), raw.as_bytes().into());
                let conversation = "anna".to_owned();
                let arrival = Arrival { id, conversation, kind: "message", fate: Fate::Hear, raw, proves: None };
                store.admit(channel, &arrival, NOW, NOW).unwrap();
                folder.answer_next(store, channel);
            }
            came(store, page, "waits", 9);
            store.push(page, "push:1", &[Reply::text("anna", "Good morning")], NOW).unwrap();
            let (id, conversation) = ("e".to_owned(), "anna".to_owned());
            let fate = Fate::Ignore("of another page");
            let other = Arrival { id, conversation, kind: "message", fate, raw: Box::default(), proves: None };
            store.admit(page, &other, NOW, NOW).unwrap();
        });
        let (text, end) = run(&folder, ECHO, None);
        let sums = "1 the same, 0 differ, 4 could not be rehearsed\n     1  cannot be read: the kept event is not";
        assert!(text.starts_with(sums) && end == Ok(()), "{text}");
        assert!(text.ends_with("     2  no channel of that name\n     1  not answered yet\n"), "{text}");

        let webex = "listen = \"127.0.0.1:3000\"\n[channel.page]\nplatform = \"webex\"\npath = \"/page\"\nbot = \"it\"\n\
                     access_token = \"demo-demo\"\nsecret = \"demo-demo\"\n[bot.it]\nkind = \"echo\"\n";
        let file = folder.0.join("webex.toml");
        fs::write(&file, webex).unwrap();
        let mut out = Vec::new();
        rehearse(&file, None, &|_| None, &world(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("     2  asks platform webex\n"), "{text}");
    }

    #[test]
    fn what_a_bot_did_not_answer_may_be_answered_now() {
        let folder = Folder::new("dry-silence");
        folder.with(|store, page| {
            came(store, page, "hello", 0);
            folder.kill_next(store, page, "bot it: it broke");
            came(store, page, "quiet", 1);
            let lease = folder.next(store, page, NOW);
            folder.heard(store, &lease, &[], NOW);
        });
        let text = "page-2  message  anna\n- (nothing)\n+ quiet\n\n\
                    page-1  message  anna\n- (dead: bot it: it broke)\n+ hello\n\n\
                    0 the same, 2 differ, 0 could not be rehearsed\n";
        assert_eq!(run(&folder, ECHO, None).0, text);
    }

    #[test]
    fn it_goes_back_as_far_as_it_is_told() {
        let folder = Folder::new("dry-since");
        answered(&folder, "old", &["old"], 0);
        answered(&folder, "new", &["new"], 3600);
        let sums = |since| run(&folder, ECHO, Some(since)).0;
        // The world's clock stands at the first of them.
        for since in ["0s", "2027-01-15T08:00:00Z", "2027-01-15", "2h", "3d", "2027-01-15T09:00:00+01:00"] {
            assert_eq!(sums(since), "2 the same, 0 differ, 0 could not be rehearsed\n", "{since}");
        }
        assert_eq!(sums("2027-01-15T08:00:01Z"), "1 the same, 0 differ, 0 could not be rehearsed\n");
        assert_eq!(sums("2027-01-16"), "0 the same, 0 differ, 0 could not be rehearsed\n");
        let (_, end) = run(&folder, ECHO, Some("yesterday"));
        assert!(matches!(end, Err(CliError::Usage(what)) if what.starts_with("--since: \"yesterday\" is no moment; ")));
    }

    #[test]
    fn more_than_it_takes_is_said() {
        let folder = Folder::new("dry-bound");
        folder.with(|store, page| {
            for number in 0..=EVENTS_REHEARSED {
                came(store, page, "hello", number.try_into().unwrap());
            }
        });
        let (text, _) = run(&folder, ECHO, None);
        let said = "\n  1000  not answered yet\nOnly the newest 1000 events were looked at; with --since, more are.\n";
        assert!(text.ends_with(said), "{text}");
        let all = "0 the same, 0 differ, 1001 could not be rehearsed\n  1001  not answered yet\n";
        assert_eq!(run(&folder, ECHO, Some("1d")).0, all);
    }

    #[test]
    fn what_keeps_it_from_telling_is_exit_code_2() {
        let folder = Folder::new("dry-faults");
        let none = run(&folder, ECHO, None).1.unwrap_err();
        assert!(none.code() == 2 && none.to_string().contains("there is none yet"), "{none}");
        folder.make();
        let faulty = run(&folder, "kind = \"ecko\"\n", None).1.unwrap_err();
        assert!(matches!(faulty, CliError::Config(_)) && faulty.code() == 2, "{faulty}");
    }

    /// What a rehearsal of the newest event with this bot comes to.
    fn with(folder: &Folder, bot: Arc<dyn Bot>, shows_pictures: bool) -> String {
        let stage = Stage { house: "http://127.0.0.1:1".to_owned(), seed: 0 };
        let path = file(folder, ECHO);
        let mut config = Config::staged(&fs::read_to_string(&path).unwrap(), &path, &|_| None, &stage).unwrap();
        config.channels[0].bot = bot;
        let reader = Reader::open(&folder.store()).unwrap();
        let rehearsal = Rehearsal { shows_pictures, ..rehearsal(&config, &reader) };
        let line = reader.glance(None, 1, 1).unwrap().lines.remove(0);
        let (mut sums, mut out) = (Sums::default(), Vec::new());
        rehearsal.compare(&line, &mut sums, &mut out).unwrap();
        sums.tell(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Tries out its desk.
    struct Tries;

    impl Bot for Tries {
        fn hear(&self, event: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
            let never = |done: Result<(), BotFault>| matches!(done, Err(BotFault::Never { .. }));
            desk.remember("code", b"1234".to_vec(), None)?;
            desk.use_up("code")?;
            let facts = [
                desk.holds_pushes(),
                desk.reserve("sun", 0).is_ok(),
                desk.recall("code")?.is_none(),
                desk.remember("much", vec![0; MEMORY_VALUE_BYTES_MAX], None).is_ok(),
                never(desk.remember("more", vec![0; MEMORY_VALUE_BYTES_MAX + 1], None)),
                never(desk.go_on(vec![0; STAGE_BYTES_MAX + 1], None)),
            ];
            Ok(vec![Reply::text(&event.conversation, format!("{facts:?}"))])
        }
    }

    #[test]
    fn a_desk_in_a_rehearsal_gives_and_refuses_what_a_workers_does() {
        let folder = Folder::new("dry-desk");
        answered(&folder, "hello", &["[true, true, true, true, true, true]"], 0);
        let text = with(&folder, Arc::new(Tries), false);
        assert_eq!(text, "1 the same, 0 differ, 0 could not be rehearsed\n");
    }

    /// Goes on for longer than it may, and says nothing.
    struct GoesOn;

    impl Bot for GoesOn {
        fn hear(&self, _: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
            let note = desk.stage().map_or(0, <[u8]>::len);
            if note < STAGES_MAX as usize + 4 {
                desk.go_on(vec![0; note + 1], None)?;
            }
            Ok(Vec::new())
        }
    }

    #[test]
    fn an_answer_in_too_many_stages_is_dead_as_it_would_be() {
        let folder = Folder::new("dry-on");
        answered(&folder, "hello", &["more"], 0);
        let text = with(&folder, Arc::new(GoesOn), false);
        assert!(text.contains(&format!("as stage {} of its answer)\n", STAGES_MAX + 1)), "{text}");
    }

    /// Looks at its alarms, and says something whatever comes of it.
    struct Looks;

    impl Bot for Looks {
        fn hear(&self, event: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
            let known = desk.alarms().is_ok();
            Ok(vec![Reply::text(&event.conversation, format!("{known}"))])
        }
    }

    #[test]
    fn what_is_said_without_what_was_asked_for_is_not_shown() {
        let folder = Folder::new("dry-missed");
        answered(&folder, "hello", &["true"], 0);
        let sums =
            "0 the same, 0 differ, 1 could not be rehearsed\n     1  looks at its alarms, which are others now\n";
        assert_eq!(with(&folder, Arc::new(Looks), false), sums);
    }

    /// Shows a picture, sets an alarm, and has a second thing to say an hour later, with what it remembers of the first.
    struct Twice;

    impl Bot for Twice {
        fn hear(&self, event: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
            let text = |text: String| Reply::text(&event.conversation, text);
            if let Some(note) = desk.stage().map(<[u8]>::to_vec) {
                let known = desk.recall("first")?.unwrap_or_default();
                let said = String::from_utf8([note, known].concat()).unwrap();
                return Ok(vec![text(format!("{said} at {}", desk.now().since(NOW).as_secs()))]);
            }
            desk.remember("first", b" remembered".to_vec(), None)?;
            desk.go_on(b"second".to_vec(), Some(desk.now().after(Duration::from_secs(3600))))?;
            let (when, zone) = (When::Every { seconds: 3600 }, "UTC".to_owned());
            let plan = Plan { when, zone, run_missed: RunMissed::Latest, spread_s: 0 };
            let alarm = NewAlarm { name: "a".to_owned(), conversation: None, note: String::new(), plan };
            assert!(desk.set_alarm(alarm)?.is_ok());
            let content = Content::Picture { picture: Picture::gif(b"GIF89a"), text: "nine".to_owned() };
            Ok(vec![Reply { content, ..text(String::new()) }])
        }
    }

    #[test]
    fn stages_follow_each_other_and_a_picture_is_the_same_whatever_its_name() {
        let folder = Folder::new("dry-stages");
        folder.with(|store, page| {
            came(store, page, "hello", 5);
            let lease = folder.next(store, page, NOW);
            let url = format!("https://b.example/.well-known/ackd/picture/{}.gif", "ab".repeat(16));
            let image = Reply { content: Content::Image { url }, ..Reply::text("anna", "") };
            let text = |text| Reply::text("anna", text);
            let replies = vec![text("nine"), image, text("second remembered at 3605")];
            let (event, lane, notes) = (lease.event, lease.lane, crate::model::Notes::default());
            let heard = crate::model::Settlement::Heard { event, lane, replies, notes };
            let mut lease = store.settle(&heard, true, NOW).unwrap();
            while let Some(next) = lease {
                let end = crate::model::SendEnd::Delivered { message_id: None };
                lease = folder.sent(store, &next, (Some(200), "delivered"), end, NOW);
            }
        });
        let compare = |shows| with(&folder, Arc::new(Twice), shows);
        assert_eq!(compare(true), "1 the same, 0 differ, 0 could not be rehearsed\n");
        let less = compare(false);
        assert!(
            less.contains("\n- {\"image\":{\"url\":\"a picture that the bot made\"}}\n\n0 the same, 1 differ"),
            "{less}"
        );
    }
}
