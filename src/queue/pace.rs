//! When a channel may be worked on: always, not before a moment, or only with one probe at a time.
//!
//!     Free ──failures in a row──▶ Resting ──time──▶ Probing ──success──▶ Free
//!       └──────a limit, or refused credentials──▶ Resting ┘└──failure──▶ Resting, longer
//!
//! Pure: time and chance are handed in. It decides when, never what.

use super::backoff;
use crate::limits;
use crate::model::Moment;
use std::time::Duration;

/// What the end of a job says about its channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: no upstream was asked.
    #[default]
    None,
    /// The upstream answered as it should.
    Well,
    /// It could not be reached, or failed.
    Failed { why: String },
    /// It wants no more calls for so long.
    Limited { wait: Duration, why: String },
    /// It does not accept our credentials.
    Locked { why: String },
}

impl Effect {
    /// Whether the worker may go on with the same event at once.
    pub fn lets_go_on(&self) -> bool {
        matches!(self, Effect::None | Effect::Well)
    }
}

/// That nothing is worked on for a while, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    pub until: Moment,
    pub why: String,
}

/// A channel's pace.
#[derive(Debug, Default)]
pub struct Pace {
    failures: u32,
    rest_until: Option<Moment>,
}

impl Pace {
    /// The end of the rest, while it lasts.
    pub fn rests_until(&self, now: Moment) -> Option<Moment> {
        self.rest_until.filter(|until| *until > now)
    }

    /// Whether a job may be handed out while `out` are. After a rest, one at a time until one goes well.
    pub fn may_lease(&self, now: Moment, out: usize) -> bool {
        self.rests_until(now).is_none() && (self.rest_until.is_none() || out == 0)
    }

    /// Takes the end of a job into account, and says in the log when the pace changes. Gives the rest that begins with
    /// it, or becomes longer.
    pub fn note(&mut self, effect: &Effect, channel: &str, now: Moment, chance: u64) -> Option<Rest> {
        let (wait, why, since) = match effect {
            Effect::None => return None,
            // It began before the rest did: only a probe can show that the rest was long enough.
            Effect::Well if self.rests_until(now).is_some() => return None,
            Effect::Well => {
                if self.rest_until.take().is_some() {
                    log::warn!(channel; "channel {channel}: the platform takes our replies again");
                }
                self.failures = 0;
                return None;
            }
            Effect::Failed { why } => {
                self.failures = self.failures.saturating_add(1);
                let over = self.failures.saturating_sub(limits::CHANNEL_FAILURES - 1);
                if over == 0 {
                    return None;
                }
                (backoff::delay(over, chance), why, "the platform failed several times in a row")
            }
            Effect::Limited { wait, why } => (*wait, why, "a limit of the platform was reached"),
            Effect::Locked { why } => (limits::LOCKED_REST, why, "its token is refused"),
        };
        let first = self.rest_until.is_none();
        let until = now.after(wait);
        let longer = self.rest_until.is_none_or(|before| before < until);
        self.rest_until = Some(self.rest_until.map_or(until, |before| before.max(until)));
        let level = if matches!(effect, Effect::Locked { .. }) { log::Level::Error } else { log::Level::Warn };
        let seconds = wait.as_millis().div_ceil(1000);
        // Only the first of a series is news.
        if first {
            log::log!(level, channel; "channel {channel}: no replies for {seconds} s: {why}");
        } else {
            log::debug!("channel {channel}: no replies for another {seconds} s: {why}");
        }
        longer.then(|| Rest { until, why: format!("{since}: {why}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_800_000_000_000);

    fn failed() -> Effect {
        Effect::Failed { why: "connection refused".to_owned() }
    }

    #[test]
    fn a_channel_rests_after_failures_in_a_row_and_then_probes() {
        let mut pace = Pace::default();
        for _ in 1..limits::CHANNEL_FAILURES {
            pace.note(&failed(), "page", NOW, 0);
            assert!(pace.may_lease(NOW, 3));
        }
        pace.note(&failed(), "page", NOW, 0);
        assert!(!pace.may_lease(NOW, 0));
        let until = pace.rests_until(NOW).unwrap_or_default();
        assert!(pace.may_lease(until, 0) && !pace.may_lease(until, 1), "one probe at a time");
        pace.note(&Effect::Well, "page", until, 0);
        assert!(pace.may_lease(until, 3));
    }

    #[test]
    fn a_success_in_between_ends_the_series() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            for _ in 1..limits::CHANNEL_FAILURES {
                pace.note(&failed(), "page", NOW, 0);
            }
            pace.note(&Effect::Well, "page", NOW, 0);
        }
        assert!(pace.may_lease(NOW, 0));
    }

    #[test]
    fn what_began_before_a_limit_does_not_lift_it() {
        let mut pace = Pace::default();
        let wait = Duration::from_secs(60);
        pace.note(&Effect::Limited { wait, why: String::new() }, "page", NOW, 0);
        // A call that was on the wire all the while.
        pace.note(&Effect::Well, "page", NOW.after(Duration::from_millis(50)), 0);
        assert_eq!(pace.rests_until(NOW.after(Duration::from_millis(50))), Some(NOW.after(wait)));
        pace.note(&Effect::Well, "page", NOW.after(wait), 0);
        assert!(pace.may_lease(NOW.after(wait), 3));
    }

    #[test]
    fn a_rest_says_its_reason() {
        let why = || "HTTP 401".to_owned();
        let wait = Duration::from_secs(3);
        for (effect, reason) in [
            (Effect::Locked { why: why() }, "its token is refused: HTTP 401"),
            (Effect::Limited { wait, why: why() }, "a limit of the platform was reached: HTTP 401"),
        ] {
            let rest = Pace::default().note(&effect, "page", NOW, 0);
            assert_eq!(rest.map(|rest| rest.why), Some(reason.to_owned()));
        }
        let mut pace = Pace::default();
        let rests: Vec<_> =
            (0..=limits::CHANNEL_FAILURES).filter_map(|_| pace.note(&failed(), "page", NOW, 0)).collect();
        assert!(rests.iter().all(|rest| rest.why == "the platform failed several times in a row: connection refused"));
        assert!(!rests.is_empty());
    }

    #[test]
    fn the_longest_rest_holds() {
        let mut pace = Pace::default();
        let limited = |seconds| Effect::Limited { wait: Duration::from_secs(seconds), why: String::new() };
        let rest = pace.note(&limited(60), "page", NOW, 0);
        assert_eq!(rest.map(|rest| rest.until), Some(NOW.after(Duration::from_secs(60))));
        assert_eq!(pace.note(&limited(5), "page", NOW, 0), None, "it is told of already");
        assert_eq!(pace.rests_until(NOW), Some(NOW.after(Duration::from_secs(60))));
    }
}
