//! The inspector: all that is kept, for the operator's browser. A page, which asks for JSON.
//!
//!     GET  /events, /events/page.js, /events/page.css     the page and its parts, gzipped by the build
//!     GET  /events/list     events, the newest first; filtered and searched           list.rs, needle.rs
//!     GET  /events/life     one event from its arrival to its end                     life.rs
//!     GET  /events/hour     the last hour in figures                                  meter/hour.rs
//!     POST /events/replay, /events/resolve     what the operator decides              orders.rs
//!
//! It reads a store in a file, beside the keeper and without asking it, through a reader that is open only while somebody
//! looks; a store in memory has no inspector. Each answer looks at a bounded part of the store. What came from outside is text
//! in JSON, and never HTML.
//!
//! Never here: who may ask (the intake and the reception know), writing (the keeper does what was decided).

mod json;
mod life;
mod list;
mod needle;
mod orders;
#[cfg(test)]
mod tests;

pub use json::{error, lines};
pub use orders::order;

use crate::model::visit::{guarded, parameter};
use crate::model::{Method, Moment, Response, Visit, zipped};
use crate::store::StoreError;
use crate::store::sqlite::Reader;
use json::Json;
use list::Wanted;
use std::path::PathBuf;

/// Where it lies at the operator's door.
pub const PLACE: &str = "/events";

const PAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/inspector.html.gz"));
const SCRIPT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/inspector.js.gz"));
const STYLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/inspector.css.gz"));

/// Nothing runs in it but its own script, and nothing is fetched but from here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is wanted of the inspector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A part of the page, and of which type it is.
    Part(&'static [u8], &'static str),
    Hour,
    List,
    Life,
    Replay,
    Resolve,
}

impl Wish {
    /// What a path below the inspector's place asks for.
    pub fn of(below: &str) -> Option<Wish> {
        Some(match below {
            "" => Wish::Part(PAGE, "text/html; charset=utf-8"),
            "/page.js" => Wish::Part(SCRIPT, "text/javascript; charset=utf-8"),
            "/page.css" => Wish::Part(STYLE, "text/css; charset=utf-8"),
            "/hour" => Wish::Hour,
            "/list" => Wish::List,
            "/life" => Wish::Life,
            "/replay" => Wish::Replay,
            "/resolve" => Wish::Resolve,
            _ => return None,
        })
    }

    /// Whether it changes something.
    pub fn acts(self) -> bool {
        matches!(self, Wish::Replay | Wish::Resolve)
    }

    /// Whether it is asked for by this method; otherwise by which.
    pub fn takes(self, method: Method) -> Result<(), &'static str> {
        let (fits, allow) = match self.acts() {
            true => (method == Method::Post, "POST"),
            false => (matches!(method, Method::Get | Method::Head), "GET, HEAD"),
        };
        if fits { Ok(()) } else { Err(allow) }
    }
}

/// A part of the page, as it is sent to whoever takes it so.
pub fn part(takes: Option<&[u8]>, bytes: &'static [u8], content_type: &'static str) -> Response {
    guarded(zipped(takes, content_type, bytes)).with("Content-Security-Policy", POLICY)
}

/// Why something is not shown, or not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub status: u16,
    pub why: String,
}

impl From<StoreError> for Fault {
    fn from(StoreError(why): StoreError) -> Fault {
        Fault { status: 503, why }
    }
}

/// Whoever looks into the store for the operator.
#[derive(Debug)]
pub struct Inspector {
    store: PathBuf,
    open: Option<Opened>,
}

/// A reader, and a number that no other has: versions of two readers are not to be compared.
#[derive(Debug)]
struct Opened {
    reader: Reader,
    number: u64,
}

impl Inspector {
    /// One for this store, which it leaves alone until somebody looks.
    pub fn new(store: PathBuf) -> Inspector {
        Inspector { store, open: None }
    }

    /// Whether it holds the store open.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Nobody looks any more.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// What the operator wants to see. `chance` gives 64 random bits.
    pub fn show(&mut self, visit: &Visit, now: Moment, chance: fn() -> u64) -> Response {
        match self.look(visit, now, chance) {
            Ok(json) => json::answer(200, json),
            Err(Fault { status, why }) => {
                if status == 503 {
                    log::error!("the inspector: {why}");
                    self.close();
                }
                error(status, &why)
            }
        }
    }

    fn look(&mut self, visit: &Visit, now: Moment, chance: fn() -> u64) -> Result<String, Fault> {
        if self.open.is_none() {
            self.open = Some(Opened { reader: Reader::beside(&self.store)?, number: chance() });
        }
        let nothing = || Fault { status: 404, why: "there is nothing at this path".to_owned() };
        let Opened { reader, number } = self.open.as_ref().ok_or_else(nothing)?;
        // Asked first: what is committed from here on is news the next time.
        let version = format!("{number:x}.{}", reader.version()?);
        let query = visit.request.head.query();
        let mut json = Json::default();
        json.open('{');
        if parameter(query, "seen").is_some_and(|seen| seen == version) {
            json.flag("same", true).close('}');
            return Ok(json.0);
        }
        json.says("version", &version).at("now", now).says("guard", &visit.guard);
        match Wish::of(&visit.path) {
            Some(Wish::List) => list::list(reader, &Wanted::read(query)?, &mut json)?,
            Some(Wish::Life) => life::life(reader, &parameter(query, "id").unwrap_or_default(), now, &mut json)?,
            _ => return Err(nothing()),
        }
        json.close('}');
        Ok(json.0)
    }
}
