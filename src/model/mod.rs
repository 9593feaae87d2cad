//! The nouns that cross a wall between two rooms, and nothing else.
//!
//!     Head, Request, Response, Refusal     what is said over HTTP          request.rs
//!     Arrival, Event, EventId              what happened on a channel      event.rs
//!     Reply, OutboundRequest, Delivery     what a bot wants said           reply.rs
//!     Picture, PictureName                 what a bot drew                 picture.rs
//!     Lease, Settlement                    a job handed out, and its end   job.rs
//!     Plan, Alarm, Ring                    what happens of its own accord   alarm.rs
//!     DayTime, Weekday                     times of day, as people say them  daytime.rs
//!     Upstream, Limit, Left, Lesson        a service that a bot asks        upstream.rs
//!     Visit, Page                          a page that somebody wants to see  visit.rs
//!     Moment, Tick                         time, always handed in          time.rs
//!     Secret                               what must never be printed      secret.rs
//!
//! Never here: behaviour that belongs to a room. A noun that only one room uses lives in that room.

pub mod alarm;
pub mod daytime;
pub mod event;
pub mod job;
pub mod picture;
pub mod reply;
pub mod request;
pub mod secret;
pub mod time;
pub mod upstream;
pub mod visit;
pub mod zipped;

pub use alarm::{Alarm, AlarmSet, AlarmWrite, CONFIGURED, OWNER_CONFIGURATION, Plan, Ring, RunMissed, When};
pub use daytime::{DayTime, Weekday};
pub use event::{Arrival, Attachment, ChannelNumber, Event, EventId, EventKey, EventKind, Fate};
pub use job::{
    Attempt, Instead, Lease, MemoryWrite, Notes, Order, Rest, SendEnd, Settlement, Stage, Work, named_events,
};
pub use picture::{PICTURES, Picture, PictureName};
pub use reply::{
    Answer, Button, Card, Content, CourtesyAct, Delivery, Extent, FetchFault, OutboundRequest, Outcome, Purpose,
    QuickReply, Reply,
};
pub use request::{Framing, Head, Method, Refusal, Request, Response, Span, is_named};
pub use secret::Secret;
pub use time::{Moment, Tick};
pub use upstream::{Facebook, Left, Lesson, Limit, OAuth, Papers, Period, Upstream};
pub use visit::{Claim, Host, Page, Visit};
pub use zipped::zipped;
