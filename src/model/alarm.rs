//! When something is to happen of its own accord: a plan, the alarm that follows it, and what a bot hears of it.
//!
//! When an alarm is due it becomes an event of its conversation (`EventKind::Alarm`), so order, retries, `events` and
//! `why` are the same as for a message.

use super::event::ChannelNumber;
use super::time::Moment;
use serde::{Deserialize, Serialize};

/// When, again and again. Kept as JSON in the store, so members may be added but not renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub when: When,
    /// The time zone of `when`, by its name in the IANA database: `Europe/Berlin`.
    pub zone: String,
    #[serde(default)]
    pub run_missed: RunMissed,
    /// It may be late by up to so many seconds, always by the same: what is due together spreads.
    #[serde(default)]
    pub spread_s: u32,
}

impl Plan {
    /// Once, at a moment.
    pub fn once(at: Moment) -> Plan {
        Plan { when: When::Once { at }, zone: "UTC".to_owned(), run_missed: RunMissed::Latest, spread_s: 0 }
    }
}

/// The times of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    Once {
        at: Moment,
    },
    /// Every so many seconds, counted from the epoch: a restart moves nothing.
    Every {
        seconds: u32,
    },
    /// A cron pattern of five fields: minute, hour, day of the month, month, day of the week. Several are parted by
    /// `;`: times of day like 08:00 and 20:30 do not fit into one.
    Cron {
        pattern: String,
    },
}

/// What happens when ackd did not run at a time of the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMissed {
    /// The latest one that was missed happens as soon as ackd runs again.
    #[default]
    Latest,
    /// Nothing happens until the next one.
    None,
}

/// An alarm as the store keeps it. Channel, conversation and name together name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub channel: ChannelNumber,
    pub conversation: String,
    pub name: String,
    pub set: AlarmSet,
    /// When it rings next.
    pub due: Moment,
}

/// What an alarm was set to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmSet {
    /// Who set it: a bot by its name, or `OWNER_CONFIGURATION`.
    pub owner: String,
    /// For whom, in the platform's own id; the conversation itself where a conversation is one person.
    pub person: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// What the bot shall know when it rings; its own words.
    pub note: String,
    pub plan: Plan,
}

/// The owner of alarms that stand in the configuration. No bot can be called so.
pub const OWNER_CONFIGURATION: &str = "the configuration";

/// How the names of those alarms begin; no bot names one so.
pub const CONFIGURED: &str = "configured-";

/// One write to the alarms of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmWrite {
    pub channel: ChannelNumber,
    pub conversation: String,
    pub name: String,
    /// What it is set to and when it first rings; `None` takes it away.
    pub set: Option<(AlarmSet, Moment)>,
}

/// What an event of an alarm holds: the alarm as it was when it rang. Kept as JSON, the event's raw bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    pub name: String,
    pub set: AlarmSet,
    /// The time for which it rang; it may have rung later.
    pub due: Moment,
}

impl Ring {
    /// What rang, for people: `for 2026-11-22 11:00 (Europe/Berlin), set by bot sun: every day at 11:00 (Europe/Berlin), note
    /// today`.
    pub fn words(&self) -> String {
        let AlarmSet { owner, note, plan, .. } = &self.set;
        let bot = if owner == OWNER_CONFIGURATION { "" } else { "bot " };
        let note = if note.is_empty() { String::new() } else { format!(", note {note}") };
        format!("for {}, set by {bot}{owner}: {}{note}", plan.local(self.due), plan.words())
    }
}
