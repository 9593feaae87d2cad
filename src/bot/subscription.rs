//! What people say to be told something again and again: `subscribe 11:00`, `stop`, `when?`. For every bot that pushes.
//!
//!     text ──parse──▶ Words ──handle──▶ the alarm "subscription" of the conversation, and a friendly sentence
//!
//! The words come in any order and case. What is not understood is told how to write it, never guessed. When the alarm
//! rings, the bot hears `EventKind::Alarm` with that name and its own note.

use super::{BotFault, Desk, NewAlarm};
use crate::limits::{COMMAND_CHARS_MAX, DAY_TIMES_MAX, QUOTED_CHARS_MAX, SUBSCRIPTION_SECONDS_MIN};
use crate::model::{DayTime, Event, Plan, Reply, RunMissed, Weekday, When};
use crate::notation::nearest::nearest;
use std::iter::Peekable;

/// The name of the alarm; a conversation has one.
pub const NAME: &str = "subscription";

const DAY_SECONDS: u32 = 24 * 3600;
/// Only Messenger has such a rule (messenger.md §9).
const HELD: &str =
    " Messenger lets me write only within 24 hours of your last message; otherwise you get it when you next write.";
const EXAMPLES: &str = "write for example \"subscribe 11:00\", \"subscribe mon, fri 9:30\" or \"subscribe every 2h\".";

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    Subscribe(Plan),
    Stop,
    When,
    /// It is about a subscription, but not clear: what to write instead.
    Unclear(String),
}

/// Reads a message; `None` when it is about something else. Times are in `zone`.
pub fn parse(text: &str, zone: &str) -> Option<Words> {
    if text.chars().nth(COMMAND_CHARS_MAX).is_some() {
        return None;
    }
    let text = text.to_lowercase();
    let edge = |sign: char| !sign.is_alphanumeric();
    let words = text.split(|sign: char| sign.is_whitespace() || ",;&+".contains(sign));
    let words: Vec<&str> = words.map(|word| word.trim_matches(edge)).filter(|word| !word.is_empty()).collect();
    let all = |known: &[&str]| words.iter().all(|word| known.contains(word) || FILLERS.contains(word));
    let has = |known: &[&str]| words.iter().any(|word| known.contains(word));
    if has(STOPS) && all(STOPS) {
        return Some(Words::Stop);
    }
    if has(&["when"]) && all(WHENS) {
        return Some(Words::When);
    }
    let meant = |word: &&str| nearest(word, ["subscribe", "unsubscribe"]);
    match words.iter().find_map(meant)? {
        "subscribe" => Some(subscribe(&words, zone)),
        _ => Some(Words::Unclear("If you want me to stop, write \"stop\".".to_owned())),
    }
}

/// Does what somebody wants in the event's conversation, and says so. `note` is what the bot hears when the alarm rings,
/// `example` what somebody may write to set one.
pub fn handle(
    words: Words,
    event: &Event,
    note: &str,
    example: &str,
    desk: &mut dyn Desk,
) -> Result<Vec<Reply>, BotFault> {
    let said = match words {
        Words::Unclear(what) => what,
        Words::Subscribe(plan) => {
            let when = plan.words();
            let alarm = NewAlarm { name: NAME.to_owned(), conversation: None, note: note.to_owned(), plan };
            match desk.set_alarm(alarm)? {
                Ok(_) => {
                    let held = if desk.holds_pushes() { HELD } else { "" };
                    format!("You will hear from me {when}. Say \"stop\" to end it.{held}")
                }
                Err(why) => format!("That does not work: {why}."),
            }
        }
        Words::Stop | Words::When => match desk.alarms()?.into_iter().find(|alarm| alarm.name == NAME) {
            None => format!("You have no subscription; write \"{example}\"."),
            Some(_) if words == Words::Stop => {
                desk.cancel_alarm(NAME)?;
                format!("Your subscription has ended. Write \"{example}\" to begin again.")
            }
            Some(alarm) => format!(
                "You hear from me {}; the next time is {}. Say \"stop\" to end it.",
                alarm.plan.words(),
                alarm.plan.day_and_time(alarm.due)
            ),
        },
    };
    Ok(vec![Reply::text(&event.conversation, said)])
}

/// What makes no difference.
const FILLERS: &[&str] = &[
    "a",
    "about",
    "an",
    "and",
    "at",
    "me",
    "messages",
    "my",
    "now",
    "o'clock",
    "of",
    "on",
    "please",
    "sending",
    "that",
    "the",
    "this",
    "tell",
    "to",
    "for",
    "from",
    "you",
    "it",
    "i",
    "in",
    "subscription",
    "updates",
    "want",
    "would",
    "like",
];
const STOPS: &[&str] = &["stop", "unsubscribe", "cancel"];
const WHENS: &[&str] = &["when", "is", "are", "will", "do", "hear", "next", "time", "message"];

/// What was said of a plan so far.
#[derive(Default)]
struct Said {
    times: Vec<DayTime>,
    days: Vec<Weekday>,
    /// Every so many seconds.
    every: Option<u32>,
    /// "daily", which is no more than a time without days, or "weekly", which needs some.
    daily: bool,
    weekly: bool,
}

fn subscribe(words: &[&str], zone: &str) -> Words {
    let mut said = Said::default();
    let mut words = words.iter().copied().peekable();
    while let Some(word) = words.next() {
        if let Err(what) = said.hear(word, &mut words) {
            return Words::Unclear(what);
        }
    }
    match said.when() {
        Ok(when) => Words::Subscribe(Plan { when, zone: zone.to_owned(), run_missed: RunMissed::Latest, spread_s: 0 }),
        Err(what) => Words::Unclear(what),
    }
}

impl Said {
    /// Takes one word, and those behind it that belong to it.
    fn hear<'w>(&mut self, word: &str, rest: &mut Peekable<impl Iterator<Item = &'w str>>) -> Result<(), String> {
        match word {
            "daily" | "everyday" => self.daily = true,
            "weekly" => self.weekly = true,
            "hourly" => self.repeat(1, "hour")?,
            "every" | "each" => self.every(rest)?,
            _ => {
                if let Some((first, last)) = days(word) {
                    // "mon to fri" says the same as "mon-fri".
                    let to = rest.next_if(|word| ["to", "till", "until", "through"].contains(word)).is_some();
                    let (_, last) =
                        to.then(|| rest.peek().and_then(|word| days(word))).flatten().unwrap_or((first, last));
                    self.days.extend(from_to(first, last));
                } else if let Some(time) = time(word, rest) {
                    self.times.push(time);
                } else if !FILLERS.contains(&word) && nearest(word, ["subscribe"]).is_none() {
                    return Err(unknown(word));
                }
            }
        }
        Ok(())
    }

    /// What stands behind "every".
    fn every<'w>(&mut self, rest: &mut Peekable<impl Iterator<Item = &'w str>>) -> Result<(), String> {
        let Some(word) = rest.peek().copied() else { return Ok(()) };
        let digits = word.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(word.len());
        let (number, unit) = word.split_at_checked(digits).unwrap_or((word, ""));
        if number.is_empty() {
            if ["day", "days"].contains(&word) {
                self.daily = true;
            } else if word == "week" {
                self.weekly = true;
            } else if seconds(word).is_some() {
                self.repeat(1, word)?;
            } else {
                // "every monday": the next word speaks for itself.
                return Ok(());
            }
            rest.next();
            return Ok(());
        }
        rest.next();
        let unit = if unit.is_empty() { rest.next().unwrap_or("") } else { unit };
        // More digits than fit are too many in any unit.
        self.repeat(number.parse().unwrap_or(u32::MAX), unit)
    }

    fn repeat(&mut self, number: u32, unit: &str) -> Result<(), String> {
        let Some(length) = seconds(unit) else {
            return Err(format!(
                "Every {number} of what? Write for example \"subscribe every 2h\" or \"subscribe 11:00\"."
            ));
        };
        let every = number.saturating_mul(length);
        if every < SUBSCRIPTION_SECONDS_MIN {
            let least = SUBSCRIPTION_SECONDS_MIN / 60;
            return Err(format!("That is too often for me; write for example \"subscribe every {least}m\"."));
        }
        if every > DAY_SECONDS {
            return Err("I count up to 24 hours; for more, name the days: \"subscribe mon 11:00\".".to_owned());
        }
        self.every = Some(every);
        Ok(())
    }

    /// All of it together.
    fn when(self) -> Result<When, String> {
        let named: Vec<_> = self.days.iter().map(|day| day.name()).collect();
        let on = if named.is_empty() { String::new() } else { format!("{} ", named.join(", ")) };
        match self.every {
            Some(_) if self.daily || self.weekly || !self.times.is_empty() || !self.days.is_empty() => {
                Err("Again and again, or at a time of day? Write \"subscribe every 2h\" or \"subscribe 11:00\"."
                    .to_owned())
            }
            Some(seconds) => Ok(When::Every { seconds }),
            None if self.weekly && named.is_empty() => {
                Err("On which day, and when? Write for example \"subscribe mon 11:00\".".to_owned())
            }
            None if self.times.is_empty() => Err(format!("At what time? Write for example \"subscribe {on}11:00\".")),
            None if self.times.len() > DAY_TIMES_MAX => {
                Err(format!("These are too many times of day; I keep up to {DAY_TIMES_MAX}."))
            }
            None => Ok(When::daily(&self.times, &self.days)),
        }
    }
}

/// A time of day; `am` or `pm` may be the next word.
fn time<'w>(word: &str, rest: &mut Peekable<impl Iterator<Item = &'w str>>) -> Option<DayTime> {
    match word {
        "noon" => return DayTime::new(12, 0),
        "midnight" => return DayTime::new(0, 0),
        _ => {}
    }
    let (clock, half) = match word.strip_suffix("am").map(|clock| (clock, 0)) {
        Some((clock, half)) => (clock, Some(half)),
        None => word.strip_suffix("pm").map_or((word, None), |clock| (clock, Some(12))),
    };
    let clock = clock.replace('.', ":");
    let clock = if clock.contains(':') { clock } else { format!("{clock}:00") };
    let half =
        half.or_else(|| rest.next_if(|word| ["am", "pm"].contains(word)).map(|word| 12 * u8::from(word == "pm")));
    let Some(half) = half else { return DayTime::parse(&clock) };
    // Of twelve hours the twelfth comes first: 12:30am is half past midnight.
    let (hour, minute) = clock.split_once(':')?;
    let hour: u8 = hour.parse().ok().filter(|hour| (1..=12).contains(hour))?;
    DayTime::parse(&format!("{}:{minute}", hour % 12 + half))
}

/// A day of the week or several: `mon`, `mondays`, `mon-fri`, `weekdays`; the first and the last.
fn days(word: &str) -> Option<(Weekday, Weekday)> {
    match word {
        "weekday" | "weekdays" | "workday" | "workdays" => return Some((Weekday::Mon, Weekday::Fri)),
        "weekend" | "weekends" => return Some((Weekday::Sat, Weekday::Sun)),
        _ => {}
    }
    match word.split_once(['-', '–']) {
        Some((first, last)) => Some((day(first)?, day(last)?)),
        None => day(word).map(|day| (day, day)),
    }
}

/// A day by its name, or at least three letters of it: `tue`, `thurs`, `fridays`.
fn day(word: &str) -> Option<Weekday> {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let name = word.strip_suffix('s').unwrap_or(word);
    let fits = |full: &&str| name.len() >= 3 && full.starts_with(name);
    let at = NAMES.iter().position(fits)?;
    Weekday::ALL.get(at).copied()
}

/// From one day to another, over the end of the week if need be.
fn from_to(first: Weekday, last: Weekday) -> Vec<Weekday> {
    let week = Weekday::ALL.iter().chain(&Weekday::ALL).copied();
    let mut days: Vec<_> = week.skip_while(|day| *day != first).take(7).collect();
    if let Some(end) = days.iter().position(|day| *day == last) {
        days.truncate(end + 1);
    }
    days
}

/// How many seconds a unit of time has.
fn seconds(unit: &str) -> Option<u32> {
    match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(60),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(3600),
        "d" | "day" | "days" => Some(DAY_SECONDS),
        "w" | "week" | "weeks" => Some(7 * DAY_SECONDS),
        _ => None,
    }
}

fn unknown(word: &str) -> String {
    let shown: String = word.chars().take(QUOTED_CHARS_MAX).collect();
    format!("I do not understand \"{shown}\"; {EXAMPLES}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::SetAlarm;
    use crate::bot::paper::Paper;
    use crate::model::{Content, EventId, EventKind, Moment};

    fn plan(text: &str) -> Plan {
        match parse(text, "Europe/Berlin") {
            Some(Words::Subscribe(plan)) => plan,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn unclear(text: &str) -> String {
        match parse(text, "Europe/Berlin") {
            Some(Words::Unclear(what)) => what,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_plan_is_understood_in_any_order_and_case() {
        for (text, words) in [
            ("subscribe 11:00", "every day at 11:00 (Europe/Berlin)"),
            ("Subscribe daily at 7", "every day at 07:00 (Europe/Berlin)"),
            ("11:00 SUBSCRIBE", "every day at 11:00 (Europe/Berlin)"),
            ("please subscribe me every day, 7.30!", "every day at 07:30 (Europe/Berlin)"),
            ("subscribe mon, fri 9:30", "on Mon and Fri at 09:30 (Europe/Berlin)"),
            ("9:30 fri&mon subscribe", "on Mon and Fri at 09:30 (Europe/Berlin)"),
            ("subscribe weekdays 8am", "on Mon, Tue, Wed, Thu and Fri at 08:00 (Europe/Berlin)"),
            ("subscribe mon-wed 8 pm", "on Mon, Tue and Wed at 20:00 (Europe/Berlin)"),
            ("subscribe sat to mon 8 pm", "on Mon, Sat and Sun at 20:00 (Europe/Berlin)"),
            ("subscribe weekends noon", "on Sat and Sun at 12:00 (Europe/Berlin)"),
            ("subscribe every Thursday at midnight", "on Thu at 00:00 (Europe/Berlin)"),
            ("subscribe tues thurs 12:30am", "on Tue and Thu at 00:30 (Europe/Berlin)"),
            ("subscribe weekly on Sundays 12 PM", "on Sun at 12:00 (Europe/Berlin)"),
            ("subscribe 8:00 and 20:00", "every day at 08:00 and 20:00 (Europe/Berlin)"),
            ("subscribe to updates mon-sun 9:00", "every day at 09:00 (Europe/Berlin)"),
            ("subscribe every 2h", "every 2 hours"),
            ("subscribe every 90 minutes", "every 90 minutes"),
            ("subscribe every hour", "every hour"),
            ("hourly subscribe", "every hour"),
            ("subscirbe 11:00", "every day at 11:00 (Europe/Berlin)"),
        ] {
            assert_eq!(plan(text).words(), words, "{text}");
        }
    }

    #[test]
    fn what_is_not_clear_is_told_what_to_write() {
        let too_often = "That is too often for me; write for example \"subscribe every 10m\".";
        let count = "I count up to 24 hours; for more, name the days: \"subscribe mon 11:00\".";
        let either = "Again and again, or at a time of day? Write \"subscribe every 2h\" or \"subscribe 11:00\".";
        for (text, what) in [
            ("subscribe", "At what time? Write for example \"subscribe 11:00\"."),
            ("subscribe daily", "At what time? Write for example \"subscribe 11:00\"."),
            ("subscribe fri, mon", "At what time? Write for example \"subscribe fri, mon 11:00\"."),
            ("subscribe weekly 9:00", "On which day, and when? Write for example \"subscribe mon 11:00\"."),
            ("subscribe every 9m", too_often),
            ("subscribe every 5 seconds", too_often),
            ("subscribe every 0h", too_often),
            ("subscribe every 25h", count),
            ("subscribe every 2 days", count),
            ("subscribe every 99999999999999999999h", count),
            ("subscribe every 2", "Every 2 of what? Write for example \"subscribe every 2h\" or \"subscribe 11:00\"."),
            ("subscribe hourly at 7", either),
            ("subscribe every 2h mon", either),
        ] {
            assert_eq!(unclear(text), what, "{text}");
        }
        for (text, word) in [
            ("subscribe 25:00", "25:00"),
            ("subscribe 13pm", "13pm"),
            ("subscribe on Blursday", "blursday"),
            ("subscribe 0am", "0am"),
            ("how can I subscribe", "how"),
            ("subscribe every other day 9:00", "other"),
        ] {
            assert_eq!(unclear(text), format!("I do not understand \"{word}\"; {EXAMPLES}"), "{text}");
        }
        let many: Vec<_> = (0..25).map(|minute| format!("9:{:02}", minute)).collect();
        assert!(unclear(&format!("subscribe {}", many.join(" "))).contains("up to 24"));
    }

    #[test]
    fn stop_and_when_stand_alone() {
        for text in
            ["stop", "STOP!", "Unsubscribe", "please stop it", "cancel my subscription", "stop sending me messages"]
        {
            assert_eq!(parse(text, "UTC"), Some(Words::Stop), "{text}");
        }
        for text in ["when", "When?", "when is my next message", "when will I hear from you?"] {
            assert_eq!(parse(text, "UTC"), Some(Words::When), "{text}");
        }
        for text in ["today", "", "?", "stop the washing machine", "when did it rain", "11:00", "the end", "it is"] {
            assert_eq!(parse(text, "UTC"), None, "{text}");
        }
        assert_eq!(parse(&"subscribe ".repeat(100), "UTC"), None, "no command is so long");
    }

    fn said(text: &str, desk: &mut Paper) -> String {
        let id = EventId { channel: "page".to_owned(), place: 1, part: None };
        let (conversation, person) = ("7".to_owned(), "7".to_owned());
        let kind = EventKind::Other { kind: "message".to_owned() };
        let event = Event { id, conversation, person, thread: None, happened: Moment(0), kind };
        let replies =
            handle(parse(text, "Europe/Berlin").unwrap(), &event, "today", "subscribe sun 9:00", desk).unwrap();
        let [Reply { to, content: Content::Text { text, .. }, .. }] = replies.as_slice() else { panic!("{replies:?}") };
        assert_eq!(to, "7");
        text.clone()
    }

    #[test]
    fn a_subscription_is_set_shown_changed_and_ended() {
        let mut desk = Paper { now: Moment(1_795_341_600_000), ..Paper::default() };
        let none_yet = "You have no subscription; write \"subscribe sun 9:00\".";
        assert_eq!(said("when?", &mut desk), none_yet);
        assert_eq!(said("stop", &mut desk), none_yet);
        let told = "You will hear from me every day at 11:00 (Europe/Berlin). Say \"stop\" to end it.";
        assert_eq!(said("subscribe 11:00", &mut desk), told);
        desk.holds = true;
        assert_eq!(said("subscribe 11:00", &mut desk), format!("{told}{HELD}"), "nothing is promised that cannot be");
        let due = desk.now;
        let set = SetAlarm { name: NAME.to_owned(), note: "today".to_owned(), plan: plan("subscribe 11:00"), due };
        assert_eq!(desk.alarms.values().collect::<Vec<_>>(), [&set]);
        assert_eq!(
            said("when?", &mut desk),
            "You hear from me every day at 11:00 (Europe/Berlin); the next time is Sun 22 Nov, 11:00. Say \"stop\" to end it."
        );
        said("subscribe every 2h", &mut desk);
        assert_eq!(desk.alarms.len(), 1, "one takes the place of the other");
        assert!(said("subscribe", &mut desk).starts_with("At what time?"));
        assert_eq!(desk.alarms.get(NAME).unwrap().plan, plan("subscribe every 2h"), "what is unclear changes nothing");
        let ended = "Your subscription has ended. Write \"subscribe sun 9:00\" to begin again.";
        assert_eq!(said("stop", &mut desk), ended);
        assert!(desk.alarms.is_empty());
    }
}
