//! Players as a search finds them, and as their profile tells of them (opendota.md §3, §4).

use super::call::{Reads, reads};
use super::json::{fill, hundredths, list, or_null, quoted};
use super::matches;
use super::refusal::Refused;
use super::settings::Player;
use crate::limits::{OPENDOTA_HITS_MAX, OPENDOTA_SEARCH_CHARS_MIN};
use crate::twin::faults::Chance;
use jiff::Timestamp;

/// What the 64-bit id of an account has more.
const STEAM64: u64 = 76_561_197_960_265_728;

/// `GET /search`: the account whose id this is, then those whose name has it, the most alike first.
pub(super) fn search(players: &[Player], seed: u64, now: i64, words: &str) -> Result<String, Refused> {
    let account = match reads(words) {
        Reads::Words => None,
        Reads::Integer(id) => id,
        Reads::Number(_) => return Err(Refused::Broken),
    };
    let account = account.map(|id| id.checked_sub(STEAM64).unwrap_or(id));
    let exact = players.iter().filter(|player| Some(u64::from(player.account_id)) == account).map(exact);
    let words = words.trim();
    let mut hits: Vec<(i64, &Player)> = Vec::new();
    if words.chars().count() >= OPENDOTA_SEARCH_CHARS_MIN {
        let pattern = pattern(words);
        let named = players.iter().filter_map(|player| Some((player.name.as_deref()?, player)));
        let named = named.filter(|(name, _)| is_like(&lower(name), &pattern));
        hits.extend(named.map(|(name, player)| (alike(words, name), player)));
    }
    let best = (0..=100).rev().flat_map(|score| hits.iter().filter(move |hit| hit.0 == score));
    let named = best.take(OPENDOTA_HITS_MAX).map(|(score, player)| hit(player, *score, seed, now));
    Ok(list(&mut exact.chain(named)))
}

fn exact(player: &Player) -> String {
    let avatar = if player.is("avatar-missing") { String::new() } else { format!(",\"avatarfull\":{}", face(player)) };
    let values = [player.account_id.to_string(), name(player), avatar];
    fill("{\"account_id\":$,\"personaname\":$$}", &values)
}

fn hit(player: &Player, score: i64, seed: u64, now: i64) -> String {
    let avatar = if player.is("avatar-missing") { String::new() } else { format!("\"avatarfull\":{},", face(player)) };
    let newest = matches::of(player, seed, now).next().filter(|_| !player.is("seen-null"));
    let seen = newest.and_then(|of| Timestamp::from_second(of.start).ok());
    let seen = or_null(seen.map(|seen| format!("\"{}.000Z\"", seen.to_string().trim_end_matches('Z'))));
    let seen = if player.is("seen-missing") { String::new() } else { format!("\"last_match_time\":{seen},") };
    let values = [player.account_id.to_string(), avatar, name(player), seen, hundredths(score)];
    fill("{\"account_id\":$,$\"personaname\":$,$\"sml\":$}", &values)
}

/// `GET /players/{id}`.
pub(super) fn profile(player: &Player) -> String {
    let (private, bare) = (player.is("private"), player.is("nulls"));
    let steam = STEAM64 + u64::from(player.account_id);
    let face = |size: &str| or_null((!bare).then(|| format!("\"{}{size}.jpg\"", picture(player))));
    let flag = |flag: bool| flag.to_string();
    let public = |value: Option<String>| or_null(value.filter(|_| !private));
    let alias = player
        .alias
        .as_deref()
        .map(|alias| format!("{{\"personaname\":{},\"name_since\":\"2025-01-01T00:00:00.000Z\"}}", quoted(alias)));
    let values = [
        player.account_id.to_string(),
        name(player),
        or_null(player.name.as_deref().filter(|_| player.is("pro")).map(quoted)),
        or_null((!bare).then(|| flag(player.account_id % 3 != 2))),
        or_null((!bare).then(|| "0".to_owned())),
        steam.to_string(),
        face(""),
        face("_medium"),
        face("_full"),
        or_null((!bare).then(|| format!("\"https://steamcommunity.com/profiles/{steam}/\""))),
        or_null(player.country.as_deref().map(quoted)),
        or_null((!bare).then(|| flag(private))),
        public(player.rank_tier.map(|rank| rank.to_string())),
        public(player.leaderboard.map(|place| place.to_string())),
        public(player.mmr.map(|mmr| mmr.to_string())),
        // Whoever plays without a clock is a little worse at it, and has a fraction.
        public(player.mmr.map(|mmr| hundredths(i64::from(mmr) * 80 + 50))),
        list(&mut alias.into_iter()),
    ];
    fill(
        "{\"profile\":{\"account_id\":$,\"personaname\":$,\"name\":$,\"plus\":$,\"cheese\":$,\"steamid\":\"$\",\
         \"avatar\":$,\"avatarmedium\":$,\"avatarfull\":$,\"profileurl\":$,\"last_login\":null,\"loccountrycode\":$,\
         \"status\":null,\"fh_unavailable\":$,\"is_contributor\":false,\"is_subscriber\":false},\"rank_tier\":$,\
         \"leaderboard_rank\":$,\"computed_mmr\":$,\"computed_mmr_turbo\":$,\"aliases\":$}",
        &values,
    )
}

fn name(player: &Player) -> String {
    or_null(player.name.as_deref().map(quoted))
}

/// The largest picture as JSON.
fn face(player: &Player) -> String {
    or_null((!player.is("avatar-null")).then(|| format!("\"{}_full.jpg\"", picture(player))))
}

/// Where a player's pictures are, without the size.
fn picture(player: &Player) -> String {
    let mut chance = Chance::new(u64::from(player.account_id));
    let (first, second, third) = (chance.draw(), chance.draw(), chance.draw() >> 32);
    format!("https://avatars.steamstatic.com/{first:016x}{second:016x}{third:08x}")
}

/// One sign of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Letter(char),
    /// Any one letter, `_`.
    One,
    /// Any number of them, `%` or a space.
    Any,
}

fn lower(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// A pattern that matches whatever has these words in it, in their order.
fn pattern(words: &str) -> Vec<Sign> {
    let mut pattern = vec![Sign::Any];
    let mut escaped = false;
    for letter in lower(words) {
        pattern.push(match letter {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '%' | ' ' if !escaped => Sign::Any,
            '_' if !escaped => Sign::One,
            letter => Sign::Letter(letter),
        });
        escaped = false;
    }
    pattern.push(Sign::Any);
    pattern
}

/// Whether a text matches all of a pattern. Only the last `Any` is ever tried again, so it takes no longer than both
/// lengths multiplied.
fn is_like(text: &[char], pattern: &[Sign]) -> bool {
    let (mut at, mut sign) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(at) {
        match pattern.get(sign) {
            Some(Sign::Any) => {
                again = Some((at, sign));
                sign += 1;
            }
            Some(Sign::One) => (at, sign) = (at + 1, sign + 1),
            Some(Sign::Letter(wanted)) if wanted == letter => (at, sign) = (at + 1, sign + 1),
            _ => {
                let Some((from, any)) = again else { return false };
                again = Some((from + 1, any));
                (at, sign) = (from + 1, any + 1);
            }
        }
    }
    pattern.iter().skip(sign).all(|sign| *sign == Sign::Any)
}

/// How alike two texts are, in hundredths: the share of what they have in common of the groups of three letters in
/// either (as PostgreSQL's `similarity`).
fn alike(one: &str, other: &str) -> i64 {
    let (one, other) = (threes(one), threes(other));
    let common = one.iter().filter(|three| other.contains(three)).count();
    let all = one.len() + other.len() - common;
    (100 * common).checked_div(all).and_then(|share| i64::try_from(share).ok()).unwrap_or(0)
}

/// The groups of three in each word with two spaces before and one behind it, each once.
fn threes(text: &str) -> Vec<[char; 3]> {
    let mut threes = Vec::new();
    let letters = lower(text);
    for word in letters.split(|letter| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let padded = [&[' ', ' '], word, &[' ']].concat();
        for three in padded.windows(3) {
            if let Ok(three) = <[char; 3]>::try_from(three)
                && !threes.contains(&three)
            {
                threes.push(three);
            }
        }
    }
    threes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_as_patterns_do() {
        let like = |words: &str, name: &str| is_like(&lower(name), &pattern(words));
        for (words, name) in [
            ("ada", "xXAdaXx"),
            ("ada great", "Ada the Great"),
            ("a_a", "Ada"),
            ("a%t", "Ada the Great"),
            ("%%%", "Bo"),
            ("100\\%", "100%_win"),
            ("aab", "aaab"),
            ("ÜNÏ", "Ünïcødé ☭ 龙"),
            ("🦊🦊", "🦊🦊🦊"),
        ] {
            assert!(like(words, name), "{words} {name}");
        }
        for (words, name) in [("great ada", "Ada the Great"), ("a_a", "Aa"), ("100\\%", "1000"), ("adab", "Ada")] {
            assert!(!like(words, name), "{words} {name}");
        }
    }

    #[test]
    fn a_whole_name_is_most_alike() {
        assert_eq!(alike("ada", "Ada"), 100);
        assert!(alike("ada", "Ada the Great") > alike("ada", "xXAdaXx"));
        assert_eq!(alike("🦊🦊🦊", "🦊🦊🦊"), 0, "nothing to compare");
    }

    #[test]
    fn a_long_pattern_takes_no_time() {
        let name = lower(&"a".repeat(2000));
        assert!(!is_like(&name, &pattern(&format!("{}b", "a%".repeat(2000)))));
    }
}
