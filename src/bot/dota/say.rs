//! The bot's sentences. Pure: what is known comes in, and words go out; what is not known is said to be so.

use super::ask::{Shelf, at};
use super::opendota::{Reading, Trouble, account, is_won};
use super::words::Part;
use crate::bot::figures::{ago, grouped, unsigned, whole};
use crate::limits::{DOTA_FIGURE_MAX, DOTA_NAME_TOLD_CHARS_MAX};
use crate::model::Moment;
use crate::notation::counted::counted;
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

pub(super) const HELP: &str = "Send me the name of a Dota player, or an id: the account's, as 86745912, or Steam's with \
     17 digits. Then ask for \"last week\", \"heroes\", \"last match\", \"matches\" or \"rank\", also as in \"heroes of Ada\". \
     \"me is 86745912\" tells me who you are, and \"me\" is you from then on; \"forget me\" ends it. A name that I take for \
     something else goes into quotes. \"subscribe mon 9:00\" tells you of the last week every week, and \"stop\" ends that.";
pub(super) const STRANGER: &str = "I do not know who you are yet. Write \"me is\" with your id, as in: me is 86745912";
pub(super) const NOBODY_YET: &str = "Of whom? Send me a player's name or id first.";
pub(super) const FORGOTTEN: &str = "I have forgotten who you are.";
pub(super) const LOST: &str = "I have lost the thread; please ask me again.";
pub(super) const TOO_SHORT: &str =
    "I can look for names of three signs and more. For a shorter one, send me the player's id.";
pub(super) const TOO_LONG: &str = "That is too long for a name. Send me a player's name or id, or \"help\".";
pub(super) const NO_ID: &str = "That is a number, but nobody's id, and OpenDota cannot look for it as a name. An id is \
     whole and has digits only: up to 10 for the account, 17 for Steam.";

pub(super) const NO_LINK: &str = "This address does not hold the id; send the name, the id, or the player's OpenDota or \
     Dotabuff page.";
pub(super) const WELCOME: &str = "You are welcome.";

/// That a word of ours was most likely meant.
pub(super) fn near(meant: &str) -> String {
    format!("Did you mean {meant}? If it is the name of a player, write it in quotes.")
}

/// That no such number was offered.
pub(super) fn beyond(many: usize) -> String {
    format!("\nI offered 1 to {many}; for somebody else, send the name or the id.")
}

/// A name on one line: without what steers the direction of text, and not too long. What looks like a link of markdown
/// does not become one.
pub(super) fn clean(name: &str) -> String {
    let steers = |sign: &char| matches!(sign, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let plain = name.chars().filter(|sign| !steers(sign));
    let plain: String = plain.map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").replace("](", "] (")
}

/// A name in a sentence. One that is written from right to left stays by itself, so that the rest stays in order.
fn told(name: &str) -> String {
    let mut name = clean(name);
    if let Some((end, _)) = name.char_indices().nth(DOTA_NAME_TOLD_CHARS_MAX) {
        name.truncate(end);
        name.push('…');
    }
    let is_rtl = |sign| matches!(sign, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}');
    if name.contains(is_rtl) { format!("\u{2068}{name}\u{2069}") } else { name }
}

/// How much of something; what is more than can be is the most.
fn figure(value: Option<&Value>) -> Option<u64> {
    unsigned(value).map(|figure| figure.min(DOTA_FIGURE_MAX))
}

/// How a player is called; by the id when there is no name.
pub(super) fn name(shelf: &Shelf) -> String {
    let name = shelf.get(Reading::Profile).and_then(|profile| profile.get("personaname")?.as_str()).map(told);
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("Player {}", shelf.player))
}

/// Who it is.
pub(super) fn profile(shelf: &Shelf, now: Moment) -> String {
    let player = shelf.player;
    if shelf.is("none") {
        return format!("OpenDota knows no player with the id {player}.");
    }
    let Some(profile) = shelf.get(Reading::Profile) else { return String::new() };
    let is_code = |code: &&str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    let country = profile.get("loccountrycode").and_then(Value::as_str).filter(is_code);
    let from = country.map_or_else(String::new, |code| format!(" from {}", code.to_ascii_uppercase()));
    let mark = mark(shelf, &[Reading::Profile], now);
    let mut text = format!("{} (id {player}){from}: {}.{mark}", name(shelf), rank(profile));
    if shelf.is_closed() {
        text.push_str(
            " The matches of this player are not public, so I know no more; \"Expose Public Match Data\" in the options of \
             Dota shows them.",
        );
    }
    text
}

/// A rank: the tens are the medal, the ones its stars (opendota.md §4).
fn rank(profile: &Value) -> String {
    const MEDALS: [&str; 8] = ["Herald", "Guardian", "Crusader", "Archon", "Legend", "Ancient", "Divine", "Immortal"];
    let Some(tier) = unsigned(profile.get("rank_tier")).filter(|tier| *tier > 0) else { return "no rank".to_owned() };
    let medal = usize::try_from(tier / 10).ok().and_then(|medal| MEDALS.get(medal.checked_sub(1)?));
    let place = figure(profile.get("leaderboard_rank")).filter(|place| *place > 0);
    match (medal, tier % 10, place) {
        (None, ..) => format!("a rank that I do not know ({tier})"),
        (Some(&"Immortal"), _, Some(place)) => format!("Immortal, place {} on the leaderboard", grouped(place)),
        (Some(medal), 0 | 8.., _) | (Some(medal @ &"Immortal"), ..) => (*medal).to_owned(),
        (Some(medal), 1, _) => format!("{medal} with 1 star"),
        (Some(medal), stars, _) => format!("{medal} with {stars} stars"),
    }
}

/// Won and lost, and the last matches summed.
pub(super) fn games(shelf: &Shelf, now: Moment) -> Option<String> {
    let all = shelf.get(Reading::Record).map(|record| record_of(record, "No matches are recorded."));
    let recent = shelf.get(Reading::Recent).and_then(list).and_then(summed);
    if all.is_none() && shelf.get(Reading::Recent).is_none() {
        return None;
    }
    let told: Vec<_> = all.into_iter().chain(recent).collect();
    let text = if told.is_empty() { "No matches are recorded.".to_owned() } else { told.join(" ") };
    Some(text + &mark(shelf, &[Reading::Record, Reading::Recent], now))
}

/// `1843 won, 1607 lost: 53.4 % won.`
fn record_of(record: &Value, none: &str) -> String {
    let number = |name| figure(record.get(name)).unwrap_or(0);
    let (won, lost) = (number("win"), number("lose"));
    match rate(won, won.saturating_add(lost)) {
        Some(rate) => format!("{} won, {} lost: {rate} won.", grouped(won), grouped(lost)),
        None => none.to_owned(),
    }
}

/// Matches added up; what one does not say, does not count.
fn summed(games: &[Value]) -> Option<String> {
    let count = u64::try_from(games.len()).ok().filter(|count| *count > 0)?;
    let results = |wanted| games.iter().filter(|game| is_won(game) == wanted).count();
    let (won, open) = (results(Some(true)), results(None));
    let open = if open == 0 { String::new() } else { format!(", {open} without a result") };
    let mut text = match count {
        1 => format!("The last match: {won} won{open}."),
        _ => format!("The last {count} matches: {won} won{open}."),
    };
    let sum = |name| {
        let known = games.iter().filter_map(|game| figure(game.get(name)));
        known.fold((0_u64, 0_u64), |(sum, count), value| (sum.saturating_add(value), count.saturating_add(1)))
    };
    let mean = |(sum, count): (u64, u64), of: u64| tenths(sum.saturating_mul(10), count.saturating_mul(of));
    let [kills, deaths, assists] = ["kills", "deaths", "assists"].map(sum);
    if let (Some(k), Some(d), Some(a)) = (mean(kills, 1), mean(deaths, 1), mean(assists, 1)) {
        let ratio = tenths(kills.0.saturating_add(assists.0).saturating_mul(10), deaths.0.max(1));
        let ratio = ratio.unwrap_or_default();
        text.push_str(&format!(" On average {k} kills, {d} deaths and {a} assists (KDA {ratio})."));
    }
    let per = |(sum, count): (u64, u64)| sum.saturating_add(count / 2).checked_div(count).map(grouped);
    if let Some((gold, experience)) = per(sum("gold_per_min")).zip(per(sum("xp_per_min"))) {
        text.push_str(&format!(" {gold} gold and {experience} experience a minute."));
    }
    Some(text)
}

/// A quotient with one decimal, rounded; `tens` is ten times what is divided.
fn tenths(tens: u64, of: u64) -> Option<String> {
    let tenths = tens.saturating_add(of / 2).checked_div(of)?;
    Some(format!("{}.{}", grouped(tenths / 10), tenths % 10))
}

/// A share in percent; of nothing there is none.
fn rate(won: u64, of: u64) -> Option<String> {
    tenths(won.saturating_mul(1000), of).map(|rate| format!("{rate} %"))
}

/// Heroes played most.
pub(super) fn heroes(shelf: &Shelf, reading: Reading, now: Moment) -> Option<String> {
    let played = list(shelf.get(reading)?)?;
    let one = |hero: &Value| {
        let (games, won) = (figure(hero.get("games"))?, figure(hero.get("win")).unwrap_or(0));
        let rate = rate(won.min(games), games)?;
        Some(format!("{} {} ({rate} won)", hero_name(shelf, hero), grouped(games)))
    };
    let told: Vec<_> = played.iter().filter_map(one).collect();
    let text = match told.is_empty() {
        true => "No heroes are recorded.".to_owned(),
        false => format!("Most played: {}.", told.join(", ")),
    };
    Some(text + &mark(shelf, &[reading], now))
}

fn hero_name(shelf: &Shelf, hero: &Value) -> String {
    let Some(id) = unsigned(hero.get("hero_id")).filter(|id| *id > 0) else { return "an unknown hero".to_owned() };
    let name = shelf.get(Reading::HeroNames).and_then(|names| names.get(id.to_string())?.as_str());
    name.map_or_else(|| format!("hero {id}"), told)
}

/// The last match.
pub(super) fn last(shelf: &Shelf, now: Moment) -> Option<String> {
    let Some(game) = list(shelf.get(Reading::Recent)?)?.first() else {
        return Some(format!("No matches are recorded.{}", mark(shelf, &[Reading::Recent], now)));
    };
    let number = |name| figure(game.get(name));
    let when = whole(game.get("start_time")).filter(|start| *start > 0).and_then(|start| start.checked_mul(1000));
    let when = when.map_or_else(String::new, |start| format!(" {}", ago(now.since(Moment(start)))));
    let result = match is_won(game) {
        Some(true) => "won",
        Some(false) => "lost",
        None => "without a result",
    };
    let mut text = format!("Last match{when}: {result} with {}", hero_name(shelf, game));
    if let (Some(kills), Some(deaths), Some(assists)) = (number("kills"), number("deaths"), number("assists")) {
        text.push_str(&format!(", {kills}/{deaths}/{assists}"));
    }
    if let Some(duration) = number("duration") {
        text.push_str(&format!(" in {} min", duration.div_ceil(60)));
    }
    if let Some((gold, experience)) = number("gold_per_min").zip(number("xp_per_min")) {
        text.push_str(&format!(", {gold} gold and {experience} experience a minute"));
    }
    text.push('.');
    if let Some(id) = unsigned(game.get("match_id")) {
        text.push_str(&format!(" https://www.opendota.com/matches/{id}"));
    }
    Some(text + &mark(shelf, &[Reading::Recent], now))
}

/// The last seven days.
pub(super) fn week(shelf: &Shelf, now: Moment) -> Option<String> {
    let record = shelf.get(Reading::Week)?;
    let mark = mark(shelf, &[Reading::Week], now);
    let text = record_of(record, "no matches.");
    let played = shelf.get(Reading::WeekTopHeroes).and_then(list).filter(|played| !played.is_empty());
    let heroes = played.and_then(|_| heroes(shelf, Reading::WeekTopHeroes, now));
    let heroes = heroes.map_or_else(String::new, |heroes| format!(" {heroes}"));
    Some(format!("The last 7 days: {text}{mark}{heroes}"))
}

fn list(reading: &Value) -> Option<&[Value]> {
    reading.get("list")?.as_array().map(Vec::as_slice)
}

/// How old the oldest of these is, when that matters.
fn mark(shelf: &Shelf, readings: &[Reading], now: Moment) -> String {
    let old =
        readings.iter().filter(|reading| !shelf.is_fresh(**reading, now)).filter_map(|reading| shelf.at(*reading));
    old.min().map_or_else(String::new, |at| format!(" (as of {})", ago(now.since(at))))
}

/// Several players to choose from; `more` is said behind them.
pub(super) fn choice(hits: &[Value], more: &str, now: Moment) -> String {
    let mut text = "Which one? Answer with the number, or tap:".to_owned();
    for (number, hit) in (1_usize..).zip(hits) {
        let id = account(hit).unwrap_or(0);
        text.push_str(&format!("\n{number}. {} (id {id}){}", hit_name(hit), seen(hit, now)));
    }
    text + more
}

/// That there are more, and that they may be others by now.
pub(super) fn more(found: &Value, now: Moment) -> String {
    let more = unsigned(found.get("more")).filter(|more| *more > 0);
    let more =
        more.map_or_else(String::new, |more| format!("\nThere are {more} more; write more of the name, or the id."));
    more + &age(found, now)
}

/// How old a search is, when that matters.
fn age(found: &Value, now: Moment) -> String {
    let old = at(found).filter(|_| !super::ask::is_fresh(found, now));
    old.map_or_else(String::new, |at| format!(" (as of {})", ago(now.since(at))))
}

/// How somebody is called who was found.
pub(super) fn hit_name(hit: &Value) -> String {
    let name = hit.get("personaname").and_then(Value::as_str).map(told).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| "without a name".to_owned())
}

/// When somebody who was found last played.
fn seen(hit: &Value, now: Moment) -> String {
    let seen = hit.get("last_match_time").and_then(Value::as_str).and_then(|seen| seen.parse::<Timestamp>().ok());
    let age = seen.map(|seen| now.since(Moment(seen.as_millisecond())));
    age.map_or_else(String::new, |age| format!(", played {}", ago(age)))
}

/// Nobody has this name.
pub(super) fn nobody(name: &str, found: &Value, now: Moment) -> String {
    let mark = age(found, now);
    match super::ids::is_digits(name) {
        true => format!("OpenDota knows no player with this id or name: {name}.{mark}"),
        false => {
            let name = told(name);
            format!("OpenDota knows no player called {name}.{mark} Write \"help\" to see what I understand.")
        }
    }
}

/// What was learnt of the one who writes.
pub(super) fn bound(shelf: &Shelf) -> String {
    format!("From now on \"me\" is {} (id {}).", name(shelf), shelf.player)
}

/// Of whom a subscription tells.
pub(super) fn subscribed(shelf: &Shelf) -> String {
    format!(" It is about the last week of {} (id {}).", name(shelf), shelf.player)
}

/// Others are asking, too.
pub(super) fn wait(wait: Duration, is_rest: bool) -> String {
    let what = if is_rest { "the rest" } else { "your answer" };
    format!("Many are asking just now; {what} comes in about {}.", span(wait))
}

/// A time to wait, in the unit that says it.
fn span(wait: Duration) -> String {
    let seconds = wait.as_secs().max(1);
    match seconds {
        ..=90 => format!("{seconds} s"),
        91..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

/// Why an answer is no better.
pub(super) fn trouble(trouble: &Trouble, player: u32, now: Moment) -> String {
    match trouble {
        Trouble::NotBefore { moment, of_day: Some(calls) } => {
            let calls = if *calls > 0 { counted((*calls).into(), "call") } else { "so many calls".to_owned() };
            let wait = span(moment.since(now));
            format!(
                "OpenDota allows {calls} a day, and those of today are used up; ask again after midnight UTC, in {wait}."
            )
        }
        Trouble::NotBefore { moment, of_day: None } => {
            format!("Too many are asking OpenDota just now; please ask again in {}.", span(moment.since(now)))
        }
        Trouble::HadEnough(until) => {
            let wait = span(until.since(now));
            format!(
                "You have had a good share of today's calls at OpenDota, and the rest is for others; ask again in {wait}."
            )
        }
        Trouble::Silent(_) => "OpenDota gives no answer at the moment; please ask again later.".to_owned(),
        Trouble::Unknown => format!("OpenDota knows no player with the id {player}."),
        Trouble::Key => "OpenDota does not take my key; please tell the operator.".to_owned(),
        Trouble::Refused(why) if why.is_empty() => "OpenDota refused to tell.".to_owned(),
        Trouble::Refused(why) => format!("OpenDota refused to tell: {}.", clean(why).trim_end_matches('.')),
    }
}

/// What a part is called on a button.
pub(super) fn title(part: Part) -> &'static str {
    match part {
        Part::All => "Everything",
        Part::Profile => "Rank",
        Part::Games => "Matches",
        Part::Week => "Last week",
        Part::Heroes => "Heroes",
        Part::Match => "Last match",
    }
}
