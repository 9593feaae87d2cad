//! Certificates of `tests/fixtures/tls`, which a CA of their own has signed: good from 2020 to 2120, unless their name says
//! otherwise.

use super::*;
use crate::tls::pair::day;

/// 2026-11-21.
const NOW: Moment = Moment(1_795_219_200_000);

fn file(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn pem(certificate: &str, key: &str) -> Pem {
    Pem { certificate: file(certificate), key: Secret::new(String::from_utf8(file(key)).unwrap()) }
}

fn flaw(certificate: &str, key: &str) -> Flaw {
    let other = Pem { ..pem("other.pem", "other.key") };
    let (place, flaw) = Identity::of(&[other, pem(certificate, key)], NOW).unwrap_err();
    assert_eq!(place, 1, "{flaw}");
    flaw
}

#[test]
fn a_pair_that_is_not_one_says_which_file_and_what_to_do() {
    let certificate = |what: &str| Flaw::Certificate(what.to_owned());
    let key = |what: &str| Flaw::Key(what.to_owned());
    for (files, expected) in [
        (("expired.pem", "bots.key"), certificate("has expired: it was good until 2021-03-04; renew it")),
        (("coming.pem", "bots.key"), certificate("is good only from 2100-05-06 on; is this machine's clock right?")),
        (("bots.pem", "renewed.key"), key("is not the key of that certificate; were both renewed?")),
        (("bots.pem", "other.key"), key("is not the key of that certificate; were both renewed?")),
        (
            ("bots.pem", "locked.key"),
            key("is locked by a passphrase; `openssl pkey -in KEY -out FREE` makes one without"),
        ),
        (("bots.pem", "bots.pem"), key("holds no key, which begins with -----BEGIN PRIVATE KEY-----")),
        (("bots.key", "bots.key"), certificate("holds no certificate, which begins with -----BEGIN CERTIFICATE-----")),
    ] {
        assert_eq!(flaw(files.0, files.1), expected, "{files:?}");
    }
    let Flaw::Certificate(what) = flaw("client.pem", "bots.key") else { panic!("the certificate") };
    assert!(what.starts_with("cannot be used for a server: "), "{what}");
}

#[test]
fn what_is_no_pem_at_all_is_a_flaw_that_shows_nothing_of_it() {
    let mut broken = pem("bots.pem", "bots.key");
    broken.key = Secret::new("-----BEGIN PRIVATE KEY-----\ncanary!!\n-----END PRIVATE KEY-----\n");
    let (_, flaw) = Identity::of(&[broken], NOW).unwrap_err();
    assert_eq!(flaw, Flaw::Key("is no PEM".to_owned()));
    let mut cut = pem("bots.pem", "bots.key");
    cut.certificate.truncate(cut.certificate.len() / 2);
    assert!(matches!(Identity::of(&[cut], NOW), Err((0, Flaw::Certificate(_)))));
}

#[test]
fn the_first_day_on_which_one_is_not_good_is_known() {
    let identity = Identity::of(&[pem("bots.pem", "bots.key"), pem("other.pem", "other.key")], NOW).unwrap();
    assert_eq!((day(identity.ends), identity.last_day()), ("2120-01-01".to_owned(), "2120-01-01".to_owned()));
    assert!(Identity::of(&[pem("expired.pem", "bots.key")], Moment(1_600_000_000_000)).is_ok(), "in 2020 it was");
}

#[test]
fn a_certificate_is_for_the_names_that_it_names() {
    let identity = Identity::of(&[pem("bots.pem", "bots.key"), pem("other.pem", "other.key")], NOW).unwrap();
    let [bots, other] = identity.pairs.0.as_slice() else { panic!("two pairs") };
    for (name, (first, second)) in [
        ("bots.example.org", (true, false)),
        ("BOTS.example.org", (true, false)),
        ("other.example.org", (false, true)),
        ("any.wild.example.org", (false, true)),
        ("two.any.wild.example.org", (false, false)),
        ("example.org", (false, false)),
        ("not a name", (false, false)),
    ] {
        assert_eq!((bots.is_for(name), other.is_for(name)), (first, second), "{name}");
    }
}

#[test]
fn a_renewed_certificate_is_told_from_the_one_before() {
    let of = |certificate: &str, key: &str| Identity::of(&[pem(certificate, key)], NOW).unwrap();
    let bots = of("bots.pem", "bots.key");
    assert!(bots.shows_the_same(&of("bots.pem", "bots.key")));
    assert!(!bots.shows_the_same(&of("renewed.pem", "renewed.key")));
    assert!(!format!("{bots:?} {:?}", Tickets::new()).contains("PRIVATE"));
}

#[test]
fn the_same_is_shown_by_the_same_certificates_in_the_same_order_alone() {
    let of = |pairs: &[(&str, &str)]| {
        let pems: Vec<_> = pairs.iter().map(|(certificate, key)| pem(certificate, key)).collect();
        Identity::of(&pems, NOW).unwrap()
    };
    let (bots, other, renewed) = (("bots.pem", "bots.key"), ("other.pem", "other.key"), ("renewed.pem", "renewed.key"));
    let both = of(&[bots, other]);
    assert!(both.shows_the_same(&of(&[bots, other])), "read once more");
    for pairs in [&[renewed, other][..], &[bots, renewed], &[other, bots], &[bots], &[bots, other, other]] {
        assert!(!both.shows_the_same(&of(pairs)) && !of(pairs).shows_the_same(&both), "{pairs:?}");
    }
}
