//! What a stand-in is made of: an application, the person who owns the systems, and the systems.

use crate::model::{Limit, Moment, Period, Secret};
use jiff::tz::TimeZone;
use std::time::Duration;

/// Enphase as one application sees it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The application's papers (enphase.md §3).
    pub client_id: String,
    pub client_secret: Secret,
    pub key: Secret,
    /// Who gives consent.
    pub owner: Owner,
    /// Those of the owner and of others; only the owner's may be seen.
    pub systems: Vec<System>,
    /// Of what weather and tokens are drawn.
    pub seed: u64,
    /// The plan by its name, and its limits; each holds.
    pub plan: String,
    pub limits: Vec<Limit>,
    /// How long an access token is good …
    pub access_life: Duration,
    /// … and a refresh token that is not used.
    pub refresh_life: Duration,
}

/// Somebody with an account there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `enl_uid`, the `user_id` of v2.
    pub id: String,
}

/// A roof.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    pub id: u64,
    /// By the owner's id.
    pub owner: String,
    pub name: String,
    pub address: Address,
    /// Degrees, north and east are positive.
    pub latitude: f64,
    pub longitude: f64,
    pub zone: Zone,
    /// The panels, and what they give at best, in W.
    pub modules: u32,
    pub size_w: u32,
    /// Since when it runs; nothing when it does not yet.
    pub operational: Option<Moment>,
    /// What it says of itself as long as it reports: `normal`, `micro`, `power` …
    pub status: String,
    /// A revenue-grade meter.
    pub meter: Option<Meter>,
    pub battery: Option<Battery>,
    /// The serial number of a car's charger.
    pub charger: Option<String>,
    pub nmi: Option<String>,
}

/// Where it stands, as `/systems` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub city: String,
    pub state: String,
    pub country: String,
    pub postal_code: String,
}

/// A revenue-grade meter, since when it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    pub serial: String,
    pub since: Moment,
}

/// A battery: what it takes and gives at most, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Battery {
    pub charge_w: u32,
    pub discharge_w: u32,
    pub capacity_wh: u32,
}

/// A time zone: the name that the API tells, and the rule that the stand-in goes by. The rule is written out, so that
/// no file of this machine decides what a day is.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    pub name: String,
    pub rule: TimeZone,
}

impl Zone {
    /// A zone by its name and its rule in the words of POSIX: `CET-1CEST,M3.5.0,M10.5.0/3`.
    pub fn new(name: &str, rule: &str) -> Result<Zone, String> {
        let rule = TimeZone::posix(rule).map_err(|error| format!("{rule:?} is no rule of a time zone: {error}"))?;
        Ok(Zone { name: name.to_owned(), rule })
    }

    /// Berlin.
    pub fn berlin() -> Zone {
        Zone::known("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3")
    }

    /// Los Angeles.
    pub fn los_angeles() -> Zone {
        Zone::known("America/Los_Angeles", "PST8PDT,M3.2.0,M11.1.0")
    }

    /// One whose rule is right, as a test has it.
    fn known(name: &str, rule: &str) -> Zone {
        Zone::new(name, rule).unwrap_or_else(|_| Zone { name: name.to_owned(), rule: TimeZone::UTC })
    }
}

impl Address {
    fn new(city: &str, state: &str, country: &str, postal_code: &str) -> Address {
        let [city, state, country, postal_code] = [city, state, country, postal_code].map(str::to_owned);
        Address { city, state, country, postal_code }
    }
}

impl System {
    /// A roof of 40 panels in Los Angeles, as the samples have it.
    pub fn los_angeles(id: u64, owner: &Owner) -> System {
        System {
            id,
            owner: owner.id.clone(),
            name: "Roof".to_owned(),
            address: Address::new("Los Angeles", "CA", "US", "90012"),
            latitude: 34.05,
            longitude: -118.24,
            zone: Zone::los_angeles(),
            modules: 40,
            size_w: 9400,
            operational: Some(Moment(1_497_445_200_000)),
            status: "normal".to_owned(),
            meter: None,
            battery: None,
            charger: None,
            nmi: None,
        }
    }

    /// A smaller one in Berlin, with a meter that came a year later.
    pub fn berlin(id: u64, owner: &Owner) -> System {
        System {
            name: "Dach".to_owned(),
            address: Address::new("Berlin", "BE", "DE", "10115"),
            latitude: 52.53,
            longitude: 13.38,
            zone: Zone::berlin(),
            modules: 24,
            size_w: 8400,
            operational: Some(Moment(1_584_000_000_000)),
            meter: Some(Meter { serial: "123123123123EIM1".to_owned(), since: Moment(1_615_550_400_000) }),
            ..System::los_angeles(id, owner)
        }
    }
}

/// The system in Berlin that is played with.
pub const BERLIN: u64 = 698_910_068;

impl Settings {
    /// What is played with: a roof in Los Angeles (698910067), one in Berlin (698910068), and a neighbour's (698910069),
    /// under the free plan (enphase.md §6).
    pub fn played() -> Settings {
        let owner = Owner { id: "217930".to_owned() };
        let neighbour = Owner { id: "217931".to_owned() };
        let systems = vec![
            System::los_angeles(698_910_067, &owner),
            System::berlin(BERLIN, &owner),
            System { name: "Next door".to_owned(), ..System::berlin(698_910_069, &neighbour) },
        ];
        Settings {
            client_id: "played-client".to_owned(),
            client_secret: Secret::new("played-client-secret"),
            key: Secret::new("played-key"),
            owner,
            systems,
            seed: 1,
            plan: "Watt".to_owned(),
            limits: vec![Limit { calls: 10, per: Period::Minute }, Limit { calls: 1000, per: Period::Month }],
            access_life: Duration::from_secs(86_393),
            // "1 month"; whether Enphase counts days or a calendar's month is unconfirmed.
            refresh_life: Duration::from_secs(30 * 86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_zones_change_their_clocks_when_the_places_do() {
        let hours = |zone: Zone, year, month, day| {
            let day = date(year, month, day);
            let begin = day.to_zoned(zone.rule.clone()).unwrap().timestamp();
            let end = day.tomorrow().unwrap().to_zoned(zone.rule).unwrap().timestamp();
            end.duration_since(begin).as_hours()
        };
        assert_eq!([29, 30, 31].map(|day| hours(Zone::berlin(), 2025, 3, day)), [24, 23, 24]);
        assert_eq!(hours(Zone::berlin(), 2025, 10, 26), 25);
        assert_eq!((hours(Zone::los_angeles(), 2025, 3, 9), hours(Zone::los_angeles(), 2025, 11, 2)), (23, 25));
        assert!(Zone::new("Nowhere", "x").unwrap_err().contains("\"x\" is no rule"));
    }
}
