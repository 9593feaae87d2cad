//! Both engines live through the same lives, at random, and must say the same at each step. After each life ackd is cut off:
//! what was out comes back in the next one.

use super::*;

#[test]
fn both_engines_live_the_same_lives() {
    for seed in 1..40 {
        let (mut one, mut two) = (InMemory::new("alike"), InSqlite::new(&format!("alike-{seed}")));
        let mut fate = Fates { seed, dice: Luck::of(seed), now: NOW, admitted: 0 };
        for _ in 0..60 {
            one.with(&mut |one| two.with(&mut |two| fate.live(Desk::at(one), Desk::at(two))));
        }
    }
}

struct Fates {
    seed: u64,
    dice: Luck,
    now: Moment,
    admitted: i64,
}

impl Fates {
    fn live(&mut self, mut one: Desk<'_>, mut two: Desk<'_>) {
        let mut out = Vec::new();
        for _ in 0..self.dice.below(8) + 2 {
            let person = ["anna", "ben", "cleo"][self.dice.below(3) as usize];
            match self.dice.below(10) {
                0 | 1 if self.admitted < 40 => {
                    self.admitted += 1;
                    let (id, is_push) = (self.admitted.to_string(), self.dice.below(2) == 0);
                    self.admit(&mut one, &id, person, is_push);
                    self.admit(&mut two, &id, person, is_push);
                }
                2..=5 => {
                    let busy = out.iter().map(|lease: &Lease| lease.lane).collect();
                    let lease = one.lease(&busy, self.now);
                    assert_eq!(two.lease(&busy, self.now), lease, "seed {}", self.seed);
                    out.extend(lease);
                }
                6 | 7 if !out.is_empty() => {
                    let lease = out.swap_remove(self.dice.below(out.len() as u64) as usize);
                    let (settlement, go_on) = (self.settlement(lease, person), self.dice.below(2) == 0);
                    let next = one.store.settle(&settlement, go_on, self.now).unwrap();
                    assert_eq!(two.store.settle(&settlement, go_on, self.now).unwrap(), next, "seed {}", self.seed);
                    out.extend(next);
                }
                8 => self.now = self.now.after(Duration::from_millis(self.dice.below(3000))),
                9 => self.now = self.now.after(Duration::from_secs(self.dice.below(400))),
                _ => {}
            }
        }
        one.store.commit().unwrap();
        two.store.commit().unwrap();
        self.compare(&mut one, &mut two);
        if out.is_empty() {
            self.look_for_the_forgotten(&mut two);
        }
    }

    fn admit(&self, desk: &mut Desk<'_>, id: &str, person: &str, is_push: bool) {
        if is_push {
            let replies = [Reply::text(person, "one"), Reply::text(person, "two")];
            desk.store.push(desk.channel, id, &replies, self.now).unwrap();
        } else {
            desk.admit(id, person);
        }
    }

    /// How a job ends.
    fn settlement(&mut self, Lease { event, lane, work }: Lease, person: &str) -> Settlement {
        let due = self.now.after(Duration::from_secs(self.dice.below(50)));
        let (part, number, stage) = match work {
            Work::Send { part, attempt, .. } => (part, attempt, None),
            Work::Hear { stage, .. } => (0, 0, Some(stage.map_or(0, |stage| stage.number))),
        };
        let Some(stage) = stage else {
            let (began, ended, words) = (self.now, self.now, "words".to_owned());
            let attempt = Attempt { part, number, began, ended, status: Some(200), words };
            let end = match self.dice.below(5) {
                0 => SendEnd::Again { due, maybe_said: false },
                1 => SendEnd::Dead,
                2 => SendEnd::Unknown,
                _ => delivered(),
            };
            return Settlement::Sent { event, lane, attempt, end };
        };
        match self.dice.below(4) {
            0 => Settlement::HearLater { event, lane, due, attempt: 1, why: "later".to_owned() },
            1 => Settlement::HearDead { event, lane, why: "dead".to_owned() },
            _ => {
                let replies = (0..self.dice.below(3)).map(|_| Reply::text(person, "answer")).collect();
                let rest = Rest { stage: Stage { number: stage + 1, note: vec![1] }, due: Some(due) };
                let rest = Some(rest).filter(|_| self.dice.below(4) == 0);
                Settlement::Heard { event, lane, replies, notes: Notes { rest, stage, ..Notes::default() } }
            }
        }
    }

    fn compare(&self, one: &mut Desk<'_>, two: &mut Desk<'_>) {
        for place in 1..=self.admitted {
            let event = EventKey::new(one.channel, place);
            let told = |life: Life| (life.state, life.why, life.due.filter(|due| *due > self.now), life.replies);
            assert_eq!(told(one.life(event)), told(two.life(event)), "seed {}: {place}", self.seed);
        }
    }

    /// What waits is handed out now, or somebody is woken for it.
    fn look_for_the_forgotten(&self, desk: &mut Desk<'_>) {
        let open = (1..=self.admitted).any(|place| desk.state(EventKey::new(desk.channel, place)) == State::Open);
        let lease = desk.lease(&free(), self.now);
        let due = desk.store.next_due(desk.channel, Wanted::Any, self.now).unwrap();
        assert!(!open || lease.is_some() || due.is_some(), "seed {}: it waits, and nobody is woken", self.seed);
        desk.store.roll_back();
    }
}
