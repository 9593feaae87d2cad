//! The texts of `--help`: data, at most 80 columns wide.

/// What `--version` prints.
pub const VERSION: &str = concat!("ackd ", env!("CARGO_PKG_VERSION"), "\n");

/// What help is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Overview,
    Run,
    Check,
    Reload,
    Send,
    Events,
    Why,
    Replay,
    Resolve,
    Webhook,
    Doctor,
    Top,
    Login,
    Solar,
    Try,
    Twin,
}

impl Topic {
    /// The text, with its last line break.
    pub fn text(self) -> &'static str {
        match self {
            Topic::Overview => OVERVIEW,
            Topic::Run => RUN,
            Topic::Check => CHECK,
            Topic::Reload => RELOAD,
            Topic::Send => SEND,
            Topic::Events => EVENTS,
            Topic::Why => WHY,
            Topic::Replay => REPLAY,
            Topic::Resolve => RESOLVE,
            Topic::Webhook => WEBHOOK,
            Topic::Doctor => DOCTOR,
            Topic::Top => TOP,
            Topic::Login => LOGIN,
            Topic::Solar => SOLAR,
            Topic::Try => TRY,
            Topic::Twin => TWIN,
        }
    }
}

const OVERVIEW: &str = "\
ackd: ack first, answer later. A small webhook daemon for chat bots.

    ackd try                      no account, no network: a bot, stand-ins for
                                  the platforms, and a chat page
    ackd run                      the daemon
    ackd check                    every fault of the configuration, with its
                                  line and what to write; starts nothing
    ackd reload                   the daemon reads its configuration again,
                                  all of it or nothing
    ackd send CHANNEL TO TEXT     push a message (kept first, like any reply)
    ackd events                   what came in and how it ended
    ackd why ID                   the whole life of one message
    ackd replay ID… | --dead      put it back
    ackd replay --dry             what another configuration would have said
    ackd resolve ID…              it is dealt with, and dead or unknown no more
    ackd webhook list|create|sync|delete CHANNEL
                                  the registration on the platform's side
    ackd doctor                   what is wrong, live, and how to mend it
    ackd top                      how the daemon does, each second
    ackd login UPSTREAM           the consent that a service of a bot asks for
    ackd solar invite SYSTEM      a code that lets somebody ask the solar bot
    ackd twin                     the stand-ins alone, for any bot's program

Options of every command:
    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml
    -v, --verbose    say more; twice for even more; RUST_LOG=ackd::net=debug
                     says more of one part
    -h, --help       help; `ackd COMMAND --help` tells of one command
    -V, --version    the version

Exit codes: 0 done, 1 failed, 2 usage or configuration.
";

const TRY: &str = "\
ackd try [--config FILE] [--keep]
         [--listen 127.0.0.1:PORT] [--faults PLAN] [--seed NUMBER]

Tries a bot without any account and without a network: starts the daemon,
stand-ins for its platforms, and a page to chat in, all on this machine. It
prints the page's address; open it in a browser. What is typed there goes the
real way: a signed webhook, the socket, the store, the bot, the platform's API.

There are four bots. One shows what a bot can say. One tells what a solar system
produces, which Enphase's stand-in makes up: say \"today\", \"this week\" or
\"subscribe 11:00\" to it, then let the clock on the page go on to the next
morning; elsewhere it wants a code of `ackd solar invite` first. One tells how
players of Dota 2 do: \"Ada\", \"last week\". One tells what happened on a Facebook
page: \"summary\", \"top shared\"; the second address that is printed shows it in
the browser, and the login at Facebook as it is played here. The third one is
the inspector, which tells what became of each message.

    --config FILE    your own channels and bots instead of the built-in ones;
                     their secrets are made up and not looked for. Of
                     services that bots ask, Enphase, OpenDota and Facebook are
                     played
    --keep           leave the store where it is when the trial ends; without,
                     it is removed
    --listen         where the page and the stand-ins are; else a free port.
                     Pages and logins are at the port after it, when it is free
    --faults PLAN    what goes wrong on purpose, as
                     'late 5% 300ms, cut 2%, 429 1% 3s, 500 3%, token 1% 2s,
                     duplicate 10%, reorder 10%'
    --seed NUMBER    the same faults again

Example: ackd try --config ackd.toml --keep

Ctrl-C ends it.
";

const TWIN: &str = "\
ackd twin [--config FILE] [--to http://127.0.0.1:PORT]
          [--listen 127.0.0.1:PORT] [--faults PLAN] [--seed NUMBER]

Plays the platforms of the configuration's channels, for a daemon that runs
elsewhere on this machine, or for any other bot's program. Each channel's API is
at http://127.0.0.1:PORT/CHANNEL: give that to the program in place of
https://graph.facebook.com/v25.0 or https://webexapis.com/v1. Enphase is at
http://127.0.0.1:PORT/UPSTREAM, for each upstream of that kind whose URLs are on
this machine: api ends with /api/v4, those for tokens begin with /oauth/; then
`ackd login UPSTREAM` and `ackd solar invite 698910068`. OpenDota's api ends
with /api, Facebook's with /v25.0 and its dialog with /v25.0/dialog/oauth; where
somebody logs in there is printed. Webhooks go to the paths of the
configuration, signed with its secrets: so the file should be one made for this,
with `api` on this machine and secrets that mean nothing.

    --to URL         where the bot's program listens; else where the
                     configuration's own daemon does
    --listen, --faults, --seed    as with `ackd try`

A page to chat in is at /; what was sent and told at /ledger, as JSON; and
POST /act lets a person write, with a body like
    {\"twin\": \"page\", \"act\": {\"say\": {\"conversation\": \"…\", \"text\": \"…\"}}}
The people and rooms to speak in, with their ids, are at /chat.state.

Example: ackd twin --to http://127.0.0.1:5000 --faults 'cut 2%, duplicate 10%'

Ctrl-C ends it.
";

const RUN: &str = "\
ackd run [--config FILE]

Runs the daemon: receives webhooks, keeps each event before it says 200, and
answers afterwards. Ends on SIGTERM or Ctrl-C when what is under way is done.

    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml
    -v, --verbose    say more

Example:
    ackd run --config examples/echo.toml
";

const CHECK: &str = "\
ackd check [--config FILE]

Reads the configuration and the secrets it names; starts and changes nothing.
Prints every fault at once with its line, or `configuration OK` and a summary.

It needs the secrets in its own environment. For a service that runs `ackd
reload` is the better check: the service has them. Before its first start name
the folder of its credentials, as below.

    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml

Examples:
    ackd check --config ackd.toml
    sudo env CREDENTIALS_DIRECTORY=/etc/ackd ackd check
";

const RELOAD: &str = "\
ackd reload [--config FILE]

Has the daemon read its configuration again: channels, bots, subscriptions,
services, secrets, certificates, addresses. No request is refused meanwhile and
none is lost; what is under way ends as it began.

All or nothing: with one fault in it nothing changes, and each fault is told,
here and in the log. So no `ackd check` is needed before it: secrets are those
that the daemon has, and your shell needs none. The store, the number of
workers and of connections and the sockets of systemd change with a restart
only; that is said where it matters.

SIGHUP and `systemctl reload ackd` do the same.

    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml

Examples:
    ackd reload
    sudo ackd reload --config /etc/ackd/ackd.toml
";

const SEND: &str = "\
ackd send CHANNEL TO TEXT [--config FILE]

Says TEXT to TO, a person's or room's id on the platform, through CHANNEL. It
is kept first, like any reply, and tried again until the platform has it. When
no daemon runs, it is sent as soon as one does.

    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml
    --               what follows is no option, even if it begins with -

Examples:
    ackd send page 6254938471 'The coffee is ready.'
    ackd send page 6254938471 -- '-5 degrees outside'
";

const EVENTS: &str = "\
ackd events [--dead] [--unknown] [--all] [--channel NAME] [--limit N] [--follow]

Lists what came in and how it ended: answered, ignored (why), dead (why) or
unknown (sent, but the platform's answer was lost). The newest come last. Where
a reply may have been seen twice, it says how many: maybe twice ×1. What the
platform only tells about our own messages, receipts and echoes, and looks of
bots that said nothing are counted in a last line and not listed. A browser
shows the same at /events of the [admin] listener.

    --dead            only the dead
    --unknown         only the unknown; with --dead, both
    --all             receipts, own messages and looks of bots, too
    --channel NAME    only this channel's
    --limit N         at most so many, 1 to 100000; 50 unless given
    --follow          go on and print each event as it comes, and again when
                      its state changes, until Ctrl-C
    --config FILE     the configuration; else ackd.toml, /etc/ackd/ackd.toml

Example:
    ackd events --dead --channel page
";

const WHY: &str = "\
ackd why ID [--config FILE]

Tells the whole life of one message: received, checked, kept, acknowledged,
heard, each attempt to answer it, how it ended and what you can do. ID is what
`ackd events` shows, or the platform's own id; with .1, only the first reply.

    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml

Examples:
    ackd why page-17
    ackd why page-17.1
";

const REPLAY: &str = "\
ackd replay ID… | --dead [--config FILE]
ackd replay --dry [--since WHEN] --config FILE

Puts back what ended dead or unknown: what was not heard is heard, what was not
said is said. What is unknown may have been seen, and then it is seen twice; so
--dead takes the dead only. Exit code 1 when one of the IDs was left alone.

With --dry nothing is put back, sent or written. What came in is heard by the
bots of FILE as if it came now, and wherever that would be answered otherwise
the old reply is shown with - and the new one with +. The store is the one that
FILE names; secrets are not looked for. A bot's clock stands at the event's
time, but what it remembers is what it remembers today, and what it would keep
is forgotten after the event. An event for which a service or a platform would
have to be asked is counted, with that reason. Exit code 0 when all replies are
the same, 1 when some differ, 2 when it cannot be told.

    --dead           all that are dead
    --dry            show what would change; the newest 1000 events, or
    --since WHEN     those since 2h or 3d ago, since 2026-11-21, or since
                     2026-11-21T08:00:00Z, at most 100000
    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml

Examples:
    ackd replay page-17 page-18
    ackd replay page-17.2
    ackd replay --dead
    ackd replay --dry --since 24h --config new.toml
";

const RESOLVE: &str = "\
ackd resolve ID… | --dead | --unknown [--config FILE]

Says that what ended dead or unknown is dealt with: nothing more is sent. What
was dead is ignored from then on; of what was unknown you have seen that it was
said, and it is answered. Both leave the lists of `ackd events --dead` and
--unknown; `ackd why` still tells how they ended. What was resolved cannot be put
back. Exit code 1 when one of the IDs was left alone.

    --dead           all that are dead
    --unknown        all that are unknown
    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml

Examples:
    ackd resolve page-17 page-18
    ackd resolve --dead
";

const WEBHOOK: &str = "\
ackd webhook list|create|sync|delete CHANNEL [--config FILE]

The registration of a channel on its platform's side: Webex's webhooks; for
Messenger the page's subscription and, with app_id, the app's callback URL.
It needs the channel's secrets. A running daemon does the same as sync at
start and every few minutes, unless keep_registered is \"off\".

    list      what the platform knows; changes nothing. Exit code 1 when
              something is missing or wrong there
    create    makes what is missing, and touches nothing else
    sync      makes what is missing, repairs what points elsewhere, has another
              secret or was switched off, removes ours that are of no use
    delete    removes all of ours; a running daemon that keeps registrations
              makes them again, so stop it first

Of Webex's webhooks those named \"ackd CHANNEL …\" are ours; no other is ever
removed. So two ackd with one token need channels of different names. With
public_url = \"ngrok\" the agent on this machine is asked for the address.

    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml

Examples:
    ackd webhook list space
    ackd webhook sync space
";

const DOCTOR: &str = "\
ackd doctor [--config FILE]

Looks at everything that an answering bot needs, live, and says of each: ok,
wrong with what mends it, or -- with why it could not be looked at. It looks at
the configuration and its secrets, the disk, the store and what died in it, the
daemon, how many files and how much memory it may take, the unit of systemd,
every token, the clock, the public URL (which must lead to this very daemon),
every registration, and of each service that bots ask what is left of its calls
and whether it wants a new login. It changes nothing; no secret is shown.

Where a daemon runs, its own environment and credentials are looked at, as far
as you may read them; for a service, that is: sudo ackd doctor

    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml

Exit codes: 0 nothing is wrong, 1 something is, 2 the configuration is faulty.

Example:
    sudo ackd doctor --config /etc/ackd/ackd.toml
";

const TOP: &str = "\
ackd top [--config FILE]

Shows how the daemon does: requests, what was refused, how long acknowledging
and committing takes; of each channel what came, how it ended, what waits and
what the platform answers; of each service that bots ask what is left of its
calls. New each second, until Ctrl-C; once, where the output is no terminal.

All but the paces count from the daemon's start. The same figures are at
/metrics of the [admin] listener, for Prometheus.

    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml

Example:
    sudo ackd top --config /etc/ackd/ackd.toml
";

const LOGIN: &str = "\
ackd login UPSTREAM [--config FILE]

Gets the tokens with which bots ask an upstream that wants OAuth, as Enphase. It
prints the address of a page: open it in any browser, log in and allow access,
then paste the code that it shows, or the whole address that you were led to. A
running daemon uses the tokens at once, and renews them from then on.

It is needed once; and again when the log or a bot says so, as after a month in
which the daemon did not run. It needs the upstream's secrets: where a daemon
runs, its own environment is looked at, as far as you may; for a service, that
is: sudo ackd login UPSTREAM

At Facebook the login is a page of the running daemon. The command prints its
address, waits until somebody has logged in there, and says for which pages.
With public_login that is a link that is good once, for ten minutes; without, it
is at the [admin] listener. It is needed again when what was granted ends, as
after a changed password or 60 days: the log and `ackd doctor` say so before.

    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml

Example:
    ackd login enphase
";

const SOLAR: &str = "\
ackd solar invite SYSTEM [--bot NAME] [--days N] [--config FILE]
ackd solar people [--bot NAME] [--config FILE]
ackd solar remove WHO [--bot NAME] [--config FILE]

Lets people ask the solar bot. `invite` makes a code for one system, by its id
at Enphase: whoever writes it to the bot first is told of that system from then
on, and strangers are told nothing. It works beside a running daemon, too.
`people` lists who has been let in, as CHANNEL/PERSON, and open codes; `remove`
takes one of them away, as when somebody moves out. People can also write
\"leave\" to the bot.

    --bot NAME       the bot, where there are several of this kind
    --days N         how long the code is good, 1 to 366; 7 unless given
    --config FILE    the configuration; else ackd.toml, /etc/ackd/ackd.toml

Examples:
    ackd solar invite 698910067 --days 14
    ackd solar remove page/6254938471
";

#[cfg(test)]
mod tests {
    use super::*;
    use Topic::*;

    #[test]
    fn every_help_fits_a_narrow_terminal_and_shows_an_example() {
        for topic in
            [Overview, Run, Check, Reload, Send, Events, Why, Replay, Webhook, Doctor, Top, Login, Solar, Try, Twin]
        {
            let text = topic.text();
            assert!(text.lines().all(|line| line.chars().count() <= 80 && line == line.trim_end()), "{topic:?}");
            assert!(text.ends_with('\n') && text.contains("--config FILE"), "{topic:?}");
            assert!(topic == Overview || text.contains("Example"), "{topic:?}");
        }
        assert_eq!(VERSION, "ackd 0.1.0\n");
    }
}
