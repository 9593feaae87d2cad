//! Sentences about a week. The same in a conversation, on a page and for a chat builder. Pure.

use super::Settings;
use super::ask::Known;
use super::feed::{Shape, Trouble};
use super::rank::{Post, Sums};
use super::week::{Week, Which};
use crate::bot::figures::{ago, grouped};
use crate::limits::{DIGEST_FRESH, DIGEST_TITLE_UNITS_MAX};
use crate::model::Moment;
use crate::notation::days::{clock, short_day};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What can be asked.
pub(super) const HELP: &str = "I tell what happened on our Facebook page. Ask me: summary, last week, this week, top \
     commented or top shared. \"subscribe\" brings you last week's summary when a new week begins, \"subscribe fri 18:00\" \
     when you like; \"when?\" says when, and \"stop\" ends it.";

/// Of other times nothing is kept.
pub(super) const ELSEWHEN: &str = "I know this week and the last.";

/// What Facebook has closed (graph.md §1).
pub(super) const GROUPS: &str = "I cannot look at groups: Facebook closed them to programs on 22 April 2024, for every app \
     and every version, and nothing has taken their place. I tell of a page instead; ask me for the summary.";

/// The same of a bot that reads recorded data.
pub(super) const RECORDED: &str = "What I tell of a group was recorded earlier. Facebook closed its groups to programs on 22 \
     April 2024, so nothing new comes from there.";

/// While nothing was seen yet: why, or that it comes.
pub(super) fn nothing(known: &Known) -> &str {
    let making = "The summary is being made. Please ask again in a moment.";
    known.trouble.as_ref().map_or(making, |trouble| &trouble.why)
}

/// `Roof of Ada, Mon 10 Nov to Sun 16 Nov 2025`.
pub(super) fn title(known: &Known) -> String {
    let so_far = if known.week.which == Which::This { ", so far" } else { "" };
    format!("{}, {}{so_far}", known.name, span(&known.week))
}

fn span(week: &Week) -> String {
    format!("{} to {} {}", short_day(week.first), short_day(week.last), week.last.year())
}

/// All of it in one text; `None` when nothing is known.
pub(super) fn summary(known: &Known, set: &Settings, now: Moment) -> Option<String> {
    let (_, sums) = known.seen.as_ref()?;
    let best = match sums.commented == sums.shared {
        true => [("Most commented and most shared", &sums.commented), ("", &None)],
        false => [("Most commented", &sums.commented), ("Most shared", &sums.shared)],
    };
    let best = best.into_iter().filter_map(|(what, post)| Some(format!("{what}: {}.", quoted(post.as_ref()?, set))));
    let parts = [format!("{}: {}", title(known), totals(sums))].into_iter().chain(best).chain(notes(known, set, now));
    Some(parts.collect::<Vec<_>>().join(" "))
}

/// `3 posts, 5 shares, 18 comments, 0 reactions.`
pub(super) fn totals(sums: &Sums) -> String {
    if sums.posts == 0 {
        return "nothing was posted.".to_owned();
    }
    format!("{}, {}.", count(sums.posts, "post"), figures([sums.shares, sums.comments, sums.reactions]))
}

/// What must be known of how good it is: how old, not all, recorded, and why it is no better.
pub(super) fn notes(known: &Known, set: &Settings, now: Moment) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some((at, sums)) = &known.seen {
        if sums.more {
            notes.push("There were more posts than I look at; these are the newest.".to_owned());
        }
        if now.since(*at) >= DIGEST_FRESH || !known.is_whole() {
            notes.push(format!("As of {}.", ago(now.since(*at))));
        }
    }
    notes.extend(known.trouble.as_ref().map(|trouble| trouble.why.clone()));
    if set.shape == Shape::Group {
        notes.push(RECORDED.to_owned());
    }
    notes
}

/// One post as the best in something.
pub(super) fn best(known: &Known, what: &str, post: Option<&Post>, set: &Settings, now: Moment) -> String {
    let said = match post {
        Some(post) => format!("{}: the most {what} is {}.", title(known), quoted(post, set)),
        None => format!("{}: nothing was {what}.", title(known)),
    };
    [said].into_iter().chain(notes(known, set, now)).collect::<Vec<_>>().join(" ")
}

fn quoted(post: &Post, set: &Settings) -> String {
    let title = post.title(DIGEST_TITLE_UNITS_MAX, |at| day(at, &set.zone));
    let title = if post.text.is_empty() { title } else { format!("“{title}”") };
    format!("{title} ({})", post_figures(post))
}

/// `4 shares, 17 comments, 1 reaction`, and nothing of what nobody did.
pub(super) fn post_figures(post: &Post) -> String {
    let known = [(post.shares, "share"), (post.comments, "comment"), (post.reactions, "reaction")];
    let known = known.into_iter().filter(|(figure, _)| *figure > 0).map(|(figure, what)| count(figure, what));
    known.collect::<Vec<_>>().join(", ")
}

fn figures([shares, comments, reactions]: [u64; 3]) -> String {
    format!("{}, {}, {}", count(shares, "share"), count(comments, "comment"), count(reactions, "reaction"))
}

fn count(figure: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(figure), if figure == 1 { "" } else { "s" })
}

/// `Tue 17 Nov`.
pub(super) fn day(at: Moment, zone: &TimeZone) -> String {
    short_day(wall(at, zone).date())
}

fn wall(at: Moment, zone: &TimeZone) -> DateTime {
    zone.to_datetime(Timestamp::from_millisecond(at.0).unwrap_or_default())
}

/// The title of a post's card.
pub(super) fn card_title(post: &Post, set: &Settings) -> String {
    post.title(DIGEST_TITLE_UNITS_MAX, |at| day(at, &set.zone))
}

const NOBODY: &str = "Nobody has logged in at Facebook yet.";
const LOGGED_OUT: &str = "I am not allowed to look at Facebook any more; the operator has been told.";
const FORBIDDEN: &str = "Facebook does not let me read these posts; the operator has to grant";
pub(super) const NO_PAGE: &str = "There is no page that I may look at; the operator has to log in to Facebook, for a page that they \
     manage.";

/// Whether a trouble that was told so ends with a new login.
pub(super) fn wants_login(why: &str) -> bool {
    [NOBODY, LOGGED_OUT, NO_PAGE].contains(&why) || why.starts_with(FORBIDDEN)
}

/// Why there is nothing newer.
pub(super) fn trouble(trouble: &Trouble, set: &Settings) -> String {
    match trouble {
        Trouble::NotBefore(moment) => {
            let when = wall(*moment, &set.zone);
            let when = format!("{} on {}", clock(when.time()), short_day(when.date()));
            format!("I may not ask Facebook again before {when}.")
        }
        Trouble::Busy => "Facebook wants fewer questions at the moment.".to_owned(),
        Trouble::Silent | Trouble::TooMuch => "Facebook gives no answer at the moment.".to_owned(),
        Trouble::LoggedOut => LOGGED_OUT.to_owned(),
        Trouble::Nobody(_) => NOBODY.to_owned(),
        Trouble::Forbidden(needed) => format!("{FORBIDDEN} {needed}, and to log in again."),
        Trouble::Unknown if set.shape == Shape::Group => GROUPS.to_owned(),
        Trouble::Unknown => "Facebook does not know this page, or does not show it to me.".to_owned(),
        Trouble::Which(0) => NO_PAGE.to_owned(),
        Trouble::Which(_) => {
            "I do not know which page to look at: there are several, and the operator has to write one of \
             them into the configuration, as page = \"…\"."
                .to_owned()
        }
        Trouble::Refused(_) => "Facebook refused to tell; the operator finds its reason in the log.".to_owned(),
    }
}
