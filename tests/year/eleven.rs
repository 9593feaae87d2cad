//! A thousand people want to be told at the same time, and others ask meanwhile. In real time: what is shown is who waits
//! for whom, not for how long.

use crate::clock::REAL;
use crate::world::{BERLIN, Made, PAGE, World, roof};
use ackd::daemon::clock;
use ackd::model::{AlarmSet, AlarmWrite, EventKey, Moment, Plan, Ring};
use ackd::store::{ALARM, State};
use ackd::twin::{Bubble, Side};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PEOPLE: usize = 1000;
const WORKERS: usize = 4;
/// Messages that may go at once: beside another channel the page has three workers, and one of them stays free.
const AT_ONCE: usize = 2;
/// Questions while messages hang, and while they flow.
const QUESTIONS: usize = 20;
/// What a message takes.
const SLOW: &str = "late 100% 20ms";
/// What a message takes that hangs: longer than a question and its answer on a machine that is busy.
const HANGS: &str = "late 100% 4s";

/// Who asks while messages hang, and who asks while they flow: nobody who is to be told.
const EARLY: usize = PEOPLE;
const LATE: usize = PEOPLE + 1;

/// What was said so far, in order: true for an answer.
fn said(world: &World<REAL>) -> Vec<Bubble> {
    let mut bubbles = world.house.bubbles(PAGE, 0).unwrap();
    bubbles.retain(|bubble| bubble.side == Side::Bot && bubble.sign.is_none());
    bubbles
}

fn wait_for_messages(world: &World<REAL>, count: usize) {
    let began = Instant::now();
    while said(world).len() < count {
        assert!(began.elapsed() < crate::shared::PATIENCE, "{} of {count}", said(world).len());
        world.house.wait(world.house.news(), Duration::from_millis(20));
    }
}

/// Asks, and waits for the answer: how long it took, and how many messages were begun between.
fn ask(world: &mut World<REAL>, who: usize, text: &str) -> (Duration, usize) {
    let person = world.direct(PAGE, who);
    let (before, began) = (said(world), Instant::now());
    let answers = |bubbles: &[Bubble]| bubbles.iter().filter(|bubble| bubble.conversation == person).count();
    let known = answers(&before);
    world.hand_over(PAGE, &person, text);
    loop {
        let now = said(world);
        if answers(&now) > known {
            let between = now.len() - before.len() - 1;
            return (began.elapsed(), between);
        }
        assert!(began.elapsed() < crate::shared::PATIENCE, "no answer");
        world.house.wait(world.house.news(), Duration::from_millis(5));
    }
}

#[test]
fn a_thousand_at_eleven_are_told_the_oldest_first_once_each_and_hold_up_no_question() {
    let mut world = World::<REAL>::new(
        Made {
            people: (PEOPLE + 2, 1),
            roof: roof(Moment(clock().0 - 86_400_000)),
            workers: WORKERS,
            ..Made::default()
        },
        clock(),
    );
    let eleven = clock().0 - 60_000;
    let mut wanted = BTreeMap::new();
    let page = world.channel(PAGE);
    let people: Vec<String> = (0..=LATE).map(|number| format!("{}", 7_000_001 + number)).collect();
    for person in &people {
        // Everybody wrote a moment ago, so that they may be told.
        world
            .house
            .act(PAGE, &ackd::twin::Act::Say { conversation: person.clone(), text: "hello".to_owned(), mentions: true })
            .unwrap();
    }
    world.forget_post();
    world.write(|store| {
        for (number, person) in people.iter().enumerate() {
            let memory = |key: String, value: String| ackd::model::MemoryWrite {
                bot: "sun".to_owned(),
                key,
                value: Some(value.into_bytes()),
                expires: None,
            };
            store.remember(&memory(format!("person {PAGE}/{person}"), format!("[{BERLIN}]"))).unwrap();
            if number >= PEOPLE {
                continue;
            }
            // In no order, as people are.
            let due = Moment(eleven + (number as i64 * 7919) % PEOPLE as i64);
            wanted.insert(due, person.clone());
            let (owner, note, name) = ("sun".to_owned(), "today".to_owned(), "subscription".to_owned());
            let set = AlarmSet { owner, person: person.clone(), thread: None, note, plan: Plan::once(due) };
            let conversation = person.clone();
            store.put_alarm(&AlarmWrite { channel: page, conversation, name, set: Some((set, due)) }).unwrap();
        }
    });
    world.plan(PAGE, HANGS, 1);
    world.begin();
    // As many as may be told at once hang; somebody asks all the same, and is answered before they have ended.
    wait_for_messages(&world, AT_ONCE);
    let (_, between) = ask(&mut world, EARLY, "lifetime");
    assert_eq!(between, 0, "one worker is free for questions");
    world.plan(PAGE, SLOW, 1);
    // Those that hung have ended.
    wait_for_messages(&world, 10 * WORKERS);
    let (began, mut longest, mut most) = (Instant::now(), Duration::ZERO, 0);
    for _ in 0..QUESTIONS {
        let (took, between) = ask(&mut world, LATE, "lifetime");
        (longest, most) = (longest.max(took), most.max(between));
        std::thread::sleep(Duration::from_millis(100));
    }
    wait_for_messages(&world, PEOPLE + 1 + QUESTIONS);
    println!(
        "{PEOPLE} told in {:?}; the longest wait of {QUESTIONS} questions was {longest:?}, {most} messages were begun meanwhile",
        began.elapsed()
    );
    world.settle();
    assert!(most < PEOPLE / 10, "{most} messages went before a question");

    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for bubble in said(&world) {
        *told.entry(bubble.conversation).or_default() += 1;
    }
    assert_eq!([EARLY, LATE].map(|who| told.remove(&people[who])), [Some(1), Some(QUESTIONS)]);
    assert!(told.len() == PEOPLE && told.values().all(|times| *times == 1), "{told:?}");
    let reader = world.reader();
    let lines = reader.next(EventKey::before_first(page), &[], 10 * PEOPLE).unwrap();
    let rang: Vec<_> = lines.iter().filter(|line| line.kind == ALARM && people.contains(&line.conversation)).collect();
    assert!(rang.iter().all(|line| line.state == State::Answered));
    let due = |key| serde_json::from_slice::<Ring>(&reader.life(key).unwrap().unwrap().raw).unwrap().due;
    let rang: Vec<_> = rang.iter().map(|line| (due(line.key), line.conversation.clone())).collect();
    assert!(rang == wanted.into_iter().collect::<Vec<_>>(), "the oldest first: {rang:?}");
}
