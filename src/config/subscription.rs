//! `[[subscription]]`: what a bot shall tell somebody of its own accord, and how the store follows the file.

use super::findings::{Findings, quoted};
use super::name;
use super::plan::{self, plan};
use super::table::{Entry, Key, Table};
use crate::limits::{ASK_BYTES_MAX, ID_BYTES_MAX, SUBSCRIPTIONS_MAX};
use crate::model::{Alarm, AlarmSet, AlarmWrite, CONFIGURED, ChannelNumber, Moment, OWNER_CONFIGURATION};
use crate::notation::nearest::nearest;
use crate::notation::shelf::Shelf;
use crate::queue::schedule;
use std::collections::BTreeSet;
use toml::de::DeValue;

/// Somebody is told something again and again, because the configuration says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The channel's name.
    pub channel: String,
    /// The conversation, in the platform's own id.
    pub conversation: String,
    /// The alarm's name. It stays the same when others come or go, or its plan changes.
    pub name: String,
    pub set: AlarmSet,
}

const KEYS: &[Key] = &[
    Key { name: "channel", example: "\"page\"" },
    Key { name: "to", example: "\"1254477777772919\"" },
    Key { name: "ask", example: "\"today\"" },
    Key { name: "name", example: "\"morning\"" },
    plan::EVERY,
    plan::AT,
    plan::ON,
    plan::CRON,
    plan::ZONE,
    plan::RUN_MISSED,
    plan::SPREAD,
];

/// Reads all of them. `channels` are the names of the channels, those with faults too.
pub(super) fn subscriptions(entry: &Entry<'_>, channels: &[&str], findings: &mut Findings<'_>) -> Vec<Subscription> {
    let DeValue::Array(_) = entry.value else {
        findings.fault(&entry.place, "there may be several; write [[subscription]], with two brackets");
        return Vec::new();
    };
    let members = entry.one_or_list(findings);
    if members.len() > SUBSCRIPTIONS_MAX {
        findings.fault(&entry.place, format!("lists more than {SUBSCRIPTIONS_MAX}; people can subscribe in chat, too"));
        return Vec::new();
    }
    let mut taken = Shelf::new();
    let mut subscriptions = Vec::new();
    for member in members {
        let Some(table) = member.table(KEYS, findings) else { continue };
        let Some(subscription) = subscription(&table, channels, findings) else { continue };
        let key = (subscription.channel.clone(), subscription.conversation.clone(), subscription.name.clone());
        if let Some(line) = taken.insert(key, table.place.line) {
            let what =
                format!("line {line} has the same channel, to and ask; give each a name, as in name = \"morning\"");
            let same = format!("line {line} has the same name for the same conversation; write another one");
            match table.get("name", findings) {
                Some(entry) => findings.fault(&entry.place, same),
                None => findings.fault(&table.place, what),
            }
        }
        subscriptions.push(subscription);
    }
    subscriptions
}

/// One of them; every key is looked at, so that all faults are told.
fn subscription(table: &Table<'_>, channels: &[&str], findings: &mut Findings<'_>) -> Option<Subscription> {
    let channel = table.need("channel", findings).and_then(|entry| channel(&entry, channels, findings));
    let to = table.need("to", findings).and_then(|entry| words(&entry, ID_BYTES_MAX, findings));
    let ask = table.need("ask", findings).and_then(|entry| words(&entry, ASK_BYTES_MAX, findings));
    let named = match table.get("name", findings) {
        Some(entry) => own_name(&entry, findings).map(Some),
        None => Some(None),
    };
    let plan = plan(table, findings);
    let (channel, to, ask) = (channel?, to?, ask?);
    let name = match named? {
        Some(name) => format!("{CONFIGURED}{name}"),
        // Of what it is and not of where it stands: what is moved within the file goes on.
        None => format!("{CONFIGURED}{:016x}", schedule::seed(0, &format!("{channel} {to}"), ask)),
    };
    let owner = OWNER_CONFIGURATION.to_owned();
    let set = AlarmSet { owner, person: to.to_owned(), thread: None, note: ask.to_owned(), plan: plan? };
    Some(Subscription { channel: channel.to_owned(), conversation: to.to_owned(), name, set })
}

fn channel<'t>(entry: &Entry<'t>, channels: &[&str], findings: &mut Findings<'_>) -> Option<&'t str> {
    let name = entry.text(findings)?;
    if channels.contains(&name) {
        return Some(name);
    }
    let hint = match nearest(name, channels.iter().copied()) {
        Some(near) => format!("did you mean {}?", quoted(near)),
        None => format!("write the name of a table [channel.…], as in {}", entry.example),
    };
    findings.fault(&entry.place, format!("there is no channel {}; {hint}", quoted(name)));
    None
}

/// A text on one line, of which there is something.
fn words<'t>(entry: &Entry<'t>, bytes_max: usize, findings: &mut Findings<'_>) -> Option<&'t str> {
    let text = entry.text(findings)?;
    let what = if text.trim().is_empty() {
        format!("is empty; write for example {}", entry.example)
    } else if text.len() > bytes_max {
        format!("is longer than {bytes_max} bytes")
    } else if text.chars().any(char::is_control) {
        "must be on one line, without control characters".to_owned()
    } else {
        return Some(text);
    };
    findings.fault(&entry.place, what);
    None
}

fn own_name<'t>(entry: &Entry<'t>, findings: &mut Findings<'_>) -> Option<&'t str> {
    let text = entry.text(findings)?;
    match name::flaw(text) {
        None => Some(text),
        Some(what) => {
            findings.fault(&entry.place, what);
            None
        }
    }
}

/// What to write so that the store has what the configuration wants. What did not change keeps its time, so that a
/// restart misses nothing; what is new or was changed begins now; what is no longer wanted goes. Alarms that bots have
/// set stay as they are.
pub fn reconcile(kept: &[Alarm], wanted: &[(ChannelNumber, Subscription)], now: Moment) -> Vec<AlarmWrite> {
    let key = |alarm: &Alarm| (alarm.channel, alarm.conversation.clone(), alarm.name.clone());
    let ours = kept.iter().filter(|alarm| alarm.set.owner == OWNER_CONFIGURATION);
    let kept: Shelf<_, _> = ours.map(|alarm| (key(alarm), &alarm.set)).collect();
    let mut writes = Vec::new();
    let mut stays = BTreeSet::new();
    for (number, Subscription { conversation, name, set, .. }) in wanted {
        let key = (*number, conversation.clone(), name.clone());
        let seed = schedule::seed(number.0, conversation, name);
        if kept.get(&key) == Some(&set) {
            stays.insert(key);
        } else if let Some(due) = schedule::next(&set.plan, seed, now) {
            let set = Some((set.clone(), due));
            writes.push(AlarmWrite { channel: *number, conversation: conversation.clone(), name: name.clone(), set });
            stays.insert(key);
        }
    }
    let gone = kept.into_iter().map(|(key, _)| key).filter(|key| !stays.contains(key));
    writes.extend(gone.map(|(channel, conversation, name)| AlarmWrite { channel, conversation, name, set: None }));
    writes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Plan, RunMissed, When};

    const NOW: Moment = Moment(1_795_341_600_000);
    const PAGE: ChannelNumber = ChannelNumber(1);

    fn wanted(name: &str, seconds: u32) -> (ChannelNumber, Subscription) {
        let when = When::Every { seconds };
        let plan = Plan { when, zone: "UTC".to_owned(), run_missed: RunMissed::Latest, spread_s: 0 };
        let owner = OWNER_CONFIGURATION.to_owned();
        let set = AlarmSet { owner, person: "7".to_owned(), thread: None, note: "today".to_owned(), plan };
        let (channel, conversation) = ("page".to_owned(), "7".to_owned());
        (PAGE, Subscription { channel, conversation, name: name.to_owned(), set })
    }

    fn kept(name: &str, seconds: u32) -> Alarm {
        let (channel, Subscription { conversation, name, set, .. }) = wanted(name, seconds);
        Alarm { channel, conversation, name, set, due: Moment(5) }
    }

    fn write(name: &str, set: Option<(AlarmSet, Moment)>) -> AlarmWrite {
        AlarmWrite { channel: PAGE, conversation: "7".to_owned(), name: name.to_owned(), set }
    }

    #[test]
    fn the_store_follows_the_file() {
        let before = [kept("same", 600), kept("changed", 600), kept("gone", 600)];
        let after = [wanted("new", 3600), wanted("changed", 1800), wanted("same", 600)];
        let [new, changed, _] = after.clone().map(|(_, subscription)| subscription.set);
        assert_eq!(
            reconcile(&before, &after, NOW),
            [
                write("new", Some((new, Moment(1_795_345_200_000)))),
                write("changed", Some((changed, Moment(1_795_343_400_000)))),
                write("gone", None),
            ]
        );
    }

    #[test]
    fn once_followed_there_is_nothing_to_write() {
        assert_eq!(reconcile(&[kept("a", 600), kept("b", 900)], &[wanted("b", 900), wanted("a", 600)], NOW), []);
    }

    #[test]
    fn alarms_of_bots_stay() {
        let mut alarm = kept("subscription", 600);
        alarm.set.owner = "solar".to_owned();
        assert_eq!(reconcile(&[alarm], &[], NOW), []);
    }

    #[test]
    fn the_same_name_elsewhere_is_another_one() {
        let other = Alarm { channel: ChannelNumber(2), ..kept("a", 600) };
        let writes = reconcile(std::slice::from_ref(&other), &[wanted("a", 600)], NOW);
        let ends: Vec<_> = writes.iter().map(|write| (write.channel, write.set.is_some())).collect();
        assert_eq!(ends, [(PAGE, true), (ChannelNumber(2), false)]);
    }
}
