//! The solar bot: tells people how much their solar panels produce, when they ask and once a day of its own accord.
//!
//!     words      what somebody wants to know           people     who may know of which system
//!     ask        readings, as new as calls allow       archive    what is remembered of them
//!     enphase    paths out, readings in                sums       spans of days
//!     poll       looking of our own accord             pace, sun  how often, and when there is daylight
//!     say        sentences                             picture    days as a chart
//!
//! A figure that is not known is never told as zero, and one that could not be renewed is told with its age. Calls of
//! the upstream are scarce (1,000 a month: enphase.md §6), so what was answered once is not asked for again.

mod archive;
mod ask;
mod enphase;
mod pace;
mod people;
mod picture;
mod poll;
mod say;
mod sums;
mod sun;
#[cfg(test)]
mod tests;
mod words;

pub use enphase::Shape;
pub use people::{INVITATIONS, Invite, PEOPLE, binding, draw, invitation};
pub use sums::Bar;

use super::{Bot, BotFault, Desk, subscription};
use crate::limits::{SOLAR_FRESH, SOLAR_SYSTEMS_MAX, SOLAR_YEARS_BACK};
use crate::model::{CONFIGURED, Content, Event, EventKind, Purpose, QuickReply, Reply};
use crate::notation::counted::counted;
use ask::Site;
use people::Redeemed;
use say::{LastWeek, Units};
use std::time::Duration;
use words::{Time, Wish};

/// What a subscription asks, in the words of a person.
const DAILY: &str = "today";
/// What can be tapped below an answer.
const CHOICES: [&str; 5] = ["Today", "Yesterday", "This week", "Last month", "Subscribe 11:00"];
/// What can be tapped below a daily message: on Messenger it lets us write for another day (messenger.md §9).
const AGAIN: &str = "Tomorrow again";

/// What the configuration says of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The upstream to ask, by its name in the configuration.
    pub upstream: String,
    pub shape: Shape,
    /// The Wh from which kWh are written.
    pub kilowatts_from: u64,
    /// How old figures may get in daylight, as far as the calls allow.
    pub age: Duration,
}

/// Tells people what their panels produce.
#[derive(Clone, Debug)]
pub struct Solar {
    set: Settings,
}

/// One system's answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub text: String,
    /// The same as a chart, where there are days to show.
    pub chart: Option<Chart>,
}

/// The days of a week, a month or a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The system's name.
    pub system: String,
    pub bars: Vec<Bar>,
}

impl Bot for Solar {
    fn hear(&self, event: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        match &event.kind {
            EventKind::Alarm { name, .. } => match poll::system(name) {
                Some(system) => poll::ring(&self.set, desk, system, &event.id.channel).map(|()| Vec::new()),
                None => self.daily(event, desk),
            },
            EventKind::Joined => self.hear_words(event, "help", desk),
            kind => kind.words().map_or(Ok(Vec::new()), |words| self.hear_words(event, words, desk)),
        }
    }
}

impl Solar {
    pub fn new(set: Settings) -> Solar {
        Solar { set }
    }

    fn units(&self) -> Units {
        Units { kilowatts_from: self.set.kilowatts_from }
    }

    fn hear_words(&self, event: &Event, text: &str, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let who = people::who(event);
        if let Some(code) = people::code(text) {
            return self.redeem(event, &who, &code, desk);
        }
        let systems = people::systems(desk, &who)?;
        if systems.is_empty() {
            return Ok(vec![Reply::text(&event.conversation, say::STRANGER)]);
        }
        archive::expect(desk, &systems)?;
        for system in &systems {
            people::enlist(desk, &who, *system)?;
            poll::ensure(&self.set, desk, *system, &event.id.channel)?;
        }
        let sites = self.sites(&systems, desk)?;
        let zone = sites.first().and_then(|site| site.zone.iana_name()).unwrap_or("UTC");
        if let Some(words) = subscription::parse(text, zone) {
            return subscription::handle(words, event, DAILY, "subscribe 11:00", desk);
        }
        let (sites, wish) = choose(sites, &words::words(text));
        let said = match wish {
            Wish::Tell(times) => return self.tell(event, &sites, &times, desk),
            Wish::TooMany => menu(event, say::too_many()),
            Wish::NoDate(date) => menu(event, format!("There is no day {date}; write it as in 2026-06-21.")),
            Wish::Help => menu(event, help(&sites)),
            Wish::Unclear => menu(event, format!("I did not understand that. {}", help(&sites))),
            Wish::Tomorrow => Reply::text(&event.conversation, "See you tomorrow."),
            Wish::Leave => {
                people::leave(desk, &who)?;
                desk.cancel_alarm(subscription::NAME)?;
                Reply::text(&event.conversation, "I have forgotten you. A new code would bring me back.")
            }
        };
        Ok(vec![said])
    }

    fn sites(&self, systems: &[u64], desk: &mut dyn Desk) -> Result<Vec<Site>, BotFault> {
        systems.iter().map(|system| ask::site(&self.set, desk, *system)).collect()
    }

    fn redeem(&self, event: &Event, who: &str, code: &str, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let text = match people::redeem(desk, who, code)? {
            Redeemed::Welcome(system) => {
                people::enlist(desk, who, system)?;
                poll::ensure(&self.set, desk, system, &event.id.channel)?;
                let site = ask::site(&self.set, desk, system)?;
                let welcome = format!("Welcome! From now on I tell you about {}.", site.name);
                return Ok(vec![menu(event, format!("{welcome} {}", help(&[site])))]);
            }
            Redeemed::Already(system) => {
                let site = ask::site(&self.set, desk, system)?;
                return Ok(vec![menu(event, format!("I tell you about {} already. {}", site.name, say::HELP))]);
            }
            Redeemed::Expired => "This code is too old; please ask for a new one.".to_owned(),
            Redeemed::Wrong => {
                "I do not know this code, or it was used already: it opens only once. Please look at it again."
                    .to_owned()
            }
            Redeemed::Enough => "You have as many systems as I can tell one person about.".to_owned(),
            Redeemed::NotBefore(moment) => {
                let minutes = moment.since(desk.now()).as_secs().div_ceil(60);
                format!("Those were too many wrong codes. Please try again in {}.", counted(minutes, "minute"))
            }
        };
        Ok(vec![Reply::text(&event.conversation, text)])
    }

    /// What is said every day of our own accord.
    fn daily(&self, event: &Event, desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let EventKind::Alarm { name, note, .. } = &event.kind else { return Ok(Vec::new()) };
        let who = people::who(event);
        let mut systems = people::systems(desk, &who)?;
        if name.starts_with(CONFIGURED) {
            // Whoever writes the configuration may let anybody hear of a system, by its number.
            let named = words::words(note).into_iter().filter_map(|word| word.parse::<u64>().ok());
            systems.extend(named.take(SOLAR_SYSTEMS_MAX));
        }
        if systems.is_empty() {
            desk.cancel_alarm(subscription::NAME)?;
            return Ok(Vec::new());
        }
        archive::expect(desk, &systems)?;
        for system in &systems {
            people::enlist(desk, &who, *system)?;
            poll::ensure(&self.set, desk, *system, &event.id.channel)?;
        }
        let times = match words::wish(&words::words(note)) {
            Wish::Tell(times) => times,
            _ => vec![Time::Today],
        };
        let sites = self.sites(&systems, desk)?;
        let mut replies = self.tell(event, &sites, &times, desk)?;
        for reply in &mut replies {
            reply.purpose = Purpose::Push;
            if let Content::Text { quick_replies, .. } = &mut reply.content {
                *quick_replies = vec![QuickReply { title: AGAIN.to_owned(), payload: AGAIN.to_owned() }];
            }
        }
        Ok(replies)
    }

    /// Tells all of these systems at all of these times, in one message; each further chart is one more.
    fn tell(&self, event: &Event, sites: &[Site], times: &[Time], desk: &mut dyn Desk) -> Result<Vec<Reply>, BotFault> {
        let mut told = Vec::new();
        for site in sites {
            for time in times {
                let mut one = self.tell_one(site, *time, desk)?;
                if sites.len() > 1 {
                    one.text = format!("{}: {}", site.name, one.text);
                }
                told.push(one);
            }
        }
        let said = |content| Reply { content, ..Reply::text(&event.conversation, "") };
        Ok(contents(&told).into_iter().map(said).collect())
    }

    fn tell_one(&self, site: &Site, time: Time, desk: &mut dyn Desk) -> Result<Told, BotFault> {
        let (set, units) = (&self.set, self.units());
        let plain = |text| Told { text, chart: None };
        let time = if time == Time::Day(site.today) { Time::Today } else { time };
        match time {
            Time::Now | Time::Today => {
                let (summary, trouble) = ask::summary(set, desk, site, SOLAR_FRESH)?;
                let last = self.last_week(site, summary.as_ref(), desk)?;
                Ok(plain(say::today(site, (summary.as_ref(), trouble.as_ref()), last, units)))
            }
            Time::Lifetime => {
                let (summary, trouble) = ask::summary(set, desk, site, SOLAR_FRESH)?;
                Ok(plain(say::lifetime(site, (summary.as_ref(), trouble.as_ref()), units)))
            }
            Time::Day(day) if day > site.today => Ok(plain(say::day(site, time, &[], None, units))),
            Time::Day(day) if day.year() < site.today.year().saturating_sub(SOLAR_YEARS_BACK) => {
                Ok(plain(format!("So far back as {day} there was nothing to look at.")))
            }
            time => self.tell_days(site, time, desk),
        }
    }

    /// A span of days, of which today may be one.
    fn tell_days(&self, site: &Site, time: Time, desk: &mut dyn Desk) -> Result<Told, BotFault> {
        let Some(span) = sums::span(time, site.today) else {
            return Ok(Told { text: say::HELP.to_owned(), chart: None });
        };
        let (calendar, mut trouble) = ask::days(&self.set, desk, site, span)?;
        let mut today_wh = None;
        if span.1 == site.today {
            let (summary, why) = ask::summary(&self.set, desk, site, self.set.age.max(SOLAR_FRESH))?;
            let of_today = summary.filter(|summary| summary.date == Some(site.today.to_string()));
            today_wh = of_today.and_then(|summary| summary.today_wh);
            trouble = trouble.or(why);
        }
        let bars = sums::bars(span, (site.today, today_wh), &calendar);
        if matches!(time, Time::Yesterday | Time::Day(_)) {
            return Ok(Told { text: say::day(site, time, &bars, trouble.as_ref(), self.units()), chart: None });
        }
        let text = say::sum(site, time, &bars, &sums::sum(&bars), trouble.as_ref(), self.units());
        // A chart of nothing but gaps would say no more than the words.
        let known = bars.iter().any(|bar| bar.wh.is_some());
        Ok(Told { text, chart: known.then(|| Chart { system: site.name.clone(), bars }) })
    }

    /// What the same day of the last week says: by this time of the day where its course is known, else in all.
    fn last_week(
        &self,
        site: &Site,
        summary: Option<&enphase::Summary>,
        desk: &mut dyn Desk,
    ) -> Result<LastWeek, BotFault> {
        let of_today = summary.filter(|summary| summary.date == Some(site.today.to_string()));
        let Some(summary) = of_today.filter(|summary| summary.today_wh.is_some()) else { return Ok(LastWeek::Unknown) };
        if site.sun.is_at(site.now) {
            let then = crate::model::Moment(summary.as_of().0.saturating_sub(7 * sun::DAY_MS));
            if let Some(wh) = archive::by(desk, site.id, then, &site.zone)? {
                return Ok(LastWeek::ByNow(wh));
            }
        }
        let Ok(day) = site.today.checked_sub(jiff::Span::new().days(7)) else { return Ok(LastWeek::Unknown) };
        let (calendar, _) = ask::days(&self.set, desk, site, (day, day))?;
        Ok(calendar.wh(day).map_or(LastWeek::Unknown, LastWeek::InAll))
    }
}

/// The systems that a text names, or all; and what it wants of them.
fn choose(mut sites: Vec<Site>, words: &[String]) -> (Vec<Site>, Wish) {
    let mut rest = words.to_vec();
    let named = |site: &Site| {
        let name = words::words(&site.name);
        let id = [site.id.to_string()];
        [name.as_slice(), &id].into_iter().find_map(|name| {
            let place = words.windows(name.len().max(1)).position(|part| part == name)?;
            Some((place, name.len()))
        })
    };
    let found: Vec<_> = sites.iter().map(named).collect();
    for (place, length) in found.iter().flatten() {
        rest.iter_mut().skip(*place).take(*length).for_each(String::clear);
    }
    if found.iter().any(Option::is_some) {
        let mut keep = found.iter().map(Option::is_some);
        sites.retain(|_| keep.next().unwrap_or(true));
    }
    let nothing_else = rest.iter().all(String::is_empty) && !words.is_empty();
    match words::wish(&rest) {
        // A system may be called "Today".
        Wish::Unclear if nothing_else => match words::wish(words) {
            Wish::Unclear => (sites, Wish::Tell(vec![Time::Today])),
            wish => (sites, wish),
        },
        wish => (sites, wish),
    }
}

/// What can be asked, and how new the answers are.
fn help(sites: &[Site]) -> String {
    let names = match sites {
        [_, _, ..] => {
            let names = sites.iter().map(|site| site.name.as_str()).collect::<Vec<_>>().join(", ");
            format!(" Your systems are {names}; name one to hear of it alone.")
        }
        _ => String::new(),
    };
    let bound = sites.iter().map(|site| site.pace.bound).reduce(|one, other| one.zip(other).map(|(a, b)| a.max(b)));
    format!("{}{names} {}", say::HELP, say::promise(bound.flatten()))
}

/// What was told: all of it in words, beside the first chart if there is one; then the other charts.
fn contents(told: &[Told]) -> Vec<Content> {
    let text = told.iter().map(|told| told.text.as_str()).collect::<Vec<_>>().join("\n");
    let charts = told.iter().filter_map(|told| told.chart.as_ref());
    let mut pictures = charts.filter_map(|chart| Some((picture::picture(chart)?, chart.system.clone())));
    let Some((first, _)) = pictures.next() else { return vec![Content::Text { text, quick_replies: choices() }] };
    let others = pictures.map(|(picture, text)| Content::Picture { picture, text });
    [Content::Picture { picture: first, text }].into_iter().chain(others).collect()
}

/// Text with what can be tapped below it.
fn menu(event: &Event, text: String) -> Reply {
    let content = Content::Text { text, quick_replies: choices() };
    Reply { content, ..Reply::text(&event.conversation, "") }
}

fn choices() -> Vec<QuickReply> {
    CHOICES.iter().map(|choice| QuickReply { title: (*choice).to_owned(), payload: (*choice).to_owned() }).collect()
}
