//! Chance that can be repeated: a failure prints its seed, and `ACKD_SEED` takes it.

use std::time::{SystemTime, UNIX_EPOCH};

/// SplitMix64.
pub struct Luck(u64);

impl Luck {
    /// Starts from `ACKD_SEED`, or from the clock; prints the seed.
    pub fn of_the_day() -> Luck {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = std::env::var("ACKD_SEED").map_or(clock, |seed| seed.parse().unwrap());
        println!("ACKD_SEED={seed}");
        Luck(seed)
    }

    /// Starts from this seed.
    pub fn of(seed: u64) -> Luck {
        Luck(seed)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// True once in so many times.
    pub fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}
