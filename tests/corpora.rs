//! Replays every fuzz corpus through the property that the fuzzer checks, without a fuzzer.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "here a panic is how a failure is told")]

use std::fs;
use std::path::Path;

#[path = "../fuzz/properties/chunked.rs"]
mod chunked;
#[path = "../fuzz/properties/config.rs"]
mod config;
#[path = "../fuzz/properties/http_connection.rs"]
mod http_connection;
#[path = "../fuzz/properties/inspector_query.rs"]
mod inspector_query;
#[path = "../fuzz/properties/json.rs"]
mod json;
#[path = "../fuzz/properties/messenger_body.rs"]
mod messenger_body;
#[path = "../fuzz/properties/operators_door.rs"]
mod operators_door;
#[path = "../fuzz/properties/signature.rs"]
mod signature;
#[path = "../fuzz/properties/webex_body.rs"]
mod webex_body;
#[path = "../fuzz/properties/webex_signature.rs"]
mod webex_signature;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} has no seeds", folder.display());
    for seed in seeds {
        println!("{}", seed.display());
        check(&fs::read(&seed).unwrap());
    }
}

#[test]
fn every_http_connection_seed_holds_its_property() {
    replay("http_connection", http_connection::check);
}

#[test]
fn every_chunked_seed_holds_its_property() {
    replay("chunked", chunked::check);
}

#[test]
fn every_inspector_query_seed_holds_its_property() {
    replay("inspector_query", inspector_query::check);
}

#[test]
fn every_operators_door_seed_holds_its_property() {
    replay("operators_door", operators_door::check);
}

#[test]
fn every_signature_seed_holds_its_property() {
    replay("signature", signature::check);
}

#[test]
fn every_messenger_body_seed_holds_its_property() {
    replay("messenger_body", messenger_body::check);
}

#[test]
fn every_webex_body_seed_holds_its_property() {
    replay("webex_body", webex_body::check);
}

#[test]
fn every_webex_signature_seed_holds_its_property() {
    replay("webex_signature", webex_signature::check);
}

#[test]
fn every_config_seed_holds_its_property() {
    replay("config", config::check);
}

#[test]
fn every_json_seed_holds_its_property() {
    replay("json", json::check);
}
