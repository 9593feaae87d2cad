//! What somebody wants to know, out of what they wrote: English, in any order, case and punctuation.
//!
//! Pure. Never here: what a person may know.

use crate::limits::SOLAR_TIMES_MAX;
use jiff::civil::Date;

/// A time that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    Now,
    Today,
    Yesterday,
    ThisWeek,
    LastWeek,
    ThisMonth,
    LastMonth,
    ThisYear,
    LastYear,
    Lifetime,
    Day(Date),
}

/// What a text asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// These times, in the order in which they were asked for.
    Tell(Vec<Time>),
    /// More times than are told at once.
    TooMany,
    Help,
    /// No more of this: who says it is forgotten.
    Leave,
    /// A daily message was acknowledged.
    Tomorrow,
    /// It looks like a date, and no calendar has it.
    NoDate(String),
    Unclear,
}

/// Words of a text: lower case, without punctuation. A date stays one word.
pub(super) fn words(text: &str) -> Vec<String> {
    let parts = text.split(|sign: char| !sign.is_alphanumeric() && sign != '-');
    let mut words = Vec::new();
    for part in parts {
        let part = part.trim_matches('-').to_lowercase();
        if looks_like_date(&part) {
            words.push(part);
        } else {
            words.extend(part.split('-').filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
    words
}

/// The wish in these words.
pub(super) fn wish(words: &[String]) -> Wish {
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    if has(&["leave", "unbind"]) || has(&["forget"]) && has(&["me", "us"]) {
        return Wish::Leave;
    }
    if has(&["tomorrow"]) {
        return Wish::Tomorrow;
    }
    if let Some(wrong) = words.iter().find(|word| looks_like_date(word) && word.parse::<Date>().is_err()) {
        return Wish::NoDate(wrong.clone());
    }
    let mut times = Vec::new();
    for (place, word) in words.iter().enumerate() {
        if let Some(time) = time(word, place, words).filter(|time| !times.contains(time)) {
            if times.len() >= SOLAR_TIMES_MAX {
                return Wish::TooMany;
            }
            times.push(time);
        }
    }
    match times.is_empty() {
        false => Wish::Tell(times),
        true if has(&["help", "commands", "start", "hello", "hi"]) => Wish::Help,
        true => Wish::Unclear,
    }
}

/// The time that a word names. Whether it is this or the last one, a word beside it says.
fn time(word: &str, place: usize, words: &[String]) -> Option<Time> {
    let last = || {
        // Behind it only at the end: in "the week last year" it belongs to the year.
        let behind = Some(place.saturating_add(1)).filter(|behind| behind.saturating_add(1) == words.len());
        let beside = [place.checked_sub(1), place.checked_sub(2), behind];
        let beside = beside.into_iter().flatten().filter_map(|place| words.get(place));
        let mut near = beside.take_while(|word| !["this", "and", "or"].contains(&word.as_str()));
        near.any(|word| ["last", "previous", "past", "prior"].contains(&word.as_str()))
    };
    Some(match word {
        "now" | "current" | "currently" | "moment" | "power" | "watts" => Time::Now,
        "today" | "todays" => Time::Today,
        "yesterday" | "yesterdays" => Time::Yesterday,
        "week" | "weeks" | "weekly" if last() => Time::LastWeek,
        "week" | "weeks" | "weekly" => Time::ThisWeek,
        "month" | "months" | "monthly" if last() => Time::LastMonth,
        "month" | "months" | "monthly" => Time::ThisMonth,
        "year" | "years" | "yearly" if last() => Time::LastYear,
        "year" | "years" | "yearly" => Time::ThisYear,
        "lifetime" | "total" | "overall" | "ever" | "altogether" => Time::Lifetime,
        _ => return word.parse().ok().filter(|_| looks_like_date(word)).map(Time::Day),
    })
}

/// Four digits, two, and two.
fn looks_like_date(word: &str) -> bool {
    let mut parts = word.split('-').map(|part| (part.len(), part.bytes().all(|byte| byte.is_ascii_digit())));
    let shape = [parts.next(), parts.next(), parts.next()];
    shape == [Some((4, true)), Some((2, true)), Some((2, true))] && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Wish {
        wish(&words(text))
    }

    #[test]
    fn every_word_is_understood_in_many_spellings() {
        let day = Time::Day("2026-06-21".parse().unwrap());
        for (time, texts) in [
            (Time::Now, &["now", "NOW!", "right now?", "what's the current power", "at this moment", "Watts"][..]),
            (Time::Today, &["today", "Today", " tOdAy?! ", "how was it today", "today's"]),
            (Time::Yesterday, &["yesterday", "and yesterday?", "Yesterday's energy, please"]),
            (
                Time::ThisWeek,
                &["this week", "week", "Weekly", "the week so far", "how is this week, after last year's"],
            ),
            (
                Time::LastWeek,
                &["last week", "and last week?", "LAST-WEEK", "week (previous)", "the past week", "week, last"],
            ),
            (Time::ThisMonth, &["this month", "month", "monthly.", "month: this"]),
            (Time::LastMonth, &["last month", "previous month", "how much in the last full month"]),
            (Time::ThisYear, &["this year", "year", "the year so far"]),
            (Time::LastYear, &["last year", "Last YEAR's", "prior year"]),
            (Time::Lifetime, &["lifetime", "in total", "overall", "what did it ever make", "altogether"]),
            (day, &["2026-06-21", "on 2026-06-21?", "how much was it on (2026-06-21)", "2026-06-21."]),
        ] {
            for text in texts {
                let Wish::Tell(times) = heard(text) else { unreachable!("{text}: {:?}", heard(text)) };
                assert_eq!(times.first(), Some(&time), "{text}");
            }
        }
    }

    #[test]
    fn several_times_are_told_in_their_order_and_once() {
        for (text, times) in [
            ("today and yesterday", vec![Time::Today, Time::Yesterday]),
            ("yesterday, today, yesterday", vec![Time::Yesterday, Time::Today]),
            ("last week and this week", vec![Time::LastWeek, Time::ThisWeek]),
            ("this week or last month", vec![Time::ThisWeek, Time::LastMonth]),
            ("last week and month", vec![Time::LastWeek, Time::ThisMonth]),
            ("the week, last year", vec![Time::ThisWeek, Time::LastYear]),
        ] {
            assert_eq!(heard(text), Wish::Tell(times), "{text}");
        }
    }

    #[test]
    fn more_times_than_are_told_at_once_are_too_many() {
        let days = |count: usize| (1..=count).map(|day| format!("2026-06-{day:02} ")).collect::<String>();
        assert!(matches!(heard(&days(SOLAR_TIMES_MAX)), Wish::Tell(times) if times.len() == SOLAR_TIMES_MAX));
        assert!(matches!(heard(&days(1).repeat(500)), Wish::Tell(times) if times.len() == 1));
        assert_eq!(heard(&days(SOLAR_TIMES_MAX + 1)), Wish::TooMany);
    }

    #[test]
    fn what_is_no_time_is_told_apart() {
        for (text, wish) in [
            ("help", Wish::Help),
            ("HELP me", Wish::Help),
            ("help me with today", Wish::Tell(vec![Time::Today])),
            ("leave", Wish::Leave),
            ("Please forget me!", Wish::Leave),
            ("forget it", Wish::Unclear),
            ("Tomorrow again", Wish::Tomorrow),
            ("2026-02-30", Wish::NoDate("2026-02-30".to_owned())),
            ("2026-6-1", Wish::Unclear),
            ("", Wish::Unclear),
            ("?!", Wish::Unclear),
            ("¿qué?", Wish::Unclear),
            ("snowing", Wish::Unclear),
        ] {
            assert_eq!(heard(text), wish, "{text}");
        }
    }
}
