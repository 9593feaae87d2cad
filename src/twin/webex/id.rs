//! Ids as Webex makes them, base64 of `ciscospark://us/KIND/UUID` (webex.md §2), out of a seed and a counter, so that a
//! test meets the same ones again. Also how Webex writes a moment.

use crate::model::Moment;
use crate::twin::base64::base64;
use std::cell::Cell;

/// A source of ids.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    seed: u64,
    drawn: Cell<u64>,
    /// Tracking ids are drawn apart, so that what a bot asks changes no id of what is said.
    tracked: Cell<u64>,
}

impl Ids {
    /// The ids of this seed.
    pub(super) fn new(seed: u64) -> Ids {
        Ids { seed, drawn: Cell::new(0), tracked: Cell::new(u64::MAX / 2) }
    }

    /// A new uuid.
    pub(super) fn uuid(&self) -> String {
        self.uuid_of(&self.drawn)
    }

    fn uuid_of(&self, drawn: &Cell<u64>) -> String {
        let (high, low) = (self.word(drawn), self.word(drawn));
        // Version 4, variant 1 (RFC 9562 §5.4).
        let (version, variant) = (0x4000 | high & 0x0fff, 0x8000 | low >> 48 & 0x3fff);
        let (first, second, last) = (high >> 32, high >> 16 & 0xffff, low & 0xffff_ffff_ffff);
        format!("{first:08x}-{second:04x}-{version:04x}-{variant:04x}-{last:012x}")
    }

    /// A new id of a kind: `MESSAGE`, `WEBHOOK` …
    pub(super) fn id(&self, kind: &str) -> String {
        id(kind, &self.uuid())
    }

    /// The id of an application: its name is longer than a uuid.
    pub(super) fn application(&self) -> String {
        let name: String = (0..4).map(|_| format!("{:016x}", self.word(&self.drawn))).collect();
        id("APPLICATION", &format!("C{name}"))
    }

    /// What names a call in Webex's logs.
    pub(super) fn tracking(&self) -> String {
        format!("ROUTER_{}", self.uuid_of(&self.tracked).to_ascii_uppercase())
    }

    /// The next number of splitmix64.
    fn word(&self, drawn: &Cell<u64>) -> u64 {
        drawn.set(drawn.get().wrapping_add(1));
        let mixed = self.seed.wrapping_add(drawn.get().wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

/// The id that callers see.
pub(super) fn id(kind: &str, name: &str) -> String {
    base64(format!("ciscospark://us/{kind}/{name}").as_bytes())
}

/// Whether a text is an id at all, of whatever cluster and kind.
pub(super) fn is_id(text: &str) -> bool {
    // `ciscospark:/`
    text.starts_with("Y2lzY29zcGFyazov")
}

/// `2025-11-21T08:00:00.111Z`.
pub(super) fn written(moment: Moment) -> String {
    // Only a clock outside the years -9999 to 9999 fails; the twin then says that it is 1970.
    format!("{:.3}", jiff::Timestamp::from_millisecond(moment.0).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_the_samples_do() {
        let id = id("PEOPLE", "8a1b2c3d-4e5f-4a6b-9c7d-0e1f2a3b4c5d");
        assert_eq!(id, "Y2lzY29zcGFyazovL3VzL1BFT1BMRS84YTFiMmMzZC00ZTVmLTRhNmItOWM3ZC0wZTFmMmEzYjRjNWQ");
        assert!(is_id(&id) && !is_id("8a1b2c3d-4e5f-4a6b-9c7d-0e1f2a3b4c5d"));
    }

    #[test]
    fn a_seed_gives_the_same_uuids_again_and_another_gives_others() {
        let first = |seed| Ids::new(seed).uuid();
        assert_eq!(first(7), first(7));
        assert_ne!(first(7), first(8));
        let ids = Ids::new(7);
        let uuid = ids.uuid();
        let tracking = ids.tracking();
        assert!(uuid != ids.uuid() && tracking != ids.tracking());
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(uuid.get(14..15), Some("4"));
    }

    #[test]
    fn a_moment_is_written_with_its_milliseconds() {
        assert_eq!(written(Moment(1_763_712_000_111)), "2025-11-21T08:00:00.111Z");
        assert_eq!(written(Moment(1_763_712_000_000)), "2025-11-21T08:00:00.000Z");
        assert_eq!(written(Moment(i64::MAX)), "1970-01-01T00:00:00.000Z");
    }
}
