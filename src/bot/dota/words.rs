//! What somebody wants, out of what they wrote. Pure: who is meant by "me", and of whom was spoken, others know.
//!
//! All that can be tapped is written in the same words: `player 86745912`, `last week of player 86745912`.

use super::ids;
use crate::limits::{COMMAND_CHARS_MAX, DOTA_NAME_CHARS_MAX, DOTA_NAME_CHARS_MIN};
use crate::notation::nearest::slips;

/// What can be told of a player.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// Who it is, then all of the below.
    #[default]
    All,
    Profile,
    /// Won and lost, and the last matches summed.
    Games,
    Week,
    Heroes,
    Match,
}

/// Of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    /// Of whom was spoken last.
    Last,
    Me,
    Id(u32),
    /// A name, or digits that may be an id or a name: as it is looked for.
    Name(String),
}

/// What a text asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Tell(Part, Whom),
    /// The one who writes is this player.
    Bind(Whom),
    /// No more of that.
    Forget,
    Help,
    /// A name with too few signs, or too many.
    TooShort,
    TooLong,
    /// A number that is no id.
    NoId,
    /// An address without one.
    NoLink,
    /// Thanks.
    Thanks,
    /// Most likely this, with a slip.
    Near(String),
}

/// Each part by its names, that which we write among them.
const PARTS: [(Part, &[&str]); 6] = [
    (Part::All, &["stats", "statistics", "all", "everything"]),
    (Part::Profile, &["profile", "rank", "medal"]),
    (
        Part::Games,
        &["matches", "games", "last matches", "last games", "last 20", "last 20 matches", "win rate", "winrate"],
    ),
    (Part::Week, &["last week", "week", "this week", "past week", "last 7 days", "weekly"]),
    (Part::Heroes, &["heroes", "hero", "best heroes", "top heroes", "most played heroes", "most played"]),
    (Part::Match, &["last match", "last game", "latest match", "latest game", "match", "game"]),
];

/// What makes no difference beside the name of a part.
const FILLERS: &[&str] =
    &["a", "about", "and", "give", "her", "his", "how", "me", "please", "show", "tell", "the", "their", "was", "what"];

/// What asks for help.
const HELPS: &[&str] = &[
    "help",
    "hi",
    "hello",
    "hello there",
    "hey",
    "good morning",
    "good evening",
    "start",
    "get started",
    "get_started",
    "menu",
    "commands",
];

/// What needs no answer but a kind one.
const THANKS: &[&str] = &["thanks", "thank you", "thx", "many thanks", "thanks a lot", "thank you very much", "cheers"];

/// What the button of these words says, and what nobody is called.
const THIS_IS_ME: &str = "this is me";
const FORGET_ME: &str = "forget me";

impl Part {
    /// Its name, as we write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Part::All => "stats",
            Part::Profile => "profile",
            Part::Games => "matches",
            Part::Week => "last week",
            Part::Heroes => "heroes",
            Part::Match => "last match",
        }
    }

    /// The part of this name.
    pub(super) fn named(name: &str) -> Option<Part> {
        PARTS.iter().find(|(_, names)| names.contains(&name)).map(|(part, _)| *part)
    }

    /// How this part of a player is asked for.
    pub(super) fn of(self, player: u32) -> String {
        match self {
            Part::All => format!("player {player}"),
            part => format!("{} of player {player}", part.name()),
        }
    }
}

/// The wish in a text.
pub(super) fn wish(text: &str) -> Wish {
    let text = text.trim();
    if text.chars().nth(COMMAND_CHARS_MAX).is_some() {
        return Wish::TooLong;
    }
    if let Some(name) = quoted(text) {
        return tell(Part::All, named(name));
    }
    let lower = text.to_lowercase();
    let bare = lower.trim_end_matches(['!', '?', '.', ' ']);
    if HELPS.contains(&bare) || text.bytes().all(|byte| byte.is_ascii_punctuation()) {
        return Wish::Help;
    }
    match bare {
        FORGET_ME | "forget" => return Wish::Forget,
        THIS_IS_ME => return Wish::Bind(Whom::Last),
        "me" | "who am i" => return Wish::Tell(Part::All, Whom::Me),
        _ if THANKS.contains(&bare) => return Wish::Thanks,
        _ => {}
    }
    if let Some(me) = ["me is ", "me: ", "me = ", "me="].into_iter().find_map(|start| behind(start, text)) {
        return bind(me);
    }
    if let Some(id) =
        ["i am ", "i'm "].into_iter().find_map(|start| behind(start, text)).filter(|id| ids::is_digits(id))
    {
        return bind(id);
    }
    let parted = text.split_once(" of ").or_else(|| text.split_once(" for "));
    if let Some(((part, _), who)) = parted.and_then(|(part, who)| Some((self::part(part)?, who))) {
        return tell(part, whom(who));
    }
    match part(text) {
        Some((part, true)) => Wish::Tell(part, Whom::Me),
        Some((part, false)) => Wish::Tell(part, Whom::Last),
        None => match whom(text) {
            Ok(Whom::Name(name)) => near(bare).map_or(Wish::Tell(Part::All, Whom::Name(name)), Wish::Near),
            whom => tell(Part::All, whom),
        },
    }
}

/// What of ours somebody most likely meant: a slip in six letters. Of shorter words too many names are as near.
fn near(text: &str) -> Option<String> {
    let (mine, rest) = bare_part(text);
    let near = |typed: &str, meant: &str| {
        let (typed, letters) = (typed.chars().count(), meant.chars().count());
        typed.abs_diff(letters) * 6 <= letters
    };
    let is_near = |meant: &&str| {
        [rest.as_str(), text].iter().any(|typed| near(typed, meant) && slips(typed, meant) * 6 <= meant.chars().count())
    };
    let known = PARTS.iter().flat_map(|(_, names)| *names).copied().chain([THIS_IS_ME, FORGET_ME]);
    let meant = known.into_iter().find(is_near)?;
    Some(if mine { format!("my {meant}") } else { meant.to_owned() })
}

fn tell(part: Part, whom: Result<Whom, Wish>) -> Wish {
    whom.map_or_else(|wish| wish, |whom| Wish::Tell(part, whom))
}

/// Whoever says who they are, means an id by digits.
fn bind(me: &str) -> Wish {
    match id(me).map_or_else(|| whom(me), |id| Ok(Whom::Id(id))) {
        Ok(Whom::Me | Whom::Last) => Wish::Help,
        Ok(whom) => Wish::Bind(whom),
        Err(wish) => wish,
    }
}

/// The part that a text names and nothing else, and whether it is that of the one who writes.
fn part(text: &str) -> Option<(Part, bool)> {
    let (mine, rest) = bare_part(text);
    Part::named(&rest).map(|part| (part, mine))
}

/// A text without what makes no difference, and whether it is about the one who writes.
fn bare_part(text: &str) -> (bool, String) {
    let lower = text.to_lowercase();
    let (mut mine, mut rest) = (false, String::new());
    for word in lower.split_whitespace().map(|word| word.trim_matches(|sign: char| !sign.is_alphanumeric())) {
        if ["my", "mine"].contains(&word) {
            mine = true;
        } else if !word.is_empty() && !FILLERS.contains(&word) {
            rest.push_str(if rest.is_empty() { "" } else { " " });
            rest.push_str(word);
        }
    }
    (mine, rest)
}

/// Who is meant, or what is to be said instead.
fn whom(text: &str) -> Result<Whom, Wish> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("me") {
        return Ok(Whom::Me);
    }
    if let Some(player) = behind("player ", text) {
        return id(player).map_or_else(|| named(player), |id| Ok(Whom::Id(id)));
    }
    match link(text) {
        Some(id) => Ok(Whom::Id(id)),
        None if is_address(text) => Err(Wish::NoLink),
        None => named(text),
    }
}

/// Whether a text is an address, and nobody's name.
fn is_address(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["http://", "https://", "www."].iter().any(|start| lower.starts_with(start)) || lower.contains("steamcommunity.com")
}

/// The id that a text consists of.
fn id(text: &str) -> Option<u32> {
    let id = text.trim().parse().ok().filter(|_| ids::is_digits(text.trim()))?;
    ids::account(id).or_else(|| ids::of_steam(id))
}

/// The player at whose page somebody copied the address.
fn link(text: &str) -> Option<u32> {
    let rest = ["/players/", "/profiles/"].into_iter().find_map(|step| Some(text.split_once(step)?.1))?;
    id(rest.split(|sign: char| !sign.is_ascii_digit()).next()?)
}

/// A player by name; an id of Steam is nobody's name.
fn named(text: &str) -> Result<Whom, Wish> {
    let text = quoted(text).unwrap_or(text);
    let name = sought(text);
    if ids::is_digits(&name) {
        // What is no number of 63 bits makes their database fail.
        let Ok(number) = name.parse::<i64>().map(i64::unsigned_abs) else { return Err(Wish::NoId) };
        if let Some(account) = ids::of_steam(number) {
            return Ok(Whom::Id(account));
        }
        if ids::account(number).is_some() {
            return Ok(Whom::Name(name));
        }
    }
    if ids::is_odd_number(&name) {
        return Err(Wish::NoId);
    }
    if text.chars().nth(DOTA_NAME_CHARS_MAX).is_some() {
        return Err(Wish::TooLong);
    }
    // To look for wildcards alone would find everybody.
    let plain = name.chars().filter(|sign| !['_', ' '].contains(sign)).count();
    if name.chars().count() < DOTA_NAME_CHARS_MIN || plain < DOTA_NAME_CHARS_MIN - 1 {
        return Err(Wish::TooShort);
    }
    Ok(Whom::Name(name))
}

/// A name as it is looked for. A space matches anything there (opendota.md §4), so it takes the place of signs that
/// mean something else in a pattern; `_` stays, since it is in many names and matches itself, too.
fn sought(text: &str) -> String {
    let plain = |sign: char| if ['%', '\\'].contains(&sign) || sign.is_control() { ' ' } else { sign };
    let text: String = text.chars().map(plain).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is between quotes, when that is all.
fn quoted(text: &str) -> Option<&str> {
    let text = text.trim();
    [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»')]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
        .filter(|inner| !inner.trim().is_empty())
}

/// What stands behind a beginning, which may be written in either case.
fn behind<'t>(start: &str, text: &'t str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest.trim()).filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Whom {
        Whom::Name(name.to_owned())
    }

    #[test]
    fn a_text_is_a_name_an_id_or_a_question() {
        use Part::{All, Games, Heroes, Match, Profile, Week};
        for (text, part, whom) in [
            ("Ada", All, name("Ada")),
            ("  Ünïcødé ☭ 龙 ", All, name("Ünïcødé ☭ 龙")),
            ("☭☭☭", All, name("☭☭☭")),
            ("86745912", All, name("86745912")),
            ("1", All, name("1")),
            ("4294967295", All, name("4294967295")),
            ("76561198047011640", All, Whom::Id(86_745_912)),
            ("player 86745912", All, Whom::Id(86_745_912)),
            ("Player 76561198047011640", All, Whom::Id(86_745_912)),
            ("player heroes", All, name("heroes")),
            ("\"heroes\"", All, name("heroes")),
            ("“last week”", All, name("last week")),
            ("https://www.opendota.com/players/86745912/matches", All, Whom::Id(86_745_912)),
            ("https://steamcommunity.com/profiles/76561198047011640/", All, Whom::Id(86_745_912)),
            ("100% Ada", All, name("100 Ada")),
            ("mid_or_feed", All, name("mid_or_feed")),
            ("me", All, Whom::Me),
            ("ME!", All, Whom::Me),
            ("stats", All, Whom::Last),
            ("my stats", All, Whom::Me),
            ("rank", Profile, Whom::Last),
            ("last week", Week, Whom::Last),
            ("Last week?", Week, Whom::Last),
            ("and his last week", Week, Whom::Last),
            ("my last week", Week, Whom::Me),
            ("show me the heroes please", Heroes, Whom::Last),
            ("last match", Match, Whom::Last),
            ("heroes of Ada", Heroes, name("Ada")),
            ("heroes of me", Heroes, Whom::Me),
            ("last week of player 86745912", Week, Whom::Id(86_745_912)),
            ("matches for 76561198047011640", Games, Whom::Id(86_745_912)),
            ("king of the hill", All, name("king of the hill")),
            ("men", All, name("men")),
        ] {
            assert_eq!(wish(text), Wish::Tell(part, whom), "{text}");
        }
    }

    #[test]
    fn who_somebody_is_may_be_said_in_several_ways() {
        let ada = Whom::Id(86_745_912);
        for text in ["me is 86745912", "Me is 76561198047011640", "me=86745912", "me: player 86745912", "i am 86745912"]
        {
            assert_eq!(wish(text), Wish::Bind(ada.clone()), "{text}");
        }
        assert_eq!(wish("me is Ada"), Wish::Bind(name("Ada")));
        assert_eq!(wish("I am Legend"), Wish::Tell(Part::All, name("I am Legend")));
        assert_eq!(wish("me is me"), Wish::Help);
        assert_eq!(wish("forget me"), Wish::Forget);
    }

    #[test]
    fn what_cannot_be_looked_for_is_not_asked() {
        for text in ["", " ", "?", "%%%", "___", "help", "Hello!", "!!!", "GET_STARTED"] {
            assert_eq!(wish(text), Wish::Help, "{text}");
        }
        for text in ["ab", "龙", "%a%", "a__", "% a %", "\"ab\"", "player x", "0"] {
            assert_eq!(wish(text), Wish::TooShort, "{text}");
        }
        for text in
            ["1e5", "0x10", "1.5", "+5", "-5", "1e5%", "99999999999999999999999", "me is 1e5", "18446744073709551615"]
        {
            assert_eq!(wish(text), Wish::NoId, "{text}");
        }
        for text in ["a".repeat(65), "龙".repeat(1000), "a b ".repeat(10_000)] {
            assert_eq!(wish(&text), Wish::TooLong);
        }
    }

    #[test]
    fn a_slip_in_a_word_of_ours_is_no_name_and_a_name_no_slip() {
        for (text, meant) in [
            ("heros", "heroes"),
            ("Heros?", "heroes"),
            ("show me heros please", "heroes"),
            ("my heros", "my heroes"),
            ("last weak", "last week"),
            ("forgt me", "forget me"),
            ("this is m", "this is me"),
            ("mtaches", "matches"),
        ] {
            assert_eq!(wish(text), Wish::Near(meant.to_owned()), "{text}");
        }
        for text in ["James", "Jack", "Mark", "Dave", "Hector", "Luna", "player heros", "\"heros\"", "Wesley", "Heroic"]
        {
            assert!(matches!(wish(text), Wish::Tell(Part::All, Whom::Name(_))), "{text}");
        }
    }

    #[test]
    fn thanks_and_addresses_are_nobodys_names() {
        for text in ["thanks!", "Thank you", "thx."] {
            assert_eq!(wish(text), Wish::Thanks, "{text}");
        }
        for text in [
            "https://steamcommunity.com/id/ada",
            "steamcommunity.com/id/ada/",
            "HTTP://example.org",
            "me is https://steamcommunity.com/id/ada",
            "heroes of www.opendota.com",
            "https://www.opendota.com/players/0",
        ] {
            assert_eq!(wish(text), Wish::NoLink, "{text}");
        }
        assert_eq!(wish("This is me!"), Wish::Bind(Whom::Last));
    }

    #[test]
    fn what_is_tapped_is_understood_as_it_was_meant() {
        for (part, _) in PARTS {
            assert_eq!(wish(&part.of(7)), Wish::Tell(part, Whom::Id(7)));
            assert_eq!(Part::named(part.name()), Some(part));
        }
    }
}
