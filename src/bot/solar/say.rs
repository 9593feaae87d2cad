//! The bot's sentences. Pure: what is known comes in, and words go out; what is not known is said to be so.

use super::ask::Site;
use super::enphase::{Summary, Trouble};
use super::pace::Gap;
use super::sums::{Bar, Sum, percent};
use super::sun::timestamp;
use super::words::Time;
use crate::bot::figures::{ago, grouped};
use crate::limits::{SOLAR_AGE_TOLD, SOLAR_SILENCE, SOLAR_TIMES_MAX};
use crate::model::Moment;
use crate::notation::days::{self, month, short, short_day, weekday};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What the same day of the last week says about today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastWeek {
    Unknown,
    /// What it had produced by this time of the day.
    ByNow(u64),
    /// What it produced in all.
    InAll(u64),
}

/// How numbers are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    /// The Wh from which kWh are written.
    pub(super) kilowatts_from: u64,
}

impl Units {
    /// An energy with its unit.
    pub(super) fn energy(self, wh: u64) -> String {
        if wh < self.kilowatts_from { format!("{} Wh", grouped(wh)) } else { format!("{} kWh", kilo(wh)) }
    }
}

/// Thousands with one decimal, rounded.
fn kilo(wh: u64) -> String {
    let tenths = wh.saturating_add(50) / 100;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

/// What a system does now and did today.
pub(super) fn today(site: &Site, fresh: (Option<&Summary>, Option<&Trouble>), last: LastWeek, units: Units) -> String {
    let (summary, trouble) = fresh;
    let Some(summary) = summary else {
        return with_trouble("I do not know what was produced today.".to_owned(), site, trouble);
    };
    let dark = !site.sun.is_at(site.now) && summary.power_w.unwrap_or(0) == 0;
    let since_dusk = summary.at >= site.sun.last_dusk(site.now);
    if summary.date.as_deref() != Some(site.today.to_string().as_str()) {
        if dark && since_dusk && site.is_before_dawn() && trouble.is_none() {
            return "The sun is not up yet; nothing was produced today.".to_owned();
        }
        return with_trouble(not_today(site, summary, units), site, trouble);
    }
    let night = dark && site.is_before_dawn();
    // Whose last report is of yesterday says 0 for today, and knows nothing of it.
    let unheard = !night && summary.today_wh == Some(0) && !is_of_today(site, summary.as_of());
    let mut text = match summary.today_wh {
        _ if unheard => "I know nothing of today yet.".to_owned(),
        None => format!("Enphase does not say how much was produced today.{}", power(summary)),
        Some(0) if night => "The sun is not up yet; nothing was produced today.".to_owned(),
        Some(0) if dark => "The sun is down; nothing was produced today.".to_owned(),
        Some(wh) if dark => format!("The sun is down; today {} were produced.", units.energy(wh)),
        Some(0) if summary.power_w.unwrap_or(0) == 0 => "Nothing was produced yet today.".to_owned(),
        Some(wh) => format!("{} were produced today.{}", units.energy(wh), power(summary)),
    };
    if let Some(wh) = summary.today_wh.filter(|_| !night && !unheard) {
        text.push_str(&comparison(site, wh, last, units));
    }
    if !(dark && since_dusk) {
        text.push_str(&age(site, summary, trouble.is_some()));
    }
    with_trouble(text, site, trouble)
}

/// Whether a moment is of the site's today.
fn is_of_today(site: &Site, moment: Moment) -> bool {
    timestamp(moment).to_zoned(site.zone.clone()).date() == site.today
}

/// The power, if it is known.
fn power(summary: &Summary) -> String {
    summary.power_w.map_or_else(String::new, |power| format!(" {} W this moment.", grouped(power)))
}

/// What can be said when the newest summary is of an earlier day.
fn not_today(site: &Site, summary: &Summary, units: Units) -> String {
    let day = summary.date.as_deref().and_then(|date| date.parse::<Date>().ok());
    match day.zip(summary.today_wh) {
        Some((day, wh)) => format!(
            "I know nothing of today yet. The last I know is of {}: {} by {}.",
            day_name(day, site.today),
            units.energy(wh),
            clock(summary.as_of(), &site.zone)
        ),
        None => "I know nothing of today yet.".to_owned(),
    }
}

/// Today beside the same day of the last week.
fn comparison(site: &Site, wh: u64, last: LastWeek, units: Units) -> String {
    let day = format!("last {}", weekday(site.today));
    let (that, by) = match last {
        LastWeek::Unknown => return String::new(),
        LastWeek::ByNow(0) if wh == 0 => return String::new(),
        LastWeek::ByNow(that) => (that, " by this time"),
        LastWeek::InAll(that) if !site.sun.is_at(site.now) => (that, ""),
        LastWeek::InAll(that) => return format!(" {} made {} in all.", capital(&day), units.energy(that)),
    };
    match percent(wh, that) {
        None => format!(" Nothing was produced {day}{by}."),
        Some(0) => format!(" That is as much as {day}{by}."),
        Some(more @ 1..1000) => format!(" That is {more} % more than {day}{by}."),
        Some(less @ ..0) => format!(" That is {} % less than {day}{by}.", less.unsigned_abs()),
        Some(_) => format!(" {} made only {}{by}.", capital(&day), units.energy(that)),
    }
}

fn capital(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}

/// How old a figure is, when that matters; and whether the system itself has fallen silent.
fn age(site: &Site, summary: &Summary, always: bool) -> String {
    let silent = summary.reported.filter(|reported| summary.at.since(*reported) >= SOLAR_SILENCE);
    if let Some(reported) = silent.filter(|_| site.sun.is_at(site.now)) {
        return format!(" The last report came {}: look at the gateway.", ago(site.now.since(reported)));
    }
    let as_of = summary.as_of();
    let age = site.now.since(as_of);
    if age <= SOLAR_AGE_TOLD && !always {
        return String::new();
    }
    format!(" (as of {}, {})", clock(as_of, &site.zone), ago(age))
}

/// The time on a system's clock.
fn clock(at: Moment, zone: &TimeZone) -> String {
    days::clock(zone.to_datetime(timestamp(at)).time())
}

/// A day with its weekday, and its year when that is not this one.
fn day_name(day: Date, today: Date) -> String {
    let name = format!("{} {} {}", weekday(day), day.day(), month(day));
    if day.year() == today.year() { name } else { format!("{name} {}", day.year()) }
}

/// One day that is over.
pub(super) fn day(site: &Site, time: Time, bars: &[Bar], trouble: Option<&Trouble>, units: Units) -> String {
    let text = match (time, bars) {
        (Time::Day(day), _) if day > site.today => format!("{} has not come yet.", day_name(day, site.today)),
        (Time::Day(day), []) => format!("The system was not running yet on {}.", day_name(day, site.today)),
        (_, []) => "The system was not running yet yesterday.".to_owned(),
        (time, [bar, ..]) => {
            let name = match time {
                Time::Day(day) => format!("on {}", day_name(day, site.today)),
                _ => "yesterday".to_owned(),
            };
            match bar.wh {
                None => format!("I do not know what was produced {name}: it was not reported."),
                Some(0) => format!("Nothing was produced {name}."),
                Some(wh) => format!("{} were produced {name}.", units.energy(wh)),
            }
        }
    };
    with_trouble(text, site, trouble)
}

/// A week, month or year.
pub(super) fn sum(site: &Site, time: Time, bars: &[Bar], sum: &Sum, trouble: Option<&Trouble>, units: Units) -> String {
    let (name, week) = match time {
        Time::ThisWeek => ("this week so far", true),
        Time::LastWeek => ("last week", true),
        Time::ThisMonth => ("this month so far", false),
        Time::LastMonth => ("last month", false),
        Time::ThisYear => ("this year so far", false),
        _ => ("last year", false),
    };
    let any = bars.iter().any(|bar| bar.wh.is_some());
    let mut text = match (any, bars.is_empty()) {
        (_, true) => format!("The system was not running yet {}.", name.trim_end_matches(" so far")),
        (false, _) => format!("I do not know what was produced {name}."),
        (true, _) if sum.wh == 0 => format!("Nothing was produced {name}."),
        (true, _) => format!("{} were produced {name}.", units.energy(sum.wh)),
    };
    if any && sum.wh > 0 && week {
        text.push_str(&format!(" {}", by_day(bars)));
    } else if any && sum.known > 1 && sum.wh > 0 {
        text.push_str(&format!(" On average {} a day", units.energy(sum.known_wh / sum.known)));
        if let Some((best, wh)) = sum.best {
            text.push_str(&format!(", most on {}: {}", short_day(best), units.energy(wh)));
        }
        text.push('.');
        text.push_str(&dark_days(sum.zero));
    }
    if any {
        text.push_str(&missing(&sum.missing));
    }
    with_trouble(text, site, trouble)
}

fn dark_days(zero: u64) -> String {
    match zero {
        0 => String::new(),
        1 => " On one day nothing was produced.".to_owned(),
        days => format!(" On {days} days nothing was produced."),
    }
}

/// Each day of a week, as its chart shows it.
fn by_day(bars: &[Bar]) -> String {
    let day = |bar: &Bar| {
        let value = bar.wh.map_or_else(|| "?".to_owned(), kilo);
        let so_far = if bar.under_way && bar.wh.is_some() { " so far" } else { "" };
        format!("{} {value}{so_far}", short(weekday(bar.date)))
    };
    format!("In kWh: {}.", bars.iter().map(day).collect::<Vec<_>>().join(", "))
}

/// Days of which nothing is known, by name when they are few.
fn missing(days: &[Date]) -> String {
    match days {
        [] => String::new(),
        [day] => format!(" One day is missing: {}.", short_day(*day)),
        [.., _] if days.len() <= 4 => {
            let names = days.iter().map(|day| short_day(*day)).collect::<Vec<_>>().join(", ");
            format!(" {} days are missing: {names}.", days.len())
        }
        _ => format!(" {} days are missing.", days.len()),
    }
}

/// All that a system ever produced.
pub(super) fn lifetime(site: &Site, fresh: (Option<&Summary>, Option<&Trouble>), units: Units) -> String {
    let (summary, trouble) = fresh;
    let known = summary.and_then(|summary| Some((summary, summary.before_wh.filter(|wh| *wh > 0)?)));
    let text = match known {
        Some((summary, before)) => {
            // The total is without the day of the summary (enphase.md §2).
            let total = before.saturating_add(summary.today_wh.unwrap_or(0));
            let age = if trouble.is_some() { age(site, summary, true) } else { String::new() };
            format!("{} were produced in all.{age}", units.energy(total))
        }
        None => "I do not know what was produced in all.".to_owned(),
    };
    with_trouble(text, site, trouble)
}

/// The same text, and why it is not better.
fn with_trouble(text: String, site: &Site, trouble: Option<&Trouble>) -> String {
    let why = match trouble {
        None => return text,
        Some(Trouble::NotBefore(moment)) => {
            let clock = clock(*moment, &site.zone);
            let day = super::sun::date(*moment, &site.zone);
            let when = if day == site.today { clock } else { format!("{clock} on {}", short_day(day)) };
            format!("I may not ask Enphase again before {when}.")
        }
        Some(Trouble::Silent) => "Enphase gives no answer at the moment.".to_owned(),
        Some(Trouble::LoggedOut) => {
            "I am not allowed to look at Enphase any more; the operator has been told.".to_owned()
        }
        Some(Trouble::Forbidden) => "Enphase does not let me look at this system; please tell the operator.".to_owned(),
        Some(Trouble::Unknown) => "Enphase does not know this system; please tell the operator.".to_owned(),
        Some(Trouble::Refused(why)) => format!("Enphase refused to tell: {}.", why.trim_end_matches('.')),
    };
    format!("{text} {why}")
}

/// How new figures are, as far as it can be promised.
pub(super) fn promise(bound: Option<Gap>) -> String {
    match bound {
        Some(Gap::Minutes(minutes @ ..=180)) => format!("In daylight I look at least every {minutes} minutes."),
        Some(Gap::Minutes(minutes)) => format!("In daylight I look at least every {} hours.", minutes.div_ceil(60)),
        Some(Gap::Days(1)) => "I look once a day.".to_owned(),
        Some(Gap::Days(days)) => format!("I look every {days} days."),
        None => "This month I cannot look any more by myself.".to_owned(),
    }
}

/// What can be asked.
/// When somebody asks for more than is told at once.
pub(super) fn too_many() -> String {
    format!("That is much at once; ask for up to {SOLAR_TIMES_MAX} days or spans in one message.")
}

pub(super) const HELP: &str = "Ask me: now, today, yesterday, this week, last week, this month, last month, this year, \
     last year, lifetime, or a date such as 2026-06-21. \"subscribe 11:00\" lets me tell you every day, \"when?\" says when, \
     and \"stop\" ends it. \"leave\" makes me forget you. In a room with others, everybody there reads my answers.";

/// What strangers read, whatever they ask.
pub(super) const STRANGER: &str = "Hello! I tell people how much their solar panels produce. Please send me the code \
     that you were given; it begins with SUN.";
