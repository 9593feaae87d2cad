use super::table::Entry;
use super::*;
use crate::model::Moment;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;

/// A configuration without faults or warnings; tests change one line of it.
const BASE: &str = r#"listen = "127.0.0.1:3000"
store = "sqlite:ackd.db"
workers = 4
connections = 10
public_url = "https://bots.example.org"
[channel.page]
platform = "messenger"
path = "/messenger"
bot = "echo"
verify_token = { env = "VERIFY" }
app_secret = { env = "APP" }
access_token = { env = "TOKEN" }
api = "https://graph.facebook.com/v25.0"
appsecret_proof = false
token_in_query = false
[bot.echo]
kind = "echo"
otherwise = "what?"
"#;

/// No message may ever hold this.
const CANARY: &str = "EAAcanary0123456789";

fn env(name: &str) -> Option<String> {
    match name {
        "VERIFY" | "APP" | "TOKEN" | "OTHER" => Some(CANARY.to_owned()),
        "EMPTY" => Some(String::new()),
        "FIFTEEN" => Some("0123456789abcde".to_owned()),
        "SPACED" => Some(format!(" {CANARY}")),
        "BROKEN" => Some(format!("{CANARY}\n{CANARY}")),
        "UMLAUT" => Some(format!("{CANARY}ä")),
        "CREDENTIALS_DIRECTORY" => Some("/credentials".to_owned()),
        _ => None,
    }
}

/// Files that need no disk: the name says what is in them.
fn read(path: &Path) -> io::Result<Found> {
    let found = |bytes: &str, mode| Ok(Found { bytes: bytes.as_bytes().to_vec(), mode });
    match path.to_str().unwrap() {
        "/credentials/app" | "/full/secret" => found(&format!("{CANARY}\n"), 0o100_600),
        "/full/open" => found(&format!("{CANARY}\r\n"), 0o100_644),
        "/full/empty" => found("\n\n", 0o100_600),
        "/full/large" => found(&CANARY.repeat(4000), 0o100_600),
        "/full/binary" => Ok(Found { bytes: vec![0xff, 0xfe], mode: 0o100_600 }),
        "/full/forbidden" => Err(io::Error::from_raw_os_error(13)),
        "/full/folder" => Err(io::Error::from_raw_os_error(21)),
        _ => Err(io::Error::from_raw_os_error(2)),
    }
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    let is_folder = |path: &Path| match path.to_str().unwrap() {
        "" | "/var/lib" | "/var/lib/ackd" | "folder.db" => Ok(true),
        "ackd.toml" | "/var/lib/ackd/ackd.db" => Ok(false),
        _ => Err(io::Error::from_raw_os_error(2)),
    };
    let around = Surroundings { now: Moment(0), env: &env, read: &read, is_folder: &is_folder, is_open: &|_| true };
    let result = Config::parse_in(text, Path::new("ackd.toml"), &around);
    assert!(!format!("{result:?}").contains(CANARY), "{result:?}");
    result
}

/// Surroundings in which every folder is there, and everybody may read each file.
fn on_paper<'a>(
    env: &'a dyn Fn(&str) -> Option<String>,
    read: &'a dyn Fn(&Path) -> io::Result<Found>,
) -> Surroundings<'a> {
    Surroundings { now: Moment(0), env, read, is_folder: &|path| Ok(!path.ends_with("ackd.db")), is_open: &|_| true }
}

/// The folder of the configuration is there, and no other.
fn is_here(path: &Path) -> io::Result<bool> {
    Ok(path.as_os_str().is_empty())
}

/// BASE with one line, or part of one, changed.
fn with(old: &str, new: &str) -> String {
    assert_eq!(BASE.matches(old).count(), 1, "{old}");
    BASE.replace(old, new)
}

fn faults(text: &str) -> Vec<String> {
    let error = parse(text).expect_err(text);
    error.faults.iter().map(|fault| fault.to_string().strip_prefix("ackd.toml:").unwrap().to_owned()).collect()
}

fn warnings(text: &str) -> Vec<String> {
    let warnings = parse(text).unwrap_or_else(|error| panic!("{error}")).warnings;
    warnings.iter().map(|warning| warning.strip_prefix("ackd.toml:").unwrap().to_owned()).collect()
}

/// Each change of BASE has this one fault.
fn each_is_one_fault(cases: &[(&str, &str, &str)]) {
    for (old, new, fault) in cases {
        assert_eq!(faults(&with(old, new)), [*fault], "{new}");
    }
}

#[test]
fn a_configuration_without_faults_has_every_field() {
    let config = parse(BASE).unwrap();
    assert_eq!(config.warnings, [""; 0]);
    assert_eq!(config.listen.addresses, ["127.0.0.1:3000".parse().unwrap()]);
    assert_eq!((config.store.to_str(), config.workers, config.connections_max), (Some("ackd.db"), 4, 10));
    assert_eq!(config.public_url, Some(PublicUrl::Fixed("https://bots.example.org".to_owned())));
    assert_eq!(config.keep_registered, Some(Duration::from_secs(300)));
    let [page] = config.channels.as_slice() else { panic!("{config:?}") };
    assert_eq!((page.name.as_str(), page.path.as_str(), page.bot_name.as_str()), ("page", "/messenger", "echo"));
    assert_eq!(page.platform.name(), "messenger");
}

#[test]
fn what_is_left_out_has_its_default() {
    let optional = ["store", "workers", "connections", "public_url", "api", "appsecret", "token_in", "otherwise"];
    let lines: Vec<_> = BASE.lines().filter(|line| !optional.iter().any(|key| line.starts_with(key))).collect();
    let config = parse(&lines.join("\n")).unwrap();
    assert_eq!((config.store.to_str(), config.public_url), (Some("ackd.db"), None));
    assert_eq!((config.workers, config.connections_max), (limits::WORKERS, limits::CONNECTIONS_MAX));
    assert_eq!(config.log, Logs::default());
}

#[test]
fn the_top_level_says_what_to_write() {
    each_is_one_fault(&[
        ("listen =", "lisen =", "1: lisen: unknown key; did you mean listen?"),
        (
            "workers = 4",
            "metrics = 4",
            "3: metrics: unknown key; what may stand here: listen, tls, admin, store, workers, connections, public_url, \
             ngrok, keep_registered, log, log_format, channel, bot, subscription, upstream",
        ),
        ("listen = \"127.0.0.1:3000\"", "", "1: listen: is missing; write listen = \"127.0.0.1:3000\""),
        (
            "\"127.0.0.1:3000\"",
            "\"localhost:3000\"",
            "1: listen: \"localhost:3000\" is a name, and names are not looked up; write \"127.0.0.1:3000\"",
        ),
        ("\"127.0.0.1:3000\"", "[\"systemd\", \"systemd\"]", "1: listen: \"systemd\" is listed twice; take one away"),
        (
            "\"127.0.0.1:3000\"",
            "3000",
            "1: listen: must be a text in quotes, not a number; write for example listen = \"127.0.0.1:3000\"",
        ),
        ("\"127.0.0.1:3000\"", "[]", "1: listen: is an empty list; write listen = \"127.0.0.1:3000\""),
        (
            "\"127.0.0.1:3000\"",
            "[\"[::1]:3000\",\n\"127.0.0.1:1\",\n\"[::1]:3000\"]",
            "3: listen: \"[::1]:3000\" is listed twice; take one away",
        ),
        ("workers = 4", "workers = 65", "3: workers: must lie between 0 and 64"),
        ("workers = 4", "workers = -1", "3: workers: must lie between 0 and 64"),
        (
            "workers = 4",
            "workers = 4.0",
            "3: workers: must be a whole number, not one with a point; write for example workers = 4",
        ),
        ("connections = 10", "connections = 0", "4: connections: must lie between 1 and 100000"),
        ("connections = 10", "connections = 99999999999999999999", "4: connections: must lie between 1 and 100000"),
        (
            "\"https://bots.example.org\"",
            "\"http://bots.example.org\"",
            "5: public_url: must begin with https://, platforms ask for it; http:// is for a stand-in on this machine; \
             write for example public_url = \"https://bots.example.org\" or \"ngrok\"",
        ),
        (
            "\"https://bots.example.org\"",
            "\"ngrokk\"",
            "5: public_url: must begin with https://, or on this machine with http://; write for example public_url = \
             \"https://bots.example.org\" or \"ngrok\"",
        ),
    ]);
}

#[test]
fn a_stand_in_on_this_machine_may_call_without_https() {
    let text = with("https://bots.example.org", "http://127.0.0.1:3000/");
    assert_eq!(parse(&text).unwrap().public_url, Some(PublicUrl::Fixed("http://127.0.0.1:3000".to_owned())));
}

#[test]
fn ngrok_is_asked_where_its_agent_is() {
    let of = |text: &str| parse(text).unwrap().public_url;
    let agent = |agent: &str| Some(PublicUrl::Ngrok { agent: agent.to_owned() });
    assert_eq!(of(&with("https://bots.example.org", "ngrok")), agent("http://127.0.0.1:4040"));
    let line = "\"https://bots.example.org\"";
    assert_eq!(of(&with(line, "\"ngrok\"\nngrok = \"http://localhost:4041/\"")), agent("http://localhost:4041"));
    each_is_one_fault(&[(
        line,
        "\"ngrok\"\nngrok = \"4041\"",
        "6: ngrok: must begin with http:// or https://; write for example ngrok = \"http://127.0.0.1:4040\"",
    )]);
    let unused = with("workers = 4", "ngrok = \"http://127.0.0.1:4041\"");
    assert_eq!(warnings(&unused), ["3: ngrok: is of no use without public_url = \"ngrok\""]);
}

#[test]
fn how_often_registrations_are_looked_at_has_its_bounds() {
    let of = |value: &str| with("workers = 4", &format!("keep_registered = \"{value}\""));
    for (value, seconds) in [("10s", 10), ("5m", 300), ("24h", 86_400), ("090s", 90)] {
        assert_eq!(parse(&of(value)).unwrap().keep_registered, Some(Duration::from_secs(seconds)), "{value}");
    }
    assert_eq!(parse(&of("off")).unwrap().keep_registered, None);
    for value in ["", "m", "5", "9s", "25h", "+5m", "5 m", "-5m", "5ä", "99999999999h", "1d", "0.5h", "5M"] {
        let fault = "3: keep_registered: must lie between \"10s\" and \"24h\", or be \"off\"; write for example \
                     keep_registered = \"5m\"";
        assert_eq!(faults(&of(value)), [fault], "{value}");
    }
}

#[test]
fn the_number_of_an_app_is_a_number_and_belongs_to_one_channel() {
    let with_app = |text: &str| with("token_in_query = false", text);
    assert!(parse(&with_app("app_id = \"482915736608214\"")).is_ok());
    let fault = "15: channel.page.app_id: must be the app's number, digits only; write for example app_id = \
                 \"482915736608214\"";
    assert_eq!(faults(&with_app("app_id = \"my app\"")), [fault]);
    let other = "app_id = \"482915736608214\"\n[channel.b]\nplatform = \"messenger\"\npath = \"/b\"\nbot = \"echo\"\n\
                 verify_token = { env = \"VERIFY\" }\napp_secret = { env = \"APP\" }\naccess_token = { env = \"TOKEN\" }\n\
                 app_id = \"482915736608214\"";
    let fault = "23: channel.b.app_id: channel page has this app too, and an app has one callback URL; take one away";
    assert_eq!(faults(&with_app(other)), [fault]);
}

#[test]
fn a_store_needs_an_engine_that_exists_and_a_folder() {
    each_is_one_fault(&[
        (
            "sqlite:ackd.db",
            "redis:6379",
            "2: store: there is no store \"redis\"; this version has sqlite, write store = \"sqlite:ackd.db\"",
        ),
        (
            "sqlite:ackd.db",
            "ackd.db",
            "2: store: \"ackd.db\" names no engine; this version has sqlite, write store = \"sqlite:ackd.db\"",
        ),
        ("sqlite:ackd.db", "sqlite:", "2: store: names no file; write store = \"sqlite:ackd.db\""),
        (
            "sqlite:ackd.db",
            "sqlite::memory:",
            "2: store: a store in memory forgets what it acknowledged; write store = \"sqlite:ackd.db\"",
        ),
        (
            "sqlite:ackd.db",
            "sqlite:/nowhere/ackd.db",
            "2: store: the store's folder \"/nowhere\": No such file or directory (os error 2); make it first",
        ),
        ("sqlite:ackd.db", "sqlite:ackd.toml/x", "2: store: the store's folder \"ackd.toml\" is not a folder"),
        ("sqlite:ackd.db", "sqlite:folder.db", "2: store: \"folder.db\" is a folder; the store is a file"),
    ]);
}

#[test]
fn a_folder_that_systemd_makes_may_be_missing_before_the_first_start() {
    let of = |path: &str| with("sqlite:ackd.db", &format!("sqlite:{path}"));
    let config = parse(&of("/var/lib/bots/ackd.db")).unwrap();
    let told =
        "ackd.toml:2: store: /var/lib/bots is not there yet; systemd makes it at the first start (StateDirectory=)";
    assert_eq!((config.warnings, config.risks), (vec![told.to_owned()], vec![Risk::Odd]));
    assert_eq!(config.store, Path::new("/var/lib/bots/ackd.db"));
    assert_eq!(warnings(&of("/var/lib/ackd/ackd.db")), [""; 0]);
    for (path, folder) in [("/var/lib/a/b/ackd.db", "/var/lib/a/b"), ("/srv/ackd/ackd.db", "/srv/ackd")] {
        let fault =
            format!("2: store: the store's folder {folder:?}: No such file or directory (os error 2); make it first");
        assert_eq!(faults(&of(path)), [fault]);
    }
    // On another system nobody would make it.
    let nothing = |path: &Path| match path.to_str() {
        Some("") => Ok(true),
        _ => Err(io::Error::from_raw_os_error(2)),
    };
    let around = Surroundings { now: Moment(0), env: &env, read: &read, is_folder: &nothing, is_open: &|_| true };
    assert!(Config::parse_in(&of("/var/lib/bots/ackd.db"), Path::new("ackd.toml"), &around).is_err());
}

#[test]
fn a_channel_says_what_to_write() {
    each_is_one_fault(&[
        (
            "[channel.page]",
            "[channel.Page]",
            "6: channel.Page: a name has at most 32 of a-z, 0-9 and -, and begins with a letter; as in \"page\"",
        ),
        (
            "[channel.page]",
            "[channel.page-17]",
            "6: channel.page-17: reads like event 17 of channel page; write for example \"page17\"",
        ),
        (
            "\"messenger\"",
            "\"fax\"",
            "7: channel.page.platform: there is no platform \"fax\"; this version has messenger, webex",
        ),
        (
            "\"messenger\"",
            "\"mesenger\"",
            "7: channel.page.platform: there is no platform \"mesenger\"; did you mean \"messenger\"?",
        ),
        (
            "\"messenger\"",
            "\"webx\"",
            "7: channel.page.platform: there is no platform \"webx\"; did you mean \"webex\"?",
        ),
        ("platform =", "plattform =", "7: channel.page.plattform: unknown key; did you mean platform?"),
        (
            "platform = \"messenger\"",
            "",
            "6: channel.page.platform: is missing; write platform = \"messenger\" or platform = \"webex\"",
        ),
    ]);
}

#[test]
fn a_channel_says_what_to_write_into_its_keys() {
    let bot = "9: channel.page.bot: there is no bot";
    each_is_one_fault(&[
        ("path = \"/messenger\"", "", "6: channel.page.path: is missing; write path = \"/messenger\""),
        (
            "\"/messenger\"",
            "\"messenger/\"",
            "8: channel.page.path: \"messenger/\" must begin with a slash; write for example path = \"/messenger\"",
        ),
        ("\"/messenger\"", "\"/a?b\"", "8: channel.page.path: \"/a?b\" must end before the ? or #"),
        (
            "\"/messenger\"",
            "\"/a b\"",
            "8: channel.page.path: \"/a b\" holds white space or letters that a request line cannot hold",
        ),
        ("bot = \"echo\"", "bot = \"ehco\"", &format!("{bot} \"ehco\"; did you mean \"echo\"?")),
        ("bot = \"echo\"", "bot = \"sun\"", &format!("{bot} \"sun\"; write a table [bot.sun] with kind = \"echo\"")),
        (
            "api = \"https://graph.facebook.com/v25.0\"",
            "api = \"https://me:EAAcanary0123456789@host\"",
            "13: channel.page.api: must not hold a user name or password; write for example api = \
             \"https://graph.facebook.com/v25.0\"",
        ),
        (
            "appsecret_proof = false",
            "appsecret_proof = \"yes\"",
            "14: channel.page.appsecret_proof: must be true or false, not a text; write for example appsecret_proof = true",
        ),
    ]);
}

#[test]
fn a_bot_says_which_kinds_there_are() {
    each_is_one_fault(&[
        (
            "kind = \"echo\"",
            "kind = \"ecko\"",
            "17: bot.echo.kind: there is no kind of bot \"ecko\"; did you mean \"echo\"? kinds: echo, tour, solar, dota, digest",
        ),
        (
            "kind = \"echo\"",
            "kind = \"sun\"",
            "17: bot.echo.kind: there is no kind of bot \"sun\"; kinds: echo, tour, solar, dota, digest",
        ),
        ("kind = \"echo\"", "", "16: bot.echo.kind: is missing; write kind = \"echo\""),
    ]);
}

#[test]
fn a_solar_bot_says_whom_it_asks_and_its_slips_are_named() {
    let enphase = "[upstream.enphase]\napi = \"https://enphase.example\"\nper_day = 9\n";
    let sun = |keys: &str| {
        let bot = with("kind = \"echo\"\notherwise = \"what?\"", &format!("kind = \"solar\"\n{keys}"));
        format!("{bot}\n{enphase}")
    };
    for good in [
        "upstream = \"enphase\"",
        "upstream = \"enphase\"\nkilowatts_from = 0\nage = \"5m\"\nshape = \"v4\"",
        "upstream = \"enphase\"\nage = \"24h\"\nshape = \"v2\"\nuser_id = \"4d6a51330a\"",
    ] {
        assert_eq!(warnings(&sun(good)), [""; 0], "{good}");
    }
    let age = "18: bot.echo.age: must lie between \"5m\" and \"24h\"; write for example age = \"15m\"";
    for (keys, fault) in [
        ("", "16: bot.echo.upstream: is missing; write upstream = \"enphase\""),
        (
            "upstream = 7",
            "18: bot.echo.upstream: must be a text in quotes, not a number; write for example upstream = \"enphase\"",
        ),
        ("age = \"4m\"\nupstream = \"enphase\"", age),
        ("age = \"25h\"\nupstream = \"enphase\"", age),
        ("age = \"soon\"\nupstream = \"enphase\"", age),
        (
            "kilowatts_from = -1\nupstream = \"enphase\"",
            "18: bot.echo.kilowatts_from: must lie between 0 and 1000000000",
        ),
        ("upstream = \"enphas\"", "18: bot.echo.upstream: there is no upstream \"enphas\"; did you mean \"enphase\"?"),
        (
            "upstream = \"sunny\"",
            "18: bot.echo.upstream: there is no upstream \"sunny\"; write a table [upstream.sunny] with kind = \"enphase\"",
        ),
        ("shape = \"v3\"\nupstream = \"enphase\"", "18: bot.echo.shape: \"v3\" is no version; write \"v4\" or \"v2\""),
        ("shape = \"v2\"\nupstream = \"enphase\"", "16: bot.echo.user_id: is missing; write user_id = \"4d6a51330a\""),
    ] {
        assert_eq!(faults(&sun(keys)), [fault], "{keys}");
    }
    let unused = warnings(&sun("upstream = \"enphase\"\nuser_id = \"7\""));
    assert!(unused.contains(&"19: bot.echo.user_id: is of no use without shape = \"v2\"".to_owned()), "{unused:?}");
}

#[test]
fn a_dota_bot_says_whom_it_asks() {
    let dota = |keys: &str, upstream: &str| {
        let bot = with("kind = \"echo\"\notherwise = \"what?\"", &format!("kind = \"dota\"\n{keys}"));
        format!("{bot}\n{upstream}")
    };
    let opendota = "[upstream.opendota]\nkind = \"opendota\"\n";
    assert_eq!(warnings(&dota("upstream = \"opendota\"", opendota)), [""; 0]);
    for (keys, upstream, fault) in [
        ("", "", "16: bot.echo.upstream: is missing; write upstream = \"opendota\""),
        (
            "upstream = 7",
            opendota,
            "18: bot.echo.upstream: must be a text in quotes, not a number; write for example upstream = \"opendota\"",
        ),
        (
            "upstream = \"players\"",
            "",
            "18: bot.echo.upstream: there is no upstream \"players\"; write a table [upstream.players] with kind = \"opendota\"",
        ),
        (
            "upstream = \"Players!\"",
            "",
            "18: bot.echo.upstream: there is no upstream \"Players!\"; write a table [upstream.opendota] with kind = \"opendota\"",
        ),
    ] {
        assert_eq!(faults(&dota(keys, upstream)), [fault], "{keys}");
    }
}

/// A digest bot with these keys, and in the last lines `upstream`.
fn digest_of(keys: &str, upstream: &str) -> String {
    let graph = "[upstream.facebook]\napi = \"https://graph.example\"\nunlimited = true\n";
    let keys = format!("kind = \"digest\"\n{keys}\n{upstream}");
    with("kind = \"echo\"\notherwise = \"what?\"", &keys) + graph
}

fn digest(keys: &str) -> String {
    digest_of(keys, "zone = \"Europe/Berlin\"\nupstream = \"facebook\"")
}

/// Where it has pages.
const DOOR: &str = "path = \"/weekly\"\nsecret = { env = \"APP\" }";

#[test]
fn a_digest_bot_says_whose_week_it_tells() {
    for fine in [
        "",
        "page = \"104455667788990\"",
        "week_starts = \"sun\"\nshape = \"page\"",
        DOOR,
        "shape = \"recorded\"\ngroup = \"17\"",
    ] {
        assert_eq!(warnings(&digest(fine)), [""; 0], "{fine}");
        let config = parse(&digest(fine)).unwrap();
        let places: Vec<_> = config.pages.iter().map(|(name, bot)| (&**name, bot.place())).collect();
        let place = [("echo", Some("/weekly"))];
        assert_eq!(places, place[..usize::from(fine == DOOR)], "{fine}");
        assert!(!format!("{config:?}").contains(CANARY));
    }
    // Commands that read no secrets know the bot all the same.
    let outline = Outline::parse(&digest(DOOR), Path::new("ackd.toml"), &|_| None).unwrap();
    assert_eq!(outline.bots[0].kind, "digest");
}

#[test]
fn the_slips_of_a_digest_bot_are_named() {
    assert_eq!(
        faults(&digest_of("", "zone = \"UTC\"")),
        ["16: bot.echo.upstream: is missing; write upstream = \"facebook\""]
    );
    assert_eq!(
        faults(&digest_of("upstream = \"graph\"", "zone = \"UTC\"")),
        [
            "18: bot.echo.upstream: there is no upstream \"graph\"; write a table [upstream.graph] with kind = \"facebook\""
        ]
    );
    let id = "is no id, which is digits in quotes; write for example";
    for (keys, fault) in [
        (
            "page = 17",
            "18: bot.echo.page: must be a text in quotes, not a number; write for example page = \"104455667788990\"",
        ),
        (
            "page = \"roof\"",
            &*format!("18: bot.echo.page: \"roof\" {id} page = \"104455667788990\"; a page's id stands in its About"),
        ),
        (
            "group = \"17\"",
            "18: bot.echo.group: Facebook closed its groups to programs on 22 April 2024; write page for a page of yours, or shape = \"recorded\" for data that was recorded earlier",
        ),
        ("shape = \"recorded\"", "16: bot.echo.group: is missing; write group = \"1924443867832338\""),
        ("shape = \"group\"", "18: bot.echo.shape: \"group\" is no shape; write \"page\" or \"recorded\""),
        (
            "week_starts = \"Monday\"",
            "18: bot.echo.week_starts: \"Monday\" is no day of the week; they are \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"",
        ),
        ("path = \"/weekly\"", "16: bot.echo.secret: is missing; write secret = { env = \"WEEKLY_SECRET\" }"),
        (
            "secret = { env = \"APP\" }\npath = \"weekly\"",
            "19: bot.echo.path: \"weekly\" must begin with a slash; write for example path = \"/weekly\"",
        ),
        (
            "secret = { env = \"APP\" }\npath = \"/weekly/\"",
            "19: bot.echo.path: \"/weekly/\" must not end with a slash; write for example path = \"/weekly\"",
        ),
        (
            "path = \"/weekly\"\nsecret = \"0123456789/abcdef\"",
            "19: bot.echo.secret: goes into a link, so it may hold letters, digits and -._~ only; `openssl rand -hex 16` makes one",
        ),
        (
            "path = \"/messenger\"\nsecret = { env = \"APP\" }",
            "18: bot.echo.path: its pages at \"/messenger\" are in the way of channel page at \"/messenger\"; take another path",
        ),
    ] {
        assert_eq!(faults(&digest(keys)), [fault], "{keys}");
    }
}

#[test]
fn no_bot_has_its_pages_where_the_inspector_is() {
    const ADMIN: &str = "[admin]\nlisten = \"127.0.0.1:3001\"\n";
    for path in ["/events", "/events/list"] {
        let text = digest(&format!("path = \"{path}\"\nsecret = {{ env = \"APP\" }}"));
        assert!(parse(&text).is_ok(), "where there is no operator's door there is no inspector");
        let fault = format!(
            "18: bot.echo.path: its pages at \"{path}\" are in the way of the inspector at \"/events\"; take another path"
        );
        assert_eq!(faults(&format!("{text}{ADMIN}")), [fault]);
    }
    // Channels are at the other door.
    assert!(parse(&format!("{}{ADMIN}", BASE.replace("\"/messenger\"", "\"/events\""))).is_ok());
}

#[test]
fn a_bot_asks_an_upstream_of_the_kind_that_it_knows() {
    let enphase =
        "kind = \"enphase\"\nkey = { env = \"APP\" }\noauth = { client_id = \"a\", client_secret = { env = \"APP\" } }";
    let facebook = "kind = \"facebook\"\napp_id = \"1\"\napp_secret = { env = \"APP\" }\npublic_login = true";
    let opendota = "kind = \"opendota\"";
    let unknown = "api = \"https://other.example\"\nper_day = 9";
    let upstreams = [("enphase", enphase), ("facebook", facebook), ("opendota", opendota)];
    for (bot, asks) in [("solar", "enphase"), ("digest", "facebook"), ("dota", "opendota")] {
        let with = |keys: &str| format!("{BASE}[bot.it]\nkind = {bot:?}\nupstream = \"up\"\n[upstream.up]\n{keys}\n");
        assert!(parse(&with(unknown)).is_ok(), "{bot}");
        for (kind, keys) in upstreams {
            let wrong =
                format!("21: bot.it.upstream: \"up\" is of kind {kind:?}; a {bot} bot asks one of kind {asks:?}");
            match kind == asks {
                true => assert!(parse(&with(keys)).is_ok(), "{bot}"),
                false => assert_eq!(faults(&with(keys)), [wrong]),
            }
        }
    }
}

#[test]
fn what_a_digest_bot_has_no_use_for_is_a_warning() {
    let unset = faults(&digest("path = \"/weekly\"\nsecret = { env = \"NONE\" }"));
    assert!(unset[0].contains("bot.echo.secret: the environment variable NONE is not set"), "{unset:?}");
    assert_eq!(warnings(&digest("secret = { env = \"APP\" }")), ["18: bot.echo.secret: is of no use without path"]);
    let odd = warnings(&digest("shape = \"recorded\"\ngroup = \"17\"\npage = \"18\""));
    assert_eq!(odd, ["20: bot.echo.page: is of no use with shape = \"recorded\", which tells of a group"]);
}

#[test]
fn a_bot_is_known_with_what_it_asks() {
    let enphase = "[upstream.enphase]\napi = \"https://enphase.example\"\nper_day = 9\n";
    let weekly = "[bot.weekly]\nkind = \"digest\"\nupstream = \"enphase\"\npage = \"17\"\n";
    let text = format!("{BASE}[bot.sun]\nkind = \"solar\"\nupstream = \"enphase\"\n{weekly}{enphase}");
    let known = |name: &str, kind, upstream: Option<&str>, page: Option<&str>| KnownBot {
        name: name.to_owned(),
        kind,
        upstream: upstream.map(str::to_owned),
        page: page.map(str::to_owned),
    };
    let all = [
        known("echo", "echo", None, None),
        known("sun", "solar", Some("enphase"), None),
        known("weekly", "digest", Some("enphase"), Some("17")),
    ];
    assert_eq!(parse(&text).unwrap().bots, all);
    assert_eq!(Outline::parse(&text, Path::new("ackd.toml"), &|_| None).unwrap().bots, all);
}

#[test]
fn without_a_channel_there_is_nothing_to_do() {
    let none = "channel: there is no channel; write a table [channel.page] with platform = \"messenger\"";
    assert_eq!(faults("listen = \"127.0.0.1:1\""), [format!("1: {none}")]);
    assert_eq!(faults("listen = \"127.0.0.1:1\"\n[channel]"), [format!("2: {none}")]);
    assert_eq!(
        faults("channel = 3\nlisten = \"127.0.0.1:1\""),
        ["1: channel: must be tables with names; write [channel.page]"]
    );
    assert_eq!(faults("channel.a = 3\nlisten = \"127.0.0.1:1\""), ["1: channel.a: must be a table; write [channel.a]"]);
}

#[test]
fn a_page_id_is_digits_in_quotes() {
    assert_eq!(settings(BASE).page_id, None);
    let of = |value: &str| with("token_in_query = false", &format!("page_id = {value}"));
    assert_eq!(settings(&of("\"17\"")).page_id.as_deref(), Some("17"));
    let digits = "15: channel.page.page_id: must be the page's number, digits only; write for example page_id = \"100000000000001\"";
    for wrong in ["\"\"", "\"my page\"", "\"-1\""] {
        assert_eq!(faults(&of(wrong)), [digits], "{wrong}");
    }
    let quotes = "15: channel.page.page_id: must be a text in quotes, not a number; write for example page_id = \"100000000000001\"";
    assert_eq!(faults(&of("17")), [quotes]);
}

#[test]
fn two_channels_need_two_paths() {
    let channel = &BASE[BASE.find("[channel").unwrap()..BASE.find("[bot").unwrap()];
    let second = channel.replace("channel.page", "channel.space");
    let twice = "21: channel.space.path: channel page has \"/messenger\" too; each needs its own";
    assert_eq!(faults(&format!("{BASE}{second}")), [twice]);
    let config = parse(&format!("{BASE}{}", second.replace("/messenger", "/space"))).unwrap();
    assert_eq!(config.channels.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>(), ["page", "space"]);
}

#[test]
fn a_secret_comes_from_each_of_its_sources() {
    for source in ["{ env = \"OTHER\" }", "{ credential = \"app\" }", "{ file = \"/full/secret\" }"] {
        let text = with("{ env = \"APP\" }", source);
        assert_eq!(warnings(&text), [""; 0], "{source}");
        assert_eq!(settings(&text).app_secrets, [Secret::new(CANARY)], "{source}");
    }
    let both = with("{ env = \"APP\" }", "[{ env = \"APP\" }, { file = \"/full/open\" }]");
    assert_eq!(settings(&both).app_secrets, [Secret::new(CANARY), Secret::new(CANARY)]);
    let open = "11: channel.page.app_secret.file: everybody on this machine can read \"/full/open\"; chmod o-r takes that away";
    assert_eq!(warnings(&both), [open]);
    let plain = with("{ env = \"APP\" }", "\"EAAcanary0123456789\"");
    assert_eq!(settings(&plain).app_secrets, [Secret::new(CANARY)]);
    let told = "11: channel.page.app_secret: stands in this file for all to read; { env = \"APP_SECRET\" } is safer";
    assert_eq!(warnings(&plain), [told]);
    let risks = |text: &str| parse(text).unwrap().risks;
    let idle = format!("{plain}[bot.idle]\nkind = \"echo\"\n");
    assert_eq!((risks(&both), risks(&idle)), (vec![Risk::Danger], vec![Risk::InClear, Risk::Odd]));
}

#[test]
fn a_secret_in_the_file_is_for_all_to_read_only_where_the_file_is() {
    let text = with("{ env = \"APP\" }", "\"EAAcanary0123456789\"");
    let around = Surroundings { is_folder: &is_here, is_open: &|_| false, ..on_paper(&env, &read) };
    let config = Config::parse_in(&text, Path::new("ackd.toml"), &around).unwrap();
    let told = "ackd.toml:11: channel.page.app_secret: stands in this file; copies of it take the secret along; \
                { env = \"APP_SECRET\" } is safer";
    assert_eq!((config.warnings, config.risks), (vec![told.to_owned()], vec![Risk::InClear]));
}

#[test]
fn a_variable_that_nobody_fills_in_is_a_warning() {
    for text in ["$MESSENGER_APP_SECRET", "${MESSENGER_APP_SECRET}"] {
        let told = "11: channel.page.app_secret: looks like a variable, and none is filled in here; write { env = \
                    \"MESSENGER_APP_SECRET\" }";
        assert_eq!(warnings(&with("{ env = \"APP\" }", &format!("{text:?}"))), [told]);
    }
    // These may be secrets, so they are not shown.
    for text in ["$ecret-canary", "$1234567", "$ABCDEFGH12345", "${canary", "$canary12"] {
        let [told] = &warnings(&with("{ env = \"APP\" }", &format!("{text:?}")))[..] else { panic!("{text}") };
        assert!(told.contains("stands in this file for all to read") && !told.contains(text), "{told}");
    }
}

#[test]
fn a_files_name_that_stands_for_a_secret_is_a_warning_that_does_not_show_it() {
    let warnings = |is_folder: &dyn Fn(&Path) -> io::Result<bool>| {
        let text = with("{ env = \"APP\" }", "\"/etc/ackd/canary\"");
        let looked = |path: &Path| if path.starts_with("/etc") { is_folder(path) } else { is_here(path) };
        let around = Surroundings { is_folder: &looked, ..on_paper(&env, &read) };
        Config::parse_in(&text, Path::new("ackd.toml"), &around).unwrap().warnings
    };
    let told = "ackd.toml:11: channel.page.app_secret: is the name of a file, and would be taken for the secret itself; \
                write { file = \"…\" } around it";
    assert_eq!(warnings(&|_| Ok(false)), [told]);
    assert_eq!(warnings(&|_| Err(io::ErrorKind::PermissionDenied.into())), [told]);
    for nothing in [&|_: &Path| Ok(true), &|_: &Path| Err(io::ErrorKind::NotFound.into())] as [&dyn Fn(&Path) -> _; 2] {
        let [told] = &warnings(nothing)[..] else { panic!("one warning") };
        assert!(told.contains("stands in this file for all to read") && !told.contains("canary"), "{told}");
    }
}

#[test]
fn a_secret_that_can_be_guessed_is_a_warning_wherever_it_comes_from() {
    let told =
        "is shorter than 8 characters; so short a secret can be guessed, `openssl rand -hex 16` makes a better one";
    let env = |name: &str| if name == "SHORT" { Some("seven77".to_owned()) } else { env(name) };
    let read = |_: &Path| Ok(Found { bytes: b"seven77\n".to_vec(), mode: 0o100_600 });
    let around = Surroundings { is_folder: &is_here, ..on_paper(&env, &read) };
    let warnings = |source: &str| {
        let text = with("{ env = \"APP\" }", source);
        Config::parse_in(&text, Path::new("ackd.toml"), &around).unwrap().warnings
    };
    for source in ["{ env = \"SHORT\" }", "{ file = \"/short\" }", "{ credential = \"short\" }", "\"seven77\""] {
        let warnings = warnings(source);
        let short = warnings.iter().filter(|warning| warning.ends_with(told)).count();
        assert_eq!((short, warnings.len()), (1, if source.starts_with('{') { 1 } else { 2 }), "{warnings:?}");
        assert!(!warnings.concat().contains("seven77"), "{warnings:?}");
    }
    assert_eq!(warnings("\"eight888\"").len(), 1);
}

/// What the platform of BASE's channel is built from.
fn settings(text: &str) -> messenger::Settings {
    of_the_first_channel(text, channel::messenger_of)
}

/// What the platform of WEBEX's channel is built from.
fn webex_settings(text: &str) -> webex::Settings {
    of_the_first_channel(text, channel::webex_of)
}

fn of_the_first_channel<T>(text: &str, settings: fn(&Entry<'_>, &Around<'_>, &mut Findings<'_>) -> Option<T>) -> T {
    let (tree, _) = DeTable::parse_recoverable(text);
    let mut findings = Findings::new(text, Path::new("ackd.toml"));
    let top = Table::open(Place { key: String::new(), line: 1 }, tree.get_ref(), TOP, &mut findings);
    let channels = top.get("channel", &findings).unwrap();
    let (_, entry) = channels.tables(&mut findings).remove(0);
    let world = Surroundings { now: Moment(0), env: &env, read: &read, is_folder: &|_| Ok(true), is_open: &|_| true };
    let around = Around { world, file: Path::new("ackd.toml"), secrets: Secrets::Read };
    settings(&entry, &around, &mut findings).unwrap()
}

/// A Webex bot with all that has no default.
const WEBEX: &str = r#"listen = "127.0.0.1:3000"
[channel.space]
platform = "webex"
path = "/webex"
bot = "echo"
access_token = { env = "TOKEN" }
secret = { env = "APP" }
[bot.echo]
kind = "echo"
"#;

/// WEBEX with further lines in its channel.
fn webex_with(lines: &str) -> String {
    WEBEX.replace("[bot.echo]", &format!("{lines}\n[bot.echo]"))
}

#[test]
fn a_webex_bot_needs_a_token_and_a_secret_and_the_rest_has_defaults() {
    use crate::model::Secret;
    use crate::platform::webex::{Replies, Settings};
    let config = parse(WEBEX).unwrap();
    let [space] = config.channels.as_slice() else { panic!("{config:?}") };
    assert_eq!((space.platform.name(), space.path.as_str(), config.warnings.len()), ("webex", "/webex", 0));
    let canary = || Secret::new(CANARY);
    let settings = Settings::new(canary(), vec![canary()]);
    assert_eq!(settings.api, "https://webexapis.com/v1");
    assert_eq!((settings.greeting.as_deref(), settings.replies, settings.bots_may_talk), (None, Replies::Room, false));
    assert_eq!(webex_settings(WEBEX), settings);
    let keys = "api = \"http://127.0.0.1:1/v1/\"\ngreeting = \"Hi!\"\nreplies = \"thread\"\nbots = true";
    let text = webex_with(keys).replace("{ env = \"APP\" }", "[{ env = \"APP\" }, { env = \"OTHER\" }]");
    let expected = Settings {
        api: "http://127.0.0.1:1/v1".to_owned(),
        greeting: Some("Hi!".to_owned()),
        replies: Replies::Thread,
        bots_may_talk: true,
        ..Settings::new(canary(), vec![canary(), canary()])
    };
    assert_eq!(webex_settings(&text), expected);
    assert_eq!(parse(&text).unwrap().warnings, [""; 0]);
}

#[test]
fn a_webex_bot_says_what_to_write() {
    let space = |line: &str| format!("8: channel.space.{line}");
    for (lines, fault) in [
        ("greting = \"Hi\"", space("greting: unknown key; did you mean greeting?")),
        (
            "verify_token = \"x\"",
            space(
                "verify_token: unknown key; what may stand here: platform, path, bot, access_token, secret, api, greeting, replies, bots",
            ),
        ),
        (
            "greeting = \" \"",
            space("greeting: is empty; take the key away, and the bot says nothing when it comes into a room"),
        ),
        (
            "replies = \"threads\"",
            space("replies: \"threads\" is nowhere; did you mean \"thread\"? write \"room\" or \"thread\""),
        ),
        ("replies = \"attic\"", space("replies: \"attic\" is nowhere; write \"room\" or \"thread\"")),
        ("bots = 1", space("bots: must be true or false, not a number; write for example bots = true")),
        (
            "api = \"webexapis.com\"",
            space(
                "api: must begin with https://, or on this machine with http://; write for example api = \
                 \"https://webexapis.com/v1\"",
            ),
        ),
    ] {
        assert_eq!(faults(&webex_with(lines)), [fault], "{lines}");
    }
    let without = |line: &str| faults(&WEBEX.replace(line, ""));
    assert_eq!(
        without("secret = { env = \"APP\" }\n"),
        ["2: channel.space.secret: is missing; write secret = { env = \"WEBEX_WEBHOOK_SECRET\" }"]
    );
    assert_eq!(
        without("access_token = { env = \"TOKEN\" }\n"),
        ["2: channel.space.access_token: is missing; write access_token = { env = \"WEBEX_TOKEN\" }"]
    );
    let mistyped = WEBEX.replace("platform", "platfrom");
    assert_eq!(faults(&mistyped), ["3: channel.space.platfrom: unknown key; did you mean platform?"]);
}

#[test]
fn the_operators_door_is_on_this_machine_and_on_no_public_address() {
    let at = |listen: &str| faults(&format!("{WEBEX}\n[admin]\nlisten = {listen}\n"));
    let line = WEBEX.lines().count() + 3;
    for (listen, what) in [
        ("\"0.0.0.0:3001\"", "0.0.0.0:3001 can be reached from outside, and whoever reaches it is the operator"),
        ("\"192.168.1.2:3001\"", "192.168.1.2:3001 can be reached from outside"),
        ("\"127.0.0.1:3000\"", "127.0.0.1:3000 is a public address already, in listen; take another port"),
        (
            "\"unix:admin.sock\"",
            "\"unix:admin.sock\" is no whole path; write for example \"unix:/run/ackd/admin.sock\"",
        ),
        ("\"unix:/run/ackd/\"", "\"unix:/run/ackd/\" is no whole path"),
    ] {
        let told = at(listen);
        assert!(told.len() == 1 && told[0].starts_with(&format!("{line}: admin.listen: {what}")), "{told:?}");
    }
    for listen in ["\"127.0.0.1:3001\"", "[\"127.0.0.1:3001\", \"[::1]:3001\"]"] {
        let config = parse(&format!("{WEBEX}\n[admin]\nlisten = {listen}\n")).unwrap();
        assert!(
            config.admin.addresses.iter().all(|address| address.port() == 3001) && !config.admin.addresses.is_empty()
        );
        assert_eq!(config.admin.socket, None);
    }
    let config = parse(&format!("{WEBEX}\n[admin]\nlisten = \"unix:/run/ackd/admin.sock\"\n")).unwrap();
    assert_eq!(config.admin.socket.as_deref(), Some(Path::new("/run/ackd/admin.sock")));
    assert_eq!(config.admin.to_string(), "unix:/run/ackd/admin.sock");
    let told = at("[\"unix:/a\", \"127.0.0.1:3001\", \"unix:/b\"]");
    assert!(told.len() == 1 && told[0].contains("is a second unix socket"), "{told:?}");
    // Platforms do not come in by a socket of this machine.
    let told = faults(&WEBEX.replace("\"127.0.0.1:3000\"", "\"unix:/run/ackd/public.sock\""));
    assert!(told.len() == 1 && told[0].contains("write for example \"127.0.0.1:3000\""), "{told:?}");
}

#[test]
fn the_operators_door_may_want_a_token_that_nobody_guesses() {
    let with = |listen: &str, token: &str| format!("{WEBEX}\n[admin]\nlisten = {listen}\ntoken = {token}\n");
    let at = |token: &str| with("\"127.0.0.1:3001\"", token);
    let config = parse(&at("{ env = \"OTHER\" }")).unwrap();
    assert_eq!((config.admin_tokens, config.warnings), (vec![Secret::new(CANARY)], Vec::new()));
    assert_eq!(parse(&at("[{ env = \"OTHER\" }, { credential = \"app\" }]")).unwrap().admin_tokens.len(), 2);
    assert_eq!(parse(&format!("{WEBEX}\n[admin]\nlisten = \"127.0.0.1:3001\"\n")).unwrap().admin_tokens, []);
    let line = WEBEX.lines().count() + 4;
    for (token, what) in [
        (
            "{ env = \"FIFTEEN\" }",
            "is shorter than 16 characters, and whoever guesses it is the operator; `openssl rand",
        ),
        ("[{ env = \"OTHER\" }, { env = \"FIFTEEN\" }]", "is shorter than 16 characters"),
        ("[]", "must be one secret, or a list of two while rotating; token = { env = \"ACKD_TOKEN\" }"),
        ("[{ env = \"A\" }, { env = \"B\" }, { env = \"C\" }]", "must be one secret, or a list of two"),
        ("{ env = \"SPACED\" }", "begins or ends with white space"),
        ("{ env = \"UMLAUT\" }", "holds white space or characters that no header may hold"),
        ("{ env = \"NOWHERE\" }", "the environment variable NOWHERE is not set"),
    ] {
        let told = faults(&at(token));
        assert!(told.len() == 1 && told[0].starts_with(&format!("{line}: admin.token: {what}")), "{told:?}");
    }
    let told = format!("{line}: admin.token: is asked for at addresses alone, and listen has none");
    assert_eq!(warnings(&with("\"unix:/run/ackd/admin.sock\"", "{ env = \"OTHER\" }")), [told]);
    assert_eq!(warnings(&with("\"systemd\"", "{ env = \"OTHER\" }")), [""; 0]);
    // Whoever only asks where the store is has no token, and a trial has another door.
    assert!(Outline::parse(&at("{ env = \"NOWHERE\" }"), Path::new("ackd.toml"), &|_| None).is_ok());
    let stage = Stage { house: "http://127.0.0.1:9".to_owned(), seed: 1 };
    let staged = Config::staged(&at("{ env = \"NOWHERE\" }"), Path::new("ackd.toml"), &|_| None, &stage);
    assert_eq!(staged.unwrap().admin_tokens, []);
}

#[test]
fn a_webhook_secret_beyond_ascii_is_a_warning() {
    let told =
        "7: channel.space.secret: has more than plain ASCII characters; Webex may sign with other bytes than these";
    assert_eq!(warnings(&WEBEX.replace("APP", "UMLAUT")), [told]);
}

/// The configuration that DESIGN.md §5 shows.
const DESIGNED: &str = r#"
    # ackd.toml: TOML, unknown keys are faults
    listen  = "127.0.0.1:3000"        # one or a list; "systemd" takes the sockets that systemd hands over
    store   = "sqlite:ackd.db"        # relative to $STATE_DIRECTORY, else to this file
    workers = 4                       # 0 keeps and acknowledges, but hears nothing (maintenance, the bench)
    public_url = "https://bots.example.org"       # or "ngrok": ask the agent on 127.0.0.1:4040

    [admin]
    listen = "127.0.0.1:3001"

    [channel.page]
    platform     = "messenger"
    path         = "/messenger"
    bot          = "echo"
    verify_token = { env = "MESSENGER_VERIFY_TOKEN" }
    app_secret   = { credential = "messenger_app_secret" }    # or a list of two while rotating
    access_token = { file = "/etc/ackd/page_token" }
    api          = "https://graph.facebook.com/v25.0"         # the default; tests and twins put theirs here

    [channel.space]
    platform     = "webex"
    path         = "/webex"
    bot          = "echo"
    access_token = { env = "WEBEX_TOKEN" }
    secret       = { env = "WEBEX_WEBHOOK_SECRET" }
    api          = "https://webexapis.com/v1"

    [bot.echo]
    kind = "echo"
"#;

#[test]
fn the_configuration_of_the_design_has_no_faults() {
    let env = |name: &str| match name {
        "MESSENGER_VERIFY_TOKEN" | "WEBEX_TOKEN" | "WEBEX_WEBHOOK_SECRET" => Some(CANARY.to_owned()),
        "CREDENTIALS_DIRECTORY" => Some("/credentials".to_owned()),
        _ => None,
    };
    let read = |path: &Path| match path.to_str().unwrap() {
        "/credentials/messenger_app_secret" | "/etc/ackd/page_token" => read(Path::new("/full/secret")),
        _ => Err(io::Error::from_raw_os_error(2)),
    };
    let around = on_paper(&env, &read);
    let config = Config::parse_in(DESIGNED, Path::new("ackd.toml"), &around).unwrap_or_else(|error| panic!("{error}"));
    let platforms: Vec<_> = config.channels.iter().map(|channel| channel.platform.name()).collect();
    assert_eq!((platforms, config.warnings.len()), (vec!["messenger", "webex"], 0));
    let outline = outline(DESIGNED).unwrap();
    let cut = |number: usize| (outline.channels[number].fit)(crate::model::Reply::text("1", "é".repeat(2000)));
    // Messenger counts characters and takes 1999, Webex counts bytes and takes 7439.
    assert_eq!((cut(0).unwrap().len(), cut(1).unwrap().len()), (2, 1));
}

#[test]
fn a_secret_that_cannot_be_used_says_why_and_never_shows_itself() {
    for (source, fault) in [
        (
            "{ env = \"MESSENGER_SECRET\" }",
            "the environment variable MESSENGER_SECRET is not set; set it (`set -a; . ./secrets.env; set +a` in this \
             terminal?), or write { file = \"/etc/ackd/page_access_token\" }",
        ),
        (
            "{ env = \"EAAcanary0123456789\" }",
            "the environment variable named here is not set; set it (`set -a; . ./secrets.env; set +a` in this \
             terminal?), or write { file = \"/etc/ackd/page_access_token\" }",
        ),
        ("{ env = \"EMPTY\" }", "the environment variable EMPTY is set, but empty"),
        ("{ env = \"SPACED\" }", "begins or ends with white space; take it away"),
        ("{ env = \"BROKEN\" }", "holds white space or characters that no header may hold; copy it again in one piece"),
        ("{ env = \"UMLAUT\" }", "holds white space or characters that no header may hold; copy it again in one piece"),
        (
            "{ file = \"EAAcanary0123456789\" }",
            "the file's name is not a full path; write for example { file = \"/etc/ackd/app_secret\" }",
        ),
        ("{ file = \"/full/missing\" }", "cannot read \"/full/missing\": No such file or directory (os error 2)"),
        ("{ file = \"/full/forbidden\" }", "cannot read \"/full/forbidden\": Permission denied (os error 13)"),
        ("{ file = \"/full/folder\" }", "cannot read \"/full/folder\": Is a directory (os error 21)"),
        ("{ file = \"/full/empty\" }", "\"/full/empty\" is empty"),
        ("{ file = \"/full/large\" }", "\"/full/large\" is larger than 64 KiB; that is no secret"),
        ("{ file = \"/full/binary\" }", "\"/full/binary\" is not UTF-8 text"),
        (
            "{ credential = \"missing\" }",
            "cannot read the credential missing: No such file or directory (os error 2); the unit needs LoadCredential= for it",
        ),
        (
            "{ credential = \"../app\" }",
            "a credential's name is a plain word; write for example { credential = \"app_secret\" }",
        ),
        (
            "{ env = \"TOKEN\", file = \"/full/secret\" }",
            "says more than once where the secret is; write access_token = { env = \"MESSENGER_ACCESS_TOKEN\" }",
        ),
        ("{}", "says nowhere where the secret is; write access_token = { env = \"MESSENGER_ACCESS_TOKEN\" }"),
        ("\"\"", "is empty"),
        (
            "3",
            "must be { env = … }, { file = … } or { credential = … }, not a number; write for example access_token = { env = \"MESSENGER_ACCESS_TOKEN\" }",
        ),
    ] {
        let fault = format!("12: channel.page.access_token: {fault}");
        assert_eq!(faults(&with("{ env = \"TOKEN\" }", source)), [fault], "{source}");
    }
    let unknown = with("{ env = \"TOKEN\" }", "{ envv = \"EAAcanary0123456789\" }");
    assert_eq!(faults(&unknown), ["12: channel.page.access_token.envv: unknown key; did you mean env?"]);
    let three = with("{ env = \"APP\" }", "[\"a\", \"b\", \"c\"]");
    let list = "11: channel.page.app_secret: must be one secret, or a list of two while rotating; app_secret = { env = \"MESSENGER_APP_SECRET\" }";
    assert_eq!(faults(&three), [list]);
}

#[test]
fn without_systemd_there_are_no_credentials() {
    let text = with("{ env = \"APP\" }", "{ credential = \"app\" }");
    let env = |name: &str| env(name).filter(|_| name != "CREDENTIALS_DIRECTORY");
    let around = Surroundings { is_folder: &is_here, ..on_paper(&env, &read) };
    let error = Config::parse_in(&text, Path::new("ackd.toml"), &around).unwrap_err();
    let told = "ackd.toml:11: channel.page.app_secret: there are no credentials ($CREDENTIALS_DIRECTORY is not set); \
                systemd hands them over with LoadCredential=, elsewhere write { env = … } or { file = … }";
    assert_eq!(error.to_string(), told);
}

/// An outline in surroundings that end the test when a secret is asked for.
fn outline(text: &str) -> Result<Outline, ConfigError> {
    let env = |name: &str| match name {
        "STATE_DIRECTORY" => None,
        _ => panic!("${name} is no business of an outline"),
    };
    let read = |path: &Path| -> io::Result<Found> { panic!("{} is no business of an outline", path.display()) };
    let around = Surroundings { is_folder: &is_here, ..on_paper(&env, &read) };
    Outline::parse_in(text, Path::new("ackd.toml"), &around)
}

#[test]
fn an_outline_is_made_without_reading_a_secret() {
    for source in
        ["{ env = \"APP\" }", "{ credential = \"app\" }", "{ file = \"/full/missing\" }", "[{ env = \"A\" }, \"b\"]"]
    {
        let outline = outline(&with("{ env = \"APP\" }", source)).unwrap();
        assert_eq!(outline.store, Path::new("ackd.db"), "{source}");
        let [page] = outline.channels.as_slice() else { panic!("{outline:?}") };
        assert_eq!((page.name.as_str(), (page.fit)(crate::model::Reply::text("1", "Hi")).unwrap().len()), ("page", 1));
    }
}

#[test]
fn an_outline_has_the_faults_that_need_no_secret_to_be_seen() {
    for source in [
        "{ file = \"secret\" }",
        "{ credential = \"../app\" }",
        "{ envv = \"APP\" }",
        "{}",
        "\" spaced\"",
        "3",
        "{ env = \"APP\", file = \"/a\" }",
    ] {
        let text = with("{ env = \"APP\" }", source);
        assert_eq!(outline(&text).unwrap_err(), parse(&text).unwrap_err(), "{source}");
    }
    let text = with("bot = \"echo\"", "bot = \"ecko\"");
    assert_eq!(outline(&text).unwrap_err(), parse(&text).unwrap_err());
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_their_lines() {
    let text = "listen = \"localhost:80\"\nstore = \"redis:x\"\nworkers = 99\nconnections = \"many\"\npublic_url = \"ngrk\"\n\
                [channel.page-1]\nplatform = \"messenger\"\npath = \"x\"\nbot = \"eco\"\napp_secret = { env = \"NO\" }\n\
                acces_token = \"EAAcanary0123456789\"\nkolour = 1\n[bot.echo]\nkind = \"echos\"\n";
    let keys: Vec<_> =
        parse(text).unwrap_err().faults.iter().map(|fault| (fault.line.unwrap(), fault.key.clone())).collect();
    let page = |key: &str| format!("channel.page-1.{key}");
    let expected = [
        (1, "listen".into()),
        (2, "store".into()),
        (3, "workers".into()),
        (4, "connections".into()),
        (5, "public_url".into()),
        (6, "channel.page-1".into()),
        (6, page("verify_token")),
        (8, page("path")),
        (9, page("bot")),
        (10, page("app_secret")),
        (11, page("acces_token")),
        (12, page("kolour")),
        (14, "bot.echo.kind".into()),
    ];
    assert_eq!(keys, expected);
}

#[test]
fn what_is_not_toml_names_its_line() {
    assert_eq!(faults("listen = \"a\n\nx = [1\n")[0], "1: not TOML: invalid basic string, expected `\"`");
    for torn in [
        "\"EAAcanary0123456789",
        "EAAcanary0123456789",
        "\"a\" EAAcanary0123456789",
        "{ EAAcanary0123456789 }",
        "\"\\EAAcanary0123456789\"",
    ] {
        assert!(faults(&with("{ env = \"TOKEN\" }", torn))[0].starts_with("12: not TOML: "), "{torn}");
    }
    assert_eq!(faults("a = 1\na = 2\n"), ["2: not TOML: duplicate key"]);
    assert_eq!(faults("\n\nlisten =\n"), ["3: not TOML: string values must be quoted, expected literal string"]);
}

#[test]
fn a_file_of_another_kind_is_not_told_line_by_line() {
    let error = parse(&"this is no configuration\n".repeat(148)).unwrap_err();
    assert_eq!((error.faults.len(), error.more), (10, 138));
    assert_eq!(error.faults.last().unwrap().line, Some(10));
    assert!(error.to_string().ends_with("\n… and 138 more; is this the right file?"), "{error}");
    let error = parse(&"this is no configuration\n".repeat(10)).unwrap_err();
    assert_eq!((error.faults.len(), error.more, error.to_string().lines().count()), (10, 0, 10));
}

#[test]
fn what_is_allowed_but_hardly_meant_is_a_warning() {
    let http = with("api = \"https://graph.facebook.com/v25.0\"", "api = \"http://10.0.0.1:80/\"");
    let told = "13: channel.page.api: http:// shows the access token to everybody on the way; write https://";
    assert_eq!(warnings(&http), [told]);
    assert_eq!(settings(&http).api, "http://10.0.0.1:80");
    let loopback = with("api = \"https://graph.facebook.com/v25.0\"", "api = \"http://127.0.0.1:8080/v25.0/\"");
    assert_eq!((warnings(&loopback), settings(&loopback).api.as_str()), (Vec::new(), "http://127.0.0.1:8080/v25.0"));
    assert_eq!(warnings(&format!("{BASE}[bot.idle]\nkind = \"echo\"\n")), ["19: bot.idle: no channel uses this bot"]);
}

#[test]
fn words_that_are_quoted_are_short_and_on_one_line() {
    let path = format!("/{}\\n", "a".repeat(100));
    let told = format!(
        "8: channel.page.path: \"/{}\"… holds white space or letters that a request line cannot hold",
        "a".repeat(59)
    );
    assert_eq!(faults(&with("\"/messenger\"", &format!("\"{path}\""))), [told]);
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("ackd-config-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self, name: &str, text: &[u8], mode: u32) -> String {
        let file = self.0.join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn files_are_read_from_the_disk() {
    let folder = Folder::new("disk");
    let secret = folder.file("secret", b"s3cret-s3cret\n", 0o600);
    let large = folder.file("large", &[b'x'; limits::SECRET_BYTES_MAX + 1], 0o600);
    let open = folder.file("open", b"s3cret-s3cret", 0o604);
    let itself = folder.0.join("loop");
    std::os::unix::fs::symlink(&itself, &itself).unwrap();
    let text = with("{ env = \"APP\" }", &format!("{{ file = {secret:?} }}"))
        .replace("{ env = \"VERIFY\" }", "{ credential = \"open\" }")
        .replace("{ env = \"TOKEN\" }", &format!("{{ file = {open:?} }}"));
    let credentials = folder.0.to_str().unwrap().to_owned();
    let env = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| credentials.clone());
    let file = folder.0.join("ackd.toml");
    fs::write(&file, &text).unwrap();
    let config = Config::load(&file, &env).unwrap();
    assert_eq!(config.store, folder.0.join("ackd.db"));
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    let words = |path: &str| {
        let error = Config::parse(&text.replace(&secret, path), &file, &env).unwrap_err();
        assert_eq!((error.faults.len(), error.faults[0].line), (1, Some(11)), "{error}");
        error.faults[0].what.rsplit_once(": ").map_or(error.faults[0].what.clone(), |(_, words)| words.to_owned())
    };
    assert_eq!(words(itself.to_str().unwrap()), "Too many levels of symbolic links (os error 40)");
    assert_eq!(words("/nowhere"), "No such file or directory (os error 2)");
    assert_eq!(words(folder.0.to_str().unwrap()), "is a directory");
    assert_eq!(words("/dev/null"), "not a regular file");
    assert!(words(&large).ends_with("is larger than 64 KiB; that is no secret"));
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault_of_the_whole() {
    let folder = Folder::new("whole");
    let load = |file: &str| Config::load(Path::new(file), &env).unwrap_err().to_string();
    assert_eq!(
        load("/nowhere/ackd.toml"),
        "/nowhere/ackd.toml: cannot be read: No such file or directory (os error 2)"
    );
    let latin = folder.file("latin.toml", b"# one\n# two \xe4\n", 0o600);
    assert_eq!(load(&latin), format!("{latin}: line 2 is not UTF-8 text; save the file as UTF-8"));
    let large = folder.file("large.toml", &[b'#'; limits::CONFIG_BYTES_MAX + 1], 0o600);
    assert_eq!(load(&large), format!("{large}: is larger than 1024 KiB"));
}

#[test]
fn the_store_lies_in_the_state_directory_if_there_is_one() {
    let state = |name: &str| env(name).or((name == "STATE_DIRECTORY").then(|| "/var/lib/ackd:/var/lib/more".into()));
    let around = on_paper(&state, &read);
    let store = |text: &str, file: &str| Config::parse_in(text, Path::new(file), &around).unwrap().store;
    assert_eq!(store(BASE, "/etc/ackd/ackd.toml"), Path::new("/var/lib/ackd/ackd.db"));
    assert_eq!(store(&with("sqlite:ackd.db", "sqlite:/srv/ackd.db"), "ackd.toml"), Path::new("/srv/ackd.db"));
    let around = Surroundings { env: &env, ..around };
    let beside = Config::parse_in(BASE, Path::new("/etc/ackd/ackd.toml"), &around).unwrap().store;
    assert_eq!(beside, Path::new("/etc/ackd/ackd.db"));
}

#[test]
fn the_shipped_examples_have_no_faults() {
    let around = on_paper(&env, &|_| read(Path::new("/full/secret")));
    let full =
        Config::parse_in(include_str!("../../examples/ackd.toml"), Path::new("/etc/ackd/ackd.toml"), &around).unwrap();
    assert_eq!((full.channels.len(), full.warnings.len()), (1, 0), "{:?}", full.warnings);
    // In the service and in a shell the same.
    assert_eq!(full.store, Path::new("/var/lib/ackd/ackd.db"));
    let text = include_str!("../../examples/ackd.toml");
    let state = |name: &str| (name == "STATE_DIRECTORY").then(|| "/var/lib/private/ackd".to_owned());
    for env in [&state as &dyn Fn(&str) -> Option<String>, &|_| None] {
        let outline =
            Outline::parse_in(text, Path::new("/etc/ackd/ackd.toml"), &Surroundings { env, ..around }).unwrap();
        assert_eq!(outline.store, full.store);
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/echo.toml");
    let echo = Config::load(&file, &|_| None).unwrap();
    assert_eq!((echo.channels.len(), echo.warnings.len()), (1, 3), "{:?}", echo.warnings);
    assert!(echo.listen.addresses.iter().all(|address| address.ip().is_loopback()));
}

#[test]
fn the_example_for_twins_plays_everything_on_this_machine_and_can_be_tried_as_it_is() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/twin.toml");
    let config = Config::load(&file, &|_| None).unwrap();
    assert!(config.risks.iter().all(|risk| matches!(risk, Risk::InClear)), "{:?}", config.warnings);
    let here = |url: &str| url.starts_with("http://127.0.0.1:3900/");
    for channel in &config.channels {
        let Account::Messenger(account) = &channel.account else { panic!("{channel:?}") };
        assert_eq!(account.api, format!("http://127.0.0.1:3900/{}", channel.name));
    }
    assert!(config.upstreams.iter().all(|upstream| here(&upstream.api)), "{:?}", config.upstreams);
    assert!(config.upstreams.iter().filter_map(Upstream::facebook).all(|facebook| here(&facebook.dialog)));
    let stage = Stage { house: "http://127.0.0.1:1".to_owned(), seed: 7 };
    let staged = Config::staged(&text_of(&file).unwrap(), &file, &|_| None, &stage).unwrap();
    let apis: Vec<_> = staged.upstreams.iter().map(|upstream| &*upstream.api).collect();
    assert_eq!(apis, ["http://127.0.0.1:1/opendota/api", "http://127.0.0.1:1/facebook/v25.0"]);
}

#[test]
fn the_full_example_shows_every_key() {
    let text = include_str!("../../examples/ackd.toml");
    let lines: Vec<_> = text.lines().map(|line| line.trim_start_matches(['#', ' '])).collect();
    let starts = |words: String| move |line: &&str| line.starts_with(&words);
    let mut tables: Vec<(String, &[Key])> = vec![(String::new(), TOP)];
    tables.extend(channel::keys().into_iter().map(|(name, keys)| (format!("platform = {name:?}"), keys)));
    tables.extend(bot::keys().into_iter().map(|(name, keys)| (format!("kind = {name:?}"), keys)));
    tables.push(("kind = \"facebook\"".to_owned(), facebook::KEYS));
    for (table, keys) in tables {
        // A table ends where the next one begins.
        let first = lines.iter().position(starts(table.clone())).unwrap_or_else(|| panic!("{table} is not shown"));
        let shown: Vec<_> =
            lines[first..].iter().take_while(|line| !line.starts_with('[') || line.contains(' ')).collect();
        for Key { name, .. } in keys.iter().filter(|key| {
            !["tls", "admin", "channel", "bot", "subscription", "upstream"].contains(&key.name) || !table.is_empty()
        }) {
            // How limits are written, the first upstream shows.
            if table.contains("facebook") && ["per_second", "per_month", "unlimited"].contains(name) {
                continue;
            }
            assert!(shown.iter().any(|line| starts(format!("{name} = "))(line)), "{table}: {name} is not shown");
        }
    }
    let kinds = text
        .replace("\n# [bot.tour]", "\n[bot.tour]")
        .replace("\n# kind", "\nkind")
        .replace("\n# picture", "\npicture");
    let around = on_paper(&env, &|_| read(Path::new("/full/secret")));
    let config = Config::parse_in(&kinds, Path::new("/etc/ackd/ackd.toml"), &around).unwrap();
    assert!(config.warnings[0].ends_with(": bot.tour: no channel uses this bot"), "{:?}", config.warnings);
    assert!(text.contains(&format!("\"sqlite:{}\"", store::STORE)), "the store unless configured");
}

#[test]
fn all_of_the_full_example_is_valid_once_it_is_uncommented() {
    let text = include_str!("../../examples/ackd.toml");
    let uncommented = |line: &str| {
        let code = line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with([' ', '#']));
        code.unwrap_or(line).to_owned() + "\n"
    };
    let text: String = text.lines().map(uncommented).collect();
    let around = on_paper(&env, &|_| read(Path::new("/full/secret")));
    let config = Config::parse_in(&text, Path::new("/etc/ackd/ackd.toml"), &around).unwrap();
    let platforms: Vec<_> = config.channels.iter().map(|channel| channel.platform.name()).collect();
    assert_eq!(platforms, ["messenger", "webex"]);
    let [sun, dota] = &config.warnings[..] else { panic!("{:?}", config.warnings) };
    assert_eq!(
        config.pages.iter().map(|(name, bot)| (&**name, bot.place())).collect::<Vec<_>>(),
        [("weekly", Some("/weekly"))]
    );
    assert!(dota.ends_with("bot.dota: no channel uses this bot"), "{dota}");
    assert!(sun.ends_with("bot.sun: no channel uses this bot"), "{sun}");
    assert_eq!(config.channels[1].platform.greeting(), Some("Hello! Mention me, and I say it again."));
    let [Subscription { name, set, .. }] = config.subscriptions.as_slice() else {
        panic!("{:?}", config.subscriptions)
    };
    let words = "on Mon, Tue, Wed, Thu and Fri at 11:00 (Europe/Berlin)";
    assert_eq!((&**name, set.plan.words(), set.plan.spread_s), ("configured-morning", words.to_owned(), 600));
    assert_eq!(set.plan.run_missed, crate::model::RunMissed::default());
    assert_eq!(config.upstreams.len(), 3);
    let api = webex::Settings::API;
    assert!(text.contains(&format!("\napi = {api:?}\n")), "the default that is shown is the default");
}

#[test]
fn defaults_that_the_full_example_comments_out_are_valid_and_the_defaults() {
    let text = include_str!("../../examples/ackd.toml");
    let keys = [
        "# workers",
        "# connections",
        "# log",
        "# log_format",
        "# api",
        "# appsecret_proof",
        "# token_in_query",
        "# otherwise",
    ];
    let shown =
        |line: &str| if keys.iter().any(|key| line.starts_with(key)) { line[2..].to_owned() } else { line.to_owned() };
    let text: String = text.lines().map(|line| shown(line) + "\n").collect();
    let around = on_paper(&env, &|_| read(Path::new("/full/secret")));
    let config = Config::parse_in(&text, Path::new("/etc/ackd/ackd.toml"), &around).unwrap();
    assert_eq!((config.workers, config.connections_max), (limits::WORKERS, limits::CONNECTIONS_MAX));
    assert_eq!(config.log, Logs { levels: Some(Levels::all(::log::LevelFilter::Info)), json: false });
    assert!(keys.iter().all(|key| text.contains(&format!("\n{} =", &key[2..]))));
    assert!(text.contains(&format!("otherwise = {:?}", crate::bot::echo::OTHERWISE)));
}

#[test]
fn what_becomes_of_a_push_outside_the_window_is_chosen_for_each_page() {
    let chosen = |choice: &str| with("token_in_query = false", &format!("outside_window = {choice}"));
    let outside = |choice: &str| parse(&chosen(choice)).unwrap().channels[0].outside.clone();
    assert_eq!(parse(BASE).unwrap().channels[0].outside, Outside::Hold);
    assert_eq!(outside("\"hold\""), Outside::Hold);
    let (name, language) = ("daily".to_owned(), "en".to_owned());
    assert_eq!(outside("{ template = \"daily\", language = \"en\" }"), Outside::Template { name, language });
    for (choice, fault) in [
        ("\"wait\"", "15: channel.page.outside_window: must be \"hold\", { template = "),
        ("7", "15: channel.page.outside_window: must be \"hold\", { template = "),
        ("{ template = \"daily\" }", "15: channel.page.outside_window.language: is missing; write language = \"en\""),
        ("{ channel = \"page\", to = \"me\" }", "15: channel.page.outside_window.channel: is this channel itself"),
        (
            "{ channel = \"pag\", to = \"me\" }",
            "15: channel.page.outside_window.channel: there is no channel \"pag\"; did you mean \"page\"?",
        ),
        ("{ channel = \"page\", to = \" \" }", "15: channel.page.outside_window.to: is empty; write for example to = "),
    ] {
        let faults = faults(&chosen(choice));
        assert!(faults[0].starts_with(fault), "{choice}: {faults:?}");
    }
}

/// A subscription behind BASE, with these keys; its table stands in line 19.
fn subscribed(keys: &str) -> String {
    format!("{BASE}[[subscription]]\nchannel = \"page\"\nto = \"7\"\nask = \"today\"\n{keys}\n")
}

fn plan_of(keys: &str) -> crate::model::Plan {
    let subscriptions = parse(&subscribed(keys)).unwrap_or_else(|error| panic!("{keys}: {error}")).subscriptions;
    let [subscription] = subscriptions.as_slice() else { panic!("{subscriptions:?}") };
    subscription.set.plan.clone()
}

#[test]
fn a_subscription_has_its_plan_in_any_of_three_forms() {
    for (keys, words) in [
        ("every = \"10m\"", "every 10 minutes"),
        ("at = \"11:00\"\nzone = \"Europe/Berlin\"", "every day at 11:00 (Europe/Berlin)"),
        ("at = [\"20:00\", \"8:00\"]\nzone = \"europe/berlin\"", "every day at 08:00 and 20:00 (Europe/Berlin)"),
        ("at = \"9:30\"\non = [\"fri\", \"mon\"]\nzone = \"UTC\"", "on Mon and Fri at 09:30 (UTC)"),
        ("at = \"9:30\"\non = \"mon\"\nzone = \"UTC\"", "on Mon at 09:30 (UTC)"),
        ("cron = \"0 11 * * 1-5\"\nzone = \"Asia/Tokyo\"", "at 0 11 * * 1-5 (Asia/Tokyo)"),
    ] {
        assert_eq!(plan_of(keys).words(), words, "{keys}");
    }
    let plan = plan_of("every = \"1h\"\nrun_missed = \"none\"\nspread = \"10m\"");
    assert_eq!((plan.run_missed, plan.spread_s), (crate::model::RunMissed::None, 600));
    assert_eq!(plan_of("every = \"1h\"").run_missed, crate::model::RunMissed::Latest);
}

#[test]
fn a_time_of_day_without_a_zone_has_that_of_the_system() {
    // What that is, this machine knows; it is never nothing, and UTC only with a warning or by its name.
    let config = parse(&subscribed("at = \"11:00\"")).unwrap();
    let zone = &config.subscriptions[0].set.plan.zone;
    assert_eq!(crate::queue::schedule::zone(zone).err(), None);
    match config.warnings.as_slice() {
        [] => assert_ne!(zone, "Etc/Unknown"),
        [warning] => assert!(zone == "UTC" && warning.starts_with("ackd.toml:19: subscription.zone: "), "{warning}"),
        more => panic!("{more:?}"),
    }
    assert_eq!(warnings(&subscribed("every = \"10m\"")), [""; 0], "what happens every so often needs no zone");
}

#[test]
fn a_subscription_is_an_alarm_of_the_configuration() {
    let named = format!("{}name = \"morning\"", subscribed("every = \"10m\""));
    let config = parse(&named).unwrap();
    let [Subscription { channel, conversation, name, set }] = config.subscriptions.as_slice() else { panic!() };
    assert_eq!((&**channel, &**conversation, &**name), ("page", "7", "configured-morning"));
    assert_eq!((&*set.owner, &*set.person, &*set.note), (crate::model::OWNER_CONFIGURATION, "7", "today"));
    // Without a name it has one all the same, which hangs on nothing but what it is.
    let name = |text: &str| parse(text).unwrap().subscriptions.last().unwrap().name.clone();
    let unnamed = subscribed("every = \"10m\"");
    let other = "[[subscription]]\nchannel = \"page\"\nto = \"8\"\nask = \"today\"\nevery = \"1h\"\n";
    assert_eq!(name(&unnamed), name(&unnamed.replace("[[sub", &format!("{other}[[sub"))));
    assert_eq!(name(&unnamed), name(&subscribed("at = \"11:00\"\nzone = \"UTC\"")), "nor on when it is");
    assert_ne!(name(&unnamed), name(&unnamed.replace("\"7\"", "\"8\"")));
    assert_ne!(name(&unnamed), name(&unnamed.replace("today", "month")));
}

#[test]
fn a_plan_says_what_to_write() {
    for (keys, fault) in [
        ("", "19: subscription: does not say when; write every = \"10m\", at = \"11:00\" or cron = \"0 11 * * 1-5\""),
        ("evry = \"10m\"", "23: subscription.evry: unknown key; did you mean every?"),
        (
            "every = \"10m\"\ncron = \"0 11 * * *\"\nzone = \"UTC\"",
            "24: subscription.cron: there is every already, and a plan has one of them; take one away",
        ),
        ("every = \"30s\"", "23: subscription.every: every 30 seconds is too often; the least is 60 seconds"),
        ("every = \"10000h\"", "23: subscription.every: is more than a year; the longest is 366 days"),
        (
            "every = \"ten\"",
            "23: subscription.every: \"ten\" is no length of time; write for example \"90s\", \"10m\" or \"2h\"",
        ),
        (
            "every = 10",
            "23: subscription.every: must be a text in quotes, not a number; write for example every = \"10m\"",
        ),
        (
            "at = [\"11:00\",\n\"24:00\"]\nzone = \"UTC\"",
            "24: subscription.at: \"24:00\" is no time of day; write for example \"11:00\" or \"23:30\"",
        ),
        ("at = [\"8:00\", \"08:00\"]\nzone = \"UTC\"", "23: subscription.at: \"08:00\" is listed twice; take one away"),
        ("at = []\nzone = \"UTC\"", "23: subscription.at: is an empty list; write at = \"11:00\""),
        (
            "at = \"11:00\"\non = [\"monday\"]\nzone = \"UTC\"",
            "24: subscription.on: \"monday\" is no day of the week; they are \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \
             \"sat\", \"sun\"",
        ),
        (
            "every = \"1h\"\non = [\"mon\"]",
            "24: subscription.on: goes with at; write for example at = \"11:00\", or leave it out",
        ),
        (
            "at = \"11:00\"\nzone = \"Europe/Berln\"",
            "24: subscription.zone: there is no time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?",
        ),
        ("cron = \"0 0 31 2 *\"\nzone = \"UTC\"", "23: subscription.cron: never happens: no date fits \"0 0 31 2 *\""),
        (
            "every = \"10m\"\nrun_missed = \"lates\"",
            "24: subscription.run_missed: there is no \"lates\"; did you mean \"latest\"? \"latest\" makes up for the latest \
             time that was missed, \"none\" for none",
        ),
        (
            "every = \"10m\"\nspread = \"11m\"",
            "24: subscription.spread: the spread of 660 s is longer than the 600 s between two of its times; write a \
             shorter one",
        ),
    ] {
        assert_eq!(faults(&subscribed(keys)), [fault], "{keys}");
    }
}

#[test]
fn a_subscription_says_what_to_write() {
    let sound = subscribed("every = \"10m\"");
    for (old, new, fault) in [
        (
            "channel = \"page\"\nto",
            "channel = \"pag\"\nto",
            "20: subscription.channel: there is no channel \"pag\"; did \
          you mean \"page\"?",
        ),
        (
            "channel = \"page\"\nto",
            "channel = \"webex\"\nto",
            "20: subscription.channel: there is no channel \"webex\"; \
          write the name of a table [channel.…], as in channel = \"page\"",
        ),
        ("to = \"7\"\n", "", "19: subscription.to: is missing; write to = \"1254477777772919\""),
        ("\"7\"", "\" \"", "21: subscription.to: is empty; write for example to = \"1254477777772919\""),
        ("\"7\"", "\"7\\n8\"", "21: subscription.to: must be on one line, without control characters"),
        ("ask = \"today\"", "aks = \"today\"", "22: subscription.aks: unknown key; did you mean ask?"),
        (
            "ask =",
            "name = \"Morning\"\nask =",
            "22: subscription.name: a name has at most 32 of a-z, 0-9 and -, and begins \
          with a letter; as in \"page\"",
        ),
        (
            "[[subscription]]",
            "[subscription]",
            "19: subscription: there may be several; write [[subscription]], with two \
          brackets",
        ),
    ] {
        assert_eq!(sound.matches(old).count(), 1, "{old}");
        assert_eq!(faults(&sound.replace(old, new)), [fault], "{new}");
    }
    let long = sound.replace("today", &"o".repeat(limits::ASK_BYTES_MAX + 1));
    assert_eq!(faults(&long), ["22: subscription.ask: is longer than 1024 bytes"]);
    let many = format!("{BASE}{}", "[[subscription]]\n".repeat(limits::SUBSCRIPTIONS_MAX + 1));
    assert_eq!(faults(&many), ["19: subscription: lists more than 1000; people can subscribe in chat, too"]);
    let list = with("workers = 4", "subscription = [1]");
    assert_eq!(faults(&list), ["3: subscription: must be a table; write [[subscription]]"]);
}

#[test]
fn no_two_subscriptions_are_the_same() {
    let one = subscribed("every = \"10m\"");
    let table = one.strip_prefix(BASE).unwrap();
    assert_eq!(
        faults(&format!("{one}{table}")),
        ["24: subscription: line 19 has the same channel, to and ask; give each a \
        name, as in name = \"morning\""]
    );
    assert_eq!(
        faults(&format!("{one}name = \"a\"\n{table}name = \"a\"\n")),
        ["30: subscription.name: line 19 has the same \
        name for the same conversation; write another one"]
    );
    let both = parse(&format!("{one}name = \"a\"\n{table}name = \"b\"\n")).unwrap();
    assert_eq!(both.subscriptions.len(), 2);
}

#[test]
fn a_channel_with_a_fault_leaves_its_subscriptions_in_peace() {
    let text = subscribed("every = \"10m\"").replace("path = \"/messenger\"\n", "");
    assert_eq!(faults(&text).len(), 1, "{:?}", faults(&text));
}

/// The base with lines before its tables.
fn logged(lines: &str) -> String {
    with("workers = 4", &format!("workers = 4\n{lines}"))
}

#[test]
fn what_the_log_tells_is_chosen_by_level_and_part() {
    let log = |lines: &str| parse(&logged(lines)).unwrap().log;
    assert_eq!(parse(BASE).unwrap().log, Logs::default());
    let chosen = log("log = \"warn, ackd::net=DEBUG\"\nlog_format = \"json\"");
    let levels = chosen.levels.unwrap();
    assert!(chosen.json && levels.tell(::log::Level::Debug, "ackd::net::tls"));
    assert!(levels.tell(::log::Level::Warn, "ackd::work") && !levels.tell(::log::Level::Info, "ackd::work"));
    assert!(!log("log_format = \"text\"").json);
}

#[test]
fn what_is_no_level_is_a_fault_with_what_to_write() {
    const MOST: &str = "a=off,a=off,a=off,a=off,a=off,a=off,a=off,a=off,a=off,a=off,a=off";
    let example = "for one part of ackd as in \"info,ackd::net=debug\"";
    for (lines, told) in [
        ("log = \"inof\"", "4: log: \"inof\" is no level; did you mean info?".to_owned()),
        ("log = \"info,ackd=debugg\"", "4: log: \"ackd=debugg\" is no level; did you mean debug?".to_owned()),
        (
            "log = \"ackd::net\"",
            format!("4: log: \"ackd::net\" is no level; write off, error, warn, info, debug, trace, {example}"),
        ),
        ("log = \" , \"", "4: log: says nothing; write for example log = \"info\"".to_owned()),
        ("log = 3", "4: log: must be a text in quotes, not a number; write for example log = \"info\"".to_owned()),
        (
            &format!("log = \"warn,{MOST},{MOST},{MOST}\""),
            "4: log: names more than 32 levels; fewer will do".to_owned(),
        ),
        ("log_format = \"xml\"", "4: log_format: \"xml\" is no format; write \"text\" or \"json\"".to_owned()),
    ] {
        assert_eq!(faults(&logged(lines)), [told], "{lines}");
    }
}

#[test]
fn a_log_that_tells_no_errors_is_warned_of_and_so_is_one_that_is_not_heeded() {
    let around = |env: &dyn Fn(&str) -> Option<String>, lines: &str| {
        let around = on_paper(env, &read);
        Config::parse_in(&logged(lines), Path::new("/etc/ackd/ackd.toml"), &around).unwrap().warnings
    };
    let only = around(&env, "log = \"ackd::net=debug\"");
    let told = "4: log: tells nothing of all other parts, not even errors; begin it with warn, or info";
    assert!(only.len() == 1 && only[0].ends_with(told), "{only:?}");
    let rust_log =
        |value: &'static str| move |name: &str| if name == "RUST_LOG" { Some(value.to_owned()) } else { env(name) };
    let heeded = around(&rust_log("debug"), "log = \"info\"");
    let told = "4: log: is not heeded as long as RUST_LOG is set; unset that";
    assert!(heeded.len() == 1 && heeded[0].ends_with(told), "{heeded:?}");
    assert_eq!(around(&rust_log(" "), "log = \"info\""), Vec::<String>::new());
    assert_eq!(around(&rust_log("debug"), "log_format = \"json\""), Vec::<String>::new(), "nobody said a level");
}
