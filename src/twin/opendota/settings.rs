//! What a stand-in is made of: its limits, perhaps a key, and its players.

use crate::model::Secret;
use crate::twin::faults::Chance;

/// OpenDota as one caller sees it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A paid key, where there is one; no other is good.
    pub key: Option<Secret>,
    /// Calls in a minute and in a day without a key …
    pub per_minute: u32,
    pub per_day: u32,
    /// … and in a minute with one, which has no limit of the day.
    pub per_minute_with_key: u32,
    /// The address that calls seem to come from.
    pub address: String,
    /// Whether failures are pages of Cloudflare, too.
    pub cloudflare: bool,
    pub players: Vec<Player>,
    /// So many more, whose names and matches are drawn from the seed …
    pub crowd: usize,
    /// … as are the matches of all.
    pub seed: u64,
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Player {
    pub account_id: u32,
    /// Nothing for one whose name was never looked up.
    pub name: Option<String>,
    pub country: Option<String>,
    /// Medal and stars, as 54.
    pub rank_tier: Option<u8>,
    /// The place among the best.
    pub leaderboard: Option<u32>,
    pub mmr: Option<u32>,
    /// Matches in a week, about.
    pub per_week: u32,
    /// A former name.
    pub alias: Option<String>,
    /// What is odd about the account, in words:
    ///
    /// - `private`: shows no matches
    /// - `retired`: has stopped playing
    /// - `turbo`: plays nothing else, which counts only where asked for
    /// - `unreleased`: plays a hero, too, that the constants do not have
    /// - `undecided`: some matches have no result
    /// - `nulls`: whatever may be null is
    /// - `pro`: has a name as a professional
    /// - `avatar-null`, `avatar-missing`, `seen-null`, `seen-missing`: what a search does not tell
    pub odd: String,
}

/// Who is there by name: account, name, country, rank with place and mmr, matches in a week, former name, what is odd.
const NAMED: &str = r#"
86745912 | Ada | CA | 80 42 7321 | 21 | Arteezy-like |
11223344 | Ada the Great | GB | 54 - 3480 | 12 | Countess |
55667788 | xXAdaXx | | | 9 | | private avatar-null seen-null
20040117 | Adamant | SE | 71 - 4730 | 25 | |
33445566 | Ünïcødé ☭ 龙 | IS | 43 - 2610 | 14 | unicode |
90210455 | 20040117 | US | 35 - 2040 | 10 | Twenty Forty |
31415926 | Bo | DK | 62 - 4015 | 18 | |
47110815 | Wolfgang | AT | 23 - 1190 | 8 | |
47110816 | lonewolf | PL | 45 - 2800 | 16 | | avatar-missing
47110817 | Wolf of Mid | DE | 65 - 4290 | 22 | |
47110818 | wolf_77 | NO | 31 - 1760 | 6 | | seen-missing
47110819 | BEOWULF wolf wolf | GB | 12 - 420 | 5 | |
60700080 | شبح الليل | EG | 52 - 3300 | 11 | |
60700081 | אבירם | IL | 41 - 2500 | 7 | |
70000007 | 🔥Phoenix🔥 | BR | 74 - 5020 | 20 | |
70000008 | 🦊🦊🦊 | JP | 25 - 1330 | 4 | |
70000009 | Zoë & Chloë <3 | FR | 33 - 1900 | 9 | |
70000010 | Say "gg" \o/ | NZ | 21 - 1050 | 13 | |
70000011 | 100%_win | RU | 55 - 3560 | 19 | |
70000012 | TheQuickBrownFoxJumpsOverTheLazy | CN | 53 - 3390 | 10 | |
80000001 | Almost Immortal | SG | 80 - 6010 | 24 | | pro
80000002 | Casual Carl | NL | | 3 | |
80000003 | Newcomer Nia | ES | | 0 | | seen-null
80000004 | Retired Rita | IT | 61 - 3900 | 15 | | retired
80000005 | Turbo Tim | FI | 34 - 1950 | 17 | | turbo
80000006 | Early Emil | CZ | 44 - 2705 | 15 | | unreleased
80000007 | Half Time | PT | 32 - 1820 | 15 | | undecided
80000008 | Null Pointer | | | 12 | | nulls avatar-null seen-null
80000009 | | | | 5 | | avatar-missing seen-missing
4294967294 | The Last One | AQ | 11 - 310 | 6 | |
"#;

impl Settings {
    /// What is played with: thirty players by name, with all that is odd, and as many again; the service's usual limits
    /// (opendota.md §1).
    pub fn played() -> Settings {
        Settings {
            key: None,
            per_minute: 60,
            per_day: 3000,
            per_minute_with_key: 300,
            address: "203.0.113.7".to_owned(),
            cloudflare: true,
            players: NAMED.lines().filter_map(Player::read).collect(),
            crowd: 30,
            seed: 1,
        }
    }

    /// Everybody who is there.
    pub(super) fn everybody(&self) -> Vec<Player> {
        const FIRST: &str = "Storm Shadow Silent Crimson Frost Iron Lucky Mad Neon Old Quiet Rusty";
        const SECOND: &str = "blade walker raven badger wizard panda courier tango smoke rune salmon";
        let mut chance = Chance::new(self.seed ^ 0x706c_6179_6572_7321);
        let mut players = self.players.clone();
        for _ in 0..self.crowd {
            let mut below = |most: u64| chance.draw() % most;
            let word = |words: &str, place: u64| {
                words.split(' ').nth(usize::try_from(place).unwrap_or_default()).unwrap_or_default().to_owned()
            };
            let account_id = 100_000_000 + u32::try_from(below(900_000_000)).unwrap_or_default();
            let name = format!("{}{}{}", word(FIRST, below(12)), word(SECOND, below(11)), below(100));
            let (medal, stars, per_week) = (1 + below(7), 1 + below(5), 3 + below(20));
            if players.iter().all(|player| player.account_id != account_id) {
                players.push(Player {
                    account_id,
                    name: Some(name),
                    country: None,
                    rank_tier: u8::try_from(medal * 10 + stars).ok(),
                    leaderboard: None,
                    mmr: u32::try_from(medal * 700 + stars * 140).ok(),
                    per_week: u32::try_from(per_week).unwrap_or_default(),
                    alias: None,
                    odd: String::new(),
                });
            }
        }
        players
    }
}

impl Player {
    /// Whether this is odd about the account.
    pub(super) fn is(&self, what: &str) -> bool {
        self.odd.split(' ').any(|word| word == what)
    }

    /// Reads a line of the table.
    fn read(line: &str) -> Option<Player> {
        let mut cells = line.split('|').map(str::trim);
        let account_id = cells.next()?.parse().ok()?;
        let mut cell = || cells.next().filter(|cell| !cell.is_empty());
        let (name, country, rank, per_week) = (cell(), cell(), cell(), cell());
        let mut rank = rank.unwrap_or_default().split(' ');
        Some(Player {
            account_id,
            name: name.map(str::to_owned),
            country: country.map(str::to_owned),
            rank_tier: rank.next().and_then(|cell| cell.parse().ok()),
            leaderboard: rank.next().and_then(|cell| cell.parse().ok()),
            mmr: rank.next().and_then(|cell| cell.parse().ok()),
            per_week: per_week.and_then(|cell| cell.parse().ok()).unwrap_or_default(),
            alias: cell().map(str::to_owned),
            odd: cell().unwrap_or_default().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_player_and_no_account_is_there_twice() {
        let everybody = Settings::played().everybody();
        assert_eq!(everybody.len(), NAMED.trim().lines().count() + 30);
        let ids: std::collections::BTreeSet<u32> = everybody.iter().map(|player| player.account_id).collect();
        assert_eq!(ids.len(), everybody.len());
        let words: std::collections::BTreeSet<&str> =
            everybody.iter().flat_map(|player| player.odd.split_whitespace()).collect();
        assert_eq!(words.len(), 11, "each oddity has its player: {words:?}");
    }
}
