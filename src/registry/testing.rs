//! An upstream with recorded answers, and the samples of the outside world.

use super::Upstream;
use crate::model::{Answer, FetchFault, OutboundRequest, Outcome};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::Path;

/// Answers in the order of its record, and keeps what it was asked.
pub(super) struct Recorded {
    outcomes: RefCell<VecDeque<Outcome>>,
    /// Answers all the rest.
    last: Option<Outcome>,
    requests: RefCell<Vec<OutboundRequest>>,
}

impl Recorded {
    pub(super) fn new(outcomes: Vec<Outcome>) -> Recorded {
        Recorded { outcomes: RefCell::new(outcomes.into()), last: None, requests: RefCell::default() }
    }

    pub(super) fn always(outcome: Outcome) -> Recorded {
        Recorded { last: Some(outcome), ..Recorded::new(Vec::new()) }
    }

    /// What was asked: method and URL.
    pub(super) fn calls(&self) -> Vec<String> {
        let line =
            |request: &OutboundRequest| format!("{} {}", format!("{:?}", request.method).to_uppercase(), request.url);
        self.requests.borrow().iter().map(line).collect()
    }

    pub(super) fn requests(&self) -> Vec<OutboundRequest> {
        self.requests.borrow().clone()
    }
}

impl Upstream for Recorded {
    fn call(&self, request: &OutboundRequest) -> Outcome {
        self.requests.borrow_mut().push(request.clone());
        let next = self.outcomes.borrow_mut().pop_front().or_else(|| self.last.clone());
        next.unwrap_or_else(|| panic!("nothing is recorded for {:?} {}", request.method, request.url))
    }
}

pub(super) fn answer(status: u16, body: &str) -> Outcome {
    Outcome::Answered(Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
}

pub(super) fn refused() -> Outcome {
    Outcome::Failed(FetchFault { went_out: false, why: "127.0.0.1:4040: Connection refused".to_owned() })
}

/// A sample's text, by its name below tests/fixtures/registry/.
pub(super) fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/registry").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn sample(status: u16, name: &str) -> Outcome {
    answer(status, &text(name))
}
