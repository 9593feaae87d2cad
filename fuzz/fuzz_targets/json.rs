#![no_main]

// The property itself, shared with tests/corpora.rs, which replays the corpus without a fuzzer.
#[path = "../properties/json.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::check(data));
