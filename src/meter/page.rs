//! Which figure has which name. Names and units are as Prometheus wants them: seconds and bytes, `_total` where it only grows.

use super::text::Text;
use super::{CLASSES, Channel, Classes, ENDS, Kept, Meter, Open, REFUSALS, Registration, Served};
use crate::model::Moment;

/// All that is known.
pub struct Page<'a> {
    pub began: Moment,
    pub open: Open,
    pub served: &'a Served,
    pub kept: &'a Kept,
    pub meter: &'a Meter,
    pub registrations: &'a [Registration],
    /// The names of the certificates that the public door shows, with their ends.
    pub certificates: &'a [(String, Moment)],
}

impl Page<'_> {
    /// As text.
    pub fn text(&self) -> String {
        let mut text = Text::default();
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        text.family("ackd_build_info", "gauge", "Which ackd this is.").value(&version, 1);
        text.family("process_start_time_seconds", "gauge", "When it began, in seconds since 1970.");
        text.value(&[], seconds(self.began));
        self.door(&mut text);
        self.store(&mut text);
        self.channels(&mut text);
        self.others(&mut text);
        text.end()
    }

    fn door(&self, text: &mut Text) {
        let (open, served) = (&self.open, self.served);
        text.family("ackd_connections", "gauge", "Connections that are open.").value(&[], open.connections as u64);
        let help = "How many connections are taken at once.";
        text.family("ackd_connections_max", "gauge", help).value(&[], open.connections_max as u64);
        let help = "Connections that were accepted.";
        text.family("ackd_connections_accepted_total", "counter", help).value(&[], served.connections);
        let help = "Connections that came to nothing, since TLS did.";
        text.family("ackd_tls_handshakes_failed_total", "counter", help).value(&[], served.handshakes_failed);
        let help =
            "When a certificate of the public door ends, in seconds since 1970, by the first name that it is for.";
        text.family("ackd_certificate_expiry_timestamp_seconds", "gauge", help);
        for (name, ends) in self.certificates {
            text.value(&[("name", name)], seconds(*ends));
        }
        let help = "What all connections together hold in memory.";
        text.family("ackd_buffered_bytes", "gauge", help).value(&[], open.buffered_bytes as u64);
        let help = "Events that were read and are not yet kept.";
        text.family("ackd_unkept_bytes", "gauge", help).value(&[], open.waiting_bytes as u64);
        text.family("ackd_requests_total", "counter", "Requests that were read to their end.");
        text.value(&[], served.requests);
        text.family("ackd_refusals_total", "counter", "Requests that were refused, by the status of the answer.");
        for (status, count) in REFUSALS.iter().zip(served.refused.counts) {
            text.value(&[("status", &status.to_string())], count);
        }
        text.value(&[("status", "other")], served.refused.counts.last().copied().unwrap_or(0));
        let help = "From a request that was read to its answer in the socket, for requests whose events were kept.";
        text.histogram("ackd_acknowledgement_seconds", help, &served.acknowledged);
    }

    fn store(&self, text: &mut Text) {
        let kept = self.kept;
        let help = "Whether the store can be written: 0 means that deliveries are answered 503.";
        text.family("ackd_store_writable", "gauge", help).value(&[], u64::from(kept.writable));
        let help =
            "Commits of the store: each is its pages in the log and the sync of that, without the writes before it.";
        text.histogram("ackd_commit_seconds", help, &kept.commits);
        text.family("ackd_workers", "gauge", "Workers.").value(&[], kept.workers as u64);
        text.family("ackd_workers_busy", "gauge", "Workers that have a job.").value(&[], kept.busy as u64);
    }

    fn channels(&self, text: &mut Text) {
        self.each(text, ("ackd_events_kept_total", "counter", "Events that were kept."), &|channel| channel.kept);
        let duplicates = "Events that were delivered again, and not kept twice.";
        self.each(text, ("ackd_events_duplicate_total", "counter", duplicates), &|channel| channel.duplicates);
        let help = "Events that have ended; one that was put back, or proved to be answered, ends again.";
        text.family("ackd_events_ended_total", "counter", help);
        for channel in &self.kept.channels {
            for (state, count) in ENDS.iter().zip(channel.ended) {
                text.value(&[("channel", &channel.name), ("state", state)], count);
            }
        }
        let help = "Attempts to send a reply, by what the platform answered.";
        text.family("ackd_attempts_total", "counter", help);
        for channel in &self.kept.channels {
            classes(text, "channel", &channel.name, &channel.attempts);
        }
        let waiting = "Events that wait, or are under way.";
        self.each(text, ("ackd_queue_events", "gauge", waiting), &|channel| channel.waiting);
        let oldest = "How long ago the event was received that has waited longest; 0 where none waits.";
        self.each(text, ("ackd_queue_oldest_age_seconds", "gauge", oldest), &|channel| {
            channel.oldest.map_or(0, |oldest| self.open.now.since(oldest).as_secs())
        });
        let rests = "Whether the platform takes nothing just now, so that nothing is sent.";
        self.each(text, ("ackd_channel_resting", "gauge", rests), &|channel| u64::from(channel.rests));
    }

    fn each(&self, text: &mut Text, (name, kind, help): (&'static str, &str, &str), value: &dyn Fn(&Channel) -> u64) {
        text.family(name, kind, help);
        for channel in &self.kept.channels {
            text.value(&[("channel", &channel.name)], value(channel));
        }
    }

    fn others(&self, text: &mut Text) {
        text.family("ackd_upstream_calls_total", "counter", "Calls of services that bots ask, by what they answered.");
        for (upstream, calls) in self.meter.counted() {
            classes(text, "upstream", &upstream, &calls);
        }
        let budgets = [
            ("ackd_upstream_calls_left", "Calls that a service may still be asked in this period."),
            ("ackd_upstream_calls_limit", "Calls that it may be asked in a period."),
        ];
        for (place, (name, help)) in budgets.into_iter().enumerate() {
            text.family(name, "gauge", help);
            for (upstream, budget) in &self.kept.budgets {
                for left in budget {
                    let calls = if place == 0 { left.calls } else { left.of };
                    text.value(&[("upstream", upstream), ("period", left.per.word())], calls.into());
                }
            }
        }
        text.family("ackd_registration_ok", "gauge", "Whether the platform knew our address at the last look.");
        for registration in self.registrations {
            text.value(&[("channel", &registration.channel)], u64::from(registration.well));
        }
        let help = "When that was last looked at, in seconds since 1970.";
        text.family("ackd_registration_looked_timestamp_seconds", "gauge", help);
        for registration in self.registrations {
            text.value(&[("channel", &registration.channel)], seconds(registration.looked));
        }
    }
}

fn classes(text: &mut Text, label: &str, name: &str, calls: &Classes) {
    for (class, count) in CLASSES.iter().zip(calls) {
        // Nobody is answered so, and a number that is always 0 says nothing.
        if *class != "1xx" {
            text.value(&[(label, name), ("status", class)], *count);
        }
    }
}

fn seconds(moment: Moment) -> u64 {
    u64::try_from(moment.seconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::text::read;
    use super::*;
    use crate::model::{Left, Period};

    /// A page on which each figure is another than that of a daemon that has done nothing.
    fn eventful() -> String {
        let channel = Channel {
            name: "page".to_owned(),
            kept: 9,
            duplicates: 2,
            ended: [4, 3, 1, 0],
            attempts: [1, 0, 5, 0, 6, 7],
            waiting: 1,
            oldest: Some(Moment(3_500)),
            rests: true,
        };
        let left = Left { per: Period::Day, calls: 12, of: 50, ends: Moment(0) };
        let kept = Kept {
            writable: true,
            workers: 4,
            busy: 2,
            channels: vec![channel],
            budgets: vec![("opendota".to_owned(), vec![left])],
            ..Kept::default()
        };
        let mut served = Served { connections: 3, requests: 11, handshakes_failed: 8, ..Served::default() };
        served.refused.note(401);
        served.refused.note(599);
        let open =
            Open { connections: 2, connections_max: 500, buffered_bytes: 640, waiting_bytes: 77, now: Moment(10_000) };
        let meter = Meter::default();
        meter.calls("opendota").note(Some(429));
        let registrations = &[Registration { channel: "page".to_owned(), well: false, looked: Moment(8_000) }];
        let certificates = &[("bots.example.org".to_owned(), Moment(12_345_678))];
        let (served, kept, meter) = (&served, &kept, &meter);
        Page { began: Moment(5_000), open, served, kept, meter, registrations, certificates }.text()
    }

    #[test]
    fn every_figure_stands_on_the_page_under_its_name() {
        let samples = read(&eventful());
        let value = |name: &str, labels: &str| {
            let labelled = |sample: &&super::super::text::Sample| {
                let words: Vec<_> = sample.labels.iter().map(|(name, worth)| format!("{name}={worth}")).collect();
                sample.name == name && (labels.is_empty() || words.join(" ") == labels)
            };
            samples.iter().find(labelled).unwrap_or_else(|| panic!("{name} {labels}")).value
        };
        for (name, labels, expected) in [
            ("process_start_time_seconds", "", 5.0),
            ("ackd_connections", "", 2.0),
            ("ackd_connections_max", "", 500.0),
            ("ackd_connections_accepted_total", "", 3.0),
            ("ackd_tls_handshakes_failed_total", "", 8.0),
            ("ackd_certificate_expiry_timestamp_seconds", "name=bots.example.org", 12_345.0),
            ("ackd_buffered_bytes", "", 640.0),
            ("ackd_unkept_bytes", "", 77.0),
            ("ackd_requests_total", "", 11.0),
            ("ackd_refusals_total", "status=401", 1.0),
            ("ackd_refusals_total", "status=404", 0.0),
            ("ackd_refusals_total", "status=other", 1.0),
            ("ackd_acknowledgement_seconds_count", "", 0.0),
            ("ackd_store_writable", "", 1.0),
            ("ackd_commit_seconds_count", "", 0.0),
            ("ackd_workers", "", 4.0),
            ("ackd_workers_busy", "", 2.0),
            ("ackd_events_kept_total", "channel=page", 9.0),
            ("ackd_events_duplicate_total", "channel=page", 2.0),
            ("ackd_events_ended_total", "channel=page state=answered", 4.0),
            ("ackd_events_ended_total", "channel=page state=dead", 1.0),
            ("ackd_attempts_total", "channel=page status=none", 1.0),
            ("ackd_attempts_total", "channel=page status=5xx", 7.0),
            ("ackd_queue_events", "channel=page", 1.0),
            ("ackd_queue_oldest_age_seconds", "channel=page", 6.0),
            ("ackd_channel_resting", "channel=page", 1.0),
            ("ackd_upstream_calls_total", "upstream=opendota status=4xx", 1.0),
            ("ackd_upstream_calls_left", "upstream=opendota period=day", 12.0),
            ("ackd_upstream_calls_limit", "upstream=opendota period=day", 50.0),
            ("ackd_registration_ok", "channel=page", 0.0),
            ("ackd_registration_looked_timestamp_seconds", "channel=page", 8.0),
        ] {
            assert!((value(name, labels) - expected).abs() < f64::EPSILON, "{name} {labels}: {}", value(name, labels));
        }
    }

    #[test]
    fn each_family_is_told_once_and_in_one_piece() {
        let (served, kept, meter) = (&Served::default(), &Kept::default(), &Meter::default());
        let (began, open) = (Moment(0), Open::default());
        let page = Page { began, open, served, kept, meter, registrations: &[], certificates: &[] };
        let text = page.text();
        let mut families: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let count = families.len();
        families.sort_unstable();
        families.dedup();
        assert!(families.len() == count && count > 20, "{families:?}");
        assert!(text.contains(concat!("ackd_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1\n")));
    }
}
