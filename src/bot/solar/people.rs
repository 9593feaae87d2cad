//! Who may know of which system: invitations, the people who took them, and those who guess.
//!
//!     invite SUN-7F3K-9QPD             the system that this code opens, and until when
//!     person page/2468                 the systems of a person
//!     guesses page/2468                wrong codes of a person, until they are forgotten
//!
//! A binding belongs to the person, also in a room with others: there the answers can be read by all.

use super::archive::{about, keep, load};
use crate::bot::{BotFault, Desk};
use crate::limits::{SOLAR_GUESS_REST, SOLAR_GUESSES_MAX, SOLAR_PEOPLE_MAX, SOLAR_SYSTEMS_MAX};
use crate::model::{Event, Moment};
use serde::{Deserialize, Serialize};

/// Letters and digits of a code: none that is taken for another.
pub const ALPHABET: &str = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";

/// How a code begins, and how many signs follow.
const PREFIX: &str = "SUN";
const SIGNS: usize = 8;

/// What `ackd solar invite` remembers for the bot, as JSON, under `invitation(code)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    pub system: u64,
    pub until: Moment,
}

/// How the keys of invitations begin, and those of people.
pub const INVITATIONS: &str = "invite ";
pub const PEOPLE: &str = "person ";

/// The key of an invitation, by its code as it is handed out: `SUN-7F3K-9QPD`.
pub fn invitation(code: &str) -> String {
    format!("{INVITATIONS}{code}")
}

/// The key under which the systems of a person lie, a list of their ids; by channel and by the platform's own id.
pub fn binding(channel: &str, person: &str) -> String {
    person_key(&format!("{channel}/{person}"))
}

/// A code out of 64 random bits.
pub fn draw(mut chance: u64) -> String {
    let letters: Vec<char> = ALPHABET.chars().collect();
    let count = letters.len() as u64;
    let mut code = PREFIX.to_owned();
    for place in 0..SIGNS {
        if place % (SIGNS / 2) == 0 {
            code.push('-');
        }
        // Of 2^64 so little is left over that no code is likelier by more than one in ten million.
        let drawn = usize::try_from(chance % count).ok().and_then(|drawn| letters.get(drawn));
        code.extend(drawn);
        chance /= count;
    }
    code
}

/// The code in a text, as it was handed out; also one that cannot be right, but was meant to be one.
pub(super) fn code(text: &str) -> Option<String> {
    let has_digit = |signs: &str| signs.contains(|sign: char| sign.is_ascii_digit());
    let is_drawn = |signs: &str| signs.chars().all(|sign| ALPHABET.contains(sign.to_ascii_uppercase()));
    let is_shouted = |signs: &str| !signs.contains(|sign: char| sign.is_ascii_lowercase());
    let in_one_word = text.split_whitespace().find_map(|word| meant(word, |signs| is_drawn(signs) || has_digit(signs)));
    // With spaces in it, a sentence may have as many letters: "how the sun was great".
    in_one_word.or_else(|| meant(text, |signs| is_drawn(signs) && (has_digit(signs) || is_shouted(signs))))
}

/// The code whose signs are in up to three words, if they are meant to be one.
fn meant(text: &str, is_meant: impl Fn(&str) -> bool) -> Option<String> {
    let words: Vec<_> =
        text.split(|sign: char| !sign.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    (0..words.len()).find_map(|place| {
        let mut joined = String::new();
        words.iter().skip(place).take(3).find_map(|word| {
            joined.push_str(word);
            let (prefix, signs) = joined.split_at_checked(PREFIX.len())?;
            if !prefix.eq_ignore_ascii_case(PREFIX) || signs.len() != SIGNS || !is_meant(signs) {
                return None;
            }
            let (first, second) = signs.split_at_checked(SIGNS / 2)?;
            Some(format!("{PREFIX}-{first}-{second}").to_ascii_uppercase())
        })
    })
}

/// A person as a part of keys.
pub(super) fn who(event: &Event) -> String {
    format!("{}/{}", event.id.channel, event.person)
}

/// What became of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Redeemed {
    Welcome(u64),
    Already(u64),
    Expired,
    Wrong,
    /// This person has too many systems.
    Enough,
    /// This person guesses; no code is looked at before then.
    NotBefore(Moment),
}

#[derive(Default, Serialize, Deserialize)]
struct Guesses {
    wrong: u32,
    until: Moment,
}

/// Takes a code from a person. It opens once.
pub(super) fn redeem(desk: &mut dyn Desk, who: &str, code: &str) -> Result<Redeemed, BotFault> {
    let now = desk.now();
    let guesses_key = format!("guesses {who}");
    // Of a clock that was ahead by a year, nobody waits for a year.
    let held = |guesses: &Guesses| guesses.until > now && guesses.until <= now.after(SOLAR_GUESS_REST);
    let guesses = load::<Guesses>(desk, &guesses_key)?.filter(held).unwrap_or_default();
    if guesses.wrong >= SOLAR_GUESSES_MAX {
        return Ok(Redeemed::NotBefore(guesses.until));
    }
    let Some(invite) = load::<Invite>(desk, &invitation(code))? else {
        let guesses = Guesses { wrong: guesses.wrong.saturating_add(1), until: now.after(SOLAR_GUESS_REST) };
        keep(desk, &guesses_key, &guesses, Some(SOLAR_GUESS_REST))?;
        return Ok(Redeemed::Wrong);
    };
    let mut systems = systems(desk, who)?;
    if invite.until <= now {
        return Ok(Redeemed::Expired);
    }
    if systems.contains(&invite.system) {
        return Ok(Redeemed::Already(invite.system));
    }
    if systems.len() >= SOLAR_SYSTEMS_MAX {
        return Ok(Redeemed::Enough);
    }
    systems.push(invite.system);
    keep(desk, &person_key(who), &systems, None)?;
    desk.use_up(&invitation(code))?;
    desk.forget(&guesses_key)?;
    Ok(Redeemed::Welcome(invite.system))
}

/// The systems of a person; none for a stranger.
pub(super) fn systems(desk: &mut dyn Desk, who: &str) -> Result<Vec<u64>, BotFault> {
    Ok(load(desk, &person_key(who))?.unwrap_or_default())
}

/// Forgets a person.
pub(super) fn leave(desk: &mut dyn Desk, who: &str) -> Result<(), BotFault> {
    for system in systems(desk, who)? {
        let key = about(system, "people");
        let mut people: Vec<String> = load(desk, &key)?.unwrap_or_default();
        people.retain(|person| person != who);
        keep(desk, &key, &people, None)?;
    }
    desk.forget(&person_key(who))
}

/// Writes a person into the list of a system's people, who are the reason to look at it. Two people may do so at once,
/// and one be lost; whoever is heard again is written again.
pub(super) fn enlist(desk: &mut dyn Desk, who: &str, system: u64) -> Result<(), BotFault> {
    let key = about(system, "people");
    let mut people: Vec<String> = load(desk, &key)?.unwrap_or_default();
    if people.iter().any(|person| person == who) || people.len() >= SOLAR_PEOPLE_MAX {
        return Ok(());
    }
    people.push(who.to_owned());
    keep(desk, &key, &people, None)
}

/// Whether anybody is still told of a system.
pub(super) fn is_anybodys(desk: &mut dyn Desk, system: u64) -> Result<bool, BotFault> {
    for who in load::<Vec<String>>(desk, &about(system, "people"))?.unwrap_or_default() {
        if systems(desk, &who)?.contains(&system) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn person_key(who: &str) -> String {
    format!("{PEOPLE}{who}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::paper::Paper;

    const CODE: &str = "SUN-7F3K-9QPD";

    fn desk() -> Paper {
        let mut desk = Paper { now: Moment(1_000_000), ..Paper::default() };
        invite(&mut desk, CODE, 67);
        desk
    }

    fn invite(desk: &mut Paper, code: &str, system: u64) {
        keep(desk, &invitation(code), &Invite { system, until: Moment(2_000_000) }, None).unwrap();
    }

    #[test]
    fn a_code_is_found_in_any_sentence_and_spelling() {
        for text in [
            "SUN-7F3K-9QPD",
            "sun-7f3k-9qpd",
            "Hello, my code is Sun 7F3K 9qpd. Thanks!",
            "sun7f3k9qpd?",
            "(SUN7F3K-9QPD)",
            "the sun: SUN-7F3K-9QPD",
        ] {
            assert_eq!(code(text).as_deref(), Some(CODE), "{text}");
        }
        for text in ["sun-abcd-efgh", "sunabcdefgh", "it is SUN ABCD EFGH"] {
            assert_eq!(code(text).as_deref(), Some("SUN-ABCD-EFGH"), "{text}: one in twelve has no digit");
        }
        assert_eq!(code("sun-7f3k-9qp0").as_deref(), Some("SUN-7F3K-9QP0"), "no such sign, but meant to be one");
        for text in
            ["", "today", "sun", "sunny day", "SUN-7F3K", "SUN-7F3K-9QPDX", "sunbathings", "how is the sun today"]
        {
            assert_eq!(code(text), None, "{text}");
        }
    }

    #[test]
    fn a_sentence_about_the_sun_is_no_code() {
        for text in ["The sun was great", "how much sun was there today?", "sun each year", "the sun, june 2026"] {
            assert_eq!(code(text), None, "{text}");
        }
    }

    #[test]
    fn a_drawn_code_is_read_back_and_each_bit_of_it_counts() {
        let drawn = |chance: u64| draw(chance);
        assert_eq!(drawn(0), "SUN-AAAA-AAAA");
        let last = |place: u32| drawn(30 * 31_u64.pow(place)).replace('-', "").rfind('9').unwrap();
        assert_eq!((0..8).map(last).collect::<Vec<_>>(), (3..11).collect::<Vec<_>>(), "each sign is drawn on its own");
        for chance in [1, 30, 31, u64::from(u32::MAX), u64::MAX / 3, u64::MAX] {
            let code = drawn(chance);
            assert_eq!(super::code(&code).as_deref(), Some(code.as_str()));
            assert_ne!(code, drawn(chance - 1), "{chance}");
        }
    }

    #[test]
    fn a_code_opens_once() {
        let mut desk = desk();
        assert_eq!(redeem(&mut desk, "page/1", CODE), Ok(Redeemed::Welcome(67)));
        assert_eq!(systems(&mut desk, "page/1"), Ok(vec![67]));
        assert_eq!(redeem(&mut desk, "page/2", CODE), Ok(Redeemed::Wrong));
        assert_eq!(systems(&mut desk, "page/2"), Ok(vec![]));
    }

    #[test]
    fn a_code_that_is_too_old_says_so_and_one_for_the_same_system_stays() {
        let mut desk = desk();
        redeem(&mut desk, "page/1", CODE).unwrap();
        invite(&mut desk, CODE, 67);
        assert_eq!(redeem(&mut desk, "page/1", CODE), Ok(Redeemed::Already(67)));
        desk.now = Moment(2_000_000);
        assert_eq!(redeem(&mut desk, "page/2", CODE), Ok(Redeemed::Expired));
    }

    #[test]
    fn whoever_guesses_waits_even_with_the_right_code() {
        let mut desk = desk();
        for _ in 0..SOLAR_GUESSES_MAX {
            assert_eq!(redeem(&mut desk, "page/1", "SUN-2222-2222"), Ok(Redeemed::Wrong));
        }
        let until = desk.now.after(SOLAR_GUESS_REST);
        for _ in 0..2 {
            assert_eq!(redeem(&mut desk, "page/1", CODE), Ok(Redeemed::NotBefore(until)), "waiting is not prolonged");
            desk.now = desk.now.after(SOLAR_GUESS_REST / 4);
        }
        invite(&mut desk, CODE, 68);
        desk.memory
            .insert(invitation(CODE), serde_json::to_vec(&Invite { system: 68, until: Moment(i64::MAX) }).unwrap());
        assert_eq!(redeem(&mut desk, "page/2", CODE), Ok(Redeemed::Welcome(68)), "others do not wait");
        desk.memory
            .insert(invitation(CODE), serde_json::to_vec(&Invite { system: 67, until: Moment(i64::MAX) }).unwrap());
        desk.now = until;
        assert_eq!(redeem(&mut desk, "page/1", CODE), Ok(Redeemed::Welcome(67)));
    }

    #[test]
    fn whoever_guessed_while_the_clock_was_ahead_does_not_wait_for_it() {
        let mut desk = desk();
        let now = std::mem::replace(&mut desk.now, Moment(366 * 24 * 3_600_000));
        for _ in 0..SOLAR_GUESSES_MAX {
            redeem(&mut desk, "page/1", "SUN-2222-2222").unwrap();
        }
        desk.now = now;
        assert_eq!(redeem(&mut desk, "page/1", CODE), Ok(Redeemed::Welcome(67)));
    }

    #[test]
    fn a_person_has_a_bounded_number_of_systems() {
        let mut desk = desk();
        for system in 0..SOLAR_SYSTEMS_MAX as u64 {
            invite(&mut desk, CODE, 1000 + system);
            assert_eq!(redeem(&mut desk, "page/1", CODE), Ok(Redeemed::Welcome(1000 + system)));
        }
        invite(&mut desk, CODE, 67);
        assert_eq!(redeem(&mut desk, "page/1", CODE), Ok(Redeemed::Enough));
    }

    #[test]
    fn a_system_is_somebodys_until_the_last_one_leaves() {
        let mut desk = desk();
        redeem(&mut desk, "page/1", CODE).unwrap();
        enlist(&mut desk, "page/1", 67).unwrap();
        enlist(&mut desk, "page/1", 67).unwrap();
        enlist(&mut desk, "page/2", 67).unwrap();
        assert!(is_anybodys(&mut desk, 67).unwrap() && !is_anybodys(&mut desk, 68).unwrap());
        leave(&mut desk, "page/1").unwrap();
        assert!(!is_anybodys(&mut desk, 67).unwrap(), "page/2 was never bound");
        assert!(!desk.memory.contains_key("person page/1"));
    }
}
