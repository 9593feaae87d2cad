//! What goes wrong on purpose, by a seed: the same seed and the same order of calls bring the same faults.
//!
//!     late 5% 300ms    the call is carried out and answered after that time
//!     cut 2%           the call is carried out, and the connection closes without an answer
//!     429 1% 3s        from now on every call is refused as too many, for so long
//!     500 3%           the call is refused, nothing is done
//!     token 0.5% 2s    from now on every call meets an expired token, for so long
//!     duplicate 10%    a dispatch is sent twice
//!     reorder 10%      a dispatch is held back behind the next one
//!
//! Pure: the time is handed in, and chance is a seed. Never here: what a platform says then; `Twin::mishap` knows it.

use super::Mishap;
use crate::limits::{FAULT_TIME_MAX, LATE_TIME, MISHAP_TIME};
use crate::model::Moment;
use std::time::Duration;

/// Numbers that look like chance and come again with the same seed (splitmix64).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chance(u64);

impl Chance {
    /// The row of numbers that belongs to this seed.
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn happens(&mut self, fault: Fault) -> bool {
        self.draw() % 1_000_000 < u64::from(fault.per_million)
    }
}

/// The seed of one twin among others that share `seed`: FNV-1a over its name, mixed by one draw.
pub fn seed_of(seed: u64, twin: &str) -> u64 {
    let name = twin
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Chance::new(seed ^ name).draw()
}

/// One kind of fault: how often, and for how long where that has a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fault {
    per_million: u32,
    lasts: Duration,
}

/// What shall go wrong; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    seed: u64,
    late: Fault,
    cut: Fault,
    busy: Fault,
    broken: Fault,
    token: Fault,
    duplicate: Fault,
    reorder: Fault,
}

const WORDS: &str = "late, cut, 429, 500, token, duplicate, reorder";

impl Plan {
    /// Reads a plan like `late 5% 300ms, cut 2%`. An error says all that is wrong with it, and what to write.
    pub fn parse(text: &str, seed: u64) -> Result<Plan, String> {
        let mut plan = Plan { seed, ..Plan::default() };
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let mut seen = Vec::new();
        let wrongs: Vec<String> = items.filter_map(|item| plan.take(item, &mut seen).err()).collect();
        if wrongs.is_empty() { Ok(plan) } else { Err(wrongs.join("; ")) }
    }

    /// The same faults as often, in an order of its own: under one seed, what goes wrong with one twin says nothing about
    /// another.
    #[must_use]
    pub fn of(&self, twin: &str) -> Plan {
        Plan { seed: seed_of(self.seed, twin), ..self.clone() }
    }

    fn take<'a>(&mut self, item: &'a str, seen: &mut Vec<&'a str>) -> Result<(), String> {
        let mut parts = item.split_whitespace();
        let word = parts.next().unwrap_or_default();
        let (place, usual) = match word {
            "late" => (&mut self.late, Some(LATE_TIME)),
            "cut" => (&mut self.cut, None),
            "429" => (&mut self.busy, Some(MISHAP_TIME)),
            "500" => (&mut self.broken, None),
            "token" => (&mut self.token, Some(MISHAP_TIME)),
            "duplicate" => (&mut self.duplicate, None),
            "reorder" => (&mut self.reorder, None),
            _ => return Err(format!("{word:?} is no fault; write one of {WORDS}")),
        };
        if seen.contains(&word) {
            return Err(format!("{word} stands there twice; write it once"));
        }
        seen.push(word);
        let per_million = parts.next().and_then(share).ok_or_else(|| {
            format!("{item:?} does not say how often; write for example \"{word} 2%\", from 0% to 100%")
        })?;
        let lasts = match (parts.next(), usual) {
            (None, usual) => usual.unwrap_or_default(),
            (Some(_), None) => return Err(format!("{word} takes no time; write \"{word} 2%\"")),
            (Some(time), Some(_)) => duration(time)
                .ok_or_else(|| format!("{time:?} is no time up to an hour; write for example 300ms, 3s or 2m"))?,
        };
        if let Some(more) = parts.next() {
            return Err(format!("{more:?} is too much in {item:?}; faults stand behind commas"));
        }
        *place = Fault { per_million, lasts };
        Ok(())
    }
}

/// `0.5%` as parts of a million.
fn share(text: &str) -> Option<u32> {
    let percent = super::decimal(text.strip_suffix('%')?)?;
    (0.0..=100.0).contains(&percent).then(|| (percent * 10_000.0).round() as u32)
}

/// `300ms`, `3s` or `2m`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|sign: char| !sign.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return None,
    };
    let time = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(factor)?);
    (time <= FAULT_TIME_MAX).then_some(time)
}

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// It is refused.
    Refused(Mishap),
    /// It is carried out, and the connection closes.
    Cut,
    /// It is carried out, and the answer comes after this.
    Late(Duration),
}

impl CallFault {
    /// The plan's word for it.
    pub fn word(self) -> &'static str {
        match self {
            CallFault::Refused(Mishap::Busy { .. }) => "429",
            CallFault::Refused(Mishap::TokenExpired) => "token",
            CallFault::Refused(Mishap::Broken | Mishap::Unverified) => "500",
            CallFault::Cut => "cut",
            CallFault::Late(_) => "late",
        }
    }
}

/// What a dispatch meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DispatchFault {
    pub duplicate: bool,
    pub reorder: bool,
}

/// A plan under way. Calls and dispatches draw from rows of their own, so that neither disturbs the other.
#[derive(Clone, Debug)]
pub struct Faults {
    plan: Plan,
    calls: Chance,
    dispatches: Chance,
    busy_until: Moment,
    token_until: Moment,
}

impl Faults {
    /// At the beginning of a plan.
    pub fn new(plan: Plan) -> Faults {
        let (calls, dispatches) = (Chance::new(plan.seed), Chance::new(plan.seed ^ 0x6469_7370_6174_6368));
        Faults { plan, calls, dispatches, busy_until: Moment(0), token_until: Moment(0) }
    }

    /// What the next call meets. Each call draws the same count of numbers, whatever comes of them.
    pub fn call(&mut self, now: Moment) -> Option<CallFault> {
        let plan = &self.plan;
        let drawn = [plan.busy, plan.token, plan.broken, plan.cut, plan.late].map(|fault| self.calls.happens(fault));
        let [busy, token, broken, cut, late] = drawn;
        let begins = self.busy_until <= now && self.token_until <= now;
        if begins && busy {
            self.busy_until = now.after(plan.busy.lasts);
        } else if begins && token {
            self.token_until = now.after(plan.token.lasts);
        }
        if self.busy_until > now {
            return Some(CallFault::Refused(Mishap::Busy { left: self.busy_until.since(now) }));
        }
        if self.token_until > now {
            return Some(CallFault::Refused(Mishap::TokenExpired));
        }
        match (broken, cut, late) {
            (true, ..) => Some(CallFault::Refused(Mishap::Broken)),
            (_, true, _) => Some(CallFault::Cut),
            (.., true) => Some(CallFault::Late(plan.late.lasts)),
            _ => None,
        }
    }

    /// What the next dispatch meets.
    pub fn dispatch(&mut self) -> DispatchFault {
        let duplicate = self.dispatches.happens(self.plan.duplicate);
        let reorder = self.dispatches.happens(self.plan.reorder);
        DispatchFault { duplicate, reorder }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(plan: &str, seed: u64) -> Vec<Option<CallFault>> {
        let mut faults = Faults::new(Plan::parse(plan, seed).unwrap());
        (0..2000).map(|second| faults.call(Moment(second * 1000))).collect()
    }

    #[test]
    fn a_plan_is_read_with_and_without_times() {
        let plan = Plan::parse("late 5%, cut 2%, 429 1% 7s, 500 3%, token 0.5% 250ms, reorder 100%", 1).unwrap();
        assert_eq!(plan.late, Fault { per_million: 50_000, lasts: LATE_TIME });
        assert_eq!(plan.busy, Fault { per_million: 10_000, lasts: Duration::from_secs(7) });
        assert_eq!(plan.token, Fault { per_million: 5000, lasts: Duration::from_millis(250) });
        assert_eq!((plan.reorder.per_million, plan.duplicate.per_million), (1_000_000, 0));
        assert_eq!(Plan::parse("", 0), Ok(Plan::default()));
    }

    #[test]
    fn what_is_wrong_with_a_plan_is_said_all_at_once() {
        let wrong = Plan::parse("lat 5%, cut 2% 3s, 500, late 101%, token 1% 2h, 429 1% 1s x, 500 1%", 1).unwrap_err();
        for part in [
            "\"lat\" is no fault; write one of late, cut,",
            "cut takes no time",
            "\"500\" does not say how often",
            "\"late 101%\" does not say how often",
            "\"2h\" is no time",
            "\"x\" is too much",
            "500 stands there twice",
        ] {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
        assert!(Plan::parse("late 5% 99999999999999999999s", 1).is_err() && Plan::parse("late 5% ü", 1).is_err());
    }

    #[test]
    fn the_same_seed_brings_the_same_faults_and_another_one_others() {
        let plan = "late 5%, cut 2%, 429 1% 3s, 500 3%, token 0.5% 2s";
        assert_eq!(drawn(plan, 7), drawn(plan, 7));
        assert_ne!(drawn(plan, 7), drawn(plan, 8));
        let late = drawn("late 5%", 3).iter().flatten().count();
        assert!((60..140).contains(&late), "5% of 2000 is about 100, not {late}");
    }

    #[test]
    fn a_limit_lasts_as_long_as_the_plan_says_and_then_ends() {
        let mut faults = Faults::new(Plan::parse("429 100% 3s", 1).unwrap());
        let busy = |seconds| Some(CallFault::Refused(Mishap::Busy { left: Duration::from_secs(seconds) }));
        assert_eq!(faults.call(Moment(0)), busy(3));
        faults.plan.busy.per_million = 0;
        assert_eq!((faults.call(Moment(1000)), faults.call(Moment(3000))), (busy(2), None));
    }

    #[test]
    fn twins_under_one_seed_meet_faults_of_their_own_and_the_same_again() {
        let plan = Plan::parse("cut 20%, duplicate 20%", 7).unwrap();
        let met = |plan: Plan| {
            let mut faults = Faults::new(plan);
            (0..200).map(|_| (faults.call(Moment(0)), faults.dispatch())).collect::<Vec<_>>()
        };
        assert_ne!(met(plan.of("page")), met(plan.of("space")));
        assert_eq!(met(plan.of("page")), met(Plan::parse("cut 20%, duplicate 20%", 7).unwrap().of("page")));
        assert_ne!(met(plan.of("page")), met(Plan::parse("cut 20%, duplicate 20%", 8).unwrap().of("page")));
    }

    #[test]
    fn what_a_dispatch_meets_does_not_depend_on_calls() {
        let plan = Plan::parse("cut 50%, duplicate 30%, reorder 30%", 9).unwrap();
        let (mut one, mut other) = (Faults::new(plan.clone()), Faults::new(plan));
        let alone: Vec<_> = (0..100).map(|_| one.dispatch()).collect();
        let between: Vec<_> = (0..100).map(|_| (other.call(Moment(0)), other.dispatch()).1).collect();
        assert_eq!(alone, between);
        assert!(alone.iter().any(|fault| fault.duplicate) && alone.iter().any(|fault| !fault.duplicate));
    }
}
