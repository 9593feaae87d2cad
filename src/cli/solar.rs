//! `ackd solar`: whom the solar bot tells of which system.
//!
//!     invite    makes a code that opens one system to whoever writes it to the bot first
//!     people    who has been let in, and which codes are still open
//!     remove    lets somebody out, or makes a code good for nothing

use super::args::SolarAction;
use super::keepsake::Keepsake;
use super::show::{second, shown};
use super::{CliError, World};
use crate::bot::solar::{INVITATIONS, Invite, PEOPLE, draw, invitation};
use crate::config::{Outline, quoted};
use crate::limits::{PREVIEW_CHARS_MAX, SOLAR_INVITE_KNOWN, SOLAR_LISTED_MAX, SOLAR_REMOVED_KNOWN};
use crate::model::Secret;
use crate::notation::nearest::nearest;
use crate::store::sqlite::Reader;
use std::io::Write;
use std::time::Duration;

/// Does it for the solar bot of this name, or for the only one. `chance` gives 64 random bits, if the system has any.
pub fn solar(
    config: &Outline,
    bot: Option<&str>,
    action: &SolarAction,
    chance: &dyn Fn() -> Option<u64>,
    world: &World<'_>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let bot = named(config, bot)?;
    match action {
        SolarAction::Invite { system, days } => invite(config, bot, (*system, *days), chance, world, out),
        SolarAction::People => people(config, bot, world, out),
        SolarAction::Remove { who } => remove(config, bot, who, world, out),
    }
}

/// The bot that is meant.
fn named<'c>(config: &'c Outline, name: Option<&str>) -> Result<&'c str, CliError> {
    let solar: Vec<_> = config.bots.iter().filter(|bot| bot.kind == "solar").map(|bot| bot.name.as_str()).collect();
    let usage = |what: String| Err(CliError::Usage(what));
    match (name, solar.as_slice()) {
        (_, []) => usage("there is no solar bot; write a table [bot.sun] with kind = \"solar\"".to_owned()),
        (None, [only]) => Ok(only),
        (None, several) => usage(format!("there are {}; say which with --bot NAME", several.join(", "))),
        (Some(name), known) => match known.iter().find(|known| **known == name) {
            Some(found) => Ok(found),
            None => {
                let hint = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("there is {}", known.join(", ")),
                };
                usage(format!("there is no solar bot {}; {hint}", quoted(name)))
            }
        },
    }
}

fn invite(
    config: &Outline,
    bot: &str,
    (system, days): (u64, u32),
    chance: &dyn Fn() -> Option<u64>,
    world: &World<'_>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    // One that can be guessed is worse than none.
    let drawn = chance().ok_or_else(|| CliError::Failed("the system gives no random numbers".to_owned()))?;
    let code = draw(drawn);
    let until = (world.clock)().after(Duration::from_secs(u64::from(days) * 24 * 3600));
    let value = serde_json::to_string(&Invite { system, until })
        .map_err(|error| CliError::Failed(format!("writing the invitation: {error}")))?;
    let (key, value, expires) = (invitation(&code), Secret::new(value), Some(until.after(SOLAR_INVITE_KNOWN)));
    Keepsake { bot, key: &key, value: &value, expires }.keep(&config.store, world)?;
    writeln!(out, "{code}\n")?;
    writeln!(out, "Whoever writes this code to bot {bot} first is told of system {system} from then on.")?;
    writeln!(out, "It opens once, and until {}.", second(until, &world.zone))?;
    Ok(())
}

/// Writes over what the bot remembers of `who`, and lets it be forgotten.
fn remove(config: &Outline, bot: &str, who: &str, world: &World<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let (reader, now) = (Reader::open(&config.store)?, (world.clock)());
    let known = |prefix: &str, key: &str| -> Result<bool, CliError> {
        Ok(reader.recall_all(bot, prefix, now, SOLAR_LISTED_MAX)?.iter().any(|(known, _)| known == key))
    };
    let (person, code) = (format!("{PEOPLE}{who}"), invitation(who));
    let (key, value, said) = if known(PEOPLE, &person)? {
        (person, "[]", "is told nothing more")
    } else if known(INVITATIONS, &code)? {
        (code, r#"{"system":0,"until":0}"#, "opens nothing any more")
    } else {
        let what = format!("bot {bot} knows no {}; `ackd solar people` lists whom it knows", quoted(who));
        return Err(CliError::Failed(what));
    };
    let (value, expires) = (Secret::new(value.to_owned()), Some(now.after(SOLAR_REMOVED_KNOWN)));
    Keepsake { bot, key: &key, value: &value, expires }.keep(&config.store, world)?;
    writeln!(out, "{} {said}", shown(who, PREVIEW_CHARS_MAX))?;
    Ok(())
}

fn people(config: &Outline, bot: &str, world: &World<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let (reader, now) = (Reader::open(&config.store)?, (world.clock)());
    let mut rows = Vec::new();
    for (key, value) in reader.recall_all(bot, PEOPLE, now, SOLAR_LISTED_MAX)? {
        let systems: Vec<u64> = serde_json::from_slice(&value).unwrap_or_default();
        if systems.is_empty() {
            continue;
        }
        let systems = systems.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let who = key.strip_prefix(PEOPLE).unwrap_or(&key);
        rows.push((shown(who, PREVIEW_CHARS_MAX).into_owned(), systems));
    }
    for (key, value) in reader.recall_all(bot, INVITATIONS, now, SOLAR_LISTED_MAX)? {
        let Ok(invite) = serde_json::from_slice::<Invite>(&value) else { continue };
        if invite.until > now {
            let code = key.strip_prefix(INVITATIONS).unwrap_or(&key);
            let until = second(invite.until, &world.zone);
            rows.push((shown(code, PREVIEW_CHARS_MAX).into_owned(), format!("{}, open until {until}", invite.system)));
        }
    }
    if rows.is_empty() {
        writeln!(out, "Bot {bot} tells nobody yet; `ackd solar invite SYSTEM` makes a code.")?;
    }
    let width = rows.iter().map(|(who, _)| who.chars().count()).max().unwrap_or(0);
    for (who, what) in rows {
        writeln!(out, "{who:width$}  {what}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Folder, told, world};
    use super::*;

    fn outline(folder: &Folder, bots: &[&str]) -> Outline {
        let mut text = "listen = \"127.0.0.1:3000\"\n[bot.echo]\nkind = \"echo\"\n[upstream.enphase]\n\
                        api = \"https://e.example\"\nunlimited = true\n[channel.page]\nplatform = \"messenger\"\n\
                        path = \"/page\"\nbot = \"echo\"\nverify_token = { env = \"UNSET\" }\n\
                        app_secret = { env = \"UNSET\" }\naccess_token = { env = \"UNSET\" }\n"
            .to_owned();
        for bot in bots {
            text.push_str(&format!("[bot.{bot}]\nkind = \"solar\"\nupstream = \"enphase\"\n"));
        }
        Outline::parse(&text, &folder.0.join("ackd.toml"), &|_| None).unwrap()
    }

    fn say(folder: &Folder, bots: &[&str], name: Option<&str>, action: &SolarAction) -> Result<String, String> {
        let chance = || Some(0x0123_4567_89ab_cdef);
        let said = told(|out| solar(&outline(folder, bots), name, action, &chance, &world(), out));
        said.map_err(|error| error.to_string())
    }

    const INVITE: SolarAction = SolarAction::Invite { system: 67, days: 7 };

    #[test]
    fn the_bot_is_the_only_one_or_is_named() {
        let folder = Folder::new("solar-named");
        folder.make();
        let none = "there is no solar bot; write a table [bot.sun] with kind = \"solar\"";
        assert_eq!(say(&folder, &[], Some("echo"), &INVITE), Err(none.to_owned()));
        let two = ["roof", "sun"];
        let which = "there are roof, sun; say which with --bot NAME";
        assert_eq!(say(&folder, &two, None, &INVITE), Err(which.to_owned()));
        let near = "there is no solar bot \"snu\"; did you mean sun?";
        assert_eq!(say(&folder, &two, Some("snu"), &INVITE), Err(near.to_owned()));
        let other = "there is no solar bot \"echo\"; there is roof, sun";
        assert_eq!(say(&folder, &two, Some("echo"), &INVITE), Err(other.to_owned()));
        assert!(say(&folder, &two, Some("sun"), &INVITE).unwrap().contains("bot sun first"));
        assert!(say(&folder, &["roof"], None, &INVITE).unwrap().contains("bot roof first"));
    }

    #[test]
    fn a_code_that_could_be_guessed_is_not_made() {
        let folder = Folder::new("solar-chance");
        folder.make();
        let config = outline(&folder, &["sun"]);
        let said = told(|out| solar(&config, None, &INVITE, &|| None, &world(), out));
        assert_eq!(said, Err(CliError::Failed("the system gives no random numbers".to_owned())));
        assert!(say(&folder, &["sun"], None, &SolarAction::People).unwrap().starts_with("Bot sun tells nobody yet"));
    }

    #[test]
    fn people_and_open_codes_are_listed_and_old_codes_are_not() {
        use crate::bot::solar::binding;
        use crate::model::{MemoryWrite, Moment};
        use crate::store::Store;
        let folder = Folder::new("solar-people");
        folder.with(|store, _| {
            let mut remember = |key: String, value: &str| {
                let value = Some(value.as_bytes().to_vec());
                store.remember(&MemoryWrite { bot: "sun".to_owned(), key, value, expires: None }).unwrap();
            };
            remember(binding("page", "2468"), "[67,68]");
            remember(binding("page", "2469\u{1b}[2J"), "[67]");
            remember(
                invitation("SUN-AAAA-AAAA"),
                &serde_json::to_string(&Invite { system: 67, until: Moment(0) }).unwrap(),
            );
        });
        say(&folder, &["sun"], None, &INVITE).unwrap();
        let code = draw(0x0123_4567_89ab_cdef);
        let text = format!(
            "page/2468           67, 68\npage/2469\\u{{1b}}[2J  67\n{code}       67, open until 2027-01-22 08:00:00\n"
        );
        assert_eq!(say(&folder, &["sun"], None, &SolarAction::People), Ok(text));

        let remove = |who: &str| say(&folder, &["sun"], None, &SolarAction::Remove { who: who.to_owned() });
        assert_eq!(remove("page/2468"), Ok("page/2468 is told nothing more\n".to_owned()));
        assert_eq!(remove(&code), Ok(format!("{code} opens nothing any more\n")));
        let nobody = "bot sun knows no \"page/2\"; `ackd solar people` lists whom it knows";
        assert_eq!(remove("page/2"), Err(nobody.to_owned()));
        let left = "page/2469\\u{1b}[2J  67\n".to_owned();
        assert_eq!(say(&folder, &["sun"], None, &SolarAction::People), Ok(left));
    }
}
