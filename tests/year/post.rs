//! Twins whose events are put into a box, from which a test takes them when the daemon runs: as if each had been brought
//! at once and answered 200.

use ackd::model::{Moment, Request, Response};
use ackd::twin::{Act, Bubble, Conversation, Deed, Dispatch, End, Meter, Mishap, Reaction, Twin};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Dispatches that were not brought yet, each with the channel that they are for.
pub type Box = Arc<Mutex<VecDeque<(&'static str, Dispatch)>>>;

/// A call that a twin was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: Moment,
    pub path: String,
    pub status: u16,
    /// It failed on purpose.
    pub mishap: bool,
}

/// A twin with a box in front of it, and a list of what it was asked.
pub struct Posting<T> {
    pub twin: T,
    pub channel: &'static str,
    pub post: Box,
    pub asked: Arc<Mutex<Vec<Asked>>>,
    /// What happens there when somebody says `/`: nobody hears that.
    pub deed: fn(&mut T),
}

impl<T: Twin> Posting<T> {
    fn take(&mut self, dispatches: Vec<Dispatch>, now: Moment) {
        for dispatch in dispatches {
            let well = End::Answered { status: 200, body: Vec::new(), took: Duration::ZERO };
            let more = self.twin.ended(&dispatch, &well, now);
            self.post.lock().unwrap().push_back((self.channel, dispatch));
            self.take(more, now);
        }
    }

    fn note(&self, request: &Request, status: u16, mishap: bool, now: Moment) {
        let path = request.head.path().to_owned();
        self.asked.lock().unwrap().push(Asked { at: now, path, status, mishap });
    }
}

impl<T: Twin> Twin for Posting<T> {
    fn platform(&self) -> &'static str {
        self.twin.platform()
    }

    fn answer(&mut self, request: &Request, now: Moment) -> Reaction {
        let Reaction { response, dispatches } = self.twin.answer(request, now);
        self.take(dispatches, now);
        self.note(request, response.status, false, now);
        Reaction { response, dispatches: Vec::new() }
    }

    fn act(&mut self, act: &Act, now: Moment) -> Result<Vec<Dispatch>, String> {
        if matches!(act, Act::Say { text, .. } if text == "/") {
            (self.deed)(&mut self.twin);
            return Ok(Vec::new());
        }
        let dispatches = self.twin.act(act, now)?;
        self.take(dispatches, now);
        Ok(Vec::new())
    }

    fn meets(&mut self, mishap: Mishap, request: &Request, now: Moment) -> Response {
        let response = self.twin.meets(mishap, request, now);
        self.note(request, response.status, true, now);
        response
    }

    fn conversations(&self) -> Vec<Conversation> {
        self.twin.conversations()
    }

    fn bubbles(&self, after: u64) -> Vec<Bubble> {
        self.twin.bubbles(after)
    }

    fn mishap(&mut self, mishap: Mishap, now: Moment) -> Response {
        self.twin.mishap(mishap, now)
    }

    fn deed(&mut self, deed: &Deed, now: Moment) -> Result<(), String> {
        self.twin.deed(deed, now)
    }

    fn meters(&self, now: Moment) -> Vec<Meter> {
        self.twin.meters(now)
    }
}
