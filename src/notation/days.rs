//! Days and times as people read them, in English.

use jiff::civil::{Date, DateTime, Time};

/// From Monday on.
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `Tuesday`.
pub fn weekday(day: Date) -> &'static str {
    named(&WEEKDAYS, day.weekday().to_monday_zero_offset())
}

/// `November`.
pub fn month(day: Date) -> &'static str {
    named(&MONTHS, day.month() - 1)
}

fn named(names: &[&'static str], place: i8) -> &'static str {
    usize::try_from(place).ok().and_then(|place| names.get(place)).copied().unwrap_or_default()
}

/// `Tue` of `Tuesday`, `Nov` of `November`.
pub fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

/// The month of a short name, from 1.
pub fn month_called(name: &str) -> Option<i8> {
    (1..).zip(MONTHS).find(|(_, month)| short(month) == name).map(|(month, _)| month)
}

/// `Tue 17 Nov`.
pub fn short_day(day: Date) -> String {
    format!("{} {} {}", short(weekday(day)), day.day(), short(month(day)))
}

/// `08:05`.
pub fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// `2026-11-21 08:26:10`.
pub fn to_the_second(at: DateTime) -> String {
    format!("{} {}:{:02}", at.date(), clock(at.time()), at.second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn every_day_of_a_year_is_called_as_c_calls_it() {
        for place in 0..366 {
            let at = date(2028, 1, 1).at(23, 5, 9, 0).saturating_add(jiff::Span::new().days(place).hours(place));
            let day = at.date();
            assert_eq!([weekday(day), month(day)].join(" "), at.strftime("%A %B").to_string());
            assert_eq!(short_day(day), at.strftime("%a %-d %b").to_string());
            assert_eq!(clock(at.time()), at.strftime("%H:%M").to_string());
            assert_eq!(to_the_second(at), at.strftime("%Y-%m-%d %H:%M:%S").to_string());
            assert_eq!(month_called(&at.strftime("%b").to_string()), Some(day.month()));
        }
    }

    #[test]
    fn a_month_is_known_by_its_short_name_only() {
        assert_eq!(["dec", "", "January", "Ja", "Foo"].map(month_called), [None; 5]);
    }
}
