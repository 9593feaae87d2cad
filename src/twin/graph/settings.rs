//! What a stand-in is made of: an app, the person who logs in, and the pages with their posts.

use crate::model::Secret;
use crate::twin::enphase::Zone;
use jiff::tz::TimeZone;
use std::time::Duration;

/// Facebook as one app sees it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address that this stand-in is called at, without a slash at its end: further pages of a list lie there.
    pub base: String,
    /// The app's papers (graph.md §3).
    pub app_id: String,
    pub app_secret: Secret,
    pub app_name: String,
    /// Where a login may lead back to, byte for byte.
    pub redirect_uris: Vec<String>,
    /// Who is logged in at the browser.
    pub person: Person,
    pub pages: Vec<Page>,
    /// Groups as they were once, for replaying what was recorded. Without any they are gone, as they are since 2024 (§1).
    pub groups: Vec<Group>,
    /// Of what posts and tokens are drawn.
    pub seed: u64,
    /// How long a token is good that came of a code …
    pub short_life: Duration,
    /// … and one that it was exchanged for.
    pub long_life: Duration,
    /// Whether the answer to that exchange says how long (§3).
    pub tells_life: bool,
    /// "Require App Secret" is switched on: each call must carry a proof (messenger.md §6).
    pub requires_proof: bool,
    /// Calls in any hour, of all tokens together (§6).
    pub calls_per_hour: u32,
    /// The most that `limit` times the number of fields may be; more is too much data (§6).
    pub data_max: usize,
    /// Behind the first page of a feed comes an empty one that has a next (§5).
    pub gaps: bool,
}

/// Somebody with an account there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: String,
    pub name: String,
}

/// A page.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub id: String,
    pub name: String,
    /// What it is, and the number of that.
    pub category: (String, String),
    /// It posts while its shop is open.
    pub zone: TimeZone,
    /// Whether the person has a role on it.
    pub role: bool,
    /// What every post of it says; without this, what is drawn.
    pub says: Option<String>,
    /// What stands before the number of a post in its address.
    pub link: String,
}

/// A group, before 2024.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub administrator: bool,
}

impl Page {
    /// A bakery in Berlin, on which the person has a role.
    pub fn bakery(id: &str, name: &str) -> Page {
        let category = ("Bakery".to_owned(), "128673187201735".to_owned());
        let (id, name, link) = (id.to_owned(), name.to_owned(), format!("https://www.facebook.com/{id}/posts/"));
        Page { id, name, category, zone: Zone::berlin().rule, role: true, says: None, link }
    }
}

impl Group {
    /// The two that the samples have.
    pub fn recorded() -> Vec<Group> {
        let group =
            |id: &str, name: &str, administrator| Group { id: id.to_owned(), name: name.to_owned(), administrator };
        vec![
            group("1924443867832338", "Developer Circle: Example City", true),
            group("222333444555", "Neighbours", false),
        ]
    }
}

impl Settings {
    /// What is played with: a bakery in Berlin (104455667788990), a café in Los Angeles (104455667788991), and a page
    /// that the person has no role on (104455667788992). Address, papers and ways back are for the caller to set.
    pub fn played() -> Settings {
        let cafe = Page {
            category: ("Coffee shop".to_owned(), "197871390225897".to_owned()),
            zone: Zone::los_angeles().rule,
            ..Page::bakery("104455667788991", "Two Cups & a Spoon")
        };
        Settings {
            base: "http://127.0.0.1".to_owned(),
            app_id: "482915736608214".to_owned(),
            app_secret: Secret::new("played-app-secret"),
            app_name: "ackd".to_owned(),
            redirect_uris: Vec::new(),
            person: Person { id: "10150000000000001".to_owned(), name: "Ada Example".to_owned() },
            pages: vec![
                Page::bakery("104455667788990", "Brot & Stulle"),
                cafe,
                Page { role: false, ..Page::bakery("104455667788992", "Zur alten Mühle") },
            ],
            groups: Vec::new(),
            seed: 1,
            short_life: Duration::from_secs(5400),
            long_life: Duration::from_secs(5_184_000),
            tells_life: true,
            requires_proof: false,
            // 200 for each of the app's daily users.
            calls_per_hour: 200,
            data_max: 500,
            gaps: true,
        }
    }
}
