//! Prometheus' text format (its "exposition format", version 0.0.4): written family by family, and read again.

use super::{BUCKETS, Histogram};
use serde_json::Value;
use std::fmt::Write;

/// What the format is called on the wire.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A label and its value.
pub type Label<'a> = (&'a str, &'a str);

/// A page that is being written.
#[derive(Debug, Default)]
pub struct Text {
    out: String,
    family: &'static str,
}

impl Text {
    /// What is written from now on has this name, kind and meaning.
    pub fn family(&mut self, name: &'static str, kind: &str, help: &str) -> &mut Text {
        self.family = name;
        self.put(&["# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind, "\n"]);
        self
    }

    /// One number of it.
    pub fn value(&mut self, labels: &[Label<'_>], value: u64) -> &mut Text {
        self.sample("", labels, &value.to_string());
        self
    }

    /// All of a histogram, in seconds.
    pub fn histogram(&mut self, name: &'static str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let mut count = 0;
        let ends = BUCKETS.iter().map(|(_, end)| *end).chain(["+Inf"]);
        for (end, more) in ends.zip(histogram.counts) {
            count += more;
            self.sample("_bucket", &[("le", end)], &count.to_string());
        }
        let sum = histogram.sum_us;
        self.sample("_sum", &[], &format!("{}.{:06}", sum / 1_000_000, sum % 1_000_000));
        self.sample("_count", &[], &count.to_string());
    }

    /// One number as text.
    pub fn sample(&mut self, suffix: &str, labels: &[Label<'_>], value: &str) {
        self.put(&[self.family, suffix]);
        for (place, (name, worth)) in labels.iter().enumerate() {
            self.put(&[if place == 0 { "{" } else { "," }, name, "=\""]);
            for sign in worth.chars() {
                match sign {
                    '\\' => self.out.push_str("\\\\"),
                    '"' => self.out.push_str("\\\""),
                    '\n' => self.out.push_str("\\n"),
                    _ => self.out.push(sign),
                }
            }
            self.out.push('"');
        }
        self.put(&[if labels.is_empty() { " " } else { "} " }, value, "\n"]);
    }

    /// All that was written.
    pub fn end(self) -> String {
        self.out
    }

    fn put(&mut self, pieces: &[&str]) {
        for piece in pieces {
            // Into memory, which does not fail.
            let _ = self.out.write_str(piece);
        }
    }
}

/// One number of a page that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

impl Sample {
    /// What a label says; nothing where it is not there.
    pub fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(known, _)| known == name).map_or("", |(_, worth)| worth)
    }
}

/// The numbers of a page; lines that are none are left out.
pub fn read(page: &str) -> Vec<Sample> {
    page.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect()
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    while let Some(more) = rest.strip_prefix(['{', ',']) {
        if let Some(behind) = more.strip_prefix('}') {
            rest = behind;
            break;
        }
        let (label, more) = more.split_once("=\"")?;
        let (worth, behind) = quoted(more)?;
        labels.push((label.to_owned(), worth));
        rest = behind.strip_prefix('}').unwrap_or(behind);
    }
    let value = decimal(rest.split_whitespace().next()?)?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// A number as we write it. JSON has the same ones, and its reader is here already, where std's would be 14 KB more.
pub fn decimal(text: &str) -> Option<f64> {
    serde_json::from_str::<Value>(text).ok()?.as_f64()
}

/// What stands up to the closing quote, and what comes behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut worth = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return Some((worth, text.get(at + 1..)?)),
            '\\' => match signs.next()?.1 {
                'n' => worth.push('\n'),
                other => worth.push(other),
            },
            _ => worth.push(sign),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_family_is_its_meaning_its_kind_and_its_numbers() {
        let mut text = Text::default();
        text.family("ackd_things_total", "counter", "Things.").value(&[], 7).value(&[("a", "b"), ("c", "d")], u64::MAX);
        assert_eq!(
            text.end(),
            "# HELP ackd_things_total Things.\n# TYPE ackd_things_total counter\nackd_things_total 7\n\
             ackd_things_total{a=\"b\",c=\"d\"} 18446744073709551615\n"
        );
    }

    #[test]
    fn a_histogram_adds_up_and_ends_with_all() {
        let mut histogram = Histogram::default();
        [90, 300, 300, 7_000_000].into_iter().for_each(|us| histogram.note(Duration::from_micros(us)));
        let mut text = Text::default();
        text.histogram("ackd_x_seconds", "X.", &histogram);
        let read = read(&text.end());
        let at = |end: &str| read.iter().find(|sample| sample.label("le") == end).unwrap().value;
        assert_eq!(["0.0001", "0.00025", "0.0005", "5", "+Inf"].map(at), [1.0, 1.0, 3.0, 3.0, 4.0]);
        let named = |name: &str| read.iter().find(|sample| sample.name == name).unwrap().value;
        assert_eq!((named("ackd_x_seconds_sum"), named("ackd_x_seconds_count")), (7.000_69, 4.0));
    }

    #[test]
    fn whatever_a_label_says_stays_in_its_quotes_and_is_read_as_it_was() {
        for worth in ["", "page", "a\"} 9\nother 1", "\\", "\\n", "\n\"", "é,=}", "ends\\"] {
            let mut text = Text::default();
            text.family("x", "gauge", "X.").value(&[("one", worth), ("two", "2")], 5);
            let page = text.end();
            assert_eq!(page.lines().count(), 3, "{page}");
            let read = read(&page);
            assert_eq!((read.len(), read[0].label("one"), read[0].label("two"), read[0].value), (1, worth, "2", 5.0));
        }
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        for line in ["", "#", "x", "x{", "x{a=\"b", "x{a=\"b\"", "x{a=\"b\"} ", "x one", "x{a} 1", "x{a=\"\\"] {
            assert_eq!(read(line), [], "{line:?}");
        }
        assert_eq!(read("x{} 1\n\n# y 2\nz 3 1600000000").len(), 2);
    }
}
