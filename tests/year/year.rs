//! A year of the solar bot: two roofs in two zones, five people on two platforms, questions, stops and faults by chance.

use crate::people::{Person, zoned};
use crate::shared::luck::Luck;
use crate::world::{BERLIN, LOS_ANGELES, Made, PAGE, ROOF, SPACE, World, roof};
use ackd::keeper::TOKENS;
use ackd::model::{EventKey, Moment, Ring};
use ackd::store::{ALARM, State};
use ackd::twin::{Act, Bubble, Deed, Side};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Instant;

/// 1 January 2026, 09:10 in UTC; and a year later.
const BEGIN: Moment = Moment(1_767_258_600_000);
const END: Moment = Moment(BEGIN.0 + 365 * DAY);
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How long after a stop, a fault or a silence nothing is said of ages: each look that failed doubles the wait for the next.
const RECOVERY: i64 = 6 * HOUR;
/// How long a system says nothing.
const SILENCE: i64 = 60 * HOUR;
/// How old a system's own report may be when it is asked for (enphase.md §4).
const REPORTED: i64 = 16 * MINUTE;
/// Of the thousand calls of a month, so many are nearly all.
const NEARLY_ALL: usize = 980;
/// What can be tapped below a daily message.
const AGAIN: &str = "Tomorrow again";

/// What happens to the world by chance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deal {
    /// A day begins for somebody.
    Day(usize),
    Ask(usize, &'static str),
    /// Somebody answers this daily message.
    Again(usize, String),
    Stop(i64),
    Start,
    Fault(&'static str, i64),
    FaultEnds,
    Silence(u64),
    Recover(u64),
}

const QUESTIONS: [&str; 12] = [
    "now",
    "now",
    "now",
    "today",
    "today",
    "and today?",
    "yesterday",
    "last week",
    "lifetime",
    "this month",
    "help",
    "what a day",
];
const FAULTS: [(&str, i64); 5] = [
    ("429 100% 20m", 2 * HOUR),
    ("500 60%", 5 * HOUR),
    ("cut 50%", 3 * HOUR),
    ("token 10% 30s", 8 * HOUR),
    ("500 100%", 9 * HOUR),
];

struct Year {
    world: World<0>,
    luck: Luck,
    people: Vec<Person>,
    deals: BinaryHeap<Reverse<(Moment, u64, Deal)>>,
    dealt: u64,
    /// Since when nothing goes wrong.
    calm_since: Moment,
    faulty: bool,
    silent: Option<u64>,
    /// When somebody last looked at the news.
    news: u64,
    /// Bot's answers to whoever asked last, since then.
    said: Vec<Bubble>,
    /// Events up to these are known to have ended well, but for those that were held then.
    audited: BTreeMap<&'static str, EventKey>,
    held: Vec<EventKey>,
    /// What rang, by conversation.
    rang: BTreeMap<String, Vec<Moment>>,
    told: Told,
}

/// What the test saw, to be shown, and to know that it saw something.
#[derive(Debug, Default)]
struct Told {
    steps: u64,
    questions: u64,
    ages: u64,
    oldest_minutes: i64,
    silences: u64,
    stops: u64,
    faults: u64,
    late_pushes: u64,
    events: u64,
}

impl Year {
    fn new() -> Year {
        let luck = Luck::of_the_day();
        // The sums of their days begin here, so that a stand-in need not add up years of weather first.
        let roof = roof(Moment(BEGIN.0 - 60 * DAY));
        let mut world = World::new(Made { people: (3, 2), roof, ..Made::default() }, BEGIN);
        let direct = |channel: &str, number: usize| world.direct(channel, number);
        let (berlin, los_angeles) = ("Europe/Berlin", "America/Los_Angeles");
        let people = vec![
            Person::new(PAGE, direct(PAGE, 0), berlin, 90),
            Person::new(PAGE, direct(PAGE, 1), los_angeles, 60),
            Person::new(PAGE, direct(PAGE, 2), berlin, 5),
            Person::new(SPACE, direct(SPACE, 0), los_angeles, 30),
            Person::new(SPACE, direct(SPACE, 1), berlin, 0),
        ];
        for (number, person) in people.iter().enumerate() {
            let system = if person.zone.iana_name() == Some(berlin) { BERLIN } else { LOS_ANGELES };
            world.invite(&code(number), system);
        }
        let audited = [PAGE, SPACE].map(|name| (name, EventKey::before_first(world.channel(name)))).into();
        let mut year = Year {
            world,
            luck,
            people,
            deals: BinaryHeap::new(),
            dealt: 0,
            calm_since: BEGIN,
            faulty: false,
            silent: None,
            news: 0,
            said: Vec::new(),
            audited,
            held: Vec::new(),
            rang: BTreeMap::new(),
            told: Told::default(),
        };
        year.world.start();
        for number in 0..year.people.len() {
            year.says(number, &code(number));
            assert!(year.answer(number).starts_with("Welcome!"), "{:?}", year.said);
            year.subscribes(number);
            year.deal(year.now().0 + HOUR, Deal::Day(number));
        }
        // A day that has 23 hours there, and one that has 25: nobody is there at eleven.
        for (from, hours) in [("2026-03-28T19:00:00Z", 16), ("2026-11-01T03:00:00Z", 17)] {
            let from: jiff::Timestamp = from.parse().unwrap();
            year.deal(from.as_millisecond(), Deal::Stop(hours * HOUR));
        }
        year.plan_stop();
        year.plan_fault();
        for (day, system) in [(80, BERLIN), (140, BERLIN), (200, LOS_ANGELES), (290, LOS_ANGELES)] {
            year.deal(BEGIN.0 + day * DAY, Deal::Silence(system));
        }
        year
    }

    fn now(&self) -> Moment {
        self.world.now()
    }

    fn deal(&mut self, at: i64, deal: Deal) {
        self.dealt += 1;
        // Nobody acts on the very moment of an alarm, which are whole seconds.
        self.deals.push(Reverse((Moment(at - at.rem_euclid(1000) + 137), self.dealt, deal)));
    }

    fn below(&mut self, end: i64) -> i64 {
        self.luck.below(end as u64) as i64
    }

    fn plan_stop(&mut self) {
        let after = HOUR + self.below(12 * DAY);
        let long = match self.luck.below(10) {
            0..5 => MINUTE + self.below(3 * HOUR),
            5..8 => self.below(DAY),
            _ => DAY + self.below(4 * DAY),
        };
        self.deal(self.now().0 + after, Deal::Stop(long));
    }

    fn plan_fault(&mut self) {
        let after = DAY + self.below(12 * DAY);
        let (plan, longest) = FAULTS[self.luck.below(FAULTS.len() as u64) as usize];
        let long = 5 * MINUTE + self.below(longest);
        self.deal(self.now().0 + after, Deal::Fault(plan, long));
    }

    fn run(&mut self) {
        while self.now() < END {
            self.told.steps += 1;
            let dealt = self.deals.peek().map_or(END, |Reverse((at, ..))| *at);
            let due = self.world.rests_until().unwrap_or(Moment(i64::MAX));
            self.world.move_to(dealt.min(due).max(self.now()));
            self.rings(true);
            self.look();
            if dealt <= self.now()
                && let Some(Reverse((_, _, deal))) = self.deals.pop()
            {
                self.does(deal);
            }
        }
    }

    /// What had to ring until now.
    fn rings(&mut self, on_time: bool) {
        if !self.world.runs() {
            return;
        }
        let now = self.world.now();
        for person in &mut self.people {
            if let Some(due) = person.passes(now) {
                assert!(!on_time || due == now, "{}: {due:?} rang at {now:?}", person.conversation);
                self.told.late_pushes += u64::from(!on_time);
            }
        }
    }

    /// Whatever the bot said must have been said now, and nothing else.
    fn look(&mut self) {
        let news = self.world.house.news();
        if news == std::mem::replace(&mut self.news, news) {
            return;
        }
        self.said.clear();
        for channel in [PAGE, SPACE] {
            let mut bubbles = self.world.news(channel);
            // Who was told first, of those to be told at one moment, is the workers' affair; chance goes by the seed.
            bubbles.sort_by(|one, other| one.conversation.cmp(&other.conversation));
            for bubble in bubbles {
                if bubble.side == Side::Bot && bubble.sign.is_none() {
                    self.hears(bubble);
                }
            }
        }
        for person in &self.people {
            assert_eq!(person.told, person.wanted, "daily messages of {} at {:?}", person.conversation, self.now());
        }
    }

    fn hears(&mut self, bubble: Bubble) {
        let number = self.people.iter().position(|person| person.conversation == bubble.conversation).unwrap();
        let daily = bubble.choices.iter().any(|choice| choice.title == AGAIN);
        for trouble in ["not allowed to look", "does not let me", "does not know this", "refused to tell"] {
            assert!(!self.is_calm() || !bubble.text.contains(trouble), "{bubble:?}");
        }
        if daily {
            let person = &mut self.people[number];
            person.told.push(bubble.at);
            let faithful = person.faithful;
            if self.luck.below(100) < faithful {
                let wait = MINUTE + self.below(11 * HOUR);
                self.deal(self.now().0 + wait, Deal::Again(number, bubble.id.clone()));
            }
        }
        self.said.push(bubble);
    }

    fn is_calm(&self) -> bool {
        !self.faulty && self.now().0 - self.calm_since.0 > RECOVERY
    }

    fn does(&mut self, deal: Deal) {
        match deal {
            Deal::Day(number) => self.day(number),
            Deal::Ask(number, text) if self.world.runs() => self.asks(number, text),
            Deal::Again(number, bubble) if self.world.runs() => {
                let conversation = self.people[number].conversation.clone();
                let now = self.now();
                self.people[number].writes(now);
                self.world.act(self.people[number].channel, &Act::Tap { conversation, bubble, choice: 0 });
                self.look();
                assert!(self.said.iter().any(|said| said.text == "See you tomorrow."), "{:?}", self.said);
            }
            // The daemon does not run: who would have written writes later.
            Deal::Ask(..) | Deal::Again(..) => {}
            Deal::Stop(long) if self.world.runs() => {
                self.audit();
                self.world.stop();
                self.told.stops += 1;
                self.deal(self.now().0 + long, Deal::Start);
            }
            Deal::Stop(_) => {}
            Deal::Start => {
                self.world.start();
                self.calm_since = self.now();
                self.rings(false);
                self.look();
                self.plan_stop();
            }
            Deal::Fault(plan, long) => {
                self.world.plan(ROOF, plan, self.dealt);
                self.faulty = true;
                self.told.faults += 1;
                self.deal(self.now().0 + long, Deal::FaultEnds);
            }
            Deal::FaultEnds => {
                self.world.plan(ROOF, "", 0);
                (self.faulty, self.calm_since) = (false, self.now());
                self.plan_fault();
            }
            Deal::Silence(system) => {
                self.world.house.deed(ROOF, &Deed::Silence { source: system.to_string() }).unwrap();
                self.silent = Some(system);
                self.deal(self.now().0 + SILENCE, Deal::Recover(system));
                for number in 0..self.people.len() {
                    // In daylight, and long after its last report.
                    let eleven = self.people[number].eleven.map_or(self.now().0, |eleven| eleven.0);
                    for hours in [24, 26, 27] {
                        self.deal(eleven + hours * HOUR, Deal::Ask(number, "now"));
                    }
                }
            }
            Deal::Recover(system) => {
                self.world.house.deed(ROOF, &Deed::Recover { source: system.to_string() }).unwrap();
                (self.silent, self.calm_since) = (None, self.now());
            }
        }
    }

    /// Somebody's day: some questions, or none.
    fn day(&mut self, number: usize) {
        self.deal(self.now().0 + DAY, Deal::Day(number));
        if number == 0 && self.luck.below(7) == 0 {
            self.audit();
        }
        if number == 4 && self.world.runs() && self.luck.below(40) == 0 {
            self.changes_mind(number);
        }
        // Somebody on the page hardly ever writes.
        let questions =
            if number == 2 { u64::from(self.luck.below(15) == 0) } else { self.luck.below(4).saturating_sub(1) };
        for _ in 0..questions {
            let text = QUESTIONS[self.luck.below(QUESTIONS.len() as u64) as usize];
            let later = self.below(DAY);
            self.deal(self.now().0 + later, Deal::Ask(number, text));
        }
    }

    fn changes_mind(&mut self, number: usize) {
        if self.people[number].eleven.is_none() {
            return self.subscribes(number);
        }
        self.people[number].unsubscribes();
        self.says(number, "stop");
        assert!(self.answer(number).starts_with("Your subscription has ended."), "{:?}", self.said);
    }

    fn subscribes(&mut self, number: usize) {
        let now = self.now();
        self.says(number, "subscribe 11:00");
        self.people[number].subscribes(now);
        assert!(self.answer(number).starts_with("You will hear from me every day at 11:00"), "{:?}", self.said);
    }

    fn says(&mut self, number: usize, text: &str) {
        let now = self.now();
        let person = &mut self.people[number];
        person.writes(now);
        let (channel, conversation) = (person.channel, person.conversation.clone());
        self.world.say(channel, &conversation, text);
        self.look();
    }

    /// What the bot said to somebody last.
    fn answer(&self, number: usize) -> String {
        let conversation = &self.people[number].conversation;
        let said = self.said.iter().rfind(|bubble| bubble.conversation == *conversation);
        said.unwrap_or_else(|| panic!("{conversation} has no answer")).text.clone()
    }

    fn asks(&mut self, number: usize, text: &'static str) {
        self.told.questions += 1;
        self.says(number, text);
        let answer = self.answer(number);
        let local = self.people[number].local(self.now());
        let told = ["now", "today", "and today?"].contains(&text);
        if told && (10..15).contains(&local.hour()) {
            let system =
                if self.people[number].zone.iana_name() == Some("Europe/Berlin") { BERLIN } else { LOS_ANGELES };
            if self.silent == Some(system) {
                self.told.silences += u64::from(answer.contains("look at the gateway"));
            } else if self.is_calm() && self.silent.is_none() {
                self.expect_fresh(number, &answer);
            }
        }
    }

    /// In daylight, and when nothing is broken, a figure is not older than was promised.
    fn expect_fresh(&mut self, number: usize, answer: &str) {
        self.says(number, "help");
        let help = self.answer(number);
        let Some(bound) = promised(&help) else {
            // Faults cost calls, too: the end of a month may have none left, and then it is said so.
            let (paid, honest) =
                (self.paid_this_month(), help.contains("This month I cannot look any more by myself."));
            assert!(honest && paid >= NEARLY_ALL, "{paid} calls this month: {help}");
            return;
        };
        assert!(answer.contains("produced"), "{answer}");
        let age = age_minutes(answer, &self.people[number].local(self.now())).unwrap_or(0);
        let oldest = bound + REPORTED / MINUTE;
        assert!(
            age <= oldest,
            "{answer}: older than {oldest} min at {:?}; {help}",
            self.people[number].local(self.now())
        );
        self.told.ages += 1;
        self.told.oldest_minutes = self.told.oldest_minutes.max(age);
    }

    /// Calls that Enphase was asked this month, also those that failed.
    fn paid_this_month(&self) -> usize {
        let month = |moment| zoned(moment, &TimeZone::UTC).date().first_of_month();
        let asked = self.world.asked.lock().unwrap();
        asked.iter().filter(|call| call.path.starts_with("/api/") && month(call.at) == month(self.now())).count()
    }

    /// Whatever came in has ended well, or is held.
    fn audit(&mut self) {
        let reader = self.world.reader();
        let mut keys: Vec<EventKey> = std::mem::take(&mut self.held);
        for after in self.audited.values_mut() {
            loop {
                let lines = reader.next(*after, &[], 1000).unwrap();
                let Some(last) = lines.last() else { break };
                *after = last.key;
                self.told.events += lines.len() as u64;
                for line in lines {
                    assert_eq!(line.maybe_twice, 0, "{line:?}");
                    if line.kind == ALARM {
                        let life = reader.life(line.key).unwrap().unwrap();
                        let ring: Ring = serde_json::from_slice(&life.raw).unwrap();
                        let rang = self.rang.entry(line.conversation.clone()).or_default();
                        rang.push(ring.due);
                    }
                    match line.state {
                        State::Answered | State::Ignored => {}
                        State::Open => keys.push(line.key),
                        _ => panic!("{:#?}", reader.life(line.key)),
                    }
                }
            }
        }
        for key in keys {
            let life = reader.life(key).unwrap().unwrap();
            match life.state {
                State::Answered | State::Ignored => {}
                State::Open if life.held.is_some() => self.held.push(key),
                _ => panic!("{life:#?}"),
            }
        }
        let holding = self.people.iter().filter(|person| person.holds()).count();
        assert_eq!(self.held.len(), holding, "{:?}", self.held);
    }

    /// No call over the plan, by our own count and by the twin's.
    fn expect_within_plan(&self) -> BTreeMap<String, usize> {
        let (mut months, mut minutes) = (BTreeMap::<_, usize>::new(), BTreeMap::<_, usize>::new());
        let asked = self.world.asked.lock().unwrap();
        for call in asked.iter().filter(|call| call.path.starts_with("/api/") && !call.mishap) {
            assert_ne!(call.status, 429, "{call:?}");
            let month = zoned(call.at, &TimeZone::UTC).strftime("%Y-%m").to_string();
            *months.entry(month).or_default() += 1;
            *minutes.entry(call.at.seconds().div_euclid(60)).or_default() += 1;
        }
        assert!(months.values().all(|calls| *calls <= 1000), "{months:?}");
        assert!(minutes.values().all(|calls| *calls <= 10), "{:?}", minutes.values().max());
        let meters = self.world.house.ledger(Some(ROOF)).meters;
        assert_eq!(meters.len(), 2);
        assert!(meters.iter().all(|entry| entry.meter.refused == 0), "{meters:?}");
        months
    }

    /// Tokens turned all year, and the last ones are in the store.
    fn expect_tokens_turned(&mut self) -> usize {
        let calls = self.world.asked.lock().unwrap();
        let turned = calls.iter().filter(|call| call.path == "/oauth/token" && call.status == 200).count();
        drop(calls);
        let kept: Value = serde_json::from_slice(&self.world.recall(TOKENS, ROOF).unwrap()).unwrap();
        assert!(kept["refused"].is_null() && !kept["access"].as_str().unwrap().is_empty(), "not in");
        turned
    }
}

fn code(number: usize) -> String {
    format!("SUN-7F3K-9QP{}", number + 2)
}

/// The minutes of "In daylight I look at least every 40 minutes."
fn promised(help: &str) -> Option<i64> {
    let (_, rest) = help.split_once("I look at least every ")?;
    let mut words = rest.split_whitespace();
    let number: i64 = words.next()?.parse().ok()?;
    Some(if words.next()?.starts_with("hour") { 60 * number } else { number })
}

/// The minutes of "(as of 12:10, 25 min ago)"; nothing when the answer tells no age.
fn age_minutes(answer: &str, now: &jiff::Zoned) -> Option<i64> {
    let (_, rest) = answer.split_once("(as of ")?;
    let (age, _) = rest.split_once(" ago)")?;
    let (clock, age) = age.rsplit_once(", ")?;
    let (number, unit) = age.split_once(' ')?;
    let number: i64 = number.parse().ok()?;
    // "2 h" may be nearly three: the clock beside it says the minute.
    let (hour, minute) = clock.split_once(':')?;
    let then = 60 * hour.parse::<i64>().ok()? + minute.parse::<i64>().ok()?;
    let since = (60 * i64::from(now.hour()) + i64::from(now.minute()) - then).rem_euclid(1440);
    Some(match unit {
        "min" => number,
        "h" => since + 1440 * (number / 24),
        _ => 1440 * (number + 1),
    })
}

#[test]
fn over_a_year_no_call_is_over_the_plan_and_every_daily_message_comes_once() {
    let began = Instant::now();
    let mut year = Year::new();
    year.run();
    year.faulty = false;
    year.world.plan(ROOF, "", 0);
    if !year.world.runs() {
        year.world.start();
        year.rings(false);
        year.look();
    }
    // The last question of the year is answered with new figures: we are still let in.
    let before = year.world.asked.lock().unwrap().len();
    year.world.move_to(Moment(year.now().0 + 20 * MINUTE));
    year.rings(false);
    year.says(0, "lifetime");
    // Not always the last word: a push that was held may follow the answer.
    let mut answers = year.said.iter().filter(|bubble| bubble.conversation == year.people[0].conversation);
    let answered = answers.any(|bubble| bubble.text.contains("were produced in all"));
    assert!(answered, "{:?}", year.said);
    assert!(year.world.asked.lock().unwrap()[before..].iter().any(|call| call.status == 200), "nobody was asked");
    year.audit();
    year.world.stop();

    let months = year.expect_within_plan();
    let turned = year.expect_tokens_turned();
    for person in &year.people {
        let mut rang = year.rang.remove(&person.conversation).unwrap();
        rang.sort();
        let wrong = rang.iter().zip(&person.rung).find(|(rang, wanted)| rang != wanted);
        assert_eq!((wrong, rang.len()), (None, person.rung.len()), "{}", person.conversation);
    }
    println!("{:?}; {:#?}", began.elapsed(), year.told);
    println!("calls: {months:?}; tokens turned {turned} times");
    for person in &year.people {
        println!(
            "{}: rang {}, told {}, replaced {}",
            person.channel,
            person.rung.len(),
            person.told.len(),
            person.replaced
        );
    }
    assert!(turned > 250, "tokens turned {turned} times");
    assert!(year.told.ages > 50 && year.told.stops > 20 && year.told.faults > 20, "{:?}", year.told);
    assert!(months.values().take(12).all(|calls| *calls > 600), "{months:?}");
}
