//! Every bound, with its unit and its reason. Nothing grows past what is written here.

use std::time::Duration;

// ---- http/: one request ----

/// Longest request line and headers together, in bytes. Our largest fixture has 2 KiB; past this we answer 431.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Longest request target, in bytes; past this we answer 414.
pub const TARGET_BYTES_MAX: usize = 8 * 1024;
/// What is kept of a request's head, in bytes as it is shown: it lies in the store with each of its events. A platform's takes
/// 200 to 500, and in shorthand 40 to 150.
pub const HEAD_KEPT_BYTES_MAX: usize = 1024;
/// What is kept of one header's name, of its value and of the path, in bytes: more of it tells nobody more.
pub const HEADER_KEPT_BYTES_MAX: usize = 200;
/// Most headers of one request; past this we answer 431. Behind two proxies a delivery has about 20.
pub const HEADERS_MAX: usize = 64;
/// Longest body, in bytes; past this we answer 413. Meta batches up to 1000 updates (messenger.md §3); a message
/// of usual length takes 400 bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Longest chunk-size line with its extensions, in bytes.
pub const CHUNK_LINE_BYTES_MAX: usize = 256;
/// Longest trailer section after a chunked body, in bytes. We read past it and use none of it.
pub const TRAILER_BYTES_MAX: usize = 4 * 1024;
/// Bytes that a client may send ahead (pipelining) while its request is being answered; then we stop reading.
pub const AHEAD_BYTES_MAX: usize = 16 * 1024;

// ---- net/: all connections ----

/// Connections held at once unless configured; past this the one idle for longest is closed.
pub const CONNECTIONS_MAX: usize = 10_000;
/// The same where they speak TLS: each takes 8 KB for its session alone, twenty times what a plain one does.
pub const TLS_CONNECTIONS_MAX: usize = 1000;
/// How long nothing changes beside certificates before they are read again: both files of a pair are then there.
pub const CERTIFICATES_QUIET_TIME: Duration = Duration::from_millis(500);
/// … but they wait no longer than this for it: others may write into the same folder without end.
pub const CERTIFICATES_PATIENCE: Duration = Duration::from_secs(5);
/// With so much left or less a certificate is spoken of: whoever renews one begins a month before its end, and has failed for
/// a week by then.
pub const CERTIFICATE_NEWS_TIME: Duration = Duration::from_secs(21 * 24 * 3600);
/// Certificates of one daemon, each for a name or several.
pub const TLS_PAIRS_MAX: usize = 16;
/// A TLS handshake has this long from the connection's first moment; a phone far away takes one second.
pub const TLS_HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// What may come over TLS before plain bytes come out of it, in bytes: a handshake with a client's long chain, or the
/// longest record.
pub const TLS_TAKEN_BYTES_MAX: usize = 64 * 1024;
/// Plain bytes of one record that we send.
pub const TLS_RECORD_BYTES: usize = 16 * 1024;
/// What a record has around them at most.
pub const TLS_FRAME_BYTES: usize = 64;
/// What all connections together may hold unread, in bytes; past this the slowest of those that hold much are closed. An
/// idle connection holds none. 10,000 half-sent heads of 400 bytes are 4 MB.
pub const BUFFERED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The same where TLS is spoken: the sessions of all take as much as is less here, and each record that has not ended lies
/// twice.
pub const TLS_BUFFERED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// One read from a socket, in bytes. The loop has one such buffer for all.
pub const READ_BYTES: usize = 64 * 1024;
/// File descriptors kept free for the store, upstream connections and the listeners.
pub const DESCRIPTORS_RESERVED: usize = 64;
/// A head has this long from its first byte, however it dribbles.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// A body has this long at first, and more as its bytes come in …
pub const BODY_TIME: Duration = Duration::from_secs(10);
/// … a second for each of these bytes …
pub const BODY_BYTES_PER_SECOND_MIN: usize = 8 * 1024;
/// … but never longer than this.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a keep-alive connection may say nothing.
pub const IDLE_TIME: Duration = Duration::from_secs(75);
/// Body of a form that a page or a chat builder sends: a button and its token, or a person's attributes.
pub const FORM_BYTES_MAX: u64 = 4096;
/// The longest form that decides on events, in bytes: so many as may be named at once, each with its longest name and a
/// space.
pub const DECISION_BYTES_MAX: u64 = 64 * 1024;
/// Visits under way. Each takes its request, 20 KiB at the most, so all of them 2.5 MiB; a page takes a few milliseconds, so
/// the last one is made while its browser waits.
pub const VISITS_MAX: usize = 128;
/// … of those who come through the public door; the rest is the operator's, whoever else is at the door …
pub const VISITS_PUBLIC_MAX: usize = VISITS_MAX / 4 * 3;
/// … and of those who show there what only the store can tell from a guess, so that who has a link finds a place.
pub const VISITS_UNPROVEN_MAX: usize = VISITS_MAX / 2;
/// Visits of logins that wait, since one may ask Facebook for some seconds …
pub const LOGIN_VISITS_MAX: usize = 32;
/// … and of those who come through the public door.
pub const LOGIN_VISITS_PUBLIC_MAX: usize = LOGIN_VISITS_MAX / 4 * 3;
/// Whether all moves, or how, the keeper is asked for so many at once. More come only while it does not answer.
pub const CHECKS_MAX: usize = 8;
/// A keeper that does not answer those for so long is told as one that does not move: sooner than whoever watches gives up,
/// later than a slow card needs for a commit.
pub const CHECK_TIME: Duration = Duration::from_secs(4);
/// Pages that wait to be made new for nobody. More are dropped: each asks again when it is visited next.
pub const RENEWALS_MAX: usize = 4;
/// How long the keeper may take for an answer; Messenger gives up after 5 s (messenger.md §5).
pub const KEEPER_TIME: Duration = Duration::from_secs(10);
/// A client must take our answer within this.
pub const WRITE_TIME: Duration = Duration::from_secs(10);
/// After a last answer we read on for this long, so that the client can read it before a reset.
pub const DRAIN_TIME: Duration = Duration::from_secs(2);
/// What we read and throw away after a last answer, in bytes.
pub const DRAIN_BYTES_MAX: usize = 1024 * 1024;
/// Requests of the next turn for which there is room before they come. More would be held after each burst.
pub const ADMISSIONS_AHEAD: usize = 64;
/// Connections accepted on one listener before the others have their turn.
pub const ACCEPTS_PER_TURN: usize = 256;
/// Reads, requests and writes of one connection before the others have their turn.
pub const ROUNDS_PER_TURN: usize = 32;
/// Connections that may wait to be accepted; the kernel's own bound (net.core.somaxconn) may be lower.
pub const BACKLOG: i32 = 4096;
/// How long further refusals of a kind are only counted after one was logged.
pub const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);
/// Events that one order may put back.
pub const REPLAY_EVENTS_MAX: usize = 1000;
/// How long accepting rests after the kernel ran out of descriptors and no connection could be closed.
pub const ACCEPT_REST: Duration = Duration::from_millis(200);
/// On SIGTERM, requests under way have this long.
pub const STOP_REQUESTS_TIME: Duration = Duration::from_secs(5);
/// On SIGTERM, whoever has connected and not asked yet has this long; a request follows its connection within a round trip.
pub const STOP_NEWCOMERS_TIME: Duration = Duration::from_secs(1);
/// On SIGTERM, what is on the wire to an upstream has this long; longer than `FETCH_TIME`.
pub const STOP_WORK_TIME: Duration = Duration::from_secs(25);

// ---- the log ----

/// Levels that the key `log` may name: one for all, and for parts of ackd as many as somebody overlooks. Each line is held
/// against all of them.
pub const LOG_LEVELS_MAX: usize = 32;
/// Longest message of a line, in characters; the journal cuts a line at 48 KiB (journald.conf), and this stays below it also
/// as JSON.
pub const LOG_MESSAGE_CHARS_MAX: usize = 4096;
/// Lines that one place in the program says at one level within `LOG_INTERVAL`; more are counted only. A restart with a
/// hundred channels that each say something is told whole, and a flood of anything makes 20 MB a day at the most.
pub const LOG_LINES_MAX: u32 = 100;
/// How long such lines are counted together.
pub const LOG_INTERVAL: Duration = Duration::from_secs(60);
/// What is shown of the last line that was only counted, in characters.
pub const LOG_COUNTED_CHARS_MAX: usize = 200;

// ---- platform/: one delivery ----

/// Events of one delivery; past this we answer 413. Meta batches up to 1000 updates (messenger.md §3).
pub const EVENTS_MAX: usize = 4096;
/// Longest id of an event or a conversation, in bytes; a longer one is replaced by its hash. Meta's take 80.
pub const ID_BYTES_MAX: usize = 512;

/// A secret of at least so many bytes is masked wherever words repeat it: by chance it stands nowhere.
pub const MASKED_BYTES_MIN: usize = 8;
/// A shorter one of at least so many bytes is masked where it stands alone. One of three stands alone by chance, too.
pub const MASKED_WORD_BYTES_MIN: usize = 4;
/// Longest adaptive card of Webex, as JSON, in bytes. Webex names no size; this takes its longest text with every sign
/// escaped and a dozen buttons, or a gallery of forty usual cards.
pub const WEBEX_CARD_BYTES_MAX: usize = 16 * 1024;

// ---- keeper/, store/ ----

/// What may wait for the keeper, in bytes; past this the loop answers 503. 16,000 messages of usual length.
pub const KEEPER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Letters taken into one transaction, so that the first of them is not kept waiting by the last.
pub const BATCH_LETTERS_MAX: usize = 256;
/// Requests in one commit from which the keeper waits for company before the next one …
pub const GATHER_FROM: usize = 8;
/// … and for how long. With 64 busy connections it halves the commits; latency there is a millisecond.
pub const GATHER_TIME: Duration = Duration::from_micros(500);
/// … and how often at most, as long as more come and less waits than the last commit took. By then all of 64 connections
/// are back.
pub const GATHER_MOMENTS: usize = 3;
/// Jobs that must be out besides the one that came back, for the keeper to wait for others …
pub const GATHER_JOBS: usize = 2;
/// … and for how long. An upstream takes a thousand times longer.
pub const GATHER_JOBS_TIME: Duration = Duration::from_micros(150);
/// A channel's rest of at least this is remembered in the store, for `ackd why`; a shorter one is over before anybody
/// could ask.
pub const REST_TOLD_MIN: Duration = Duration::from_secs(3);
/// Of what waits, so many rows of a table are counted for whoever watches: some 10 ms of the keeper's time.
pub const BACKLOG_ROWS_MAX: usize = 20_000;
/// A worker that has one job for longer is believed to be stuck. A bot that asks a slow upstream thirty times takes ten
/// minutes.
pub const WORK_STUCK_TIME: Duration = Duration::from_secs(15 * 60);
/// An event during which ackd ended so many times in a row is given up. The waits between double (`RETRY_DELAY`), so this
/// takes eight minutes at least.
pub const CUT_OFFS_MAX: u32 = 10;
/// How long the keeper waits before it tries a failing disk again.
pub const DISK_RETRY: Duration = Duration::from_secs(1);
/// How often a daemon that starts tries a store that is held: a command holds it for some milliseconds.
pub const STORE_TRIES: u32 = 20;
/// How long apart; all together it is a second.
pub const STORE_PAUSE: Duration = Duration::from_millis(50);
/// How long an event's id is remembered, and the event shown.
pub const MARK_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Events removed in one transaction when they are past that.
pub const PRUNE_ROWS: usize = 64;
/// How often to look for events to remove.
pub const PRUNE_INTERVAL: Duration = Duration::from_secs(3600);
/// Events by which the saved cursor of a channel may lag; so many are looked at again after a restart.
pub const CURSOR_LAG: i64 = 256;
/// Events looked at in one search for a job, so that a long queue behind one conversation delays nobody.
pub const SEARCH_ROWS: usize = 64;
/// Replies among which a message of ours is sought before it may show that an unknown one was delivered: the newest of
/// its channel. What comes back does so in seconds.
pub const WITNESS_ROWS: usize = 4096;
/// Keys that one bot may remember. With a million in the store, reading one takes 12 µs, and writing a new
/// one 19 µs, also without the compiler's help (`benches/store.rs`).
pub const MEMORY_KEYS_MAX: u32 = 1_000_000;
/// How far the clock of a trial can be moved: the sun of its stand-in and the certificates of this machine know a year.
pub const TRIAL_AHEAD_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
/// How long after eleven the next morning of a trial is: what is due at eleven is due.
pub const MORNING_SLACK: Duration = Duration::from_secs(1);
/// How long a trial's clock waits for what is under way before it is moved: an answer of several calls to stand-ins takes
/// less, and with faults that delay calls somebody who clicked waits no longer.
pub const TRIAL_REST_TIME: Duration = Duration::from_secs(3);
/// Longest name of a bot, and longest key, that a command may have the store remember something under, in bytes. Those of
/// bots consist of a channel's name and a platform's id, which are shorter.
pub const MEMORY_NAME_BYTES_MAX: usize = 512;
/// Longest value that a bot may remember, in bytes.
pub const MEMORY_VALUE_BYTES_MAX: usize = 64 * 1024;
/// Alarms of one conversation: what one person may ask for, and each may become a message every minute.
pub const ALARMS_PER_CONVERSATION_MAX: u32 = 32;
/// How long it is remembered when somebody last wrote: longer than any platform lets us speak after that.
pub const CONTACT_LIFE: Duration = Duration::from_secs(400 * 24 * 3600);
/// How long an event is held for somebody who does not write; what it says is old news by then.
pub const HELD_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Pages of the write-ahead log (4 KiB each) from which they are moved into the database: 16 MiB.
pub const CHECKPOINT_PAGES: u32 = 4096;
/// When no more pages than this came in during a pass, the writer moves the rest itself.
pub const CHECKPOINT_REST_PAGES: u32 = 64;
/// After so many passes it does so whatever came in, so that the log does not grow for ever.
pub const CHECKPOINT_PASSES: u32 = 4;

// ---- work/, queue/ ----

/// Worker threads, unless configured …
pub const WORKERS: usize = 4;
/// … and at most: each may hold an answer of `ANSWER_BYTES_MAX`.
pub const WORKERS_MAX: usize = 64;
/// Time to connect to an upstream.
pub const FETCH_CONNECT_TIME: Duration = Duration::from_secs(5);
/// Time for each further step of a call: to send its head, its body, to be answered, to read the answer.
pub const FETCH_STEP_TIME: Duration = Duration::from_secs(15);
/// Time for a whole call to an upstream.
pub const FETCH_TIME: Duration = Duration::from_secs(20);
/// How long the first call over TLS keeps others waiting, so that its configuration is made once; when its upstream
/// hangs, they go on without.
pub const FETCH_FIRST_TIME: Duration = Duration::from_secs(1);
/// How long an upstream's addresses are used before its name is looked up again.
pub const NAME_LIFE: Duration = Duration::from_secs(30);
/// Upstreams whose addresses are remembered.
pub const NAMES_MAX: usize = 64;
/// Longest answer of an upstream that we read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Most commas, colons and brackets of such an answer outside of strings. An object of one member takes 700 bytes in memory
/// and three of them, so all of an answer is 7 MB there at most, and four workers with one each stay below the unit's
/// 64 MiB. A page of 100 posts has 5,000, and no other answer that we ask for has more.
pub const ANSWER_VALUES_MAX: usize = 30_000;
/// First wait before a retry; doubled each time …
pub const RETRY_DELAY: Duration = Duration::from_secs(1);
/// … up to this, so that a platform that is back is noticed within ten minutes.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(600);
/// A reply that could not be said for so long is given up. Past it Messenger's window is closed (messenger.md §9).
pub const RETRY_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Failures in a row, of any conversations, after which a channel rests and only probes.
pub const CHANNEL_FAILURES: u32 = 5;
/// How long a channel with refused credentials rests before it probes again.
pub const LOCKED_REST: Duration = Duration::from_secs(900);
/// How long a page may speak of its own accord after somebody wrote (messenger.md §9).
pub const MESSENGER_WINDOW: Duration = Duration::from_secs(24 * 3600);
/// So long before a window ends it counts as closed: what is sent now arrives later, and clocks differ.
pub const WINDOW_MARGIN: Duration = Duration::from_secs(60);
/// A push that waited so long before it could be said tells when it was made: "this moment" is over by then.
pub const PUSH_LATE: Duration = Duration::from_secs(15 * 60);
/// While workers always have something else to do, an alarm rings so often all the same.
pub const ALARM_PATIENCE: Duration = Duration::from_secs(1);
/// Alarms of one channel that one turn of the keeper moves without ringing: nobody wants their missed times any more, or a
/// clock that was ahead had put them off.
pub const ALARMS_MOVED: usize = 64;
/// Alarms that are due later than this from now are compared with their plans every `PRUNE_INTERVAL`, since the clock may
/// have been ahead when they were set. Most plans are for every day, and need no look.
pub const ALARM_FAR: Duration = Duration::from_secs(2 * 24 * 3600);
/// Longest wait that an upstream may impose on us (`Retry-After` and the like); more is nonsense.
pub const UPSTREAM_WAIT_MAX: Duration = Duration::from_secs(24 * 3600);
/// What a bot may leave to itself between two stages of an answer, in bytes: it lies beside the event, so a question and
/// what was found so far.
pub const STAGE_BYTES_MAX: usize = 16 * 1024;
/// Stages of one answer: a bot that never comes to an end is stopped.
pub const STAGES_MAX: u32 = 32;
/// Replies that one event may lead to, after cutting to the platform's size.
pub const REPLIES_MAX: usize = 100;
/// Words of an error that are kept, in bytes.
pub const WORDS_BYTES_MAX: usize = 1024;

// ---- queue/budget.rs, keeper/treasury.rs, work/vault.rs: what upstreams allow ----

/// The most calls that a limit may allow in its period; more is a slip of the pen.
pub const CALLS_MAX: usize = 1_000_000_000;
/// How long an upstream is left alone that refused a call and did not say for how long: most limits are by the minute.
pub const BUDGET_REST: Duration = Duration::from_secs(60);
/// Those who may have a promised place in an upstream's line. At 60 calls a minute they wait for hours; each takes
/// about 60 bytes.
pub const BUDGET_LINE_MAX: usize = 10_000;
/// How long a turn is kept, beyond its period, for somebody who does not come: workers may be busy, a machine may sleep.
/// No calls are held free meanwhile.
pub const BUDGET_GRACE: Duration = Duration::from_secs(10 * 60);
/// A clock that is set back by more than this makes nonsense of all places that were told.
pub const BUDGET_CLOCK_BACK: Duration = Duration::from_secs(60);
/// Of a period, as a divisor: its recent part, by whose pace it is foretold when the calls are used up. Two days of a
/// month, so that a month that lasts for five days is known on the first.
pub const BUDGET_RECENT: u32 = 15;
/// How often it is said that an upstream's calls will be used up, or that its consent ends.
pub const UPSTREAM_WARNING: Duration = Duration::from_secs(24 * 3600);
/// How soon a payment that the disk did not take may be tried again.
pub const PAYMENT_RETRY: Duration = Duration::from_secs(5);
/// Longest path of a call to an upstream, with its query, in bytes.
pub const CALL_PATH_BYTES_MAX: usize = 4 * 1024;
/// An access token is renewed so long before it ends, or after nine tenths of its life if that is later: a call takes
/// `FETCH_TIME`, and clocks differ.
pub const TOKEN_SLACK: Duration = Duration::from_secs(300);
/// Longest token, in bytes. It goes into each call's head, of which few upstreams take more than 8 KiB.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// How long an access token is taken to be good of which nobody says so: many are for an hour.
pub const TOKEN_LIFE: Duration = Duration::from_secs(3600);
/// The longest life of a token that is believed.
pub const TOKEN_LIFE_MAX: Duration = Duration::from_secs(400 * 24 * 3600);
/// How long tokens are not asked for again after asking failed.
pub const TOKEN_REST: Duration = Duration::from_secs(60);
/// From so long before a consent ends unused, the operator is warned.
pub const CONSENT_WARNING: Duration = Duration::from_secs(7 * 24 * 3600);
/// What is read of what somebody pastes into `ackd login`, in bytes.
pub const PASTED_BYTES_MAX: u64 = 8 * 1024;

// ---- work/facebook/, work/login.rs, work/session.rs: a login at Facebook, and who the operator is ----

/// How long a login may take from its first page to the code that comes of it, and how long its link is good.
pub const LOGIN_TIME: Duration = Duration::from_secs(600);
/// Logins of one upstream that are under way at once; of more, the oldest ends.
pub const LOGINS_MAX: usize = 8;
/// The calls that make tokens of a code, all together: less than `KEEPER_TIME`, after which nobody sees their page.
pub const LOGIN_CALLS_TIME: Duration = Duration::from_secs(8);
/// How long somebody who logged in at the public door, or entered the token of the other, need not do so again: a working
/// day.
pub const SESSION_TIME: Duration = Duration::from_secs(12 * 3600);
/// Cookies of one name that are tried. A browser sends one of ours, and as many more as a neighbour below the same domain
/// makes up.
pub const COOKIES_MAX: usize = 8;
/// How often Facebook is asked whether tokens are still good (graph.md §1).
pub const CONSENT_CHECK: Duration = Duration::from_secs(24 * 3600);
/// From so long before a token ends, the operator is warned each day. Nothing but a new login prolongs one.
pub const LOGIN_WARNING: Duration = Duration::from_secs(10 * 24 * 3600);
/// Pages of one login; each has a token that is looked at once a day …
pub const GRANTED_PAGES_MAX: usize = 50;
/// … and calls for their list, of 100 pages each: one with none on it may have a next one (graph.md §1).
pub const GRANTED_CALLS_MAX: usize = 10;
/// Longest token, in bytes. They have about 200, and Meta promises nothing.
pub const GRANTED_TOKEN_BYTES_MAX: usize = 1024;
/// Longest name of a page that is kept, in characters; Facebook allows 75.
pub const GRANTED_NAME_CHARS_MAX: usize = 75;
const _: () = assert!(LOGIN_CALLS_TIME.as_secs() < KEEPER_TIME.as_secs());
// ---- bot/solar/ ----

/// Systems asked for on one page of the list; Enphase gives no more (enphase.md §4) …
pub const SOLAR_PAGE_SYSTEMS: usize = 100;
/// … pages of it, each a call …
pub const SOLAR_PAGES_MAX: u32 = 4;
/// … and how long it is good: names and zones hardly ever change.
pub const SOLAR_DIRECTORY_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long until a system that was not in it is looked for again.
pub const SOLAR_DIRECTORY_REST: Duration = Duration::from_secs(3600);
/// Days of one answer that are read: more than two years.
pub const SOLAR_DAYS_MAX: usize = 800;
/// Most watts or Wh that are believed: 1 TWh. A day's figure is remembered for years, and a wrong one would be each sum.
pub const SOLAR_FIGURE_MAX: u64 = 1_000_000_000_000;
/// Longest name or reason of Enphase in a text of ours, in characters.
pub const SOLAR_NAME_CHARS_MAX: usize = 60;
/// Longest answer of Enphase that is read, in bytes: a page of the list takes 70 KiB. As JSON in memory it is up to 16 times
/// as long.
pub const SOLAR_ANSWER_BYTES_MAX: usize = 256 * 1024;
/// How long it is believed when a system began. For longer, one wrong answer would hide the years before it; for less than
/// it takes until old days are asked for again, they would be missed meanwhile.
pub const SOLAR_BEGAN_LIFE: Duration = Duration::from_secs(40 * 24 * 3600);
/// Times that one message may ask for: each may cost a call, and show a chart of each system.
pub const SOLAR_TIMES_MAX: usize = 6;
/// How long Enphase is left alone when it refused a call and did not say until when: its shortest period.
pub const SOLAR_REFUSED_REST: Duration = Duration::from_secs(60);
/// Systems of one person: all of them are told in one message.
pub const SOLAR_SYSTEMS_MAX: usize = 10;
/// People of one system who are the reason to look at it; one is enough.
pub const SOLAR_PEOPLE_MAX: usize = 50;
/// Systems that are looked at; 1,000 calls a month are then less than one a day for each.
pub const SOLAR_WATCHED_MAX: usize = 200;
/// A system that was not looked at for so long takes no share of the calls.
pub const SOLAR_WATCHED_LIFE: Duration = Duration::from_secs(40 * 24 * 3600);
/// Wrong codes of one person …
pub const SOLAR_GUESSES_MAX: u32 = 5;
/// … after which no code of theirs is looked at for so long.
pub const SOLAR_GUESS_REST: Duration = Duration::from_secs(3600);
/// How old a summary may be that answers a question: devices report every five minutes at most (enphase.md §4).
pub const SOLAR_FRESH: Duration = Duration::from_secs(300);
/// From which age on a figure is told with its age: gateways report every 5 to 15 minutes.
pub const SOLAR_AGE_TOLD: Duration = Duration::from_secs(15 * 60);
/// A system that reported nothing for so long in daylight may have stopped.
pub const SOLAR_SILENCE: Duration = Duration::from_secs(3 * 3600);
/// How long summary and daylight of a system are remembered; also its place among what is kept.
pub const SOLAR_SYSTEM_LIFE: Duration = Duration::from_secs(60 * 24 * 3600);
/// How long a month's days are: last year's January is asked for in this December.
pub const SOLAR_DAYS_LIFE: Duration = Duration::from_secs(800 * 24 * 3600);
/// How long a day's course is, for the same day of the next week.
pub const SOLAR_COURSE_LIFE: Duration = Duration::from_secs(9 * 24 * 3600);
/// Points of one day's course: one in 7 minutes all day.
pub const SOLAR_COURSE_SAMPLES: usize = 200;
/// How far back a date may lie; before that there was no Enphase.
pub const SOLAR_YEARS_BACK: i16 = 25;
/// Days from which a system's daylight is learned …
pub const SOLAR_SEEN_DAYS: usize = 7;
/// … as long as they are not older than this.
pub const SOLAR_SEEN_LIFE: Duration = Duration::from_secs(14 * 24 * 3600);
/// First wait after a look that failed, doubled each time up to the gap between looks.
pub const SOLAR_RETRY: Duration = Duration::from_secs(300);
/// A look that is overdue by this was lost, and is planned again.
pub const SOLAR_OVERDUE: Duration = Duration::from_secs(3600);
/// How old figures may get in daylight, unless configured: what gateways report at least (enphase.md §4).
pub const SOLAR_AGE: Duration = Duration::from_secs(15 * 60);
/// The shortest bound of age that may be configured: what devices report at most …
pub const SOLAR_AGE_MIN: Duration = Duration::from_secs(300);
/// … and the longest.
pub const SOLAR_AGE_MAX: Duration = Duration::from_secs(24 * 3600);
/// The Wh from which kWh are written, unless configured: numbers of five digits are hard to read …
pub const SOLAR_KILOWATTS_FROM: usize = 10_000;
/// … and the most that may be configured: no roof makes more in its life.
pub const SOLAR_KILOWATTS_FROM_MAX: usize = 1_000_000_000;
/// Days that an invitation of `ackd solar invite` is good for, unless told: somebody is asked on a Friday and answers after
/// a weekend.
pub const SOLAR_INVITE_DAYS: u32 = 7;
/// The same at most, since a code that lies around is a door.
pub const SOLAR_INVITE_DAYS_MAX: u32 = 366;
/// How long one that is over is still known, so that the bot can say that it is too old.
pub const SOLAR_INVITE_KNOWN: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long it is kept that somebody was removed: until the bot's worker has surely read it.
pub const SOLAR_REMOVED_KNOWN: Duration = Duration::from_secs(60);
/// People and invitations of one bot that `ackd solar people` lists; more fit on no screen, and it reads the store.
pub const SOLAR_LISTED_MAX: usize = 10_000;

// ---- bot/dota/ ----

/// Shortest name that OpenDota looks for, in characters (opendota.md §4).
pub const DOTA_NAME_CHARS_MIN: usize = 3;
/// Longest name that is looked for, in characters. Steam's have some 32; a longer text is a message to somebody else, and
/// would cost a call.
pub const DOTA_NAME_CHARS_MAX: usize = 48;
/// Longest name in a sentence of ours, in characters; the rest is cut off.
pub const DOTA_NAME_TOLD_CHARS_MAX: usize = 40;
/// Longest text out of an answer that is kept, in characters.
pub const DOTA_TEXT_CHARS_MAX: usize = 100;
/// Players that are offered when several have a name: one message, and ten quick replies of Messenger's 13.
pub const DOTA_CHOICES_MAX: usize = 10;
/// Players of one search that are looked at; OpenDota gives no more (opendota.md §4).
pub const DOTA_HITS_MAX: usize = 51;
/// Matches that are summed; OpenDota gives no more as recent ones (opendota.md §4).
pub const DOTA_MATCHES_MAX: usize = 20;
/// Heroes that are told as most played; more are read by nobody.
pub const DOTA_TOP_HEROES: usize = 5;
/// Heroes whose names are kept. Dota has some 125.
pub const DOTA_HEROES_MAX: usize = 500;
/// Longest name of a hero that is kept, in characters; Dota's have up to 19.
pub const DOTA_HERO_CHARS_MAX: usize = 32;
/// Names of all heroes together, as JSON, in bytes; Dota's have some 3,000. A longer list is not kept, so that what is
/// remembered of the world always fits.
pub const DOTA_NAMES_BYTES_MAX: usize = MEMORY_VALUE_BYTES_MAX / 2;
/// Longest text of a match that is kept, in bytes: each is a number, and one of 64 bits has 20 digits.
pub const DOTA_DIGITS_MAX: usize = 20;
/// Most of anything that is believed of a player.
pub const DOTA_FIGURE_MAX: u64 = 1_000_000_000_000;
/// How long what was read of a player, or found, is as good as new: a match takes half an hour.
pub const DOTA_FRESH: Duration = Duration::from_secs(10 * 60);
/// The same for names of heroes and for OpenDota's own limits: both change a few times a year.
pub const DOTA_WORLD_FRESH: Duration = Duration::from_secs(24 * 3600);
/// How old an answer may be that is told, marked, instead of letting somebody wait.
pub const DOTA_STALE_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long a player is remembered, for when OpenDota is not to be had; then only who asks again is missed.
pub const DOTA_PLAYER_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long it is remembered whom a search found.
pub const DOTA_SEARCH_LIFE: Duration = Duration::from_secs(24 * 3600);
/// How long a choice may be answered; later a "2" is more likely about something else.
pub const DOTA_CHOICE_LIFE: Duration = Duration::from_secs(3600);
/// How long "last week" is about the player that was spoken of: an evening.
pub const DOTA_SPOKEN_LIFE: Duration = Duration::from_secs(6 * 3600);
/// A wait so short is not worth a word.
pub const DOTA_WAIT_UNTOLD: Duration = Duration::from_secs(10);
/// The longest wait in line. A thousand people who ask 5 calls each at 60 a minute are served in an hour and a half.
pub const DOTA_WAIT_MAX: Duration = Duration::from_secs(2 * 3600);
/// The longest wait for midnight, when a day's calls are used up. Meanwhile nothing else of the conversation is heard.
pub const DOTA_DAY_WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// How often one question stands in line, before it is told to come back; an answer has `STAGES_MAX` stages.
pub const DOTA_WAITS_MAX: u32 = 20;
/// How long OpenDota may be silent in one answer, before that is told. Time in its line does not count.
pub const DOTA_PATIENCE: Duration = Duration::from_secs(30);
/// The shortest wait before it is tried again; each is as long as the silence so far …
pub const DOTA_RETRY: Duration = Duration::from_secs(1);
/// … so there are so many at most: of 1, 1, 2, 4, 8 and 14 s.
pub const DOTA_TRIES: u32 = 6;
/// What one person may have of a day's calls while less than half of it is left, in percent: some thirty players. A
/// hundred names of five calls each would be a sixth of everybody's day.
pub const DOTA_SHARE_PERCENT: u32 = 5;
/// By how much OpenDota's clock may be behind ours: its next minute or day begins as much later.
pub const DOTA_CLOCK_SLACK: Duration = Duration::from_secs(2);

// ---- bot/digest/ ----

/// Posts of one call; Graph gives no more (graph.md §5).
pub const DIGEST_LIMIT: u32 = 100;
/// Calls for the posts of one week, those among them that Graph wants smaller. So many pages are more posts than can be read
/// of a whole year (graph.md §5).
pub const DIGEST_CALLS_MAX: u32 = 20;
/// How long one look may take in all, when each call is slow: somebody waits for it.
pub const DIGEST_TIME: Duration = Duration::from_secs(30);
/// Longest answer of Graph that is read, in bytes; of a longer one half as many posts are asked for. As JSON in memory it is up
/// to 16 times as long.
pub const DIGEST_ANSWER_BYTES_MAX: usize = 512 * 1024;
/// Posts that are told of a week …
pub const DIGEST_TOP: usize = 5;
/// … and what is kept of the text of each, in UTF-16 units.
pub const DIGEST_TEXT_UNITS_MAX: usize = 400;
/// Of a longer text no more characters are looked at.
pub const DIGEST_TEXT_CHARS_MAX: usize = 2000;
/// Longest title of a card (graph.md §4), in UTF-16 units.
pub const DIGEST_TITLE_UNITS_MAX: usize = 80;
/// Longest link to a post, in bytes. Facebook's have less than 300.
pub const DIGEST_LINK_BYTES_MAX: usize = 1000;
/// Longest name of a page, or reason of Facebook's, in a text of ours, in UTF-16 units; names have at most 75.
pub const DIGEST_NAME_UNITS_MAX: usize = 80;
/// Most shares, comments or reactions of one post that are believed.
pub const DIGEST_FIGURE_MAX: u64 = 1_000_000_000_000;
/// A week that was looked at so lately is told as it is …
pub const DIGEST_FRESH: Duration = Duration::from_secs(10 * 60);
/// … and one that is over, where only few still comment, for so long. An app that one person uses has a hundred calls a day.
pub const DIGEST_LAST_FRESH: Duration = Duration::from_secs(3600);
/// The part of a day's calls that is kept for what is said of our own accord: looks for whoever asks leave it.
pub const DIGEST_KEPT_PART: u32 = 10;
/// Calls that a look takes as a rule. What is left of a day is shared out by it; where a look takes more, the gaps grow.
pub const DIGEST_LOOK_CALLS: u32 = 2;
/// How long nobody is asked again after a look that failed …
pub const DIGEST_REST: Duration = Duration::from_secs(60);
/// … and after each one in a row; the last is for all that follow. Whoever fails on the third page pays for three calls.
pub const DIGEST_RESTS: [Duration; 4] =
    [DIGEST_REST, Duration::from_secs(5 * 60), Duration::from_secs(30 * 60), Duration::from_secs(120 * 60)];
/// How long Facebook is left alone when it wants fewer calls and does not say for how long (graph.md §6): it counts by the
/// hour, and what is left comes back by and by.
pub const DIGEST_BUSY_REST: Duration = Duration::from_secs(300);
/// How long a week is remembered: last week's is asked for until the next one ends.
pub const DIGEST_LIFE: Duration = Duration::from_secs(22 * 24 * 3600);
/// How long the names of pages are good …
pub const DIGEST_NAMES_FRESH: Duration = Duration::from_secs(24 * 3600);
/// … how many of them are kept …
pub const DIGEST_NAMES_MAX: usize = 100;
/// … and calls that ask for them; one tells of 100.
pub const DIGEST_NAMES_CALLS_MAX: u32 = 4;
/// Seconds after which a browser looks again for a page that is being made.
pub const DIGEST_RELOAD_SECONDS: u32 = 5;

// ---- chart/, pictures that bots make ----

/// Bars of one chart; of more, each would be too narrow to be told from the next one.
pub const CHART_BARS_MAX: usize = 100;
/// Longest label of a bar, in characters; the rest is cut off.
pub const CHART_LABEL_CHARS_MAX: usize = 12;

/// How long a picture is shown at its URL. Its reply is tried for `RETRY_LIFE`, and then the platform has its own copy.
pub const PICTURE_LIFE: Duration = Duration::from_secs(2 * 24 * 3600);
/// How long who has fetched a picture may keep it.
pub const PICTURE_CACHE_TIME: Duration = Duration::from_secs(24 * 3600);
/// Pictures for which the keeper is asked at once; past this we answer 503. Together they take at most 2 MiB.
pub const PICTURES_ASKED_MAX: usize = 32;

// ---- twin/webex/: what a stand-in remembers ----

/// Messages; of more, the oldest leave. A load test of 5,000 lasts three times over.
pub const WEBEX_MESSAGES_MAX: usize = 16 * 1024;
/// What they may take together, in bytes: as many messages of usual length, or 1,000 with the largest text and markdown.
pub const WEBEX_MESSAGES_BYTES_MAX: usize = 32 * 1024 * 1024;
/// People besides the bot; a message to an unknown address makes a new one.
pub const WEBEX_PEOPLE_MAX: usize = 1024;
/// Rooms: one for each of them, and group rooms.
pub const WEBEX_ROOMS_MAX: usize = 2048;
/// Webhooks of the bot. Webex keeps 30,000 (webex.md §4); here so many are a mistake, and each would be told of each event.
pub const WEBEX_WEBHOOKS_MAX: usize = 1000;
/// The texts of one webhook, or the URL of a file that a person shows, in bytes.
pub const WEBEX_WEBHOOK_BYTES_MAX: usize = 8 * 1024;
/// A file that is uploaded, in bytes. Webex takes 100 MB; a chart has 2 KB, and a chat page shows what is here.
pub const WEBEX_UPLOAD_BYTES_MAX: usize = 256 * 1024;
/// Submitted cards; of more, the oldest leave.
pub const WEBEX_ACTIONS_MAX: usize = 1024;
/// What is filled into one card, in bytes; so all of them take 16 MiB.
pub const WEBEX_INPUTS_BYTES_MAX: usize = 16 * 1024;
/// Dispatches whose end still finds its webhook; the courier holds fewer.
pub const WEBEX_TOLD_MAX: usize = 16 * 1024;
/// Items of a list on one page, unless asked …
pub const WEBEX_LIST_DEFAULT: usize = 100;
/// … and at most.
pub const WEBEX_LIST_MAX: usize = 1000;
// ---- queue/schedule.rs, bot/subscription.rs: plans ----

/// The shortest time between two alarms of one plan, in seconds; cron knows no shorter one either.
pub const EVERY_SECONDS_MIN: u32 = 60;
/// The longest, in seconds: a year. More is a slip of the pen, or a plan for once.
pub const EVERY_SECONDS_MAX: u32 = 366 * 24 * 3600;
/// Longest cron pattern, in bytes. All times of day below, each with a list of weekdays, take 600.
pub const PATTERN_BYTES_MAX: usize = 1024;
/// Times of day of one plan. Each is a pattern of its own, and costs 30 µs whenever the next time is sought.
pub const DAY_TIMES_MAX: usize = 24;
/// Times of a plan that are looked at for the shortest time between two of them, which its spread must not exceed.
pub const GAPS_LOOKED_AT: usize = 256;
/// The shortest time between two messages that a person may subscribe to, in seconds: more of them would be muted, and
/// each may cost calls of an upstream.
pub const SUBSCRIPTION_SECONDS_MIN: u32 = 600;
/// Longest message that can be a command about a subscription, in characters; it takes the 24 times above. Who writes
/// more tells something else.
pub const COMMAND_CHARS_MAX: usize = 200;

// ---- registry/ ----

/// How often registrations are looked at, unless configured: Webex switches a webhook off after 5 minutes of failures
/// and switches it on for nobody (webex.md §1).
pub const REGISTRATION_INTERVAL: Duration = Duration::from_secs(300);
/// The shortest interval that may be configured; each look is a call of a limited API …
pub const REGISTRATION_INTERVAL_MIN: Duration = Duration::from_secs(10);
/// … and the longest: Meta's alerts come after hours.
pub const REGISTRATION_INTERVAL_MAX: Duration = Duration::from_secs(24 * 3600);
/// First wait after a look that failed, doubled each time up to the interval: what starts with us is there soon.
pub const REGISTRATION_RETRY: Duration = Duration::from_secs(15);
/// Looks of one sync: another one when the platform's side changed meanwhile.
pub const REGISTRY_LOOKS: usize = 2;
/// Pages of a platform's list, of 100 webhooks each; who has more than 5,000 must tidy up first.
pub const REGISTRY_PAGES_MAX: usize = 50;
/// Other people's registrations that are named in a report, tunnels and fields that are looked at.
pub const REGISTRY_ITEMS_MAX: usize = 100;
/// Longest name or address out of a platform's list in a line of ours, in characters.
pub const REGISTRY_CHARS_MAX: usize = 200;
/// Time for one call of the ngrok agent, which is on this machine.
pub const NGROK_TIME: Duration = Duration::from_secs(2);
/// How often an agent is asked that has no tunnel yet …
pub const NGROK_TRIES: u32 = 10;
/// … and how long apart: all together it is some five seconds.
pub const NGROK_PAUSE: Duration = Duration::from_millis(500);

// ---- config/, cli/ ----

/// Longest configuration file, in bytes. One with 500 channels takes 200 KiB.
pub const CONFIG_BYTES_MAX: usize = 1024 * 1024;
/// Longest secret, in bytes, wherever it comes from. A page's access token has about 200.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;
/// Shortest secret that nobody is warned of, in characters. Eight hex digits take days to try over a network; platforms
/// make theirs of 32 and more.
pub const SECRET_CHARS_MIN: usize = 8;
/// Shortest token of the operator's door, in characters: nobody counts who tries there, and 16 hex digits take for ever.
pub const DOOR_TOKEN_CHARS_MIN: usize = 16;
/// Faults of TOML itself that are listed. A file of another kind has one in each line.
pub const SYNTAX_FAULTS_MAX: usize = 10;
/// How often `ackd top` looks: as fast as somebody reads.
pub const TOP_INTERVAL: Duration = Duration::from_secs(1);
/// Addresses listened on; a list by mistake should not eat the descriptors.
pub const LISTENS_MAX: usize = 64;
/// The most that `connections` may ask for.
pub const CONNECTIONS_CEILING: usize = 100_000;
/// Longest name of a channel or bot, in bytes; it is part of every event's id.
pub const NAME_BYTES_MAX: usize = 32;
/// Subscriptions that the configuration may list. To find that a pattern never happens takes 10 ms of `ackd check`.
pub const SUBSCRIPTIONS_MAX: usize = 1000;
/// What a subscription asks of its bot, in bytes: a sentence. It is part of every event that it leads to.
pub const ASK_BYTES_MAX: usize = 1024;
/// Longest webhook path, in bytes; with a query behind it, it must fit `TARGET_BYTES_MAX`.
pub const PATH_BYTES_MAX: usize = 1024;
/// Events that `ackd events` lists, unless told …
pub const EVENTS_LISTED: usize = 50;
/// … and at most.
pub const EVENTS_LISTED_MAX: usize = 100_000;
/// Events that `ackd replay --dry` rehearses, unless told since when; then as many as are listed at most.
pub const EVENTS_REHEARSED: usize = 1000;
/// Rows of a channel that are looked at for a list without receipts: more are only read where they are asked for.
pub const EVENTS_LOOKED_MAX: usize = 100_000;
/// What a request of the inspector's page lists at most; a screen has a fifth of it.
pub const INSPECTOR_EVENTS_MAX: usize = 200;
/// So many events it looks at, and then says how far it came: a few milliseconds on a small machine, and an hour of a busy
/// page. A search looks at their replies, too.
pub const INSPECTOR_ROWS_MAX: usize = 1000;
/// … and at so many bytes of them and of what was said, which is as long.
pub const INSPECTOR_BYTES_MAX: usize = 1024 * 1024;
/// … a few at a time from each channel, since what was read and not shown is read again.
pub const INSPECTOR_STEP_ROWS: usize = 64;
/// A text that is looked for there, in bytes. Each byte of an event may be compared with each of it.
pub const FIND_BYTES_MAX: usize = 128;
/// The newest replies of each channel that it asks for an id of the platform's, for which there is no index.
pub const INSPECTOR_REPLIES_MAX: usize = 20_000;
/// So much of an event's bytes it shows; longer ones have been seen of no platform.
pub const INSPECTOR_RAW_BYTES_MAX: usize = 64 * 1024;
/// When nobody has looked for so long the inspector closes the store: a page that is looked at asks each two seconds.
pub const INSPECTOR_REST: Duration = Duration::from_secs(60);
/// How often `ackd events --follow` looks whether something was committed. A look costs 20 µs.
pub const FOLLOW_INTERVAL: Duration = Duration::from_millis(250);
/// Those who wait for a reload at once over the control socket: whoever types it again and again is told so.
pub const RELOADS_WAITING_MAX: usize = 16;
/// Rows read at once by `--follow` and `replay --dead`, so that a long backlog takes no memory.
pub const PAGE_ROWS: usize = 512;
/// Events whose state `--follow` keeps in mind to see it change; of more, the oldest are let go. One takes 30 bytes.
pub const FOLLOWED_MAX: usize = 4096;
/// Widest column of kinds in `ackd events`, in characters.
pub const KIND_CHARS_MAX: usize = 20;
/// Widest column of conversations there, in characters; a Messenger id has 17.
pub const CONVERSATION_CHARS_MAX: usize = 28;
/// Longest reason there, in characters.
pub const WHY_CHARS_MAX: usize = 160;
/// What `ackd why` shows of an event's bytes or a reply's text, and of any other word from outside, in characters.
pub const PREVIEW_CHARS_MAX: usize = 400;
/// How long a daemon may take to answer over its control socket; the keeper has `KEEPER_TIME` of it.
pub const CONTROL_TIME: Duration = Duration::from_secs(10);
/// How often a held store is tried whose control socket nobody answers: an ackd that is starting holds its store
/// first, and another command holds it for some milliseconds.
pub const CONTROL_TRIES: u32 = 20;
/// How long apart.
pub const CONTROL_PAUSE: Duration = Duration::from_millis(100);
/// What a message quotes of somebody's words, in characters.
pub const QUOTED_CHARS_MAX: usize = 60;

// ---- cli/doctor/ ----

/// What is written and synced to see whether the disk takes it, in bytes: a few pages, as a commit.
pub const DISK_PROBE_BYTES: usize = 16 * 1024;
/// Space that must be free, in bytes. The log may grow to 64 MiB before it is moved into the store, which then needs
/// as much again.
pub const DISK_FREE_BYTES_MIN: u64 = 128 * 1024 * 1024;
/// How long the store's pages are looked at: a million events take some ten seconds on a fast disk, and whoever asks
/// waits.
pub const STORE_CHECK_TIME: Duration = Duration::from_secs(10);
/// For how long a dead event is called wrong, so that who looks every day sees each.
pub const DEAD_NEWS_TIME: Duration = Duration::from_secs(24 * 3600);
/// How far our clock may be from a platform's. Meta refuses a proof that is 5 minutes off (messenger.md §6), and times
/// in lists and logs are compared with theirs.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(60);
/// How long one look outside may take, at a token or over the public URL: whoever asks waits for each. A webhook that
/// takes longer is too slow for any platform.
pub const LOOK_TIME: Duration = Duration::from_secs(10);
/// What ackd takes at most, in bytes, besides its connections …
pub const MEMORY_BYTES_MIN: u64 = 24 * 1024 * 1024;
/// … and for each connection, in bytes (ARCHITECTURE.md, "Figures": 424 in ackd, the rest in the kernel).
pub const CONNECTION_BYTES: u64 = 1229;
/// Restarts by systemd since somebody started the unit; more are no accident.
pub const UNIT_RESTARTS_MAX: u32 = 3;
/// How long another program, as systemctl, may take to say what is asked.
pub const PROGRAM_TIME: Duration = Duration::from_secs(5);
/// What it may say, and the longest file of /proc that is read, in bytes. An environment may have 128 KiB and more.
pub const PROGRAM_BYTES_MAX: usize = 1024 * 1024;

// ---- page/ ----

/// How long the chat page's question for news waits before it is answered with none.
pub const NEWS_TIME: Duration = Duration::from_secs(20);

// ---- twin/ ----

/// Connections that a house of twins serves at once, each with a thread; past this it answers 503. A bot's program
/// has as many as workers, a browser six.
pub const TWIN_CONNECTIONS_MAX: usize = 128;
/// One read from a socket there, in bytes.
pub const TWIN_READ_BYTES: usize = 16 * 1024;
/// Couriers, each with one call under way: at 2 ms for an acknowledgement they deliver 4,000 events a second.
pub const COURIERS: usize = 8;
/// Dispatches that may wait for a courier; past this people may do nothing and calls are refused as too many.
pub const OUTBOX_MAX: usize = 20_000;
/// The same in bytes: 20,000 messages of usual length take 12 MB.
pub const OUTBOX_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A dispatch held back behind the next one goes after this, when there is no next one.
pub const REORDER_TIME: Duration = Duration::from_secs(1);
/// What the ledger keeps, in bytes, unless told; then the oldest leave. 8,000 messages with their answers.
pub const LEDGER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest body that the ledger keeps whole, in bytes.
pub const LEDGER_BODY_BYTES_MAX: usize = 64 * 1024;
/// Attempts of one dispatch that the ledger keeps; no platform tries so often.
pub const LEDGER_ATTEMPTS_MAX: usize = 64;
/// A late answer comes after this, unless told: later than our own calls wait for one.
pub const LATE_TIME: Duration = Duration::from_secs(16);
/// How long calls are refused as too many, or for an expired token, unless told.
pub const MISHAP_TIME: Duration = Duration::from_secs(3);
/// The most that a fault may last; more is a slip of the pen.
pub const FAULT_TIME_MAX: Duration = Duration::from_secs(3600);
/// How long a call that registers an address waits for that address to be verified; a webhook has 5 s to answer.
pub const VERIFIED_TIME: Duration = Duration::from_secs(10);
/// Bubbles of one twin that can be shown; then the oldest leave. A bubble takes 400 bytes.
pub const BUBBLES_MAX: usize = 4096;
/// The same in bytes: a gallery of ten cards with long addresses takes 10 KiB.
pub const BUBBLES_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest text that a person may write, in characters; Messenger's own input field takes no more.
pub const PERSON_TEXT_CHARS_MAX: usize = 20_000;
/// Events of one batch: Meta batches up to 1000 updates (messenger.md §3).
pub const BATCH_EVENTS_MAX: usize = 1000;
/// Longest profile of a page that its twin keeps, in bytes. One with 100 commands takes 12 KiB.
pub const PROFILE_BYTES_MAX: usize = 64 * 1024;
/// Codes, and pairs of tokens, that the Enphase twin keeps; of more the oldest end. One takes 300 bytes.
pub const ENPHASE_TOKENS_MAX: usize = 256;
/// How long a code of its is good: RFC 6749 §4.1.2 recommends at most ten minutes.
pub const ENPHASE_CODE_TIME: Duration = Duration::from_secs(600);
/// How long an access token that was refreshed under a fault meets no further fault of that kind.
pub const ENPHASE_EXPIRY_REST: Duration = Duration::from_secs(60);
/// Days of a roof whose sums are kept, 8 bytes each: a hundred years. A clock that is further off ends no loop.
pub const ENPHASE_DAYS_MAX: usize = 36_525;
/// Days back from now that telemetry is had for (enphase.md §4: two years).
pub const ENPHASE_TELEMETRY_DAYS: i64 = 731;
/// Silence after which a system's status is `comm`; Enphase's own patience is unconfirmed.
pub const ENPHASE_SILENCE: Duration = Duration::from_secs(3600);
/// Systems on one page, unless asked …
pub const ENPHASE_LIST_DEFAULT: usize = 10;
/// … and at most (enphase.md §4).
pub const ENPHASE_LIST_MAX: usize = 100;
/// Days that a player of the OpenDota twin plays: twenty years. All matches of the busiest one, some 26,000, are then 8 MB
/// of JSON; a clock that is further off ends no loop.
pub const OPENDOTA_DAYS_MAX: i64 = 7305;
/// Hits by name that a search has at most (opendota.md §4).
pub const OPENDOTA_HITS_MAX: usize = 50;
/// Fewest characters that names are searched for (opendota.md §4).
pub const OPENDOTA_SEARCH_CHARS_MIN: usize = 3;
/// Codes that the Graph twin keeps; of more the oldest end. One takes 300 bytes …
pub const GRAPH_CODES_MAX: usize = 64;
/// … and tokens: a login on twelve pages leaves fourteen. One takes 400 bytes.
pub const GRAPH_TOKENS_MAX: usize = 1024;
/// How long a code of its is good ("briefly", graph.md §3): RFC 6749 §4.1.2 recommends at most ten minutes.
pub const GRAPH_CODE_TIME: Duration = Duration::from_secs(600);
/// How long after a login the person's data may be read, in seconds: 90 days, as the samples have it.
pub const GRAPH_DATA_SECONDS: i64 = 90 * 86_400;
/// Items of a list on one page, unless asked …
pub const GRAPH_LIST_DEFAULT: usize = 25;
/// … and at most (graph.md §5).
pub const GRAPH_LIST_MAX: usize = 100;
/// How far back posts can be read, in seconds: some 600 a year (graph.md §5).
pub const GRAPH_POSTS_SECONDS: i64 = 365 * 86_400;
/// What `since` and `until` may be apart, in seconds: six months (graph.md §5).
pub const GRAPH_SPAN_SECONDS: i64 = 184 * 86_400;
/// How long people go on about a post, in seconds.
pub const GRAPH_GROWTH_SECONDS: u64 = 2 * 86_400;

const _: () = assert!(FETCH_STEP_TIME.as_millis() < LATE_TIME.as_millis() && LATE_TIME.as_millis() < 20_000);
const _: () = assert!(PATH_BYTES_MAX < TARGET_BYTES_MAX && CONNECTIONS_MAX <= CONNECTIONS_CEILING);
const _: () = assert!(HEAD_BYTES_MAX + BODY_BYTES_MAX <= TLS_BUFFERED_BYTES_MAX);
const _: () = assert!(TLS_BUFFERED_BYTES_MAX <= BUFFERED_BYTES_MAX);
const _: () = assert!(TARGET_BYTES_MAX < HEAD_BYTES_MAX && HEAD_BYTES_MAX <= u16::MAX as usize);
const _: () = assert!(RETRY_LIFE.as_secs() < PICTURE_LIFE.as_secs());
const _: () = assert!(FETCH_TIME.as_secs() < STOP_WORK_TIME.as_secs());
const _: () = assert!(DOTA_WAITS_MAX + DOTA_TRIES + 4 < STAGES_MAX);
const _: () = assert!(DOTA_PATIENCE.as_secs() <= DOTA_RETRY.as_secs() << (DOTA_TRIES - 1));
// Each chart is a reply, and beside them there are words.
const _: () = assert!(SOLAR_TIMES_MAX * SOLAR_SYSTEMS_MAX < REPLIES_MAX);
// An event that is held must end before it is forgotten.
const _: () = assert!(HELD_LIFE.as_secs() < MARK_LIFE.as_secs());
