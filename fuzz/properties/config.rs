use ackd::config::{Config, ConfigError, Found, Outline, Surroundings};
use ackd::model::Moment;
use std::io;
use std::path::Path;

/// What every secret is. No word of it occurs in a configuration by chance.
const CANARY: &str = "q7CanaryValueQ7";
/// Longest message, in bytes: keys and quotes are cut.
const FAULT_BYTES_MAX: usize = 1200;

/// Any text is a configuration, or has at least one fault; each is one bounded line, of a line that the text has;
/// reading it again says the same; no secret is shown; nothing outside is touched; and what is a configuration has an
/// outline, for which no secret is read.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let first = parse(text);
    let shown = match &first {
        Ok(config) => {
            assert!(!config.listen.to_string().is_empty() && !config.channels.is_empty());
            config.warnings.iter().for_each(|warning| assert_bounded_line(warning));
            format!("{config:?} {:?}", config.warnings)
        }
        Err(error) => {
            assert!(!error.faults.is_empty());
            let lines = text.lines().count().max(1);
            for fault in &error.faults {
                assert!(fault.line.is_some_and(|line| (1..=lines).contains(&line)), "{fault}");
                assert_bounded_line(&fault.to_string());
            }
            // What is no TOML at all has a last line that counts the faults left out.
            assert_eq!(error.to_string().lines().count(), error.faults.len() + usize::from(error.more > 0));
            format!("{error} {error:?}")
        }
    };
    // A text that holds the canary itself may see it quoted, where it stands as a key or a name.
    assert!(text.contains(CANARY) || !shown.contains(CANARY), "{shown}");
    match outline(text) {
        Ok(outline) => assert!(first.as_ref().ok().is_none_or(|config| {
            let names = config.channels.iter().map(|channel| &channel.name);
            config.store == outline.store && names.eq(outline.channels.iter().map(|channel| &channel.name))
        })),
        Err(_) => assert!(first.is_err()),
    }
    assert_eq!(first.err(), parse(text).err());
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    let env = |name: &str| match name {
        "STATE_DIRECTORY" => Some("/var/lib/ackd".to_owned()),
        "CREDENTIALS_DIRECTORY" => Some("/credentials".to_owned()),
        _ => (!name.starts_with("NO")).then(|| CANARY.to_owned()),
    };
    let read = |path: &Path| {
        let bytes = match path.as_os_str().len() % 8 {
            0 => return Err(io::Error::from(io::ErrorKind::NotFound)),
            1 => vec![0xff],
            2 => b"\n".to_vec(),
            3 => vec![b'x'; 70_000],
            4 => format!(" {CANARY}").into_bytes(),
            5 => format!("{CANARY} {CANARY}").into_bytes(),
            _ => format!("{CANARY}\n").into_bytes(),
        };
        let mode = if path.as_os_str().len().is_multiple_of(3) { 0o644 } else { 0o600 };
        Ok(Found { bytes, mode })
    };
    let around = Surroundings { now: Moment(0), env: &env, read: &read, is_folder: &is_folder, is_open: &is_open };
    Config::parse_in(text, Path::new("ackd.toml"), &around)
}

fn outline(text: &str) -> Result<Outline, ConfigError> {
    let env = |name: &str| match name {
        "STATE_DIRECTORY" => Some("/var/lib/ackd".to_owned()),
        _ => unreachable!("an outline asked for {name}"),
    };
    let read = |path: &Path| -> io::Result<Found> { unreachable!("an outline read {}", path.display()) };
    Outline::parse_in(
        text,
        Path::new("ackd.toml"),
        &Surroundings { now: Moment(0), env: &env, read: &read, is_folder: &is_folder, is_open: &is_open },
    )
}

fn is_open(path: &Path) -> bool {
    path.as_os_str().len().is_multiple_of(2)
}

fn is_folder(path: &Path) -> io::Result<bool> {
    match path.as_os_str().len() % 16 {
        15 => Err(io::Error::from(io::ErrorKind::NotFound)),
        14 => Ok(false),
        _ => Ok(path.extension().is_none()),
    }
}

fn assert_bounded_line(line: &str) {
    assert!(line.len() <= FAULT_BYTES_MAX && !line.contains(['\n', '\r']), "{} bytes: {line:?}", line.len());
}
