//! What one request costs before anybody looks into it. `cargo bench --bench http`

use std::hint::black_box;

use ackd::http::{Connection, Dechunker, Found, HttpDate, Search, Step, masked_head, parse_head};
use ackd::model::{Moment, Response};
use divan::Bencher;
use divan::counter::BytesCount;

const WEBHOOK: &[u8] = include_bytes!("../tests/fixtures/http/messenger.http");

fn main() {
    divan::main();
}

fn head_length() -> usize {
    match Search::default().look(WEBHOOK) {
        Ok(Found::Head(length)) => length,
        found => unreachable!("{found:?}"),
    }
}

#[divan::bench]
fn search_for_the_end_of_a_head(bencher: Bencher) {
    bencher.bench(|| Search::default().look(black_box(WEBHOOK)));
}

#[divan::bench]
fn parse_a_head(bencher: Bencher) {
    let head = WEBHOOK.get(..head_length()).unwrap_or_default();
    bencher.bench(|| parse_head(black_box(head)));
}

#[divan::bench]
fn mask_a_head(bencher: Bencher) {
    let head = WEBHOOK.get(..head_length()).unwrap_or_default();
    let Ok(asked) = parse_head(head) else { unreachable!() };
    bencher.bench(|| masked_head(black_box(&asked.head)));
}

#[divan::bench]
fn a_webhook_in_one_piece_and_its_answer(bencher: Bencher) {
    let date = HttpDate::of(Moment(784_111_777_000));
    let response = Response::text(200, "EVENT_RECEIVED");
    let mut connection = Connection::new();
    bencher.bench_local(move || {
        connection.receive(black_box(WEBHOOK));
        let Step::Request(request) = connection.next(|_| Ok(())) else { unreachable!() };
        black_box(request);
        connection.respond(&response, &date);
        connection.sent(black_box(connection.unsent()).len());
        connection.next(|_| Ok(()))
    });
}

#[divan::bench(args = [64, 1024, 16 * 1024])]
fn take_64_kib_out_of_chunks_of(bencher: Bencher, size: usize) {
    let chunk = [format!("{size:x}\r\n").as_bytes(), &vec![b'x'; size], b"\r\n"].concat();
    let all = [&chunk.repeat(64 * 1024 / size)[..], b"0\r\n\r\n"].concat();
    bencher.counter(BytesCount::new(64 * 1024_usize)).bench(|| {
        let mut body = Vec::new();
        let fed = Dechunker::new().feed(black_box(&all), &mut body);
        (fed, body)
    });
}
