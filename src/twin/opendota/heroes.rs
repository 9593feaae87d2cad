//! The constants: heroes, modes and lobbies. Some of the heroes only, with their real ids, which have gaps.

use super::json::{enclosed, fill, list, quoted};

/// A hero in each line: id, name, the name that people know, attribute, attack (`m` or `r`), legs, roles.
const HEROES: &str = "\
1 antimage Anti-Mage agi m 2 Carry,Escape,Nuker
2 axe Axe str m 2 Initiator,Durable,Disabler,Carry
5 crystal_maiden Crystal_Maiden int r 2 Support,Disabler,Nuker
6 drow_ranger Drow_Ranger agi r 2 Carry,Disabler,Pusher
8 juggernaut Juggernaut agi m 2 Carry,Pusher,Escape
11 nevermore Shadow_Fiend agi r 0 Carry,Nuker
14 pudge Pudge str m 2 Disabler,Initiator,Durable,Nuker
15 razor Razor agi r 0 Carry,Durable,Nuker,Pusher
17 storm_spirit Storm_Spirit int r 2 Carry,Escape,Nuker,Initiator,Disabler
21 windrunner Windranger all r 2 Carry,Support,Disabler,Escape,Nuker
22 zuus Zeus int r 2 Nuker,Carry
25 lina Lina int r 2 Support,Carry,Nuker,Disabler
26 lion Lion int r 2 Support,Disabler,Nuker,Initiator
28 slardar Slardar str m 0 Carry,Durable,Initiator,Disabler,Escape
35 sniper Sniper agi r 2 Carry,Nuker
41 faceless_void Faceless_Void agi m 2 Carry,Initiator,Disabler,Escape,Durable
42 skeleton_king Wraith_King str m 2 Carry,Support,Durable,Disabler,Initiator
44 phantom_assassin Phantom_Assassin agi m 2 Carry,Escape
53 furion Nature's_Prophet all r 2 Carry,Pusher,Escape,Nuker
74 invoker Invoker all r 2 Carry,Nuker,Disabler,Escape,Pusher
86 rubick Rubick int r 2 Support,Disabler,Nuker
97 magnataur Magnus all m 4 Initiator,Disabler,Nuker,Escape
114 monkey_king Monkey_King agi m 2 Carry,Escape,Disabler,Initiator
126 void_spirit Void_Spirit all m 2 Carry,Escape,Nuker,Disabler
138 muerta Muerta int r 2 Carry,Nuker,Disabler
145 kez Kez agi m 2 Carry,Escape,Disabler";

/// Their ids again: each match needs ten of them.
const IDS: [u8; 26] =
    [1, 2, 5, 6, 8, 11, 14, 15, 17, 21, 22, 25, 26, 28, 35, 41, 42, 44, 53, 74, 86, 97, 114, 126, 138, 145];

/// How many there are.
pub(super) const COUNT: i64 = IDS.len() as i64;

/// The modes in the order of their numbers; a `+` marks those that are counted unless asked otherwise.
const MODES: &str = "unknown+ all_pick+ captains_mode+ random_draft+ single_draft+ all_random+ intro diretide \
    reverse_captains_mode greeviling tutorial mid_only least_played+ limited_heroes compendium_matchmaking custom \
    captains_draft+ balanced_draft+ ability_draft event all_random_death_match 1v1_mid all_draft+ turbo mutation \
    coaches_challenge";

/// The lobbies likewise.
const LOBBIES: &str =
    "normal+ practice tournament+ tutorial coop_bots ranked_team_mm+ ranked_solo_mm+ ranked+ 1v1_mid battle_cup+";

/// The id of a hero by its place in the table.
pub(super) fn id(place: i64) -> i64 {
    usize::try_from(place).ok().and_then(|place| IDS.get(place)).map_or(0, |id| i64::from(*id))
}

/// Whether matches of this mode and lobby are counted unless asked otherwise.
pub(super) fn is_usual(mode: i64, lobby: i64) -> bool {
    let usual = |words: &str, number: i64| {
        let word = usize::try_from(number).ok().and_then(|number| words.split_whitespace().nth(number));
        word.is_some_and(|word| word.ends_with('+'))
    };
    usual(MODES, mode) && usual(LOBBIES, lobby)
}

/// One hero, with its id.
fn hero(line: &str) -> (String, String) {
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (id, name, known, attribute, attack, legs, roles) = (word(), word(), word(), word(), word(), word(), word());
    let attack = if attack == "m" { "Melee" } else { "Ranged" };
    let values = [
        id.to_owned(),
        name.to_owned(),
        quoted(&known.replace('_', " ")),
        attribute.to_owned(),
        attack.to_owned(),
        list(&mut roles.split(',').map(quoted)),
        legs.to_owned(),
    ];
    let template = "{\"id\":$,\"name\":\"npc_dota_hero_$\",\"localized_name\":$,\"primary_attr\":\"$\",\
        \"attack_type\":\"$\",\"roles\":$,\"legs\":$}";
    (values.first().cloned().unwrap_or_default(), fill(template, &values))
}

/// `GET /heroes`.
pub(super) fn all() -> String {
    list(&mut HEROES.lines().map(|line| hero(line).1))
}

/// `GET /constants/{resource}`: what it has of this name, by ids as text.
pub(super) fn constants(resource: &str) -> Option<String> {
    let entry = |(id, value): (String, String)| format!("\"{id}\":{value}");
    let (prefix, words) = match resource {
        "heroes" => return Some(enclosed('{', &mut HEROES.lines().map(|line| entry(hero(line))), '}')),
        "game_mode" => ("game_mode_", MODES),
        "lobby_type" => ("lobby_type_", LOBBIES),
        _ => return None,
    };
    let numbered = words.split_whitespace().enumerate().map(|(number, word)| {
        let name = word.trim_end_matches('+');
        let balanced = if name == word { "" } else { ",\"balanced\":true" };
        entry((number.to_string(), format!("{{\"id\":{number},\"name\":\"{prefix}{name}\"{balanced}}}")))
    });
    Some(enclosed('{', &mut { numbered }, '}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let ids = HEROES.lines().map(|line| line.split(' ').next().unwrap_or_default().to_owned());
        assert!(ids.eq(IDS.map(|id| id.to_string())));
        assert!(HEROES.lines().all(|line| line.split(' ').count() == 7));
        assert_eq!((id(0), id(COUNT - 1), id(COUNT)), (1, 145, 0));
    }

    #[test]
    fn turbo_and_practice_are_not_usual() {
        assert!(is_usual(22, 7) && is_usual(22, 0) && is_usual(2, 2));
        for (mode, lobby) in [(23, 0), (18, 0), (22, 1), (22, 4), (99, 0), (22, -1)] {
            assert!(!is_usual(mode, lobby), "{mode} {lobby}");
        }
    }
}
