//! Refusals in Graph's words (graph.md §6, messenger.md §7): code and subcode count. Statuses are those of the samples;
//! texts that no sample has are from general knowledge or ours.

use super::call::Object;
use crate::model::{Moment, Response};
use crate::notation::days::{clock, month, short, weekday};
use crate::twin::enphase::Zone;
use jiff::Timestamp;
use std::borrow::Cow;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    pub message: Cow<'static, str>,
    kind: &'static str,
    pub code: u32,
    /// 0 when there is none.
    pub subcode: u32,
}

impl Refused {
    pub(super) fn new(status: u16, code: u32, subcode: u32, message: impl Into<Cow<'static, str>>) -> Refused {
        Refused { status, message: message.into(), kind: "OAuthException", code, subcode }
    }

    /// A parameter is wrong.
    pub(super) fn parameter(why: &str) -> Refused {
        Refused::new(400, 100, 0, format!("(#100) {why}"))
    }

    /// There is no such object, or not for this caller, or not for this method.
    pub(super) fn no_object(method: &str, id: &str) -> Refused {
        let message = format!(
            "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation."
        );
        Refused::new(400, 100, 33, message)
    }

    /// The object has no such edge, or there is no such version.
    pub(super) fn no_edge(path: &str) -> Refused {
        Refused::new(400, 2500, 0, format!("Unknown path components: /{path}"))
    }

    pub(super) fn permission(needed: &str) -> Refused {
        let message = format!(
            "(#10) This endpoint requires the '{needed}' permission or the 'Page Public Content Access' feature."
        );
        Refused::new(403, 10, 0, message)
    }

    pub(super) fn too_much_data() -> Refused {
        Refused::new(500, 1, 0, "Please reduce the amount of data you're asking for, then retry your request")
    }

    pub(super) fn unknown() -> Refused {
        Refused::new(500, 1, 0, "An unknown error occurred")
    }

    pub(super) fn service() -> Refused {
        Refused::new(500, 2, 0, "Service temporarily unavailable")
    }

    pub(super) fn app_limit() -> Refused {
        Refused::new(403, 4, 0, "(#4) Application request limit reached")
    }

    pub(super) fn user_limit() -> Refused {
        Refused::new(403, 17, 0, "(#17) User request limit reached")
    }

    pub(super) fn no_token() -> Refused {
        Refused::new(400, 104, 0, "An access token is required to request this resource.")
    }

    pub(super) fn bad_token() -> Refused {
        Refused::new(401, 190, 0, "Invalid OAuth access token - Cannot parse access token")
    }

    pub(super) fn expired(until: Moment, now: Moment) -> Refused {
        let (until, now) = (pacific(until), pacific(now));
        let message =
            format!("Error validating access token: Session has expired on {until}. The current time is {now}.");
        Refused::new(401, 190, 463, message)
    }

    pub(super) fn proof(message: &'static str) -> Refused {
        Refused { kind: "GraphMethodException", ..Refused::new(400, 100, 0, message) }
    }

    pub(super) fn response(&self, trace: &str) -> Response {
        let error = Object::new().text("message", &self.message).text("type", self.kind).raw("code", self.code);
        let error = if self.subcode == 0 { error } else { error.raw("error_subcode", self.subcode) };
        let error = error.text("fbtrace_id", trace).end();
        Response::json(self.status, Object::new().raw("error", error).end().into_bytes())
    }
}

/// `Thursday, 20-Nov-25 00:00:00 PST`: Meta tells the time of its own town.
fn pacific(at: Moment) -> String {
    let (time, zone) = (Timestamp::from_second(at.seconds()).unwrap_or_default(), Zone::los_angeles().rule);
    let wall = zone.to_datetime(time);
    let date = format!("{:02}-{}-{:02}", wall.day(), short(month(wall.date())), wall.year() % 100);
    let clock = format!("{}:{:02}", clock(wall.time()), wall.second());
    format!("{}, {date} {clock} {}", weekday(wall.date()), zone.to_offset_info(time).abbreviation())
}
