//! What the API says instead of yes: three shapes of v4, and that of v2 (enphase.md §2, §5). Words that no sample has
//! are ours.

use crate::model::{Period, Response};
use serde_json::{Value, json};

/// A call that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Key, token or user is not right; Enphase does not tell which.
    NotAuthorized,
    /// Somebody else's system.
    Forbidden,
    NoSystem(String),
    NoResource,
    Method,
    /// Days or moments that the system has nothing for.
    Range,
    /// A parameter that cannot be read, in words.
    Parameter(String),
    /// The plan is used up.
    Limit(Over),
    /// rgm_stats has nothing at the moment.
    Unavailable,
}

/// A limit that is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Over {
    pub plan: String,
    /// Which one, from when to when, and how many calls; some answers leave it out.
    pub period: Option<(Period, i64, i64, u32)>,
}

impl Refused {
    /// In v4's words.
    pub(super) fn v4(&self) -> Response {
        let details = self.details();
        let told = |status: u16, message: &str| {
            answer(status, &json!({ "message": message, "details": details, "code": status }))
        };
        match self {
            Refused::NotAuthorized => told(401, "Not Authorized"),
            Refused::Forbidden => told(403, "Forbidden"),
            Refused::NoSystem(_) | Refused::NoResource => told(404, "Not Found"),
            Refused::Method => self.v2(),
            Refused::Range | Refused::Parameter(_) => told(422, "Unprocessable Entity"),
            Refused::Limit(over) => {
                let mut body = json!({ "message": "Too Many Requests", "details": details, "code": 429 });
                if let (Some((period, start, end, limit)), Some(members)) = (over.period, body.as_object_mut()) {
                    members.insert("period".to_owned(), json!(period));
                    members.insert("period_start".to_owned(), json!(start));
                    members.insert("period_end".to_owned(), json!(end));
                    members.insert("limit".to_owned(), json!(limit));
                }
                answer(429, &body)
            }
            Refused::Unavailable => answer(500, &json!({ "errorCode": 7, "errorMessages": [details] })),
        }
    }

    /// In v2's words, which are reported by users only.
    pub(super) fn v2(&self) -> Response {
        let (status, message) = match self {
            Refused::NotAuthorized => (401, "Not authorized".to_owned()),
            Refused::Forbidden => (403, self.details()),
            Refused::NoSystem(_) | Refused::NoResource => (404, self.details()),
            Refused::Method => (405, self.details()),
            Refused::Limit(_) => (409, self.details()),
            Refused::Range | Refused::Parameter(_) => (422, self.details()),
            Refused::Unavailable => (500, self.details()),
        };
        let response = answer(status, &json!({ "reason": status.to_string(), "message": [message] }));
        if status == 405 { response.with("Allow", "GET") } else { response }
    }

    fn details(&self) -> String {
        match self {
            Refused::NotAuthorized => "User is not authorized".to_owned(),
            Refused::Forbidden => "Not authorized to access this resource".to_owned(),
            Refused::NoSystem(id) => format!("System not found for {{:id=>{id:?}}}"),
            Refused::NoResource => "Resource not found".to_owned(),
            Refused::Method => "Method not allowed".to_owned(),
            Refused::Range => "Requested date range is invalid for this system".to_owned(),
            Refused::Parameter(why) => why.clone(),
            Refused::Limit(over) => format!("Usage limit exceeded for plan {}", over.plan),
            Refused::Unavailable => "Data is temporarily unavailable".to_owned(),
        }
    }
}

/// What stands between us and Enphase fails, in HTML: each status in its turn.
pub(super) fn gateway(turn: usize) -> Response {
    const PAGES: [(u16, &str); 4] = [
        (500, "500 Internal Server Error"),
        (502, "502 Bad Gateway"),
        (503, "503 Service Temporarily Unavailable"),
        (504, "504 Gateway Time-out"),
    ];
    let (status, title) = PAGES.into_iter().cycle().nth(turn.wrapping_sub(1) % PAGES.len()).unwrap_or_default();
    let page =
        format!("<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>");
    Response { content_type: "text/html", ..Response::text(status, page) }
}

/// Something as JSON.
pub(super) fn answer(status: u16, body: &Value) -> Response {
    Response::json(status, body.to_string().into_bytes())
}
