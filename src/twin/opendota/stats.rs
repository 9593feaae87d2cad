//! The calls that answer with matches, or with what they come to (opendota.md §4).

use super::heroes;
use super::json::{enclosed, fill, hundredths, list};
use super::matches::{self, Match};
use super::refusal::Refused;
use super::settings::Player;
use crate::twin::decimal;
use crate::twin::query::Query;

/// Filters and orders of the real service that nobody plays.
const NOT_PLAYED: &str = "patch region sort included_account_id excluded_account_id with_hero_id against_hero_id \
    with_account_id against_account_id leagueid";

/// What is asked of one player's matches.
pub(super) struct Asked<'a> {
    /// Nobody, and one who hides the matches, has none.
    player: Option<&'a Player>,
    seed: u64,
    /// In seconds.
    now: i64,
    query: &'a Query,
}

impl<'a> Asked<'a> {
    /// A question, where its filters are played.
    pub(super) fn new(player: Option<&'a Player>, seed: u64, now: i64, query: &'a Query) -> Result<Asked<'a>, Refused> {
        let strange = |name: &str| NOT_PLAYED.split_whitespace().any(|word| word == name);
        if query.0.iter().any(|(name, value)| strange(name) && !value.is_empty()) {
            return Err(Refused::NotPlayed);
        }
        Ok(Asked { player, seed, now, query })
    }

    /// `GET /players/{id}/recentMatches`: whatever the query says.
    pub(super) fn recent(&self) -> String {
        list(&mut self.all().take(20).map(|of| told(&of, &[matches::RECENT])))
    }

    /// `GET /players/{id}/matches`.
    pub(super) fn matches(&self) -> String {
        let named = self.query.0.iter().filter(|(name, _)| name == "project");
        let named: Vec<&str> = named.flat_map(|(_, value)| value.split(',')).filter(|name| Match::has(name)).collect();
        let more = if named.is_empty() { matches::USUAL.to_owned() } else { named.join(",") };
        list(&mut self.filtered().map(|of| told(&of, &[matches::ALWAYS, &more])))
    }

    /// `GET /players/{id}/wl`.
    pub(super) fn wl(&self) -> String {
        let (mut win, mut lose) = (0_u32, 0_u32);
        for of in self.filtered() {
            if of.won() { win += 1 } else { lose += 1 }
        }
        format!("{{\"win\":{win},\"lose\":{lose}}}")
    }

    /// `GET /players/{id}/totals`.
    pub(super) fn totals(&self) -> String {
        let mut sums: Vec<(&str, i64, i64)> = matches::TOTALS.split(',').map(|name| (name, 0, 0)).collect();
        for of in self.filtered() {
            for (name, count, sum) in &mut sums {
                if let Some(figure) = of.hundredths(name) {
                    *count += 1;
                    *sum += figure;
                }
            }
        }
        list(
            &mut sums.iter().map(|(name, count, sum)| {
                format!("{{\"field\":\"{name}\",\"n\":{count},\"sum\":{}}}", hundredths(*sum))
            }),
        )
    }

    /// `GET /players/{id}/heroes`: those with most games first, then by their ids.
    pub(super) fn heroes(&self) -> String {
        let mut tallies: Vec<Tally> = (0..heroes::COUNT).map(|place| Tally::new(heroes::id(place))).collect();
        for of in self.filtered() {
            let won = i64::from(of.won());
            for (turn, id) in std::iter::once(of.hero).chain(of.others()).enumerate() {
                let Some(tally) = tallies.iter_mut().find(|tally| tally.hero == id) else { continue };
                // The player's own, the four at the player's side, the five against.
                let side = if turn == 0 {
                    &mut tally.own
                } else if turn < 5 {
                    &mut tally.with
                } else {
                    &mut tally.against
                };
                side.0 += 1;
                side.1 += won;
                if turn == 0 {
                    tally.last = tally.last.max(of.start);
                }
            }
        }
        let least = self.number("having").unwrap_or(0.0);
        tallies.retain(|tally| tally.own.0 as f64 >= least);
        let mut told = Vec::new();
        while let Some(most) = tallies.iter().map(|tally| tally.own.0).max() {
            told.extend(tallies.iter().filter(|tally| tally.own.0 == most).map(Tally::told));
            tallies.retain(|tally| tally.own.0 != most);
        }
        list(&mut told.into_iter())
    }

    /// All that are known, the newest first.
    fn all(&self) -> impl Iterator<Item = Match> {
        let player = self.player.filter(|player| !player.is("private"));
        player.into_iter().flat_map(|player| matches::of(player, self.seed, self.now))
    }

    /// Those that pass the filters.
    fn filtered(&self) -> impl Iterator<Item = Match> {
        let count = |name| self.number(name).filter(|number| *number >= 1.0).map(|number| number as usize);
        let passing = self.all().filter(|of| self.passes(of));
        passing.skip(count("offset").unwrap_or(0)).take(count("limit").unwrap_or(usize::MAX))
    }

    fn passes(&self, of: &Match) -> bool {
        if self.query.get("significant") != Some("0") && !of.is_significant() {
            return false;
        }
        self.query.0.iter().all(|(name, value)| {
            // What is no number equals none.
            let wanted = decimal(value).unwrap_or(f64::NAN);
            let is = |figure: Option<i64>| figure.is_some_and(|figure| figure as f64 == wanted);
            match name.as_str() {
                "date" => of.start as f64 > self.now as f64 - wanted * 86_400.0,
                "win" => is(Some(i64::from(of.won()))),
                "is_radiant" => is(Some(i64::from(of.slot < 128))),
                "game_mode" | "lobby_type" | "lane_role" | "hero_id" | "party_size" | "leaver_status" => {
                    is(of.figure(name))
                }
                _ => true,
            }
        })
    }

    fn number(&self, name: &str) -> Option<f64> {
        decimal(self.query.get(name)?)
    }
}

/// One match with the members of these names.
fn told(of: &Match, names: &[&str]) -> String {
    enclosed('{', &mut names.iter().flat_map(|names| names.split(',')).map(|name| of.member(name)), '}')
}

/// What was played with a hero, at its side and against it: games and victories.
struct Tally {
    hero: i64,
    last: i64,
    own: (i64, i64),
    with: (i64, i64),
    against: (i64, i64),
}

impl Tally {
    fn new(hero: i64) -> Tally {
        Tally { hero, last: 0, own: (0, 0), with: (0, 0), against: (0, 0) }
    }

    fn told(&self) -> String {
        let Tally { hero, last, own, with, against } = self;
        let figures = [hero, last, &own.0, &own.1, &with.0, &with.1, &against.0, &against.1].map(i64::to_string);
        let template = "{\"hero_id\":$,\"last_played\":$,\"games\":$,\"win\":$,\"with_games\":$,\"with_win\":$,\
            \"against_games\":$,\"against_win\":$}";
        fill(template, &figures)
    }
}
