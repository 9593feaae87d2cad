//! ackd.1, in the macros of man(7).

use crate::definition::{Command, Opt, Part, everywhere, overview};
use ackd::cli::help::VERSION;
use std::fmt::Write;

/// What no text of `--help` tells.
const FILES: &[(&str, &str)] = &[
    ("ackd.toml", "the configuration, where the command is typed; else"),
    ("/etc/ackd/ackd.toml", "the configuration of the service. `/usr/share/doc/ackd/examples/ackd.toml` has every key"),
    (
        "/var/lib/ackd/ackd.db",
        "the service's store, with `ackd.db-wal` and `ackd.db-shm` beside it: whatever is read or copied, take all three, \
         or let SQLite do it. Without systemd it is where `store` says, else beside the configuration",
    ),
    ("/var/lib/ackd/ackd.sock", "by which other commands reach the daemon, beside the store and named after it"),
    ("ackd.service", "the daemon as a service; what your machine needs otherwise goes into `systemctl edit ackd`"),
    (
        "ackd.socket, ackd-admin.socket",
        "the addresses of the public and of the operator, held by systemd while the service is restarted: write \
         `listen = \"systemd\"`",
    ),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("RUST_LOG", "what is logged, in place of `-v`: a level, or levels by module, as `warn,ackd::work=debug`"),
    ("STATE_DIRECTORY", "where a relative `store` begins; systemd sets it"),
    ("CREDENTIALS_DIRECTORY", "where { credential = … } of the configuration is looked for; systemd sets it"),
    ("LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID", "the sockets of `listen = \"systemd\"`"),
    ("NOTIFY_SOCKET, WATCHDOG_USEC", "where the daemon tells systemd that it is ready, lives, and stops"),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "root certificates in place of the system's, for calls to platforms and services"),
    ("TZ", "the time zone in which times are shown and plans without one are meant"),
];

const SIGNALS: &[(&str, &str)] = &[
    ("SIGTERM, SIGINT", "ends the daemon: nothing new is accepted, and what is under way is done"),
    ("SIGHUP", "has it read its configuration again, as `ackd reload`"),
];

/// The whole page.
pub fn page(commands: &[Command]) -> String {
    let mut page =
        format!(".\\\" Written by tests/papers from the texts of --help.\n.TH ACKD 1 \"\" \"{}\"\n", VERSION.trim());
    page.push_str(".SH NAME\nackd \\- webhook daemon for chat bots: ack first, answer later\n.SH SYNOPSIS\n");
    commands.iter().flat_map(|command| &command.synopsis).for_each(|way| call(&mut page, way));
    page.push_str(".SH DESCRIPTION\n");
    words(&mut page, "ackd receives what chat platforms send, keeps it on disk, says 200, and answers afterwards.");
    page.push_str(".PP\n");
    words(
        &mut page,
        "If the platform got its 200, the message will be answered, or you will be told why it was not, even if the power \
         fails in between.",
    );
    page.push_str(
        ".SH OPTIONS\nEvery command has these, before or behind its name. A lone \\fB\\-\\-\\fR ends them.\n",
    );
    everywhere().iter().for_each(|option| entry(&mut page, &term(option), &option.about));
    page.push_str(".SH COMMANDS\n");
    commands.iter().for_each(|command| section(&mut page, command));
    page.push_str(".SH EXIT STATUS\n");
    for code in overview("Exit codes:").trim_end_matches('.').split(", ") {
        let (code, about) = code.split_once(' ').unwrap_or((code, ""));
        entry(&mut page, code, about);
    }
    for (heading, entries) in [("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES), ("SIGNALS", SIGNALS)] {
        writeln!(page, ".SH {heading}").unwrap();
        entries.iter().for_each(|(term, about)| entry(&mut page, term, about));
    }
    page.push_str(".SH SEE ALSO\n.BR systemctl (1),\n.BR systemd.socket (5),\n.BR systemd.exec (5)\n");
    page
}

fn section(page: &mut String, command: &Command) {
    writeln!(page, ".SS {}", command.name).unwrap();
    command.synopsis.iter().for_each(|way| call(page, way));
    for part in &command.parts {
        match part {
            Part::Words(text) => {
                page.push_str(".PP\n");
                words(page, text);
            }
            Part::List(list) => list.iter().for_each(|(term, about)| entry(page, term, about)),
            Part::Example(lines) => {
                page.push_str(".PP\n.RS 4\n.EX\n");
                lines.iter().for_each(|line| writeln!(page, "{}", literal(line)).unwrap());
                page.push_str(".EE\n.RE\n");
            }
        }
    }
}

/// One way to call a command. What stands in one pair of brackets is not parted at a line's end.
fn call(page: &mut String, way: &str) {
    let mut words = way.split(' ');
    let name: Vec<_> = words.by_ref().take(2).collect();
    writeln!(page, ".SY \"{}\"", name.join(" ")).unwrap();
    let mut line = String::new();
    let mut open = false;
    for word in words {
        line.push_str(if line.is_empty() {
            ""
        } else if open {
            "\\~"
        } else {
            " "
        });
        line.push_str(&styled(word));
        open = (open || word.starts_with('[')) && !word.ends_with(']');
    }
    writeln!(page, "{}\n.YS", shielded(&line)).unwrap();
}

/// A word of a synopsis: what is typed as it stands is bold, what stands for something is slanted.
fn styled(word: &str) -> String {
    let (mut out, mut rest) = (String::new(), word);
    while let Some(first) = rest.chars().next() {
        let plain = |sign: char| "[]|…".contains(sign);
        let end = rest.find(|sign| plain(sign) != plain(first)).unwrap_or(rest.len());
        let (piece, more) = rest.split_at(end);
        rest = more;
        let letters = literal(piece);
        match plain(first) {
            true => out.push_str(&letters),
            false if piece.chars().any(|sign| sign.is_ascii_lowercase()) || piece.starts_with('-') => {
                write!(out, "\\fB{letters}\\fR").unwrap();
            }
            false => write!(out, "\\fI{letters}\\fR").unwrap(),
        }
    }
    out
}

/// `-v`, `--config FILE`.
fn term(option: &Opt) -> String {
    let short = option.short.map(|letter| format!("-{letter}, ")).unwrap_or_default();
    let value = option.value.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
    format!("{short}--{}{value}", option.long)
}

fn entry(page: &mut String, term: &str, about: &str) {
    let term: Vec<String> = term.split(' ').map(styled).collect();
    page.push_str(".TP\n");
    writeln!(page, "{}", shielded(&term.join(" "))).unwrap();
    words(page, about);
}

/// Running text, in which `…` and options are bold.
fn words(page: &mut String, text: &str) {
    let mut line = String::new();
    for (at, piece) in text.split('`').enumerate() {
        if at % 2 == 1 {
            write!(line, "\\fB{}\\fR", literal(piece)).unwrap();
            continue;
        }
        for (at, word) in piece.split(' ').enumerate() {
            line.push_str(if at == 0 { "" } else { " " });
            if word.starts_with("--") && word.len() > 2 {
                let end = word.rfind(|sign: char| sign.is_ascii_alphanumeric()).map_or(word.len(), |end| end + 1);
                write!(line, "\\fB{}\\fR{}", literal(&word[..end]), literal(&word[end..])).unwrap();
            } else {
                line.push_str(&prose(word));
            }
        }
    }
    writeln!(page, "{}", shielded(&line)).unwrap();
}

/// As it is typed: hyphens are the sign of the keyboard, and so are quotes.
fn literal(text: &str) -> String {
    prose(text).replace('-', "\\-").replace('\'', "\\(aq").replace('^', "\\(ha").replace('~', "\\(ti")
}

/// Signs that mean something to roff, and those that not every terminal has.
fn prose(text: &str) -> String {
    text.replace('\\', "\\(rs").replace('…', "...").replace('×', "\\(mu")
}

/// A line whose first sign would make it a request.
fn shielded(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
}
