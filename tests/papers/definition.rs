//! The command line's own definition: its table of commands and the texts of `--help`, taken apart.
//!
//! A text of `--help` is a synopsis, then paragraphs, lists and examples, each apart by an empty line. Lists and examples
//! stand four columns in; an entry of a list has two spaces or more between its term and what is said of it.

use ackd::cli::args::{COMMANDS, EVERYWHERE};
use ackd::cli::help::Topic;

/// A command, as it is typed and as its help tells it.
pub struct Command {
    pub name: &'static str,
    /// In a few words.
    pub about: String,
    /// The ways to call it, each in one line: `ackd why ID [--config FILE]`.
    pub synopsis: Vec<String>,
    pub parts: Vec<Part>,
    /// Its own, and those of every command.
    pub options: Vec<Opt>,
    /// What its first word may be, where that is one of a few.
    pub actions: Vec<String>,
}

/// A part of a help's text.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    Words(String),
    /// Terms, and what is said of each.
    List(Vec<(String, String)>),
    Example(Vec<String>),
}

/// An option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opt {
    pub long: &'static str,
    pub short: Option<char>,
    /// What stands behind it: FILE, N, PLAN.
    pub value: Option<String>,
    pub about: String,
}

/// All commands, in the order of the table.
pub fn commands() -> Vec<Command> {
    let everywhere = everywhere();
    let tried = parts(Topic::Try.text());
    let command = |&(name, topic, own): &(&'static str, Topic, &[&'static str])| {
        let text = topic.text();
        let (synopsis, parts) = (synopsis(text), parts(text));
        let mut options: Vec<Opt> = own
            .iter()
            .map(|&long| Opt {
                long,
                short: None,
                value: value(&synopsis, long),
                // What the help of one command leaves to that of another stands there.
                about: about(&parts, long).or_else(|| about(&tried, long)).unwrap_or_default(),
            })
            .collect();
        options.extend(everywhere.iter().cloned());
        let actions = actions(name, &synopsis);
        Command { name, about: short(name), synopsis, parts, options, actions }
    };
    COMMANDS.iter().map(command).collect()
}

/// The options that every command has.
pub fn everywhere() -> Vec<Opt> {
    let parts = parts(Topic::Overview.text());
    let option = |long: &&'static str| {
        let (term, about) = entry(&parts, long)?;
        let short = term.strip_prefix('-').and_then(|term| term.chars().next()).filter(|letter| *letter != '-');
        let value = term.rsplit(' ').next().filter(|word| !word.starts_with('-')).map(str::to_owned);
        Some(Opt { long, short, value, about: about.to_owned() })
    };
    EVERYWHERE.iter().filter_map(option).collect()
}

/// What a line that begins with these words says, in the overview.
pub fn overview(begins: &str) -> String {
    let line = Topic::Overview.text().lines().find_map(|line| line.strip_prefix(begins));
    line.unwrap_or_default().trim().to_owned()
}

/// What the overview says of a command, which is at column 34, behind it or below.
fn short(name: &str) -> String {
    let lines: Vec<&str> = Topic::Overview.text().lines().collect();
    let of_it =
        |line: &&str| line.trim_start().strip_prefix("ackd ").is_some_and(|rest| rest.split(' ').next() == Some(name));
    let Some(at) = lines.iter().position(of_it) else { return String::new() };
    let first = lines[at].trim_start().split_once("  ").map_or("", |(_, about)| about);
    let more = lines[at + 1..].iter().take_while(|line| line.starts_with("        "));
    join(std::iter::once(first).chain(more.copied()))
}

/// The first paragraph, with each way to call the command in one line.
fn synopsis(text: &str) -> Vec<String> {
    let mut ways: Vec<String> = Vec::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        match ways.last_mut() {
            Some(way) if line.starts_with(' ') => *way = format!("{way} {}", line.trim()),
            _ => ways.push(line.to_owned()),
        }
    }
    ways
}

/// What follows the synopsis.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut block: Vec<&str> = Vec::new();
    for line in text.lines().skip_while(|line| !line.is_empty()).chain([""]) {
        let turns = block.last().is_some_and(|before| before.starts_with("    ") != line.starts_with("    "));
        if !block.is_empty() && (line.is_empty() || turns) {
            parts.push(part(&std::mem::take(&mut block)));
        }
        if !line.is_empty() {
            block.push(line);
        }
    }
    parts
}

fn part(block: &[&str]) -> Part {
    if !block[0].starts_with("    ") {
        return Part::Words(join(block.iter().copied()));
    }
    if !block[0].trim_start().contains("  ") {
        return Part::Example(block.iter().map(|line| line[4..].to_owned()).collect());
    }
    let mut list: Vec<(String, String)> = Vec::new();
    for line in block {
        let line = &line[4..];
        match (line.starts_with(' '), line.split_once("  "), list.last_mut()) {
            (false, Some((term, about)), _) => list.push((term.to_owned(), about.trim().to_owned())),
            (_, _, Some((_, about))) => *about = format!("{about} {}", line.trim()),
            (_, _, None) => {}
        }
    }
    Part::List(list)
}

/// The entry of a list that has this option in its term.
fn entry<'a>(parts: &'a [Part], long: &str) -> Option<(&'a str, &'a str)> {
    let option = format!("--{long}");
    let lists = parts.iter().filter_map(|part| if let Part::List(list) = part { Some(list) } else { None });
    let mut entries = lists.flatten().map(|(term, about)| (term.as_str(), about.as_str()));
    entries.find(|(term, _)| term.split([' ', ',']).any(|word| word == option))
}

/// What is said of an option, unless it is said elsewhere.
fn about(parts: &[Part], long: &str) -> Option<String> {
    entry(parts, long).map(|(_, about)| about.to_owned()).filter(|about| !about.starts_with("as with "))
}

/// What stands behind an option in the synopsis.
fn value(synopsis: &[String], long: &str) -> Option<String> {
    let option = format!("[--{long} ");
    let (_, rest) = synopsis.iter().find_map(|way| way.split_once(&option))?;
    rest.split_once(']').map(|(value, _)| value.to_owned())
}

/// The words that may come first: `list|create|sync|delete`, or one small word in each line.
fn actions(name: &str, synopsis: &[String]) -> Vec<String> {
    let lead = format!("ackd {name} ");
    let firsts = synopsis.iter().filter_map(|way| way.strip_prefix(&lead)?.split(' ').next());
    let small = |word: &&str| word.chars().all(|sign| sign.is_ascii_lowercase() || sign == '|');
    firsts.filter(small).flat_map(|word| word.split('|')).map(str::to_owned).collect()
}

fn join<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
