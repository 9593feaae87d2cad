//! What OpenDota is asked and what its answers say: paths out, and of each answer what somebody may be told of it.
//!
//! It reads leniently: what is missing, null or of another kind is not known, and nothing unknown is zero. What is kept
//! is JSON again, in the words of OpenDota but bounded, so that one pair of eyes reads both.

use super::ids;
use crate::bot::figures::unsigned;
use crate::limits::{
    DOTA_CHOICES_MAX, DOTA_CLOCK_SLACK, DOTA_DIGITS_MAX, DOTA_FRESH, DOTA_HERO_CHARS_MAX, DOTA_HEROES_MAX,
    DOTA_HITS_MAX, DOTA_MATCHES_MAX, DOTA_NAMES_BYTES_MAX, DOTA_TEXT_CHARS_MAX, DOTA_TOP_HEROES, DOTA_WORLD_FRESH,
};
use crate::model::{Answer, Left, Lesson, Moment, Period};
use crate::notation::percent;
use serde_json::{Map, Value};
use std::time::Duration;

/// What can be asked for, besides a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Profile,
    /// All that was won and lost.
    Record,
    Recent,
    /// The heroes that the player plays most.
    TopHeroes,
    /// The last seven days.
    Week,
    WeekTopHeroes,
    /// How heroes are called.
    HeroNames,
    /// What OpenDota says of its limits.
    Limits,
}

impl Reading {
    /// Under which name it is kept.
    pub(super) fn member(self) -> &'static str {
        match self {
            Reading::Profile => "profile",
            Reading::Record => "record",
            Reading::Recent => "recent",
            Reading::TopHeroes => "heroes",
            Reading::Week => "week",
            Reading::WeekTopHeroes => "week_heroes",
            Reading::HeroNames => "names",
            Reading::Limits => "limits",
        }
    }

    /// Whether it is the same for all players.
    pub(super) fn is_the_worlds(self) -> bool {
        matches!(self, Reading::HeroNames | Reading::Limits)
    }

    /// For how long it is as good as a new one.
    pub(super) fn life(self) -> Duration {
        if self.is_the_worlds() { DOTA_WORLD_FRESH } else { DOTA_FRESH }
    }

    pub(super) fn path(self, player: u32) -> String {
        let what = match self {
            Reading::Profile => "",
            Reading::Record => "/wl",
            Reading::Recent => "/recentMatches",
            Reading::TopHeroes => "/heroes",
            Reading::Week => "/wl?date=7",
            Reading::WeekTopHeroes => "/heroes?date=7",
            Reading::HeroNames => return "/heroes".to_owned(),
            Reading::Limits => return "/metadata".to_owned(),
        };
        format!("/players/{player}{what}")
    }

    /// Of an answer what is kept; `None` when it is none.
    pub(super) fn keep(self, body: &Value) -> Option<Map<String, Value>> {
        match self {
            Reading::Profile => Some(profile(body)),
            Reading::Record | Reading::Week => {
                let record = pick(body, &["win", "lose"]);
                record.values().any(Value::is_number).then_some(record)
            }
            Reading::Recent => Some(list(body.as_array()?.iter().take(DOTA_MATCHES_MAX).map(game))),
            Reading::TopHeroes | Reading::WeekTopHeroes => {
                let played = |hero: &&Value| unsigned(hero.get("games")).is_some_and(|games| games > 0);
                let top = body.as_array()?.iter().filter(played).take(DOTA_TOP_HEROES);
                Some(list(top.map(|hero| pick(hero, &["hero_id", "games", "win"]))))
            }
            Reading::HeroNames => {
                let heroes = body.as_array()?.iter().take(DOTA_HEROES_MAX);
                let name = |hero: &Value| {
                    let name = hero.get("localized_name")?.as_str()?;
                    let name: String =
                        name.chars().filter(|sign| !sign.is_control()).take(DOTA_HERO_CHARS_MAX).collect();
                    Some((unsigned(hero.get("id"))?.to_string(), Value::from(name)))
                };
                let names: Map<_, _> = heroes.filter_map(name).collect();
                if names.is_empty() {
                    return None;
                }
                // Heroes can be told by number; what is too large to remember would end each answer.
                let bytes = serde_json::to_string(&names).map_or(usize::MAX, |json| json.len());
                Some(if bytes <= DOTA_NAMES_BYTES_MAX { names } else { Map::new() })
            }
            Reading::Limits => Some(pick(body, &["freeCallLimit", "freeRateLimit", "premRateLimit"])),
        }
    }
}

/// What is kept of a match.
const GAME: &[&str] = &[
    "match_id",
    "player_slot",
    "radiant_win",
    "hero_id",
    "start_time",
    "duration",
    "kills",
    "deaths",
    "assists",
    "gold_per_min",
    "xp_per_min",
];

/// A match, of which all that matters are figures: a text that is longer is none.
fn game(game: &Value) -> Map<String, Value> {
    let mut kept = pick(game, GAME);
    kept.retain(|_, value| value.as_str().is_none_or(|text| text.len() <= DOTA_DIGITS_MAX));
    kept
}

/// Why there is no reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The budget has nothing left before this; when it is that of the day, how many calls a day has.
    NotBefore { moment: Moment, of_day: Option<u32> },
    /// The one who asks has had more of the day than others leave; until then.
    HadEnough(Moment),
    /// No answer, or none that can be read; why.
    Silent(String),
    /// There is no such player.
    Unknown,
    /// It does not take our key.
    Key,
    /// It would not have what was asked.
    Refused(String),
}

/// Who has such a name.
pub(super) fn search(name: &str) -> String {
    format!("/search?q={}", percent(name))
}

/// The players that were found, best first, and how many more there are. Who is found by id may be found by name, too.
pub(super) fn found(body: &Value) -> Option<Map<String, Value>> {
    let (mut accounts, mut hits) = (Vec::new(), Vec::new());
    for hit in body.as_array()?.iter().take(DOTA_HITS_MAX) {
        let Some(account) = account(hit).filter(|account| !accounts.contains(account)) else { continue };
        accounts.push(account);
        if accounts.len() <= DOTA_CHOICES_MAX {
            hits.push(pick(hit, &["account_id", "personaname", "last_match_time"]));
        }
    }
    let more = accounts.len().saturating_sub(hits.len());
    let mut found = list(hits.into_iter());
    found.insert("more".to_owned(), Value::from(more));
    Some(found)
}

/// The account of a player that was found.
pub(super) fn account(hit: &Value) -> Option<u32> {
    unsigned(hit.get("account_id")).and_then(ids::account)
}

/// A profile with its rank; of nobody, that there is none.
fn profile(body: &Value) -> Map<String, Value> {
    let Some(profile) = body.get("profile").filter(|profile| profile.is_object()) else { return nobody() };
    let mut kept = pick(profile, &["personaname", "loccountrycode", "fh_unavailable"]);
    kept.append(&mut pick(body, &["rank_tier", "leaderboard_rank"]));
    kept
}

/// What is kept of a player whom OpenDota does not know.
pub(super) fn nobody() -> Map<String, Value> {
    [("none".to_owned(), Value::Bool(true))].into_iter().collect()
}

fn list(items: impl Iterator<Item = Map<String, Value>>) -> Map<String, Value> {
    [("list".to_owned(), items.map(Value::Object).collect())].into_iter().collect()
}

/// These members, as far as they are there and simple.
fn pick(value: &Value, names: &[&str]) -> Map<String, Value> {
    let some = |name: &&str| Some(((*name).to_owned(), scalar(value.get(*name)?)));
    names.iter().filter_map(some).filter(|(_, value)| !value.is_null()).collect()
}

/// A simple value, a text not too long.
fn scalar(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.chars().take(DOTA_TEXT_CHARS_MAX).collect()),
        Value::Number(_) | Value::Bool(_) => value.clone(),
        _ => Value::Null,
    }
}

/// Whether a match was won; `None` without a result (opendota.md §4).
pub(super) fn is_won(game: &Value) -> Option<bool> {
    let slot = unsigned(game.get("player_slot"))?;
    Some((slot < 128) == game.get("radiant_win")?.as_bool()?)
}

/// The JSON of a good answer; of any other what is the trouble (opendota.md §5).
pub(super) fn judge(answer: &Answer, now: Moment) -> Result<Value, Trouble> {
    let body = serde_json::from_slice::<Value>(&answer.body).ok();
    let said = body.as_ref().and_then(|body| body.get("error")?.as_str()).unwrap_or_default();
    Err(match answer.status {
        200..=299 => return body.ok_or_else(|| Trouble::Silent("its answer cannot be read".to_owned())),
        404 => Trouble::Unknown,
        429 => {
            let per = refused(answer);
            Trouble::NotBefore { moment: end(per, now), of_day: (per == Period::Day).then_some(0) }
        }
        401 => Trouble::Key,
        400 if said.contains("API key") => Trouble::Key,
        400 if said.contains("account id") => Trouble::Unknown,
        400..=499 => Trouble::Refused(said.chars().take(DOTA_TEXT_CHARS_MAX).collect()),
        status => Trouble::Silent(format!("it answered {status}")),
    })
}

/// Which limit a refusal is about. It names no time, but counts fixed minutes and days of UTC (opendota.md §1).
fn refused(answer: &Answer) -> Period {
    let is_daily = answer.body.windows(5).any(|word| word == b"daily");
    let is_spent = remaining(answer, DAY).is_some_and(|left| left <= 0);
    if is_daily || is_spent { Period::Day } else { Period::Minute }
}

const MINUTE: &str = "x-rate-limit-remaining-minute";
const DAY: &str = "x-rate-limit-remaining-day";

/// What a header says is left; below zero when refused calls were counted, too.
fn remaining(answer: &Answer, header: &str) -> Option<i64> {
    answer.header(header)?.trim().parse().ok()
}

/// What an answer teaches: a refusal, or less left than we thought, since others call from the same address.
pub(super) fn lessons(answer: &Answer, ours: &[Left], now: Moment) -> Vec<Lesson> {
    if answer.status == 429 {
        let per = refused(answer);
        return vec![Lesson { per: Some(per), of: None, left: Some(0), until: Some(end(per, now)) }];
    }
    let of = |(header, per): (&str, Period)| {
        let left = u32::try_from(remaining(answer, header)?.max(0)).ok()?;
        let ours = ours.iter().find(|ours| ours.per == per)?;
        let until = (left == 0).then(|| end(per, now));
        (left < ours.calls).then_some(Lesson { per: Some(per), of: None, left: Some(left), until })
    };
    [(MINUTE, Period::Minute), (DAY, Period::Day)].into_iter().filter_map(of).collect()
}

/// When a minute or a day is over there, too.
fn end(per: Period, now: Moment) -> Moment {
    let length = if per == Period::Day { 24 * 3_600_000 } else { 60_000 };
    let next = now.0.div_euclid(length).saturating_add(1).saturating_mul(length);
    Moment(next).after(DOTA_CLOCK_SLACK)
}

/// The limits that OpenDota names, where they are smaller than ours. Only who has no key is counted by the day.
pub(super) fn smaller(named: &Value, ours: &[Left]) -> Vec<Lesson> {
    let is_free = ours.iter().any(|left| left.per == Period::Day);
    let of = |ours: &Left| {
        let name = match (ours.per, is_free) {
            (Period::Minute, true) => "freeRateLimit",
            (Period::Minute, false) => "premRateLimit",
            (Period::Day, _) => "freeCallLimit",
            _ => return None,
        };
        let named = u32::try_from(unsigned(named.get(name))?).ok().filter(|named| (1..ours.of).contains(named))?;
        let left = named.saturating_sub(ours.of.saturating_sub(ours.calls));
        let until = (left == 0).then_some(ours.ends);
        Some(Lesson { per: Some(ours.per), of: Some(named), left: Some(left), until })
    };
    ours.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;
    use serde_json::json;

    /// 12.5 s after a minute began, 3 h 59 min 47.5 s before midnight.
    const NOW: Moment = Moment(1_763_668_812_500);

    fn read(name: &str) -> Value {
        serde_json::from_slice(&sample(name)).unwrap()
    }

    fn kept(reading: Reading, name: &str) -> Value {
        Value::Object(reading.keep(&read(name)).unwrap())
    }

    #[test]
    fn of_each_answer_is_kept_what_may_be_told() {
        let ada = json!({"personaname": "Arteezy-like", "loccountrycode": "CA", "fh_unavailable": false,
            "rank_tier": 80, "leaderboard_rank": 42});
        assert_eq!(kept(Reading::Profile, "player"), ada);
        assert_eq!(
            kept(Reading::Profile, "player_unranked"),
            json!({"personaname": "xXAdaXx", "fh_unavailable": true})
        );
        assert_eq!(kept(Reading::Record, "wl"), json!({"win": 1843, "lose": 1607}));
        assert_eq!(kept(Reading::Week, "wl_private"), json!({"win": 0, "lose": 0}));
        let recent = kept(Reading::Recent, "recent_matches");
        let won = |game: &Value| is_won(game);
        let games = recent["list"].as_array().unwrap();
        assert_eq!(games.iter().map(won).collect::<Vec<_>>(), [Some(true), Some(false), Some(true)]);
        assert_eq!(games[0].as_object().unwrap().len(), GAME.len());
        assert_eq!(kept(Reading::Recent, "recent_matches_private"), json!({"list": []}));
        let heroes = json!({"list": [{"hero_id": 74, "games": 312, "win": 170}, {"hero_id": 1, "games": 201, "win": 99},
            {"hero_id": 86, "games": 150, "win": 80}]});
        assert_eq!(kept(Reading::TopHeroes, "player_heroes"), heroes);
        let names = json!({"1": "Anti-Mage", "15": "Razor", "74": "Invoker", "86": "Rubick"});
        assert_eq!(kept(Reading::HeroNames, "heroes"), names);
        let search = |name| Value::Object(found(&read(name)).unwrap());
        let ids = |found: &Value| found["list"].as_array().unwrap().iter().map(account).collect::<Vec<_>>();
        let hits = search("search_by_name");
        assert_eq!(ids(&hits), [Some(86_745_912), Some(11_223_344), Some(55_667_788)]);
        assert_eq!(
            hits["list"][0],
            json!({"account_id": 86_745_912, "personaname": "Ada", "last_match_time": "2025-11-20T21:04:11.000Z"})
        );
        assert_eq!(ids(&search("search_by_id")), [Some(86_745_912)]);
        assert_eq!(search("search_unicode")["list"][0]["personaname"], "Ünïcødé ☭ 龙");
        assert_eq!(search("search_none"), json!({"list": [], "more": 0}));
    }

    #[test]
    fn names_of_heroes_are_short_and_a_list_that_is_too_large_to_remember_is_left_out() {
        let list = |name: &str, many: u64| {
            let heroes: Vec<_> =
                (0..many).map(|id| json!({"id": i64::MAX.unsigned_abs() - id, "localized_name": name})).collect();
            Reading::HeroNames.keep(&Value::from(heroes)).unwrap()
        };
        let name = |names: &Map<String, Value>| names.values().next().and_then(Value::as_str).map(str::to_owned);
        assert_eq!(name(&list(&"a\u{1}".repeat(100), 1)), Some("a".repeat(DOTA_HERO_CHARS_MAX)));
        assert_eq!(list("Anti-Mage", 500).len(), 500);
        for loud in ["\u{1}", "\\", "龙", "\u{1f409}"] {
            let names = list(&loud.repeat(100), 500);
            assert!(Value::Object(names).to_string().len() <= DOTA_NAMES_BYTES_MAX, "{loud}");
        }
        assert!(list(&"\u{1f409}".repeat(100), 500).is_empty());
        let loud = json!({"kills": "\u{1}".repeat(100), "deaths": "4"});
        let kept = Reading::Recent.keep(&json!([loud])).map(Value::Object);
        assert_eq!(kept, Some(json!({"list": [{"deaths": "4"}]})), "nor does a match grow");
    }

    #[test]
    fn what_is_of_another_kind_is_not_known_and_no_answer_is_none() {
        assert_eq!(Reading::Profile.keep(&json!({"profile": null, "rank_tier": null})), Some(nobody()));
        let odd =
            json!({"profile": {"personaname": 7, "loccountrycode": ["CA"], "fh_unavailable": null}, "rank_tier": {}});
        assert_eq!(Reading::Profile.keep(&odd).map(Value::Object), Some(json!({"personaname": 7})));
        let long = json!({"profile": {"personaname": "龙".repeat(100_000)}});
        let kept = Reading::Profile.keep(&long).unwrap();
        assert_eq!(kept["personaname"].as_str().unwrap().chars().count(), DOTA_TEXT_CHARS_MAX);
        for reading in [Reading::Record, Reading::Recent, Reading::TopHeroes, Reading::HeroNames] {
            for wrong in [json!({}), json!(null), json!("a"), json!({"error": "Internal Server Error"})] {
                assert_eq!(reading.keep(&wrong), None, "{reading:?} {wrong}");
            }
        }
        // Answers to other questions of theirs.
        for name in ["refresh", "player_totals"] {
            for reading in [Reading::Record, Reading::Week, Reading::HeroNames] {
                assert_eq!(reading.keep(&read(name)), None, "{reading:?} {name}");
            }
            assert_eq!(Reading::Profile.keep(&read(name)), Some(nobody()), "{name}");
        }
        let many: Vec<_> =
            (1..=100_000).map(|id| json!({"account_id": id, "id": id, "games": 1, "localized_name": "a"})).collect();
        let many = Value::from(many);
        for reading in [Reading::Recent, Reading::TopHeroes, Reading::HeroNames] {
            let bytes = serde_json::to_vec(&reading.keep(&many).unwrap()).unwrap().len();
            assert!(bytes < 20_000, "{reading:?}: {bytes}");
        }
        let some = found(&many).unwrap();
        assert_eq!(
            (some["list"].as_array().unwrap().len(), &some["more"]),
            (DOTA_CHOICES_MAX, &json!(DOTA_HITS_MAX - DOTA_CHOICES_MAX))
        );
        let twice = json!([{"account_id": 322}, {"account_id": 322, "personaname": "322"}]);
        assert_eq!(Value::Object(found(&twice).unwrap()), json!({"list": [{"account_id": 322}], "more": 0}));
        let nobodys = json!([{"account_id": 4_294_967_295_u64}, {"account_id": null}, {"account_id": "7"}, 3]);
        assert_eq!(found(&nobodys).unwrap()["list"], json!([{"account_id": "7"}]));
    }

    #[test]
    fn a_match_without_a_result_is_neither_won_nor_lost() {
        for (slot, radiant, won) in [
            (json!(0), json!(true), Some(true)),
            (json!(127), json!(false), Some(false)),
            (json!(128), json!(false), Some(true)),
            (json!(255), json!(true), Some(false)),
            (json!(0), json!(null), None),
            (json!(null), json!(true), None),
            (json!(0), json!("true"), None),
        ] {
            assert_eq!(is_won(&json!({"player_slot": slot, "radiant_win": radiant})), won, "{slot} {radiant}");
        }
    }

    #[test]
    fn each_error_is_judged() {
        let judged =
            |status, body: &[u8]| judge(&Answer { status, headers: Vec::new(), body: body.to_vec() }, NOW).unwrap_err();
        let (minute, day) = (Moment(1_763_668_860_000), Moment(1_763_683_200_000));
        let slack = |moment: Moment| moment.after(DOTA_CLOCK_SLACK);
        for (status, name, trouble) in [
            (404, "error_404", Trouble::Unknown),
            (400, "error_400_id", Trouble::Unknown),
            (400, "error_400_key", Trouble::Key),
            (429, "error_429_minute", Trouble::NotBefore { moment: slack(minute), of_day: None }),
            (429, "error_429_day", Trouble::NotBefore { moment: slack(day), of_day: Some(0) }),
            (500, "error_500", Trouble::Silent("it answered 500".to_owned())),
        ] {
            assert_eq!(judged(status, &sample(name)), trouble, "{name}");
        }
        assert_eq!(judged(522, b"<html>"), Trouble::Silent("it answered 522".to_owned()));
        assert_eq!(judged(400, b"{\"error\":\"q is not a string\"}"), Trouble::Refused("q is not a string".to_owned()));
        assert_eq!(judged(200, b"<html>"), Trouble::Silent("its answer cannot be read".to_owned()));
    }

    #[test]
    fn less_left_than_we_thought_is_learnt_and_more_is_not() {
        let left = |per, calls, of| Left { per, calls, of, ends: Moment(0) };
        let ours = [left(Period::Minute, 30, 60), left(Period::Day, 1000, 3000)];
        let learnt = |status, minute: &str, day: &str, body: &[u8]| {
            let headers = vec![(MINUTE.to_owned(), minute.to_owned()), (DAY.to_owned(), day.to_owned())];
            let lessons = lessons(&Answer { status, headers, body: body.to_vec() }, &ours, NOW);
            lessons
                .into_iter()
                .map(|lesson| (lesson.per.unwrap(), lesson.left.unwrap(), lesson.until))
                .collect::<Vec<_>>()
        };
        let (minute, day) = (Some(end(Period::Minute, NOW)), Some(end(Period::Day, NOW)));
        assert_eq!(learnt(200, "30", "1000", b""), []);
        assert_eq!(learnt(200, "59", "x", b""), []);
        assert_eq!(learnt(200, "29", "7", b""), [(Period::Minute, 29, None), (Period::Day, 7, None)]);
        assert_eq!(learnt(200, "0", "-1", b""), [(Period::Minute, 0, minute), (Period::Day, 0, day)]);
        assert_eq!(learnt(429, "-3", "200", &sample("error_429_minute")), [(Period::Minute, 0, minute)]);
        assert_eq!(learnt(429, "5", "-3", &sample("error_429_day")), [(Period::Day, 0, day)]);
        assert_eq!(learnt(429, "5", "0", b"<html>"), [(Period::Day, 0, day)]);
    }

    #[test]
    fn smaller_limits_are_believed_and_larger_ones_are_not() {
        let left = |per, calls, of| Left { per, calls, of, ends: Moment(9) };
        let named = json!({"freeCallLimit": 2000, "freeRateLimit": 50, "premRateLimit": 200});
        let learnt = |ours: &[Left]| {
            let lessons = smaller(&named, ours).into_iter();
            lessons.map(|lesson| (lesson.of.unwrap(), lesson.left.unwrap(), lesson.until)).collect::<Vec<_>>()
        };
        let free = [left(Period::Minute, 58, 60), left(Period::Day, 500, 3000)];
        assert_eq!(learnt(&free), [(50, 48, None), (2000, 0, Some(Moment(9)))]);
        assert_eq!(learnt(&[left(Period::Minute, 300, 300)]), [(200, 200, None)]);
        assert_eq!(learnt(&[left(Period::Minute, 10, 10), left(Period::Day, 2000, 2000)]), []);
    }
}
