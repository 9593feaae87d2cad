//! What becomes of a daily message when the person has not written for a day, as the channel wants it.

use crate::world::{BERLIN, Made, PAGE, SPACE, World, roof};
use ackd::model::{AlarmSet, AlarmWrite, EventKey, Moment, Plan, RunMissed, When};
use ackd::store::{ALARM, Life, State};
use ackd::twin::{Act, Bubble, Side};

/// 1 June 2026, ten o'clock in Berlin.
const TEN: Moment = Moment(1_780_300_800_000);
const HOUR: i64 = 3_600_000;
const CODE: &str = "SUN-7F3K-9QPD";

/// A world in which somebody subscribed at ten, was told at eleven, and did not answer.
struct Scene<const N: usize> {
    world: World<N>,
    person: String,
}

impl<const N: usize> Scene<N> {
    fn new(page: fn(&str) -> String) -> Scene<N> {
        let mut world = World::new(Made { page, roof: roof(Moment(TEN.0 - 30 * 24 * HOUR)), ..Made::default() }, TEN);
        world.invite(CODE, BERLIN);
        world.start();
        let person = world.direct(PAGE, 0);
        for text in [CODE, "subscribe 11:00"] {
            world.say(PAGE, &person, text);
        }
        let mut scene = Scene { world, person };
        assert_eq!(scene.said(PAGE).len(), 2);
        scene.hours(1);
        let [daily] = &*scene.said(PAGE) else { panic!("it was not said within the window") };
        assert!(daily.text.contains("produced today") && daily.choices[0].title == "Tomorrow again", "{daily:?}");
        scene
    }

    /// Lets hours pass, and everything that is due in them happen at its time.
    fn hours(&mut self, hours: i64) {
        let until = Moment(self.world.now().0 + hours * HOUR);
        while self.world.now() < until {
            let due = self.world.rests_until().unwrap();
            self.world.move_to(due.min(until));
        }
    }

    /// What the bot said on a channel since the last look.
    fn said(&mut self, channel: &str) -> Vec<Bubble> {
        let mut news = self.world.news(channel);
        news.retain(|bubble| bubble.side == Side::Bot && bubble.sign.is_none());
        news
    }

    /// The lives of the daily messages so far.
    fn dailies(&self) -> Vec<Life> {
        self.lives(PAGE).into_iter().filter(|life| life.kind == ALARM && life.conversation == self.person).collect()
    }

    fn lives(&self, channel: &str) -> Vec<Life> {
        let reader = self.world.reader();
        let first = EventKey::before_first(self.world.channel(channel));
        let lines = reader.next(first, &[], 1000).unwrap();
        lines.iter().map(|line| reader.life(line.key).unwrap().unwrap()).collect()
    }

    fn why(&self, life: &Life) -> String {
        self.world.why(&life.id.to_string())
    }

    fn alarms(&mut self, conversation: &str) -> usize {
        let (page, mut alarms) = (self.world.channel(PAGE), 0);
        self.world.stop();
        self.world.write(|store| alarms = store.alarms(page, conversation).unwrap().len());
        self.world.start();
        alarms
    }
}

#[test]
fn it_is_held_until_the_person_writes_and_only_the_newest_is_said() {
    let mut scene = Scene::<1>::new(|_| String::new());
    scene.hours(48);
    assert_eq!(scene.said(PAGE), []);
    let dailies = scene.dailies();
    let [_, old, new] = &*dailies else { panic!("{dailies:#?}") };
    assert_eq!((old.state, new.state, new.held.is_some()), (State::Ignored, State::Open, true));
    assert_eq!(old.why, Some(format!("replaced by a newer one: {}", new.id.place)));
    let why = scene.why(new);
    assert!(why.contains("  held until somebody writes: nobody wrote for 49 h"), "{why}");

    scene.hours(2);
    let person = scene.person.clone();
    scene.world.say(PAGE, &person, "yesterday");
    let said = scene.said(PAGE);
    let [answer, daily] = &*said else { panic!("{said:#?}") };
    assert!(answer.text.contains("yesterday") && daily.text.contains("produced today"), "{said:#?}");
    // Of a morning that is over it does not speak as if it were now.
    assert!(daily.text.starts_with("Wed 3 Jun, 11:00: "), "{said:#?}");
    assert_eq!(scene.dailies()[2].state, State::Answered);
    // The window is open again, and a tap keeps it so.
    let (conversation, bubble) = (person, daily.id.clone());
    scene.world.act(PAGE, &Act::Tap { conversation, bubble, choice: 0 });
    assert_eq!(scene.said(PAGE)[0].text, "See you tomorrow.");
    scene.hours(23);
    assert_eq!(scene.said(PAGE).len(), 1);
}

#[test]
fn it_is_said_by_a_template_which_needs_no_window() {
    let mut scene = Scene::<2>::new(|_| "outside_window = { template = \"daily\", language = \"en\" }".to_owned());
    scene.hours(24);
    let said = scene.said(PAGE);
    let [daily] = &*said else { panic!("{said:#?}") };
    assert!(daily.text.contains("daily") && daily.text.contains("produced today"), "{said:#?}");
    assert_eq!(scene.dailies()[1].state, State::Answered);
}

#[test]
fn it_is_said_in_a_room_of_webex_instead() {
    let mut scene = Scene::<3>::new(|room| format!("outside_window = {{ channel = \"space\", to = \"{room}\" }}"));
    expect_elsewhere(&mut scene);
}

#[test]
fn it_is_said_to_an_address_on_webex_instead() {
    let mut scene =
        Scene::<4>::new(|_| "outside_window = { channel = \"space\", to = \"person1@example.com\" }".to_owned());
    expect_elsewhere(&mut scene);
}

fn expect_elsewhere<const N: usize>(scene: &mut Scene<N>) {
    scene.hours(24);
    assert_eq!(scene.said(PAGE), []);
    let room = scene.world.direct(SPACE, 0);
    let said = scene.said(SPACE);
    let [daily] = &*said else { panic!("{said:#?}") };
    assert!(daily.conversation == room && daily.text.contains("produced today"), "{daily:#?}");
    let life = scene.dailies().remove(1);
    let there = scene.lives(SPACE).into_iter().find(|life| life.platform_id.starts_with("instead:")).unwrap();
    assert_eq!((life.state, there.state), (State::Answered, State::Answered), "{life:#?}");
    let why = scene.why(&life);
    let named = format!("said as {} instead", there.id);
    assert!(why.contains("said on space instead: nobody wrote for 25 h") && why.contains(&named), "{why}");
}

#[test]
fn who_blocked_the_page_is_unsubscribed_and_why_says_so() {
    let mut scene = Scene::<5>::new(|_| String::new());
    let person = scene.person.clone();
    scene.hours(1);
    scene.world.say(PAGE, &person, "Tomorrow again");
    assert_eq!(scene.said(PAGE).len(), 1);
    scene.world.say(PAGE, &person, "/");
    scene.hours(23);
    assert_eq!(scene.said(PAGE), []);
    expect_gone(&mut scene, &person, 551);
    scene.hours(24);
    assert_eq!(scene.dailies().len(), 2, "nothing rings any more");
}

#[test]
fn who_is_unknown_to_the_page_is_unsubscribed_and_why_says_so() {
    let mut scene = Scene::<6>::new(|_| String::new());
    let nobody = "7999999".to_owned();
    let plan = Plan {
        when: When::Cron { pattern: "0 11 * * *".to_owned() },
        zone: "Europe/Berlin".to_owned(),
        run_missed: RunMissed::Latest,
        spread_s: 0,
    };
    let (owner, note, name) = ("sun".to_owned(), "today".to_owned(), "subscription".to_owned());
    let set = AlarmSet { owner, person: nobody.clone(), thread: None, note, plan };
    let channel = scene.world.channel(PAGE);
    let due = Moment(TEN.0 + 25 * HOUR);
    scene.world.stop();
    scene.world.remember("sun", &format!("person {PAGE}/{nobody}"), format!("[{BERLIN}]").into_bytes());
    let write = AlarmWrite { channel, conversation: nobody.clone(), name, set: Some((set, due)) };
    scene.world.write(|store| store.put_alarm(&write).unwrap());
    scene.world.start();
    scene.hours(24);
    expect_gone(&mut scene, &nobody, 2_018_001);
}

fn expect_gone<const N: usize>(scene: &mut Scene<N>, conversation: &str, code: u32) {
    let gone = |life: &Life| life.kind == ALARM && life.conversation == conversation && life.state == State::Dead;
    let dead: Vec<_> = scene.lives(PAGE).into_iter().filter(gone).collect();
    let [life] = &*dead else { panic!("{dead:#?}") };
    let why = scene.why(life);
    assert!(why.contains(&code.to_string()) && why.contains("1 alarm was taken away"), "{why}");
    assert_eq!(scene.alarms(conversation), 0);
}
