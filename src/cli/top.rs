//! `ackd top`: how the daemon does, each second; once where nobody looks at a screen.
//!
//! It reads what `/metrics` says over the control socket, so it shows what a Prometheus would be told.

use super::control::{self, ControlFault};
use super::show::shown;
use super::{CliError, World};
use crate::config::Outline;
use crate::daemon::control_socket;
use crate::limits::{QUOTED_CHARS_MAX, TOP_INTERVAL};
use crate::meter::text::{Sample, decimal, read};
use crate::model::Moment;
use crate::notation::counted::counted;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// To the upper left, and nothing on the screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Shows the figures of this configuration's daemon; again and again while somebody looks, which Ctrl-C ends.
pub fn top(config: &Outline, live: bool, world: &World<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let socket = control_socket(&config.store);
    let mut before: Option<(Look, Instant)> = None;
    loop {
        match control::get(&socket, "/metrics") {
            Ok(page) => {
                let (look, at) = (Look(read(&page)), Instant::now());
                let since = before.as_ref().map(|(look, then)| (look, at.saturating_duration_since(*then)));
                write!(out, "{}{}", if live { CLEAR } else { "" }, look.screen(since, (world.clock)()))?;
                before = Some((look, at));
            }
            // A restart, perhaps: whoever looks is told, and goes on looking.
            Err(fault) if live && before.is_some() => writeln!(out, "{CLEAR}{}", unheard(&socket, &fault))?,
            Err(fault) => return Err(CliError::Failed(unheard(&socket, &fault))),
        }
        out.flush()?;
        if !live {
            return Ok(());
        }
        (world.linger)(TOP_INTERVAL)?;
    }
}

fn unheard(socket: &Path, fault: &ControlFault) -> String {
    match fault {
        ControlFault::Unreachable(why) => control::nobody_at(socket, why),
        ControlFault::Lost(why) => format!("the daemon was asked, but {why}"),
        fault => fault.to_string(),
    }
}

/// What stood on the page at one moment.
struct Look(Vec<Sample>);

impl Look {
    /// As a screen shows it, with what has changed since an earlier look.
    fn screen(&self, since: Option<(&Look, Duration)>, now: Moment) -> String {
        let began = Moment((self.one("process_start_time_seconds") as i64).saturating_mul(1000));
        let version = self.all("ackd_build_info").next().map_or("", |sample| sample.label("version"));
        let disk = if self.one("ackd_store_writable") > 0.0 { "" } else { "; THE STORE CANNOT BE WRITTEN" };
        let head = format!(
            "ackd {} for {}; {:.0} of {} busy{disk}\n\
             {} with {:.1} KiB; {}{}; {}\n\
             acknowledged {}; committed {}\n",
            name(version),
            length(now.since(began).as_secs()),
            self.one("ackd_workers_busy"),
            counted(self.one("ackd_workers") as u64, "worker"),
            counted(self.one("ackd_connections") as u64, "connection"),
            self.one("ackd_buffered_bytes") / 1024.0,
            counted(self.one("ackd_requests_total") as u64, "request"),
            self.pace("ackd_requests_total", "", since),
            self.refused(),
            self.took("ackd_acknowledgement_seconds", since),
            self.took("ackd_commit_seconds", since),
        );
        [head, self.channels(since), self.upstreams(), self.registrations()].concat()
    }

    fn channels(&self, since: Option<(&Look, Duration)>) -> String {
        let titles = "channel kept per-s again answered ignored dead unknown waiting oldest sent-2xx 4xx 5xx none now";
        let mut rows = vec![titles.split(' ').map(|title| title.replace('-', " ")).collect()];
        for sample in self.all("ackd_events_kept_total") {
            let channel = sample.label("channel");
            let of = |name: &str, label: &str, worth: &str| format!("{:.0}", self.of(name, channel, (label, worth)));
            let ended = |state| of("ackd_events_ended_total", "state", state);
            let sent = |status| of("ackd_attempts_total", "status", status);
            let pace = self.pace("ackd_events_kept_total", channel, since);
            let oldest = self.of("ackd_queue_oldest_age_seconds", channel, ("", ""));
            let rests = self.of("ackd_channel_resting", channel, ("", "")) > 0.0;
            rows.push(vec![
                name(channel),
                format!("{:.0}", sample.value),
                pace.split_whitespace().nth(1).unwrap_or("-").to_owned(),
                of("ackd_events_duplicate_total", "", ""),
                ended("answered"),
                ended("ignored"),
                ended("dead"),
                ended("unknown"),
                of("ackd_queue_events", "", ""),
                if oldest > 0.0 { length(oldest as u64) } else { "-".to_owned() },
                sent("2xx"),
                sent("4xx"),
                sent("5xx"),
                sent("none"),
                (if rests { "rests" } else { "goes on" }).to_owned(),
            ]);
        }
        table(&rows)
    }

    fn upstreams(&self) -> String {
        let titles = "upstream 2xx 3xx 4xx 5xx none left";
        let mut rows = vec![titles.split(' ').map(str::to_owned).collect::<Vec<_>>()];
        for sample in self.all("ackd_upstream_calls_total").filter(|sample| sample.label("status") == "none") {
            let upstream = sample.label("upstream");
            let mut row = vec![name(upstream)];
            for class in ["2xx", "3xx", "4xx", "5xx", "none"] {
                let calls = self.all("ackd_upstream_calls_total");
                let mut calls =
                    calls.filter(|call| call.label("upstream") == upstream && call.label("status") == class);
                row.push(format!("{:.0}", calls.next().map_or(0.0, |sample| sample.value)));
            }
            let budget = self.all("ackd_upstream_calls_left").filter(|left| left.label("upstream") == upstream);
            let left = budget.map(|left| format!("{:.0} this {}", left.value, name(left.label("period"))));
            row.push(left.collect::<Vec<_>>().join(", "));
            rows.push(row);
        }
        if rows.len() > 1 { table(&rows) } else { String::new() }
    }

    /// Those that are not as they should be.
    fn registrations(&self) -> String {
        let wrong = self.all("ackd_registration_ok").filter(|sample| sample.value < 1.0);
        let line = |sample: &Sample| {
            let channel = name(sample.label("channel"));
            format!("\nthe platform does not know channel {channel} as it should: see ackd webhook list {channel}\n")
        };
        wrong.map(line).collect()
    }

    fn refused(&self) -> String {
        let some = self.all("ackd_refusals_total").filter(|sample| sample.value > 0.0);
        let some: Vec<_> =
            some.map(|sample| format!("{:.0} with {}", sample.value, name(sample.label("status")))).collect();
        if some.is_empty() { "none refused".to_owned() } else { format!("refused: {}", some.join(", ")) }
    }

    /// How much more it is than at an earlier look, where there was one.
    fn pace(&self, name: &str, channel: &str, since: Option<(&Look, Duration)>) -> String {
        let Some((before, time)) = since.filter(|(_, time)| !time.is_zero()) else { return String::new() };
        // A daemon that began anew counts from 0.
        let more = (self.of(name, channel, ("", "")) - before.of(name, channel, ("", ""))).max(0.0);
        format!(", {:.1} a second", more / time.as_secs_f64())
    }

    /// Half and 99 of 100 took no longer than this: since an earlier look, or of all where nothing came since.
    fn took(&self, name: &str, since: Option<(&Look, Duration)>) -> String {
        let bucket = format!("{name}_bucket");
        let counts = |look: &Look| look.all(&bucket).map(|sample| sample.value).collect::<Vec<_>>();
        let mut all = counts(self);
        if let Some((before, _)) = since {
            let news: Vec<_> = all.iter().zip(counts(before)).map(|(now, then)| now - then).collect();
            if news.last().is_some_and(|more| *more > 0.0) {
                all = news;
            }
        }
        let total = all.last().copied().unwrap_or(0.0);
        if total < 1.0 {
            return "nothing yet".to_owned();
        }
        let ends: Vec<_> =
            self.all(&bucket).map(|sample| decimal(sample.label("le")).unwrap_or(f64::INFINITY)).collect();
        let within = |part: f64| {
            let end =
                all.iter().zip(&ends).find(|(count, _)| **count >= part * total).map_or(f64::INFINITY, |(_, end)| *end);
            if end.is_finite() { format!("{} ms", end * 1000.0) } else { "more than 5 s".to_owned() }
        };
        format!("within {} (half), {} (99 %)", within(0.5), within(0.99))
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| sample.name == name)
    }

    fn one(&self, name: &str) -> f64 {
        self.all(name).next().map_or(0.0, |sample| sample.value)
    }

    /// The number of a channel, where it has one, and of another label, where there is one.
    fn of(&self, name: &str, channel: &str, (label, worth): (&str, &str)) -> f64 {
        let mut found =
            self.all(name).filter(|sample| sample.label("channel") == channel && sample.label(label) == worth);
        found.next().map_or(0.0, |sample| sample.value)
    }
}

fn name(text: &str) -> String {
    shown(text, QUOTED_CHARS_MAX).into_owned()
}

/// A length of time, roughly.
fn length(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Rows below each other, after an empty line: the first column to the left, the others to the right.
fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = "\n".to_owned();
    for row in rows {
        let mut line = String::new();
        for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let (width, gap) = (*width, if place == 0 { "" } else { "  " });
            line.push_str(&if place == 0 { format!("{cell:<width$}") } else { format!("{gap}{cell:>width$}") });
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Folder, world};
    use super::*;
    use std::io::{self, Read};
    use std::os::unix::net::UnixListener;
    use std::thread;

    const PAGE: &str = "ackd_build_info{version=\"0.1.0\"} 1
process_start_time_seconds 1000
ackd_store_writable 1
ackd_workers 4
ackd_workers_busy 2
ackd_connections 3
ackd_buffered_bytes 2048
ackd_requests_total 100
ackd_refusals_total{status=\"401\"} 2
ackd_refusals_total{status=\"404\"} 0
ackd_acknowledgement_seconds_bucket{le=\"0.0005\"} 90
ackd_acknowledgement_seconds_bucket{le=\"5\"} 98
ackd_acknowledgement_seconds_bucket{le=\"+Inf\"} 100
ackd_commit_seconds_bucket{le=\"0.0005\"} 0
ackd_commit_seconds_bucket{le=\"+Inf\"} 0
ackd_events_kept_total{channel=\"page\"} 60
ackd_events_duplicate_total{channel=\"page\"} 1
ackd_events_ended_total{channel=\"page\",state=\"answered\"} 50
ackd_events_ended_total{channel=\"page\",state=\"dead\"} 4
ackd_attempts_total{channel=\"page\",status=\"2xx\"} 70
ackd_queue_events{channel=\"page\"} 6
ackd_queue_oldest_age_seconds{channel=\"page\"} 7300
ackd_channel_resting{channel=\"page\"} 1
ackd_upstream_calls_total{upstream=\"sun\",status=\"none\"} 1
ackd_upstream_calls_total{upstream=\"sun\",status=\"2xx\"} 9
ackd_upstream_calls_left{upstream=\"sun\",period=\"day\"} 12
ackd_registration_ok{channel=\"page\"} 0
";

    #[test]
    fn a_screen_shows_the_figures_of_a_page() {
        let screen = Look(read(PAGE)).screen(None, Moment(1_130_000));
        let expected = "\
ackd 0.1.0 for 2 min; 2 of 4 workers busy
3 connections with 2.0 KiB; 100 requests; refused: 2 with 401
acknowledged within 0.5 ms (half), more than 5 s (99 %); committed nothing yet

channel  kept  per s  again  answered  ignored  dead  unknown  waiting  oldest  sent 2xx  4xx  5xx  none    now
page       60      -      1        50        0     4        0        6     2 h        70    0    0     0  rests

upstream  2xx  3xx  4xx  5xx  none         left
sun         9    0    0    0     1  12 this day

the platform does not know channel page as it should: see ackd webhook list page
";
        assert_eq!(screen, expected);
    }

    #[test]
    fn what_has_changed_since_is_told_as_a_pace() {
        let before = Look(read(PAGE));
        let later = PAGE.replace("} 60\n", "} 85\n").replace("total 100", "total 150");
        let later = later.replace("\"5\"} 98", "\"5\"} 148").replace("+Inf\"} 100", "+Inf\"} 150");
        let screen = Look(read(&later)).screen(Some((&before, Duration::from_secs(2))), Moment(1_000_000));
        assert!(screen.contains("150 requests, 25.0 a second;"), "{screen}");
        assert!(screen.contains("acknowledged within 5000 ms (half), 5000 ms (99 %)"), "of those since: {screen}");
        assert!(screen.contains("page       85   12.5"), "{screen}");
        // A daemon that began anew counts from nothing.
        let anew = Look(read(&PAGE.replace("total 100", "total 3")));
        let screen = anew.screen(Some((&before, Duration::from_secs(2))), Moment(0));
        assert!(screen.contains("3 requests, 0.0 a second;"), "{screen}");
    }

    #[test]
    fn nothing_of_a_page_steers_the_terminal() {
        let hostile = PAGE.replace("0.1.0", "\u{1b}[2J").replace("\"page\"", "\"\\\"\u{1b}]0;x\u{7}\\n\"");
        let screen = Look(read(&hostile)).screen(None, Moment(0));
        assert!(!screen.contains(['\u{1b}', '\u{7}']) && screen.contains("\\u{1b}"), "{screen}");
        for began in ["-1e300", "1e300", "0.5"] {
            Look(read(&PAGE.replace("seconds 1000", &format!("seconds {began}")))).screen(None, Moment(0));
        }
        assert!(Look(Vec::new()).screen(None, Moment(0)).contains("THE STORE CANNOT BE WRITTEN"), "nothing is known");
    }

    #[test]
    fn whoever_looks_sees_it_again_until_they_go_and_hears_when_nobody_answers() {
        let folder = Folder::new("top");
        folder.make();
        let listener = UnixListener::bind(control_socket(&folder.store())).unwrap();
        let daemon = thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let (mut asked, mut byte) = (Vec::new(), [0]);
                // All of it: whoever closes with something unread resets the connection.
                while !asked.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut byte).unwrap();
                    asked.push(byte[0]);
                }
                assert!(asked.starts_with(b"GET /metrics HTTP/1.1\r\n"));
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{PAGE}", PAGE.len()).unwrap();
            }
        });
        let (looks, daemon) = (std::cell::Cell::new(0), std::cell::Cell::new(Some(daemon)));
        let linger = |_: Duration| {
            looks.set(looks.get() + 1);
            if looks.get() == 2 {
                // Whoever comes before the door is closed would be cut off.
                daemon.take().into_iter().for_each(|daemon| daemon.join().unwrap());
            }
            if looks.get() == 3 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
        };
        let mut out = Vec::new();
        let ended = top(&folder.config(), true, &World { linger: &linger, ..world() }, &mut out);
        assert_eq!(ended, Err(CliError::NobodyReads));
        let screens: Vec<_> = std::str::from_utf8(&out).unwrap().split(CLEAR).skip(1).collect();
        assert!(screens.len() == 3 && screens[1].contains("0.0 a second"), "{screens:?}");
        assert!(screens[2].starts_with("nobody answers at the control socket "), "{screens:?}");
    }
}
