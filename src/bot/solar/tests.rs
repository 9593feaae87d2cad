//! Conversations with the bot, on a desk of paper.

use super::*;
use crate::bot::CallFault;
use crate::bot::paper::Paper;
use crate::model::{Answer, EventId, Left, Moment, Period, Plan, When};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fs;

const CODE: &str = "SUN-7F3K-9QPD";
/// A Friday in Berlin, at eleven.
const ELEVEN: &str = "2026-11-20T10:00:00Z";

fn at(text: &str) -> Moment {
    Moment(text.parse::<Timestamp>().unwrap().as_millisecond())
}

/// The bot, its desk, and Anna, who has the system 67 in Berlin.
struct World {
    bot: Solar,
    desk: Paper,
}

impl World {
    fn new(now: &str) -> World {
        let mut world = World::of(&[67]);
        world.now(now);
        world
    }

    fn of(systems: &[u64]) -> World {
        let set = Settings {
            upstream: "enphase".to_owned(),
            shape: Shape::V4,
            kilowatts_from: 10_000,
            age: Duration::from_secs(900),
        };
        let mut world = World { bot: Solar::new(set), desk: Paper::default() };
        world.now("2026-11-01T00:00:00Z");
        world.remember("person page/anna", &json!(systems));
        let directory = json!({"at": at("2026-11-20T00:00:00Z"), "systems": [
            {"id": 67, "name": "Roof", "zone": "Europe/Berlin"},
            {"id": 68, "name": "Old Barn", "zone": "US/Pacific"},
        ]});
        world.remember("directory", &directory);
        world
    }

    fn now(&mut self, now: &str) {
        self.desk.now = at(now);
    }

    fn remember(&mut self, key: &str, value: &Value) {
        self.desk.memory.insert(key.to_owned(), value.to_string().into_bytes());
    }

    fn recall(&self, key: &str) -> Value {
        self.desk.memory.get(key).map_or(Value::Null, |bytes| serde_json::from_slice(bytes).unwrap())
    }

    fn answers(&mut self, path: &str, status: u16, body: impl Into<Vec<u8>>) -> &mut World {
        let answer = Answer { status, headers: Vec::new(), body: body.into() };
        self.desk.answers.push_back((path.to_owned(), Ok(answer)));
        self
    }

    /// A summary of the system 67, as of a minute ago.
    fn summary(&mut self, date: &str, wh: i64, power: i64) -> &mut World {
        let reported = self.desk.now.seconds() - 60;
        let body = json!({"system_id": 67, "summary_date": date, "energy_today": wh, "current_power": power,
            "energy_lifetime": 67_890_123, "last_report_at": reported, "status": "normal"});
        self.answers("/systems/67/summary", 200, body.to_string())
    }

    fn days(&mut self, start: &str, production: &Value) -> &mut World {
        let body = json!({"system_id": 67, "start_date": start, "production": production});
        self.answers("/systems/67/energy_lifetime", 200, body.to_string())
    }

    fn hear(&mut self, person: &str, channel: &str, kind: EventKind) -> Vec<Reply> {
        let id = EventId { channel: channel.to_owned(), place: 1, part: None };
        let (conversation, person) = ("room".to_owned(), person.to_owned());
        let happened = self.desk.now;
        let event = Event { id, conversation, person, thread: None, happened, kind };
        self.bot.hear(&event, &mut self.desk).unwrap()
    }

    fn says(&mut self, person: &str, words: &str) -> String {
        let kind = EventKind::Message { text: Some(words.to_owned()), attachments: Vec::new(), choice: None };
        let [reply] = &self.hear(person, "page", kind)[..] else { panic!("{words}: not one reply") };
        assert_eq!((reply.to.as_str(), reply.purpose), ("room", Purpose::Response));
        text(reply).to_owned()
    }

    fn anna(&mut self, words: &str) -> String {
        self.says("anna", words)
    }

    fn rings(&mut self, name: &str, channel: &str) -> Vec<Reply> {
        let kind = EventKind::Alarm { name: name.to_owned(), note: "today".to_owned(), due: self.desk.now };
        self.hear("anna", channel, kind)
    }

    fn asked(&mut self, what: &str) -> usize {
        let asked = self.desk.asked.iter().filter(|path| path.contains(what)).count();
        self.desk.asked.clear();
        asked
    }

    /// When the last alarm that was set elsewhere rings.
    fn next_look(&self) -> Moment {
        match self.desk.far_alarms.last().unwrap().plan {
            Plan { when: When::Once { at }, .. } => at,
            _ => panic!("not once"),
        }
    }
}

fn text(reply: &Reply) -> &str {
    let (Content::Text { text, .. } | Content::Picture { text, .. }) = &reply.content else { panic!("no text") };
    text
}

#[test]
fn today_is_told_as_it_is() {
    for (now, wh, power, expected) in [
        (ELEVEN, 9870, 3120, "9870 Wh were produced today. 3120 W this moment."),
        (ELEVEN, 9999, 12_000, "9999 Wh were produced today. 12,000 W this moment."),
        (ELEVEN, 10_000, 0, "10.0 kWh were produced today. 0 W this moment."),
        (ELEVEN, 14_210, 3120, "14.2 kWh were produced today. 3120 W this moment."),
        (ELEVEN, 14_250, -1, "14.3 kWh were produced today."),
        (ELEVEN, 12_345_678, 1, "12,345.7 kWh were produced today. 1 W this moment."),
        (ELEVEN, 0, 0, "Nothing was produced yet today."),
        (ELEVEN, 0, 40, "0 Wh were produced today. 40 W this moment."),
        (ELEVEN, -1, 3120, "Enphase does not say how much was produced today. 3120 W this moment."),
        ("2026-11-20T20:00:00Z", 9100, 0, "The sun is down; today 9100 Wh were produced."),
        ("2026-11-20T20:00:00Z", 0, 0, "The sun is down; nothing was produced today."),
        ("2026-11-20T20:00:00Z", 9100, 7, "9100 Wh were produced today. 7 W this moment."),
        ("2026-11-20T03:00:00Z", 0, 0, "The sun is not up yet; nothing was produced today."),
    ] {
        let mut world = World::new(now);
        world.summary("2026-11-20", wh, power);
        assert_eq!(world.anna("today"), expected, "{now}, {wh} Wh, {power} W");
    }
}

#[test]
fn today_is_compared_with_the_same_day_of_the_last_week() {
    for (wh, week, expected) in [
        (9870, "[8812]", " That is 12 % more than last Friday."),
        (8812, "[8812]", " That is as much as last Friday."),
        (8000, "[10000]", " That is 20 % less than last Friday."),
        (8000, "[0, 1]", " Nothing was produced last Friday."),
        (8000, "[40]", " Last Friday made only 40 Wh."),
        (8000, "[]", ""),
        (8000, "[null, 1]", ""),
    ] {
        let mut world = World::new("2026-11-20T20:00:00Z");
        let today = format!("The sun is down; today {wh} Wh were produced.");
        world.summary("2026-11-20", wh, 0).days("2026-11-13", &serde_json::from_str(week).unwrap());
        assert_eq!(world.anna("today"), format!("{today}{expected}"), "{week}");
    }
    // At eleven a whole day is no measure, but what it had by then is.
    let mut world = World::new(ELEVEN);
    world.summary("2026-11-20", 4000, 900).days("2026-11-13", &json!([9000]));
    let today = "4000 Wh were produced today. 900 W this moment.";
    assert_eq!(world.anna("now"), format!("{today} Last Friday made 9000 Wh in all."));
    let course = json!({"points": [[at("2026-11-13T09:29:00Z"), 3000], [at("2026-11-13T10:29:00Z"), 5000]]});
    world.remember("system 67 course 2026-11-13", &course);
    assert_eq!(world.anna("now"), format!("{today} That is as much as last Friday by this time."));
}

#[test]
fn an_old_figure_is_told_with_its_age_and_a_silent_system_is_named() {
    let mut world = World::new("2026-11-20T09:40:00Z");
    world.summary("2026-11-20", 4000, 900);
    world.anna("today");
    world.now("2026-11-20T09:44:00Z");
    assert_eq!(world.anna("today"), "4000 Wh were produced today. 900 W this moment.", "fresh enough");
    world.now("2026-11-20T10:05:00Z");
    let told = "4000 Wh were produced today. 900 W this moment. (as of 10:39, 26 min ago) Enphase gives no answer at \
                the moment.";
    assert_eq!(world.anna("today"), told);
    world.now("2026-11-20T13:40:00Z");
    assert!(world.anna("today").contains("(as of 10:39, 4 h ago)"));
    let reported = at("2026-11-20T08:00:00Z").seconds();
    let body =
        json!({"summary_date": "2026-11-20", "energy_today": 10, "current_power": 0, "last_report_at": reported});
    world.answers("/systems/67/summary", 200, body.to_string());
    let told = "10 Wh were produced today. 0 W this moment. The last report came 5 h ago: look at the gateway.";
    assert_eq!(world.anna("today"), told);
    // A gateway that is silent since yesterday leaves a 0 for today, which is no figure.
    let silent =
        json!({"summary_date": "2026-11-21", "energy_today": 0, "current_power": 0, "last_report_at": reported});
    let mut next_day = World::new("2026-11-21T10:00:00Z");
    next_day.answers("/systems/67/summary", 200, silent.to_string());
    let told = "I know nothing of today yet. The last report came 26 h ago: look at the gateway.";
    assert_eq!(next_day.anna("today"), told);
    world.now("2026-11-21T10:00:00Z");
    let told = "I know nothing of today yet. The last I know is of Friday 20 November: 10 Wh by 09:00. Enphase gives no \
                answer at the moment.";
    assert_eq!(world.anna("today"), told);
}

#[test]
fn at_night_nothing_is_asked_that_cannot_have_changed() {
    let mut world = World::new("2026-11-20T19:30:00Z");
    world.summary("2026-11-20", 9100, 0);
    assert_eq!(world.anna("today"), "The sun is down; today 9100 Wh were produced.");
    world.asked("");
    for (now, told) in [
        ("2026-11-20T22:00:00Z", "The sun is down; today 9100 Wh were produced."),
        ("2026-11-21T03:00:00Z", "The sun is not up yet; nothing was produced today."),
    ] {
        world.now(now);
        assert_eq!(world.anna("now"), told);
        assert_eq!(world.asked("summary"), 0, "{now}");
    }
}

#[test]
fn every_refusal_has_its_words_with_and_without_something_kept() {
    let sample =
        |name: &str| fs::read(format!("{}/tests/fixtures/enphase/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let html = b"<html>502</html>".to_vec();
    let out = "I am not allowed to look at Enphase any more; the operator has been told.";
    let silent = "Enphase gives no answer at the moment.";
    for (status, body, told) in [
        (401, sample("v4_error_401"), out),
        (403, sample("v4_error_403"), "Enphase does not let me look at this system; please tell the operator."),
        (404, sample("v4_error_404"), "Enphase does not know this system; please tell the operator."),
        (409, sample("v2_error_409"), "I may not ask Enphase again before 11:01."),
        (422, sample("v4_error_422"), "Enphase refused to tell: Requested date range is invalid for this system."),
        (429, sample("v4_error_429_short"), "I may not ask Enphase again before 11:01."),
        (500, sample("v4_error_500_rgm"), silent),
        (502, html.clone(), silent),
        (200, html, silent),
    ] {
        let mut world = World::new(ELEVEN);
        world.answers("/systems/67/summary", status, body.clone());
        assert_eq!(world.anna("today"), format!("I do not know what was produced today. {told}"), "{status}");
        world.now("2026-11-20T09:00:00Z");
        world.summary("2026-11-20", 14_210, 3120);
        world.anna("today");
        world.now(ELEVEN);
        world.answers("/systems/67/summary", status, body);
        let kept = "14.2 kWh were produced today. 3120 W this moment. (as of 09:59, 61 min ago)";
        assert_eq!(world.anna("today"), format!("{kept} {told}"), "{status}");
        assert_eq!(world.desk.lessons.len(), if [409, 429].contains(&status) { 2 } else { 0 }, "{status}");
    }
    let before = at("2026-12-01T00:00:00Z");
    for (fault, told) in [
        (
            CallFault::NotBefore { moment: before, why: String::new() },
            "I may not ask Enphase again before 01:00 on Tue 1 Dec.",
        ),
        (CallFault::Failed { why: String::new() }, silent),
        (CallFault::LoggedOut { why: String::new() }, out),
    ] {
        let mut world = World::new(ELEVEN);
        for path in ["/systems/67/energy_lifetime", "/systems/67/summary"] {
            world.desk.answers.push_back((path.to_owned(), Err(fault.clone())));
        }
        assert_eq!(world.anna("last week"), format!("I do not know what was produced last week. {told}"));
        assert_eq!(world.anna("lifetime"), format!("I do not know what was produced in all. {told}"));
    }
}

/// Each is told so, whatever was asked before: the words, the call that they lead to, from which day on Enphase answers
/// with what, and the answer. Nothing is asked for twice.
fn each_span_is_told(spans: &[(&str, &str, &str, Value, &str)]) {
    for (words, path, start, production, expected) in spans {
        let mut world = World::new(ELEVEN);
        world.summary("2026-11-20", 9870, 3120).days(start, production);
        assert_eq!(world.anna(words), *expected, "{words} with {production}");
        assert!(world.desk.asked.iter().any(|asked| asked.contains(path)), "{words}: {:?}", world.desk.asked);
        world.desk.asked.clear();
        world.anna(words);
        assert_eq!(world.asked(""), 0, "{words} is not asked for twice");
    }
}

#[test]
fn weeks_months_and_years_are_summed_and_what_is_missing_is_named() {
    let week = json!([14_210, 8120, 0, 11_980, 15_230, 9010, 13_370]);
    each_span_is_told(&[
        (
            "last week",
            "start_date=2026-11-09&end_date=2026-11-19",
            "2026-11-09",
            week.clone(),
            "71.9 kWh were produced last week. In kWh: Mon 14.2, Tue 8.1, Wed 0.0, Thu 12.0, Fri 15.2, Sat 9.0, Sun 13.4.",
        ),
        (
            "last week",
            "start_date=2026-11-09&end_date=2026-11-19",
            "2026-11-09",
            json!([909, 4970, 0, null, 0]),
            "5879 Wh were produced last week. In kWh: Mon 0.9, Tue 5.0, Wed ?, Thu ?, Fri ?, Sat ?, Sun ?. 5 days are \
             missing.",
        ),
        (
            "this week",
            "start_date=2026-11-16&end_date=2026-11-19",
            "2026-11-16",
            json!([1000, 2000, null, 4000]),
            "16.9 kWh were produced this week so far. In kWh: Mon 1.0, Tue 2.0, Wed ?, Thu 4.0, Fri 9.9 so far. One day \
             is missing: Wed 18 Nov.",
        ),
        (
            "this month",
            "start_date=2026-11-01&end_date=2026-11-19",
            "2026-11-13",
            week,
            "81.8 kWh were produced this month so far. On average 10.3 kWh a day, most on Tue 17 Nov: 15.2 kWh. On one \
             day nothing was produced.",
        ),
        (
            "last month",
            "start_date=2026-10-01&end_date=2026-11-19",
            "2026-10-01",
            json!([5, null, 7, 0, 9]),
            "21 Wh were produced last month. On average 5 Wh a day, most on Mon 5 Oct: 9 Wh. On one day nothing was \
             produced. 27 days are missing.",
        ),
        (
            "last year",
            "start_date=2025-01-01&end_date=2026-01-31",
            "2025-12-31",
            json!([5000]),
            "5000 Wh were produced last year.",
        ),
        (
            "last year",
            "start_date=2025-01-01",
            "2026-01-30",
            json!([5000]),
            "The system was not running yet last year.",
        ),
    ]);
}

#[test]
fn single_days_are_told_with_what_was_reported_of_them() {
    each_span_is_told(&[
        (
            "yesterday",
            "start_date=2026-11-19&end_date=2026-11-19",
            "2026-11-19",
            json!([13_370]),
            "13.4 kWh were produced yesterday.",
        ),
        (
            "yesterday",
            "start_date=2026-11-19",
            "2026-11-19",
            json!([0]),
            "I do not know what was produced yesterday: it was not reported.",
        ),
        (
            "2026-06-21",
            "start_date=2026-06-21&end_date=2026-07-22",
            "2026-06-21",
            json!([0, 1]),
            "Nothing was produced on Sunday 21 June.",
        ),
        (
            "2025-06-21",
            "start_date=2025-06-21",
            "2025-06-21",
            json!([999]),
            "999 Wh were produced on Saturday 21 June 2025.",
        ),
        (
            "2026-11-19",
            "start_date=2026-11-19",
            "2026-11-19",
            json!([7]),
            "7 Wh were produced on Thursday 19 November.",
        ),
        (
            "2026-06-21",
            "start_date=2026-06-21",
            "2026-07-01",
            json!([7]),
            "The system was not running yet on Sunday 21 June.",
        ),
    ]);
}

#[test]
fn what_is_no_day_of_the_past_is_told_without_asking() {
    let mut world = World::new(ELEVEN);
    world.anna("help");
    world.asked("");
    for (words, told) in [
        ("2026-11-21", "Saturday 21 November has not come yet."),
        ("2026-02-30", "There is no day 2026-02-30; write it as in 2026-06-21."),
        ("1926-06-21", "So far back as 1926-06-21 there was nothing to look at."),
        ("tomorrow again", "See you tomorrow."),
    ] {
        assert_eq!(world.anna(words), told);
    }
    assert_eq!(world.asked(""), 0);
    world.summary("2026-11-20", 9870, 3120);
    assert_eq!(world.anna("2026-11-20?"), "9870 Wh were produced today. 3120 W this moment.");
    assert_eq!(world.anna("lifetime"), "67,900.0 kWh were produced in all.");
}

#[test]
fn help_says_what_can_be_asked_and_how_often_it_looks() {
    let mut world = World::new(ELEVEN);
    let ends = at("2026-12-01T00:00:00Z");
    world.desk.left = vec![Left { per: Period::Month, calls: 400, of: 1000, ends }];
    let help = world.anna("help");
    assert!(help.starts_with(say::HELP) && help.ends_with("In daylight I look at least every 45 minutes."), "{help}");
    assert_eq!(world.anna("snow?"), format!("I did not understand that. {help}"));
    let joined = world.hear("anna", "page", EventKind::Joined);
    let Content::Text { quick_replies, .. } = &joined[0].content else { panic!("no text") };
    assert_eq!(quick_replies.iter().map(|choice| choice.title.as_str()).collect::<Vec<_>>(), CHOICES);
    world.desk.left[0].calls = 0;
    assert!(world.anna("help").ends_with("This month I cannot look any more by myself."));
}

#[test]
fn strangers_see_nothing_and_cost_nothing() {
    let mut world = World::new(ELEVEN);
    let words = ["today", "help", "leave", "Roof", "67", "subscribe 11:00", "", "2026-06-21", "tomorrow again"];
    for words in words {
        assert_eq!(world.says("eve", words), say::STRANGER, "{words}");
    }
    let same_person_elsewhere =
        EventKind::Message { text: Some("today".to_owned()), attachments: vec![], choice: None };
    assert_eq!(text(&world.hear("anna", "space", same_person_elsewhere)[0]), say::STRANGER);
    assert_eq!((world.desk.asked.len(), world.desk.far_alarms.len()), (0, 0));
    let ring = EventKind::Alarm { name: subscription::NAME.to_owned(), note: "today".to_owned(), due: Moment(0) };
    assert_eq!(world.hear("eve", "page", ring), []);
}

#[test]
fn a_code_binds_and_leave_forgets() {
    let mut world = World::new(ELEVEN);
    world.remember(&invitation(CODE), &json!({"system": 67, "until": at("2026-11-27T00:00:00Z")}));
    assert_eq!(
        world.says("eve", "it is SUN-2222-2222"),
        "I do not know this code, or it was used already: it opens only once. Please look at it again."
    );
    let welcome = world.says("eve", "Hello, here is my code: sun-7f3k-9qpd!");
    assert!(welcome.starts_with("Welcome! From now on I tell you about Roof. Ask me: now, "), "{welcome}");
    assert_eq!(world.desk.far_alarms.len(), 1, "it is looked at from now on");
    world.summary("2026-11-20", 9870, 3120);
    assert_eq!(world.says("eve", "now"), "9870 Wh were produced today. 3120 W this moment.");
    assert!(world.says("eve", CODE).starts_with("I do not know this code"));
    assert_eq!(world.says("eve", "forget me"), "I have forgotten you. A new code would bring me back.");
    assert_eq!(world.says("eve", "now"), say::STRANGER);
    assert_eq!(world.recall("system 67 people"), json!([]));
}

#[test]
fn a_code_may_come_by_link_and_an_old_one_says_so() {
    let mut world = World::new(ELEVEN);
    world.remember(&invitation(CODE), &json!({"system": 67, "until": at(ELEVEN)}));
    let link = |world: &mut World| {
        let referral = EventKind::Referral { referral: Some(CODE.to_owned()) };
        text(&world.hear("eve", "page", referral)[0]).to_owned()
    };
    assert_eq!(link(&mut world), "This code is too old; please ask for a new one.");
    world.now("2026-11-20T09:59:59Z");
    assert!(link(&mut world).starts_with("Welcome!"));
}

#[test]
fn several_systems_are_told_together_or_by_name_each_on_its_own_calendar() {
    let mut world = World::of(&[67, 68]);
    world.now("2026-11-20T07:30:00Z");
    let barn = json!({"system_id": 68, "summary_date": "2026-11-19", "energy_today": 500, "current_power": 0});
    world.summary("2026-11-20", 300, 120).answers("/systems/68/summary", 200, barn.to_string());
    let roof = "300 Wh were produced today. 120 W this moment.";
    let barn = "The sun is down; today 500 Wh were produced.";
    assert_eq!(world.anna("today"), format!("Roof: {roof}\nOld Barn: {barn}"));
    for words in ["old barn", "today at the OLD BARN?", "old-barn now", "68", "68 today"] {
        assert_eq!(world.anna(words), barn, "{words}");
    }
    assert_eq!(world.anna("the roof, now"), roof);
    let production = json!({"system_id": 68, "start_date": "2026-11-18", "production": [1234, 1]});
    world.answers("/systems/68/energy_lifetime", 200, production.to_string());
    assert_eq!(world.anna("barn yesterday at the old barn"), "1234 Wh were produced yesterday.");
    assert!(world.desk.asked.last().unwrap().contains("start_date=2026-11-18&end_date=2026-11-18"));
    assert!(world.anna("help").contains(" Your systems are Roof, Old Barn; name one to hear of it alone. "));
}

#[test]
fn a_day_begins_and_ends_on_the_systems_clock_also_when_it_changes() {
    for (now, yesterday) in [
        ("2026-10-24T21:59:00Z", "2026-10-23"),
        ("2026-10-24T22:01:00Z", "2026-10-24"),
        ("2026-10-25T22:59:00Z", "2026-10-24"),
        ("2026-10-25T23:01:00Z", "2026-10-25"),
        ("2027-03-27T23:01:00Z", "2027-03-27"),
        ("2027-03-28T21:59:00Z", "2027-03-27"),
        ("2027-03-28T22:01:00Z", "2027-03-28"),
    ] {
        let mut world = World::new(now);
        world.anna("yesterday");
        let path = format!("/systems/67/energy_lifetime?start_date={yesterday}&end_date={yesterday}");
        assert_eq!(world.desk.asked.last(), Some(&path), "{now}");
    }
}

#[test]
fn names_and_zones_are_asked_for_once_and_their_lack_is_no_harm() {
    let mut world = World::new(ELEVEN);
    world.desk.memory.remove("directory");
    let list = json!({"total": 1, "systems": [{"system_id": 67, "name": "Roof", "timezone": "Europe/Berlin"}]});
    world.answers("/systems?page=1&size=100", 200, list.to_string());
    world.summary("2026-11-20", 1, 1);
    assert_eq!(world.anna("now"), "1 Wh were produced today. 1 W this moment.");
    assert_eq!(world.asked("/systems?"), 1);
    world.anna("now");
    assert_eq!(world.asked("/systems?"), 0);
    // In Auckland it is tomorrow already, and nobody says that it is Auckland.
    world.desk.memory.remove("directory");
    world.now("2026-11-20T11:30:00Z");
    world.summary("2026-11-21", 5, 5);
    world.anna("now");
    assert_eq!(world.anna("now"), "5 Wh were produced today. 5 W this moment.");
    assert_eq!(world.asked("/systems?"), 1, "not oftener than every hour");
}

#[test]
fn the_daily_message_is_pushed_with_a_way_to_keep_the_window_open() {
    let mut world = World::new(ELEVEN);
    world.summary("2026-11-20", 9870, 3120);
    let [reply] = &world.rings(subscription::NAME, "page")[..] else { panic!("not one") };
    let again = QuickReply { title: AGAIN.to_owned(), payload: AGAIN.to_owned() };
    let content = Content::Text {
        text: "9870 Wh were produced today. 3120 W this moment.".to_owned(),
        quick_replies: vec![again],
    };
    assert_eq!((&reply.content, reply.purpose), (&content, Purpose::Push));
    assert_eq!(world.desk.far_alarms.len(), 1, "whoever is told is the reason to look");
    let tapped = EventKind::Message { text: Some("?".into()), attachments: vec![], choice: Some(AGAIN.into()) };
    assert_eq!(text(&world.hear("anna", "page", tapped)[0]), "See you tomorrow.");
}

#[test]
fn a_subscription_is_made_asked_for_and_ended_in_chat() {
    let mut world = World::new(ELEVEN);
    assert_eq!(
        world.anna("Subscribe 11:00"),
        "You will hear from me every day at 11:00 (Europe/Berlin). Say \"stop\" to end it."
    );
    let alarm = &world.desk.alarms[subscription::NAME];
    assert_eq!((&*alarm.note, &*alarm.plan.zone), (DAILY, "Europe/Berlin"), "by the clock of the system");
    assert!(world.anna("when?").starts_with("You hear from me every day at 11:00 (Europe/Berlin); the next time is "));
    assert!(world.anna("stop").starts_with("Your subscription has ended."));
    assert_eq!(world.anna("when?"), "You have no subscription; write \"subscribe 11:00\".");
}

#[test]
fn the_configuration_may_let_a_room_hear_of_a_system_by_its_number() {
    let mut world = World::new(ELEVEN);
    world.summary("2026-11-20", 9870, 3120);
    let ring =
        |name: &str, note: &str| EventKind::Alarm { name: name.to_owned(), note: note.to_owned(), due: Moment(0) };
    let told = world.hear("a room", "space", ring("configured-morning", "today 67"));
    assert_eq!(text(&told[0]), "9870 Wh were produced today. 3120 W this moment.");
    // What a person can set does not open anything.
    assert_eq!(world.hear("a room", "space", ring(subscription::NAME, "today 67")), []);
    assert_eq!(world.hear("a room", "space", ring("configured-morning", "today")), [], "and nobody is bound there");
}

#[test]
fn looks_follow_one_another_by_day_whatever_comes_of_them() {
    let mut world = World::new("2026-11-20T04:00:00Z");
    world.anna("help");
    world.anna("help");
    assert_eq!(world.desk.far_alarms.len(), 1, "one chain for one system");
    let alarm = &world.desk.far_alarms[0];
    assert_eq!((alarm.name.as_str(), alarm.conversation.as_deref()), ("poll 67", Some("solar:67")));
    assert_eq!(world.next_look(), at("2026-11-20T05:00:00Z"), "six o'clock in Berlin");
    for (body, next) in [
        (Some(200), "2026-11-20T05:15:00Z"),
        // Refused once and twice: again soon, and not oftener than the plan.
        (Some(500), "2026-11-20T05:20:00Z"),
        (None, "2026-11-20T05:30:00Z"),
        (Some(500), "2026-11-20T05:45:00Z"),
        (Some(200), "2026-11-20T06:00:00Z"),
        (Some(401), "2026-11-20T07:00:00Z"),
        (Some(404), "2026-11-21T05:00:00Z"),
        (Some(200), "2026-11-21T05:15:00Z"),
    ] {
        world.desk.now = world.next_look();
        let now = world.desk.now;
        match body {
            Some(200) => drop(world.summary(
                &sun::date(now, &jiff::tz::TimeZone::get("Europe/Berlin").unwrap()).to_string(),
                1,
                1,
            )),
            Some(status) => drop(world.answers("/systems/67/summary", status, "{}")),
            None => {}
        }
        assert_eq!(world.rings("poll 67", "page"), []);
        assert_eq!(world.next_look(), at(next), "after {body:?} at {now:?}");
    }
}

#[test]
fn a_look_that_is_not_needed_yet_costs_nothing() {
    let mut world = World::new("2026-11-20T10:00:00Z");
    world.summary("2026-11-20", 1, 1);
    world.anna("now");
    world.now("2026-11-20T10:08:00Z");
    world.asked("");
    world.rings("poll 67", "page");
    assert_eq!((world.asked("summary"), world.next_look()), (0, at("2026-11-20T10:15:00Z")));
}

#[test]
fn a_limit_that_is_reached_moves_the_look_and_no_one_looks_for_nobody() {
    let mut world = World::new("2026-11-20T10:00:00Z");
    world.anna("help");
    let moment = at("2026-12-01T00:00:00Z");
    let fault = CallFault::NotBefore { moment, why: String::new() };
    world.desk.answers.push_back(("/systems/67/summary".to_owned(), Err(fault)));
    world.rings("poll 67", "page");
    assert_eq!(world.next_look(), at("2026-12-01T05:00:00Z"), "the first daylight after it");
    let set = world.desk.far_alarms.len();
    world.rings("poll 67", "space");
    assert_eq!(world.desk.far_alarms.len(), set, "another channel's chain ends");
    world.anna("leave");
    world.rings("poll 67", "page");
    assert_eq!(world.desk.far_alarms.len(), set, "nobody is told any more");
    assert_eq!((world.recall("watched"), world.recall("system 67 poll")), (json!({}), Value::Null));
}

#[test]
fn a_chain_that_was_lost_is_set_again() {
    let mut world = World::new("2026-11-20T10:00:00Z");
    world.anna("help");
    world.now("2026-11-20T10:59:00Z");
    world.anna("help");
    assert_eq!(world.desk.far_alarms.len(), 1);
    world.now("2026-11-20T11:02:00Z");
    world.anna("help");
    assert_eq!(world.desk.far_alarms.len(), 2);
}

#[test]
fn when_no_call_is_to_spare_a_kept_figure_answers_within_the_promise() {
    let mut world = World::new(ELEVEN);
    world.summary("2026-11-20", 4000, 900);
    world.anna("now");
    let ends = at("2026-12-01T00:00:00Z");
    world.desk.left = vec![Left { per: Period::Month, calls: 100, of: 1000, ends }];
    world.now("2026-11-20T10:45:00Z");
    world.asked("");
    assert_eq!(world.anna("now"), "4000 Wh were produced today. 900 W this moment. (as of 10:59, 46 min ago)");
    assert_eq!(world.asked("summary"), 0);
    world.desk.left[0].calls = 900;
    world.anna("now");
    assert_eq!(world.asked("summary"), 1);
}

#[test]
fn spans_of_days_come_with_what_a_chart_shows() {
    let mut world = World::new(ELEVEN);
    world.summary("2026-11-20", 9870, 3120).days("2026-11-16", &json!([1, null, 0, 4]));
    let site = ask::site(&world.bot.set, &mut world.desk, 67).unwrap();
    let told = world.bot.tell_one(&site, Time::ThisWeek, &mut world.desk).unwrap();
    let bar = |day, wh| Bar { date: jiff::civil::date(2026, 11, day), wh, under_way: day == 20 };
    let bars = vec![bar(16, Some(1)), bar(17, None), bar(18, Some(0)), bar(19, Some(4)), bar(20, Some(9870))];
    assert_eq!(told.chart, Some(Chart { system: "Roof".to_owned(), bars }));
}

#[test]
fn of_days_of_which_nothing_is_known_no_chart_is_drawn() {
    let mut world = World::new(ELEVEN);
    world.answers("/systems/67/energy_lifetime", 500, b"{}".to_vec());
    let site = ask::site(&world.bot.set, &mut world.desk, 67).unwrap();
    let told = world.bot.tell_one(&site, Time::LastMonth, &mut world.desk).unwrap();
    assert!(told.text.starts_with("I do not know what was produced last month."), "{}", told.text);
    assert_eq!(told.chart, None);
}

#[test]
fn one_message_cannot_spend_the_calls_of_a_month() {
    let mut world = World::new(ELEVEN);
    world.anna("help");
    world.asked("");
    let days: String =
        (1..=28).flat_map(|day| (1..=12).map(move |month| format!("2025-{month:02}-{day:02} "))).collect();
    assert!(world.anna(&days).starts_with("That is much at once; ask for up to 6 "));
    assert_eq!(world.asked(""), 0);
}

#[test]
fn one_wrong_first_day_hides_the_years_before_for_some_weeks_only() {
    let mut world = World::new(ELEVEN);
    world.days("2026-11-18", &json!([1, 2]));
    world.anna("2026-11-17");
    assert!(world.anna("2026-11-01").starts_with("The system was not running yet"));
    world.now("2026-12-31T11:00:00Z");
    world.days("2026-11-01", &json!([7]));
    assert_eq!(world.anna("2026-11-01"), "7 Wh were produced on Sunday 1 November.");
}

#[test]
fn what_a_clock_that_was_ahead_has_planned_is_planned_again() {
    let mut world = World::new(ELEVEN);
    world.now("2027-11-20T10:00:00Z");
    world.summary("2026-11-20", 9870, 3120).days("2026-11-13", &json!([1]));
    world.anna("now");
    world.answers("/systems?page=1&size=100", 200, r#"{"systems": []}"#).anna("lifetime");
    world.now(ELEVEN);
    world.asked("");
    world.summary("2026-11-20", 9999, 3120).days("2026-11-13", &json!([10_000]));
    let told = world.anna("now");
    assert!(told.starts_with("9999 Wh were produced today."), "{told}");
    assert!(world.next_look() < at("2026-11-22T00:00:00Z"), "{:?}", world.next_look());
}

#[test]
fn who_asks_while_no_call_is_left_holds_up_nobody() {
    let mut world = World::new(ELEVEN);
    world.anna("help");
    world.asked("");
    let ends = at("2026-11-20T10:01:00Z");
    world.desk.left = vec![Left { per: Period::Minute, calls: 0, of: 10, ends }];
    assert_eq!(world.anna("now"), "I do not know what was produced today. I may not ask Enphase again before 11:01.");
    assert_eq!(world.asked(""), 0, "a refused call would be given a place");
}
