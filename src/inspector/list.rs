//! Events, the newest first, over all channels: each channel is walked from its end, and of those that stand next the newest
//! is taken. A request looks at so many rows and bytes and no more, and then says how far it came.

use super::Fault;
use super::json::Json;
use super::needle::Needle;
use crate::limits;
use crate::model::visit::parameter;
use crate::model::{ChannelNumber, EventKey, Moment};
use crate::store::sqlite::{Reader, Seen, Way, is_receipt};
use crate::store::{State, StoreError};

/// States that somebody may ask for.
const STATES: [State; 5] = [State::Open, State::Answered, State::Ignored, State::Dead, State::Unknown];

/// What is asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Only in one of these states; empty for all.
    states: Vec<State>,
    channel: Option<String>,
    /// Receipts, own messages and looks of bots pass, too.
    all: bool,
    needle: Option<Needle>,
    /// How far each walk has come already, as its cursor says.
    before: Vec<(EventKey, i64)>,
    limit: usize,
}

impl Wanted {
    /// What a query says.
    pub(super) fn read(query: &str) -> Result<Wanted, Fault> {
        let word = |name| parameter(query, name).filter(|value| !value.is_empty());
        let wrong = |what: &str| Fault { status: 400, why: what.to_owned() };
        let mut states = Vec::new();
        for name in word("state").unwrap_or_default().split(',').filter(|name| !name.is_empty()) {
            let known = STATES.iter().find(|state| state.to_string() == name);
            let known = *known.ok_or_else(|| wrong("there is no such state"))?;
            // Each is walked once, however often it is named.
            if !states.contains(&known) {
                states.push(known);
            }
        }
        let find = word("find").unwrap_or_default();
        if find.len() > limits::FIND_BYTES_MAX {
            return Err(wrong("this is too long to be looked for"));
        }
        let before = word("before").unwrap_or_default();
        let limit = word("limit").map_or(Some(limits::EVENTS_LISTED), |limit| limit.parse().ok());
        Ok(Wanted {
            states,
            channel: word("channel"),
            all: word("all").is_some_and(|all| all == "1"),
            needle: Needle::new(&find),
            before: cursor(&before).ok_or_else(|| wrong("this is no cursor"))?,
            limit: limit.ok_or_else(|| wrong("limit is a number"))?.clamp(1, limits::INSPECTOR_EVENTS_MAX),
        })
    }

    fn passes(&self, name: &str, seen: &Seen<'_>) -> bool {
        (self.states.is_empty() || self.states.contains(&seen.state))
            && (self.all || !is_receipt(seen.state, seen.kind))
            && self.needle.as_ref().is_none_or(|needle| needle.is_in(&format!("{name}-{}", seen.key.place()), seen))
    }

    /// One walk for each channel; of the failed alone, one for each of their states.
    fn walks(&self, reader: &Reader) -> Result<Vec<Walk>, Fault> {
        let mut channels = reader.channels()?;
        if let Some(only) = &self.channel {
            channels.retain(|(_, name)| name == only);
            if channels.is_empty() {
                return Err(Fault { status: 404, why: "nothing has come in on a channel of this name".to_owned() });
            }
        }
        let failed = |state: &State| matches!(state, State::Dead | State::Unknown);
        let few = !self.states.is_empty() && self.states.iter().all(failed);
        let kinds: Vec<_> = if few { self.states.iter().map(|state| Some(*state)).collect() } else { vec![None] };
        let mut walks = Vec::new();
        for (number, name) in channels {
            for failed in &kinds {
                let kind = failed.map_or(0, |state| state as i64);
                let known = self.before.iter().find(|(key, of)| channel_before(*key) == number && *of == kind);
                let before = known.map_or(EventKey::after_last(number), |(key, _)| *key);
                let (name, ahead) = (name.clone(), Vec::new());
                walks.push(Walk { name, failed: *failed, kind, before, read: before, ahead, ended: false });
            }
        }
        Ok(walks)
    }
}

/// One channel, or its failed events of one state.
struct Walk {
    name: String,
    failed: Option<State>,
    /// What it is called in a cursor.
    kind: i64,
    /// All from here on was taken, and all from there on was read.
    before: EventKey,
    read: EventKey,
    /// What was read and not yet taken, the next one last.
    ahead: Vec<Found>,
    /// Nothing is left to be read.
    ended: bool,
}

/// An event that was looked at.
struct Found {
    key: EventKey,
    received: Moment,
    /// What is told of it, where it passes.
    line: Option<Line>,
}

struct Line {
    id: String,
    state: State,
    kind: String,
    from: String,
    why: Option<String>,
}

/// What a request may still look at.
struct Budget {
    rows: usize,
    bytes: usize,
}

impl Walk {
    /// Reads on, some rows; one at least.
    fn read_on(&mut self, reader: &Reader, wanted: &Wanted, rows: usize, left: &mut Budget) -> Result<(), StoreError> {
        let after = EventKey::before_first(self.channel());
        let (failed, texts) = (self.failed, wanted.needle.is_some());
        let way = Way { after, before: self.read, failed, texts, rows_max: rows };
        let Walk { name, ahead, read, .. } = self;
        self.ended = reader.walk(way, &mut |seen| {
            let line = wanted.passes(name, seen).then(|| Line {
                id: format!("{name}-{}", seen.key.place()),
                state: seen.state,
                kind: seen.kind.to_owned(),
                from: seen.conversation.to_owned(),
                why: seen.why.map(str::to_owned),
            });
            *read = seen.key;
            ahead.insert(0, Found { key: seen.key, received: seen.received, line });
            left.rows = left.rows.saturating_sub(1);
            left.bytes = left.bytes.saturating_sub(seen.raw.len() + seen.said.len());
            left.bytes > 0
        })?;
        Ok(())
    }

    fn channel(&self) -> ChannelNumber {
        channel_before(self.before)
    }
}

/// The channel of the events before a key: the one behind the last one of a channel is the next channel's.
fn channel_before(key: EventKey) -> ChannelNumber {
    EventKey(key.0 - 1).channel()
}

/// What was found.
struct List {
    found: Vec<(Found, Line)>,
    older: Option<String>,
    looked: Option<Moment>,
}

/// The newest events that are wanted.
fn gather(reader: &Reader, wanted: &Wanted, mut left: Budget) -> Result<List, Fault> {
    let mut walks = wanted.walks(reader)?;
    let rows = (left.rows / walks.len().max(1) / 4).clamp(1, limits::INSPECTOR_STEP_ROWS);
    let (mut found, mut looked) = (Vec::new(), None);
    let mut spent = false;
    while found.len() < wanted.limit {
        // It begins with room, so each walk was looked at once, and a request has come on.
        spent = (left.rows == 0 || left.bytes == 0) && walks.iter().any(|walk| walk.is_to_read());
        if spent {
            break;
        }
        for walk in walks.iter_mut().filter(|walk| walk.is_to_read()) {
            walk.read_on(reader, wanted, rows, &mut left)?;
        }
        let next = walks.iter_mut().filter_map(|walk| Some((walk.ahead.last()?.received, walk)));
        let Some((received, walk)) = next.max_by_key(|(received, walk)| (*received, walk.read)) else { break };
        looked = Some(received);
        if let Some(mut taken) = walk.ahead.pop() {
            walk.before = taken.key;
            let line = taken.line.take();
            found.extend(line.map(|line| (taken, line)));
        }
    }
    let older = walks.iter().any(|walk| !walk.ended || !walk.ahead.is_empty()).then(|| written(&walks));
    Ok(List { found, older, looked: looked.filter(|_| spent) })
}

impl Walk {
    fn is_to_read(&self) -> bool {
        !self.ended && self.ahead.is_empty()
    }

    /// Where the next request goes on. What has come in meanwhile is above all that this one has seen.
    fn place(&self) -> EventKey {
        match self.ahead.last() {
            Some(next) => EventKey(next.key.0 + 1),
            None if self.ended => EventKey(EventKey::before_first(self.channel()).0 + 1),
            None => self.before,
        }
    }
}

/// A cursor: the place of each walk, as `KEY.KIND`, with `_` between.
fn written(walks: &[Walk]) -> String {
    let mut cursor = String::new();
    for walk in walks {
        let between = if cursor.is_empty() { "" } else { "_" };
        cursor.push_str(&format!("{between}{}.{}", walk.place().0, walk.kind));
    }
    cursor
}

/// The same, read again.
fn cursor(text: &str) -> Option<Vec<(EventKey, i64)>> {
    let places = text.split('_').filter(|place| !place.is_empty());
    places
        .map(|place| {
            let (key, kind) = place.split_once('.')?;
            Some((EventKey(key.parse().ok().filter(|key| *key > 0)?), kind.parse().ok()?))
        })
        .collect()
}

/// The list as members of an object that is open.
pub(super) fn list(reader: &Reader, wanted: &Wanted, json: &mut Json) -> Result<(), Fault> {
    let bytes = limits::INSPECTOR_BYTES_MAX;
    let List { found, older, looked } = gather(reader, wanted, Budget { rows: limits::INSPECTOR_ROWS_MAX, bytes })?;
    json.name("channels").open('[');
    for (_, name) in reader.channels()? {
        json.text(&name);
    }
    json.close(']').name("events").open('[');
    let doubles = reader.doubles(&mut found.iter().map(|(found, _)| found.key))?;
    for ((found, line), doubles) in found.iter().zip(doubles) {
        json.open('{').says("id", &line.id).at("at", found.received).says("state", &line.state.to_string());
        json.says("kind", &line.kind).says("from", &line.from).may_say("why", line.why.as_deref());
        if doubles > 0 {
            json.name("twice").number(doubles.into());
        }
        json.close('}');
    }
    json.close(']').may_say("older", older.as_deref()).may_be_at("looked", looked);
    Ok(())
}
