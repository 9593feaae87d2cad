//! People and the bot among them (webex.md §3).

use super::Member;
use super::call::{Query, found};
use super::id::{Ids, id, written};
use super::refusal::Refused;
use crate::limits::WEBEX_PEOPLE_MAX;
use crate::model::{Moment, Response};
use serde_json::{Value, json};

/// Longest e-mail address (RFC 5321 §4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;

/// Somebody with an id.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub id: String,
    /// What stands in the id.
    pub uuid: String,
    pub name: String,
    pub email: String,
    bot: bool,
    created: Moment,
}

impl Person {
    fn new(member: &Member, bot: bool, ids: &Ids, now: Moment) -> Person {
        let uuid = ids.uuid();
        let (name, email) = (member.name.clone(), member.email.to_lowercase());
        Person { id: id("PEOPLE", &uuid), uuid, name, email, bot, created: now }
    }

    /// As the API shows them.
    fn shown(&self, organization: &str) -> Value {
        let mut shown = json!({
            "id": self.id,
            "emails": [self.email],
            "displayName": self.name,
            "orgId": organization,
            "created": written(self.created),
            "status": if self.bot { "unknown" } else { "active" },
            "type": if self.bot { "bot" } else { "person" },
        });
        let (first, last) = self.name.rsplit_once(' ').unwrap_or((&self.name, ""));
        let further = if self.bot {
            json!({
                "phoneNumbers": [],
                "nickName": self.name,
                "userName": self.email,
                "avatar": "https://avatar-prod-us-east-2.webexcontent.com/default_avatar~1600",
            })
        } else {
            json!({ "firstName": first, "lastName": last })
        };
        if let (Value::Object(shown), Value::Object(further)) = (&mut shown, further) {
            shown.extend(further);
        }
        shown
    }
}

/// Everybody, and the organization that they belong to.
#[derive(Debug)]
pub(super) struct People {
    pub bot: Person,
    pub others: Vec<Person>,
    pub organization: String,
    pub application: String,
}

impl People {
    /// The bot and these people; of two with one address the first.
    pub(super) fn new(bot: &Member, others: &[Member], ids: &Ids, now: Moment) -> People {
        let organization = ids.id("ORGANIZATION");
        let application = ids.application();
        let bot = Person::new(bot, true, ids, now);
        let mut people = People { bot, others: Vec::new(), organization, application };
        for member in others.iter().take(WEBEX_PEOPLE_MAX) {
            if people.by_email(&member.email).is_none() {
                people.others.push(Person::new(member, false, ids, now));
            }
        }
        people
    }

    /// The person of this id.
    pub(super) fn get(&self, id: &str) -> Option<&Person> {
        self.everybody().find(|person| person.id == id)
    }

    /// The person with this address, in whatever case.
    pub(super) fn by_email(&self, email: &str) -> Option<&Person> {
        self.everybody().find(|person| person.email.eq_ignore_ascii_case(email))
    }

    /// The person with this address; whom nobody knows yet is invited, as Webex does it.
    pub(super) fn invited(&mut self, email: &str, ids: &Ids, now: Moment) -> Result<Person, Refused> {
        if let Some(person) = self.by_email(email) {
            return Ok(person.clone());
        }
        let (name, domain) = email.split_once('@').unwrap_or_default();
        let good = !name.is_empty() && !domain.is_empty() && !email.contains(|sign: char| sign.is_whitespace());
        if !good || domain.contains('@') || email.len() > EMAIL_BYTES_MAX {
            return Err(Refused::bad("toPersonEmail is not an e-mail address."));
        }
        if self.others.len() >= WEBEX_PEOPLE_MAX {
            return Err(Refused::forbidden(format!("This stand-in knows no more than {WEBEX_PEOPLE_MAX} people.")));
        }
        let member = Member { name: email.to_owned(), email: email.to_owned() };
        let person = Person::new(&member, false, ids, now);
        self.others.push(person.clone());
        Ok(person)
    }

    fn everybody(&self) -> impl Iterator<Item = &Person> {
        std::iter::once(&self.bot).chain(&self.others)
    }

    /// `GET /people/{id}`; `me` is the bot.
    pub(super) fn one(&self, id: &str) -> Result<Response, Refused> {
        let person = if id == "me" { Some(&self.bot) } else { self.get(id) };
        person.map(|person| found(&person.shown(&self.organization))).ok_or_else(Refused::not_found)
    }

    /// `GET /people?email=`; a bot may not list everybody.
    pub(super) fn list(&self, query: &Query) -> Result<Response, Refused> {
        let email = query.get("email").ok_or_else(|| Refused::bad("email is missing."))?;
        let items: Vec<Value> =
            self.by_email(email).map(|person| person.shown(&self.organization)).into_iter().collect();
        Ok(found(&json!({ "items": items })))
    }
}
