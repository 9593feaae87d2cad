//! The matches of a player: a function of player, seed and time, so that they come in by the day and a match that was
//! told once stays as it is.
//!
//! A day has eight slots of three hours, evenings being the busiest in Europe; in each a player plays one match or none.
//! It is known five minutes after its end. The worth of a figure follows from a few draws, so that kills, gold and
//! length have to do with each other.

use super::heroes;
use super::settings::Player;
use crate::limits::OPENDOTA_DAYS_MAX;
use crate::twin::faults::Chance;

const DAY: i64 = 86_400;
const SLOT: i64 = DAY / 8;
/// How often each slot of a day is played in, of `WEIGHTS_ALL`.
const WEIGHTS: [u64; 8] = [1, 0, 0, 1, 2, 3, 5, 4];
const WEIGHTS_ALL: u64 = 16;
/// How long after its end a match is known; the service's own time is unconfirmed.
const KNOWN_AFTER: i64 = 300;
/// The first day that anybody plays on, in days since 1970, and so many later at most: January 2022 to September 2024.
const FIRST_DAY: i64 = 19_000;
const FIRST_DAYS: u64 = 1000;
/// Who has retired did so after this day, in October 2024.
const LAST_DAY: i64 = 20_000;
/// A hero whom the constants do not have.
const UNRELEASED: i64 = 160;

/// What `/recentMatches` tells, in order.
pub(super) const RECENT: &str = "match_id,player_slot,radiant_win,hero_id,start_time,duration,game_mode,lobby_type,\
    version,kills,deaths,assists,average_rank,xp_per_min,gold_per_min,hero_damage,tower_damage,hero_healing,last_hits,\
    lane,lane_role,is_roaming,cluster,leaver_status,party_size,hero_variant";
/// What `/matches` tells always …
pub(super) const ALWAYS: &str = "match_id,player_slot,radiant_win";
/// … and unless other members are asked for.
pub(super) const USUAL: &str = "hero_id,start_time,duration,game_mode,lobby_type,version,kills,deaths,assists,\
    average_rank,leaver_status,party_size,hero_variant";
/// What `/totals` sums up.
pub(super) const TOTALS: &str = "kills,deaths,assists,kda,gold_per_min,xp_per_min,last_hits,denies,\
    lane_efficiency_pct,duration,level,hero_damage,tower_damage,hero_healing,stuns,tower_kills,neutral_kills,\
    courier_kills,purchase_tpscroll,purchase_ward_observer,purchase_ward_sentry,purchase_gem,purchase_rapier,pings,\
    throw,comeback,stomp,loss,actions_per_min";

/// One match as its player sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub start: i64,
    pub duration: i64,
    pub hero: i64,
    /// The player's hero by its place in the table, and the step to the next of the nine others.
    place: i64,
    step: i64,
    pub slot: i64,
    /// Nothing when the match has no result.
    pub radiant_win: Option<bool>,
    pub mode: i64,
    pub lobby: i64,
    kills: i64,
    deaths: i64,
    assists: i64,
    /// Replays tell more.
    parsed: bool,
    /// Tells nothing that it need not tell.
    bare: bool,
    average_rank: Option<i64>,
    /// Of what the other figures are made.
    rest: u64,
}

/// All that are known at a moment, in seconds, the newest first.
pub(super) fn of<'p>(player: &'p Player, seed: u64, now: i64) -> impl Iterator<Item = Match> + 'p {
    let mut chance = Chance::new(seed ^ u64::from(player.account_id));
    let own = chance.draw();
    let first = FIRST_DAY + (chance.draw() % FIRST_DAYS) as i64;
    let last = if player.is("retired") { LAST_DAY } else { first + OPENDOTA_DAYS_MAX };
    let end = now.div_euclid(SLOT).saturating_add(1).min((last + 1) * 8);
    let matches = (first * 8..end).rev().filter_map(move |slot| Match::at(player, own, slot));
    matches.filter(move |of| of.start + of.duration + KNOWN_AFTER <= now)
}

impl Match {
    /// The match of a slot, if there is one.
    fn at(player: &Player, own: u64, slot: i64) -> Option<Match> {
        let mut chance = Chance::new(own ^ slot.unsigned_abs());
        let mut below = |most: i64| (chance.draw() >> 11).checked_rem(most.unsigned_abs()).unwrap_or(0) as i64;
        let weight = WEIGHTS.get(slot.rem_euclid(8) as usize).copied().unwrap_or(0);
        if below((7 * WEIGHTS_ALL) as i64) as u64 >= weight * u64::from(player.per_week) {
            return None;
        }
        let start = slot * SLOT + below(5000);
        // Some end before they begin in earnest, and are not counted.
        let duration = if below(40) == 0 { 200 + below(150) } else { 1200 + below(2400) };
        // Everybody has favourites.
        let favourite = below(heroes::COUNT) * below(heroes::COUNT) / heroes::COUNT;
        let place = (i64::from(player.account_id) + 5 * favourite) % heroes::COUNT;
        let hero = if player.is("unreleased") && below(3) == 0 { UNRELEASED } else { heroes::id(place) };
        // No two of ten steps meet, as none of these has a factor in common with the count of heroes.
        let step = [1, 3, 5, 7, 9, 11].get(below(6) as usize).copied().unwrap_or(1);
        let seat = below(10);
        let radiant = seat < 5;
        let won = below(100) < 45 + i64::from(player.account_id % 13);
        let undecided = player.is("undecided") && below(4) == 0;
        let (mode, lobby) = match below(10) {
            _ if player.is("turbo") => (23, 0),
            0..6 if player.rank_tier.is_some() => (22, 7),
            8 => (23, 0),
            9 => (18, 0),
            _ => (22, 0),
        };
        Some(Match {
            start,
            duration,
            hero,
            place,
            step,
            slot: if radiant { seat } else { 123 + seat },
            radiant_win: (!undecided).then_some(won == radiant),
            mode,
            lobby,
            kills: below(14) + if won { 3 } else { 0 },
            deaths: below(9) + if won { 1 } else { 3 },
            assists: 2 + below(20),
            parsed: below(4) == 0,
            bare: player.is("nulls"),
            average_rank: player.rank_tier.map(i64::from),
            rest: (below(1 << 30) as u64) << 30 | below(1 << 30) as u64,
        })
    }

    /// Whether its player won. One without a result is no victory, as the service reckons, too.
    pub(super) fn won(&self) -> bool {
        self.radiant_win == Some(self.slot < 128)
    }

    /// Whether it is counted unless asked otherwise.
    pub(super) fn is_significant(&self) -> bool {
        heroes::is_usual(self.mode, self.lobby) && self.radiant_win.is_some() && self.duration > 360
    }

    /// The heroes of the nine others: four at the player's side, then five against.
    pub(super) fn others(&self) -> impl Iterator<Item = i64> {
        let (place, step) = (self.place, self.step);
        (1..10).map(move |turn| heroes::id((place + turn * step) % heroes::COUNT))
    }

    /// A number below `most` that belongs to this match.
    fn spread(&self, most: i64, bit: u32) -> i64 {
        (self.rest.rotate_right(bit) & 0xffff_ffff) as i64 % most
    }

    /// A figure by its name, where this match has it.
    pub(super) fn figure(&self, name: &str) -> Option<i64> {
        let gold = 300 + self.spread(300, 0) + 12 * self.kills;
        let known = |figure: i64| (!self.bare).then_some(figure);
        let replay = |figure: i64| self.parsed.then_some(figure);
        let lead = 2000 + self.spread(15_000, 21);
        match name {
            // Ids go up with time; the samples have 8561234567 at that moment.
            "match_id" => Some((8_561_234_567 + (self.start - 1_763_671_451) / 2).max(1)),
            "player_slot" => Some(self.slot),
            "hero_id" => Some(self.hero),
            "start_time" => Some(self.start),
            "duration" => Some(self.duration),
            "game_mode" => Some(self.mode),
            "lobby_type" => Some(self.lobby),
            "kills" => Some(self.kills),
            "deaths" => Some(self.deaths),
            "assists" => Some(self.assists),
            "version" => replay(22),
            "average_rank" => self.average_rank,
            "gold_per_min" => known(gold),
            "xp_per_min" => known(gold + 60 + self.spread(120, 8)),
            "hero_damage" => known(7000 + 1500 * self.kills + 400 * self.assists + self.spread(4000, 16)),
            "tower_damage" => known(if self.won() { self.spread(9000, 24) } else { self.spread(1500, 24) }),
            "hero_healing" => known((self.spread(12_000, 4) - 9000).max(0)),
            "last_hits" => known(gold * self.duration / 5400),
            "denies" => known(self.spread(15, 12)),
            "level" => known((self.duration / 90).clamp(1, 30)),
            "cluster" => known(150 + self.spread(10, 28)),
            "leaver_status" => known(i64::from(self.spread(60, 32) == 0)),
            "party_size" => known(1 + self.spread(5, 36)).filter(|_| self.spread(3, 40) > 0),
            "hero_variant" => known(1 + self.spread(3, 44)),
            "lane" => replay(1 + self.spread(3, 48)),
            "lane_role" => replay(1 + self.spread(4, 48)),
            "lane_efficiency_pct" => replay(45 + self.spread(60, 52)),
            "tower_kills" => replay(self.spread(4, 24)),
            "neutral_kills" => replay(self.spread(90, 3)),
            "purchase_tpscroll" => replay(3 + self.spread(12, 7)),
            "purchase_ward_observer" | "purchase_ward_sentry" => replay(self.spread(9, 11)),
            "pings" => replay(self.spread(60, 15)),
            "actions_per_min" => replay(90 + self.spread(250, 19)),
            "comeback" | "stomp" if self.won() => replay(lead),
            "throw" | "loss" if !self.won() => replay(lead),
            _ => None,
        }
    }

    /// The same in hundredths: two of the figures have a fraction.
    pub(super) fn hundredths(&self, name: &str) -> Option<i64> {
        match name {
            "kda" => Some(100 * (self.kills + self.assists) / (self.deaths + 1)),
            "stuns" => self.parsed.then(|| self.spread(9000, 9)),
            _ => self.figure(name).map(|figure| 100 * figure),
        }
    }

    /// Whether there are members of this name.
    pub(super) fn has(name: &str) -> bool {
        [RECENT, TOTALS].iter().any(|names| names.split(',').any(|known| known == name))
    }

    /// A member as JSON.
    pub(super) fn member(&self, name: &str) -> String {
        let flag = match name {
            "radiant_win" => self.radiant_win,
            "is_roaming" => self.parsed.then(|| self.spread(8, 5) == 0),
            _ => {
                let value = super::json::or_null(self.hundredths(name).map(super::json::hundredths));
                return format!("\"{name}\":{value}");
            }
        };
        let value = flag.map_or("null", |flag| if flag { "true" } else { "false" });
        format!("\"{name}\":{value}")
    }
}
